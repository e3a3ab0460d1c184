// Package tend gives tests the real binary, built once for a package's tests, in a house of its own: a working directory,
// a home, a data directory and a temporary directory that nobody else uses.
//
// Whatever a test does with it, no command may crash: one whose output shows a Go panic or a goroutine fails the test.
package tend

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// BinaryVar names a binary that is to be tested instead of one that is built from the sources.
const BinaryVar = "TEND_TEST_BINARY"

// Patience is how long a command may take before the test gives it up.
const Patience = 90 * time.Second

// dirVar tells the tests of a process where their binary is built.
const dirVar = "TEND_TEST_BINARY_DIR"

// Main runs the tests of a package that uses the binary, and removes it at the end. It is the package's TestMain.
func Main(m *testing.M) {
	dir, err := os.MkdirTemp("", "tend-binary-")
	if err == nil {
		err = os.Setenv(dirVar, dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// Binary gives the path of the binary.
func Binary(t testing.TB) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// build builds the binary, once for all tests of a process: it takes seconds.
//
//nolint:gochecknoglobals // remembers what cannot change while the process lives
var build = sync.OnceValues(func() (string, error) {
	if path := os.Getenv(BinaryVar); path != "" {
		return filepath.Abs(path)
	}
	dir := os.Getenv(dirVar)
	if dir == "" {
		return "", errors.New("the package's TestMain does not call tend.Main")
	}
	path := filepath.Join(dir, "tend")
	if out, err := exec.Command("go", "build", "-o", path, "github.com/tendhq/tend/cmd/tend").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build tend: %w\n%s", err, out)
	}
	return path, nil
})

// House is a place for commands.
type House struct {
	Dir  string // working directory of the commands
	Data string // data directory
	Temp string // their temporary directory
	Home string

	t      testing.TB
	binary string
	env    []string
}

// New makes an empty house. It goes with the test.
func New(t testing.TB) *House {
	t.Helper()
	root := t.TempDir()
	h := &House{
		Dir: filepath.Join(root, "work"), Data: filepath.Join(root, "data"), Temp: filepath.Join(root, "tmp"), Home: filepath.Join(root, "home"),
		t: t, binary: Binary(t),
	}
	for _, d := range []string{h.Dir, h.Temp, h.Home} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	h.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + h.Home, "TMPDIR=" + h.Temp, "LANG=C.UTF-8", "TEND_DATA_DIR=" + h.Data,
		"XDG_STATE_HOME=" + h.Home + "/state", "XDG_CONFIG_HOME=" + h.Home + "/config", "XDG_RUNTIME_DIR=" + h.Temp,
	}
	return h
}

// Set gives all later commands an environment variable.
func (h *House) Set(name, value string) { h.env = append(h.env, name+"="+value) }

// Write puts a file into the working directory and gives its path.
func (h *House) Write(name, content string) string {
	h.t.Helper()
	path := filepath.Join(h.Dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		h.t.Fatal(err)
	}
	return path
}

// Command prepares a command.
func (h *House) Command(args ...string) *exec.Cmd {
	c := exec.Command(h.binary, args...)
	c.Dir, c.Env = h.Dir, h.env
	return c
}

// Result is what a command left.
type Result struct {
	Args []string
	Out  string
	Err  string
	Code int // -1: a signal ended it
	Took time.Duration
	Peak int64 // bytes of memory, at most; 0: the tests themselves had more, so that it cannot be told
}

// All is both outputs.
func (r Result) All() string { return r.Out + r.Err }

func (r Result) String() string {
	return fmt.Sprintf("tend %s: exit code %d\n%s%s", strings.Join(r.Args, " "), r.Code, r.Out, r.Err)
}

// Run runs a command to its end.
func (h *House) Run(args ...string) Result {
	h.t.Helper()
	return h.Wait(h.Command(args...))
}

// Wait runs a prepared command to its end.
func (h *House) Wait(c *exec.Cmd) Result {
	h.t.Helper()
	var out, errs bytes.Buffer
	if c.Stdout == nil {
		c.Stdout = &out
	}
	if c.Stderr == nil {
		c.Stderr = &errs
	}
	began := time.Now()
	if err := c.Start(); err != nil {
		h.t.Fatal(err)
	}
	late := time.AfterFunc(Patience, func() { _ = c.Process.Kill() })
	err := c.Wait()
	r := Result{Args: c.Args[1:], Out: out.String(), Err: errs.String(), Code: c.ProcessState.ExitCode(), Took: time.Since(began)}
	if u, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
		r.Peak = peak(u)
	}
	if !late.Stop() {
		h.t.Fatalf("it did not end within %s: %s", Patience, r)
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		h.t.Fatalf("%v: %s", err, r)
	}
	Calm(h.t, r.All())
	return r
}

var crash = regexp.MustCompile(`(?m)^(panic: |fatal error: |goroutine \d+ \[|runtime: )|this is a bug in tend`)

// Calm fails the test when a program's output shows that it crashed.
func Calm(t testing.TB, output string) {
	t.Helper()
	if m := crash.FindStringIndex(output); m != nil {
		t.Errorf("it crashed: %.2000s", output[m[0]:])
	}
}
