// Package vault finds secrets in the KV version 2 engine of HashiCorp Vault or OpenBao, over their HTTP API.
//
// The secret prod/db/password is the field `password` at the path prod/db; a name of one part is the field `value` at that
// path. Its version is the one that the engine counts. A login lasts as long as its lease: it is renewed when two thirds of
// it are over, and made anew when that fails or the token is refused. Nothing is cached: a secret that was revoked is gone.
//
// What is not text in the engine (a number, an object) is refused. No error quotes from an answer's data.
package vault

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
)

// Method is how to log in.
type Method string

// The methods, as Vault's documentation of its auth methods calls them.
const (
	Token      Method = "token"      // Credential is the token
	AppRole    Method = "approle"    // Role is the role id, Credential the secret id
	JWT        Method = "jwt"        // Role, and Credential is a token of an issuer that Vault trusts
	Kubernetes Method = "kubernetes" // Role, and Credential is the service account's token
)

// Config says where the engine is and how to log in.
type Config struct {
	Address   string // https://vault.example.org:8200
	Namespace string
	Mount     string // of the KV engine. Default: secret
	Prefix    string // before every path; "" for none
	Method    Method // default: token
	AuthMount string // default: the name of the method
	Role      string
	// Credential gives what proves who we are. It is asked at every login: service account tokens change.
	Credential func() (secret.Value, error)
	Client     *http.Client     // default: 10 s for an answer
	Now        func() time.Time // default: time.Now
}

// Provider implements secret.Provider.
type Provider struct {
	cfg  Config
	base *url.URL

	mu    sync.Mutex
	lease lease
}

type lease struct {
	token     secret.Value
	renewable bool
	since     time.Time
	lasts     time.Duration // 0: for ever
}

var _ secret.Provider = (*Provider)(nil)

// maxAnswer bounds what is read of an answer.
const maxAnswer = 4 << 20

// New checks the configuration, all problems at once. It does not connect: a Vault that is away must not keep a server from
// starting.
func New(c Config) (*Provider, error) {
	var problems []error
	wrong := func(format string, a ...any) {
		problems = append(problems, fault.New(fault.Invalid, format, a...))
	}
	u, err := url.Parse(c.Address)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		wrong("the address of Vault is %q, which is no URL", c.Address)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		wrong("the address of Vault is %q: secrets would cross the network in clear; use https", c.Address)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		wrong("the address of Vault has more than a host and a path")
	}
	c.Method = cmp.Or(c.Method, Token)
	switch c.Method {
	case Token:
	case AppRole, JWT, Kubernetes:
		if c.Role == "" {
			wrong("the login of Vault by %s needs a role", c.Method)
		}
	default:
		wrong("Vault has no login %q here; use token, approle, jwt or kubernetes", string(c.Method))
	}
	if c.Credential == nil {
		wrong("the login of Vault has no credential")
	}
	c.Mount, c.AuthMount = strings.Trim(cmp.Or(c.Mount, "secret"), "/"), strings.Trim(cmp.Or(c.AuthMount, string(c.Method)), "/")
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	if c.Client == nil {
		c.Client = &http.Client{Timeout: 10 * time.Second}
	}
	client := *c.Client
	// A redirect would carry the token to whoever is named there.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.Client = &client
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Provider{cfg: c, base: u}, nil
}

func loopback(host string) bool {
	return host == "localhost" || strings.HasPrefix(host, "127.") || host == "::1"
}

// Name implements secret.Provider.
func (*Provider) Name() string { return "vault" }

// place splits the name of a secret into path and field.
func place(name string) (path, field string) {
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		return name[:i], name[i+1:]
	}
	return name, "value"
}

