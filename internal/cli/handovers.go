package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/client"
	"github.com/tendhq/tend/internal/terminal"
	"github.com/tendhq/tend/internal/wire"
)

func (p *process) handoversCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "handovers", GroupID: groupServe, Short: "Take what runs hand over to you, such as the password of a new account", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(p.handoversList(), p.handoversTake(), p.handoversWithdraw())
	return c
}

func (p *process) handoversList() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use: "list", Short: "List what is or was for you, newest first", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.ask(c.Context(), func(api *client.API) error {
				all, err := api.ListHandovers(c.Context())
				if err != nil {
					return err
				}
				t := table{Head: []string{"HANDOVER", "STATUS", "EXPIRES", "RUN", "WHAT"}, Data: all.Handovers, Empty: "nothing is handed over to you"}
				for i := range all.Handovers {
					h := &all.Handovers[i]
					t.Names = append(t.Names, h.ID)
					t.Rows = append(t.Rows, []string{h.ID, h.Status, local(h.Expires), h.Run, h.Title})
				}
				return p.list(output, t)
			})
		},
	}
	outputFlag(c, &output, asTable, asJSON, asYAML, asName)
	return c
}

func (p *process) handoversTake() *cobra.Command {
	return &cobra.Command{
		Use: "take HANDOVER", Short: "Print what is handed over to you, once: then it is gone", Args: someArgs(1, 1, "a handover: `tend handovers list` shows yours"),
		Long: "Prints what is handed over to you on standard output, followed by a new line. It is shown this once; then nobody can read it any more.",
		RunE: func(c *cobra.Command, args []string) error {
			return p.ask(c.Context(), func(api *client.API) error {
				h, err := api.TakeHandover(c.Context(), args[0])
				if err != nil {
					return err
				}
				if h.Title != "" {
					p.talk("%s; it is shown this once", terminal.Line(h.Title))
				}
				_, err = fmt.Fprintln(p.Out, h.Value)
				return err
			})
		},
	}
}

func (p *process) handoversWithdraw() *cobra.Command {
	var why string
	c := &cobra.Command{
		Use: "withdraw HANDOVER", Short: "Take back what nobody has taken yet; it is gone then", Args: someArgs(1, 1, "a handover, as the run or the audit trail names it"),
		RunE: func(c *cobra.Command, args []string) error {
			return p.ask(c.Context(), func(api *client.API) error {
				if err := api.WithdrawHandover(c.Context(), args[0], wire.Withdraw{Why: why}); err != nil {
					return err
				}
				p.talk("%s is taken back", terminal.Line(args[0]))
				return nil
			})
		},
	}
	c.Flags().StringVar(&why, "why", "", "the reason, for the record")
	return c
}
