package lint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/compiler"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/spelling"
	"github.com/tendhq/tend/internal/trigger"
)

// checker checks one document. It walks the steps in the order in which they run and looks at every expression with what
// is known at that point.
type checker struct {
	*Linter
	file     *document.Document
	doc      *playbook.Document // the content of file, where it is a playbook or module
	findings []document.Finding
	leaks    []leak

	scope
	steps   map[string][]*declared // by id
	ids     []string               // in the order of the document
	order   int
	callees map[*playbook.Step]compiler.Callee
	used    map[string]bool // parameters
	allUsed bool            // something takes all parameters, or could not be read
	hinted  map[hint]bool

	undeclared []orphan
}

// hint keeps one finding per expression, rule and name.
type hint struct {
	node *yaml.Node
	rule string
	name string
}

func (c *checker) lenient() bool { return c.file.Dialect == expr.Lenient }

// find adds a finding of one of the linter's rules, unless the rule is off in this dialect.
func (c *checker) find(rule string, p document.Place, remedy, format string, a ...any) {
	s := c.rules[rule].severity(c.file.Dialect)
	if s == off {
		return
	}
	if remedy == "" {
		remedy = c.rules[rule].hint()
	}
	c.findings = append(c.findings, document.Finding{
		Rule: rule, Severity: s, Place: p, Message: fmt.Sprintf(format, a...), Remedy: remedy, SourceLine: c.file.Line(p.Line),
	})
}

func (c *checker) at(n *yaml.Node) document.Place { return c.file.Place(n) }

// key is the place of a step's key, or of the step.
func (c *checker) key(s *playbook.Step, name string) document.Place {
	if k, ok := s.Key(name); ok {
		return c.at(k.Node)
	}
	return c.at(s.Node)
}

func (c *checker) document() {
	d := c.doc
	c.steps, c.callees = map[string][]*declared{}, map[*playbook.Step]compiler.Callee{}
	c.used, c.hinted = map[string]bool{}, map[hint]bool{}
	c.declare(d.Steps, nil, nil)
	c.declare(d.Catch, nil, nil)
	c.declare(d.Finally, nil, nil)
	c.duplicates()
	c.defaults()
	c.sequence(d.Steps)
	done := c.seen
	if d.Body != nil {
		c.params = true
		c.inner(d.Body)
		c.params = false
	}
	c.scope.seen = append([]seen(nil), done...)
	c.doubt(0, reason{text: "the playbook may have failed before", rule: ruleEarly})
	finally := c.handlers(d.Catch, d.Finally)
	c.scope.seen = append(done, finally...) // outputs are for runs that succeeded
	for _, t := range d.Target {
		c.expression(t, site{sink: "the target"})
	}
	c.outputs()
	c.parameters()
	c.reach(d.Steps)
	c.reach(d.Catch)
	c.reach(d.Finally)
	if d.Kind == document.KindPlaybook {
		c.answers(d.Steps)
	}
	c.literals()
	c.runners()
}

// trigger looks whether its expressions compile. What an event holds nobody knows before it comes.
func (c *checker) trigger(t *trigger.Spec) {
	c.starts(t)
	list := t.Expressions()
	slices.SortFunc(list, func(a, b *expr.Expr) int { return cmp.Or(a.Line-b.Line, a.Column-b.Column) })
	for _, e := range list {
		if err := c.evaluator.Check(*e, c.file.Dialect); err != nil {
			node := &yaml.Node{Kind: yaml.ScalarNode, Line: e.Line, Column: e.Column, Value: e.Source}
			c.broken(&document.Scalar{Expr: *e, Node: node}, err)
		}
	}
}

// starts looks whether the playbook of a trigger is there.
func (c *checker) starts(t *trigger.Spec) {
	if c.source == nil || t.Playbook == "" {
		return
	}
	if _, err := c.source.Find(document.KindPlaybook, t.Playbook, c.file.File); !fault.Is(err, fault.NotFound) {
		return // what cannot be read says so itself
	}
	n := c.file.Node
	if k, ok := c.file.Key("playbook"); ok {
		n = k.Value
	}
	remedy := "correct the name"
	if near := spelling.Nearest(t.Playbook, c.source.Names(document.KindPlaybook)); near != "" {
		remedy = "did you mean `" + near + "`?"
	}
	c.find(rulePlaybook, c.at(n), remedy, "there is no playbook called `%s`", t.Playbook)
}

// defaults looks at the templates in the defaults of parameters.
func (c *checker) defaults() {
	for i := range c.doc.Parameters {
		for s := range c.doc.Parameters[i].Default.Scalars() {
			c.expression(s, site{defaults: true, sink: "the default of a parameter"})
		}
	}
}

func (c *checker) outputs() {
	module := c.doc.Body != nil
	c.result, c.params = module, module
	for i := range c.doc.Outputs {
		o := &c.doc.Outputs[i]
		where := site{sink: "the output `" + o.Name + "`"}
		if o.Sensitive {
			where.sink = ""
		}
		for s := range o.Value.Scalars() {
			c.expression(s, where)
		}
	}
	c.result, c.params = false, false
}

