// Command gen writes the client's methods from the contract: one for each operation of docs/openapi.json, and a type for
// each body that package wire does not have.
//
// It knows as much of OpenAPI as our contract uses, and refuses the rest.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"
)

func main() {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err == nil {
		var b []byte
		if b, err = generate(root); err == nil {
			err = os.WriteFile(filepath.Join(root, "internal", "client", output), b, 0o644) //nolint:gosec // a source file
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1) //nolint:forbidigo // this is a main
	}
}

// output is the file that is written.
const output = "api.go"

// elsewhere are bodies whose Go types are in other packages than wire.
func elsewhere(name string) (string, bool) {
	t, ok := map[string]string{"Done": "engine.Done", "Status": "engine.Status"}[name]
	return t, ok
}

type document struct {
	Paths      map[string]map[string]operation `json:"paths"`
	Components struct {
		Schemas map[string]*schema `json:"schemas"`
	} `json:"components"`
}

type operation struct {
	ID         string      `json:"operationId"`
	Summary    string      `json:"summary"`
	Parameters []parameter `json:"parameters"`
	Body       *struct {
		Content map[string]media `json:"content"`
	} `json:"requestBody"`
	Responses map[string]struct {
		Content map[string]media `json:"content"`
	} `json:"responses"`
	Time string `json:"x-tend-time"`
	Rest bool   `json:"x-tend-rest"` // the last parameter of the path is the rest of it
}

type media struct {
	Schema *schema `json:"schema"`
}

type parameter struct {
	In          string  `json:"in"`
	Name        string  `json:"name"`
	Description string  `json:"description"`
	Schema      *schema `json:"schema"`
}

type schema struct {
	Ref         string             `json:"$ref"`
	Type        any                `json:"type"`
	Format      string             `json:"format"`
	Encoding    string             `json:"contentEncoding"`
	Description string             `json:"description"`
	Items       *schema            `json:"items"`
	Properties  map[string]*schema `json:"properties"`
	Additional  any                `json:"additionalProperties"`
	Required    []string           `json:"required"`
}

// generator writes one file.
type generator struct {
	doc   document
	wire  map[string]bool // types of package wire
	own   []string        // bodies that have no Go type elsewhere, in the order in which they were met
	used  map[string]bool // packages
	types bytes.Buffer
	calls bytes.Buffer
}

// generate gives the source of the client's methods for the contract of the module at root.
func generate(root string) ([]byte, error) {
	b, err := os.ReadFile(filepath.Join(root, "docs", "openapi.json"))
	if err != nil {
		return nil, err
	}
	g := &generator{used: map[string]bool{"context": true}, wire: map[string]bool{}}
	if err := json.Unmarshal(b, &g.doc); err != nil {
		return nil, err
	}
	if err := g.known(filepath.Join(root, "internal", "wire")); err != nil {
		return nil, err
	}
	type call struct{ path, method string }
	calls := map[string]call{}
	for path, ops := range g.doc.Paths {
		for method, op := range ops {
			calls[op.ID] = call{path, method}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(calls)) {
		c := calls[id]
		if err := g.method(c.path, strings.ToUpper(c.method), g.doc.Paths[c.path][c.method]); err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
	}
	for i := 0; i < len(g.own); i++ { // a body can bring further ones
		if err := g.body(g.own[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", g.own[i], err)
		}
	}
	return g.file()
}

// known reads which bodies package wire has a type for.
func (g *generator) known(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return err
	}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			return err
		}
		if f.Name.Name != "wire" {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if t, ok := n.(*ast.TypeSpec); ok {
				g.wire[t.Name.Name] = true
			}
			return true
		})
	}
	return nil
}

