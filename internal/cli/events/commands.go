// Package events is `tend events` and `tend messages`: what came in, what became of it, and what was told to whom.
package events

import (
	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/cli/frame"
)

// commands are this package's, with what every command has.
type commands struct{ *frame.Process }

// Commands are `tend events` and `tend messages`.
func Commands(p *frame.Process) []*cobra.Command {
	x := commands{p}
	return []*cobra.Command{x.eventsCommand(), x.messagesCommand()}
}
