package runs

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/cli/follow"
	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/history"
	"github.com/tendhq/tend/internal/terminal"
)

func (p commands) runsShowCommand() *cobra.Command {
	var output string
	var inputs, timeline bool
	c := &cobra.Command{
		Use:   "show RUN",
		Short: "Show a run: its steps, what they did, and how it stands",
		Args:  frame.SomeArgs(1, 1, aRun),
		RunE: func(c *cobra.Command, args []string) error {
			return p.Look(c.Context(), func(s *app.Session) error {
				row, err := frame.FindRun(c.Context(), s.Engine, args[0])
				if err != nil {
					return err
				}
				fold, _, err := frame.Read(c.Context(), s.Engine, row)
				if err != nil && fold == nil {
					return err
				}
				v := fold.View()
				if output != "text" {
					if derr := p.Data(output, v); derr != nil {
						return derr
					}
					return err
				}
				outputs, oerr := follow.OutputsOf(c.Context(), s.Engine, v)
				if _, werr := fmt.Fprint(p.Out, showText(v, outputs, p.OutStyle, inputs, timeline)); werr != nil {
					return werr
				}
				return follow.CmpErr(err, oerr)
			})
		},
	}
	c.Flags().BoolVarP(&inputs, "inputs", "i", false, "also show rendered inputs and outputs of steps")
	c.Flags().BoolVarP(&timeline, "timeline", "t", false, "also show the time line")
	frame.OutputFlag(c, &output, "text", frame.AsJSON, frame.AsYAML)
	return c
}

// showText prints a view for people.
func showText(v *history.View, outputs map[string]any, st terminal.Style, inputs, timeline bool) string {
	var b strings.Builder
	row := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, "%-9s %s\n", name+":", terminal.Clean(text))
		}
	}
	row("run", v.ID)
	row("playbook", v.Name)
	row("source", v.Source)
	row("author", v.Author)
	row("env", v.Env)
	b.WriteString("status:   " + statusStyle(st, v.Status) + "\n")
	row("started", frame.Local(v.Created)+" by "+frame.Who(v.By))
	if !v.Ended.IsZero() {
		row("ended", frame.Local(v.Ended)+took(v))
	}
	switch c := v.Cause; {
	case c.Carry != "" && c.Parent != "":
		row("cause", "carries on "+c.Carry+", called by "+c.Parent+" at "+c.Path+given(c.Why))
	case c.Carry != "":
		row("cause", "retries "+c.Carry+given(c.Why))
	case c.Undoes != "":
		row("cause", "rolls back "+c.Undoes+given(c.Why))
	case c.Parent != "":
		row("cause", "called by "+c.Parent+" at "+c.Path)
	}
	if len(v.Params) > 0 {
		b.WriteString("params:\n")
		follow.Tree(&b, map[string]any(v.Params), "  ")
	}
	b.WriteString("steps:\n")
	v.Walk(func(s *history.Step, depth int) { stepText(&b, s, depth, st, inputs) })
	if len(outputs) > 0 {
		b.WriteString("outputs:\n")
		follow.Tree(&b, outputs, "  ")
	}
	if c := v.Changed(); len(c) > 0 {
		row("changed", strings.Join(c, ", "))
	}
	if timeline {
		b.WriteString("time line:\n")
		if v.Earlier > 0 {
			fmt.Fprintf(&b, "  %s\n", st.Dim(fmt.Sprintf("… %d earlier", v.Earlier)))
		}
		for _, m := range v.Moments {
			fmt.Fprintf(&b, "  %s  %s\n", st.Dim(m.At.Local().Format("15:04:05.000")), terminal.Line(m.Text))
		}
	}
	for _, r := range v.Remarks {
		row("remark", r)
	}
	fmt.Fprintf(&b, "%s\n", terminal.Clean(follow.Explained(v)))
	return b.String()
}

func took(v *history.View) string {
	if v.Started.IsZero() {
		return ""
	}
	return ", after " + frame.Span(v.Ended.Sub(v.Started))
}

func statusStyle(st terminal.Style, status string) string {
	switch history.Status(status) {
	case history.Succeeded:
		return st.Green(status)
	case history.Failed, "quarantined":
		return st.Red(status)
	case history.Skipped, history.Pending, history.Unreached, history.Carried:
		return st.Dim(status)
	default:
		return st.Yellow(status)
	}
}

func stepText(b *strings.Builder, s *history.Step, depth int, st terminal.Style, inputs bool) {
	pad := strings.Repeat("  ", depth+1)
	name := terminal.Line(s.Label())
	if s.Section != "" && depth == 0 {
		name = s.Section + ": " + name
	}
	var parts []string
	if d := s.Duration(); d > 0 {
		parts = append(parts, frame.Span(d))
	}
	if s.Loop != nil {
		parts = append(parts, follow.LoopCounts(s.Loop))
	}
	if s.Count > 1 {
		parts = append(parts, fmt.Sprintf("%d attempts", s.Count))
	}
	if s.Effect != "" {
		parts = append(parts, s.Effect)
	}
	if s.Verified == "yes" {
		parts = append(parts, "verified")
	}
	if len(s.Targets) > 0 {
		parts = append(parts, terminal.Line(strings.Join(s.Targets, ", ")))
	}
	if s.Undo != nil && s.Undo.Done {
		parts = append(parts, "undone")
	}
	fmt.Fprintf(b, "%s%s  %s", pad, name, statusStyle(st, string(s.Status)))
	if len(parts) > 0 {
		b.WriteString("  " + st.Dim(strings.Join(parts, "  ")))
	}
	b.WriteString("\n")
	line := func(format string, a ...any) {
		fmt.Fprintf(b, "%s    %s\n", pad, frame.Indent(terminal.Clean(fmt.Sprintf(format, a...)), pad+"    "))
	}
	if s.Fault != nil && s.Status != history.Succeeded {
		line("%s: %s", s.Fault.Kind, s.Fault.Message)
	}
	if s.Why != "" {
		line("%s", s.Why)
	}
	for _, t := range s.Tasks {
		text := fmt.Sprintf("asked %s (%s)", frame.Local(t.Asked), t.ID)
		if len(t.Also) > 0 {
			text += ", then also " + terminal.Line(strings.Join(t.Also, ", "))
		}
		if t.Outcome != "" {
			text += ": " + t.Outcome
			for i, w := range t.By {
				text += [...]string{" by ", ", "}[min(i, 1)] + frame.Who(w)
			}
			if t.Why != "" {
				text += ": " + t.Why
			}
		}
		line("%s", text)
	}
	if s.Child != "" {
		line("run %s", s.Child)
	}
	if s.Loop != nil && s.Loop.Forgotten > 0 {
		line("%d iterations are not shown: `tend runs export --json` has all", s.Loop.Forgotten)
	}
	if inputs {
		if len(s.Inputs) > 0 {
			line("inputs:")
			follow.Tree(b, map[string]any(s.Inputs), pad+"      ")
		}
		if len(s.Output) > 0 {
			line("output:")
			follow.Tree(b, map[string]any(s.Output), pad+"      ")
		}
		if s.Ref != nil {
			line("output of %d bytes: `tend runs export --json`", s.Ref.Size)
		}
		if s.Sealed {
			line("some outputs are sealed")
		}
	}
	for _, a := range s.Artifacts {
		line("left %s (%d bytes)", a.Name, a.Ref.Size)
	}
}

// given adds the reason that a person gave, when there is one.
func given(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}
