package incidents

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/client"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/incident"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/terminal"
	"github.com/tendhq/tend/internal/wire"
)

const anIncident = "an incident: its id, a beginning of it, or `last`"

func (p commands) incidentsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "incidents",
		Short:   "Look at incidents and work on them",
		GroupID: frame.GroupRun,
		Args:    frame.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	reason := func(use, short string, call func(*client.API, context.Context, string, wire.Reason) (wire.Incident, error)) *cobra.Command {
		var why string
		return p.incidentCommand(use, short, func(c *cobra.Command) {
			c.Flags().StringVar(&why, "why", "", "the reason, for those who read it later")
		}, func(ctx context.Context, api *client.API, id string) (wire.Incident, error) {
			return call(api, ctx, id, wire.Reason{Why: why})
		})
	}
	c.AddCommand(
		p.incidentsListCommand(), p.incidentsShowCommand(), p.incidentsOpenCommand(), p.incidentsUpdateCommand(), p.incidentsTakeCommand(),
		p.incidentsCommentCommand(), p.incidentsPageCommand(), p.incidentsTodoCommand(), p.incidentsMergeCommand(), p.incidentsSplitCommand(),
		reason("resolve INCIDENT", "End an incident", (*client.API).ResolveIncident),
		reason("reopen INCIDENT", "Take the end of an incident back", (*client.API).ReopenIncident),
		p.incidentsExportCommand(),
	)
	return c
}

// incidentCommand is a command that changes one incident and shows how it stands then.
func (p commands) incidentCommand(use, short string, flags func(*cobra.Command), call func(context.Context, *client.API, string) (wire.Incident, error)) *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  frame.SomeArgs(1, 1, anIncident),
		RunE: func(c *cobra.Command, args []string) error {
			return p.onIncident(c.Context(), args[0], func(api *client.API, id string) error {
				i, err := call(c.Context(), api, id)
				if err != nil {
					return err
				}
				return p.changed(output, &i)
			})
		},
	}
	if flags != nil {
		flags(c)
	}
	frame.OutputFlag(c, &output, "text", frame.AsJSON, frame.AsYAML)
	return c
}

func (p commands) onIncident(ctx context.Context, arg string, f func(api *client.API, id string) error) error {
	return p.Served(ctx, func(s *app.Session, api *client.API) error {
		row, err := frame.FindRow(ctx, s.Engine, "incident", arg, "tend incidents list")
		if err != nil {
			return err
		}
		return f(api, row.ID)
	})
}

// changed says in a line how an incident stands.
func (p commands) changed(output string, i *wire.Incident) error {
	if output != "text" {
		return p.Data(output, i)
	}
	_, err := fmt.Fprintf(p.Out, "%s %s %s: %s\n", i.ID, i.Severity, i.Status, i.Title)
	return err
}

func (p commands) incidentsListCommand() *cobra.Command {
	var f frame.RowsFlags
	var key string
	var measures bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List incidents, newest first",
		Args:  frame.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			rows, err := p.Rows(c.Context(), &f, store.Filter{Kind: "incident", Tag: key})
			if err != nil {
				return err
			}
			t := frame.Table{Head: []string{"INCIDENT", "SEVERITY", "STATUS", "OPENED", "FIRING", "COMMANDER", "TITLE"}, Empty: "there are no such incidents"}
			data := make([]incident.Document, 0, len(rows))
			for _, r := range rows {
				var d incident.Document
				if frame.DecodeBody(r, &d) != nil {
					d = incident.Document{ID: r.ID, Title: r.Name, Status: incident.Status(r.Status), Opened: r.At}
				}
				t.Rows = append(t.Rows, []string{
					d.ID, string(d.Severity), string(d.Status), d.Opened.Local().Format("2006-01-02 15:04:05"), fmt.Sprint(d.Firing), d.Commander, d.Title,
				})
				t.Names = append(t.Names, d.ID)
				data = append(data, d)
			}
			t.Data = data
			if err := p.List(f.Output, t); err != nil {
				return err
			}
			if measures {
				p.measure(data)
			}
			return nil
		},
	}
	f.Register(c, "open", "acknowledged", "mitigated", "resolved", "merged")
	c.Flags().StringVar(&key, "key", "", "only with this key")
	c.Flags().BoolVar(&measures, "measures", false, "say how long it took to acknowledge and to resolve them, in the mean")
	return c
}

