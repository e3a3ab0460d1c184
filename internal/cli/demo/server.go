package demo

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/cli/follow"
	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/cli/start"
	"github.com/tendhq/tend/internal/client"
	"github.com/tendhq/tend/internal/config"
	"github.com/tendhq/tend/internal/demo"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/terminal"
)

// Present implements demo.Tend.
func (p *player) Present() bool { return terminal.IsTerminal(p.In) && p.ErrStyle.TTY }

// Start implements demo.Tend.
func (p *player) Start(ctx context.Context, file string, params ...string) (string, error) {
	r, err := start.Prepare(p.Process, file, start.RunFlags{Pairs: params, Output: "text"})
	if err != nil {
		return "", err
	}
	s, id, err := start.Start(ctx, r, func(ctx context.Context) (*app.Session, error) { return p.Act(ctx, "tend demo") })
	if err != nil {
		return "", err
	}
	return id, s.Close()
}

// Serve implements demo.Tend: what the environment says about servers is about others.
func (p *player) Serve(ctx context.Context, file string) (demo.Server, error) {
	conf, err := config.LoadServer(config.ServerFlags{Flags: config.Flags{DataDir: p.Flags.DataDir, Config: file}}, func(string) string { return "" })
	if err != nil {
		return nil, err
	}
	name := filepath.Join(filepath.Dir(file), "server.log")
	log, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "make %s", name)
	}
	ctx, stop := context.WithCancel(ctx)
	s := &demoServer{player: p, ended: make(chan struct{})}
	ready := make(chan string, 1) // one, so that nobody has to be there to hear it
	s.stop = func() {
		stop()
		<-s.ended
		_ = log.Close()
	}
	go func() {
		defer close(s.ended)
		err := app.Serve(ctx, app.ServeOptions{
			Config: conf, Getenv: p.Getenv, Log: log, OwnSteps: true, Version: frame.ThisVersion().Version,
			Ready: func(address string) { ready <- address },
			Talk:  func(string, ...any) {}, // the demonstration says what matters; a one-time token is not kept
		})
		if !errors.Is(err, context.Canceled) {
			s.err = err
		}
	}()
	select {
	case s.address = <-ready:
	case <-s.ended:
		stop()
		return nil, errors.Join(s.err, log.Close())
	}
	if s.session, err = p.Act(ctx, "tend demo"); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// demoServer is a server in this process. It implements demo.Server.
type demoServer struct {
	*player

	address string
	session *app.Session // of a client of it
	once    sync.Once
	stop    func()
	ended   chan struct{}
	err     error // of the server, once it has ended
}

func (s *demoServer) Address() string { return s.address }

func (s *demoServer) API() *client.API { return s.session.API() }

func (s *demoServer) Watch(ctx context.Context, run string) (demo.Run, error) {
	session, err := s.Act(ctx, "tend demo")
	if err != nil {
		return demo.Run{}, err
	}
	if err := begun(ctx, session, run); err != nil {
		return demo.Run{}, errors.Join(err, session.Close())
	}
	if s.Present() {
		return s.player.ended(ctx, run, follow.Drive(ctx, s.Process, session, run, false))
	}
	return s.follow(ctx, session, run)
}

// begun waits until a run is there: an event is answered when it is durable that the run begins, a moment before it does.
func begun(ctx context.Context, s *app.Session, run string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		_, err := frame.FindRun(ctx, s.Engine, run)
		if !fault.Is(err, fault.NotFound) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}

func (s *demoServer) Close() error {
	var err error
	s.once.Do(func() {
		if s.session != nil {
			err = s.session.Close()
		}
		s.stop()
		err = errors.Join(err, s.err)
	})
	return err
}
