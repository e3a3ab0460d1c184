package start

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/plan"
	"github.com/tendhq/tend/internal/terminal"
	"github.com/tendhq/tend/internal/value"
)

// showPlan shows what a run would do. No data directory is opened, and no step acts.
func showPlan(p *frame.Process, r *Request, output string) error {
	pl := plan.New(plan.Request{
		Program: r.Program, Params: r.Start.Params, Event: r.Start.Event, Metadata: r.Start.Metadata, By: app.UserName(-1),
		Guards: r.Start.Guards, Spec: r.Catalog.Spec, Eval: expr.New(expr.Limits{}), Now: time.Now(),
	})
	text, problems := PlanText(p.OutStyle, pl)
	var err error
	if output == frame.AsJSON {
		err = p.Data(frame.AsJSON, pl)
	} else {
		_, err = fmt.Fprint(p.Out, text)
	}
	if err != nil {
		return err
	}
	if problems > 0 {
		p.Talk("%s would fail as it stands: see above", frame.Count(problems, "place"))
		return frame.Exit(frame.ExitFailed)
	}
	return nil
}

// PlanText prints a plan for people, and counts what would fail.
func PlanText(style terminal.Style, pl *plan.Plan) (text string, problems int) {
	w := planWriter{style: style, problems: &problems}
	w.plan(pl)
	return w.b.String(), problems
}

// planWriter prints a plan for people.
type planWriter struct {
	b        strings.Builder
	style    terminal.Style
	problems *int
}

func (w *planWriter) line(pad, format string, a ...any) {
	text := terminal.Clean(fmt.Sprintf(format, a...))
	fmt.Fprintf(&w.b, "%s%s\n", pad, frame.Indent(text, pad))
}

func (w *planWriter) plan(pl *plan.Plan) {
	fmt.Fprintf(&w.b, "%s %s\n", w.style.Bold("plan of "+terminal.Line(pl.Name)+":"), w.style.Dim("nothing is run"))
	if len(pl.Params) > 0 {
		w.line("", "params:")
		w.data("  ", pl.Params)
	}
	w.section("steps", pl.Steps)
	w.section("if it fails (catch)", pl.Catch)
	w.section("in any case (finally)", pl.Finally)
	if len(pl.Outputs) > 0 {
		w.line("", "outputs:")
		w.data("  ", pl.Outputs)
	}
	w.trouble("", pl.Problems)
}

func (w *planWriter) section(title string, steps []plan.Step) {
	if len(steps) == 0 {
		return
	}
	w.line("", "%s:", title)
	for i := range steps {
		w.step(&steps[i], "  ")
	}
}

func (w *planWriter) step(s *plan.Step, pad string) {
	name := s.Name
	if name == "" {
		name = s.ID
	}
	if name == "" {
		name = s.Path
	}
	head := terminal.Line(name)
	what := s.Uses
	if what == "" {
		what = s.Kind
	}
	if s.Kind != "iteration" && what != name {
		head += " (" + terminal.Line(what) + ")"
	}
	switch s.When {
	case plan.No:
		fmt.Fprintf(&w.b, "%s%s\n", pad, w.style.Dim("– "+head+"  skipped: "+terminal.Line(s.Condition)+" does not hold"))
		return
	case plan.Unknown:
		head = w.style.Yellow("? ") + head
	default:
		head = w.style.Green("+ ") + head
	}
	if s.Effect != "" {
		effect := s.Effect
		if s.Irreversible {
			effect += ", irreversible"
		}
		if s.Effect == "mutate" {
			effect = w.style.Yellow(effect)
		}
		head += "  " + effect
	}
	if t := w.targets(s.Targets); t != "" {
		head += "  on " + t
	}
	fmt.Fprintf(&w.b, "%s%s\n", pad, head)
	pad += "    "
	w.about(s, pad)
	for i := range s.Steps {
		w.step(&s.Steps[i], pad)
	}
	if s.More > 0 {
		w.line(pad, "… and %d more iterations", s.More)
	}
	w.below(pad, "catch", s.Catch)
	w.below(pad, "finally", s.Finally)
}

func (w *planWriter) below(pad, title string, steps []plan.Step) {
	if len(steps) == 0 {
		return
	}
	w.line(pad, "%s:", title)
	for i := range steps {
		w.step(&steps[i], pad+"  ")
	}
}

// about prints what belongs to a step besides the steps below it.
func (w *planWriter) about(s *plan.Step, pad string) {
	if s.When == plan.Unknown {
		w.line(pad, "when: %s — cannot be known yet%s", s.Condition, dependsOn(s.DependsOn))
	}
	if s.Note != "" {
		w.line(pad, "%s%s", s.Note, map[bool]string{true: dependsOn(s.DependsOn)}[s.When != plan.Unknown])
	}
	if s.Runner != nil {
		w.line(pad, "runner: %s", shown(s.Runner))
	}
	for _, part := range []string{"with", "env", "args", "params"} {
		switch v := s.Inputs[part].(type) {
		case map[string]any:
			name := ""
			if part == "env" {
				name = "env "
			}
			w.named(pad, name, v)
		case []any:
			w.line(pad, "%s: %s", part, shown(v))
		}
	}
	if s.Approval != "" {
		w.line(pad, "%s", s.Approval)
	}
	if len(s.Guards) > 0 {
		w.line(pad, "guards: %s", strings.Join(s.Guards, ", "))
	}
	for _, x := range [][2]string{{"retry", s.Retry}, {"timeout", s.Timeout}, {"on doubt", s.OnDoubt}} {
		if x[1] != "" {
			w.line(pad, "%s: %s", x[0], x[1])
		}
	}
	if s.Verify != nil {
		uses := s.Verify.Uses
		if uses != "" {
			uses += " "
		}
		w.line(pad, "verified by: %suntil %s", uses, s.Until)
	}
	switch {
	case s.UndoNone != "":
		w.line(pad, "cannot be undone: %s", s.UndoNone)
	case s.Undo != nil:
		w.line(pad, "undone by: %s", s.Undo.Uses)
	}
	w.trouble(pad, s.Problems)
}

func (w *planWriter) trouble(pad string, problems []string) {
	for _, t := range problems {
		*w.problems++
		w.line(pad, "%s %s", w.style.Red("would fail:"), t)
	}
}

func (w *planWriter) targets(list []any) string {
	var out []string
	for _, t := range list {
		out = append(out, shown(t))
	}
	return terminal.Line(strings.Join(out, ", "))
}

// shown prints a value; what is open says what it waits for.
func shown(v any) string {
	switch x := v.(type) {
	case plan.Open:
		return fmt.Sprintf("‹%s›%s", strings.Join(strings.Fields(x.Source), " "), dependsOn(x.DependsOn))
	case []any:
		parts := make([]string, len(x))
		for i, e := range x {
			parts[i] = shown(e)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(x)) {
			parts = append(parts, k+": "+shown(x[k]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	default:
		return value.Text(v)
	}
}

func dependsOn(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return ", depends on " + strings.Join(names, ", ")
}

func (w *planWriter) data(pad string, m map[string]any) { w.named(pad, "", m) }

func (w *planWriter) named(pad, prefix string, m map[string]any) {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		text := strings.TrimRight(shown(m[k]), "\n")
		if _, ok := m[k].(string); ok && strings.Contains(text, "\n") {
			w.line(pad, "%s%s:", prefix, k)
			w.line(pad+"    ", "%s", text)
			continue
		}
		w.line(pad, "%s%s: %s", prefix, k, text)
	}
}
