package news

import (
	"strings"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/message"
)

func runLinks(run, base string) (links []entry.Link, facts []message.Fact) {
	if l := Page(base, "/runs/"+run); l != "" {
		return []entry.Link{{Name: run, URL: l}}, nil
	}
	return nil, []message.Fact{{Name: "run", Value: run}}
}

// RunBegan tells that a run began.
func RunBegan(run string, r *entry.RunCreated, base string) *message.Message {
	m := &message.Message{Type: "run", Step: message.Opens, Key: run, Title: r.Name + " began", Text: r.Cause.Why}
	m.Links, m.Facts = runLinks(run, base)
	if r.By.Name != "" {
		m.Facts = append(m.Facts, message.Fact{Name: "by", Value: r.By.Name})
	}
	return m
}

// RunEnded tells how it ended.
func RunEnded(run string, r *entry.RunCreated, x *entry.RunEnded, base string) *message.Message {
	m := &message.Message{Type: "run", Step: message.Closes, Key: run, Title: r.Name + " " + x.Status}
	if x.Status == "succeeded" {
		m.Step = message.Ends
	}
	if x.Fault != nil {
		m.Text = x.Fault.Message
	}
	m.Links, m.Facts = runLinks(run, base)
	if x.Undone != "" {
		m.Facts = append(m.Facts, message.Fact{Name: "undone", Value: x.Undone})
	}
	if len(x.Doubts) > 0 {
		m.Facts = append(m.Facts, message.Fact{Name: "in doubt", Value: strings.Join(x.Doubts, ", ")})
	}
	return m
}
