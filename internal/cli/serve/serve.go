package serve

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/cli/source"
	"github.com/tendhq/tend/internal/config"
	"github.com/tendhq/tend/internal/fault"
)

// ServeFlags are those of `tend serve`.
type ServeFlags struct {
	listen    string
	playbooks []string
	repos     []string
}

func (f *ServeFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.listen, "listen", "", "address to answer on (TEND_LISTEN; default: 127.0.0.1:8420)")
	c.Flags().StringArrayVar(&f.repos, "repo", nil, "repository with playbooks, as URL or URL#branch, in place of those in the file; can be given several times")
	c.Flags().StringArrayVar(&f.playbooks, "playbooks", nil, "directory with playbooks; can be given several times (TEND_PLAYBOOKS)")
}

// ServerFlags are the same, with what every command has.
func ServerFlags(p *frame.Process, f ServeFlags) config.ServerFlags {
	return config.ServerFlags{
		Flags: config.Flags{DataDir: p.Flags.DataDir, Config: p.Flags.Config}, Listen: f.listen, Playbooks: f.playbooks, Repos: f.repos,
	}
}

func (p commands) serveCommand() *cobra.Command {
	var f ServeFlags
	c := &cobra.Command{
		Use:     "serve",
		GroupID: frame.GroupServe,
		Short:   "Run the server: it owns the data directory, drives every run in it, and answers over HTTP",
		Long: "tend serve owns the data directory, drives every run in it, and answers on the socket there and over HTTP.\n\n" +
			"The configuration is the file of --config or TEND_SERVER_CONFIG, else tend/server.yaml in the XDG configuration directory,\n" +
			"else /etc/tend/server.yaml; all of it may be left out. `tend config check` reads it, docs/server.md explains it.\n\n" +
			"SIGTERM or Ctrl-C end it in order: nothing new begins, and what acts may end by itself (`drain`); a second signal stops that.",
		Args: frame.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := p.Here(c); err != nil {
				return err
			}
			conf, err := config.LoadServer(ServerFlags(p.Process, f), p.Getenv)
			if err != nil {
				return err
			}
			return p.serve(c.Context(), conf)
		},
	}
	f.register(c)
	return c
}

func (p commands) serve(ctx context.Context, conf *config.Server) error {
	signals := make(chan os.Signal, 2) // the first asks to end, the second to hurry
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	hurry, over := make(chan struct{}), make(chan struct{})
	defer close(over)
	go func() {
		for n := 0; n < 2; n++ {
			select {
			case <-over:
				return
			case sig := <-signals:
				if n == 0 {
					cancel(fmt.Errorf("signal: %s", sig))
				} else {
					close(hurry)
				}
			}
		}
	}()
	return app.Serve(ctx, app.ServeOptions{Config: conf, Getenv: p.Getenv, Log: p.Err, Hurry: hurry, Talk: p.Talk, Version: frame.ThisVersion().Version})
}

func (p commands) configCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "config",
		GroupID: frame.GroupServe,
		Short:   "Look at the configuration of the server",
		Args:    frame.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(p.configCheckCommand(), p.configPrintCommand())
	return c
}

func (p commands) configCheckCommand() *cobra.Command {
	var f ServeFlags
	var output string
	c := &cobra.Command{
		Use:   "check",
		Short: "Read the server's configuration and tell everything that is wrong with it",
		Args:  frame.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			conf, findings, err := config.CheckServer(ServerFlags(p.Process, f), p.Getenv)
			if err != nil {
				p.Complain(err)
			}
			if len(findings) > 0 {
				if err := source.ShowFindings(p.Process, output, findings, 1); err != nil {
					return err
				}
			}
			if err != nil || len(findings) > 0 {
				return frame.Exit(frame.ExitFindings)
			}
			name := conf.File
			if name == "" {
				name = "no file; defaults hold"
			}
			p.Talk("the configuration is right: %s", name)
			return nil
		},
	}
	f.register(c)
	c.Flags().StringVarP(&output, "output", "o", "", "text (default), json or sarif")
	return c
}

func (p commands) configPrintCommand() *cobra.Command {
	var f ServeFlags
	c := &cobra.Command{
		Use:   "print",
		Short: "Print what holds: defaults, file, variables and flags together",
		Args:  frame.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			conf, err := config.LoadServer(ServerFlags(p.Process, f), p.Getenv)
			if err != nil {
				return err
			}
			b, err := config.Print(conf)
			if err != nil {
				return fault.Wrap(fault.Internal, err, "print the configuration")
			}
			_, err = p.Out.Write(b)
			return err
		},
	}
	f.register(c)
	return c
}
