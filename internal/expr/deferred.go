package expr

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/expr/ref"
	"github.com/tendhq/tend/internal/expr/template"
	"github.com/tendhq/tend/internal/secret"
)

// Value gives d as it stands among rendered values.
func (d Deferred) Value() map[string]any {
	names := make([]any, len(d.Secrets))
	for i, n := range d.Secrets {
		names[i] = n
	}
	inner := map[string]any{"data": d.Data, "secrets": names, "template": d.Template}
	if d.Dialect != "" {
		inner["dialect"] = string(d.Dialect)
	}
	if len(d.Params) > 0 {
		params := make(map[string]any, len(d.Params))
		for name, p := range d.Params {
			params[name] = p.Value()
		}
		inner["params"] = params
	}
	return map[string]any{DeferredKey: inner}
}

// Separate takes what is Deferred out of the inputs of a module, which were rendered in dialect, for the Scope in which
// its body is rendered. Only inputs as a whole are taken: one that hides a secret in a list or map stays as it is, and
// cannot be used.
func Separate(inputs map[string]any, dialect Dialect) (known map[string]any, later map[string]Deferred) {
	for name, v := range inputs {
		d, ok := AsDeferred(v)
		if !ok {
			continue
		}
		if later == nil {
			known, later = maps.Clone(inputs), map[string]Deferred{}
		}
		if d.Dialect == "" {
			d.Dialect = dialect
		}
		delete(known, name)
		later[name] = d
	}
	if later == nil {
		return inputs, nil
	}
	return known, later
}

// Carry marks what is Deferred among the inputs of a call, which were rendered in dialect, so that the called playbook can
// finish it under its own.
func Carry(inputs map[string]any, dialect Dialect) map[string]any {
	known, later := Separate(inputs, dialect)
	for name, d := range later {
		known[name] = d.Value()
	}
	return known
}

// later finds the members of s.Later that paths lead to.
func (s Scope) later(paths []PathUse) (map[string]Deferred, error) {
	if len(s.Later) == 0 {
		return nil, nil
	}
	out := map[string]Deferred{}
	for _, p := range paths {
		switch {
		case len(p.Path) > 0 && p.Path[0] != "params":
		case len(p.Path) < 2 || strings.HasPrefix(p.Path[1], "["):
			return nil, errLaterWhole
		default:
			if d, ok := s.Later[p.Path[1]]; ok {
				out[p.Path[1]] = d
			}
		}
	}
	return out, nil
}

var (
	errLaterWhole = errors.New("params holds a secret: name the one that is meant, as $.params.name")
	errLaterLogic = errors.New("a secret cannot be used here")
)

// withParams gives root with the members of params.
func withParams(root map[string]any, members map[string]any) map[string]any {
	if len(members) == 0 {
		return root
	}
	out := maps.Clone(root)
	if out == nil {
		out = map[string]any{}
	}
	params, _ := out["params"].(map[string]any)
	params = maps.Clone(params)
	if params == nil {
		params = map[string]any{}
	}
	maps.Copy(params, members)
	out["params"] = params
	return out
}

func seal(later map[string]Deferred) map[string]any {
	out := make(map[string]any, len(later))
	for name := range later {
		out[name] = template.Sealed()
	}
	return out
}

// AsDeferred reads a rendered value that is a Deferred.
func AsDeferred(v any) (Deferred, bool) { return asDeferred(v, 0) }

