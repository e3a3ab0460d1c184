package app_test

import (
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/config"
	"github.com/tendhq/tend/internal/fault"
)

// TestProviders: what the configuration says reaches Vault, over TLS of an authority of one's own, with a credential that is
// read anew at each login; the program is asked after it. The Vault is a stand-in by its API documentation.
func TestProviders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	var logins atomic.Int32
	jwt := write("jwt", "first.jwt.x\n")
	vault := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body map[string]string
		_ = json.NewDecoder(r.Body).Decode(&body)
		now, _ := os.ReadFile(jwt) // what Kubernetes would take now
		switch {
		case r.URL.Path == "/v1/auth/prod/login" && body["role"] == "tend" && body["jwt"] == strings.TrimSpace(string(now)):
			logins.Add(1)
			_, _ = w.Write([]byte(`{"auth":{"client_token":"hvs.` + body["jwt"] + `","lease_duration":3600,"renewable":true}}`))
		case r.Header.Get("X-Vault-Token") != "hvs."+strings.TrimSpace(string(now)):
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"errors":["permission denied"]}`))
		case r.URL.Path == "/v1/kv/data/tend/shop/db" && r.Header.Get("X-Vault-Namespace") == "ops":
			_, _ = w.Write([]byte(`{"data":{"data":{"password":"from-vault-1"},"metadata":{"version":7}}}`))
		default:
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"errors":[]}`))
		}
	}))
	defer vault.Close()
	ca := write("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: vault.Certificate().Raw})))
	c := &config.Config{Secrets: config.Secrets{
		Vault: &config.Vault{
			Address: vault.URL, CA: ca, Namespace: "ops", Mount: "kv", Prefix: "tend", Login: "kubernetes", AuthMount: "prod", Role: "tend", CredentialFile: jwt,
		},
		Exec: &config.SecretProgram{
			Command: []string{"sh", "-c", `test "$1" = other && echo "from-exec-$WHERE" || exit 44`, "sh", "{name}"}, Env: []string{"WHERE=here"}, Missing: []int{44},
		},
	}}
	chain, err := app.Providers(c)
	if err != nil {
		t.Fatal(err)
	}
	want := func(name, value, version string) {
		t.Helper()
		f, err := chain.Find(t.Context(), name)
		if err != nil || f.Value.Reveal() != value || f.Version != version {
			t.Errorf("%s: %q version %q, %v", name, f.Value.Reveal(), f.Version, err)
		}
	}
	want("shop/db/password", "from-vault-1", "7")
	want("shop/db/password", "from-vault-1", "7")
	if n := logins.Load(); n != 1 {
		t.Errorf("%d logins for two secrets", n)
	}
	write("jwt", "second.jwt.x") // Kubernetes gave another one, and Vault forgot the login
	want("shop/db/password", "from-vault-1", "7")
	if n := logins.Load(); n != 2 {
		t.Errorf("%d logins after the token was refused", n)
	}
	want("other", "from-exec-here", "exec")
	if _, err := chain.Find(t.Context(), "nowhere"); !fault.Is(err, fault.Missing) || !strings.Contains(err.Error(), "vault, exec") {
		t.Errorf("%v", err)
	}
	// Without its authority nothing is sent there.
	c.Secrets.Vault.CA = ""
	if chain, err = app.Providers(c); err != nil {
		t.Fatal(err)
	}
	if _, err := chain.Find(t.Context(), "other"); err == nil || fault.Is(err, fault.Missing) {
		t.Errorf("a Vault that cannot be trusted: %v", err)
	}
}
