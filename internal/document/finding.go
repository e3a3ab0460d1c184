package document

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/fault"
)

// Severity says what a finding means for the document: only errors keep it from running.
type Severity string

// The severities, from worst to mildest.
const (
	Error   Severity = "error"   // the document does not run
	Warning Severity = "warning" // it runs, and surely not as its author wants
	Advice  Severity = "advice"  // it could be better
)

// Place is where something stands in a file. Lines and columns count from 1, columns in characters; EndColumn is the
// first column after it on the same line, or 0 when unknown. The zero Line means the file as a whole.
type Place struct {
	File      string `json:"file"`
	Line      int    `json:"line,omitempty"`
	Column    int    `json:"column,omitempty"`
	EndColumn int    `json:"endColumn,omitempty"`
}

func (p Place) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	default:
		return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
	}
}

// Finding is one problem of a document.
type Finding struct {
	Rule       string   `json:"rule"`
	Severity   Severity `json:"severity"`
	Place      Place    `json:"place"`
	Message    string   `json:"message"`
	Remedy     string   `json:"remedy,omitempty"`     // the next step, for people
	SourceLine string   `json:"sourceLine,omitempty"` // the line of the place as it stands
}

func (f Finding) String() string {
	s := fmt.Sprintf("%s: %s: %s [%s]", f.Place, f.Severity, f.Message, f.Rule)
	if f.Remedy != "" {
		s += " (" + f.Remedy + ")"
	}
	return s
}

// The rules of reading and compiling. The linter has more.
const (
	RuleEncoding  = "encoding"           // not UTF-8, NUL bytes
	RuleSize      = "too-large"          // a file, a nesting or an expansion beyond the limits
	RuleYAML      = "yaml"               // not YAML
	RuleTab       = "tab"                // a tab in the indentation
	RuleQuote     = "quote-template"     // {{ without quotes is a map to YAML
	RuleDuplicate = "duplicate-key"      // a key twice in one mapping
	RuleKey       = "unknown-key"        // a key that means nothing here
	RuleMissing   = "missing-key"        // a key that must be there
	RuleType      = "wrong-type"         // a value of another shape
	RuleValue     = "bad-value"          // a value outside what is allowed
	RuleConflict  = "conflicting-keys"   // keys that exclude each other
	RuleDocument  = "unknown-document"   // apiVersion or kind
	RuleName      = "bad-name"           // an id or name that cannot be used
	RuleTwice     = "declared-twice"     // a parameter, input or output
	RuleAction    = "unknown-action"     // `uses` names nothing
	RuleInput     = "unknown-input"      // the action has no such input
	RuleRequired  = "missing-input"      // a required input is not given
	RuleInputType = "wrong-input-type"   // a literal that the input cannot take
	RuleEnv       = "env-not-used"       // the action does not take an environment
	RuleModule    = "broken-module"      // what `uses` names has errors itself
	RuleRecursion = "includes-itself"    // directly or over others
	RuleEffect    = "effect-is-proven"   // a step claims another effect than the action has for sure
	RuleScript    = "template-in-script" // scripts are verbatim
	RuleFormat    = "format"             // cannot be brought into the canonical form
	RuleLegacy    = "ignored-here"       // the older dialect's, without effect in tend
)

// HasErrors tells whether any finding keeps the document from running.
func HasErrors(fs []Finding) bool {
	return slices.ContainsFunc(fs, func(f Finding) bool { return f.Severity == Error })
}

// Sort orders findings by file, line and column, and drops exact repeats.
func Sort(fs []Finding) []Finding {
	slices.SortStableFunc(fs, func(a, b Finding) int {
		return cmp.Or(
			strings.Compare(a.Place.File, b.Place.File),
			cmp.Compare(a.Place.Line, b.Place.Line),
			cmp.Compare(a.Place.Column, b.Place.Column),
			strings.Compare(a.Rule, b.Rule),
			strings.Compare(a.Message, b.Message),
		)
	})
	return slices.Compact(fs)
}

// Fault turns the errors among findings into one error for people, or nil when there is none.
func Fault(fs []Finding) error {
	var lines []string
	next := ""
	for _, f := range fs {
		if f.Severity != Error {
			continue
		}
		lines = append(lines, fmt.Sprintf("%s: %s", f.Place, f.Message))
		if next == "" {
			next = f.Remedy
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return &fault.Error{Kind: fault.Invalid, Message: strings.Join(lines, "\n"), Next: next}
}
