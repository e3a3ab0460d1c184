// Package sinktest is the conformance suite of package sink.
package sinktest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/sink"
)

// Far is the other side of a sink under test.
type Far struct {
	Sink sink.Sink
	// Got gives the texts that have arrived, in order; it waits until there are n of them or too much time has passed.
	Got func(n int) []string
	// Break makes the other side go away, and Mend brings it back at the same place, with what had arrived.
	Break, Mend func()
}

// Lines makes lines of a stream, numbered from one on.
func Lines(from, n int) []sink.Line {
	out := make([]sink.Line, n)
	for i := range out {
		seq := from + i
		out[i] = sink.Line{
			At: time.Date(2026, 11, 28, 3, 0, seq, 123456000, time.UTC), Stream: "audit/server", Seq: uint64(seq), Name: "audited", Warn: seq%2 == 0,
			Text: fmt.Sprintf(`{"seq":%d,"text":"ünïcode <&> %s"}`, seq, strings.Repeat("x", seq%7)),
		}
	}
	return out
}

func texts(lines []sink.Line) []string {
	out := make([]string, len(lines))
	for i := range lines {
		out[i] = lines[i].Text
	}
	return out
}

// Test runs the suite.
func Test(t *testing.T, open func(t *testing.T) Far) {
	t.Helper()
	t.Run("in order", func(t *testing.T) {
		t.Parallel()
		f := open(t)
		all := Lines(1, 100)
		for _, part := range [][]sink.Line{all[:1], all[1:60], nil, all[60:]} {
			if err := f.Sink.Write(t.Context(), part); err != nil {
				t.Fatal(err)
			}
		}
		if got := f.Got(100); !slices.Equal(got, texts(all)) {
			t.Errorf("%d arrived: %q", len(got), got)
		}
	})
	t.Run("back again", func(t *testing.T) {
		t.Parallel()
		f := open(t)
		all := Lines(1, 6)
		if err := f.Sink.Write(t.Context(), all[:3]); err != nil {
			t.Fatal(err)
		}
		f.Got(3)
		f.Break()
		// What cannot be given away is an error, sooner or later; and it is given again.
		for i := 0; f.Sink.Write(t.Context(), all[3:]) == nil; i++ {
			if i > 100 {
				t.Fatal("nothing is there, and everything was taken")
			}
		}
		f.Mend()
		if err := f.Sink.Write(t.Context(), all[3:]); err != nil {
			t.Fatal(err)
		}
		got := f.Got(6)
		for _, want := range texts(all) {
			if !slices.Contains(got, want) {
				t.Errorf("%s is missing in %q", want, got)
			}
		}
		if err := f.Sink.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Run("who is in a hurry", func(t *testing.T) {
		t.Parallel()
		f := open(t)
		f.Break()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := f.Sink.Write(ctx, Lines(1, 1)); err == nil {
			t.Error("it was taken by nobody")
		}
	})
}
