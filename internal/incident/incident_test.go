package incident_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/incident"
)

var (
	noon  = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	alice = entry.Who{ID: "user:alice", Name: "alice", Via: "page"}
	self  = entry.Who{ID: "tend", Name: "tend", Via: "engine"}
)

// story is an incident with its clock.
type story struct {
	t   testing.TB
	s   *incident.State
	now time.Time
	log []incident.Line
}

func begin(t testing.TB, x incident.Start) *story {
	t.Helper()
	s := &story{t: t, s: new(incident.State), now: noon}
	if x.ID == "" {
		x.ID = "inc_1"
	}
	if x.Title == "" {
		x.Title = "Disk is full"
	}
	if x.Severity == "" {
		x.Severity = incident.Critical
	}
	s.ok(incident.OpenNew(x))
	return s
}

func (s *story) ok(list []entry.Payload, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, p := range list {
		if err := s.s.Evolve(s.now, p); err != nil {
			s.t.Fatal(err)
		}
		s.log = append(s.log, incident.Tell(s.now, p))
	}
}

func (s *story) after(d time.Duration) *story { s.now = s.now.Add(d); return s }

func alert(group, status string) entry.IncidentJoined {
	return entry.IncidentJoined{Event: "evt_" + group + status, Group: group, Name: "DiskFull", Source: "am", Status: status}
}

// TestLife: two alerts, a person, a run; the last alert that resolves ends it.
func TestLife(t *testing.T) {
	t.Parallel()
	s := begin(t, incident.Start{Event: "evt_1", Trigger: "disk", Key: "disk/web", Resolves: true, By: self, Project: "default"})
	s.ok(s.s.Join(alert("a", "firing"), self))
	s.ok(s.s.Join(alert("b", "firing"), self))
	s.ok(s.s.Ran(entry.IncidentRan{Run: "run_1", Playbook: "reclaim", Status: "started"}), nil)
	s.after(4 * time.Minute).ok(s.s.Take(alice))
	if s.s.Status != incident.Acknowledged || !cmp.Equal(s.s.Responders, []string{"alice"}) {
		t.Errorf("taken: %s, %v", s.s.Status, s.s.Responders)
	}
	s.after(time.Minute).ok(s.s.Ran(entry.IncidentRan{Run: "run_1", Playbook: "reclaim", Status: "succeeded"}), nil)
	if again := s.s.Ran(entry.IncidentRan{Run: "run_1", Playbook: "reclaim", Status: "succeeded"}); again != nil {
		t.Error("what is known is told again")
	}
	s.after(time.Minute).ok(s.s.Join(alert("a", "resolved"), self))
	if s.s.Status.Over() {
		t.Error("it is over while an alert fires")
	}
	s.ok(s.s.Join(alert("b", "vanished"), self))
	if s.s.Status.Over() || s.s.Firing() != 1 {
		t.Error("it is over because nothing is measured any more")
	}
	s.ok(s.s.Join(alert("b", "resolved"), self))
	if s.s.Status != incident.Resolved {
		t.Error("it is not over")
	}
	m := incident.Measure([]*incident.State{s.s})
	if want := (incident.Measures{Count: 1, Taken: 1, MTTA: 4 * time.Minute, Resolved: 1, MTTR: 6 * time.Minute}); m != want {
		t.Errorf("%+v", m)
	}
	var what []string
	for _, l := range s.log {
		what = append(what, l.What)
	}
	if got := strings.Join(what, " "); got != "opened joined joined ran updated ran joined joined joined resolved" {
		t.Error(got)
	}
}

