// Package otlp ships lines to a collector of OpenTelemetry logs: OTLP over HTTP, as JSON. What the collector answers with
// 200 it has. What it says it rejected is not sent again, as the protocol wants; it is told in the log.
package otlp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/sink"
)

// Collector is a sink.
type Collector struct {
	URL     string                                          // of the collector's logs: https://collector:4318/v1/logs
	Token   func(ctx context.Context) (secret.Value, error) // nil: none
	Service string                                          // service.name
	Version string
	Client  *http.Client
	Log     *slog.Logger

	until time.Time // it asked not to be asked before
}

// Write implements sink.Sink.
func (c *Collector) Write(ctx context.Context, lines []sink.Line) error {
	if wait := time.Until(c.until); wait > 0 {
		return fault.New(fault.RateLimited, "the collector at %s asked to wait for %s", c.URL, wait.Round(time.Second))
	}
	body, err := json.Marshal(c.request(lines))
	if err != nil {
		return fault.Wrap(fault.Internal, err, "encode logs")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(body))
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "ask the collector")
	}
	req.Header.Set("Content-Type", "application/json")
	if c.Token != nil {
		t, err := c.Token(ctx)
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+t.Reveal())
	}
	resp, err := c.Client.Do(req)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "send logs")
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if resp.StatusCode/100 != 2 {
		if n, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && n > 0 {
			c.until = time.Now().Add(time.Duration(min(n, 3600)) * time.Second)
		}
		return fault.New(fault.Unavailable, "the collector at %s answered %s", c.URL, resp.Status)
	}
	c.rejected(answer, lines)
	return nil
}

// rejected tells what the collector took and threw away.
func (c *Collector) rejected(answer []byte, lines []sink.Line) {
	var a struct {
		PartialSuccess struct {
			Rejected any    `json:"rejectedLogRecords"` // a number, or one in quotes
			Message  string `json:"errorMessage"`
		} `json:"partialSuccess"`
	}
	if json.Unmarshal(answer, &a) != nil || a.PartialSuccess.Rejected == nil {
		return
	}
	if n := fmt.Sprint(a.PartialSuccess.Rejected); n != "0" && c.Log != nil && len(lines) > 0 {
		c.Log.Error("the collector rejected logs", "collector", c.URL, "rejected", n, "of", len(lines), "says", a.PartialSuccess.Message,
			"from", fmt.Sprintf("%s/%d", lines[0].Stream, lines[0].Seq))
	}
}

// The form of OTLP in JSON: numbers of 64 bits are written as texts.
type (
	request struct {
		ResourceLogs []resourceLogs `json:"resourceLogs"`
	}
	resourceLogs struct {
		Resource  resource    `json:"resource"`
		ScopeLogs []scopeLogs `json:"scopeLogs"`
	}
	resource struct {
		Attributes []attribute `json:"attributes"`
	}
	scopeLogs struct {
		Scope      scope    `json:"scope"`
		LogRecords []record `json:"logRecords"`
	}
	scope struct {
		Name string `json:"name"`
	}
	record struct {
		TimeUnixNano   string      `json:"timeUnixNano"`
		ObservedUnix   string      `json:"observedTimeUnixNano"`
		SeverityNumber int         `json:"severityNumber"`
		SeverityText   string      `json:"severityText"`
		EventName      string      `json:"eventName,omitempty"`
		Body           anyValue    `json:"body"`
		Attributes     []attribute `json:"attributes"`
	}
	attribute struct {
		Key   string   `json:"key"`
		Value anyValue `json:"value"`
	}
	anyValue struct {
		String *string `json:"stringValue,omitempty"`
		Int    string  `json:"intValue,omitempty"`
	}
)

func text(s string) anyValue { return anyValue{String: &s} }

func (c *Collector) request(lines []sink.Line) request {
	s := scopeLogs{Scope: scope{Name: "tend/audit"}, LogRecords: make([]record, len(lines))}
	seen := strconv.FormatInt(time.Now().UnixNano(), 10)
	for i := range lines {
		l := &lines[i]
		r := record{
			TimeUnixNano: strconv.FormatInt(l.At.UnixNano(), 10), ObservedUnix: seen, SeverityNumber: 9, SeverityText: "INFO", EventName: l.Name,
			Body: text(l.Text),
			Attributes: []attribute{
				{"tend.audit.stream", text(l.Stream)}, {"tend.audit.seq", anyValue{Int: strconv.FormatUint(l.Seq, 10)}}, {"tend.audit.kind", text(l.Name)},
			},
		}
		if l.Warn {
			r.SeverityNumber, r.SeverityText = 13, "WARN"
		}
		s.LogRecords[i] = r
	}
	return request{[]resourceLogs{{
		Resource:  resource{[]attribute{{"service.name", text(c.Service)}, {"service.version", text(c.Version)}}},
		ScopeLogs: []scopeLogs{s},
	}}}
}

// Close implements sink.Sink.
func (c *Collector) Close() error {
	c.Client.CloseIdleConnections()
	return nil
}
