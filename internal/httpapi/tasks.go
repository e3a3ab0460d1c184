package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/fault"
	tasks "github.com/tendhq/tend/internal/task"
	"github.com/tendhq/tend/internal/wire"
)

func (s *server) tasks(a *api) {
	const kind = "task"
	look := access.Need{Verb: access.View, Kind: kind}
	add(a, look, http.MethodGet, "/v1/tasks", about{
		id: "listTasks", tag: "tasks", summary: "List tasks", text: "The newest first, unless `oldest` is set. `status=open` are those that wait.",
	}, s.listRows(kind))
	add(a, look, http.MethodGet, "/v1/tasks/{task}", about{id: "showTask", tag: "tasks", summary: "One task"},
		func(ctx context.Context, in *taskInput) (*rowOutput, error) {
			return s.row(ctx, kind, in.Task, in.Held)
		})
	add(a, look, http.MethodGet, "/v1/tasks/{task}/entries", about{id: "taskEntries", tag: "tasks", summary: "The entries of a task"},
		func(ctx context.Context, in *taskEntries) (*entriesOutput, error) {
			return s.read(ctx, "task/"+in.Task, in.Span)
		})
	add(a, access.Need{Verb: access.Answer, Kind: kind}, http.MethodPost, "/v1/tasks/{task}/answers", about{
		id: "answerTask", tag: "tasks", summary: "Answer a task",
		text: "`choice` is approve or reject for an approval, done for a review (both need the right to approve), answer for a form, done or reject for work, and happened, not-happened, again, fail or skip for a doubt.",
	}, s.answer)
	add(a, access.Need{Verb: access.Break, Kind: kind}, http.MethodPost, "/v1/tasks/{task}/break-glass", about{
		id: "breakGlass", tag: "tasks", summary: "Approve a task alone, whoever was asked",
		text: "For the moment when nobody answers and waiting is worse. It needs a right of its own and a reason, is told in every channel that wants to know, and leaves a task that somebody else has to do: to review it.",
	}, s.breakGlass)
	tend := access.Need{Verb: access.Answer, Kind: kind}
	add(a, tend, http.MethodPost, "/v1/tasks/{task}/claims", about{id: "claimTask", tag: "tasks", summary: "See to a task"}, s.claimTask)
	add(a, tend, http.MethodPut, "/v1/tasks/{task}/assignee", about{id: "assignTask", tag: "tasks", summary: "Say who is expected to see to a task"}, s.assignTask)
	add(a, tend, http.MethodPost, "/v1/tasks/{task}/delegations", about{
		id: "delegateTask", tag: "tasks", summary: "Let others answer a task in your place, once",
		text: "Whoever is asked can hand that on. Quorum, and who may not approve, stay as they are; whoever delegated does not answer until they took it back.",
	}, s.delegateTask)
	add(a, tend, http.MethodDelete, "/v1/tasks/{task}/delegations", about{id: "undelegateTask", tag: "tasks", summary: "Take your delegation of a task back"}, s.undelegateTask)
	add(a, tend, http.MethodPost, "/v1/tasks/{task}/comments", about{id: "commentTask", tag: "tasks", summary: "Say something about a task"}, s.commentTask)
	add(a, tend, http.MethodPost, "/v1/tasks/{task}/links", about{id: "linkTask", tag: "tasks", summary: "Put a link beside a task"}, s.linkTask)
}

// groups are those of the asker: as its issuer says, and the duties that it has now.
func (s *server) groups(ctx context.Context) []string {
	p := Asker(ctx)
	all := slices.Clone(p.Groups)
	if s.Duties != nil {
		all = append(all, s.Duties(p)...)
	}
	return all
}

// TaskPath names a task.
type TaskPath struct {
	Task string `path:"task" doc:"Id of the task." maxLength:"64"`
}

type taskInput struct {
	TaskPath
	Held
}

type taskEntries struct {
	TaskPath
	Span
}

type answerInput struct {
	TaskPath
	Meant

	Body wire.Answer
}

type answerOutput struct{ Body wire.Answered }

