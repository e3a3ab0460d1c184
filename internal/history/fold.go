package history

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/value"
)

// What is kept. A View of any run stays within a few megabytes.
const (
	keepIterations = 10 // the last ones of a loop
	keepFailures   = 20 // iterations that failed, the first ones
	keepAttempts   = 10 // of a step: the first and the last ones
	keepMoments    = 2000
	keepRemarks    = 20
)

const kindIteration = "iteration"

// Fold builds a View entry by entry. It is not safe for concurrent use.
type Fold struct {
	view  *View
	prog  *program.Program
	steps map[string]*Step
	mask  masker
	loops map[*Step]*loopState
	seq   uint64
	told  []Wait // by the engine, about what the entries so far say
}

// New begins the story of a run. Without a program (nil) the steps show up as they act, nameless.
func New(id string, prog *program.Program) *Fold {
	if prog == nil {
		prog = &program.Program{}
	}
	f := &Fold{
		view: &View{ID: id, Name: prog.Metadata.Name, Status: string(run.Pending)}, prog: prog,
		steps: map[string]*Step{}, loops: map[*Step]*loopState{},
	}
	f.view.Steps = f.skeleton(prog.Steps, "", "steps", nil)
	return f
}

// View gives what the entries so far add up to. It stays valid, and changes with the next Add.
func (f *Fold) View() *View {
	v := f.view
	v.Status = string(f.status())
	if v.Waits = f.told; v.Waits == nil {
		v.Waits = f.waits()
	}
	return v
}

// Told puts what the engine says that the run waits for in the place of what the entries so far tell: it knows more, such
// as which step a stepping run would begin next, and who has a lock. Where it speaks of another status it speaks of
// another moment.
func (f *Fold) Told(status string, waits []Wait) {
	if len(waits) > 0 && status == string(f.status()) {
		f.told = waits
	}
}

// Step gives the live instance at path, or nil.
func (f *Fold) Step(path string) *Step { return f.steps[path] }

// skeleton makes the steps of a list before they begin. The bodies of loops come with their iterations.
func (f *Fold) skeleton(defs []program.Node, base, section string, parent *Step) []*Step {
	out := make([]*Step, len(defs))
	for i := range defs {
		out[i] = f.place(&defs[i], run.At(base, section, i), section, parent)
	}
	return out
}

func (f *Fold) place(def *program.Node, path, section string, parent *Step) *Step {
	s := &Step{Path: path, Kind: string(def.Kind), ID: def.ID, Title: def.Name, Uses: def.Uses, Line: def.Line, Status: Pending, def: def, parent: parent}
	if section != "steps" {
		s.Section = section
	}
	if s.Uses == "" && def.Call != nil {
		s.Uses = "playbook " + def.Call.Program
	}
	f.steps[path] = s
	switch def.Kind {
	case program.KindSteps, program.KindLock:
		s.Steps = f.skeleton(def.Steps, path, "steps", s)
	case program.KindParallel:
		s.Steps = f.skeleton(def.Steps, path, "parallel", s)
	default:
	}
	return s
}

// ensure finds or makes the instance at path: catch and finally sections and helpers appear when they begin.
func (f *Fold) ensure(path string) *Step {
	if s := f.steps[path]; s != nil {
		return s
	}
	at := run.PlaceOf(path)
	var parent *Step
	if at.Parent != "" {
		parent = f.ensure(at.Parent)
	}
	def, err := run.Locate(f.prog, path)
	if err != nil || def == nil {
		s := &Step{Path: path, Status: Pending, parent: parent, Section: at.Section}
		f.steps[path] = s
		f.attach(s, parent, at)
		return s
	}
	s := f.place(def, path, at.Section, parent)
	f.attach(s, parent, at)
	return s
}

func (f *Fold) attach(s, parent *Step, at run.Place) {
	list := &f.view.Steps
	switch {
	case parent == nil && at.Section == "catch":
		list = &f.view.Catch
	case parent == nil && at.Section == "finally":
		list = &f.view.Finally
	case parent == nil:
	case at.Helper():
		list = &parent.Helpers
	case at.Section == "catch":
		list = &parent.Catch
	case at.Section == "finally":
		list = &parent.Finally
	default:
		list = &parent.Steps
	}
	*list = append(*list, s)
}