// TestTransitions: which change each status takes. Kinds of refusals are for machines.
func TestTransitions(t *testing.T) {
	t.Parallel()
	mitigated, resolved, bad := "mitigated", "resolved", "dreadful"
	for _, c := range []struct {
		name   string
		change func(*incident.State) ([]entry.Payload, error)
		want   string // one letter for open, resolved, merged, none: y, c(onflict), i(nvalid), n(ot found)
	}{
		{"join firing", func(s *incident.State) ([]entry.Payload, error) { return s.Join(alert("x", "firing"), self) }, "yccn"},
		{"join resolved", func(s *incident.State) ([]entry.Payload, error) { return s.Join(alert("a", "resolved"), self) }, "yycn"},
		{"comment", func(s *incident.State) ([]entry.Payload, error) { return s.Comment(alice, "hm", "") }, "yyyn"},
		{"empty comment", func(s *incident.State) ([]entry.Payload, error) { return s.Comment(alice, " \n", "") }, "iiin"},
		{"status", func(s *incident.State) ([]entry.Payload, error) {
			return s.Update(entry.IncidentUpdated{Status: &mitigated})
		}, "yccn"},
		{"end by update", func(s *incident.State) ([]entry.Payload, error) {
			return s.Update(entry.IncidentUpdated{Status: &resolved})
		}, "iccn"},
		{"summary", func(s *incident.State) ([]entry.Payload, error) {
			return s.Update(entry.IncidentUpdated{Summary: &bad})
		}, "yycn"},
		{"bad severity", func(s *incident.State) ([]entry.Payload, error) {
			return s.Update(entry.IncidentUpdated{Severity: &bad})
		}, "iicn"},
		{"take", func(s *incident.State) ([]entry.Payload, error) { return s.Take(alice) }, "yccn"},
		{"page", func(s *incident.State) ([]entry.Payload, error) { return s.Page(alice, []string{"bob"}, "", "") }, "yccn"},
		{"page nobody", func(s *incident.State) ([]entry.Payload, error) { return s.Page(alice, nil, "", "") }, "iccn"},
		{"resolve", func(s *incident.State) ([]entry.Payload, error) { return s.Resolve(alice, "", "") }, "yccn"},
		{"reopen", func(s *incident.State) ([]entry.Payload, error) { return s.Reopen(alice, "", "") }, "cycn"},
		{"item", func(s *incident.State) ([]entry.Payload, error) {
			return s.Plan(entry.IncidentItem{ID: "1", Text: "x", By: alice})
		}, "yyyn"},
		{"split", func(s *incident.State) ([]entry.Payload, error) {
			old, _, err := s.Split(incident.Start{ID: "inc_2", Title: "x", By: alice}, []string{incident.MemberKey("am", "a")}, "")
			return old, err
		}, "yccn"},
		{"split nothing", func(s *incident.State) ([]entry.Payload, error) {
			old, _, err := s.Split(incident.Start{ID: "inc_2", Title: "x", By: alice}, []string{"?"}, "")
			return old, err
		}, "nccn"},
		{"merge", func(s *incident.State) ([]entry.Payload, error) {
			from, _, err := s.Merge(begin(t, incident.Start{ID: "inc_9"}).s, alice, "")
			return from, err
		}, "yycn"},
		{"merge into itself", func(s *incident.State) ([]entry.Payload, error) {
			from, _, err := s.Merge(s, alice, "")
			return from, err
		}, "iccn"},
		{"be merged into", func(s *incident.State) ([]entry.Payload, error) {
			_, to, err := begin(t, incident.Start{ID: "inc_9"}).s.Merge(s, alice, "")
			return to, err
		}, "yccn"},
	} {
		for i, status := range []string{"open", "resolved", "merged", "none"} {
			s := begin(t, incident.Start{Key: "k"})
			s.ok(s.s.Join(alert("a", "firing"), self))
			switch status {
			case "resolved":
				s.ok(s.s.Resolve(alice, "", ""))
			case "merged":
				from, _, err := s.s.Merge(begin(t, incident.Start{ID: "inc_8"}).s, alice, "")
				s.ok(from, err)
			case "none":
				s.s = new(incident.State)
			}
			before := s.s.Clone()
			list, err := c.change(s.s)
			got := map[fault.Kind]string{fault.Conflict: "c", fault.Invalid: "i", fault.NotFound: "n"}[fault.KindOf(err)]
			if err == nil {
				got = "y"
				s.ok(list, nil)
			} else if !reflect.DeepEqual(before, s.s) || len(list) > 0 {
				t.Errorf("%s when %s: refused, and something changed", c.name, status)
			}
			if got != c.want[i:i+1] {
				t.Errorf("%s when %s: %q (%v), not %q", c.name, status, got, err, c.want[i:i+1])
			}
		}
	}
}

