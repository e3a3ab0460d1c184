// Package chat lets people answer and ask from where they talk, in Slack: buttons and menus below a question, forms, and the
// command /tend.
//
// A form (a modal) is a typed form: what is wrong with a field is said at that field, and the form stays open. What is sensitive
// is not typed into Slack; such forms are answered elsewhere.
//
// Every request proves that Slack made it (signature v0, five minutes, each once), and of which workspace it is. Who pressed
// or typed is asked of Slack: the confirmed e-mail address of the account is the person, user:ADDRESS, and what that person may
// do is asked of the one policy function, as for everybody else. Nothing in a request says who somebody is.
package chat

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/catalog"
	"github.com/tendhq/tend/internal/dispatch"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/exchange"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/incident"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/signature"
	"github.com/tendhq/tend/internal/slack"
	"github.com/tendhq/tend/internal/store"
)

// Slack gives up on a request after three seconds.
const patience = 2500 * time.Millisecond

// Team is a workspace that is listened to.
type Team struct {
	Name    string // of the integration
	ID      string // T…
	Signing string // the name of the secret that its app signs with
	API     string // where its API is; "" is Slack's
	Client  func(ctx context.Context) (*slack.Client, error)
}

// Engine is what people ask of the engine: *engine.Engine implements it.
type Engine interface {
	Answer(ctx context.Context, a engine.Answer) (string, error)
	Do(ctx context.Context, c engine.Command) (engine.Done, error)
	Rows(ctx context.Context, f store.Filter) (store.Page, error)
	Status(ctx context.Context) (engine.Status, error)
}

// Governor halts, and lets go on.
type Governor interface {
	Halt(ctx context.Context, scope guard.Halted, by entry.Who, why string) (guard.Halted, error)
	Unhalt(ctx context.Context, haltID string, by entry.Who, why string) ([]guard.Halted, error)
	Rules() *guard.Rules
}

// Library has the playbooks that are live.
type Library interface {
	Playbooks() []*catalog.Playbook
	StartPlaybook(ctx context.Context, p *catalog.Playbook, params map[string]any, by entry.Who, why, request, trace string) (run string, err error)
}

// Desk takes events, and has incidents.
type Desk interface {
	Accept(ctx context.Context, events []event.Event) ([]dispatch.Receipt, error)
	OpenIncident(ctx context.Context, x incident.Start) (*incident.State, error)
	ChangeIncident(ctx context.Context, id string, version *uint64, by entry.Who, what, why string,
		apply func(*incident.State, time.Time) ([]entry.Payload, error)) (*incident.State, error)
}

// Door is the way in.
type Door struct {
	Teams    []Team
	Secrets  secret.Provider
	Engine   Engine
	Governor Governor
	Library  Library
	Desk     Desk
	// Follow lets a thread in a channel of a workspace follow a run. nil: nothing follows.
	Follow func(ctx context.Context, team, channel, run string) error
	// Groups gives the groups of a person, as far as they are known.
	Groups func(id string) []string
	// Authorize asks the policy, and records its answer.
	Authorize func(ctx context.Context, p access.Principal, n access.Need) error
	// Look gives what somebody may look at in lists.
	Look func(p access.Principal) *access.Sight
	Call exchange.Caller // for answers that Slack takes at an address of its own
	Log  *slog.Logger

	mu   sync.Mutex
	seen map[string]time.Time // signatures within their window
}

// verified tells which workspace made a request.
func (d *Door) verified(r *http.Request, body []byte) (Team, error) {
	var last error
	for _, t := range d.Teams {
		f, err := d.Secrets.Find(r.Context(), t.Signing)
		if err != nil {
			last = err
			continue
		}
		if _, err = signature.Verify(signature.Slack, r.Header.Get, body, []secret.Value{f.Value}, time.Now()); err == nil {
			return t, d.once(r.Header.Get("X-Slack-Signature"))
		}
		last = err
	}
	if last == nil {
		last = fault.New(fault.Refused, "no workspace is configured")
	}
	return Team{}, last
}

// once refuses a request that was here before.
func (d *Door) once(sign string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	for s, at := range d.seen {
		if now.Sub(at) > 2*signature.Window {
			delete(d.seen, s)
		}
	}
	if _, ok := d.seen[sign]; ok {
		return fault.New(fault.Refused, "the request was here before")
	}
	if d.seen == nil {
		d.seen = map[string]time.Time{}
	}
	d.seen[sign] = now
	return nil
}

