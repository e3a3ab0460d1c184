package dispatch

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/id"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/value"
)

// errLook asks the shell to look an event up in the store, and to come again.
var errLook = errors.New("the event must be looked up")

func birth(eventID string) time.Time { return id.Birth(eventID) }

// accept decides about the events of a message, in order.
func (m *Machine) accept(x Accepted, now time.Time) {
	if len(m.pending)+len(x.Items) > m.limits.Pending {
		m.emit(Reply{Req: x.Req, Err: fault.New(fault.Unavailable, "%d events wait already: send it again later", len(m.pending))})
		return
	}
	for i := range x.Items {
		it := &x.Items[i]
		_, seen := m.seen[it.Event.ID]
		_, counted := m.lengths[it.Event.Source]
		if !seen && !it.Looked && birth(it.Event.ID).Before(m.floor) || it.Known == nil && !counted && !it.Counted {
			m.emit(Reply{Req: x.Req, Err: errLook})
			return
		}
	}
	out := make([]Receipt, len(x.Items))
	for i := range x.Items {
		it := &x.Items[i]
		d, ok := m.seen[it.Event.ID]
		if !ok && it.Known != nil {
			d, ok = &it.Known.Decision, true
			m.remember(it.Event.ID, d)
		}
		if ok {
			r := ReceiptOf(it.Event.ID, d)
			r.Was, r.Outcome, r.Why = r.Outcome, event.Duplicate, "it was here before: "+r.Why
			out[i] = r
			continue
		}
		out[i] = ReceiptOf(it.Event.ID, m.decide(it, now))
	}
	t := m.open()
	t.replies = append(t.replies, Reply{Req: x.Req, Value: out})
}

// decide decides about an event that was not here before, and records it.
func (m *Machine) decide(it *Item, now time.Time) *entry.EventDecided {
	e := &it.Event
	if _, ok := m.seen[e.ID]; ok {
		return m.seen[e.ID] // one of tend's own that comes again
	}
	if b := birth(e.ID); b.After(now) && b.After(m.future) {
		m.future = b
		m.open().row(futureRow(b, now))
	}
	if _, ok := m.lengths[e.Source]; !ok {
		m.lengths[e.Source] = it.Length
	}
	row := Row{
		At: e.At, Cause: it.Cause, Group: e.Group, Key: e.Key, Kind: e.Kind, Labels: e.Labels, Priority: e.Priority,
		Seq: m.lengths[e.Source] + 1, Source: e.Source, Status: e.Status, Trace: e.Trace, Until: e.Until,
	}
	m.lengths[e.Source]++
	r := &entry.EventReceived{
		At: e.At.UTC(), Cause: it.Cause, Data: e.Data, Group: e.Group, ID: e.ID, Key: e.Key, Labels: value.TextMap(e.Labels), Name: e.Name,
		Priority: e.Priority, Project: e.Project, Ref: it.Ref, Source: e.Source, Status: string(e.Status), Trace: e.Trace, Type: e.Kind, Until: e.Until.UTC(),
	}
	if it.Ref != nil {
		r.Data = nil
	}
	m.open().fact("event/"+e.Source, r) // first: what follows from it stands after it
	t := &Ticket{Event: e.ID, Name: e.Name, Project: e.Project, Received: now, Row: row, data: e.Data}
	d := m.judge(t, it, now)
	t.Row.Decision = d
	r.Decision = d
	m.rowOf(t)
	m.remember(e.ID, &d)
	return &d
}