// measure says the mean times of a list.
func (p commands) measure(list []incident.Document) {
	m := incident.MeasureDocuments(list)
	p.Talk("%d incidents; acknowledged: %d, after %s; resolved: %d, after %s", m.Count, m.Taken, frame.Span(m.MTTA.Round(time.Second)), m.Resolved, frame.Span(m.MTTR.Round(time.Second)))
}

func (p commands) incidentsShowCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "show INCIDENT",
		Short: "Show an incident with its alerts, its runs and its timeline",
		Args:  frame.SomeArgs(1, 1, anIncident),
		RunE: func(c *cobra.Command, args []string) error {
			return p.onIncident(c.Context(), args[0], func(api *client.API, id string) error {
				i, err := api.ShowIncident(c.Context(), id)
				if err != nil {
					return err
				}
				if output != "text" {
					return p.Data(output, i)
				}
				_, err = fmt.Fprint(p.Out, i.Text(time.Local))
				return err
			})
		},
	}
	frame.OutputFlag(c, &output, "text", frame.AsJSON, frame.AsYAML)
	return c
}

func (p commands) incidentsOpenCommand() *cobra.Command {
	var output string
	var labels, links []string
	b := wire.IncidentOpen{}
	c := &cobra.Command{
		Use:   "open TITLE",
		Short: "Open an incident",
		Args:  frame.SomeArgs(1, 1, "a title"),
		RunE: func(c *cobra.Command, args []string) error {
			var err error
			b.Title = args[0]
			if b.Labels, err = frame.Pairs("--label", labels); err != nil {
				return err
			}
			if b.Severity, err = frame.SeverityFlag(b.Severity); err != nil {
				return err
			}
			b.Links = linksOf(links)
			return p.Served(c.Context(), func(_ *app.Session, api *client.API) error {
				i, err := api.OpenIncident(c.Context(), b)
				if err != nil {
					return err
				}
				return p.changed(output, &i)
			})
		},
	}
	f := c.Flags()
	f.StringVar(&b.Severity, "severity", "minor", "critical, major, minor or info")
	f.StringVar(&b.Summary, "summary", "", "what is known")
	f.StringVar(&b.Key, "key", "", "events with the same key join it; an open one with the key is given in its place")
	f.StringVar(&b.Project, "project", "", "project that it belongs to")
	f.StringArrayVar(&labels, "label", nil, "label, name=value")
	f.StringArrayVar(&links, "link", nil, "web address, or name=address")
	frame.OutputFlag(c, &output, "text", frame.AsJSON, frame.AsYAML)
	return c
}

// linksOf reads addresses, with a name before them or not.
func linksOf(list []string) []entry.Link {
	var out []entry.Link
	for _, l := range list {
		name, url, ok := strings.Cut(l, "=")
		if !ok || strings.Contains(name, "/") { // a = of the address itself
			name, url = "", l
		}
		out = append(out, entry.Link{Name: name, URL: url})
	}
	return out
}

