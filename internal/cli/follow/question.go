package follow

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/history"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/task"
	"github.com/tendhq/tend/internal/terminal"
	"github.com/tendhq/tend/internal/value"
)

// ask puts a question to the person at the terminal.
func (w *Watcher) ask(ctx context.Context, x history.Wait) error {
	w.handled[x.For+x.On+x.Path] = true
	if x.For == "permit" {
		w.pose(w.step(x))
		return nil
	}
	page, err := w.session.Engine.Rows(ctx, store.Filter{Kind: "task", ID: x.On, Limit: 1})
	if err != nil || len(page.Rows) == 0 || page.Rows[0].Status != task.Open {
		return err
	}
	var t engine.TaskRow
	if err := frame.DecodeBody(page.Rows[0], &t); err != nil {
		return err
	}
	w.say("%s", strings.TrimRight(DescribeTask(page.Rows[0].ID, &t, w.p.ErrStyle, w.Fold), "\n"))
	q := w.taskQuestion(page.Rows[0].ID, &t)
	q.task, q.path = x.On, x.Path
	w.pose(q)
	return nil
}

func (w *Watcher) pose(q *question) {
	w.question = q
	_, _ = fmt.Fprint(w.p.Err, q.prompt)
}

func (w *Watcher) say(format string, a ...any) { _, _ = fmt.Fprintf(w.p.Err, format+"\n", a...) }

// typed hands a line to the open question.
func (w *Watcher) typed(ctx context.Context, line string) error {
	q := w.question
	if q == nil {
		return nil
	}
	done, err := q.answer(ctx, strings.TrimSpace(line))
	switch {
	case err != nil && (fault.Is(err, fault.Invalid) || fault.Is(err, fault.Refused)):
		w.p.Complain(err)
		done = fault.Is(err, fault.Refused)
	case fault.Is(err, fault.Conflict):
		w.say("%s", terminal.Clean(err.Error()))
		done = true
	case err != nil:
		return err
	}
	if done {
		w.question = nil
		if err == nil && !w.handled["declined"+q.task+q.path] {
			return nil // what follows from the answer is shown before the next question
		}
		_, err := w.look(ctx)
		return err
	}
	_, _ = fmt.Fprint(w.p.Err, q.prompt)
	return nil
}

// decline leaves a question open: the run parks.
func (w *Watcher) decline(q *question) (bool, error) {
	w.handled["declined"+q.task+q.path] = true
	return true, nil
}

func (w *Watcher) send(ctx context.Context, id, choice string, output map[string]any, why string) (bool, error) {
	status, err := w.session.Engine.Answer(ctx, engine.Answer{Task: id, Choice: choice, Output: output, By: w.session.Me, Why: why})
	if err == nil && status == task.Open {
		w.say("recorded; more people must answer (`tend inbox` for them)")
	}
	return err == nil, err
}

// step asks about the next step of a run that is stepped through.
func (w *Watcher) step(x history.Wait) *question {
	label := x.Path
	if s := w.Fold.Step(x.Path); s != nil {
		label = s.Label()
	}
	delete(w.handled, x.For+x.On+x.Path) // a retried step may ask again
	do := func(ctx context.Context, c engine.Command) (bool, error) {
		c.Run, c.By = w.run, w.session.Me
		_, err := w.session.Engine.Do(ctx, c)
		return err == nil, err
	}
	return &question{
		path: x.Path, prompt: fmt.Sprintf("next: %s  [Enter] go, s skip, c continue to the end, q cancel: ", terminal.Line(label)),
		answer: func(ctx context.Context, line string) (bool, error) {
			switch strings.ToLower(line) {
			case "", "g", "go", "y":
				return do(ctx, engine.Command{Verb: engine.Permit, Path: x.Path})
			case "c", "continue":
				return do(ctx, engine.Command{Verb: engine.Permit, All: true})
			case "s", "skip":
				return do(ctx, engine.Command{Verb: engine.Skip, Path: x.Path, Why: "skipped while stepping"})
			case "q", "quit", "cancel":
				return do(ctx, engine.Command{Verb: engine.Cancel, Why: "cancelled while stepping"})
			default:
				return false, fault.New(fault.Invalid, "%q is none of: Enter, s, c, q", line)
			}
		},
	}
}

