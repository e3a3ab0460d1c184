package run

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/id"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/value"
)

// Accepted is what follows from a Rendered.
type Accepted struct {
	Facts  []entry.Payload
	Task   *entry.TaskCreated // to open, with the id in TaskID
	TaskID string
	// Intent is an effect that is ready to begin: guards have their say before it becomes a fact.
	Intent *entry.StepIntent
	// Call is a sub-playbook to start; its ChildStarted is among the facts once the parameters are bound. Its run is
	// Child, and carries on the run Carry unless that is "": with Alike only under the same parameters.
	Call  *program.Call
	Child string
	Carry string
	Alike bool
	// Big is a list that must go into a blob before the fact LoopListed can name it.
	Big *entry.LoopListed
}

// Accept turns a Rendered into what follows. A Rendered that the state no longer asks for gives nothing.
func (s *State) Accept(r Rendered, now time.Time) Accepted {
	if !s.rooted(r.Path) {
		return Accepted{} // what it belongs to is over
	}
	n := s.Node(r.Path)
	if n == nil {
		def, err := s.def(r.Path)
		if err != nil {
			return Accepted{}
		}
		n = s.fresh(r.Path, def)
	}
	if n.Phase == PhaseDone || n.Phase == PhaseActing {
		return Accepted{}
	}
	switch r.What {
	case RenderWhen, RenderBreak:
		return facts(&entry.Condition{Path: r.Path, What: string(r.What), Value: r.Value, Error: r.Fault})
	case RenderVerify:
		return s.verified(n, r, now)
	case RenderUntil:
		return s.waited(n, r, now)
	case RenderProbe:
		return s.probed(n, r)
	case RenderStopWhen:
		return stopped(r)
	case RenderList:
		return listed(r)
	case RenderLock:
		if r.Fault != nil {
			return facts(&entry.BlockStopped{Path: r.Path, Fault: *r.Fault})
		}
		return facts(&entry.LockAsked{Path: r.Path, Key: r.Text})
	case RenderBlock:
		return s.asking(n, r, now)
	case RenderOutputs:
		e := &entry.RunEnded{Status: string(Succeeded), Outputs: r.Inputs, Doubts: s.Doubts}
		if r.Fault != nil {
			e.Status, e.Fault = string(Failed), r.Fault
		}
		return facts(e)
	case RenderUndo:
		return facts(&entry.UndoPrepared{Path: r.Path, Inputs: r.Inputs, Targets: r.Targets, Runner: r.Runner, Fault: r.Fault})
	case RenderStep:
		return s.stepped(n, r, now)
	}
	return Accepted{}
}

// rooted tells whether the node that owns path is still at work.
func (s *State) rooted(path string) bool {
	parent, seg := parentOf(path)
	if parent == "" || seg.name == "undo" {
		return true
	}
	owner := s.Nodes[parent]
	return owner != nil && owner.Phase != PhaseDone
}

func facts(p ...entry.Payload) Accepted { return Accepted{Facts: p} }

func (s *State) verified(n *Node, r Rendered, now time.Time) Accepted {
	if r.Fault == nil && r.Value {
		return facts(&entry.StepVerified{Path: r.Path, OK: true})
	}
	msg := r.Text
	if r.Fault != nil {
		msg = r.Fault.Message
	}
	if now.Before(n.lookUntil()) {
		return facts(&entry.Condition{Path: r.Path, What: "until", Text: msg})
	}
	return facts(&entry.StepVerified{Path: r.Path, Fault: &entry.Fault{
		Kind: string(fault.Verify), Message: "the effect did not show: " + msg, Path: r.Path,
	}})
}

func (s *State) waited(n *Node, r Rendered, now time.Time) Accepted {
	if r.Fault == nil && r.Value {
		return facts(&entry.WaitEnded{Path: r.Path})
	}
	if over := n.lookUntil(); !over.IsZero() && !now.Before(over) {
		return facts(&entry.WaitEnded{Path: r.Path, Fault: &entry.Fault{
			Kind: string(fault.Timeout), Message: "what it waited for did not come in time: " + r.Text, Path: r.Path,
		}})
	}
	return facts(&entry.Condition{Path: r.Path, What: "until", Text: r.Text})
}

