package start

import (
	"context"
	"errors"
	"fmt"

	"github.com/tendhq/tend/internal/directory"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/fault"
)

// ownCommandName is the hidden command that a detached owner runs.
const ownCommandName = "own"

// detach starts the run in a process of its own, or in the one that owns the data directory already.
func detach(ctx context.Context, p *frame.Process, r *Request, f RunFlags) error {
	if f.step {
		return fault.New(fault.Invalid, "--step asks before every step, and --detach leaves nobody to ask").WithNext("leave one of them away")
	}
	s, id, err := Start(ctx, r, func(ctx context.Context) (*app.Session, error) {
		c, err := p.Config()
		if err != nil {
			return nil, err
		}
		address, token, err := p.Server()
		if err != nil {
			return nil, err
		}
		if address != "" {
			return app.Open(ctx, app.Options{Config: c, Getenv: p.Getenv, Via: "terminal", Server: address, Token: token})
		}
		if err := directory.Ensure(c.DataDir); err != nil {
			return nil, err
		}
		args := []string{ownCommandName, "--data-dir", c.DataDir}
		if c.File != "" {
			args = append(args, "--config", c.File)
		}
		return app.Detached(ctx, app.Options{Config: c, Getenv: p.Getenv, Via: "terminal", MayMake: true}, args)
	})
	if err != nil {
		return err
	}
	if f.Output == frame.AsJSON {
		err = p.Data(frame.AsJSON, map[string]string{"run": id})
	} else {
		_, err = fmt.Fprintln(p.Out, id)
		p.Talk("runs in the background: `tend runs watch %s` shows it", id)
	}
	return errors.Join(err, s.Close())
}

func (p commands) ownCommand() *cobra.Command {
	return &cobra.Command{
		Use:    ownCommandName,
		Short:  "Own the data directory until nothing in it can move",
		Hidden: true,
		Args:   frame.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := p.Act(c.Context(), "tend run --detach")
			if err != nil {
				return err
			}
			if s.Remote != nil {
				return s.Close() // another process was faster
			}
			ctx, stop := frame.Interruptible(c.Context())
			defer stop()
			err = s.Stay(ctx)
			if errors.Is(err, context.Canceled) {
				err = nil
			}
			return errors.Join(err, s.Close())
		},
	}
}
