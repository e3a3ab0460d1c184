package transform_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/actiontest"
	"github.com/tendhq/tend/internal/action/transform"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
)

func with(inputs map[string]any) func(t *testing.T) action.Request {
	return func(*testing.T) action.Request { return action.Request{Action: "transform", Inputs: inputs} }
}

func query(q string, more ...any) map[string]any {
	in := map[string]any{"query": q}
	for i := 0; i < len(more); i += 2 {
		in[more[i].(string)] = more[i+1]
	}
	return in
}

func TestConformance(t *testing.T) {
	t.Parallel()
	data := map[string]any{"list": []any{int64(3), int64(1), 2.5}, "big": int64(9007199254740993), "name": "käse", "none": nil}
	ok := func(name string, in map[string]any, want any) actiontest.Case {
		return actiontest.Case{Name: name, Request: with(in), Want: action.Succeeded, Check: func(t *testing.T, r action.Result, _ string) {
			t.Helper()
			if d := cmp.Diff(want, r.Output["value"]); d != "" {
				t.Error(d)
			}
		}}
	}
	end := func(name string, in map[string]any, o action.Outcome, k fault.Kind, message string) actiontest.Case {
		return actiontest.Case{Name: name, Request: with(in), Want: o, Kind: k, Check: func(t *testing.T, r action.Result, _ string) {
			t.Helper()
			if !strings.Contains(r.Message, message) {
				t.Errorf("the message does not say %q: %s", message, r.Message)
			}
		}}
	}
	never, failed := action.NotStarted, action.Failed
	actiontest.Run(t, transform.New(), actiontest.Suite{Cases: []actiontest.Case{
		ok("sort", query(".list | sort", "data", data), []any{int64(1), 2.5, int64(3)}),
		ok("large numbers stay whole", query(".big + 0", "data", data), int64(9007199254740993)),
		ok("arguments", query("$a + $b", "args", map[string]any{"a": int64(1), "b": int64(2)}), int64(3)),
		ok("no input", query("."), nil),
		ok("all results", query(".list[]", "data", data, "results", "all"), []any{int64(3), int64(1), 2.5}),
		ok("all of nothing", query("empty", "results", "all"), []any{}),
		ok("no environment", query("[$ENV, env] | unique"), []any{map[string]any{}}),
		end("nothing", query("empty"), failed, fault.Parse, "no result"),
		end("several", query("1, 2"), failed, fault.Parse, "2 results"),
		end("NaN", query("[nan]"), failed, fault.Parse, "no data"),
		end("an error", query(".a", "data", "text"), failed, fault.Expr, "the query failed"),
		end("halt", query(`"x" | halt_error`), failed, fault.Expr, ""),
		end("no jq", query(".["), never, fault.Invalid, "query: "),
		end("an unknown function", query("tend"), never, fault.Invalid, "tend"),
		end("an unknown variable", query("$x"), never, fault.Invalid, "$x"),
		end("a module", query(`import "a" as a; 1`), never, fault.Invalid, "query: "),
		end("the next input", query("input"), never, fault.Invalid, "input"),
		end("no query", query(" "), never, fault.Invalid, "query is empty"),
		end("a name that is none", query(".", "args", map[string]any{"a-b": int64(1)}), never, fault.Invalid, "a-b"),
		end("a planted secret", query(".", "data", map[string]any{"k": secret.New("pl4nted-s3cret")}), never, fault.Invalid, "secret"),
		end("too long", query("def f: f; f", "timeout", "50ms"), failed, fault.Timeout, "longer than 50ms"),
	}, Hang: with(query("def f: f; f", "timeout", "1m"))})
}

// A query that runs away must neither stop tend nor take its memory. Not parallel: the memory of the other tests would
// count.
func TestBombs(t *testing.T) {
	for _, q := range []string{
		"[range(1e12)]",
		"[repeat(1)]",
		"reduce range(100) as $i (\"x\"; . + .)",
		"reduce range(1e9) as $i ([]; . + [$i])",
		"last(range(1e12))",
		"\"x\" * 1e9 | length",
		"reduce range(100) as $i (10; . * .)",
		"def f: 1 + f; f",
		"[limit(1e9; \"a\" | ascii_downcase)] | length",
		"reduce range(1e9) as $i (null; [.]) | tojson | length",
		"reduce range(700000) as $i (null; [.]) | [., .] | sort | length",
		"reduce range(700000) as $i (null; [.]) | tojson | length",
		strings.Repeat("[", 30000) + strings.Repeat("]", 30000),
		strings.Repeat("1+", 20000) + "1",
	} {
		name, limit := q[:min(len(q), 60)], "500ms"
		if strings.Contains(q, "700000") {
			limit = "20s" // what is deep must get the time to overflow the stack, if it can
		}
		r := transform.New().Run(t.Context(), with(query(q, "timeout", limit))(t), nil)
		t.Logf("%s: %s %s %.100s", name, r.Outcome, r.Kind, r.Message)
		if err := actiontest.Legal(transform.New().Spec(), r); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
