package document

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/spelling"
)

// Reader turns the nodes of one file into documents and collects what is wrong on the way. After a problem it goes on
// with what can still be read, so that one pass finds all.
type Reader struct {
	file     string
	lines    *lines
	src      []byte
	findings []Finding
	dialect  expr.Dialect
	nodes    int // visited in this document, aliases followed
	full     bool
}

// Lenient tells whether the document is of the older dialect.
func (r *Reader) Lenient() bool { return r.dialect == expr.Lenient }

// Dialect is that of the document that is being read.
func (r *Reader) Dialect() expr.Dialect { return r.dialect }

func (r *Reader) at(rule string, line, column int, message, remedy string) {
	r.add(Finding{Rule: rule, Severity: Error, Place: Place{File: r.file, Line: line, Column: column}, Message: message, Remedy: remedy, SourceLine: r.lines.line(line)})
}

// Fail adds an error at a node.
func (r *Reader) Fail(rule string, n *yaml.Node, remedy, format string, a ...any) {
	r.Find(rule, Error, n, remedy, format, a...)
}

// Doubt adds an error at a node in the strict dialect and a warning in the older one, whose documents ran in their day.
func (r *Reader) Doubt(rule string, n *yaml.Node, remedy, format string, a ...any) {
	s := Error
	if r.Lenient() {
		s = Warning
	}
	r.Find(rule, s, n, remedy, format, a...)
}

// Find adds a finding at a node.
func (r *Reader) Find(rule string, s Severity, n *yaml.Node, remedy, format string, a ...any) {
	p := r.lines.place(n)
	r.add(Finding{Rule: rule, Severity: s, Place: p, Message: fmt.Sprintf(format, a...), Remedy: remedy, SourceLine: r.lines.line(p.Line)})
}

func (r *Reader) add(f Finding) {
	if len(r.findings) < MaxFindings {
		r.findings = append(r.findings, f)
		return
	}
	if !r.full {
		r.full = true
		r.findings = append(r.findings, Finding{Rule: RuleSize, Severity: Error, Place: Place{File: r.file}, Message: fmt.Sprintf("more than %d problems; the rest is not listed", MaxFindings)})
	}
}

// Resolve follows aliases. A nil answer was reported.
func (r *Reader) Resolve(n *yaml.Node) *yaml.Node {
	for hops := 0; n != nil && n.Kind == yaml.AliasNode; hops++ {
		if hops > MaxNesting {
			return nil
		}
		n = n.Alias
	}
	return n
}

// bounded refuses documents that are too deep or, by their aliases, too large (or endless).
func (r *Reader) bounded(root *yaml.Node) bool {
	r.nodes = 0
	var walk func(n *yaml.Node, depth int) bool
	walk = func(n *yaml.Node, depth int) bool {
		if r.nodes++; r.nodes > MaxExpansion {
			r.Fail(RuleSize, n, "write it out, or split the document", "with its aliases followed the document has more than %d nodes", MaxExpansion)
			return false
		}
		if depth > MaxNesting {
			r.Fail(RuleSize, n, "flatten it: move inner steps into a sub-playbook", "nested deeper than %d levels", MaxNesting)
			return false
		}
		if n.Kind == yaml.AliasNode {
			if n.Alias == nil {
				r.Fail(RuleYAML, n, "", "the alias *%s names no anchor", n.Value)
				return false
			}
			return walk(n.Alias, depth+1)
		}
		for _, c := range n.Content {
			if !walk(c, depth+1) {
				return false
			}
		}
		return true
	}
	return walk(root, 0)
}

