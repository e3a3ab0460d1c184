package runner

import (
	"context"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/blob"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/seal"
	"github.com/tendhq/tend/internal/secret"
)

// Evaluator finishes what was recorded unrendered because it needs a secret. *expr.Evaluator is one.
type Evaluator interface {
	Finish(d expr.Deferred, dialect expr.Dialect, get expr.Secrets) (secret.Value, error)
}

// Config of a Runner. Find, Secrets, Eval and Blobs are required.
type Config struct {
	Find    func(name string) (action.Action, bool) // by canonical name
	Secrets secret.Provider
	Eval    Evaluator
	Blobs   blob.Store
	Key     seal.Key // for sealed outputs; without it they fail
	Egress  action.Egress
	Scratch string // directory for scratch directories and log spools; "" is the system's
	Live    *Live  // nil: nobody follows
	LogCap  int64  // bytes of log kept per attempt, default 10 MiB
}

// Runner executes attempts. It is safe for concurrent use.
type Runner struct{ c Config }

// New builds a Runner.
func New(c Config) *Runner { return &Runner{c: c} }

// Run executes one attempt. It never panics and never returns before all that the Outcome refers to is durable.
func (r *Runner) Run(ctx context.Context, a Attempt) Outcome {
	return Outcome{Result: action.Never("internal", "not wired")}
}
