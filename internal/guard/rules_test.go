package guard_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/language"
	"github.com/tendhq/tend/internal/value"
)

func lasts(d time.Duration) value.Duration { return value.Duration(d) }

// try asks about effects one after the other; those that are allowed are counted. It gives the verdicts.
func try(specs []guard.Spec, counted *guard.Counted, at time.Time, rs ...guard.Request) []guard.Verdict {
	out := make([]guard.Verdict, len(rs))
	for i, r := range rs {
		out[i] = guard.Check(specs, counted, r, at)
		for _, x := range out[i].Reserve {
			counted.Add(x)
		}
	}
	return out
}

func on(root string, targets ...string) guard.Request {
	return guard.Request{Playbook: "restart", Action: "shell", Effect: contract.Mutate, Targets: targets, Root: root, Path: "steps[0]"}
}

func kinds(vs []guard.Verdict) string {
	var out []string
	for _, v := range vs {
		out = append(out, string(v.Kind))
	}
	return strings.Join(out, " ")
}

func TestFence(t *testing.T) {
	t.Parallel()
	specs := []guard.Spec{{Name: "ceiling", Select: guard.Selection{Effects: []contract.Effect{contract.Idempotent, contract.Mutate}}, Fence: []string{"host:web-*"}}}
	vs := try(specs, new(guard.Counted), noon, on("r", "host:web-1"), on("r", "host:web-1", "host:db-1"), on("r"))
	if got := kinds(vs); got != "allow deny deny" || !strings.Contains(vs[1].Why, "host:db-1") {
		t.Errorf("%s: %s", got, vs[1].Why)
	}
	r := guard.Rules{
		Guards: map[string][]guard.Spec{"default": specs}, Modes: []guard.Setting{{Mode: guard.ModeAuto}},
		Overrides: []guard.Override{{Guard: "ceiling", Project: "default", By: "ada", Until: noon.Add(time.Hour)}},
	}
	q := on("r", "host:db-1")
	q.Project = "default"
	if v := r.Effect(new(guard.Counted), q, noon); v.Kind != guard.Deny {
		t.Errorf("an override loosens it: %+v", v)
	}
}

func TestRate(t *testing.T) {
	t.Parallel()
	specs := []guard.Spec{{Name: "slowly", Rate: &guard.Rate{Limit: 2, Within: lasts(time.Hour)}}}
	counted := new(guard.Counted)
	vs := try(specs, counted, noon, on("r1", "a"))
	vs = append(vs, try(specs, counted, noon.Add(10*time.Minute), on("r1", "a"), on("r2", "b"))...)
	if got := kinds(vs); got != "allow allow hold" {
		t.Fatal(got)
	}
	if v := vs[2]; !v.Until.Equal(noon.Add(time.Hour)) || !strings.Contains(v.Why, "2 effects") || !strings.Contains(v.Why, "within 1h") {
		t.Errorf("%+v", v)
	}
	if got := kinds(try(specs, counted, noon.Add(time.Hour), on("r2", "b"), on("r2", "c"))); got != "allow hold" {
		t.Errorf("an hour later: %s", got)
	}
	each := []guard.Spec{{Name: "slowly", Rate: &guard.Rate{Limit: 1, Within: lasts(time.Hour), Per: guard.PerTarget}}}
	if got := kinds(try(each, new(guard.Counted), noon, on("r", "a"), on("r", "b"), on("r", "b", "c"))); got != "allow allow hold" {
		t.Errorf("each target: %s", got)
	}
}

func TestSpread(t *testing.T) {
	t.Parallel()
	specs := []guard.Spec{{Name: "narrow", Spread: &guard.Spread{Limit: 3, Within: lasts(time.Hour)}}}
	counted := new(guard.Counted)
	vs := try(specs, counted, noon, on("r1", "a", "b"), on("r2", "b"), on("r1", "c"), on("r1", "d"), on("r1", "a"))
	if got := kinds(vs); got != "allow allow allow hold allow" {
		t.Fatal(got)
	}
	if v := vs[3]; !v.Until.Equal(noon.Add(time.Hour)) || !strings.Contains(v.Why, "there were 3 already, and d would be more") {
		t.Errorf("%+v", v)
	}
	// Sixty typed for six are never right.
	var sixty []string
	for i := range 60 {
		sixty = append(sixty, fmt.Sprint("host:", i))
	}
	if v := guard.Check(specs, nil, on("r", sixty...), noon); v.Kind != guard.Deny || !strings.Contains(v.Why, "these are 60 at once: host:0, host:1, host:2, host:3, host:4 and 55 others") {
		t.Errorf("sixty: %+v", v)
	}
	other := on("r9", "z")
	other.Playbook = "other"
	if v := guard.Check(specs, counted, other, noon); v.Kind != guard.Allow {
		t.Errorf("another playbook: %+v", v)
	}
	all := []guard.Spec{{Name: "narrow", Spread: &guard.Spread{Limit: 1, Within: lasts(time.Hour), Per: guard.PerGuard}}}
	if got := kinds(try(all, new(guard.Counted), noon, on("r", "a"), other)); got != "allow hold" {
		t.Errorf("all together: %s", got)
	}
}

