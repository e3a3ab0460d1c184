package run

import (
	"fmt"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/program"
)

// step moves one step on.
func (d *decider) step(def *program.Node, n *Node, stop *halt) {
	if d.skipped(n) || (stop != nil && d.halted(n, stop)) {
		return
	}
	switch n.Phase {
	case PhaseNew, PhaseReady:
		d.begin(n)
	case PhaseRetrying, PhaseHeld:
		d.later(n)
	case PhaseAsked, PhaseTask:
		d.asked(n, stop)
	case PhaseActing:
		d.act(n, stop)
	case PhaseFailed:
		at := d.now.Add(Backoff(def.Retry, n.Attempt, fmt.Sprint(d.s.ID, n.Path, n.Attempt)))
		if n.Due.After(at) {
			at = n.Due // the other side asked not to be asked before
		}
		d.fact(&entry.RetryScheduled{Path: n.Path, Attempt: n.Attempt + 1, At: at, Why: n.Fault.Message})
	case PhaseActed:
		if def.Undo.Step == nil {
			d.fact(&entry.UndoPrepared{Path: n.Path, None: def.Undo.None})
			return
		}
		d.render(n.Path, RenderUndo)
	case PhaseVerifying:
		d.poll(n, def.Verify, ".verify", RenderVerify, stop)
	case PhaseDoubt:
		d.doubt(def, n, stop)
	case PhaseDoubted:
		d.wait(Wait{Path: n.Path, For: "doubt", On: n.Task, Why: "nobody knows whether it took effect: " + n.Fault.Message})
	case PhaseWaiting:
		d.waiting(def, n, stop)
	case PhaseChild:
		d.Children = append(d.Children, n.On)
		if stop != nil && stop.hard {
			d.EndChild = append(d.EndChild, n.On)
		}
		d.wait(Wait{Path: n.Path, For: "child", On: n.On, Why: "a sub-playbook runs"})
	case PhaseLock, PhaseOpen, PhaseDone:
	}
}

// skipped leaves a step out that a person wants left out, unless something of it acts.
func (d *decider) skipped(n *Node) bool {
	who, ok := d.s.Skips[n.Path]
	if !ok || n.helper() || d.s.acts(n.Path+".until") {
		return false
	}
	switch n.Phase {
	case PhaseNew, PhaseReady, PhaseRetrying, PhaseHeld, PhaseAsked, PhaseTask, PhaseWaiting:
		d.skip(n.Path, who)
		return true
	default:
		return false
	}
}

func (d *decider) skip(path string, who entry.Who) {
	d.fact(&entry.StepSkipped{Path: path, By: &who, Why: "skipped by " + who.Name})
}

// halted ends a step that does not act, because its block or its run ends. It tells whether it did.
func (d *decider) halted(n *Node, stop *halt) bool {
	switch n.Phase {
	case PhaseNew, PhaseReady, PhaseRetrying, PhaseHeld, PhaseFailed:
		f := *stop.fault
		if n.Phase == PhaseFailed || n.Phase == PhaseRetrying {
			if n.Fault != nil && f.Kind != string(fault.Cancelled) {
				f = *n.Fault
			}
		}
		d.fact(&entry.StepRefused{Path: n.Path, Fault: f})
		return true
	case PhaseDoubt, PhaseDoubted:
		// Nobody is asked about a run that a person ends: the doubt is recorded with its end.
		if stop.hard && stop.fault.Kind == string(fault.Cancelled) && !d.s.acts(n.Path+".probe") {
			d.fact(&entry.DoubtDecided{Path: n.Path, Answer: "left", By: entry.Who{Name: "tend", Via: "engine"}, Why: stop.fault.Message})
			return true
		}
		return false
	case PhaseAsked, PhaseTask:
		if !stop.hard {
			return false
		}
		d.fact(&entry.TaskDecided{Path: n.Path, Task: n.Task, Outcome: "cancelled", Why: stop.fault.Message})
		return true
	case PhaseWaiting:
		if !stop.hard || d.s.acts(n.Path+".until") {
			return false
		}
		d.fact(&entry.WaitEnded{Path: n.Path, Fault: stop.fault})
		return true
	case PhaseVerifying:
		if !stop.hard || d.s.acts(n.Path+".verify") {
			return false
		}
		d.fact(&entry.StepVerified{Path: n.Path, Fault: stop.fault})
		return true
	case PhaseActing, PhaseActed, PhaseChild, PhaseLock, PhaseOpen, PhaseDone:
	}
	return false
}

func (s *State) acts(path string) bool {
	n := s.Nodes[path]
	return n != nil && n.Phase == PhaseActing
}

// begin asks for what the step needs before its effect.
func (d *decider) begin(n *Node) {
	s := d.s
	if !d.open(n.Path) {
		return
	}
	if s.Stepping && s.Permitted != n.Path && !n.helper() {
		d.wait(Wait{Path: n.Path, For: "permit", Why: "the run is stepped through one by one"})
		return
	}
	d.render(n.Path, RenderStep)
}

// later waits for the time of a retry or of a guard.
func (d *decider) later(n *Node) {
	if !n.Due.IsZero() && !d.now.Before(n.Due) {
		d.begin(n)
		return
	}
	w := Wait{Path: n.Path, For: "retry", Until: n.Due, Why: fmt.Sprintf("attempt %d follows", n.Attempt+1)}
	if n.Phase == PhaseHeld {
		w.For, w.On, w.Why = "guard", n.On, n.Why
		if n.Key != "" {
			w.For = n.Key
		}
	}
	d.wait(w)
}

