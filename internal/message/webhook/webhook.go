// Package webhook tells messages to another program, by Standard Webhooks (https://www.standardwebhooks.com): JSON with
// type, timestamp and data, an id that is the same over all attempts, and a signature of both with a time.
//
// A receiver that remembers ids takes a message once; that is what the standard asks of it.
package webhook

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/exchange"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/message"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/signature"
)

// maxBody is what the standard recommends as a bound, many times over.
const maxBody = 256 << 10

// Sender tells one address.
type Sender struct {
	url  string
	key  secret.Value
	call exchange.Caller
}

var _ message.Sender = (*Sender)(nil)

// New makes a sender. The key is as package signature reads it: whsec_ and base64, or a text.
func New(url string, key secret.Value, call exchange.Caller) *Sender { return &Sender{url, key, call} }

// body is what is sent.
type body struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      data      `json:"data"`
}

type data struct {
	ID       string            `json:"id"`
	Key      string            `json:"key,omitempty"`
	Severity string            `json:"severity,omitempty"`
	Title    string            `json:"title,omitempty"`
	Text     string            `json:"text,omitempty"`
	Facts    map[string]string `json:"facts,omitempty"`
	Links    []link            `json:"links,omitempty"`
	Details  any               `json:"details,omitempty"`
}

type link struct {
	Name string `json:"name,omitempty"`
	URL  string `json:"url"`
}

// Send implements message.Sender. The type of the message and its step make the type of the event: incident.opens.
func (s *Sender) Send(ctx context.Context, m message.Message) message.Result {
	m = m.Bound()
	if m.ID == "" || strings.ContainsAny(m.ID, ".\r\n") {
		return message.Not(exchange.Never(fault.Invalid, "webhook: a message without an id"))
	}
	kind := m.Type
	if m.Step != "" {
		kind = strings.TrimPrefix(kind+"."+string(m.Step), ".")
	}
	d := data{ID: m.ID, Key: m.Key, Severity: m.Severity, Title: m.Title, Text: m.Text, Facts: map[string]string{}}
	for _, f := range m.Facts {
		d.Facts[f.Name] = f.Value
	}
	for _, l := range m.Links {
		d.Links = append(d.Links, link{l.Name, l.URL})
	}
	if m.Data != nil {
		d.Details = m.Data
	}
	b, err := json.Marshal(body{kind, m.At.UTC(), d})
	if err != nil {
		return message.Not(exchange.Never(fault.Invalid, "webhook: the message is no JSON"))
	}
	if len(b) > maxBody {
		return message.Not(exchange.Never(fault.Limit, "webhook: the message is larger than %d bytes", maxBody))
	}
	req, err := exchange.Post(ctx, s.url, "application/json", b)
	if err != nil {
		return message.Not(exchange.Never(fault.Invalid, "webhook: %s", err))
	}
	fields, err := signature.Sign(m.ID, time.Now(), b, s.key)
	if err != nil {
		return message.Not(exchange.Never(fault.Auth, "webhook: the message cannot be signed: look at the key"))
	}
	for k, v := range fields {
		req.Header.Set(k, v)
	}
	if _, end := s.call.Do(req, "webhook"); !end.OK() {
		return message.Not(end)
	}
	return message.Sent(map[string]any{"id": m.ID})
}
