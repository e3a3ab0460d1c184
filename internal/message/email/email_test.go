package email_test

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/message"
	"github.com/tendhq/tend/internal/message/email"
	"github.com/tendhq/tend/internal/message/messagetest"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/testenv"
)

const password = "planted-mail-password"

// server is aiosmtpd: STARTTLS and a login are required.
type server struct {
	t           *testing.T
	mode, inbox string
}

func (s *server) Behave(m messagetest.Mode) {
	s.t.Helper()
	if err := os.WriteFile(s.mode, []byte(m), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

type letter struct {
	From    string
	To      []string
	Headers map[string]string
	Body    string
	TLS     bool
}

func (s *server) letters() []letter {
	s.t.Helper()
	b, err := os.ReadFile(s.inbox)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.t.Fatal(err)
	}
	var out []letter
	for lines := bufio.NewScanner(bytes.NewReader(b)); lines.Scan(); {
		var l letter
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			s.t.Fatal(err)
		}
		out = append(out, l)
	}
	return out
}

func (s *server) Arrived() []string {
	var out []string
	for _, l := range s.letters() {
		out = append(out, l.Headers["x-tend-message"])
	}
	return out
}

func certificate(t *testing.T, dir string) (cert, key string, roots *x509.CertPool) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, b := range map[string][]byte{cert: public, key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(public)
	return cert, key, roots
}

func open(t *testing.T, change func(*email.Config)) (*email.Sender, *server) {
	t.Helper()
	dir := t.TempDir()
	s := &server{t: t, mode: filepath.Join(dir, "mode"), inbox: filepath.Join(dir, "inbox")}
	s.Behave(messagetest.Good)
	cert, key, roots := certificate(t, dir)
	facts := testenv.Serve(t, "aiosmtpd", "smtpd", "mode="+s.mode, "inbox="+s.inbox, "user=tend", "password="+password, "cert="+cert, "key="+key)
	port, err := strconv.Atoi(testenv.Fact(t, facts, "port"))
	if err != nil {
		t.Fatal(err)
	}
	c := email.Config{
		Host: "127.0.0.1", Port: port, User: "tend", Password: secret.New(password), From: "tend <tend@example.org>", To: []string{"team@example.org"}, Roots: roots,
	}
	if change != nil {
		change(&c)
	}
	return email.New(c), s
}

func TestConformance(t *testing.T) {
	t.Parallel()
	messagetest.Run(t, messagetest.Suite{
		Open: func(t *testing.T) (message.Sender, messagetest.Stand) {
			t.Helper()
			return open(t, nil)
		},
		Away: func(t *testing.T) message.Sender {
			t.Helper()
			return email.New(email.Config{Host: "127.0.0.1", Port: 1, From: "tend@example.org", To: []string{"team@example.org"}})
		},
		Modes:   []messagetest.Mode{messagetest.Broken, messagetest.Deaf, messagetest.Cut, messagetest.Locked, messagetest.Wrong},
		Secrets: []string{password},
	})
}

// TestLetter: what arrives, that it is a reply where the story goes on, and that nobody read along.
func TestLetter(t *testing.T) {
	t.Parallel()
	s, stand := open(t, nil)
	first := s.Send(t.Context(), messagetest.Sample("msg_1"))
	if !first.OK() {
		t.Fatal(first.Why)
	}
	m := messagetest.Sample("msg_2")
	m.Title, m.First, m.To = "Ü: \r\nBcc: evil@example.org", first.Remote, []string{"alice@example.org", "bob@example.org"}
	if r := s.Send(t.Context(), m); !r.OK() {
		t.Fatal(r.Why)
	}
	got := stand.letters()
	a, b := got[0], got[1]
	if !a.TLS || a.From != "tend@example.org" || len(a.To) != 1 || a.Headers["subject"] != "Disk of db-1 is full" || a.Headers["auto-submitted"] != "auto-generated" {
		t.Errorf("%+v", a)
	}
	if b.Headers["in-reply-to"] != "<msg_1@example.org>" || b.Headers["bcc"] != "" || b.Headers["subject"] != "Ü: Bcc: evil@example.org" || len(b.To) != 2 {
		t.Errorf("%+v", b)
	}
	if !strings.HasPrefix(strings.ReplaceAll(a.Body, "\r", ""), "df says 99 %\n<!channel> & *friends*\n\nhost: db-1\n\nincident: https://") {
		t.Errorf("%q", a.Body)
	}
}

// TestOnlyTrusted: a server whose certificate is not trusted gets neither login nor mail.
func TestOnlyTrusted(t *testing.T) {
	t.Parallel()
	s, stand := open(t, func(c *email.Config) { c.Roots = x509.NewCertPool() })
	if r := s.Send(t.Context(), messagetest.Sample("msg_1")); r.Outcome != "not-started" || r.Kind != "tls" || len(stand.letters()) > 0 {
		t.Errorf("%+v", r)
	}
}
