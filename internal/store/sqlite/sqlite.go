// Package sqlite keeps the journal of one machine in an SQLite database.
//
// One process owns the directory; it writes through one connection, and commits what several callers want as one
// transaction with one fsync (synchronous=FULL: what was answered survives a power cut). Reads go through a small pool
// and see a snapshot each; they never wait for the writer, but for the rare moment in which a log that grew too long is
// folded back.
//
// Guarantees beyond those of the port:
//
//   - A second process that writes to the same database is noticed at the next commit: expectations and epochs are
//     checked against what is stored, never against what is only remembered.
//   - A database that is newer than the binary is refused before anything of it is opened. One that belongs to another
//     user is refused, too: files that the wrong user creates beside it would lock its owner out.
//   - A database that is not the one that was here last, or that has lost commits, opens halted. A small file beside it
//     (high-water) says what was seen; it is written about once a second and at Close, without fsync, so that up to the
//     last second of a rollback may go unnoticed.
//   - Erased payloads are overwritten in the file, and the log that held them is cut.
//
// Not guaranteed: damage to a page that holds the names of streams makes streams unreadable until a backup is restored;
// Verify finds it. Names and rows are protected by SQLite's structure checks and by a checksum per row.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	_ "modernc.org/sqlite" // the database/sql driver "sqlite"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/id"
	"github.com/tendhq/tend/internal/store"
)

// File is the name of the database in its directory.
const File = "tend.db"

// Config says how to open a store. Only Dir is required.
type Config struct {
	Dir     string // made when it is not there
	Readers int    // connections that read; default 4
	Log     int    // pages that the write-ahead log may have before it is folded back; default 2000 (8 MiB)
	VFS     string // name of SQLite's file layer; default SQLite's own. Tests put a recording one between
}

// Store is an open database. It implements store.Store, store.Backuper and store.Verifier.
type Store struct {
	path  string
	vfs   string
	log   int64 // bytes of write-ahead log above which readers are asked to step aside
	write *writer
	reads *sql.DB
	rows  statements
	entry *sql.Stmt // of Read
	head  *sql.Stmt // of Head

	// gate is held shared by every read, and alone to fold the log back and to close.
	gate    sync.RWMutex
	copying atomic.Int32 // backups and verifications that hold a snapshot for long
	stay    sync.RWMutex // held shared by them: Close waits
	closed  atomic.Bool
	broken  atomic.Pointer[error]
}

// Open opens the database in c.Dir, makes it when it is not there, and brings it to this binary's schema.
func Open(ctx context.Context, c Config) (*Store, error) {
	if c.Readers <= 0 {
		c.Readers = 4
	}
	if c.Log <= 0 {
		c.Log = 2000
	}
	path := filepath.Join(c.Dir, File)
	if err := prepare(c.Dir, path); err != nil {
		return nil, err
	}
	if _, err := inspect(path); err != nil {
		return nil, err
	}
	s := &Store{path: path, vfs: c.VFS, log: int64(c.Log) * 4096 * 8}
	if err := s.open(ctx, c); err != nil {
		_ = s.release()
		return nil, err
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, c Config) error {
	w, err := openWriter(ctx, s, c.Log)
	if err != nil {
		return err
	}
	s.write = w
	s.reads, err = connect(s.path, s.vfs, "query_only(1)", "cache_size(-4096)")
	if err != nil {
		return err
	}
	s.reads.SetMaxOpenConns(c.Readers)
	s.reads.SetMaxIdleConns(c.Readers)
	if s.entry, err = s.reads.PrepareContext(ctx, readEntries); err != nil {
		return classify(err, "open %s", s.path)
	}
	if s.head, err = s.reads.PrepareContext(ctx, readHead); err != nil {
		return classify(err, "open %s", s.path)
	}
	if err := s.compareHighWater(ctx); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mark(time.Time{})
	return nil
}

// prepare makes the directory and an empty file that only its owner can read, and refuses what would fail later with a
// message that helps nobody.
func prepare(dir, path string) error {
	if err := makeDir(filepath.Clean(dir)); err != nil {
		return unavailable(err, "make the data directory")
	}
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return unavailable(err, "make the database")
		}
		if err := f.Close(); err != nil {
			return unavailable(err, "make the database")
		}
		return syncDir(dir)
	}
	if err != nil {
		return unavailable(err, "look at the database")
	}
	if !info.Mode().IsRegular() {
		return fault.New(fault.Unavailable, "%s is not a file", path).WithNext("choose another data directory")
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && int(st.Uid) != os.Geteuid() {
		return fault.New(fault.Unavailable, "%s belongs to user %d, and this process is user %d", path, st.Uid, os.Geteuid()).
			WithNext("run as its owner, or choose another data directory")
	}
	for _, p := range []string{path, dir} {
		if err := syscall.Access(p, readWrite); err != nil {
			return unavailable(&os.PathError{Op: "write", Path: p, Err: err}, "open the database")
		}
	}
	return nil
}

