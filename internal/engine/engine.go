package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tendhq/tend/internal/archive"
	"github.com/tendhq/tend/internal/blob"
	"github.com/tendhq/tend/internal/crew"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/seal"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/store"
)

// Attempt is what Hands get: one attempt of one step, as its intent was recorded.
type Attempt struct {
	Run, Root, Path string
	Number          int
	Epoch           uint64
	Intent          run.Intent
	Def             *program.Node
	Dialect         string
	Dir             string
	Project         string
	Environment     string
	Labels          map[string]string // of the playbook
	Trace           string            // W3C traceparent of the request that led to the run, or ""
	Artifacts       []string          // globs of files that are kept: the step's and those of its playbook
	Body            *Body             // nil, or where the hands put what the body of a module gave
	Known           []secret.Value    // what is secret in the run so far, and
	Hide            []secret.Value    // what is sensitive: nothing of it may be shown or recorded
}

// Body is what the body of a module with secret outputs gave, with nothing masked. It is never recorded.
type Body struct {
	Output map[string]any
	// Keep gives the outputs that were made of it as they are recorded: with what is known as secret masked.
	Keep func(outputs map[string]any) (map[string]any, error)
}

// Hands let attempts act. Act returns when nothing of the attempt can act any more, or its outcome is in doubt; what the
// result refers to is durable then. Path and Attempt of the result are filled in by the engine. A cancelled context ends
// the attempt; its cause is an error of package fault.
type Hands interface {
	Act(ctx context.Context, a Attempt) entry.StepResult
}

// Logs gives followers what attempts print, live.
type Logs interface {
	Follow(run string) Tail
}

// Tail is one follower of a run's logs. A line is in Take before the attempt that printed it has returned, so that a
// follower can show all lines of an attempt before its result.
type Tail interface {
	// Ready receives after lines have come since the last Take.
	Ready() <-chan struct{}
	// Take gives the chunks that came, oldest first, and how many were lost.
	Take() (chunks []LogChunk, dropped int)
	Close()
}

// Config of an Engine. Store, Blobs, Hands and Env are required.
type Config struct {
	Store   store.Store
	Blobs   blob.Store
	Hands   Hands
	Logs    Logs
	Env     run.Env                // Load is filled in by the engine
	Bind    program.Evaluator      // binds parameters of sub-playbooks
	Runners func(name string) bool // is a runner of that name configured? nil: none is
	Key     seal.Key               // seals what is secret or sensitive; without it nothing can be kept that is
	Learn   func(v any)            // has what is secret masked from now on; nil: nobody does
	Holder  string                 // who holds the lease: host and process
	All     bool                   // drive every run that is not over (a server)
	// Governed says that nothing but reads begins before Govern said what is live.
	Governed bool
	// Confirm tells whether what a run reacts to is still so, before its mutations; where nobody can say, it is. nil: it is
	// not asked.
	Confirm func(ctx context.Context, c *entry.RunCreated) (still bool, why string)
	// Idle is told when nothing of a run is in flight any more. It must not block.
	Idle func(run string, idle Idle, ended bool)
	Log  *slog.Logger
}

// Engine is the machine with its hands. It implements Service.
type Engine struct {
	cfg     Config
	m       *Machine
	archive *archive.Archive
	values  cache
	lease   store.Lease
	since   time.Time

	inbox  chan []Input
	todo   []Input  // of feed
	fresh  []Commit // what the loop's turn wants to commit
	queue  commitQueue
	crew   *crew.Crew
	done   chan struct{} // the loop has ended
	stop   chan struct{}
	keyed  chan struct{} // held by the request with a key that is being answered
	cancel context.CancelFunc
	ctx    context.Context //nolint:containedctx // the lifetime of attempts, which outlive requests

	mu       sync.Mutex
	next     uint64
	pending  map[uint64]chan Reply
	attempts map[string]context.CancelCauseFunc
	hub      hub
	status   Status
	damaged  []archive.Damage // streams of which nobody has said yet that they are known to be damaged
	broken   error
}

