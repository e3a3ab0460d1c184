package web_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/web"
)

func ask(t *testing.T, path string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	web.Handler("/v1/", "/auth/").ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestEveryAddressIsThePage(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/", "/runs", "/runs/run_1?step=x", "/playbooks/a%2Fb", "/incidents/inc_1/"} {
		resp := ask(t, path)
		if resp.StatusCode != 200 || !strings.Contains(body(t, resp.Body), `<div id="root">`) {
			t.Errorf("%s answers %d", path, resp.StatusCode)
		}
		if resp.Header.Get("Cache-Control") != "no-cache" || resp.Header.Get("ETag") == "" {
			t.Errorf("%s: %v", path, resp.Header)
		}
	}
}

func TestWhatIsNotThePage(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/v1", "/v1/nothing", "/auth/nothing", "/assets/gone-12345678.js", "/assets/"} {
		if resp := ask(t, path); resp.StatusCode != 404 || !strings.Contains(body(t, resp.Body), `"kind":"not-found"`) {
			t.Errorf("%s answers %d", path, resp.StatusCode)
		}
	}
}

// TestThePageAsksNobodyElse: its own files, and this server.
func TestThePageAsksNobodyElse(t *testing.T) {
	t.Parallel()
	resp := ask(t, "/")
	page := body(t, resp.Body)
	policy := resp.Header.Get("Content-Security-Policy")
	for _, bad := range []string{"unsafe", "http:", "https:", "*", "data:"} {
		if strings.Contains(policy, bad) {
			t.Errorf("the policy allows %s: %s", bad, policy)
		}
	}
	if regexp.MustCompile(`<script[^>]*>[^<]|<style|style=|\son\w+=|https?://`).MatchString(page) {
		t.Errorf("something stands in the page that the policy refuses:\n%s", page)
	}
	found := regexp.MustCompile(`(?:src|href)="(/[^"]+)"`).FindAllStringSubmatch(page, -1)
	if len(found) < 3 {
		t.Fatalf("the page names %d files", len(found))
	}
	for _, m := range found {
		resp := ask(t, m[1])
		if resp.StatusCode != 200 {
			t.Errorf("%s answers %d", m[1], resp.StatusCode)
		}
		if strings.HasSuffix(m[1], ".woff2") && resp.Header.Get("Content-Type") != "font/woff2" {
			t.Errorf("%s is sent as %s", m[1], resp.Header.Get("Content-Type"))
		}
		if kept := strings.Contains(resp.Header.Get("Cache-Control"), "immutable"); kept != strings.HasPrefix(m[1], "/assets/") {
			t.Errorf("%s: %s", m[1], resp.Header.Get("Cache-Control"))
		}
	}
}

func TestNothingIsSentTwice(t *testing.T) {
	t.Parallel()
	tag := ask(t, "/").Header.Get("ETag")
	if resp := ask(t, "/runs", "If-None-Match", `"other", `+tag); resp.StatusCode != 304 || body(t, resp.Body) != "" {
		t.Errorf("it answers %d", resp.StatusCode)
	}
	plain := body(t, ask(t, "/").Body)
	resp := ask(t, "/", "Accept-Encoding", "gzip")
	z, err := gzip.NewReader(resp.Body)
	if err != nil || resp.Header.Get("Content-Encoding") != "gzip" || resp.Header.Get("Vary") == "" {
		t.Fatalf("%v %v", err, resp.Header)
	}
	if body(t, z) != plain {
		t.Error("packed it is another")
	}
}
