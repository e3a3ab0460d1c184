package ssh_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gossh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
)

func mustSigner(t *testing.T) gossh.PublicKey {
	t.Helper()
	s, _ := newKey(t, "")
	return s.PublicKey()
}

func expect(t *testing.T, r action.Result, outcome action.Outcome, kind fault.Kind, says string) {
	t.Helper()
	if r.Outcome != outcome || r.Kind != kind || !strings.Contains(r.Message, says) {
		t.Errorf("ended %s %q (%s), not %s %q with %q", r.Outcome, r.Kind, r.Message, outcome, kind, says)
	}
}

func TestHostKeys(t *testing.T) {
	t.Parallel()
	s := startServer(t, nil)
	at := []string{knownhosts.Normalize(s.address)}
	other := knownhosts.Line(at, mustSigner(t))
	with := func(known string) action.Result {
		r, _ := run(t, t.Context(), s.request(map[string]any{"command": "true", "knownHosts": known}))
		return r
	}
	expect(t, with(other), action.NotStarted, fault.Auth, "is another one: it shows ssh-ed25519 "+gossh.FingerprintSHA256(s.signer.PublicKey()))
	expect(t, with("@revoked * "+strings.SplitN(s.known(), " ", 2)[1]), action.NotStarted, fault.Auth, "revoked")
	expect(t, with(other+"\n"+s.known()), action.Succeeded, "", "")
	expect(t, with(knownhosts.HashHostname(at[0])+" "+strings.SplitN(s.known(), " ", 2)[1]), action.Succeeded, "", "")
	file := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(file, []byte(s.known()+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	expect(t, with(file), action.Succeeded, "", "")
	req := s.request(map[string]any{"command": "true", "knownHosts": "known_hosts"})
	req.Dir = filepath.Dir(file)
	r, _ := run(t, t.Context(), req)
	expect(t, r, action.Succeeded, "", "")
}

func TestEgress(t *testing.T) {
	t.Parallel()
	s := startServer(t, nil)
	req := s.request(map[string]any{"command": "true"})
	req.Egress = action.Egress{}
	r, _ := run(t, t.Context(), req)
	expect(t, r, action.NotStarted, fault.Refused, "")
	// Nor through a jump host.
	req = s.request(map[string]any{"command": "true", "host": "169.254.169.254", "jump": []any{"ops@" + s.address}})
	r, _ = run(t, t.Context(), req)
	expect(t, r, action.NotStarted, fault.Refused, "")
}

func TestDrops(t *testing.T) {
	t.Parallel()
	t.Run("at the exec request", func(t *testing.T) {
		t.Parallel()
		s := startServer(t, func(s *server) { s.onExec = func(c *serverConn, _ string) bool { _ = c.Close(); return false } })
		r, _ := run(t, t.Context(), s.request(map[string]any{"command": "true"}))
		expect(t, r, action.NotStarted, fault.Lost, "before the command was sent")
	})
	t.Run("no commands", func(t *testing.T) {
		t.Parallel()
		s := startServer(t, func(s *server) { s.onExec = func(*serverConn, string) bool { return false } })
		r, _ := run(t, t.Context(), s.request(map[string]any{"command": "true"}))
		expect(t, r, action.NotStarted, fault.Refused, "runs no commands")
	})
	t.Run("while it runs", func(t *testing.T) {
		t.Parallel()
		s := startServer(t, nil)
		mark := filepath.Join(t.TempDir(), "mark")
		req := s.request(map[string]any{"script": `touch "$MARK"; sleep 5`})
		req.Env = map[string]any{"MARK": mark}
		go func() { await(t, "it runs", exists(mark)); s.drop() }()
		r, _ := run(t, t.Context(), req)
		expect(t, r, action.InDoubt, fault.Lost, "was lost while the command ran")
	})
	t.Run("no handshake", func(t *testing.T) {
		t.Parallel()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		s := startServer(t, nil)
		req := s.request(map[string]any{"command": "true", "host": l.Addr().String(), "connectTimeout": "300ms"})
		began := time.Now()
		r, _ := run(t, t.Context(), req)
		expect(t, r, action.NotStarted, fault.Timeout, "no answer within 300ms")
		if time.Since(began) > 5*time.Second {
			t.Error("it took too long")
		}
	})
	t.Run("closed at once", func(t *testing.T) {
		t.Parallel()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				_ = c.Close()
			}
		}()
		s := startServer(t, nil)
		r, _ := run(t, t.Context(), s.request(map[string]any{"command": "true", "host": l.Addr().String()}))
		expect(t, r, action.NotStarted, fault.Lost, "connect to ops@")
	})
	t.Run("silence, then cancel", func(t *testing.T) {
		t.Parallel()
		s := startServer(t, nil)
		mark := filepath.Join(t.TempDir(), "mark")
		req := s.request(map[string]any{"script": `touch "$MARK"; sleep 3`, "connectTimeout": "1s"})
		req.Env = map[string]any{"MARK": mark}
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			await(t, "it runs", exists(mark))
			s.mu.Lock()
			s.onExec = func(c *serverConn, _ string) bool { c.freeze(); return false }
			s.mu.Unlock()
			s.freeze()
			cancel()
		}()
		r, _ := run(t, ctx, req)
		expect(t, r, action.InDoubt, fault.Cancelled, "may still run: the host does not answer")
	})
	t.Run("one session only", func(t *testing.T) {
		t.Parallel()
		// The second session is refused; a second connection does it.
		s := startServer(t, func(s *server) { s.sessions = 1 })
		mark := filepath.Join(t.TempDir(), "mark")
		req := s.request(map[string]any{"script": `touch "$MARK"; sleep 300`})
		req.Env = map[string]any{"MARK": mark}
		ctx, cancel := context.WithCancel(t.Context())
		go func() { await(t, "it runs", exists(mark)); cancel() }()
		r, _ := run(t, ctx, req)
		expect(t, r, action.InDoubt, fault.Cancelled, "was ended")
	})
}

