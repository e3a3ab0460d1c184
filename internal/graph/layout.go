package graph

import (
	"strings"

	"github.com/tendhq/tend/internal/cell"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/program"
)

// Layout is a drawing on a grid: boxes with their places, and lines between them. A unit is about the width of a
// character and half of its height, so that a renderer scales both axes alike.
type Layout struct {
	Name  string `json:"name"`
	W     int    `json:"w"`
	H     int    `json:"h"`
	Boxes []Box  `json:"boxes"` // outer before inner
	Edges []Edge `json:"edges"`
}

// Box is a step, or a block around others.
type Box struct {
	Path   string          `json:"path"`
	Parent string          `json:"parent,omitempty"` // path of the block that it stands in
	Kind   Kind            `json:"kind"`
	Role   Role            `json:"role,omitempty"`
	Title  string          `json:"title"`
	Lines  []string        `json:"lines,omitempty"` // details below the title
	Effect contract.Effect `json:"effect,omitempty"`
	Block  bool            `json:"block,omitempty"` // other boxes stand in it
	// Status is what the State says of it, at most maxText cells. A step has it as its last line; a block at the right of
	// its title.
	Status string `json:"status,omitempty"`
	X      int    `json:"x"`
	Y      int    `json:"y"`
	W      int    `json:"w"`
	H      int    `json:"h"`
}

// EdgeKind says why a line leads from one box to another.
type EdgeKind string

// The kinds of edges.
const (
	Next     EdgeKind = "next"     // then
	Fork     EdgeKind = "fork"     // into a lane
	Join     EdgeKind = "join"     // out of a lane, to the foot of the row, where nothing stands
	OnFail   EdgeKind = "catch"    // when the block failed
	Always   EdgeKind = "finally"  // in any case
	Attached EdgeKind = "attached" // to a verify, undo, probe or check
)

// Edge is a line of horizontal and vertical pieces.
type Edge struct {
	From   string   `json:"from"`
	To     string   `json:"to"`
	Kind   EdgeKind `json:"kind"`
	Points []Point  `json:"points"`
}

// Point is a place on the grid.
type Point struct {
	X int `json:"x"`
	Y int `json:"y"`
}

// The measures of the grid.
const (
	gapY     = 3  // between two steps
	gapX     = 4  // between two lanes, and from the flow to a catch
	forkH    = 2  // above and below lanes, where the flow parts and meets
	indent   = 3  // of what hangs on a step
	pad      = 2  // inside of a block
	lineH    = 2  // a line of text
	side     = 7  // of a step beside its text: margins, and the sign of its state
	minW     = 16 // of a step
	maxText  = 40 // cells of a line before it is cut; a step is no wider than a phone
	maxLines = 4  // details shown in a box
	head     = 4  // height of a block's title
)

// Paths of the boxes that a layout adds.
const (
	startPath = "start"
	endPath   = "end"
)

// New lays a program out: steps below each other on one axis, lanes side by side, blocks around what they hold, what
// hangs on a step right below it, and a catch below what it is for, beside the flow. So it is read from above to below,
// and only lanes make it wide. What the State says has room in the boxes, so that nothing covers anything. The same
// program and State always give the same layout.
func New(p *program.Program, s State) Layout {
	m := builder{s}
	root := outline(p)
	start := m.leaf(item{path: startPath, kind: Start, title: "start"})
	end := m.leaf(item{path: endPath, kind: End, title: "end"})
	flow := column(append([]*part{start}, m.sequence(root.body)...))
	all := column([]*part{m.withHandlers(flow, root), end})
	d := drawing{l: Layout{Name: root.title, W: all.w + 2*pad, H: all.h + 2*pad}, spots: map[*part]spot{}}
	d.place(all, pad, pad, "")
	return d.l
}

// builder makes parts, with room for what a State says.
type builder struct{ state State }

