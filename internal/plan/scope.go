package plan

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/secret"
)

// scope is the data that is known at a place, and the names that will be known only later.
type scope struct {
	root    map[string]any
	dialect expr.Dialect
	later   []string // names at the root, or params.NAME inside a module
	module  bool     // sees nothing but params
}

// with adds names that will be known only later.
func (s scope) with(names ...string) scope {
	s.later = append(slices.Clip(s.later), names...)
	return s
}

// let adds a name that is known.
func (s scope) let(name string, v any) scope {
	if name == "" {
		return s
	}
	s.root = maps.Clone(s.root)
	s.root[name] = v
	s.later = slices.DeleteFunc(slices.Clone(s.later), func(n string) bool { return n == name })
	return s
}

func (s scope) expr() expr.Scope { return expr.Scope{Root: s.root, Dialect: s.dialect} }

// open lists what an expression needs that is not known yet.
func (b *builder) open(e expr.Expr, s scope) []string {
	if e.Kind == expr.Literal || e.Kind == "" {
		return nil
	}
	uses, err := b.Eval.Uses(e, s.dialect)
	if err != nil {
		return nil // evaluating it says what is wrong
	}
	var out []string
	for _, u := range uses.Paths {
		if name := b.later(u.Path, s); name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	sort.Strings(out)
	return out
}

// later gives the name of what a path leads to when that is not known yet.
func (b *builder) later(path []string, s scope) string {
	if len(path) == 0 {
		if s.module && len(s.later) == 0 {
			return ""
		}
		return "all data"
	}
	first, whole := path[0], strings.Join(path[:min(len(path), 4)], ".")
	if slices.Contains(s.later, first) {
		return whole
	}
	if len(path) > 1 && slices.Contains(s.later, first+"."+path[1]) {
		return whole
	}
	if s.module {
		return ""
	}
	switch first {
	case "params", "event", "metadata":
		return ""
	case "steps":
		if len(path) > 1 && b.skipped[path[1]] {
			return ""
		}
		return whole
	case "run":
		if len(path) > 1 && (path[1] == "name" || path[1] == "by") {
			return ""
		}
		return whole
	}
	if _, known := s.root[first]; known {
		return ""
	}
	if s.dialect == expr.Lenient {
		return whole // an earlier step may put it at the root
	}
	return ""
}

// value renders one scalar, or says that it is open.
func (b *builder) value(e expr.Expr, s scope) (any, error) {
	if open := b.open(e, s); len(open) > 0 {
		return Open{Source: strings.TrimSpace(e.Source), DependsOn: open}, nil
	}
	v, err := b.Eval.Value(e, s.expr())
	if err != nil {
		return nil, err
	}
	return b.masked(v), nil
}

// masked hides what was left unrendered because it needs a secret, and the values of sensitive parameters.
func (b *builder) masked(v any) any {
	switch x := v.(type) {
	case string:
		for _, h := range b.hide {
			x = strings.ReplaceAll(x, h, secret.Mask)
		}
		return x
	case map[string]any:
		if _, ok := x[expr.DeferredKey]; ok && len(x) == 1 {
			return secret.Mask
		}
		out := make(map[string]any, len(x))
		for k, e := range x {
			out[k] = b.masked(e)
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = b.masked(e)
		}
		return out
	default:
		return v
	}
}

func (b *builder) tree(t expr.Tree, s scope) (any, error) {
	switch {
	case t.Scalar != nil:
		return b.value(*t.Scalar, s)
	case t.Map != nil:
		out := make(map[string]any, len(t.Map))
		for k, e := range t.Map {
			v, err := b.tree(e, s)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", k, err)
			}
			out[k] = v
		}
		return out, nil
	case t.List != nil:
		out := make([]any, len(t.List))
		for i, e := range t.List {
			v, err := b.tree(e, s)
			if err != nil {
				return nil, fmt.Errorf("[%d]: %w", i, err)
			}
			out[i] = v
		}
		return out, nil
	}
	return nil, nil
}

// trees renders a map of trees; what cannot be rendered is a problem and left out.
func (b *builder) trees(m map[string]expr.Tree, s scope, what string) (map[string]any, []string) {
	if len(m) == 0 {
		return nil, nil
	}
	out := make(map[string]any, len(m))
	var problems []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		v, err := b.tree(m[k], s)
		if err != nil {
			problems = append(problems, fmt.Sprintf("%s.%s: %v", what, k, err))
			continue
		}
		out[k] = v
	}
	return out, problems
}

// holds tells whether a value has an open part.
func holds(v any) bool {
	switch x := v.(type) {
	case Open:
		return true
	case map[string]any:
		for _, e := range x {
			if holds(e) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(x, holds)
	}
	return false
}