// makeDir makes a directory and what is missing above it, and syncs each name that it made.
func makeDir(name string) error {
	err := os.Mkdir(name, 0o700)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeDir(filepath.Dir(name)); err != nil {
			return err
		}
		err = os.Mkdir(name, 0o700)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(name))
}

// readWrite asks access(2) about both.
const readWrite = 4 | 2

func unavailable(err error, doing string) error {
	e := &fault.Error{Kind: fault.Unavailable, Message: doing, Err: err}
	return e.WithNext("see who owns the data directory, and whether its disk is full or mounted read-only")
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return unavailable(err, "open the data directory")
	}
	err = d.Sync()
	return errors.Join(fault.Wrap(fault.Unavailable, err, "sync the data directory"), d.Close())
}

// connect prepares connections to a database. No memory map: an I/O error under one is a signal, not an error.
func connect(path, vfs string, pragmas ...string) (*sql.DB, error) {
	q := url.Values{"_txlock": {"immediate"}, "_pragma": append([]string{
		"busy_timeout(5000)", "mmap_size(0)", "trusted_schema(0)", "cell_size_check(1)",
	}, pragmas...)}
	if vfs != "" {
		q.Set("vfs", vfs)
	}
	u := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: q.Encode()}
	db, err := sql.Open("sqlite", u.String())
	return db, fault.Wrap(fault.Internal, err, "open %s", path)
}

// oldest SQLite in which the reset of the log cannot damage the database.
const oldest = "3.51.3"

func checkVersion(v string) error {
	var a, b, c, x, y, z int
	if _, err := fmt.Sscanf(v, "%d.%d.%d", &a, &b, &c); err != nil {
		return fault.Wrap(fault.Internal, err, "read SQLite's version %q", v)
	}
	if _, err := fmt.Sscanf(oldest, "%d.%d.%d", &x, &y, &z); err != nil {
		return fault.Wrap(fault.Internal, err, "read the version %q", oldest)
	}
	if a*1e6+b*1e3+c < x*1e6+y*1e3+z {
		return fault.New(fault.Internal, "this binary has SQLite %s; before %s it can damage databases", v, oldest)
	}
	return nil
}

// use is the door of every call.
func (s *Store) use(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fault.Wrap(fault.Cancelled, context.Cause(ctx), "use the store")
	}
	if why := s.broken.Load(); why != nil {
		return fmt.Errorf("%w: %w", store.ErrBroken, *why)
	}
	if s.closed.Load() {
		return fault.New(fault.Unavailable, "the store is closed")
	}
	return nil
}

// read passes the door for a read; done must be called when err is nil.
func (s *Store) read(ctx context.Context) (done func(), err error) {
	s.gate.RLock()
	if err := s.use(ctx); err != nil {
		s.gate.RUnlock()
		return nil, err
	}
	return s.gate.RUnlock, nil
}

// Claim implements store.Store.
func (s *Store) Claim(ctx context.Context, holder string) (store.Lease, error) {
	if err := s.use(ctx); err != nil {
		return store.Lease{}, err
	}
	epoch, err := s.write.claim(ctx)
	if err != nil {
		return store.Lease{}, err
	}
	return store.Lease{Holder: holder, Epoch: epoch}, nil
}

// Identity implements store.Store.
func (s *Store) Identity(ctx context.Context) (store.Identity, error) {
	done, err := s.read(ctx)
	if err != nil {
		return store.Identity{}, err
	}
	defer done()
	i := store.Identity{Schema: Schema}
	err = s.reads.QueryRowContext(ctx, "SELECT instance, ix, halted FROM meta").Scan(&i.Instance, &i.Index, &i.Halted)
	return i, classify(err, "read the identity of %s", s.path)
}

// Close implements store.Store. It waits for calls that are under way.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	s.stay.Lock()
	defer s.stay.Unlock()
	s.write.mu.Lock()
	defer s.write.mu.Unlock()
	s.gate.Lock()
	defer s.gate.Unlock()
	if s.broken.Load() == nil {
		s.write.mark(time.Time{})
	}
	return s.release()
}

// release gives up what Open acquired, the writer last: the last connection folds the log back and removes it.
func (s *Store) release() error {
	var errs []error
	for _, st := range []*sql.Stmt{s.entry, s.head} {
		if st != nil {
			errs = append(errs, st.Close())
		}
	}
	errs = append(errs, s.rows.close())
	if s.reads != nil {
		errs = append(errs, s.reads.Close())
	}
	if s.write != nil {
		errs = append(errs, s.write.close())
	}
	return classify(errors.Join(errs...), "close %s", s.path)
}

// shards is the number of rows in the table of that name.
const shards = id.Shards

// quote makes a text literal, for the one statement that takes no parameters.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
