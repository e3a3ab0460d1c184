package sshd_test

import (
	"os/exec"
	"strconv"
	"testing"

	"github.com/tendhq/tend/internal/testenv"
	"github.com/tendhq/tend/internal/testenv/sshd"
)

func TestServer(t *testing.T) {
	t.Parallel()
	s := sshd.Start(t, "MaxSessions=3")
	ssh := testenv.Program(t, "ssh", "ssh")
	out, err := exec.Command(ssh, "-F", "none", "-i", s.KeyFile, "-p", strconv.Itoa(s.Port), "-o", "BatchMode=yes",
		"-o", "UserKnownHostsFile="+s.KnownHosts, "-o", "StrictHostKeyChecking=yes", s.User+"@"+s.Host, "echo hello").CombinedOutput()
	if err != nil || string(out) != "hello\n" {
		t.Errorf("got %q, %v", out, err)
	}
}
