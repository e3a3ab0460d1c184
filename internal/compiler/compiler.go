// Package compiler turns documents into programs: names are resolved, modules and sub-playbooks included, inputs checked
// against what the actions declare, the names of the older dialect mapped to actions.
//
//	Compile(doc, catalog, source) → *program.Program, []document.Finding
//	NewResolver(catalog, source)  → Callee, Playbook, Compile: what names stand for; remembers, for a whole repository
//
// It is pure: no I/O but what a document.Source is asked for. It gives no program for a document that has an error, and
// all errors at once. A program is bounded (program.MaxCalls, MaxNodes), and nothing includes itself.
package compiler

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/spelling"
)

// MaxNodes is how many steps and blocks a program may have, with all that it calls.
const MaxNodes = 20_000

// Compile turns a playbook into a program: names are resolved, modules and sub-playbooks included, inputs checked
// against what the actions declare. The program is nil when there is an error among the findings, which hold only what
// compiling found, not what Parse did; a document with errors of Parse does not compile.
func Compile(doc *playbook.Document, c contract.Catalog, src document.Source) (*program.Program, []document.Finding) {
	return NewResolver(c, src).Compile(doc)
}

// Compile is the function Compile with what the resolver knows already.
func (r *Resolver) Compile(doc *playbook.Document) (*program.Program, []document.Finding) {
	s := &session{resolver: r, programs: map[*playbook.Document]*program.Program{}, nodes: map[*program.Program]int{}}
	p := s.program(doc, nil)
	findings := document.Sort(s.findings)
	if document.HasErrors(findings) {
		return nil, findings
	}
	return p, findings
}

// Draft compiles as much of a playbook as there is, to be drawn while it is written: what cannot be resolved keeps its name.
// It must not be run.
func (r *Resolver) Draft(doc *playbook.Document) *program.Program {
	s := &session{resolver: r, programs: map[*playbook.Document]*program.Program{}, nodes: map[*program.Program]int{}}
	return s.program(doc, nil)
}

// session is one call of Compile: a document that is used twice is compiled once.
type session struct {
	resolver *Resolver
	programs map[*playbook.Document]*program.Program
	nodes    map[*program.Program]int // with all that it calls
	findings []document.Finding
}

// compiler makes the program of one document.
type compiler struct {
	*session
	doc   *playbook.Document
	prog  *program.Program
	stack []*playbook.Document // who includes whom, this document last
	count int
	gone  map[string]bool // images of the older dialect that were reported
}

// program compiles a playbook, or a module with nested steps, which is a playbook with another head.
func (s *session) program(doc *playbook.Document, stack []*playbook.Document) *program.Program {
	if p, ok := s.programs[doc]; ok {
		return p
	}
	p := &program.Program{
		Language: program.Language, Dialect: doc.Dialect, Lenient: doc.Dialect == expr.Lenient, Metadata: doc.Metadata,
		Artifacts: doc.Artifacts, Timeout: doc.Timeout, Offer: doc.Offer, Source: doc.File,
	}
	c := &compiler{session: s, doc: doc, prog: p, stack: append(slices.Clip(stack), doc)}
	for i := range doc.Parameters {
		d := &doc.Parameters[i]
		param := d.Parameter()
		if d.Default.Given() {
			t := d.Default.Tree()
			param.Default = &t
		}
		p.Parameters = append(p.Parameters, param)
	}
	p.Steps = c.steps(doc.Steps)
	p.Catch = c.steps(doc.Catch)
	p.Finally = c.steps(doc.Finally)
	for i := range doc.Outputs {
		if p.Outputs == nil {
			p.Outputs = make(map[string]expr.Tree, len(doc.Outputs))
		}
		p.Outputs[doc.Outputs[i].Name] = doc.Outputs[i].Value.Tree()
	}
	p.OutputDefs = doc.OutputFields()
	s.programs[doc] = p
	s.nodes[p] = c.count
	for _, called := range p.Calls {
		s.nodes[p] += s.nodes[called]
	}
	if s.nodes[p] > MaxNodes {
		c.fail(document.RuleSize, doc.Node, "split it into playbooks that are run on their own, or loop", "with all that it includes the playbook has %d steps, and %d are allowed", s.nodes[p], MaxNodes)
	}
	return p
}

