package dispatch

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/incident"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/trigger"
)

// Memory is what a machine must know of what was before it.
type Memory struct {
	Future    time.Time // see futureRow
	Pending   []*Ticket
	Active    []Active
	Waking    []*Ticket
	Incidents []*incident.State
	Lengths   map[string]uint64 // of the event streams that it appends to without being told
	Damaged   []error           // what cannot be read: named, and left alone
	Halted    string            // why the store may be older than what happened
}

// Active is a run that was decided on: Status "" means that there is none yet.
type Active struct {
	Ticket *Ticket
	Status string
	Why    string
	Over   bool
}

// Reader reads what is stored: a ledger, or a store.
type Reader interface {
	Rows(ctx context.Context, f store.Filter) (store.Page, error)
	Read(ctx context.Context, stream string, from uint64, limit int) ([]entry.Entry, error)
	Head(ctx context.Context, stream string) (store.Head, error)
}

// RunStatus tells of a run from its row.
type RunStatus func(r store.Row) (status, why string, over bool)

// Remember reads what a machine must know.
func Remember(ctx context.Context, s Reader, status RunStatus) (*Memory, error) {
	mem := &Memory{Lengths: map[string]uint64{}}
	tickets := func(kind string, do func(*Ticket) error) error {
		return each(ctx, s, store.Filter{Kind: kind, Oldest: true}, func(r store.Row) error {
			t := new(Ticket)
			if err := json.Unmarshal(r.Body, t); err != nil {
				mem.Damaged = append(mem.Damaged, fault.Wrap(fault.Damaged, err, "row %s %s", kind, r.ID))
				return nil
			}
			if _, ok := mem.Lengths[t.Row.Source]; !ok {
				h, err := s.Head(ctx, "event/"+t.Row.Source)
				if err != nil {
					return err
				}
				mem.Lengths[t.Row.Source] = h.Length
			}
			return do(t)
		})
	}
	if err := tickets("pending", func(t *Ticket) error { mem.Pending = append(mem.Pending, t); return nil }); err != nil {
		return nil, fmt.Errorf("read what waits: %w", err)
	}
	if err := tickets("waking", func(t *Ticket) error { mem.Waking = append(mem.Waking, t); return nil }); err != nil {
		return nil, fmt.Errorf("read what wakes runs: %w", err)
	}
	err := tickets("started", func(t *Ticket) error {
		a := Active{Ticket: t}
		p, err := s.Rows(ctx, store.Filter{Kind: "run", ID: t.Run, Limit: 1})
		if err != nil {
			return err
		}
		if len(p.Rows) > 0 {
			a.Status, a.Why, a.Over = status(p.Rows[0])
		}
		mem.Active = append(mem.Active, a)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what was started: %w", err)
	}
	h, err := s.Head(ctx, "event/"+trigger.Own)
	if err != nil {
		return nil, err
	}
	mem.Lengths[trigger.Own] = h.Length
	p, err := s.Rows(ctx, store.Filter{Kind: "dispatch", ID: "future", Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(p.Rows) > 0 {
		mem.Future = p.Rows[0].At
	}
	return mem, mem.readIncidents(ctx, s)
}

// readIncidents reads those that are open, and those that were resolved not long ago.
func (mem *Memory) readIncidents(ctx context.Context, s Reader) error {
	seen := map[string]bool{"": true}
	var read func(name string) error
	add := func(r store.Row) error { return read(r.ID) }
	read = func(name string) error {
		if seen[name] {
			return nil
		}
		seen[name] = true
		st, _, err := ReadIncident(ctx, s, name)
		if fault.Is(err, fault.Damaged) || fault.Is(err, fault.Newer) {
			mem.Damaged = append(mem.Damaged, err)
			return nil
		}
		if err != nil {
			return err
		}
		if st.Length > 0 {
			mem.Incidents = append(mem.Incidents, st)
		}
		return read(st.Into) // what was merged goes on there
	}
	for _, a := range mem.Active {
		if err := read(a.Ticket.Row.Decision.Incident); err != nil {
			return err
		}
	}
	for _, t := range mem.Pending {
		if err := read(t.Row.Decision.Incident); err != nil {
			return err
		}
	}
	live := []string{string(incident.Open), string(incident.Acknowledged), string(incident.Mitigated)}
	if err := each(ctx, s, store.Filter{Kind: "incident", Status: live, Oldest: true}, add); err != nil {
		return fmt.Errorf("read open incidents: %w", err)
	}
	// Those that were resolved have a Due as long as they may be reopened.
	far := time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
	if err := each(ctx, s, store.Filter{Kind: "incident", Status: []string{string(incident.Resolved)}, DueBy: far}, add); err != nil {
		return fmt.Errorf("read resolved incidents: %w", err)
	}
	return nil
}

func each(ctx context.Context, s Reader, f store.Filter, do func(store.Row) error) error {
	for r, err := range store.All(ctx, s, f) {
		if err != nil {
			return err
		}
		if err := do(r); err != nil {
			return err
		}
	}
	return nil
}

// ReadIncident reads an incident and its story. One that does not exist has no facts.
func ReadIncident(ctx context.Context, s Reader, name string) (*incident.State, []incident.Line, error) {
	st := new(incident.State)
	var lines []incident.Line
	for from := uint64(1); ; {
		page, err := s.Read(ctx, "incident/"+name, from, 1000)
		if err != nil {
			return nil, nil, err
		}
		if len(page) == 0 {
			return st, lines, nil
		}
		for i := range page {
			p, err := entry.Decode(page[i])
			if err != nil {
				return nil, nil, err
			}
			if err := st.Evolve(page[i].At, p); err != nil {
				return nil, nil, err
			}
			lines = append(lines, incident.Tell(page[i].At, p))
		}
		from = page[len(page)-1].Seq + 1
	}
}

// futureRow keeps the latest time of birth of an event that came before that time: by it, a later machine knows which
// events cannot have been here.
func futureRow(b, now time.Time) store.Row {
	_ = now
	return store.Row{Key: store.Key{Kind: "dispatch", ID: "future"}, At: b, Body: []byte("{}")}
}

// recall takes over what was before.
func (m *Machine) recall(mem *Memory, now time.Time) {
	for k, v := range mem.Lengths {
		m.lengths[k] = v
	}
	for _, s := range mem.Incidents {
		m.incidents[s.ID] = s
		m.link(s)
		at := s.Due()
		if s.Status == incident.Resolved {
			at = s.Ended.Add(keepResolved)
		}
		if !at.IsZero() {
			m.agenda.add(at, dueIncident, s.ID)
		}
	}
	for _, a := range mem.Active {
		t := a.Ticket
		m.active[t.Run] = t
		m.slots[t.slot()] = append(m.slots[t.slot()], t.Run)
		m.moving++
		d := t.Row.Decision
		m.seen[t.Event] = &d
		t.delayed = d.Outcome == "queued"
	}
	for _, t := range mem.Waking {
		t.again = true
		m.waking[t.Event] = t
		m.emit(Wake{Ticket: *t})
	}
	// What waited is asked again, the most important first; that needs the slots that go on.
	for _, t := range mem.Pending {
		d := t.Row.Decision
		m.seen[t.Event] = &d
		m.pending[t.Event] = t
		g := groupKey(t.Project, t.Row.Source, t.Row.Group)
		if m.groups[g] == nil {
			m.groups[g] = map[string]struct{}{}
		}
		m.groups[g][t.Event] = struct{}{}
	}
	for _, a := range mem.Active {
		if a.Status != "" {
			m.began(Began{Run: a.Ticket.Run}, now) // also when the last that was heard was that it cannot begin yet
		}
		switch {
		case a.Over:
			m.over(a.Ticket, a.Status, a.Why, now)
		case a.Status == "" && mem.Halted != "":
			m.began(Began{Run: a.Ticket.Run, Err: doubtful(mem.Halted)}, now)
		case a.Status == "":
			// It was decided, and did not begin. It may be old news by now.
			if why := tooOld(a.Ticket, now); why != "" {
				m.began(Began{Run: a.Ticket.Run, Err: fault.New(fault.Refused, "%s", why)}, now)
				continue
			}
			m.emit(StartRun{Run: a.Ticket.Run, Ticket: *a.Ticket})
		}
	}
	list := append([]*Ticket(nil), mem.Pending...)
	sortTickets(list)
	for _, t := range list {
		if m.pending[t.Event] != t || t.where != nowhere {
			continue
		}
		t.judged = t.Row.Decision.Guard != ""
		if d := &t.Row.Decision; mem.Halted == "" && d.Outcome == string(event.Held) && d.Until.After(now) && tooOld(t, now) == "" {
			m.wait(t, held, d.Until) // the guard said until when: there may be many of them
			continue
		}
		if mem.Halted == "" {
			m.retry(t, now)
			continue
		}
		d := t.Row.Decision
		d.Outcome, d.Why, d.Guard, d.Until = string(event.Refused), doubtful(mem.Halted).Error(), "", time.Time{}
		m.forget(t)
		m.decided(t, d)
	}
	m.settle(now)
	m.flush(now)
}

// doubtful refuses what may have begun in a time that the store does not know: a person decides.
func doubtful(why string) error {
	return fault.New(fault.Refused, "whether it began is not known (%s)", why).WithNext("tend events replay")
}

var _ Reader = (*ledger.Ledger)(nil)
