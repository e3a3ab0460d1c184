// Package examples_test runs every example with the scripts beside it: examples/NAME/test/*.txtar. In them `tend` is a
// command, and $EXAMPLE is the example's directory.
package examples_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/cli"
	"github.com/tendhq/tend/internal/lint"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"tend": func() { os.Exit(cli.Main()) },
	})
}

func TestExamples(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob("*/test")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no example has a test: %v", err)
	}
	for _, dir := range scripts {
		example, err := filepath.Abs(filepath.Dir(dir))
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(example), func(t *testing.T) {
			t.Parallel()
			testscript.Run(t, testscript.Params{
				Dir:                 dir,
				RequireExplicitExec: true,
				RequireUniqueNames:  true,
				Setup: func(e *testscript.Env) error {
					home := filepath.Join(e.WorkDir, "home")
					e.Setenv("HOME", home)
					e.Setenv("XDG_STATE_HOME", filepath.Join(home, "state"))
					e.Setenv("XDG_CONFIG_HOME", filepath.Join(home, "config"))
					e.Setenv("EXAMPLE", example)
					return os.Mkdir(home, 0o700)
				},
			})
		})
	}
}

// Every playbook of the examples stands beside a test.
func TestEveryExampleIsTested(t *testing.T) {
	t.Parallel()
	playbooks, err := filepath.Glob("*/playbook.yaml")
	if err != nil || len(playbooks) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, p := range playbooks {
		tests, err := filepath.Glob(filepath.Join(filepath.Dir(p), "test", "*.txtar"))
		if err != nil || len(tests) == 0 {
			t.Errorf("%s has no test", p)
		}
	}
}

// What people copy from the README is right.
func TestReadmeLints(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	actions, err := app.Actions()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, block := range strings.Split(string(text), "```yaml\n")[1:] {
		doc, _, _ := strings.Cut(block, "```")
		for _, f := range lint.New(actions, nil).File("README.md", []byte(doc)).Findings {
			t.Errorf("%v", f)
		}
		n++
	}
	if n == 0 {
		t.Error("the README shows no playbook")
	}
}
