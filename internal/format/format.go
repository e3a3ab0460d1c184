// Package format writes documents in their canonical form: keys in the order of the reference, two spaces of
// indentation, lists indented, quotes only where they are needed, templates in single quotes, at most one blank line.
// Comments, blank lines between entries, block texts and the choice between flow and block stay.
//
// It changes no meaning and loses no comment: what it writes is read again, and where it would differ the file is given
// back as it was, with a finding. Formatting what is formatted changes nothing.
package format

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/language"
)

// Width is how long a line with a flow map or list may be before it is written as a block.
const Width = 120

// Source formats a file. A file that is not YAML gives nil and the reasons.
func Source(file string, src []byte) ([]byte, []document.Finding) {
	if _, findings := document.Nodes(file, src); len(findings) > 0 {
		return nil, findings
	}
	var out []byte
	for i, part := range split(src) {
		text := part
		if bytes.HasPrefix(text, []byte("---")) {
			text = append([]byte("   "), text[3:]...)
		}
		if i > 0 && len(out) > 0 {
			out = append(out, "---\n"...)
		}
		formatted, err := one(text)
		if err != nil {
			return src, []document.Finding{{
				Rule: document.RuleFormat, Severity: document.Warning, Place: document.Place{File: file},
				Message: fmt.Sprintf("the file is left as it is: %v", err),
			}}
		}
		out = append(out, formatted...)
	}
	return out, nil
}

// split cuts a file at its --- lines, which end even a block text. Each part but the first begins with its marker.
func split(src []byte) [][]byte {
	var out [][]byte
	last, at := 0, 0
	for line := range bytes.Lines(src) {
		if at > last && bytes.HasPrefix(line, []byte("---")) && (len(line) == 3 || bytes.ContainsRune([]byte(" \t\r\n"), rune(line[3]))) {
			out = append(out, src[last:at])
			last = at
		}
		at += len(line)
	}
	return append(out, src[last:])
}

func load(src []byte) ([]*yaml.Node, error) {
	docs, findings := document.Nodes("", src)
	return docs, document.Fault(findings)
}

func hasDirective(b []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(b), []byte("%")) }

// one formats the text of one document.
func one(src []byte) ([]byte, error) {
	docs, err := load(src)
	if err != nil {
		return nil, err
	}
	if hasDirective(src) {
		return src, nil
	}
	if len(docs) == 0 {
		return onlyComments(src), nil
	}
	root := docs[0].Content[0]
	if len(docs) > 1 || root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("it is not a map")
	}
	f := &formatter{lines: newLines(src), kept: map[int]bool{}}
	f.build(root)
	f.attach()
	f.comments(f.root.head, 0)
	f.entries(f.root.kids, 0, false)
	f.comments(f.root.foot, 0)
	out := bytes.TrimRight([]byte(f.out.String()), "\n")
	out = append(out, '\n')
	return out, sameMeaning(src, out, root)
}

func onlyComments(src []byte) []byte {
	var out []byte
	for line := range bytes.Lines(src) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			out = append(append(out, line...), '\n')
		}
	}
	return out
}

// sameMeaning reads the result again: the same data, and as many comments.
func sameMeaning(src, out []byte, root *yaml.Node) error {
	docs, err := load(out)
	if err != nil || len(docs) != 1 {
		return fmt.Errorf("its canonical form could not be read again")
	}
	if at := difference(root, docs[0].Content[0]); at != nil {
		return fmt.Errorf("its canonical form would differ near line %d", at.Line)
	}
	was, is := commentsOf(newLines(src), root), commentsOf(newLines(out), docs[0].Content[0])
	if a, b := texts(was), texts(is); !slices.Equal(a, b) {
		return fmt.Errorf("a comment would be lost")
	}
	return nil
}

func texts(cs []comment) []string {
	out := make([]string, len(cs))
	for i, c := range cs {
		out[i] = c.text
	}
	slices.Sort(out)
	return out
}

// difference finds the first node of a that b has not, without regard to the order of keys and to styles.
func difference(a, b *yaml.Node) *yaml.Node {
	if a.Kind != b.Kind || a.Anchor != b.Anchor || a.Value != b.Value || len(a.Content) != len(b.Content) {
		return a
	}
	if a.Kind == yaml.ScalarNode && a.Tag != b.Tag {
		return a
	}
	if a.Kind != yaml.MappingNode {
		for i := range a.Content {
			if at := difference(a.Content[i], b.Content[i]); at != nil {
				return at
			}
		}
		return nil
	}
	byKey := make(map[string]*yaml.Node, len(b.Content)/2)
	for i := 0; i+1 < len(b.Content); i += 2 {
		byKey[b.Content[i].Tag+b.Content[i].Value] = b.Content[i+1]
	}
	for i := 0; i+1 < len(a.Content); i += 2 {
		k := a.Content[i]
		other, ok := byKey[k.Tag+k.Value]
		if !ok || k.Kind != yaml.ScalarNode {
			return k
		}
		if at := difference(a.Content[i+1], other); at != nil {
			return at
		}
	}
	return nil
}

