package events

import (
	"cmp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/courier"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/value"
)

func (p commands) messagesCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "messages",
		Short:   "See what people were told, what waits and what could not be told",
		GroupID: frame.GroupServe,
		Args:    frame.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(p.messagesListCommand())
	return c
}

// messageItem is a message in a list of JSON or YAML.
type messageItem struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	At     string `json:"at"`
	Until  string `json:"until,omitempty"` // when it is attempted again
	courier.Row
}

func (p commands) messagesListCommand() *cobra.Command {
	var f frame.RowsFlags
	var channel, incident string
	c := &cobra.Command{
		Use:   "list",
		Short: "List messages with what became of them, newest first",
		Args:  frame.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			rows, err := p.Rows(c.Context(), &f, store.Filter{Kind: "message", Name: channel, Parent: incident})
			if err != nil {
				return err
			}
			t := frame.Table{Head: []string{"MESSAGE", "CHANNEL", "STATUS", "SINCE", "TRIES", "TELLS", "WHY"}, Empty: "there are no such messages"}
			data := make([]messageItem, 0, len(rows))
			for _, r := range rows {
				var b courier.Row
				if err := frame.DecodeBody(r, &b); err != nil {
					return err
				}
				why := b.Why
				if b.Fault != nil && r.Status != courier.Sent {
					why = cmp.Or(why, b.Fault.Message)
				}
				title, _ := b.Queued.Body["title"].(string)
				x := messageItem{ID: r.ID, Status: r.Status, At: r.At.UTC().Format("2006-01-02T15:04:05.000Z"), Row: b}
				if !r.Due.IsZero() {
					x.Until = r.Due.UTC().Format("2006-01-02T15:04:05.000Z")
					why = strings.TrimSpace(why + " (again " + r.Due.Local().Format("15:04:05") + ")")
				}
				t.Rows = append(t.Rows, []string{r.ID, r.Name, r.Status, r.At.Local().Format("2006-01-02 15:04:05"), value.Text(int64(b.Attempts)), title, why})
				t.Names = append(t.Names, r.ID)
				data = append(data, x)
			}
			t.Data = data
			return p.List(f.Output, t)
		},
	}
	f.Register(c, courier.Queued, courier.Sent, courier.Failed, courier.Dropped)
	c.Flags().StringVar(&channel, "channel", "", "only of this channel")
	c.Flags().StringVar(&incident, "incident", "", "only about this incident, or run")
	return c
}
