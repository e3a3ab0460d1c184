package httpapi

import (
	"context"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/identity"
	"github.com/tendhq/tend/internal/wire"
)

// Roll is who can sign on, by what, and what they may do: what a server has besides its Gate. *identity.Desk is one.
type Roll interface {
	Once(ctx context.Context, text, name, why, from string) (access.Principal, string, error)
	New(ctx context.Context, m identity.Make, by access.Principal) (string, identity.Token, error)
	Revoke(ctx context.Context, tokenID string, by access.Principal, why string) error
	Tokens(owner string) []identity.Token
	Policy() access.Policy
	Bind(ctx context.Context, b access.Binding, by access.Principal, why string) error
	Unbind(ctx context.Context, name string, by access.Principal, why string) error
	Seal(ctx context.Context, by access.Principal) (string, error)
	Names() []string
	Begin(w http.ResponseWriter, r *http.Request, name, back string) error
	BeginFor(w http.ResponseWriter, r *http.Request, name string, p identity.Program) error
	Finish(w http.ResponseWriter, r *http.Request) (access.Principal, identity.Landing, error)
	Redeem(ctx context.Context, code, verifier, from string) (string, identity.Token, error)
	Address() string
	SignOn(ctx context.Context, w http.ResponseWriter, p access.Principal) error
	Enter(ctx context.Context, w http.ResponseWriter, text, name, why, from string) error
	SignOff(w http.ResponseWriter, r *http.Request) error
}

// How long the tokens last that one-time sign-ons are exchanged for.
const (
	setupToken     = 30 * 24 * time.Hour
	emergencyToken = time.Hour
)

func (s *server) people(a *api) {
	own := access.Need{Verb: access.View, Kind: "token"} // everybody may have tokens of their own
	manage := func(kind string) access.Need { return access.Need{Verb: access.Manage, Kind: kind} }
	add(a, access.Need{Verb: access.Nothing}, http.MethodPost, "/v1/sign-on", about{
		id: "signOnOnce", tag: "people", summary: "Exchange a one-time token for one that lasts", shown: true,
		text: "The one-time token of a server's first start, or the sealed emergency token, which needs a name and a reason. Both are recorded.",
	}, s.signOnOnce)
	add(a, access.Need{Verb: access.Nothing}, http.MethodPost, "/v1/sign-on/code", about{
		id: "signOnByCode", tag: "people", summary: "Exchange the code of a sign-on in a browser for a token", shown: true,
		text: "For programs: `/auth/begin/{issuer}?challenge=…&state=…&port=…` (PKCE, S256) sends a browser to the issuer, and then to `/callback` on that port of 127.0.0.1, with `code` and `state`; without a port the code is shown. It is good once, for five minutes, with the verifier of the challenge.",
	}, s.signOnByCode)
	add(a, own, http.MethodGet, "/v1/tokens", about{
		id: "listTokens", tag: "people", summary: "List tokens and sessions", text: "One's own, or with `all` everybody's, which needs the right to manage. Never the token itself.",
	}, s.listTokens)
	add(a, own, http.MethodPost, "/v1/tokens", about{
		id: "makeToken", tag: "people", summary: "Make a token", status: http.StatusCreated, shown: true,
		text: "It is shown this once. A service token needs the right to manage.",
	}, s.makeToken)
	add(a, own, http.MethodDelete, "/v1/tokens/{token}", about{
		id: "revokeToken", tag: "people", summary: "Revoke a token or a session", text: "At once. Somebody else's needs the right to manage.",
	}, s.revokeToken)
	add(a, manage("binding"), http.MethodGet, "/v1/bindings", about{
		id: "listBindings", tag: "people", summary: "List who has which roles", text: "Those of the configuration too.",
	}, s.listBindings)
	add(a, manage("binding"), http.MethodPut, "/v1/bindings/{name}", about{
		id: "bind", tag: "people", summary: "Give a role to some, or deny it to them", text: "Replaces the binding of that name, unless the configuration has it.",
	}, s.bind)
	add(a, manage("binding"), http.MethodDelete, "/v1/bindings/{name}", about{id: "unbind", tag: "people", summary: "Take a binding away"}, s.unbind)
	add(a, manage("token"), http.MethodPost, "/v1/emergency", about{
		id: "sealEmergency", tag: "people", summary: "Make the emergency token, for the day on which nobody can sign on otherwise", shown: true,
		text: "It is shown this once, signs one person on as admin for an hour, and replaces the one before it. Keep it on paper.",
	}, s.sealEmergency)
	s.browsers(a)
}

// roll gives the Roll, or says that there is none here.
func (s *server) roll() (Roll, error) {
	if s.Roll == nil {
		return nil, fault.New(fault.Unavailable, "no server drives this data directory: tokens and roles are a server's").WithNext("tend serve")
	}
	return s.Roll, nil
}

type signOnInput struct{ Body wire.SignOn }

type madeOutput struct{ Body wire.Made }

