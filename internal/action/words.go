package action

import (
	"github.com/tendhq/tend/internal/mask"
	"github.com/tendhq/tend/internal/secret"
)

// Words turns what another side says (a server, an engine, a host) into what people may read: without the secrets that it
// was given, and without control characters.
type Words struct{ masker *mask.Masker }

// NewWords knows the secrets in the inputs and the environment of a request, and others beside them.
func NewWords(r Request, more ...Text) Words {
	secrets := append(secretsIn(r.Inputs), secretsIn(r.Env)...)
	for _, t := range more {
		secrets = append(secrets, secret.New(t.Reveal()))
	}
	return Words{mask.New(secrets...)}
}

// Of is a text of the other side's.
func (w Words) Of(text string) string { return w.masker.String(Clean(text)) }

func secretsIn(v any) []secret.Value {
	var out []secret.Value
	switch x := v.(type) {
	case secret.Value:
		return []secret.Value{x}
	case []any:
		for _, e := range x {
			out = append(out, secretsIn(e)...)
		}
	case map[string]any:
		for _, e := range x {
			out = append(out, secretsIn(e)...)
		}
	}
	return out
}
