// Package dispatch decides what becomes of events: which run begins, which incident they belong to, what waits, and why
// nothing happens.
//
// The rules are in Machine.Handle, which does no I/O; the goroutines around it (Dispatch) hold none. It guarantees:
//
//   - Accept answers when events are durable and decided. Each event has exactly one current decision with its reason, in
//     its row; the stream of its source has all of them.
//   - An event that was here before, by project, source and key, is a duplicate, also after a restart.
//   - A run is named by its event and trigger. The wish for it is durable before it begins, it is asked for again after a
//     restart, and it begins once.
//   - Nothing begins by an event that is too old, or that ended: not after an outage, not after it was queued or held.
//   - Too much is queued by priority, or refused so that the sender keeps it. It is never dropped.
//
// When the ledger refuses a commit, whoever waits hears it, nothing of it happened, and what is stored is read anew. When
// nobody knows whether a commit was written, Broken is closed, and the whole server must be opened again.
package dispatch

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tendhq/tend/internal/blob"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/id"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/value"
)

// Engine is what dispatch asks of an engine.
type Engine interface {
	Start(ctx context.Context, s engine.Start) (run string, err error)
	Do(ctx context.Context, c engine.Command) (engine.Done, error)
	Send(ctx context.Context, name, key string, payload map[string]any, by entry.Who) (runs []string, err error)
	Status(ctx context.Context) (engine.Status, error)
}

// Playbook is a playbook that a trigger starts, as it is live.
type Playbook struct {
	Program     *program.Program
	Environment string
	Source      string // file, or commit:path
	Dir         string
	Guards      []guard.Spec
	Metadata    map[string]any
}

// Catalog gives the playbooks that are live. Errors of kinds Unavailable are tried again, others are final.
type Catalog interface {
	// Playbook finds the playbook that a trigger of a project names.
	Playbook(ctx context.Context, project, trigger, name string) (Playbook, error)
}

// Config of a Dispatch. Ledger, Engine and Catalog are required.
type Config struct {
	Ledger  *ledger.Ledger
	Engine  Engine
	Catalog Catalog
	Gate    Gate              // nil: everything may begin
	Rules   *Rules            // the first ones; Govern gives others
	Bind    program.Evaluator // binds parameters
	Blobs   blob.Store        // for large events; nil: they are kept in the stream
	Limits  Limits
	Log     *slog.Logger
	// Told is called with each event that was decided, for metrics. It must not block.
	Told func(e *event.Event, r Receipt)
}

// Dispatch is the machine with its hands.
type Dispatch struct {
	cfg   Config
	m     *Machine
	rules atomic.Pointer[Rules]
	floor atomic.Int64
	ctx   context.Context //nolint:containedctx // runs are started after the requests that led to them
	stop  context.CancelFunc
	done  chan struct{}
	wake  chan struct{}
	busy  sync.WaitGroup
	slots chan struct{} // runs that are being started

	mu       sync.Mutex
	queue    []Input
	next     uint64
	waits    map[uint64]chan Reply
	sources  map[string]bool // whose lengths the machine knows
	mine     map[string]bool // runs that it started and that go on
	starting map[string]bool
	traces   traces // of runs that it started
	broken   error
	closing  bool
	pending  int
	runs     int
}

// large is how large the data of an event may be in its stream, in bytes.
const large = 64 << 10

// Open starts a dispatcher: what was decided before and did not happen, happens now, or is too old.
func Open(ctx context.Context, cfg Config) (*Dispatch, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	mem, err := Remember(ctx, cfg.Ledger, runStatus)
	if err != nil {
		return nil, err
	}
	st, err := cfg.Engine.Status(ctx)
	if err != nil {
		return nil, err
	}
	mem.Halted = st.Halted
	d := &Dispatch{
		cfg: cfg, done: make(chan struct{}), wake: make(chan struct{}, 1), waits: map[uint64]chan Reply{},
		sources: map[string]bool{}, mine: map[string]bool{}, starting: map[string]bool{}, slots: make(chan struct{}, 32), // starts share commits
	}
	d.remembered(mem)
	d.rules.Store(cfg.Rules)
	d.ctx, d.stop = context.WithCancel(context.WithoutCancel(ctx))
	d.m = NewMachine(cfg.Limits, cfg.Gate, cfg.Rules, mem, time.Now())
	d.floor.Store(d.m.Floor().UnixMilli())
	go d.loop()
	d.send(Tick{})
	return d, nil
}

