package edit

// Paths lists the paths of the steps of lists in a document.
func Paths(text []byte, index int) []string {
	p, err := read("", text, index)
	if err != nil {
		return nil
	}
	w := &writer{page: p}
	var out []string
	walk(p.root, func(n *node) {
		if n.form == "step" && n.key == nil && n.up != nil && n.up.form == "step[]" {
			out = append(out, w.shown(real(n.up), n.index))
		}
	})
	return out
}

// ID gives the id of a step.
func ID(text []byte, index int, path string) string {
	p, err := read("", text, index)
	if err != nil {
		return ""
	}
	n, err := p.step(path)
	if err != nil || n.at("id") == nil {
		return ""
	}
	return n.at("id").y.Value
}

// Comments lists the comments of a document.
func Comments(text []byte) []string {
	p, err := read("", text, 0)
	if err != nil {
		return nil
	}
	var out []string
	for _, c := range p.comments() {
		out = append(out, c.text)
	}
	return out
}

// Unfolded tells whether two texts say the same, and differ only by maps and lists that are in brackets in the first one.
func Unfolded(a, b []byte) bool {
	p, err := read("", a, 0)
	q, err2 := read("", b, 0)
	if err != nil || err2 != nil || !equal(data(p.root.y), data(q.root.y)) {
		return false
	}
	n, m := 0, 0
	walk(p.root, func(x *node) {
		if x.flow() {
			n++
		}
	})
	walk(q.root, func(x *node) {
		if x.flow() {
			m++
		}
	})
	return m < n
}