// taskQuestion builds the question for a task by its type.
func (w *Watcher) taskQuestion(id string, t *engine.TaskRow) *question {
	switch t.Type {
	case "ask":
		return w.formQuestion(id, t)
	case "manual":
		q := &question{prompt: "done, or reject REASON (Enter leaves it open): "}
		q.answer = func(ctx context.Context, line string) (bool, error) {
			word, rest, _ := strings.Cut(line, " ")
			switch strings.ToLower(word) {
			case "":
				return w.decline(q)
			case "done", "d", "y", "yes":
				return w.send(ctx, id, "done", nil, rest)
			case "reject", "r", "n", "no":
				return w.send(ctx, id, "reject", nil, rest)
			}
			return false, fault.New(fault.Invalid, "%q is neither done nor reject", line)
		}
		return q
	case task.Review:
		q := &question{prompt: "what did you find? (Enter leaves it open): "}
		q.answer = func(ctx context.Context, line string) (bool, error) {
			if line == "" {
				return w.decline(q)
			}
			return w.send(ctx, id, "done", nil, line)
		}
		return q
	case "doubt":
		return w.doubtQuestion(id)
	default:
		q := &question{prompt: "approve? [y/N] (n REASON says why): "}
		q.answer = func(ctx context.Context, line string) (bool, error) {
			word, rest, _ := strings.Cut(line, " ")
			switch strings.ToLower(word) {
			case "y", "yes", "approve":
				return w.send(ctx, id, "approve", nil, rest)
			case "", "n", "no", "reject":
				return w.send(ctx, id, "reject", nil, rest)
			}
			return false, fault.New(fault.Invalid, "%q is neither y nor n", line)
		}
		return q
	}
}

func (w *Watcher) doubtQuestion(id string) *question {
	q := &question{prompt: "what became of it? happened, not-happened, again, fail, skip (Enter leaves it open): "}
	q.answer = func(ctx context.Context, line string) (bool, error) {
		word, rest, _ := strings.Cut(line, " ")
		word = strings.ToLower(word)
		if word == "" {
			return w.decline(q)
		}
		for _, c := range task.Choices("doubt") {
			if c == word {
				return w.send(ctx, id, c, nil, rest)
			}
		}
		return false, fault.New(fault.Invalid, "%q is none of: %s", word, strings.Join(task.Choices("doubt"), ", "))
	}
	return q
}

// formQuestion asks field by field, or for one of the choices of the older dialect.
func (w *Watcher) formQuestion(id string, t *engine.TaskRow) *question {
	fields := FormFields(t)
	if len(fields) == 0 {
		return w.choiceQuestion(id, t)
	}
	given, at := map[string]any{}, 0
	q := &question{prompt: fields[0].Prompt()}
	q.answer = func(ctx context.Context, line string) (bool, error) {
		f := fields[at]
		switch {
		case line != "":
			// Said at once, and not after all the others.
			if _, err := task.Form([]any{f.declared}, map[string]any{f.Name: line}); err != nil {
				return false, err
			}
			given[f.Name] = line
		case f.def == nil && f.required:
			return false, fault.New(fault.Invalid, "%s is required", f.Name)
		}
		if at++; at < len(fields) {
			q.prompt = fields[at].Prompt()
			return false, nil
		}
		done, err := w.send(ctx, id, "answer", given, "")
		if err != nil {
			clear(given)
			at, q.prompt = 0, fields[0].Prompt()
		}
		return done, err
	}
	return q
}

func (w *Watcher) choiceQuestion(id string, t *engine.TaskRow) *question {
	choices, _ := t.Form["choices"].([]any)
	multi := t.Form["selector"] == "multi"
	what := "number or text"
	if multi {
		what = "numbers or texts, with commas"
	}
	q := &question{prompt: what + " (Enter leaves it open): "}
	q.answer = func(ctx context.Context, line string) (bool, error) {
		if line == "" {
			return w.decline(q)
		}
		parts := []string{line}
		if multi {
			parts = strings.Split(line, ",")
		}
		var picked []any
		for _, p := range parts {
			picked = append(picked, pick(choices, strings.TrimSpace(p)))
		}
		return w.send(ctx, id, "answer", map[string]any{"selected": picked}, "")
	}
	return q
}

// pick finds the choice that was typed. A choice that is a number itself, such as a process id, is meant before the place
// in the list.
func pick(choices []any, typed string) any {
	for _, c := range choices {
		if strings.EqualFold(typed, value.Text(c)) {
			return c
		}
	}
	if i, err := strconv.Atoi(typed); err == nil && i >= 1 && i <= len(choices) {
		return choices[i-1]
	}
	return typed
}

// FormField is a field of a form.
type FormField struct {
	Name, kind, description string
	required                bool
	def                     any
	enum                    []any
	declared                map[string]any
}

// FormFields are the fields that a task asks for.
func FormFields(t *engine.TaskRow) []FormField {
	list, _ := t.Form["fields"].([]any)
	var out []FormField
	for _, e := range list {
		m, ok := e.(map[string]any)
		if !ok {
			continue
		}
		f := FormField{Name: value.Text(m["name"]), kind: value.Text(m["type"]), description: value.Text(m["description"]), def: m["default"], declared: m}
		f.required, _ = m["required"].(bool)
		f.enum, _ = m["enum"].([]any)
		out = append(out, f)
	}
	return out
}

// Prompt is what a person is shown who is asked for it.
func (f FormField) Prompt() string {
	s := terminal.Line(f.Name)
	if f.description != "" {
		s += " (" + terminal.Line(f.description) + ")"
	}
	var notes []string
	if f.kind != "" && f.kind != "string" {
		notes = append(notes, f.kind)
	}
	if len(f.enum) > 0 {
		var all []string
		for _, e := range f.enum {
			all = append(all, value.Text(e))
		}
		notes = append(notes, "one of "+strings.Join(all, ", "))
	}
	if f.def != nil {
		notes = append(notes, "default "+value.Text(f.def))
	}
	if len(notes) > 0 {
		s += " [" + terminal.Line(strings.Join(notes, "; ")) + "]"
	}
	return s + ": "
}

