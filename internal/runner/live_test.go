package runner_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/runner"
)

func TestFollowersSeeWhatStepsPrint(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		half, rest := make(chan struct{}), make(chan struct{})
		b := setup(t, test{run: func(_ context.Context, _ action.Request, log action.Log) action.Result {
			log("stdout", []byte("one\ntw"))
			close(half)
			<-rest
			log("stdout", []byte("o\nthree"))
			return action.OK(nil)
		}})
		early := b.live.Follow("run_1")
		defer early.Close()
		other := b.live.Follow("run_2")
		defer other.Close()
		done := make(chan struct{})
		go func() {
			b.Run(t.Context(), attempt(nil))
			close(done)
		}()
		<-half
		<-early.Ready()
		if d := cmp.Diff([]string{"steps[0]/1 stdout one"}, texts(early.Take())); d != "" {
			t.Error(d)
		}
		late := b.live.Follow("run_1")
		defer late.Close()
		if d := cmp.Diff([]string{"steps[0]/1 stdout one"}, texts(late.Take())); d != "" {
			t.Error("who comes late sees what was so far", d)
		}
		close(rest)
		<-done
		for _, f := range []*runner.Follower{early, late} {
			if d := cmp.Diff([]string{"steps[0]/1 stdout two", "steps[0]/1 stdout three"}, texts(f.Take())); d != "" {
				t.Error(d)
			}
		}
		after := b.live.Follow("run_1")
		defer after.Close()
		if got := append(after.Take(), other.Take()...); len(got) != 0 {
			t.Errorf("got %v", got)
		}
	})
}

func TestSlowFollowersLoseTheOldest(t *testing.T) {
	t.Parallel()
	const lines = 200_000
	var all strings.Builder
	for i := range lines {
		fmt.Fprintf(&all, "line %d\n", i)
	}
	b := setup(t, prints(all.String(), all.String()))
	f := b.live.Follow("run_1")
	b.Run(t.Context(), attempt(nil))
	got := f.Take()
	if len(got) == 0 || got[0].Dropped+len(got) != 2*lines || got[len(got)-1].Text != fmt.Sprintf("line %d", lines-1) {
		t.Errorf("%d lines, %d dropped", len(got), got[0].Dropped)
	}
	if size := len(got) * 128; size > 1<<20 {
		t.Errorf("%d lines were held", len(got))
	}
	f.Close()
	f.Close() // twice is once
	b.Run(t.Context(), attempt(nil))
	if got := f.Take(); len(got) != 0 {
		t.Errorf("a closed follower got %d lines", len(got))
	}
}

func TestNobodyNeedsToFollow(t *testing.T) {
	t.Parallel()
	var l *runner.Live
	f := l.Follow("run_1")
	f.Close()
	if got := f.Take(); got != nil {
		t.Errorf("got %v", got)
	}
}

func texts(lines []runner.Line) []string {
	var out []string
	for _, l := range lines {
		out = append(out, fmt.Sprintf("%s/%d %s %s", l.Path, l.Attempt, l.Stream, l.Text))
	}
	return out
}
