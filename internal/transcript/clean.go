package transcript

import (
	"unicode/utf8"

	"github.com/tendhq/tend/internal/mask"
)

// assembler makes clean lines of one stream's bytes.
type assembler struct {
	stream uint8
	mask   *mask.Stream
	masked []byte // what the masker let through, between calls only its memory
	part   []byte // the beginning of a character that was cut
	line   []byte
	ended  bool // a carriage return ended the line before: a line feed after it belongs to it
	bare   bool // a carriage return came at the start of a line: a blank line if a line feed follows, else nothing
	emit   func(a *assembler, text []byte, more bool)
}

func (a *assembler) write(p []byte) {
	a.masked = a.mask.Append(a.masked[:0], p)
	a.clean(a.masked, false)
	if cap(a.masked) > 1<<20 {
		a.masked = nil // a single huge write must not cost memory until the end
	}
}

func (a *assembler) close() {
	a.masked = a.mask.Flush(a.masked[:0])
	a.clean(a.masked, true)
	if len(a.line) > 0 {
		a.end(false)
	}
}

func (a *assembler) end(more bool) {
	a.emit(a, a.line, more)
	a.line = a.line[:0]
}

func (a *assembler) clean(b []byte, final bool) {
	if len(a.part) > 0 {
		b = append(a.part, b...)
		a.part = nil
	}
	for len(b) > 0 {
		c := b[0]
		if c == '\r' || c == '\n' {
			a.lineEnd(c)
			b = b[1:]
			continue
		}
		a.ended, a.bare = false, false
		if len(a.line) >= MaxLine {
			a.end(true)
		}
		switch {
		case plain(c):
			n := 1
			for n < len(b) && len(a.line)+n < MaxLine && plain(b[n]) {
				n++
			}
			a.line = append(a.line, b[:n]...)
			b = b[n:]
		case c < 0x20:
			a.line = utf8.AppendRune(a.line, 0x2400+rune(c))
			b = b[1:]
		case c == 0x7f:
			a.line = utf8.AppendRune(a.line, 0x2421)
			b = b[1:]
		case !final && !utf8.FullRune(b):
			a.part = append([]byte(nil), b...)
			return
		default:
			r, n := utf8.DecodeRune(b)
			if r >= 0x80 && r < 0xa0 { // the control characters of the second table, which some terminals obey
				r = utf8.RuneError
			}
			a.line = utf8.AppendRune(a.line, r)
			b = b[n:]
		}
	}
}

func (a *assembler) lineEnd(c byte) {
	switch {
	case a.ended: // the rest of \r\n, or of \r\r\n
		a.ended = c == '\r'
	case c == '\n':
		a.end(false)
		a.bare = false
	case len(a.line) > 0:
		a.end(false)
		a.ended = true
	default:
		a.bare = true
	}
}

func plain(c byte) bool { return c >= 0x20 && c < 0x7f || c == '\t' }
