package expr

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/expr/ref"
)

// later finds what in s.Later the paths of an expression lead to. A path to more than that is an error: what is around a
// secret cannot be used as a whole.
func (s Scope) later(paths []PathUse) ([]Later, error) {
	var out []Later
	for _, p := range paths {
		for _, l := range s.Later {
			switch n := shared(p.Path, l.Path); {
			case n < min(len(p.Path), len(l.Path)):
			case len(p.Path) < len(l.Path), slices.Contains(p.Path[:len(l.Path)], Element):
				return nil, misuse{fmt.Sprintf("`%s` holds the secret `%s`: name what is meant, as $.%s", cmp.Or(dotted(p.Path), "$"), l.Path[len(l.Path)-1], dotted(l.Path))}
			case l.Deferred.Template == "" && l.Deferred.Sealed == nil:
				return nil, misuse{fmt.Sprintf("`%s` is a list with a secret in it, which cannot be used as a whole", dotted(l.Path))}
			default:
				out = add(out, l.part(p.Path[len(l.Path):]))
			}
		}
	}
	return out, nil
}

// part is a member of what is sealed. Of a template only the whole is known to be a text.
func (l Later) part(rest []string) Later {
	if len(rest) == 0 || l.Deferred.Sealed == nil || slices.ContainsFunc(rest, func(k string) bool { return strings.HasPrefix(k, "[") }) {
		return l
	}
	l.Path = append(l.Path[:len(l.Path):len(l.Path)], rest...)
	l.Deferred.Part = append(l.Deferred.Part[:len(l.Deferred.Part):len(l.Deferred.Part)], rest...)
	return l
}

func add(list []Later, l Later) []Later {
	if slices.ContainsFunc(list, func(o Later) bool { return slices.Equal(o.Path, l.Path) }) {
		return list
	}
	return append(list, l)
}

// shared counts the segments that two paths have in common at their beginning. Any element of a list or map is every one.
func shared(a, b []string) int {
	n := 0
	for n < min(len(a), len(b)) && (a[n] == b[n] || a[n] == Element || b[n] == Element) {
		n++
	}
	return n
}

// meet tells whether one of two paths leads to what the other does, or into it.
func meet(a, b []string) bool { return shared(a, b) == min(len(a), len(b)) }

// bare tells whether an expression is nothing but the path to what is known later.
func bare(uses []PathUse, l Later, source string) bool {
	return len(uses) == 1 && slices.Equal(uses[0].Path, l.Path) && (uses[0].Length == 0 || uses[0].Length == len(strings.TrimSpace(source)))
}

func dotted(path []string) string {
	quoted := make([]string, len(path))
	for i, k := range path {
		if quoted[i] = k; !strings.HasPrefix(k, "[") {
			quoted[i] = ref.Quote(k)
		}
	}
	return strings.Join(quoted, ".")
}

// with gives root with a value for each of later in its place.
func with(root map[string]any, later []Later, v func(Later) any) map[string]any {
	if len(later) == 0 {
		return root
	}
	out := copied(root)
	for _, l := range later {
		at := out
		for _, k := range l.Path[:len(l.Path)-1] {
			below, _ := at[k].(map[string]any)
			below = copied(below)
			at[k] = below
			at = below
		}
		at[l.Path[len(l.Path)-1]] = v(l)
	}
	return out
}

func copied(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return maps.Clone(m)
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
