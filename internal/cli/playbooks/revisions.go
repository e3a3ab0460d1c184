package playbooks

import (
	"cmp"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/client"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/terminal"
	"github.com/tendhq/tend/internal/wire"
)

func (p commands) revisionsCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "revisions", GroupID: frame.GroupServe, Short: "Show what is live of the repositories of a server, keep it, or go back", Args: frame.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(p.revisionsList(), p.revisionsLook(), p.revisionsPin(), p.revisionsUnpin(), p.revisionsRollback())
	return c
}

func (p commands) revisionsList() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use: "list [REPOSITORY]", Short: "List repositories with what is live of them, or the revisions of one", Args: frame.SomeArgs(0, 1, ""),
		RunE: func(c *cobra.Command, args []string) error {
			return p.Ask(c.Context(), func(api *client.API) error {
				all, err := api.ListRepositories(c.Context())
				if err != nil {
					return err
				}
				if len(args) == 0 {
					if output != "text" {
						return p.Data(output, all)
					}
					return p.showRepositories(all.Repositories)
				}
				revs, err := api.ListRevisions(c.Context(), args[0], client.ListRevisionsQuery{})
				if err != nil {
					return err
				}
				if output != "text" {
					return p.Data(output, revs)
				}
				if err := p.showRevisions(revs.Revisions); err != nil {
					return err
				}
				for i := range all.Repositories {
					if all.Repositories[i].Name == args[0] {
						p.troubles(&all.Repositories[i])
					}
				}
				return nil
			})
		},
	}
	frame.OutputFlag(c, &output, "text", frame.AsJSON)
	return c
}

func short(id string) string { return terminal.Line(id[:min(len(id), 12)]) }

func (p commands) showRepositories(all []wire.Repository) error {
	if len(all) == 0 {
		p.Talk("no repositories are configured")
		return nil
	}
	w := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "REPOSITORY\tPROJECT\tENVIRONMENT\tLIVE\tSINCE\tSTATE")
	for i := range all {
		r := &all[i]
		live, since := "nothing", ""
		if r.Live != nil {
			live, since = short(r.Live.ID), r.Live.LiveSince.UTC().Format(time.RFC3339)
		}
		var state []string
		if r.Pin != nil {
			state = append(state, "pinned by "+terminal.Line(r.Pin.By))
		}
		switch {
		case r.Problem != "":
			state = append(state, "cannot be read")
		case r.Refused != nil:
			state = append(state, "newer one refused")
		case r.Waiting != nil:
			state = append(state, "newer one waits")
		case r.Live != nil:
			state = append(state, "up to date")
		default:
			state = append(state, "not looked at yet")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", terminal.Line(r.Name), terminal.Line(r.Project), cmp.Or(terminal.Line(r.Environment), "-"), live, cmp.Or(since, "-"), strings.Join(state, ", "))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for i := range all {
		p.troubles(&all[i])
	}
	return nil
}

// troubles says why what is live is not what a repository holds.
func (p commands) troubles(r *wire.Repository) {
	name := terminal.Line(r.Name)
	if r.Problem != "" {
		p.Talk("%s cannot be read since %s: %s", name, r.Since.UTC().Format(time.RFC3339), terminal.Line(r.Problem))
	}
	if x := r.Refused; x != nil {
		p.Talk("%s: revision %s is refused:", name, short(x.ID))
		for _, f := range x.Findings {
			if f.Severity != string(document.Error) {
				continue
			}
			place := document.Place{File: f.File, Line: f.Line, Column: f.Column}
			line := fmt.Sprintf("  %s: %s [%s]", place, f.Message, f.Rule)
			if f.Remedy != "" {
				line += " (" + f.Remedy + ")"
			}
			p.Talk("%s", terminal.Line(line))
		}
	}
	if x := r.Pin; x != nil {
		p.Talk("%s: revision %s is pinned since %s by %s %s", name, short(x.Revision), x.At.UTC().Format(time.RFC3339), terminal.Line(x.By), terminal.Line(x.Why))
	}
	if x := r.Waiting; x != nil {
		p.Talk("%s: revision %s waits: tend revisions unpin %s", name, short(x.ID), name)
	}
	if x := r.Live; x != nil && x.Rewritten != "" {
		p.Talk("%s: history was rewritten: %s is not part of %s", name, short(x.Rewritten), short(x.ID))
	}
}

