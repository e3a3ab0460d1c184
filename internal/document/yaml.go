package document

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// The limits of reading. What is beyond them is refused with a finding; nothing is cut.
const (
	MaxSize      = 4 << 20 // bytes of a file
	MaxNesting   = 60      // levels of maps and lists
	MaxExpansion = 200_000 // nodes of a document once its aliases are followed
	MaxFindings  = 200     // findings of a file; the rest is counted
)

// Nodes reads a file as YAML, with every reason why it cannot be read. The documents are nodes of kind DocumentNode;
// their meaning is not looked at, but they are bounded: aliases and nesting end.
func Nodes(file string, src []byte) ([]*yaml.Node, []Finding) {
	r := NewReader(file, src)
	docs := r.readYAML(src)
	docs = slices.DeleteFunc(docs, func(d *yaml.Node) bool { return !r.bounded(d.Content[0]) })
	return docs, r.Findings()
}

// readYAML gives the documents of a file as nodes, with every reason why one cannot be read.
func (r *Reader) readYAML(src []byte) []*yaml.Node {
	if len(src) > MaxSize {
		r.at(RuleSize, 0, 0, fmt.Sprintf("the file has %d bytes, and a document may have %d (4 MiB)", len(src), MaxSize), "split it, and give large data as a file or a parameter")
		return nil
	}
	if !r.readable(src) {
		return nil
	}
	docs, err := load(src)
	if err == nil {
		return docs
	}
	// One broken document must not hide what is wrong with the others: read each by itself.
	docs = nil
	for _, part := range split(src) {
		got, err := load(src[part.start:part.end])
		if err != nil {
			r.broken(err, part.line)
			continue
		}
		for _, d := range got {
			shift(d, part.line)
			docs = append(docs, d)
		}
	}
	return docs
}

// load reads all documents of src as nodes. It does not look at their meaning.
func load(src []byte) (docs []*yaml.Node, err error) {
	defer func() {
		// The YAML library is not ours; a bug of it must not end the process of a server that reads a stranger's file.
		if p := recover(); p != nil {
			docs, err = nil, fmt.Errorf("the YAML reader gave up: %v", p)
		}
	}()
	l, err := yaml.NewLoader(bytes.NewReader(src))
	if err != nil {
		return nil, err
	}
	for {
		n := new(yaml.Node)
		switch err := l.Load(n); {
		case errors.Is(err, io.EOF):
			return docs, nil
		case err != nil:
			return nil, err
		}
		if n.Kind == yaml.DocumentNode && len(n.Content) == 1 && !isNothing(n.Content[0]) {
			docs = append(docs, n)
		}
	}
}

// isNothing tells a document without content, as between two --- lines.
func isNothing(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Value == "" && n.Style == 0 && n.Anchor == ""
}

// readable looks at the bytes: UTF-8 without NUL is all that a document may be.
func (r *Reader) readable(src []byte) bool {
	if bytes.HasPrefix(src, []byte{0xff, 0xfe}) || bytes.HasPrefix(src, []byte{0xfe, 0xff}) {
		r.at(RuleEncoding, 1, 1, "the file is UTF-16", "save it as UTF-8")
		return false
	}
	if i := bytes.IndexByte(src, 0); i >= 0 {
		line, col := r.lines.at(i)
		r.at(RuleEncoding, line, col, fmt.Sprintf("byte %d of the file is NUL: this is not text", i+1), "save it as UTF-8 without NUL bytes")
		return false
	}
	if utf8.Valid(src) {
		return true
	}
	for i := 0; i < len(src); {
		c, n := utf8.DecodeRune(src[i:])
		if c == utf8.RuneError && n == 1 {
			line, col := r.lines.at(i)
			hint := ""
			if src[i] >= 0xa0 {
				hint = fmt.Sprintf(" (in Latin-1 it would be %q)", rune(src[i]))
			}
			r.at(RuleEncoding, line, col, fmt.Sprintf("byte %d of the file, 0x%02x, is not UTF-8%s", i+1, src[i], hint), "save it as UTF-8")
			return false
		}
		i += n
	}
	return true
}

