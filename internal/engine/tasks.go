package engine

import (
	"maps"
	"slices"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/id"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/task"
	"github.com/tendhq/tend/internal/value"
)

// What waits for people. The streams of tasks are written in the commits of their runs: a decision and what follows from it
// are one. A review waits for somebody too, and no run waits for it.

func (m *Machine) openTask(s *session, tid string, c *entry.TaskCreated, now time.Time) {
	ts := &taskStream{id: tid}
	if err := ts.task.Evolve(c, now); err != nil {
		return
	}
	s.tasks[tid] = ts
	t := s.open()
	t.other = append(t.other, fact{"task/" + tid, c})
	t.rows = append(t.rows, taskRow(s, ts))
}

func taskRow(s *session, ts *taskStream) store.Row {
	x := &ts.task
	body, _ := value.Canonical(taskRowOf(x))
	return store.Row{
		Key: store.Key{Kind: "task", ID: ts.id}, Project: s.state.Created.Project, Status: x.Status(), Name: x.Created.Title, Parent: s.id,
		At: x.At, Labels: labelsOf(s), Body: body,
	}
}

// labelsOf are the labels that roles can be bound by: of the playbook, as it was when the run began, and of its callers.
func labelsOf(s *session) map[string]string {
	c := s.state.Created
	if len(c.Labels) == 0 {
		return s.state.Program().Metadata.Labels // as an earlier tend recorded it
	}
	out := make(map[string]string, len(c.Labels))
	for k, v := range c.Labels {
		if text, ok := v.(string); ok {
			out[k] = text
		}
	}
	return out
}

func taskRowOf(x *task.State) TaskRow {
	r := TaskRow{TaskCreated: *x.Created, Votes: x.Votes, Comments: x.Comments, Delegated: x.Delegated, Escalated: x.Escalated}
	r.Assignee, r.Links = x.Assignee, x.Links
	return r
}

// escalated tells the task what the run decided about it.
func (m *Machine) escalated(s *session, t *tx, x *entry.TaskEscalated, now time.Time) {
	if ts := s.tasks[x.Task]; ts != nil {
		m.taskFact(t, ts, x, now)
		t.rows = append(t.rows, taskRow(s, ts))
	}
}

// own takes a task that its run does not wait for, unless it was written to since it was read.
func (m *Machine) own(s *session, id string, l *LoadedTask) error {
	if l == nil || s.tasks[id] != nil {
		return nil
	}
	if l.Head.Length < m.reviews[id] {
		return errChanged
	}
	s.tasks[id] = &taskStream{id: id, head: l.Head, task: l.Task}
	return nil
}

// attended does what a person wants with a task.
func (m *Machine) attended(s *session, x Attended, now time.Time) {
	if m.halted != "" {
		m.emit(Reply{Req: x.Req, Err: haltedError(m.halted)})
		return
	}
	if err := m.own(s, x.Task, x.Own); err != nil {
		m.emit(Reply{Req: x.Req, Err: err})
		return
	}
	ts := s.tasks[x.Task]
	if ts == nil || ts.task.Closed != nil {
		m.emit(Reply{Req: x.Req, Err: fault.New(fault.Conflict, "task %s is over", x.Task)})
		return
	}
	p, err := ts.task.Do(x.Act, now)
	if err != nil || p == nil {
		m.emit(Reply{Req: x.Req, Err: err})
		return
	}
	t := s.open()
	m.taskFact(t, ts, p, now)
	t.rows = append(t.rows, taskRow(s, ts))
	t.replies = append(t.replies, Reply{Req: x.Req})
	m.advance(s, now)
}

// glass leaves what a broken glass leaves: a review, and a line in the audit. They are durable with the answer or not at all.
func (m *Machine) glass(s *session, ts *taskStream, vote *entry.TaskVoted, now time.Time) {
	t := s.open()
	m.openTask(s, id.Derive("task", s.id, "review of "+ts.id, now), ts.task.ReviewOf(ts.id, vote), now)
	t.other = append(t.other, fact{auditStream(s), &entry.Audited{By: vote.By, What: "glass-broken", Object: ts.id, Why: vote.Why, Detail: value.Object{
		"asked": value.Texts(ts.task.Asked()), "run": s.id, "title": ts.task.Created.Title,
	}}})
}

