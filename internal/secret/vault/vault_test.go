package vault_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/secret/secrettest"
	"github.com/tendhq/tend/internal/secret/vault"
)

// stand is a stand-in for Vault, by its API documentation: KV version 2 (read and create), AppRole, JWT and Kubernetes
// logins, renew-self, namespaces, and what it answers when it is sealed. There is no Vault to be had for the tests.
type stand struct {
	mu      sync.Mutex
	data    map[string]map[string]any // mount/path
	version map[string]int
	tokens  map[string]time.Time // until
	now     time.Time
	lasts   time.Duration
	issued  int
	renewed int
	sealed  bool
	asked   []string
}

const root = "hvs.root-of-the-tests"

func (s *stand) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r.Method+" "+r.URL.Path)
	answer := func(status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	refuse := func(status int, why string) { answer(status, map[string]any{"errors": []string{why}}) }
	if s.sealed {
		refuse(503, "Vault is sealed")
		return
	}
	var body map[string]any
	_ = json.NewDecoder(r.Body).Decode(&body)
	path := strings.TrimPrefix(r.URL.Path, "/v1/")
	issue := func() {
		s.issued++
		t := fmt.Sprintf("hvs.token-%d", s.issued)
		s.tokens[t] = s.now.Add(s.lasts)
		answer(200, map[string]any{"auth": map[string]any{"client_token": t, "lease_duration": int(s.lasts.Seconds()), "renewable": true}})
	}
	switch path {
	case "auth/approle/login":
		if body["role_id"] != "tend" || body["secret_id"] != "the secret id" {
			refuse(400, "invalid role or secret ID")
			return
		}
		issue()
		return
	case "auth/kubernetes/login", "auth/ci/login":
		if body["role"] != "tend" || body["jwt"] != "a.b.c" {
			refuse(403, "permission denied")
			return
		}
		issue()
		return
	}
	token := r.Header.Get("X-Vault-Token")
	if until, ok := s.tokens[token]; token != root && (!ok || !s.now.Before(until)) {
		refuse(403, "permission denied")
		return
	}
	if path == "auth/token/renew-self" {
		s.renewed++
		s.tokens[token] = s.now.Add(s.lasts)
		answer(200, map[string]any{"auth": map[string]any{"client_token": token, "lease_duration": int(s.lasts.Seconds()), "renewable": true}})
		return
	}
	mount, rest, ok := strings.Cut(path, "/data/")
	if !ok || r.Header.Get("X-Vault-Namespace") == "elsewhere" {
		refuse(404, "no handler for route")
		return
	}
	at := mount + "/" + rest
	if r.Method == http.MethodPost {
		if o, _ := body["options"].(map[string]any); o["cas"] == float64(0) && s.version[at] > 0 {
			refuse(400, "check-and-set parameter did not match the current version")
			return
		}
		s.data[at], _ = body["data"].(map[string]any)
		s.version[at]++
		answer(200, map[string]any{"data": map[string]any{"version": s.version[at]}})
		return
	}
	d, ok := s.data[at]
	if !ok {
		answer(404, map[string]any{"errors": []string{}})
		return
	}
	answer(200, map[string]any{"data": map[string]any{"data": d, "metadata": map[string]any{"version": max(s.version[at], 1)}}})
}

func serve(t *testing.T) (*stand, *httptest.Server) {
	t.Helper()
	s := &stand{data: map[string]map[string]any{}, version: map[string]int{}, tokens: map[string]time.Time{}, now: time.Unix(1.75e9, 0), lasts: time.Hour}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return s, srv
}

func credential(text string) func() (secret.Value, error) {
	return func() (secret.Value, error) { return secret.New(text), nil }
}

