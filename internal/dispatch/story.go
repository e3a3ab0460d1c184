package dispatch

import (
	"context"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/incident"
)

// Bounds of what of a run is told in the story of an incident.
const (
	storyRuns    = 50     // the last ones
	storyEntries = 20_000 // of each
)

// Story reads an incident with its whole timeline: its own facts, and of its runs the steps that changed something, what
// people were asked, and how it ended. What of a run cannot be read is left out; the run itself is still told of.
func Story(ctx context.Context, s Reader, name string) (*incident.State, []incident.Line, error) {
	st, own, err := ReadIncident(ctx, s, name)
	if err != nil {
		return nil, nil, err
	}
	if st.Length == 0 {
		return nil, nil, fault.New(fault.NotFound, "there is no incident %s", name).WithNext("tend incidents list")
	}
	parts := [][]incident.Line{own}
	runs := st.Runs
	if len(runs) > storyRuns {
		runs = runs[len(runs)-storyRuns:]
	}
	for _, r := range runs {
		lines, err := runLines(ctx, s, r.Run)
		if ctx.Err() != nil {
			return nil, nil, fault.Wrap(fault.Cancelled, context.Cause(ctx), "read the runs of incident %s", name)
		}
		if err == nil {
			parts = append(parts, lines)
		}
	}
	return st, incident.Timeline(parts...), nil
}

// runLines tells of a run what mattered.
func runLines(ctx context.Context, s Reader, run string) ([]incident.Line, error) {
	var out []incident.Line
	steps := incident.Steps{}
	for from := uint64(1); from <= storyEntries; {
		page, err := s.Read(ctx, "run/"+run, from, 1000)
		if err != nil || len(page) == 0 {
			return out, err
		}
		for i := range page {
			p, err := entry.Decode(page[i])
			if err != nil {
				return out, err
			}
			if text := steps.Tell(p); text != "" {
				out = append(out, incident.Line{At: page[i].At, What: "run", Text: text, Ref: run, Detail: steps.Detail(p)})
			}
		}
		from = page[len(page)-1].Seq + 1
	}
	return out, nil
}

// Incident reads an incident and its story.
func (d *Dispatch) Incident(ctx context.Context, name string) (*incident.State, []incident.Line, error) {
	return Story(ctx, d.cfg.Ledger, name)
}
