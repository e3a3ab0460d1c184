package engine

import (
	"context"
	"sync"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store"
)

// hub wakes the followers of runs. It keeps no entries: followers read them from the store, so that a slow one loses none.
type hub struct {
	mu   sync.Mutex
	runs map[string][]*follower
	over bool

	ended [1024]ended // the last runs that ended, for those who ask a moment late
	next  int
}

type ended struct{ run, status string }

type follower struct {
	wake chan struct{} // holds one: there is something new
	mu   sync.Mutex
	idle *Idle
	news int // how often something was heard
	end  bool
}

func (h *hub) join(run string) *follower {
	f := &follower{wake: make(chan struct{}, 1)}
	f.wake <- struct{}{}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.runs == nil {
		h.runs = map[string][]*follower{}
	}
	h.runs[run] = append(h.runs[run], f)
	f.end = h.over
	return f
}

func (h *hub) leave(run string, f *follower) {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := h.runs[run]
	for i := range list {
		if list[i] == f {
			h.runs[run] = append(list[:i:i], list[i+1:]...)
		}
	}
	if len(h.runs[run]) == 0 {
		delete(h.runs, run)
	}
}

func (h *hub) each(run string, do func(*follower)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, f := range h.runs[run] {
		f.mu.Lock()
		f.news++
		do(f)
		f.mu.Unlock()
		f.poke()
	}
}

func (f *follower) poke() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

func (h *hub) grew(run string) { h.each(run, func(f *follower) { f.idle = nil }) }

func (h *hub) quiet(run string, idle Idle, over bool) {
	if over {
		h.mu.Lock()
		h.ended[h.next%len(h.ended)] = ended{run, idle.Status}
		h.next++
		h.mu.Unlock()
	}
	h.each(run, func(f *follower) { f.idle = &idle })
}

// lately gives the status of a run that ended a moment ago.
func (h *hub) lately(run string) (string, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.ended {
		if h.ended[i].run == run {
			return h.ended[i].status, true
		}
	}
	return "", false
}

// broke ends all followers: nothing more will come.
func (h *hub) broke() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.over = true
	for _, list := range h.runs {
		for _, f := range list {
			f.mu.Lock()
			f.end = true
			f.mu.Unlock()
			f.poke()
		}
	}
}

func (f *follower) take() (idle *Idle, end bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	idle, f.idle = f.idle, nil
	return idle, f.end
}

// Follow implements Service.
func (e *Engine) Follow(ctx context.Context, run string, from uint64) (<-chan Update, error) {
	if h, err := e.cfg.Store.Head(ctx, "run/"+run); err != nil {
		return nil, err
	} else if h.Length == 0 {
		return nil, fault.New(fault.NotFound, "there is no run %s", run).WithNext("tend runs list")
	}
	f := e.hub.join(run)
	e.standing(ctx, run, f)
	out := make(chan Update, 64) // a reader that is a moment late does not hold up the log
	r := &reader{e: e, run: run, next: max(from, 1), f: f, out: out}
	if e.cfg.Logs != nil {
		r.logs = e.cfg.Logs.Follow(run)
		r.ready = r.logs.Ready()
	}
	go func() {
		defer close(out)
		defer e.hub.leave(run, f)
		if r.logs != nil {
			defer r.logs.Close()
		}
		r.follow(ctx)
	}()
	return out, nil
}

