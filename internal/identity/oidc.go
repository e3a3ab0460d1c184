package identity

import (
	"cmp"
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
)

// Issuer is somebody whose word about people and workloads is taken.
type Issuer struct {
	Name     string // as the configuration and people call it
	URL      string // as its tokens name it
	ClientID string // of this server: people sign on with it; "" when only bearer tokens of it are taken
	Secret   func() (secret.Value, error)
	Scopes   []string // default: openid, profile, email
	// Audiences are what bearer tokens must be made for, besides the client id. Without any, no bearer token is taken.
	Audiences []string
	Claims    Claims
	Domains   []string // of mail addresses that may sign on; empty: all that the issuer knows
	// Workload says that its tokens stand for machines: their principals are workload:NAME/SUBJECT and have no groups.
	Workload bool
}

// Claims name the parts of a token. Issuers differ: Entra has preferred_username, Okta and Keycloak have groups.
type Claims struct {
	ID     string // default: email, which must be verified where the issuer says so
	Name   string // default: name
	Groups string // default: groups
}

// skew is how far the clocks of an issuer and of this machine may be from each other.
const skew = time.Minute

// algorithms that a token may be signed with. None and the symmetric ones are not among them.
var algorithms = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA}

// issuer discovers its keys when they are first needed, so that an issuer that is down does not keep a server from
// starting.
type issuer struct {
	Issuer
	client *http.Client
	now    func() time.Time

	mu       sync.Mutex
	provider *oidc.Provider
	failed   time.Time // when it could not be asked, and may not be asked again for a moment
	why      error
}

func newIssuer(i Issuer, c Config) (*issuer, error) {
	u, err := url.Parse(i.URL)
	switch {
	case i.Name == "" || strings.ContainsAny(i.Name, "/: "):
		return nil, fault.New(fault.Invalid, "an issuer is named by a word, not %q", i.Name)
	case err != nil || u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && isLoopback(u.Hostname())):
		return nil, fault.New(fault.Invalid, "the issuer %s is at %q: it needs an https address", i.Name, i.URL)
	case i.ClientID == "" && len(i.Audiences) == 0:
		return nil, fault.New(fault.Invalid, "the issuer %s has neither a client id nor audiences: nothing of it would be taken", i.Name)
	case i.ClientID != "" && !i.Workload && c.URL == "":
		return nil, fault.New(fault.Invalid, "people sign on by the issuer %s, and the server does not know its own address", i.Name).WithNext("set url: https://tend.example.org")
	}
	i.Claims.ID, i.Claims.Name, i.Claims.Groups = cmp.Or(i.Claims.ID, "email"), cmp.Or(i.Claims.Name, "name"), cmp.Or(i.Claims.Groups, "groups")
	if i.Workload {
		i.Claims.ID = "sub"
	}
	if len(i.Scopes) == 0 {
		i.Scopes = []string{oidc.ScopeOpenID, "profile", "email"}
	}
	return &issuer{Issuer: i, client: c.Client, now: c.Now}, nil
}

func isLoopback(host string) bool {
	return host == "localhost" || strings.HasPrefix(host, "127.") || host == "::1"
}

// retry is how long an issuer that could not be asked is left alone.
const retry = 10 * time.Second

func (i *issuer) discover() (*oidc.Provider, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.provider != nil {
		return i.provider, nil
	}
	if i.why != nil && i.now().Sub(i.failed) < retry {
		return nil, i.why
	}
	// The provider keeps this context for fetching keys later: it must not be that of a request.
	p, err := oidc.NewProvider(oidc.ClientContext(context.Background(), i.client), i.URL)
	if err != nil {
		i.failed, i.why = i.now(), fault.New(fault.Unavailable, "the issuer %s cannot be asked: %v", i.Name, err).
			WithNext("if it is down, an admin signs on by the sealed emergency token: tend login --token --name NAME --why REASON")
		return nil, i.why
	}
	i.provider = p
	return p, nil
}

