package run

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/value"
)

// Evaluator evaluates expressions; *expr.Evaluator is one.
type Evaluator interface {
	Value(e expr.Expr, s expr.Scope) (any, error)
	Text(e expr.Expr, s expr.Scope) (string, error)
	Truth(e expr.Expr, s expr.Scope) (bool, error)
	Holds(e expr.Expr, s expr.Scope) (bool, error)
}

// Env is what Evaluate may use besides the state. All of it is constant or read only.
type Env struct {
	Eval Evaluator
	// Load reads a blob that an output or a list was moved to, as a value. It may be slow: it is called only for what is
	// mentioned.
	Load func(entry.Ref) (any, error)
	// Spec finds the description of an action.
	Spec func(name string) (contract.Spec, bool)
	// Seal and Open encrypt and decrypt for the root of the run. nil: nothing in it is sealed.
	Seal expr.Sealer
	Open expr.Opener
}

// Rendered is the result of a Render. Accept turns it into facts.
type Rendered struct {
	Render
	Fault   *entry.Fault
	Value   bool
	Text    string
	Inputs  value.Object // step, undo: {"args", "env", "with"}; outputs: the outputs; call: the parameters
	Targets []string
	Runner  string
	List    []any    // list: items
	Keys    []any    // list: keys of a map
	Range   [2]int64 // list
	IsRange bool
	Task    *entry.TaskCreated
	Shown   *entry.Shown  // of an approval around others: what it covers
	Closure entry.Hash    // likewise: of what is approved with what is known only later
	Within  time.Duration // of a task or wait
	Until   time.Duration // wait for
	At      time.Time     // wait until
	Event   string
	Key     string
	Default value.Object
}

// Evaluate does what Render asks for, over the data of the state. It has no effect and does not change the state.
func (s *State) Evaluate(r Render, env Env) (out Rendered) {
	ev := &evaluation{s: s, env: env, n: s.Node(r.Path)}
	if ev.n == nil {
		def, _ := s.def(r.Path)
		ev.n = s.fresh(r.Path, def)
	}
	out = Rendered{Render: r}
	err := ev.run(&out)
	if ev.broken != nil {
		err = ev.broken
	}
	if err != nil {
		kind := fault.Expr
		if k := fault.KindOf(err); k != fault.Internal {
			kind = k
		}
		out.Fault = &entry.Fault{Kind: string(kind), Message: err.Error(), Path: r.Path}
	}
	ev.mask(&out)
	return out
}

type evaluation struct {
	s      *State
	env    Env
	n      *Node
	opened []any // what was sealed, and can be seen in this evaluation
	broken error // something could not be sealed or opened
}

func (ev *evaluation) run(out *Rendered) error {
	def := ev.n.def
	var err error
	switch out.What {
	case RenderWhen:
		cond, scope := ev.when()
		out.Value, err = ev.env.Eval.Truth(*cond, scope)
		err = ev.meant(err)
	case RenderBreak:
		loop, _ := parentOf(ev.n.Path)
		l := ev.s.Nodes[loop]
		out.Value, err = ev.env.Eval.Truth(*l.def.Foreach.Break, ev.scope(l.def.Foreach.Break.Source))
		err = ev.meant(err)
	case RenderVerify:
		return ev.check(out, def.Verify, ".verify")
	case RenderUntil:
		return ev.check(out, def.Wait.Until, ".until")
	case RenderProbe:
		return ev.check(out, def.Probe, ".probe")
	case RenderStopWhen:
		return ev.stopWhen(out, def.StopWhen)
	case RenderList:
		return ev.list(out, def.Foreach)
	case RenderLock:
		out.Text, err = ev.name("the key of a lock", def.LockKey, ev.scope(source(def.LockKey)))
		if err == nil && strings.TrimSpace(out.Text) == "" {
			err = fault.New(fault.Invalid, "the key of the lock is empty")
		}
	case RenderBlock:
		var p preview
		ev.foresee(&p, def, ev.n.Path, 0)
		var lines []any
		lines, out.Shown = p.all()
		out.Closure = ev.s.Created.Closure
		return ev.approval(out, def.Approval, value.Object{"block": ev.n.Path, "steps": lines})
	case RenderOutputs:
		out.Inputs, err = ev.outputs()
	case RenderUndo:
		return ev.action(out, def.Undo.Step)
	case RenderStep:
		return ev.step(out)
	}
	return err
}

