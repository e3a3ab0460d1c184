package runs

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/cli/follow"
	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/terminal"
)

func (p commands) runsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "runs",
		Short:   "Look at runs and act on them",
		GroupID: frame.GroupRun,
		Args:    frame.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(
		p.runsListCommand(), p.runsShowCommand(), p.runsLogsCommand(), p.runsWatchCommand(), p.runsExplainCommand(),
		p.runsCancelCommand(), p.runsPauseCommand(), p.runsResumeCommand(), p.runsStepCommand(), p.runsSkipCommand(),
		p.runsRetryCommand(), p.runsRollbackCommand(), p.runsParamsCommand(), p.runsReleaseCommand(),
		p.runsVerifyCommand(), p.runsExportCommand(), p.runsRedactCommand(),
	)
	for _, sub := range c.Commands() {
		if sub.Name() != "list" {
			sub.ValidArgsFunction = p.completeRuns
		}
	}
	return c
}

// completeRuns offers the newest runs to the shell.
func (p commands) completeRuns(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(c.Context(), 2*time.Second)
	defer cancel()
	var out []string
	err := p.Look(ctx, func(s *app.Session) error {
		page, err := s.Engine.Rows(ctx, store.Filter{Kind: "run", Limit: 20})
		for _, r := range page.Rows {
			out = append(out, r.ID+"\t"+terminal.Line(r.Status+" "+r.Name))
		}
		return err
	})
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

const aRun = "a run: its id, a beginning of it, or `last`"

func (p commands) runsListCommand() *cobra.Command {
	var output, name, cursor string
	var status []string
	var limit int
	var all bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List runs, newest first",
		Args:  frame.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if limit < 1 {
				return fault.New(fault.Invalid, "--limit %d: at least 1 run can be listed", limit)
			}
			if err := knownStatuses(status); err != nil {
				return err
			}
			if p.NothingYet() {
				return p.List(output, frame.Table{Empty: "there are no runs yet", Data: []any{}})
			}
			return p.Look(c.Context(), func(s *app.Session) error {
				f := store.Filter{Kind: "run", Status: status, Name: name, Limit: min(limit, 1000), Cursor: cursor}
				var rows []store.Row
				var next string
				for {
					page, err := s.Engine.Rows(c.Context(), f)
					if err != nil {
						return err
					}
					rows, next = append(rows, page.Rows...), page.Next
					if next == "" || (!all && len(rows) >= limit) {
						break
					}
					f.Cursor = next
				}
				if err := p.listRuns(output, rows); err != nil {
					return err
				}
				if next != "" {
					p.Talk("there are more: --cursor %s, or --all", next)
				}
				return nil
			})
		},
	}
	f := c.Flags()
	f.StringSliceVar(&status, "status", nil, "only these: running, waiting, in-doubt, interrupted, paused, succeeded, failed, …")
	f.StringVar(&name, "name", "", "only runs of this playbook")
	f.IntVar(&limit, "limit", 50, "how many")
	f.StringVar(&cursor, "cursor", "", "go on where an earlier list ended")
	f.BoolVar(&all, "all", false, "list all of them")
	frame.OutputFlag(c, &output, frame.AsTable, frame.AsJSON, frame.AsYAML, frame.AsName)
	return c
}

func knownStatuses(given []string) error {
	var all []string
	for _, st := range run.Statuses() {
		all = append(all, string(st))
	}
	for _, g := range given {
		if !slices.Contains(all, g) {
			return fault.New(fault.Invalid, "--status: no run has the status %q", g).WithNext("one or several of: %s", strings.Join(all, ","))
		}
	}
	return nil
}

// runItem is a run in a list of JSON or YAML.
type runItem struct {
	ID string `json:"id"`
	engine.RunRow
}

