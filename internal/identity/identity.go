// Package identity finds out who asks: by a token of ours, a session, or a token of an issuer that the configuration trusts.
// What they may do then is for package access.
//
// What it guarantees: a token or a session is known by its hash only, is refused from the moment its revocation is durable
// on, and never outlives its expiry; a name comes from an issuer or from whoever made the token, never from a request; what
// is decided is recorded in the audit stream, and what changes is in the same commit as its record.
package identity

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/id"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/value"
)

// Config of a Desk.
type Config struct {
	Ledger  *ledger.Ledger
	Policy  access.Policy // of the configuration; bindings of the ledger are added
	Issuers []Issuer
	URL     string        // where browsers find this server: https://tend.example.org
	Session time.Duration // how long a session lasts without being used. Default: 12 h
	Longest time.Duration // how long it lasts at all. Default: 7 days
	Log     *slog.Logger
	Now     func() time.Time // default: time.Now
	Client  *http.Client     // to issuers. Default: 10 s for an answer
}

// Desk knows who is who. It is safe for concurrent use.
type Desk struct {
	cfg     Config
	issuers []*issuer

	once sync.Mutex // one-time sign-ons, one after the other

	mu       sync.RWMutex
	tokens   map[string]*Token // by hash
	byID     map[string]*Token
	bindings map[string]access.Binding
	policy   access.Policy // of the configuration and the bindings
	flows    map[string]flow
	grants   map[string]grant     // by the hash of the code
	seen     map[string]time.Time // looks that were recorded a moment ago
}

// Kind says what a Token is for.
type Kind string

// The kinds of tokens. A session is a token in a cookie.
const (
	Personal  Kind = "personal"
	Service   Kind = "service"
	Session   Kind = "session"
	Emergency Kind = "emergency" // sealed until the identity provider is down: good for one sign-on
	Setup     Kind = "setup"     // of the first start: good for one sign-on
)

// Token is what is kept of a token: everything but the token itself.
type Token struct {
	By      entry.Who     `json:"by"`
	Ends    time.Time     `json:"ends,omitzero"` // of a session: however it is used
	Expires time.Time     `json:"expires,omitzero"`
	Groups  []string      `json:"groups,omitempty"`
	Hash    string        `json:"hash"`
	ID      string        `json:"id"`
	Kind    Kind          `json:"kind"`
	Made    time.Time     `json:"made"`
	Name    string        `json:"name"`
	Of      string        `json:"of,omitempty"` // of a session: the personal token that it was opened with, and ends with
	Owner   string        `json:"owner"`        // principal that it stands for
	Revoked time.Time     `json:"revoked,omitzero"`
	Scope   *access.Scope `json:"scope,omitempty"`
	Show    string        `json:"show,omitempty"` // the owner's name for people
}

// The rows of a desk.
const (
	rowToken   = "token"
	rowBinding = "binding"
)

