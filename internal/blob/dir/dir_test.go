package dir_test

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/blob"
	"github.com/tendhq/tend/internal/blob/blobtest"
	"github.com/tendhq/tend/internal/blob/dir"
	"github.com/tendhq/tend/internal/fault"
)

func open(t *testing.T, name string) *dir.Store {
	t.Helper()
	s, err := dir.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestConformance(t *testing.T) {
	t.Parallel()
	blobtest.Run(t, func(t *testing.T) blob.Store { return open(t, t.TempDir()) })
}

func TestReopen(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "not", "there", "yet")
	ref, err := open(t, name).Put(t.Context(), "run_a", strings.NewReader("kept"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := open(t, name).Get(t.Context(), "run_a", ref)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if b, err := io.ReadAll(r); string(b) != "kept" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "blobs")
	if _, err := open(t, name).Put(t.Context(), "run_a", strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(name, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is %v", p, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestHalfWritten: what a crash left beside a blob is not a blob, and goes with its group.
func TestHalfWritten(t *testing.T) {
	t.Parallel()
	name := t.TempDir()
	s := open(t, name)
	ref, err := s.Put(t.Context(), "run_a", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	half := filepath.Join(name, "run_a", blob.NewID()+".new")
	if err := os.WriteFile(half, []byte("ha"), 0o600); err != nil {
		t.Fatal(err)
	}
	if l, err := s.List(t.Context(), "run_a"); len(l) != 1 || l[0] != ref.ID || err != nil {
		t.Errorf("%v, %v", l, err)
	}
	if err := s.Delete(t.Context(), "run_a"); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(half); !os.IsNotExist(err) {
		t.Errorf("it is still there: %v", err)
	}
}

func TestLinksDoNotLeadOut(t *testing.T) {
	t.Parallel()
	outside, name := t.TempDir(), t.TempDir()
	s := open(t, name)
	id := blob.NewID()
	if err := os.WriteFile(filepath.Join(outside, id), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(name, "run_a")); err != nil {
		t.Fatal(err)
	}
	if r, err := s.Get(t.Context(), "run_a", blob.Ref{ID: id, Size: 6}); err == nil {
		_ = r.Close()
		t.Error("a link was followed")
	}
	if _, err := s.Put(t.Context(), "run_a", strings.NewReader("x")); err == nil {
		t.Error("something was written through a link")
	}
	if l, _ := os.ReadDir(outside); len(l) != 1 {
		t.Errorf("outside there is %v", l)
	}
}

func TestDamage(t *testing.T) {
	t.Parallel()
	for what, change := range map[string]func(b []byte) []byte{
		"a flipped bit": func(b []byte) []byte { b[5] ^= 4; return b },
		"truncated":     func(b []byte) []byte { return b[:7] },
		"emptied":       func([]byte) []byte { return nil },
		"longer":        func(b []byte) []byte { return append(b, 'x') },
	} {
		name := t.TempDir()
		s := open(t, name)
		ref, err := s.Put(t.Context(), "run_a", strings.NewReader("0123456789"))
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(name, "run_a", ref.ID)
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, change(b), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := s.Get(t.Context(), "run_a", ref)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(r); !fault.Is(err, fault.Damaged) {
			t.Errorf("%s: %v", what, err)
		}
		_ = r.Close()
	}
}

func TestUnwritable(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := dir.Open(filepath.Join(file, "below")); !fault.Is(err, fault.Unavailable) || fault.NextOf(err) == "" {
		t.Errorf("below a file: %v", err)
	}
}