// verify checks a token of the issuer: its signature, that it was made by the issuer for one of the audiences, and its times.
func (i *issuer) verify(ctx context.Context, raw string, audiences []string) (*oidc.IDToken, error) {
	p, err := i.discover()
	if err != nil {
		return nil, err
	}
	v := p.VerifierContext(oidc.ClientContext(ctx, i.client), &oidc.Config{SkipClientIDCheck: true, SkipExpiryCheck: true, SupportedSigningAlgs: algorithms})
	t, err := v.Verify(ctx, raw)
	if err != nil {
		return nil, unknown("the token of %s is not good: %s", i.Name, reason(err))
	}
	now := i.now()
	var times struct {
		NotBefore float64 `json:"nbf"`
	}
	if err := t.Claims(&times); err != nil {
		return nil, unknown("the token of %s cannot be read", i.Name)
	}
	switch {
	case !slices.ContainsFunc(t.Audience, func(a string) bool { return slices.Contains(audiences, a) }):
		return nil, unknown("the token of %s was made for %s, not for this server", i.Name, clip(strings.Join(t.Audience, ", ")))
	case t.Expiry.IsZero() || now.After(t.Expiry.Add(skew)):
		return nil, unknown("the token of %s expired at %s", i.Name, t.Expiry.UTC().Format(time.RFC3339))
	case times.NotBefore > 0 && now.Add(skew).Before(time.Unix(int64(times.NotBefore), 0)):
		return nil, unknown("the token of %s is not good yet", i.Name).WithNext("check the clocks of both machines")
	case !t.IssuedAt.IsZero() && now.Add(5*skew).Before(t.IssuedAt):
		return nil, unknown("the token of %s was made in the future", i.Name).WithNext("check the clocks of both machines")
	}
	return t, nil
}

// reason tells why a token was refused, without quoting from it.
func reason(err error) string {
	var expired *oidc.TokenExpiredError
	switch s := err.Error(); {
	case errors.As(err, &expired):
		return "it expired"
	case strings.Contains(s, "signature"):
		return "its signature does not match the keys of the issuer"
	case strings.Contains(s, "different provider"):
		return "another issuer made it"
	case strings.Contains(s, "fetching keys"), strings.Contains(s, "get keys"):
		return "the keys of the issuer cannot be fetched"
	case strings.Contains(s, "algorithm"):
		return "it is signed by an algorithm that is not taken"
	default:
		return "it is malformed"
	}
}

func clip(s string) string {
	if len(s) > 100 {
		return strings.ToValidUTF8(s[:100], "") + "…"
	}
	return s
}

// principal reads who a token is about.
func (i *issuer) principal(t *oidc.IDToken, via, from string) (access.Principal, error) {
	var claims map[string]any
	if err := t.Claims(&claims); err != nil {
		return access.Principal{}, unknown("the token of %s cannot be read", i.Name)
	}
	text := func(name string) string {
		s, _ := claims[name].(string)
		return strings.TrimSpace(s)
	}
	who := text(i.Claims.ID)
	if who == "" || len(who) > 300 || strings.ContainsAny(who, "\x00\r\n*") {
		return access.Principal{}, unknown("the token of %s has no claim %q that names somebody", i.Name, i.Claims.ID).
			WithNext("set claims.id of the issuer to a claim that its tokens have: preferred_username, upn, sub")
	}
	if i.Workload {
		return access.Principal{ID: "workload:" + i.Name + "/" + who, Name: i.Name + "/" + who, Via: via, From: from}, nil
	}
	if i.Claims.ID == "email" {
		// An address that somebody typed in is not an address that they have.
		if verified, said := claims["email_verified"]; said && verified != true && verified != "true" {
			return access.Principal{}, unknown("%s has not verified the address %s", i.Name, who)
		}
		who = strings.ToLower(who)
	}
	if _, domain, ok := strings.Cut(who, "@"); len(i.Domains) > 0 && (!ok || !slices.ContainsFunc(i.Domains, func(d string) bool { return strings.EqualFold(d, domain) })) {
		return access.Principal{}, unknown("%s is of none of the domains that may sign on", who)
	}
	p := access.Principal{ID: "user:" + who, Name: cmp.Or(text(i.Claims.Name), who), Via: via, From: from}
	switch g := claims[i.Claims.Groups].(type) {
	case string:
		p.Groups = []string{g}
	case []any:
		for _, x := range g {
			if s, ok := x.(string); ok && s != "" && len(p.Groups) < 1000 {
				p.Groups = append(p.Groups, s)
			}
		}
	}
	return p, nil
}

