package ledger_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/faulty"
	"github.com/tendhq/tend/internal/store/memory"
	"github.com/tendhq/tend/internal/store/sqlite"
)

func comment(text string) entry.Payload {
	return &entry.IncidentCommented{By: entry.Who{Name: "alice"}, Text: text}
}

func claim(t testing.TB, s store.Store) store.Lease {
	t.Helper()
	l, err := s.Claim(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func open(t testing.TB, s store.Store) *ledger.Ledger {
	t.Helper()
	l := ledger.Open(s, claim(t, s), nil)
	t.Cleanup(func() { _ = l.Close(context.Background()) })
	return l
}

// texts reads the comments of a stream; the store verifies the chain.
func texts(t testing.TB, s store.Store, stream string) []string {
	t.Helper()
	page, err := s.Read(context.Background(), stream, 1, 100_000)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range page {
		p, err := entry.Decode(e)
		if err != nil {
			t.Fatal(err)
		}
		if c, ok := p.(*entry.IncidentCommented); ok {
			out = append(out, c.Text)
		}
	}
	return out
}

func stores(t *testing.T) map[string]store.Store {
	t.Helper()
	lite, err := sqlite.Open(t.Context(), sqlite.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lite.Close() })
	return map[string]store.Store{"memory": memory.New(), "sqlite": lite}
}

// TestAppendTogether: many callers at once; each finds its facts, its row and its audit fact, and every chain holds.
func TestAppendTogether(t *testing.T) {
	t.Parallel()
	for name, s := range stores(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := open(t, s)
			var all sync.WaitGroup
			for i := range 50 {
				all.Go(func() {
					for j := range 20 {
						row := func(seq uint64) store.Row {
							return store.Row{Key: store.Key{Kind: "thing", ID: fmt.Sprintf("%d-%d", i, j)}, Tag: fmt.Sprint(seq), Body: []byte("{}")}
						}
						err := l.Append(t.Context(), ledger.Batch{Facts: []ledger.Fact{
							{Stream: fmt.Sprintf("incident/%d", i%5), Payload: comment(fmt.Sprintf("%d-%d", i, j)), Row: row},
							ledger.Audit(entry.Who{Name: "alice"}, "commented", "x", "", nil),
						}})
						if err != nil {
							t.Error(err)
						}
					}
				})
			}
			all.Wait()
			for n := range 5 {
				list := texts(t, s, fmt.Sprintf("incident/%d", n))
				if len(list) != 200 {
					t.Errorf("stream %d has %d comments", n, len(list))
				}
				for at, text := range list {
					p, err := s.Rows(t.Context(), store.Filter{Kind: "thing", ID: text})
					if err != nil || len(p.Rows) != 1 || p.Rows[0].Tag != fmt.Sprint(at+1) {
						t.Fatalf("the row of %s says %v, %v; it is entry %d", text, p.Rows, err, at+1)
					}
				}
			}
			if h, err := s.Head(t.Context(), ledger.AuditServer); err != nil || h.Length != 1000 {
				t.Errorf("%d audit facts, %v", h.Length, err)
			}
		})
	}
}

// TestForeignStreams: what is the engine's is not for the ledger to write.
func TestForeignStreams(t *testing.T) {
	t.Parallel()
	l := open(t, memory.New())
	for _, s := range []string{"run/run_1", "task/t", "guard/g", "audit/000", "audit/255", "audit", "", "/", "event/", "event"} {
		err := l.Append(t.Context(), ledger.Batch{Facts: []ledger.Fact{{Stream: s, Payload: comment("x")}}})
		if !fault.Is(err, fault.Internal) && !fault.Is(err, fault.Invalid) {
			t.Errorf("%q was taken: %v", s, err)
		}
	}
	if err := l.Append(t.Context(), ledger.Batch{Facts: []ledger.Fact{{Stream: "event/x"}}}); !fault.Is(err, fault.Internal) {
		t.Errorf("a fact that says nothing: %v", err)
	}
}

// TestExpect: what was decided on something that has changed since is refused as a whole.
func TestExpect(t *testing.T) {
	t.Parallel()
	s := memory.New()
	l := open(t, s)
	write := func(length uint64) error {
		return l.Append(t.Context(), ledger.Batch{
			Expect: []store.Expect{{Stream: "incident/1", Length: length}},
			Facts:  []ledger.Fact{{Stream: "incident/1", Payload: comment("x")}, ledger.Audit(entry.Who{Name: "a"}, "commented", "1", "", nil)},
		})
	}
	if err := errors.Join(write(0), write(1)); err != nil {
		t.Fatal(err)
	}
	for _, n := range []uint64{0, 1, 3} {
		if err := write(n); !fault.Is(err, fault.Conflict) {
			t.Errorf("decided on %d of 2 entries: %v", n, err)
		}
	}
	if h, _ := s.Head(t.Context(), ledger.AuditServer); h.Length != 2 {
		t.Errorf("%d audit facts of 2 changes", h.Length)
	}
}

