package playbook

import "github.com/tendhq/tend/internal/expr"

// Form is the shape of a key's value. The reader, the formatter and the JSON Schema all follow the tables of keys.go.
type Form string

// The forms.
const (
	FormText      Form = "text"      // a text as it stands
	FormName      Form = "name"      // an id
	FormTemplate  Form = "template"  // a text with templates
	FormTemplates Form = "templates" // a text or a list of texts with templates
	FormLogic     Form = "logic"     // CEL, or a template that gives true or false
	FormLoop      Form = "loop"      // CEL that gives a list or map, a template, a list, a map; older dialect: a path
	FormData      Form = "data"      // anything, with templates in its texts
	FormMap       Form = "map"       // a map of data
	FormList      Form = "list"      // a list of data
	FormBool      Form = "bool"
	FormNumber    Form = "number"
	FormCount     Form = "count" // a whole number
	FormDuration  Form = "duration"
	FormTexts     Form = "texts"  // a text or a list of texts
	FormLabels    Form = "labels" // a map of texts
	FormLinks     Form = "links"
	FormEffect    Form = "effect"
	FormType      Form = "type"
	FormPlain     Form = "plain" // data without templates
	FormMetadata  Form = "metadata"
	FormParams    Form = "parameters"
	FormOutputs   Form = "outputs"
	FormSteps     Form = "steps"
	FormForeach   Form = "foreach"
	FormLock      Form = "lock"
	FormRetry     Form = "retry"
	FormCheck     Form = "check"
	FormStop      Form = "stopWhen"
	FormUndo      Form = "undo"
	FormDoubt     Form = "onDoubt"
	FormApproval  Form = "approval"
	FormBody      Form = "run"
	FormSelect    Form = "select"
	FormCooldown  Form = "cooldown"
	FormRange     Form = "range"
	FormStep      Form = "step"
	FormParam     Form = "parameter"
	FormOutput    Form = "output"
	FormField     Form = "field"
	FormLink      Form = "link"
	FormScenario  Form = "scenario"
	FormEnvFrom   Form = "envFrom"
	FormParser    Form = "output_parser"
	FormScenarios Form = "scenarios"
	FormFields    Form = "form"
	FormWait      Form = "wait-until"
)

// KeyDef is one key that a map may have.
type KeyDef struct {
	Name string
	Form Form
	Doc  string // one line
}

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

func (t Table) has(name string) bool { return t.Index(name) >= 0 }

// join gives one table out of several, without repeats.
func join(tables ...Table) Table {
	var out Table
	for _, t := range tables {
		for _, k := range t {
			if !out.has(k.Name) {
				out = append(out, k)
			}
		}
	}
	return out
}

// DocumentTable gives the keys of a kind of document; nil for unknown kinds.
func DocumentTable(k DocKind) Table {
	switch k {
	case DocPlaybook:
		return playbookKeys
	case DocModule:
		return moduleKeys
	case DocGuard:
		return guardKeys
	case DocTrigger:
		return triggerKeys
	case DocIntegration:
		return integrationKeys
	default:
		return nil
	}
}

// VerbTable gives the keys of `with` of one of the language's own commands; nil for everything else.
func VerbTable(k NodeKind) Table {
	switch k {
	case KindWait:
		return waitKeys
	case KindApprove:
		return approvalKeys
	case KindAsk:
		return askKeys
	case KindManual:
		return manualKeys
	case KindCall:
		return callKeys
	case KindAssert:
		return assertKeys
	case KindFail:
		return failKeys
	default:
		return nil
	}
}

// StepTables gives the keys of a step that uses something, and of a block; FormStep has them all.
func StepTables() (action, block Table) { return actionKeys, blockKeys }

// Item is the form of the items of a list of this form.
func (f Form) Item() Form {
	switch f {
	case FormSteps:
		return FormStep
	case FormParams:
		return FormParam
	case FormOutputs:
		return FormOutput
	case FormFields:
		return FormField
	case FormLinks:
		return FormLink
	case FormScenarios:
		return FormScenario
	default:
		return FormPlain
	}
}

// Table gives the keys of a map of this form; nil where the author's keys are free.
func (f Form) Table(d expr.Dialect) Table {
	lenient := d == expr.Lenient
	switch f {
	case FormStep:
		if lenient {
			return legacyNodeKeys
		}
		return stepKeys
	case FormParam:
		if lenient {
			return legacyParameterKeys
		}
		return parameterKeys
	case FormOutput:
		return outputKeys
	case FormField:
		return fieldKeys
	case FormLink:
		return linkKeys
	case FormScenario:
		return scenarioKeys
	case FormMetadata:
		return metadataKeys
	case FormForeach:
		return foreachKeys
	case FormLock:
		return lockKeys
	case FormRetry:
		return retryKeys
	case FormCheck, FormWait:
		return checkKeys
	case FormStop:
		return stopKeys
	case FormUndo:
		return undoKeys
	case FormDoubt:
		return doubtKeys
	case FormApproval:
		return approvalKeys
	case FormBody:
		return bodyKeys
	case FormSelect:
		return selectKeys
	case FormCooldown:
		return cooldownKeys
	case FormEnvFrom:
		return envFromKeys
	case FormParser:
		return parserKeys
	default:
		return nil
	}
}
