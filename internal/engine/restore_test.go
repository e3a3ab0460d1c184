package engine_test

import (
	"testing"
	"time"

	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/store/memory"
)

func restoredBench(t *testing.T, disk *memory.Disk) *bench {
	t.Helper()
	old := disk.Clone()
	old.Restored("restored from a backup of noon")
	return setup(t, old, &hands{reply: says})
}

func TestRestoreDoubtsWhatAChildWouldDo(t *testing.T) {
	t.Parallel()
	disk := new(memory.Disk)
	b := setup(t, disk, &hands{reply: says})
	prog := b.calls(t, "steps: [{uses: manual, with: {title: look}}, {uses: playbook, with: {name: child}}]", "steps: [{uses: probe, with: {say: x}}]")
	id, err := b.Start(t.Context(), engine.Start{Program: prog, By: ada})
	if err != nil {
		t.Fatal(err)
	}
	if got := b.until(t, id); got != "waiting task" {
		t.Fatal(got)
	}
	r := restoredBench(t, disk)
	if _, err := r.Unhalt(t.Context(), ada, "checked"); err != nil {
		t.Fatal(err)
	}
	r.order(t, engine.Command{Verb: engine.Resume, Run: id})
	r.answer(t, id, "done")
	deadline := time.Now().Add(5 * time.Second)
	for r.state(t, id).Node("steps[1]") == nil {
		if time.Now().After(deadline) {
			t.Fatal("the child was not called")
		}
		<-time.After(time.Millisecond)
	}
	if got := r.until(t, r.child(t, id)); got != "in-doubt doubt" || r.hands.did() != "" {
		t.Fatal(got, r.hands.did())
	}
}

func TestRestoreDoubtsWhatAnUndoWouldDo(t *testing.T) {
	t.Parallel()
	disk := new(memory.Disk)
	b := setup(t, disk, &hands{reply: says})
	id := b.start(t, `
steps:
  - {uses: probe, with: {say: a}, undo: {uses: probe, with: {say: un}}}
  - {uses: approve, with: {message: go on?}}
`)
	if got := b.until(t, id); got != "waiting task" {
		t.Fatal(got)
	}
	r := restoredBench(t, disk)
	if _, err := r.Unhalt(t.Context(), ada, "checked"); err != nil {
		t.Fatal(err)
	}
	r.order(t, engine.Command{Verb: engine.Resume, Run: id})
	r.answer(t, id, "reject")
	if got := r.until(t, id); got != "in-doubt doubt" || r.hands.did() != "" {
		t.Fatal(got, r.hands.did())
	}
}

func TestNothingMovesWhileHalted(t *testing.T) {
	t.Parallel()
	disk := new(memory.Disk)
	b := setup(t, disk, &hands{reply: says})
	id := b.start(t, "steps: [{uses: approve, with: {message: go on?}}, {uses: wait, with: {for: deployed, key: k}}]")
	if got := b.until(t, id); got != "waiting task" {
		t.Fatal(got)
	}
	r := restoredBench(t, disk)
	_, err := r.Answer(t.Context(), engine.Answer{Task: r.tasks(t, id)[0].ID, Choice: "approve", By: entry.Who{Name: "bob"}})
	if !fault.Is(err, fault.Refused) {
		t.Fatalf("an approval was taken while halted: %v", err)
	}
}

// TestNothingIsDueWhileHalted: a server that was restored lets no time pass for the runs that it looks at.
func TestNothingIsDueWhileHalted(t *testing.T) {
	t.Parallel()
	const limit = 300 * time.Millisecond
	disk := new(memory.Disk)
	b := setup(t, disk, &hands{reply: says})
	id := b.start(t, "steps: [{uses: approve, with: {message: say swordfish, within: 300ms}}]\nfinally: [{uses: probe, with: {say: x}}]")
	if got := b.until(t, id); got != "waiting task" {
		t.Fatal(got)
	}
	began := time.Now()
	old := disk.Clone()
	old.Restored("restored from a backup of noon")
	<-time.After(time.Until(began.Add(limit)))
	r := setup(t, old, &hands{reply: says}, func(c *engine.Config) { c.All = true })
	if d, err := r.Do(t.Context(), engine.Command{Verb: engine.Redact, Run: id, Text: "swordfish", By: ada}); err != nil || d.Count == 0 {
		t.Fatal(d, err)
	}
	if got := string(r.state(t, id).Status()); got != "waiting" || r.hands.did() != "" {
		t.Error(got, r.hands.did())
	}
}