func (c *compiler) fail(rule string, n *yaml.Node, remedy, format string, a ...any) {
	c.findings = append(c.findings, c.doc.Find(rule, document.Error, n, fmt.Sprintf(format, a...), remedy))
}

// doubt is an error in tend/v1 and a warning in the older dialect.
func (c *compiler) doubt(rule string, n *yaml.Node, remedy, format string, a ...any) {
	s := document.Error
	if c.doc.Dialect == expr.Lenient {
		s = document.Warning
	}
	c.findings = append(c.findings, c.doc.Find(rule, s, n, fmt.Sprintf(format, a...), remedy))
}

func (c *compiler) steps(in []*playbook.Step) []program.Node {
	if len(in) == 0 {
		return nil
	}
	out := make([]program.Node, len(in))
	for i, s := range in {
		out[i] = c.step(s)
	}
	return out
}

// step compiles a step or block.
func (c *compiler) step(s *playbook.Step) program.Node {
	c.count++
	n := program.Node{
		Kind: s.Kind, ID: s.ID, Name: s.Name, Line: s.Node.Line, When: s.When.Expression(), IgnoreFailure: s.IgnoreFailure,
		Timeout: s.Timeout, Approval: approval(s.Approval),
	}
	switch s.Kind {
	case program.KindSteps, program.KindForeach, program.KindParallel, program.KindLock:
		c.block(&n, s)
		return n
	case program.KindAction:
		c.use(&n, s, false)
	default:
		c.verb(&n, s)
	}
	return n
}

func (c *compiler) block(n *program.Node, s *playbook.Step) {
	n.Steps = c.steps(s.Steps)
	n.Catch = c.steps(s.Catch)
	n.Finally = c.steps(s.Finally)
	n.LockKey = s.LockKey.Expression()
	if s.StopWhen != nil {
		n.StopWhen = &program.StopWhen{Check: *c.check(s.StopWhen)}
	}
	f := s.Foreach
	if f == nil {
		return
	}
	n.Foreach = &program.Foreach{Key: f.Key, Value: f.Value, When: f.When.Expression(), Break: f.Break.Expression(), Parallel: f.Parallel}
	if f.In.Given() {
		t := f.In.Tree()
		n.Foreach.In = &t
	}
	n.Foreach.Range = exprs(f.Range)
}

// check compiles a step that finds out.
func (c *compiler) check(d *playbook.CheckDecl) *program.Check {
	if d == nil {
		return nil
	}
	k := &program.Check{Until: d.Until.Expression(), Within: d.Within, Every: d.Every}
	if d.Step != nil {
		k.Step = c.inner(d.Step, true)
	}
	return k
}

// inner compiles an action inside of verify, undo and the like. What only looks is read unless it says otherwise.
func (c *compiler) inner(s *playbook.Step, looks bool) *program.Node {
	c.count++
	n := &program.Node{Kind: program.KindAction, Name: s.Name, Line: s.Node.Line, Timeout: s.Timeout}
	c.use(n, s, looks)
	if n.Kind != program.KindAction {
		c.fail(document.RuleValue, s.UsesNode, "use an action, or a module of one action", "`%s` cannot be used here: it is not one action", s.Uses)
	}
	return n
}

// use compiles a step that uses an action or a module.
func (c *compiler) use(n *program.Node, s *playbook.Step, looks bool) {
	n.Runner, n.Integration, n.Target = s.Runner.Expression(), s.Integration.Expression(), exprs(s.Target)
	n.Irreversible, n.Retry, n.OnDoubt, n.Artifacts, n.Parser = s.Irreversible, s.Retry, s.OnDoubt, s.Artifacts, s.Parser
	n.Probe, n.Verify = c.check(s.Probe), c.check(s.Verify)
	if s.Undo != nil {
		n.Undo = &program.Undo{None: s.Undo.None}
		if s.Undo.Step != nil {
			n.Undo.Step = c.inner(s.Undo.Step, false)
		}
	}
	callee, err := c.resolver.Callee(s, c.doc.File)
	switch {
	case err != nil:
		c.fail(document.RuleAction, s.UsesNode, fault.NextOf(err), "%s", err)
		n.Uses = s.Uses
	case callee.Module != nil:
		c.module(n, s, callee, looks)
	case s.Legacy:
		c.legacy(n, s, callee)
	default:
		c.action(n, s, callee.Spec, looks)
	}
	if err == nil && callee.Module == nil {
		connect(n, callee.Spec)
	}
}

