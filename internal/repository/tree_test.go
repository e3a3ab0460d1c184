package repository_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/repository"
)

func TestTree(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const doc = "apiVersion: tend/v1\nkind: Playbook\n"
	for _, n := range []string{"a.yaml", "sub/b.yml", ".hidden/c.yaml", ".d.yaml", "node_modules/e.yaml", "f.txt", "..data/g.yaml"} {
		write(n, doc)
	}
	write("other.yaml", "services: {}\n")
	write("cal/holidays.ics", "BEGIN:VCALENDAR\n")
	if err := os.WriteFile(filepath.Join(outside, "x.yaml"), []byte(doc), 0o600); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{"out.yaml": filepath.Join(outside, "x.yaml"), "in.yaml": "..data/g.yaml", "gone.yaml": "nowhere", "dir.yaml": "sub"} {
		if err := os.Symlink(to, filepath.Join(dir, from)); err != nil {
			t.Fatal(err)
		}
	}
	names := func() []string {
		t.Helper()
		fs, err := repository.Tree(dir)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, f := range fs {
			out = append(out, f.Name)
		}
		return out
	}
	// A link that stays inside is followed, as in a mounted ConfigMap; one that leads out makes no hole.
	if err := os.Remove(filepath.Join(dir, "out.yaml")); err != nil {
		t.Fatal(err)
	}
	if got := names(); !slices.Equal(got, []string{"a.yaml", "cal/holidays.ics", "in.yaml", "sub/b.yml"}) {
		t.Errorf("%q", got)
	}
	if err := os.Symlink(filepath.Join(outside, "x.yaml"), filepath.Join(dir, "out.yaml")); err != nil {
		t.Fatal(err)
	}
	if fs, err := repository.Tree(dir); err == nil {
		t.Errorf("a link leads out: %v", fs)
	}
	if err := os.Remove(filepath.Join(dir, "out.yaml")); err != nil {
		t.Fatal(err)
	}
	write("tend.yaml", "playbooks: [sub]\n")
	if got := names(); !slices.Equal(got, []string{"sub/b.yml"}) {
		t.Errorf("%q", got)
	}
	write("tend.yaml", "# nothing said\n")
	if got := names(); len(got) != 0 {
		t.Errorf("%q", got)
	}
	write("tend.yaml", "playbocks: [sub]\n")
	if _, err := repository.Tree(dir); err == nil {
		t.Error("a setting that is not known is taken")
	}
	if _, err := repository.Tree(filepath.Join(dir, "none")); err == nil {
		t.Error("a directory that is not there is read")
	}
}

func TestLayoutWants(t *testing.T) {
	t.Parallel()
	l, err := repository.NewLayout(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"a.yaml": true, "a/b/c.yml": true, "../a.yaml": false, "/a.yaml": false, "a/../b.yaml": false, "a\nb.yaml": false, "a\xff.yaml": false,
		"tend.yaml": false, "a/.b/c.yaml": false, "": false, "x.ics": true, "x.json": false,
	} {
		if got := l.Wants(name); got != want {
			t.Errorf("%q: %t", name, got)
		}
	}
	if repository.Keep(document.File{Name: "a.yaml", Content: []byte("x: y")}) {
		t.Error("what is no document is kept")
	}
}
