package engine

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/task"
	"github.com/tendhq/tend/internal/value"
)

func decode(b []byte, into any) error { return json.Unmarshal(b, into) }

// load reads a run, with what the machine needs beside it. A damaged stream quarantines the run: the others go on.
func (e *Engine) load(ctx context.Context, id string) Loaded {
	l := Loaded{Run: id, Tasks: map[string]LoadedTask{}, Heads: map[string]store.Head{}}
	l.State, l.Head, l.Err = e.fold(ctx, id)
	if l.Err != nil {
		if fault.Is(l.Err, fault.Damaged) || fault.Is(l.Err, fault.Newer) {
			e.quarantined(ctx, id, l.Err)
		}
		return l
	}
	for _, tid := range l.State.OpenTasks() {
		t, head, err := e.foldTask(ctx, tid)
		if err != nil {
			l.Err = err
			return l
		}
		l.Tasks[tid] = LoadedTask{Task: t, Head: head}
	}
	for _, g := range decodeGuards(l.State.Created.Guards) {
		h, err := e.cfg.Store.Head(ctx, "guard/"+g.Name)
		if err != nil {
			l.Err = err
			return l
		}
		l.Heads["guard/"+g.Name] = h
	}
	return l
}

// fold reads a run's stream page by page into its state.
func (e *Engine) fold(ctx context.Context, id string) (*run.State, store.Head, error) {
	var s *run.State
	var head store.Head
	for {
		page, err := e.cfg.Store.Read(ctx, "run/"+id, head.Length+1, 1000)
		if err != nil {
			return nil, head, err
		}
		if len(page) == 0 {
			break
		}
		if s == nil {
			prog, err := e.programOf(ctx, page[0])
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

func (e *Engine) programOf(ctx context.Context, first entry.Entry) (*playbook.Program, error) {
	p, err := entry.Decode(first)
	if err != nil {
		return nil, err
	}
	c, ok := p.(*entry.RunCreated)
	if !ok {
		return nil, fault.New(fault.Damaged, "%s begins with %s", first.Stream, first.Kind)
	}
	return e.closure(ctx, c.Closure)
}

// closure finds a compiled program by its hash.
func (e *Engine) closure(ctx context.Context, h entry.Hash) (*playbook.Program, error) {
	e.mu.Lock()
	p := e.programs[h]
	e.mu.Unlock()
	if p != nil {
		return p, nil
	}
	page, err := e.cfg.Store.Rows(ctx, store.Filter{Kind: "closure", ID: h.String(), Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(page.Rows) == 0 {
		return nil, fault.New(fault.Damaged, "the compiled playbook %s is missing", h)
	}
	if p, err = playbook.Load(page.Rows[0].Body); err != nil {
		return nil, err
	}
	if _, sum, err := p.Closure(); err != nil || entry.Hash(sum) != h {
		return nil, fault.New(fault.Damaged, "the compiled playbook %s is not what was pinned", h)
	}
	e.keep(h, p)
	return p, nil
}

// keep caches a program whose closure is stored, or about to be.
func (e *Engine) keep(h entry.Hash, p *playbook.Program) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.programs) > 1000 {
		clear(e.programs)
	}
	e.programs[h] = p
}

func (e *Engine) foldTask(ctx context.Context, id string) (task.State, store.Head, error) {
	var t task.State
	var head store.Head
	for {
		page, err := e.cfg.Store.Read(ctx, "task/"+id, head.Length+1, 1000)
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
			if err := t.Evolve(p); err != nil {
				return t, head, err
			}
		}
		head = store.Head{Length: page[len(page)-1].Seq, Hash: page[len(page)-1].Hash}
	}
}

// quarantined changes the row of a run whose stream cannot be read, so that people see it.
func (e *Engine) quarantined(ctx context.Context, id string, why error) {
	page, err := e.cfg.Store.Rows(ctx, store.Filter{Kind: "run", ID: id, Limit: 1})
	if err != nil || len(page.Rows) == 0 || page.Rows[0].Status == string(run.Quarantined) {
		return
	}
	r := page.Rows[0]
	var body RunRow
	_ = decode(r.Body, &body)
	body.Status, body.Waits = string(run.Quarantined), nil
	body.Fault = &entry.Fault{Kind: string(fault.KindOf(why)), Message: why.Error()}
	if r.Body, err = value.Canonical(body); err != nil {
		return
	}
	r.Status = body.Status
	e.cfg.Store.Commit(ctx, []store.Batch{{Epoch: e.lease.Epoch, Rows: []store.Row{r}}})
	e.cfg.Log.Error("quarantine a run whose stream cannot be read", "run", id, "error", why)
}

// env is what expressions of a run may use; its blobs are those of its root.
func (e *Engine) env(s *run.State) run.Env {
	env := e.cfg.Env
	root := cmp.Or(s.Created.Cause.Root, s.ID)
	env.Load = func(ref entry.Ref) (any, error) {
		b, err := e.blob(e.ctx, root, ref)
		if err != nil {
			return nil, err
		}
		return value.Parse(b)
	}
	return env
}

func (e *Engine) blob(ctx context.Context, group string, ref entry.Ref) ([]byte, error) {
	r, err := e.cfg.Blobs.Get(ctx, group, ref)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read blob %s: %w", ref.ID, err)
	}
	return b, nil
}

func (e *Engine) storeList(x StoreList) Input {
	s := x.Fact
	b, err := value.Canonical(s.List)
	if err == nil {
		var ref entry.Ref
		if ref, err = e.cfg.Blobs.Put(e.ctx, x.Root, bytes.NewReader(b)); err == nil {
			s.Ref, s.List = &ref, nil
		}
	}
	if err != nil {
		s.Error, s.List, s.Count = &entry.Fault{Kind: string(fault.KindOf(err)), Message: err.Error(), Path: s.Path}, nil, 0
	}
	return Listed{Run: x.Run, Fact: s}
}

func (e *Engine) bind(x Bind) Input {
	b := Bound{Run: x.Run, Path: x.Path, Prog: x.Prog}
	if x.Prog == nil {
		b.Fault = &entry.Fault{Kind: string(fault.Internal), Message: "the sub-playbook is not in the closure", Path: x.Path}
		return b
	}
	c := x.State.Created
	params, err := x.Prog.Bind(x.Params, c.Event, c.Metadata, e.cfg.Bind)
	if err == nil {
		var sum [32]byte
		b.Params = params
		b.Body, sum, err = x.Prog.Closure()
		b.Hash = sum
		e.keep(b.Hash, x.Prog)
	}
	if err != nil {
		b.Fault = &entry.Fault{Kind: string(fault.KindOf(err)), Message: err.Error(), Path: x.Path}
	}
	return b
}
