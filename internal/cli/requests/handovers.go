package requests

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/client"
	"github.com/tendhq/tend/internal/terminal"
	"github.com/tendhq/tend/internal/wire"
)

func (p commands) handoversCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "handovers", GroupID: frame.GroupServe, Short: "Take what runs hand over to you, such as the password of a new account", Args: frame.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(p.handoversList(), p.handoversTake(), p.handoversWithdraw())
	return c
}

func (p commands) handoversList() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use: "list", Short: "List what is or was for you, newest first", Args: frame.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.Ask(c.Context(), func(api *client.API) error {
				all, err := api.ListHandovers(c.Context())
				if err != nil {
					return err
				}
				t := frame.Table{Head: []string{"HANDOVER", "STATUS", "EXPIRES", "RUN", "WHAT"}, Data: all.Handovers, Empty: "nothing is handed over to you"}
				for i := range all.Handovers {
					h := &all.Handovers[i]
					t.Names = append(t.Names, h.ID)
					t.Rows = append(t.Rows, []string{h.ID, h.Status, frame.Local(h.Expires), h.Run, h.Title})
				}
				return p.List(output, t)
			})
		},
	}
	frame.OutputFlag(c, &output, frame.AsTable, frame.AsJSON, frame.AsYAML, frame.AsName)
	return c
}

func (p commands) handoversTake() *cobra.Command {
	return &cobra.Command{
		Use: "take HANDOVER", Short: "Print what is handed over to you, once: then it is gone", Args: frame.SomeArgs(1, 1, "a handover: `tend handovers list` shows yours"),
		Long: "Prints what is handed over to you on standard output, followed by a new line. It is shown this once; then nobody can read it any more.",
		RunE: func(c *cobra.Command, args []string) error {
			return p.Ask(c.Context(), func(api *client.API) error {
				h, err := api.TakeHandover(c.Context(), args[0])
				if err != nil {
					return err
				}
				if h.Title != "" {
					p.Talk("%s; it is shown this once", terminal.Line(h.Title))
				}
				_, err = fmt.Fprintln(p.Out, h.Value)
				return err
			})
		},
	}
}

func (p commands) handoversWithdraw() *cobra.Command {
	var why string
	c := &cobra.Command{
		Use: "withdraw HANDOVER", Short: "Take back what nobody has taken yet; it is gone then", Args: frame.SomeArgs(1, 1, "a handover, as the run or the audit trail names it"),
		RunE: func(c *cobra.Command, args []string) error {
			return p.Ask(c.Context(), func(api *client.API) error {
				if err := api.WithdrawHandover(c.Context(), args[0], wire.Withdraw{Why: why}); err != nil {
					return err
				}
				p.Talk("%s is taken back", terminal.Line(args[0]))
				return nil
			})
		},
	}
	c.Flags().StringVar(&why, "why", "", "the reason, for the record")
	return c
}