func (p commands) listRuns(output string, rows []store.Row) error {
	t := frame.Table{Head: []string{"RUN", "PLAYBOOK", "STATUS", "STARTED", "TOOK", "WHY"}, Empty: "there are no such runs"}
	data := make([]runItem, 0, len(rows))
	now := time.Now()
	for _, r := range rows {
		var b engine.RunRow
		if err := frame.DecodeBody(r, &b); err != nil {
			b = engine.RunRow{Name: r.Name, Status: r.Status, Started: r.At}
		}
		took := ""
		switch {
		case !b.Ended.IsZero() && !b.Started.IsZero():
			took = frame.Span(b.Ended.Sub(b.Started))
		case !b.Started.IsZero():
			took = frame.Span(now.Sub(b.Started).Round(time.Second)) + "…"
		}
		t.Rows = append(t.Rows, []string{r.ID, b.Name, b.Status, r.At.Local().Format("2006-01-02 15:04:05"), took, p.reason(&b)})
		t.Names = append(t.Names, r.ID)
		data = append(data, runItem{r.ID, b})
	}
	t.Data = data
	return p.List(output, t)
}

// reason says in a few words why a run is where it is.
func (p commands) reason(b *engine.RunRow) string {
	var parts []string
	if b.Fault != nil {
		parts = append(parts, b.Fault.Message)
	}
	if b.Undone != "" {
		parts = append(parts, b.Undone+" undone")
	}
	for _, w := range b.Waits {
		text := "waits for " + w.For
		if w.On != "" {
			text += " " + w.On
		}
		if w.For == "resume" {
			text = w.Why
		}
		parts = append(parts, text)
		if len(parts) == 2 {
			break
		}
	}
	return strings.Join(parts, "; ")
}

func (p commands) runsExplainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain RUN",
		Short: "Say in a sentence why a run is where it is, and what would move it",
		Args:  frame.SomeArgs(1, 1, aRun),
		RunE: func(c *cobra.Command, args []string) error {
			return p.Look(c.Context(), func(s *app.Session) error {
				row, err := frame.FindRun(c.Context(), s.Engine, args[0])
				if err != nil {
					return err
				}
				fold, _, err := frame.Read(c.Context(), s.Engine, row)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(p.Out, terminal.Clean(follow.Explained(fold.View())))
				return err
			})
		},
	}
}

func (p commands) runsWatchCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "watch RUN",
		Short: "Show a run live until it ends or is parked",
		Args:  frame.SomeArgs(1, 1, aRun),
		RunE: func(c *cobra.Command, args []string) error {
			return p.Look(c.Context(), func(s *app.Session) error {
				row, err := frame.FindRun(c.Context(), s.Engine, args[0])
				if err != nil {
					return err
				}
				w, err := follow.New(c.Context(), p.Process, s, row.ID, false, false)
				if err != nil {
					return err
				}
				w.Title(row.Name)
				if err := w.Watch(c.Context()); err != nil {
					return err
				}
				return w.Conclude(c.Context(), false)
			})
		},
	}
}

// command sends a command to a run and says what it did.
func (p commands) command(c *cobra.Command, arg string, cmd engine.Command, say func(id string, d engine.Done)) error {
	moves := cmd.Verb == engine.Skip || cmd.Verb == engine.Params
	s, err := p.Act(c.Context(), c.CommandPath())
	return frame.With(s, err, func() error {
		row, err := frame.FindRun(c.Context(), s.Engine, arg)
		if err != nil {
			return err
		}
		cmd.Run, cmd.By = row.ID, s.Me
		done, err := s.Engine.Do(c.Context(), cmd)
		if err != nil {
			return err
		}
		say(row.ID, done)
		if moves {
			return follow.Unmoved(p.Process, c, s, row.ID)
		}
		return nil
	})
}

// driving sends a command that makes this process, or the owner, move a run, and follows that run.
func (p commands) driving(c *cobra.Command, arg string, cmd engine.Command, output string) error {
	ctx := c.Context()
	s, err := p.Act(ctx, c.CommandPath())
	if err != nil {
		return err
	}
	id, err := func() (string, error) {
		row, err := frame.FindRun(ctx, s.Engine, arg)
		if err != nil {
			return "", err
		}
		cmd.Run, cmd.By = row.ID, s.Me
		done, err := s.Engine.Do(ctx, cmd)
		if err != nil {
			return "", err
		}
		if done.Note != "" {
			p.Talk("%s", terminal.Clean(done.Note))
		}
		if done.Run != "" && done.Run != row.ID {
			return done.Run, nil
		}
		if cmd.Verb == engine.Retry {
			// A step in doubt is done again in the same run, which nobody may be moving.
			_, err = s.Engine.Do(ctx, engine.Command{Verb: engine.Resume, Run: row.ID, By: s.Me})
		}
		return row.ID, err
	}()
	if err != nil {
		_ = s.Close()
		return err
	}
	return follow.Drive(ctx, p.Process, s, id, output == frame.AsJSON)
}

