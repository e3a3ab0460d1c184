package chat_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/news"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/catalog"
	"github.com/tendhq/tend/internal/chat"
	"github.com/tendhq/tend/internal/dispatch"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/exchange"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/incident"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/slack"
	"github.com/tendhq/tend/internal/slack/slacktest"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/task"
)

// desk has tasks, judged by the rules of package task, incidents by those of package incident, one playbook, and can be halted.
type desk struct {
	mu        sync.Mutex
	tasks     map[string]*task.State
	incidents map[string]*incident.State
	halts     []guard.Halted
	commands  []engine.Command
	events    []event.Event
	started   []map[string]any
	requests  []string
	followed  []string
	library   []*catalog.Playbook
}

// Do implements chat.Engine.
func (d *desk) Do(_ context.Context, c engine.Command) (engine.Done, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.commands = append(d.commands, c)
	return engine.Done{}, nil
}

// Playbooks implements chat.Library.
func (d *desk) Playbooks() []*catalog.Playbook { return d.library }

// StartPlaybook implements chat.Library.
func (d *desk) StartPlaybook(_ context.Context, p *catalog.Playbook, params map[string]any, _ entry.Who, _, request, _ string) (string, error) {
	bound, err := p.Program.Bind(params, nil, nil, expr.New(expr.Limits{}))
	if err != nil {
		return "", err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if slices.Contains(d.requests, request) {
		return fmt.Sprintf("run_%d", slices.Index(d.requests, request)+1), nil
	}
	d.started, d.requests = append(d.started, bound), append(d.requests, request)
	return fmt.Sprintf("run_%d", len(d.started)), nil
}

// Accept implements chat.Desk.
func (d *desk) Accept(_ context.Context, events []event.Event) ([]dispatch.Receipt, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.events = append(d.events, events...)
	return []dispatch.Receipt{{Event: "evt_1", Outcome: event.Started, Run: "run_77", Trigger: "t"}}, nil
}

// OpenIncident implements chat.Desk.
func (d *desk) OpenIncident(_ context.Context, x incident.Start) (*incident.State, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	x.ID = fmt.Sprintf("inc_%d", len(d.incidents)+1)
	list, err := incident.OpenNew(x)
	if err != nil {
		return nil, err
	}
	s := new(incident.State)
	for _, p := range list {
		if err := s.Evolve(time.Now(), p); err != nil {
			return nil, err
		}
	}
	d.incidents[x.ID] = s
	return s.Clone(), nil
}

// ChangeIncident implements chat.Desk.
func (d *desk) ChangeIncident(_ context.Context, id string, _ *uint64, _ entry.Who, _, _ string,
	apply func(*incident.State, time.Time) ([]entry.Payload, error),
) (*incident.State, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.incidents[id]
	list, err := apply(s, time.Now())
	if err != nil {
		return nil, err
	}
	for _, p := range list {
		if err := s.Evolve(time.Now(), p); err != nil {
			return nil, err
		}
	}
	return s.Clone(), nil
}

// Unhalt implements chat.Governor.
func (d *desk) Unhalt(_ context.Context, name string, _ entry.Who, _ string) ([]guard.Halted, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var gone []guard.Halted
	d.halts = slices.DeleteFunc(d.halts, func(h guard.Halted) bool {
		if name != "" && h.ID != name {
			return false
		}
		gone = append(gone, h)
		return true
	})
	return gone, nil
}

// Answer implements chat.Engine.
func (d *desk) Answer(_ context.Context, a engine.Answer) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.tasks[a.Task]
	v, closed, err := s.Vote(task.Answer{Choice: a.Choice, By: a.By, Groups: a.Groups, Output: a.Output, Why: a.Why}, time.Now())
	if err != nil {
		return "", err
	}
	if err := s.Evolve(v, time.Time{}); err != nil {
		return "", err
	}
	if closed != nil {
		if err := s.Evolve(closed, time.Time{}); err != nil {
			return "", err
		}
	}
	return s.Status(), nil
}

