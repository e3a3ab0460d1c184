package catalog

import (
	"maps"
	"slices"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/trigger"
)

// Set is everything that is live: the catalogs of all repositories, in the order in which the server names them. It is never
// changed.
type Set struct{ all []*Catalog }

// NewSet makes a set; nil ones are left out.
func NewSet(list ...*Catalog) *Set {
	return &Set{slices.DeleteFunc(slices.Clone(list), func(c *Catalog) bool { return c == nil })}
}

// Catalogs lists the catalogs in order.
func (s *Set) Catalogs() []*Catalog { return s.all }

// Playbook finds a playbook in the catalogs of a project: see Catalog.Playbook.
func (s *Set) Playbook(project, by, name string) (*Playbook, error) {
	var why error
	for _, c := range s.all {
		if _, ok := c.started[by]; ok && c.is(project) {
			if p, err := c.Playbook(project, by, name); err == nil {
				return p, nil
			}
		}
	}
	for _, c := range s.all {
		p, err := c.Playbook(project, "", name)
		if err == nil {
			return p, nil
		}
		if why == nil || c.is(project) {
			why = err
		}
	}
	if why == nil {
		why = fault.New(fault.NotFound, "no playbook is called %q: none is live", name).WithNext("`tend revisions list` shows what is live")
	}
	return nil, why
}

func (c *Catalog) is(project string) bool {
	return c.binding.Project == project || project == "" && c.binding.Project == DefaultProject
}

// Triggers gives the triggers of each project, in the order in which they are asked.
func (s *Set) Triggers() map[string][]*trigger.Spec {
	out := map[string][]*trigger.Spec{}
	for _, c := range s.all {
		out[c.binding.Project] = append(out[c.binding.Project], c.triggers...)
	}
	return out
}

// Guards gives the guards that the repositories of each project declare.
func (s *Set) Guards() map[string][]guard.Spec {
	out := map[string][]guard.Spec{}
	for _, c := range s.all {
		out[c.binding.Project] = append(out[c.binding.Project], c.guards...)
	}
	return out
}

// Playbooks lists all playbooks.
func (s *Set) Playbooks() []*Playbook {
	var out []*Playbook
	for _, c := range s.all {
		out = append(out, c.playbooks...)
	}
	return out
}

// Modules lists all reusable steps.
func (s *Set) Modules() []Module {
	var out []Module
	for _, c := range s.all {
		out = append(out, c.modules...)
	}
	return out
}

// Of gives the catalog of a repository; nil when nothing of it is live.
func (s *Set) Of(repository string) *Catalog {
	for _, c := range s.all {
		if c.binding.Repository == repository {
			return c
		}
	}
	return nil
}

// Labels gives the labels of a playbook of a project; nil when there is none of that name.
func (s *Set) Labels(project, name string) map[string]string {
	if p, err := s.Playbook(project, "", name); err == nil {
		return p.Labels
	}
	return nil
}

// Clashes finds the names of a catalog that another one of the same project and environment has already: nobody could say
// which of them is meant. A catalog of the same repository is the one that this one follows, and does not count.
func (s *Set) Clashes(c *Catalog) []document.Finding {
	var out []document.Finding
	for _, other := range s.all {
		o, b := other.binding, c.binding
		if o.Repository == b.Repository || o.Project != b.Project || o.Environment != b.Environment {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(c.places)) {
			if there, ok := other.places[name]; ok {
				out = append(out, document.Finding{
					Rule: document.RuleTwice, Severity: document.Error, Place: c.places[name], Remedy: "rename one of them",
					Message: sprintf("there is a %s already, in the repository %s at %s", name, o.Repository, there),
				})
			}
		}
	}
	return document.Sort(out)
}
