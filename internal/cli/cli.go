// Package cli is the command line: it reads arguments, asks the wiring (package app) or the owner of the data directory
// (package client) to do the work, and shows what came of it.
//
// Data goes to standard output, talk to standard error. Colours, prompts and live lines appear only where a person
// sits. Every error names the place, the value and the next step, and every exit code means one thing (see package frame).
package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/cli/audit"
	"github.com/tendhq/tend/internal/cli/backup"
	"github.com/tendhq/tend/internal/cli/demo"
	"github.com/tendhq/tend/internal/cli/doctor"
	"github.com/tendhq/tend/internal/cli/events"
	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/cli/govern"
	"github.com/tendhq/tend/internal/cli/inbox"
	"github.com/tendhq/tend/internal/cli/incidents"
	"github.com/tendhq/tend/internal/cli/people"
	"github.com/tendhq/tend/internal/cli/playbooks"
	"github.com/tendhq/tend/internal/cli/requests"
	"github.com/tendhq/tend/internal/cli/runs"
	"github.com/tendhq/tend/internal/cli/serve"
	"github.com/tendhq/tend/internal/cli/start"
	"github.com/tendhq/tend/internal/cli/write"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/terminal"
)

// Main runs the program of this process and gives its exit code. A bug ends in a sentence, not in a stack trace.
func Main() (code int) {
	defer func() {
		if r := recover(); r != nil {
			code = frame.ExitFailed
			crashed(os.Stderr, os.Args, r, debug.Stack())
		}
	}()
	app.Tune()
	// A reader that went away (`| head`) must not kill a process that may be in the middle of a mutation. Notify and not
	// Ignore: what is ignored would be so in every program that a step starts, too.
	gone := make(chan os.Signal, 1)
	signal.Notify(gone, syscall.SIGPIPE)
	return Run(context.Background(), os.Args[1:], frame.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv})
}

// Run executes one command line.
func Run(ctx context.Context, args []string, s frame.Streams) int {
	p := &frame.Process{Streams: s, Began: time.Now(), OutStyle: terminal.Detect(s.Out, s.Getenv), ErrStyle: terminal.Detect(s.Err, s.Getenv)}
	root := root(p)
	root.SetArgs(args)
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return frame.ExitOK
	}
	var done *frame.ExitError
	switch {
	case errors.As(err, &done):
		return done.Code
	case errors.Is(err, syscall.EPIPE):
		return frame.ExitFailed // whoever read it has seen enough
	}
	p.Complain(err)
	return frame.ExitCode(err)
}

func root(p *frame.Process) *cobra.Command {
	root := &cobra.Command{
		Use:   "tend",
		Short: "Reliability as code: run playbooks durably, and know what happened",
		Long: "tend runs playbooks: it finds, repairs, verifies and explains what goes wrong in production, asks a person where a\n" +
			"person must decide, and never repeats silently what may already have happened.",
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       strings.TrimPrefix(frame.VersionLine(), "tend "),
		Args:          frame.NoArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	f := root.PersistentFlags()
	f.StringVar(&p.Flags.DataDir, "data-dir", "", "directory that holds runs (TEND_DATA_DIR; default: tend in the XDG state directory)")
	f.StringVar(&p.Flags.Config, "config", "", "configuration file (TEND_CONFIG; default: tend/config.yaml in the XDG configuration directory)")
	f.StringVar(&p.Flags.Server, "server", "", "address of a server to ask instead of a data directory (TEND_SERVER)")
	f.BoolVarP(&p.Flags.Quiet, "quiet", "q", false, "say only what matters")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return fault.New(fault.Invalid, "%s: %s", c.CommandPath(), err).WithNext("see `%s --help`", c.CommandPath())
	})
	root.CompletionOptions.HiddenDefaultCmd = false
	root.AddGroup(
		&cobra.Group{ID: frame.GroupRun, Title: "Run playbooks and look at them:"},
		&cobra.Group{ID: frame.GroupServe, Title: "Serve a team:"},
		&cobra.Group{ID: frame.GroupWrite, Title: "Write playbooks:"},
		&cobra.Group{ID: frame.GroupKeep, Title: "Keep the house:"},
	)
	root.SetHelpCommandGroupID(frame.GroupKeep)
	root.SetCompletionCommandGroupID(frame.GroupKeep)
	for _, c := range commands(p) {
		root.AddCommand(c)
	}
	root.SetVersionTemplate("tend {{.Version}}\n")
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "completion":
			c.Args, c.RunE = frame.NoArgs, func(c *cobra.Command, _ []string) error { return c.Help() }
		case "help":
			show := c.Run
			c.Run, c.RunE = nil, func(c *cobra.Command, args []string) error {
				if found, rest, err := root.Find(args); found == nil || err != nil || len(rest) > 0 {
					return frame.NoArgs(found, rest)
				}
				show(c, args)
				return nil
			}
		}
	}
	grouping(root)
	return root
}

// grouping lets commands that only have others below them show their help, and refuse what is none of those.
func grouping(c *cobra.Command) {
	if c.HasSubCommands() && !c.Runnable() {
		c.Args, c.RunE = frame.NoArgs, func(c *cobra.Command, _ []string) error { return c.Help() }
	}
	for _, below := range c.Commands() {
		grouping(below)
	}
}

// commands is the one list of commands.
func commands(p *frame.Process) []*cobra.Command {
	return append(slices.Concat(
		demo.Commands(p), start.Commands(p), runs.Commands(p), inbox.Commands(p), events.Commands(p), incidents.Commands(p),
		serve.Commands(p), people.Commands(p), playbooks.Commands(p), requests.Commands(p), govern.Commands(p),
		write.Commands(p), doctor.Commands(p), audit.Commands(p), backup.Commands(p),
	), versionCommand(p))
}

// Streams are what a program is given by the one who starts it.
type Streams = frame.Streams

// What tests and others look at: see package frame.
const (
	ExitOK    = frame.ExitOK
	ExitUsage = frame.ExitUsage
)