// judge says what becomes of an event.
func (m *Machine) judge(t *Ticket, it *Item, now time.Time) entry.EventDecided {
	e := &it.Event
	d := entry.EventDecided{Chain: it.Chain}
	ended := entry.EventDecided{Chain: it.Chain}
	if e.Status.Over() {
		ended = m.resolves(t, it, now)
	}
	if it.Match == nil {
		if ended.Outcome != "" {
			return ended
		}
		d.Outcome, d.Why = string(event.Unmatched), "no trigger matched"
		if e.Status.Over() {
			d.Why += ", and it ends nothing that is known here"
		}
		if len(it.Notes) > 0 {
			d.Why += "; " + strings.Join(it.Notes, "; ")
		}
		return d
	}
	t.Outcome = *it.Match
	d.Trigger, d.Playbook, d.Incident = t.Outcome.Trigger, t.Outcome.Playbook, ended.Incident
	t.Row.Decision = d
	if w := t.Outcome.Wake; w != nil {
		d.Outcome, d.Why = string(event.Woke), fmt.Sprintf("offered to the runs that wait for %s with key %q", w.Event, w.Key)
		t.Row.Decision = d
		m.waking[t.Event] = t
		m.keep("waking", t.Event, t)
		tx := m.open()
		tx.after = append(tx.after, Wake{Ticket: *t, Data: t.data})
		t.data = nil
		return d
	}
	if why := m.loops(t, it.Cause); why != "" {
		d.Outcome, d.Why = string(event.Refused), why
		return d
	}
	opened := ""
	if t.Outcome.Incident != nil {
		d.Incident, opened = m.tell(t, now)
		t.Row.Decision = d
	}
	if why := tooOld(t, now); why != "" {
		d.Outcome, d.Why = string(event.Stale), why
		return d
	}
	if t.Outcome.Playbook == "" {
		d.Outcome, d.Why = string(event.Joined), opened
		if opened == "" {
			d.Outcome, d.Why = string(event.Unmatched), "trigger "+d.Trigger+" names neither a playbook nor an incident"
		}
		return d
	}
	m.counted(m.gate.Seen(m.candidate(t), now))
	return m.place(t, d, now)
}

// counted writes what a gate wants to remember.
func (m *Machine) counted(v Verdict) {
	if len(v.Facts)+len(v.Rows)+len(v.Drop) == 0 {
		return
	}
	tx := m.open()
	tx.facts = append(tx.facts, v.Facts...)
	for _, k := range v.Drop {
		tx.drop(k)
	}
	for _, r := range v.Rows {
		tx.row(r)
	}
}

// tooOld says why an event is old news, or "".
func tooOld(t *Ticket, now time.Time) string {
	if late := t.deadline(); !late.IsZero() && !now.Before(late) {
		return fmt.Sprintf("it happened %s ago, and trigger %s starts within %s", now.Sub(t.Row.At).Round(time.Second), t.Outcome.Trigger, t.Outcome.StartWithin)
	}
	if t.Row.Status == event.Firing && !t.Row.Until.IsZero() && t.Row.Until.Before(now) && t.Row.Until.After(t.Row.At) {
		return fmt.Sprintf("it ended at %s already", t.Row.Until.Format(time.RFC3339))
	}
	return ""
}

// loops says why an event must not lead on, or "": it is an echo of a run of the same trigger, or the chain is too long.
func (m *Machine) loops(t *Ticket, cause string) string {
	chain := t.Row.Decision.Chain
	switch {
	case slices.Contains(chain, t.Outcome.Trigger) && cause != "":
		return fmt.Sprintf("it is an echo: run %s, which trigger %s led to, brought it about", cause, t.Outcome.Trigger)
	case slices.Contains(chain, t.Outcome.Trigger):
		return fmt.Sprintf("it is an echo: trigger %s led to it", t.Outcome.Trigger)
	case len(chain) >= m.limits.Depth:
		return fmt.Sprintf("it comes from a chain of %d triggers, the last of which is %s: that looks like a loop", len(chain), chain[len(chain)-1])
	}
	return ""
}

