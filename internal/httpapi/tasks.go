package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/fault"
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
		text: "`choice` is approve or reject for an approval (which needs the right to approve), answer for a form, done or reject for work, and happened, not-happened, again, fail or skip for a doubt.",
	}, s.answer)
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
	if task.Type == "approve" {
		if err := s.allow(ctx, access.Need{Verb: access.Approve, Kind: "task", Project: row.Body.Project, Labels: row.Body.Labels}); err != nil {
			return nil, err
		}
	}
	status, err := s.Engine.Answer(ctx, engine.Answer{Task: in.Task, Choice: in.Body.Choice, Output: in.Body.Output, By: who(ctx), Groups: s.groups(ctx), Why: in.Body.Why})
	return &answerOutput{wire.Answered{Status: status}}, err
}