func (p commands) incidentsUpdateCommand() *cobra.Command {
	var title, severity, status, summary, commander, next, why string
	var within time.Duration
	var responders, stakeholders, labels, links []string
	var flags func(string) bool
	return p.incidentCommand("update INCIDENT", "Change an incident, and say what is next", func(c *cobra.Command) {
		f := c.Flags()
		flags = f.Changed
		f.StringVar(&title, "title", "", "title")
		f.StringVar(&severity, "severity", "", "critical, major, minor or info")
		f.StringVar(&status, "status", "", "open, acknowledged or mitigated")
		f.StringVar(&summary, "summary", "", "what is known")
		f.StringVar(&commander, "commander", "", "who leads")
		f.StringSliceVar(&responders, "responders", nil, "who works on it, all of them")
		f.StringSliceVar(&stakeholders, "stakeholders", nil, "who wants to know, all of them")
		f.StringVar(&next, "next", "", "the next step")
		f.DurationVar(&within, "within", 0, "when the next step is expected: in so long")
		f.StringArrayVar(&labels, "label", nil, "label, name=value; name= takes it away")
		f.StringArrayVar(&links, "link", nil, "web address, or name=address; all of them")
		f.StringVar(&why, "why", "", "the reason, for those who read it later")
	}, func(ctx context.Context, api *client.API, id string) (wire.Incident, error) {
		b := wire.IncidentChange{Why: why}
		for _, t := range []struct {
			flag string
			from *string
			to   **string
		}{
			{"title", &title, &b.Title},
			{"severity", &severity, &b.Severity},
			{"status", &status, &b.Status},
			{"summary", &summary, &b.Summary},
			{"commander", &commander, &b.Commander},
			{"next", &next, &b.Next},
		} {
			if flags(t.flag) {
				*t.to = t.from
			}
		}
		if b.Severity != nil {
			s, err := frame.SeverityFlag(severity)
			if err != nil {
				return wire.Incident{}, err
			}
			b.Severity = &s
		}
		if flags("responders") {
			b.Responders = &responders
		}
		if flags("stakeholders") {
			b.Stakeholders = &stakeholders
		}
		if flags("within") {
			at := time.Now().Add(within).UTC().Truncate(time.Second)
			b.NextBy = &at
		}
		if flags("link") {
			list := linksOf(links)
			b.Links = &list
		}
		given, err := frame.Pairs("--label", labels)
		if err != nil {
			return wire.Incident{}, err
		}
		for k, v := range given {
			if b.Labels == nil {
				b.Labels = map[string]*string{}
			}
			b.Labels[k] = nil
			if v != "" {
				b.Labels[k] = &v
			}
		}
		return api.UpdateIncident(ctx, id, client.UpdateIncidentQuery{}, b)
	})
}

func (p commands) incidentsTakeCommand() *cobra.Command {
	return p.incidentCommand("take INCIDENT", "Acknowledge an incident, and be one of its responders", nil,
		func(ctx context.Context, api *client.API, id string) (wire.Incident, error) {
			return api.TakeIncident(ctx, id)
		})
}

func (p commands) incidentsCommentCommand() *cobra.Command {
	var text string
	return p.incidentCommand("comment INCIDENT", "Say something about an incident", func(c *cobra.Command) {
		c.Flags().StringVarP(&text, "message", "m", "", "what you say")
	}, func(ctx context.Context, api *client.API, id string) (wire.Incident, error) {
		if strings.TrimSpace(text) == "" {
			return wire.Incident{}, fault.New(fault.Invalid, "the comment is empty").WithNext("say it with -m")
		}
		return api.CommentIncident(ctx, id, wire.Comment{Text: text})
	})
}

func (p commands) incidentsPageCommand() *cobra.Command {
	var b wire.PageOut
	return p.incidentCommand("page INCIDENT", "Call people to an incident", func(c *cobra.Command) {
		c.Flags().StringSliceVar(&b.Targets, "who", nil, "who is called")
		c.Flags().StringVarP(&b.Message, "message", "m", "", "what they are told")
	}, func(ctx context.Context, api *client.API, id string) (wire.Incident, error) {
		if len(b.Targets) == 0 {
			return wire.Incident{}, fault.New(fault.Invalid, "nobody is named to be called").WithNext("name them with --who")
		}
		return api.PageIncident(ctx, id, b)
	})
}

func (p commands) incidentsTodoCommand() *cobra.Command {
	var b wire.ActionItem
	var within time.Duration
	return p.incidentCommand("todo INCIDENT", "Add something to do afterwards, or change it", func(c *cobra.Command) {
		f := c.Flags()
		f.StringVarP(&b.Text, "message", "m", "", "what is to be done; what is left out of a change stays")
		f.StringVar(&b.Owner, "owner", "", "who does it")
		f.DurationVar(&within, "within", 0, "when it is due: in so long")
		f.StringVar(&b.ID, "id", "", "the one to change; default: a new one")
		f.StringVar(&b.URL, "url", "", "address of the issue that was made of it")
		f.BoolVar(&b.Done, "done", false, "it is done")
	}, func(ctx context.Context, api *client.API, id string) (wire.Incident, error) {
		if within > 0 {
			b.Due = time.Now().Add(within).UTC().Truncate(time.Second)
		}
		i, err := api.PlanIncident(ctx, id, b)
		if err == nil {
			p.planned(&i, b.ID)
		}
		return i, err
	})
}

