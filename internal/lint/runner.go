package lint

import (
	"strings"

	"github.com/tendhq/tend/internal/compiler"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/program"
)

// family is what steps that belong to one system have in common in their names: `psql/query/terminate` is of `psql/query`.
func family(s *playbook.Step) string {
	name := strings.TrimPrefix(s.Uses, compiler.Registry)
	if i := strings.LastIndexByte(name, '/'); i > 0 {
		return name[:i]
	}
	return name
}

// runners finds the one step of a family that runs somewhere else than all the others.
func (c *checker) runners() {
	here, there := map[string][]*playbook.Step{}, map[string]int{}
	var order []string
	var walk func(steps []*playbook.Step)
	walk = func(steps []*playbook.Step) {
		for _, s := range steps {
			switch {
			case s.Kind != program.KindAction:
			case s.Runner != nil:
				there[family(s)]++
			default:
				if len(here[family(s)]) == 0 {
					order = append(order, family(s))
				}
				here[family(s)] = append(here[family(s)], s)
			}
			for _, list := range [][]*playbook.Step{s.Steps, s.Catch, s.Finally} {
				walk(list)
			}
		}
	}
	for _, list := range [][]*playbook.Step{c.doc.Steps, c.doc.Catch, c.doc.Finally} {
		walk(list)
	}
	for _, name := range order {
		if len(here[name]) != 1 || there[name] < 2 {
			continue
		}
		s := here[name][0]
		c.find(ruleRunner, c.at(s.UsesNode), "", "this step runs here, and the %d others of `%s` run on a `runner`", there[name], name)
	}
}
