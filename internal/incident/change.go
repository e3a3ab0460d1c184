package incident

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/value"
)

// Bounds of what people and alerts may say.
const (
	MaxTitle   = 300    // characters
	MaxText    = 64_000 // bytes of a comment or a summary
	MaxPeople  = 100
	MaxLinks   = 50
	MaxLabels  = 100
	MaxItems   = 500
	MaxMembers = 10_000 // alerts; more of them are counted and not listed
)

// Start is the wish for a new incident.
type Start struct {
	ID       string
	Project  string
	Key      string
	Title    string
	Severity Severity
	Summary  string
	Labels   map[string]string
	Links    []entry.Link
	Trigger  string
	Event    string // what opens it; "" is a person
	Resolves bool
	Every    time.Duration // how often an update is due; 0: by severity
	By       entry.Who
}

// OpenNew begins an incident.
func OpenNew(x Start) ([]entry.Payload, error) {
	every := x.Every
	if every == 0 {
		every = x.Severity.Every()
	}
	title := oneLine(x.Title)
	switch {
	case title == "":
		return nil, fault.New(fault.Invalid, "an incident needs a title")
	case x.Severity.Rank() == 0:
		return nil, badSeverity(string(x.Severity))
	}
	if err := cmp.Or(checkText("summary", x.Summary), checkLinks(x.Links), checkLabels(len(x.Labels))); err != nil {
		return nil, err
	}
	return []entry.Payload{&entry.IncidentOpened{
		By: x.By, Event: x.Event, ID: x.ID, Key: x.Key, Labels: value.TextMap(x.Labels), Links: x.Links, Project: x.Project,
		Resolves: x.Resolves, Severity: string(x.Severity), Summary: x.Summary, Title: cut(title), Trigger: x.Trigger,
		Update: int64(every / time.Second),
	}}, nil
}

func badSeverity(s string) error {
	return fault.New(fault.Invalid, "%.80q is no severity", s).WithNext("say one of: critical, major, minor, info")
}

func oneLine(s string) string {
	return strings.Join(strings.Fields(strings.ToValidUTF8(s, "\uFFFD")), " ")
}

// cut keeps the beginning of a title that is too long: alerts must not be refused for their names.
func cut(s string) string {
	if utf8.RuneCountInString(s) <= MaxTitle {
		return s
	}
	return string([]rune(s)[:MaxTitle-1]) + "…"
}

func checkText(what, s string) error {
	switch {
	case len(s) > MaxText:
		return fault.New(fault.Invalid, "the %s has %d bytes; %d are the most", what, len(s), MaxText)
	case !utf8.ValidString(s):
		return fault.New(fault.Invalid, "the %s is not UTF-8", what)
	}
	return nil
}

func checkLinks(links []entry.Link) error {
	if len(links) > MaxLinks {
		return fault.New(fault.Invalid, "%d links are too many; %d are the most", len(links), MaxLinks)
	}
	for _, l := range links {
		u, err := url.Parse(l.URL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return fault.New(fault.Invalid, "%.200q is no web address", l.URL)
		}
	}
	return nil
}

func checkLabels(n int) error {
	if n > MaxLabels {
		return fault.New(fault.Invalid, "%d labels are too many; %d are the most", n, MaxLabels)
	}
	return nil
}

func checkPeople(what string, list *[]string) error {
	if list == nil {
		return nil
	}
	if len(*list) > MaxPeople {
		return fault.New(fault.Invalid, "%d %s are too many; %d are the most", len(*list), what, MaxPeople)
	}
	for _, p := range *list {
		if oneLine(p) == "" || len(p) > MaxTitle {
			return fault.New(fault.Invalid, "%.80q is nobody's name (%s)", p, what)
		}
	}
	return nil
}

