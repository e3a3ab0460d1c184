package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/id"
	"github.com/tendhq/tend/internal/store"
)

func testAppendAndRead(t *testing.T, b *bench) {
	epoch := b.claim()
	all := Chain("run/a", nil, 5, 200)
	all[3].Erased = false
	b.want(Append(epoch, all[:2]...))
	b.want(Append(epoch, all[2:]...))
	same(t, "the stream", b.read("run/a"), all)
	head, err := b.s.Head(t.Context(), "run/a")
	if err != nil {
		t.Error(err)
	}
	same(t, "the head", head, store.Head{Length: 5, Hash: all[4].Hash})
	if l := b.read("run/a")[0].At.Location(); l != time.UTC {
		t.Errorf("times are in %v, not in UTC", l)
	}
}

func testReadPages(t *testing.T, b *bench) {
	all := Chain("run/a", nil, 2500, 40)
	b.want(Append(b.claim(), all...))
	for _, c := range []struct {
		from  uint64
		limit int
		want  []entry.Entry
	}{
		{0, 3, all[:3]},
		{1, 3, all[:3]},
		{2, 1, all[1:2]},
		{2499, 10, all[2498:]},
		{2500, 10, all[2499:]},
		{2501, 10, nil},
		{9000, 10, nil},
		{1, 0, all[:1000]},
		{1001, -1, all[1000:2000]},
	} {
		got, err := b.s.Read(t.Context(), "run/a", c.from, c.limit)
		if err != nil {
			t.Errorf("read %d from %d: %v", c.limit, c.from, err)
		}
		if len(got) == 0 {
			got = nil
		}
		same(t, fmt.Sprintf("%d entries from %d", c.limit, c.from), got, c.want)
	}
}

func testEmptyStream(t *testing.T, b *bench) {
	got, err := b.s.Read(t.Context(), "run/nobody", 1, 10)
	if len(got) != 0 || err != nil {
		t.Errorf("a stream that does not exist gives %v, %v", got, err)
	}
	head, err := b.s.Head(t.Context(), "run/nobody")
	if head != (store.Head{}) || err != nil {
		t.Errorf("its head is %v, %v", head, err)
	}
	page, err := b.s.Rows(t.Context(), store.Filter{Kind: "nothing"})
	if len(page.Rows) != 0 || page.Next != "" || err != nil {
		t.Errorf("a kind that does not exist gives %+v, %v", page, err)
	}
	// An expectation about a stream that stays empty.
	b.want(store.Batch{Expect: []store.Expect{{Stream: "run/nobody", Length: 0}}})
}

func testReopen(t *testing.T, b *bench) {
	epoch := b.claim()
	all := Chain("run/a", nil, 4, 100)
	row := store.Row{Key: store.Key{Kind: "run", ID: "a"}, Project: "default", Status: "running", At: Time(1), Body: []byte(`{}`)}
	b.want(Append(epoch, all[:3]...))
	b.want(store.Batch{Epoch: epoch, Shards: []int{0, 255}, Rows: []store.Row{row}})
	before := b.identity()
	b.reopen()
	after := b.identity()
	same(t, "the identity", after, before)
	same(t, "the stream", b.read("run/a"), all[:3])
	page, err := b.s.Rows(t.Context(), store.Filter{Kind: "run"})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "the rows", page.Rows, []store.Row{row})
	if next := b.claim(); next <= epoch {
		t.Errorf("the epoch went from %d to %d over a reopening", epoch, next)
	}
	b.want(Append(epoch+1, all[3:]...))
	same(t, "the stream", b.read("run/a"), all)
}

