package lint

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/spelling"
)

// site says where an expression stands.
type site struct {
	logic    bool   // it decides something
	defaults bool   // the default of a parameter
	sink     string // in words, where what it gives is recorded or shown; empty: secrets may go there
	args     bool   // an argument of a program
	sealed   bool   // what is made of a sensitive parameter there is sealed
	field    *contract.Field
	input    string // name of the input, if it is one
}

// expression looks at one scalar and tells what it uses.
func (c *checker) expression(s *document.Scalar, where site) expr.Uses {
	if s == nil || s.Kind == expr.Literal || s.Kind == "" {
		return expr.Uses{}
	}
	if where.logic && s.Kind == expr.Template {
		c.mixed(s)
	}
	u, err := c.evaluator.Uses(s.Expr, c.file.Dialect)
	if err != nil {
		c.broken(s, err)
		return expr.Uses{}
	}
	guarded := c.guardedIDs(u)
	for _, p := range u.Paths {
		c.use(s, p, guarded, where)
	}
	c.secrets(s, u, where)
	return u
}

// broken reports what does not compile, every problem at its place.
func (c *checker) broken(s *document.Scalar, err error) {
	c.allUsed = true
	var problems []*expr.Error
	collect(err, &problems)
	if len(problems) == 0 {
		problems = []*expr.Error{{Source: s.Source, Offset: -1, Reason: err.Error()}}
	}
	for _, p := range problems {
		rule := ruleExpression
		var remedy string
		name, unknown := unknownFunction(p.Reason)
		switch {
		case unknown:
			rule, remedy = ruleFunction, suggest(name, functionNames())
			if before, hint, ok := strings.Cut(p.Reason, "; "); ok {
				p.Reason, remedy = before, hint
			}
		case strings.HasPrefix(p.Reason, "a secret"):
			remedy = "what is computed is recorded: give the secret whole to a step, by `env`, and look at it there"
		case s.Kind == expr.Logic && strings.Contains(s.Source, "$."):
			remedy = "this is CEL: write `params.x` and `steps.x.y` without `$.`, or the whole as a template"
		case s.Kind == expr.Logic:
			remedy = "this is CEL, as in `steps.usage.value > params.limit && !has(event.muted)`"
		default:
			remedy = "a template is `{{ $.params.x }}` or `{{ function argument … }}`"
		}
		c.find(rule, c.inside(s, p.Offset, 0), remedy, "%s", p.Reason)
	}
}

func collect(err error, out *[]*expr.Error) {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range many.Unwrap() {
			collect(e, out)
		}
		return
	}
	var e *expr.Error
	if errors.As(err, &e) {
		*out = append(*out, e)
	}
}

// unknownFunction reads the name out of the reason that a function does not exist.
func unknownFunction(reason string) (string, bool) {
	return strings.CutPrefix(reason, "unknown function ")
}

func functionNames() []string {
	fs := expr.Functions()
	out := make([]string, len(fs))
	for i, f := range fs {
		out[i] = f.Name
	}
	return out
}

// inside is the place of a byte in an expression.
func (c *checker) inside(s *document.Scalar, offset, length int) document.Place {
	if offset < 0 || s.Node == nil {
		return c.at(s.Node)
	}
	lead := 0
	if s.Kind != expr.Template { // its source is trimmed
		lead = len(s.Node.Value) - len(strings.TrimLeft(s.Node.Value, " \t\r\n"))
	}
	p := c.file.PlaceIn(s.Node, offset+lead)
	if end := offset + length; length > 0 && end <= len(s.Source) && p.EndColumn == 0 {
		if word := s.Source[offset:end]; !strings.ContainsAny(word, "\n") && strings.HasPrefix(from(c.file.Line(p.Line), p.Column), word) {
			p.EndColumn = p.Column + utf8.RuneCountInString(word)
		}
	}
	return p
}

// from cuts what stands before a column.
func from(line string, column int) string {
	for range column - 1 {
		_, n := utf8.DecodeRuneInString(line)
		line = line[n:]
	}
	return line
}

// mixed finds templates with CEL around them.
func (c *checker) mixed(s *document.Scalar) {
	outside := outsideActions(s.Source)
	for _, op := range []string{"==", "!=", "<", ">", "&&", "||"} {
		if !strings.Contains(outside, op) {
			continue
		}
		remedy := ""
		if c.lenient() {
			remedy = "write it as one template: `{{ eq $.a $.b }}`, `{{ and (gt …) (lt …) }}`"
		}
		c.find(ruleMixed, c.at(s.Node), remedy, "the condition mixes a template with `%s` around it: it is rendered to a text, which is then not compared", op)
		return
	}
}

