package courier

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
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

// How threads follow runs.
const (
	glance   = 2 * time.Second // how often runs that go on are looked at
	seldom   = time.Minute     // and while nothing happens in them
	browse   = 10 * time.Second
	linesMax = 30  // of one message
	runsMax  = 500 // that are looked for at a time
)

// place is where a thread follows a run because somebody asked for it.
type place struct {
	Channel string `json:"channel"`
	To      string `json:"to"`
	Begun   bool   `json:"begun,omitempty"` // the thread is there
}

// follow is a run as far as it was told. Its row is durable in the same commit as what was told.
type follow struct {
	Seq    uint64  `json:"seq"`
	Places []place `json:"places,omitempty"`

	at    time.Time
	run   *entry.RunCreated
	steps incident.Steps
	read  uint64 // how far steps knows it
	over  bool
	pause time.Duration // between looks, which grows while nothing happens
	next  time.Time
}

// follows is what is remembered of runs that are followed.
type follows struct {
	runs   map[string]*follow
	since  time.Time // how far new runs were looked for
	looked time.Time // and when
}

func (c *Courier) everyRun() bool {
	return slices.ContainsFunc(c.c.Channels, func(ch Channel) bool { return ch.Runs })
}

// Moved hears that something of a run happened. It does not block.
func (c *Courier) Moved(run string) {
	c.stir.Lock()
	defer c.stir.Unlock()
	if c.everyRun() || c.followed[run] {
		c.moved[run] = true
		select {
		case c.runs <- struct{}{}:
		default:
		}
	}
}

// Follow lets a thread in a place of a channel follow a run, from its beginning to its end. Asked for twice it is one.
func (c *Courier) Follow(ctx context.Context, channel, to, run string) error {
	if c.channels[channel] == nil {
		return fault.New(fault.NotFound, "there is no channel %q", channel)
	}
	c.write.Lock()
	f, err := c.followOf(ctx, run, true)
	if err == nil && !slices.ContainsFunc(f.Places, func(p place) bool { return p.Channel == channel && p.To == to }) {
		f.Places = append(f.Places, place{Channel: channel, To: to})
		if err = c.c.Ledger.Append(ctx, ledger.Batch{Rows: []store.Row{f.row(run, Queued)}}); err != nil {
			delete(c.follows.runs, run)
		}
	}
	c.write.Unlock()
	if err != nil {
		return err
	}
	c.stir.Lock()
	c.followed[run] = true
	c.stir.Unlock()
	c.Moved(run)
	return nil
}

func (f *follow) row(run, status string) store.Row {
	var places []any
	for _, p := range f.Places {
		places = append(places, map[string]any{"channel": p.Channel, "to": p.To, "begun": p.Begun})
	}
	body, err := value.Canonical(map[string]any{"seq": int64(f.Seq), "places": places}) //nolint:gosec // a length
	if err != nil {
		body = []byte("{}")
	}
	return store.Row{Key: store.Key{Kind: rowTold, ID: "run/" + run}, Status: status, Parent: run, At: f.at, Body: body}
}

// followOf gives a run that is followed; make: also one that is not yet. nil when it is over, or not followed.
func (c *Courier) followOf(ctx context.Context, run string, make bool) (*follow, error) {
	if f := c.follows.runs[run]; f != nil {
		return f, nil
	}
	page, err := c.c.Ledger.Rows(ctx, store.Filter{Kind: rowTold, ID: "run/" + run, Limit: 1})
	if err != nil {
		return nil, err
	}
	f := &follow{at: time.Now().UTC().Truncate(time.Microsecond)}
	if len(page.Rows) > 0 {
		if err := json.Unmarshal(page.Rows[0].Body, f); err != nil {
			return nil, fault.Wrap(fault.Damaged, err, "read how far %s was told", run)
		}
		f.at = page.Rows[0].At
		if page.Rows[0].Status != Queued && !make {
			return nil, nil //nolint:nilnil // it is over
		}
	} else if !make {
		return nil, nil //nolint:nilnil // it is not followed
	}
	c.follows.runs[run] = f
	return f, nil
}

