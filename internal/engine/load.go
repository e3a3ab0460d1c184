package engine

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/value"
)

func decode(b []byte, into any) error { return json.Unmarshal(b, into) }

// load reads a run for the machine. A damaged stream quarantines the run: the others go on.
func (e *Engine) load(ctx context.Context, id string) Loaded {
	l := Read(ctx, e.archive, id)
	if fault.Is(l.Err, fault.Damaged) || fault.Is(l.Err, fault.Newer) {
		e.quarantined(ctx, id, l.Err)
		if fault.NextOf(l.Err) == "" {
			l.Err = &fault.Error{Kind: fault.KindOf(l.Err), Err: l.Err, Next: "see what it holds and how it stands: tend runs explain " + id}
		}
	}
	return l
}

// quarantined changes the row of a run whose stream cannot be read, so that people see it.
func (e *Engine) quarantined(ctx context.Context, id string, why error) {
	r, err := rowFor(ctx, e.cfg.Store, id)
	if err != nil || r.Status == string(run.Quarantined) {
		return
	}
	if r, err = QuarantinedRow(r, why); err != nil {
		return
	}
	e.cfg.Store.Commit(ctx, []store.Batch{{Epoch: e.lease.Epoch, Rows: []store.Row{r}}})
	e.cfg.Log.Error("quarantine a run whose stream cannot be read", "run", id, "error", why)
}

// QuarantinedRow gives the row of a run whose stream cannot be read.
func QuarantinedRow(r store.Row, why error) (store.Row, error) {
	var body RunRow
	_ = decode(r.Body, &body)
	body.Status, body.Waits = string(run.Quarantined), nil
	body.Fault = &entry.Fault{Kind: string(fault.KindOf(why)), Message: why.Error()}
	text, err := value.Canonical(body)
	r.Body, r.Status, r.Due = text, body.Status, time.Time{}
	return r, err
}

// env is what expressions of a run may use; its blobs are those of its root.
func (e *Engine) env(s *run.State) run.Env {
	env := e.cfg.Env
	env.Seal, env.Open = e.cfg.Key.For(groupOf(s))
	root := cmp.Or(s.Created.Cause.Root, s.ID)
	env.Load = func(ref entry.Ref) (any, error) {
		return e.values.get(root, ref, func() (any, error) {
			b, err := e.blob(e.ctx, root, ref)
			if err != nil {
				return nil, err
			}
			return value.Parse(b)
		})
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

// move copies a blob.
func (e *Engine) move(ctx context.Context, from, to string, ref entry.Ref) (entry.Ref, error) {
	r, err := e.cfg.Blobs.Get(ctx, from, ref)
	if err != nil {
		return entry.Ref{}, err
	}
	defer func() { _ = r.Close() }()
	return e.cfg.Blobs.Put(ctx, to, r)
}
