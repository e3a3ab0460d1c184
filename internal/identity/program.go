package identity

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/fault"
)

// Program is a command that asks somebody to sign on for it in a browser, as RFC 8252 describes: it listens on a port of its own
// machine, or, where the browser is on another one, lets its person type a code. Challenge binds the code to whoever knows
// the verifier (RFC 7636, S256); nothing else is taken.
type Program struct {
	Challenge string
	Port      int    // on 127.0.0.1; 0: the code is shown
	State     string // is given back as it came
}

// Landing is where a browser comes to in the end.
type Landing struct {
	Path    string // within this server
	Program bool   // it signed on for a program: the browser gets no session
	Code    string // to be shown; "": To leads to the program
	To      string
}

// grant is what a code is good for, once.
type grant struct {
	who       access.Principal
	challenge string
	until     time.Time
}

const grantLasts = 5 * time.Minute

// check tells what is wrong with a program's wish, before anybody signs on for it.
func (p *Program) check() error {
	sum, err := base64.RawURLEncoding.DecodeString(p.Challenge)
	switch {
	case err != nil || len(sum) != sha256.Size:
		return fault.New(fault.Invalid, "challenge is not the SHA-256 of a verifier, in base64url").WithNext("use a newer tend login")
	case p.Port != 0 && (p.Port < 1024 || p.Port > 65535):
		return fault.New(fault.Invalid, "port %d is none that a program of a person listens on", p.Port)
	case len(p.State) < 16 || len(p.State) > 200:
		return fault.New(fault.Invalid, "state must have 16 to 200 characters")
	}
	return nil
}

// BeginFor sends a browser to an issuer, on behalf of a program.
func (d *Desk) BeginFor(w http.ResponseWriter, r *http.Request, name string, p Program) error {
	if err := p.check(); err != nil {
		return err
	}
	return d.begin(w, r, name, flow{program: &p})
}

// land says where a browser goes after somebody signed on.
func (d *Desk) land(f *flow, who access.Principal) (Landing, error) {
	if f.program == nil {
		return Landing{Path: f.back}, nil
	}
	code, err := secretText()
	if err != nil {
		return Landing{}, err
	}
	now := d.cfg.Now()
	d.mu.Lock()
	for k, old := range d.grants {
		if !now.Before(old.until) {
			delete(d.grants, k)
		}
	}
	full := len(d.grants) >= maxFlows
	if !full {
		d.grants[hash(code)] = grant{who: who, challenge: f.program.Challenge, until: now.Add(grantLasts)}
	}
	d.mu.Unlock()
	switch {
	case full:
		return Landing{}, fault.New(fault.Unavailable, "too many people are signing on just now").WithNext("try again in a few minutes")
	case f.program.Port == 0:
		return Landing{Program: true, Code: code}, nil
	}
	// The address is ours to build: nobody's link leads a code anywhere but to the machine that the browser is on.
	to := url.URL{
		Scheme: "http", Host: "127.0.0.1:" + strconv.Itoa(f.program.Port), Path: "/callback",
		RawQuery: url.Values{"code": {code}, "state": {f.program.State}}.Encode(),
	}
	return Landing{Program: true, To: to.String()}, nil
}

// Redeem exchanges a code for a token of the person who signed on, which lasts as long as a session does at most. A code is
// good once, also for whoever does not know the verifier.
func (d *Desk) Redeem(ctx context.Context, code, verifier, from string) (string, Token, error) {
	d.mu.Lock()
	g, ok := d.grants[hash(code)]
	delete(d.grants, hash(code))
	d.mu.Unlock()
	sum := sha256.Sum256([]byte(verifier))
	switch {
	case !ok || !d.cfg.Now().Before(g.until):
		return "", Token{}, unknown("the code is not known here, was used already, or is too old").WithNext("run `tend login` again")
	case len(verifier) < 43 || len(verifier) > 128 || subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(g.challenge)) != 1:
		return "", Token{}, unknown("the code was made for another program").WithNext("run `tend login` again")
	}
	g.who.Via, g.who.From = "api", from
	return d.New(ctx, Make{Kind: Personal, Name: "tend login", For: min(d.cfg.Longest, longestPersonal)}, g.who)
}

// Address is where browsers find this server; "" where nobody said it.
func (d *Desk) Address() string { return d.cfg.URL }
