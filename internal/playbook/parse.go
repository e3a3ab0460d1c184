package playbook

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/expr"
)

// Parse reads the documents of a file with everything that is wrong with them. A document with findings is still given
// as far as it could be read. Parse never panics and does no I/O; file is for places only.
func Parse(file string, src []byte) ([]*Document, []Finding) {
	r := &reader{file: file, lines: newLines(file, src)}
	var docs []*Document
	roots := r.readYAML(src)
	for i, root := range roots {
		if d := r.document(root.Content[0], i); d != nil {
			docs = append(docs, d)
		}
	}
	if len(roots) == 0 && len(r.findings) == 0 {
		r.at(RuleDocument, 0, 0, "the file holds no document", "begin with `apiVersion: tend/v1` and `kind: Playbook`")
	}
	return docs, Sort(r.findings)
}

var docKinds = []string{string(DocPlaybook), string(DocModule), string(DocGuard), string(DocTrigger), string(DocIntegration)}

// document reads one document. Its dialect decides how strictly.
func (r *reader) document(n *yaml.Node, index int) *Document {
	r.dialect = expr.Strict
	if !r.bounded(n) {
		return nil
	}
	o, ok := r.object(n, "a document")
	if !ok {
		return nil
	}
	d := &Document{Object: o, File: r.file, Index: index, lines: r.lines}
	if !r.dialectOf(d) {
		return nil
	}
	k, ok := d.Key("kind")
	if !ok {
		r.fail(RuleDocument, n, "write `kind: Playbook` below apiVersion", "the document has no `kind`")
		return nil
	}
	d.Kind = DocKind(r.str(k))
	switch d.Kind {
	case DocPlaybook:
		r.playbook(d)
	case DocModule:
		r.module(d)
	case DocGuard:
		r.guard(d)
	case DocTrigger:
		r.trigger(d)
	case DocIntegration:
		r.integration(d)
	default:
		remedy := didYouMean(string(d.Kind), docKinds)
		r.fail(RuleDocument, k.Value, remedy, "no kind of document is called %q", string(d.Kind))
		return nil
	}
	return d
}

func (r *reader) dialectOf(d *Document) bool {
	k, ok := d.Key("apiVersion")
	if !ok {
		r.fail(RuleDocument, d.Node, "write `apiVersion: tend/v1` in the first line", "the document has no `apiVersion`")
		return false
	}
	switch v := expr.Dialect(r.str(k)); v {
	case expr.Strict, expr.Lenient:
		r.dialect, d.Dialect = v, v
		return true
	default:
		r.fail(RuleDocument, k.Value, "write tend/v1", "the apiVersion %q is not known: tend/v1 and stackpulse.io/v1 are", string(v))
		return false
	}
}

// each walks the known keys of an object after the unknown ones were reported.
func (r *reader) each(o *Object, table Table, what string, read func(Key)) {
	r.known(o, table, what)
	for _, k := range o.Keys {
		read(k)
	}
}

func (r *reader) playbook(d *Document) {
	r.each(&d.Object, playbookKeys, "a playbook", func(k Key) {
		switch k.Name {
		case "metadata":
			r.metadata(d, k)
		case "parameters":
			d.Parameters = r.parameters(k)
		case "steps":
			d.Steps = r.steps(k)
		case "catch":
			d.Catch = r.steps(k)
		case "finally":
			d.Finally = r.steps(k)
		case "outputs":
			d.Outputs = r.outputs(k)
		case "artifacts":
			d.Artifacts = r.artifacts(k)
		case "timeout":
			d.Timeout = r.duration(k)
		}
	})
	r.named(d)
	if k, ok := d.Key("steps"); len(d.Steps) == 0 && (!ok || k.Value.Kind == yaml.SequenceNode || isNull(k.Value)) {
		at := d.Node
		if ok {
			at = k.Node
		}
		r.doubt(RuleMissing, at, "write at least one step below `steps:`", "the playbook has no steps")
	}
}

func (r *reader) module(d *Document) {
	r.each(&d.Object, moduleKeys, "a step module", func(k Key) {
		switch k.Name {
		case "metadata":
			r.metadata(d, k)
		case "inputs":
			d.Parameters = r.parameters(k)
		case "effect":
			d.Effect = r.effect(k)
		case "irreversible":
			d.Irreversible = r.boolean(k)
		case "target":
			d.Target = r.templates(k)
		case "run":
			d.Body = r.body(k)
		case "steps":
			d.Steps = r.steps(k)
		case "catch":
			d.Catch = r.steps(k)
		case "finally":
			d.Finally = r.steps(k)
		case "timeout":
			d.Timeout = r.duration(k)
		case "outputs":
			d.Outputs = r.outputs(k)
		}
	})
	r.named(d)
	run, hasRun := d.Key("run")
	steps, hasSteps := d.Key("steps")
	switch {
	case hasRun && hasSteps:
		r.fail(RuleConflict, steps.Node, "keep one of them", "a step module is one action (`run`, line %d) or several (`steps`), not both", run.Node.Line)
	case !hasRun && !hasSteps:
		r.fail(RuleMissing, d.Node, "write `run:` with the one action that it is, or `steps:`", "the step module has no body")
	case hasRun:
		for _, name := range []string{"catch", "finally"} {
			if k, ok := d.Key(name); ok {
				r.fail(RuleConflict, k.Node, "put the action into `steps:`", "`%s` belongs to a module with `steps`", name)
			}
		}
	}
}

