package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/value"
)

type builder struct {
	Request
	skipped map[string]bool // ids of steps that surely do not run
	hide    []string        // values of sensitive parameters
}

func (b *builder) nodes(defs []program.Node, base, section string, s scope) []Step {
	out := make([]Step, 0, len(defs))
	for i := range defs {
		out = append(out, b.node(&defs[i], run.At(base, section, i), s))
	}
	return out
}

func (b *builder) node(n *program.Node, path string, s scope) Step {
	out := Step{
		Path: path, Kind: string(n.Kind), ID: n.ID, Name: n.Name, Uses: n.Uses, Timeout: duration(n.Timeout),
		Approval: b.approval(n.Approval, s),
	}
	b.when(n, &out, s)
	if out.When == No {
		b.skip(n)
		return out
	}
	switch n.Kind {
	case program.KindAction:
		b.action(n, &out, s)
	case program.KindSteps:
		out.Steps = b.nodes(n.Steps, path, "steps", s)
	case program.KindParallel:
		out.Steps = b.nodes(n.Steps, path, "parallel", s)
	case program.KindLock:
		out.Note = "holds the lock " + b.text(n.LockKey, s)
		out.Steps = b.nodes(n.Steps, path, "steps", s)
	case program.KindForeach:
		b.loop(n, &out, s)
	default:
		b.verb(n, &out, s)
	}
	out.Catch = b.nodes(n.Catch, path, "catch", s.with("error"))
	out.Finally = b.nodes(n.Finally, path, "finally", s.with("error"))
	return out
}

func duration(d value.Duration) string {
	if d <= 0 {
		return ""
	}
	return time.Duration(d).String()
}

func (b *builder) when(n *program.Node, out *Step, s scope) {
	if n.When == nil {
		return
	}
	out.Condition = cmp.Or(n.When.Source, value.Text(n.When.Lit))
	if out.DependsOn = b.open(*n.When, s); len(out.DependsOn) > 0 {
		out.When = Unknown
		return
	}
	ok, err := b.Eval.Truth(*n.When, s.expr())
	switch {
	case err != nil && s.dialect != expr.Lenient:
		out.When = Unknown
		out.Problems = append(out.Problems, "when: "+err.Error())
	case ok:
		out.When = Yes
	default:
		out.When = No
	}
}

// skip remembers that the outputs of a step and of all below it will be missing.
func (b *builder) skip(n *program.Node) {
	if n.ID != "" {
		b.skipped[n.ID] = true
	}
	for _, list := range [][]program.Node{n.Steps, n.Catch, n.Finally} {
		for i := range list {
			b.skip(&list[i])
		}
	}
}

func (b *builder) approval(a *program.Approval, s scope) string {
	if a == nil {
		return ""
	}
	text := fmt.Sprintf("asks %s to approve", people(a))
	if m := b.text(a.Message, s); m != "" {
		text += ": " + m
	}
	return text
}

func people(a *program.Approval) string {
	who := "a person"
	if a.Count > 1 {
		who = strconv.Itoa(a.Count) + " people"
	}
	if len(a.From) > 0 {
		who += " of " + strings.Join(a.From, ", ")
	}
	switch {
	case a.NotRequester && a.NotAuthor:
		who += " (neither who started it nor who wrote it)"
	case a.NotRequester:
		who += " (not who started it)"
	case a.NotAuthor:
		who += " (not who wrote it)"
	}
	for _, e := range a.Escalate {
		who += ", after " + e.After.String() + " also " + strings.Join(e.To, ", ") + ","
	}
	return who
}

// text renders a text for a note; what is open stands as its source.
func (b *builder) text(e *expr.Expr, s scope) string {
	if e == nil {
		return ""
	}
	v, err := b.value(*e, s)
	if err != nil {
		return e.Source
	}
	if o, ok := v.(Open); ok {
		return o.Source
	}
	return value.Text(v)
}

