// Package sshd gives tests a real OpenSSH server on a loopback port, started by scripts/sshd, with keys of its own.
package sshd

import (
	"os"
	"strconv"
	"testing"

	"github.com/tendhq/tend/internal/testenv"
)

// Need is how the server is called in TEND_TEST_REQUIRE.
const Need = "sshd"

// Server is a running server. The user who runs the tests may log in with PrivateKey.
type Server struct {
	Host       string
	Port       int
	User       string
	PrivateKey string // the key itself, in OpenSSH's format
	KeyFile    string
	KnownHosts string // file with the server's host key
	Dir        string // its configuration and log
}

// Start starts a server with the given options of sshd_config ("Name=value"). It ends with the test. Without sshd on the
// machine the test is skipped.
func Start(t testing.TB, options ...string) *Server {
	t.Helper()
	facts := testenv.Serve(t, Need, "sshd", options...)
	port, err := strconv.Atoi(testenv.Fact(t, facts, "port"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(testenv.Fact(t, facts, "key"))
	if err != nil {
		t.Fatal(err)
	}
	return &Server{
		Host: testenv.Fact(t, facts, "host"), Port: port, User: testenv.Fact(t, facts, "user"), PrivateKey: string(key),
		KeyFile: testenv.Fact(t, facts, "key"), KnownHosts: testenv.Fact(t, facts, "known_hosts"), Dir: testenv.Fact(t, facts, "dir"),
	}
}
