// Package courier tells: what is to be told is durable before anybody tries, goes out in order in each thread, and is told once
// as far as the other side lets that be found out. What is said package news decides, and what is attempted next package outbox;
// here is who of the channels hears it, how far each was told, and the goroutines.
//
// Guarantees: a message that was queued is attempted until it is told, until the other side says that it never can be, or
// until it is a day old; then its row says why. Messages of one thread go out in the order in which they were queued. An
// attempt whose end nobody knows (the process died, no answer came) is marked, so that the sender looks before it repeats.
// A storm is told as one message that says how many more there were. Whoever writes to a message/… stream is this package.
package courier

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/exchange"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/id"
	"github.com/tendhq/tend/internal/incident"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/message"
	"github.com/tendhq/tend/internal/outbox"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/value"
)

// Kinds of the courier's rows.
const (
	rowMessage = "message" // one for each message; its body is a Row
	rowThread  = "thread"  // how the other side names the first message of a thread
	rowTold    = "told"    // how far an incident was told; a question that was asked
	rowChannel = "channel" // since when a channel is told
	rowFlood   = "flood"   // what was left out and is not summed up yet
)

// The statuses of a message.
const (
	Queued  = "queued"
	Sent    = "sent"
	Failed  = "failed"
	Dropped = "dropped"
)

// sending bounds one attempt.
const sending = 45 * time.Second

// Channel is a way to tell people something.
type Channel struct {
	Name string // as the configuration calls it
	// Sender gives what tells. It is asked for each attempt, so that a changed secret is used at once.
	Sender func(ctx context.Context) (message.Sender, error)
	To     []string
	// Wants tells whether news are for this channel. labels are those of the incident.
	Wants func(project, severity string, labels map[string]string) bool
	// Tasks tells whether questions that runs ask are told here, and Buttons whether they can be answered there.
	Tasks   bool
	Buttons bool
	// Escalations tells whether questions are told here of which nobody decided in time, and Glass whether it is when somebody
	// approved alone. Where no channel says so, all are told of that.
	Escalations bool
	Glass       bool
	// Runs tells whether threads here follow runs: those of an incident that is told here in its thread, others in one of their own.
	Runs bool
	// Pages tells whether people who are called to an incident are called through it, whatever its severity, and Persons how they are
	// addressed.
	Pages   bool
	Persons Persons
	// Quiet tells that only what somebody asked for is told here: threads that follow their runs.
	Quiet bool
	// Budget is how many messages go within a minute; 0 is no bound.
	Budget int
	// Items tells whether action items of an incident are for this channel. nil: none are.
	Items func(s *incident.State) bool
	// Told hears how a message of this channel is called there, or why it never will be (then remote is nil), before that is
	// recorded: it can hear it twice. nil: nobody wants to know.
	Told func(ctx context.Context, q *entry.MessageQueued, remote value.Object, why string) error
}

// Persons says how a channel addresses people.
type Persons int

// The ways.
const (
	Nobody   Persons = iota // it goes where it goes: a pager knows who has the duty
	Together                // one message to all of them
	Each                    // a message to each
)

// Row is the body of a row of kind message.
type Row struct {
	Queued   entry.MessageQueued `json:"queued"`
	Attempts int                 `json:"attempts,omitempty"`
	Fault    *entry.Fault        `json:"fault,omitempty"` // of the last attempt
	Remote   value.Object        `json:"remote,omitempty"`
	Why      string              `json:"why,omitempty"`
}

// Tasks reads what runs ask. *engine.Engine implements it.
type Tasks interface {
	Rows(ctx context.Context, f store.Filter) (store.Page, error)
}

// Config of a courier.
type Config struct {
	Ledger   *ledger.Ledger
	Tasks    Tasks // nil: questions are not told
	Channels []Channel
	URL      string // of the server, for links; "": none
	// People gives the addresses of those that are called: people, and those who have a duty now. nil: nobody has one.
	People func(targets []string) []string
	Log    *slog.Logger
}

