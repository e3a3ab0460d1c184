package run

import (
	"maps"
	"slices"
	"time"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/value"
)

// Fold decodes an entry and folds it in. See Evolve.
func (s *State) Fold(e entry.Entry) error {
	if e.Seq != s.Length+1 {
		return fault.New(fault.Damaged, "%s: entry %d follows entry %d", e.Stream, e.Seq, s.Length)
	}
	p, err := entry.Decode(e)
	if err != nil {
		return err
	}
	return s.Evolve(p, e.At)
}

// Evolve folds one fact into the state. An entry that the state does not allow is an error of kind fault.Damaged, and
// leaves the state as unusable as the stream that it came from.
func (s *State) Evolve(p entry.Payload, at time.Time) error {
	s.Length++
	if s.Quarantine != nil {
		return s.illegal(p, "the run is quarantined")
	}
	if _, ok := p.(*entry.RunQuarantined); s.End != nil && !ok {
		return s.illegal(p, "the run has ended")
	}
	if _, ok := p.(*entry.RunCreated); ok != (s.Created == nil) {
		return s.illegal(p, "a run is created once, first")
	}
	if done, err := s.evolveRun(p, at); done {
		return err
	}
	path, ok := pathOf(p)
	if !ok {
		return s.illegal(p, "not a fact about a run")
	}
	n, err := s.ensure(path)
	if err != nil {
		return fault.Wrap(fault.Damaged, err, "fold entry %d (%s)", s.Length, p.Kind())
	}
	if err := s.possible(n, p); err != nil {
		return err
	}
	if done, err := s.evolveBlock(n, p, at); done {
		return err
	}
	return s.evolveStep(n, p, at)
}

func (s *State) illegal(p entry.Payload, format string, a ...any) error {
	return fault.New(fault.Damaged, "run %s entry %d: %s is not possible here: "+format, append([]any{s.ID, s.Length, p.Kind()}, a...)...)
}

// evolveRun handles the facts about the whole run.
func (s *State) evolveRun(p entry.Payload, at time.Time) (bool, error) {
	switch x := p.(type) {
	case *entry.RunCreated:
		s.Created, s.CreatedAt, s.Params, s.Stepping = x, at, x.Params, x.Stepping
		s.hides = expr.Holds(x.Params) || expr.Holds(x.Event) || expr.Holds(x.Metadata)
	case *entry.RunCarried:
		if s.Length != 2 {
			return true, s.illegal(p, "it follows the creation of a run")
		}
		return true, s.adopt(x, at)
	case *entry.RunStarted:
		if why := s.still(); why != "" {
			return true, s.illegal(p, "%s", why)
		}
		s.StartedAt, s.Root.Phase, s.Root.Since = at, PhaseOpen, at
	case *entry.RunInterrupted:
		if s.Interrupted != "" {
			return true, s.illegal(p, "it is interrupted already")
		}
		s.Interrupted = x.Why
		for _, n := range s.Nodes {
			n.Lost = n.Lost || n.Phase == PhaseActing
		}
	case *entry.RunResumed:
		if s.Interrupted == "" {
			return true, s.illegal(p, "it is not interrupted")
		}
		s.Interrupted = ""
		for _, n := range s.Nodes {
			if n.Phase == PhaseHeld && n.Key == "runner" {
				n.set(PhaseReady, at) // the runner may be known by now
			}
		}
	case *entry.RunRestored:
		s.Restored = x.Why
	case *entry.RunPaused:
		if s.Paused != nil {
			return true, s.illegal(p, "it is paused already")
		}
		if s.Cancel != nil {
			return true, s.illegal(p, "it is being cancelled")
		}
		s.Paused = x
	case *entry.RunUnpaused:
		if s.Paused == nil {
			return true, s.illegal(p, "it is not paused")
		}
		s.Paused = nil
	case *entry.CancelRequested:
		if s.Cancel != nil {
			return true, s.illegal(p, "it is being cancelled already")
		}
		s.Cancel, s.Paused = x, nil
	case *entry.ParamsChanged:
		changed := value.Object{}
		for k, v := range s.Params {
			changed[k] = v
		}
		for k, v := range x.Params {
			changed[k] = v
		}
		s.Params = changed
		s.hides = s.hides || expr.Holds(x.Params)
	case *entry.StepPermitted:
		if !s.Stepping {
			return true, s.illegal(p, "it is not stepped through")
		}
		s.Permitted = x.Path
		if x.All {
			s.Stepping = false
		}
	case *entry.SkipRequested:
		s.Skips[x.Path] = x.By
	case *entry.UndoStarted:
		if s.Interrupted != "" || s.Root.Phase != PhaseOpen || s.Root.Section != sectionBody {
			return true, s.illegal(p, "undoing comes after the steps")
		}
		if why := s.busy(s.Root); why != "" {
			return true, s.illegal(p, "%s", why)
		}
		s.Root.Section, s.Root.Pending = sectionUndo, &x.Fault
	case *entry.UndoEnded:
		if s.Root.Section != sectionUndo || s.Undone != nil {
			return true, s.illegal(p, "nothing is being undone")
		}
		s.Undone = x
	case *entry.RunEnded:
		if why := s.endable(x); why != "" {
			return true, s.illegal(p, "%s", why)
		}
		s.End, s.EndedAt = x, at
	case *entry.RunQuarantined:
		s.Quarantine, s.EndedAt = x, at
	default:
		return false, nil
	}
	return true, nil
}

