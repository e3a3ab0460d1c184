// Package client asks tend in another process: over the socket in its data directory, or over the network. Client implements
// engine.Service: whoever has a Service need not know whether the engine is his own. API has everything else that can be
// asked, a method for each operation of the contract.
//
// Errors arrive as they were (kind, message, next step). When nobody answers, the error is of kind fault.Unavailable.
package client

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/task"
	"github.com/tendhq/tend/internal/trace"
	"github.com/tendhq/tend/internal/wire"
)

// Client speaks to the owner of a data directory. It is safe for concurrent use.
type Client struct{ api *API }

var _ engine.Service = (*Client)(nil)

// New makes a client of the process that listens on socket. via says which surface asks: terminal, inbox or api.
func New(socket, via string) *Client {
	d := &net.Dialer{Timeout: 2 * time.Second}
	return &Client{&API{
		base: "http://tend", via: via, who: "the owner of the data directory on " + socket, next: "`tend doctor` names it",
		http: &http.Client{CheckRedirect: refuseRedirects, Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return d.DialContext(ctx, "unix", socket)
			},
			MaxIdleConns:    4,
			IdleConnTimeout: time.Minute,
		}},
	}}
}

// Dial makes a client of a server, by its address (https://tend.example.org) and a token ("": none). A token is not sent in
// the clear, except on this machine.
func Dial(address, token, via string) (*Client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || strings.Trim(u.Path, "/") != "" {
		return nil, fault.New(fault.Invalid, "%q is not the address of a server", address).WithNext("write it as https://tend.example.org")
	}
	if u.Scheme == "http" && token != "" && !here(u.Hostname()) {
		return nil, fault.New(fault.Refused, "%s speaks no TLS: the token could be read on the way", address).WithNext("use https://%s", u.Host)
	}
	return &Client{&API{
		base: u.Scheme + "://" + u.Host, token: token, via: via, who: "the server " + u.Scheme + "://" + u.Host,
		http: &http.Client{CheckRedirect: refuseRedirects, Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
			TLSHandshakeTimeout:   10 * time.Second,
			ExpectContinueTimeout: time.Second,
			MaxIdleConns:          4,
			IdleConnTimeout:       time.Minute,
			ForceAttemptHTTP2:     true,
		}},
	}}, nil
}

