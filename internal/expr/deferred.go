package expr

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/expr/ref"
	"github.com/tendhq/tend/internal/expr/template"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/value"
)

// Value gives d as it stands among rendered values.
func (d Deferred) Value() map[string]any {
	inner := map[string]any{"secrets": value.Texts(d.Secrets)}
	if d.Sealed != nil {
		inner["sealed"] = base64.StdEncoding.EncodeToString(d.Sealed)
		if d.Open {
			inner["open"] = true
		}
		if len(d.Part) > 0 {
			inner["part"] = value.Texts(d.Part)
		}
		if d.Shown != nil {
			inner["shown"] = d.Shown
		}
		return map[string]any{DeferredKey: inner}
	}
	inner["template"], inner["data"] = d.Template, d.Data
	if d.Dialect != "" {
		inner["dialect"] = string(d.Dialect)
	}
	if len(d.Later) > 0 {
		later := make([]any, len(d.Later))
		for i, l := range d.Later {
			later[i] = map[string]any{"path": value.Texts(l.Path), "value": l.Deferred.Value()}
		}
		inner["later"] = later
	}
	return map[string]any{DeferredKey: inner}
}

// AsDeferred reads a rendered value that is a Deferred.
func AsDeferred(v any) (Deferred, bool) { return asDeferred(v, 0) }

// IsDeferred tells whether a rendered value is a Deferred.
func IsDeferred(v any) bool {
	if _, ok := v.(Deferred); ok {
		return true
	}
	_, ok := AsDeferred(v)
	return ok
}

// maxCalls bounds through how many modules and playbooks a secret is handed on.
const maxCalls = 50

func asDeferred(v any, depth int) (Deferred, bool) {
	m, ok := v.(map[string]any)
	if !ok || len(m) != 1 || depth > maxCalls {
		return Deferred{}, false
	}
	inner, ok := m[DeferredKey].(map[string]any)
	if !ok {
		return Deferred{}, false
	}
	var d Deferred
	if d.Secrets, ok = texts(inner["secrets"]); !ok {
		return Deferred{}, false
	}
	if text, sealed := inner["sealed"].(string); sealed {
		box, err := base64.StdEncoding.DecodeString(text)
		d.Sealed = box
		d.Open, _ = inner["open"].(bool)
		d.Shown = inner["shown"]
		if inner["part"] != nil {
			d.Part, ok = texts(inner["part"])
		}
		return d, ok && err == nil && len(box) > 0
	}
	if d.Template, ok = inner["template"].(string); !ok {
		return Deferred{}, false
	}
	if d.Data, ok = inner["data"].(map[string]any); !ok && inner["data"] != nil {
		return Deferred{}, false
	}
	if dialect, ok := inner["dialect"].(string); ok {
		d.Dialect = Dialect(dialect)
	}
	list, _ := inner["later"].([]any)
	for _, e := range list {
		m, _ := e.(map[string]any)
		l := Later{}
		if l.Path, ok = texts(m["path"]); !ok || len(l.Path) == 0 {
			return Deferred{}, false
		}
		if l.Deferred, ok = asDeferred(m["value"], depth+1); !ok {
			return Deferred{}, false
		}
		d.Later = append(d.Later, l)
	}
	return d, true
}

func texts(v any) ([]string, bool) {
	list, ok := v.([]any)
	if !ok {
		return nil, false
	}
	out := make([]string, len(list))
	for i, e := range list {
		if out[i], ok = e.(string); !ok {
			return nil, false
		}
	}
	return out, true
}

// Holds looks for DeferredKey in data. What comes from outside must not have it: it could ask for secrets.
func Holds(v any) bool {
	switch x := v.(type) {
	case []any:
		return slices.ContainsFunc(x, Holds)
	case value.Object:
		return Holds(map[string]any(x))
	case map[string]any:
		for k, e := range x {
			if k == DeferredKey || Holds(e) {
				return true
			}
		}
	}
	return false
}

// Outside refuses data from outside that has DeferredKey.
func Outside(v any) error {
	if Holds(v) {
		return fault.Wrap(fault.Invalid, errForged, "read what was given")
	}
	return nil
}

// Carry notes the dialect in which values were rendered with what is Deferred among them, so that who is given them can
// finish it under its own.
func Carry[M ~map[string]any](values M, dialect Dialect) M {
	for name, v := range values {
		if d, ok := AsDeferred(v); ok && d.Sealed == nil && d.Dialect == "" {
			d.Dialect = dialect
			values[name] = d.Value()
		}
	}
	return values
}

// Finish renders d with the secrets that it names; open gives what is sealed, see Disclose. Other secrets are refused: what
// was recorded and approved is what is used. What a template gives, and what is sealed and not Open, is a secret.Value when
// it is text. Errors never hold a secret.
func (v *Evaluator) Finish(d Deferred, dia Dialect, get Secrets, open func(Deferred) (any, error)) (any, error) {
	return v.finish(d, dia, get, open, 0)
}

func (v *Evaluator) finish(d Deferred, dia Dialect, get Secrets, open func(Deferred) (any, error), depth int) (any, error) {
	if depth > maxCalls {
		return nil, fault.New(fault.Limit, "a secret was handed on through more than %d modules and playbooks", maxCalls)
	}
	if d.Sealed != nil {
		x, err := open(d)
		if inner, ok := x.(Deferred); ok && err == nil {
			return v.finish(inner, dia, get, open, depth+1)
		}
		if text, ok := x.(string); ok && !d.Open {
			return secret.New(text), err
		}
		return x, err
	}
	dia = cmp.Or(d.Dialect, dia)
	c := v.compile(Template, d.Template, dia)
	if c.err != nil {
		return nil, c.err
	}
	known := make(map[string]any, len(d.Later))
	for _, l := range d.Later {
		x, err := v.finish(l.Deferred, dia, get, open, depth+1)
		if err != nil {
			return nil, err
		}
		if text, ok := x.(secret.Value); ok {
			x = text.Reveal()
		}
		known[dotted(l.Path)] = x
	}
	declared := make(map[string]bool, len(d.Secrets))
	for _, n := range d.Secrets {
		declared[n] = true
	}
	in := v.input(Scope{Root: with(d.Data, d.Later, func(Later) any { return template.Sealed() }), Dialect: dia})
	text, err := c.template.Finish(in, with(d.Data, d.Later, func(l Later) any { return known[dotted(l.Path)] }), func(name string) (string, error) {
		if !declared[name] {
			return "", &Error{Source: d.Template, Offset: -1, Reason: fmt.Sprintf("the secret %q is not among those that were recorded (%s)", name, strings.Join(d.Secrets, ", "))}
		}
		s, err := get(name)
		return s.Reveal(), err
	})
	if at := (*ref.Error)(nil); errors.As(err, &at) {
		return nil, place(d.Template, err)
	}
	if err != nil {
		return nil, err // of get: its kind says whether the secret is not there or could not be asked for
	}
	return secret.New(text), nil
}