// part is a piece of the drawing with its size. Its axis is the vertical line on which the flow enters and leaves.
type part struct {
	it         item
	lines      []string
	status     string
	w, h, axis int
	leaf       bool
	block      bool
	flow       bool // a column or row: many parts, no box
	lanes      bool // a row
	hung       bool // a step with what hangs on it: the flow leaves below all of it
	kids       []kid
	edges      []link
	first      *part // where the flow enters a group that has no box of its own
	last       *part // and where it leaves
}

func (p *part) boxed() bool { return p.leaf || p.block }

// kid is a part inside another, with its place there.
type kid struct {
	*part
	x, y int
}

// link is an edge to be routed when all is placed.
type link struct {
	from, to *part
	kind     EdgeKind
}

func (m builder) leaf(it item) *part {
	mark := m.state.at(it.path)
	p := &part{it: it, leaf: true, lines: details(it, mark.Targets), status: status(mark)}
	p.w = max(textWidth(p), cell.Width(p.status)) + side
	p.w = max(p.w+p.w%2, minW)
	p.h = lineH*(1+len(p.lines)) + 2
	if p.status != "" {
		p.h += lineH
	}
	p.axis = p.w / 2
	return p
}

func status(m Mark) string { return cell.Cut(m.text(), maxText) }

// room is how long a text in an item may be: what hangs on a step is no wider than the step.
func room(it item) int {
	if it.role != "" {
		return maxText - indent
	}
	return maxText
}

// heading is the title as far as there is room, beside the role.
func heading(it item) string {
	if it.role != "" {
		return cell.Cut(it.title, room(it)-len(it.role)-1)
	}
	return cell.Cut(it.title, room(it))
}

// titleWidth is that of a title, which is written bold.
func titleWidth(p *part) int {
	w := cell.Width(heading(p.it))
	w += w / 6
	if p.it.role != "" {
		w += len(p.it.role) + 1
	}
	return min(w, room(p.it)+2)
}

func textWidth(p *part) int {
	w := titleWidth(p)
	for _, l := range p.lines {
		w = max(w, cell.Width(l))
	}
	return w
}

// details are the lines below the title, cut to what a box can show. Targets that a run knows stand in the place of those
// that the playbook writes.
func details(it item, targets []string) []string {
	var inline, out []string
	for _, f := range it.facts {
		if f.key == "" {
			inline = append(inline, f.text)
		}
	}
	if len(inline) > 0 {
		out = append(out, strings.Join(inline, " · "))
	}
	known := len(targets) > 0
	if known {
		for i := range targets {
			out = append(out, fact{keyTarget, cell.Line(targets[i])}.String())
		}
	}
	for _, f := range it.facts {
		if f.key != "" && !(known && f.key == keyTarget) {
			out = append(out, f.String())
		}
	}
	if len(out) > maxLines {
		out = append(out[:maxLines-1], "…")
	}
	for i := range out {
		out[i] = cell.Cut(out[i], room(it))
	}
	return out
}

func (m builder) sequence(its []item) []*part {
	out := make([]*part, len(its))
	for i, it := range its {
		out[i] = m.measure(it)
	}
	return out
}

func (m builder) measure(it item) *part {
	if it.box() {
		return m.block(it)
	}
	return m.withHandlers(m.withSide(m.leaf(it), it), it)
}

// block draws a box around the body of an item; its handlers stand inside, so that they move with it, and what watches it
// stands at its head.
func (m builder) block(it item) *part {
	body := column
	if it.kind == Parallel {
		body = row
	}
	in := m.withHandlers(body(m.sequence(it.body)), it)
	mark := m.state.at(it.path)
	p := &part{it: it, block: true, lines: details(it, mark.Targets), status: status(mark)}
	top := head + lineH*len(p.lines)
	for _, s := range it.side {
		k := m.measure(s)
		p.kids = append(p.kids, kid{k, pad, top})
		p.w, top = max(p.w, k.w+2*pad), top+k.h+forkH
	}
	p.w, p.h = max(p.w, in.w+2*pad, textWidth(p)+side, minW), top+in.h+pad
	if p.status != "" {
		p.w = max(p.w, titleWidth(p)+cell.Width(p.status)+side+2)
	}
	x := (p.w - in.w) / 2
	p.axis = x + in.axis
	p.kids = append(p.kids, kid{in, x, top})
	return p
}