// remembered takes over what the shell itself must know.
func (d *Dispatch) remembered(mem *Memory) {
	for _, err := range mem.Damaged {
		d.cfg.Log.Error("leave alone what cannot be read", "error", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for s := range mem.Lengths {
		d.sources[s] = true
	}
	for _, a := range mem.Active {
		d.mine[a.Ticket.Run] = true
		d.traces.put(a.Ticket.Run, a.Ticket.Row.Trace)
	}
}

// runStatus reads the row of a run.
func runStatus(r store.Row) (status, why string, over bool) {
	var body engine.RunRow
	_ = json.Unmarshal(r.Body, &body) // an unreadable body still has its status
	if body.Fault != nil {
		why = body.Fault.Message
	}
	return r.Status, why, slices.Contains([]string{"succeeded", "failed", "cancelled", "quarantined"}, r.Status)
}

func (d *Dispatch) send(in ...Input) {
	d.mu.Lock()
	d.queue = append(d.queue, in...)
	d.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// loop is the only goroutine that touches the machine.
func (d *Dispatch) loop() {
	defer close(d.done)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		d.mu.Lock()
		in := d.queue
		d.queue = nil
		d.pending, d.runs = d.m.Waiting()
		d.mu.Unlock()
		for _, x := range in {
			d.feed(x)
		}
		if len(in) > 0 {
			continue
		}
		if at := d.m.NextWake(); at.IsZero() {
			timer.Reset(time.Hour)
		} else {
			timer.Reset(max(time.Until(at), 0))
		}
		select {
		case <-d.wake:
		case <-timer.C:
			d.feed(Tick{})
		case <-d.ctx.Done():
			return
		}
	}
}

func (d *Dispatch) feed(in Input) {
	for _, o := range d.m.Handle(in, time.Now()) {
		d.do(o)
	}
	d.floor.Store(d.m.Floor().UnixMilli())
}

// do carries an output out. It runs on the loop's goroutine and must not block.
func (d *Dispatch) do(o Output) {
	switch x := o.(type) {
	case Commit:
		d.cfg.Ledger.Submit(x.Batch, func(err error) { d.send(Committed{x.ID, err}) })
	case Reply:
		d.mu.Lock()
		ch := d.waits[x.Req]
		delete(d.waits, x.Req)
		d.mu.Unlock()
		if ch != nil {
			ch <- x
		}
	case StartRun:
		d.mu.Lock()
		again := d.starting[x.Run]
		d.starting[x.Run], d.mine[x.Run] = true, true
		d.traces.put(x.Run, x.Ticket.Row.Trace)
		d.mu.Unlock()
		if !again {
			d.begin(func() { d.start(x) })
		}
	case CancelRun:
		d.begin(func() { d.cancelRun(x) })
	case Wake:
		d.begin(func() { d.wakeRuns(x) })
	case Reload:
		d.begin(func() { d.reload(x.Err) })
	}
}

// begin lets f go on beside the loop, unless it is too late for that: what was to be done is done after the next start.
func (d *Dispatch) begin(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.closing {
		d.busy.Go(f)
	}
}

// reload reads everything anew, as soon as the store can be read.
func (d *Dispatch) reload(why error) {
	if err := d.cfg.Ledger.Err(); err != nil {
		d.mu.Lock()
		d.broken = err
		d.mu.Unlock()
		return
	}
	d.cfg.Log.Warn("a commit was refused: read again what is stored", "error", why)
	for pause := time.Second; ; pause = min(2*pause, 30*time.Second) {
		mem, err := Remember(d.ctx, d.cfg.Ledger, runStatus)
		if err == nil {
			err = d.known(mem)
		}
		if err == nil {
			d.remembered(mem)
			d.send(Reloaded{mem})
			return
		}
		d.cfg.Log.Error("read again what is stored", "error", err)
		if !d.sleep(pause) {
			return
		}
	}
}

func (d *Dispatch) sleep(t time.Duration) bool {
	select {
	case <-time.After(t):
		return true
	case <-d.ctx.Done():
		return false
	}
}

// ask sends a request and waits for its reply.
func (d *Dispatch) ask(ctx context.Context, mk func(req uint64) Input) (any, error) {
	ch := make(chan Reply, 1) // the loop must never wait for a requester who left
	d.mu.Lock()
	if d.broken != nil {
		defer d.mu.Unlock()
		return nil, d.broken
	}
	d.next++
	n := d.next
	d.waits[n] = ch
	d.mu.Unlock()
	d.send(mk(n))
	select {
	case r := <-ch:
		return r.Value, r.Err
	case <-ctx.Done():
		return nil, fault.Wrap(fault.Cancelled, context.Cause(ctx), "wait for the decision")
	case <-d.done:
		return nil, fault.New(fault.Unavailable, "the server is closing")
	}
}

// Accept decides about events, in order, and answers when all of it is durable. On an error nothing was recorded, or
// nobody knows: the sender sends them again, which changes nothing where they were.
func (d *Dispatch) Accept(ctx context.Context, events []event.Event) ([]Receipt, error) {
	if err := d.Err(); err != nil {
		return nil, err
	}
	items, err := d.prepare(ctx, events, false)
	if err != nil {
		return nil, readable(err)
	}
	v, err := d.ask(ctx, func(n uint64) Input { return Accepted{n, items} })
	for range 3 {
		if !errors.Is(err, errLook) {
			break
		}
		if items, err = d.prepare(ctx, events, true); err != nil {
			return nil, readable(err)
		}
		v, err = d.ask(ctx, func(n uint64) Input { return Accepted{n, items} })
	}
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	for i := range items {
		d.sources[items[i].Event.Source] = true
	}
	d.mu.Unlock()
	out, _ := v.([]Receipt)
	if d.cfg.Told != nil {
		for i := range out {
			d.cfg.Told(&items[i].Event, out[i])
		}
	}
	return out, nil
}

// readable gives an error of the store a kind: nothing can be decided without it.
func readable(err error) error {
	var f *fault.Error
	if errors.As(err, &f) {
		return err
	}
	return fault.Wrap(fault.Unavailable, err, "look up what was before")
}

// prepare finds out what must be known to decide. look: also what the machine should know by itself.
func (d *Dispatch) prepare(ctx context.Context, events []event.Event, look bool) ([]Item, error) {
	rules, floor := d.rules.Load(), time.UnixMilli(d.floor.Load())
	items := make([]Item, len(events))
	for i := range events {
		e := events[i]
		if e.Key == "" || e.Source == "" || e.Project == "" || e.Kind == "" {
			return nil, fault.New(fault.Invalid, "event %d needs a project, a source, a kind and a key, not %q, %q, %q and %q", i+1, e.Project, e.Source, e.Kind, e.Key)
		}
		if e.ID == "" {
			e.ID = event.ID(e.Project, e.Source, e.Key, e.At)
		}
		if e.At.IsZero() {
			e.At = time.Now()
		}
		e.At, e.Until = e.At.UTC().Truncate(time.Microsecond), e.Until.UTC().Truncate(time.Microsecond)
		it := Item{Event: e}
		if look || birth(e.ID).Before(floor) {
			it.Looked = true
			r, _, err := d.row(ctx, e.ID)
			if err != nil {
				return nil, err
			}
			if it.Known = r; r != nil {
				items[i] = it
				continue
			}
		}
		if err := d.complete(ctx, &it, rules, look); err != nil {
			return nil, err
		}
		items[i] = it
	}
	return items, nil
}

// complete adds what a new event needs.
func (d *Dispatch) complete(ctx context.Context, it *Item, rules *Rules, look bool) error {
	e := &it.Event
	if err := d.length(ctx, it, look); err != nil {
		return err
	}
	var err error
	if it.Cause = cmp.Or(e.Cause, e.Labels["tend_run"], d.traced(e.Trace)); it.Cause != "" {
		if it.Chain, err = d.chain(ctx, it.Cause); err != nil {
			return err
		}
	}
	it.Match, it.Notes = rules.Match(e)
	if d.cfg.Blobs == nil || !exceeds(e.Data, large) {
		return nil
	}
	b, err := value.Canonical(e.Data)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "event %s", e.Key)
	}
	ref, err := d.cfg.Blobs.Put(ctx, e.ID, bytes.NewReader(b))
	if err != nil {
		return err
	}
	it.Ref = &ref
	return nil
}

