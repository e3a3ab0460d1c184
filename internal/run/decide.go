package run

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/value"
)

// What a Render evaluates.
type What string

// The things to evaluate. Accept turns each result into facts.
const (
	RenderWhen     What = "when"
	RenderStep     What = "step"     // inputs, targets, runner of an action, or the arguments of a verb
	RenderUndo     What = "undo"     // what would undo the step that just succeeded
	RenderVerify   What = "verify"   // is the condition over the result of the check true?
	RenderProbe    What = "probe"    //
	RenderUntil    What = "until"    // of a wait
	RenderStopWhen What = "stopWhen" //
	RenderList     What = "list"
	RenderBreak    What = "break"
	RenderLock     What = "lock"
	RenderBlock    What = "block" // the question of a block's approval
	RenderOutputs  What = "outputs"
)

// Render asks for an evaluation.
type Render struct {
	Path string
	What What
}

// Wait is one thing that the run waits for.
type Wait struct {
	Path   string
	For    string // task, doubt, event, time, retry, guard, lock, child, runner, permit, pause
	On     string
	Holder string // of a lock: the run that has it, which only the engine knows
	Until  time.Time
	Why    string
}

// Decision is what should happen next. Its parts do not depend on each other.
type Decision struct {
	Facts    []entry.Payload   // follow from the state alone
	Renders  []Render          // to evaluate
	Acts     []string          // paths whose attempt is to be dispatched, if it is not yet
	Stops    []Stop            // attempts in flight that must end
	Locks    map[string]string // path → key: blocks that want a lock
	Children []string          // ids of runs that it waits for
	EndChild []string          // ids of runs that must be cancelled
	Wake     time.Time         // when time alone will change the decision; zero: never
	Waits    []Wait
}

// Stop ends an attempt in flight.
type Stop struct {
	Path  string
	Fault entry.Fault
}

// halt says why nothing new may start below a block. Hard also ends what acts.
type halt struct {
	fault *entry.Fault
	hard  bool
}

// Decide says what should happen next.
func Decide(s *State, now time.Time) Decision {
	d := &decider{s: s, now: now}
	switch {
	case s.Created == nil, s.End != nil, s.Quarantine != nil:
	case s.Interrupted != "":
		d.wait(Wait{For: "resume", Why: s.Interrupted})
	case s.StartedAt.IsZero() && s.Cancel != nil:
		d.fact(&entry.RunEnded{Status: string(Cancelled), Fault: cancelled(s)})
	case s.StartedAt.IsZero() && s.Paused == nil:
		d.fact(&entry.RunStarted{})
	case s.StartedAt.IsZero():
		d.wait(Wait{For: "pause", Why: s.Paused.Why})
	default:
		d.playbook()
	}
	slices.SortStableFunc(d.Waits, func(a, b Wait) int { return strings.Compare(a.Path, b.Path) })
	return d.Decision
}

type decider struct {
	Decision
	s     *State
	now   time.Time
	gates int // blocks around the current place whose stopWhen is due
}

func (d *decider) fact(p entry.Payload)          { d.Facts = append(d.Facts, p) }
func (d *decider) render(path string, what What) { d.Renders = append(d.Renders, Render{path, what}) }
func (d *decider) wait(w Wait)                   { d.Waits = append(d.Waits, w); d.wake(w.Until) }

// wake notes a time to come. What is due already, and waits for something that acts, is looked at when that ends.
func (d *decider) wake(at time.Time) {
	if at.After(d.now) && (d.Wake.IsZero() || at.Before(d.Wake)) {
		d.Wake = at
	}
}

func cancelled(s *State) *entry.Fault {
	msg := "cancelled by " + s.Cancel.By.Name
	if s.Cancel.Why != "" {
		msg += ": " + s.Cancel.Why
	}
	return &entry.Fault{Kind: string(fault.Cancelled), Message: msg}
}

