// Package source is the port through which events come in: a Decoder turns what a service posted into events. Its
// children know one service each, by that service's own documentation.
//
// A decoder is pure and total: it reads bytes that anybody may have made (who made them is for package signature), bounds
// what it takes, keeps the field names of the service, so that playbooks and the service's documentation agree, and never
// drops a part of a message silently. Texts stay texts: nothing that it reads is a template, a path or a command.
package source

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"mime"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/signature"
	"github.com/tendhq/tend/internal/value"
)

// Bounds of one message.
const (
	MaxEvents = 10_000    // alerts in one batch
	MaxKey    = 1 << 10   // bytes of a key or a group: longer ones are named by their hash
	MaxLabel  = 4 << 10   // bytes of a label that is selected by; Data keeps the whole
	MaxLabels = 200       // labels of an event
	maxName   = 200       // characters of a name that people see
	oldest    = -50 * 365 // days: what is older is not a time but a mistake
)

// Decoder turns a message into events.
type Decoder interface {
	Spec() Spec
	// Decode gives the events of a message, in its order. No events and no error is a message that announces nothing (a
	// ping). The error is of kind fault.Invalid and names the field.
	Decode(r Request) ([]event.Event, error)
}

// Spec describes a decoder to people and to the configuration.
type Spec struct {
	Name    string // as the configuration calls it
	Doc     string // a sentence, and whose documentation it follows
	Schemes []signature.Scheme
	Alerts  bool // its events begin and end: a trigger does not act on old ones
}

// Request is a message that was received and verified.
type Request struct {
	Source  string // the configured name
	Project string
	Header  signature.Header
	Body    []byte
	Now     time.Time // when it was received
}

// Event gives an event with what every event of the request has; its parts are cut to their bounds, its id is derived, and
// one without a group is a group of its own.
// A zero at becomes the time of receipt.
func (r Request) Event(e event.Event) event.Event {
	e.Source, e.Project = r.Source, r.Project
	born := e.At // of the id: a repeat gives the same one only where its source told the time
	if e.At.IsZero() || e.At.Before(r.Now.AddDate(0, 0, oldest)) || e.At.After(r.Now.Add(24*time.Hour)) {
		e.At, born = r.Now, time.Unix(0, 0)
	}
	e.At, e.Until = e.At.UTC().Truncate(time.Microsecond), e.Until.UTC().Truncate(time.Microsecond)
	e.Key = short(e.Key)
	e.Group = cmp.Or(short(e.Group), e.Key)
	e.Name = Clip(e.Name, maxName)
	for k, v := range e.Labels {
		if len(v) > MaxLabel {
			e.Labels[k] = strings.ToValidUTF8(v[:MaxLabel], "")
		}
	}
	e.ID = event.ID(e.Project, e.Source, e.Key, born)
	return e
}

// Alert is the kind of events that begin and end. A repeat of one has the same time.
const Alert = "alert"

// Clip cuts a text to n characters.
func Clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	i := 0
	for at := range s {
		if i == n {
			return s[:at] + "…"
		}
		i++
	}
	return s
}

func short(s string) string {
	if len(s) <= MaxKey {
		return s
	}
	return "sha256:" + Sum([]byte(s))
}

// Sum names bytes by their hash.
func Sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// Object reads a body that must be one JSON object.
func (r Request) Object() (Node, error) {
	v, err := r.JSON()
	if err != nil {
		return Node{}, err
	}
	n := Node{v: v}
	if _, ok := v.(map[string]any); !ok {
		return n, fault.New(fault.Invalid, "the body must be a JSON object, not %s", n.shape())
	}
	return n, nil
}

// JSON reads a body that must be JSON.
func (r Request) JSON() (any, error) {
	if len(r.Body) == 0 {
		return nil, fault.New(fault.Invalid, "the body is empty").WithNext("send JSON")
	}
	v, err := value.Parse(r.Body)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "read the body as JSON")
	}
	return v, nil
}

// Media gives the type of the body, in lower case and without parameters; "" when the message does not say.
func (r Request) Media() string {
	t := r.Header("Content-Type")
	if m, _, err := mime.ParseMediaType(t); err == nil {
		return m
	}
	return strings.ToLower(strings.TrimSpace(t))
}

// Node is a part of a message, with the path to it. A missing part is a Node too: what is read from it is empty.
type Node struct {
	path string
	v    any
}

// Root gives the node of a whole document.
func Root(v any) Node { return Node{v: v} }

