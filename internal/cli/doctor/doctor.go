package doctor

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/directory"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/config"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/terminal"
)

// check is one line of the doctor.
type check struct {
	Name   string `json:"name"`
	Status string `json:"status"` // ok, warn, fail, note
	Text   string `json:"text"`
	Next   string `json:"next,omitempty"`
}

const (
	checkOK   = "ok"
	checkWarn = "warn"
	checkFail = "fail"
	checkNote = "note" // nothing is wrong: something that playbooks may need is not there
)

func (p commands) doctorCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Look whether tend has what it needs on this machine",
		Long: "Looks at configuration, data directory, its owner, disk, programs that playbooks use, secrets and clock; with the\n" +
			"configuration of a server also at its sources and their keys, playbooks, triggers, runners, mode and the latest events.\n" +
			"It changes nothing. Exits with 3 when something is wrong.",
		GroupID: frame.GroupKeep,
		Args:    frame.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			checks := p.examine(c.Context())
			if output == frame.AsJSON {
				if err := p.Data(frame.AsJSON, checks); err != nil {
					return err
				}
			} else if err := p.showChecks(checks); err != nil {
				return err
			}
			if slices.ContainsFunc(checks, func(c check) bool { return c.Status == checkFail }) {
				return frame.Exit(frame.ExitFindings)
			}
			return nil
		},
	}
	frame.OutputFlag(c, &output, "text", frame.AsJSON)
	return c
}

func (p commands) showChecks(checks []check) error {
	paint := map[string]func(string) string{checkOK: p.OutStyle.Green, checkWarn: p.OutStyle.Yellow, checkFail: p.OutStyle.Red, checkNote: p.OutStyle.Dim}
	for _, c := range checks {
		if _, err := fmt.Fprintf(p.Out, "%s %-15s %s\n", paint[c.Status](fmt.Sprintf("%-5s", c.Status)), c.Name, terminal.Clean(frame.Indent(c.Text, strings.Repeat(" ", 22)))); err != nil {
			return err
		}
		if c.Next != "" {
			if _, err := fmt.Fprintf(p.Out, "%22s%s %s\n", "", p.OutStyle.Dim("next:"), terminal.Clean(c.Next)); err != nil {
				return err
			}
		}
	}
	return nil
}

func failed(name string, err error) check {
	return check{name, checkFail, err.Error(), fault.NextOf(err)}
}

// examine makes all checks; each stands for itself.
func (p commands) examine(ctx context.Context) []check {
	out := []check{{Name: "version", Status: checkOK, Text: frame.VersionLine()}}
	c, err := p.Config()
	server, serr := p.serverSetup(err)
	if server != nil { // what it is told holds for the data directory, too
		c, err = &server.Config, serr
		p.Flags.Config = ""
		if p.Flags.DataDir == "" && p.Flags.Server == "" {
			p.Flags.DataDir = c.DataDir
		}
	}
	if err != nil {
		for _, e := range frame.Flatten(err) {
			out = append(out, failed("configuration", e))
		}
		if c == nil {
			return out
		}
	} else {
		text := "none; defaults hold"
		if c.File != "" {
			text = c.File
		}
		out = append(out, check{Name: "configuration", Status: checkOK, Text: text})
	}
	address, _, err := p.Server()
	if err != nil {
		return append(out, failed("server", err))
	}
	if address != "" {
		out = append(out, p.serverCheck(ctx, address))
	} else {
		out = append(out, p.directory(ctx, c)...)
		out = append(out, disk(c.DataDir), clockCheck(c.DataDir))
	}
	out = append(out, programs(ctx)...)
	out = append(out, secretsCheck(c)...)
	if server != nil && serr == nil && address == "" {
		out = append(out, p.examineServer(ctx, server)...)
	}
	return out
}

// serverCheck asks the server who we are there.
func (p commands) serverCheck(ctx context.Context, address string) check {
	out := check{Name: "server", Status: checkOK}
	err := p.Look(ctx, func(s *app.Session) error {
		me, err := s.API().Me(ctx)
		if err == nil {
			out.Text = fmt.Sprintf("%s knows us as %s (%s)", address, me.Name, me.ID)
		}
		return err
	})
	if err != nil {
		return failed("server", err)
	}
	return out
}

