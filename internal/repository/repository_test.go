package repository_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/repository"
)

func documentOf(kind, name string) string {
	return "apiVersion: tend/v1\nkind: " + kind + "\nmetadata: {name: " + name + "}\nsteps: [{uses: log, with: {message: x}}]\n"
}

func setup(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestAPlaybookIsFoundByFileNameAndFolder(t *testing.T) {
	t.Parallel()
	dir := setup(t, map[string]string{
		"tend.yaml":                       "# nothing set\n",
		"playbooks/deep/a.yaml":           documentOf("Playbook", "reclaim-disk"),
		"playbooks/other/playbook.yaml":   documentOf("Playbook", "called-otherwise"),
		"examples/b.yml":                  documentOf("Playbook", "example"),
		"elsewhere/c.yaml":                documentOf("Playbook", "not-here"),
		"playbooks/.hidden/d.yaml":        documentOf("Playbook", "hidden"),
		"playbooks/values.yaml":           "just: data\n",
		"playbooks/node_modules/x/y.yaml": documentOf("Playbook", "dependency"),
	})
	r, err := repository.Open(filepath.Join(dir, "playbooks", "deep"))
	if err != nil || r.Root != dir || !r.Marked {
		t.Fatalf("opened %+v, %v", r, err)
	}
	for arg, want := range map[string]string{
		"reclaim-disk":                         "deep/a.yaml",
		"reclaim_disk":                         "deep/a.yaml",
		"other":                                "other/playbook.yaml",
		"example":                              "b.yml",
		filepath.Join(dir, "elsewhere/c.yaml"): "c.yaml",
		filepath.Join(dir, "playbooks/other"):  "other/playbook.yaml",
	} {
		if f, err := r.Playbook(arg); err != nil || !strings.HasSuffix(f.Name, want) {
			t.Errorf("%s: %q, %v", arg, f.Name, err)
		}
	}
	if _, err := r.Playbook("reclaim-disc"); !fault.Is(err, fault.NotFound) || !strings.Contains(fault.NextOf(err), "reclaim-disk") {
		t.Errorf("a near miss: %v, next %q", err, fault.NextOf(err))
	}
	for _, arg := range []string{"hidden", "dependency", "not-here", "nope.yaml"} {
		if _, err := r.Playbook(arg); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", arg, err)
		}
	}
	files, err := r.Files()
	if err != nil || len(files) != 3 {
		t.Errorf("%d files, %v", len(files), err)
	}
}

func TestADocumentIsFoundFromAnother(t *testing.T) {
	t.Parallel()
	dir := setup(t, map[string]string{
		"a.yaml":         documentOf("Playbook", "a"),
		"steps/b.yaml":   documentOf("Step", "team/b"),
		"steps/b/c.yaml": documentOf("Playbook", "c"),
	})
	r, err := repository.Open(dir)
	if err != nil || r.Marked {
		t.Fatalf("opened %+v, %v", r, err)
	}
	from, err := r.Read(filepath.Join(dir, "a.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		kind       document.Kind
		name, want string
	}{
		{document.KindModule, "team/b", "steps/b.yaml"},
		{document.KindPlaybook, "./steps/b/c.yaml", "steps/b/c.yaml"},
		{document.KindPlaybook, "c", "steps/b/c.yaml"},
	} {
		if f, err := r.Find(c.kind, c.name, from.Name); err != nil || !strings.HasSuffix(f.Name, c.want) {
			t.Errorf("%s: %q, %v", c.name, f.Name, err)
		}
	}
	if _, err := r.Find(document.KindPlaybook, "team/b", from.Name); !fault.Is(err, fault.NotFound) {
		t.Errorf("a step as a playbook: %v", err)
	}
}

func TestSettingsAndGuards(t *testing.T) {
	t.Parallel()
	dir := setup(t, map[string]string{
		"tend.yaml":   "playbooks: [ops]\n",
		"ops/g.yaml":  "apiVersion: tend/v1\nkind: Guard\nmetadata: {name: gentle}\ncooldown: {every: 10m}\n",
		"ops/p.yaml":  documentOf("Playbook", "p"),
		"x/wrong.yml": "apiVersion: tend/v1\nkind: Guard\nmetadata: {name: bad}\n",
	})
	r, err := repository.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	guards, err := r.Guards("p.yaml")
	if err != nil || len(guards) != 1 || guards[0].Name != "gentle" {
		t.Errorf("guards %+v, %v", guards, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ops/h.yaml"), []byte("apiVersion: tend/v1\nkind: Guard\nmetadata: {name: bad}\nnope: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err = repository.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Guards("p.yaml"); !fault.Is(err, fault.Invalid) {
		t.Errorf("a broken guard: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "tend.yaml"), []byte("playbook: [ops]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := repository.Open(dir); !fault.Is(err, fault.Invalid) {
		t.Errorf("a broken tend.yaml: %v", err)
	}
}

func TestAHugeFileIsNotReadToItsEnd(t *testing.T) {
	t.Parallel()
	dir := setup(t, map[string]string{"a.yaml": documentOf("Playbook", "a")})
	name := filepath.Join(dir, "huge.yaml")
	if err := os.Truncate(filepath.Join(dir, "a.yaml"), 50<<20); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "a.yaml"), name); err != nil {
		t.Fatal(err)
	}
	r, err := repository.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	f, err := r.Read(name)
	if err != nil || len(f.Content) != document.MaxSize+1 {
		t.Errorf("%d bytes, %v", len(f.Content), err)
	}
}