// length finds out how long the stream of a source is, unless the machine knows.
func (d *Dispatch) length(ctx context.Context, it *Item, look bool) error {
	d.mu.Lock()
	known := d.sources[it.Event.Source]
	d.mu.Unlock()
	if known && !look {
		return nil
	}
	h, err := d.cfg.Ledger.Head(ctx, "event/"+it.Event.Source)
	it.Length, it.Counted = h.Length, true
	return err
}

// known adds the lengths of all streams that the machine knew: what was looked up for it before may be old.
func (d *Dispatch) known(mem *Memory) error {
	d.mu.Lock()
	list := slices.Collect(maps.Keys(d.sources))
	d.mu.Unlock()
	for _, s := range list {
		h, err := d.cfg.Ledger.Head(d.ctx, "event/"+s)
		if err != nil {
			return err
		}
		mem.Lengths[s] = h.Length
	}
	return nil
}

// exceeds tells whether data is larger than n bytes, roughly.
func exceeds(v any, n int) bool {
	left := n
	var walk func(v any) bool
	walk = func(v any) bool {
		left -= 8
		switch x := v.(type) {
		case string:
			left -= len(x)
		case []any:
			return slices.ContainsFunc(x, walk)
		case map[string]any:
			for k, e := range x {
				left -= len(k)
				if walk(e) {
					return true
				}
			}
		}
		return left < 0
	}
	return walk(v)
}