// planned says what became of an action item: the one that was named, else the last one.
func (p commands) planned(i *wire.Incident, name string) {
	for n := len(i.Items) - 1; n >= 0; n-- {
		x := i.Items[n]
		if name != "" && x.ID != name {
			continue
		}
		switch {
		case x.URL != "":
			p.Talk("item %s: %s", x.ID, terminal.Line(x.URL))
		case x.Kept != "":
			p.Talk("item %s stays in tend: %s", x.ID, terminal.Line(x.Kept))
		default:
			p.Talk("item %s becomes an issue of the repository: `tend incidents show %s` says which", x.ID, i.ID)
		}
		return
	}
}

func (p commands) incidentsMergeCommand() *cobra.Command {
	var into, why, output string
	c := &cobra.Command{
		Use:   "merge INCIDENT",
		Short: "Let another incident tell the story of this one",
		Args:  frame.SomeArgs(1, 1, anIncident),
		RunE: func(c *cobra.Command, args []string) error {
			if into == "" {
				return fault.New(fault.Invalid, "nobody knows which incident tells the story").WithNext("name it with --into")
			}
			return p.Served(c.Context(), func(s *app.Session, api *client.API) error {
				from, err := frame.FindRow(c.Context(), s.Engine, "incident", args[0], "tend incidents list")
				if err != nil {
					return err
				}
				other, err := frame.FindRow(c.Context(), s.Engine, "incident", into, "tend incidents list")
				if err != nil {
					return err
				}
				i, err := api.MergeIncident(c.Context(), from.ID, wire.IncidentMerge{Into: other.ID, Why: why})
				if err != nil {
					return err
				}
				return p.changed(output, &i)
			})
		},
	}
	c.Flags().StringVar(&into, "into", "", "the other one: its id, a beginning of it, or `last`")
	c.Flags().StringVar(&why, "why", "", "the reason, for those who read it later")
	frame.OutputFlag(c, &output, "text", frame.AsJSON, frame.AsYAML)
	return c
}

func (p commands) incidentsSplitCommand() *cobra.Command {
	var b wire.IncidentSplit
	var alerts []string
	return p.incidentCommand("split INCIDENT", "Make some alerts of an incident one of their own", func(c *cobra.Command) {
		f := c.Flags()
		f.StringVar(&b.Title, "title", "", "title of the new one")
		f.StringVar(&b.Severity, "severity", "", "its severity; default: as it is")
		f.StringVar(&b.Why, "why", "", "the reason, for those who read it later")
		f.StringArrayVar(&alerts, "alert", nil, "source/group of an alert that moves, as `tend incidents show` says")
	}, func(ctx context.Context, api *client.API, id string) (wire.Incident, error) {
		for _, a := range alerts {
			source, group, ok := strings.Cut(a, "/")
			if !ok {
				return wire.Incident{}, fault.New(fault.Invalid, "--alert %q: it is not source/group", a)
			}
			b.Members = append(b.Members, wire.IncidentMember{Source: source, Group: group})
		}
		if len(b.Members) == 0 {
			return wire.Incident{}, fault.New(fault.Invalid, "no alert is named that moves").WithNext("name them with --alert")
		}
		return api.SplitIncident(ctx, id, b)
	})
}

func (p commands) incidentsExportCommand() *cobra.Command {
	var output, file string
	c := &cobra.Command{
		Use:   "export INCIDENT",
		Short: "Write an incident as a document: Markdown or JSON",
		Args:  frame.SomeArgs(1, 1, anIncident),
		RunE: func(c *cobra.Command, args []string) error {
			return p.onIncident(c.Context(), args[0], func(api *client.API, id string) error {
				b, err := api.ExportIncident(c.Context(), id)
				if output == frame.AsJSON {
					var i wire.Incident
					if i, err = api.ShowIncident(c.Context(), id); err == nil {
						b, err = i.JSON()
					}
				}
				if err != nil {
					return err
				}
				if file == "" || file == "-" {
					_, err = p.Out.Write(b)
					return err
				}
				if err := os.WriteFile(file, b, 0o600); err != nil {
					return fault.Wrap(fault.Unavailable, err, "write %s", file)
				}
				return nil
			})
		},
	}
	c.Flags().StringVar(&file, "to", "", "file to write; default: standard output")
	frame.OutputFlag(c, &output, "markdown", frame.AsJSON)
	return c
}
