package schema

import (
	"strings"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/program"
)

// using adds to a map with `uses` and `with` what each action takes.
func (m *maker) using(o object) object {
	props := properties(o)
	if _, ok := props["uses"]; ok {
		props["uses"] = described(m.def("uses", m.uses), "The action, verb or module.")
	}
	o["allOf"] = []any{m.def("inputs", m.inputs)}
	return o
}

// uses is one of the known names, or any other: modules are known only in their repository.
func (m *maker) uses() object {
	var known []any
	for _, name := range m.catalog.Names() {
		spec, _ := m.catalog.Spec(name)
		known = append(known, object{"const": name, "description": spec.Summary})
	}
	return object{"anyOf": append(known, object{"type": "string"})}
}

// inputs chooses the shape of `with` by `uses`.
func (m *maker) inputs() object {
	var cases []any
	for _, name := range m.catalog.Names() {
		spec, ok := m.catalog.Spec(name)
		if !ok {
			continue
		}
		then := object{"properties": object{"with": m.with(spec)}}
		if m.needsWith(spec) {
			then["required"] = []any{"with"}
		}
		cases = append(cases, object{
			"if":   object{"properties": object{"uses": object{"const": name}}, "required": []any{"uses"}},
			"then": then,
		})
	}
	return object{"allOf": cases}
}

func (m *maker) needsWith(spec contract.Spec) bool {
	if m.lenient() {
		return false
	}
	if spec.Verb {
		return true // every one has something that it cannot do without
	}
	for _, f := range spec.Inputs {
		if f.Required && f.Default == nil {
			return true
		}
	}
	return false
}

// with is the inputs of an action, or of a verb as the language reads it.
func (m *maker) with(spec contract.Spec) object {
	name := "with-" + strings.ReplaceAll(spec.Name, "/", "-")
	if spec.Verb {
		return m.def(name, func() object { return m.verb(program.Kind(spec.Name)) })
	}
	return m.def(name, func() object { return m.fields(spec.Inputs, true) })
}

func (m *maker) verb(k program.Kind) object {
	t := playbook.VerbTable(k)
	switch k {
	case program.KindApprove, program.KindAsk, program.KindFail:
		return m.table(t, "message")
	case program.KindAssert:
		return m.table(t, "that")
	case program.KindWait:
		o := m.table(t)
		if !m.lenient() {
			o["oneOf"] = heads("duration", "at", "until", "for")
		}
		return o
	case program.KindManual:
		o := m.table(t)
		if !m.lenient() {
			o["anyOf"] = heads("title", "instructions")
		}
		return o
	case program.KindCall:
		o := m.table(t)
		if !m.lenient() {
			o["oneOf"] = heads("name", "path")
		}
		return o
	default:
		return m.table(t)
	}
}

// fields is a map with declared fields. null is as if the key were not written.
func (m *maker) fields(fields []contract.Field, top bool) object {
	props := object{}
	var required []any
	for i := range fields {
		f := &fields[i]
		props[f.Name] = m.field(f)
		if f.Required && f.Default == nil {
			required = append(required, f.Name)
		}
	}
	o := object{"type": []any{"object", "null"}, "properties": props}
	if m.lenient() {
		return o
	}
	o["additionalProperties"] = false
	if len(required) > 0 {
		o["required"] = required
		if top {
			o["type"] = "object"
		}
	}
	return o
}

// field is one input. A template may stand for a value of any type, and texts are read as people write them.
func (m *maker) field(f *contract.Field) object {
	o := described(m.value(f), f.Description)
	if f.Default != nil {
		o["default"] = f.Default
	}
	return o
}

func (m *maker) value(f *contract.Field) object {
	if len(f.Enum) > 0 {
		return anyOf(object{"enum": append(append([]any{}, f.Enum...), nil)}, object{"type": "string", "pattern": templatePattern})
	}
	if m.lenient() {
		return object{}
	}
	switch f.Type {
	case contract.Number:
		return types("number", "string", "null")
	case contract.Boolean:
		return types("boolean", "string", "null")
	case contract.List:
		o := types("array", "string", "null")
		if f.Items != nil {
			o["items"] = m.value(f.Items)
		}
		return o
	case contract.Map:
		if len(f.Fields) == 0 {
			return types("object", "string", "null")
		}
		return anyOf(types("string", "null"), m.fields(f.Fields, false))
	case contract.Any, "":
		return object{}
	default:
		return scalar()
	}
}
