// Package runs is `tend runs`: lists, shows, exports and verifies what was recorded of runs, and sends them commands.
package runs

import (
	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/cli/frame"
)

// commands are this package's, with what every command has.
type commands struct{ *frame.Process }

// Commands are `tend runs`.
func Commands(p *frame.Process) []*cobra.Command {
	x := commands{p}
	return []*cobra.Command{x.runsCommand()}
}