func TestShells(t *testing.T) {
	t.Parallel()
	t.Run("noise", func(t *testing.T) {
		t.Parallel()
		s := startServer(t, func(s *server) { s.noise = "Welcome!\nno end of line" })
		r, log := run(t, t.Context(), s.request(map[string]any{"command": "echo hello; echo there >&2"}))
		expect(t, r, action.Succeeded, "", "")
		if r.Output["stdout"] != "Welcome!\nno end of linehello\n" || r.Output["stderr"] != "Welcome!\nno end of linethere\n" {
			t.Errorf("%v\n%s", r.Output, log)
		}
	})
	t.Run("without bash", func(t *testing.T) {
		t.Parallel()
		s := startServer(t, func(s *server) { s.path = pathWithout(t, "bash") })
		r, _ := run(t, t.Context(), s.request(map[string]any{"command": `echo "${BASH_VERSION:-sh}"`}))
		expect(t, r, action.Succeeded, "", "")
		if r.Output["value"] != "sh" {
			t.Errorf("%v", r.Output)
		}
		r, _ = run(t, t.Context(), s.request(map[string]any{"command": "true", "shell": "bash"}))
		expect(t, r, action.NotStarted, fault.Missing, "no such shell")
	})
	t.Run("without grep", func(t *testing.T) {
		t.Parallel()
		s := startServer(t, func(s *server) { s.path = pathWithout(t, "grep", "ps") })
		mark := filepath.Join(t.TempDir(), "mark")
		req := s.request(map[string]any{"script": `touch "$MARK"; sleep 300`})
		req.Env = map[string]any{"MARK": mark}
		ctx, cancel := context.WithCancel(t.Context())
		go func() { await(t, "it runs", exists(mark)); cancel() }()
		r, _ := run(t, ctx, req)
		expect(t, r, action.InDoubt, fault.Cancelled, "was ended")
	})
	t.Run("no shell", func(t *testing.T) {
		t.Parallel()
		s := startServer(t, nil)
		s.onExec = func(_ *serverConn, _ string) bool { return true }
		r, _ := run(t, t.Context(), s.request(map[string]any{"command": "true", "shell": "sh"}))
		expect(t, r, action.Succeeded, "", "")
	})
}

