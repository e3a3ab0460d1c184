package graph

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tendhq/tend/internal/cell"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/value"
)

// item is a node of the drawing with what stands in it and hangs on it: the shape that all renderers read.
type item struct {
	path   string
	kind   Kind
	role   Role
	title  string // one line
	facts  []fact // what else is worth knowing, in reading order
	effect contract.Effect
	body   []item // in order; side by side in a parallel
	catch  *item
	final  *item
	side   []item // verify, undo, probe, check, stopWhen
}

const keyTarget = "target"

// fact is one detail of an item. An empty key is text that speaks for itself.
type fact struct{ key, text string }

func (f fact) String() string { return strings.TrimSpace(f.key + " " + f.text) }

// box tells whether the item is drawn around others.
func (i item) box() bool {
	switch i.kind {
	case Steps, Foreach, Parallel, Lock, Lane, Catch, Finally:
		return true
	default:
		return false
	}
}

// children lists what hangs on and stands in the item, in reading order.
func (i item) children() []item {
	all := append(append([]item{}, i.side...), i.body...)
	if i.catch != nil {
		all = append(all, *i.catch)
	}
	if i.final != nil {
		all = append(all, *i.final)
	}
	return all
}

// outline turns a program into items: its main flow, its catch and its finally.
func outline(p *program.Program) item {
	root := item{kind: Steps, title: cell.Line(p.Metadata.Name)}
	if d := cell.Line(p.Metadata.Description); d != "" {
		root.facts = append(root.facts, fact{"", d})
	}
	if p.Timeout > 0 {
		root.facts = append(root.facts, fact{"timeout", p.Timeout.String()})
	}
	root.body = items(p.Steps, "steps")
	root.catch = section(Catch, "catch", "catch", p.Catch)
	root.final = section(Finally, "finally", "finally", p.Finally)
	return root
}

func items(nodes []program.Node, path string) []item {
	out := make([]item, len(nodes))
	for i := range nodes {
		out[i] = newItem(&nodes[i], path+"["+strconv.Itoa(i)+"]")
	}
	return out
}

func section(k Kind, title, path string, nodes []program.Node) *item {
	if len(nodes) == 0 {
		return nil
	}
	return &item{path: path, kind: k, title: title, body: items(nodes, path)}
}

func newItem(n *program.Node, path string) item {
	it := item{path: path, kind: Kind(n.Kind), title: title(n), effect: n.Effect, facts: facts(n)}
	switch n.Kind {
	case program.KindForeach:
		it.body = items(n.Steps, path+".foreach.steps")
	case program.KindLock:
		it.body = items(n.Steps, path+".steps")
	case program.KindParallel:
		it.body = lanes(n.Steps, path+".parallel")
	case program.KindSteps:
		it.body = items(n.Steps, path+".steps")
	default:
		it.side = attached(n, path)
	}
	if n.StopWhen != nil {
		it.side = append(it.side, check(StopWhen, &n.StopWhen.Check, path+".stopWhen"))
	}
	it.catch = section(Catch, "catch", path+".catch", n.Catch)
	it.final = section(Finally, "finally", path+".finally", n.Finally)
	return it
}

// lanes draws a branch that is a plain block as a lane; one that is a single step stands as it is.
func lanes(branches []program.Node, path string) []item {
	out := items(branches, path)
	for i, it := range out {
		if it.kind != Steps {
			continue
		}
		out[i].kind = Lane
		if branches[i].ID == "" && branches[i].Name == "" {
			out[i].title = "branch " + strconv.Itoa(i+1)
		}
	}
	return out
}

func attached(n *program.Node, path string) []item {
	var out []item
	if n.Wait != nil && n.Wait.Until != nil && n.Wait.Until.Step != nil {
		out = append(out, check(Until, n.Wait.Until, path+".until"))
	}
	if n.Verify != nil {
		out = append(out, check(Verify, n.Verify, path+".verify"))
	}
	if n.Probe != nil {
		out = append(out, check(Probe, n.Probe, path+".probe"))
	}
	if n.Undo != nil && n.Undo.Step != nil {
		u := newItem(n.Undo.Step, path+".undo")
		u.role = Undo
		if nameless(n.Undo.Step) {
			if does := gist(n.Undo.Step); does.text != "" {
				u.retitle(does.text)
			}
		}
		out = append(out, u)
	}
	return out
}

