// Package slack tells messages in Slack: one thread for each story, with buttons where an answer is wanted.
//
// A message that is sent again is looked for first, by the id in its metadata, so that it is told once. When the first
// message of a story shows how the story stands (a title, a severity), later ones stand below it in its thread.
package slack

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/exchange"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/message"
	"github.com/tendhq/tend/internal/slack"
)

// Bounds of Slack's blocks.
const (
	maxSection = 3000
	maxHeader  = 150
	maxField   = 2000
	maxFields  = 10
	maxValue   = 2000
	maxOption  = 75
)

// Sender tells messages in one workspace.
type Sender struct {
	client *slack.Client
	to     string
}

var _ message.Sender = (*Sender)(nil)

// New makes a sender; channel is where messages without an address go.
func New(c *slack.Client, channel string) *Sender { return &Sender{c, channel} }

// Send implements message.Sender. Remote has channel and ts.
func (s *Sender) Send(ctx context.Context, m message.Message) message.Result {
	m = m.Bound()
	first := slack.SentFrom(m.First)
	p := slack.Post{ID: m.ID, Channel: s.to, Text: fallback(m), Blocks: Blocks(m)}
	if len(m.To) > 0 {
		p.Channel = m.To[0]
	}
	if first.TS != "" {
		p.Channel, p.Thread = first.Channel, first.TS
	}
	if strings.TrimSpace(p.Text) == "" {
		return message.Not(exchange.Never(fault.Invalid, "Slack: a message without a text"))
	}
	if m.Again {
		sent, found, end := s.client.Find(ctx, p.Channel, p.Thread, m.ID, m.At)
		switch {
		case found:
			return message.Sent(sent.Map())
		case !end.OK() && end.Kind == fault.Auth:
			// Slack names the scope that is missing. Without it nothing can be looked for, and a message twice is better
			// than none: only that is left.
			if !strings.Contains(end.Why, "missing_scope") {
				return message.Not(end)
			}
		case !end.OK():
			return message.Not(end)
		}
	}
	if end := s.overtake(ctx, m); !end.OK() {
		return message.Not(end)
	}
	sent, end := s.client.Post(ctx, p)
	if !end.OK() {
		return message.Not(end)
	}
	return message.Sent(sent.Map())
}

// overtake takes the buttons from an earlier message, and says there what became of it. One that is not there any more needs
// that no more.
func (s *Sender) overtake(ctx context.Context, m message.Message) exchange.End {
	old := slack.SentFrom(m.Edit)
	if old.TS == "" {
		return exchange.Done()
	}
	end := s.client.Update(ctx, old, fallback(m), Blocks(message.Message{Step: m.Step, Title: m.Title, Text: m.Text, Facts: m.Facts, Links: m.Links}))
	if end.Kind == fault.NotFound || end.Kind == fault.Invalid {
		return exchange.Done()
	}
	if end.Outcome == entry.InDoubt { // it says the same however often it is said
		end.Outcome = entry.Failed
	}
	return end
}

func fallback(m message.Message) string { return slack.Escape(strings.TrimSpace(mark(m) + m.Title)) }

// mark shows at a glance how bad it is, and whether it is over.
func mark(m message.Message) string {
	switch {
	case m.Step == message.Ends:
		return "✅ "
	case m.Step == message.Takes:
		return "👀 "
	case m.Step != message.Opens:
		return ""
	case m.Severity == "critical":
		return "🔴 "
	case m.Severity == "major":
		return "🟠 "
	case m.Severity == "minor":
		return "🟡 "
	default:
		return ""
	}
}

// Blocks draws a message.
func Blocks(m message.Message) []any {
	var out []any
	text := func(s string) map[string]any { return map[string]any{"type": "mrkdwn", "text": s} }
	if m.Title != "" {
		if m.Step == message.Opens {
			out = append(out, map[string]any{"type": "header", "text": map[string]any{"type": "plain_text", "text": cut(mark(m)+m.Title, maxHeader)}})
		} else {
			out = append(out, map[string]any{"type": "section", "text": text(mark(m) + "*" + flat(slack.Escape(m.Title)) + "*")})
		}
	}
	if m.Text != "" {
		for _, part := range parts(m.Text, maxSection) {
			out = append(out, map[string]any{"type": "section", "text": text(part)})
		}
	}
	for facts := range slices.Chunk(m.Facts, maxFields) {
		var fields []any
		for _, f := range facts {
			if f.Name == "" && f.Value == "" {
				continue
			}
			fields = append(fields, text(parts("*"+flat(f.Name)+"*\n"+f.Value, maxField)[0]))
		}
		if len(fields) > 0 {
			out = append(out, map[string]any{"type": "section", "fields": fields})
		}
	}
	var links []string
	for _, l := range m.Links {
		links = append(links, slack.Link(l.URL, l.Name))
	}
	if len(links) > 0 {
		out = append(out, map[string]any{"type": "context", "elements": []any{text(cut(strings.Join(links, "  ·  "), maxSection))}})
	}
	if buttons := actions(m.Buttons); len(buttons) > 0 {
		out = append(out, map[string]any{"type": "actions", "elements": buttons})
	}
	return out
}

// actions draws buttons and menus. What of a menu is chosen is told as VALUE|OPTION.
func actions(list []message.Button) []any {
	plain := func(s string, n int) map[string]any { return map[string]any{"type": "plain_text", "text": cut(s, n)} }
	var out []any
	for _, b := range list {
		if b.Name == "" || b.Label == "" || len(b.Value) > maxValue {
			continue
		}
		x := map[string]any{"action_id": b.Name}
		if len(b.Options) > 0 {
			var options []any
			for _, o := range b.Options[:min(len(b.Options), message.MaxOptions)] {
				if v := b.Value + "|" + o.Value; len(v) <= maxOption {
					options = append(options, map[string]any{"text": plain(cmp.Or(o.Label, "—"), 75), "value": v})
				}
			}
			if len(options) == 0 {
				continue
			}
			x["type"], x["placeholder"], x["options"] = "static_select", plain(b.Label, 150), options
		} else {
			x["type"], x["value"], x["text"] = "button", b.Value, plain(b.Label, 75)
			if b.Style == "primary" || b.Style == "danger" {
				x["style"] = b.Style
			}
		}
		if b.Confirm != "" {
			x["confirm"] = map[string]any{
				"title": plain(b.Label, 100), "text": plain(b.Confirm, 300), "confirm": plain("Yes", 30), "deny": plain("No", 30),
			}
		}
		out = append(out, x)
	}
	return out
}

// parts escapes a text in pieces of at most n bytes.
func parts(s string, n int) []string {
	var out []string
	var b strings.Builder
	for _, r := range s {
		e := slack.Escape(string(r))
		if b.Len()+len(e) > n {
			out = append(out, b.String())
			b.Reset()
		}
		b.WriteString(e)
	}
	return append(out, b.String())
}

// flat keeps a bold text bold.
func flat(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "*", "∗"), "\n", " ") }

func cut(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}
