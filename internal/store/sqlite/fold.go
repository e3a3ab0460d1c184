package sqlite

import (
	"context"
	"os"

	"github.com/tendhq/tend/internal/store"
)

// fold bounds the write-ahead log. SQLite folds it back by itself after a commit when it has enough pages, but can
// start it anew only in a moment without readers. When readers always overlap, the log grows: then they are asked to
// step aside. After an erasure it is cut at once, because it still holds what was erased.
//
// While a backup or a verification holds its snapshot, the log must grow.
func (w *writer) fold(batches []store.Batch) {
	if w.store.broken.Load() != nil {
		return
	}
	w.grown += 8 // pages, generously: nearly always fewer
	for i := range batches {
		b := &batches[i]
		w.grown += int64(len(b.Entries) + 4*len(b.Rows) + len(b.Delete))
		for j := range b.Entries {
			w.grown += int64(len(b.Entries[j].Payload) / 4096)
		}
		w.owed = w.owed || len(b.Erase) > 0
	}
	if !w.owed {
		// The size is not looked at each time: Linux gives a file that was looked at a new time of change with the next
		// write, and then every fsync has the file system's journal to write too (measured: 250 µs instead of 180).
		if w.grown*4096 < w.log/8 {
			return
		}
		w.grown = 0
		info, err := os.Stat(w.store.path + "-wal")
		if err != nil || info.Size() < w.log {
			return
		}
	}
	w.store.gate.Lock()
	defer w.store.gate.Unlock()
	if w.store.copying.Load() > 0 {
		return
	}
	var busy, pages, folded int
	err := w.c.QueryRowContext(context.Background(), "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &folded)
	if err != nil || busy != 0 {
		// The log still holds everything, so nothing is lost: it is tried again when it has grown as much again.
		w.log += w.store.log
		return
	}
	w.log, w.owed = w.store.log, false
}
