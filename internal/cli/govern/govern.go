package govern

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/client"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/terminal"
	"github.com/tendhq/tend/internal/wire"
)

// scopeFlags say what a halt or a mode is about.
type scopeFlags struct{ project, environment, playbook string }

func (f *scopeFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.project, "project", "", "only this project")
	c.Flags().StringVar(&f.environment, "environment", "", "only this environment")
	c.Flags().StringVar(&f.playbook, "playbook", "", "only these playbooks; a glob")
}

func (p commands) haltCommand() *cobra.Command {
	var f scopeFlags
	var target, why string
	c := &cobra.Command{
		Use:     "halt",
		GroupID: frame.GroupServe,
		Short:   "Stop everything, or a part of it: no new effect begins",
		Long: "From when this answers no new effect begins within the scope, also none that undoes; reads go on. What acts already ends as\n" +
			"it ends. A halt survives restarts and ends with `tend unhalt`. When nothing answers any more, a file named halt in the\n" +
			"server's data directory does the same for as long as it is there.",
		Args: frame.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.Ask(c.Context(), func(api *client.API) error {
				h, err := api.Halt(c.Context(), wire.HaltRequest{Project: f.project, Environment: f.environment, Playbook: f.playbook, Target: target, Why: why})
				if err != nil {
					return err
				}
				st, err := api.Status(c.Context())
				if err != nil {
					return err
				}
				p.Talk("%s is halted (%s): no new effect begins. %s in flight go on to their end.", terminal.Line(h.Scope()), h.ID, frame.Count(st.InFlight, "step"))
				return nil
			})
		},
	}
	f.register(c)
	c.Flags().StringVar(&target, "target", "", "only these targets; a glob")
	c.Flags().StringVar(&why, "why", "", "the reason, which everybody who is held back reads")
	return c
}

func (p commands) modeCommand() *cobra.Command {
	var f scopeFlags
	var why string
	c := &cobra.Command{
		Use:       "mode [observe|ask|auto]",
		GroupID:   frame.GroupServe,
		Short:     "Show or set what becomes of mutations on a server",
		Long:      "observe: reads run, and what would have been changed is recorded. ask: a person decides on each change. auto: changes are\nmade, within the guards. The narrowest setting counts: of a playbook, then of an environment, a project, the server.",
		Args:      oneMode,
		ValidArgs: []string{"observe", "ask", "auto"},
		RunE: func(c *cobra.Command, args []string) error {
			return p.Ask(c.Context(), func(api *client.API) error {
				if len(args) == 0 {
					r, err := api.Rules(c.Context())
					if err != nil {
						return err
					}
					w := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
					fmt.Fprintln(w, "MODE\tSCOPE")
					for _, m := range r.Modes {
						fmt.Fprintf(w, "%s\t%s\n", m.Mode, terminal.Line(m.Scope()))
					}
					return w.Flush()
				}
				m, err := api.SetMode(c.Context(), wire.ModeRequest{Mode: args[0], Project: f.project, Environment: f.environment, Playbook: f.playbook, Why: why})
				if err != nil {
					return err
				}
				p.Talk("the mode of %s is %s", terminal.Line(m.Scope()), m.Mode)
				return nil
			})
		},
	}
	f.register(c)
	c.Flags().StringVar(&why, "why", "", "the reason, which is recorded")
	return c
}

// oneMode wants at most one argument, a mode.
func oneMode(c *cobra.Command, args []string) error {
	if err := frame.SomeArgs(0, 1, "")(c, args); err != nil {
		return err
	}
	if len(args) == 1 && !slices.Contains(c.ValidArgs, args[0]) {
		return fault.New(fault.Invalid, "there is no mode %q", args[0]).WithNext("write observe, ask or auto")
	}
	return nil
}

