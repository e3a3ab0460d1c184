// Package incident is the human story that many events and runs belong to: how bad it is, who leads, what is next, and
// everything that happened, in order.
//
// It is pure. A State is what the facts of an incident's stream add up to (Evolve). Every change goes through a named
// transition (Open, Join, Update, Comment, Page, Merge, Split, Resolve, Reopen, Ran, Plan, Remind), which answers with the
// facts to write, or refuses; Evolve refuses what no transition could have written. Texts from outside stay texts: they
// are bounded here and escaped where they are shown.
package incident

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
)

// Status of an incident.
type Status string

// The statuses. Merged is the end; Resolved is, until it is reopened.
const (
	Open         Status = "open"
	Acknowledged Status = "acknowledged" // a person has it
	Mitigated    Status = "mitigated"    // it does not hurt any more, and is not over
	Resolved     Status = "resolved"
	Merged       Status = "merged" // another incident tells its story
)

// Over tells whether nobody works on it any more.
func (s Status) Over() bool { return s == Resolved || s == Merged }

// Severity says how bad it is.
type Severity string

// The severities, worst first.
const (
	Critical Severity = "critical"
	Major    Severity = "major"
	Minor    Severity = "minor"
	Info     Severity = "info"
)

// ParseSeverity reads what alerts and people call it. It answers false, and Minor, for words that it does not know.
func ParseSeverity(text string) (Severity, bool) {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "critical", "crit", "fatal", "emergency", "page", "sev1", "sev-1", "p1":
		return Critical, true
	case "major", "high", "error", "sev2", "sev-2", "p2":
		return Major, true
	case "minor", "medium", "moderate", "warning", "warn", "sev3", "sev-3", "p3":
		return Minor, true
	case "info", "informational", "low", "none", "notice", "sev4", "sev-4", "p4", "sev5", "p5":
		return Info, true
	default:
		return Minor, false
	}
}

// Rank orders severities: a greater one is worse.
func (s Severity) Rank() int {
	return map[Severity]int{Critical: 4, Major: 3, Minor: 2, Info: 1}[s]
}

// Every tells how often people want to hear of an incident of this severity; 0 is never.
func (s Severity) Every() time.Duration {
	switch s {
	case Critical:
		return 30 * time.Minute
	case Major:
		return time.Hour
	case Minor:
		return 4 * time.Hour
	case Info:
		return 0
	default:
		return 0
	}
}

// Member is an alert (or what else can begin and end) that belongs to an incident.
type Member struct {
	entry.IncidentJoined
	Since time.Time // when it last changed its status here
}

// Firing tells whether it has not ended. That nothing is measured any more is no end: nobody knows.
func (m Member) Firing() bool { return m.Status == "firing" || m.Status == vanished }

const vanished = "vanished"

// Run is a run for an incident.
type Run struct {
	entry.IncidentRan
	Began time.Time
	Ended time.Time
}

// State is what the facts of an incident add up to.
type State struct {
	ID           string
	Project      string
	Title        string
	Summary      string
	Severity     Severity
	Status       Status
	Commander    string
	Responders   []string
	Stakeholders []string
	Labels       map[string]string
	Links        []entry.Link
	Next         string    // the next step
	NextBy       time.Time // when it is expected
	Trigger      string
	Keys         []string // of the events that join it
	Resolves     bool     // it resolves when all of its alerts have
	Every        time.Duration
	Members      map[string]Member // by MemberKey
	Runs         []Run
	Items        []entry.IncidentItem
	Into         string   // merged: the one that tells its story
	From         []string // those that were merged into it, or the one that it was split from
	Opened       time.Time
	Taken        time.Time // when a person took it
	Ended        time.Time // when it was resolved last; zero while it is not
	Told         time.Time // when a person or a playbook said something last
	Reminded     time.Time // the due time of the last reminder
	Reopened     int
	Events       int             // that joined
	Once         map[string]bool // marks of comments and pages that must not be repeated
	Length       uint64

	firing int // of Members
}

// MemberKey names an alert within incidents.
func MemberKey(source, group string) string { return source + "\x00" + group }

// Firing counts the members that have not ended.
func (s *State) Firing() int { return s.firing }

// put sets a member, and drop takes one away.
func (s *State) put(key string, m Member) {
	s.drop(key)
	s.Members[key] = m
	if m.Firing() {
		s.firing++
	}
}

func (s *State) drop(key string) {
	if m, ok := s.Members[key]; ok && m.Firing() {
		s.firing--
	}
	delete(s.Members, key)
}