// method writes the call of an operation.
func (g *generator) method(path, method string, op operation) error {
	name := exported(op.ID)
	args, query, err := g.arguments(name, op)
	if err != nil {
		return err
	}
	fmt.Fprintf(&g.calls, "\n// %s: %s.\n//\n// %s %s\nfunc (a *API) %s(ctx context.Context%s", name, lower(op.Summary), method, path, name, args)
	body := ""
	if op.Body != nil {
		t, err := g.typeOf(op.Body.Content["application/json"].Schema)
		if err != nil {
			return err
		}
		fmt.Fprintf(&g.calls, ", body %s", t)
		body = ", body: body"
	}
	result, kind, err := g.answer(op)
	if err != nil {
		return err
	}
	within := ""
	if op.Time != "" {
		g.used["time"] = true
		d, err := time.ParseDuration(op.Time)
		if err != nil {
			return err
		}
		within = fmt.Sprintf(", within: %d * time.Second", int(d.Seconds()))
	}
	request := fmt.Sprintf("request{method: %q, path: %s%s%s}", method, pathOf(path, op.Rest), body, within)
	if query {
		request += ".with(q.parameters)"
	}
	switch kind {
	case "json":
		fmt.Fprintf(&g.calls, ") (%s, error) {\nvar out %s\nerr := a.call(ctx, %s, &out)\nreturn out, err\n}\n", result, result, request)
	case "bytes":
		fmt.Fprintf(&g.calls, ") ([]byte, error) {\nreturn a.read(ctx, %s)\n}\n", request)
	case "stream":
		g.used["io"] = true
		fmt.Fprintf(&g.calls, ") (io.ReadCloser, error) {\nreturn a.stream(ctx, %s)\n}\n", request)
	case "nothing":
		fmt.Fprintf(&g.calls, ") error {\nreturn a.call(ctx, %s, nil)\n}\n", request)
	}
	return nil
}

// answer tells what an operation answers: the Go type of a JSON body, bytes, a stream of events, or nothing.
func (g *generator) answer(op operation) (result, kind string, err error) {
	for status, r := range op.Responses {
		if status == "default" || !strings.HasPrefix(status, "2") {
			continue
		}
		for media, m := range r.Content {
			switch {
			case media == "text/event-stream", media == "application/jsonl":
				return "", "stream", nil
			case media == "application/json" && m.Schema != nil && m.Schema.Type != "string":
				result, err := g.typeOf(m.Schema)
				return result, "json", err
			default:
				return "", "bytes", nil
			}
		}
		return "", "nothing", nil
	}
	return "", "", errors.New("it has no answer")
}

// arguments writes the parameters of an operation: those of the path one by one, the others as a struct.
func (g *generator) arguments(name string, op operation) (args string, query bool, err error) {
	var fields, sets bytes.Buffer
	for _, p := range op.Parameters {
		if p.Name == "Idempotency-Key" {
			continue // every call of ours has one of its own
		}
		t, err := g.typeOf(p.Schema)
		if err != nil {
			return "", false, fmt.Errorf("parameter %s: %w", p.Name, err)
		}
		if p.In == "path" {
			args += ", " + variable(p.Name) + " " + t
			continue
		}
		if t == "int64" && p.Name == "limit" {
			t = "int"
		}
		field := exported(p.Name)
		fmt.Fprintf(&fields, "\t%s %s // %s\n", field, t, p.Description)
		set := "query"
		if p.In == "header" {
			set = "header"
		}
		fmt.Fprintf(&sets, "\tset(%q, %q, q.%s)\n", set, p.Name, field)
	}
	if fields.Len() == 0 {
		return args, false, nil
	}
	fmt.Fprintf(&g.types, "\n// %sQuery are the parameters of %s. What is zero is not sent.\ntype %sQuery struct {\n%s}\n", name, name, name, fields.String())
	fmt.Fprintf(&g.types, "\nfunc (q %sQuery) parameters(set func(in, name string, v any)) {\n%s}\n", name, sets.String())
	return args + ", q " + name + "Query", true, nil
}

// pathOf writes a path with its parameters filled in.
func pathOf(path string, rest bool) string {
	var parts []string
	for path != "" {
		before, after, ok := strings.Cut(path, "{")
		if before != "" {
			parts = append(parts, fmt.Sprintf("%q", before))
		}
		if !ok {
			break
		}
		name, left, _ := strings.Cut(after, "}")
		escape := "segment"
		if rest && left == "" {
			escape = "segments"
		}
		parts = append(parts, escape+"("+variable(name)+")")
		path = left
	}
	return strings.Join(parts, " + ")
}

