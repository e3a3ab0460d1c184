package shell_test

import (
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/actiontest"
	"github.com/tendhq/tend/internal/action/shell"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
)

const planted = "pl4nted-s3cret/+value"

// with makes a request with the given inputs.
func with(inputs map[string]any) func(t *testing.T) action.Request {
	return func(t *testing.T) action.Request {
		t.Helper()
		return action.Request{
			Run: "run_1", Step: "steps[0]", Attempt: 1, Key: "key-1", Action: "shell", Inputs: inputs,
			Dir: t.TempDir(), Work: t.TempDir(),
		}
	}
}

func script(text string) map[string]any { return map[string]any{"script": text} }

func TestConformance(t *testing.T) {
	t.Parallel()
	value := func(want any) func(t *testing.T, r action.Result, log string) {
		return func(t *testing.T, r action.Result, _ string) {
			t.Helper()
			if r.Output["value"] != want {
				t.Errorf("value is %#v, not %#v", r.Output["value"], want)
			}
		}
	}
	ok := func(name string, in map[string]any, want any) actiontest.Case {
		return actiontest.Case{Name: name, Request: with(in), Want: action.Succeeded, Check: value(want)}
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
	cases := []actiontest.Case{
		ok("text", script("echo hello; echo there; echo"), "hello\nthere"),
		ok("nothing as text", script("true"), ""),
		ok("number", map[string]any{"script": "echo 42", "parse": "number"}, int64(42)),
		ok("fraction", map[string]any{"script": "echo ' -1.5 '", "parse": "number"}, -1.5),
		ok("auto number", map[string]any{"script": "echo 7", "parse": "auto"}, int64(7)),
		ok("auto text", map[string]any{"script": "echo '{no json'", "parse": "auto"}, "{no json"),
		ok("sh", map[string]any{"script": "echo \"$0\"", "shell": "sh"}, "sh"),
		ok("argv", map[string]any{"argv": []any{"printf", "%s|", "a b", "$(exit 3)", "'"}}, "a b|$(exit 3)|'|"),
		ok("stdin", map[string]any{"argv": []any{"cat"}, "stdin": "to be read"}, "to be read"),
		ok("stdin that nobody reads", map[string]any{"script": "true", "stdin": strings.Repeat("x", 1<<20)}, ""),
		ok("secret stdin", map[string]any{"argv": []any{"wc", "-c"}, "stdin": secret.New("123456"), "parse": "number"}, int64(6)),
		ok("accepted exit code", map[string]any{"script": "exit 3", "exitCodes": []any{int64(0), int64(3)}}, ""),
		ok("a long script", script("echo start;"+strings.Repeat("# "+strings.Repeat("x", 98)+"\n", 2000)+"echo end"), "start\nend"),
		ok("a secret script", map[string]any{"script": secret.New("echo $0 | wc -c")}, "10"),
		ok("python", map[string]any{"script": "print(1+1)", "shell": "python3", "parse": "number"}, int64(2)),
		ok("closed stdout", script("exec >&- 2>&-; exit 0"), ""),

		ok("binary", script(`printf 'a\377\376\001\000b' ; printf '\377\000\033[2J' >&2`), "a\ufffd\x01\x00b"),
		end("binary in the message", script(`printf 'x\377\033[2Jy' >&2; exit 1`), failed, fault.Exit, "x\ufffd[2Jy"),
		end("exit code", script("echo to the log; echo it is broken >&2; exit 9"), failed, fault.Exit, "exit code 9: it is broken"),
		end("no number", map[string]any{"script": "echo 12x", "parse": "number"}, failed, fault.Parse, `"12x"`),
		end("NaN", map[string]any{"script": "echo NaN", "parse": "number"}, failed, fault.Parse, "not a number"),
		end("nothing as a number", map[string]any{"script": "true", "parse": "number"}, failed, fault.Parse, "printed nothing"),
		end("nothing as JSON", map[string]any{"script": "true", "parse": "json"}, failed, fault.Parse, "printed nothing"),
		end("no JSON", map[string]any{"script": "echo {", "parse": "json"}, failed, fault.Parse, "not one JSON document"),
		end("too much for JSON", map[string]any{"script": "head -c 5000000 /dev/zero", "parse": "json"}, failed, fault.Limit, "4 MiB"),

		end("nothing to run", map[string]any{}, never, fault.Invalid, "neither script nor argv"),
		end("too much to run", map[string]any{"script": "true", "argv": []any{"true"}}, never, fault.Invalid, "both"),
		end("an unknown shell", map[string]any{"script": "true", "shell": "fish"}, never, fault.Invalid, "bash, sh or python3"),
		end("NUL in an argument", map[string]any{"argv": []any{"echo", "a\x00b"}}, never, fault.Invalid, "argv[1] contains a NUL"),
		end("NUL in a script", script("echo \x00"), never, fault.Invalid, "NUL"),
		end("no program", map[string]any{"argv": []any{"tend-no-such-program"}}, never, fault.Missing, "not installed"),
		end("no program at a path", map[string]any{"argv": []any{"./nothing"}}, never, fault.Missing, "is not there"),
		end("no directory", map[string]any{"script": "true", "cwd": "nowhere"}, never, fault.Missing, "is not there"),
		end("a directory as a program", map[string]any{"argv": []any{"/"}}, never, fault.Refused, "may not be executed"),
		end("an argument that is too long", map[string]any{"argv": []any{"echo", strings.Repeat("x", 3<<20)}}, never, fault.Limit, "too long"),

		end("killed by a signal", script("kill -SEGV $$"), action.InDoubt, fault.Killed, "SIGSEGV"),
	}
	cases = append(cases, actiontest.Case{
		Name: "planted secrets", Want: failed, Kind: fault.Exit, Secrets: []string{planted},
		Request: func(t *testing.T) action.Request {
			t.Helper()
			req := with(map[string]any{"script": secret.New("# " + planted + "\nexit 4"), "stdin": secret.New(planted)})(t)
			req.Env = map[string]any{"TOKEN": secret.New(planted)}
			return req
		},
	}, actiontest.Case{
		Name: "planted secrets that stop it", Want: never, Kind: fault.Missing, Secrets: []string{planted},
		Request: with(map[string]any{"argv": []any{secret.New("/nowhere/" + planted), secret.New(planted)}}),
	})
	cases = append(cases, actiontest.Case{
		Name: "a planted secret as the program", Want: never, Kind: fault.Missing, Secrets: []string{planted[:13]},
		Request: with(map[string]any{"argv": []any{secret.New(planted[:13])}}),
	})
	actiontest.Run(t, shell.New(), actiontest.Suite{
		Cases: cases,
		Hang:  with(map[string]any{"script": "sleep 1000 & sleep 1000", "grace": "1s"}),
		Tame: func(req *action.Request) {
			if req.Env == nil {
				req.Env = map[string]any{}
			}
			req.Env["PATH"] = "/nowhere"
			req.Inputs["grace"] = "50ms"
		},
	})
}
