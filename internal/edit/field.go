package edit

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/fault"
)

// field finds the map that a field belongs to, and reads the field's path.
func (w *writer) field(path, field string) (*node, []token, error) {
	n := w.root
	if path != "" {
		var err error
		if n, err = w.step(path); err != nil {
			return nil, nil, err
		}
	}
	ts, err := parse(field)
	if err == nil && len(ts) == 0 {
		err = fault.New(fault.Invalid, "no field is named").WithNext("name one, such as `when` or `with.message`")
	}
	if err == nil && (ts[0].index >= 0 || path == "" && len(ts) == 1 && slices.Contains([]string{"apiVersion", "kind"}, ts[0].name)) {
		err = fault.New(fault.Invalid, "the field %q cannot be changed here", field)
	}
	return n, ts, err
}

// follow goes from a node to what a path leads to, as far as there is something.
func follow(n *node, ts []token) (at *node, left []token) {
	for i, t := range ts {
		var next *node
		switch {
		case t.index < 0:
			next = n.at(t.name)
		case n.y.Kind == yaml.SequenceNode && t.index < len(n.kids):
			next = n.kids[t.index]
		}
		if next == nil {
			return n, ts[i:]
		}
		n = next
	}
	return n, nil
}

// set gives a field a value.
func (w *writer) set(path, field string, v any) error {
	v = plainData(v)
	if m, ok := v.(map[string]any); ok && len(m) == 0 && field == "" {
		return fault.New(fault.Invalid, "there is nothing to set")
	}
	n, ts, err := w.field(path, field)
	if err != nil {
		return err
	}
	w.path = path
	at, left := follow(n, ts)
	if at.y.Kind == yaml.AliasNode || at.y.Anchor != "" {
		return refused(at, "what stands at %q has an anchor or is an alias", field).WithNext("change it in the text")
	}
	full := append(real(n), ts...)
	if len(left) == 0 {
		if equal(data(at.y), v) {
			return nil
		}
		w.want = alter(w.want, full, false, func(any) any { return v })
		return w.replace(at, v)
	}
	for i := len(left) - 1; i > 0; i-- { // what is in between is made
		if left[i].index > 0 {
			return fault.New(fault.Invalid, "there are no %d items before it at %q", left[i].index, field)
		}
		if left[i].index == 0 {
			v = []any{v}
		} else {
			v = map[string]any{left[i].name: v}
		}
	}
	here := append(real(at), left[0])
	empty := at.y.Kind == yaml.ScalarNode && at.y.Tag == "!!null"
	switch {
	case left[0].index >= 0:
		if at.y.Kind != yaml.SequenceNode || left[0].index != len(at.kids) {
			return fault.New(fault.Invalid, "there is no list with %d items at %q", left[0].index, field)
		}
		w.want = insert(w.want, real(at), left[0].index, v)
		return w.append(at, v)
	case at.y.Kind != yaml.MappingNode && !empty:
		return refused(at, "what stands at %q is no map", write(real(at))).WithNext("set all of it")
	}
	w.want = alter(w.want, here, false, func(any) any { return v })
	return w.newEntry(here[:len(here)-1], left[0].name, v)
}

// newEntry adds an entry to the map at a path.
func (w *writer) newEntry(path []token, name string, v any) error {
	m, _ := w.find(path)
	if m.flow() && len(m.kids) > 0 && inlineFits(v) {
		at := w.order(m, name)
		text := key(name, true) + ": " + inline(v, true)
		if at > 0 {
			end := m.kids[at-1].end
			return w.turn(w.src[:end] + ", " + text + w.src[end:])
		}
		from := m.kids[0].from
		return w.turn(w.src[:from] + text + ", " + w.src[from:])
	}
	m, err := w.expand(path)
	if err != nil {
		return err
	}
	lines := w.field2(name, v, w.formOf(m, name))
	if len(m.kids) == 0 {
		return w.fill(m, lines)
	}
	return w.turn(w.entry(m, name, lines))
}

// fill writes the first entries of a map that has none: `with:` or `with: {}`.
func (w *writer) fill(m *node, lines []string) error {
	line := w.line(max(m.from, m.start))
	column := w.indent(m) + 2
	before, rest := w.src[:m.start], w.src[m.end:]
	if m.key == nil {
		return w.turn(before + lines[0] + pad(lines[1:], column) + rest)
	}
	_ = line
	eol, below, _ := strings.Cut(rest, "\n")
	return w.turn(strings.TrimRight(before, " ") + eol + pad(lines, column) + "\n" + below)
}

func pad(lines []string, column int) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteByte('\n')
		if !blank(l) {
			b.WriteString(strings.Repeat(" ", column) + l)
		}
	}
	return b.String()
}

// order tells before which entry of a map a new one goes: where the reference has it, else at the end.
func (w *writer) order(m *node, name string) int {
	table := w.table(m)
	rank := table.Index(name)
	if table == nil || rank < 0 {
		return len(m.kids)
	}
	at := 0
	for i, k := range m.kids {
		if r := table.Index(k.name); r >= 0 && r < rank {
			at = i + 1
		}
	}
	return at
}

// entry gives the text with a new entry in a block map.
func (w *writer) entry(m *node, name string, lines []string) string {
	at := w.order(m, name)
	column := w.column(m.kids[0].from)
	padded := strings.Split(pad(lines, column)[1:], "\n")
	if at > 0 {
		k := m.kids[at-1]
		next := w.last(k, w.boundary(k)) + 1
		return strings.Join(slices.Insert(slices.Clone(w.lines), next, padded...), "\n")
	}
	// Before the first one, which may stand behind a dash.
	line := w.line(m.kids[0].from)
	prefix, rest := w.lines[line][:column], w.lines[line][column:]
	out := slices.Clone(w.lines)
	padded[0] = prefix + padded[0][column:]
	out[line] = strings.Repeat(" ", column) + rest
	return strings.Join(slices.Insert(out, line, padded...), "\n")
}

