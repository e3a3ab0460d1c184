package edit

import (
	"encoding/json"
	"maps"
	"slices"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/fault"
)

// data gives what a node says, without how it is written. Maps have no order.
func data(n *yaml.Node) any {
	switch n.Kind {
	case yaml.AliasNode:
		return data(n.Alias)
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = data(n.Content[i+1])
		}
		return m
	case yaml.SequenceNode:
		l := make([]any, len(n.Content))
		for i := range n.Content {
			l[i] = data(n.Content[i])
		}
		return l
	default:
		var v any
		if n.Decode(&v) != nil {
			return n.Value
		}
		return v
	}
}

// plainData brings a value into the form that data has.
func plainData(v any) any {
	b, err := json.Marshal(v)
	if err != nil {
		return v
	}
	var out any
	if json.Unmarshal(b, &out) != nil {
		return v
	}
	return out
}

func equal(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

// alter gives the data with what stands at a path changed: f gets what is there (nil: nothing) and gives what will be. It
// does not change what it is given. With drop the entry goes, in place of f.
func alter(v any, ts []token, drop bool, f func(any) any) any {
	if len(ts) == 0 {
		return f(v)
	}
	t := ts[0]
	if t.index >= 0 {
		l, _ := v.([]any)
		l = slices.Clone(l)
		switch {
		case t.index < len(l) && drop && len(ts) == 1:
			return slices.Delete(l, t.index, t.index+1)
		case t.index < len(l):
			l[t.index] = alter(l[t.index], ts[1:], drop, f)
		}
		return l
	}
	m, _ := v.(map[string]any)
	m = maps.Clone(m)
	if m == nil {
		m = map[string]any{}
	}
	if drop && len(ts) == 1 {
		delete(m, t.name)
		return m
	}
	m[t.name] = alter(m[t.name], ts[1:], drop, f)
	return m
}

// look gives what stands at a path; nil where nothing does.
func look(v any, ts []token) any {
	for _, t := range ts {
		switch x := v.(type) {
		case map[string]any:
			if t.index >= 0 {
				return nil
			}
			v = x[t.name]
		case []any:
			if t.index < 0 || t.index >= len(x) {
				return nil
			}
			v = x[t.index]
		default:
			return nil
		}
	}
	return v
}

// insert puts values into the list at a path.
func insert(v any, list []token, at int, items ...any) any {
	return alter(v, list, false, func(old any) any {
		l, _ := old.([]any)
		return slices.Insert(slices.Clone(l), min(at, len(l)), items...)
	})
}

func drop(v any, ts []token) any { return alter(v, ts, true, nil) }

// same compares the text that was written with the data that it must hold, and its comments with those that it had.
func (w *writer) same(before *page) error {
	broken := func(what string) error {
		return fault.New(fault.Conflict, "this cannot be changed here without %s", what).WithNext("write it in the text, or bring the file into its canonical form first")
	}
	if !equal(data(w.root.y), w.want) {
		return broken("changing something else")
	}
	left := map[string]int{}
	for _, c := range w.comments() {
		left[c.text]++
	}
	for _, c := range w.gone {
		left[c]++
	}
	for _, c := range before.comments() {
		if left[c.text]--; left[c.text] < 0 {
			return broken("losing the comment " + c.text)
		}
	}
	return nil
}
