package lint

import (
	"strings"

	"github.com/tendhq/tend/internal/compiler"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/program"
)

func (c *checker) approval(a *playbook.ApprovalDecl) {
	if a != nil {
		c.expression(a.Message, site{sink: "the question of an approval"})
	}
}

// action looks at a step that uses something.
func (c *checker) action(s *playbook.Step) {
	switch s.Kind {
	case program.KindAction:
		c.inner(s)
	case program.KindCall:
		c.call(s)
	default:
		c.verb(s)
	}
	c.mutation(s)
	// What hangs on the step runs after it and sees its output.
	mark := len(c.seen)
	if s.ID != "" {
		c.seen = append(c.seen, seen{id: s.ID, step: s})
	}
	c.check(s.Verify)
	c.check(s.Probe)
	if s.Undo != nil && s.Undo.Step != nil {
		c.inner(s.Undo.Step)
	}
	c.scope.seen = c.seen[:mark]
}

// check looks at verify, a probe, a wait's until or stopWhen.
func (c *checker) check(k *playbook.CheckDecl) {
	if k == nil {
		return
	}
	was := c.result
	if k.Step != nil {
		c.inner(k.Step)
		c.result = true
	}
	c.expression(k.Until, site{logic: true, sink: "a condition"})
	c.result = was
}

func (c *checker) verb(s *playbook.Step) {
	if w := s.Wait; w != nil {
		for _, e := range []*document.Scalar{w.Duration, w.At, w.Event, w.Key} {
			c.expression(e, site{sink: "`wait`"})
		}
		c.check(w.Until)
	}
	if t := s.Task; t != nil {
		c.expression(t.Message, site{sink: "the question to a person"})
		c.expression(t.Instructions, site{sink: "the instructions to a person"})
		c.expression(t.Default, site{sink: "an answer"})
		for e := range t.Choices.Scalars() {
			c.expression(e, site{sink: "the choices of a question"})
		}
	}
	c.expression(s.That, site{logic: true, sink: "a condition"})
	c.expression(s.Message, site{sink: "a message"})
}

// call looks at the parameters that a sub-playbook is given. They are recorded with its run.
func (c *checker) call(s *playbook.Step) {
	if s.Call == nil {
		return
	}
	var fields []contract.Field
	if d, _, err := c.resolver.Playbook(s.Call.Playbook, c.file.File); err == nil && d != nil {
		fields = d.Inputs()
	}
	for i := range s.Call.Params.Map {
		e := &s.Call.Params.Map[i]
		where := site{input: e.Name, field: field(fields, e.Name), sink: "the parameters of the other run"}
		if where.field != nil && where.field.Sensitive {
			where.sink = ""
		}
		for x := range e.Data.Scalars() {
			c.expression(x, where)
		}
	}
}

func field(fields []contract.Field, name string) *contract.Field {
	for i := range fields {
		if fields[i].Name == name {
			return &fields[i]
		}
	}
	return nil
}

// inner looks at the inputs of an action.
func (c *checker) inner(s *playbook.Step) {
	callee, ok := c.callees[s]
	if !ok {
		callee, _ = c.resolver.Callee(s, c.file.File)
		c.callees[s] = callee
	}
	spec := &callee.Spec
	c.expression(s.Runner, site{sink: "the name of a runner"})
	c.expression(s.Integration, site{sink: "the name of an integration"})
	for _, t := range s.Target {
		c.expression(t, site{sink: "the target"})
	}
	for i := range s.Args {
		for e := range s.Args[i].Scalars() {
			c.expression(e, site{args: true})
		}
	}
	for i := range s.With.Map {
		e := &s.With.Map[i]
		c.input(s, spec, e.Name, e.Name, &e.Data)
	}
	for i := range s.Env.Map {
		e := &s.Env.Map[i]
		name := ""
		if s.Legacy && callee.Image == "" && callee.Program == nil {
			name, _ = compiler.InputName(e.Name, callee.Alias, spec.Inputs)
		}
		c.input(s, spec, name, e.Name, &e.Data)
	}
}

// input looks at one input or environment variable. name is the input's, empty where it is none.
func (c *checker) input(s *playbook.Step, spec *contract.Spec, name, written string, d *document.Data) {
	var f *contract.Field
	if name != "" {
		f = field(spec.Inputs, name)
	}
	where := site{input: written, field: f, args: name == "argv" && spec.Name == "shell"}
	if name != "" {
		where.sink = sinkOf(spec, f)
	}
	verbatim := f != nil && f.Verbatim
	if s.Legacy && name == "" && strings.HasSuffix(strings.ToUpper(written), "SCRIPT") {
		verbatim = true
	}
	for e := range d.Scalars() {
		if verbatim && c.script(e) {
			continue
		}
		c.expression(e, where)
	}
}

