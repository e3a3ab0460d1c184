package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/archive"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/id"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store"
)

// Remember reads what a machine must know of what was before it: heads of the audit streams, what guards counted, who
// holds locks, whether nothing may move, because the store is halted or a stream that belongs to no run is damaged. Entropy, Runner and Margin are left to the caller.
func Remember(ctx context.Context, s store.Store, lease store.Lease, now time.Time) (MachineConfig, error) {
	mc := MachineConfig{Lease: lease, Heads: make(map[string]store.Head, id.Shards), Locks: map[string]Holder{}, Segments: map[string]string{}}
	ident, err := s.Identity(ctx)
	if err != nil {
		return mc, fmt.Errorf("identify the store: %w", err)
	}
	err = store.EachRow(ctx, s, store.Filter{Kind: archive.SegmentKind}, func(r store.Row) { mc.Segments[r.ID] = r.Tag })
	if err != nil {
		return mc, fmt.Errorf("read how damaged streams go on: %w", err)
	}
	streams, err := archive.Shared(ctx, s)
	if err != nil {
		return mc, fmt.Errorf("read what guards counted: %w", err)
	}
	for _, stream := range streams {
		h, damage, err := archive.Ends(ctx, s, stream, mc.Segments)
		if err != nil {
			return mc, err
		}
		if damage != nil {
			mc.Damaged = append(mc.Damaged, *damage)
			continue
		}
		name := stream
		if seg, ok := mc.Segments[stream]; ok {
			name = seg
		}
		mc.Heads[name] = h
	}
	if mc.Halted = ident.Halted; len(mc.Damaged) > 0 {
		mc.Halted = strings.Join(slices.DeleteFunc([]string{ident.Halted, archive.Damages(mc.Damaged)}, func(s string) bool { return s == "" }), "; ")
	}
	err = store.EachRow(ctx, s, store.Filter{Kind: "guard"}, func(r store.Row) {
		var g guard.Reservation
		if decode(r.Body, &g) == nil && now.Before(g.Until) {
			mc.Counted = append(mc.Counted, g)
		}
	})
	if err != nil {
		return mc, fmt.Errorf("read what guards counted: %w", err)
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
