package inbox

import (
	"errors"
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
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/task"
	"github.com/tendhq/tend/internal/terminal"
)

const aTask = "a task: its id, a beginning of it, or `last`"

func (p commands) inboxCommand() *cobra.Command {
	var output, runID string
	var all bool
	c := &cobra.Command{
		Use:     "inbox",
		Short:   "See and answer what waits for a person",
		GroupID: frame.GroupRun,
		Args:    frame.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if p.NothingYet() {
				return p.List(output, frame.Table{Empty: "nothing waits for you", Data: []any{}})
			}
			return p.Look(c.Context(), func(s *app.Session) error { return p.listTasks(c, s, output, runID, all) })
		},
	}
	c.Flags().StringVar(&runID, "run", "", "only tasks of this run")
	c.Flags().BoolVar(&all, "all", false, "also tasks that are over")
	frame.OutputFlag(c, &output, frame.AsTable, frame.AsJSON, frame.AsYAML, frame.AsName)
	c.AddCommand(
		p.inboxShowCommand(),
		p.answerCommand("approve TASK", "Say yes", "approve", false),
		p.answerCommand("reject TASK", "Say no, or that it was not done", "reject", false),
		p.answerCommand("answer TASK [happened|not-happened|again|fail|skip]", "Answer a form (-f field=value), or say what became of a step in doubt", "answer", true),
		p.answerCommand("done TASK", "Say that manual work was done, or what a review found (--why)", "done", false),
		p.breakGlassCommand(),
		p.claimCommand(),
		p.assignCommand(),
		p.delegateCommand(),
		p.commentCommand(),
		p.linkCommand(),
	)
	for _, sub := range c.Commands() {
		sub.ValidArgsFunction = p.completeTasks
		if sub.Name() == "reject" {
			sub.SuggestFor = []string{"deny", "decline", "refuse", "no"}
		}
	}
	return c
}

func (p commands) completeTasks(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		if c.Name() != "answer" {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return task.Choices("doubt"), cobra.ShellCompDirectiveNoFileComp
	}
	var out []string
	err := p.Look(c.Context(), func(s *app.Session) error {
		page, err := s.Engine.Rows(c.Context(), store.Filter{Kind: "task", Status: []string{task.Open}, Limit: 20})
		for _, r := range page.Rows {
			out = append(out, r.ID+"\t"+terminal.Line(r.Name))
		}
		return err
	})
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// taskItem is a task in a list of JSON or YAML.
type taskItem struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	engine.TaskRow
}

func (p commands) listTasks(c *cobra.Command, s *app.Session, output, runID string, all bool) error {
	f := store.Filter{Kind: "task", Limit: 1000}
	if !all {
		f.Status = []string{task.Open}
	}
	if runID != "" {
		row, err := frame.FindRun(c.Context(), s.Engine, runID)
		if err != nil {
			return err
		}
		f.Parent = row.ID
	}
	t := frame.Table{Head: []string{"TASK", "ASKS", "RUN", "SINCE", "UNTIL", "WHO", "ABOUT"}, Empty: "nothing waits for you"}
	data := []taskItem{}
	for {
		page, err := s.Engine.Rows(c.Context(), f)
		if err != nil {
			return err
		}
		for _, r := range page.Rows {
			var b engine.TaskRow
			if err := frame.DecodeBody(r, &b); err != nil {
				return err
			}
			asks := b.Type
			if r.Status != task.Open {
				asks += ": " + r.Status
			}
			until := frame.Dash(shortTime(b.Expires))
			if r.Status == task.Open && b.Expired(time.Now()) {
				until = "over"
			}
			t.Rows = append(t.Rows, []string{r.ID, asks, r.Parent, r.At.Local().Format("01-02 15:04"), until, frame.Dash(terminal.Line(b.Assignee)), about(&b)})
			t.Names = append(t.Names, r.ID)
			data = append(data, taskItem{r.ID, r.Status, b})
		}
		if f.Cursor = page.Next; f.Cursor == "" {
			break
		}
	}
	t.Data = data
	return p.List(output, t)
}

// about says in a line what a task is about.
func about(t *engine.TaskRow) string {
	var said []string
	for _, text := range []string{t.Title, t.Message} {
		if line := terminal.Line(text); line != "" && !slices.Contains(said, line) {
			said = append(said, line)
		}
	}
	if line := []rune(strings.Join(said, ": ")); len(line) > 100 {
		return string(line[:99]) + "…"
	} else if len(line) > 0 {
		return string(line)
	}
	return t.Path
}

func shortTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("01-02 15:04")
}

func (p commands) inboxShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show TASK",
		Short: "Show all that a task asks, and how to answer",
		Args:  frame.SomeArgs(1, 1, aTask),
		RunE: func(c *cobra.Command, args []string) error {
			return p.Look(c.Context(), func(s *app.Session) error {
				row, b, err := openTask(c, s, args[0])
				if err != nil {
					return err
				}
				runRow, err := frame.FindRun(c.Context(), s.Engine, row.Parent)
				if err != nil {
					return err
				}
				fold, _, err := frame.Read(c.Context(), s.Engine, runRow)
				if err != nil {
					return err
				}
				text := strings.TrimLeft(follow.DescribeTask(row.ID, b, p.OutStyle, fold), "\n")
				for _, f := range follow.FormFields(b) {
					text += "  field " + strings.TrimSuffix(f.Prompt(), ": ") + "\n"
				}
				text += fmt.Sprintf("  asked by run %s of %s\n", runRow.ID, terminal.Line(runRow.Name))
				switch {
				case row.Status != task.Open:
					text += "it is over: " + row.Status + "\n"
				case b.Expired(time.Now()):
					text += "nobody answered in time, which is no: tend runs resume " + row.Parent + "\n"
				default:
					text += "answer: " + howToAnswer(row.ID, b) + "\n"
				}
				_, err = fmt.Fprint(p.Out, text)
				return err
			})
		},
	}
}

