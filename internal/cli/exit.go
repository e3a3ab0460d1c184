package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/fault"
)

// The exit codes. Scripts depend on them: a code never changes its meaning.
const (
	ExitOK          = 0
	ExitFailed      = 1
	ExitUsage       = 2
	ExitFindings    = 3
	ExitNotFound    = 4
	ExitRefused     = 5
	ExitParked      = 6
	ExitDoubt       = 7
	ExitTimeout     = 124
	ExitInterrupted = 130
)

// exitError ends the program with a code after everything was said.
type exitError struct{ code int }

func (e *exitError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

// exit gives the error for a code: nil for success.
func exit(code int) error {
	if code == ExitOK {
		return nil
	}
	return &exitError{code}
}

// exitCode tells with which code an error ends the program.
func exitCode(err error) int {
	switch {
	case err == nil:
		return ExitOK
	case errors.Is(err, context.Canceled):
		return ExitInterrupted
	case errors.Is(err, context.DeadlineExceeded):
		return ExitTimeout
	}
	var code int
	for _, e := range flatten(err) {
		code = max(code, kindCode(fault.KindOf(e)))
	}
	return code
}

func kindCode(k fault.Kind) int {
	switch k {
	case fault.Invalid:
		return ExitUsage
	case fault.NotFound:
		return ExitNotFound
	case fault.Refused, fault.Conflict, fault.Guarded, fault.Rejected:
		return ExitRefused
	case fault.Timeout:
		return ExitTimeout
	case fault.Cancelled:
		return ExitInterrupted
	default:
		return ExitFailed
	}
}

// noArgs refuses arguments; for commands with children it names the one that was probably meant.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !c.HasAvailableSubCommands() {
		return fault.New(fault.Invalid, "%s takes no argument, but got %q", c.CommandPath(), args[0]).
			WithNext("see `%s --help`", c.CommandPath())
	}
	e := fault.New(fault.Invalid, "%s has no command %q", c.CommandPath(), args[0])
	// What a command says it is also called goes before what is only spelled alike: who denies must not be led to "done".
	for _, sub := range c.Commands() {
		if slices.Contains(sub.SuggestFor, args[0]) {
			return e.WithNext("did you mean `%s`?", sub.CommandPath())
		}
	}
	c.SuggestionsMinimumDistance = 2
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		return e.WithNext("did you mean `%s %s`?", c.CommandPath(), near[0])
	}
	return e.WithNext("see `%s --help`", c.CommandPath())
}

// someArgs wants between lo and hi arguments (hi < 0: any number) that are called what.
func someArgs(lo, hi int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) < lo:
			return fault.New(fault.Invalid, "%s needs %s", c.CommandPath(), what).WithNext("see `%s --help`", c.CommandPath())
		case hi >= 0 && len(args) > hi:
			return fault.New(fault.Invalid, "%s does not know what to do with %q", c.CommandPath(), args[hi]).
				WithNext("see `%s --help`", c.CommandPath())
		}
		return nil
	}
}

// crashed says that tend has a bug and how to report it. The stack goes to a file: it helps whoever reads the report, and
// nobody else.
func crashed(w io.Writer, args []string, cause any, stack []byte) {
	_, _ = fmt.Fprintf(w, "tend: this is a bug in tend: %v\n", cause)
	_, _ = fmt.Fprint(w, "  Nothing that was recorded is lost: `tend runs list` shows where every run stands.\n")
	command := "tend"
	if len(args) > 1 && !strings.HasPrefix(args[1], "-") {
		command += " " + args[1]
	}
	f, err := os.CreateTemp("", "tend-bug-*.txt")
	if err == nil {
		_, err = fmt.Fprintf(f, "%s\n%s\n%v\n\n%s", command, versionLine(), cause, stack)
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}
	if err == nil {
		_, _ = fmt.Fprintf(w, "  next: report it with the file %s at %s\n", f.Name(), reportAt)
		return
	}
	_, _ = fmt.Fprintf(w, "  next: report it with the output of `tend version` at %s\n", reportAt)
}

const reportAt = "https://github.com/tendhq/tend/issues"
