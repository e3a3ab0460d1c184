package telemetry

import (
	"cmp"
	"context"
	"encoding/hex"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	otel "go.opentelemetry.io/otel/trace"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/trace"
)

// Traces tell a collector of runs that ended: a span for the run, each of its steps, and each attempt. Their ids derive from
// the run, so that telling twice tells the same.
type Traces struct {
	exporter sdk.SpanExporter
	provider *sdk.TracerProvider
	tracer   otel.Tracer
	got      collected
}

// WantsTraces tells whether the variables of OpenTelemetry (OTEL_…) ask for traces.
func WantsTraces(getenv func(string) string) bool { return wants(getenv, "TRACES") }

// OpenTraces begins to tell the collector that the variables of OpenTelemetry name, by OTLP over HTTP. They are read from
// the environment of the process.
func OpenTraces(ctx context.Context, version string) (*Traces, error) {
	e, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "set up traces by OTEL_…")
	}
	return NewTraces(ctx, e, version)
}

// NewTraces tells an exporter. OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES and OTEL_TRACES_SAMPLER are honoured.
func NewTraces(ctx context.Context, e sdk.SpanExporter, version string) (*Traces, error) {
	t := &Traces{exporter: e}
	r, err := about(ctx, version)
	if err != nil {
		return nil, err
	}
	t.provider = sdk.NewTracerProvider(sdk.WithResource(r), sdk.WithIDGenerator(ids{}), sdk.WithSpanProcessor(&t.got))
	t.tracer = t.provider.Tracer(scope)
	return t, nil
}

// scope is who says what is told.
const scope = "github.com/tendhq/tend"

// about says what is told of.
func about(ctx context.Context, version string) (*resource.Resource, error) {
	// What the environment says comes last, and wins.
	r, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", "tend"), attribute.String("service.version", version)),
		resource.WithTelemetrySDK(), resource.WithHost(), resource.WithFromEnv())
	return r, fault.Wrap(fault.Invalid, err, "describe the server by OTEL_…")
}

// Ended tells of a run. Where the collector does not take it the error says so, and it is told again.
func (t *Traces) Ended(ctx context.Context, s *Story) error {
	if s.Created == nil {
		return nil
	}
	t.run(s)
	spans := t.got.take()
	if len(spans) == 0 {
		return nil // it is not sampled
	}
	if err := t.exporter.ExportSpans(ctx, spans); err != nil {
		return fault.Wrap(fault.Unavailable, err, "send the trace of %s", s.ID)
	}
	return nil
}

// Close ends the telling.
func (t *Traces) Close(ctx context.Context) error { return t.exporter.Shutdown(ctx) }

func (t *Traces) run(s *Story) {
	c := s.Created
	at := trace.Of(cmp.Or(c.Cause.Root, s.ID), c.Trace)
	ctx := context.Background()
	switch {
	case c.Cause.Parent != "": // below the step that called it
		ctx = below(ctx, at.At(trace.Step(c.Cause.Parent, c.Cause.Path)), false)
	case at.Span != "":
		ctx = below(ctx, at, true)
	}
	ctx, span := t.tracer.Start(named(ctx, at.Trace, trace.Run(s.ID)), "run "+c.Name, otel.WithTimestamp(s.Began), otel.WithSpanKind(otel.SpanKindInternal),
		otel.WithAttributes(only(
			attribute.String("tend.run", s.ID), attribute.String("tend.playbook", c.Name), attribute.String("tend.project", c.Project),
			attribute.String("tend.environment", c.Environment), attribute.String("tend.source", c.Source), attribute.String("tend.trigger", c.Cause.Trigger),
			attribute.String("tend.event", c.Cause.Event), attribute.String("tend.incident", c.Cause.Incident), attribute.String("tend.by", cmp.Or(c.By.ID, c.By.Name)),
			attribute.String("tend.status", s.Status),
		)...))
	for _, x := range s.Steps {
		t.step(ctx, at.Trace, s, x)
	}
	fail(span, s.Status != "succeeded", kindOf(s.Fault))
	span.End(otel.WithTimestamp(s.Ended))
}

