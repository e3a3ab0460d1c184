package frame

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/store"
)

// RowsFlags are those of every list of rows.
type RowsFlags struct {
	Output, cursor, project string
	status, known           []string
	limit                   int
	all                     bool
}

// Register adds them to a command; the statuses are those that --status takes.
func (f *RowsFlags) Register(c *cobra.Command, statuses ...string) {
	f.known = statuses
	c.Flags().StringSliceVar(&f.status, "status", nil, "only these: "+strings.Join(statuses, ", "))
	c.Flags().StringVar(&f.project, "project", "", "only of this project")
	c.Flags().IntVar(&f.limit, "limit", 50, "how many")
	c.Flags().StringVar(&f.cursor, "cursor", "", "go on where an earlier list ended")
	c.Flags().BoolVar(&f.all, "all", false, "list all of them")
	OutputFlag(c, &f.Output, AsTable, AsJSON, AsYAML, AsName)
}

// Rows reads what the flags ask for.
func (p *Process) Rows(ctx context.Context, f *RowsFlags, filter store.Filter) ([]store.Row, error) {
	if f.limit < 1 {
		return nil, fault.New(fault.Invalid, "--limit %d: at least 1 can be listed", f.limit)
	}
	for _, s := range f.status {
		if !slices.Contains(f.known, s) {
			return nil, fault.New(fault.Invalid, "--status: there is no %q here", s).WithNext("one or several of: %s", strings.Join(f.known, ","))
		}
	}
	if p.NothingYet() {
		return nil, nil
	}
	filter.Status, filter.Project, filter.Limit, filter.Cursor = f.status, f.project, min(f.limit, 1000), f.cursor
	var rows []store.Row
	err := p.Look(ctx, func(s *app.Session) error {
		for {
			page, err := s.Engine.Rows(ctx, filter)
			if err != nil {
				return err
			}
			rows = append(rows, page.Rows...)
			if page.Next == "" || !f.all && len(rows) >= f.limit {
				if page.Next != "" {
					p.Talk("there are more: --cursor %s, or --all", page.Next)
				}
				return nil
			}
			filter.Cursor = page.Next
		}
	})
	return rows, err
}
