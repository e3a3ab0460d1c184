// Package serve is `tend serve`, with its configuration and what others are to be told so that their events come in.
package serve

import (
	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/cli/frame"
)

// commands are this package's, with what every command has.
type commands struct{ *frame.Process }

// Commands are `tend serve`, `config` and `connect`.
func Commands(p *frame.Process) []*cobra.Command {
	x := commands{p}
	return []*cobra.Command{x.serveCommand(), x.configCommand(), x.connectCommand()}
}
