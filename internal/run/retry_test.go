package run_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/value"
)

func TestBackoff(t *testing.T) {
	t.Parallel()
	const s, h = value.Duration(time.Second), value.Duration(time.Hour)
	for _, c := range []struct {
		name  string
		retry *program.Retry
		want  []time.Duration // after attempts 1, 2, 3, …
	}{
		{"no policy", nil, []time.Duration{0, 0}},
		{"none", &program.Retry{Attempts: 3}, []time.Duration{0, 0}},
		{"negative", &program.Retry{Backoff: -s}, []time.Duration{0}},
		{"constant", &program.Retry{Backoff: 2 * s}, []time.Duration{2e9, 2e9, 2e9}},
		{"factor 1", &program.Retry{Backoff: 2 * s, Factor: 1}, []time.Duration{2e9, 2e9}},
		{"factor 2", &program.Retry{Backoff: s, Factor: 2}, []time.Duration{1e9, 2e9, 4e9, 8e9}},
		{"factor 1.5", &program.Retry{Backoff: s, Factor: 1.5}, []time.Duration{1e9, 1500e6, 2250e6}},
		{"factor below 1", &program.Retry{Backoff: s, Factor: 0.5}, []time.Duration{1e9, 1e9}},
		{"cap", &program.Retry{Backoff: s, Factor: 10, Cap: 5 * s}, []time.Duration{1e9, 5e9, 5e9}},
		{"cap below", &program.Retry{Backoff: 10 * s, Cap: 5 * s}, []time.Duration{5e9}},
		{"a day at most", &program.Retry{Backoff: h, Factor: 100}, []time.Duration{time.Hour, 24 * time.Hour, 24 * time.Hour}},
	} {
		for i, want := range c.want {
			if got := run.Backoff(c.retry, i+1, "seed"); got != want {
				t.Errorf("%s: %s after attempt %d, not %s", c.name, got, i+1, want)
			}
		}
	}
}

// TestBackoffNeverOverflows: late attempts wait as long as the longest, and never not at all.
func TestBackoffNeverOverflows(t *testing.T) {
	t.Parallel()
	for _, factor := range []float64{2, 1e300, math.Inf(1)} {
		for _, attempt := range []int{60, 64, 1000, math.MaxInt32} {
			if got := run.Backoff(&program.Retry{Backoff: value.Duration(time.Second), Factor: factor}, attempt, ""); got != 24*time.Hour {
				t.Errorf("%s after attempt %d with factor %g", got, attempt, factor)
			}
		}
	}
}

// TestJitter: it is spread over its share, and a function of the seed.
func TestJitter(t *testing.T) {
	t.Parallel()
	r := &program.Retry{Backoff: value.Duration(100 * time.Second), Jitter: 0.5}
	low, high, seen := time.Duration(math.MaxInt64), time.Duration(0), map[time.Duration]bool{}
	for i := range 2000 {
		seed := fmt.Sprint("run", i)
		d := run.Backoff(r, 1, seed)
		if d != run.Backoff(r, 1, seed) {
			t.Fatal("the same seed gave two delays")
		}
		low, high, seen[d] = min(low, d), max(high, d), true
	}
	if low < 75*time.Second || low > 76*time.Second || high > 125*time.Second || high < 124*time.Second || len(seen) < 1000 {
		t.Errorf("%d delays from %s to %s", len(seen), low, high)
	}
}

func TestRetries(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		retry   *program.Retry
		attempt int
		kind    string
		want    bool
	}{
		{nil, 1, "exit", false},
		{&program.Retry{Attempts: 1}, 1, "exit", false},
		{&program.Retry{Attempts: 3}, 1, "exit", true},
		{&program.Retry{Attempts: 3}, 2, "exit", true},
		{&program.Retry{Attempts: 3}, 3, "exit", false},
		{&program.Retry{Attempts: 3}, 4, "exit", false},
		{&program.Retry{Attempts: 3, On: []string{"timeout", "status"}}, 1, "status", true},
		{&program.Retry{Attempts: 3, On: []string{"timeout", "status"}}, 1, "auth", false},
		{&program.Retry{Attempts: 3, On: []string{"timeout"}}, 3, "timeout", false},
	} {
		if got := run.Retries(c.retry, c.attempt, c.kind); got != c.want {
			t.Errorf("%+v after attempt %d with %s: %v", c.retry, c.attempt, c.kind, got)
		}
	}
}

