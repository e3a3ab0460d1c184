package plan

import (
	"maps"
	"slices"

	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/program"
)

// Secrets lists the secrets that a run will surely need: those of steps that run in any case, with the looks that
// belong to them, named by a literal or by one of the parameters. Steps under a condition, in a loop or in a handler may
// never come.
func Secrets(p *program.Program, params map[string]any) []string {
	n := need{ev: expr.New(expr.Limits{}), names: map[string]bool{}}
	n.program(p, params, 0)
	return slices.Sorted(maps.Keys(n.names))
}

type need struct {
	ev    *expr.Evaluator
	names map[string]bool
}

// deepest is how far sub-playbooks are followed; a circle does not compile.
const deepest = 20

func (n need) program(p *program.Program, params map[string]any, depth int) {
	if p == nil || depth > deepest {
		return
	}
	n.nodes(p, p.Steps, params, depth)
	n.nodes(p, p.Finally, params, depth)
}

func (n need) nodes(p *program.Program, list []program.Node, params map[string]any, depth int) {
	for i := range list {
		s := &list[i]
		if s.When != nil {
			continue
		}
		if s.StopWhen != nil {
			n.check(p, &s.StopWhen.Check, params)
		}
		switch s.Kind {
		case program.KindAction:
			n.action(p, s, params)
			n.check(p, s.Verify, params)
		case program.KindWait:
			n.check(p, s.Wait.Until, params)
		case program.KindCall:
			n.trees(p.Dialect, s.Call.Params, params)
			n.program(p.Calls[s.Call.Program], nil, depth+1)
		case program.KindSteps, program.KindParallel, program.KindLock:
			n.nodes(p, s.Steps, params, depth)
			n.nodes(p, s.Finally, params, depth)
		default:
		}
	}
}

func (n need) check(p *program.Program, c *program.Check, params map[string]any) {
	if c != nil && c.Step != nil {
		n.action(p, c.Step, params)
	}
}

func (n need) action(p *program.Program, s *program.Node, params map[string]any) {
	inner := p.Dialect
	if s.Module != nil {
		n.trees(p.Dialect, s.Module.Inputs, params)
		inner, params = s.Module.Dialect, nil // inside, params are the module's own
	}
	n.trees(inner, s.With, params)
	n.trees(inner, s.Env, params)
	for i := range s.Args {
		n.tree(inner, &s.Args[i], params)
	}
}

func (n need) trees(d expr.Dialect, m map[string]expr.Tree, params map[string]any) {
	for _, t := range m {
		n.tree(d, &t, params)
	}
}

func (n need) tree(d expr.Dialect, t *expr.Tree, params map[string]any) {
	n.scalar(d, t.Scalar, params)
	for i := range t.List {
		n.tree(d, &t.List[i], params)
	}
	n.trees(d, t.Map, params)
}

func (n need) scalar(d expr.Dialect, e *expr.Expr, params map[string]any) {
	if e == nil || e.Kind != expr.Template {
		return
	}
	uses, err := n.ev.Uses(*e, d)
	if err != nil {
		return
	}
	for _, s := range uses.Secrets {
		name := s.Name
		if len(s.Path) == 2 && s.Path[0] == "params" {
			name, _ = params[s.Path[1]].(string)
		}
		if name != "" {
			n.names[name] = true
		}
	}
}
