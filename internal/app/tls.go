package app

import (
	"crypto/tls"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/tendhq/tend/internal/fault"
)

// pair is a certificate and its key in two files, which are read again when one of them changes.
type pair struct {
	certFile, keyFile string

	mu      sync.Mutex
	cert    *tls.Certificate
	stamp   [2]stamp
	checked time.Time
}

// stamp tells one state of a file from another.
type stamp struct {
	at   time.Time
	size int64
}

// recheck is how long a certificate is used before its files are looked at again.
const recheck = time.Second

func loadPair(certFile, keyFile string) (*pair, error) {
	p := &pair{certFile: certFile, keyFile: keyFile}
	return p, p.load()
}

func (p *pair) stamps() (s [2]stamp) {
	for i, name := range []string{p.certFile, p.keyFile} {
		if info, err := os.Stat(name); err == nil {
			s[i] = stamp{info.ModTime(), info.Size()}
		}
	}
	return s
}

func (p *pair) load() error {
	s := p.stamps()
	cert, err := tls.LoadX509KeyPair(p.certFile, p.keyFile)
	if err != nil {
		return fault.Wrap(fault.TLS, err, "read the certificate %s and its key", p.certFile)
	}
	p.cert, p.stamp, p.checked = &cert, s, now()
	return nil
}

// get gives the certificate for a connection. Files that cannot be read leave the one that is there in use: half of them
// may have been replaced just now.
func (p *pair) get(log *slog.Logger) func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if now().Sub(p.checked) < recheck {
			return p.cert, nil
		}
		p.checked = now()
		if p.stamps() == p.stamp {
			return p.cert, nil
		}
		if err := p.load(); err != nil {
			log.Error("the certificate changed and cannot be read; the one before stays in use", "error", err)
			return p.cert, nil
		}
		log.Info("the certificate was read again", "file", p.certFile)
		return p.cert, nil
	}
}
