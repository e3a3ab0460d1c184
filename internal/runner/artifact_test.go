package runner_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/fault"
)

func TestArtifacts(t *testing.T) {
	t.Parallel()
	outside := filepath.Join(t.TempDir(), "outside.txt")
	write(t, outside, "not ours")
	tests := []struct {
		name     string
		patterns []string
		make     func(t *testing.T, work string)
		want     []string // name=content
		says     []string
	}{
		{
			"by pattern",
			[]string{"*.txt", "sub/*.log"},
			func(t *testing.T, work string) {
				write(t, filepath.Join(work, "b.txt"), "B")
				write(t, filepath.Join(work, "a.txt"), "A")
				write(t, filepath.Join(work, "c.md"), "C")
				write(t, filepath.Join(work, "sub", "d.log"), "D")
				write(t, filepath.Join(work, "sub", "e.txt"), "E")
			},
			[]string{"a.txt=A", "b.txt=B", "sub/d.log=D"},
			nil,
		},
		{
			"at any depth",
			[]string{"**/*.txt", "logs/**"},
			func(t *testing.T, work string) {
				write(t, filepath.Join(work, "a.txt"), "A")
				write(t, filepath.Join(work, "x", "y", "b.txt"), "B")
				write(t, filepath.Join(work, "logs", "z", "c"), "C")
				write(t, filepath.Join(work, "notlogs", "d"), "D")
			},
			[]string{"a.txt=A", "logs/z/c=C", "x/y/b.txt=B"},
			nil,
		},
		{"nothing there", []string{"*.txt"}, func(*testing.T, string) {}, nil, nil},
		{
			"a link that leads out",
			[]string{"*"},
			func(t *testing.T, work string) {
				write(t, filepath.Join(work, "real"), "R")
				link(t, outside, filepath.Join(work, "absolute"))
				link(t, "../../../../../../../../../etc/passwd", filepath.Join(work, "dotdot"))
				link(t, "real", filepath.Join(work, "within"))
				link(t, filepath.Dir(outside), filepath.Join(work, "dir"))
			},
			[]string{"real=R", "within=R"},
			[]string{"artifact absolute was not kept", "artifact dotdot was not kept", "artifact dir was not kept"},
		},
		{
			"a pattern that leads out",
			[]string{"../*", "/etc/passwd", outside},
			func(t *testing.T, work string) { write(t, filepath.Join(work, "a"), "A") },
			nil, nil,
		},
		{"no pattern", []string{"[", "*"}, func(t *testing.T, work string) { write(t, filepath.Join(work, "a"), "A") }, nil, []string{`"[" is not a pattern`}},
		{"too many stars", []string{"**/**/**/**/a"}, func(*testing.T, string) {}, nil, []string{"is not a pattern"}},
		{
			"a pipe",
			[]string{"*"},
			func(t *testing.T, work string) {
				if err := syscall.Mkfifo(filepath.Join(work, "pipe"), 0o600); err != nil {
					t.Fatal(err)
				}
			},
			nil,
			[]string{"pipe was not kept: it is not a regular file"},
		},
		{
			"unreadable",
			[]string{"*"},
			func(t *testing.T, work string) {
				write(t, filepath.Join(work, "dir", "a"), "A")
				if err := os.Chmod(filepath.Join(work, "dir"), 0o500); err != nil { //nolint:gosec // what is tested
					t.Fatal(err)
				}
			},
			nil, nil,
		},
		{
			"a secret inside",
			[]string{"*"},
			func(t *testing.T, work string) {
				write(t, filepath.Join(work, "env"), "TOKEN=correct-horse")
				write(t, filepath.Join(work, "correct-horse.txt"), "harmless")
			},
			[]string{"[secret].txt=harmless"},
			[]string{"artifact env was not kept: it holds a secret"},
		},
		{
			"too large",
			[]string{"*"},
			func(t *testing.T, work string) {
				f := filepath.Join(work, "large")
				write(t, f, "")
				if err := os.Truncate(f, 10<<20+1); err != nil {
					t.Fatal(err)
				}
			},
			nil,
			[]string{"large was not kept: it has 10485761 bytes, more than 10 MiB"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var work string
			b := setup(t, test{
				spec: contract.Spec{Inputs: []contract.Field{{Name: "a", Type: contract.Any}}},
				run: func(_ context.Context, req action.Request, _ action.Log) action.Result {
					work = req.Work
					tt.make(t, req.Work)
					return action.OK(nil)
				},
			})
			a := attempt(map[string]any{"a": laterDB()})
			a.Artifacts = tt.patterns
			o := b.Run(t.Context(), a)
			var got []string
			for _, f := range o.Artifacts {
				got = append(got, f.Name+"="+string(b.blob(t, f.Ref)))
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
			log := strings.Join(b.logOf(t, o), "\n")
			for _, s := range tt.says {
				if !strings.Contains(log, s) {
					t.Errorf("the log does not say %q: %s", s, log)
				}
			}
			if tt.says == nil && log != "" {
				t.Errorf("the log says %s", log)
			}
			if _, err := os.Stat(work); !os.IsNotExist(err) {
				t.Errorf("the scratch directory is still there: %v", err)
			}
		})
	}
}

func TestArtifactsAreBounded(t *testing.T) {
	t.Parallel()
	b := setup(t, test{run: func(_ context.Context, req action.Request, _ action.Log) action.Result {
		for i := range 105 {
			write(t, filepath.Join(req.Work, fmt.Sprintf("small-%03d", i)), "x")
		}
		return action.Fail(fault.Exit, "exit 1")
	}})
	a := attempt(nil)
	a.Artifacts = []string{"*"}
	o := b.Run(t.Context(), a)
	if log := b.logOf(t, o); len(o.Artifacts) != 100 || len(log) != 1 || !strings.Contains(log[0], "5 more artifacts were not kept: 100 are the most") {
		t.Errorf("%d artifacts, log %q", len(o.Artifacts), log)
	}

	b = setup(t, test{run: func(_ context.Context, req action.Request, _ action.Log) action.Result {
		for i := range 11 {
			f := filepath.Join(req.Work, fmt.Sprintf("large-%02d", i))
			write(t, f, "")
			if err := os.Truncate(f, 10<<20); err != nil {
				t.Error(err)
			}
		}
		return action.OK(nil)
	}})
	o = b.Run(t.Context(), a)
	if log := b.logOf(t, o); len(o.Artifacts) != 10 || len(log) != 1 || !strings.Contains(log[0], "large-10 was not kept: all artifacts together would have more than 100 MiB") {
		t.Errorf("%d artifacts, log %q", len(o.Artifacts), log)
	}
}

func TestScratchDirectories(t *testing.T) {
	t.Parallel()
	for _, env := range []bool{true, false} {
		act := test{spec: contract.Spec{Env: env}, run: func(_ context.Context, req action.Request, _ action.Log) action.Result {
			return action.Value(req.Work)
		}}
		b := setup(t, act)
		one, two := b.Run(t.Context(), attempt(nil)), b.Run(t.Context(), attempt(nil))
		if env == (one.Result.Output["value"] == "") || env == (one.Result.Output["value"] == two.Result.Output["value"]) {
			t.Errorf("env %v: %v, %v", env, one.Result.Output, two.Result.Output)
		}
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Error(err)
	}
}

func link(t *testing.T, to, name string) {
	t.Helper()
	if err := os.Symlink(to, name); err != nil {
		t.Error(err)
	}
}
