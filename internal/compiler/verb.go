package compiler

import (
	"fmt"
	"strings"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/value"
)

// verb compiles one of the language's own commands.
func (c *compiler) verb(n *program.Node, s *playbook.Step) {
	n.Uses, n.Effect = string(s.Kind), contract.Read
	switch s.Kind {
	case program.KindWait:
		if w := s.Wait; w != nil {
			n.Wait = &program.Wait{
				Duration: w.Duration.Expression(), At: w.At.Expression(), Until: c.check(w.Until), Event: w.Event.Expression(),
				Key: w.Key.Expression(), Within: w.Within,
			}
		}
	case program.KindApprove, program.KindAsk, program.KindManual:
		if t := s.Task; t != nil {
			n.Task = &program.Task{
				Approval: *approval(&t.ApprovalDecl), Form: t.Form, Instructions: t.Instructions.Expression(),
				Selector: t.Selector, Default: t.Default.Expression(), Assignee: t.Assignee.Expression(),
			}
			for _, l := range t.Links {
				n.Task.Links = append(n.Task.Links, program.TaskLink{Name: l.Name, URL: l.URL.Expression()})
			}
			if t.Choices.Given() {
				tree := t.Choices.Tree()
				n.Task.Choices = &tree
			}
			if n.Task.Message == nil && n.Task.Instructions != nil {
				n.Task.Message = n.Task.Instructions
			}
		}
	case program.KindAssert:
		n.Assert = &program.Assert{That: s.That.Expression(), Message: s.Message.Expression()}
	case program.KindFail:
		n.Message = s.Message.Expression()
	case program.KindCall:
		c.playbook(n, s)
	default:
	}
}

// playbook compiles a step that runs another playbook.
func (c *compiler) playbook(n *program.Node, s *playbook.Step) {
	n.Retry = s.Retry
	n.Verify = c.check(s.Verify)
	if s.Undo != nil {
		n.Undo = &program.Undo{None: s.Undo.None}
		if s.Undo.Step != nil {
			n.Undo.Step = c.inner(s.Undo.Step, false)
		}
	}
	call := s.Call
	if call == nil || call.Playbook == "" {
		return
	}
	doc, findings, err := c.resolver.Playbook(call.Playbook, c.doc.File)
	if err != nil {
		c.fail(document.RuleAction, call.Node, fault.NextOf(err), "%s", err)
		return
	}
	c.include(findings)
	if !c.enter(doc, call.Node.Value, s) {
		return
	}
	if !document.HasErrors(findings) {
		n.Call = &program.Call{Program: c.add(doc, doc.Metadata.Name), Params: call.Params.Tree().Map}
	} else {
		c.fail(document.RuleModule, call.Node, "correct it first", "the playbook `%s` (%s) has errors", call.Playbook, doc.File)
	}
	c.given("playbook "+doc.Metadata.Name, doc.Inputs(), &call.Params, call.Node)
}

// include takes over what is wrong with a document that this one uses.
func (c *compiler) include(findings []document.Finding) {
	for _, f := range findings {
		if f.Severity == document.Error {
			c.findings = append(c.findings, f)
		}
	}
}

// enter refuses a document that includes itself, with the chain of names, and chains that are too long.
func (c *compiler) enter(doc *playbook.Document, name string, s *playbook.Step) bool {
	for i, d := range c.stack {
		if d != doc && !(d.File == doc.File && d.Index == doc.Index && d.Kind == doc.Kind) {
			continue
		}
		var chain []string
		for _, d := range c.stack[i:] {
			chain = append(chain, d.Metadata.Name)
		}
		chain = append(chain, doc.Metadata.Name)
		c.fail(document.RuleRecursion, s.Node, "break the circle: what repeats is a loop (`foreach`)", "`%s` includes itself: %s", doc.Metadata.Name, strings.Join(chain, " → "))
		return false
	}
	if len(c.stack) >= program.MaxCalls {
		c.fail(document.RuleRecursion, s.Node, "flatten it", "`%s` is included over more than %d levels", name, program.MaxCalls)
		return false
	}
	return true
}

// add compiles a document that this one calls and gives the key under which the program has it.
func (c *compiler) add(doc *playbook.Document, name string) string {
	p := c.program(doc, c.stack)
	for i := 1; ; i++ {
		key := name
		if i > 1 {
			key = fmt.Sprintf("%s#%d", name, i)
		}
		switch have, ok := c.prog.Calls[key]; {
		case !ok:
			if c.prog.Calls == nil {
				c.prog.Calls = map[string]*program.Program{}
			}
			c.prog.Calls[key] = p
			return key
		case have == p:
			return key
		}
	}
}

