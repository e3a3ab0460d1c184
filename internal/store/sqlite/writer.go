package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/store"
)

// writer is the one connection that writes. Everything in it is guarded by mu.
//
// What it remembers (index, epochs, heads) lets it answer most batches without a query. That is safe because every
// transaction of every process raises meta.ix, and the writer's own raises it only from the value that it remembers: if
// somebody else wrote in between, no row matches, the transaction is rolled back, the memory is dropped and the group
// is decided again.
type writer struct {
	mu    sync.Mutex
	store *Store
	db    *sql.DB
	c     *sql.Conn
	st    prepared

	known   bool // whether the three below are what is stored
	fresh   bool // whether they were read in this very transaction
	index   uint64
	epochs  [shards]uint64
	heads   heads
	pending map[string]head // ends of streams as the transaction leaves them

	buf      []byte // scratch for one record
	instance string
	marked   time.Time   // when high-water was written last
	later    *time.Timer // writes it when commits pause
	log      int64       // size of the log at which it is folded back by force
	grown    int64       // pages that the log may have grown by since its size was looked at
	owed     bool        // an erasure waits for the log to be cut
}

// prepared are the statements of the hot path.
type prepared struct {
	begin, commit, rollback        *sql.Stmt
	index, newStream, stream, last *sql.Stmt
	insert, update, one            *sql.Stmt
	change, upsert, remove, halt   *sql.Stmt
	all                            []*sql.Stmt
}

// openWriter opens the connection, and the database for the first time: it makes and migrates it.
func openWriter(ctx context.Context, s *Store, pages int) (_ *writer, err error) {
	w := &writer{store: s, pending: map[string]head{}, log: s.log}
	w.heads.clear()
	w.db, err = connect(s.path, s.vfs, "journal_mode(wal)", "synchronous(full)", "fullfsync(1)", "checkpoint_fullfsync(1)",
		"secure_delete(1)", "cache_size(-16384)", fmt.Sprintf("wal_autocheckpoint(%d)", pages), fmt.Sprintf("journal_size_limit(%d)", s.log))
	if err != nil {
		return nil, err
	}
	w.db.SetMaxOpenConns(1)
	defer func() {
		if err != nil {
			_ = w.close()
		}
	}()
	if w.c, err = w.db.Conn(ctx); err != nil {
		return nil, classify(err, "open %s", s.path)
	}
	var version, mode string
	if err := w.c.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&version); err != nil {
		return nil, classify(err, "open %s", s.path)
	}
	if err := checkVersion(version); err != nil {
		return nil, err
	}
	if err := w.c.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return nil, classify(err, "open %s", s.path)
	}
	if mode != "wal" {
		return nil, unavailable(nil, fmt.Sprintf("open %s: its file system cannot share memory, which the write-ahead log needs (mode %q)", s.path, mode))
	}
	if err := migrate(ctx, w.c, s.path); err != nil {
		return nil, err
	}
	if err := w.prepare(ctx); err != nil {
		return nil, err
	}
	return w, classify(w.load(ctx), "read the state of %s", s.path)
}

func (w *writer) prepare(ctx context.Context) error {
	for _, p := range []struct {
		to   **sql.Stmt
		text string
	}{
		{&w.st.begin, "BEGIN IMMEDIATE"},
		{&w.st.commit, "COMMIT"},
		{&w.st.rollback, "ROLLBACK"},
		{&w.st.index, "UPDATE meta SET ix = ? WHERE ix = ?"},
		{&w.st.halt, "UPDATE meta SET halted = ?"},
		{&w.st.stream, "SELECT id FROM stream WHERE name = ?"},
		{&w.st.newStream, "INSERT INTO stream (name) VALUES (?) ON CONFLICT DO NOTHING"},
		{&w.st.last, "SELECT seq, data FROM entry WHERE stream = ? ORDER BY seq DESC LIMIT 1"},
		{&w.st.one, "SELECT data FROM entry WHERE stream = ? AND seq = ?"},
		{&w.st.insert, "INSERT INTO entry (stream, seq, data) VALUES (?, ?, ?)"},
		{&w.st.update, "UPDATE entry SET data = ? WHERE stream = ? AND seq = ?"},
		{&w.st.change, changeRow},
		{&w.st.upsert, upsertRow},
		{&w.st.remove, "DELETE FROM row WHERE kind = ? AND id = ?"},
	} {
		var err error
		if *p.to, err = w.c.PrepareContext(ctx, p.text); err != nil { //nolint:sqlclosecheck // kept until close
			return classify(err, "open %s", w.store.path)
		}
		w.st.all = append(w.st.all, *p.to)
	}
	return nil
}

