// Package news says what people are told of: an incident's facts, a run's steps and its questions, as messages. It decides how each
// reads, what can be answered from where it is read, and what is worth no message at all. It sends nothing: that is for courier.
//
// What is sealed stays hidden.
package news

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/incident"
	"github.com/tendhq/tend/internal/message"
	"github.com/tendhq/tend/internal/value"
)

// Page is the address of a page of the server, for links; "" when it has none.
func Page(base, path string) string {
	if base == "" {
		return ""
	}
	return strings.TrimRight(base, "/") + path
}

// Story tells what a fact of an incident is for people; nil when it is not worth a message. s is the incident after it.
func Story(s *incident.State, p entry.Payload, base string) *message.Message {
	m := &message.Message{Type: "incident", Step: message.Updates, Key: s.ID, Severity: string(s.Severity)}
	if l := Page(base, "/incidents/"+s.ID); l != "" {
		m.Links = []entry.Link{{Name: s.ID, URL: l}}
	}
	switch x := p.(type) {
	case *entry.IncidentOpened:
		m.Step, m.Title, m.Text = message.Opens, x.Title, x.Summary
		m.Facts = append(m.Facts, message.Fact{Name: "severity", Value: string(s.Severity)}, message.Fact{Name: "incident", Value: s.ID})
		for _, k := range slices.Sorted(maps.Keys(s.Labels)) {
			m.Facts = append(m.Facts, message.Fact{Name: k, Value: s.Labels[k]})
		}
		m.Links = append(m.Links, s.Links...)
	case *entry.IncidentUpdated:
		if !updated(m, s, x) {
			return nil
		}
	case *entry.IncidentCommented:
		m.Title, m.Text = x.By.Name+" says", x.Text
	case *entry.IncidentPaged:
		m.Title, m.Text = "Paged "+strings.Join(x.Targets, ", "), x.Message
	case *entry.IncidentRan:
		m.Type, m.Title, m.Text = "run", x.Playbook+" "+ran(x.Status), x.Why
		if l := Page(base, "/runs/"+x.Run); l != "" {
			m.Links = append(m.Links, entry.Link{Name: x.Run, URL: l})
		} else {
			m.Facts = append(m.Facts, message.Fact{Name: "run", Value: x.Run})
		}
	case *entry.IncidentMerged:
		if x.Into == "" {
			return nil
		}
		m.Step, m.Title, m.Text = message.Ends, "Merged into "+x.Into, x.Why
	case *entry.IncidentResolved:
		m.Step, m.Title, m.Text = message.Ends, "Resolved: "+s.Title, x.Why
		if d, ok := s.ToResolve(); ok {
			m.Facts = append(m.Facts, message.Fact{Name: "lasted", Value: d.Round(time.Second).String()})
		}
	case *entry.IncidentReopened:
		m.Step, m.Title, m.Text = message.Opens, "Not over: "+s.Title, x.Why
	case *entry.IncidentReminded:
		m.Title = "An update is due"
		if s.Next != "" {
			m.Title += ": " + s.Next
		}
		if s.Commander != "" {
			m.Facts = append(m.Facts, message.Fact{Name: "commander", Value: s.Commander})
		}
	default:
		return nil
	}
	return m
}

// Todo tells of an action item, for where it becomes an issue.
func Todo(s *incident.State, x *entry.IncidentItem, base string) *message.Message {
	title, more, _ := strings.Cut(strings.TrimSpace(x.Text), "\n")
	m := &message.Message{Type: "item", Step: message.Opens, Key: s.ID + "/" + x.ID, Severity: "info", Title: title, Text: strings.TrimSpace(more)}
	if r := []rune(title); len(r) > itemTitle {
		m.Title, m.Text = string(r[:itemTitle-1])+"…", strings.TrimSpace(x.Text)
	}
	if x.Done {
		m.Step = message.Ends
	}
	if x.URL != "" {
		m.Data = value.Object{"url": x.URL}
	}
	m.Facts = append(m.Facts, message.Fact{Name: "incident", Value: s.ID + " " + s.Title})
	if x.Owner != "" {
		m.Facts = append(m.Facts, message.Fact{Name: "owner", Value: x.Owner})
	}
	if !x.Due.IsZero() {
		m.Facts = append(m.Facts, message.Fact{Name: "due", Value: x.Due.UTC().Format(time.DateOnly)})
	}
	m.Facts = append(m.Facts, message.Fact{Name: "from", Value: x.By.Name})
	if l := Page(base, "/incidents/"+s.ID); l != "" {
		m.Links = append(m.Links, entry.Link{Name: s.ID, URL: l})
	}
	return m
}

// itemTitle is how many characters of an action item its title has.
const itemTitle = 200

func ran(status string) string {
	if status == "started" {
		return "began"
	}
	return status
}

// updated tells of those changes that people want to hear of.
func updated(m *message.Message, s *incident.State, x *entry.IncidentUpdated) bool {
	var said []string
	if x.Status != nil {
		said = append(said, *x.Status)
		if *x.Status == string(incident.Acknowledged) {
			m.Step = message.Takes
		}
	}
	if x.Severity != nil {
		said = append(said, "severity "+string(s.Severity))
	}
	if x.Commander != nil {
		said = append(said, "commander "+cmp.Or(*x.Commander, "nobody"))
	}
	if x.Next != nil && *x.Next != "" {
		said = append(said, "next: "+*x.Next)
	}
	if x.Summary != nil && *x.Summary != "" {
		m.Text = *x.Summary
	}
	if len(said) == 0 && m.Text == "" {
		return false
	}
	m.Title = strings.Join(said, ", ")
	if m.Title == "" {
		m.Title = "New summary"
	}
	if x.By.Name != "" {
		m.Title += " (" + x.By.Name + ")"
	}
	if x.Why != "" {
		m.Text = strings.TrimSpace(m.Text + "\n" + x.Why)
	}
	return true
}

// show writes a value in a line. What is sealed stays hidden.
func show(v any) string {
	switch x := hide(v).(type) {
	case map[string]any, []any:
		b, err := value.Canonical(x)
		if err != nil {
			return ""
		}
		return string(b)
	default:
		return value.Text(x)
	}
}

func hide(v any) any {
	switch x := v.(type) {
	case value.Object:
		return hide(map[string]any(x))
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, e := range x {
			if strings.HasPrefix(k, "$") {
				return "[hidden]"
			}
			out[k] = hide(e)
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = hide(e)
		}
		return out
	default:
		return v
	}
}
