package edit

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/fault"
)

// spot is a place in a list: the path of the list in the text, and the number of the item that it is before.
type spot struct {
	list []token
	at   int
	make bool // there is no such list yet
}

// spot finds where a step goes.
func (w *writer) spot(to Place) (spot, error) {
	n := 0
	for _, s := range []string{to.Before, to.After, to.Into} {
		if s != "" {
			n++
		}
	}
	if n != 1 {
		return spot{}, fault.New(fault.Invalid, "the place is not clear").WithNext("give one of `before`, `after` and `into`")
	}
	if to.Into == "" {
		path, more := to.Before, 0
		if path == "" {
			path, more = to.After, 1
		}
		at, err := w.inList(path)
		if err != nil {
			return spot{}, err
		}
		return spot{list: real(at.up), at: at.index + more}, nil
	}
	ts, err := parse(to.Into)
	if err != nil {
		return spot{}, err
	}
	at, left := w.find(ts)
	switch last := ts[len(ts)-1]; {
	case len(left) > 1, last.index >= 0:
		return spot{}, fault.New(fault.NotFound, "there is no list of steps at %q", to.Into)
	case len(left) == 1:
		if at.y.Kind != yaml.MappingNode || !slices.Contains([]string{"steps", "catch", "finally", "parallel"}, last.name) {
			return spot{}, fault.New(fault.Invalid, "%q cannot be a list of steps", to.Into)
		}
		return spot{list: append(real(at), last), make: true}, nil
	case at.y.Kind == yaml.ScalarNode && at.y.Value == "":
		return spot{list: real(at), make: true}, nil
	case at.y.Kind != yaml.SequenceNode:
		return spot{}, fault.New(fault.Invalid, "what stands at %q is no list of steps", to.Into)
	}
	return spot{list: real(at), at: len(at.kids), make: len(at.kids) == 0}, nil
}

// place puts chunks at a spot. items are what they say.
func (w *writer) place(s spot, cs []chunk, items []any) error {
	w.want = insert(w.want, s.list, s.at, items...)
	w.path = w.shown(s.list, s.at)
	if s.make {
		return w.begin(s.list, cs)
	}
	n, err := w.expand(s.list)
	if err != nil {
		return err
	}
	l, err := w.take(n)
	if err != nil {
		return err
	}
	l.put(s.at, cs...)
	return w.turn(w.give(l))
}

// begin makes a list with its first items.
func (w *writer) begin(list []token, cs []chunk) error {
	up, name := list[:len(list)-1], list[len(list)-1].name
	m, err := w.expand(up)
	if err != nil {
		return err
	}
	if k := m.at(name); k != nil { // `steps:` or `steps: []`
		if err := w.turn(w.src[:k.start] + w.src[k.end:]); err != nil {
			return err
		}
		m, _ = w.find(up)
		k = m.at(name)
		line := w.line(k.from)
		out := slices.Clone(w.lines[:line+1])
		out[line] = strings.TrimRight(out[line], " ")
		for _, c := range cs {
			out = append(out, shift(c, w.column(k.from)+2)...)
		}
		return w.turn(strings.Join(append(out, w.lines[line+1:]...), "\n"))
	}
	lines := []string{name + ":"}
	for _, c := range cs {
		lines = append(lines, shift(c, 2)...)
	}
	return w.turn(w.entry(m, name, lines))
}

// shown is the path of an item as drawings have it.
func (w *writer) shown(list []token, at int) string {
	ts := append(slices.Clone(list), token{index: at})
	var out []token
	for i, t := range ts {
		next := ""
		if i+1 < len(ts) {
			next = ts[i+1].name
		}
		if t.index < 0 && (t.name == "lock" && next == "steps" || t.name == "with" && next == "until" || t.name == "onDoubt" && next == "probe") {
			continue
		}
		out = append(out, t)
	}
	return write(out)
}

