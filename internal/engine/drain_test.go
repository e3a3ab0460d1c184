package engine_test

import (
	"context"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store/memory"
)

// TestDrainLetsActingStepsEnd: what acts ends by itself, nothing after it begins, and the run goes on later from there.
func TestDrainLetsActingStepsEnd(t *testing.T) {
	t.Parallel()
	disk := new(memory.Disk)
	begun, end := make(chan struct{}), make(chan struct{})
	h := &hands{reply: func(a engine.Attempt) entry.StepResult {
		if a.Path == "steps[0]" {
			close(begun)
			<-end
		}
		return says(a)
	}}
	b := setup(t, disk, h)
	id, err := b.Start(t.Context(), engine.Start{Program: compile(t, b.set, "steps: [{uses: probe, with: {say: a}}, {uses: probe, with: {say: b}}]")})
	if err != nil {
		t.Fatal(err)
	}
	<-begun
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		b.Drain(t.Context())
	}()
	// A drain is not over while something acts.
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	b.Drain(ctx)
	select {
	case <-drained:
		t.Error("the drain did not wait")
	default:
	}
	close(end)
	<-drained
	b.becomes(t, id, run.Interrupted)
	if got := h.did(); got != "steps[0]#1" {
		t.Errorf("did %s", got)
	}
	b.do(t, engine.Resume, id)
	if got := b.until(t, id); got != "succeeded" {
		t.Error(got)
	}
	if got := h.did(); got != "steps[0]#1 steps[1]#1" {
		t.Errorf("did %s", got)
	}
}