// place lets a run begin, or says why not now.
func (m *Machine) place(t *Ticket, d entry.EventDecided, now time.Time) entry.EventDecided {
	o := &t.Outcome
	d.Until, d.Guard, d.Run = time.Time{}, "", ""
	if busy := m.slots[t.slot()]; len(busy) >= o.Limit {
		last := busy[len(busy)-1]
		switch o.Then {
		case "queue":
			d.Outcome, d.Until = string(event.Queued), t.deadline()
			d.Why = fmt.Sprintf("run %s of trigger %s goes on for %q: it waits its turn", last, o.Trigger, o.Slot)
			m.wait(t, blocked, time.Time{})
		case "replace":
			d.Outcome, d.Until = string(event.Queued), t.deadline()
			d.Why = fmt.Sprintf("run %s of trigger %s is cancelled for it", last, o.Trigger)
			m.supersede(t)
			m.wait(t, blocked, time.Time{})
			for _, run := range busy {
				tx := m.open()
				tx.after = append(tx.after, CancelRun{Run: run, Why: "event " + t.Event + " replaces it"})
			}
		default:
			d.Outcome, d.Run = string(event.Joined), last
			d.Why = fmt.Sprintf("run %s of trigger %s goes on for %q already", last, o.Trigger, o.Slot)
			m.forget(t)
		}
		return d
	}
	if m.moving >= m.limits.Runs {
		d.Outcome, d.Until = string(event.Queued), t.deadline()
		d.Why = fmt.Sprintf("%d runs go on already: it waits its turn, with priority %d", m.moving, o.Priority)
		m.wait(t, ready, time.Time{})
		return d
	}
	v := m.gate.Start(m.candidate(t), now)
	t.judged = true
	m.counted(v)
	d.Guard = v.Guard
	switch v.Outcome {
	case event.Started:
		return m.begin(t, d, now)
	case event.Held:
		d.Outcome, d.Why, d.Until = string(event.Held), v.Why, v.Until
		until := v.Until
		if until.IsZero() || !until.After(now) { // nobody knows: less and less often, in a storm there are many of them
			until = now.Add(min(30*time.Second<<t.asked, 5*time.Minute))
			t.asked = min(t.asked+1, 4)
		}
		m.wait(t, held, until)
	default:
		d.Outcome, d.Why, d.Until = string(event.Refused), v.Why, v.Until
		m.forget(t)
	}
	return d
}

func (m *Machine) candidate(t *Ticket) Candidate {
	return Candidate{
		Run: m.runOf(t), Project: t.Project, Environment: t.Outcome.Environment, Trigger: t.Outcome.Trigger, Playbook: t.Outcome.Playbook, Key: t.Outcome.Key, Event: t.Event,
		Source: t.Row.Source, Kind: t.Row.Kind, Group: t.Row.Group, Labels: t.Row.Labels, At: t.Row.At, Incident: t.Row.Decision.Incident,
		Depth: len(t.Row.Decision.Chain), Again: t.judged,
	}
}

// runOf names the run that an event leads to: a repeat gives the same one.
func (m *Machine) runOf(t *Ticket) string {
	return id.Derive("run", t.Event, t.Outcome.Trigger, t.Received)
}

// begin lets the run of a ticket begin: the row is durable before the run is.
func (m *Machine) begin(t *Ticket, d entry.EventDecided, now time.Time) entry.EventDecided {
	m.forget(t)
	t.Run = m.runOf(t)
	d.Outcome, d.Run = string(event.Started), t.Run
	d.Why = fmt.Sprintf("%s by trigger %s", t.Run, t.Outcome.Trigger)
	t.Row.Decision = d
	m.active[t.Run] = t
	m.slots[t.slot()] = append(m.slots[t.slot()], t.Run)
	m.moving++
	m.keep("started", t.Run, t)
	m.ran(t, "started", "", now)
	tx := m.open()
	tx.after = append(tx.after, StartRun{Run: t.Run, Ticket: *t, Data: t.data})
	t.data = nil
	return d
}

// decided records that something else becomes of an event.
func (m *Machine) decided(t *Ticket, d entry.EventDecided) {
	f := d
	f.Event = t.Event
	m.open().fact("event/"+t.Row.Source, &f)
	m.lengths[t.Row.Source]++
	d.Event = ""
	t.Row.Decision = d
	m.rowOf(t)
	m.remember(t.Event, &d)
}

func (m *Machine) rowOf(t *Ticket) {
	d := &t.Row.Decision
	m.open().row(store.Row{
		Key: store.Key{Kind: "event", ID: t.Event}, Project: t.Project, Status: d.Outcome, Name: t.Name, Parent: d.Run, Tag: t.Row.Group,
		At: t.Received, Labels: t.Row.Labels, Body: body(&t.Row),
	})
	if k, ok := m.kept(t); ok {
		m.keep(k.Kind, k.ID, t)
	}
}

