package app

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/config"
	"github.com/tendhq/tend/internal/directory"
	"github.com/tendhq/tend/internal/dispatch"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/exchange"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/intake"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/signature"
	"github.com/tendhq/tend/internal/slack"
	"github.com/tendhq/tend/internal/wire"
)

// Connection is a way in for a service, as that service must be told of it.
type Connection struct {
	Source     config.Source
	Configured bool         // the server's configuration has it
	Hook       string       // where the service posts to
	Secret     string       // the name of its key
	Key        secret.Value // "" when it could not be found
	Made       string       // the file that the key was put into just now
	door       string       // where this machine reaches the same; "": no server runs here
}

// Connect finds the source of a kind in the configuration of a server, or says what one would be, with its key. A key that is
// not there is made when the configuration names a directory for secrets. name is needed where several sources are of the
// kind; url replaces the address that others find the server at.
func Connect(ctx context.Context, c *config.Server, kind, name, url string) (*Connection, error) {
	x := &Connection{Source: config.Source{Name: kind, Kind: kind, Keys: []string{"hook_" + kind}}}
	if name != "" {
		x.Source.Name, x.Source.Keys = name, []string{"hook_" + strings.ReplaceAll(name, "-", "_")}
	}
	var same []string
	for _, s := range c.Sources {
		if s.Kind == kind && (name == "" || s.Name == name) {
			x.Source, x.Configured = s, true
			same = append(same, s.Name)
		}
	}
	if len(same) > 1 {
		return nil, fault.New(fault.Invalid, "%d sources are of kind %s", len(same), kind).WithNext("say which: --source %s", strings.Join(same, " or --source "))
	}
	here := ""
	if o, err := directory.ReadOwner(c.DataDir); err == nil {
		here = o.Address
	}
	x.Hook = base(url, c.URL, here, "http://"+c.Listen) + "/hooks/" + x.Source.Name
	if door := base(url, here, c.URL); door != "" {
		x.door = door + "/hooks/" + x.Source.Name
	}
	return x, x.key(ctx, &c.Config)
}

func base(list ...string) string {
	for _, a := range list {
		if a != "" {
			return strings.TrimRight(a, "/")
		}
	}
	return ""
}

// key finds the key of the source, or makes one.
func (x *Connection) key(ctx context.Context, c *config.Config) error {
	x.Secret = x.Source.Keys[0]
	if dir := c.Secrets.Dir; dir != "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fault.Wrap(fault.Unavailable, err, "make the directory for secrets")
		}
	}
	chain, err := Providers(c)
	if err != nil {
		return err
	}
	for _, name := range x.Source.Keys {
		f, err := chain.Find(ctx, name)
		if err == nil {
			x.Secret, x.Key = name, f.Value
			return nil
		}
		if !fault.Is(err, fault.Missing) && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	x.Key = secret.New(token())
	if c.Secrets.Dir == "" {
		return nil
	}
	if err := secret.CheckName(x.Secret); err != nil {
		return err
	}
	file := filepath.Join(c.Secrets.Dir, filepath.FromSlash(x.Secret))
	err = os.MkdirAll(filepath.Dir(file), 0o700)
	if err == nil {
		err = keep(file, x.Key.Reveal()+"\n")
	}
	x.Made = file
	return fault.Wrap(fault.Unavailable, err, "keep the key of the source %s", x.Source.Name)
}

// keep writes a file that is not there yet, for its owner alone.
func keep(name, text string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Sync(), f.Close())
}

// token makes a key that nobody can guess.
func token() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // it never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// Lost tells whether nobody will find the key again: it has to be put where the server looks.
func (x *Connection) Lost(ctx context.Context, c *config.Server) bool {
	chain, err := Providers(&c.Config)
	if err != nil {
		return true
	}
	_, err = chain.Find(ctx, x.Secret)
	return err != nil
}

// Arrival is what became of a test message.
type Arrival struct {
	What string // firing, resolved, push
	dispatch.Receipt
}

// message is one that a service would send.
type message struct {
	what   string
	header map[string]string
	body   any
}

// Try sends test messages as the service would, through the server's own door, and gives what became of them. They say that
// they are tests; what begins also ends.
func (x *Connection) Try(ctx context.Context) ([]Arrival, error) {
	if x.door == "" {
		return nil, fault.New(fault.Unavailable, "no server runs on this data directory: nothing was sent").
			WithNext("start it (tend serve), then run this again; or say where it is: --url https://…")
	}
	list, err := tests(x.Source.Kind, now().UTC())
	if err != nil {
		return nil, err
	}
	var out []Arrival
	for _, m := range list {
		got, err := x.post(ctx, m)
		if err != nil {
			return out, err
		}
		out = append(out, got...)
	}
	return out, nil
}