// read takes a request apart; ok is false when it was answered already.
func (d *Door) read(w http.ResponseWriter, r *http.Request) (t Team, body []byte, ok bool) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "the request is too large, or broke off", http.StatusRequestEntityTooLarge)
		return t, nil, false
	}
	t, err = d.verified(r, body)
	if err != nil {
		d.Log.Warn("a request to the chat was refused", "why", err)
		http.Error(w, "this was not made by a workspace that is configured here", http.StatusUnauthorized)
		return t, nil, false
	}
	return t, body, true
}

// Events answers when Slack asks whether an address is ours. tend subscribes to nothing else.
func (d *Door) Events(w http.ResponseWriter, r *http.Request) {
	_, body, ok := d.read(w, r)
	if !ok {
		return
	}
	answer, err := slack.Challenge(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, answer) //nolint:gosec // plain text, and only to who could sign the question
}

// Command takes /tend.
func (d *Door) Command(w http.ResponseWriter, r *http.Request) {
	t, body, ok := d.read(w, r)
	if !ok {
		return
	}
	c, err := slack.ParseCommand(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	var out said
	who, err := d.person(ctx, t, c.Team, c.User)
	if err == nil {
		out, err = d.do(ctx, call{Command: c, team: t, by: who})
	}
	if err != nil {
		out = said{text: tell(err)}
	}
	w.Header().Set("Content-Type", "application/json")
	answer := map[string]any{"response_type": "ephemeral", "text": out.text}
	if len(out.blocks) > 0 {
		answer["blocks"] = out.blocks
	}
	if out.text == "" {
		return // a form is open: it says it all
	}
	_ = json.NewEncoder(w).Encode(answer) // the reader is gone: there is nobody to tell
}

// call is a command that somebody gave.
type call struct {
	slack.Command

	team Team
	by   access.Principal
}

// said is what is answered to a command. Without a text nothing is.
type said struct {
	text   string
	blocks []any
}

// tell says an error to somebody.
func tell(err error) string {
	text := slack.Escape(err.Error())
	if fault.Is(err, fault.Internal) || fault.Is(err, fault.Damaged) {
		text = "This did not work; the server's log says more"
	}
	if next := fault.NextOf(err); next != "" {
		text += " (" + slack.Escape(next) + ")"
	}
	return ":warning: " + text
}

// person tells who acts.
func (d *Door) person(ctx context.Context, t Team, team, user string) (access.Principal, error) {
	if team != t.ID {
		return access.Principal{}, fault.New(fault.Refused, "the workspace %s is not the one that is configured", team)
	}
	c, err := t.Client(ctx)
	if err != nil {
		return access.Principal{}, fault.Wrap(fault.Unavailable, err, "ask Slack who you are")
	}
	u, end := c.User(ctx, user)
	switch {
	case !end.OK():
		return access.Principal{}, fault.New(fault.Unavailable, "Slack does not say who you are: %s", end.Why)
	case u.Bot || u.Email == "" || u.Team != "" && u.Team != t.ID:
		return access.Principal{}, fault.New(fault.Refused, "your account has no confirmed e-mail address in this workspace, so that nobody knows who you are")
	}
	mail := strings.ToLower(u.Email)
	p := access.Principal{ID: "user:" + mail, Name: mail, Via: "slack", From: "slack:" + t.ID + "/" + u.ID}
	if d.Groups != nil {
		p.Groups = d.Groups(p.ID)
	}
	return p, nil
}

func by(p access.Principal) entry.Who {
	return entry.Who{ID: p.ID, Name: p.Name, Via: p.Via, From: p.From}
}

// reply tells at the address that Slack gave with a request. It is part of what Slack signed, and must be Slack's all the same.
func (d *Door) reply(ctx context.Context, t Team, address, text string, done bool) {
	u, err := url.Parse(address)
	api, apiErr := url.Parse(t.API)
	if err != nil || apiErr != nil || (u.Scheme != "https" || u.Hostname() != "hooks.slack.com") && (t.API == "" || u.Host != api.Host) {
		return
	}
	body, err := json.Marshal(map[string]any{"text": text, "response_type": "ephemeral", "replace_original": false})
	if done {
		body, err = json.Marshal(map[string]any{"text": text, "response_type": "in_channel", "replace_original": false})
	}
	if err != nil {
		return
	}
	req, err := exchange.Post(ctx, address, "application/json", body)
	if err != nil {
		return
	}
	call := d.Call
	call.Timeout = 5 * time.Second
	if _, end := call.Do(req, "Slack: an answer"); !end.OK() {
		d.Log.Warn("somebody in Slack did not hear what became of their answer", "why", end.Why)
	}
}
