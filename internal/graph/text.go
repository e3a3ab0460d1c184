package graph

import (
	"io"
	"strings"

	"github.com/tendhq/tend/internal/cell"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/program"
)

// TextOptions say how Text draws.
type TextOptions struct {
	ASCII bool // no box-drawing characters
	Color bool // ANSI colours, only for terminals
	Width int  // cells per line; 0: no limit
	State State
}

// Text draws the program as a tree, one node per line and its details below.
func Text(w io.Writer, p *program.Program, o TextOptions) error {
	t := tree{o: o, pen: boxPen()}
	if o.ASCII {
		t.pen = asciiPen()
	}
	root := outline(p)
	t.line("", ink{bold, root.title})
	for _, f := range root.facts {
		t.line("", ink{"", f.String()})
	}
	t.line(t.pen.pipe)
	t.children("", root)
	_, err := io.WriteString(w, t.b.String())
	return err
}

type pen struct{ tee, corner, pipe, blank, dot, loop, fork, lock, ask, wait, sign string }

func boxPen() pen {
	return pen{"├─ ", "└─ ", "│  ", "   ", "●", "↻", "⇉", "▣", "?", "◷", "!"}
}
func asciiPen() pen { return pen{"+- ", "`- ", "|  ", "   ", "*", "@", "=", "#", "?", "~", "!"} }

// The colours of a terminal.
const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	blue   = "34"
	purple = "35"
	cyan   = "36"
)

// ink is a piece of a line and its colour.
type ink struct{ color, text string }

type tree struct {
	b   strings.Builder
	o   TextOptions
	pen pen
}

// line writes a line behind the branches of the tree. What does not fit is cut, but never to less than 16 cells.
func (t *tree) line(prefix string, parts ...ink) {
	parts = append([]ink{{dim, prefix}}, parts...)
	room := -1
	if t.o.Width > 0 {
		room = max(t.o.Width, cell.Width(prefix)+16)
	}
	for i, p := range parts {
		s := p.text
		if t.o.ASCII {
			s = ascii(s)
		}
		if i == len(parts)-1 {
			s = strings.TrimRight(s, " ")
		}
		if room >= 0 {
			s = cell.Cut(s, room)
			room -= cell.Width(s)
			if t.o.ASCII {
				s = strings.ReplaceAll(s, "…", ".")
			}
		}
		if t.o.Color && p.color != "" && s != "" {
			s = "\x1b[" + p.color + "m" + s + "\x1b[0m"
		}
		t.b.WriteString(s)
	}
	t.b.WriteByte('\n')
}

// ascii replaces our own signs; what the document says stays as it is written.
func ascii(s string) string { return strings.NewReplacer(" … ", " .. ", " · ", ", ").Replace(s) }

// children draws what hangs on and stands in an item.
func (t *tree) children(prefix string, it item) {
	all := it.children()
	for i, c := range all {
		branch, under := t.pen.tee, t.pen.pipe
		if i == len(all)-1 {
			branch, under = t.pen.corner, t.pen.blank
		}
		t.item(prefix+branch, prefix+under, c)
	}
}

func (t *tree) item(prefix, under string, it item) {
	parts := []ink{{weight(it), t.glyph(it) + " "}}
	if it.role != "" {
		parts = append(parts, ink{purple, string(it.role) + "  "})
	}
	parts = append(parts, ink{weight(it), it.title})
	var inline []string
	var below []fact
	for _, f := range it.facts {
		if f.key == "" {
			inline = append(inline, f.text)
		} else {
			below = append(below, f)
		}
	}
	if len(inline) > 0 {
		parts = append(parts, ink{dim, "  " + strings.Join(inline, " · ")})
	}
	if m := t.o.State.at(it.path); m.Status != "" {
		parts = append(parts, ink{shade(m.tone()), "  [" + cell.Line(m.text()) + "]"})
	}
	t.line(prefix, parts...)
	hang := under + t.pen.blank
	if len(it.children()) > 0 {
		hang = under + t.pen.pipe
	}
	for _, f := range below {
		t.line(hang, ink{cyan, f.key + " "}, ink{"", f.text})
	}
	t.children(under, it)
}

func shade(tone string) string {
	switch tone {
	case "good":
		return green
	case "bad":
		return red
	case "doubt":
		return yellow
	case "live":
		return blue
	default:
		return dim
	}
}

func weight(it item) string {
	switch {
	case it.box():
		return bold
	case it.kind == Action && it.effect == contract.Mutate:
		return yellow
	default:
		return ""
	}
}

func (t *tree) glyph(it item) string {
	switch it.kind {
	case Foreach:
		return t.pen.loop
	case Parallel, Lane:
		return t.pen.fork
	case Lock:
		return t.pen.lock
	case Approve, Ask, Manual:
		return t.pen.ask
	case Wait:
		return t.pen.wait
	case Catch, Fail, Assert:
		return t.pen.sign
	default:
		return t.pen.dot
	}
}
