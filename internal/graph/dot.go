package graph

import (
	"fmt"
	"io"
	"strings"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/program"
)

// Dot writes a digraph for Graphviz, from the same layout of boxes and edges that the SVG is drawn from; Graphviz places
// them anew.
func Dot(w io.Writer, p *program.Program, s State) error {
	l := New(p, nil)
	d := dot{state: s, ids: map[string]string{}, kids: map[string][]Box{}, boxes: map[string]Box{}}
	for i, b := range l.Boxes {
		d.ids[b.Path] = fmt.Sprintf("n%d", i+1)
		d.kids[b.Parent] = append(d.kids[b.Parent], b)
		d.boxes[b.Path] = b
	}
	d.printf(0, "digraph playbook {")
	d.printf(1, "label=%s; compound=true; rankdir=TB; fontname=%q;", quote(l.Name), "Helvetica")
	d.printf(1, `node [shape=box, style="rounded,filled", fillcolor=white, fontname="Helvetica", fontsize=11];`)
	d.printf(1, `edge [fontname="Helvetica", fontsize=9];`)
	d.inside(1, "")
	for _, e := range l.Edges {
		d.edge(e)
	}
	d.printf(0, "}")
	_, err := io.WriteString(w, d.b.String())
	return err
}

type dot struct {
	b     strings.Builder
	state State
	ids   map[string]string
	kids  map[string][]Box
	boxes map[string]Box
}

func (d *dot) printf(depth int, format string, a ...any) {
	d.b.WriteString(strings.Repeat("  ", depth))
	fmt.Fprintf(&d.b, format, a...)
	d.b.WriteByte('\n')
}

// quote writes a string for dot: backslashes and quotes are the only characters that mean something there.
func quote(lines ...string) string {
	r := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	var out []string
	for _, l := range lines {
		if l != "" {
			out = append(out, r.Replace(l))
		}
	}
	return `"` + strings.Join(out, `\n`) + `"`
}

func (d *dot) inside(depth int, parent string) {
	for _, b := range d.kids[parent] {
		m := d.state.at(b.Path)
		text := quote(append(append([]string{boxTitle(b)}, b.Lines...), m.text())...)
		if !b.Block {
			d.printf(depth, "%s [label=%s%s];", d.ids[b.Path], text, d.style(b, m))
			continue
		}
		d.printf(depth, "subgraph cluster_%s {", d.ids[b.Path])
		d.printf(depth+1, `label=%s; style="rounded"; color="#888888";`, text)
		d.printf(depth+1, `%s [shape=point, style=invis, width=0, height=0];`, d.ids[b.Path])
		d.inside(depth+1, b.Path)
		d.printf(depth, "}")
	}
}

func (d *dot) style(b Box, m Mark) string {
	name := m.tone()
	if name == "" && b.Effect == contract.Mutate && b.Kind == Action {
		name = "mutate"
	}
	out := ""
	for _, t := range tones() {
		if t.name == name {
			out = fmt.Sprintf(", fillcolor=%q, color=%q", t.fill, t.line)
		}
	}
	switch b.Kind {
	case Start, End:
		out += ", shape=circle, width=0.3"
	case Approve, Ask, Manual:
		out += ", shape=hexagon"
	case Wait:
		out += `, style="rounded,filled,dashed"`
	default:
	}
	return out
}

// edge draws a line; one from or to a block is cut at the block's border.
func (d *dot) edge(e Edge) {
	var attrs []string
	from, to := d.ids[e.From], d.ids[e.To]
	if from == "" { // a catch of the whole playbook hangs on its start
		from = d.ids[startPath]
	}
	if to == "" {
		return
	}
	if b := d.boxes[e.From]; b.Block && !d.within(e.To, e.From) {
		attrs = append(attrs, "ltail=cluster_"+from)
	}
	if b := d.boxes[e.To]; b.Block && !d.within(e.From, e.To) {
		attrs = append(attrs, "lhead=cluster_"+to)
	}
	switch e.Kind {
	case OnFail, Always:
		attrs = append(attrs, "style=dashed", "label="+quote(string(e.Kind)))
	case Attached:
		attrs = append(attrs, "style=dotted", "label="+quote(string(d.boxes[e.To].Role)))
	case Next, Fork, Join:
	}
	d.printf(1, "%s -> %s [%s];", from, to, strings.Join(attrs, ", "))
}

func (d *dot) within(path, block string) bool {
	for p := d.boxes[path].Parent; p != ""; p = d.boxes[p].Parent {
		if p == block {
			return true
		}
	}
	return false
}

func boxTitle(b Box) string {
	if b.Role != "" {
		return string(b.Role) + ": " + b.Title
	}
	return b.Title
}
