package identity

import (
	"context"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/ledger"
)

// Identify tells who is behind a request: by its bearer token, else by its session. Errors are of kind fault.Auth.
func (d *Desk) Identify(r *http.Request) (access.Principal, error) {
	from := address(r)
	if h := r.Header.Get("Authorization"); h != "" {
		kind, text, _ := strings.Cut(h, " ")
		if !strings.EqualFold(kind, "Bearer") || text == "" {
			return access.Principal{}, unknown("the Authorization header is not a bearer token").WithNext("send Authorization: Bearer TOKEN")
		}
		return d.bearer(r.Context(), strings.TrimSpace(text), from)
	}
	if c, err := r.Cookie(d.cookie()); err == nil {
		return d.session(r.Context(), c.Value, from)
	}
	return access.Principal{}, unknown("nobody is signed on").WithNext("run `tend login`, or send Authorization: Bearer TOKEN")
}

// bearer knows a token of ours, or one of an issuer.
func (d *Desk) bearer(ctx context.Context, text, from string) (access.Principal, error) {
	if !strings.HasPrefix(text, prefix) {
		return d.foreign(ctx, text, from)
	}
	t, err := d.good(text, Personal, Service)
	if err != nil {
		return access.Principal{}, err
	}
	return principal(t, "api", from), nil
}

// good finds a token that is still good and of one of these kinds.
func (d *Desk) good(text string, kinds ...Kind) (*Token, error) {
	d.mu.RLock()
	t := d.tokens[hash(text)]
	var of *Token
	if t != nil {
		of = d.byID[t.Of]
	}
	d.mu.RUnlock()
	now := d.cfg.Now()
	switch {
	case of != nil && !of.Revoked.IsZero():
		return nil, unknown("the token %s that the session was opened with was revoked", of.ID)
	case t == nil || !slices.Contains(kinds, t.Kind):
		return nil, unknown("the token is not known here").WithNext("run `tend login`, or make a new token")
	case !t.Revoked.IsZero():
		return nil, unknown("the token %s was revoked", t.ID)
	case !now.Before(t.Expires):
		return nil, unknown("the token %s expired at %s", t.ID, t.Expires.Format(time.RFC3339)).WithNext("run `tend login`, or make a new token")
	}
	return t, nil
}

func principal(t *Token, via, from string) access.Principal {
	return access.Principal{ID: t.Owner, Name: t.Show, Groups: t.Groups, Via: via, From: from, Scope: t.Scope}
}

