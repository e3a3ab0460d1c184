package playbooks

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/client"
	"github.com/tendhq/tend/internal/insight"
)

func (p commands) insightsCommand() *cobra.Command {
	var since, until, output string
	c := &cobra.Command{
		Use:   "insights",
		Short: "Show what playbooks were good for, by team",
		Long: "Adds up the runs and incidents that began in a time, by the owner of the playbook. Verified runs succeeded, and a\n" +
			"verification held. What they save is what the playbook declares (`metadata: {labels: {saves: 15m}}`). A page was avoided\n" +
			"when an event began a verified run, nobody was asked in it, and nobody was called for its incident. Changes are different\n" +
			"versions that ran; live are those that commits brought, and lead is how long they took from the commit.",
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
			if p.NothingYet() {
				p.Talk("nothing was done here yet")
				return nil
			}
			return p.Look(c.Context(), func(s *app.Session) error {
				r, err := insights(c.Context(), s, q)
				if err != nil {
					return err
				}
				t := frame.Table{Head: []string{"TEAM", "RUNS", "SUCCEEDED", "VERIFIED", "OBSERVED", "SAVED", "PAGES AVOIDED", "INCIDENTS", "MTTA", "MTTR", "CHANGES", "LIVE", "LEAD", "HELD"}, Data: r}
				for _, x := range append(r.Teams, r.Total) {
					t.Rows = append(t.Rows, teamRow(&x))
					t.Names = append(t.Names, x.Team)
				}
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
	c.Flags().StringVar(&since, "since", "", "from when on: a time, or so long ago (default: 30 days)")
	c.Flags().StringVar(&until, "until", "", "until when, likewise (default: now)")
	frame.OutputFlag(c, &output, frame.AsTable, frame.AsJSON, frame.AsYAML)
	return c
}

func insights(ctx context.Context, s *app.Session, q insight.Query) (insight.Report, error) {
	if api := s.API(); api != nil {
		r, err := api.Insights(ctx, client.InsightsQuery{Since: q.Since, Until: q.Until})
		return insight.Report(r), err
	}
	return insight.Read(ctx, s.Engine, q)
}

func teamRow(x *insight.Team) []string {
	took := func(seconds float64) string {
		if seconds == 0 {
			return "-"
		}
		return time.Duration(seconds * float64(time.Second)).Round(time.Second).String()
	}
	row := []string{x.Team}
	for _, n := range []int{x.Runs, x.Succeeded, x.Verified, x.Observed} {
		row = append(row, strconv.Itoa(n))
	}
	row = append(row, fmt.Sprintf("%.0fm", x.Saved), strconv.Itoa(x.Avoided), strconv.Itoa(x.Incidents), took(x.MTTA), took(x.MTTR))
	return append(row, strconv.Itoa(x.Changes), strconv.Itoa(x.Live), took(x.Lead), strconv.Itoa(x.Held))
}
