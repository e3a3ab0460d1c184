package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/archive"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/id"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/value"
)

// A stream that belongs to no run (an audit stream, a guard's) and whose end cannot be read cannot be appended to: nobody
// knows what the next entry would follow. The engine opens halted then. When a person has said that they know of it, the
// stream goes on as another one, a segment, whose first entry tells of the damage, and of what of the old one could be
// read. The old one stays as it is.

// Damage is a stream that cannot be appended to.
type Damage struct {
	Stream string // what it is called in entries
	Last   string // the segment that is damaged
	Next   string // the one that would follow
	Err    error
}

// segmentKind is the kind of the rows that say under which name a stream goes on.
const segmentKind = "segment"

func (m *Machine) current(stream string) string {
	if s, ok := m.segments[stream]; ok {
		return s
	}
	return stream
}

// ends finds where a stream goes on: its head and the name of its last segment.
func ends(ctx context.Context, s store.Store, stream string, segments map[string]string) (store.Head, *Damage, error) {
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
		next := archive.Segment(stream, name)
		// Perhaps it goes on there already, and only the row that says so was lost.
		if h, nerr := s.Head(ctx, next); nerr == nil && h.Length == 0 {
			return h, &Damage{Stream: stream, Last: name, Next: next, Err: err}, nil
		}
		name = next
	}
}

// damages tells why the engine is halted although its store is not.
func damages(all []Damage) string {
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

// followed prepares the first entries of the streams that follow damaged ones.
func (e *Engine) followed(ctx context.Context, by entry.Who, why string, all []Damage) ([]segment, error) {
	var out []segment
	for _, d := range all {
		n, head, err := e.archive.Readable(ctx, d.Last, func(entry.Entry) error { return nil })
		if err != nil && !fault.Is(err, fault.Damaged) && !fault.Is(err, fault.Newer) {
			return nil, err
		}
		out = append(out, segment{Damage: d, Fact: &entry.Audited{
			By: by, What: "damaged", Object: d.Last, Why: why,
			Detail: value.Object{"damage": d.Err.Error(), "entries": int64(n), "head": head.String()},
		}})
	}
	return out, nil
}

// segment is the beginning of a stream that follows a damaged one.
type segment struct {
	Damage
	Fact *entry.Audited
}

// audit commits a fact about the system itself, behind the beginnings of segments.
func (m *Machine) audit(x audit, now time.Time) {
	b := store.Batch{Epoch: m.lease.Epoch, Shards: []int{id.Shard("")}}
	for _, s := range x.Segments {
		var h store.Head
		m.seal(&b, s.Next, &h, s.Fact, now)
		m.heads[s.Next], m.segments[s.Stream] = h, s.Next
		delete(m.damaged, s.Stream)
		b.Rows = append(b.Rows, store.Row{Key: store.Key{Kind: segmentKind, ID: s.Stream}, Tag: s.Next, Name: s.Last, At: now, Body: []byte("{}")})
	}
	stream := m.current(auditOf(""))
	h := m.heads[stream]
	m.seal(&b, stream, &h, x.Fact, now)
	m.heads[stream] = h
	if x.Unhalt {
		none := ""
		b.Halt, m.halted = &none, ""
	}
	m.batch++
	m.sent[m.batch] = &tx{batch: &b, replies: []Reply{{Req: x.Req}}}
	m.emit(Commit{ID: m.batch, Batch: b})
}

// guardsOf lists the streams of guards that ever counted something.
func guardsOf(ctx context.Context, s store.Store) ([]string, error) {
	names := map[string]bool{}
	err := store.EachRow(ctx, s, store.Filter{Kind: "guard"}, func(r store.Row) { names["guard/"+r.Name] = true })
	return slices.Sorted(maps.Keys(names)), err
}
