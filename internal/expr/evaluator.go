package expr

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/expr/function"
	"github.com/tendhq/tend/internal/expr/logic"
	"github.com/tendhq/tend/internal/expr/ref"
	"github.com/tendhq/tend/internal/expr/template"
	"github.com/tendhq/tend/internal/value"
)

// Defaults of Limits.
const (
	DefaultOutput   = 1 << 20
	DefaultElements = 100_000
	DefaultCost     = 1_000_000
	DefaultCache    = 4096
)

// Evaluator evaluates expressions. It is safe for concurrent use and keeps compiled expressions in a bounded cache.
type Evaluator struct {
	limits    Limits
	functions *function.Set
	logic     *logic.Language
	cache     *cache
}

// New makes an Evaluator. It costs next to nothing: what is expensive is made when it is first needed.
func New(l Limits) *Evaluator {
	l.Output = cmp.Or(l.Output, DefaultOutput)
	l.Elements = cmp.Or(l.Elements, DefaultElements)
	l.Cost = cmp.Or(l.Cost, DefaultCost)
	l.Cache = cmp.Or(l.Cache, DefaultCache)
	return &Evaluator{
		limits:    l,
		functions: function.Standard(),
		logic:     logic.New(l.Cost),
		cache:     newCache(l.Cache),
	}
}

// compiled is one expression. Exactly one of the first three is set unless err is.
type compiled struct {
	template *template.Template
	logic    *logic.Condition
	path     ref.Path
	err      error
}

func (v *Evaluator) compile(k Kind, source string, d Dialect) compiled {
	key := cacheKey{kind: k, source: source}
	if k == Logic {
		key.variant = d // the only kind that compiles differently
	}
	return v.cache.get(key, func() (c compiled) {
		switch k {
		case Template:
			c.template, c.err = template.Parse(source, v.functions)
		case Logic:
			c.logic, c.err = v.logic.Compile(source, d == Lenient)
		case Path:
			c.path, c.err = ref.Parse(source)
		default:
			c.err = fmt.Errorf("an expression of the unknown kind %q", k)
		}
		c.err = place(source, c.err)
		return c
	})
}

// place makes an *Error of every error inside err, with the source.
func place(source string, err error) error {
	if err == nil {
		return nil
	}
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		errs := several.Unwrap()
		for i, e := range errs {
			errs[i] = place(source, e)
		}
		return errors.Join(errs...)
	}
	if own := (*Error)(nil); errors.As(err, &own) {
		return err
	}
	e := &Error{Source: source, Offset: -1, Reason: err.Error(), Secret: errors.As(err, new(misuse))}
	if at := (*ref.Error)(nil); errors.As(err, &at) {
		e.Offset = at.Offset
	}
	return e
}

func literal(e Expr) bool { return e.Kind == "" || e.Kind == Literal }

// Check compiles e: syntax, unknown functions, wrong numbers of arguments, misuse of `secret`. Several problems come
// joined, each an *Error.
func (v *Evaluator) Check(e Expr, d Dialect) error {
	if literal(e) {
		return nil
	}
	return v.compile(e.Kind, e.Source, d).err
}

// Uses tells what e needs; it must not be changed. An expression that does not compile has the error of Check.
func (v *Evaluator) Uses(e Expr, d Dialect) (Uses, error) {
	if literal(e) {
		return Uses{}, nil
	}
	c := v.compile(e.Kind, e.Source, d)
	switch {
	case c.err != nil:
		return Uses{}, c.err
	case c.template != nil:
		return c.template.Uses(), nil
	case c.logic != nil:
		return c.logic.Uses(), nil
	}
	return Uses{Paths: []PathUse{{Path: c.path.Segments(), Length: len(e.Source)}}}, nil
}

// Value evaluates e.
//
// A Literal is as it is. A Template gives text, but a template that is one single action gives the typed value of its
// pipeline (nil, bool, int64, float64, string, list, map); one in which `secret` was called gives
// {"$deferred": {...}}, see Deferred. Logic gives the CEL value. A Path gives the value there, nil when missing (in
// Strict a missing path is an error).
//
// What was made of something Veiled is Veiled. Data that looks like a Deferred is an error, so that nothing from outside can
// ask for secrets.
func (v *Evaluator) Value(e Expr, s Scope) (any, error) {
	if literal(e) {
		return e.Lit, nil
	}
	x, err := v.evaluate(e, s, false)
	if f, ok := x.(float64); ok && math.IsNaN(f) {
		err = errNaN
	}
	if err != nil {
		return nil, place(e.Source, err)
	}
	d, deferred := x.(Deferred)
	switch {
	case v.veiled(e, s):
		return Veiled{x}, nil
	case deferred:
		return d.Value(), nil
	default:
		return x, nil
	}
}

// uses are the paths of an expression that compiles.
func (c compiled) uses() []PathUse {
	switch {
	case c.template != nil:
		return c.template.Uses().Paths
	case c.logic != nil:
		return c.logic.Uses().Paths
	default:
		return []PathUse{{Path: c.path.Segments()}}
	}
}

// veiled tells whether the value of an expression is made of something Veiled.
func (v *Evaluator) veiled(e Expr, s Scope) bool {
	if len(s.Veiled) == 0 {
		return false
	}
	return slices.ContainsFunc(v.compile(e.Kind, e.Source, s.Dialect).uses(), func(p PathUse) bool {
		return slices.ContainsFunc(s.Veiled, func(q []string) bool { return meet(p.Path, q) })
	})
}

func (v *Evaluator) input(s Scope) template.Input {
	return template.Input{Root: s.Root, Lenient: s.Dialect == Lenient, Elements: v.limits.Elements, Output: v.limits.Output}
}

