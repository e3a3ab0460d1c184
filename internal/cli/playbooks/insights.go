package playbooks

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/client"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/insight"
	"github.com/tendhq/tend/internal/schedule"
)

func (p commands) insightsCommand() *cobra.Command {
	var since, until, by, zone, output string
	c := &cobra.Command{
		Use:   "insights",
		Short: "Show what playbooks were good for, by team",
		Long: "Adds up the runs and incidents that began in a time, by the owner of the playbook. Verified runs succeeded, and a\n" +
			"verification held. What they save is what the playbook declares (`metadata: {labels: {saves: 15m}}`). A page was avoided\n" +
			"when an event began a verified run, nobody was asked in it, and nobody was called for its incident. Changes are different\n" +
			"versions that ran; live are those that commits brought, and lead is how long they took from the commit.\n" +
			"--by shows the same for each playbook, for each hour, day or week of a zone, or how often each alert came.",
		GroupID: frame.GroupServe,
		Args:    frame.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			q := insight.Query{Since: p.Began.Add(-30 * 24 * time.Hour).UTC(), Until: p.Began.UTC()}
			for _, f := range []struct {
				name, text string
				into       *time.Time
			}{{"--since", since, &q.Since}, {"--until", until, &q.Until}} {
				t, err := frame.Moment(f.name, f.text, p.Began)
				if err != nil {
					return err
				}
				if !t.IsZero() {
					*f.into = t
				}
			}
			if !slices.Contains(insightsBy(), by) {
				return fault.New(fault.Invalid, "--by: there are no insights by %q", by).WithNext("one of: %s", strings.Join(insightsBy(), ", "))
			}
			if slices.Contains(insightsBy()[3:], by) {
				q.Every = insight.Step(by)
			}
			var err error
			if q.Zone, err = schedule.Zone(zone); err != nil {
				return err
			}
			if p.NothingYet() {
				p.Talk("nothing was done here yet")
				return nil
			}
			return p.Look(c.Context(), func(s *app.Session) error {
				r, err := insights(c.Context(), s, q)
				if err != nil {
					return err
				}
				t := insightsTable(&r, by, q.Zone)
				if err := p.List(output, t); err != nil {
					return err
				}
				if r.Unread > 0 {
					p.Talk("%d runs or incidents could not be read, and are not in the numbers: tend runs verify --all", r.Unread)
				}
				return nil
			})
		},
	}
	c.Flags().StringVar(&by, "by", "team", strings.Join(insightsBy(), ", "))
	c.Flags().StringVar(&zone, "zone", "", "with --by hour, day or week: whose midnight and Monday, as in Europe/Berlin (default: UTC)")
	c.Flags().StringVar(&since, "since", "", "from when on: a time, or so long ago (default: 30 days)")
	c.Flags().StringVar(&until, "until", "", "until when, likewise (default: now)")
	frame.OutputFlag(c, &output, frame.AsTable, frame.AsJSON, frame.AsYAML)
	return c
}

// insightsBy is what insights are shown by; the last three are parts of a series.
func insightsBy() []string {
	return []string{"team", "playbook", "alert", string(insight.Hourly), string(insight.Daily), string(insight.Weekly)}
}

func insightsHead(first string) []string {
	return []string{first, "RUNS", "SUCCEEDED", "VERIFIED", "OBSERVED", "SAVED", "PAGES AVOIDED", "INCIDENTS", "MTTA", "MTTR", "CHANGES", "LIVE", "LEAD", "HELD"}
}

func insightsTable(r *insight.Report, by string, zone *time.Location) frame.Table {
	t := frame.Table{Data: r}
	add := func(cells ...string) { t.Rows, t.Names = append(t.Rows, cells), append(t.Names, cells[0]) }
	switch by {
	case "team":
		t.Head = insightsHead("TEAM")
		for _, x := range append(r.Teams, r.Total) {
			add(append([]string{x.Team}, teamCells(&x)...)...)
		}
	case "playbook":
		t.Head, t.Empty = []string{"PLAYBOOK", "TEAM", "RUNS", "SUCCEEDED", "FAILED", "VERIFIED", "SAVED"}, "no playbook ran"
		for _, x := range r.Playbooks {
			verified := "-" // there was nothing to verify
			if x.Verifiable > 0 {
				verified = fmt.Sprintf("%d of %d", x.Verified, x.Verifiable)
			}
			add(x.Name, x.Team, strconv.Itoa(x.Runs), strconv.Itoa(x.Succeeded), strconv.Itoa(x.Failed), verified, fmt.Sprintf("%.0fm", x.Saved))
		}
	case "alert":
		t.Head, t.Empty = []string{"ALERT", "SOURCE", "EVENTS", "STARTED", "HELD", "UNMATCHED"}, "no event came"
		for _, x := range r.Alerts {
			add(x.Name, x.Source, strconv.Itoa(x.Events), strconv.Itoa(x.Started), strconv.Itoa(x.Held), strconv.Itoa(x.Unmatched))
		}
	default:
		t.Head = insightsHead("SINCE")
		for _, x := range r.Series {
			add(append([]string{x.Since.In(zone).Format("2006-01-02 15:04")}, teamCells(&x.Sum)...)...)
		}
	}
	return t
}

func insights(ctx context.Context, s *app.Session, q insight.Query) (insight.Report, error) {
	if api := s.API(); api != nil {
		r, err := api.Insights(ctx, client.InsightsQuery{Since: q.Since, Until: q.Until, Every: string(q.Every), Zone: q.Zone.String()})
		return insight.Report(r), err
	}
	return insight.Read(ctx, s.Engine, q)
}

func teamCells(x *insight.Team) []string {
	took := func(seconds float64) string {
		if seconds == 0 {
			return "-"
		}
		return time.Duration(seconds * float64(time.Second)).Round(time.Second).String()
	}
	var row []string
	for _, n := range []int{x.Runs, x.Succeeded, x.Verified, x.Observed} {
		row = append(row, strconv.Itoa(n))
	}
	row = append(row, fmt.Sprintf("%.0fm", x.Saved), strconv.Itoa(x.Avoided), strconv.Itoa(x.Incidents), took(x.MTTA), took(x.MTTR))
	return append(row, strconv.Itoa(x.Changes), strconv.Itoa(x.Live), took(x.Lead), strconv.Itoa(x.Held))
}