// TestEvolveRefuses: facts that no transition writes.
func TestEvolveRefuses(t *testing.T) {
	t.Parallel()
	for name, list := range map[string][]entry.Payload{
		"no opening":        {&entry.IncidentCommented{}},
		"two openings":      {&entry.IncidentOpened{ID: "a"}, &entry.IncidentOpened{ID: "a"}},
		"foreign":           {&entry.IncidentOpened{ID: "a"}, &entry.TaskVoted{}},
		"resolved twice":    {&entry.IncidentOpened{ID: "a"}, &entry.IncidentResolved{}, &entry.IncidentResolved{}},
		"reopened while on": {&entry.IncidentOpened{ID: "a"}, &entry.IncidentReopened{}},
		"fires afterwards":  {&entry.IncidentOpened{ID: "a"}, &entry.IncidentResolved{}, &entry.IncidentJoined{Status: "firing"}},
		"after a merge":     {&entry.IncidentOpened{ID: "a"}, &entry.IncidentMerged{Into: "b"}, &entry.IncidentReopened{}},
	} {
		s := new(incident.State)
		for i, p := range list {
			before := s.Clone()
			err := s.Evolve(noon, p)
			if last := i == len(list)-1; last != (err != nil) {
				t.Errorf("%s, fact %d: %v", name, i+1, err)
			} else if last && (!fault.Is(err, fault.Damaged) || !reflect.DeepEqual(before, s)) {
				t.Errorf("%s: %v, or it changed", name, err)
			}
		}
	}
}

// TestReminders: by severity, by the expected time of the next step, once for a long silence, and never afterwards.
func TestReminders(t *testing.T) {
	t.Parallel()
	s := begin(t, incident.Start{})
	due := func(want time.Duration) {
		t.Helper()
		if got := s.s.Due(); !got.Equal(noon.Add(want)) {
			t.Errorf("due %s, not %s", got.Sub(noon), want)
		}
	}
	due(30 * time.Minute)
	s.after(10 * time.Minute).ok(s.s.Comment(alice, "looking", ""))
	due(40 * time.Minute)
	if got := s.s.Remind(noon.Add(39 * time.Minute)); got != nil {
		t.Error("too early")
	}
	s.after(30*time.Minute).ok(s.s.Remind(s.now), nil)
	due(70 * time.Minute)
	s.now = noon.Add(10 * time.Hour) // the server was away
	s.ok(s.s.Remind(s.now), nil)
	due(10*time.Hour + 10*time.Minute)
	next, by := "restart the primary", s.now.Add(3*time.Hour)
	s.ok(s.s.Update(entry.IncidentUpdated{By: alice, Next: &next, NextBy: &by}))
	due(13 * time.Hour)
	s.now = by
	s.ok(s.s.Remind(s.now), nil)
	due(13*time.Hour + 30*time.Minute)
	minor := "minor"
	s.ok(s.s.Update(entry.IncidentUpdated{By: alice, Severity: &minor}))
	due(17 * time.Hour)
	s.ok(s.s.Resolve(alice, "", "done"))
	if !s.s.Due().IsZero() || s.s.Remind(s.now.Add(100*time.Hour)) != nil {
		t.Error("it reminds after its end")
	}
}

