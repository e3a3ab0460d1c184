package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/client"
	"github.com/tendhq/tend/internal/dispatch"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/incident"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/terminal"
	"github.com/tendhq/tend/internal/wire"
)

func (p *process) eventsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "events",
		Short:   "Look at what came from outside and what became of it; send events",
		GroupID: groupRun,
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(p.eventsListCommand(), p.eventsShowCommand(), p.eventsReplayCommand(), p.eventsReportCommand(), p.eventsSendCommand())
	return c
}

// served runs f with a server that drives the data directory: events and incidents are its.
func (p *process) served(ctx context.Context, f func(*app.Session, *client.API) error) error {
	s, err := p.open(ctx, app.Options{Brief: true, Via: "terminal"})
	return with(s, err, func() error {
		api := s.API()
		if api == nil {
			return fault.New(fault.Unavailable, "no server drives this data directory: events and incidents are a server's").WithNext("tend serve")
		}
		return f(s, api)
	})
}

// rowsFlags are those of every list of rows.
type rowsFlags struct {
	output, cursor, project string
	status, known           []string
	limit                   int
	all                     bool
}

func (f *rowsFlags) register(c *cobra.Command, statuses ...string) {
	f.known = statuses
	c.Flags().StringSliceVar(&f.status, "status", nil, "only these: "+strings.Join(statuses, ", "))
	c.Flags().StringVar(&f.project, "project", "", "only of this project")
	c.Flags().IntVar(&f.limit, "limit", 50, "how many")
	c.Flags().StringVar(&f.cursor, "cursor", "", "go on where an earlier list ended")
	c.Flags().BoolVar(&f.all, "all", false, "list all of them")
	outputFlag(c, &f.output, asTable, asJSON, asYAML, asName)
}

// rows reads what the flags ask for.
func (p *process) rows(ctx context.Context, f *rowsFlags, filter store.Filter) ([]store.Row, error) {
	if f.limit < 1 {
		return nil, fault.New(fault.Invalid, "--limit %d: at least 1 can be listed", f.limit)
	}
	for _, s := range f.status {
		if !slices.Contains(f.known, s) {
			return nil, fault.New(fault.Invalid, "--status: there is no %q here", s).WithNext("one or several of: %s", strings.Join(f.known, ","))
		}
	}
	if p.nothingYet() {
		return nil, nil
	}
	filter.Status, filter.Project, filter.Limit, filter.Cursor = f.status, f.project, min(f.limit, 1000), f.cursor
	var rows []store.Row
	err := p.look(ctx, func(s *app.Session) error {
		for {
			page, err := s.Engine.Rows(ctx, filter)
			if err != nil {
				return err
			}
			rows = append(rows, page.Rows...)
			if page.Next == "" || !f.all && len(rows) >= f.limit {
				if page.Next != "" {
					p.talk("there are more: --cursor %s, or --all", page.Next)
				}
				return nil
			}
			filter.Cursor = page.Next
		}
	})
	return rows, err
}

// eventItem is an event in a list of JSON or YAML.
type eventItem struct {
	ID       string `json:"id"`
	Name     string `json:"name,omitempty"`
	Received string `json:"received"`
	dispatch.Row
}

func (p *process) eventsListCommand() *cobra.Command {
	var f rowsFlags
	var group, run string
	c := &cobra.Command{
		Use:   "list",
		Short: "List events with what became of them, newest first",
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			rows, err := p.rows(c.Context(), &f, store.Filter{Kind: "event", Tag: group, Parent: run})
			if err != nil {
				return err
			}
			t := table{Head: []string{"EVENT", "SOURCE", "NAME", "RECEIVED", "OUTCOME", "WHY"}, Empty: "there are no such events"}
			data := make([]eventItem, 0, len(rows))
			for _, r := range rows {
				var b dispatch.Row
				if decodeBody(r, &b) != nil {
					b.Decision.Outcome = r.Status
				}
				t.Rows = append(t.Rows, []string{r.ID, b.Source, r.Name, r.At.Local().Format("2006-01-02 15:04:05"), b.Decision.Outcome, b.Decision.Why})
				t.Names = append(t.Names, r.ID)
				data = append(data, eventItem{r.ID, r.Name, r.At.UTC().Format("2006-01-02T15:04:05.000Z"), b})
			}
			t.Data = data
			return p.list(f.output, t)
		},
	}
	f.register(c, "started", "joined", "held", "queued", "unmatched", "stale", "refused", "woke", "resolves")
	c.Flags().StringVar(&group, "group", "", "only of this group: one alert over its life, one branch")
	c.Flags().StringVar(&run, "run", "", "only those that led to this run")
	return c
}

