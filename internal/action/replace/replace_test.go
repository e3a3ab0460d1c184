package replace_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/actiontest"
	"github.com/tendhq/tend/internal/action/replace"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
)

func with(inputs map[string]any) func(t *testing.T) action.Request {
	return func(*testing.T) action.Request { return action.Request{Action: "replace", Inputs: inputs} }
}

func in(text, find, with string, regex bool) map[string]any {
	return map[string]any{"text": text, "find": find, "with": with, "regex": regex}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	ok := func(name string, in map[string]any, want string, count int64) actiontest.Case {
		return actiontest.Case{Name: name, Request: with(in), Want: action.Succeeded, Check: func(t *testing.T, r action.Result, _ string) {
			t.Helper()
			if r.Output["value"] != want || r.Output["count"] != count {
				t.Errorf("%q, %v", r.Output["value"], r.Output["count"])
			}
		}}
	}
	end := func(name string, in map[string]any, o action.Outcome, k fault.Kind) actiontest.Case {
		return actiontest.Case{Name: name, Request: with(in), Want: o, Kind: k}
	}
	manifest := "metadata:\n  controller-uid: 12\n  name: job\nspec:\n    controller-uid: 34\n"
	b64 := base64.StdEncoding.EncodeToString([]byte(manifest))
	slow := in(strings.Repeat("a", 40)+"!", "^(a+)+$", "", true)
	actiontest.Run(t, replace.New(), actiontest.Suite{Cases: []actiontest.Case{
		ok("plainly", in("a.b.c", ".", "$1", false), "a$1b$1c", 2),
		ok("nothing found", in("abc", "x", "y", false), "abc", 0),
		ok("regex", in("a1b22", `\d+`, "<$0>", true), "a<1>b<22>", 2),
		ok("groups", in("k=v", `(?<key>\w)=(\w)`, "${key}$1${nope}$9$$ $", true), "kv${nope}$9$ $", 1),
		ok("look-around", in("price 10 EUR, 20 USD", `\d+(?= EUR)`, "x", true), "price x EUR, 20 USD", 1),
		ok("an older document's", map[string]any{"base64": b64, "find": " +?controller-uid: .*\n", "with": "", "regex": true}, "metadata:\n  name: job\nspec:\n", 2),
		ok("base64 without padding", map[string]any{"base64": "YQ", "find": "b"}, "a", 0),
		ok("an emoji", in("né😀x", "x", "y", true), "né😀y", 1),
		end("no regex", in("a", "(", "", true), action.NotStarted, fault.Invalid),
		end("no base64", map[string]any{"base64": "%%", "find": "a"}, action.NotStarted, fault.Invalid),
		end("nothing to find", in("a", "", "b", false), action.NotStarted, fault.Invalid),
		end("no text", map[string]any{"find": "b"}, action.NotStarted, fault.Invalid),
		end("a secret", map[string]any{"text": secret.New("pl4nted-s3cret"), "find": "b"}, action.NotStarted, fault.Invalid),
		end("an explosion", slow, action.Failed, fault.Timeout),
		end("too large", in(strings.Repeat("a", 1<<20), "a", strings.Repeat("b", 1<<20), false), action.Failed, fault.Limit),
		end("too large by regex", in(strings.Repeat("a", 1<<20), "a?", strings.Repeat("b", 1<<20), true), action.Failed, fault.Limit),
	}})
}