func (p commands) showRevisions(all []wire.Revision) error {
	w := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "REVISION\tSTATUS\tSEEN\tAUTHOR\tTITLE")
	for _, r := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", short(r.ID), r.Status, r.Seen.UTC().Format(time.RFC3339), cmp.Or(terminal.Line(r.Author), "-"), terminal.Line(r.Title))
	}
	return w.Flush()
}

// nowLive says what is live of a repository after something was done.
func (p commands) nowLive(r wire.Repository) {
	if r.Live == nil {
		p.Talk("nothing of %s is live", terminal.Line(r.Name))
	} else {
		p.Talk("live of %s: %s %s", terminal.Line(r.Name), short(r.Live.ID), terminal.Line(r.Live.Title))
	}
}

func (p commands) revisionsLook() *cobra.Command {
	return &cobra.Command{
		Use: "look REPOSITORY", Short: "Look at a repository now", Args: frame.SomeArgs(1, 1, "the name of a repository: `tend revisions list` shows them"),
		RunE: func(c *cobra.Command, args []string) error {
			return p.Ask(c.Context(), func(api *client.API) error {
				r, err := api.LookAtRepository(c.Context(), args[0])
				if err != nil {
					return err
				}
				p.nowLive(r)
				p.troubles(&r)
				if !r.Healthy {
					return frame.Exit(frame.ExitFindings)
				}
				return nil
			})
		},
	}
}

func (p commands) revisionsPin() *cobra.Command {
	var why string
	c := &cobra.Command{
		Use: "pin REPOSITORY REVISION", Short: "Keep one revision live, whatever comes", Args: frame.SomeArgs(2, 2, "the name of a repository and a revision: `tend revisions list` shows them"),
		Long: "Makes a revision live that is remembered, also while Git is away, and keeps it live until `tend revisions unpin`. Runs go on\nwith what they began with.",
		RunE: func(c *cobra.Command, args []string) error {
			return p.Ask(c.Context(), func(api *client.API) error {
				r, err := api.PinRevision(c.Context(), args[0], wire.PinRequest{Revision: args[1], Why: why})
				if err == nil {
					p.nowLive(r)
				}
				return err
			})
		},
	}
	c.Flags().StringVar(&why, "why", "", "the reason, which is recorded")
	return c
}

func (p commands) revisionsUnpin() *cobra.Command {
	var why string
	c := &cobra.Command{
		Use: "unpin REPOSITORY", Short: "Follow the newest good revision again", Args: frame.SomeArgs(1, 1, "the name of a repository: `tend revisions list` shows them"),
		RunE: func(c *cobra.Command, args []string) error {
			return p.Ask(c.Context(), func(api *client.API) error {
				r, err := api.UnpinRevision(c.Context(), args[0], wire.Reason{Why: why})
				if err == nil {
					p.nowLive(r)
				}
				return err
			})
		},
	}
	c.Flags().StringVar(&why, "why", "", "the reason, which is recorded")
	return c
}

func (p commands) revisionsRollback() *cobra.Command {
	var why string
	c := &cobra.Command{
		Use: "rollback REPOSITORY", Short: "Go back to the revision that was live before, and pin it", Args: frame.SomeArgs(1, 1, "the name of a repository: `tend revisions list` shows them"),
		Long: "Pins the revision that was live before the one that is, also while Git is away. A second one goes a step further back.",
		RunE: func(c *cobra.Command, args []string) error {
			return p.Ask(c.Context(), func(api *client.API) error {
				r, err := api.RollbackRevision(c.Context(), args[0], wire.Reason{Why: why})
				if err == nil {
					p.nowLive(r)
				}
				return err
			})
		},
	}
	c.Flags().StringVar(&why, "why", "", "the reason, which is recorded")
	return c
}
