package events

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/client"
	"github.com/tendhq/tend/internal/dispatch"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/terminal"
	"github.com/tendhq/tend/internal/wire"
)

func (p commands) eventsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "events",
		Short:   "Look at what came from outside and what became of it; send events",
		GroupID: frame.GroupRun,
		Args:    frame.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(p.eventsListCommand(), p.eventsShowCommand(), p.eventsReplayCommand(), p.eventsReportCommand(), p.eventsSendCommand())
	return c
}

// eventItem is an event in a list of JSON or YAML.
type eventItem struct {
	ID       string `json:"id"`
	Name     string `json:"name,omitempty"`
	Received string `json:"received"`
	dispatch.Row
}

func (p commands) eventsListCommand() *cobra.Command {
	var f frame.RowsFlags
	var group, run, source, since, until string
	c := &cobra.Command{
		Use:   "list",
		Short: "List events with what became of them, newest first",
		Args:  frame.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			q := store.Filter{Kind: "event", Tag: group, Parent: run, Source: source}
			var err error
			if q.Since, err = frame.Moment("--since", since, p.Began); err != nil {
				return err
			}
			if q.Until, err = frame.Moment("--until", until, p.Began); err != nil {
				return err
			}
			rows, err := p.Rows(c.Context(), &f, q)
			if err != nil {
				return err
			}
			t := frame.Table{Head: []string{"EVENT", "SOURCE", "NAME", "RECEIVED", "OUTCOME", "WHY"}, Empty: "there are no such events"}
			data := make([]eventItem, 0, len(rows))
			for _, r := range rows {
				var b dispatch.Row
				if frame.DecodeBody(r, &b) != nil {
					b.Decision.Outcome = r.Status
				}
				t.Rows = append(t.Rows, []string{r.ID, b.Source, r.Name, r.At.Local().Format("2006-01-02 15:04:05"), b.Decision.Outcome, b.Decision.Why})
				t.Names = append(t.Names, r.ID)
				data = append(data, eventItem{r.ID, r.Name, r.At.UTC().Format("2006-01-02T15:04:05.000Z"), b})
			}
			t.Data = data
			return p.List(f.Output, t)
		},
	}
	f.Register(c, "started", "joined", "held", "queued", "unmatched", "stale", "refused", "woke", "resolves")
	c.Flags().StringVar(&source, "source", "", "only those that came from this source")
	c.Flags().StringVar(&since, "since", "", "from when on: a time, or so long ago")
	c.Flags().StringVar(&until, "until", "", "until when, likewise")
	c.Flags().StringVar(&group, "group", "", "only of this group: one alert over its life, one branch")
	c.Flags().StringVar(&run, "run", "", "only those that led to this run")
	return c
}

func (p commands) eventsShowCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "show EVENT",
		Short: "Show an event, with its data and what became of it",
		Args:  frame.SomeArgs(1, 1, "an event: its id, a beginning of it, or `last`"),
		RunE: func(c *cobra.Command, args []string) error {
			return p.Served(c.Context(), func(s *app.Session, api *client.API) error {
				row, err := frame.FindRow(c.Context(), s.Engine, "event", args[0], "tend events list")
				if err != nil {
					return err
				}
				e, err := api.ShowEvent(c.Context(), row.ID)
				if err != nil {
					return err
				}
				if output != "text" {
					return p.Data(output, e)
				}
				return p.showEvent(&e)
			})
		},
	}
	frame.OutputFlag(c, &output, "text", frame.AsJSON, frame.AsYAML)
	return c
}

func (p commands) showEvent(e *wire.EventDetail) error {
	var b strings.Builder
	line := func(what, text string) {
		if text != "" {
			fmt.Fprintf(&b, "%-10s %s\n", what, terminal.Line(text))
		}
	}
	line("event", e.ID)
	line("name", e.Name)
	line("source", e.Source+" ("+e.Kind+")")
	line("status", string(e.Status))
	line("at", e.At.Local().Format("2006-01-02 15:04:05"))
	line("group", e.Group)
	line("outcome", string(e.Decision.Outcome))
	line("why", e.Decision.Why)
	line("trigger", e.Decision.Trigger)
	line("run", e.Decision.Run)
	line("incident", e.Decision.Incident)
	line("guard", e.Guard)
	if !e.Decision.Until.IsZero() {
		line("until", e.Decision.Until.Local().Format("2006-01-02 15:04:05"))
	}
	line("led to by", strings.Join(e.Chain, " → "))
	if len(e.Data) > 0 {
		d, err := json.MarshalIndent(e.Data, "  ", "  ")
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "data\n  %s\n", terminal.Clean(string(d)))
	}
	_, err := fmt.Fprint(p.Out, b.String())
	return err
}

