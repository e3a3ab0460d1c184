package history

import (
	"sort"
	"strings"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/mask"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/value"
)

// masker takes what must not be seen out of data.
type masker struct {
	names map[string]bool // sensitive parameters
	texts []string        // their values, longest first
}

// learn remembers the values of sensitive parameters.
func (m *masker) learn(defs []contract.Parameter, params value.Object) {
	for _, d := range defs {
		if !d.Sensitive {
			continue
		}
		if m.names == nil {
			m.names = map[string]bool{}
		}
		m.names[d.Name] = true
		m.collect(params[d.Name])
	}
	sort.SliceStable(m.texts, func(i, j int) bool { return len(m.texts[i]) > len(m.texts[j]) })
}

// hide gives a copy of outputs that may be shown, and remembers the values of those that are sensitive, by name.
func (m *masker) hide(names []string, outputs value.Object) value.Object {
	for _, name := range names {
		m.collect(outputs[name])
	}
	sort.SliceStable(m.texts, func(i, j int) bool { return len(m.texts[i]) > len(m.texts[j]) })
	out := m.object(outputs)
	for _, name := range names {
		if _, ok := out[name]; ok {
			out[name] = secret.Mask
		}
	}
	return out
}

// collect remembers the texts in v, unless it is sealed: then nothing of it is known here.
func (m *masker) collect(v any) {
	if expr.IsDeferred(v) {
		return
	}
	for _, t := range mask.Texts(v) {
		m.texts = append(m.texts, t.Reveal())
	}
}

func (m *masker) text(s string) string {
	for _, t := range m.texts {
		s = strings.ReplaceAll(s, t, secret.Mask)
	}
	return s
}

func (m *masker) strings(list []string) []string {
	if len(m.texts) == 0 {
		return list
	}
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = m.text(s)
	}
	return out
}

func (m *masker) would(w *entry.Would) *entry.Would {
	shown := *w
	shown.Inputs, shown.Targets = m.object(w.Inputs), m.strings(w.Targets)
	return &shown
}

// data gives a copy of v that may be shown.
func (m *masker) data(v any) any {
	switch x := v.(type) {
	case string:
		return m.text(x)
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = m.data(e)
		}
		return out
	case value.Object:
		return m.data(map[string]any(x))
	case map[string]any:
		if _, ok := x[expr.DeferredKey]; ok && len(x) == 1 {
			if d, ok := expr.AsDeferred(x); ok && d.Shown != nil {
				return m.data(d.Shown)
			}
			return secret.Mask
		}
		out := make(map[string]any, len(x))
		for k, e := range x {
			out[k] = m.data(e)
		}
		return out
	default:
		return v
	}
}

func (m *masker) object(o value.Object) value.Object {
	if o == nil {
		return nil
	}
	out, _ := m.data(map[string]any(o)).(map[string]any)
	return out
}

// params masks the sensitive ones whole, whatever their type.
func (m *masker) params(o value.Object) value.Object {
	out := m.object(o)
	for k := range out {
		if m.names[k] {
			out[k] = secret.Mask
		}
	}
	return out
}

func (m *masker) fault(f *entry.Fault) *entry.Fault {
	if f == nil {
		return nil
	}
	return &entry.Fault{Kind: f.Kind, Message: m.text(f.Message), Path: f.Path}
}

// Mask gives a copy of v that may be shown: without the values of sensitive parameters, and with [secret] for what is sealed
// or was recorded unrendered because it needs a secret.
func (f *Fold) Mask(v any) any { return f.mask.data(v) }

// MaskEntry does the same to the payload of an entry, in which sensitive parameters stand under their names too.
func (f *Fold) MaskEntry(payload map[string]any) map[string]any {
	out := f.mask.object(payload)
	if params, ok := out["params"].(map[string]any); ok {
		out["params"] = map[string]any(f.mask.params(params))
	}
	return out
}
