package run_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/value"
)

// seen evaluates a template at the place of the step that is about to begin.
func seen(t *testing.T, s *run.State, path, template string, load func(entry.Ref) (any, error)) string {
	t.Helper()
	def, err := run.Locate(s.Program(), path)
	if err != nil || def == nil {
		t.Fatal(path, err)
	}
	def.Kind, def.Message = program.KindFail, &expr.Expr{Kind: expr.Template, Source: template}
	out := s.Evaluate(run.Render{Path: path, What: run.RenderStep}, run.Env{Eval: expr.New(expr.Limits{}), Load: load})
	if out.Fault != nil {
		return "!" + out.Fault.Kind
	}
	return out.Text
}

func gives(path string, output value.Object) []entry.Payload {
	return []entry.Payload{intent(path, 1), &entry.StepResult{Path: path, Attempt: 1, Outcome: entry.Succeeded, Output: output}}
}

func looping(parallel int, steps ...program.Node) program.Node {
	return program.Node{Kind: program.KindForeach, Foreach: &program.Foreach{Key: "k", Value: "v", Parallel: parallel}, Steps: steps}
}

func begins(loop string, keys ...string) []entry.Payload {
	out := []entry.Payload{&entry.BlockStarted{Path: loop}}
	l := &entry.LoopListed{Path: loop, Count: int64(len(keys)), List: value.Object{}}
	var ks, items []any
	for _, k := range keys {
		ks, items = append(ks, k), append(items, "item "+k)
	}
	l.List["keys"], l.List["items"] = ks, items
	return append(out, l)
}

func iterates(loop string, i int, key string) entry.Payload {
	return &entry.IterationStarted{Path: loop, Index: int64(i), Key: key}
}

// TestScopes: what expressions see, by their place.
func TestScopes(t *testing.T) {
	t.Parallel()
	a, b := act(contract.Read, named("a")), act(contract.Read, named("b"))
	one := value.Object{"value": int64(1)}
	inner := looping(0, b)
	inner.Foreach.Key, inner.Foreach.Value = "k2", "v"
	handled := block(program.KindSteps, b)
	handled.Catch = []program.Node{act(contract.Read)}
	handled.Finally = []program.Node{act(contract.Read)}
	failure := entry.Fault{Kind: "exit", Message: "boom", Path: "steps[1].steps[0]"}
	refused := []entry.Payload{&entry.BlockStarted{Path: "steps[1]"}, &entry.StepRefused{Path: "steps[1].steps[0]", Fault: failure}}
	ranged := program.Node{Kind: program.KindForeach, Foreach: &program.Foreach{Value: "n"}, Steps: []program.Node{b}}
	for _, c := range []struct {
		name  string
		steps []program.Node
		facts []entry.Payload
		path  string
		shows map[string]string
	}{
		{"outputs of earlier steps", []program.Node{a, b}, gives("steps[0]", one), "steps[1]", map[string]string{
			"{{ $.steps.a.value }}": "1", "{{ $.steps.b.value }}": "!expression", "{{ $.run.steps.a.status }}": "succeeded",
			"{{ $.run.steps.a.attempts }}": "1", "{{ $.run.by }}": "ada", "{{ $.metadata.name }}": "test", "{{ $.a.value }}": "!expression",
		}},
		{"a skipped step", []program.Node{a, b}, []entry.Payload{&entry.StepSkipped{Path: "steps[0]"}}, "steps[1]", map[string]string{
			"{{ $.steps.a.value }}": "!expression", "{{ $.run.steps.a.status }}": "skipped", `{{ default "none" $.steps.a.value }}`: "none",
		}},
		{
			"a loop",
			[]program.Node{looping(0, a, b)},
			list(begins("steps[0]", "x", "y"), []entry.Payload{iterates("steps[0]", 0, "x")}, gives(`steps[0].foreach["x"].steps[0]`, one)),
			`steps[0].foreach["x"].steps[1]`,
			map[string]string{
				"{{ $.k }} {{ $.v }}": "x item x", "{{ $.steps.a.value }}": "1",
			},
		},
		{"a range", []program.Node{ranged}, []entry.Payload{
			&entry.BlockStarted{Path: "steps[0]"}, &entry.LoopListed{Path: "steps[0]", Range: true, From: 5, Count: 2}, iterates("steps[0]", 0, "5"),
		}, `steps[0].foreach["5"].steps[0]`, map[string]string{"{{ $.n }}": "5"}},
		{"loops in loops: inner names win", []program.Node{looping(0, inner)}, list(
			begins("steps[0]", "x"), []entry.Payload{iterates("steps[0]", 0, "x")}, begins(`steps[0].foreach["x"].steps[0]`, "y"),
			[]entry.Payload{iterates(`steps[0].foreach["x"].steps[0]`, 0, "y")},
		), `steps[0].foreach["x"].steps[0].foreach["y"].steps[0]`, map[string]string{"{{ $.k }} {{ $.k2 }} {{ $.v }}": "x y item y"}},
		{"parallel iterations see their own outputs", []program.Node{looping(2, a, b)}, list(
			begins("steps[0]", "x", "y"), []entry.Payload{iterates("steps[0]", 0, "x"), iterates("steps[0]", 1, "y")},
			gives(`steps[0].foreach["x"].steps[0]`, value.Object{"value": "of x"}), gives(`steps[0].foreach["y"].steps[0]`, value.Object{"value": "of y"}),
		), `steps[0].foreach["x"].steps[1]`, map[string]string{"{{ $.steps.a.value }}": "of x"}},
		{"not those of others", []program.Node{looping(2, a, b)}, list(
			begins("steps[0]", "x", "y"), []entry.Payload{iterates("steps[0]", 0, "x"), iterates("steps[0]", 1, "y")},
			gives(`steps[0].foreach["x"].steps[0]`, one),
		), `steps[0].foreach["y"].steps[0]`, map[string]string{"{{ $.steps.a.value }}": "!expression"}},
		{
			"catch",
			[]program.Node{a, handled},
			list(gives("steps[0]", one), refused, []entry.Payload{&entry.CatchEntered{Path: "steps[1]", Fault: failure}}),
			"steps[1].catch[0]",
			map[string]string{"{{ $.error.message }} {{ $.error.kind }} {{ $.error.step }}": "boom exit steps[1].steps[0]", "{{ $.steps.a.value }}": "1"},
		},
		{
			"finally after a failure",
			[]program.Node{a, handled},
			list(gives("steps[0]", one), refused, []entry.Payload{&entry.FinallyEntered{Path: "steps[1]"}}),
			"steps[1].finally[0]",
			map[string]string{"{{ $.error.message }}": "boom"},
		},
		{"no failure, no error", []program.Node{a, b}, gives("steps[0]", one), "steps[1]", map[string]string{"{{ $.error.message }}": "!expression"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for template, want := range c.shows {
				p := programOf(clone(c.steps)...)
				if got := seen(t, fold(t, p, c.facts...), c.path, template, nil); got != want {
					t.Errorf("%s shows %q, not %q", template, got, want)
				}
			}
		})
	}
}

