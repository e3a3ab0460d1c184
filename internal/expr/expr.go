// Package expr evaluates the two expression languages of playbooks: templates, for texts, and CEL, for logic.
//
// Expressions are total: bounded in time, steps and size, no I/O, no clock, no randomness. Data never becomes code: a
// text is parsed as a template once, when the playbook is compiled, and what it renders is not parsed again.
package expr

import (
	"fmt"

	"github.com/tendhq/tend/internal/secret"
)

// Dialect says how missing data is treated.
type Dialect string

const (
	// Strict is tend/v1: a missing path is an error, except inside default, coalesce, get and has.
	Strict Dialect = "tend/v1"
	// Lenient is stackpulse.io/v1: a missing path is empty for every function.
	Lenient Dialect = "stackpulse.io/v1"
)

// Kind says what an Expr is.
type Kind string

const (
	// Literal is data as it stands.
	Literal Kind = "literal"
	// Template is a text with {{ }}.
	Template Kind = "template"
	// Logic is a CEL expression.
	Logic Kind = "cel"
	// Path is a bare path from the root, as in the older dialect's `in: a.b`.
	Path Kind = "path"
)

// Expr is one scalar of a compiled playbook. The zero Expr is the literal nil.
type Expr struct {
	Kind   Kind   `json:"kind,omitempty"`
	Lit    any    `json:"lit,omitempty"`    // for Literal
	Source string `json:"source,omitempty"` // for the others
	Line   int    `json:"-"`
	Column int    `json:"-"`
}

// Scope is the data that an expression sees. Root and all below it are read only.
type Scope struct {
	Root    map[string]any
	Dialect Dialect
}

// Deferred is a rendered template that uses `secret`: its source with the data that it needs, finished only when the
// step is dispatched. It is what streams, hashes, approvals and plans contain in place of the text.
type Deferred struct {
	Data     map[string]any `json:"data"`     // pruned to the paths that Template uses
	Secrets  []string       `json:"secrets"`  // names of the secrets that it needs, sorted
	Template string         `json:"template"` // the source
}

// DeferredKey marks a Deferred among rendered values: {"$deferred": {...}}.
const DeferredKey = "$deferred"

// Error is an evaluation error. Offset is the byte in Source where it happened, or -1.
type Error struct {
	Source string
	Offset int
	Reason string
}

func (e *Error) Error() string {
	if len(e.Source) > 120 {
		return fmt.Sprintf("%s in %q…", e.Reason, e.Source[:120])
	}
	return fmt.Sprintf("%s in %q", e.Reason, e.Source)
}

// Limits bound one evaluation. The zero value means the defaults.
type Limits struct {
	Output   int // bytes of rendered text, default 1 MiB
	Elements int // elements that ranges and list functions may visit, default 100,000
	Cost     int // CEL cost, default 1,000,000
}

// Secrets gives secret texts at dispatch.
type Secrets func(name string) (secret.Value, error)

// The evaluator's operations (implemented in this package):
//
//	func New(l Limits) *Evaluator            // safe for concurrent use; caches compiled expressions (bounded LRU)
//	func (*Evaluator) Check(e Expr, d Dialect) error   // syntax, unknown functions; *Error or errors.Join of several
//	func (*Evaluator) Uses(e Expr, d Dialect) (Uses, error) // for lint: which data paths, secrets, functions
//	func (*Evaluator) Value(e Expr, s Scope) (any, error)
//	    // Literal: as it is. Template: text, but a template that is one single action gives the typed value of its
//	    // pipeline (int64, bool, list, map, nil); one that uses `secret` gives {"$deferred": {...}}.
//	    // Logic: the CEL value. Path: the value there, nil when missing.
//	func (*Evaluator) Text(e Expr, s Scope) (string, error)  // Value, then value.Text; Deferred is an error here
//	func (*Evaluator) Truth(e Expr, s Scope) (bool, error)
//	    // Logic must give a bool. A template's text is true for "true" (any case, spaces trimmed), false for "false" and ""
//	    // and an error otherwise (Lenient: Go template truth of other texts: non-empty is true). Null, NaN and missing are
//	    // false in both, never an error for Lenient and an *Error for Strict.
//	func (*Evaluator) Finish(d Deferred, dia Dialect, get Secrets) (secret.Value, error)