// action renders what an action would be given.
func (b *builder) action(n *program.Node, out *Step, s scope) {
	out.Effect, out.Irreversible, out.OnDoubt = string(n.Effect), n.Irreversible, n.OnDoubt
	out.Retry = retry(n.Retry)
	inner := s
	if m := n.Module; m != nil {
		out.Uses = m.Name
		inner = b.moduleScope(m, out, s)
	}
	with, problems := b.trees(n.With, inner, "with")
	out.Problems = append(out.Problems, problems...)
	spec, known := b.Spec(n.Uses)
	if known && len(problems) == 0 && !holds(with) {
		complete, err := contract.Inputs(spec.Inputs, orEmpty(with), inner.dialect)
		if err != nil {
			out.Problems = append(out.Problems, err.Error())
		} else {
			with = given(with, complete)
		}
	}
	out.Inputs = map[string]any{}
	if len(with) > 0 {
		out.Inputs["with"] = with
	}
	if env, problems := b.trees(n.Env, inner, "env"); len(env)+len(problems) > 0 {
		out.Inputs["env"] = env
		out.Problems = append(out.Problems, problems...)
	}
	for i := range n.Args {
		v, err := b.tree(n.Args[i], inner)
		if err != nil {
			out.Problems = append(out.Problems, fmt.Sprintf("args[%d]: %v", i, err))
			continue
		}
		args, _ := out.Inputs["args"].([]any)
		out.Inputs["args"] = append(args, v)
	}
	runner, runnerScope, targets, targetScope := n.Runner, inner, n.Target, inner
	if m := n.Module; m != nil { // what the caller says comes before what the module says, and sees the caller's data
		if m.Runner != nil {
			runner, runnerScope = m.Runner, s
		}
		if len(m.Target) > 0 {
			targets, targetScope = m.Target, s
		}
	}
	if runner != nil {
		v, err := b.value(*runner, runnerScope)
		if err != nil {
			out.Problems = append(out.Problems, "runner: "+err.Error())
		}
		out.Runner = v
	}
	b.targets(targets, spec, with, out, targetScope)
	b.guards(n, out)
	b.aftermath(n, out, s)
}

// given keeps the inputs that the document writes, converted: defaults of the action are its own business.
func given(with, complete map[string]any) map[string]any {
	out := make(map[string]any, len(with))
	for k := range with {
		if v, ok := complete[k]; ok {
			out[k] = v
		}
	}
	return out
}

func retry(r *program.Retry) string {
	if r == nil || r.Attempts < 2 {
		return ""
	}
	s := fmt.Sprintf("up to %d attempts", r.Attempts)
	if r.Backoff > 0 {
		s += ", " + time.Duration(r.Backoff).String() + " apart"
	}
	if r.Factor > 1 {
		s += fmt.Sprintf(", ×%g each time", r.Factor)
	}
	if len(r.On) > 0 {
		s += ", on " + strings.Join(r.On, ", ")
	}
	return s
}

// moduleScope is what the body of a module sees: its inputs and nothing else.
func (b *builder) moduleScope(m *program.Module, out *Step, s scope) scope {
	in, problems := b.trees(m.Inputs, s, "with")
	out.Problems = append(out.Problems, problems...)
	inner := scope{dialect: m.Dialect, module: true, root: map[string]any{"params": orEmpty(in)}}
	if !holds(in) && len(problems) == 0 {
		complete, err := contract.Inputs(m.Fields, orEmpty(in), s.dialect)
		if err != nil {
			out.Problems = append(out.Problems, err.Error())
		} else {
			inner.root["params"] = complete
		}
		return inner
	}
	// Some of it cannot be known yet; what is not given has its default all the same.
	params := orEmpty(maps.Clone(in))
	for i := range m.Fields {
		f := &m.Fields[i]
		if _, ok := params[f.Name]; ok || f.Default == nil {
			continue
		}
		if v, err := contract.Convert(f.Default, *f); err == nil {
			params[f.Name] = v
		}
	}
	inner.root["params"] = params
	for _, k := range slices.Sorted(maps.Keys(in)) {
		if holds(in[k]) {
			inner = inner.with("params." + k)
		}
	}
	return inner
}

