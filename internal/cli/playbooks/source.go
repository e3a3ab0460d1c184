package playbooks

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/client"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/terminal"
	"github.com/tendhq/tend/internal/wire"
)

const aPlaybook = "the name of a playbook: `tend playbooks list` shows them"

func (p commands) playbooksSource() *cobra.Command {
	var q client.PlaybookSourceQuery
	c := &cobra.Command{
		Use: "source PLAYBOOK", Short: "Print the text of a live playbook, now or in another revision", Args: frame.SomeArgs(1, 1, aPlaybook),
		RunE: func(c *cobra.Command, args []string) error {
			return p.Ask(c.Context(), func(api *client.API) error {
				x, err := api.PlaybookSource(c.Context(), args[0], q)
				if err != nil {
					return err
				}
				p.Talk("%s of %s, revision %.12s%s", terminal.Line(x.File), terminal.Line(x.Repository), x.Revision.ID, writtenBy(x.Revision.Author))
				_, err = fmt.Fprint(p.Out, terminal.Clean(x.Text))
				return err
			})
		},
	}
	c.Flags().StringVar(&q.Project, "project", "", "its project")
	c.Flags().StringVar(&q.Revision, "revision", "", "the revision, in place of the live one")
	return c
}

func writtenBy(author string) string {
	if author == "" {
		return ""
	}
	return " by " + terminal.Line(author)
}

func (p commands) playbooksVersions() *cobra.Command {
	var output string
	var q client.PlaybookVersionsQuery
	c := &cobra.Command{
		Use: "versions PLAYBOOK", Short: "List the revisions in which a playbook changed", Args: frame.SomeArgs(1, 1, aPlaybook),
		RunE: func(c *cobra.Command, args []string) error {
			return p.Ask(c.Context(), func(api *client.API) error {
				all, err := api.PlaybookVersions(c.Context(), args[0], q)
				if err != nil {
					return err
				}
				if output != "text" {
					return p.Data(output, all)
				}
				w := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "REVISION\tWHEN\tDOES\tAUTHOR\tTITLE")
				for _, v := range all.Versions {
					does := "the same"
					if v.Does {
						does = "something else"
					}
					name := fmt.Sprintf("%.12s", v.Revision)
					if v.Live {
						name += " (live)"
					}
					when := v.Committed
					if when.IsZero() {
						when = v.LiveSince
					}
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", name, when.UTC().Format(time.RFC3339), does, cmp.Or(terminal.Line(v.Author), "-"), cmp.Or(terminal.Line(v.Title), "-"))
				}
				return w.Flush()
			})
		},
	}
	c.Flags().StringVar(&q.Project, "project", "", "its project")
	frame.OutputFlag(c, &output, "text", frame.AsJSON)
	return c
}

func (p commands) playbooksDiff() *cobra.Command {
	var q client.PlaybookVersionsQuery
	c := &cobra.Command{
		Use: "diff PLAYBOOK [OLD [NEW]]", Short: "Show how a playbook changed between two of its versions", Args: frame.SomeArgs(1, 3, aPlaybook),
		Long: "Without revisions it is the newest version and the one before it; with one, that and the newest.",
		RunE: func(c *cobra.Command, args []string) error {
			return p.Ask(c.Context(), func(api *client.API) error {
				all, err := api.PlaybookVersions(c.Context(), args[0], q)
				if err != nil {
					return err
				}
				old, now, err := twoOf(all.Versions, args[1:])
				if err != nil {
					return err
				}
				d := diff.Diff(label(old), []byte(old.Text), label(now), []byte(now.Text))
				if len(d) == 0 {
					p.Talk("the text is the same")
					return nil
				}
				_, err = fmt.Fprint(p.Out, terminal.Clean(string(d)))
				return err
			})
		},
	}
	c.Flags().StringVar(&q.Project, "project", "", "its project")
	return c
}

func label(v *wire.PlaybookVersion) string { return fmt.Sprintf("%s@%.12s", v.File, v.Revision) }

// twoOf chooses the versions that are compared.
func twoOf(all []wire.PlaybookVersion, names []string) (old, now *wire.PlaybookVersion, err error) {
	find := func(name string) (*wire.PlaybookVersion, error) {
		for i := range all {
			if strings.HasPrefix(all[i].Revision, name) {
				return &all[i], nil
			}
		}
		return nil, fault.New(fault.NotFound, "the playbook has no version %q", name).WithNext("`tend playbooks versions` lists them")
	}
	if len(all) < 2 && len(names) < 2 {
		return nil, nil, fault.New(fault.NotFound, "there is no version before this one").WithNext("`tend playbooks versions` lists them")
	}
	switch len(names) {
	case 0:
		return &all[1], &all[0], nil
	case 1:
		old, err = find(names[0])
		return old, &all[0], err
	default:
		if old, err = find(names[0]); err == nil {
			now, err = find(names[1])
		}
		return old, now, err
	}
}

