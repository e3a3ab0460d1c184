package app_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/store"
)

// rows are an engine of which only the rows are looked at.
type rows struct {
	engine.Service
	of map[string]store.Row
}

func (r rows) Rows(_ context.Context, f store.Filter) (store.Page, error) {
	if row, ok := r.of[f.ID]; ok {
		return store.Page{Rows: []store.Row{row}}, nil
	}
	return store.Page{}, nil
}

// TestStanding: a run that waits for another one moves as that one does. Whoever resumes a run sees it go on before what it
// called does: that moment is no rest.
func TestStanding(t *testing.T) {
	t.Parallel()
	child := engine.Wait{For: "child", On: "below"}
	for name, c := range map[string]struct {
		status string
		waits  []engine.Wait
		moves  bool
	}{
		"not there yet": {"", nil, true},
		"runs":          {"running", nil, true},
		"a person":      {"waiting", []engine.Wait{{For: "task"}}, false},
		"a time":        {"waiting", []engine.Wait{{For: "time"}}, true},
		"interrupted":   {"interrupted", []engine.Wait{{For: "resume"}}, true},
		"paused":        {"paused", []engine.Wait{{For: "pause"}}, false},
		"ended":         {"failed", nil, true},
	} {
		r := rows{of: map[string]store.Row{"above": row(t, "waiting", child)}}
		if c.status != "" {
			r.of["below"] = row(t, c.status, c.waits...)
		}
		status, waits, err := app.Standing(t.Context(), r, "above")
		if err != nil || status != "waiting" || len(waits) != 1 || app.Moves(waits, false) != c.moves {
			t.Errorf("%s: %s, %+v, %v", name, status, waits, err)
		}
	}
	own := rows{of: map[string]store.Row{"above": row(t, "interrupted", engine.Wait{For: "resume"})}}
	if _, waits, err := app.Standing(t.Context(), own, "above"); err != nil || app.Moves(waits, false) {
		t.Errorf("an interrupted run moves: %+v, %v", waits, err)
	}
}

func row(t *testing.T, status string, waits ...engine.Wait) store.Row {
	t.Helper()
	body, err := json.Marshal(engine.RunRow{Status: status, Waits: waits})
	if err != nil {
		t.Fatal(err)
	}
	return store.Row{Status: status, Body: body}
}