// Object reads a mapping: keys are texts and unique, `<<` is merged in. What is not a mapping is reported as what
// should stand there.
func (r *Reader) Object(n *yaml.Node, what string) (Object, bool) {
	n = r.Resolve(n)
	if n == nil {
		return Object{}, false
	}
	if n.Kind != yaml.MappingNode {
		r.Fail(RuleType, n, "", "%s must be a map, not %s", what, Shape(n))
		return Object{}, false
	}
	o := Object{Node: n, Keys: make([]Key, 0, len(n.Content)/2)}
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := r.Resolve(n.Content[i]), r.Resolve(n.Content[i+1])
		if k == nil || v == nil {
			continue
		}
		if k.Kind != yaml.ScalarNode {
			if !r.Unquoted(n) {
				r.Fail(RuleType, n.Content[i], "", "a key must be a text, not %s", Shape(k))
			}
			continue
		}
		if k.Tag == "!!merge" || k.Tag == "" && k.Value == "<<" {
			merges = append(merges, v)
			continue
		}
		if prev, ok := o.Key(k.Value); ok {
			r.Fail(RuleDuplicate, k, "keep one of them", "the key `%s` stands twice in this map, first in line %d", k.Value, prev.Node.Line)
			continue
		}
		o.Keys = append(o.Keys, Key{Name: k.Value, Node: n.Content[i], Value: v})
	}
	for _, m := range merges {
		r.merge(&o, m)
	}
	return o, true
}

// merge adds the entries of a `<<` that are not written themselves.
func (r *Reader) merge(o *Object, m *yaml.Node) {
	sources := []*yaml.Node{m}
	if m.Kind == yaml.SequenceNode {
		sources = m.Content
	}
	for _, s := range sources {
		from, ok := r.Object(s, "what `<<` merges")
		if !ok {
			continue
		}
		for _, k := range from.Keys {
			if !o.Has(k.Name) {
				o.Keys = append(o.Keys, k)
			}
		}
	}
}

// Unquoted reports a value such as {{ .x }} without quotes, which YAML reads as a map whose key is a map.
func (r *Reader) Unquoted(n *yaml.Node) bool {
	if n.Kind != yaml.MappingNode || n.Style&yaml.FlowStyle == 0 || len(n.Content) == 0 || n.Content[0].Kind != yaml.MappingNode {
		return false
	}
	line := r.lines.line(n.Line)
	remedy := "quote this: '{{ … }}'"
	if strings.HasPrefix(fromColumn(line, n.Column), "{{") {
		remedy = "quote this: " + requote(strings.TrimRight(line, ", }")+" }}", n.Column)
	}
	r.Fail(RuleQuote, n, remedy, "a text that begins with {{ needs quotes: without them it is a map to YAML")
	return true
}

// Known reports the keys of an object that mean nothing, and gives the ones that do under their right names.
func (r *Reader) Known(o *Object, table Table, what string) {
	kept := o.Keys[:0:len(o.Keys)]
	for _, k := range o.Keys {
		if table.Has(k.Name) {
			kept = append(kept, k)
			continue
		}
		if r.Lenient() {
			if i := slices.IndexFunc(table, func(d KeyDef) bool { return spelling.Fold(d.Name) == spelling.Fold(k.Name) }); i >= 0 && !o.Has(table[i].Name) {
				r.Find(RuleKey, Advice, k.Node, "write `"+table[i].Name+"`", "`%s` is read as `%s`", k.Name, table[i].Name)
				k.Name = table[i].Name
				kept = append(kept, k)
				continue
			}
			r.Find(RuleKey, Warning, k.Node, spelling.Suggest(k.Name, table.Names()), "%s has no key `%s`: it is ignored", what, k.Name)
			continue
		}
		r.Fail(RuleKey, k.Node, spelling.Suggest(k.Name, table.Names()), "%s has no key `%s`", what, k.Name)
	}
	o.Keys = kept
}

// List gives the items of a sequence.
func (r *Reader) List(n *yaml.Node, what string) ([]*yaml.Node, bool) {
	n = r.Resolve(n)
	if n == nil {
		return nil, false
	}
	if n.Kind == yaml.SequenceNode {
		return n.Content, true
	}
	if IsNull(n) {
		return nil, true
	}
	if !r.Unquoted(n) {
		r.Fail(RuleType, n, "", "%s must be a list, not %s", what, Shape(n))
	}
	return nil, false
}

// IsNull tells whether a key is written without a value.
func IsNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// Shape names what a node is, for messages.
func Shape(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a map"
	case yaml.SequenceNode:
		return "a list"
	case yaml.ScalarNode:
		switch n.Tag {
		case "!!null":
			return "nothing"
		case "!!int", "!!float":
			return "the number " + n.Value
		case "!!bool":
			return n.Value
		}
		v := n.Value
		if len(v) > 40 {
			v = strings.ToValidUTF8(v[:40], "") + "…"
		}
		return fmt.Sprintf("the text %q", v)
	default:
		return "this"
	}
}
