// Package memory is the reference implementation of the store: it keeps everything in maps.
//
// It serves tests, simulations and plans. A Disk stands for the medium and outlives the Store that is opened on it, so
// that "stop, reopen, read again" can be told from "go on". It gives every guarantee of the port but durability beyond
// its process.
package memory

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/id"
	"github.com/tendhq/tend/internal/store"
)

// Schema is what Identity reports: the version of the data's shape.
const Schema = 1

// Disk holds what a Store wrote. The zero Disk is empty.
type Disk struct {
	mu      sync.RWMutex
	streams map[string][]entry.Entry
	rows    map[string]map[string]store.Row // by kind, then id
	epochs  [id.Shards]uint64
	index   uint64
	halted  string
	name    string
}

// Store is an open Disk.
type Store struct {
	disk   *Disk
	closed atomic.Bool
}

// New opens an empty store.
func New() *Store { return Open(new(Disk)) }

// Open opens d. Several stores may be open on one disk, like several processes on one database.
func Open(d *Disk) *Store {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.streams == nil {
		d.streams = map[string][]entry.Entry{}
		d.rows = map[string]map[string]store.Row{}
		d.name = "memory"
	}
	return &Store{disk: d}
}

// Clone gives a copy of the disk as it is now: what a power cut, a backup or a snapshot leaves.
func (d *Disk) Clone() *Disk {
	d.mu.RLock()
	defer d.mu.RUnlock()
	c := &Disk{epochs: d.epochs, index: d.index, halted: d.halted, name: d.name}
	c.streams, c.rows = map[string][]entry.Entry{}, map[string]map[string]store.Row{}
	for name, s := range d.streams {
		c.streams[name] = slices.Clone(s) // payloads are never written in place
	}
	for kind, rows := range d.rows {
		c.rows[kind] = map[string]store.Row{}
		for k, r := range rows {
			c.rows[kind][k] = r
		}
	}
	return c
}

// Restored makes d what Restore leaves: another instance, halted for the reason.
func (d *Disk) Restored(why string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.name += "-restored"
	d.halted = why
}

// Tamper lets a test damage a stored entry.
func (d *Disk) Tamper(stream string, seq uint64, change func(*entry.Entry)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.streams[stream]; seq >= 1 && seq <= uint64(len(s)) {
		e := s[seq-1]
		e.Payload = slices.Clone(e.Payload)
		change(&e)
		s[seq-1] = e
	}
}

func (s *Store) use(ctx context.Context) error {
	if s.closed.Load() {
		return fault.New(fault.Unavailable, "the store is closed")
	}
	return fault.Wrap(fault.Cancelled, context.Cause(ctx), "use the store")
}

// Commit implements store.Store.
func (s *Store) Commit(ctx context.Context, batches []store.Batch) []store.Answer {
	answers := make([]store.Answer, len(batches))
	err := s.use(ctx)
	d := s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range batches {
		if err != nil {
			answers[i].Err = err
			continue
		}
		answers[i] = d.commit(&batches[i])
	}
	return answers
}

func (d *Disk) commit(b *store.Batch) store.Answer {
	if err := d.check(b); err != nil {
		return store.Answer{Err: err}
	}
	for _, e := range b.Entries {
		e.Payload = slices.Clone(e.Payload)
		e.At = e.At.UTC()
		d.streams[e.Stream] = append(d.streams[e.Stream], e)
	}
	for _, k := range b.Delete {
		delete(d.rows[k.Kind], k.ID)
	}
	for _, r := range b.Rows {
		r = r.Tidy()
		r.Body = slices.Clone(r.Body)
		if d.rows[r.Kind] == nil {
			d.rows[r.Kind] = map[string]store.Row{}
		}
		r.Labels = maps.Clone(r.Labels)
		d.rows[r.Kind][r.ID] = r
	}
	for _, x := range b.Erase {
		d.streams[x.Stream][x.Seq-1].Erase(slices.Clone(x.Payload))
	}
	if b.Halt != nil {
		d.halted = *b.Halt
	}
	d.index++
	return store.Answer{Index: d.index}
}

// check refuses a batch before anything of it is written.
func (d *Disk) check(b *store.Batch) error {
	if err := b.Check(); err != nil {
		return err
	}
	for _, n := range b.Shards {
		if d.epochs[n] != b.Epoch {
			return store.ErrStale
		}
	}
	for _, x := range b.Expect {
		if uint64(len(d.streams[x.Stream])) != x.Length {
			return store.ErrConflict
		}
	}
	for i := range b.Entries {
		e := &b.Entries[i]
		length, _ := b.Length(e.Stream)
		if e.Seq != length+1 {
			continue // follows an entry of the batch: checked there
		}
		var head entry.Hash
		if s := d.streams[e.Stream]; len(s) > 0 {
			head = s[len(s)-1].Hash
		}
		if err := store.Follows(e, head); err != nil {
			return err
		}
	}
	for _, x := range b.Erase {
		length, _ := b.Length(x.Stream)
		for i := range b.Entries {
			if b.Entries[i].Stream == x.Stream {
				length = b.Entries[i].Seq
			}
		}
		if x.Seq > max(length, uint64(len(d.streams[x.Stream]))) {
			return store.NoEntry(x.Stream, x.Seq)
		}
	}
	return nil
}

