// Package telemetry tells other systems about a server: metrics for Prometheus, traces by OpenTelemetry, and a heartbeat.
//
// Nothing is measured on the path of a step. Runs are told when they have ended, from their entries, so that a restart
// forgets none; events when they were decided; everything else is looked up when somebody asks, at most every few seconds.
// Labels are bounded: no ids but the one revision that is live of each repository, and of names the first hundred; the rest is
// "other".
package telemetry

import (
	"context"
	"time"

	"github.com/tendhq/tend/internal/entry"
)

// Entries reads a stream.
type Entries interface {
	Read(ctx context.Context, stream string, from uint64, limit int) ([]entry.Entry, error)
}

// Story is what a run that ended says about itself, as far as others are told.
type Story struct {
	ID       string
	Created  *entry.RunCreated
	Began    time.Time
	Ended    time.Time
	Status   string
	Fault    *entry.Fault
	Steps    []*Step
	Holds    []string // guards that held something, each time
	Doubts   int      // outcomes that nobody knew at first
	Verified int      // verifications that held
	Refuted  int      // and that did not

	steps map[string]*Step
}

// Step is a step instance that acted, or would have.
type Step struct {
	Path     string
	Action   string
	Effect   string
	Runner   string
	Attempts []Attempt
	End      string // of the last attempt, or refused, skipped, observed
	Ended    time.Time
	Fault    *entry.Fault
}

// Attempt is one attempt. What was in flight when its process died has the end that was found out afterwards.
type Attempt struct {
	Number  int
	Began   time.Time
	Ended   time.Time // zero: it never came back
	Outcome string
	Fault   *entry.Fault
}

// Tell reads the story of a run.
func Tell(ctx context.Context, r Entries, run string) (*Story, error) {
	s := &Story{ID: run, steps: map[string]*Step{}}
	for from := uint64(1); ; {
		page, err := r.Read(ctx, "run/"+run, from, 1000)
		if err != nil {
			return s, err
		}
		for i := range page {
			if err := s.add(&page[i]); err != nil {
				return s, err
			}
		}
		if len(page) < 1000 {
			return s, nil
		}
		from = page[len(page)-1].Seq + 1
	}
}

// told are the kinds of entries that matter here; the others are not even decoded.
var told = map[entry.Kind]bool{
	entry.KindRunCreated: true, entry.KindRunEnded: true, entry.KindStepIntent: true, entry.KindStepResult: true,
	entry.KindStepHeld: true, entry.KindStepRefused: true, entry.KindStepSkipped: true, entry.KindStepVerified: true,
}

func (s *Story) add(e *entry.Entry) error {
	if !told[e.Kind] || e.Erased { // what was forgotten is not told
		return nil
	}
	p, err := entry.Decode(*e)
	if err != nil {
		return err
	}
	switch p := p.(type) {
	case *entry.RunCreated:
		s.Created, s.Began, s.Ended = p, e.At, e.At
	case *entry.RunEnded:
		s.Ended, s.Status, s.Fault = e.At, p.Status, p.Fault
	case *entry.StepIntent:
		x := s.step(p.Path)
		x.Action, x.Effect, x.Runner = p.Action, p.Effect, p.Runner
		x.Attempts = append(x.Attempts, Attempt{Number: p.Attempt, Began: e.At})
	case *entry.StepResult:
		s.result(e.At, p)
	case *entry.StepHeld:
		if p.For == "" {
			s.Holds = append(s.Holds, p.Guard)
		}
	case *entry.StepRefused:
		x := s.step(p.Path)
		x.End, x.Ended, x.Fault = "refused", e.At, &p.Fault
	case *entry.StepSkipped:
		x := s.step(p.Path)
		x.End, x.Ended = "skipped", e.At
		if p.Would != nil {
			x.End, x.Action, x.Effect, x.Runner = "observed", p.Would.Action, p.Would.Effect, p.Would.Runner
		}
	case *entry.StepVerified:
		if p.OK {
			s.Verified++
		} else {
			s.Refuted++
		}
	}
	return nil
}

func (s *Story) step(path string) *Step {
	x := s.steps[path]
	if x == nil {
		x = &Step{Path: path}
		s.steps[path] = x
		s.Steps = append(s.Steps, x)
	}
	return x
}

func (s *Story) result(at time.Time, p *entry.StepResult) {
	x := s.step(p.Path)
	for i := range x.Attempts {
		if a := &x.Attempts[i]; a.Number == p.Attempt {
			a.Ended, a.Outcome, a.Fault = at, string(p.Outcome), p.Fault
		}
	}
	x.End, x.Ended, x.Fault = string(p.Outcome), at, p.Fault
	if p.Outcome == entry.InDoubt {
		s.Doubts++
	}
}

// kindOf names the kind of a fault, or "".
func kindOf(f *entry.Fault) string {
	if f == nil {
		return ""
	}
	return f.Kind
}