// meant drops the error of a condition in the older dialect, where what cannot be told does not hold, unless it is about a
// secret: that is not missing.
func (ev *evaluation) meant(err error) error {
	if at := (*expr.Error)(nil); ev.s.Lenient() && (!errors.As(err, &at) || !at.Secret) {
		return nil
	}
	return err
}

func (ev *evaluation) when() (*expr.Expr, expr.Scope) {
	if ev.n.def == nil { // an iteration
		loop, _ := parentOf(ev.n.Path)
		w := ev.s.Nodes[loop].def.Foreach.When
		return w, ev.scope(w.Source)
	}
	return ev.n.def.When, ev.scope(ev.n.def.When.Source)
}

func (ev *evaluation) text(e *expr.Expr) (string, error) {
	if e == nil {
		return "", nil
	}
	return ev.env.Eval.Text(*e, ev.scope(e.Source))
}

// check looks whether a condition over the result of a check holds. No data is never success.
func (ev *evaluation) check(out *Rendered, c *program.Check, helper string) error {
	scope := ev.scope(source(c.Until))
	if h := ev.s.Nodes[ev.n.Path+helper]; h != nil {
		if bad(h.Outcome) {
			out.Text = "the check failed"
			if h.Fault != nil {
				out.Text = "the check failed: " + h.Fault.Message
			}
			if out.What == RenderProbe {
				return fault.New(fault.Verify, "%s", out.Text)
			}
			return nil
		}
		if h.Outcome == outcomeSkipped {
			out.Text = "the check was skipped"
			return nil
		}
		res, err := ev.load(h.Output)
		if err != nil {
			return err
		}
		ev.put(&scope, res, "result")
	}
	if c.Until == nil {
		out.Value = true
		return nil
	}
	ok, err := ev.env.Eval.Holds(*c.Until, scope)
	out.Value = ok && err == nil
	if err != nil {
		out.Text = err.Error()
		if out.What == RenderProbe {
			return err
		}
	}
	if !out.Value && out.Text == "" {
		out.Text = "not so: " + c.Until.Source
		out.Text += shown(scope.Root["result"])
	}
	return nil
}

// shown tells in a few words what a check found: its bare value, if it has one.
func shown(result any) string {
	if m, ok := result.(map[string]any); ok {
		if v, ok := m["value"]; ok {
			if t, ok := v.(string); ok {
				return fmt.Sprintf(" (result.value is %.120q)", t)
			}
			return fmt.Sprintf(" (result.value is %.120s)", value.Text(v))
		}
	}
	if result == nil {
		return ""
	}
	return fmt.Sprintf(" (result is %.200s)", value.Text(result))
}

// stopWhen: what cannot be read stops.
func (ev *evaluation) stopWhen(out *Rendered, c *program.StopWhen) error {
	scope := ev.scope(source(c.Until))
	if h := ev.s.Nodes[ev.n.Path+".stopWhen"]; h != nil {
		if bad(h.Outcome) && h.Fault != nil {
			return fault.New(fault.Stopped, "its stopWhen could not be read: %s", h.Fault.Message)
		}
		res, err := ev.load(h.Output)
		if err != nil {
			return err
		}
		ev.put(&scope, res, "result")
	}
	if c.Until == nil {
		return fault.New(fault.Stopped, "its stopWhen has no condition")
	}
	ok, err := ev.env.Eval.Truth(*c.Until, scope)
	if err != nil {
		return fault.New(fault.Stopped, "its stopWhen could not be read: %v", err)
	}
	out.Value, out.Text = ok, c.Until.Source
	return nil
}