// outsideActions is the text of a template without its actions.
func outsideActions(s string) string {
	var b strings.Builder
	for {
		before, after, ok := strings.Cut(s, "{{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		_, rest, ok := strings.Cut(after, "}}")
		if !ok {
			return b.String()
		}
		s = rest
	}
}

// guardedIDs lists the steps whose data the expression itself provides for being missing, as `has(steps.a.x) && …`.
func (c *checker) guardedIDs(u expr.Uses) []string {
	var out []string
	for _, p := range u.Paths {
		if len(p.Path) == 1 && p.Path[0] == "error" {
			out = append(out, theError) // it asks whether there is one
		}
		if id, _, ok := c.stepOf(p.Path); ok && (p.Guarded || len(p.Path) > 0 && p.Path[0] == "run") {
			out = append(out, id)
		}
	}
	return out
}

// theError stands for `error` among ids of steps; it cannot be one.
const theError = "$error"

// noError looks at the parts of `error` in a finally, which runs when nothing failed, too.
func (c *checker) noError(s *document.Scalar, p expr.PathUse, guarded []string, place func() document.Place) {
	if !c.ended || p.Guarded || len(p.Path) == 1 || slices.Contains(guarded, theError) {
		return
	}
	if slices.ContainsFunc(c.conds, func(k condition) bool { return strings.Contains(k.text, "error") }) || !c.once(s, ruleMaybe, theError) {
		return
	}
	remedy := "write `{{ if $.error }}…{{ end }}`, or give the step `when: error != null`"
	if s.Kind == expr.Logic {
		remedy = "check first: `error != null && …`"
	}
	c.find(ruleMaybe, place(), remedy, "`error` is null here when nothing failed: `finally` runs then, too")
}

// once tells whether a finding of the rule about the name is the first in its expression.
func (c *checker) once(s *document.Scalar, rule, name string) bool {
	h := hint{s.Node, rule, name}
	if c.hinted[h] {
		return false
	}
	c.hinted[h] = true
	return true
}

// use looks at one path of an expression.
func (c *checker) use(s *document.Scalar, p expr.PathUse, guarded []string, where site) {
	if len(p.Path) == 0 || strings.HasPrefix(p.Path[0], "[") {
		c.allUsed = true
		return
	}
	root := p.Path[0]
	place := func() document.Place { return c.inside(s, p.Offset, p.Length) }
	id, rest, isStep := c.stepOf(p.Path)
	switch {
	case root == "params" || root == "inputs" && c.file.Kind == document.KindModule:
		c.parameter(s, p, place)
	case c.params && root != "result":
		if c.once(s, ruleName, root) {
			c.find(ruleName, place(), "give it as an input", "the body of a module sees its inputs as `params`, and nothing of the run: there is no `%s`", root)
		}
	case c.variable(root):
	case isStep:
		if c.exists(s, id, place) && root != "run" {
			c.reference(s, id, p.Guarded || slices.Contains(guarded, id), place, where)
			c.output(s, id, rest, place)
		}
	case !c.lenient():
		if root == "error" {
			c.noError(s, p, guarded, place)
		}
		c.root(s, root, place)
	default:
		c.merged(s, root, place)
	}
}

func (c *checker) parameter(s *document.Scalar, p expr.PathUse, place func() document.Place) {
	if len(p.Path) == 1 || strings.HasPrefix(p.Path[1], "[") {
		c.allUsed = true
		return
	}
	name := p.Path[1]
	c.used[name] = true
	if c.declaredParameter(name) != nil || !c.once(s, ruleParameter, name) {
		return
	}
	names := make([]string, len(c.doc.Parameters))
	for i := range c.doc.Parameters {
		names[i] = c.doc.Parameters[i].Name
	}
	what, where := "parameter", "parameters:"
	if c.file.Kind == document.KindModule {
		what, where = "input", "inputs:"
	}
	remedy := "declare it below `" + where + "`"
	if near := spelling.Nearest(name, names); near != "" {
		remedy = "did you mean `" + near + "`? Else " + remedy
	} else {
		c.undeclared = append(c.undeclared, orphan{len(c.findings), name})
	}
	c.find(ruleParameter, place(), remedy, "the %s `%s` is not declared", what, name)
}

