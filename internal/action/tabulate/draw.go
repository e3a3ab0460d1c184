package tabulate

import (
	"strings"
	"unicode/utf8"

	"github.com/tendhq/tend/internal/cell"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/value"
)

// draw gives the table: a line of titles, a line of dashes, the rows; two spaces between columns, none at the end.
func (t table) draw(width, cut int) (string, error) {
	lines := [][]cells{t.titles()}
	number := make([]bool, len(lines[0]))
	for i := range number {
		number[i] = true
	}
	for _, r := range t.rows {
		line := make([]cells, 0, len(lines[0]))
		if t.group != "" {
			line = append(line, layout(r.group, width, cut))
			number[0] = false
		}
		for _, c := range t.columns {
			v := r.cells[c.key]
			if !numeric(v) && v != nil {
				number[len(line)] = false
			}
			line = append(line, layout(shown(v), width, cut))
		}
		lines = append(lines, line)
	}
	if len(lines[0]) == 0 {
		return "", nil
	}
	widths := make([]int, len(lines[0]))
	for _, line := range lines {
		for i, c := range line {
			for _, l := range c {
				widths[i] = max(widths[i], cell.Width(l))
			}
		}
	}
	total := 2
	for _, w := range widths {
		total += w + 2
	}
	if total*len(lines) > maxTable { // an upper bound where no cell has several lines
		return "", fault.New(fault.Limit, "the table would be larger than %d MiB", maxTable>>20)
	}
	var b strings.Builder
	for n, line := range lines {
		write(&b, line, widths, number)
		if n == 0 {
			rule(&b, widths)
		}
		if b.Len() > maxTable {
			return "", fault.New(fault.Limit, "the table would be larger than %d MiB", maxTable>>20)
		}
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// cells are the lines of one cell.
type cells []string

func (t table) titles() []cells {
	var out []cells
	if t.group != "" {
		out = append(out, cells{cell.Line(t.group)})
	}
	for _, c := range t.columns {
		out = append(out, cells{cell.Line(c.title)})
	}
	return out
}

func rule(b *strings.Builder, widths []int) {
	for i, w := range widths {
		if i > 0 {
			b.WriteString("  ")
		}
		b.WriteString(strings.Repeat("-", max(w, 1)))
	}
	b.WriteByte('\n')
}

func write(b *strings.Builder, line []cells, widths []int, number []bool) {
	height := 1
	for _, c := range line {
		height = max(height, len(c))
	}
	for n := range height {
		gap := 0 // spaces are written only when something follows
		for i, c := range line {
			text := ""
			if n < len(c) {
				text = c[n]
			}
			pad := widths[i] - cell.Width(text)
			if number[i] {
				gap += pad
				pad = 0
			}
			if text != "" {
				b.WriteString(strings.Repeat(" ", gap))
				b.WriteString(text)
				gap = 0
			}
			gap += pad + 2
		}
		b.WriteByte('\n')
	}
}

func numeric(v any) bool {
	switch v.(type) {
	case int64, float64:
		return true
	default:
		return false
	}
}

func shown(v any) string { return strings.ToValidUTF8(value.Text(v), string(utf8.RuneError)) }

// layout cuts and breaks the text of a cell.
func layout(s string, width, cut int) cells {
	s = cell.Line(s)
	if cut > 0 {
		s = cell.Cut(s, cut)
	}
	if width <= 0 {
		return cells{s}
	}
	var out cells
	for cell.Width(s) > width {
		head := fit(s, width)
		out = append(out, strings.TrimRight(s[:head], " "))
		s = strings.TrimLeft(s[head:], " ")
	}
	return append(out, s)
}

// fit gives how many bytes of s make a line of at most width cells: up to a space if there is one in the second half, and
// at least one character.
func fit(s string, width int) int {
	used, space := 0, 0
	for i, r := range s {
		if used += cell.Rune(r); used > width && i > 0 {
			if space > i/2 {
				return space
			}
			return i
		}
		if r == ' ' {
			space = i + 1
		}
	}
	return len(s)
}