// Open claims the store and starts the engine. Runs that were driven by a process that is gone are marked interrupted.
func Open(ctx context.Context, cfg Config) (*Engine, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Learn == nil {
		cfg.Learn = func(any) {}
	}
	if cfg.Runners == nil {
		cfg.Runners = func(string) bool { return false }
	}
	ident, err := cfg.Store.Identity(ctx)
	if err != nil {
		return nil, fmt.Errorf("identify the store: %w", err)
	}
	lease, err := cfg.Store.Claim(ctx, cfg.Holder)
	if err != nil {
		return nil, fmt.Errorf("claim the store: %w", err)
	}
	e := &Engine{
		cfg: cfg, lease: lease, since: time.Now(), inbox: make(chan []Input, 256), done: make(chan struct{}), stop: make(chan struct{}), keyed: make(chan struct{}, 1),
		pending: map[uint64]chan Reply{}, attempts: map[string]context.CancelCauseFunc{}, archive: archive.New(cfg.Store),
		status: Status{Instance: ident.Instance, Index: ident.Index, Epoch: lease.Epoch, Halted: ident.Halted, Since: time.Now()},
	}
	mc, err := Remember(ctx, cfg.Store, lease, time.Now())
	if err != nil {
		return nil, err
	}
	mc.Entropy, mc.Runner, mc.Margin = rand.Reader, cfg.Runners, 2*time.Second
	mc.Confirm, mc.Governed = cfg.Confirm != nil, cfg.Governed
	e.status.Halted, e.damaged = mc.Halted, mc.Damaged
	e.m = NewMachine(mc)
	e.m.all = cfg.All
	e.ctx, e.cancel = context.WithCancel(context.WithoutCancel(ctx))
	e.queue.init()
	e.crew = crew.New(e.done)
	go e.write()
	go e.loop()
	if err := e.interrupted(ctx); err != nil {
		_ = e.Close(ctx)
		return nil, err
	}
	return e, nil
}

// Lease gives the lease that the engine took of its store: package ledger writes under it too.
func (e *Engine) Lease() store.Lease { return e.lease }

func (e *Engine) eachRow(ctx context.Context, f store.Filter, do func(store.Row)) error {
	return store.EachRow(ctx, e.cfg.Store, f, do)
}

// interrupted marks the runs whose process is gone, and in a server drives everything again.
func (e *Engine) interrupted(ctx context.Context) error {
	lost, err := e.lost(ctx)
	if err != nil {
		return fmt.Errorf("look for interrupted runs: %w", err)
	}
	by := entry.Who{Name: "tend", Via: "engine"}
	var all sync.WaitGroup
	limit := make(chan struct{}, 64) // so many share a commit
	for _, id := range lost {
		limit <- struct{}{}
		all.Go(func() {
			defer func() { <-limit }()
			if _, err := e.ask(ctx, func(q request) Input {
				c := Interrupt(id)
				c.request = q
				return c
			}); err != nil && !fault.Is(err, fault.Conflict) {
				e.cfg.Log.Error("mark a run interrupted", "run", id, "error", err)
			}
		})
	}
	all.Wait()
	if !e.cfg.All || e.status.Halted != "" {
		return nil
	}
	var parked []store.Row
	err = e.eachRow(ctx, store.Filter{Kind: "run", Status: []string{string(run.Waiting), string(run.Interrupted), string(run.InDoubt)}},
		func(r store.Row) { parked = append(parked, r) })
	if err != nil {
		return err
	}
	var in []Input
	for _, r := range parked {
		if r.Status == string(run.Waiting) {
			in = append(in, parkedAt{Run: r.ID, At: r.Due})
			continue
		}
		in = append(in, Commanded{Command: Command{Verb: Resume, Run: r.ID, By: by}})
	}
	e.send(in...)
	return nil
}

