package playbook

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/spelling"
)

func (r *reader) playbook(head *document.Document) *Document {
	d := &Document{Document: head}
	var offer document.Key
	r.Body(head, playbookKeys, "a playbook", func(k document.Key) {
		switch k.Name {
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
			d.Timeout = r.Duration(k)
		case "offer":
			offer = k
		}
	})
	if offer.Value != nil {
		d.Offer = r.offer(offer, d)
	}
	if k, ok := d.Key("steps"); len(d.Steps) == 0 && (!ok || k.Value.Kind == yaml.SequenceNode || document.IsNull(k.Value)) {
		at := d.Node
		if ok {
			at = k.Node
		}
		r.Doubt(document.RuleMissing, at, "write at least one step below `steps:`", "the playbook has no steps")
	}
	return d
}

func (r *reader) module(head *document.Document) *Document {
	d := &Document{Document: head}
	r.Body(head, moduleKeys, "a step module", func(k document.Key) {
		switch k.Name {
		case "inputs":
			d.Parameters = r.parameters(k)
		case "effect":
			d.Effect = r.Effect(k)
		case "irreversible":
			d.Irreversible = r.Bool(k)
		case "target":
			d.Target = r.Templates(k)
		case "run":
			d.Body = r.body(k)
		case "steps":
			d.Steps = r.steps(k)
		case "catch":
			d.Catch = r.steps(k)
		case "finally":
			d.Finally = r.steps(k)
		case "timeout":
			d.Timeout = r.Duration(k)
		case "outputs":
			d.Outputs = r.outputs(k)
		}
	})
	run, hasRun := d.Key("run")
	steps, hasSteps := d.Key("steps")
	switch {
	case hasRun && hasSteps:
		r.Fail(document.RuleConflict, steps.Node, "keep one of them", "a step module is one action (`run`, line %d) or several (`steps`), not both", run.Node.Line)
	case !hasRun && !hasSteps:
		r.Fail(document.RuleMissing, d.Node, "write `run:` with the one action that it is, or `steps:`", "the step module has no body")
	case hasRun:
		for _, name := range []string{"catch", "finally"} {
			if k, ok := d.Key(name); ok {
				r.Fail(document.RuleConflict, k.Node, "put the action into `steps:`", "`%s` belongs to a module with `steps`", name)
			}
		}
	}
	return d
}

// parameterName is what templates and the command line can take.
var parameterName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

func (r *reader) parameters(k document.Key) []ParameterDecl {
	what := "a parameter"
	if k.Name == "inputs" {
		what = "an input"
	}
	items, _ := r.List(k.Value, "`"+k.Name+"`")
	out := make([]ParameterDecl, 0, len(items))
	seen := make(map[string]int, len(items))
	for _, n := range items {
		p, ok := r.parameter(n, what)
		if !ok {
			continue
		}
		if line, twice := seen[p.Name]; twice {
			r.Doubt(document.RuleTwice, p.Node, "rename one of them", "%s called `%s` is declared in line %d already", what, p.Name, line)
			continue
		}
		seen[p.Name] = p.Node.Line
		out = append(out, p)
	}
	return out
}