// orphan is a finding about a parameter that is used and not declared.
type orphan struct {
	finding int
	name    string
}

// adopt suggests for each orphan a declared parameter that nothing uses and that is called much alike: what is left of one
// that was renamed in one place only.
func (c *checker) adopt(unused []string) {
	for _, o := range c.undeclared {
		for _, n := range unused {
			if shared(n, o.name) >= 8 {
				f := &c.findings[o.finding]
				f.Remedy = "did you mean `" + n + "`, which nothing uses? Else " + f.Remedy
				break
			}
		}
	}
}

// shared counts the characters that two names have in common at their beginning and end.
func shared(a, b string) int {
	prefix, suffix := 0, 0
	for prefix < min(len(a), len(b)) && a[prefix] == b[prefix] {
		prefix++
	}
	for suffix < min(len(a), len(b))-prefix && a[len(a)-1-suffix] == b[len(b)-1-suffix] {
		suffix++
	}
	return prefix + suffix
}

func (c *checker) declaredParameter(name string) *playbook.ParameterDecl {
	for i := range c.doc.Parameters {
		if c.doc.Parameters[i].Name == name {
			return &c.doc.Parameters[i]
		}
	}
	return nil
}

func (c *checker) parameters() {
	if c.allUsed {
		return
	}
	var unused []string
	for i := range c.doc.Parameters {
		p := &c.doc.Parameters[i]
		if c.used[p.Name] {
			continue
		}
		unused = append(unused, p.Name)
		what := "parameter"
		if c.file.Kind == document.KindModule {
			what = "input"
		}
		at := p.Node
		if k, ok := p.Key("name"); ok {
			at = k.Value
		}
		c.find(ruleUnused, c.at(at), "", "nothing uses the %s `%s`", what, p.Name)
	}
	c.adopt(unused)
}

func (c *checker) exists(s *document.Scalar, id string, place func() document.Place) bool {
	if len(c.steps[id]) > 0 {
		return true
	}
	if c.once(s, ruleStep, id) {
		c.find(ruleStep, place(), suggest(id, c.ids), "no step has the id `%s`", id)
	}
	return false
}

// reference looks whether a step's data is there.
func (c *checker) reference(s *document.Scalar, id string, guarded bool, place func() document.Place, where site) {
	if before, ok := c.scope.find(id); ok {
		c.mayMiss(s, before, guarded, place)
		return
	}
	all := c.steps[id]
	for _, d := range all {
		if p := c.sibling(d); p != nil {
			if c.once(s, ruleBranch, id) {
				c.find(ruleBranch, place(), "", "`%s` stands in another branch of the `parallel` in line %d and may not have run yet", id, p.Node.Line)
			}
			return
		}
	}
	d := all[0]
	if guarded && slices.ContainsFunc(c.loops, func(l *playbook.Step) bool { return slices.Contains(d.loops, l) }) {
		return // of the iteration before
	}
	if !c.once(s, ruleLater, id) {
		return
	}
	switch {
	case where.defaults:
		c.find(ruleLater, place(), "defaults see `event`, `metadata` and nothing of the run", "the default of a parameter is rendered before the step `%s` runs", id)
	case d.step == c.parent || c.parent != nil && within(c.parent, d.step):
		c.find(ruleLater, place(), "its output is there in its `verify` and in later steps", "the step `%s` refers to its own output, which is not there yet", id)
	default:
		c.find(ruleLater, place(), "", "the step `%s` comes later, in line %d", id, d.step.Node.Line)
	}
}

// within tells whether a step stands in a block.
func within(s, block *playbook.Step) bool {
	for _, list := range [][]*playbook.Step{block.Steps, block.Catch, block.Finally} {
		for _, k := range list {
			if k == s || within(s, k) {
				return true
			}
		}
	}
	return false
}

// sibling gives the parallel of which d stands in another branch than this place.
func (c *checker) sibling(d *declared) *playbook.Step {
	for _, here := range c.lanes {
		for _, there := range d.branches {
			if here.parallel == there.parallel && here.index != there.index {
				return here.parallel
			}
		}
	}
	return nil
}

