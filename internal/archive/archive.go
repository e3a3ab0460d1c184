// Package archive reads runs, tasks and compiled playbooks back from a store, and compares what is there with what was
// recorded of it. It writes nothing.
package archive

import (
	"context"
	"sync"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/task"
)

// Archive reads runs, tasks and compiled playbooks back from a store. It is safe for concurrent use.
type Archive struct {
	store store.Store

	mu       sync.Mutex
	programs map[entry.Hash]*program.Program
	pinned   map[*program.Program]closure
	size     int // bytes of pinned
}

// closure is a program as runs are pinned to it.
type closure struct {
	body []byte
	hash entry.Hash
}

// pinnedLimit bounds the bytes of closures that are remembered.
const pinnedLimit = 16 << 20

// New reads from s.
func New(s store.Store) *Archive {
	return &Archive{store: s, programs: map[entry.Hash]*program.Program{}, pinned: map[*program.Program]closure{}}
}

// Head tells where a stream ends.
func (a *Archive) Head(ctx context.Context, stream string) (store.Head, error) {
	return a.store.Head(ctx, stream)
}

// Run reads a run's stream page by page into its state.
func (a *Archive) Run(ctx context.Context, id string) (*run.State, store.Head, error) {
	var s *run.State
	var head store.Head
	for {
		page, err := a.store.Read(ctx, "run/"+id, head.Length+1, 1000)
		if err != nil {
			return nil, head, err
		}
		if len(page) == 0 {
			break
		}
		if s == nil {
			prog, err := a.ProgramOf(ctx, page[0])
			if err != nil {
				return nil, head, err
			}
			s = run.New(id, prog)
		}
		for i := range page {
			if err := s.Fold(page[i]); err != nil {
				return nil, head, err
			}
		}
		head = store.Head{Length: page[len(page)-1].Seq, Hash: page[len(page)-1].Hash}
	}
	if s == nil {
		return nil, head, fault.New(fault.NotFound, "there is no run %s", id).WithNext("tend runs list")
	}
	return s, head, nil
}

// ProgramOf finds the compiled program of a run by its first entry.
func (a *Archive) ProgramOf(ctx context.Context, first entry.Entry) (*program.Program, error) {
	p, err := entry.Decode(first)
	if err != nil {
		return nil, err
	}
	c, ok := p.(*entry.RunCreated)
	if !ok {
		return nil, fault.New(fault.Damaged, "%s begins with %s", first.Stream, first.Kind)
	}
	return a.Program(ctx, c.Closure)
}

// Program finds a compiled program by its hash.
func (a *Archive) Program(ctx context.Context, h entry.Hash) (*program.Program, error) {
	a.mu.Lock()
	p := a.programs[h]
	a.mu.Unlock()
	if p != nil {
		return p, nil
	}
	page, err := a.store.Rows(ctx, store.Filter{Kind: "closure", ID: h.String(), Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(page.Rows) == 0 {
		return nil, fault.New(fault.Damaged, "the compiled playbook %s is missing", h)
	}
	if p, err = program.Load(page.Rows[0].Body); err != nil {
		return nil, err
	}
	if _, sum, err := p.Closure(); err != nil || entry.Hash(sum) != h {
		return nil, fault.New(fault.Damaged, "the compiled playbook %s is not what was pinned", h)
	}
	a.Keep(h, p)
	return p, nil
}

// Pin gives the closure of a program that a run begins with, and caches both: a server begins many runs of one program,
// which is not changed once it is compiled. Whoever gets the bytes must not change them.
func (a *Archive) Pin(p *program.Program) (body []byte, hash entry.Hash, err error) {
	a.mu.Lock()
	c, ok := a.pinned[p]
	a.mu.Unlock()
	if ok {
		return c.body, c.hash, nil
	}
	body, sum, err := p.Closure()
	if err != nil {
		return nil, sum, err
	}
	a.Keep(sum, p)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.size += len(body); a.size > pinnedLimit {
		clear(a.pinned)
		a.size = len(body)
	}
	a.pinned[p] = closure{body, sum}
	return body, sum, nil
}

// Keep caches a program whose closure is stored, or about to be.
func (a *Archive) Keep(h entry.Hash, p *program.Program) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.programs) > 1000 {
		clear(a.programs)
	}
	a.programs[h] = p
}

// Task reads a task's stream into its state.
func (a *Archive) Task(ctx context.Context, id string) (task.State, store.Head, error) {
	var t task.State
	var head store.Head
	for {
		page, err := a.store.Read(ctx, "task/"+id, head.Length+1, 1000)
		if err != nil {
			return t, head, err
		}
		if len(page) == 0 {
			return t, head, nil
		}
		for i := range page {
			p, err := entry.Decode(page[i])
			if err != nil {
				return t, head, err
			}
			if err := t.Evolve(p, page[i].At); err != nil {
				return t, head, err
			}
		}
		head = store.Head{Length: page[len(page)-1].Seq, Hash: page[len(page)-1].Hash}
	}
}
