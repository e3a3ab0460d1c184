package task_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/task"
	"github.com/tendhq/tend/internal/value"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func asked(c entry.TaskCreated, votes ...entry.TaskVoted) *task.State {
	s := new(task.State)
	if err := s.Evolve(&c, noon); err != nil {
		panic(err)
	}
	for i := range votes {
		if err := s.Evolve(&votes[i], noon); err != nil {
			panic(err)
		}
	}
	return s
}

func by(name string) entry.Who { return entry.Who{Name: name} }

// TestVote: who may answer what, and what it decides.
func TestVote(t *testing.T) {
	t.Parallel()
	approve := entry.TaskCreated{Type: "approve", Count: 1, Requester: "ada", Expires: noon.Add(time.Hour)}
	two := entry.TaskCreated{Type: "approve", Count: 2, Requester: "ada", NotRequester: true}
	sre := entry.TaskCreated{Type: "approve", From: []string{"sre", "joe"}}
	yes := func(name string) entry.TaskVoted { return entry.TaskVoted{Answer: "approve", By: by(name)} }
	for _, c := range []struct {
		name   string
		task   *task.State
		answer task.Answer
		at     time.Duration
		want   string // the outcome, "more" people are needed, or the kind of the refusal
	}{
		{"yes", asked(approve), task.Answer{Choice: "approve", By: by("bob")}, 0, "approved"},
		{"no", asked(approve), task.Answer{Choice: "reject", By: by("bob")}, 0, "rejected"},
		{"the requester, where that is allowed", asked(approve), task.Answer{Choice: "approve", By: by("ada")}, 0, "approved"},
		{"the last moment", asked(approve), task.Answer{Choice: "approve", By: by("bob")}, time.Hour - 1, "approved"},
		{"too late", asked(approve), task.Answer{Choice: "approve", By: by("bob")}, time.Hour, "conflict"},
		{"too late for a no, too", asked(approve), task.Answer{Choice: "reject", By: by("bob")}, 2 * time.Hour, "conflict"},
		{"something else", asked(approve), task.Answer{Choice: "done", By: by("bob")}, 0, "invalid"},
		{"nothing", asked(approve), task.Answer{By: by("bob")}, 0, "invalid"},
		{"nobody", asked(approve), task.Answer{Choice: "approve"}, 0, "refused"},
		{"the first of two", asked(two), task.Answer{Choice: "approve", By: by("bob")}, 0, "more"},
		{"the second of two", asked(two, yes("bob")), task.Answer{Choice: "approve", By: by("eve")}, 0, "approved"},
		{"the same twice", asked(two, yes("bob")), task.Answer{Choice: "approve", By: by("bob")}, 0, "conflict"},
		{"the same by another way", asked(two, yes("bob")), task.Answer{Choice: "approve", By: entry.Who{Name: "bob", Via: "inbox"}}, 0, "conflict"},
		{"the requester", asked(two), task.Answer{Choice: "approve", By: by("ada")}, 0, "refused"},
		{"the requester says no", asked(two), task.Answer{Choice: "reject", By: by("ada")}, 0, "rejected"},
		{"one no is enough", asked(two, yes("bob")), task.Answer{Choice: "reject", By: by("eve")}, 0, "rejected"},
		{"a stranger", asked(sre), task.Answer{Choice: "approve", By: by("bob")}, 0, "refused"},
		{"a stranger says no", asked(sre), task.Answer{Choice: "reject", By: by("bob")}, 0, "refused"},
		{"by name", asked(sre), task.Answer{Choice: "approve", By: by("joe")}, 0, "approved"},
		{"by group", asked(sre), task.Answer{Choice: "approve", By: by("bob"), Groups: []string{"dev", "sre"}}, 0, "approved"},
		{"manual", asked(entry.TaskCreated{Type: "manual"}), task.Answer{Choice: "done", By: by("bob")}, 0, "done"},
		{"ask", asked(entry.TaskCreated{Type: "ask"}), task.Answer{Choice: "answer", By: by("bob")}, 0, "answered"},
		{"doubt", asked(entry.TaskCreated{Type: "doubt", Count: 1}), task.Answer{Choice: "not-happened", By: by("bob")}, 0, "not-happened"},
		{"doubt is not approved", asked(entry.TaskCreated{Type: "doubt", Count: 1}), task.Answer{Choice: "approve", By: by("bob")}, 0, "invalid"},
		{"no such task", new(task.State), task.Answer{Choice: "approve", By: by("bob")}, 0, "not-found"},
	} {
		vote, closed, err := c.task.Vote(c.answer, noon.Add(c.at))
		var got string
		switch {
		case err != nil:
			got = string(fault.KindOf(err))
			if vote != nil || closed != nil {
				t.Errorf("%s: refused and recorded", c.name)
			}
		case closed == nil:
			got = "more"
		default:
			got = closed.Outcome
		}
		if got != c.want {
			t.Errorf("%s: %s, not %s (%v)", c.name, got, c.want, err)
		}
		if err == nil && (vote.By != c.answer.By || vote.Answer != c.answer.Choice) {
			t.Errorf("%s: recorded %+v", c.name, vote)
		}
	}
}

