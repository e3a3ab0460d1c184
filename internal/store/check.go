package store

import (
	"encoding/json"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/id"
)

// Check tells whether b is well formed by itself: what every implementation refuses before it looks at what it holds.
// The errors are of kind fault.Invalid: they are bugs of the caller, and a retry does not help.
//
// Every stream that b appends to must be in Expect once; its entries must be numbered from Expect+1 on, linked to each
// other and sealed. That the first of them follows what is stored is for the implementation to check (Follows).
func (b *Batch) Check() error {
	for _, s := range b.Shards {
		if s < 0 || s >= id.Shards {
			return fault.New(fault.Invalid, "shard %d does not exist: they are numbered 0 to %d", s, id.Shards-1)
		}
	}
	for i := range b.Expect {
		x := &b.Expect[i]
		if x.Stream == "" {
			return fault.New(fault.Invalid, "an expectation names no stream")
		}
		for j := range i {
			if b.Expect[j].Stream == x.Stream {
				return fault.New(fault.Invalid, "the length of %s is expected twice in one batch", x.Stream)
			}
		}
	}
	if err := b.checkEntries(); err != nil {
		return err
	}
	for i := range b.Rows {
		r := &b.Rows[i]
		if r.Kind == "" || r.ID == "" {
			return fault.New(fault.Invalid, "a row needs a kind and an id, not %q and %q", r.Kind, r.ID)
		}
	}
	for _, e := range b.Erase {
		if e.Stream == "" || e.Seq == 0 {
			return fault.New(fault.Invalid, "an erasure needs a stream and an entry, not %q and %d", e.Stream, e.Seq)
		}
	}
	return nil
}

func (b *Batch) checkEntries() error {
	var before entry.Entry // the entry that the next one must follow
	for i := range b.Entries {
		e := &b.Entries[i]
		if e.At.Nanosecond()%int(time.Microsecond) != 0 {
			return fault.New(fault.Invalid, "%s entry %d: its time %s is finer than a microsecond", e.Stream, e.Seq, e.At.Format(time.RFC3339Nano))
		}
		prev := b.before(i)
		if prev == nil {
			length, ok := b.Length(e.Stream)
			if !ok {
				return fault.New(fault.Invalid, "the batch appends to %q and does not say how long it must be", e.Stream)
			}
			before = entry.Entry{Seq: length, Hash: e.Prev}
			prev = &before
		}
		if err := e.Verify(prev); err != nil {
			return fault.New(fault.Invalid, "refuse to append: %s", err)
		}
	}
	return nil
}

// before gives the entry of b that entry i follows in its stream, or nil when i is the first of its stream in b.
func (b *Batch) before(i int) *entry.Entry {
	for j := i - 1; j >= 0; j-- {
		if b.Entries[j].Stream == b.Entries[i].Stream {
			return &b.Entries[j]
		}
	}
	return nil
}

// Length gives the length that b expects of a stream.
func (b *Batch) Length(stream string) (uint64, bool) {
	for i := range b.Expect {
		if b.Expect[i].Stream == stream {
			return b.Expect[i].Length, true
		}
	}
	return 0, false
}

// Follows tells whether e may be appended after the head of its stream: the hash of the last stored entry, zero for a
// stream that is empty.
func Follows(e *entry.Entry, head entry.Hash) error {
	if e.Prev == head {
		return nil
	}
	return fault.New(fault.Invalid, "refuse to append: %s entry %d does not follow the entry before it", e.Stream, e.Seq)
}

// Match tells whether a row is selected by f, apart from Limit and Cursor.
func (f *Filter) Match(r *Row) bool {
	switch {
	case r.Kind != f.Kind,
		f.ID != "" && r.ID != f.ID,
		len(r.ID) < len(f.Prefix) || r.ID[:len(f.Prefix)] != f.Prefix,
		f.Project != "" && r.Project != f.Project,
		f.Name != "" && r.Name != f.Name,
		f.Parent != "" && r.Parent != f.Parent,
		f.Tag != "" && r.Tag != f.Tag,
		f.Source != "" && SourceOf(r) != f.Source,
		!f.Since.IsZero() && r.At.Before(f.Since),
		!f.Until.IsZero() && !r.At.Before(f.Until),
		!f.DueBy.IsZero() && (r.Due.IsZero() || r.Due.After(f.DueBy)),
		!f.Sight.Sees(r.Project, r.Labels):
		return false
	case len(f.Status) == 0:
		return true
	}
	for _, s := range f.Status {
		if r.Status == s {
			return true
		}
	}
	return false
}

// SourceOf tells where the event of a row came from: what its body says in "source". Rows of other kinds, and those whose body
// says nothing, have none.
func SourceOf(r *Row) string {
	var b struct {
		Source string `json:"source"`
	}
	if r.Kind != "event" || json.Unmarshal(r.Body, &b) != nil {
		return ""
	}
	return b.Source
}

// NoEntry is the answer to the erasure of an entry that is not there.
func NoEntry(stream string, seq uint64) error {
	return fault.New(fault.NotFound, "%s has no entry %d to erase", stream, seq)
}

// ReadLimit gives how many entries a Read with this limit may give.
func ReadLimit(limit int) int {
	if limit <= 0 {
		return 1000
	}
	return limit
}
