package playbook

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/expr"
)

// reader turns the nodes of one file into documents and collects what is wrong on the way. After a problem it goes on
// with what can still be read, so that one pass finds all.
type reader struct {
	file     string
	lines    *lines
	findings []Finding
	dialect  expr.Dialect
	nodes    int // visited in this document, aliases followed
	full     bool
}

// lenient tells whether the document is of the older dialect.
func (r *reader) lenient() bool { return r.dialect == expr.Lenient }

func (r *reader) at(rule string, line, column int, message, remedy string) {
	r.add(Finding{Rule: rule, Severity: Error, Place: Place{File: r.file, Line: line, Column: column}, Message: message, Remedy: remedy, SourceLine: r.lines.line(line)})
}

// fail adds an error at a node.
func (r *reader) fail(rule string, n *yaml.Node, remedy, format string, a ...any) {
	r.find(rule, Error, n, remedy, format, a...)
}

// doubt adds an error at a node in the strict dialect and a warning in the older one, whose documents ran in their day.
func (r *reader) doubt(rule string, n *yaml.Node, remedy, format string, a ...any) {
	s := Error
	if r.lenient() {
		s = Warning
	}
	r.find(rule, s, n, remedy, format, a...)
}

func (r *reader) find(rule string, s Severity, n *yaml.Node, remedy, format string, a ...any) {
	p := r.lines.place(n)
	r.add(Finding{Rule: rule, Severity: s, Place: p, Message: fmt.Sprintf(format, a...), Remedy: remedy, SourceLine: r.lines.line(p.Line)})
}

func (r *reader) add(f Finding) {
	if len(r.findings) < MaxFindings {
		r.findings = append(r.findings, f)
		return
	}
	if !r.full {
		r.full = true
		r.findings = append(r.findings, Finding{Rule: RuleSize, Severity: Error, Place: Place{File: r.file}, Message: fmt.Sprintf("more than %d problems; the rest is not listed", MaxFindings)})
	}
}

// resolve follows aliases. A nil answer was reported.
func (r *reader) resolve(n *yaml.Node) *yaml.Node {
	for hops := 0; n != nil && n.Kind == yaml.AliasNode; hops++ {
		if hops > MaxNesting {
			return nil
		}
		n = n.Alias
	}
	return n
}

// bounded refuses documents that are too deep or, by their aliases, too large (or endless).
func (r *reader) bounded(root *yaml.Node) bool {
	r.nodes = 0
	var walk func(n *yaml.Node, depth int) bool
	walk = func(n *yaml.Node, depth int) bool {
		if r.nodes++; r.nodes > MaxExpansion {
			r.fail(RuleSize, n, "write it out, or split the document", "with its aliases followed the document has more than %d nodes", MaxExpansion)
			return false
		}
		if depth > MaxNesting {
			r.fail(RuleSize, n, "flatten it: move inner steps into a sub-playbook", "nested deeper than %d levels", MaxNesting)
			return false
		}
		if n.Kind == yaml.AliasNode {
			if n.Alias == nil {
				r.fail(RuleYAML, n, "", "the alias *%s names no anchor", n.Value)
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

// object reads a mapping: keys are texts and unique, `<<` is merged in. What is not a mapping is reported as what
// should stand there.
func (r *reader) object(n *yaml.Node, what string) (Object, bool) {
	n = r.resolve(n)
	if n == nil {
		return Object{}, false
	}
	if n.Kind != yaml.MappingNode {
		r.fail(RuleType, n, "", "%s must be a map, not %s", what, shape(n))
		return Object{}, false
	}
	o := Object{Node: n, Keys: make([]Key, 0, len(n.Content)/2)}
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := r.resolve(n.Content[i]), r.resolve(n.Content[i+1])
		if k == nil || v == nil {
			continue
		}
		if k.Kind != yaml.ScalarNode {
			if !r.quoteThis(n) {
				r.fail(RuleType, n.Content[i], "", "a key must be a text, not %s", shape(k))
			}
			continue
		}
		if k.Tag == "!!merge" || k.Tag == "" && k.Value == "<<" {
			merges = append(merges, v)
			continue
		}
		if prev, ok := o.Key(k.Value); ok {
			r.fail(RuleDuplicate, k, "keep one of them", "the key `%s` stands twice in this map, first in line %d", k.Value, prev.Node.Line)
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
func (r *reader) merge(o *Object, m *yaml.Node) {
	sources := []*yaml.Node{m}
	if m.Kind == yaml.SequenceNode {
		sources = m.Content
	}
	for _, s := range sources {
		from, ok := r.object(s, "what `<<` merges")
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

// quoteThis reports a value such as {{ .x }} without quotes, which YAML reads as a map whose key is a map.
func (r *reader) quoteThis(n *yaml.Node) bool {
	if n.Kind != yaml.MappingNode || n.Style&yaml.FlowStyle == 0 || len(n.Content) == 0 || n.Content[0].Kind != yaml.MappingNode {
		return false
	}
	line := r.lines.line(n.Line)
	remedy := "quote this: '{{ … }}'"
	if strings.HasPrefix(fromColumn(line, n.Column), "{{") {
		remedy = "quote this: " + requote(strings.TrimRight(line, ", }")+" }}", n.Column)
	}
	r.fail(RuleQuote, n, remedy, "a text that begins with {{ needs quotes: without them it is a map to YAML")
	return true
}

// known reports the keys of an object that mean nothing, and gives the ones that do under their right names.
func (r *reader) known(o *Object, table Table, what string) {
	kept := o.Keys[:0:len(o.Keys)]
	for _, k := range o.Keys {
		if table.has(k.Name) {
			kept = append(kept, k)
			continue
		}
		if r.lenient() {
			if i := slices.IndexFunc(table, func(d KeyDef) bool { return fold(d.Name) == fold(k.Name) }); i >= 0 && !o.Has(table[i].Name) {
				r.find(RuleKey, Advice, k.Node, "write `"+table[i].Name+"`", "`%s` is read as `%s`", k.Name, table[i].Name)
				k.Name = table[i].Name
				kept = append(kept, k)
				continue
			}
			r.find(RuleKey, Warning, k.Node, didYouMean(k.Name, table.Names()), "%s has no key `%s`: it is ignored", what, k.Name)
			continue
		}
		r.fail(RuleKey, k.Node, didYouMean(k.Name, table.Names()), "%s has no key `%s`", what, k.Name)
	}
	o.Keys = kept
}

// list gives the items of a sequence.
func (r *reader) list(n *yaml.Node, what string) ([]*yaml.Node, bool) {
	n = r.resolve(n)
	if n == nil {
		return nil, false
	}
	if n.Kind == yaml.SequenceNode {
		return n.Content, true
	}
	if isNull(n) {
		return nil, true
	}
	if !r.quoteThis(n) {
		r.fail(RuleType, n, "", "%s must be a list, not %s", what, shape(n))
	}
	return nil, false
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// shape names what a node is, for messages.
func shape(n *yaml.Node) string {
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