// TestOver: a task that is over takes nothing, and its entries are in order.
func TestOver(t *testing.T) {
	t.Parallel()
	for _, outcome := range []string{"approved", "rejected", "expired", "void", "cancelled"} {
		s := asked(entry.TaskCreated{Type: "approve", Count: 1})
		if s.Status() != task.Open {
			t.Error(s.Status())
		}
		if err := s.Evolve(&entry.TaskClosed{Outcome: outcome}, noon); err != nil || s.Status() != outcome {
			t.Error(err, s.Status())
		}
		if _, _, err := s.Vote(task.Answer{Choice: "approve", By: by("bob")}, noon); !fault.Is(err, fault.Conflict) {
			t.Errorf("%s and then answered: %v", outcome, err)
		}
		for _, p := range []entry.Payload{&entry.TaskClosed{Outcome: "approved"}, &entry.TaskCreated{}, &entry.RunStarted{}} {
			if err := s.Evolve(p, noon); !fault.Is(err, fault.Damaged) {
				t.Errorf("%s after the end: %v", p.Kind(), err)
			}
		}
	}
}

// TestForms: typed answers.
func TestForms(t *testing.T) {
	t.Parallel()
	form := entry.TaskCreated{Type: "ask", Form: value.Object{"fields": []any{
		map[string]any{"name": "count", "type": "number", "required": true},
		map[string]any{"name": "env", "type": "string", "enum": []any{"prod", "test"}},
	}}}
	pick := entry.TaskCreated{Type: "ask", Form: value.Object{"choices": []any{"a", "b"}, "selector": "single"}}
	many := entry.TaskCreated{Type: "ask", Form: value.Object{"choices": []any{"a", "b"}, "selector": "multi"}}
	for _, c := range []struct {
		name string
		task entry.TaskCreated
		give map[string]any
		ok   bool
	}{
		{"all fields", form, map[string]any{"count": int64(3), "env": "prod"}, true},
		{"one is missing", form, map[string]any{"env": "prod"}, false},
		{"another value", form, map[string]any{"count": int64(3), "env": "home"}, false},
		{"no number", form, map[string]any{"count": "three"}, false},
		{"a choice", pick, map[string]any{"value": "a"}, true},
		{"none of the choices", pick, map[string]any{"value": "c"}, false},
		{"no choice", pick, nil, false},
		{"two of one", pick, map[string]any{"selected": []any{"a", "b"}}, false},
		{"two of many", many, map[string]any{"selected": []any{"a", "b"}}, true},
		{"two of many in a line", many, map[string]any{"value": "a, b"}, true},
		{"one that is none of many", many, map[string]any{"value": "a,c"}, false},
		{"two of one in a line", pick, map[string]any{"value": "a,b"}, false},
	} {
		_, _, err := asked(c.task).Vote(task.Answer{Choice: "answer", By: by("bob"), Output: c.give}, noon)
		if (err == nil) != c.ok || (err != nil && !fault.Is(err, fault.Invalid)) {
			t.Errorf("%s: %v", c.name, err)
		}
		if _, closed, err := asked(c.task).Vote(task.Answer{Choice: "reject", By: by("bob"), Output: c.give}, noon); err != nil || closed == nil {
			t.Errorf("%s: a no needs no form: %v", c.name, err)
		}
	}
}

