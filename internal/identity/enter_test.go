package identity_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/identity"
)

// TestEnter: a browser signs on by a personal token, and the session ends with it; one that is good once is used up; that of
// a service is refused.
func TestEnter(t *testing.T) {
	t.Parallel()
	b := setup(t, identity.Config{})
	ann := access.Principal{ID: "user:ann", Name: "Ann"}
	enter := func(token string) (*http.Cookie, error) {
		w := httptest.NewRecorder()
		err := b.Enter(t.Context(), w, token, "", "", "192.0.2.1")
		for _, c := range w.Result().Cookies() {
			return c, err
		}
		return nil, err
	}
	who := func(c *http.Cookie) (access.Principal, error) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.AddCookie(c)
		return b.Identify(r)
	}
	text, _, err := b.New(t.Context(), identity.Make{Kind: identity.Personal, Name: "laptop", For: time.Hour, Scope: &access.Scope{Roles: []access.Role{access.Viewer}}}, ann)
	if err != nil {
		t.Fatal(err)
	}
	c, err := enter(text)
	if err != nil || c == nil || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode {
		t.Fatalf("%v %v", c, err)
	}
	p, err := who(c)
	if err != nil || p.ID != "user:ann" || p.Via != "page" || p.Scope == nil {
		t.Errorf("%+v %v", p, err)
	}
	other, err := enter(text)
	if err != nil {
		t.Fatal(err)
	}
	b.clock.pass(61 * time.Minute)
	if _, err := who(other); !fault.Is(err, fault.Auth) {
		t.Errorf("the session outlives its token: %v", err)
	}

	again, token, err := b.New(t.Context(), identity.Make{Kind: identity.Personal, Name: "laptop", For: time.Hour}, ann)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = enter(again); err != nil {
		t.Fatal(err)
	}
	if err := b.Revoke(t.Context(), token.ID, ann, "lost"); err != nil {
		t.Fatal(err)
	}
	if _, err := who(c); !fault.Is(err, fault.Auth) {
		t.Errorf("the session outlives the revocation of its token: %v", err)
	}
	if _, err := enter(again); !fault.Is(err, fault.Auth) {
		t.Errorf("a revoked token lets in: %v", err)
	}

	text, _, err = b.New(t.Context(), identity.Make{Kind: identity.Service, Name: "ci", For: time.Hour}, ann)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := enter(text); !fault.Is(err, fault.Refused) {
		t.Errorf("a service signs on: %v", err)
	}

	text, _, err = b.New(t.Context(), identity.Make{Kind: identity.Setup, Name: "setup", Owner: "user:local-admin", For: time.Hour}, ann)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = enter(text); err != nil {
		t.Fatal(err)
	}
	if p, err := who(c); err != nil || p.ID != "user:local-admin" {
		t.Errorf("%+v %v", p, err)
	}
	if _, err := enter(text); !fault.Is(err, fault.Auth) {
		t.Errorf("what is good once is good twice: %v", err)
	}
}
