package main

import (
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/tendhq/tend/internal/store/memory"
)

// BenchmarkStep is what a step costs without a disk: 64 runs at a time of five steps, over a store in memory.
func BenchmarkStep(b *testing.B) {
	ctx := b.Context()
	h, err := openOver(ctx, b.TempDir(), memory.New(), false)
	if err != nil {
		b.Fatal(err)
	}
	p, err := h.compile("steps:\n" + strings.Repeat(noopStep, 5))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	var before, after syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &before)
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			for n := i * 5; n < b.N; n += 5 * callers {
				if err := h.once(ctx, p); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.StopTimer()
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
	used := after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()
	b.ReportMetric(float64(used)/float64(b.N), "cpu-ns/op")
	if err := h.engine.Close(ctx); err != nil {
		b.Fatal(err)
	}
}
