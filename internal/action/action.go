// Package action is the port of everything that a step can use: data in, data out.
//
// An action gets a Request and gives a Result; it has no handle to the engine, so that a runner elsewhere can execute
// it. Its Spec is the one source of parsing, lint, schema, command-line help and reference documentation.
package action

import (
	"context"
	"strings"
	"time"
	"unicode"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
)

// Action executes steps. Implementations are safe for concurrent use and hold no state between calls.
type Action interface {
	Spec() Spec
	// Run executes one attempt. ctx ends when the step is cancelled or its deadline passes (context.Cause tells which).
	// Run returns only when nothing that it started can still act, or says InDoubt. It never panics on any input.
	Run(ctx context.Context, req Request, log Log) Result
}

// Spec describes an action as data; it lives with the language, which reads it for lint and compilation.
type Spec = contract.Spec

// Outcome of an attempt.
type Outcome = entry.Outcome

// The outcomes. The zero Outcome is not legal.
const (
	Succeeded  = entry.Succeeded  // it did its work
	Failed     = entry.Failed     // it is known that it did not do its work
	NotStarted = entry.NotStarted // it is known that no effect began
	InDoubt    = entry.InDoubt    // nobody knows
)

// Request is one attempt of one step. It is JSON-able except for secrets, which are secret.Value inside Inputs and Env.
type Request struct {
	Run      string
	Step     string // path of the step instance
	Attempt  int
	Key      string // idempotency key: the same for all attempts of a step instance
	Action   string
	Effect   contract.Effect
	Inputs   map[string]any // complete: defaults filled in, converted to the Spec's types; values may be secret.Value
	Env      map[string]any // text or secret.Value
	Args     []any          // older dialect: program arguments
	Dir      string         // where relative paths start: the playbook's directory, or the caller's
	Work     string         // a fresh scratch directory of this attempt; artifacts are collected from it
	Deadline time.Time      // zero: none
	Epoch    uint64
	Egress   Egress
	For      secret.Use // of whom the run is: which secrets it may use and write
	Trace    string     // W3C traceparent: where what the step asks of others belongs in a trace; "" none
}

// Result is the end of an attempt.
type Result struct {
	Outcome Outcome
	Output  map[string]any // normalised values; bare values are {"value": v}; may be set on failure too
	Kind    fault.Kind     // for every outcome but Succeeded
	Message string         // for people, without secrets
	After   time.Duration  // the other side asked not to be asked again before (Retry-After)
}

// Log receives what a step prints, live. Stream is "stdout", "stderr" or "tend" (about the step). p may be reused after
// the call and need not be valid UTF-8 or a whole line: the runner makes it so.
type Log func(stream string, p []byte)

// Clean makes text safe to show: valid UTF-8 without control characters but newline and tab.
func Clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, string(unicode.ReplacementChar)))
}

// OK is a success.
func OK(output map[string]any) Result { return Result{Outcome: Succeeded, Output: output} }

// Value is a success with a bare value.
func Value(v any) Result { return OK(map[string]any{"value": v}) }

// Fail is a known failure.
func Fail(k fault.Kind, message string) Result {
	return Result{Outcome: Failed, Kind: k, Message: Clean(message)}
}

// Never is a failure before any effect.
func Never(k fault.Kind, message string) Result {
	return Result{Outcome: NotStarted, Kind: k, Message: Clean(message)}
}

// Doubt is an end that nobody knows.
func Doubt(k fault.Kind, message string) Result {
	return Result{Outcome: InDoubt, Kind: k, Message: Clean(message)}
}
