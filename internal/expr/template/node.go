package template

import (
	"github.com/tendhq/tend/internal/expr/function"
	"github.com/tendhq/tend/internal/expr/ref"
)

// A template is a list of nodes; expressions stand in them. Pipelines are gone: `a | f b` is f(b, a).

type node interface{ node() }

type (
	textNode   struct{ text string }
	outputNode struct{ value expression }
	setNode    struct { // {{ $x := ... }} and {{ $x = ... }}
		slot  int
		again bool // with =
		value expression
	}
	branchNode struct { // if and with
		set       int // slot of {{ if $x := ... }}, or -1
		with      bool
		condition expression
		then      []node
		otherwise []node
	}
	rangeNode struct {
		key, element int // slots, or -1
		over         expression
		body         []node
		otherwise    []node
		at           span
	}
	leaveNode struct{ again bool } // break and continue
)

func (*textNode) node()   {}
func (*outputNode) node() {}
func (*setNode) node()    {}
func (*branchNode) node() {}
func (*rangeNode) node()  {}
func (*leaveNode) node()  {}

// span is a place in the source.
type span struct{ from, to int }

type expression interface{ place() span }

type (
	literal struct {
		span
		value any
	}
	// path starts at the root, at dot, at a variable, or at the value of another expression.
	path struct {
		span
		base  base
		slot  int
		inner expression
		steps ref.Path
	}
	call struct {
		span
		fn   *function.Function
		name span
		args []expression
		null bool // an argument is the word nil
	}
)

func (s span) place() span { return s }

type base uint8

const (
	atRoot base = iota
	atDot
	atVariable
	atValue
)
