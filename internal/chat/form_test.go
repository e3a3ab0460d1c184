package chat_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/news"

	"github.com/google/go-cmp/cmp"

	"github.com/tendhq/tend/internal/catalog"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/slack/slacktest"
	"github.com/tendhq/tend/internal/task"
	"github.com/tendhq/tend/internal/value"
)

// put adds a task of the project default.
func (h *house) put(name string, c entry.TaskCreated) {
	h.t.Helper()
	h.desk.tasks[name] = &task.State{}
	if err := h.desk.tasks[name].Evolve(&c, time.Time{}); err != nil {
		h.t.Fatal(err)
	}
}

// shown presses a button and gives the form that came of it.
func (h *house) shown(user, button, name string) slacktest.View {
	h.t.Helper()
	before := len(h.slack.Views())
	told := h.press(user, button, name)
	all := h.slack.Views()
	if len(all) != before+1 {
		h.t.Fatalf("no form was shown: %s", told)
	}
	return all[before]
}

// submit sends a form and gives what is wrong with it, and what was told.
func (h *house) submit(v slacktest.View, user string, values map[string]any) (problems map[string]string, told string) {
	h.t.Helper()
	body, err := v.Submit(user, values)
	if err != nil {
		h.t.Fatal(err)
	}
	before := len(h.slack.Answers())
	w := h.send(h.door.Interactive, body, nil)
	if w.Code != http.StatusOK {
		h.t.Fatalf("%d %s", w.Code, w.Body)
	}
	if problems, err = v.Errors(w.Body.Bytes()); err != nil {
		h.t.Fatal(err)
	}
	if got := h.slack.Answers(); len(got) > before {
		told = plainly(got[len(got)-1])
	}
	return problems, told
}

func question() entry.TaskCreated {
	return entry.TaskCreated{Type: "ask", Title: "How much?", Message: "The disk of *db-1* is <full>.", Run: "run_1", Form: value.Object{"fields": []any{
		map[string]any{"name": "count", "type": "number", "required": true, "description": "GiB to add"},
		map[string]any{"name": "env", "type": "string", "enum": []any{"prod", "test"}, "default": "test"},
		map[string]any{"name": "sure", "type": "boolean", "required": true},
		map[string]any{"name": "hosts", "type": "list", "items": map[string]any{"type": "string", "pattern": "db-[0-9]+"}},
		map[string]any{"name": "disks", "type": "list", "items": map[string]any{"type": "string", "enum": []any{"a", "b", "c"}}},
		map[string]any{"name": "ticket", "type": "string", "pattern": "OPS-[0-9]+"},
		map[string]any{"name": "extra", "type": "map"},
	}}}
}

// TestForm: a typed form is shown, what is wrong with a field is said at the field, and what is right arrives with its types.
func TestForm(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put("task_3", question())
	v := h.shown("U0ALICE", news.Fill, "task_3")
	problems, told := h.submit(v, "U0ALICE", map[string]any{
		"field:count": "-", "field:sure": "true", "field:hosts": "db-1\nweb-2", "field:ticket": "later", "field:extra": "{not json",
	})
	if told != "" || len(problems) != 4 {
		t.Errorf("%v, %s", problems, told)
	}
	for block, want := range map[string]string{"field:count": "number", "field:hosts": "web-2", "field:ticket": "OPS-", "field:extra": "map"} {
		if !strings.Contains(problems[block], want) {
			t.Errorf("%s: %q", block, problems[block])
		}
	}
	if s := h.desk.tasks["task_3"]; s.Status() != task.Open || len(s.Votes) > 0 {
		t.Fatalf("it is %s", s.Status())
	}
	if problems, _ := h.submit(v, "U0BOB", map[string]any{"field:count": "3", "field:sure": "true"}); !strings.Contains(problems["tend:why"], "may not") {
		t.Errorf("another person sends the form: %v", problems)
	}
	problems, told = h.submit(v, "U0ALICE", map[string]any{
		"field:count": "3", "field:sure": "false", "field:hosts": "db-1\n\n db-2 ", "field:disks": []string{"a", "c"}, "field:ticket": "OPS-7",
		"field:extra": `{"a": 1}`, "tend:why": "it grows",
	})
	if problems != nil || !strings.Contains(told, "answered by alice@example.org") || !strings.Contains(told, "in_channel") {
		t.Fatalf("%v, %s", problems, told)
	}
	got := h.desk.tasks["task_3"].Votes[0]
	want := value.Object{
		"count": int64(3), "env": "test", "sure": false, "hosts": []any{"db-1", "db-2"}, "disks": []any{"a", "c"}, "ticket": "OPS-7",
		"extra": map[string]any{"a": int64(1)},
	}
	if d := cmp.Diff(want, got.Output); d != "" || got.Why != "it grows" || got.By.ID != "user:alice@example.org" {
		t.Errorf("%s %+v", d, got)
	}
	// It was over when somebody else, who had the form open, sent it.
	if problems, _ := h.submit(v, "U0ROOT", map[string]any{"field:count": "4", "field:sure": "true"}); !strings.Contains(problems["tend:why"], "is over") {
		t.Errorf("%v", problems)
	}
}

