package httpapi_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/httpapi"
)

// ear is a reader of a stream in memory: it remembers which events it heard.
type ear struct {
	mu     sync.Mutex
	header http.Header
	text   bytes.Buffer
}

func (e *ear) Header() http.Header { return e.header }
func (e *ear) WriteHeader(int)     {}
func (e *ear) Flush()              {}

func (e *ear) Write(b []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.text.Write(b)
}

func (e *ear) heard(text string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return bytes.Contains(e.text.Bytes(), []byte(text))
}

// TestTenThousandStreams follow one run in memory: every one of them hears how it begins and how it ends.
func TestTenThousandStreams(t *testing.T) {
	t.Parallel()
	const many = 10_000
	e := newEngine(t)
	id, err := e.Start(t.Context(), engine.Start{Program: compile(t, "  - {uses: approve, with: {message: sure}}\n")})
	if err != nil {
		t.Fatal(err)
	}
	h := httpapi.Handler(httpapi.Config{Engine: e, Gate: &doorman{may: everybody}})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	ears := make([]*ear, many)
	var all sync.WaitGroup
	for i := range ears {
		ears[i] = &ear{header: http.Header{}}
		all.Go(func() {
			r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/v1/runs/"+id+"/follow", nil)
			r.Header.Set("Authorization", "Bearer ann")
			h.ServeHTTP(ears[i], r)
		})
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for _, x := range ears {
		for !x.heard("event: idle") {
			select {
			case <-tick.C:
			case <-ctx.Done():
				t.Fatal("a stream did not hear that the run waits")
			}
		}
	}
	if _, err := e.Do(ctx, engine.Command{Verb: engine.Cancel, Run: id}); err != nil {
		t.Fatal(err)
	}
	all.Wait() // each ends with the run
	for i, x := range ears {
		if !x.heard("event: end") || !x.heard(`"kind":"run-ended"`) {
			t.Fatalf("stream %d did not hear the end: %q", i, x.text.String())
		}
	}
	if ctx.Err() != nil {
		t.Error("it took too long")
	}
}
