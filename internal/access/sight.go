package access

import (
	"slices"
)

// Sight is what somebody may look at, of objects of one kind: as data, so that a store can select by it. A nil Sight sees
// everything, the zero one nothing.
type Sight struct {
	Within  []Span // in one of these
	Without []Span // and in none of these
}

// Span is a part of the objects: those of one of the projects (none: all) that have all of the labels.
type Span struct {
	Projects []string
	Labels   map[string]string
}

// Has tells whether an object is in it.
func (s *Span) Has(project string, labels map[string]string) bool {
	if len(s.Projects) > 0 && !slices.Contains(s.Projects, project) {
		return false
	}
	for k, v := range s.Labels {
		if got, ok := labels[k]; !ok || got != v {
			return false
		}
	}
	return true
}

// Sees tells whether an object can be looked at.
func (s *Sight) Sees(project string, labels map[string]string) bool {
	if s == nil {
		return true
	}
	in := func(list []Span) bool {
		return slices.ContainsFunc(list, func(x Span) bool { return x.Has(project, labels) })
	}
	return in(s.Within) && !in(s.Without)
}

// Look gives what somebody may look at: the answer of Check to every View of an object of a project, at once.
func Look(p Policy, who Principal) *Sight {
	s := &Sight{}
	if who.ID == "" {
		return s
	}
	var only []string
	if b := who.Scope; b != nil {
		if len(b.Roles) > 0 && !slices.ContainsFunc(b.Roles, func(r Role) bool { return r.May(View) }) {
			return s
		}
		only = b.Projects
	}
	if who.Local {
		s.Within = []Span{{Projects: only}}
		return s
	}
	for _, b := range p.Bindings {
		if !b.Role.May(View) || !b.names(who) {
			continue
		}
		x := Span{Projects: b.Projects, Labels: b.Labels}
		if b.Deny {
			s.Without = append(s.Without, x)
			continue
		}
		switch {
		case len(only) == 0:
		case len(x.Projects) == 0:
			x.Projects = only
		default:
			x.Projects = slices.DeleteFunc(slices.Clone(x.Projects), func(p string) bool { return !slices.Contains(only, p) })
			if len(x.Projects) == 0 {
				continue
			}
		}
		s.Within = append(s.Within, x)
	}
	return s
}
