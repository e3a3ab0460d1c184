package intake

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/seal"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/source"
	"github.com/tendhq/tend/internal/wire"
)

// CallbackPattern is where callbacks come in, as a pattern of http.ServeMux.
const CallbackPattern = "/callbacks/{root}/{run}/{event}/{token}"

// maxEvent bounds the name of an event in a callback.
const maxEvent = 100

// Caller sends events to runs: *engine.Engine is one.
type Caller interface {
	CallBack(ctx context.Context, root, run, event string, payload map[string]any, by entry.Who) error
}

// Callbacks makes addresses at which a service sends one event to one run, once, and answers at them.
//
// An address holds the run that all belongs to, the run, the event, and a token: a keyed hash over the three. So nothing is
// kept for an address that is made, and one that was made up is refused before anything is looked up. That an address was
// used is a fact of the run.
type Callbacks struct {
	URL    string   // where others find the server; "": nobody knows
	Key    seal.Key // of the data directory
	Engine Caller
	Log    *slog.Logger

	failures throttle
}

// Address gives the address for an event to a run that belongs to root.
func (c *Callbacks) Address(root, id, event string) (secret.Value, error) {
	if !eventName(event) {
		return secret.Value{}, fault.New(fault.Invalid, "the event of a callback is called %.*q: it has other characters than letters, digits and ._:-, begins with one of ._:-, or has more than %d",
			maxEvent, event, maxEvent).WithNext("give it and the `wait` for it a plain name, such as answered")
	}
	if c.URL == "" {
		return secret.Value{}, fault.New(fault.Missing, "there is no callback for %q: this server listens on every address, and does not know which others find it at", event).
			WithNext("set `url` in the server's configuration (TEND_URL)")
	}
	token, err := c.token(root, id, event)
	if err != nil {
		return secret.Value{}, err
	}
	text, err := url.JoinPath(c.URL, "callbacks", root, id, event, token)
	return secret.New(text), fault.Wrap(fault.Invalid, err, "make a callback")
}

// eventName tells whether an event can be a part of an address that everything on its way leaves as it is.
func eventName(s string) bool {
	for i, r := range s {
		plain := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !plain && (i == 0 || !strings.ContainsRune("._:-", r)) {
			return false
		}
	}
	return s != "" && len(s) <= maxEvent
}

func (c *Callbacks) token(root, id, event string) (string, error) {
	mac, err := c.Key.Sign("callbacks", root, id, event)
	return base64.RawURLEncoding.EncodeToString(mac), err
}

// ServeHTTP implements http.Handler.
func (c *Callbacks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, http.StatusMethodNotAllowed, fault.New(fault.Invalid, "a callback is used with POST; looking at it changes nothing"))
		return
	}
	err := c.take(r)
	switch {
	case err == nil:
		send(w, "application/json", http.StatusOK, map[string]string{"status": "accepted"})
	case errors.Is(err, run.ErrCalled), errors.Is(err, run.ErrOver):
		refuse(w, http.StatusGone, fault.New(fault.Conflict, "%s", err))
	case errors.Is(err, run.ErrEarly), fault.Is(err, fault.Conflict):
		w.Header().Set("Retry-After", "5")
		refuse(w, http.StatusConflict, fault.New(fault.Conflict, "%s", err).WithNext("send it again in a few seconds: it was not used up"))
	default:
		p := wire.NewProblem(err)
		if p.Status == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", "10")
		}
		send(w, wire.ProblemType, p.Status, p)
	}
}

// refuse answers with a status that no kind of fault has.
func refuse(w http.ResponseWriter, status int, err error) {
	p := wire.NewProblem(err)
	p.Status, p.Title = status, http.StatusText(status)
	send(w, wire.ProblemType, status, p)
}

func (c *Callbacks) take(r *http.Request) error {
	body, err := io.ReadAll(r.Body)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return fault.New(fault.Limit, "the message is larger than %d bytes", large.Limit)
	case err != nil:
		return fault.Wrap(fault.Invalid, err, "read the message")
	}
	unknown := fault.New(fault.NotFound, "there is no such callback").WithNext("use the address as it was given, whole")
	root, id, event := r.PathValue("root"), r.PathValue("run"), r.PathValue("event")
	token, err := c.token(root, id, event)
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare([]byte(token), []byte(r.PathValue("token"))) != 1 {
		if c.failures.may("", time.Now()) {
			c.Log.Warn("a callback was refused", "from", r.RemoteAddr, "run", source.Clip(id, 60), "why", "its token is not one of ours")
		}
		return unknown
	}
	payload := map[string]any{}
	if len(body) > 0 {
		payload, err = source.Request{Header: r.Header.Get, Body: body}.Data()
		if err != nil {
			return err
		}
	}
	err = c.Engine.CallBack(r.Context(), root, id, event, payload, entry.Who{From: host(r.RemoteAddr), Name: "callback", Via: "callback"})
	if fault.Is(err, fault.NotFound) {
		return unknown // the directory went back in time, or the run was removed
	}
	return err
}

func host(address string) string {
	if h, _, err := net.SplitHostPort(address); err == nil {
		return h
	}
	return address
}