func (s *server) signOnOnce(ctx context.Context, in *signOnInput) (*madeOutput, error) {
	roll, err := s.roll()
	if err != nil {
		return nil, err
	}
	p, _, err := roll.Once(ctx, in.Body.Token, in.Body.Name, in.Body.Why, from(ctx))
	if err != nil {
		return nil, err
	}
	lasts := setupToken
	if in.Body.Why != "" {
		lasts = emergencyToken
	}
	text, t, err := roll.New(ctx, identity.Make{Kind: identity.Personal, Name: "sign-on", For: lasts}, p)
	return &madeOutput{wire.Made{Text: text, Token: tokenOf(t)}}, err
}

type signOnCodeInput struct{ Body wire.SignOnCode }

func (s *server) signOnByCode(ctx context.Context, in *signOnCodeInput) (*madeOutput, error) {
	roll, err := s.roll()
	if err != nil {
		return nil, err
	}
	text, t, err := roll.Redeem(ctx, in.Body.Code, in.Body.Verifier, from(ctx))
	return &madeOutput{wire.Made{Text: text, Token: tokenOf(t)}}, err
}

func tokenOf(t identity.Token) wire.Token {
	return wire.Token{
		Expires: t.Expires, ID: t.ID, Kind: string(t.Kind), Made: t.Made, MadeBy: t.By, Name: t.Name, Owner: t.Owner, Revoked: t.Revoked, Scope: t.Scope,
	}
}

type tokensInput struct {
	All bool `query:"all" doc:"Everybody's."`
}

type tokensOutput struct{ Body wire.Tokens }

func (s *server) listTokens(ctx context.Context, in *tokensInput) (*tokensOutput, error) {
	roll, err := s.roll()
	if err != nil {
		return nil, err
	}
	owner := Asker(ctx).ID
	if in.All {
		if err := s.allow(ctx, access.Need{Verb: access.Manage, Kind: "token"}); err != nil {
			return nil, err
		}
		owner = ""
	}
	out := &tokensOutput{wire.Tokens{Tokens: []wire.Token{}}}
	for _, t := range roll.Tokens(owner) {
		out.Body.Tokens = append(out.Body.Tokens, tokenOf(t))
	}
	return out, nil
}

type makeInput struct{ Body wire.MakeToken }

func (s *server) makeToken(ctx context.Context, in *makeInput) (*madeOutput, error) {
	roll, err := s.roll()
	if err != nil {
		return nil, err
	}
	req := in.Body
	if req.Kind == string(identity.Service) {
		if err := s.allow(ctx, access.Need{Verb: access.Manage, Kind: "token"}); err != nil {
			return nil, err
		}
	}
	lasts, err := time.ParseDuration(req.For)
	if err != nil {
		return nil, fault.New(fault.Invalid, "for: %q is not a duration", req.For).WithNext("write it as 720h")
	}
	text, t, err := roll.New(ctx, identity.Make{Kind: identity.Kind(req.Kind), Name: req.Name, For: lasts, Scope: req.Scope}, Asker(ctx))
	return &madeOutput{wire.Made{Text: text, Token: tokenOf(t)}}, err
}

type revokeInput struct {
	Token string `path:"token" doc:"Id of the token." maxLength:"64"`
	Why   string `query:"why" doc:"The reason." maxLength:"1000"`
}

func (s *server) revokeToken(ctx context.Context, in *revokeInput) (*struct{}, error) {
	roll, err := s.roll()
	if err != nil {
		return nil, err
	}
	mine := slices.ContainsFunc(roll.Tokens(Asker(ctx).ID), func(t identity.Token) bool { return t.ID == in.Token })
	if !mine && s.allow(ctx, access.Need{Verb: access.Manage, Kind: "token"}) != nil {
		return nil, fault.New(fault.NotFound, "there is no token %q", in.Token) // of theirs
	}
	return nil, roll.Revoke(ctx, in.Token, Asker(ctx), in.Why)
}

type bindingsOutput struct{ Body wire.Bindings }

func (s *server) listBindings(context.Context, *struct{}) (*bindingsOutput, error) {
	roll, err := s.roll()
	if err != nil {
		return nil, err
	}
	return &bindingsOutput{wire.Bindings{Bindings: append([]access.Binding{}, roll.Policy().Bindings...)}}, nil
}

type bindInput struct {
	Name string `path:"name" doc:"Of the binding." maxLength:"200"`
	Why  string `query:"why" doc:"The reason." maxLength:"1000"`
	Body wire.Bind
}

func (s *server) bind(ctx context.Context, in *bindInput) (*struct{}, error) {
	roll, err := s.roll()
	if err != nil {
		return nil, err
	}
	b := in.Body
	return nil, roll.Bind(ctx, access.Binding{
		Name: in.Name, Subjects: b.Subjects, Role: access.Role(b.Role), Projects: b.Projects, Labels: b.Labels, Deny: b.Deny,
	}, Asker(ctx), in.Why)
}

type unbindInput struct {
	Name string `path:"name" doc:"Of the binding." maxLength:"200"`
	Why  string `query:"why" doc:"The reason." maxLength:"1000"`
}

func (s *server) unbind(ctx context.Context, in *unbindInput) (*struct{}, error) {
	roll, err := s.roll()
	if err != nil {
		return nil, err
	}
	return nil, roll.Unbind(ctx, in.Name, Asker(ctx), in.Why)
}