func (ev *evaluation) list(out *Rendered, f *program.Foreach) error {
	if len(f.Range) == 2 {
		for i := range f.Range {
			v, err := ev.env.Eval.Value(f.Range[i], ev.scope(f.Range[i].Source))
			if err != nil {
				return err
			}
			if veiled, ok := v.(expr.Veiled); ok {
				v = veiled.Reveal()
			}
			n, ok := integer(v)
			if !ok {
				return fault.New(fault.Invalid, "range: %q is not a whole number", value.Text(v))
			}
			out.Range[i] = n
		}
		out.IsRange = true
		return nil
	}
	v, err := ev.tree(*f.In, ev.scope(sources(*f.In)...))
	if err != nil {
		return err
	}
	veiled, ok := v.(expr.Veiled)
	if ok {
		v = veiled.Reveal()
		defer func() {
			for i, e := range out.List {
				out.List[i] = ev.sealed(expr.Veil(e))
			}
		}()
	}
	if expr.IsDeferred(v) {
		return fault.New(fault.Invalid, "in: a secret cannot be a list (%s)", strings.Join(sources(*f.In), ", "))
	}
	if t, ok := v.(string); ok { // JSON text, as older templates give it
		if p, perr := value.Parse([]byte(t)); perr == nil && !expr.Holds(p) {
			v = p
		} else if strings.TrimSpace(t) == "" {
			v = nil
		}
	}
	switch x := v.(type) {
	case nil:
		if !ev.s.Lenient() {
			return fault.New(fault.Invalid, "in: there is no list here (%s)", strings.Join(sources(*f.In), ", "))
		}
	case []any:
		out.List, _ = ev.sealed(slices.Clone(x)).([]any)
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(x)) {
			out.Keys = append(out.Keys, k)
			out.List = append(out.List, ev.sealed(x[k]))
		}
	default:
		return fault.New(fault.Invalid, "in: a list or a map is needed, not %.80q", value.Text(v))
	}
	return nil
}

func integer(v any) (int64, bool) {
	switch x := v.(type) {
	case int64:
		return x, true
	case string:
		var n int64
		_, err := fmt.Sscanf(strings.TrimSpace(x), "%d", &n)
		return n, err == nil && fmt.Sprint(n) == strings.TrimSpace(x)
	default:
		return 0, false
	}
}

func (ev *evaluation) outputs() (value.Object, error) {
	if len(ev.s.prog.Outputs) == 0 {
		return nil, nil
	}
	var src []string
	for _, t := range ev.s.prog.Outputs {
		src = append(src, sources(t)...)
	}
	m, err := ev.trees(ev.s.prog.Outputs, ev.scope(src...))
	if err != nil {
		return nil, err
	}
	if len(ev.s.prog.OutputDefs) > 0 {
		if m, err = contract.Outputs(ev.s.prog.OutputDefs, m, ev.s.prog.Dialect); err != nil {
			return nil, err
		}
	}
	hidden, err := ev.hide(m, ev.s.prog.SecretOutputs(), ev.s.prog.Dialect)
	for name, v := range hidden {
		d, serr := expr.Enclose(v, false, ev.env.Seal)
		if m[name] = d.Value(); serr != nil {
			err = serr
		}
	}
	return m, err
}