// Rows implements chat.Engine.
func (d *desk) Rows(_ context.Context, f store.Filter) (store.Page, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var p store.Page
	switch f.Kind {
	case "incident":
		for _, n := range slices.Sorted(maps.Keys(d.incidents)) {
			s := d.incidents[n]
			if f.ID != "" && f.ID != n || len(f.Status) > 0 && !slices.Contains(f.Status, string(s.Status)) {
				continue
			}
			body, err := json.Marshal(s.Brief())
			if err != nil {
				return p, err
			}
			p.Rows = append(p.Rows, store.Row{Key: store.Key{Kind: "incident", ID: n}, Project: s.Project, Status: string(s.Status), Name: s.Title, Body: body})
		}
		return p, nil
	case "run":
		if f.ID == "run_1" {
			body, err := json.Marshal(engine.RunRow{Waits: []engine.Wait{{For: "guard", On: "cooldown", Why: "it was done a moment ago"}}})
			p.Rows = []store.Row{{Key: store.Key{Kind: "run", ID: "run_1"}, Project: "default", Status: "waiting", Name: "reclaim", Body: body}}
			return p, err
		}
		return p, nil
	}
	for _, n := range slices.Sorted(maps.Keys(d.tasks)) {
		s := d.tasks[n]
		body, err := json.Marshal(engine.TaskRow{TaskCreated: *s.Created, Votes: s.Votes})
		if err != nil {
			return p, err
		}
		project := "default"
		if n == "task_2" {
			project = "secret"
		}
		r := store.Row{Key: store.Key{Kind: "task", ID: n}, Project: project, Status: s.Status(), Name: s.Created.Title, Body: body}
		if f.Match(&r) {
			p.Rows = append(p.Rows, r)
		}
	}
	return p, nil
}

// Status implements chat.Engine.
func (d *desk) Status(context.Context) (engine.Status, error) { return engine.Status{}, nil }

// Halt implements chat.Governor.
func (d *desk) Halt(_ context.Context, h guard.Halted, by entry.Who, why string) (guard.Halted, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	h.ID, h.By, h.Why = "halt_1", by.Name, why
	d.halts = append(d.halts, h)
	return h, nil
}

// Rules implements chat.Governor.
func (d *desk) Rules() *guard.Rules {
	d.mu.Lock()
	defer d.mu.Unlock()
	return &guard.Rules{Halts: slices.Clone(d.halts)}
}

type keys struct{}

func (keys) Name() string { return "test" }

func (keys) Find(context.Context, string) (secret.Found, error) {
	return secret.Found{Value: secret.New(slacktest.Signing)}, nil
}

type house struct {
	t     *testing.T
	desk  *desk
	slack *slacktest.Server
	door  *chat.Door
}

