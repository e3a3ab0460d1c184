package identity_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/identity"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/memory"
)

// clock is a time that tests set.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

type bench struct {
	*identity.Desk
	clock  *clock
	ledger *ledger.Ledger
	disk   *memory.Disk
}

func setup(t *testing.T, c identity.Config) *bench {
	t.Helper()
	b := &bench{clock: &clock{t: time.Now()}, disk: new(memory.Disk)}
	b.open(t, c)
	return b
}

// open opens the desk anew, on what is stored.
func (b *bench) open(t *testing.T, c identity.Config) {
	t.Helper()
	if b.ledger != nil {
		if err := b.ledger.Close(t.Context()); err != nil { // what was submitted is written
			t.Fatal(err)
		}
	}
	s := memory.Open(b.disk)
	lease, err := s.Claim(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	b.ledger = ledger.Open(s, lease, nil)
	l := b.ledger
	t.Cleanup(func() { _ = l.Close(context.Background()) })
	c.Ledger, c.Now = l, b.clock.now
	if b.Desk, err = identity.Open(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

func request(token string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/v1/runs", nil)
	r.RemoteAddr = "192.0.2.7:4711"
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r
}

// audit gives what the audit streams say, as "what object" and "verb allowed".
func (b *bench) audit(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, stream := range []string{ledger.AuditServer, ledger.AuditAccess} {
		es, err := b.ledger.Read(t.Context(), stream, 1, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range es {
			p, err := entry.Decode(e)
			if err != nil {
				t.Fatal(err)
			}
			switch x := p.(type) {
			case *entry.Audited:
				out = append(out, x.What+" by "+x.By.ID)
			case *entry.AccessDecided:
				if x.Allowed {
					out = append(out, "allowed "+x.Verb+" to "+x.By.ID)
				} else {
					out = append(out, "denied "+x.Verb+" to "+x.By.ID)
				}
			}
			if strings.Contains(string(e.Payload), "tend_") {
				t.Errorf("a token is in the audit: %s", e.Payload)
			}
		}
	}
	return out
}

var alice = access.Principal{ID: "user:alice@example.org", Name: "Alice", Groups: []string{"sre"}, Via: "page"}

func TestTokens(t *testing.T) {
	t.Parallel()
	b := setup(t, identity.Config{})
	text, tok, err := b.New(t.Context(), identity.Make{Kind: identity.Personal, Name: "laptop", For: 24 * time.Hour}, alice)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(text, "tend_") || len(text) < 37 {
		t.Errorf("the token looks like %q", text)
	}
	p, err := b.Identify(request(text))
	if err != nil || p.ID != alice.ID || p.Name != "Alice" || !slices.Equal(p.Groups, alice.Groups) || p.Via != "api" || p.From != "192.0.2.7" {
		t.Errorf("%+v, %v", p, err)
	}
	robot, rt, err := b.New(t.Context(), identity.Make{Kind: identity.Service, Name: "ci-deploy", For: time.Hour, Scope: &access.Scope{Roles: []access.Role{access.Viewer}}}, alice)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := b.Identify(request(robot)); err != nil || p.ID != "token:ci-deploy" || p.Scope == nil || p.Groups != nil {
		t.Errorf("%+v, %v", p, err)
	}
	for _, bad := range []string{"", "tend_", "tend_guess", text[:len(text)-1], strings.ToUpper(text), text + "x", "x", "a.b.c"} {
		if p, err := b.Identify(request(bad)); !fault.Is(err, fault.Auth) || p.ID != "" {
			t.Errorf("%q: %+v, %v", bad, p, err)
		}
	}
	r := request("")
	r.Header.Set("Authorization", "Basic YTpi")
	if _, err := b.Identify(r); !fault.Is(err, fault.Auth) {
		t.Errorf("basic: %v", err)
	}

	// They survive a restart, and the text is nowhere.
	b.open(t, identity.Config{})
	if _, err := b.Identify(request(text)); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	page, err := b.ledger.Rows(t.Context(), store.Filter{Kind: "token"})
	if err != nil || len(page.Rows) != 2 {
		t.Fatalf("%d rows, %v", len(page.Rows), err)
	}
	for _, row := range page.Rows {
		if strings.Contains(string(row.Body), strings.TrimPrefix(text, "tend_")) {
			t.Error("the token itself is stored")
		}
	}
	if got := b.Tokens(alice.ID); len(got) != 1 || got[0].ID != tok.ID || got[0].Hash != "" {
		t.Errorf("alice's tokens: %+v", got)
	}
	// Revoked means at once, and for ever.
	if err := b.Revoke(t.Context(), rt.ID, alice, "it leaked"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Identify(request(robot)); !fault.Is(err, fault.Auth) || !strings.Contains(err.Error(), "revoked") {
		t.Errorf("revoked: %v", err)
	}
	b.open(t, identity.Config{})
	if _, err := b.Identify(request(robot)); !fault.Is(err, fault.Auth) {
		t.Errorf("revoked, after a restart: %v", err)
	}
	b.clock.pass(24 * time.Hour)
	if _, err := b.Identify(request(text)); !fault.Is(err, fault.Auth) || !strings.Contains(err.Error(), "expired") {
		t.Errorf("expired: %v", err)
	}
	if err := b.Revoke(t.Context(), "tok_nothing", alice, ""); !fault.Is(err, fault.NotFound) {
		t.Errorf("%v", err)
	}
	want := []string{"token-made by user:alice@example.org", "token-made by user:alice@example.org", "token-revoked by user:alice@example.org"}
	if got := b.audit(t); !slices.Equal(got, want) {
		t.Errorf("the audit says %v", got)
	}
}

func TestMakeRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, identity.Config{})
	scoped := alice
	scoped.Scope = &access.Scope{Roles: []access.Role{access.Viewer}}
	for name, c := range map[string]struct {
		m  identity.Make
		by access.Principal
	}{
		"for ever":                  {identity.Make{Kind: identity.Personal, For: 1000 * 24 * time.Hour}, alice},
		"for no time":               {identity.Make{Kind: identity.Personal}, alice},
		"by a token with bounds":    {identity.Make{Kind: identity.Personal, For: time.Hour}, scoped},
		"a service without a name":  {identity.Make{Kind: identity.Service, For: time.Hour}, alice},
		"a service like an address": {identity.Make{Kind: identity.Service, Name: "x@example.org", For: time.Hour}, alice},
		"a service with a star":     {identity.Make{Kind: identity.Service, Name: "ci-*", For: time.Hour}, alice},
		"the emergency login":       {identity.Make{Kind: identity.Service, Name: "emergency", For: time.Hour}, alice},
		"another kind":              {identity.Make{Kind: "root", For: time.Hour}, alice},
	} {
		if text, _, err := b.New(t.Context(), c.m, c.by); err == nil || text != "" {
			t.Errorf("%s: %q", name, text)
		}
	}
}

func TestSessions(t *testing.T) {
	t.Parallel()
	conf := identity.Config{URL: "https://tend.example.org", Session: time.Hour, Longest: 3 * time.Hour}
	b := setup(t, conf)
	w := httptest.NewRecorder()
	if err := b.SignOn(t.Context(), w, alice); err != nil {
		t.Fatal(err)
	}
	c := w.Result().Cookies()[0]
	if c.Name != "__Host-tend" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
		t.Errorf("the cookie is %+v", c)
	}
	use := func() error {
		r := request("")
		r.AddCookie(c)
		p, err := b.Identify(r)
		if err == nil && (p.ID != alice.ID || p.Via != "page") {
			t.Errorf("%+v", p)
		}
		return err
	}
	for range 5 { // it lasts while it is used
		b.clock.pass(30 * time.Minute)
		if err := use(); err != nil {
			t.Fatal(err)
		}
	}
	b.open(t, conf)
	if err := use(); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	if _, err := b.Identify(request(c.Value)); !fault.Is(err, fault.Auth) {
		t.Errorf("a session as a bearer token: %v", err)
	}
	b.clock.pass(31 * time.Minute) // and not longer than it may at all
	if err := use(); !fault.Is(err, fault.Auth) {
		t.Errorf("for ever: %v", err)
	}
	// Signing off ends it on the server too.
	w = httptest.NewRecorder()
	if err := b.SignOn(t.Context(), w, alice); err != nil {
		t.Fatal(err)
	}
	c = w.Result().Cookies()[0]
	r := request("")
	r.AddCookie(c)
	if err := b.SignOff(httptest.NewRecorder(), r); err != nil {
		t.Fatal(err)
	}
	if err := use(); !fault.Is(err, fault.Auth) {
		t.Errorf("signed off: %v", err)
	}
}

func TestOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, identity.Config{})
	first, err := b.Setup(t.Context())
	if err != nil || first == "" {
		t.Fatalf("%q, %v", first, err)
	}
	if again, err := b.Setup(t.Context()); err != nil || again != "" {
		t.Errorf("a second one: %q, %v", again, err)
	}
	p, session, err := b.Once(t.Context(), first, "", "", "127.0.0.1")
	if err != nil || p.ID != "user:local-admin" || session == "" {
		t.Fatalf("%+v, %v", p, err)
	}
	if err := b.Authorize(t.Context(), p, access.Need{Verb: access.Manage}); err != nil {
		t.Errorf("the first admin: %v", err)
	}
	if _, _, err := b.Once(t.Context(), first, "", "", ""); !fault.Is(err, fault.Auth) {
		t.Errorf("twice: %v", err)
	}
	old, err := b.Seal(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := b.Seal(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Identify(request(sealed)); !fault.Is(err, fault.Auth) {
		t.Errorf("it is a bearer token: %v", err)
	}
	for _, c := range [][3]string{{old, "bob", "okta is down"}, {sealed, "", "okta is down"}, {sealed, "bob", " "}, {"tend_x", "bob", "x"}} {
		if _, _, err := b.Once(t.Context(), c[0], c[1], c[2], ""); err == nil {
			t.Errorf("%v is taken", c)
		}
	}
	// Ten people at once: one of them gets in.
	var in sync.Map
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			if _, s, err := b.Once(t.Context(), sealed, "bob", "okta is down", "192.0.2.7"); err == nil {
				in.Store(i, s)
			}
		})
	}
	wg.Wait()
	n := 0
	in.Range(func(_, s any) bool {
		n++
		r := request("")
		r.AddCookie(&http.Cookie{Name: "tend", Value: s.(string)})
		p, err := b.Identify(r)
		if err != nil || p.ID != "token:emergency" || p.Name != "emergency (bob)" {
			t.Errorf("%+v, %v", p, err)
		}
		b.clock.pass(61 * time.Minute)
		if _, err := b.Identify(r); !fault.Is(err, fault.Auth) {
			t.Errorf("after an hour: %v", err)
		}
		return true
	})
	if n != 1 {
		t.Errorf("%d got in", n)
	}
	if !slices.Contains(b.audit(t), "emergency-login by token:emergency") {
		t.Errorf("the audit says %v", b.audit(t))
	}
}

