package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/client"
	"github.com/tendhq/tend/internal/terminal"
	"github.com/tendhq/tend/internal/wire"
)

func (p *process) backupCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "backup DIR",
		Short: "Copy the data directory while it is in use, and verify the copy",
		Long: "Writes a consistent copy of everything (database, logs and outputs, sealing key) to DIR, which must not exist, and reads\n" +
			"it back. The copy holds the key that opens sealed outputs: keep it as safe as the original.",
		GroupID: groupKeep,
		Args:    someArgs(1, 1, "a directory that does not exist yet"),
		RunE: func(c *cobra.Command, args []string) error {
			path := args[0]
			address, _, err := p.server()
			if err == nil && address == "" {
				path, err = filepath.Abs(path)
			}
			if err != nil {
				return err
			}
			s, err := p.open(c.Context(), app.Options{Command: c.CommandPath(), Via: "terminal"})
			return with(s, err, func() error {
				done, err := s.House.Backup(c.Context(), path)
				if err != nil {
					return err
				}
				if output == asJSON {
					return p.data(asJSON, done)
				}
				_, err = fmt.Fprintf(p.Out, "%s: %s at commit %d, %d bytes, verified\n", terminal.Line(done.Path), done.Instance, done.Index, done.Bytes)
				return err
			})
		},
	}
	outputFlag(c, &output, "text", asJSON)
	return c
}

func (p *process) restoreCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "restore DIR",
		Short: "Make a data directory from a backup; it starts halted",
		Long: "Verifies the backup and copies it into the data directory, which must be empty or not there. What happened after the\n" +
			"backup was made happened all the same, so nothing moves in the restored directory until `tend unhalt`.",
		GroupID: groupKeep,
		Args:    someArgs(1, 1, "the directory of a backup"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := p.here(c); err != nil {
				return err
			}
			conf, err := p.config()
			if err != nil {
				return err
			}
			m, err := app.Restore(c.Context(), args[0], conf.DataDir)
			if err != nil {
				return err
			}
			p.talk("nothing moves in it until a person has looked: `tend runs list`, then `tend unhalt`")
			if output == asJSON {
				return p.data(asJSON, map[string]any{"dataDir": conf.DataDir, "of": m.At, "from": m.Instance, "index": m.Index})
			}
			_, err = fmt.Fprintf(p.Out, "%s: restored what %s held at %s (commit %d)\n", conf.DataDir, m.Instance, m.At.Format(time.RFC3339), m.Index)
			return err
		},
	}
	outputFlag(c, &output, "text", asJSON)
	return c
}

func (p *process) unhaltCommand() *cobra.Command {
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
		GroupID: groupKeep,
		Args:    someArgs(0, 1, ""),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := p.open(c.Context(), app.Options{Command: c.CommandPath(), Via: "terminal"})
			return with(s, err, func() error {
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
				if output == asJSON {
					return p.data(asJSON, map[string]any{"was": st.Halted, "inDoubt": append([]string{}, doubts...)})
				}
				p.talk("was halted: %s", terminal.Line(st.Halted))
				for _, d := range doubts {
					if _, err := fmt.Fprintln(p.Out, terminal.Line(d)); err != nil {
						return err
					}
				}
				p.talk("%s open: look at each, then `tend runs resume RUN`", count(len(doubts), "run"))
				return nil
			})
		},
	}
	c.Flags().StringVar(&why, "why", "", "the reason, which is recorded")
	outputFlag(c, &output, "text", asJSON)
	return c
}

// endHalts ends what people halted on a server.
func (p *process) endHalts(ctx context.Context, api *client.API, haltID, why string) error {
	gone, err := api.EndHalts(ctx, wire.End{ID: haltID, Why: why})
	if err != nil {
		return err
	}
	for _, h := range gone.Halts {
		p.talk("%s goes on (it was halted since %s by %s)", terminal.Line(h.Scope()), h.At.UTC().Format(time.RFC3339), terminal.Line(h.By))
	}
	return nil
}