func (b *builder) targets(own []expr.Expr, spec contract.Spec, with map[string]any, out *Step, s scope) {
	add := func(v any) {
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		for _, e := range list {
			if o, ok := e.(Open); ok {
				out.Targets = append(out.Targets, o)
			} else if t := strings.TrimSpace(value.Text(e)); t != "" && !strings.HasSuffix(t, ":") {
				out.Targets = append(out.Targets, t)
			}
		}
	}
	for _, e := range own {
		v, err := b.value(e, s)
		if err != nil {
			out.Problems = append(out.Problems, "target: "+err.Error())
			continue
		}
		add(v)
	}
	if len(own) > 0 {
		return
	}
	in := scope{dialect: expr.Lenient, module: true, root: orEmpty(with)}
	for k, v := range with {
		if holds(v) {
			in = in.with(k)
		}
	}
	for _, t := range spec.Targets {
		if v, err := b.value(expr.Expr{Kind: expr.Template, Source: t}, in); err == nil {
			add(v)
		}
	}
}

// aftermath is what follows a step: its verification and what would undo it.
func (b *builder) aftermath(n *program.Node, out *Step, s scope) {
	if v := n.Verify; v != nil {
		if v.Step != nil {
			st := b.node(v.Step, out.Path+".verify", s)
			out.Verify = &st
		} else {
			out.Verify = &Step{Path: out.Path + ".verify", Kind: "condition"}
		}
		if v.Until != nil {
			out.Until = v.Until.Source
		}
		if v.Within > 0 {
			out.Until += " within " + time.Duration(v.Within).String()
		}
	}
	if u := n.Undo; u != nil {
		out.UndoNone = u.None
		if u.Step != nil {
			st := b.node(u.Step, out.Path+".undo", s.with("result"))
			out.Undo = &st
		}
	}
}

// loop lists the iterations as far as the list is known.
func (b *builder) loop(n *program.Node, out *Step, s scope) {
	f := n.Foreach
	keys, items, open, err := b.items(f, s)
	if err != nil {
		out.Problems = append(out.Problems, "in: "+err.Error())
		return
	}
	if len(open) > 0 {
		out.DependsOn = append(out.DependsOn, open...)
		out.Note = "for each of a list that is not known yet"
		names := []string{}
		for _, v := range []string{f.Key, f.Value} {
			if v != "" {
				names = append(names, v)
			}
		}
		out.Steps = b.nodes(n.Steps, out.Path+`.foreach["*"]`, "steps", s.with(names...))
		return
	}
	out.Note = fmt.Sprintf("for each of %d", len(items))
	if f.Parallel > 1 {
		out.Note += fmt.Sprintf(", %d at a time", f.Parallel)
	}
	for i := range items {
		if i == maxIterations {
			out.More = len(items) - maxIterations
			return
		}
		it := s.let(f.Key, keys[i]).let(f.Value, items[i])
		path := run.IterationAt(out.Path, value.Text(keys[i]))
		step := Step{Path: path, Kind: "iteration", Name: "[" + value.Text(keys[i]) + "] " + brief(items[i])}
		if f.When != nil {
			b.when(&program.Node{When: f.When}, &step, it)
		}
		if step.When != No {
			step.Steps = b.nodes(n.Steps, path, "steps", it)
		}
		out.Steps = append(out.Steps, step)
	}
}

func brief(v any) string {
	t := value.Text(v)
	if r := []rune(t); len(r) > 60 {
		t = string(r[:60]) + "…"
	}
	return t
}

// maxRange bounds a range that a plan counts out.
const maxRange = 1 << 20

func (b *builder) items(f *program.Foreach, s scope) (keys, items []any, open []string, err error) {
	if len(f.Range) == 2 {
		return b.between(f, s)
	}
	if f.In == nil {
		return nil, nil, nil, nil
	}
	v, err := b.tree(*f.In, s)
	if err != nil {
		return nil, nil, nil, err
	}
	if holds(v) {
		return nil, nil, dependencies(v), nil
	}
	if t, ok := v.(string); ok {
		if p, perr := value.Parse([]byte(t)); perr == nil {
			v = p
		} else if strings.TrimSpace(t) == "" {
			v = nil
		}
	}
	switch x := v.(type) {
	case nil:
	case []any:
		for i, e := range x {
			keys, items = append(keys, int64(i)), append(items, e)
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(x)) {
			keys, items = append(keys, k), append(items, x[k])
		}
	default:
		return nil, nil, nil, fmt.Errorf("a list or a map is needed, not %.80q", value.Text(v))
	}
	return keys, items, nil, nil
}

