package program

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/spelling"
	"github.com/tendhq/tend/internal/value"
)

// Evaluator evaluates expressions; *expr.Evaluator is one.
type Evaluator interface {
	Value(e expr.Expr, s expr.Scope) (any, error)
}

// Bind gives a run its parameters: what is given, converted from texts where needed; defaults, rendered once over event
// and metadata; types, enum and pattern checked; nothing unknown, nothing required missing. All problems come in one
// error. An optional parameter that is not given is absent; in the older dialect it is an empty text.
func (p *Program) Bind(given, event, metadata map[string]any, ev Evaluator) (map[string]any, error) {
	scope := expr.Scope{Dialect: p.Dialect, Root: map[string]any{"event": orEmpty(event), "metadata": p.Metadata.Data(metadata)}}
	out := make(map[string]any, len(p.Parameters))
	var problems []string
	for i := range p.Parameters {
		q := &p.Parameters[i]
		v, ok, err := p.valueOf(q, given, scope, ev)
		if err != nil {
			problems = append(problems, fmt.Sprintf("parameter `%s` %v", q.Name, err))
			continue
		}
		if ok {
			out[q.Name] = v
		}
	}
	problems = append(problems, p.unknownParameters(given)...)
	if len(problems) == 0 {
		return out, nil
	}
	e := &fault.Error{Kind: fault.Invalid, Message: strings.Join(problems, "\n")}
	if len(p.Parameters) > 0 {
		return nil, e.WithNext("parameters of %s: %s", p.Metadata.Name, p.parameterList())
	}
	return nil, e.WithNext("%s has no parameters", p.Metadata.Name)
}

// valueOf gives the value of one parameter; ok is false when it has none.
func (p *Program) valueOf(q *contract.Parameter, given map[string]any, scope expr.Scope, ev Evaluator) (v any, ok bool, err error) {
	v, ok = given[q.Name]
	if ok && expr.Revealed(v) != nil {
		if v, err = normal(v); err != nil {
			return nil, false, err
		}
		if v, err = contract.ConvertParameter(v, *q); err != nil {
			return nil, false, err
		}
		if q.Required && !contract.Opaque(v) && value.Empty(expr.Revealed(v)) {
			return nil, false, fmt.Errorf("is required and empty")
		}
		return v, true, nil
	}
	if q.Default != nil {
		return defaulted(q, scope, ev)
	}
	switch {
	case q.Required:
		return nil, false, fmt.Errorf("is required and not given: -p %s=%s", q.Name, sample(q))
	case p.Dialect == expr.Lenient:
		return empty(q), true, nil
	default:
		return nil, false, nil
	}
}

// normal is value.Normalize for what may be veiled too.
func normal(v any) (any, error) {
	veiled, ok := v.(expr.Veiled)
	if !ok {
		return value.Normalize(v)
	}
	if contract.Opaque(v) {
		return v, nil
	}
	n, err := value.Normalize(veiled.Reveal())
	return expr.Veil(n), err
}

// empty is what the older dialect had for a parameter that was not given.
func empty(q *contract.Parameter) any {
	switch q.Type {
	case contract.List:
		return []any{}
	case contract.Map:
		return map[string]any{}
	case contract.Number, contract.Boolean:
		return nil
	default:
		return ""
	}
}

func defaulted(q *contract.Parameter, scope expr.Scope, ev Evaluator) (any, bool, error) {
	v, err := render(q.Default, scope, ev)
	if err != nil {
		return nil, false, fmt.Errorf("has a default that cannot be rendered: %w", err)
	}
	if contract.Opaque(v) {
		return nil, false, fmt.Errorf("has a secret as its default: give the secret's name, with type secret")
	}
	if v == nil {
		if scope.Dialect == expr.Lenient {
			return empty(q), true, nil
		}
		return nil, false, nil
	}
	// What a template renders to nothing is as good as not given, whatever the type.
	if s, ok := v.(string); ok && s == "" && q.Type != contract.String && scope.Dialect == expr.Lenient {
		return empty(q), true, nil
	}
	c, err := contract.ConvertParameter(v, *q)
	if err != nil {
		return nil, false, fmt.Errorf("has a default that %w", err)
	}
	return c, true, nil
}

func sample(q *contract.Parameter) string {
	switch {
	case len(q.Enum) > 0:
		return value.Text(q.Enum[0])
	case q.Type == contract.Number:
		return "1"
	case q.Type == contract.Boolean:
		return "true"
	case q.Type == contract.List:
		return "a,b"
	case q.Type == contract.Map:
		return `'{"key": "value"}'`
	default:
		return "…"
	}
}

func (p *Program) unknownParameters(given map[string]any) []string {
	names := make([]string, len(p.Parameters))
	for i := range p.Parameters {
		names[i] = p.Parameters[i].Name
	}
	var out []string
	for k := range given {
		if slices.Contains(names, k) {
			continue
		}
		s := fmt.Sprintf("there is no parameter `%s`", k)
		if near := spelling.Nearest(k, names); near != "" {
			s += fmt.Sprintf(": did you mean `%s`?", near)
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

func (p *Program) parameterList() string {
	var b strings.Builder
	for i := range p.Parameters {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(p.Parameters[i].Name)
		if !p.Parameters[i].Required {
			b.WriteString(" (optional)")
		}
	}
	return b.String()
}

// render evaluates a tree.
func render(t *expr.Tree, scope expr.Scope, ev Evaluator) (any, error) {
	switch {
	case t.Scalar != nil:
		return ev.Value(*t.Scalar, scope)
	case t.List != nil:
		out := make([]any, len(t.List))
		for i := range t.List {
			v, err := render(&t.List[i], scope, ev)
			if err != nil {
				return nil, fmt.Errorf("[%d]: %w", i, err)
			}
			out[i] = v
		}
		return out, nil
	case t.Map != nil:
		out := make(map[string]any, len(t.Map))
		for k, e := range t.Map {
			v, err := render(&e, scope, ev)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", k, err)
			}
			out[k] = v
		}
		return out, nil
	default:
		return nil, nil
	}
}

func orEmpty(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}
