package run

import (
	"slices"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/value"
)

// settle ends an instance and tells its parent.
func (s *State) settle(n *Node, outcome string, f *entry.Fault) {
	if outcome != outcomeSkipped && f != nil && n.def != nil && n.def.IgnoreFailure && f.Kind != string(fault.Cancelled) {
		outcome = outcomeCaught
	}
	n.Phase, n.Outcome, n.Fault, n.Task, n.Due = PhaseDone, outcome, f, "", time.Time{}
	if n.def != nil && n.def.ID != "" && !n.helper() {
		s.Stats[n.def.ID] = Stat{Status: statName(outcome), Attempts: n.Attempt}
	}
	s.forgetHelpers(n.Path)
	parent, seg := parentOf(n.Path)
	switch {
	case seg.helper():
		s.settleHelper(n, parent, seg.name)
	case seg.keyed:
		s.settleIteration(n, s.Nodes[parent])
	default:
		s.settleChild(n, s.Node(parent), seg)
	}
}

func statName(outcome string) string {
	if outcome == outcomeCaught {
		return string(Failed)
	}
	return outcome
}

func bad(outcome string) bool {
	return outcome != string(entry.Succeeded) && outcome != outcomeSkipped && outcome != outcomeCaught
}

// settleHelper: the owner consumes the result of verify and its like; an undo changes its item.
func (s *State) settleHelper(n *Node, owner, name string) {
	if name != "undo" {
		return
	}
	for i := range s.Undo {
		if s.Undo[i].Path == owner {
			s.Undo[i].State = "undone"
			if bad(n.Outcome) {
				s.Undo[i].State, s.Undo[i].Fault = "failed", n.Fault
			}
		}
	}
	delete(s.Nodes, n.Path)
}

func (s *State) settleIteration(n, loop *Node) {
	if loop == nil || loop.Loop == nil {
		return
	}
	l := loop.Loop
	l.Live = slices.DeleteFunc(l.Live, func(i int64) bool { return i == n.Index })
	switch {
	case bad(n.Outcome):
		l.Failed++
		if loop.Fault == nil {
			loop.Fault = n.Fault
		}
	case n.Outcome == outcomeSkipped:
		l.Skipped++
	default:
		l.Succeeded++
	}
	loop.Dirty = true
	for id, o := range n.Local {
		s.setOutputID(loop, id, o)
	}
	if len(n.Merged) > 0 {
		s.merge(loop, n.Merged)
	}
	if !bad(n.Outcome) {
		s.purge(n)
	}
}

func (s *State) settleChild(n, parent *Node, seg segment) {
	if parent == nil {
		return
	}
	parent.Dirty = true
	if seg.name == "parallel" {
		if parent.Ended == nil {
			parent.Ended = map[int]bool{}
		}
		parent.Ended[seg.index] = true
	}
	if bad(n.Outcome) {
		if parent.Fault == nil {
			parent.Fault = n.Fault
		}
	} else {
		if seg.name != "parallel" {
			parent.Cursor = seg.index + 1
		}
		s.purge(n)
	}
	// An iteration has no facts of its own for its end, unless `break` has to be asked.
	_, pseg := parentOf(parent.Path)
	if !pseg.keyed {
		return
	}
	if parent.Fault != nil {
		s.settle(parent, string(entry.Failed), parent.Fault)
		return
	}
	loop, _ := parentOf(parent.Path)
	if l := s.Nodes[loop]; l != nil && parent.Cursor >= len(l.def.Steps) && l.def.Foreach.Break == nil {
		s.settle(parent, string(entry.Succeeded), nil)
	}
}

// purge forgets an instance that is over, with what is left below it.
func (s *State) purge(n *Node) {
	s.remember(n)
	deep := n.Catches != nil || n.Pending != nil || n.Fault != nil || n.Stop != nil
	s.forget(n.Path)
	if !deep {
		return
	}
	for p := range s.Nodes {
		if strings.HasPrefix(p, n.Path+".") {
			s.remember(s.Nodes[p])
			delete(s.Nodes, p)
		}
	}
}

// remember keeps a step in doubt that is over for the run, because its failure was handled or ignored: a retry that goes
// back before it must ask.
func (s *State) remember(n *Node) {
	if n.Intent == nil || n.Outcome == string(entry.Succeeded) || n.Outcome == outcomeSkipped || !slices.Contains(s.Doubts, n.Path) {
		return
	}
	if s.Handled == nil {
		s.Handled = map[string]*Node{}
	}
	s.Handled[n.Path] = n.inDoubt()
}

// home finds the iteration of a parallel loop around the instance, or nil: its steps see their own outputs.
func (s *State) home(n *Node) *Node {
	for p := n.Path; p != ""; {
		parent, seg := parentOf(p)
		if seg.keyed {
			if l := s.Nodes[parent]; l != nil && l.def != nil && l.def.Foreach.Parallel > 1 {
				return s.Nodes[p]
			}
		}
		p = parent
	}
	return nil
}

func (s *State) setOutput(n *Node, o Output) {
	if n.def != nil && n.def.ID != "" {
		s.setOutputID(n, n.def.ID, o)
	}
	if s.Lenient() && n.def != nil && o.Ref == nil && n.def.Kind != program.KindForeach {
		s.merge(n, o.Value)
	}
}

