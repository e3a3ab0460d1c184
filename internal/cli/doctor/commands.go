// Package doctor is `tend doctor`: it looks whether all is there that commands, or a server, need, and says what to do.
package doctor

import (
	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/cli/frame"
)

// commands are this package's, with what every command has.
type commands struct{ *frame.Process }

// Commands are `tend doctor`.
func Commands(p *frame.Process) []*cobra.Command {
	x := commands{p}
	return []*cobra.Command{x.doctorCommand()}
}