func open(t *testing.T, c vault.Config) *vault.Provider {
	t.Helper()
	p, err := vault.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestProvider(t *testing.T) {
	t.Parallel()
	secrettest.Run(t, secrettest.Harness{
		With: func(t *testing.T, secrets map[string]string) secret.Provider {
			s, srv := serve(t)
			for name, text := range secrets {
				s.data["secret/"+name] = map[string]any{"value": text}
			}
			return open(t, vault.Config{Address: srv.URL, Credential: credential(root)})
		},
		Broken: func(t *testing.T, planted string) secret.Provider {
			s, srv := serve(t)
			s.data["secret/database_password"] = map[string]any{"value": planted}
			s.sealed = true
			return open(t, vault.Config{Address: srv.URL, Credential: credential(root)})
		},
	})
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	s, srv := serve(t)
	s.data["kv/teams/shop/db"] = map[string]any{"password": "correct horse", "port": 5432, "nested": map[string]any{"a": "b"}}
	s.version["kv/teams/shop/db"] = 7
	p := open(t, vault.Config{Address: srv.URL + "/", Mount: "/kv/", Prefix: "teams/shop/", Credential: credential(root)})
	f, err := p.Find(t.Context(), "db/password")
	if err != nil || f.Value.Reveal() != "correct horse" || f.Version != "7" {
		t.Errorf("version %q, %v", f.Version, err)
	}
	if _, err := p.Find(t.Context(), "db/port"); !fault.Is(err, fault.Parse) || strings.Contains(err.Error(), "5432") {
		t.Errorf("a number: %v", err)
	}
	if _, err := p.Find(t.Context(), "db/user"); !fault.Is(err, fault.Missing) || !strings.Contains(err.Error(), "kv/teams/shop/db") {
		t.Errorf("a missing field: %v", err)
	}
	other := open(t, vault.Config{Address: srv.URL, Mount: "kv", Namespace: "elsewhere", Prefix: "teams/shop", Credential: credential(root)})
	if _, err := other.Find(t.Context(), "db/password"); !fault.Is(err, fault.Missing) {
		t.Errorf("another namespace: %v", err)
	}
}

// TestLeases: a login serves until two thirds of its lease are over, is renewed then, and made anew when it is lost.
func TestLeases(t *testing.T) {
	t.Parallel()
	s, srv := serve(t)
	s.data["secret/x"] = map[string]any{"value": "battery staple"}
	p := open(t, vault.Config{Address: srv.URL, Method: vault.AppRole, Role: "tend", Credential: credential("the secret id"), Now: func() time.Time {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.now
	}})
	at := func(d time.Duration, issued, renewed int) {
		t.Helper()
		s.mu.Lock()
		s.now = s.now.Add(d)
		s.mu.Unlock()
		if f, err := p.Find(t.Context(), "x"); err != nil || f.Value.Reveal() != "battery staple" {
			t.Fatalf("after %s: %v", d, err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.issued != issued || s.renewed != renewed {
			t.Fatalf("after %s: %d logins and %d renewals, not %d and %d", d, s.issued, s.renewed, issued, renewed)
		}
	}
	at(0, 1, 0)
	at(30*time.Minute, 1, 0)
	at(15*time.Minute, 1, 1) // three quarters are over
	at(30*time.Minute, 1, 1)
	at(2*time.Hour, 2, 1) // it is over
	s.mu.Lock()
	clear(s.tokens) // somebody revoked it
	s.mu.Unlock()
	at(time.Minute, 3, 1)
}

func TestLogins(t *testing.T) {
	t.Parallel()
	s, srv := serve(t)
	s.data["secret/x"] = map[string]any{"value": "battery staple"}
	for name, c := range map[string]vault.Config{
		"kubernetes":           {Method: vault.Kubernetes, Role: "tend", Credential: credential("a.b.c")},
		"jwt of a CI system":   {Method: vault.JWT, AuthMount: "ci", Role: "tend", Credential: credential("a.b.c")},
		"no: another role":     {Method: vault.Kubernetes, Role: "other", Credential: credential("a.b.c")},
		"no: another id":       {Method: vault.AppRole, Role: "tend", Credential: credential("guessed-it")},
		"no: another token":    {Credential: credential("hvs.guessed")},
		"no: no credential":    {Method: vault.JWT, Role: "tend", Credential: func() (secret.Value, error) { return secret.Value{}, fault.New(fault.Missing, "no token file") }},
		"no: an unknown mount": {Method: vault.JWT, AuthMount: "nowhere", Role: "tend", Credential: credential("a.b.c")},
	} {
		c.Address = srv.URL
		_, err := open(t, c).Find(t.Context(), "x")
		if (err == nil) == strings.HasPrefix(name, "no:") {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && (strings.Contains(err.Error(), "guessed") || strings.Contains(err.Error(), "a.b.c")) {
			t.Errorf("%s: the credential is in the message: %v", name, err)
		}
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	_, srv := serve(t)
	p := open(t, vault.Config{Address: srv.URL, Credential: credential(root)})
	v, err := p.Write(t.Context(), "handover/alice", map[string]secret.Value{"password": secret.New("fresh and long")}, true)
	if err != nil || v != "1" {
		t.Fatalf("%q, %v", v, err)
	}
	if f, err := p.Find(t.Context(), "handover/alice/password"); err != nil || f.Value.Reveal() != "fresh and long" {
		t.Errorf("it cannot be read back: %v", err)
	}
	if _, err := p.Write(t.Context(), "handover/alice", nil, true); !fault.Is(err, fault.Conflict) {
		t.Errorf("it is written over: %v", err)
	}
}

// TestRedirect: the token goes nowhere else.
func TestRedirect(t *testing.T) {
	t.Parallel()
	thief := make(chan string, 1)
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { thief <- r.Header.Get("X-Vault-Token") }))
	t.Cleanup(other.Close)
	srv := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	t.Cleanup(srv.Close)
	_, err := open(t, vault.Config{Address: srv.URL, Credential: credential(root)}).Find(t.Context(), "x")
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("%v", err)
	}
	select {
	case got := <-thief:
		t.Errorf("it was followed with the token %q", got)
	default:
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	_, err := vault.New(vault.Config{Address: "http://vault.example.org:8200", Method: "ldap"})
	if err == nil || !strings.Contains(err.Error(), "in clear") || !strings.Contains(err.Error(), `"ldap"`) || !strings.Contains(err.Error(), "credential") {
		t.Errorf("not all problems at once: %v", err)
	}
	for _, a := range []string{"", "vault:8200", "ftp://vault", "https://user:pw@vault", "https://vault?x=1"} {
		if _, err := vault.New(vault.Config{Address: a, Credential: credential(root)}); err == nil {
			t.Errorf("%q is taken", a)
		}
	}
}