// Courier tells.
type Courier struct {
	c        Config
	channels map[string]*channel
	asked    chan struct{} // holds one: a run waits for somebody

	write sync.Mutex       // one decision after another: what is queued once is not queued again meanwhile
	tales map[string]*tale // incidents that were told lately, so that a long stream is not read again for each fact; under write

	runs    chan struct{} // holds one: a run that is followed moved
	follows follows       // under write

	stir     sync.Mutex
	moved    map[string]bool // runs
	followed map[string]bool // that are not over
}

// channel is one with what waits for it.
type channel struct {
	Channel

	since time.Time // what is older is not told here
	poke  chan struct{}

	mu     sync.Mutex
	box    *outbox.Box
	budget outbox.Budget
	flood  *flood
}

// flood is what was left out.
type flood struct {
	Since  time.Time `json:"since"`
	Count  int       `json:"count"`
	Titles []string  `json:"titles"`
}

// listed is how many of what was left out are named.
const listed = 10

// Open reads what waits. Run goes on with it.
func Open(ctx context.Context, c Config) (*Courier, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	x := &Courier{c: c, channels: map[string]*channel{}, asked: make(chan struct{}, 1), tales: map[string]*tale{}, runs: make(chan struct{}, 1)}
	x.follows.runs, x.moved, x.followed = map[string]*follow{}, map[string]bool{}, map[string]bool{}
	now := time.Now()
	var rows []store.Row
	for _, ch := range c.Channels {
		n := &channel{Channel: ch, since: now, poke: make(chan struct{}, 1), box: outbox.New(), budget: outbox.Budget{Limit: ch.Budget}}
		known := false
		if err := c.Ledger.Each(ctx, store.Filter{Kind: rowChannel, ID: ch.Name}, func(r store.Row) error {
			n.since, known = r.At, true
			return nil
		}); err != nil {
			return nil, err
		}
		if err := c.Ledger.Each(ctx, store.Filter{Kind: rowFlood, ID: ch.Name}, func(r store.Row) error {
			n.flood = new(flood)
			return json.Unmarshal(r.Body, n.flood)
		}); err != nil {
			return nil, fault.Wrap(fault.Damaged, err, "read what was left out for %s", ch.Name)
		}
		if !known {
			rows = append(rows, store.Row{Key: store.Key{Kind: rowChannel, ID: ch.Name}, At: now, Body: []byte("{}")})
		}
		x.channels[ch.Name] = n
	}
	if len(rows) > 0 {
		if err := c.Ledger.Append(ctx, ledger.Batch{Rows: rows}); err != nil {
			return nil, err
		}
	}
	var gone []store.Row
	err := c.Ledger.Each(ctx, store.Filter{Kind: rowMessage, Status: []string{Queued}, Oldest: true}, func(r store.Row) error {
		var body Row
		if err := json.Unmarshal(r.Body, &body); err != nil {
			return fault.Wrap(fault.Damaged, err, "read message %s", r.ID)
		}
		n := x.channels[body.Queued.Channel]
		if n == nil {
			r.Status, r.Due = Dropped, time.Time{}
			body.Why = "its channel is not configured any more"
			r.Body = encodeRow(body)
			gone = append(gone, r)
			return nil
		}
		// Whoever had this before may have tried, and nobody knows how far it came.
		n.box.Add(&outbox.Item{Queued: &body.Queued, At: r.At, Attempts: body.Attempts, Again: true})
		if body.Fault != nil {
			n.box.Troubled(body.Fault)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, r := range gone {
		b := ledger.Batch{Rows: []store.Row{r}, Facts: []ledger.Fact{{
			Stream: stream(r.Name), Payload: &entry.MessageDropped{ID: r.ID, Why: "its channel is not configured any more"},
		}}}
		if err := c.Ledger.Append(ctx, b); err != nil {
			return nil, err
		}
	}
	return x, x.recallRuns(ctx)
}

func stream(channel string) string { return "message/" + channel }

func encodeRow(r Row) []byte {
	b, err := json.Marshal(r)
	if err != nil {
		return []byte("{}")
	}
	v, err := value.Parse(b)
	if err != nil {
		return []byte("{}")
	}
	out, err := value.Canonical(v)
	if err != nil {
		return []byte("{}")
	}
	return out
}

// Names are the names of the channels, in order.
func (c *Courier) Names() []string { return slices.Sorted(maps.Keys(c.channels)) }

// Standing tells how a channel stands; false when there is none of that name.
func (c *Courier) Standing(name string) (outbox.Standing, bool) {
	n := c.channels[name]
	if n == nil {
		return outbox.Standing{}, false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.box.Standing(), true
}

// Run tells until ctx ends.
func (c *Courier) Run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var wg sync.WaitGroup
	for _, n := range c.channels {
		wg.Go(func() {
			if err := c.deliver(ctx, n); err != nil {
				stop(err)
			}
		})
	}
	err := c.listen(ctx)
	stop(err)
	wg.Wait()
	if cause := context.Cause(ctx); err == nil && !errors.Is(cause, context.Canceled) {
		err = cause
	}
	return err
}

// Asked hears that a run may wait for somebody. It does not block.
func (c *Courier) Asked() {
	select {
	case c.asked <- struct{}{}:
	default:
	}
}

// News is something to be told in one channel.
type News struct {
	Channel  string
	Once     string // a mark: what has the same mark in a channel is told once. "": a mark of its own is not needed
	Thread   string
	Project  string
	Incident string
	Run      string
	Event    string
	Urgent   bool
	At       time.Time
	Message  message.Message
	// Edits is the id of an earlier message to the same channel that this one overtakes.
	Edits string
}

// ID is the id of the message in a channel that has a mark and was decided at a time.
func ID(channel, mark string, at time.Time) string { return id.Derive("msg", channel, mark, at) }

// Queue makes news durable. What was queued before by the same mark is not queued again.
func (c *Courier) Queue(ctx context.Context, list ...News) error {
	c.write.Lock()
	defer c.write.Unlock()
	return c.queue(ctx, list, ledger.Batch{})
}

// queue writes news with what else b holds.
func (c *Courier) queue(ctx context.Context, list []News, b ledger.Batch) error {
	now := time.Now()
	type placed struct {
		n *channel
		x *outbox.Item
	}
	var added []placed
	floods := map[*channel]bool{}
	for i, w := range list {
		n := c.channels[w.Channel]
		if n == nil {
			return fault.New(fault.NotFound, "there is no channel %q", w.Channel)
		}
		at := w.At
		if at.IsZero() {
			at = now
		}
		mark := w.Once
		if mark == "" {
			mark = fmt.Sprintf("%d/%d", now.UnixNano(), i)
		}
		q := &entry.MessageQueued{
			Body: outbox.Encode(&w.Message), Channel: w.Channel, Event: w.Event, ID: ID(w.Channel, mark, at), Incident: w.Incident, Once: w.Once,
			Project: w.Project, Run: w.Run, Thread: w.Thread, To: n.To, Type: w.Message.Type,
		}
		if len(w.Message.To) > 0 {
			q.To = w.Message.To
		}
		if w.Urgent {
			q.Priority = outbox.Urgent
		}
		if w.Edits != "" {
			q.Body["edits"] = w.Edits
		}
		known, err := c.known(ctx, rowMessage, q.ID)
		if err != nil {
			return err
		}
		if known {
			continue
		}
		b.Facts = append(b.Facts, ledger.Fact{Stream: stream(w.Channel), Payload: q})
		r := messageRow(q, at, Queued, time.Time{}, Row{Queued: *q})
		n.mu.Lock()
		fits := n.budget.Spend(q, now)
		if !fits {
			if n.flood == nil {
				n.flood = &flood{Since: now}
			}
			n.flood.Count++
			if len(n.flood.Titles) < listed {
				n.flood.Titles = append(n.flood.Titles, w.Message.Title)
			}
			floods[n] = true
		}
		n.mu.Unlock()
		if fits {
			added = append(added, placed{n, &outbox.Item{Queued: q, At: at}})
		} else {
			why := "too many at once: it is summed up"
			b.Facts = append(b.Facts, ledger.Fact{Stream: stream(w.Channel), Payload: &entry.MessageDropped{ID: q.ID, Why: why}})
			r.Status, r.Body = Dropped, encodeRow(Row{Queued: *q, Why: why})
		}
		b.Rows = append(b.Rows, r)
	}
	for n := range floods {
		b.Rows = append(b.Rows, n.floodRow())
	}
	if len(b.Facts)+len(b.Rows)+len(b.Delete) == 0 {
		return nil
	}
	if err := c.c.Ledger.Append(ctx, b); err != nil {
		return err
	}
	for _, p := range added {
		p.n.mu.Lock()
		p.n.box.Add(p.x)
		p.n.mu.Unlock()
		p.n.wake()
	}
	return nil
}

func (n *channel) floodRow() store.Row {
	n.mu.Lock()
	defer n.mu.Unlock()
	body, err := value.Canonical(map[string]any{"since": n.flood.Since.Format(time.RFC3339Nano), "count": int64(n.flood.Count), "titles": value.Texts(n.flood.Titles)})
	if err != nil {
		body = []byte("{}")
	}
	return store.Row{Key: store.Key{Kind: rowFlood, ID: n.Name}, At: n.flood.Since, Body: body}
}

func (n *channel) wake() {
	select {
	case n.poke <- struct{}{}:
	default:
	}
}

func messageRow(q *entry.MessageQueued, at time.Time, status string, due time.Time, body Row) store.Row {
	parent := q.Incident
	if parent == "" {
		parent = q.Run
	}
	return store.Row{
		Key: store.Key{Kind: rowMessage, ID: q.ID}, Project: q.Project, Status: status, Name: q.Channel, Parent: parent, Tag: q.Thread, At: at, Due: due,
		Body: encodeRow(body),
	}
}

func (c *Courier) known(ctx context.Context, kind, name string) (bool, error) {
	p, err := c.c.Ledger.Rows(ctx, store.Filter{Kind: kind, ID: name, Limit: 1})
	return len(p.Rows) > 0, err
}

// deliver attempts what waits for one channel, one after another.
func (c *Courier) deliver(ctx context.Context, n *channel) error {
	for {
		n.mu.Lock()
		x, wake := n.box.Due(time.Now())
		n.mu.Unlock()
		if x == nil {
			if !pause(ctx, n.poke, wake) {
				return nil
			}
			continue
		}
		r, err := c.attempt(ctx, n, x)
		if err != nil {
			return err
		}
		if ctx.Err() != nil && !r.OK() {
			return nil // it stays queued; the next courier looks before it repeats
		}
		if r.OK() && n.Told != nil && len(r.Remote) > 0 {
			if err := c.tellBack(ctx, n, x, r.Remote, ""); err != nil {
				r = message.Not(exchange.Doubt(fault.Unavailable, "it was told, and that could not be said: %s", err))
			}
		}
		n.mu.Lock()
		p := n.box.Ended(x, r, time.Now())
		n.mu.Unlock()
		if f, ok := p.(*entry.MessageFailed); ok && f.Final && n.Told != nil {
			if err := c.tellBack(ctx, n, x, nil, f.Fault.Message); err != nil {
				c.c.Log.Warn("nobody hears that a message is given up", "channel", n.Name, "message", x.Queued.ID, "why", err)
			}
		}
		if err := c.record(ctx, n, x, p); err != nil {
			return err
		}
	}
}

// tellBack says what became of a message to who wants to know. The end of the server does not cut it short.
func (c *Courier) tellBack(ctx context.Context, n *channel, x *outbox.Item, remote value.Object, why string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return n.Told(ctx, x.Queued, remote, why)
}

// pause waits for news, or for a time. It answers false when ctx ended.
func pause(ctx context.Context, news <-chan struct{}, until time.Time) bool {
	var timer <-chan time.Time
	if !until.IsZero() {
		t := time.NewTimer(max(time.Until(until), 0))
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-ctx.Done():
		return false
	case <-news:
	case <-timer:
	}
	return ctx.Err() == nil
}

// attempt tells one message. The error is one of the store.
func (c *Courier) attempt(ctx context.Context, n *channel, x *outbox.Item) (message.Result, error) {
	m := outbox.Decode(x.Queued, x.At)
	m.Again = x.Again
	if err := c.recallThread(ctx, n, x, &m); err != nil {
		if ctx.Err() != nil {
			return message.Not(exchange.Never(fault.Cancelled, "the server ends")), nil
		}
		return message.Result{}, err
	}
	s, err := n.Sender(ctx)
	if err != nil {
		// A secret that cannot be had is trouble of the channel, as wrong credentials are.
		return message.Not(exchange.Never(fault.Auth, "%s", err)), nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, sending, fault.New(fault.Timeout, "no answer within %s", sending))
	defer cancel()
	return s.Send(ctx, m), nil
}

// recallThread adds how the other side names the first message of the thread, and the one that this one overtakes.
func (c *Courier) recallThread(ctx context.Context, n *channel, x *outbox.Item, m *message.Message) error {
	if x.Queued.Thread != "" {
		p, err := c.c.Ledger.Rows(ctx, store.Filter{Kind: rowThread, ID: threadID(n.Name, x.Queued.Thread), Limit: 1})
		if err != nil {
			return err
		}
		if len(p.Rows) > 0 {
			if err := json.Unmarshal(p.Rows[0].Body, &m.First); err != nil {
				c.c.Log.Warn("a thread cannot be read: another one begins", "channel", n.Name, "thread", x.Queued.Thread)
				m.First = nil
			}
		}
	}
	earlier, _ := x.Queued.Body["edits"].(string)
	if earlier == "" {
		return nil
	}
	p, err := c.c.Ledger.Rows(ctx, store.Filter{Kind: rowMessage, ID: earlier, Limit: 1})
	if err != nil || len(p.Rows) == 0 {
		return err
	}
	var old Row
	if json.Unmarshal(p.Rows[0].Body, &old) != nil {
		c.c.Log.Warn("an earlier message cannot be read: it stays as it is", "channel", n.Name, "message", earlier)
	}
	m.Edit = old.Remote
	return nil
}

func threadID(channel, thread string) string { return channel + "/" + thread }

// record writes what became of an attempt. While the store is full it waits: what was told must not be told again.
func (c *Courier) record(ctx context.Context, n *channel, x *outbox.Item, p entry.Payload) error {
	b := ledger.Batch{Facts: []ledger.Fact{{Stream: stream(n.Name), Payload: p}}}
	body := Row{Queued: *x.Queued, Attempts: x.Attempts}
	log := c.c.Log.With("channel", n.Name, "message", x.Queued.ID)
	switch f := p.(type) {
	case *entry.MessageSent:
		body.Remote = f.Remote
		b.Rows = append(b.Rows, messageRow(x.Queued, x.At, Sent, time.Time{}, body))
		if x.Queued.Thread != "" && len(f.Remote) > 0 {
			r, err := c.threadRow(ctx, n, x, f.Remote)
			if err != nil && ctx.Err() == nil {
				return err
			}
			if r != nil {
				b.Rows = append(b.Rows, *r)
			}
		}
	case *entry.MessageFailed:
		status := Queued
		if f.Final {
			status = Failed
			log.Error("a message is given up", "why", f.Fault.Message)
		} else {
			log.Warn("a message waits", "why", f.Fault.Message, "until", f.NotBefore)
		}
		body.Fault = &f.Fault
		b.Rows = append(b.Rows, messageRow(x.Queued, x.At, status, f.NotBefore, body))
	}
	// The end of the server must not make it forget what it has told.
	work := context.WithoutCancel(ctx)
	for n := 1; ; n++ {
		err := c.c.Ledger.Append(work, b)
		if err == nil || c.c.Ledger.Err() != nil || !fault.Is(err, fault.Unavailable) {
			return err
		}
		if !pause(ctx, nil, time.Now().Add(outbox.Backoff(n))) {
			return nil // the next courier looks before it repeats
		}
	}
}

// threadRow keeps how the first message of a thread is called; nil when that is known.
func (c *Courier) threadRow(ctx context.Context, n *channel, x *outbox.Item, remote value.Object) (*store.Row, error) {
	name := threadID(n.Name, x.Queued.Thread)
	known, err := c.known(ctx, rowThread, name)
	if err != nil || known {
		return nil, err
	}
	body, err := value.Canonical(map[string]any(remote))
	if err != nil {
		return nil, err
	}
	return &store.Row{Key: store.Key{Kind: rowThread, ID: name}, Project: x.Queued.Project, Parent: x.Queued.Incident, At: x.At, Body: body}, nil
}