func (x *Connection) post(ctx context.Context, m message) ([]Arrival, error) {
	body, err := json.Marshal(m.body)
	if err != nil {
		return nil, err
	}
	proof, err := signature.Prove(x.Source.Signed(), token(), now(), body, x.Key)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, x.door, bytes.NewReader(body))
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "post to %s", x.door)
	}
	r.Header.Set("Content-Type", "application/json")
	for _, h := range []map[string]string{m.header, proof} {
		for k, v := range h {
			r.Header.Set(k, v)
		}
	}
	answer, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(r)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "nobody answers at %s: %v", x.door, err).WithNext("start the server (tend serve), then run this again")
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "read the answer of %s", x.door)
	}
	if answer.StatusCode != http.StatusOK {
		return nil, refusal(x, answer.StatusCode, text)
	}
	var got intake.Answer
	if err := json.Unmarshal(text, &got); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "%s does not answer as tend does", x.door)
	}
	out := make([]Arrival, len(got.Events))
	for i, e := range got.Events {
		out[i] = Arrival{m.what, e}
	}
	return out, nil
}

// refusal says why the server did not take a test.
func refusal(x *Connection, status int, text []byte) error {
	var p wire.Problem
	_ = json.Unmarshal(text, &p) // a proxy's page is not ours: then the status says it all
	e := fault.New(fault.Refused, "%s answers %d: %s", x.door, status, p.Detail)
	if status == http.StatusForbidden && (p.Next == "" || !x.Configured) {
		return e.WithNext("the server must have the source %s in its configuration, and have been started since", x.Source.Name)
	}
	return e.WithNext("%s", p.Next)
}

// tests are messages in the form of a kind of source.
func tests(kind string, at time.Time) ([]message, error) {
	mark := strings.ToLower(token()[:12])
	switch kind {
	case "alertmanager", "grafana":
		var out []message
		for _, status := range []event.Status{event.Firing, event.Resolved} {
			ends := time.Time{}
			if status == event.Resolved {
				ends = at.Add(time.Second)
			}
			labels := map[string]string{"alertname": "TendConnectTest", "severity": "none", "test": mark}
			notes := map[string]string{"summary": "A test of the way to tend. Nothing is wrong."}
			out = append(out, message{what: string(status), body: map[string]any{
				"version": "4", "status": status, "receiver": "tend", "groupKey": fmt.Sprintf("{}:{test=%q}", mark), "externalURL": "",
				"groupLabels": labels, "commonLabels": labels, "commonAnnotations": notes,
				"alerts": []any{map[string]any{
					"status": status, "fingerprint": mark, "labels": labels, "annotations": notes, "generatorURL": "",
					"startsAt": at.Format(time.RFC3339Nano), "endsAt": ends.Format(time.RFC3339Nano),
				}},
			}})
		}
		return out, nil
	case "github":
		return []message{{what: "push", header: map[string]string{"X-GitHub-Event": "push"}, body: map[string]any{
			"ref": "refs/heads/tend-connect-test", "repository": map[string]any{"full_name": "tend/connect-test"}, "sender": map[string]any{"login": "tend"},
			"head_commit": map[string]any{"id": mark, "timestamp": at.Format(time.RFC3339), "message": "A test of the way to tend."},
		}}}, nil
	default:
		return nil, fault.New(fault.Invalid, "there is no test for sources of kind %s", kind)
	}
}

// ConnectSlack asks a workspace who the bot with the named token is, sends a message to channel, if one is named, and tells
// what came of it. api is Slack's own address when it is "".
func ConnectSlack(ctx context.Context, c *config.Server, api, token, channel string) (string, error) {
	chain, err := Providers(&c.Config)
	if err != nil {
		return "", err
	}
	found, err := chain.Find(ctx, token)
	if err != nil {
		return "", fault.New(fault.Missing, "the secret %s is not there yet: nothing was tried", token).
			WithNext("put the token where secrets are (TEND_SECRET_%s, or a file %s in secrets.dir), then run this again", secret.EnvName(token), token)
	}
	s := slack.New(api, found.Value, exchange.Caller{Timeout: 20 * time.Second})
	team, bot, end := s.Test(ctx)
	if err := end.Err(); err != nil {
		return "", err
	}
	told := fmt.Sprintf("Slack knows the token: it belongs to %s in the workspace %s", bot, team)
	if channel == "" {
		return told + "\nsend a message with --channel '#ops'", nil
	}
	sent, end := s.Post(ctx, slack.Post{ID: "connect-" + strings.ToLower(rand.Text()[:12]), Channel: channel, Text: "This is a test of the way from tend to here. Nothing is wrong."})
	if err := end.Err(); err != nil {
		return "", err
	}
	return told + fmt.Sprintf("\nthe message is in %s (%s)", sent.Channel, sent.TS), nil
}