// named checks that the document has a name that others can use.
func (r *reader) named(d *Document) {
	if d.Metadata.Name != "" {
		if bad := strings.IndexFunc(d.Metadata.Name, func(c rune) bool { return c <= ' ' || c == 0x7f }); bad >= 0 {
			k, _ := d.MetadataKeys.Key("name")
			r.doubt(RuleName, k.Value, "use letters, digits, - and /", "the name %q has spaces or control characters", d.Metadata.Name)
		}
		return
	}
	at := d.Node
	if d.MetadataKeys.Node != nil {
		at = d.MetadataKeys.Node
	}
	r.doubt(RuleMissing, at, "write `metadata: {name: …}`", "the document has no `metadata.name`")
}

func (r *reader) metadata(d *Document, k Key) {
	o, ok := r.object(k.Value, "`metadata`")
	if !ok {
		return
	}
	m := &d.Metadata
	r.each(&o, metadataKeys, "`metadata`", func(k Key) {
		switch k.Name {
		case "name":
			m.Name = r.fixed(k)
		case "description":
			m.Description = r.str(k)
		case "version":
			m.Version = r.fixed(k)
		case "owner":
			m.Owner = r.fixed(k)
		case "labels":
			m.Labels = r.labels(k)
		case "links":
			m.Links = r.links(k)
		}
	})
	d.MetadataKeys = o
}

func (r *reader) links(k Key) []Link {
	items, _ := r.list(k.Value, "`links`")
	var out []Link
	for _, n := range items {
		n = r.resolve(n)
		if n != nil && n.Kind == yaml.ScalarNode {
			out = append(out, Link{URL: n.Value})
			continue
		}
		o, ok := r.object(n, "a link")
		if !ok {
			continue
		}
		var l Link
		r.each(&o, linkKeys, "a link", func(k Key) {
			switch k.Name {
			case "title":
				l.Title = r.fixed(k)
			case "url":
				l.URL = r.fixed(k)
			}
		})
		r.must(&o, "url", "a link")
		out = append(out, l)
	}
	return out
}

// must reports a key that is not written.
func (r *reader) must(o *Object, name, what string) bool {
	if o.Has(name) {
		return true
	}
	r.fail(RuleMissing, o.Node, "write `"+name+":`", "%s needs `%s`", what, name)
	return false
}

// parameterName is what templates and the command line can take.
var parameterName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

func (r *reader) parameters(k Key) []ParameterDecl {
	what := "a parameter"
	if k.Name == "inputs" {
		what = "an input"
	}
	items, _ := r.list(k.Value, "`"+k.Name+"`")
	out := make([]ParameterDecl, 0, len(items))
	seen := make(map[string]int, len(items))
	for _, n := range items {
		p, ok := r.parameter(n, what)
		if !ok {
			continue
		}
		if line, twice := seen[p.Name]; twice {
			r.doubt(RuleTwice, p.Node, "rename one of them", "%s called `%s` is declared in line %d already", what, p.Name, line)
			continue
		}
		seen[p.Name] = p.Node.Line
		out = append(out, p)
	}
	return out
}

func (r *reader) parameter(n *yaml.Node, what string) (ParameterDecl, bool) {
	o, ok := r.object(n, what)
	if !ok {
		return ParameterDecl{}, false
	}
	p := ParameterDecl{Required: !r.lenient()} // documents of the older dialect counted on empty parameters
	r.each(&o, parameterKeys, what, func(k Key) {
		switch k.Name {
		case "name":
			if p.Name = r.fixed(k); p.Name != "" && !parameterName.MatchString(p.Name) {
				r.doubt(RuleName, k.Value, "use letters, digits and _", "%q cannot be the name of %s", p.Name, what)
			}
		case "type":
			p.Type = r.typ(k, false)
		case "description":
			p.Description = r.str(k)
		case "required":
			p.Required = r.boolean(k)
		case "default":
			p.Default = r.data(k.Value)
		case "enum":
			p.Enum = r.values(k)
		case "pattern":
			p.Pattern = r.pattern(k)
		case "options":
			p.Options, _ = r.plain(k.Value).(map[string]any)
		case "sensitive":
			p.Sensitive = r.boolean(k)
		}
	})
	p.Object = o
	if !r.must(&o, "name", what) || p.Name == "" {
		return p, false
	}
	if p.Type == "" {
		p.Type = String
		if !o.Has("type") {
			r.doubt(RuleMissing, o.Node, "write `type: string`, or what it is", "%s `%s` has no `type`", what, p.Name)
		}
	}
	if p.Default.Given() {
		p.Required = false
		r.literalDefault(&p, strings.TrimPrefix(strings.TrimPrefix(what, "an "), "a "))
	}
	return p, true
}

