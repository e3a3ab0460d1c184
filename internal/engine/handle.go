package engine

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/value"
)

// begin creates a run.
func (m *Machine) begin(x Begin, now time.Time) {
	switch {
	case m.broken != nil:
		m.emit(Reply{Req: x.Req, Err: m.broken})
		return
	case m.halted != "":
		m.emit(Reply{Req: x.Req, Err: haltedError(m.halted)})
		return
	}
	m.learn(x.Heads)
	s := m.create(x.ID, x.Start, x.Hash, now)
	t := s.open()
	if x.Closure != nil && !m.closed[x.Hash.String()] {
		m.closed[x.Hash.String()] = true
		t.rows = append(t.rows, closureRow(x.Hash, x.Closure, now))
	}
	if x.Start.Request != "" {
		t.rows = append(t.rows, store.Row{Key: store.Key{Kind: "request", ID: x.Start.Request}, Parent: x.ID, At: now, Body: []byte("{}")})
	}
	if x.Carried != nil {
		m.fact(s, x.Carried, now)
	}
	if x.Changed != nil {
		m.fact(s, x.Changed, now)
	}
	t.replies = append(t.replies, Reply{Req: x.Req, Value: x.ID})
	m.driven[x.ID] = true
	m.advance(s, now)
	m.settle(s, now)
}

func haltedError(why string) error {
	return fault.New(fault.Refused, "nothing may start: %s", why).WithNext("look at what happened, then let it go on: tend unhalt --why REASON")
}

func (m *Machine) learn(heads map[string]store.Head) {
	for k, h := range heads {
		if _, ok := m.heads[k]; !ok {
			m.heads[k] = h
		}
	}
}

func closureRow(h entry.Hash, body []byte, now time.Time) store.Row {
	return store.Row{Key: store.Key{Kind: "closure", ID: h.String()}, At: now, Body: body}
}

func (m *Machine) create(runID string, st Start, hash entry.Hash, now time.Time) *session {
	s := newSession(runID)
	s.state, s.tasks, s.guards = run.New(runID, st.Program), map[string]*taskStream{}, st.Guards
	m.runs[runID] = s
	c := &entry.RunCreated{
		By: st.By, Cause: st.Cause, Closure: hash, Dir: st.Dir, Event: st.Event, Metadata: st.Metadata, Name: st.Program.Metadata.Name,
		Params: st.Params, Project: cmp.Or(st.Project, "default"), Environment: st.Environment, Request: st.Request, Source: st.Source, Stepping: st.Stepping,
		Shown: st.Shown, Trace: st.Trace,
	}
	c.Cause.Root = cmp.Or(c.Cause.Root, runID)
	for _, labels := range []map[string]string{st.Labels, st.Program.Metadata.Labels} { // its own go before those of its callers
		for k, v := range labels {
			if c.Labels == nil {
				c.Labels = value.Object{}
			}
			c.Labels[k] = v
		}
	}
	if len(st.Guards) > 0 {
		if v, err := value.Normalize(st.Guards); err == nil {
			c.Guards = value.Object{"specs": v}
		}
	}
	m.fact(s, c, now)
	return s
}

// loaded takes a run that was read.
func (m *Machine) loaded(x Loaded, now time.Time) {
	s := m.runs[x.Run]
	if s == nil || s.state != nil {
		return
	}
	if x.Err != nil {
		delete(m.runs, x.Run)
		delete(m.driven, x.Run)
		for _, in := range s.queue {
			m.refuse(in, x.Err)
		}
		if fault.Is(x.Err, fault.Damaged) || fault.Is(x.Err, fault.Newer) {
			m.unreadable(x.Run, x.Err, now)
		}
		return
	}
	m.learn(x.Heads)
	s.state, s.head, s.tasks = x.State, x.Head, map[string]*taskStream{}
	s.guards = decodeGuards(x.State.Created.Guards)
	for tid, lt := range x.Tasks {
		s.tasks[tid] = &taskStream{id: tid, head: lt.Head, task: lt.Task}
	}
	if s.state.Interrupted == "" && len(s.state.InFlight()) > 0 {
		// Whoever let these act is gone: this process did not, or the run would be loaded.
		m.fact(s, &entry.RunInterrupted{Why: "the process that drove it ended"}, now)
	}
	m.drain(s, now)
	if m.runs[x.Run] != s || s.committing || s.evaluating > 0 {
		return
	}
	if s.state.Status().Ended() {
		if p := m.runs[s.state.Created.Cause.Parent]; p != nil && p.state != nil {
			m.childEnded(p, s, now)
		}
	}
	m.advance(s, now)
}

