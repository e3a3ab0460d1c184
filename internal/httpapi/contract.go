package httpapi

import (
	"bytes"
	"encoding/json"
	"path"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/wire"
)

// Version of the contract. Within a version it only grows.
const Version = "1"

// contract is the frame of the OpenAPI document; the operations fill it.
func contract() *huma.OpenAPI {
	return &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "tend", Version: Version,
			Description: "Reliability as code: runs of playbooks, what they wait for, and what happened.\n\n" +
				"Errors are problem documents (RFC 9457). Their `kind` is for machines and does not change; `detail` is for people, and " +
				"`next` says what to do. Lists are read page by page: `next` of one page is `cursor` of the following.\n\n" +
				"`x-tend-need` of an operation says what the one who asks needs: a verb of tend's roles, and the kind of object. `x-tend-time` is how long it may take where that is longer than two minutes. With `x-tend-rest` the last parameter of the path is the rest of it, slashes included.",
			License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
		},
		Servers: []*huma.Server{{URL: "/"}},
		Components: &huma.Components{
			Schemas: huma.NewMapRegistry("#/components/schemas/", schemaName),
			SecuritySchemes: map[string]*huma.SecurityScheme{
				"bearer": {Type: "http", Scheme: "bearer", Description: "A token of tend's, or one of a configured issuer. Over the socket in the data directory none is needed: the kernel says who asks."},
			},
		},
		Tags: []*huma.Tag{
			{Name: "runs", Description: "Executions of playbooks."},
			{Name: "tasks", Description: "What waits for a person: approvals, forms, manual work, doubts."},
			{Name: "playbooks", Description: "What is live of the playbooks' repositories."},
			{Name: "requests", Description: "Self-service: what is offered to somebody, and what they asked for."},
			{Name: "drafts", Description: "Playbooks while they are written: nothing of them is stored, and nothing live changes."},
			{Name: "events", Description: "What comes from outside."},
			{Name: "incidents", Description: "The human story that events and runs belong to."},
			{Name: "messages", Description: "What people and services are told."},
			{Name: "people", Description: "Who can sign on, and what they may do."},
			{Name: "server", Description: "The server and its data directory."},
			{Name: "audit", Description: "Who did what, and whether the record of it is whole."},
		},
	}
}

// schemaName names the schema of a type: by its own name. Types of packages in which names are short, and mean something only
// beside each other, have their family's before it.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch path.Base(t.PkgPath()) {
	case "history":
		return "Run" + name
	case "panel":
		return "Glance" + strings.TrimPrefix(name, "Run")
	case "plan":
		return "Plan" + strings.TrimPrefix(name, "Plan")
	}
	return name
}

// problems is the answer of every operation that does not succeed.
func problems(a huma.API) *huma.Response {
	s := a.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[wire.Problem](), true, "Problem")
	return &huma.Response{Description: "A problem.", Content: map[string]*huma.MediaType{wire.ProblemType: {Schema: s}}}
}

func security(need access.Need) []map[string][]string {
	if need.Verb == access.Nothing {
		return nil
	}
	return []map[string][]string{{"bearer": {}}}
}

// finish takes out of the contract what is package huma's own, and makes it one that can grow: whoever reads an answer
// must expect fields that are new, while a field of a request that is not known is refused.
func (a *api) finish() {
	o := a.huma.OpenAPI()
	schemas := o.Components.Schemas.Map()
	delete(schemas, "ErrorModel")
	delete(schemas, "ErrorDetail")
	sent := map[string]bool{}
	for _, item := range o.Paths {
		for _, op := range operations(item) {
			for _, p := range op.Parameters {
				p.Schema.Nullable = false
			}
			if op.RequestBody != nil {
				for _, m := range op.RequestBody.Content {
					reach(schemas, m.Schema, sent)
				}
			}
		}
	}
	for name, s := range schemas {
		for _, p := range s.Properties {
			if p.Type == huma.TypeArray {
				p.Nullable = false // an empty list is [], never null
			}
		}
		if !sent[name] {
			s.AdditionalProperties = nil
		}
	}
	for path, item := range o.Paths {
		// A pattern that takes the rest of a path is not OpenAPI's.
		if name, ok := strings.CutSuffix(path, "...}"); ok {
			delete(o.Paths, path)
			o.Paths[name+"}"] = item
			for _, op := range operations(item) {
				op.Extensions["x-tend-rest"] = true
			}
		}
	}
	for _, f := range a.later {
		f()
	}
}

// reach marks the schemas that s consists of.
func reach(all map[string]*huma.Schema, s *huma.Schema, seen map[string]bool) {
	if s == nil {
		return
	}
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok && !seen[name] {
		seen[name] = true
		reach(all, all[name], seen)
	}
	reach(all, s.Items, seen)
	for _, p := range s.Properties {
		reach(all, p, seen)
	}
	if more, ok := s.AdditionalProperties.(*huma.Schema); ok {
		reach(all, more, seen)
	}
}

// document is the contract as JSON, the same bytes each time.
func (a *api) document() []byte {
	b, err := json.Marshal(a.huma.OpenAPI())
	if err != nil {
		return nil
	}
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return nil
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if e.Encode(v) != nil { // maps are written in the order of their keys
		return nil
	}
	return out.Bytes()
}

// Document is the OpenAPI document of the interface.
func Document() []byte { return build(Config{}).document() }