// TestRowsInOrder: of rows that are written and deleted by several batches of one commit, the last word counts.
func TestRowsInOrder(t *testing.T) {
	t.Parallel()
	s := memory.New()
	b := ledger.NewBook(s, claim(t, s), zeros{})
	var line ledger.Line
	row := func(id, status string) store.Row {
		return store.Row{Key: store.Key{Kind: "k", ID: id}, Status: status, Body: []byte("{}")}
	}
	key := func(id string) store.Key { return store.Key{Kind: "k", ID: id} }
	for _, err := range b.Write(t.Context(), []ledger.Batch{
		{Line: &line, Rows: []store.Row{row("a", "1"), row("b", "1"), row("c", "1"), row("d", "1")}},
		{Line: &line, Delete: []store.Key{key("a"), key("b")}, Rows: []store.Row{row("c", "2")}},
		{Line: &line, Rows: []store.Row{row("b", "3")}},
		{Line: &line, Delete: []store.Key{key("d")}},
	}, time.Now()) {
		if err != nil {
			t.Fatal(err)
		}
	}
	p, err := s.Rows(t.Context(), store.Filter{Kind: "k", Oldest: true})
	got := ""
	for _, r := range p.Rows {
		got += r.ID + r.Status + " "
	}
	if err != nil || got != "b3 c2 " {
		t.Errorf("%s, %v", got, err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestFullDisk: the caller hears it, nothing of it is there, and the next one is written.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	full := true
	inner := memory.New()
	s := faulty.New(inner, func(op faulty.Op) faulty.Fault {
		if op.Name == "commit" && full {
			return faulty.Fault{Mode: faulty.Full}
		}
		return faulty.Fault{}
	})
	b := ledger.NewBook(s, claim(t, s), zeros{})
	one := []ledger.Batch{{Facts: []ledger.Fact{{Stream: "incident/1", Payload: comment("lost")}}}}
	if err := b.Write(t.Context(), one, time.Now())[0]; !fault.Is(err, fault.Unavailable) {
		t.Fatalf("a full disk: %v", err)
	}
	full = false
	two := []ledger.Batch{{Facts: []ledger.Fact{{Stream: "incident/1", Payload: comment("kept")}}}}
	if err := b.Write(t.Context(), two, time.Now())[0]; err != nil {
		t.Fatal(err)
	}
	if got := texts(t, inner, "incident/1"); len(got) != 1 || got[0] != "kept" {
		t.Errorf("%q", got)
	}
}

// TestLine: after a refusal nothing of the line is written, whatever comes; another line begins anew.
func TestLine(t *testing.T) {
	t.Parallel()
	full := false
	inner := memory.New()
	s := faulty.New(inner, func(op faulty.Op) faulty.Fault {
		if op.Name == "commit" && full {
			return faulty.Fault{Mode: faulty.Full}
		}
		return faulty.Fault{}
	})
	b := ledger.NewBook(s, claim(t, s), zeros{})
	var line ledger.Line
	write := func(l *ledger.Line, text string) error {
		return b.Write(t.Context(), []ledger.Batch{{Line: l, Facts: []ledger.Fact{{Stream: "incident/" + text, Payload: comment(text)}}}}, time.Now())[0]
	}
	if err := write(&line, "a"); err != nil {
		t.Fatal(err)
	}
	full = true
	if err := write(&line, "b"); !fault.Is(err, fault.Unavailable) {
		t.Fatal(err)
	}
	full = false
	if err := write(&line, "c"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("what follows a refusal was written: %v", err)
	}
	if err := errors.Join(write(nil, "d"), write(new(ledger.Line), "e")); err != nil {
		t.Error(err)
	}
	for stream, want := range map[string]int{"a": 1, "b": 0, "c": 0, "d": 1, "e": 1} {
		if got := texts(t, inner, "incident/"+stream); len(got) != want {
			t.Errorf("%s: %q", stream, got)
		}
	}
}

// TestBroken: after a commit of which nobody knows the end, nothing is written, and whoever waits for it hears it.
func TestBroken(t *testing.T) {
	t.Parallel()
	for _, mode := range []faulty.Mode{faulty.Lost, faulty.Kept} {
		disk := new(memory.Disk)
		bad := false
		s := faulty.New(memory.Open(disk), func(op faulty.Op) faulty.Fault {
			if op.Name == "commit" && bad {
				return faulty.Fault{Mode: mode}
			}
			return faulty.Fault{}
		})
		l := open(t, s)
		bad = true
		for i := range 3 {
			err := l.Append(t.Context(), ledger.Batch{Facts: []ledger.Fact{{Stream: "incident/1", Payload: comment(fmt.Sprint(i))}}})
			if !fault.Is(err, fault.Unavailable) || l.Err() == nil {
				t.Errorf("append %d: %v", i, err)
			}
		}
		<-l.Broken()
		again := open(t, memory.Open(disk))
		if err := again.Append(t.Context(), ledger.Batch{Facts: []ledger.Fact{{Stream: "incident/1", Payload: comment("after")}}}); err != nil {
			t.Fatal(err)
		}
		want := 1
		if mode == faulty.Kept {
			want = 2
		}
		if got := texts(t, memory.Open(disk), "incident/1"); len(got) != want {
			t.Errorf("mode %d: %q", mode, got)
		}
	}
}

// TestLostLease: whoever claims the store later ends the ledger.
func TestLostLease(t *testing.T) {
	t.Parallel()
	disk := new(memory.Disk)
	l := open(t, memory.Open(disk))
	b := ledger.Batch{Facts: []ledger.Fact{{Stream: "incident/1", Payload: comment("x")}}}
	if err := l.Append(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	claim(t, memory.Open(disk))
	if err := l.Append(t.Context(), b); !fault.Is(err, fault.Unavailable) || !errors.Is(err, store.ErrStale) {
		t.Errorf("%v", err)
	}
	<-l.Broken()
}

// TestWatch: a reader hears of the streams that it asked for, once for many facts, and not before they are durable.
func TestWatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := ledger.Open(memory.New(), store.Lease{}, nil)
		tail := l.Watch("incident/")
		for _, s := range []string{"incident/2", "event/x", "incident/1", "incident/2"} {
			l.Submit(ledger.Batch{Facts: []ledger.Fact{{Stream: s, Payload: comment("x")}}}, func(error) {})
		}
		synctest.Wait()
		<-tail.Ready()
		if got := fmt.Sprint(tail.Take()); got != "[incident/1 incident/2]" {
			t.Error(got)
		}
		tail.Close()
		_ = l.Append(t.Context(), ledger.Batch{Facts: []ledger.Fact{{Stream: "incident/3", Payload: comment("x")}}})
		synctest.Wait()
		if got := tail.Take(); len(got) > 0 {
			t.Error(got)
		}
		if err := l.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if err := l.Append(t.Context(), ledger.Batch{}); !fault.Is(err, fault.Unavailable) {
			t.Errorf("closed: %v", err)
		}
	})
}

