package telemetry

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/gitsync"
	"github.com/tendhq/tend/internal/incident"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store"
)

// Sight is what is looked up when somebody asks.
type Sight struct {
	Rows   store.Rower
	Status func(ctx context.Context) (engine.Status, error)
	// Dispatch tells how many starts wait and how many runs go on that it began. nil: there is none.
	Dispatch func() (pending, runs int)
	// Modes tells the modes that are set (observe, ask, auto) and how often, and how many halts there are.
	Modes func() (modes map[string]int, halts int)
	// Blind tells what is expected of monitoring and silent, since when.
	Blind func() map[string]time.Time
	// Shipped tells, by target of the audit trail, when it last had everything and how often it failed.
	Shipped func() map[string]Shipped
	// Repositories tells how the places stand that playbooks come from.
	Repositories func() []gitsync.Report
	Log          *slog.Logger
}

// Shipped says how the audit trail gets to a target.
type Shipped struct {
	At       time.Time
	Failures int64
}

// How much is looked up, and how often.
const (
	lookAgain = 5 * time.Second
	lookTime  = 10 * time.Second
	lookRows  = 10_000 // of a kind; what is beyond is not counted
)

// Look registers what is looked up.
func (m *Metrics) Look(s Sight) { m.registry.MustRegister(&gauges{s: s, m: m}) }

// The gauges.
var (
	runsNow      = desc("runs", "Runs that are not over, by status; interrupted and in-doubt ones too.", "status")
	runsHeld     = desc("runs_held", "Runs that wait for a guard, by guard.", "guard")
	tasksOpen    = desc("tasks_open", "Tasks that wait for a person, by type; doubt: somebody must find out what happened.", "type")
	tasksLate    = desc("tasks_overdue", "Open tasks whose time is over.")
	oldestTask   = desc("task_oldest_seconds", "How long the oldest open task waits, by type.", "type")
	incidentsNow = desc("incidents", "Incidents that are not over, by status.", "status")
	eventsWait   = desc("events_waiting", "Events whose run has not begun, by why: held by a guard, or queued.", "why")
	pendingNow   = desc("dispatch_pending", "Starts of runs that were decided and wait.")
	dispatchRuns = desc("dispatch_runs", "Runs that events began and that go on.")
	driven       = desc("engine_runs", "Runs that the engine moves.")
	inFlight     = desc("engine_attempts", "Attempts that act now.")
	storeIndex   = prometheus.NewDesc("tend_store_commits_total", "Batches that were committed since the store was made.", nil, nil)
	haltedNow    = desc("halted", "1 while the whole store is halted: nothing begins.")
	haltsNow     = desc("halts", "Halts that are set, of whatever scope.")
	modesNow     = desc("modes", "How often a mode is set: for the server, projects, environments, playbooks.", "mode")
	blindNow     = desc("blind", "How many of the alerts that must always arrive (Watchdog) are silent: guards stand down.")
	messagesNow  = desc("messages_waiting", "Messages that were not sent yet.")
	shippedAt    = desc("audit_shipped_timestamp_seconds", "When a target last had all of the audit trail.", "target")
	shipFailed   = prometheus.NewDesc("tend_audit_failures_total", "How often a target did not take a part of the audit trail.", []string{"target"}, nil)
	repository   = desc("repository_info", "1, with the revision whose playbooks are live.", "repository", "revision")
	repoLive     = desc("repository_live_timestamp_seconds", "Since when the live revision is live; 0 when nothing is.", "repository")
	repoMade     = desc("repository_committed_timestamp_seconds", "When the live revision was committed.", "repository")
	repoLooked   = desc("repository_looked_timestamp_seconds", "When the repository could be looked at last; 0 when it could not since the start.", "repository")
	repoRefused  = desc("repository_refused", "1 while the newest revision has errors, and the last good one stays live.", "repository")
	repoPinned   = desc("repository_pinned", "1 while somebody keeps a revision live.", "repository")
	repoFailed   = prometheus.NewDesc("tend_repository_failures_total", "Looks at a repository that failed, and revisions that were refused.", []string{"repository", "why"}, nil)
	lookFailed   = desc("look_failed", "1 when what was looked up for these metrics could not be.")
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("tend_"+name, help, labels, nil)
}

