// Package signature tells whether a message from outside was made by somebody who knows a key, and signs what goes out.
//
// It covers the schemes of the services that tend listens to. What it guarantees: the raw body is what is verified, byte by
// byte, before anybody reads it; comparisons take the same time whatever differs; a scheme that signs a time refuses what
// is older or newer than Window. A scheme without a time cannot tell a replay: whoever receives keeps the delivery ids that
// Verify gives. It is pure.
package signature

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
)

// Scheme is how a message proves where it comes from.
type Scheme string

// The schemes, with the documents that define them.
const (
	Standard  Scheme = "standard"  // Standard Webhooks 1.0 (webhook-id, webhook-timestamp, webhook-signature: v1)
	GitHub    Scheme = "github"    // X-Hub-Signature-256: "Validating webhook deliveries"
	GitLab    Scheme = "gitlab"    // X-Gitlab-Token: the key itself, "Webhooks: Add a secret token"
	Grafana   Scheme = "grafana"   // X-Grafana-Alerting-Signature, with or without a time: "Webhook notifier: HMAC signature"
	PagerDuty Scheme = "pagerduty" // X-PagerDuty-Signature: v1, "Webhooks v3: Verifying signatures"
	Slack     Scheme = "slack"     // X-Slack-Signature: v0, "Verifying requests from Slack"
	Bearer    Scheme = "bearer"    // Authorization: Bearer KEY (RFC 6750)
	Basic     Scheme = "basic"     // Authorization: Basic (RFC 7617); the key is user:password
)

// Schemes lists them.
func Schemes() []Scheme {
	return []Scheme{Standard, GitHub, GitLab, Grafana, PagerDuty, Slack, Bearer, Basic}
}

// Window is how far the time of a signed message may be from ours, in both directions.
const Window = 5 * time.Minute

// GrafanaTime is the header that is read as the time of a Grafana message; it is chosen in the contact point.
const GrafanaTime = "X-Grafana-Alerting-Timestamp"

// Header gives the first value of a header field, "" when there is none. Names are canonical, as in package http.
type Header func(name string) string

// Delivery is a message that was verified.
type Delivery struct {
	ID string    // of the delivery, as its sender counts; "": the scheme has none
	At time.Time // that was signed; zero: the scheme signs none
}

// Verify tells whether one of the keys made the message. Several keys are live while one is being replaced. The error is
// of kind fault.Refused, and says what was missing or wrong, never what would have been right.
func Verify(s Scheme, h Header, body []byte, keys []secret.Value, now time.Time) (Delivery, error) {
	m, err := read(s, h, body)
	if err != nil {
		return Delivery{}, err
	}
	if !m.at.IsZero() && (now.Sub(m.at) > Window || m.at.Sub(now) > Window) {
		return Delivery{}, refused("the message was signed at %s, more than %s from now (%s)", m.at.UTC().Format(time.RFC3339), Window, now.UTC().Format(time.RFC3339)).
			WithNext("check the clocks of both machines; an old message is not taken twice")
	}
	if len(keys) == 0 {
		return Delivery{}, refused("no key is configured for the scheme %s: nothing can be verified", s)
	}
	good := false
	for _, k := range keys { // all of them: how long it takes tells nothing
		key, err := keyOf(s, k)
		if err != nil {
			return Delivery{}, err
		}
		for _, given := range m.given {
			good = subtle.ConstantTimeCompare(m.proof(key), given) == 1 || good
		}
	}
	if !good {
		return Delivery{}, refused("the %s does not match", m.what).WithNext("check that both sides have the same key, and that nothing on the way changes the body")
	}
	return Delivery{ID: m.id, At: m.at}, nil
}

// message is what a scheme finds in a request.
type message struct {
	what  string // names the proof, for messages
	id    string
	at    time.Time
	given [][]byte
	proof func(key []byte) []byte
}

