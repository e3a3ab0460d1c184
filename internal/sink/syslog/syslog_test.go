package syslog_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/sink"
	"github.com/tendhq/tend/internal/sink/sinktest"
	"github.com/tendhq/tend/internal/sink/syslog"
)

// server takes messages.
type server struct {
	t       *testing.T
	network string
	address string
	config  *tls.Config

	mu     sync.Mutex
	got    []string
	closer []io.Closer
}

func (s *server) listen() {
	s.t.Helper()
	if s.network == "udp" || s.network == "unixgram" {
		c, err := net.ListenPacket(s.network, s.address)
		if err != nil {
			s.t.Fatal(err)
		}
		s.address = c.LocalAddr().String()
		s.keep(c)
		go func() {
			for b := make([]byte, 1<<16); ; {
				n, _, err := c.ReadFrom(b)
				if err != nil {
					return
				}
				s.add(string(b[:n]))
			}
		}()
		return
	}
	l, err := net.Listen("tcp", s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.address = l.Addr().String()
	s.keep(l)
	if s.config != nil {
		l = tls.NewListener(l, s.config)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.keep(c)
			go s.serve(c)
		}
	}()
}

// serve reads messages, each with its length before it.
func (s *server) serve(c net.Conn) {
	r := bufio.NewReader(c)
	for {
		length, err := r.ReadString(' ')
		if err != nil {
			return
		}
		n, err := strconv.Atoi(strings.TrimSuffix(length, " "))
		if err != nil {
			s.t.Errorf("a length of %q", length)
			return
		}
		b := make([]byte, n)
		if _, err := io.ReadFull(r, b); err != nil {
			return
		}
		s.add(string(b))
	}
}

func (s *server) keep(c io.Closer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closer = append(s.closer, c)
}

func (s *server) add(m string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, m)
}

func (s *server) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.closer {
		_ = c.Close()
	}
	s.closer = nil
	if s.network == "unixgram" {
		_ = os.Remove(s.address)
	}
}

// form is RFC 5424, with a facility of 13.
var form = regexp.MustCompile(`^<(1(?:08|10))>1 (\S+) \S+ tend \d+ (\S+) - (.*)$`)

func (s *server) wait(n int) []string {
	s.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; {
		s.mu.Lock()
		got := append([]string{}, s.got...)
		s.mu.Unlock()
		if len(got) >= n || time.Now().After(deadline) {
			for i, m := range got {
				parts := form.FindStringSubmatch(m)
				if parts == nil {
					s.t.Errorf("%q is not RFC 5424", m)
					continue
				}
				if at, err := time.Parse(time.RFC3339Nano, parts[2]); err != nil || at.Nanosecond() != 123456000 {
					s.t.Errorf("a time of %s", parts[2])
				}
				got[i] = parts[4]
			}
			return got
		}
		pause := time.NewTimer(time.Millisecond)
		<-pause.C
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	web := httptest.NewUnstartedServer(nil)
	web.StartTLS()
	t.Cleanup(web.Close)
	pool := x509.NewCertPool()
	pool.AddCert(web.Certificate())
	for _, scheme := range []string{"tcp", "tls", "udp", "unix"} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			sinktest.Test(t, func(t *testing.T) sinktest.Far {
				s := &server{t: t, network: scheme, address: "127.0.0.1:0"}
				var config *tls.Config
				switch scheme {
				case "unix":
					dir, err := os.MkdirTemp("", "s") // paths of sockets are short
					if err != nil {
						t.Fatal(err)
					}
					t.Cleanup(func() { _ = os.RemoveAll(dir) })
					s.network, s.address = "unixgram", filepath.Join(dir, "log")
				case "tls":
					s.config, config = web.TLS.Clone(), &tls.Config{RootCAs: pool, ServerName: "example.com"}
					s.config.NextProtos = nil
				}
				s.listen()
				t.Cleanup(s.close)
				out, err := syslog.New(scheme+"://"+s.address, config)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = out.Close() })
				return sinktest.Far{Sink: out, Got: s.wait, Break: s.close, Mend: s.listen}
			})
		})
	}
}

// TestLargeDatagram: a line that no datagram takes comes without its large parts, and says so.
func TestLargeDatagram(t *testing.T) {
	t.Parallel()
	s := &server{t: t, network: "udp", address: "127.0.0.1:0"}
	s.listen()
	defer s.close()
	out, err := syslog.New("udp://"+s.address, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	l := sinktest.Lines(1, 1)[0]
	l.Text = `{"hash":"abc","payload":{"x":"` + strings.Repeat("y", 100_000) + `"},"seq":1}`
	if err := out.Write(t.Context(), []sink.Line{l}); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(s.wait(1)[0]), &got); err != nil || got["cut"] != true || got["hash"] != "abc" || got["payload"] != nil {
		t.Errorf("%v, %v", got, err)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "localhost:514", "tcp://localhost", "http://x:1", "unix://host/dev/log", "unix:dev/log", "tcp://u:p@x:1", "tls://x:1/y", "udp://x:1?y=z", "tcp://%"} {
		if _, _, err := syslog.Parse(bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q is taken: %v", bad, err)
		}
	}
	for good, want := range map[string]string{"tcp://x:1": "tcp x:1", "tls://[::1]:6514": "tls [::1]:6514", "unix:///dev/log": "unixgram /dev/log", "udp://x:514/": "udp x:514"} {
		if n, a, err := syslog.Parse(good); err != nil || n+" "+a != want {
			t.Errorf("%q is %s %s, %v", good, n, a, err)
		}
	}
}
