package testenv_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/testenv"
)

// These tests set the environment of the process and therefore do not run in parallel.

func TestNeedMet(t *testing.T) {
	t.Setenv(testenv.RequireVar, "all")
	testenv.Need(t, "anything", nil)
}

func TestSkipIsRecorded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "skips")
	t.Setenv(testenv.SkipsVar, file)
	t.Setenv(testenv.RequireVar, "sshd")
	t.Run("inner", func(t *testing.T) {
		testenv.Need(t, "postgresql", errors.New("no postgres\non this machine"))
		t.Error("went on without its need")
	})
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := "postgresql\tTestSkipIsRecorded/inner\tno postgres on this machine\n"
	if string(got) != want {
		t.Errorf("recorded %q, want %q", got, want)
	}
}

func TestRequired(t *testing.T) {
	for _, c := range []struct {
		asked string
		want  bool
	}{
		{"", false},
		{"all", true},
		{"postgresql", true},
		{"sshd, postgresql", true},
		{"sshd", false},
		{"postgres", false},
		{"all,-sshd", true},
		{"all,-postgresql", false},
	} {
		t.Setenv(testenv.RequireVar, c.asked)
		if got := testenv.Required("postgresql"); got != c.want {
			t.Errorf("with %s=%q Required is %v", testenv.RequireVar, c.asked, got)
		}
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	if _, err := testenv.Find("no-such-program-anywhere", "sh"); err != nil {
		t.Error(err)
	}
	_, err := testenv.Find("no-such-program-anywhere", "nor-this-one")
	if err == nil || !strings.Contains(err.Error(), "no-such-program-anywhere or nor-this-one") {
		t.Errorf("got %v", err)
	}
}

func TestRoot(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(filepath.Join(testenv.Root(t), "internal", "testenv")); err != nil {
		t.Error(err)
	}
}
