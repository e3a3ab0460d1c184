package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/id"
	"github.com/tendhq/tend/internal/store"
)

// Book writes batches, one group at a time: it numbers, chains and seals their facts, and remembers how its streams end.
// It is for one goroutine: Ledger has one, and a simulation calls it directly.
type Book struct {
	store   store.Store
	epoch   uint64
	entropy io.Reader
	heads   map[string]store.Head
	broken  error
	grown   []string // streams of the last Write
}

// maxHeads bounds how many ends of streams are remembered. The others are read again when they are needed.
const maxHeads = 4096

// NewBook makes a Book that writes under lease. entropy salts the entries: crypto/rand.Reader outside of simulations.
func NewBook(s store.Store, lease store.Lease, entropy io.Reader) *Book {
	return &Book{store: s, epoch: lease.Epoch, entropy: entropy, heads: map[string]store.Head{}}
}

// part is what becomes one batch of the store: a batch, or all batches of one line.
type part struct {
	from  []int // which batches
	line  *Line
	err   error
	batch store.Batch
	heads map[string]store.Head // how its streams end with it
	rows  map[store.Key]int     // where a row stands in batch.Rows
}

// Write writes batches in one commit and answers each. at is the time of those that name none. What one batch was refused
// for does not affect another, unless both are of one line.
func (b *Book) Write(ctx context.Context, batches []Batch, at time.Time) []error {
	errs := make([]error, len(batches))
	b.grown = b.grown[:0]
	todo := make([]int, 0, len(batches))
	for i := range batches {
		if err := cmp.Or(b.broken, batches[i].check(), batches[i].Line.failed()); err != nil {
			errs[i] = err
			batches[i].Line.fail(err)
			continue
		}
		todo = append(todo, i)
	}
	// A batch that follows another one of this group in a stream is refused with it. It is tried again by itself.
	for try := 0; len(todo) > 0; try++ {
		todo = b.write(ctx, batches, todo, errs, at, try < 3)
	}
	return errs
}

func (b *Book) write(ctx context.Context, batches []Batch, todo []int, errs []error, at time.Time, again bool) (left []int) {
	if len(b.heads) > maxHeads {
		clear(b.heads)
	}
	parts := b.parts(ctx, batches, todo, at)
	var send []store.Batch
	var sent []*part
	for _, p := range parts {
		if p.err == nil && (len(p.batch.Entries) > 0 || len(p.batch.Rows) > 0 || len(p.batch.Delete) > 0 || len(p.batch.Erase) > 0) {
			send, sent = append(send, p.batch), append(sent, p)
		}
	}
	if len(send) > 0 {
		for i, a := range b.store.Commit(ctx, send) {
			sent[i].err = a.Err
		}
	}
	for _, p := range parts {
		switch {
		case p.err == nil:
			for stream := range p.heads {
				b.grown = append(b.grown, stream)
			}
			continue
		case errors.Is(p.err, store.ErrConflict) && again:
			left = append(left, p.from...)
			b.forget(p)
			continue
		case errors.Is(p.err, store.ErrConflict):
			p.err = fault.Wrap(fault.Conflict, p.err, "append to the ledger")
		case errors.Is(p.err, store.ErrIndeterminate), errors.Is(p.err, store.ErrBroken), errors.Is(p.err, store.ErrStale):
			b.broken = fault.Wrap(fault.Unavailable, p.err, "append to the ledger: it must be opened again")
			p.err = b.broken
		}
		b.forget(p)
		p.line.fail(p.err)
		for _, i := range p.from {
			errs[i] = p.err
		}
	}
	return left
}

// forget drops the ends of streams that a refused part moved: the store is asked again.
func (b *Book) forget(p *part) {
	for stream := range p.heads {
		delete(b.heads, stream)
	}
}

// parts seals batches, those of one line together.
func (b *Book) parts(ctx context.Context, batches []Batch, todo []int, at time.Time) []*part {
	var parts []*part
	lines := map[*Line]*part{}
	for _, i := range todo {
		x := &batches[i]
		p := lines[x.Line]
		if x.Line == nil || p == nil {
			p = &part{line: x.Line, batch: store.Batch{Epoch: b.epoch}, heads: map[string]store.Head{}, rows: map[store.Key]int{}}
			parts = append(parts, p)
			if x.Line != nil {
				lines[x.Line] = p
			}
		}
		p.from = append(p.from, i)
		if p.err != nil {
			continue
		}
		if p.err = b.add(ctx, p, x, at); p.err != nil {
			b.forget(p) // what it sealed so far is not sent
		}
	}
	return parts
}

