package app_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/config"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/slack/slacktest"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/wire"
)

// TestSlack: a server tells of an incident in a thread, asks whoever is on call by a button, and goes on with the answer.
func TestSlack(t *testing.T) {
	t.Parallel()
	stand := slacktest.New(t)
	asked := make(chan struct{}, 1)
	duty := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/oncalls" || r.Header.Get("Authorization") != "Token token=pd-key" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, `{"oncalls":[{"user":{"id":"PU1","email":"Alice@example.org"},"schedule":{"id":"PS1"}}],"more":false}`)
		select {
		case asked <- struct{}{}:
		default:
		}
	}))
	t.Cleanup(duty.Close)
	dir := scratch(t)
	secrets := filepath.Join(filepath.Dir(dir), "secrets")
	if err := os.Mkdir(secrets, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"slack_token": slacktest.Token, "slack_signing": slacktest.Signing, "pd_key": "pd-key"} {
		if err := os.WriteFile(filepath.Join(secrets, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(filepath.Dir(dir), "server.yaml")
	if err := os.WriteFile(file, []byte(`
dataDir: `+dir+`
listen: 127.0.0.1:0
secrets: {dir: `+secrets+`}
integrations:
  acme: {slack: {token: slack_token, signing: slack_signing, team: `+slacktest.Team+`, channel: '#ops', url: '`+stand.URL()+`'}}
channels:
  ops: {integration: acme, tasks: true}
onCall:
  database: {pagerduty: {token: pd_key, schedule: PS1, url: '`+duty.URL+`'}}
access:
  - {name: people, subjects: ['user:*@example.org'], role: approver}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.LoadServer(config.ServerFlags{Flags: config.Flags{Config: file}}, env("HOME", t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	said, done := make(chan string, 100), make(chan error, 1)
	go func() {
		done <- app.Serve(ctx, app.ServeOptions{Config: c, Getenv: env(), Log: io.Discard, Talk: func(format string, a ...any) {
			if strings.HasPrefix(format, "tend answers on") {
				said <- a[0].(string)
			}
		}})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	var address string
	select {
	case address = <-said:
	case err := <-done:
		t.Fatal(err)
	case <-time.After(time.Minute):
		t.Fatal("the server did not start")
	}
	s := open(t, app.Options{Config: &c.Config, Getenv: env(), Command: "test", Via: "terminal"})
	if s.API() == nil {
		t.Fatal("this became the owner")
	}
	if _, err := s.API().OpenIncident(t.Context(), wire.IncidentOpen{Title: "Checkout is <down>", Severity: "critical"}); err != nil {
		t.Fatal(err)
	}
	run, err := s.Engine.Start(t.Context(), engine.Start{
		Program: programOf(t, "steps: [{uses: approve, with: {message: 'Fail over?', from: [oncall/database]}}]\n"), By: s.Me,
	})
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the incident and the question are told", func() bool { return len(stand.Messages()) >= 2 })
	var question slacktest.Message
	for _, m := range stand.Messages() {
		if m.Channel != "C0OPS" || strings.Contains(m.Text, "<") {
			t.Errorf("%+v", m)
		}
		if slices.ContainsFunc(m.Blocks, func(b any) bool { x, _ := b.(map[string]any); return x["type"] == "actions" }) {
			question = m
		}
	}
	if question.TS == "" {
		t.Fatalf("nothing was asked: %+v", stand.Messages())
	}
	page, err := s.Engine.Rows(t.Context(), store.Filter{Kind: "task", Parent: run})
	if err != nil || len(page.Rows) != 1 {
		t.Fatal(page, err)
	}
	<-asked // who is on call is known from here on
	press := func(user string) {
		t.Helper()
		body := slacktest.Press(user, "tend-approve", page.Rows[0].ID, stand.AnswerURL(), stand.Trigger(time.Now()))
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/slack/interactive", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		slacktest.Sign(r, body, time.Now())
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s, %v", res.Status, err)
		}
	}
	press("U0BOB") // who may approve, and is not on call
	until(t, "Bob hears that he is not asked", func() bool {
		return strings.Contains(strings.Join(stand.Answers(), "\n"), "not among those who are asked")
	})
	press("U0ALICE")
	if st := ended(t, s.Engine, run); st != "succeeded" {
		t.Errorf("the run %s: %v", st, stand.Answers())
	}
	until(t, "the answer is told below the question, which has no buttons any more", func() bool {
		below, over := false, false
		for _, m := range stand.Messages() {
			said := strings.Contains(m.Text, "approved")
			below = below || said && m.Thread == question.TS
			over = over || said && m.TS == question.TS && !slices.ContainsFunc(m.Blocks, func(b any) bool { x, _ := b.(map[string]any); return x["type"] == "actions" })
		}
		return below && over
	})
}

// until waits for something that happens soon.
func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	tick, end := time.NewTicker(20*time.Millisecond), time.After(time.Minute)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("not within a minute: %s", what)
		}
	}
}
