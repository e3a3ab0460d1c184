// Package secret holds secret values, which cannot be printed, and the port through which they are found.
//
// A Value never leaves through fmt, JSON, YAML, slog or an error: only Reveal gives the text, and every caller of
// Reveal is a place to review.
package secret

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/tendhq/tend/internal/fault"
)

// Mask stands wherever a secret would have been printed.
const Mask = "[secret]"

// MinLength is the shortest secret that can be masked in logs without destroying them. Shorter ones are refused.
const MinLength = 6

// Value is a secret text.
// The text is behind a pointer because a wrong verb (%p) makes package fmt print fields as they are, past every method.
type Value struct{ text *string }

// New wraps text.
func New(text string) Value { return Value{text: &text} }

// Reveal gives the text. Call it only at the edge where the secret is used.
func (v Value) Reveal() string {
	if v.text == nil {
		return ""
	}
	return *v.text
}

// Format implements fmt.Formatter for every verb.
func (v Value) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(Mask)) }

// String implements fmt.Stringer.
func (v Value) String() string { return Mask }

// GoString implements fmt.GoStringer.
func (v Value) GoString() string { return Mask }

// MarshalJSON implements json.Marshaler.
func (v Value) MarshalJSON() ([]byte, error) { return []byte(`"` + Mask + `"`), nil }

// MarshalText implements encoding.TextMarshaler.
func (v Value) MarshalText() ([]byte, error) { return []byte(Mask), nil }

// LogValue implements slog.LogValuer.
func (v Value) LogValue() slog.Value { return slog.StringValue(Mask) }

// Found is a secret with the version of it that was read, which is recorded where it is used. Version never derives
// from the value itself.
type Found struct {
	Value   Value
	Version string
}

// Provider finds secrets by name. Find answers fault.Missing when it does not have the name, and another kind when it
// could not find out: the two are never confused.
type Provider interface {
	// Name is how the provider is called in configuration and messages: env, file, age.
	Name() string
	Find(ctx context.Context, name string) (Found, error)
}

// Chain asks providers in order; the first that has the name answers. An error other than fault.Missing ends the search:
// an unreadable provider must not silently hand over to the next.
type Chain []Provider

// Name implements Provider.
func (c Chain) Name() string { return "chain" }

// Find implements Provider.
func (c Chain) Find(ctx context.Context, name string) (Found, error) {
	var asked []string
	for _, p := range c {
		f, err := p.Find(ctx, name)
		if err == nil {
			if len(f.Value.Reveal()) < MinLength {
				return Found{}, fault.New(fault.Invalid, "secret %q from provider %s is shorter than %d characters and could not be masked in logs", name, p.Name(), MinLength).
					WithNext("use a longer secret")
			}
			return f, nil
		}
		if !fault.Is(err, fault.Missing) {
			return Found{}, err
		}
		asked = append(asked, p.Name())
	}
	return Found{}, fault.New(fault.Missing, "no secret named %q (asked: %s)", name, strings.Join(asked, ", ")).
		WithNext("set it in the environment as TEND_SECRET_%s, or put it into the secrets directory or the age file", EnvName(name))
}

// EnvName is the spelling of a secret's name in an environment variable: upper case, everything else an underscore.
func EnvName(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		default:
			return '_'
		}
	}, name)
}
