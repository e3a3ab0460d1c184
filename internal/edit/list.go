package edit

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/fault"
)

// chunk is an item of a block list as lines: the comments right above it, and itself.
type chunk struct {
	lines  []string
	head   int // how many of them are comments above the dash
	column int // of the dash
}

// list is a block list taken apart. What stands between two items (blank lines, and comments that belong to neither) stays
// between the same two places when items move.
type list struct {
	n      *node
	from   int // first line of the first item, from 0
	to     int // the line after the last item
	column int
	items  []chunk
	gaps   [][]string // before items[i]; gaps[0] is empty
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }

func isComment(s string) bool { return strings.HasPrefix(strings.TrimLeft(s, " \t"), "#") }

func margin(s string) int { return len(s) - len(strings.TrimLeft(s, " ")) }

// last gives the last line of an entry: that of its value, and comments below that stand deeper than its beginning.
func (p *page) last(n *node, boundary int) int {
	last := p.line(max(n.end, n.from, n.start))
	deep := p.column(n.from)
	for l := last + 1; l < boundary; l++ {
		switch {
		case blank(p.lines[l]):
			continue
		case isComment(p.lines[l]) && margin(p.lines[l]) > deep:
			last = l
			continue
		}
		break
	}
	return last
}

// boundary is the line at which what comes after a node begins.
func (p *page) boundary(n *node) int {
	for ; n.up != nil; n = n.up {
		if n.index+1 < len(n.up.kids) {
			return p.line(n.up.kids[n.index+1].from)
		}
	}
	return p.end
}

// take takes a block list apart.
func (p *page) take(n *node) (*list, error) {
	l := &list{n: n, column: p.column(n.kids[0].from)}
	next := 0 // the line after the item before
	for i, k := range n.kids {
		dash := p.line(k.from)
		if p.column(k.from) != l.column || !blank(p.lines[dash][:l.column]) {
			return nil, refused(k, "the item of the list does not begin on a line of its own").WithNext("bring the file into its canonical form first: tend fmt")
		}
		first := dash
		for first-1 >= max(next, p.line(n.from)) && isComment(p.lines[first-1]) && (i > 0 || first-1 > p.headLine(n)) {
			first--
		}
		if i == 0 {
			l.from = first
			l.gaps = append(l.gaps, nil)
		} else {
			l.gaps = append(l.gaps, p.lines[next:first])
		}
		last := p.last(k, p.boundary(k))
		l.items = append(l.items, chunk{lines: p.lines[first : last+1], head: dash - first, column: l.column})
		next = last + 1
	}
	l.to = next
	return l, nil
}

// headLine is the line that a list's key stands in.
func (p *page) headLine(n *node) int {
	if n.key != nil {
		return p.line(n.from)
	}
	return -1
}

// give writes a text in which a list is another one.
func (p *page) give(l *list) string {
	out := slices.Clone(p.lines[:l.from])
	for i, c := range l.items {
		out = append(out, l.gaps[i]...)
		out = append(out, shift(c, l.column)...)
	}
	return strings.Join(append(out, p.lines[l.to:]...), "\n")
}

// shift gives the lines of a chunk with its dash in another column.
func shift(c chunk, column int) []string {
	by := column - c.column
	out := make([]string, len(c.lines))
	for i, s := range c.lines {
		switch {
		case blank(s):
			out[i] = s
		case by >= 0:
			out[i] = strings.Repeat(" ", by) + s
		default:
			out[i] = s[min(-by, margin(s)):]
		}
	}
	return out
}

// put puts chunks into a list. The lines between them and their neighbour are as between others.
func (l *list) put(at int, cs ...chunk) {
	var gap []string
	if len(l.items) > 1 {
		usual := l.gaps[min(max(at, 1), len(l.gaps)-1)]
		for _, s := range usual {
			if blank(s) {
				gap = append(gap, s)
			}
		}
	}
	for i, c := range cs {
		l.items = slices.Insert(l.items, at+i, c)
		l.gaps = slices.Insert(l.gaps, min(max(at, 1), len(l.gaps)), gap)
	}
}

// cut takes items out of a list. What stood before the first of them goes to whatever is there then; blank lines go.
func (l *list) cut(at, n int) {
	l.items = slices.Delete(l.items, at, at+n)
	from := max(at, 1)
	to := min(from+n, len(l.gaps))
	var kept []string
	for _, g := range l.gaps[from:to] {
		if slices.ContainsFunc(g, isComment) {
			kept = append(kept, g...)
		}
	}
	l.gaps = slices.Delete(l.gaps, from, to)
	if len(kept) > 0 {
		i := min(from, len(l.gaps)-1)
		if i > 0 {
			l.gaps[i] = append(slices.Clone(kept), l.gaps[i]...)
		} else if len(l.items) > 0 {
			last := &l.items[len(l.items)-1]
			last.lines = append(slices.Clone(last.lines), kept...)
		}
	}
}

// expand makes a block of a map or list in flow style, and of all that it stands in.
func (w *writer) expand(path []token) (*node, error) {
	for depth := 0; depth <= len(path); depth++ {
		n, left := w.find(path[:depth])
		if len(left) > 0 {
			return nil, fault.New(fault.NotFound, "there is nothing at %q", write(path))
		}
		if n.y.Kind != yaml.MappingNode && n.y.Kind != yaml.SequenceNode || !n.flow() || len(n.kids) == 0 {
			continue
		}
		if err := w.unfold(n); err != nil {
			return nil, err
		}
	}
	n, _ := w.find(path)
	return n, nil
}

// unfold writes one flow map or list as a block; it stands in none itself.
func (w *writer) unfold(n *node) error {
	if n.y.Anchor != "" {
		return refused(n, "it has the anchor &%s", n.y.Anchor).WithNext("change it in the text")
	}
	inside := w.src[n.start:n.end]
	for _, k := range n.kids {
		if strings.Contains(w.src[k.start:k.end], "\n") && k.y.Kind == yaml.ScalarNode {
			return refused(k, "a text goes over several lines in a map or list in brackets").WithNext("bring the file into its canonical form first: tend fmt")
		}
	}
	if strings.Contains(inside, "#") && len(w.within(n.start, n.end)) > 0 {
		return refused(n, "there are comments in a map or list in brackets").WithNext("bring the file into its canonical form first: tend fmt")
	}
	column := w.indent(n) + 2
	if n.up == nil {
		column = 0
	}
	entries := make([]string, len(n.kids))
	for i, k := range n.kids {
		value := w.src[k.start:k.end]
		if k.key == nil {
			entries[i] = strings.TrimRight("- "+value, " ")
			continue
		}
		name := w.src[k.from:k.start]
		if c := strings.LastIndexByte(name, ':'); c >= 0 {
			name = name[:c]
		}
		entries[i] = strings.TrimRight(strings.TrimSpace(name)+": "+value, " ")
	}
	pad := "\n" + strings.Repeat(" ", column)
	before, after := w.src[:n.start], w.src[n.end:]
	rest, below, _ := strings.Cut(after, "\n")
	if !blank(rest) && !isComment(rest) {
		return refused(n, "something stands behind it on its line")
	}
	text := strings.Join(entries, pad)
	switch {
	case n.up == nil || n.key == nil: // behind a dash, or the document
		if isComment(rest) {
			entries[0] += " " + strings.TrimSpace(rest)
			text = strings.Join(entries, pad)
		}
		return w.turn(before + text + "\n" + below)
	default:
		head := strings.TrimRight(before, " \t")
		if isComment(rest) {
			head += " " + strings.TrimSpace(rest)
		}
		return w.turn(head + pad + text + "\n" + below)
	}
}
