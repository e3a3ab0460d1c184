package document

import (
	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/expr"
)

// Kind says what a document declares.
type Kind string

// The kinds of documents.
const (
	KindPlaybook    Kind = "Playbook"
	KindModule      Kind = "Step" // a reusable step with an interface
	KindGuard       Kind = "Guard"
	KindTrigger     Kind = "Trigger"
	KindIntegration Kind = "Integration"
	KindEnvironment Kind = "Environment"
)

// Document is one YAML document as it was read: everything with its place, nothing resolved.
type Document struct {
	Object
	File    string
	Index   int // which document of the file, from 0
	Dialect expr.Dialect
	Kind    Kind

	Metadata     contract.Metadata
	MetadataKeys Object

	// Content is what the document's kind made of the rest; nil when nobody read it.
	Content any

	lines *lines
}

// Object is a mapping with its keys in the order of the document, aliases and merges resolved.
type Object struct {
	Node *yaml.Node // nil: not written
	Keys []Key
}

// Key is one entry of an Object.
type Key struct {
	Name  string
	Node  *yaml.Node // of the key
	Value *yaml.Node // aliases resolved
}

// Key finds an entry by name.
func (o *Object) Key(name string) (Key, bool) {
	for _, k := range o.Keys {
		if k.Name == name {
			return k, true
		}
	}
	return Key{}, false
}

// Has tells whether the key is written.
func (o *Object) Has(name string) bool { _, ok := o.Key(name); return ok }

// Scalar is one scalar of a document, as an expression. Its Line and Column are those of the YAML node; see
// Document.PlaceIn for places inside of it.
type Scalar struct {
	expr.Expr
	Node *yaml.Node
}

// Data is a tree of values with places. Exactly one of Scalar, List and Map is set, by Node.Kind; the zero Data is what
// is not written.
type Data struct {
	Node   *yaml.Node
	Scalar *Scalar
	List   []Data
	Map    []Entry
}

// Entry is one entry of a map in Data.
type Entry struct {
	Key
	Data Data
}

// Given tells whether the data is written at all.
func (d *Data) Given() bool { return d.Node != nil }

// Entry finds an entry of a map by name.
func (d *Data) Entry(name string) (*Data, bool) {
	for i := range d.Map {
		if d.Map[i].Name == name {
			return &d.Map[i].Data, true
		}
	}
	return nil, false
}
