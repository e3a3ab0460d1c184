package httpapi_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/graph"
	"github.com/tendhq/tend/internal/httpapi"
	"github.com/tendhq/tend/internal/wire"
)

func decode[T any](t *testing.T, body string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatalf("%v: %.300s", err, body)
	}
	return v
}

// TestLookingAtARun: at a glance, one step, the graph, its log, and all of it as one file.
func TestLookingAtARun(t *testing.T) {
	t.Parallel()
	b := setup(t, os.Getuid())
	id, err := b.client.Start(t.Context(), engine.Start{Program: compile(t, "  - {id: say, uses: speak}\n  - {uses: approve, with: {message: hunter2-4711}}\n"), By: entry.Who{Name: "ann"}})
	if err != nil {
		t.Fatal(err)
	}
	updates, err := b.client.Follow(t.Context(), id, 1)
	if err != nil {
		t.Fatal(err)
	}
	next(t, updates, waitsFor("task"))
	at := "/v1/runs/" + id
	get := func(path string) string {
		resp, body := b.raw(t, "GET", path, "")
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %s", path, resp.StatusCode, body)
		}
		return body
	}
	g := decode[wire.Glance](t, get(at+"/glance"))
	if g.Head.Status != "waiting" || !strings.Contains(g.Head.Explain, "waits for a person") || len(g.Steps) != 2 || g.Steps[1].Task == "" || g.Head.Seq == 0 {
		t.Errorf("%+v", g)
	}
	d := decode[wire.StepDetail](t, get(at+"/step?path="+url.QueryEscape("steps[0]")))
	if d.Step.Status != "succeeded" || len(d.Step.Attempts) != 1 {
		t.Errorf("%+v", d)
	}
	l := decode[graph.Layout](t, get(at+"/graph"))
	places := map[string]bool{}
	for _, box := range l.Boxes {
		places[box.Path] = box.Status == ""
	}
	for _, s := range g.Steps {
		if !places[s.Place] {
			t.Errorf("the graph has no box for %s: %v", s.Place, places)
		}
	}
	if body := get(at + "/log?path=" + url.QueryEscape("steps[1]")); body != "" {
		t.Errorf("what printed nothing has a log: %s", body)
	}
	resp, body := b.raw(t, "GET", at+"/report", "")
	if !strings.Contains(body, "<!DOCTYPE html>") || !strings.HasPrefix(resp.Header.Get("Content-Disposition"), "attachment") || !strings.Contains(resp.Header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("%v %.200s", resp.Header, body)
	}
	for _, bad := range []string{at + "/step?path=steps[9]", at + "/step", "/v1/runs/run_nope/glance", "/v1/runs/run_nope/live", at + "/log?path=nope"} {
		if resp, body := b.raw(t, "GET", bad, ""); resp.StatusCode != 404 && resp.StatusCode != 400 {
			t.Errorf("%s: %d %s", bad, resp.StatusCode, body)
		}
	}
	// What was read is not kept beyond what was erased.
	if resp, body := b.raw(t, "POST", at+"/commands", `{"verb":"redact","text":"hunter2-4711","why":"it leaked"}`); resp.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", resp.StatusCode, body)
	}
	if body := get(at + "/glance"); strings.Contains(body, "hunter2-4711") {
		t.Errorf("what was erased is shown: %s", body)
	}
	if body := get(at + "/step?path=" + url.QueryEscape("steps[1]")); strings.Contains(body, "hunter2-4711") {
		t.Errorf("what was erased is shown: %s", body)
	}
}

// TestSearch finds by every word, and tells nobody of what they may not look at.
func TestSearch(t *testing.T) {
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
	next(t, updates, waitsFor("task"))
	ask := network(t, httpapi.Config{Engine: e, Gate: &doorman{may: func(p access.Principal, n access.Need) bool {
		return p.Name == "ann" || n.Project == ""
	}}})
	find := func(who, q string) []wire.Hit {
		status, body, _ := ask("GET", "/v1/search?q="+url.QueryEscape(q), "", "Authorization", "Bearer "+who)
		if status != 200 {
			t.Fatalf("%d %s", status, body)
		}
		return decode[wire.Found](t, body).Hits
	}
	for q, want := range map[string]int{"spoken": 1, "SPOKEN waiting": 1, "spoken succeeded": 0, id: 1, id[:12]: 1, "nothing-is-called-so": 0} {
		n := 0
		for _, h := range find("ann", q) {
			if h.ID == id {
				n++
			}
		}
		if n != want {
			t.Errorf("%q finds it %d times, want %d", q, n, want)
		}
	}
	if hits := find("bob", "spoken"); len(hits) != 0 {
		t.Errorf("bob is told of %+v", hits)
	}
}

// stream reads events of a live stream.
type stream struct {
	*bufio.Scanner
}

func (s stream) next(t *testing.T, name string) string {
	t.Helper()
	for s.Scan() {
		if s.Text() == "event: "+name && s.Scan() {
			return strings.TrimPrefix(s.Text(), "data: ")
		}
	}
	t.Fatalf("the stream ended before %s", name)
	return ""
}

// TestALiveRun: all of it first, then what changes, until it has ended; and whoever may not listen any more hears that.
func TestALiveRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		id, err := e.Start(t.Context(), engine.Start{Program: compile(t, "  - {uses: wait, with: {duration: 1m}}\n  - {uses: speak}\n")})
		if err != nil {
			t.Fatal(err)
		}
		var may atomic.Bool
		may.Store(true)
		l := &pipes{conns: make(chan net.Conn), ended: make(chan struct{})}
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() {
			served <- httpapi.Serve(ctx, l, httpapi.Handler(httpapi.Config{Engine: e, Gate: &doorman{may: func(access.Principal, access.Need) bool { return may.Load() }}}))
		}()
		here, there := net.Pipe()
		l.conns <- there
		if _, err := io.WriteString(here, "GET /v1/runs/"+id+"/live HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ann\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(here)
		lines.Buffer(nil, 1<<20)
		s := stream{lines}
		if h := decode[wire.Hello](t, s.next(t, wire.EventHello)); h.Instance == "" || h.Now.IsZero() {
			t.Errorf("%+v", h)
		}
		g := decode[wire.Glance](t, s.next(t, wire.EventGlance))
		if len(g.Steps) != 2 {
			t.Errorf("%+v", g)
		}
		began := time.Now()
		s.next(t, wire.EventDelta)
		s.next(t, wire.EventEnd)
		if took := time.Since(began); took < 50*time.Second || took > 70*time.Second {
			t.Errorf("it ended after %s", took)
		}
		// It goes on for what else changes, as long as the reader may.
		if _, err := e.Start(t.Context(), engine.Start{Program: compile(t, "  - {uses: speak}\n")}); err != nil {
			t.Fatal(err)
		}
		s.next(t, wire.EventChanged)
		may.Store(false)
		s.next(t, wire.EventGone)
		_ = here.Close()
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}
