// Package cli is the command line: it reads arguments, asks the wiring (package app) or the owner of the data directory
// (package client) to do the work, and shows what came of it.
//
// Data goes to standard output, talk to standard error. Colours, prompts and live lines appear only where a person
// sits. Every error names the place, the value and the next step, and every exit code means one thing (see exit.go).
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/terminal"
)

// Streams are what a program is given by the one who starts it.
type Streams struct {
	In     io.Reader
	Out    io.Writer
	Err    io.Writer
	Getenv func(string) string
}

// Main runs the program of this process and gives its exit code. A bug ends in a sentence, not in a stack trace.
func Main() (code int) {
	defer func() {
		if r := recover(); r != nil {
			code = ExitFailed
			crashed(os.Stderr, os.Args, r, debug.Stack())
		}
	}()
	app.Tune()
	// A reader that went away (`| head`) must not kill a process that may be in the middle of a mutation. Notify and not
	// Ignore: what is ignored would be so in every program that a step starts, too.
	gone := make(chan os.Signal, 1)
	signal.Notify(gone, syscall.SIGPIPE)
	return Run(context.Background(), os.Args[1:], Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv})
}

// Run executes one command line.
func Run(ctx context.Context, args []string, s Streams) int {
	p := &process{Streams: s, began: time.Now(), out: terminal.Detect(s.Out, s.Getenv), err: terminal.Detect(s.Err, s.Getenv)}
	root := p.root()
	root.SetArgs(args)
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return ExitOK
	}
	var done *exitError
	switch {
	case errors.As(err, &done):
		return done.code
	case errors.Is(err, syscall.EPIPE):
		return ExitFailed // whoever read it has seen enough
	}
	p.complain(err)
	return exitCode(err)
}

// process is one invocation.
type process struct {
	Streams

	began time.Time
	out   terminal.Style // of Out
	err   terminal.Style // of Err
	flags flags
}

// flags are the ones that every command has.
type flags struct {
	dataDir string
	config  string
	server  string
	quiet   bool
}

func (p *process) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "tend",
		Short: "Reliability as code: run playbooks durably, and know what happened",
		Long: "tend runs playbooks: it finds, repairs, verifies and explains what goes wrong in production, asks a person where a\n" +
			"person must decide, and never repeats silently what may already have happened.",
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       strings.TrimPrefix(versionLine(), "tend "),
		Args:          noArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	f := root.PersistentFlags()
	f.StringVar(&p.flags.dataDir, "data-dir", "", "directory that holds runs (TEND_DATA_DIR; default: tend in the XDG state directory)")
	f.StringVar(&p.flags.config, "config", "", "configuration file (TEND_CONFIG; default: tend/config.yaml in the XDG configuration directory)")
	f.StringVar(&p.flags.server, "server", "", "address of a server to ask instead of a data directory (TEND_SERVER)")
	f.BoolVarP(&p.flags.quiet, "quiet", "q", false, "say only what matters")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return fault.New(fault.Invalid, "%s: %s", c.CommandPath(), err).WithNext("see `%s --help`", c.CommandPath())
	})
	root.CompletionOptions.HiddenDefaultCmd = false
	root.AddGroup(
		&cobra.Group{ID: groupRun, Title: "Run playbooks and look at them:"},
		&cobra.Group{ID: groupServe, Title: "Serve a team:"},
		&cobra.Group{ID: groupWrite, Title: "Write playbooks:"},
		&cobra.Group{ID: groupKeep, Title: "Keep the house:"},
	)
	root.SetHelpCommandGroupID(groupKeep)
	root.SetCompletionCommandGroupID(groupKeep)
	for _, c := range p.commands() {
		root.AddCommand(c)
	}
	root.SetVersionTemplate("tend {{.Version}}\n")
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "completion":
			c.Args, c.RunE = noArgs, func(c *cobra.Command, _ []string) error { return c.Help() }
		case "help":
			show := c.Run
			c.Run, c.RunE = nil, func(c *cobra.Command, args []string) error {
				if found, rest, err := root.Find(args); found == nil || err != nil || len(rest) > 0 {
					return noArgs(found, rest)
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
		c.Args, c.RunE = noArgs, func(c *cobra.Command, _ []string) error { return c.Help() }
	}
	for _, below := range c.Commands() {
		grouping(below)
	}
}

// The groups of commands in `tend --help`.
const (
	groupRun   = "run"
	groupServe = "serve"
	groupWrite = "write"
	groupKeep  = "keep"
)

// commands is the one list of commands.
func (p *process) commands() []*cobra.Command {
	return []*cobra.Command{
		p.demoCommand(), p.runCommand(), p.runsCommand(), p.inboxCommand(), p.eventsCommand(), p.incidentsCommand(), p.messagesCommand(), p.ownCommand(),
		p.serveCommand(), p.configCommand(), p.loginCommand(), p.logoutCommand(), p.tokensCommand(), p.bindingsCommand(), p.emergencyCommand(),
		p.playbooksCommand(), p.searchCommand(), p.requestsCommand(), p.handoversCommand(), p.revisionsCommand(), p.connectCommand(), p.haltCommand(), p.modeCommand(), p.guardsCommand(),
		p.lintCommand(), p.fmtCommand(), p.schemaCommand(), p.evalCommand(), p.graphCommand(), p.actionsCommand(),
		p.initCommand(), p.newCommand(), p.devCommand(), p.doctorCommand(), p.auditCommand(), p.insightsCommand(), p.backupCommand(), p.restoreCommand(), p.unhaltCommand(), p.versionCommand(),
	}
}

// complain prints err, all of it when it is several, each with its next step.
func (p *process) complain(err error) {
	for _, e := range flatten(err) {
		_, _ = fmt.Fprintf(p.Err, "%s %s\n", p.err.Red("tend:"), indent(terminal.Clean(e.Error()), "  "))
		if next := fault.NextOf(e); next != "" {
			_, _ = fmt.Fprintf(p.Err, "  %s %s\n", p.err.Dim("next:"), indent(terminal.Clean(next), "        "))
		}
	}
}

// talk prints a line to the person, on standard error.
func (p *process) talk(format string, a ...any) {
	if !p.flags.quiet {
		_, _ = fmt.Fprintf(p.Err, format+"\n", a...)
	}
}

func indent(s, by string) string { return strings.ReplaceAll(s, "\n", "\n"+by) }

// flatten splits joined errors. A wrapped join keeps the words of its wrapper.
func flatten(err error) []error {
	j, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range j.Unwrap() {
		all = append(all, flatten(e)...)
	}
	return all
}

// interruptible gives a context that ends with the first signal that asks to stop.
func interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
}
