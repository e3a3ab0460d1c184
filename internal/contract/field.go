package contract

import (
	"github.com/tendhq/tend/internal/expr"
)

// Type is the type of a parameter, an input or an output.
type Type string

// The types of the language. Var and SPD are the older dialect's: text, and the name of a runner. Any, Text formats and
// Condition occur in Specs only.
const (
	String      Type = "string"
	Number      Type = "number"
	Boolean     Type = "boolean"
	List        Type = "list"
	Map         Type = "map"
	Secret      Type = "secret"      // the NAME of a secret
	Integration Type = "integration" // the NAME of an integration
	Var         Type = "var"
	SPD         Type = "spd"
	Any         Type = "any"
	Duration    Type = "duration"
)

// Parameter is a declared parameter.
type Parameter struct {
	Name        string         `json:"name"`
	Type        Type           `json:"type"`
	Description string         `json:"description,omitempty"`
	Default     *expr.Tree     `json:"default,omitempty"`
	Required    bool           `json:"required,omitempty"` // derived: no default and not `required: false`
	Enum        []any          `json:"enum,omitempty"`
	Pattern     string         `json:"pattern,omitempty"`
	Options     map[string]any `json:"options,omitempty"`
	Sensitive   bool           `json:"sensitive,omitempty"`
}

// Field is a declared input or output: of an action's Spec, a module or a playbook.
type Field struct {
	Name        string  `json:"name"`
	Type        Type    `json:"type"`
	Description string  `json:"description,omitempty"`
	Required    bool    `json:"required,omitempty"`
	Default     any     `json:"default,omitempty"`
	Enum        []any   `json:"enum,omitempty"`
	Pattern     string  `json:"pattern,omitempty"`   // RE2, for the whole text
	Sensitive   bool    `json:"sensitive,omitempty"` // masked everywhere; a secret may be given here
	Verbatim    bool    `json:"verbatim,omitempty"`  // in tend/v1 never rendered: scripts and other code
	Fields      []Field `json:"fields,omitempty"`    // of a map
	Items       *Field  `json:"items,omitempty"`     // of a list
}

// Sealed names the fields whose values are sensitive.
func Sealed(outputs []Field) []string {
	var out []string
	for _, f := range outputs {
		if f.Sensitive {
			out = append(out, f.Name)
		}
	}
	return out
}
