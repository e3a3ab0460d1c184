package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/cli/follow"
	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/cli/start"
	"github.com/tendhq/tend/internal/demo"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/history"
	"github.com/tendhq/tend/internal/terminal"
)

func (p commands) demoCommand() *cobra.Command {
	var all []*cobra.Command
	for _, s := range demo.Scenes() {
		var stay bool
		c := &cobra.Command{Use: s.Name, Short: s.Short, Long: s.Long, Args: frame.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
			return p.play(c.Context(), s, stay)
		}}
		if s.Server {
			c.Flags().BoolVar(&stay, "stay", false, "leave the server up until Ctrl-C")
		}
		all = append(all, c)
	}
	c := all[0]
	c.Use, c.GroupID = "demo", frame.GroupRun
	c.AddCommand(all[1:]...)
	return c
}

// play shows a demonstration, with a data directory of its own.
func (p commands) play(ctx context.Context, s demo.Scene, stay bool) error {
	dir, err := os.MkdirTemp("", "tend-demo-")
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "make a scratch directory")
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return err
	}
	inner := *p.Process
	if inner.Flags.DataDir == "" {
		inner.Flags.DataDir = filepath.Join(dir, "state")
	}
	stage := &demo.Stage{Tend: &player{&inner}, Dir: dir, Out: p.Out, Style: p.OutStyle}
	if stay {
		stage.Stay = func(ctx context.Context) {
			ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
			defer stop()
			<-ctx.Done()
		}
	}
	err = s.Play(stage, ctx)
	_, _ = fmt.Fprintf(p.Out, "\nEverything is in %s; `rm -rf %s` removes it.\n", dir, dir)
	if errors.Is(err, demo.ErrNotProven) {
		return frame.Exit(frame.ExitFailed)
	}
	return err
}

// player is this program in a demonstration. It implements demo.Tend.
type player struct{ *frame.Process }

func (p *player) Run(ctx context.Context, file string, params ...string) (demo.Run, error) {
	return p.ended(ctx, "last", start.RunPlaybook(ctx, p.Process, file, start.RunFlags{Pairs: params, Output: "text"}))
}

func (p *player) Alone(ctx context.Context, file string, params ...string) (demo.Run, error) {
	p.In = strings.NewReader("") // nobody is there
	r, err := start.Prepare(p.Process, file, start.RunFlags{Pairs: params, Output: "text"})
	if err != nil {
		return demo.Run{}, err
	}
	s, id, err := start.Start(ctx, r, func(ctx context.Context) (*app.Session, error) { return p.Act(ctx, "tend demo") })
	if err != nil {
		return demo.Run{}, err
	}
	return p.follow(ctx, s, id)
}

// follow shows a run until it is over, and closes the session. Nobody is there to be asked: others answer, or time does.
func (p *player) follow(ctx context.Context, s *app.Session, id string) (demo.Run, error) {
	w, err := follow.New(ctx, p.Process, s, id, true, false)
	if err != nil {
		return demo.Run{}, errors.Join(err, s.Close())
	}
	w.Patient = true
	w.Title(w.Fold.View().Name)
	if err = w.Watch(ctx); err == nil {
		err = w.Conclude(ctx, false)
	}
	if cerr := s.Close(); cerr != nil {
		return demo.Run{}, errors.Join(err, cerr)
	}
	return p.ended(ctx, id, err)
}

func (p *player) Last(ctx context.Context) (demo.Run, error) { return p.ended(ctx, "last", nil) }

func (p *player) Explain(ctx context.Context, id string) error {
	return p.Look(ctx, func(s *app.Session) error {
		row, err := frame.FindRun(ctx, s.Engine, id)
		if err != nil {
			return err
		}
		fold, _, err := frame.Read(ctx, s.Engine, row)
		if err == nil {
			_, err = fmt.Fprintln(p.Out, terminal.Clean(history.Explain(fold.View())))
		}
		return err
	})
}

func (p *player) Resume(ctx context.Context, id string) (demo.Run, error) {
	s, err := p.Act(ctx, "tend demo kill")
	if err != nil {
		return demo.Run{}, err
	}
	if _, err := s.Engine.Do(ctx, engine.Command{Verb: engine.Resume, Run: id, By: s.Me}); err != nil {
		return demo.Run{}, errors.Join(err, s.Close())
	}
	return p.ended(ctx, "last", follow.Drive(ctx, p.Process, s, id, false))
}

func (p *player) Program() ([]string, error) {
	self, err := app.Program()
	return []string{self, "--data-dir", p.Flags.DataDir}, fault.Wrap(fault.Unavailable, err, "find this program")
}

func (p *player) Command(args string) string {
	name := "tend"
	if self, err := os.Executable(); err == nil && strings.Contains(self, "go-build") {
		name = "go run ./cmd/tend"
	}
	return name + " --data-dir " + p.Flags.DataDir + " " + args
}

// ended tells how a run stands after a command that ended with err.
func (p *player) ended(ctx context.Context, id string, err error) (demo.Run, error) {
	var r demo.Run
	var exited *frame.ExitError
	if errors.As(err, &exited) {
		r.Code, err = exited.Code, nil
	}
	if err != nil {
		return r, err
	}
	err = p.Look(ctx, func(s *app.Session) error {
		row, err := frame.FindRun(ctx, s.Engine, id)
		if err != nil {
			return err
		}
		var body engine.RunRow
		err = frame.DecodeBody(row, &body)
		r.ID, r.Status, r.Undone = row.ID, row.Status, body.Undone
		return err
	})
	return r, err
}
