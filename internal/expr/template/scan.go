package template

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tendhq/tend/internal/expr/ref"
)

const (
	leftDelim    = "{{"
	rightDelim   = "}}"
	leftComment  = "/*"
	rightComment = "*/"
)

type tokenKind uint8

const (
	tokenEnd    tokenKind = iota // of the action
	tokenName                    // function or keyword
	tokenPath                    // $.a, .a[0], $x.b, .
	tokenValue                   // number, text, true, false, nil
	tokenOpen                    // (
	tokenClose                   // ), with the steps behind it
	tokenPipe                    // |
	tokenComma                   // ,
	tokenSet                     // :=
	tokenAssign                  // =
)

type token struct {
	kind tokenKind
	span
	text  string // name; variable of a path: "", "." or "$x"
	value any
	steps ref.Path
}

// scanner reads the tokens of one action.
type scanner struct {
	src string
	pos int
}

func fail(offset int, format string, v ...any) error {
	return &ref.Error{Offset: offset, Reason: fmt.Sprintf(format, v...)}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// trimsLeft tells whether an action whose inside starts at pos has a trim marker: `{{- `.
func trimsLeft(src string, pos int) bool {
	return pos+1 < len(src) && src[pos] == '-' && isSpace(src[pos+1])
}

// end answers whether the action ends at pos, where it goes on, and whether the text behind is trimmed.
func (s *scanner) end() (next int, trim, ok bool) {
	rest := s.src[s.pos:]
	if strings.HasPrefix(rest, rightDelim) {
		return s.pos + len(rightDelim), false, true
	}
	if strings.HasPrefix(rest, "-"+rightDelim) && s.pos > 0 && isSpace(s.src[s.pos-1]) {
		return s.pos + len(rightDelim) + 1, true, true
	}
	return 0, false, false
}

func (s *scanner) next() (token, error) {
	for s.pos < len(s.src) && isSpace(s.src[s.pos]) {
		s.pos++
	}
	if s.pos == len(s.src) {
		return token{}, fail(s.pos, "an action is not closed: }} is missing")
	}
	if _, _, ok := s.end(); ok {
		return token{kind: tokenEnd, span: span{s.pos, s.pos}}, nil
	}
	t, err := s.token()
	t.to = s.pos
	return t, err
}

func (s *scanner) token() (token, error) {
	at := s.pos
	t := token{span: span{from: at}}
	c := s.src[at]
	switch {
	case c == '(':
		t.kind = tokenOpen
		s.pos++
		return t, nil
	case c == ')':
		t.kind = tokenClose
		s.pos++
		return t, s.path(&t)
	case c == '|':
		t.kind = tokenPipe
		s.pos++
		return t, nil
	case c == ',':
		t.kind = tokenComma
		s.pos++
		return t, nil
	case c == '=':
		t.kind = tokenAssign
		s.pos++
		return t, nil
	case strings.HasPrefix(s.src[at:], ":="):
		t.kind = tokenSet
		s.pos += 2
		return t, nil
	case c == '"' || c == '`' || c == '\'':
		return s.quoted(t, c)
	case c == '$':
		t.kind = tokenPath
		s.pos = s.name(at + 1)
		t.text = s.src[at:s.pos]
		return t, s.path(&t)
	case c == '.' && !s.digitAt(at+1):
		t.kind, t.text = tokenPath, "."
		if err := s.path(&t); err != nil {
			return t, err
		}
		if s.pos == at { // a lone dot
			s.pos++
			return t, s.terminated(t)
		}
		return t, nil
	case c == '+' || c == '-' || c == '.' || c >= '0' && c <= '9':
		return s.number(t)
	}
	if s.pos = s.name(at); s.pos == at {
		r, _ := utf8.DecodeRuneInString(s.src[at:])
		return t, fail(at, "unexpected %q in an action", r)
	}
	t.kind, t.text = tokenName, s.src[at:s.pos]
	switch t.text {
	case "true", "false":
		t.kind, t.value = tokenValue, t.text == "true"
	case "nil":
		t.kind = tokenValue
	}
	return t, s.terminated(t)
}

func (s *scanner) digitAt(pos int) bool {
	return pos < len(s.src) && s.src[pos] >= '0' && s.src[pos] <= '9'
}

func (s *scanner) name(pos int) int {
	for pos < len(s.src) {
		r, n := utf8.DecodeRuneInString(s.src[pos:])
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) || r == utf8.RuneError {
			break
		}
		pos += n
	}
	return pos
}

