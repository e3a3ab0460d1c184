package main

import (
	"testing"
	"time"
)

// TestHaltStopsBusyRuns: with two hundred busy runs no effect begins two seconds after everything was halted, by a person or by
// the file on the host, and none after a person was answered; then they go on.
func TestHaltStopsBusyRuns(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("two hundred runs take their time")
	}
	ctx := t.Context()
	b, err := openBusy(ctx, t.TempDir(), haltRuns)
	if err != nil {
		t.Fatal(err)
	}
	for name, ways := range map[string]func() (on, off func() error){"people": func() (on, off func() error) { return b.people(ctx) }, "file": b.byFile} {
		on, off := ways()
		last, late, err := b.halted(on)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		t.Logf("%s: the last effect began %s after; %d after the answer", name, last, late)
		if last > 2*time.Second {
			t.Errorf("%s: an effect began %s after", name, last)
		}
		// What was handed out before the answer may begin a moment after it: no more than what goes on at a time.
		if name == "people" && late > 20 {
			t.Errorf("%d effects began after the answer", late)
		}
		if err := off(); err != nil {
			t.Fatal(err)
		}
		if err := b.moves(haltRuns); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if err := b.close(ctx); err != nil {
		t.Error(err)
	}
}
