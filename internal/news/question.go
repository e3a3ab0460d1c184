package news

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/dialog"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/message"
	"github.com/tendhq/tend/internal/task"
	"github.com/tendhq/tend/internal/value"
)

// Buttons and menus that stand below a question. Their value is the id of the task; of a menu TASK|OPTION.
const (
	Approve = "tend-approve"
	Reject  = "tend-reject"
	Done    = "tend-done"
	Fill    = "tend-fill"   // opens a form
	Choose  = "tend-choose" // the option is the place in the list of choices
	Doubt   = "tend-doubt"  // the option is what became of it
)

// Answers are the ways to answer a task from where it is read. None: it is answered elsewhere, because what is typed there must
// not stay there, or because it is too much.
func Answers(name string, t *engine.TaskRow) []message.Button {
	no := message.Button{Name: Reject, Label: "Reject", Value: name, Style: "danger"}
	switch t.Type {
	case "approve":
		return []message.Button{{Name: Approve, Label: "Approve", Value: name, Style: "primary"}, no}
	case "manual":
		return []message.Button{{Name: Done, Label: "Done", Value: name, Style: "primary"}, {Name: Fill, Label: "Say more…", Value: name}}
	case "doubt":
		b := message.Button{Name: Doubt, Label: "What became of it?", Value: name, Confirm: "The run goes on with this answer. Did you look?"}
		for _, c := range task.Choices("doubt") {
			b.Options = append(b.Options, message.Option{Label: strings.ReplaceAll(c, "-", " "), Value: c})
		}
		return []message.Button{b}
	case "ask":
		no.Label = "Decline"
		if !dialog.Fits(&t.TaskCreated) {
			return nil
		}
		choices, _ := t.Form["choices"].([]any)
		if len(choices) == 0 || len(choices) > message.MaxOptions || t.Form["selector"] == "multi" {
			return []message.Button{{Name: Fill, Label: "Answer…", Value: name, Style: "primary"}, no}
		}
		b := message.Button{Name: Choose, Label: "Choose…", Value: name}
		for i, c := range choices {
			b.Options = append(b.Options, message.Option{Label: value.Text(c), Value: strconv.Itoa(i)})
		}
		return []message.Button{b, no}
	default:
		return nil
	}
}

// Happened is what happened to a question since it was asked.
type Happened struct {
	Name, Text string
	Escalates  bool
}

// Since gives what happened to a question, in order.
func Since(t *engine.TaskRow) []Happened {
	var out []Happened
	for _, e := range t.Escalated {
		out = append(out, Happened{Name: fmt.Sprintf("escalated/%d", e.Level), Escalates: true})
	}
	for _, d := range t.Delegated {
		to := strings.Join(d.To, ", ")
		out = append(out, Happened{Name: "delegated/" + cmp.Or(d.By.ID, d.By.Name) + "/" + to, Text: d.By.Name + " delegated it to " + to + reason(d.Why)})
	}
	return out
}

func reason(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}

// Question asks for what a run waits for.
func Question(id string, t *engine.TaskRow, base string, ask bool) *message.Message {
	m := &message.Message{
		Type: "task", Step: message.Opens, Key: id, Severity: "major", Title: Headline(t), Text: t.Message,
	}
	step := ""
	if m.Title == strings.TrimSpace(m.Text) {
		m.Text, step = "", t.Title
	}
	if t.Type == task.Review {
		m.Type, m.Severity, m.Title, m.Text = "glass", "critical", "THE GLASS WAS BROKEN by "+t.Requester+": "+t.Title, t.Message
	}
	add := func(name, v string) {
		if v != "" {
			m.Facts = append(m.Facts, message.Fact{Name: name, Value: v})
		}
	}
	for _, k := range slices.Sorted(maps.Keys(t.Show)) {
		add(k, show(t.Show[k]))
	}
	if step != m.Title {
		add("step", step)
	}
	add("asked of", strings.Join(t.From, ", "))
	for _, e := range t.Escalated {
		add("asked too", strings.Join(e.To, ", "))
	}
	add("sees to it", t.Assignee)
	if t.Count > 1 {
		add("people needed", fmt.Sprint(t.Count))
	}
	if !t.Expires.IsZero() {
		add("until", t.Expires.UTC().Format(time.RFC3339))
	}
	add("task", id)
	if l := Page(base, "/tasks/"+id); l != "" {
		m.Links = append(m.Links, entry.Link{Name: id, URL: l})
	}
	m.Links = append(m.Links, t.Links...)
	if ask {
		m.Buttons = Answers(id, t)
		if len(m.Buttons) == 0 {
			add("answer it with", "tend inbox show "+id)
		}
	}
	return m
}

// Headline is what a question is in a line: its message, when that is one, because a title is often only the name of a step.
func Headline(t *engine.TaskRow) string {
	if m := strings.TrimSpace(t.Message); m != "" && !strings.Contains(m, "\n") && len([]rune(m)) <= itemTitle {
		return m
	}
	return cmp.Or(t.Title, "A run waits for somebody")
}

// Answered tells what became of a question.
func Answered(id, status string, t *engine.TaskRow) *message.Message {
	m := &message.Message{Type: "task", Step: message.Closes, Key: id, Title: Headline(t) + ": " + status}
	switch status {
	case "approved", "answered", "done":
		m.Step = message.Ends
	}
	for _, v := range t.Votes {
		who := v.By.Name
		if v.For != nil {
			who += " (in the place of " + v.For.Name + ")"
		}
		m.Facts = append(m.Facts, message.Fact{Name: v.Answer, Value: strings.TrimSpace(who + " " + v.Why)})
	}
	return m
}
