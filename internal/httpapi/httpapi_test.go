package httpapi_test

import (
	"context"
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

	"github.com/tendhq/tend/internal/client"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/httpapi"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/wire"
)

// bundle is a server on a socket of its own and a client of it.
type bundle struct {
	engine *scripted
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
	b := &bundle{engine: newScripted(t), socket: filepath.Join(dir, "s")}
	l, err := net.Listen("unix", b.socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	h := httpapi.Handler(httpapi.Config{
		Engine: b.engine, House: b.engine, Owner: owner,
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
	routes := append(httpapi.Routes(), [2]string{"GET", "/no/such/route"})
	for _, r := range routes {
		path := strings.NewReplacer("{run}", "run_1", "{kind}", "run", "{blob}", "b", "{stream...}", "run/run_1").Replace(r[1])
		resp, body := b.raw(t, r[0], path, "{}")
		if resp.StatusCode != http.StatusForbidden || !strings.Contains(body, "belongs to another user") {
			t.Errorf("%s %s answers %d %s", r[0], path, resp.StatusCode, body)
		}
	}
	if len(b.engine.calls()) != 0 {
		t.Errorf("the engine was asked: %v", b.engine.calls())
	}
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
	for _, c := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"GET", "/v1/nothing", "", 404, "there is no GET /v1/nothing"},
		{"POST", "/v1/runs", "", 400, "the body is empty"},
		{"POST", "/v1/runs", "{", 400, "read the body"},
		{"POST", "/v1/runs", `{"programme":{}}`, 400, `unknown field \"programme\"`},
		{"POST", "/v1/runs", `{} {}`, 400, "more than one JSON document"},
		{"POST", "/v1/runs", `{}`, 400, "there is no program"},
		{"POST", "/v1/runs", `{"program":{"language":99}}`, 422, "compiled for version 99"},
		{"POST", "/v1/runs", `{"program":{"stepz":[]}}`, 400, "read the compiled program"},
		{"POST", "/v1/runs/run_1/commands", `{"why":"` + strings.Repeat("x", 1<<20) + `"}`, 413, "larger than 1048576 bytes"},
		{"POST", "/v1/events", `{}`, 400, "has no name"},
		{"POST", "/v1/backup", `{"path":"here"}`, 400, `path \"here\" is not absolute`},
		{"GET", "/v1/runs?limit=-1", "", 400, `limit=\"-1\" is not a number`},
		{"GET", "/v1/runs?limit=99999", "", 400, "between 0 and 1000"},
		{"GET", "/v1/runs?dueBy=now", "", 400, `dueBy=\"now\" is not a time`},
		{"GET", "/v1/runs/run_0", "", 404, `there is no run \"run_0\"`},
		{"GET", "/v1/runs/run_1/blobs/b?size=x", "", 400, "is not the size"},
		{"GET", "/v1/runs/run_1/blobs/b?size=1&salt=zz", "", 400, "read salt"},
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

func TestTheClientIsAService(t *testing.T) {
	t.Parallel()
	b := setup(t, os.Getuid())
	ctx := t.Context()
	me := entry.Who{Name: fmt.Sprintf("user-%d", os.Getuid()), Via: "terminal"}

	run, err := b.client.Start(ctx, engine.Start{
		Program: &playbook.Program{Language: 1, Metadata: playbook.Metadata{Name: "n"}},
		Params:  map[string]any{"n": int64(7)}, Source: "f.yaml", By: entry.Who{Name: "somebody else"},
	})
	if err != nil || run != "run_1" {
		t.Fatalf("start: %q, %v", run, err)
	}
	got := b.engine.started
	if got.By != me || got.Params["n"] != int64(7) || got.Program.Metadata.Name != "n" || got.Source != "f.yaml" {
		t.Errorf("the engine was asked to start %+v", got)
	}

	done, err := b.client.Do(ctx, engine.Command{Verb: engine.Skip, Run: "run_1", Path: `steps[0].foreach["a/b"]`, Why: "w"})
	if err != nil || done.Note != `skip run_1 steps[0].foreach["a/b"] w `+me.Name {
		t.Errorf("do: %+v, %v", done, err)
	}
	_, err = b.client.Do(ctx, engine.Command{Verb: engine.Cancel, Run: "run_ended"})
	if !fault.Is(err, fault.Conflict) || fault.NextOf(err) != "start it again" {
		t.Errorf("a refused command: %v (%s)", err, fault.NextOf(err))
	}

	if s, err := b.client.As("inbox").Answer(ctx, engine.Answer{Task: "task_1", Choice: "approve"}); err != nil || s != "approve by "+me.Name+" via inbox" {
		t.Errorf("answer: %q, %v", s, err)
	}
	if runs, err := b.client.Send(ctx, "deployed", "k", map[string]any{"x": int64(1)}, entry.Who{}); err != nil || len(runs) != 1 || runs[0] != "deployed k 1" {
		t.Errorf("send: %v, %v", runs, err)
	}
	list, err := b.client.Entries(ctx, "run/run_1", 0, 0)
	if err != nil || len(list) != 3 {
		t.Fatalf("entries: %v, %v", list, err)
	}
	var prev *entry.Entry
	for i := range list {
		if err := list[i].Verify(prev); err != nil {
			t.Error(err)
		}
		prev = &list[i]
	}
	f := store.Filter{Kind: "run", Status: []string{"failed", "waiting"}, Name: "n&m", Limit: 7, Cursor: "c", DueBy: time.Unix(5, 0).UTC(), Oldest: true, Prefix: "run_"}
	page, err := b.client.Rows(ctx, f)
	if err != nil || page.Next != "more" || len(page.Rows) != 1 || string(page.Rows[0].Body) != `{"status":"waiting"}` {
		t.Errorf("rows: %+v, %v", page, err)
	}
	if d := cmp.Diff(f, b.engine.asked); d != "" {
		t.Errorf("filter (-sent +got)\n%s", d)
	}
	if p, err := b.client.Program(ctx, "run_1"); err != nil || p.Metadata.Name != "n" {
		t.Errorf("program: %+v, %v", p, err)
	}
	ref := entry.Ref{ID: "b/1", Size: 5, Salt: entry.Salt{1}, Sum: entry.Hash{2}}
	if got, err := b.client.Blob(ctx, "run_1", ref); err != nil || string(got) != fmt.Sprint("blob ", ref) {
		t.Errorf("blob: %q, %v", got, err)
	}
	if s, err := b.client.Status(ctx); err != nil || s.Instance != "i" || s.Driven != 3 {
		t.Errorf("status: %+v, %v", s, err)
	}
	if d, err := b.client.Unhalt(ctx, entry.Who{}, "because"); err != nil || len(d) != 1 || d[0] != "because" {
		t.Errorf("unhalt: %v, %v", d, err)
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
	updates, err := b.client.Follow(t.Context(), "run_1", 2)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for u := range updates {
		switch {
		case u.Entry != nil:
			got = append(got, fmt.Sprintf("entry %d", u.Entry.Seq))
		case u.Log != nil:
			got = append(got, fmt.Sprintf("log %s %q", u.Log.Path, u.Log.Text))
		case u.Idle != nil:
			got = append(got, "idle "+u.Idle.Waits[0].For)
		default:
			got = append(got, fmt.Sprintf("dropped %d", u.Dropped))
		}
	}
	want := []string{"entry 2", `log steps[0] "a\nb: data: c\n"`, "idle task", "dropped 4", "entry 3"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestFollowResumesAfterTheLastEvent(t *testing.T) {
	t.Parallel()
	b := setup(t, os.Getuid())
	_, body := b.raw(t, "GET", "/v1/runs/run_1/follow", "", "Last-Event-ID", "2")
	if strings.Contains(body, "id: 2\n") || !strings.Contains(body, "id: 3\n") || !strings.Contains(body, "event: end\n") {
		t.Errorf("after entry 2 came\n%s", body)
	}
	if resp, _ := b.raw(t, "GET", "/v1/runs/run_1/follow", "", "Last-Event-ID", "x"); resp.StatusCode != 400 {
		t.Errorf("a bad Last-Event-ID: %d", resp.StatusCode)
	}
}

func TestFollowEndsWithTheServer(t *testing.T) {
	t.Parallel()
	b := setup(t, os.Getuid())
	updates, err := b.client.Follow(t.Context(), "run_endless", 1)
	if err != nil {
		t.Fatal(err)
	}
	if u := <-updates; u.Entry == nil {
		t.Fatalf("first came %+v", u)
	}
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
