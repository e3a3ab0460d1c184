package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/tendhq/tend/internal/fault"
)

// Verify implements store.Verifier: SQLite's own check of the file, then every stream's chain, then every row's
// checksum. Streams go on to be written meanwhile; what is appended after a stream was read is not looked at.
func (s *Store) Verify(ctx context.Context) (streams, entries int, damaged []error, err error) {
	done, err := s.long(ctx)
	if err != nil {
		return 0, 0, nil, err
	}
	defer done()
	return verify(ctx, s.reads, s.path)
}

// long passes the door for what takes long: it keeps the log from being cut, and the store from being closed, but not
// other readers and the writer from going on.
func (s *Store) long(ctx context.Context) (done func(), err error) {
	s.stay.RLock()
	s.gate.RLock() // not while the log is being cut
	s.copying.Add(1)
	s.gate.RUnlock()
	end := func() {
		s.copying.Add(-1)
		s.stay.RUnlock()
	}
	if err := s.use(ctx); err != nil {
		end()
		return nil, err
	}
	return end, nil
}

func verify(ctx context.Context, db *sql.DB, path string) (streams, entries int, damaged []error, err error) {
	note := func(format string, a ...any) { damaged = append(damaged, damagedFile(path, format, a...)) }
	if err := checkFile(ctx, db, path, note); err != nil {
		return 0, 0, nil, err
	}
	st, err := db.PrepareContext(ctx, readEntries)
	if err != nil {
		return 0, 0, nil, classify(err, "verify %s", path)
	}
	defer st.Close() //nolint:errcheck // nothing depends on it
	for last := ""; ; {
		names, err := streamNames(ctx, db, last)
		switch {
		case fault.Is(err, fault.Damaged):
			note("the streams after %q cannot be listed: %v", last, err)
			return streams, entries, damaged, nil
		case err != nil:
			return streams, entries, damaged, err
		case len(names) == 0:
			err := classify(checkRows(ctx, db, note), "list the rows")
			if fault.Is(err, fault.Damaged) {
				note("%v", err)
				err = nil
			}
			return streams, entries, damaged, err
		}
		for _, name := range names {
			n, bad, err := verifyStream(ctx, st, name)
			if err != nil {
				return streams, entries, damaged, err
			}
			streams++
			entries += n
			if bad != nil {
				damaged = append(damaged, bad)
			}
		}
		last = names[len(names)-1]
	}
}

// checkFile asks SQLite whether pages and indexes hold together, and whether every entry has a stream.
func checkFile(ctx context.Context, db *sql.DB, path string, note func(string, ...any)) error {
	rows, err := db.QueryContext(ctx, `PRAGMA integrity_check(20)`)
	if err == nil {
		defer rows.Close()
		for rows.Next() {
			var said string
			if err = rows.Scan(&said); err != nil {
				break
			}
			if said != "ok" {
				note("%s", said)
			}
		}
		err = errors.Join(err, rows.Err())
	}
	if err == nil {
		var lost int64
		err = db.QueryRowContext(ctx, "SELECT count(DISTINCT stream) FROM entry WHERE stream NOT IN (SELECT id FROM stream)").Scan(&lost)
		if lost > 0 {
			note("the names of %d streams are missing", lost)
		}
	}
	if err = classify(err, "verify %s", path); fault.Is(err, fault.Damaged) {
		note("%v", err)
		return nil
	}
	return err
}

func streamNames(ctx context.Context, db *sql.DB, after string) (names []string, err error) {
	rows, err := db.QueryContext(ctx, "SELECT name FROM stream WHERE name > ? ORDER BY name LIMIT 1000", after)
	if err != nil {
		return nil, classify(err, "list the streams")
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, classify(err, "list the streams")
		}
		names = append(names, name)
	}
	return names, classify(rows.Err(), "list the streams")
}

// verifyStream reads a stream to its end or to the first damage.
func verifyStream(ctx context.Context, st *sql.Stmt, name string) (entries int, damaged, err error) {
	const part = 500
	for {
		got, err := readStream(ctx, st, name, uint64(entries)+1, part)
		switch {
		case fault.Is(err, fault.Damaged), fault.Is(err, fault.Newer):
			return entries, err, nil
		case err != nil:
			return entries, nil, err
		}
		entries += len(got)
		switch {
		case len(got) == part:
		case entries == 0:
			return 0, fault.New(fault.Damaged, "%s entry 1 is missing: the stream has a name and nothing else", name), nil
		default:
			return entries, nil, nil
		}
	}
}

// checkRows compares every row with its checksum.
func checkRows(ctx context.Context, db *sql.DB, note func(string, ...any)) error {
	rows, err := db.QueryContext(ctx, "SELECT "+rowColumns+" FROM row ORDER BY kind, id")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		r, whole, err := scanRow(rows)
		if err != nil {
			return err
		}
		if !whole {
			note("row %s %q was altered", r.Kind, r.ID)
		}
	}
	return rows.Err()
}