// still says what keeps a run that was created from being started, or nothing.
func (s *State) still() string {
	switch {
	case !s.StartedAt.IsZero():
		return "it runs already"
	case s.Interrupted != "":
		return "it is interrupted"
	case s.Paused != nil:
		return "it is paused"
	case s.Cancel != nil:
		return "it is being cancelled"
	}
	return ""
}

// endable says why the run cannot end so, or nothing.
func (s *State) endable(x *entry.RunEnded) string {
	switch st := Status(x.Status); {
	case st != Succeeded && st != Failed && st != Cancelled:
		return "no run ends as " + x.Status
	case s.Interrupted != "":
		return "it is interrupted"
	case (st == Cancelled) != (s.Cancel != nil):
		return "only a run that is being cancelled ends as cancelled"
	case st != Cancelled && s.StartedAt.IsZero():
		return "it was not started"
	case s.Root.Section == sectionUndo && s.Undone == nil:
		return "steps are being undone"
	case st == Succeeded && s.Root.Section == sectionBody && s.Root.Cursor < len(s.prog.Steps):
		return "not all steps are over"
	}
	for _, p := range slices.Sorted(maps.Keys(s.Nodes)) {
		if n := s.Nodes[p]; n.Phase != PhaseNew && n.Phase != PhaseDone {
			return p + " is " + n.Phase.name()
		}
	}
	return ""
}

// evolveBlock handles the facts about blocks and iterations.
func (s *State) evolveBlock(n *Node, p entry.Payload, at time.Time) (bool, error) {
	switch x := p.(type) {
	case *entry.BlockStarted:
		n.set(PhaseOpen, at)
		n.Begun = at
	case *entry.BlockStopped:
		if n.Stop != nil {
			return true, s.illegal(p, "it is stopped already")
		}
		n.Stop = &x.Fault
	case *entry.CatchEntered:
		n.body()
		n.Phase, n.Section, n.Cursor, n.Catches, n.Fault, n.Stop = PhaseOpen, sectionCatch, 0, &x.Fault, nil, nil
	case *entry.FinallyEntered:
		if n.Fault != nil {
			n.Pending = n.Fault
		} else if n.Stop != nil {
			n.Pending = n.Stop
		}
		n.body()
		n.Phase, n.Section, n.Cursor, n.Fault, n.Stop = PhaseOpen, sectionFinally, 0, nil, nil
	case *entry.BlockEnded:
		if n.def != nil && n.def.Kind == program.KindForeach && n.def.ID != "" && n.Loop != nil {
			s.setOutput(n, Output{Value: value.Object{
				"broke": n.Loop.Broke, "count": n.Loop.Next, "failed": n.Loop.Failed,
				"skipped": n.Loop.Skipped, "succeeded": n.Loop.Succeeded,
			}})
		}
		s.settle(n, x.Outcome, x.Fault)
	case *entry.LoopListed:
		if n.Loop != nil || n.Fault != nil {
			return true, s.illegal(p, "its list is known already")
		}
		if x.Error != nil {
			n.Fault = x.Error
			return true, nil
		}
		n.Loop = &Loop{Count: x.Count, From: x.From, Range: x.Range, List: x.List, Ref: x.Ref}
	case *entry.IterationStarted:
		if n.Loop == nil || x.Index != n.Loop.Next {
			return true, s.illegal(p, "it is not the turn of iteration %d", x.Index)
		}
		n.Loop.Next++
		n.Loop.Live = append(n.Loop.Live, x.Index)
		it := &Node{Path: iteration(n.Path, x.Key), Index: x.Index, ItemKey: x.Key, Phase: PhaseOpen, Since: at}
		if n.def.Foreach.When != nil {
			it.Phase = PhaseNew
		}
		s.Nodes[it.Path] = it
	case *entry.LockAsked:
		if n.Key != "" {
			return true, s.illegal(p, "it holds %q already", n.Key)
		}
		n.On, n.Phase, n.Since = x.Key, PhaseLock, at
	case *entry.LockTaken:
		if n.On != x.Key {
			return true, s.illegal(p, "it did not ask for %q", x.Key)
		}
		n.set(PhaseOpen, at)
		n.Key = x.Key
	case *entry.LockReleased:
		if n.Key == "" || n.Key != x.Key {
			return true, s.illegal(p, "it does not hold %q", x.Key)
		}
		n.body()
		n.Key, n.Section = "", sectionOver
	default:
		return false, nil
	}
	return true, nil
}

