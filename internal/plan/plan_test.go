package plan_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/shell"
	"github.com/tendhq/tend/internal/action/verb"
	"github.com/tendhq/tend/internal/compiler"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/plan"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/value"
)

const head = "apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: p}\nparameters: [{name: host, type: string, default: web-1}, {name: pw, type: string, sensitive: true, default: planted-0009}]\n"

func planOf(t *testing.T, steps string, others ...document.File) *plan.Plan {
	t.Helper()
	set, err := action.NewSet([]action.Action{shell.New()}, verb.All())
	if err != nil {
		t.Fatal(err)
	}
	docs, findings := playbook.Parse("p.yaml", []byte(head+steps))
	if err := document.Fault(findings); err != nil {
		t.Fatal(err)
	}
	p, findings := compiler.Compile(docs[0], set, document.NewLibrary(others))
	if err := document.Fault(findings); err != nil {
		t.Fatal(err)
	}
	eval := expr.New(expr.Limits{})
	params, err := p.Bind(nil, nil, nil, eval)
	if err != nil {
		t.Fatal(err)
	}
	return plan.New(plan.Request{Program: p, Params: params, Event: map[string]any{"n": int64(2)}, Spec: set.Spec, Eval: eval, By: "ann", Now: time.Now()})
}

// env gives what the environment of a step would be: the value, or what it depends on.
func env(t *testing.T, s plan.Step, name string) string {
	t.Helper()
	m, _ := s.Inputs["env"].(map[string]any)
	if o, ok := m[name].(plan.Open); ok {
		return "depends on " + strings.Join(o.DependsOn, ", ")
	}
	return value.Text(m[name])
}

func TestWhatIsKnownIsRenderedAndWhatIsNotSaysWhy(t *testing.T) {
	t.Parallel()
	p := planOf(t, `steps:
  - {id: look, uses: shell, effect: read, with: {script: echo 1}}
  - {id: off, when: 'event.n > 5', uses: shell, effect: read, with: {script: echo 1}}
  - uses: shell
    target: 'host:{{ $.params.host }}'
    env:
      A: '{{ $.params.host }}/{{ $.event.n }}'
      B: '{{ $.steps.look.value }}'
      C: '{{ default "none" $.steps.off.value }}'
      D: '{{ $.run.id }}'
      E: '{{ $.run.by }}'
      F: '{{ secret "token" }}'
      G: 'x {{ $.params.pw }}'
      H: '{{ $.params.host }}{{ $.steps.look.stdout }}{{ $.steps.look.value }}'
    with: {script: echo 1}
`)
	if p.Steps[1].When != plan.No {
		t.Errorf("a condition that does not hold: %+v", p.Steps[1])
	}
	s := p.Steps[2]
	for name, want := range map[string]string{
		"A": "web-1/2", "B": "depends on steps.look.value", "C": "none", "D": "depends on run.id", "E": "ann", "F": "[secret]",
		"G": "x [secret]", "H": "depends on steps.look.stdout, steps.look.value",
	} {
		if got := env(t, s, name); got != want {
			t.Errorf("%s is %q, not %q", name, got, want)
		}
	}
	if len(s.Targets) != 1 || s.Targets[0] != "host:web-1" {
		t.Errorf("targets %v", s.Targets)
	}
	all, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(all), "planted") {
		t.Errorf("a sensitive parameter shows in %s", all)
	}
}