// chain gives the triggers that led to a run, oldest first. A run that is not known has none: the hint may be forged, and
// only ever makes stricter.
func (d *Dispatch) chain(ctx context.Context, run string) ([]string, error) {
	if !id.Valid("run", run) {
		return nil, nil
	}
	p, err := d.cfg.Ledger.Rows(ctx, store.Filter{Kind: "run", ID: run, Limit: 1})
	if err != nil || len(p.Rows) == 0 {
		return nil, err
	}
	var body engine.RunRow
	if err := json.Unmarshal(p.Rows[0].Body, &body); err != nil {
		return nil, nil //nolint:nilerr // a row that cannot be read says nothing
	}
	if body.Cause.Event == "" {
		if root := body.Cause.Root; root != "" && root != run { // a playbook that it called
			return d.chain(ctx, root)
		}
		return nil, nil
	}
	r, _, err := d.row(ctx, body.Cause.Event)
	if err != nil || r == nil {
		return nil, err
	}
	return append(slices.Clone(r.Decision.Chain), body.Cause.Trigger), nil
}

// row reads the row of an event; nil when there is none.
func (d *Dispatch) row(ctx context.Context, eventID string) (*Row, *store.Row, error) {
	p, err := d.cfg.Ledger.Rows(ctx, store.Filter{Kind: "event", ID: eventID, Limit: 1})
	if err != nil || len(p.Rows) == 0 {
		return nil, nil, err
	}
	r := new(Row)
	if err := json.Unmarshal(p.Rows[0].Body, r); err != nil {
		return nil, nil, fault.Wrap(fault.Damaged, err, "read the row of event %s", eventID)
	}
	return r, &p.Rows[0], nil
}

// Govern makes other rules count, from the next decision on.
func (d *Dispatch) Govern(r *Rules) {
	d.rules.Store(r)
	d.send(Govern{r})
}

// Reconsider asks the gate again about everything that it holds: its own rules changed.
func (d *Dispatch) Reconsider() { d.send(Govern{d.rules.Load()}) }

// Load tells how many events wait and how many runs go on because of events.
func (d *Dispatch) Load() (pending, runs int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.pending, d.runs
}

// Err tells why nothing is decided any more until the server is opened again, or nil.
func (d *Dispatch) Err() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.broken
}

// Close ends it: what is decided is durable, and runs that were not asked for yet are asked for by the next one.
func (d *Dispatch) Close(ctx context.Context) error {
	d.mu.Lock()
	d.closing = true
	d.mu.Unlock()
	d.stop()
	ended := make(chan struct{})
	go func() { d.busy.Wait(); <-d.done; close(ended) }()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return fault.Wrap(fault.Cancelled, context.Cause(ctx), "close the dispatcher")
	}
}
