package cli_test

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tendhq/tend/internal/action/process"
	"github.com/tendhq/tend/internal/testenv"
)

// TestOtherUserScripts runs testdata/otheruser/*.txtar: steps of a server that run as another user. It needs root to become
// one.
func TestOtherUserScripts(t *testing.T) {
	t.Parallel()
	testenv.Linux(t, "processes are looked at in /proc")
	_, err := process.Other("nobody")
	testenv.Need(t, "root", err)
	testscript.Run(t, params("testdata/otheruser"))
}
