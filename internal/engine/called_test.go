package engine_test

import (
	"testing"

	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/store/memory"
)

// TestRetryDoesNotRepeatWhatACalledPlaybookDid: the called playbook would begin anew.
func TestRetryDoesNotRepeatWhatACalledPlaybookDid(t *testing.T) {
	t.Parallel()
	b := setup(t, new(memory.Disk), &hands{reply: says})
	id := b.family(t, "steps: [{uses: probe, with: {say: a}}, {uses: probe, effect: read, with: {say: fail}}]")
	if got := b.until(t, id); got != "failed: fail" {
		t.Fatal(got)
	}
	before := b.hands.did()
	if _, err := b.Do(t.Context(), engine.Command{Verb: engine.Retry, Run: id, By: ada}); !fault.Is(err, fault.Conflict) {
		t.Fatal(err)
	}
	if got := b.hands.did(); got != before {
		t.Fatal(got)
	}
	harmless := b.family(t, "steps: [{uses: probe, effect: read, with: {say: fail}}]")
	if got := b.until(t, harmless); got != "failed: fail" {
		t.Fatal(got)
	}
	if _, err := b.Do(t.Context(), engine.Command{Verb: engine.Retry, Run: harmless, By: ada}); err != nil {
		t.Fatal(err)
	}
}
