package run_test

import (
	"testing"
	"time"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/value"
)

// TestAskedToWait: an attempt that the other side asked to come back later follows not before that, and not before its own
// pause either.
func TestAskedToWait(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		outcome entry.Outcome
		effect  contract.Effect
		backoff time.Duration
		asked   time.Duration
		want    time.Duration
	}{
		"later than its pause":   {entry.Failed, contract.Mutate, time.Second, time.Minute, time.Minute},
		"sooner than its pause":  {entry.Failed, contract.Mutate, time.Hour, time.Minute, time.Hour},
		"nothing asked":          {entry.NotStarted, contract.Mutate, time.Second, 0, time.Second},
		"a read without answer":  {entry.InDoubt, contract.Read, time.Second, time.Minute, time.Minute},
		"refused before a start": {entry.NotStarted, contract.Mutate, 0, time.Minute, time.Minute},
	} {
		step := act(c.effect, retried(3))
		step.Retry.Backoff = value.Duration(c.backoff)
		i := intent(at, 1)
		i.(*entry.StepIntent).Effect = string(c.effect)
		r := result(at, 1, c.outcome)
		if c.asked > 0 {
			r.(*entry.StepResult).NotBefore = later(c.asked)
		}
		s := fold(t, programOf(step), i, r)
		var got *entry.RetryScheduled
		for _, f := range run.Decide(s, noon).Facts {
			if x, ok := f.(*entry.RetryScheduled); ok {
				got = x
			}
		}
		if got == nil || !got.At.Equal(later(c.want)) {
			t.Errorf("%s: %+v", name, got)
			continue
		}
		if err := s.Evolve(got, noon); err != nil || s.Node(at).Phase != run.PhaseRetrying {
			t.Errorf("%s: %v, %v", name, err, s.Node(at).Phase)
		}
	}
}