// playbook walks the sections of the whole run: steps, undo, catch, finally, end.
func (d *decider) playbook() {
	s, r := d.s, d.s.Root
	var stop *halt
	if s.Cancel != nil {
		stop = &halt{fault: cancelled(s), hard: true}
	}
	switch r.Section {
	case sectionBody:
		d.rootTimeout()
		if stop == nil && r.Stop != nil {
			stop = &halt{fault: r.Stop, hard: true}
		}
		d.rootBody(stop)
	case sectionUndo:
		d.undo(stop)
	case sectionCatch:
		switch d.sequence(r, s.prog.Catch, "catch", stop) {
		case seqBusy:
		default:
			d.rootLeave(stop)
		}
	case sectionFinally:
		if d.sequence(r, s.prog.Finally, "finally", nil) != seqBusy {
			d.end()
		}
	}
}

func (d *decider) rootTimeout() {
	r, limit := d.s.Root, time.Duration(d.s.prog.Timeout)
	if limit <= 0 || r.Stop != nil {
		return
	}
	at := d.s.StartedAt.Add(limit)
	if d.now.Before(at) {
		d.wake(at)
		return
	}
	d.fact(&entry.BlockStopped{Fault: entry.Fault{Kind: string(fault.Timeout), Message: fmt.Sprintf("the playbook's time limit of %s passed", limit)}})
}

func (d *decider) rootBody(stop *halt) {
	s, r := d.s, d.s.Root
	if r.Fault == nil {
		switch d.sequence(r, s.prog.Steps, "steps", stop) {
		case seqBusy:
			return
		case seqDone:
			if len(s.prog.Finally) > 0 {
				d.fact(&entry.FinallyEntered{})
				return
			}
			d.end()
			return
		case seqStopped, seqFailed:
		}
	}
	f := r.Fault
	if f == nil && stop != nil {
		f = stop.fault
	}
	switch {
	case s.Cancel != nil || f.Kind == string(fault.Cancelled):
		d.rootLeave(stop)
	case s.undoable():
		d.fact(&entry.UndoStarted{Fault: *f})
	case len(s.prog.Catch) > 0:
		d.fact(&entry.CatchEntered{Fault: *f})
	default:
		d.rootLeave(stop)
	}
}

// rootLeave goes on to finally or to the end.
func (d *decider) rootLeave(*halt) {
	if len(d.s.prog.Finally) > 0 {
		d.fact(&entry.FinallyEntered{})
		return
	}
	d.end()
}

// end closes the run.
func (d *decider) end() {
	s, r := d.s, d.s.Root
	f := cmp.Or(r.Pending, r.Catches, r.Fault, r.Stop)
	e := &entry.RunEnded{Fault: f, Doubts: s.Doubts}
	switch {
	case s.Cancel != nil:
		e.Status = string(Cancelled)
		if f == nil || f.Kind == string(fault.Cancelled) {
			e.Fault = cancelled(s) // who did it counts, not how it reached the step
		}
	case f != nil:
		e.Status = string(Failed)
	default:
		d.render("", RenderOutputs)
		return
	}
	if s.Undone != nil {
		e.Undone = "fully"
		if s.Undone.Fault != nil {
			e.Undone = "partly"
		}
	}
	d.fact(e)
}

type seqState int

const (
	seqBusy    seqState = iota // something below is not over
	seqDone                    // all steps are over
	seqStopped                 // halted, and nothing below is left
	seqFailed                  // a step failed
)

// sequence moves the steps of a section on, one after the other. owner.Cursor says where it is.
func (d *decider) sequence(owner *Node, defs []program.Node, section string, stop *halt) seqState {
	if owner.Fault != nil {
		return seqFailed
	}
	if owner.Cursor >= len(defs) {
		return seqDone
	}
	path := child(owner.Path, section, owner.Cursor)
	if n := d.s.Nodes[path]; stop != nil && (n == nil || n.Phase == PhaseNew) {
		return seqStopped
	}
	d.visit(&defs[owner.Cursor], path, stop)
	return seqBusy
}

// visit moves one instance on.
func (d *decider) visit(def *program.Node, path string, stop *halt) {
	n := d.s.Nodes[path]
	if n == nil {
		n = d.s.fresh(path, def)
	}
	if n.Phase == PhaseNew {
		if who, ok := d.s.Skips[path]; ok {
			d.skip(path, who)
			return
		}
		if !d.open(path) {
			return
		}
		if def.When != nil {
			d.render(path, RenderWhen)
			return
		}
	}
	switch def.Kind {
	case program.KindSteps, program.KindForeach, program.KindParallel, program.KindLock:
		d.block(def, n, stop)
	default:
		d.step(def, n, stop)
	}
}

