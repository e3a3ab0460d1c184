package engine_test

import (
	"context"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/blob"
	blobmemory "github.com/tendhq/tend/internal/blob/memory"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store/memory"
	"github.com/tendhq/tend/internal/value"
)

// counting counts how often blobs are read.
type counting struct {
	blob.Store
	reads atomic.Int64
}

func (c *counting) Get(ctx context.Context, group string, ref entry.Ref) (io.ReadCloser, error) {
	c.reads.Add(1)
	return c.Store.Get(ctx, group, ref)
}

func TestALongListIsReadOnce(t *testing.T) {
	t.Parallel()
	blobs := &counting{Store: blobmemory.New()}
	h := &hands{reply: func(a engine.Attempt) entry.StepResult {
		if a.Path != "steps[0]" {
			return entry.StepResult{Outcome: entry.Succeeded}
		}
		long := make([]any, 6000)
		for i := range long {
			long[i] = "a name of some length"
		}
		return entry.StepResult{Outcome: entry.Succeeded, Output: value.Object{"value": long}}
	}}
	b := &bench{hands: h, set: catalog()}
	ev := expr.New(expr.Limits{})
	e, err := engine.Open(t.Context(), engine.Config{
		Store: memory.Open(new(memory.Disk)), Blobs: blobs, Hands: h, Bind: ev, Holder: "test", Env: run.Env{Eval: ev, Spec: b.set.Spec},
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
	id := b.start(t, `
steps:
  - {id: names, uses: probe, effect: read, with: {say: 1}}
  - foreach: {in: '{{ $.steps.names.value }}', key: k, value: v, break: k == 100, steps: [{uses: probe, effect: read, with: {say: '{{ $.v }}'}}]}
`)
	if got := b.until(t, id); got != "succeeded" {
		t.Fatal(got)
	}
	if n := blobs.reads.Load(); n == 0 || n > 2 {
		t.Fatalf("blobs were read %d times", n)
	}
}
