package playbook

import (
	"math"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/value"
)

// isTemplate tells whether a text is rendered.
func isTemplate(s string) bool { return strings.Contains(s, "{{") }

// scalar reads a node as an expression of the given kind where its text is not a template: Literal, Logic or Path.
func (r *reader) scalar(n *yaml.Node, plain expr.Kind, what string) *Scalar {
	n = r.resolve(n)
	if n == nil {
		return nil
	}
	if n.Kind != yaml.ScalarNode {
		if !r.quoteThis(n) {
			r.fail(RuleType, n, "", "%s must be %s, not %s", what, expected(plain), shape(n))
		}
		return nil
	}
	s := &Scalar{Node: n, Expr: expr.Expr{Kind: expr.Literal, Line: n.Line, Column: n.Column}}
	switch {
	case n.Tag != "!!str":
		s.Lit = r.literal(n)
	case isTemplate(n.Value):
		s.Kind, s.Source = expr.Template, n.Value
	case plain == expr.Literal:
		s.Lit = n.Value
	default:
		if strings.TrimSpace(n.Value) == "" {
			r.doubt(RuleValue, n, "write a condition, or leave the key out", "%s is empty", what)
			return nil
		}
		s.Kind, s.Source = plain, strings.TrimSpace(n.Value)
	}
	return s
}

func expected(plain expr.Kind) string {
	if plain == expr.Logic {
		return "a condition"
	}
	return "a text"
}

// text reads a text that may have templates.
func (r *reader) text(k Key) *Scalar { return r.scalar(k.Value, expr.Literal, "`"+k.Name+"`") }

// logic reads a condition: CEL, a template, or true and false.
func (r *reader) logic(k Key) *Scalar {
	s := r.scalar(k.Value, expr.Logic, "`"+k.Name+"`")
	if s == nil || s.Kind != expr.Literal {
		return s
	}
	if _, ok := s.Lit.(bool); !ok {
		r.doubt(RuleType, s.Node, "", "`%s` must be a condition, not %s", k.Name, shape(s.Node))
		return nil
	}
	return s
}

// literal is the value of a plain scalar as YAML's core schema reads it. Dates stay texts.
func (r *reader) literal(n *yaml.Node) any {
	switch n.Tag {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int":
		if i, err := strconv.ParseInt(n.Value, 10, 64); err == nil && strconv.FormatInt(i, 10) == n.Value {
			return i
		}
		return r.decoded(n)
	case "!!float":
		return r.decoded(n)
	case "!!str", "!!timestamp":
		return n.Value
	default:
		r.fail(RuleType, n, "remove the tag", "the YAML tag %s means nothing here", n.Tag)
		return nil
	}
}

func (r *reader) decoded(n *yaml.Node) any {
	var v any
	if err := n.Decode(&v); err != nil {
		r.fail(RuleType, n, "", "the number %s cannot be read", n.Value)
		return nil
	}
	v, err := value.Normalize(v)
	if err != nil {
		r.fail(RuleType, n, "quote it if it is a text", "%s is not a number that JSON can hold", n.Value)
		return nil
	}
	if f, ok := v.(float64); ok && math.IsInf(f, 0) {
		return nil
	}
	return v
}

// data reads a tree of values with templates in its texts.
func (r *reader) data(n *yaml.Node) Data { return r.tree(n, expr.Literal) }

// tree reads a tree whose texts are of the given kind where they are not templates: of a Logic tree only the scalar at
// its root is logic.
func (r *reader) tree(n *yaml.Node, plain expr.Kind) Data {
	n = r.resolve(n)
	if n == nil {
		return Data{}
	}
	switch n.Kind {
	case yaml.MappingNode:
		if r.quoteThis(n) {
			return Data{}
		}
		d := Data{Node: n}
		o, ok := r.object(n, "this")
		if !ok {
			return Data{}
		}
		d.Map = make([]Entry, len(o.Keys))
		for i, k := range o.Keys {
			d.Map[i] = Entry{Key: k, Data: r.data(k.Value)}
		}
		return d
	case yaml.SequenceNode:
		d := Data{Node: n, List: make([]Data, len(n.Content))}
		for i, c := range n.Content {
			d.List[i] = r.data(c)
		}
		return d
	default:
		s := r.scalar(n, plain, "this")
		if s == nil {
			return Data{}
		}
		return Data{Node: n, Scalar: s}
	}
}

// dataMap reads a map of data.
func (r *reader) dataMap(k Key) Data {
	n := r.resolve(k.Value)
	switch {
	case n == nil || isNull(n):
		return Data{}
	case n.Kind != yaml.MappingNode:
		r.fail(RuleType, n, "", "`%s` must be a map, not %s", k.Name, shape(n))
		return Data{}
	}
	return r.data(n)
}

// plain reads data without templates.
func (r *reader) plain(n *yaml.Node) any {
	n = r.resolve(n)
	if n == nil {
		return nil
	}
	switch n.Kind {
	case yaml.MappingNode:
		o, ok := r.object(n, "this")
		if !ok {
			return nil
		}
		out := make(map[string]any, len(o.Keys))
		for _, k := range o.Keys {
			out[k.Name] = r.plain(k.Value)
		}
		return out
	case yaml.SequenceNode:
		out := make([]any, len(n.Content))
		for i, c := range n.Content {
			out[i] = r.plain(c)
		}
		return out
	default:
		return r.literal(n)
	}
}