// recallRuns reads which runs are followed, at the start.
func (c *Courier) recallRuns(ctx context.Context) error {
	err := c.c.Ledger.Each(ctx, store.Filter{Kind: rowTold, Prefix: "run/", Status: []string{Queued}}, func(r store.Row) error {
		run := strings.TrimPrefix(r.ID, "run/")
		c.followed[run], c.moved[run] = true, true
		return nil
	})
	if len(c.moved) > 0 || c.everyRun() {
		c.runs <- struct{}{} // it holds one
	}
	return err
}

// tellRuns tells what is new in runs: in those that moved, and of all that are followed.
func (c *Courier) tellRuns(ctx context.Context) error {
	if err := c.newRuns(ctx); err != nil {
		return err
	}
	c.write.Lock()
	c.stir.Lock()
	list := slices.Sorted(maps.Keys(c.moved))
	now := time.Now()
	for run := range c.followed {
		if f := c.follows.runs[run]; !c.moved[run] && (f == nil || !now.Before(f.next)) {
			list = append(list, run)
		}
	}
	clear(c.moved)
	c.stir.Unlock()
	c.write.Unlock()
	for i, run := range list {
		if err := c.tellRun(ctx, run); err != nil {
			c.stir.Lock()
			for _, left := range list[i:] {
				c.moved[left] = true
			}
			c.stir.Unlock()
			return err
		}
	}
	return nil
}

// newRuns looks for runs that nobody told of yet, for channels that want all of them.
func (c *Courier) newRuns(ctx context.Context) error {
	if c.c.Tasks == nil || !c.everyRun() || time.Since(c.follows.looked) < browse {
		return nil
	}
	floor := c.follows.since
	if floor.IsZero() {
		floor = time.Now().Add(-outbox.Patience)
		for _, n := range c.channels {
			if n.Runs && n.since.After(floor) {
				floor = n.since
			}
		}
	}
	began := time.Now()
	f := store.Filter{Kind: "run", Limit: 100}
	for seen := 0; seen < runsMax; {
		page, err := c.c.Tasks.Rows(ctx, f)
		if err != nil {
			return err
		}
		c.stir.Lock()
		for _, r := range page.Rows {
			if !r.At.Before(floor) && r.Parent == "" {
				c.moved[r.ID] = true
			}
		}
		c.stir.Unlock()
		seen += len(page.Rows)
		if page.Next == "" || len(page.Rows) == 0 || page.Rows[len(page.Rows)-1].At.Before(floor) {
			break
		}
		f.Cursor = page.Next
	}
	c.follows.looked = began
	c.follows.since = began.Add(-time.Minute) // what began meanwhile, by a clock that differs a little
	return nil
}

// tellRun tells what is new in one run.
func (c *Courier) tellRun(ctx context.Context, run string) error {
	c.write.Lock()
	defer c.write.Unlock()
	f, err := c.followOf(ctx, run, false)
	if err != nil {
		return err
	}
	if f == nil {
		page, err := c.c.Ledger.Rows(ctx, store.Filter{Kind: rowTold, ID: "run/" + run, Limit: 1})
		if err != nil || len(page.Rows) > 0 || !c.everyRun() { // it is over and told
			c.forget(run)
			return err
		}
		f = &follow{at: time.Now().UTC().Truncate(time.Microsecond)}
	}
	told := f.Seq
	var lines []string
	var ended *entry.RunEnded
	if f.steps == nil {
		f.steps = incident.Steps{}
	}
	for more := true; more; {
		entries, err := c.c.Ledger.Read(ctx, "run/"+run, f.read+1, 500)
		if err != nil {
			return c.unread(run, err)
		}
		for i := range entries {
			p, err := entry.Decode(entries[i])
			if err != nil {
				return c.unread(run, err)
			}
			switch x := p.(type) {
			case *entry.RunCreated:
				f.run = x
			case *entry.RunEnded:
				ended = x
			}
			f.read = entries[i].Seq
			if line := f.steps.Tell(p); line != "" && f.read > told {
				lines = append(lines, line)
			}
		}
		more = len(entries) == 500
	}
	fresh := slices.ContainsFunc(f.Places, func(p place) bool { return !p.Begun })
	switch {
	case f.run == nil || f.run.Cause.Parent != "" && len(f.Places) == 0:
		c.forget(run)
		return nil
	case f.read <= told && ended == nil && !fresh:
		f.pause = min(2*max(f.pause, glance), seldom)
		f.next = time.Now().Add(f.pause)
		return nil
	}
	f.pause, f.next = 0, time.Time{}
	f.Seq, f.over = f.read, ended != nil
	status := Queued
	if f.over {
		status = Sent
	}
	list, err := c.runNews(ctx, run, f, told, lines, ended) // it marks which threads are there
	if err == nil {
		err = c.queue(ctx, list, ledger.Batch{Rows: []store.Row{f.row(run, status)}})
	}
	if err != nil {
		delete(c.follows.runs, run) // it knows more than was told
		return err
	}
	if f.over {
		c.forget(run)
		return nil
	}
	c.follows.runs[run] = f
	c.stir.Lock()
	c.followed[run] = true
	c.stir.Unlock()
	return nil
}