// given is the step that is added, as a chunk and as data.
func (w *writer) given() (chunk, any, error) {
	text := strings.ReplaceAll(w.op.Step, "\r\n", "\n")
	if text == "" {
		m, ok := plainData(w.op.Value).(map[string]any)
		if !ok {
			return chunk{}, nil, fault.New(fault.Invalid, "there is no step to add").WithNext("give it as YAML in `step`, or as data in `value`")
		}
		c := chunk{lines: item(w.block(m, "step"))}
		return c, m, nil
	}
	docs, findings := document.Nodes("step", []byte(text))
	if err := document.Fault(findings); err != nil {
		return chunk{}, nil, err
	}
	if len(docs) != 1 {
		return chunk{}, nil, fault.New(fault.Invalid, "the step is not one YAML document")
	}
	n := docs[0].Content[0]
	lines := strings.Split(strings.TrimRight(text, "\n \t"), "\n")
	for len(lines) > 0 && blank(lines[0]) {
		lines = lines[1:]
	}
	deep := -1
	for _, l := range lines {
		if !blank(l) && (deep < 0 || margin(l) < deep) {
			deep = margin(l)
		}
	}
	for i, l := range lines {
		lines[i] = l[min(max(deep, 0), margin(l)):]
	}
	if n.Kind == yaml.SequenceNode && len(n.Content) == 1 && n.Style&yaml.FlowStyle == 0 {
		n = n.Content[0]
	} else {
		head := 0
		for head < len(lines) && (isComment(lines[head]) || blank(lines[head])) {
			head++
		}
		for i := head; i < len(lines); i++ {
			switch {
			case i == head:
				lines[i] = "- " + lines[i]
			case !blank(lines[i]):
				lines[i] = "  " + lines[i]
			}
		}
	}
	if n.Kind != yaml.MappingNode {
		return chunk{}, nil, fault.New(fault.Invalid, "the step is not a map").WithNext("write it like `uses: log` and `with: {message: …}`")
	}
	return chunk{lines: lines}, data(n), nil
}

func (w *writer) add() error {
	if step, name, ok := slot(w.op.Place); ok {
		c, v, err := w.given()
		if err != nil {
			return err
		}
		says, _ := v.(map[string]any)
		return w.attach(step, name, c, says)
	}
	s, err := w.spot(w.op.Place)
	if err != nil {
		return err
	}
	c, v, err := w.given()
	if err != nil {
		return err
	}
	return w.place(s, []chunk{c}, []any{v})
}

// pull gives a step of a list as a chunk, and its data.
func (w *writer) pull(path string) (n *node, l *list, v any, err error) {
	if n, err = w.inList(path); err != nil {
		return nil, nil, nil, err
	}
	at, ts := n.index, real(n.up)
	up, err := w.expand(ts)
	if err != nil {
		return nil, nil, nil, err
	}
	if l, err = w.take(up); err != nil {
		return nil, nil, nil, err
	}
	return up.kids[at], l, data(up.kids[at].y), nil
}

func (w *writer) remove() error {
	if in := w.inSlot(w.op.Path); in != nil {
		w.want = drop(w.want, real(in))
		return w.cutEntry(in)
	}
	n, l, _, err := w.pull(w.op.Path)
	if err != nil {
		return err
	}
	ts := real(n)
	w.want = drop(w.want, ts)
	w.removed(l.items[n.index].lines)
	if len(l.items) == 1 {
		return w.empty(l)
	}
	l.cut(n.index, 1)
	return w.turn(w.give(l))
}

// removed notes the comments of lines that go.
func (w *writer) removed(lines []string) {
	for _, s := range lines {
		if isComment(s) {
			w.gone = append(w.gone, strings.TrimSpace(s))
		} else if i := strings.Index(s, " #"); i >= 0 {
			w.gone = append(w.gone, strings.TrimSpace(s[i:]))
		}
	}
}

// empty takes the last item out of a list: the list goes too, but that of the document stays as [].
func (w *writer) empty(l *list) error {
	n := l.n
	out := slices.Clone(w.lines[:l.from])
	if n.up != nil && n.key != nil && n.up.up != nil && len(n.up.kids) > 1 && n.name != "steps" && n.name != "parallel" || n.name == "catch" || n.name == "finally" {
		w.want = drop(w.want, real(n))
		return w.cutEntry(n)
	}
	at := w.line(n.start) - 1
	for at >= 0 && (blank(out[min(at, len(out)-1)]) || isComment(out[min(at, len(out)-1)])) {
		at--
	}
	key := w.line(n.from)
	text := out[key]
	if i := strings.Index(text, " #"); i >= 0 {
		out[key] = strings.TrimRight(text[:i], " ") + " []" + text[i:]
	} else {
		out[key] = strings.TrimRight(text, " ") + " []"
	}
	return w.turn(strings.Join(append(out, w.lines[l.to:]...), "\n"))
}

