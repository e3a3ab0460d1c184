package app_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/coreos/go-oidc/v3/oidc/oidctest"

	"github.com/tendhq/tend/internal/config"
)

// provider is go-oidc's test issuer, which signs Alice on at once and exchanges her code. What makes an answer of it good or
// bad is tested in package identity; here a browser walks through it.
type provider struct {
	*oidctest.Server
	url   string
	key   *rsa.PrivateKey
	nonce string
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/auth":
		q := r.URL.Query()
		p.nonce = q.Get("nonce")
		http.Redirect(w, r, q.Get("redirect_uri")+"?"+url.Values{"code": {"c"}, "state": {q.Get("state")}}.Encode(), http.StatusFound)
	case "/token":
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": "x", "token_type": "Bearer", "id_token": p.token("tend", p.nonce)})
	default:
		p.Server.ServeHTTP(w, r)
	}
}

func (p *provider) token(audience, nonce string) string {
	now := time.Now()
	b, _ := json.Marshal(map[string]any{
		"iss": p.url, "sub": "42", "aud": audience, "exp": now.Add(time.Hour).Unix(), "iat": now.Unix(), "nonce": nonce,
		"email": "alice@example.org", "email_verified": true, "name": "Alice", "groups": []string{"sre"},
	})
	return oidctest.SignIDToken(p.key, "key-1", oidc.RS256, string(b))
}

// TestPeopleAndServicesSignOn at a server that is configured for it: in a browser, and with a bearer token of the issuer.
func TestPeopleAndServicesSignOn(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{key: key, Server: &oidctest.Server{PublicKeys: []oidctest.PublicKey{{PublicKey: key.Public(), KeyID: "key-1", Algorithm: oidc.RS256}}}}
	issuer := httptest.NewServer(p)
	t.Cleanup(issuer.Close)
	p.SetIssuer(issuer.URL)
	p.url = issuer.URL

	secrets := t.TempDir()
	if err := os.WriteFile(filepath.Join(secrets, "oidc-client"), []byte("client-secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "server.yaml")
	if err := os.WriteFile(file, []byte(`
listen: 127.0.0.1:0
url: http://127.0.0.1:1
secrets: {dir: `+secrets+`}
signOn:
  issuers:
    - {name: corp, url: `+issuer.URL+`, clientID: tend, clientSecret: oidc-client, audiences: [tend-api], domains: [example.org]}
access:
  - {name: sre, subjects: ['group:sre'], role: operator}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.LoadServer(config.ServerFlags{Flags: config.Flags{DataDir: scratch(t), Config: file}}, env("HOME", t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	log, _ := serve(t, c, env("HOME", t.TempDir()))
	address := log.find(t, `"address":"(http://[^"]+)"`)

	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	ask := func(method, where string, header ...string) (int, string, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, where, strings.NewReader(""))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		resp, err := browser.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b), resp.Header.Get("Location")
	}

	if _, body, _ := ask("GET", address+"/auth/issuers"); !strings.Contains(body, "corp") {
		t.Errorf("issuers: %s", body)
	}
	status, body, to := ask("GET", address+"/auth/begin/corp?back=/v1/me")
	if status/100 != 3 || !strings.HasPrefix(to, issuer.URL+"/auth?") {
		t.Fatalf("begin: %d %s %s", status, body, to)
	}
	_, _, back := ask("GET", to)
	here, ok := strings.CutPrefix(back, "http://127.0.0.1:1")
	if !ok {
		t.Fatalf("the issuer sends to %s", back)
	}
	// The browser comes from another site: that is how it is.
	status, body, to = ask("GET", address+here, "Sec-Fetch-Site", "cross-site")
	if status != http.StatusSeeOther || to != "/v1/me" {
		t.Fatalf("callback: %d %s %s", status, body, to)
	}
	if status, body, _ := ask("GET", address+here); status != http.StatusUnauthorized {
		t.Errorf("the same answer again: %d %s", status, body)
	}
	if status, body, _ := ask("GET", address+here, "Accept", "text/html,*/*"); status != http.StatusUnauthorized || !strings.Contains(body, "<h1>You are not signed on</h1>") || strings.Contains(body, "urn:tend") {
		t.Errorf("to a person: %d %s", status, body)
	}
	if status, body, _ := ask("GET", address+to); status != http.StatusOK || !strings.Contains(body, `"id":"user:alice@example.org"`) || !strings.Contains(body, "sre") {
		t.Errorf("me: %d %s", status, body)
	}
	// An operator may not un-halt, and another site may do nothing in her name.
	if status, body, _ := ask("POST", address+"/v1/backup"); status != http.StatusForbidden || !strings.Contains(body, "may not manage") {
		t.Errorf("backup: %d %s", status, body)
	}
	if status, body, _ := ask("POST", address+"/v1/events", "Sec-Fetch-Site", "cross-site"); status != http.StatusForbidden || !strings.Contains(body, "other web pages") {
		t.Errorf("from elsewhere: %d %s", status, body)
	}
	if status, body, _ := ask("POST", address+"/auth/off", "Sec-Fetch-Site", "same-origin"); status != http.StatusNoContent {
		t.Errorf("off: %d %s", status, body)
	}
	if status, body, _ := ask("GET", address+"/v1/me"); status != http.StatusUnauthorized {
		t.Errorf("after that: %d %s", status, body)
	}
	if status, body, _ := ask("GET", address+"/v1/me", "Authorization", "Bearer "+p.token("tend-api", "")); status != http.StatusOK || !strings.Contains(body, "alice") {
		t.Errorf("a bearer token: %d %s", status, body)
	}
	if status, body, _ := ask("GET", address+"/v1/me", "Authorization", "Bearer "+p.token("other", "")); status != http.StatusUnauthorized {
		t.Errorf("one for somebody else: %d %s", status, body)
	}
	if strings.Contains(log.String(), "client-secret") {
		t.Error("the log shows a secret")
	}
}
