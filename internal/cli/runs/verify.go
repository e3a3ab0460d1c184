package runs

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/terminal"
)

func (p commands) runsVerifyCommand() *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use:   "verify RUN | --all",
		Short: "Check that what is recorded is what was recorded",
		Long: "Reads every entry of a run and checks it against its checksum and the hash of the one before it. --all reads the whole\n" +
			"data directory and also finds streams that are missing or were cut. The first damaged entry of each stream is named.",
		Args: frame.SomeArgs(0, 1, aRun),
		RunE: func(c *cobra.Command, args []string) error {
			if all == (len(args) == 1) {
				return fault.New(fault.Invalid, "%s needs %s, or --all", c.CommandPath(), aRun)
			}
			s, err := p.Act(c.Context(), c.CommandPath())
			return frame.With(s, err, func() error {
				if all {
					v, err := s.House.Verify(c.Context())
					if err != nil {
						return err
					}
					if len(v.Damaged) > 0 {
						var damage []error
						for _, d := range v.Damaged {
							damage = append(damage, d.Err())
						}
						return errors.Join(damage...)
					}
					_, err = fmt.Fprintf(p.Out, "%s with %s verify\n", frame.Count(v.Streams, "stream"), frame.Entries(v.Entries))
					return err
				}
				row, err := frame.FindRun(c.Context(), s.Engine, args[0])
				if err != nil {
					return err
				}
				n, erased, head, err := verifyStream(c.Context(), s.Engine, "run/"+row.ID)
				if err != nil {
					return err
				}
				if erased > 0 {
					p.Talk("%s had a value erased", frame.Entries(erased))
				}
				_, err = fmt.Fprintf(p.Out, "run %s: %s verify, head %s\n", row.ID, frame.Entries(n), terminal.Line(head.String()))
				return err
			})
		},
	}
	c.Flags().BoolVar(&all, "all", false, "verify everything in the data directory")
	return c
}

// verifyStream checks a chain on this side: it does not have to believe what the store says about itself.
func verifyStream(ctx context.Context, s engine.Service, stream string) (n, erased int, head entry.Hash, err error) {
	var prev *entry.Entry
	for from := uint64(1); ; {
		list, err := s.Entries(ctx, stream, from, 1000)
		if fault.Is(err, fault.NotFound) && from > 1 {
			return n, erased, head, nil
		}
		if err != nil {
			return n, erased, head, err
		}
		for i := range list {
			if err := list[i].Verify(prev); err != nil {
				return n, erased, head, err
			}
			prev = &list[i]
			head = prev.Hash
			n++
			if prev.Erased {
				erased++
			}
		}
		if len(list) < 1000 {
			return n, erased, head, nil
		}
		from = prev.Seq + 1
	}
}
