// Package contract is what a caller and what is called owe each other: the types and fields of inputs and outputs, the
// effect, and every way how an action ends. Actions, modules, playbooks and forms declare themselves with it.
//
//	Spec             an action as data, and Catalog, where names find one
//	Field, Type      a declared input or output; Parameter, that of a playbook
//	Inputs, Convert  what is given, as it was declared: defaults, types, enum and pattern, nothing unknown, nothing missing
//
// It is pure. Messages never hold a sensitive value.
package contract

import "github.com/tendhq/tend/internal/fault"

// Spec describes an action as data.
type Spec struct {
	Name    string // "shell", "kubernetes/rollout-restart"
	Summary string // one line
	Doc     string // Markdown, paragraphs
	// Effect of the action where the document says nothing. Proven means that a document cannot make it worse or better:
	// `transform` is read whatever is written. Otherwise a step may declare another effect.
	Effect  Effect
	Proven  bool
	Verb    bool // a command of the run: executed by the engine itself
	Inputs  []Field
	Outputs []Field
	// Targets are templates over the inputs, `host:{{ .host }}`; a step's own `target:` replaces them. A template that
	// renders empty, or to nothing after the colon, gives no target.
	Targets []string
	// EffectOf, if set, tells the effect from the inputs as written in the document (http: GET is read).
	EffectOf func(with map[string]any) Effect
	// Ends documents how each end is classified, in the order of the reference page.
	Ends     []End
	Examples []Example
	// Aliases are the names of the older dialect's steps that this action stands for.
	Aliases []Alias
	// Env tells that the step's `env` is given to the process; otherwise env is refused by lint in tend/v1.
	Env bool
	// Masked outputs etc. are in Fields (Sensitive).
}

// Effect says what an action does to the world.
type Effect string

// The effects, from harmless to not. What is not proven to be less is Mutate.
const (
	Read       Effect = "read"
	Idempotent Effect = "idempotent"
	Mutate     Effect = "mutate"
)

// End is one row of "how it ends".
type End struct {
	When    string     // "the server answered with an unexpected status"
	Outcome string     // succeeded, failed, not-started, in-doubt
	Kind    fault.Kind // "" for succeeded
}

// Example is a piece of a playbook that uses the action. It is linted by a test.
type Example struct {
	Title string
	YAML  string // one or more list items of `steps:`
}

// Alias maps a step of the older dialect to this action.
type Alias struct {
	Name   string            // without registry: "psql/query/long-running-sessions", matched after us-docker.pkg.dev/stackpulse/public/
	Inputs map[string]string // env name in the older dialect → input here; unnamed ones match by lower case
	With   map[string]any    // inputs that the alias fixes
	// Outputs maps names of the older step's output to a path over this action's output (`.answer`, `.` for all of it) or
	// a template over {result}. Empty: as it is.
	Outputs map[string]string
}

// Catalog finds Specs: the built-in actions and the verbs.
type Catalog interface {
	// Spec finds by canonical name.
	Spec(name string) (Spec, bool)
	// Alias finds the action behind a name of the older dialect, with or without the registry prefix.
	Alias(name string) (Spec, Alias, bool)
	// Names lists the canonical names in order, for suggestions.
	Names() []string
}
