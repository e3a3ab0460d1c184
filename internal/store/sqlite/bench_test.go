package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/sqlite"
	"github.com/tendhq/tend/internal/store/storetest"
)

// The measure is the raw rate: bare transactions of two rows of 512 bytes by the same driver with the same pragmas,
// committed in groups for 64 callers. What the store does on top (expectations, chains, checksums, rows) shows in the
// ratio of the two.

const callers = 64

// payload is what makes an entry's record about 512 bytes.
const payload = 360

// raw opens a bare database and gives a function that commits n pairs of rows in one transaction.
func raw(b *testing.B) func(n int) {
	b.Helper()
	ctx := b.Context()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "raw.db")+"?_pragma=journal_mode(wal)&_pragma=synchronous(full)"+
		"&_pragma=wal_autocheckpoint(2000)&_pragma=cache_size(-16384)&_pragma=secure_delete(1)&_pragma=mmap_size(0)")
	if err != nil {
		b.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	b.Cleanup(func() { _ = db.Close() })
	if _, err := db.ExecContext(ctx, "CREATE TABLE entry (stream INTEGER, seq INTEGER, data BLOB, PRIMARY KEY (stream, seq))"); err != nil {
		b.Fatal(err)
	}
	c, err := db.Conn(ctx)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	prepare := func(text string) func(...any) {
		st, err := c.PrepareContext(ctx, text)
		if err != nil {
			b.Fatal(err)
		}
		return func(args ...any) {
			if _, err := st.ExecContext(context.Background(), args...); err != nil {
				b.Fatal(err)
			}
		}
	}
	begin, insert, commit := prepare("BEGIN IMMEDIATE"), prepare("INSERT INTO entry VALUES (?, ?, ?)"), prepare("COMMIT")
	data := make([]byte, 512)
	row := 0
	return func(n int) {
		begin()
		for range n {
			for range 2 {
				insert(row%callers, row/callers, data)
				row++
			}
		}
		commit()
	}
}

// grouped runs b.N commits for 64 callers through one goroutine, which takes what waits and commits it together.
func grouped[T any](b *testing.B, caller func(n int) func() T, commit func([]T)) {
	b.Helper()
	type request struct {
		what T
		done chan struct{}
	}
	requests := make(chan request, callers)
	var callersDone, committer sync.WaitGroup
	committer.Go(func() {
		var group []T
		var waiting []chan struct{}
		for r := range requests {
			group, waiting = append(group[:0], r.what), append(waiting[:0], r.done)
			for more := true; more; {
				select {
				case r, ok := <-requests:
					if more = ok; ok {
						group, waiting = append(group, r.what), append(waiting, r.done)
					}
				default:
					more = false
				}
			}
			commit(group)
			for _, w := range waiting {
				w <- struct{}{}
			}
		}
	})
	each := b.N/callers + 1
	makers := make([]func() T, callers)
	for i := range makers {
		makers[i] = caller(i)
	}
	b.ResetTimer()
	for _, next := range makers {
		callersDone.Go(func() {
			done := make(chan struct{}, 1)
			for range each {
				requests <- request{next(), done}
				<-done
			}
		})
	}
	callersDone.Wait()
	b.ReportMetric(float64(each*callers)/b.Elapsed().Seconds(), "commits/s")
	b.StopTimer()
	close(requests)
	committer.Wait()
}

func BenchmarkRawGrouped(b *testing.B) {
	commit := raw(b)
	grouped(b, func(int) func() int { return func() int { return 1 } }, func(group []int) { commit(len(group)) })
}

func BenchmarkRawSerial(b *testing.B) {
	commit := raw(b)
	for b.Loop() {
		commit(1)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
}

func opened(b *testing.B) (*sqlite.Store, uint64) {
	b.Helper()
	s, err := sqlite.Open(b.Context(), sqlite.Config{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	l, err := s.Claim(b.Context(), "bench")
	if err != nil {
		b.Fatal(err)
	}
	return s, l.Epoch
}

// batches gives the commits of a caller: runs of six commits of two entries, of which the first and the last also
// write a row.
func batches(caller int, epoch uint64) func() store.Batch {
	const length = 6
	var stream string
	var prev *entry.Entry
	n := 0
	return func() store.Batch {
		if n%length == 0 {
			stream, prev = fmt.Sprintf("run/run_%02d%018d", caller, n/length), nil
		}
		pair := storetest.Chain(stream, prev, 2, payload)
		prev = &pair[1]
		batch := storetest.Append(epoch, pair...)
		if n%length == 0 || n%length == length-1 {
			batch.Rows = []store.Row{{
				Key: store.Key{Kind: "run", ID: stream[4:]}, Project: "default", Status: []string{"running", "succeeded"}[n%length/(length-1)],
				Name: "bench", At: pair[0].At, Body: pair[0].Payload[:200],
			}}
		}
		n++
		return batch
	}
}

func BenchmarkCommitGrouped(b *testing.B) {
	s, epoch := opened(b)
	grouped(b, func(i int) func() store.Batch { return batches(i, epoch) }, func(group []store.Batch) {
		for _, a := range s.Commit(context.Background(), group) {
			if a.Err != nil {
				b.Error(a.Err)
			}
		}
	})
}

func BenchmarkCommitSerial(b *testing.B) {
	s, epoch := opened(b)
	next := batches(0, epoch)
	for b.Loop() {
		if a := s.Commit(context.Background(), []store.Batch{next()}); a[0].Err != nil {
			b.Fatal(a[0].Err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
}

// filled gives a store with 1,000 runs of 20 entries.
func filled(b *testing.B) *sqlite.Store {
	b.Helper()
	s, epoch := opened(b)
	for i := range 1000 {
		stream := fmt.Sprintf("run/run_%020d", i)
		batch := storetest.Append(epoch, storetest.Chain(stream, nil, 20, payload)...)
		r := store.Row{
			Key: store.Key{Kind: "run", ID: stream[4:]}, Project: "default", Status: []string{"running", "failed", "succeeded", "waiting"}[i%4],
			Name: fmt.Sprintf("playbook-%d", i%10), At: storetest.Time(int64(i)), Body: batch.Entries[0].Payload[:200],
		}
		if i%4 == 3 {
			r.Due = storetest.Time(int64(5000 - i))
		}
		batch.Rows = []store.Row{r}
		if a := s.Commit(b.Context(), []store.Batch{batch}); a[0].Err != nil {
			b.Fatal(a[0].Err)
		}
	}
	return s
}

func BenchmarkRead(b *testing.B) {
	s := filled(b)
	n := 0
	for b.Loop() {
		e, err := s.Read(context.Background(), fmt.Sprintf("run/run_%020d", n%1000), 1, 0)
		if err != nil || len(e) != 20 {
			b.Fatal(len(e), err)
		}
		n++
	}
	b.ReportMetric(20*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

func BenchmarkRows(b *testing.B) {
	s := filled(b)
	for name, f := range map[string]store.Filter{
		"newest": {},
		"status": {Status: []string{"failed"}},
		"open":   {Status: []string{"running", "waiting"}},
		"name":   {Name: "playbook-3"},
		"due":    {DueBy: storetest.Time(10_000)},
		"one":    {ID: "run_00000000000000000500"},
	} {
		f.Kind = "run"
		b.Run(name, func(b *testing.B) {
			rows := 0
			for b.Loop() {
				p, err := s.Rows(context.Background(), f)
				if err != nil {
					b.Fatal(err)
				}
				rows += len(p.Rows)
			}
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
