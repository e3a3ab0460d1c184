package cli

import (
	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/graph"
)

func (p *process) graphCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:     "graph FILE|NAME",
		Short:   "Draw a playbook",
		GroupID: groupWrite,
		Args:    someArgs(1, 1, "the file or name of a playbook"),
		RunE: func(_ *cobra.Command, args []string) error {
			c, err := p.compile(args[0])
			if err != nil {
				return err
			}
			switch output {
			case "mermaid":
				return graph.Mermaid(p.Out, c.program, nil)
			case "dot":
				return graph.Dot(p.Out, c.program, nil)
			case "svg":
				return graph.SVG(p.Out, c.program, nil)
			default:
				return graph.Text(p.Out, c.program, graph.TextOptions{Width: p.out.Width, Color: p.out.Colour})
			}
		},
	}
	outputFlag(c, &output, "text", "mermaid", "dot", "svg")
	return c
}
