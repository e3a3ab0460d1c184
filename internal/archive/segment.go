package archive

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/id"
	"github.com/tendhq/tend/internal/store"
)

// Segment names the stream that follows the segment `last` of a stream when that is damaged: audit/017, audit/017.2, ….
func Segment(stream, last string) string {
	n := 1
	if digits, ok := strings.CutPrefix(last, stream+"."); ok {
		n, _ = strconv.Atoi(digits)
	}
	return stream + "." + strconv.Itoa(n+1)
}

// Readable gives do the entries of a stream up to its end or to the first one that cannot be read, which is the error
// then. It tells how many there are and the hash of the last one.
func (a *Archive) Readable(ctx context.Context, stream string, do func(entry.Entry) error) (n uint64, last entry.Hash, err error) {
	limit := 1000
	for {
		page, err := a.store.Read(ctx, stream, n+1, limit)
		if err != nil && limit > 1 {
			limit = 1 // what stands before it in the page can be read
			continue
		}
		if err != nil || len(page) == 0 {
			return n, last, err
		}
		for i := range page {
			if err := do(page[i]); err != nil {
				return n, last, err
			}
			n, last = page[i].Seq, page[i].Hash
		}
	}
}

// Damage is a stream that cannot be appended to.
type Damage struct {
	Stream string // what it is called in entries
	Last   string // the segment that is damaged
	Next   string // the one that would follow
	Err    error
}

// SegmentKind is the kind of the rows that say under which name a stream goes on.
const SegmentKind = "segment"

// Ends finds where a stream goes on: its head, and in segments the name of its last segment.
func Ends(ctx context.Context, s store.Store, stream string, segments map[string]string) (store.Head, *Damage, error) {
	name := stream
	if known, ok := segments[stream]; ok {
		name = known
	}
	for {
		h, err := s.Head(ctx, name)
		if err == nil {
			if name != stream {
				segments[stream] = name
			}
			return h, nil, nil
		}
		if !fault.Is(err, fault.Damaged) && !fault.Is(err, fault.Newer) {
			return h, nil, fmt.Errorf("read where %s ends: %w", name, err)
		}
		next := Segment(stream, name)
		// Perhaps it goes on there already, and only the row that says so was lost.
		if h, nerr := s.Head(ctx, next); nerr == nil && h.Length == 0 {
			return h, &Damage{Stream: stream, Last: name, Next: next, Err: err}, nil
		}
		name = next
	}
}

// Damages tells why the engine is halted although its store is not.
func Damages(all []Damage) string {
	if len(all) == 0 {
		return ""
	}
	said := make([]string, 0, 4)
	for i, d := range all {
		if i == 3 {
			said = append(said, fmt.Sprintf("and %d more", len(all)-3))
			break
		}
		said = append(said, d.Err.Error())
	}
	return "the record of what was done is damaged: " + strings.Join(said, "; ")
}

// Shared lists the streams that belong to no run: those of guards that ever counted something, and the audit streams.
func Shared(ctx context.Context, s store.Store) ([]string, error) {
	names := map[string]bool{}
	err := store.EachRow(ctx, s, store.Filter{Kind: "guard"}, func(r store.Row) { names["guard/"+r.Name] = true })
	all := slices.Sorted(maps.Keys(names))
	for i := range id.Shards {
		all = append(all, id.AuditStream(i))
	}
	return all, err
}
