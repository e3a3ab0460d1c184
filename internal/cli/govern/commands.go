// Package govern holds a server back: halts, modes and guards, and the end of what was halted.
package govern

import (
	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/cli/frame"
)

// commands are this package's, with what every command has.
type commands struct{ *frame.Process }

// Commands are `tend halt`, `mode`, `guards` and `unhalt`.
func Commands(p *frame.Process) []*cobra.Command {
	x := commands{p}
	return []*cobra.Command{x.haltCommand(), x.modeCommand(), x.guardsCommand(), x.unhaltCommand()}
}
