// Package task is the decision or work that waits for a person: who may answer, how many must, and what becomes of it.
//
// It is pure. A task is open until enough people said yes, one said no, it expired, or what it asks about is gone. A
// person counts once. Nothing but an explicit yes is a yes.
package task

import (
	"slices"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/value"
)

// Open is the status of a task that still waits. The others are the outcomes of entry.TaskClosed.
const Open = "open"

// State is what the entries of a task's stream add up to.
type State struct {
	Created *entry.TaskCreated
	Votes   []entry.TaskVoted
	Closed  *entry.TaskClosed
	Length  uint64
}

// Status is open, or how the task ended.
func (s *State) Status() string {
	if s.Closed != nil {
		return s.Closed.Outcome
	}
	return Open
}

// Evolve folds one fact in.
func (s *State) Evolve(p entry.Payload) error {
	s.Length++
	switch x := p.(type) {
	case *entry.TaskCreated:
		if s.Created != nil {
			return fault.New(fault.Damaged, "a task is created once")
		}
		s.Created = x
	case *entry.TaskVoted:
		s.Votes = append(s.Votes, *x)
	case *entry.TaskClosed:
		if s.Closed != nil {
			return fault.New(fault.Damaged, "a task is closed once")
		}
		s.Closed = x
	default:
		return fault.New(fault.Damaged, "%s is not a fact about a task", p.Kind())
	}
	return nil
}

// Choices lists the answers that a task of the given type takes.
func Choices(typ string) []string {
	switch typ {
	case "approve":
		return []string{"approve", "reject"}
	case "ask":
		return []string{"answer", "reject"}
	case "manual":
		return []string{"done", "reject"}
	case "doubt":
		return []string{"happened", "not-happened", "again", "fail", "skip"}
	default:
		return nil
	}
}

// Answer is a person's answer.
type Answer struct {
	Choice string
	By     entry.Who
	Groups []string // of the person
	Output map[string]any
	Why    string
}

// Vote judges an answer: the vote to record and, when it decides the task, how it ends (nil while more people are
// needed). Errors are fault.Conflict (over already, voted already), fault.Refused (may not) and fault.Invalid (the answer
// itself).
func (s *State) Vote(a Answer, now time.Time) (*entry.TaskVoted, *entry.TaskClosed, error) {
	c := s.Created
	switch {
	case c == nil:
		return nil, nil, fault.New(fault.NotFound, "there is no such task")
	case s.Closed != nil:
		return nil, nil, fault.New(fault.Conflict, "the task is over: it was %s", s.Closed.Outcome)
	case !c.Expires.IsZero() && !now.Before(c.Expires):
		return nil, nil, fault.New(fault.Conflict, "the task expired at %s, which counts as no", c.Expires.Format(time.RFC3339)).WithNext("`tend runs resume %s` lets the run go on from there", c.Run)
	case !slices.Contains(Choices(c.Type), a.Choice):
		return nil, nil, fault.New(fault.Invalid, "%q is no answer to this task", a.Choice).
			WithNext("answer one of: %s", strings.Join(Choices(c.Type), ", "))
	case a.By.Name == "":
		return nil, nil, fault.New(fault.Refused, "nobody is not a person")
	case c.NotRequester && a.Choice == "approve" && requested(c, a.By):
		return nil, nil, fault.New(fault.Refused, "%s started the run and may not approve it", a.By.Name).
			WithNext("ask somebody else")
	case len(c.From) > 0 && !asked(c.From, a):
		return nil, nil, fault.New(fault.Refused, "%s is not among those who are asked: %s", a.By.Name, strings.Join(c.From, ", "))
	}
	for _, v := range s.Votes {
		if same(v.By, a.By) {
			return nil, nil, fault.New(fault.Conflict, "%s has answered already: %s", a.By.Name, v.Answer)
		}
	}
	out, err := s.output(a)
	if err != nil {
		return nil, nil, err
	}
	v := &entry.TaskVoted{Answer: a.Choice, By: a.By, Output: out, Why: a.Why}
	return v, s.closes(a), nil
}

// same tells whether two answers come from one person. A name that an issuer shows for somebody says nothing: two people can
// have it, and people choose it.
func same(a, b entry.Who) bool {
	if a.ID != "" && b.ID != "" {
		return a.ID == b.ID
	}
	return a.Name == b.Name
}

// requested tells whether it is who started the run.
func requested(c *entry.TaskCreated, by entry.Who) bool {
	return same(entry.Who{ID: c.RequesterID, Name: c.Requester}, by)
}

// asked tells whether somebody is among those who are asked: by id (user:ada@example.org), by what stands in it after the kind
// (ada@example.org, or the system's user ada), or by a group (sre, group:sre, oncall/database).
func asked(from []string, a Answer) bool {
	_, short, _ := strings.Cut(a.By.ID, ":")
	return slices.ContainsFunc(from, func(f string) bool {
		switch {
		case a.By.ID == "" && f == a.By.Name, a.By.ID != "" && (f == a.By.ID || f == short):
			return true
		}
		return slices.Contains(a.Groups, strings.TrimPrefix(f, "group:"))
	})
}

func (s *State) closes(a Answer) *entry.TaskClosed {
	switch a.Choice {
	case "reject":
		return &entry.TaskClosed{Outcome: "rejected", Why: a.Why}
	case "approve":
		yes := 1
		for _, v := range s.Votes {
			if v.Answer == "approve" {
				yes++
			}
		}
		if yes < s.Created.Count {
			return nil
		}
		return &entry.TaskClosed{Outcome: "approved", Why: a.Why}
	case "answer":
		return &entry.TaskClosed{Outcome: "answered", Why: a.Why}
	case "done":
		return &entry.TaskClosed{Outcome: "done", Why: a.Why}
	default:
		return &entry.TaskClosed{Outcome: a.Choice, Why: a.Why}
	}
}

// output checks a form.
func (s *State) output(a Answer) (value.Object, error) {
	if a.Choice == "reject" {
		return nil, nil
	}
	if choices, ok := s.Created.Form["choices"].([]any); ok && a.Choice == "answer" {
		return chosen(choices, s.Created.Form["selector"], a.Output)
	}
	fields, _ := s.Created.Form["fields"].([]any)
	if a.Choice != "answer" || len(fields) == 0 {
		return a.Output, nil
	}
	return Form(fields, a.Output)
}
