// Package retention forgets what is over and old: runs with their tasks, logs and outputs; events; messages.
//
// What is forgotten is not found any more, and what it said is erased: every payload, row and blob. What stays is the chain:
// a place, a time and hashes for each entry, so that the audit trail, which is never cut, still proves that nothing else is
// missing. It guarantees:
//
//   - Nothing is forgotten that a run or an incident that is not over needs, nor what waits.
//   - That something is forgotten is in the audit trail, in the same commit as its row goes.
//   - An erasure that was begun is finished after a restart.
//   - What is damaged is left as it is.
package retention

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/blob"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/store"
)

// Keeper forgets by a policy.
type Keeper struct {
	Policy Policy
	Ledger *ledger.Ledger
	Blobs  blob.Store
	Log    *slog.Logger
}

// How it goes about it: in small parts, so that nobody waits for it.
const (
	every  = time.Hour
	settle = time.Minute // after a start
	part   = 100         // rows, or entries, in one commit
	breath = 5 * time.Millisecond
)

// kindRemoval is a row for each stream and group of blobs that is being erased: "stream/NAME" or "blobs/GROUP".
const kindRemoval = "removal"

// removal is the body of its row. Until is zero for all of a stream.
type removal struct {
	Next  uint64    `json:"next,omitempty"` // what comes before is erased
	Until time.Time `json:"until,omitzero"`
}

// Report says what a pass forgot.
type Report struct{ Runs, Events, Messages, Entries int }

// Run goes on until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	t := time.NewTimer(settle)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		began := time.Now()
		r, err := k.Pass(ctx, began)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			k.Log.Error("not everything that is old could be forgotten; it is tried again", "error", err)
		}
		if r != (Report{}) {
			k.Log.Info("forgot what is old", "runs", r.Runs, "events", r.Events, "messages", r.Messages, "entries", r.Entries, "took", time.Since(began).Round(time.Millisecond).String())
		}
		t.Reset(every)
	}
}

// Pass forgets what is due. What cannot be is left, and told.
func (k *Keeper) Pass(ctx context.Context, now time.Time) (Report, error) {
	var r Report
	l := &look{k: k}
	err := errors.Join(
		k.runs(ctx, now, l, &r),
		k.rows(ctx, now, l, "event", k.Policy.Events, &r.Events),
		k.rows(ctx, now, l, "message", k.Policy.Messages, &r.Messages),
		k.erase(ctx, &r),
	)
	return r, err
}

// runs forgets outermost runs, each with all that it called.
func (k *Keeper) runs(ctx context.Context, now time.Time, l *look, r *Report) error {
	if k.Policy.Runs <= 0 {
		return nil
	}
	before := now.Add(-k.Policy.Runs)
	for row, err := range store.All(ctx, k.Ledger, store.Filter{Kind: "run", Oldest: true, Limit: part}) {
		if err != nil {
			return err
		}
		if !row.At.Before(before) {
			return nil
		}
		need, err := l.needs(ctx)
		if err != nil {
			return err
		}
		if row.Parent != "" || !need.mayGo(&row, before) {
			continue
		}
		whole, err := k.family(ctx, row)
		if err != nil {
			return err
		}
		if whole == nil || !need.mayAllGo(whole, before) {
			continue
		}
		if err := k.run(ctx, whole); err != nil {
			return err
		}
		r.Runs++
	}
	return nil
}

// maxFamily bounds the runs of one family that are forgotten: more are not kept in memory.
const maxFamily = 20_000

// family gives a run with all that it called, the outermost first; nil when they are too many.
func (k *Keeper) family(ctx context.Context, root store.Row) ([]store.Row, error) {
	out := []store.Row{root}
	for i := 0; i < len(out); i++ {
		err := k.Ledger.Each(ctx, store.Filter{Kind: "run", Parent: out[i].ID}, func(row store.Row) error {
			out = append(out, row)
			return nil
		})
		if err != nil || len(out) > maxFamily {
			return nil, err
		}
	}
	return out, nil
}

