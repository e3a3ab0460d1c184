package run

import (
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/program"
)

// roles is a set of the things that a fact can be about.
type roles uint16

const (
	roleAction roles = 1 << iota
	roleWait
	rolePeople // approve, ask, manual
	roleCall
	roleAssert
	roleFail
	roleSteps // steps and parallel
	roleForeach
	roleLock
	roleIteration
	roleRun

	roleStep  = roleAction | roleWait | rolePeople | roleCall | roleAssert | roleFail
	roleBlock = roleSteps | roleForeach | roleLock
)

func (n *Node) role() roles {
	switch {
	case n.Path == "":
		return roleRun
	case n.def == nil:
		return roleIteration
	}
	switch n.def.Kind {
	case program.KindAction:
		return roleAction
	case program.KindWait:
		return roleWait
	case program.KindApprove, program.KindAsk, program.KindManual:
		return rolePeople
	case program.KindCall:
		return roleCall
	case program.KindAssert:
		return roleAssert
	case program.KindFail:
		return roleFail
	case program.KindSteps, program.KindParallel:
		return roleSteps
	case program.KindForeach:
		return roleForeach
	case program.KindLock:
		return roleLock
	}
	return 0
}

// phases is a set of phases.
type phases uint32

const (
	inNew phases = 1 << iota
	inReady
	inAsked
	inHeld
	inActing
	inActed
	inVerifying
	inFailed
	inRetrying
	inDoubt
	inDoubted
	inWaiting
	inTask
	inChild
	inLock
	inOpen

	inFresh = inNew | inReady
	inLater = inRetrying | inHeld // a step that may begin when its time comes
)

func (p Phase) bit() phases {
	switch p {
	case PhaseNew:
		return inNew
	case PhaseReady:
		return inReady
	case PhaseAsked:
		return inAsked
	case PhaseHeld:
		return inHeld
	case PhaseActing:
		return inActing
	case PhaseActed:
		return inActed
	case PhaseVerifying:
		return inVerifying
	case PhaseFailed:
		return inFailed
	case PhaseRetrying:
		return inRetrying
	case PhaseDoubt:
		return inDoubt
	case PhaseDoubted:
		return inDoubted
	case PhaseWaiting:
		return inWaiting
	case PhaseTask:
		return inTask
	case PhaseChild:
		return inChild
	case PhaseLock:
		return inLock
	case PhaseOpen:
		return inOpen
	case PhaseDone:
	}
	return 0
}

// legal is the state diagram: what a fact can be about, and in which phases it is possible. Nothing is possible for an
// instance that is over.
func legal(p entry.Payload) (roles, phases) {
	switch x := p.(type) {
	case *entry.Condition:
		switch x.What {
		case "when":
			return roleStep | roleBlock | roleIteration, inNew
		case "break":
			return roleIteration, inOpen
		case "assert":
			return roleAssert, inFresh
		case "until":
			return roleAction | roleWait, inVerifying | inWaiting
		case "stopWhen":
			return roleBlock, inOpen
		}
	case *entry.StepSkipped:
		return roleStep | roleBlock, inFresh | inLater | inAsked | inTask | inWaiting
	case *entry.StepRefused:
		return roleStep | roleBlock, inFresh | inLater | inFailed
	case *entry.StepHeld:
		return roleAction, inFresh | inLater
	case *entry.StepIntent:
		return roleAction, inFresh | inLater
	case *entry.StepResult:
		return roleAction, inActing
	case *entry.RetryScheduled:
		return roleAction, inFailed
	case *entry.UndoPrepared:
		return roleAction, inActed
	case *entry.StepVerified:
		return roleAction, inVerifying
	case *entry.ApprovalAsked:
		return roleAction | roleCall | roleBlock, inFresh | inLater
	case *entry.ApprovalVoid:
		return roleAction | roleCall | roleBlock, inReady | inLater | inAsked
	case *entry.DoubtAsked:
		return roleAction, inDoubt
	case *entry.DoubtDecided:
		return roleAction, inDoubt | inDoubted
	case *entry.TaskOpened:
		return rolePeople, inFresh
	case *entry.TaskDecided:
		return rolePeople | roleAction | roleCall | roleBlock, inAsked | inTask
	case *entry.TaskEscalated:
		return rolePeople | roleAction | roleCall | roleBlock, inAsked | inTask
	case *entry.WaitStarted:
		return roleWait, inFresh
	case *entry.WaitEnded:
		return roleWait, inWaiting
	case *entry.ChildStarted:
		return roleCall, inFresh
	case *entry.ChildEnded:
		return roleCall, inChild
	case *entry.BlockStarted:
		return roleBlock, inFresh
	case *entry.BlockStopped, *entry.CatchEntered, *entry.FinallyEntered:
		return roleBlock | roleRun, inOpen | inLock
	case *entry.BlockEnded:
		return roleBlock | roleIteration, inOpen | inLock
	case *entry.LoopListed, *entry.IterationStarted:
		return roleForeach, inOpen
	case *entry.LockAsked, *entry.LockReleased:
		return roleLock, inOpen
	case *entry.LockTaken:
		return roleLock, inLock
	}
	return 0, 0
}

