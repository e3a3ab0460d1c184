package file_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/sink/file"
	"github.com/tendhq/tend/internal/sink/sinktest"
)

func read(t *testing.T, names ...string) []string {
	t.Helper()
	var out []string
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil && !os.IsNotExist(err) {
			continue
		}
		for l := range strings.Lines(string(b)) {
			out = append(out, strings.TrimSuffix(l, "\n"))
		}
	}
	return out
}

func TestConformance(t *testing.T) {
	t.Parallel()
	sinktest.Test(t, func(t *testing.T) sinktest.Far {
		name := filepath.Join(t.TempDir(), "audit.jsonl")
		s := file.New(name)
		t.Cleanup(func() { _ = s.Close() })
		return sinktest.Far{
			Sink: s,
			Got:  func(int) []string { return read(t, name+".1", name) },
			// Somebody rotates the file, and something else stands in its place for a while.
			Break: func() {
				if err := os.Rename(name, name+".1"); err != nil && !os.IsNotExist(err) {
					t.Fatal(err)
				}
				if err := os.Mkdir(name, 0o700); err != nil {
					t.Fatal(err)
				}
			},
			Mend: func() {
				if err := os.Remove(name); err != nil {
					t.Fatal(err)
				}
			},
		}
	})
}

// TestRotation: after the file was moved away, lines go to a new one with its name.
func TestRotation(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "audit.jsonl")
	s := file.New(name)
	defer func() { _ = s.Close() }()
	for i := range 3 {
		if err := s.Write(t.Context(), sinktest.Lines(1+i, 1)); err != nil {
			t.Fatal(err)
		}
		if got := read(t, name); len(got) != 1 {
			t.Errorf("%d lines after rotation %d", len(got), i)
		}
		if err := os.Rename(name, name+".old"); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTornLine: what a process that died left of a line is taken away.
func TestTornLine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ before, want string }{
		{"", ""},
		{"whole\n", "whole\n"},
		{"whole\n{\"torn\":", "whole\n"},
		{"torn", ""},
		{"whole\n" + strings.Repeat("x", 10_000), "whole\n"},
		{strings.Repeat("x", 4095) + "\n" + strings.Repeat("y", 4096), strings.Repeat("x", 4095) + "\n"},
	} {
		name := filepath.Join(t.TempDir(), "audit.jsonl")
		if err := os.WriteFile(name, []byte(c.before), 0o600); err != nil {
			t.Fatal(err)
		}
		s := file.New(name)
		lines := sinktest.Lines(1, 1)
		if err := s.Write(t.Context(), lines); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(name); err != nil || string(b) != c.want+lines[0].Text+"\n" {
			t.Errorf("%.40q (%d bytes) became %.40q (%d bytes), %v", c.before, len(c.before), b, len(b), err)
		}
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v", info.Mode())
		}
		_ = s.Close()
	}
}