// head tells how a stream ends with everything that is sealed.
func (b *Book) head(ctx context.Context, stream string) (store.Head, error) {
	if h, ok := b.heads[stream]; ok {
		return h, nil
	}
	h, err := b.store.Head(ctx, stream)
	if err != nil {
		return h, fmt.Errorf("read the end of %s: %w", stream, err)
	}
	b.heads[stream] = h
	return h, nil
}

func (b *Book) add(ctx context.Context, p *part, x *Batch, at time.Time) error {
	for _, e := range x.Expect {
		h, err := b.head(ctx, e.Stream)
		if err != nil {
			return err
		}
		if h.Length != e.Length {
			return fault.New(fault.Conflict, "%s changed meanwhile: it has %d entries, not %d", e.Stream, h.Length, e.Length).
				WithNext("read it again")
		}
		p.expect(e.Stream, e.Length)
	}
	for _, k := range x.Delete {
		p.delete(k)
	}
	for _, e := range x.Erase {
		p.batch.Erase = append(p.batch.Erase, e)
		p.shard(e.Stream)
	}
	if !x.At.IsZero() {
		at = x.At
	}
	for i := range x.Facts {
		f := &x.Facts[i]
		h, err := b.head(ctx, f.Stream)
		if err != nil {
			return err
		}
		e, err := entry.New(at, f.Payload)
		if err != nil {
			return fault.Wrap(fault.Invalid, err, "append to %s", f.Stream)
		}
		p.expect(f.Stream, h.Length)
		e.Stream, e.Seq, e.Prev, e.Epoch = f.Stream, h.Length+1, h.Hash, b.epoch
		if _, err := io.ReadFull(b.entropy, e.Salt[:]); err != nil {
			return fmt.Errorf("read entropy for a salt: %w", err)
		}
		e.Seal()
		h = store.Head{Length: e.Seq, Hash: e.Hash}
		b.heads[f.Stream], p.heads[f.Stream] = h, h
		p.batch.Entries = append(p.batch.Entries, e)
		if f.Row != nil {
			p.row(f.Row(e.Seq))
		}
	}
	for _, r := range x.Rows {
		p.row(r)
	}
	return nil
}

// expect notes the length that a stream has before p. Only the first one of a stream counts.
func (p *part) expect(stream string, length uint64) {
	if _, ok := p.heads[stream]; ok {
		return // p moved it itself
	}
	if _, ok := p.batch.Length(stream); ok {
		return
	}
	p.batch.Expect = append(p.batch.Expect, store.Expect{Stream: stream, Length: length})
	p.shard(stream)
}

// shard makes the lease of a stream's shard a condition.
func (p *part) shard(stream string) {
	if n := id.Shard(stream); !slices.Contains(p.batch.Shards, n) {
		p.batch.Shards = append(p.batch.Shards, n)
	}
}

// row writes a row after everything that p did to it before.
func (p *part) row(r store.Row) {
	if i, ok := p.rows[r.Key]; ok {
		p.batch.Rows[i] = r
		return
	}
	p.rows[r.Key] = len(p.batch.Rows)
	p.batch.Rows = append(p.batch.Rows, r)
}

// delete removes a row, also one that p wrote.
func (p *part) delete(k store.Key) {
	if i, ok := p.rows[k]; ok {
		last := len(p.batch.Rows) - 1
		p.batch.Rows[i] = p.batch.Rows[last]
		p.rows[p.batch.Rows[i].Key] = i
		p.batch.Rows = p.batch.Rows[:last]
		delete(p.rows, k)
	}
	p.batch.Delete = append(p.batch.Delete, k)
}

// check refuses what is no batch of the ledger.
func (x *Batch) check() error {
	for i := range x.Facts {
		f := &x.Facts[i]
		if f.Payload == nil {
			return fault.New(fault.Internal, "a fact for %s says nothing", f.Stream)
		}
		if err := checkStream(f.Stream); err != nil {
			return err
		}
	}
	return nil
}

func checkStream(s string) error {
	kind, name, _ := strings.Cut(s, "/")
	if kind == "" || name == "" || len(s) > 500 {
		return fault.New(fault.Invalid, "%.80q is no name of a stream", s)
	}
	engines := kind == "run" || kind == "task" || kind == "guard" || kind == "audit" && name != "server" && name != "access"
	if engines {
		return fault.New(fault.Internal, "%s is for the engine to write", s)
	}
	return nil
}
