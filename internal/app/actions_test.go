package app_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/actiontest"
	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/lint"
	"github.com/tendhq/tend/internal/testenv"
)

func actions(t *testing.T) *action.Set {
	t.Helper()
	set, err := app.Actions()
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// TestActionReferenceIsCurrent compares docs/actions with what the Specs say; TEND_UPDATE=1 writes it anew.
func TestActionReferenceIsCurrent(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(testenv.Root(t), "docs", "actions")
	update := os.Getenv("TEND_UPDATE") != ""
	if update {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var want []string
	for _, p := range actions(t).Docs() {
		want = append(want, p.File)
		name := filepath.Join(dir, p.File)
		if update {
			if err := os.WriteFile(name, []byte(p.Text), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if got, err := os.ReadFile(name); err != nil || string(got) != p.Text {
			t.Errorf("docs/actions/%s is not what its Spec says (%v): run `make update`", p.File, err)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if slices.Contains(want, f.Name()) {
			continue
		}
		if !update {
			t.Errorf("docs/actions/%s belongs to no action", f.Name())
		} else if err := os.Remove(filepath.Join(dir, f.Name())); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEverySpecIsComplete(t *testing.T) {
	t.Parallel()
	set := actions(t)
	for _, name := range set.Names() {
		spec, _ := set.Spec(name)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			actiontest.Spec(t, spec)
		})
	}
}

// others is a repository in which every playbook and parameter that an example names exists.
type others struct{}

func (others) Find(kind document.Kind, name, _ string) (document.File, error) {
	if kind != document.KindPlaybook {
		return document.File{}, fault.New(fault.NotFound, "no %s %q", kind, name)
	}
	text := "apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: " + name + ", description: Another one.}\nparameters:\n" +
		"  - {name: host, type: string, required: false, description: A host.}\nsteps:\n  - uses: log\n    with: {message: '{{ default \"\" $.params.host }}'}\n"
	return document.File{Name: name + ".yaml", Content: []byte(text)}, nil
}

func (others) Names(document.Kind) []string { return nil }

// TestExamplesLint puts every example into a playbook and lints it: what people copy must be right.
func TestExamplesLint(t *testing.T) {
	t.Parallel()
	set := actions(t)
	for _, name := range set.Names() {
		spec, _ := set.Spec(name)
		for _, e := range spec.Examples {
			t.Run(name+"/"+e.Title, func(t *testing.T) {
				t.Parallel()
				for _, f := range lint.New(set, others{}).File("example.yaml", []byte(surround(e.YAML))).Findings {
					if f.Severity == document.Error {
						t.Errorf("%s\n%s", f, e.YAML)
					}
				}
			})
		}
	}
}

// surround makes a playbook of an example: with the parameters that it uses, and the steps.
func surround(steps string) string {
	var b strings.Builder
	b.WriteString("apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: example, description: An example.}\nparameters:\n")
	for _, p := range []string{"path", "unit", "host", "disk", "cluster", "change", "tier", "reason", "database"} {
		b.WriteString("  - {name: " + p + ", type: string, description: A parameter.}\n")
	}
	b.WriteString("steps:\n")
	for _, id := range []string{"usage", "queues", "get", "sessions", "replicas", "account"} {
		if strings.Contains(steps, "steps."+id) && !strings.Contains(steps, "id: "+id+"\n") {
			b.WriteString("  - id: " + id + "\n    uses: shell\n    effect: read\n    with: {script: date, parse: auto}\n")
		}
	}
	for l := range strings.Lines(steps) {
		b.WriteString("  " + l)
	}
	return b.String()
}
