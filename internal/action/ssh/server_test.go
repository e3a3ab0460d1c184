package ssh_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/secret"
)

// server is an SSH server inside the test, which can do what a good one never would. It runs commands as OpenSSH does:
// by a shell, in a session of their own.
type server struct {
	t       *testing.T
	signer  ssh.Signer
	client  string // private key that may log in
	address string

	// onExec judges a request to run a command: what to do before it runs. Nil runs it.
	onExec   func(c *serverConn, command string) bool
	sessions int    // that may be opened on one connection; 0 is no limit
	noise    string // printed to both streams before every command
	path     string // PATH of the commands
	accept   string // private key that may log in, in place of a new one

	mu    sync.Mutex
	begun bool // a command read what it is to do
	conns []*serverConn
	wg    sync.WaitGroup
}

type serverConn struct {
	net.Conn
	mu     sync.Mutex
	frozen chan struct{} // closed when it freezes
	opened int
}

// freeze makes the network under the connection swallow everything.
func (c *serverConn) freeze() {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.frozen:
	default:
		close(c.frozen)
	}
}

func (c *serverConn) isFrozen() bool {
	select {
	case <-c.frozen:
		return true
	default:
		return false
	}
}

func (c *serverConn) Write(p []byte) (int, error) {
	if c.isFrozen() {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

func newKey(t *testing.T, passphrase string) (ssh.Signer, string) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	var block *pem.Block
	if passphrase == "" {
		block, err = ssh.MarshalPrivateKey(key, "test")
	} else {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "test", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	return s, string(pem.EncodeToMemory(block))
}

func startServer(t *testing.T, change func(s *server)) *server {
	t.Helper()
	s := &server{t: t, path: os.Getenv("PATH")}
	s.signer, _ = newKey(t, "")
	user, text := newKey(t, "")
	s.client = text
	if change != nil {
		change(s)
	}
	if s.accept != "" {
		key, err := ssh.ParsePrivateKey([]byte(s.accept))
		if err != nil {
			t.Fatal(err)
		}
		s.client, user = s.accept, key
	}
	cfg := &ssh.ServerConfig{PublicKeyCallback: func(m ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if m.User() == "ops" && string(key.Marshal()) == string(user.PublicKey().Marshal()) {
			return nil, nil
		}
		return nil, errors.New("not you")
	}}
	cfg.AddHostKey(s.signer)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = l.Addr().String()
	s.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			sc := &serverConn{Conn: c, frozen: make(chan struct{})}
			s.mu.Lock()
			s.conns = append(s.conns, sc)
			s.mu.Unlock()
			s.wg.Go(func() { s.serve(sc, cfg) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		s.drop()
		s.wg.Wait()
	})
	return s
}

// drop closes every connection.
func (s *server) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		_ = c.Conn.Close()
	}
}

// ran tells whether a command was begun.
func (s *server) ran() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.begun
}

func (s *server) freeze() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		c.freeze()
	}
}

func (s *server) serve(c *serverConn, cfg *ssh.ServerConfig) {
	conn, chans, reqs, err := ssh.NewServerConn(c, cfg)
	if err != nil {
		_ = c.Close()
		return
	}
	defer func() { _ = conn.Close() }()
	go ssh.DiscardRequests(reqs)
	for n := range chans {
		switch n.ChannelType() {
		case "session":
			c.mu.Lock()
			c.opened++
			refuse := s.sessions > 0 && c.opened > s.sessions
			c.mu.Unlock()
			if refuse {
				_ = n.Reject(ssh.Prohibited, "open failed")
				continue
			}
			ch, reqs, err := n.Accept()
			if err == nil {
				s.wg.Go(func() { s.session(c, ch, reqs) })
			}
		case "direct-tcpip":
			s.forward(n)
		default:
			_ = n.Reject(ssh.UnknownChannelType, "no")
		}
	}
}

func (s *server) forward(n ssh.NewChannel) {
	var to struct {
		Host     string
		Port     uint32
		From     string
		FromPort uint32
	}
	if err := ssh.Unmarshal(n.ExtraData(), &to); err != nil {
		_ = n.Reject(ssh.ConnectionFailed, "bad request")
		return
	}
	c, err := net.Dial("tcp", net.JoinHostPort(to.Host, fmt.Sprint(to.Port)))
	if err != nil {
		_ = n.Reject(ssh.ConnectionFailed, "Connection refused")
		return
	}
	ch, reqs, err := n.Accept()
	if err != nil {
		_ = c.Close()
		return
	}
	go ssh.DiscardRequests(reqs)
	s.wg.Go(func() { _, _ = io.Copy(c, ch); _ = c.Close() })
	s.wg.Go(func() { _, _ = io.Copy(ch, c); _ = ch.Close() })
}

