// Package schema writes JSON Schemas of documents, for editors and for whoever checks documents without tend.
//
// Everything in them comes from where tend itself has it: the keys of the language from the reader's tables, the inputs
// of actions from their Specs. A schema is a net with wider meshes than `tend lint`: what lints without errors is valid,
// and much that is valid is still wrong, because a schema cannot follow names. In the older dialect unknown keys are
// valid, as they are warnings.
package schema

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/language"
)

// Draft is a version of JSON Schema.
type Draft string

// The drafts. Editors know Draft07 (yaml-language-server documents it), validators both.
const (
	Draft2020 Draft = "2020-12"
	Draft07   Draft = "draft-07"
)

// File is a schema under its file name.
type File struct {
	Name    string
	Dialect expr.Dialect
	Draft   Draft
	Body    []byte
}

// Files makes the schemas of both dialects in both drafts.
func Files(c contract.Catalog) ([]File, error) {
	var out []File
	for _, d := range []expr.Dialect{expr.Strict, expr.Lenient} {
		for _, draft := range []Draft{Draft2020, Draft07} {
			body, err := Document(c, d, draft)
			if err != nil {
				return nil, err
			}
			out = append(out, File{Name: fileName(d, draft), Dialect: d, Draft: draft, Body: body})
		}
	}
	return out, nil
}

func fileName(d expr.Dialect, draft Draft) string {
	name := "tend-v1"
	if d == expr.Lenient {
		name = "stackpulse-v1"
	}
	if draft == Draft07 {
		name += ".draft-07"
	}
	return name + ".schema.json"
}

// Document makes the schema of all documents of a dialect.
func Document(c contract.Catalog, d expr.Dialect, draft Draft) ([]byte, error) {
	if draft != Draft2020 && draft != Draft07 {
		return nil, fmt.Errorf("there is no draft %q: %s and %s are known", string(draft), Draft2020, Draft07)
	}
	m := maker{catalog: c, dialect: d, draft: draft, defs: object{}}
	root := m.document()
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["$id"] = "https://github.com/tendhq/tend/raw/main/schema/" + fileName(d, draft)
	if draft == Draft07 {
		root["$schema"] = "http://json-schema.org/draft-07/schema#"
	}
	root["title"] = "Documents of " + string(d)
	root[m.defsKey()] = m.defs
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(root); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// object is a part of a schema.
type object = map[string]any

// properties are the keys that a map part describes.
func properties(o object) object {
	p, ok := o["properties"].(object)
	if !ok {
		p = object{}
		o["properties"] = p
	}
	return p
}

// maker makes one schema. Parts that are used often stand under their name in defs.
type maker struct {
	catalog contract.Catalog
	dialect expr.Dialect
	draft   Draft
	defs    object
}

func (m *maker) lenient() bool { return m.dialect == expr.Lenient }

func (m *maker) defsKey() string {
	if m.draft == Draft07 {
		return "definitions"
	}
	return "$defs"
}

func (m *maker) ref(name string) object { return object{"$ref": "#/" + m.defsKey() + "/" + name} }

// def refers to a part that make makes when it is needed first. Parts may hold themselves: a step holds steps.
func (m *maker) def(name string, make func() object) object {
	if _, ok := m.defs[name]; !ok {
		m.defs[name] = object{}
		m.defs[name] = make()
	}
	return m.ref(name)
}

// described puts a text beside a part. In draft-07 nothing beside a $ref counts, so that it is wrapped.
func described(part object, doc string) object {
	if doc == "" {
		return part
	}
	if _, ok := part["$ref"]; ok {
		return object{"allOf": []any{part}, "description": doc}
	}
	out := object{"description": doc}
	for k, v := range part {
		out[k] = v
	}
	return out
}

func (m *maker) document() object {
	var cases, names []any
	for _, k := range language.Names() {
		names = append(names, string(k))
		cases = append(cases, object{
			"if":   object{"properties": object{"kind": object{"const": string(k)}}},
			"then": m.def(string(k), func() object { return m.kind(k) }),
		})
	}
	return object{
		"type":     "object",
		"required": []any{"apiVersion", "kind"},
		"properties": object{
			"apiVersion": object{"const": string(m.dialect), "description": "The dialect."},
			"kind":       object{"enum": names, "description": "What the document declares."},
		},
		"allOf": cases,
	}
}

// kind is a whole document of one kind.
func (m *maker) kind(k document.Kind) object {
	o := m.table(language.Keys(k))
	props := properties(o)
	props["apiVersion"], props["kind"] = object{"const": string(m.dialect)}, object{"const": string(k)}
	if m.lenient() {
		return o
	}
	o["required"] = []any{"apiVersion", "kind", "metadata"}
	switch k {
	case document.KindPlaybook:
		o["required"] = []any{"apiVersion", "kind", "metadata", "steps"}
	case document.KindModule:
		o["oneOf"] = []any{object{"required": []any{"run"}}, object{"required": []any{"steps"}}}
	case document.KindGuard:
		one := []any{object{"required": []any{"spec"}}}
		for _, rule := range guard.RuleKeys() {
			one = append(one, object{"required": []any{rule}})
		}
		o["anyOf"] = one
	default:
	}
	return o
}

// table is a map with the keys of a table.
func (m *maker) table(t document.Table, required ...any) object {
	props := object{}
	for _, k := range t {
		props[k.Name] = described(m.form(k.Form), k.Doc)
	}
	o := object{"type": "object", "properties": props}
	if m.lenient() { // unknown keys are warnings there
		return o
	}
	o["additionalProperties"] = false
	if len(required) > 0 {
		o["required"] = required
	}
	return o
}
