package telemetry

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"
)

// Heartbeat asks an address regularly, as long as the server can work: silence raises the alarm there. The address can be
// a secret (it often has a key in it) and is never logged.
type Heartbeat struct {
	URL    string
	Every  time.Duration
	Able   func(ctx context.Context) error // why the server cannot work; no heartbeat then
	Client *http.Client
	Log    *slog.Logger
}

// Run goes on until ctx ends.
func (h *Heartbeat) Run(ctx context.Context) error {
	tick := time.NewTicker(h.Every)
	defer tick.Stop()
	silent := false
	for {
		err := h.beat(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !silent:
			h.Log.Error("no heartbeat was sent", "error", err)
		case err == nil && silent:
			h.Log.Info("heartbeats are sent again")
		}
		silent = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (h *Heartbeat) beat(ctx context.Context) error {
	if err := h.Able(ctx); err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.URL, nil)
	if err != nil {
		return errNoAddress
	}
	resp, err := h.Client.Do(req)
	if err != nil {
		if u, ok := err.(*url.Error); ok { //nolint:errorlint // what Do gives is one, and its text has the address
			err = u.Err
		}
		return err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	if resp.StatusCode/100 != 2 {
		return status(resp.StatusCode)
	}
	return nil
}

type text string

func (t text) Error() string { return string(t) }

const errNoAddress = text("the address of the heartbeat is none")

func status(code int) error { return text("the other side answered " + http.StatusText(code)) }
