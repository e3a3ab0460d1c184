package cli_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tendhq/tend/internal/testenv"
)

// TestPrivilegedScripts runs testdata/privileged/*.txtar: what happens on a full or read-only file system and in another
// user's directory. It needs root to make those.
func TestPrivilegedScripts(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "mounts", mounts(t.TempDir()))
	p := params("testdata/privileged")
	set := p.Setup
	p.Setup = func(e *testscript.Env) error {
		e.Defer(func() {
			for _, dir := range []string{"small", "frozen"} {
				_ = exec.Command("umount", filepath.Join(e.WorkDir, dir)).Run()
			}
		})
		return set(e)
	}
	testscript.Run(t, p)
}

// mounts tells why file systems cannot be mounted here.
func mounts(dir string) error {
	if runtime.GOOS != "linux" {
		return fmt.Errorf("mounts are tested on Linux")
	}
	if os.Geteuid() != 0 {
		return errors.New("not root")
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", dir).CombinedOutput(); err != nil {
		return fmt.Errorf("mount: %s", out)
	}
	return exec.Command("umount", dir).Run()
}
