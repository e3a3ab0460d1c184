package task_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/task"
)

// played is a task after what somebody did; each step is "who verb [to…]", and the last one is judged.
func played(t *testing.T, c entry.TaskCreated, steps ...string) (*task.State, error) {
	t.Helper()
	s := asked(c)
	var err error
	for i, step := range steps {
		if err != nil {
			t.Fatalf("%s: %v", steps[i-1], err)
		}
		err = play(s, step)
	}
	return s, err
}

func play(s *task.State, step string) error {
	f := strings.Fields(step)
	who, groups := by(f[0]), []string(nil)
	if name, group, ok := strings.Cut(f[0], "@"); ok {
		who, groups = by(name), []string{group}
	}
	switch f[1] {
	case "approve", "reject", "done", "break-glass":
		why := strings.Join(f[2:], " ")
		v, closed, err := s.Vote(task.Answer{Choice: f[1], By: who, Groups: groups, Why: why}, noon)
		if err != nil {
			return err
		}
		if err := s.Evolve(v, noon); err != nil || closed == nil {
			return err
		}
		return s.Evolve(closed, noon)
	case "escalate":
		return s.Evolve(&entry.TaskEscalated{Level: len(s.Escalated) + 1, To: f[2:]}, noon)
	}
	a := task.Act{Verb: task.Verb(f[1]), By: who, Groups: groups, To: f[2:]}
	switch a.Verb {
	case task.Claim:
		a.To, a.Take = nil, len(f) > 2
	case task.Say:
		a.Text = strings.Join(f[2:], " ")
	case task.Assign, task.Delegate:
	case task.Attach:
		a.Link = entry.Link{URL: strings.Join(f[2:], " ")}
	}
	p, err := s.Do(a, noon)
	if err != nil || p == nil {
		return err
	}
	return s.Evolve(p, noon)
}

// TestActs: who may answer for whom, who is asked next, who sees to it, and the glass.
func TestActs(t *testing.T) {
	t.Parallel()
	one := entry.TaskCreated{Type: "approve", Count: 1, Requester: "ada", From: []string{"ada", "bob", "group:dba"}}
	two := entry.TaskCreated{Type: "approve", Count: 2, From: []string{"bob", "eve"}}
	kept := entry.TaskCreated{Type: "approve", Count: 1, Requester: "ada", NotRequester: true, NotAuthor: true, Author: "Dora <dora@example.org>"}
	work := entry.TaskCreated{Type: "manual", Assignee: "group:dba"}
	for _, c := range []struct {
		name  string
		task  entry.TaskCreated
		steps []string
		want  string // the status, or the kind of the refusal of the last step
	}{
		{"a delegate", one, []string{"bob delegate cid", "cid approve"}, "approved"},
		{"a delegate says no", one, []string{"bob delegate cid", "cid reject"}, "rejected"},
		{"a delegate by group", one, []string{"bob delegate group:web", "cid@web approve"}, "approved"},
		{"not a delegate", one, []string{"bob delegate cid", "kim approve"}, "refused"},
		{"who delegated", one, []string{"bob delegate cid", "bob approve"}, "conflict"},
		{"who delegated says no", one, []string{"bob delegate cid", "bob reject"}, "conflict"},
		{"who took it back", one, []string{"bob delegate cid", "bob delegate", "bob approve"}, "approved"},
		{"a delegate of whom it was taken back", one, []string{"bob delegate cid", "bob delegate", "cid approve"}, "refused"},
		{"nothing to take back", one, []string{"bob delegate"}, "conflict"},
		{"who is not asked", one, []string{"cid delegate kim"}, "refused"},
		{"a delegate hands it on", one, []string{"bob delegate cid", "cid delegate kim"}, "refused"},
		{"to oneself", one, []string{"bob delegate bob"}, "invalid"},
		{"to nobody with a name", one, []string{"bob delegate \a"}, "invalid"},
		{"after one's answer", two, []string{"bob approve", "bob delegate cid"}, "conflict"},
		{"one of two, and the other's delegate", two, []string{"bob delegate cid", "eve approve", "cid approve"}, "approved"},
		{"two by one delegation", two, []string{"bob delegate cid kim", "cid approve", "kim approve"}, "conflict"},
		{"one delegate of two", two, []string{"bob delegate cid", "eve delegate cid", "cid approve", "cid approve"}, "conflict"},
		{"taking back what was used", two, []string{"bob delegate cid", "cid approve", "bob delegate"}, "conflict"},
		{"the requester's delegate", kept, []string{"ada delegate cid"}, "refused"},
		{"the author's delegate", kept, []string{"dora@example.org delegate cid"}, "refused"},
		{"the author", kept, []string{"dora approve"}, "refused"},
		{"the author by name, in other letters", kept, []string{"DORA approve"}, "refused"},
		{"the author says no", kept, []string{"dora reject"}, "rejected"},
		{"somebody else", kept, []string{"bob approve"}, "approved"},
		{"who is asked too", one, []string{"x escalate cid group:ops", "kim@ops approve"}, "approved"},
		{"before that", one, []string{"cid approve"}, "refused"},
		{"who was asked before", one, []string{"x escalate cid", "bob approve"}, "approved"},
		{"the glass", two, []string{"kim break-glass it burns"}, "approved"},
		{"the glass, by who is kept out", kept, []string{"ada break-glass it burns"}, "approved"},
		{"the glass, after one's answer", two, []string{"bob approve", "bob break-glass it burns"}, "approved"},
		{"the glass without a reason", two, []string{"kim break-glass"}, "invalid"},
		{"no glass", work, []string{"kim break-glass it burns"}, "invalid"},
		{"a claim", entry.TaskCreated{Type: "manual"}, []string{"kim claim", "kim claim", "kim done"}, "done"},
		{"a claim of what another has", entry.TaskCreated{Type: "manual", Assignee: "bob"}, []string{"kim claim"}, "conflict"},
		{"a claim of what another has, agreed", entry.TaskCreated{Type: "manual", Assignee: "bob"}, []string{"kim claim take"}, "open"},
		{"a claim of one's group", work, []string{"kim@dba claim"}, "open"},
		{"whoever sees to it, others may do it", work, []string{"kim@dba claim", "bob done"}, "done"},
		{"to two", work, []string{"kim assign a b"}, "invalid"},
		{"nothing said", work, []string{"kim comment"}, "invalid"},
		{"a script for a link", work, []string{"kim link javascript:alert(1)"}, "invalid"},
		{"a link with a password", work, []string{"kim link https://a:b@example.org"}, "invalid"},
		{"after the end", work, []string{"kim done", "kim comment late"}, "conflict"},
	} {
		s, err := played(t, c.task, c.steps...)
		got := s.Status()
		if err != nil {
			got = string(fault.KindOf(err))
		}
		if got != c.want {
			t.Errorf("%s: %s, not %s (%v)", c.name, got, c.want, err)
		}
	}
}

