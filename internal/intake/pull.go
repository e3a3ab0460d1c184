package intake

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/source"
	"github.com/tendhq/tend/internal/store"
)

// Puller asks an Alertmanager's API v2 which alerts fire: read-only and outbound, for a laptop or a closed network. What
// fired is durable: what ends while nobody asks is told by the next start.
type Puller struct {
	Name    string
	Project string
	URL     string // of the Alertmanager: http://alertmanager:9093
	Every   time.Duration
	Token   func(ctx context.Context) (secret.Value, error) // a bearer token; nil: none
	Client  *http.Client
	Listed  func(r source.Request) (firing []event.Event, quiet []string, err error) // reads the answer
	Gone    func(r source.Request, began event.Event, since time.Time) event.Event   // ends what is listed no more
	Accept  Acceptor
	Ledger  *ledger.Ledger
	Heard   func(events []event.Event)
	Blind   func(project, what string, since time.Time) // is told while it cannot be asked; nil: nobody is
	Log     *slog.Logger

	firing map[string]*pulled // by group

	mu       sync.Mutex
	answered time.Time
	trouble  Trouble
}

// Trouble is what is wrong with a way in, and since when. The zero value is none.
type Trouble struct {
	Since time.Time
	Err   error
}

// Last tells when the Alertmanager answered last (zero: not since the start), and why it does not now.
func (p *Puller) Last() (time.Time, Trouble) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.answered, p.trouble
}

func (p *Puller) ended(now time.Time, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err == nil:
		p.answered, p.trouble = now, Trouble{}
	case p.trouble.Err == nil:
		p.trouble = Trouble{now, err}
	default:
		p.trouble.Err = err
	}
}

// pulled is an alert that fires, as the last answer had it. It is the body of a row.
type pulled struct {
	Event  event.Event `json:"event"`
	Kept   time.Time   `json:"kept"` // when the row was written
	missed int         // how often it was not listed
	since  time.Time   // when it was not listed first
}

const (
	// gone is how often in a row an alert must not be listed before it is over: one answer can come from a peer that does not
	// know it yet.
	gone = 2
	// maxList bounds an answer.
	maxList = 64 << 20
	// keepEvery is how often the row of an alert is written anew: until when it counts moves on with each answer.
	keepEvery = time.Minute
	rowPulled = "pulled"
)

// Run asks until ctx ends.
func (p *Puller) Run(ctx context.Context) error {
	if err := p.recall(ctx); err != nil {
		return err
	}
	tick := time.NewTicker(p.Every)
	defer tick.Stop()
	var failing time.Time
	for {
		now := time.Now().UTC()
		err := p.once(ctx)
		if ctx.Err() == nil {
			p.ended(now, err)
		}
		switch {
		case ctx.Err() != nil:
		case err != nil && failing.IsZero():
			failing = now
			p.Log.Error("an Alertmanager cannot be asked; what fired before is not taken to be over", "source", p.Name, "error", err)
		case err == nil && !failing.IsZero():
			failing = time.Time{}
			p.Log.Info("an Alertmanager answers again", "source", p.Name)
		}
		if p.Blind != nil && ctx.Err() == nil && (failing.IsZero() || failing.Before(now)) { // one failure says little
			p.Blind(p.Project, "the Alertmanager of source "+p.Name, failing)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// recall reads what fired when somebody asked last.
func (p *Puller) recall(ctx context.Context) error {
	p.firing = map[string]*pulled{}
	return p.Ledger.Each(ctx, store.Filter{Kind: rowPulled, Parent: p.Name}, func(r store.Row) error {
		x := new(pulled)
		if err := json.Unmarshal(r.Body, x); err != nil {
			return fault.Wrap(fault.Damaged, err, "read what fired of source %s", p.Name)
		}
		p.firing[x.Event.Group] = x
		return nil
	})
}

func (p *Puller) once(ctx context.Context) error {
	body, err := p.get(ctx)
	if err != nil {
		return err
	}
	r := source.Request{Source: p.Name, Project: p.Project, Header: func(string) string { return "" }, Body: body, Now: time.Now().UTC()}
	events, quiet, partly := p.Listed(r)
	if partly != nil && len(events)+len(quiet) == 0 {
		return partly
	}
	listed := map[string]bool{}
	for _, e := range events {
		listed[e.Group] = true
	}
	for _, group := range quiet { // silenced or inhibited: not over
		listed[group] = true
	}
	now := append([]event.Event{}, events...)
	var b ledger.Batch
	var over []string
	for _, group := range slices.Sorted(maps.Keys(p.firing)) {
		x := p.firing[group]
		if listed[group] {
			x.missed = 0
			continue
		}
		if x.missed++; x.missed == 1 {
			x.since = r.Now
		}
		if x.missed >= gone && partly == nil {
			now = append(now, p.Gone(r, x.Event, x.since))
			over = append(over, group)
			b.Delete = append(b.Delete, p.key(group))
		}
	}
	if len(now) == 0 {
		return nil
	}
	if _, err := p.Accept.Accept(ctx, now); err != nil {
		return err
	}
	for i := range events {
		if err := p.keep(&b, &events[i], r.Now); err != nil {
			return err
		}
	}
	for _, group := range over {
		delete(p.firing, group)
	}
	if p.Heard != nil {
		p.Heard(events)
	}
	if len(b.Rows)+len(b.Delete) == 0 {
		return nil
	}
	return p.Ledger.Append(ctx, b)
}

// keep remembers an alert that fires, durably from time to time.
func (p *Puller) keep(b *ledger.Batch, e *event.Event, now time.Time) error {
	x := p.firing[e.Group]
	if x == nil {
		x = new(pulled)
		p.firing[e.Group] = x
	}
	begun := x.Event.Key == e.Key
	x.Event = *e
	if begun && now.Sub(x.Kept) < keepEvery {
		return nil
	}
	x.Kept = now
	body, err := json.Marshal(x)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "keep what fires of source %s", p.Name)
	}
	b.Rows = append(b.Rows, store.Row{Key: p.key(e.Group), Project: p.Project, Name: e.Name, Parent: p.Name, Status: "live", At: e.At, Body: body})
	return nil
}

func (p *Puller) key(group string) store.Key {
	return store.Key{Kind: rowPulled, ID: p.Name + "/" + group}
}

func (p *Puller) get(ctx context.Context) ([]byte, error) {
	u, err := url.Parse(p.URL)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "address the Alertmanager")
	}
	u = u.JoinPath("api", "v2", "alerts")
	u.RawQuery = url.Values{"active": {"true"}, "silenced": {"true"}, "inhibited": {"true"}}.Encode()
	res, err := get(ctx, p.Client, p.Token, u, "the Alertmanager")
	if err != nil {
		return nil, err
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

// get asks a monitoring server, with a token where there is one. who names it in messages.
func get(ctx context.Context, c *http.Client, token func(context.Context) (secret.Value, error), u *url.URL, who string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "address %s", who)
	}
	if token != nil {
		t, err := token(ctx)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Authorization", "Bearer "+t.Reveal())
	}
	res, err := c.Do(req)
	if err != nil {
		return nil, fault.Wrap(fault.Unreachable, err, "ask %s", who)
	}
	return res, nil
}
