package template

import (
	"slices"

	"github.com/tendhq/tend/internal/expr/function"
	"github.com/tendhq/tend/internal/expr/ref"
)

// tracer finds what a template uses, by walking all of it with the places that values come from instead of values. It
// also finds misuse of secrets without any data.
type tracer struct {
	uses ref.Uses
	errs []error
	vars []origin
}

// origin is where a value comes from: a place in the data, if it is known, or a secret.
type origin struct {
	known  bool
	path   []string
	secret bool
}

func (o origin) down(segments ...string) origin {
	if !o.known {
		return origin{}
	}
	return origin{known: true, path: slices.Concat(o.path, segments)}
}

func (t *tracer) trace(nodes []node, dot origin) {
	for _, n := range nodes {
		switch n := n.(type) {
		case *outputNode:
			t.eval(n.value, dot, false)
		case *setNode:
			o := t.eval(n.value, dot, false)
			if n.again {
				o = origin{secret: o.secret || t.vars[n.slot].secret}
			}
			t.vars[n.slot] = o
		case *branchNode:
			o := t.eval(n.condition, dot, false)
			t.decides(o, n.condition.place())
			if n.set >= 0 {
				t.vars[n.set] = o
			}
			inside := dot
			if n.with {
				inside = o
			}
			t.trace(n.then, inside)
			t.trace(n.otherwise, dot)
		case *rangeNode:
			o := t.eval(n.over, dot, false)
			t.decides(o, n.at)
			element := o.down(ref.Element)
			if n.key >= 0 {
				t.vars[n.key] = origin{}
			}
			if n.element >= 0 {
				t.vars[n.element] = element
			}
			t.trace(n.body, element)
			t.trace(n.otherwise, dot)
		}
	}
}

func (t *tracer) refuse(at span, format string, v ...any) {
	if len(t.errs) < maxErrors {
		t.errs = append(t.errs, fail(at.from, format, v...))
	}
}

func (t *tracer) decides(o origin, at span) {
	if o.secret {
		t.refuse(at, "%v", errSecretDecides)
	}
}

func (t *tracer) note(o origin, at span, guard, dynamic bool) {
	if o.known {
		t.uses.Paths = append(t.uses.Paths, ref.PathUse{
			Path: o.path, Dynamic: dynamic, Guarded: guard, Offset: at.from, Length: at.to - at.from,
		})
	}
}

func (t *tracer) eval(e expression, dot origin, guard bool) origin {
	switch e := e.(type) {
	case *path:
		o := t.place(e, dot, guard)
		t.note(o, e.span, guard, false)
		return o
	case *call:
		t.uses.Functions = append(t.uses.Functions, ref.FunctionUse{
			Name: e.fn.Name, Offset: e.name.from, Length: e.name.to - e.name.from,
		})
		switch e.fn.Name {
		case function.Index, function.Get, function.HasKey:
			if len(e.args) > 1 {
				return t.lookup(e, dot, guard)
			}
		case function.Secret, function.Callback:
			return t.secret(e, dot)
		}
		return t.call(e, dot)
	}
	return origin{}
}

// place is where a path leads.
func (t *tracer) place(e *path, dot origin, guard bool) origin {
	from := origin{known: true}
	switch e.base {
	case atRoot:
	case atDot:
		from = dot
	case atVariable:
		from = t.vars[e.slot]
	case atValue:
		from = t.eval(e.inner, dot, guard)
	}
	if len(e.steps) == 0 {
		return from
	}
	if from.secret {
		t.refuse(e.span, "a secret has no parts")
	}
	return from.down(e.steps.Segments()...)
}

func (t *tracer) call(e *call, dot origin) origin {
	var first origin
	secret := false
	for i, arg := range e.args {
		o := t.eval(arg, dot, e.fn.Guards)
		if i == 0 {
			first = o
		}
		if !o.secret {
			continue
		}
		secret = true
		switch {
		case e.fn.Special:
			t.decides(o, arg.place())
		case !e.fn.Secret:
			t.refuse(arg.place(), "a secret cannot be given to %s", e.fn.Name)
		}
	}
	switch e.fn.Name {
	case "first", "last":
		return first.down(ref.Element)
	}
	return origin{secret: secret}
}

// lookup traces index, get and hasKey: literal keys lead on from the first argument.
func (t *tracer) lookup(e *call, dot origin, guard bool) origin {
	guard = guard || e.fn.Name != function.Index
	var o origin
	base, isPath := e.args[0].(*path)
	if isPath {
		o = t.place(base, dot, guard)
	} else {
		o = t.eval(e.args[0], dot, guard)
	}
	if o.secret {
		t.refuse(e.args[0].place(), "a secret cannot be given to %s", e.fn.Name)
	}
	dynamic := false
	for i, arg := range e.args[1:] {
		if e.fn.Name != function.Index && i > 0 { // the default of get
			if t.eval(arg, dot, true).secret {
				t.refuse(arg.place(), "a secret cannot be given to %s", e.fn.Name)
			}
			continue
		}
		l, isLiteral := arg.(*literal)
		step := ref.Path{{}}
		key, isKey := any(nil), false
		if isLiteral {
			key = l.value
		}
		switch k := key.(type) {
		case string:
			step[0].Key, isKey = k, true
		case int64:
			step[0] = ref.Step{Kind: ref.Index, From: int(k)}
			isKey = true
		default:
			if t.eval(arg, dot, false).secret {
				t.refuse(arg.place(), "a secret cannot be given to %s", e.fn.Name)
			}
		}
		dynamic = dynamic || !isKey
		if !dynamic {
			o = o.down(step.Segments()...)
		}
	}
	if isPath || !dynamic {
		t.note(o, e.args[0].place(), guard, dynamic)
	}
	if dynamic {
		return origin{}
	}
	return o
}

func (t *tracer) secret(e *call, dot origin) origin {
	use := ref.SecretUse{Offset: e.from, Length: e.to - e.from, Callback: e.fn.Name == function.Callback}
	o := t.eval(e.args[0], dot, false)
	if l, ok := e.args[0].(*literal); ok {
		use.Name, ok = l.value.(string)
		if !ok || use.Name == "" {
			t.refuse(l.span, "the name that %s takes is text", e.fn.Name)
		}
	}
	if o.secret {
		t.refuse(e.args[0].place(), "a secret cannot be given to %s", e.fn.Name)
	}
	if _, ok := e.args[0].(*path); ok && o.known {
		use.Path = o.path
	}
	if use.Callback {
		t.note(origin{path: ref.RunID(), known: true}, e.span, true, false)
		use.Name, use.Path = "", nil // no provider has it
	}
	t.uses.Secrets = append(t.uses.Secrets, use)
	return origin{secret: true}
}
