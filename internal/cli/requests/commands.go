// Package requests is the desk: `tend requests` asks for what is offered, `tend handovers` takes what a run made for one person.
package requests

import (
	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/cli/frame"
)

// commands are this package's, with what every command has.
type commands struct{ *frame.Process }

// Commands are `tend requests` and `tend handovers`.
func Commands(p *frame.Process) []*cobra.Command {
	x := commands{p}
	return []*cobra.Command{x.requestsCommand(), x.handoversCommand()}
}