// typeOf gives the Go type of a schema.
func (g *generator) typeOf(s *schema) (string, error) {
	if s == nil {
		return "", errors.New("it has no schema")
	}
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		if t, ok := elsewhere(name); ok {
			g.used[strings.Split(t, ".")[0]] = true
			return t, nil
		}
		if g.wire[name] {
			g.used["wire"] = true
			return "wire." + name, nil
		}
		if !slices.Contains(g.own, name) {
			g.own = append(g.own, name)
		}
		return name, nil
	}
	t, _ := s.Type.(string)
	switch {
	case t == "string" && s.Format == "date-time":
		g.used["time"] = true
		return "time.Time", nil
	case t == "string" && s.Encoding == "base64":
		return "[]byte", nil
	case t == "string":
		return "string", nil
	case t == "boolean":
		return "bool", nil
	case t == "integer":
		return "int64", nil
	case t == "number":
		return "float64", nil
	case t == "array":
		of, err := g.typeOf(s.Items)
		return "[]" + of, err
	case t == "object" && len(s.Properties) == 0:
		more, _ := s.Additional.(map[string]any)
		if len(more) == 0 {
			g.used["value"] = true
			return "value.Object", nil
		}
		b, err := json.Marshal(more)
		if err != nil {
			return "", err
		}
		var of schema
		if err := json.Unmarshal(b, &of); err != nil {
			return "", err
		}
		e, err := g.typeOf(&of)
		return "map[string]" + e, err
	case s.Type == nil:
		g.used["json"] = true
		return "json.RawMessage", nil
	}
	return "", fmt.Errorf("a schema of type %v has no Go type here", s.Type)
}

// body writes the type of a body.
func (g *generator) body(name string) error {
	s := g.doc.Components.Schemas[name]
	if s == nil {
		return errors.New("it is not in the contract")
	}
	text := s.Description
	if text == "" {
		text = "is a body of the interface."
	}
	fmt.Fprintf(&g.types, "\n// %s %s\ntype %s struct {\n", name, text, name)
	for _, f := range slices.Sorted(maps.Keys(s.Properties)) {
		p := s.Properties[f]
		t, err := g.typeOf(p)
		if err != nil {
			return fmt.Errorf("%s: %w", f, err)
		}
		tag := f
		if !slices.Contains(s.Required, f) {
			tag += ",omitempty"
			if t == "time.Time" || p.Ref != "" {
				tag = f + ",omitzero"
			}
		}
		comment := ""
		if p.Description != "" {
			comment = " // " + p.Description
		}
		fmt.Fprintf(&g.types, "\t%s %s `json:%q`%s\n", exported(f), t, tag, comment)
	}
	g.types.WriteString("}\n")
	return nil
}

// imports are where the packages are that the file can need.
func imports() [][2]string {
	return [][2]string{
		{"context", "context"},
		{"json", "encoding/json"},
		{"io", "io"},
		{"time", "time"},
		{"", ""},
		{"engine", "github.com/tendhq/tend/internal/engine"},
		{"value", "github.com/tendhq/tend/internal/value"},
		{"wire", "github.com/tendhq/tend/internal/wire"},
	}
}

func (g *generator) file() ([]byte, error) {
	var out bytes.Buffer
	out.WriteString("// Code generated by internal/client/gen from docs/openapi.json. DO NOT EDIT.\n\npackage client\n\nimport (\n")
	for _, i := range imports() {
		if i[1] == "" {
			out.WriteString("\n")
		} else if g.used[i[0]] {
			fmt.Fprintf(&out, "%q\n", i[1])
		}
	}
	out.WriteString(")\n")
	out.Write(g.types.Bytes())
	out.Write(g.calls.Bytes())
	b, err := format.Source(out.Bytes())
	if err != nil {
		return out.Bytes(), fmt.Errorf("the source is wrong: %w", err)
	}
	return b, nil
}

// exported gives a name in the form of Go: lastEventID for Last-Event-ID.
func exported(name string) string {
	var out strings.Builder
	up := true
	for _, r := range name {
		if r == '-' || r == '_' || r == '.' {
			up = true
			continue
		}
		if up {
			r = unicode.ToUpper(r)
		}
		up = false
		out.WriteRune(r)
	}
	s := out.String()
	for _, initials := range []string{"Id", "Url", "Api"} {
		if rest, ok := strings.CutSuffix(s, initials); ok {
			s = rest + strings.ToUpper(initials)
		}
	}
	return s
}

func variable(name string) string {
	s := exported(name)
	if strings.ToUpper(s) == s {
		s = strings.ToLower(s)
	} else {
		s = strings.ToLower(s[:1]) + s[1:]
	}
	switch {
	case token.IsKeyword(s), s == "a", s == "q", s == "ctx", s == "body", s == "io", s == "time", s == "wire", s == "value", s == "engine":
		return s + "Of"
	}
	return s
}

func lower(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
