package backup

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/terminal"
)

func (p commands) backupCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "backup DIR",
		Short: "Copy the data directory while it is in use, and verify the copy",
		Long: "Writes a consistent copy of everything (database, logs and outputs, sealing key) to DIR, which must not exist, and reads\n" +
			"it back. The copy holds the key that opens sealed outputs: keep it as safe as the original.",
		GroupID: frame.GroupKeep,
		Args:    frame.SomeArgs(1, 1, "a directory that does not exist yet"),
		RunE: func(c *cobra.Command, args []string) error {
			path := args[0]
			address, _, err := p.Server()
			if err == nil && address == "" {
				path, err = filepath.Abs(path)
			}
			if err != nil {
				return err
			}
			s, err := p.Open(c.Context(), app.Options{Command: c.CommandPath(), Via: "terminal"})
			return frame.With(s, err, func() error {
				done, err := s.House.Backup(c.Context(), path)
				if err != nil {
					return err
				}
				if output == frame.AsJSON {
					return p.Data(frame.AsJSON, done)
				}
				_, err = fmt.Fprintf(p.Out, "%s: %s at commit %d, %d bytes, verified\n", terminal.Line(done.Path), done.Instance, done.Index, done.Bytes)
				return err
			})
		},
	}
	frame.OutputFlag(c, &output, "text", frame.AsJSON)
	return c
}

func (p commands) restoreCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "restore DIR",
		Short: "Make a data directory from a backup; it starts halted",
		Long: "Verifies the backup and copies it into the data directory, which must be empty or not there. What happened after the\n" +
			"backup was made happened all the same, so nothing moves in the restored directory until `tend unhalt`.",
		GroupID: frame.GroupKeep,
		Args:    frame.SomeArgs(1, 1, "the directory of a backup"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := p.Here(c); err != nil {
				return err
			}
			conf, err := p.Config()
			if err != nil {
				return err
			}
			m, err := app.Restore(c.Context(), args[0], conf.DataDir)
			if err != nil {
				return err
			}
			p.Talk("nothing moves in it until a person has looked: `tend runs list`, then `tend unhalt`")
			if output == frame.AsJSON {
				return p.Data(frame.AsJSON, map[string]any{"dataDir": conf.DataDir, "of": m.At, "from": m.Instance, "index": m.Index})
			}
			_, err = fmt.Fprintf(p.Out, "%s: restored what %s held at %s (commit %d)\n", conf.DataDir, m.Instance, m.At.Format(time.RFC3339), m.Index)
			return err
		},
	}
	frame.OutputFlag(c, &output, "text", frame.AsJSON)
	return c
}
