package outbox

import (
	"slices"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/message"
	"github.com/tendhq/tend/internal/value"
)

// Encode gives what is told as an entry keeps it.
func Encode(m *message.Message) value.Object {
	o := value.Object{"title": m.Title}
	put := func(k, v string) {
		if v != "" {
			o[k] = v
		}
	}
	put("text", m.Text)
	put("step", string(m.Step))
	put("key", m.Key)
	put("severity", m.Severity)
	var facts, links, buttons, menus []any
	for _, f := range m.Facts {
		facts = append(facts, []any{f.Name, f.Value})
	}
	for _, l := range m.Links {
		links = append(links, []any{l.Name, l.URL})
	}
	for _, b := range m.Buttons {
		x := []any{b.Name, b.Label, b.Value, b.Style}
		if len(b.Options) == 0 && b.Confirm == "" {
			buttons = append(buttons, x)
			continue
		}
		x = append(x, b.Confirm)
		for _, o := range b.Options {
			x = append(x, o.Label, o.Value)
		}
		menus = append(menus, x)
	}
	for k, v := range map[string][]any{"facts": facts, "links": links, "buttons": buttons, "menus": menus} {
		if len(v) > 0 {
			o[k] = v
		}
	}
	if len(m.Data) > 0 {
		o["data"] = map[string]any(m.Data)
	}
	return o
}

// Decode reads it back.
func Decode(q *entry.MessageQueued, at time.Time) message.Message {
	text := func(k string) string {
		s, _ := q.Body[k].(string)
		return s
	}
	m := message.Message{
		ID: q.ID, At: at, Type: q.Type, To: q.To, Title: text("title"), Text: text("text"), Step: message.Step(text("step")), Key: text("key"),
		Severity: text("severity"),
	}
	for _, r := range tuples(q.Body["facts"], 2) {
		m.Facts = append(m.Facts, message.Fact{Name: r[0], Value: r[1]})
	}
	for _, r := range tuples(q.Body["links"], 2) {
		m.Links = append(m.Links, entry.Link{Name: r[0], URL: r[1]})
	}
	for _, r := range tuples(q.Body["buttons"], 4) {
		m.Buttons = append(m.Buttons, message.Button{Name: r[0], Label: r[1], Value: r[2], Style: r[3]})
	}
	for _, r := range tuples(q.Body["menus"], 0) {
		if len(r) < 5 {
			continue
		}
		b := message.Button{Name: r[0], Label: r[1], Value: r[2], Style: r[3], Confirm: r[4]}
		for o := range slices.Chunk(r[5:], 2) {
			if len(o) == 2 {
				b.Options = append(b.Options, message.Option{Label: o[0], Value: o[1]})
			}
		}
		m.Buttons = append([]message.Button{b}, m.Buttons...)
	}
	if d, ok := q.Body["data"].(map[string]any); ok {
		m.Data = d
	}
	return m
}

// tuples reads a list of lists of n texts; 0 is any number.
func tuples(v any, n int) [][]string {
	list, _ := v.([]any)
	var out [][]string
	for _, x := range list {
		r, _ := x.([]any)
		if n > 0 && len(r) != n {
			continue
		}
		t := make([]string, len(r))
		for i := range r {
			t[i], _ = r[i].(string)
		}
		out = append(out, t)
	}
	return out
}
