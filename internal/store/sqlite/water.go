package sqlite

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/tendhq/tend/internal/store"
)

// HighWater is the name of the file beside the database that says which database was here and how far it had come.
const HighWater = "high-water"

// every is how often it is written while commits come.
const every = time.Second

const waterFormat = "tend 1 %s %d\n"

// mark sees to it that high-water is written within a second; a zero now asks for it at once. It is a hint, written
// without fsync: what it says is always less than what is durable, and when it cannot be written or read, only a rollback
// goes unnoticed.
func (w *writer) mark(now time.Time) {
	switch wait := every - now.Sub(w.marked); {
	case !w.known:
	case now.IsZero() || wait <= 0 || wait > every: // or a clock that jumped
		w.marked = now
		_ = writeHighWater(filepath.Dir(w.store.path), w.instance, w.index)
		w.even()
	case w.later == nil: // commits may end here: then somebody must write what was reached
		w.later = time.AfterFunc(wait, func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.later = nil
			if !w.store.closed.Load() {
				w.mark(time.Time{})
			}
		})
	}
}

// even gives all connections of the process the same chance at pages in memory. They share one pool (this SQLite is built
// with memory management), and a connection whose cache is full takes the oldest pages of all: after a reader's long scan
// the writer owns too few, and reads every page that it needs anew for each transaction. An empty pool costs one read for
// each page that is in use.
func (w *writer) even() {
	_, _ = w.c.ExecContext(context.Background(), "PRAGMA shrink_memory")
}

func writeHighWater(dir, instance string, index uint64) error {
	tmp := filepath.Join(dir, HighWater+".new")
	if err := os.WriteFile(tmp, fmt.Appendf(nil, waterFormat, instance, index), 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, filepath.Join(dir, HighWater))
}

// compareHighWater halts a store that is not what was here last.
func (s *Store) compareHighWater(ctx context.Context) error {
	text, err := os.ReadFile(filepath.Join(filepath.Dir(s.path), HighWater))
	if err != nil {
		return nil //nolint:nilerr // a new directory, or one that lost the hint
	}
	var instance string
	var index uint64
	if n, _ := fmt.Sscanf(string(text), waterFormat, &instance, &index); n != 2 || len(text) == 0 || text[len(text)-1] != '\n' {
		return nil // torn by a power cut
	}
	i, err := s.Identity(ctx)
	if err != nil {
		return err
	}
	var why string
	switch {
	case i.Halted != "":
		return nil // it says why already
	case i.Instance != instance:
		why = fmt.Sprintf("the database is not the one that was here last: this is %s at commit %d, that was %s at commit %d",
			i.Instance, i.Index, instance, index)
	case i.Index < index:
		why = fmt.Sprintf("the database went back in time: it is at commit %d and was at commit %d", i.Index, index)
	default:
		return nil
	}
	return s.Commit(ctx, []store.Batch{{Halt: &why}})[0].Err
}
