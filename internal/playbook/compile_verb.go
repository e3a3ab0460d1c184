package playbook

import (
	"fmt"
	"strings"

	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/value"
)

// verb compiles one of the language's own commands.
func (c *compiler) verb(n *Node, s *Step) {
	n.Uses, n.Effect = string(s.Kind), Read
	switch s.Kind {
	case KindWait:
		if w := s.Wait; w != nil {
			n.Wait = &Wait{
				Duration: w.Duration.expr(), At: w.At.expr(), Until: c.check(w.Until), Event: w.Event.expr(),
				Key: w.Key.expr(), Within: w.Within,
			}
		}
	case KindApprove, KindAsk, KindManual:
		if t := s.Task; t != nil {
			n.Task = &Task{
				Approval: *t.ApprovalDecl.compile(), Form: t.Form, Instructions: t.Instructions.expr(),
				Selector: t.Selector, Default: t.Default.expr(),
			}
			if t.Choices.Given() {
				tree := t.Choices.Tree()
				n.Task.Choices = &tree
			}
			if n.Task.Message == nil && n.Task.Instructions != nil {
				n.Task.Message = n.Task.Instructions
			}
		}
	case KindAssert:
		n.Assert = &Assert{That: s.That.expr(), Message: s.Message.expr()}
	case KindFail:
		n.Message = s.Message.expr()
	case KindCall:
		c.playbook(n, s)
	default:
	}
}

// playbook compiles a step that runs another playbook.
func (c *compiler) playbook(n *Node, s *Step) {
	n.Retry = s.Retry
	n.Verify = c.check(s.Verify)
	if s.Undo != nil {
		n.Undo = &Undo{None: s.Undo.None}
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
		c.fail(RuleAction, call.Node, fault.NextOf(err), "%s", err)
		return
	}
	c.include(findings)
	if !c.enter(doc, call.Node.Value, s) {
		return
	}
	if !HasErrors(findings) {
		n.Call = &Call{Program: c.add(doc, doc.Metadata.Name), Params: call.Params.Tree().Map}
	} else {
		c.fail(RuleModule, call.Node, "correct it first", "the playbook `%s` (%s) has errors", call.Playbook, doc.File)
	}
	c.given("playbook "+doc.Metadata.Name, doc.Inputs(), &call.Params, call.Node)
}

// include takes over what is wrong with a document that this one uses.
func (c *compiler) include(findings []Finding) {
	for _, f := range findings {
		if f.Severity == Error {
			c.findings = append(c.findings, f)
		}
	}
}

// enter refuses a document that includes itself, with the chain of names, and chains that are too long.
func (c *compiler) enter(doc *Document, name string, s *Step) bool {
	for i, d := range c.stack {
		if d != doc && !(d.File == doc.File && d.Index == doc.Index && d.Kind == doc.Kind) {
			continue
		}
		var chain []string
		for _, d := range c.stack[i:] {
			chain = append(chain, d.Metadata.Name)
		}
		chain = append(chain, doc.Metadata.Name)
		c.fail(RuleRecursion, s.Node, "break the circle: what repeats is a loop (`foreach`)", "`%s` includes itself: %s", doc.Metadata.Name, strings.Join(chain, " → "))
		return false
	}
	if len(c.stack) >= MaxCalls {
		c.fail(RuleRecursion, s.Node, "flatten it", "`%s` is included over more than %d levels", name, MaxCalls)
		return false
	}
	return true
}

// add compiles a document that this one calls and gives the key under which the program has it.
func (c *compiler) add(doc *Document, name string) string {
	p := c.program(doc, c.stack)
	for i := 1; ; i++ {
		key := name
		if i > 1 {
			key = fmt.Sprintf("%s#%d", name, i)
		}
		switch have, ok := c.prog.Calls[key]; {
		case !ok:
			if c.prog.Calls == nil {
				c.prog.Calls = map[string]*Program{}
			}
			c.prog.Calls[key] = p
			return key
		case have == p:
			return key
		}
	}
}

