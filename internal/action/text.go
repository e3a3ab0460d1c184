package action

import (
	"fmt"
	"log/slog"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/value"
)

// Text is an input text that may be a secret. It prints as secret.Mask when it is one; only Reveal gives the text, at the
// edge where it is used.
type Text struct {
	plain  string
	hidden *secret.Value // a pointer, so that fmt shows an address where it cannot call Format
}

// PlainText wraps a text that is no secret.
func PlainText(s string) Text { return Text{plain: s} }

// SecretText wraps a secret.
func SecretText(v secret.Value) Text { return Text{hidden: &v} }

// Reveal gives the text, secret or not.
func (t Text) Reveal() string {
	if t.hidden != nil {
		return t.hidden.Reveal()
	}
	return t.plain
}

// Secret tells whether the text must not be shown.
func (t Text) Secret() bool { return t.hidden != nil }

// Empty tells whether there is no text.
func (t Text) Empty() bool { return t.Reveal() == "" }

// String implements fmt.Stringer: the text, or the mask.
func (t Text) String() string {
	if t.hidden != nil {
		return secret.Mask
	}
	return t.plain
}

// Format implements fmt.Formatter for every verb.
func (t Text) Format(s fmt.State, verb rune) {
	if verb == 'q' && !t.Secret() {
		_, _ = fmt.Fprintf(s, "%q", t.plain)
		return
	}
	_, _ = s.Write([]byte(t.String()))
}

// MarshalText implements encoding.TextMarshaler.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// LogValue implements slog.LogValuer.
func (t Text) LogValue() slog.Value { return slog.StringValue(t.String()) }

// AsText reads a variable of the environment, or an argument: text as it is, numbers and booleans as they print, lists and
// maps as JSON. A list or map with a secret in it is an error: which part of its text is the secret could not be told.
func AsText(v any) (Text, error) {
	switch v.(type) {
	case []any, map[string]any:
		if HasSecret(v) {
			return Text{}, fault.New(fault.Invalid, "it is %s with a secret in it", describe(v)).WithNext("give the secret by itself")
		}
		return PlainText(value.Text(v)), nil
	case nil:
		return Text{}, nil
	}
	t, reason := text(v)
	if reason != "" {
		return Text{}, fault.New(fault.Invalid, "%s", reason)
	}
	return t, nil
}

// Reveal copies v with every secret in it replaced by its text. The copy goes where the secret is used (a request body, a
// parameter of a statement) and nowhere else.
func Reveal(v any) any {
	switch x := v.(type) {
	case secret.Value:
		return x.Reveal()
	case *secret.Value:
		if x == nil {
			return nil
		}
		return x.Reveal()
	case Text:
		return x.Reveal()
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, e := range x {
			out[k] = Reveal(e)
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = Reveal(e)
		}
		return out
	default:
		return v
	}
}

// HasSecret tells whether v is or holds a secret.
func HasSecret(v any) bool {
	switch x := v.(type) {
	case secret.Value, *secret.Value:
		return true
	case Text:
		return x.Secret()
	case map[string]any:
		for _, e := range x {
			if HasSecret(e) {
				return true
			}
		}
	case []any:
		for _, e := range x {
			if HasSecret(e) {
				return true
			}
		}
	}
	return false
}