// connect gives an action that has an input for it the integration that its step names.
func connect(n *program.Node, spec contract.Spec) {
	const name = "integration"
	f := fieldOf(spec.Inputs, name)
	if n.Integration == nil || f == nil || f.Type != contract.Integration {
		return
	}
	if _, given := n.With[name]; given {
		return
	}
	if n.With == nil {
		n.With = map[string]expr.Tree{}
	}
	n.With[name] = expr.Tree{Scalar: n.Integration}
}

// action compiles a step of tend/v1 that uses a built-in action.
func (c *compiler) action(n *program.Node, s *playbook.Step, spec contract.Spec, looks bool) {
	n.Uses = spec.Name
	if spec.Verb {
		c.fail(document.RuleValue, s.UsesNode, "use an action, or a module of one action", "`%s` cannot be used here: it is a command of the run", s.Uses)
		return
	}
	if s.Env.Given() && !spec.Env {
		c.doubt(document.RuleEnv, s.Env.Node, "give its inputs in `with:`", "`%s` has no process, so `env` means nothing for it", spec.Name)
	}
	n.With = c.inputs(s, &s.With, spec)
	n.Env = s.Env.Tree().Map
	if s.Args != nil {
		n.Args = trees(s.Args)
	}
	c.effect(n, s, spec, looks)
	n.Sealed = contract.Sealed(spec.Outputs)
}

// effect settles what the step does to the world.
func (c *compiler) effect(n *program.Node, s *playbook.Step, spec contract.Spec, looks bool) {
	own := spec.Effect
	if spec.EffectOf != nil && !spec.Proven {
		own = spec.EffectOf(written(&s.With))
	}
	if own == "" {
		own = contract.Mutate
	}
	switch {
	case spec.Proven:
		n.Effect = own
		if s.Effect != "" && s.Effect != own {
			k, _ := s.Key("effect")
			c.doubt(document.RuleEffect, k.Value, "remove `effect`", "`%s` is %s whatever is written", spec.Name, own)
		}
	case s.Effect != "":
		n.Effect = s.Effect
	case looks:
		n.Effect = contract.Read
	default:
		n.Effect = own
	}
}

// written gives the inputs as they stand in the document, templates as their text.
func written(d *document.Data) map[string]any {
	out := make(map[string]any, len(d.Map))
	for i := range d.Map {
		e := &d.Map[i]
		switch s := e.Data.Scalar; {
		case s == nil:
			out[e.Name] = e.Data.Value()
		case s.Kind == expr.Literal:
			out[e.Name] = s.Lit
		default:
			out[e.Name] = s.Source
		}
	}
	return out
}

// inputs compiles `with` of an action and checks it against the declared inputs.
func (c *compiler) inputs(s *playbook.Step, with *document.Data, spec contract.Spec) map[string]expr.Tree {
	at := s.UsesNode
	if with.Given() {
		if k, ok := s.Key("with"); ok {
			at = k.Node
		}
	}
	c.given(spec.Name, spec.Inputs, with, at)
	if !with.Given() {
		return nil
	}
	out := make(map[string]expr.Tree, len(with.Map))
	for i := range with.Map {
		e := &with.Map[i]
		f := fieldOf(spec.Inputs, e.Name)
		if f != nil && f.Verbatim && s.Dialect == expr.Strict {
			out[e.Name] = c.verbatim(&e.Data)
			continue
		}
		out[e.Name] = e.Data.Tree()
	}
	return out
}

// verbatim takes code as it stands, and warns where the author seems to expect a template.
func (c *compiler) verbatim(d *document.Data) expr.Tree {
	for s := range d.Scalars() {
		if s.Kind == expr.Template && looksRendered(s.Source) {
			c.findings = append(c.findings, c.doc.Find(document.RuleScript, document.Warning, s.Node,
				"scripts are verbatim: this template is not rendered", "give the data by `env`, and write \"$NAME\" in the script"))
		}
	}
	return literalTree(d)
}