func (s *State) setOutputID(n *Node, id string, o Output) {
	s.noted(&o)
	if h := s.home(n); h != nil {
		if h.Local == nil {
			h.Local = map[string]Output{}
		}
		h.Local[id] = o
		return
	}
	s.Outputs[id] = o
}

func (s *State) merge(n *Node, keys value.Object) {
	s.hides = s.hides || expr.Holds(keys)
	to := s.Merged
	if h := s.home(n); h != nil {
		if h.Merged == nil {
			h.Merged = value.Object{}
		}
		to = h.Merged
	}
	for k, v := range keys {
		to[k] = v
	}
}

// noted remembers that something in an output is sealed, so that nobody has to look for it again.
func (s *State) noted(o *Output) {
	o.hides = expr.Holds(o.Value)
	s.hides = s.hides || o.hides
}

// push puts an item on the undo stack; a repeated step replaces its own.
func (s *State) push(it UndoItem) {
	s.Undo = slices.DeleteFunc(s.Undo, func(o UndoItem) bool { return o.Path == it.Path })
	s.Undo = append(s.Undo, it)
}

// helper tells whether n belongs to another step: verify, probe, until, stopWhen, undo.
func (n *Node) helper() bool {
	_, seg := parentOf(n.Path)
	return seg.helper()
}

// check is what a verifying or waiting node polls.
func (n *Node) check() *program.Check {
	switch {
	case n.def == nil:
		return nil
	case n.def.Wait != nil:
		return n.def.Wait.Until
	default:
		return n.def.Verify
	}
}

// lookUntil is when the looking of a check is over: from then on no other look begins, and one that has no time limit of its
// own is ended. Zero is never. A condition that held at the last moment counts, so the last look is taken just then.
func (n *Node) lookUntil() time.Time {
	switch {
	case n.def == nil:
		return time.Time{}
	case n.Phase == PhaseWaiting && n.def.Wait != nil:
		return n.Deadline
	case n.Phase == PhaseVerifying && n.def.Verify != nil && n.def.Verify.Within > 0:
		return n.Since.Add(time.Duration(n.def.Verify.Within))
	default:
		return time.Time{}
	}
}

const (
	shortestLook = 10 * time.Second // what a look may take, however little is left of `within`
	longestWatch = 30 * time.Second // what a stopWhen without a `timeout` may take: unreadable means stop
)

// lookLimit bounds an attempt of a helper that has no time limit of its own, so that a check that hangs does not hang the
// run; zero is no bound.
func (s *State) lookLimit(path string, now time.Time) time.Time {
	parent, seg := parentOf(path)
	switch seg.name {
	case "stopWhen":
		return now.Add(longestWatch)
	case "verify", "until":
		owner := s.Nodes[parent]
		if owner == nil {
			return time.Time{}
		}
		over := owner.lookUntil()
		if least := now.Add(shortestLook); !over.IsZero() && over.Before(least) {
			return least
		}
		return over
	}
	return time.Time{}
}

func every(c *program.Check) time.Duration {
	if c == nil || c.Every <= 0 {
		return 2 * time.Second
	}
	return time.Duration(c.Every)
}

// pathOf finds the instance that a fact is about.
func pathOf(p entry.Payload) (string, bool) {
	switch x := p.(type) {
	case *entry.Condition:
		return x.Path, true
	case *entry.LoopListed:
		return x.Path, true
	case *entry.IterationStarted:
		return x.Path, true
	case *entry.StepHeld:
		return x.Path, true
	case *entry.StepRefused:
		return x.Path, true
	case *entry.StepSkipped:
		return x.Path, true
	case *entry.StepIntent:
		return x.Path, true
	case *entry.StepResult:
		return x.Path, true
	case *entry.RetryScheduled:
		return x.Path, true
	case *entry.StepVerified:
		return x.Path, true
	case *entry.ApprovalAsked:
		return x.Path, true
	case *entry.ApprovalVoid:
		return x.Path, true
	case *entry.DoubtAsked:
		return x.Path, true
	case *entry.DoubtDecided:
		return x.Path, true
	case *entry.TaskOpened:
		return x.Path, true
	case *entry.TaskDecided:
		return x.Path, true
	case *entry.TaskEscalated:
		return x.Path, true
	case *entry.WaitStarted:
		return x.Path, true
	case *entry.WaitEnded:
		return x.Path, true
	case *entry.ChildStarted:
		return x.Path, true
	case *entry.ChildEnded:
		return x.Path, true
	case *entry.LockAsked:
		return x.Path, true
	case *entry.LockTaken:
		return x.Path, true
	case *entry.LockReleased:
		return x.Path, true
	case *entry.CatchEntered:
		return x.Path, true
	case *entry.FinallyEntered:
		return x.Path, true
	case *entry.BlockStarted:
		return x.Path, true
	case *entry.BlockEnded:
		return x.Path, true
	case *entry.BlockStopped:
		return x.Path, true
	case *entry.UndoPrepared:
		return x.Path, true
	}
	return "", false
}

// PathOf finds the step, block or iteration that a fact is about.
func PathOf(p entry.Payload) (string, bool) { return pathOf(p) }
