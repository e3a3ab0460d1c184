package runner

import (
	"errors"
	"time"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/value"
)

// ErrRunner is what Outcome.Err wraps when a step names a runner that this process does not know. Nothing began: the
// engine parks the step and says so, and the attempt may be made again once the name is configured.
var ErrRunner = errors.New("no such runner")

// Attempt is one attempt of one step, as its intent was recorded.
type Attempt struct {
	Run       string
	Root      string // the outermost run: owner of the blobs
	Path      string // of the step instance
	Number    int    // 1, 2, 3, …
	Key       string // idempotency key
	Action    string // canonical name
	Effect    string // read, idempotent, mutate
	Inputs    value.Object
	Dialect   expr.Dialect
	Parser    string   // older dialect: json, raw or ""
	Artifacts []string // globs below the scratch directory
	Sealed    []string // top-level outputs that are secret, besides those that the Spec declares
	Quiet     bool     // secret outputs are made of what it prints: stdout is not logged
	Dir       string   // where relative paths start
	Runner    string   // "" and local: here
	Deadline  time.Time
	Epoch     uint64
	For       secret.Use     // what secrets are wanted for
	Trace     string         // W3C traceparent of the attempt
	Known     []secret.Value // what is secret in the run so far
	Hide      []secret.Value // what is sensitive in the run so far
	// Body gets the output with nothing masked, of a module whose secret outputs are made of it, and what makes the other
	// outputs as they are recorded. nil: nobody asks.
	Body func(output map[string]any, keep func(outputs map[string]any) (map[string]any, error))
}

// Outcome is the end of an attempt, complete: all that it refers to is durable.
type Outcome struct {
	// Result has the whole output, normalised and masked, whether it is inline or not. What of it is secret, and what holds
	// something sensitive, is sealed for the root run in its place (see expr.Deferred).
	Result action.Result
	// Ref is the blob of an output that is larger than blob.Inline; nil when it belongs into the entry.
	Ref       *entry.Ref
	Log       *entry.Ref // nil when the step printed nothing
	Artifacts []entry.Artifact
	Versions  map[string]string // of the secrets that were used, by name
	// Err is nil or wraps ErrRunner: the attempt was not made at all.
	Err error
}

// Inline tells whether the output belongs into the entry.
func (o Outcome) Inline() bool { return o.Ref == nil }
