// Package sourcetest is the conformance suite of decoders: what every one of them promises, whatever its service sends.
package sourcetest

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/source"
	"github.com/tendhq/tend/internal/value"
)

// Noon is when every message of the suite is received.
var Noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// Message is a real message of the service: its headers by canonical names, and its body.
type Message struct {
	Name   string
	Header map[string]string
	Body   string
	Want   []event.Event // Kind, Key, Group, Name, Status, Labels and times are compared; nil: not compared
}

// Request gives the message as a decoder gets it.
func (m Message) Request() source.Request {
	return source.Request{Source: "there", Project: "default", Header: func(n string) string { return m.Header[n] }, Body: []byte(m.Body), Now: Noon}
}

// Run checks a decoder with messages of its service.
func Run(t *testing.T, d source.Decoder, messages []Message) {
	t.Helper()
	if s := d.Spec(); s.Name == "" || s.Doc == "" || len(s.Schemes) == 0 {
		t.Errorf("the spec is not complete: %+v", s)
	}
	if len(messages) == 0 {
		t.Fatal("there is no message")
	}
	for _, m := range messages {
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			got, err := d.Decode(m.Request())
			if err != nil {
				t.Fatal(err)
			}
			if m.Want != nil {
				compare(t, got, m.Want)
			}
			Sane(t, got)
			repeated(t, d, m, got)
			broken(t, d, m)
		})
	}
}

func compare(t *testing.T, got, want []event.Event) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d events, not %d", len(got), len(want))
	}
	for i, w := range want {
		g := got[i]
		if g.Kind != w.Kind || g.Group != w.Group || g.Name != w.Name || g.Status != w.Status || w.Key != "" && g.Key != w.Key {
			t.Errorf("event %d: kind %q key %q group %q name %q status %q,\nnot kind %q key %q group %q name %q status %q", i, g.Kind, g.Key, g.Group, g.Name, g.Status, w.Kind, w.Key, w.Group, w.Name, w.Status)
		}
		if !maps.Equal(g.Labels, w.Labels) {
			t.Errorf("event %d: labels %v, not %v", i, g.Labels, w.Labels)
		}
		if !w.At.IsZero() && !g.At.Equal(w.At) || !g.Until.Equal(w.Until) {
			t.Errorf("event %d: at %s until %s, not %s, %s", i, g.At, g.Until, w.At, w.Until)
		}
	}
}

// Sane checks what holds for all events, also those of messages that somebody made up.
func Sane(t *testing.T, events []event.Event) {
	t.Helper()
	ids := map[string]bool{}
	for _, e := range events {
		switch {
		case e.ID == "" || e.Key == "" || e.Group == "" || e.Kind == "" || e.Source != "there" || e.Project != "default":
			t.Errorf("the event is not complete: %+v", e)
		case e.At.IsZero() || e.At.After(Noon.Add(24*time.Hour)):
			t.Errorf("it is from %s", e.At)
		case len(e.Key) > source.MaxKey || len(e.Group) > source.MaxKey || utf8.RuneCountInString(e.Name) > 201 || len(e.Labels) > source.MaxLabels:
			t.Errorf("a part is too large: %d, %d, %d", len(e.Key), len(e.Group), len(e.Name))
		}
		ids[e.ID] = true
		for k, v := range e.Labels {
			if len(v) > source.MaxLabel {
				t.Errorf("label %q has %d bytes", k, len(v))
			}
		}
		if _, err := value.Canonical(e.Data); err != nil {
			t.Errorf("the data cannot be stored: %v", err)
		}
	}
}

// repeated: the same message later gives the same ids; a decoder keeps nothing.
func repeated(t *testing.T, d source.Decoder, m Message, first []event.Event) {
	t.Helper()
	r := m.Request()
	r.Now = r.Now.Add(time.Hour)
	r.Body = bytes.Clone(r.Body)
	second, err := d.Decode(r)
	if err != nil || len(second) != len(first) {
		t.Fatalf("the second time: %d events, %v", len(second), err)
	}
	for i := range first {
		if first[i].ID != second[i].ID {
			t.Errorf("event %d is another one the second time: %s, %s", i, first[i].ID, second[i].ID)
		}
	}
}

// broken: no cut, and no change of a byte, makes a decoder panic, or answer with another error than the sender's mistake.
func broken(t *testing.T, d source.Decoder, m Message) {
	t.Helper()
	try := func(body []byte) {
		r := m.Request()
		r.Body = body
		got, err := d.Decode(r)
		if err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%.60q: %v is not the sender's mistake", body, err)
		}
		Sane(t, got)
	}
	step := max(len(m.Body)/97, 1)
	for i := 0; i < len(m.Body); i += step {
		try([]byte(m.Body[:i]))
		b := []byte(m.Body)
		b[i] ^= 0x15
		try(b)
	}
	for _, s := range []string{"", "null", "[]", "{}", "0", `"x"`, "\x00", "\xff\xfe", strings.Repeat("[", 10_000), `{"alerts":{}}`, `{"alerts":[null,1,"x",[]]}`} {
		try([]byte(s))
	}
}

// Hostile are texts that went wrong for others; every one must arrive as it was sent.
func Hostile() []string {
	return []string{
		"$(touch pwned)", "`touch pwned`", "'; DROP TABLE runs; --", "{{ secret \"k\" }}", "{{ range 1000000000 }}x{{ end }}", "<script>alert(1)</script>",
		"a\r\nX-Evil: 1", "\x1b[2J\x1b[31mred", "\u202etxt.exe", "..%2f..%2fetc/passwd", "${jndi:ldap://x/a}", "*)(uid=*", strings.Repeat("A", 1<<20),
	}
}

// Texts collects every text of some data.
func Texts(v any) []string {
	switch x := v.(type) {
	case string:
		return []string{x}
	case []any:
		var out []string
		for _, e := range x {
			out = append(out, Texts(e)...)
		}
		return out
	case map[string]any:
		var out []string
		for _, k := range slices.Sorted(maps.Keys(x)) {
			out = append(out, Texts(x[k])...)
		}
		return out
	}
	return nil
}
