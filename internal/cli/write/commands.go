// Package write is for those who write playbooks: it checks, formats and draws them, looks actions up, drafts a first one, and
// tries them while they are written.
package write

import (
	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/cli/frame"
)

// commands are this package's, with what every command has.
type commands struct{ *frame.Process }

// Commands are `tend lint`, `fmt`, `schema`, `eval`, `graph`, `actions`, `init`, `new` and `dev`.
func Commands(p *frame.Process) []*cobra.Command {
	x := commands{p}
	return []*cobra.Command{x.lintCommand(), x.fmtCommand(), x.schemaCommand(), x.evalCommand(), x.graphCommand(), x.actionsCommand(), x.initCommand(), x.newCommand(), x.devCommand()}
}
