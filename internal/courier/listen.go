package courier

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/incident"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/message"
	"github.com/tendhq/tend/internal/news"
	"github.com/tendhq/tend/internal/outbox"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/value"
)

// listen turns what happens into news.
func (c *Courier) listen(ctx context.Context) error {
	tail := c.c.Ledger.Watch("incident/")
	defer tail.Close()
	// What happened while nobody listened.
	var all []string
	floor := time.Now().Add(-outbox.Patience)
	err := c.c.Ledger.Each(ctx, store.Filter{Kind: "incident"}, func(r store.Row) error {
		if r.At.After(floor) || !incident.Status(r.Status).Over() {
			all = append(all, "incident/"+r.ID)
		}
		return nil
	})
	if err != nil {
		return quiet(ctx, err)
	}
	if err := c.catchUp(ctx, all); err != nil {
		return quiet(ctx, err)
	}
	questions := time.NewTicker(10 * time.Second) // what the engine did not tell of: answers, and questions of an earlier process
	defer questions.Stop()
	if err := c.questions(ctx); err != nil {
		return quiet(ctx, err)
	}
	glances := time.NewTicker(glance)
	defer glances.Stop()
	var pending []string // that grew and were not told
	for {
		flood := time.NewTimer(c.floodDue())
		select {
		case <-ctx.Done():
			flood.Stop()
			return nil
		case <-tail.Ready():
			pending = append(pending, tail.Take()...)
		case <-c.asked:
			err = c.questions(ctx)
		case <-c.runs:
			err = c.tellRuns(ctx)
		case <-glances.C:
			err = c.tellRuns(ctx)
		case <-questions.C:
			err = c.questions(ctx)
		case <-flood.C:
			err = c.sumUp(ctx)
		}
		flood.Stop()
		if err == nil {
			err = c.catchUp(ctx, pending)
		}
		switch {
		case err == nil:
			pending = nil
		case fault.Is(err, fault.Unavailable) && c.c.Ledger.Err() == nil:
			// Nothing was written, and what grew is still to be told.
			c.c.Log.Warn("news wait", "why", err)
			if !pause(ctx, nil, time.Now().Add(5*time.Second)) {
				return nil
			}
			c.Asked()
			err = nil
		default:
			return quiet(ctx, err)
		}
	}
}

func quiet(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // whatever it is, the end was wanted
	}
	return err
}

