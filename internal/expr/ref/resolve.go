package ref

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tendhq/tend/internal/value"
)

// Missing is the error of a path that leads nowhere.
type Missing struct {
	Path   Path // up to and with the step that is missing
	Reason string
}

func (m *Missing) Error() string { return m.Reason }

// Resolve follows p from base. A step that leads nowhere is a *Missing; behind a slice or wildcard, elements without the
// data are left out when skip is set. visit, if not nil, is told how many elements slices and wildcards go through; its
// error ends the search.
func Resolve(base any, p Path, skip bool, visit func(int) error) (any, error) {
	v := base
	for i, s := range p {
		if s.Kind == Slice || s.Kind == Each {
			r := spreader{path: p, skip: skip, visit: visit}
			if err := r.spread(v, i); err != nil {
				return nil, err
			}
			return slices.Clip(r.out), nil
		}
		next, ok := down(v, s)
		if !ok {
			return nil, missing(v, p, i)
		}
		v = next
	}
	return v, nil
}

func down(v any, s Step) (any, bool) {
	switch x := v.(type) {
	case map[string]any:
		if s.Kind == Key {
			e, ok := x[s.Key]
			return e, ok
		}
	case value.Object:
		return down(map[string]any(x), s)
	case []any:
		i := s.From
		if s.Kind == Key {
			n, err := strconv.Atoi(s.Key) // .list.0
			if err != nil || n < 0 {
				return nil, false
			}
			i = n
		}
		if i < 0 {
			i += len(x)
		}
		if i >= 0 && i < len(x) {
			return x[i], true
		}
	}
	return nil, false
}

// spreader collects what the steps behind a slice or wildcard lead to. Several of them give one flat list.
type spreader struct {
	path  Path
	skip  bool
	visit func(int) error
	out   []any
}

func (r *spreader) spread(v any, i int) error {
	elements, ok := elements(v, r.path[i])
	if !ok {
		if r.skip {
			return nil
		}
		return missing(v, r.path, i)
	}
	if r.visit != nil {
		if err := r.visit(len(elements)); err != nil {
			return err
		}
	}
	for _, e := range elements {
		if err := r.follow(e, i+1); err != nil {
			return err
		}
	}
	return nil
}

func (r *spreader) follow(v any, i int) error {
	for ; i < len(r.path); i++ {
		s := r.path[i]
		if s.Kind == Slice || s.Kind == Each {
			return r.spread(v, i)
		}
		next, ok := down(v, s)
		if !ok {
			if r.skip {
				return nil
			}
			return missing(v, r.path, i)
		}
		v = next
	}
	r.out = append(r.out, v)
	return nil
}

func elements(v any, s Step) ([]any, bool) {
	switch x := v.(type) {
	case []any:
		if s.Kind == Each {
			return x, true
		}
		from, to := Bounds(s, len(x))
		return x[from:to], true
	case value.Object:
		return elements(map[string]any(x), s)
	case map[string]any:
		if s.Kind == Slice {
			return nil, false
		}
		out := make([]any, 0, len(x))
		for _, k := range slices.Sorted(maps.Keys(x)) {
			out = append(out, x[k])
		}
		return out, true
	}
	return nil, false
}

// Bounds gives the part of a list of n elements that a Slice means: negative numbers count from the end, and what lies
// outside is cut off.
func Bounds(s Step, n int) (from, to int) {
	from, to = s.From, s.To
	if s.Open {
		to = n
	}
	if from < 0 {
		from += n
	}
	if to < 0 {
		to += n
	}
	from = min(max(from, 0), n)
	return from, min(max(to, from), n)
}

// missing says what is missing at step i, and what is there instead.
func missing(v any, p Path, i int) *Missing {
	whole := "the data"
	if i > 0 {
		whole = clip(strings.TrimPrefix(p[:i].String(), "."), 120)
	}
	s := p[i]
	m := &Missing{Path: p[:i+1]}
	switch x := v.(type) {
	case nil:
		m.Reason = fmt.Sprintf("%s is null and has no %s", whole, part(s))
	case map[string]any:
		if s.Kind != Key {
			m.Reason = fmt.Sprintf("%s is a map and has no %s", whole, part(s))
			break
		}
		m.Reason = fmt.Sprintf("%s has no %s%s", whole, part(s), Suggest(s.Key, slices.Collect(maps.Keys(x))))
	case []any:
		if s.Kind == Index {
			m.Reason = fmt.Sprintf("%s has no [%d]: it has %s", whole, s.From, count(len(x)))
			break
		}
		m.Reason = fmt.Sprintf("%s is a list and has no %s; [0] is its first element, [:] all of them", whole, part(s))
	default:
		m.Reason = fmt.Sprintf("%s is %s and has no %s", whole, Describe(v), part(s))
	}
	return m
}

func part(s Step) string {
	if s.Kind == Key {
		return strconv.Quote(clip(s.Key, 80))
	}
	return clip(Path{s}.String(), 80)
}

func count(n int) string {
	switch n {
	case 0:
		return "no elements"
	case 1:
		return "1 element"
	}
	return strconv.Itoa(n) + " elements"
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// Describe names the type of v for people: `a list`, `text`, `null`.
func Describe(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case int64, int, float64:
		return "a number"
	case string:
		return "text"
	case []any:
		return "a list"
	case map[string]any, value.Object:
		return "a map"
	}
	return "a value of another kind"
}

// Suggest answers `; did you mean "x"?` for the names nearest to name, or the names that there are if none is near and
// they are few, or nothing.
func Suggest(name string, names []string) string {
	const most, shown = 500, 6
	slices.Sort(names)
	type near struct {
		name string
		d    int
	}
	var found []near
	if len(names) <= most && len(name) <= 80 {
		for _, n := range names {
			if d := distance(name, n); d <= max(1, len(name)/3) && d < max(len(name), len(n)) || strings.EqualFold(name, n) {
				found = append(found, near{n, d})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b near) int { return cmp.Compare(a.d, b.d) })
	switch {
	case len(found) > 0:
		return fmt.Sprintf("; did you mean %q?", found[0].name)
	case len(names) == 0:
		return "; it is empty"
	case len(names) <= shown:
		quoted := make([]string, len(names))
		for i, n := range names {
			quoted[i] = clip(n, 40)
		}
		return "; it has " + strings.Join(quoted, ", ")
	}
	return ""
}

// distance is the number of edits between two short names. Names that differ only in case are one edit apart.
func distance(a, b string) int {
	if strings.EqualFold(a, b) {
		return 1
	}
	if len(b) > 80 {
		return len(b)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			edit := diagonal
			if a[i] != b[j] {
				edit++
			}
			diagonal = row[j+1]
			row[j+1] = min(edit, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
