package guard_test

import (
	"testing"
	"time"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/value"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func calm(change ...func(*guard.Spec)) guard.Spec {
	g := guard.Spec{Name: "calm", Cooldown: &guard.Cooldown{Every: value.Duration(time.Hour)}}
	for _, f := range change {
		f(&g)
	}
	return g
}

// TestCheck: one guard that counted an effect on host:1 by run r1, until one o'clock.
func TestCheck(t *testing.T) {
	t.Parallel()
	sel := func(s guard.Selection) func(*guard.Spec) {
		return func(g *guard.Spec) { g.Select = s }
	}
	deny := func(g *guard.Spec) { g.Then = "deny" }
	one := []string{"host:1"}
	for _, c := range []struct {
		name    string
		guard   guard.Spec
		effect  contract.Effect
		root    string
		targets []string
		at      time.Duration // after noon
		want    guard.Kind
		reserve int
	}{
		{"another run", calm(), contract.Mutate, "r2", one, 0, guard.Hold, 0},
		{"the last moment", calm(), contract.Mutate, "r2", one, time.Hour - time.Microsecond, guard.Hold, 0},
		{"its time is over", calm(), contract.Mutate, "r2", one, time.Hour, guard.Allow, 1},
		{"its own run", calm(), contract.Mutate, "r1", one, 0, guard.Allow, 1},
		{"another target", calm(), contract.Mutate, "r2", []string{"host:2"}, 0, guard.Allow, 1},
		{"one of two targets", calm(), contract.Mutate, "r2", []string{"host:2", "host:1"}, 0, guard.Hold, 0},
		{"no target", calm(), contract.Mutate, "r2", nil, 0, guard.Allow, 1},
		{"deny", calm(deny), contract.Mutate, "r2", one, 0, guard.Deny, 0},
		{"a read", calm(), contract.Read, "r2", one, 0, guard.Allow, 0},
		{"an idempotent effect", calm(), contract.Idempotent, "r2", one, 0, guard.Allow, 0},
		{"a read that is selected", calm(sel(guard.Selection{Effects: []contract.Effect{contract.Read}})), contract.Read, "r2", one, 0, guard.Hold, 0},
		{"another playbook", calm(sel(guard.Selection{Playbooks: []string{"db-*"}})), contract.Mutate, "r2", one, 0, guard.Allow, 0},
		{"this playbook", calm(sel(guard.Selection{Playbooks: []string{"web-*"}})), contract.Mutate, "r2", one, 0, guard.Hold, 0},
		{"another action", calm(sel(guard.Selection{Actions: []string{"http"}})), contract.Mutate, "r2", one, 0, guard.Allow, 0},
		{"another label", calm(sel(guard.Selection{Labels: map[string]string{"team": "db"}})), contract.Mutate, "r2", one, 0, guard.Allow, 0},
		{"this label", calm(sel(guard.Selection{Labels: map[string]string{"team": "web"}})), contract.Mutate, "r2", one, 0, guard.Hold, 0},
		{"targets that it does not watch", calm(sel(guard.Selection{Targets: []string{"db:*"}})), contract.Mutate, "r2", one, 0, guard.Allow, 0},
		{"targets that it watches", calm(sel(guard.Selection{Targets: []string{"host:*"}})), contract.Mutate, "r2", []string{"db:1", "host:1"}, 0, guard.Hold, 0},
		{"no target passes by no guard", calm(sel(guard.Selection{Targets: []string{"host:*"}})), contract.Mutate, "r2", nil, 0, guard.Allow, 1},
	} {
		counted := new(guard.Counted)
		counted.Add(guard.Reservation{Guard: "calm", Root: "r1", Target: "host:1", Until: noon.Add(time.Hour)})
		v := guard.Check([]guard.Spec{c.guard}, counted, guard.Request{
			Playbook: "web-restart", Labels: map[string]string{"team": "web"}, Action: "shell", Effect: c.effect, Targets: c.targets, Root: c.root,
		}, noon.Add(c.at))
		if v.Kind != c.want || len(v.Reserve) != c.reserve {
			t.Errorf("%s: %s with %d reservations, not %s with %d", c.name, v.Kind, len(v.Reserve), c.want, c.reserve)
		}
		if v.Kind != guard.Allow && (v.Guard != "calm" || v.Why == "") {
			t.Errorf("%s: nobody learns why: %+v", c.name, v)
		}
		if v.Kind == guard.Hold && !v.Until.Equal(noon.Add(time.Hour)) {
			t.Errorf("%s: until %s", c.name, v.Until)
		}
		for _, r := range v.Reserve {
			if r.Root != c.root || !r.Until.Equal(noon.Add(c.at+time.Hour)) {
				t.Errorf("%s: reserved %+v", c.name, r)
			}
		}
	}
}

// TestNamelessEffectsCount: an effect that names no target is held by the one before it.
func TestNamelessEffectsCount(t *testing.T) {
	t.Parallel()
	specs, counted := []guard.Spec{calm()}, new(guard.Counted)
	r := guard.Request{Effect: contract.Mutate, Root: "r1"}
	for _, x := range guard.Check(specs, counted, r, noon).Reserve {
		counted.Add(x)
	}
	if r.Root = "r2"; guard.Check(specs, counted, r, noon).Kind != guard.Hold {
		t.Error("an effect without a target passed by")
	}
}

// TestTheStrictestWins: deny before hold, the longest hold before shorter ones, in any order; and nothing is counted.
func TestTheStrictestWins(t *testing.T) {
	t.Parallel()
	named := func(name, then string) guard.Spec {
		return calm(func(g *guard.Spec) { g.Name, g.Then = name, then })
	}
	counted := new(guard.Counted)
	for name, d := range map[string]time.Duration{"short": time.Minute, "long": time.Hour, "never": time.Second} {
		counted.Add(guard.Reservation{Guard: name, Root: "r1", Target: "t", Until: noon.Add(d)})
	}
	short, long, never, free := named("short", ""), named("long", ""), named("never", "deny"), named("free", "")
	for _, c := range []struct {
		specs []guard.Spec
		by    string
		kind  guard.Kind
	}{
		{[]guard.Spec{short, long, free}, "long", guard.Hold},
		{[]guard.Spec{long, free, short}, "long", guard.Hold},
		{[]guard.Spec{never, short, long}, "never", guard.Deny},
		{[]guard.Spec{long, never}, "never", guard.Deny},
		{[]guard.Spec{free}, "", guard.Allow},
		{nil, "", guard.Allow},
	} {
		v := guard.Check(c.specs, counted, guard.Request{Effect: contract.Mutate, Targets: []string{"t"}, Root: "r2"}, noon)
		if v.Kind != c.kind || v.Guard != c.by {
			t.Errorf("%s by %q, not %s by %q", v.Kind, v.Guard, c.kind, c.by)
		}
		if v.Kind != guard.Allow && (len(v.Reserve) > 0 || len(v.Allowed) > 0) {
			t.Errorf("%s counts %v", v.Kind, v.Reserve)
		}
	}
}