// closeTasks ends the open tasks that the run does not wait for any more.
func (m *Machine) closeTasks(s *session, now time.Time) {
	if len(s.tasks) == 0 {
		return
	}
	open := map[string]bool{}
	for _, tid := range s.state.OpenTasks() {
		open[tid] = true
	}
	for _, tid := range slices.Sorted(maps.Keys(s.tasks)) {
		ts := s.tasks[tid]
		if open[tid] || ts.task.Created.Type == task.Review {
			continue
		}
		if ts.task.Closed == nil {
			c := &entry.TaskClosed{Outcome: "void", Why: "the run does not wait for it any more"}
			for _, p := range s.tx.run {
				if d, ok := p.(*entry.TaskDecided); ok && d.Task == tid {
					c.Outcome, c.Why = d.Outcome, d.Why
				}
			}
			_ = ts.task.Evolve(c, now)
			s.tx.other = append(s.tx.other, fact{"task/" + tid, c})
			s.tx.rows = append(s.tx.rows, taskRow(s, ts))
		}
	}
}

// answer applies a person's answer.
func (m *Machine) answer(s *session, x Answered, now time.Time) {
	if m.halted != "" {
		m.emit(Reply{Req: x.Req, Err: haltedError(m.halted)})
		return
	}
	if err := m.own(s, x.Task, x.Own); err != nil {
		m.emit(Reply{Req: x.Req, Err: err})
		return
	}
	ts := s.tasks[x.Task]
	if ts == nil || ts.task.Closed != nil {
		m.emit(Reply{Req: x.Req, Err: fault.New(fault.Conflict, "task %s is over", x.Task)})
		return
	}
	if x.Answer.Choice == task.BreakGlass && m.damaged[auditStream(s)] {
		m.emit(Reply{Req: x.Req, Err: haltedError(m.halted)}) // where would it be recorded?
		return
	}
	vote, closed, err := ts.task.Vote(x.Answer, now)
	if err != nil {
		m.emit(Reply{Req: x.Req, Err: err})
		return
	}
	t := s.open()
	m.taskFact(t, ts, vote, now)
	if vote.Answer == task.BreakGlass {
		m.glass(s, ts, vote, now)
	}
	if closed != nil {
		m.taskFact(t, ts, closed, now)
		m.decided(s, ts, vote, closed, now)
	}
	t.rows = append(t.rows, taskRow(s, ts))
	t.replies = append(t.replies, Reply{Req: x.Req, Value: ts.task.Status()})
	m.advance(s, now)
}

func (m *Machine) taskFact(t *tx, ts *taskStream, p entry.Payload, now time.Time) {
	if err := ts.task.Evolve(p, now); err == nil {
		t.other = append(t.other, fact{"task/" + ts.id, p})
	}
}

// decided brings the outcome of a task to its run.
func (m *Machine) decided(s *session, ts *taskStream, vote *entry.TaskVoted, closed *entry.TaskClosed, now time.Time) {
	c := ts.task.Created
	if c.Type == task.Review {
		s.open().other = append(s.open().other, fact{auditStream(s), &entry.Audited{By: vote.By, What: "glass-reviewed", Object: c.Reviews, Why: vote.Why}})
		return
	}
	if c.Type == "doubt" {
		m.fact(s, &entry.DoubtDecided{Path: c.Path, Answer: vote.Answer, By: vote.By, Output: vote.Output, Why: vote.Why}, now)
		return
	}
	d := &entry.TaskDecided{Path: c.Path, Task: ts.id, Outcome: closed.Outcome, Output: vote.Output, Why: closed.Why}
	for _, v := range ts.task.Votes {
		d.By = append(d.By, v.By)
	}
	if c.Type == "approve" && d.Output == nil && closed.Outcome == "approved" {
		d.Output = value.Object{"approved": true, "by": names(d.By)}
		if vote.Answer == task.BreakGlass {
			d.Output["glass"] = "broken"
		}
	}
	if _, choices := c.Form["choices"]; c.Type == "ask" && closed.Outcome == "answered" && (!choices || c.Form[task.Named] != nil) {
		d.Output = maps.Clone(d.Output) // the vote keeps what was said
		if d.Output == nil {
			d.Output = value.Object{}
		}
		for k, v := range (value.Object{"by": names(d.By), "defaulted": false}) {
			if _, own := d.Output[k]; !own { // a field of the form
				d.Output[k] = v
			}
		}
	}
	m.fact(s, d, now)
}

func names(by []entry.Who) []any {
	out := make([]any, len(by))
	for i, w := range by {
		out[i] = w.Name
	}
	return out
}