type part struct{ start, end, line int }

var marker = regexp.MustCompile(`(?m)^---(?:[ \t\r]|$)`)

// split cuts a file at its --- lines, which end even a block text.
func split(src []byte) []part {
	var out []part
	last, line := 0, 0
	add := func(end int) {
		if end > last {
			out = append(out, part{last, end, line})
		}
		line += bytes.Count(src[last:end], []byte{'\n'})
		last = end
	}
	for _, at := range marker.FindAllIndex(src, -1) {
		add(at[0])
	}
	add(len(src))
	return out
}

// shift moves the places of a document that was read out of the middle of a file.
func shift(n *yaml.Node, by int) {
	n.Line += by
	for _, c := range n.Content {
		shift(c, by)
	}
}

// broken explains an error of the YAML reader. It often stands in for something simpler.
func (r *Reader) broken(err error, offset int) {
	var many *yaml.LoadErrors
	var one *yaml.LoadError
	switch {
	case errors.As(err, &many):
		for _, e := range many.Errors {
			r.brokenAt(e, offset)
		}
	case errors.As(err, &one):
		r.brokenAt(one, offset)
	default:
		r.at(RuleYAML, offset+1, 1, "not YAML: "+err.Error(), "")
	}
}

func (r *Reader) brokenAt(e *yaml.LoadError, offset int) {
	line, col := e.Mark.Line+offset, max(e.Mark.Column, 1)
	if e.Mark.Line == 0 {
		line, col = offset+1, 1
	}
	line = min(line, len(r.lines.starts))
	first := line
	if e.ContextMark.Line > 0 {
		first = e.ContextMark.Line + offset
	}
	for n := line; n >= max(1, min(first, line-1)); n-- {
		text := r.lines.line(n)
		if at := unquoted(text); at > 0 {
			r.at(RuleQuote, n, at, "a text that begins with {{ needs quotes: without them it is a map to YAML", "quote this: "+requote(text, at))
			return
		}
		if i := strings.IndexByte(text, '\t'); i >= 0 && strings.TrimLeft(text[:i], " ") == "" {
			r.at(RuleTab, n, i+1, "a tab in the indentation: YAML allows spaces only", "replace the tab by spaces")
			return
		}
	}
	message := e.Message
	if e.ContextMark.Line > 0 && strings.TrimSpace(r.lines.line(line)) == "" {
		// Something that was begun is not ended: its beginning says more than the end of the file.
		line, col = first, max(e.ContextMark.Column, 1)
	}
	if e.ContextMsg != "" {
		message = e.ContextMsg + ": " + message
	}
	switch {
	case strings.Contains(message, "excessive aliasing"), strings.Contains(message, "exceeded max"), strings.Contains(message, "depth"):
		r.at(RuleSize, line, col, "the document is nested too deeply or repeats itself without end: "+message, "flatten it")
	default:
		r.at(RuleYAML, line, col, "not YAML: "+message, "")
	}
}

var bareTemplate = regexp.MustCompile(`(?::[ \t]+|^[ \t]*-[ \t]+)(\{\{)`)

// unquoted finds the column of a {{ that begins a plain value on a line, or 0.
func unquoted(line string) int {
	m := bareTemplate.FindStringSubmatchIndex(line)
	if m == nil || strings.Count(line[:m[2]], `'`)%2 == 1 || strings.Count(line[:m[2]], `"`)%2 == 1 {
		return 0
	}
	return 1 + utf8.RuneCountInString(line[:m[2]])
}

// requote writes the value that begins at a column of a line as it should be.
func requote(line string, column int) string {
	v := strings.TrimRight(fromColumn(line, column), " \t\r")
	return "'" + strings.ReplaceAll(v, "'", "''") + "'"
}
