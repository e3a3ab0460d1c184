package playbooks

import (
	"cmp"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/client"
	"github.com/tendhq/tend/internal/terminal"
	"github.com/tendhq/tend/internal/wire"
)

func (p commands) playbooksCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "playbooks", GroupID: frame.GroupServe, Short: "List, show, start and change the playbooks that are live on a server", Args: frame.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(p.playbooksList(), p.playbooksShow(), p.playbooksStart(), p.playbooksSource(), p.playbooksVersions(), p.playbooksDiff(), p.playbooksPropose())
	return c
}

func (p commands) playbooksList() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use: "list", Short: "List the playbooks that are live", Args: frame.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.Ask(c.Context(), func(api *client.API) error {
				all, err := api.ListPlaybooks(c.Context())
				if err != nil {
					return err
				}
				if output != "text" {
					return p.Data(output, all)
				}
				if len(all.Playbooks) == 0 {
					p.Talk("no playbooks are live")
					return nil
				}
				w := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "PLAYBOOK\tPROJECT\tENVIRONMENT\tOWNER\tMODE\tDESCRIPTION")
				for _, x := range all.Playbooks {
					mode := x.Mode
					if !x.Mutates {
						mode = "reads"
					}
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", terminal.Line(x.Name), terminal.Line(x.Project), cmp.Or(terminal.Line(x.Environment), "-"), terminal.Line(x.Owner), mode, terminal.Line(x.Description))
				}
				return w.Flush()
			})
		},
	}
	frame.OutputFlag(c, &output, "text", frame.AsJSON)
	return c
}

func (p commands) playbooksShow() *cobra.Command {
	var output string
	var q client.ShowPlaybookQuery
	c := &cobra.Command{
		Use: "show PLAYBOOK", Short: "Show what a live playbook takes and gives", Args: frame.SomeArgs(1, 1, "the name of a playbook: `tend playbooks list` shows them"),
		RunE: func(c *cobra.Command, args []string) error {
			return p.Ask(c.Context(), func(api *client.API) error {
				x, err := api.ShowPlaybook(c.Context(), args[0], q)
				if err != nil {
					return err
				}
				if output != "text" {
					return p.Data(output, x)
				}
				fmt.Fprintf(p.Out, "%s  %s\n", terminal.Line(x.Name), terminal.Line(x.Description))
				w := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
				fmt.Fprintf(w, "project\t%s\nsource\t%s\nmode\t%s\n", terminal.Line(x.Project), terminal.Line(x.Source), x.Mode)
				if x.Environment != "" {
					fmt.Fprintf(w, "environment\t%s\n", terminal.Line(x.Environment))
				}
				if x.Owner != "" {
					fmt.Fprintf(w, "owner\t%s\n", terminal.Line(x.Owner))
				}
				for _, f := range x.Parameters {
					fmt.Fprintf(w, "parameter\t%s\t%s\t%s\n", terminal.Line(f.Name), frame.Needs(f), terminal.Line(f.Description))
				}
				for _, f := range x.Outputs {
					fmt.Fprintf(w, "output\t%s\t%s\t%s\n", terminal.Line(f.Name), f.Type, terminal.Line(f.Description))
				}
				return w.Flush()
			})
		},
	}
	c.Flags().StringVar(&q.Project, "project", "", "its project")
	c.Flags().StringVar(&q.Environment, "environment", "", "the environment that it is live in")
	frame.OutputFlag(c, &output, "text", frame.AsJSON)
	return c
}

func (p commands) playbooksStart() *cobra.Command {
	var g frame.Given
	c := &cobra.Command{
		Use: "start PLAYBOOK [-p key=value …]", Short: "Start a live playbook", Args: frame.SomeArgs(1, 1, "the name of a playbook: `tend playbooks list` shows them"),
		Long: "Starts a playbook as it is live on the server, and prints the run. `tend run FILE` starts what stands in a file instead.",
		RunE: func(c *cobra.Command, args []string) error {
			params, err := g.Params(p.Process)
			if err != nil {
				return err
			}
			q := client.StartPlaybookQuery{Project: g.Project, Environment: g.Environment}
			return p.Ask(c.Context(), func(api *client.API) error {
				started, err := api.StartPlaybook(c.Context(), args[0], q, wire.StartPlaybook{Params: params, Why: g.Why})
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(p.Out, started.Run)
				p.Talk("look: tend runs watch %s", strings.TrimSpace(started.Run))
				return err
			})
		},
	}
	g.Register(c)
	return c
}