func (w *writer) duplicate() error {
	n, l, v, err := w.pull(w.op.Path)
	if err != nil {
		return err
	}
	at, ts := n.index, real(n.up)
	copied := l.items[at]
	copied.lines = slices.Clone(copied.lines[copied.head:])
	copied.head = 0
	w.want = insert(w.want, ts, at+1, v)
	l.put(at+1, copied)
	if err := w.turn(w.give(l)); err != nil {
		return err
	}
	w.path = w.shown(ts, at+1)
	// Two steps cannot have one id, nor can those in them.
	return w.nameless(append(ts, token{index: at + 1}))
}

// nameless takes the ids of a step and of all in it away.
func (w *writer) nameless(path []token) error {
	for {
		n, _ := w.find(path)
		id := firstID(n)
		if id == nil {
			return nil
		}
		if len(id.up.kids) == 1 {
			return refused(id, "the step has nothing but an id")
		}
		w.want = drop(w.want, real(id))
		if err := w.cutEntry(id); err != nil {
			return err
		}
	}
}

func firstID(n *node) *node {
	if n == nil || n.form != "step" && n.key != nil && n.form == document.FormPlain {
		return nil
	}
	if id := n.at("id"); id != nil && n.y.Kind == yaml.MappingNode && n.form == "step" {
		return id
	}
	for _, k := range n.kids {
		if id := firstID(k); id != nil {
			return id
		}
	}
	return nil
}

func (w *writer) move() error {
	if in := w.inSlot(w.op.Path); in != nil {
		return w.moveFromSlot(in)
	}
	if step, name, ok := slot(w.op.Place); ok {
		return w.moveToSlot(step, name)
	}
	n, err := w.inList(w.op.Path)
	if err != nil {
		return err
	}
	ts := real(n)
	s, err := w.spot(w.op.Place)
	if err != nil {
		return err
	}
	if len(s.list) >= len(ts) && write(s.list[:len(ts)]) == write(ts) {
		return fault.New(fault.Invalid, "a step cannot be moved into itself")
	}
	if s.make {
		return w.moveAcross(ts, s)
	}
	up := ts[:len(ts)-1]
	from := n.index
	if write(up) != write(s.list) {
		return w.moveAcross(ts, s)
	}
	if s.at > from {
		s.at--
	}
	w.path = w.shown(up, s.at)
	if s.at == from {
		return nil
	}
	_, l, v, err := w.pull(w.op.Path)
	if err != nil {
		return err
	}
	w.want = insert(drop(w.want, ts), up, s.at, v)
	c := l.items[from]
	l.items = slices.Insert(slices.Delete(slices.Clone(l.items), from, from+1), s.at, c)
	return w.turn(w.give(l))
}

// moveAcross moves a step from one list into another: first there, then away from here.
func (w *writer) moveAcross(ts []token, s spot) error {
	n, l, v, err := w.pull(w.shown(ts[:len(ts)-1], ts[len(ts)-1].index))
	if err != nil {
		return err
	}
	c := l.items[n.index]
	if err := w.place(s, []chunk{c}, []any{v}); err != nil {
		return err
	}
	// The way to the old place may lead through the list that just grew.
	old := slices.Clone(ts)
	if d := len(s.list); len(old) > d && write(old[:d]) == write(s.list) && old[d].index >= s.at {
		old[d].index++
	}
	path := w.path
	before := w.gone
	w.op.Path = w.shown(old[:len(old)-1], old[len(old)-1].index)
	if err := w.remove(); err != nil {
		return err
	}
	w.gone = before // they are not gone but moved
	// And the way to the new place through the one that just shrank.
	now := append(slices.Clone(s.list), token{index: s.at})
	if d := len(old) - 1; len(now) > d && write(now[:d]) == write(old[:d]) && now[d].index > old[d].index {
		now[d].index--
		path = w.shown(now[:len(now)-1], now[len(now)-1].index)
	}
	w.path = path
	return nil
}