type sealedOutput struct{ Body wire.Sealed }

func (s *server) sealEmergency(ctx context.Context, _ *struct{}) (*sealedOutput, error) {
	roll, err := s.roll()
	if err != nil {
		return nil, err
	}
	text, err := roll.Seal(ctx, Asker(ctx))
	return &sealedOutput{wire.Sealed{Text: text}}, err
}

// browsers are the ways by which people sign on with their issuer, and off again. A browser follows them; they are not part
// of the contract.
func (s *server) browsers(a *api) {
	free := access.Need{Verb: access.Nothing}
	a.mount(free, http.MethodGet, "/auth/begin/{issuer}", 0, s.handled(func(roll Roll, w http.ResponseWriter, r *http.Request) error {
		q := r.URL.Query()
		if !q.Has("challenge") {
			return roll.Begin(w, r, r.PathValue("issuer"), q.Get("back"))
		}
		port := 0
		if q.Has("port") {
			var err error
			if port, err = strconv.Atoi(q.Get("port")); err != nil || port == 0 {
				return fault.New(fault.Invalid, "port=%q is not a port", q.Get("port"))
			}
		}
		return roll.BeginFor(w, r, r.PathValue("issuer"), identity.Program{Challenge: q.Get("challenge"), Port: port, State: q.Get("state")})
	}))
	a.mount(free, http.MethodGet, "/auth/callback", 0, s.handled(func(roll Roll, w http.ResponseWriter, r *http.Request) error {
		p, to, err := roll.Finish(w, r)
		switch {
		case err != nil && strings.Contains(r.Header.Get("Accept"), "text/html"):
			refusePage(w, wire.NewProblem(err)) // a person reads it, in the window in which they wanted to sign on
			return nil
		case err != nil:
			return err
		case to.Code != "":
			send(w, "text/html; charset=utf-8", codePage(p.Name, to.Code))
			return nil
		case to.Program:
			http.Redirect(w, r, to.To, http.StatusSeeOther)
			return nil
		}
		if err := roll.SignOn(r.Context(), w, p); err != nil {
			return err
		}
		http.Redirect(w, r, to.Path, http.StatusSeeOther)
		return nil
	}))
	a.mount(free, http.MethodPost, "/auth/on", maxBody, s.handled(func(roll Roll, w http.ResponseWriter, r *http.Request) error {
		var in wire.SignOn
		d := json.NewDecoder(r.Body)
		d.DisallowUnknownFields()
		if err := d.Decode(&in); err != nil {
			return fault.New(fault.Invalid, "the body is not a sign-on").WithNext(`send {"token": "…"}`) // it is not repeated: a token may be in it
		}
		err := roll.Enter(r.Context(), w, strings.TrimSpace(in.Token), in.Name, in.Why, from(r.Context()))
		if err == nil {
			w.WriteHeader(http.StatusNoContent)
		}
		return err
	}))
	a.mount(free, http.MethodPost, "/auth/off", maxBody, s.handled(func(roll Roll, w http.ResponseWriter, r *http.Request) error {
		err := roll.SignOff(w, r)
		if err == nil {
			w.WriteHeader(http.StatusNoContent)
		}
		return err
	}))
	a.mount(free, http.MethodGet, "/auth/issuers", 0, s.handled(func(roll Roll, w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Content-Type", "application/json")
		return marshal(w, wire.Issuers{Issuers: append([]string{}, roll.Names()...), URL: roll.Address()})
	}))
}

// codePage shows a code to whoever signed on for a program on another machine.
func codePage(name, code string) []byte {
	return []byte(`<!doctype html><html lang="en"><meta charset="utf-8"><title>tend login</title><link rel="stylesheet" href="/docs/api/page.css"><main><h1>Signed on as ` +
		html.EscapeString(name) + `</h1><p>Type this code where <code>tend login</code> asks for it, within five minutes:</p><p><code>` + html.EscapeString(code) +
		`</code></p><p>Whoever has it can act as you. If you did not run <code>tend login</code> yourself just now, close this page and give it to nobody.</p></main></html>`)
}

// refusePage says in words that somebody is not signed on, and why.
func refusePage(w http.ResponseWriter, p wire.Problem) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", pagePolicy)
	w.WriteHeader(p.Status)
	next := "Close this window, and begin again where you came from."
	if p.Next != "" {
		next = p.Next + ". " + next
	}
	_, _ = io.WriteString(w, `<!doctype html><html lang="en"><meta charset="utf-8"><title>Not signed on · tend</title><link rel="stylesheet" href="/docs/api/page.css"><main><h1>You are not signed on</h1><p>`+
		html.EscapeString(p.Detail)+`</p><p>`+html.EscapeString(next)+`</p><p><a href="/">tend</a></p></main></html>`)
}

// handled turns an error of a mounted handler into a problem.
func (s *server) handled(h func(Roll, http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		roll, err := s.roll()
		if err == nil {
			err = h(roll, w, r)
		}
		if err != nil {
			fail(w, err)
		}
	})
}
