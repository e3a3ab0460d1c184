package app

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"time"

	"github.com/tendhq/tend/internal/audit"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/sink"
	"github.com/tendhq/tend/internal/sink/file"
	"github.com/tendhq/tend/internal/sink/otlp"
	"github.com/tendhq/tend/internal/sink/syslog"
)

// ship makes parts of the server of what the audit trail is shipped to. One more only looks at it: what it saw cannot go
// missing unnoticed.
func (s *server) ship(ctx context.Context, w *owned) error {
	c := s.Config.Audit
	targets := map[string]sink.Sink{"seen": nil}
	if c.File != "" {
		targets["file"] = file.New(c.File)
	}
	if c.Syslog != "" {
		out, err := syslog.New(c.Syslog, &tls.Config{MinVersion: tls.VersionTLS12})
		if err != nil {
			return err
		}
		targets["syslog"] = out
	}
	if c.OTLP.URL != "" {
		out := &otlp.Collector{URL: c.OTLP.URL, Service: "tend", Version: s.Version, Client: &http.Client{Timeout: 20 * time.Second}, Log: s.log}
		if name := c.OTLP.Token; name != "" {
			out.Token = func(ctx context.Context) (secret.Value, error) {
				f, err := w.secrets.Find(ctx, name)
				return f.Value, err
			}
		}
		targets["otlp"] = out
	}
	s.followers = map[string]*audit.Follower{}
	for name, out := range targets {
		f := &audit.Follower{Store: w.store, Ledger: w.desk.ledger, Name: name, Sink: out, Log: s.log}
		if out == nil {
			f.Take = s.counts(w, time.Now())
		}
		s.followers[name] = f
		s.parts = append(s.parts, part{name: "audit " + name, run: func(ctx context.Context) error {
			err := f.Run(ctx)
			if out != nil {
				err = errors.Join(err, out.Close())
			}
			return err
		}})
	}
	return s.tellTraces(ctx, w)
}