func read(s Scheme, h Header, body []byte) (message, error) {
	switch s {
	case Standard:
		return standard(h, body)
	case Slack:
		return slack(h, body)
	case Grafana:
		return grafana(h, body)
	case GitHub:
		return hexed(h, "X-Hub-Signature-256", "sha256=", h("X-Github-Delivery"), body)
	case PagerDuty:
		return hexed(h, "X-Pagerduty-Signature", "v1=", h("X-Webhook-Id"), body)
	case GitLab:
		return plain("X-Gitlab-Token", h("X-Gitlab-Token"), h("X-Gitlab-Event-Uuid"))
	case Bearer:
		return authorization(h, "Bearer", func(s string) ([]byte, bool) { return []byte(s), true })
	case Basic:
		return authorization(h, "Basic", func(s string) ([]byte, bool) {
			b, err := base64.StdEncoding.DecodeString(s)
			return b, err == nil
		})
	default:
		return message{}, refused("there is no scheme %q", string(s))
	}
}

func standard(h Header, body []byte) (message, error) {
	m := message{what: "webhook-signature", id: h("Webhook-Id")}
	if m.id == "" {
		return m, lacks("webhook-id")
	}
	stamp := h("Webhook-Timestamp")
	var err error
	if m.at, err = unix("webhook-timestamp", stamp); err != nil {
		return m, err
	}
	for _, part := range strings.Fields(h("Webhook-Signature")) {
		if v, ok := strings.CutPrefix(part, "v1,"); ok {
			if b, err := base64.StdEncoding.DecodeString(v); err == nil {
				m.given = append(m.given, b)
			}
		}
	}
	m.proof = func(key []byte) []byte { return mac(key, m.id, ".", stamp, ".", string(body)) }
	return m.complete("webhook-signature", "v1,BASE64")
}

func slack(h Header, body []byte) (message, error) {
	m := message{what: "X-Slack-Signature"}
	stamp := h("X-Slack-Request-Timestamp")
	var err error
	if m.at, err = unix("X-Slack-Request-Timestamp", stamp); err != nil {
		return m, err
	}
	m.given = hexes(h("X-Slack-Signature"), "v0=")
	m.proof = func(key []byte) []byte { return mac(key, "v0:", stamp, ":", string(body)) }
	return m.complete("X-Slack-Signature", "v0=HEX")
}

func grafana(h Header, body []byte) (message, error) {
	m := message{what: "X-Grafana-Alerting-Signature"}
	signed := []string{string(body)}
	if stamp := h(GrafanaTime); stamp != "" {
		var err error
		if m.at, err = unix(GrafanaTime, stamp); err != nil {
			return m, err
		}
		signed = []string{stamp, ":", string(body)}
	}
	m.given = hexes(h("X-Grafana-Alerting-Signature"), "")
	m.proof = func(key []byte) []byte { return mac(key, signed...) }
	return m.complete("X-Grafana-Alerting-Signature", "HEX")
}

// hexed reads schemes that sign the body alone and write the sum in hex.
func hexed(h Header, field, prefix, id string, body []byte) (message, error) {
	m := message{what: field, id: id, given: hexes(h(field), prefix)}
	m.proof = func(key []byte) []byte { return mac(key, string(body)) }
	return m.complete(field, prefix+"HEX")
}

// plain reads schemes that send the key itself. What is compared are sums, whose lengths tell nothing.
func plain(field, given, id string) (message, error) {
	m := message{what: field, id: id, proof: sum}
	if given != "" {
		m.given = [][]byte{sum([]byte(given))}
	}
	return m.complete(field, "the key")
}

func authorization(h Header, kind string, decode func(string) ([]byte, bool)) (message, error) {
	m := message{what: "Authorization", proof: sum}
	scheme, rest, _ := strings.Cut(h("Authorization"), " ")
	if strings.EqualFold(scheme, kind) {
		if b, ok := decode(strings.TrimSpace(rest)); ok && len(b) > 0 {
			m.given = [][]byte{sum(b)}
		}
	}
	return m.complete("Authorization", kind+" …")
}

// complete refuses a message that carries no proof at all.
func (m message) complete(field, form string) (message, error) {
	if len(m.given) == 0 {
		return m, refused("the header %s is missing or not of the form %q", field, form)
	}
	return m, nil
}