func (p *process) eventsShowCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "show EVENT",
		Short: "Show an event, with its data and what became of it",
		Args:  someArgs(1, 1, "an event: its id, a beginning of it, or `last`"),
		RunE: func(c *cobra.Command, args []string) error {
			return p.served(c.Context(), func(s *app.Session, api *client.API) error {
				row, err := findRow(c.Context(), s.Engine, "event", args[0], "tend events list")
				if err != nil {
					return err
				}
				e, err := api.ShowEvent(c.Context(), row.ID)
				if err != nil {
					return err
				}
				if output != "text" {
					return p.data(output, e)
				}
				return p.showEvent(&e)
			})
		},
	}
	outputFlag(c, &output, "text", asJSON, asYAML)
	return c
}

func (p *process) showEvent(e *wire.EventDetail) error {
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

func (p *process) eventsReplayCommand() *cobra.Command {
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
				return noArgs(c, args)
			}
			return someArgs(1, -1, "an event: its id, a beginning of it, or `last`; or --unmatched")(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			return p.served(c.Context(), func(s *app.Session, api *client.API) error {
				var out []wire.Receipt
				if unmatched {
					var err error
					if args, err = dispatch.Unmatched(c.Context(), s.Engine, name, time.Now().Add(-since)); err != nil {
						return err
					}
				}
				for _, a := range args {
					row, err := findRow(c.Context(), s.Engine, "event", a, "tend events list")
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
	outputFlag(c, &output, asTable, asJSON, asYAML)
	return c
}

func (p *process) receipts(output string, list []wire.Receipt) error {
	t := table{Head: []string{"EVENT", "OUTCOME", "RUN", "INCIDENT", "WHY"}, Data: list}
	for _, r := range list {
		t.Rows = append(t.Rows, []string{r.Event, string(r.Outcome), r.Run, r.Incident, r.Why})
	}
	return p.list(output, t)
}

func (p *process) eventsReportCommand() *cobra.Command {
	var output, file string
	var fields, labels []string
	r := wire.Report{}
	c := &cobra.Command{
		Use:   "report KEY",
		Short: "Tell the server of an event by hand: triggers decide about it",
		Args:  someArgs(1, 1, "the key of the event: the same key again is the same event"),
		RunE: func(c *cobra.Command, args []string) error {
			data, err := p.values(file, "-f", fields)
			if err != nil {
				return err
			}
			if !slices.Contains([]string{"", "firing", "resolved", "vanished"}, r.Status) {
				return fault.New(fault.Invalid, "--status: no event has the status %q", r.Status).WithNext("firing, resolved or vanished")
			}
			r.Key, r.Data = args[0], typed(data)
			if r.Labels, err = pairs("--label", labels); err != nil {
				return err
			}
			return p.served(c.Context(), func(_ *app.Session, api *client.API) error {
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
	outputFlag(c, &output, asTable, asJSON, asYAML)
	return c
}

// pairs reads name=value texts.
func pairs(flag string, list []string) (map[string]string, error) {
	if len(list) == 0 {
		return nil, nil
	}
	out := map[string]string{}
	for _, x := range list {
		k, v, ok := strings.Cut(x, "=")
		if !ok || k == "" {
			return nil, fault.New(fault.Invalid, "%s %q: it is not name=value", flag, x)
		}
		out[k] = v
	}
	return out, nil
}

// severityFlag reads a severity that was given.
func severityFlag(text string) (string, error) {
	s, ok := incident.ParseSeverity(text)
	if !ok {
		return "", fault.New(fault.Invalid, "--severity: %q is none", text).WithNext("say critical, major, minor or info")
	}
	return string(s), nil
}
