package people

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/client"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/terminal"
	"github.com/tendhq/tend/internal/wire"
)

// signOnLasts bounds how long somebody may take in the browser. The server gives them no longer.
const signOnLasts = 10 * time.Minute

// issuers asks a server by whom people sign on there.
func issuers(ctx context.Context, address string) (wire.Issuers, error) {
	var out wire.Issuers
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(address, "/")+"/auth/issuers", nil)
	if err != nil {
		return out, fault.Wrap(fault.Invalid, err, "read the address of the server")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return out, fault.Wrap(fault.Unavailable, err, "ask %s by whom people sign on", address)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return out, nil // no server that signs people on
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&out); err != nil {
		return out, fault.Wrap(fault.Unavailable, err, "read by whom people sign on at %s", address)
	}
	return out, nil
}

// browse is a sign-on in a browser (RFC 8252): the server's issuer knows the person, and its answer reaches this process by a
// port of this machine, or by the person's hands.
type browse struct {
	p       *frame.Process
	address string
	issuer  string
	hands   bool // the browser is elsewhere: its person types the code
}

// pick chooses the issuer.
func (b *browse) pick(known wire.Issuers) error {
	switch {
	case len(known.Issuers) == 0:
		return fault.New(fault.Missing, "nobody signs on in a browser at %s", b.address).WithNext("give a token: tend login --token")
	case b.issuer == "" && len(known.Issuers) > 1:
		return fault.New(fault.Invalid, "there are several issuers at %s", b.address).WithNext("say which: --issuer %s", strings.Join(known.Issuers, " or --issuer "))
	case b.issuer == "":
		b.issuer = known.Issuers[0]
	case !slices.Contains(known.Issuers, b.issuer):
		return fault.New(fault.NotFound, "nobody signs on by %q at %s", b.issuer, b.address).WithNext("known are %s", strings.Join(known.Issuers, ", "))
	}
	return nil
}

// token signs somebody on and gives their token.
func (b *browse) token(ctx context.Context, known wire.Issuers) (string, error) {
	if err := b.pick(known); err != nil {
		return "", err
	}
	c, err := client.Dial(b.address, "", "terminal")
	if err != nil {
		return "", err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeoutCause(ctx, signOnLasts, fault.New(fault.Timeout, "nobody signed on within %s", signOnLasts))
	defer cancel()
	verifier, state := oauth2.GenerateVerifier(), rand.Text()
	q := url.Values{"challenge": {oauth2.S256ChallengeFromVerifier(verifier)}, "state": {state}}
	var l net.Listener
	if !b.hands {
		var err error
		if l, err = new(net.ListenConfig).Listen(ctx, "tcp4", "127.0.0.1:0"); err != nil {
			return "", (&fault.Error{Kind: fault.Unavailable, Message: "listen for the browser", Err: err}).WithNext("tend login --no-browser")
		}
		defer func() { _ = l.Close() }()
		_, port, _ := net.SplitHostPort(l.Addr().String())
		q.Set("port", port)
	}
	base := known.URL // the issuer sends browsers there, and knows no other address
	if base == "" {
		base = b.address
	}
	at := strings.TrimRight(base, "/") + "/auth/begin/" + url.PathEscape(b.issuer) + "?" + q.Encode()
	b.p.Talk("sign on in a browser: %s", at)
	code, err := b.code(ctx, l, at, state)
	if err != nil {
		return "", err
	}
	made, err := c.API().SignOnByCode(ctx, wire.SignOnCode{Code: code, Verifier: verifier})
	return made.Text, err
}

func (b *browse) code(ctx context.Context, l net.Listener, at, state string) (string, error) {
	if l == nil {
		_, _ = fmt.Fprint(b.p.Err, "code: ")
		line, err := bufio.NewReader(io.LimitReader(b.p.In, maxToken)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fault.Wrap(fault.Unavailable, err, "read the code")
		}
		return tokenOf(line)
	}
	b.open(ctx, at)
	return awaitCode(ctx, l, state)
}

// open asks the system for a browser. That there is none is no error: the address was shown.
func (b *browse) open(ctx context.Context, at string) {
	program := b.p.Getenv("BROWSER")
	if program == "" && !terminal.IsTerminal(b.p.In) {
		return // nobody sits here
	}
	if program == "" {
		program = map[string]string{"darwin": "open", "windows": "explorer"}[runtime.GOOS]
	}
	if program == "" {
		program = "xdg-open"
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), program, at)
	if cmd.Start() == nil {
		go func() { _ = cmd.Wait() }()
	}
}

// awaitCode answers the browser, once it comes with the state that it was sent with. Others are told nothing.
func awaitCode(ctx context.Context, l net.Listener, state string) (string, error) {
	got := make(chan string, 1) // the first counts
	s := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if r.URL.Path != "/callback" || q.Get("state") != state || q.Get("code") == "" {
			http.Error(w, "this is not what tend login waits for", http.StatusBadRequest)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		body := `<!doctype html><html lang="en"><meta charset="utf-8"><title>tend login</title><p>You are signed on. This page can be closed.</p></html>`
		h.Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = io.WriteString(w, body)
		select {
		case got <- q.Get("code"):
		default:
		}
	})}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	defer func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		_ = s.Shutdown(last) // the page arrives
	}()
	select {
	case code := <-got:
		return code, nil
	case err := <-served:
		return "", fault.Wrap(fault.Unavailable, err, "listen for the browser")
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}
