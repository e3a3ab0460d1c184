package document

import (
	"iter"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/expr"
)

// NewReader begins to read a file. file is for places only.
func NewReader(file string, src []byte) *Reader {
	return &Reader{file: file, lines: newLines(file, src), src: src}
}

// Documents gives the documents of the file whose head can be read: apiVersion and kind. While one is given, the reader
// is as strict as its dialect. It can be asked once.
func (r *Reader) Documents() iter.Seq[*Document] {
	return func(yield func(*Document) bool) {
		roots := r.readYAML(r.src)
		for i, root := range roots {
			if d := r.head(root.Content[0], i); d != nil && !yield(d) {
				return
			}
		}
		if len(roots) == 0 && len(r.findings) == 0 {
			r.at(RuleDocument, 0, 0, "the file holds no document", "begin with `apiVersion: tend/v1` and `kind: Playbook`")
		}
	}
}

// Findings are all problems that were found so far, in the order of the file.
func (r *Reader) Findings() []Finding { return Sort(r.findings) }

// head begins a document: its dialect decides how strictly it is read.
func (r *Reader) head(n *yaml.Node, index int) *Document {
	r.dialect = expr.Strict
	if !r.bounded(n) {
		return nil
	}
	o, ok := r.Object(n, "a document")
	if !ok {
		return nil
	}
	d := &Document{Object: o, File: r.file, Index: index, lines: r.lines}
	if !r.dialectOf(d) {
		return nil
	}
	k, ok := d.Key("kind")
	if !ok {
		r.Fail(RuleDocument, n, "write `kind: Playbook` below apiVersion", "the document has no `kind`")
		return nil
	}
	d.Kind = Kind(r.Str(k))
	return d
}

func (r *Reader) dialectOf(d *Document) bool {
	k, ok := d.Key("apiVersion")
	if !ok {
		r.Fail(RuleDocument, d.Node, "write `apiVersion: tend/v1` in the first line", "the document has no `apiVersion`")
		return false
	}
	switch v := expr.Dialect(r.Str(k)); v {
	case expr.Strict, expr.Lenient:
		r.dialect, d.Dialect = v, v
		return true
	default:
		r.Fail(RuleDocument, k.Value, "write tend/v1", "the apiVersion %q is not known: tend/v1 and stackpulse.io/v1 are", string(v))
		return false
	}
}

// Body walks the keys of a document but those of its head, which it reads itself, and checks that the document has a
// name. The table holds all keys, Head among them; what is how messages call the kind: "a guard".
func (r *Reader) Body(d *Document, table Table, what string, read func(Key)) {
	r.Each(&d.Object, table, what, func(k Key) {
		switch k.Name {
		case "apiVersion", "kind":
		case "metadata":
			r.metadata(d, k)
		default:
			read(k)
		}
	})
	r.named(d)
}

// Each walks the known keys of an object after the unknown ones were reported.
func (r *Reader) Each(o *Object, table Table, what string, read func(Key)) {
	r.Known(o, table, what)
	for _, k := range o.Keys {
		read(k)
	}
}

// Fields walks the map under a key by the table of its keys, after the unknown ones were reported, and then reports which of
// those that it must have are not written. It gives the map; false when what stands there is none.
func (r *Reader) Fields(k Key, table Table, read func(Key), must ...string) (Object, bool) {
	what := "`" + k.Name + "`"
	o, ok := r.Object(k.Value, what)
	if !ok {
		return o, false
	}
	r.Each(&o, table, what, read)
	for _, name := range must {
		r.Must(&o, name, what)
	}
	return o, true
}

// Items gives the maps of the list under a key; what is how messages call one: "a step". What is no map is reported.
func (r *Reader) Items(k Key, what string) iter.Seq[*Object] {
	return func(yield func(*Object) bool) {
		items, _ := r.List(k.Value, "`"+k.Name+"`")
		for _, n := range items {
			if o, ok := r.Object(n, what); ok && !yield(&o) {
				return
			}
		}
	}
}

// named checks that the document has a name that others can use.
func (r *Reader) named(d *Document) {
	if d.Metadata.Name != "" {
		if bad := strings.IndexFunc(d.Metadata.Name, func(c rune) bool { return c <= ' ' || c == 0x7f }); bad >= 0 {
			k, _ := d.MetadataKeys.Key("name")
			r.Doubt(RuleName, k.Value, "use letters, digits, - and /", "the name %q has spaces or control characters", d.Metadata.Name)
		}
		return
	}
	at := d.Node
	if d.MetadataKeys.Node != nil {
		at = d.MetadataKeys.Node
	}
	r.Doubt(RuleMissing, at, "write `metadata: {name: …}`", "the document has no `metadata.name`")
}

func (r *Reader) metadata(d *Document, k Key) {
	m := &d.Metadata
	o, ok := r.Fields(k, metadataKeys, func(k Key) {
		switch k.Name {
		case "name":
			m.Name = r.Fixed(k)
		case "description":
			m.Description = r.Str(k)
		case "version":
			m.Version = r.Fixed(k)
		case "owner":
			m.Owner = r.Fixed(k)
		case "labels":
			m.Labels = r.Labels(k)
		case "links":
			m.Links = r.links(k)
		}
	})
	if ok {
		d.MetadataKeys = o
	}
}

func (r *Reader) links(k Key) []contract.Link {
	items, _ := r.List(k.Value, "`links`")
	var out []contract.Link
	for _, n := range items {
		n = r.Resolve(n)
		if n != nil && n.Kind == yaml.ScalarNode {
			out = append(out, contract.Link{URL: n.Value})
			continue
		}
		o, ok := r.Object(n, "a link")
		if !ok {
			continue
		}
		var l contract.Link
		r.Each(&o, linkKeys, "a link", func(k Key) {
			switch k.Name {
			case "title":
				l.Title = r.Fixed(k)
			case "url":
				l.URL = r.Fixed(k)
			}
		})
		r.Must(&o, "url", "a link")
		out = append(out, l)
	}
	return out
}

// Must reports a key that is not written.
func (r *Reader) Must(o *Object, name, what string) bool {
	if o.Has(name) {
		return true
	}
	r.Fail(RuleMissing, o.Node, "write `"+name+":`", "%s needs `%s`", what, name)
	return false
}

// Values reads a list of data without templates, which is not empty.
func (r *Reader) Values(k Key) []any {
	items, _ := r.List(k.Value, "`"+k.Name+"`")
	out := make([]any, 0, len(items))
	for _, n := range items {
		out = append(out, r.Plain(n))
	}
	if len(out) == 0 && k.Value.Kind == yaml.SequenceNode {
		r.Fail(RuleValue, k.Value, "list what is allowed, or leave it out", "`%s` allows nothing", k.Name)
	}
	return out
}

// Pattern reads a regular expression.
func (r *Reader) Pattern(k Key) string {
	s := r.Str(k)
	if _, err := regexp.Compile(s); err != nil {
		reason := strings.TrimPrefix(err.Error(), "error parsing regexp: ")
		r.Fail(RuleValue, k.Value, "the syntax is RE2's", "`pattern` is no regular expression: %s", reason)
		return ""
	}
	return s
}

// Effect reads read, idempotent or mutate.
func (r *Reader) Effect(k Key) contract.Effect {
	switch s := contract.Effect(r.Fixed(k)); s {
	case contract.Read, contract.Idempotent, contract.Mutate, "":
		return s
	default:
		r.Fail(RuleValue, k.Value, "write read, idempotent or mutate", "there is no effect `%s`", s)
		return ""
	}
}
