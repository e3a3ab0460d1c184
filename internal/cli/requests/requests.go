package requests

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/client"
	"github.com/tendhq/tend/internal/terminal"
	"github.com/tendhq/tend/internal/value"
	"github.com/tendhq/tend/internal/wire"
)

func (p commands) requestsCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "requests", GroupID: frame.GroupServe, Short: "Ask for what a server offers you, and see what became of it", Args: frame.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(p.requestsOffers(), p.requestsSubmit(), p.requestsList(), p.requestsShow())
	return c
}

func (p commands) requestsOffers() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use: "offers [NAME]", Short: "List what is offered to you, or one offer with what it asks for", Args: frame.SomeArgs(0, 1, ""),
		RunE: func(c *cobra.Command, args []string) error {
			return p.Ask(c.Context(), func(api *client.API) error {
				all, err := api.ListOffers(c.Context())
				if err != nil {
					return err
				}
				if len(args) > 0 {
					all.Offers = slices.DeleteFunc(all.Offers, func(o wire.Offer) bool { return o.Name != args[0] })
					if output == frame.AsTable {
						return p.showOffers(args[0], all.Offers)
					}
				}
				t := frame.Table{Head: []string{"OFFER", "PROJECT", "OWNER", "WHAT"}, Data: all.Offers, Empty: "nothing is offered to you"}
				for i := range all.Offers {
					o := &all.Offers[i]
					t.Names = append(t.Names, o.Name)
					t.Rows = append(t.Rows, []string{o.Name, o.Project, o.Owner, o.Title})
				}
				return p.List(output, t)
			})
		},
	}
	frame.OutputFlag(c, &output, frame.AsTable, frame.AsJSON, frame.AsYAML, frame.AsName)
	return c
}

func (p commands) showOffers(name string, offers []wire.Offer) error {
	if len(offers) == 0 {
		p.Talk("nothing called %q is offered to you", terminal.Line(name))
	}
	for i := range offers {
		o := &offers[i]
		fmt.Fprintf(p.Out, "%s  %s\n", terminal.Line(o.Name), terminal.Line(o.Title))
		w := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
		for _, x := range [][2]string{{"project", o.Project}, {"environment", o.Environment}, {"owner", o.Owner}, {"note", o.Note}} {
			if x[1] != "" {
				fmt.Fprintf(w, "%s\t%s\n", x[0], terminal.Line(x[1]))
			}
		}
		for _, f := range o.Parameters {
			fmt.Fprintf(w, "parameter\t%s\t%s\t%s\n", terminal.Line(f.Name), frame.Needs(f), terminal.Line(f.Description))
		}
		for _, f := range o.Outputs {
			fmt.Fprintf(w, "output\t%s\t%s\t%s\n", terminal.Line(f.Name), f.Type, terminal.Line(f.Description))
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	return nil
}

func (p commands) requestsSubmit() *cobra.Command {
	var g frame.Given
	c := &cobra.Command{
		Use: "submit OFFER [-p key=value …]", Short: "Ask for what is offered to you", Args: frame.SomeArgs(1, 1, "the name of an offer: `tend requests offers` lists them"),
		Long: "Asks for a run of an offered playbook, and prints the request. `tend requests offers NAME` shows what it wants to know.",
		RunE: func(c *cobra.Command, args []string) error {
			params, err := g.Params(p.Process)
			if err != nil {
				return err
			}
			q := client.SubmitRequestQuery{Project: g.Project, Environment: g.Environment}
			return p.Ask(c.Context(), func(api *client.API) error {
				r, err := api.SubmitRequest(c.Context(), args[0], q, wire.Submit{Params: params, Why: g.Why})
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(p.Out, r.Request)
				if r.Note != "" {
					p.Talk("%s", terminal.Line(r.Note))
				}
				p.Talk("look: tend requests show %s", strings.TrimSpace(r.Request))
				return err
			})
		},
	}
	g.Register(c)
	return c
}

func (p commands) requestsList() *cobra.Command {
	var output, cursor string
	var limit int
	c := &cobra.Command{
		Use: "list", Short: "List what you asked for, newest first", Args: frame.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.Ask(c.Context(), func(api *client.API) error {
				page, err := api.ListRequests(c.Context(), client.ListRequestsQuery{Limit: limit, Cursor: cursor})
				if err != nil {
					return err
				}
				t := frame.Table{Head: []string{"REQUEST", "OFFER", "STATUS", "ASKED", "ENDED"}, Data: page.Requests, Empty: "you asked for nothing yet"}
				for i := range page.Requests {
					r := &page.Requests[i]
					ended := ""
					if !r.Ended.IsZero() {
						ended = frame.Local(r.Ended)
					}
					t.Names = append(t.Names, r.ID)
					t.Rows = append(t.Rows, []string{r.ID, r.Offer, standing(r), frame.Local(r.Asked), ended})
				}
				if err := p.List(output, t); err != nil {
					return err
				}
				if page.Next != "" {
					p.Talk("there are more: --cursor %s", page.Next)
				}
				return nil
			})
		},
	}
	c.Flags().IntVar(&limit, "limit", 50, "how many")
	c.Flags().StringVar(&cursor, "cursor", "", "go on where an earlier list ended")
	frame.OutputFlag(c, &output, frame.AsTable, frame.AsJSON, frame.AsYAML, frame.AsName)
	return c
}

// standing says how a request stands.
func standing(r *wire.Request) string {
	switch r.Waits {
	case "":
		return r.Status
	case "work":
		return r.Status + ", for other work"
	default:
		return r.Status + ", for " + r.Waits
	}
}

func (p commands) requestsShow() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use: "show REQUEST", Short: "Show one of your requests, with what came of it", Args: frame.SomeArgs(1, 1, "a request: `tend requests list` shows yours"),
		RunE: func(c *cobra.Command, args []string) error {
			return p.Ask(c.Context(), func(api *client.API) error {
				r, err := api.ShowRequest(c.Context(), args[0])
				if err != nil {
					return err
				}
				if output != "text" {
					return p.Data(output, r)
				}
				fmt.Fprintf(p.Out, "%s  %s\n", r.ID, terminal.Line(r.Title))
				w := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
				fmt.Fprintf(w, "status\t%s\nasked\t%s\n", terminal.Line(standing(&r)), frame.Local(r.Asked))
				if !r.Ended.IsZero() {
					fmt.Fprintf(w, "ended\t%s\n", frame.Local(r.Ended))
				}
				for _, name := range slices.Sorted(maps.Keys(r.Params)) {
					fmt.Fprintf(w, "parameter\t%s\t%s\n", terminal.Line(name), terminal.Line(value.Text(r.Params[name])))
				}
				for _, name := range slices.Sorted(maps.Keys(r.Outputs)) {
					fmt.Fprintf(w, "output\t%s\t%s\n", terminal.Line(name), terminal.Line(value.Text(r.Outputs[name])))
				}
				for _, name := range r.Withheld {
					fmt.Fprintf(w, "output\t%s\t(it holds something sensitive)\n", terminal.Line(name))
				}
				return w.Flush()
			})
		},
	}
	frame.OutputFlag(c, &output, "text", frame.AsJSON, frame.AsYAML)
	return c
}
