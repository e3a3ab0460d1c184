package engine

import (
	"maps"
	"slices"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/run"
)

// command applies a person's command, or says why the run's state does not allow it.
func (m *Machine) command(s *session, x Commanded, now time.Time) {
	if x.Command.Verb == interrupt && len(s.dispatched) > 0 {
		m.interruptActing(s, x.Command, now)
		m.emit(Reply{Req: x.Req, Value: Done{Run: s.id}})
		return
	}
	done, facts, err := m.judge(s, x.Command, now)
	if x.Redacted != nil && x.Redacted.Head != s.head {
		err = errMoved
	}
	if m.halted != "" && (moves(x.Command.Verb) || x.Audit != nil && m.damaged[auditStream(s)]) {
		err = haltedError(m.halted)
	}
	if err != nil {
		m.emit(Reply{Req: x.Req, Err: err})
		return
	}
	for _, p := range facts {
		m.fact(s, p, now)
	}
	switch x.Command.Verb {
	case Resume, Unpause:
		m.driven[s.id] = true
	case Leave, retire:
		m.leave(s, x.Command, now)
	case Params:
		m.voidApprovals(s, now)
	case Redact:
		t := s.open()
		m.redacted(s, x.Redacted)
		t.erase = append(t.erase, x.Erase...)
		t.rows = append(t.rows, x.Rows...)
		if x.Audit != nil {
			t.other = append(t.other, fact{auditStream(s), x.Audit})
		}
	case interrupt:
		delete(m.driven, s.id)
	case Cancel, Pause, Permit, Skip, Retry, Rollback, Release, restored:
	}
	// Whoever asked looks at the run next, and must not see how it stood before.
	s.owed = append(s.owed, Reply{Req: x.Req, Value: done})
	m.advance(s, now)
}

// redacted takes the state of a run without what is erased from it.
func (m *Machine) redacted(s *session, l *Loaded) {
	if l == nil {
		return
	}
	s.state = l.State
	for tid, ts := range s.tasks {
		if lt, ok := l.Tasks[tid]; ok && ts.head == lt.Head {
			ts.task = lt.Task
		}
	}
}

// moves tells whether a command makes a run go on, which nothing does in a halted directory.
func moves(v Verb) bool {
	switch v {
	case Redact, Release, Leave, retire, interrupt, restored:
		return false
	case Cancel, Pause, Unpause, Resume, Permit, Skip, Retry, Rollback, Params:
	}
	return true
}

// judge says which facts a command is, and in which states it is legal.
func (m *Machine) judge(s *session, c Command, now time.Time) (Done, []entry.Payload, error) {
	st := s.state.Status()
	done := Done{Run: s.id}
	no := func(next string, a ...any) (Done, []entry.Payload, error) {
		e := fault.New(fault.Conflict, "run %s %s: it cannot %s", s.id, stands(st), asked(c.Verb))
		if next != "" {
			e = e.WithNext(next, a...)
		}
		return Done{}, nil, e
	}
	if st.Ended() && c.Verb != Redact && c.Verb != Leave && c.Verb != retire {
		return no("tend runs show %s", s.id)
	}
	switch c.Verb {
	case Cancel:
		if s.state.Cancel != nil {
			return no("")
		}
		facts := []entry.Payload{}
		if st == run.Interrupted {
			facts = append(facts, &entry.RunResumed{By: c.By, Why: c.Why})
			m.driven[s.id] = true
		}
		m.driven[s.id] = true
		return done, append(facts, &entry.CancelRequested{By: c.By, Why: c.Why}), nil
	case Pause:
		if s.state.Paused != nil {
			return Done{}, nil, fault.New(fault.Conflict, "run %s is paused already", s.id).WithNext("tend runs resume %s", s.id)
		}
		if s.state.Cancel != nil {
			return no("")
		}
		return done, []entry.Payload{&entry.RunPaused{By: c.By, Why: c.Why}}, nil
	case Unpause:
		if s.state.Paused == nil {
			return no("")
		}
		return done, []entry.Payload{&entry.RunUnpaused{By: c.By, Why: c.Why}}, nil
	case Resume:
		var facts []entry.Payload
		if s.state.Interrupted != "" {
			facts = append(facts, &entry.RunResumed{By: c.By, Why: c.Why})
		}
		if s.state.Paused != nil {
			facts = append(facts, &entry.RunUnpaused{By: c.By, Why: c.Why})
		}
		return done, facts, nil
	case Permit:
		path, err := s.permitted(c, now)
		if err != nil {
			return Done{}, nil, err
		}
		return done, []entry.Payload{&entry.StepPermitted{Path: path, All: c.All, By: c.By, Why: c.Why}}, nil
	case Skip:
		path, err := s.state.Find(c.Path)
		if err != nil {
			return Done{}, nil, err
		}
		if def, err := run.Locate(s.state.Program(), path); err == nil && def != nil && def.Kind == program.KindApprove {
			return Done{}, nil, fault.New(fault.Conflict, "%s asks for an approval, which skipping would go round", path).
				WithNext("answer it: tend inbox; or cancel the run: tend runs cancel %s", s.id)
		}
		if s.state.Over(path) {
			return Done{}, nil, fault.New(fault.Conflict, "%s is over and cannot be skipped", path).WithNext("tend runs show %s", s.id)
		}
		if n := s.state.Node(path); n != nil {
			switch n.Phase {
			case run.PhaseActing:
				return Done{}, nil, fault.New(fault.Conflict, "%s acts now and cannot be skipped", path).WithNext("tend runs cancel %s", s.id)
			case run.PhaseDoubted:
				return Done{}, nil, fault.New(fault.Conflict, "%s is in doubt", path).WithNext("tend inbox answer %s skip", n.Task)
			default:
			}
		}
		return done, []entry.Payload{&entry.SkipRequested{Path: path, By: c.By, Why: c.Why}}, nil
	case Params:
		return done, []entry.Payload{&entry.ParamsChanged{By: c.By, Params: c.Params, Why: c.Why}}, nil
	case interrupt:
		if s.state.Interrupted != "" {
			return done, nil, nil
		}
		return done, []entry.Payload{&entry.RunInterrupted{Why: c.Why}}, nil
	case restored:
		var facts []entry.Payload
		if s.state.Interrupted == "" {
			facts = append(facts, &entry.RunInterrupted{Why: c.Why})
		}
		return done, append(facts, &entry.RunRestored{By: c.By, Why: c.Why}), nil
	case Leave, retire, Redact:
		return done, nil, nil
	case Retry, Rollback, Release:
		return no("")
	}
	return Done{}, nil, fault.New(fault.Invalid, "unknown command %q", c.Verb)
}

