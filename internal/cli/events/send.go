package events

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/cli/follow"
	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/value"
)

func (p commands) eventsSendCommand() *cobra.Command {
	var key, file, output string
	var pairs []string
	send := &cobra.Command{
		Use:   "send NAME",
		Short: "Send an event to the runs that wait for it, by its name and correlation key",
		Args:  frame.SomeArgs(1, 1, "the name of the event"),
		RunE: func(c *cobra.Command, args []string) error {
			payload, err := p.Values(file, "-f", pairs)
			if err != nil {
				return err
			}
			s, err := p.Act(c.Context(), c.CommandPath())
			return frame.With(s, err, func() error {
				runs, err := s.Engine.Send(c.Context(), args[0], key, frame.Typed(payload), s.Me)
				if err != nil {
					return err
				}
				if output == frame.AsJSON {
					if err := p.Data(frame.AsJSON, map[string]any{"runs": append([]string{}, runs...)}); err != nil {
						return err
					}
				}
				if len(runs) == 0 {
					return fault.New(fault.NotFound, "no run waits for event %q with key %q", args[0], key).WithNext("`tend runs list --status waiting` shows what runs wait for")
				}
				for _, r := range runs {
					if output != frame.AsJSON {
						if _, err := fmt.Fprintln(p.Out, value.Text(r)); err != nil {
							return err
						}
					}
					if err := follow.Unmoved(p.Process, c, s, r); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	send.Flags().StringVar(&key, "key", "", "correlation key")
	send.Flags().StringArrayVarP(&pairs, "field", "f", nil, "field of the event, name=value")
	send.Flags().StringVar(&file, "file", "", "file with the event, JSON or YAML")
	frame.OutputFlag(send, &output, "text", frame.AsJSON)
	return send
}
