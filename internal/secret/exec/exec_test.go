package exec_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/secret/exec"
	"github.com/tendhq/tend/internal/secret/secrettest"
)

func open(t *testing.T, c exec.Config) *exec.Provider {
	t.Helper()
	c.Env = append(c.Env, "PATH="+os.Getenv("PATH"))
	p, err := exec.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// look finds a secret as a file of a directory; 3 is its word for none.
const look = `[ -f "$1" ] || { echo "no such thing: $PLANTED" >&2; exit 3; }; cat "$1"; [ -n "$BROKEN" ] && exit 1; exit 0`

func TestProvider(t *testing.T) {
	t.Parallel()
	with := func(t *testing.T, secrets map[string]string, env ...string) secret.Provider {
		dir := t.TempDir()
		for name, text := range secrets {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return open(t, exec.Config{Command: []string{"sh", "-c", look, "look", "{name}"}, Dir: dir, Missing: []int{3}, Env: env})
	}
	secrettest.Run(t, secrettest.Harness{
		With: func(t *testing.T, secrets map[string]string) secret.Provider { return with(t, secrets) },
		Broken: func(t *testing.T, planted string) secret.Provider {
			return with(t, map[string]string{"database_password": planted}, "BROKEN=1", "PLANTED="+planted)
		},
	})
}

func TestArguments(t *testing.T) {
	t.Parallel()
	p := open(t, exec.Config{Command: []string{"printf", "%s,%s,%s", "{name}", "--extract={path}", "{key}"}})
	f, err := p.Find(t.Context(), "prod/db-1/pass.word")
	if want := `prod/db-1/pass.word,--extract=["prod"]["db-1"]["pass.word"],pass.word`; err != nil || f.Value.Reveal() != want {
		t.Errorf("%q, %v", f.Value.Reveal(), err)
	}
}

// TestEnvironment: what this process knows is not for the program.
func TestEnvironment(t *testing.T) {
	t.Setenv("TEND_SECRET_OTHER", "not for programs")
	p := open(t, exec.Config{Command: []string{"sh", "-c", "env; : {name}"}})
	f, err := p.Find(t.Context(), "x")
	if err != nil || strings.Contains(f.Value.Reveal(), "not for programs") {
		t.Errorf("it sees the environment: %v", err)
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		script string
		kind   fault.Kind
	}{
		{"echo leaked >&2; echo leaked; exit 4", fault.Exit},
		{"exit 3", fault.Missing},
		{"true", fault.Parse},
		{`printf '\377\376'`, fault.Parse},
		{"head -c 3000000 /dev/zero | tr '\\0' x", fault.Limit},
		{"sleep 600 & sleep 600", fault.Timeout},
		{"kill -9 $$", fault.Exit},
	} {
		p := open(t, exec.Config{Command: []string{"sh", "-c", c.script + "; : {name}"}, Missing: []int{3}, Timeout: 2 * time.Second})
		if !strings.Contains(c.script, "sleep") {
			p = open(t, exec.Config{Command: []string{"sh", "-c", c.script, "{name}"}, Missing: []int{3}, Timeout: time.Minute})
		}
		_, err := p.Find(t.Context(), "x")
		if !fault.Is(err, c.kind) || strings.Contains(err.Error()+fault.NextOf(err), "leaked") {
			t.Errorf("%s: %v", c.script, err)
		}
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]exec.Config{
		"nothing":          {},
		"no name":          {Command: []string{"cat", "secrets.txt"}},
		"no such program":  {Command: []string{"no-such-program-here", "{name}"}},
		"found is missing": {Command: []string{"cat", "{name}"}, Missing: []int{0}},
	} {
		if _, err := exec.New(c); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