func TestAgent(t *testing.T) {
	s := startServer(t, nil)
	ring := agent.NewKeyring()
	key, err := gossh.ParseRawPrivateKey([]byte(s.client))
	if err != nil {
		t.Fatal(err)
	}
	if err := ring.Add(agent.AddedKey{PrivateKey: key}); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "agent") // short: a socket's path may not be long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _ = agent.ServeAgent(ring, c) }()
		}
	}()
	t.Setenv("SSH_AUTH_SOCK", l.Addr().String())
	_, other := newKey(t, "")
	for name, c := range map[string]struct {
		more    map[string]any
		outcome action.Outcome
	}{
		"no key given":          {map[string]any{"privateKey": nil}, action.Succeeded},
		"agent and another key": {map[string]any{"privateKey": secret.New(other), "agent": true}, action.Succeeded},
		"another key alone":     {map[string]any{"privateKey": secret.New(other)}, action.NotStarted},
	} {
		c.more["command"] = "true"
		if r, _ := run(t, t.Context(), s.request(c.more)); r.Outcome != c.outcome {
			t.Errorf("%s: %+v", name, r)
		}
	}
	t.Setenv("SSH_AUTH_SOCK", "")
	r, _ := run(t, t.Context(), s.request(map[string]any{"command": "true", "privateKey": nil}))
	expect(t, r, action.NotStarted, fault.Missing, "SSH_AUTH_SOCK is not set")
}

