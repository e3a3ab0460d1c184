package expr

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/expr/ref"
	"github.com/tendhq/tend/internal/secret"
)

// Value gives d as it stands among rendered values.
func (d Deferred) Value() map[string]any {
	names := make([]any, len(d.Secrets))
	for i, n := range d.Secrets {
		names[i] = n
	}
	return map[string]any{DeferredKey: map[string]any{"data": d.Data, "secrets": names, "template": d.Template}}
}

// AsDeferred reads a rendered value that is a Deferred.
func AsDeferred(v any) (Deferred, bool) {
	m, ok := v.(map[string]any)
	if !ok || len(m) != 1 {
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
	return d, true
}

// Finish renders d with the secrets that it names. Other secrets are refused: what was recorded and approved is what is
// used. Errors never hold a secret.
func (v *Evaluator) Finish(d Deferred, dia Dialect, get Secrets) (secret.Value, error) {
	c := v.compile(Template, d.Template, dia)
	if c.err != nil {
		return secret.Value{}, c.err
	}
	declared := make(map[string]bool, len(d.Secrets))
	for _, n := range d.Secrets {
		declared[n] = true
	}
	text, err := c.template.Finish(v.input(Scope{Root: d.Data, Dialect: dia}), func(name string) (string, error) {
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