// str reads a text that is not rendered. Numbers and the like are taken as they are written.
func (r *reader) str(k Key) string {
	n := r.resolve(k.Value)
	if n == nil || isNull(n) {
		return ""
	}
	if n.Kind != yaml.ScalarNode {
		if !r.quoteThis(n) {
			r.fail(RuleType, n, "", "`%s` must be a text, not %s", k.Name, shape(n))
		}
		return ""
	}
	return n.Value
}

// fixed reads a text that is not rendered and says so when it holds a template.
func (r *reader) fixed(k Key) string {
	s := r.str(k)
	if isTemplate(s) {
		r.doubt(RuleType, k.Value, "write the value itself", "`%s` is not rendered: a template cannot stand here", k.Name)
		return ""
	}
	return s
}

func (r *reader) boolean(k Key) bool {
	n := r.resolve(k.Value)
	if n == nil {
		return false
	}
	if n.Kind == yaml.ScalarNode {
		switch {
		case n.Tag == "!!bool":
			return strings.EqualFold(n.Value, "true")
		case r.lenient() && strings.EqualFold(n.Value, "true"), r.lenient() && strings.EqualFold(n.Value, "yes"):
			return true
		case r.lenient() && (n.Value == "" || strings.EqualFold(n.Value, "false") || strings.EqualFold(n.Value, "no")):
			return false
		}
	}
	if !r.quoteThis(n) {
		r.fail(RuleType, n, "write true or false", "`%s` must be true or false, not %s", k.Name, shape(n))
	}
	return false
}

func (r *reader) number(k Key) float64 {
	n := r.resolve(k.Value)
	if n == nil {
		return 0
	}
	if n.Kind == yaml.ScalarNode && (n.Tag == "!!int" || n.Tag == "!!float") {
		switch v := r.literal(n).(type) {
		case int64:
			return float64(v)
		case float64:
			return v
		}
		return 0
	}
	if !r.quoteThis(n) {
		r.fail(RuleType, n, "", "`%s` must be a number, not %s", k.Name, shape(n))
	}
	return 0
}

// count reads a whole number in a range.
func (r *reader) count(k Key, least, most int64) int {
	n := r.resolve(k.Value)
	if n == nil {
		return 0
	}
	text := n.Value
	if n.Kind == yaml.ScalarNode && (n.Tag == "!!int" || r.lenient()) {
		if v, err := strconv.ParseInt(text, 10, 64); err == nil {
			if v < least || v > most {
				r.fail(RuleValue, n, "", "`%s` must be from %d to %d, not %d", k.Name, least, most, v)
				return 0
			}
			return int(v)
		}
	}
	if !r.quoteThis(n) {
		r.fail(RuleType, n, "", "`%s` must be a whole number, not %s", k.Name, shape(n))
	}
	return 0
}

func (r *reader) duration(k Key) Duration {
	n := r.resolve(k.Value)
	if n == nil || isNull(n) {
		return 0
	}
	if n.Kind != yaml.ScalarNode {
		if !r.quoteThis(n) {
			r.fail(RuleType, n, "", "`%s` must be a duration such as 30s, not %s", k.Name, shape(n))
		}
		return 0
	}
	if isTemplate(n.Value) {
		r.fail(RuleType, n, "write the duration itself", "`%s` is not rendered: a template cannot stand here", k.Name)
		return 0
	}
	if r.lenient() && n.Tag == "!!int" {
		if v, err := strconv.ParseInt(n.Value, 10, 32); err == nil && v >= 0 {
			return Duration(time.Duration(v) * time.Second)
		}
	}
	d, err := ParseDuration(n.Value)
	if err != nil {
		r.fail(RuleValue, n, "", "`%s`: %v", k.Name, err)
	}
	return Duration(d)
}

// texts reads a text or a list of texts that are not rendered. check, if there, looks at each.
func (r *reader) texts(k Key, check ...func(n *yaml.Node, s string)) []string {
	n := r.resolve(k.Value)
	if n == nil || isNull(n) {
		return nil
	}
	items := []*yaml.Node{n}
	if n.Kind != yaml.ScalarNode {
		items, _ = r.list(n, "`"+k.Name+"`")
	}
	out := make([]string, 0, len(items))
	for _, i := range items {
		i = r.resolve(i)
		s := r.fixed(Key{Name: k.Name, Node: k.Node, Value: i})
		if s == "" {
			continue
		}
		for _, c := range check {
			c(i, s)
		}
		out = append(out, s)
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// templates reads a text or a list of texts with templates.
func (r *reader) templates(k Key) []*Scalar {
	n := r.resolve(k.Value)
	if n == nil || isNull(n) {
		return nil
	}
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	out := make([]*Scalar, 0, len(items))
	for _, i := range items {
		if s := r.scalar(i, expr.Literal, "`"+k.Name+"`"); s != nil {
			out = append(out, s)
		}
	}
	return out
}

// labels reads a map of texts.
func (r *reader) labels(k Key) map[string]string {
	n := r.resolve(k.Value)
	if n == nil || isNull(n) {
		return nil
	}
	o, ok := r.object(n, "`"+k.Name+"`")
	if !ok {
		return nil
	}
	out := make(map[string]string, len(o.Keys))
	for _, e := range o.Keys {
		out[e.Name] = r.str(e)
	}
	return out
}