func (r *reader) parameter(n *yaml.Node, what string) (ParameterDecl, bool) {
	o, ok := r.Object(n, what)
	if !ok {
		return ParameterDecl{}, false
	}
	p := ParameterDecl{Required: !r.Lenient()} // documents of the older dialect counted on empty parameters
	r.Each(&o, parameterKeys, what, func(k document.Key) {
		switch k.Name {
		case "name":
			if p.Name = r.Fixed(k); p.Name != "" && !parameterName.MatchString(p.Name) {
				r.Doubt(document.RuleName, k.Value, "use letters, digits and _", "%q cannot be the name of %s", p.Name, what)
			}
		case "type":
			p.Type = r.typ(k, false)
		case "description":
			p.Description = r.Str(k)
		case "required":
			p.Required = r.Bool(k)
		case "default":
			p.Default = r.Data(k.Value)
		case "enum":
			p.Enum = r.Values(k)
		case "pattern":
			p.Pattern = r.Pattern(k)
		case "options":
			p.Options, _ = r.Plain(k.Value).(map[string]any)
		case "sensitive":
			p.Sensitive = r.Bool(k)
		}
	})
	p.Object = o
	if !r.Must(&o, "name", what) || p.Name == "" {
		return p, false
	}
	if p.Type == "" {
		p.Type = contract.String
		if !o.Has("type") {
			r.Doubt(document.RuleMissing, o.Node, "write `type: string`, or what it is", "%s `%s` has no `type`", what, p.Name)
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
	if s != nil && (s.Kind != expr.Literal || s.Lit == nil) || s == nil && !p.Default.Literal() {
		return
	}
	v, err := contract.ConvertParameter(p.Default.Value(), p.Parameter())
	if err != nil {
		r.Doubt(document.RuleValue, p.Default.Node, "", "the default of %s `%s` %v", what, p.Name, err)
		return
	}
	if s != nil && s.Kind == expr.Literal {
		s.Lit = v
	}
}

// Parameter is the declaration without its default, which is rendered.
func (p *ParameterDecl) Parameter() contract.Parameter {
	return contract.Parameter{
		Name: p.Name, Type: p.Type, Description: p.Description, Required: p.Required, Enum: p.Enum,
		Pattern: p.Pattern, Options: p.Options, Sensitive: p.Sensitive,
	}
}

var (
	strictTypes = []string{"string", "number", "boolean", "list", "map", "secret", "integration"}
	legacyTypes = []string{"string", "number", "boolean", "list", "map", "secret", "integration", "var", "spd"}
	outputTypes = []string{"string", "number", "boolean", "list", "map", "any"}
)

// typ reads the name of a type; output says whether of an output.
func (r *reader) typ(k document.Key, output bool) contract.Type {
	s := r.Fixed(k)
	known := strictTypes
	switch {
	case output:
		known = outputTypes
	case r.Lenient():
		known = legacyTypes
	}
	if s == "" || slices.Contains(known, s) {
		return contract.Type(s)
	}
	if !output && (s == "var" || s == "spd") {
		r.Fail(document.RuleValue, k.Value, "write string", "the type `%s` is the older dialect's", s)
		return contract.String
	}
	other := map[string]string{"text": "string", "str": "string", "int": "number", "integer": "number", "float": "number", "bool": "boolean", "array": "list", "object": "map", "dict": "map"}
	remedy := spelling.Suggest(s, known)
	if t, ok := other[s]; ok {
		remedy = "write " + t
	}
	r.Doubt(document.RuleValue, k.Value, remedy, "there is no type `%s`", s)
	return ""
}

// outputs reads `name: value` entries, or the list form with declared types.
func (r *reader) outputs(k document.Key) []OutputDecl {
	plain := expr.Logic
	if r.Lenient() {
		plain = expr.Literal
	}
	if document.IsNull(k.Value) {
		return nil
	}
	if k.Value.Kind != yaml.SequenceNode {
		o, ok := r.Object(k.Value, "`outputs`")
		if !ok {
			return nil
		}
		out := make([]OutputDecl, 0, len(o.Keys))
		for _, e := range o.Keys {
			out = append(out, OutputDecl{Key: e, Name: e.Name, Value: r.Tree(e.Value, plain)})
		}
		return out
	}
	var out []OutputDecl
	seen := map[string]int{}
	for _, n := range k.Value.Content {
		o, ok := r.Object(n, "an output")
		if !ok {
			continue
		}
		d := OutputDecl{Type: contract.Any}
		r.Each(&o, outputKeys, "an output", func(k document.Key) {
			switch k.Name {
			case "name":
				d.Name, d.Key = r.Fixed(k), k
			case "type":
				d.Type = r.typ(k, true)
			case "description":
				d.Description = r.Str(k)
			case "value":
				d.Value = r.Tree(k.Value, plain)
			case "sensitive":
				d.Sensitive = r.Bool(k)
			}
		})
		d.Object = o
		if !r.Must(&o, "name", "an output") {
			continue
		}
		if line, twice := seen[d.Name]; twice {
			r.Doubt(document.RuleTwice, d.Node, "rename one of them", "an output called `%s` is declared in line %d already", d.Name, line)
			continue
		}
		seen[d.Name] = o.Node.Line
		out = append(out, d)
	}
	return out
}
