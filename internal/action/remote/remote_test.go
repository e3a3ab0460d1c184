package remote_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/remote"
	"github.com/tendhq/tend/internal/action/shell"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/testenv/sshd"
)

// The same steps end alike here and there.
func TestAStepIsTheSameThere(t *testing.T) {
	t.Parallel()
	there := reach(sshd.Start(t))
	tests := []struct {
		name string
		with map[string]any
		env  map[string]any
	}{
		{"text", map[string]any{"script": "echo hello; echo oops >&2"}, nil},
		{"number", map[string]any{"script": "echo 42", "parse": "number"}, nil},
		{"lines", map[string]any{"script": "printf 'a\\n\\nb\\n'", "parse": "lines"}, nil},
		{"JSON", map[string]any{"script": `echo '{"a": [1, 2]}'`, "parse": "json"}, nil},
		{"no JSON", map[string]any{"script": "echo hello", "parse": "json"}, nil},
		{"argv", map[string]any{"argv": []any{"printf", "%s|", "a b", "$HOME", ";"}}, nil},
		{"stdin", map[string]any{"script": "cat", "stdin": "given"}, nil},
		{"data by the environment", map[string]any{"script": `printf %s "$DATA$KEY"`}, map[string]any{"DATA": "'; touch /tmp/x; $(id)", "KEY": secret.New("hunter22")}},
		{"the idempotency key", map[string]any{"script": `echo "$TEND_KEY"`}, nil},
		{"another exit code", map[string]any{"script": "exit 3"}, nil},
		{"an exit code that is an answer", map[string]any{"script": "exit 3", "exitCodes": []any{int64(0), int64(3)}}, nil},
		{"nothing to do", map[string]any{}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want, got := run(t, shell.New(), tt.with, tt.env), run(t, there, tt.with, tt.env)
			want.Message, got.Message = "", "" // each has its own words
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestWhatIsNotThere(t *testing.T) {
	t.Parallel()
	server := sshd.Start(t)
	s := reach(server)
	if _, ok := s.Find("http"); ok {
		t.Error("http executes on an ssh host")
	}
	if a, ok := s.Find("shell"); !ok || a.Spec().Name != "shell" {
		t.Error("shell does not")
	}
	began := filepath.Join(t.TempDir(), "began")
	for name, with := range map[string]map[string]any{
		"a working directory":            {"script": "touch " + began, "cwd": "/tmp"},
		"a shell that ssh does not have": {"script": "open('" + began + "', 'w')", "shell": "python3"},
	} {
		r := run(t, s, with, nil)
		if r.Outcome != action.NotStarted || r.Kind != fault.Invalid {
			t.Errorf("%s: %+v", name, r)
		}
	}
	nowhere := remote.New("web-1", map[string]any{"host": "127.0.0.1", "port": int64(1), "user": "x", "keyFile": server.KeyFile})
	if r := run(t, nowhere, map[string]any{"script": "true"}, nil); r.Outcome != action.NotStarted || r.Kind != fault.Unreachable {
		t.Errorf("an unreachable host: %+v", r)
	}
	if _, err := os.Stat(began); err == nil {
		t.Error("something began")
	}
}

func TestCancelReachesTheHost(t *testing.T) {
	t.Parallel()
	s := reach(sshd.Start(t))
	ctx, cancel := context.WithCancelCause(t.Context())
	begun := func(_ string, p []byte) {
		if strings.Contains(string(p), "begun") {
			cancel(fault.New(fault.Cancelled, "ana said so"))
		}
	}
	ctx, end := context.WithTimeout(ctx, time.Minute)
	defer end()
	r := s.Run(ctx, request(t, s, map[string]any{"script": "echo begun; sleep 300"}, nil), begun)
	if r.Outcome != action.InDoubt || r.Kind != fault.Cancelled {
		t.Errorf("got %+v", r)
	}
}

func reach(server *sshd.Server) remote.Shell {
	return remote.New("web-1", map[string]any{
		"host": server.Host, "port": int64(server.Port), "user": server.User, "keyFile": server.KeyFile, "knownHosts": server.KnownHosts,
	})
}

func run(t *testing.T, a action.Action, with, env map[string]any) action.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return a.Run(ctx, request(t, a, with, env), func(string, []byte) {})
}

func request(t *testing.T, a action.Action, with, env map[string]any) action.Request {
	t.Helper()
	inputs, err := contract.Inputs(a.Spec().Inputs, with, expr.Strict)
	if err != nil {
		t.Fatal(err)
	}
	return action.Request{
		Run: "run_1", Step: "steps[0]", Attempt: 1, Key: fmt.Sprint("key_", 1), Action: a.Spec().Name, Effect: contract.Mutate,
		Inputs: inputs, Env: env, Egress: action.Egress{Loopback: true, Private: true, All: true},
	}
}
