package ssh_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/actiontest"
	"github.com/tendhq/tend/internal/action/ssh"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/testenv"
	"github.com/tendhq/tend/internal/testenv/sshd"
)

const planted = "pl4nted-s3cret-value"

func run(t *testing.T, ctx context.Context, req action.Request) (action.Result, string) {
	t.Helper()
	var mu sync.Mutex
	var log strings.Builder
	r := ssh.New().Run(ctx, req, func(stream string, p []byte) {
		mu.Lock()
		defer mu.Unlock()
		log.WriteString(stream + ": " + string(p))
	})
	if err := actiontest.Legal(ssh.New().Spec(), r); err != nil {
		t.Errorf("%v\n%s %s %s", err, r.Outcome, r.Kind, r.Message)
	}
	return r, log.String()
}

// must is run with a success that is expected.
func must(t *testing.T, req action.Request) action.Result {
	t.Helper()
	r, log := run(t, t.Context(), req)
	if r.Outcome != action.Succeeded {
		t.Fatalf("%s %s: %s\n%s", r.Outcome, r.Kind, r.Message, log)
	}
	return r
}

func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); !so(); {
		if time.Now().After(end) {
			t.Fatalf("it did not become so: %s", what)
		}
		select {
		case <-t.Context().Done():
			t.Fatal("the test was ended")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func exists(path string) func() bool {
	return func() bool { _, err := os.Stat(path); return err == nil }
}

// alive tells whether a process is there and no zombie.
func alive(pid string) bool {
	b, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return !strings.HasPrefix(rest, "Z")
}

func TestSpec(t *testing.T) {
	t.Parallel()
	actiontest.Spec(t, ssh.New().Spec())
}

func TestTargets(t *testing.T) {
	t.Parallel()
	ev := expr.New(expr.Limits{})
	for _, c := range []struct {
		with map[string]any
		want []any
	}{
		{map[string]any{"host": "web-1"}, []any{"host:web-1", []any{"host:"}}},
		{map[string]any{"host": "ops@web-1:2222"}, []any{"host:web-1:2222", []any{"host:"}}},
		{map[string]any{"hosts": []any{"web-1", "ops@web-2", "a@b@web-3:22"}}, []any{"", []any{"host:web-1", "host:web-2", "host:web-3:22"}}},
	} {
		for i, source := range ssh.New().Spec().Targets {
			got, err := ev.Value(expr.Expr{Kind: expr.Template, Source: source}, expr.Scope{Root: c.with, Dialect: expr.Lenient})
			if err != nil || !cmp.Equal(got, c.want[i]) {
				t.Errorf("%v: %v, %v", c.with, got, err)
			}
		}
	}
}

// world is something to log in to: the server inside the test, or OpenSSH.
type world struct {
	request func(more map[string]any) action.Request
}

func TestConformance(t *testing.T) {
	t.Parallel()
	s := startServer(t, nil)
	suite(t, world{s.request})
}

func TestOpenSSH(t *testing.T) {
	t.Parallel()
	s := sshd.Start(t)
	w := world{func(more map[string]any) action.Request {
		return request(map[string]any{
			"host": s.Host, "port": int64(s.Port), "user": s.User, "privateKey": secret.New(s.PrivateKey), "knownHosts": s.KnownHosts,
			"connectTimeout": "10s", "grace": "1s",
		}, more)
	}}
	suite(t, w)
	t.Run("key file", func(t *testing.T) {
		t.Parallel()
		if r := must(t, w.request(map[string]any{"privateKey": nil, "keyFile": s.KeyFile, "command": "echo $((6*7))"})); r.Output["value"] != "42" {
			t.Errorf("%+v", r)
		}
	})
	t.Run("several hosts through a jump host", func(t *testing.T) {
		t.Parallel()
		at := s.User + "@" + net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
		r := must(t, w.request(map[string]any{"host": nil, "hosts": []any{at, at, at}, "jump": []any{at, at}, "command": "echo hello"}))
		if r.Output["succeeded"] != int64(3) {
			t.Errorf("%+v", r)
		}
	})
}

func suite(t *testing.T, w world) {
	only := func(outcome action.Outcome, kind fault.Kind, says string, more map[string]any, secrets ...string) actiontest.Case {
		return actiontest.Case{
			Request: func(*testing.T) action.Request { return w.request(more) }, Want: outcome, Kind: kind, Secrets: secrets,
			Check: func(t *testing.T, r action.Result, _ string) {
				if !strings.Contains(r.Message, says) {
					t.Errorf("the message %q does not say %q", r.Message, says)
				}
			},
		}
	}
	_, other := newKey(t, "")
	_, locked := newKey(t, "open sesame")
	port := w.request(nil).Inputs["port"]
	unknown := knownhosts.Line([]string{"somewhere.else"}, mustSigner(t))
	cases := map[string]actiontest.Case{
		"true":             only(action.Succeeded, "", "", map[string]any{"command": "true"}),
		"exit code":        only(action.Failed, fault.Exit, "exit code 3: no good", map[string]any{"command": "echo no good >&2; exit 3"}),
		"accepted code":    only(action.Succeeded, "", "", map[string]any{"command": "exit 3", "exitCodes": []any{int64(3)}}),
		"syntax":           only(action.Failed, fault.Exit, "exit code", map[string]any{"script": "if"}),
		"signal":           only(action.InDoubt, fault.Killed, "SIGKILL", map[string]any{"command": "kill -s KILL $$"}),
		"unknown key":      only(action.NotStarted, fault.Auth, "ssh-keyscan -p "+fmt.Sprint(port), map[string]any{"command": "true", "knownHosts": unknown}),
		"fingerprint":      only(action.NotStarted, fault.Auth, "ssh-ed25519 SHA256:", map[string]any{"command": "true", "knownHosts": unknown}),
		"no such user key": only(action.NotStarted, fault.Auth, "accepts none of the keys (privateKey SHA256:", map[string]any{"command": "true", "privateKey": secret.New(other)}, other),
		"not a key":        only(action.NotStarted, fault.Invalid, "not a private key", map[string]any{"command": "true", "privateKey": secret.New("-----BEGIN " + planted)}, planted),
		"locked key":       only(action.NotStarted, fault.Auth, "passphrase", map[string]any{"command": "true", "privateKey": secret.New(locked)}, locked),
		"wrong passphrase": only(action.NotStarted, fault.Auth, "does not open", map[string]any{"command": "true", "privateKey": secret.New(locked), "passphrase": secret.New(planted)}, planted),
		"no such key file": only(action.NotStarted, fault.Missing, "/nowhere/key", map[string]any{"command": "true", "privateKey": nil, "keyFile": "/nowhere/key"}),
		"no such known":    only(action.NotStarted, fault.Missing, "/nowhere/known", map[string]any{"command": "true", "knownHosts": "/nowhere/known"}),
		"bad known":        only(action.NotStarted, fault.Invalid, "input knownHosts line 1", map[string]any{"command": "true", "knownHosts": "some nonsense"}),
		"nobody listens":   only(action.NotStarted, fault.Unreachable, "refused", map[string]any{"command": "true", "port": int64(1)}),
		"no such host":     only(action.NotStarted, fault.Unreachable, "nowhere.invalid", map[string]any{"command": "true", "host": "nowhere.invalid"}),
		"no command":       only(action.NotStarted, fault.Invalid, "give one of them", nil),
		"two commands":     only(action.NotStarted, fault.Invalid, "give one of them", map[string]any{"command": "true", "argv": []any{"true"}}),
		"no host":          only(action.NotStarted, fault.Invalid, "on which host", map[string]any{"command": "true", "host": nil}),
		"no user":          only(action.NotStarted, fault.Invalid, "as which user", map[string]any{"command": "true", "user": nil}),
		"NUL":              only(action.NotStarted, fault.Invalid, "NUL", map[string]any{"command": "echo \x00"}),
		"too long":         only(action.NotStarted, fault.Invalid, "at most 262144", map[string]any{"script": strings.Repeat("true\n", 60000)}),
		"bad shell":        only(action.NotStarted, fault.Invalid, "neither bash nor sh", map[string]any{"command": "true", "shell": "fish"}),
		"printed secret":   only(action.Failed, fault.Exit, "[secret]", map[string]any{"argv": []any{"sh", "-c", "echo $0 >&2; exit 1", secret.New(planted)}}),
	}
	s := actiontest.Suite{
		Cases:  []actiontest.Case{named("true", cases["true"])},
		Hang:   func(*testing.T) action.Request { return w.request(map[string]any{"command": "sleep 60"}) },
		Prompt: 6 * time.Second,
		Tame:   func(req *action.Request) { req.Inputs["connectTimeout"] = "50ms" },
	}
	for name, c := range cases {
		if name != "true" {
			s.Cases = append(s.Cases, named(name, c))
		}
	}
	t.Run("suite", func(t *testing.T) { t.Parallel(); actiontest.Run(t, ssh.New(), s) })
	t.Run("output", func(t *testing.T) { t.Parallel(); output(t, w) })
	t.Run("data", func(t *testing.T) { t.Parallel(); data(t, w) })
	t.Run("processes", func(t *testing.T) { t.Parallel(); processes(t, w) })
	t.Run("background", func(t *testing.T) { t.Parallel(); background(t, w) })
}

func named(name string, c actiontest.Case) actiontest.Case {
	c.Name = name
	return c
}

func output(t *testing.T, w world) {
	r, log := run(t, t.Context(), w.request(map[string]any{"script": "echo one\necho two >&2\nprintf three\n"}))
	want := map[string]any{
		"value": "one\nthree", "output": "one\nthree", "stdout": "one\nthree", "stderr": "two\n", "exitCode": int64(0), "truncated": false,
		"succeeded": int64(1), "failed": int64(0), "notStarted": int64(0), "inDoubt": int64(0),
		"hosts": []any{map[string]any{
			"host": w.request(nil).Inputs["host"], "outcome": "succeeded", "exitCode": int64(0), "stdout": "one\nthree", "stderr": "two\n", "truncated": false,
		}},
	}
	if d := cmp.Diff(want, r.Output); d != "" {
		t.Error(d)
	}
	if !strings.Contains(log, "stdout: one") || !strings.Contains(log, "stderr: two") {
		t.Errorf("log: %s", log)
	}
	r = must(t, w.request(map[string]any{"command": "head -c 3000000 /dev/zero | tr '\\0' x; printf '\\377\\033'"}))
	if text, _ := r.Output["value"].(string); len(text) != 3000004 || r.Output["truncated"] != false {
		t.Errorf("%d bytes, %v", len(text), r.Output["truncated"])
	}
	r = must(t, w.request(map[string]any{"command": "echo; echo 42", "parse": "number"}))
	if r.Output["value"] != int64(42) || r.Output["output"] != "\n42" {
		t.Errorf("%v", r.Output)
	}
	r, _ = run(t, t.Context(), w.request(map[string]any{"command": "true", "parse": "number"}))
	expect(t, r, action.Failed, fault.Parse, "printed nothing")
}

func data(t *testing.T, w world) {
	hostile := []string{
		`'; touch /tmp/tend-injected; '`, "`id`", "$(id)", "${HOME}", "\n\n#", "a\tb", `\`, `'`, `"`, "!!", "-n", "", " ", "é漢🔑", "{{ .x }}", "%s%n", "*", "~",
		strings.Repeat("long ", 5000), "\r\n", "\x1b[31m",
	}
	want := strings.Join(hostile, "\x00") + "\x00"
	for _, shell := range []any{nil, "sh", "bash"} {
		req := w.request(map[string]any{"shell": shell})
		req.Env = map[string]any{}
		script := ""
		for i, text := range hostile {
			name := fmt.Sprintf("DATA_%d", i)
			req.Env[name] = text
			script += `printf "%s\0" "$` + name + "\"\n"
		}
		req.Inputs["script"] = script
		if d := cmp.Diff(want, must(t, req).Output["stdout"]); d != "" {
			t.Errorf("env: %s", d)
		}
	}
	argv := []any{"printf", `%s\0`}
	for _, text := range hostile {
		argv = append(argv, text)
	}
	if d := cmp.Diff(want, must(t, w.request(map[string]any{"argv": argv})).Output["stdout"]); d != "" {
		t.Errorf("argv: %s", d)
	}
	in := strings.Join(hostile, "\n") + strings.Repeat("0123456789", 200000)
	if got := must(t, w.request(map[string]any{"command": "wc -c", "stdin": in})).Output["value"]; strings.TrimSpace(fmt.Sprint(got)) != strconv.Itoa(len(in)) {
		t.Errorf("stdin: %v of %d bytes", got, len(in))
	}
	if got := must(t, w.request(map[string]any{"command": "cat"})).Output["stdout"]; got != "" {
		t.Errorf("without stdin it read %q", got)
	}
	if got := must(t, w.request(map[string]any{"command": `true`, "stdin": strings.Repeat("x", 5<<20)})).Output["exitCode"]; got != int64(0) {
		t.Errorf("a command that does not read: %v", got)
	}
	// What the command sees of itself, and what others see of it.
	req := w.request(map[string]any{"script": "# secret: " + planted + "\nenv\necho ---\nps -ef\n"})
	req.Env = map[string]any{"TOKEN": secret.New(planted), "TEND_KEY": "mine"}
	r := must(t, req)
	text, _ := r.Output["stdout"].(string)
	env, ps, _ := strings.Cut(text, "---")
	for _, want := range []string{"TEND_RUN=run_test\n", "TEND_STEP=steps[0]\n", "TEND_KEY=mine\n", "TOKEN=" + planted + "\n"} {
		if !strings.Contains(env, want) {
			t.Errorf("no %q in the environment:\n%s", want, env)
		}
	}
	if strings.Contains(ps, planted) {
		t.Error("the list of processes shows the script or its environment")
	}
	for _, name := range []string{"A B", "1A", "", "A=B", "A;id", "TEND_MARK", "é"} {
		req := w.request(map[string]any{"command": "true"})
		req.Env = map[string]any{name: "x"}
		if r, _ := run(t, t.Context(), req); r.Outcome != action.NotStarted || r.Kind != fault.Invalid {
			t.Errorf("%q: %+v", name, r)
		}
	}
}

// processes ends commands that do not want to be ended.
func processes(t *testing.T, w world) {
	testenv.Linux(t, "looks at processes in /proc")
	for name, c := range map[string]struct{ script, says string }{
		"plain":            {`echo $$ >"$DIR/a"; sleep 300`, "was ended"},
		"ignores SIGTERM":  {`trap "" TERM; echo $$ >"$DIR/a"; while :; do sleep 1; done`, "was ended"},
		"children":         {`sleep 300 & echo $! >"$DIR/a"; (trap "" TERM; sleep 300) & wait`, "was ended"},
		"left the session": {`setsid sh -c 'echo $$ >"$DIR/b"; exec sleep 300' & while [ ! -s "$DIR/b" ]; do sleep 0.1; done; cp "$DIR/b" "$DIR/a"; wait`, "was ended"},
		"double fork":      {`(setsid sh -c 'echo $$ >"$DIR/b"; trap "" TERM HUP; while :; do sleep 1; done' >/dev/null 2>&1 &); while [ ! -s "$DIR/b" ]; do sleep 0.1; done; cp "$DIR/b" "$DIR/a"; sleep 300`, "was ended"},
		"exec":             {`echo $$ >"$DIR/a"; exec sleep 300`, "was ended"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			req := w.request(map[string]any{"script": c.script})
			req.Env = map[string]any{"DIR": dir}
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			go func() {
				await(t, "it runs", func() bool { b, err := os.ReadFile(filepath.Join(dir, "a")); return err == nil && len(b) > 0 })
				cancel(errors.New("a person did"))
			}()
			r, log := run(t, ctx, req)
			if r.Outcome != action.InDoubt || r.Kind != fault.Cancelled || !strings.Contains(r.Message, c.says) {
				t.Errorf("%s %s: %s\n%s", r.Outcome, r.Kind, r.Message, log)
			}
			for _, f := range []string{"a", "b"} {
				if b, err := os.ReadFile(filepath.Join(dir, f)); err == nil && alive(strings.TrimSpace(string(b))) {
					t.Errorf("process %s is still there", b)
				}
			}
		})
	}
}

func background(t *testing.T, w world) {
	// What stays in the background does not hold the step.
	began := time.Now()
	r, log := run(t, t.Context(), w.request(map[string]any{"command": "sleep 20 & echo started"}))
	if r.Outcome != action.Succeeded || r.Output["value"] != "started" || time.Since(began) > 10*time.Second {
		t.Errorf("%+v after %v", r, time.Since(began))
	}
	if !strings.Contains(log, "left in the background") {
		t.Errorf("log: %s", log)
	}
}
