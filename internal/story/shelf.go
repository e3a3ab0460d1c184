package story

import (
	"context"
	"sync"

	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/store"
)

// mostKept is how many stories a Shelf keeps: those of the runs that people look at now. Each has a few megabytes at most.
const mostKept = 24

// Shelf keeps the stories that were asked for last, so that whoever looks at a run again, or follows it live, does not
// cause all of it to be read again. It is safe for concurrent use.
type Shelf struct {
	mu   sync.Mutex
	kept map[string]*kept
	turn uint64
}

type kept struct {
	mu    sync.Mutex
	story *Story
	turn  uint64 // of the shelf, when it was asked for last
}

// Tell gives the story of a run to do, read to its present end. The story is whole and still until do returns, and must not
// be kept beyond.
func (h *Shelf) Tell(ctx context.Context, s engine.Service, run string, do func(*Story, store.Row) error) error {
	p, err := s.Rows(ctx, store.Filter{Kind: "run", ID: run, Limit: 1})
	if err != nil {
		return err
	}
	if len(p.Rows) == 0 {
		return fault.New(fault.NotFound, "there is no run %q", run)
	}
	k := h.take(run)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.story == nil {
		t, err := Read(ctx, s, p.Rows[0])
		if err != nil {
			return err
		}
		k.story = t
	} else if err := k.story.Go(ctx, s, p.Rows[0]); err != nil {
		k.story = nil // it is read anew the next time
		return err
	}
	return do(k.story, p.Rows[0])
}

// Forget lets go of a story: something in what was read is no longer there.
func (h *Shelf) Forget(run string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.kept, run)
}

func (h *Shelf) take(run string) *kept {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.kept == nil {
		h.kept = map[string]*kept{}
	}
	k := h.kept[run]
	if k == nil {
		k = &kept{}
		h.kept[run] = k
	}
	h.turn++
	k.turn = h.turn
	if len(h.kept) > mostKept {
		oldest, turn := "", h.turn
		for id, x := range h.kept {
			if x.turn < turn {
				oldest, turn = id, x.turn
			}
		}
		delete(h.kept, oldest)
	}
	return k
}