// open tells whether something new may begin at path: the run is not paused, and no stopWhen around it is due.
func (d *decider) open(path string) bool {
	if d.gates > 0 {
		return false // a stopWhen has to be looked at first
	}
	if p := d.s.Paused; p != nil {
		d.wait(Wait{Path: path, For: "pause", Why: p.Why})
		return false
	}
	return true
}

// block walks the sections of a block.
func (d *decider) block(def *program.Node, n *Node, outer *halt) {
	switch n.Phase {
	case PhaseNew, PhaseReady:
		d.enter(def, n, outer)
		return
	case PhaseAsked:
		d.asked(n, outer)
		return
	case PhaseLock:
		d.locking(def, n, outer)
		return
	case PhaseOpen:
	default:
		return
	}
	switch n.Section {
	case sectionCatch:
		if d.sequence(n, def.Catch, "catch", outer) != seqBusy {
			d.leave(def, n, outer)
		}
	case sectionFinally:
		if d.sequence(n, def.Finally, "finally", nil) != seqBusy {
			d.close(n)
		}
	case sectionOver:
		if f := n.Fault; f == nil && n.Pending == nil && n.Stop == nil && outer != nil {
			d.finish(n, outer.fault)
			return
		}
		d.close(n)
	default:
		d.body(def, n, outer)
	}
}

func (d *decider) enter(def *program.Node, n *Node, outer *halt) {
	switch {
	case outer != nil:
		d.fact(&entry.StepRefused{Path: n.Path, Fault: *outer.fault})
	case !d.open(n.Path):
	case def.Approval != nil && n.Approved == (entry.Hash{}):
		d.render(n.Path, RenderBlock)
	default:
		d.fact(&entry.BlockStarted{Path: n.Path})
	}
}

// locking waits for a lock. What watches the block begins when it has the lock; its time limit counts from before.
func (d *decider) locking(def *program.Node, n *Node, outer *halt) {
	d.timeLimit(def, n)
	if stop := stopOf(n, outer); stop != nil {
		d.failed(def, n, stop, outer)
		return
	}
	if d.Locks == nil {
		d.Locks = map[string]string{}
	}
	d.Locks[n.Path] = n.On
	d.wait(Wait{Path: n.Path, For: "lock", On: n.On, Why: "another run holds the lock " + strconv.Quote(n.On)})
}

// stopOf gives why nothing new may start in a block: from outside, or by its own limits.
func stopOf(n *Node, outer *halt) *halt {
	if outer == nil && n.Stop != nil {
		return &halt{fault: n.Stop, hard: true}
	}
	return outer
}

func (d *decider) body(def *program.Node, n *Node, outer *halt) {
	d.timeLimit(def, n)
	if def.Kind == program.KindLock && n.Key == "" {
		if stop := stopOf(n, outer); stop != nil {
			d.failed(def, n, stop, outer)
			return
		}
		d.render(n.Path, RenderLock)
		return
	}
	stop := stopOf(n, outer)
	switch h := d.s.Nodes[n.Path+".stopWhen"]; {
	case stop == nil:
		if d.watch(def, n) {
			d.gates++
			defer func() { d.gates-- }()
		}
	case h != nil && h.Phase == PhaseActing:
		d.act(h, &halt{hard: true, fault: stop.fault}) // what it watches is about to end
	}
	var st seqState
	switch def.Kind {
	case program.KindForeach:
		st = d.loop(def, n, stop)
	case program.KindParallel:
		st = d.parallel(def, n, stop)
	default:
		st = d.sequence(n, def.Steps, "steps", stop)
	}
	if st == seqBusy || d.stillChecking(n, stop) {
		return
	}
	if st == seqDone {
		d.leave(def, n, nil)
		return
	}
	d.failed(def, n, stop, outer)
}

