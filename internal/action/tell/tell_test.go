package tell_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/actiontest"
	"github.com/tendhq/tend/internal/action/tell"
	"github.com/tendhq/tend/internal/exchange"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/message"
	"github.com/tendhq/tend/internal/message/messagetest"
	"github.com/tendhq/tend/internal/message/pagerduty"
	"github.com/tendhq/tend/internal/message/webhook"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/slack"
	"github.com/tendhq/tend/internal/slack/slacktest"
)

const key = "planted-integration-key"

// house has one integration of each kind: "good".
type house struct {
	slack string
	url   string // of services that take everything
}

func (h house) check(name string) error {
	if name != "good" && name != "" {
		return fault.New(fault.Missing, "there is no integration %q", name)
	}
	return nil
}

// Slack implements tell.Connections.
func (h house) Slack(_ context.Context, name string, dial tell.Dial) (*slack.Client, string, error) {
	return slack.New(h.slack, secret.New(slacktest.Token), exchange.Caller{Dial: dial}), "#ops", h.check(name)
}

// Sender implements tell.Connections.
func (h house) Sender(_ context.Context, kind, name string, dial tell.Dial) (message.Sender, error) {
	if kind == "pagerduty" {
		return pagerduty.New(h.url, secret.New(key), exchange.Caller{Dial: dial}), h.check(name)
	}
	w := webhook.New(h.url, secret.New(key), exchange.Caller{Dial: dial})
	if kind == "email" {
		return letters{w}, h.check(name)
	}
	return w, h.check(name)
}

// letters stands for a mail server, which package email is tested with: what it takes has a Message-ID.
type letters struct{ message.Sender }

// Send implements message.Sender.
func (l letters) Send(ctx context.Context, m message.Message) message.Result {
	r := l.Sender.Send(ctx, m)
	if r.OK() {
		r.Remote = map[string]any{"messageId": r.Remote["id"]}
	}
	return r
}

func find(t *testing.T, c tell.Connections, name string) action.Action {
	t.Helper()
	for _, a := range tell.All(c) {
		if a.Spec().Name == name {
			return a
		}
	}
	t.Fatalf("there is no %s", name)
	return nil
}

func request(inputs map[string]any) action.Request {
	if _, ok := inputs["integration"]; !ok {
		inputs["integration"] = "good"
	}
	return action.Request{Key: "key-1", Attempt: 1, Inputs: inputs, Egress: action.Local()}
}

// usual are good inputs of each action.
func usual() map[string]map[string]any {
	return map[string]map[string]any{
		"slack/post":            {"to": []any{"#ops", "alice@example.org"}, "text": "hello", "mrkdwn": false},
		"slack/update":          {"channel": "C0OPS", "ts": "1.1", "text": "x", "mrkdwn": false},
		"slack/snippet":         {"to": []any{"#ops", "bob@example.org"}, "content": "a\nb", "title": "T", "type": "text"},
		"slack/channel-create":  {"name": "inc-1", "private": false, "topic": "t", "purpose": "p", "users": []any{"alice@example.org"}},
		"slack/channel-archive": {"channel": "#db"},
		"slack/channel-invite":  {"channel": "#db", "users": []any{"alice@example.org", "U0BOB"}},
		"email/send":            {"to": []any{"a@example.org"}, "subject": "s", "text": "t"},
		"pagerduty/trigger":     {"summary": "down", "severity": "critical", "source": "db-1"},
		"pagerduty/acknowledge": {"key": "k"},
		"pagerduty/resolve":     {"key": "k"},
		"webhook/send":          {"type": "a.b", "details": map[string]any{"x": int64(1)}},
	}
}

