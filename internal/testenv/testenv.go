// Package testenv says what a test needs from the machine that it runs on: a server, a program, a right.
//
// A test whose need is not met is skipped with the reason, never silently: the skip is also written to the file that
// TEND_TEST_SKIPS names, so that `make test` ends with the list of what was not exercised and why. Where a skip would
// hide a hole, in CI, TEND_TEST_REQUIRE turns it into a failure: `all`, or a list such as `postgresql,sshd`.
package testenv

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// The variables that govern this package.
const (
	// RequireVar lists, between commas, the needs that must be met. `all` means every one, `-name` takes one out again: no
	// machine has both `root` and `no-root`.
	RequireVar = "TEND_TEST_REQUIRE"
	// SkipsVar names a file to which a line is appended for each skipped test: need, test, reason, between tabs.
	SkipsVar = "TEND_TEST_SKIPS"
	// CorpusVar names a directory with documents of the older dialect.
	CorpusVar = "TEND_CORPUS"
)

// Need skips the test when absent is not nil: that is the reason why the machine does not offer what. It fails the test
// instead when TEND_TEST_REQUIRE asks for it. What is a short name without spaces: postgresql, sshd, root.
func Need(t testing.TB, what string, absent error) {
	t.Helper()
	if absent == nil {
		return
	}
	if Required(what) {
		t.Fatalf("%s is required by %s=%s, but: %v", what, RequireVar, os.Getenv(RequireVar), absent)
	}
	record(t, what, absent)
	t.Skipf("needs %s: %v", what, absent)
}

// Program gives the path of the first of the named programs that is there, looked up in PATH and in the directories
// where servers are kept (/usr/sbin, /usr/local/sbin, Homebrew's). Without one the need what is not met.
func Program(t testing.TB, what string, names ...string) string {
	t.Helper()
	path, err := Find(names...)
	Need(t, what, err)
	return path
}

// Find looks a program up as Program does.
func Find(names ...string) (string, error) {
	for _, name := range names {
		if p, err := exec.LookPath(name); err == nil {
			return filepath.Abs(p)
		}
		for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/local/sbin", "/opt/homebrew/bin", "/opt/homebrew/sbin"} {
			if p, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
				return p, nil
			}
		}
	}
	return "", fmt.Errorf("no %s on this machine", strings.Join(names, " or "))
}

// Required tells whether TEND_TEST_REQUIRE asks for what.
func Required(what string) bool {
	want := strings.FieldsFunc(os.Getenv(RequireVar), func(r rune) bool { return r == ',' || r == ' ' })
	if slices.Contains(want, "-"+what) {
		return false
	}
	return slices.Contains(want, "all") || slices.Contains(want, what)
}

// Corpus gives the directory of real documents of the older dialect, which are not part of the repository.
func Corpus(t testing.TB) string {
	t.Helper()
	root := os.Getenv(CorpusVar)
	if root == "" {
		Need(t, "corpus", errors.New(CorpusVar+" is not set: no documents of the older dialect"))
	}
	return root
}

// Linux is a need of tests of what only Linux offers.
func Linux(t testing.TB, why string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		Need(t, "linux", errors.New(why))
	}
}

// Root gives the directory of the module, where scripts/ and examples/ stand: tests run in their package's directory,
// below it.
func Root(t testing.TB) string {
	t.Helper()
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for dir := wd; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatalf("no go.mod above %s", wd)
		}
	}
}

func record(t testing.TB, what string, absent error) {
	t.Helper()
	name := os.Getenv(SkipsVar)
	if name == "" {
		return
	}
	// One write of one short line with O_APPEND: packages that are tested at the same time do not mix theirs.
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatalf("record a skipped test: %v", err)
	}
	reason := strings.Join(strings.Fields(absent.Error()), " ")
	_, err = fmt.Fprintf(f, "%s\t%s\t%s\n", what, t.Name(), reason)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		t.Fatalf("record a skipped test in %s: %v", name, err)
	}
}
