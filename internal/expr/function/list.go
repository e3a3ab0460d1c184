package function

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tendhq/tend/internal/expr/ref"
	"github.com/tendhq/tend/internal/value"
)

func listFunctions() []Function {
	return group(groupList,
		Function{Usage: "list VALUE...", Doc: "A list.", Max: -1, Secret: true, body: func(a *Args) any { return slices.Clone(a.values) }},
		Function{Usage: "tuple VALUE...", Doc: "The same as list.", Max: -1, Secret: true, body: func(a *Args) any { return slices.Clone(a.values) }},
		Function{Usage: "len VALUE", Doc: "The number of elements, of keys, or of bytes of a text.", Min: 1, Max: 1, body: length},
		Function{Usage: "index VALUE KEY...", Doc: "The element of a list or map, of the element of that, and so on.", Min: 1, Max: -1, body: index},
		Function{Usage: "slice VALUE START END", Doc: "The part of a list or text from START (0) up to END (its length).", Min: 1, Max: 3, body: slice},
		Function{Usage: "first LIST", Doc: "The first element, null if there is none.", Min: 1, Max: 1, body: first},
		Function{Usage: "last LIST", Doc: "The last element, null if there is none.", Min: 1, Max: 1, body: last},
		Function{Usage: "rest LIST", Doc: "All but the first element.", Min: 1, Max: 1, body: func(a *Args) any { l := a.listUnread(0); return l[min(1, len(l)):] }},
		Function{Usage: "initial LIST", Doc: "All but the last element.", Min: 1, Max: 1, body: func(a *Args) any { l := a.listUnread(0); return l[:max(0, len(l)-1)] }},
		Function{Usage: "append LIST VALUE", Doc: "A list with VALUE at its end.", Min: 2, Max: 2, body: func(a *Args) any { return append(slices.Clip(a.list(0)), a.any(1)) }},
		Function{Usage: "push LIST VALUE", Doc: "The same as append.", Min: 2, Max: 2, body: func(a *Args) any { return append(slices.Clip(a.list(0)), a.any(1)) }},
		Function{Usage: "prepend LIST VALUE", Doc: "A list with VALUE at its beginning.", Min: 2, Max: 2, body: func(a *Args) any { return append([]any{a.any(1)}, a.list(0)...) }},
		Function{Usage: "concat LIST...", Doc: "One list of the elements of all.", Max: -1, body: concat},
		Function{Usage: "reverse LIST", Doc: "In the opposite order.", Min: 1, Max: 1, body: reverse},
		Function{Usage: "uniq LIST", Doc: "Without repeated elements.", Min: 1, Max: 1, body: uniq},
		Function{Usage: "without LIST VALUE...", Doc: "Without elements that are one of the values.", Min: 1, Max: -1, body: without},
		Function{Usage: "has VALUE LIST", Doc: "True if LIST has an element VALUE.", Min: 2, Max: 2, Guards: true, body: has},
		Function{Usage: "compact LIST", Doc: "Without empty elements.", Min: 1, Max: 1, body: compact},
		Function{Usage: "chunk SIZE LIST", Doc: "A list of lists of SIZE elements.", Min: 2, Max: 2, body: chunk},
		Function{Usage: "sortAlpha LIST", Doc: "The elements as texts, sorted.", Min: 1, Max: 1, body: sortAlpha},
		Function{Usage: "join SEPARATOR LIST", Doc: "The elements as one text; null is left out.", Min: 2, Max: 2, Secret: true, body: join},
		Function{Usage: "splitList SEPARATOR TEXT", Doc: "A list of the parts.", Min: 2, Max: 2, body: splitList},
		Function{Usage: "split SEPARATOR TEXT", Doc: "A map of the parts: _0, _1, …", Min: 2, Max: 2, body: func(a *Args) any { return a.numbered(a.text(0), a.text(1), -1) }},
		Function{Usage: "splitn SEPARATOR COUNT TEXT", Doc: "split into at most COUNT parts.", Min: 3, Max: 3, body: func(a *Args) any { return a.numbered(a.text(0), a.text(2), a.int(1)) }},
		Function{Usage: "toStrings LIST", Doc: "The elements as texts.", Min: 1, Max: 1, body: func(a *Args) any { return value.Texts(a.strings(a.elements(0))) }},
	)
}

func length(a *Args) any {
	switch x := a.any(0).(type) {
	case string:
		return int64(len(x))
	case []any:
		return int64(len(x))
	case map[string]any:
		return int64(len(x))
	case value.Object:
		return int64(len(x))
	}
	if !a.null(0, "a list, a map or text") {
		a.wrong(0, "a list, a map or text")
	}
	return int64(0)
}

// index goes down like a path; what is missing is an error of kind *ref.Missing, and null for Lenient.
func index(a *Args) any {
	path := make(ref.Path, 0, a.len()-1)
	for i := 1; i < a.len(); i++ {
		switch x := a.any(i).(type) {
		case string:
			path = append(path, ref.Step{Kind: ref.Key, Key: x})
		case int64:
			if x < 0 || x > 1<<31 {
				return a.fail("[%d] is no index", x)
			}
			path = append(path, ref.Step{Kind: ref.Index, From: int(x)})
		default:
			a.wrong(i, "a key or an index")
			return nil
		}
	}
	v, err := ref.Resolve(a.any(0), path, false, nil)
	if err != nil && !a.Lenient {
		a.try(err)
	}
	return v
}