func (b *builder) between(f *program.Foreach, s scope) (keys, items []any, open []string, err error) {
	var at [2]int64
	for i := range f.Range {
		v, err := b.value(f.Range[i], s)
		if err != nil {
			return nil, nil, nil, err
		}
		if o, ok := v.(Open); ok {
			return nil, nil, o.DependsOn, nil
		}
		n, err := strconv.ParseInt(strings.TrimSpace(value.Text(v)), 10, 64)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("range: %q is not a whole number", value.Text(v))
		}
		at[i] = n
	}
	for i := at[0]; i < at[1] && len(items) < maxRange; i++ {
		keys, items = append(keys, i), append(items, i)
	}
	return keys, items, nil, nil
}

func dependencies(v any) []string {
	var out []string
	var visit func(any)
	visit = func(v any) {
		switch x := v.(type) {
		case Open:
			for _, d := range x.DependsOn {
				if !slices.Contains(out, d) {
					out = append(out, d)
				}
			}
		case []any:
			for _, e := range x {
				visit(e)
			}
		case map[string]any:
			for _, k := range slices.Sorted(maps.Keys(x)) {
				visit(x[k])
			}
		}
	}
	visit(v)
	return out
}

// verb says what a verb of the language would do.
func (b *builder) verb(n *program.Node, out *Step, s scope) {
	if out.Uses == "" {
		out.Uses = string(n.Kind)
	}
	switch n.Kind {
	case program.KindWait:
		out.Note = b.wait(n.Wait, s)
	case program.KindApprove:
		out.Note = fmt.Sprintf("asks %s to approve: %s", people(&n.Task.Approval), b.text(n.Task.Message, s))
	case program.KindAsk:
		out.Note = fmt.Sprintf("asks %s: %s", people(&n.Task.Approval), b.text(n.Task.Message, s))
	case program.KindManual:
		out.Note = fmt.Sprintf("asks %s to do: %s", people(&n.Task.Approval), b.text(n.Task.Message, s))
		if how := b.text(n.Task.Instructions, s); how != "" {
			out.Note += "\n" + how
		}
	case program.KindCall:
		out.Note = "runs the playbook " + n.Call.Program + " as a run of its own"
		params, problems := b.trees(n.Call.Params, s, "with")
		out.Problems = append(out.Problems, problems...)
		if len(params) > 0 {
			out.Inputs = map[string]any{"params": params}
		}
		b.called(n.Call.Program, params, out)
	case program.KindAssert:
		out.Note = "fails unless " + n.Assert.That.Source
	case program.KindFail:
		out.Note = "fails: " + b.text(n.Message, s)
	default:
	}
}

// called lists the steps of a sub-playbook, as far as its parameters are known.
func (b *builder) called(name string, params map[string]any, out *Step) {
	p := b.Program.Calls[name]
	if p == nil {
		return
	}
	inner := &builder{Request: b.Request, skipped: map[string]bool{}, hide: b.hide}
	inner.Program = p
	s := scope{dialect: p.Dialect}
	bound := params
	if holds(params) {
		for _, k := range slices.Sorted(maps.Keys(params)) {
			if holds(params[k]) {
				s = s.with("params." + k)
			}
		}
	} else {
		var err error
		if bound, err = p.Bind(params, b.Event, b.Metadata, b.Eval); err != nil {
			out.Problems = append(out.Problems, err.Error())
			return
		}
	}
	inner.Params = bound
	s.root = map[string]any{
		"params": orEmpty(bound), "event": orEmpty(b.Event), "metadata": p.Metadata.Data(b.Metadata),
		"run": map[string]any{"name": p.Metadata.Name, "by": b.By}, "steps": map[string]any{},
	}
	out.Steps = inner.nodes(p.Steps, "", "steps", s)
}

func (b *builder) wait(w *program.Wait, s scope) string {
	note := ""
	switch {
	case w == nil:
	case w.Duration != nil:
		note = "waits for " + b.text(w.Duration, s)
	case w.At != nil:
		note = "waits until " + b.text(w.At, s)
	case w.Until != nil && w.Until.Until != nil:
		note = "waits until " + w.Until.Until.Source
	case w.Event != nil:
		note = "waits for the event " + b.text(w.Event, s)
		if w.Key != nil {
			note += " with key " + b.text(w.Key, s)
		}
	}
	if w != nil && w.Within > 0 {
		note += ", at most " + time.Duration(w.Within).String()
	}
	return note
}
