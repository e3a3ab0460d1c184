package cli

import (
	"maps"
	"slices"

	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/playbook"
)

// neededSecrets lists the secrets that a run will surely need: named by a literal in a step that runs in any case. Steps
// under a condition, in a loop, in a handler or in a sub-playbook may never come.
func neededSecrets(p *playbook.Program) []string {
	ev, names := expr.New(expr.Limits{}), map[string]bool{}
	scalar := func(d expr.Dialect, e *expr.Expr) {
		if e == nil || e.Kind != expr.Template {
			return
		}
		uses, err := ev.Uses(*e, d)
		if err != nil {
			return
		}
		for _, s := range uses.Secrets {
			if s.Name != "" {
				names[s.Name] = true
			}
		}
	}
	var tree func(expr.Dialect, *playbook.Tree)
	tree = func(d expr.Dialect, t *playbook.Tree) {
		scalar(d, t.Scalar)
		for i := range t.List {
			tree(d, &t.List[i])
		}
		for _, e := range t.Map {
			tree(d, &e)
		}
	}
	trees := func(d expr.Dialect, m map[string]playbook.Tree) {
		for _, t := range m {
			tree(d, &t)
		}
	}
	var nodes func([]playbook.Node)
	nodes = func(list []playbook.Node) {
		for i := range list {
			n := &list[i]
			if n.When != nil {
				continue
			}
			switch n.Kind {
			case playbook.KindAction:
				inner := p.Dialect
				if n.Module != nil {
					trees(p.Dialect, n.Module.Inputs)
					inner = n.Module.Dialect
				}
				trees(inner, n.With)
				trees(inner, n.Env)
				for j := range n.Args {
					tree(inner, &n.Args[j])
				}
			case playbook.KindSteps, playbook.KindParallel, playbook.KindLock:
				nodes(n.Steps)
			default:
			}
		}
	}
	nodes(p.Steps)
	return slices.Sorted(maps.Keys(names))
}
