package catalog

import (
	"maps"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/environment"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/spelling"
)

// place puts everything into the environment that the catalog is for: programs get its names and values, triggers its events,
// guards its name. It is done before the ceiling is looked at, which is about what is meant in the end.
func (x *builder) place(d *document.Document, e *environment.Spec) {
	names := map[string]bool{}
	for _, p := range x.playbooks {
		if p.Program == nil {
			continue
		}
		bound, err := rebound(p.Program, e, x.actions)
		if err != nil {
			k, _ := d.Key("metadata")
			x.find(d, RuleEnvironment, k, "", "the playbook `%s` cannot be put into the environment: %v", p.Name, err)
			continue
		}
		p.Program = bound
		for i := range bound.Parameters {
			names[bound.Parameters[i].Name] = true
			x.preset(d, p, &bound.Parameters[i], e)
		}
	}
	k, _ := d.Key("parameters")
	for _, key := range object(k.Value).Keys {
		if !names[key.Name] {
			x.findings = append(x.findings, d.Find(RuleEnvironment, document.Warning, key.Node, sprintf("no playbook has a parameter `%s`", key.Name),
				spelling.Suggest(key.Name, slices.Sorted(maps.Keys(names)))))
		}
	}
}

// RuleEnvironment names the findings about an environment.
const RuleEnvironment = "environment"

// preset looks whether a parameter can have the value that it has in the environment.
func (x *builder) preset(d *document.Document, p *Playbook, q *contract.Parameter, e *environment.Spec) {
	v, ok := e.Parameters[q.Name]
	if !ok {
		return
	}
	if _, err := contract.ConvertParameter(v, *q); err != nil {
		k, _ := d.Key("parameters")
		o := object(k.Value)
		at, _ := o.Key(q.Name)
		x.find(d, RuleEnvironment, at, "", "parameter `%s` of `%s` %v", q.Name, p.Name, err)
	}
}

// rebound is a copy of a program with the names of an environment in the place of those that are written.
func rebound(p *program.Program, e *environment.Spec, actions contract.Catalog) (*program.Program, error) {
	closure, _, err := p.Closure()
	if err != nil {
		return nil, err
	}
	out, err := program.Load(closure)
	if err != nil {
		return nil, err
	}
	r := rebinder{Spec: e, eval: expr.New(expr.Limits{}), actions: actions}
	r.program(out, p, true)
	return out, nil
}

// rebinder replaces names in a program that is its own.
type rebinder struct {
	*environment.Spec

	eval    *expr.Evaluator
	actions contract.Catalog
}

// program replaces the names in a program and in what it calls. playbook tells it from a module, whose inputs are no
// parameters.
func (r *rebinder) program(p, from *program.Program, playbook bool) {
	p.Source = from.Source
	for i := range p.Parameters {
		q := &p.Parameters[i]
		if v, ok := r.Parameters[q.Name]; ok && playbook {
			if _, err := contract.ConvertParameter(v, *q); err == nil { // otherwise it is told
				q.Default, q.Required = &expr.Tree{Scalar: &expr.Expr{Kind: expr.Literal, Lit: v}}, false
				continue
			}
		}
		table := r.table(q.Type)
		if q.Default != nil && q.Default.Scalar != nil {
			rename(q.Default.Scalar, table)
		}
		for j, v := range q.Enum {
			if s, ok := v.(string); ok && table[s] != "" {
				q.Enum[j] = table[s]
			}
		}
	}
	each(p, func(n *program.Node) { r.node(p, n) })
	for _, t := range p.Outputs {
		r.tree(p.Dialect, &t)
	}
	for name, called := range p.Calls {
		r.program(called, from.Calls[name], !strings.HasPrefix(name, "step:"))
	}
}

func (r *rebinder) table(t contract.Type) map[string]string {
	switch t {
	case contract.Secret:
		return r.Secrets
	case contract.Integration:
		return r.Integrations
	case contract.SPD:
		return r.Runners
	default:
		return nil
	}
}

func (r *rebinder) node(p *program.Program, n *program.Node) {
	dialect := p.Dialect
	if n.Module != nil {
		dialect = n.Module.Dialect
		rename(n.Module.Integration, r.Integrations)
		rename(n.Module.Runner, r.Runners)
		for i := range n.Module.Fields {
			f := &n.Module.Fields[i]
			table := r.table(f.Type)
			if t, ok := n.Module.Inputs[f.Name]; ok {
				rename(t.Scalar, table)
			}
			if s, ok := f.Default.(string); ok && table[s] != "" {
				f.Default = table[s]
			}
		}
	}
	rename(n.Integration, r.Integrations)
	rename(n.Runner, r.Runners)
	if spec, ok := r.actions.Spec(n.Uses); ok && n.Kind == program.KindAction {
		for i := range spec.Inputs {
			if t, given := n.With[spec.Inputs[i].Name]; given {
				rename(t.Scalar, r.table(spec.Inputs[i].Type))
			}
		}
	}
	if n.Call != nil && p.Calls[n.Call.Program] != nil {
		for _, q := range p.Calls[n.Call.Program].Parameters {
			if t, ok := n.Call.Params[q.Name]; ok {
				rename(t.Scalar, r.table(q.Type))
			}
		}
	}
	parts(n, func(own bool, t *expr.Tree) {
		if own {
			r.tree(dialect, t)
		} else {
			r.tree(p.Dialect, t)
		}
	})
}

// rename replaces a name that is written as it is.
func rename(e *expr.Expr, table map[string]string) {
	if e == nil || e.Kind != expr.Literal {
		return
	}
	if s, ok := e.Lit.(string); ok && table[s] != "" {
		e.Lit = table[s]
	}
}

// tree replaces the names in calls of the function secret.
func (r *rebinder) tree(d expr.Dialect, t *expr.Tree) {
	if t.Scalar != nil {
		r.secrets(d, t.Scalar)
	}
	for i := range t.List {
		r.tree(d, &t.List[i])
	}
	for _, e := range t.Map {
		r.tree(d, &e)
	}
}

func (r *rebinder) secrets(d expr.Dialect, e *expr.Expr) {
	if len(r.Secrets) == 0 || e.Kind == expr.Literal {
		return
	}
	u, err := r.eval.Uses(*e, d)
	if err != nil {
		return // the linter says so
	}
	slices.SortFunc(u.Secrets, func(a, b expr.SecretUse) int { return b.Offset - a.Offset }) // from behind: offsets before stay
	for _, s := range u.Secrets {
		to := r.Secrets[s.Name]
		end := s.Offset + s.Length
		if to == "" || s.Offset < 0 || end > len(e.Source) {
			continue
		}
		call := e.Source[s.Offset:end]
		for _, quote := range []string{`"`, "`", "'"} {
			call = strings.Replace(call, quote+s.Name+quote, quote+to+quote, 1)
		}
		e.Source = e.Source[:s.Offset] + call + e.Source[end:]
	}
}
