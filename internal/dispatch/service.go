package dispatch

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"slices"
	"time"

	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/id"
	"github.com/tendhq/tend/internal/incident"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/spelling"
	"github.com/tendhq/tend/internal/store"
)

// Event reads an event with the decision that counts.
func (d *Dispatch) Event(ctx context.Context, eventID string) (*event.Event, *Row, error) {
	row, r, err := d.row(ctx, eventID)
	if err != nil {
		return nil, nil, err
	}
	if row == nil {
		return nil, nil, fault.New(fault.NotFound, "there is no event %s", eventID).WithNext("tend events list")
	}
	e, err := d.read(ctx, eventID, row)
	if err != nil {
		return nil, row, err
	}
	e.Project = r.Project
	return e, row, nil
}

// Unmatched names the events that no trigger matched, are called so (a glob) and came since a time, the oldest first.
func Unmatched(ctx context.Context, s store.Rower, name string, since time.Time) ([]string, error) {
	var out []string
	for r, err := range store.All(ctx, s, store.Filter{Kind: "event", Status: []string{string(event.Unmatched)}}) {
		if err != nil {
			return nil, err
		}
		if r.At.Before(since) { // the newest come first
			break
		}
		if spelling.Glob(name, r.Name) {
			out = append(out, r.ID)
		}
	}
	slices.Reverse(out)
	return out, nil
}

// Replay decides about an event again, by the triggers of now. anyway: also when it is too old for them.
func (d *Dispatch) Replay(ctx context.Context, eventID string, by entry.Who, anyway bool) (Receipt, error) {
	e, row, err := d.Event(ctx, eventID)
	if err != nil {
		return Receipt{}, err
	}
	_, stored, err := d.row(ctx, eventID)
	if err != nil {
		return Receipt{}, err
	}
	it := Item{Event: *e, Known: row, Looked: true, Received: stored.At}
	if err := d.length(ctx, &it, false); err != nil {
		return Receipt{}, err
	}
	it.Match, it.Notes = d.rules.Load().Match(e)
	v, err := d.ask(ctx, func(n uint64) Input { return Replayed{n, it, by, anyway} })
	r, _ := v.(Receipt)
	return r, err
}

// OpenIncident opens one for somebody; an open one with the same key in the same project is given in its place. An id is
// made unless x has one.
func (d *Dispatch) OpenIncident(ctx context.Context, x incident.Start) (*incident.State, error) {
	if x.ID != "" { // named by who asks: a repeat gives the one that is there
		s, _, err := ReadIncident(ctx, d.cfg.Ledger, x.ID)
		if err != nil || s.Length > 0 {
			return s, err
		}
	} else {
		var err error
		if x.ID, err = id.New("inc", time.Now(), rand.Reader); err != nil {
			return nil, err
		}
	}
	return d.state(d.ask(ctx, func(n uint64) Input { return OpenNew{n, x} }))
}

func (d *Dispatch) state(v any, err error) (*incident.State, error) {
	s, _ := v.(*incident.State)
	return s, err
}

// ChangeIncident applies a transition of package incident. What says for the audit what was done; version, where it is
// set, is how many facts the incident had when somebody looked.
func (d *Dispatch) ChangeIncident(ctx context.Context, name string, version *uint64, by entry.Who, what, why string,
	apply func(*incident.State, time.Time) ([]entry.Payload, error),
) (*incident.State, error) {
	s, _, err := ReadIncident(ctx, d.cfg.Ledger, name)
	if err != nil {
		return nil, err
	}
	return d.state(d.ask(ctx, func(n uint64) Input {
		return Change{Req: n, ID: name, State: s, Version: version, By: by, What: what, Why: why, Apply: apply}
	}))
}

// MergeIncidents lets into tell the story of from.
func (d *Dispatch) MergeIncidents(ctx context.Context, from, into string, by entry.Who, why string) (*incident.State, error) {
	states := map[string]*incident.State{}
	for _, name := range []string{from, into} {
		s, _, err := ReadIncident(ctx, d.cfg.Ledger, name)
		if err != nil {
			return nil, err
		}
		states[name] = s
	}
	return d.state(d.ask(ctx, func(n uint64) Input { return Merge{n, from, into, states, by, why} }))
}

// SplitIncident makes an incident of its own of some alerts. keys are incident.MemberKeys.
func (d *Dispatch) SplitIncident(ctx context.Context, name string, x incident.Start, keys []string, why string) (*incident.State, error) {
	s, _, err := ReadIncident(ctx, d.cfg.Ledger, name)
	if err != nil {
		return nil, err
	}
	if x.ID == "" {
		if x.ID, err = id.New("inc", time.Now(), rand.Reader); err != nil {
			return nil, err
		}
	}
	return d.state(d.ask(ctx, func(n uint64) Input { return Split{n, name, s, x, keys, why} }))
}

// IncidentOf names the incident that a run is for, "" when it is for none, and the run's project.
func (d *Dispatch) IncidentOf(ctx context.Context, run string) (name, project string, err error) {
	for range program.MaxCalls + 1 {
		p, err := d.cfg.Ledger.Rows(ctx, store.Filter{Kind: "run", ID: run, Limit: 1})
		if err != nil || len(p.Rows) == 0 {
			return "", "", err
		}
		var b engine.RunRow
		if err := json.Unmarshal(p.Rows[0].Body, &b); err != nil {
			return "", "", fault.Wrap(fault.Damaged, err, "read the row of run %s", run)
		}
		if b.Cause.Incident != "" || b.Cause.Parent == "" {
			return b.Cause.Incident, p.Rows[0].Project, nil
		}
		run = b.Cause.Parent
	}
	return "", "", nil
}