func (p commands) guardsCommand() *cobra.Command {
	c := &cobra.Command{Use: "guards", GroupID: frame.GroupServe, Short: "Show what may stop an effect on a server, and loosen it for a while"}
	var output string
	list := &cobra.Command{
		Use: "list", Short: "List guards, halts and overrides", Args: frame.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.Ask(c.Context(), func(api *client.API) error {
				r, err := api.Rules(c.Context())
				if err != nil {
					return err
				}
				if output != "text" {
					return p.Data(output, r)
				}
				w := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "GUARD\tPROJECT\tRULE\tTHEN\t")
				for _, g := range r.Guards {
					loose := ""
					for _, o := range r.Overrides {
						if o.Guard == g.Name && o.Project == g.Project {
							loose = fmt.Sprintf("loosened until %s by %s: %s", o.Until.UTC().Format(time.RFC3339), terminal.Line(o.By), terminal.Line(o.Why))
						}
					}
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", terminal.Line(g.Name), terminal.Line(g.Project), terminal.Line(cmp.Or(g.Says, g.Rule)), g.Then, loose)
				}
				if err := w.Flush(); err != nil {
					return err
				}
				for _, h := range r.Halts {
					p.Talk("halted: %s, since %s by %s (%s) %s", terminal.Line(h.Scope()), h.At.UTC().Format(time.RFC3339), terminal.Line(h.By), h.ID, terminal.Line(h.Why))
				}
				for _, what := range slices.Sorted(maps.Keys(r.Blind)) {
					p.Talk("silent: %s, since %s", terminal.Line(what), r.Blind[what].UTC().Format(time.RFC3339))
				}
				for _, x := range r.Changes {
					p.Talk("approved change: %s", terminal.Line(x.String()))
				}
				return nil
			})
		},
	}
	frame.OutputFlag(list, &output, "text", frame.AsJSON)
	var req wire.OverrideRequest
	var lasts time.Duration
	loosen := &cobra.Command{
		Use: "override GUARD", Short: "Loosen a guard for a while", Args: frame.SomeArgs(1, 1, "the name of a guard: `tend guards list` shows them"),
		Long: "An override needs a reason, ends by itself (a week at most), and is recorded with who made it.",
		RunE: func(c *cobra.Command, args []string) error {
			return p.Ask(c.Context(), func(api *client.API) error {
				req.Guard, req.Minutes = args[0], int64((lasts+time.Minute-1)/time.Minute)
				o, err := api.Override(c.Context(), req)
				if err != nil {
					return err
				}
				p.Talk("guard %s is loosened until %s (%s)", terminal.Line(o.Guard), o.Until.UTC().Format(time.RFC3339), o.ID)
				return nil
			})
		},
	}
	loosen.Flags().DurationVar(&lasts, "for", time.Hour, "how long")
	loosen.Flags().StringVar(&req.Project, "project", "", "of this project")
	loosen.Flags().StringVar(&req.Playbook, "playbook", "", "only for these playbooks; a glob")
	loosen.Flags().StringArrayVar(&req.Targets, "target", nil, "only for these targets; a glob; can be given several times")
	loosen.Flags().StringVar(&req.Why, "why", "", "the reason")
	var over wire.ChangeEnd
	end := &cobra.Command{
		Use: "end OVERRIDE|CHANGE", Short: "End an override or an approved change before its time", Args: frame.SomeArgs(1, 1, "the id of an override, or a change"),
		RunE: func(c *cobra.Command, args []string) error {
			return p.Ask(c.Context(), func(api *client.API) (err error) {
				if over.ID = args[0]; strings.HasPrefix(over.ID, "ovr_") {
					_, err = api.EndOverride(c.Context(), wire.End{ID: over.ID, Why: over.Why})
				} else {
					_, err = api.EndChange(c.Context(), over)
				}
				return err
			})
		},
	}
	end.Flags().StringVar(&over.Project, "project", "", "of this project")
	end.Flags().StringVar(&over.Why, "why", "", "the reason, which is recorded")
	c.AddCommand(list, loosen, end, p.guardsApproveCommand())
	return c
}

func (p commands) guardsApproveCommand() *cobra.Command {
	var req wire.ChangeRequest
	var lasts, opens time.Duration
	c := &cobra.Command{
		Use: "approve CHANGE", Short: "Approve a change, for guards that want one", Args: frame.SomeArgs(1, 1, "what the change is called: CHG-4711"),
		Long: "A guard with `change` lets pass what an approved change covers, while that is open. Services approve changes by events: see\n`changes` of a source in the server's configuration.",
		RunE: func(c *cobra.Command, args []string) error {
			return p.Ask(c.Context(), func(api *client.API) error {
				req.ID, req.Minutes, req.From = args[0], int64((lasts+time.Minute-1)/time.Minute), time.Now().Add(opens)
				x, err := api.ApproveChange(c.Context(), req)
				if err != nil {
					return err
				}
				p.Talk("approved change: %s", terminal.Line(x.String()))
				return nil
			})
		},
	}
	f := c.Flags()
	f.DurationVar(&lasts, "for", time.Hour, "how long it is open")
	f.DurationVar(&opens, "in", 0, "when it opens, from now on")
	f.StringVar(&req.Project, "project", "", "of this project")
	f.StringArrayVar(&req.Playbooks, "playbook", nil, "only these playbooks; a glob; can be given several times")
	f.StringArrayVar(&req.Targets, "target", nil, "only these targets; a glob; can be given several times")
	f.StringVar(&req.Why, "why", "", "the reason, which is recorded")
	return c
}