// Add folds one entry in.
func (f *Fold) Add(e entry.Entry) {
	v := f.view
	v.Entries++
	f.seq, f.told = e.Seq, nil
	if e.Erased {
		v.Erased++
	}
	p, err := entry.Decode(e)
	if err != nil {
		if len(v.Remarks) < keepRemarks {
			v.Remarks = append(v.Remarks, err.Error())
		}
		return
	}
	f.Fact(p, e.At)
}

// Fact folds one fact in.
func (f *Fold) Fact(p entry.Payload, at time.Time) {
	if f.runFact(p, at) {
		return
	}
	path, ok := run.PathOf(p)
	if !ok {
		return
	}
	if path == "" {
		f.rootFact(p, at)
		return
	}
	s := f.ensure(path)
	if !f.blockFact(s, p, at) {
		f.stepFact(s, p, at)
	}
}

// runFact handles what is about the whole run.
func (f *Fold) runFact(p entry.Payload, at time.Time) bool {
	v := f.view
	switch x := p.(type) {
	case *entry.RunCreated:
		f.mask.learn(f.prog.Parameters, x.Params)
		v.Name, v.Source, v.Dir, v.By, v.Cause, v.Closure, v.Created = x.Name, x.Source, x.Dir, x.By, x.Cause, x.Closure, at
		v.Author, _ = x.Metadata["author"].(string)
		v.Env = x.Environment
		v.Params, v.Event, v.Stepping = f.mask.params(x.Params), f.mask.object(x.Event), x.Stepping
		f.moment(at, "", "created by %s%s%s", x.By.Name, of(" from ", x.Source), of(": ", x.Cause.Why))
	case *entry.RunCarried:
		f.carry(x)
		f.moment(at, "", "goes on where run %s stopped", x.From)
	case *entry.RunStarted:
		v.Started = at
		f.moment(at, "", "started")
	case *entry.RunInterrupted:
		v.interrupted = x.Why
		if v.interrupted == "" {
			v.interrupted = "the process that drove it ended"
		}
		f.moment(at, "", "interrupted: %s", v.interrupted)
	case *entry.RunResumed:
		v.interrupted = ""
		f.moment(at, "", "resumed by %s%s", x.By.Name, of(": ", x.Why))
	case *entry.RunPaused:
		v.paused = x
		f.moment(at, "", "paused by %s%s", x.By.Name, of(": ", x.Why))
	case *entry.RunUnpaused:
		v.paused = nil
		f.moment(at, "", "goes on, says %s%s", x.By.Name, of(": ", x.Why))
	case *entry.CancelRequested:
		v.cancel, v.paused = x, nil
		f.moment(at, "", "to be cancelled, says %s%s", x.By.Name, of(": ", x.Why))
	case *entry.ParamsChanged:
		f.mask.learn(f.prog.Parameters, x.Params)
		if v.Params == nil {
			v.Params = value.Object{}
		}
		for k, p := range f.mask.params(x.Params) {
			v.Params[k] = p
		}
		f.moment(at, "", "parameters changed by %s: %s%s", x.By.Name, strings.Join(keys(x.Params), ", "), of("; ", x.Why))
	case *entry.StepPermitted:
		if x.All {
			v.Stepping = false
			f.moment(at, "", "the stepping is ended by %s%s", x.By.Name, of(": ", x.Why))
		} else {
			f.moment(at, x.Path, "%s is permitted by %s%s", v.label(x.Path), x.By.Name, of(": ", x.Why))
		}
	case *entry.SkipRequested:
		f.moment(at, x.Path, "%s is to be skipped, says %s%s", v.label(x.Path), x.By.Name, of(": ", x.Why))
	case *entry.UndoStarted:
		f.moment(at, "", "undoes what it did: %s", f.mask.text(x.Fault.Message))
	case *entry.UndoEnded:
		v.Undid = x.Undone
		text := fmt.Sprintf("undone: %d", len(x.Undone))
		if x.Fault != nil {
			text += ", then stopped: " + f.mask.text(x.Fault.Message)
		}
		f.moment(at, "", "%s", text)
	case *entry.RunEnded:
		v.Ended, v.Status, v.Outputs, v.Ref = at, x.Status, f.mask.hide(f.prog.SecretOutputs(), x.Outputs), x.Ref
		v.Fault, v.Doubts, v.Undone = f.mask.fault(x.Fault), x.Doubts, x.Undone
		for _, s := range f.steps {
			if s.Status == Pending {
				s.Status = Unreached
			}
			// How it ended for the run is one thing; that nobody knows what it did is what people must see.
			if slices.Contains(x.Doubts, s.Path) {
				s.Status = InDoubt
			}
		}
		text := x.Status
		if x.Fault != nil {
			text += ": " + v.Fault.Message
		}
		f.moment(at, "", "%s", text)
	case *entry.RunQuarantined:
		v.Ended = at
		v.Status = string(run.Quarantined)
		v.Fault = &entry.Fault{Kind: "damaged", Message: x.Why}
		f.moment(at, "", "quarantined: %s", x.Why)
	default:
		return false
	}
	return true
}

