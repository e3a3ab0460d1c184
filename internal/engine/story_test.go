package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/memory"
	"github.com/tendhq/tend/internal/value"
)

// says ends attempts as the step's input says: fail, fail-once, doubt, doubt-once, or success with the input as value.
func says(a engine.Attempt) entry.StepResult {
	with, _ := a.Intent.Inputs["with"].(map[string]any)
	say, _ := with["say"].(string)
	bad := func(o entry.Outcome, k fault.Kind) entry.StepResult {
		return entry.StepResult{Outcome: o, Fault: &entry.Fault{Kind: string(k), Message: say}}
	}
	switch {
	case say == "fail", say == "fail-once" && a.Number == 1:
		return bad(entry.Failed, fault.Exit)
	case say == "doubt", say == "doubt-once" && a.Number == 1:
		return bad(entry.InDoubt, fault.Timeout)
	case say == "never":
		return bad(entry.NotStarted, fault.Unreachable)
	}
	return entry.StepResult{Outcome: entry.Succeeded, Output: value.Object{"value": with["say"]}}
}

// TestStories: a playbook, what acted in which order, and how the run stood at the end.
func TestStories(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, src, acts, end string }{
		{"retry", `
steps:
  - {uses: probe, effect: mutate, with: {say: fail-once}, retry: {attempts: 3}}
`, "steps[0]#1 steps[0]#2", "succeeded"},
		{"retry only on its kinds", `
steps:
  - {uses: probe, with: {say: fail-once}, retry: {attempts: 3, on: [timeout]}}
`, "steps[0]#1", "failed: fail-once"},
		{"retry never acts on doubt", `
steps:
  - {uses: probe, effect: mutate, with: {say: doubt-once}, retry: {attempts: 3}}
`, "steps[0]#1", "in-doubt doubt"},
		{"what is harmless is repeated", `
steps:
  - {uses: probe, effect: idempotent, with: {say: doubt-once}}
`, "steps[0]#1 steps[0]#2", "succeeded"},
		{"undo newest first, then catch, then finally", `
steps:
  - {id: a, uses: probe, with: {say: a}, undo: {uses: probe, with: {say: 'un-{{ $.steps.a.value }}'}}}
  - {id: b, uses: probe, with: {say: b}, undo: {uses: probe, with: {say: un-b}}}
  - {id: c, uses: probe, with: {say: c}, undo: {none: nothing to restore}}
  - {uses: probe, with: {say: fail}}
catch: [{uses: probe, effect: read, with: {say: '{{ $.error.kind }}'}}]
finally: [{uses: probe, effect: read, with: {say: bye}}]
`, "steps[0]#1 steps[1]#1 steps[2]#1 steps[3]#1 steps[1].undo#1 steps[0].undo#1 catch[0]#1 finally[0]#1", "failed: fail"},
		{"a failed undo stops the undoing", `
steps:
  - {uses: probe, with: {say: a}, undo: {uses: probe, with: {say: un-a}}}
  - {uses: probe, with: {say: b}, undo: {uses: probe, with: {say: fail}}}
  - {uses: probe, with: {say: fail}}
`, "steps[0]#1 steps[1]#1 steps[2]#1 steps[1].undo#1", "failed: fail"},
		{"a failed verification fails and undoes the step", `
steps:
  - uses: probe
    with: {say: a}
    verify: {uses: probe, with: {say: 1}, until: result.value == 2}
    undo: {uses: probe, with: {say: un}}
`, "steps[0]#1 steps[0].verify#1 steps[0].undo#1", "failed: the effect did not show: not so: result.value == 2 (result.value is 1)"},
		{"a verification that holds", `
steps:
  - uses: probe
    with: {say: a}
    verify: {uses: probe, with: {say: 2}, until: result.value == 2}
`, "steps[0]#1 steps[0].verify#1", "succeeded"},
		{"a block's catch handles and the run goes on", `
steps:
  - steps: [{uses: probe, with: {say: a}, undo: {uses: probe, with: {say: un}}}, {uses: probe, with: {say: fail}}, {uses: probe, with: {say: x}}]
    catch: [{uses: probe, with: {say: '{{ $.error.step }}'}}]
    finally: [{uses: probe, with: {say: f}}]
  - {uses: probe, with: {say: on}}
`, "steps[0].steps[0]#1 steps[0].steps[1]#1 steps[0].catch[0]#1 steps[0].finally[0]#1 steps[1]#1", "succeeded"},
		{"ignoreFailure", `
steps:
  - {uses: probe, with: {say: fail}, ignoreFailure: true}
  - {uses: probe, with: {say: on}}
`, "steps[0]#1 steps[1]#1", "succeeded"},
		{"a loop over a list with break", `
steps:
  - foreach: {in: [1, 2, 3, 4], key: k, value: v, break: v == 3, steps: [{uses: probe, with: {say: '{{ $.v }}'}}]}
`, `steps[0].foreach["0"].steps[0]#1 steps[0].foreach["1"].steps[0]#1 steps[0].foreach["2"].steps[0]#1`, "succeeded"},
		{"a loop over a map in the order of its keys, with a condition inside", `
steps:
  - foreach: {in: {b: 2, a: 1, c: 3}, key: k, value: v, when: v != 2, steps: [{uses: probe, with: {say: '{{ $.k }}'}}]}
`, `steps[0].foreach["a"].steps[0]#1 steps[0].foreach["c"].steps[0]#1`, "succeeded"},
		{"a range", `
steps:
  - foreach: {range: [2, 4], value: v, steps: [{uses: probe, with: {say: '{{ $.v }}'}}]}
`, `steps[0].foreach["2"].steps[0]#1 steps[0].foreach["3"].steps[0]#1`, "succeeded"},
		{"no data does not assert", `
steps:
  - {id: a, uses: probe, with: {say: null}}
  - {uses: assert, with: {that: steps.a.value > 0, message: no data}}
`, "steps[0]#1", "failed: no data"},
		{"fail", `
steps:
  - {uses: fail, with: {message: 'so it is {{ $.run.name }}'}}
`, "", "failed: so it is test"},
		{"an approval waits", `
steps:
  - {uses: probe, with: {say: a}, approval: {message: really?}}
`, "", "waiting task"},
		{"lock", `
steps:
  - lock: {key: db, steps: [{uses: probe, with: {say: a}}]}
`, "steps[0].steps[0]#1", "succeeded"},
		{"stopWhen stops what comes next", `
steps:
  - stopWhen: has(steps.a)
    steps: [{id: a, uses: probe, with: {say: a}}, {uses: probe, with: {say: b}}]
`, "steps[0].steps[0]#1", "failed: its stopWhen holds: has(steps.a)"},
		{"an unreadable stopWhen stops", `
steps:
  - stopWhen: event.nothing > 1
    steps: [{id: a, uses: probe, with: {say: a}}]
`, "", ""},
		{"a wait that is over at once", `
steps:
  - {uses: wait, with: {duration: 1ms}}
  - {uses: probe, with: {say: a}}
`, "steps[1]#1", "succeeded"},
		{"onDoubt fail", `
steps:
  - {uses: probe, with: {say: doubt}, onDoubt: fail}
`, "steps[0]#1", "failed: doubt"},
		{"a probe that finds the effect", `
steps:
  - {uses: probe, with: {say: doubt}, onDoubt: {probe: {uses: probe, effect: read, with: {say: 1}, until: result.value == 1}}}
`, "steps[0]#1 steps[0].probe#1", "succeeded"},
		{"a probe that finds none lets it be done again", `
steps:
  - {uses: probe, with: {say: doubt-once}, onDoubt: {probe: {uses: probe, effect: read, with: {say: 0}, until: result.value == 1}}}
`, "steps[0]#1 steps[0].probe#1 steps[0]#2", "succeeded"},
		{"a probe that fails asks a person", `
steps:
  - {uses: probe, with: {say: doubt}, onDoubt: {probe: {uses: probe, effect: read, with: {say: fail}, until: result.value == 1}}}
`, "steps[0]#1 steps[0].probe#1", "in-doubt doubt"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, new(memory.Disk), &hands{reply: says})
			id := b.start(t, c.src)
			end := b.until(t, id)
			if c.end != "" && end != c.end {
				t.Errorf("ended %q, not %q", end, c.end)
			}
			if got := b.hands.did(); c.end != "" && got != c.acts {
				t.Errorf("acted\n  %s\nnot\n  %s", got, c.acts)
			}
			if c.end == "" && (!strings.HasPrefix(end, "failed") || b.hands.did() != "") {
				t.Errorf("ended %q after %q", end, b.hands.did())
			}
		})
	}
}

