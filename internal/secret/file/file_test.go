package file_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/secret/file"
	"github.com/tendhq/tend/internal/secret/secrettest"
)

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, dir string) *file.Provider {
	t.Helper()
	p, err := file.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestConformance(t *testing.T) {
	t.Parallel()
	secrettest.Run(t, secrettest.Harness{
		With: func(t *testing.T, secrets map[string]string) secret.Provider {
			dir := t.TempDir()
			for name, text := range secrets {
				write(t, filepath.Join(dir, name), text+"\n", 0o600)
			}
			return open(t, dir)
		},
		Broken: func(t *testing.T, planted string) secret.Provider {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "database_password"), planted, 0o644)
			return open(t, dir)
		},
	})
}

func TestTrim(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"bare": "secret", "unix": "secret\n", "windows": "secret\r\n", "two": "secret\n\n"} {
		write(t, filepath.Join(dir, name), text, 0o400)
		want := "secret"
		if name == "two" {
			want = "secret\n"
		}
		f, err := open(t, dir).Find(context.Background(), name)
		if err != nil || f.Value.Reveal() != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNested(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "prod", "db", "password"), "correct horse", 0o600)
	p := open(t, dir)
	if f, err := p.Find(context.Background(), "prod/db/password"); err != nil || f.Value.Reveal() != "correct horse" {
		t.Error(err)
	}
	for _, name := range []string{"prod", "prod/db", "prod/db/password/more"} {
		if _, err := p.Find(context.Background(), name); !fault.Is(err, fault.Missing) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	write(t, filepath.Join(outside, "password"), "another one's", 0o600)
	for name, c := range map[string]struct {
		prepare func(t *testing.T, dir string) error
		kind    fault.Kind
		says    string
		next    string
	}{
		"group can read": {func(t *testing.T, dir string) error {
			write(t, filepath.Join(dir, "password"), "correct horse", 0o640)
			return nil
		}, fault.Refused, "mode 0640", "chmod 600 '"},
		"others can write the directory": {func(t *testing.T, dir string) error {
			write(t, filepath.Join(dir, "password"), "correct horse", 0o600)
			return os.Chmod(dir, 0o777)
		}, fault.Refused, "others can write into", "chmod go-w '"},
		"link out of the directory": {func(_ *testing.T, dir string) error {
			return os.Symlink(filepath.Join(outside, "password"), filepath.Join(dir, "password"))
		}, fault.Unavailable, "escapes", ""},
		"pipe": {func(_ *testing.T, dir string) error {
			return unix.Mkfifo(filepath.Join(dir, "password"), 0o600)
		}, fault.Refused, "not a regular file", ""},
		"too large": {func(t *testing.T, dir string) error {
			write(t, filepath.Join(dir, "password"), "", 0o600)
			return os.Truncate(filepath.Join(dir, "password"), 1<<20+1)
		}, fault.Limit, "1048577 bytes", ""},
		"binary": {func(t *testing.T, dir string) error {
			write(t, filepath.Join(dir, "password"), "a\xff\x00b", 0o600)
			return nil
		}, fault.Parse, "not text", "base64"},
		"directory gone": {func(_ *testing.T, dir string) error { return os.RemoveAll(dir) }, fault.Unavailable, "open the directory", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "secrets")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			p := open(t, dir)
			if err := c.prepare(t, dir); err != nil {
				t.Fatal(err)
			}
			_, err := p.Find(context.Background(), "password")
			if !fault.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), dir) {
				t.Errorf("got %v of kind %s", err, fault.KindOf(err))
			}
			if next := fault.NextOf(err); !strings.Contains(next, c.next) {
				t.Errorf("next is %q, want %q in it", next, c.next)
			}
		})
	}
}

func TestLinksInside(t *testing.T) {
	t.Parallel()
	// The layout in which Kubernetes mounts a secret: swapped as a whole through a link.
	dir := t.TempDir()
	write(t, filepath.Join(dir, "..2026_01_01", "password"), "correct horse", 0o400)
	for link, to := range map[string]string{"..data": "..2026_01_01", "password": "..data/password"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if f, err := open(t, dir).Find(context.Background(), "password"); err != nil || f.Value.Reveal() != "correct horse" {
		t.Error(err)
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "password")
	p := open(t, dir)
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	version := func(text string, at time.Time) string {
		t.Helper()
		next := path + "_next"
		write(t, next, text, 0o600)
		if err := os.Chtimes(next, at, at); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, path); err != nil {
			t.Fatal(err)
		}
		f, err := p.Find(context.Background(), "password")
		if err != nil {
			t.Fatal(err)
		}
		return f.Version
	}
	first := version("correct horse", at)
	if !strings.HasPrefix(first, "2026-01-02T03:04:05Z-") {
		t.Errorf("version %q", first)
	}
	if later := version("correct horse", at.Add(time.Nanosecond)); later == first {
		t.Error("a file that was written again has the same version")
	}
	// Overwritten in place with its old time: nothing of the text may show.
	f1 := version("correct horse", at)
	if err := os.WriteFile(path, []byte("battery staple"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
	f2, err := p.Find(context.Background(), "password")
	if err != nil || f2.Version != f1 {
		t.Errorf("the version %q derives from the text: %q, %v", f1, f2.Version, err)
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := file.Open(filepath.Join(dir, "none")); !fault.Is(err, fault.Missing) || !strings.Contains(fault.NextOf(err), "mkdir -m 700") {
		t.Errorf("got %v", err)
	}
	write(t, filepath.Join(dir, "plain"), "", 0o600)
	if _, err := file.Open(filepath.Join(dir, "plain")); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v", err)
	}
}
