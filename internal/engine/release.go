package engine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/archive"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/id"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/task"
	"github.com/tendhq/tend/internal/value"
)

// Nobody moves a quarantined run, so that what it holds is held for ever: locks, questions in the inbox, events that are
// kept for it. A person who has looked at what it did releases that. The run's own stream is not written to; who released
// it and why stands in the audit stream of its shard, and in its row.

// Released asks for the release of a quarantined run.
type Released struct {
	calm
	request
	Command Command
	Row     store.Row
	Root    string
	Tasks   map[string]LoadedTask // open ones that can be read, by id
	Rows    []store.Row           // of open tasks
	Wakes   []store.Key           // events that it waits for
}

// release frees what a quarantined run holds.
func (e *Engine) release(ctx context.Context, c Command) (Done, error) {
	if strings.TrimSpace(c.Why) == "" {
		return Done{}, fault.New(fault.Invalid, "a reason is needed: others will rely on what is released").
			WithNext("say what you have found out about what run %s did: --why", c.Run)
	}
	if err := e.quarantineOf(ctx, c.Run); err != nil {
		return Done{}, err
	}
	x, err := Releasing(ctx, e.cfg.Store, e.archive, c, e.acts)
	if err != nil {
		return Done{}, err
	}
	v, err := e.ask(ctx, func(q request) Input { x.request = q; return x })
	d, _ := v.(Done)
	return d, err
}

// acts tells whether a step of a run acts in this process.
func (e *Engine) acts(runID string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for key := range e.attempts {
		if strings.HasPrefix(key, runID+"\x00") {
			return true
		}
	}
	return false
}

// Releasing finds what a quarantined run holds. It refuses while something of the run, or of what it called, may still act
// under its locks.
func Releasing(ctx context.Context, s store.Store, a *archive.Archive, c Command, acts func(run string) bool) (Released, error) {
	x := Released{Command: c, Root: c.Run, Tasks: map[string]LoadedTask{}}
	row, err := rowFor(ctx, s, c.Run)
	if err != nil {
		return x, err
	}
	x.Row = row
	var body RunRow
	if decode(row.Body, &body) == nil && body.Cause.Root != "" {
		x.Root = body.Cause.Root
	}
	if err := over(ctx, s, c.Run, acts); err != nil {
		return x, err
	}
	err = store.EachRow(ctx, s, store.Filter{Kind: "task", Parent: c.Run, Status: []string{task.Open}}, func(r store.Row) { x.Rows = append(x.Rows, r) })
	if err != nil {
		return x, err
	}
	for _, r := range x.Rows {
		if t, head, err := a.Task(ctx, r.ID); err == nil && t.Created != nil && t.Closed == nil {
			x.Tasks[r.ID] = LoadedTask{Task: t, Head: head}
		}
	}
	return x, store.EachRow(ctx, s, store.Filter{Kind: "wake", Parent: c.Run}, func(r store.Row) { x.Wakes = append(x.Wakes, r.Key) })
}

// quarantineOf refuses a run that is not quarantined. One whose entries cannot be read is, from now on at the latest.
func (e *Engine) quarantineOf(ctx context.Context, id string) error {
	v, err := e.ask(ctx, func(q request) Input { return lives{request: q, Run: id} })
	if err != nil {
		return err
	}
	if v == true {
		return fault.New(fault.Conflict, "run %s is driven here and goes on", id).WithNext("tend runs cancel %s", id)
	}
	l := e.load(ctx, id)
	switch {
	case fault.Is(l.Err, fault.Damaged), fault.Is(l.Err, fault.Newer):
		return nil
	case fault.Is(l.Err, fault.NotFound):
		if _, err := rowFor(ctx, e.cfg.Store, id); err != nil {
			return err
		}
		e.quarantined(ctx, id, fault.New(fault.Damaged, "run/%s: the stream is missing", id))
		return nil
	case l.Err != nil:
		return l.Err
	case l.State.Quarantine != nil:
		return nil
	}
	f := fault.New(fault.Conflict, "run %s is %s: only a quarantined run is released", id, l.State.Status())
	if l.State.Status().Ended() {
		return f.WithNext("it holds nothing")
	}
	return f.WithNext("tend runs cancel %s", id)
}

