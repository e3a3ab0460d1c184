// Package start is `tend run`: it prepares a run, shows its plan, and starts it, here or in a process of its own. What
// becomes of it package follow shows.
package start

import (
	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/cli/frame"
)

// commands are this package's, with what every command has.
type commands struct{ *frame.Process }

// Commands are `tend run`, and the hidden `tend own` that a detached run has for an owner.
func Commands(p *frame.Process) []*cobra.Command {
	x := commands{p}
	return []*cobra.Command{x.runCommand(), x.ownCommand()}
}
