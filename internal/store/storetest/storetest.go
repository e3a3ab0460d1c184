// Package storetest is the conformance suite of the store port: what every implementation must do, as tests.
//
// Run takes a maker of places. A place is where data lives; its opener opens a store on it, as often as the suite
// wants: after Close, and a second one beside the first, as another process would.
package storetest

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/store"
)

// Open opens a store on one place.
type Open func() (store.Store, error)

// Run runs the suite. place makes a new, empty place for each test.
func Run(t *testing.T, place func(t *testing.T) Open) {
	t.Helper()
	for _, c := range []struct {
		name string
		test func(*testing.T, *bench)
	}{
		{"AppendAndRead", testAppendAndRead},
		{"ReadPages", testReadPages},
		{"EmptyStream", testEmptyStream},
		{"SurvivesReopen", testReopen},
		{"IndexGrows", testIndexGrows},
		{"Conflict", testConflict},
		{"ConflictHurtsNobodyElse", testConflictIsolation},
		{"GroupSeesItself", testGroupSeesItself},
		{"AllOrNothing", testAllOrNothing},
		{"NewStreams", testNewStreams},
		{"Malformed", testMalformed},
		{"StaleEpoch", testStale},
		{"TwoWriters", testTwoWriters},
		{"Halt", testHalt},
		{"Erase", testErase},
		{"EraseNothing", testEraseNothing},
		{"BigBatch", testBigBatch},
		{"OddBytes", testOddBytes},
		{"CopiesWhatItKeeps", testCopies},
		{"RowsFilter", testRowsFilter},
		{"RowsOrderAndPages", testRowsPages},
		{"RowsBySource", testRowsSource},
		{"RowsDue", testRowsDue},
		{"RowsUpsertAndDelete", testRowsUpsert},
		{"RowsCursor", testRowsCursor},
		{"RowsAgainstModel", testRowsModel},
		{"Concurrent", testConcurrent},
		{"CloseWhileBusy", testCloseWhileBusy},
		{"Cancelled", testCancelled},
		{"Verify", testVerify},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			open := place(t)
			c.test(t, &bench{t: t, open: open, s: must(t, open)})
		})
	}
	t.Run("Faults", func(t *testing.T) {
		t.Parallel()
		runFaults(t, place)
	})
}

// bench is what one test works with: a store that is open, and ways to write to it briefly.
type bench struct {
	t    *testing.T
	open Open
	s    store.Store
}

func must(t *testing.T, open Open) store.Store {
	t.Helper()
	s, err := open()
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// reopen closes the store and opens the place again.
func (b *bench) reopen() {
	b.t.Helper()
	if err := b.s.Close(); err != nil {
		b.t.Fatalf("close: %v", err)
	}
	b.s = must(b.t, b.open)
}

// claim takes the shards and gives the epoch.
func (b *bench) claim() uint64 {
	b.t.Helper()
	l, err := b.s.Claim(b.t.Context(), "test")
	if err != nil {
		b.t.Fatalf("claim: %v", err)
	}
	return l.Epoch
}

// commit writes one batch and answers its error.
func (b *bench) commit(batch store.Batch) error {
	return b.s.Commit(b.t.Context(), []store.Batch{batch})[0].Err
}

// want commits and fails the test on an error.
func (b *bench) want(batch store.Batch) {
	b.t.Helper()
	if err := b.commit(batch); err != nil {
		b.t.Fatalf("commit: %v", err)
	}
}

// read gives a whole stream.
func (b *bench) read(stream string) []entry.Entry {
	b.t.Helper()
	return readAll(b.t, b.s, stream)
}

func readAll(t *testing.T, s store.Store, stream string) []entry.Entry {
	t.Helper()
	var all []entry.Entry
	for {
		part, err := s.Read(context.Background(), stream, uint64(len(all))+1, 0)
		if err != nil {
			t.Fatalf("read %s from %d: %v", stream, len(all)+1, err)
		}
		if len(part) == 0 {
			return all
		}
		all = append(all, part...)
	}
}

// Chain builds n sealed entries of a stream that follow prev (nil for a new one), with payloads of about size bytes.
func Chain(stream string, prev *entry.Entry, n, size int) []entry.Entry {
	out := make([]entry.Entry, n)
	for i := range out {
		seq, link := uint64(1), entry.Hash{}
		if prev != nil {
			seq, link = prev.Seq+1, prev.Hash
		}
		payload := fmt.Appendf(nil, `{"path":"steps[%d]","why":%q}`, seq, text(seq, size))
		out[i] = entry.Entry{
			Stream: stream, Seq: seq, Kind: entry.KindStepSkipped, Version: entry.Version,
			At: Time(int64(seq)), Epoch: 1, Payload: payload, Prev: link,
		}
		out[i].Salt[0], out[i].Salt[15] = byte(seq), 7
		out[i].Seal()
		prev = &out[i]
	}
	return out
}

// text gives size letters that differ from entry to entry.
func text(seed uint64, size int) string {
	b := make([]byte, max(size-32, 1))
	for i := range b {
		seed = seed*6364136223846793005 + 1442695040888963407
		b[i] = 'a' + byte(seed>>33)%26
	}
	return string(b)
}

// Time gives a moment that differs by n milliseconds and a few microseconds.
func Time(n int64) time.Time {
	return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(n)*time.Millisecond + 7*time.Microsecond)
}

// Append makes the batch that appends entries of one stream.
func Append(epoch uint64, entries ...entry.Entry) store.Batch {
	return store.Batch{
		Epoch: epoch, Shards: []int{3}, Entries: entries,
		Expect: []store.Expect{{Stream: entries[0].Stream, Length: entries[0].Seq - 1}},
	}
}

// same compares entries and rows as values.
func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if reflect.DeepEqual(got, want) { // much faster for what is large
		return
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func ids(rows []store.Row) []string {
	out := []string{}
	for _, r := range rows {
		out = append(out, r.ID)
	}
	return out
}

func clone(e []entry.Entry) []entry.Entry {
	out := slices.Clone(e)
	for i := range out {
		out[i].Payload = slices.Clone(out[i].Payload)
	}
	return out
}
