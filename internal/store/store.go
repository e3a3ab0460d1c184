// Package store is the port of the journal: streams of entries, and the rows that lists are made from.
//
// Guarantees every implementation gives (package storetest proves them):
//
//   - A Batch is all or nothing, and durable when Commit answers without error: it survives kill -9 and a power cut.
//   - A Batch is refused with ErrConflict when a stream does not have the expected length, and with ErrStale when the
//     epoch of a shard moved on. Other batches of the same Commit are not affected.
//   - ErrIndeterminate means that nobody knows whether the batch is there. The caller stops, reopens and reads again.
//     Every call after it answers ErrBroken.
//   - Entries of a stream are read in order, each verified against its checksum and the hash of the one before it. Damage
//     is answered with an error of kind fault.Damaged that names stream and place, and is never served as data.
//
// Not guaranteed: an order between batches of different streams beyond their Index.
package store

import (
	"context"
	"errors"
	"time"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/entry"
)

// Errors of Commit, besides errors of kind fault.Unavailable (disk full, read only: nothing was written, try later) and
// fault.Damaged.
var (
	ErrConflict      = errors.New("somebody else wrote to the stream first")
	ErrStale         = errors.New("the lease of the writer is over")
	ErrIndeterminate = errors.New("it is not known whether the batch was written")
	ErrBroken        = errors.New("the store must be reopened after an indeterminate write")
)

// Store is the port. All methods are safe for concurrent use.
type Store interface {
	// Commit writes batches as a group: one transaction and one fsync for all. The answers are in the order of the batches.
	Commit(ctx context.Context, batches []Batch) []Answer
	// Read gives up to limit entries of a stream from Seq from on (1 is the first), verified. limit <= 0 means 1000.
	// A stream that does not exist is empty.
	Read(ctx context.Context, stream string, from uint64, limit int) ([]entry.Entry, error)
	// Head tells how long a stream is and the hash of its last entry, which is verified by itself; zero for a stream that
	// does not exist.
	Head(ctx context.Context, stream string) (Head, error)
	// Rows lists rows by filter.
	Rows(ctx context.Context, f Filter) (Page, error)
	// Claim takes all shards for holder until the returned lease ends, and raises their epoch. On one machine the data
	// directory's lock is the lease, so Until is zero (no end).
	Claim(ctx context.Context, holder string) (Lease, error)
	// Identity tells which store this is and how far it is.
	Identity(ctx context.Context) (Identity, error)
	Close() error
}

// Backuper is implemented by stores that can copy themselves while in use.
type Backuper interface {
	// Backup writes a consistent copy to path, which must not exist, and verifies it.
	Backup(ctx context.Context, path string) error
}

// Verifier is implemented by stores that can check all of their streams.
type Verifier interface {
	// Verify reads everything and gives one error per damaged stream, in order of streams, and the number of streams and
	// entries that were checked.
	Verify(ctx context.Context) (streams, entries int, damaged []error, err error)
}

// Lease is the right to write to shards.
type Lease struct {
	Holder string
	Epoch  uint64
	Until  time.Time
}

// Identity of a store. Instance changes when a backup is restored; Index is that of the last commit.
type Identity struct {
	Instance string
	Index    uint64
	Schema   int
	Halted   string // "" or why: nothing may start
}

// Batch is what one decision writes.
type Batch struct {
	Epoch   uint64        // of the lease under which it was decided
	Shards  []int         // the shards that it touches: their epoch must still be Epoch
	Expect  []Expect      // lengths of the streams that it appends to, and of others that it depends on
	Entries []entry.Entry // sealed; numbered from Expect+1 on for each stream
	Delete  []Key         // rows to remove, before Rows is written
	Rows    []Row         // upserts
	Erase   []Erasure
	Halt    *string // sets Identity.Halted ("" un-halts)
}

// Head is the end of a stream.
type Head struct {
	Length uint64
	Hash   entry.Hash
}

// Expect says how long a stream must be before the batch.
type Expect struct {
	Stream string
	Length uint64
}

// Erasure replaces the payload of a stored entry.
type Erasure struct {
	Stream  string
	Seq     uint64
	Payload []byte
}

// Answer is the result of one batch. Index grows with every committed batch of the store.
type Answer struct {
	Index uint64
	Err   error
}

// Key names a row.
type Key struct {
	Kind string // "run", "task", "lock", "wake", …
	ID   string
}

// Row is a derived record that lists and look-ups are made from. It can be rebuilt from the streams.
type Row struct {
	Key
	Project string            // "default"
	Status  string            // run: its status; task: open, approved, …
	Name    string            // run: playbook; task: title
	Parent  string            // run: parent run; task: its run
	Tag     string            // free: correlation key of a waiting run, key of a lock
	At      time.Time         // birth
	Due     time.Time         // when something must happen next; zero: never
	Labels  map[string]string // what roles can be bound by
	Body    []byte            // canonical JSON
}

// Filter selects rows. Zero fields do not restrict.
type Filter struct {
	Kind    string // required
	ID      string // exact
	Prefix  string // of the ID
	Project string
	Status  []string
	Name    string
	Parent  string
	Tag     string
	Source  string        // of events: what their body says in "source"; other kinds have none
	Since   time.Time     // born then or later
	Until   time.Time     // born before
	DueBy   time.Time     // rows with a Due that is not zero and not after it, in order of Due
	Sight   *access.Sight // what of it somebody may look at; nil: everything
	Limit   int           // default 100
	Cursor  string        // from Page.Next
	Oldest  bool          // oldest first; default newest first (by At, then ID)
}

// Page is a part of a list. Next is "" at the end. Damaged names rows that were selected and do not match their checksum:
// they are not served; the streams that they were derived from tell what they said.
type Page struct {
	Rows    []Row
	Next    string
	Damaged []Key
}
