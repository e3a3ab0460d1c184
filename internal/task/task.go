// Package task is the decision or work that waits for a person: who may answer, how many must, and what becomes of it.
//
// It is pure. A task is open until enough people said yes, one said no, it expired, or what it asks about is gone. A
// person counts once, also in somebody else's place. Nothing but an explicit yes is a yes. Who is asked grows when nobody
// decides in time (TaskEscalated) and by delegation, which hands one answer on and makes none more.
//
// It does not know who may do what on a server: that is for package access, and is asked before this is.
package task

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/value"
)

// Review is the type of a task that looks at what somebody approved alone.
const Review = "review"

// BreakGlass is the answer that approves alone, whoever was asked and however many. It is none of Choices: who may give it
// has a right of its own, and it leaves a review behind.
const BreakGlass = "break-glass"

// Open is the status of a task that still waits. The others are the outcomes of entry.TaskClosed.
const Open = "open"

// State is what the entries of a task's stream add up to.
type State struct {
	At        time.Time // when it was created
	Created   *entry.TaskCreated
	Votes     []entry.TaskVoted
	Closed    *entry.TaskClosed
	Escalated []entry.TaskEscalated
	Delegated []entry.TaskDelegated // the last word of each who delegated; taken back ones are not there
	Assignee  string
	Comments  []Comment
	Links     []entry.Link
	Length    uint64
}

// Comment is what somebody said about a task.
type Comment struct {
	At   time.Time `json:"at"`
	By   entry.Who `json:"by"`
	Text string    `json:"text"`
}

// Status is open, or how the task ended.
func (s *State) Status() string {
	if s.Closed != nil {
		return s.Closed.Outcome
	}
	return Open
}