func rowFor(ctx context.Context, s store.Store, id string) (store.Row, error) {
	p, err := s.Rows(ctx, store.Filter{Kind: "run", ID: id, Limit: 1})
	if err != nil {
		return store.Row{}, err
	}
	if len(p.Rows) == 0 {
		return store.Row{}, fault.New(fault.NotFound, "there is no run %s", id).WithNext("tend runs list")
	}
	return p.Rows[0], nil
}

// over refuses what needs a run to be at rest with all that it called.
func over(ctx context.Context, s store.Store, runID string, acts func(run string) bool) error {
	if acts(runID) {
		return fault.New(fault.Conflict, "a step of run %s still acts here", runID).WithNext("try again when it has ended")
	}
	var kids []store.Row
	if err := store.EachRow(ctx, s, store.Filter{Kind: "run", Parent: runID}, func(r store.Row) { kids = append(kids, r) }); err != nil {
		return err
	}
	for _, k := range kids {
		if !run.Status(k.Status).Ended() {
			return fault.New(fault.Conflict, "run %s, which it called, is %s", k.ID, k.Status).WithNext("tend runs cancel %s", k.ID)
		}
		if k.Status == string(run.Quarantined) {
			if err := over(ctx, s, k.ID, acts); err != nil {
				return err
			}
		}
	}
	return nil
}

// released commits the release of a run.
func (m *Machine) released(x Released, now time.Time) {
	c := x.Command
	if m.broken != nil {
		m.refuse(x, m.broken)
		return
	}
	if m.alive(c.Run) {
		m.refuse(x, fault.New(fault.Conflict, "run %s is driven here and goes on", c.Run).WithNext("tend runs cancel %s", c.Run))
		return
	}
	if m.damaged[id.AuditStream(id.Shard(x.Root))] {
		m.refuse(x, haltedError(m.halted)) // where would it be recorded?
		return
	}
	locks := m.heldBy(c.Run)
	var names []any
	done := Done{Run: c.Run, Count: len(locks), Note: "it held nothing"}
	b := store.Batch{Epoch: m.lease.Epoch, Shards: []int{id.Shard(x.Root)}, Delete: x.Wakes}
	for i, key := range locks {
		b.Delete = append(b.Delete, store.Key{Kind: "lock", ID: key})
		names = append(names, key)
		done.Note = fmt.Sprintf("%s the lock %q", [...]string{"released", done.Note + ","}[min(i, 1)], key)
	}
	for _, r := range x.Rows {
		closed := &entry.TaskClosed{Outcome: "void", Why: "its run is quarantined: " + c.Why}
		r.Status = closed.Outcome
		if t, ok := x.Tasks[r.ID]; ok && t.Task.Evolve(closed, now) == nil {
			m.seal(&b, "task/"+r.ID, &t.Head, closed, now)
			m.reviews[r.ID] = t.Head.Length
			r.Status = t.Task.Status()
		}
		b.Rows = append(b.Rows, r)
	}
	stream := m.current(id.AuditStream(id.Shard(x.Root)))
	head := m.heads[stream]
	m.seal(&b, stream, &head, &entry.Audited{
		By: c.By, What: "released", Object: c.Run, Why: c.Why,
		Detail: value.Object{"events": int64(len(x.Wakes)), "locks": names, "tasks": int64(len(x.Rows))},
	}, now)
	m.heads[stream] = head
	var body RunRow
	if decode(x.Row.Body, &body) == nil {
		body.Released = &Freed{At: now, By: c.By, Why: c.Why}
		if text, err := value.Canonical(body); err == nil {
			x.Row.Body = text
		}
	}
	b.Rows = append(b.Rows, x.Row)
	delete(m.driven, c.Run)
	m.batch++
	m.sent[m.batch] = &tx{batch: &b, replies: []Reply{{Req: x.Req, Value: done}}, free: locks}
	m.emit(Commit{ID: m.batch, Batch: b})
}

// alive tells whether a run is loaded and not quarantined.
func (m *Machine) alive(runID string) bool {
	s := m.runs[runID]
	return s != nil && s.state != nil && s.state.Quarantine == nil
}
