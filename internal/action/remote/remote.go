// Package remote executes steps that use `shell` on a host that is reached over SSH: what `runner: web-1` means when
// web-1 is an ssh host of the configuration.
//
// The step is the same, its ends are those of `ssh`: the connection can be lost, and then nobody knows. What only makes
// sense on the machine where tend is — a working directory of the playbook, the scratch directory, artifacts — is not
// there; asking for it is refused before anything begins. All other actions do not execute on such a runner.
package remote

import (
	"context"
	"fmt"
	"maps"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/shell"
	"github.com/tendhq/tend/internal/action/ssh"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
)

// Shell executes on one host.
type Shell struct {
	runner string
	host   map[string]any
}

var _ action.Action = Shell{}

// New gives the action for a runner by its name and the inputs of `ssh` that say how its host is reached: host, port,
// user, keyFile, knownHosts, jump.
func New(runner string, host map[string]any) Shell { return Shell{runner: runner, host: host} }

// Find gives what can be done on the host, in the form that a runner wants: `shell` and nothing else.
func (s Shell) Find(name string) (action.Action, bool) {
	if name != s.Spec().Name {
		return nil, false
	}
	return s, true
}

// Spec implements action.Action: that of `shell`.
func (Shell) Spec() contract.Spec { return shell.New().Spec() }

// Run implements action.Action.
func (s Shell) Run(ctx context.Context, req action.Request, log action.Log) action.Result {
	if cwd, ok := req.Inputs["cwd"].(string); ok && cwd != "" {
		return action.Never(fault.Invalid, fmt.Sprintf("cwd cannot be given on runner %s: write cd in the script", s.runner))
	}
	given := maps.Clone(s.host)
	for _, name := range []string{"script", "argv", "shell", "stdin", "exitCodes", "grace", "parse"} {
		if v, ok := req.Inputs[name]; ok {
			given[name] = v
		}
	}
	way := ssh.New()
	var err error
	there := req
	if there.Inputs, err = contract.Inputs(way.Spec().Inputs, given, expr.Strict); err != nil {
		return action.Never(fault.KindOf(err), fmt.Sprintf("runner %s: %v", s.runner, err))
	}
	there.Action = way.Spec().Name
	r := way.Run(ctx, there, log)

	if len(r.Output) == 0 {
		return r
	}
	output := map[string]any{}
	for _, f := range s.Spec().Outputs {
		if v, ok := r.Output[f.Name]; ok {
			output[f.Name] = v
		}
	}
	r.Output = output
	return r
}
