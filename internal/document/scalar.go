package document

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/spelling"
	"github.com/tendhq/tend/internal/value"
)

// IsTemplate tells whether a text is rendered.
func IsTemplate(s string) bool { return strings.Contains(s, "{{") }

// Scalar reads a node as an expression of the given kind where its text is not a template: Literal, Logic or Path.
func (r *Reader) Scalar(n *yaml.Node, plain expr.Kind, what string) *Scalar {
	n = r.Resolve(n)
	if n == nil {
		return nil
	}
	if n.Kind != yaml.ScalarNode {
		if !r.Unquoted(n) {
			r.Fail(RuleType, n, "", "%s must be %s, not %s", what, expected(plain), Shape(n))
		}
		return nil
	}
	s := &Scalar{Node: n, Expr: expr.Expr{Kind: expr.Literal, Line: n.Line, Column: n.Column}}
	switch {
	case n.Tag != "!!str":
		s.Lit = r.literal(n)
	case IsTemplate(n.Value):
		s.Kind, s.Source = expr.Template, n.Value
	case plain == expr.Literal:
		s.Lit = n.Value
	default:
		if strings.TrimSpace(n.Value) == "" {
			r.Doubt(RuleValue, n, "write a condition, or leave the key out", "%s is empty", what)
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

// Text reads a text that may have templates.
func (r *Reader) Text(k Key) *Scalar { return r.Scalar(k.Value, expr.Literal, "`"+k.Name+"`") }

// Logic reads a condition: CEL, a template, or true and false.
func (r *Reader) Logic(k Key) *Scalar {
	s := r.Scalar(k.Value, expr.Logic, "`"+k.Name+"`")
	if s == nil || s.Kind != expr.Literal {
		return s
	}
	if _, ok := s.Lit.(bool); !ok {
		r.Doubt(RuleType, s.Node, "", "`%s` must be a condition, not %s", k.Name, Shape(s.Node))
		return nil
	}
	return s
}

// literal is the value of a plain scalar as YAML's core schema reads it. Dates stay texts.
func (r *Reader) literal(n *yaml.Node) any {
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
		r.Fail(RuleType, n, "remove the tag", "the YAML tag %s means nothing here", n.Tag)
		return nil
	}
}

func (r *Reader) decoded(n *yaml.Node) any {
	var v any
	if err := n.Decode(&v); err != nil {
		r.Fail(RuleType, n, "", "the number %s cannot be read", n.Value)
		return nil
	}
	v, err := value.Normalize(v)
	if err != nil {
		r.Fail(RuleType, n, "quote it if it is a text", "%s is not a number that JSON can hold", n.Value)
		return nil
	}
	if f, ok := v.(float64); ok && math.IsInf(f, 0) {
		return nil
	}
	return v
}

// Data reads a tree of values with templates in its texts.
func (r *Reader) Data(n *yaml.Node) Data { return r.Tree(n, expr.Literal) }

// Tree reads a tree whose texts are of the given kind where they are not templates: of a Logic tree only the scalar at
// its root is logic.
func (r *Reader) Tree(n *yaml.Node, plain expr.Kind) Data {
	n = r.Resolve(n)
	if n == nil {
		return Data{}
	}
	switch n.Kind {
	case yaml.MappingNode:
		if r.Unquoted(n) {
			return Data{}
		}
		d := Data{Node: n}
		o, ok := r.Object(n, "this")
		if !ok {
			return Data{}
		}
		d.Map = make([]Entry, len(o.Keys))
		for i, k := range o.Keys {
			d.Map[i] = Entry{Key: k, Data: r.Data(k.Value)}
		}
		return d
	case yaml.SequenceNode:
		d := Data{Node: n, List: make([]Data, len(n.Content))}
		for i, c := range n.Content {
			d.List[i] = r.Data(c)
		}
		return d
	default:
		s := r.Scalar(n, plain, "this")
		if s == nil {
			return Data{}
		}
		return Data{Node: n, Scalar: s}
	}
}

// Map reads a map of data.
func (r *Reader) Map(k Key) Data {
	n := r.Resolve(k.Value)
	switch {
	case n == nil || IsNull(n):
		return Data{}
	case n.Kind != yaml.MappingNode:
		r.Fail(RuleType, n, "", "`%s` must be a map, not %s", k.Name, Shape(n))
		return Data{}
	}
	return r.Data(n)
}

// Plain reads data without templates.
func (r *Reader) Plain(n *yaml.Node) any {
	n = r.Resolve(n)
	if n == nil {
		return nil
	}
	switch n.Kind {
	case yaml.MappingNode:
		o, ok := r.Object(n, "this")
		if !ok {
			return nil
		}
		out := make(map[string]any, len(o.Keys))
		for _, k := range o.Keys {
			out[k.Name] = r.Plain(k.Value)
		}
		return out
	case yaml.SequenceNode:
		out := make([]any, len(n.Content))
		for i, c := range n.Content {
			out[i] = r.Plain(c)
		}
		return out
	default:
		return r.literal(n)
	}
}

// Str reads a text that is not rendered. Numbers and the like are taken as they are written.
func (r *Reader) Str(k Key) string {
	n := r.Resolve(k.Value)
	if n == nil || IsNull(n) {
		return ""
	}
	if n.Kind != yaml.ScalarNode {
		if !r.Unquoted(n) {
			r.Fail(RuleType, n, "", "`%s` must be a text, not %s", k.Name, Shape(n))
		}
		return ""
	}
	return n.Value
}

// Fixed reads a text that is not rendered and says so when it holds a template.
func (r *Reader) Fixed(k Key) string {
	s := r.Str(k)
	if IsTemplate(s) {
		r.Doubt(RuleType, k.Value, "write the value itself", "`%s` is not rendered: a template cannot stand here", k.Name)
		return ""
	}
	return s
}

// OneOf reads one of a few words; what is another one is reported, with the word that was probably meant, and gives "".
func (r *Reader) OneOf(k Key, words ...string) string {
	s := r.Fixed(k)
	if s == "" || slices.Contains(words, s) {
		return s
	}
	r.Fail(RuleValue, k.Value, spelling.Suggest(s, words), "`%s` cannot be %q", k.Name, s)
	return ""
}

// Bool reads true or false.
func (r *Reader) Bool(k Key) bool {
	n := r.Resolve(k.Value)
	if n == nil {
		return false
	}
	if n.Kind == yaml.ScalarNode {
		switch {
		case n.Tag == "!!bool":
			return strings.EqualFold(n.Value, "true")
		case r.Lenient() && strings.EqualFold(n.Value, "true"), r.Lenient() && strings.EqualFold(n.Value, "yes"):
			return true
		case r.Lenient() && (n.Value == "" || strings.EqualFold(n.Value, "false") || strings.EqualFold(n.Value, "no")):
			return false
		}
	}
	if !r.Unquoted(n) {
		r.Fail(RuleType, n, "write true or false", "`%s` must be true or false, not %s", k.Name, Shape(n))
	}
	return false
}

// Number reads a number.
func (r *Reader) Number(k Key) float64 {
	n := r.Resolve(k.Value)
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
	if !r.Unquoted(n) {
		r.Fail(RuleType, n, "", "`%s` must be a number, not %s", k.Name, Shape(n))
	}
	return 0
}

// Count reads a whole number in a range.
func (r *Reader) Count(k Key, least, most int64) int {
	n := r.Resolve(k.Value)
	if n == nil {
		return 0
	}
	text := n.Value
	if n.Kind == yaml.ScalarNode && (n.Tag == "!!int" || r.Lenient()) {
		if v, err := strconv.ParseInt(text, 10, 64); err == nil {
			if v < least || v > most {
				r.Fail(RuleValue, n, "", "`%s` must be from %d to %d, not %d", k.Name, least, most, v)
				return 0
			}
			return int(v)
		}
	}
	if !r.Unquoted(n) {
		r.Fail(RuleType, n, "", "`%s` must be a whole number, not %s", k.Name, Shape(n))
	}
	return 0
}

// Duration reads a duration such as 30s, which is never rendered.
func (r *Reader) Duration(k Key) value.Duration {
	n := r.Resolve(k.Value)
	if n == nil || IsNull(n) {
		return 0
	}
	if n.Kind != yaml.ScalarNode {
		if !r.Unquoted(n) {
			r.Fail(RuleType, n, "", "`%s` must be a duration such as 30s, not %s", k.Name, Shape(n))
		}
		return 0
	}
	if IsTemplate(n.Value) {
		r.Fail(RuleType, n, "write the duration itself", "`%s` is not rendered: a template cannot stand here", k.Name)
		return 0
	}
	if r.Lenient() && n.Tag == "!!int" {
		if v, err := strconv.ParseInt(n.Value, 10, 32); err == nil && v >= 0 {
			return value.Duration(time.Duration(v) * time.Second)
		}
	}
	d, err := value.ParseDuration(n.Value)
	if err != nil {
		r.Fail(RuleValue, n, "", "`%s`: %v", k.Name, err)
	}
	return value.Duration(d)
}

// Texts reads a text or a list of texts that are not rendered. check, if there, looks at each.
func (r *Reader) Texts(k Key, check ...func(n *yaml.Node, s string)) []string {
	n := r.Resolve(k.Value)
	if n == nil || IsNull(n) {
		return nil
	}
	items := []*yaml.Node{n}
	if n.Kind != yaml.ScalarNode {
		items, _ = r.List(n, "`"+k.Name+"`")
	}
	out := make([]string, 0, len(items))
	for _, i := range items {
		i = r.Resolve(i)
		s := r.Fixed(Key{Name: k.Name, Node: k.Node, Value: i})
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

// Templates reads a text or a list of texts with templates.
func (r *Reader) Templates(k Key) []*Scalar {
	n := r.Resolve(k.Value)
	if n == nil || IsNull(n) {
		return nil
	}
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	out := make([]*Scalar, 0, len(items))
	for _, i := range items {
		if s := r.Scalar(i, expr.Literal, "`"+k.Name+"`"); s != nil {
			out = append(out, s)
		}
	}
	return out
}

// Labels reads a map of texts.
func (r *Reader) Labels(k Key) map[string]string {
	n := r.Resolve(k.Value)
	if n == nil || IsNull(n) {
		return nil
	}
	o, ok := r.Object(n, "`"+k.Name+"`")
	if !ok {
		return nil
	}
	out := make(map[string]string, len(o.Keys))
	for _, e := range o.Keys {
		out[e.Name] = r.Str(e)
	}
	return out
}