// Evolve folds one fact in, which was recorded at the given time.
func (s *State) Evolve(p entry.Payload, at time.Time) error {
	s.Length++
	switch x := p.(type) {
	case *entry.TaskCreated:
		if s.Created != nil {
			return fault.New(fault.Damaged, "a task is created once")
		}
		s.At, s.Created, s.Assignee, s.Links = at, x, x.Assignee, slices.Clone(x.Links)
	case *entry.TaskAssigned:
		s.Assignee = x.To
	case *entry.TaskDelegated:
		s.Delegated = slices.DeleteFunc(slices.Clone(s.Delegated), func(d entry.TaskDelegated) bool { return same(d.By, x.By) })
		if len(x.To) > 0 {
			s.Delegated = append(s.Delegated, *x)
		}
	case *entry.TaskEscalated:
		s.Escalated = append(s.Escalated, *x)
	case *entry.TaskCommented:
		s.Comments = append(s.Comments, Comment{At: at, By: x.By, Text: x.Text})
	case *entry.TaskLinked:
		s.Links = append(s.Links, x.Link)
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
	case Review:
		return []string{"done"}
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
	if err := s.waits(a.By, now); err != nil {
		return nil, nil, err
	}
	c := s.Created
	if a.Choice == BreakGlass {
		return s.broken(a)
	}
	if !slices.Contains(Choices(c.Type), a.Choice) {
		return nil, nil, fault.New(fault.Invalid, "%q is no answer to this task", a.Choice).
			WithNext("answer one of: %s", strings.Join(Choices(c.Type), ", "))
	}
	if err := s.consents(a); err != nil {
		return nil, nil, err
	}
	instead, err := s.instead(a)
	if err != nil {
		return nil, nil, err
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
	v := &entry.TaskVoted{Answer: a.Choice, By: a.By, For: instead, Output: out, Why: a.Why}
	return v, s.closes(a), nil
}

// waits refuses what comes too late, or from nobody.
func (s *State) waits(by entry.Who, now time.Time) error {
	c := s.Created
	switch {
	case c == nil:
		return fault.New(fault.NotFound, "there is no such task")
	case s.Closed != nil:
		return fault.New(fault.Conflict, "the task is over: it was %s", s.Closed.Outcome)
	case !c.Expires.IsZero() && !now.Before(c.Expires):
		return fault.New(fault.Conflict, "the task expired at %s, which counts as no", c.Expires.Format(time.RFC3339)).WithNext("`tend runs resume %s` lets the run go on from there", c.Run)
	case by.Name == "":
		return fault.New(fault.Refused, "nobody is not a person")
	}
	return nil
}

// consents refuses a yes of somebody who may only say no: it is theirs that is looked at.
func (s *State) consents(a Answer) error {
	c := s.Created
	switch {
	case c.Type == Review && requested(c, a.By):
		return fault.New(fault.Refused, "%s broke the glass and may not review it", a.By.Name).WithNext("ask somebody else")
	case c.Type == Review && strings.TrimSpace(a.Why) == "":
		return fault.New(fault.Invalid, "a review says what was found").WithNext("--why")
	case a.Choice != "approve":
		return nil
	case c.NotRequester && requested(c, a.By):
		return fault.New(fault.Refused, "%s started the run and may not approve it", a.By.Name).WithNext("ask somebody else")
	case c.NotAuthor && wrote(c.Author, a.By):
		return fault.New(fault.Refused, "%s wrote this revision of the playbook and may not approve it", a.By.Name).WithNext("ask somebody else")
	}
	return nil
}

// instead tells in whose place somebody answers; nil: in their own.
func (s *State) instead(a Answer) (*entry.Who, error) {
	if s.isAsked(a.By, a.Groups) {
		for _, d := range s.Delegated {
			if same(d.By, a.By) {
				return nil, fault.New(fault.Conflict, "%s has delegated this to %s", a.By.Name, strings.Join(d.To, ", ")).
					WithNext("take it back: tend inbox delegate TASK --back")
			}
		}
		return nil, nil
	}
	used := fault.New(fault.Refused, "%s is not among those who are asked: %s", a.By.Name, strings.Join(s.Asked(), ", "))
	for i := range s.Delegated {
		d := &s.Delegated[i]
		if !asked(d.To, a.By, a.Groups) {
			continue
		}
		if s.answeredFor(d.By) {
			used = fault.New(fault.Conflict, "somebody has answered in the place of %s already", d.By.Name)
			continue
		}
		return &d.By, nil
	}
	return nil, used
}

func (s *State) answeredFor(who entry.Who) bool {
	return slices.ContainsFunc(s.Votes, func(v entry.TaskVoted) bool { return v.For != nil && same(*v.For, who) })
}

// isAsked tells whether somebody is among those who are asked, also since nobody decided in time.
func (s *State) isAsked(by entry.Who, groups []string) bool {
	return len(s.Created.From) == 0 || asked(s.Asked(), by, groups)
}

// Asked lists who is asked, also since nobody decided in time. Empty: whoever may.
func (s *State) Asked() []string {
	if s.Created == nil || len(s.Created.From) == 0 {
		return nil
	}
	out := slices.Clone(s.Created.From)
	for _, e := range s.Escalated {
		for _, t := range e.To {
			if !slices.Contains(out, t) {
				out = append(out, t)
			}
		}
	}
	return out
}

// broken approves alone.
func (s *State) broken(a Answer) (*entry.TaskVoted, *entry.TaskClosed, error) {
	switch {
	case s.Created.Type != "approve":
		return nil, nil, fault.New(fault.Invalid, "only an approval has a glass that can be broken").
			WithNext("answer one of: %s", strings.Join(Choices(s.Created.Type), ", "))
	case strings.TrimSpace(a.Why) == "":
		return nil, nil, fault.New(fault.Invalid, "who breaks the glass says why: others will ask").WithNext("--why")
	}
	return &entry.TaskVoted{Answer: BreakGlass, By: a.By, Why: a.Why}, &entry.TaskClosed{Outcome: "approved", Why: "the glass was broken: " + a.Why}, nil
}

// ReviewOf is the task that a broken glass leaves: somebody else says what they found. It does not expire.
func (s *State) ReviewOf(id string, v *entry.TaskVoted) *entry.TaskCreated {
	c := s.Created
	return &entry.TaskCreated{
		Count: 1, Hash: c.Hash, Links: s.Links, Path: c.Path, Requester: v.By.Name, RequesterID: v.By.ID, Reviews: id, Run: c.Run, Show: c.Show,
		Message: v.By.Name + " approved this alone: " + v.Why + ". It was asked of " + people(s.Asked(), c.Count) + ". Look at what was done, then say what you found.",
		Title:   "review the broken glass: " + strings.TrimPrefix(c.Title, "approve "), Type: Review,
	}
}

func people(from []string, count int) string {
	who := "whoever may approve"
	if len(from) > 0 {
		who = strings.Join(from, ", ")
	}
	if count > 1 {
		who += " (" + strconv.Itoa(count) + " people)"
	}
	return who
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

// wrote tells whether somebody is the author that a commit names: Ada <ada@example.org>. A commit says of itself who wrote it,
// so this takes a right away and never gives one; what looks like the author is the author.
func wrote(author string, by entry.Who) bool {
	name, mail, _ := strings.Cut(author, "<")
	name, mail = strings.TrimSpace(name), strings.TrimSuffix(strings.TrimSpace(mail), ">")
	_, short, _ := strings.Cut(by.ID, ":")
	for _, known := range []string{name, mail, strings.TrimSpace(author)} {
		if known == "" {
			continue
		}
		for _, called := range []string{by.ID, short, by.Name} {
			if strings.EqualFold(known, called) {
				return true
			}
		}
	}
	return false
}

// asked tells whether somebody is among some: by id (user:ada@example.org), by what stands in it after the kind
// (ada@example.org, or the system's user ada), or by a group (sre, group:sre, oncall/database).
func asked(from []string, by entry.Who, groups []string) bool {
	_, short, _ := strings.Cut(by.ID, ":")
	return slices.ContainsFunc(from, func(f string) bool {
		switch {
		case by.ID == "" && f == by.Name, by.ID != "" && (f == by.ID || f == short):
			return true
		}
		return slices.Contains(groups, strings.TrimPrefix(f, "group:"))
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
	if _, ok := s.Created.Form["choices"].([]any); ok && a.Choice == "answer" {
		return chosen(s.Created.Form, a.Output)
	}
	fields, _ := s.Created.Form["fields"].([]any)
	if a.Choice != "answer" || len(fields) == 0 {
		return a.Output, nil
	}
	return Form(fields, a.Output)
}