// TestReview: what a broken glass leaves is done by somebody else, who says what they found.
func TestReview(t *testing.T) {
	t.Parallel()
	s := asked(entry.TaskCreated{Type: "approve", Count: 2, From: []string{"dba"}, Title: "approve drop", Path: "steps[0]", Run: "run_1"})
	v, closed, err := s.Vote(task.Answer{Choice: task.BreakGlass, By: entry.Who{ID: "user:eve", Name: "Eve"}, Why: "it burns"}, noon)
	if err != nil || closed.Outcome != "approved" || !strings.Contains(closed.Why, "it burns") {
		t.Fatal(closed, err)
	}
	r := s.ReviewOf("task_1", v)
	if !r.Expires.IsZero() || r.Reviews != "task_1" || !strings.Contains(r.Message, "it burns") || !strings.Contains(r.Message, "dba (2 people)") {
		t.Errorf("%+v", r)
	}
	for _, c := range []struct{ by, why, want string }{
		{"user:eve", "fine", "refused"}, {"user:bob", "", "invalid"}, {"user:bob", "fine", "done"},
	} {
		_, closed, err := asked(*r).Vote(task.Answer{Choice: "done", By: entry.Who{ID: c.by, Name: "Eve"}, Why: c.why}, noon.Add(1000*time.Hour))
		got := string(fault.KindOf(err))
		if err == nil {
			got = closed.Outcome
		}
		if got != c.want {
			t.Errorf("%v: %s (%v)", c, got, err)
		}
	}
}

// TestNoDelegationMakesMore: whatever people hand on, an approval needs as many answers as it says, each of another person, and
// each by or in the place of another one of those who were asked; and none who is kept out is among them.
func TestNoDelegationMakesMore(t *testing.T) {
	t.Parallel()
	people := []string{"ada", "bob", "cid", "dora", "eve", "kim"}
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.SliceOfNDistinct(rapid.SampledFrom(people), 1, 4, rapid.ID[string]).Draw(t, "from")
		s := asked(entry.TaskCreated{Type: "approve", Count: rapid.IntRange(1, 4).Draw(t, "count"), From: from, Requester: "ada", NotRequester: true, NotAuthor: true, Author: "dora <d@example.org>"})
		for i := range rapid.IntRange(1, 30).Draw(t, "steps") {
			who := rapid.SampledFrom(people).Draw(t, fmt.Sprint("who", i))
			step := rapid.SampledFrom([]string{"approve", "delegate", "delegate " + rapid.SampledFrom(people).Draw(t, fmt.Sprint("to", i))}).Draw(t, fmt.Sprint("what", i))
			_ = play(s, who+" "+step) // a refusal changes nothing
		}
		if s.Closed == nil {
			return
		}
		var seats, voters []string
		for _, v := range s.Votes {
			seat := v.By.Name
			if v.For != nil {
				seat = v.For.Name
			}
			if slices.Contains(voters, v.By.Name) || slices.Contains(seats, seat) || !slices.Contains(from, seat) || v.By.Name == "ada" || v.By.Name == "dora" || seat == "ada" || seat == "dora" {
				t.Fatalf("%+v of %v", s.Votes, from)
			}
			voters, seats = append(voters, v.By.Name), append(seats, seat)
		}
		if len(voters) != s.Created.Count {
			t.Fatalf("%d of %d", len(voters), s.Created.Count)
		}
	})
}
