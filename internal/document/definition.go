package document

import (
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/spelling"
)

// Definition is what there is to know about a kind of documents.
type Definition struct {
	Kind Kind
	// Keys are those of the whole document, Head among them.
	Keys Table
	// Forms gives the keys of the maps inside of it, by their form; nil for a form that is not this kind's.
	Forms func(f Form, d expr.Dialect) Table
	// Read reads a document and gives its Content.
	Read func(r *Reader, d *Document) any
}

// Kinds is the kinds of documents of a language.
type Kinds []Definition

// Parse reads the documents of a file with everything that is wrong with them. A document with findings is still given
// as far as it could be read. Parse never panics and does no I/O; file is for places only.
func (l Kinds) Parse(file string, src []byte) ([]*Document, []Finding) {
	r := NewReader(file, src)
	var docs []*Document
	for d := range r.Documents() {
		if l.read(r, d) {
			docs = append(docs, d)
		}
	}
	return docs, r.Findings()
}

func (l Kinds) read(r *Reader, d *Document) bool {
	var names []string
	for i := range l {
		if l[i].Kind == d.Kind {
			d.Content = l[i].Read(r, d)
			return true
		}
		names = append(names, string(l[i].Kind))
	}
	k, _ := d.Key("kind")
	r.Fail(RuleDocument, k.Value, spelling.Suggest(string(d.Kind), names), "no kind of document is called %q", string(d.Kind))
	return false
}

// Names lists the kinds.
func (l Kinds) Names() []Kind {
	out := make([]Kind, len(l))
	for i := range l {
		out[i] = l[i].Kind
	}
	return out
}

// Keys gives the keys of a kind of documents; nil for unknown kinds.
func (l Kinds) Keys(k Kind) Table {
	for i := range l {
		if l[i].Kind == k {
			return l[i].Keys
		}
	}
	return nil
}

// Table gives the keys of a map of a form; nil where the author's keys are free.
func (l Kinds) Table(f Form, d expr.Dialect) Table {
	switch f {
	case FormMetadata:
		return metadataKeys
	case FormLink:
		return linkKeys
	default:
	}
	for i := range l {
		if l[i].Forms == nil {
			continue
		}
		if t := l[i].Forms(f, d); t != nil {
			return t
		}
	}
	return nil
}