func TestShare(t *testing.T) {
	t.Parallel()
	specs := []guard.Spec{{Name: "part", Select: guard.Selection{Targets: []string{"host:web-*"}}, Share: &guard.Share{Percent: 25, Size: 8, Within: lasts(time.Hour)}}}
	if got := kinds(try(specs, new(guard.Counted), noon, on("r", "host:web-1"), on("r", "host:db-1"), on("r", "host:web-2"), on("r", "host:web-3"), on("r", "host:web-1"))); got != "allow allow allow hold allow" {
		t.Error(got)
	}
	if n := (&guard.Share{Percent: 10, Size: 3}).Allows(); n != 1 {
		t.Errorf("of a small group %d", n)
	}
}

func TestFreeze(t *testing.T) {
	t.Parallel()
	// noon is a Sunday.
	f := &guard.Freeze{Windows: []guard.Window{{From: "Fri 17:00", To: "Mon 08:00", Why: "nobody is there"}}}
	specs := []guard.Spec{{Name: "weekend", Freeze: f}}
	v := guard.Check(specs, nil, on("r", "a"), noon)
	if v.Kind != guard.Hold || !v.Until.Equal(time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)) || !strings.Contains(v.Why, "nobody is there") {
		t.Errorf("%+v", v)
	}
	if v := guard.Check(specs, nil, on("r", "a"), v.Until); v.Kind != guard.Allow {
		t.Errorf("on Monday: %+v", v)
	}
	f.Windows = []guard.Window{{From: "Fri 17:00", To: "Mon 08:00", Why: "nobody is there"}, {From: "Sun 00:00", To: "Sun 20:00", Why: "sale"}}
	if v := guard.Check(specs, nil, on("r", "a"), noon); !v.Until.Equal(time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)) || !strings.Contains(v.Why, "nobody is there") {
		t.Errorf("of two windows the longer one counts: %+v", v)
	}
	f.Calendar, f.Windows = "holidays.ics", nil
	if v := guard.Check(specs, nil, on("r", "a"), noon); v.Kind != guard.Hold || !v.Until.IsZero() || !strings.Contains(v.Why, "cannot be read") {
		t.Errorf("an unreadable calendar: %+v", v)
	}
	f.Events = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nSUMMARY:Spring sale\nDTSTART:20260301T000000Z\nDTEND:20260303T000000Z\nEND:VEVENT\nEND:VCALENDAR\n"
	if v := guard.Check(specs, nil, on("r", "a"), noon); v.Kind != guard.Hold || !v.Until.Equal(time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)) || !strings.Contains(v.Why, "Spring sale") {
		t.Errorf("a calendar: %+v", v)
	}
}

func TestApproval(t *testing.T) {
	t.Parallel()
	above := []guard.Spec{{Name: "many", Approval: &guard.Approval{Above: 2}}}
	forever := []guard.Spec{{Name: "forever", Approval: &guard.Approval{Irreversible: true}}}
	drop := on("r", "a")
	drop.Irreversible = true
	approved := on("r", "a", "b", "c")
	approved.Approved = true
	for _, c := range []struct {
		specs []guard.Spec
		r     guard.Request
		want  guard.Kind
	}{
		{above, on("r", "a", "b"), guard.Allow},
		{above, on("r", "a", "b", "c"), guard.Ask},
		{above, approved, guard.Allow},
		{forever, on("r", "a"), guard.Allow},
		{forever, drop, guard.Ask},
		{[]guard.Spec{{Name: "always", Approval: &guard.Approval{}}}, on("r", "a"), guard.Ask},
		{[]guard.Spec{{Name: "rarely", Then: "ask", Rate: &guard.Rate{Limit: 1, Within: lasts(time.Hour)}}}, on("r", "a"), guard.Allow},
	} {
		if v := guard.Check(c.specs, nil, c.r, noon); v.Kind != c.want {
			t.Errorf("%s: %+v", c.specs[0].Name, v)
		}
	}
	// A guard that asks lets pass what people approved, and counts it.
	rarely := []guard.Spec{{Name: "rarely", Then: "ask", Rate: &guard.Rate{Limit: 1, Within: lasts(time.Hour)}}}
	counted := new(guard.Counted)
	if got := kinds(try(rarely, counted, noon, on("r", "a"), on("r", "b"), approved)); got != "allow ask allow" {
		t.Error(got)
	}
}

func rules(specs ...guard.Spec) *guard.Rules {
	return &guard.Rules{Guards: map[string][]guard.Spec{"": specs}, Modes: []guard.Setting{{Mode: guard.ModeAuto}}}
}

