package engine_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/compiler"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store/memory"
)

// calls compiles a playbook that may call another one, child.
func (b *bench) calls(t *testing.T, src, child string) *program.Program {
	t.Helper()
	docs, fs := playbook.Parse("parent.yaml", []byte("apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: parent}\n"+src))
	if len(docs) == 0 {
		t.Fatal(fs)
	}
	p, fs := compiler.Compile(docs[0], b.set, shelf{"child": "apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: child}\n" + child})
	for _, f := range fs {
		if f.Severity == document.Error {
			t.Fatal(f)
		}
	}
	return p
}

// acting waits until these attempts have begun.
func (b *bench) acting(t *testing.T, paths ...string) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); ; {
		did, all := strings.Fields(b.hands.did()), true
		for _, p := range paths {
			all = all && slices.Contains(did, p)
		}
		if all {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("only %v acted, not %v", did, paths)
		}
		<-time.After(time.Millisecond)
	}
}

func TestCloseInterruptsACallerThatActsItself(t *testing.T) {
	t.Parallel()
	disk := new(memory.Disk)
	b := hardy(t, disk, &stubborn{})
	prog := b.calls(t, `
steps:
  - parallel:
      - {uses: probe, with: {say: long}}
      - {uses: playbook, with: {name: child}}
`, "steps: [{uses: probe, with: {say: long}}]")
	id, err := b.Start(t.Context(), engine.Start{Program: prog, By: ada})
	if err != nil {
		t.Fatal(err)
	}
	b.acting(t, "steps[0].parallel[0]#1", "steps[0]#1")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := b.Close(ctx); err != nil {
		t.Fatal(err)
	}
	after := setup(t, disk.Clone(), &hands{reply: says})
	if s := after.state(t, id); s.Status() != run.Interrupted {
		t.Fatal(s.Status(), s.Quarantine)
	}
}

// polite ends an attempt that says "long" without an effect when it is asked to.
type polite struct {
	stubborn
	end entry.Outcome
}

func (h *polite) Act(ctx context.Context, a engine.Attempt) entry.StepResult {
	r := h.stubborn.Act(ctx, a)
	if r.Outcome == entry.InDoubt && ctx.Err() != nil {
		r.Outcome = h.end
	}
	return r
}

func TestAnEndedProcessFailsNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		step string
		end  entry.Outcome
		want string
		acts string
	}{
		"a read is repeated": {
			"{uses: probe, effect: read, with: {say: long}}", entry.Failed, "succeeded", "steps[1]#2",
		},
		"what did not start is started": {
			"{uses: probe, with: {say: long}}", entry.NotStarted, "succeeded", "steps[1]#2",
		},
		"what is in doubt is asked about": {
			"{uses: probe, with: {say: long}}", entry.InDoubt, "in-doubt doubt", "",
		},
		"onDoubt fail is a failure like others": {
			"{uses: probe, with: {say: long}, onDoubt: fail}", entry.InDoubt, "failed: its process ends", "steps[0].undo#1 catch[0]#1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			disk := new(memory.Disk)
			h := &polite{stubborn{hands: hands{reply: says}}, c.end}
			b := handed(t, disk, h, &h.hands)
			id := b.start(t, "steps: [{uses: probe, with: {say: a}, undo: {uses: probe, with: {say: un-a}}}, "+c.step+"]\ncatch: [{uses: probe, with: {say: caught}}]")
			b.acting(t, "steps[1]#1")
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			if err := b.Close(ctx); err != nil {
				t.Fatal(err)
			}
			after := setup(t, disk.Clone(), &hands{})
			after.do(t, engine.Resume, id)
			if got := after.until(t, id); got != c.want || after.hands.did() != c.acts {
				t.Fatalf("%s after %s", got, after.hands.did())
			}
		})
	}
}