// TestConformance runs the suite over every action.
func TestConformance(t *testing.T) {
	t.Parallel()
	taker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(taker.Close)
	for name, in := range usual() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stand := slacktest.New(t)
			mode := func(m messagetest.Mode) string {
				s := slacktest.New(t)
				s.Behave(m)
				return s.URL()
			}
			h := &switched{house: house{stand.URL(), taker.URL}, modes: map[string]string{
				"limited": mode(messagetest.Limited), "locked": mode(messagetest.Locked), "deaf": mode(messagetest.Deaf), "broken": mode(messagetest.Broken),
			}, status: status(t)}
			a := find(t, h, name)
			req := func(change map[string]any) func(*testing.T) action.Request {
				return func(*testing.T) action.Request {
					x := map[string]any{}
					for k, v := range in {
						x[k] = v
					}
					for k, v := range change {
						x[k] = v
					}
					return request(x)
				}
			}
			slackish := strings.HasPrefix(name, "slack/")
			cases := []actiontest.Case{
				{Name: "no such integration", Request: req(map[string]any{"integration": "other"}), Want: action.NotStarted, Kind: fault.Missing},
				{Name: "limited", Request: req(map[string]any{"integration": "limited"}), Want: action.Failed, Kind: fault.RateLimited, Secrets: []string{slacktest.Token, key}, Check: func(t *testing.T, r action.Result, _ string) {
					if r.After != 7*time.Second {
						t.Errorf("after %s", r.After)
					}
				}},
				{Name: "locked", Request: req(map[string]any{"integration": "locked"}), Want: action.Failed, Kind: fault.Auth, Secrets: []string{slacktest.Token, key}},
				{Name: "egress", Request: func(t *testing.T) action.Request {
					r := req(nil)(t)
					r.Egress = action.Egress{}
					return r
				}, Want: action.NotStarted, Kind: fault.Refused},
			}
			once := map[string]bool{"slack/update": true, "slack/channel-create": true}
			if !once[name] { // whose second call, or whose message, is another story
				cases = append([]actiontest.Case{{Name: "done", Request: req(nil), Want: action.Succeeded}}, cases...)
			}
			suite := actiontest.Suite{Cases: cases}
			if slackish && (name == "slack/post" || name == "slack/channel-create" || name == "slack/update") {
				suite.Hang = req(map[string]any{"integration": "deaf"})
			}
			actiontest.Run(t, a, suite)
		})
	}
}

// switched has integrations that behave.
type switched struct {
	house

	modes  map[string]string
	status string
}

// Slack implements tell.Connections.
func (s *switched) Slack(ctx context.Context, name string, dial tell.Dial) (*slack.Client, string, error) {
	if u, ok := s.modes[name]; ok {
		return house{u, ""}.Slack(ctx, "good", dial)
	}
	return s.house.Slack(ctx, name, dial)
}

// Sender implements tell.Connections.
func (s *switched) Sender(ctx context.Context, kind, name string, dial tell.Dial) (message.Sender, error) {
	if _, ok := s.modes[name]; ok {
		return house{"", s.status + "/" + name}.Sender(ctx, kind, "good", dial)
	}
	return s.house.Sender(ctx, kind, name, dial)
}

// status answers as the path says.
func status(t *testing.T) string {
	t.Helper()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		switch {
		case strings.HasPrefix(r.URL.Path, "/limited"):
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusTooManyRequests)
		case strings.HasPrefix(r.URL.Path, "/locked"):
			w.WriteHeader(http.StatusUnauthorized)
		default:
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
	t.Cleanup(web.Close)
	return web.URL
}

func run(t *testing.T, c tell.Connections, name string, attempt int, in map[string]any) action.Result {
	t.Helper()
	r := request(in)
	r.Attempt = attempt
	return find(t, c, name).Run(t.Context(), r, func(string, []byte) {})
}

// TestPostOnce: what arrived although nobody said so is found, in the same attempt or in the next.
func TestPostOnce(t *testing.T) {
	t.Parallel()
	stand := slacktest.New(t)
	h := house{slack: stand.URL()}
	in := func() map[string]any {
		return map[string]any{"to": []any{"#ops", "#db"}, "text": "<!here> a & b", "mrkdwn": false}
	}
	stand.Behave(messagetest.Cut)
	r := run(t, h, "slack/post", 1, in())
	if r.Outcome != action.Succeeded || len(stand.Arrived()) != 2 {
		t.Fatalf("%+v, %v", r, stand.Arrived())
	}
	stand.Behave(messagetest.Good)
	if r := run(t, h, "slack/post", 2, in()); r.Outcome != action.Succeeded || len(stand.Arrived()) != 2 {
		t.Fatalf("%+v, %v", r, stand.Arrived())
	}
	if m := stand.Messages()[0]; m.Text != "&lt;!here&gt; a &amp; b" {
		t.Errorf("%q", m.Text)
	}
	// Another step says the same for itself.
	other := request(in())
	other.Key = "key-2"
	if r := find(t, h, "slack/post").Run(t.Context(), other, func(string, []byte) {}); r.Outcome != action.Succeeded || len(stand.Arrived()) != 4 {
		t.Errorf("%+v, %v", r, stand.Arrived())
	}
}

