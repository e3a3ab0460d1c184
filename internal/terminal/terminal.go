// Package terminal knows how to talk to a person: where colours may go, what may be printed, and how to ask.
//
// What came from outside (output of programs, texts of events, titles of playbooks) passes Clean before it reaches a
// terminal: control characters and escape sequences never do.
package terminal

import (
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/tendhq/tend/internal/cell"
)

// Style says how a writer may be written to.
type Style struct {
	TTY    bool // a person sits there: lines may be asked, coloured, redrawn
	Colour bool
	Width  int // cells; 0: do not cut
}

// Detect tells the style of w. NO_COLOR and TERM=dumb take colours away; CLICOLOR_FORCE does not exist here: a file
// never gets escape sequences.
func Detect(w io.Writer, getenv func(string) string) Style {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return Style{}
	}
	s := Style{TTY: true, Colour: getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"}
	if width, _, err := term.GetSize(int(f.Fd())); err == nil {
		s.Width = width
	}
	return s
}

// IsTerminal tells whether a person types into r.
func IsTerminal(r io.Reader) bool {
	f, ok := r.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// The colours. Every one returns s as it is where colours may not go.

// Bold stresses.
func (s Style) Bold(t string) string { return s.wrap("1", t) }

// Dim steps back.
func (s Style) Dim(t string) string { return s.wrap("2", t) }

// Red is for what failed.
func (s Style) Red(t string) string { return s.wrap("31", t) }

// Green is for what holds.
func (s Style) Green(t string) string { return s.wrap("32", t) }

// Yellow is for what waits or is in doubt.
func (s Style) Yellow(t string) string { return s.wrap("33", t) }

// Blue is for names.
func (s Style) Blue(t string) string { return s.wrap("36", t) }

func (s Style) wrap(code, t string) string {
	if !s.Colour || t == "" {
		return t
	}
	return "\x1b[" + code + "m" + t + "\x1b[0m"
}

// Clean makes text that came from outside fit for a terminal: escape sequences go, other control characters (but not line
// breaks and tabs) and characters that turn the direction of text become visible marks.
func Clean(t string) string {
	if plain(t) {
		return t
	}
	t = strings.ReplaceAll(t, "\r\n", "\n")
	return cell.Clean(dropSequences(t))
}

// Line is Clean for a text that must stay on one line.
func Line(t string) string { return cell.Line(dropSequences(t)) }

func plain(t string) bool {
	for i := range len(t) {
		if c := t[i]; c >= utf8.RuneSelf || c == 0x7f || (c < 0x20 && c != '\n' && c != '\t') {
			return false
		}
	}
	return true
}

// dropSequences removes whole ANSI sequences (CSI, OSC and the two-byte ones), so that `\x1b[31mred` reads `red` and not
// `[31mred`.
func dropSequences(t string) string {
	if strings.IndexByte(t, 0x1b) < 0 {
		return t
	}
	var b strings.Builder
	for i := 0; i < len(t); {
		if t[i] != 0x1b {
			b.WriteByte(t[i])
			i++
			continue
		}
		i += sequence(t[i:])
	}
	return b.String()
}

// sequence tells how long the sequence at the start of t is; t[0] is ESC. An unfinished one ends with its line.
func sequence(t string) int {
	if len(t) < 2 {
		return len(t)
	}
	switch t[1] {
	case '[': // CSI: parameters, then one final byte
		for i := 2; i < len(t); i++ {
			switch c := t[i]; {
			case c == '\n':
				return i
			case c >= 0x40 && c <= 0x7e:
				return i + 1
			}
		}
		return len(t)
	case ']', 'P', '_', '^', 'X': // OSC, DCS and their kin: up to BEL or ST
		for i := 2; i < len(t); i++ {
			switch {
			case t[i] == '\n':
				return i
			case t[i] == 0x07:
				return i + 1
			case t[i] == 0x1b && i+1 < len(t) && t[i+1] == '\\':
				return i + 2
			}
		}
		return len(t)
	case '\n':
		return 1
	default:
		return 2
	}
}
