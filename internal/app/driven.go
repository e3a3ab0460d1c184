package app

import (
	"context"
	"encoding/json"
	"slices"
	"sync"

	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/story"
)

// driven is the engine as surfaces see it; it remembers which runs this process was asked to move.
type driven struct {
	engine.Service

	// gate is held for reading while a request may make this process move a run, and for writing to find out that none
	// does: nothing is begun between that and the end.
	gate   sync.RWMutex
	closed bool

	mu   sync.Mutex
	runs []string
}

// enter lets a request in, unless the process is about to end.
func (d *driven) enter() (leave func(), err error) {
	d.gate.RLock()
	if d.closed {
		d.gate.RUnlock()
		return nil, fault.New(fault.Unavailable, "the owner of the data directory is ending").WithNext("try again")
	}
	return d.gate.RUnlock, nil
}

// retire lets nothing more in when no run moves, and tells whether that is so.
func (d *driven) retire(ctx context.Context, patient bool) (bool, error) {
	d.gate.Lock()
	defer d.gate.Unlock()
	moving, err := d.moving(ctx, patient)
	d.closed = err == nil && len(moving) == 0
	return d.closed, err
}

// Start implements engine.Service.
func (d *driven) Start(ctx context.Context, s engine.Start) (string, error) {
	leave, err := d.enter()
	if err != nil {
		return "", err
	}
	defer leave()
	id, err := d.Service.Start(ctx, s)
	if err == nil {
		d.add(id)
	}
	return id, err
}

// Do implements engine.Service.
func (d *driven) Do(ctx context.Context, c engine.Command) (engine.Done, error) {
	leave, err := d.enter()
	if err != nil {
		return engine.Done{}, err
	}
	defer leave()
	done, err := d.Service.Do(ctx, c)
	if err != nil {
		return done, err
	}
	switch c.Verb {
	case engine.Resume, engine.Cancel:
		d.add(c.Run)
	case engine.Retry, engine.Rollback:
		if done.Run != "" && done.Run != c.Run {
			d.add(done.Run)
		}
	case engine.Leave:
		d.remove(c.Run)
	case engine.Pause, engine.Unpause, engine.Permit, engine.Skip, engine.Params, engine.Redact, engine.Release:
	}
	return done, nil
}

func (d *driven) add(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.Contains(d.runs, id) {
		d.runs = append(d.runs, id)
	}
}

func (d *driven) remove(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.runs = slices.DeleteFunc(d.runs, func(s string) bool { return s == id })
}

// moving lists the runs that can go on by themselves. Those that have ended are forgotten. With patient, a run that only
// waits for a person counts too while the question can expire: somebody must be there then.
func (d *driven) moving(ctx context.Context, patient bool) ([]string, error) {
	d.mu.Lock()
	all := slices.Clone(d.runs)
	d.mu.Unlock()
	var out []string
	for _, id := range all {
		status, waits, err := Standing(ctx, d.Service, id)
		if err != nil {
			return nil, err
		}
		switch {
		case run.Status(status).Ended():
			d.remove(id)
		case status != string(run.Interrupted) && Moves(waits, patient):
			out = append(out, id)
		}
	}
	return out, nil
}

// Moves tells whether what waits like this goes on without a person or an outside event. With patient, a time limit on
// those counts as moving.
func Moves(waits []engine.Wait, patient bool) bool {
	if len(waits) == 0 {
		return true
	}
	return slices.ContainsFunc(waits, func(w engine.Wait) bool {
		return w.Moves() || patient && w.For != "guard" && !w.Until.IsZero()
	})
}

// Standing tells how a run stands and what it waits for. In the place of a sub-playbook that it waits for stands what that
// one waits for.
func Standing(ctx context.Context, s engine.Service, id string) (status string, waits []engine.Wait, err error) {
	return standing(ctx, s, id, 0)
}

func standing(ctx context.Context, s engine.Service, id string, depth int) (string, []engine.Wait, error) {
	p, err := s.Rows(ctx, store.Filter{Kind: "run", ID: id, Limit: 1})
	if err != nil || len(p.Rows) == 0 {
		return "", nil, err
	}
	var body engine.RunRow
	if err := json.Unmarshal(p.Rows[0].Body, &body); err != nil {
		return p.Rows[0].Status, nil, nil //nolint:nilerr // a row that cannot be read says nothing; the run's stream does
	}
	var out []engine.Wait
	if body.Acting > 0 {
		out = append(out, engine.Wait{For: "attempt", Why: "steps act"})
	}
	if err := story.Holders(ctx, s, body.Waits); err != nil {
		return "", nil, err
	}
	for _, w := range body.Waits {
		if w.For != "child" || depth > 20 {
			out = append(out, w)
			continue
		}
		status, below, err := standing(ctx, s, w.On, depth+1)
		if err != nil {
			return "", nil, err
		}
		if len(below) == 0 || run.Status(status).Ended() || status == string(run.Interrupted) {
			// It moves. One that is interrupted while its caller is not goes on in a moment, or interrupts the caller.
			below = []engine.Wait{w}
		}
		out = append(out, below...)
	}
	return body.Status, out, nil
}

// close lets nothing more in.
func (d *driven) close() {
	d.gate.Lock()
	defer d.gate.Unlock()
	d.closed = true
}
