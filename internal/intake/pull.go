package intake

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/source"
)

// Puller asks an Alertmanager's API v2 which alerts fire: read-only and outbound, for a laptop or a closed network.
type Puller struct {
	Name    string
	Project string
	URL     string // of the Alertmanager: http://alertmanager:9093
	Every   time.Duration
	Token   func(ctx context.Context) (secret.Value, error) // a bearer token; nil: none
	Client  *http.Client
	Listed  func(r source.Request) ([]event.Event, error)         // reads the answer
	Gone    func(r source.Request, began event.Event) event.Event // ends what is listed no more
	Accept  Acceptor
	Heard   func(events []event.Event)
	Log     *slog.Logger

	firing map[string]event.Event // by group
	missed map[string]int         // how often a firing one was not listed
}

// gone is how often in a row an alert must not be listed before it is over: one answer can come from a peer that does not
// know it yet.
const gone = 2

// maxList bounds an answer.
const maxList = 64 << 20

// Run asks until ctx ends.
func (p *Puller) Run(ctx context.Context) error {
	p.firing, p.missed = map[string]event.Event{}, map[string]int{}
	tick := time.NewTicker(p.Every)
	defer tick.Stop()
	failing := false
	for {
		err := p.once(ctx)
		switch {
		case err != nil && !failing && ctx.Err() == nil:
			p.Log.Error("an Alertmanager cannot be asked; what fired before is not taken to be over", "source", p.Name, "error", err)
		case err == nil && failing:
			p.Log.Info("an Alertmanager answers again", "source", p.Name)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

func (p *Puller) once(ctx context.Context) error {
	body, err := p.get(ctx)
	if err != nil {
		return err
	}
	r := source.Request{Source: p.Name, Project: p.Project, Header: func(string) string { return "" }, Body: body, Now: time.Now().UTC()}
	events, partly := p.Listed(r)
	if partly != nil && len(events) == 0 {
		return partly
	}
	listed := map[string]bool{}
	for _, e := range events {
		listed[e.Group] = true
	}
	now := append([]event.Event{}, events...)
	var over []string
	for group, e := range p.firing {
		if listed[group] {
			delete(p.missed, group)
			continue
		}
		if p.missed[group]++; p.missed[group] >= gone && partly == nil {
			now = append(now, p.Gone(r, e))
			over = append(over, group)
		}
	}
	if len(now) == 0 {
		return nil
	}
	if _, err := p.Accept.Accept(ctx, now); err != nil {
		return err
	}
	for _, e := range events {
		p.firing[e.Group] = e
	}
	for _, group := range over {
		delete(p.firing, group)
		delete(p.missed, group)
	}
	if p.Heard != nil {
		p.Heard(events)
	}
	return nil
}

func (p *Puller) get(ctx context.Context) ([]byte, error) {
	u, err := url.Parse(p.URL)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "address the Alertmanager")
	}
	u = u.JoinPath("api", "v2", "alerts")
	u.RawQuery = url.Values{"active": {"true"}, "silenced": {"false"}, "inhibited": {"false"}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "address the Alertmanager")
	}
	if p.Token != nil {
		t, err := p.Token(ctx)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Authorization", "Bearer "+t.Reveal())
	}
	res, err := p.Client.Do(req)
	if err != nil {
		return nil, fault.Wrap(fault.Unreachable, err, "ask the Alertmanager")
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fault.New(fault.Status, "the Alertmanager at %s answers %d", u.Host, res.StatusCode)
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, maxList+1))
	switch {
	case err != nil:
		return nil, fault.Wrap(fault.Unreachable, err, "read the answer of the Alertmanager")
	case len(b) > maxList:
		return nil, fault.New(fault.Limit, "the Alertmanager at %s lists more than %d bytes", u.Host, maxList)
	}
	return b, nil
}