func (b *bench) identity() store.Identity {
	b.t.Helper()
	i, err := b.s.Identity(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return i
}

func testIndexGrows(t *testing.T, b *bench) {
	epoch := b.claim()
	var last uint64
	for n := range 3 {
		batches := []store.Batch{
			Append(epoch, Chain(fmt.Sprintf("run/%d-a", n), nil, 1, 50)...),
			{},
			Append(epoch, Chain(fmt.Sprintf("run/%d-b", n), nil, 1, 50)...),
		}
		for i, a := range b.s.Commit(t.Context(), batches) {
			if a.Err != nil {
				t.Fatalf("batch %d: %v", i, a.Err)
			}
			if a.Index <= last {
				t.Errorf("index %d follows %d", a.Index, last)
			}
			last = a.Index
		}
	}
	if i := b.identity(); i.Index != last {
		t.Errorf("the store says that it is at %d; its last answer was %d", i.Index, last)
	}
	if i := b.identity(); i.Instance == "" {
		t.Error("the store has no name")
	}
}

func testConflict(t *testing.T, b *bench) {
	epoch := b.claim()
	all := Chain("run/a", nil, 3, 50)
	b.want(Append(epoch, all[:2]...))
	for name, batch := range map[string]store.Batch{
		"written already":            Append(epoch, all[:1]...),
		"a gap":                      {Expect: []store.Expect{{Stream: "run/a", Length: 3}}},
		"another one exists":         {Expect: []store.Expect{{Stream: "run/a", Length: 0}}},
		"a stream that is not there": {Expect: []store.Expect{{Stream: "run/x", Length: 1}}},
		"the second expectation":     {Expect: []store.Expect{{Stream: "run/a", Length: 2}, {Stream: "run/b", Length: 7}}},
	} {
		if err := b.commit(batch); !errors.Is(err, store.ErrConflict) {
			t.Errorf("%s: %v, not a conflict", name, err)
		}
	}
	b.want(Append(epoch, all[2:]...))
	same(t, "the stream", b.read("run/a"), all)
}

func testConflictIsolation(t *testing.T, b *bench) {
	epoch := b.claim()
	b.want(Append(epoch, Chain("run/taken", nil, 2, 50)...))
	var batches []store.Batch
	for i := range 20 {
		name := fmt.Sprintf("run/%02d", i)
		if i%4 == 1 {
			name = "run/taken"
		}
		batch := Append(epoch, Chain(name, nil, 2, 50)...)
		batch.Rows = []store.Row{{Key: store.Key{Kind: "run", ID: fmt.Sprintf("%02d", i)}, At: Time(int64(i))}}
		batches = append(batches, batch)
	}
	for i, a := range b.s.Commit(t.Context(), batches) {
		if i%4 == 1 {
			if !errors.Is(a.Err, store.ErrConflict) {
				t.Errorf("batch %d: %v, not a conflict", i, a.Err)
			}
		} else if a.Err != nil {
			t.Errorf("batch %d: %v", i, a.Err)
		}
	}
	page, err := b.s.Rows(t.Context(), store.Filter{Kind: "run", Oldest: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Rows) != 15 {
		t.Errorf("%d rows of 15: %v", len(page.Rows), ids(page.Rows))
	}
	for i := range 20 {
		want := 2
		if i%4 == 1 {
			want = 0
		}
		if got := len(b.read(fmt.Sprintf("run/%02d", i))); got != want {
			t.Errorf("run/%02d has %d entries, not %d", i, got, want)
		}
	}
}

// testGroupSeesItself: batches of one Commit follow each other.
func testGroupSeesItself(t *testing.T, b *bench) {
	epoch := b.claim()
	all := Chain("run/a", nil, 6, 50)
	answers := b.s.Commit(t.Context(), []store.Batch{
		Append(epoch, all[:2]...),
		Append(epoch, all[2:4]...),
		Append(epoch, all[2:4]...), // the same again
		Append(epoch, all[4:]...),
		{Expect: []store.Expect{{Stream: "run/a", Length: 6}}},
	})
	for i, a := range answers {
		if i == 2 {
			if !errors.Is(a.Err, store.ErrConflict) {
				t.Errorf("the repeated batch: %v, not a conflict", a.Err)
			}
		} else if a.Err != nil {
			t.Errorf("batch %d: %v", i, a.Err)
		}
	}
	same(t, "the stream", b.read("run/a"), all)
}

func testAllOrNothing(t *testing.T, b *bench) {
	epoch := b.claim()
	b.want(Append(epoch, Chain("run/b", nil, 1, 50)...))
	before := b.identity()
	batch := Append(epoch, Chain("run/a", nil, 2, 50)...)
	batch.Expect = append(batch.Expect, store.Expect{Stream: "run/b", Length: 0})
	batch.Rows = []store.Row{{Key: store.Key{Kind: "run", ID: "a"}}}
	why := "never"
	batch.Halt = &why
	if err := b.commit(batch); !errors.Is(err, store.ErrConflict) {
		t.Fatalf("%v, not a conflict", err)
	}
	if got := b.read("run/a"); len(got) != 0 {
		t.Errorf("%d entries of a refused batch are there", len(got))
	}
	if page, _ := b.s.Rows(t.Context(), store.Filter{Kind: "run"}); len(page.Rows) != 0 {
		t.Errorf("a row of a refused batch is there")
	}
	same(t, "the identity", b.identity(), before)
}

// testNewStreams: of several new streams in a batch one may be there already, and a store that was just opened does not
// remember it.
func testNewStreams(t *testing.T, b *bench) {
	epoch := b.claim()
	b.want(Append(epoch, Chain("run/old", nil, 2, 50)...))
	for i, order := range [][]string{{"run/a0", "run/old"}, {"run/old", "run/a1"}} {
		b.reopen()
		epoch = b.claim()
		bad := Append(epoch, Chain(order[0], nil, 1, 50)...)
		more := Append(epoch, Chain(order[1], nil, 1, 50)...)
		bad.Entries, bad.Expect = append(bad.Entries, more.Entries...), append(bad.Expect, more.Expect...)
		before, after := Chain(fmt.Sprintf("run/b%d", i), nil, 1, 50), Chain(fmt.Sprintf("run/c%d", i), nil, 2, 50)
		answers := b.s.Commit(t.Context(), []store.Batch{Append(epoch, before...), bad, Append(epoch, after[:1]...), Append(epoch, after[1:]...)})
		for j, a := range answers {
			if refused := errors.Is(a.Err, store.ErrConflict); refused != (j == 1) || a.Err != nil && !refused {
				t.Errorf("%v: batch %d: %v", order, j, a.Err)
			}
		}
		same(t, "the stream before", b.read(before[0].Stream), before)
		same(t, "the stream after", b.read(after[0].Stream), after)
		if n := len(b.read(fmt.Sprintf("run/a%d", i))); n != 0 {
			t.Errorf("%v: %d entries of a refused batch are there", order, n)
		}
		b.want(Append(epoch, Chain(fmt.Sprintf("run/a%d", i), nil, 1, 50)...))
	}
	if n := len(b.read("run/old")); n != 2 {
		t.Errorf("the old stream has %d entries, not 2", n)
	}
}

func testMalformed(t *testing.T, b *bench) {
	epoch := b.claim()
	all := Chain("run/a", nil, 4, 50)
	b.want(Append(epoch, all[:2]...))
	change := func(f func(*store.Batch)) store.Batch {
		batch := Append(epoch, clone(all[2:])...)
		f(&batch)
		return batch
	}
	for name, batch := range map[string]store.Batch{
		"no expectation":    change(func(b *store.Batch) { b.Expect = nil }),
		"expected twice":    change(func(b *store.Batch) { b.Expect = append(b.Expect, b.Expect[0]) }),
		"no stream":         change(func(b *store.Batch) { b.Expect = append(b.Expect, store.Expect{}) }),
		"a gap":             change(func(b *store.Batch) { b.Entries = b.Entries[1:] }),
		"out of order":      change(func(b *store.Batch) { b.Entries[0], b.Entries[1] = b.Entries[1], b.Entries[0] }),
		"not sealed":        change(func(b *store.Batch) { b.Entries[1].Hash = entry.Hash{} }),
		"altered payload":   change(func(b *store.Batch) { b.Entries[1].Payload[3] ^= 1 }),
		"altered envelope":  change(func(b *store.Batch) { b.Entries[0].Epoch++ }),
		"another stream's":  change(func(b *store.Batch) { b.Entries[0].Stream = "run/b"; b.Expect[0].Stream = "run/b" }),
		"nanoseconds":       change(func(b *store.Batch) { b.Entries[1].At = b.Entries[1].At.Add(1); b.Entries[1].Seal() }),
		"a wrong link":      change(func(b *store.Batch) { b.Entries = b.Entries[:1]; b.Entries[0].Prev[5] ^= 1; b.Entries[0].Seal() }),
		"shard too high":    change(func(b *store.Batch) { b.Shards = []int{id.Shards} }),
		"shard negative":    change(func(b *store.Batch) { b.Shards = []int{-1} }),
		"row without kind":  change(func(b *store.Batch) { b.Rows = []store.Row{{Key: store.Key{ID: "x"}}} }),
		"row without id":    change(func(b *store.Batch) { b.Rows = []store.Row{{Key: store.Key{Kind: "x"}}} }),
		"erasure of 0":      change(func(b *store.Batch) { b.Erase = []store.Erasure{{Stream: "run/a"}} }),
		"erasure of nobody": change(func(b *store.Batch) { b.Erase = []store.Erasure{{Seq: 1}} }),
	} {
		other := Append(epoch, Chain("run/"+strings.ReplaceAll(name, " ", "-"), nil, 1, 50)...)
		answers := b.s.Commit(t.Context(), []store.Batch{batch, other})
		if !fault.Is(answers[0].Err, fault.Invalid) {
			t.Errorf("%s: %v, not invalid", name, answers[0].Err)
		}
		if answers[1].Err != nil {
			t.Errorf("%s hurts its neighbour: %v", name, answers[1].Err)
		}
	}
	b.want(Append(epoch, all[2:]...))
	same(t, "the stream", b.read("run/a"), all)
}

func testStale(t *testing.T, b *bench) {
	first := b.claim()
	all := Chain("run/a", nil, 3, 50)
	b.want(Append(first, all[:1]...))
	second := b.claim()
	if second <= first {
		t.Fatalf("epoch %d follows %d", second, first)
	}
	answers := b.s.Commit(t.Context(), []store.Batch{
		Append(first, all[1:2]...),
		Append(second+1, all[1:2]...),
		Append(second, all[1:2]...),
		{Epoch: first, Shards: []int{0}, Rows: []store.Row{{Key: store.Key{Kind: "run", ID: "a"}}}},
	})
	for i, want := range []error{store.ErrStale, store.ErrStale, nil, store.ErrStale} {
		if !errors.Is(answers[i].Err, want) {
			t.Errorf("batch %d: %v, not %v", i, answers[i].Err, want)
		}
	}
	if got := len(b.read("run/a")); got != 2 {
		t.Errorf("%d entries, not 2", got)
	}
}

// testTwoWriters: a second process takes over while the first still runs.
func testTwoWriters(t *testing.T, b *bench) {
	old := b.claim()
	all := Chain("run/a", nil, 5, 50)
	b.want(Append(old, all[:1]...))

	second := &bench{t: t, open: b.open, s: must(t, b.open)}
	now := second.claim()
	if now <= old {
		t.Fatalf("the second epoch %d is not above the first %d", now, old)
	}
	second.want(Append(now, all[1:2]...))
	if err := b.commit(Append(old, all[1:2]...)); !errors.Is(err, store.ErrStale) {
		t.Errorf("the first writer, whose lease is over: %v", err)
	}
	// Without an epoch, the expectation holds them apart.
	free := Append(0, all[2])
	free.Shards = nil
	second.want(free)
	if err := b.commit(free); !errors.Is(err, store.ErrConflict) {
		t.Errorf("the first writer, with an old expectation: %v", err)
	}
	free = Append(0, all[3])
	free.Shards = nil
	b.want(free)
	second.want(Append(now, all[4]))
	same(t, "the stream", b.read("run/a"), all)
	same(t, "the identity", b.identity(), second.identity())
}

func testHalt(t *testing.T, b *bench) {
	why := "it's a \"drill\""
	b.want(store.Batch{Halt: &why})
	if got := b.identity().Halted; got != why {
		t.Errorf("halted is %q, not %q", got, why)
	}
	b.reopen()
	if got := b.identity().Halted; got != why {
		t.Errorf("after reopening halted is %q, not %q", got, why)
	}
	b.want(store.Batch{})
	none := ""
	b.want(store.Batch{Halt: &none})
	b.reopen()
	if got := b.identity().Halted; got != "" {
		t.Errorf("halted is still %q", got)
	}
}

func testErase(t *testing.T, b *bench) {
	epoch := b.claim()
	all := Chain("run/a", nil, 4, 300)
	b.want(Append(epoch, all[:3]...))
	gone := []byte(`{"erased":true}`)
	both := Append(epoch, all[3])
	both.Erase = []store.Erasure{{Stream: "run/a", Seq: 2, Payload: gone}, {Stream: "run/a", Seq: 4, Payload: gone}}
	answers := b.s.Commit(t.Context(), []store.Batch{
		Append(epoch, Chain("run/b", nil, 1, 50)...),
		both,
		Append(epoch, Chain("run/c", nil, 1, 50)...),
	})
	for i, a := range answers {
		if a.Err != nil {
			t.Fatalf("batch %d: %v", i, a.Err)
		}
	}
	all[1].Erase(gone)
	all[3].Erase(gone)
	same(t, "the stream", b.read("run/a"), all)
	more := Chain("run/a", &all[3], 1, 50)
	b.want(Append(epoch, more...))
	b.reopen()
	same(t, "the stream after reopening", b.read("run/a"), append(all, more...))
	if len(b.read("run/b")) != 1 || len(b.read("run/c")) != 1 {
		t.Error("the neighbours of an erasure are missing")
	}
}

func testEraseNothing(t *testing.T, b *bench) {
	epoch := b.claim()
	b.want(Append(epoch, Chain("run/a", nil, 2, 50)...))
	before := b.identity()
	answers := b.s.Commit(t.Context(), []store.Batch{
		{Erase: []store.Erasure{{Stream: "run/a", Seq: 3, Payload: []byte("{}")}}},
		{Erase: []store.Erasure{{Stream: "run/x", Seq: 1, Payload: []byte("{}")}}},
		{Erase: []store.Erasure{{Stream: "run/a", Seq: 1, Payload: []byte("{}")}, {Stream: "run/x", Seq: 1}}},
	})
	for i, a := range answers {
		if !fault.Is(a.Err, fault.NotFound) {
			t.Errorf("erasure %d: %v, not not-found", i, a.Err)
		}
	}
	if b.read("run/a")[0].Erased {
		t.Error("half of a refused batch erased something")
	}
	same(t, "the identity", b.identity(), before)
}

func testBigBatch(t *testing.T, b *bench) {
	epoch := b.claim()
	many := Append(epoch, Chain("run/many", nil, 5_000, 60)...)
	large := Append(epoch, Chain("run/large", nil, 3, 1<<20)...)
	wide := store.Batch{Epoch: epoch, Shards: []int{1}}
	for i := range 500 {
		name := fmt.Sprintf("run/w%d", i)
		wide.Expect = append(wide.Expect, store.Expect{Stream: name})
		wide.Entries = append(wide.Entries, Chain(name, nil, 2, 60)...)
		wide.Rows = append(wide.Rows, store.Row{Key: store.Key{Kind: "run", ID: name}, Body: make([]byte, 9000)})
	}
	for i, a := range b.s.Commit(t.Context(), []store.Batch{many, large, wide}) {
		if a.Err != nil {
			t.Fatalf("batch %d: %v", i, a.Err)
		}
	}
	b.reopen()
	same(t, "the many", len(b.read("run/many")), 5_000)
	same(t, "the large", b.read("run/large"), large.Entries)
	same(t, "one of the wide", b.read("run/w499"), wide.Entries[998:])
}

func testOddBytes(t *testing.T, b *bench) {
	epoch := b.claim()
	odd := "run/\x00'\";--\xff\n\u202e ü"
	all := Chain(odd, nil, 3, 50)
	var prev *entry.Entry
	for i := range all {
		all[i].Payload = []byte{0, 0xff, '\'', byte(i)}
		all[i].Prev = entry.Hash{}
		if prev != nil {
			all[i].Prev = prev.Hash
		}
		all[i].Kind = entry.Kind(odd)
		all[i].Epoch = 1<<63 + 5
		all[i].At = time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC)
		all[i].Seal()
		prev = &all[i]
	}
	row := store.Row{
		Key: store.Key{Kind: odd, ID: odd}, Project: odd, Status: odd, Name: odd, Parent: odd, Tag: odd,
		At: time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC), Body: []byte{0, 1, 0xff},
	}
	batch := Append(epoch, all...)
	batch.Rows = []store.Row{row}
	b.want(batch)
	b.reopen()
	same(t, "the stream", b.read(odd), all)
	page, err := b.s.Rows(t.Context(), store.Filter{
		Kind: odd, ID: odd, Prefix: odd[:9], Project: odd, Status: []string{odd}, Name: odd, Parent: odd, Tag: odd,
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "the row", page.Rows, []store.Row{row})
}

// testCopies: what a caller does with its memory afterwards does not change the store, nor the other way round.
func testCopies(t *testing.T, b *bench) {
	epoch := b.claim()
	all := Chain("run/a", nil, 1, 50)
	want := clone(all)
	body := []byte(`{"a":1}`)
	batch := Append(epoch, all...)
	batch.Rows = []store.Row{{Key: store.Key{Kind: "run", ID: "a"}, Body: body}}
	b.want(batch)
	all[0].Payload[2], body[2] = 'X', 'X'
	for range 2 {
		got := b.read("run/a")
		same(t, "the stream", got, want)
		page, err := b.s.Rows(t.Context(), store.Filter{Kind: "run"})
		if err != nil || len(page.Rows) != 1 {
			t.Fatal(page, err)
		}
		same(t, "the body", string(page.Rows[0].Body), `{"a":1}`)
		got[0].Payload[2], page.Rows[0].Body[2] = 'Y', 'Y'
	}
}

func testCancelled(t *testing.T, b *bench) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a := b.s.Commit(ctx, []store.Batch{Append(0, Chain("run/a", nil, 1, 50)...), {}})
	if len(a) != 2 || !fault.Is(a[0].Err, fault.Cancelled) || !fault.Is(a[1].Err, fault.Cancelled) {
		t.Errorf("commit: %+v", a)
	}
	if _, err := b.s.Read(ctx, "run/a", 1, 1); !fault.Is(err, fault.Cancelled) {
		t.Errorf("read: %v", err)
	}
	if _, err := b.s.Rows(ctx, store.Filter{Kind: "run"}); !fault.Is(err, fault.Cancelled) {
		t.Errorf("rows: %v", err)
	}
	if _, err := b.s.Claim(ctx, "x"); !fault.Is(err, fault.Cancelled) {
		t.Errorf("claim: %v", err)
	}
	if _, err := b.s.Identity(ctx); !fault.Is(err, fault.Cancelled) {
		t.Errorf("identity: %v", err)
	}
	if got := b.read("run/a"); len(got) != 0 {
		t.Error("a cancelled commit is there")
	}
}

func testVerify(t *testing.T, b *bench) {
	v, ok := b.s.(store.Verifier)
	if !ok {
		t.Skip("the store cannot verify")
	}
	epoch := b.claim()
	for i := range 20 {
		b.want(Append(epoch, Chain(fmt.Sprintf("run/%d", i), nil, i+1, 50)...))
	}
	b.want(store.Batch{Erase: []store.Erasure{{Stream: "run/7", Seq: 3, Payload: []byte("{}")}}})
	streams, entries, damaged, err := v.Verify(t.Context())
	if streams != 20 || entries != 210 || len(damaged) != 0 || err != nil {
		t.Errorf("verified %d streams and %d entries, %v, %v", streams, entries, damaged, err)
	}
}