// Due tells when the next reminder is: when the next step was expected, or when nobody has said anything for too long.
// Zero is never.
func (s *State) Due() time.Time {
	if s.Status.Over() || s.Length == 0 {
		return time.Time{}
	}
	if s.NextBy.After(s.Reminded) && s.NextBy.After(s.Told) {
		return s.NextBy
	}
	if s.Every <= 0 {
		return time.Time{}
	}
	last := s.Told
	if s.Reminded.After(last) {
		last = s.Reminded
	}
	return last.Add(s.Every)
}

// Evolve folds one fact in. It refuses, with an error of kind fault.Damaged, what cannot follow; s is unchanged then.
func (s *State) Evolve(at time.Time, p entry.Payload) error {
	if err := s.legal(p); err != nil {
		return err
	}
	s.Length++
	switch x := p.(type) {
	case *entry.IncidentOpened:
		s.open(at, x)
	case *entry.IncidentJoined:
		s.Events++
		s.join(at, *x)
	case *entry.IncidentUpdated:
		s.update(at, x)
	case *entry.IncidentCommented:
		s.Told = at
		s.mark(x.Once)
	case *entry.IncidentPaged:
		s.mark(x.Once)
	case *entry.IncidentMerged:
		s.merge(at, x)
	case *entry.IncidentSplit:
		s.split(at, x)
	case *entry.IncidentResolved:
		s.Status, s.Ended = Resolved, at
	case *entry.IncidentReopened:
		s.Status, s.Ended, s.Told = Open, time.Time{}, at
		if !s.Taken.IsZero() {
			s.Status = Acknowledged
		}
		s.Reopened++
	case *entry.IncidentRan:
		s.ran(at, x)
	case *entry.IncidentItem:
		s.item(x)
	case *entry.IncidentReminded:
		s.Reminded = x.Due
	}
	return nil
}

func (s *State) mark(once string) {
	if once == "" {
		return
	}
	if s.Once == nil {
		s.Once = map[string]bool{}
	}
	s.Once[once] = true
}

// legal tells whether p may follow what was.
func (s *State) legal(p entry.Payload) error {
	bad := func(why string) error {
		return fault.New(fault.Damaged, "incident/%s entry %d: %s %s", s.ID, s.Length+1, p.Kind(), why)
	}
	_, first := p.(*entry.IncidentOpened)
	if first != (s.Length == 0) {
		return bad("must be the first fact, and only it")
	}
	switch x := p.(type) {
	case *entry.IncidentOpened:
		return nil
	case *entry.IncidentCommented, *entry.IncidentItem, *entry.IncidentRan, *entry.IncidentPaged:
		return nil // also afterwards: what was learned, what is left to do, runs that end later
	case *entry.IncidentSplit:
		if x.Into != "" && s.Status == Merged {
			return bad("cannot follow a merge")
		}
		return nil
	case *entry.IncidentMerged:
		if s.Status == Merged {
			return bad("cannot follow a merge")
		}
		return nil
	case *entry.IncidentUpdated:
		if s.Status == Merged || s.Status == Resolved && x.Status != nil {
			return bad("changes what is " + string(s.Status))
		}
		return nil
	case *entry.IncidentReopened:
		if s.Status != Resolved {
			return bad("reopens what is " + string(s.Status))
		}
		return nil
	case *entry.IncidentJoined:
		if s.Status == Merged || s.Status == Resolved && x.Status == "firing" {
			return bad("joins what is " + string(s.Status))
		}
		return nil
	case *entry.IncidentResolved, *entry.IncidentReminded:
		if s.Status.Over() {
			return bad("cannot be: it is " + string(s.Status))
		}
		return nil
	default:
		return bad("is not a fact about an incident")
	}
}

func (s *State) open(at time.Time, x *entry.IncidentOpened) {
	s.ID, s.Project, s.Title, s.Summary, s.Trigger, s.Resolves = x.ID, x.Project, x.Title, x.Summary, x.Trigger, x.Resolves
	s.Severity, s.Status = Severity(x.Severity), Open
	s.Every = time.Duration(x.Update) * time.Second
	if x.Key != "" {
		s.Keys = []string{x.Key}
	}
	s.Labels, s.Links, s.Members = map[string]string{}, x.Links, map[string]Member{}
	for k, v := range x.Labels {
		if text, ok := v.(string); ok {
			s.Labels[k] = text
		}
	}
	s.Opened, s.Told = at, at
	if x.Event == "" && Person(x.By) { // somebody knows
		s.Taken = at
	}
}