// lost lists the runs that a process moved that is gone, and those that called them. What only people or outside events
// can move was not moved by anybody. A server goes on with whatever waits for a time, so that such runs are not lost there.
func (e *Engine) lost(ctx context.Context) ([]string, error) {
	var ids []string
	parents := map[string]string{} // of runs that are pending, moving or waiting
	callers := map[string]string{} // by the run that they wait for
	err := e.eachRow(ctx, store.Filter{Kind: "run", Status: []string{
		string(run.Running), string(run.Pending), string(run.Undoing), string(run.Cancelling), string(run.Waiting),
	}}, func(r store.Row) {
		parents[r.ID] = r.Parent
		if r.Status != string(run.Waiting) {
			ids = append(ids, r.ID)
			return
		}
		var body RunRow
		if decode(r.Body, &body) != nil {
			return
		}
		for _, w := range body.Waits {
			if w.For == "child" {
				callers[w.On] = r.ID
			} else if !e.cfg.All && w.Moves() {
				ids = append(ids, r.ID)
				return
			}
		}
	})
	if err != nil {
		return nil, err
	}
	for _, kid := range slices.Sorted(maps.Keys(callers)) {
		if _, open := parents[kid]; open {
			continue
		}
		// It is over, and its caller did not come to hear it; or it was interrupted by itself.
		p, err := e.cfg.Store.Rows(ctx, store.Filter{Kind: "run", ID: kid, Limit: 1})
		if err != nil {
			return nil, err
		}
		if len(p.Rows) == 0 || p.Rows[0].Status != string(run.InDoubt) && p.Rows[0].Status != string(run.Paused) {
			ids = append(ids, callers[kid])
		}
	}
	seen := map[string]bool{}
	for i := 0; i < len(ids); i++ { // the list grows upwards
		seen[ids[i]] = true
		if p := parents[ids[i]]; p != "" && callers[ids[i]] == p && !seen[p] {
			ids = append(ids, p)
		}
	}
	return ids, nil
}

// send hands inputs to the loop. It does not block for longer than the loop takes.
func (e *Engine) send(in ...Input) {
	if len(in) == 0 {
		return
	}
	select {
	case e.inbox <- in:
	case <-e.done:
	}
}

// loop is the only goroutine that touches the machine.
func (e *Engine) loop() {
	defer close(e.done)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		if at := e.m.NextWake(); !at.IsZero() {
			timer.Reset(max(time.Until(at), 0))
		} else {
			timer.Reset(time.Hour)
		}
		select {
		case in := <-e.inbox:
			e.feedAll(in)
			for n := min(len(e.inbox), cap(e.inbox)/4); n > 0; n-- { // what came meanwhile shares the transaction
				e.feedAll(<-e.inbox)
			}
		case <-timer.C:
			e.feed(Tick{})
		case <-e.stop:
			return
		}
		if len(e.fresh) > 0 && e.onlyThis() {
			e.commitHere() // once: what follows from it must not keep inputs and timers waiting
		}
		if len(e.fresh) > 0 {
			e.queue.put(e.fresh...)
			clear(e.fresh)
			e.fresh = e.fresh[:0]
		}
		e.mu.Lock()
		e.status.Driven, e.status.InFlight = e.m.Driven(), e.m.InFlight()
		e.mu.Unlock()
	}
}

// onlyThis tells whether nothing moves but what the loop wants to commit now: then to hand it to the writer and to wait for
// it would gain nothing, and cost two changes of goroutine for each step of a run that is the only one.
func (e *Engine) onlyThis() bool {
	return e.m.InFlight() == 0 && e.m.Committing() == len(e.fresh) && len(e.inbox) == 0 && e.queue.idle()
}

// commitHere does the writer's work. Nobody else does it meanwhile: the writer has nothing, and gets it from the loop only.
func (e *Engine) commitHere() {
	answers := e.commit(e.fresh)
	clear(e.fresh)
	e.fresh = e.fresh[:0]
	for _, in := range answers {
		e.feed(in)
	}
}

func (e *Engine) feedAll(in []Input) {
	for _, x := range in {
		e.feed(x)
	}
}

func (e *Engine) feed(in Input) {
	if a, ok := in.(Acted); ok {
		in = e.reshape(a)
	}
	// What is evaluated at once is fed back here, not by recursion: a long run would need a deep stack.
	e.todo = append(e.todo[:0], in)
	for i := 0; i < len(e.todo); i++ {
		for _, o := range e.m.Handle(e.todo[i], time.Now()) {
			switch x := o.(type) {
			case Evaluate:
				e.todo = append(e.todo, Evaluated{Run: x.Run, Rendered: x.State.Evaluate(x.Render, e.env(x.State))})
			default:
				e.do(o)
			}
		}
		e.todo[i] = nil
	}
}