// foreign knows a bearer token of an issuer. Which one made it is read from the token and believed only when that issuer's
// keys say the same.
func (d *Desk) foreign(ctx context.Context, raw, from string) (access.Principal, error) {
	if len(raw) > 16<<10 || strings.Count(raw, ".") != 2 {
		return access.Principal{}, unknown("the token is neither one of ours nor a JWT").WithNext("run `tend login`, or send a token of a configured issuer")
	}
	claimed := issuerOf(raw)
	for _, i := range d.issuers {
		if i.URL != claimed {
			continue
		}
		if len(i.Audiences) == 0 {
			return access.Principal{}, unknown("bearer tokens of %s are not taken here", i.Name).WithNext("sign on in the browser: tend login")
		}
		t, err := i.verify(ctx, raw, i.Audiences)
		if err != nil {
			return access.Principal{}, err
		}
		return i.principal(t, "api", from)
	}
	return access.Principal{}, unknown("the issuer of the token is not known here")
}

// flow is a sign-on that is under way in a browser.
type flow struct {
	issuer   *issuer
	verifier string
	nonce    string
	back     string   // where to go afterwards, within this server
	program  *Program // whom it is for; nil: for the browser itself
	until    time.Time
}

const (
	flowLasts = 10 * time.Minute
	maxFlows  = 10_000
)

// Names lists the issuers that people can sign on by.
func (d *Desk) Names() []string {
	var out []string
	for _, i := range d.issuers {
		if i.ClientID != "" && !i.Workload {
			out = append(out, i.Name)
		}
	}
	return out
}

func (d *Desk) oauth(i *issuer, p *oidc.Provider) (*oauth2.Config, error) {
	c := &oauth2.Config{ClientID: i.ClientID, Endpoint: p.Endpoint(), RedirectURL: strings.TrimSuffix(d.cfg.URL, "/") + "/auth/callback", Scopes: i.Scopes}
	if i.Secret != nil {
		s, err := i.Secret()
		if err != nil {
			return nil, err
		}
		c.ClientSecret = s.Reveal()
	}
	return c, nil
}

// Begin sends a browser to an issuer. back is where it comes to in the end: a path of this server.
func (d *Desk) Begin(w http.ResponseWriter, r *http.Request, name, back string) error {
	return d.begin(w, r, name, flow{back: local(back)})
}

func (d *Desk) begin(w http.ResponseWriter, r *http.Request, name string, f flow) error {
	at := slices.IndexFunc(d.issuers, func(i *issuer) bool { return i.Name == name && i.ClientID != "" && !i.Workload })
	if at < 0 {
		return fault.New(fault.NotFound, "nobody signs on by %q here", clip(name))
	}
	i := d.issuers[at]
	p, err := i.discover()
	if err != nil {
		return err
	}
	c, err := d.oauth(i, p)
	if err != nil {
		return err
	}
	state, err := secretText()
	if err != nil {
		return err
	}
	nonce, err := secretText()
	if err != nil {
		return err
	}
	f.issuer, f.verifier, f.nonce, f.until = i, oauth2.GenerateVerifier(), nonce, d.cfg.Now().Add(flowLasts)
	d.mu.Lock()
	for k, old := range d.flows {
		if !d.cfg.Now().Before(old.until) {
			delete(d.flows, k)
		}
	}
	full := len(d.flows) >= maxFlows
	if !full {
		d.flows[state] = f
	}
	d.mu.Unlock()
	if full {
		return fault.New(fault.Unavailable, "too many people are signing on just now").WithNext("try again in a few minutes")
	}
	// The cookie binds the answer to this browser: a link with somebody else's answer signs nobody on.
	http.SetCookie(w, &http.Cookie{Name: d.cookie() + "-state", Value: state, Path: "/", MaxAge: int(flowLasts.Seconds()), Secure: d.secure(), HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, c.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(f.verifier)), http.StatusFound)
	return nil
}