// Find implements secret.Provider.
func (p *Provider) Find(ctx context.Context, name string) (secret.Found, error) {
	if err := secret.CheckName(name); err != nil {
		return secret.Found{}, err
	}
	path, field := place(name)
	var answer struct {
		Data struct {
			Data     map[string]json.RawMessage `json:"data"`
			Metadata struct {
				Version int64 `json:"version"`
			} `json:"metadata"`
		} `json:"data"`
	}
	status, err := p.asked(ctx, http.MethodGet, p.data(path), nil, &answer)
	if err != nil {
		return secret.Found{}, err
	}
	raw, ok := answer.Data.Data[field]
	if status == http.StatusNotFound || !ok {
		return secret.Found{}, fault.New(fault.Missing, "Vault has no field %s at %s/%s", field, p.cfg.Mount, p.under(path))
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return secret.Found{}, fault.New(fault.Parse, "the field %s at %s/%s of Vault is not a text", field, p.cfg.Mount, p.under(path))
	}
	return secret.Found{Value: secret.New(text), Version: strconv.FormatInt(answer.Data.Metadata.Version, 10)}, nil
}

// Write puts fields at a path as a new version, and gives its number. What stood there under other fields is gone from the
// new version, as the engine has it. With create it fails with fault.Conflict where something stands already.
func (p *Provider) Write(ctx context.Context, path string, fields map[string]secret.Value, create bool) (version string, err error) {
	if err := secret.CheckName(path); err != nil {
		return "", err
	}
	data := make(map[string]string, len(fields))
	for k, v := range fields {
		data[k] = v.Reveal()
	}
	body := map[string]any{"data": data}
	if create {
		body["options"] = map[string]any{"cas": 0}
	}
	var answer struct {
		Data struct {
			Version int64 `json:"version"`
		} `json:"data"`
	}
	if _, err := p.asked(ctx, http.MethodPost, p.data(path), body, &answer); err != nil {
		return "", err
	}
	return strconv.FormatInt(answer.Data.Version, 10), nil
}

func (p *Provider) under(path string) string {
	return strings.TrimPrefix(strings.Trim(p.cfg.Prefix, "/")+"/"+path, "/")
}

func (p *Provider) data(path string) string { return p.cfg.Mount + "/data/" + p.under(path) }

// asked makes a request with a token that holds; one that is refused is replaced once.
func (p *Provider) asked(ctx context.Context, method, path string, body, into any) (int, error) {
	token, err := p.token(ctx)
	if err != nil {
		return 0, err
	}
	status, err := p.do(ctx, method, path, token, body, into)
	if fault.Is(err, fault.Auth) && p.cfg.Method != Token {
		p.forget(token)
		if token, err = p.token(ctx); err != nil {
			return 0, err
		}
		status, err = p.do(ctx, method, path, token, body, into)
	}
	return status, err
}

func (p *Provider) forget(token secret.Value) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lease.token.Reveal() == token.Reveal() {
		p.lease = lease{}
	}
}

