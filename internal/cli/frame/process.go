// Package frame is what all commands are made of: what the one who started the program gave (streams, environment, flags), how
// data and talk are printed, what exit codes mean, how arguments and files are read, and how a data directory or a server is
// asked. It knows no command.
package frame

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

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

// Process is one invocation.
type Process struct {
	Streams

	Began    time.Time
	OutStyle terminal.Style // of Out
	ErrStyle terminal.Style // of Err
	Flags    Flags
}

// Flags are the ones that every command has.
type Flags struct {
	DataDir string
	Config  string
	Server  string
	Quiet   bool
}

// The groups of commands in `tend --help`.
const (
	GroupRun   = "run"
	GroupServe = "serve"
	GroupWrite = "write"
	GroupKeep  = "keep"
)

// Complain prints err, all of it when it is several, each with its next step.
func (p *Process) Complain(err error) {
	for _, e := range Flatten(err) {
		_, _ = fmt.Fprintf(p.Err, "%s %s\n", p.ErrStyle.Red("tend:"), Indent(terminal.Clean(e.Error()), "  "))
		if next := fault.NextOf(e); next != "" {
			_, _ = fmt.Fprintf(p.Err, "  %s %s\n", p.ErrStyle.Dim("next:"), Indent(terminal.Clean(next), "        "))
		}
	}
}

// Talk prints a line to the person, on standard error.
func (p *Process) Talk(format string, a ...any) {
	if !p.Flags.Quiet {
		_, _ = fmt.Fprintf(p.Err, format+"\n", a...)
	}
}

// Indent begins every line but the first with by.
func Indent(s, by string) string { return strings.ReplaceAll(s, "\n", "\n"+by) }

// Flatten splits joined errors. A wrapped join keeps the words of its wrapper.
func Flatten(err error) []error {
	j, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range j.Unwrap() {
		all = append(all, Flatten(e)...)
	}
	return all
}

// Interruptible gives a context that ends with the first signal that asks to stop.
func Interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
}