// evolveStep handles the facts about steps.
func (s *State) evolveStep(n *Node, p entry.Payload, at time.Time) error {
	switch x := p.(type) {
	case *entry.Condition:
		return s.evolveCondition(n, x, at)
	case *entry.StepSkipped:
		if x.Would != nil {
			s.Observed++
		}
		s.settle(n, outcomeSkipped, nil)
	case *entry.StepRefused:
		s.settle(n, string(entry.Failed), &x.Fault)
	case *entry.StepHeld:
		n.set(PhaseHeld, at)
		n.Due, n.On, n.Why, n.Key = x.Until, x.Guard, x.Why, x.For
	case *entry.StepIntent:
		if x.Attempt != n.Attempt+1 {
			return s.illegal(p, "attempt %d of %s after attempt %d", x.Attempt, n.Path, n.Attempt)
		}
		n.set(PhaseActing, at)
		n.Attempt, n.Lost, n.Fault = x.Attempt, false, nil
		n.Intent = &Intent{
			Action: x.Action, Effect: x.Effect, Key: x.Key, Inputs: x.Inputs, Runner: x.Runner, Deadline: x.Deadline,
			Irreversible: x.Irreversible, Targets: x.Targets,
		}
		if s.Permitted == n.Path {
			s.Permitted = ""
		}
	case *entry.StepResult:
		if x.Attempt != n.Attempt {
			return s.illegal(p, "no attempt %d of %s is in flight", x.Attempt, n.Path)
		}
		s.evolveResult(n, x, at)
	case *entry.RetryScheduled:
		n.set(PhaseRetrying, at)
		n.Due = x.At
	case *entry.UndoPrepared:
		s.push(UndoItem{Path: x.Path, Inputs: x.Inputs, Targets: x.Targets, Runner: x.Runner, None: x.None, Fault: x.Fault})
		n.Prepared = true
		s.afterAct(n, at)
	case *entry.StepVerified:
		if x.OK {
			s.settle(n, string(entry.Succeeded), nil)
			return nil
		}
		s.failed(n, x.Fault, at, n.Intent != nil && n.Intent.Effect != string(contract.Mutate))
	case *entry.ApprovalAsked:
		n.set(PhaseAsked, at)
		n.Task, n.Asked, n.Deadline, n.Shown = x.Task, x.Hash, x.Expires, x.Shown
	case *entry.ApprovalVoid:
		n.set(PhaseReady, at)
		n.Task, n.Asked, n.Approved, n.Shown = "", entry.Hash{}, entry.Hash{}, nil
	case *entry.DoubtAsked:
		n.set(PhaseDoubted, at)
		n.Task = x.Task
	case *entry.DoubtDecided:
		return s.evolveDoubt(n, x, at)
	case *entry.TaskOpened:
		n.set(PhaseTask, at)
		n.Task, n.Deadline, n.Default = x.Task, x.Expires, x.Default
	case *entry.TaskDecided:
		return s.evolveTask(n, x, at)
	case *entry.TaskEscalated:
		if n.Task != x.Task || x.Level != n.Level+1 {
			return s.illegal(x, "%s does not wait for task %s, or was escalated already", n.Path, x.Task)
		}
		n.Level = x.Level
	case *entry.WaitStarted:
		n.set(PhaseWaiting, at)
		n.Due, n.Deadline, n.On, n.Key = x.Until, x.Deadline, x.Event, x.Key
	case *entry.WaitEnded:
		if x.Fault != nil {
			s.settle(n, string(entry.Failed), x.Fault)
			return nil
		}
		if x.Called != nil {
			s.Called = append(s.Called, n.On)
		}
		s.acted(n, Output{Value: x.Event}, at)
	case *entry.ChildStarted:
		n.set(PhaseChild, at)
		n.On = x.Child
		n.Attempt++
	case *entry.ChildEnded:
		if n.On != x.Child {
			return s.illegal(p, "%s waits for another run than %s", n.Path, x.Child)
		}
		if x.Status == string(Succeeded) {
			s.acted(n, Output{Value: x.Outputs}, at)
			return nil
		}
		f := entry.Fault{Kind: string(fault.Cancelled), Message: "the sub-playbook ended " + x.Status}
		if x.Fault != nil {
			f = *x.Fault
		}
		f.Path = n.Path // the place in the other run means another step here
		s.settle(n, string(entry.Failed), s.uncancelled(n.Path, &f))
	default:
		return s.illegal(p, "unknown here")
	}
	return nil
}

