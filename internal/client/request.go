package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/wire"
)

//go:generate go run ./gen

// API calls the operations of the contract (docs/openapi.json): a method for each, generated. It is safe for concurrent use.
type API struct {
	http  *http.Client
	base  string // scheme and host
	token string // "": the connection says who asks
	via   string
	trace string // W3C traceparent of what asks, or ""
	who   string // the other side, for messages
	next  string // what to do when it does not answer
}

// request is one call.
type request struct {
	method string
	path   string // escaped
	query  url.Values
	header http.Header
	body   any           // nil: none
	within time.Duration // 0: soon
}

// soon is how long an answer may take where the contract says nothing else.
const soon = time.Minute

// with sets the parameters that are not zero.
func (r request) with(parameters func(set func(in, name string, v any))) request {
	r.query, r.header = url.Values{}, http.Header{}
	parameters(func(in, name string, v any) {
		text := ""
		switch x := v.(type) {
		case string:
			text = x
		case []string:
			text = strings.Join(x, ",")
		case int:
			text = number(int64(x))
		case int64:
			text = number(x)
		case float64:
			if x != 0 {
				text = strconv.FormatFloat(x, 'g', -1, 64)
			}
		case bool:
			if x {
				text = "true"
			}
		case time.Time:
			if !x.IsZero() {
				text = x.UTC().Format(time.RFC3339Nano)
			}
		}
		switch {
		case text == "":
		case in == "header":
			r.header.Set(name, text)
		default:
			r.query.Set(name, text)
		}
	})
	return r
}

func number(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// segment writes a part of a path, and segments several.
func segment(s string) string { return url.PathEscape(s) }

func segments(s string) string {
	parts := strings.Split(s, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}

// call sends a request and reads the answer into out, if any.
func (a *API) call(ctx context.Context, r request, out any) error {
	ctx, cancel := a.bound(ctx, r)
	defer cancel()
	resp, err := a.do(ctx, r)
	if err != nil {
		return err
	}
	defer drain(resp.Body)
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return a.lost(ctx, err)
	}
	return nil
}

// read sends a request and gives the answer as it is.
func (a *API) read(ctx context.Context, r request) ([]byte, error) {
	ctx, cancel := a.bound(ctx, r)
	defer cancel()
	resp, err := a.do(ctx, r)
	if err != nil {
		return nil, err
	}
	defer drain(resp.Body)
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, a.lost(ctx, err)
	}
	return b, nil
}

// stream sends a request and gives the answer while it comes. The caller closes it.
func (a *API) stream(ctx context.Context, r request) (io.ReadCloser, error) {
	if r.header == nil {
		r.header = http.Header{}
	}
	r.header.Set("Accept", "text/event-stream, application/jsonl")
	resp, err := a.do(ctx, r)
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

func (a *API) bound(ctx context.Context, r request) (context.Context, context.CancelFunc) {
	d := soon
	if r.within > 0 {
		d = r.within
	}
	return context.WithTimeoutCause(ctx, d, fault.New(fault.Unavailable, "%s does not answer within %s", a.who, d).WithNext("%s", a.next))
}

// do sends a request and gives the answer when it is a good one.
func (a *API) do(ctx context.Context, r request) (*http.Response, error) {
	var body io.Reader
	if r.body != nil {
		b := new(bytes.Buffer)
		e := json.NewEncoder(b)
		e.SetEscapeHTML(false)
		if err := e.Encode(r.body); err != nil {
			return nil, fault.Wrap(fault.Internal, err, "encode the request")
		}
		body = b
	}
	address := a.base + r.path
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, address, body)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "build the address")
	}
	for k, v := range r.header {
		req.Header[k] = v
	}
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set(wire.Via, a.via)
	if r.method != http.MethodGet {
		// A connection that breaks while it was idle is tried again by the transport, which knows this header.
		req.Header.Set("Idempotency-Key", rand.Text())
	}
	if a.trace != "" {
		req.Header.Set("Traceparent", a.trace)
	}
	if a.token != "" {
		req.Header.Set("Authorization", "Bearer "+a.token)
	}
	resp, err := a.http.Do(req)
	if err != nil {
		return nil, a.lost(ctx, err)
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
		return nil, fault.New(fault.Unavailable, "%s answered %s", a.who, resp.Status).WithNext("see whether a tend server is there")
	}
	return nil, p.Err()
}

// lost tells why nothing was heard. The text of a URL error says nothing that a person can use here.
func (a *API) lost(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	e := &fault.Error{Kind: fault.Unavailable, Message: "ask " + a.who, Err: err}
	if a.next != "" {
		return e.WithNext("%s", a.next)
	}
	return e
}

func drain(b io.ReadCloser) {
	_, _ = io.Copy(io.Discard, io.LimitReader(b, 64<<10))
	_ = b.Close()
}

// refuseRedirects keeps a token from following a redirect.
func refuseRedirects(req *http.Request, _ []*http.Request) error {
	return fmt.Errorf("it sends elsewhere, to %s", req.URL.Host)
}