func (p commands) playbooksPropose() *cobra.Command {
	var repository, as, out string
	b := wire.Propose{}
	c := &cobra.Command{
		Use: "propose FILE --repository NAME --title TEXT", Short: "Have a change of a file reviewed: a new branch, or a patch", Args: frame.SomeArgs(1, 1, "the file with the text"),
		Long: "What is live does not change. The server pushes a branch where it has something to push with, and you may publish; else you get a\n" +
			"patch for `git apply` or `git am`. --base is the revision that the text was made from (`tend playbooks source` names it); leave\n" +
			"it out for a new file.",
		RunE: func(c *cobra.Command, args []string) error {
			text, err := os.ReadFile(args[0])
			if err != nil {
				return fault.Wrap(fault.NotFound, err, "read the text")
			}
			b.Text, b.File = string(text), cmp.Or(as, filepath.ToSlash(args[0]))
			return p.Ask(c.Context(), func(api *client.API) error {
				x, err := api.ProposeChange(c.Context(), repository, b)
				if err != nil {
					return err
				}
				for i := range x.Findings {
					f := &x.Findings[i]
					p.Talk("%s:%d: %s: %s", terminal.Line(f.File), f.Line, f.Severity, terminal.Line(f.Message))
				}
				if x.How == "branch" {
					p.Talk("pushed the branch %s (%.12s)", terminal.Line(x.Branch), x.Commit)
					_, err = fmt.Fprintln(p.Out, terminal.Line(cmp.Or(x.Address, x.Branch)))
					return err
				}
				if out != "" {
					if err := os.WriteFile(out, []byte(x.Patch), 0o600); err != nil {
						return fault.Wrap(fault.Unavailable, err, "write %s", out)
					}
					p.Talk("wrote %s: git apply %s", out, out)
					return nil
				}
				_, err = fmt.Fprint(p.Out, x.Patch)
				return err
			})
		},
	}
	c.Flags().StringVar(&repository, "repository", "", "the repository: `tend revisions list` shows them")
	c.Flags().StringVar(&as, "as", "", "the file's name in the repository; without it as on the command line")
	c.Flags().StringVar(&b.Base, "base", "", "the revision that the text was made from")
	c.Flags().StringVar(&b.Title, "title", "", "what it does and why, in a line")
	c.Flags().StringVar(&b.Why, "why", "", "more about it")
	c.Flags().StringVar(&b.Branch, "branch", "", "the last part of the branch's name")
	c.Flags().BoolVar(&b.Patch, "patch", false, "a patch, also where a branch could be pushed")
	c.Flags().BoolVar(&b.Anyway, "anyway", false, "also when the text has errors")
	c.Flags().StringVar(&out, "out", "", "write a patch into this file")
	_ = c.MarkFlagRequired("repository")
	_ = c.MarkFlagRequired("title")
	return c
}

func (p commands) searchCommand() *cobra.Command {
	var output string
	q := client.SearchQuery{}
	c := &cobra.Command{
		Use: "search WORD ...", Short: "Find runs, tasks, incidents, events, playbooks and more on a server", GroupID: frame.GroupServe, Args: frame.SomeArgs(1, 50, "what to look for"),
		RunE: func(c *cobra.Command, args []string) error {
			q.Q = strings.Join(args, " ")
			return p.Ask(c.Context(), func(api *client.API) error {
				found, err := api.Search(c.Context(), q)
				if err != nil {
					return err
				}
				if output != "text" {
					return p.Data(output, found)
				}
				if len(found.Hits) == 0 {
					p.Talk("nothing was found")
					return nil
				}
				w := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
				for i := range found.Hits {
					h := &found.Hits[i]
					what := terminal.Line(h.Title)
					if h.Text != "" {
						what += "  " + terminal.Line(h.Text)
					}
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", h.Kind, terminal.Line(h.ID), cmp.Or(terminal.Line(h.Status), "-"), what)
				}
				if err := w.Flush(); err != nil {
					return err
				}
				if found.More {
					p.Talk("there may be more: say more of it")
				}
				return nil
			})
		},
	}
	frame.OutputFlag(c, &output, "text", frame.AsJSON)
	return c
}
