package lint

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/tendhq/tend/internal/cell"
	"github.com/tendhq/tend/internal/document"
)

// tabWidth is how wide a tab of a source line is printed.
const tabWidth = 4

// Text writes findings for people: the place and the message, the line with a caret below the place, and what to do.
// color is for terminals.
func Text(w io.Writer, fs []document.Finding, color bool) error {
	var b strings.Builder
	for i, f := range fs {
		if i > 0 {
			b.WriteByte('\n')
		}
		paint := func(code, s string) string {
			if !color {
				return s
			}
			return "\x1b[" + code + "m" + s + "\x1b[0m"
		}
		fmt.Fprintf(&b, "%s: %s: %s %s\n", paint("1", cell.Clean(f.Place.String())), paint(shade(f.Severity), string(f.Severity)),
			cell.Line(f.Message), paint("2", "["+f.Rule+"]"))
		if f.Place.Line > 0 && strings.TrimSpace(f.SourceLine) != "" {
			line, caret := excerpt(f)
			gutter := fmt.Sprintf("%5d", f.Place.Line)
			fmt.Fprintf(&b, "%s %s\n", paint("2", gutter+" |"), line)
			if caret != "" {
				fmt.Fprintf(&b, "%s %s\n", paint("2", "      |"), strings.Replace(caret, strings.TrimLeft(caret, " "), paint(shade(f.Severity), strings.TrimLeft(caret, " ")), 1))
			}
		}
		if f.Remedy != "" {
			fmt.Fprintf(&b, "      %s %s\n", paint("2", "="), cell.Line(f.Remedy))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func shade(s document.Severity) string {
	switch s {
	case document.Error:
		return "1;31"
	case document.Warning:
		return "1;33"
	default:
		return "1;36"
	}
}

// window is how much of a long line is shown.
const window = 120

// excerpt gives the line as it is printed, tabs as spaces, and the caret below it. Of a long line it shows the part around
// the place.
func excerpt(f document.Finding) (line, caret string) {
	from, to := f.Place.Column-1, f.Place.EndColumn-1
	var b strings.Builder
	start, end, width, n := -1, -1, 0, 0
	for _, r := range cell.Clean(f.SourceLine) {
		if n == from {
			start = width
		}
		if n == to {
			end = width
		}
		n++
		if r == '\t' {
			stop := tabWidth - width%tabWidth
			b.WriteString(strings.Repeat(" ", stop))
			width += stop
			continue
		}
		b.WriteRune(r)
		width += cell.Rune(r)
	}
	if n == from {
		start = width
	}
	if end < 0 && to >= n {
		end = width
	}
	line = strings.TrimRight(b.String(), " ")
	if f.Place.Column == 0 || start < 0 {
		return cell.Cut(line, window), ""
	}
	if end <= start {
		end = start + 1
	}
	if left := start - window*2/3; left > 0 && cell.Width(line) > window {
		rest, cut := dropCells(line, left)
		line, start, end = "…"+rest, start-cut+1, end-cut+1
	}
	line = cell.Cut(line, window)
	end = min(end, max(cell.Width(line), start+1))
	return line, strings.Repeat(" ", start) + "^" + strings.Repeat("~", end-start-1)
}

// dropCells cuts at least n cells from the left and tells how many.
func dropCells(s string, n int) (rest string, cut int) {
	for cut < n && s != "" {
		r, size := utf8.DecodeRuneInString(s)
		cut += cell.Rune(r)
		s = s[size:]
	}
	return s, cut
}

// Count tells how many findings of each severity there are.
func Count(fs []document.Finding) (errors, warnings, advices int) {
	for _, f := range fs {
		switch f.Severity {
		case document.Error:
			errors++
		case document.Warning:
			warnings++
		case document.Advice:
			advices++
		}
	}
	return errors, warnings, advices
}
