package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tendhq/tend/internal/client"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/httpapi"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/wire"
)

// bundle is a server on a socket of its own and a client of it.
type bundle struct {
	engine *engine.Engine
	client *client.Client
	socket string
	stop   func() // ends the server and waits for it
}

func setup(t *testing.T, owner int) *bundle {
	t.Helper()
	// Not t.TempDir: its name may be too long for a socket.
	dir, err := os.MkdirTemp("", "tend")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	b := &bundle{engine: newEngine(t), socket: filepath.Join(dir, "s")}
	l, err := net.Listen("unix", b.socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	h := httpapi.Handler(httpapi.Config{
		Engine: b.engine, House: house{}, Owner: owner,
		User: func(uid int) string { return fmt.Sprintf("user-%d", uid) },
	})
	go func() { done <- httpapi.Serve(ctx, l, h) }()
	stopped := false
	b.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	}
	t.Cleanup(b.stop)
	b.client = client.New(b.socket, "terminal")
	t.Cleanup(b.client.Close)
	return b
}

func (b *bundle) raw(t *testing.T, method, path, body string, header ...string) (*http.Response, string) {
	t.Helper()
	hc := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", b.socket)
	}, DisableKeepAlives: true}}
	req, err := http.NewRequestWithContext(t.Context(), method, "http://tend"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := hc.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(out)
}

func TestAnotherUserIsRefusedOnEveryRoute(t *testing.T) {
	t.Parallel()
	b := setup(t, os.Getuid()+1)
	routes := append(httpapi.Routes(httpapi.Config{}), httpapi.Route{Method: "GET", Pattern: "/no/such/route"})
	for _, r := range routes {
		path := fill(r.Pattern)
		resp, body := b.raw(t, r.Method, path, "{}")
		if resp.StatusCode != http.StatusForbidden || !strings.Contains(body, "belongs to another user") {
			t.Errorf("%s %s answers %d %s", r.Method, path, resp.StatusCode, body)
		}
	}
	if page, err := b.engine.Rows(t.Context(), store.Filter{Kind: "run"}); err != nil || len(page.Rows) != 0 {
		t.Errorf("something was started: %v, %v", page, err)
	}
}

// fill puts something in the place of the parameters of a pattern.
func fill(pattern string) string {
	return strings.NewReplacer("{run}", "run_1", "{task}", "task_1", "{kind}", "run", "{token}", "tok_1", "{name}", "n", "{issuer}", "i", "{blob}", "b", "{stream...}", "run/run_1").Replace(pattern)
}

func TestAWebPageIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, os.Getuid())
	for _, h := range []string{"Origin", "Sec-Fetch-Site"} {
		if resp, body := b.raw(t, "GET", "/v1/status", "", h, "http://evil.example"); resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %d %s", h, resp.StatusCode, body)
		}
	}
}

