package engine_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/verb"
	"github.com/tendhq/tend/internal/compiler"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/program"

	blobmemory "github.com/tendhq/tend/internal/blob/memory"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/seal"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/memory"
)

// probe is an action whose ends the tests choose.
type probe struct{}

func (probe) Spec() action.Spec {
	return action.Spec{
		Name: "probe", Summary: "Does what the test says.", Effect: contract.Mutate,
		Inputs:  []contract.Field{{Name: "say", Type: contract.Any}},
		Outputs: []contract.Field{{Name: "value", Type: contract.Any}},
		Targets: []string{"thing:{{ .say }}"},
	}
}

func (probe) Run(context.Context, action.Request, action.Log) action.Result { return action.OK(nil) }

// hands is the outside world of a test: it counts effects and ends attempts as told.
type hands struct {
	mu    sync.Mutex
	acts  []string // "path#attempt"
	reply func(a engine.Attempt) entry.StepResult
}

func (h *hands) Act(ctx context.Context, a engine.Attempt) entry.StepResult {
	h.mu.Lock()
	h.acts = append(h.acts, fmt.Sprintf("%s#%d", a.Path, a.Number))
	f := h.reply
	h.mu.Unlock()
	if f != nil {
		return f(a)
	}
	with, _ := a.Intent.Inputs["with"].(map[string]any)
	return entry.StepResult{Outcome: entry.Succeeded, Output: map[string]any{"value": with["say"]}}
}

func (h *hands) did() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.acts, " ")
}

type bench struct {
	*engine.Engine
	disk  *memory.Disk
	hands *hands
	set   *action.Set
	blobs *blobmemory.Store
}

// key is that of every engine here.
func key() seal.Key {
	k, err := seal.New(strings.NewReader(strings.Repeat("k", seal.Size)))
	if err != nil {
		panic(err)
	}
	return k
}

func setup(t *testing.T, disk *memory.Disk, h *hands, change ...func(*engine.Config)) *bench {
	t.Helper()
	b := &bench{disk: disk, hands: h, set: catalog(), blobs: blobmemory.New()}
	ev := expr.New(expr.Limits{})
	c := engine.Config{
		Store: memory.Open(disk), Blobs: b.blobs, Hands: h, Bind: ev, Holder: "test",
		Env: run.Env{Eval: ev, Spec: b.set.Spec}, Key: key(),
	}
	for _, f := range change {
		f(&c)
	}
	e, err := engine.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	b.Engine = e
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := e.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return b
}

func catalog() *action.Set {
	set, err := action.NewSet([]action.Action{probe{}}, verb.All())
	if err != nil {
		panic(err)
	}
	return set
}

func compile(t testing.TB, set *action.Set, src string) *program.Program {
	t.Helper()
	if !strings.Contains(src, "apiVersion") {
		src = "apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: test}\n" + src
	}
	docs, fs := playbook.Parse("test.yaml", []byte(src))
	for _, f := range fs {
		t.Log(f)
	}
	if len(docs) == 0 {
		t.Fatal("no document")
	}
	p, fs := compiler.Compile(docs[0], set, nil)
	for _, f := range fs {
		if f.Severity == document.Error {
			t.Fatal(f)
		}
	}
	return p
}

func (b *bench) start(t *testing.T, src string) string {
	t.Helper()
	id, err := b.Start(t.Context(), engine.Start{Program: compile(t, b.set, src), By: entry.Who{Name: "ada"}})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// until follows a run until it has ended or waits for the outside, and gives its status.
func (b *bench) until(t *testing.T, id string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	ch, err := b.Follow(ctx, id, 1)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for u := range ch {
		switch {
		case u.Entry != nil:
			kinds = append(kinds, string(u.Entry.Kind))
			if u.Entry.Kind == entry.KindRunEnded {
				p, err := entry.Decode(*u.Entry)
				if err != nil {
					t.Fatal(err)
				}
				e := p.(*entry.RunEnded)
				if e.Fault != nil {
					return e.Status + ": " + e.Fault.Message
				}
				return e.Status
			}
		case u.Idle != nil:
			for _, w := range u.Idle.Waits {
				if w.For == "task" || w.For == "doubt" || w.For == "event" || w.For == "permit" || w.For == "pause" || w.For == "guard" || w.For == "runner" {
					return u.Idle.Status + " " + w.For
				}
			}
		}
	}
	t.Fatalf("the run did not get anywhere: %s", strings.Join(kinds, " "))
	return ""
}

func (b *bench) state(t *testing.T, id string) *run.State {
	t.Helper()
	prog, err := b.Program(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	s := run.New(id, prog)
	entries, err := b.Entries(t.Context(), "run/"+id, 1, 100000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if err := s.Fold(e); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (b *bench) tasks(t *testing.T, id string) []store.Row {
	t.Helper()
	p, err := b.Rows(t.Context(), store.Filter{Kind: "task", Parent: id, Status: []string{"open"}})
	if err != nil {
		t.Fatal(err)
	}
	return p.Rows
}

func TestSerialSteps(t *testing.T) {
	t.Parallel()
	b := setup(t, new(memory.Disk), &hands{})
	id := b.start(t, `
steps:
  - {id: a, uses: probe, with: {say: 1}}
  - {id: b, uses: probe, when: steps.a.value == 1, with: {say: '{{ $.steps.a.value }}'}}
  - {id: c, uses: probe, when: steps.a.value == 2, with: {say: never}}
outputs: {b: '{{ $.steps.b.value }}'}
`)
	if got := b.until(t, id); got != "succeeded" {
		t.Fatal(got)
	}
	if got := b.hands.did(); got != "steps[0]#1 steps[1]#1" {
		t.Fatal(got)
	}
	if got := b.state(t, id).End.Outputs["b"]; got != int64(1) {
		t.Fatalf("output %v (%T)", got, got)
	}
}
