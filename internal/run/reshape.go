package run

import (
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/value"
)

// Reshape gives the output of a module from the output of its body: the module's outputs are expressions over its inputs
// and the body's result. A step of the older dialect gives its output under the names that it had there. Other steps keep
// their output.
func (s *State) Reshape(path string, output value.Object, env Env) (value.Object, error) {
	n := s.Node(path)
	if n == nil || n.def == nil {
		return output, nil
	}
	ev := &evaluation{s: s, env: env, n: n}
	if len(n.def.Outputs) > 0 {
		named, err := ev.trees(n.def.Outputs, expr.Scope{Dialect: expr.Lenient, Root: map[string]any{"result": map[string]any(output)}})
		if err != nil {
			return nil, err
		}
		output = named
	}
	m := n.def.Module
	if m == nil || len(m.Outputs) == 0 {
		return output, nil
	}
	given, err := ev.trees(m.Inputs, ev.scope(treeSources(m.Inputs)...))
	if err != nil {
		return nil, err
	}
	params, err := playbook.Inputs(m.Fields, given, s.prog.Dialect)
	if err != nil {
		return nil, err
	}
	known, _ := expr.Separate(params, s.prog.Dialect) // an output cannot be made of a secret
	out, err := ev.trees(m.Outputs, expr.Scope{Dialect: m.Dialect, Root: map[string]any{"params": known, "result": map[string]any(output)}})
	if err != nil || len(m.OutputDefs) == 0 {
		return out, err
	}
	return playbook.Inputs(m.OutputDefs, out, m.Dialect)
}