// token gives a token whose lease holds.
func (p *Provider) token(ctx context.Context) (secret.Value, error) {
	if p.cfg.Method == Token {
		return p.cfg.Credential()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.lease
	spent := p.cfg.Now().Sub(l.since)
	switch {
	case l.token.Reveal() == "", l.lasts > 0 && spent >= l.lasts:
	case l.lasts == 0 || spent < l.lasts*2/3:
		return l.token, nil
	case l.renewable:
		if renewed, err := p.login(ctx, "auth/token/renew-self", l.token, map[string]any{}); err == nil {
			p.lease = renewed
			return renewed.token, nil
		}
	}
	cred, err := p.cfg.Credential()
	if err != nil {
		return secret.Value{}, err
	}
	body := map[string]any{"role": p.cfg.Role, "jwt": cred.Reveal()}
	if p.cfg.Method == AppRole {
		body = map[string]any{"role_id": p.cfg.Role, "secret_id": cred.Reveal()}
	}
	fresh, err := p.login(ctx, "auth/"+p.cfg.AuthMount+"/login", secret.Value{}, body)
	if err != nil {
		return secret.Value{}, fmt.Errorf("log in to Vault by %s: %w", p.cfg.Method, err)
	}
	p.lease = fresh
	return fresh.token, nil
}

func (p *Provider) login(ctx context.Context, path string, token secret.Value, body any) (lease, error) {
	var answer struct {
		Auth struct {
			Token     string `json:"client_token"`
			Lasts     int64  `json:"lease_duration"` // seconds
			Renewable bool   `json:"renewable"`
		} `json:"auth"`
	}
	since := p.cfg.Now() // before the request: the lease does not last longer than we think
	if _, err := p.do(ctx, http.MethodPost, path, token, body, &answer); err != nil {
		return lease{}, err
	}
	if answer.Auth.Token == "" {
		return lease{}, fault.New(fault.Auth, "Vault gave no token")
	}
	return lease{token: secret.New(answer.Auth.Token), renewable: answer.Auth.Renewable, since: since, lasts: time.Duration(answer.Auth.Lasts) * time.Second}, nil
}

// do makes one request. A 404 is an answer: the engine says so of what is not there and of what was deleted.
func (p *Provider) do(ctx context.Context, method, path string, token secret.Value, body, into any) (int, error) {
	var payload io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return 0, fault.New(fault.Internal, "encode a request to Vault")
		}
		payload = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, p.base.JoinPath("v1", path).String(), payload)
	if err != nil {
		return 0, fault.Wrap(fault.Invalid, err, "address Vault")
	}
	if t := token.Reveal(); t != "" {
		req.Header.Set("X-Vault-Token", t)
	}
	if p.cfg.Namespace != "" {
		req.Header.Set("X-Vault-Namespace", p.cfg.Namespace)
	}
	req.Header.Set("X-Vault-Request", "true")
	res, err := p.cfg.Client.Do(req)
	if err != nil {
		return 0, fault.Wrap(fault.Unreachable, err, "ask Vault at %s", p.base.Host)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return 0, fault.Wrap(fault.Unreachable, err, "read the answer of Vault at %s", p.base.Host)
	}
	switch s := res.StatusCode; {
	case s == http.StatusNotFound && method == http.MethodGet:
		return s, nil
	case s == http.StatusForbidden || s == http.StatusUnauthorized:
		return s, fault.New(fault.Auth, "Vault refuses %s: %s", path, said(b)).WithNext("check that the role's policy may read it")
	case s == http.StatusBadRequest && strings.Contains(string(b), "check-and-set"):
		return s, fault.New(fault.Conflict, "Vault has something at %s already", path)
	case s == http.StatusServiceUnavailable:
		return s, fault.New(fault.Unavailable, "Vault at %s is sealed or under maintenance", p.base.Host)
	case s >= 300 && s < 400:
		return s, fault.New(fault.Unavailable, "Vault at %s sends elsewhere (status %d)", p.base.Host, s).WithNext("configure the address of the active node, or of the load balancer")
	case s < 200 || s >= 300:
		return s, fault.New(fault.Unavailable, "Vault at %s answers %d to %s: %s", p.base.Host, s, path, said(b))
	}
	if len(b) == 0 || into == nil {
		return res.StatusCode, nil
	}
	if err := json.Unmarshal(b, into); err != nil {
		return res.StatusCode, fault.New(fault.Parse, "the answer of Vault at %s to %s is not what its API documents", p.base.Host, path)
	}
	return res.StatusCode, nil
}

// said gives the errors that Vault tells. They name policies and paths, never data.
func said(b []byte) string {
	var e struct {
		Errors []string `json:"errors"`
	}
	if json.Unmarshal(b, &e) != nil || len(e.Errors) == 0 {
		return "it does not say why"
	}
	s := strings.Join(strings.Fields(strings.Join(e.Errors, "; ")), " ")
	if len(s) > 300 {
		s = strings.ToValidUTF8(s[:300], "") + "…"
	}
	return s
}