// Read implements store.Store.
func (s *Store) Read(ctx context.Context, stream string, from uint64, limit int) ([]entry.Entry, error) {
	if err := s.use(ctx); err != nil {
		return nil, err
	}
	d := s.disk
	d.mu.RLock()
	defer d.mu.RUnlock()
	all := d.streams[stream]
	from = max(from, 1)
	if from > uint64(len(all)) {
		return nil, nil
	}
	var prev *entry.Entry
	if from > 1 {
		p := all[from-2]
		prev = &p
	}
	part := all[from-1:]
	part = part[:min(len(part), store.ReadLimit(limit))]
	out := make([]entry.Entry, len(part))
	for i, e := range part {
		if err := e.Verify(prev); err != nil {
			return nil, err
		}
		e.Payload = slices.Clone(e.Payload)
		out[i] = e
		prev = &out[i]
	}
	return out, nil
}

// Rows implements store.Store.
func (s *Store) Rows(ctx context.Context, f store.Filter) (store.Page, error) {
	if err := s.use(ctx); err != nil {
		return store.Page{}, err
	}
	start, more, err := f.Start()
	if err != nil {
		return store.Page{}, err
	}
	d := s.disk
	d.mu.RLock()
	defer d.mu.RUnlock()
	var found []store.Row
	for _, r := range d.rows[f.Kind] {
		if f.Match(&r) && (!more || f.Compare(f.Position(&r), start) > 0) {
			found = append(found, r)
		}
	}
	slices.SortFunc(found, func(a, b store.Row) int { return f.Compare(f.Position(&a), f.Position(&b)) })
	var page store.Page
	if n := f.Rows(); len(found) > n {
		found = found[:n]
		page.Next = f.Position(&found[n-1]).Cursor()
	}
	page.Rows = slices.Clip(found)
	for i := range page.Rows {
		page.Rows[i].Body = slices.Clone(page.Rows[i].Body)
		page.Rows[i].Labels = maps.Clone(page.Rows[i].Labels)
	}
	return page, nil
}

// Claim implements store.Store.
func (s *Store) Claim(ctx context.Context, holder string) (store.Lease, error) {
	if err := s.use(ctx); err != nil {
		return store.Lease{}, err
	}
	d := s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	epoch := slices.Max(d.epochs[:]) + 1
	for i := range d.epochs {
		d.epochs[i] = epoch
	}
	d.index++
	return store.Lease{Holder: holder, Epoch: epoch}, nil
}

// Identity implements store.Store.
func (s *Store) Identity(ctx context.Context) (store.Identity, error) {
	if err := s.use(ctx); err != nil {
		return store.Identity{}, err
	}
	d := s.disk
	d.mu.RLock()
	defer d.mu.RUnlock()
	return store.Identity{Instance: d.name, Index: d.index, Schema: Schema, Halted: d.halted}, nil
}

// Verify implements store.Verifier.
func (s *Store) Verify(ctx context.Context) (streams, entries int, damaged []error, err error) {
	if err := s.use(ctx); err != nil {
		return 0, 0, nil, err
	}
	d := s.disk
	d.mu.RLock()
	defer d.mu.RUnlock()
	names := make([]string, 0, len(d.streams))
	for name := range d.streams {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		streams++
		var prev *entry.Entry
		for i := range d.streams[name] {
			e := &d.streams[name][i]
			entries++
			if err := e.Verify(prev); err != nil {
				damaged = append(damaged, err)
				break
			}
			prev = e
		}
	}
	return streams, entries, damaged, nil
}

// Close implements store.Store. The disk keeps what was written.
func (s *Store) Close() error {
	s.closed.Store(true)
	return nil
}

// Head implements store.Store.
func (s *Store) Head(ctx context.Context, stream string) (store.Head, error) {
	if err := s.use(ctx); err != nil {
		return store.Head{}, err
	}
	s.disk.mu.RLock()
	defer s.disk.mu.RUnlock()
	all := s.disk.streams[stream]
	if len(all) == 0 {
		return store.Head{}, nil
	}
	e := &all[len(all)-1]
	if err := e.Verify(&entry.Entry{Seq: e.Seq - 1, Hash: e.Prev}); err != nil {
		return store.Head{}, err
	}
	return store.Head{Length: e.Seq, Hash: e.Hash}, nil
}

// Cut drops the last n entries of a stream behind everybody's back, for tests.
func (d *Disk) Cut(stream string, n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := d.streams[stream]
	d.streams[stream] = all[:max(0, len(all)-n)]
}