// append adds an item to a list.
func (w *writer) append(n *node, v any) error {
	if n.flow() && (len(n.kids) == 0 || inlineFits(v)) && inlineFits(v) {
		if len(n.kids) == 0 {
			return w.turn(w.src[:n.end-1] + inline(v, true) + w.src[n.end-1:])
		}
		end := n.kids[len(n.kids)-1].end
		return w.turn(w.src[:end] + ", " + inline(v, true) + w.src[end:])
	}
	n, err := w.expand(real(n))
	if err != nil {
		return err
	}
	if len(n.kids) == 0 {
		return w.begin(real(n), []chunk{{lines: w.itemOf(v, n.form.Item())}})
	}
	l, err := w.take(n)
	if err != nil {
		return err
	}
	l.put(len(l.items), chunk{lines: w.itemOf(v, n.form.Item())})
	return w.turn(w.give(l))
}

// replace puts another value in the place of one.
func (w *writer) replace(n *node, v any) error {
	inFlow := false
	for up := n.up; up != nil; up = up.up {
		inFlow = inFlow || up.flow()
	}
	if inFlow && !inlineFits(v) {
		var err error
		if n, err = w.expand(real(n)); err != nil {
			return err
		}
		inFlow = false
	}
	short := inlineFits(v) && (scalarData(v) || n.flow() || inFlow || emptyData(v))
	old := w.src[n.start:n.end]
	if short && !strings.Contains(old, "\n") && !n.block() {
		w.gone = append(w.gone, w.within(n.start, n.end)...)
		text := inline(v, inFlow)
		if n.start > 0 && strings.IndexByte(" \t[{\n", w.src[n.start-1]) < 0 {
			text = " " + text
		}
		return w.turn(w.src[:n.start] + text + w.src[n.end:])
	}
	w.gone = append(w.gone, w.within(n.start, n.end)...)
	first, last := w.line(n.from), w.line(max(n.end, n.from))
	if n.block() && n.key != nil && first < w.line(n.start) {
		w.gone = append(w.gone, w.within(w.starts[first], n.start)...)
	}
	var lines []string
	column := w.column(n.from)
	prefix := w.lines[first][:column]
	if n.key == nil {
		lines = w.itemOf(v, n.form)
	} else {
		lines = w.field2(n.name, v, n.form)
	}
	behind := w.src[n.end:min(w.starts[last]+len(w.lines[last]), len(w.src))]
	if !strings.Contains(old, "\n") && !n.block() && isComment(behind) {
		lines[0] += " " + strings.TrimSpace(behind)
	}
	padded := strings.Split(pad(lines, column)[1:], "\n")
	padded[0] = prefix + padded[0][column:]
	return w.turn(strings.Join(slices.Replace(slices.Clone(w.lines), first, last+1, padded...), "\n"))
}

// unset takes a field away. A map that would be left empty goes too.
func (w *writer) unset(path, field string) error {
	n, ts, err := w.field(path, field)
	if err != nil {
		return err
	}
	w.path = path
	k, left := follow(n, ts)
	if len(left) > 0 {
		return fault.New(fault.NotFound, "there is no %q to unset", field)
	}
	for k.up != n && k.up != nil && len(k.up.kids) == 1 && k.up.key != nil {
		k = k.up
	}
	if k.up == n && len(n.kids) == 1 {
		return refused(k, "nothing would be left of the step").WithNext("remove it")
	}
	w.want = drop(w.want, real(k))
	return w.cutEntry(k)
}

// cutEntry takes an entry out of a map, or an item out of a list, that has others.
func (w *writer) cutEntry(k *node) error {
	up := k.up
	if up.flow() {
		w.gone = append(w.gone, w.within(k.from, k.end)...)
		if k.index > 0 {
			return w.turn(w.src[:up.kids[k.index-1].end] + w.src[k.end:])
		}
		if len(up.kids) > 1 {
			return w.turn(w.src[:k.from] + w.src[up.kids[1].from:])
		}
		return w.turn(w.src[:k.from] + w.src[k.end:])
	}
	if k.key == nil {
		l, err := w.take(up)
		if err != nil {
			return err
		}
		w.removed(l.items[k.index].lines)
		l.cut(k.index, 1)
		return w.turn(w.give(l))
	}
	first, last := w.line(k.from), w.last(k, w.boundary(k))
	w.gone = append(w.gone, w.within(w.starts[first], w.starts[last]+len(w.lines[last])+1)...)
	column := w.column(k.from)
	prefix := w.lines[first][:column]
	out := slices.Delete(slices.Clone(w.lines), first, last+1)
	if !blank(prefix) { // it stands behind a dash, and what comes next stands there now
		if len(up.kids) < 2 {
			return refused(k, "nothing would be left of the step").WithNext("remove it")
		}
		next := w.line(up.kids[k.index+1].from)
		if next == last+1 {
			out[first] = prefix + out[first][column:]
		} else {
			out = slices.Insert(out, first, strings.TrimRight(prefix, " "))
		}
	}
	return w.turn(strings.Join(out, "\n"))
}

// field2 writes an entry of a block map, from column 0 on.
func (w *writer) field2(name string, v any, form document.Form) []string {
	return w.entryLines(key(name, false)+":", v, form)
}
