package httpapi_test

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/httpapi"
	"github.com/tendhq/tend/internal/repeat"
)

// drawer keeps answers as a store does: in order, over the life of a handler, and not while it is full.
type drawer struct {
	mu    sync.Mutex
	order []string
	kept  map[string]repeat.Answered
	full  bool
}

func (d *drawer) All(_ context.Context, each func(string, repeat.Answered)) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range d.order {
		each(id, d.kept[id])
	}
	return nil
}

func (d *drawer) Put(_ context.Context, id string, a repeat.Answered, forget []string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.full {
		return fault.New(fault.Unavailable, "the disk is full")
	}
	if d.kept == nil {
		d.kept = map[string]repeat.Answered{}
	}
	if _, ok := d.kept[id]; !ok {
		d.order = append(d.order, id)
	}
	d.kept[id] = a
	d.drop(forget)
	return nil
}

func (d *drawer) Forget(_ context.Context, ids []string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop(ids)
	return nil
}

func (d *drawer) drop(ids []string) {
	d.order = slices.DeleteFunc(d.order, func(id string) bool { return slices.Contains(ids, id) })
	for _, id := range ids {
		delete(d.kept, id)
	}
}

// TestAnswersOutliveTheServer: a repeat after a restart finds its answer, or learns that nobody knows. Nothing is done that
// could not be claimed, and what is old is let go.
func TestAnswersOutliveTheServer(t *testing.T) {
	t.Parallel()
	e, kept := newEngine(t), new(drawer)
	id, err := e.Start(t.Context(), engine.Start{Program: compile(t, "  - {uses: approve, with: {message: sure}}\n"), By: entry.Who{Name: "x"}})
	if err != nil {
		t.Fatal(err)
	}
	updates, err := e.Follow(t.Context(), id, 1)
	if err != nil {
		t.Fatal(err)
	}
	task := next(t, updates, waitsFor("task")).Idle.Waits[0].On
	type asking func(key, body string) (int, string, http.Header)
	server := func() asking {
		ask := network(t, httpapi.Config{Engine: e, Gate: &doorman{may: everybody}, Answers: kept})
		return func(key, body string) (int, string, http.Header) {
			return ask("POST", "/v1/tasks/"+task+"/answers", body, "Authorization", "Bearer ann", "Idempotency-Key", key)
		}
	}
	const yes = `{"choice":"approve"}`

	kept.full = true
	if status, body, _ := server()("k1", yes); status != 503 || !strings.Contains(body, "the disk is full") {
		t.Errorf("what cannot be claimed: %d %s", status, body)
	}
	kept.full = false
	first, answer, _ := server()("k1", yes)
	if first != 200 {
		t.Fatalf("after that: %d %s", first, answer)
	}
	status, again, h := server()("k1", yes)
	if status != first || again != answer || h.Get("Idempotent-Replayed") != "true" || !strings.HasPrefix(h.Get("Content-Type"), "application/json") {
		t.Errorf("after a restart: %d %q, not %q; %v", status, again, answer, h)
	}
	if status, body, _ := server()("k1", `{"choice":"reject"}`); status != 409 || !strings.Contains(body, "another request") {
		t.Errorf("another request: %d %s", status, body)
	}
	// The server died between the claim and the answer.
	for k, a := range kept.kept {
		a.Status, a.Body = 0, nil
		kept.kept[k] = a
	}
	if status, body, _ := server()("k1", yes); status != 409 || !strings.Contains(body, "nobody knows whether it was done") {
		t.Errorf("cut off: %d %s", status, body)
	}
	// What is older than a day goes with the next request; what the server could not do leaves nothing.
	for k, a := range kept.kept {
		a.At = time.Now().Add(-25 * time.Hour)
		kept.kept[k] = a
	}
	old := slices.Collect(maps.Keys(kept.kept))
	if status, body, _ := server()("k2", yes); status != 409 || !strings.Contains(body, "approved") {
		t.Errorf("a task that is answered: %d %s", status, body)
	}
	if len(kept.order) != 1 || slices.Contains(old, kept.order[0]) {
		t.Errorf("kept: %v, and %v were old", kept.order, old)
	}
}