func (s *State) evolveCondition(n *Node, x *entry.Condition, at time.Time) error {
	if x.Error != nil && x.What != "until" {
		s.settle(n, string(entry.Failed), x.Error)
		return nil
	}
	switch x.What {
	case "when":
		switch {
		case !x.Value:
			s.settle(n, outcomeSkipped, nil)
		case n.def == nil:
			n.set(PhaseOpen, at)
		default:
			n.set(PhaseReady, at)
		}
	case "break":
		loop, _ := parentOf(n.Path)
		if l := s.Nodes[loop]; l != nil && x.Value {
			l.Loop.Broke = true
		}
		s.settle(n, string(entry.Succeeded), nil)
	case "assert":
		if x.Value {
			s.settle(n, string(entry.Succeeded), nil)
			return nil
		}
		s.settle(n, string(entry.Failed), &entry.Fault{Kind: string(fault.Assert), Message: x.Text, Path: n.Path})
	case "until":
		n.Due = at.Add(every(n.check()))
		if over := n.lookUntil(); !over.IsZero() && n.Due.After(over) {
			n.Due = over
		}
		s.renew(n.Path, ".verify", ".until")
	case "stopWhen":
		n.Checked, n.Dirty = at, false
		s.renew(n.Path, ".stopWhen")
	default:
		return fault.New(fault.Damaged, "run %s entry %d: unknown condition %q", s.ID, s.Length, x.What)
	}
	return nil
}

// renew makes helpers ready for their next poll; they keep counting their attempts.
func (s *State) renew(path string, helpers ...string) {
	for _, h := range helpers {
		if n := s.Nodes[path+h]; n != nil {
			n.Phase, n.Outcome, n.Fault, n.Output, n.Intent = PhaseNew, "", nil, nil, nil
		}
	}
}

func (s *State) evolveResult(n *Node, x *entry.StepResult, at time.Time) {
	n.Lost = false
	defer func() {
		if n.Phase == PhaseFailed {
			n.Due = x.NotBefore // the other side asked not to be asked before
		}
	}()
	switch x.Outcome {
	case entry.Succeeded:
		s.acted(n, Output{Value: x.Output, Ref: x.Ref}, at)
	case entry.Failed, entry.NotStarted:
		if x.Again {
			n.Fault = orUnknown(x.Fault, n.Path)
			n.set(PhaseFailed, at)
			return
		}
		s.failed(n, orUnknown(x.Fault, n.Path), at, true)
	case entry.InDoubt:
		if n.Intent != nil && n.Intent.Effect == string(contract.Mutate) {
			s.Restored = ""
		}
		n.Fault = orUnknown(x.Fault, n.Path)
		switch doubtPolicy(n) {
		case "retry":
			if n.Attempt < doubtAttempts(n.def) {
				n.set(PhaseFailed, at)
				return
			}
			s.doubtful(n)
			s.settle(n, string(entry.Failed), n.Fault)
		case "fail":
			s.doubtful(n)
			s.settle(n, string(entry.Failed), n.Fault)
		default:
			n.set(PhaseDoubt, at)
		}
	}
}