func howToAnswer(id string, t *engine.TaskRow) string {
	switch t.Type {
	case "ask":
		if len(follow.FormFields(t)) == 0 {
			if t.Form["selector"] == "multi" {
				return fmt.Sprintf("tend inbox answer %s -f value=CHOICE,CHOICE", id)
			}
			return fmt.Sprintf("tend inbox answer %s -f value=CHOICE", id)
		}
		var fs []string
		for _, f := range follow.FormFields(t) {
			fs = append(fs, "-f "+f.Name+"=…")
		}
		return fmt.Sprintf("tend inbox answer %s %s", id, strings.Join(fs, " "))
	case "manual":
		return fmt.Sprintf("tend inbox done %s, or tend inbox reject %s", id, id)
	case task.Review:
		return fmt.Sprintf("tend inbox done %s --why 'what you found'", id)
	case "doubt":
		return fmt.Sprintf("tend inbox answer %s %s", id, strings.Join(task.Choices("doubt"), "|"))
	default:
		return fmt.Sprintf("tend inbox approve %s, or tend inbox reject %s", id, id)
	}
}

func openTask(c *cobra.Command, s *app.Session, arg string) (store.Row, *engine.TaskRow, error) {
	row, err := frame.FindTask(c.Context(), s.Engine, arg)
	if err != nil {
		return row, nil, err
	}
	b := new(engine.TaskRow)
	return row, b, frame.DecodeBody(row, b)
}

func (p commands) answerCommand(use, short, choice string, form bool) *cobra.Command {
	var why, file, output string
	var pairs []string
	var resume bool
	most := 1
	if form {
		most = 2
	}
	c := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  frame.SomeArgs(1, most, aTask),
		RunE: func(c *cobra.Command, args []string) error {
			a := engine.Answer{Choice: choice, Why: why}
			if form {
				given, err := p.Values(file, "-f", pairs)
				if err != nil {
					return err
				}
				if len(args) == 2 {
					if !slices.Contains(task.Choices("doubt"), args[1]) {
						return fault.New(fault.Invalid, "%q does not say what became of it", args[1]).
							WithNext("one of: %s; fields of a form are given with -f name=value", strings.Join(task.Choices("doubt"), ", "))
					}
					a.Choice = args[1]
				}
				if len(given) > 0 {
					a.Output = given
				}
			}
			return p.answer(c, args[0], a, resume, output)
		},
	}
	c.Flags().StringVar(&why, "why", "", "the reason, which is recorded")
	c.Flags().BoolVar(&resume, "resume", false, "then let the run go on here, when no other process moves it")
	frame.OutputFlag(c, &output, "text", frame.AsJSON)
	if form {
		c.Flags().StringArrayVarP(&pairs, "field", "f", nil, "field of the form, name=value")
		c.Flags().StringVar(&file, "file", "", "file with the fields, JSON or YAML")
	}
	return c
}

// answer records an answer and says what follows from it.
func (p commands) answer(c *cobra.Command, arg string, a engine.Answer, resume bool, output string) error {
	ctx := c.Context()
	s, err := p.Open(ctx, app.Options{Command: c.CommandPath(), Via: "inbox"})
	if err != nil {
		return err
	}
	row, status, err := func() (store.Row, string, error) {
		row, b, err := openTask(c, s, arg)
		if err != nil {
			return row, "", err
		}
		if a.Choice == "answer" && b.Type == "doubt" {
			return row, "", fault.New(fault.Invalid, "task %s asks what became of a step", row.ID).WithNext("%s", howToAnswer(row.ID, b))
		}
		a.Task, a.By = row.ID, s.Me
		status, err := s.Engine.Answer(ctx, a)
		return row, status, err
	}()
	if err != nil {
		_ = s.Close()
		return err
	}
	if output == frame.AsJSON && !resume {
		if err := p.Data(frame.AsJSON, map[string]string{"task": row.ID, "run": row.Parent, "status": status}); err != nil {
			_ = s.Close()
			return err
		}
	}
	if status == task.Open {
		p.Talk("recorded; more people must answer task %s", row.ID)
	} else {
		p.Talk("task %s: %s", row.ID, terminal.Line(status))
	}
	if s.Remote != nil && !resume {
		p.Talk("%s may move run %s; `tend runs watch %s` shows it", s.Owner(), row.Parent, row.Parent)
		return s.Close()
	}
	if !resume {
		if status != task.Open {
			err = follow.Unmoved(p.Process, c, s, row.Parent)
		}
		return errors.Join(err, s.Close())
	}
	root, err := follow.RootOf(c, s, row.Parent)
	if err != nil {
		_ = s.Close()
		return err
	}
	if _, err := s.Engine.Do(ctx, engine.Command{Verb: engine.Resume, Run: root, By: s.Me}); err != nil {
		_ = s.Close()
		return err
	}
	return follow.Drive(ctx, p.Process, s, root, output == frame.AsJSON)
}