// step renders what a step needs before its effect, by its kind.
func (ev *evaluation) step(out *Rendered) error {
	def := ev.n.def
	var err error
	if ev.n.Phase == PhaseDoubt {
		return nil // the question shows what was tried, not what would be tried now
	}
	switch def.Kind {
	case program.KindAction:
		if it := ev.prepared(); it != nil {
			out.Inputs, out.Targets, out.Runner = it.Inputs, it.Targets, it.Runner
			return nil
		}
		if err := ev.action(out, def); err != nil || def.Approval == nil {
			return err
		}
		return ev.approval(out, def.Approval, show(def, *out))
	case program.KindWait:
		return ev.wait(out, def.Wait)
	case program.KindApprove, program.KindAsk, program.KindManual:
		return ev.task(out, def)
	case program.KindCall:
		out.Inputs, err = ev.trees(def.Call.Params, ev.scope(treeSources(def.Call.Params)...))
		out.Inputs = expr.Carry(ev.sealedObject(out.Inputs), ev.s.prog.Dialect)
		if err != nil || def.Approval == nil {
			return err
		}
		var p preview
		ev.called(&p, def, ev.n.Path, 0)
		shown := show(def, *out)
		shown["steps"], out.Shown = p.all()
		out.Closure = ev.s.Created.Closure
		return ev.approval(out, def.Approval, shown)
	case program.KindAssert:
		out.Value, err = ev.env.Eval.Holds(*def.Assert.That, ev.scope(def.Assert.That.Source))
		if out.Value {
			return nil
		}
		if err != nil {
			out.Text = err.Error()
		} else {
			out.Text = "not so: " + def.Assert.That.Source
		}
		if def.Assert.Message != nil {
			if msg, merr := ev.text(def.Assert.Message); merr == nil && msg != "" {
				out.Text = msg
			}
		}
		return nil
	case program.KindFail:
		out.Text, err = ev.text(def.Message)
		if err == nil && out.Text == "" {
			out.Text = "the playbook says fail"
		}
		return err
	case program.KindSteps, program.KindForeach, program.KindParallel, program.KindLock:
	}
	return fault.New(fault.Internal, "%s cannot be rendered", def.Kind)
}

// prepared finds the undo item that an undo instance executes.
func (ev *evaluation) prepared() *UndoItem {
	owner, seg := parentOf(ev.n.Path)
	if seg.name != "undo" || !seg.helper() {
		return nil
	}
	for i := range ev.s.Undo {
		if ev.s.Undo[i].Path == owner {
			return &ev.s.Undo[i]
		}
	}
	return nil
}

// action renders inputs, environment, targets and runner of an action.
func (ev *evaluation) action(out *Rendered, def *program.Node) error {
	scope, outer := ev.data(def), expr.Scope{}
	if m := def.Module; m != nil {
		given, err := ev.trees(m.Inputs, scope)
		if err != nil {
			return err
		}
		params, err := contract.Inputs(m.Fields, given, ev.s.prog.Dialect)
		if err != nil {
			return err
		}
		outer, scope = scope, ev.inside(m, params)
	}
	with, err := ev.trees(def.With, scope)
	if err != nil {
		return err
	}
	spec, known := ev.env.Spec(def.Uses)
	if known {
		if with, err = contract.Inputs(spec.Inputs, with, scope.Dialect); err != nil {
			return err
		}
	}
	out.Inputs = value.Object{"with": map[string]any(with)}
	if len(def.Env) > 0 {
		env, err := ev.trees(def.Env, scope)
		if err != nil {
			return err
		}
		out.Inputs["env"] = map[string]any(env)
	}
	if len(def.Args) > 0 {
		args := make([]any, len(def.Args))
		for i := range def.Args {
			if args[i], err = ev.tree(def.Args[i], scope); err != nil {
				return err
			}
		}
		out.Inputs["args"] = args
	}
	runner, runnerScope, targets, targetScope := def.Runner, scope, def.Target, scope
	if m := def.Module; m != nil {
		// What the caller says comes before what the module says, and sees the caller's data.
		if m.Runner != nil {
			runner, runnerScope = m.Runner, outer
		}
		if len(m.Target) > 0 {
			targets, targetScope = m.Target, outer
		}
	}
	if runner != nil {
		if out.Runner, err = ev.name("the name of a runner", runner, runnerScope); err != nil {
			return err
		}
	}
	out.Targets, err = ev.targets(targets, spec, with, targetScope)
	out.Inputs = ev.sealedObject(out.Inputs)
	return err
}

