// Package integration is the kind Integration: a named connection, with the names of its secrets and never a secret.
package integration

import (
	"github.com/tendhq/tend/internal/document"
)

// Spec is what a `kind: Integration` declares: a named connection. It is read and checked only.
type Spec struct {
	Name   string         `json:"name"`
	Type   string         `json:"type"`
	Config map[string]any `json:"config,omitempty"` // names of secrets, never secrets
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
	i.Name = d.Metadata.Name
	return i
}