// TestFormsAreForWhoMayAnswer: others do not see what is asked; what is sensitive is not typed into Slack; a trigger is good
// once and for three seconds.
func TestFormsAreForWhoMayAnswer(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put("task_3", question())
	secret := question()
	secret.Form = value.Object{"fields": []any{map[string]any{"name": "password", "type": "string", "sensitive": true}}}
	h.put("task_4", secret)
	for _, c := range []struct{ user, task, want string }{
		{"U0BOB", "task_3", "may not"},
		{"U0EVE", "task_3", "no confirmed e-mail address"},
		{"U0ALICE", "task_2", "there is no task"},
		{"U0ALICE", "task_4", "not typed into Slack"},
		{"U0ALICE", "", "there is no task"},
	} {
		if got := h.press(c.user, news.Fill, c.task); !strings.Contains(got, c.want) || !strings.Contains(got, "ephemeral") {
			t.Errorf("%+v: %s", c, got)
		}
	}
	late := h.slack.Trigger(time.Now().Add(-4 * time.Second))
	h.send(h.door.Interactive, slacktest.Press("U0ALICE", news.Fill, "task_3", h.slack.AnswerURL(), late), nil)
	if got := h.slack.Answers(); !strings.Contains(got[len(got)-1], "came too late") {
		t.Errorf("%s", got[len(got)-1])
	}
	if v := h.slack.Views(); len(v) > 0 {
		t.Errorf("%+v", v)
	}
	if body := h.command("U0ALICE", "answer task_3"); body != "" || len(h.slack.Views()) != 1 {
		t.Errorf("%s", body)
	}
	// Somebody with the signing key makes up what a form is for.
	forged := slacktest.View{Trigger: "x", Private: "{", Blocks: nil}
	body, err := forged.Submit("U0ALICE", nil)
	if err != nil {
		t.Fatal(err)
	}
	if w := h.send(h.door.Interactive, body, nil); w.Code != http.StatusBadRequest {
		t.Errorf("%d", w.Code)
	}
}

// TestMenus: one of the choices, several of them, manual work and a doubt.
func TestMenus(t *testing.T) {
	t.Parallel()
	h := open(t)
	long := strings.Repeat("a long choice ", 10)
	h.put("task_3", entry.TaskCreated{Type: "ask", Title: "Which?", Form: value.Object{"choices": []any{"one", long}, "selector": "single"}})
	h.put("task_4", entry.TaskCreated{Type: "ask", Title: "Which ones?", Form: value.Object{"choices": []any{"one", "two", "three"}, "selector": "multi"}})
	h.put("task_5", entry.TaskCreated{Type: "manual", Title: "Pull the cable"})
	h.put("task_6", entry.TaskCreated{Type: "doubt", Title: "Did it happen?"})
	h.put("task_7", entry.TaskCreated{Type: "doubt", Title: "Did it happen?"})
	choose := func(menu, value string) string {
		w := h.send(h.door.Interactive, slacktest.Menu("U0ALICE", menu, value, h.slack.AnswerURL(), "t"), nil)
		if w.Code != http.StatusOK {
			t.Fatalf("%d", w.Code)
		}
		got := h.slack.Answers()
		return got[len(got)-1]
	}
	if got := choose(news.Choose, "task_3|9"); !strings.Contains(got, "none of the choices") {
		t.Errorf("%s", got)
	}
	choose(news.Choose, "task_3|1")
	if v := h.desk.tasks["task_3"].Votes; len(v) != 1 || v[0].Output["slack_response"] != long {
		t.Errorf("%+v", v)
	}
	v := h.shown("U0ALICE", news.Fill, "task_4")
	if problems, _ := h.submit(v, "U0ALICE", map[string]any{"tend:pick": []string{}}); problems["tend:pick"] == "" {
		t.Errorf("nothing was chosen: %v", problems)
	}
	h.submit(v, "U0ALICE", map[string]any{"tend:pick": []string{"one", "three"}})
	if v := h.desk.tasks["task_4"].Votes; len(v) != 1 || !cmp.Equal(v[0].Output["selected_responses"], []any{"one", "three"}) {
		t.Errorf("%+v", v)
	}
	v = h.shown("U0ALICE", news.Fill, "task_5")
	h.submit(v, "U0ALICE", map[string]any{"tend:choice": "reject", "tend:why": "there is no cable"})
	if s := h.desk.tasks["task_5"]; s.Status() != "rejected" || s.Votes[0].Why != "there is no cable" {
		t.Errorf("%s", s.Status())
	}
	if got := choose(news.Doubt, "task_6|perhaps"); !strings.Contains(got, "no answer to this task") {
		t.Errorf("%s", got)
	}
	if got := choose(news.Doubt, "task_6|not-happened"); !strings.Contains(got, "answered (not happened)") {
		t.Errorf("%s", got)
	}
	if s := h.desk.tasks["task_6"].Status(); s != "not-happened" {
		t.Errorf("%s", s)
	}
	h.press("U0ALICE", news.Approve, "task_7")
	if s := h.desk.tasks["task_7"].Status(); s != task.Open {
		t.Errorf("an approval button answers a doubt: %s", s)
	}
	// The glass is not broken by a menu, whatever stands in it.
	h.put("task_8", entry.TaskCreated{Type: "approve", Title: "Drop it?", From: []string{"nobody"}})
	if got := choose(news.Doubt, "task_8|"+task.BreakGlass); !strings.Contains(got, "not broken from here") || h.desk.tasks["task_8"].Status() != task.Open {
		t.Errorf("%s", got)
	}
}

