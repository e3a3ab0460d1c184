package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/store/memory"
	"github.com/tendhq/tend/internal/value"
)

// retried lets the steps that say X fail once, and gives what the retry of the run did.
func retried(t *testing.T, src string) (acts, end string) {
	t.Helper()
	h := &hands{}
	var mu sync.Mutex
	broken := true
	h.reply = func(a engine.Attempt) entry.StepResult {
		mu.Lock()
		defer mu.Unlock()
		with, _ := a.Intent.Inputs["with"].(map[string]any)
		if broken && fmt.Sprint(with["say"]) == "X" {
			return entry.StepResult{Outcome: entry.Failed, Fault: &entry.Fault{Kind: "exit", Message: "broken"}}
		}
		return says(a)
	}
	b := setup(t, new(memory.Disk), h)
	id := b.start(t, src)
	if got := b.until(t, id); got != "failed: broken" {
		t.Fatal(got)
	}
	mu.Lock()
	broken = false
	mu.Unlock()
	h.mu.Lock()
	h.acts = nil
	h.mu.Unlock()
	d := b.order(t, engine.Command{Verb: engine.Retry, Run: id})
	end = b.until(t, d.Run)
	return b.hands.did(), end
}

func TestRetryGoesOnWhereItFailed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, src, acts string }{
		{"in a block with finally", `
steps:
  - steps: [{uses: probe, with: {say: a}}, {uses: probe, with: {say: X}}]
    finally: [{uses: probe, with: {say: f}}]
`, "steps[0].steps[1]#1 steps[0].finally[0]#1"},
		{"in a lock", `
steps:
  - lock: {key: db, steps: [{uses: probe, with: {say: a}}, {uses: probe, with: {say: X}}]}
`, "steps[0].steps[1]#1"},
		{"in a block whose catch failed", `
steps:
  - steps: [{uses: probe, with: {say: a}}, {uses: fail, with: {message: no}}]
    catch: [{uses: probe, with: {say: X}}]
`, "steps[0].catch[0]#1"},
		{"in parallel", `
steps:
  - parallel: [{uses: probe, with: {say: a}}, {uses: probe, with: {say: X}}, {steps: [{uses: probe, with: {say: b}}]}]
`, "steps[0].parallel[1]#1"},
		{"in a block with a time limit", `
steps:
  - timeout: 1h
    steps: [{uses: probe, with: {say: a}}, {uses: probe, with: {say: X}}]
`, "steps[0].steps[1]#1"},
		{"in an iteration", `
steps:
  - foreach: {in: [1, X, 3], value: v, steps: [{uses: probe, with: {say: 'pre-{{ $.v }}'}}, {uses: probe, with: {say: '{{ $.v }}'}}]}
`, `steps[0].foreach["1"].steps[1]#1 steps[0].foreach["2"].steps[0]#1 steps[0].foreach["2"].steps[1]#1`},
		{"after what was undone, in the same block", `
steps:
  - steps:
      - {uses: probe, with: {say: a}}
      - {uses: probe, with: {say: b}, undo: {uses: probe, with: {say: un-b}}}
      - {uses: probe, with: {say: X}}
`, "steps[0].steps[1]#1 steps[0].steps[2]#1"},
		{"after what was undone in a loop", `
steps:
  - foreach:
      in: [1, X]
      value: v
      steps: [{uses: probe, with: {say: '{{ $.v }}'}, undo: {uses: probe, with: {say: un}}}]
`, `steps[0].foreach["0"].steps[0]#1 steps[0].foreach["1"].steps[0]#1`},
		{"after what was undone in parallel", `
steps:
  - parallel:
      - {uses: probe, with: {say: a}, undo: {uses: probe, with: {say: un-a}}}
      - {uses: wait, with: {duration: 20ms}}
      - steps: [{uses: wait, with: {duration: 20ms}}, {uses: probe, with: {say: X}}]
`, `steps[0].parallel[0]#1 steps[0].parallel[2].steps[1]#1`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			acts, end := retried(t, c.src)
			if strings.Contains(c.src, "parallel:") { // branches act in any order
				f := strings.Fields(acts)
				slices.Sort(f)
				acts = strings.Join(f, " ")
			}
			if end != "succeeded" || acts != c.acts {
				t.Fatalf("%s: acted\n  %s\nnot\n  %s", end, acts, c.acts)
			}
		})
	}
}