func TestBadRequestsAreToldAsProblems(t *testing.T) {
	t.Parallel()
	b := setup(t, os.Getuid())
	id, err := b.client.Start(t.Context(), engine.Start{Program: compile(t, "  - {uses: approve, with: {message: sure}}\n")})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"GET", "/v1/nothing", "", 404, "there is no GET /v1/nothing"},
		{"POST", "/v1/runs", "", 400, "the body is empty"},
		{"POST", "/v1/runs", "{", 400, "unexpected end of JSON input"},
		{"POST", "/v1/runs", `{"programme":{}}`, 400, "programme: unexpected property"},
		{"POST", "/v1/runs", `{} {}`, 400, "more than one JSON document"},
		{"POST", "/v1/runs", `{}`, 400, "required property program"},
		{"POST", "/v1/runs", `{"program":{"language":99}}`, 422, "compiled for version 99"},
		{"POST", "/v1/runs", `{"program":{"stepz":[]}}`, 400, "read the compiled program"},
		{"POST", "/v1/unhalt", `{"why":"` + strings.Repeat("x", 1<<20) + `"}`, 413, "larger than 1048576 bytes"},
		{"POST", "/v1/events", `{}`, 400, "required property name"},
		{"POST", "/v1/backup", `{"path":"here"}`, 400, `path \"here\" is not absolute`},
		{"GET", "/v1/runs?limit=-1", "", 400, `limit=\"-1\": expected number >= 0`},
		{"GET", "/v1/runs?limit=99999", "", 400, "expected number <= 1000"},
		{"GET", "/v1/runs?dueBy=now", "", 400, `dueBy=\"now\" is not a time`},
		{"GET", "/v1/runs/run_0", "", 404, `there is no run \"run_0\"`},
		{"GET", "/v1/runs?colour=red", "", 400, `colour=\"\": unknown query parameter`},
		{"GET", "/v1/runs?status=failed&status=waiting", "", 400, `says \"status\" more than once`},
		{"GET", "/v1/runs/run_1/blobs/b?size=1", "", 404, `there is no run \"run_1\"`},
		{"GET", "/v1/runs/" + id + "/blobs/b?size=x", "", 400, `size=\"x\": invalid integer`},
		{"GET", "/v1/runs/" + id + "/blobs/b?size=1&salt=zz", "", 400, `salt=\"zz\"`},
	} {
		resp, body := b.raw(t, c.method, c.path, c.body)
		if resp.StatusCode != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s %s %.40s: %d %s", c.method, c.path, c.body, resp.StatusCode, body)
		}
		if got := resp.Header.Get("Content-Type"); got != wire.ProblemType {
			t.Errorf("%s %s: an error of type %q", c.method, c.path, got)
		}
	}
	if resp, body := b.raw(t, "POST", "/v1/events", "x", "Content-Type", "text/plain"); resp.StatusCode != 400 || !strings.Contains(body, "send application/json") {
		t.Errorf("plain text: %d %s", resp.StatusCode, body)
	}
}

// next reads updates until one is what the test waits for.
func next(t *testing.T, updates <-chan engine.Update, want func(engine.Update) bool) engine.Update {
	t.Helper()
	for {
		select {
		case u, ok := <-updates:
			if !ok {
				t.Fatal("the story ended before")
			}
			if want(u) {
				return u
			}
		case <-time.After(20 * time.Second):
			t.Fatal("nothing came")
		}
	}
}

func waitsFor(what string) func(engine.Update) bool {
	return func(u engine.Update) bool {
		return u.Idle != nil && len(u.Idle.Waits) == 1 && u.Idle.Waits[0].For == what
	}
}