// kept gives the row that a ticket has while it waits or goes on.
func (m *Machine) kept(t *Ticket) (store.Key, bool) {
	switch {
	case m.pending[t.Event] == t:
		return store.Key{Kind: "pending", ID: t.Event}, true
	case t.Run != "" && m.active[t.Run] == t:
		return store.Key{Kind: "started", ID: t.Run}, true
	case m.waking[t.Event] == t:
		return store.Key{Kind: "waking", ID: t.Event}, true
	}
	return store.Key{}, false
}

// keep writes the row of a ticket that waits or goes on: a restart finds it.
func (m *Machine) keep(kind, name string, t *Ticket) {
	m.open().row(store.Row{
		Key: store.Key{Kind: kind, ID: name}, Project: t.Project, Status: t.Row.Decision.Outcome, Name: t.Outcome.Trigger, Parent: t.Event,
		Tag: t.Outcome.Slot, At: t.Received, Body: body(t),
	})
}

// replay decides about an event again.
func (m *Machine) replay(x Replayed, now time.Time) {
	it := &x.Item
	refuse := func(format string, a ...any) {
		m.emit(Reply{Req: x.Req, Err: fault.New(fault.Conflict, format, a...)})
	}
	row := it.Known
	if row == nil {
		m.emit(Reply{Req: x.Req, Err: fault.New(fault.NotFound, "there is no event %s", it.Event.ID)})
		return
	}
	d := row.Decision
	if last := m.seen[it.Event.ID]; last != nil {
		d = *last
	}
	switch o := event.Outcome(d.Outcome); {
	case o.Waiting() || m.waking[it.Event.ID] != nil:
		refuse("event %s is %s: %s", it.Event.ID, o, d.Why)
		return
	case d.Run != "" && o == event.Started:
		refuse("event %s has started run %s already", it.Event.ID, d.Run)
		return
	}
	if _, ok := m.lengths[it.Event.Source]; !ok {
		m.lengths[it.Event.Source] = it.Length
	}
	e := it.Event
	t := &Ticket{Event: e.ID, Name: e.Name, Project: e.Project, Received: it.Received, Row: *row, data: e.Data}
	if x.Anyway && it.Match != nil {
		o := *it.Match
		o.StartWithin = 0
		it.Match = &o
	}
	it.Chain, it.Cause = d.Chain, row.Cause
	nd := m.judge(t, it, now)
	nd.By = &x.By
	m.decided(t, nd)
	m.audit(x.By, "event-replayed", e.ID, nd.Why)
	r := ReceiptOf(e.ID, &t.Row.Decision)
	tx := m.open()
	tx.replies = append(tx.replies, Reply{Req: x.Req, Value: r})
}

// began hears that a run is durable, or will never be.
func (m *Machine) began(x Began, now time.Time) {
	t := m.active[x.Run]
	if t == nil {
		return
	}
	d := t.Row.Decision
	if x.Err == nil {
		if t.delayed {
			t.delayed = false
			d.Outcome, d.Why, d.Until = string(event.Started), fmt.Sprintf("%s by trigger %s", t.Run, t.Outcome.Trigger), time.Time{}
			m.decided(t, d)
		}
		return
	}
	d.Outcome, d.Why, d.Run = string(event.Refused), x.Err.Error(), ""
	if why := tooOld(t, now); why != "" {
		d.Outcome, d.Why = string(event.Stale), why
	}
	m.over(t, "not-started", d.Why, now)
	m.decided(t, d)
}

// delayed hears that the engine cannot take a run yet.
func (m *Machine) delayed(x Delayed) {
	t := m.active[x.Run]
	if t == nil || t.delayed {
		return
	}
	t.delayed = true
	d := t.Row.Decision
	d.Outcome, d.Why, d.Until = string(event.Queued), fmt.Sprintf("%s cannot begin yet: %s", x.Run, x.Why), t.deadline()
	m.decided(t, d)
}