// declare lists the steps with ids, before anything is looked at.
func (c *checker) declare(steps []*playbook.Step, in []branch, loops []*playbook.Step) {
	for _, s := range steps {
		callee, err := compiler.Callee{}, error(nil)
		if s.Uses != "" {
			if callee, err = c.resolver.Callee(s, c.file.File); err == nil {
				c.callees[s] = callee
			}
		}
		c.order++
		if s.ID != "" {
			d := &declared{id: s.ID, step: s, order: c.order, branches: in, loops: loops, spec: callee.Spec}
			d.open = s.Uses == "" || err != nil || callee.Image != "" || len(callee.Spec.Outputs) == 0
			if len(c.steps[s.ID]) == 0 {
				c.ids = append(c.ids, s.ID)
			}
			c.steps[s.ID] = append(c.steps[s.ID], d)
		}
		inside := loops
		if s.Kind == program.KindForeach {
			inside = append(loops[:len(loops):len(loops)], s)
		}
		for i, child := range s.Steps {
			where := in
			if s.Kind == program.KindParallel {
				where = append(in[:len(in):len(in)], branch{s, i})
			}
			c.declare([]*playbook.Step{child}, where, inside)
		}
		c.declare(s.Catch, in, loops)
		c.declare(s.Finally, in, loops)
	}
}

func (c *checker) duplicates() {
	for _, id := range c.ids {
		all := c.steps[id]
		for _, d := range all[1:] {
			c.find(ruleDuplicate, c.at(d.idNode()), "", "the id `%s` is taken by the step in line %d", id, all[0].step.Node.Line)
		}
		switch {
		case !c.lenient():
		case id == "params" || id == "event" || id == "metadata" || id == "execution":
			c.find(ruleShadow, c.at(all[0].idNode()), "", "the id `%s` is hidden: the name is the run's own data", id)
		}
	}
}

func (d *declared) idNode() *yaml.Node {
	if k, ok := d.step.Key("id"); ok {
		return k.Value
	}
	return d.step.Node
}

func (c *checker) sequence(steps []*playbook.Step) {
	for _, s := range steps {
		c.step(s)
	}
}

// step looks at one step and then lets the following ones see it.
func (c *checker) step(s *playbook.Step) {
	mark := len(c.seen)
	outer := c.parent
	c.parent = s
	c.stray(s)
	cond := c.when(s.When)
	c.under(cond, func() {
		c.approval(s.Approval)
		switch s.Kind {
		case program.KindSteps, program.KindForeach, program.KindParallel, program.KindLock:
			c.block(s)
		default:
			c.action(s)
		}
	})
	c.parent = outer
	if s.ID != "" {
		c.seen = append(c.seen, seen{id: s.ID, step: s})
	}
	if s.When != nil {
		c.doubt(mark, reason{text: fmt.Sprintf("it is skipped unless the `when` in line %d holds", s.When.Node.Line), cond: cond.text})
	}
	if s.IgnoreFailure {
		c.doubt(mark, reason{text: fmt.Sprintf("a failure is ignored in line %d", c.key(s, "ignoreFailure").Line)})
	}
}

// when looks at a condition and gives it for those that stand under it.
func (c *checker) when(s *document.Scalar) condition {
	if s == nil {
		return condition{}
	}
	u := c.expression(s, site{logic: true, sink: "a condition"})
	return condition{text: squeeze(s.Source), ids: c.mentioned(u)}
}

func (c *checker) block(s *playbook.Step) {
	mark := len(c.seen)
	c.expression(s.LockKey, site{sink: "the key of a lock"})
	switch s.Kind {
	case program.KindForeach:
		c.loop(s)
	case program.KindParallel:
		c.fork(s)
	default:
		c.sequence(s.Steps)
	}
	if s.StopWhen != nil {
		body := c.copySeen()
		c.doubt(mark, reason{text: "it may not have run yet while the block runs", rule: ruleEarly})
		c.check(s.StopWhen)
		c.scope.seen = body
	}
	if len(s.Catch)+len(s.Finally) == 0 {
		return
	}
	body := c.copySeen()
	c.doubt(mark, reason{text: "its block may have failed before", rule: ruleEarly})
	tail := len(c.seen)
	c.handlers(s.Catch, s.Finally)
	added := append([]seen(nil), c.seen[tail:]...)
	c.scope.seen = body
	if len(s.Catch) > 0 {
		c.doubt(mark, reason{text: fmt.Sprintf("its block may have failed before, and `catch` in line %d lets the run go on", c.key(s, "catch").Line)})
	}
	c.scope.seen = append(c.seen, added...)
}

// handlers looks at catch and finally, and gives the steps of the latter. Both see the body as far as it got; what a catch
// does may not have happened.
func (c *checker) handlers(catch, finally []*playbook.Step) []seen {
	was, ended, mark := c.caught, c.ended, len(c.seen)
	c.caught, c.ended = true, false
	c.sequence(catch)
	c.doubt(mark, reason{text: "it runs only after a failure"})
	mark = len(c.seen)
	c.ended = true
	c.sequence(finally)
	c.caught, c.ended = was, ended
	return append([]seen(nil), c.seen[mark:]...)
}