func (p commands) eventsReplayCommand() *cobra.Command {
	var output, name string
	var anyway, unmatched bool
	var since time.Duration
	c := &cobra.Command{
		Use:   "replay EVENT...",
		Short: "Decide about events again, by the triggers of now",
		Long: "Decide about events again, by the triggers of now. What started a run, or waits, is left alone. An event that is too old\nfor the trigger starts nothing, unless you say --anyway.\n\n" +
			"--unmatched takes, in place of names, all that no trigger matched, the oldest first.",
		Args: func(c *cobra.Command, args []string) error {
			if unmatched {
				return frame.NoArgs(c, args)
			}
			return frame.SomeArgs(1, -1, "an event: its id, a beginning of it, or `last`; or --unmatched")(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			return p.Served(c.Context(), func(s *app.Session, api *client.API) error {
				var out []wire.Receipt
				if unmatched {
					var err error
					if args, err = dispatch.Unmatched(c.Context(), s.Engine, name, time.Now().Add(-since)); err != nil {
						return err
					}
				}
				for _, a := range args {
					row, err := frame.FindRow(c.Context(), s.Engine, "event", a, "tend events list")
					if err != nil {
						return err
					}
					r, err := api.ReplayEvent(c.Context(), row.ID, wire.Replay{Anyway: anyway})
					if err != nil {
						return err
					}
					out = append(out, r)
				}
				return p.receipts(output, out)
			})
		},
	}
	c.Flags().BoolVar(&anyway, "anyway", false, "also when it is too old for the trigger")
	c.Flags().BoolVar(&unmatched, "unmatched", false, "all that no trigger matched")
	c.Flags().DurationVar(&since, "since", 24*time.Hour, "with --unmatched: those that came within this time")
	c.Flags().StringVar(&name, "name", "*", "with --unmatched: those that are called so; a glob")
	frame.OutputFlag(c, &output, frame.AsTable, frame.AsJSON, frame.AsYAML)
	return c
}

func (p commands) receipts(output string, list []wire.Receipt) error {
	t := frame.Table{Head: []string{"EVENT", "OUTCOME", "RUN", "INCIDENT", "WHY"}, Data: list}
	for _, r := range list {
		t.Rows = append(t.Rows, []string{r.Event, string(r.Outcome), r.Run, r.Incident, r.Why})
	}
	return p.List(output, t)
}

func (p commands) eventsReportCommand() *cobra.Command {
	var output, file string
	var fields, labels []string
	r := wire.Report{}
	c := &cobra.Command{
		Use:   "report KEY",
		Short: "Tell the server of an event by hand: triggers decide about it",
		Args:  frame.SomeArgs(1, 1, "the key of the event: the same key again is the same event"),
		RunE: func(c *cobra.Command, args []string) error {
			data, err := p.Values(file, "-f", fields)
			if err != nil {
				return err
			}
			if !slices.Contains([]string{"", "firing", "resolved", "vanished"}, r.Status) {
				return fault.New(fault.Invalid, "--status: no event has the status %q", r.Status).WithNext("firing, resolved or vanished")
			}
			r.Key, r.Data = args[0], frame.Typed(data)
			if r.Labels, err = frame.Pairs("--label", labels); err != nil {
				return err
			}
			return p.Served(c.Context(), func(_ *app.Session, api *client.API) error {
				out, err := api.ReportEvents(c.Context(), wire.Reports{Events: []wire.Report{r}})
				if err != nil {
					return err
				}
				return p.receipts(output, out.Receipts)
			})
		},
	}
	f := c.Flags()
	f.StringVar(&r.Kind, "kind", "person", "what kind of event it is")
	f.StringVar(&r.Name, "name", "", "its name, for people")
	f.StringVar(&r.Group, "group", "", "what belongs together; default: the key")
	f.StringVar(&r.Status, "status", "", "firing, resolved or vanished, of what begins and ends")
	f.IntVar(&r.Priority, "priority", 0, "a greater one goes first when there is too much")
	f.StringArrayVar(&labels, "label", nil, "label, name=value")
	f.StringArrayVarP(&fields, "field", "f", nil, "field of the event, name=value")
	f.StringVar(&file, "file", "", "file with the event's data, JSON or YAML")
	frame.OutputFlag(c, &output, frame.AsTable, frame.AsJSON, frame.AsYAML)
	return c
}
