package history

import (
	"fmt"
	"sort"

	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/run"
)

// SetWaits puts what the engine says in the place of what the entries tell: it knows more, such as which step a stepping
// run would begin next.
func (v *View) SetWaits(status string, waits []Wait) {
	if !run.Status(v.Status).Ended() && status != "" {
		v.Status = status
	}
	if len(waits) > 0 {
		v.Waits = waits
	}
}

// status derives the run's status as the engine does.
func (f *Fold) status() run.Status {
	v := f.view
	switch {
	case !v.Ended.IsZero():
		return run.Status(v.Status)
	case v.interrupted != "":
		return run.Interrupted
	case v.cancel != nil:
		return run.Cancelling
	case v.paused != nil:
		return run.Paused
	case v.Started.IsZero():
		return run.Pending
	}
	var live, doubt, parked int
	for _, s := range f.steps {
		switch s.leaf() {
		case Running, Retrying, Verifying:
			live++
		case InDoubt:
			doubt++
		case Waiting:
			parked++
		case Pending, Succeeded, Failed, Ignored, Skipped, Carried, Unreached:
		}
	}
	switch {
	case doubt > 0 && live == 0:
		return run.InDoubt
	case parked > 0 && live == 0:
		return run.Waiting
	}
	return run.Running
}

// leaf is the status of a step that can act; blocks that are only open count as nothing.
func (s *Step) leaf() Status {
	switch program.Kind(s.Kind) {
	case program.KindSteps, program.KindForeach, program.KindParallel, program.KindLock, kindIteration:
		if s.Status == Running {
			return Pending
		}
	default:
	}
	// A step that verifies or waits by a helper is as live as the helper.
	return s.Status
}

// waits tells what the run waits for, as far as its entries say.
func (f *Fold) waits() []Wait {
	v := f.view
	switch {
	case !v.Ended.IsZero():
		return nil
	case v.interrupted != "":
		return []Wait{{For: "resume", Why: v.interrupted}}
	}
	var out []Wait
	if v.paused != nil {
		out = append(out, Wait{For: "pause", Why: v.paused.Why})
	}
	for _, s := range f.steps {
		if w, ok := s.wait(); ok {
			out = append(out, w)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Path < out[j].Path })
	return out
}

func (s *Step) wait() (Wait, bool) {
	w := Wait{Path: s.Path}
	switch s.Status {
	case Retrying:
		w.For, w.Until = "retry", s.Due
		return w, !s.Due.IsZero()
	case InDoubt:
		w.For, w.Why = "doubt", "nobody knows whether it took effect"
		if s.Fault != nil {
			w.Why += ": " + s.Fault.Message
		}
		w.On = s.openTask()
		return w, w.On != ""
	case Waiting:
	case Pending, Running, Verifying, Succeeded, Failed, Ignored, Skipped, Carried, Unreached:
		return w, false
	}
	switch {
	case s.Held != "":
		w.For, w.On, w.Until, w.Why = "guard", s.Held, s.Due, s.Why
		if s.Runner == s.Held {
			w.For = "runner"
		}
	case s.openTask() != "":
		w.For, w.On, w.Why = "task", s.openTask(), "a person must answer"
		w.Until = s.Tasks[len(s.Tasks)-1].Expires
	case s.Child != "":
		w.For, w.On, w.Why = "child", s.Child, "a sub-playbook runs"
	case s.Lock != "":
		w.For, w.On, w.Why = "lock", s.Lock, "another run holds the lock"
	case s.Wait != nil && s.Wait.Event != "":
		w.For, w.On, w.Until = "event", s.Wait.Event, s.Wait.Deadline
		w.Why = fmt.Sprintf("event %q with key %q must arrive", s.Wait.Event, s.Wait.Key)
	case s.Wait != nil:
		w.For, w.Until = "time", s.Wait.Until
	default:
		return w, false
	}
	return w, true
}

func (s *Step) openTask() string {
	for _, t := range s.Tasks {
		if t.Closed.IsZero() {
			return t.ID
		}
	}
	return ""
}
