package container_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/actiontest"
	"github.com/tendhq/tend/internal/action/container"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
)

const planted = "pl4nted-s3cret-value"

// bench is a directory with engines in it.
type bench struct {
	t   *testing.T
	dir string
	action.Action
}

func newBench(t *testing.T, engines ...string) *bench {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range engines {
		if err := os.Symlink(self, filepath.Join(dir, e)); err != nil {
			t.Fatal(err)
		}
	}
	b := &bench{t: t, dir: dir, Action: container.Action{Path: dir}}
	b.set("images", "test/box:1 registry.example.com:5000/a/b@sha256:00")
	t.Cleanup(func() {
		for _, left := range b.boxes() {
			fake{dir: dir, quiet: true}.rm([]string{left.ID})
		}
	})
	return b
}

func (b *bench) set(name, text string) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) boxes() []*box { return fake{dir: b.dir}.boxes() }

// calls gives what the engine was called with, a line for each.
func (b *bench) calls() string {
	text, err := os.ReadFile(filepath.Join(b.dir, "calls"))
	if err != nil {
		return ""
	}
	return string(text)
}

func request(more map[string]any) action.Request {
	in := map[string]any{
		"image": "test/box:1", "parse": "text", "exitCodes": []any{int64(0)}, "pull": "missing", "engine": "auto", "grace": "1s",
	}
	for k, v := range more {
		in[k] = v
	}
	return action.Request{Run: "run_test", Step: "steps[0]", Attempt: 1, Key: "key", Action: "container", Effect: contract.Mutate, Inputs: in}
}

func sh(script string, args ...any) map[string]any {
	return map[string]any{"args": append([]any{"sh", "-c", script, "sh"}, args...)}
}

func with(base, more map[string]any) map[string]any {
	out := map[string]any{}
	for _, m := range []map[string]any{base, more} {
		for k, v := range m {
			out[k] = v
		}
	}
	return out
}

func (b *bench) run(ctx context.Context, req action.Request) action.Result {
	b.t.Helper()
	r := b.Run(ctx, req, func(string, []byte) {})
	if err := actiontest.Legal(b.Spec(), r); err != nil {
		b.t.Errorf("%v\n%s %s %s", err, r.Outcome, r.Kind, r.Message)
	}
	return r
}

func expect(t *testing.T, r action.Result, outcome action.Outcome, kind fault.Kind, says string) {
	t.Helper()
	if r.Outcome != outcome || r.Kind != kind || !strings.Contains(r.Message, says) {
		t.Errorf("ended %s %q (%s), not %s %q with %q", r.Outcome, r.Kind, r.Message, outcome, kind, says)
	}
}