// gauges is a collector that asks at most every few seconds, whoever scrapes.
type gauges struct {
	s Sight
	m *Metrics

	mu   sync.Mutex
	at   time.Time
	have []prometheus.Metric
}

// Describe implements prometheus.Collector.
func (g *gauges) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		runsNow, runsHeld, tasksOpen, tasksLate, oldestTask, incidentsNow, eventsWait, pendingNow, dispatchRuns, driven, inFlight, storeIndex,
		haltedNow, haltsNow, modesNow, blindNow, messagesNow, shippedAt, shipFailed,
		repository, repoLive, repoMade, repoLooked, repoRefused, repoPinned, repoFailed, lookFailed,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (g *gauges) Collect(ch chan<- prometheus.Metric) {
	g.mu.Lock()
	if g.have == nil || time.Since(g.at) >= lookAgain {
		g.have, g.at = g.look(), time.Now()
	}
	have := g.have
	g.mu.Unlock()
	for _, m := range have {
		ch <- m
	}
}

func (g *gauges) each(ctx context.Context, f store.Filter, do func(store.Row)) error {
	n := 0
	for r, err := range store.All(ctx, g.s.Rows, f) {
		if err != nil {
			return err
		}
		if n++; n > lookRows {
			return nil
		}
		do(r)
	}
	return nil
}

func (g *gauges) look() []prometheus.Metric {
	ctx, cancel := context.WithTimeout(context.Background(), lookTime)
	defer cancel()
	var out []prometheus.Metric
	put := func(d *prometheus.Desc, v float64, labels ...string) {
		out = append(out, prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...))
	}
	err := errors.Join(g.runs(ctx, put), g.tasks(ctx, put), g.others(ctx, put))
	st, serr := g.s.Status(ctx)
	if err = errors.Join(err, serr); err == nil {
		put(driven, float64(st.Driven))
		put(inFlight, float64(st.InFlight))
		out = append(out, prometheus.MustNewConstMetric(storeIndex, prometheus.CounterValue, float64(st.Index)))
		put(haltedNow, one(st.Halted != ""))
	}
	if g.s.Dispatch != nil {
		pending, runs := g.s.Dispatch()
		put(pendingNow, float64(pending))
		put(dispatchRuns, float64(runs))
	}
	if g.s.Modes != nil {
		modes, halts := g.s.Modes()
		for mode, n := range modes {
			put(modesNow, float64(n), clean(mode))
		}
		put(haltsNow, float64(halts))
	}
	if g.s.Blind != nil {
		put(blindNow, float64(len(g.s.Blind())))
	}
	if g.s.Shipped != nil {
		for target, x := range g.s.Shipped() {
			if !x.At.IsZero() {
				put(shippedAt, seconds(x.At), target)
			}
			out = append(out, prometheus.MustNewConstMetric(shipFailed, prometheus.CounterValue, float64(x.Failures), target))
		}
	}
	out = append(out, g.repositories()...)
	if err != nil && g.s.Log != nil {
		g.s.Log.Warn("not everything could be measured", "error", err)
	}
	put(lookFailed, one(err != nil))
	return out
}

// repositories has as many series as there are repositories: they stand in the configuration.
func (g *gauges) repositories() []prometheus.Metric {
	if g.s.Repositories == nil {
		return nil
	}
	var out []prometheus.Metric
	put := func(d *prometheus.Desc, t prometheus.ValueType, v float64, labels ...string) {
		out = append(out, prometheus.MustNewConstMetric(d, t, v, labels...))
	}
	told := map[string]bool{}
	for _, r := range g.s.Repositories() {
		name := g.m.names.of("repository", r.Name)
		if told[name] {
			continue // two series of one name would spoil the whole scrape
		}
		told[name] = true
		since := 0.0
		if r.Live != nil {
			put(repository, prometheus.GaugeValue, 1, name, clean(r.Live.Short()))
			since = seconds(r.Live.LiveSince)
			if r.Live.Commit {
				put(repoMade, prometheus.GaugeValue, seconds(r.Live.Committed), name)
			}
		}
		put(repoLive, prometheus.GaugeValue, since, name)
		put(repoLooked, prometheus.GaugeValue, seconds(r.Looked), name)
		put(repoRefused, prometheus.GaugeValue, one(r.Refused != nil), name)
		put(repoPinned, prometheus.GaugeValue, one(r.Pin != nil), name)
		put(repoFailed, prometheus.CounterValue, float64(r.Failures), name, "unreachable")
		put(repoFailed, prometheus.CounterValue, float64(r.Refusals), name, "refused")
	}
	return out
}

