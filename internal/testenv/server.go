package testenv

import (
	"bufio"
	"bytes"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// absentCode is with what a script ends when its server is not installed (EX_UNAVAILABLE).
const absentCode = 69

// Serve starts a server by the script of that name in scripts/, called with `run` and args, and gives what the script
// printed about it: lines NAME=VALUE. The server ends with the test, and also when the test process dies, because the
// script waits for the end of its standard input. A server that is not installed is the unmet need what.
func Serve(t testing.TB, what, script string, args ...string) map[string]string {
	t.Helper()
	cmd := exec.Command(filepath.Join(Root(t), "scripts", script), append([]string{"run"}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start scripts/%s: %v", script, err)
	}
	end := func() error {
		_ = stdin.Close()
		return cmd.Wait()
	}
	type answer struct {
		facts map[string]string
		ready bool
	}
	answers := make(chan answer, 1)
	go func() {
		a := answer{facts: map[string]string{}}
		for lines := bufio.NewScanner(stdout); !a.ready && lines.Scan(); {
			name, v, _ := strings.Cut(lines.Text(), "=")
			a.facts[name] = v
			a.ready = name == "ready"
		}
		answers <- a
	}()
	var a answer
	select {
	case a = <-answers:
	case <-time.After(2 * time.Minute):
		_ = cmd.Process.Kill()
	}
	if !a.ready {
		err := end()
		var exit *exec.ExitError
		said := strings.TrimSpace(stderr.String())
		if errors.As(err, &exit) && exit.ExitCode() == absentCode {
			Need(t, what, errors.New(said))
		}
		t.Fatalf("scripts/%s started no server: %v\n%s", script, err, said)
	}
	t.Cleanup(func() {
		if err := end(); err != nil {
			t.Errorf("end scripts/%s: %v\n%s", script, err, stderr.String())
		}
	})
	return a.facts
}

// Fact gives one of the facts that Serve gave, and fails the test if it is not there.
func Fact(t testing.TB, facts map[string]string, name string) string {
	t.Helper()
	v, ok := facts[name]
	if !ok {
		t.Fatalf("the script of the server did not tell %s", name)
	}
	return v
}