func slice(a *Args) any {
	if s, ok := a.any(0).(string); ok && !(a.Lenient && s == "") {
		from, to := a.bounds(utf8.RuneCountInString(s))
		return string([]rune(s)[from:to])
	}
	l := a.listUnread(0)
	from, to := a.bounds(len(l))
	return l[from:to:to]
}

// bounds reads START and END for n elements. What lies outside is cut off for Lenient and an error for Strict.
func (a *Args) bounds(n int) (int, int) {
	from, to := int64(0), int64(n)
	if a.len() > 1 {
		from = a.int(1)
	}
	if a.len() > 2 {
		to = a.int(2)
	}
	if !a.Lenient && (from < 0 || to > int64(n) || from > to) {
		a.fail("%d to %d is outside of %d elements", from, to, n)
	}
	from = min(max(from, 0), int64(n))
	return int(from), int(min(max(to, from), int64(n)))
}

func first(a *Args) any {
	if l := a.listUnread(0); len(l) > 0 {
		return l[0]
	}
	return nil
}

func last(a *Args) any {
	if l := a.listUnread(0); len(l) > 0 {
		return l[len(l)-1]
	}
	return nil
}

func concat(a *Args) any {
	out := []any{}
	for i := range a.len() {
		if l := a.list(i); !a.failed() {
			out = append(out, l...)
		}
	}
	return out
}

func reverse(a *Args) any {
	out := slices.Clone(a.list(0))
	slices.Reverse(out)
	return out
}

// same tells whether two values are the same without crossing types: "1" is not 1. It is for lists, whose elements are
// told apart by it.
func same(x, y any) bool {
	switch x := x.(type) {
	case []any:
		y, ok := y.([]any)
		return ok && slices.EqualFunc(x, y, same)
	case map[string]any:
		y, ok := y.(map[string]any)
		return ok && maps.EqualFunc(x, y, same)
	case int64, float64:
		if isText(y) {
			return false
		}
		c, ok := value.Compare(x, y)
		return ok && c == 0
	}
	switch y.(type) {
	case []any, map[string]any:
		return false
	}
	return x == y
}

// contains answers whether list has v, and pays for looking at every element.
func (a *Args) contains(list []any, v any) bool {
	if !a.try(a.Budget.Spend(len(list)*workValue)) || !a.try(a.Budget.Weigh(v)) {
		return false
	}
	for _, e := range list {
		switch e.(type) {
		case []any, map[string]any:
			if !a.try(a.Budget.Weigh(e)) {
				return false
			}
		}
		if same(e, v) {
			return true
		}
	}
	return false
}

func uniq(a *Args) any {
	out := []any{}
	seen := map[string]bool{} // texts are the usual case
	for _, e := range a.list(0) {
		if a.failed() {
			return nil
		}
		if s, ok := e.(string); ok {
			if seen[s] {
				continue
			}
			seen[s] = true
		} else if a.contains(out, e) {
			continue
		}
		out = append(out, e)
	}
	return out
}

func without(a *Args) any {
	out := []any{}
	for _, e := range a.list(0) {
		if a.failed() {
			return nil
		}
		if !a.contains(a.values[1:], e) {
			out = append(out, e)
		}
	}
	return out
}

func has(a *Args) any {
	if a.any(1) == nil {
		return false
	}
	return a.contains(a.list(1), a.any(0))
}

func compact(a *Args) any {
	out := []any{}
	for _, e := range a.list(0) {
		if Truth(e) {
			out = append(out, e)
		}
	}
	return out
}

func chunk(a *Args) any {
	n, l := a.int(0), a.list(1)
	if n <= 0 {
		return a.fail("cannot make chunks of %d elements", n)
	}
	out := []any{}
	for part := range slices.Chunk(l, int(min(n, int64(max(len(l), 1))))) {
		out = append(out, part)
	}
	return out
}

// elements gives argument i as a list; a single value is a list of one.
func (a *Args) elements(i int) []any {
	switch a.any(i).(type) {
	case []any, nil:
		return a.list(i)
	}
	return []any{a.any(i)}
}

// strings prints the elements, without null.
func (a *Args) strings(list []any) []string {
	out := make([]string, 0, len(list))
	for _, e := range list {
		if e != nil && !a.failed() {
			out = append(out, a.print(e))
		}
	}
	return out
}

func sortAlpha(a *Args) any {
	out := a.strings(a.elements(0))
	if !a.try(a.Budget.Spend(len(out) * workElement * 4)) {
		return nil
	}
	slices.Sort(out)
	return value.Texts(out)
}

func join(a *Args) any { return a.join(a.text(0), a.elements(1)) }

func (a *Args) join(sep string, list []any) any {
	var b strings.Builder
	for i, s := range a.strings(list) {
		if !a.grow(b.Len(), len(sep)+len(s)) {
			return nil
		}
		if i > 0 {
			b.WriteString(sep)
		}
		b.WriteString(s)
	}
	return b.String()
}

func splitList(a *Args) any {
	sep, s := a.text(0), a.text(1)
	return a.texts(strings.SplitN(s, sep, a.most(-1)))
}

func (a *Args) numbered(sep, s string, n int64) any {
	parts := strings.SplitN(s, sep, a.most(n))
	if !a.visit(len(parts)) {
		return nil
	}
	out := make(map[string]any, len(parts))
	for i, p := range parts {
		out["_"+value.Text(i)] = p
	}
	return out
}
