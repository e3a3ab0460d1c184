// Package people is about who asks: signing on to a server, tokens, and who has which roles.
package people

import (
	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/cli/frame"
)

// commands are this package's, with what every command has.
type commands struct{ *frame.Process }

// Commands are `tend login`, `logout`, `tokens`, `bindings` and `emergency`.
func Commands(p *frame.Process) []*cobra.Command {
	x := commands{p}
	return []*cobra.Command{x.loginCommand(), x.logoutCommand(), x.tokensCommand(), x.bindingsCommand(), x.emergencyCommand()}
}