func open(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, desk: &desk{tasks: map[string]*task.State{}, incidents: map[string]*incident.State{}}, slack: slacktest.New(t)}
	for n, c := range map[string]entry.TaskCreated{
		"task_1": {Type: "approve", Title: "Restart *db-1*?", Count: 1, From: []string{"oncall/db"}, Run: "run_1"},
		"task_2": {Type: "approve", Title: "Of another project", Count: 1, Run: "run_2"},
	} {
		h.desk.tasks[n] = &task.State{}
		if err := h.desk.tasks[n].Evolve(&c, time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	policy := access.Policy{Bindings: []access.Binding{
		{Name: "approvers", Subjects: []string{"user:alice@example.org"}, Role: access.Approver, Projects: []string{"default"}},
		{Name: "viewers", Subjects: []string{"user:bob@example.org"}, Role: access.Viewer, Projects: []string{"default"}},
		{Name: "admins", Subjects: []string{"user:root@example.org"}, Role: access.Admin},
	}}
	client := slack.New(h.slack.URL(), secret.New(slacktest.Token), exchange.Caller{})
	h.door = &chat.Door{
		Teams: []chat.Team{{
			Name: "acme", ID: slacktest.Team, Signing: "s", API: h.slack.URL(), Client: func(context.Context) (*slack.Client, error) { return client, nil },
		}},
		Secrets: keys{}, Engine: h.desk, Governor: h.desk, Library: h.desk, Desk: h.desk, Log: slog.New(slog.DiscardHandler),
		Groups: func(id string) []string {
			if id == "user:alice@example.org" {
				return []string{"oncall/db"}
			}
			return nil
		},
		Follow: func(_ context.Context, team, channel, run string) error {
			h.desk.followed = append(h.desk.followed, team+"/"+channel+"/"+run)
			return nil
		},
		Authorize: func(_ context.Context, p access.Principal, n access.Need) error {
			if v := access.Check(policy, p, n); !v.Allowed {
				return fault.New(fault.Refused, "%s may not: %s", p.Name, v.Why)
			}
			return nil
		},
		Look: func(p access.Principal) *access.Sight { return access.Look(policy, p) },
	}
	return h
}

func (h *house) send(do http.HandlerFunc, body []byte, change func(*http.Request)) *httptest.ResponseRecorder {
	h.t.Helper()
	r := httptest.NewRequestWithContext(h.t.Context(), http.MethodPost, "/slack/x", bytes.NewReader(body))
	slacktest.Sign(r, body, time.Now())
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	do(w, r)
	return w
}

func (h *house) press(user, button, name string) string {
	h.t.Helper()
	before := len(h.slack.Answers())
	w := h.send(h.door.Interactive, slacktest.Press(user, button, name, h.slack.AnswerURL(), h.slack.Trigger(time.Now())), nil)
	if w.Code != http.StatusOK {
		h.t.Fatalf("%d %s", w.Code, w.Body)
	}
	got := h.slack.Answers()
	if len(got) == before {
		return ""
	}
	return got[len(got)-1]
}

// plainly undoes how encoding/json writes what Slack marks up with.
func plainly(s string) string {
	return strings.NewReplacer(`\u0026`, "&", `\u003c`, "<", `\u003e`, ">").Replace(s)
}

func (h *house) command(user, text string) string {
	h.t.Helper()
	w := h.send(h.door.Command, slacktest.Command(user, text, h.slack.AnswerURL(), h.slack.Trigger(time.Now())), nil)
	if w.Code != http.StatusOK {
		h.t.Fatalf("%d %s", w.Code, w.Body)
	}
	return plainly(w.Body.String())
}

// TestButtons: who may answers, and nobody else.
func TestButtons(t *testing.T) {
	t.Parallel()
	h := open(t)
	for user, want := range map[string]string{
		"U0BOB": "may not", "U0EVE": "no confirmed e-mail address", "U0NOBODY": "does not say who you are",
	} {
		if got := h.press(user, news.Approve, "task_1"); !strings.Contains(got, want) || !strings.Contains(got, "ephemeral") {
			t.Errorf("%s: %s", user, got)
		}
	}
	for name, want := range map[string]string{"task_2": "there is no task", "task_9": "there is no task"} {
		if got := h.press("U0ALICE", news.Approve, name); !strings.Contains(got, want) {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := h.press("U0ALICE", "another-button", "task_1"); got != "" {
		t.Errorf("a button of somebody else's was answered: %s", got)
	}
	if s := h.desk.tasks["task_1"].Status(); s != task.Open {
		t.Fatalf("it is %s", s)
	}
	got := h.press("U0ALICE", news.Approve, "task_1")
	if !strings.Contains(got, "approved by alice@example.org") || !strings.Contains(got, "in_channel") || strings.Contains(got, "*db-1*") {
		t.Errorf("%s", got)
	}
	v := h.desk.tasks["task_1"].Votes
	if len(v) != 1 || v[0].By.ID != "user:alice@example.org" || v[0].By.Via != "slack" || v[0].By.From != "slack:T0TEND/U0ALICE" {
		t.Errorf("%+v", v)
	}
	if got := h.press("U0ALICE", news.Reject, "task_1"); !strings.Contains(got, "over") {
		t.Errorf("%s", got)
	}
}

// TestSignatures: what Slack did not make, or made before, does nothing.
func TestSignatures(t *testing.T) {
	t.Parallel()
	h := open(t)
	body := slacktest.Press("U0ALICE", news.Approve, "task_1", h.slack.AnswerURL(), "t")
	command := slacktest.Command("U0ALICE", "approve task_1", "", "t")
	for name, change := range map[string]func(*http.Request){
		"none":    func(r *http.Request) { r.Header.Del("X-Slack-Signature") },
		"old":     func(r *http.Request) { slacktest.Sign(r, body, time.Now().Add(-6*time.Minute)) },
		"early":   func(r *http.Request) { slacktest.Sign(r, body, time.Now().Add(6*time.Minute)) },
		"of else": func(r *http.Request) { slacktest.Sign(r, append(slices.Clone(body), 'x'), time.Now()) },
		"broken":  func(r *http.Request) { r.Header.Set("X-Slack-Signature", "v0=00") },
		"time":    func(r *http.Request) { r.Header.Set("X-Slack-Request-Timestamp", fmt.Sprint(time.Now().Unix()+1)) },
	} {
		for _, do := range []http.HandlerFunc{h.door.Interactive, h.door.Command, h.door.Events} {
			if w := h.send(do, body, change); w.Code != http.StatusUnauthorized {
				t.Errorf("%s: %d", name, w.Code)
			}
		}
	}
	if s := h.desk.tasks["task_1"].Status(); s != task.Open {
		t.Fatalf("it is %s", s)
	}
	var first *http.Request
	w := h.send(h.door.Command, command, func(r *http.Request) { first = r })
	if w.Code != http.StatusOK {
		t.Fatal(w.Code)
	}
	again := h.send(h.door.Command, command, func(r *http.Request) { r.Header = first.Header.Clone() })
	if again.Code != http.StatusUnauthorized {
		t.Errorf("a replay: %d", again.Code)
	}
	// Of another workspace, whoever signed it.
	other := []byte(strings.ReplaceAll(string(slacktest.Command("U0ALICE", "status", "", "t")), slacktest.Team, "T0OTHER"))
	if w := h.send(h.door.Command, other, nil); !strings.Contains(w.Body.String(), "not the one that is configured") {
		t.Errorf("%s", w.Body)
	}
}

// TestCommand: what /tend says, and to whom.
func TestCommand(t *testing.T) {
	t.Parallel()
	h := open(t)
	for _, c := range []struct{ user, text, want string }{
		{"U0ALICE", "", "/tend list"},
		{"U0ALICE", "status", "1 open task"},
		{"U0ALICE", "list tasks", "task_1"},
		{"U0BOB", "list runs", "no open run"},
		{"U0BOB", "list", "no open incident"},
		{"U0ALICE", "list secrets", "cannot be listed"},
		{"U0EVE", "status", "no confirmed e-mail address"},
		{"U0BOB", "halt now", "may not"},
		{"U0ALICE", "halt", "needs a reason"},
		{"U0BOB", "approve task_1", "may not"},
		{"U0ALICE", "approve", "which task"},
		{"U0ALICE", "approve task_2", "there is no task"},
		{"U0ALICE", "<script>", "no command"},
		{"U0ALICE", "reject task_1 not tonight", "rejected by alice"},
		{"U0ALICE", "halt the database moves", "Everything is halted (halt_1)"},
		{"U0ALICE", "status", "is halted by alice@example.org: the database moves"},
		{"U0ALICE", "unhalt it is back", "may not"},
		{"U0EVE", "unhalt it is back", "no confirmed e-mail address"},
		{"U0ROOT", "unhalt", "needs a reason"},
		{"U0ROOT", "unhalt halt_1 it is back", "halt_1 is over"},
		{"U0ROOT", "unhalt it is back", "Nothing was halted"},
		{"U0ALICE", "halt playbook=reclaim-disk it loops", "playbook reclaim-disk is halted"},
		{"U0ALICE", "halt colour=red why", "nothing is halted by"},
		{"U0ALICE", "stauts", "did you mean /tend status?"},
		{"U0ALICE", "status run_1", "waits for guard `cooldown`: it was done a moment ago"},
		{"U0ALICE", "status run_9", "there is no run"},
		{"U0ALICE", "status nonsense", "neither a run nor an incident"},
		{"U0BOB", "cancel run_1 wrong host", "may not"},
		{"U0ALICE", "cancel run_1", "why is it cancelled"},
		{"U0ALICE", "cancel run_1 wrong host", "being cancelled"},
		{"U0BOB", "open major checkout is slow", "may not"},
		{"U0ALICE", "ack", "There is no open incident"},
		{"U0ALICE", "open major checkout is <slow> & more", "`inc_1` major *checkout is &lt;slow&gt; &amp; more* — open"},
		{"U0BOB", "ack", "may not"},
		{"U0ROOT", "ack", "`inc_1` major"},
		{"U0ALICE", "open the second", "`inc_2` minor"},
		{"U0ALICE", "ack", "Which one?"},
		{"U0ALICE", "ack inc_2", "acknowledged"},
		{"U0ALICE", "ack inc_9", "there is no incident"},
		{"U0ALICE", "comment inc_1 looking", "inc_1"},
		{"U0ALICE", "comment inc_1", "the comment is empty"},
		{"U0ALICE", "status inc_1", "responders: root@example.org"},
		{"U0BOB", "resolve inc_1", "may not"},
		{"U0ALICE", "resolve inc_1 rolled back", "resolved"},
		{"U0BOB", "event deploy-7", "may not"},
		{"U0ALICE", "event", "needs a key"},
		{"U0ALICE", "event deploy-7 what is this", "is not name=value"},
		{"U0ALICE", "event deploy-7 kind=deployment service=“shop front”", "`evt_1` started `run_77`"},
	} {
		got := h.command(c.user, c.text)
		if !strings.Contains(got, c.want) || !strings.Contains(got, "ephemeral") || strings.Contains(got, "task_2`") {
			t.Errorf("%s %q: %s", c.user, c.text, got)
		}
	}
	if c := h.desk.commands; len(c) != 1 || c[0].Verb != engine.Cancel || c[0].Run != "run_1" || c[0].Why != "wrong host" || c[0].By.ID != "user:alice@example.org" {
		t.Errorf("%+v", c)
	}
	if e := h.desk.events; len(e) != 1 || e[0].Source != "slack" || e[0].Kind != "deployment" || e[0].Labels["service"] != "shop front" || e[0].Data["by"] != "user:alice@example.org" {
		t.Errorf("%+v", e)
	}
	if f := h.desk.followed; !slices.Equal(f, []string{"acme/C0OPS/run_77"}) {
		t.Errorf("%v", f)
	}
	if got := h.desk.incidents["inc_1"]; got.Status != incident.Resolved || got.Taken.IsZero() {
		t.Errorf("%+v", got)
	}
	if v := h.desk.tasks["task_1"].Votes; len(v) != 1 || v[0].Why != "not tonight" {
		t.Errorf("%+v", v)
	}
}

// TestAnswersGoToSlack: the address for answers is signed, and must be Slack's all the same.
func TestAnswersGoToSlack(t *testing.T) {
	t.Parallel()
	h := open(t)
	hit := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hit = true }))
	t.Cleanup(elsewhere.Close)
	h.send(h.door.Interactive, slacktest.Press("U0BOB", news.Approve, "task_1", elsewhere.URL, "t"), nil)
	if hit {
		t.Error("it was told somewhere else")
	}
}