func TestParallelBranchesFinishTheirStep(t *testing.T) {
	t.Parallel()
	b := setup(t, new(memory.Disk), &hands{reply: says})
	id := b.start(t, `
steps:
  - parallel:
      - {uses: probe, with: {say: fail}}
      - steps: [{id: x, uses: probe, with: {say: x}}]
`)
	if got := b.until(t, id); got != "failed: fail" {
		t.Fatal(got)
	}
}

func TestApprovalBindsToWhatWasShown(t *testing.T) {
	t.Parallel()
	b := setup(t, new(memory.Disk), &hands{reply: says})
	id := b.start(t, `
parameters: [{name: who, type: string, default: web-1}]
steps:
  - {uses: probe, with: {say: '{{ $.params.who }}'}, approval: {message: really?, notRequester: true}}
`)
	_ = id
	prog := compile(t, b.set, `
parameters: [{name: who, type: string, default: web-1}]
steps:
  - {uses: probe, with: {say: '{{ $.params.who }}'}, approval: {message: really?, notRequester: true}}
`)
	id, err := b.Start(t.Context(), engine.Start{Program: prog, Params: map[string]any{"who": "web-1"}, By: entry.Who{Name: "ada"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := b.until(t, id); got != "waiting task" {
		t.Fatal(got)
	}
	first := b.tasks(t, id)[0]
	if _, err := b.Answer(t.Context(), engine.Answer{Task: first.ID, Choice: "approve", By: entry.Who{Name: "ada"}}); !fault.Is(err, fault.Refused) {
		t.Fatalf("the requester approved: %v", err)
	}
	if _, err := b.Do(t.Context(), engine.Command{Verb: engine.Params, Run: id, Params: map[string]any{"who": "web-2"}, By: entry.Who{Name: "ada"}}); err != nil {
		t.Fatal(err)
	}
	if got := b.until(t, id); got != "waiting task" {
		t.Fatal(got)
	}
	if _, err := b.Answer(t.Context(), engine.Answer{Task: first.ID, Choice: "approve", By: entry.Who{Name: "bob"}}); !fault.Is(err, fault.Conflict) {
		t.Fatalf("a void approval was taken: %v", err)
	}
	second := b.tasks(t, id)[0]
	if _, err := b.Answer(t.Context(), engine.Answer{Task: second.ID, Choice: "approve", By: entry.Who{Name: "bob"}}); err != nil {
		t.Fatal(err)
	}
	if got := b.until(t, id); got != "succeeded" {
		t.Fatal(got)
	}
	if s := b.hands.did(); s != "steps[0]#1" {
		t.Fatal(s)
	}
}

func TestDoubtIsAnsweredByAPerson(t *testing.T) {
	t.Parallel()
	for choice, want := range map[string]struct{ end, acts string }{
		"happened":     {"succeeded", "steps[0]#1 steps[1]#1"},
		"not-happened": {"succeeded", "steps[0]#1 steps[0]#2 steps[1]#1"},
		"again":        {"succeeded", "steps[0]#1 steps[0]#2 steps[1]#1"},
		"skip":         {"succeeded", "steps[0]#1 steps[1]#1"},
		"fail":         {"failed: doubt-once", "steps[0]#1"},
	} {
		t.Run(choice, func(t *testing.T) {
			t.Parallel()
			b := setup(t, new(memory.Disk), &hands{reply: says})
			id := b.start(t, "steps: [{uses: probe, with: {say: doubt-once}}, {uses: probe, with: {say: x}}]")
			if got := b.until(t, id); got != "in-doubt doubt" {
				t.Fatal(got)
			}
			key := b.state(t, id).Node("steps[0]").Intent.Key
			task := b.tasks(t, id)[0].ID
			if _, err := b.Answer(t.Context(), engine.Answer{Task: task, Choice: choice, By: entry.Who{Name: "bob"}, Why: "looked"}); err != nil {
				t.Fatal(err)
			}
			if got := b.until(t, id); got != want.end {
				t.Fatal(got)
			}
			if got := b.hands.did(); got != want.acts {
				t.Fatal(got)
			}
			keys := map[string]bool{}
			for _, e := range b.entries(t, id) {
				if i, ok := e.(*entry.StepIntent); ok && i.Path == "steps[0]" {
					keys[i.Key] = true
				}
			}
			if again := len(keys) == 2; again != (choice == "again") || !keys[key] {
				t.Fatalf("keys %v", keys)
			}
		})
	}
}

func (b *bench) entries(t *testing.T, id string) []entry.Payload {
	t.Helper()
	es, err := b.Entries(t.Context(), "run/"+id, 1, 100000)
	if err != nil {
		t.Fatal(err)
	}
	var out []entry.Payload
	for _, e := range es {
		p, err := entry.Decode(e)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

func TestCooldownHoldsOtherRuns(t *testing.T) {
	t.Parallel()
	b := setup(t, new(memory.Disk), &hands{reply: says})
	prog := compile(t, b.set, "steps: [{uses: probe, with: {say: db-1}}, {uses: probe, with: {say: db-1}}]")
	guards := []guard.Spec{{Name: "calm", Cooldown: &guard.Cooldown{Every: value.Duration(time.Hour)}}}
	begin := func() string {
		id, err := b.Start(t.Context(), engine.Start{Program: prog, Guards: guards, By: entry.Who{Name: "ada"}})
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	if got := b.until(t, begin()); got != "succeeded" {
		t.Fatal(got)
	}
	second := begin()
	if got := b.until(t, second); got != "waiting guard" {
		t.Fatal(got)
	}
	guards[0].Then = "deny"
	if got := b.until(t, begin()); !strings.HasPrefix(got, "failed: guard calm leaves thing:db-1 alone until") {
		t.Fatal(got)
	}
	if _, err := b.Do(t.Context(), engine.Command{Verb: engine.Cancel, Run: second, By: entry.Who{Name: "ada"}}); err != nil {
		t.Fatal(err)
	}
	if got := b.until(t, second); !strings.HasPrefix(got, "cancelled") {
		t.Fatal(got)
	}
}

func TestDeathLeavesDoubt(t *testing.T) {
	t.Parallel()
	disk := new(memory.Disk)
	acting := make(chan struct{})
	gone := make(chan struct{})
	var once sync.Once
	b := setup(t, disk, &hands{reply: func(engine.Attempt) entry.StepResult {
		once.Do(func() { close(acting) })
		<-gone
		return entry.StepResult{Outcome: entry.Succeeded}
	}})
	id := b.start(t, "steps: [{uses: probe, with: {say: x}}, {uses: probe, with: {say: y}}]")
	<-acting
	after := setup(t, disk.Clone(), &hands{reply: says}) // the first process is dead for this one
	close(gone)
	if s := after.state(t, id); s.Status() != run.Interrupted {
		t.Fatal(s.Status())
	}
	if _, err := after.Do(t.Context(), engine.Command{Verb: engine.Resume, Run: id, By: entry.Who{Name: "ada"}}); err != nil {
		t.Fatal(err)
	}
	if got := after.until(t, id); got != "in-doubt doubt" {
		t.Fatal(got)
	}
	if got := after.hands.did(); got != "" {
		t.Fatalf("repeated without being asked: %s", got)
	}
}

func TestRestoreStartsHaltedAndDoubts(t *testing.T) {
	t.Parallel()
	disk := new(memory.Disk)
	b := setup(t, disk, &hands{reply: says})
	id := b.start(t, `
steps: [{uses: manual, with: {title: look}}, {uses: probe, with: {say: x}}]`)
	if got := b.until(t, id); got != "waiting task" {
		t.Fatal(got)
	}
	old := disk.Clone()
	old.Restored("restored from a backup of noon")
	r := setup(t, old, &hands{reply: says})
	if _, err := r.Start(t.Context(), engine.Start{Program: compile(t, r.set, "steps: [{uses: probe, with: {say: x}}]"), By: entry.Who{Name: "ada"}}); !fault.Is(err, fault.Refused) {
		t.Fatalf("a halted store started a run: %v", err)
	}
	open, err := r.Unhalt(t.Context(), entry.Who{Name: "ada"}, "checked")
	if err != nil || len(open) != 1 {
		t.Fatal(open, err)
	}
	if _, err := r.Do(t.Context(), engine.Command{Verb: engine.Resume, Run: id, By: entry.Who{Name: "ada"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Answer(t.Context(), engine.Answer{Task: r.tasks(t, id)[0].ID, Choice: "done", By: entry.Who{Name: "ada"}}); err != nil {
		t.Fatal(err)
	}
	if got := r.until(t, id); got != "in-doubt doubt" || r.hands.did() != "" {
		t.Fatal(got, r.hands.did())
	}
}

func TestPauseSkipAndStep(t *testing.T) {
	t.Parallel()
	b := setup(t, new(memory.Disk), &hands{reply: says})
	by := entry.Who{Name: "ada"}
	id, err := b.Start(t.Context(), engine.Start{Program: compile(t, b.set, "steps: [{id: a, uses: probe, with: {say: a}}, {id: b, uses: probe, with: {say: b}}, {id: c, uses: probe, with: {say: c}}]"), By: by, Stepping: true})
	if err != nil {
		t.Fatal(err)
	}
	do := func(c engine.Command) {
		t.Helper()
		c.Run, c.By = id, by
		if _, err := b.Do(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if got := b.until(t, id); !strings.HasSuffix(got, "permit") {
		t.Fatal(got)
	}
	do(engine.Command{Verb: engine.Permit})
	if got := b.until(t, id); !strings.HasSuffix(got, "permit") || b.hands.did() != "steps[0]#1" {
		t.Fatal(got, b.hands.did())
	}
	do(engine.Command{Verb: engine.Skip, Path: "b"})
	do(engine.Command{Verb: engine.Pause})
	do(engine.Command{Verb: engine.Permit, All: true})
	if got := b.until(t, id); got != "paused pause" {
		t.Fatal(got)
	}
	do(engine.Command{Verb: engine.Unpause})
	if got := b.until(t, id); got != "succeeded" {
		t.Fatal(got)
	}
	if got := b.hands.did(); got != "steps[0]#1 steps[2]#1" {
		t.Fatal(got)
	}
}

func TestRetryCarriesOnAndRollbackUndoes(t *testing.T) {
	t.Parallel()
	h := &hands{}
	broken := true
	h.reply = func(a engine.Attempt) entry.StepResult {
		if broken && a.Path == "steps[1].steps[1]" {
			return entry.StepResult{Outcome: entry.Failed, Fault: &entry.Fault{Kind: "exit", Message: "broken"}}
		}
		return says(a)
	}
	b := setup(t, new(memory.Disk), h)
	by := entry.Who{Name: "ada"}
	id := b.start(t, `
steps:
  - {id: a, uses: probe, with: {say: a}}
  - steps:
      - {id: b, uses: probe, with: {say: b}}
      - {id: c, uses: probe, with: {say: '{{ $.steps.b.value }}'}, undo: {uses: probe, with: {say: 'un-{{ $.steps.c.value }}'}}}
`)
	if got := b.until(t, id); got != "failed: broken" {
		t.Fatal(got)
	}
	broken = false
	d, err := b.Do(t.Context(), engine.Command{Verb: engine.Retry, Run: id, By: by})
	if err != nil {
		t.Fatal(err)
	}
	if got := b.until(t, d.Run); got != "succeeded" {
		t.Fatal(got)
	}
	if got := b.hands.did(); got != "steps[0]#1 steps[1].steps[0]#1 steps[1].steps[1]#1 steps[1].steps[1]#1" {
		t.Fatal(got)
	}
	r, err := b.Do(t.Context(), engine.Command{Verb: engine.Rollback, Run: d.Run, By: by})
	if err != nil {
		t.Fatal(err)
	}
	if got := b.until(t, r.Run); got != "succeeded" {
		t.Fatal(got)
	}
	s := b.state(t, r.Run)
	if s.Created.Cause.Undoes != d.Run {
		t.Fatal(s.Created.Cause)
	}
	for _, p := range b.entries(t, r.Run) {
		if i, ok := p.(*entry.StepIntent); ok && fmt.Sprint(i.Inputs["with"]) != "map[say:un-b]" {
			t.Fatal(i.Inputs)
		}
	}
}

func TestEventWakesARun(t *testing.T) {
	t.Parallel()
	b := setup(t, new(memory.Disk), &hands{reply: says})
	id := b.start(t, `
steps:
  - {id: w, uses: wait, with: {for: deployed, key: shop, within: 1h}}
  - {uses: probe, with: {say: '{{ $.steps.w.payload.version }}'}}
`)
	if got := b.until(t, id); got != "waiting event" {
		t.Fatal(got)
	}
	if runs, err := b.Send(t.Context(), "deployed", "other", nil, entry.Who{Name: "ci"}); err != nil || len(runs) != 0 {
		t.Fatal(runs, err)
	}
	runs, err := b.Send(t.Context(), "deployed", "shop", map[string]any{"version": "v2"}, entry.Who{Name: "ci"})
	if err != nil || len(runs) != 1 {
		t.Fatal(runs, err)
	}
	if got := b.until(t, id); got != "succeeded" {
		t.Fatal(got)
	}
}

// TestReplay: the state that the machine held is what its stream folds to, byte for byte; rows can be rebuilt.
func TestReplay(t *testing.T) {
	t.Parallel()
	b := setup(t, new(memory.Disk), &hands{reply: says})
	id := b.start(t, `
steps:
  - {id: a, uses: probe, with: {say: fail-once}, retry: {attempts: 2, backoff: 1ms}}
  - foreach: {in: [1, 2, 3], value: v, parallel: 2, steps: [{id: x, uses: probe, with: {say: '{{ $.v }}'}}]}
  - {uses: manual, with: {title: look}}
`)
	if got := b.until(t, id); got != "waiting task" {
		t.Fatal(got)
	}
	p, err := b.Rows(t.Context(), store.Filter{Kind: "run", ID: id})
	if err != nil || len(p.Rows) != 1 {
		t.Fatal(err)
	}
	s := b.state(t, id)
	if p.Rows[0].Status != string(s.Status()) {
		t.Fatal(p.Rows[0].Status, s.Status())
	}
	one, err := value.Canonical(s)
	if err != nil {
		t.Fatal(err)
	}
	two, err := value.Canonical(b.state(t, id))
	if err != nil || string(one) != string(two) {
		t.Fatal(errors.Join(err, fmt.Errorf("%s\n%s", one, two)))
	}
}
