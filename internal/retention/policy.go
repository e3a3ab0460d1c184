package retention

import (
	"context"
	"encoding/json"
	"time"

	"github.com/tendhq/tend/internal/courier"
	"github.com/tendhq/tend/internal/dispatch"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/incident"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/task"
)

// Policy says how long things are kept after they are over; zero is for ever.
type Policy struct {
	Runs     time.Duration // after their end, with their tasks, logs and outputs
	Events   time.Duration // after they came
	Messages time.Duration // after they were queued
}

// Any tells whether anything is forgotten at all.
func (p Policy) Any() bool { return p.Runs > 0 || p.Events > 0 || p.Messages > 0 }

// needs are names of what is not over, and of what that leads back to.
type needs struct {
	incidents map[string]bool // that are open, and those that were merged into one
	runs      map[string]bool
	events    map[string]bool
}

// look remembers for a moment what is needed: reading it takes as long as there are runs and incidents that are not over.
type look struct {
	k  *Keeper
	n  *needs
	at time.Time
}

// moment is how long: what somebody begins to need meanwhile is older than the policy, and can go.
const moment = 10 * time.Second

func (l *look) needs(ctx context.Context) (*needs, error) {
	if l.n != nil && time.Since(l.at) < moment {
		return l.n, nil
	}
	l.at = time.Now()
	var err error
	l.n, err = l.k.needs(ctx)
	return l.n, err
}

// needs reads what is not over.
func (k *Keeper) needs(ctx context.Context) (*needs, error) {
	n := &needs{incidents: map[string]bool{}, runs: map[string]bool{}, events: map[string]bool{}}
	into := map[string]string{}
	open := []string{string(incident.Open), string(incident.Acknowledged), string(incident.Mitigated), string(incident.Merged)}
	err := k.Ledger.Each(ctx, store.Filter{Kind: "incident", Status: open}, func(r store.Row) error {
		if incident.Status(r.Status) != incident.Merged {
			n.incidents[r.ID] = true
			return nil
		}
		var d struct{ Into string }
		if json.Unmarshal(r.Body, &d) == nil {
			into[r.ID] = d.Into
		} else {
			n.incidents[r.ID] = true // what it was merged into is not known
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for from := range into {
		at := from
		for range 100 {
			if next, ok := into[at]; ok {
				at = next
			}
		}
		n.incidents[from] = n.incidents[at]
	}
	var live []string
	for _, s := range run.Statuses() {
		if !over(s) {
			live = append(live, string(s))
		}
	}
	if err := k.Ledger.Each(ctx, store.Filter{Kind: "run", Status: live}, func(r store.Row) error { return n.lead(ctx, k, &r) }); err != nil {
		return nil, err
	}
	// A review of a broken glass outlives its run, and whoever does it looks at that.
	err = k.Ledger.Each(ctx, store.Filter{Kind: "task", Status: []string{task.Open}}, func(t store.Row) error {
		if n.runs[t.Parent] {
			return nil
		}
		p, err := k.Ledger.Rows(ctx, store.Filter{Kind: "run", ID: t.Parent, Limit: 1})
		if err != nil || len(p.Rows) == 0 {
			return err
		}
		return n.lead(ctx, k, &p.Rows[0])
	})
	return n, err
}

// lead notes a run and those that it carries on, undoes, or is called by.
func (n *needs) lead(ctx context.Context, k *Keeper, r *store.Row) error {
	n.runs[r.ID] = true
	var body engine.RunRow
	if err := json.Unmarshal(r.Body, &body); err != nil {
		return nil //nolint:nilerr // its own name is all that is known of it
	}
	c := body.Cause
	n.events[c.Event] = true
	n.incidents[c.Incident] = true
	for _, id := range []string{c.Carry, c.Undoes, c.Parent, c.Root, r.Parent} {
		if id == "" || n.runs[id] {
			continue
		}
		n.runs[id] = true
		p, err := k.Ledger.Rows(ctx, store.Filter{Kind: "run", ID: id, Limit: 1})
		if err != nil {
			return err
		}
		for i := range p.Rows {
			if err := n.lead(ctx, k, &p.Rows[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// mayGo tells whether what a row stands for is over, since before a time, and needed by nothing. What cannot be read stays.
func (n *needs) mayGo(r *store.Row, before time.Time) bool {
	if !r.At.Before(before) {
		return false
	}
	switch r.Kind {
	case "run":
		var x engine.RunRow
		return json.Unmarshal(r.Body, &x) == nil && over(run.Status(r.Status)) && x.Ended.Before(before) && !n.runs[r.ID] && !n.held(x.Cause.Incident)
	case "event":
		var x dispatch.Row
		waits := r.Status == string(event.Held) || r.Status == string(event.Queued)
		return json.Unmarshal(r.Body, &x) == nil && !waits && !n.events[r.ID] && !n.runs[x.Decision.Run] && !n.held(x.Decision.Incident)
	case "message":
		var x courier.Row
		return json.Unmarshal(r.Body, &x) == nil && r.Status != courier.Queued && !n.runs[x.Queued.Run] && !n.held(x.Queued.Incident)
	}
	return false
}

// over tells whether a run has ended and nobody has to look at it: a quarantined one stays until somebody found out why.
func over(s run.Status) bool { return s.Ended() && s != run.Quarantined }

func (n *needs) held(id string) bool { return id != "" && n.incidents[id] }

// mayAllGo tells it of a run with all that it called.
func (n *needs) mayAllGo(family []store.Row, before time.Time) bool {
	for i := range family {
		if !n.mayGo(&family[i], before) {
			return false
		}
	}
	return true
}

// streamOf names the stream that an event or a message is in.
func streamOf(r *store.Row) string {
	if r.Kind == "message" {
		return "message/" + r.Name
	}
	var x dispatch.Row
	_ = json.Unmarshal(r.Body, &x) // it was read before
	return "event/" + x.Source
}

// about names the row of the event or message that an entry is about.
func about(p entry.Payload) (store.Key, bool) {
	switch p := p.(type) {
	case *entry.EventReceived:
		return store.Key{Kind: "event", ID: p.ID}, true
	case *entry.EventDecided:
		return store.Key{Kind: "event", ID: p.Event}, p.Event != ""
	case *entry.MessageQueued:
		return store.Key{Kind: "message", ID: p.ID}, true
	case *entry.MessageSent:
		return store.Key{Kind: "message", ID: p.ID}, true
	case *entry.MessageFailed:
		return store.Key{Kind: "message", ID: p.ID}, true
	case *entry.MessageDropped:
		return store.Key{Kind: "message", ID: p.ID}, true
	}
	return store.Key{}, false
}
