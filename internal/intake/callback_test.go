package intake_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/intake"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/seal"
	"github.com/tendhq/tend/internal/value"
)

// caller is a run that is sent events, or refuses them.
type caller struct {
	err   error
	calls []string
}

func (c *caller) CallBack(_ context.Context, root, id, event string, payload map[string]any, by entry.Who) error {
	text, err := value.Canonical(payload)
	if err != nil {
		return err
	}
	c.calls = append(c.calls, strings.Join([]string{root, id, event, string(text), by.From, by.Name}, " "))
	return c.err
}

func callbacks(t *testing.T, to *caller) (*intake.Callbacks, http.Handler, *bytes.Buffer) {
	t.Helper()
	key, err := seal.New(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	c := &intake.Callbacks{URL: "https://tend.example.org/", Key: key, Engine: to, Log: slog.New(slog.NewTextHandler(&log, nil))}
	mux := http.NewServeMux()
	mux.Handle("POST "+intake.CallbackPattern, http.MaxBytesHandler(c, 4096))
	mux.Handle("GET "+intake.CallbackPattern, c)
	return c, mux, &log
}

func TestCallback(t *testing.T) {
	t.Parallel()
	to := new(caller)
	c, mux, log := callbacks(t, to)
	v, err := c.Address("run_1", "run_2", "an-answer:1")
	if err != nil {
		t.Fatal(err)
	}
	at, ok := strings.CutPrefix(v.Reveal(), "https://tend.example.org")
	if !ok || !strings.HasPrefix(at, "/callbacks/run_1/run_2/an-answer:1/") {
		t.Fatal(v.Reveal())
	}
	post := func(method, at, media, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, at, strings.NewReader(body))
		r.Header.Set("Content-Type", media)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		return w
	}
	for _, x := range []struct {
		name, method, media, body string
		err                       error
		status                    int
		call, retry               string
	}{
		{name: "JSON", media: "application/json", body: `{"a":1}`, status: 200, call: `{"a":1}`},
		{name: "JSON that is no object", media: "application/json", body: `[1]`, status: 200, call: `{"items":[1]}`},
		{name: "a form", media: "application/x-www-form-urlencoded", body: "a=1&b=2&b=3", status: 200, call: `{"a":"1","b":["2","3"]}`},
		{name: "text", media: "text/plain; charset=utf-8", body: "done\xff", status: 200, call: `{"text":"done` + "\uFFFD" + `"}`},
		{name: "nothing", status: 200, call: `{}`},
		{name: "not JSON", media: "application/json", body: `{`, status: 400},
		{name: "a picture", media: "image/png", body: `x`, status: 400},
		{name: "deep", media: "application/json", body: strings.Repeat("[", 2000), status: 400},
		{name: "large", media: "text/plain", body: strings.Repeat("x", 5000), status: 413},
		{name: "looked at", method: http.MethodGet, status: 405},
		{name: "looked at from afar", method: http.MethodHead, status: 405},
		{name: "used", err: run.ErrCalled, status: 410, call: `{}`},
		{name: "over", err: run.ErrOver, status: 410, call: `{}`},
		{name: "early", err: run.ErrEarly, status: 409, call: `{}`, retry: "5"},
		{name: "busy", err: fault.New(fault.Conflict, "it moves"), status: 409, call: `{}`, retry: "5"},
		{name: "a full disk", err: fault.New(fault.Unavailable, "the disk is full"), status: 503, call: `{}`, retry: "10"},
		{name: "a run that is gone", err: fault.New(fault.NotFound, "there is no run run_2"), status: 404, call: `{}`},
	} {
		to.calls, to.err = nil, x.err
		if x.method == "" {
			x.method = http.MethodPost
		}
		w := post(x.method, at, x.media, x.body)
		want := ""
		if x.call != "" {
			want = "run_1 run_2 an-answer:1 " + x.call + " 192.0.2.1 callback"
		}
		if got := strings.Join(to.calls, ", "); w.Code != x.status || got != want || w.Header().Get("Retry-After") != x.retry {
			t.Errorf("%s: %d %s %q, called %q, want %q", x.name, w.Code, w.Body, w.Header().Get("Retry-After"), got, want)
		}
	}
	if token := at[strings.LastIndexByte(at, '/')+1:]; strings.Contains(log.String(), token) {
		t.Error("a token is told")
	}
}

// TestCallbacksAreNotGuessed: an address that was made up reaches nothing, and tells nothing of what there is.
func TestCallbacksAreNotGuessed(t *testing.T) {
	t.Parallel()
	to := new(caller)
	c, mux, _ := callbacks(t, to)
	other, _, _ := callbacks(t, to)
	reveal := func(c *intake.Callbacks, root, id, event string) string {
		v, err := c.Address(root, id, event)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimPrefix(v.Reveal(), "https://tend.example.org")
	}
	good := reveal(c, "run_1", "run_2", "done")
	token := good[strings.LastIndexByte(good, '/'):]
	told := map[string]bool{}
	for _, at := range []string{
		"/callbacks/run_1/run_2/other" + token, "/callbacks/run_1/run_1/done" + token, "/callbacks/run_2/run_2/done" + token,
		"/callbacks/run_1/run_2/done/x", good + "A", good[:len(good)-1], good[:len(good)-1] + "%0a", reveal(other, "run_1", "run_2", "done"),
		"/callbacks/run_1/run_2%2Fdone/done" + token, "/callbacks/run_1/run_2/do%00ne" + token, "/callbacks/nobody/nothing/never" + token,
	} {
		r := httptest.NewRequest(http.MethodPost, at, strings.NewReader(`{"a":`))
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		if w.Code != 404 {
			t.Errorf("%s: %d %s", at, w.Code, w.Body)
		}
		told[w.Body.String()] = true
	}
	if len(told) != 1 || len(to.calls) > 0 {
		t.Errorf("told %v, called %q", told, to.calls)
	}
}

func TestCallbackNames(t *testing.T) {
	t.Parallel()
	c, _, _ := callbacks(t, new(caller))
	for _, event := range []string{"", ".", "..", "a/b", "a b", "é", "a?b", "a%2f", "-a", "_a", "a\n", strings.Repeat("a", 101)} {
		if v, err := c.Address("run_1", "run_1", event); !fault.Is(err, fault.Invalid) || v.Reveal() != "" {
			t.Errorf("%q: %v, %v", event, v.Reveal(), err)
		}
	}
	c.URL = ""
	if _, err := c.Address("run_1", "run_1", "done"); !fault.Is(err, fault.Missing) {
		t.Errorf("a server that nobody finds: %v", err)
	}
}
