package engine_test

import (
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/memory"
)

func TestBlockApprovalIsVoidWhenParametersChange(t *testing.T) {
	t.Parallel()
	b := setup(t, new(memory.Disk), &hands{reply: says})
	prog := compile(t, b.set, `
parameters: [{name: who, type: string, default: web-1}]
steps:
  - approval: {message: 'restart {{ $.params.who }}?'}
    steps: [{uses: probe, with: {say: '{{ $.params.who }}'}}]
`)
	id, err := b.Start(t.Context(), engine.Start{Program: prog, Params: map[string]any{"who": "web-1"}, By: ada})
	if err != nil {
		t.Fatal(err)
	}
	if got := b.until(t, id); got != "waiting task" {
		t.Fatal(got)
	}
	b.order(t, engine.Command{Verb: engine.Pause, Run: id})
	b.answer(t, id, "approve")
	b.order(t, engine.Command{Verb: engine.Params, Run: id, Params: map[string]any{"who": "web-2"}})
	b.order(t, engine.Command{Verb: engine.Unpause, Run: id})
	if got := b.until(t, id); got != "waiting task" {
		t.Fatal(got, b.hands.did())
	}
}

func TestSkipDoesNotApprove(t *testing.T) {
	t.Parallel()
	b := setup(t, new(memory.Disk), &hands{reply: says})
	id := b.start(t, "steps: [{id: ok, uses: approve, with: {message: go on?, count: 2}}, {uses: probe, with: {say: x}}]")
	if got := b.until(t, id); got != "waiting task" {
		t.Fatal(got)
	}
	_, err := b.Do(t.Context(), engine.Command{Verb: engine.Skip, Run: id, Path: "ok", By: ada})
	if !fault.Is(err, fault.Conflict) {
		t.Fatal(err, b.until(t, id), b.hands.did())
	}
}

func TestASkippedWaitLeavesNoWakeRow(t *testing.T) {
	t.Parallel()
	b := setup(t, new(memory.Disk), &hands{reply: says})
	id := b.start(t, "steps: [{id: w, uses: wait, with: {for: deployed, key: k}}, {uses: probe, with: {say: x}}]")
	if got := b.until(t, id); got != "waiting event" {
		t.Fatal(got)
	}
	b.order(t, engine.Command{Verb: engine.Skip, Run: id, Path: "w"})
	if got := b.until(t, id); got != "succeeded" {
		t.Fatal(got)
	}
	p, err := b.Rows(t.Context(), store.Filter{Kind: "wake"})
	if err != nil || len(p.Rows) != 0 {
		t.Fatal(err, p.Rows)
	}
}

func TestBlockTimeoutOverAChildIsCaughtAndUndone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, src, want string }{
		{"caught", `
steps:
  - timeout: 50ms
    steps: [{uses: playbook, with: {name: child}}]
    catch: [{uses: probe, with: {say: caught}}]
`, "succeeded"},
		{"undone", `
steps:
  - {uses: probe, with: {say: a}, undo: {uses: probe, with: {say: un-a}}}
  - timeout: 50ms
    steps: [{uses: playbook, with: {name: child}}]
`, "undo"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := hardy(t, new(memory.Disk), &stubborn{})
			id, err := b.Start(t.Context(), engine.Start{Program: b.calls(t, c.src, "steps: [{uses: wait, with: {duration: 1h}}]"), By: ada})
			if err != nil {
				t.Fatal(err)
			}
			got := b.until(t, id)
			if got != c.want && !strings.Contains(b.hands.did(), c.want) {
				t.Fatalf("%s after %s", got, b.hands.did())
			}
		})
	}
}

func TestARollbackIsMadeOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, new(memory.Disk), &hands{reply: says})
	prog := compile(t, b.set, `
parameters: [{name: token, type: string, sensitive: true}]
steps: [{uses: probe, with: {say: a}, undo: {uses: probe, with: {say: '{{ $.params.token }}'}}}]
`)
	id, err := b.Start(t.Context(), engine.Start{Program: prog, Params: map[string]any{"token": "s3cr3t-t0ken"}, By: ada})
	if err != nil {
		t.Fatal(err)
	}
	if got := b.until(t, id); got != "succeeded" {
		t.Fatal(got)
	}
	first := b.order(t, engine.Command{Verb: engine.Rollback, Run: id})
	if got := b.until(t, first.Run); got != "succeeded" {
		t.Fatal(got)
	}
	if again := b.order(t, engine.Command{Verb: engine.Rollback, Run: id}); again.Run != first.Run {
		t.Fatal(again)
	}
	if got := b.hands.did(); got != "steps[0]#1 steps[0]#1" {
		t.Fatal(got)
	}
	p, err := b.Program(t.Context(), first.Run)
	if err != nil || len(p.Parameters) != 1 || !p.Parameters[0].Sensitive {
		t.Fatalf("the rollback does not know what is sensitive: %v", err)
	}
}

func TestWhatIsInDoubtIsNotUndoneWithoutAPerson(t *testing.T) {
	t.Parallel()
	b := setup(t, new(memory.Disk), &hands{reply: func(a engine.Attempt) entry.StepResult {
		if a.Path == "steps[1]" && a.Number > 1 {
			return entry.StepResult{Outcome: entry.InDoubt, Fault: &entry.Fault{Kind: string(fault.Lost), Message: "gone"}}
		}
		return says(a)
	}})
	id := b.start(t, `
steps:
  - {uses: probe, with: {say: a}, undo: {uses: probe, with: {say: un-a}}}
  - uses: probe
    effect: idempotent
    with: {say: b}
    retry: {attempts: 2}
    verify: {uses: probe, effect: read, with: {say: 1}, until: result.value == 2}
    undo: {uses: probe, with: {say: un-b}}
`)
	if got := b.until(t, id); got != "failed: gone" {
		t.Fatal(got)
	}
	if s := b.state(t, id); s.End.Undone != "partly" || strings.Contains(b.hands.did(), "undo") {
		t.Fatal(s.End.Undone, b.hands.did())
	}
}
