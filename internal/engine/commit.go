package engine

import (
	"bytes"
	"errors"
	"io"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/id"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/task"
	"github.com/tendhq/tend/internal/value"
)

func auditStream(s *session) string { return auditOf(rootOf(s)) }

func rootOf(s *session) string {
	if r := s.state.Created.Cause.Root; r != "" {
		return r
	}
	return s.id
}

func auditOf(root string) string { return id.AuditStream(id.Shard(root)) }

// flush seals the transaction and asks for its commit.
func (m *Machine) flush(s *session, now time.Time) {
	t := s.tx
	m.closeTasks(s, now)
	ended := s.state.Ended() && len(t.run) > 0
	many := len(t.run) + len(t.other)
	if ended {
		many++
	}
	for _, k := range t.born {
		many += len(k.tx.run)
	}
	b := &store.Batch{
		Epoch: m.lease.Epoch, Shards: []int{id.Shard(rootOf(s))}, Delete: t.del, Erase: t.erase,
		Entries: make([]entry.Entry, 0, many), Expect: make([]store.Expect, 0, 2),
	}
	for _, p := range t.run {
		m.seal(b, s.stream, &s.head, p, now)
	}
	t.sealed = b.Entries[:len(b.Entries):len(b.Entries)]
	for _, k := range t.born {
		for _, p := range k.tx.run {
			m.seal(b, k.stream, &k.head, p, now)
		}
		b.Rows = append(b.Rows, k.tx.rows...)
		k.tx = nil
		m.row(b, k)
	}
	for _, f := range t.other {
		m.sealOther(b, s, f, now)
	}
	if ended && !m.damaged[auditStream(s)] {
		m.sealOther(b, s, fact{auditStream(s), &entry.RunSealed{Run: s.id, Length: s.head.Length, Head: s.head.Hash, Status: string(s.state.Status())}}, now)
	}
	b.Rows = append(b.Rows, t.rows...)
	m.row(b, s)
	m.batch++
	t.batch = b
	t.replies, s.owed = append(t.replies, s.owed...), nil
	s.tx, s.committing = nil, true
	m.sent[m.batch] = t
	m.emit(Commit{ID: m.batch, Batch: *b})
}

// sealOther numbers an entry of a task's, a guard's or an audit stream.
func (m *Machine) sealOther(b *store.Batch, s *session, f fact, now time.Time) {
	if ts := s.tasks[taskOf(f.stream)]; ts != nil {
		m.seal(b, f.stream, &ts.head, f.p, now)
		if ts.task.Created.Type == task.Review {
			m.reviews[ts.id] = ts.head.Length
		}
		if ts.task.Closed != nil && ts.head.Length == ts.task.Length {
			delete(s.tasks, ts.id)
		}
		return
	}
	stream := m.current(f.stream)
	h := m.heads[stream]
	m.seal(b, stream, &h, f.p, now)
	m.heads[stream] = h
}

func taskOf(stream string) string {
	if len(stream) > 5 && stream[:5] == "task/" {
		return stream[5:]
	}
	return ""
}

func (m *Machine) seal(b *store.Batch, stream string, h *store.Head, p entry.Payload, now time.Time) {
	n := len(b.Entries)
	made, err := entry.New(now, p)
	b.Entries = append(b.Entries, made)
	e := &b.Entries[n] // in place: an entry is large
	if err == nil {
		_, err = io.ReadFull(m.cfg.Entropy, e.Salt[:])
	}
	if err != nil {
		b.Entries = b.Entries[:n]
		m.fail(err)
		return
	}
	if _, ok := b.Length(stream); !ok {
		b.Expect = append(b.Expect, store.Expect{Stream: stream, Length: h.Length})
	}
	e.Stream, e.Seq, e.Prev, e.Epoch = stream, h.Length+1, h.Hash, m.lease.Epoch
	e.Seal()
	h.Length, h.Hash = e.Seq, e.Hash
}