// looksRendered tells a template over a run's data from one of another program, such as docker's --format.
func looksRendered(s string) bool {
	for rest := s; ; {
		_, after, ok := strings.Cut(rest, "{{")
		if !ok {
			return false
		}
		action := strings.TrimLeft(strings.TrimPrefix(after, "-"), " ")
		for _, root := range []string{"$.", ".params", ".steps", ".event", ".metadata", "secret "} {
			if strings.HasPrefix(action, root) {
				return true
			}
		}
		rest = after
	}
}

// literalTree is the data with its templates as plain text.
func literalTree(d *document.Data) expr.Tree {
	switch {
	case d.Scalar != nil && d.Scalar.Kind == expr.Template:
		return expr.Tree{Scalar: &expr.Expr{Kind: expr.Literal, Lit: d.Scalar.Source, Line: d.Scalar.Line, Column: d.Scalar.Column}}
	case len(d.List) > 0:
		t := expr.Tree{List: make([]expr.Tree, len(d.List))}
		for i := range d.List {
			t.List[i] = literalTree(&d.List[i])
		}
		return t
	case len(d.Map) > 0:
		t := expr.Tree{Map: make(map[string]expr.Tree, len(d.Map))}
		for i := range d.Map {
			t.Map[d.Map[i].Name] = literalTree(&d.Map[i].Data)
		}
		return t
	default:
		return d.Tree()
	}
}

// given checks what is written for declared inputs: unknown ones, missing ones, and literals of a wrong type.
func (c *compiler) given(name string, fields []contract.Field, with *document.Data, at *yaml.Node) {
	for i := range with.Map {
		e := &with.Map[i]
		f := fieldOf(fields, e.Name)
		if f == nil {
			c.doubt(document.RuleInput, e.Key.Node, spelling.Suggest(e.Name, fieldNames(fields)), "`%s` has no input `%s`", name, e.Name)
			continue
		}
		c.literal(f, &e.Data)
	}
	for i := range fields {
		f := &fields[i]
		if !f.Required || f.Default != nil {
			continue
		}
		if _, ok := with.Entry(f.Name); !ok {
			c.doubt(document.RuleRequired, at, "write `"+f.Name+":` in `with:`", "`%s` needs the input `%s`%s", name, f.Name, described(f))
		}
	}
}

func described(f *contract.Field) string {
	if f.Description == "" {
		return ""
	}
	return ": " + firstSentence(f.Description)
}

// literal checks a value that is known already.
func (c *compiler) literal(f *contract.Field, d *document.Data) {
	if !d.Given() || f.Verbatim || !d.Literal() {
		return
	}
	v := d.Value()
	if v == nil {
		if f.Required {
			c.doubt(document.RuleInputType, d.Node, "", "input `%s` is required and empty", f.Name)
		}
		return
	}
	_, number := v.(float64)
	if number && (f.Type == contract.String || f.Type == contract.Var) {
		c.doubt(document.RuleInputType, d.Node, "quote it: '"+d.Node.Value+"'", "input `%s` is a text, and %s without quotes is a number that may lose digits", f.Name, d.Node.Value)
		return
	}
	if _, err := contract.ConvertLiteral(v, *f, c.doc.Dialect); err != nil {
		remedy := ""
		if near := f.Nearest(v); near != "" {
			remedy = "did you mean `" + near + "`?"
		}
		c.doubt(document.RuleInputType, d.Node, remedy, "input `%s` %v", f.Name, err)
	}
}

func fieldOf(fields []contract.Field, name string) *contract.Field {
	for i := range fields {
		if fields[i].Name == name {
			return &fields[i]
		}
	}
	return nil
}

func fieldNames(fields []contract.Field) []string {
	out := make([]string, len(fields))
	for i := range fields {
		out[i] = fields[i].Name
	}
	return out
}

func trees(ds []document.Data) []expr.Tree {
	out := make([]expr.Tree, len(ds))
	for i := range ds {
		out[i] = ds[i].Tree()
	}
	return out
}

func exprs(ss []*document.Scalar) []expr.Expr {
	if len(ss) == 0 {
		return nil
	}
	out := make([]expr.Expr, len(ss))
	for i, s := range ss {
		out[i] = s.Expr
	}
	return out
}

func approval(a *playbook.ApprovalDecl) *program.Approval {
	if a == nil {
		return nil
	}
	return &program.Approval{Message: a.Message.Expression(), From: a.From, Count: a.Count, NotRequester: a.NotRequester, NotAuthor: a.NotAuthor, Within: a.Within, Escalate: a.Escalate}
}
