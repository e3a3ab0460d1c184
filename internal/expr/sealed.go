package expr

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/value"
)

// Veiled is a value that was made of a sensitive parameter: it is known here, and Enclosed where it is recorded. It cannot
// be printed.
type Veiled struct{ value any }

// Veil gives v as what was made of a sensitive parameter.
func Veil(v any) Veiled { return Veiled{v} }

// Reveal gives the value; a Deferred, where a secret has to be put in besides.
func (v Veiled) Reveal() any { return v.value }

// Format implements fmt.Formatter for every verb.
func (v Veiled) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, secret.Mask) }

// MarshalText implements encoding.TextMarshaler.
func (v Veiled) MarshalText() ([]byte, error) { return []byte(secret.Mask), nil }

// The two things that can be in a box.
const (
	boxValue    = "value"
	boxDeferred = "deferred"
)

// Enclose seals a value, or a Deferred. open says that it may be opened where expressions are evaluated.
func Enclose(v any, open bool, seal Sealer) (Deferred, error) {
	out := Deferred{Open: open}
	content := map[string]any{boxValue: v}
	if d, ok := v.(Deferred); ok {
		out.Secrets = d.Secrets
		content = map[string]any{boxDeferred: d.Value()}
	}
	if seal == nil {
		return out, fault.New(fault.Internal, "nothing can be sealed here")
	}
	b, err := value.Canonical(content)
	if err != nil {
		return out, err
	}
	out.Sealed, err = seal(b)
	return out, err
}

// Seal gives rendered data as it is recorded: with what is Veiled enclosed in its place.
func Seal(v any, seal Sealer) (any, error) {
	switch x := v.(type) {
	case Veiled:
		d, err := Enclose(x.value, true, seal)
		return d.Value(), err
	case value.Object:
		return Seal(map[string]any(x), seal)
	case map[string]any:
		if !Hides(x) {
			return x, nil
		}
		out := make(map[string]any, len(x))
		for k, e := range x {
			var err error
			if out[k], err = Seal(e, seal); err != nil {
				return nil, err
			}
		}
		return out, nil
	case []any:
		if !Hides(x) {
			return x, nil
		}
		out := make([]any, len(x))
		for i, e := range x {
			var err error
			if out[i], err = Seal(e, seal); err != nil {
				return nil, err
			}
		}
		return out, nil
	default:
		return v, nil
	}
}

// Hides tells whether something in rendered data is Veiled or Deferred.
func Hides(v any) bool {
	return found(v, func(x any) bool {
		_, veiled := x.(Veiled)
		return veiled || IsDeferred(x)
	})
}

// HoldsSecret tells whether something in rendered data is Deferred, and is not open to expressions.
func HoldsSecret(v any) bool {
	return found(v, func(x any) bool {
		if veiled, ok := x.(Veiled); ok {
			x = veiled.value
		}
		d, recorded := AsDeferred(x)
		return recorded && !d.Open || !recorded && IsDeferred(x)
	})
}

func found(v any, is func(any) bool) bool {
	if is(v) {
		return true
	}
	switch x := v.(type) {
	case value.Object:
		return found(map[string]any(x), is)
	case []any:
		return slices.ContainsFunc(x, func(e any) bool { return found(e, is) })
	case map[string]any:
		for _, e := range x {
			if found(e, is) {
				return true
			}
		}
	}
	return false
}

// Disclose opens what is sealed. It gives a value, or a Deferred.
func (d Deferred) Disclose(open Opener) (any, error) {
	if open == nil {
		return nil, fault.New(fault.Internal, "nothing that is sealed can be opened here")
	}
	b, err := open(d.Sealed)
	if err != nil {
		return nil, err
	}
	x, err := value.Parse(b)
	if err != nil {
		return nil, fault.New(fault.Damaged, "what is sealed cannot be read")
	}
	content, _ := x.(map[string]any)
	if inner, ok := AsDeferred(content[boxDeferred]); ok {
		if len(d.Part) > 0 {
			return nil, fault.New(fault.Expr, "the secret output is a text, and has no %s", dotted(d.Part))
		}
		return inner, nil
	}
	x, ok := content[boxValue]
	if !ok {
		return nil, fault.New(fault.Damaged, "what is sealed cannot be read")
	}
	for _, k := range d.Part {
		m, _ := x.(map[string]any)
		if x, ok = m[k]; !ok {
			return nil, fault.New(fault.Expr, "the secret output has no %s", dotted(d.Part))
		}
	}
	return x, nil
}

// Put sets the data at path, whose containers it may change, to v as it was recorded. What in v is sealed and may be opened
// is opened, and Veiled; what may not, and what else is Deferred, is taken out, and Later. A template in it was rendered in
// dialect, if it does not say so itself. Put gives what it opened.
func (s *Scope) Put(path []string, v any, dialect Dialect, open Opener) (opened []any, err error) {
	r := revealer{scope: s, dialect: dialect, open: open}
	x, there := r.reveal(v, path)
	at := s.Root
	for _, k := range path[:len(path)-1] {
		at, _ = at[k].(map[string]any)
	}
	switch {
	case at == nil:
	case there:
		at[path[len(path)-1]] = x
	default:
		delete(at, path[len(path)-1])
	}
	return r.opened, r.err
}