// TestAfterDoubt: what follows an outcome that nobody knows.
func TestAfterDoubt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		policy, effect string
		attempts       int // of the retry policy
		attempt        int
		want           string
	}{
		{"", "mutate", 0, 1, "ask"},
		{"", "mutate", 5, 1, "ask"}, // a retry policy says nothing about doubt
		{"", "", 0, 1, "ask"},       // what is not proven to be harmless is not
		{"", "read", 0, 1, "retry"},
		{"", "read", 0, 2, "retry"},
		{"", "read", 0, 3, "fail"},
		{"", "idempotent", 0, 1, "retry"},
		{"", "idempotent", 5, 4, "retry"},
		{"", "idempotent", 5, 5, "fail"},
		{"", "read", 2, 1, "retry"}, // fewer than without a policy, too
		{"", "read", 2, 2, "fail"},
		{"", "read", 1, 1, "fail"},
		{"ask", "read", 0, 1, "ask"},
		{"fail", "read", 0, 1, "fail"},
		{"fail", "mutate", 0, 1, "fail"},
		{"retry", "mutate", 0, 1, "retry"},
		{"retry", "mutate", 0, 3, "fail"},
		{"probe", "mutate", 0, 1, "ask"}, // the probe comes first, then a person
	} {
		def := program.Node{Kind: program.KindAction, OnDoubt: c.policy}
		if c.attempts > 0 {
			def.Retry = &program.Retry{Attempts: c.attempts}
		}
		if got := run.AfterDoubt(&def, c.effect, c.attempt); got != c.want {
			t.Errorf("%q for %q after attempt %d of %d: %s, not %s", c.policy, c.effect, c.attempt, c.attempts, got, c.want)
		}
	}
}

// TestDigest: an approval binds to everything that would happen.
func TestDigest(t *testing.T) {
	t.Parallel()
	base := func() (program.Node, run.Rendered) {
		n := act(contract.Mutate)
		return n, run.Rendered{Inputs: map[string]any{"with": map[string]any{"a": int64(1)}}, Targets: []string{"host:1"}, Runner: "r", Text: "sure?"}
	}
	n, r := base()
	want := run.Digest(&n, r)
	if n2, r2 := base(); run.Digest(&n2, r2) != want {
		t.Fatal("the same gives another hash")
	}
	for name, change := range map[string]func(*program.Node, *run.Rendered){
		"inputs":       func(_ *program.Node, r *run.Rendered) { r.Inputs["with"].(map[string]any)["a"] = int64(2) },
		"environment":  func(_ *program.Node, r *run.Rendered) { r.Inputs["env"] = map[string]any{"A": "b"} },
		"targets":      func(_ *program.Node, r *run.Rendered) { r.Targets = []string{"host:1", "host:2"} },
		"other target": func(_ *program.Node, r *run.Rendered) { r.Targets = []string{"host:2"} },
		"runner":       func(_ *program.Node, r *run.Rendered) { r.Runner = "s" },
		"message":      func(_ *program.Node, r *run.Rendered) { r.Text = "really?" },
		"action":       func(n *program.Node, _ *run.Rendered) { n.Uses = "other" },
		"effect":       func(n *program.Node, _ *run.Rendered) { n.Effect = contract.Read },
		"irreversible": func(n *program.Node, _ *run.Rendered) { n.Irreversible = true },
	} {
		n, r := base()
		change(&n, &r)
		if run.Digest(&n, r) == want {
			t.Errorf("other %s, the same hash", name)
		}
	}
}
