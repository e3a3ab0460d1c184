package app_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/config"
)

// spoken is what a server says, for a test that waits for it.
type spoken struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *spoken) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *spoken) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// find waits for a pattern and gives its first group.
func (s *spoken) find(t *testing.T, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(20 * time.Second); ; {
		if m := re.FindStringSubmatch(s.String()); m != nil {
			return m[len(m)-1]
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("no %q in\n%s", pattern, s)
		}
	}
}

// serve runs a server until the test ends, or stop is called.
func serve(t *testing.T, c *config.Server, getenv func(string) string) (*spoken, func()) {
	t.Helper()
	log := new(spoken)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- app.Serve(ctx, app.ServeOptions{Config: c, Getenv: getenv, Log: log, Talk: func(string, ...any) {}})
	}()
	var once sync.Once
	stop := func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("serve: %v\n%s", err, log)
			}
		})
	}
	t.Cleanup(stop)
	return log, stop
}

func serverConfig(t *testing.T) *config.Server {
	t.Helper()
	c, err := config.LoadServer(config.ServerFlags{Flags: config.Flags{DataDir: scratch(t)}, Listen: "127.0.0.1:0"}, env("HOME", t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// pair writes a certificate with a serial number, and its key.
func pair(t *testing.T, dir string, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(serial), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	kb, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: kb}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTheCertificateIsReadAgain when its files change, and stays in use while they are broken.
func TestTheCertificateIsReadAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pair(t, dir, 1)
	c := serverConfig(t)
	c.TLS = config.TLS{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	log, _ := serve(t, c, env("HOME", t.TempDir()))
	address := strings.TrimPrefix(log.find(t, `"address":"(https://[^"]+)"`), "https://")
	serial := func() int64 {
		conn, err := (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}).DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		tc, _ := conn.(*tls.Conn)
		return tc.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	if got := serial(); got != 1 {
		t.Fatalf("serial %d", got)
	}
	if err := os.WriteFile(c.TLS.Key, []byte("half of a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	until := func(want int64, says string) {
		t.Helper()
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for late := time.After(20 * time.Second); ; {
			got := serial()
			if got == want && strings.Contains(log.String(), says) {
				return
			}
			if want == 1 && got != 1 {
				t.Fatalf("serial %d while the files are broken", got)
			}
			select {
			case <-tick.C:
			case <-late:
				t.Fatalf("serial %d, want %d, and %q in\n%s", got, want, says, log)
			}
		}
	}
	until(1, "the one before stays in use")
	pair(t, dir, 2)
	until(2, "was read again")
	h2 := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	resp, err := h2.Get("https://" + address + "/livez") //nolint:noctx // the test's own server
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	h2.CloseIdleConnections()
	if resp.ProtoMajor != 2 || resp.StatusCode != http.StatusOK {
		t.Errorf("%s %s", resp.Proto, resp.Status)
	}
	// Nothing but TLS is spoken.
	if resp, err := http.Get("http://" + address + "/livez"); err == nil { //nolint:noctx // it must not be answered
		b, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			t.Errorf("answered without TLS: %s", b)
		}
	}
}

// TestTheServiceManagerIsTold that the server is ready, lives, and ends.
func TestTheServiceManagerIsTold(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "n")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	log, stop := serve(t, serverConfig(t), env("HOME", t.TempDir(), "NOTIFY_SOCKET", name, "WATCHDOG_USEC", "40000"))
	log.find(t, `"msg":"serving"`)
	heard := func() string {
		t.Helper()
		b := make([]byte, 4096)
		if err := l.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		n, err := l.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
	if got := heard(); !strings.HasPrefix(got, "READY=1\nSTATUS=answers on http://127.0.0.1:") {
		t.Errorf("first %q", got)
	}
	for range 3 {
		if got := heard(); got != "WATCHDOG=1" {
			t.Errorf("then %q", got)
		}
	}
	stop()
	for got := heard(); ; got = heard() {
		if strings.HasPrefix(got, "STOPPING=1\n") && strings.Contains(got, "EXTEND_TIMEOUT_USEC=60000000") {
			break
		}
		if got != "WATCHDOG=1" {
			t.Fatalf("at the end %q", got)
		}
	}
}
