package engine

import (
	"context"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
)

// CallBack sends the event of a callback to one run, whatever correlation key it waits with. It is good once: that it was
// used is durable, with the event, before the answer. root is the run that the run belongs to; fault.NotFound means that there
// is no such run of it. The other errors are those of run.State.Callback, and of a store that cannot take it.
func (e *Engine) CallBack(ctx context.Context, root, id, event string, payload map[string]any, by entry.Who) error {
	if err := outside(payload); err != nil {
		return err
	}
	is, err := e.root(ctx, id)
	if err != nil {
		return err
	}
	if is != root {
		return fault.New(fault.NotFound, "there is no run %s of %s", id, root)
	}
	body := map[string]any{"by": by.Name, "name": event, "payload": payload}
	_, err = e.ask(ctx, func(q request) Input { return Arrived{request: q, Run: id, Payload: body, Called: &by, Event: event} })
	return err
}