func TestAuthorize(t *testing.T) {
	t.Parallel()
	conf := identity.Config{Policy: access.Policy{Bindings: []access.Binding{{Name: "all look", Subjects: []string{"*"}, Role: access.Viewer}}}}
	b := setup(t, conf)
	view, start := access.Need{Verb: access.View, Kind: "run"}, access.Need{Verb: access.Start, Kind: "run", Project: "default"}
	for range 50 {
		if err := b.Authorize(t.Context(), alice, view); err != nil {
			t.Fatal(err)
		}
	}
	err := b.Authorize(t.Context(), alice, start)
	if !fault.Is(err, fault.Refused) || !strings.Contains(fault.NextOf(err), "operator") {
		t.Errorf("%v, next %q", err, fault.NextOf(err))
	}
	if err := b.Bind(t.Context(), access.Binding{Name: "sre", Subjects: []string{"group:sre"}, Role: access.Operator}, alice, "they are on call"); err != nil {
		t.Fatal(err)
	}
	if err := b.Authorize(t.Context(), alice, start); err != nil {
		t.Errorf("bound: %v", err)
	}
	b.open(t, conf)
	if err := b.Authorize(t.Context(), alice, start); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	if err := b.Unbind(t.Context(), "sre", alice, "they are not"); err != nil {
		t.Fatal(err)
	}
	if err := b.Authorize(t.Context(), alice, start); !fault.Is(err, fault.Refused) {
		t.Errorf("unbound: %v", err)
	}
	for name, err := range map[string]error{
		"a binding of the file":  b.Bind(t.Context(), access.Binding{Name: "all look", Subjects: []string{"*"}, Role: access.Admin}, alice, ""),
		"one that names nobody":  b.Bind(t.Context(), access.Binding{Name: "x", Role: access.Admin}, alice, ""),
		"one that was not there": b.Unbind(t.Context(), "all look", alice, ""),
	} {
		if err == nil {
			t.Errorf("%s was changed", name)
		}
	}
	if err := b.ledger.Close(t.Context()); err != nil { // what was submitted is written
		t.Fatal(err)
	}
	s := memory.Open(b.disk)
	es, err := s.Read(t.Context(), ledger.AuditAccess, 1, 100)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range es {
		p, err := entry.Decode(e)
		if err != nil {
			t.Fatal(err)
		}
		a := p.(*entry.AccessDecided)
		got = append(got, map[bool]string{true: "+", false: "-"}[a.Allowed]+a.Verb)
	}
	if want := []string{"+view", "-start", "+start", "+start", "-start"}; !slices.Equal(got, want) {
		t.Errorf("recorded %v, not %v", got, want)
	}
}