// probed: a probe that says no clearly lets the step be done again, as often as a retry could; an unclear one asks a person.
func (s *State) probed(n *Node, r Rendered) Accepted {
	d := &entry.DoubtDecided{Path: r.Path, By: entry.Who{Name: "probe", Via: "engine"}}
	switch {
	case r.Fault != nil:
		d.Answer, d.Why = "unclear", r.Fault.Message
	case r.Value:
		d.Answer, d.Why = "happened", "the probe found the effect"
	case n.Attempt >= doubtAttempts(n.def):
		d.Answer, d.Why = "fail", fmt.Sprintf("the probe found no effect after %d attempts", n.Attempt)
	default:
		d.Answer, d.Why = "not-happened", "the probe found no effect: "+r.Text
	}
	return facts(d)
}

func stopped(r Rendered) Accepted {
	switch {
	case r.Fault != nil:
		return facts(&entry.BlockStopped{Path: r.Path, Fault: entry.Fault{Kind: string(fault.Stopped), Message: r.Fault.Message, Path: r.Path}})
	case r.Value:
		return facts(&entry.BlockStopped{Path: r.Path, Fault: entry.Fault{Kind: string(fault.Stopped), Message: "its stopWhen holds: " + r.Text, Path: r.Path}})
	}
	return facts(&entry.Condition{Path: r.Path, What: string(RenderStopWhen)})
}

// inlineList is the size up to which a loop's list stays in its entry.
const inlineList = 64 << 10

func listed(r Rendered) Accepted {
	l := &entry.LoopListed{Path: r.Path, Error: r.Fault}
	switch {
	case r.Fault != nil:
	case r.IsRange:
		l.Range, l.From, l.Count = true, r.Range[0], max(0, r.Range[1]-r.Range[0])
	default:
		l.Count = int64(len(r.List))
		l.List = value.Object{"items": r.List}
		if len(r.Keys) > 0 {
			l.List["keys"] = r.Keys
		}
		if _, ok := value.Weigh(map[string]any(l.List), inlineList); !ok {
			return Accepted{Big: l}
		}
	}
	return facts(l)
}

func (s *State) stepped(n *Node, r Rendered, now time.Time) Accepted {
	def := n.def
	switch n.Phase {
	case PhaseNew, PhaseReady, PhaseRetrying, PhaseHeld:
	case PhaseDoubt:
		return s.doubting(n, now)
	default:
		return Accepted{}
	}
	if r.Fault != nil {
		return facts(&entry.StepRefused{Path: r.Path, Fault: *r.Fault})
	}
	switch def.Kind {
	case program.KindAssert:
		return facts(&entry.Condition{Path: r.Path, What: "assert", Value: r.Value, Text: r.Text})
	case program.KindFail:
		return facts(&entry.StepRefused{Path: r.Path, Fault: entry.Fault{Kind: string(fault.Fail), Message: r.Text, Path: r.Path}})
	case program.KindWait:
		w := &entry.WaitStarted{Path: r.Path, Event: r.Event, Key: r.Key, Check: def.Wait.Until != nil}
		switch {
		case def.Wait.Duration != nil:
			w.Until = now.Add(r.Until)
		case def.Wait.At != nil:
			w.Until = r.At
		case r.Within > 0:
			w.Deadline = now.Add(r.Within)
		}
		return facts(w)
	case program.KindApprove, program.KindAsk, program.KindManual:
		return s.opening(n, r, now)
	case program.KindCall:
		if def.Approval != nil && n.Approved != Digest(def, r) {
			return s.asking(n, r, now)
		}
		return Accepted{Call: def.Call, Child: s.childID(n), Carry: n.Carry, Alike: n.Alike}
	case program.KindAction:
		if def.Approval != nil {
			if h := Digest(def, r); n.Approved != h {
				return s.asking(n, r, now)
			}
		}
		i := s.intent(n, r, now)
		if n.Approved != i.Hash && s.unshown(n.Path, i.Effect, i.Hash) {
			return s.Demand(i, "whoever approved what stands around it was not shown this", program.UsualWithin, now)
		}
		return Accepted{Intent: i}
	case program.KindSteps, program.KindForeach, program.KindParallel, program.KindLock:
	}
	return Accepted{}
}

