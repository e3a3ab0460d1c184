package courier

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/message"
	"github.com/tendhq/tend/internal/news"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/task"
	"github.com/tendhq/tend/internal/value"
)

// questions asks what runs ask, and tells what became of what was asked.
func (c *Courier) questions(ctx context.Context) error {
	if c.c.Tasks == nil || len(c.c.Channels) == 0 {
		return nil
	}
	c.write.Lock()
	defer c.write.Unlock()
	told := map[string]toldOf{}
	if err := c.c.Ledger.Each(ctx, store.Filter{Kind: rowTold, Prefix: "task/", Status: []string{Queued}}, func(r store.Row) error {
		var said toldOf
		if err := json.Unmarshal(r.Body, &said); err != nil {
			return fault.Wrap(fault.Damaged, err, "read what was told of %s", r.ID)
		}
		said.at = r.At
		told[strings.TrimPrefix(r.ID, "task/")] = said
		return nil
	}); err != nil {
		return err
	}
	var news []News
	var b ledger.Batch
	open := map[string]bool{}
	err := ledger.Each(ctx, rower{c.c.Tasks}, store.Filter{Kind: "task", Status: []string{task.Open}, Oldest: true}, func(r store.Row) error {
		open[r.ID] = true
		said, asked := told[r.ID]
		if !asked {
			known, err := c.known(ctx, rowTold, "task/"+r.ID)
			if err != nil || known {
				return err
			}
		}
		list, now, err := c.ask(ctx, r, said, asked)
		if err != nil {
			return err
		}
		news = append(news, list...)
		if !asked || len(now.Said) != len(said.Said) {
			row, err := toldTask(r, Queued, now)
			if err != nil {
				return err
			}
			b.Rows = append(b.Rows, row)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for name := range told {
		if open[name] {
			continue
		}
		page, err := c.c.Tasks.Rows(ctx, store.Filter{Kind: "task", ID: name, Limit: 1})
		if err != nil {
			return err
		}
		if len(page.Rows) == 0 {
			b.Delete = append(b.Delete, store.Key{Kind: rowTold, ID: "task/" + name})
			continue
		}
		r := page.Rows[0]
		list, err := c.over(ctx, r, told[name].at)
		if err != nil {
			return err
		}
		news = append(news, list...)
		row, err := toldTask(r, Sent, told[name])
		if err != nil {
			return err
		}
		b.Rows = append(b.Rows, row)
	}
	return c.queue(ctx, news, b)
}

type rower struct{ Tasks }

// toldOf is what was told of a question since it was asked.
type toldOf struct {
	Said []string `json:"said,omitempty"`

	at time.Time // when it was asked
}

func toldTask(r store.Row, status string, said toldOf) (store.Row, error) {
	body, err := value.Canonical(said)
	return store.Row{Key: store.Key{Kind: rowTold, ID: "task/" + r.ID}, Project: r.Project, Status: status, Parent: r.Parent, At: r.At, Body: body}, err
}

// ask makes the news of an open question: that it is asked, and what happened to it since. It gives all that is told then.
func (c *Courier) ask(ctx context.Context, r store.Row, said toldOf, asked bool) ([]News, toldOf, error) {
	var t engine.TaskRow
	if err := json.Unmarshal(r.Body, &t); err != nil {
		return nil, said, fault.Wrap(fault.Damaged, err, "read task %s", r.ID)
	}
	var out []News
	tell := func(once string, urgent bool, wants func(Channel) bool, m func(Channel) *message.Message) error {
		list, err := c.spread(ctx, r, &t, once, urgent, wants, m)
		out = append(out, list...)
		return err
	}
	if !asked {
		if err := tell("", true, c.asks(&t), func(ch Channel) *message.Message { return news.Question(r.ID, &t, c.c.URL, ch.Buttons) }); err != nil {
			return nil, said, err
		}
	}
	said.Said = slices.Clone(said.Said)
	for _, x := range news.Since(&t) {
		if slices.Contains(said.Said, x.Name) {
			continue
		}
		said.Said = append(said.Said, x.Name)
		if !asked && !x.Escalates {
			continue // the question says so itself
		}
		wants := c.asks(&t)
		if !asked {
			wants = func(ch Channel) bool { return ch.Escalations && !ch.Tasks }
		}
		if err := tell("/"+x.Name, x.Escalates, wants, func(ch Channel) *message.Message {
			if !x.Escalates {
				return &message.Message{Type: "task", Step: message.Updates, Key: r.ID, Title: x.Text}
			}
			m := news.Question(r.ID, &t, c.c.URL, ch.Buttons)
			m.Title = "Nobody has decided: " + m.Title
			return m
		}); err != nil {
			return nil, said, err
		}
	}
	return out, said, nil
}

// over makes the news of a question that is over.
func (c *Courier) over(ctx context.Context, r store.Row, asked time.Time) ([]News, error) {
	var t engine.TaskRow
	if err := json.Unmarshal(r.Body, &t); err != nil {
		return nil, fault.Wrap(fault.Damaged, err, "read task %s", r.ID)
	}
	out, err := c.spread(ctx, r, &t, "/"+r.Status, false, c.asks(&t), func(Channel) *message.Message { return news.Answered(r.ID, r.Status, &t) })
	for i := range out {
		out[i].Edits = ID(out[i].Channel, strings.TrimSuffix(out[i].Once, "/"+r.Status), asked)
	}
	return out, err
}

// asks tells which channels a question is for.
func (c *Courier) asks(t *engine.TaskRow) func(Channel) bool {
	anywhere := slices.ContainsFunc(c.c.Channels, func(ch Channel) bool { return ch.Glass })
	return func(ch Channel) bool {
		switch {
		case t.Type == task.Review:
			return ch.Glass || !anywhere && ch.Items == nil // where issues are kept nobody reads news
		case len(t.Escalated) > 0:
			return ch.Tasks || ch.Escalations
		default:
			return ch.Tasks
		}
	}
}

// spread makes the news for each channel that wants them.
func (c *Courier) spread(ctx context.Context, r store.Row, t *engine.TaskRow, once string, urgent bool, wants func(Channel) bool, m func(Channel) *message.Message) ([]News, error) {
	incidentID, root := "", t.Run
	page, err := c.c.Tasks.Rows(ctx, store.Filter{Kind: "run", ID: t.Run, Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(page.Rows) > 0 {
		var run engine.RunRow
		if err := json.Unmarshal(page.Rows[0].Body, &run); err == nil {
			incidentID, root = run.Cause.Incident, cmp.Or(run.Cause.Root, root)
		}
	}
	at := r.At
	if once != "" {
		at = time.Now() // what happened to it, and not when it was asked
	}
	var out []News
	for _, ch := range c.c.Channels {
		n := c.channels[ch.Name]
		if ch.Quiet || !wants(ch) || r.At.Before(n.since) || ch.Wants != nil && !ch.Wants(r.Project, "", nil) {
			continue
		}
		out = append(out, News{
			Channel: ch.Name, Once: "task/" + r.ID + once, Thread: cmp.Or(incidentID, t.Run), Project: r.Project, Incident: incidentID, Run: t.Run, At: at,
			Urgent: urgent, Message: *m(ch),
		})
	}
	f, err := c.followOf(ctx, root, false)
	if err != nil || f == nil {
		return out, err
	}
	for _, p := range f.Places { // where a thread follows the run, it is asked too
		n := c.channels[p.Channel]
		if n == nil {
			continue
		}
		w := News{
			Channel: p.Channel, Once: "task/" + r.ID + "@" + p.To + once, Thread: threadIn(root, p.To), Project: r.Project, Incident: incidentID, Run: t.Run,
			At: at, Urgent: urgent, Message: *m(n.Channel),
		}
		w.Message.To = []string{p.To}
		out = append(out, w)
	}
	return out, nil
}
