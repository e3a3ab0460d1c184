package catalog

import (
	"maps"
	"slices"
	"time"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/trigger"
	"github.com/tendhq/tend/internal/value"
)

// Around is what belongs to a playbook in its repository.
type Around struct {
	Triggers []*trigger.Spec // that start it, in the order in which they are asked
	Guards   []Asked
	Uses     []string // actions, verbs and modules
	Calls    []string // playbooks
}

// Asked is a guard that can stop an effect of a playbook.
type Asked struct {
	Guard guard.Spec
	Paths []string // of the steps that it is asked about; what it is asked about depends on targets that only a run knows
}

// Starts gives the triggers that start a playbook.
func (c *Catalog) Starts(p *Playbook) []*trigger.Spec {
	var out []*trigger.Spec
	for _, t := range c.triggers {
		if c.started[t.Name] == p {
			out = append(out, t)
		}
	}
	return out
}

// Around tells what belongs to a playbook of the catalog. live are the guards that hold in its project: those that no
// repository declares are asked too.
func (c *Catalog) Around(p *Playbook, live []guard.Spec) Around {
	out := Around{Triggers: c.Starts(p)}
	guards := slices.Clone(p.Guards)
	for i := range live {
		if !slices.ContainsFunc(guards, func(g guard.Spec) bool { return g.Name == live[i].Name }) {
			guards = append(guards, live[i])
		}
	}
	uses := map[string]bool{}
	asked := map[int]*Asked{}
	walk(p.Program, func(n *program.Node, path string) {
		switch {
		case n.Kind == program.KindAction && n.Module != nil:
			uses[n.Module.Name] = true
		case n.Kind == program.KindAction:
			uses[n.Uses] = true
		case len(n.Steps) == 0:
			uses[string(n.Kind)] = true
		}
		if n.Kind != program.KindAction {
			return
		}
		for i := range guards {
			if g := guards[i]; asks(g, p, n) {
				if asked[i] == nil {
					asked[i] = &Asked{Guard: g}
				}
				asked[i].Paths = append(asked[i].Paths, path)
			}
		}
	})
	for i := range guards {
		if a := asked[i]; a != nil {
			out.Guards = append(out.Guards, *a)
		}
	}
	out.Uses = slices.Sorted(maps.Keys(uses))
	if p.Program != nil {
		for _, called := range p.Program.Calls {
			out.Calls = append(out.Calls, called.Metadata.Name)
		}
		slices.Sort(out.Calls)
	}
	return out
}

// asks tells whether a guard is asked about a step. Targets that only a run knows could be those that it selects.
func asks(g guard.Spec, p *Playbook, n *program.Node) bool {
	r := guard.Request{
		Project: p.Project, Environment: p.Environment, Playbook: p.Name, Labels: p.Labels, Action: n.Uses, Effect: n.Effect, Irreversible: n.Irreversible,
	}
	known := len(n.Target) > 0
	for i := range n.Target {
		if t := &n.Target[i]; t.Kind == expr.Literal || t.Kind == "" {
			r.Targets = append(r.Targets, value.Text(t.Lit))
		} else {
			known = false
		}
	}
	if !known {
		g.Select.Targets, r.Targets = nil, nil
		if len(n.Target) > 0 {
			r.Targets = []string{"?"} // some target: a guard that counts for each is asked about it
		}
	}
	if r.Effect == "" {
		r.Effect = contract.Mutate
	}
	v := guard.Check([]guard.Spec{g}, nil, r, time.Time{})
	return v.Kind != guard.Allow || len(v.Allowed) > 0
}

// walk gives every step of a program with its path, as drawings have it: also those that hang on others.
func walk(p *program.Program, f func(*program.Node, string)) {
	if p == nil {
		return
	}
	var list func(nodes []program.Node, path string)
	var one func(n *program.Node, path string)
	check := func(c *program.Check, path string) {
		if c != nil && c.Step != nil {
			one(c.Step, path)
		}
	}
	one = func(n *program.Node, path string) {
		f(n, path)
		switch n.Kind {
		case program.KindForeach:
			list(n.Steps, path+".foreach.steps")
		case program.KindParallel:
			list(n.Steps, path+".parallel")
		default:
			list(n.Steps, path+".steps")
		}
		check(n.Verify, path+".verify")
		check(n.Probe, path+".probe")
		if n.Wait != nil {
			check(n.Wait.Until, path+".until")
		}
		if n.StopWhen != nil {
			check(&n.StopWhen.Check, path+".stopWhen")
		}
		if n.Undo != nil && n.Undo.Step != nil {
			one(n.Undo.Step, path+".undo")
		}
		list(n.Catch, path+".catch")
		list(n.Finally, path+".finally")
	}
	list = func(nodes []program.Node, path string) {
		for i := range nodes {
			one(&nodes[i], sprintf("%s[%d]", path, i))
		}
	}
	list(p.Steps, "steps")
	list(p.Catch, "catch")
	list(p.Finally, "finally")
}