func clone(steps []program.Node) []program.Node {
	out := slices.Clone(steps)
	for i := range out {
		out[i].Steps, out[i].Catch, out[i].Finally = clone(out[i].Steps), clone(out[i].Catch), clone(out[i].Finally)
	}
	return out
}

// TestLenientRoot: in the older dialect outputs are merged into the root, later ones win, and what is named wins over them.
func TestLenientRoot(t *testing.T) {
	t.Parallel()
	prog := func() *program.Program {
		p := programOf(act(contract.Read, named("a")), act(contract.Read, named("b")), act(contract.Read), looping(0, act(contract.Read)))
		p.Dialect = expr.Lenient
		return p
	}
	facts := list(
		gives("steps[0]", value.Object{"x": "first", "y": "first", "params": "taken", "steps": "taken", "metadata": "taken", "event": "taken", "b": "taken", "execution": "taken", "k": "taken"}),
		gives("steps[1]", value.Object{"x": "second"}),
		[]entry.Payload{&entry.StepSkipped{Path: "steps[2]"}},
		begins("steps[3]", "key"), []entry.Payload{iterates("steps[3]", 0, "key")},
	)
	for template, want := range map[string]string{
		"{{ $.x }}": "second", "{{ $.y }}": "first", "[{{ $.params.p }}]": "[]", "{{ $.metadata.name }}": "test", "{{ $.b.x }}": "second",
		"{{ $.execution.id }}": "run-1", "{{ $.k }}": "key", "{{ $.v }}": "item key", "{{ $.steps.a.x }}": "first", "[{{ $.event.e }}]": "[]",
		"[{{ $.nothing }}]": "[]", "{{ len $.nothing }}": "0",
	} {
		if got := seen(t, fold(t, prog(), facts...), `steps[3].foreach["key"].steps[0]`, template, nil); got != want {
			t.Errorf("%s shows %q, not %q", template, got, want)
		}
	}
}

// TestParamsChange: later steps see changed parameters; those that were given stay.
func TestParamsChange(t *testing.T) {
	t.Parallel()
	p := programOf(act(contract.Read))
	s := run.New("run-1", p)
	for _, f := range []entry.Payload{
		&entry.RunCreated{By: ada, Params: value.Object{"a": "1", "b": "1"}}, &entry.RunStarted{}, &entry.ParamsChanged{By: ada, Params: value.Object{"b": "2"}},
	} {
		if err := s.Evolve(f, noon); err != nil {
			t.Fatal(err)
		}
	}
	if got := seen(t, s, "steps[0]", "{{ $.params.a }}{{ $.params.b }}", nil); got != "12" {
		t.Error(got)
	}
}