// DescribeTask shows a person what is asked: everything that the answer is about, cleaned, and nothing secret.
func DescribeTask(id string, t *engine.TaskRow, s terminal.Style, f *history.Fold) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s  %s\n", s.Bold(cmp.Or(terminal.Line(t.Title), terminal.Line(t.Message), t.Path)), s.Dim(id))
	if t.Message != "" && t.Message != t.Title {
		fmt.Fprintf(&b, "  %s\n", frame.Indent(terminal.Clean(strings.TrimSpace(value.Text(f.Mask(t.Message)))), "  "))
	}
	Tree(&b, f.Mask(map[string]any(t.Show)), "  ")
	if choices, ok := t.Form["choices"].([]any); ok {
		for i, c := range choices {
			fmt.Fprintf(&b, "  %d. %s\n", i+1, terminal.Line(value.Text(c)))
		}
	}
	if t.Count > 1 {
		fmt.Fprintf(&b, "  needs %d people, %d so far\n", t.Count, len(t.Votes))
	}
	b.WriteString(beside(t))
	if !t.Expires.IsZero() {
		fmt.Fprintf(&b, "  until %s; no answer is no\n", t.Expires.Local().Format("2006-01-02 15:04:05"))
	}
	return b.String()
}

// beside says who is asked, who sees to it, and what was said about it.
func beside(t *engine.TaskRow) string {
	var b strings.Builder
	line := func(format string, a ...any) { b.WriteString("  " + terminal.Line(fmt.Sprintf(format, a...)) + "\n") }
	if len(t.From) > 0 {
		line("may be answered by %s", strings.Join(t.From, ", "))
	}
	for _, e := range t.Escalated {
		line("nobody decided in time: asked too: %s", strings.Join(e.To, ", "))
	}
	for _, d := range t.Delegated {
		line("%s delegated it to %s%s", d.By.Name, strings.Join(d.To, ", "), reasoned(d.Why))
	}
	if t.NotRequester {
		line("not by %s, who started the run", t.Requester)
	}
	if t.NotAuthor {
		line("not by %s, who wrote the playbook", t.Author)
	}
	if t.Reviews != "" {
		line("not by %s, who broke the glass of %s", t.Requester, t.Reviews)
	}
	if t.Assignee != "" {
		line("%s sees to it", t.Assignee)
	}
	for _, v := range t.Votes {
		instead := ""
		if v.For != nil {
			instead = " in the place of " + v.For.Name
		}
		line("%s by %s%s%s", v.Answer, v.By.Name, instead, reasoned(v.Why))
	}
	for _, l := range t.Links {
		line("%s%s", cmp.Or(of(l.Name, ": "), "link: "), l.URL)
	}
	for _, c := range t.Comments {
		line("%s %s: %s", c.At.Local().Format("15:04"), c.By.Name, c.Text)
	}
	return b.String()
}

func of(text, after string) string {
	if text == "" {
		return ""
	}
	return text + after
}

func reasoned(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}

// items prints a list of data, each with its name where it has one.
func items(b *strings.Builder, list []any, pad string) {
	for _, e := range list {
		m, ok := e.(map[string]any)
		if !ok {
			fmt.Fprintf(b, "%s- %s\n", pad, terminal.Line(value.Text(e)))
			continue
		}
		fmt.Fprintf(b, "%s- %s\n", pad, terminal.Line(value.Text(m["step"])))
		rest := maps.Clone(m)
		delete(rest, "step")
		Tree(b, rest, pad+"  ")
	}
}

// Tree prints data as an indented list of keys.
func Tree(b *strings.Builder, v any, pad string) {
	m, ok := v.(map[string]any)
	if !ok {
		return
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		e := m[k]
		switch x := e.(type) {
		case nil:
			continue
		case map[string]any:
			if len(x) == 0 {
				continue
			}
			fmt.Fprintf(b, "%s%s:\n", pad, terminal.Line(k))
			Tree(b, x, pad+"  ")
			continue
		case string:
			if strings.Contains(strings.TrimRight(x, "\n"), "\n") {
				fmt.Fprintf(b, "%s%s:\n%s    %s\n", pad, terminal.Line(k), pad, frame.Indent(terminal.Clean(strings.TrimRight(x, "\n")), pad+"    "))
				continue
			}
		case []any:
			if len(x) == 0 {
				continue
			}
			if slices.ContainsFunc(x, func(e any) bool { _, is := e.(map[string]any); return is }) {
				fmt.Fprintf(b, "%s%s:\n", pad, terminal.Line(k))
				items(b, x, pad+"  ")
				continue
			}
		}
		fmt.Fprintf(b, "%s%s: %s\n", pad, terminal.Line(k), terminal.Line(value.Text(e)))
	}
}
