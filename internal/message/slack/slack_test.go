package slack_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/exchange"
	"github.com/tendhq/tend/internal/message"
	"github.com/tendhq/tend/internal/message/messagetest"
	sender "github.com/tendhq/tend/internal/message/slack"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/slack"
	"github.com/tendhq/tend/internal/slack/slacktest"
)

func open(t *testing.T) (*sender.Sender, *slacktest.Server) {
	t.Helper()
	s := slacktest.New(t)
	return sender.New(slack.New(s.URL(), secret.New(slacktest.Token), exchange.Caller{Timeout: 20 * time.Second}), "#ops"), s
}

func TestConformance(t *testing.T) {
	t.Parallel()
	messagetest.Run(t, messagetest.Suite{
		Open: func(t *testing.T) (message.Sender, messagetest.Stand) {
			t.Helper()
			return open(t)
		},
		Away: func(t *testing.T) message.Sender {
			t.Helper()
			return sender.New(slack.New("http://127.0.0.1:1/api", secret.New(slacktest.Token), exchange.Caller{}), "#ops")
		},
		Modes: []messagetest.Mode{
			messagetest.Limited, messagetest.Broken, messagetest.Deaf, messagetest.Cut, messagetest.Locked, messagetest.Wrong,
		},
		Once: true, Secrets: []string{slacktest.Token},
	})
}

// TestThread: the second message of a story stands below the first, and is found there when it is sent again.
func TestThread(t *testing.T) {
	t.Parallel()
	s, stand := open(t)
	first := s.Send(t.Context(), messagetest.Sample("msg_1"))
	if !first.OK() {
		t.Fatal(first.Why)
	}
	for i := range 5 { // more than a page of others
		if r := s.Send(t.Context(), messagetest.Sample("msg_other"+string(rune('0'+i)))); !r.OK() {
			t.Fatal(r.Why)
		}
	}
	m := messagetest.Sample("msg_2")
	m.Step, m.First = message.Updates, first.Remote
	stand.Behave(messagetest.Cut)
	if r := s.Send(t.Context(), m); r.Outcome != "in-doubt" {
		t.Fatal(r)
	}
	stand.Behave(messagetest.Good)
	m.Again = true
	if r := s.Send(t.Context(), m); !r.OK() {
		t.Fatal(r.Why)
	}
	all := stand.Messages()
	last := all[len(all)-1]
	if len(all) != 7 || last.ID != "msg_2" || last.Thread != first.Remote["ts"] {
		t.Errorf("%+v", all)
	}
}

// TestTextsStayTexts: nobody is called by what an alert says.
func TestTextsStayTexts(t *testing.T) {
	t.Parallel()
	s, stand := open(t)
	m := messagetest.Sample("msg_1")
	m.Title, m.Text = "<!here> *a*", strings.Repeat("<@U0BOB>&", 1000)
	m.Facts = []message.Fact{{Name: "<!channel>", Value: "<https://evil.example|login>"}}
	m.Links[0].URL = "javascript:alert(1)"
	m.Buttons = []message.Button{{Name: "approve", Label: "Approve", Value: "task_1", Style: "primary"}, {Name: "", Label: "x"}}
	for _, step := range []message.Step{message.Opens, message.Updates, message.Ends} {
		m.ID, m.Step = "msg_"+string(step), step
		if r := s.Send(t.Context(), m); !r.OK() {
			t.Fatal(r.Why)
		}
	}
	for _, x := range stand.Messages() {
		b, err := json.Marshal(x.Blocks)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range x.Blocks {
			one, _ := block.(map[string]any)
			if one["type"] == "header" {
				continue // plain text
			}
			var text strings.Builder
			walk(one, func(s string) { text.WriteString(s + "\n"); limit(t, s) })
			if i := strings.IndexByte(text.String(), '<'); i >= 0 {
				t.Errorf("%s", text.String()[i:])
			}
		}
		if strings.Contains(x.Text, "<") || len(b) > 60_000 || len(x.Blocks) > 50 {
			t.Errorf("%s", x.Text)
		}
	}
}

func limit(t *testing.T, s string) {
	t.Helper()
	if len([]rune(s)) > 3000 {
		t.Errorf("a text of %d characters", len(s))
	}
}

func walk(v any, do func(string)) {
	switch x := v.(type) {
	case string:
		do(x)
	case []any:
		for _, e := range x {
			walk(e, do)
		}
	case map[string]any:
		for _, e := range x {
			walk(e, do)
		}
	}
}

// TestMenus: a menu is a menu, and what cannot be one is left out.
func TestMenus(t *testing.T) {
	t.Parallel()
	s, stand := open(t)
	m := messagetest.Sample("msg_1")
	m.Buttons = []message.Button{
		{Name: "pick", Label: "Choose…", Value: "task_1", Options: []message.Option{{Label: strings.Repeat("é", 100), Value: "0"}, {Label: "", Value: "1"}}},
		{Name: "doubt", Label: "What?", Value: "task_1", Confirm: "Sure?", Options: []message.Option{{Label: "yes", Value: "yes"}, {Label: "long", Value: strings.Repeat("x", 80)}}},
		{Name: "none", Label: "None", Value: strings.Repeat("x", 80), Options: []message.Option{{Label: "a", Value: "a"}}},
	}
	if r := s.Send(t.Context(), m); !r.OK() {
		t.Fatal(r.Why)
	}
	blocks := stand.Messages()[0].Blocks
	b, err := json.Marshal(blocks[len(blocks)-1])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"static_select"`, `"value":"task_1|0"`, `"value":"task_1|yes"`, `"confirm":{"confirm"`, "…"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("%s is not in %s", want, b)
		}
	}
	if strings.Contains(string(b), "xxx") || strings.Contains(string(b), `"none"`) {
		t.Errorf("%s", b)
	}
}

// TestOvertaken: an earlier message loses its buttons and says what became of it; one that is gone does not matter, and while
// Slack asks to wait nothing is told.
func TestOvertaken(t *testing.T) {
	t.Parallel()
	s, stand := open(t)
	q := messagetest.Sample("msg_1")
	q.Buttons = []message.Button{{Name: "b", Label: "B", Value: "v"}}
	first := s.Send(t.Context(), q)
	m := messagetest.Sample("msg_2")
	m.Title, m.Step, m.First, m.Edit = "Approved", message.Updates, first.Remote, first.Remote
	stand.Behave(messagetest.Limited)
	if r := s.Send(t.Context(), m); r.OK() || r.After != 7*time.Second {
		t.Errorf("%+v", r)
	}
	stand.Behave(messagetest.Good)
	if r := s.Send(t.Context(), m); !r.OK() {
		t.Fatal(r.Why)
	}
	all := stand.Messages()
	b, err := json.Marshal(all[0].Blocks)
	if err != nil || len(all) != 2 || !strings.Contains(all[0].Text, "Approved") || strings.Contains(string(b), `"actions"`) {
		t.Errorf("%+v", all)
	}
	m.ID, m.Edit = "msg_3", map[string]any{"channel": "C0OPS", "ts": "1.1"}
	if r := s.Send(t.Context(), m); !r.OK() {
		t.Error(r.Why)
	}
}