// unreadable ends the wait for a sub-playbook whose stream cannot be read: it will never end.
func (m *Machine) unreadable(kid string, why error, now time.Time) {
	for _, id := range slices.Sorted(maps.Keys(m.runs)) {
		p := m.runs[id]
		if p == nil || p.state == nil || p.committing || p.evaluating > 0 || !m.mayDrive(p) || !slices.Contains(p.last.Children, kid) {
			continue // one that is busy asks again after that
		}
		for _, w := range p.last.Waits {
			if w.For == "child" && w.On == kid {
				m.fact(p, &entry.ChildEnded{Path: w.Path, Child: kid, Status: string(run.Quarantined), Fault: &entry.Fault{
					Kind: string(fault.Damaged), Message: "the sub-playbook is quarantined: " + why.Error(), Path: w.Path,
				}}, now)
			}
		}
		m.advance(p, now)
	}
}

// drain handles what waited.
// It stops when one of them commits or evaluates: the rest goes on after that.
func (m *Machine) drain(s *session, now time.Time) {
	for len(s.queue) > 0 && !s.committing && s.evaluating == 0 && s.state != nil && m.runs[s.id] == s {
		in := s.queue[0]
		s.queue = s.queue[1:]
		m.handle(in, now)
		if m.runs[s.id] != s {
			return
		}
	}
}

// evaluated takes the result of an expression.
func (m *Machine) evaluated(s *session, x Evaluated, now time.Time) {
	s.evaluating--
	a := s.state.Accept(x.Rendered, now)
	for _, p := range a.Facts {
		m.fact(s, p, now)
	}
	switch {
	case a.Task != nil:
		m.openTask(s, a.TaskID, a.Task, now)
	case a.Big != nil:
		s.evaluating++
		m.emit(StoreList{Run: s.id, Root: rootOf(s), Fact: a.Big})
	case a.Call != nil:
		s.evaluating++
		m.emit(Bind{
			Run: s.id, Path: x.Rendered.Path, Child: a.Child, Carry: a.Carry, Alike: a.Alike, Created: s.state.Created,
			Prog: s.state.Program().Calls[a.Call.Program], Params: x.Rendered.Inputs,
		})
	case a.Intent != nil:
		m.guarded(s, a.Intent, now)
	}
	if len(a.Facts) == 0 && a.Big == nil && a.Call == nil && a.Intent == nil {
		// A question whose answer changes nothing would be asked for ever.
		if s.vain++; s.vain > maxVain {
			m.quarantine(s, fault.New(fault.Internal, "evaluating %s of %q leads nowhere", x.Rendered.What, x.Rendered.Path), now)
		}
	} else {
		s.vain = 0
	}
	m.advance(s, now)
}

// maxVain bounds how often in a row an evaluation may lead nowhere. Answers that come late do so once or twice.
const maxVain = 100

// bound starts a sub-playbook, or fails the step that wanted it.
func (m *Machine) bound(s *session, x Bound, now time.Time) {
	s.evaluating--
	if x.Fault != nil {
		m.fact(s, &entry.StepRefused{Path: x.Path, Fault: *x.Fault}, now)
		m.advance(s, now)
		return
	}
	kid := x.Child
	c := s.state.Created
	m.fact(s, &entry.ChildStarted{Path: x.Path, Child: kid}, now)
	if s.state.Quarantine != nil {
		return
	}
	if x.Known {
		m.advance(s, now) // it is found and driven like any child
		return
	}
	cause := entry.Cause{Parent: s.id, Path: x.Path, Root: c.Cause.Root, Event: c.Cause.Event, Incident: c.Cause.Incident, Key: c.Cause.Key, Trigger: c.Cause.Trigger, For: c.Cause.For}
	if x.Carried != nil {
		cause.Carry, cause.Why = x.Carried.From, c.Cause.Why
	}
	k := m.create(kid, Start{
		Project: s.state.Created.Project, Environment: s.state.Created.Environment, Trace: s.state.Created.Trace,
		Program: x.Prog, Params: x.Params, Event: c.Event, Metadata: c.Metadata, Source: c.Source, Dir: c.Dir, By: c.By, Guards: s.guards,
		Stepping: s.state.Stepping, Cause: cause, Labels: labelsOf(s), Shown: s.state.Within(x.Path),
	}, x.Hash, now)
	if x.Carried != nil {
		m.fact(k, x.Carried, now)
	}
	if x.Changed != nil {
		m.fact(k, x.Changed, now)
	}
	if s.state.Restored != "" {
		// Perhaps it was called already, in the time that the store lost.
		m.fact(k, &entry.RunRestored{By: entry.Who{Name: "tend", Via: "engine"}, Why: s.state.Restored}, now)
	}
	m.driven[kid] = true
	t := s.open()
	if !m.closed[x.Hash.String()] {
		m.closed[x.Hash.String()] = true
		t.rows = append(t.rows, closureRow(x.Hash, x.Body, now))
	}
	k.committing = true // its first entry is committed with its parent's
	t.born = append(t.born, k)
	m.advance(s, now)
}

