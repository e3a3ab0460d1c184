package incident

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/cell"
	"github.com/tendhq/tend/internal/entry"
)

// Line is one moment of a timeline.
type Line struct {
	At     time.Time `json:"at"`
	Who    string    `json:"who,omitempty"`
	What   string    `json:"what"`             // the kind of fact, without "incident-": opened, joined, …; of what its runs did: run
	Text   string    `json:"text,omitempty"`   // one sentence; of comments the whole text
	Ref    string    `json:"ref,omitempty"`    // the event or run that it is about
	Detail *Detail   `json:"detail,omitempty"` // what the text is made of
}

// Tell says one fact as a line.
func Tell(at time.Time, p entry.Payload) Line {
	l := Line{At: at, What: strings.TrimPrefix(string(p.Kind()), "incident-"), Detail: Steps(nil).Detail(p)}
	switch x := p.(type) {
	case *entry.IncidentOpened:
		l.Who, l.Text, l.Ref = name(x.By), fmt.Sprintf("opened as %s: %s", x.Severity, x.Title), x.Event
	case *entry.IncidentJoined:
		l.Ref, l.Text = x.Event, strings.TrimSpace(fmt.Sprintf("%s %s (%s)", cmp.Or(x.Name, x.Group, "an event"), x.Status, x.Source))
	case *entry.IncidentUpdated:
		l.Who, l.Text = name(x.By), updated(x)
	case *entry.IncidentCommented:
		l.Who, l.Text = name(x.By), x.Text
	case *entry.IncidentPaged:
		l.Who, l.Text = name(x.By), "paged "+strings.Join(x.Targets, ", ")+reason(x.Message)
	case *entry.IncidentMerged:
		l.Who, l.Ref = name(x.By), cmp.Or(x.Into, x.From)
		l.Text = "merged into " + x.Into + reason(x.Why)
		if x.From != "" {
			l.Text = fmt.Sprintf("took over %s with %s%s", x.From, count(len(x.Members), "alert"), reason(x.Why))
		}
	case *entry.IncidentSplit:
		l.Who, l.Ref = name(x.By), cmp.Or(x.Into, x.From)
		l.Text = fmt.Sprintf("%s moved to %s%s", count(len(x.Members), "alert"), x.Into, reason(x.Why))
		if x.From != "" {
			l.Text = fmt.Sprintf("split from %s with %s%s", x.From, count(len(x.Members), "alert"), reason(x.Why))
		}
	case *entry.IncidentResolved:
		l.Who, l.Ref, l.Text = name(x.By), x.Event, "resolved"+reason(x.Why)
	case *entry.IncidentReopened:
		l.Who, l.Ref, l.Text = name(x.By), x.Event, "reopened"+reason(x.Why)
	case *entry.IncidentRan:
		l.Ref, l.Text = x.Run, strings.TrimSpace(fmt.Sprintf("%s %s %s%s", cmp.Or(x.Playbook, "a playbook"), x.Status, x.Run, reason(x.Why)))
	case *entry.IncidentItem:
		done := "to do: "
		if x.Done {
			done = "done: "
		}
		l.Who, l.Text = name(x.By), strings.TrimSpace(done+x.Text+" "+kept(*x))
		if x.URL != "" && !Person(x.By) {
			l.Text, l.Ref = fmt.Sprintf("%s is the issue %s", x.Text, x.URL), x.URL
		}
	case *entry.IncidentReminded:
		l.Text = "an update is due"
	}
	return l
}

func name(w entry.Who) string { return cmp.Or(w.Name, w.ID) }