// TestMergeAndSplit: alerts, keys and open runs move with the story; what is left is told elsewhere.
func TestMergeAndSplit(t *testing.T) {
	t.Parallel()
	a, b := begin(t, incident.Start{ID: "inc_a", Key: "a"}), begin(t, incident.Start{ID: "inc_b", Key: "b", Resolves: true})
	a.ok(a.s.Join(alert("1", "firing"), self))
	a.ok(a.s.Ran(entry.IncidentRan{Run: "run_1", Status: "started"}), nil)
	a.ok(a.s.Ran(entry.IncidentRan{Run: "run_2", Status: "started"}), nil)
	a.ok(a.s.Ran(entry.IncidentRan{Run: "run_2", Status: "failed"}), nil)
	b.ok(b.s.Join(alert("2", "firing"), self))
	from, to, err := a.s.Merge(b.s, alice, "the same disk")
	a.ok(from, err)
	b.ok(to, err)
	if a.s.Status != incident.Merged || a.s.Into != "inc_b" || b.s.Firing() != 2 || !cmp.Equal(b.s.Keys, []string{"b", "a"}) || len(b.s.Runs) != 1 {
		t.Errorf("merged: %+v\n%+v", a.s, b.s)
	}
	c := &story{t: t, s: new(incident.State), now: noon}
	old, fresh, err := b.s.Split(incident.Start{ID: "inc_c", Title: "Another disk", By: alice}, []string{incident.MemberKey("am", "1")}, "")
	b.ok(old, err)
	c.ok(fresh, err)
	if b.s.Firing() != 1 || c.s.Firing() != 1 || c.s.Severity != incident.Critical || !c.s.Resolves {
		t.Errorf("split: %+v\n%+v", b.s, c.s)
	}
	c.ok(c.s.Join(alert("1", "resolved"), self))
	b.ok(b.s.Join(alert("2", "resolved"), self))
	if b.s.Status != incident.Resolved || c.s.Status != incident.Resolved {
		t.Error("they do not end by themselves")
	}
}

// TestReopen: the time to resolve is to the last end; who had it has it again.
func TestReopen(t *testing.T) {
	t.Parallel()
	s := begin(t, incident.Start{})
	s.after(time.Minute).ok(s.s.Take(alice))
	s.after(time.Minute).ok(s.s.Resolve(alice, "", ""))
	s.after(time.Minute).ok(s.s.Reopen(self, "evt_2", "it fires again"))
	if _, ok := s.s.ToResolve(); ok || s.s.Status != incident.Acknowledged {
		t.Errorf("reopened: %s", s.s.Status)
	}
	s.after(time.Minute).ok(s.s.Resolve(alice, "", ""))
	if d, ok := s.s.ToResolve(); !ok || d != 4*time.Minute || s.s.Reopened != 1 {
		t.Errorf("%s, %v", d, ok)
	}
}

// TestBounds: what people may say is bounded; a title of an alert is cut instead.
func TestBounds(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", incident.MaxText+1)
	s := begin(t, incident.Start{Title: strings.Repeat("é", 1000) + "\nsecond line"})
	if got := []rune(s.s.Title); len(got) != incident.MaxTitle {
		t.Errorf("a title of %d characters", len(got))
	}
	people := make([]string, incident.MaxPeople+1)
	for i := range people {
		people[i] = fmt.Sprint(i)
	}
	links := []entry.Link{{URL: "javascript:alert(1)"}}
	for name, u := range map[string]entry.IncidentUpdated{
		"summary": {Summary: &long}, "next": {Next: &long}, "why": {Why: long}, "people": {Responders: &people}, "links": {Links: &links},
		"labels": {Labels: map[string]any{"a": int64(1)}},
	} {
		if _, err := s.s.Update(u); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.s.Comment(alice, long, ""); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
}

func TestParseSeverity(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]incident.Severity{
		"critical": incident.Critical, "PAGE": incident.Critical, " warning ": incident.Minor, "error": incident.Major, "none": incident.Info, "SEV-2": incident.Major,
	} {
		if got, ok := incident.ParseSeverity(text); got != want || !ok {
			t.Errorf("%q is %s, %v", text, got, ok)
		}
	}
	if got, ok := incident.ParseSeverity("<no value>"); ok || got != incident.Minor {
		t.Errorf("unknown is %s, %v", got, ok)
	}
}