// unread lets go of a run that cannot be read: one bad run must not keep others from being told of.
func (c *Courier) unread(run string, err error) error {
	if !fault.Is(err, fault.Damaged) && !fault.Is(err, fault.Newer) {
		return err
	}
	c.c.Log.Warn("a run that is followed cannot be read", "run", run, "why", err)
	c.forget(run)
	return nil
}

func (c *Courier) forget(run string) {
	delete(c.follows.runs, run)
	c.stir.Lock()
	defer c.stir.Unlock()
	delete(c.followed, run)
}

// runNews makes the messages of a run for every thread that follows it. told is how far it was told before.
func (c *Courier) runNews(ctx context.Context, run string, f *follow, told uint64, lines []string, ended *entry.RunEnded) ([]News, error) {
	severity, labels, err := c.incidentOf(ctx, f.run.Cause.Incident)
	if err != nil {
		return nil, err
	}
	var out []News
	mark := fmt.Sprintf("run/%s#%d", run, f.Seq)
	add := func(n *channel, thread, to string, own, begun bool) {
		w := News{Channel: n.Name, Thread: thread, Project: f.run.Project, Incident: f.run.Cause.Incident, Run: run, At: f.at}
		put := func(what string, m *message.Message) {
			w.Message, w.Once = *m, strings.TrimSuffix(what+"/"+to, "/")
			if to != "" {
				w.Message.To = []string{to}
			}
			out = append(out, w)
		}
		if !begun && own {
			put("run/"+run+"/began", news.RunBegan(run, f.run, c.c.URL))
		}
		for i, part := range slices.Collect(slices.Chunk(lines, linesMax)) {
			m := &message.Message{Type: "run", Step: message.Updates, Key: run, Title: part[0]}
			if len(part) > 1 {
				m.Title, m.Text = f.run.Name+" goes on", strings.Join(part, "\n")
			}
			put(fmt.Sprintf("%s/steps%d", mark, i), m)
		}
		if ended != nil && own {
			w.Edits = ID(n.Name, strings.TrimSuffix("run/"+run+"/began/"+to, "/"), f.at)
			put("run/"+run+"/ended", news.RunEnded(run, f.run, ended, c.c.URL))
		}
	}
	for _, ch := range c.c.Channels {
		n := c.channels[ch.Name]
		switch {
		case !ch.Runs || f.run.Cause.Parent != "" || ch.Wants != nil && !ch.Wants(f.run.Project, severity, labels):
		case f.run.Cause.Incident != "":
			add(n, f.run.Cause.Incident, "", false, true) // the story of the incident tells that it began and ended
		default:
			add(n, run, "", true, told > 0)
		}
	}
	for i, p := range f.Places {
		if n := c.channels[p.Channel]; n != nil {
			add(n, threadIn(run, p.To), p.To, true, p.Begun)
		}
		f.Places[i].Begun = true
	}
	return out, nil
}

// threadIn names the thread that follows a run in a place.
func threadIn(run, to string) string { return run + "@" + to }

// incidentOf gives what channels choose an incident by.
func (c *Courier) incidentOf(ctx context.Context, name string) (severity string, labels map[string]string, err error) {
	if name == "" {
		return "", nil, nil
	}
	page, err := c.c.Ledger.Rows(ctx, store.Filter{Kind: "incident", ID: name, Limit: 1})
	if err != nil || len(page.Rows) == 0 {
		return "", nil, err
	}
	var d incident.Document
	if err := json.Unmarshal(page.Rows[0].Body, &d); err != nil {
		return "", nil, fault.Wrap(fault.Damaged, err, "read incident %s", name)
	}
	return string(d.Severity), d.Labels, nil
}