func TestChange(t *testing.T) {
	t.Parallel()
	r := rules(guard.Spec{Name: "change", Change: &guard.Change{Required: true}})
	if v := r.Effect(nil, on("r", "host:1"), noon); v.Kind != guard.Hold || !strings.Contains(v.Why, "host:1") {
		t.Errorf("%+v", v)
	}
	r.World.Changes = []guard.Planned{{ID: "CHG1", From: noon.Add(-time.Hour), To: noon.Add(time.Hour), Targets: []string{"host:*"}}}
	if v := r.Effect(nil, on("r", "host:1"), noon); v.Kind != guard.Allow {
		t.Errorf("%+v", v)
	}
	for name, q := range map[string]guard.Request{"another target": on("r", "host:1", "db:1"), "no target": on("r")} {
		if v := r.Effect(nil, q, noon); v.Kind != guard.Hold {
			t.Errorf("%s: %+v", name, v)
		}
	}
	if v := r.Effect(nil, on("r", "host:1"), noon.Add(time.Hour)); v.Kind != guard.Hold {
		t.Errorf("it is over: %+v", v)
	}
	if v := r.Effect(nil, on("r", "host:1"), noon.Add(-2*time.Hour)); v.Kind != guard.Hold || !v.Until.Equal(noon.Add(-time.Hour)) || !strings.Contains(v.Why, "CHG1 opens at 2026") {
		t.Errorf("before it opens: %+v", v)
	}
	r.World.Changes[0].Project = "other"
	if v := r.Effect(nil, on("r", "host:1"), noon); v.Kind != guard.Hold {
		t.Errorf("of another project: %+v", v)
	}
}

func TestModes(t *testing.T) {
	t.Parallel()
	r := &guard.Rules{Modes: []guard.Setting{
		{Mode: guard.ModeObserve},
		{Mode: guard.ModeAsk, Project: "shop"},
		{Mode: guard.ModeAuto, Playbook: "restart"},
		{Mode: guard.ModeAsk, Environment: "prod", Playbook: "restart"},
		{Mode: "reckless", Project: "bank"},
	}}
	for _, c := range []struct {
		project, env, playbook string
		want                   guard.Mode
	}{
		{"", "", "other", guard.ModeObserve},
		{"shop", "", "other", guard.ModeAsk},
		{"shop", "", "restart", guard.ModeAuto},
		{"shop", "prod", "restart", guard.ModeAsk},
		{"bank", "", "other", guard.ModeObserve}, // what is not a mode is not a permission
	} {
		if m, _ := r.ModeOf(c.project, c.env, c.playbook); m != c.want {
			t.Errorf("%+v: %s", c, m)
		}
	}
	if m, _ := new(guard.Rules).ModeOf("x", "", "y"); m != guard.ModeObserve {
		t.Errorf("without a setting: %s", m)
	}
	q := on("r", "a")
	q.Project, q.Playbook = "shop", "other"
	if v := r.Effect(nil, q, noon); v.Kind != guard.Ask || v.Guard != "mode" {
		t.Errorf("%+v", v)
	}
	if q.Approved = true; r.Effect(nil, q, noon).Kind != guard.Allow {
		t.Error("approved, and it asks again")
	}
	q.Project = ""
	if v := r.Effect(nil, q, noon); v.Kind != guard.Observe || len(v.Reserve) > 0 || !strings.Contains(v.Why, "this server") {
		t.Errorf("%+v", v)
	}
	q.Effect = contract.Read
	if v := r.Effect(nil, q, noon); v.Kind != guard.Allow {
		t.Errorf("a read: %+v", v)
	}
	q.Effect, q.Undo = contract.Mutate, true
	if v := r.Effect(nil, q, noon); v.Kind != guard.Allow {
		t.Errorf("undoing: %+v", v)
	}
}

func TestHalts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		halt  guard.Halted
		q     guard.Request
		stops bool
		start bool
	}{
		{"everything", guard.Halted{}, on("r", "host:1"), true, true},
		{"this project", guard.Halted{Project: "shop"}, on("r"), false, false},
		{"this playbook", guard.Halted{Playbook: "rest*"}, on("r"), true, true},
		{"another playbook", guard.Halted{Playbook: "x*"}, on("r"), false, false},
		{"a target", guard.Halted{Target: "host:*"}, on("r", "db:1", "host:1"), true, false},
		{"another target", guard.Halted{Target: "host:*"}, on("r", "db:1"), false, false},
		{"what does not say its target", guard.Halted{Target: "host:*"}, on("r"), true, false},
	} {
		c.halt.By, c.halt.At, c.halt.Why = "ann", noon, "wrong disks"
		r := rules()
		r.Halts = []guard.Halted{c.halt}
		for _, undo := range []bool{false, true} {
			c.q.Undo = undo
			if v := r.Effect(nil, c.q, noon); (v.Kind == guard.Hold) != c.stops || c.stops && !strings.Contains(v.Why, "by ann: wrong disks") {
				t.Errorf("%s, undo %v: %+v", c.name, undo, v)
			}
		}
		if v := r.Start(nil, guard.Start{Playbook: "restart", Run: "r"}, noon); (v.Kind == guard.Hold) != c.start {
			t.Errorf("%s: a start: %+v", c.name, v)
		}
		c.q.Effect = contract.Read
		if v := r.Effect(nil, c.q, noon); v.Kind != guard.Allow {
			t.Errorf("%s: a read: %+v", c.name, v)
		}
	}
}