func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); !so(); {
		if time.Now().After(end) {
			t.Errorf("it did not become so: %s", what)
			return
		}
		select {
		case <-t.Context().Done():
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	b := newBench(t, "docker")
	only := func(outcome action.Outcome, kind fault.Kind, says string, more map[string]any, secrets ...string) actiontest.Case {
		return actiontest.Case{
			Request: func(t *testing.T) action.Request {
				req := request(more)
				req.Key = t.Name() + time.Now().String()
				req.Env = map[string]any{}
				for _, s := range secrets {
					req.Env["TOKEN"] = secret.New(s)
				}
				return req
			},
			Want: outcome, Kind: kind, Secrets: secrets,
			Check: func(t *testing.T, r action.Result, _ string) {
				if !strings.Contains(r.Message, says) {
					t.Errorf("the message %q does not say %q", r.Message, says)
				}
			},
		}
	}
	cases := map[string]actiontest.Case{
		"succeeds":      only(action.Succeeded, "", "", sh("echo hello")),
		"exit code":     only(action.Failed, fault.Exit, "exit code 3: no good", sh("echo no good >&2; exit 3")),
		"its own 125":   only(action.Failed, fault.Exit, "exit code 125", sh("exit 125")),
		"accepted code": only(action.Succeeded, "", "", with(sh("exit 3"), map[string]any{"exitCodes": []any{int64(3)}})),
		"not a number":  only(action.Failed, fault.Parse, "not a number", with(sh("echo many"), map[string]any{"parse": "number"})),
		"killed":        only(action.InDoubt, fault.Killed, "SIGKILL", sh("kill -KILL $$")),
		"no image":      only(action.NotStarted, fault.Auth, "pull access denied", map[string]any{"image": "nobody/nothing"}),
		"not pulled":    only(action.NotStarted, fault.Missing, "No such image", map[string]any{"image": "nobody/nothing", "pull": "never"}),
		"no program":    only(action.NotStarted, fault.Missing, "executable file not found", map[string]any{"args": []any{"no-such-program"}}),
		"no podman":     only(action.NotStarted, fault.Missing, "podman is not installed", map[string]any{"engine": "podman"}),
		"no engine":     only(action.NotStarted, fault.Invalid, "none of auto", map[string]any{"engine": "lxc"}),
		"an option":     only(action.NotStarted, fault.Invalid, "not the name of an image", map[string]any{"image": "--privileged"}),
		"two images":    only(action.NotStarted, fault.Invalid, "not the name of an image", map[string]any{"image": "a b"}),
		"bad network":   only(action.NotStarted, fault.Invalid, "input network", map[string]any{"network": "--privileged"}),
		"bad user":      only(action.NotStarted, fault.Invalid, "input user", map[string]any{"user": "-v /:/x"}),
		"bad memory":    only(action.NotStarted, fault.Invalid, "input memory", map[string]any{"memory": "lots"}),
		"bad workdir":   only(action.NotStarted, fault.Invalid, "input workdir", map[string]any{"workdir": "relative"}),
		"bad pull":      only(action.NotStarted, fault.Invalid, "input pull", map[string]any{"pull": "maybe"}),
		"secret arg":    only(action.NotStarted, fault.Invalid, "give it by env", map[string]any{"args": []any{secret.New(planted)}}, planted),
		"outside":       only(action.NotStarted, fault.Refused, "outside of the playbook's directory", map[string]any{"mounts": []any{map[string]any{"source": "/etc/passwd", "target": "/x"}}}),
		"no source":     only(action.NotStarted, fault.Missing, "there is no", map[string]any{"mounts": []any{map[string]any{"source": "nowhere", "target": "/x"}}}),
		"no scratch":    only(action.NotStarted, fault.Invalid, "no scratch directory", map[string]any{"work": "/work"}),
	}
	s := actiontest.Suite{
		Cases:  []actiontest.Case{named("succeeds", cases["succeeds"])},
		Prompt: 20 * time.Second, // every word to the engine starts this test binary once more
		Tame:   func(req *action.Request) { req.Key = "" },
	}
	s.Hang = func(t *testing.T) action.Request {
		req := request(sh("sleep 60"))
		req.Key = t.Name()
		return req
	}
	for name, c := range cases {
		if name != "succeeds" {
			s.Cases = append(s.Cases, named(name, c))
		}
	}
	actiontest.Run(t, b, s)
	t.Cleanup(func() {
		if left := b.boxes(); len(left) > 0 {
			t.Errorf("%d containers are left, such as %+v", len(left), left[0])
		}
		if strings.Contains(b.calls(), planted) {
			t.Error("a secret was an argument")
		}
	})
}

func named(name string, c actiontest.Case) actiontest.Case {
	c.Name = name
	return c
}

func TestOptions(t *testing.T) {
	t.Parallel()
	b := newBench(t, "docker", "podman")
	dir, work := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "rules"), []byte("the rules"), 0o600); err != nil {
		t.Fatal(err)
	}
	req := request(map[string]any{
		"image": "registry.example.com:5000/a/b@sha256:00", "args": []any{"-c", `cat /rules/rules; echo " $0 $1"; cat; echo done >/work/file`, int64(7), "two words"},
		"entrypoint": "sh", "stdin": secret.New("from stdin"), "mounts": []any{map[string]any{"source": ".", "target": "/rules"}}, "work": "/work",
		"network": "none", "user": "1000:1000", "cpus": 1.5, "memory": "512m", "pull": "never", "engine": "podman", "workdir": dir,
	})
	req.Dir, req.Work = dir, work
	r := b.run(t.Context(), req)
	expect(t, r, action.Succeeded, "", "")
	if d := cmp.Diff(map[string]any{"value": "the rules 7 two words\nfrom stdin", "stdout": "the rules 7 two words\nfrom stdin", "stderr": "", "exitCode": int64(0), "truncated": false}, r.Output); d != "" {
		t.Error(d)
	}
	if text, err := os.ReadFile(filepath.Join(work, "file")); err != nil || string(text) != "done\n" {
		t.Errorf("%s, %v", text, err)
	}
	calls := b.calls()
	for _, want := range []string{
		`"--network=none"`, `"--user=1000:1000"`, `"--cpus=1.5"`, `"--memory=512m"`, `"--pull=never"`, `"--interactive"`, `"--entrypoint=sh"`,
		`"--mount=type=bind,source=` + dir + `,target=/rules,readonly"`, `"--mount=type=bind,source=` + work + `,target=/work"`,
		`"--label=tend.run=run_test"`, `"--env=TEND_KEY"`,
	} {
		if !strings.Contains(calls, want) {
			t.Errorf("no %s in %s", want, calls)
		}
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	b := newBench(t, "docker")
	req := request(map[string]any{"args": []any{"env"}})
	req.Env = map[string]any{
		"TOKEN": secret.New(planted), "LINES_OF": "one\ntwo", "HOSTILE": `'"$(id) --privileged`, "EMPTY": "",
		"HOME": "/inside", "DOCKER_HOST": "tcp://elsewhere", "LD_PRELOAD_X": secret.New(planted + "-2"), "COUNT": int64(3),
		"LIST": []any{"x", int64(1)},
	}
	r := b.run(t.Context(), req)
	expect(t, r, action.Succeeded, "", "")
	got, _ := r.Output["stdout"].(string)
	for _, want := range []string{
		"TOKEN=" + planted + "\n", "LINES_OF=one\ntwo\n", `HOSTILE='"$(id) --privileged` + "\n", "EMPTY=\n", "HOME=/inside\n", "DOCKER_HOST=tcp://elsewhere\n",
		"LD_PRELOAD_X=" + planted + "-2\n", "COUNT=3\n", `LIST=["x",1]` + "\n", "TEND_RUN=run_test\n", "TEND_KEY=key\n",
	} {
		if !strings.Contains("\n"+got+"\n", "\n"+want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(b.calls(), planted) {
		t.Error("a secret was an argument")
	}
	// What the container says of a secret does not get into the message.
	req.Inputs = request(sh(`echo "no: $TOKEN" >&2; exit 1`)).Inputs
	req.Key = "another key"
	if r := b.run(t.Context(), req); r.Kind != fault.Exit || strings.Contains(r.Message, planted) || !strings.Contains(r.Message, "no: [secret]") {
		t.Errorf("%s: %s", r.Kind, r.Message)
	}
	for name, v := range map[string]any{"A B": "x", "A=B": "x", "": "x", "A": "a\x00b", "PATH": "a\nb", "LIST": []any{secret.New(planted)}} {
		req.Env = map[string]any{name: v}
		expect(t, b.run(t.Context(), req), action.NotStarted, fault.Invalid, "env: ")
	}
}

func TestMounts(t *testing.T) {
	t.Parallel()
	b := newBench(t, "docker")
	dir, other := t.TempDir(), t.TempDir()
	for link, to := range map[string]string{"out": other, "in": "real"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "real"), 0o700); err != nil {
		t.Fatal(err)
	}
	for source, kind := range map[string]fault.Kind{
		"..": fault.Refused, "out": fault.Refused, "real/../../x": fault.Missing, "/": fault.Refused, "/var/run": fault.Refused, other: fault.Refused,
		"": fault.Invalid, "a\x00b": fault.Invalid, "in": "", "real": "", filepath.Join(dir, "real"): "",
	} {
		req := request(map[string]any{"mounts": []any{map[string]any{"source": source, "target": "/x"}}})
		req.Dir = dir
		if r := b.run(t.Context(), req); r.Kind != kind {
			t.Errorf("%q: %s %s %s", source, r.Outcome, r.Kind, r.Message)
		}
	}
	for _, target := range []string{"x", "", "/x,readonly=false", "/x\"", "../x"} {
		req := request(map[string]any{"mounts": []any{map[string]any{"source": "real", "target": target}}})
		req.Dir = dir
		expect(t, b.run(t.Context(), req), action.NotStarted, fault.Invalid, "mounts")
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"obeys":   `touch "$0"; exec sleep 300`,
		"ignores": `trap "" TERM; touch "$0"; while :; do sleep 1; done`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, "docker")
			mark := filepath.Join(t.TempDir(), "mark")
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			go func() {
				await(t, "it runs", func() bool { _, err := os.Stat(mark); return err == nil })
				cancel(errors.New("a person did"))
			}()
			r := b.run(ctx, request(map[string]any{"args": []any{"sh", "-c", script, mark}}))
			expect(t, r, action.InDoubt, fault.Cancelled, "the container was removed")
			if left := b.boxes(); len(left) > 0 {
				t.Errorf("left: %+v", left[0])
			}
		})
	}
	t.Run("while it is pulled", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, "docker")
		b.set("slow", "")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() {
			await(t, "it pulls", func() bool { _, err := os.Stat(filepath.Join(b.dir, "pulling")); return err == nil })
			cancel()
		}()
		expect(t, b.run(ctx, request(nil)), action.NotStarted, fault.Cancelled, "before the container was started")
	})
	t.Run("and the engine is gone", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, "docker")
		mark := filepath.Join(t.TempDir(), "mark")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() {
			await(t, "it runs", func() bool { _, err := os.Stat(mark); return err == nil })
			b.set("down", "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?")
			cancel()
		}()
		r := b.run(ctx, request(map[string]any{"args": []any{"sh", "-c", `touch "$0"; sleep 2`, mark}}))
		expect(t, r, action.InDoubt, fault.Cancelled, "may still be there")
		await(t, "it ends by itself", func() bool { l := b.boxes(); return len(l) == 1 && !l[0].State.Running })
	})
}