// reshape turns the output of a module's body into the module's. What of it is secret is sealed, and what the body gave is
// not kept then: nobody knows where in it the secrets are.
func (e *Engine) reshape(a Acted) Acted {
	s := e.m.runs[a.Run]
	if s == nil || s.state == nil {
		return a
	}
	n := s.state.Node(a.Result.Path)
	if n == nil || n.Def() == nil || n.Def().Module == nil && len(n.Def().Outputs) == 0 {
		return a
	}
	hides := n.Def().Module != nil && len(n.Def().Sealed) > 0
	if !hides && len(n.Def().Outputs) == 0 && len(n.Def().Module.Outputs) == 0 {
		return a
	}
	out := a.Result.Output
	if a.Result.Ref != nil {
		v, err := e.env(s.state).Load(*a.Result.Ref)
		if m, ok := v.(map[string]any); ok && err == nil {
			out = m
		}
	}
	if hides {
		a.Result.Output, a.Result.Ref = nil, nil
	}
	if a.Result.Outcome != entry.Succeeded {
		return a
	}
	if a.Body != nil && a.Body.Output != nil {
		out = a.Body.Output
	}
	shaped, hidden, err := s.state.Reshape(a.Result.Path, out, e.env(s.state))
	if err == nil && hides {
		shaped, err = e.keep(rootOf(s), shaped, hidden, a.Body)
	}
	if err != nil {
		a.Result.Outcome = entry.Failed
		a.Result.Fault = &entry.Fault{Kind: string(fault.Expr), Message: "outputs: " + err.Error(), Path: a.Result.Path}
		return a
	}
	a.Result.Output, a.Result.Ref = shaped, nil
	return a
}

// do carries an output out. It runs on the loop's goroutine and must not block.
func (e *Engine) do(o Output) {
	switch x := o.(type) {
	case Commit:
		e.fresh = append(e.fresh, x)
	case Offer:
		e.queue.front(x.Commit)
	case Act:
		e.act(x)
	case StopAct:
		e.mu.Lock()
		stop := e.attempts[actKey(x.Run, x.Path)]
		e.mu.Unlock()
		if stop != nil {
			stop(fault.New(fault.Kind(x.Fault.Kind), "%s", x.Fault.Message))
		}
	case Load:
		go func() { e.send(e.load(e.ctx, x.Run)) }()
	case Bind:
		go func() { e.send(Call(e.ctx, e.archive, x, e.cfg.Bind, e.cfg.Key, e.mover())) }()
	case Confirm:
		go func() {
			still, why := e.cfg.Confirm(e.ctx, x.Created)
			e.send(Confirmed{Run: x.Run, Still: still, Why: why})
		}()
	case StoreList:
		go func() { e.send(e.storeList(x)) }()
	case Reply:
		e.mu.Lock()
		ch := e.pending[x.Req]
		delete(e.pending, x.Req)
		e.mu.Unlock()
		if ch != nil {
			ch <- x
		}
	case Publish:
		e.hub.grew(x.Run)
	case Quiet:
		e.hub.quiet(x.Run, x.Idle, x.Ended)
		if e.cfg.Idle != nil {
			e.cfg.Idle(x.Run, x.Idle, x.Ended)
		}
	case Broke:
		e.mu.Lock()
		e.broken = x.Err
		e.mu.Unlock()
		e.cfg.Log.Error("the engine stopped deciding; open it again", "error", x.Err)
		e.hub.broke()
	}
}

func actKey(run, path string) string { return run + "\x00" + path }