// TestMarkdown: the document for people, with hostile texts in it.
func TestMarkdown(t *testing.T) {
	t.Parallel()
	s := begin(t, incident.Start{Title: "# <script>alert(1)</script> ![x](http://evil/)", By: self, Event: "evt_1", Labels: map[string]string{"team": "db|ops"}})
	s.ok(s.s.Join(entry.IncidentJoined{Event: "evt_1", Group: "g", Name: "1. [Disk](http://evil/)\nfull", Source: "am", Status: "firing"}, self))
	s.after(90 * time.Second).ok(s.s.Comment(alice, "- not a list\n> not a quote\n\x1b[31mred", ""))
	summary := "two\nlines & <b>more</b>"
	s.ok(s.s.Update(entry.IncidentUpdated{By: alice, Summary: &summary, Links: &[]entry.Link{{Name: "graph", URL: "https://example.org/a<b>"}}}))
	s.ok(s.s.Plan(entry.IncidentItem{By: alice, ID: "1", Text: "grow the disk", Owner: "bob"}))
	s.ok(s.s.Resolve(alice, "", "cleaned up"))
	got := s.s.Export(incident.Timeline(s.log)).Markdown()
	want := `# \# \<script\>alert(1)\<\/script\> \!\[x\](http\:\/\/evil\/)

- **Incident:** inc\_1
- **Severity:** critical
- **Status:** resolved
- **Opened:** 2026-03-01 12:00:00Z
- **Resolved after:** 1m30s
- **Labels:** team=db\|ops

## Summary

> two
> lines \& \<b\>more\<\/b\>

## Links

- graph <https://example.org/a%3Cb%3E>

## Alerts

- 1\. \[Disk\](http\:\/\/evil\/) full firing, am, since 2026-03-01 12:00:00Z

## Action items

- [ ] grow the disk (bob)

## Timeline

- 2026-03-01 12:00:00Z **tend** opened as critical\: \# \<script\>alert(1)\<\/script\> \!\[x\](http\:\/\/evil\/)
- 2026-03-01 12:00:00Z 1\. \[Disk\](http\:\/\/evil\/) full firing (am)
- 2026-03-01 12:01:30Z **alice** \- not a list \> not a quote �\[31mred
- 2026-03-01 12:01:30Z **alice** summary\: two lines \& \<b\>more\<\/b\>; 1 link
- 2026-03-01 12:01:30Z **alice** to do\: grow the disk
- 2026-03-01 12:01:30Z **alice** resolved\: cleaned up
`
	if got != want {
		t.Error(cmp.Diff(want, got))
	}
}

// TestProperties: whatever people and alerts do in any order, transitions write only what Evolve takes, a refusal changes
// nothing, a replay gives the same state, and what is over has an end and no reminder.
func TestProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		now := noon
		type fact struct {
			at time.Time
			p  entry.Payload
		}
		states, logs := []*incident.State{}, [][]fact{}
		write := func(i int, list []entry.Payload) {
			for _, p := range list {
				if err := states[i].Evolve(now, p); err != nil {
					t.Fatalf("a transition wrote what cannot be: %v", err)
				}
				logs[i] = append(logs[i], fact{now, p})
			}
		}
		fresh := func() int {
			states, logs = append(states, new(incident.State)), append(logs, nil)
			return len(states) - 1
		}
		open := func() {
			i := fresh()
			list, err := incident.OpenNew(incident.Start{
				ID: fmt.Sprint("inc_", i), Title: "t", Severity: rapid.SampledFrom([]incident.Severity{"critical", "info"}).Draw(t, "severity"),
				Key: fmt.Sprint(i), Resolves: rapid.Bool().Draw(t, "resolves"), By: self, Event: "e",
			})
			if err != nil {
				t.Fatal(err)
			}
			write(i, list)
		}
		open()
		for range rapid.IntRange(1, 40).Draw(t, "changes") {
			now = now.Add(time.Duration(rapid.IntRange(0, 7200).Draw(t, "seconds")) * time.Second)
			i := rapid.IntRange(0, len(states)-1).Draw(t, "incident")
			s := states[i]
			before := s.Clone()
			var list []entry.Payload
			var err error
			group := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "group")
			switch rapid.IntRange(0, 10).Draw(t, "change") {
			case 0:
				open()
				continue
			case 1, 2, 3:
				list, err = s.Join(alert(group, rapid.SampledFrom([]string{"firing", "resolved"}).Draw(t, "status")), self)
			case 4:
				list, err = s.Take(alice)
			case 5:
				list, err = s.Resolve(alice, "", "")
			case 6:
				list, err = s.Reopen(alice, "", "")
			case 7:
				list = s.Remind(now)
			case 8:
				j := rapid.IntRange(0, len(states)-1).Draw(t, "into")
				var to []entry.Payload
				if list, to, err = s.Merge(states[j], alice, ""); err == nil {
					firing := s.Firing()
					had := states[j].Firing()
					write(j, to)
					if states[j].Firing() < max(firing, had) {
						t.Fatal("a merge lost an alert that fires")
					}
				}
			case 9:
				var other []entry.Payload
				k := fresh()
				if list, other, err = s.Split(incident.Start{ID: fmt.Sprint("inc_", k), Title: "t", By: alice}, []string{incident.MemberKey("am", group)}, ""); err != nil {
					states, logs = states[:k], logs[:k]
				} else {
					write(k, other)
				}
			case 10:
				list = s.Ran(entry.IncidentRan{Run: "run_" + group, Status: rapid.SampledFrom([]string{"started", "failed"}).Draw(t, "ran")})
			}
			if err != nil {
				if !reflect.DeepEqual(before, s) {
					t.Fatalf("refused (%v), and changed", err)
				}
				continue
			}
			write(i, list)
			if s.Status.Over() != !s.Ended.IsZero() {
				t.Fatalf("%s with the end %s", s.Status, s.Ended)
			}
			if s.Status.Over() && !s.Due().IsZero() || s.Status == incident.Resolved && s.Ended.Before(s.Opened) {
				t.Fatalf("%s, due %s", s.Status, s.Due())
			}
			if list := s.Remind(now); list != nil {
				c := s.Clone()
				if err := c.Evolve(now, list[0]); err != nil || !c.Due().IsZero() && !c.Due().After(now) {
					t.Fatalf("reminded, and due at once again: %s at %s", c.Due(), now)
				}
			}
		}
		for i, log := range logs {
			again := new(incident.State)
			for _, f := range log {
				if err := again.Evolve(f.at, f.p); err != nil {
					t.Fatal(err)
				}
			}
			if !reflect.DeepEqual(again, states[i]) {
				t.Fatalf("a replay gives another state:\n%s", cmp.Diff(states[i], again))
			}
		}
	})
}

