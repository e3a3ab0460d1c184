package app

import (
	"context"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/container"
	"github.com/tendhq/tend/internal/action/handover"
	"github.com/tendhq/tend/internal/action/http"
	"github.com/tendhq/tend/internal/action/incident"
	"github.com/tendhq/tend/internal/action/log"
	"github.com/tendhq/tend/internal/action/process"
	"github.com/tendhq/tend/internal/action/replace"
	"github.com/tendhq/tend/internal/action/shell"
	"github.com/tendhq/tend/internal/action/sql"
	"github.com/tendhq/tend/internal/action/ssh"
	"github.com/tendhq/tend/internal/action/tabulate"
	"github.com/tendhq/tend/internal/action/tell"
	"github.com/tendhq/tend/internal/action/transform"
	"github.com/tendhq/tend/internal/action/verb"
	"github.com/tendhq/tend/internal/dispatch"
	"github.com/tendhq/tend/internal/fault"
)

// Actions is the one list of what a step can use.
func Actions() (*action.Set, error) { return localActions(nil) }

// localActions are the same with integrations.
func localActions(c *connections) (*action.Set, error) {
	return actions(c, nil, free, container.New(), shell.New())
}

// free leaves an action as it is.
func free(a action.Action) action.Action { return a }

// bounded keeps an action from using what is the server's own.
func bounded(a action.Action) action.Action {
	switch a.(type) {
	case http.Action:
		return confined{Action: a, files: []string{"file"}}
	case sql.Action, sql.Sessions, sql.Terminate:
		return confined{Action: a, files: []string{"ca", "cert", "key"}, wrong: serversSockets}
	case ssh.Action:
		return confined{Action: a, files: []string{"keyFile", "knownHosts"}, wrong: serversKeys}
	}
	return a
}

// serverActions are the same in a server, where steps run on the machine itself as another user, or not at all (nil); as the
// server's own only in a demonstration. Incidents are those of its desk.
func serverActions(as *process.User, own bool, c *connections, d *desk) (*action.Set, error) {
	if own {
		return actions(c, d, free, container.New(), shell.New())
	}
	if as == nil {
		return actions(c, d, bounded, refused{container.New()}, refused{shell.New()})
	}
	return actions(c, d, bounded, container.Action{As: as}, shell.Action{As: as})
}

// caller is the desk as steps see it: with whoever can be called.
type caller struct {
	*dispatch.Dispatch

	desk *desk
}

// Reach implements incident.Desk.
func (c caller) Reach(ctx context.Context, targets []string) error { return c.desk.reach(ctx, targets) }

// actions is the list, with those that run programs on the machine itself, the integrations, and the desk of a server, if there
// is one. Each of those that reach out can be bounded.
func actions(c *connections, d *desk, each func(action.Action) action.Action, local ...action.Action) (*action.Set, error) {
	incidents := incident.All(func() incident.Desk {
		if d == nil || d.dispatch.Load() == nil {
			return nil
		}
		return caller{d.dispatch.Load(), d}
	})
	hand := handover.New(func() handover.Desk {
		if d == nil || d.handovers.Load() == nil {
			return nil
		}
		return handing{d.handovers.Load()}
	})
	var told tell.Connections
	if c != nil {
		told = c
	}
	return action.NewSet(append(append(append(local, incidents...), tell.All(told)...),
		each(http.New()),
		hand,
		log.New(),
		replace.New(),
		each(sql.New()),
		each(sql.Sessions{}),
		each(sql.Terminate{}),
		each(ssh.New()),
		tabulate.New(),
		transform.New(),
		c.vault(),
	), verb.All())
}

// refused stands for an action that runs programs on the server itself, where that is off.
type refused struct{ action.Action }

// Run implements action.Action.
func (r refused) Run(context.Context, action.Request, action.Log) action.Result {
	return action.Never(fault.Refused, r.Spec().Name+": steps on the server itself are off; name a runner or use ssh, or allow them with `localSteps` in the server's configuration")
}
