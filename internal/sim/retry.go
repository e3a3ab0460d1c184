package sim

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tendhq/tend/internal/archive"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/id"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/memory"
)

// retry goes on with a root run that failed, half of the times. It tells whether it did.
func (w *world) retry(r store.Row) bool {
	if w.p == nil || r.Parent != "" || r.Status != string(run.Failed) && r.Status != string(run.Cancelled) || w.retried[r.ID] != "" || w.refused[r.ID] {
		return false
	}
	if len(w.retried) >= 2*w.o.Runs || w.rng.IntN(2) == 0 {
		w.refused[r.ID] = true
		return false
	}
	s := w.state(r.ID)
	if s == nil {
		return false
	}
	next, err := id.New("run", w.now, &entropy{w.rng})
	var carried *entry.RunCarried
	if err == nil {
		carried, err = archive.New(memory.Open(w.disk)).Carry(context.Background(), s, next, archive.Mover{})
	}
	if err != nil {
		w.refused[r.ID] = true
		if !fault.Is(err, fault.Conflict) || len(w.damaged) == 0 {
			w.failure = errors.Join(w.failure, fmt.Errorf("retry %s: %w", r.ID, err))
		}
		return false
	}
	body, sum, err := s.Program().Closure()
	w.failure = errors.Join(w.failure, err)
	w.note("retry %s as %s", r.ID, next)
	w.events++
	w.retried[r.ID], w.guards[next] = next, w.guards[r.ID]
	w.runs = append(w.runs, next)
	heads := map[string]store.Head{}
	for _, g := range w.guards[r.ID] {
		h, err := memory.Open(w.disk).Head(context.Background(), "guard/"+g.Name)
		w.failure = errors.Join(w.failure, err)
		heads["guard/"+g.Name] = h
	}
	w.feed(engine.Begin{
		ID: next, Hash: sum, Closure: body, Heads: heads, Carried: carried,
		Start: engine.Start{Program: s.Program(), By: entry.Who{Name: "ada"}, Guards: w.guards[r.ID], Cause: entry.Cause{Carry: r.ID}},
	})
	return true
}

// repeats checks of a run that carries another one on that it did again only what it may (I10).
func (w *world) repeats(runID string) error {
	ps := w.payloads("run/"+runID, 0)
	if len(ps) == 0 {
		return nil
	}
	c, ok := ps[0].(*entry.RunCreated)
	if !ok || c.Cause.Carry == "" {
		return nil
	}
	before := w.past(c.Cause.Carry)
	decided := map[string]bool{} // what a person said that it may be done again
	for _, p := range ps {
		switch x := p.(type) {
		case *entry.DoubtDecided:
			decided[x.Path] = true
		case *entry.StepIntent:
			switch {
			case before.succeeded[x.Path]:
				return fmt.Errorf("I10: %s repeats %s, which succeeded in %s", runID, x.Path, c.Cause.Carry)
			case before.doubted[x.Path] && !decided[x.Path] && x.Effect == string(contract.Mutate):
				return fmt.Errorf("I10: %s repeats %s, which is in doubt in %s", runID, x.Path, c.Cause.Carry)
			}
		case *entry.ChildStarted:
			if before.succeeded[x.Path] {
				return fmt.Errorf("I10: %s calls %s again, which succeeded in %s", runID, x.Path, c.Cause.Carry)
			}
			if kid, failed := before.called[x.Path]; failed {
				w.carried++
				if s := w.state(x.Child); s != nil && s.Created.Cause.Carry != kid {
					return fmt.Errorf("I10: %s calls %s as %s, which does not carry %s on", runID, x.Path, x.Child, kid)
				}
			}
		}
	}
	return nil
}

// past is what a run, and those that it carries on, did: of its body, not of what handles failures.
type past struct {
	succeeded map[string]bool   // steps that are not gone back to
	doubted   map[string]bool   // steps whose end nobody knows
	called    map[string]string // calls that failed → their run
}

func (w *world) past(runID string) past {
	out := past{succeeded: map[string]bool{}, doubted: map[string]bool{}, called: map[string]string{}}
	ps := w.payloads("run/"+runID, 0)
	if len(ps) == 0 {
		return out
	}
	if c, ok := ps[0].(*entry.RunCreated); ok && c.Cause.Carry != "" {
		out = w.past(c.Cause.Carry)
	}
	undone := false
	kids := map[string]string{}
	for _, p := range ps {
		path, _ := run.PathOf(p)
		if handles(path) {
			undone = undone || run.IsUndo(path)
			continue
		}
		switch x := p.(type) {
		case *entry.StepIntent:
			delete(out.doubted, path)
		case *entry.StepResult:
			out.succeeded[path] = x.Outcome == entry.Succeeded
		case *entry.StepVerified:
			out.succeeded[path] = x.OK
		case *entry.DoubtDecided:
			out.succeeded[path] = x.Answer == "happened"
			delete(out.doubted, path)
		case *entry.ChildStarted:
			kids[path] = x.Child
		case *entry.ChildEnded:
			out.succeeded[path] = x.Status == string(run.Succeeded)
			delete(out.called, path)
			if !out.succeeded[path] {
				out.called[path] = kids[path]
			}
		case *entry.StepSkipped:
			delete(out.called, path)
			delete(out.doubted, path)
		case *entry.RunEnded:
			for _, d := range x.Doubts {
				if !handles(d) {
					out.doubted[d] = true
				}
			}
		}
	}
	if undone {
		clear(out.succeeded) // it goes back
	}
	if s := w.state(runID); s != nil {
		for path := range out.called { // one whose failure was handled or ignored is over
			if n, r := s.Node(path), s.Recalled[path]; (n == nil || n.On == "" && n.Carry == "") && (r == nil || r.Carry == "") {
				delete(out.called, path)
			}
		}
	}
	return out
}