// TestInbox: what waits, with a button where it can be answered.
func TestInbox(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put("task_3", question())
	got := h.command("U0ALICE", "inbox")
	for _, want := range []string{"task_1", "task_3", `"action_id":"tend-fill"`, `"value":"task_3"`, "Restart ∗db-1∗?"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in %s", want, got)
		}
	}
	if strings.Contains(got, "task_2") {
		t.Error(got)
	}
	if got := h.command("U0BOB", "inbox"); !strings.Contains(got, "Nothing waits for you") {
		t.Error(got)
	}
}

// TestRun: a playbook with all that it needs begins at once, and a thread follows it; else a form asks for the rest.
func TestRun(t *testing.T) {
	t.Parallel()
	h := open(t)
	lit := func(v any) *expr.Tree { return &expr.Tree{Scalar: &expr.Expr{Kind: expr.Literal, Lit: v}} }
	h.desk.library = []*catalog.Playbook{
		{Name: "reclaim-disk", Description: "Free space", Project: "default", Program: &program.Program{Parameters: []contract.Parameter{
			{Name: "host", Type: contract.String, Required: true, Pattern: "db-[0-9]+"}, {Name: "limit", Type: contract.Number, Default: lit(int64(800))},
		}}},
		{Name: "hidden", Project: "secret", Program: &program.Program{}},
		{Name: "login", Project: "default", Program: &program.Program{Parameters: []contract.Parameter{{Name: "pin", Type: contract.String, Required: true, Sensitive: true}}}},
	}
	for _, c := range []struct{ user, text, want string }{
		{"U0ALICE", "list playbooks", "`reclaim-disk` — Free space"},
		{"U0ALICE", "run", "which playbook?"},
		{"U0ALICE", "run reclaim-disc host=db-1", "did you mean reclaim-disk?"},
		{"U0ALICE", "run hidden", "no playbook"},
		{"U0ALICE", "run login", "not typed into Slack"},
		{"U0BOB", "run reclaim-disk host=db-1", "may not"},
		{"U0EVE", "run reclaim-disk host=db-1", "no confirmed e-mail address"},
		{"U0ALICE", "run reclaim-disk host=web-1", "host"},
		{"U0ALICE", "run reclaim-disk host=db-1 limit=5 it is full", "runs as `run_1`; a thread here follows it"},
	} {
		if got := h.command(c.user, c.text); !strings.Contains(got, c.want) || strings.Contains(got, "hidden`") {
			t.Errorf("%s %q: %s", c.user, c.text, got)
		}
	}
	if body := h.command("U0ALICE", "run reclaim-disk"); body != "" {
		t.Fatalf("no form is shown: %s", body)
	}
	v := h.slack.Views()[0]
	if problems, _ := h.submit(v, "U0ALICE", map[string]any{"field:host": "web-1"}); !strings.Contains(problems["field:host"], "db-") {
		t.Errorf("%v", problems)
	}
	if problems, _ := h.submit(v, "U0BOB", map[string]any{"field:host": "db-2"}); !strings.Contains(problems["tend:why"], "may not") {
		t.Errorf("%v", problems)
	}
	problems, told := h.submit(v, "U0ALICE", map[string]any{"field:host": "db-2", "tend:why": "still full\n"})
	if problems != nil || !strings.Contains(told, "runs as `run_2`") || !strings.Contains(told, "ephemeral") {
		t.Errorf("%v %s", problems, told)
	}
	body, err := v.Submit("U0ALICE", map[string]any{"field:host": "db-2"})
	if err != nil {
		t.Fatal(err)
	}
	if w := h.send(h.door.Interactive, body, func(r *http.Request) { slacktest.Sign(r, body, time.Now().Add(-time.Second)) }); w.Code != http.StatusOK || w.Body.Len() > 0 {
		t.Errorf("sent twice: %d %s", w.Code, w.Body)
	}
	want := []map[string]any{{"host": "db-1", "limit": int64(5)}, {"host": "db-2", "limit": int64(800)}}
	if d := cmp.Diff(want, h.desk.started); d != "" {
		t.Error(d)
	}
	if f := h.desk.followed; len(f) != 3 || f[0] != "acme/C0OPS/run_1" || f[1] != "acme/C0OPS/run_2" {
		t.Errorf("%v", f)
	}
}