func TestConditionsAndLoops(t *testing.T) {
	t.Parallel()
	p := planOf(t, `steps:
  - {id: look, uses: shell, effect: read, with: {script: echo 1}}
  - {when: 'event.n == 2', uses: shell, effect: read, with: {script: echo 1}}
  - {when: 'steps.look.value == 1', uses: shell, effect: read, with: {script: echo 1}}
  - foreach:
      range: [0, 25]
      value: i
      when: i != 1
      steps:
        - {uses: shell, effect: read, env: {I: '{{ $.i }}'}, with: {script: echo 1}}
  - foreach:
      in: '{{ $.steps.look.value }}'
      value: x
      steps:
        - {uses: shell, effect: read, env: {X: '{{ $.x }}'}, with: {script: echo 1}}
`)
	for i, want := range []string{"", plan.Yes, plan.Unknown} {
		if got := p.Steps[i].When; got != want {
			t.Errorf("step %d: %q, not %q", i, got, want)
		}
	}
	loop := p.Steps[3]
	if len(loop.Steps) != 10 || loop.More != 15 {
		t.Errorf("%d iterations and %d more", len(loop.Steps), loop.More)
	}
	if loop.Steps[1].When != plan.No || env(t, loop.Steps[2].Steps[0], "I") != "2" {
		t.Errorf("iterations: %+v", loop.Steps[:3])
	}
	if got := env(t, p.Steps[4].Steps[0], "X"); got != "depends on x" {
		t.Errorf("the variable of an unknown list: %q", got)
	}
}

func TestModulesAndSubPlaybooksAreLookedInto(t *testing.T) {
	t.Parallel()
	module := document.File{Name: "m.yaml", Content: []byte(`apiVersion: tend/v1
kind: Step
metadata: {name: team/restart}
inputs: [{name: host, type: string}, {name: n, type: number, default: 7}]
run:
  uses: shell
  env: {HOST: '{{ $.params.host }}', N: '{{ $.params.n }}'}
  with: {script: echo 1}
`)}
	kid := document.File{Name: "kid.yaml", Content: []byte(`apiVersion: tend/v1
kind: Playbook
metadata: {name: kid}
parameters: [{name: host, type: string}]
steps:
  - {uses: shell, effect: read, env: {HOST: '{{ $.params.host }}'}, with: {script: echo 1}}
`)}
	p := planOf(t, `steps:
  - {id: look, uses: shell, effect: read, with: {script: echo 1}}
  - {uses: team/restart, with: {host: '{{ $.params.host }}'}}
  - {uses: team/restart, with: {host: '{{ $.steps.look.value }}'}, runner: 'on-{{ $.params.host }}', target: 'host:{{ $.params.host }}'}
  - {uses: playbook, with: {name: kid, params: {host: '{{ $.params.host }}'}}}
  - {uses: playbook, with: {name: kid, params: {host: '{{ $.steps.look.value }}'}}}
`, module, kid)
	if s := p.Steps[1]; s.Uses != "team/restart" || env(t, s, "HOST") != "web-1" || env(t, s, "N") != "7" {
		t.Errorf("a module: %+v", s)
	}
	if got := env(t, p.Steps[2], "HOST"); got != "depends on params.host" {
		t.Errorf("a module with what is not known: %q", got)
	}
	if s := p.Steps[2]; env(t, s, "N") != "7" || len(s.Problems) > 0 || s.Runner != "on-web-1" || len(s.Targets) != 1 || s.Targets[0] != "host:web-1" {
		t.Errorf("a module with what is not known, on a runner: %+v", s)
	}
	if got := env(t, p.Steps[3].Steps[0], "HOST"); got != "web-1" {
		t.Errorf("a sub-playbook: %q", got)
	}
	if got := env(t, p.Steps[4].Steps[0], "HOST"); got != "depends on params.host" {
		t.Errorf("a sub-playbook with what is not known: %q", got)
	}
}

func TestWhatWouldFailIsAProblemAndNotAnEnd(t *testing.T) {
	t.Parallel()
	p := planOf(t, `steps:
  - {uses: shell, effect: read, env: {A: '{{ $.event.nothing.here }}'}, with: {script: echo 1}}
  - {uses: shell, effect: read, with: {script: '{{ $.event.text }}'}}
  - foreach:
      in: event.n
      value: x
      steps: [{uses: shell, effect: read, with: {script: echo 1}}]
`)
	for i := range p.Steps {
		if len(p.Steps[i].Problems) == 0 && i != 1 {
			t.Errorf("step %d has no problem: %+v", i, p.Steps[i])
		}
	}
}