// Person tells whether somebody is a person and not tend itself.
func Person(w entry.Who) bool {
	return w.ID != "tend" && w.Via != "engine" && !strings.HasPrefix(w.ID, "run:") && (w.Name != "" || w.ID != "")
}

func (s *State) join(at time.Time, x entry.IncidentJoined) {
	key := MemberKey(x.Source, x.Group)
	m := Member{IncidentJoined: x, Since: at}
	if old, ok := s.Members[key]; ok {
		if old.Status == x.Status {
			m.Since = old.Since
		}
	} else if x.Status == "resolved" || x.Status == vanished {
		return // it ends what never was here
	}
	s.put(key, m)
}

func set[T any](to *T, v *T) {
	if v != nil {
		*to = *v
	}
}

func (s *State) update(at time.Time, x *entry.IncidentUpdated) {
	severity, status := string(s.Severity), string(s.Status)
	set(&s.Commander, x.Commander)
	set(&s.Links, x.Links)
	set(&s.Next, x.Next)
	set(&s.NextBy, x.NextBy)
	set(&s.Responders, x.Responders)
	set(&severity, x.Severity)
	set(&s.Stakeholders, x.Stakeholders)
	set(&status, x.Status)
	set(&s.Summary, x.Summary)
	set(&s.Title, x.Title)
	if x.Severity != nil && s.Every == s.Severity.Every() {
		s.Every = Severity(severity).Every()
	}
	s.Severity, s.Status = Severity(severity), Status(status)
	for k, v := range x.Labels {
		if text, ok := v.(string); ok {
			s.Labels[k] = text
		} else {
			delete(s.Labels, k)
		}
	}
	if s.Taken.IsZero() && (s.Status == Acknowledged || s.Status == Mitigated || s.Commander != "" || len(s.Responders) > 0) {
		s.Taken = at
	}
	s.Told = at
}

func (s *State) merge(at time.Time, x *entry.IncidentMerged) {
	if x.Into != "" {
		s.Status, s.Into, s.Ended = Merged, x.Into, at
		return
	}
	s.From = append(s.From, x.From)
	for _, k := range x.Keys {
		if !slices.Contains(s.Keys, k) {
			s.Keys = append(s.Keys, k)
		}
	}
	for _, m := range x.Members {
		key := MemberKey(m.Source, m.Group)
		if _, ok := s.Members[key]; !ok || m.Status == "firing" {
			s.put(key, Member{m, at})
		}
	}
	for _, r := range x.Runs {
		if s.run(r) == nil {
			s.Runs = append(s.Runs, Run{entry.IncidentRan{Run: r, Status: "started"}, at, time.Time{}})
		}
	}
}

func (s *State) split(at time.Time, x *entry.IncidentSplit) {
	for _, m := range x.Members {
		key := MemberKey(m.Source, m.Group)
		if x.Into != "" {
			s.drop(key)
		} else {
			s.put(key, Member{m, at})
		}
	}
	if x.From != "" {
		s.From = append(s.From, x.From)
	}
}

func (s *State) run(id string) *Run {
	for i := range s.Runs {
		if s.Runs[i].Run == id {
			return &s.Runs[i]
		}
	}
	return nil
}

func (s *State) ran(at time.Time, x *entry.IncidentRan) {
	r := s.run(x.Run)
	if r == nil {
		s.Runs = append(s.Runs, Run{IncidentRan: *x, Began: at})
		r = &s.Runs[len(s.Runs)-1]
	}
	r.Status, r.Why = x.Status, x.Why
	if x.Playbook != "" {
		r.Playbook = x.Playbook
	}
	if x.Status != "started" {
		r.Ended = at
	}
}

func (s *State) item(x *entry.IncidentItem) {
	for i := range s.Items {
		if s.Items[i].ID == x.ID {
			s.Items[i] = *x
			return
		}
	}
	s.Items = append(s.Items, *x)
}

// Clone gives a copy that shares nothing that changes.
func (s *State) Clone() *State {
	c := *s
	c.Responders, c.Stakeholders, c.Links = slices.Clone(s.Responders), slices.Clone(s.Stakeholders), slices.Clone(s.Links)
	c.Keys, c.From, c.Runs, c.Items = slices.Clone(s.Keys), slices.Clone(s.From), slices.Clone(s.Runs), slices.Clone(s.Items)
	c.Labels, c.Members, c.Once = maps.Clone(s.Labels), maps.Clone(s.Members), maps.Clone(s.Once)
	return &c
}
