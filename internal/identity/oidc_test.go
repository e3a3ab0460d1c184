package identity_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/coreos/go-oidc/v3/oidc/oidctest"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/identity"
	"github.com/tendhq/tend/internal/secret"
)

// provider is go-oidc's test issuer with the two endpoints that it lacks: one that signs a person on at once, and one that
// exchanges the code, for whoever knows the client's secret and the verifier of its challenge.
type provider struct {
	*oidctest.Server
	url    string
	key    *rsa.PrivateKey
	claims map[string]any // of the next id token, over the usual ones
	nonce  string
	pkce   string
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/auth":
		q := r.URL.Query()
		p.nonce, p.pkce = q.Get("nonce"), q.Get("code_challenge")
		http.Redirect(w, r, q.Get("redirect_uri")+"?"+url.Values{"code": {"the code"}, "state": {q.Get("state")}}.Encode(), http.StatusFound)
	case "/token":
		_ = r.ParseForm()
		id, pw, _ := r.BasicAuth()
		sum := sha256.Sum256([]byte(r.Form.Get("code_verifier")))
		if id != "tend" || pw != "client+secret" && pw != "client%2Bsecret" || r.Form.Get("code") != "the code" || base64.RawURLEncoding.EncodeToString(sum[:]) != p.pkce {
			http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": "x", "token_type": "Bearer", "id_token": p.token(map[string]any{"nonce": p.nonce, "aud": "tend"}, p.claims)})
	default:
		p.Server.ServeHTTP(w, r)
	}
}

// token signs claims over the usual ones; nil takes a claim away.
func (p *provider) token(over ...map[string]any) string {
	return oidctest.SignIDToken(p.key, "key-1", oidc.RS256, p.body(over...))
}

func (p *provider) body(over ...map[string]any) string {
	now := time.Now()
	c := map[string]any{
		"iss": p.url, "sub": "42", "aud": "tend-api", "exp": now.Add(time.Hour).Unix(), "iat": now.Unix(), "email": "Alice@Example.org",
		"email_verified": true, "name": "Alice", "groups": []string{"sre", "shop"},
	}
	for _, o := range over {
		maps.Copy(c, o)
	}
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	b, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func issuer(t *testing.T) *provider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{key: key, Server: &oidctest.Server{PublicKeys: []oidctest.PublicKey{{PublicKey: key.Public(), KeyID: "key-1", Algorithm: oidc.RS256}}}}
	srv := httptest.NewServer(p)
	t.Cleanup(srv.Close)
	p.SetIssuer(srv.URL)
	p.url = srv.URL
	return p
}

func conf(p *provider, change ...func(*identity.Issuer)) identity.Config {
	i := identity.Issuer{Name: "corp", URL: p.url, ClientID: "tend", Audiences: []string{"tend-api"}, Secret: func() (secret.Value, error) { return secret.New("client+secret"), nil }}
	for _, c := range change {
		c(&i)
	}
	return identity.Config{URL: "http://127.0.0.1:8420", Issuers: []identity.Issuer{i}}
}

