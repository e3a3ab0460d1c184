package telemetry_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tendhq/tend/internal/telemetry"
)

type trip func(*http.Request) (*http.Response, error)

func (f trip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestHeartbeat: it comes as long as the server can work, and the address is in no log.
func TestHeartbeat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		beats, answer := 0, 200
		var able, broken error
		var mu sync.Mutex // what the test sets before it waits is seen by the next beat
		h := telemetry.Heartbeat{
			URL: "https://watch.example.org/k3y", Every: time.Minute, Able: func(context.Context) error { mu.Lock(); defer mu.Unlock(); return able }, Log: slog.New(slog.NewTextHandler(&log, nil)),
			Client: &http.Client{Transport: trip(func(*http.Request) (*http.Response, error) {
				beats++
				return &http.Response{StatusCode: answer, Body: io.NopCloser(strings.NewReader("ok"))}, broken
			})},
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- h.Run(ctx) }()
		after := func(d time.Duration) int {
			mu.Lock()
			before := beats
			mu.Unlock()
			time.Sleep(d) // of the bubble's clock
			synctest.Wait()
			return beats - before
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if beats != 1 {
			t.Errorf("%d at once", beats)
		}
		if n := after(10 * time.Minute); n != 10 {
			t.Errorf("%d in ten minutes", n)
		}
		able = errors.New("halted")
		if n := after(10 * time.Minute); n != 0 || strings.Count(log.String(), "no heartbeat was sent") != 1 {
			t.Errorf("%d while halted: %s", n, log.String())
		}
		able, broken = nil, errors.New("no route")
		after(2 * time.Minute)
		broken, answer = nil, 500
		after(2 * time.Minute)
		answer = 204
		after(2 * time.Minute)
		if !strings.Contains(log.String(), "heartbeats are sent again") || strings.Contains(log.String(), "k3y") {
			t.Error(log.String())
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