// session knows a cookie, and lets the session last while it is used: its new end is written once in an hour.
func (d *Desk) session(ctx context.Context, text, from string) (access.Principal, error) {
	t, err := d.good(text, Session)
	if err != nil {
		return access.Principal{}, err
	}
	now := d.cfg.Now().UTC().Truncate(time.Microsecond)
	if until := earlier(now.Add(d.cfg.Session), t.Ends); until.Sub(t.Expires) > min(time.Hour, d.cfg.Session/4) {
		longer := *t
		longer.Expires = until
		if err := d.write(ctx, longer); err != nil {
			d.cfg.Log.Warn("a session could not be made to last", "session", t.ID, "error", err)
		}
	}
	return principal(t, "page", from), nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// address is where a request comes from, as the connection says.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// secure tells whether browsers reach this server by TLS.
func (d *Desk) secure() bool { return strings.HasPrefix(d.cfg.URL, "https://") }

// cookie names the session's cookie. __Host- binds it to this host and to TLS.
func (d *Desk) cookie() string {
	if d.secure() {
		return "__Host-tend"
	}
	return "tend"
}

func (d *Desk) setCookie(w http.ResponseWriter, text string, lasts time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: d.cookie(), Value: text, Path: "/", MaxAge: int(lasts.Seconds()), Secure: d.secure(), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// Cookie gives a browser its session.
func (d *Desk) Cookie(w http.ResponseWriter, session string) { d.setCookie(w, session, d.cfg.Longest) }

// SignOn begins a session for somebody who proved who they are.
func (d *Desk) SignOn(ctx context.Context, w http.ResponseWriter, p access.Principal) error {
	text, _, err := d.New(ctx, Make{Kind: Session, Name: "session", Owner: p.ID, Groups: p.Groups, Show: p.Name, Scope: p.Scope, For: d.cfg.Longest}, p)
	if err != nil {
		return err
	}
	d.setCookie(w, text, d.cfg.Longest)
	return nil
}

// Enter signs a browser on by a token: a personal one, whose session ends with it, or one that is good once (see Once).
func (d *Desk) Enter(ctx context.Context, w http.ResponseWriter, text, name, why, from string) error {
	if _, err := d.good(text, Emergency, Setup); err == nil {
		_, session, err := d.Once(ctx, text, name, why, from)
		if err == nil {
			d.Cookie(w, session)
		}
		return err
	}
	if t, err := d.good(text, Service); err == nil {
		return fault.New(fault.Refused, "the token %s stands for a service, not for a person", t.ID).WithNext("sign on with a token of yours: tend tokens new")
	}
	t, err := d.good(text, Personal)
	if err != nil {
		return err
	}
	lasts := min(d.cfg.Longest, t.Expires.Sub(d.cfg.Now()))
	session, _, err := d.New(ctx, Make{Kind: Session, Name: "session", Owner: t.Owner, Groups: t.Groups, Show: t.Show, Scope: t.Scope, For: lasts, Of: t.ID}, principal(t, "page", from))
	if err == nil {
		d.setCookie(w, session, lasts)
	}
	return err
}

// SignOff ends the session of a request.
func (d *Desk) SignOff(w http.ResponseWriter, r *http.Request) error {
	d.setCookie(w, "", -time.Second)
	if c, err := r.Cookie(d.cookie()); err == nil {
		if t, err := d.good(c.Value, Session); err == nil {
			return d.Revoke(r.Context(), t.ID, principal(t, "page", address(r)), "signed off")
		}
	}
	return nil // there was none, or it is over already
}

// Seal makes the emergency login: a token for the day on which the identity provider is down. It signs one person on, once,
// as admin, for an hour; whoever opens it says who they are and why, and everybody can read that. The one before it is
// revoked.
func (d *Desk) Seal(ctx context.Context, by access.Principal) (text string, err error) {
	for _, t := range d.Tokens("") {
		if t.Kind == Emergency && t.Revoked.IsZero() {
			if err := d.Revoke(ctx, t.ID, by, "another one was made"); err != nil {
				return "", err
			}
		}
	}
	text, _, err = d.New(ctx, Make{Kind: Emergency, Name: "emergency", Owner: emergencyID, Show: "emergency", For: longestService}, by)
	return text, err
}

// Setup makes the token of a first start, good for one sign-on as admin within a day. Where anybody has ever signed on it
// makes none, and gives "".
func (d *Desk) Setup(ctx context.Context) (text string, err error) {
	if len(d.Tokens("")) > 0 {
		return "", nil
	}
	by := access.Principal{ID: "tend", Name: "tend", Via: "engine"}
	text, _, err = d.New(ctx, Make{Kind: Setup, Name: "setup", Owner: setupID, Show: "local admin", For: 24 * time.Hour}, by)
	return text, err
}

// How long the session of a one-time sign-on lasts.
const (
	emergencyLasts = time.Hour
	setupLasts     = 12 * time.Hour
)

// Once signs somebody on by a token that is good once: the emergency login, which needs a name and a reason, or that of the
// first start. It is used up in the commit that records who used it.
func (d *Desk) Once(ctx context.Context, text, name, why, from string) (access.Principal, string, error) {
	name, why = strings.TrimSpace(name), strings.TrimSpace(why)
	var none access.Principal
	t, err := d.good(text, Emergency, Setup)
	if err != nil {
		return none, "", err
	}
	p, lasts := access.Principal{ID: t.Owner, Name: t.Show, Via: "api", From: from}, setupLasts
	if t.Kind == Emergency {
		if name == "" || why == "" {
			return none, "", fault.New(fault.Invalid, "the emergency login needs your name and the reason").WithNext("both are recorded, and shown to the admins")
		}
		p.Name, lasts = "emergency ("+clip(name)+")", emergencyLasts
	}
	d.once.Lock()
	defer d.once.Unlock()
	if t, err = d.good(text, Emergency, Setup); err != nil {
		return none, "", err // somebody was faster
	}
	used := *t
	used.Revoked = d.cfg.Now().UTC().Truncate(time.Microsecond)
	if err := d.write(ctx, used, ledger.Audit(Who(p), string(t.Kind)+"-login", t.ID, why, map[string]any{"claimed": clip(name)})); err != nil {
		return none, "", err
	}
	if t.Kind == Emergency {
		d.cfg.Log.Warn("the emergency login was used", "claimed", clip(name), "why", clip(why), "from", from)
	}
	session, _, err := d.New(ctx, Make{Kind: Session, Name: string(t.Kind), Owner: p.ID, Show: p.Name, For: lasts}, p)
	return p, session, err
}

func unknown(format string, a ...any) *fault.Error { return fault.New(fault.Auth, format, a...) }
