package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/store/memory"
	"github.com/tendhq/tend/internal/telemetry"
	"github.com/tendhq/tend/internal/trace"
)

func tell(t *testing.T, e sdk.SpanExporter, run string, facts ...fact) error {
	t.Helper()
	s := memory.New()
	write(t, s, run, facts...)
	story, err := telemetry.Tell(t.Context(), s, run)
	if err != nil {
		t.Fatal(err)
	}
	traces, err := telemetry.NewTraces(t.Context(), e, "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	return traces.Ended(t.Context(), story)
}

func byID(t *testing.T, spans tracetest.SpanStubs) map[string]tracetest.SpanStub {
	t.Helper()
	out := map[string]tracetest.SpanStub{}
	for _, s := range spans {
		id := s.SpanContext.SpanID().String()
		if _, ok := out[id]; ok {
			t.Errorf("two spans are called %s", id)
		}
		out[id] = s
	}
	return out
}

func TestSpansOfARun(t *testing.T) {
	t.Parallel()
	e := tracetest.NewInMemoryExporter()
	if err := tell(t, e, runID, repaired()...); err != nil {
		t.Fatal(err)
	}
	spans := byID(t, e.GetSpans())
	if len(spans) != 1+4+3 {
		t.Fatalf("%d spans", len(spans))
	}
	root, ok := spans[trace.Run(runID)]
	if !ok || root.Parent.IsValid() || root.Name != "run repair" || !root.StartTime.Equal(begin) || !root.EndTime.Equal(begin.Add(90*time.Second)) || root.Status.Code.String() != "Error" {
		t.Errorf("%+v", root)
	}
	step := spans[trace.Step(runID, "steps[0]")]
	if step.Name != "step http" || step.Parent.SpanID() != root.SpanContext.SpanID() || step.EndTime.Sub(step.StartTime) != 4*time.Second || step.Status.Code.String() != "Ok" {
		t.Errorf("%+v", step)
	}
	for n, code := range map[int]string{1: "Error", 2: "Ok"} {
		a := spans[trace.Attempt(runID, "steps[0]", n)]
		if a.Parent.SpanID() != step.SpanContext.SpanID() || a.Status.Code.String() != code {
			t.Errorf("attempt %d: %+v", n, a)
		}
	}
	for _, s := range spans {
		if s.SpanContext.TraceID().String() != trace.Of(runID, "").Trace || !s.SpanContext.IsSampled() {
			t.Errorf("%s is in the trace %s", s.Name, s.SpanContext.TraceID())
		}
		text, _ := json.Marshal(s.Attributes)
		if strings.Contains(string(text)+s.Status.Description, "not known") || strings.Contains(string(text), "no answer") {
			t.Errorf("messages are told: %s", text)
		}
	}
	// Telling twice tells the same.
	again := tracetest.NewInMemoryExporter()
	if err := tell(t, again, runID, repaired()...); err != nil {
		t.Fatal(err)
	}
	for id, s := range byID(t, again.GetSpans()) {
		if other := spans[id]; other.Name != s.Name || !other.StartTime.Equal(s.StartTime) || other.SpanContext.TraceID() != s.SpanContext.TraceID() {
			t.Errorf("%s is another one", s.Name)
		}
	}
}

func TestTraceOfTheRequest(t *testing.T) {
	t.Parallel()
	const given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0"
	facts := repaired()
	for flag, want := range map[string]int{"1": 8, "0": 0} {
		facts[0].Payload.(*entry.RunCreated).Trace = given + flag
		e := tracetest.NewInMemoryExporter()
		if err := tell(t, e, runID, facts...); err != nil {
			t.Fatal(err)
		}
		spans := byID(t, e.GetSpans())
		if len(spans) != want {
			t.Errorf("flag %s: %d spans", flag, len(spans))
		}
		root := spans[trace.Run(runID)]
		if want > 0 && (root.SpanContext.TraceID().String() != given[3:35] || root.Parent.SpanID().String() != given[36:52] || !root.Parent.IsRemote()) {
			t.Errorf("%+v", root)
		}
	}
}

// TestCalledRun: it is below the step that called it.
func TestCalledRun(t *testing.T) {
	t.Parallel()
	e := tracetest.NewInMemoryExporter()
	err := tell(t, e, childID,
		fact{0, &entry.RunCreated{Name: "child", Cause: entry.Cause{Root: runID, Parent: runID, Path: "steps[1]"}}}, fact{1, &entry.RunEnded{Status: "succeeded"}})
	if err != nil {
		t.Fatal(err)
	}
	s := e.GetSpans()[0]
	if s.Parent.SpanID().String() != trace.Step(runID, "steps[1]") || s.SpanContext.TraceID().String() != trace.Of(runID, "").Trace || s.SpanContext.SpanID().String() != trace.Run(childID) {
		t.Errorf("%+v", s)
	}
}

type broken struct{ sdk.SpanExporter }

func (broken) ExportSpans(context.Context, []sdk.ReadOnlySpan) error {
	return errors.New("nobody is there")
}

func TestACollectorThatIsDown(t *testing.T) {
	t.Parallel()
	if err := tell(t, broken{}, runID, repaired()...); err == nil || !strings.Contains(err.Error(), "nobody is there") {
		t.Error(err)
	}
}

func TestWantsTraces(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		env  map[string]string
		want bool
	}{
		{nil, false},
		{map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, true},
		{map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://x"}, true},
		{map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "TRUE"}, false},
		{map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_TRACES_EXPORTER": "none"}, false},
	} {
		if got := telemetry.WantsTraces(func(n string) string { return c.env[n] }); got != c.want {
			t.Errorf("%v: %v", c.env, got)
		}
	}
}

func TestLinesAboutARun(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	asked := 0
	log := slog.New(telemetry.Log(slog.NewTextHandler(&b, nil), func(run string) (string, string) {
		asked++
		return "root-of-" + run, ""
	}))
	want := "trace=" + trace.Of("root-of-run_1", "").Trace
	for name, write := range map[string]func(){
		"in the line": func() { log.Info("x", "run", "run_1") },
		"before":      func() { log.With("run", "run_1").Info("x", "a", 1) },
	} {
		b.Reset()
		if write(); strings.Count(b.String(), want) != 1 {
			t.Errorf("%s: %s", name, b.String())
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	for name, write := range map[string]func(){
		"about nothing": func() { log.Info("x", "step", "s") },
		"in a group":    func() { log.WithGroup("g").Info("x", "run", "run_1") },
		"no text":       func() { log.Info("x", "run", 5) },
	} {
		b.Reset()
		if write(); strings.Contains(b.String(), "trace=") {
			t.Errorf("%s: %s", name, b.String())
		}
	}
	b.Reset()
	if log.Info("x", "run", "run_1", "trace", "mine"); strings.Count(b.String(), "trace=") != 1 || !strings.Contains(b.String(), "trace=mine") {
		t.Error(b.String())
	}
}
