// Package client asks an engine in another process, over the socket in its data directory. Client implements
// engine.Service: whoever has a Service need not know whether the engine is his own.
//
// Errors arrive as they were (kind, message, next step). When nobody answers, the error is of kind fault.Unavailable.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/wire"
)

// Client speaks to the owner of a data directory. It is safe for concurrent use.
type Client struct {
	http   *http.Client
	socket string
	via    string
}

var _ engine.Service = (*Client)(nil)

// New makes a client of the process that listens on socket. via says which surface asks: terminal, inbox or api.
func New(socket, via string) *Client {
	d := &net.Dialer{Timeout: 2 * time.Second}
	return &Client{
		socket: socket,
		via:    via,
		http: &http.Client{Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return d.DialContext(ctx, "unix", socket)
			},
			MaxIdleConns:    4,
			IdleConnTimeout: time.Minute,
		}},
	}
}

// Close lets idle connections go.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// As gives a client of the same process that says it is another surface.
func (c *Client) As(via string) *Client {
	other := *c
	other.via = via
	return &other
}

// Start implements engine.Service. By is known to the other side from the connection.
func (c *Client) Start(ctx context.Context, s engine.Start) (string, error) {
	program, _, err := s.Program.Closure()
	if err != nil {
		return "", fault.Wrap(fault.Internal, err, "encode the program")
	}
	var out wire.Started
	err = c.call(ctx, http.MethodPost, "/v1/runs", nil, wire.Start{
		Cause: s.Cause, Dir: s.Dir, Event: s.Event, Guards: s.Guards, Metadata: s.Metadata, Params: s.Params,
		Program: program, Request: s.Request, Source: s.Source, Stepping: s.Stepping,
	}, &out)
	return out.Run, err
}

// Do implements engine.Service.
func (c *Client) Do(ctx context.Context, cmd engine.Command) (engine.Done, error) {
	var out engine.Done
	err := c.call(ctx, http.MethodPost, "/v1/runs/"+url.PathEscape(cmd.Run)+"/commands", nil, wire.Command{
		All: cmd.All, Params: cmd.Params, Path: cmd.Path, Text: cmd.Text, Verb: cmd.Verb, Why: cmd.Why,
	}, &out)
	return out, err
}

// Answer implements engine.Service.
func (c *Client) Answer(ctx context.Context, a engine.Answer) (string, error) {
	var out wire.Answered
	err := c.call(ctx, http.MethodPost, "/v1/tasks/"+url.PathEscape(a.Task)+"/answers", nil, wire.Answer{
		Choice: a.Choice, Output: a.Output, Why: a.Why,
	}, &out)
	return out.Status, err
}

// Send implements engine.Service.
func (c *Client) Send(ctx context.Context, name, key string, payload map[string]any, _ entry.Who) ([]string, error) {
	var out wire.Sent
	err := c.call(ctx, http.MethodPost, "/v1/events", nil, wire.Send{Key: key, Name: name, Payload: payload}, &out)
	return out.Runs, err
}

// Entries implements engine.Service.
func (c *Client) Entries(ctx context.Context, stream string, from uint64, limit int) ([]entry.Entry, error) {
	q := url.Values{}
	if from > 0 {
		q.Set("from", strconv.FormatUint(from, 10))
	}
	if limit > 0 {
		q.Set("limit", strconv.Itoa(limit))
	}
	var out wire.Entries
	if err := c.call(ctx, http.MethodGet, "/v1/streams/"+stream, q, nil, &out); err != nil {
		return nil, err
	}
	list := make([]entry.Entry, len(out.Entries))
	for i, e := range out.Entries {
		list[i] = e.Entry()
	}
	return list, nil
}

// Rows implements engine.Service.
func (c *Client) Rows(ctx context.Context, f store.Filter) (store.Page, error) {
	q := url.Values{}
	set := func(k, v string) {
		if v != "" {
			q.Set(k, v)
		}
	}
	set("id", f.ID)
	set("prefix", f.Prefix)
	set("project", f.Project)
	set("name", f.Name)
	set("parent", f.Parent)
	set("tag", f.Tag)
	set("cursor", f.Cursor)
	set("status", strings.Join(f.Status, ","))
	if f.Limit > 0 {
		set("limit", strconv.Itoa(f.Limit))
	}
	if f.Oldest {
		set("oldest", "true")
	}
	if !f.DueBy.IsZero() {
		set("dueBy", f.DueBy.UTC().Format(time.RFC3339Nano))
	}
	var out wire.Page
	if err := c.call(ctx, http.MethodGet, "/v1/rows/"+url.PathEscape(f.Kind), q, nil, &out); err != nil {
		return store.Page{}, err
	}
	page := store.Page{Next: out.Next, Rows: make([]store.Row, len(out.Rows))}
	for i, r := range out.Rows {
		page.Rows[i] = r.Row()
	}
	return page, nil
}