func orUnknown(f *entry.Fault, path string) *entry.Fault {
	if f != nil {
		if f.Path == "" {
			f.Path = path
		}
		return f
	}
	return &entry.Fault{Kind: string(fault.Internal), Message: "the action did not say why", Path: path}
}

// uncancelled says why a sub-playbook was cancelled in a run that is not: that is a failure like others. A block around it
// that was stopped gives its own reason.
func (s *State) uncancelled(path string, f *entry.Fault) *entry.Fault {
	if f.Kind != string(fault.Cancelled) || s.Cancel != nil {
		return f
	}
	for path != "" {
		path, _ = parentOf(path)
		if n := s.Node(path); n != nil && n.Stop != nil {
			return n.Stop
		}
	}
	c := *f
	c.Kind = string(fault.Stopped)
	return &c
}

// doubtful remembers that nobody knows what the step did, unless it could do nothing.
func (s *State) doubtful(n *Node) {
	if n.Intent == nil || n.Intent.Effect != string(contract.Read) {
		s.Doubts = append(s.Doubts, n.Path)
	}
}

// acted is the way on after a success.
func (s *State) acted(n *Node, out Output, at time.Time) {
	if n.helper() {
		n.Output = &out
	} else {
		s.setOutput(n, out)
	}
	n.set(PhaseActed, at)
	if n.def.Undo == nil || n.Prepared {
		s.afterAct(n, at)
	}
}

func (s *State) afterAct(n *Node, at time.Time) {
	if n.def.Verify != nil {
		n.set(PhaseVerifying, at)
		s.renew(n.Path, ".verify")
		return
	}
	s.settle(n, string(entry.Succeeded), nil)
}

// failed decides between another attempt and the end of the step.
func (s *State) failed(n *Node, f *entry.Fault, at time.Time, may bool) {
	n.Fault = f
	if may && retries(n.def.Retry, n.Attempt, f.Kind) {
		n.set(PhaseFailed, at)
		return
	}
	s.settle(n, string(entry.Failed), f)
}

func (s *State) evolveDoubt(n *Node, x *entry.DoubtDecided, at time.Time) error {
	n.Task = ""
	switch x.Answer {
	case "happened":
		s.acted(n, Output{Value: x.Output}, at)
	case "not-happened":
		n.set(PhaseReady, at)
		s.renew(n.Path, ".probe")
	case "again":
		n.Again++
		n.set(PhaseReady, at)
	case "fail":
		s.settle(n, string(entry.Failed), n.Fault)
	case "skip":
		s.settle(n, outcomeSkipped, nil)
	case "left":
		s.doubtful(n)
		s.settle(n, string(entry.Failed), &entry.Fault{Kind: string(fault.Cancelled), Message: n.Fault.Message, Path: n.Path})
	case "unclear":
		n.Probed = true
	default:
		return s.illegal(x, "unknown answer %q", x.Answer)
	}
	return nil
}

func (s *State) evolveTask(n *Node, x *entry.TaskDecided, at time.Time) error {
	if n.Task != x.Task {
		return s.illegal(x, "%s does not wait for task %s", n.Path, x.Task)
	}
	yes := x.Outcome == "approved" || x.Outcome == "answered" || x.Outcome == "done"
	n.Task = ""
	if !yes {
		msg := "nobody answered in time, which is no"
		if x.Outcome != "expired" {
			msg = x.Outcome
			if len(x.By) > 0 {
				msg += " by " + x.By[len(x.By)-1].Name
			}
			if x.Why != "" {
				msg += ": " + x.Why
			}
		}
		s.settle(n, string(entry.Failed), &entry.Fault{Kind: string(fault.Rejected), Message: msg, Path: n.Path})
		return nil
	}
	if n.Phase == PhaseAsked {
		n.Approved, n.Asked = n.Asked, entry.Hash{}
		n.set(PhaseReady, at)
		return nil
	}
	s.acted(n, Output{Value: x.Output}, at)
	return nil
}

func (n *Node) set(p Phase, at time.Time) {
	n.Phase, n.Since, n.Due, n.Deadline, n.On, n.Why, n.Level = p, at, time.Time{}, time.Time{}, "", "", 0
}

// body remembers where the body stood when another section begins.
func (n *Node) body() {
	if n.Section == sectionBody || n.Section == sectionUndo {
		n.Body = n.Cursor
	}
}
