package edit

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
)

// page is a text with the places of all that stands in one of its documents. It is not changed: an operation makes another
// one.
type page struct {
	src     string
	lines   []string // without their ends; the last one is what follows the last end of a line
	starts  []int    // of each line, in bytes
	root    *node
	end     int // the line after the document, from 0
	kind    document.Kind
	dialect expr.Dialect
}

// node is a value of the document, with what it stands in.
type node struct {
	y          *yaml.Node
	key        *yaml.Node // nil for items of lists and for the root
	up         *node
	name       string // of the key
	index      int    // of an item
	kids       []*node
	start, end int // bytes of the value; of a block they are of what stands in it
	from       int // byte where the entry begins: the key, or the dash of a block list; for others the start
	form       document.Form
}

func (n *node) flow() bool { return n.y.Style&yaml.FlowStyle != 0 }

func (n *node) block() bool {
	return (n.y.Kind == yaml.MappingNode || n.y.Kind == yaml.SequenceNode) && !n.flow() && len(n.kids) > 0
}

// at finds an entry of a map.
func (n *node) at(name string) *node {
	if n == nil || n.y.Kind != yaml.MappingNode {
		return nil
	}
	for _, k := range n.kids {
		if k.name == name {
			return k
		}
	}
	return nil
}

// read reads a text.
func read(file string, text []byte, index int) (*page, error) {
	docs, findings := document.Nodes(file, text)
	if err := document.Fault(findings); err != nil {
		return nil, err
	}
	if index < 0 || index >= len(docs) {
		return nil, fault.New(fault.NotFound, "the text has no document %d: it has %d", index, len(docs))
	}
	p := &page{src: string(text)}
	p.lines = strings.Split(p.src, "\n")
	at := 0
	for _, l := range p.lines {
		p.starts = append(p.starts, at)
		at += len(l) + 1
	}
	root := docs[index].Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, fault.New(fault.Invalid, "line %d: the document is not a map", root.Line)
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		switch root.Content[i].Value {
		case "kind":
			p.kind = document.Kind(root.Content[i+1].Value)
		case "apiVersion":
			p.dialect = expr.Dialect(root.Content[i+1].Value)
		}
	}
	// The document ends where the next one begins, or with its last line that holds something.
	p.end = len(p.lines)
	for i := root.Line; i < len(p.lines); i++ {
		if l := p.lines[i]; l == "---" || l == "..." || strings.HasPrefix(l, "--- ") || strings.HasPrefix(l, "---\t") {
			p.end = i
			break
		}
	}
	p.root = &node{y: root, start: p.offset(root), from: p.offset(root), form: "document"}
	if !p.grow(p.root) {
		return nil, fault.New(fault.Conflict, "the places of what stands in the text cannot be told for sure").WithNext("bring it into its canonical form first: tend fmt")
	}
	return p, nil
}

// offset gives the byte at which a node stands.
func (p *page) offset(n *yaml.Node) int { return p.byteAt(n.Line-1, n.Column-1) }

func (p *page) byteAt(line, column int) int {
	if line < 0 || line >= len(p.lines) {
		return len(p.src)
	}
	l := p.lines[line]
	i := 0
	for range column {
		if i >= len(l) {
			break
		}
		_, n := utf8.DecodeRuneInString(l[i:])
		i += n
	}
	return p.starts[line] + i
}

// line gives the number of the line, from 0, that a byte stands in.
func (p *page) line(at int) int {
	lo, hi := 0, len(p.starts)
	for lo+1 < hi {
		if m := (lo + hi) / 2; p.starts[m] <= at {
			lo = m
		} else {
			hi = m
		}
	}
	return lo
}

// column gives the bytes of its line before a byte.
func (p *page) column(at int) int { return at - p.starts[p.line(at)] }

