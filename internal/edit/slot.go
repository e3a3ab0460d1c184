package edit

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/language"
	"github.com/tendhq/tend/internal/playbook"
)

// slots are the places of a step that hold one step of their own.
func slots() []string { return []string{"verify", "undo"} }

// onlyCheck are the keys that say how long a check looks: a step of a list has none of them.
func onlyCheck() []string { return []string{"until", "within", "every"} }

// slot reads a place as one of a step that holds one step: steps[1].verify. ok is false for places in lists.
func slot(to Place) (step, name string, ok bool) {
	if to.Into == "" || to.Before != "" || to.After != "" {
		return "", "", false
	}
	ts, err := parse(to.Into)
	if err != nil || len(ts) < 2 {
		return "", "", false
	}
	last := ts[len(ts)-1]
	if last.index >= 0 || !slices.Contains(slots(), last.name) {
		return "", "", false
	}
	return write(ts[:len(ts)-1]), last.name, true
}

// inSlot finds the step that stands in such a place; nil where the path is another one.
func (w *writer) inSlot(path string) *node {
	ts, err := parse(path)
	if err != nil || len(ts) == 0 || ts[len(ts)-1].index >= 0 || !slices.Contains(slots(), ts[len(ts)-1].name) {
		return nil
	}
	n, left := w.find(ts)
	if len(left) > 0 || n.y.Kind != yaml.MappingNode || n.up == nil || n.up.form != "step" {
		return nil
	}
	return n
}

// holder finds the step whose verify or undo something is to be.
func (w *writer) holder(path, name string) (*node, error) {
	n, err := w.step(path)
	switch {
	case err != nil:
		return nil, err
	case n.form != "step" || n.at("uses") == nil:
		return nil, refused(n, "only a step that uses something can have a `%s`", name).WithNext("give it to a step in the block")
	case playbook.IsVerb(n.at("uses").y.Value) && n.at("uses").y.Value != "playbook":
		return nil, refused(n.at("uses"), "`%s` means nothing for `%s`, which is a command of the run", name, n.at("uses").y.Value).WithNext("give it to a step that acts")
	case n.at(name) != nil:
		return nil, refused(n.at(name), "the step has a `%s` already", name).WithNext("take that one away first")
	}
	return n, nil
}

// fitting tells what of a step cannot stand in a place.
func (w *writer) fitting(n *node, name string) error {
	if n.at("uses") == nil {
		return refused(n, "a block cannot be a `%s`", name).WithNext("use a step, or a module that has the steps")
	}
	if uses := n.at("uses"); playbook.IsVerb(uses.y.Value) {
		return refused(uses, "a `%s` cannot use `%s`, which is a command of the run", name, uses.y.Value).WithNext("use an action, or a module of one action")
	}
	table := w.slotTable(name)
	for _, k := range n.kids {
		if k.name != "id" && !table.Has(k.name) {
			return refused(k, "a `%s` has no `%s`", name, k.name).WithNext("unset it first")
		}
	}
	if id := n.at("id"); id != nil && w.referred(id.y.Value) {
		return refused(id, "what it gives is used elsewhere as steps.%s, and a `%s` gives nothing", id.y.Value, name).WithNext("take the reference away first")
	}
	return nil
}

func (w *writer) slotTable(name string) document.Table {
	form := document.Form("undo")
	if name == "verify" {
		form = "check"
	}
	return language.Table(form, w.dialect)
}

// referred tells whether something uses what a step gives.
func (w *writer) referred(id string) bool {
	refs, found := references(id), false
	walk(w.root, func(k *node) {
		if found || k.y.Kind != yaml.ScalarNode {
			return
		}
		text := w.src[k.start:k.end]
		for _, span := range code(k, text) {
			found = found || refs.MatchString(text[span[0]:span[1]])
		}
	})
	return found
}

// attach puts a chunk, which says v, into a place of a step. more is set in it besides.
func (w *writer) attach(step, name string, c chunk, v map[string]any) error {
	more, _ := plainData(w.op.Value).(map[string]any)
	n, err := w.holder(step, name)
	if err != nil {
		return err
	}
	ts := real(n)
	m, err := w.expand(ts)
	if err != nil {
		return err
	}
	w.want = alter(w.want, append(slices.Clone(ts), token{name: name, index: -1}), false, func(any) any { return v })
	if err := w.turn(w.entry(m, name, entryOf(name, c))); err != nil {
		return err
	}
	path := w.display(append(slices.Clone(ts), token{name: name, index: -1}))
	if w.op.Do == Move {
		for _, k := range slices.Sorted(keysOf(more)) {
			if _, there := v[k]; there {
				continue
			}
			if err := w.set(path, k, more[k]); err != nil {
				return err
			}
		}
	}
	w.path = path
	return nil
}

func keysOf(m map[string]any) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// entryOf writes an item of a list as the entry of a map, from column 0 on: comments above it go into it.
func entryOf(name string, c chunk) []string {
	n := 0
	for n < len(c.lines)-1 && (isComment(c.lines[n]) || blank(c.lines[n])) {
		n++
	}
	head, lines := c.lines[:n], c.lines[n:]
	first := lines[0][min(c.column+1, len(lines[0])):] // behind the dash
	deep := c.column + 1 + margin(first)
	first = strings.TrimLeft(first, " ")
	if strings.HasPrefix(first, "{") {
		out := []string{name + ": " + first}
		for _, s := range lines[1:] {
			out = append(out, reindent(s, deep, 2))
		}
		// A map in brackets has no place for comments above it but above its key.
		above := make([]string, 0, len(head)+len(out))
		for _, s := range head {
			above = append(above, strings.TrimSpace(s))
		}
		return append(above, out...)
	}
	out := []string{name + ":"}
	for _, s := range head {
		out = append(out, reindent(s, c.column, 2))
	}
	out = append(out, "  "+first)
	for _, s := range lines[1:] {
		out = append(out, reindent(s, deep, 2))
	}
	return out
}

