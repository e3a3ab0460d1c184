// Package pagerduty tells PagerDuty when something begins, when somebody has it, and when it is over (Events API v2).
//
// A story is one alert there: its key is the dedup_key, so that a message that is sent again changes nothing. News in
// between are not sent: PagerDuty would take one that comes after the end for a new alert.
package pagerduty

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/exchange"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/message"
	"github.com/tendhq/tend/internal/secret"
)

// API is where PagerDuty takes events.
const API = "https://events.pagerduty.com"

// Bounds of an event.
const (
	maxSummary = 1024
	maxKey     = 255
)

// Sender tells one service, by its integration key.
type Sender struct {
	base string
	key  secret.Value
	call exchange.Caller
}

var _ message.Sender = (*Sender)(nil)

// New makes a sender. base is API when it is "".
func New(base string, key secret.Value, call exchange.Caller) *Sender {
	return &Sender{strings.TrimRight(cmp.Or(base, API), "/"), key, call}
}

type event struct {
	Routing string   `json:"routing_key"`
	Action  string   `json:"event_action"`
	Dedup   string   `json:"dedup_key"`
	Client  string   `json:"client,omitempty"`
	Payload *payload `json:"payload,omitempty"`
	Links   []link   `json:"links,omitempty"`
}

type payload struct {
	Summary  string         `json:"summary"`
	Source   string         `json:"source"`
	Severity string         `json:"severity"`
	At       time.Time      `json:"timestamp"`
	Details  map[string]any `json:"custom_details,omitempty"`
}

type link struct {
	Href string `json:"href"`
	Text string `json:"text,omitempty"`
}

// Send implements message.Sender. Remote has the key.
func (s *Sender) Send(ctx context.Context, m message.Message) message.Result {
	m = m.Bound()
	e := event{Routing: s.key.Reveal(), Dedup: cmp.Or(m.Key, m.ID)}
	switch m.Step {
	case message.Opens, "":
		e.Action, e.Client = "trigger", "tend"
		e.Payload, e.Links = about(m), links(m.Links)
	case message.Takes:
		e.Action = "acknowledge"
	case message.Ends, message.Closes:
		e.Action = "resolve"
	case message.Updates:
		return message.Sent(m.First)
	}
	switch {
	case e.Dedup == "" || len(e.Dedup) > maxKey:
		return message.Not(exchange.Never(fault.Invalid, "PagerDuty: the key of an event has 1 to %d characters", maxKey))
	case e.Payload != nil && e.Payload.Summary == "":
		return message.Not(exchange.Never(fault.Invalid, "PagerDuty: an event without a summary"))
	}
	b, err := json.Marshal(e)
	if err != nil {
		return message.Not(exchange.Never(fault.Invalid, "PagerDuty: the message is no JSON"))
	}
	req, err := exchange.Post(ctx, s.base+"/v2/enqueue", "application/json", b)
	if err != nil {
		return message.Not(exchange.Never(fault.Invalid, "PagerDuty: %s", err))
	}
	r, end := s.call.Do(req, "PagerDuty")
	if !end.OK() {
		return message.Not(explain(r, end))
	}
	return message.Sent(map[string]any{"key": e.Dedup})
}

func about(m message.Message) *payload {
	p := &payload{Summary: clip(m.Title, maxSummary), Source: "tend", At: m.At.UTC(), Details: map[string]any{"message": m.ID}}
	switch m.Severity {
	case "critical":
		p.Severity = "critical"
	case "major":
		p.Severity = "error"
	case "minor":
		p.Severity = "warning"
	default:
		p.Severity = "info"
	}
	if m.Text != "" {
		p.Details["text"] = m.Text
	}
	for _, f := range m.Facts {
		if f.Name == "host" || f.Name == "source" {
			p.Source = cmp.Or(f.Value, p.Source)
		}
		p.Details[f.Name] = f.Value
	}
	for k, v := range m.Data {
		p.Details[k] = v
	}
	return p
}

func links(list []entry.Link) []link {
	var out []link
	for _, l := range list {
		if strings.HasPrefix(l.URL, "https://") || strings.HasPrefix(l.URL, "http://") {
			out = append(out, link{l.URL, l.Name})
		}
	}
	return out
}

// explain adds what PagerDuty says about an event that it does not take. A key that it does not know is a matter of the
// configuration, not of the message.
func explain(r exchange.Reply, end exchange.End) exchange.End {
	var said struct {
		Message string   `json:"message"`
		Errors  []string `json:"errors"`
	}
	if r.Status != 400 || r.JSON(&said) != nil {
		return end
	}
	why := strings.Join(append([]string{said.Message}, said.Errors...), ", ")
	if strings.Contains(strings.ToLower(why), "routing") {
		return exchange.Failed(fault.Auth, "PagerDuty does not know the integration key")
	}
	return exchange.Failed(fault.Invalid, "PagerDuty does not take the event: %s", clip(why, 300))
}

func clip(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}