// path reads the steps that follow without a space.
func (s *scanner) path(t *token) error {
	steps, next, err := ref.Scan(s.src, s.pos)
	if err != nil {
		return err
	}
	t.steps, s.pos = steps, next
	if t.kind == tokenPath && t.text == "." && len(steps) == 0 {
		return nil
	}
	return s.terminated(*t)
}

// terminated refuses what Go's templates refuse: an operand with something stuck to it.
func (s *scanner) terminated(t token) error {
	if s.pos >= len(s.src) || isSpace(s.src[s.pos]) {
		return nil
	}
	rest := s.src[s.pos:]
	switch rest[0] {
	case ')', '|', ',', '=', '(':
		return nil
	case ':':
		if strings.HasPrefix(rest, ":=") {
			return nil
		}
	case '-':
		if t.kind == tokenPath {
			word := s.src[strings.LastIndexAny(s.src[:s.pos], ".$ ")+1 : s.word(s.pos)]
			return fail(s.pos, "unexpected '-' in a path: a key with a dash stands in quotes, .'%s'", word)
		}
	}
	if strings.HasPrefix(rest, rightDelim) {
		return nil
	}
	if rest[0] == '.' && t.kind == tokenPath {
		return fail(s.pos, "a path ends with a dot")
	}
	r, _ := utf8.DecodeRuneInString(rest)
	return fail(s.pos, "unexpected %q behind %s", r, clip(s.src[t.from:s.pos]))
}

// word answers where a name with dashes ends.
func (s *scanner) word(pos int) int {
	for pos < len(s.src) {
		next := s.name(pos)
		if next == pos {
			if s.src[pos] != '-' {
				break
			}
			next++
		}
		pos = next
	}
	return pos
}

func clip(s string) string {
	const most = 40
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

func (s *scanner) quoted(t token, quote byte) (token, error) {
	t.kind = tokenValue
	end := s.pos + 1
	for ; ; end++ {
		if end >= len(s.src) || s.src[end] == '\n' && quote != '`' {
			return t, fail(t.from, "a text in quotes is not closed")
		}
		if s.src[end] == quote {
			break
		}
		if s.src[end] == '\\' && quote != '`' {
			end++
		}
	}
	s.pos = end + 1
	literal := s.src[t.from:s.pos]
	if quote == '\'' {
		r, _, tail, err := strconv.UnquoteChar(literal[1:], quote)
		if err != nil || tail != "'" {
			return t, fail(t.from, "%s is no character; texts stand in double quotes", clip(literal))
		}
		t.value = int64(r)
		return t, s.terminated(t)
	}
	text, err := strconv.Unquote(literal)
	if err != nil {
		return t, fail(t.from, "%s is no text in quotes", clip(literal))
	}
	if !utf8.ValidString(text) {
		return t, fail(t.from, "%s is not UTF-8", clip(literal))
	}
	t.value = text
	return t, s.terminated(t)
}

func (s *scanner) number(t token) (token, error) {
	end := s.pos
	for end < len(s.src) && (strings.IndexByte("+-._", s.src[end]) >= 0 || s.name(end) > end) {
		if c := s.src[end]; (c == '+' || c == '-') && end > s.pos && !strings.ContainsRune("eEpP", rune(s.src[end-1])) {
			break
		}
		end++
	}
	literal := s.src[s.pos:end]
	s.pos = end
	t.kind = tokenValue
	if i, err := strconv.ParseInt(literal, 0, 64); err == nil {
		t.value = i
		return t, s.terminated(t)
	}
	f, err := strconv.ParseFloat(literal, 64)
	if err != nil || f-f != 0 {
		return t, fail(t.from, "%s is no number", clip(literal))
	}
	t.value = f
	if i := int64(f); float64(i) == f && f < 1<<53 && f > -1<<53 {
		t.value = i
	}
	return t, s.terminated(t)
}