// rootFact handles what is about the playbook as a block.
func (f *Fold) rootFact(p entry.Payload, at time.Time) {
	switch x := p.(type) {
	case *entry.CatchEntered:
		f.view.Catch = f.section(f.view.Catch, f.prog.Catch, "", "catch", nil)
		f.moment(at, "", "handles the failure: %s", f.mask.text(x.Fault.Message))
	case *entry.FinallyEntered:
		f.view.Finally = f.section(f.view.Finally, f.prog.Finally, "", "finally", nil)
		f.moment(at, "", "cleans up")
	case *entry.BlockStopped:
		f.view.TimedOut = x.Fault.Kind == string(fault.Timeout)
		f.moment(at, "", "stopped: %s", f.mask.text(x.Fault.Message))
	}
}

func (f *Fold) section(have []*Step, defs []program.Node, base, name string, parent *Step) []*Step {
	if len(have) > 0 {
		return have
	}
	return f.skeleton(defs, base, name, parent)
}

func (f *Fold) moment(at time.Time, path, format string, a ...any) {
	v := f.view
	if len(v.Moments) >= keepMoments {
		drop := keepMoments / 4
		v.Moments = append(v.Moments[:0:0], v.Moments[drop:]...)
		v.Earlier += drop
	}
	v.Moments = append(v.Moments, Moment{Seq: f.seq, At: at, Path: path, Text: fmt.Sprintf(format, a...)})
}

func of(before, what string) string {
	if what == "" {
		return ""
	}
	return before + what
}

func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// carry marks what succeeded in the run that this one continues.
func (f *Fold) carry(x *entry.RunCarried) {
	cursor := func(v any) int {
		n, _ := v.(int64)
		return int(n)
	}
	mark := func(list []*Step, n int) {
		for i, s := range list {
			if i < n {
				f.carried(s, x.From)
			}
		}
	}
	mark(f.view.Steps, cursor(x.State["cursor"]))
	nodes, _ := x.State["nodes"].(map[string]any)
	for _, path := range keys(nodes) {
		n, _ := nodes[path].(map[string]any)
		if run.PlaceOf(path).Iteration() {
			continue
		}
		s := f.ensure(path)
		switch n["phase"] {
		case nil, "":
			continue // a call or an iteration that begins when it is its turn
		case string(run.PhaseDoubt):
			s.Status = InDoubt
			continue
		}
		s.Status = Running
		if s.Kind == string(program.KindSteps) || s.Kind == string(program.KindLock) {
			mark(s.Steps, cursor(n["cursor"]))
		}
	}
}

func (f *Fold) carried(s *Step, from string) {
	s.Status, s.Why = Carried, "carried over from run "+from
	for _, c := range s.Steps {
		f.carried(c, from)
	}
}
