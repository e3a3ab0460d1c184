package telemetry

import (
	"cmp"
	"context"
	"log/slog"
	"math"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/tendhq/tend/internal/fault"
)

// Push sends the metrics that Prometheus is told to a collector too, by OTLP over HTTP: the same ones, by the same names,
// counted from the same beginning. OTEL_METRIC_EXPORT_INTERVAL says how often.
type Push struct {
	exporter sdk.Exporter
	metrics  *Metrics
	version  string
	log      *slog.Logger
}

// WantsMetrics tells whether the variables of OpenTelemetry (OTEL_…) ask for metrics.
func WantsMetrics(getenv func(string) string) bool { return wants(getenv, "METRICS") }

// wants tells whether a signal is asked for: by an address, unless somebody says otherwise.
func wants(getenv func(string) string, signal string) bool {
	if strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") {
		return false
	}
	kind := cmp.Or(getenv("OTEL_"+signal+"_EXPORTER"), "otlp")
	return kind == "otlp" && cmp.Or(getenv("OTEL_EXPORTER_OTLP_"+signal+"_ENDPOINT"), getenv("OTEL_EXPORTER_OTLP_ENDPOINT")) != ""
}

// OpenPush makes a Push to the collector that the variables of OpenTelemetry name. They are read from the environment of the
// process.
func OpenPush(ctx context.Context, m *Metrics, version string, log *slog.Logger) (*Push, error) {
	e, err := otlpmetrichttp.New(ctx)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "set up metrics by OTEL_…")
	}
	return NewPush(e, m, version, log), nil
}

// NewPush makes a Push to an exporter.
func NewPush(e sdk.Exporter, m *Metrics, version string, log *slog.Logger) *Push {
	return &Push{exporter: &patient{Exporter: e, log: log}, metrics: m, version: version, log: log}
}

// Run goes on until ctx ends, and sends a last time then, for at most last.
func (p *Push) Run(ctx context.Context, last time.Duration) error {
	r, err := about(ctx, p.version)
	if err != nil {
		return err
	}
	reader := sdk.NewPeriodicReader(p.exporter, sdk.WithProducer(producer{p.metrics.registry, time.Now()}))
	provider := sdk.NewMeterProvider(sdk.WithResource(r), sdk.WithReader(reader))
	<-ctx.Done()
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), last)
	defer cancel()
	if err := provider.Shutdown(end); err != nil {
		p.log.Warn("the last metrics were not sent", "error", err)
	}
	return nil
}

// patient is an exporter that says once when the other side is away, and once when it is back. What was not sent is in the
// next numbers: they are sums.
type patient struct {
	sdk.Exporter

	log  *slog.Logger
	away bool // one Export goes on at a time
}

// Export implements sdk.Exporter.
func (p *patient) Export(ctx context.Context, m *metricdata.ResourceMetrics) error {
	err := p.Exporter.Export(ctx, m)
	switch {
	case err != nil && !p.away:
		p.log.Error("metrics are not sent: the collector does not take them", "error", err)
	case err == nil && p.away:
		p.log.Info("metrics are sent again")
	}
	p.away = err != nil
	return nil
}

// producer gives what a registry gathers in the words of OpenTelemetry.
type producer struct {
	from  prometheus.Gatherer
	since time.Time // what is counted without saying since when
}

// Produce implements sdk.Producer.
func (p producer) Produce(context.Context) ([]metricdata.ScopeMetrics, error) {
	families, err := p.from.Gather() // what could be gathered is told all the same
	now := time.Now()
	out := metricdata.ScopeMetrics{Scope: instrumentation.Scope{Name: scope}}
	for _, f := range families {
		if d := p.data(f, now); d != nil {
			out.Metrics = append(out.Metrics, metricdata.Metrics{Name: f.GetName(), Description: f.GetHelp(), Unit: unit(f.GetName()), Data: d})
		}
	}
	return []metricdata.ScopeMetrics{out}, err
}

// data is nil for kinds of metrics that we have none of.
func (p producer) data(f *dto.MetricFamily, now time.Time) metricdata.Aggregation {
	switch f.GetType() {
	case dto.MetricType_COUNTER:
		out := metricdata.Sum[float64]{Temporality: metricdata.CumulativeTemporality, IsMonotonic: true}
		for _, m := range f.GetMetric() {
			c := m.GetCounter()
			out.DataPoints = append(out.DataPoints, metricdata.DataPoint[float64]{Attributes: labels(m), StartTime: p.begin(c.GetCreatedTimestamp()), Time: now, Value: c.GetValue()})
		}
		return out
	case dto.MetricType_GAUGE:
		out := metricdata.Gauge[float64]{}
		for _, m := range f.GetMetric() {
			out.DataPoints = append(out.DataPoints, metricdata.DataPoint[float64]{Attributes: labels(m), Time: now, Value: m.GetGauge().GetValue()})
		}
		return out
	case dto.MetricType_HISTOGRAM:
		out := metricdata.Histogram[float64]{Temporality: metricdata.CumulativeTemporality}
		for _, m := range f.GetMetric() {
			out.DataPoints = append(out.DataPoints, p.histogram(m, now))
		}
		return out
	case dto.MetricType_SUMMARY:
		out := metricdata.Summary{}
		for _, m := range f.GetMetric() {
			s := m.GetSummary()
			d := metricdata.SummaryDataPoint{Attributes: labels(m), StartTime: p.begin(s.GetCreatedTimestamp()), Time: now, Count: s.GetSampleCount(), Sum: s.GetSampleSum()}
			for _, q := range s.GetQuantile() {
				d.QuantileValues = append(d.QuantileValues, metricdata.QuantileValue{Quantile: q.GetQuantile(), Value: q.GetValue()})
			}
			out.DataPoints = append(out.DataPoints, d)
		}
		return out
	case dto.MetricType_UNTYPED, dto.MetricType_GAUGE_HISTOGRAM:
	}
	return nil
}

// histogram counts each bucket by itself; those of Prometheus count also what is in the smaller ones.
func (p producer) histogram(m *dto.Metric, now time.Time) metricdata.HistogramDataPoint[float64] {
	h := m.GetHistogram()
	d := metricdata.HistogramDataPoint[float64]{Attributes: labels(m), StartTime: p.begin(h.GetCreatedTimestamp()), Time: now, Count: h.GetSampleCount(), Sum: h.GetSampleSum()}
	before := uint64(0)
	for _, b := range h.GetBucket() {
		if math.IsInf(b.GetUpperBound(), 1) {
			break // it is implied
		}
		d.Bounds = append(d.Bounds, b.GetUpperBound())
		d.BucketCounts = append(d.BucketCounts, b.GetCumulativeCount()-before)
		before = b.GetCumulativeCount()
	}
	d.BucketCounts = append(d.BucketCounts, h.GetSampleCount()-before)
	return d
}

func (p producer) begin(created interface{ AsTime() time.Time }) time.Time {
	if at := created.AsTime(); at.Unix() > 0 {
		return at
	}
	return p.since
}

func labels(m *dto.Metric) attribute.Set {
	all := make([]attribute.KeyValue, 0, len(m.GetLabel()))
	for _, l := range m.GetLabel() {
		all = append(all, attribute.String(l.GetName(), l.GetValue()))
	}
	return attribute.NewSet(all...)
}

// unit of a metric, as UCUM writes it.
func unit(name string) string {
	switch name = strings.TrimSuffix(name, "_total"); {
	case strings.HasSuffix(name, "_seconds"):
		return "s"
	case strings.HasSuffix(name, "_bytes"):
		return "By"
	}
	return ""
}