func TestOverrides(t *testing.T) {
	t.Parallel()
	r := rules(calm())
	counted := new(guard.Counted)
	counted.Add(guard.Reservation{Guard: "calm", Root: "r1", Target: "host:1", Until: noon.Add(time.Hour)})
	o := guard.Override{Guard: "calm", By: "ann", Why: "flood", Until: noon.Add(time.Minute)}
	for _, c := range []struct {
		name   string
		change func(*guard.Override)
		want   guard.Kind
	}{
		{"it", func(*guard.Override) {}, guard.Allow},
		{"over", func(o *guard.Override) { o.Until = noon }, guard.Hold},
		{"another guard", func(o *guard.Override) { o.Guard = "x" }, guard.Hold},
		{"another project", func(o *guard.Override) { o.Project = "x" }, guard.Hold},
		{"this target", func(o *guard.Override) { o.Targets = []string{"host:1"} }, guard.Allow},
		{"another target", func(o *guard.Override) { o.Targets = []string{"host:2"} }, guard.Hold},
		{"another playbook", func(o *guard.Override) { o.Playbook = "x" }, guard.Hold},
	} {
		x := o
		c.change(&x)
		r.Overrides = []guard.Override{x}
		v := r.Effect(counted, on("r2", "host:1"), noon)
		if v.Kind != c.want || (len(v.Loose) == 1) != (c.want == guard.Allow) {
			t.Errorf("%s: %+v", c.name, v)
		}
	}
}

// TestOverridesOfTargets: an effect that touches others too, or does not say what it touches, is not loosened.
func TestOverridesOfTargets(t *testing.T) {
	t.Parallel()
	r := rules(guard.Spec{Name: "few", Then: "deny", Rate: &guard.Rate{Limit: 1, Within: lasts(time.Hour)}})
	r.Overrides = []guard.Override{{Guard: "few", By: "ann", Why: "flood", Targets: []string{"host:1"}, Until: noon.Add(time.Hour)}}
	counted := new(guard.Counted)
	counted.Add(guard.Reservation{Guard: "few", Root: "r1", Target: "x", Until: noon.Add(time.Hour)})
	for _, c := range []struct {
		targets []string
		want    guard.Kind
	}{{[]string{"host:1"}, guard.Allow}, {[]string{"host:1", "host:2"}, guard.Deny}, {nil, guard.Deny}} {
		if v := r.Effect(counted, on("r2", c.targets...), noon); v.Kind != c.want {
			t.Errorf("%v: %+v", c.targets, v)
		}
	}
}

// TestStartsThatAreHeld: what is held counts as an alarm and not as running, replaces nothing, and is not asked about.
func TestStartsThatAreHeld(t *testing.T) {
	t.Parallel()
	s := &story{rules: rules(
		guard.Spec{Name: "one", Concurrency: &guard.Concurrency{Limit: 1, Per: guard.PerKey, Then: "replace"}},
		guard.Spec{Name: "down", Then: "ask", StandDown: &guard.StandDown{Alarms: 1, Within: lasts(5 * time.Minute)}},
	)}
	if v := s.start("r1", "k", noon); v.Kind != guard.Allow || len(v.Reserve) != 1 {
		t.Fatalf("%+v", v)
	}
	if v := s.start("r1", "k", noon); v.Kind != guard.Allow || len(v.Replace) != 0 {
		t.Errorf("a run is held back by itself: %+v", v)
	}
	v := s.start("r2", "other", noon)
	if v.Kind != guard.Hold || v.Guard != "down" {
		t.Errorf("nobody can be asked about a run that is not there: %+v", v)
	}
	if len(v.Reserve) != 0 {
		t.Errorf("it does not run: %+v", v.Reserve)
	}
	if v := s.start("r3", "k", noon); v.Kind != guard.Hold || len(v.Replace) != 0 {
		t.Errorf("it does not begin, and ends another one: %+v", v)
	}
}

// story plays starts and ends of runs.
type story struct {
	rules   *guard.Rules
	counted guard.Counted
}

func (s *story) start(run, key string, at time.Time) guard.StartVerdict {
	x := guard.Start{Playbook: "restart", Run: run, Key: key, Alarm: "Down", Group: key}
	s.seen(x, at)
	v := s.rules.Start(&s.counted, x, at)
	for _, x := range v.Reserve {
		s.counted.Add(x)
	}
	return v
}

// seen counts an alarm that starts nothing.
func (s *story) seen(x guard.Start, at time.Time) {
	for _, r := range s.rules.Seen(&s.counted, x, at) {
		s.counted.Add(r)
	}
}

func (s *story) end(run, key string, failed bool, at time.Time) {
	more, less := s.rules.Ended(&s.counted, guard.End{Start: guard.Start{Playbook: "restart", Run: run, Key: key}, Failed: failed}, at)
	for _, x := range more {
		s.counted.Add(x)
	}
	for _, x := range less {
		s.counted.Drop(x)
	}
}

