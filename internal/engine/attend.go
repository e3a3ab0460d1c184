package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/task"
)

// Answer implements Service.
func (e *Engine) Answer(ctx context.Context, a Answer) (string, error) {
	v, err := e.attend(ctx, a.Task, func(row store.Row, own *LoadedTask) (func(request) Input, error) {
		x := a
		if err := e.sealAnswer(ctx, row, &x); err != nil {
			return nil, err
		}
		return func(q request) Input {
			return Answered{
				request: q, Run: row.Parent, Task: x.Task, Own: own,
				Answer: task.Answer{Choice: x.Choice, By: x.By, Groups: x.Groups, Output: x.Output, Why: x.Why},
			}
		}, nil
	})
	if err != nil {
		return "", err
	}
	return fmt.Sprint(v), nil
}

// Attend implements Service.
func (e *Engine) Attend(ctx context.Context, name string, a task.Act) error {
	_, err := e.attend(ctx, name, func(row store.Row, own *LoadedTask) (func(request) Input, error) {
		return func(q request) Input { return Attended{request: q, Run: row.Parent, Task: name, Act: a, Own: own} }, nil
	})
	return err
}

// attend asks the machine about a task, again when that was written to since it was read.
func (e *Engine) attend(ctx context.Context, name string, asks func(store.Row, *LoadedTask) (func(request) Input, error)) (any, error) {
	for n := 1; ; n++ {
		row, own, err := e.waiting(ctx, name)
		if err != nil {
			return nil, err
		}
		in, err := asks(row, own)
		if err != nil {
			return nil, err
		}
		v, err := e.ask(ctx, in)
		if !errors.Is(err, errChanged) || n == attempts {
			return v, err
		}
	}
}

// errChanged refuses what was judged of a task as it was.
var errChanged = fault.New(fault.Conflict, "the task changed meanwhile").WithNext("look at it again: tend inbox show")

// attempts bounds how often something is read again that others write to.
const attempts = 5

// waiting finds a task that is open, and its stream where no run waits for it.
func (e *Engine) waiting(ctx context.Context, name string) (store.Row, *LoadedTask, error) {
	p, err := e.cfg.Store.Rows(ctx, store.Filter{Kind: "task", ID: name, Limit: 1})
	if err != nil {
		return store.Row{}, nil, err
	}
	if len(p.Rows) == 0 {
		return store.Row{}, nil, fault.New(fault.NotFound, "there is no task %s", name).WithNext("tend inbox")
	}
	r := p.Rows[0]
	if r.Status != task.Open {
		return r, nil, fault.New(fault.Conflict, "task %s is over: it was %s", name, r.Status)
	}
	var body TaskRow
	if err := decode(r.Body, &body); err != nil {
		return r, nil, fault.Wrap(fault.Damaged, err, "read task %s", name)
	}
	if body.Type != task.Review {
		return r, nil, nil
	}
	t, head, err := e.archive.Task(ctx, name)
	return r, &LoadedTask{Task: t, Head: head}, err
}
