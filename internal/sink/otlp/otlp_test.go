package otlp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/sink/otlp"
	"github.com/tendhq/tend/internal/sink/sinktest"
)

// collector is the other side, as the protocol describes it.
type collector struct {
	t *testing.T

	mu     sync.Mutex
	got    []string
	down   bool
	answer string
	after  string
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down {
		if c.after != "" {
			w.Header().Set("Retry-After", c.after)
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if r.Method != http.MethodPost || r.URL.Path != "/v1/logs" || r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Authorization") != "Bearer t0ken" {
		c.t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
	}
	b, _ := io.ReadAll(r.Body)
	var req struct {
		ResourceLogs []struct {
			Resource struct {
				Attributes []struct {
					Key   string
					Value struct{ StringValue string }
				}
			}
			ScopeLogs []struct {
				LogRecords []struct {
					TimeUnixNano   string
					SeverityNumber int
					Body           struct{ StringValue string }
					Attributes     []struct {
						Key   string
						Value struct{ StringValue, IntValue string }
					}
				}
			}
		}
	}
	if err := json.Unmarshal(b, &req); err != nil || len(req.ResourceLogs) != 1 || req.ResourceLogs[0].Resource.Attributes[0].Value.StringValue != "tend" {
		c.t.Errorf("%v: %s", err, b)
		return
	}
	for _, l := range req.ResourceLogs[0].ScopeLogs[0].LogRecords {
		if len(l.TimeUnixNano) != 19 || l.SeverityNumber != 9 && l.SeverityNumber != 13 || l.Attributes[0].Value.StringValue != "audit/server" || l.Attributes[1].Value.IntValue == "" {
			c.t.Errorf("%+v", l)
		}
		c.got = append(c.got, l.Body.StringValue)
	}
	_, _ = io.WriteString(w, c.answer)
}

func open(t *testing.T) (*collector, *otlp.Collector, *bytes.Buffer) {
	t.Helper()
	c := &collector{t: t, answer: "{}"}
	web := httptest.NewServer(c)
	t.Cleanup(web.Close)
	var log bytes.Buffer
	return c, &otlp.Collector{
		URL: web.URL + "/v1/logs", Service: "tend", Client: web.Client(), Log: slog.New(slog.NewTextHandler(&log, nil)),
		Token: func(context.Context) (secret.Value, error) { return secret.New("t0ken"), nil },
	}, &log
}

func TestConformance(t *testing.T) {
	t.Parallel()
	sinktest.Test(t, func(t *testing.T) sinktest.Far {
		c, s, _ := open(t)
		set := func(down bool) func() {
			return func() {
				c.mu.Lock()
				defer c.mu.Unlock()
				c.down = down
			}
		}
		return sinktest.Far{Sink: s, Break: set(true), Mend: set(false), Got: func(int) []string {
			c.mu.Lock()
			defer c.mu.Unlock()
			return append([]string{}, c.got...)
		}}
	})
}

// TestRejected: what the collector took and threw away is not sent for ever; the log says so.
func TestRejected(t *testing.T) {
	t.Parallel()
	for answer, told := range map[string]bool{
		`{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"too old"}}`: true,
		`{"partialSuccess":{"rejectedLogRecords":1}}`:                            true,
		`{"partialSuccess":{"rejectedLogRecords":"0"}}`:                          false,
		`{"partialSuccess":{}}`:                                                  false,
		`nonsense`:                                                               false,
	} {
		c, s, log := open(t)
		c.answer = answer
		if err := s.Write(t.Context(), sinktest.Lines(1, 3)); err != nil {
			t.Error(err)
		}
		if strings.Contains(log.String(), "rejected") != told {
			t.Errorf("%s: %s", answer, log)
		}
	}
}

// TestAskedToWait: Retry-After is kept.
func TestAskedToWait(t *testing.T) {
	t.Parallel()
	c, s, _ := open(t)
	c.down, c.after = true, "60"
	if err := s.Write(t.Context(), sinktest.Lines(1, 1)); err == nil {
		t.Error("taken")
	}
	c.down = false
	if err := s.Write(t.Context(), sinktest.Lines(1, 1)); err == nil || !strings.Contains(err.Error(), "asked to wait") || len(c.got) > 0 {
		t.Errorf("%v, %q", err, c.got)
	}
}