func (ev *evaluation) targets(own []expr.Expr, spec contract.Spec, with value.Object, scope expr.Scope) ([]string, error) {
	var out []string
	add := func(v any) {
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		for _, e := range list {
			if t := strings.TrimSpace(value.Text(e)); t != "" && !strings.HasSuffix(t, ":") && !slices.Contains(out, t) {
				out = append(out, t)
			}
		}
	}
	for _, e := range own {
		v, err := ev.env.Eval.Value(e, scope)
		if err != nil {
			return nil, fmt.Errorf("target: %w", err)
		}
		if expr.Hides(v) {
			return nil, unnamed("a target", e.Source)
		}
		add(v)
	}
	if len(own) > 0 {
		return out, nil
	}
	known := maps.Clone(with)
	maps.DeleteFunc(known, func(_ string, v any) bool { return expr.Hides(v) }) // what has a secret in it names no target
	for _, t := range spec.Targets {
		v, err := ev.env.Eval.Value(expr.Expr{Kind: expr.Template, Source: t}, expr.Scope{Root: known, Dialect: expr.Lenient})
		if err == nil {
			add(v)
		}
	}
	return out, nil
}

func (ev *evaluation) wait(out *Rendered, w *program.Wait) error {
	out.Within = time.Duration(w.Within)
	switch {
	case w.Duration != nil:
		t, err := ev.text(w.Duration)
		if err != nil {
			return err
		}
		if ev.s.Lenient() && strings.TrimSpace(t) == "" {
			return nil // empty text is not given: documents that forgot the time went on at once
		}
		out.Until, err = contract.DurationIn(ev.s.prog.Dialect, t)
		return err
	case w.At != nil:
		t, err := ev.text(w.At)
		if err != nil {
			return err
		}
		if out.At, err = time.Parse(time.RFC3339, strings.TrimSpace(t)); err != nil {
			return fault.New(fault.Invalid, "at: %q is not a point in time like 2026-01-31T09:00:00Z", t)
		}
		out.At = out.At.UTC().Truncate(time.Microsecond)
	case w.Event != nil:
		var err error
		if out.Event, err = ev.name("the name of an event", w.Event, ev.scope(source(w.Event))); err != nil {
			return err
		}
		if out.Key, err = ev.name("the key of an event", w.Key, ev.scope(source(w.Key))); err != nil {
			return err
		}
		if out.Event == "" {
			return fault.New(fault.Invalid, "for: the name of the event is empty")
		}
	}
	return nil
}

func source(e *expr.Expr) string {
	if e == nil {
		return ""
	}
	return e.Source
}

// digest is what Digest covers, in the order of the names.
type digest struct {
	Action       string       `json:"action"`
	Closure      entry.Hash   `json:"closure,omitzero"`
	Effect       string       `json:"effect"`
	Inputs       value.Object `json:"inputs"`
	Irreversible bool         `json:"irreversible"`
	Message      string       `json:"message"`
	Runner       string       `json:"runner"`
	Shown        []entry.Seen `json:"shown,omitempty"`
	Targets      []string     `json:"targets"`
}

// Digest is the hash that an approval binds to: all that would happen.
func Digest(def *program.Node, r Rendered) entry.Hash {
	var shown []entry.Seen
	if r.Shown != nil && def.Kind != program.KindCall { // what a call does follows from its closure and its parameters
		shown = r.Shown.Effects
	}
	b, err := value.Canonical(&digest{
		Action: def.Uses, Closure: r.Closure, Effect: string(def.Effect), Inputs: r.Inputs, Irreversible: def.Irreversible, Message: r.Text, Runner: r.Runner,
		Shown: shown, Targets: r.Targets,
	})
	if err != nil {
		return entry.Hash{}
	}
	return sha256.Sum256(b)
}
