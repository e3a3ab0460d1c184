package app_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/config"
	"github.com/tendhq/tend/internal/wire"
)

// TestConnected asks a server what it is connected to: what works, what does not and why, and nothing that is secret.
func TestConnected(t *testing.T) {
	t.Parallel()
	away := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	t.Cleanup(away.Close)
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	write("secrets/hook", "the-key-of-the-hook")
	write("secrets/chat", "the-token-of-the-chat")
	write("duty.ics", "half of a calendar")
	write("books/chat.yaml", "apiVersion: tend/v1\nkind: Integration\nmetadata: {name: chat, description: The workspace of the company.}\ntype: slack\n"+
		"config: {token: chat, signing: 'no name!', password: lost, login: {secret: chat}}\n")
	c, err := config.LoadServer(config.ServerFlags{Flags: config.Flags{DataDir: scratch(t), Config: write("server.yaml", `
listen: 127.0.0.1:0
url: https://tend.example.org/
secrets: {dir: secrets}
repositories: [{name: books, dir: books, project: shop}]
sources:
  - {name: hook, kind: webhook, keys: [hook], scheme: bearer, project: shop}
  - {name: am, kind: alertmanager, keys: [absent]}
  - {name: pulled, kind: alertmanager-pull, url: "`+strings.Replace(away.URL, "http://", "http://me:pa55word@", 1)+`?key=pa55word", every: 1h}
  - {name: daily, kind: schedule, cron: "30 7 * * *"}
integrations:
  team: {slack: {token: chat, channel: "#ops"}}
  pager: {pagerduty: {key: absent}}
channels:
  ops: {integration: team, tasks: true}
  duty: {integration: pager, severity: critical}
runners:
  web: {ssh: {host: web.example.org, user: deploy, identity: /nonexistent/key}}
onCall:
  storage: {people: [ann@example.org], start: "2026-01-05 09:00"}
  broken: {calendar: duty.ics}
`)}}, env("HOME", dir))
	if err != nil {
		t.Fatal(err)
	}
	log, _ := serve(t, c, env("HOME", dir))
	at := log.find(t, `"address":"(http://[^"]+)"`)
	s, err := app.Open(t.Context(), app.Options{Config: &c.Config, Getenv: env("HOME", dir), Via: "api"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	list := func() wire.Connections {
		t.Helper()
		out, err := s.API().ListIntegrations(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	post := func(key, body string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at+"/hooks/hook", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+key)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	post("the-key-of-the-hook", `{"a":1}`)
	post("guessed", `{"a":2}`)
	got := list()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(20 * time.Second); got.Sources[2].Trouble == nil; got = list() { // until the Alertmanager was asked
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("%+v", got.Sources[2])
		}
	}
	says := func(what string, x *wire.Trouble, grade, text, next string) {
		t.Helper()
		switch {
		case x == nil && grade == "":
		case x == nil || x.Grade != grade || !strings.Contains(x.Text, text) || !strings.Contains(x.Next, next):
			t.Errorf("%s: %+v", what, x)
		}
	}
	hook, am, pulled, daily := got.Sources[0], got.Sources[1], got.Sources[2], got.Sources[3]
	if hook.Hook != "/hooks/hook" || hook.Way != "push" || hook.Event == "" || time.Since(hook.Heard) > time.Minute || !hook.Secrets[0].Found || hook.Signed != "bearer" {
		t.Errorf("%+v", hook)
	}
	says("a refused message", hook.Trouble, wire.Warn, "the last message was refused", "the same key")
	says("a source without its key", am.Trouble, wire.Fail, "its secret is not there, and what it sends is refused: absent", "tend connect alertmanager --source am")
	says("an Alertmanager that is away", pulled.Trouble, wire.Fail, "502", "monitoring")
	if pulled.Address != away.URL || pulled.Way != "pull" || daily.Way != "time" || daily.Every != "30 7 * * *" || daily.Trouble != nil {
		t.Errorf("%+v %+v", pulled, daily)
	}
	if n := strings.Count(log.String(), "a calendar cannot be read"); n != 1 {
		t.Errorf("it is said %d times that a calendar cannot be read", n)
	}
	pager, team, declared := got.Integrations[0], got.Integrations[1], got.Integrations[2]
	says("an integration without its key", pager.Trouble, wire.Fail, "absent", "TEND_SECRET_ABSENT")
	says("one with its token", team.Trouble, "", "", "")
	if declared.Repository != "books" || declared.Project != "shop" || declared.Description != "The workspace of the company." || declared.Kind != "slack" ||
		len(declared.Secrets) != 2 || !declared.Secrets[0].Found || declared.Secrets[1].Found {
		t.Errorf("%+v", declared)
	}
	says("a declared one", declared.Trouble, wire.Fail, "lost", "TEND_SECRET_LOST")
	if len(got.Channels) != 2 || got.Channels[1].Kind != "slack" || got.Channels[1].Hears[0] != "tasks" || got.Channels[1].Trouble != nil {
		t.Errorf("%+v", got.Channels)
	}
	says("a channel through it", got.Channels[0].Trouble, wire.Fail, "absent", "TEND_SECRET_ABSENT")
	says("a runner", got.Runners[0].Trouble, wire.Fail, "identity", "runners.web.ssh.identity")
	says("a calendar that is not one", got.Duties[0].Trouble, wire.Fail, "its calendar cannot be read", "onCall.broken.calendar")
	if d := got.Duties[1]; d.Kind != "rotation" || len(d.People) != 1 || d.Trouble != nil {
		t.Errorf("%+v", d)
	}
	if r := got.Repositories[0]; r.Project != "shop" || r.Live == "" || r.Trouble != nil || got.URL != "https://tend.example.org" {
		t.Errorf("%+v %s", r, got.URL)
	}
	b, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"the-key", "the-token", "pa55word", "me:", "no name"} {
		if strings.Contains(string(b), secret) {
			t.Errorf("%q is told: %s", secret, b)
		}
	}
}
