// Package intake is where events come in: posted by services (Door), pulled from an Alertmanager (Puller), and made by time
// itself (Clock: schedules, and silence where something was expected).
//
// What it guarantees: nobody is believed whose message is not signed as configured; a 2xx answer means that every event of the
// message is durable and decided; what cannot be decided now is refused with 503, so that the sender keeps it. A part of a
// message that cannot be read does not cost the rest, and is named in the answer.
package intake

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/tendhq/tend/internal/dispatch"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/signature"
	"github.com/tendhq/tend/internal/source"
	"github.com/tendhq/tend/internal/trace"
	"github.com/tendhq/tend/internal/wire"
)

// Acceptor decides about events: *dispatch.Dispatch is one.
type Acceptor interface {
	Accept(ctx context.Context, events []event.Event) ([]dispatch.Receipt, error)
}

// Source is a configured way in.
type Source struct {
	Name    string
	Project string
	Scheme  signature.Scheme
	Keys    []string // names of secrets; several are live while one is being replaced
	Decoder source.Decoder
}

// Door takes what services post to /hooks/{source}.
type Door struct {
	Sources  []Source
	Secrets  secret.Provider
	Accept   Acceptor
	Heard    func(events []event.Event) // is told what came in and was taken; nil: nobody is
	Log      *slog.Logger
	Now      func() time.Time // default: time.Now
	failures throttle
	turned   turned
}

// Refused tells of the last message to a source that was turned away, when none was taken after it.
func (d *Door) Refused(source string) (Trouble, bool) {
	d.turned.mu.Lock()
	defer d.turned.mu.Unlock()
	x, ok := d.turned.away[source]
	return x, ok
}

// turned remembers, by configured source, what was turned away last. Whoever knocks decides when, so it is a hint, never more.
type turned struct {
	mu   sync.Mutex
	away map[string]Trouble
}

func (t *turned) note(source string, now time.Time, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case err == nil:
		delete(t.away, source)
	case t.away == nil:
		t.away = map[string]Trouble{source: {now, err}}
	default:
		t.away[source] = Trouble{now, err}
	}
}

// Answer is what a sender learns of its message.
type Answer struct {
	Events   []dispatch.Receipt `json:"events"`
	Problems []wire.Problem     `json:"problems,omitempty"` // parts that could not be read
}

// ServeHTTP implements http.Handler.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer, err := d.take(r)
	w.Header().Set("Cache-Control", "no-store")
	if err != nil {
		p := wire.NewProblem(err)
		if p.Status == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", "10")
		}
		send(w, wire.ProblemType, p.Status, p)
		return
	}
	send(w, "application/json", http.StatusOK, answer)
}

func send(w http.ResponseWriter, media string, status int, v any) {
	w.Header().Set("Content-Type", media)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the sender is gone: there is nobody to tell
}

func (d *Door) take(r *http.Request) (*Answer, error) {
	now := time.Now
	if d.Now != nil {
		now = d.Now
	}
	body, err := io.ReadAll(r.Body)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, fault.New(fault.Limit, "the message is larger than %d bytes", large.Limit).WithNext("send smaller batches")
	case err != nil:
		return nil, fault.Wrap(fault.Invalid, err, "read the message")
	}
	// Names of sources are no secrets: whoever sets one up learns what is missing.
	i := slices.IndexFunc(d.Sources, func(s Source) bool { return s.Name == r.PathValue("source") })
	if i < 0 {
		return nil, d.refused(now(), r.PathValue("source"), fault.New(fault.Refused, "no source is configured by this name"))
	}
	s := d.Sources[i]
	answer, err := d.from(r, s, body, now())
	if err == nil || !fault.Is(err, fault.Unavailable) { // what is wrong with us says nothing about them
		d.turned.note(s.Name, now(), err)
	}
	return answer, err
}

// from takes a message that is said to come from a source.
func (d *Door) from(r *http.Request, s Source, body []byte, now time.Time) (*Answer, error) {
	keys := make([]secret.Value, 0, len(s.Keys))
	for _, name := range s.Keys {
		f, err := d.Secrets.Find(r.Context(), name)
		if err != nil {
			return nil, fault.New(fault.Unavailable, "the key of the source %s cannot be found: %v", s.Name, err)
		}
		keys = append(keys, f.Value)
	}
	if _, err := signature.Verify(s.Scheme, r.Header.Get, body, keys, now); err != nil {
		return nil, d.refused(now, s.Name, err)
	}
	events, partly := s.Decoder.Decode(source.Request{Source: s.Name, Project: s.Project, Header: r.Header.Get, Body: body, Now: now.UTC()})
	if len(events) == 0 && partly != nil {
		return nil, partly
	}
	out := &Answer{Events: []dispatch.Receipt{}}
	if len(events) > 0 {
		joinTrace(events, r.Header.Get("Traceparent"))
		var err error
		if out.Events, err = d.Accept.Accept(r.Context(), events); err != nil {
			return nil, err
		}
		if d.Heard != nil {
			d.Heard(events)
		}
	}
	if partly != nil {
		p := wire.NewProblem(partly)
		out.Problems = p.Errors
		if len(out.Problems) == 0 {
			out.Problems = []wire.Problem{p}
		}
		d.Log.Warn("parts of a message could not be read", "source", s.Name, "taken", len(events), "problem", partly)
	}
	return out, nil
}

// joinTrace puts events into the trace that their message names. One that names a trace of its own stays there.
func joinTrace(events []event.Event, header string) {
	at, ok := trace.Parse(header)
	if !ok {
		return
	}
	for i := range events {
		if events[i].Trace == "" {
			events[i].Trace = at.String()
		}
	}
}

// refused logs a refusal, at most one of a source each minute: a door that is knocked at must not fill the disk.
func (d *Door) refused(now time.Time, name string, err error) error {
	if d.failures.may(name, now) {
		d.Log.Warn("a message was refused", "source", source.Clip(name, 60), "why", err)
	}
	return fault.New(fault.Refused, "%s", err).WithNext("%s", fault.NextOf(err))
}

type throttle struct {
	mu   sync.Mutex
	last map[string]time.Time
}

func (t *throttle) may(name string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last == nil || len(t.last) > 1000 {
		t.last = map[string]time.Time{}
	}
	if now.Sub(t.last[name]) < time.Minute {
		return false
	}
	t.last[name] = now
	return true
}