// TestDetail: what a line says can be told in other words, because it can be taken apart.
func TestDetail(t *testing.T) {
	t.Parallel()
	major := "major"
	change := &entry.IncidentUpdated{By: alice, Severity: &major, Why: "it spreads"}
	steps := incident.Steps{}
	steps.Tell(&entry.StepIntent{Path: "steps[0]", Action: "shell", Effect: "mutate"})
	for _, c := range []struct {
		fact entry.Payload
		want *incident.Detail
	}{
		{&entry.IncidentOpened{Title: "Disk", Severity: "minor"}, &incident.Detail{Name: "Disk", Severity: "minor"}},
		{&entry.IncidentJoined{Group: "web-1", Source: "am", Status: "firing"}, &incident.Detail{Name: "web-1", Source: "am", Status: "firing"}},
		{change, &incident.Detail{Change: change, Why: "it spreads"}},
		{&entry.IncidentMerged{From: "inc_2", Members: make([]entry.IncidentJoined, 3)}, &incident.Detail{Count: 3, Status: "came"}},
		{&entry.IncidentSplit{Into: "inc_3", Members: make([]entry.IncidentJoined, 1)}, &incident.Detail{Count: 1, Status: "went"}},
		{&entry.IncidentItem{Text: "buy disks", Done: true}, &incident.Detail{Name: "buy disks", Status: "done"}},
		{&entry.IncidentCommented{Text: "hello"}, nil},
		{&entry.StepResult{Path: "steps[0]", Outcome: "failed", Fault: &entry.Fault{Message: "no"}}, &incident.Detail{Action: "shell", Path: "steps[0]", Status: "failed", Why: "no"}},
		{&entry.StepHeld{Path: "steps[1]", Guard: "rate", Until: noon, Why: "60 within 1h"}, &incident.Detail{Name: "rate", Path: "steps[1]", Status: "held", Until: noon, Why: "60 within 1h"}},
		{&entry.TaskDecided{Path: "steps[2]", Task: "task_1", Outcome: "approved", By: []entry.Who{alice}}, &incident.Detail{Path: "steps[2]", People: []string{"alice"}, Status: "approved", Task: "task_1"}},
	} {
		if diff := cmp.Diff(c.want, steps.Detail(c.fact)); diff != "" {
			t.Errorf("%s: %s", c.fact.Kind(), diff)
		}
	}
}
