package write

import (
	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/cli/source"
	"github.com/tendhq/tend/internal/graph"
)

func (p commands) graphCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:     "graph FILE|NAME",
		Short:   "Draw a playbook",
		GroupID: frame.GroupWrite,
		Args:    frame.SomeArgs(1, 1, "the file or name of a playbook"),
		RunE: func(_ *cobra.Command, args []string) error {
			c, err := source.Compile(p.Process, args[0])
			if err != nil {
				return err
			}
			switch output {
			case "mermaid":
				return graph.Mermaid(p.Out, c.Program, nil)
			case "dot":
				return graph.Dot(p.Out, c.Program, nil)
			case "svg":
				return graph.SVG(p.Out, c.Program, nil)
			default:
				return graph.Text(p.Out, c.Program, graph.TextOptions{Width: p.OutStyle.Width, Color: p.OutStyle.Colour})
			}
		},
	}
	frame.OutputFlag(c, &output, "text", "mermaid", "dot", "svg")
	return c
}