func asDeferred(v any, depth int) (Deferred, bool) {
	m, ok := v.(map[string]any)
	if !ok || len(m) != 1 || depth > maxCalls {
		return Deferred{}, false
	}
	inner, ok := m[DeferredKey].(map[string]any)
	if !ok {
		return Deferred{}, false
	}
	var d Deferred
	if d.Template, ok = inner["template"].(string); !ok {
		return Deferred{}, false
	}
	if d.Data, ok = inner["data"].(map[string]any); !ok && inner["data"] != nil {
		return Deferred{}, false
	}
	names, ok := inner["secrets"].([]any)
	if !ok {
		return Deferred{}, false
	}
	for _, n := range names {
		name, ok := n.(string)
		if !ok {
			return Deferred{}, false
		}
		d.Secrets = append(d.Secrets, name)
	}
	if dialect, ok := inner["dialect"].(string); ok {
		d.Dialect = Dialect(dialect)
	}
	params, _ := inner["params"].(map[string]any)
	for name, v := range params {
		p, ok := asDeferred(v, depth+1)
		if !ok {
			return Deferred{}, false
		}
		if d.Params == nil {
			d.Params = map[string]Deferred{}
		}
		d.Params[name] = p
	}
	return d, true
}

// maxCalls bounds through how many modules a secret is handed on.
const maxCalls = 50

// Finish renders d with the secrets that it names. Other secrets are refused: what was recorded and approved is what is
// used. Errors never hold a secret.
func (v *Evaluator) Finish(d Deferred, dia Dialect, get Secrets) (secret.Value, error) {
	if d.Dialect != "" {
		dia = d.Dialect
	}
	c := v.compile(Template, d.Template, dia)
	if c.err != nil {
		return secret.Value{}, c.err
	}
	texts := make(map[string]any, len(d.Params))
	for name, p := range d.Params {
		text, err := v.Finish(p, dia, get)
		if err != nil {
			return secret.Value{}, err
		}
		texts[name] = text.Reveal()
	}
	declared := make(map[string]bool, len(d.Secrets))
	for _, n := range d.Secrets {
		declared[n] = true
	}
	in := v.input(Scope{Root: withParams(d.Data, seal(d.Params)), Dialect: dia})
	text, err := c.template.Finish(in, withParams(d.Data, texts), func(name string) (string, error) {
		if !declared[name] {
			return "", &Error{Source: d.Template, Offset: -1, Reason: fmt.Sprintf("the secret %q is not among those that were recorded (%s)", name, strings.Join(d.Secrets, ", "))}
		}
		s, err := get(name)
		return s.Reveal(), err
	})
	if at := (*ref.Error)(nil); errors.As(err, &at) {
		return secret.Value{}, place(d.Template, err)
	}
	if err != nil {
		return secret.Value{}, err // of get: its kind says whether the secret is not there or could not be asked for
	}
	return secret.New(text), nil
}

// prune keeps of root what the paths lead to. Below an index or a wildcard everything is kept.
func prune(root map[string]any, paths []PathUse) map[string]any {
	const sep = "\x00"
	cut := make([][]string, 0, len(paths))
	for _, p := range paths {
		n := slices.IndexFunc(p.Path, func(s string) bool { return strings.HasPrefix(s, "[") })
		if n < 0 {
			n = len(p.Path)
		}
		if n == 0 {
			return root
		}
		cut = append(cut, p.Path[:n])
	}
	// Short paths first: what leads below one that is kept is kept already.
	slices.SortStableFunc(cut, func(a, b []string) int { return cmp.Compare(len(a), len(b)) })
	out, whole := map[string]any{}, map[string]bool{}
paths:
	for _, path := range cut {
		for n := range len(path) {
			if whole[strings.Join(path[:n+1], sep)] {
				continue paths
			}
		}
		whole[strings.Join(path, sep)] = true
		keep(out, root, path)
	}
	return out
}

// keep makes the way along path in to as it is in from, and shares what is at its end.
func keep(to, from map[string]any, path []string) {
	v, ok := from[path[0]]
	if !ok {
		return
	}
	below, isMap := v.(map[string]any)
	if len(path) == 1 || !isMap {
		to[path[0]] = v
		return
	}
	inner, there := to[path[0]].(map[string]any)
	if !there {
		inner = map[string]any{}
		to[path[0]] = inner
	}
	keep(inner, below, path[1:])
}
