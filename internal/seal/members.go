package seal

import (
	"fmt"
	"maps"
	"reflect"

	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/mask"
	"github.com/tendhq/tend/internal/program"
)

// Params gives parameters as they are recorded for a root run, and a masker of what is sensitive in them and in more, which
// is nil when nothing is. Sealed are those that are declared as sensitive, what is veiled, and what holds the text of another.
func (k Key) Params(root string, p *program.Program, params map[string]any, more ...any) (map[string]any, *mask.Masker, error) {
	sealer, _ := k.For(root)
	out, texts := make(map[string]any, len(params)), mask.Texts(more)
	maps.Copy(out, params)
	sensitive := map[string]bool{}
	for _, d := range p.Parameters {
		sensitive[d.Name] = d.Sensitive
	}
	for name, v := range params {
		veiled, is := v.(expr.Veiled)
		switch {
		case is:
			v = veiled.Reveal()
		case !sensitive[name] || v == nil || expr.IsDeferred(v):
			continue
		}
		d, err := expr.Enclose(v, true, sealer)
		if err != nil {
			return nil, nil, fault.Wrap(fault.KindOf(err), err, "seal the parameter %s", name)
		}
		out[name] = d.Value()
		texts = append(texts, mask.Texts(v)...)
	}
	m := mask.New(texts...)
	out, _, err := Members(out, m, sealer)
	return out, m, err
}

// Given opens what a run of a root gives to a sub-playbook: parameters, of which what is sealed is veiled and what is known
// later stays so, and the event and the metadata, from which defaults are made. It gives what it opened, too.
func (k Key) Given(root string, params, event, metadata map[string]any) (p, e, m map[string]any, opened []any, err error) {
	_, open := k.For(root)
	p = make(map[string]any, len(params))
	for name, v := range params {
		d, ok := expr.AsDeferred(v)
		if p[name] = v; !ok || !d.Open {
			continue
		}
		x, err := d.Disclose(open)
		if err != nil {
			return nil, nil, nil, nil, err
		}
		if _, later := x.(expr.Deferred); !later {
			p[name] = expr.Veil(x)
			opened = append(opened, x)
		}
	}
	scope := expr.Scope{Root: map[string]any{}}
	for name, data := range map[string]map[string]any{"event": event, "metadata": metadata} {
		found, err := scope.Put([]string{name}, data, expr.Strict, open)
		if err != nil {
			return nil, nil, nil, nil, err
		}
		opened = append(opened, found...)
	}
	e, _ = scope.Root["event"].(map[string]any)
	m, _ = scope.Root["metadata"].(map[string]any)
	return p, e, m, opened, nil
}

// Members seals the members of an object in which m finds something sensitive, in their places: expressions see them as they
// are, and people see them masked. It tells whether there were any. An object without them is given back as it is.
func Members(object map[string]any, m *mask.Masker, seal expr.Sealer) (kept map[string]any, sealed bool, err error) {
	if m == nil {
		return object, false, nil
	}
	kept = make(map[string]any, len(object))
	for k, v := range object {
		shown := v
		if !expr.IsDeferred(v) {
			shown = m.Value(v)
		}
		k = m.String(k)
		if reflect.DeepEqual(shown, v) {
			kept[k] = v
			continue
		}
		d, err := expr.Enclose(v, true, seal)
		if err != nil {
			return nil, false, fmt.Errorf("seal %s: %w", k, err)
		}
		d.Shown, sealed = shown, true
		kept[k] = d.Value()
	}
	return kept, sealed, nil
}
