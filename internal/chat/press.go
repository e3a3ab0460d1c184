package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/tendhq/tend/internal/news"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/dialog"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/slack"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/task"
)

// Interactive takes buttons, menus and forms.
func (d *Door) Interactive(w http.ResponseWriter, r *http.Request) {
	t, body, ok := d.read(w, r)
	if !ok {
		return
	}
	x, err := slack.ParseInteraction(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	switch {
	case x.Kind == slack.Submitted && x.View.Callback == dialog.Callback:
		d.submitted(ctx, w, r, t, &x)
	case x.Kind == slack.Pressed:
		d.pressed(ctx, w, r, t, &x)
	}
}

// pressed takes a button or a menu. What came of it is told at the address for answers, without Slack waiting for it.
func (d *Door) pressed(ctx context.Context, w http.ResponseWriter, r *http.Request, t Team, x *slack.Interaction) {
	name, option, _ := strings.Cut(x.Value, "|")
	choice := map[string]string{
		news.Approve: "approve", news.Reject: "reject", news.Done: "done", news.Doubt: option, news.Choose: "answer", news.Fill: "-",
	}[x.Button]
	if choice == "" {
		return // somebody else's
	}
	text, public := "", false
	who, err := d.person(ctx, t, x.Team, x.User)
	switch {
	case err != nil:
	case x.Button == news.Fill:
		err = d.ask(ctx, who, t, name, x)
	default:
		place := ""
		if x.Button == news.Choose {
			place = option
		}
		text, err = d.answer(ctx, who, engine.Answer{Task: name, Choice: choice}, place)
		public = err == nil
	}
	if err != nil {
		text = tell(err)
	}
	w.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(w).Flush()
	if text != "" {
		d.reply(context.WithoutCancel(r.Context()), t, x.Answer, text, public)
	}
}

// ask opens the form of a task for somebody who may answer it.
func (d *Door) ask(ctx context.Context, p access.Principal, t Team, name string, x *slack.Interaction) error {
	_, row, err := d.task(ctx, p, name)
	if err != nil {
		return err
	}
	view, err := dialog.Task(name, &row.TaskCreated, dialog.Purpose{Answer: x.Answer, Channel: x.Channel})
	if err != nil {
		return err
	}
	return d.open(ctx, t, x.Trigger, view)
}

// open shows a form.
func (d *Door) open(ctx context.Context, t Team, trigger string, view map[string]any) error {
	c, err := t.Client(ctx)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "ask Slack to show a form")
	}
	end := c.Open(ctx, trigger, view)
	if !end.OK() && strings.Contains(end.Why, "trigger_id") {
		return fault.New(fault.Unavailable, "the form came too late").WithNext("do it again")
	}
	return end.Err()
}

// submitted takes a form. What is wrong with it is answered at its blocks, and it stays open.
func (d *Door) submitted(ctx context.Context, w http.ResponseWriter, r *http.Request, t Team, x *slack.Interaction) {
	p, err := dialog.PurposeOf(&x.View)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	text, public := "", true
	var problems map[string]string
	who, err := d.person(ctx, t, x.Team, x.User)
	switch {
	case err != nil:
	case p.Task != "":
		text, problems, err = d.fill(ctx, who, p.Task, &x.View)
	case p.Playbook != "":
		public = false
		text, problems, err = d.runForm(ctx, who, t, &p, &x.View)
	default:
		err = fault.New(fault.Invalid, "nobody knows what this form is for")
	}
	if err != nil {
		problems = map[string]string{dialog.Whole: plainError(err)}
	}
	if len(problems) > 0 {
		for k, v := range problems {
			problems[k] = dialog.Short(v)
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"response_action": "errors", "errors": problems}) // the reader is gone: there is nobody to tell
		return
	}
	w.WriteHeader(http.StatusOK) // it closes
	_ = http.NewResponseController(w).Flush()
	if text != "" && p.Answer != "" {
		d.reply(context.WithoutCancel(r.Context()), t, p.Answer, text, public)
	}
}