// directory looks at the data directory and at who owns it, without becoming the owner where another one is there.
func (p commands) directory(ctx context.Context, c *config.Config) []check {
	err := directory.Check(c.DataDir)
	switch {
	case fault.Is(err, fault.NotFound):
		return []check{{Name: "data directory", Status: checkOK, Text: c.DataDir + " is not there yet; the first run makes it"}}
	case err != nil:
		return []check{failed("data directory", err)}
	}
	out := []check{}
	info, err := os.Stat(c.DataDir)
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		out = append(out, check{"data directory", checkWarn, fmt.Sprintf("%s can be read by others (mode %04o)", c.DataDir, info.Mode().Perm()), "chmod 700 '" + c.DataDir + "'"})
	} else {
		out = append(out, check{Name: "data directory", Status: checkOK, Text: c.DataDir})
	}
	err = p.Look(ctx, func(s *app.Session) error {
		owner := check{Name: "owner", Status: checkOK, Text: "nobody: the next command becomes it"}
		if s.Remote != nil {
			owner.Text = fmt.Sprintf("process %d (%s), since %s", s.Remote.PID, s.Remote.Command, frame.Local(s.Remote.Since))
		}
		out = append(out, owner)
		st, err := s.Engine.Status(ctx)
		if err != nil {
			return err
		}
		db := check{Name: "database", Status: checkOK, Text: fmt.Sprintf("instance %s at commit %d, schema %d", st.Instance, st.Index, app.SchemaVersion)}
		if st.Halted != "" {
			db.Status, db.Text, db.Next = checkFail, "halted: "+st.Halted, "look at the open runs, then `tend unhalt`"
		}
		out = append(out, db)
		return nil
	})
	if err != nil {
		out = append(out, failed("owner", err))
	}
	return out
}

// lowDisk is when free space becomes a warning.
const lowDisk = 1 << 30

func disk(dir string) check {
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return check{Name: "disk", Status: checkWarn, Text: fmt.Sprintf("free space of %s is not known: %v", dir, err)}
	}
	free := st.Bavail * uint64(st.Bsize)
	c := check{Name: "disk", Status: checkOK, Text: fmt.Sprintf("%.1f GiB free at %s", float64(free)/(1<<30), dir)}
	switch {
	case free < lowDisk/16:
		c.Status, c.Next = checkFail, "free space: without it nothing can be recorded, and so nothing runs"
	case free < lowDisk:
		c.Status, c.Next = checkWarn, "free space before it is needed"
	}
	return c
}

// clockCheck finds a clock that went back: files of the data directory are from the future then.
func clockCheck(dir string) check {
	now := time.Now()
	c := check{Name: "clock", Status: checkOK, Text: now.Format(time.RFC3339)}
	if now.Year() < 2025 {
		c.Status, c.Text, c.Next = checkFail, "it is "+now.Format(time.RFC3339)+", long ago", "set the clock"
		return c
	}
	if info, err := os.Stat(filepath.Join(dir, app.DatabaseFile)); err == nil && info.ModTime().After(now.Add(time.Minute)) {
		c.Status = checkWarn
		c.Text = fmt.Sprintf("it is %s, and the database was written at %s: the clock went back", now.Format(time.RFC3339), info.ModTime().Format(time.RFC3339))
		c.Next = "set the clock; until then timers of open runs fire late, never early"
	}
	return c
}

// programs looks for what playbooks use: a missing one matters only to a playbook that names it.
func programs(ctx context.Context) []check {
	var out []check
	for _, x := range []struct{ name, says string }{
		{"sh", ""}, {"bash", "--version"}, {"python3", "--version"}, {"docker", "--version"}, {"podman", "--version"}, {"ssh", "-V"}, {"git", "--version"},
	} {
		path, err := exec.LookPath(x.name)
		if err != nil {
			status := checkNote
			if x.name == "sh" {
				status = checkFail
			}
			out = append(out, check{Name: x.name, Status: status, Text: "not on PATH"})
			continue
		}
		c := check{Name: x.name, Status: checkOK, Text: path}
		if x.says != "" {
			within, cancel := context.WithTimeout(ctx, 5*time.Second)
			b, err := exec.CommandContext(within, path, x.says).CombinedOutput()
			cancel()
			first, _, _ := strings.Cut(strings.TrimSpace(string(b)), "\n")
			if err != nil {
				c.Status, c.Text = checkWarn, fmt.Sprintf("%s does not work: %v", path, err)
			} else if first != "" {
				c.Text += " (" + terminal.Line(first) + ")"
			}
		}
		out = append(out, c)
	}
	if os.Getenv("SSH_AUTH_SOCK") == "" {
		out = append(out, check{Name: "ssh agent", Status: checkNote, Text: "SSH_AUTH_SOCK is not set: steps over ssh need a key file"})
	} else {
		out = append(out, check{Name: "ssh agent", Status: checkOK, Text: os.Getenv("SSH_AUTH_SOCK")})
	}
	return out
}

func secretsCheck(c *config.Config) []check {
	chain, err := app.Providers(c)
	if err != nil {
		return []check{failed("secrets", err)}
	}
	var names []string
	for _, p := range chain {
		names = append(names, p.Name())
	}
	return []check{{Name: "secrets", Status: checkOK, Text: "looked for in: " + strings.Join(names, ", ")}}
}