// mayMiss looks whether a step that comes before has surely run.
func (c *checker) mayMiss(s *document.Scalar, before seen, guarded bool, place func() document.Place) {
	if guarded || c.looksAt(before.id) {
		return
	}
	for _, why := range before.maybe {
		if c.holds(why.cond) {
			continue
		}
		rule := cmp.Or(why.rule, ruleMaybe)
		if !c.once(s, rule, before.id) {
			return
		}
		remedy := "write `{{ default \"…\" $.steps." + before.id + ".… }}`, or give this step the same `when`"
		switch {
		case c.lenient():
			remedy = "give this step the same `when`, or check first that it is there"
		case s.Kind == expr.Logic:
			remedy = "check first: `has(steps." + before.id + ".…) && …`, or give this step the same `when`"
		}
		c.find(rule, place(), remedy, "the output of `%s` (line %d) may be missing here: %s", before.id, before.step.Node.Line, why.text)
		return
	}
}

// output looks whether the step's action has such an output.
func (c *checker) output(s *document.Scalar, id string, rest []string, place func() document.Place) {
	if c.lenient() || len(rest) == 0 || strings.HasPrefix(rest[0], "[") || len(c.steps[id]) != 1 {
		return
	}
	d := c.steps[id][0]
	if d.open || d.step.Kind == program.KindAsk {
		return
	}
	names := make([]string, len(d.spec.Outputs))
	for i, f := range d.spec.Outputs {
		if names[i] = f.Name; f.Name == rest[0] {
			return
		}
	}
	if c.once(s, ruleOutput, id+"."+rest[0]) {
		c.find(ruleOutput, place(), suggest(rest[0], names), "`%s` has no output `%s`", d.spec.Name, rest[0])
	}
}

// root looks at a name at the root of the data of tend/v1.
func (c *checker) root(s *document.Scalar, root string, place func() document.Place) {
	known := []string{"params", "event", "metadata", "run", "steps"}
	if c.caught {
		known = append(known, "error")
	}
	if c.result {
		known = append(known, "result")
	}
	if slices.Contains(known, root) || !c.once(s, ruleName, root) {
		return
	}
	for _, v := range c.vars {
		known = append(known, v.name)
	}
	var remedy string
	switch {
	case root == "error":
		remedy = "`error` is there in `catch` and `finally`"
	case root == "result":
		remedy = "`result` is there in `verify`, in probes and in `until`"
	case len(c.steps[root]) > 0:
		remedy = "write `steps." + root + "`"
	case c.declaredParameter(root) != nil:
		remedy = "write `params." + root + "`"
	case c.loopNamed(root) != nil:
		remedy = fmt.Sprintf("it is the variable of the loop in line %d, and is known only inside of it", c.loopNamed(root).Node.Line)
	default:
		remedy = suggest(root, append(known, c.ids...))
	}
	c.find(ruleName, place(), remedy, "there is no `%s` in the data here", root)
}

// loopNamed finds a loop anywhere whose variable has the name.
func (c *checker) loopNamed(name string) *playbook.Step {
	var search func(steps []*playbook.Step) *playbook.Step
	search = func(steps []*playbook.Step) *playbook.Step {
		for _, s := range steps {
			if f := s.Foreach; f != nil && (f.Key == name || f.Value == name) {
				return s
			}
			for _, list := range [][]*playbook.Step{s.Steps, s.Catch, s.Finally} {
				if l := search(list); l != nil {
					return l
				}
			}
		}
		return nil
	}
	return search(append(append(c.doc.Steps[:len(c.doc.Steps):len(c.doc.Steps)], c.doc.Catch...), c.doc.Finally...))
}

// merged looks at a name at the root of the data of the older dialect, where every step may have put something. Only a
// name that is almost that of a step is surely meant to be it.
func (c *checker) merged(s *document.Scalar, root string, place func() document.Place) {
	switch root {
	case "event", "metadata", "execution", "run", "output":
		return
	}
	if len(root) < 6 {
		return
	}
	near := spelling.Nearest(root, c.ids)
	if near == "" || len(near)-len(root) > 2 || len(root)-len(near) > 2 || !c.once(s, ruleStep, root) {
		return
	}
	c.find(ruleStep, place(), "did you mean `"+near+"`?", "no step has the id `%s`", root)
}

// suggest words a suggestion, or says what is known when the list is short.
func suggest(name string, candidates []string) string {
	if near := spelling.Nearest(name, candidates); near != "" {
		return "did you mean `" + near + "`?"
	}
	if len(candidates) == 0 || len(candidates) > 12 {
		return ""
	}
	return "known here: " + strings.Join(candidates, ", ")
}