func (s *server) answer(ctx context.Context, in *answerInput) (*answerOutput, error) {
	if err := s.still(ctx, in.Meant, "task", in.Task); err != nil {
		return nil, err
	}
	row, err := s.row(ctx, "task", in.Task, Held{})
	if err != nil {
		return nil, err
	}
	var task engine.TaskRow
	if err := json.Unmarshal(row.Body.Body, &task); err != nil {
		return nil, fault.Wrap(fault.Damaged, err, "read task %s", in.Task)
	}
	if in.Body.Choice == tasks.BreakGlass {
		return nil, fault.New(fault.Invalid, "breaking the glass is no usual answer").WithNext("POST /v1/tasks/%s/break-glass", in.Task)
	}
	if task.Type == "approve" || task.Type == tasks.Review {
		if err := s.allow(ctx, access.Need{Verb: access.Approve, Kind: "task", Project: row.Body.Project, Labels: row.Body.Labels}); err != nil {
			return nil, err
		}
	}
	status, err := s.Engine.Answer(ctx, engine.Answer{Task: in.Task, Choice: in.Body.Choice, Output: in.Body.Output, By: who(ctx), Groups: s.groups(ctx), Why: in.Body.Why})
	return &answerOutput{wire.Answered{Status: status}}, err
}

type breakInput struct {
	TaskPath
	Meant

	Body wire.BreakGlass
}

func (s *server) breakGlass(ctx context.Context, in *breakInput) (*answerOutput, error) {
	if err := s.still(ctx, in.Meant, "task", in.Task); err != nil {
		return nil, err
	}
	status, err := s.Engine.Answer(ctx, engine.Answer{Task: in.Task, Choice: tasks.BreakGlass, By: who(ctx), Groups: s.groups(ctx), Why: in.Body.Why})
	if err == nil {
		s.Log.ErrorContext(ctx, "the glass was broken: somebody approved alone", "task", in.Task, "by", Asker(ctx).ID, "why", in.Body.Why)
	}
	return &answerOutput{wire.Answered{Status: status}}, err
}

// attend does something with a task, and gives the task as it is then.
func (s *server) attend(ctx context.Context, id string, a tasks.Act) (*rowOutput, error) {
	a.By, a.Groups = who(ctx), s.groups(ctx)
	if err := s.Engine.Attend(ctx, id, a); err != nil {
		return nil, err
	}
	return s.row(ctx, "task", id, Held{})
}

type claimInput struct {
	TaskPath

	Body wire.Claim
}

func (s *server) claimTask(ctx context.Context, in *claimInput) (*rowOutput, error) {
	return s.attend(ctx, in.Task, tasks.Act{Verb: tasks.Claim, Take: in.Body.Take, Why: in.Body.Why})
}

type assignInput struct {
	TaskPath

	Body wire.Assign
}

func (s *server) assignTask(ctx context.Context, in *assignInput) (*rowOutput, error) {
	a := tasks.Act{Verb: tasks.Assign, Why: in.Body.Why}
	if in.Body.To != "" {
		a.To = []string{in.Body.To}
	}
	return s.attend(ctx, in.Task, a)
}

type delegateInput struct {
	TaskPath

	Body wire.Delegate
}

func (s *server) delegateTask(ctx context.Context, in *delegateInput) (*rowOutput, error) {
	row, err := s.row(ctx, "task", in.Task, Held{})
	if err != nil {
		return nil, err
	}
	var task engine.TaskRow
	if err := json.Unmarshal(row.Body.Body, &task); err != nil {
		return nil, fault.Wrap(fault.Damaged, err, "read task %s", in.Task)
	}
	if task.Type == "approve" || task.Type == tasks.Review { // nobody hands on what they may not do
		if err := s.allow(ctx, access.Need{Verb: access.Approve, Kind: "task", Project: row.Body.Project, Labels: row.Body.Labels}); err != nil {
			return nil, err
		}
	}
	return s.attend(ctx, in.Task, tasks.Act{Verb: tasks.Delegate, To: in.Body.To, Why: in.Body.Why})
}

type undelegateInput struct {
	TaskPath

	Why string `query:"why" doc:"The reason." maxLength:"1000"`
}

func (s *server) undelegateTask(ctx context.Context, in *undelegateInput) (*rowOutput, error) {
	return s.attend(ctx, in.Task, tasks.Act{Verb: tasks.Delegate, Why: in.Why})
}

type taskCommentInput struct {
	TaskPath

	Body wire.Comment
}

func (s *server) commentTask(ctx context.Context, in *taskCommentInput) (*rowOutput, error) {
	return s.attend(ctx, in.Task, tasks.Act{Verb: tasks.Say, Text: in.Body.Text})
}

type linkInput struct {
	TaskPath

	Body wire.AddLink
}

func (s *server) linkTask(ctx context.Context, in *linkInput) (*rowOutput, error) {
	return s.attend(ctx, in.Task, tasks.Act{Verb: tasks.Attach, Link: in.Body.Entry()})
}
