// Package ledger writes the server's own streams and rows: events, incidents, messages, schedules, and who did what.
// Everything that is a run's belongs to the engine, which shares the store and the lease with it.
//
// One goroutine writes. Batches that come while it commits share the next commit, and its one fsync. It guarantees:
//
//   - A Batch is all or nothing: facts, rows and audit facts together. When Append answers nil, it is durable.
//   - Batches are written in the order in which they were submitted.
//   - Unavailable means that nothing was written, and nothing of it will be: the caller says so, and may try again.
//   - When nobody knows whether a commit was written, or the lease is lost, the ledger is broken: it answers every call with
//     the reason until it is opened again, and closes Broken.
//
// It decides nothing. What a fact must not follow (an update to an incident that was read a moment ago) is for the caller
// to say, with Expect.
package ledger

import (
	"context"
	"crypto/rand"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/store"
)

// The streams of the audit trail of a server.
const (
	AuditServer = "audit/server" // what was changed: entry.Audited
	AuditAccess = "audit/access" // who was let do what, and who was not: entry.AccessDecided
)

// Fact is one entry to be.
type Fact struct {
	Stream  string
	Payload entry.Payload
	// Row, when set, gives a row that tells where the fact stands. It is called by the writer, with the fact's number.
	Row func(seq uint64) store.Row
}

// Batch is what one decision writes. Rows that are deleted and written in one batch are there afterwards.
type Batch struct {
	At     time.Time // of its facts; zero: when they are written
	Facts  []Fact
	Rows   []store.Row
	Delete []store.Key
	Expect []store.Expect  // how long streams must be: what it was decided on. Otherwise it is refused with Conflict
	Erase  []store.Erasure // payloads of entries that go for good
	Line   *Line
}

// Line is a row of batches of which each was decided on the ones before it: when one is refused, so is everything after
// it. Its owner hears of the refusals, and begins another line with what is really there. The zero Line is ready.
type Line struct {
	err error // only the writer touches it
}

func (l *Line) failed() error {
	if l == nil {
		return nil
	}
	return l.err
}

func (l *Line) fail(err error) {
	if l != nil && l.err == nil {
		l.err = err
	}
}

// Ledger is a Book with a goroutine. All methods are safe for concurrent use.
type Ledger struct {
	store  store.Store
	book   *Book
	log    *slog.Logger
	ctx    context.Context //nolint:containedctx // commits outlive the requests that asked for them
	cancel context.CancelFunc
	done   chan struct{}
	broken chan struct{}

	mu     sync.Mutex
	cond   *sync.Cond
	queue  []job
	closed bool
	why    error
	tails  map[*Tail]struct{}
}

type job struct {
	batch Batch
	done  func(error)
}

// groupFacts bounds how many facts share a commit, so that none of them waits long.
const groupFacts = 2048

// Open starts a ledger on a store that the engine has claimed: lease is the engine's. Close ends it, before the store.
func Open(s store.Store, lease store.Lease, log *slog.Logger) *Ledger {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	l := &Ledger{
		store: s, book: NewBook(s, lease, rand.Reader), log: log, done: make(chan struct{}), broken: make(chan struct{}), tails: map[*Tail]struct{}{},
	}
	l.cond = sync.NewCond(&l.mu)
	l.ctx, l.cancel = context.WithCancel(context.Background())
	go l.write()
	return l
}

// Append writes a batch and answers when it is durable. When ctx ends before, the batch may be written all the same.
func (l *Ledger) Append(ctx context.Context, b Batch) error {
	ch := make(chan error, 1) // the writer must not wait for a caller who left
	l.Submit(b, func(err error) { ch <- err })
	select {
	case err := <-ch:
		return err
	case <-ctx.Done():
		return fault.Wrap(fault.Cancelled, context.Cause(ctx), "wait for the ledger")
	}
}

// Submit writes a batch and calls done with the answer, from the writer's goroutine: done must not block.
func (l *Ledger) Submit(b Batch, done func(error)) {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		done(fault.New(fault.Unavailable, "the server is closing"))
		return
	}
	l.queue = append(l.queue, job{b, done})
	l.mu.Unlock()
	l.cond.Signal()
}

// take waits for work; nil means that the ledger is closed and everything is written.
func (l *Ledger) take() []job {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.queue) == 0 {
		if l.closed {
			return nil
		}
		l.cond.Wait()
	}
	n, facts := 0, 0
	for n < len(l.queue) && (n == 0 || facts+len(l.queue[n].batch.Facts) <= groupFacts) {
		facts += len(l.queue[n].batch.Facts)
		n++
	}
	out := slices.Clone(l.queue[:n])
	l.queue = slices.Delete(l.queue, 0, n)
	return out
}

