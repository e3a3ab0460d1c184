package mask

import "fmt"

// gapLimit bounds the line breaks and the indentation that may stand between two bytes of a secret, so that what is held
// back stays bounded.
const gapLimit = 64

// pattern is one form of a secret. It never begins or ends with white space and is at least six bytes long.
type pattern struct {
	text    string
	percent bool // any byte may stand as %XX, and a space as +
	fold    bool // hex digits of both cases
	base64  bool // text is base64: padding belongs to it
	rest    bool // one more digit belongs to it
}

func (p pattern) id() string { return fmt.Sprint(p.percent, p.fold, p.base64, p.rest, p.text) }

// answer of a match.
type answer int

const (
	no    answer = iota
	maybe        // the input ends before it is decided
	yes
)

// match tells whether p is at the start of b and how many bytes of b it takes. When final, nothing follows b, and the
// answer is never maybe.
func (p pattern) match(b []byte, final bool) (int, answer) {
	short := maybe
	if final {
		short = no
	}
	i, j := 0, 0
	broke := false // a gap stands before i
	for j < len(p.text) {
		c := p.text[j]
		if i == len(b) {
			return 0, short
		}
		if j > 0 && isBreak(b[i]) {
			n := gap(b[i:])
			if n > gapLimit {
				return 0, no
			}
			i, broke = i+n, true
			continue
		}
		if isBreak(c) || broke && isBlank(c) {
			// White space of the secret where the text has a gap, or could have one: encoded it is taken here, raw it was a
			// part of the gap.
			if p.percent {
				n, ok, cut := escaped(b[i:], c)
				if cut && !final {
					return 0, maybe
				}
				switch {
				case ok:
					i += n
				case c == ' ' && b[i] == '+':
					i++
				}
			}
			j++
			continue
		}
		broke = false
		if p.percent && b[i] == '%' {
			n, ok, cut := escaped(b[i:], c)
			if ok {
				i, j = i+n, j+1
				continue
			}
			if cut && !final {
				return 0, maybe
			}
		}
		if b[i] != c && !(p.fold && lower(b[i]) == c) && !(p.percent && c == ' ' && b[i] == '+') {
			return 0, no
		}
		i, j = i+1, j+1
	}
	if p.base64 {
		return p.tail(b, i, final)
	}
	return i, yes
}

// tail takes the last digit and the padding of base64 after i.
func (p pattern) tail(b []byte, i int, final bool) (int, answer) {
	if p.rest {
		if i == len(b) && !final {
			return 0, maybe
		}
		if i < len(b) && isBase64(b[i]) {
			i++
		}
	}
	for range 2 {
		n, ok, cut := escaped(b[i:], '=')
		if cut && !final {
			return 0, maybe
		}
		switch {
		case ok:
			i += n
		case i < len(b) && b[i] == '=':
			i++
		}
	}
	return i, yes
}

// escaped tells whether b begins with the percent-encoding of c, line breaks within it skipped, and whether it is cut
// short of an answer.
func escaped(b []byte, c byte) (n int, ok, cut bool) {
	const digits = "0123456789abcdef"
	want := [3]byte{'%', digits[c>>4], digits[c&15]}
	i := 0
	for k, w := range want {
		if k > 0 && i < len(b) && isBreak(b[i]) {
			g := gap(b[i:])
			if g > gapLimit {
				return 0, false, false
			}
			i += g
		}
		if i == len(b) {
			return 0, false, true
		}
		if lower(b[i]) != w {
			return 0, false, false
		}
		i++
	}
	return i, true, false
}

// gap gives the length of the line breaks and the indentation at the start of b.
func gap(b []byte) int {
	n := 0
	for n < len(b) && n <= gapLimit && (isBreak(b[n]) || isBlank(b[n])) {
		n++
	}
	return n
}

func isBreak(c byte) bool { return c == '\n' || c == '\r' }

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

func isBase64(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		c == '+' || c == '/' || c == '-' || c == '_'
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