// column stacks parts on one axis.
func column(parts []*part) *part {
	g := &part{flow: true}
	if len(parts) == 0 {
		g.w, g.h, g.axis = minW, lineH, minW/2
		return g
	}
	right := 0
	for _, p := range parts {
		g.axis = max(g.axis, p.axis)
		right = max(right, p.w-p.axis)
	}
	g.w = g.axis + right
	for i, p := range parts {
		if i > 0 {
			g.h += gapY
			g.edges = append(g.edges, link{parts[i-1], p, Next})
		}
		g.kids = append(g.kids, kid{p, g.axis - p.axis, g.h})
		g.h += p.h
	}
	g.first, g.last = parts[0], parts[len(parts)-1]
	return g
}

// row puts lanes side by side, with room for the fork above and the join below.
func row(parts []*part) *part {
	g := &part{flow: true, lanes: true}
	for i, p := range parts {
		if i > 0 {
			g.w += gapX
		}
		g.kids = append(g.kids, kid{p, g.w, forkH})
		g.w += p.w
		g.h = max(g.h, p.h)
	}
	g.h += 2 * forkH
	g.w = max(g.w, minW)
	g.axis = g.w / 2
	return g
}

// withSide hangs verify, undo, probe and checks below a step, so far to the right that they are seen to be its own.
func (m builder) withSide(p *part, it item) *part {
	if len(it.side) == 0 {
		return p
	}
	kids := make([]*part, len(it.side))
	w := p.w
	for i, s := range it.side {
		kids[i] = m.measure(s)
		w = max(w, indent+kids[i].w)
	}
	w += w % 2
	p.w, p.axis = w, w/2
	g := &part{axis: p.axis, w: w, h: p.h, first: p, last: p, hung: true, kids: []kid{{p, 0, 0}}}
	for _, k := range kids {
		if k.leaf {
			k.w, k.axis = w-indent, (w-indent)/2
		}
		g.h++
		g.kids = append(g.kids, kid{k, indent, g.h})
		g.edges = append(g.edges, link{p, k, Attached})
		g.h += k.h
	}
	return g
}

// withHandlers puts catch below a part, beside the flow, and finally below both.
func (m builder) withHandlers(p *part, it item) *part {
	if it.catch == nil && it.final == nil {
		return p
	}
	g := &part{axis: p.axis, first: p, last: p, kids: []kid{{p, 0, 0}}, w: p.w, h: p.h}
	var c *part
	if it.catch != nil {
		c = m.block(*it.catch)
		x := g.axis + gapX
		g.kids = append(g.kids, kid{c, x, g.h + forkH})
		g.edges = append(g.edges, link{p, c, OnFail})
		g.w, g.h = max(g.w, x+c.w), g.h+forkH+c.h
	}
	if it.final == nil {
		return g
	}
	f := m.block(*it.final)
	if d := f.axis - g.axis; d > 0 { // what stands above moves right, so that the axes meet
		for i := range g.kids {
			g.kids[i].x += d
		}
		g.axis += d
		g.w += d
	}
	if c != nil {
		g.h++ // where the catch meets the flow again
		g.edges = append(g.edges, link{c, f, Join})
	}
	x := g.axis - f.axis
	g.kids = append(g.kids, kid{f, x, g.h + gapY})
	g.edges = append(g.edges, link{p, f, Always})
	g.w, g.h = max(g.w, x+f.w), g.h+gapY+f.h
	g.last = f
	return g
}