const (
	insertRow = `INSERT INTO row (kind, id, project, status, name, parent, tag, at, due, labels, body, crc)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (kind, id) DO UPDATE SET status = excluded.status, tag = excluded.tag, due = excluded.due, body = excluded.body, crc = excluded.crc`
	// Rows seldom change in the rest, and what is not set costs no write to its index.
	changeRow = insertRow + `
WHERE row.project = excluded.project AND row.name = excluded.name AND row.parent = excluded.parent AND row.at = excluded.at
  AND row.labels = excluded.labels`
	upsertRow = insertRow + `, project = excluded.project, name = excluded.name, parent = excluded.parent, at = excluded.at,
  labels = excluded.labels`
)

func (w *writer) close() error {
	if w.later != nil {
		w.later.Stop()
	}
	var errs []error
	for _, st := range w.st.all { // one that stays open would keep the connection open, and the log unfolded
		errs = append(errs, st.Close())
	}
	if w.c != nil {
		errs = append(errs, w.c.Close())
	}
	if w.db != nil {
		errs = append(errs, w.db.Close())
	}
	return errors.Join(errs...)
}

// errMoved says that another process wrote to the database since the writer looked.
var errMoved = errors.New("another process wrote to the database")

// begin opens a transaction and makes sure that the writer knows what is stored.
func (w *writer) begin() error {
	ctx := context.Background()
	if _, err := w.st.begin.ExecContext(ctx); err != nil {
		return classify(err, "begin to write to %s", w.store.path)
	}
	clear(w.pending)
	if w.fresh = !w.known; w.known {
		return nil
	}
	if err := w.load(ctx); err != nil {
		return errors.Join(classify(err, "read the state of %s", w.store.path), w.undo())
	}
	return nil
}

func (w *writer) load(ctx context.Context) error {
	w.heads.clear()
	if err := w.c.QueryRowContext(ctx, "SELECT instance, ix FROM meta").Scan(&w.instance, &w.index); err != nil {
		return err
	}
	rows, err := w.c.QueryContext(ctx, "SELECT id, epoch FROM shard WHERE id BETWEEN 0 AND ?", shards-1)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var n int
		var epoch uint64
		if err := rows.Scan(&n, &epoch); err != nil {
			return err
		}
		w.epochs[n] = epoch
	}
	w.known = rows.Err() == nil
	return rows.Err()
}

// finish raises the index by n and commits. On an error the transaction is over and nothing of it is there, unless the
// error is ErrIndeterminate: then the store is broken.
func (w *writer) finish(n int) error {
	ctx := context.Background()
	res, err := w.st.index.ExecContext(ctx, int64(w.index)+int64(n), int64(w.index))
	if err == nil {
		var changed int64
		if changed, err = res.RowsAffected(); err == nil && changed != 1 {
			err = errMoved
		}
	}
	if err != nil {
		return errors.Join(err, w.undo())
	}
	if _, err = w.st.commit.ExecContext(ctx); err != nil {
		return w.uncertain(ctx, err)
	}
	w.index += uint64(n)
	for name, h := range w.pending {
		w.heads.put(name, h)
	}
	return nil
}

