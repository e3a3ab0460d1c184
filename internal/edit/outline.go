package edit

import (
	"slices"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/document"
)

// Part is a step of a document, or a list of steps, with its place in the text.
type Part struct {
	Path string // as drawings have it
	List bool   // a list of steps, to which some can be added
	// Line and End are its first and last line, from 1; Column is where it begins. A list has them of its key.
	Line, End, Column int
	Says              any     // what a step says, as data; its own steps are left out
	Fields            []Field // of a step, in the order of the text; its own steps are left out
}

// Field is a field of a step with its place in the text, both from 1.
type Field struct {
	Path         string // as Set takes it
	Line, Column int
}

// deepField is how many levels of maps and lists are told of.
const deepField = 3

// Outline tells where the steps of a document stand in its text. What is no playbook has none.
func Outline(file string, text []byte, index int) ([]Part, error) {
	p, err := read(file, text, index)
	if err != nil {
		return nil, err
	}
	w := &writer{page: p}
	var out []Part
	walk(p.root, func(n *node) {
		switch {
		case n.form == "step[]" && n.key != nil:
			out = append(out, Part{Path: w.pathOf(n), List: true, Line: p.line(n.from) + 1, End: p.line(max(n.end, n.from)) + 1, Column: p.column(n.from) + 1})
		case n.form == "step" && n.y.Kind == yaml.MappingNode, stepLike(n):
			last := p.line(max(n.end, n.from))
			if n.key == nil && !n.up.flow() {
				last = p.last(n, p.boundary(n))
			}
			out = append(out, Part{Path: w.pathOf(n), Line: p.line(n.from) + 1, End: last + 1, Column: p.column(n.from) + 1, Says: says(n), Fields: p.fields(n, nil)})
		}
	})
	return out, nil
}

// fields are the places of what a map or list holds.
func (p *page) fields(n *node, above []token) []Field {
	var out []Field
	for _, k := range n.kids {
		if k.form == "step[]" {
			continue
		}
		t := token{name: k.name, index: -1}
		if k.key == nil {
			t = token{index: k.index}
		}
		ts := append(slices.Clone(above), t)
		out = append(out, Field{Path: write(ts), Line: p.line(k.from) + 1, Column: p.column(k.from) + 1})
		if len(ts) < deepField && k.y.Kind != yaml.AliasNode {
			out = append(out, p.fields(k, ts)...)
		}
	}
	return out
}

// pathOf is the path of a node as drawings have it.
func (w *writer) pathOf(n *node) string {
	ts := real(n)
	if len(ts) == 0 {
		return ""
	}
	if n.key == nil {
		return w.shown(ts[:len(ts)-1], n.index)
	}
	s := w.shown(ts, 0)
	return s[:len(s)-len("[0]")]
}

// stepLike tells an action inside of a step: verify and its like.
func stepLike(n *node) bool {
	if n.y.Kind != yaml.MappingNode || n.key == nil {
		return false
	}
	if slices.Contains([]document.Form{"check", "stopWhen", "undo", "wait-until"}, n.form) {
		return true
	}
	return n.name == "until" && n.up.name == "with" && n.at("uses") != nil
}

// says gives what a step says without the steps in it.
func says(n *node) any {
	m, ok := data(n.y).(map[string]any)
	if !ok {
		return nil
	}
	for _, k := range n.kids {
		if k.form == "step[]" {
			delete(m, k.name)
		}
		if in := k.at("steps"); in != nil && (k.form == "foreach" || k.form == "lock") {
			if inner, ok := m[k.name].(map[string]any); ok {
				delete(inner, "steps")
			}
		}
	}
	return m
}

// Index finds the document of a kind and name among those of a file; -1 when there is none. An empty name is the first of
// the kind.
func Index(file string, text []byte, kind document.Kind, name string) int {
	docs, _ := document.Nodes(file, text)
	for i, d := range docs {
		m, _ := data(d.Content[0]).(map[string]any)
		about, _ := m["metadata"].(map[string]any)
		if m["kind"] == string(kind) && (name == "" || about["name"] == name) {
			return i
		}
	}
	return -1
}