// reindent moves a line that stands at a column, or deeper, to another one.
func reindent(s string, from, to int) string {
	if blank(s) {
		return s
	}
	return strings.Repeat(" ", max(margin(s)-from, 0)+to) + strings.TrimLeft(s, " ")
}

// moveToSlot makes a step of a list the verify or undo of another one.
func (w *writer) moveToSlot(step, name string) error {
	n, err := w.inList(w.op.Path)
	if err != nil {
		return err
	}
	to, err := w.holder(step, name)
	if err != nil {
		return err
	}
	from, into := real(n), real(to)
	if len(into) >= len(from) && write(into[:len(from)]) == write(from) {
		return fault.New(fault.Invalid, "a step cannot be its own `%s`", name)
	}
	if err := w.fitting(n, name); err != nil {
		return err
	}
	if id := n.at("id"); id != nil {
		w.want = drop(w.want, real(id))
		if err := w.cutEntry(id); err != nil {
			return err
		}
	}
	at, l, v, err := w.pull(w.op.Path)
	if err != nil {
		return err
	}
	says, _ := v.(map[string]any)
	if err := w.attach(step, name, l.items[at.index], says); err != nil {
		return err
	}
	gone, path := w.gone, into
	w.op.Path = w.shown(from[:len(from)-1], from[len(from)-1].index)
	if err := w.remove(); err != nil {
		return err
	}
	w.gone = gone // they are not gone but moved
	if d := len(from) - 1; len(path) > d && write(path[:d]) == write(from[:d]) && path[d].index > from[d].index {
		path[d].index--
	}
	w.path = w.display(append(path, token{name: name, index: -1}))
	return nil
}

// moveFromSlot makes the verify or undo of a step a step of a list. What only a check says goes: how long it looks, and for
// what.
func (w *writer) moveFromSlot(n *node) error {
	if n.at("uses") == nil {
		return refused(n, "there is no step in it that could be moved").WithNext("change it in the text")
	}
	if _, _, ok := slot(w.op.Place); ok {
		return fault.New(fault.Invalid, "it can only be moved into a list").WithNext("make it a step of its own first")
	}
	s, err := w.spot(w.op.Place)
	if err != nil {
		return err
	}
	ts := real(n)
	for _, name := range onlyCheck() {
		if k := n.at(name); k != nil {
			w.want = drop(w.want, real(k))
			if err := w.cutEntry(k); err != nil {
				return err
			}
			n, _ = w.find(ts)
		}
	}
	if n.flow() && strings.Contains(w.src[n.start:n.end], "\n") {
		if n, err = w.expand(ts); err != nil {
			return err
		}
	}
	v := data(n.y)
	if err := w.place(s, []chunk{w.itemFrom(n)}, []any{v}); err != nil {
		return err
	}
	if d := len(s.list); len(ts) > d && write(ts[:d]) == write(s.list) && ts[d].index >= s.at {
		ts[d].index++
	}
	path, gone := w.path, w.gone
	if n, _ = w.find(ts); n == nil || n.key == nil {
		return fault.New(fault.Conflict, "this cannot be changed here").WithNext("write it in the text")
	}
	w.want = drop(w.want, ts)
	if err := w.cutEntry(n); err != nil {
		return err
	}
	w.path, w.gone = path, gone // the comments are not gone but moved
	return nil
}

// itemFrom writes an entry of a map as an item of a list. The inverse of entryOf.
func (w *writer) itemFrom(n *node) chunk {
	last := w.last(n, w.boundary(n))
	if n.flow() {
		lines := []string{"- " + w.src[n.start:n.end]}
		line := w.line(n.end)
		if rest := w.src[n.end : w.starts[line]+len(w.lines[line])]; isComment(rest) {
			lines[0] += " " + strings.TrimSpace(rest)
		}
		for _, s := range w.lines[line+1 : max(last, line)+1] {
			lines = append(lines, reindent(s, 0, 2))
		}
		return chunk{lines: lines}
	}
	key, first := w.line(n.from), w.line(n.kids[0].from)
	deep := w.column(n.kids[0].from)
	var c chunk
	if i := strings.Index(w.lines[key], " #"); i >= 0 && i >= w.column(n.from) {
		c.lines = append(c.lines, strings.TrimSpace(w.lines[key][i:]))
	}
	for _, s := range w.lines[key+1 : first] {
		if isComment(s) {
			c.lines = append(c.lines, strings.TrimSpace(s))
		}
	}
	c.head = len(c.lines)
	c.lines = append(c.lines, "- "+w.lines[first][deep:])
	for _, s := range w.lines[first+1 : last+1] {
		c.lines = append(c.lines, reindent(s, deep, 2))
	}
	return c
}

// display is the path of an entry as drawings have it.
func (w *writer) display(ts []token) string {
	return strings.TrimSuffix(w.shown(ts, 0), "[0]")
}