func TestBreaker(t *testing.T) {
	t.Parallel()
	b := guard.Spec{Name: "fuse", Breaker: &guard.Breaker{Failures: 2, Within: lasts(time.Hour), Open: lasts(30 * time.Minute), Again: lasts(10 * time.Minute)}}
	s := &story{rules: rules(b)}
	for i, at := range []time.Duration{0, 20 * time.Minute} {
		if v := s.start(fmt.Sprint("r", i), "k", noon.Add(at)); v.Kind != guard.Allow {
			t.Fatalf("start %d: %+v", i, v)
		}
		s.end(fmt.Sprint("r", i), "k", true, noon.Add(at+time.Minute))
	}
	v := s.start("r2", "other", noon.Add(22*time.Minute))
	if v.Kind != guard.Hold || v.Guard != "fuse" || !v.Until.Equal(noon.Add(51*time.Minute)) {
		t.Fatalf("open: %+v", v)
	}
	if v := s.rules.Effect(&s.counted, on("r9", "a"), noon.Add(22*time.Minute)); v.Kind != guard.Hold {
		t.Errorf("effects go on: %+v", v)
	}
	if v := s.start("r3", "k", noon.Add(51*time.Minute)); v.Kind != guard.Allow {
		t.Errorf("closed again: %+v", v)
	}
	// Failures far from each other open nothing.
	s = &story{rules: rules(b)}
	s.end("a", "k", true, noon)
	s.end("b", "k", true, noon.Add(61*time.Minute))
	if v := s.start("c", "k", noon.Add(62*time.Minute)); v.Kind != guard.Allow {
		t.Errorf("far from each other: %+v", v)
	}
	// A repair that does not help: the same alert comes back again and again.
	s = &story{rules: rules(b)}
	for i := range 3 {
		at := noon.Add(time.Duration(i) * 5 * time.Minute)
		v := s.start(fmt.Sprint("r", i), "k", at)
		if want := map[bool]guard.Kind{true: guard.Hold, false: guard.Allow}[i == 2]; v.Kind != want {
			t.Fatalf("start %d: %+v", i, v)
		}
		s.end(fmt.Sprint("r", i), "k", false, at.Add(time.Minute))
	}
	// What is held is asked about again and again: that counts nothing more.
	again := 0
	for i := range 3 {
		v := s.start("late", "k", noon.Add(11*time.Minute+time.Duration(i)*time.Second))
		if v.Kind != guard.Hold {
			t.Errorf("it is open: %+v", v)
		}
		again += len(v.Reserve)
	}
	if again > 1 {
		t.Errorf("three questions counted %d failures of one run", again)
	}
}

func TestConcurrency(t *testing.T) {
	t.Parallel()
	one := func(then string) *story {
		return &story{rules: rules(guard.Spec{Name: "one", Concurrency: &guard.Concurrency{Limit: 1, Per: guard.PerKey, Then: then}})}
	}
	s := one("")
	if v := s.start("r1", "k", noon); v.Kind != guard.Allow {
		t.Fatalf("%+v", v)
	}
	if v := s.start("r2", "k", noon); v.Kind != guard.Hold || v.Skip || !strings.Contains(v.Why, "r1 goes on") {
		t.Errorf("queued: %+v", v)
	}
	if v := s.start("r3", "other", noon); v.Kind != guard.Allow {
		t.Errorf("another key: %+v", v)
	}
	s.end("r1", "k", false, noon.Add(time.Minute))
	if v := s.start("r2", "k", noon.Add(time.Minute)); v.Kind != guard.Allow {
		t.Errorf("its turn: %+v", v)
	}
	s = one("skip")
	s.start("r1", "k", noon)
	if v := s.start("r2", "k", noon); !v.Skip || v.Kind != guard.Deny {
		t.Errorf("skipped: %+v", v)
	}
	s = one("replace")
	s.start("r1", "k", noon)
	if v := s.start("r2", "k", noon); v.Kind != guard.Allow || !slices.Equal(v.Replace, []string{"r1"}) {
		t.Errorf("replaced: %+v", v)
	}
}

func TestStandDown(t *testing.T) {
	t.Parallel()
	s := &story{rules: rules(guard.Spec{Name: "down", StandDown: &guard.StandDown{Alarms: 3, Within: lasts(5 * time.Minute), Blind: lasts(time.Minute)}})}
	var got []string
	for i := range 5 {
		got = append(got, string(s.start(fmt.Sprint("r", i), fmt.Sprint("host", i), noon).Kind))
	}
	if strings.Join(got, " ") != "allow allow allow hold hold" {
		t.Fatal(got)
	}
	if v := s.start("r9", "host0", noon); v.Kind != guard.Hold {
		t.Errorf("one of them again: %+v", v) // the network is down, whichever host it is about
	}
	if v := s.start("r9", "host9", noon.Add(6*time.Minute)); v.Kind != guard.Allow {
		t.Errorf("calm again: %+v", v)
	}
	s = &story{rules: rules(guard.Spec{Name: "down", StandDown: &guard.StandDown{Blind: lasts(time.Minute)}})}
	s.rules.World.Blind = map[string]guard.Silence{"Watchdog": {Since: noon}, "elsewhere": {Project: "other", Since: noon.Add(-time.Hour)}}
	for at, want := range map[time.Duration]guard.Kind{0: guard.Allow, time.Minute: guard.Hold} {
		if v := s.start("r", "k", noon.Add(at)); v.Kind != want {
			t.Errorf("blind for %s: %+v", at, v)
		}
		if v := s.rules.Effect(nil, on("r", "a"), noon.Add(at)); v.Kind != want {
			t.Errorf("an effect, blind for %s: %+v", at, v)
		}
	}
}