// over refuses what only a live incident takes.
func (s *State) over(what string) error {
	switch {
	case s.Length == 0:
		return fault.New(fault.NotFound, "there is no such incident")
	case s.Status == Merged:
		return fault.New(fault.Conflict, "incident %s was merged: it cannot be %s", s.ID, what).WithNext("look at %s", s.Into)
	case s.Status == Resolved:
		return fault.New(fault.Conflict, "incident %s is resolved: it cannot be %s", s.ID, what).WithNext("reopen it first")
	}
	return nil
}

// Join lets an event belong to the incident. When it was the last alert that fired and the incident resolves by its alerts,
// it is resolved by it.
func (s *State) Join(j entry.IncidentJoined, by entry.Who) ([]entry.Payload, error) {
	if s.Length == 0 || s.Status == Merged || s.Status == Resolved && j.Status == "firing" {
		if err := s.over("joined"); err != nil {
			return nil, err
		}
	}
	out := []entry.Payload{&j}
	m, here := s.Members[MemberKey(j.Source, j.Group)]
	if !here && j.Status == "firing" && len(s.Members) >= MaxMembers {
		return nil, fault.New(fault.Limit, "incident %s has %d alerts already", s.ID, len(s.Members))
	}
	if j.Status == "resolved" && here && m.Firing() && s.Firing() == 1 && s.Resolves && !s.Status.Over() {
		out = append(out, &entry.IncidentResolved{By: by, Event: j.Event, Why: "all of its alerts are resolved"})
	}
	return out, nil
}

// Update changes what an incident says of itself. A status can be open, acknowledged or mitigated: its end is for Resolve.
func (s *State) Update(u entry.IncidentUpdated) ([]entry.Payload, error) {
	switch {
	case s.Length == 0 || s.Status == Merged || s.Status == Resolved && u.Status != nil:
		if err := s.over("changed"); err != nil {
			return nil, err
		}
	case u.Severity != nil && Severity(*u.Severity).Rank() == 0:
		return nil, badSeverity(*u.Severity)
	case u.Title != nil && oneLine(*u.Title) == "":
		return nil, fault.New(fault.Invalid, "an incident needs a title")
	case u.Status != nil && !slices.Contains([]Status{Open, Acknowledged, Mitigated}, Status(*u.Status)):
		return nil, fault.New(fault.Invalid, "%.80q is no status that an update gives", *u.Status).
			WithNext("say open, acknowledged or mitigated; to end it, resolve it")
	}
	if u.Title != nil {
		t := cut(oneLine(*u.Title))
		u.Title = &t
	}
	for _, t := range []struct {
		what string
		text *string
	}{{"summary", u.Summary}, {"next step", u.Next}, {"commander", u.Commander}, {"reason", &u.Why}} {
		if t.text != nil {
			if err := checkText(t.what, *t.text); err != nil {
				return nil, err
			}
		}
	}
	if u.Links != nil {
		if err := checkLinks(*u.Links); err != nil {
			return nil, err
		}
	}
	n := len(s.Labels)
	for k, v := range u.Labels {
		_, had := s.Labels[k]
		switch v.(type) {
		case string:
			if !had {
				n++
			}
		case nil:
			if had {
				n--
			}
		default:
			return nil, fault.New(fault.Invalid, "label %.80q is neither a text nor null", k)
		}
	}
	if err := cmp.Or(checkPeople("responders", u.Responders), checkPeople("stakeholders", u.Stakeholders), checkLabels(n)); err != nil {
		return nil, err
	}
	if u.NextBy != nil {
		at := u.NextBy.UTC().Truncate(time.Microsecond)
		u.NextBy = &at
	}
	return []entry.Payload{&u}, nil
}

// Take makes somebody a responder and acknowledges the incident.
func (s *State) Take(by entry.Who) ([]entry.Payload, error) {
	if err := s.over("taken"); err != nil {
		return nil, err
	}
	u := entry.IncidentUpdated{By: by}
	if s.Status == Open {
		st := string(Acknowledged)
		u.Status = &st
	}
	if !slices.Contains(s.Responders, by.Name) && by.Name != "" {
		list := append(slices.Clone(s.Responders), by.Name)
		u.Responders = &list
	}
	if u.Status == nil && u.Responders == nil {
		return nil, fault.New(fault.Conflict, "%s has taken incident %s already", by.Name, s.ID)
	}
	return s.Update(u)
}

