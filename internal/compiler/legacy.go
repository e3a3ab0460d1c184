package compiler

import (
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/spelling"
)

// legacy compiles a step of the older dialect that names an alias, a program or an image.
func (c *compiler) legacy(n *program.Node, s *playbook.Step, callee Callee) {
	c.formatter(n, s)
	spec := callee.Spec
	switch {
	case callee.Alias != nil:
		c.alias(n, s, spec, callee.Alias)
	case callee.Program != nil:
		n.Uses = spec.Name
		argv := make([]expr.Tree, 0, len(s.Args)+1)
		argv = append(argv, expr.Tree{Scalar: &expr.Expr{Kind: expr.Literal, Lit: callee.Program[0]}})
		n.With = map[string]expr.Tree{"argv": {List: append(argv, trees(s.Args)...)}}
		n.Env = environment(s)
		c.effect(n, &playbook.Step{Effect: s.Effect, Object: s.Object}, spec, false)
	default:
		n.Uses = "container"
		n.With = map[string]expr.Tree{"image": {Scalar: &expr.Expr{Kind: expr.Literal, Lit: callee.Image, Line: s.UsesNode.Line, Column: s.UsesNode.Column}}}
		n.Env, n.Args = environment(s), trees(s.Args)
		n.Effect = contract.Mutate
		if s.Effect != "" {
			n.Effect = s.Effect
		}
		if strings.HasPrefix(callee.Image, Registry) && !c.gone[callee.Image] {
			if c.gone == nil {
				c.gone = map[string]bool{}
			}
			c.gone[callee.Image] = true
			c.findings = append(c.findings, c.doc.Find(document.RuleAction, document.Warning, s.UsesNode,
				"no action stands for `"+strings.TrimPrefix(callee.Image, Registry)+"`: it would be pulled as a container image, and that registry is gone",
				"write a module (`kind: Step`) of this name, or use an action of tend"))
		}
	}
}

// formatter takes out the engine's own environment variables.
func (c *compiler) formatter(n *program.Node, s *playbook.Step) {
	e, ok := s.Env.Entry("SP_FORMATTER")
	if !ok || e.Scalar == nil || n.Parser != "" {
		return
	}
	if f, _ := e.Scalar.Lit.(string); strings.EqualFold(f, "raw") || strings.EqualFold(f, "json") {
		n.Parser = strings.ToLower(f)
	}
}

// environment is the env of a program or image: all but the engine's own variables.
func environment(s *playbook.Step) map[string]expr.Tree {
	out := make(map[string]expr.Tree, len(s.Env.Map))
	for i := range s.Env.Map {
		if e := &s.Env.Map[i]; !EngineEnv(e.Name) {
			out[e.Name] = e.Data.Tree()
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// alias compiles a step that stands for an action or verb.
func (c *compiler) alias(n *program.Node, s *playbook.Step, spec contract.Spec, a *contract.Alias) {
	n.Uses = spec.Name
	data := c.legacyInputs(s, spec.Inputs, a)
	c.given(s.Uses, spec.Inputs, &data, s.UsesNode)
	with := data.Tree().Map
	if with == nil {
		with = map[string]expr.Tree{}
	}
	for name, v := range a.With {
		with[name] = expr.Tree{Scalar: &expr.Expr{Kind: expr.Literal, Lit: v}}
	}
	if spec.Verb {
		c.aliasVerb(n, s, spec, with)
		return
	}
	if len(a.Outputs) > 0 {
		n.Outputs = make(map[string]expr.Tree, len(a.Outputs))
		for name, path := range a.Outputs {
			e := aliasOutput(path)
			n.Outputs[name] = expr.Tree{Scalar: &e}
		}
	}
	n.With = with
	n.Args = trees(s.Args)
	if len(n.Args) == 0 {
		n.Args = nil
	}
	fixed := &playbook.Step{Effect: s.Effect, Object: s.Object, With: data}
	for name, v := range a.With {
		fixed.With.Map = append(slices.Clip(fixed.With.Map), document.Entry{
			Key:  document.Key{Name: name},
			Data: document.Data{Node: s.Node, Scalar: &document.Scalar{Node: s.Node, Expr: expr.Expr{Kind: expr.Literal, Lit: v}}},
		})
	}
	c.effect(n, fixed, spec, false)
	n.Sealed = contract.Sealed(spec.Outputs)
}

// aliasVerb compiles an alias of one of the language's own commands.
func (c *compiler) aliasVerb(n *program.Node, s *playbook.Step, spec contract.Spec, with map[string]expr.Tree) {
	n.Kind, n.Effect = program.Kind(spec.Name), contract.Read
	switch n.Kind {
	case program.KindWait:
		n.Wait = &program.Wait{Duration: with["duration"].Scalar, At: with["at"].Scalar, Event: with["for"].Scalar, Key: with["key"].Scalar}
		if n.Wait.Duration == nil && n.Wait.At == nil && n.Wait.Event == nil {
			c.findings = append(c.findings, c.doc.Find(document.RuleRequired, document.Error, s.UsesNode, "the step does not say how long to wait", "write `env: {SECONDS: \"20\"}`"))
		}
	case program.KindAsk, program.KindApprove, program.KindManual:
		c.task(n, with)
	case program.KindFail:
		n.Message = with["message"].Scalar
	default:
		c.fail(document.RuleAction, s.UsesNode, "write `uses: "+spec.Name+"` with its own inputs", "`%s` cannot stand for the verb `%s`", s.Uses, spec.Name)
	}
}

// legacyInputs maps the environment of a step of the older dialect to inputs. An empty text is not given.
func (c *compiler) legacyInputs(s *playbook.Step, fields []contract.Field, a *contract.Alias) document.Data {
	if !s.Env.Given() {
		return document.Data{}
	}
	out := document.Data{Node: s.Env.Node, Map: make([]document.Entry, 0, len(s.Env.Map))}
	for i := range s.Env.Map {
		e := s.Env.Map[i]
		if EngineEnv(e.Name) {
			continue
		}
		name, ok := InputName(e.Name, a, fields)
		if !ok {
			known := make([]string, 0, len(fields))
			for i := range fields {
				known = append(known, strings.ToUpper(fields[i].Name))
			}
			c.findings = append(c.findings, c.doc.Find(document.RuleInput, document.Warning, e.Key.Node,
				"`"+s.Uses+"` has no input `"+e.Name+"` here: it is ignored", spelling.Suggest(e.Name, known)))
			continue
		}
		if isBlank(&e.Data) {
			continue
		}
		e.Name = name
		out.Map = append(out.Map, e)
	}
	return out
}

func isBlank(d *document.Data) bool {
	if d.Scalar == nil || d.Scalar.Kind != expr.Literal {
		return !d.Given()
	}
	text, ok := d.Scalar.Lit.(string)
	return d.Scalar.Lit == nil || ok && strings.TrimSpace(text) == ""
}