// TestTheClientIsAService takes a run from its start to its end over the socket.
func TestTheClientIsAService(t *testing.T) {
	t.Parallel()
	b := setup(t, os.Getuid())
	ctx := t.Context()
	name := fmt.Sprintf("user-%d", os.Getuid())
	me := entry.Who{ID: "os:" + name, Name: name, Via: "terminal"}
	p := compile(t, `
  - {uses: approve, with: {message: sure}}
  - {uses: wait, with: {for: deployed, key: k}}
  - {id: long, uses: speak, with: {text: 'a text that does not fit'}}
  - {id: left_out, uses: speak, with: {text: 'n is {{ $.params.n }}'}}
`)
	id, err := b.client.Start(ctx, engine.Start{Program: p, Params: map[string]any{"n": int64(1) << 60}, Source: "f.yaml", By: entry.Who{Name: "somebody else"}})
	if err != nil {
		t.Fatal(err)
	}
	updates, err := b.client.Follow(ctx, id, 1)
	if err != nil {
		t.Fatal(err)
	}
	task := next(t, updates, waitsFor("task")).Idle.Waits[0].On
	if _, err := b.client.Answer(ctx, engine.Answer{Task: task, Choice: "maybe"}); !fault.Is(err, fault.Invalid) || fault.NextOf(err) == "" {
		t.Errorf("a wrong answer: %v (%s)", err, fault.NextOf(err))
	}
	if s, err := b.client.As("inbox").Answer(ctx, engine.Answer{Task: task, Choice: "approve", Why: "yes"}); err != nil || s != "approved" {
		t.Errorf("answer: %q, %v", s, err)
	}
	next(t, updates, waitsFor("event"))
	if _, err := b.client.Do(ctx, engine.Command{Verb: engine.Skip, Run: id, Path: "left_out", Why: "w"}); err != nil {
		t.Errorf("skip: %v", err)
	}
	if runs, err := b.client.Send(ctx, "deployed", "k", map[string]any{"x": int64(1)}, entry.Who{}); err != nil || len(runs) != 1 || runs[0] != id {
		t.Errorf("send: %v, %v", runs, err)
	}
	next(t, updates, func(u engine.Update) bool { return u.Entry != nil && u.Entry.Kind == entry.KindRunEnded })

	if got, err := b.client.Program(ctx, id); err != nil || cmp.Diff(p.Steps, got.Steps, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(expr.Expr{}, "Line", "Column")) != "" {
		t.Errorf("program: %+v, %v", got, err)
	}
	list, err := b.client.Entries(ctx, "run/"+id, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	var prev *entry.Entry
	var ref *entry.Ref
	for i := range list {
		if err := list[i].Verify(prev); err != nil {
			t.Error(err)
		}
		prev = &list[i]
		x, err := entry.Decode(list[i])
		if err != nil {
			t.Fatal(err)
		}
		switch x := x.(type) {
		case *entry.RunCreated:
			if x.By != me || x.Params["n"] != int64(1)<<60 || x.Source != "f.yaml" {
				t.Errorf("created as %+v", x)
			}
		case *entry.TaskDecided:
			if len(x.By) != 1 || x.By[0].Name != me.Name || x.By[0].Via != "inbox" || x.Why != "yes" {
				t.Errorf("decided as %+v", x)
			}
		case *entry.SkipRequested:
			if x.By != me || x.Why != "w" {
				t.Errorf("skipped as %+v", x)
			}
		case *entry.StepResult:
			if x.Ref != nil {
				ref = x.Ref
			}
		case *entry.RunEnded:
			if x.Status != "succeeded" {
				t.Errorf("ended as %+v", x)
			}
		}
	}
	if ref == nil {
		t.Fatal("no output in a blob")
	}
	if got, err := b.client.Blob(ctx, id, *ref); err != nil || string(got) != `{"value":"a text that does not fit"}` {
		t.Errorf("blob: %q, %v", got, err)
	}
	if _, err := b.client.Blob(ctx, id, entry.Ref{ID: "nope", Size: 1}); err == nil {
		t.Error("a blob that nobody put")
	}
	if _, err := b.client.Do(ctx, engine.Command{Verb: engine.Cancel, Run: id}); !fault.Is(err, fault.Conflict) || fault.NextOf(err) == "" {
		t.Errorf("cancel an ended run: %v (%s)", err, fault.NextOf(err))
	}
}

func TestListsAreFilteredAndPaged(t *testing.T) {
	t.Parallel()
	b := setup(t, os.Getuid())
	p := compile(t, "  - {uses: approve, with: {message: sure}}\n")
	var ids []string
	for range 5 {
		id, err := b.client.Start(t.Context(), engine.Start{Program: p})
		if err != nil {
			t.Fatal(err)
		}
		updates, err := b.client.Follow(t.Context(), id, 1)
		if err != nil {
			t.Fatal(err)
		}
		next(t, updates, waitsFor("task"))
		ids = append(ids, id)
	}
	var got []string
	f := store.Filter{Kind: "run", Status: []string{"failed", "waiting"}, Name: "spoken", Prefix: "run_", Limit: 2, Oldest: true}
	for {
		page, err := b.client.Rows(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Rows {
			got = append(got, r.ID)
			var body engine.RunRow
			if err := json.Unmarshal(r.Body, &body); err != nil || body.Waits[0].For != "task" {
				t.Errorf("body %s, %v", r.Body, err)
			}
		}
		if f.Cursor = page.Next; f.Cursor == "" {
			break
		}
	}
	if d := cmp.Diff(ids, got); d != "" {
		t.Errorf("(-started +listed)\n%s", d)
	}
	for _, f := range []store.Filter{{Kind: "run", Status: []string{"failed"}}, {Kind: "run", Name: "other&name"}, {Kind: "task", Parent: "run_0"}, {Kind: "run", DueBy: time.Unix(5, 0)}, {Kind: "nothing"}} {
		if page, err := b.client.Rows(t.Context(), f); err != nil || len(page.Rows) != 0 {
			t.Errorf("%+v: %v, %v", f, page.Rows, err)
		}
	}
	if page, err := b.client.Rows(t.Context(), store.Filter{Kind: "task", Parent: ids[0]}); err != nil || len(page.Rows) != 1 || page.Rows[0].Status != "open" {
		t.Errorf("tasks of one run: %v, %v", page, err)
	}
}

func TestTheHouseIsAsked(t *testing.T) {
	t.Parallel()
	b := setup(t, os.Getuid())
	ctx := t.Context()
	if s, err := b.client.Status(ctx); err != nil || s.Instance == "" || s.Halted != "" {
		t.Errorf("status: %+v, %v", s, err)
	}
	if d, err := b.client.Unhalt(ctx, entry.Who{}, "because"); !fault.Is(err, fault.Conflict) {
		t.Errorf("unhalt what is not halted: %v, %v", d, err)
	}
	if bk, err := b.client.Backup(ctx, "/x"); err != nil || bk.Path != "/x" {
		t.Errorf("backup: %+v, %v", bk, err)
	}
	if m, err := b.client.MissingSecrets(ctx, []string{"token"}); err != nil || len(m) != 1 || !fault.Is(m[0].Err(), fault.Missing) {
		t.Errorf("missing secrets: %+v, %v", m, err)
	}
	if v, err := b.client.Verify(ctx); err != nil || v.Streams != 4 || len(v.Damaged) != 1 || !fault.Is(v.Damaged[0].Err(), fault.Damaged) {
		t.Errorf("verify: %+v, %v", v, err)
	}
}

func TestFollowBringsEverythingThatTheEngineSends(t *testing.T) {
	t.Parallel()
	b := setup(t, os.Getuid())
	id, err := b.client.Start(t.Context(), engine.Start{Program: compile(t, "  - {uses: speak, with: {text: hi}}\n")})
	if err != nil {
		t.Fatal(err)
	}
	updates, err := b.client.Follow(t.Context(), id, 2)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for u := range updates {
		switch {
		case u.Entry != nil:
			got = append(got, string(u.Entry.Kind))
		case u.Log != nil:
			got = append(got, fmt.Sprintf("log %s %q", u.Log.Path, u.Log.Text))
		case u.Idle == nil:
			got = append(got, fmt.Sprintf("dropped %d", u.Dropped))
		}
	}
	want := []string{"run-started", "step-intent", "dropped 4", `log steps[0] "a\nb: data: c\n"`, "step-result", "run-ended"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	_, body := b.raw(t, "GET", "/v1/runs/"+id+"/follow", "", "Last-Event-ID", "2")
	if strings.Contains(body, "id: 2\n") || !strings.Contains(body, "id: 3\n") || !strings.Contains(body, "event: end\n") {
		t.Errorf("after entry 2 came\n%s", body)
	}
	if resp, _ := b.raw(t, "GET", "/v1/runs/"+id+"/follow", "", "Last-Event-ID", "x"); resp.StatusCode != 400 {
		t.Errorf("a bad Last-Event-ID: %d", resp.StatusCode)
	}
	if resp, _ := b.raw(t, "GET", "/v1/runs/run_nope/follow", ""); resp.StatusCode != 404 {
		t.Errorf("an unknown run: %d", resp.StatusCode)
	}
}

func TestFollowEndsWithTheServer(t *testing.T) {
	t.Parallel()
	b := setup(t, os.Getuid())
	id, err := b.client.Start(t.Context(), engine.Start{Program: compile(t, "  - {uses: speak, with: {wait: true}}\n")})
	if err != nil {
		t.Fatal(err)
	}
	updates, err := b.client.Follow(t.Context(), id, 1)
	if err != nil {
		t.Fatal(err)
	}
	next(t, updates, func(u engine.Update) bool { return u.Entry != nil && u.Entry.Kind == entry.KindStepIntent })
	b.stop()
	for u := range updates {
		if u.Entry != nil && u.Entry.Kind == entry.KindRunEnded {
			t.Error("the run seems to have ended")
		}
	}
	if _, err := b.client.Status(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a server that is gone: %v", err)
	}
}

func TestACallThatIsCancelledSaysSo(t *testing.T) {
	t.Parallel()
	b := setup(t, os.Getuid())
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	cancel(why)
	if _, err := b.client.Status(ctx); !errors.Is(err, why) {
		t.Errorf("got %v", err)
	}
}
