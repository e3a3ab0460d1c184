package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/action/process"
	"github.com/tendhq/tend/internal/audit"
	"github.com/tendhq/tend/internal/config"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/httpapi"
	"github.com/tendhq/tend/internal/identity"
	"github.com/tendhq/tend/internal/incident"
	"github.com/tendhq/tend/internal/store/sqlite"
	"github.com/tendhq/tend/internal/telemetry"
	"github.com/tendhq/tend/internal/web"
)

// ServeOptions say how a server runs.
type ServeOptions struct {
	Config *config.Server
	Getenv func(string) string
	// Log is where the server tells about itself.
	Log io.Writer
	// Talk tells the person who starts it what to do next, a line at a time.
	Talk func(format string, a ...any)
	// Version is what the server says about itself to others.
	Version string
	// Hurry, when closed, ends the wait for what acts at the end.
	Hurry <-chan struct{}
	// OwnSteps lets steps run on this machine as the user of the server. No configuration can say so: it is for a server that
	// somebody looks on at, in a directory of its own, and that ends with the command that started it.
	OwnSteps bool
	// Ready, when it is not nil, is told where the server answers.
	Ready func(address string)
}

// part is something that goes on beside the engine while a server serves.
type part struct {
	name string
	// run goes on until ctx ends; nil: the part only answers. An error ends the server.
	run func(ctx context.Context) error
	// mounts are its ways in.
	mounts []httpapi.Mount
	// ready tells why it cannot work; nil: it always can.
	ready func(ctx context.Context) error
}

// server is what a server has beside an owner.
type server struct {
	ServeOptions

	log       *slog.Logger
	people    *identity.Desk
	parts     []part
	followers map[string]*audit.Follower // of the audit trail, by what they ship to
	as        *process.User              // that steps on the server run as; nil: they are off
	setup     string                     // the one-time token of a first start, when it was made just now
	address   string                     // where it answers over the network
	metrics   *telemetry.Metrics
	kept      atomic.Pointer[sqlite.Store] // what lines of the log look their traces up in
}

// Serve becomes the owner of the data directory and drives everything in it, until ctx ends: then nothing new begins, and
// what acts may end by itself for a while. It answers on the socket in the directory and on the configured address.
func Serve(ctx context.Context, o ServeOptions) error {
	s := &server{ServeOptions: o, log: logger(o.Log, o.Config.Log), metrics: telemetry.NewMetrics(o.Version)}
	s.log = slog.New(telemetry.Log(s.log.Handler(), s.standing))
	if local := o.Config.LocalSteps; local != nil {
		var err error
		if s.as, err = process.Other(local.User); err != nil {
			return err
		}
	}
	l, address, err := s.listen()
	if err != nil {
		return err
	}
	defer l.Close()
	s.address = address
	session, err := Open(ctx, Options{
		Config: &o.Config.Config, Getenv: o.Getenv, Command: "tend serve", Via: "engine", MayMake: true, server: s,
	})
	if err != nil {
		return err
	}
	if session.Remote != nil {
		other := *session.Remote
		return errors.Join(session.Close(), fault.New(fault.Conflict, "process %d (%s) owns %s", other.PID, other.Command, session.Dir).
			WithNext("let it end, or give this server a data directory of its own: --data-dir"))
	}
	err = s.serve(ctx, session.own, l, address)
	// Whatever was to be said is said: the rest must not take longer than the drain did.
	return errors.Join(err, session.close(orderly))
}

// serve runs until ctx ends or a part fails, and drains.
func (s *server) serve(ctx context.Context, w *owned, l net.Listener, address string) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	work, done := context.WithCancel(context.WithoutCancel(ctx)) // parts end after the listener
	defer done()
	ended := make(chan error, len(s.parts)+1) // each tells once
	go func() { ended <- httpapi.Serve(ctx, l, w.handler) }()
	running := 1
	for _, p := range s.parts {
		if p.run == nil {
			continue
		}
		running++
		go func() { ended <- named(p.name, p.run(work)) }()
	}
	s.announce(w, address)
	if s.Ready != nil {
		s.Ready(address)
	}
	n := notifier{s.Getenv("NOTIFY_SOCKET")}
	n.tell(s.log, "READY=1\nSTATUS=answers on "+address)
	watch := n.watch(ctx, s.log, s.Getenv("WATCHDOG_USEC"), func(ctx context.Context) error {
		_, err := w.engine.Status(ctx)
		return err
	})
	var err error
	select {
	case <-ctx.Done():
	case err = <-ended:
		running--
		stop(err)
	}
	n.tell(s.log, fmt.Sprintf("STOPPING=1\nSTATUS=draining\nEXTEND_TIMEOUT_USEC=%d", (time.Duration(s.Config.Drain)+orderly).Microseconds()))
	<-watch
	s.log.Info("ending", "cause", context.Cause(ctx))
	w.api.close()
	done()
	for range running {
		err = errors.Join(err, <-ended)
	}
	s.drain(w)
	return err
}

