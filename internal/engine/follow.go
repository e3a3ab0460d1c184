package engine

import (
	"context"
	"sync"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
)

// hub wakes the followers of runs. It keeps no entries: followers read them from the store, so that a slow one loses none.
type hub struct {
	mu   sync.Mutex
	runs map[string][]*follower
	over bool
}

type follower struct {
	wake chan struct{} // holds one: there is something new
	mu   sync.Mutex
	idle *Idle
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

func (h *hub) quiet(run string, idle Idle, _ bool) { h.each(run, func(f *follower) { f.idle = &idle }) }

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
	out := make(chan Update, 64) // a reader that is a moment late does not hold up the log
	f := e.hub.join(run)
	ctx, cancel := context.WithCancel(ctx)
	var logs sync.WaitGroup
	if e.cfg.Logs != nil {
		logs.Go(func() {
			e.cfg.Logs.Follow(ctx, run, func(c LogChunk, dropped int) {
				u := Update{Log: &c, Dropped: 0}
				if dropped > 0 {
					u = Update{Dropped: dropped}
				}
				select {
				case out <- u:
				case <-ctx.Done():
				}
			})
		})
	}
	go func() {
		defer close(out)
		defer logs.Wait()
		defer cancel()
		defer e.hub.leave(run, f)
		e.follow(ctx, run, max(from, 1), f, out)
	}()
	return out, nil
}

func (e *Engine) follow(ctx context.Context, run string, next uint64, f *follower, out chan<- Update) {
	put := func(u Update) bool {
		select {
		case out <- u:
			return true
		case <-ctx.Done():
			return false
		}
	}
	for {
		select {
		case <-f.wake:
		case <-ctx.Done():
			return
		}
		idle, end := f.take()
		for {
			page, err := e.cfg.Store.Read(ctx, "run/"+run, next, 500)
			if err != nil || len(page) == 0 {
				break
			}
			for i := range page {
				if !put(Update{Entry: &page[i]}) {
					return
				}
				next = page[i].Seq + 1
				if k := page[i].Kind; k == entry.KindRunEnded || k == entry.KindRunQuarantined {
					return
				}
			}
		}
		if idle != nil && !put(Update{Idle: idle}) {
			return
		}
		if end {
			return
		}
	}
}
