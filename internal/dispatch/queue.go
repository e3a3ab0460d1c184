package dispatch

import (
	"cmp"
	"container/heap"
	"fmt"
	"slices"
	"time"

	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/store"
)

// before orders what waits: by priority, then by age.
func before(a, b *Ticket) int {
	return cmp.Or(cmp.Compare(b.Outcome.Priority, a.Outcome.Priority), a.Received.Compare(b.Received), cmp.Compare(a.Event, b.Event))
}

// tickets is a heap of what waits for room. What left it stays until it comes to the top.
type tickets []*Ticket

func (q tickets) Len() int           { return len(q) }
func (q tickets) Less(i, j int) bool { return before(q[i], q[j]) < 0 }
func (q tickets) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *tickets) Push(x any)        { *q = append(*q, x.(*Ticket)) } //nolint:errcheck // the heap holds nothing else
func (q *tickets) Pop() any {
	old := *q
	x := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return x
}

// wait lets a ticket wait somewhere.
func (m *Machine) wait(t *Ticket, where place, until time.Time) {
	m.leave(t)
	t.where, t.notBefore, t.data = where, until, nil
	m.pending[t.Event] = t
	g := groupKey(t.Project, t.Row.Source, t.Row.Group)
	if m.groups[g] == nil {
		m.groups[g] = map[string]struct{}{}
	}
	m.groups[g][t.Event] = struct{}{}
	switch where {
	case ready:
		heap.Push(&m.ready, t)
	case blocked:
		s := t.slot()
		m.blocked[s] = append(m.blocked[s], t)
		slices.SortFunc(m.blocked[s], before)
	case nowhere, held:
	}
	m.remind(t)
}

// leave takes a ticket out of where it waits.
func (m *Machine) leave(t *Ticket) {
	if t.where == blocked {
		s := t.slot()
		m.blocked[s] = slices.DeleteFunc(m.blocked[s], func(x *Ticket) bool { return x == t })
		if len(m.blocked[s]) == 0 {
			delete(m.blocked, s)
		}
	}
	t.where = nowhere
}

// forget lets a ticket wait no more.
func (m *Machine) forget(t *Ticket) {
	m.leave(t)
	if m.pending[t.Event] != t {
		return
	}
	delete(m.pending, t.Event)
	g := groupKey(t.Project, t.Row.Source, t.Row.Group)
	delete(m.groups[g], t.Event)
	if len(m.groups[g]) == 0 {
		delete(m.groups, g)
	}
	m.open().drop(store.Key{Kind: "pending", ID: t.Event})
}

// remind looks at a ticket again when its time comes: when it is too old, or may be asked again.
func (m *Machine) remind(t *Ticket) {
	at := t.deadline()
	if t.where == held && (at.IsZero() || t.notBefore.Before(at)) {
		at = t.notBefore
	}
	if !at.IsZero() {
		m.agenda.add(at, dueTicket, t.Event)
	}
}

// retry asks again what becomes of a ticket that waits.
func (m *Machine) retry(t *Ticket, now time.Time) {
	if why := tooOld(t, now); why != "" {
		m.stale(t, now)
		return
	}
	old := t.Row.Decision
	was := t.where
	m.leave(t)
	d := m.place(t, old, now)
	if d.Outcome == old.Outcome && d.Guard == old.Guard && (d.Why == old.Why && d.Until.Equal(old.Until) || old.Until.After(now)) {
		if was != t.where {
			m.rowOf(t)
		}
		return // it waits on, for the same reason, and until when it said is not over
	}
	m.decided(t, d)
}

// stale ends the waiting of what is too old.
func (m *Machine) stale(t *Ticket, now time.Time) {
	d := t.Row.Decision
	d.Outcome, d.Why, d.Until = string(event.Stale), tooOld(t, now), time.Time{}
	m.forget(t)
	m.decided(t, d)
}

// supersede lets what waits for the same slot wait no more.
func (m *Machine) supersede(t *Ticket) {
	for _, x := range slices.Clone(m.blocked[t.slot()]) {
		if x == t {
			continue
		}
		d := x.Row.Decision
		d.Outcome, d.Until, d.Why = string(event.Refused), time.Time{}, fmt.Sprintf("event %s came, and replaces it", t.Event)
		m.forget(x)
		m.decided(x, d)
	}
}

// pump lets begin what waits for room, the most important first.
func (m *Machine) pump(now time.Time) {
	for m.moving < m.limits.Runs && len(m.ready) > 0 {
		t := heap.Pop(&m.ready).(*Ticket) //nolint:errcheck // see tickets
		if t.where != ready || m.pending[t.Event] != t {
			continue // it left
		}
		m.retry(t, now)
	}
}

// The kinds of what is due.
const (
	dueTicket = iota
	dueIncident
	dueAsk
)

type due struct {
	at   time.Time
	what int
	id   string
}

// agenda is what must be looked at, by time. What is not due any more when its time comes is passed over there.
type agenda []due

func (a agenda) Len() int           { return len(a) }
func (a agenda) Less(i, j int) bool { return a[i].at.Before(a[j].at) }
func (a agenda) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)        { *a = append(*a, x.(due)) } //nolint:errcheck // the heap holds nothing else
func (a *agenda) Pop() any {
	old := *a
	x := old[len(old)-1]
	*a = old[:len(old)-1]
	return x
}

func (a *agenda) add(at time.Time, what int, id string) { heap.Push(a, due{at, what, id}) }

func (a agenda) next() time.Time {
	if len(a) == 0 {
		return time.Time{}
	}
	return a[0].at
}

func (a *agenda) due(now time.Time) (due, bool) {
	if len(*a) == 0 || now.Before((*a)[0].at) {
		return due{}, false
	}
	return heap.Pop(a).(due), true //nolint:errcheck // see Push
}

func sortTickets(list []*Ticket) { slices.SortFunc(list, before) }
