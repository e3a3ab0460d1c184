package telemetry

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tendhq/tend/internal/dispatch"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/store"
)

// Metrics are what Prometheus is told. They have a registry of their own.
type Metrics struct {
	registry *prometheus.Registry
	names    bound

	runs     *prometheus.CounterVec
	run      *prometheus.HistogramVec
	steps    *prometheus.CounterVec
	attempts *prometheus.HistogramVec
	holds    *prometheus.CounterVec
	verified *prometheus.CounterVec
	doubts   prometheus.Counter
	events   *prometheus.CounterVec
	heard    *prometheus.GaugeVec
	commits  prometheus.Histogram
	refused  *prometheus.CounterVec
}

// NewMetrics makes the metrics of a server of this version.
func NewMetrics(version string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tend_" + name, Help: help}, labels)
		m.registry.MustRegister(c)
		return c
	}
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "tend_" + name, Help: help, Buckets: buckets}, labels)
		m.registry.MustRegister(h)
		return h
	}
	long := []float64{.05, .25, 1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 24 * 3600}
	m.runs = counter("runs_total", "Runs that ended, by playbook and how.", "playbook", "status")
	m.run = histogram("run_duration_seconds", "How long runs took, from their start to their end, with what they waited for.", long, "playbook")
	m.steps = counter("steps_total", "Steps of runs that ended, by action and how the step ended.", "action", "outcome")
	m.attempts = histogram("attempt_duration_seconds", "How long attempts of steps took.", long, "action")
	m.holds = counter("guard_holds_total", "How often guards held a step or the start of a run.", "guard")
	m.verified = counter("verifications_total", "Verifications of steps, by what they found.", "result")
	doubts := counter("doubts_total", "Attempts of which nobody knew the outcome at first.")
	m.doubts = doubts.WithLabelValues()
	m.events = counter("events_total", "Events that came in, by source and what became of them.", "source", "outcome")
	m.refused = counter("commits_failed_total", "Batches that the store did not take, by why.", "why")
	m.heard = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "tend_last_event_timestamp_seconds", Help: "When something came from a source last."}, []string{"source"})
	m.commits = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "tend_commit_duration_seconds", Help: "How long the store took for a commit, which many may share.",
		Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5},
	})
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: "tend_build_info", Help: "1, with the version.", ConstLabels: prometheus.Labels{"version": clean(version)}})
	build.Set(1)
	m.registry.MustRegister(m.heard, m.commits, build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler answers scrapes.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 20 * time.Second})
}

// Told counts an event that was decided: dispatch.Config.Told.
func (m *Metrics) Told(e *event.Event, r dispatch.Receipt) {
	source := m.names.of("source", e.Source)
	m.events.WithLabelValues(source, clean(string(r.Outcome))).Inc()
	m.heard.WithLabelValues(source).SetToCurrentTime()
}

// Held counts that a guard held the start of a run.
func (m *Metrics) Held(guard string) { m.holds.WithLabelValues(m.names.of("guard", guard)).Inc() }

// Ended counts a run that ended.
func (m *Metrics) Ended(s *Story) {
	if s.Created == nil {
		return
	}
	playbook := m.names.of("playbook", s.Created.Name)
	m.runs.WithLabelValues(playbook, clean(s.Status)).Inc()
	m.run.WithLabelValues(playbook).Observe(s.Ended.Sub(s.Began).Seconds())
	for _, x := range s.Steps {
		action := m.names.of("action", cmp.Or(x.Action, "none"))
		if x.End != "" {
			m.steps.WithLabelValues(action, clean(x.End)).Inc()
		}
		for _, a := range x.Attempts {
			if !a.Ended.IsZero() {
				m.attempts.WithLabelValues(action).Observe(a.Ended.Sub(a.Began).Seconds())
			}
		}
	}
	for _, g := range s.Holds {
		m.Held(g)
	}
	m.doubts.Add(float64(s.Doubts))
	m.verified.WithLabelValues("held").Add(float64(s.Verified))
	m.verified.WithLabelValues("refuted").Add(float64(s.Refuted))
}

// Timed is a store whose commits are measured.
func (m *Metrics) Timed(s store.Store) store.Store { return &timed{Store: s, m: m} }

type timed struct {
	store.Store

	m *Metrics
}

// Commit implements store.Store.
func (t *timed) Commit(ctx context.Context, batches []store.Batch) []store.Answer {
	began := time.Now()
	answers := t.Store.Commit(ctx, batches)
	t.m.commits.Observe(time.Since(began).Seconds())
	for i := range answers {
		if err := answers[i].Err; err != nil {
			t.m.refused.WithLabelValues(why(err)).Inc()
		}
	}
	return answers
}

// most is how many values a label has.
const most = 100

// bound keeps labels from growing without end.
type bound struct {
	mu   sync.Mutex
	seen map[string]map[string]bool
}

// of gives a value for a label: the name itself as long as there are not too many.
func (b *bound) of(label, name string) string {
	name = clean(name)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.seen == nil {
		b.seen = map[string]map[string]bool{}
	}
	all := b.seen[label]
	if all == nil {
		all = map[string]bool{}
		b.seen[label] = all
	}
	if all[name] {
		return name
	}
	if len(all) >= most {
		return "other"
	}
	all[name] = true
	return name
}

// clean makes a text a label: Prometheus takes valid UTF-8 only.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "?")
	if len(s) > 100 {
		s = strings.ToValidUTF8(s[:100], "")
	}
	return s
}