// grow makes the nodes below one and finds where it ends. It tells whether that could be done.
func (p *page) grow(n *node) bool {
	y := n.y
	switch y.Kind {
	case yaml.ScalarNode:
		return p.scalar(n)
	case yaml.AliasNode:
		n.end = n.start + 1 + len(y.Value)
		return n.end <= len(p.src)
	case yaml.MappingNode:
		for i := 0; i+1 < len(y.Content); i += 2 {
			k, v := y.Content[i], y.Content[i+1]
			kid := &node{y: v, key: k, up: n, name: k.Value, index: i / 2, start: p.offset(v), from: p.offset(k), form: p.formOf(n, k.Value)}
			n.kids = append(n.kids, kid)
			if !p.grow(kid) {
				return false
			}
		}
	case yaml.SequenceNode:
		for i, v := range y.Content {
			kid := &node{y: v, up: n, index: i, start: p.offset(v), form: n.form.Item()}
			kid.from = kid.start
			n.kids = append(n.kids, kid)
			if !p.grow(kid) {
				return false
			}
			if !n.flow() {
				if kid.from = p.dash(kid); kid.from < 0 {
					return false
				}
			}
		}
	default:
		return false
	}
	return p.close(n)
}

// close finds the end of a map or list.
func (p *page) close(n *node) bool {
	if len(n.kids) > 0 {
		n.end = n.kids[len(n.kids)-1].end
	}
	if !n.flow() {
		if len(n.kids) > 0 {
			n.start = n.kids[0].from
		}
		n.end = max(n.end, n.start)
		return true
	}
	open, shut := byte('{'), byte('}')
	if n.y.Kind == yaml.SequenceNode {
		open, shut = '[', ']'
	}
	at := strings.IndexByte(p.src[min(n.start, len(p.src)):], open) // an anchor or tag may stand before
	if at < 0 {
		return false
	}
	i := max(n.end, n.start+at+1)
	for i < len(p.src) {
		switch c := p.src[i]; {
		case c == shut:
			n.end = i + 1
			return true
		case c == '#' && (p.src[i-1] == ' ' || p.src[i-1] == '\n' || p.src[i-1] == '\t'):
			for i < len(p.src) && p.src[i] != '\n' {
				i++
			}
		case strings.IndexByte(" \t\n,:", c) < 0:
			return false
		}
		i++
	}
	return false
}

// dash finds the dash of an item of a block list, going back from what stands in it.
func (p *page) dash(n *node) int {
	line := p.line(n.start)
	for at := line; at >= 0 && at >= line-50; at-- {
		text := p.lines[at]
		if at == line {
			text = text[:p.column(n.start)]
		} else if i := strings.IndexByte(text, '#'); i >= 0 {
			text = text[:i]
		}
		if t := strings.TrimRight(text, " \t"); strings.HasSuffix(t, "-") {
			return p.starts[at] + len(t) - 1
		} else if at == line {
			if i := strings.LastIndex(t, "- "); i >= 0 { // an anchor or tag stands between
				return p.starts[at] + i
			}
			if t != "" {
				return -1
			}
		} else if t != "" {
			return -1
		}
	}
	return -1
}

// scalar finds the end of a scalar.
func (p *page) scalar(n *node) bool {
	y := n.y
	switch {
	case y.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		mark := byte('"')
		if y.Style&yaml.SingleQuotedStyle != 0 {
			mark = '\''
		}
		at := strings.IndexByte(p.src[min(n.start, len(p.src)):], mark)
		if at < 0 {
			return false
		}
		for i := n.start + at + 1; i < len(p.src); i++ {
			switch {
			case mark == '"' && p.src[i] == '\\':
				i++
			case p.src[i] == mark && mark == '\'' && i+1 < len(p.src) && p.src[i+1] == mark:
				i++
			case p.src[i] == mark:
				n.end = i + 1
				return true
			}
		}
		return false
	case y.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		n.end = p.blockEnd(n)
		return true
	default:
		return p.plain(n)
	}
}