func reason(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func updated(x *entry.IncidentUpdated) string {
	var parts []string
	add := func(what string, v *string) {
		if v != nil {
			parts = append(parts, what+": "+cmp.Or(*v, "none"))
		}
	}
	add("title", x.Title)
	add("severity", x.Severity)
	add("status", x.Status)
	add("commander", x.Commander)
	list := func(what string, v *[]string) {
		if v != nil {
			parts = append(parts, what+": "+cmp.Or(strings.Join(*v, ", "), "none"))
		}
	}
	list("responders", x.Responders)
	list("stakeholders", x.Stakeholders)
	add("summary", x.Summary)
	add("next", x.Next)
	if x.NextBy != nil && !x.NextBy.IsZero() {
		parts = append(parts, "expected "+stamp(*x.NextBy))
	}
	if x.Links != nil {
		parts = append(parts, count(len(*x.Links), "link"))
	}
	for _, k := range sortedKeys(x.Labels) {
		if v, ok := x.Labels[k].(string); ok {
			parts = append(parts, k+"="+v)
		} else {
			parts = append(parts, "without "+k)
		}
	}
	return strings.Join(parts, "; ") + reason(x.Why)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

// Timeline brings lines from several places (the incident, its runs) in order of time. Lines of the same moment stay as
// they were given.
func Timeline(parts ...[]Line) []Line {
	all := slices.Concat(parts...)
	slices.SortStableFunc(all, func(a, b Line) int { return a.At.Compare(b.At) })
	return all
}

// Document is an incident for other programs.
type Document struct {
	Commander    string               `json:"commander,omitempty"`
	Ended        time.Time            `json:"ended,omitzero"`
	Events       int                  `json:"events"`
	Firing       int                  `json:"firing"`
	From         []string             `json:"from,omitempty"`
	ID           string               `json:"id"`
	Into         string               `json:"into,omitempty"`
	Items        []entry.IncidentItem `json:"items,omitempty"`
	Keys         []string             `json:"keys,omitempty"`
	Labels       map[string]string    `json:"labels,omitempty"`
	Links        []entry.Link         `json:"links,omitempty"`
	Members      []DocumentMember     `json:"members,omitempty"`
	Next         string               `json:"next,omitempty"`
	NextBy       time.Time            `json:"nextBy,omitzero"`
	Opened       time.Time            `json:"opened"`
	Project      string               `json:"project"`
	Reopened     int                  `json:"reopened,omitempty"`
	Responders   []string             `json:"responders,omitempty"`
	Runs         []DocumentRun        `json:"runs,omitempty"`
	Severity     Severity             `json:"severity"`
	Stakeholders []string             `json:"stakeholders,omitempty"`
	Status       Status               `json:"status"`
	Summary      string               `json:"summary,omitempty"`
	Taken        time.Time            `json:"taken,omitzero"`
	Timeline     []Line               `json:"timeline,omitempty"`
	Title        string               `json:"title"`
	ToResolve    *float64             `json:"toResolve,omitempty"` // seconds
	ToTake       *float64             `json:"toTake,omitempty"`    // seconds
	Trigger      string               `json:"trigger,omitempty"`
	UpdateDue    time.Time            `json:"updateDue,omitzero"`
	Version      uint64               `json:"version"` // how many facts it is made of
}

// DocumentMember is an alert of a Document.
type DocumentMember struct {
	Event  string    `json:"event"`
	Group  string    `json:"group,omitempty"`
	Name   string    `json:"name,omitempty"`
	Since  time.Time `json:"since"`
	Source string    `json:"source"`
	Status string    `json:"status,omitempty"`
}

// DocumentRun is a run of a Document.
type DocumentRun struct {
	Began    time.Time `json:"began"`
	Ended    time.Time `json:"ended,omitzero"`
	Event    string    `json:"event,omitempty"`
	Playbook string    `json:"playbook,omitempty"`
	Run      string    `json:"run"`
	Status   string    `json:"status"`
	Why      string    `json:"why,omitempty"`
}

// Export gives the incident with its alerts and its timeline.
func (s *State) Export(timeline []Line) Document {
	d := s.Brief()
	d.Timeline = timeline
	for _, j := range s.members(nil) {
		d.Members = append(d.Members, DocumentMember{j.Event, j.Group, j.Name, s.Members[MemberKey(j.Source, j.Group)].Since, j.Source, j.Status})
	}
	return d
}

// Brief gives the incident without its alerts and its timeline.
func (s *State) Brief() Document {
	d := Document{
		Commander: s.Commander, Ended: s.Ended, Events: s.Events, Firing: s.Firing(), From: s.From, ID: s.ID, Into: s.Into, Items: s.Items,
		Keys: s.Keys, Labels: s.Labels, Links: s.Links, Next: s.Next, NextBy: s.NextBy, Opened: s.Opened, Project: s.Project,
		Reopened: s.Reopened, Responders: s.Responders, Severity: s.Severity, Stakeholders: s.Stakeholders, Status: s.Status,
		Summary: s.Summary, Taken: s.Taken, Title: s.Title, Trigger: s.Trigger, UpdateDue: s.Due(), Version: s.Length,
	}
	for _, r := range s.Runs {
		d.Runs = append(d.Runs, DocumentRun{r.Began, r.Ended, r.Event, r.Playbook, r.Run, r.Status, r.Why})
	}
	if t, ok := s.ToTake(); ok {
		sec := t.Seconds()
		d.ToTake = &sec
	}
	if t, ok := s.ToResolve(); ok {
		sec := t.Seconds()
		d.ToResolve = &sec
	}
	return d
}

// JSON writes a document, indented.
func (d Document) JSON() ([]byte, error) {
	b, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode incident %s: %w", d.ID, err)
	}
	return append(b, '\n'), nil
}

// Text writes a document for a terminal, with the times of a place. Control characters are taken out.
func (d Document) Text(place *time.Location) string {
	var b strings.Builder
	at := func(t time.Time) string { return t.In(place).Format("2006-01-02 15:04:05") }
	w := func(what, text string) {
		if text != "" {
			fmt.Fprintf(&b, "%-13s %s\n", what, cell.Line(text))
		}
	}
	w("incident", d.ID+" "+string(d.Severity)+" "+string(d.Status))
	w("title", d.Title)
	w("merged into", d.Into)
	w("opened", at(d.Opened))
	if d.ToTake != nil {
		w("acknowledged", "after "+span(*d.ToTake))
	}
	if d.ToResolve != nil {
		w("resolved", "after "+span(*d.ToResolve))
	}
	w("commander", d.Commander)
	w("responders", strings.Join(d.Responders, ", "))
	w("stakeholders", strings.Join(d.Stakeholders, ", "))
	for _, k := range sortedKeys(d.Labels) {
		w("label", k+"="+d.Labels[k])
	}
	for _, l := range d.Links {
		w("link", strings.TrimSpace(l.Name+" "+l.URL))
	}
	w("next", d.Next)
	if !d.NextBy.IsZero() {
		w("expected", at(d.NextBy))
	}
	if !d.UpdateDue.IsZero() {
		w("update due", at(d.UpdateDue))
	}
	w("summary", d.Summary)
	for _, m := range d.Members {
		w("alert", fmt.Sprintf("%s/%s %s %s since %s", m.Source, m.Group, m.Status, m.Name, at(m.Since)))
	}
	for _, r := range d.Runs {
		w("run", strings.Join([]string{r.Run, r.Playbook, r.Status + reason(r.Why)}, " "))
	}
	for _, i := range d.Items {
		done := "to do"
		if i.Done {
			done = "done"
		}
		w("item "+i.ID, strings.Join(strings.Fields(strings.Join([]string{done + ":", i.Text, i.Owner, i.URL, kept(i)}, " ")), " "))
	}
	if len(d.Timeline) > 0 {
		b.WriteString("\n")
	}
	for _, l := range d.Timeline {
		fmt.Fprintf(&b, "%s  %s\n", at(l.At), cell.Line(strings.TrimSpace(l.Who+" "+l.Text)))
	}
	return b.String()
}

// Markdown writes a document for people. What came from outside is escaped: it cannot become a heading, a link, an image
// or markup.
func (d Document) Markdown() string {
	var b strings.Builder
	w := func(format string, a ...any) { fmt.Fprintf(&b, format+"\n", a...) }
	w("# %s", md(d.Title))
	w("")
	row := func(what, text string) {
		if text != "" {
			w("- **%s:** %s", what, text)
		}
	}
	row("Incident", md(d.ID))
	row("Severity", md(string(d.Severity)))
	status := string(d.Status)
	if d.Into != "" {
		status += " into " + d.Into
	}
	row("Status", md(status))
	row("Commander", md(d.Commander))
	row("Responders", md(strings.Join(d.Responders, ", ")))
	row("Stakeholders", md(strings.Join(d.Stakeholders, ", ")))
	row("Opened", stamp(d.Opened))
	if d.ToTake != nil {
		row("Acknowledged after", span(*d.ToTake))
	}
	if d.ToResolve != nil {
		row("Resolved after", span(*d.ToResolve))
	}
	var labels []string
	for _, k := range sortedKeys(d.Labels) {
		labels = append(labels, md(k+"="+d.Labels[k]))
	}
	row("Labels", strings.Join(labels, ", "))
	if d.Next != "" {
		next := md(d.Next)
		if !d.NextBy.IsZero() {
			next += " (expected " + stamp(d.NextBy) + ")"
		}
		row("Next step", next)
	}
	if d.Summary != "" {
		w("\n## Summary\n")
		quote(&b, d.Summary)
	}
	if len(d.Links) > 0 {
		w("\n## Links\n")
		for _, l := range d.Links {
			w("- %s", strings.TrimSpace(md(l.Name)+" <"+address(l.URL)+">"))
		}
	}
	if len(d.Members) > 0 {
		w("\n## Alerts\n")
		for _, m := range d.Members {
			w("- %s %s, %s, since %s", md(cmp.Or(m.Name, m.Group, m.Event)), md(m.Status), md(m.Source), stamp(m.Since))
		}
	}
	if len(d.Runs) > 0 {
		w("\n## Runs\n")
		for _, r := range d.Runs {
			w("- %s %s %s%s", md(cmp.Or(r.Playbook, "a playbook")), md(r.Run), md(r.Status), md(reason(r.Why)))
		}
	}
	if len(d.Items) > 0 {
		w("\n## Action items\n")
		for _, i := range d.Items {
			box := " "
			if i.Done {
				box = "x"
			}
			line := md(i.Text)
			if i.Owner != "" {
				line += " (" + md(i.Owner) + ")"
			}
			if i.URL != "" {
				line += " <" + address(i.URL) + ">"
			}
			if k := kept(i); k != "" {
				line += " " + md(k)
			}
			w("- [%s] %s", box, line)
		}
	}
	if len(d.Timeline) > 0 {
		w("\n## Timeline\n")
		for _, l := range d.Timeline {
			who := ""
			if l.Who != "" {
				who = " **" + md(l.Who) + "**"
			}
			w("- %s%s %s", stamp(l.At), who, md(l.Text))
		}
	}
	return b.String()
}

// kept says that an action item is no issue, and why.
func kept(i entry.IncidentItem) string {
	if i.Kept == "" || i.URL != "" {
		return ""
	}
	return "(stays in tend: " + i.Kept + ")"
}

func span(seconds float64) string {
	return time.Duration(seconds * float64(time.Second)).Round(time.Second).String()
}

// Escape makes text of one line, with everything escaped that Markdown or HTML could read.
func Escape(s string) string { return md(s) }

// md makes text of one line, with everything escaped that Markdown or HTML could read.
func md(s string) string {
	s = cell.Line(s)
	var b strings.Builder
	number := true // only digits so far: a point after them would make a list
	for i, r := range s {
		if strings.ContainsRune("\\`*_[]<>#!|&~:/@", r) || i == 0 && strings.ContainsRune("-+=", r) || i > 0 && number && (r == '.' || r == ')') {
			b.WriteByte('\\')
		}
		number = number && r >= '0' && r <= '9'
		b.WriteRune(r)
	}
	return b.String()
}

func quote(b *strings.Builder, text string) {
	for line := range strings.Lines(text) {
		b.WriteString("> " + md(line) + "\n")
	}
}

// address keeps a web address from ending early.
func address(u string) string {
	return strings.NewReplacer("<", "%3C", ">", "%3E", " ", "%20", "\n", "", "\r", "").Replace(u)
}
