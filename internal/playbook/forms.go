package playbook

import (
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/program"
)

// The forms of the maps of playbooks and modules.
const (
	FormLoop     document.Form = "loop" // CEL that gives a list or map, a template, a list, a map; older dialect: a path
	FormParam    document.Form = "parameter"
	FormParams   document.Form = "parameter[]"
	FormOutput   document.Form = "output"
	FormOutputs  document.Form = "output[]" // or a map of name and value
	FormStep     document.Form = "step"
	FormSteps    document.Form = "step[]"
	FormField    document.Form = "field"
	FormFields   document.Form = "field[]" // a form
	FormForeach  document.Form = "foreach"
	FormLock     document.Form = "lock"
	FormRange    document.Form = "range"
	FormRetry    document.Form = "retry"
	FormCheck    document.Form = "check"
	FormWait     document.Form = "wait-until"
	FormStop     document.Form = "stopWhen"
	FormUndo     document.Form = "undo"
	FormDoubt    document.Form = "onDoubt"
	FormApproval document.Form = "approval"
	FormTaskLink document.Form = "task-link"

	FormTaskLinks   document.Form = "task-link[]"
	FormEscalation  document.Form = "escalation"
	FormEscalations document.Form = "escalation[]"
	FormBody        document.Form = "run"
	FormEnvFrom     document.Form = "envFrom"
	FormParser      document.Form = "output_parser"
	FormOffer       document.Form = "offer"
)

// VerbTable gives the keys of `with` of one of the language's own commands; nil for everything else.
func VerbTable(k program.Kind) document.Table {
	switch k {
	case program.KindWait:
		return waitKeys
	case program.KindApprove:
		return approvalKeys
	case program.KindAsk:
		return askKeys
	case program.KindManual:
		return manualKeys
	case program.KindCall:
		return callKeys
	case program.KindAssert:
		return assertKeys
	case program.KindFail:
		return failKeys
	default:
		return nil
	}
}

// StepTables gives the keys of a step that uses something, and of a block; FormStep has them all.
func StepTables() (action, block document.Table) { return actionKeys, blockKeys }

// Forms gives the keys of a map of playbooks and modules; nil for forms of others, and where the author's keys are free.
func Forms(f document.Form, d expr.Dialect) document.Table {
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
	case FormEscalation:
		return escalationKeys
	case FormTaskLink:
		return taskLinkKeys
	case FormOffer:
		return offerKeys
	case FormBody:
		return bodyKeys
	case FormEnvFrom:
		return envFromKeys
	case FormParser:
		return parserKeys
	default:
		return nil
	}
}
