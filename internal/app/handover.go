package app

import (
	"context"
	"path/filepath"
	"time"

	action "github.com/tendhq/tend/internal/action/handover"
	"github.com/tendhq/tend/internal/handover"
	"github.com/tendhq/tend/internal/seal"
)

// handoversDir holds the keys of what waits to be taken. It is in no backup.
const handoversDir = "handovers"

// openHandovers lets runs hand over to people.
func (w *owned) openHandovers(ctx context.Context, s *server, d *desk, key seal.Key) error {
	x, err := handover.Open(ctx, handover.Config{Ledger: d.ledger, Engine: w.engine, Key: key, Dir: filepath.Join(w.dir, handoversDir), Log: s.log})
	if err != nil {
		return err
	}
	d.handovers.Store(x)
	s.parts = append(s.parts, part{name: "handovers", run: x.Run})
	return nil
}

// handing gives runs the desk of a server.
type handing struct{ *handover.Desk }

// HandOver implements the desk of the action.
func (h handing) HandOver(ctx context.Context, r action.Request) (string, time.Time, error) {
	x, err := h.Make(ctx, handover.Make{Key: r.Key, Run: r.Run, Step: r.Step, To: r.To, Title: r.Title, Value: r.Value, For: r.For})
	return x.ID, x.Expires, err
}