func (p commands) runsPauseCommand() *cobra.Command {
	var why string
	c := &cobra.Command{
		Use:   "pause RUN",
		Short: "Let no further step begin",
		Args:  frame.SomeArgs(1, 1, aRun),
		RunE: func(c *cobra.Command, args []string) error {
			return p.command(c, args[0], engine.Command{Verb: engine.Pause, Why: why}, func(id string, _ engine.Done) {
				p.Talk("run %s is paused; `tend runs resume %s` goes on", id, id)
			})
		},
	}
	c.Flags().StringVar(&why, "why", "", "the reason, which is recorded")
	return c
}

func (p commands) runsCancelCommand() *cobra.Command {
	var why, output string
	c := &cobra.Command{
		Use:   "cancel RUN",
		Short: "End a run in order: what acts is stopped, `finally` runs",
		Args:  frame.SomeArgs(1, 1, aRun),
		RunE: func(c *cobra.Command, args []string) error {
			err := p.driving(c, args[0], engine.Command{Verb: engine.Cancel, Why: why}, output)
			var code *frame.ExitError
			if frame.AsExit(err, &code) && code.Code == frame.ExitInterrupted {
				return nil // cancelled is what was asked for
			}
			return err
		},
	}
	c.Flags().StringVar(&why, "why", "", "the reason, which is recorded")
	frame.OutputFlag(c, &output, "text", frame.AsJSON)
	return c
}

func (p commands) runsResumeCommand() *cobra.Command {
	var all bool
	var output, why string
	c := &cobra.Command{
		Use:   "resume RUN | --all",
		Short: "Let an interrupted, parked or paused run go on here",
		Args:  frame.SomeArgs(0, 1, aRun),
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case all && len(args) > 0:
				return fault.New(fault.Invalid, "--all resumes every run: leave %q away", args[0])
			case all:
				return p.resumeAll(c, why)
			case len(args) == 0:
				return fault.New(fault.Invalid, "%s needs %s, or --all", c.CommandPath(), aRun)
			}
			return p.driving(c, args[0], engine.Command{Verb: engine.Resume, Why: why}, output)
		},
	}
	c.Flags().StringVar(&why, "why", "", "the reason, which is recorded")
	c.Flags().BoolVar(&all, "all", false, "every run that is interrupted, pending, or waits for something that has come")
	frame.OutputFlag(c, &output, "text", frame.AsJSON)
	return c
}

func (p commands) runsStepCommand() *cobra.Command {
	var all bool
	var path, why string
	c := &cobra.Command{
		Use:   "step RUN",
		Short: "Let the next step of a run begin that is stepped through",
		Args:  frame.SomeArgs(1, 1, aRun),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := p.Act(c.Context(), c.CommandPath())
			if err != nil {
				return err
			}
			row, err := frame.FindRun(c.Context(), s.Engine, args[0])
			if err == nil {
				// Whoever permits also moves the run, when nobody else does.
				if row.Status == "interrupted" || s.Remote == nil {
					_, err = s.Engine.Do(c.Context(), engine.Command{Verb: engine.Resume, Run: row.ID, By: s.Me})
				}
			}
			if err == nil {
				_, err = s.Engine.Do(c.Context(), engine.Command{Verb: engine.Permit, Run: row.ID, Path: path, All: all, By: s.Me, Why: why})
			}
			if err != nil {
				_ = s.Close()
				return err
			}
			return follow.Drive(c.Context(), p.Process, s, row.ID, false)
		},
	}
	c.Flags().StringVar(&why, "why", "", "the reason, which is recorded")
	c.Flags().BoolVar(&all, "all", false, "end the stepping: all steps may begin")
	c.Flags().StringVar(&path, "path", "", "this step, where several could begin")
	return c
}

func (p commands) runsSkipCommand() *cobra.Command {
	var why string
	c := &cobra.Command{
		Use:   "skip RUN STEP",
		Short: "Leave a step out (its id or path)",
		Args:  frame.SomeArgs(2, 2, "a run and the id or path of a step"),
		RunE: func(c *cobra.Command, args []string) error {
			return p.command(c, args[0], engine.Command{Verb: engine.Skip, Path: args[1], Why: why}, func(id string, _ engine.Done) {
				p.Talk("%s will be skipped in run %s", terminal.Line(args[1]), id)
			})
		},
	}
	c.Flags().StringVar(&why, "why", "", "the reason, which is recorded")
	return c
}

