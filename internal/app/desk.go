package app

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tendhq/tend/internal/config"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/courier"
	"github.com/tendhq/tend/internal/dispatch"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/governor"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/handover"
	"github.com/tendhq/tend/internal/intake"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/retention"
	"github.com/tendhq/tend/internal/seal"
)

// home is the project of everything that names none.
const home = "default"

// desk is what a server has for events and incidents, beside its engine.
type desk struct {
	ledger   *ledger.Ledger
	dispatch atomic.Pointer[dispatch.Dispatch] // nil while it is opened
	governor *governor.Governor
	shelf    *shelf
	clock    atomic.Pointer[intake.Clock]    // nil until sources are open
	courier  atomic.Pointer[courier.Courier] // nil: there are no channels
	duties   *duties
	door     *intake.Door              // what is posted
	pullers  map[string]*intake.Puller // what is asked, by source

	handovers atomic.Pointer[handover.Desk] // nil while it is opened

	mu    sync.Mutex
	early []func(*dispatch.Dispatch) // what the engine told before there was somebody to hear
}

// openDesk opens the ledger and the dispatcher over an engine: what was decided and did not happen, happens now.
func (w *owned) openDesk(ctx context.Context, s *server, d *desk, set contract.Catalog, key seal.Key) error {
	d.ledger = ledger.Open(s.metrics.Timed(w.store), w.engine.Lease(), s.log)
	err := w.openHandovers(ctx, s, d, key)
	if err != nil {
		return err
	}
	if d.governor, err = governor.Open(ctx, governor.Config{
		Ledger: d.ledger, Mode: guard.Mode(s.Config.Mode), File: filepath.Join(w.dir, haltFile), Labels: d.shelf.labels, Log: s.log,
	}); err != nil {
		return err
	}
	d.shelf.changed = d.live
	if err := d.shelf.open(ctx, s.Config, w, d, set); err != nil {
		return err
	}
	d.governor.SetGuards(d.shelf.guards())
	// Rules are live before anything that was decided earlier begins.
	if err := w.engine.Govern(ctx, d.governor.Rules()); err != nil {
		return err
	}
	x, err := dispatch.Open(ctx, dispatch.Config{
		Ledger: d.ledger, Engine: w.engine, Catalog: d.shelf, Gate: d.governor, Rules: d.shelf.rules(), Bind: d.shelf.eval, Blobs: w.blobs, Log: s.log,
		Told: func(e *event.Event, r dispatch.Receipt) {
			s.metrics.Told(e, r)
			d.shelf.pushed(e)
			if c := d.clock.Load(); c != nil {
				c.Heard([]event.Event{*e}) // also of what people and runs report
			}
		},
		Limits: dispatch.Limits{Runs: s.Config.Runs},
	})
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.dispatch.Store(x)
	for _, tell := range d.early {
		tell(x)
	}
	d.early = nil
	d.mu.Unlock()
	x.Govern(d.shelf.rules()) // of what became live meanwhile
	s.parts = append(s.parts, part{
		name: "events", run: d.run, ready: func(context.Context) error { return errors.Join(d.ledger.Err(), x.Err()) },
	}, part{
		name: "guards", run: func(ctx context.Context) error { return d.governor.Run(ctx, w.engine, x.Reconsider) },
	})
	if p := retained(s.Config.Retention); p.Any() {
		k := &retention.Keeper{Policy: p, Ledger: d.ledger, Blobs: w.blobs, Log: s.log}
		s.parts = append(s.parts, part{name: "retention", run: k.Run})
	}
	d.duties = w.openDuties(s)
	if err := w.openCourier(ctx, s, d); err != nil {
		return err
	}
	return d.sources(s, w, x)
}

func retained(c config.Retention) retention.Policy {
	return retention.Policy{Runs: time.Duration(c.Runs), Events: time.Duration(c.Events), Messages: time.Duration(c.Messages)}
}

// live makes live for everybody what is in the repositories.
func (d *desk) live() {
	d.governor.SetGuards(d.shelf.guards())
	if x := d.dispatch.Load(); x != nil {
		x.Govern(d.shelf.rules())
	}
}

// run ends the server when nobody knows what was written: only a start finds that out.
func (d *desk) run(ctx context.Context) error {
	select {
	case <-d.ledger.Broken():
		return d.ledger.Err()
	case <-ctx.Done():
		// Nothing new begins; what was decided begins at the next start.
		last, end := context.WithTimeout(context.WithoutCancel(ctx), hasty)
		defer end()
		return d.close(last)
	}
}

// idle hears from the engine which runs are over.
func (d *desk) idle(run string, i engine.Idle, ended bool) {
	if h := d.handovers.Load(); h != nil && ended {
		h.Look()
	}
	if c := d.courier.Load(); c != nil {
		if ended || waiting(i) {
			c.Asked()
		}
		c.Moved(run)
	}
	if x := d.dispatch.Load(); x != nil {
		x.Idle(run, i, ended)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	tell := func(x *dispatch.Dispatch) { x.Idle(run, i, ended) }
	if x := d.dispatch.Load(); x != nil {
		tell(x)
		return
	}
	d.early = append(d.early, tell)
}

// close ends what begins runs; end what writes.
func (d *desk) close(ctx context.Context) error {
	if d.shelf == nil {
		return nil
	}
	if x := d.shelf.sync.Load(); x != nil {
		x.Close()
	}
	if x := d.dispatch.Load(); x != nil {
		return x.Close(ctx)
	}
	return nil
}

func (d *desk) end(ctx context.Context) error {
	if d.ledger == nil {
		return nil
	}
	return d.ledger.Close(ctx)
}
