package dialog_test

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/dialog"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/exchange"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/slack"
	"github.com/tendhq/tend/internal/slack/slacktest"
)

// TestEveryFormIsShown: whatever a form declares, it is within Slack's bounds, or is not shown in Slack; a form that was sent empty
// or with anything in it gives an answer, or says what is wrong at a block that is there.
func TestEveryFormIsShown(t *testing.T) {
	t.Parallel()
	stand := slacktest.New(t)
	client := slack.New(stand.URL(), secret.New(slacktest.Token), exchange.Caller{})
	text := rapid.OneOf(rapid.StringN(0, 200, 4000), rapid.StringOfN(rapid.SampledFrom([]rune("é<&*\n ")), 0, 5000, -1))
	rapid.Check(t, func(rt *rapid.T) {
		var fields []any
		for i := range rapid.IntRange(0, 45).Draw(rt, "fields") {
			f := map[string]any{
				"name": string(rune('a'+i%26)) + string(rune('a'+i/26)), "type": rapid.SampledFrom([]string{"string", "number", "boolean", "list", "map", "duration", "any"}).Draw(rt, "type"),
				"description": text.Draw(rt, "description"), "required": rapid.Bool().Draw(rt, "required"),
			}
			if n := rapid.IntRange(0, 120).Draw(rt, "options"); n < 110 && f["type"] == "string" && rapid.Bool().Draw(rt, "chosen") {
				var enum []any
				for range n {
					enum = append(enum, text.Draw(rt, "option"))
				}
				f["enum"] = enum
			}
			if rapid.IntRange(0, 40).Draw(rt, "sensitive") == 0 {
				f["sensitive"] = true
			}
			fields = append(fields, f)
		}
		task := &entry.TaskCreated{Type: "ask", Title: text.Draw(rt, "title"), Message: text.Draw(rt, "message"), Form: map[string]any{"fields": fields}}
		view, err := dialog.Task("task_1", task, dialog.Purpose{Channel: "C0OPS", Answer: "https://hooks.slack.com/x"})
		if (err == nil) != dialog.Fits(task) {
			rt.Fatalf("it fits: %v, %v", dialog.Fits(task), err)
		}
		if err != nil {
			return
		}
		before := len(stand.Views())
		if end := client.Open(t.Context(), stand.Trigger(time.Now()), view); !end.OK() {
			b, _ := json.Marshal(view)
			rt.Fatalf("%s\n%s", end.Why, b)
		}
		shown := stand.Views()[before]
		values := map[string][]string{}
		for _, x := range shown.Blocks {
			b, _ := x.(map[string]any)
			name, _ := b["block_id"].(string)
			if b["type"] == "input" && rapid.Bool().Draw(rt, "filled") {
				values[name] = []string{rapid.OneOf(text, rapid.SampledFrom([]string{"0", "1", "-1", "999", "{}", "[]", "1.5"})).Draw(rt, "value")}
			}
		}
		_, problems, err := dialog.Read(task, &slack.View{Private: shown.Private, Values: values})
		if err != nil {
			rt.Fatal(err)
		}
		if len(problems) > 0 {
			answer, err := json.Marshal(map[string]any{"response_action": "errors", "errors": problems})
			if err != nil {
				rt.Fatal(err)
			}
			if _, err := shown.Errors(answer); err != nil {
				rt.Fatal(err)
			}
		}
	})
}

// TestParameters: what is typed after a command has the types of the parameters; what nobody knows stays, to be refused.
func TestParameters(t *testing.T) {
	t.Parallel()
	params := []contract.Parameter{{Name: "n", Type: contract.Number}, {Name: "s", Type: contract.String}, {Name: "l", Type: contract.List}}
	got := dialog.Given(params, map[string]string{"n": "7", "s": "7", "l": "a", "x": "y"})
	if b, err := json.Marshal(got); err != nil || string(b) != `{"l":["a"],"n":7,"s":"7","x":"y"}` {
		t.Errorf("%s, %v", b, err)
	}
}
