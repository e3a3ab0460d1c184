package run

import (
	"maps"
	"slices"

	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/mask"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/value"
)

// What is secret in the data of a run is sealed in the place where it stands, in entries and in the state alike, so that a
// replay needs no key. There are two sorts. Secret outputs are opened when a step is dispatched, and before that nothing but
// text can be made of them: they are Later in a Scope. Sensitive parameters are opened for every evaluation; what is made of
// them is veiled, and sealed again before it is recorded.

// unseal opens what the expressions of a place may see, and tells them apart from what is known later.
func (ev *evaluation) unseal(scope *expr.Scope, chain []*Node) {
	s, root := ev.s, scope.Root
	variables := map[string]bool{}
	for _, it := range chain {
		path, _ := parentOf(it.Path)
		if loop := s.Nodes[path]; loop != nil && loop.def != nil && loop.def.Foreach != nil {
			variables[loop.def.Foreach.Value] = true
		}
	}
	if s.hides {
		steps, _ := root["steps"].(map[string]any)
		for _, id := range slices.Sorted(maps.Keys(steps)) {
			if o := ev.output(id, chain); o.hides || o.Ref != nil && expr.IsDeferred(steps[id]) {
				ev.put(scope, steps[id], "steps", id)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(root)) {
			if !variables[name] && ev.sealable(name) && expr.Holds(root[name]) {
				ev.put(scope, root[name], name)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		if expr.Holds(root[name]) {
			ev.put(scope, root[name], name)
		}
	}
}

// sealable tells whether what stands at the root under a name may be sealed. In the older dialect outputs stand there too.
func (ev *evaluation) sealable(name string) bool {
	switch name {
	case "params", "event", "metadata":
		return true
	case "steps", "run", "execution", "error":
		return false
	}
	return ev.s.Lenient()
}

// output finds the output of a step, that of the innermost parallel iteration first.
func (ev *evaluation) output(id string, chain []*Node) Output {
	o := ev.s.Outputs[id]
	for _, it := range chain {
		if own, ok := it.Local[id]; ok {
			o = own
		}
	}
	return o
}

// put sets data as it was recorded.
func (ev *evaluation) put(scope *expr.Scope, v any, path ...string) {
	opened, err := scope.Put(path, v, ev.s.prog.Dialect, ev.env.Open)
	ev.opened = append(ev.opened, opened...)
	if err != nil && ev.broken == nil {
		ev.broken = err
	}
}

// inside is what the body of a module sees.
func (ev *evaluation) inside(m *program.Module, params map[string]any) expr.Scope {
	scope := expr.Scope{Root: map[string]any{}, Dialect: m.Dialect}
	ev.put(&scope, ev.sealed(params), "params")
	return scope
}

// sealed gives rendered data as it is recorded.
func (ev *evaluation) sealed(v any) any {
	out, err := expr.Seal(v, ev.env.Seal)
	if err != nil && ev.broken == nil {
		ev.broken = err
	}
	return out
}

func (ev *evaluation) sealedObject(o value.Object) value.Object {
	out, _ := ev.sealed(map[string]any(o)).(map[string]any)
	return out
}

// hide makes outputs, which were rendered in dialect, as they are recorded, and takes those with the given names that are
// known here out of them, to be sealed. Other outputs cannot be made of a secret.
func (ev *evaluation) hide(outputs value.Object, names []string, dialect expr.Dialect) (hidden value.Object, err error) {
	for _, name := range slices.Sorted(maps.Keys(outputs)) {
		v := outputs[name]
		veiled, known := v.(expr.Veiled)
		switch {
		case slices.Contains(names, name) && known:
			v = veiled.Reveal()
			fallthrough
		case slices.Contains(names, name) && !expr.IsDeferred(v):
			if hidden == nil {
				hidden = value.Object{}
			}
			hidden[name] = v
		case slices.Contains(names, name):
		case expr.HoldsSecret(v):
			return hidden, fault.New(fault.Invalid, "the output `%s` is made of a secret: declare it as `sensitive: true`, or leave it out", name)
		default:
			outputs[name] = ev.sealed(v)
		}
	}
	for name := range hidden {
		delete(outputs, name)
	}
	expr.Carry(outputs, dialect)
	return hidden, nil
}

// name renders a text that is recorded, and compared with others.
func (ev *evaluation) name(what string, e *expr.Expr, scope expr.Scope) (string, error) {
	if e == nil {
		return "", nil
	}
	v, err := ev.env.Eval.Value(*e, scope)
	switch {
	case err != nil:
		return "", err
	case expr.Hides(v):
		return "", unnamed(what, e.Source)
	}
	return value.Text(v), nil
}

func unnamed(what, source string) error {
	return fault.New(fault.Invalid, "%s is recorded and shown, so that it cannot be made of a secret or of a sensitive parameter: %s", what, source)
}

// masker knows the texts that were opened for this evaluation.
func (ev *evaluation) masker() *mask.Masker {
	var texts []secret.Value
	for _, v := range ev.opened {
		texts = append(texts, mask.Texts(v)...)
	}
	return mask.New(texts...)
}

// mask takes what was opened out of messages.
func (ev *evaluation) mask(out *Rendered) {
	if len(ev.opened) == 0 || out.Fault == nil && out.Text == "" && out.Task == nil {
		return
	}
	m := ev.masker()
	out.Text = m.String(out.Text)
	if out.Fault != nil {
		out.Fault.Message = m.String(out.Fault.Message)
	}
	if out.Task != nil {
		out.Task.Title, out.Task.Message = m.String(out.Task.Title), m.String(out.Task.Message)
	}
}

// Unseal opens all that is sealed in the parameters and outputs of the run: what its steps must not print.
func (s *State) Unseal(open expr.Opener) (secrets, sensitive []any, err error) {
	if !s.hides {
		return nil, nil, nil
	}
	found := func(v any, open bool) {
		if open {
			sensitive = append(sensitive, v)
		} else {
			secrets = append(secrets, v)
		}
	}
	err = expr.Unseal(s.Params, open, found)
	outputs := func(all map[string]Output) {
		for _, id := range slices.Sorted(maps.Keys(all)) {
			if o := all[id]; o.hides && err == nil {
				err = expr.Unseal(o.Value, open, found)
			}
		}
	}
	outputs(s.Outputs)
	for _, p := range slices.Sorted(maps.Keys(s.Nodes)) {
		outputs(s.Nodes[p].Local)
	}
	return secrets, sensitive, err
}
