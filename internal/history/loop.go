package history

import (
	"slices"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/run"
)

// loopState remembers which iterations of a loop are kept.
type loopState struct {
	over   []*Step // ended well, oldest first: the candidates to forget
	failed int
}

// iterate begins an iteration.
func (f *Fold) iterate(loop *Step, x *entry.IterationStarted, at time.Time) {
	if loop.Loop == nil {
		loop.Loop = &Loop{}
	}
	loop.begin(at)
	loop.Status = Running
	loop.Loop.Started++
	path := run.IterationAt(loop.Path, x.Key)
	it := &Step{Path: path, Kind: kindIteration, Key: f.mask.text(x.Key), Title: "[" + f.mask.text(x.Key) + "]", Status: Running, Started: at, parent: loop}
	f.steps[path] = it
	loop.Steps = append(loop.Steps, it)
	if loop.def != nil {
		it.Steps = f.skeleton(loop.def.Steps, path, "steps", it)
	}
}

// endOfIteration ends the iteration around a step that is over: it has no facts of its own for that, unless `break` has
// to be asked.
func (f *Fold) endOfIteration(s *Step, at run.Place, now time.Time) {
	it := s.parent
	if it.Status.Over() {
		return
	}
	if s.Status == Failed {
		f.end(it, Failed, s.Fault, now)
		return
	}
	loop := it.parent
	if loop == nil || loop.def == nil || loop.def.Foreach == nil || loop.def.Foreach.Break != nil {
		return
	}
	if at.Section == "steps" && at.Index == len(loop.def.Steps)-1 {
		f.end(it, Succeeded, nil, now)
	}
}

// iterated counts an iteration that is over and forgets an older one.
func (f *Fold) iterated(it *Step) {
	loop := it.parent
	if loop == nil || loop.Loop == nil {
		return
	}
	l := f.loops[loop]
	if l == nil {
		l = &loopState{}
		f.loops[loop] = l
	}
	switch it.Status {
	case Failed:
		loop.Loop.Failed++
		l.failed++
		if l.failed <= keepFailures {
			return
		}
	case Skipped:
		loop.Loop.Skipped++
	default:
		loop.Loop.Succeeded++
	}
	l.over = append(l.over, it)
	if len(l.over) <= keepIterations {
		return
	}
	old := l.over[0]
	l.over[0] = nil
	l.over = l.over[1:]
	loop.Loop.Forgotten++
	loop.Steps = slices.DeleteFunc(loop.Steps, func(s *Step) bool { return s == old })
	f.forget(old)
}

// forget drops a step and all below it from the index.
func (f *Fold) forget(s *Step) {
	delete(f.steps, s.Path)
	delete(f.loops, s)
	for _, list := range [][]*Step{s.Steps, s.Helpers, s.Catch, s.Finally} {
		for _, c := range list {
			f.forget(c)
		}
	}
}