// Comment adds a remark. It can be made afterwards too. A mark that was there before makes it a repeat: no fact.
func (s *State) Comment(by entry.Who, text, once string) ([]entry.Payload, error) {
	if s.Length == 0 {
		return nil, s.over("")
	}
	if s.Once[once] {
		return nil, nil
	}
	if strings.TrimSpace(text) == "" {
		return nil, fault.New(fault.Invalid, "the comment is empty")
	}
	if err := checkText("comment", text); err != nil {
		return nil, err
	}
	return []entry.Payload{&entry.IncidentCommented{By: by, Once: once, Text: text}}, nil
}

// Page records that people are called. A mark that was there before makes it a repeat: no fact.
func (s *State) Page(by entry.Who, targets []string, message, once string) ([]entry.Payload, error) {
	if s.Once[once] {
		return nil, nil
	}
	if err := s.over("paged about"); err != nil {
		return nil, err
	}
	if len(targets) == 0 {
		return nil, fault.New(fault.Invalid, "nobody is named to be paged")
	}
	if err := cmp.Or(checkPeople("people to page", &targets), checkText("message", message)); err != nil {
		return nil, err
	}
	return []entry.Payload{&entry.IncidentPaged{By: by, Message: message, Once: once, Targets: targets}}, nil
}

// Merge lets into tell the story of s: what fires, the keys and the runs that go on move there. It answers with the facts
// of s and those of into.
func (s *State) Merge(into *State, by entry.Who, why string) (from, to []entry.Payload, err error) {
	if err := cmp.Or(s.mergeable(), into.over("merged into"), checkText("reason", why)); err != nil {
		return nil, nil, err
	}
	switch {
	case s.ID == into.ID:
		return nil, nil, fault.New(fault.Invalid, "incident %s cannot be merged into itself", s.ID)
	case s.Project != into.Project:
		return nil, nil, fault.New(fault.NotFound, "there is no incident %s", into.ID)
	case len(s.Members)+len(into.Members) > MaxMembers:
		return nil, nil, fault.New(fault.Limit, "together they would have more than %d alerts", MaxMembers)
	}
	m := &entry.IncidentMerged{By: by, From: s.ID, Keys: s.Keys, Members: s.members(nil), Why: why}
	for _, r := range s.Runs {
		if r.Ended.IsZero() {
			m.Runs = append(m.Runs, r.Run)
		}
	}
	return []entry.Payload{&entry.IncidentMerged{By: by, Into: into.ID, Why: why}}, []entry.Payload{m}, nil
}

func (s *State) mergeable() error {
	if s.Status == Resolved && s.Length > 0 {
		return nil // its story can still be told elsewhere
	}
	return s.over("merged")
}

// members gives members in order; those in keys, or all.
func (s *State) members(keys []string) []entry.IncidentJoined {
	var out []entry.IncidentJoined
	for k, m := range s.Members {
		if keys == nil || slices.Contains(keys, k) {
			out = append(out, m.IncidentJoined)
		}
	}
	slices.SortFunc(out, func(a, b entry.IncidentJoined) int {
		return strings.Compare(MemberKey(a.Source, a.Group), MemberKey(b.Source, b.Group))
	})
	return out
}

