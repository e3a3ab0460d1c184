package httpapi

import (
	"bytes"
	_ "embed" // the page and its style stand in files
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tendhq/tend/internal/access"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle []byte

// pagePolicy lets the page load its own style and nothing else: no script, no request to anybody.
const pagePolicy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// pages are the contract for people, written once when the server starts: text and links, no script.
func (s *server) pages(a *api) {
	free := access.Need{Verb: access.Nothing}
	var page []byte
	a.mount(free, http.MethodGet, "/docs/api", 0, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		send(w, "text/html; charset=utf-8", page)
	}))
	a.mount(free, http.MethodGet, "/docs/api/page.css", 0, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		send(w, "text/css; charset=utf-8", pageStyle)
	}))
	a.later = append(a.later, func() { page = a.page() })
}

func send(w http.ResponseWriter, media string, b []byte) {
	h := w.Header()
	h.Set("Content-Type", media)
	h.Set("Content-Security-Policy", pagePolicy)
	_, _ = w.Write(b)
}

// The data of the page.
type (
	pageData struct {
		Version string
		Text    []string
		Groups  []pageGroup
		Schemas []pageSchema
	}
	pageGroup struct {
		Name, Text string
		Operations []pageOperation
	}
	pageOperation struct {
		ID, Method, Path, Summary, Text, Need, Status string
		Parameters                                    []pageField
		Body                                          *shape
		Answer                                        shape
	}
	pageSchema struct {
		Name, Text string
		Fields     []pageField
	}
	pageField struct {
		Name, In, Type, Text string
		Required             bool
		Shape                shape
	}
	// shape is a type in words; Ref links to a schema.
	shape struct{ Before, Ref string }
)

// page writes the contract as HTML.
func (a *api) page() []byte {
	o := a.huma.OpenAPI()
	d := pageData{Version: o.Info.Version, Text: strings.Split(o.Info.Description, "\n\n")}
	for _, t := range o.Tags {
		g := pageGroup{Name: t.Name, Text: t.Description}
		for _, path := range slices.Sorted(maps.Keys(o.Paths)) {
			for _, op := range operations(o.Paths[path]) {
				if slices.Contains(op.Tags, t.Name) {
					g.Operations = append(g.Operations, describe(op))
				}
			}
		}
		d.Groups = append(d.Groups, g)
	}
	schemas := o.Components.Schemas.Map()
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		s := schemas[name]
		p := pageSchema{Name: name, Text: s.Description}
		for _, f := range slices.Sorted(maps.Keys(s.Properties)) {
			p.Fields = append(p.Fields, pageField{
				Name: f, Text: s.Properties[f].Description, Required: slices.Contains(s.Required, f), Shape: shapeOf(s.Properties[f]),
			})
		}
		d.Schemas = append(d.Schemas, p)
	}
	var b bytes.Buffer
	t, err := template.New("page").Parse(pageText)
	if err == nil {
		err = t.Execute(&b, d)
	}
	if err != nil {
		a.server.Log.Error("write the page of the interface", "error", err)
		return nil
	}
	return b.Bytes()
}

// operations are those of a path, in the order in which people look for them.
func operations(p *huma.PathItem) []*huma.Operation {
	return slices.DeleteFunc([]*huma.Operation{p.Get, p.Post, p.Put, p.Patch, p.Delete}, func(o *huma.Operation) bool { return o == nil })
}

func describe(op *huma.Operation) pageOperation {
	p := pageOperation{ID: op.OperationID, Method: op.Method, Path: op.Path, Summary: op.Summary, Text: op.Description, Need: "nothing"}
	if n, ok := op.Extensions["x-tend-need"].(access.Need); ok {
		p.Need = strings.TrimSpace(string(n.Verb) + " " + n.Kind)
	}
	for _, x := range op.Parameters {
		p.Parameters = append(p.Parameters, pageField{Name: x.Name, In: x.In, Type: shapeOf(x.Schema).Before, Text: x.Description, Required: x.Required})
	}
	if op.RequestBody != nil {
		for media, m := range op.RequestBody.Content {
			s := in(media, shapeOf(m.Schema))
			p.Body = &s
		}
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		if status == "default" {
			continue
		}
		p.Status = status
		for media, m := range op.Responses[status].Content {
			p.Answer = in(media, shapeOf(m.Schema))
		}
	}
	return p
}

// in names the media type where it is not the usual one.
func in(media string, s shape) shape {
	if media != "application/json" || s.Ref == "" {
		return shape{Before: media}
	}
	return s
}

func shapeOf(s *huma.Schema) shape {
	if s == nil {
		return shape{Before: "anything"}
	}
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		return shape{Ref: name}
	}
	switch {
	case s.Type == huma.TypeArray:
		of := shapeOf(s.Items)
		return shape{"list of " + of.Before, of.Ref}
	case s.Type == huma.TypeObject:
		if of, ok := s.AdditionalProperties.(*huma.Schema); ok {
			v := shapeOf(of)
			return shape{"map of " + v.Before, v.Ref}
		}
		return shape{Before: "object"}
	case len(s.Enum) > 0:
		var all []string
		for _, e := range s.Enum {
			all = append(all, fmt.Sprint(e))
		}
		return shape{Before: strings.Join(all, ", ")}
	case s.Format == "date-time":
		return shape{Before: "time"}
	case s.Type == "":
		return shape{Before: "anything"}
	}
	return shape{Before: s.Type}
}