// check draws a step with the condition that it is repeated for, or the condition alone.
func check(r Role, c *program.Check, path string) item {
	var it item
	if c.Step != nil {
		it = newItem(c.Step, path)
	} else {
		it = item{path: path, kind: Assert, title: text(c.Until)}
	}
	it.role = r
	switch {
	case c.Until == nil || c.Step == nil:
	case nameless(c.Step): // what is looked for says more than with what
		it.retitle(text(c.Until))
		if does := gist(c.Step); does.text != "" {
			it.facts = append(it.facts, does)
		}
	default:
		it.facts = append(it.facts, fact{"until", text(c.Until)})
	}
	if c.Within > 0 {
		it.facts = append(it.facts, fact{"within", c.Within.String()})
	}
	return it
}

// retitle gives an item another title, and makes the old one a detail.
func (i *item) retitle(title string) {
	i.facts = append([]fact{{"", i.title}}, i.facts...)
	i.title = title
}

func nameless(n *program.Node) bool { return cell.Line(n.Name) == "" && n.ID == "" }

// gist finds the input that says most of what an action does, as it is written.
func gist(n *program.Node) fact {
	for _, key := range []string{"script", "command", "query", "url", "message", "text"} {
		in, ok := n.With[key]
		if !ok || in.Scalar == nil {
			continue
		}
		src := in.Scalar.Source
		if lit, ok := in.Literal().(string); ok {
			src = lit
		}
		for line := range strings.Lines(src) {
			if line = cell.Line(line); line != "" {
				return fact{key, line}
			}
		}
	}
	return fact{}
}

func title(n *program.Node) string {
	if t := cell.Line(n.Name); t != "" {
		return t
	}
	if n.ID != "" {
		return cell.Line(n.ID)
	}
	if s := summary(n); s != "" {
		return s
	}
	return string(n.Kind)
}

// summary says in a few words what a node does.
func summary(n *program.Node) string {
	switch n.Kind {
	case program.KindAction:
		return cell.Line(uses(n))
	case program.KindWait:
		return waits(n.Wait)
	case program.KindApprove, program.KindAsk, program.KindManual:
		return asks(n)
	case program.KindCall:
		if n.Call != nil {
			return "playbook " + cell.Line(n.Call.Program)
		}
	case program.KindAssert:
		if n.Assert != nil {
			return "assert " + text(n.Assert.That)
		}
	case program.KindFail:
		return strings.TrimSpace("fail " + text(n.Message))
	case program.KindForeach:
		return loop(n.Foreach)
	case program.KindLock:
		return strings.TrimSpace("lock " + text(n.LockKey))
	case program.KindParallel:
		return "parallel"
	case program.KindSteps:
		return "steps"
	}
	return ""
}

func uses(n *program.Node) string {
	if n.Module != nil && n.Module.Name != "" {
		return n.Module.Name
	}
	return n.Uses
}

func asks(n *program.Node) string {
	if n.Task != nil {
		if m := text(n.Task.Message); m != "" {
			return string(n.Kind) + " " + m
		}
	}
	return string(n.Kind)
}

func waits(w *program.Wait) string {
	switch {
	case w == nil:
		return "wait"
	case w.Duration != nil:
		return "wait " + text(w.Duration)
	case w.At != nil:
		return "wait until " + text(w.At)
	case w.Until != nil:
		return "wait until " + text(w.Until.Until)
	default:
		return "wait for " + text(w.Event)
	}
}