// leave ends a transaction that wrote nothing, and makes sure that what was decided in it was not decided from old memory.
func (w *writer) leave() error {
	var stored uint64
	err := w.c.QueryRowContext(context.Background(), "SELECT ix FROM meta").Scan(&stored)
	if err == nil && stored != w.index {
		err = errMoved
	}
	if undo := w.undo(); undo != nil || err != nil {
		return errors.Join(err, undo)
	}
	w.known = true
	return nil
}

// uncertain judges a COMMIT that failed. SQLite says FULL only for a write that came before the record that makes the
// transaction valid, and BUSY before any; all the rest may have left the transaction behind.
func (w *writer) uncertain(ctx context.Context, err error) error {
	switch code(err) {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY:
		before := w.index
		if undo := w.undo(); undo != nil {
			return errors.Join(err, undo)
		}
		var after uint64
		if again := w.c.QueryRowContext(ctx, "SELECT ix FROM meta").Scan(&after); again == nil && after == before {
			return err
		}
	}
	return w.stop(err)
}

// undo rolls back and forgets. A transaction that cannot be rolled back breaks the store.
func (w *writer) undo() error {
	w.known = false
	_, err := w.st.rollback.ExecContext(context.Background())
	if err == nil || strings.Contains(err.Error(), "no transaction is active") { // SQLite rolled back by itself
		return nil
	}
	return w.stop(err)
}

// stop breaks the store: nothing goes on until it is opened again.
func (w *writer) stop(err error) error {
	w.known = false
	w.store.broken.CompareAndSwap(nil, &err)
	return fmt.Errorf("%w: %w", store.ErrIndeterminate, err)
}

// claim raises the epoch of all shards.
func (w *writer) claim(ctx context.Context) (uint64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.store.use(ctx); err != nil {
		return 0, err
	}
	var epoch uint64
	err := w.alone(func() error {
		epoch = 0
		for _, e := range w.epochs {
			epoch = max(epoch, e)
		}
		epoch++
		res, err := w.c.ExecContext(context.Background(), "UPDATE shard SET epoch = ?", int64(epoch))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n != shards {
			return errors.Join(err, damagedFile(w.store.path, "it has %d shards instead of %d", n, shards))
		}
		return nil
	})
	if err != nil {
		return 0, classify(err, "claim %s", w.store.path)
	}
	for i := range w.epochs {
		w.epochs[i] = epoch
	}
	return epoch, nil
}

// alone runs a transaction of its own, again when another process wrote in between.
func (w *writer) alone(do func() error) error {
	for {
		if err := w.begin(); err != nil {
			return err
		}
		if err := do(); err != nil {
			return errors.Join(err, w.undo())
		}
		if err := w.finish(1); err == nil || !errors.Is(err, errMoved) || errors.Is(err, store.ErrIndeterminate) {
			return err
		}
	}
}

// remembers tells whether the end of a stream is known without asking the database.
func (w *writer) remembers(stream string) bool {
	if _, ok := w.pending[stream]; ok {
		return true
	}
	_, ok := w.heads.get(stream)
	return ok
}

// head gives the end of a stream: from the transaction, from memory, or from the database.
func (w *writer) head(ctx context.Context, stream string) (head, error) {
	if h, ok := w.pending[stream]; ok {
		return h, nil
	}
	if h, ok := w.heads.get(stream); ok {
		return h, nil
	}
	var h head
	var data []byte
	switch err := w.st.stream.QueryRowContext(ctx, stream).Scan(&h.number); {
	case errors.Is(err, sql.ErrNoRows):
		return head{}, nil
	case err != nil:
		return head{}, err
	}
	switch err := w.st.last.QueryRowContext(ctx, h.number).Scan(&h.length, &data); {
	case errors.Is(err, sql.ErrNoRows):
		return h, nil
	case err != nil:
		return head{}, err
	}
	e := entry.Entry{Stream: stream, Seq: h.length}
	if err := parseRecord(data, &e); err != nil {
		return head{}, damagedEntry(stream, h.length, err)
	}
	h.hash = e.Hash
	w.pending[stream] = h // kept when the transaction is
	return h, nil
}