// TestWhoIsAsked: people are told apart by their ids, and a name that somebody chose opens nothing.
// TestChosen: what was chosen has the names of its dialect.
func TestChosen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		form value.Object
		want value.Object
	}{
		{value.Object{"choices": []any{"a", "b"}, "selector": "multi", task.Named: "answer"}, value.Object{"answer": "b", "answers": []any{"b", "a"}}},
		{value.Object{"choices": []any{"a", "b"}, "selector": "multi"}, value.Object{"slack_response": "b", "selected_responses": []any{"b", "a"}}},
	} {
		v, _, err := asked(entry.TaskCreated{Type: "ask", Form: c.form}).Vote(task.Answer{Choice: "answer", By: by("bob"), Output: map[string]any{"selected": []any{"b", "a"}}}, noon)
		if err != nil || !reflect.DeepEqual(v.Output, c.want) {
			t.Errorf("%v, %v", v, err)
		}
	}
}

func TestWhoIsAsked(t *testing.T) {
	t.Parallel()
	ada := entry.Who{ID: "user:ada@example.org", Name: "Ada"}
	for _, c := range []struct {
		name   string
		from   []string
		by     entry.Who
		groups []string
		want   bool
	}{
		{"by id", []string{"user:ada@example.org"}, ada, nil, true},
		{"by address", []string{"ada@example.org"}, ada, nil, true},
		{"by a name that she shows", []string{"Ada"}, ada, nil, false},
		{"the system's user", []string{"ada"}, entry.Who{ID: "os:ada", Name: "ada"}, nil, true},
		{"nobody's id", []string{"ada"}, entry.Who{Name: "ada"}, nil, true},
		{"by group", []string{"sre"}, ada, []string{"shop", "sre"}, true},
		{"by group, in full", []string{"group:sre"}, ada, []string{"sre"}, true},
		{"by duty", []string{"oncall/database"}, ada, []string{"oncall/database"}, true},
		{"another group", []string{"sre"}, ada, []string{"shop"}, false},
		{"a person called like a group", []string{"group:sre"}, entry.Who{ID: "user:sre", Name: "sre"}, nil, false},
		{"a token called like her", []string{"user:ada@example.org"}, entry.Who{ID: "token:ada@example.org", Name: "Ada"}, nil, false},
	} {
		s := asked(entry.TaskCreated{Type: "approve", From: c.from, Count: 1})
		_, _, err := s.Vote(task.Answer{Choice: "approve", By: c.by, Groups: c.groups}, noon)
		if (err == nil) != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	// Two people may have one name; one person counts once, however she is called.
	s := asked(entry.TaskCreated{Type: "approve", Count: 2}, entry.TaskVoted{Answer: "approve", By: ada})
	if _, _, err := s.Vote(task.Answer{Choice: "approve", By: entry.Who{ID: ada.ID, Name: "Ada Lovelace"}}, noon); err == nil {
		t.Error("she counts twice")
	}
	if _, closed, err := s.Vote(task.Answer{Choice: "approve", By: entry.Who{ID: "user:ada@example.com", Name: "Ada"}}, noon); err != nil || closed == nil {
		t.Errorf("another Ada: %v", err)
	}
	s = asked(entry.TaskCreated{Type: "approve", Count: 1, NotRequester: true, Requester: "Ada", RequesterID: ada.ID})
	if _, _, err := s.Vote(task.Answer{Choice: "approve", By: entry.Who{ID: ada.ID, Name: "Somebody else"}}, noon); err == nil {
		t.Error("the requester approves, under another name")
	}
}