// formatter writes one document.
type formatter struct {
	lines    lines
	dialect  expr.Dialect
	anchored bool // has anchors: the order of keys may matter
	root     *entry
	order    []*entry     // as they stand in the document
	kept     map[int]bool // blank lines that are the end of a block text
	out      strings.Builder
}

// entry is an entry of a map or an item of a list, with the comments that belong to it.
type entry struct {
	key, val  *yaml.Node // key is nil for items of lists
	kids      []*entry   // of val
	up        *entry
	line, col int  // where it begins: the key, or the dash
	flow      bool // stands in a flow map or list
	expand    bool // val is in flow style and has comments: it is written as a block
	blank     bool // a blank line stands before it and its comments
	head      []string
	eol       string
	foot      []string // comments after it, inside of what it is in
}

// build makes the entries of a document.
func (f *formatter) build(root *yaml.Node) {
	var table document.Table
	for i := 0; i+1 < len(root.Content); i += 2 {
		switch k, v := root.Content[i], root.Content[i+1]; k.Value {
		case "kind":
			table = language.Keys(document.Kind(v.Value))
		case "apiVersion":
			f.dialect = expr.Dialect(v.Value)
		}
	}
	f.root = &entry{val: root, line: root.Line, col: 0}
	f.anchored = anchors(root)
	f.mapping(f.root, root, table, root.Style&yaml.FlowStyle != 0)
	slices.SortStableFunc(f.order, func(a, b *entry) int { return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.col, b.col)) })
}

func anchors(n *yaml.Node) bool {
	return n.Anchor != "" || n.Kind == yaml.AliasNode || slices.ContainsFunc(n.Content, anchors)
}

func (f *formatter) fill(e *entry, fm document.Form) {
	flow := e.flow || e.val.Style&yaml.FlowStyle != 0
	switch e.val.Kind {
	case yaml.MappingNode:
		f.mapping(e, e.val, language.Table(fm, f.dialect), flow)
	case yaml.SequenceNode:
		for _, n := range e.val.Content {
			line, col := n.Line, n.Column
			if !flow {
				line, col = f.dash(n)
			}
			kid := &entry{val: n, up: e, line: line, col: col, flow: flow}
			e.kids = append(e.kids, kid)
			f.order = append(f.order, kid)
			f.fill(kid, fm.Item())
		}
	case yaml.ScalarNode:
		f.keep(e.val)
	default:
	}
}

// keep notes the blank lines that belong to the end of a block text.
func (f *formatter) keep(n *yaml.Node) {
	end := len(n.Value) - len(strings.TrimRight(n.Value, "\n"))
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 || end < 2 && end < len(n.Value) {
		return
	}
	_, _, last, _ := f.lines.blockLines(n)
	for line := last + 1; line <= len(f.lines) && strings.TrimSpace(f.lines.line(line)) == ""; line++ {
		f.kept[line] = true
	}
}

// mapping makes the entries of a map, in the canonical order where there is one.
func (f *formatter) mapping(e *entry, n *yaml.Node, table document.Table, flow bool) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		kid := &entry{key: k, val: v, up: e, line: k.Line, col: k.Column, flow: flow}
		e.kids = append(e.kids, kid)
		f.order = append(f.order, kid)
		fm := document.FormPlain
		if at := table.Index(k.Value); at >= 0 {
			fm = table[at].Form
		}
		f.fill(kid, fm)
	}
	if table == nil || f.anchored {
		return
	}
	slices.SortStableFunc(e.kids, func(a, b *entry) int {
		return cmp.Compare(uint(table.Index(a.key.Value)), uint(table.Index(b.key.Value))) // unknown ones last
	})
}

// dash finds where the item of a block list begins.
func (f *formatter) dash(n *yaml.Node) (line, col int) {
	for line = n.Line; line > 0; line-- {
		text := f.lines.line(line)
		if line == n.Line {
			text = text[:len(text)-len(fromColumn(text, n.Column))]
		} else if i := strings.Index(text, " #"); i >= 0 {
			text = text[:i]
		}
		if t := strings.TrimRight(text, " \t"); strings.HasSuffix(t, "-") {
			return line, utf8.RuneCountInString(t)
		}
		if line < n.Line && strings.TrimSpace(text) != "" && !strings.HasPrefix(strings.TrimSpace(text), "#") {
			break
		}
	}
	return n.Line, max(1, n.Column-2)
}