// plainRow is all that changes in the row of a run that waits for nothing and has not ended.
type plainRow struct {
	plain   bool
	status  run.Status
	started time.Time
}

// row writes the run's row when people would see a difference, or when its next time to wake is stored for a restart.
func (m *Machine) row(b *store.Batch, s *session) {
	st := s.state
	status := st.Status()
	plain := plainRow{status: status, started: st.StartedAt, plain: st.End == nil && status != run.Waiting && len(s.last.Waits) == 0}
	if plain.plain && plain == s.plain && s.row != nil {
		return // nothing that people see moved, as between most steps
	}
	s.plain = plain
	r := rowOf(s, status)
	body, err := value.Canonical(r)
	if err != nil {
		m.fail(err)
		return
	}
	due := time.Time{}
	if status == run.Waiting {
		due = s.last.Wake
	}
	if bytes.Equal(body, s.row) && due.Equal(s.due) {
		return
	}
	s.row, s.due = body, due
	tag := ""
	if c := &s.state.Created.Cause; c.Offer != "" && c.Parent == "" {
		tag = RequestTag(c.For)
	}
	b.Rows = append(b.Rows, store.Row{
		Key: store.Key{Kind: "run", ID: s.id}, Project: s.state.Created.Project, Status: r.Status, Name: r.Name,
		Parent: s.state.Created.Cause.Parent, Tag: tag, At: s.state.CreatedAt, Due: due, Labels: labelsOf(s), Body: body,
	})
}

// committed takes the answer to a commit.
func (m *Machine) committed(x Committed, now time.Time) {
	t := m.sent[x.Batch]
	if t == nil {
		return
	}
	s := t.session
	switch err := x.Answer.Err; {
	case err == nil:
	case fault.Is(err, fault.Unavailable) && !errors.Is(err, store.ErrBroken):
		if t.birth && len(t.other) == 0 && len(t.born) == 0 {
			// Nothing was written and nothing acts: whoever asked hears it now, instead of a run that starts some day.
			delete(m.sent, x.Batch)
			delete(m.runs, s.id)
			delete(m.driven, s.id)
			for _, r := range t.replies {
				m.emit(Reply{Req: r.Req, Err: err})
			}
			m.unlock(m.heldBy(s.id), now)
			return
		}
		m.emit(Offer{Commit: Commit{ID: x.Batch, Batch: *t.batch}})
		return
	default:
		for _, r := range t.replies {
			m.emit(Reply{Req: r.Req, Err: err})
		}
		delete(m.sent, x.Batch)
		m.fail(err)
		return
	}
	delete(m.sent, x.Batch)
	for _, r := range t.replies {
		m.emit(r)
	}
	if s == nil {
		m.unlock(t.free, now)
		return // about the system, or a run that nobody moves
	}
	s.committing = false
	m.emit(Publish{Run: s.id, Entries: t.sealed})
	for _, k := range t.born {
		k.committing = false
		m.drain(k, now)
		m.advance(k, now)
	}
	m.drain(s, now)
	if m.runs[s.id] == s && !s.committing {
		m.over(s, now)
		m.advance(s, now)
	}
	m.unlock(t.free, now)
}

// over tells the parent of an ended run.
func (m *Machine) over(s *session, now time.Time) {
	if !s.state.Ended() {
		return
	}
	if p := m.runs[s.state.Created.Cause.Parent]; p != nil && p.state != nil {
		m.childEnded(p, s, now)
	}
}

func (m *Machine) fail(err error) {
	if m.broken != nil {
		return
	}
	m.broken = err
	m.emit(Broke{Err: err})
	for _, s := range m.runs {
		for _, in := range s.queue {
			m.refuse(in, err)
		}
		if s.tx != nil {
			m.deny(s, s.tx.replies, err)
			s.tx.replies = nil
		}
		m.deny(s, nil, err)
	}
}