func (p commands) runsRetryCommand() *cobra.Command {
	var pairs []string
	var params, why, path, output string
	c := &cobra.Command{
		Use:   "retry RUN",
		Short: "Go on from the step that failed, as a new linked run; or do a step in doubt again",
		Args:  frame.SomeArgs(1, 1, aRun),
		RunE: func(c *cobra.Command, args []string) error {
			given, err := p.Params(params, pairs)
			if err != nil {
				return err
			}
			return p.driving(c, args[0], engine.Command{Verb: engine.Retry, Params: given, Path: path, Why: why}, output)
		},
	}
	f := c.Flags()
	f.StringArrayVarP(&pairs, "param", "p", nil, "changed parameter, key=value")
	f.StringVar(&params, "params", "", "file with changed parameters")
	f.StringVar(&path, "step", "", "the step in doubt that is to be done again, where there are several")
	f.StringVar(&why, "why", "", "the reason, which is recorded")
	frame.OutputFlag(c, &output, "text", frame.AsJSON)
	return c
}

func (p commands) runsRollbackCommand() *cobra.Command {
	var why, output string
	c := &cobra.Command{
		Use:   "rollback RUN",
		Short: "Undo what an ended run changed, as a new linked run",
		Args:  frame.SomeArgs(1, 1, aRun),
		RunE: func(c *cobra.Command, args []string) error {
			return p.driving(c, args[0], engine.Command{Verb: engine.Rollback, Why: why}, output)
		},
	}
	c.Flags().StringVar(&why, "why", "", "the reason, which is recorded")
	frame.OutputFlag(c, &output, "text", frame.AsJSON)
	return c
}

func (p commands) runsParamsCommand() *cobra.Command {
	var pairs []string
	var params, why string
	c := &cobra.Command{
		Use:   "params RUN",
		Short: "Change parameters for what has not succeeded yet; open approvals become void",
		Args:  frame.SomeArgs(1, 1, aRun),
		RunE: func(c *cobra.Command, args []string) error {
			given, err := p.Params(params, pairs)
			if err != nil {
				return err
			}
			if len(given) == 0 {
				return fault.New(fault.Invalid, "no parameter is given").WithNext("write -p name=value")
			}
			return p.changeParams(c, args[0], given, why)
		},
	}
	f := c.Flags()
	f.StringArrayVarP(&pairs, "param", "p", nil, "changed parameter, key=value")
	f.StringVar(&params, "params", "", "file with changed parameters")
	f.StringVar(&why, "why", "", "the reason, which is recorded")
	return c
}

// changeParams changes parameters of a run. One that is parked goes on: what it asked is void, and it asks anew. One whose
// process is gone, or that a person paused, waits for a person to say so.
func (p commands) changeParams(c *cobra.Command, arg string, given map[string]any, why string) error {
	ctx := c.Context()
	s, err := p.Act(ctx, c.CommandPath())
	if err != nil {
		return err
	}
	row, err := frame.FindRun(ctx, s.Engine, arg)
	if err == nil {
		_, err = s.Engine.Do(ctx, engine.Command{Verb: engine.Params, Run: row.ID, Params: given, By: s.Me, Why: why})
	}
	if err != nil {
		_ = s.Close()
		return err
	}
	changed := fmt.Sprintf("changed %s of run %s", frame.Count(len(given), "parameter"), row.ID)
	if row.Status != string(run.Waiting) && row.Status != string(run.InDoubt) {
		switch run.Status(row.Status) {
		case run.Paused, run.Interrupted, run.Pending:
			p.Talk("%s, which is %s: `tend runs resume %s` goes on with them", changed, row.Status, row.ID)
		default:
			p.Talk("%s", changed)
		}
		return s.Close()
	}
	p.Talk("%s; it goes on with them", changed)
	if _, err := s.Engine.Do(ctx, engine.Command{Verb: engine.Resume, Run: row.ID, By: s.Me, Why: why}); err != nil {
		_ = s.Close()
		return err
	}
	if s.Remote != nil {
		return s.Close() // there
	}
	err = follow.Drive(ctx, p.Process, s, row.ID, false)
	var code *frame.ExitError
	if frame.AsExit(err, &code) && code.Code == frame.ExitParked {
		return nil // as it was
	}
	return err
}