// TestEvents: Slack's question whether the address is ours.
func TestEvents(t *testing.T) {
	t.Parallel()
	h := open(t)
	if w := h.send(h.door.Events, []byte(`{"type":"url_verification","challenge":"abc"}`), nil); w.Code != http.StatusOK || w.Body.String() != "abc" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := h.send(h.door.Events, []byte(`{"type":"event_callback","event":{}}`), nil); w.Code != http.StatusOK || w.Body.Len() > 0 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := h.send(h.door.Events, []byte(`{`), nil); w.Code != http.StatusBadRequest {
		t.Errorf("%d", w.Code)
	}
}

// FuzzBodies: whatever Slack, or somebody with its key, sends.
func FuzzBodies(f *testing.F) {
	f.Add(string(slacktest.Press("U1", "b", "v", "https://hooks.slack.com/x", "t")))
	f.Add(string(slacktest.Menu("U1", "b", "v|1", "https://hooks.slack.com/x", "t")))
	f.Add(string(slacktest.Command("U1", "halt x", "", "t")))
	f.Add(url.Values{"payload": {`{"type":"view_submission","user":{"id":"U1"},"view":{"state":{"values":{"a":{"b":{"value":1}},"c":null}}}}`}}.Encode())
	f.Add(url.Values{"payload": {`{"user":{"id":"U1"},"actions":[null]}`}}.Encode())
	f.Add(`{"type":"url_verification","challenge":1}`)
	f.Fuzz(func(t *testing.T, body string) {
		for _, err := range []error{second(slack.ParseInteraction([]byte(body))), second(slack.ParseCommand([]byte(body))), second(slack.Challenge([]byte(body)))} {
			if err != nil && !fault.Is(err, fault.Invalid) {
				t.Errorf("%v", err)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }

// TestHelpIsWhatTheDocsSay: docs/slack.md lists the commands as help does.
func TestHelpIsWhatTheDocsSay(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../docs/slack.md")
	if err != nil {
		t.Fatal(err)
	}
	h := open(t)
	var answer struct {
		Text string `json:"text"`
	}
	if err := json.Unmarshal([]byte(h.command("U0BOB", "help")), &answer); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(answer.Text) {
		use, does, _ := strings.Cut(strings.TrimSpace(line), " — ")
		if row := "| " + strings.ReplaceAll(use, "|", `\|`) + " | " + does + " |"; !strings.Contains(string(b), row) {
			t.Errorf("docs/slack.md has no row %s", row)
		}
	}
}