// Open reads what was there before.
func Open(ctx context.Context, c Config) (*Desk, error) {
	c.Session, c.Longest = cmp.Or(c.Session, 12*time.Hour), cmp.Or(c.Longest, 7*24*time.Hour)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Client == nil {
		c.Client = &http.Client{Timeout: 10 * time.Second}
	}
	d := &Desk{cfg: c, tokens: map[string]*Token{}, byID: map[string]*Token{}, bindings: map[string]access.Binding{}, flows: map[string]flow{}, grants: map[string]grant{}, seen: map[string]time.Time{}}
	var problems []error
	for _, p := range c.Policy.Problems() {
		problems = append(problems, fault.New(fault.Invalid, "access: %s", p))
	}
	for _, i := range c.Issuers {
		n, err := newIssuer(i, c)
		if err != nil {
			problems = append(problems, err)
		}
		d.issuers = append(d.issuers, n)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	err := c.Ledger.Each(ctx, store.Filter{Kind: rowToken}, func(r store.Row) error {
		var t Token
		if err := json.Unmarshal(r.Body, &t); err != nil {
			return fault.Wrap(fault.Damaged, err, "read the token %s", r.ID)
		}
		d.keep(&t)
		return nil
	})
	if err == nil {
		err = c.Ledger.Each(ctx, store.Filter{Kind: rowBinding}, func(r store.Row) error {
			var b access.Binding
			if err := json.Unmarshal(r.Body, &b); err != nil {
				return fault.Wrap(fault.Damaged, err, "read the binding %s", r.ID)
			}
			d.bindings[b.Name] = b
			return nil
		})
	}
	d.bind()
	return d, err
}

func (d *Desk) keep(t *Token) { d.tokens[t.Hash], d.byID[t.ID] = t, t }

// bind joins the bindings of the configuration and those of the ledger.
func (d *Desk) bind() {
	p := access.Policy{Bindings: slices.Clone(d.cfg.Policy.Bindings)}
	p.Bindings = append(p.Bindings, access.Binding{Name: "one-time sign-on", Subjects: []string{emergencyID, setupID}, Role: access.Admin})
	for _, b := range d.bindings {
		p.Bindings = append(p.Bindings, b)
	}
	d.policy = p
}

// prefix begins every token of ours, so that scanners find one that leaked.
const prefix = "tend_"

var encoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// secretText makes 160 bits that nobody can guess.
func secretText() (string, error) {
	var b [20]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", err
	}
	return prefix + encoding.EncodeToString(b[:]), nil
}

// hash names a token. It needs no salt: there are 2^160 of them.
func hash(text string) string {
	s := sha256.Sum256([]byte(text))
	return hex.EncodeToString(s[:])
}

// Make asks for a token.
type Make struct {
	Kind   Kind
	Name   string        // what it is for
	Owner  string        // service: token:NAME of its own; personal: who asks
	For    time.Duration // how long it is good; service tokens up to a year, personal ones up to 90 days
	Scope  *access.Scope
	Groups []string // of the owner, as they are now: a personal token does not learn of later ones
	Show   string
	Of     string // of a session: the token that it is opened with
}

// Bounds of lifetimes.
const (
	longestPersonal = 90 * 24 * time.Hour
	longestService  = 366 * 24 * time.Hour
)

// New makes a token and gives its text, which is not kept and cannot be shown again.
func (d *Desk) New(ctx context.Context, m Make, by access.Principal) (text string, t Token, err error) {
	limit := longestPersonal
	switch m.Kind {
	case Personal:
		m.Owner, m.Groups, m.Show = by.ID, by.Groups, by.Name
		if by.Scope != nil {
			return "", t, fault.New(fault.Refused, "a token that may not do everything cannot make tokens").WithNext("sign on yourself: tend login")
		}
	case Service:
		limit = longestService
		if !tokenName(m.Name) || "token:"+m.Name == emergencyID {
			return "", t, fault.New(fault.Invalid, "a service token is named by small letters, digits and hyphens, not %q", m.Name)
		}
		m.Owner, m.Groups, m.Show = "token:"+m.Name, nil, m.Name
	case Session, Emergency, Setup:
		limit = longestService
	default:
		return "", t, fault.New(fault.Invalid, "there is no kind of token %q", string(m.Kind)).WithNext("write personal or service")
	}
	if m.For <= 0 || m.For > limit {
		return "", t, fault.New(fault.Invalid, "a %s token lasts up to %d days, not %s", m.Kind, int(limit.Hours()/24), m.For)
	}
	if text, err = secretText(); err != nil {
		return "", t, fault.Wrap(fault.Internal, err, "make a token")
	}
	now := d.cfg.Now().UTC().Truncate(time.Microsecond)
	tid, err := id.New("tok", now, rand.Reader)
	if err != nil {
		return "", t, err
	}
	t = Token{By: Who(by), Expires: now.Add(m.For), Groups: m.Groups, Hash: hash(text), ID: tid, Kind: m.Kind, Made: now, Name: m.Name, Of: m.Of, Owner: m.Owner, Scope: m.Scope, Show: m.Show}
	if m.Kind == Session {
		t.Ends = t.Expires
		t.Expires = now.Add(min(d.cfg.Session, m.For))
	}
	if err := d.write(ctx, t, ledger.Audit(t.By, "token-made", t.ID, "", map[string]any{"kind": string(t.Kind), "name": t.Name, "owner": t.Owner, "expires": t.Expires.Format(time.RFC3339)})); err != nil {
		return "", t, err
	}
	return text, t, nil
}