// plainError says an error in a form, where nothing is marked up.
func plainError(err error) string {
	text := err.Error()
	if fault.Is(err, fault.Internal) || fault.Is(err, fault.Damaged) {
		text = "This did not work; the server's log says more"
	}
	if next := fault.NextOf(err); next != "" {
		text += " (" + next + ")"
	}
	return text
}

// fill answers a task by a form.
func (d *Door) fill(ctx context.Context, who access.Principal, name string, v *slack.View) (string, map[string]string, error) {
	_, row, err := d.task(ctx, who, name)
	if err != nil {
		return "", nil, err
	}
	a, problems, err := dialog.Read(&row.TaskCreated, v)
	if err != nil || len(problems) > 0 {
		return "", problems, err
	}
	text, err := d.answer(ctx, who, engine.Answer{Task: name, Choice: a.Choice, Output: a.Output, Why: a.Why}, "")
	return text, nil, err
}

// task finds a task that somebody may answer. What they may not look at is not there.
func (d *Door) task(ctx context.Context, p access.Principal, name string) (store.Row, *engine.TaskRow, error) {
	page, err := d.Engine.Rows(ctx, store.Filter{Kind: "task", ID: name, Limit: 1})
	if err != nil {
		return store.Row{}, nil, err
	}
	none := fault.New(fault.NotFound, "there is no task %q", name).WithNext("/tend inbox")
	if name == "" || len(page.Rows) == 0 {
		return store.Row{}, nil, none
	}
	r := page.Rows[0]
	if err := d.may(ctx, p, access.View, "task", &r, none); err != nil {
		return r, nil, err
	}
	t := new(engine.TaskRow)
	if err := json.Unmarshal(r.Body, t); err != nil {
		return r, nil, fault.Wrap(fault.Damaged, err, "read task %s", name)
	}
	need := access.Need{Verb: access.Answer, Kind: "task", Project: r.Project, Labels: r.Labels}
	if t.Type == "approve" || t.Type == task.Review {
		need.Verb = access.Approve
	}
	if err := d.Authorize(ctx, p, need); err != nil {
		return r, nil, err
	}
	if r.Status != task.Open {
		return r, nil, fault.New(fault.Conflict, "task %s is over: it was %s", name, r.Status)
	}
	return r, t, nil
}

// may asks whether somebody may look at something; none says that it is not there.
func (d *Door) may(ctx context.Context, p access.Principal, v access.Verb, kind string, r *store.Row, none error) error {
	err := d.Authorize(ctx, p, access.Need{Verb: v, Kind: kind, Project: r.Project, Labels: r.Labels})
	if fault.Is(err, fault.Refused) {
		return none
	}
	return err
}

// answer answers a task for somebody who may. place is what was chosen from a menu below the question.
func (d *Door) answer(ctx context.Context, p access.Principal, a engine.Answer, place string) (string, error) {
	_, t, err := d.task(ctx, p, a.Task)
	if err != nil {
		return "", err
	}
	if a.Choice == task.BreakGlass {
		return "", fault.New(fault.Refused, "the glass is not broken from here").WithNext("tend inbox break-glass %s --why …", a.Task)
	}
	if place != "" {
		choices, _ := t.Form["choices"].([]any)
		i, err := strconv.Atoi(place)
		if err != nil || i < 0 || i >= len(choices) {
			return "", fault.New(fault.Invalid, "this is none of the choices")
		}
		a.Output = map[string]any{"selected": []any{choices[i]}}
	}
	a.By, a.Groups = by(p), p.Groups
	status, err := d.Engine.Answer(ctx, a)
	if err != nil {
		return "", err
	}
	done := map[string]string{"approve": "approved", "reject": "rejected", "answer": "answered", "done": "done"}[a.Choice]
	if done == "" {
		done = "answered (" + strings.ReplaceAll(a.Choice, "-", " ") + ")"
	}
	text := fmt.Sprintf("*%s*\n%s by %s", slack.Escape(strings.ReplaceAll(news.Headline(t), "*", "∗")), done, slack.Escape(p.Name))
	if status == task.Open {
		text += ", and more people are needed"
	}
	return text, nil
}
