package run

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/task"
	"github.com/tendhq/tend/internal/value"
)

// task renders what a person is asked by approve, ask and manual.
func (ev *evaluation) task(out *Rendered, def *program.Node) error {
	t := def.Task
	title := def.Name
	if title == "" {
		title = def.ID
	}
	q := &entry.TaskCreated{Title: title, Type: string(def.Kind), Path: ev.n.Path, Run: ev.s.ID}
	err := ev.people(q, &t.Approval)
	if err == nil {
		err = ev.aside(q, t)
	}
	if err != nil {
		return err
	}
	out.Within = within(t.Within)
	if t.WithinX != nil {
		text, err := ev.text(t.WithinX)
		if err != nil {
			return err
		}
		if strings.TrimSpace(text) != "" {
			if out.Within, err = contract.DurationIn(ev.s.prog.Dialect, text); err != nil {
				return err
			}
		}
	}
	if q.Message, err = ev.text(t.Message); err != nil {
		return err
	}
	if t.Instructions != nil {
		if q.Message != "" {
			q.Title = q.Message // what is to be done says more than what the step is called
		}
		if q.Message, err = ev.text(t.Instructions); err != nil {
			return err
		}
	}
	if t.Choices != nil {
		return ev.choices(out, q, t)
	}
	if len(t.Form) > 0 {
		fields, err := value.Normalize(t.Form)
		if err != nil {
			return err
		}
		q.Form = value.Object{"fields": fields}
	}
	out.Task, out.Text = q, q.Message
	return nil
}

// choices asks to choose from a list.
func (ev *evaluation) choices(out *Rendered, q *entry.TaskCreated, t *program.Task) error {
	v, err := ev.tree(*t.Choices, ev.scope(sources(*t.Choices)...))
	if err != nil {
		return err
	}
	if expr.Hides(v) {
		return unnamed("a choice", strings.Join(sources(*t.Choices), ", "))
	}
	list, ok := v.([]any)
	if text, isText := v.(string); isText {
		if p, perr := value.Parse([]byte(text)); perr == nil && !expr.Holds(p) {
			list, ok = p.([]any)
		}
		if !ok {
			for part := range strings.SplitSeq(text, ",") {
				list = append(list, strings.TrimSpace(part))
			}
		}
	}
	q.Form = value.Object{"choices": list, "selector": t.Selector}
	if ev.s.prog.Dialect == expr.Strict {
		q.Form[task.Named] = "answer"
	}
	if t.Default != nil {
		d, err := ev.name("an answer", t.Default, ev.scope(t.Default.Source))
		if err != nil {
			return err
		}
		q.Default = d
		chosen := []any{}
		if d != "" {
			chosen = append(chosen, d)
		}
		out.Default = task.Chosen(q.Form, d, chosen)
		out.Default["defaulted"] = true
	}
	out.Task, out.Text = q, q.Message
	return nil
}

func (ev *evaluation) people(q *entry.TaskCreated, a *program.Approval) error {
	q.From, q.Count, q.NotRequester, q.NotAuthor = a.From, max(1, a.Count), a.NotRequester, a.NotAuthor
	q.Requester, q.RequesterID = ev.s.Created.By.Name, ev.s.Created.By.ID
	if !a.NotAuthor {
		return nil
	}
	md := ev.s.Created.Metadata
	if q.Author = value.Text(md["author"]); q.Author != "" {
		return nil
	}
	if _, served := md["repository"]; served {
		return fault.New(fault.Refused, "nobody knows who wrote this playbook, and its author must not approve it").
			WithNext("serve it from Git, where a commit has an author; or leave `notAuthor` away")
	}
	q.Author = cmp.Or(q.RequesterID, q.Requester) // it was sent along with the order to run it
	return nil
}

// aside renders what stands beside a question.
func (ev *evaluation) aside(q *entry.TaskCreated, t *program.Task) error {
	var err error
	if q.Assignee, err = ev.name("who is expected to see to it", t.Assignee, ev.scope(source(t.Assignee))); err != nil {
		return err
	}
	q.Assignee = strings.TrimSpace(q.Assignee)
	for _, l := range t.Links {
		at, err := ev.name("a link", l.URL, ev.scope(source(l.URL)))
		if err != nil {
			return err
		}
		if err := task.Page(at); err != nil {
			return err
		}
		q.Links = append(q.Links, entry.Link{Name: l.Name, URL: at})
	}
	return nil
}

func within(d value.Duration) time.Duration {
	if d > 0 {
		return time.Duration(d)
	}
	return program.UsualWithin
}

// approval renders the question of an `approval:`.
func (ev *evaluation) approval(out *Rendered, a *program.Approval, show value.Object) error {
	msg, err := ev.text(a.Message)
	if err != nil {
		return err
	}
	def := ev.n.def
	title := "approve " + describe(def, ev.n.Path)
	out.Task = &entry.TaskCreated{Title: title, Type: "approve", Path: ev.n.Path, Run: ev.s.ID, Message: msg, Show: show}
	out.Text, out.Within = msg, within(a.Within)
	return ev.people(out.Task, a)
}

func describe(def *program.Node, path string) string {
	switch {
	case def == nil:
		return path
	case def.Name != "":
		return def.Name
	case def.ID != "":
		return def.ID
	default:
		return path
	}
}

// show is what a person sees of what would happen.
func show(def *program.Node, r Rendered) value.Object {
	o := value.Object{"action": def.Uses, "effect": string(def.Effect), "inputs": map[string]any(r.Inputs)}
	if len(r.Targets) > 0 {
		o["targets"] = value.Texts(r.Targets)
	}
	if def.Irreversible {
		o["irreversible"] = true
	}
	if r.Runner != "" {
		o["runner"] = r.Runner
	}
	return o
}

// Question is the task that asks a person what became of an attempt whose outcome nobody knows.
func (s *State) Question(path string) (*entry.TaskCreated, error) {
	n := s.Nodes[path]
	if n == nil && s.Recalled[path] != nil {
		def, _ := s.def(path)
		n = s.fresh(path, def)
	}
	if n == nil || n.def == nil || n.Intent == nil {
		return nil, fault.New(fault.Internal, "%s is not in doubt", path)
	}
	r := Rendered{Inputs: n.Intent.Inputs, Targets: n.Intent.Targets, Runner: n.Intent.Runner}
	why := ""
	if n.Fault != nil {
		why = n.Fault.Message
	}
	return &entry.TaskCreated{
		Title: "did it happen? " + describe(n.def, path), Type: "doubt", Path: path, Run: s.ID, Requester: s.Created.By.Name, RequesterID: s.Created.By.ID, Count: 1,
		Message: fmt.Sprintf("Nobody knows whether attempt %d of %s took effect: %s. Look, then answer: happened, not-happened, again, fail or skip.",
			n.Attempt, describe(n.def, path), why),
		Show: show(n.def, r),
	}, nil
}