// At follows keys.
func (n Node) At(keys ...string) Node {
	for _, k := range keys {
		m, _ := n.v.(map[string]any)
		p := k
		if n.path != "" {
			p = n.path + "." + k
		}
		n = Node{path: p, v: m[k]}
	}
	return n
}

// Value gives the data as it is; nil when it is missing.
func (n Node) Value() any { return n.v }

// Map gives an object, or nil.
func (n Node) Map() map[string]any {
	m, _ := n.v.(map[string]any)
	return m
}

// Text gives a text, a number or a truth as text; "" for everything else.
func (n Node) Text() string {
	switch n.v.(type) {
	case string, int64, float64, bool:
		return value.Text(n.v)
	}
	return ""
}

// List gives the items of a list, each with its path.
func (n Node) List() []Node {
	l, _ := n.v.([]any)
	out := make([]Node, len(l))
	for i, v := range l {
		out[i] = Node{path: fmt.Sprintf("%s[%d]", n.path, i), v: v}
	}
	return out
}

// Time reads a time as RFC 3339 or in seconds since 1970. What is missing, or the year 1 that Go programs send for it,
// gives the zero time.
func (n Node) Time() time.Time {
	switch x := n.v.(type) {
	case string:
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05 UTC", "2006-01-02 15:04:05 -0700", "2006-01-02T15:04:05"} {
			if t, err := time.Parse(layout, x); err == nil {
				if t.Year() <= 1 {
					return time.Time{}
				}
				return t
			}
		}
	case int64:
		if x > 1e11 { // milliseconds
			return time.UnixMilli(x)
		}
		if x > 0 {
			return time.Unix(x, 0)
		}
	}
	return time.Time{}
}

// Labels gives the members that are texts, numbers or truths, as texts.
func (n Node) Labels() map[string]string {
	out := map[string]string{}
	for k, v := range n.Map() {
		if t := (Node{v: v}).Text(); t != "" && len(out) < MaxLabels {
			out[k] = t
		}
	}
	return out
}

// Must gives a text that the message must have.
func (n Node) Must() (string, error) {
	if s := n.Text(); s != "" {
		return s, nil
	}
	if n.v == nil {
		return "", fault.New(fault.Invalid, "the message has no `%s`", n.path)
	}
	return "", fault.New(fault.Invalid, "`%s` must be a text, not %s", n.path, n.shape())
}

// Items gives a list that the message must have, within MaxEvents.
func (n Node) Items() ([]Node, error) {
	if _, ok := n.v.([]any); !ok {
		return nil, fault.New(fault.Invalid, "`%s` must be a list, not %s", n.path, n.shape())
	}
	l := n.List()
	if len(l) > MaxEvents {
		return nil, fault.New(fault.Invalid, "`%s` has %d items, more than %d", n.path, len(l), MaxEvents).WithNext("send smaller batches")
	}
	return l, nil
}

// Path names the place of a node, for messages.
func (n Node) Path() string { return n.path }

func (n Node) shape() string {
	switch n.v.(type) {
	case nil:
		return "nothing"
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	default:
		return fmt.Sprintf("%q", Clip(value.Text(n.v), 40))
	}
}

// Set gives labels without empty ones.
func Set(pairs ...string) map[string]string {
	out := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out[pairs[i]] = pairs[i+1]
		}
	}
	return out
}

// Data reads a body as data, whatever it is: a JSON object as it is, a list as `items`, a form's fields (the first value of
// each; all of a field that came several times as a list), a text as `text`.
func (r Request) Data() (map[string]any, error) {
	switch m := r.Media(); {
	case m == "application/x-www-form-urlencoded":
		q, err := url.ParseQuery(string(r.Body))
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "read the form")
		}
		data := map[string]any{}
		for k, vs := range q {
			if len(vs) == 1 {
				data[text(k)] = text(vs[0])
				continue
			}
			l := make([]any, len(vs))
			for i, v := range vs {
				l[i] = text(v)
			}
			data[text(k)] = l
		}
		return data, nil
	case strings.HasPrefix(m, "text/"):
		return map[string]any{"text": text(string(r.Body))}, nil
	case m == "" || m == "application/json" || strings.HasSuffix(m, "+json"):
		v, err := r.JSON()
		if err != nil {
			return nil, err
		}
		switch x := v.(type) {
		case map[string]any:
			return x, nil
		case []any:
			return map[string]any{"items": x}, nil
		default:
			return map[string]any{"value": x}, nil
		}
	default:
		return nil, fault.New(fault.Invalid, "the body is %q", Clip(m, 60)).WithNext("send application/json, application/x-www-form-urlencoded or text/plain")
	}
}

// text makes valid UTF-8 of what may be anything.
func text(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "�")
}