// here tells whether a host is this machine itself.
func here(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// API gives the operations of the contract.
func (c *Client) API() *API { return c.api }

// Close lets idle connections go.
func (c *Client) Close() { c.api.http.CloseIdleConnections() }

// As gives a client of the same process that says it is another surface.
func (c *Client) As(via string) *Client {
	other := *c.api
	other.via = via
	return &Client{&other}
}

// In gives a client of the same process whose requests belong to a trace (a W3C traceparent).
func (c *Client) In(traceparent string) *Client {
	other := *c.api
	if at, ok := trace.Parse(traceparent); ok {
		other.trace = at.String()
	}
	return &Client{&other}
}

// Start implements engine.Service. By is known to the other side from the connection.
func (c *Client) Start(ctx context.Context, s engine.Start) (string, error) {
	program, _, err := s.Program.Closure()
	if err != nil {
		return "", fault.Wrap(fault.Internal, err, "encode the program")
	}
	out, err := c.api.StartRun(ctx, wire.Start{
		Cause: s.Cause, Dir: s.Dir, Event: s.Event, Guards: s.Guards, Metadata: s.Metadata, Params: s.Params,
		Program: program, Request: s.Request, Source: s.Source, Stepping: s.Stepping,
	})
	return out.Run, err
}

// Do implements engine.Service.
func (c *Client) Do(ctx context.Context, cmd engine.Command) (engine.Done, error) {
	return c.api.CommandRun(ctx, cmd.Run, CommandRunQuery{}, wire.Command{
		All: cmd.All, Params: cmd.Params, Path: cmd.Path, Text: cmd.Text, Verb: cmd.Verb, Why: cmd.Why,
	})
}

// Answer implements engine.Service.
func (c *Client) Answer(ctx context.Context, a engine.Answer) (string, error) {
	if a.Choice == task.BreakGlass {
		out, err := c.api.BreakGlass(ctx, a.Task, BreakGlassQuery{}, wire.BreakGlass{Why: a.Why})
		return out.Status, err
	}
	out, err := c.api.AnswerTask(ctx, a.Task, AnswerTaskQuery{}, wire.Answer{Choice: a.Choice, Output: a.Output, Why: a.Why})
	return out.Status, err
}

// Attend implements engine.Service.
func (c *Client) Attend(ctx context.Context, name string, a task.Act) error {
	var err error
	switch a.Verb {
	case task.Claim:
		_, err = c.api.ClaimTask(ctx, name, wire.Claim{Take: a.Take, Why: a.Why})
	case task.Assign:
		_, err = c.api.AssignTask(ctx, name, wire.Assign{To: strings.Join(a.To, ", "), Why: a.Why})
	case task.Delegate:
		if len(a.To) == 0 {
			_, err = c.api.UndelegateTask(ctx, name, UndelegateTaskQuery{Why: a.Why})
		} else {
			_, err = c.api.DelegateTask(ctx, name, wire.Delegate{To: a.To, Why: a.Why})
		}
	case task.Say:
		_, err = c.api.CommentTask(ctx, name, wire.Comment{Text: a.Text})
	case task.Attach:
		_, err = c.api.LinkTask(ctx, name, wire.AddLink{Name: a.Link.Name, URL: a.Link.URL})
	default:
		err = fault.New(fault.Invalid, "%q cannot be done with a task", a.Verb)
	}
	return err
}

// Send implements engine.Service.
func (c *Client) Send(ctx context.Context, name, key string, payload map[string]any, _ entry.Who) ([]string, error) {
	out, err := c.api.SendEvent(ctx, wire.Send{Key: key, Name: name, Payload: payload})
	return out.Runs, err
}

// Entries implements engine.Service. Streams of runs and tasks are read as such: not everybody may read all streams.
func (c *Client) Entries(ctx context.Context, stream string, from uint64, limit int) ([]entry.Entry, error) {
	var out wire.Entries
	var err error
	kind, id, _ := strings.Cut(stream, "/")
	switch kind {
	case "run":
		out, err = c.api.RunEntries(ctx, id, RunEntriesQuery{From: int64(from), Limit: limit}) //nolint:gosec // numbers of entries are small
	case "task":
		out, err = c.api.TaskEntries(ctx, id, TaskEntriesQuery{From: int64(from), Limit: limit}) //nolint:gosec // likewise
	default:
		out, err = c.api.ReadStream(ctx, stream, ReadStreamQuery{From: int64(from), Limit: limit}) //nolint:gosec // likewise
	}
	if err != nil {
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
	q := ListRowsQuery{
		ID: f.ID, Prefix: f.Prefix, Project: f.Project, Status: f.Status, Name: f.Name, Parent: f.Parent, Tag: f.Tag,
		Since: f.Since, Until: f.Until, DueBy: f.DueBy, Limit: f.Limit, Cursor: f.Cursor, Oldest: f.Oldest,
	}
	var out wire.Page
	var err error
	switch f.Kind {
	case "run":
		out, err = c.api.ListRuns(ctx, ListRunsQuery(q))
	case "task":
		out, err = c.api.ListTasks(ctx, ListTasksQuery(q))
	case "incident":
		out, err = c.api.ListIncidents(ctx, ListIncidentsQuery(q))
	case "event":
		out, err = c.api.ListEvents(ctx, ListEventsQuery{
			ID: q.ID, Prefix: q.Prefix, Project: q.Project, Status: q.Status, Name: q.Name, Parent: q.Parent, Tag: q.Tag, Source: f.Source,
			Since: q.Since, Until: q.Until, DueBy: q.DueBy, Limit: q.Limit, Cursor: q.Cursor, Oldest: q.Oldest,
		})
	case "message":
		out, err = c.api.ListMessages(ctx, ListMessagesQuery(q))
	default:
		out, err = c.api.ListRows(ctx, f.Kind, q)
	}
	if err != nil {
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
	b, err := c.api.RunProgram(ctx, run)
	if err != nil {
		return nil, err
	}
	return wire.DecodeProgram(b)
}

// Blob implements engine.Service.
func (c *Client) Blob(ctx context.Context, run string, ref entry.Ref) ([]byte, error) {
	salt, _ := ref.Salt.MarshalText()
	return c.api.RunBlob(ctx, run, ref.ID, RunBlobQuery{Salt: string(salt), Size: ref.Size, Sum: ref.Sum.String()})
}

// Status implements engine.Service.
func (c *Client) Status(ctx context.Context) (engine.Status, error) { return c.api.Status(ctx) }

// Unhalt implements engine.Service.
func (c *Client) Unhalt(ctx context.Context, _ entry.Who, why string) ([]string, error) {
	out, err := c.api.Unhalt(ctx, wire.Unhalt{Why: why})
	return out.Doubts, err
}

// Backup asks the owner to write a copy to path, an absolute path that does not exist yet.
func (c *Client) Backup(ctx context.Context, path string) (wire.BackedUp, error) {
	return c.api.Backup(ctx, wire.Backup{Path: path})
}

// Verify asks the owner to read everything.
func (c *Client) Verify(ctx context.Context) (wire.Verified, error) { return c.api.Verify(ctx) }

// MissingSecrets tells which of the named secrets the owner cannot find.
func (c *Client) MissingSecrets(ctx context.Context, names []string) ([]wire.Problem, error) {
	out, err := c.api.CheckSecrets(ctx, wire.Secrets{Names: append([]string{}, names...)})
	return out.Missing, err
}
