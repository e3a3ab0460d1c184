// Package expr evaluates the two expression languages of playbooks: templates, for texts, and CEL, for logic.
//
// Expressions are total: bounded in time, steps and size, no I/O, no clock, no randomness. Data never becomes code: a
// text is parsed as a template once, when the playbook is compiled, and what it renders is not parsed again.
package expr

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/tendhq/tend/internal/expr/ref"
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
	// Later is what is missing in Root because it is known at dispatch only: secret outputs of steps, and inputs with a
	// secret in them. What uses one is itself Deferred; nothing but text can be made of it.
	Later []Later
	// Veiled are the paths in Root of what is sealed where it is recorded: sensitive parameters, and what is made of them.
	// Everything can be made of it, and is Veiled too.
	Veiled [][]string
}

// Later is a place in the data with what stands there.
type Later struct {
	Path     []string
	Deferred Deferred
}

// Deferred is what is finished only when a step is dispatched. It is what streams, hashes, approvals and plans contain in
// place of a secret: either a template, with the data that it needs, or what is Sealed.
type Deferred struct {
	Template string         // the source
	Data     map[string]any // pruned to the paths that Template uses
	Later    []Later        // what is missing in Data because it is Deferred itself
	Dialect  Dialect        // of Template, where it is finished under another one
	Secrets  []string       // names of the secrets that it needs, sorted

	Sealed []byte   // see Enclose
	Open   bool     // it may be opened where expressions are evaluated: a sensitive parameter, or what is made of one
	Part   []string // the member of what is sealed that is meant
	Shown  any      // what people may see in its place; nil: nothing
}

// DeferredKey marks a Deferred among rendered values: {"$deferred": {...}}.
const DeferredKey = "$deferred"

// Error is an evaluation error. Offset is the byte in Source where it happened, or -1.
type Error struct {
	Source string
	Offset int
	Reason string
	Secret bool // it would have used a secret where that is not possible
}

// misuse is why a secret cannot be used.
type misuse struct{ reason string }

func (m misuse) Error() string { return m.reason }

func (e *Error) Error() string {
	const most = 120
	source, more := e.Source, ""
	if len(source) > most {
		at := min(max(e.Offset-most/2, 0), len(source)-most)
		for at > 0 && !utf8.RuneStart(source[at]) {
			at--
		}
		source, more = strings.ToValidUTF8(source[at:at+most], ""), "…"
	}
	return fmt.Sprintf("%s in %q%s", e.Reason, source, more)
}

// Limits bound one evaluation. The zero value means the defaults.
type Limits struct {
	Output   int // bytes of rendered text, default 1 MiB
	Elements int // elements that ranges and list functions may visit, default 100,000
	Cost     int // CEL cost, default 1,000,000
	Cache    int // compiled expressions that are kept, default 4,096
}

// AsCallback tells that a name among the secrets of a Deferred is that of a callback, of an event and the run that asked for
// it, and of no secret. run is empty where the data did not say it.
func AsCallback(name string) (run, event string, ok bool) { return ref.AsCallback(name) }

// Secrets gives secret texts at dispatch.
type Secrets func(name string) (secret.Value, error)

// Sealer encrypts, and Opener decrypts, what belongs to one run and those below it. The same text gives the same box.
type (
	Sealer func(plain []byte) (box []byte, err error)
	Opener func(box []byte) (plain []byte, err error)
)
