package frame

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"

	"github.com/tendhq/tend/internal/directory"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/client"
	"github.com/tendhq/tend/internal/config"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/history"
	"github.com/tendhq/tend/internal/id"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/story"
)

// Config reads the configuration of commands.
func (p *Process) Config() (*config.Config, error) {
	return config.Load(config.Flags{DataDir: p.Flags.DataDir, Config: p.Flags.Config}, p.Getenv)
}

// Look opens the data directory to look something up: for a moment, and without making it. What f prints comes out when
// the directory is free again: a pager that nobody scrolls must not keep others waiting. Where another process owns the
// directory it comes out at once.
func (p *Process) Look(ctx context.Context, f func(*app.Session) error) error {
	s, err := p.Open(ctx, app.Options{Brief: true, Via: "terminal"})
	if err != nil {
		return err
	}
	if s.Remote != nil {
		return With(s, nil, func() error { return f(s) })
	}
	out, held := p.Out, new(bytes.Buffer)
	p.Out = held
	err = With(s, nil, func() error { return f(s) })
	p.Out = out
	if _, werr := p.Out.Write(held.Bytes()); err == nil {
		err = werr
	}
	return err
}

// NothingYet tells whether there is no data directory: then there is nothing to list, which is no mistake.
func (p *Process) NothingYet() bool {
	if address, _, err := p.Server(); err != nil || address != "" {
		return false
	}
	c, err := p.Config()
	return err == nil && fault.Is(directory.Check(c.DataDir), fault.NotFound)
}

// Act opens the data directory to drive runs.
func (p *Process) Act(ctx context.Context, command string) (*app.Session, error) {
	return p.Open(ctx, app.Options{Command: command, Via: "terminal", MayMake: true})
}

// Open opens the data directory, or asks the server that was named, as o says.
func (p *Process) Open(ctx context.Context, o app.Options) (*app.Session, error) {
	c, err := p.Config()
	if err != nil {
		return nil, err
	}
	o.Config, o.Getenv = c, p.Getenv
	if o.Server, o.Token, err = p.Server(); err != nil {
		return nil, err
	}
	if o.Command == "" {
		o.Command = "tend"
	}
	return app.Open(ctx, o)
}

// With runs f over an open data directory and closes it. What f returns counts more than what closing does.
func With(s *app.Session, err error, f func() error) error {
	if err != nil {
		return err
	}
	ferr := f()
	if cerr := s.Close(); ferr == nil {
		return cerr
	}
	return ferr
}

// FindRun finds the run that a person means: an id, a unique beginning of one, or `last`.
func FindRun(ctx context.Context, s engine.Service, arg string) (store.Row, error) {
	return FindRow(ctx, s, "run", arg, "tend runs list")
}

// FindTask finds a task in the same way.
func FindTask(ctx context.Context, s engine.Service, arg string) (store.Row, error) {
	return FindRow(ctx, s, "task", arg, "tend inbox")
}

// FindRow finds a row of a kind: by an id, a unique beginning of one, or `last`. list is the command that lists them.
func FindRow(ctx context.Context, s engine.Service, kind, arg, list string) (store.Row, error) {
	if arg == "last" {
		return last(ctx, s, kind)
	}
	short := kind // what ids begin with
	switch kind {
	case "event":
		short = "evt"
	case "incident":
		short = "inc"
	}
	prefix := arg
	if !strings.HasPrefix(prefix, short+"_") {
		prefix = short + "_" + prefix
	}
	f := store.Filter{Kind: kind, Prefix: prefix, Limit: 4}
	if id.Valid(short, prefix) {
		f = store.Filter{Kind: kind, ID: prefix, Limit: 1}
	}
	p, err := s.Rows(ctx, f)
	switch {
	case err != nil:
		return store.Row{}, err
	case len(p.Rows) == 1:
		return p.Rows[0], nil
	case len(p.Rows) == 0:
		return store.Row{}, fault.New(fault.NotFound, "there is no %s %q", kind, arg).WithNext("`%s` lists them", list)
	}
	var names []string
	for _, r := range p.Rows {
		names = append(names, r.ID)
	}
	return store.Row{}, fault.New(fault.Invalid, "%q is the beginning of several: %s", arg, strings.Join(names, ", ")).WithNext("write more of it")
}

// Read reads a whole run.
func Read(ctx context.Context, s engine.Service, row store.Row) (*history.Fold, *program.Program, error) {
	t, err := story.Read(ctx, s, row)
	if t == nil {
		return nil, nil, err
	}
	return t.Fold, t.Program, err
}

// last gives the newest row; of runs the newest that no other run called.
func last(ctx context.Context, s engine.Service, kind string) (store.Row, error) {
	for r, err := range store.All(ctx, s, store.Filter{Kind: kind, Limit: 20}) {
		if err != nil || kind != "run" || r.Parent == "" {
			return r, err
		}
	}
	return store.Row{}, fault.New(fault.NotFound, "there is no %s yet", kind)
}

// Ask calls f with the server that drives the data directory, or the one that is asked over the network.
func (p *Process) Ask(ctx context.Context, f func(*client.API) error) error {
	return p.Look(ctx, func(s *app.Session) error {
		api := s.API()
		if api == nil {
			return fault.New(fault.Unavailable, "no server drives this data directory").WithNext("start one with `tend serve`, or name one: --server")
		}
		return f(api)
	})
}

// Served runs f with a server that drives the data directory: events and incidents are its.
func (p *Process) Served(ctx context.Context, f func(*app.Session, *client.API) error) error {
	s, err := p.Open(ctx, app.Options{Brief: true, Via: "terminal"})
	return With(s, err, func() error {
		api := s.API()
		if api == nil {
			return fault.New(fault.Unavailable, "no server drives this data directory: events and incidents are a server's").WithNext("tend serve")
		}
		return f(s, api)
	})
}

// DecodeBody reads what a row holds.
func DecodeBody(r store.Row, v any) error {
	if len(r.Body) == 0 {
		return fault.New(fault.Damaged, "row %s is empty", r.ID)
	}
	return json.Unmarshal(r.Body, v)
}
