// Package app is the wiring: the one place that picks implementations and joins them into a program.
//
// It knows the data directory with its lock and socket, and what an owner and a server are made of. One process owns a data
// directory at a time: Open becomes the owner, or a client of the process that is. A process that owns drives only what was
// asked of it since it started, and what other processes ask through its socket; it leaves nothing half told when it ends:
// what it drove shows as interrupted. Serve is the owner that drives everything and answers over the network too.
package app

import (
	"context"
	"errors"
	"fmt"
	"os/user"
	"strconv"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/client"
	"github.com/tendhq/tend/internal/config"
	"github.com/tendhq/tend/internal/directory"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/wire"
)

// House is what can be asked of a data directory besides its engine.
type House interface {
	Backup(ctx context.Context, path string) (wire.BackedUp, error)
	Verify(ctx context.Context) (wire.Verified, error)
	// MissingSecrets tells which of the named secrets cannot be found where the steps will run.
	MissingSecrets(ctx context.Context, names []string) ([]wire.Problem, error)
}

// Options say how to open a data directory.
type Options struct {
	Config  *config.Config
	Getenv  func(string) string
	Command string // how the owner file calls this process
	// Brief: this command only looks something up. Nobody becomes its client; whoever wants to run waits until it is gone.
	Brief bool
	// Observe: what would be changed is recorded, and not done.
	Observe bool
	Via     string // terminal, inbox or api
	// Server is the address of a server to ask instead of a data directory, and Token what it knows the asker by.
	Server, Token string
	// MayMake lets a missing data directory be made; otherwise it is an error.
	MayMake bool

	remote bool    // never become the owner: errFree when there is none
	server *server // nil: an owner that drives what it is asked to, and answers on the socket only
}

// Session is an open data directory: of this process, or of another one that answers.
type Session struct {
	Engine engine.Service
	House  House
	Me     entry.Who
	Dir    string
	Remote *directory.Owner // nil: this process owns the directory
	Server string           // address of the server that answers, where it is asked over the network

	own   *owned
	other *client.Client
}

// Open becomes the owner of the data directory, or a client of the process that is. Both are tried in turn until one
// works or the time for it is over: an owner may be starting or ending just now.
func Open(ctx context.Context, o Options) (*Session, error) {
	if o.Server != "" {
		c, err := client.Dial(o.Server, o.Token, o.Via)
		if err != nil {
			return nil, err
		}
		c = c.In(o.Getenv("TRACEPARENT"))
		return &Session{Engine: c, House: c, other: c, Server: o.Server, Remote: &directory.Owner{Command: "tend serve"}, Me: entry.Who{Via: o.Via}}, nil
	}
	dir := o.Config.DataDir
	check := directory.Check
	if o.MayMake {
		check = directory.Ensure
	}
	if err := check(dir); err != nil {
		return nil, err
	}
	me := UserName(-1)
	s := &Session{Dir: dir, Me: entry.Who{ID: "os:" + me, Name: me, Via: o.Via}}
	wait := time.Duration(o.Config.OwnerWait)
	began := time.Now()
	for pause := 2 * time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		l, err := directory.Take(dir)
		switch {
		case err == nil && o.remote:
			l.Release()
			return nil, errFree
		case err == nil:
			s.own, err = become(ctx, o, l)
			if err != nil {
				l.Release()
				return nil, err
			}
			s.Engine, s.House = s.own.api, s.own
			return s, nil
		}
		if !errors.Is(err, directory.ErrLocked) {
			return nil, err
		}
		left := wait - time.Since(began)
		owner, _ := directory.ReadOwner(dir)
		if left <= 0 {
			return nil, directory.Hung(dir, owner, wait)
		}
		if owner.Socket != "" && !owner.Brief {
			c := client.New(owner.Socket, o.Via).In(o.Getenv("TRACEPARENT"))
			err := answers(ctx, c, left)
			same, _ := directory.ReadOwner(dir)
			switch {
			case err == nil && !same.Same(owner):
				// Another one answered, which may be brief: look again.
			case err == nil:
				s.Engine, s.House, s.other, s.Remote = c, c, c, &owner
				return s, nil
			case ctx.Err() != nil:
				return nil, context.Cause(ctx)
			case !fault.Is(err, fault.Unavailable):
				return nil, err
			}
			c.Close()
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}

// API gives all that can be asked of another process; nil where this one owns the directory.
func (s *Session) API() *client.API {
	if s.other == nil {
		return nil
	}
	return s.other.API()
}

// Owner says who moves runs, where that is another process.
func (s *Session) Owner() string {
	switch {
	case s.Server != "":
		return "the server " + s.Server
	case s.Remote != nil:
		return fmt.Sprintf("process %d", s.Remote.PID)
	}
	return "this process"
}

// answers tells whether somebody behind the socket speaks within the time.
func answers(ctx context.Context, c *client.Client, within time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, within, fault.New(fault.Unavailable, "no answer"))
	defer cancel()
	_, err := c.Status(ctx)
	return err
}

// Close ends the session. An owner stops driving: what acts is stopped in order, and what still ran is interrupted.
func (s *Session) Close() error { return s.close(orderly) }

// Abandon is Close for somebody who does not want to wait for a step that takes its time to stop.
func (s *Session) Abandon() error { return s.close(hasty) }

func (s *Session) close(within time.Duration) error {
	if s.other != nil {
		s.other.Close()
	}
	if s.own != nil {
		return s.own.close(within)
	}
	return nil
}

// Settle waits while this process drives runs of other processes. talk is called once, before it waits, with what it
// waits for. When ctx ends it stops waiting.
func (s *Session) Settle(ctx context.Context, talk func(string)) error {
	if s.own == nil {
		return nil
	}
	said := false
	for {
		if done, err := s.own.api.retire(ctx, false); done || err != nil {
			return err
		}
		moving, err := s.own.api.moving(ctx, false)
		if err != nil {
			return err
		}
		if !said && len(moving) > 0 {
			said = true
			talk(fmt.Sprintf("this process still drives %s for others, and ends when that is over (Ctrl-C leaves it interrupted)", strings.Join(moving, ", ")))
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// UserName gives the name of a user id, or the id as text where nobody knows it. A negative id is the current user.
func UserName(uid int) string {
	if uid < 0 {
		if u, err := user.Current(); err == nil && u.Username != "" {
			return u.Username
		}
		return "unknown"
	}
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil && u.Username != "" {
		return u.Username
	}
	return "uid-" + strconv.Itoa(uid)
}