// stands and asked put a refusal into words.
func stands(st run.Status) string {
	if st == run.Succeeded || st == run.Failed {
		return "has " + string(st)
	}
	return "is " + string(st)
}

func asked(v Verb) string {
	switch v {
	case Cancel:
		return "be cancelled"
	case Pause:
		return "be paused"
	case Unpause, Resume:
		return "go on"
	case Permit:
		return "be stepped through"
	case Skip:
		return "leave out a step"
	case Retry:
		return "be retried"
	case Rollback:
		return "be rolled back"
	case Release:
		return "be released"
	case Params:
		return "take other parameters"
	case Redact, Leave, retire, interrupt, restored:
	}
	return "be asked to " + string(v)
}

// permitted gives the step that a stepping run is allowed to begin: the one that was named, or the first that waits.
func (s *session) permitted(c Command, now time.Time) (string, error) {
	if !s.state.Stepping {
		return "", fault.New(fault.Conflict, "run %s is not stepped through", s.id).WithNext("tend runs explain %s", s.id)
	}
	if c.All {
		return "", nil
	}
	path := ""
	if c.Path != "" {
		var err error
		if path, err = s.state.Find(c.Path); err != nil {
			return "", err
		}
	}
	for _, w := range run.Decide(s.state, now).Waits {
		if w.For == "permit" && (path == "" || w.Path == path) {
			return w.Path, nil
		}
	}
	if path != "" {
		return "", fault.New(fault.Conflict, "%s is not what run %s would begin next", path, s.id).WithNext("tend runs explain %s", s.id)
	}
	return "", fault.New(fault.Conflict, "no step of run %s waits to begin", s.id).WithNext("tend runs explain %s", s.id)
}

// leave ends the driving of a run and of what it called: what acts is stopped, or with retire may end by itself, and its
// end is still recorded. A run that only people can move keeps its status; one that would have gone on is interrupted.
func (m *Machine) leave(s *session, c Command, now time.Time) {
	d := run.Decide(s.state, now)
	goesOn := m.driven[s.id]
	switch s.state.Status() {
	case run.Paused, run.InDoubt, run.Succeeded, run.Failed, run.Cancelled, run.Quarantined:
		goesOn = false
	case run.Waiting:
		// A sub-playbook that is interrupted interrupts this run: see left. A server goes on with what waits for a time when
		// it comes back; nothing need be said about that.
		goesOn = goesOn && !m.all && slices.ContainsFunc(d.Waits, func(w run.Wait) bool { return w.For != "child" && Wait(w).Moves() })
	case run.Pending, run.Running, run.Cancelling, run.Undoing, run.Interrupted:
	}
	if goesOn {
		s.leaving = &c // before what it called: that tells its caller when it is left
	}
	for _, kid := range d.Children {
		if m.driven[kid] {
			of := c
			of.Run = kid
			m.handle(Commanded{Command: of}, now)
		}
	}
	if !goesOn {
		delete(m.driven, s.id)
		return
	}
	for _, path := range slices.Sorted(maps.Keys(s.dispatched)) {
		attempt := s.dispatched[path]
		if c.Verb != retire && !s.stopping[path] {
			s.stopping[path] = true
			m.emit(StopAct{Run: s.id, Path: path, Attempt: attempt, Fault: entry.Fault{Kind: string(fault.Cancelled), Message: "its process ends", Path: path}})
		}
	}
	m.left(s, now)
}

// interruptActing interrupts a run when what acts has ended.
func (m *Machine) interruptActing(s *session, c Command, now time.Time) {
	if s.leaving == nil {
		c.Verb = Leave
		m.leave(s, c, now)
	}
}

// voidApprovals takes back questions, and answers to them, about what changed parameters would change. What a step would
// do is compared with what was approved before it begins; of a block only its question is known.
func (m *Machine) voidApprovals(s *session, now time.Time) {
	for _, path := range s.state.Approvals() {
		n := s.state.Node(path)
		m.fact(s, &entry.ApprovalVoid{Path: path, Task: n.Task, Why: "parameters changed"}, now)
	}
}