// literalDefault checks a default that is known already.
func (r *reader) literalDefault(p *ParameterDecl, what string) {
	s := p.Default.Scalar
	if s != nil && (s.Kind != expr.Literal || s.Lit == nil) || s == nil && !isLiteral(&p.Default) {
		return
	}
	v, err := ConvertParameter(literalOf(&p.Default), p.decl())
	if err != nil {
		r.doubt(RuleValue, p.Default.Node, "", "the default of %s `%s` %v", what, p.Name, err)
		return
	}
	if s != nil && s.Kind == expr.Literal {
		s.Lit = v
	}
}

func (p *ParameterDecl) decl() Parameter {
	return Parameter{
		Name: p.Name, Type: p.Type, Description: p.Description, Required: p.Required, Enum: p.Enum,
		Pattern: p.Pattern, Options: p.Options, Sensitive: p.Sensitive,
	}
}

func (r *reader) values(k Key) []any {
	items, _ := r.list(k.Value, "`"+k.Name+"`")
	out := make([]any, 0, len(items))
	for _, n := range items {
		out = append(out, r.plain(n))
	}
	if len(out) == 0 && k.Value.Kind == yaml.SequenceNode {
		r.fail(RuleValue, k.Value, "list what is allowed, or leave it out", "`%s` allows nothing", k.Name)
	}
	return out
}

func (r *reader) pattern(k Key) string {
	s := r.str(k)
	if _, err := regexp.Compile(s); err != nil {
		reason := strings.TrimPrefix(err.Error(), "error parsing regexp: ")
		r.fail(RuleValue, k.Value, "the syntax is RE2's", "`pattern` is no regular expression: %s", reason)
		return ""
	}
	return s
}

var (
	strictTypes = []string{"string", "number", "boolean", "list", "map", "secret", "integration"}
	legacyTypes = []string{"string", "number", "boolean", "list", "map", "secret", "integration", "var", "spd"}
	outputTypes = []string{"string", "number", "boolean", "list", "map", "any"}
)

// typ reads the name of a type; output says whether of an output.
func (r *reader) typ(k Key, output bool) Type {
	s := r.fixed(k)
	known := strictTypes
	switch {
	case output:
		known = outputTypes
	case r.lenient():
		known = legacyTypes
	}
	if s == "" || slices.Contains(known, s) {
		return Type(s)
	}
	if !output && (s == "var" || s == "spd") {
		r.fail(RuleValue, k.Value, "write string", "the type `%s` is the older dialect's", s)
		return String
	}
	other := map[string]string{"text": "string", "str": "string", "int": "number", "integer": "number", "float": "number", "bool": "boolean", "array": "list", "object": "map", "dict": "map"}
	remedy := didYouMean(s, known)
	if t, ok := other[s]; ok {
		remedy = "write " + t
	}
	r.doubt(RuleValue, k.Value, remedy, "there is no type `%s`", s)
	return ""
}

// outputs reads `name: value` entries, or the list form with declared types.
func (r *reader) outputs(k Key) []OutputDecl {
	plain := expr.Logic
	if r.lenient() {
		plain = expr.Literal
	}
	if isNull(k.Value) {
		return nil
	}
	if k.Value.Kind != yaml.SequenceNode {
		o, ok := r.object(k.Value, "`outputs`")
		if !ok {
			return nil
		}
		out := make([]OutputDecl, 0, len(o.Keys))
		for _, e := range o.Keys {
			out = append(out, OutputDecl{Key: e, Name: e.Name, Value: r.tree(e.Value, plain)})
		}
		return out
	}
	var out []OutputDecl
	seen := map[string]int{}
	for _, n := range k.Value.Content {
		o, ok := r.object(n, "an output")
		if !ok {
			continue
		}
		d := OutputDecl{Type: Any}
		r.each(&o, outputKeys, "an output", func(k Key) {
			switch k.Name {
			case "name":
				d.Name, d.Key = r.fixed(k), k
			case "type":
				d.Type = r.typ(k, true)
			case "description":
				d.Description = r.str(k)
			case "value":
				d.Value = r.tree(k.Value, plain)
			case "sensitive":
				d.Sensitive = r.boolean(k)
			}
		})
		d.Object = o
		if !r.must(&o, "name", "an output") {
			continue
		}
		if line, twice := seen[d.Name]; twice {
			r.doubt(RuleTwice, d.Node, "rename one of them", "an output called `%s` is declared in line %d already", d.Name, line)
			continue
		}
		seen[d.Name] = o.Node.Line
		out = append(out, d)
	}
	return out
}

func (r *reader) effect(k Key) Effect {
	switch s := Effect(r.fixed(k)); s {
	case Read, Idempotent, Mutate, "":
		return s
	default:
		r.fail(RuleValue, k.Value, "write read, idempotent or mutate", "there is no effect `%s`", s)
		return ""
	}
}