func (s *server) session(c *serverConn, ch ssh.Channel, reqs <-chan *ssh.Request) {
	var cmd *exec.Cmd
	for r := range reqs {
		switch r.Type {
		case "exec":
			var m struct{ Command string }
			if err := ssh.Unmarshal(r.Payload, &m); err != nil || s.onExec != nil && !s.onExec(c, m.Command) {
				_ = r.Reply(false, nil)
				continue
			}
			cmd = exec.Command("/bin/sh", "-c", m.Command)
			cmd.Env = []string{"PATH=" + s.path, "HOME=" + os.TempDir()}
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
			in, err := cmd.StdinPipe()
			if err != nil {
				s.t.Error(err)
				return
			}
			// Pipes of our own: the end of the command is told at once, whoever holds its output.
			cmd.Stdout, cmd.Stderr = nil, nil
			outR, outW, err1 := os.Pipe()
			errR, errW, err2 := os.Pipe()
			if err := errors.Join(err1, err2); err != nil {
				s.t.Error(err)
				return
			}
			cmd.Stdout, cmd.Stderr = outW, errW
			_ = r.Reply(true, nil)
			_, _ = io.WriteString(ch, s.noise)
			_, _ = io.WriteString(ch.Stderr(), s.noise)
			if err := cmd.Start(); err != nil {
				s.t.Error(err)
				return
			}
			_, _ = outW.Close(), errW.Close()
			go func() {
				_, _ = io.Copy(in, ch)
				_ = in.Close()
				s.mu.Lock()
				defer s.mu.Unlock()
				s.begun = true // the client closes its end when it has sent everything
			}()
			var streams sync.WaitGroup
			streams.Go(func() { _, _ = io.Copy(ch, outR); _ = outR.Close() })
			streams.Go(func() { _, _ = io.Copy(ch.Stderr(), errR); _ = errR.Close() })
			go func() {
				_ = cmd.Wait()
				if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
					name := map[syscall.Signal]string{syscall.SIGTERM: "TERM", syscall.SIGKILL: "KILL", syscall.SIGSEGV: "SEGV"}[ws.Signal()]
					_, _ = ch.SendRequest("exit-signal", false, ssh.Marshal(struct {
						Signal string
						Core   bool
						Error  string
						Lang   string
					}{name, false, "", ""}))
				} else {
					_, _ = ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{uint32(cmd.ProcessState.ExitCode())}))
				}
				streams.Wait()
				_ = ch.Close()
			}()
		default:
			if r.WantReply {
				_ = r.Reply(false, nil)
			}
		}
	}
}

// known gives the line of known_hosts for the server.
func (s *server) known() string {
	return knownhosts.Line([]string{knownhosts.Normalize(s.address)}, s.signer.PublicKey())
}

// request gives one that reaches the server.
func (s *server) request(more map[string]any) action.Request {
	host, port, _ := net.SplitHostPort(s.address)
	in := map[string]any{
		"host": host, "port": number(port), "user": "ops", "privateKey": secret.New(s.client), "knownHosts": s.known(), "connectTimeout": "5s", "grace": "1s",
	}
	return request(in, more)
}

func request(in, more map[string]any) action.Request {
	for k, v := range more {
		if v == nil {
			delete(in, k)
			continue
		}
		in[k] = v
	}
	return action.Request{
		Run: "run_test", Step: "steps[0]", Attempt: 1, Key: "key", Action: "ssh", Effect: contract.Mutate, Inputs: in,
		Egress: action.Egress{Loopback: true, Private: true, All: true},
	}
}

func number(s string) int64 {
	var n int64
	_, _ = fmt.Sscan(s, &n)
	return n
}

// pathWithout gives a directory that has every program that the loader and killer need, but not those named.
func pathWithout(t *testing.T, absent ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, p := range []string{"sh", "bash", "grep", "sleep", "cat", "printf", "true", "touch", "ps", "env"} {
		if strings.Contains(" "+strings.Join(absent, " ")+" ", " "+p+" ") {
			continue
		}
		if full, err := exec.LookPath(p); err == nil {
			if err := os.Symlink(full, filepath.Join(dir, p)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}
