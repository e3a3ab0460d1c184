package app

import (
	"context"
	"net/http"
	"time"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/httpapi"
	"github.com/tendhq/tend/internal/telemetry"
)

// measure lets Prometheus ask.
func (s *server) measure(w *owned) {
	s.metrics.Look(telemetry.Sight{
		Rows: w.store, Status: w.engine.Status, Dispatch: w.desk.dispatch.Load().Load, Log: s.log,
		Modes: func() (map[string]int, int) {
			r := w.desk.governor.Rules()
			modes := map[string]int{string(guard.ModeObserve): 0, string(guard.ModeAsk): 0, string(guard.ModeAuto): 0}
			for _, m := range r.Modes {
				modes[string(m.Mode)]++
			}
			return modes, len(r.Halts)
		},
		Shipped: func() map[string]telemetry.Shipped {
			out := map[string]telemetry.Shipped{}
			for name, f := range s.followers {
				out[name] = telemetry.Shipped{At: f.Shipped(), Failures: f.Failures()}
			}
			return out
		},
	})
	need := access.Need{Verb: access.View, Kind: "server"}
	if s.Config.Metrics.Public {
		need.Verb = access.Nothing
	}
	s.parts = append(s.parts, part{name: "metrics", mounts: []httpapi.Mount{{
		Method: http.MethodGet, Pattern: "/metrics", Need: need, Handler: s.metrics.Handler(),
	}}})
}

// ended gives do the story of each run of which entries of the audit trail say that it ended since then. A run that cannot
// be read is passed over: verification tells of it.
func (s *server) ended(ctx context.Context, w *owned, list []entry.Entry, since time.Time, do func(*telemetry.Story) error) error {
	for i := range list {
		if list[i].Kind != entry.KindRunSealed || list[i].At.Before(since) {
			continue
		}
		p, err := entry.Decode(list[i])
		sealed, ok := p.(*entry.RunSealed)
		if err != nil || !ok {
			continue
		}
		story, err := telemetry.Tell(ctx, w.store, sealed.Run)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			s.log.Warn("a run that ended cannot be told of", "run", sealed.Run, "error", err)
			continue
		}
		if err := do(story); err != nil {
			return err
		}
	}
	return nil
}

// counts gives what counts the runs that end from now on.
func (s *server) counts(w *owned, since time.Time) func(context.Context, []entry.Entry) error {
	return func(ctx context.Context, list []entry.Entry) error {
		return s.ended(ctx, w, list, since, func(x *telemetry.Story) error {
			s.metrics.Ended(x)
			return nil
		})
	}
}