func TestKeys(t *testing.T) {
	t.Parallel()
	s := startServer(t, nil)
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(s.client), 0o640); err != nil {
		t.Fatal(err)
	}
	r, _ := run(t, t.Context(), s.request(map[string]any{"command": "true", "privateKey": nil, "keyFile": file}))
	expect(t, r, action.NotStarted, fault.Refused, "chmod 600")
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	r, _ = run(t, t.Context(), s.request(map[string]any{"command": "true", "privateKey": nil, "keyFile": file}))
	expect(t, r, action.Succeeded, "", "")
	for name, text := range map[string]string{
		"breaks written out": strings.ReplaceAll(s.client, "\n", `\n`), "last break lost": strings.TrimSpace(s.client), "space around": "\n  " + s.client + "\n",
	} {
		if r, _ := run(t, t.Context(), s.request(map[string]any{"command": "true", "privateKey": secret.New(text)})); r.Outcome != action.Succeeded {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestSeveralHosts(t *testing.T) {
	t.Parallel()
	up := startServer(t, nil)
	down := "ops@127.0.0.1:1"
	at := "ops@" + up.address
	base := func(more map[string]any) action.Request {
		m := map[string]any{"host": nil, "command": "echo hello; echo there"}
		for k, v := range more {
			m[k] = v
		}
		return up.request(m)
	}
	count := func(r action.Result) string {
		return fmt.Sprintf("%v %v %v %v", r.Output["succeeded"], r.Output["failed"], r.Output["notStarted"], r.Output["inDoubt"])
	}
	t.Run("all", func(t *testing.T) {
		t.Parallel()
		r, log := run(t, t.Context(), base(map[string]any{"hosts": []any{at, at, at, at, at}, "parallel": int64(2)}))
		expect(t, r, action.Succeeded, "", "")
		if count(r) != "5 0 0 0" || !strings.HasPrefix(fmt.Sprint(r.Output["output"]), at+": hello\n"+at+": there\n") || !strings.Contains(log, "stdout: "+at+": hello\n") {
			t.Errorf("%v\n%s", r.Output, log)
		}
	})
	t.Run("one is down", func(t *testing.T) {
		t.Parallel()
		r, _ := run(t, t.Context(), base(map[string]any{"hosts": []any{at, down, at}}))
		expect(t, r, action.Failed, fault.Unreachable, "2 of 3 hosts succeeded, 0 failed, 1 did not start, 0 are in doubt. "+down)
		list, _ := r.Output["hosts"].([]any)
		second, _ := list[1].(map[string]any)
		if count(r) != "2 0 1 0" || second["host"] != down || second["outcome"] != "not-started" || second["kind"] != "unreachable" {
			t.Errorf("%v", r.Output)
		}
	})
	t.Run("all are down", func(t *testing.T) {
		t.Parallel()
		r, _ := run(t, t.Context(), base(map[string]any{"hosts": []any{down, down}}))
		expect(t, r, action.NotStarted, fault.Unreachable, "0 of 2")
	})
	t.Run("stop", func(t *testing.T) {
		t.Parallel()
		r, _ := run(t, t.Context(), base(map[string]any{"hosts": []any{at, down, at, at}, "parallel": int64(1), "onHostError": "stop"}))
		expect(t, r, action.Failed, fault.Unreachable, "")
		if count(r) != "1 0 3 0" {
			t.Errorf("%v", r.Output)
		}
	})
	t.Run("ignore", func(t *testing.T) {
		t.Parallel()
		r, _ := run(t, t.Context(), base(map[string]any{"hosts": []any{at, down}, "onHostError": "ignore"}))
		expect(t, r, action.Succeeded, "", "")
		r, _ = run(t, t.Context(), base(map[string]any{"hosts": []any{down}, "onHostError": "ignore"}))
		expect(t, r, action.NotStarted, fault.Unreachable, "")
	})
	t.Run("doubt is not ignored", func(t *testing.T) {
		t.Parallel()
		// Both servers take the same key; one of them goes away while the command runs.
		lost := startServer(t, func(s *server) { s.accept = up.client })
		mark := filepath.Join(t.TempDir(), "mark")
		req := base(map[string]any{
			"hosts": []any{at, "ops@" + lost.address}, "onHostError": "ignore", "command": `touch "$MARK"; sleep 2`,
			"knownHosts": up.known() + "\n" + lost.known() + "\n",
		})
		req.Env = map[string]any{"MARK": mark}
		go func() {
			await(t, "it runs on both", func() bool { return exists(mark)() && lost.ran() })
			lost.drop()
		}()
		r, _ := run(t, t.Context(), req)
		expect(t, r, action.InDoubt, fault.Lost, "1 of 2 hosts succeeded, 0 failed, 0 did not start, 1 are in doubt")
	})
	t.Run("nested jump", func(t *testing.T) {
		t.Parallel()
		r, _ := run(t, t.Context(), base(map[string]any{"hosts": []any{at}, "jump": []any{at, at}}))
		expect(t, r, action.Succeeded, "", "")
		r, _ = run(t, t.Context(), base(map[string]any{"hosts": []any{down}, "jump": []any{at}}))
		expect(t, r, action.NotStarted, fault.Unreachable, "the jump host cannot reach it")
		r, _ = run(t, t.Context(), base(map[string]any{"hosts": []any{at}, "jump": []any{down}}))
		expect(t, r, action.NotStarted, fault.Unreachable, down)
	})
}

// A private key that is kept as a secret of AWS is read by the aws program.
func TestAWSSecret(t *testing.T) {
	s := startServer(t, nil)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "key"), []byte(s.client), 0o600); err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\n" +
		`[ "$*" = "secretsmanager get-secret-value --secret-id=ops key --query SecretString --output text --region=eu-1" ] || { echo "not found: $*" >&2; exit 254; }` +
		"\ncat " + dir + "/key\n"
	if err := os.WriteFile(filepath.Join(dir, "aws"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	with := func(name string) action.Result {
		r, _ := run(t, t.Context(), s.request(map[string]any{"command": "true", "privateKey": nil, "awsSecret": name, "awsRegion": "eu-1"}))
		return r
	}
	expect(t, with("ops key"), action.Succeeded, "", "")
	expect(t, with("another"), action.NotStarted, fault.Missing, "aws could not read it: not found")
	t.Setenv("PATH", "/nowhere")
	expect(t, with("ops key"), action.NotStarted, fault.Missing, "the aws program is not there")
}
