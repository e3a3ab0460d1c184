package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/id"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store"
)

// Remember reads what a machine must know of what was before it: heads of the audit streams, what guards counted, who
// holds locks, whether the store is halted. Entropy, Runner and Margin are left to the caller.
func Remember(ctx context.Context, s store.Store, lease store.Lease, now time.Time) (MachineConfig, error) {
	mc := MachineConfig{Lease: lease, Heads: make(map[string]store.Head, id.Shards), Locks: map[string]Holder{}}
	ident, err := s.Identity(ctx)
	if err != nil {
		return mc, fmt.Errorf("identify the store: %w", err)
	}
	mc.Halted = ident.Halted
	for i := range id.Shards {
		stream := id.AuditStream(i)
		if mc.Heads[stream], err = s.Head(ctx, stream); err != nil {
			return mc, fmt.Errorf("read the audit stream of shard %d: %w", i, err)
		}
	}
	err = store.EachRow(ctx, s, store.Filter{Kind: "guard"}, func(r store.Row) {
		var g guard.Reservation
		if decode(r.Body, &g) == nil && now.Before(g.Until) {
			mc.Counted = append(mc.Counted, g)
			mc.Heads["guard/"+g.Guard] = store.Head{}
		}
	})
	if err != nil {
		return mc, fmt.Errorf("read what guards counted: %w", err)
	}
	for stream, h := range mc.Heads {
		if h.Length == 0 {
			if mc.Heads[stream], err = s.Head(ctx, stream); err != nil {
				return mc, fmt.Errorf("read %s: %w", stream, err)
			}
		}
	}
	if err := store.EachRow(ctx, s, store.Filter{Kind: "lock"}, func(r store.Row) { mc.Locks[r.ID] = Holder{r.Parent, r.Tag} }); err != nil {
		return mc, fmt.Errorf("read who holds locks: %w", err)
	}
	return mc, nil
}

// Interrupt is the input that marks a run whose process is gone.
func Interrupt(runID string) Commanded {
	return Commanded{Command: Command{
		Verb: interrupt, Run: runID, By: entry.Who{Name: "tend", Via: "engine"}, Why: "the process that drove it ended",
	}}
}

// Holds gives the state of a run that the machine has loaded, or nil. It must not be changed, nor kept.
func (m *Machine) Holds(runID string) *run.State {
	if s := m.runs[runID]; s != nil {
		return s.state
	}
	return nil
}
