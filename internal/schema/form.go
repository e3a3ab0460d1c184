package schema

import (
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/language"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/trigger"
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
func (m *maker) form(f document.Form) object {
	switch f {
	case document.FormText, document.FormTemplate:
		return scalar()
	case document.FormName:
		if m.lenient() {
			return scalar()
		}
		return object{"type": "string", "pattern": idPattern}
	case document.FormLogic:
		return m.logic()
	case document.FormTemplates, document.FormTexts:
		return anyOf(scalar(), object{"type": "array", "items": scalar()})
	case playbook.FormLoop:
		return types("string", "array", "object")
	case document.FormData, document.FormPlain:
		return object{}
	case document.FormMap:
		return types("object", "null")
	case document.FormList:
		if m.lenient() {
			return object{}
		}
		return types("array", "null")
	case document.FormBool:
		if m.lenient() {
			return scalar()
		}
		return types("boolean")
	case document.FormNumber:
		return types("number")
	case document.FormCount:
		if m.lenient() {
			return types("integer", "string")
		}
		return types("integer")
	case document.FormDuration:
		return m.def("duration", m.duration)
	case document.FormLabels:
		return object{"type": []any{"object", "null"}, "additionalProperties": scalar()}
	case document.FormEffect:
		return object{"enum": []any{string(contract.Read), string(contract.Idempotent), string(contract.Mutate), nil}}
	case document.FormType:
		if m.lenient() {
			return scalar()
		}
		return object{"enum": []any{"string", "number", "boolean", "list", "map", "secret", "integration", "any", nil}}
	case document.FormLinks:
		return listOf(anyOf(scalar(), m.form(f.Item())))
	case playbook.FormOutputs:
		return anyOf(types("object", "null"), object{"type": "array", "items": m.form(f.Item())})
	default:
		if item := f.Item(); item != document.FormPlain {
			return listOf(m.form(item))
		}
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
func (m *maker) structure(f document.Form) object {
	t := language.Table(f, m.dialect)
	switch f {
	case playbook.FormStep:
		return m.step()
	case playbook.FormParam:
		return m.parameter(t)
	case playbook.FormOutput, playbook.FormField:
		return m.table(t, "name")
	case document.FormLink:
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
	case playbook.FormEscalation:
		return m.table(t, "after", "to")
	case playbook.FormTaskLink:
		return m.table(t, "url")
	case playbook.FormOffer:
		return m.table(t, "to")
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
	case trigger.FormOn:
		o := m.table(t)
		enum(o, "status", "firing", "resolved", "vanished", "any")
		return o
	case trigger.FormConcurrency:
		o := m.table(t)
		enum(o, "then", trigger.Skip, trigger.Queue, trigger.Replace)
		return o
	case trigger.FormWake:
		return m.table(t, "event")
	case guard.FormCooldown, guard.FormRate, guard.FormSpread, guard.FormShare, guard.FormWindow, guard.FormBreaker, guard.FormChange, guard.FormConcurrency:
		return m.table(t, guard.Needs(f)...)
	case playbook.FormEnvFrom, playbook.FormParser:
		return anyOf(scalar(), m.table(t))
	default:
		return m.table(t)
	}
}

// enum says which words a key may have.
func enum(o object, key string, words ...any) {
	props := properties(o)
	if k, ok := props[key].(object); ok {
		props[key] = object{"enum": words, "description": k["description"]}
	}
}

func (m *maker) parameter(t document.Table) object {
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
		o := m.table(language.Table(playbook.FormStep, m.dialect))
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
func (m *maker) body(t document.Table) object {
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