// script looks at code. In tend/v1 it is not rendered: compiling says so, and nothing in it counts as used.
func (c *checker) script(e *document.Scalar) (verbatim bool) {
	if !c.lenient() {
		return true
	}
	if e.Kind == expr.Template && strings.TrimSpace(outsideActions(e.Source)) != "" {
		if u, err := c.evaluator.Uses(e.Expr, c.file.Dialect); err == nil && len(u.Paths) > 0 {
			p := u.Paths[0]
			c.find(document.RuleScript, c.inside(e, p.Offset, p.Length), "pass the data in a variable of its own and read it from the environment",
				"data is rendered into a script: what it holds becomes code")
		}
	}
	return false
}

// mutation looks at what a step declares about its effect.
func (c *checker) mutation(s *playbook.Step) {
	if s.Kind != program.KindAction {
		return
	}
	effect, known := c.effect(s)
	if effect != contract.Mutate {
		return
	}
	if s.OnDoubt == "retry" {
		c.find(ruleDoubt, c.key(s, "onDoubt"), "", "a mutation is repeated although nobody knows whether it has happened")
	}
	if !known {
		return
	}
	at := c.at(s.UsesNode)
	if s.Verify == nil {
		c.find(ruleVerify, at, "", "nobody looks whether this mutation had its effect")
	}
	if len(s.Target) == 0 && !c.targeted(s) {
		c.find(ruleTarget, at, "", "nobody can tell what this mutation changes: guards and approvals cannot count it")
	}
}

// effect of a step, and whether it is known what it does at all.
func (c *checker) effect(s *playbook.Step) (contract.Effect, bool) {
	callee, ok := c.callees[s]
	if !ok || callee.Spec.Name == "" {
		return s.Effect, s.Effect != ""
	}
	spec := callee.Spec
	switch {
	case spec.Proven:
		return spec.Effect, true
	case s.Effect != "":
		return s.Effect, true
	case callee.Module != nil && callee.Module.Body == nil:
		return spec.Effect, spec.Effect != ""
	case callee.Module != nil && spec.Effect == "":
		return c.moduleEffect(callee.Module), true
	case spec.EffectOf != nil:
		return spec.EffectOf(given(s, &callee)), true
	case spec.Effect == "":
		return contract.Mutate, true
	default:
		return spec.Effect, callee.Image == "" && callee.Program == nil
	}
}

// moduleEffect is the effect of a module that does not declare one: that of its body.
func (c *checker) moduleEffect(module *playbook.Document) contract.Effect {
	body, err := c.resolver.Callee(module.Body, module.File)
	switch {
	case module.Body.Effect != "":
		return module.Body.Effect
	case err != nil || body.Spec.Effect == "":
		return contract.Mutate
	case body.Spec.EffectOf != nil && !body.Spec.Proven:
		return body.Spec.EffectOf(given(module.Body, &body))
	default:
		return body.Spec.Effect
	}
}

// given are the inputs as they are written, by their names here.
func given(s *playbook.Step, callee *compiler.Callee) map[string]any {
	out := map[string]any{}
	put := func(name string, d *document.Data) {
		switch {
		case d.Scalar == nil:
			out[name] = true
		case d.Scalar.Kind == expr.Literal:
			out[name] = d.Scalar.Lit
		default:
			out[name] = d.Scalar.Source
		}
	}
	for i := range s.With.Map {
		put(s.With.Map[i].Name, &s.With.Map[i].Data)
	}
	if s.Legacy {
		for i := range s.Env.Map {
			if name, ok := compiler.InputName(s.Env.Map[i].Name, callee.Alias, callee.Spec.Inputs); ok {
				put(name, &s.Env.Map[i].Data)
			}
		}
		if callee.Alias != nil {
			for name, v := range callee.Alias.With {
				out[name] = v
			}
		}
	}
	return out
}

// targeted tells whether the action itself can say what it is on, with the inputs that are given.
func (c *checker) targeted(s *playbook.Step) bool {
	callee := c.callees[s]
	spec := callee.Spec
	if callee.Module != nil && callee.Module.Body != nil && len(spec.Targets) == 0 {
		return len(callee.Module.Body.Target) > 0
	}
	if callee.Module != nil {
		return len(spec.Targets) > 0 || callee.Module.Body == nil
	}
	have := given(s, &callee)
	for _, f := range spec.Inputs {
		if _, ok := have[f.Name]; !ok && f.Default != nil {
			have[f.Name] = f.Default
		}
	}
	for _, t := range spec.Targets {
		u, err := c.evaluator.Uses(expr.Expr{Kind: expr.Template, Source: t}, expr.Lenient)
		if err != nil {
			continue
		}
		there := true
		for _, p := range u.Paths {
			if len(p.Path) > 0 && have[p.Path[0]] == nil {
				there = false
			}
		}
		if there {
			return true
		}
	}
	return false
}