// ended hears that a run is over.
func (m *Machine) ended(x Ended, now time.Time) {
	t := m.active[x.Run]
	if t == nil {
		return
	}
	m.began(Began{Run: x.Run}, now) // it may be over before anybody said that it began
	m.over(t, x.Status, x.Why, now)
}

// over lets go of a run, and of what waited for it.
func (m *Machine) over(t *Ticket, status, why string, now time.Time) {
	delete(m.active, t.Run)
	m.open().drop(store.Key{Kind: "started", ID: t.Run})
	if !t.parked {
		m.moving--
	}
	slot := t.slot()
	m.slots[slot] = slices.DeleteFunc(m.slots[slot], func(r string) bool { return r == t.Run })
	if len(m.slots[slot]) == 0 {
		delete(m.slots, slot)
	}
	m.counted(m.gate.Ended(m.candidate(t), status, now))
	m.ran(t, status, why, now)
	m.tellRun(t, status, why, now)
	for list := m.blocked[slot]; len(list) > 0; list = m.blocked[slot] {
		next := list[0]
		if len(m.slots[slot]) >= next.Outcome.Limit {
			break
		}
		m.retry(next, now) // it may be held now, or too old: then it is the turn of another one
	}
}

// park hears that a run waits for people: it takes no room then.
func (m *Machine) park(x Parked, now time.Time) {
	t := m.active[x.Run]
	if t == nil || t.parked == (x.Why != "") {
		return
	}
	t.parked = x.Why != ""
	if t.parked {
		m.moving--
		m.ran(t, "waiting", x.Why, now)
	} else {
		m.moving++
		m.ran(t, "started", "", now)
	}
}

// woken hears which runs took an event.
func (m *Machine) woken(x Woken) {
	t := m.waking[x.Event]
	if t == nil {
		return
	}
	delete(m.waking, x.Event)
	m.open().drop(store.Key{Kind: "waking", ID: x.Event})
	d, w := t.Row.Decision, t.Outcome.Wake
	switch {
	case x.Err != nil:
		d.Outcome, d.Why = string(event.Refused), x.Err.Error()
	case len(x.Runs) == 0 && t.again:
		d.Why = fmt.Sprintf("offered to the runs that wait for %s with key %q; whether one took it before the server ended is not known", w.Event, w.Key)
	case len(x.Runs) == 0:
		d.Outcome, d.Why = string(event.Unmatched), fmt.Sprintf("no run waits for %s with key %q", w.Event, w.Key)
	default:
		d.Run, d.Why = x.Runs[0], strings.Join(x.Runs, ", ")+" went on by it"
	}
	m.decided(t, d)
}

// resolves ends what an earlier event began: incidents, and events that still wait.
func (m *Machine) resolves(t *Ticket, it *Item, now time.Time) entry.EventDecided {
	e := &it.Event
	d := entry.EventDecided{Chain: it.Chain}
	var what []string
	waits := m.groups[groupKey(e.Project, e.Source, e.Group)]
	for _, name := range slices.Sorted(maps.Keys(waits)) {
		p := m.pending[name]
		pd := p.Row.Decision
		pd.Outcome, pd.Until, pd.Guard = string(event.Stale), time.Time{}, ""
		pd.Why = fmt.Sprintf("it %s (%s) before a run began", map[bool]string{false: "was resolved", true: "vanished"}[e.Status == event.Vanished], e.ID)
		m.forget(p)
		m.decided(p, pd)
		what = append(what, name+" waits no more")
	}
	for _, inc := range slices.Clone(m.members[memberKey(e.Project, e.Source, e.Group)]) {
		if did := m.join(inc, t, now); did != "" {
			d.Incident = inc
			what = append(what, did)
		}
	}
	switch {
	case len(what) == 0:
	case e.Status == event.Vanished && d.Incident != "":
		d.Outcome, d.Why = string(event.Joined), strings.Join(what, "; ")+": nothing is measured any more, and that is no repair"
	default:
		d.Outcome, d.Why = string(event.Resolves), strings.Join(what, "; ")
	}
	return d
}

func groupKey(project, source, group string) string {
	return project + "\x00" + source + "\x00" + group
}
