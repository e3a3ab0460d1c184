package engine

import (
	"context"
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

func (m *Machine) current(stream string) string {
	if s, ok := m.segments[stream]; ok {
		return s
	}
	return stream
}

// followed prepares the first entries of the streams that follow damaged ones.
func (e *Engine) followed(ctx context.Context, by entry.Who, why string, all []archive.Damage) ([]segment, error) {
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
	archive.Damage
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
		b.Rows = append(b.Rows, store.Row{Key: store.Key{Kind: archive.SegmentKind, ID: s.Stream}, Tag: s.Next, Name: s.Last, At: now, Body: []byte("{}")})
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
