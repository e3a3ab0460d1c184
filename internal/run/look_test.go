package run_test

import (
	"testing"
	"time"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/value"
)

func later(d time.Duration) time.Time { return noon.Add(d) }

// TestLastLook: a check looks again until its time is over, and once more just then; what comes true in the last pause counts.
func TestLastLook(t *testing.T) {
	t.Parallel()
	look := act(contract.Read)
	check := &program.Check{Step: &look, Until: lit(true), Every: value.Duration(4 * time.Second), Within: value.Duration(10 * time.Second)}
	mutation := act(contract.Mutate)
	mutation.Verify = check
	for name, s := range map[string]*run.State{
		"wait": fold(t, programOf(program.Node{Kind: program.KindWait, Wait: &program.Wait{Until: check, Within: check.Within}}),
			&entry.WaitStarted{Path: at, Check: true, Deadline: later(10 * time.Second)}),
		"verify": fold(t, programOf(mutation), intent(at, 1), result(at, 1, entry.Succeeded)),
	} {
		what := map[string]run.What{"wait": run.RenderUntil, "verify": run.RenderVerify}[name]
		for _, c := range []struct{ looked, next time.Duration }{{1, 5}, {5, 9}, {9, 10}} {
			now := later(c.looked * time.Second)
			got := s.Accept(run.Rendered{Render: run.Render{Path: at, What: what}}, now).Facts
			if len(got) != 1 || s.Evolve(got[0], now) != nil {
				t.Fatalf("%s at %ds: %+v", name, c.looked, got)
			}
			if n := s.Node(at); n.Phase == run.PhaseDone || !n.Due.Equal(later(c.next*time.Second)) {
				t.Errorf("%s at %ds: %s, and the next look at %v, not at %ds", name, c.looked, n.Phase, n.Due.Sub(noon), c.next)
			}
		}
		now := later(10 * time.Second)
		got := s.Accept(run.Rendered{Render: run.Render{Path: at, What: what}}, now).Facts
		if len(got) != 1 || s.Evolve(got[0], now) != nil {
			t.Fatalf("%s at its end: %+v", name, got)
		}
		if n := s.Node(at); n.Outcome != string(entry.Failed) {
			t.Errorf("%s at its end: %s %s", name, n.Phase, n.Outcome)
		}
	}
}

// TestLooksAreBounded: a check that hangs does not hang the run.
func TestLooksAreBounded(t *testing.T) {
	t.Parallel()
	look := act(contract.Read)
	limited := act(contract.Read)
	limited.Timeout = value.Duration(time.Minute)
	waits := func(look *program.Node) *run.State {
		return fold(t, programOf(program.Node{Kind: program.KindWait, Wait: &program.Wait{Until: &program.Check{Step: look}, Within: 1}}),
			&entry.WaitStarted{Path: at, Check: true, Deadline: later(30 * time.Second)})
	}
	once := act(contract.Mutate)
	once.Verify = &program.Check{Step: &look}
	watched := block(program.KindSteps, act(contract.Read))
	watched.StopWhen = &program.StopWhen{Check: program.Check{Step: &look}}
	for name, c := range map[string]struct {
		s     *run.State
		path  string
		begun time.Duration
		want  time.Duration // zero is no limit
	}{
		"to the end of within":             {waits(&look), at + ".until", 5 * time.Second, 30 * time.Second},
		"a last look has time to see":      {waits(&look), at + ".until", 29 * time.Second, 39 * time.Second},
		"its own limit is its own":         {waits(&limited), at + ".until", 5 * time.Second, 65 * time.Second},
		"once is without a limit":          {fold(t, programOf(once), did(at)...), at + ".verify", 0, 0},
		"a stopWhen that hangs is no data": {fold(t, programOf(watched), &entry.BlockStarted{Path: at}), at + ".stopWhen", 5 * time.Second, 35 * time.Second},
	} {
		got := c.s.Accept(run.Rendered{Render: run.Render{Path: c.path, What: run.RenderStep}}, later(c.begun))
		if got.Intent == nil {
			t.Errorf("%s: %+v", name, got)
			continue
		}
		if want := (time.Time{}); c.want != 0 {
			want = later(c.want)
			if !got.Intent.Deadline.Equal(want) {
				t.Errorf("%s: %v", name, got.Intent.Deadline.Sub(noon))
			}
		} else if !got.Intent.Deadline.Equal(want) {
			t.Errorf("%s: %v", name, got.Intent.Deadline)
		}
	}
}
