package run_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/value"
)

// A box of these tests is the text turned around.
func seal(plain []byte) ([]byte, error) {
	box := append([]byte("box of "), plain...)
	slices.Reverse(box)
	return box, nil
}

func unseal(box []byte) ([]byte, error) {
	plain := bytes.Clone(box)
	slices.Reverse(plain)
	plain, ok := bytes.CutPrefix(plain, []byte("box of "))
	if !ok {
		return nil, errors.New("no box")
	}
	return plain, nil
}

func box(t *testing.T, v any, open bool) any {
	t.Helper()
	d, err := expr.Enclose(v, open, seal)
	if err != nil {
		t.Fatal(err)
	}
	return d.Value()
}

// sealed is a run with the sensitive parameter word, whose first step m gave the secret output token.
func sealed(t *testing.T, steps ...program.Node) *run.State {
	t.Helper()
	p := programOf(append([]program.Node{act(contract.Read, named("m"))}, steps...)...)
	p.Parameters = []contract.Parameter{{Name: "word", Type: contract.String, Sensitive: true}}
	s := run.New("run-1", p)
	facts := []entry.Payload{
		&entry.RunCreated{By: ada, Name: "test", Project: "default", Params: value.Object{"word": box(t, "planted-word", true)}},
		&entry.RunStarted{},
	}
	for _, f := range append(facts, gives("steps[0]", value.Object{"token": box(t, "planted-token", false), "size": int64(3)})...) {
		if err := s.Evolve(f, noon); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func evaluated(s *run.State, what run.What) run.Rendered {
	return s.Evaluate(run.Render{Path: "steps[1]", What: what}, run.Env{
		Eval: expr.New(expr.Limits{}), Seal: seal, Open: unseal,
		Spec: func(string) (contract.Spec, bool) { return contract.Spec{}, false },
	})
}

func template(src string) *expr.Expr { return &expr.Expr{Kind: expr.Template, Source: src} }

func environment(src string) func(*program.Node) {
	return func(n *program.Node) { n.Env = map[string]expr.Tree{"X": {Scalar: template(src)}} }
}

// What a step is given is recorded sealed, the same each time, so that an approval binds to it and to nothing else.
func TestSealedInputsAreStable(t *testing.T) {
	t.Parallel()
	hash := func(src string) entry.Hash {
		s := sealed(t, act(contract.Mutate, environment(src)))
		r := evaluated(s, run.RenderStep)
		if r.Fault != nil {
			t.Fatal(src, r.Fault)
		}
		b, err := value.Canonical(r.Inputs)
		if err != nil || bytes.Contains(b, []byte("planted")) {
			t.Errorf("%s is recorded as %s, %v", src, b, err)
		}
		def, _ := run.Locate(s.Program(), "steps[1]")
		return run.Digest(def, r)
	}
	for _, src := range []string{"{{ $.params.word }}", "{{ $.steps.m.token }}", "{{ $.params.word }}:{{ $.steps.m.token }}"} {
		if first, again := hash(src), hash(src); first != again || first == hash(src+"!") {
			t.Errorf("%s: an approval would not bind to it", src)
		}
	}
}

// What is recorded and compared with others is made of nothing that is sealed, and says so.
func TestSealedDataHasNoNames(t *testing.T) {
	t.Parallel()
	secretText, sensitive := "{{ $.steps.m.token }}", "a{{ $.params.word }}"
	loop := func(src string) program.Node {
		n := looping(0, act(contract.Read))
		n.Foreach.In = &expr.Tree{Scalar: template(src)}
		return n
	}
	lock := func(src string) program.Node {
		n := block(program.KindLock, act(contract.Read))
		n.LockKey = template(src)
		return n
	}
	when := act(contract.Read)
	when.When = &expr.Expr{Kind: expr.Logic, Source: `steps.m.token == "x"`}
	for name, c := range map[string]struct {
		step program.Node
		what run.What
		want string
	}{
		"condition":    {when, run.RenderWhen, "the secret `steps.m.token` cannot be used here"},
		"target":       {act(contract.Read, func(n *program.Node) { n.Target = []expr.Expr{*template(secretText)} }), run.RenderStep, "a target is recorded"},
		"target too":   {act(contract.Read, func(n *program.Node) { n.Target = []expr.Expr{*template(sensitive)} }), run.RenderStep, "a target is recorded"},
		"runner":       {act(contract.Read, func(n *program.Node) { n.Runner = template(sensitive) }), run.RenderStep, "the name of a runner"},
		"lock":         {lock(secretText), run.RenderLock, "the key of a lock"},
		"lock too":     {lock(sensitive), run.RenderLock, "the key of a lock"},
		"list":         {loop(secretText), run.RenderList, "a secret cannot be a list"},
		"event":        {program.Node{Kind: program.KindWait, Wait: &program.Wait{Event: template(sensitive)}}, run.RenderStep, "the name of an event"},
		"key of event": {program.Node{Kind: program.KindWait, Wait: &program.Wait{Event: lit("x"), Key: template(sensitive)}}, run.RenderStep, "the key of an event"},
		"message":      {program.Node{Kind: program.KindFail, Message: template(secretText)}, run.RenderStep, "a secret cannot be used here"},
		"choices":      {program.Node{Kind: program.KindAsk, Task: &program.Task{Choices: &expr.Tree{Scalar: template(sensitive)}}}, run.RenderStep, "a choice"},
	} {
		r := evaluated(sealed(t, c.step), c.what)
		if r.Fault == nil || !strings.Contains(r.Fault.Message, c.want) || strings.Contains(r.Fault.Message, "planted") {
			t.Errorf("%s: %+v, not %s", name, r.Fault, c.want)
		}
	}
}

// Messages are masked; conditions over what is sensitive hold as ever; the items of a sensitive list are sealed one by one.
func TestSensitiveDataDecides(t *testing.T) {
	t.Parallel()
	if r := evaluated(sealed(t, program.Node{Kind: program.KindFail, Message: template("no {{ $.params.word }}")}), run.RenderStep); r.Text != "no [secret]" {
		t.Errorf("%+v", r)
	}
	n := act(contract.Read)
	n.When = &expr.Expr{Kind: expr.Logic, Source: `params.word == "planted-word" && steps.m.size == 3`}
	if r := evaluated(sealed(t, n), run.RenderWhen); !r.Value || r.Fault != nil {
		t.Errorf("%+v", r)
	}
	n.When.Source = `int(params.word) > 3`
	if r := evaluated(sealed(t, n), run.RenderWhen); r.Fault == nil || strings.Contains(r.Fault.Message, "planted-word") {
		t.Errorf("%+v", r.Fault)
	}
	loop := looping(0, act(contract.Read))
	loop.Foreach.In = &expr.Tree{Scalar: template(`{{ splitList "-" $.params.word }}`)}
	r := evaluated(sealed(t, loop), run.RenderList)
	if len(r.List) != 2 || !expr.IsDeferred(r.List[0]) || !expr.IsDeferred(r.List[1]) {
		t.Errorf("%+v", r)
	}
}

// Outputs that are declared as sensitive are sealed; others cannot be made of a secret, and what is sensitive in them is sealed.
func TestSealedOutputs(t *testing.T) {
	t.Parallel()
	outputs := func(src string, sensitive bool) run.Rendered {
		s := sealed(t)
		s.Program().Outputs = map[string]expr.Tree{"x": {Scalar: template(src)}}
		s.Program().OutputDefs = []contract.Field{{Name: "x", Type: contract.String, Sensitive: sensitive}}
		return s.Evaluate(run.Render{What: run.RenderOutputs}, run.Env{Eval: expr.New(expr.Limits{}), Seal: seal, Open: unseal})
	}
	for _, c := range []struct {
		src             string
		sensitive, open bool
	}{{"a{{ $.steps.m.size }}", true, false}, {"{{ $.params.word }}", true, false}, {"{{ $.params.word }}", false, true}, {"{{ $.steps.m.token }}", true, false}} {
		r := outputs(c.src, c.sensitive)
		if d, ok := expr.AsDeferred(r.Inputs["x"]); !ok || d.Open != c.open || r.Fault != nil {
			t.Errorf("%s: %+v", c.src, r)
		}
	}
	if r := outputs("{{ $.steps.m.token }}", false); r.Fault == nil || !strings.Contains(r.Fault.Message, "declare it as `sensitive: true`") {
		t.Errorf("%+v", r)
	}
}

// A replay needs no key: the state holds what is sealed, and folding opens nothing.
func TestReplayOpensNothing(t *testing.T) {
	t.Parallel()
	s := sealed(t, act(contract.Read))
	b, err := value.Canonical(s)
	if err != nil || bytes.Contains(b, []byte("planted")) {
		t.Fatalf("%s, %v", b, err)
	}
	r := s.Evaluate(run.Render{Path: "steps[1]", What: run.RenderStep}, run.Env{Eval: expr.New(expr.Limits{}), Spec: func(string) (contract.Spec, bool) { return contract.Spec{}, false }})
	if r.Fault != nil {
		t.Errorf("a step that uses nothing of it: %+v", r.Fault)
	}
	secrets, sensitive, err := s.Unseal(unseal)
	if err != nil || len(secrets) != 1 || secrets[0] != "planted-token" || len(sensitive) != 1 || sensitive[0] != "planted-word" {
		t.Errorf("%v, %v, %v", secrets, sensitive, err)
	}
}
