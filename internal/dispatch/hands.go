package dispatch

import (
	"context"
	"io"
	"time"

	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/value"
)

// start starts a run, however often it takes, until it is too old.
func (d *Dispatch) start(x StartRun) {
	defer func() {
		d.mu.Lock()
		delete(d.starting, x.Run)
		d.mu.Unlock()
	}()
	select {
	case d.slots <- struct{}{}:
		defer func() { <-d.slots }()
	case <-d.ctx.Done():
		return
	}
	for pause := 250 * time.Millisecond; ; pause = min(2*pause, 15*time.Second) {
		err := d.tryStart(x)
		switch {
		case d.ctx.Err() != nil:
			return // whoever opens the server next asks again
		case err == nil:
			d.send(Began{Run: x.Run})
			return
		case !passing(err):
			d.dropRun(x.Run)
			d.send(Began{x.Run, err})
			return
		}
		if late := x.Ticket.deadline(); !late.IsZero() && !time.Now().Add(pause).Before(late) {
			d.dropRun(x.Run)
			d.send(Began{x.Run, fault.Wrap(fault.Unavailable, err, "it could not begin in time")})
			return
		}
		d.send(Delayed{x.Run, err.Error()})
		if !d.sleep(pause) {
			return
		}
	}
}

// passing tells whether it helps to try again.
func passing(err error) bool {
	switch fault.KindOf(err) {
	case fault.Unavailable, fault.Unreachable, fault.Timeout, fault.RateLimited, fault.Cancelled:
		return true
	default:
		return false
	}
}

// dropRun forgets a run that does not go on.
func (d *Dispatch) dropRun(run string) {
	d.mu.Lock()
	delete(d.mine, run)
	d.mu.Unlock()
}

func (d *Dispatch) tryStart(x StartRun) error {
	t := &x.Ticket
	data := x.Data
	if data == nil {
		e, err := d.read(d.ctx, t.Event, &t.Row)
		if err != nil {
			return err
		}
		data = e.Data
	}
	pb, err := d.cfg.Catalog.Playbook(d.ctx, t.Project, t.Outcome.Trigger, t.Outcome.Playbook)
	if err != nil {
		return err
	}
	params, err := pb.Program.Bind(t.Outcome.Parameters, data, pb.Metadata, d.cfg.Bind)
	if err != nil {
		return err
	}
	_, err = d.cfg.Engine.Start(d.ctx, engine.Start{
		ID: x.Run, Project: t.Project, Environment: pb.Environment, Program: pb.Program, Params: params, Event: data, Metadata: pb.Metadata, Source: pb.Source, Dir: pb.Dir,
		Guards: pb.Guards, By: entry.Who{ID: "trigger:" + t.Outcome.Trigger, Name: "trigger " + t.Outcome.Trigger, Via: "engine"},
		Cause: entry.Cause{Event: t.Event, Incident: t.Row.Decision.Incident, Key: t.Outcome.Key, Trigger: t.Outcome.Trigger},
		Trace: t.Row.Trace,
	})
	if fault.Is(err, fault.Refused) {
		if st, serr := d.cfg.Engine.Status(d.ctx); serr == nil && st.Halted != "" {
			return fault.Wrap(fault.Unavailable, err, "the engine is halted") // until a person lets it go on
		}
	}
	return err
}

func (d *Dispatch) cancelRun(x CancelRun) {
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 10*time.Second) {
		_, err := d.cfg.Engine.Do(d.ctx, engine.Command{Verb: engine.Cancel, Run: x.Run, By: self(), Why: x.Why})
		// A run that is not there yet is about to begin; one that cannot be cancelled ends by itself.
		if err == nil || fault.Is(err, fault.Conflict) || !passing(err) && !fault.Is(err, fault.NotFound) {
			return
		}
		d.mu.Lock()
		goes := d.mine[x.Run]
		d.mu.Unlock()
		if !goes || !d.sleep(pause) {
			return
		}
	}
}

func (d *Dispatch) wakeRuns(x Wake) {
	t := &x.Ticket
	for pause := 250 * time.Millisecond; ; pause = min(2*pause, 15*time.Second) {
		data := x.Data
		var err error
		if data == nil {
			var e *event.Event
			if e, err = d.read(d.ctx, t.Event, &t.Row); err == nil {
				data = e.Data
			}
		}
		var runs []string
		if err == nil {
			runs, err = d.cfg.Engine.Send(d.ctx, t.Outcome.Wake.Event, t.Outcome.Wake.Key, data, self())
		}
		if d.ctx.Err() != nil {
			return
		}
		if err == nil || len(runs) > 0 || !passing(err) {
			d.send(Woken{t.Event, runs, err})
			return
		}
		if !d.sleep(pause) {
			return
		}
	}
}

// Idle is for engine.Config: it learns which runs are over, and which wait for people. It does not block.
func (d *Dispatch) Idle(run string, idle engine.Idle, ended bool) {
	d.mu.Lock()
	mine := d.mine[run]
	if ended {
		delete(d.mine, run)
	}
	d.mu.Unlock()
	if !mine {
		return
	}
	if ended {
		d.begin(func() { d.ended(run, idle.Status) })
		return
	}
	for _, w := range idle.Waits {
		if w.For == "task" || w.For == "doubt" {
			d.send(Parked{run, w.Why})
			return
		}
	}
}

func (d *Dispatch) ended(run, status string) {
	why := ""
	if p, err := d.cfg.Ledger.Rows(d.ctx, store.Filter{Kind: "run", ID: run, Limit: 1}); err == nil && len(p.Rows) > 0 {
		status, why, _ = runStatus(p.Rows[0])
	}
	d.send(Ended{run, status, why})
}

// read reads an event back.
func (d *Dispatch) read(ctx context.Context, eventID string, row *Row) (*event.Event, error) {
	page, err := d.cfg.Ledger.Read(ctx, "event/"+row.Source, row.Seq, 1)
	if err != nil {
		return nil, err
	}
	if len(page) == 0 {
		return nil, fault.New(fault.Damaged, "event/%s entry %d is missing: it was event %s", row.Source, row.Seq, eventID)
	}
	p, err := entry.Decode(page[0])
	if err != nil {
		return nil, err
	}
	r, ok := p.(*entry.EventReceived)
	if !ok || r.ID != eventID {
		return nil, fault.New(fault.Damaged, "event/%s entry %d is not event %s", row.Source, row.Seq, eventID)
	}
	e := &event.Event{
		At: r.At, Cause: r.Cause, Data: r.Data, Group: r.Group, ID: r.ID, Key: r.Key, Kind: r.Type, Labels: texts(r.Labels), Name: r.Name,
		Priority: r.Priority, Project: r.Project, Source: r.Source, Status: event.Status(r.Status), Trace: r.Trace, Until: r.Until,
	}
	if r.Ref == nil {
		return e, nil
	}
	if d.cfg.Blobs == nil {
		return nil, fault.New(fault.Unavailable, "the data of event %s cannot be read here", eventID)
	}
	b, err := d.cfg.Blobs.Get(ctx, eventID, *r.Ref)
	if err != nil {
		return nil, err
	}
	defer func() { _ = b.Close() }()
	text, err := io.ReadAll(b)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "read the data of event %s", eventID)
	}
	v, err := value.Parse(text)
	if err != nil {
		return nil, fault.Wrap(fault.Damaged, err, "read the data of event %s", eventID)
	}
	e.Data, _ = v.(map[string]any)
	return e, nil
}

func texts(m value.Object) map[string]string {
	if len(m) == 0 {
		return nil
	}
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[k] = value.Text(v)
	}
	return out
}
