// Package template is the template language: Go's text/template syntax with paths in it.
//
// It is an engine of its own, because text/template can be neither stopped nor bounded and calls methods. Here a template
// is parsed once into a tree; walking the tree reads data, calls functions of package function and writes text. Each step
// is paid from a budget, so that every template ends, soon, with a bounded output or an error. Templates cannot define or
// call other templates.
//
// Secrets have two phases. Render never sees them: where `secret` is called a placeholder flows on, functions that may
// take a secret pass the placeholder on, and every other use of it is an error, so that no secret decides what is rendered
// or ends in a message. Finish walks the same way with the texts.
package template

import (
	"errors"
	"slices"

	"github.com/tendhq/tend/internal/expr/function"
	"github.com/tendhq/tend/internal/expr/ref"
)

// Input is what one rendering sees. Nothing in it is changed.
type Input struct {
	Root     map[string]any
	Lenient  bool // missing data is empty
	NoData   bool // comparing null with something else is an error, see function.Env
	Elements int  // bound on list elements
	Output   int  // bound on text, in bytes
}

// Result is a rendered template.
type Result struct {
	// Value is the text, or the typed value of a template that is one action. It is nil when Secrets is not empty.
	Value any
	// Secrets names the secrets that were called for, sorted.
	Secrets []string
}

// Render renders without secrets. Errors are *ref.Error.
func (t *Template) Render(in Input) (Result, error) {
	m := newMachine(t, in)
	v, err := m.render(t)
	if err != nil {
		return Result{}, err
	}
	if len(m.names) == 0 {
		return Result{Value: v}, nil
	}
	slices.Sort(m.names)
	return Result{Secrets: slices.Compact(m.names)}, nil
}

// errFinish stands for every error behind which a secret may be.
var errFinish = errors.New("a function cannot take the secret that it is given")

// Sealed is what stands in the data of a Render for a text that is known to Finish only. It is treated as what `secret`
// gives.
func Sealed() any { return sealed{} }

// Finish renders with secrets. In root the texts stand for which in.Root has Sealed; nil is in.Root. The result is as
// secret as they are. An error of reveal is passed on as it is; errors of the template say nothing of the values.
func (t *Template) Finish(in Input, root map[string]any, reveal func(name string) (string, error)) (string, error) {
	// The walk without secrets finds every misuse before a secret is there.
	if _, err := t.Render(in); err != nil {
		return "", err
	}
	if root != nil {
		in.Root = root
	}
	m := newMachine(t, in)
	m.reveal = reveal
	v, err := m.render(t)
	if m.refused != nil {
		return "", m.refused
	}
	if err != nil {
		offset := -1
		if at := (*ref.Error)(nil); errors.As(err, &at) {
			offset = at.Offset
		}
		return "", &ref.Error{Offset: offset, Reason: errFinish.Error()}
	}
	return m.env.Text(v)
}

func newMachine(t *Template, in Input) *machine {
	m := &machine{in: in, env: function.Env{Lenient: in.Lenient, NoData: in.NoData, Budget: function.NewBudget(in.Elements, in.Output)}}
	if t.slots > 0 {
		m.vars = make([]any, t.slots)
	}
	return m
}