func (p commands) runsReleaseCommand() *cobra.Command {
	var why string
	c := &cobra.Command{
		Use:   "release RUN --why REASON",
		Short: "Free what a quarantined run holds: its locks, its questions, the events that it waits for",
		Long: "A run whose entries are damaged is quarantined: nobody knows how far it came, nobody moves it, and what it holds stays\n" +
			"held. When you have found out what it did, and made that whole by hand, this lets others go on. The run itself is not\n" +
			"touched; who released it, and why, is recorded.",
		Args: frame.SomeArgs(1, 1, aRun),
		RunE: func(c *cobra.Command, args []string) error {
			return p.command(c, args[0], engine.Command{Verb: engine.Release, Why: why}, func(id string, d engine.Done) {
				p.Talk("run %s: %s", id, terminal.Line(d.Note))
			})
		},
	}
	c.Flags().StringVar(&why, "why", "", "what you found out, which is recorded")
	return c
}

func (p commands) runsRedactCommand() *cobra.Command {
	var text, why string
	c := &cobra.Command{
		Use:   "redact RUN",
		Short: "Erase a value that slipped into a run; the chain of entries still holds",
		Long: "Erases a text from entries, logs and outputs for good, and records that somebody did: from those of the run, of the\n" +
			"runs that it called and that called it, and of their retries and rollbacks. The text is read from standard input, or\n" +
			"from --text, which other users of this machine may see while it runs.",
		Args: frame.SomeArgs(1, 1, aRun),
		RunE: func(c *cobra.Command, args []string) error {
			if text == "" {
				b, err := p.ReadFile("-", 1<<20)
				if err != nil {
					return err
				}
				text = strings.TrimRight(string(b), "\r\n")
			}
			if text == "" {
				return fault.New(fault.Invalid, "there is no text to erase").WithNext("pipe it in: `tend runs redact %s < file`", args[0])
			}
			return p.command(c, args[0], engine.Command{Verb: engine.Redact, Text: text, Why: why}, func(id string, d engine.Done) {
				if d.Count > 0 {
					p.Talk("erased it in %s of run %s; `tend runs verify %s` shows that the chain holds", frame.Count(d.Count, "place"), id, id)
				}
				if d.Note != "" {
					p.Talk("%s", terminal.Clean(d.Note))
				}
			})
		},
	}
	c.Flags().StringVar(&text, "text", "", "what to erase")
	c.Flags().StringVar(&why, "why", "", "the reason, which is recorded")
	return c
}

// resumeAll lets every run go on that can, and waits until none moves any more.
func (p commands) resumeAll(c *cobra.Command, why string) error {
	ctx := c.Context()
	s, err := p.Act(ctx, c.CommandPath())
	if err != nil {
		return err
	}
	var resumed, refused int
	err = func() error {
		f := store.Filter{Kind: "run", Status: []string{"interrupted", "pending", "waiting", "in-doubt"}, Oldest: true}
		var ids []string
		for r, err := range store.All(ctx, s.Engine, f) {
			if err != nil {
				return err
			}
			if r.Parent == "" {
				ids = append(ids, r.ID)
			}
		}
		for _, id := range ids {
			_, err := s.Engine.Do(ctx, engine.Command{Verb: engine.Resume, Run: id, By: s.Me, Why: why})
			switch {
			case err == nil:
				resumed++
			case fault.Is(err, fault.Conflict), fault.Is(err, fault.Damaged):
				refused++
				p.Talk("%s: %s", id, terminal.Clean(err.Error()))
			default:
				return err
			}
		}
		return nil
	}()
	if err != nil {
		_ = s.Close()
		return err
	}
	p.Talk("%s go on here", frame.Count(resumed, "run"))
	if s.Remote != nil {
		p.Talk("%s moves them; `tend runs list` shows how they are", s.Owner())
	}
	if err := follow.Leave(ctx, p.Process, s, false); err != nil {
		return err
	}
	if refused > 0 {
		return frame.Exit(frame.ExitFailed)
	}
	return nil
}