type revealer struct {
	scope   *Scope
	dialect Dialect
	open    Opener
	opened  []any
	err     error
}

// reveal gives v as expressions may see it, unless it is known later.
func (r *revealer) reveal(v any, path []string) (any, bool) {
	switch x := v.(type) {
	case value.Object:
		return r.reveal(map[string]any(x), path)
	case map[string]any:
		if d, ok := AsDeferred(x); ok {
			return r.deferred(d, path)
		}
		return r.members(x, path)
	case []any:
		return r.elements(x, path)
	default:
		return v, true
	}
}

func (r *revealer) deferred(d Deferred, path []string) (any, bool) {
	if d.Sealed == nil && d.Dialect == "" {
		d.Dialect = r.dialect
	}
	if d.Open {
		x, err := d.Disclose(r.open)
		if err != nil {
			r.err = err
			return nil, false
		}
		if _, more := x.(Deferred); !more {
			r.scope.Veiled = append(r.scope.Veiled, slices.Clone(path))
			r.opened = append(r.opened, x)
			return x, true
		}
	}
	r.scope.Later = append(r.scope.Later, Later{Path: slices.Clone(path), Deferred: d})
	return nil, false
}

// members copies a map only if something in it changes.
func (r *revealer) members(m map[string]any, path []string) (any, bool) {
	if !Holds(m) {
		return m, true
	}
	out := maps.Clone(m)
	for _, k := range slices.Sorted(maps.Keys(m)) {
		x, there := r.reveal(m[k], append(path[:len(path):len(path)], k))
		if out[k] = x; !there {
			delete(out, k)
		}
	}
	return out, true
}

// elements reveals a list. One with something in it that is known later is Later itself, and cannot be used.
func (r *revealer) elements(list []any, path []string) (any, bool) {
	if !slices.ContainsFunc(list, Holds) {
		return list, true
	}
	before := len(r.scope.Later)
	out := make([]any, len(list))
	for i, e := range list {
		out[i], _ = r.reveal(e, append(path[:len(path):len(path)], Element))
	}
	if len(r.scope.Later) == before {
		return out, true
	}
	r.scope.Later = append(r.scope.Later[:before], Later{Path: slices.Clone(path)})
	return nil, false
}

// Reseal gives recorded data with everything in it sealed anew, for another run.
func Reseal(v any, open Opener, seal Sealer) (any, error) {
	switch x := v.(type) {
	case Deferred:
		return x.reseal(open, seal)
	case value.Object:
		return Reseal(map[string]any(x), open, seal)
	case []any:
		if !Holds(x) {
			return v, nil
		}
		out := make([]any, len(x))
		for i, e := range x {
			var err error
			if out[i], err = Reseal(e, open, seal); err != nil {
				return nil, err
			}
		}
		return out, nil
	case map[string]any:
		if !Holds(x) {
			return v, nil
		}
		if d, ok := AsDeferred(x); ok {
			d, err := d.reseal(open, seal)
			return d.Value(), err
		}
		out := make(map[string]any, len(x))
		for k, e := range x {
			var err error
			if out[k], err = Reseal(e, open, seal); err != nil {
				return nil, err
			}
		}
		return out, nil
	default:
		return v, nil
	}
}

func (d Deferred) reseal(open Opener, seal Sealer) (Deferred, error) {
	if d.Sealed == nil {
		d.Later = slices.Clone(d.Later)
		for i := range d.Later {
			var err error
			if d.Later[i].Deferred, err = d.Later[i].Deferred.reseal(open, seal); err != nil {
				return d, err
			}
		}
		return d, nil
	}
	whole := d
	whole.Part = nil
	x, err := whole.Disclose(open)
	if err != nil {
		return d, err
	}
	if inner, ok := x.(Deferred); ok {
		if x, err = inner.reseal(open, seal); err != nil {
			return d, err
		}
	}
	again, err := Enclose(x, d.Open, seal)
	d.Sealed = again.Sealed
	return d, err
}

// Unseal opens everything that is sealed in recorded data, also below templates. found gets each value, and whether it may
// be opened where expressions are evaluated.
func Unseal(v any, open Opener, found func(v any, open bool)) error {
	switch x := v.(type) {
	case Deferred:
		if x.Sealed == nil {
			for _, l := range x.Later {
				if err := Unseal(l.Deferred, open, found); err != nil {
					return err
				}
			}
			return nil
		}
		x.Part = nil
		inner, err := x.Disclose(open)
		if err != nil {
			return err
		}
		if d, ok := inner.(Deferred); ok {
			return Unseal(d, open, found)
		}
		found(inner, x.Open)
	case value.Object:
		return Unseal(map[string]any(x), open, found)
	case []any:
		for _, e := range x {
			if err := Unseal(e, open, found); err != nil {
				return err
			}
		}
	case map[string]any:
		if d, ok := AsDeferred(x); ok {
			return Unseal(d, open, found)
		}
		for _, k := range slices.Sorted(maps.Keys(x)) {
			if err := Unseal(x[k], open, found); err != nil {
				return err
			}
		}
	}
	return nil
}

// Revealed gives a value that may be veiled.
func Revealed(v any) any {
	if veiled, ok := v.(Veiled); ok {
		return veiled.Reveal()
	}
	return v
}