// seconds of a time, as Prometheus has them; 0 for none.
func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// live are the statuses of runs that are not over.
var live = []run.Status{run.Pending, run.Running, run.Waiting, run.Paused, run.Cancelling, run.Undoing, run.Interrupted, run.InDoubt, run.Quarantined}

func (g *gauges) runs(ctx context.Context, put func(*prometheus.Desc, float64, ...string)) error {
	count, held := map[string]int{}, map[string]int{}
	for _, st := range live {
		count[string(st)] = 0
	}
	statuses := make([]string, len(live))
	for i, st := range live {
		statuses[i] = string(st)
	}
	err := g.each(ctx, store.Filter{Kind: "run", Status: statuses}, func(r store.Row) {
		count[r.Status]++
		var body engine.RunRow
		if r.Status != string(run.Waiting) || json.Unmarshal(r.Body, &body) != nil {
			return
		}
		for _, w := range body.Waits {
			if w.For == "guard" {
				held[g.m.names.of("guard", w.On)]++
			}
		}
	})
	for st, n := range count {
		put(runsNow, float64(n), st)
	}
	for name, n := range held {
		put(runsHeld, float64(n), name)
	}
	return err
}

func (g *gauges) tasks(ctx context.Context, put func(*prometheus.Desc, float64, ...string)) error {
	type seen struct {
		n    int
		from time.Time
	}
	now, late := time.Now(), 0
	open := map[string]seen{"approve": {}, "ask": {}, "manual": {}, "doubt": {}, "review": {}}
	err := g.each(ctx, store.Filter{Kind: "task", Status: []string{"open"}}, func(r store.Row) {
		var body engine.TaskRow
		if json.Unmarshal(r.Body, &body) != nil {
			return
		}
		kind := g.m.names.of("type", body.Type)
		s := open[kind]
		s.n++
		if s.from.IsZero() || r.At.Before(s.from) {
			s.from = r.At
		}
		open[kind] = s
		if body.Expired(now) {
			late++
		}
	})
	for kind, s := range open {
		put(tasksOpen, float64(s.n), kind)
		age := 0.0
		if s.n > 0 {
			age = max(now.Sub(s.from).Seconds(), 0)
		}
		put(oldestTask, age, kind)
	}
	put(tasksLate, float64(late))
	return err
}

func (g *gauges) others(ctx context.Context, put func(*prometheus.Desc, float64, ...string)) error {
	if g.s.Dispatch == nil {
		return nil
	}
	incidents := map[string]int{string(incident.Open): 0, string(incident.Acknowledged): 0, string(incident.Mitigated): 0}
	waits := map[string]int{string(event.Held): 0, string(event.Queued): 0}
	messages := 0
	of := func(kind string, count map[string]int) error {
		statuses := make([]string, 0, len(count))
		for st := range count {
			statuses = append(statuses, st)
		}
		return g.each(ctx, store.Filter{Kind: kind, Status: statuses}, func(r store.Row) { count[r.Status]++ })
	}
	err := errors.Join(of("incident", incidents), of("event", waits),
		g.each(ctx, store.Filter{Kind: "message", Status: []string{"queued"}}, func(store.Row) { messages++ }))
	for st, n := range incidents {
		put(incidentsNow, float64(n), st)
	}
	for st, n := range waits {
		put(eventsWait, float64(n), st)
	}
	put(messagesNow, float64(messages))
	return err
}

// why says in one word why the store did not take a batch.
func why(err error) string {
	switch {
	case errors.Is(err, store.ErrConflict):
		return "conflict"
	case errors.Is(err, store.ErrStale):
		return "stale"
	case errors.Is(err, store.ErrIndeterminate), errors.Is(err, store.ErrBroken):
		return "indeterminate"
	case fault.Is(err, fault.Unavailable):
		return "unavailable"
	case fault.Is(err, fault.Damaged):
		return "damaged"
	}
	return "other"
}