// evaluate gives a Deferred where a secret is needed.
func (v *Evaluator) evaluate(e Expr, s Scope, holds bool) (x any, err error) {
	c := v.compile(e.Kind, e.Source, s.Dialect)
	if c.err != nil {
		return nil, c.err
	}
	var later []Later
	if len(s.Later) > 0 {
		if later, err = s.later(c.uses()); err != nil {
			return nil, err
		}
	}
	switch {
	case c.template != nil:
		in := v.input(s)
		in.NoData, in.Root = holds, with(s.Root, later, func(Later) any { return template.Sealed() })
		r, err := c.template.Render(in)
		if err != nil && len(later) > 0 {
			return nil, misused(place(e.Source, err))
		}
		if err != nil {
			return nil, err
		}
		if len(r.Secrets)+len(later) > 0 {
			d := Deferred{Template: e.Source, Secrets: secretsOf(r.Secrets, later), Later: later, Data: prune(s.Root, c.template.Uses().Paths)}
			if Holds(d.Data) {
				return nil, errForged
			}
			return d, nil
		}
		x = r.Value
	case len(later) == 1 && bare(c.uses(), later[0], e.Source):
		return later[0].Deferred, nil
	case len(later) > 0:
		return nil, misuse{fmt.Sprintf("the secret `%s` cannot be used here: a text in with, env or args can be made of it, and nothing else", dotted(later[0].Path))}
	case c.logic != nil:
		x, err = c.logic.Eval(s.Root, holds)
	default:
		x, err = v.path(c.path, s)
	}
	if err == nil && Holds(x) {
		err = errForged
	}
	return x, err
}

// misused says of an error that it is about a secret.
func misused(err error) error {
	if at := (*Error)(nil); errors.As(err, &at) {
		at.Secret = true
	}
	return err
}

// secretsOf are the names of all the secrets that a template and what was handed to it need.
func secretsOf(own []string, later []Later) []string {
	for _, l := range later {
		own = append(own, l.Deferred.Secrets...)
	}
	slices.Sort(own)
	return slices.Compact(own)
}

func (v *Evaluator) path(p ref.Path, s Scope) (any, error) {
	lenient := s.Dialect == Lenient
	x, err := ref.Resolve(any(s.Root), p, lenient, function.NewBudget(v.limits.Elements, v.limits.Output).Visit)
	if missing := (*ref.Missing)(nil); lenient && errors.As(err, &missing) {
		return nil, nil
	}
	return x, err
}

var errNaN = errors.New("the result is not a number (NaN)")

var errForged = errors.New("the data has a key " + DeferredKey + ", which only tend itself may write")

// Text is Value printed as value.Text does. A Deferred is an error here; what is Veiled is printed as it is.
func (v *Evaluator) Text(e Expr, s Scope) (string, error) {
	x, err := v.Value(e, s)
	if err != nil {
		return "", err
	}
	if veiled, ok := x.(Veiled); ok {
		x = veiled.Reveal()
	}
	if IsDeferred(x) && !literal(e) {
		return "", &Error{Source: e.Source, Offset: -1, Reason: "a secret cannot be used here", Secret: true}
	}
	return value.Text(x), nil
}

// Truth evaluates a condition. Logic must give a bool. A template's text is true for "true" (in any case, spaces
// trimmed), false for "false" and "", and an error otherwise (Lenient: Go's template truth, so that other texts are true).
// Null, NaN and missing are false in both dialects; Strict says so with an *Error beside the false.
func (v *Evaluator) Truth(e Expr, s Scope) (bool, error) { return v.truth(e, s, false) }

// Holds is Truth for `until`, `verify` and `assert`, where no data is never success: it also refuses comparisons in which
// one side is null and the other is not the word null (`result.value != 0` over an empty result does not hold).
// When the answer is false for want of data or by an error, err says why.
func (v *Evaluator) Holds(e Expr, s Scope) (bool, error) { return v.truth(e, s, true) }

func (v *Evaluator) truth(e Expr, s Scope, holds bool) (bool, error) {
	x, err := e.Lit, error(nil)
	if !literal(e) {
		x, err = v.evaluate(e, s, holds)
	}
	if err != nil {
		return false, place(e.Source, err)
	}
	refuse := func(format string, a ...any) (bool, error) {
		return false, &Error{Source: e.Source, Offset: -1, Reason: fmt.Sprintf(format, a...)}
	}
	lenient := s.Dialect == Lenient
	switch x := x.(type) {
	case bool:
		return x, nil
	case nil:
		if lenient && !holds {
			return false, nil
		}
		return refuse("there is no data: a condition that is null does not hold")
	case float64:
		if math.IsNaN(x) {
			return refuse("there is no data: a condition that is not a number does not hold")
		}
	case string:
		if e.Kind == Logic {
			break
		}
		switch text := strings.TrimSpace(x); {
		case strings.EqualFold(text, "true"):
			return true, nil
		case strings.EqualFold(text, "false"), text == "":
			return false, nil
		}
	}
	if IsDeferred(x) {
		return false, &Error{Source: e.Source, Offset: -1, Reason: "a secret cannot be a condition", Secret: true}
	}
	if lenient && e.Kind != Logic {
		return function.Truth(x), nil
	}
	return refuse("a condition is true or false, not %s", ref.Describe(x))
}

// Function describes a function of the template language.
type Function struct {
	Name  string `json:"name"`
	Usage string `json:"usage"` // `trunc LENGTH TEXT`
	Doc   string `json:"doc"`   // one line
	Group string `json:"group"` // text, lists, ...
}

// Functions lists the functions of templates, by group and name.
func Functions() []Function {
	all := function.Standard().List()
	out := make([]Function, len(all))
	for i, f := range all {
		out[i] = Function{Name: f.Name, Usage: f.Usage, Doc: f.Doc, Group: f.Group}
	}
	return out
}
