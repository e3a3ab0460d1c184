package cli_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/coreos/go-oidc/v3/oidc/oidctest"
	"github.com/rogpeppe/go-internal/testscript"
)

// issuer starts go-oidc's test issuer, with the two endpoints that it lacks, and makes its address $ISSUER: whoever comes is
// Alice, of the group sre, and a code is exchanged for the verifier of its challenge.
func issuer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: issuer")
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	ts.Check(err)
	keys := &oidctest.Server{PublicKeys: []oidctest.PublicKey{{PublicKey: key.Public(), KeyID: "key-1", Algorithm: oidc.RS256}}}
	var mu sync.Mutex
	asked := map[string]url.Values{} // by code
	var s *httptest.Server
	s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		switch r.URL.Path {
		case "/auth":
			q, code := r.URL.Query(), rand.Text()
			asked[code] = q
			http.Redirect(w, r, q.Get("redirect_uri")+"?"+url.Values{"code": {code}, "state": {q.Get("state")}}.Encode(), http.StatusFound)
		case "/token":
			_ = r.ParseForm()
			q := asked[r.Form.Get("code")]
			delete(asked, r.Form.Get("code"))
			sum := sha256.Sum256([]byte(r.Form.Get("code_verifier")))
			if q == nil || q.Get("code_challenge_method") != "S256" || q.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]) {
				http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
				return
			}
			now := time.Now()
			claims, _ := json.Marshal(map[string]any{
				"iss": s.URL, "sub": "42", "aud": q.Get("client_id"), "exp": now.Add(time.Hour).Unix(), "iat": now.Unix(), "nonce": q.Get("nonce"),
				"email": "alice@example.org", "email_verified": true, "name": "Alice", "groups": []string{"sre"},
			})
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(map[string]any{"access_token": "x", "token_type": "Bearer", "id_token": oidctest.SignIDToken(key, "key-1", oidc.RS256, string(claims))})
		default:
			keys.ServeHTTP(w, r)
		}
	}))
	keys.SetIssuer(s.URL)
	ts.Defer(s.Close)
	ts.Setenv("ISSUER", s.URL)
}
