package engine_test

import (
	"context"
	"sync/atomic"
	"testing"

	blobmemory "github.com/tendhq/tend/internal/blob/memory"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/memory"
)

// widest remembers the largest batch.
type widest struct {
	store.Store
	most atomic.Int64
}

func (w *widest) Commit(ctx context.Context, batches []store.Batch) []store.Answer {
	for _, b := range batches {
		w.most.Store(max(w.most.Load(), int64(len(b.Entries))))
	}
	return w.Store.Commit(ctx, batches)
}

// TestALoopOverNothingIsCommittedInParts: steps that the engine does by itself need nothing from outside, so that nothing
// but a bound ends a transaction. Without it a long loop is one, and a person who cancels waits for its end.
func TestALoopOverNothingIsCommittedInParts(t *testing.T) {
	t.Parallel()
	w := &widest{Store: memory.Open(new(memory.Disk))}
	ev := expr.New(expr.Limits{})
	b := &bench{set: catalog()}
	e, err := engine.Open(t.Context(), engine.Config{
		Store: w, Blobs: blobmemory.New(), Hands: new(hands), Bind: ev, Holder: "test", Env: run.Env{Eval: ev, Spec: b.set.Spec},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	b.Engine = e
	long := b.start(t, "steps: [{foreach: {range: [0, 2000], value: i, steps: [{uses: assert, with: {that: i >= 0}}]}}]")
	if got := b.until(t, long); got != "succeeded" {
		t.Fatal(got)
	}
	if n := w.most.Load(); n > 300 {
		t.Errorf("a batch has %d entries", n)
	}

	endless := b.start(t, "steps: [{foreach: {range: [0, 100000], value: i, steps: [{uses: assert, with: {that: i >= 0}}]}}]")
	if _, err := e.Do(t.Context(), engine.Command{Run: endless, Verb: engine.Cancel, By: entry.Who{Name: "bob"}}); err != nil {
		t.Fatal(err)
	}
	if got := b.until(t, endless); got != "cancelled: cancelled by bob" {
		t.Fatal(got)
	}
}
