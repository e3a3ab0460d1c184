// Package language lists the kinds of documents, and reads files with all of them. It decides nothing else: what a kind
// is, its own package says.
//
// A new kind is a package that imports document and gives a document.Definition: its keys as tables, and a function that
// reads them with a document.Reader (guard is a short one). It joins the list here, and a constant and a line join
// document.Kind. Places, suggestions, all problems at once, `tend format`, the JSON Schemas and the checks of `tend lint`
// that hold for every document come with that.
package language

import (
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/environment"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/integration"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/trigger"
)

// kinds are all kinds of documents, in the order in which people are told of them.
func kinds() document.Kinds {
	return append(playbook.Definitions(), guard.Definition(), trigger.Definition(), integration.Definition(), environment.Definition())
}

// Names lists the kinds.
func Names() []document.Kind { return kinds().Names() }

// Parse reads the documents of a file with everything that is wrong with them: see document.Kinds.
func Parse(file string, src []byte) ([]*document.Document, []document.Finding) {
	return kinds().Parse(file, src)
}

// Keys gives the keys of a kind of documents; nil for unknown kinds.
func Keys(k document.Kind) document.Table { return kinds().Keys(k) }

// Table gives the keys of a map inside of a document, by the form of its key; nil where the author's keys are free.
func Table(f document.Form, d expr.Dialect) document.Table { return kinds().Table(f, d) }
