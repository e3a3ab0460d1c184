package engine

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/tendhq/tend/internal/archive"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/mask"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/seal"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/task"
	"github.com/tendhq/tend/internal/value"
)

// What is secret or sensitive is sealed before it reaches the machine: entries, rows and blobs never hold it. A box belongs
// to the root run, so that children can open what they are given, and a retry or a rollback seals anew.

// seal seals what is secret, and has it masked from now on.
func (e *Engine) seal(root string, v any) (any, error) {
	e.cfg.Learn(v)
	sealer, _ := e.cfg.Key.For(root)
	d, err := expr.Enclose(v, false, sealer)
	return d.Value(), err
}

// keep makes the outputs of a module as they are recorded: those that are secret are sealed, and masked in the others.
func (e *Engine) keep(root string, outputs, hidden value.Object, body *Body) (value.Object, error) {
	sealed := make(map[string]any, len(hidden))
	for name, v := range hidden {
		var err error
		if sealed[name], err = e.seal(root, v); err != nil {
			return nil, err
		}
	}
	if body != nil && body.Keep != nil {
		kept, err := body.Keep(outputs)
		if err != nil {
			return nil, err
		}
		outputs = kept
	}
	maps.Copy(outputs, sealed)
	return outputs, nil
}

// sealStart makes a request for a run as it is recorded. What is sensitive may stand in the event too, from which defaults
// are made.
func (e *Engine) sealStart(id string, s *Start) error {
	params, m, err := e.cfg.Key.Params(id, s.Program, s.Params)
	if err != nil || m == nil {
		s.Params = params
		return err
	}
	sealer, _ := e.cfg.Key.For(id)
	event, _, err := seal.Members(s.Event, m, sealer)
	if err != nil {
		return err
	}
	metadata, _, err := seal.Members(s.Metadata, m, sealer)
	s.Params, s.Event, s.Metadata = params, event, metadata
	return err
}

// reseal makes what a run recorded that of another root.
func (e *Engine) reseal(from, to string, data ...*map[string]any) error {
	return archive.Reseal(e.cfg.Key, from, to, data...)
}

// mover brings what belongs to one root run to another.
func (e *Engine) mover() archive.Mover { return archive.Mover{Blob: e.move, Key: e.cfg.Key} }

// unseen gives what is secret and what is sensitive in a run. What cannot be opened cannot be used either.
func (e *Engine) unseen(s *run.State) (known, hide []secret.Value) {
	_, open := e.cfg.Key.For(groupOf(s))
	secrets, sensitive, err := s.Unseal(open)
	if err != nil {
		e.cfg.Log.Warn("something of a run cannot be opened, and is not masked in its logs", "run", s.ID, "error", err)
	}
	for _, d := range s.Program().Parameters {
		if v := s.Params[d.Name]; d.Sensitive && !expr.IsDeferred(v) { // as an earlier tend recorded it
			sensitive = append(sensitive, v)
		}
	}
	return mask.Texts(secrets), mask.Texts(sensitive)
}

// outside refuses data from outside that looks like what tend itself writes.
func outside(given ...map[string]any) error {
	for _, m := range given {
		if err := expr.Outside(m); err != nil {
			return err
		}
	}
	return nil
}

// sealAnswer seals what is sensitive in the answer to a task: fields of a form that say so, and what a person gives as the
// output of a step of which outputs are secret.
func (e *Engine) sealAnswer(ctx context.Context, row store.Row, a *Answer) error {
	if err := outside(a.Output); err != nil || len(a.Output) == 0 {
		return err
	}
	var t TaskRow
	if err := decode(row.Body, &t); err != nil {
		return fault.Wrap(fault.Damaged, err, "read task %s", a.Task)
	}
	root, err := e.root(ctx, row.Parent)
	if err != nil {
		return err
	}
	output := value.Object{}
	for k, v := range a.Output {
		output[k] = v
	}
	if fields, _ := t.Form["fields"].([]any); a.Choice == "answer" && len(fields) > 0 {
		names := task.Sensitive(fields)
		if len(names) == 0 {
			return nil
		}
		if output, err = task.Form(fields, a.Output); err != nil {
			return err
		}
		for _, name := range names {
			if v, ok := output[name]; ok {
				sealer, _ := e.cfg.Key.For(root)
				d, err := expr.Enclose(v, true, sealer)
				if err != nil {
					return err
				}
				output[name] = d.Value()
			}
		}
	}
	if t.Type == "doubt" {
		if err := e.sealOutput(ctx, row.Parent, root, t.Path, output); err != nil {
			return err
		}
	}
	a.Output = output
	return nil
}

// sealOutput seals the secret outputs of a step among those that a person gives.
func (e *Engine) sealOutput(ctx context.Context, id, root, path string, output value.Object) error {
	p, err := e.Program(ctx, id)
	if err != nil {
		return err
	}
	def, err := run.Locate(p, path)
	if err != nil || def == nil {
		return nil //nolint:nilerr // the machine says what is wrong with the answer
	}
	names := p.Secret(def)
	if spec, ok := e.cfg.Env.Spec(def.Uses); ok && def.Module == nil {
		for _, f := range spec.Outputs {
			if f.Sensitive && !slices.Contains(names, f.Name) {
				names = append(names[:len(names):len(names)], f.Name)
			}
		}
	}
	for _, name := range names {
		if v, ok := output[name]; ok {
			if output[name], err = e.seal(root, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// changes are changed parameters as they are recorded, for a run below root.
func (e *Engine) changes(p *program.Program, root string, c Command) (*entry.ParamsChanged, error) {
	if err := outside(c.Params); err != nil {
		return nil, err
	}
	bound, err := bindSome(p, c.Params)
	if err != nil {
		return nil, err
	}
	bound, _, err = e.cfg.Key.Params(root, p, bound)
	return &entry.ParamsChanged{By: c.By, Params: bound, Why: c.Why}, err
}

// groupOf is the root run, to which boxes and blobs belong.
func groupOf(s *run.State) string { return cmp.Or(s.Created.Cause.Root, s.ID) }