// attach gives every comment and blank line to an entry.
func (f *formatter) attach() {
	var own []comment
	for _, c := range commentsOf(f.lines, f.root.val) {
		if !c.own {
			f.sameLine(c)
			continue
		}
		own = append(own, c)
	}
	for len(own) > 0 {
		// Comments with the same follower and column make a group.
		next := f.after(own[0].line)
		n := 1
		for n < len(own) && f.after(own[n].line) == next {
			n++
		}
		f.group(own[:n], next)
		own = own[n:]
	}
	line := 0
	for i, e := range f.order {
		// Only the outermost entry of a line has the blank line above it.
		if i > 0 && e.line != line && len(e.head) == 0 && f.blankBefore(e.line) {
			e.blank = true
		}
		line = e.line
	}
	f.lift()
}

// lift moves comments above what they would be written inside of: above the dash of a list item, and at the top of the
// document.
func (f *formatter) lift() {
	for _, e := range f.order {
		if e.key == nil && e.eol == "" && len(e.kids) > 0 && e.kids[0].key != nil {
			e.head = append(e.head, e.kids[0].head...)
			e.kids[0].head = nil
		}
	}
	if len(f.order) > 0 {
		f.root.head, f.order[0].head = f.order[0].head, nil
	}
}

// after finds the outermost entry that begins first below a line.
func (f *formatter) after(line int) *entry {
	i, _ := slices.BinarySearchFunc(f.order, line+1, func(e *entry, l int) int { return cmp.Compare(e.line, l) })
	if i == len(f.order) {
		return nil
	}
	return f.order[i]
}

// group gives comments on lines of their own to the entry below, or, where they are indented deeper than it, to what
// stands above.
func (f *formatter) group(cs []comment, next *entry) {
	for len(cs) > 0 && (next == nil || cs[0].col > next.col) {
		if e := f.owner(cs[0]); e != nil {
			if f.blankBefore(cs[0].line) && len(e.foot) > 0 {
				e.foot = append(e.foot, "")
			}
			e.foot = append(e.foot, cs[0].text)
			cs = cs[1:]
			continue
		}
		break
	}
	if len(cs) == 0 {
		return
	}
	if next == nil {
		for _, c := range cs {
			f.root.foot = append(f.root.foot, c.text)
		}
		return
	}
	f.expandFlow(next)
	next.blank = f.blankBefore(cs[0].line) && next != f.order[0]
	for i, c := range cs {
		if i > 0 && f.blankBefore(c.line) {
			next.head = append(next.head, "")
		}
		next.head = append(next.head, c.text)
	}
	if f.blankBefore(next.line) {
		next.head = append(next.head, "")
	}
}

// owner finds the entry above a comment at whose level it stands.
func (f *formatter) owner(c comment) *entry {
	i, _ := slices.BinarySearchFunc(f.order, c.line, func(e *entry, l int) int { return cmp.Compare(e.line, l) })
	if i == 0 {
		return nil
	}
	e := f.order[i-1]
	for e.flow && e.up != nil {
		e = e.up
	}
	for e.up != nil && e.up != f.root && e.col > c.col {
		e = e.up
	}
	if e == f.root {
		return nil
	}
	return e
}

// sameLine gives a comment to the last entry that begins on its line, or above it.
func (f *formatter) sameLine(c comment) {
	i, _ := slices.BinarySearchFunc(f.order, c.line+1, func(e *entry, l int) int { return cmp.Compare(e.line, l) })
	var best *entry
	for j := i - 1; j >= 0; j-- {
		e := f.order[j]
		if best == nil {
			best = e
		}
		if e.line != best.line {
			break
		}
		if !e.flow && (best.flow || e.col > best.col) {
			best = e
		}
	}
	switch {
	case best == nil:
		f.root.foot = append(f.root.foot, c.text)
	case best.eol == "":
		if best.flow {
			f.expandFlow(best)
		}
		best.eol = c.text
	default:
		best.head = append(best.head, c.text)
		f.expandFlow(best)
	}
}

// expandFlow makes blocks of all flow maps and lists around an entry.
func (f *formatter) expandFlow(e *entry) {
	for ; e.flow && e.up != nil; e = e.up {
		e.up.expand = true
	}
}

func (f *formatter) blankBefore(line int) bool {
	return line > 1 && strings.TrimSpace(f.lines.line(line-1)) == "" && !f.kept[line-1]
}