func (w *writer) wrap() error {
	count := max(w.op.Count, 1)
	if !slices.Contains([]string{"steps", "parallel", "foreach", "lock"}, w.op.Block) {
		return fault.New(fault.Invalid, "steps cannot be wrapped in %q", w.op.Block).WithNext("use one of: steps, parallel, foreach, lock")
	}
	n, l, _, err := w.pull(w.op.Path)
	if err != nil {
		return err
	}
	at, ts := n.index, real(n.up)
	if at+count > len(l.items) {
		return fault.New(fault.Invalid, "there are no %d steps from %s on", count, w.op.Path)
	}
	var inner []any
	for _, k := range n.up.kids[at : at+count] {
		inner = append(inner, data(k.y))
	}
	head := []string{"- " + w.op.Block + ":"}
	deep := 4
	block := map[string]any{w.op.Block: inner}
	switch w.op.Block {
	case "foreach", "lock":
		fields := map[string]any{"foreach": map[string]any{"range": []any{0, 1}}, "lock": map[string]any{"key": "CHANGE-ME"}}[w.op.Block].(map[string]any) //nolint:errcheck,forcetypeassert // it stands there
		if given, ok := plainData(w.op.Value).(map[string]any); ok && len(given) > 0 {
			fields = given
		}
		if _, ok := fields["steps"]; ok {
			return fault.New(fault.Invalid, "the steps of the block are those that are wrapped")
		}
		for _, line := range w.block(fields, document.Form(w.op.Block)) {
			head = append(head, "    "+line)
		}
		head = append(head, "    steps:")
		deep = 6
		all := map[string]any{"steps": inner}
		for k, v := range fields {
			all[k] = v
		}
		block = map[string]any{w.op.Block: all}
	}
	c := chunk{lines: head, column: 0}
	for i, one := range l.items[at : at+count] {
		if i > 0 {
			c.lines = append(c.lines, l.gaps[at+i]...)
		}
		c.lines = append(c.lines, shift(one, deep)...)
	}
	for range count {
		w.want = drop(w.want, append(slices.Clone(ts), token{index: at}))
	}
	w.want = insert(w.want, ts, at, block)
	l.items = slices.Replace(l.items, at, at+count, c)
	l.gaps = slices.Delete(l.gaps, at+1, at+count)
	w.path = w.shown(ts, at)
	return w.turn(w.give(l))
}

// unwrap puts the steps of a block in its place. Whatever else the block says must be taken away first: it would be lost.
func (w *writer) unwrap() error {
	n, _, _, err := w.pull(w.op.Path)
	if err != nil {
		return err
	}
	at, ts := n.index, real(n.up)
	var in *node
	for _, k := range n.kids {
		switch k.name {
		case "steps", "parallel":
			in = k
		case "foreach", "lock":
			in = k.at("steps")
		case "id", "name", "description":
		default:
			return refused(k, "the block says `%s`, which would be lost", k.name).WithNext("unset it first")
		}
	}
	if in == nil || in.y.Kind != yaml.SequenceNode || len(in.kids) == 0 {
		return fault.New(fault.Invalid, "%q is no block with steps", w.op.Path)
	}
	if in, err = w.expand(real(in)); err != nil {
		return err
	}
	inner, err := w.take(in)
	if err != nil {
		return err
	}
	up, _ := w.find(ts)
	l, err := w.take(up)
	if err != nil {
		return err
	}
	items, _ := look(w.want, real(in)).([]any)
	w.want = insert(drop(w.want, append(slices.Clone(ts), token{index: at})), ts, at, items...)
	old := l.items[at]
	first := append(slices.Clone(old.lines[:old.head]), shift(inner.items[0], l.column)...)
	w.removed(old.lines[old.head : old.head+(inner.from-w.line(up.kids[at].from))])
	inner.items[0] = chunk{lines: first, head: old.head + inner.items[0].head, column: l.column}
	l.items = slices.Replace(l.items, at, at+1, inner.items...)
	l.gaps = slices.Insert(l.gaps, at+1, inner.gaps[1:]...)
	w.path = w.shown(ts, at)
	return w.turn(w.give(l))
}