// standing tells a new follower of a run that nothing moves what it waits for: the machine knows, or else its row.
func (e *Engine) standing(ctx context.Context, id string, f *follower) {
	f.mu.Lock()
	news := f.news
	f.mu.Unlock()
	v, err := e.ask(ctx, func(q request) Input { return standing{request: q, Run: id} })
	at, _ := v.(stance)
	if err != nil || at.Moves {
		return // it will say how it stands when it rests
	}
	idle := at.Idle
	if idle == nil {
		idle = e.stored(ctx, id)
	}
	if idle == nil || len(idle.Waits) == 0 || run.Status(idle.Status).Ended() {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.news == news {
		f.idle = idle
	}
}

// stored tells how a run stands by its row; nil when something acts.
func (e *Engine) stored(ctx context.Context, id string) *Idle {
	p, err := e.cfg.Store.Rows(ctx, store.Filter{Kind: "run", ID: id, Limit: 1})
	if err != nil || len(p.Rows) == 0 {
		return nil
	}
	var r RunRow
	if decode(p.Rows[0].Body, &r) != nil || r.Acting > 0 {
		return nil
	}
	return &Idle{Status: r.Status, Waits: r.Waits}
}

// reader feeds one follower: entries in order, and what a step printed before its result.
type reader struct {
	e     *Engine
	run   string
	next  uint64
	f     *follower
	logs  Tail
	ready <-chan struct{}
	out   chan<- Update
}

func (r *reader) put(ctx context.Context, u Update) bool {
	select {
	case r.out <- u:
		return true
	case <-ctx.Done():
		return false
	}
}

func (r *reader) follow(ctx context.Context) {
	for {
		select {
		case <-r.f.wake:
		case <-r.ready:
			if !r.print(ctx) {
				return
			}
			continue
		case <-ctx.Done():
			return
		}
		idle, end := r.f.take()
		if !r.entries(ctx) {
			return
		}
		if idle != nil && (!r.print(ctx) || !r.put(ctx, Update{Idle: idle})) {
			return
		}
		if end {
			return
		}
	}
}

// entries passes on what is stored by now; false means that the story is over.
func (r *reader) entries(ctx context.Context) bool {
	for {
		page, err := r.e.cfg.Store.Read(ctx, "run/"+r.run, r.next, 500)
		if err != nil || len(page) == 0 {
			return true
		}
		for i := range page {
			k := page[i].Kind
			if k == entry.KindStepResult && !r.print(ctx) {
				return false
			}
			if !r.put(ctx, Update{Entry: &page[i]}) {
				return false
			}
			r.next = page[i].Seq + 1
			if k == entry.KindRunEnded || k == entry.KindRunQuarantined {
				return false
			}
		}
	}
}

// print passes on what attempts printed by now.
func (r *reader) print(ctx context.Context) bool {
	if r.logs == nil {
		return true
	}
	chunks, dropped := r.logs.Take()
	if dropped > 0 && !r.put(ctx, Update{Dropped: dropped}) {
		return false
	}
	for i := range chunks {
		if !r.put(ctx, Update{Log: &chunks[i]}) {
			return false
		}
	}
	return true
}

// Wait blocks until a run has ended or nothing of it is in flight, and gives its status.
func (e *Engine) Wait(ctx context.Context, id string) (string, error) {
	f := e.hub.join(id)
	defer e.hub.leave(id, f)
	if st, ok := e.hub.lately(id); ok {
		return st, nil
	}
	// Most runs say so themselves in a moment; only of those that do not the store is asked.
	look := time.NewTimer(50 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-f.wake:
		case <-look.C:
			if st, err := e.resting(ctx, id); err != nil || st != "" {
				return st, err
			}
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
		idle, end := f.take()
		if idle != nil && atRest(idle.Status) {
			return idle.Status, nil
		}
		if end {
			return "", fault.New(fault.Unavailable, "the engine is closing")
		}
	}
}

// resting gives the stored status of a run that does not move, or "".
func (e *Engine) resting(ctx context.Context, id string) (string, error) {
	p, err := e.cfg.Store.Rows(ctx, store.Filter{Kind: "run", ID: id, Limit: 1})
	switch {
	case err != nil:
		return "", err
	case len(p.Rows) == 0:
		return "", fault.New(fault.NotFound, "there is no run %s", id).WithNext("tend runs list")
	case atRest(p.Rows[0].Status):
		return p.Rows[0].Status, nil
	}
	return "", nil
}

// atRest tells whether a run of this status moves only by what comes from outside.
func atRest(status string) bool {
	switch st := run.Status(status); st {
	case run.Waiting, run.Paused, run.Interrupted, run.InDoubt:
		return true
	case run.Pending, run.Running, run.Cancelling, run.Undoing:
		return false
	default:
		return st.Ended()
	}
}
