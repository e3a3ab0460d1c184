package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/store"
)

// testConcurrent: writers and readers at the same time. Every reader sees whole batches only, and what it saw stays.
func testConcurrent(t *testing.T, b *bench) {
	epoch := b.claim()
	const writers, commits, pair = 8, 40, 2
	var wg sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	for w := range writers {
		wg.Go(func() {
			all := Chain(fmt.Sprintf("run/%d", w), nil, commits*pair, 100)
			for i := 0; i < len(all); i += pair {
				batch := Append(epoch, all[i:i+pair]...)
				batch.Rows = []store.Row{{Key: store.Key{Kind: "run", ID: fmt.Sprint(w)}, At: Time(int64(i)), Body: fmt.Append(nil, i)}}
				if err := b.s.Commit(t.Context(), []store.Batch{batch})[0].Err; err != nil {
					t.Errorf("writer %d, commit %d: %v", w, i, err)
					return
				}
			}
		})
	}
	var readers sync.WaitGroup
	for r := range 4 {
		readers.Go(func() {
			seen := map[string]int{}
			for n := 0; ctx.Err() == nil; n++ {
				stream := fmt.Sprintf("run/%d", (n+r)%writers)
				got, err := b.s.Read(t.Context(), stream, 1, 0)
				if err != nil {
					t.Errorf("read %s: %v", stream, err)
					return
				}
				if len(got)%pair != 0 || len(got) < seen[stream] {
					t.Errorf("%s has %d entries, and had %d", stream, len(got), seen[stream])
					return
				}
				seen[stream] = len(got)
				if _, err := b.s.Rows(t.Context(), store.Filter{Kind: "run"}); err != nil {
					t.Errorf("rows: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
	stop()
	readers.Wait()
	for w := range writers {
		if got := len(b.read(fmt.Sprintf("run/%d", w))); got != commits*pair {
			t.Errorf("run/%d has %d entries", w, got)
		}
	}
}

// testCloseWhileBusy: what was answered before Close is there afterwards, and what comes later is refused.
func testCloseWhileBusy(t *testing.T, b *bench) {
	epoch := b.claim()
	const writers = 6
	acknowledged := make([][]entry.Entry, writers)
	begun := make(chan struct{}, writers)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			all := Chain(fmt.Sprintf("run/%d", w), nil, 4000, 60)
			for i := range all {
				err := b.s.Commit(context.Background(), []store.Batch{Append(epoch, all[i])})[0].Err
				if i == 3 || err != nil {
					begun <- struct{}{}
				}
				if err != nil {
					if !fault.Is(err, fault.Unavailable) || errors.Is(err, store.ErrIndeterminate) {
						t.Errorf("a commit after Close: %v", err)
					}
					return
				}
				acknowledged[w] = all[:i+1]
			}
		})
		wg.Go(func() {
			for {
				if _, err := b.s.Read(context.Background(), fmt.Sprintf("run/%d", w), 1, 0); err != nil {
					if !fault.Is(err, fault.Unavailable) {
						t.Errorf("a read after Close: %v", err)
					}
					return
				}
			}
		})
	}
	for range writers {
		<-begun
	}
	if err := b.s.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	wg.Wait()
	if err := b.s.Close(); err != nil {
		t.Errorf("close again: %v", err)
	}
	if _, err := b.s.Identity(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("identity after Close: %v", err)
	}
	b.s = must(t, b.open)
	for w := range writers {
		same(t, fmt.Sprintf("run/%d", w), len(b.read(fmt.Sprintf("run/%d", w))), len(acknowledged[w]))
	}
}
