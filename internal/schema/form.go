package schema

import (
	"github.com/tendhq/tend/internal/playbook"
)

// The patterns of texts.
const (
	idPattern       = `^[a-z][a-z0-9_]*$`
	templatePattern = `\{\{`
	durationPattern = `^\s*(0|(([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h|d|w))+)\s*$`
)

func types(names ...any) object { return object{"type": names} }

// scalar is what stands for a text: YAML reads 1 and true as something else, and tend reads them as they are written.
func scalar() object { return types("string", "number", "boolean", "null") }

func anyOf(parts ...any) object { return object{"anyOf": parts} }

func listOf(item object) object { return object{"type": []any{"array", "null"}, "items": item} }

// form is what a key of the form takes.
func (m *maker) form(f playbook.Form) object {
	switch f {
	case playbook.FormText, playbook.FormTemplate:
		return scalar()
	case playbook.FormName:
		if m.lenient() {
			return scalar()
		}
		return object{"type": "string", "pattern": idPattern}
	case playbook.FormLogic:
		return m.logic()
	case playbook.FormTemplates, playbook.FormTexts:
		return anyOf(scalar(), object{"type": "array", "items": scalar()})
	case playbook.FormLoop:
		return types("string", "array", "object")
	case playbook.FormData, playbook.FormPlain:
		return object{}
	case playbook.FormMap:
		return types("object", "null")
	case playbook.FormList:
		if m.lenient() {
			return object{}
		}
		return types("array", "null")
	case playbook.FormBool:
		if m.lenient() {
			return scalar()
		}
		return types("boolean")
	case playbook.FormNumber:
		return types("number")
	case playbook.FormCount:
		if m.lenient() {
			return types("integer", "string")
		}
		return types("integer")
	case playbook.FormDuration:
		return m.def("duration", m.duration)
	case playbook.FormLabels:
		return object{"type": []any{"object", "null"}, "additionalProperties": scalar()}
	case playbook.FormEffect:
		return object{"enum": []any{string(playbook.Read), string(playbook.Idempotent), string(playbook.Mutate), nil}}
	case playbook.FormType:
		if m.lenient() {
			return scalar()
		}
		return object{"enum": []any{"string", "number", "boolean", "list", "map", "secret", "integration", "any", nil}}
	case playbook.FormSteps, playbook.FormParams, playbook.FormFields, playbook.FormScenarios:
		return listOf(m.form(f.Item()))
	case playbook.FormLinks:
		return listOf(anyOf(scalar(), m.form(f.Item())))
	case playbook.FormOutputs:
		return anyOf(types("object", "null"), object{"type": "array", "items": m.form(f.Item())})
	default:
		return m.def(string(f), func() object { return m.structure(f) })
	}
}

func (m *maker) logic() object {
	if m.lenient() {
		return scalar()
	}
	return types("string", "boolean", "null")
}

func (m *maker) duration() object {
	o := object{"description": "A duration such as 30s, 5m, 1h30m or 2d."}
	if m.lenient() {
		o["type"] = []any{"string", "integer", "null"}
		return o
	}
	o["anyOf"] = []any{object{"type": "string", "pattern": durationPattern}, object{"enum": []any{0, nil}}}
	return o
}

// structure is a map with keys of its own, and the short forms that some have.
func (m *maker) structure(f playbook.Form) object {
	t := f.Table(m.dialect)
	switch f {
	case playbook.FormStep:
		return m.step()
	case playbook.FormParam:
		return m.parameter(t)
	case playbook.FormOutput, playbook.FormField:
		return m.table(t, "name")
	case playbook.FormLink:
		return m.table(t, "url")
	case playbook.FormForeach:
		o := m.table(t, "steps")
		if !m.lenient() {
			o["oneOf"] = []any{object{"required": []any{"in"}}, object{"required": []any{"range"}}}
		}
		return o
	case playbook.FormRange:
		return object{"type": "array", "items": types("integer", "string"), "minItems": 2, "maxItems": 2}
	case playbook.FormLock:
		return m.table(t, "key", "steps")
	case playbook.FormRetry:
		return anyOf(object{"type": "integer", "minimum": 1}, m.table(t, "attempts"))
	case playbook.FormDoubt:
		return anyOf(object{"enum": []any{"retry", "ask", "fail", nil}}, m.table(t, "probe"))
	case playbook.FormApproval:
		return anyOf(scalar(), m.table(t))
	case playbook.FormCheck:
		return m.using(m.table(t, "until"))
	case playbook.FormWait:
		return anyOf(m.logic(), m.using(m.table(t, "until")))
	case playbook.FormStop:
		return anyOf(m.logic(), m.using(m.table(t, "if")))
	case playbook.FormUndo:
		return m.using(m.table(t))
	case playbook.FormBody:
		return m.body(t)
	case playbook.FormCooldown:
		return m.table(t, "every")
	case playbook.FormEnvFrom, playbook.FormParser:
		return anyOf(scalar(), m.table(t))
	default:
		return m.table(t)
	}
}

func (m *maker) parameter(t playbook.Table) object {
	o := m.table(t, "name", "type")
	props := properties(o)
	if !m.lenient() {
		props["type"] = described(object{"enum": []any{"string", "number", "boolean", "list", "map", "secret", "integration"}}, "What it takes.")
		props["name"] = described(object{"type": "string", "pattern": `^[A-Za-z_][A-Za-z0-9_-]*$`}, "The name.")
		props["enum"] = described(object{"type": "array", "minItems": 1}, "The only values that are allowed.")
	}
	return o
}

// step is a step that uses something, or a block.
func (m *maker) step() object {
	if m.lenient() {
		o := m.table(playbook.FormStep.Table(m.dialect))
		o["anyOf"] = heads("name", "uses", "steps", "foreach", "parallel", "lock")
		return m.using(o)
	}
	action, block := playbook.StepTables()
	return object{
		"if":   object{"required": []any{"uses"}},
		"then": m.def("action", func() object { return m.using(m.table(action, "uses")) }),
		"else": m.def("block", func() object {
			o := m.table(block)
			o["oneOf"] = heads("steps", "foreach", "parallel", "lock")
			return o
		}),
	}
}

func heads(names ...string) []any {
	out := make([]any, len(names))
	for i, n := range names {
		out[i] = object{"required": []any{n}}
	}
	return out
}

// body is a module's run: {uses: …}, or one key that names the action and holds its inputs.
func (m *maker) body(t playbook.Table) object {
	o := m.using(m.table(t))
	for _, name := range m.catalog.Names() {
		spec, ok := m.catalog.Spec(name)
		if !ok || spec.Verb {
			continue
		}
		properties(o)[name] = described(m.with(spec), spec.Summary)
	}
	delete(o, "additionalProperties") // the one key may be a module's name
	return o
}