// catchUp tells what is new in incidents.
func (c *Courier) catchUp(ctx context.Context, streams []string) error {
	slices.Sort(streams)
	for part := range slices.Chunk(slices.Compact(streams), 100) {
		if err := c.tellAll(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

func (c *Courier) tellAll(ctx context.Context, streams []string) (err error) {
	c.write.Lock()
	defer c.write.Unlock()
	defer func() {
		if err != nil {
			clear(c.tales) // they know more than was told
		}
	}()
	var news []News
	var b ledger.Batch
	for _, s := range streams {
		list, told, err := c.tell(ctx, strings.TrimPrefix(s, "incident/"))
		if err != nil {
			return err
		}
		news = append(news, list...)
		if told != nil {
			b.Rows = append(b.Rows, *told)
		}
	}
	return c.queue(ctx, news, b)
}

// tale is an incident as far as it was told.
type tale struct {
	s   *incident.State
	seq uint64
}

// tales bounds how many incidents are held.
const tales = 500

// recall gives what was told of an incident: from memory, or by its stream and the row that says how far it was told.
func (c *Courier) recall(ctx context.Context, name string) (x *tale, told uint64, err error) {
	if x := c.tales[name]; x != nil {
		return x, x.seq, nil
	}
	page, err := c.c.Ledger.Rows(ctx, store.Filter{Kind: rowTold, ID: "incident/" + name, Limit: 1})
	if err != nil {
		return nil, 0, err
	}
	if len(page.Rows) > 0 {
		var body struct {
			Seq uint64 `json:"seq"`
		}
		if err := json.Unmarshal(page.Rows[0].Body, &body); err != nil {
			return nil, 0, fault.Wrap(fault.Damaged, err, "read how far %s was told", name)
		}
		told = body.Seq
	}
	if len(c.tales) >= tales {
		clear(c.tales)
	}
	x = &tale{s: new(incident.State)}
	c.tales[name] = x
	return x, told, nil
}

// tell makes the news of one incident since it was told last, and the row that says how far that is.
func (c *Courier) tell(ctx context.Context, name string) ([]News, *store.Row, error) {
	x, told, err := c.recall(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	var out []News
	for more := true; more; {
		entries, err := c.c.Ledger.Read(ctx, "incident/"+name, x.seq+1, 500)
		if err != nil {
			return nil, nil, err
		}
		for _, e := range entries {
			p, err := entry.Decode(e)
			if err == nil {
				err = x.s.Evolve(e.At, p)
			}
			if err != nil {
				return nil, nil, err
			}
			x.seq = e.Seq
			if e.Seq > told {
				list, err := c.news(ctx, x.s, p, e, out)
				if err != nil {
					return nil, nil, err
				}
				out = append(out, list...)
			}
		}
		more = len(entries) == 500
	}
	if x.seq <= told {
		return nil, nil, nil
	}
	body, err := value.Canonical(map[string]any{"seq": int64(x.seq)}) //nolint:gosec // a length
	if err != nil {
		return nil, nil, err
	}
	return out, &store.Row{Key: store.Key{Kind: rowTold, ID: "incident/" + name}, Project: x.s.Project, Parent: name, At: x.s.Opened, Body: body}, nil
}

// news gives a fact of an incident to every channel that wants it. queued is what was made news of meanwhile.
func (c *Courier) news(ctx context.Context, s *incident.State, p entry.Payload, e entry.Entry, queued []News) ([]News, error) {
	if time.Since(e.At) > outbox.Patience {
		return nil, nil
	}
	if x, ok := p.(*entry.IncidentItem); ok {
		return c.items(s, x, e), nil
	}
	m := news.Story(s, p, c.c.URL)
	if m == nil {
		return nil, nil
	}
	out, err := c.called(ctx, s, m, e, queued)
	if err != nil {
		return nil, err
	}
	if x, ok := p.(*entry.IncidentPaged); ok {
		out = c.pages(s, x, e)
	}
	for _, ch := range c.c.Channels {
		n := c.channels[ch.Name]
		if e.At.Before(n.since) || ch.Wants == nil || !ch.Wants(s.Project, string(s.Severity), s.Labels) {
			continue
		}
		w := News{
			Channel: ch.Name, Once: fmt.Sprintf("incident/%s#%d", s.ID, e.Seq), Thread: s.ID, Project: s.Project, Incident: s.ID, At: e.At, Message: *m,
			Urgent: s.Severity == incident.Critical && (m.Step == message.Opens || m.Step == message.Ends),
		}
		if r, ok := p.(*entry.IncidentRan); ok {
			w.Run = r.Run
		}
		out = append(out, w)
	}
	return out, nil
}

// items tells of an action item where those become issues. What tend itself says of it is what became of that.
func (c *Courier) items(s *incident.State, x *entry.IncidentItem, e entry.Entry) []News {
	if x.By.ID == "tend" || x.Kept != "" {
		return nil
	}
	var out []News
	for _, ch := range c.c.Channels {
		if ch.Items == nil || e.At.Before(c.channels[ch.Name].since) || !ch.Items(s) {
			continue
		}
		out = append(out, News{
			Channel: ch.Name, Once: fmt.Sprintf("incident/%s#%d", s.ID, e.Seq), Thread: s.ID + "/" + x.ID, Project: s.Project, Incident: s.ID, At: e.At,
			Message: *news.Todo(s, x, c.c.URL),
		})
	}
	return out
}

// floodDue tells how long until something is to be summed up.
func (c *Courier) floodDue() time.Duration {
	wait := time.Hour
	for _, n := range c.channels {
		n.mu.Lock()
		if n.flood != nil {
			wait = min(wait, max(time.Until(n.budget.Over()), 0))
		}
		n.mu.Unlock()
	}
	return wait
}

// sumUp tells how much was left out.
func (c *Courier) sumUp(ctx context.Context) error {
	c.write.Lock()
	defer c.write.Unlock()
	for _, n := range c.channels {
		n.mu.Lock()
		f := n.flood
		due := f != nil && !time.Now().Before(n.budget.Over())
		n.mu.Unlock()
		if !due {
			continue
		}
		w := News{
			Channel: n.Name, Once: "flood/" + f.Since.Format(time.RFC3339Nano), Urgent: true, Project: "default",
			Message: message.Message{
				Type: "summary", Title: fmt.Sprintf("… and %d more", f.Count), Text: "Too much at once to tell each by itself:\n" + strings.Join(f.Titles, "\n"),
			},
		}
		if f.Count > len(f.Titles) {
			w.Message.Text += fmt.Sprintf("\nand %d others", f.Count-len(f.Titles))
		}
		if l := news.Page(c.c.URL, "/incidents"); l != "" {
			w.Message.Links = []entry.Link{{Name: "all incidents", URL: l}}
		}
		if err := c.queue(ctx, []News{w}, ledger.Batch{Delete: []store.Key{{Kind: rowFlood, ID: n.Name}}}); err != nil {
			return err
		}
		n.mu.Lock()
		n.flood = nil
		n.mu.Unlock()
	}
	return nil
}
