package sim_test

import (
	"os"
	"strconv"
	"testing"

	"github.com/tendhq/tend/internal/sim"
)

// seeds tells how many seeds to run: SIM_SEEDS, else a short campaign.
func seeds(t *testing.T) uint64 {
	t.Helper()
	if s := os.Getenv("SIM_SEEDS"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatalf("SIM_SEEDS=%q: %v", s, err)
		}
		return n
	}
	return 150
}

func options(seed uint64) sim.Options {
	return sim.Options{Seed: seed, Crash: 0.01, Full: 0.02, Lost: 0.01, Fail: 0.15, Doubt: 0.08, Meddle: 0.01, Damage: 0.3, Govern: float64(seed%3) * 0.004}
}

// TestSeeds runs generated playbooks under every fault. SEED=n repeats one.
func TestSeeds(t *testing.T) {
	t.Parallel()
	from, to := uint64(1), seeds(t)
	if s := os.Getenv("SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		from, to = n, n
	}
	total := sim.Result{Ended: map[string]int{}}
	for seed := from; seed <= to; seed++ {
		o := options(seed)
		if os.Getenv("SIM_LOG") != "" {
			o.Log = os.Stderr
		}
		r, err := sim.Run(o)
		if err != nil {
			t.Errorf("%v\nrepeat: SEED=%d go test ./internal/sim -run TestSeeds", err, seed)
			if t.Failed() && from != to {
				return
			}
			continue
		}
		total.Events, total.Crashes, total.Effects = total.Events+r.Events, total.Crashes+r.Crashes, total.Effects+r.Effects
		total.Retries, total.Carried, total.Freed = total.Retries+r.Retries, total.Carried+r.Carried, total.Freed+r.Freed
		total.Turns += r.Turns
		for k, n := range r.Ended {
			total.Ended[k] += n
		}
	}
	t.Logf("%d seeds, %d events, %d crashes, %d effects, %d retries, %d calls carried on, %d locks released, %v", to-from+1,
		total.Events, total.Crashes, total.Effects, total.Retries, total.Carried, total.Freed, total.Ended)
	if to-from >= 100 && total.Turns < 100 {
		t.Errorf("the campaign halted only %d times", total.Turns)
	}
	if to-from >= 100 && (total.Retries < 10 || total.Carried == 0 || total.Freed == 0) {
		t.Errorf("the campaign did not meet retries and damage")
	}
	if from != to && (total.Crashes < 10 || total.Effects < 100 || total.Ended["succeeded"] == 0 || total.Ended["failed"] == 0 || total.Ended["cancelled"] == 0) {
		t.Errorf("the campaign did not meet what it is for")
	}
}

// TestSameSeedSameTrace: a seed replays.
func TestSameSeedSameTrace(t *testing.T) {
	t.Parallel()
	for seed := uint64(1); seed <= 5; seed++ {
		a, err := sim.Run(options(seed))
		if err != nil {
			t.Fatal(err)
		}
		b, err := sim.Run(options(seed))
		if err != nil {
			t.Fatal(err)
		}
		if a.Trace != b.Trace || a.Events != b.Events {
			t.Fatalf("seed %d gave %s after %d events, then %s after %d", seed, a.Trace, a.Events, b.Trace, b.Events)
		}
	}
}
