package document

import (
	"slices"
	"strings"
)

// Form is the shape of a key's value. The reader, the formatter and the JSON Schema all follow the tables of keys. A
// form that ends in [] is a list of maps.
type Form string

// The forms that every kind of document can use. A kind adds those of its own maps.
const (
	FormText      Form = "text"      // a text as it stands
	FormName      Form = "name"      // an id
	FormTemplate  Form = "template"  // a text with templates
	FormTemplates Form = "templates" // a text or a list of texts with templates
	FormLogic     Form = "logic"     // CEL, or a template that gives true or false
	FormData      Form = "data"      // anything, with templates in its texts
	FormMap       Form = "map"       // a map of data
	FormList      Form = "list"      // a list of data
	FormBool      Form = "bool"
	FormNumber    Form = "number"
	FormCount     Form = "count" // a whole number
	FormDuration  Form = "duration"
	FormTexts     Form = "texts"  // a text or a list of texts
	FormLabels    Form = "labels" // a map of texts
	FormEffect    Form = "effect"
	FormType      Form = "type"
	FormPlain     Form = "plain" // data without templates
	FormMetadata  Form = "metadata"
	FormLink      Form = "link"
	FormLinks     Form = "link[]"
)

// Item is the form of the items of a list of this form.
func (f Form) Item() Form {
	if item, ok := strings.CutSuffix(string(f), "[]"); ok {
		return Form(item)
	}
	return FormPlain
}

// KeyDef is one key that a map may have.
type KeyDef struct {
	Name string
	Form Form
	Doc  string // one line
}

// Def makes a row of a table.
func Def(name string, f Form, doc string) KeyDef { return KeyDef{Name: name, Form: f, Doc: doc} }

// Table is the keys of a map, in the canonical order.
type Table []KeyDef

// Names lists the keys.
func (t Table) Names() []string {
	out := make([]string, len(t))
	for i := range t {
		out[i] = t[i].Name
	}
	return out
}

// Index tells where a key stands, or -1.
func (t Table) Index(name string) int {
	for i := range t {
		if t[i].Name == name {
			return i
		}
	}
	return -1
}

// Has tells whether the key is known.
func (t Table) Has(name string) bool { return t.Index(name) >= 0 }

// With gives one table out of several, without repeats.
func (t Table) With(more ...Table) Table {
	out := slices.Clip(t)
	for _, m := range more {
		for _, k := range m {
			if !out.Has(k.Name) {
				out = append(out, k)
			}
		}
	}
	return out
}