// TestFaults: under any mix of full disks, lost commits and crashes, what was acknowledged is there, what was refused is
// not, and what nobody knows is there as a whole or not at all. Facts of one batch are in two streams, to tell.
func TestFaults(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		disk := new(memory.Disk)
		mode := faulty.None
		reopen := func() *ledger.Book {
			s := faulty.New(memory.Open(disk), func(op faulty.Op) faulty.Fault {
				if op.Name != "commit" {
					return faulty.Fault{}
				}
				return faulty.Fault{Mode: mode}
			})
			lease, err := s.Claim(context.Background(), "test")
			if err != nil {
				t.Fatal(err)
			}
			return ledger.NewBook(s, lease, bytes.NewReader(make([]byte, 1<<20)))
		}
		book, line, n := reopen(), new(ledger.Line), 0
		acked, refused := map[string]bool{}, map[string]bool{}
		order := map[string]int{} // of acknowledged ones
		for range rapid.IntRange(1, 12).Draw(t, "commits") {
			mode = rapid.SampledFrom([]faulty.Mode{faulty.None, faulty.None, faulty.Full, faulty.Lost, faulty.Kept}).Draw(t, "mode")
			var batches []ledger.Batch
			var names []string
			for range rapid.IntRange(1, 6).Draw(t, "batches") {
				n++
				name := fmt.Sprint(n)
				b := ledger.Batch{Facts: []ledger.Fact{
					{Stream: fmt.Sprintf("incident/%d", rapid.IntRange(0, 2).Draw(t, "stream")), Payload: comment(name)},
					{Stream: "incident/all", Payload: comment(name)},
				}}
				if rapid.Bool().Draw(t, "lined") {
					b.Line = line
				}
				batches, names = append(batches, b), append(names, name)
			}
			for i, err := range book.Write(context.Background(), batches, time.Unix(1, 0)) {
				switch {
				case err == nil:
					acked[names[i]] = true
					order[names[i]] = len(order)
				case !errors.Is(err, store.ErrIndeterminate):
					refused[names[i]] = true
				}
			}
			switch mode {
			case faulty.Lost, faulty.Kept:
				book, line = reopen(), new(ledger.Line)
			case faulty.Full:
				line = new(ledger.Line)
			case faulty.None, faulty.Refuse:
			}
		}
		s := memory.Open(disk)
		count := map[string]int{}
		for _, stream := range []string{"incident/0", "incident/1", "incident/2", "incident/all"} {
			page, err := s.Read(context.Background(), stream, 1, 10_000)
			if err != nil {
				t.Fatal(err)
			}
			last := -1
			for _, e := range page {
				p, err := entry.Decode(e)
				if err != nil {
					t.Fatal(err)
				}
				name := p.(*entry.IncidentCommented).Text
				count[name]++
				if at, ok := order[name]; ok {
					if at < last {
						t.Fatalf("%s: %s is out of order", stream, name)
					}
					last = at
				}
			}
		}
		for i := 1; i <= n; i++ {
			name := fmt.Sprint(i)
			switch c := count[name]; {
			case acked[name] && c != 2, refused[name] && c != 0, c == 1, c > 2:
				t.Fatalf("batch %s: acknowledged %v, refused %v, %d of its two facts are there", name, acked[name], refused[name], c)
			}
		}
	})
}