// acted takes the end of an attempt.
func (m *Machine) acted(s *session, x Acted, now time.Time) {
	path := x.Result.Path
	if s.dispatched[path] != x.Result.Attempt {
		return // a late answer of an attempt that is over
	}
	delete(s.dispatched, path)
	delete(s.stopping, path)
	m.acting--
	n := s.state.Node(path)
	if n == nil || n.Phase != run.PhaseActing || n.Attempt != x.Result.Attempt {
		return
	}
	if s.leaving != nil && s.state.Cancel == nil {
		parted(&x.Result, contract.Effect(n.Intent.Effect))
	}
	m.fact(s, &x.Result, now)
	m.left(s, now)
	m.advance(s, now)
}

// parted corrects the account of an attempt that ended because its process does: nobody cancelled the step. Where nothing
// happened it is made again when the run goes on.
func parted(r *entry.StepResult, effect contract.Effect) {
	if r.Fault == nil || r.Fault.Kind != string(fault.Cancelled) {
		return
	}
	f := *r.Fault
	f.Kind = string(fault.Lost)
	r.Fault = &f
	r.Again = r.Outcome == entry.NotStarted || r.Outcome == entry.Failed && effect == contract.Read
}

// left finishes a Leave when nothing acts any more.
func (m *Machine) left(s *session, now time.Time) {
	if s.leaving == nil || len(s.dispatched) > 0 {
		return
	}
	c := *s.leaving
	c.Verb, c.Why = interrupt, cmp.Or(c.Why, "its process was ended")
	s.leaving = nil
	delete(m.driven, s.id)
	if st := s.state.Status(); st.Ended() || st == run.Interrupted {
		return
	}
	for _, path := range s.state.InFlight() {
		if n := s.state.Node(path); !n.Lost { // what was never handed out did not begin
			m.fact(s, &entry.StepResult{Path: path, Attempt: n.Attempt, Outcome: entry.NotStarted, Again: true, Fault: &entry.Fault{
				Kind: string(fault.Lost), Message: "its process ended before it began", Path: path,
			}}, now)
		}
	}
	m.fact(s, &entry.RunInterrupted{Why: c.Why}, now)
	if c.Run = s.state.Created.Cause.Parent; c.Run != "" {
		m.handle(Commanded{Command: c}, now) // nothing would move it
	}
}

// arrived delivers an outside event.
func (m *Machine) arrived(s *session, x Arrived, now time.Time) {
	if m.halted != "" {
		m.emit(Reply{Req: x.Req, Err: haltedError(m.halted)})
		return
	}
	if x.Called != nil {
		path, err := s.state.Callback(x.Event)
		if err != nil {
			m.emit(Reply{Req: x.Req, Err: err})
			return
		}
		x.Path, x.Payload["key"] = path, s.state.Node(path).Key
	}
	n := s.state.Node(x.Path)
	if n == nil || n.Phase != run.PhaseWaiting || n.On == "" || s.evaluating > 0 {
		m.emit(Reply{Req: x.Req, Err: fault.New(fault.Conflict, "run %s does not wait for this event any more", s.id)})
		return
	}
	m.fact(s, &entry.WaitEnded{Path: x.Path, Event: x.Payload, Called: x.Called}, now)
	if x.Called != nil {
		t := s.open()
		t.other = append(t.other, fact{auditStream(s), &entry.Audited{
			By: *x.Called, What: "called-back", Object: s.id, Detail: value.Object{"event": x.Event, "path": x.Path},
		}})
	}
	s.open().replies = append(s.open().replies, Reply{Req: x.Req})
	m.advance(s, now)
}
