package document

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// lines is the text of a file with the starts of its lines. It is immutable after newLines.
type lines struct {
	file   string
	src    []byte
	starts []int
}

func newLines(file string, src []byte) *lines {
	l := &lines{file: file, src: src, starts: make([]int, 1, 1+bytes.Count(src, []byte{'\n'}))}
	for i, rest := 0, src; ; {
		n := bytes.IndexByte(rest, '\n')
		if n < 0 {
			return l
		}
		i, rest = i+n+1, rest[n+1:]
		l.starts = append(l.starts, i)
	}
}

// line gives a line, counted from 1, without its end.
func (l *lines) line(n int) string {
	if n < 1 || n > len(l.starts) {
		return ""
	}
	end := len(l.src)
	if n < len(l.starts) {
		end = l.starts[n] - 1
	}
	return strings.TrimSuffix(string(l.src[l.starts[n-1]:end]), "\r")
}

// at tells the line of a byte and its column in characters.
func (l *lines) at(offset int) (line, column int) {
	lo, hi := 0, len(l.starts)
	for lo+1 < hi {
		if m := (lo + hi) / 2; l.starts[m] <= offset {
			lo = m
		} else {
			hi = m
		}
	}
	return lo + 1, 1 + utf8.RuneCount(l.src[l.starts[lo]:offset])
}

// place is where a node stands. A scalar on one line has an end.
func (l *lines) place(n *yaml.Node) Place {
	if n == nil {
		return Place{File: l.file}
	}
	p := Place{File: l.file, Line: n.Line, Column: n.Column}
	if n.Kind != yaml.ScalarNode && n.Kind != yaml.AliasNode {
		return p
	}
	rest := fromColumn(l.line(n.Line), n.Column)
	switch {
	case n.Kind == yaml.AliasNode:
		p.EndColumn = n.Column + 1 + utf8.RuneCountInString(n.Value)
	case n.Style&yaml.SingleQuotedStyle != 0:
		p.EndColumn = n.Column + quoted(rest, '\'')
	case n.Style&yaml.DoubleQuotedStyle != 0:
		p.EndColumn = n.Column + quoted(rest, '"')
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		p.EndColumn = n.Column + 1
	case strings.HasPrefix(rest, n.Value):
		p.EndColumn = n.Column + utf8.RuneCountInString(n.Value)
	default:
		p.EndColumn = n.Column + utf8.RuneCountInString(strings.TrimRight(rest, " \t"))
	}
	return p
}

// placeIn is where the byte at offset of a scalar's value stands. It is exact for plain and quoted scalars on one line
// and for literal blocks, and finds the word in folded ones.
func (l *lines) placeIn(n *yaml.Node, offset int) Place {
	p := l.place(n)
	if n == nil || n.Kind != yaml.ScalarNode || offset < 0 || offset > len(n.Value) {
		return p
	}
	before, after := n.Value[:offset], n.Value[offset:]
	rest := fromColumn(l.line(n.Line), n.Column)
	switch {
	case n.Style&yaml.LiteralStyle != 0:
		row := n.Line + 1 + strings.Count(before, "\n")
		text, _, _ := strings.Cut(n.Value[strings.LastIndexByte(before, '\n')+1:], "\n")
		if i := strings.LastIndex(l.line(row), text); i >= 0 {
			col := 1 + utf8.RuneCountInString(l.line(row)[:i]) + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
			return Place{File: l.file, Line: row, Column: col}
		}
		return p
	case n.Style&yaml.SingleQuotedStyle != 0:
		raw := "'" + strings.ReplaceAll(before, "'", "''")
		if strings.HasPrefix(rest, raw) {
			return Place{File: l.file, Line: n.Line, Column: n.Column + utf8.RuneCountInString(raw)}
		}
	case n.Style&(yaml.DoubleQuotedStyle|yaml.FoldedStyle) == 0:
		if strings.HasPrefix(rest, before) {
			return Place{File: l.file, Line: n.Line, Column: n.Column + utf8.RuneCountInString(before)}
		}
	}
	return l.search(n, before, after, p)
}

// search finds the word at an offset in the lines of a scalar whose text does not stand as it is.
func (l *lines) search(n *yaml.Node, before, after string, fallback Place) Place {
	word := after
	if i := strings.IndexAny(after, " \t\n\"'\\"); i > 0 {
		word = after[:i]
	}
	if strings.TrimSpace(word) == "" {
		return fallback
	}
	nth := strings.Count(before, word)
	for row, col := n.Line, n.Column; row <= len(l.starts) && row <= n.Line+1+len(n.Value); row, col = row+1, 1 {
		text := l.line(row)
		rest := fromColumn(text, col)
		for from := 0; ; {
			i := strings.Index(rest[from:], word)
			if i < 0 {
				break
			}
			if nth == 0 {
				return Place{File: l.file, Line: row, Column: col + utf8.RuneCountInString(rest[:from+i])}
			}
			nth--
			from += i + len(word)
		}
	}
	return fallback
}

// fromColumn cuts what stands before a column.
func fromColumn(line string, column int) string {
	for range column - 1 {
		_, n := utf8.DecodeRuneInString(line)
		line = line[n:]
	}
	return line
}

// quoted measures a quoted text at the start of s in characters, the quotes included, or all of s when it goes on.
func quoted(s string, quote byte) int {
	for i := 1; i < len(s); i++ {
		switch {
		case quote == '"' && s[i] == '\\':
			i++
		case s[i] == quote && quote == '\'' && i+1 < len(s) && s[i+1] == quote:
			i++
		case s[i] == quote:
			return utf8.RuneCountInString(s[:i+1])
		}
	}
	return utf8.RuneCountInString(s)
}

// Place is where a node of the document stands.
func (d *Document) Place(n *yaml.Node) Place { return d.lines.place(n) }

// PlaceIn is where the byte at offset of a scalar's value stands, for errors inside of expressions.
func (d *Document) PlaceIn(n *yaml.Node, offset int) Place { return d.lines.placeIn(n, offset) }

// Line gives a line of the document's file, counted from 1, without its end.
func (d *Document) Line(n int) string { return d.lines.line(n) }

// Find makes a finding at a node of the document.
func (d *Document) Find(rule string, s Severity, n *yaml.Node, message, remedy string) Finding {
	p := d.Place(n)
	return Finding{Rule: rule, Severity: s, Place: p, Message: message, Remedy: remedy, SourceLine: d.Line(p.Line)}
}