// TestStandDownCounts: alarms count that start nothing, as what they are about; who stands down holds effects of runs that go on,
// and begins nothing for as long as was said.
func TestStandDownCounts(t *testing.T) {
	t.Parallel()
	of := func(alarm, key, instance string) guard.Start {
		return guard.Start{Playbook: "restart", Run: "r0", Key: key, Alarm: alarm, Group: instance, About: map[string]string{"instance": instance}}
	}
	group := []string{"host:web-1", "host:web-2", "host:web-3", "host:web-4"}
	for name, x := range map[string]struct {
		rule  guard.StandDown
		seen  []guard.Start
		until time.Duration // 0: it does not stand down
		says  string
	}{
		"one key is one alarm": {guard.StandDown{Alarms: 2, Within: lasts(time.Hour)}, []guard.Start{of("Down", "shop", "a"), of("Down", "shop", "b"), of("Down", "shop", "c"), of("Down", "pay", "d")}, 0, ""},
		"by what they are about": {
			guard.StandDown{Alarms: 2, By: "instance", Within: lasts(time.Hour), For: lasts(2 * time.Hour)}, []guard.Start{of("Down", "shop", "a"), of("Down", "shop", "b"), of("Down", "shop", "c")}, 2 * time.Hour, `more than 2 alarms "Down"`,
		},
		"names apart":         {guard.StandDown{Alarms: 2, By: "instance", Within: lasts(time.Hour)}, []guard.Start{of("Down", "k", "a"), of("Slow", "k", "b"), of("Full", "k", "c")}, 0, ""},
		"a share of a number": {guard.StandDown{Percent: 20, Size: 10, By: "instance", Within: lasts(time.Hour)}, []guard.Start{of("Down", "k", "a"), of("Down", "k", "b"), of("Down", "k", "c")}, time.Hour, `alarms "Down" about more than 20% of 10 (2)`},
		"a share of members": {
			guard.StandDown{Percent: 25, Members: group, By: "instance", Within: lasts(time.Hour)}, []guard.Start{of("Down", "k", "web-1:9100"), of("Down", "k", "web-2")}, time.Hour, `about more than 25% of 4 (1)`,
		},
		"others are no members": {guard.StandDown{Percent: 25, Members: group, By: "instance", Within: lasts(time.Hour)}, []guard.Start{of("Down", "k", "web-1"), of("Down", "k", "db-1"), of("Down", "k", "web-10")}, 0, ""},
		"without the label":     {guard.StandDown{Alarms: 1, By: "pod", Within: lasts(time.Hour)}, []guard.Start{of("Down", "k", "a"), of("Down", "k", "b")}, 0, ""},
	} {
		s := &story{rules: rules(guard.Spec{Name: "down", StandDown: &x.rule})}
		for i, y := range x.seen {
			s.seen(y, noon.Add(time.Duration(i)*time.Second))
			s.seen(y, noon.Add(time.Duration(i)*time.Second)) // a repeat is the same alarm
		}
		last := noon.Add(time.Duration(len(x.seen)-1) * time.Second)
		v := s.rules.Start(&s.counted, of("Another", "new", "z"), last)
		w := s.rules.Effect(&s.counted, on("r0", "host:web-1"), last)
		if x.until == 0 {
			if v.Kind != guard.Allow || w.Kind != guard.Allow {
				t.Errorf("%s: %+v, %+v", name, v, w)
			}
			continue
		}
		if v.Kind != guard.Hold || w.Kind != guard.Hold || !v.Until.Equal(last.Add(x.until)) || !strings.Contains(v.Why, x.says) || !strings.Contains(v.Why, "until 2026") {
			t.Errorf("%s: %+v, %+v", name, v, w)
		}
		if v := s.rules.Effect(&s.counted, on("r0", "host:web-1"), last.Add(x.until)); v.Kind != guard.Allow {
			t.Errorf("%s: it goes on standing down: %+v", name, v)
		}
		other := on("r0", "host:web-1")
		other.Playbook = "other"
		if v := s.rules.Effect(&s.counted, other, last); v.Kind != guard.Allow {
			t.Errorf("%s: another playbook stands down too: %+v", name, v)
		}
	}
}

