package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/governor"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/ledger"
)

// haltRuns is how many runs are busy when everything is halted.
const haltRuns = 200

// begun notes when an effect began last.
type begun struct {
	inner engine.Hands
	last  atomic.Int64 // nanoseconds since 1970
	n     atomic.Int64
}

func (b *begun) Act(ctx context.Context, a engine.Attempt) entry.StepResult {
	b.last.Store(time.Now().UnixNano())
	b.n.Add(1)
	return b.inner.Act(ctx, a)
}

// busy is a house in which runs begin one effect after the other, under a governor.
type busy struct {
	*house

	begun    *begun
	ledger   *ledger.Ledger
	governor *governor.Governor
	file     string
	stop     context.CancelFunc
	ended    sync.WaitGroup
}

func openBusy(ctx context.Context, where string, runs int) (*busy, error) {
	h, err := open(ctx, where, true)
	if err != nil {
		return nil, err
	}
	b := &busy{house: h, begun: &begun{inner: h.hands.inner}, file: filepath.Join(where, "halt")}
	h.hands.inner = b.begun
	b.ledger = ledger.Open(h.store, h.engine.Lease(), nil)
	b.governor, err = governor.Open(ctx, governor.Config{Ledger: b.ledger, Mode: guard.ModeAuto, File: b.file})
	if err != nil {
		return nil, err
	}
	var none []guard.Spec // in place of the default ones, which would hold two hundred runs of one playbook
	for _, g := range guard.Defaults() {
		g.Select.Playbooks = []string{"no such playbook"}
		none = append(none, g)
	}
	b.governor.SetGuards(map[string][]guard.Spec{"default": none})
	live, stop := context.WithCancel(ctx)
	b.stop = stop
	b.ended.Go(func() { _ = b.governor.Run(live, h.engine, nil) })
	p, err := h.compile("steps:\n  - foreach:\n      range: [0, 1000000]\n      value: n\n      steps:\n      " + noopStep)
	if err != nil {
		return nil, err
	}
	for range runs {
		if _, err := h.start(ctx, p); err != nil {
			return nil, err
		}
	}
	return b, b.moves(runs)
}

// moves waits until all runs began effects after now.
func (b *busy) moves(runs int) error {
	from := b.begun.n.Load()
	for deadline := time.Now().Add(30 * time.Second); b.begun.n.Load()-from < int64(2*runs); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			return errors.New("the runs do not go on")
		}
	}
	return nil
}

// halted halts everything, and tells how long an effect began after that, and how many began after the answer.
func (b *busy) halted(halt func() error) (last time.Duration, late int64, err error) {
	at := time.Now()
	if err := halt(); err != nil {
		return 0, 0, err
	}
	answered := b.begun.n.Load()
	for n := int64(-1); n != b.begun.n.Load(); time.Sleep(time.Second) { // until none begins any more
		n = b.begun.n.Load()
		if time.Since(at) > 20*time.Second {
			return 0, 0, errors.New("effects go on beginning")
		}
	}
	return max(time.Unix(0, b.begun.last.Load()).Sub(at), 0), b.begun.n.Load() - answered, nil
}

// people and file are the two ways to halt, each with how it ends.
func (b *busy) people(ctx context.Context) (on, off func() error) {
	who := entry.Who{ID: "user:bench", Name: "bench"}
	return func() error { _, err := b.governor.Halt(ctx, guard.Halted{}, who, "bench"); return err },
		func() error { _, err := b.governor.Unhalt(ctx, "", who, "bench"); return err }
}

func (b *busy) byFile() (on, off func() error) {
	return func() error { return os.WriteFile(b.file, []byte("bench"), 0o600) }, func() error { return os.Remove(b.file) }
}

func (b *busy) close(ctx context.Context) error {
	b.stop()
	b.ended.Wait()
	return errors.Join(b.ledger.Close(ctx), b.house.close(ctx))
}

// halts: how long effects still begin after everything was halted while 200 runs are busy: by a person, as the API does it, and
// by the file on the host. The worst of five.
func halts(ctx context.Context, r *report) error {
	where, remove, err := temporary()
	if err != nil {
		return err
	}
	defer remove()
	b, err := openBusy(ctx, where, haltRuns)
	if err != nil {
		return err
	}
	for _, x := range []struct {
		name string
		ways func() (on, off func() error)
	}{{"halt", func() (on, off func() error) { return b.people(ctx) }}, {"halt_file", b.byFile}} {
		var worst time.Duration
		var most int64
		for range 5 {
			on, off := x.ways()
			last, late, err := b.halted(on)
			if err != nil {
				return fmt.Errorf("%s: %w", x.name, err)
			}
			worst, most = max(worst, last), max(most, late)
			if err := off(); err != nil {
				return err
			}
			if err := b.moves(haltRuns); err != nil {
				return err
			}
		}
		r.ms(x.name+"_ms", worst)
		r.line(x.name+"_late", float64(most), "effects")
	}
	return b.close(ctx)
}