// failed goes on after the body of a block failed or was stopped: to its catch, its finally or its end.
func (d *decider) failed(def *program.Node, n *Node, stop, outer *halt) {
	f := n.Fault
	if f == nil && stop != nil {
		f = stop.fault
	}
	if len(def.Catch) > 0 && outer == nil && f.Kind != string(fault.Cancelled) {
		d.fact(&entry.CatchEntered{Path: n.Path, Fault: *f})
		return
	}
	d.leave(def, n, stop)
}

// stillChecking tells whether the stopWhen check of a block that is over acts, and ends it.
func (d *decider) stillChecking(n *Node, stop *halt) bool {
	h := d.s.Nodes[n.Path+".stopWhen"]
	if h == nil || h.Phase != PhaseActing {
		return false
	}
	if stop == nil && !h.Lost { // watch has seen to a lost one
		d.Stops = append(d.Stops, Stop{Path: h.Path, Fault: entry.Fault{
			Kind: string(fault.Cancelled), Message: "the block that it watched is over", Path: h.Path,
		}})
	}
	return true
}

// leave goes on to the block's finally or closes it.
func (d *decider) leave(def *program.Node, n *Node, stop *halt) {
	if len(def.Finally) > 0 {
		if stop != nil && n.Fault == nil && n.Stop == nil {
			// The halt came from outside: finally must know that it ends a failure.
			d.fact(&entry.BlockStopped{Path: n.Path, Fault: *stop.fault})
			return
		}
		d.fact(&entry.FinallyEntered{Path: n.Path})
		return
	}
	f := n.Fault
	if f == nil && stop != nil && n.Section == sectionBody {
		f = stop.fault
	}
	if f == nil && n.Section == sectionCatch && stop != nil {
		f = stop.fault
	}
	d.finish(n, f)
}

func (d *decider) close(n *Node) { d.finish(n, cmp.Or(n.Pending, n.Fault, n.Stop)) }

func (d *decider) finish(n *Node, f *entry.Fault) {
	if n.def.Kind == program.KindLock && n.Key != "" {
		d.fact(&entry.LockReleased{Path: n.Path, Key: n.Key})
		return
	}
	out := string(entry.Succeeded)
	if f != nil {
		out = string(entry.Failed)
	}
	d.fact(&entry.BlockEnded{Path: n.Path, Outcome: out, Fault: f})
}

// timeLimit ends a block whose time is over.
func (d *decider) timeLimit(def *program.Node, n *Node) {
	limit := time.Duration(def.Timeout)
	if limit <= 0 || n.Stop != nil || n.Section != sectionBody {
		return
	}
	at := n.Begun.Add(limit)
	if d.now.Before(at) {
		d.wake(at)
		return
	}
	d.fact(&entry.BlockStopped{Path: n.Path, Fault: entry.Fault{
		Kind: string(fault.Timeout), Message: fmt.Sprintf("the block's time limit of %s passed", limit), Path: n.Path,
	}})
}

// watch looks at a block's stopWhen. It tells whether that must be known before anything new may begin below.
func (d *decider) watch(def *program.Node, n *Node) bool {
	if def.StopWhen == nil || n.Stop != nil {
		return false
	}
	due := n.Checked.Add(every(&def.StopWhen.Check))
	h := d.s.Nodes[n.Path+".stopWhen"]
	if !n.Checked.IsZero() && !n.Dirty && d.now.Before(due) && (h == nil || h.Phase == PhaseNew) {
		d.wake(due)
		return false
	}
	if def.StopWhen.Step == nil || (h != nil && h.Phase == PhaseDone) {
		d.render(n.Path, RenderStopWhen)
	} else {
		d.visit(def.StopWhen.Step, n.Path+".stopWhen", nil)
	}
	return true
}

// loop moves the iterations of a foreach on.
func (d *decider) loop(def *program.Node, n *Node, stop *halt) seqState {
	if n.Loop == nil {
		if n.Fault != nil {
			return seqFailed // there is no list
		}
		if stop != nil {
			return seqStopped
		}
		d.render(n.Path, RenderList)
		return seqBusy
	}
	l := n.Loop
	below := stop
	if below == nil && n.Fault != nil {
		below = &halt{fault: n.Fault} // the others finish their step and start no other
	}
	for _, i := range l.Live {
		d.iteration(def, n, i, below)
	}
	if below == nil && !l.Broke && l.Next < l.Count {
		if !d.open(n.Path) {
			return seqBusy
		}
		for i := l.Next; i < l.Count && int(i-l.Next)+len(l.Live) < max(1, def.Foreach.Parallel); i++ {
			d.fact(&entry.IterationStarted{Path: n.Path, Index: i, Key: l.key(i)})
		}
		return seqBusy
	}
	switch {
	case len(l.Live) > 0:
		return seqBusy
	case n.Fault != nil:
		return seqFailed
	case stop != nil:
		return seqStopped
	}
	return seqDone
}

