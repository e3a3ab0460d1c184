package graph

import "github.com/tendhq/tend/internal/cell"

// drawing collects placed boxes and routes the edges between them.
type drawing struct {
	l     Layout
	spots map[*part]spot
}

// spot is the place of a part on the whole grid.
type spot struct{ x, y, w, h, axis int }

// place puts p with its left upper corner at x, y, and all that it holds.
func (d *drawing) place(p *part, x, y int, parent string) {
	d.spots[p] = spot{x, y, p.w, p.h, x + p.axis}
	if p.boxed() {
		d.l.Boxes = append(d.l.Boxes, Box{
			Path: p.it.path, Parent: parent, Kind: p.it.kind, Role: p.it.role, Title: cell.Cut(p.it.title, maxText),
			Lines: p.lines, Effect: p.it.effect, Block: p.block, Status: p.status, X: x, Y: y, W: p.w, H: p.h,
		})
	}
	if p.block {
		parent = p.it.path
	}
	for _, k := range p.kids {
		d.place(k.part, x+k.x, y+k.y, parent)
	}
	if p.lanes {
		d.fork(p, parent)
	}
	for _, e := range p.edges {
		switch e.kind {
		case Next, Fork, Join, Always:
			d.down(e, parent)
		case OnFail, Attached:
			d.across(e, parent)
		}
	}
}

// fork draws the lines from the head of a row of lanes into each, and out of each to its foot.
func (d *drawing) fork(row *part, parent string) {
	b := d.spots[row]
	for _, k := range row.kids {
		s := d.spots[k.part]
		in, out := enter(k.part).it.path, exit(k.part).it.path
		d.l.Edges = append(d.l.Edges,
			Edge{parent, in, Fork, bend(Point{b.axis, b.y}, Point{s.axis, s.y}, b.y+1)},
			Edge{out, parent, Join, bend(Point{s.axis, s.y + s.h}, Point{b.axis, b.y + b.h}, b.y+b.h-1)})
	}
}

// enter finds the part where the flow enters p, exit the one where it leaves.
func enter(p *part) *part {
	for !p.boxed() && p.first != nil {
		p = p.first
	}
	return p
}

func exit(p *part) *part {
	for !p.boxed() && p.last != nil {
		p = p.last
	}
	return p
}

// name is the path of a part's box, or of the block that it stands in when it has none.
func name(p *part, parent string) string {
	if p.boxed() {
		return p.it.path
	}
	return parent
}

// down leads from the foot of one part to the head of the next.
func (d *drawing) down(e link, parent string) {
	from, to := exit(e.from), enter(e.to)
	a, b := d.spots[from], d.spots[to]
	p, q := Point{a.axis, a.y + a.h}, Point{b.axis, b.y}
	d.l.Edges = append(d.l.Edges, Edge{name(from, parent), name(to, parent), e.kind, bend(p, q, q.Y-gapY/2)})
}

// across leads from the right side of a part to the left side of what stands beside it. A flow beside the catch of its
// block is left at its own edge, that of the whole playbook at its start.
func (d *drawing) across(e link, parent string) {
	from, to := e.from, enter(e.to)
	if !from.flow || parent == "" {
		from = enter(from)
	}
	a, b := d.spots[from], d.spots[to]
	y := b.y + min(b.h, lineH+2)/2
	start := min(y, a.y+max(a.h-1, 0))
	points := []Point{{a.x + a.w, start}, {b.x, y}}
	if start != y {
		mid := b.x - gapX
		points = []Point{{a.x + a.w, start}, {mid, start}, {mid, y}, {b.x, y}}
	}
	d.l.Edges = append(d.l.Edges, Edge{name(from, parent), name(to, parent), e.kind, points})
}

// bend connects two points by at most three straight pieces, with the horizontal one at height y.
func bend(p, q Point, y int) []Point {
	if p.X == q.X {
		return []Point{p, q}
	}
	return []Point{p, {p.X, y}, {q.X, y}, q}
}