// write is the one goroutine that commits.
func (l *Ledger) write() {
	defer close(l.done)
	for {
		jobs := l.take()
		if jobs == nil {
			return
		}
		batches := make([]Batch, len(jobs))
		for i := range jobs {
			batches[i] = jobs[i].batch
		}
		errs := l.book.Write(l.ctx, batches, time.Now())
		if l.book.broken != nil && l.Err() == nil {
			l.mu.Lock()
			l.why = l.book.broken
			l.mu.Unlock()
			l.log.Error("the ledger stopped writing; open it again", "error", l.book.broken)
			close(l.broken)
		}
		for i := range jobs {
			jobs[i].done(errs[i])
		}
		l.grew(l.book.grown)
	}
}

// Broken is closed when the ledger cannot write any more until it is opened again; Err says why.
func (l *Ledger) Broken() <-chan struct{} { return l.broken }

// Err tells why the ledger is broken, or nil.
func (l *Ledger) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.why
}

// Close writes what was submitted and ends. ctx bounds the wait.
func (l *Ledger) Close(ctx context.Context) error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.cond.Broadcast()
	select {
	case <-l.done:
	case <-ctx.Done():
		l.cancel()
		<-l.done
		return fault.Wrap(fault.Cancelled, context.Cause(ctx), "close the ledger")
	}
	l.cancel()
	return nil
}

// Read gives entries of a stream, verified: see store.Store.
func (l *Ledger) Read(ctx context.Context, stream string, from uint64, limit int) ([]entry.Entry, error) {
	return l.store.Read(ctx, stream, from, limit)
}

// Head tells how a stream ends: see store.Store.
func (l *Ledger) Head(ctx context.Context, stream string) (store.Head, error) {
	return l.store.Head(ctx, stream)
}

// Rows lists rows: see store.Store.
func (l *Ledger) Rows(ctx context.Context, f store.Filter) (store.Page, error) {
	return l.store.Rows(ctx, f)
}

// Each calls do with every row that f selects, page by page.
func (l *Ledger) Each(ctx context.Context, f store.Filter, do func(store.Row) error) error {
	return Each(ctx, l.store, f, do)
}

// Each calls do with every row of s that f selects, page by page.
func Each(ctx context.Context, s store.Rower, f store.Filter, do func(store.Row) error) error {
	for r, err := range store.All(ctx, s, f) {
		if err != nil {
			return err
		}
		if err := do(r); err != nil {
			return err
		}
	}
	return nil
}

// Tail tells which streams grew. It holds names, not entries: a slow reader loses nothing that it could not read again.
type Tail struct {
	l      *Ledger
	prefix string
	ready  chan struct{}
	names  map[string]struct{}
}

// Watch tells from now on which streams grow whose names begin with prefix. Close it.
func (l *Ledger) Watch(prefix string) *Tail {
	t := &Tail{l: l, prefix: prefix, ready: make(chan struct{}, 1), names: map[string]struct{}{}} // one mark is enough
	l.mu.Lock()
	l.tails[t] = struct{}{}
	l.mu.Unlock()
	return t
}

// Ready receives after streams have grown since the last Take.
func (t *Tail) Ready() <-chan struct{} { return t.ready }

// Take gives the names of the streams that grew, in order.
func (t *Tail) Take() []string {
	t.l.mu.Lock()
	defer t.l.mu.Unlock()
	names := make([]string, 0, len(t.names))
	for n := range t.names {
		names = append(names, n)
	}
	clear(t.names)
	slices.Sort(names)
	return names
}

// Close ends the watch.
func (t *Tail) Close() {
	t.l.mu.Lock()
	delete(t.l.tails, t)
	t.l.mu.Unlock()
}

func (l *Ledger) grew(streams []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for t := range l.tails {
		for _, s := range streams {
			if !strings.HasPrefix(s, t.prefix) {
				continue
			}
			t.names[s] = struct{}{}
			select {
			case t.ready <- struct{}{}:
			default:
			}
		}
	}
}

// Audit makes the fact that somebody changed something, for the batch that changes it.
func Audit(by entry.Who, what, object, why string, detail map[string]any) Fact {
	return Fact{Stream: AuditServer, Payload: &entry.Audited{By: by, What: what, Object: object, Why: why, Detail: detail}}
}
