package run

import (
	"maps"
	"slices"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/program"
)

// IsUndo tells whether path is that of an undo step, or of a helper of one. Keys of loops come from outside and say nothing.
func IsUndo(path string) bool {
	segs, err := split(path)
	return err == nil && slices.ContainsFunc(segs, func(g segment) bool { return g.helper() && g.name == "undo" })
}

// Find turns what a person typed into the path of a step: a path, or the id of a step (the instance that is live, or its
// place in the playbook).
func (s *State) Find(name string) (string, error) {
	if s.Nodes[name] != nil {
		return name, nil
	}
	for _, p := range slices.Sorted(maps.Keys(s.Nodes)) {
		if n := s.Nodes[p]; name != "" && n.def != nil && n.def.ID == name && !n.helper() {
			return p, nil
		}
	}
	if d, err := locate(s.prog, name); name != "" && err == nil && d != nil {
		return name, nil
	}
	for _, sec := range []struct {
		name  string
		nodes []program.Node
	}{{"steps", s.prog.Steps}, {"catch", s.prog.Catch}, {"finally", s.prog.Finally}} {
		if p := place("", sec.name, sec.nodes, name); p != "" {
			return p, nil
		}
	}
	return "", fault.New(fault.NotFound, "run %s has no step %q", s.ID, name).WithNext("tend runs show %s", s.ID)
}

// Over tells whether the instance at path has been: it, or what it stands in, is done, or a later one of its section has
// begun.
func (s *State) Over(path string) bool {
	parent, seg := parentOf(path)
	owner := s.Root
	if parent != "" {
		if owner = s.Nodes[parent]; owner == nil {
			return s.Over(parent)
		}
	}
	if n := s.Nodes[path]; n != nil {
		return n.Phase == PhaseDone
	}
	switch {
	case owner.Phase == PhaseDone:
		return true
	case seg.index < 0:
		return false
	case seg.name == "steps":
		return seg.index < owner.bodyCursor() || owner.Section == sectionCatch || owner.Section == sectionFinally
	}
	return owner.Section == seg.name && seg.index < owner.Cursor
}

// place finds the path of the step with the given id, outside of loops (inside, only live instances have one path).
func place(base, section string, nodes []program.Node, id string) string {
	for i := range nodes {
		n, p := &nodes[i], child(base, section, i)
		if n.ID == id && id != "" {
			return p
		}
		sub := "steps"
		switch n.Kind {
		case program.KindForeach:
			continue
		case program.KindParallel:
			sub = "parallel"
		default:
		}
		for _, s := range []struct {
			name  string
			nodes []program.Node
		}{{sub, n.Steps}, {"catch", n.Catch}, {"finally", n.Finally}} {
			if q := place(p, s.name, s.nodes, id); q != "" {
				return q
			}
		}
	}
	return ""
}