// asked waits for people. No answer in time is no.
func (d *decider) asked(n *Node, stop *halt) {
	if stop != nil && d.halted(n, stop) {
		return
	}
	if !n.Deadline.IsZero() && !d.now.Before(n.Deadline) {
		out := &entry.TaskDecided{Path: n.Path, Task: n.Task, Outcome: "expired", Why: "nobody answered in time"}
		if n.Default != nil {
			// The older dialect declares what counts when nobody answers.
			out.Outcome, out.Output, out.Why = "answered", n.Default, "default, nobody answered"
		}
		d.fact(out)
		return
	}
	if up := escalations(n); n.Level < len(up) {
		at := n.Since.Add(time.Duration(up[n.Level].After))
		if !d.now.Before(at) {
			d.fact(&entry.TaskEscalated{Path: n.Path, Task: n.Task, Level: n.Level + 1, To: up[n.Level].To})
			return
		}
		d.wake(at)
	}
	d.wait(Wait{Path: n.Path, For: "task", On: n.Task, Until: n.Deadline, Why: "a person must answer"})
}

// escalations are who is asked too when nobody decides what an instance asks.
func escalations(n *Node) []program.Escalation {
	switch {
	case n.def == nil:
		return nil
	case n.def.Task != nil:
		return n.def.Task.Escalate
	case n.def.Approval != nil:
		return n.def.Approval.Escalate
	}
	return nil
}

// act sees to an attempt in flight.
func (d *decider) act(n *Node, stop *halt) {
	if n.Lost {
		d.fact(&entry.StepResult{
			Path: n.Path, Attempt: n.Attempt, Outcome: entry.InDoubt,
			Fault: &entry.Fault{Kind: string(fault.Lost), Message: "the process that ran it ended before its result was recorded", Path: n.Path},
		})
		return
	}
	d.Acts = append(d.Acts, n.Path)
	if stop != nil && stop.hard {
		d.Stops = append(d.Stops, Stop{Path: n.Path, Fault: *stop.fault})
	}
}

// doubt asks a probe, then a person.
func (d *decider) doubt(def *program.Node, n *Node, stop *halt) {
	if def.OnDoubt == "probe" && def.Probe != nil && def.Probe.Step != nil && !n.Probed {
		path := n.Path + ".probe"
		if h := d.s.Nodes[path]; h != nil && h.Phase == PhaseDone {
			d.render(n.Path, RenderProbe)
			return
		}
		d.visit(def.Probe.Step, path, stop)
		return
	}
	d.render(n.Path, RenderStep) // the question shows what was tried
}

// poll repeats a check until its condition holds or its time is over.
func (d *decider) poll(n *Node, c *program.Check, helper string, what What, stop *halt) {
	h := d.s.Nodes[n.Path+helper]
	running := h != nil && h.Phase != PhaseNew && h.Phase != PhaseDone
	if !running && !n.Due.IsZero() && d.now.Before(n.Due) {
		d.wait(Wait{Path: n.Path, For: "time", Until: n.Due, Why: "it looks again"})
		return
	}
	if c.Step == nil || (h != nil && h.Phase == PhaseDone) {
		d.render(n.Path, what)
		return
	}
	if over := n.lookUntil(); h != nil && (h.Phase == PhaseFailed || h.Phase == PhaseRetrying) && !over.IsZero() && !d.now.Before(over) {
		d.unseen(n, h) // there is no time for another attempt of this look
		return
	}
	d.visit(c.Step, n.Path+helper, stop)
}

// unseen ends a check whose last look gave no answer.
func (d *decider) unseen(n, h *Node) {
	why := "it could not be seen"
	if h.Fault != nil {
		why = h.Fault.Message
	}
	if n.Phase == PhaseWaiting {
		d.fact(&entry.WaitEnded{Path: n.Path, Fault: &entry.Fault{
			Kind: string(fault.Timeout), Message: "what it waited for did not come in time: " + why, Path: n.Path,
		}})
		return
	}
	d.fact(&entry.StepVerified{Path: n.Path, Fault: &entry.Fault{
		Kind: string(fault.Verify), Message: "the effect did not show: " + why, Path: n.Path,
	}})
}

func (d *decider) waiting(def *program.Node, n *Node, stop *halt) {
	if def.Wait.Until == nil && !n.Deadline.IsZero() && !d.now.Before(n.Deadline) {
		d.fact(&entry.WaitEnded{Path: n.Path, Fault: &entry.Fault{
			Kind: string(fault.Timeout), Message: "what it waited for did not come in time", Path: n.Path,
		}})
		return
	}
	d.wake(n.Deadline)
	switch {
	case def.Wait.Until != nil:
		d.poll(n, def.Wait.Until, ".until", RenderUntil, stop)
	case n.On != "":
		d.wait(Wait{Path: n.Path, For: "event", On: n.On, Until: n.Deadline, Why: fmt.Sprintf("event %q with key %q must arrive", n.On, n.Key)})
	case d.now.Before(n.Due):
		d.wait(Wait{Path: n.Path, For: "time", Until: n.Due, Why: "it waits until " + n.Due.Format(time.RFC3339)})
	default:
		d.fact(&entry.WaitEnded{Path: n.Path})
	}
}