// intent is the effect that would begin now.
func (s *State) intent(n *Node, r Rendered, now time.Time) *entry.StepIntent {
	def := n.def
	i := &entry.StepIntent{
		Action: def.Uses, Attempt: n.Attempt + 1, Effect: string(def.Effect), Hash: Digest(def, r), Inputs: r.Inputs,
		Irreversible: def.Irreversible, Key: s.key(n), Path: r.Path, Runner: r.Runner, Targets: r.Targets,
	}
	limit := s.lookLimit(r.Path, now)
	if def.Timeout > 0 {
		limit = now.Add(time.Duration(def.Timeout))
	}
	if !limit.IsZero() {
		i.Deadline = limit.UTC().Truncate(time.Microsecond)
	}
	return i
}

// key is the idempotency key: one per step instance, the same over attempts, takeover and restore, until a person says
// "do it again".
func (s *State) key(n *Node) string {
	var buf [128]byte
	b := append(append(buf[:0], s.ID...), 0)
	b = append(append(b, n.Path...), 0)
	h := sha256.Sum256(strconv.AppendInt(b, int64(n.Again), 10))
	return hex.EncodeToString(h[:16])
}

// asking opens an approval for exactly what was rendered. One that was given for something else is void.
func (s *State) asking(n *Node, r Rendered, now time.Time) Accepted {
	if r.Fault != nil {
		return facts(&entry.StepRefused{Path: r.Path, Fault: *r.Fault})
	}
	def := n.def
	a := Accepted{Task: r.Task, TaskID: s.taskID(n, now)}
	h := Digest(def, r)
	r.Task.Hash, r.Task.Expires = h, expiry(now, r.Within)
	if n.Approved != (entry.Hash{}) {
		a.Facts = append(a.Facts, &entry.ApprovalVoid{Path: r.Path, Why: "what was approved is not what would happen now"})
	}
	a.Facts = append(a.Facts, &entry.ApprovalAsked{Path: r.Path, Task: a.TaskID, Hash: h, Expires: r.Task.Expires, Shown: r.Shown})
	return a
}

func expiry(now time.Time, d time.Duration) time.Time {
	return now.Add(d).UTC().Truncate(time.Microsecond)
}

func (s *State) opening(n *Node, r Rendered, now time.Time) Accepted {
	a := Accepted{Task: r.Task, TaskID: s.taskID(n, now)}
	r.Task.Expires = expiry(now, r.Within)
	a.Facts = append(a.Facts, &entry.TaskOpened{Path: r.Path, Task: a.TaskID, Expires: r.Task.Expires, Default: r.Default})
	return a
}

func (s *State) doubting(n *Node, now time.Time) Accepted {
	q, err := s.Question(n.Path)
	if err != nil {
		return Accepted{}
	}
	a := Accepted{Task: q, TaskID: s.taskID(n, now)}
	a.Facts = append(a.Facts, &entry.DoubtAsked{Path: n.Path, Task: a.TaskID})
	return a
}

// childID derives the id of the run that the instance calls next from the run, the instance and how often it has called:
// the same call has the same id, whenever it is made.
func (s *State) childID(n *Node) string {
	return id.Child(s.ID, fmt.Sprint(n.Path, "#", n.Attempt+1))
}

// taskID derives the id of the next task of the instance from the place in the stream where it is asked.
func (s *State) taskID(n *Node, now time.Time) string {
	return id.Derive("task", s.ID, fmt.Sprint(n.Path, "#", s.Length), now)
}