func TestEngineTrouble(t *testing.T) {
	t.Parallel()
	t.Run("no daemon", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, "docker")
		b.set("down", "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?")
		expect(t, b.run(t.Context(), request(nil)), action.NotStarted, fault.Unavailable, "Cannot connect")
		req := request(nil)
		req.Attempt = 2
		expect(t, b.run(t.Context(), req), action.NotStarted, fault.Unavailable, "earlier attempts")
	})
	t.Run("no right", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, "docker")
		b.set("down", "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock")
		expect(t, b.run(t.Context(), request(nil)), action.NotStarted, fault.Refused, "permission denied")
	})
	t.Run("lost while it runs", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, "docker")
		r := b.run(t.Context(), request(map[string]any{"args": []any{"sh", "-c", `echo "Cannot connect" >"$0/down"`, b.dir}}))
		expect(t, r, action.InDoubt, fault.Lost, "is not known")
	})
	t.Run("cannot be removed", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, "docker")
		b.set("keep", "")
		r := b.run(t.Context(), request(sh("echo done")))
		expect(t, r, action.Succeeded, "", "")
		if err := os.Remove(filepath.Join(b.dir, "keep")); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("no memory", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, "docker")
		b.set("oom", "")
		expect(t, b.run(t.Context(), request(sh("exit 137"))), action.InDoubt, fault.Killed, "no memory left")
	})
	t.Run("the name is taken", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, "docker")
		b.set("keep", "")
		expect(t, b.run(t.Context(), request(sh("exit 1"))), action.Failed, fault.Exit, "")
		if err := os.Remove(filepath.Join(b.dir, "keep")); err != nil {
			t.Fatal(err)
		}
		// The same attempt again: its name is somebody's, and stays his.
		expect(t, b.run(t.Context(), request(sh("exit 0"))), action.NotStarted, fault.Conflict, "already in use")
		if left := b.boxes(); len(left) != 1 {
			t.Errorf("%d containers", len(left))
		}
		// The next attempt removes what earlier ones left.
		req := request(sh("exit 0"))
		req.Attempt = 2
		expect(t, b.run(t.Context(), req), action.Succeeded, "", "")
		if left := b.boxes(); len(left) != 0 {
			t.Errorf("%d containers", len(left))
		}
		// Unless it cannot.
		b.set("keep", "")
		req.Attempt = 3
		expect(t, b.run(t.Context(), req), action.Succeeded, "", "")
		req.Attempt = 4
		expect(t, b.run(t.Context(), req), action.NotStarted, fault.Conflict, "of an earlier attempt cannot be removed")
		if err := os.Remove(filepath.Join(b.dir, "keep")); err != nil {
			t.Fatal(err)
		}
	})
}

func TestOlderArguments(t *testing.T) {
	t.Parallel()
	b := newBench(t, "docker")
	req := request(nil)
	req.Args = []any{"echo", "--flag", "two words"}
	r := b.run(t.Context(), req)
	expect(t, r, action.Succeeded, "", "")
	if r.Output["value"] != "--flag two words" {
		t.Errorf("%v", r.Output)
	}
}
