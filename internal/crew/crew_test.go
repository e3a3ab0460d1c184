package crew_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/tendhq/tend/internal/crew"
)

// TestAllRunAtATime: what is given is begun at once, however many there are, and all of them go home.
func TestAllRunAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		over := make(chan struct{})
		c := crew.New(over)
		for range 3 {
			var began atomic.Int64
			var all sync.WaitGroup
			gate := make(chan struct{})
			for range 500 {
				all.Add(1)
				c.Do(func() {
					defer all.Done()
					began.Add(1)
					<-gate
				})
			}
			synctest.Wait()
			if n := began.Load(); n != 500 {
				t.Errorf("%d of 500 began", n)
			}
			close(gate)
			all.Wait()
			synctest.Wait()
		}
		close(over) // synctest fails when one of them stays
	})
}

func BenchmarkDo(b *testing.B) {
	over := make(chan struct{})
	defer close(over)
	c := crew.New(over)
	done := make(chan struct{})
	f := func() { done <- struct{}{} }
	b.ReportAllocs()
	for b.Loop() {
		c.Do(f)
		<-done
	}
}