// handles tells whether a path leads through a part of the playbook that begins anew in a retry.
func handles(path string) bool {
	for p := path; p != ""; {
		at := run.PlaceOf(p)
		if at.Helper() || at.Section == "catch" || at.Section == "finally" {
			return true
		}
		p = at.Parent
	}
	return false
}

// flip flips a bit of an open run.
func (w *world) flip() {
	var open []string
	for _, r := range w.rows("run") {
		if !run.Status(r.Status).Ended() && !w.damaged[r.ID] {
			open = append(open, r.ID)
		}
	}
	if len(open) == 0 {
		return
	}
	r := open[w.rng.IntN(len(open))]
	h, err := memory.Open(w.disk).Head(context.Background(), "run/"+r)
	if err != nil || h.Length == 0 {
		w.failure = errors.Join(w.failure, err)
		return
	}
	seq := 1 + w.rng.Uint64N(h.Length)
	w.note("flip a bit of %s entry %d", r, seq)
	w.damaged[r] = true
	w.disk.Tamper("run/"+r, seq, func(e *entry.Entry) { e.Payload[w.rng.IntN(len(e.Payload))] ^= 1 << w.rng.IntN(8) })
}

// load reads a run for the machine, as the engine does: one that cannot be read is quarantined.
func (w *world) load(p *process, runID string) {
	ctx := context.Background()
	l := engine.Read(ctx, p.archive, runID)
	if fault.Is(l.Err, fault.Damaged) {
		if !w.damaged[runID] {
			w.failure = errors.Join(w.failure, l.Err)
		}
		page, err := memory.Open(w.disk).Rows(ctx, store.Filter{Kind: "run", ID: runID, Limit: 1})
		if err == nil && len(page.Rows) == 1 {
			var row store.Row
			row, err = engine.QuarantinedRow(page.Rows[0], l.Err)
			err = errors.Join(err, memory.Open(w.disk).Commit(ctx, []store.Batch{{Epoch: p.epoch, Rows: []store.Row{row}}})[0].Err)
		}
		w.failure = errors.Join(w.failure, err)
	}
	w.feed(l)
}

// orphans cancels what a quarantined run called, which nobody moves any more. It tells whether there was anything.
func (w *world) orphans() bool {
	if !w.quiet {
		return false
	}
	status := map[string]string{}
	for _, r := range w.rows("run") {
		status[r.ID] = r.Status
	}
	for _, r := range w.rows("run") {
		lost := w.damaged[r.ID] || status[r.Parent] == string(run.Quarantined)
		if lost && !run.Status(r.Status).Ended() && r.Status != string(run.Cancelling) {
			w.note("cancel %s", r.ID)
			w.events++
			w.feed(engine.Commanded{Command: engine.Command{Verb: engine.Cancel, Run: r.ID, By: entry.Who{Name: "ops"}}})
			return true
		}
	}
	return false
}

// release frees what a quarantined run holds. It tells whether there was any.
func (w *world) release() bool {
	for _, r := range w.rows("run") {
		if r.Status != string(run.Quarantined) || w.released[r.ID] {
			continue
		}
		w.released[r.ID] = true
		held := 0
		for _, l := range w.rows("lock") {
			if l.Parent == r.ID {
				held++
			}
		}
		c := engine.Command{Verb: engine.Release, Run: r.ID, By: entry.Who{Name: "ops"}, Why: "looked"}
		acts := func(runID string) bool {
			for key, a := range w.acting {
				if strings.HasPrefix(key, runID+"|") && a.p == w.p {
					return true
				}
			}
			return false
		}
		disk := memory.Open(w.disk)
		x, err := engine.Releasing(context.Background(), disk, archive.New(disk), c, acts)
		if err != nil {
			w.failure = errors.Join(w.failure, fmt.Errorf("release %s: %w", r.ID, err))
			return false
		}
		w.note("release %s", r.ID)
		w.events++
		w.freed += held
		w.feed(x)
		return true
	}
	return false
}
