package cli

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/config"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/history"
	"github.com/tendhq/tend/internal/id"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store"
)

func (p *process) config() (*config.Config, error) {
	return config.Load(config.Flags{DataDir: p.flags.dataDir, Config: p.flags.config}, p.Getenv)
}

// look opens the data directory to look something up: for a moment, and without making it. What f prints comes out when
// the directory is free again: a pager that nobody scrolls must not keep others waiting. Where another process owns the
// directory it comes out at once.
func (p *process) look(ctx context.Context, f func(*app.Session) error) error {
	s, err := p.open(ctx, app.Options{Brief: true, Via: "terminal"})
	if err != nil {
		return err
	}
	if s.Remote != nil {
		return with(s, nil, func() error { return f(s) })
	}
	out, held := p.Out, new(bytes.Buffer)
	p.Out = held
	err = with(s, nil, func() error { return f(s) })
	p.Out = out
	if _, werr := p.Out.Write(held.Bytes()); err == nil {
		err = werr
	}
	return err
}

// nothingYet tells whether there is no data directory: then there is nothing to list, which is no mistake.
func (p *process) nothingYet() bool {
	if address, _, err := p.server(); err != nil || address != "" {
		return false
	}
	c, err := p.config()
	return err == nil && fault.Is(app.CheckDir(c.DataDir), fault.NotFound)
}

// act opens the data directory to drive runs.
func (p *process) act(ctx context.Context, command string) (*app.Session, error) {
	return p.open(ctx, app.Options{Command: command, Via: "terminal", MayMake: true})
}

func (p *process) open(ctx context.Context, o app.Options) (*app.Session, error) {
	c, err := p.config()
	if err != nil {
		return nil, err
	}
	o.Config, o.Getenv = c, p.Getenv
	if o.Server, o.Token, err = p.server(); err != nil {
		return nil, err
	}
	if o.Command == "" {
		o.Command = "tend"
	}
	return app.Open(ctx, o)
}

// with runs f over an open data directory and closes it. What f returns counts more than what closing does.
func with(s *app.Session, err error, f func() error) error {
	if err != nil {
		return err
	}
	ferr := f()
	if cerr := s.Close(); ferr == nil {
		return cerr
	}
	return ferr
}

// findRun finds the run that a person means: an id, a unique beginning of one, or `last`.
func findRun(ctx context.Context, s engine.Service, arg string) (store.Row, error) {
	return findRow(ctx, s, "run", arg, "tend runs list")
}

// findTask finds a task in the same way.
func findTask(ctx context.Context, s engine.Service, arg string) (store.Row, error) {
	return findRow(ctx, s, "task", arg, "tend inbox")
}

func findRow(ctx context.Context, s engine.Service, kind, arg, list string) (store.Row, error) {
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

// story reads a whole run.
func story(ctx context.Context, s engine.Service, row store.Row) (*history.Fold, *program.Program, error) {
	prog, err := s.Program(ctx, row.ID)
	if err != nil && !fault.Is(err, fault.Damaged) && !fault.Is(err, fault.Newer) {
		return nil, nil, err
	}
	fold := history.New(row.ID, prog)
	for from := uint64(1); ; {
		list, err := s.Entries(ctx, "run/"+row.ID, from, 1000)
		if fault.Is(err, fault.NotFound) && from > 1 {
			break
		}
		if row.Status == string(run.Quarantined) && (fault.Is(err, fault.Damaged) || fault.Is(err, fault.Newer)) {
			unreadable(fold.View(), row, err)
			break
		}
		if err != nil {
			return fold, prog, fmt.Errorf("read the run: %w", err)
		}
		for _, e := range list {
			fold.Add(e)
		}
		if len(list) < 1000 {
			break
		}
		from = list[len(list)-1].Seq + 1
	}
	var body engine.RunRow
	if decodeBody(row, &body) == nil {
		if err := app.Holders(ctx, s, body.Waits); err != nil {
			return fold, prog, err
		}
		fold.Told(row.Status, waits(body.Waits))
	}
	if row.Status == string(run.Quarantined) {
		return fold, prog, held(ctx, s, fold.View(), row.ID, body.Released)
	}
	return fold, prog, nil
}

// held tells what a quarantined run keeps from others, or who has freed that.
func held(ctx context.Context, s engine.Service, v *history.View, id string, by *engine.Freed) error {
	p, err := s.Rows(ctx, store.Filter{Kind: "lock", Parent: id, Limit: 1000, Oldest: true})
	for _, r := range p.Rows {
		v.Held = append(v.Held, r.ID)
	}
	v.Released = (*history.Freed)(by)
	return err
}

// unreadable tells of a run that is quarantined because its entries cannot be read what its row knows.
func unreadable(v *history.View, row store.Row, err error) {
	var body engine.RunRow
	if decodeBody(row, &body) == nil {
		v.By, v.Cause, v.Source, v.Started, v.Fault = body.By, body.Cause, body.Source, body.Started, body.Fault
	}
	v.Name, v.Status, v.Created = row.Name, row.Status, row.At
	if v.Ended = body.Ended; v.Ended.IsZero() {
		v.Ended = row.At // it is over, whenever that was
	}
	v.Remarks = append(v.Remarks, err.Error())
}

func waits(in []engine.Wait) []history.Wait {
	out := make([]history.Wait, len(in))
	for i, w := range in {
		out[i] = history.Wait(w)
	}
	return out
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
