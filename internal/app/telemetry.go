package app

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/audit"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/gitsync"
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
		Blind: func() map[string]time.Time { return w.desk.governor.Rules().World.Silent() },
		Shipped: func() map[string]telemetry.Shipped {
			out := map[string]telemetry.Shipped{}
			for name, f := range s.followers {
				out[name] = telemetry.Shipped{At: f.Shipped(), Failures: f.Failures()}
			}
			return out
		},
		Repositories: func() []gitsync.Report {
			if x := w.desk.shelf.sync.Load(); x != nil {
				return x.Status()
			}
			return nil
		},
	})
	if url := string(s.Config.Heartbeat.URL); url != "" {
		h := &telemetry.Heartbeat{
			URL: url, Every: time.Duration(s.Config.Heartbeat.Every), Client: &http.Client{Timeout: 20 * time.Second}, Log: s.log,
			Able: func(ctx context.Context) error {
				return errors.Join(able(ctx, w.engine), w.desk.ledger.Err(), sighted(w.desk.governor.Rules().World.Silent()))
			},
		}
		s.parts = append(s.parts, part{name: "heartbeat", run: h.Run})
	}
	need := access.Need{Verb: access.View, Kind: "server"}
	if s.Config.Metrics.Public {
		need.Verb = access.Nothing
	}
	s.parts = append(s.parts, part{name: "metrics", mounts: []httpapi.Mount{{
		Method: http.MethodGet, Pattern: "/metrics", Need: need, Handler: s.metrics.Handler(),
	}}})
}

// sighted tells what is expected of monitoring and silent: then nobody would hear of alerts here, and the alarm must be raised
// elsewhere.
func sighted(blind map[string]time.Time) error {
	var errs []error
	for _, what := range slices.Sorted(maps.Keys(blind)) {
		errs = append(errs, fault.New(fault.Unavailable, "monitoring is blind: %s, since %s", what, blind[what].UTC().Format(time.RFC3339)))
	}
	return errors.Join(errs...)
}

// push sends metrics to a collector, when the variables of OpenTelemetry ask for it.
func (s *server) push(ctx context.Context) error {
	if !telemetry.WantsMetrics(s.Getenv) {
		return nil
	}
	p, err := telemetry.OpenPush(ctx, s.metrics, s.Version, s.log)
	if err != nil {
		return err
	}
	s.parts = append(s.parts, part{name: "push of metrics", run: func(ctx context.Context) error { return p.Run(ctx, hasty) }})
	return nil
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

// tellTraces tells a collector of runs that end, when the variables of OpenTelemetry ask for it: also of those that ended
// while nobody told.
func (s *server) tellTraces(ctx context.Context, w *owned) error {
	s.kept.Store(w.store)
	if !telemetry.WantsTraces(s.Getenv) {
		return nil
	}
	traces, err := telemetry.OpenTraces(ctx, s.Version)
	if err != nil {
		return err
	}
	f := &audit.Follower{Store: w.store, Ledger: w.desk.ledger, Name: "traces", Now: true, Log: s.log}
	f.Take = func(ctx context.Context, list []entry.Entry) error {
		return s.ended(ctx, w, list, time.Time{}, func(x *telemetry.Story) error { return traces.Ended(ctx, x) })
	}
	s.followers[f.Name] = f
	s.parts = append(s.parts, part{name: f.Name, run: func(ctx context.Context) error {
		err := f.Run(ctx)
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), hasty)
		defer cancel()
		return errors.Join(err, traces.Close(last))
	}})
	return nil
}

// standing finds the outermost run of a run, and the trace that it was asked for in, for lines of the log.
func (s *server) standing(run string) (root, given string) {
	kept := s.kept.Load()
	if kept == nil {
		return run, ""
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	list, err := kept.Read(ctx, "run/"+run, 1, 1)
	if err != nil || len(list) == 0 {
		return run, ""
	}
	p, err := entry.Decode(list[0])
	if c, ok := p.(*entry.RunCreated); ok && err == nil {
		return cmp.Or(c.Cause.Root, run), c.Trace
	}
	return run, ""
}