func TestBearer(t *testing.T) {
	t.Parallel()
	p, other := issuer(t), issuer(t)
	b := setup(t, conf(p))
	who, err := b.Identify(request(p.token()))
	if err != nil || who.ID != "user:alice@example.org" || who.Name != "Alice" || !slices.Equal(who.Groups, []string{"sre", "shop"}) || who.Via != "api" {
		t.Fatalf("%+v, %v", who, err)
	}
	now := time.Now().Unix()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := p.token()
	parts := strings.Split(good, ".")
	raw := func(header, body string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(body)) + "."
	}
	hs := raw(`{"alg":"HS256","kid":"key-1"}`, p.body())
	mac := hmac.New(sha256.New, p.key.N.Bytes()) // the public key as the secret of a symmetric one
	mac.Write([]byte(strings.TrimSuffix(hs, ".")))
	for name, token := range map[string]string{
		"another audience":       p.token(map[string]any{"aud": "other"}),
		"the client's audience":  p.token(map[string]any{"aud": "tend"}), // an id token is no bearer token
		"no audience":            p.token(map[string]any{"aud": nil}),
		"expired":                p.token(map[string]any{"exp": now - 90}),
		"no expiry":              p.token(map[string]any{"exp": nil}),
		"not yet":                p.token(map[string]any{"nbf": now + 90}),
		"made in the future":     p.token(map[string]any{"iat": now + 900}),
		"not verified":           p.token(map[string]any{"email_verified": false}),
		"nobody":                 p.token(map[string]any{"email": ""}),
		"a number":               p.token(map[string]any{"email": 7}),
		"a star":                 p.token(map[string]any{"email": "*@example.org"}),
		"another key":            oidctest.SignIDToken(other.key, "key-1", oidc.RS256, p.body()),
		"an unknown key":         oidctest.SignIDToken(ec, "key-9", oidc.ES256, p.body()),
		"another issuer's":       other.token(),
		"another issuer's words": oidctest.SignIDToken(other.key, "key-1", oidc.RS256, other.body(map[string]any{"iss": p.url})),
		"no signature":           raw(`{"alg":"none"}`, p.body()),
		"a symmetric one":        hs + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)),
		"another body":           parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(p.body(map[string]any{"email": "root@example.org"}))) + "." + parts[2],
		"cut":                    good[:len(good)-10],
		"huge":                   parts[0] + "." + strings.Repeat("A", 1<<20) + "." + parts[2],
		"not base64":             "!.!.!",
	} {
		if who, err := b.Identify(request(token)); !fault.Is(err, fault.Auth) || who.ID != "" {
			t.Errorf("%s: %+v, %v", name, who, err)
		}
	}
	// Clocks differ by a moment.
	for name, token := range map[string]string{"just over": p.token(map[string]any{"exp": now - 20}), "just before": p.token(map[string]any{"nbf": now + 20})} {
		if _, err := b.Identify(request(token)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRotation: an issuer changes its keys without telling anybody.
func TestRotation(t *testing.T) {
	t.Parallel()
	p := issuer(t)
	b := setup(t, conf(p))
	if _, err := b.Identify(request(p.token())); err != nil {
		t.Fatal(err)
	}
	old := p.token()
	fresh, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p.key = fresh
	p.PublicKeys = []oidctest.PublicKey{{PublicKey: fresh.Public(), KeyID: "key-2", Algorithm: oidc.RS256}}
	if _, err := b.Identify(request(oidctest.SignIDToken(fresh, "key-2", oidc.RS256, p.body()))); err != nil {
		t.Errorf("the new key: %v", err)
	}
	if _, err := b.Identify(request(old)); !fault.Is(err, fault.Auth) {
		t.Errorf("the old key: %v", err)
	}
}

func TestIssuerKinds(t *testing.T) {
	t.Parallel()
	p := issuer(t)
	for name, c := range map[string]struct {
		change func(*identity.Issuer)
		claims map[string]any
		want   string // "": refused
	}{
		"a CI system":           {func(i *identity.Issuer) { i.Workload, i.ClientID = true, "" }, map[string]any{"sub": "repo:acme/shop:ref:refs/heads/main"}, "workload:corp/repo:acme/shop:ref:refs/heads/main"},
		"entra":                 {func(i *identity.Issuer) { i.Claims.ID = "preferred_username" }, map[string]any{"preferred_username": "bob@example.org", "email": nil}, "user:bob@example.org"},
		"a domain":              {func(i *identity.Issuer) { i.Domains = []string{"example.org"} }, nil, "user:alice@example.org"},
		"another domain":        {func(i *identity.Issuer) { i.Domains = []string{"example.com"} }, nil, ""},
		"a domain at its end":   {func(i *identity.Issuer) { i.Domains = []string{"example.org"} }, map[string]any{"email": "eve@evil-example.org"}, ""},
		"two audiences":         {func(i *identity.Issuer) { i.Audiences = []string{"a", "b"} }, map[string]any{"aud": []string{"x", "b"}}, "user:alice@example.org"},
		"no bearer tokens":      {func(i *identity.Issuer) { i.Audiences = nil }, map[string]any{"aud": "tend"}, ""},
		"a claim that is not":   {func(i *identity.Issuer) { i.Claims.ID = "upn" }, nil, ""},
		"groups are not a list": {func(*identity.Issuer) {}, map[string]any{"groups": map[string]any{"a": 1}}, "user:alice@example.org"},
	} {
		b := setup(t, conf(p, c.change))
		who, err := b.Identify(request(p.token(c.claims)))
		if who.ID != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: %q, %v", name, who.ID, err)
		}
	}
}

// TestIssuerDown: an issuer that cannot be asked is said so, does not keep the desk from opening, and works when it is back.
func TestIssuerDown(t *testing.T) {
	t.Parallel()
	p := issuer(t)
	up := false
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !up {
			http.Error(w, "maintenance", http.StatusServiceUnavailable)
			return
		}
		p.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	p.SetIssuer(srv.URL)
	p.url = srv.URL
	b := setup(t, conf(p))
	_, err := b.Identify(request(p.token()))
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(fault.NextOf(err), "emergency") {
		t.Errorf("%v, next %q", err, fault.NextOf(err))
	}
	up = true
	b.clock.pass(time.Minute)
	if _, err := b.Identify(request(p.token())); err != nil {
		t.Errorf("it is back: %v", err)
	}
}

// browser follows redirects with its cookies up to this server's callback.
func browser(t *testing.T, b *bench, back string) *http.Request {
	t.Helper()
	return browserFor(t, func(w http.ResponseWriter, r *http.Request) error { return b.Begin(w, r, "corp", back) })
}

func browserFor(t *testing.T, begin func(http.ResponseWriter, *http.Request) error) *http.Request {
	t.Helper()
	w := httptest.NewRecorder()
	if err := begin(w, request("")); err != nil {
		t.Fatal(err)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Get(w.Header().Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	r := httptest.NewRequest(http.MethodGet, res.Header.Get("Location"), nil)
	for _, c := range w.Result().Cookies() {
		r.AddCookie(c)
	}
	return r
}

func TestFlow(t *testing.T) {
	t.Parallel()
	p := issuer(t)
	b := setup(t, conf(p))
	r := browser(t, b, "/runs/run_1?tab=log#end")
	who, to, err := b.Finish(httptest.NewRecorder(), r)
	if err != nil || who.ID != "user:alice@example.org" || who.Via != "page" || to.Path != "/runs/run_1?tab=log#end" {
		t.Fatalf("%+v, %+v, %v", who, to, err)
	}
	if _, _, err := b.Finish(httptest.NewRecorder(), r); !fault.Is(err, fault.Auth) {
		t.Errorf("twice: %v", err)
	}
	refused := func(name string, r *http.Request) {
		t.Helper()
		if who, _, err := b.Finish(httptest.NewRecorder(), r); !fault.Is(err, fault.Auth) || who.ID != "" {
			t.Errorf("%s: %+v, %v", name, who, err)
		}
	}
	r = browser(t, b, "/")
	r.Header.Del("Cookie")
	refused("another browser", r)
	r = browser(t, b, "/")
	r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "state=tend_", "state=tend_x", 1)
	refused("another state", r)
	r = browser(t, b, "/")
	p.nonce = "another"
	refused("another nonce", r)
	r = browser(t, b, "/")
	p.pkce = "another"
	refused("another challenge", r)
	r = browser(t, b, "/")
	r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "code=the+code", "code=guessed", 1)
	refused("another code", r)
	r = browser(t, b, "/")
	r.URL.RawQuery += "&error=access_denied&error_description=no"
	refused("the issuer says no", r)
	r = browser(t, b, "/")
	b.clock.pass(11 * time.Minute)
	refused("late", r)
	p.claims = map[string]any{"aud": "tend-api"}
	refused("the token of an API", browser(t, b, "/"))
	p.claims = map[string]any{"email_verified": false}
	refused("an address that is not verified", browser(t, b, "/"))
	if err := b.Begin(httptest.NewRecorder(), request(""), "elsewhere", "/"); !fault.Is(err, fault.NotFound) {
		t.Errorf("an unknown issuer: %v", err)
	}
}

// TestProgram: a code leads to the program on the machine of the browser, and is good once, soon, for whoever has the verifier.
func TestProgram(t *testing.T) {
	t.Parallel()
	p := issuer(t)
	b := setup(t, conf(p))
	verifier := strings.Repeat("v", 43)
	sum := sha256.Sum256([]byte(verifier))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	land := func(port int) identity.Landing {
		t.Helper()
		who, to, err := b.Finish(httptest.NewRecorder(), browserFor(t, func(w http.ResponseWriter, r *http.Request) error {
			return b.BeginFor(w, r, "corp", identity.Program{Challenge: challenge, Port: port, State: "0123456789abcdef"})
		}))
		if err != nil || who.ID != "user:alice@example.org" || !to.Program || to.Path != "" {
			t.Fatalf("%+v, %+v, %v", who, to, err)
		}
		return to
	}
	code := func() string {
		t.Helper()
		u, err := url.Parse(land(45678).To)
		if err != nil || u.Scheme != "http" || u.Host != "127.0.0.1:45678" || u.Path != "/callback" || u.Query().Get("state") != "0123456789abcdef" {
			t.Fatalf("%v, %v", u, err)
		}
		return u.Query().Get("code")
	}
	text, token, err := b.Redeem(t.Context(), code(), verifier, "10.0.0.1")
	if err != nil || token.Kind != identity.Personal || token.Owner != "user:alice@example.org" || !slices.Equal(token.Groups, []string{"sre", "shop"}) || token.By.From != "10.0.0.1" {
		t.Fatalf("%+v, %v", token, err)
	}
	if who, err := b.Identify(request(text)); err != nil || who.ID != "user:alice@example.org" {
		t.Errorf("%+v, %v", who, err)
	}
	if to := land(0); to.To != "" || to.Code == "" {
		t.Errorf("without a port: %+v", to)
	}
	refused := func(name, code, verifier string) {
		t.Helper()
		if text, _, err := b.Redeem(t.Context(), code, verifier, ""); !fault.Is(err, fault.Auth) || text != "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := code()
	refused("another verifier", c, strings.Repeat("w", 43))
	refused("after a wrong one", c, verifier)
	refused("guessed", "tend_guessed", verifier)
	refused("the challenge itself", code(), challenge)
	c = code()
	b.clock.pass(6 * time.Minute)
	refused("late", c, verifier)
	for _, bad := range []identity.Program{
		{Challenge: "short", Port: 4000, State: "0123456789abcdef"},
		{Challenge: challenge, Port: 22, State: "0123456789abcdef"},
		{Challenge: challenge, Port: 70000, State: "0123456789abcdef"},
		{Challenge: challenge, Port: 4000, State: "guess"},
	} {
		if err := b.BeginFor(httptest.NewRecorder(), request(""), "corp", bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// TestBack: a link sends nobody elsewhere after signing on.
func TestBack(t *testing.T) {
	t.Parallel()
	p := issuer(t)
	b := setup(t, conf(p))
	for _, evil := range []string{
		"https://evil.example", "//evil.example", `/\evil.example`, `\\evil.example`, "javascript:alert(1)", "evil", "", "/%0d%0aSet-Cookie:x", "http:/evil", "///evil.example", "/\t/evil.example",
	} {
		_, to, err := b.Finish(httptest.NewRecorder(), browser(t, b, evil))
		if err != nil || to.Program {
			t.Fatal(to, err)
		}
		back := to.Path
		u, err := url.Parse(back)
		if err != nil || u.Host != "" || u.Scheme != "" || !strings.HasPrefix(back, "/") || strings.HasPrefix(back, "//") || strings.ContainsAny(back, "\r\n\t\\") {
			t.Errorf("%q leads to %q", evil, back)
		}
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	b := setup(t, identity.Config{})
	_, err := identity.Open(t.Context(), identity.Config{Ledger: b.ledger, Issuers: []identity.Issuer{
		{Name: "a b", URL: "https://x", ClientID: "x"}, {Name: "plain", URL: "http://issuer.example", ClientID: "x"}, {Name: "useless", URL: "https://x.example"}, {Name: "lost", URL: "https://x.example", ClientID: "x"},
	}})
	for _, want := range []string{`"a b"`, "https address", "neither a client id nor audiences", "its own address"} {
		if err == nil || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%q is not told: %v", want, err)
		}
	}
}

func FuzzBearer(f *testing.F) {
	f.Add("tend_0123456789")
	f.Add("eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2lzc3VlciJ9.")
	f.Add("..")
	f.Fuzz(func(t *testing.T, text string) {
		b := setup(t, identity.Config{Issuers: []identity.Issuer{{Name: "x", URL: "http://127.0.0.1:1", Audiences: []string{"a"}}}})
		r := request("")
		r.Header.Set("Authorization", "Bearer "+text)
		if p, err := b.Identify(r); err == nil || p.ID != "" {
			t.Errorf("%q is %+v", text, p)
		}
	})
}
