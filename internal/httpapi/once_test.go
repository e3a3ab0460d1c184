package httpapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/httpapi"
	"github.com/tendhq/tend/internal/store"
)

func everybody(access.Principal, access.Need) bool { return true }

// TestARepeatWithTheSameKeyIsTheSameRequest, also when both come at once, for each asker by itself.
func TestARepeatWithTheSameKeyIsTheSameRequest(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	closure, _, err := compile(t, "  - {uses: approve, with: {message: sure}}\n").Closure()
	if err != nil {
		t.Fatal(err)
	}
	body := `{"program":` + string(closure) + `}`
	ask := network(t, httpapi.Config{Engine: e, Gate: &doorman{may: everybody}})
	start := func(who, key, body string) (int, string, http.Header) {
		return ask("POST", "/v1/runs", body, "Authorization", "Bearer "+who, "Idempotency-Key", key)
	}
	var all sync.WaitGroup
	got := make([]string, 8)
	for i := range got {
		all.Go(func() {
			status, answer, h := start("ann", "k1", body)
			got[i] = fmt.Sprintln(status, answer, h.Get("Location"))
		})
	}
	all.Wait()
	for _, g := range got {
		if g != got[0] || !strings.HasPrefix(g, "201 ") || !strings.Contains(g, "/v1/runs/run_") {
			t.Fatalf("different answers:\n%s", strings.Join(got, ""))
		}
	}
	if _, _, h := start("ann", "k1", body); h.Get("Idempotent-Replayed") != "true" {
		t.Error("a repeat does not say that it is one")
	}
	if status, answer, _ := start("ann", "k1", `{"source":"x","program":`+string(closure)+`}`); status != 409 || !strings.Contains(answer, "used for another request") {
		t.Errorf("another request with the key: %d %s", status, answer)
	}
	for _, c := range [][2]string{{"bob", "k1"}, {"ann", "k2"}} {
		if status, answer, _ := start(c[0], c[1], body); status != 201 || strings.Contains(got[0], answer) {
			t.Errorf("%v: %d %s", c, status, answer)
		}
	}
	page, err := e.Rows(t.Context(), store.Filter{Kind: "run"})
	if err != nil || len(page.Rows) != 3 {
		t.Errorf("%d runs, %v", len(page.Rows), err)
	}
	for _, key := range []string{"with space", strings.Repeat("x", 201), "ümlaut"} {
		if status, _, _ := start("ann", key, body); status != 400 {
			t.Errorf("key %q: %d", key, status)
		}
	}
	// After a restart of the interface the engine still knows the key of a start.
	again := network(t, httpapi.Config{Engine: e, Gate: &doorman{may: everybody}})
	status, answer, _ := again("POST", "/v1/runs", body, "Authorization", "Bearer ann", "Idempotency-Key", "k1")
	if status != 201 || !strings.Contains(got[0], strings.TrimSpace(answer)) {
		t.Errorf("after a restart: %d %s, not %s", status, answer, got[0])
	}
	// What was refused stays so, and what the server could not do can be tried again.
	for range 2 {
		if status, _, _ := again("POST", "/v1/runs", `{}`, "Authorization", "Bearer ann", "Idempotency-Key", "k3"); status != 400 {
			t.Errorf("a wrong request: %d", status)
		}
	}
}

func TestObjectsHaveETags(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	id, err := e.Start(t.Context(), engine.Start{Program: compile(t, "  - {uses: approve, with: {message: sure}}\n"), By: entry.Who{Name: "x"}})
	if err != nil {
		t.Fatal(err)
	}
	updates, err := e.Follow(t.Context(), id, 1)
	if err != nil {
		t.Fatal(err)
	}
	task := next(t, updates, waitsFor("task")).Idle.Waits[0].On
	raw := network(t, httpapi.Config{Engine: e, Gate: &doorman{may: everybody}})
	ask := func(method, path, body string, header ...string) (int, string, string) {
		status, answer, h := raw(method, path, body, append([]string{"Authorization", "Bearer ann"}, header...)...)
		return status, answer, h.Get("ETag")
	}
	_, _, tag := ask("GET", "/v1/tasks/"+task, "")
	if len(tag) < 10 {
		t.Fatalf("tag %q", tag)
	}
	if status, body, _ := ask("GET", "/v1/tasks/"+task, "", "If-None-Match", tag); status != 304 || body != "" {
		t.Errorf("the same again: %d %s", status, body)
	}
	if status, _, _ := ask("GET", "/v1/tasks/"+task, "", "If-None-Match", `"other", "another"`); status != 200 {
		t.Errorf("another: %d", status)
	}
	if status, body, _ := ask("POST", "/v1/tasks/"+task+"/answers", `{"choice":"approve"}`, "If-Match", `"stale"`); status != 412 || !strings.Contains(body, "changed since") {
		t.Errorf("a stale answer: %d %s", status, body)
	}
	_, _, runTag := ask("GET", "/v1/runs/"+id, "")
	if status, body, _ := ask("POST", "/v1/tasks/"+task+"/answers", `{"choice":"approve"}`, "If-Match", tag); status != 200 {
		t.Errorf("a fresh answer: %d %s", status, body)
	}
	next(t, updates, func(u engine.Update) bool { return u.Entry != nil && u.Entry.Kind == entry.KindRunEnded })
	if status, body, _ := ask("POST", "/v1/runs/"+id+"/commands", `{"verb":"retry"}`, "If-Match", runTag); status != 412 {
		t.Errorf("a stale command: %d %s", status, body)
	}
	if _, _, now := ask("GET", "/v1/tasks/"+task, ""); now == tag {
		t.Error("the tag did not change with the task")
	}
}

func TestCursorsAreOpaque(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	p := compile(t, "  - {uses: approve, with: {message: sure}}\n")
	for range 3 {
		if _, err := e.Start(t.Context(), engine.Start{Program: p}); err != nil {
			t.Fatal(err)
		}
	}
	ask := network(t, httpapi.Config{Engine: e, Gate: &doorman{may: everybody}})
	_, body, _ := ask("GET", "/v1/runs?limit=2", "", "Authorization", "Bearer ann")
	_, cursor, ok := strings.Cut(body, `"next":"`)
	cursor, _, _ = strings.Cut(cursor, `"`)
	if !ok || strings.Contains(cursor, "run_") {
		t.Fatalf("cursor %q in %s", cursor, body)
	}
	if status, body, _ := ask("GET", "/v1/runs?limit=2&cursor="+cursor, "", "Authorization", "Bearer ann"); status != 200 || strings.Count(body, `"id":"run_`) != 1 {
		t.Errorf("the second page: %d %s", status, body)
	}
	for _, bad := range []string{"x", "c1!!", "1.run_1", "c1AAAA"} {
		if status, body, _ := ask("GET", "/v1/runs?cursor="+bad, "", "Authorization", "Bearer ann"); status != 400 || !strings.Contains(body, "cursor") {
			t.Errorf("%s: %d %s", bad, status, body)
		}
	}
}
