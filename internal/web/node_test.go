package web_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/testenv"
)

// machine is a checkout with scripts/node, on a machine that has the given programs beside those of a system.
type machine struct{ root, bin string }

func newMachine(t *testing.T, programs map[string]string) machine {
	t.Helper()
	testenv.Program(t, "bash", "bash")
	m := machine{root: t.TempDir(), bin: t.TempDir()}
	for name, mode := range map[string]os.FileMode{"scripts/node": 0o755, "web/package.json": 0o644} {
		b, err := os.ReadFile(filepath.Join(testenv.Root(t), name))
		if err != nil {
			t.Fatal(err)
		}
		m.put(t, filepath.Join(m.root, name), string(b), mode)
	}
	for _, name := range []string{"bash", "sh", "env", "awk", "sed", "head", "cut", "cat", "dirname", "uname", "mkdir", "mktemp", "mv", "rm", "tar", "sha256sum", "gzip"} {
		if p, err := exec.LookPath(name); err == nil {
			if err := os.Symlink(p, filepath.Join(m.bin, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, text := range programs {
		m.put(t, filepath.Join(m.bin, name), "#!/bin/sh\n"+text+"\n", 0o755)
	}
	return m
}

func (m machine) put(t *testing.T, name, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// run runs scripts/node, and gives all that it says.
func (m machine) run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(m.root, "scripts", "node"), args...)
	cmd.Env, cmd.Dir = []string{"PATH=" + m.bin}, m.root
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestTheNodeOfThePage: scripts/node takes one that is new enough, and says of another what is wrong.
func TestTheNodeOfThePage(t *testing.T) {
	t.Parallel()
	for version, good := range map[string]bool{
		"18.20.4": false, "20.18.3": false, "20.19.0": true, "20.20.2": true, "21.7.3": false, "22.12.0": false, "22.13.0": true, "23.11.0": false, "24.0.0": true,
		"26.12.1": true,
	} {
		m := newMachine(t, map[string]string{"node": "echo v" + version})
		out, err := m.run(t, "--where")
		switch {
		case good && (err != nil || strings.TrimSpace(out) != m.bin):
			t.Errorf("%s was refused: %v %s", version, err, out)
		case !good && (err == nil || !strings.Contains(out, "here is Node "+version+" at "+m.bin+"/node") || !strings.Contains(out, "^20.19.0 ||") || !strings.Contains(out, "scripts/node --install")):
			t.Errorf("%s was taken, or its message does not help: %v %s", version, err, out)
		}
	}
	if out, err := newMachine(t, nil).run(t, "true"); err == nil || !strings.Contains(out, "no Node at all") {
		t.Errorf("without any: %v %s", err, out)
	}
	if out, err := newMachine(t, map[string]string{"node": "exit 127"}).run(t, "true"); err == nil || !strings.Contains(out, "that does not run") {
		t.Errorf("with one that does not run: %v %s", err, out)
	}
}

// TestTheNodeOfThisCheckout is used where the one of the machine is too old, by all that is started.
func TestTheNodeOfThisCheckout(t *testing.T) {
	t.Parallel()
	m := newMachine(t, map[string]string{"node": "echo v18.20.4", "npm": "echo must not be asked; exit 1"})
	m.put(t, filepath.Join(m.root, "bin", "node", "node"), "#!/bin/sh\necho v24.21.0\n", 0o755)
	for _, args := range [][]string{{"node", "--version"}, {"sh", "-c", "node --version"}} {
		if out, err := m.run(t, args...); err != nil || out != "v24.21.0\n" {
			t.Errorf("%v: %v %s", args, err, out)
		}
	}
	if out, err := m.run(t, "--install"); err != nil || strings.TrimSpace(out) != filepath.Join(m.root, "bin", "node") {
		t.Errorf("%v %s", err, out)
	}
	if _, err := m.run(t, "sh", "-c", "exit 3"); err == nil || err.Error() != "exit status 3" {
		t.Errorf("the end of the command is lost: %v", err)
	}
}

// TestAnotherNodeIsNotInstalled: what the registry gives is compared with what it was, before it is unpacked or run.
func TestAnotherNodeIsNotInstalled(t *testing.T) {
	t.Parallel()
	testenv.Linux(t, "a Node is installed on Linux only")
	m := newMachine(t, map[string]string{"npm": `echo "$@" >"$0.asked"; echo planted >node-linux.tgz`})
	out, err := m.run(t, "--install")
	if err == nil || !strings.Contains(out, "is not what it was") || !strings.Contains(out, "It was not installed") {
		t.Errorf("%v %s", err, out)
	}
	asked, err := os.ReadFile(filepath.Join(m.bin, "npm.asked"))
	if err != nil || !strings.HasPrefix(string(asked), "pack ") || !strings.Contains(string(asked), "node-linux-") {
		t.Errorf("%v %s", err, asked)
	}
	if left, err := filepath.Glob(filepath.Join(m.root, "bin", "*")); err != nil || len(left) != 0 {
		t.Errorf("it left %v", left)
	}
	if out, err := newMachine(t, nil).run(t, "--install"); err == nil || !strings.Contains(out, "there is no npm here") {
		t.Errorf("%v %s", err, out)
	}
}
