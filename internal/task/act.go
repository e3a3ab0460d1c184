package task

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
)

// Verb is what somebody does with a task besides answering it.
type Verb string

// The verbs of Act.
const (
	Assign   Verb = "assign"   // To says who is expected to see to it: one, or nobody
	Claim    Verb = "claim"    // the asker sees to it; with Take also when somebody else did until now
	Delegate Verb = "delegate" // To may answer in the asker's place, once; nobody: take that back
	Say      Verb = "comment"
	Attach   Verb = "link"
)

// Act is what somebody does with a task besides answering it.
type Act struct {
	Verb   Verb
	By     entry.Who
	Groups []string // of the person
	Link   entry.Link
	Take   bool
	Text   string   // a comment
	To     []string // ids, addresses, groups
	Why    string
}

// Bounds of what a task keeps beside its answers.
const (
	maxText = 4000
	maxSaid = 500 // comments, and links
	maxTo   = 20
)

// Do judges an act, and gives the fact that it is; nil when it changes nothing. Errors are fault.Conflict, fault.Refused and fault.Invalid.
func (s *State) Do(a Act, now time.Time) (entry.Payload, error) {
	if err := s.waits(a.By, now); err != nil {
		return nil, err
	}
	switch a.Verb {
	case Claim:
		me := called(a.By)
		switch {
		case s.Assignee == me || asked([]string{s.Assignee}, a.By, nil):
			return nil, nil
		case s.Assignee != "" && !a.Take && !asked([]string{s.Assignee}, a.By, a.Groups):
			return nil, fault.New(fault.Conflict, "%s sees to it", s.Assignee).WithNext("agree with them, then --take")
		}
		return &entry.TaskAssigned{By: a.By, To: me, Why: a.Why}, nil
	case Assign:
		if len(a.To) > 1 {
			return nil, fault.New(fault.Invalid, "one sees to a task: a person or a group")
		}
		to, err := clean(a.To)
		if err != nil {
			return nil, err
		}
		x := &entry.TaskAssigned{By: a.By, Why: a.Why}
		if len(to) == 1 {
			x.To = to[0]
		}
		if x.To == s.Assignee {
			return nil, nil
		}
		return x, nil
	case Delegate:
		return s.delegate(a)
	case Say:
		text := strings.TrimSpace(a.Text)
		switch {
		case text == "":
			return nil, fault.New(fault.Invalid, "a comment says something")
		case len(text) > maxText:
			return nil, fault.New(fault.Invalid, "a comment has up to %d bytes, not %d", maxText, len(text))
		case len(s.Comments) >= maxSaid:
			return nil, fault.New(fault.Conflict, "a task takes up to %d comments", maxSaid)
		}
		return &entry.TaskCommented{By: a.By, Text: text}, nil
	case Attach:
		switch err := Page(a.Link.URL); {
		case err != nil:
			return nil, err
		case len(a.Link.Name) > 200:
			return nil, fault.New(fault.Invalid, "the name of a link has up to 200 bytes")
		case len(s.Links) >= maxSaid:
			return nil, fault.New(fault.Conflict, "a task takes up to %d links", maxSaid)
		}
		if slices.Contains(s.Links, a.Link) {
			return nil, nil
		}
		return &entry.TaskLinked{By: a.By, Link: a.Link}, nil
	}
	return nil, fault.New(fault.Invalid, "%q cannot be done with a task", a.Verb)
}

// delegate hands the asker's own answer on. What somebody may not say themselves they cannot let others say for them, and
// what was handed to them stays with them.
func (s *State) delegate(a Act) (entry.Payload, error) {
	to, err := clean(a.To)
	if err != nil {
		return nil, err
	}
	mine := slices.IndexFunc(s.Delegated, func(d entry.TaskDelegated) bool { return same(d.By, a.By) })
	switch {
	case s.answeredFor(a.By):
		return nil, fault.New(fault.Conflict, "somebody has answered in the place of %s already", a.By.Name)
	case len(to) == 0 && mine < 0:
		return nil, fault.New(fault.Conflict, "%s has delegated nothing here", a.By.Name)
	case len(to) == 0:
		return &entry.TaskDelegated{By: a.By, Why: a.Why}, nil
	case !s.isAsked(a.By, a.Groups):
		return nil, fault.New(fault.Refused, "%s is not among those who are asked, and has nothing to delegate: %s", a.By.Name, strings.Join(s.Asked(), ", "))
	case slices.ContainsFunc(s.Votes, func(v entry.TaskVoted) bool { return same(v.By, a.By) }):
		return nil, fault.New(fault.Conflict, "%s has answered already", a.By.Name)
	case asked(to, a.By, nil):
		return nil, fault.New(fault.Invalid, "%s cannot delegate to themselves", a.By.Name)
	}
	yes := Answer{Choice: "approve", By: a.By, Why: "-"}
	if s.Created.Type != "approve" {
		yes.Choice = "done"
	}
	if err := s.consents(yes); err != nil {
		return nil, err
	}
	return &entry.TaskDelegated{By: a.By, To: to, Why: a.Why}, nil
}

// Page tells why a text is not the address of a page that people can be led to.
func Page(text string) error {
	rest, secure := strings.CutPrefix(text, "https://")
	if !secure {
		var plain bool
		if rest, plain = strings.CutPrefix(text, "http://"); !plain {
			rest = ""
		}
	}
	host := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		host = rest[:i]
	}
	switch {
	case host == "" || len(text) > maxText || strings.ContainsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }) || strings.ContainsAny(host, "\\\"'<>"):
		return fault.New(fault.Invalid, "%.120q is not the address of a page", text).WithNext("https://example.org/page")
	case strings.Contains(host, "@"):
		return fault.New(fault.Invalid, "a link must not hold credentials")
	}
	return nil
}

// called is how somebody is named where others must find them again.
func called(w entry.Who) string {
	if w.ID != "" {
		return w.ID
	}
	return w.Name
}

// clean checks names that somebody wrote.
func clean(to []string) ([]string, error) {
	var out []string
	for _, t := range to {
		t = strings.TrimSpace(t)
		switch {
		case t == "" || len(t) > 200 || strings.ContainsFunc(t, unicode.IsControl):
			return nil, fault.New(fault.Invalid, "%.80q names nobody", t).WithNext("user:ada@example.org, ada@example.org, group:sre or oncall/database")
		case !slices.Contains(out, t):
			out = append(out, t)
		}
	}
	if len(out) > maxTo {
		return nil, fault.New(fault.Invalid, "%d are more than %d names", len(out), maxTo)
	}
	return out, nil
}