func TestRetryOfSeveralIterationsReplaysTheSame(t *testing.T) {
	t.Parallel()
	b := setup(t, new(memory.Disk), &hands{reply: says})
	id := b.start(t, `
steps:
  - foreach: {in: [1, 2, 3, 4, 5, 6, 7, 8], parallel: 8, value: v, steps: [{uses: wait, with: {duration: 5ms}}, {uses: probe, with: {say: fail}}]}
`)
	if got := b.until(t, id); got != "failed: fail" {
		t.Fatal(got)
	}
	d := b.order(t, engine.Command{Verb: engine.Retry, Run: id})
	b.until(t, d.Run)
	one, err := value.Canonical(b.state(t, d.Run))
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		two, err := value.Canonical(b.state(t, d.Run))
		if err != nil || string(one) != string(two) {
			t.Fatalf("%v\n%s\n%s", err, one, two)
		}
	}
}

func TestRetryAsksAboutWhatIsInDoubt(t *testing.T) {
	t.Parallel()
	b := setup(t, new(memory.Disk), &hands{reply: says})
	id := b.start(t, "steps: [{uses: probe, with: {say: a}}, {uses: probe, with: {say: doubt-once}, onDoubt: fail}]")
	if got := b.until(t, id); got != "failed: doubt-once" {
		t.Fatal(got)
	}
	d := b.order(t, engine.Command{Verb: engine.Retry, Run: id})
	if got := b.until(t, d.Run); got != "in-doubt doubt" {
		t.Fatal(got, b.hands.did())
	}
	b.answer(t, d.Run, "happened")
	if got := b.until(t, d.Run); got != "succeeded" || b.hands.did() != "steps[0]#1 steps[1]#1" {
		t.Fatal(got, b.hands.did())
	}
}

// TestRetryOfADoubtTakesChangedParameters: and those that the playbook does not have change nothing, and answer nothing.
func TestRetryOfADoubtTakesChangedParameters(t *testing.T) {
	t.Parallel()
	f := &fragile{}
	b := setup(t, new(memory.Disk), &hands{reply: f.reply})
	prog := compile(t, b.set, "parameters: [{name: p, type: string}]\nsteps: [{uses: probe, with: {say: 'D-{{ $.params.p }}'}}]")
	id, err := b.Start(t.Context(), engine.Start{Program: prog, By: ada, Params: map[string]any{"p": "one"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := b.until(t, id); got != "in-doubt doubt" || f.take() != "D-one" {
		t.Fatal(got)
	}
	_, err = b.Do(t.Context(), engine.Command{Verb: engine.Retry, Run: id, By: ada, Params: map[string]any{"q": "two"}})
	if !fault.Is(err, fault.Invalid) || len(b.tasks(t, id)) != 1 {
		t.Fatal(err)
	}
	b.order(t, engine.Command{Verb: engine.Retry, Run: id, Params: map[string]any{"p": "two"}, Why: "a typing error"})
	if got := b.until(t, id); got != "succeeded" {
		t.Fatal(got)
	}
	if got := f.take(); got != "D-two" {
		t.Fatal(got)
	}
	if !slices.ContainsFunc(b.entries(t, id), func(p entry.Payload) bool {
		c, ok := p.(*entry.ParamsChanged)
		return ok && c.By.Name == ada.Name && c.Why == "a typing error"
	}) {
		t.Fatal("the change is not recorded")
	}
}
