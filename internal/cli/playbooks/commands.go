// Package playbooks is about what is live on a server: its playbooks with their texts and versions, the revisions that they come
// from, what can be found there, and what playbooks were good for.
package playbooks

import (
	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/cli/frame"
)

// commands are this package's, with what every command has.
type commands struct{ *frame.Process }

// Commands are `tend playbooks`, `search`, `revisions` and `insights`.
func Commands(p *frame.Process) []*cobra.Command {
	x := commands{p}
	return []*cobra.Command{x.playbooksCommand(), x.searchCommand(), x.revisionsCommand(), x.insightsCommand()}
}