func (e *Engine) act(x Act) {
	ctx, cancel := context.WithCancelCause(e.ctx)
	key := actKey(x.Run, x.Path)
	e.mu.Lock()
	e.attempts[key] = cancel
	e.mu.Unlock()
	known, hide := e.unseen(x.State)
	a := Attempt{
		Run: x.Run, Root: x.Root, Path: x.Path, Number: x.Attempt, Epoch: e.lease.Epoch, Intent: x.Intent, Def: x.Def,
		Dialect: string(x.State.Program().Dialect), Dir: x.State.Created.Dir, Known: known, Hide: hide,
		Project: x.State.Created.Project, Environment: x.State.Created.Environment, Labels: x.State.Program().Metadata.Labels,
		Trace:     x.State.Created.Trace,
		Artifacts: slices.Concat(x.Def.Artifacts, x.State.Program().Artifacts),
	}
	if x.Def.Module != nil {
		a.Dialect = string(x.Def.Module.Dialect)
		if len(x.Def.Sealed) > 0 {
			a.Body = &Body{}
		}
	}
	e.crew.Do(func() {
		r := e.cfg.Hands.Act(ctx, a)
		cancel(nil)
		e.mu.Lock()
		delete(e.attempts, key)
		e.mu.Unlock()
		r.Path, r.Attempt = x.Path, x.Attempt
		e.send(Acted{Run: x.Run, Result: r, Body: a.Body})
	})
}

// write is the one goroutine that commits, for all runs together.
func (e *Engine) write() {
	for {
		cs := e.queue.take()
		if cs == nil {
			return
		}
		in := e.commit(cs)
		e.send(in...)
		if slices.ContainsFunc(in, func(x Input) bool { return fault.Is(x.(Committed).Answer.Err, fault.Unavailable) }) { //nolint:errcheck // they are all of that type
			e.pause()
		}
	}
}

// commit makes commits durable, as one transaction, and gives what the machine must hear.
func (e *Engine) commit(cs []Commit) []Input {
	batches := make([]store.Batch, len(cs))
	for i := range cs {
		batches[i] = cs[i].Batch
	}
	answers := e.cfg.Store.Commit(e.ctx, batches)
	in := make([]Input, len(cs))
	for i := range cs {
		in[i] = Committed{Batch: cs[i].ID, Answer: answers[i]}
	}
	return in
}

// pause lets the machine offer again what was refused, before anything younger is tried, and gives the store time.
func (e *Engine) pause() {
	_, _ = e.ask(e.ctx, func(q request) Input { return settled{request: q} })
	select {
	case <-time.After(time.Second):
	case <-e.ctx.Done():
	}
}

// ask sends a request and waits for its reply.
func (e *Engine) ask(ctx context.Context, mk func(request) Input) (any, error) {
	ch := make(chan Reply, 1) // the loop must never wait for a requester who left
	e.mu.Lock()
	e.next++
	n := e.next
	e.pending[n] = ch
	e.mu.Unlock()
	e.send(mk(request{Req: n}))
	select {
	case r := <-ch:
		return r.Value, r.Err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-e.done:
		return nil, fault.New(fault.Unavailable, "the engine is closing")
	}
}

// Drain lets nothing new begin and waits for what acts to end by itself, at most until ctx ends. Runs that would have gone
// on are interrupted. Close follows.
func (e *Engine) Drain(ctx context.Context) {
	e.send(leaveAll{By: entry.Who{Name: "tend", Via: "engine"}, Gently: true})
	e.stopped(ctx)
}

// Close stops driving: what acts is ended in order and its end recorded, runs that could go on become interrupted,
// everything is committed. ctx bounds the wait.
func (e *Engine) Close(ctx context.Context) error {
	select {
	case <-e.done:
		return nil
	default:
	}
	e.send(leaveAll{By: entry.Who{Name: "tend", Via: "engine"}})
	e.stopped(ctx)
	err := e.drain(ctx)
	e.cancel()
	e.queue.close()
	close(e.stop)
	<-e.done
	e.hub.broke()
	return err
}

// stopped waits until no attempt acts. One may still be handed out while it waits, because its intent was being committed.
func (e *Engine) stopped(ctx context.Context) {
	for {
		e.mu.Lock()
		n := len(e.attempts)
		e.mu.Unlock()
		if n == 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// drain waits until nothing is left to commit.
func (e *Engine) drain(ctx context.Context) error {
	for {
		v, err := e.ask(ctx, func(q request) Input { return settled{request: q} })
		if err != nil {
			return err
		}
		if v == true {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(errors.New("close the engine: commits are outstanding"), context.Cause(ctx))
		case <-time.After(2 * time.Millisecond):
		}
	}
}