func (d *decider) iteration(def *program.Node, loop *Node, i int64, stop *halt) {
	it := d.s.Nodes[iteration(loop.Path, loop.Loop.key(i))]
	if it == nil {
		return
	}
	if it.Phase == PhaseNew && stop == nil {
		d.render(it.Path, RenderWhen)
		return
	}
	switch d.sequence(it, def.Steps, "steps", stop) {
	case seqBusy, seqFailed:
	case seqStopped:
		d.fact(&entry.BlockEnded{Path: it.Path, Outcome: string(entry.Failed), Fault: stop.fault})
	case seqDone:
		if def.Foreach.Break != nil {
			d.render(it.Path, RenderBreak)
			return
		}
		d.fact(&entry.BlockEnded{Path: it.Path, Outcome: string(entry.Succeeded)})
	}
}

// key names an iteration: the index of a list or range, the key of a map.
func (l *Loop) key(i int64) string {
	if keys, ok := l.List["keys"].([]any); ok && int(i) < len(keys) {
		return value.Text(keys[i])
	}
	if l.Range {
		i += l.From
	}
	return strconv.FormatInt(i, 10)
}

// parallel moves all branches on.
func (d *decider) parallel(def *program.Node, n *Node, stop *halt) seqState {
	below := stop
	if below == nil && n.Fault != nil {
		below = &halt{fault: n.Fault}
	}
	busy := false
	for i := range def.Steps {
		path := child(n.Path, "parallel", i)
		if n.Ended[i] {
			continue
		}
		if b := d.s.Nodes[path]; below != nil && (b == nil || b.Phase == PhaseNew) {
			continue
		}
		busy = true
		d.visit(&def.Steps[i], path, below)
	}
	switch {
	case busy:
		return seqBusy
	case n.Fault != nil:
		return seqFailed
	case stop != nil:
		return seqStopped
	}
	return seqDone
}

// undoable tells whether there is something on the undo stack that can be undone.
func (s *State) undoable() bool {
	for _, it := range s.Undo {
		if it.None == "" && it.State == "" {
			return true
		}
	}
	return false
}

// undo runs the prepared undos, newest first.
func (d *decider) undo(stop *halt) {
	s := d.s
	if s.Undone != nil {
		if len(s.prog.Catch) > 0 && stop == nil {
			d.fact(&entry.CatchEntered{Fault: *s.Root.Pending})
			return
		}
		d.rootLeave(stop)
		return
	}
	var undone []string
	for i := len(s.Undo) - 1; i >= 0; i-- {
		it := s.Undo[i]
		path := it.Path + ".undo"
		switch {
		case it.None != "":
			continue
		case it.State == "undone":
			undone = append(undone, it.Path)
			continue
		case it.State == "failed", it.Fault != nil:
			d.fact(&entry.UndoEnded{Undone: undone, Fault: it.Fault})
			return
		case slices.Contains(s.Doubts, it.Path):
			d.fact(&entry.UndoEnded{Undone: undone, Fault: &entry.Fault{
				Kind: string(fault.Lost), Message: "nobody knows what its last attempt did, so that it is not undone without a person", Path: it.Path,
			}})
			return
		}
		if n := s.Nodes[path]; stop != nil && n == nil {
			d.fact(&entry.UndoEnded{Undone: undone, Fault: stop.fault})
			return
		}
		def, err := s.def(path)
		if err != nil {
			d.fact(&entry.UndoEnded{Undone: undone, Fault: &entry.Fault{Kind: string(fault.Internal), Message: err.Error(), Path: it.Path}})
			return
		}
		d.visit(def, path, stop)
		return
	}
	d.fact(&entry.UndoEnded{Undone: undone})
}