// module compiles a step that uses a `kind: Step`.
func (c *compiler) module(n *Node, s *Step, callee Callee, looks bool) {
	doc := callee.Module
	c.include(callee.Findings)
	with := s.With
	if s.Legacy {
		with = c.legacyInputs(s, callee.Spec.Inputs, nil)
		if len(s.Args) > 0 {
			c.doubt(RuleLegacy, s.Args[0].Node, "give its inputs in `env`", "the module `%s` takes no `args`", doc.Metadata.Name)
		}
	} else {
		for _, k := range s.Keys {
			switch k.Name {
			case "env", "args":
				c.doubt(RuleEnv, k.Node, "give its inputs in `with:`", "the module `%s` takes its inputs in `with`, not in `%s`", doc.Metadata.Name, k.Name)
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
	if HasErrors(callee.Findings) {
		c.fail(RuleModule, s.UsesNode, "correct it first", "the module `%s` (%s) has errors", doc.Metadata.Name, doc.File)
		return
	}
	if doc.Body == nil {
		n.Kind, n.Uses, n.Effect = KindCall, doc.Metadata.Name, ""
		n.Call = &Call{Program: c.add(doc, "step:"+doc.Metadata.Name), Params: with.Tree().Map}
		if n.Timeout == 0 {
			n.Timeout = doc.Timeout
		}
		return
	}
	c.body(n, s, doc, &with, looks)
}

// body puts the one action of a module in the place of the step.
func (c *compiler) body(n *Node, s *Step, doc *Document, with *Data, looks bool) {
	m := &Module{
		Name: doc.Metadata.Name, Version: doc.Metadata.Version, Inputs: with.Tree().Map, Fields: doc.Inputs(),
		OutputDefs: doc.OutputFields(), Dialect: doc.Dialect,
		Runner: n.Runner, Integration: n.Integration, Target: n.Target,
	}
	for i := range doc.Outputs {
		if m.Outputs == nil {
			m.Outputs = make(map[string]Tree, len(doc.Outputs))
		}
		m.Outputs[doc.Outputs[i].Name] = doc.Outputs[i].Value.Tree()
	}
	inside := &compiler{session: c.session, doc: doc, prog: c.prog, stack: append(c.stack[:len(c.stack):len(c.stack)], doc)}
	b := &Node{Kind: KindAction}
	body := *doc.Body
	if body.Effect == "" {
		body.Effect = doc.Effect
	}
	if len(body.Target) == 0 {
		body.Target = doc.Target
	}
	inside.use(b, &body, looks && doc.Effect == "")
	if b.Module != nil || b.Kind != KindAction {
		inside.fail(RuleValue, body.UsesNode, "use `steps:` in place of `run:`", "the one action of a module must be a built-in one, and `%s` is a module", body.Uses)
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
	n.Sealed = sealed(m.OutputDefs)
	if len(m.Outputs) == 0 {
		n.Sealed = b.Sealed
	}
	n.Module = m
}

// overrule lets a caller say that a module does more than it declares, and never that it does less.
func (c *compiler) overrule(n *Node, s *Step, doc *Document) {
	weight := map[Effect]int{Read: 0, Idempotent: 1, Mutate: 2}
	if doc.Effect == "" || weight[s.Effect] > weight[n.Effect] {
		n.Effect = s.Effect
		return
	}
	k, _ := s.Key("effect")
	c.doubt(RuleEffect, k.Value, "remove `effect`, or correct the module", "the module `%s` declares that it is %s", doc.Metadata.Name, n.Effect)
}

// task maps the inputs of an alias to a task of tend.
func (c *compiler) task(n *Node, with map[string]Tree) {
	t := &Task{Approval: Approval{Count: 1}}
	scalar := func(name string) *expr.Expr { return with[name].Scalar }
	t.Message = joined(scalar("title"), scalar("message"))
	if n.Kind == KindManual {
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
		if v, err := convert(within.Lit, &Field{Type: DurationT}, true); within.Kind == expr.Literal && err == nil {
			if d, err := ParseDuration(value.Text(v)); err == nil {
				t.Within, t.WithinX = Duration(d), nil
			}
		}
	}
	n.Task = t
}

// joined puts two texts below each other.
func joined(a, b *expr.Expr) *expr.Expr {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	both := &expr.Expr{Kind: expr.Literal, Line: a.Line, Column: a.Column}
	text := func(e *expr.Expr) string {
		if e.Kind == expr.Template {
			both.Kind = expr.Template
			return e.Source
		}
		s, _ := e.Lit.(string)
		return s
	}
	all := text(a) + "\n" + text(b)
	if both.Kind == expr.Template {
		both.Source = all
	} else {
		both.Lit = all
	}
	return both
}