func tokenName(s string) bool {
	return s != "" && len(s) <= 60 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// write makes a token durable, then known.
func (d *Desk) write(ctx context.Context, t Token, facts ...ledger.Fact) error {
	body, err := canonical(t)
	if err != nil {
		return err
	}
	status := "active"
	if !t.Revoked.IsZero() {
		status = "revoked"
	}
	err = d.cfg.Ledger.Append(ctx, ledger.Batch{Facts: facts, Rows: []store.Row{{
		Key: store.Key{Kind: rowToken, ID: t.ID}, Project: "default", Name: t.Name, Status: status, Tag: t.Owner, At: t.Made, Due: t.Expires, Body: body,
	}}})
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.keep(&t)
	return nil
}

func canonical(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	x, err := value.Parse(b)
	if err != nil {
		return nil, err
	}
	return value.Canonical(x)
}

// Revoke ends a token at once. Ending one that has ended is no error.
func (d *Desk) Revoke(ctx context.Context, tokenID string, by access.Principal, why string) error {
	d.mu.RLock()
	t := d.byID[tokenID]
	d.mu.RUnlock()
	if t == nil {
		return fault.New(fault.NotFound, "there is no token %q", tokenID)
	}
	if !t.Revoked.IsZero() {
		return nil
	}
	gone := *t
	gone.Revoked = d.cfg.Now().UTC().Truncate(time.Microsecond)
	return d.write(ctx, gone, ledger.Audit(Who(by), "token-revoked", t.ID, why, map[string]any{"name": t.Name, "owner": t.Owner}))
}

// Tokens lists the tokens of a principal, newest first; of everybody for owner "". Sessions are among them: somebody who
// lost a laptop wants to end those too.
func (d *Desk) Tokens(owner string) []Token {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var out []Token
	for _, t := range d.byID {
		if owner == "" || t.Owner == owner {
			c := *t
			c.Hash = ""
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b Token) int { return cmp.Or(b.Made.Compare(a.Made), strings.Compare(b.ID, a.ID)) })
	return out
}

// The principals of one-time sign-ons. They are admins: no binding names them.
const (
	emergencyID = "token:emergency"
	setupID     = "user:local-admin"
)

// Groups gives the groups of a person as their issuer told them at their last sign-on, while that session lasts.
func (d *Desk) Groups(owner string) []string {
	now := d.cfg.Now()
	for _, t := range d.Tokens(owner) {
		if t.Kind == Session && t.Revoked.IsZero() && (t.Expires.IsZero() || now.Before(t.Expires)) && (t.Ends.IsZero() || now.Before(t.Ends)) {
			return slices.Clone(t.Groups)
		}
	}
	return nil
}

// Who names a principal in entries.
func Who(p access.Principal) entry.Who {
	return entry.Who{ID: p.ID, Name: cmp.Or(p.Name, p.ID), Via: p.Via, From: p.From}
}

// Bind adds a binding, or replaces the one of its name. Those of the configuration file cannot be replaced.
func (d *Desk) Bind(ctx context.Context, b access.Binding, by access.Principal, why string) error {
	if p := (access.Policy{Bindings: []access.Binding{b}}).Problems(); len(p) > 0 {
		return fault.New(fault.Invalid, "%s", strings.Join(p, "; "))
	}
	if slices.ContainsFunc(d.cfg.Policy.Bindings, func(x access.Binding) bool { return x.Name == b.Name }) {
		return fault.New(fault.Conflict, "the binding %q stands in the server's configuration", b.Name).WithNext("change it there")
	}
	body, err := canonical(b)
	if err != nil {
		return err
	}
	detail := map[string]any{"role": string(b.Role), "subjects": value.Texts(b.Subjects), "projects": value.Texts(b.Projects), "deny": b.Deny}
	return d.rebind(ctx, ledger.Batch{
		Facts: []ledger.Fact{ledger.Audit(Who(by), "binding-set", b.Name, why, detail)},
		Rows:  []store.Row{{Key: store.Key{Kind: rowBinding, ID: b.Name}, Project: "default", Name: b.Name, Status: string(b.Role), At: d.cfg.Now(), Body: body}},
	}, func() { d.bindings[b.Name] = b })
}

// Unbind takes a binding away.
func (d *Desk) Unbind(ctx context.Context, name string, by access.Principal, why string) error {
	d.mu.RLock()
	_, ok := d.bindings[name]
	d.mu.RUnlock()
	if !ok {
		return fault.New(fault.NotFound, "there is no binding %q that was made here", name).WithNext("those of the configuration are changed there")
	}
	return d.rebind(ctx, ledger.Batch{
		Facts:  []ledger.Fact{ledger.Audit(Who(by), "binding-removed", name, why, nil)},
		Delete: []store.Key{{Kind: rowBinding, ID: name}},
	}, func() { delete(d.bindings, name) })
}

func (d *Desk) rebind(ctx context.Context, b ledger.Batch, then func()) error {
	if err := d.cfg.Ledger.Append(ctx, b); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	then()
	d.bind()
	return nil
}

// Policy gives who has which roles now.
func (d *Desk) Policy() access.Policy {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.policy
}

// Authorize decides, and records what it decided: every refusal, and everything that was allowed; of looking, which pages do
// all the time, one of a kind each minute.
func (d *Desk) Authorize(_ context.Context, p access.Principal, n access.Need) error {
	v := access.Check(d.Policy(), p, n)
	d.record(p, n, v)
	if v.Allowed {
		return nil
	}
	f := fault.New(fault.Refused, "%s may not %s: %s", cmp.Or(p.Name, p.ID, "nobody"), n.Verb, v.Why)
	if len(v.Lacks) > 0 {
		names := make([]string, len(v.Lacks))
		for i, r := range v.Lacks {
			names[i] = string(r)
		}
		return f.WithNext("ask an admin for a role that may: %s", strings.Join(names, ", "))
	}
	return f
}

// Look gives what somebody may look at.
func (d *Desk) Look(p access.Principal) *access.Sight { return access.Look(d.Policy(), p) }

// May tells whether somebody may do something, where that is only shown or left out.
func (d *Desk) May(p access.Principal, n access.Need) bool {
	return access.Check(d.Policy(), p, n).Allowed
}

// sampled is how often a look of one kind is recorded.
const sampled = time.Minute

func (d *Desk) record(p access.Principal, n access.Need, v access.Verdict) {
	if n.Verb == access.Nothing {
		return
	}
	now := d.cfg.Now()
	if v.Allowed && (n.Verb == access.View || n.Verb == access.Own) {
		key := p.ID + "\x00" + n.Kind + "\x00" + n.Project
		d.mu.Lock()
		last, ok := d.seen[key]
		if ok && now.Sub(last) < sampled {
			d.mu.Unlock()
			return
		}
		if len(d.seen) > 10_000 {
			clear(d.seen)
		}
		d.seen[key] = now
		d.mu.Unlock()
	}
	fact := ledger.Fact{Stream: ledger.AuditAccess, Payload: &entry.AccessDecided{
		Allowed: v.Allowed, By: Who(p), Of: n.Kind, Project: n.Project, Verb: string(n.Verb), Why: v.Why,
	}}
	d.cfg.Ledger.Submit(ledger.Batch{Facts: []ledger.Fact{fact}}, func(err error) {
		if err != nil {
			d.cfg.Log.Error("a decision about access could not be recorded", "who", p.ID, "verb", string(n.Verb), "allowed", v.Allowed, "error", err)
		}
	})
}