func loop(f *program.Foreach) string {
	if f == nil {
		return "foreach"
	}
	var b strings.Builder
	b.WriteString("foreach ")
	switch {
	case f.Key != "" && f.Value != "":
		b.WriteString(f.Key + ", " + f.Value + " in ")
	case f.Key+f.Value != "":
		b.WriteString(f.Key + f.Value + " in ")
	}
	switch {
	case len(f.Range) == 2:
		fmt.Fprintf(&b, "%s … %s", text(&f.Range[0]), text(&f.Range[1]))
	case f.In != nil && f.In.Scalar != nil:
		b.WriteString(text(f.In.Scalar))
	case f.In != nil && f.In.Map != nil:
		fmt.Fprintf(&b, "%d entries", len(f.In.Map))
	case f.In != nil:
		fmt.Fprintf(&b, "%d items", len(f.In.List))
	}
	return cell.Line(b.String())
}

func facts(n *program.Node) []fact {
	var out []fact
	add := func(key, text string) {
		if text != "" {
			out = append(out, fact{key, text})
		}
	}
	if s := summary(n); s != "" && s != title(n) {
		add("", s)
	}
	if n.Kind == program.KindAction && n.Effect != "" {
		e := string(n.Effect)
		if n.Irreversible {
			e += ", irreversible"
		}
		add("", e)
	}
	add("when", text(n.When))
	if n.Foreach != nil {
		add("each when", text(n.Foreach.When))
		add("break", text(n.Foreach.Break))
		if n.Foreach.Parallel > 1 {
			add("", strconv.Itoa(n.Foreach.Parallel)+" at a time")
		}
	}
	for i := range n.Target {
		add(keyTarget, text(&n.Target[i]))
	}
	add("runner", text(n.Runner))
	add("integration", text(n.Integration))
	if a := n.Approval; a != nil {
		add("approval by", approval(a))
	}
	if n.Task != nil && n.Kind == program.KindApprove {
		add("approval by", approval(&n.Task.Approval))
	}
	if n.Retry != nil && n.Retry.Attempts > 1 {
		add("", strconv.Itoa(n.Retry.Attempts)+" attempts")
	}
	add("in doubt", n.OnDoubt)
	if n.Timeout > 0 {
		add("timeout", n.Timeout.String())
	}
	if n.Wait != nil && n.Wait.Within > 0 {
		add("within", n.Wait.Within.String())
	}
	if n.IgnoreFailure {
		add("", "failure ignored")
	}
	if n.Undo != nil && n.Undo.None != "" {
		add("undo", "none: "+cell.Line(n.Undo.None))
	}
	return out
}

func approval(a *program.Approval) string {
	s := strconv.Itoa(max(a.Count, 1))
	switch {
	case len(a.From) == 0 && a.Count < 2:
		s = "one person"
	case len(a.From) == 0:
		s += " people"
	}
	if len(a.From) > 0 {
		s += " of " + cell.Line(strings.Join(a.From, ", "))
	}
	if a.NotRequester {
		s += ", not the requester"
	}
	if a.NotAuthor {
		s += ", not the author"
	}
	for _, e := range a.Escalate {
		s += "; after " + e.After.String() + " also " + cell.Line(strings.Join(e.To, ", "))
	}
	return s
}

// text shows an expression as it is written, on one line.
func text(e *expr.Expr) string {
	switch {
	case e == nil:
		return ""
	case e.Kind == "" || e.Kind == expr.Literal:
		return cell.Line(value.Text(e.Lit))
	default:
		return cell.Line(e.Source)
	}
}

// Static gives the path that a State is asked for from the path of a step instance: without the iterations' keys.
func Static(instance string) string {
	const loop = "foreach["
	var b strings.Builder
	for {
		i := strings.Index(instance, loop)
		if i < 0 {
			b.WriteString(instance)
			return b.String()
		}
		b.WriteString(instance[:i+len(loop)-1])
		rest := instance[i+len(loop):]
		if q, err := strconv.QuotedPrefix(rest); err == nil {
			rest = rest[len(q):]
		}
		end := strings.IndexByte(rest, ']')
		if end < 0 {
			return b.String()
		}
		instance = rest[end+1:]
	}
}
