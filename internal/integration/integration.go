// Package integration is the kind Integration: a named connection, with the names of its secrets and never a secret.
package integration

import (
	"maps"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/document"
)

// Spec is what a `kind: Integration` declares: a named connection. It is read and checked only.
type Spec struct {
	Name        string         `json:"name"`
	Description string         `json:"description,omitempty"`
	Type        string         `json:"type"`
	Config      map[string]any `json:"config,omitempty"` // names of secrets, never secrets
}

// credentials are what the keys are called under which the name of a secret stands, in small letters: the whole key, or its
// end.
var credentials = []string{"token", "password", "key", "secret", "signing"}

// Secrets gives the names of secrets that its config has, in order: what stands under a key such as token or apiKey, and
// {secret: NAME} anywhere.
func (s *Spec) Secrets() []string {
	found := map[string]bool{}
	collect(s.Config, found)
	return slices.Sorted(maps.Keys(found))
}

func collect(v any, found map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			name, text := x.(string)
			if !text {
				collect(x, found)
				continue
			}
			k = strings.ToLower(k)
			if name != "" && slices.ContainsFunc(credentials, func(c string) bool { return strings.HasSuffix(k, c) }) {
				found[name] = true
			}
		}
	case []any:
		for _, x := range v {
			collect(x, found)
		}
	}
}

// Definition is the kind Integration, with a *Spec as its content.
func Definition() document.Definition {
	return document.Definition{Kind: document.KindIntegration, Keys: keys, Read: read}
}

var keys = document.Head.With(document.Table{
	document.Def("type", document.FormText, "What it connects to."),
	document.Def("config", document.FormPlain, "How; secrets by their names."),
})

func read(r *document.Reader, d *document.Document) any {
	i := &Spec{}
	r.Body(d, keys, "an integration", func(k document.Key) {
		switch k.Name {
		case "type":
			i.Type = r.Fixed(k)
		case "config":
			i.Config, _ = r.Plain(k.Value).(map[string]any)
		}
	})
	r.Must(&d.Object, "type", "an integration")
	i.Name, i.Description = d.Metadata.Name, d.Metadata.Description
	return i
}
