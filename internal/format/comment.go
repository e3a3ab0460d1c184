package format

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// lines are the lines of a text, without their ends.
type lines []string

func newLines(src []byte) lines {
	l := strings.Split(string(src), "\n")
	for i := range l {
		l[i] = strings.TrimSuffix(l[i], "\r")
	}
	return l
}

// line gives a line, counted from 1.
func (l lines) line(n int) string {
	if n < 1 || n > len(l) {
		return ""
	}
	return l[n-1]
}

// fromColumn cuts what stands before a column.
func fromColumn(line string, column int) string {
	for range column - 1 {
		_, n := utf8.DecodeRuneInString(line)
		line = line[n:]
	}
	return line
}

// comment is a comment of a document.
type comment struct {
	line, col int
	text      string // with its #
	own       bool   // stands on a line of its own
}

// commentsOf finds the comments of a document whose nodes are known: everything from a # at the start of a line or after
// a space to the line's end, outside of quoted and block texts.
func commentsOf(l lines, root *yaml.Node) []comment {
	skip := l.texts(root)
	var out []comment
	for line := 1; line <= len(l); line++ {
		text := l.line(line)
		for i := 0; i < len(text); i++ {
			if len(skip) > 0 {
				if s := skip[0]; s.fromLine < line || s.fromLine == line && s.fromByte <= i {
					if s.toLine > line || s.toLine == line && s.toByte > i {
						if s.toLine > line {
							break
						}
						i = s.toByte
					}
					skip = skip[1:]
					i--
					continue
				}
			}
			if text[i] != '#' || i > 0 && text[i-1] != ' ' && text[i-1] != '\t' {
				continue
			}
			out = append(out, comment{
				line: line, col: 1 + utf8.RuneCountInString(text[:i]), text: strings.TrimRight(text[i:], " \t"),
				own: strings.TrimSpace(text[:i]) == "",
			})
			break
		}
	}
	return out
}

// span is where a text stands in which # is nothing but a character.
type span struct{ fromLine, fromByte, toLine, toByte int }

// texts finds the quoted and block texts, in order.
func (l lines) texts(root *yaml.Node) []span {
	var out []span
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		if n.Kind == yaml.ScalarNode {
			switch {
			case n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
				out = append(out, l.quotedSpan(n))
			case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
				_, first, last, _ := l.blockLines(n)
				if last >= first {
					out = append(out, span{first, 0, last + 1, 0})
				}
			}
		}
		for _, c := range n.Content {
			walk(c)
		}
	}
	walk(root)
	slices.SortFunc(out, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.fromLine, b.fromLine), cmp.Compare(a.fromByte, b.fromByte))
	})
	return out
}

// quotedSpan finds the end of a quoted text.
func (l lines) quotedSpan(n *yaml.Node) span {
	mark := byte('"')
	if n.Style&yaml.SingleQuotedStyle != 0 {
		mark = '\''
	}
	text := l.line(n.Line)
	i := len(text) - len(fromColumn(text, n.Column))
	if at := strings.IndexByte(text[i:], mark); at > 0 {
		i += at // an anchor or tag stands before
	}
	s := span{fromLine: n.Line, fromByte: i}
	for line := n.Line; line <= len(l); line++ {
		if line > n.Line {
			text, i = l.line(line), -1
		}
		for i++; i < len(text); i++ {
			switch {
			case mark == '"' && text[i] == '\\':
				i++
			case text[i] == mark && mark == '\'' && i+1 < len(text) && text[i+1] == mark:
				i++
			case text[i] == mark:
				s.toLine, s.toByte = line, i+1
				return s
			}
		}
	}
	s.toLine = len(l) + 1
	return s
}

// blockLines finds the lines of a block text: the line of its indicator, its first and its last line (which is before
// the first when it is empty), and how deep it is indented.
func (l lines) blockLines(n *yaml.Node) (indicator, first, last, depth int) {
	indicator = n.Line
	// An anchor or tag can stand on a line above the indicator.
	for indicator < len(l) && !strings.ContainsAny(l.line(indicator), "|>") {
		indicator++
	}
	first, last = indicator+1, indicator
	parent := l.parentIndent(indicator)
	head := fromColumn(l.line(indicator), n.Column)
	if i := strings.IndexAny(head, "|>"); i >= 0 {
		for _, c := range head[i+1:] {
			if c >= '1' && c <= '9' {
				depth = parent + int(c-'0')
				continue
			}
			if c != '+' && c != '-' {
				break
			}
		}
	}
	for line := first; line <= len(l); line++ {
		text := l.line(line)
		if strings.TrimLeft(text, " ") == "" {
			continue
		}
		at := len(text) - len(strings.TrimLeft(text, " "))
		if depth == 0 {
			if at <= parent && n.Value != "" || n.Value == "" || at == 0 {
				break
			}
			depth = at
		}
		if at < depth {
			break
		}
		last = line
	}
	return indicator, first, last, depth
}

// parentIndent is the indentation of the map or list that a line's entry is in: that of its innermost key or dash.
func (l lines) parentIndent(line int) int {
	text := l.line(line)
	i := 0
	for i < len(text) {
		switch {
		case text[i] == ' ':
			i++
		case text[i] == '-' && i+1 < len(text) && text[i+1] == ' ':
			rest := strings.TrimLeft(text[i+1:], " ")
			if strings.HasPrefix(rest, "|") || strings.HasPrefix(rest, ">") {
				return i
			}
			i++
		default:
			return i
		}
	}
	return i
}

// blockText gives the lines of a block text without their indentation, and its indicator for an indentation of two.
func (l lines) blockText(n *yaml.Node) (body []string, indicator string, ok bool) {
	_, first, last, depth := l.blockLines(n)
	for line := first; line <= last; line++ {
		text := l.line(line)
		if len(text) <= depth {
			text = strings.TrimLeft(text, " ")
		} else {
			text = text[depth:]
		}
		body = append(body, text)
	}
	indicator = "|"
	if n.Style&yaml.FoldedStyle != 0 {
		indicator = ">"
	}
	for _, text := range body {
		if text != "" {
			if text[0] == ' ' || text[0] == '\t' {
				indicator += "2"
			}
			break
		}
	}
	content := strings.TrimRight(n.Value, "\n")
	switch end := n.Value[len(content):]; {
	case end == "":
		indicator += "-"
	case len(end) > 1 || content == "":
		// The blank lines at the end belong to the text.
		indicator += "+"
		for range len(end) - 1 {
			body = append(body, "")
		}
		if content == "" {
			body = append(body, "")
		}
	}
	return body, indicator, n.Value != "" || len(body) == 0
}