// TestGroups: how many there are in a group is a number, a list, or what the environment knows.
func TestGroups(t *testing.T) {
	t.Parallel()
	known := map[string][]string{"web": {"host:web-1", "host:web-2", "host:web-3", "host:web-4"}}
	share := guard.Spec{Name: "part", Share: &guard.Share{Percent: 50, Group: "web", Within: lasts(time.Hour)}}
	if _, ok := share.In(nil); ok {
		t.Error("a group that nobody knows is known")
	}
	g, ok := share.In(known)
	if !ok || g.Share.Of() != 4 || g.Share.Allows() != 2 || share.Share.Members != nil {
		t.Fatalf("%+v %+v", g.Share, share.Share)
	}
	counted := new(guard.Counted)
	vs := try([]guard.Spec{g}, counted, noon, on("r1", "host:web-1"), on("r2", "host:web-2"), on("r3", "host:web-3"), on("r4", "host:db-1"))
	if kinds(vs) != "allow allow hold allow" || !strings.Contains(vs[2].Why, "lets 50% of 4 targets (2) be touched within 1h") {
		t.Errorf("%s: %s", kinds(vs), vs[2].Why)
	}
	down, ok := guard.Spec{Name: "down", StandDown: &guard.StandDown{Percent: 50, Group: "web", Within: lasts(time.Hour)}}.In(known)
	if !ok || down.StandDown.Bears() != 2 {
		t.Errorf("%+v", down.StandDown)
	}
}

// TestLimitsHold: whatever comes in whatever order, what was let through never exceeds a limit within its time (I10), also
// when what no longer counts is forgotten in between.
func TestLimitsHold(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 4).Draw(t, "limit")
		within := time.Duration(rapid.IntRange(1, 20).Draw(t, "within")) * time.Minute
		per := rapid.SampledFrom([]guard.Per{guard.PerGuard, guard.PerPlaybook, guard.PerRun}).Draw(t, "per")
		specs := []guard.Spec{
			{Name: "rate", Rate: &guard.Rate{Limit: limit, Within: lasts(within), Per: per}},
			{Name: "spread", Spread: &guard.Spread{Limit: limit, Within: lasts(within), Per: per}},
			{Name: "share", Share: &guard.Share{Percent: 50, Size: 2 * limit, Within: lasts(within)}},
		}
		type done struct {
			at      time.Time
			per     string
			targets []string
		}
		var let []done
		counted := new(guard.Counted)
		now := noon
		for range rapid.IntRange(1, 40).Draw(t, "effects") {
			now = now.Add(time.Duration(rapid.IntRange(0, 300).Draw(t, "pause")) * time.Second)
			r := guard.Request{
				Playbook: rapid.SampledFrom([]string{"p", "q"}).Draw(t, "playbook"), Root: rapid.SampledFrom([]string{"r", "s"}).Draw(t, "root"),
				Effect: contract.Mutate, Targets: rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}), 0, 3, rapid.ID).Draw(t, "targets"),
			}
			v := guard.Check(specs, counted, r, now)
			if v.Kind == guard.Hold && !v.Until.After(now) {
				t.Fatalf("held until %s, and it is %s", v.Until, now)
			}
			if v.Kind == guard.Allow {
				for _, x := range v.Reserve {
					counted.Add(x)
				}
				targets := r.Targets
				if len(targets) == 0 {
					targets = []string{r.Playbook}
				}
				let = append(let, done{now, map[guard.Per]string{guard.PerPlaybook: r.Playbook, guard.PerRun: r.Root}[per], targets})
			}
			if rapid.Bool().Draw(t, "forget") {
				counted.Forget(now)
			}
			for _, of := range []string{"", "p", "q", "r", "s"} {
				n, touched, all := 0, map[string]bool{}, map[string]bool{}
				for _, d := range let {
					if now.Sub(d.at) >= within {
						continue
					}
					for _, x := range d.targets {
						all[x] = true
						if d.per == of {
							touched[x] = true
						}
					}
					if d.per == of {
						n++
					}
				}
				if n > limit || len(touched) > limit || len(all) > limit {
					t.Fatalf("within %s: %d effects, %d targets of %q, %d of all; the limit is %d", within, n, len(touched), of, len(all), limit)
				}
			}
		}
	})
}

// TestHeldUntilIsEnough: whoever waits until the time that a hold names, and is alone, gets through.
func TestHeldUntilIsEnough(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		specs := guard.WithDefaults([]guard.Spec{{Name: "share", Share: &guard.Share{Percent: 34, Size: 6, Within: lasts(7 * time.Minute)}}})
		counted := new(guard.Counted)
		now := noon
		for i := range rapid.IntRange(1, 60).Draw(t, "effects") {
			now = now.Add(time.Duration(rapid.IntRange(0, 400).Draw(t, "pause")) * time.Second)
			r := on(fmt.Sprint("r", i), fmt.Sprint("host:", rapid.IntRange(0, 20).Draw(t, "host")))
			v := guard.Check(specs, counted, r, now)
			for tries := 0; v.Kind == guard.Hold; tries++ {
				if tries > 10 || v.Until.IsZero() {
					t.Fatalf("it waits for ever: %+v", v)
				}
				now = v.Until
				v = guard.Check(specs, counted, r, now)
			}
			for _, x := range v.Reserve {
				counted.Add(x)
			}
		}
	})
}