func (t *Traces) step(ctx context.Context, id string, s *Story, x *Step) {
	began := x.Ended
	if len(x.Attempts) > 0 {
		began = x.Attempts[0].Began
	}
	ended := x.Ended
	if ended.Before(began) {
		ended = s.Ended
	}
	ctx, span := t.tracer.Start(named(ctx, id, trace.Step(s.ID, x.Path)), "step "+cmp.Or(x.Action, x.Path), otel.WithTimestamp(began),
		otel.WithAttributes(only(
			attribute.String("tend.run", s.ID), attribute.String("tend.step", x.Path), attribute.String("tend.action", x.Action),
			attribute.String("tend.effect", x.Effect), attribute.String("tend.runner", x.Runner), attribute.String("tend.outcome", x.End),
		)...))
	for _, a := range x.Attempts {
		end := a.Ended
		if end.IsZero() {
			end = s.Ended
		}
		_, one := t.tracer.Start(named(ctx, id, trace.Attempt(s.ID, x.Path, a.Number)), "attempt "+x.Action, otel.WithTimestamp(a.Began),
			otel.WithAttributes(only(
				attribute.String("tend.run", s.ID), attribute.String("tend.step", x.Path), attribute.Int("tend.attempt", a.Number),
				attribute.String("tend.outcome", cmp.Or(a.Outcome, "lost")),
			)...))
		fail(one, a.Outcome != "succeeded", kindOf(a.Fault))
		one.End(otel.WithTimestamp(end))
	}
	switch x.End {
	case "succeeded":
		fail(span, false, "")
	case "skipped", "observed":
	default:
		fail(span, true, kindOf(x.Fault))
	}
	span.End(otel.WithTimestamp(ended))
}

// fail marks a span. Messages are not told: they can quote what is nobody else's business.
func fail(span otel.Span, failed bool, kind string) {
	if !failed {
		span.SetStatus(codes.Ok, "")
		return
	}
	span.SetStatus(codes.Error, kind)
	if kind != "" {
		span.SetAttributes(attribute.String("error.type", kind))
	}
}

// only leaves out what is empty.
func only(all ...attribute.KeyValue) []attribute.KeyValue {
	out := all[:0]
	for _, a := range all {
		if a.Value.Type() != attribute.STRING || a.Value.AsString() != "" {
			out = append(out, a)
		}
	}
	return out
}

func below(ctx context.Context, at trace.Context, remote bool) context.Context {
	c := otel.SpanContextConfig{TraceID: traceID(at.Trace), SpanID: spanID(at.Span), Remote: remote}
	if at.Sampled {
		c.TraceFlags = otel.FlagsSampled
	}
	return otel.ContextWithSpanContext(ctx, otel.NewSpanContext(c))
}

func traceID(text string) (id otel.TraceID) {
	_, _ = hex.Decode(id[:], []byte(text)) // it is made of hex digits
	return id
}

func spanID(text string) (id otel.SpanID) {
	_, _ = hex.Decode(id[:], []byte(text)) // likewise
	return id
}

// named says which ids the next span has.
func named(ctx context.Context, traceID, spanID string) context.Context {
	return context.WithValue(ctx, nameKey{}, [2]string{traceID, spanID})
}

type nameKey struct{}

// ids gives spans the names that their context says.
type ids struct{}

// NewIDs implements sdk.IDGenerator.
func (ids) NewIDs(ctx context.Context) (otel.TraceID, otel.SpanID) {
	n, _ := ctx.Value(nameKey{}).([2]string)
	return traceID(n[0]), spanID(n[1])
}

// NewSpanID implements sdk.IDGenerator.
func (ids) NewSpanID(ctx context.Context, _ otel.TraceID) otel.SpanID {
	n, _ := ctx.Value(nameKey{}).([2]string)
	return spanID(n[1])
}

// collected keeps spans until they are sent, by whoever must know whether that went well.
type collected struct {
	mu    sync.Mutex
	spans []sdk.ReadOnlySpan
}

func (c *collected) take() []sdk.ReadOnlySpan {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.spans
	c.spans = nil
	return out
}

// OnStart implements sdk.SpanProcessor.
func (*collected) OnStart(context.Context, sdk.ReadWriteSpan) {}

// OnEnd implements sdk.SpanProcessor.
func (c *collected) OnEnd(s sdk.ReadOnlySpan) {
	if !s.SpanContext().IsSampled() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spans = append(c.spans, s)
}

// Shutdown implements sdk.SpanProcessor.
func (*collected) Shutdown(context.Context) error { return nil }

// ForceFlush implements sdk.SpanProcessor.
func (*collected) ForceFlush(context.Context) error { return nil }
