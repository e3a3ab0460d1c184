package telemetry_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/telemetry"
)

// sent keeps what an exporter is given.
type sent struct {
	err  error
	all  map[string]metricdata.Metrics
	name string // of the service
	n    int
}

func (s *sent) Temporality(k sdk.InstrumentKind) metricdata.Temporality {
	return sdk.DefaultTemporalitySelector(k)
}

func (s *sent) Aggregation(k sdk.InstrumentKind) sdk.Aggregation {
	return sdk.DefaultAggregationSelector(k)
}
func (s *sent) ForceFlush(context.Context) error { return nil }
func (s *sent) Shutdown(context.Context) error   { return nil }

func (s *sent) Export(_ context.Context, m *metricdata.ResourceMetrics) error {
	s.n++
	s.all = map[string]metricdata.Metrics{}
	for _, x := range m.ScopeMetrics {
		for _, y := range x.Metrics {
			s.all[y.Name] = y
		}
	}
	v, _ := m.Resource.Set().Value("service.name")
	s.name = v.AsString()
	return s.err
}

// TestPush: a collector gets the same numbers as Prometheus, regularly and once more at the end; that it is away is said once.
func TestPush(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := telemetry.NewMetrics("1.2.3")
		for range 3 {
			m.Ended(&telemetry.Story{Created: &entry.RunCreated{Name: "repair"}, Status: "succeeded", Began: begin, Ended: begin.Add(10 * time.Second)})
		}
		m.Ended(&telemetry.Story{Created: &entry.RunCreated{Name: "repair"}, Status: "failed", Began: begin, Ended: begin.Add(48 * time.Hour)})
		var log bytes.Buffer
		to := &sent{err: errors.New("connection refused")}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		p := telemetry.NewPush(to, m, "1.2.3", slog.New(slog.NewTextHandler(&log, nil)))
		go func() { ended <- p.Run(ctx, time.Second) }()
		time.Sleep(150 * time.Second)
		synctest.Wait()
		if n := strings.Count(log.String(), "connection refused"); to.n != 2 || n != 1 {
			t.Errorf("sent %d times within 150 s, told %d times that it failed:\n%s", to.n, n, &log)
		}
		to.err = nil
		stop()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if to.n != 3 || to.name != "tend" || !strings.Contains(log.String(), "sent again") {
			t.Errorf("sent %d times as %s:\n%s", to.n, to.name, &log)
		}
		runs, ok := to.all["tend_runs_total"].Data.(metricdata.Sum[float64])
		if !ok || !runs.IsMonotonic || runs.Temporality != metricdata.CumulativeTemporality || len(runs.DataPoints) != 2 {
			t.Fatalf("%+v", to.all["tend_runs_total"])
		}
		for _, d := range runs.DataPoints {
			status, _ := d.Attributes.Value(attribute.Key("status"))
			if want := map[string]float64{"succeeded": 3, "failed": 1}[status.AsString()]; d.Value != want || d.StartTime.IsZero() || d.StartTime.After(d.Time) {
				t.Errorf("%s: %+v", status.AsString(), d)
			}
		}
		took, ok := to.all["tend_run_duration_seconds"].Data.(metricdata.Histogram[float64])
		if !ok || len(took.DataPoints) != 1 || to.all["tend_run_duration_seconds"].Unit != "s" {
			t.Fatalf("%+v", to.all["tend_run_duration_seconds"])
		}
		d, sum := took.DataPoints[0], uint64(0)
		for i, n := range d.BucketCounts {
			sum += n
			if n == 3 && (d.Bounds[i-1] != 5 || d.Bounds[i] != 15) {
				t.Errorf("ten seconds are in the bucket up to %g", d.Bounds[i])
			}
		}
		if len(d.BucketCounts) != len(d.Bounds)+1 || sum != 4 || d.Count != 4 || d.BucketCounts[len(d.Bounds)] != 1 || d.Sum != 30+48*3600 {
			t.Errorf("%+v", d)
		}
		if g, ok := to.all["go_goroutines"].Data.(metricdata.Gauge[float64]); !ok || len(g.DataPoints) != 1 {
			t.Error("no gauges")
		}
		if g, ok := to.all["go_gc_duration_seconds"].Data.(metricdata.Summary); !ok || len(g.DataPoints) != 1 || len(g.DataPoints[0].QuantileValues) == 0 {
			t.Error("no summaries")
		}
	})
}

func TestWantsMetrics(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		env  map[string]string
		want bool
	}{
		{nil, false},
		{map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, true},
		{map[string]string{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://c"}, true},
		{map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c"}, false},
		{map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_METRICS_EXPORTER": "none"}, false},
		{map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_SDK_DISABLED": "TRUE"}, false},
	} {
		if got := telemetry.WantsMetrics(func(k string) string { return c.env[k] }); got != c.want {
			t.Errorf("%v: %v", c.env, got)
		}
	}
}
