package proof_test

import (
	"fmt"
	"os"
	"syscall"
	"testing"

	"github.com/tendhq/tend/internal/testenv"
)

// tmpfs puts a small file system of its own over a directory.
func tmpfs(t *testing.T, dir string, mib int) {
	t.Helper()
	mount(t, syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm,mode=0700", mib)), dir)
}

// readOnly makes a directory one that nobody can write to, root included.
func readOnly(t *testing.T, dir string) {
	t.Helper()
	mount(t, syscall.Mount(dir, dir, "", syscall.MS_BIND, ""), dir)
	if err := syscall.Mount("", dir, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
}

func mount(t *testing.T, err error, dir string) {
	t.Helper()
	if err != nil && os.Geteuid() != 0 {
		err = fmt.Errorf("only root may mount: %w", err)
	}
	testenv.Need(t, "mount", err)
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}