// run lets the rows of a family go, and says in the same commit that it did and what is still to be erased.
func (k *Keeper) run(ctx context.Context, family []store.Row) error {
	b := ledger.Batch{}
	gone := func(key store.Key, stream string) {
		b.Delete = append(b.Delete, key)
		if stream != "" {
			b.Rows = append(b.Rows, removing("stream/"+stream, removal{}))
		}
	}
	for _, row := range family {
		gone(row.Key, "run/"+row.ID)
		for _, kind := range []string{"task", "request"} {
			err := k.Ledger.Each(ctx, store.Filter{Kind: kind, Parent: row.ID}, func(x store.Row) error {
				stream := ""
				if kind == "task" {
					stream = "task/" + x.ID
				}
				gone(x.Key, stream)
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	root := family[0]
	h, err := k.Ledger.Head(ctx, "run/"+root.ID)
	if fault.Is(err, fault.Damaged) {
		k.Log.Warn("a run is old and damaged: it is left as it is", "run", root.ID, "error", err)
		return nil
	}
	if err != nil {
		return err
	}
	b.Rows = append(b.Rows, removing("blobs/"+root.ID, removal{}))
	b.Facts = []ledger.Fact{ledger.Audit(self(), "forgotten", "run/"+root.ID, "retention.runs", map[string]any{
		"began": root.At.UTC().Format(time.RFC3339), "head": h.Hash.String(), "length": int64(h.Length), "playbook": root.Name, "project": root.Project,
		"runs": int64(len(family)), "status": root.Status,
	})}
	return k.Ledger.Append(ctx, b)
}

// rows forgets events or messages.
func (k *Keeper) rows(ctx context.Context, now time.Time, l *look, kind string, after time.Duration, n *int) error {
	if after <= 0 {
		return nil
	}
	before := now.Add(-after)
	var batch []store.Row
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		err := k.forget(ctx, kind, batch, before)
		if err == nil {
			*n += len(batch)
		}
		batch = batch[:0]
		return err
	}
	for row, err := range store.All(ctx, k.Ledger, store.Filter{Kind: kind, Oldest: true, Limit: part}) {
		if err != nil {
			return err
		}
		if !row.At.Before(before) {
			break
		}
		need, err := l.needs(ctx)
		if err != nil {
			return err
		}
		if !need.mayGo(&row, before) {
			continue
		}
		if batch = append(batch, row); len(batch) >= part {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// forget lets rows go, each with what it has beside its stream.
func (k *Keeper) forget(ctx context.Context, kind string, rows []store.Row, before time.Time) error {
	b := ledger.Batch{}
	streams := map[string]int{}
	for i := range rows {
		b.Delete = append(b.Delete, rows[i].Key)
		streams[streamOf(&rows[i])]++
	}
	for stream, n := range streams {
		next := uint64(0)
		p, err := k.Ledger.Rows(ctx, store.Filter{Kind: kindRemoval, ID: "stream/" + stream, Limit: 1})
		if err != nil {
			return err
		}
		if len(p.Rows) > 0 {
			var x removal
			_ = json.Unmarshal(p.Rows[0].Body, &x) // from the beginning then
			next = x.Next
		}
		b.Rows = append(b.Rows, removing("stream/"+stream, removal{Next: next, Until: before.UTC()}))
		b.Facts = append(b.Facts, ledger.Audit(self(), "forgotten", stream, "retention."+kind+"s", map[string]any{
			"before": before.UTC().Format(time.RFC3339), kind + "s": int64(n),
		}))
	}
	return k.Ledger.Append(ctx, b)
}

// erase carries out what was decided, now and before.
func (k *Keeper) erase(ctx context.Context, r *Report) error {
	var errs []error
	err := k.Ledger.Each(ctx, store.Filter{Kind: kindRemoval, Oldest: true}, func(row store.Row) error {
		var x removal
		if err := json.Unmarshal(row.Body, &x); err != nil {
			errs = append(errs, fault.Wrap(fault.Damaged, err, "row %s %s", row.Kind, row.ID))
			return nil
		}
		err := k.one(ctx, row.ID, x, r)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			errs = append(errs, err)
		}
		return nil
	})
	return errors.Join(append(errs, err)...)
}

func (k *Keeper) one(ctx context.Context, what string, x removal, r *Report) error {
	group, blobs := strings.CutPrefix(what, "blobs/")
	if blobs {
		if err := k.Blobs.Delete(ctx, group); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		return k.Ledger.Append(ctx, ledger.Batch{Delete: []store.Key{{Kind: kindRemoval, ID: what}}})
	}
	stream := strings.TrimPrefix(what, "stream/")
	// What is kept now holds the mark: it is looked at again when it goes. What comes after it is erased all the same.
	mark, held := max(x.Next, 1), false
	for from := mark; ; {
		page, err := k.Ledger.Read(ctx, stream, from, part)
		if err != nil {
			return err // of a damaged one nothing more is erased: verification tells of it
		}
		b, over := ledger.Batch{}, len(page) < part
		for i := range page {
			e := &page[i]
			if !x.Until.IsZero() && !e.At.Before(x.Until) {
				over = true
				break
			}
			v, err := k.judge(ctx, e, x.Until)
			if err != nil {
				return err
			}
			from = e.Seq + 1
			if held = held || v.there; !held {
				mark = from
			}
			if v.keep || e.Erased {
				continue
			}
			if v.blobs != "" {
				if err := k.Blobs.Delete(ctx, v.blobs); err != nil && !fault.Is(err, fault.NotFound) {
					return err
				}
			}
			b.Erase = append(b.Erase, store.Erasure{Stream: stream, Seq: e.Seq, Payload: []byte("{}")})
		}
		switch {
		case over && x.Until.IsZero():
			b.Delete = []store.Key{{Kind: kindRemoval, ID: what}}
		case mark != x.Next:
			b.Rows = []store.Row{removing(what, removal{Next: mark, Until: x.Until})}
		}
		if len(b.Erase)+len(b.Delete)+len(b.Rows) > 0 {
			if err := k.Ledger.Append(ctx, b); err != nil {
				return err
			}
			r.Entries += len(b.Erase)
			x.Next = mark
		}
		if over {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(breath):
		}
	}
}

// verdict is what becomes of an entry.
type verdict struct {
	keep  bool
	there bool   // what it is about is not forgotten yet: it is looked at again
	blobs string // the group that goes with it
}

// judge tells whether an entry goes: one of a run that goes as a whole does, one of a long stream when its row is gone.
func (k *Keeper) judge(ctx context.Context, e *entry.Entry, until time.Time) (verdict, error) {
	if until.IsZero() || e.Erased {
		return verdict{}, nil
	}
	p, err := entry.Decode(*e)
	if err != nil {
		return verdict{keep: true}, nil //nolint:nilerr // what cannot be read is not erased
	}
	key, ok := about(p)
	if !ok {
		return verdict{keep: true}, nil
	}
	rows, err := k.Ledger.Rows(ctx, store.Filter{Kind: key.Kind, ID: key.ID, Limit: 1})
	v := verdict{there: len(rows.Rows) > 0}
	v.keep = v.there
	if r, ok := p.(*entry.EventReceived); ok && r.Ref != nil {
		v.blobs = r.ID
	}
	return v, err
}

func removing(what string, x removal) store.Row {
	body, _ := json.Marshal(x) // it is plain data
	at := time.Unix(0, 0).UTC()
	if !x.Until.IsZero() {
		at = x.Until
	}
	return store.Row{Key: store.Key{Kind: kindRemoval, ID: what}, Status: "begun", Name: what, At: at, Body: body}
}

// self is who forgets.
func self() entry.Who { return entry.Who{ID: "tend", Name: "tend", Via: "engine"} }