func hexes(list, prefix string) [][]byte {
	var out [][]byte
	for part := range strings.SplitSeq(list, ",") {
		v, ok := strings.CutPrefix(strings.TrimSpace(part), prefix)
		if b, err := hex.DecodeString(v); ok && err == nil && len(b) == sha256.Size {
			out = append(out, b)
		}
	}
	return out
}

func unix(field, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, lacks(field)
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 || n > 1<<40 {
		return time.Time{}, refused("the header %s is not a time in seconds", field)
	}
	return time.Unix(n, 0), nil
}

func mac(key []byte, parts ...string) []byte {
	h := hmac.New(sha256.New, key)
	for _, p := range parts {
		h.Write([]byte(p))
	}
	return h.Sum(nil)
}

func sum(b []byte) []byte {
	s := sha256.Sum256(b)
	return s[:]
}

// keyOf gives the bytes of a key: those of Standard Webhooks are base64 after whsec_.
func keyOf(s Scheme, k secret.Value) ([]byte, error) {
	text := k.Reveal()
	if text == "" {
		return nil, refused("a key for the scheme %s is empty", s)
	}
	if s != Standard {
		return []byte(text), nil
	}
	rest, ok := strings.CutPrefix(text, "whsec_")
	if !ok {
		return []byte(text), nil // some senders use the text as it stands
	}
	b, err := base64.StdEncoding.DecodeString(rest)
	if err != nil || len(b) == 0 {
		return nil, refused("a key begins with whsec_ and is not base64 after it").WithNext("copy it whole, with its trailing =")
	}
	return b, nil
}

// Sign gives the header fields that prove a message of ours by Standard Webhooks. id names the message over all attempts
// to deliver it.
func Sign(id string, at time.Time, body []byte, key secret.Value) (map[string]string, error) {
	k, err := keyOf(Standard, key)
	if err != nil {
		return nil, err
	}
	stamp := strconv.FormatInt(at.Unix(), 10)
	return map[string]string{
		"Webhook-Id":        id,
		"Webhook-Timestamp": stamp,
		"Webhook-Signature": "v1," + base64.StdEncoding.EncodeToString(mac(k, id, ".", stamp, ".", string(body))),
	}, nil
}

// Prove gives the header fields that prove a message by a scheme, as the service that it belongs to would send them: to try
// whether a message of it would be taken. id names the delivery where the scheme names one.
func Prove(s Scheme, id string, at time.Time, body []byte, key secret.Value) (map[string]string, error) {
	if key.Reveal() == "" {
		return nil, refused("a key for the scheme %s is empty", s)
	}
	k, stamp := []byte(key.Reveal()), strconv.FormatInt(at.Unix(), 10)
	hexOf := func(parts ...string) string { return hex.EncodeToString(mac(k, parts...)) }
	switch s {
	case Standard:
		return Sign(id, at, body, key)
	case Slack:
		return map[string]string{"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": "v0=" + hexOf("v0:", stamp, ":", string(body))}, nil
	case Grafana:
		return map[string]string{GrafanaTime: stamp, "X-Grafana-Alerting-Signature": hexOf(stamp, ":", string(body))}, nil
	case GitHub:
		return map[string]string{"X-Github-Delivery": id, "X-Hub-Signature-256": "sha256=" + hexOf(string(body))}, nil
	case PagerDuty:
		return map[string]string{"X-Webhook-Id": id, "X-Pagerduty-Signature": "v1=" + hexOf(string(body))}, nil
	case GitLab:
		return map[string]string{"X-Gitlab-Event-Uuid": id, "X-Gitlab-Token": key.Reveal()}, nil
	case Bearer:
		return map[string]string{"Authorization": "Bearer " + key.Reveal()}, nil
	case Basic:
		return map[string]string{"Authorization": "Basic " + base64.StdEncoding.EncodeToString(k)}, nil
	default:
		return nil, refused("there is no scheme %q", string(s))
	}
}

// Replayable tells whether a scheme signs no time: the receiver must remember deliveries.
func (s Scheme) Replayable() bool { return !slices.Contains([]Scheme{Standard, Slack}, s) }

func lacks(field string) *fault.Error { return refused("the header %s is missing", field) }

func refused(format string, a ...any) *fault.Error { return fault.New(fault.Refused, format, a...) }
