package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	blobmemory "github.com/tendhq/tend/internal/blob/memory"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store/memory"
)

// stubborn acts as says does, but an attempt that says "long" acts until it is ended, and is in doubt then.
type stubborn struct {
	hands
}

func (h *stubborn) Act(ctx context.Context, a engine.Attempt) entry.StepResult {
	with, _ := a.Intent.Inputs["with"].(map[string]any)
	if with["say"] != "long" {
		return h.hands.Act(ctx, a)
	}
	h.mu.Lock()
	h.acts = append(h.acts, fmt.Sprintf("%s#%d", a.Path, a.Number))
	h.mu.Unlock()
	<-ctx.Done()
	return entry.StepResult{Outcome: entry.InDoubt, Fault: &entry.Fault{
		Kind: string(fault.KindOf(context.Cause(ctx))), Message: context.Cause(ctx).Error(),
	}}
}

func hardy(t *testing.T, disk *memory.Disk, h *stubborn) *bench {
	t.Helper()
	h.reply = says
	return handed(t, disk, h, &h.hands)
}

// handed opens an engine with hands of its own.
func handed(t *testing.T, disk *memory.Disk, h engine.Hands, did *hands) *bench {
	t.Helper()
	b := &bench{disk: disk, hands: did, set: catalog()}
	ev := expr.New(expr.Limits{})
	e, err := engine.Open(t.Context(), engine.Config{
		Store: memory.Open(disk), Blobs: blobmemory.New(), Hands: h, Bind: ev, Holder: "test", Env: run.Env{Eval: ev, Spec: b.set.Spec},
	})
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

func (b *bench) answer(t *testing.T, id, choice string) {
	t.Helper()
	ts := b.tasks(t, id)
	if len(ts) != 1 {
		t.Fatalf("%d tasks are open", len(ts))
	}
	if _, err := b.Answer(t.Context(), engine.Answer{Task: ts[0].ID, Choice: choice, By: entry.Who{Name: "bob"}}); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) order(t *testing.T, c engine.Command) engine.Done {
	t.Helper()
	c.By = ada
	d, err := b.Do(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestTimeGoesOnWhileSomethingActs(t *testing.T) {
	t.Parallel()
	b := hardy(t, new(memory.Disk), &stubborn{})
	id := b.start(t, `
steps:
  - parallel:
      - {uses: probe, with: {say: long}}
      - steps: [{uses: wait, with: {duration: 10ms}}, {uses: probe, with: {say: x}}, {uses: manual, with: {title: look}}]
`)
	deadline := time.Now().Add(5 * time.Second)
	for len(b.tasks(t, id)) == 0 {
		if time.Now().After(deadline) {
			t.Fatalf("only %s", b.hands.did())
		}
		<-time.After(time.Millisecond)
	}
	if got := b.hands.did(); got != "steps[0].parallel[0]#1 steps[0].parallel[1].steps[1]#1" {
		t.Fatal(got)
	}
	b.order(t, engine.Command{Verb: engine.Cancel, Run: id})
	if got := b.until(t, id); !strings.HasPrefix(got, "cancelled") {
		t.Fatal(got)
	}
}

func TestBlockTimeoutAsksAboutWhatActed(t *testing.T) {
	t.Parallel()
	b := hardy(t, new(memory.Disk), &stubborn{})
	id := b.start(t, `
steps:
  - timeout: 50ms
    steps: [{uses: probe, with: {say: long}}, {uses: probe, with: {say: x}}]
    catch: [{uses: probe, with: {say: caught}}]
`)
	if got := b.until(t, id); got != "in-doubt doubt" {
		t.Fatal(got)
	}
	b.answer(t, id, "happened")
	if got := b.until(t, id); got != "succeeded" || b.hands.did() != "steps[0].steps[0]#1 steps[0].catch[0]#1" {
		t.Fatal(got, b.hands.did())
	}
}
