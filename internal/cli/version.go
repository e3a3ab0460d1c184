package cli

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/cli/frame"
)

func versionCommand(p *frame.Process) *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:     "version",
		Short:   "Tell which tend this is",
		GroupID: frame.GroupKeep,
		Args:    frame.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			switch output {
			case "":
				_, err := fmt.Fprintln(p.Out, frame.VersionLine())
				return err
			case "json":
				e := json.NewEncoder(p.Out)
				e.SetIndent("", "  ")
				return e.Encode(frame.ThisVersion())
			default:
				return frame.BadOutput(output, "json")
			}
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "", "json")
	return c
}