func named(name string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}

// drain waits for what acts, at most as long as configured or until somebody is in a hurry.
func (s *server) drain(w *owned) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(s.Config.Drain))
	defer cancel()
	go func() {
		select {
		case <-s.Hurry:
			cancel()
		case <-ctx.Done():
		}
	}()
	if st, err := w.engine.Status(ctx); err == nil && st.InFlight > 0 {
		s.log.Info("waiting for what acts", "attempts", st.InFlight, "atMost", time.Duration(s.Config.Drain).String())
	}
	w.engine.Drain(ctx)
}

// listen takes the address before anything else: what cannot be had is told at once.
func (s *server) listen() (net.Listener, string, error) {
	c := s.Config
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", c.Listen)
	if err != nil {
		e := &fault.Error{Kind: fault.Unavailable, Message: "listen on " + c.Listen, Err: err}
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil, "", e.WithNext("another program has this port, perhaps a server that runs already: stop it, or choose another one with --listen")
		}
		return nil, "", e
	}
	scheme := "http"
	if c.TLS.Cert != "" {
		certs, err := loadPair(c.TLS.Cert, c.TLS.Key)
		if err != nil {
			return nil, "", errors.Join(err, l.Close())
		}
		scheme = "https"
		l = tls.NewListener(l, &tls.Config{GetCertificate: certs.get(s.log), MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}})
	}
	return l, scheme + "://" + l.Addr().String(), nil
}

// extend gives the interface what only a server has.
func (s *server) extend(ctx context.Context, c *httpapi.Config, w *owned) error {
	if err := s.openPeople(ctx, w); err != nil {
		return err
	}
	c.Gate, c.Roll, c.Log, c.Hosts = s.people, s.people, s.log, s.Config.Names()
	c.Backups, c.Answers = s.Config.Backups, answerBook{w.desk.ledger, w.key}
	c.Duties = func(p access.Principal) []string { return w.desk.duties.of(p.ID) }
	c.Reach = w.desk.reach
	c.Connected = (&connected{owned: w, conf: s.Config}).list
	c.Tracker = func(ctx context.Context, st *incident.State) string { return w.kept(ctx, s, st) }
	w.openChat(s)
	for _, p := range s.Config.Proxies {
		prefix, err := netip.ParsePrefix(p)
		if err != nil {
			return fault.Wrap(fault.Invalid, err, "read proxies")
		}
		c.Proxies = append(c.Proxies, prefix)
	}
	for _, p := range s.parts {
		c.Mounts = append(c.Mounts, p.mounts...)
	}
	c.Mounts = append(c.Mounts, httpapi.Mount{
		Method: http.MethodGet, Pattern: "/", Need: access.Need{Verb: access.Nothing},
		Handler: web.Handler("/v1/", "/auth/", "/docs/", "/hooks/", "/callbacks/", "/slack/", "/metrics/", "/debug/"),
	})
	c.Ready = func(ctx context.Context) error {
		if err := able(ctx, w.engine); err != nil {
			return err
		}
		var errs []error
		for _, p := range s.parts {
			if p.ready != nil {
				errs = append(errs, p.ready(ctx))
			}
		}
		return errors.Join(errs...)
	}
	return nil
}

// able tells why an engine cannot take work.
func able(ctx context.Context, e *engine.Engine) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 5*time.Second, fault.New(fault.Unavailable, "the engine does not answer"))
	defer cancel()
	st, err := e.Status(ctx)
	if err == nil && st.Halted != "" {
		err = fault.New(fault.Unavailable, "halted: %s", st.Halted).WithNext("look at the open runs, then `tend unhalt`")
	}
	return err
}

// announce tells the person who started it where it is.
func (s *server) announce(w *owned, address string) {
	s.log.Info("serving", "address", address, "dataDir", w.dir, "socket", w.socket, "config", s.Config.File)
	s.Talk("tend answers on %s, and on %s", address, w.socket)
	if s.setup != "" {
		s.Talk("the first to sign on is admin, by the one-time token %s", s.setup)
		s.Talk("it is shown this once: tend login --server %s", address)
	}
}

// logger makes the server's log.
func logger(out io.Writer, c config.Log) *slog.Logger {
	var level slog.Level
	if level.UnmarshalText([]byte(strings.ToUpper(c.Level))) != nil {
		level = slog.LevelInfo // config checks it
	}
	o := &slog.HandlerOptions{Level: level}
	if c.Format == "text" {
		return slog.New(slog.NewTextHandler(out, o))
	}
	return slog.New(slog.NewJSONHandler(out, o))
}