// plain finds the end of a scalar without quotes: its words as they stand.
func (p *page) plain(n *node) bool {
	if n.y.Value == "" {
		n.end = n.start
		return true
	}
	i := n.start
	if n.y.Anchor != "" || n.y.Style&yaml.TaggedStyle != 0 {
		first := strings.Fields(n.y.Value)
		at := strings.Index(p.src[i:], first[0])
		if at < 0 {
			return false
		}
		i += at
	}
	for _, word := range strings.Fields(n.y.Value) {
		for i < len(p.src) && strings.IndexByte(" \t\n", p.src[i]) >= 0 {
			i++
		}
		if !strings.HasPrefix(p.src[min(i, len(p.src)):], word) {
			return false
		}
		i += len(word)
	}
	n.end = i
	return true
}

// blockEnd finds the end of the last line of a block text that holds something.
func (p *page) blockEnd(n *node) int {
	line := p.line(n.start)
	for line < len(p.lines)-1 && !strings.ContainsAny(p.lines[line], "|>") {
		line++ // an anchor or tag stands above
	}
	depth := p.indent(n)
	last := line
	for l := line + 1; l < len(p.lines); l++ {
		text := p.lines[l]
		if strings.TrimSpace(text) == "" {
			continue
		}
		if len(text)-len(strings.TrimLeft(text, " ")) <= depth {
			break
		}
		last = l
	}
	// With + the blank lines at its end belong to it.
	head := p.lines[line]
	if i := strings.LastIndexAny(head, "|>"); i >= 0 && strings.ContainsRune(head[i:min(len(head), i+3)], '+') {
		for last+1 < len(p.lines)-1 && strings.TrimSpace(p.lines[last+1]) == "" {
			last++
		}
	}
	return p.starts[last] + len(p.lines[last])
}

// indent is the column of the map or list that a value stands in; -1 is that of the whole document.
func (p *page) indent(n *node) int {
	switch {
	case n.key != nil:
		return p.column(n.from)
	case n.up != nil:
		at := p.dash(n)
		if at < 0 {
			return 0
		}
		return p.column(at)
	default:
		return -1
	}
}

// comment is one comment with its place.
type comment struct {
	at   int
	text string
}

// comments are all comments of the text outside of the document's scalars.
func (p *page) comments() []comment {
	var out []comment
	skip := p.spans(p.root, nil)
	for i := 0; i < len(p.src); i++ {
		if len(skip) > 0 && i >= skip[0][0] {
			i = max(i, skip[0][1]) - 1
			skip = skip[1:]
			if i+1 < len(p.src) && p.src[i+1] != '#' {
				continue
			}
			continue
		}
		if p.src[i] != '#' || i > 0 && strings.IndexByte(" \t\n", p.src[i-1]) < 0 {
			continue
		}
		end := strings.IndexByte(p.src[i:], '\n')
		if end < 0 {
			end = len(p.src) - i
		}
		out = append(out, comment{i, strings.TrimRight(p.src[i:i+end], " \t")})
		i += end
	}
	return out
}

// spans are the places of scalars in which # is a character like others, in order.
func (p *page) spans(n *node, out [][2]int) [][2]int {
	if n.y.Kind == yaml.ScalarNode {
		start := n.start
		if n.y.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
			// Behind the indicator a comment can stand.
			if i := strings.IndexByte(p.src[start:], '\n'); i >= 0 {
				start += i + 1
			}
		}
		if n.end > start {
			out = append(out, [2]int{start, n.end})
		}
	}
	for _, k := range n.kids {
		out = p.spans(k, out)
	}
	return out
}

// within are the texts of the comments between two bytes.
func (p *page) within(from, to int) []string {
	var out []string
	for _, c := range p.comments() {
		if c.at >= from && c.at < to {
			out = append(out, c.text)
		}
	}
	return out
}

// quotedName writes a key into a path.
func quotedName(s string) string { return strconv.Quote(s) }