// TestMoreGuards: another guard never lets through what was stopped.
func TestMoreGuards(t *testing.T) {
	t.Parallel()
	rank := map[guard.Kind]int{guard.Allow: 0, guard.Ask: 1, guard.Hold: 2, guard.Deny: 3}
	rapid.Check(t, func(t *rapid.T) {
		all := guard.Defaults()
		for i := range all {
			all[i].Then = rapid.SampledFrom([]string{"hold", "deny", "ask"}).Draw(t, "then")
		}
		counted := new(guard.Counted)
		for i := range rapid.IntRange(0, 15).Draw(t, "before") {
			try(all, counted, noon, on(fmt.Sprint("r", i), fmt.Sprint("host:", i)))
		}
		some := all[:rapid.IntRange(0, len(all)).Draw(t, "some")]
		r := on("new", fmt.Sprint("host:", rapid.IntRange(0, 20).Draw(t, "host")))
		few, many := guard.Check(some, counted, r, noon), guard.Check(all, counted, r, noon)
		if rank[many.Kind] < rank[few.Kind] {
			t.Fatalf("%d guards say %s, %d say %s", len(some), few.Kind, len(all), many.Kind)
		}
	})
}

const document = `apiVersion: tend/v1
kind: Guard
metadata: {name: g, description: A guard.}
`

func TestRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{"cooldown: {every: 10m}", ""},
		{"rate: {limit: 5, within: 1h, per: target}\nthen: ask", ""},
		{"spread: {limit: 5, within: 1h}\nselect: {except: [slack/*]}", ""},
		{"share: {percent: 20, size: 40, within: 1h}\nselect: {targets: ['host:web-*']}", ""},
		{"freeze: {zone: Europe/Berlin, windows: [{from: Fri 17:00, to: Mon 08:00, why: weekend}], calendar: holidays.ics}", ""},
		{"breaker: {failures: 3, within: 1h, open: 30m, again: 10m, per: key}", ""},
		{"approval: {above: 5}", ""},
		{"approval: {}", ""},
		{"change: {required: true}", ""},
		{"concurrency: {limit: 1, per: key, then: replace}", ""},
		{"standDown: {alarms: 20, within: 5m, blind: 3m}", ""},
		{"spec: {cooldown: {every: 10m}}", ""},
		{"", "no rule"},
		{"then: hold", "no rule"},
		{"cooldown: {every: 10m}\nrate: {limit: 5, within: 1h}", "one rule"},
		{"cooldown: {}", "every"},
		{"cooldown: {every: 0s}", "holds nothing"},
		{"rate: {limit: 0, within: 1h}", "from 1 to"},
		{"rate: {limit: 5, within: 1h, per: moon}", `"moon"`},
		{"rate: {limit: 5, wihtin: 1h}", "within"},
		{"freeze: {}", "no time"},
		{"freeze: {windows: [{from: Fry 17:00, to: Mon}]}", "is no time"},
		{"freeze: {calendar: ../../etc/passwd}", "leads out"},
		{"freeze: {zone: Mars/Olympus, windows: [{from: Fri, to: Mon}]}", "time zone"},
		{"change: {required: false}", "holds nothing"},
		{"standDown: {}", "says not when"},
		{"standDown: {alarms: 3}", "within"},
		{"cooldown: {every: 10m}\nthen: explode", `"explode"`},
		{"approval: {}\nthen: ask", ""},
		{"approval: {above: 5}\nthen: deny", "denies nothing"},
		{"concurrency: {limit: 1}\nselect: {playbooks: [a], labels: {tier: gold}, environments: [stage]}", ""},
		{"concurrency: {limit: 1}\nthen: deny", "about runs"},
		{"then: hold\nspec: {concurrency: {limit: 1}}", "about runs"},
		{"concurrency: {limit: 1}\nselect: {targets: ['host:*']}", "about runs"},
		{"select: {effects: [mutate]}\nconcurrency: {limit: 1}", "about runs"},
	} {
		docs, findings := language.Parse("g.yaml", []byte(document+c.text+"\n"))
		var all []string
		for _, f := range findings {
			all = append(all, f.Message+" "+f.Remedy)
		}
		told := strings.Join(all, "\n")
		switch {
		case c.want == "" && (told != "" || len(docs) != 1 || docs[0].Content.(*guard.Spec).Rule() == ""):
			t.Errorf("%s: %s", c.text, told)
		case c.want != "" && !strings.Contains(told, c.want):
			t.Errorf("%s: %q is not told: %s", c.text, c.want, told)
		}
	}
}

// TestDefaults: the guards that are on by default can be written as documents, and replaced by their names.
func TestDefaults(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, g := range guard.Defaults() {
		if g.Rule() == "" || names[g.Name] || !strings.HasPrefix(g.Name, "default-") {
			t.Errorf("%+v", g)
		}
		names[g.Name] = true
	}
	mine := guard.Spec{Name: "default-spread", Spread: &guard.Spread{Limit: 99, Within: lasts(time.Hour)}}
	all := guard.WithDefaults([]guard.Spec{mine})
	if len(all) != len(names) || all[0].Spread.Limit != 99 {
		t.Errorf("%d guards, %+v", len(all), all[0])
	}
}