// Program implements engine.Service.
func (c *Client) Program(ctx context.Context, run string) (*program.Program, error) {
	b, err := c.raw(ctx, "/v1/runs/"+url.PathEscape(run)+"/program", nil)
	if err != nil {
		return nil, err
	}
	return wire.DecodeProgram(b)
}

// Blob implements engine.Service.
func (c *Client) Blob(ctx context.Context, run string, ref entry.Ref) ([]byte, error) {
	q := url.Values{}
	salt, _ := ref.Salt.MarshalText()
	q.Set("salt", string(salt))
	q.Set("size", strconv.FormatInt(ref.Size, 10))
	q.Set("sum", ref.Sum.String())
	return c.raw(ctx, "/v1/runs/"+url.PathEscape(run)+"/blobs/"+url.PathEscape(ref.ID), q)
}

// Status implements engine.Service.
func (c *Client) Status(ctx context.Context) (engine.Status, error) {
	var out engine.Status
	err := c.call(ctx, http.MethodGet, "/v1/status", nil, nil, &out)
	return out, err
}

// Unhalt implements engine.Service.
func (c *Client) Unhalt(ctx context.Context, _ entry.Who, why string) ([]string, error) {
	var out wire.Unhalted
	err := c.call(ctx, http.MethodPost, "/v1/unhalt", nil, wire.Unhalt{Why: why}, &out)
	return out.Doubts, err
}

// Backup asks the owner to write a copy to path, an absolute path that does not exist yet.
func (c *Client) Backup(ctx context.Context, path string) (wire.BackedUp, error) {
	var out wire.BackedUp
	err := c.within(ctx, late, http.MethodPost, "/v1/backup", nil, wire.Backup{Path: path}, &out)
	return out, err
}

// Verify asks the owner to read everything.
func (c *Client) Verify(ctx context.Context) (wire.Verified, error) {
	var out wire.Verified
	err := c.within(ctx, late, http.MethodPost, "/v1/verify", nil, nil, &out)
	return out, err
}

// MissingSecrets tells which of the named secrets the owner cannot find.
func (c *Client) MissingSecrets(ctx context.Context, names []string) ([]wire.Problem, error) {
	var out wire.MissingSecrets
	err := c.call(ctx, http.MethodPost, "/v1/secrets/check", nil, wire.Secrets{Names: names}, &out)
	return out.Missing, err
}

// How long an answer may take. Copying and reading everything takes longer than the rest.
const (
	soon = time.Minute
	late = time.Hour
)

// call sends in as JSON, if any, and reads the answer into out.
func (c *Client) call(ctx context.Context, method, path string, q url.Values, in, out any) error {
	return c.within(ctx, soon, method, path, q, in, out)
}

func (c *Client) within(ctx context.Context, d time.Duration, method, path string, q url.Values, in, out any) error {
	ctx, cancel := context.WithTimeoutCause(ctx, d, fault.New(fault.Unavailable, "the owner of the data directory does not answer within %s", d).
		WithNext("`tend doctor` names it"))
	defer cancel()
	resp, err := c.do(ctx, method, path, q, in, nil)
	if err != nil {
		return err
	}
	defer drain(resp.Body)
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return c.lost(ctx, err)
	}
	return nil
}

func (c *Client) raw(ctx context.Context, path string, q url.Values) ([]byte, error) {
	resp, err := c.do(ctx, http.MethodGet, path, q, nil, nil)
	if err != nil {
		return nil, err
	}
	defer drain(resp.Body)
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, c.lost(ctx, err)
	}
	return b, nil
}

// do sends a request and gives the answer when it is a good one.
func (c *Client) do(ctx context.Context, method, path string, q url.Values, in any, header http.Header) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		b := new(bytes.Buffer)
		e := json.NewEncoder(b)
		e.SetEscapeHTML(false)
		if err := e.Encode(in); err != nil {
			return nil, fault.Wrap(fault.Internal, err, "encode the request")
		}
		body = b
	}
	address := "http://tend" + path
	if len(q) > 0 {
		address += "?" + q.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "build the address")
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set(wire.Via, c.via)
	for k, v := range header {
		req.Header[k] = v
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.lost(ctx, err)
	}
	if resp.StatusCode < http.StatusMultipleChoices {
		return resp, nil
	}
	defer drain(resp.Body)
	var p wire.Problem
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err == nil {
		err = json.Unmarshal(b, &p)
	}
	if err != nil || p.Detail == "" {
		return nil, fault.New(fault.Unavailable, "the owner of the data directory answered %s", resp.Status)
	}
	return nil, p.Err()
}

// lost tells why nothing was heard. The text of a URL error says nothing that a person can use here.
func (c *Client) lost(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return fault.Wrap(fault.Unavailable, err, "ask the owner of the data directory on %s", c.socket)
}

func drain(b io.ReadCloser) {
	_, _ = io.Copy(io.Discard, io.LimitReader(b, 64<<10))
	_ = b.Close()
}
