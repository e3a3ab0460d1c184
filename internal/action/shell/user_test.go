package shell_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/process"
	"github.com/tendhq/tend/internal/action/shell"
	"github.com/tendhq/tend/internal/testenv"
)

// TestAsAnotherUser runs scripts as nobody: short ones, ones that are given as a file, and one in a directory that is not
// that user's.
func TestAsAnotherUser(t *testing.T) {
	t.Parallel()
	nobody, err := process.Other("nobody")
	testenv.Need(t, "root", err)
	work, err := os.MkdirTemp("", "tend-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(work) })
	if err := nobody.Own(work); err != nil {
		t.Fatal(err)
	}
	private := t.TempDir()
	if err := os.Chmod(private, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(private, "run.sh"), []byte("#!/bin/sh\necho ran\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	a := shell.Action{As: nobody}
	for _, c := range []struct {
		name    string
		inputs  map[string]any
		outcome action.Outcome
		says    string
	}{
		{"short", map[string]any{"script": `id -un; echo "$HOME $PATH" > here`}, action.Succeeded, "nobody"},
		{"long", map[string]any{"script": "# " + strings.Repeat("x", 100<<10) + "\nid -un"}, action.Succeeded, "nobody"},
		{"program", map[string]any{"argv": []any{"id", "-un"}}, action.Succeeded, "nobody"},
		{"another's directory", map[string]any{"script": "true", "cwd": private}, action.NotStarted, "user nobody may not"},
		{"another's program", map[string]any{"argv": []any{filepath.Join(private, "run.sh")}}, action.NotStarted, "user nobody may not"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := a.Run(t.Context(), action.Request{Inputs: c.inputs, Work: work}, func(string, []byte) {})
			value, _ := r.Output["value"].(string)
			if r.Outcome != c.outcome || !strings.Contains(r.Message+value, c.says) {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestUsersThatKeepNothing(t *testing.T) {
	t.Parallel()
	for name, says := range map[string]string{"root": "is root", "tend-nobody-knows": "there is no user"} {
		if _, err := process.Other(name); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
