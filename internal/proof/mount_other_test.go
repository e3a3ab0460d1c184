//go:build !linux

package proof_test

import (
	"errors"
	"testing"

	"github.com/tendhq/tend/internal/testenv"
)

func tmpfs(t *testing.T, _ string, _ int) {
	t.Helper()
	testenv.Need(t, "mount", errors.New("a small file system is made on Linux only"))
}

func readOnly(t *testing.T, _ string) {
	t.Helper()
	testenv.Need(t, "mount", errors.New("a file system is mounted on Linux only"))
}
