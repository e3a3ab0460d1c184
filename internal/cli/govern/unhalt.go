package govern

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/client"
	"github.com/tendhq/tend/internal/terminal"
	"github.com/tendhq/tend/internal/wire"
)

func (p commands) unhaltCommand() *cobra.Command {
	var why, output string
	c := &cobra.Command{
		Use:   "unhalt [HALT]",
		Short: "Let what was halted go on: a part of a server, or a restored or damaged data directory",
		Long: "On a server, ends the halts that people set (`tend halt`), or the one that is named; a reason is needed.\n\n" +
			"A data directory that went back in time is halted: nobody knows what was done after the time that it remembers. This\n" +
			"lets runs be started and resumed again. Open runs stay interrupted, and their next mutation is in doubt; they are listed.\n\n" +
			"One in which the record of what was done (an audit stream) is damaged is halted too. With a reason (--why) the record\n" +
			"goes on in a new stream, which begins with the damage and the reason. What is damaged stays as it is, for\n" +
			"`tend runs verify --all` and for whoever finds out what happened to the disk.",
		GroupID: frame.GroupKeep,
		Args:    frame.SomeArgs(0, 1, ""),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := p.Open(c.Context(), app.Options{Command: c.CommandPath(), Via: "terminal"})
			return frame.With(s, err, func() error {
				st, err := s.Engine.Status(c.Context())
				if err != nil {
					return err
				}
				if api := s.API(); api != nil && st.Halted == "" {
					return p.endHalts(c.Context(), api, strings.Join(args, ""), why)
				}
				doubts, err := s.Engine.Unhalt(c.Context(), s.Me, why)
				if err != nil {
					return err
				}
				if output == frame.AsJSON {
					return p.Data(frame.AsJSON, map[string]any{"was": st.Halted, "inDoubt": append([]string{}, doubts...)})
				}
				p.Talk("was halted: %s", terminal.Line(st.Halted))
				for _, d := range doubts {
					if _, err := fmt.Fprintln(p.Out, terminal.Line(d)); err != nil {
						return err
					}
				}
				p.Talk("%s open: look at each, then `tend runs resume RUN`", frame.Count(len(doubts), "run"))
				return nil
			})
		},
	}
	c.Flags().StringVar(&why, "why", "", "the reason, which is recorded")
	frame.OutputFlag(c, &output, "text", frame.AsJSON)
	return c
}

// endHalts ends what people halted on a server.
func (p commands) endHalts(ctx context.Context, api *client.API, haltID, why string) error {
	gone, err := api.EndHalts(ctx, wire.End{ID: haltID, Why: why})
	if err != nil {
		return err
	}
	for _, h := range gone.Halts {
		p.Talk("%s goes on (it was halted since %s by %s)", terminal.Line(h.Scope()), h.At.UTC().Format(time.RFC3339), terminal.Line(h.By))
	}
	return nil
}