// Split makes some of the alerts an incident of their own. keys are MemberKeys. It answers with the facts of s and those
// of the new one.
func (s *State) Split(x Start, keys []string, why string) (old, fresh []entry.Payload, err error) {
	if err := s.over("split"); err != nil {
		return nil, nil, err
	}
	if len(keys) == 0 {
		return nil, nil, fault.New(fault.Invalid, "a split needs the alerts that move")
	}
	for _, k := range keys {
		if _, ok := s.Members[k]; !ok {
			return nil, nil, fault.New(fault.NotFound, "incident %s has no alert %q", s.ID, strings.ReplaceAll(k, "\x00", "/"))
		}
	}
	x.Project, x.Resolves = s.Project, s.Resolves
	if x.Severity == "" {
		x.Severity = s.Severity
	}
	if fresh, err = OpenNew(x); err != nil {
		return nil, nil, err
	}
	moved := s.members(keys)
	return []entry.Payload{&entry.IncidentSplit{By: x.By, Into: x.ID, Members: moved, Why: why}},
		append(fresh, &entry.IncidentSplit{By: x.By, From: s.ID, Members: moved, Why: why}), nil
}

// Resolve ends an incident.
func (s *State) Resolve(by entry.Who, event, why string) ([]entry.Payload, error) {
	if err := cmp.Or(s.over("resolved"), checkText("reason", why)); err != nil {
		return nil, err
	}
	return []entry.Payload{&entry.IncidentResolved{By: by, Event: event, Why: why}}, nil
}

// Reopen takes the end back.
func (s *State) Reopen(by entry.Who, event, why string) ([]entry.Payload, error) {
	switch {
	case s.Length == 0 || s.Status == Merged:
		return nil, s.over("reopened")
	case s.Status != Resolved:
		return nil, fault.New(fault.Conflict, "incident %s is %s: there is nothing to reopen", s.ID, s.Status)
	}
	if err := checkText("reason", why); err != nil {
		return nil, err
	}
	return []entry.Payload{&entry.IncidentReopened{By: by, Event: event, Why: why}}, nil
}

// Ran records that a run for the incident began or ended. What is known already gives no fact.
func (s *State) Ran(x entry.IncidentRan) []entry.Payload {
	if r := s.run(x.Run); s.Length == 0 || r != nil && r.Status == x.Status {
		return nil
	}
	return []entry.Payload{&x}
}

// Plan adds something to do afterwards, or changes it: what is left out of a change stays.
func (s *State) Plan(x entry.IncidentItem) ([]entry.Payload, error) {
	if i := slices.IndexFunc(s.Items, func(i entry.IncidentItem) bool { return i.ID == x.ID }); i >= 0 {
		old := s.Items[i]
		x.Text, x.Owner, x.URL = cmp.Or(x.Text, old.Text), cmp.Or(x.Owner, old.Owner), cmp.Or(x.URL, old.URL)
		if x.Due.IsZero() {
			x.Due = old.Due
		}
	}
	switch {
	case s.Length == 0:
		return nil, s.over("")
	case x.ID == "" || oneLine(x.Text) == "":
		return nil, fault.New(fault.Invalid, "an action item needs an id and a text")
	case len(s.Items) >= MaxItems && !slices.ContainsFunc(s.Items, func(i entry.IncidentItem) bool { return i.ID == x.ID }):
		return nil, fault.New(fault.Limit, "incident %s has %d action items already", s.ID, len(s.Items))
	}
	if err := checkText("action item", x.Text); err != nil {
		return nil, err
	}
	if x.URL != "" {
		if err := checkLinks([]entry.Link{{URL: x.URL}}); err != nil {
			return nil, err
		}
	}
	if x.URL != "" {
		x.Kept = ""
	}
	x.Due = x.Due.UTC().Truncate(time.Microsecond)
	return []entry.Payload{&x}, nil
}

// Remind records that an update was due and did not come. It gives nothing when none was.
func (s *State) Remind(now time.Time) []entry.Payload {
	due := s.Due()
	if due.IsZero() || now.Before(due) {
		return nil
	}
	// One reminder for a long silence (the server was away), not one for each time that was missed.
	if s.Every > 0 {
		due = due.Add(now.Sub(due) / s.Every * s.Every)
	}
	return []entry.Payload{&entry.IncidentReminded{Due: due.UTC().Truncate(time.Microsecond)}}
}
