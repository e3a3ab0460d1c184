package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/tendhq/tend/internal/fault"
)

// code gives SQLite's primary result code of err, or 0.
func code(err error) int {
	var e *driver.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

// full tells whether an error of the shared memory's file means that the disk is full: it holds nothing and cannot be
// damaged, but it must be given its size when a database is opened.
func full(err error) bool {
	var e *driver.Error
	return errors.As(err, &e) && e.Code() == sqlite3.SQLITE_IOERR_SHMSIZE
}

// classify gives err the kind that its cause deserves and says in the imperative what was being done.
func classify(err error, format string, a ...any) error {
	if err == nil {
		return nil
	}
	doing := fmt.Sprintf(format, a...)
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), code(err) == sqlite3.SQLITE_INTERRUPT:
		return fault.Wrap(fault.Cancelled, err, "%s", doing)
	}
	var known *fault.Error
	if errors.As(err, &known) {
		return fmt.Errorf("%s: %w", doing, err)
	}
	e := &fault.Error{Kind: fault.Internal, Message: doing, Err: err}
	primary := code(err)
	if full(err) {
		primary = sqlite3.SQLITE_FULL
	}
	switch primary {
	case sqlite3.SQLITE_FULL:
		e.Kind, e.Next = fault.Unavailable, "make room on the disk: nothing was written, and the store goes on by itself"
		e.Message += ": the disk is full"
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_AUTH:
		e.Kind, e.Next = fault.Unavailable, "see who owns the data directory, and whether its disk is mounted read-only"
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL:
		e.Kind, e.Next = fault.Unavailable, "another process holds the database: stop it, or try again"
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM:
		e.Kind, e.Next = fault.Unavailable, "look at the disk and its kernel messages"
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT,
		sqlite3.SQLITE_ERROR: // a statement does not fit the tables: they are not what their version says
		e.Kind, e.Next = fault.Damaged, "verify the store, and restore a backup when it says so"
	case 0: // not SQLite's
		switch {
		case errors.Is(err, sql.ErrConnDone), errors.Is(err, sql.ErrTxDone), errors.Is(err, errMoved):
		default: // database/sql could not convert what is stored, or the one row that must be there is not
			e.Kind, e.Next = fault.Damaged, "verify the store, and restore a backup when it says so"
		}
	}
	return e
}

func damagedFile(path, format string, a ...any) error {
	return fault.New(fault.Damaged, "%s is damaged: %s", path, fmt.Sprintf(format, a...)).
		WithNext("restore a backup")
}
