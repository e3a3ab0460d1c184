package ref

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxSteps bounds a path. Data is never nested deeper than value.MaxDepth.
const maxSteps = 400

// Parse reads a bare path from the root: `a.b[0]`, with or without `$.` or a dot in front. `$` and the empty text are the
// root.
func Parse(s string) (Path, error) {
	text := strings.TrimSpace(s)
	lead := strings.Index(s, text)
	pos := 0
	switch {
	case strings.HasPrefix(text, "$"):
		pos = 1
	case text == "" || text == ".":
		return nil, nil
	case text[0] != '.' && text[0] != '[':
		text = "." + text
		lead--
	}
	p, n, err := Scan(text, pos)
	if err == nil && n < len(text) {
		r, _ := utf8.DecodeRuneInString(text[n:])
		err = &Error{Offset: n, Reason: fmt.Sprintf("unexpected %q in a path", r)}
	}
	if e, ok := err.(*Error); ok { //nolint:errorlint // Scan gives no other
		e.Offset = max(e.Offset+lead, 0)
		return nil, e
	}
	return p, nil
}

// Scan reads the steps of a path at s[pos:], as far as they go, and answers where they end. A lone dot is no step. Errors
// are *Error with the offset in s.
func Scan(s string, pos int) (Path, int, error) {
	var p Path
	for pos < len(s) {
		if len(p) >= maxSteps {
			return nil, pos, &Error{Offset: pos, Reason: fmt.Sprintf("a path of more than %d steps", maxSteps)}
		}
		var (
			step Step
			next int
			err  error
		)
		switch {
		case s[pos] == '[':
			step, next, err = scanBracket(s, pos)
		case s[pos] != '.' || pos+1 == len(s):
			return p, pos, nil
		case s[pos+1] == '[':
			step, next, err = scanBracket(s, pos+1)
		case s[pos+1] == '*':
			step, next = Step{Kind: Each}, pos+2
		case s[pos+1] == '\'' || s[pos+1] == '"':
			step = Step{Kind: Key}
			step.Key, next, err = scanQuoted(s, pos+1)
		default:
			next = scanName(s, pos+1)
			if next == pos+1 {
				return p, pos, nil
			}
			step = Step{Kind: Key, Key: s[pos+1 : next]}
		}
		if err != nil {
			return nil, next, err
		}
		p, pos = append(p, step), next
	}
	return p, pos, nil
}

func scanName(s string, pos int) int {
	for pos < len(s) {
		r, n := rune(s[pos]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(s[pos:])
		}
		if !nameRune(r) || r == utf8.RuneError {
			break
		}
		pos += n
	}
	return pos
}

func nameRune(r rune) bool {
	return r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
		r >= utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

// scanQuoted reads a key in quotes. A backslash takes the next character as it is, n, r and t as usual.
func scanQuoted(s string, pos int) (string, int, error) {
	quote := s[pos]
	var b strings.Builder
	for i := pos + 1; i < len(s); i++ {
		switch c := s[i]; c {
		case quote:
			return b.String(), i + 1, nil
		case '\\':
			i++
			if i == len(s) {
				break
			}
			switch s[i] {
			case 'n':
				b.WriteByte('\n')
			case 'r':
				b.WriteByte('\r')
			case 't':
				b.WriteByte('\t')
			default:
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", len(s), &Error{Offset: pos, Reason: "a quoted key in a path is not closed"}
}

func scanBracket(s string, pos int) (Step, int, error) {
	fail := func(reason string) (Step, int, error) {
		return Step{}, pos, &Error{Offset: pos, Reason: reason}
	}
	i := skipSpace(s, pos+1)
	if i < len(s) && (s[i] == '\'' || s[i] == '"') {
		key, next, err := scanQuoted(s, i)
		if err != nil {
			return Step{}, next, err
		}
		if next = skipSpace(s, next); next == len(s) || s[next] != ']' {
			return fail("a [ in a path is not closed")
		}
		return Step{Kind: Key, Key: key}, next + 1, nil
	}
	end := strings.IndexByte(s[i:], ']')
	if end < 0 || end > 64 {
		return fail("a [ in a path is not closed")
	}
	inner, next := strings.TrimSpace(s[i:i+end]), i+end+1
	if inner == "*" {
		return Step{Kind: Each}, next, nil
	}
	from, to, isSlice := strings.Cut(inner, ":")
	step := Step{Kind: Index}
	var ok bool
	if step.From, ok = number(from, isSlice); !ok {
		return fail(fmt.Sprintf("[%s] in a path is no index: write [0], [1:3], [:] or [\"key\"]", inner))
	}
	if isSlice {
		step.Kind, step.Open = Slice, strings.TrimSpace(to) == ""
		if step.To, ok = number(to, true); !ok {
			return fail(fmt.Sprintf("[%s] in a path is no slice: write [1:3], [1:] or [:]", inner))
		}
	}
	return step, next, nil
}

func number(s string, emptyOK bool) (int, bool) {
	s = strings.TrimSpace(s)
	if s == "" {
		return 0, emptyOK
	}
	n, err := strconv.ParseInt(s, 10, 32)
	return int(n), err == nil
}

func skipSpace(s string, pos int) int {
	for pos < len(s) && (s[pos] == ' ' || s[pos] == '\t' || s[pos] == '\n' || s[pos] == '\r') {
		pos++
	}
	return pos
}
