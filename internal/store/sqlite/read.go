package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"sync"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/store"
)

const readEntries = `SELECT seq, data FROM entry
WHERE stream = (SELECT id FROM stream WHERE name = ?) AND seq >= ? ORDER BY seq LIMIT ?`

// Read implements store.Store.
func (s *Store) Read(ctx context.Context, stream string, from uint64, limit int) ([]entry.Entry, error) {
	done, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	return readStream(ctx, s.entry, stream, max(from, 1), store.ReadLimit(limit))
}

// readStream reads from the entry before `from` on: the first that is given must follow it.
func readStream(ctx context.Context, st *sql.Stmt, stream string, from uint64, limit int) (out []entry.Entry, err error) {
	first := from
	if from > 1 {
		first, limit = from-1, limit+1
	}
	rows, err := st.QueryContext(ctx, stream, int64(first), limit)
	if err != nil {
		return nil, classify(err, "read %s", stream)
	}
	defer rows.Close()
	var prev *entry.Entry
	for rows.Next() {
		var data []byte
		e := entry.Entry{Stream: stream}
		if err := rows.Scan(&e.Seq, &data); err != nil {
			return nil, classify(err, "read %s", stream)
		}
		if err := parseRecord(data, &e); err != nil {
			return nil, damagedEntry(stream, e.Seq, err)
		}
		if prev == nil && e.Seq == first && from > 1 {
			prev = &e // known by its hash; whoever wants it as data asks for it
			continue
		}
		if prev == nil && from > 1 {
			return nil, fault.New(fault.Damaged, "%s entry %d is missing", stream, first)
		}
		if err := e.Verify(prev); err != nil {
			return nil, err
		}
		out = append(out, e)
		prev = &out[len(out)-1]
	}
	if err := rows.Err(); err != nil {
		last := first
		if prev != nil {
			last = prev.Seq + 1
		}
		return nil, classify(err, "read %s entry %d", stream, last)
	}
	return out, nil
}

const readHead = `SELECT seq, data FROM entry
WHERE stream = (SELECT id FROM stream WHERE name = ?) ORDER BY seq DESC LIMIT 1`

// Head implements store.Store. The last entry is verified by itself; whether it follows the others, Read tells.
func (s *Store) Head(ctx context.Context, stream string) (store.Head, error) {
	done, err := s.read(ctx)
	if err != nil {
		return store.Head{}, err
	}
	defer done()
	e := entry.Entry{Stream: stream}
	var data []byte
	switch err := s.head.QueryRowContext(ctx, stream).Scan(&e.Seq, &data); {
	case errors.Is(err, sql.ErrNoRows):
		return store.Head{}, nil
	case err != nil:
		return store.Head{}, classify(err, "read the head of %s", stream)
	}
	if err := parseRecord(data, &e); err != nil {
		return store.Head{}, damagedEntry(stream, e.Seq, err)
	}
	if err := e.Verify(&entry.Entry{Seq: e.Seq - 1, Hash: e.Prev}); err != nil {
		return store.Head{}, err
	}
	return store.Head{Length: e.Seq, Hash: e.Hash}, nil
}

// statements keeps the prepared texts of lists. There are as many as there are shapes of a filter.
type statements struct {
	mu   sync.Mutex
	text map[string]*sql.Stmt
}

func (s *statements) get(ctx context.Context, db *sql.DB, text string) (*sql.Stmt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st, ok := s.text[text]; ok {
		return st, nil
	}
	st, err := db.PrepareContext(ctx, text) //nolint:sqlclosecheck // kept until close
	if err != nil {
		return nil, err
	}
	if s.text == nil {
		s.text = map[string]*sql.Stmt{}
	}
	s.text[text] = st
	return st, nil
}

func (s *statements) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, st := range s.text {
		errs = append(errs, st.Close())
	}
	s.text = nil
	return errors.Join(errs...)
}
