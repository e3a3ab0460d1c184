package inbox

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/task"
	"github.com/tendhq/tend/internal/terminal"
)

// attend does with a task what is no answer, and says what it was.
func (p commands) attend(c *cobra.Command, arg string, a task.Act, said string) error {
	s, err := p.Open(c.Context(), app.Options{Command: c.CommandPath(), Via: "inbox"})
	return frame.With(s, err, func() error {
		row, err := frame.FindTask(c.Context(), s.Engine, arg)
		if err != nil {
			return err
		}
		a.By = s.Me
		if err := s.Engine.Attend(c.Context(), row.ID, a); err != nil {
			return err
		}
		p.Talk("task %s: %s", row.ID, terminal.Line(said))
		return nil
	})
}

func (p commands) breakGlassCommand() *cobra.Command {
	var why, output string
	var resume bool
	c := &cobra.Command{
		Use:   "break-glass TASK --why REASON",
		Short: "Approve alone, whoever was asked: told to everybody, reviewed by somebody else",
		Long: "For the moment when nobody answers and waiting is worse. It needs a right of its own (the role breaker, or admin) and a\n" +
			"reason. It is told in the channels that want to know, stands in the audit, and leaves a task to review it, which\n" +
			"somebody else has to do and which stays in the inbox until then.",
		Args: frame.SomeArgs(1, 1, aTask),
		RunE: func(c *cobra.Command, args []string) error {
			if strings.TrimSpace(why) == "" {
				return fault.New(fault.Invalid, "who breaks the glass says why: others will ask").WithNext("--why")
			}
			return p.answer(c, args[0], engine.Answer{Choice: task.BreakGlass, Why: why}, resume, output)
		},
	}
	frame.WhyFlag(c, &why)
	c.Flags().BoolVar(&resume, "resume", false, "then let the run go on here, when no other process moves it")
	frame.OutputFlag(c, &output, "text", frame.AsJSON)
	return c
}

func (p commands) claimCommand() *cobra.Command {
	var why string
	var take bool
	c := &cobra.Command{
		Use: "claim TASK", Short: "Say that you see to it", Args: frame.SomeArgs(1, 1, aTask),
		RunE: func(c *cobra.Command, args []string) error {
			return p.attend(c, args[0], task.Act{Verb: task.Claim, Take: take, Why: why}, "you see to it")
		},
	}
	frame.WhyFlag(c, &why)
	c.Flags().BoolVar(&take, "take", false, "also when somebody else sees to it")
	return c
}

func (p commands) assignCommand() *cobra.Command {
	var why string
	c := &cobra.Command{
		Use: "assign TASK [WHO]", Short: "Say who is expected to see to it; without WHO nobody", Args: frame.SomeArgs(1, 2, aTask+", then a person or a group"),
		RunE: func(c *cobra.Command, args []string) error {
			said := "nobody sees to it"
			if len(args) == 2 {
				said = args[1] + " sees to it"
			}
			return p.attend(c, args[0], task.Act{Verb: task.Assign, To: args[1:], Why: why}, said)
		},
	}
	frame.WhyFlag(c, &why)
	return c
}

func (p commands) delegateCommand() *cobra.Command {
	var why string
	var to []string
	var back bool
	c := &cobra.Command{
		Use:   "delegate TASK --to WHO",
		Short: "Let somebody else answer in your place, once",
		Long: "Whoever is asked hands that on to a person or a group. How many must agree, and who may not, stay as they are; each who\n" +
			"answers needs the right to. Until you take it back (--back) you do not answer yourself.",
		Example: "  tend inbox delegate last --to user:bob@example.org --why 'I am on a train'\n  tend inbox delegate last --back",
		Args:    frame.SomeArgs(1, 1, aTask),
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case back == (len(to) > 0):
				return fault.New(fault.Invalid, "say to whom, or take it back").WithNext("--to user:bob@example.org, --to group:sre, or --back")
			case back:
				return p.attend(c, args[0], task.Act{Verb: task.Delegate, Why: why}, "it is yours again")
			}
			return p.attend(c, args[0], task.Act{Verb: task.Delegate, To: to, Why: why}, fmt.Sprintf("%s may answer in your place", strings.Join(to, ", ")))
		},
	}
	frame.WhyFlag(c, &why)
	c.Flags().StringSliceVar(&to, "to", nil, "a person or a group; can be given several times, and one of them answers")
	c.Flags().BoolVar(&back, "back", false, "take it back")
	return c
}

func (p commands) commentCommand() *cobra.Command {
	return &cobra.Command{
		Use: "comment TASK TEXT", Short: "Say something about a task", Args: frame.SomeArgs(2, 2, aTask+", then a text"),
		RunE: func(c *cobra.Command, args []string) error {
			return p.attend(c, args[0], task.Act{Verb: task.Say, Text: args[1]}, "said")
		},
	}
}

func (p commands) linkCommand() *cobra.Command {
	var name string
	c := &cobra.Command{
		Use: "link TASK URL", Short: "Put a link beside a task", Args: frame.SomeArgs(2, 2, aTask+", then an address"),
		RunE: func(c *cobra.Command, args []string) error {
			return p.attend(c, args[0], task.Act{Verb: task.Attach, Link: entry.Link{Name: name, URL: args[1]}}, "linked")
		},
	}
	c.Flags().StringVar(&name, "name", "", "what it is called")
	return c
}
