package graph

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
			Path: p.it.path, Parent: parent, Kind: p.it.kind, Role: p.it.role, Title: heading(p.it),
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
		case Next, Fork, Always:
			d.down(e, parent)
		case Join:
			d.back(e, parent)
		case OnFail:
			d.aside(e, parent)
		case Attached:
			d.hang(e, parent)
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
			Edge{out, parent, Join, bend(Point{s.axis, d.foot(k.part)}, Point{b.axis, b.y + b.h}, b.y+b.h-1)})
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

// foot is where the flow leaves p: below what hangs on it, above a catch that stands beside it.
func (d *drawing) foot(p *part) int {
	for !p.boxed() && !p.hung && p.last != nil {
		p = p.last
	}
	s := d.spots[p]
	return s.y + s.h
}

// down leads from the foot of one part to the head of the next.
func (d *drawing) down(e link, parent string) {
	from, to := exit(e.from), enter(e.to)
	a, b := d.spots[from], d.spots[to]
	p, q := Point{a.axis, d.foot(e.from)}, Point{b.axis, b.y}
	d.l.Edges = append(d.l.Edges, Edge{name(from, parent), name(to, parent), e.kind, bend(p, q, q.Y-gapY/2)})
}

// aside leaves the flow below a part for the catch beside it.
func (d *drawing) aside(e link, parent string) {
	from, to := exit(e.from), enter(e.to)
	axis, b := d.spots[e.from].axis, d.spots[to]
	y := b.y + head/2
	d.l.Edges = append(d.l.Edges, Edge{name(from, parent), name(to, parent), e.kind, []Point{{axis, d.foot(e.from)}, {axis, y}, {b.x, y}}})
}

// back leads from a catch to the flow above what comes in any case.
func (d *drawing) back(e link, parent string) {
	a, b := d.spots[e.from], d.spots[e.to]
	y := a.y + a.h + 1
	d.l.Edges = append(d.l.Edges, Edge{name(e.from, parent), name(e.to, parent), e.kind, []Point{{a.axis, a.y + a.h}, {a.axis, y}, {b.axis, y}}})
}

// hang leads from a step to what hangs on it.
func (d *drawing) hang(e link, parent string) {
	a, b := d.spots[e.from], d.spots[enter(e.to)]
	x, y := a.x+indent/2, b.y+lineH
	d.l.Edges = append(d.l.Edges, Edge{name(e.from, parent), name(enter(e.to), parent), e.kind, []Point{{x, a.y + a.h}, {x, y}, {b.x, y}}})
}

// bend connects two points by at most three straight pieces, with the horizontal one at height y.
func bend(p, q Point, y int) []Point {
	if p.X == q.X {
		return []Point{p, q}
	}
	return []Point{p, {p.X, y}, {q.X, y}, q}
}