// TestOrder: the second place is not known: the first was told, and the step says so.
func TestOrder(t *testing.T) {
	t.Parallel()
	stand := slacktest.New(t)
	r := run(t, house{slack: stand.URL()}, "slack/post", 1, map[string]any{"to": []any{"#ops", "nobody@example.org"}, "text": "x"})
	if r.Outcome != action.Failed || r.Kind != fault.NotFound || r.Output["channel"] != "C0OPS" || !strings.Contains(r.Message, "1 before it") {
		t.Errorf("%+v", r)
	}
}

// TestRoom: a channel from begin to end, with a message that changes.
func TestRoom(t *testing.T) {
	t.Parallel()
	stand := slacktest.New(t)
	h := house{slack: stand.URL()}
	must := func(r action.Result) map[string]any {
		t.Helper()
		if r.Outcome != action.Succeeded {
			t.Fatalf("%+v", r)
		}
		return r.Output
	}
	room := must(run(t, h, "slack/channel-create", 1, usual()["slack/channel-create"]))
	if r := run(t, h, "slack/channel-create", 1, usual()["slack/channel-create"]); r.Outcome != action.Failed || r.Kind != fault.Conflict {
		t.Errorf("a second one of the name: %+v", r)
	}
	must(run(t, h, "slack/channel-invite", 1, map[string]any{"channel": room["channel"], "users": []any{"alice@example.org"}}))
	must(run(t, h, "slack/channel-invite", 1, map[string]any{"channel": room["channel"], "users": []any{"bob@example.org"}}))
	m := must(run(t, h, "slack/post", 1, map[string]any{"to": []any{room["channel"]}, "text": "one", "image": "https://example.org/x.png"}))
	must(run(t, h, "slack/update", 1, map[string]any{"channel": m["channel"], "ts": m["ts"], "text": "two"}))
	must(run(t, h, "slack/snippet", 1, map[string]any{"to": []any{"#inc-1"}, "content": "select 1", "title": "Q", "comment": "<x>", "type": "sql"}))
	must(run(t, h, "slack/channel-archive", 1, map[string]any{"channel": room["channel"]}))
	must(run(t, h, "slack/channel-archive", 2, map[string]any{"channel": room["channel"]}))
	if got := stand.Messages(); len(got) != 1 || got[0].Text != "two" || len(got[0].Blocks) > 0 {
		t.Errorf("%+v", got)
	}
	if f := stand.Files(); len(f) != 1 || f[0].Content != "select 1" || f[0].Channel != room["channel"] || f[0].Comment != "&lt;x&gt;" {
		t.Errorf("%+v", f)
	}
	if got := stand.Invited("C1NEW"); len(got) != 2 || len(stand.Archived()) != 1 {
		t.Errorf("%v, %v", got, stand.Archived())
	}
}

// TestEvents: what PagerDuty and a program read.
func TestEvents(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var got []map[string]any
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var x map[string]any
		_ = json.NewDecoder(r.Body).Decode(&x)
		mu.Lock()
		got = append(got, x)
		mu.Unlock()
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(web.Close)
	h := house{url: web.URL}
	first := run(t, h, "pagerduty/trigger", 1, map[string]any{"summary": "down", "severity": "major", "source": "db-1", "details": map[string]any{"a": int64(1)}})
	again := run(t, h, "pagerduty/trigger", 2, map[string]any{"summary": "down", "severity": "major"})
	if first.Output["key"] != again.Output["key"] || first.Output["key"] == "" {
		t.Errorf("%v and %v", first, again)
	}
	run(t, h, "pagerduty/resolve", 1, map[string]any{"key": first.Output["key"]})
	run(t, h, "webhook/send", 1, map[string]any{"type": "a.b", "details": map[string]any{"x": int64(1)}})
	p, _ := got[0]["payload"].(map[string]any)
	if p["severity"] != "error" || p["source"] != "db-1" || got[2]["event_action"] != "resolve" || got[2]["dedup_key"] != first.Output["key"] || got[3]["type"] != "a.b" {
		t.Errorf("%v", got)
	}
}

// TestNothingConfigured: without integrations nothing begins.
func TestNothingConfigured(t *testing.T) {
	t.Parallel()
	for name, in := range usual() {
		if r := run(t, nil, name, 1, in); r.Outcome != action.NotStarted || r.Kind != fault.Missing {
			t.Errorf("%s: %+v", name, r)
		}
	}
}
