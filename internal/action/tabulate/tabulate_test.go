package tabulate_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/actiontest"
	"github.com/tendhq/tend/internal/action/tabulate"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
)

func with(inputs map[string]any) func(t *testing.T) action.Request {
	return func(*testing.T) action.Request { return action.Request{Action: "tabulate", Inputs: inputs} }
}

func TestConformance(t *testing.T) {
	t.Parallel()
	ok := func(name string, in map[string]any, want string) actiontest.Case {
		return actiontest.Case{Name: name, Request: with(in), Want: action.Succeeded, Check: func(t *testing.T, r action.Result, _ string) {
			t.Helper()
			if d := cmp.Diff(strings.Trim(want, "\n"), r.Output["value"]); d != "" {
				t.Error(d)
			}
		}}
	}
	bad := func(name string, in map[string]any, message string) actiontest.Case {
		return actiontest.Case{Name: name, Request: with(in), Want: action.NotStarted, Kind: fault.Invalid, Secrets: []string{"pl4nted-s3cret"}, Check: func(t *testing.T, r action.Result, _ string) {
			t.Helper()
			if !strings.Contains(r.Message, message) {
				t.Errorf("the message does not say %q: %s", message, r.Message)
			}
		}}
	}
	rows := []any{
		map[string]any{"name": "cart", "count": int64(7), "up": true},
		map[string]any{"name": "käse 日本", "count": int64(1200), "extra": []any{"a"}},
		map[string]any{"name": "x\n\x1b[2Jy"},
	}
	wide := []any{map[string]any{"k": "the quick brown fox jumps", "n": int64(1)}, map[string]any{"k": "日本語日本語", "n": int64(2)}}
	many := make([]any, 100_001)
	for i := range many {
		many[i] = map[string]any{}
	}
	actiontest.Run(t, tabulate.New(), actiontest.Suite{Cases: []actiontest.Case{
		ok("all keys", map[string]any{"rows": rows}, `
count  extra  name       up
-----  -----  ---------  ----
    7         cart       true
 1200  ["a"]  käse 日本
              x �[2Jy
`),
		ok("keys as text", map[string]any{"rows": rows, "headers": "name, count"}, `
name       count
---------  -----
cart           7
käse 日本   1200
x �[2Jy
`),
		ok("titles", map[string]any{"rows": rows[:1], "headers": map[string]any{"name": "Name", "count": "How many"}}, `
How many  Name
--------  ----
       7  cart
`),
		ok("an older document's titles", map[string]any{
			"rows": `[{"id":"3","addr":"10.0.0.1","age":5}]`, "headers": `{"id":"id", "age":"Age", "addr":"Address"}`, "include": `["addr", "age"]`,
		}, `
Address   Age
--------  ---
10.0.0.1    5
`),
		ok("titles in the order of the text", map[string]any{"rows": rows[:1], "headers": `{"up":"Up","name":"Name"}`}, `
Up    Name
----  ----
true  cart
`),
		ok("groups", map[string]any{
			"rows": map[string]any{"stuck": []any{}, "terminated": []any{map[string]any{"pid": int64(4)}, map[string]any{"pid": int64(15)}}}, "groups": "terminated,stuck", "groupHeader": "type", "headers": "pid",
		}, `
type        pid
----------  ---
terminated    4
terminated   15
`),
		ok("broken", map[string]any{"rows": wide, "width": int64(10)}, `
k           n
----------  -
the quick   1
brown fox
jumps
日本語日本  2
語
`),
		ok("cut", map[string]any{"rows": wide, "max": int64(6)}, `
k       n
------  -
the q…  1
日本…   2
`),
		ok("no rows", map[string]any{"rows": []any{}, "headers": "a,b"}, "a  b\n-  -"),
		ok("nothing", map[string]any{"rows": []any{}}, ""),
		ok("one row", map[string]any{"rows": map[string]any{"a": int64(1)}}, "a\n-\n1"),
		bad("no maps", map[string]any{"rows": []any{"a"}}, "rows[0]: expected a map"),
		bad("no JSON", map[string]any{"rows": "[{"}, "not JSON"),
		bad("no such group", map[string]any{"rows": map[string]any{}, "groups": []any{"a"}}, `no group "a"`),
		bad("a secret", map[string]any{"rows": []any{map[string]any{"a": secret.New("pl4nted-s3cret")}}}, "secret"),
		{Name: "too many rows", Request: with(map[string]any{"rows": many}), Want: action.Failed, Kind: fault.Limit},
		{
			Name: "a table that is too large", Want: action.Failed, Kind: fault.Limit,
			Request: with(map[string]any{"rows": append([]any{map[string]any{"a": strings.Repeat("x", 10_000), "b": "y"}}, many[:10_000]...)}),
		},
	}})
}

func TestHostileCellsStayCells(t *testing.T) {
	t.Parallel()
	for _, p := range actiontest.Payloads("/nowhere") {
		rows := []any{map[string]any{"a": p, "b": "end"}}
		r := tabulate.New().Run(t.Context(), with(map[string]any{"rows": rows, "headers": "a,b"})(t), nil)
		text, _ := r.Output["value"].(string)
		lines := strings.Split(text, "\n")
		if r.Outcome != action.Succeeded || len(lines) != 3 || !strings.HasSuffix(lines[2], "end") || strings.ContainsAny(text, "\x1b\x07\x08\r\u009b\u202e") {
			t.Errorf("%q gave %q", p, text)
		}
	}
}
