package intake

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/schedule"
	"github.com/tendhq/tend/internal/source"
	"github.com/tendhq/tend/internal/spelling"
	"github.com/tendhq/tend/internal/store"
)

// Schedule makes an event at times.
type Schedule struct {
	Name    string
	Project string
	When    schedule.Schedule
	Missed  schedule.Missed
}

// Watch makes an event when something that is expected did not come for so long, and another one when it comes again.
type Watch struct {
	Name    string
	Project string
	For     time.Duration
	// What is expected: events of these sources and kinds, with these labels (globs). Empty: any.
	Source string
	Kind   string
	Labels map[string]string
	// Monitors says that it is the heartbeat of monitoring: while it is silent nobody can see, and guards stand down.
	Monitors bool
}

// Clock makes events of time. What it made is durable: a restart neither repeats nor forgets a tick.
type Clock struct {
	Schedules []Schedule
	Watches   []Watch
	Accept    Acceptor
	Ledger    *ledger.Ledger
	Blind     func(project, what string, since time.Time) // of watches that monitor
	Log       *slog.Logger

	mu   sync.Mutex
	seen map[string]time.Time // by watch: when it was heard of
}

// rowSchedule holds when something came last.
const rowSchedule = "schedule"

type last struct {
	At     time.Time `json:"at"`
	Silent bool      `json:"silent,omitempty"`
}

// Heard tells the clock what came in.
func (c *Clock) Heard(events []event.Event) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range c.Watches {
		for i := range events {
			if w.about(&events[i]) {
				if c.seen == nil {
					c.seen = map[string]time.Time{}
				}
				c.seen[w.Name] = now
				break
			}
		}
	}
}

func (w *Watch) about(e *event.Event) bool {
	if e.Source == w.Name || e.Project != w.Project || w.Source != "" && !spelling.Glob(w.Source, e.Source) || w.Kind != "" && !spelling.Glob(w.Kind, e.Kind) || e.Status == event.Resolved {
		return false
	}
	for k, p := range w.Labels {
		if !spelling.Glob(p, e.Labels[k]) {
			return false
		}
	}
	return true
}

// Run makes events until ctx ends.
func (c *Clock) Run(ctx context.Context) error {
	began := time.Now().UTC()
	state := map[string]last{}
	if err := c.Ledger.Each(ctx, store.Filter{Kind: rowSchedule}, func(r store.Row) error {
		var l last
		err := json.Unmarshal(r.Body, &l)
		state[r.ID] = l
		return fault.Wrap(fault.Damaged, err, "read the schedule %s", r.ID)
	}); err != nil {
		return err
	}
	for _, s := range c.Schedules {
		if _, ok := state[s.Name]; !ok {
			state[s.Name] = last{At: began}
		}
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		now := time.Now().UTC()
		for _, s := range c.Schedules {
			state[s.Name] = c.schedule(ctx, s, state[s.Name], now)
		}
		for _, w := range c.Watches {
			state[w.Name] = c.watch(ctx, w, state[w.Name], began, now)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// schedule makes the events that are due, then writes down how far it is. What cannot be taken now is tried again.
func (c *Clock) schedule(ctx context.Context, s Schedule, l last, now time.Time) last {
	due, left := s.When.Due(l.At, now, s.Missed)
	if len(due) == 0 && left == 0 {
		return l
	}
	events := make([]event.Event, len(due))
	for i, at := range due {
		text := at.Format(time.RFC3339)
		events[i] = source.Request{Source: s.Name, Project: s.Project, Now: now}.Event(event.Event{
			Kind: "tick", Key: text, Group: s.Name, Name: s.Name, At: at, Data: map[string]any{"scheduled": text, "schedule": s.When.String(), "missed": int64(left)},
		})
	}
	why := ""
	if left > 0 {
		why = fmt.Sprintf("%d ticks passed while nobody looked", left)
	}
	at := now
	if len(due) > 0 {
		if _, err := c.Accept.Accept(ctx, events); err != nil {
			c.Log.Error("a schedule could not tick; it is tried again", "schedule", s.Name, "error", err)
			return l
		}
		at = due[len(due)-1]
	}
	fact := &entry.ScheduleTicked{At: at, Name: s.Name, Missed: int64(left), Why: why}
	if len(events) > 0 {
		fact.Event = events[len(events)-1].ID
	}
	next := last{At: now}
	if err := c.write(ctx, s.Name, s.Project, next, fact); err != nil {
		c.Log.Error("a tick could not be written down; the same event is a duplicate", "schedule", s.Name, "error", err)
		return l
	}
	return next
}

// watch tells when something is silent, and when it is heard of again.
func (c *Clock) watch(ctx context.Context, w Watch, l last, began, now time.Time) last {
	c.mu.Lock()
	seen := c.seen[w.Name]
	c.mu.Unlock()
	heard := seen
	if heard.IsZero() {
		heard = began // nothing is missed before somebody listens
	}
	at, broken := (schedule.Silence{For: w.For}).Broken(heard, now)
	e := event.Event{Kind: "absence", Group: w.Name, Name: w.Name, Labels: map[string]string{"watch": w.Name}, Data: map[string]any{"for": w.For.String()}}
	switch {
	case broken && !l.Silent:
		e.Status, e.At, e.Key = event.Firing, at, at.UTC().Format(time.RFC3339Nano)+"/firing"
		e.Data["since"] = heard.UTC().Format(time.RFC3339)
		l = last{At: at.UTC(), Silent: true}
	case l.Silent && seen.After(l.At):
		e.Status, e.At, e.Until, e.Key = event.Resolved, l.At, seen, l.At.Format(time.RFC3339Nano)+"/resolved"
		l = last{At: seen.UTC()}
	default:
		if w.Monitors && c.Blind != nil && l.Silent {
			c.Blind("", w.Name, l.At)
		}
		return l
	}
	if w.Monitors && c.Blind != nil {
		if l.Silent {
			c.Blind("", w.Name, l.At)
		} else {
			c.Blind("", w.Name, time.Time{})
		}
	}
	ev := source.Request{Source: w.Name, Project: w.Project, Now: now}.Event(e)
	if _, err := c.Accept.Accept(ctx, []event.Event{ev}); err != nil {
		c.Log.Error("a silence could not be told; it is tried again", "watch", w.Name, "error", err)
		l.Silent = !l.Silent
		return l
	}
	if err := c.write(ctx, w.Name, w.Project, l, &entry.ScheduleTicked{At: l.At, Event: ev.ID, Name: w.Name, Why: string(ev.Status)}); err != nil {
		c.Log.Error("a silence could not be written down", "watch", w.Name, "error", err)
	}
	return l
}

func (c *Clock) write(ctx context.Context, name, project string, l last, fact entry.Payload) error {
	body, err := json.Marshal(l)
	if err != nil {
		return err
	}
	return c.Ledger.Append(ctx, ledger.Batch{
		Facts: []ledger.Fact{{Stream: "schedule/" + name, Payload: fact}},
		Rows:  []store.Row{{Key: store.Key{Kind: rowSchedule, ID: name}, Project: project, Name: name, Status: "live", At: l.At, Body: body}},
	})
}