// local gives a path of this server, whatever somebody put into a link.
func local(back string) string {
	u, err := url.Parse(back)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") || strings.Contains(back, `\`) {
		return "/"
	}
	return (&url.URL{Path: u.Path, RawQuery: u.RawQuery, Fragment: u.Fragment}).String()
}

// Finish takes the issuer's answer from a browser, and gives who signed on and where the browser goes.
func (d *Desk) Finish(w http.ResponseWriter, r *http.Request) (access.Principal, Landing, error) {
	var none access.Principal
	var nowhere Landing
	q := r.URL.Query()
	state := q.Get("state")
	cookie, err := r.Cookie(d.cookie() + "-state")
	if err != nil || state == "" || subtle.ConstantTimeCompare([]byte(cookie.Value), []byte(state)) != 1 {
		return none, nowhere, unknown("this sign-on was not begun in this browser").WithNext("begin again")
	}
	http.SetCookie(w, &http.Cookie{Name: cookie.Name, Path: "/", MaxAge: -1, Secure: d.secure(), HttpOnly: true, SameSite: http.SameSiteLaxMode})
	d.mu.Lock()
	f, ok := d.flows[state]
	delete(d.flows, state) // an answer is good once
	d.mu.Unlock()
	switch {
	case !ok || !d.cfg.Now().Before(f.until):
		return none, nowhere, unknown("this sign-on took too long, or was finished already").WithNext("begin again")
	case q.Get("error") != "":
		return none, nowhere, unknown("%s says no: %s", f.issuer.Name, clip(cmp.Or(q.Get("error_description"), q.Get("error"))))
	}
	p, err := f.issuer.discover()
	if err != nil {
		return none, nowhere, err
	}
	c, err := d.oauth(f.issuer, p)
	if err != nil {
		return none, nowhere, err
	}
	ctx := oidc.ClientContext(r.Context(), f.issuer.client)
	token, err := c.Exchange(ctx, q.Get("code"), oauth2.VerifierOption(f.verifier))
	if err != nil {
		d.cfg.Log.Warn("a sign-on failed at the issuer's token endpoint", "issuer", f.issuer.Name, "from", address(r))
		return none, nowhere, unknown("%s did not exchange the code", f.issuer.Name).WithNext("begin again; if it stays so, check the client's secret and redirect address at the issuer")
	}
	raw, _ := token.Extra("id_token").(string)
	if raw == "" {
		return none, nowhere, unknown("%s gave no id token", f.issuer.Name)
	}
	t, err := f.issuer.verify(ctx, raw, []string{f.issuer.ClientID})
	if err != nil {
		return none, nowhere, err
	}
	if subtle.ConstantTimeCompare([]byte(t.Nonce), []byte(f.nonce)) != 1 {
		return none, nowhere, unknown("the token of %s was made for another sign-on", f.issuer.Name)
	}
	who, err := f.issuer.principal(t, "page", address(r))
	if err != nil {
		return none, nowhere, err
	}
	to, err := d.land(&f, who)
	return who, to, err
}

// issuerOf reads who a token says made it. Nothing else of it is looked at before its signature is checked.
func issuerOf(raw string) string {
	_, rest, _ := strings.Cut(raw, ".")
	body, _, _ := strings.Cut(rest, ".")
	b, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil {
		return ""
	}
	var c struct {
		Issuer string `json:"iss"`
	}
	if json.Unmarshal(b, &c) != nil {
		return ""
	}
	return c.Issuer
}
