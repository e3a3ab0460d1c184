package http_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/actiontest"
	httpaction "github.com/tendhq/tend/internal/action/http"
	"github.com/tendhq/tend/internal/fault"
)

// TestHostileDataStaysData sends every payload as a query parameter, a segment of the path, a header, a form field and
// JSON. Host, number of headers, of parameters and of segments stay what they are.
func TestHostileDataStaysData(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	heard := make(chan *http.Request, 1000)
	bodies := make(chan string, 1000)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		heard <- r
		bodies <- string(b)
	}))
	t.Cleanup(s.Close)
	send := func(p string, more map[string]any) (action.Result, int) {
		in := map[string]any{"url": s.URL + "/fixed?a=1", "method": "POST", "query": map[string]any{"q": p, "z": "last"}}
		for k, v := range more {
			in[k] = v
		}
		r := httpaction.New().Run(t.Context(), with(in)(t), func(string, []byte) {})
		return r, len(heard)
	}
	if r, _ := send("x", map[string]any{"headers": map[string]any{"X-P": "x"}, "json": "x"}); r.Outcome != action.Succeeded {
		t.Fatal(r.Message)
	}
	usual := <-heard
	<-bodies
	payloads := actiontest.Payloads(filepath.Join(dir, "side"))
	for _, p := range payloads {
		line := strings.IndexFunc(p, func(r rune) bool { return r < 0x20 && r != '\t' || r == 0x7f }) >= 0
		header := map[string]any{"X-P": p}
		if line {
			if r, n := send(p, map[string]any{"headers": header}); r.Kind != fault.Invalid || n != 0 {
				t.Fatalf("%q as a header: %s %s, %d requests", p, r.Outcome, r.Kind, n)
			}
			header["X-P"] = "x"
		}
		climbs := p == "" || p == "." || p == ".."
		path := []any{p, "end"}
		if climbs {
			path = []any{"x", "end"}
		}
		r, n := send(p, map[string]any{"headers": header, "path": path, "json": map[string]any{"k": p}})
		if r.Outcome != action.Succeeded || n != 1 {
			t.Fatalf("%q: %s %s, %d requests", p, r.Outcome, r.Message, n)
		}
		got, body := <-heard, <-bodies
		if got.Host != usual.Host || len(got.Header) != len(usual.Header) || got.Method != "POST" {
			t.Errorf("%q: host %s, %d headers, not %d", p, got.Host, len(got.Header), len(usual.Header))
		}
		if v := got.Header.Values("X-P"); len(v) != 1 || !line && v[0] != strings.Trim(p, " \t") {
			t.Errorf("%q arrived as the header %q", p, v)
		}
		if q := got.URL.Query(); len(q) != 3 || len(q["q"]) != 1 || q["q"][0] != p || q.Get("z") != "last" {
			t.Errorf("%q arrived as the query %v", p, q)
		}
		if parts := strings.Split(got.URL.EscapedPath(), "/"); len(parts) != 4 || parts[1] != "fixed" || parts[3] != "end" || !climbs && got.URL.Path != "/fixed/"+p+"/end" {
			t.Errorf("%q arrived as the path %q", p, got.RequestURI)
		}
		var doc map[string]string
		if err := json.Unmarshal([]byte(body), &doc); err != nil || len(doc) != 1 || utf8.ValidString(p) && doc["k"] != p {
			t.Errorf("%q arrived as the JSON %s (%v)", p, body, err)
		}
		if r, _ := send("x", map[string]any{"form": map[string]any{"k": p, "l": "x"}}); r.Outcome != action.Succeeded {
			t.Fatal(r.Message)
		}
		got, body = <-heard, <-bodies
		if !strings.HasPrefix(body, "k=") || strings.Count(body, "&") != 1 || strings.Count(body, "=") != 2 || got.Host != usual.Host {
			t.Errorf("%q arrived as the form %s", p, body)
		}
	}
	if len(payloads) < 2000 {
		t.Errorf("only %d payloads", len(payloads))
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 0 {
		t.Errorf("side files: %v, %v", files, err)
	}
}
