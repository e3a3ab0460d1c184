package run

import (
	"slices"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/value"
)

// Reshape gives the output of a module from the output of its body: the module's outputs are expressions over its inputs
// and the body's result. A step of the older dialect gives its output under the names that it had there. Other steps keep
// their output. Outputs that are secret come apart, in hidden, to be sealed.
func (s *State) Reshape(path string, output value.Object, env Env) (shaped, hidden value.Object, err error) {
	n := s.Node(path)
	if n == nil || n.def == nil {
		return output, nil, nil
	}
	ev := &evaluation{s: s, env: env, n: n}
	shaped, hidden, err = ev.reshape(output)
	if err == nil {
		err = ev.broken
	}
	if err != nil && len(ev.opened) > 0 {
		err = fault.New(fault.KindOf(err), "%s", ev.masker().String(err.Error()))
	}
	return shaped, hidden, err
}

func (ev *evaluation) reshape(output value.Object) (shaped, hidden value.Object, err error) {
	def := ev.n.def
	if len(def.Outputs) > 0 {
		scope := expr.Scope{Dialect: expr.Lenient, Root: map[string]any{}}
		ev.put(&scope, output, "result")
		if output, err = ev.trees(def.Outputs, scope); err != nil {
			return nil, nil, err
		}
		output = expr.Carry(ev.sealedObject(output), expr.Lenient)
	}
	m := def.Module
	switch {
	case m == nil:
		return output, nil, nil
	case len(m.Outputs) == 0:
		output = value.Object(copyOf(output))
		hidden, err = ev.hide(output, def.Sealed, m.Dialect)
		return output, hidden, err
	}
	given, err := ev.trees(m.Inputs, ev.scope(treeSources(m.Inputs)...))
	if err != nil {
		return nil, nil, err
	}
	params, err := contract.Inputs(m.Fields, given, ev.s.prog.Dialect)
	if err != nil {
		return nil, nil, err
	}
	scope := ev.inside(m, params)
	ev.put(&scope, output, "result")
	shaped, err = ev.trees(m.Outputs, scope)
	if err == nil && len(m.OutputDefs) > 0 {
		shaped, err = contract.Outputs(m.OutputDefs, shaped, m.Dialect)
	}
	if err != nil {
		return nil, nil, err
	}
	hidden, err = ev.hide(shaped, slices.Clone(def.Sealed), m.Dialect)
	return shaped, hidden, err
}

func copyOf(o value.Object) map[string]any {
	out := make(map[string]any, len(o))
	for k, v := range o {
		out[k] = v
	}
	return out
}
