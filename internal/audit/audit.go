// Package audit reads the trail: who did what, from where and why, and how every run ended. It verifies, searches and
// exports it, and follows it to ship it elsewhere.
//
// The trail is the streams audit/000 … audit/255 (the engine's), audit/server (what was changed) and audit/access (who was
// let do what), with the segments that follow damaged ones. Their entries were written in the same commit as what they
// tell about. This package decides nothing and changes nothing but the marks of a Follower.
//
// What verification can promise: an entry that was altered, removed, moved or put between others is named, and so is the end
// of a run that the trail should tell and does not. Whoever can write the whole database can also make a trail anew that is
// sound in itself; only a copy elsewhere (an export, or what was shipped) shows that. See Against.
package audit

import (
	"context"
	"strings"

	"github.com/tendhq/tend/internal/archive"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/id"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/store"
)

// Reader reads what is stored: an engine, or a client of one. A stream that is not there is empty, or not found.
type Reader interface {
	Entries(ctx context.Context, stream string, from uint64, limit int) ([]entry.Entry, error)
	Rows(ctx context.Context, f store.Filter) (store.Page, error)
}

// page is how many entries are read at once.
const page = 1000

// Streams lists the streams of the trail that can be there, in order: those of a server, then the shards, each with what
// follows it where it is damaged.
func Streams(ctx context.Context, r Reader) ([]string, error) {
	after := map[string]string{} // the last segment of a stream
	err := store.EachRow(ctx, r, store.Filter{Kind: archive.SegmentKind}, func(row store.Row) { after[row.ID] = row.Tag })
	if err != nil {
		return nil, err
	}
	names := []string{ledger.AuditAccess, ledger.AuditServer}
	for i := range id.Shards {
		names = append(names, id.AuditStream(i))
	}
	out := make([]string, 0, len(names))
	for _, base := range names {
		out = append(out, base)
		for name := base; after[base] != "" && name != after[base] && len(out) < 10*len(names); {
			name = archive.Segment(base, name)
			out = append(out, name)
		}
	}
	return out, nil
}

// Valid tells whether a stream is of the trail.
func Valid(stream string) bool { return strings.HasPrefix(stream, "audit/") && len(stream) < 64 }

// read gives a page of a stream; none at its end.
func read(ctx context.Context, r Reader, stream string, from uint64, limit int) ([]entry.Entry, error) {
	list, err := r.Entries(ctx, stream, from, limit)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	return list, err
}

// each gives do the entries of a stream from one on, each of them verified here again.
func each(ctx context.Context, r Reader, stream string, from uint64, do func(*entry.Entry) error) error {
	var prev *entry.Entry
	for limit := page; ; {
		list, err := read(ctx, r, stream, from, limit)
		if err != nil && limit > 1 {
			limit = 1 // what stands before the damage can be read
			continue
		}
		if err != nil {
			return err
		}
		for i := range list {
			e := &list[i]
			if prev == nil && from > 1 {
				prev = &entry.Entry{Seq: from - 1, Hash: e.Prev}
			}
			if err := e.Verify(prev); err != nil {
				return err
			}
			if err := do(e); err != nil {
				return err
			}
			prev = e
		}
		if len(list) < limit {
			return nil
		}
		from = prev.Seq + 1
	}
}

// Export gives do every entry of the trail since a time, stream by stream. A damaged stream is given up to the damage, which
// is told when the others are through.
func Export(ctx context.Context, r Reader, q Query, do func(Record) error) error {
	names, err := Streams(ctx, r)
	if err != nil {
		return err
	}
	var damaged damages
	for _, name := range names {
		from, err := q.start(ctx, r, name)
		if err == nil {
			err = each(ctx, r, name, from, func(e *entry.Entry) error {
				if x := NewRecord(*e); q.Match(&x) {
					return do(x)
				}
				return nil
			})
		}
		if err := damaged.note(err); err != nil {
			return err
		}
	}
	return damaged.err()
}