func (c *checker) copySeen() []seen { return append([]seen(nil), c.seen...) }

func (c *checker) fork(s *playbook.Step) {
	before := c.seen
	var all []seen
	for i, b := range s.Steps {
		c.scope.seen = before[:len(before):len(before)]
		c.lanes = append(c.lanes, branch{s, i})
		c.step(b)
		c.lanes = c.lanes[:len(c.lanes)-1]
		all = append(all, c.seen[len(before):]...)
	}
	c.scope.seen = append(before[:len(before):len(before)], all...)
}

func (c *checker) loop(s *playbook.Step) {
	f := s.Foreach
	if f == nil {
		c.sequence(s.Steps)
		return
	}
	for e := range f.In.Scalars() {
		c.expression(e, site{sink: "the list of a loop", logic: e.Kind == expr.Logic, sealed: true})
	}
	for _, e := range f.Range {
		c.expression(e, site{sink: "the range of a loop"})
	}
	c.shadow(f)
	mark, vars := len(c.seen), len(c.vars)
	for _, name := range []string{f.Key, f.Value} {
		if name != "" {
			c.vars = append(c.vars, variable{name, s})
		}
	}
	c.loops = append(c.loops, s)
	cond := c.when(f.When)
	c.under(cond, func() { c.sequence(s.Steps) })
	if f.Break != nil {
		c.when(f.Break)
	}
	c.loops = c.loops[:len(c.loops)-1]
	c.vars = c.vars[:vars]
	if cond.text != "" {
		c.doubt(mark, reason{text: fmt.Sprintf("iterations are skipped unless the `when` in line %d holds", f.When.Node.Line), cond: cond.text})
	}
	if least(f) == 0 {
		c.doubt(mark, reason{text: fmt.Sprintf("the loop in line %d may have no iteration", s.Node.Line)})
	}
}

// least is the number of iterations that a loop surely has: 0 or 1.
func least(f *playbook.ForeachDecl) int {
	if from, to, ok := bounds(f); ok {
		if from < to {
			return 1
		}
		return 0
	}
	if len(f.In.List)+len(f.In.Map) > 0 {
		return 1
	}
	return 0
}

// bounds are the ends of a range that are written as numbers.
func bounds(f *playbook.ForeachDecl) (from, to int64, ok bool) {
	if len(f.Range) != 2 {
		return 0, 0, false
	}
	from, okFrom := f.Range[0].Lit.(int64)
	to, okTo := f.Range[1].Lit.(int64)
	return from, to, okFrom && okTo
}

func (c *checker) shadow(f *playbook.ForeachDecl) {
	for _, k := range f.Keys {
		if k.Name != "key" && k.Name != "value" {
			continue
		}
		name := k.Value.Value
		for _, v := range c.vars {
			if v.name == name && v.loop.Foreach != nil && (v.loop.Foreach.Key == name || v.loop.Foreach.Value == name) {
				c.find(ruleShadow, c.at(k.Value), "", "the loop variable `%s` hides the one of the loop in line %d", name, v.loop.Node.Line)
				break
			}
		}
		if d := c.steps[name]; c.lenient() && len(d) > 0 {
			c.find(ruleShadow, c.at(k.Value), "", "the loop variable `%s` and the step in line %d have one name", name, d[0].step.Node.Line)
		}
	}
}

// stray finds `break` on a step: it is a key of loops.
func (c *checker) stray(s *playbook.Step) {
	if s.Node == nil || s.Node.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(s.Node.Content); i += 2 {
		k := s.Node.Content[i]
		if k.Value != "break" {
			continue
		}
		remedy := "put it into `foreach:`, beside its `steps:`"
		if len(c.loops) > 0 {
			remedy = fmt.Sprintf("put it into the `foreach:` in line %d, beside its `steps:`", c.loops[len(c.loops)-1].Node.Line)
		}
		c.find(ruleBreak, c.at(k), remedy, "`break` belongs to a loop, not to a step")
	}
}

// mentioned lists the steps that an expression looks at.
func (c *checker) mentioned(u expr.Uses) []string {
	var out []string
	for _, p := range u.Paths {
		if id, _, ok := c.stepOf(p.Path); ok {
			out = append(out, id)
		}
	}
	return out
}

// stepOf tells whether a path leads to a step's data, and what of it.
func (c *checker) stepOf(path []string) (id string, rest []string, ok bool) {
	switch {
	case len(path) == 0:
		return "", nil, false
	case c.lenient():
		if _, known := c.steps[path[0]]; known && !c.variable(path[0]) {
			return path[0], path[1:], true
		}
		if path[0] != "steps" {
			return "", nil, false
		}
		fallthrough
	case path[0] == "steps":
		if len(path) > 1 && !strings.HasPrefix(path[1], "[") {
			return path[1], path[2:], true
		}
	case path[0] == "run" && len(path) > 2 && path[1] == "steps" && !strings.HasPrefix(path[2], "["):
		return path[2], nil, true
	}
	return "", nil, false
}