// possible says why the fact cannot be about the instance as it is, or nothing.
func (s *State) possible(n *Node, p entry.Payload) error {
	on, in := legal(p)
	role := n.role()
	if _, ends := p.(*entry.BlockEnded); ends && role == roleIteration {
		in |= inNew // a loop that stops asks its iterations nothing more
	}
	switch {
	case n.Phase == PhaseDone:
		return s.illegal(p, "%s is over", n.Path)
	case on&role == 0:
		return s.illegal(p, "%q is of another kind", n.Path)
	case in&n.Phase.bit() == 0:
		return s.illegal(p, "%q is %s", n.Path, n.Phase.name())
	}
	if s.Interrupted != "" && !outside(p) {
		return s.illegal(p, "the run is interrupted")
	}
	if why := s.premise(n, p); why != "" {
		return s.illegal(p, "%s", why)
	}
	return nil
}

// outside tells whether the fact comes from elsewhere, so that it may reach a run that nobody drives.
func outside(p entry.Payload) bool {
	switch p.(type) {
	case *entry.TaskDecided, *entry.DoubtDecided, *entry.WaitEnded, *entry.ChildEnded, *entry.ApprovalVoid:
		return true
	default:
		return false
	}
}

// premise says what the fact needs and the state lacks, or nothing.
func (s *State) premise(n *Node, p entry.Payload) string {
	switch x := p.(type) {
	case *entry.StepIntent:
		switch {
		case s.Paused != nil:
			return "the run is paused"
		case s.Cancel != nil && !cleansUp(n.Path):
			return "the run is being cancelled"
		case s.Stepping && s.Permitted != n.Path && !n.helper():
			return "nobody let it begin"
		case n.def.Approval != nil && (n.Approved == entry.Hash{} || n.Approved != x.Hash):
			return "what would happen is not what was approved"
		case n.Approved != x.Hash && s.unshown(n.Path, x.Effect, x.Hash):
			return "nobody who approved what stands around it was shown it"
		}
	case *entry.BlockStarted, *entry.ChildStarted:
		if n.def.Approval != nil && n.Approved == (entry.Hash{}) {
			return "nobody approved it"
		}
	case *entry.BlockEnded:
		if n.Key != "" && n.role() == roleLock {
			return "it holds the lock " + n.Key
		}
		return s.busy(n)
	case *entry.CatchEntered:
		if n.Section == sectionCatch || n.Section == sectionFinally || n.Section == sectionOver {
			return "its steps are over"
		}
		return s.moved(n)
	case *entry.FinallyEntered:
		if n.Section == sectionFinally || n.Section == sectionOver {
			return "it has cleaned up"
		}
		return s.moved(n)
	case *entry.LockReleased:
		return s.busy(n)
	case *entry.LoopListed, *entry.IterationStarted, *entry.LockAsked:
		if n.Section != sectionBody {
			return "its steps are over"
		}
	case *entry.WaitEnded:
		switch {
		case x.Called == nil:
		case n.On == "" || x.Fault != nil:
			return "it does not wait for an event"
		case slices.Contains(s.Called, n.On):
			return "the callback of " + n.On + " was used"
		}
	case *entry.DoubtDecided:
		if x.Answer == "unclear" && n.Phase != PhaseDoubt {
			return "a person is asked"
		}
	}
	return ""
}

// moved says why a block cannot go on to another section, or nothing.
func (s *State) moved(n *Node) string {
	if n.Section == sectionUndo && s.Undone == nil {
		return "steps are being undone"
	}
	return s.busy(n)
}

// busy names what still acts below an instance, or nothing.
func (s *State) busy(n *Node) string {
	for _, p := range s.InFlight() {
		if n.Path == "" || strings.HasPrefix(p, n.Path+".") {
			return p + " still acts"
		}
	}
	return ""
}

// turn tells whether something can begin at path now: what owns it must be at work and have come to it. Iterations begin
// with a fact of their loop.
func (s *State) turn(path string) bool {
	parent, seg := parentOf(path)
	if seg.name == "undo" && seg.helper() {
		return s.Root.Section == sectionUndo && slices.ContainsFunc(s.Undo, func(it UndoItem) bool { return it.Path == parent && it.State == "" })
	}
	owner := s.Node(parent)
	switch {
	case seg.keyed || owner == nil || owner.Phase == PhaseDone:
		return false
	case seg.helper():
		return true
	case owner.Phase != PhaseOpen:
		return false
	case seg.name == "parallel":
		return owner.Section == sectionBody && !owner.Ended[seg.index]
	case seg.name == "steps":
		return owner.Section == sectionBody && seg.index == owner.Cursor
	default:
		return owner.Section == seg.name && seg.index == owner.Cursor
	}
}

// cleansUp tells whether an instance stands in a finally.
func cleansUp(path string) bool {
	for path != "" {
		parent, seg := parentOf(path)
		if seg.name == "finally" {
			return true
		}
		path = parent
	}
	return false
}

func (p Phase) name() string {
	if p == PhaseNew {
		return "new"
	}
	return strings.ReplaceAll(string(p), "-", " ")
}
