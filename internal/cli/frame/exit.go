package frame

import (
	"context"
	"errors"
	"fmt"
	"slices"

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

// ExitError ends the program with a code after everything was said.
type ExitError struct{ Code int }

func (e *ExitError) Error() string { return fmt.Sprintf("exit code %d", e.Code) }

// Exit gives the error for a code: nil for success.
func Exit(code int) error {
	if code == ExitOK {
		return nil
	}
	return &ExitError{code}
}

// ExitCode tells with which code an error ends the program.
func ExitCode(err error) int {
	switch {
	case err == nil:
		return ExitOK
	case errors.Is(err, context.Canceled):
		return ExitInterrupted
	case errors.Is(err, context.DeadlineExceeded):
		return ExitTimeout
	}
	var code int
	for _, e := range Flatten(err) {
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

// NoArgs refuses arguments; for commands with children it names the one that was probably meant.
func NoArgs(c *cobra.Command, args []string) error {
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

// SomeArgs wants between lo and hi arguments (hi < 0: any number) that are called what.
func SomeArgs(lo, hi int, what string) cobra.PositionalArgs {
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

// AsExit tells whether err only ends the program with a code.
func AsExit(err error, into **ExitError) bool { return errors.As(err, into) }