// module compiles a step that uses a `kind: Step`.
func (c *compiler) module(n *program.Node, s *playbook.Step, callee Callee, looks bool) {
	doc := callee.Module
	c.include(callee.Findings)
	with := s.With
	if s.Legacy {
		with = c.legacyInputs(s, callee.Spec.Inputs, nil)
		if len(s.Args) > 0 {
			c.doubt(document.RuleLegacy, s.Args[0].Node, "give its inputs in `env`", "the module `%s` takes no `args`", doc.Metadata.Name)
		}
	} else {
		for _, k := range s.Keys {
			switch k.Name {
			case "env", "args":
				c.doubt(document.RuleEnv, k.Node, "give its inputs in `with:`", "the module `%s` takes its inputs in `with`, not in `%s`", doc.Metadata.Name, k.Name)
			}
		}
	}
	at := s.UsesNode
	if k, ok := s.Key("with"); ok {
		at = k.Node
	}
	c.given(doc.Metadata.Name, callee.Spec.Inputs, &with, at)
	if !c.enter(doc, s.Uses, s) {
		return
	}
	if document.HasErrors(callee.Findings) {
		c.fail(document.RuleModule, s.UsesNode, "correct it first", "the module `%s` (%s) has errors", doc.Metadata.Name, doc.File)
		return
	}
	if doc.Body == nil {
		n.Kind, n.Uses, n.Effect = program.KindCall, doc.Metadata.Name, ""
		n.Call = &program.Call{Program: c.add(doc, "step:"+doc.Metadata.Name), Params: with.Tree().Map}
		if n.Timeout == 0 {
			n.Timeout = doc.Timeout
		}
		return
	}
	c.body(n, s, doc, &with, looks)
}

// body puts the one action of a module in the place of the step.
func (c *compiler) body(n *program.Node, s *playbook.Step, doc *playbook.Document, with *document.Data, looks bool) {
	m := &program.Module{
		Name: doc.Metadata.Name, Version: doc.Metadata.Version, Inputs: with.Tree().Map, Fields: doc.Inputs(),
		OutputDefs: doc.OutputFields(), Dialect: doc.Dialect,
		Runner: n.Runner, Integration: n.Integration, Target: n.Target,
	}
	for i := range doc.Outputs {
		if m.Outputs == nil {
			m.Outputs = make(map[string]expr.Tree, len(doc.Outputs))
		}
		m.Outputs[doc.Outputs[i].Name] = doc.Outputs[i].Value.Tree()
	}
	inside := &compiler{session: c.session, doc: doc, prog: c.prog, stack: append(c.stack[:len(c.stack):len(c.stack)], doc)}
	b := &program.Node{Kind: program.KindAction}
	body := *doc.Body
	if body.Effect == "" {
		body.Effect = doc.Effect
	}
	if len(body.Target) == 0 {
		body.Target = doc.Target
	}
	inside.use(b, &body, looks && doc.Effect == "")
	if b.Module != nil || b.Kind != program.KindAction {
		inside.fail(document.RuleValue, body.UsesNode, "use `steps:` in place of `run:`", "the one action of a module must be a built-in one, and `%s` is a module", body.Uses)
		return
	}
	n.Uses, n.With, n.Env, n.Args, n.Parser, n.Effect = b.Uses, b.With, b.Env, b.Args, b.Parser, b.Effect
	n.Runner, n.Integration, n.Target = b.Runner, b.Integration, b.Target
	n.Outputs = b.Outputs
	n.Irreversible = s.Irreversible || doc.Irreversible || body.Irreversible
	if s.Effect != "" && s.Effect != n.Effect {
		c.overrule(n, s, doc)
	}
	if n.Timeout == 0 {
		n.Timeout = max(body.Timeout, doc.Timeout)
	}
	if len(n.Artifacts) == 0 {
		n.Artifacts = body.Artifacts
	}
	n.Sealed = contract.Sealed(m.OutputDefs)
	if len(m.Outputs) == 0 {
		n.Sealed = b.Sealed
	}
	n.Module = m
}

// overrule lets a caller say that a module does more than it declares, and never that it does less.
func (c *compiler) overrule(n *program.Node, s *playbook.Step, doc *playbook.Document) {
	weight := map[contract.Effect]int{contract.Read: 0, contract.Idempotent: 1, contract.Mutate: 2}
	if doc.Effect == "" || weight[s.Effect] > weight[n.Effect] {
		n.Effect = s.Effect
		return
	}
	k, _ := s.Key("effect")
	c.doubt(document.RuleEffect, k.Value, "remove `effect`, or correct the module", "the module `%s` declares that it is %s", doc.Metadata.Name, n.Effect)
}

// task maps the inputs of an alias to a task of tend.
func (c *compiler) task(n *program.Node, with map[string]expr.Tree) {
	t := &program.Task{Approval: program.Approval{Count: 1}}
	scalar := func(name string) *expr.Expr { return with[name].Scalar }
	t.Message = expr.Joined(scalar("title"), scalar("message"))
	if n.Kind == program.KindManual {
		t.Message, t.Instructions = scalar("title"), scalar("instructions")
	}
	if choices, ok := with["choices"]; ok {
		t.Choices = &choices
	}
	t.Selector = "single"
	if sel := scalar("selector"); sel != nil {
		if text, ok := sel.Lit.(string); ok && strings.HasPrefix(strings.ToLower(text), "multi") {
			t.Selector = "multi"
		}
	}
	t.Default = scalar("default")
	if within := scalar("within"); within != nil {
		t.WithinX = within
		if v, err := contract.Convert(within.Lit, contract.Field{Type: contract.Duration}); within.Kind == expr.Literal && err == nil {
			if d, err := value.ParseDuration(value.Text(v)); err == nil {
				t.Within, t.WithinX = value.Duration(d), nil
			}
		}
	}
	n.Task = t
}