// TestLargeOutputs: what was moved to a blob is read when it is mentioned, and not otherwise.
func TestLargeOutputs(t *testing.T) {
	t.Parallel()
	for template, want := range map[string]struct {
		text  string
		loads int
	}{
		"{{ $.steps.big.value }}": {"large", 1}, "{{ $.steps.a.value }}": {"1", 0}, "{{ $.run.by }}": {"ada", 0},
		"{{ ($.steps | toJson) | contains `large` }}": {"true", 1}, "{{ len $.steps }}": {"2", 1}, "{{ $.run.steps.a.status }}": {"succeeded", 0},
	} {
		p := programOf(act(contract.Read, named("big")), act(contract.Read, named("a")), act(contract.Read))
		s := fold(t, p, list([]entry.Payload{
			intent("steps[0]", 1), &entry.StepResult{Path: "steps[0]", Attempt: 1, Outcome: entry.Succeeded, Ref: &entry.Ref{ID: "blob-1"}},
		}, gives("steps[1]", value.Object{"value": int64(1)}))...)
		loads := 0
		got := seen(t, s, "steps[2]", template, func(r entry.Ref) (any, error) {
			if loads++; r.ID != "blob-1" {
				return nil, fmt.Errorf("no blob %s", r.ID)
			}
			return map[string]any{"value": "large"}, nil
		})
		if got != want.text || loads != want.loads {
			t.Errorf("%s shows %q after %d loads, not %q after %d", template, got, loads, want.text, want.loads)
		}
	}
}

// TestNoDataIsNotSo: what cannot be read, was skipped or failed does not verify, does not assert, and stops a stopWhen.
func TestNoDataIsNotSo(t *testing.T) {
	t.Parallel()
	broken := &expr.Expr{Kind: expr.Literal, Source: "broken", Lit: true}
	check := act(contract.Read)
	verifying := func(until *expr.Expr) (*program.Program, []entry.Payload) {
		n := act(contract.Mutate)
		n.Verify = &program.Check{Step: &check, Until: until}
		return programOf(n), did(at)
	}
	for _, c := range []struct {
		name  string
		until *expr.Expr
		more  []entry.Payload // about the check
		ok    bool
	}{
		{"so", lit(true), did(at + ".verify"), true},
		{"not so", lit(false), did(at + ".verify"), false},
		{"null", lit(nil), did(at + ".verify"), false},
		{"unreadable", broken, did(at + ".verify"), false},
		{"skipped", lit(true), []entry.Payload{&entry.StepSkipped{Path: at + ".verify"}}, false},
		{"failed", lit(true), []entry.Payload{intent(at+".verify", 1), result(at+".verify", 1, entry.Failed)}, false},
	} {
		p, facts := verifying(c.until)
		s := fold(t, p, append(facts, c.more...)...)
		a := s.Accept(s.Evaluate(run.Render{Path: at, What: run.RenderVerify}, plain()), noon)
		v, ok := a.Facts[0].(*entry.StepVerified)
		if !ok || v.OK != c.ok || (!v.OK && v.Fault == nil) {
			t.Errorf("%s: %+v", c.name, a.Facts[0])
		}
	}
	for until, stops := range map[*expr.Expr]bool{broken: true, lit(true): true, lit(false): false, nil: true} {
		b := block(program.KindSteps, act(contract.Read))
		b.StopWhen = &program.StopWhen{Check: program.Check{Until: until}}
		s := fold(t, programOf(b), &entry.BlockStarted{Path: at})
		a := s.Accept(s.Evaluate(run.Render{Path: at, What: run.RenderStopWhen}, plain()), noon)
		if _, stopped := a.Facts[0].(*entry.BlockStopped); stopped != stops {
			t.Errorf("%+v: %+v", until, a.Facts[0])
		}
	}
	for that, holds := range map[*expr.Expr]bool{lit(true): true, lit(false): false, lit(nil): false, broken: false} {
		s := fold(t, programOf(program.Node{Kind: program.KindAssert, Assert: &program.Assert{That: that}}))
		a := s.Accept(s.Evaluate(run.Render{Path: at, What: run.RenderStep}, plain()), noon)
		switch x := a.Facts[0].(type) {
		case *entry.Condition:
			if x.Value != holds {
				t.Errorf("assert %+v: %v", that, x.Value)
			}
		case *entry.StepRefused:
			if holds {
				t.Errorf("assert %+v: refused", that)
			}
		}
	}
}
