package playbook

// form is the shape of a key's value. The reader, the formatter's order and the JSON Schema all follow these tables.
type form string

const (
	formText      form = "text"      // a text as it stands
	formName      form = "name"      // an id
	formTemplate  form = "template"  // a text with templates
	formTemplates form = "templates" // a text or a list of texts with templates
	formLogic     form = "logic"     // CEL, or a template that gives true or false
	formLoop      form = "loop"      // CEL that gives a list or map, a template, a list, a map; older dialect: a path
	formData      form = "data"      // anything, with templates in its texts
	formMap       form = "map"       // a map of data
	formList      form = "list"      // a list of data
	formBool      form = "bool"
	formNumber    form = "number"
	formCount     form = "count" // a whole number
	formDuration  form = "duration"
	formTexts     form = "texts"  // a text or a list of texts
	formLabels    form = "labels" // a map of texts
	formLinks     form = "links"
	formEffect    form = "effect"
	formType      form = "type"
	formPlain     form = "plain" // data without templates
	formMetadata  form = "metadata"
	formParams    form = "parameters"
	formOutputs   form = "outputs"
	formSteps     form = "steps"
	formForeach   form = "foreach"
	formLock      form = "lock"
	formRetry     form = "retry"
	formCheck     form = "check"
	formStop      form = "stopWhen"
	formUndo      form = "undo"
	formDoubt     form = "onDoubt"
	formApproval  form = "approval"
	formBody      form = "run"
	formSelect    form = "select"
	formCooldown  form = "cooldown"
	formRange     form = "range"
	formStep      form = "step"
	formParam     form = "parameter"
	formOutput    form = "output"
	formField     form = "field"
	formLink      form = "link"
	formScenario  form = "scenario"
	formEnvFrom   form = "envFrom"
	formParser    form = "output_parser"
	formScenarios form = "scenarios"
	formFields    form = "form"
	formWait      form = "wait-until"
)

// keyDef is one key that a mapping may have.
type keyDef struct {
	name string
	form form
	doc  string
}

// keys is the table of a mapping, in the canonical order.
type keys []keyDef

func (ks keys) names() []string {
	out := make([]string, len(ks))
	for i, k := range ks {
		out[i] = k.name
	}
	return out
}

func (ks keys) has(name string) bool {
	for i := range ks {
		if ks[i].name == name {
			return true
		}
	}
	return false
}

// join gives one table out of several, without repeats.
func join(tables ...keys) keys {
	var out keys
	for _, t := range tables {
		for _, k := range t {
			if !out.has(k.name) {
				out = append(out, k)
			}
		}
	}
	return out
}

var (
	documentKeys = keys{
		{"apiVersion", formText, "The dialect: tend/v1, or stackpulse.io/v1."},
		{"kind", formText, "What the document declares: Playbook, Step, Guard, Trigger or Integration."},
		{"metadata", formMetadata, "Name, description and the like, for people."},
	}

	playbookKeys = join(documentKeys, keys{
		{"parameters", formParams, "What a run of the playbook is given."},
		{"timeout", formDuration, "The longest time that a run may take."},
		{"steps", formSteps, "What is done, in order."},
		{"catch", formSteps, "What is done when the steps failed and their undo is over."},
		{"finally", formSteps, "What is done at the end, however the run ended."},
		{"outputs", formOutputs, "What the run gives: name and value, or a list with declared types."},
		{"artifacts", formTexts, "Globs of files that are kept."},
	})

	moduleKeys = join(documentKeys, keys{
		{"inputs", formParams, "What a caller gives in `with`."},
		{"effect", formEffect, "What the module does to the world: read, idempotent or mutate."},
		{"irreversible", formBool, "Its effect cannot be undone."},
		{"target", formTemplates, "What its effect is on, over the inputs."},
		{"run", formBody, "The one action that the module is."},
		{"timeout", formDuration, "The longest time that a call may take."},
		{"steps", formSteps, "The steps that the module is made of, in place of `run`."},
		{"catch", formSteps, "What is done when the steps failed."},
		{"finally", formSteps, "What is done at the end of the steps."},
		{"outputs", formOutputs, "What the module gives."},
	})

	guardKeys = join(documentKeys, keys{
		{"select", formSelect, "Which effects the guard is about."},
		{"cooldown", formCooldown, "Leave a target alone for a time after an effect on it."},
		{"then", formText, "hold: wait until it may (default). deny: fail the step."},
		{"spec", formPlain, "The same keys one level deeper."},
	})
	guardSpecKeys = keys{
		{"select", formSelect, "Which effects the guard is about."},
		{"cooldown", formCooldown, "Leave a target alone for a time after an effect on it."},
		{"then", formText, "hold: wait until it may (default). deny: fail the step."},
	}
	selectKeys = keys{
		{"playbooks", formTexts, "Globs of the names of playbooks."},
		{"labels", formLabels, "Labels that the playbook must have."},
		{"actions", formTexts, "Globs of the names of actions."},
		{"effects", formTexts, "Effects; without it mutate."},
		{"targets", formTexts, "Globs of targets."},
	}
	cooldownKeys = keys{
		{"every", formDuration, "How long a target is left alone."},
		{"per", formText, "target"},
	}

	triggerKeys = join(documentKeys, keys{
		{"enabled", formBool, "false: the trigger does nothing."},
		{"playbook", formText, "The playbook to run; empty is the one in the same folder."},
		{"scenarios", formScenarios, "When it fires."},
	})
	scenarioKeys = keys{
		{"name", formText, "The name of the scenario."},
		{"enabled", formBool, "false: the scenario does nothing."},
		{"integration", formText, "Where the events come from."},
		{"when", formLogic, "Which events fire, over the fields of the event."},
		{"parameters", formMap, "The parameters of the run."},
	}

	integrationKeys = join(documentKeys, keys{
		{"type", formText, "What it connects to."},
		{"config", formPlain, "How; secrets by their names."},
	})

	metadataKeys = keys{
		{"name", formText, "The name by which it is called."},
		{"description", formText, "What it is for, in a sentence."},
		{"version", formText, "Its version."},
		{"owner", formText, "The team that answers for it."},
		{"labels", formLabels, "Labels, for guards and lists."},
		{"links", formLinks, "Addresses worth knowing: run books, dashboards."},
	}
	linkKeys = keys{
		{"title", formText, "What is there."},
		{"url", formText, "The address."},
	}

	parameterKeys = keys{
		{"name", formText, "The name."},
		{"type", formType, "string, number, boolean, list, map, secret or integration."},
		{"required", formBool, "false: it may be left out without a default."},
		{"default", formData, "The value when none is given; templates over event and metadata."},
		{"enum", formPlain, "The only values that are allowed."},
		{"pattern", formText, "A regular expression that the whole text must match."},
		{"options", formPlain, "Hints for forms, such as integration_type."},
		{"sensitive", formBool, "Masked everywhere and not exported."},
		{"description", formText, "What it means."},
	}
	outputKeys = keys{
		{"name", formText, "The name."},
		{"type", formType, "The type."},
		{"value", formLogic, "The value: CEL, or a template, or data."},
		{"sensitive", formBool, "Masked everywhere and not exported."},
		{"description", formText, "What it means."},
	}

	commonKeys = keys{
		{"id", formName, "The name of its data: steps.<id>."},
		{"name", formText, "A title for people."},
		{"description", formText, "What it is for."},
		{"when", formLogic, "It is skipped unless this holds."},
	}
	// actionKeys are those of a step that uses something.
	actionKeys = join(commonKeys, keys{
		{"uses", formText, "The action, verb or module."},
		{"effect", formEffect, "What it does to the world: read, idempotent or mutate."},
		{"irreversible", formBool, "Its effect cannot be undone."},
		{"runner", formTemplate, "Where it executes; empty or local is here."},
		{"integration", formTemplate, "The named connection that it uses."},
		{"env", formMap, "The environment of the process."},
		{"args", formList, "The arguments of the program."},
		{"with", formMap, "Its inputs."},
		{"target", formTemplates, "What its effect is on, in place of what the action says."},
		{"approval", formApproval, "Ask people before the effect."},
		{"retry", formRetry, "Repeat attempts that failed or did not start."},
		{"timeout", formDuration, "The longest time of an attempt."},
		{"onDoubt", formDoubt, "What to do when nobody knows how it ended: retry, ask, fail or a probe."},
		{"verify", formCheck, "Look whether the effect shows."},
		{"undo", formUndo, "How to restore what it did."},
		{"ignoreFailure", formBool, "Go on when it failed."},
		{"artifacts", formTexts, "Globs of files that are kept."},
	})
	blockKeys = join(commonKeys, keys{
		{"approval", formApproval, "Ask people before the first effect."},
		{"timeout", formDuration, "The longest time of the block."},
		{"stopWhen", formStop, "Stop the block when this holds; unreadable is stop."},
		{"steps", formSteps, "A group of steps."},
		{"foreach", formForeach, "A loop."},
		{"parallel", formSteps, "Branches that run at the same time."},
		{"lock", formLock, "Steps that run only while a lock is held."},
		{"catch", formSteps, "What is done when a step of the block failed."},
		{"finally", formSteps, "What is done at the end of the block, however it ended."},
		{"ignoreFailure", formBool, "Go on when it failed."},
	})
	stepKeys = join(actionKeys, blockKeys)

	// legacyKeys are those that only the older dialect has.
	legacyKeys = keys{
		{"envFrom", formEnvFrom, "The integration that the step uses."},
		{"output_parser", formParser, "How its output is read."},
	}
	// legacyStepKeys are in the order that documents of the older dialect have.
	legacyStepKeys = join(keys{
		{"name", formText, "The step: a module, an alias, a program or an image; beside uses a title."},
		{"id", formName, "The name of its data."},
		{"description", formText, "What it is for."},
		{"when", formLogic, "It is skipped unless this holds."},
		{"uses", formText, "An action, verb or module of tend, in place of name."},
		{"runner", formTemplate, "Where it executes."},
		{"args", formList, "The arguments of the program."},
		{"env", formMap, "Its inputs."},
	}, legacyKeys, actionKeys)
	legacyNodeKeys      = join(legacyStepKeys, blockKeys)
	legacyParameterKeys = join(keys{
		{"name", formText, "The name."},
		{"type", formType, "string, number, boolean, list, map, secret, integration, var or spd."},
		{"description", formText, "What it means."},
	}, parameterKeys)
	envFromKeys = keys{{"integrationRef", formTemplate, "The name of the integration."}}
	parserKeys  = keys{{"name", formText, "The parser."}, {"env", formPlain, "Its settings."}}

	retryKeys = keys{
		{"attempts", formCount, "How often in all, the first included."},
		{"backoff", formDuration, "The time before the second attempt."},
		{"factor", formNumber, "How much longer each pause is than the one before."},
		{"exponential", formBool, "A factor of 2."},
		{"cap", formDuration, "The longest pause."},
		{"jitter", formNumber, "The share of a pause that is spread, from 0 to 1."},
		{"on", formTexts, "Only for these kinds of fault."},
	}
	foreachKeys = keys{
		{"in", formLoop, "The list or map."},
		{"range", formRange, "[from, to] with the end excluded, in place of `in`."},
		{"key", formName, "The name of the key or index inside."},
		{"value", formName, "The name of the value inside."},
		{"when", formLogic, "Iterations are skipped unless this holds."},
		{"break", formLogic, "Ends the loop when it holds after an iteration."},
		{"parallel", formCount, "How many iterations at the same time."},
		{"steps", formSteps, "What is done in each iteration."},
	}
	lockKeys = keys{
		{"key", formTemplate, "What is locked."},
		{"steps", formSteps, "What is done while the lock is held."},
	}
	// innerKeys are those of an action inside of verify, undo and the like.
	innerKeys = keys{
		{"name", formText, "A title for people."},
		{"uses", formText, "The action or module."},
		{"effect", formEffect, "What it does to the world."},
		{"runner", formTemplate, "Where it executes."},
		{"integration", formTemplate, "The named connection that it uses."},
		{"env", formMap, "The environment of the process."},
		{"args", formList, "The arguments of the program."},
		{"with", formMap, "Its inputs."},
		{"target", formTemplates, "What its effect is on."},
		{"timeout", formDuration, "The longest time of an attempt."},
	}
	checkKeys = join(innerKeys, keys{
		{"until", formLogic, "What must hold, over `result` and the data of the run."},
		{"within", formDuration, "How long to keep trying; without it once."},
		{"every", formDuration, "The pause between tries."},
	})
	stopKeys = join(innerKeys, keys{
		{"if", formLogic, "What stops the block, over `result` and the data of the run."},
		{"every", formDuration, "The pause between looks."},
	})
	undoKeys = join(keys{{"none", formText, "Why there is nothing to restore."}}, innerKeys, keys{
		{"irreversible", formBool, "Its effect cannot be undone."},
		{"retry", formRetry, "Repeat attempts that failed or did not start."},
		{"onDoubt", formDoubt, "What to do when nobody knows how it ended."},
	})
	doubtKeys    = keys{{"probe", formCheck, "A step that finds out; `until` holds when the effect is there."}}
	approvalKeys = keys{
		{"message", formTemplate, "What is asked."},
		{"from", formTexts, "Users or groups that may answer; without it anybody who may approve."},
		{"count", formCount, "How many different people must agree."},
		{"notRequester", formBool, "Whoever started the run does not count."},
		{"within", formDuration, "How long to wait; no answer is no."},
	}
	bodyKeys = join(innerKeys, keys{
		{"irreversible", formBool, "Its effect cannot be undone."},
		{"artifacts", formTexts, "Globs of files that are kept."},
	})

	// The verbs' `with`.
	waitKeys = keys{
		{"duration", formTemplate, "How long."},
		{"at", formTemplate, "Until this point in time, as RFC 3339."},
		{"until", formWait, "Until this holds: a condition, or a step with `until`."},
		{"for", formTemplate, "Until an event of this name comes in."},
		{"key", formTemplate, "The correlation key of the event."},
		{"within", formDuration, "The longest time to wait for `until` and `for`."},
		{"every", formDuration, "The pause between looks at `until`."},
	}
	askKeys = keys{
		{"message", formTemplate, "What is asked."},
		{"title", formTemplate, "A line above it."},
		{"form", formFields, "The fields of the answer."},
		{"choices", formData, "A list to choose from, in place of a form."},
		{"selector", formText, "single or multi: how many of the choices may be chosen."},
		{"default", formTemplate, "The answer when nobody answers in time. Think twice."},
		{"from", formTexts, "Users or groups that may answer."},
		{"within", formDuration, "How long to wait."},
	}
	fieldKeys = keys{
		{"name", formText, "The name of the field."},
		{"type", formType, "Its type."},
		{"required", formBool, "Must be filled in."},
		{"default", formPlain, "What stands there at first."},
		{"enum", formPlain, "The only values that are allowed."},
		{"sensitive", formBool, "Masked everywhere and not exported."},
		{"description", formText, "What it means."},
	}
	manualKeys = keys{
		{"title", formTemplate, "What is to be done, in a line."},
		{"instructions", formTemplate, "How."},
		{"from", formTexts, "Users or groups that may say it is done."},
		{"within", formDuration, "How long to wait."},
	}
	callKeys = keys{
		{"name", formText, "The playbook's name."},
		{"path", formText, "The playbook's file, relative to this one, in place of the name."},
		{"params", formMap, "Its parameters."},
		{"detach", formBool, "Do not wait for its end."},
	}
	assertKeys = keys{
		{"that", formLogic, "What must hold."},
		{"message", formTemplate, "What to say when it does not."},
	}
	failKeys = keys{{"message", formTemplate, "What to say."}}
)

// element is the form of the items of a list.
func (f form) element() form {
	switch f {
	case formSteps:
		return formStep
	case formParams:
		return formParam
	case formOutputs:
		return formOutput
	case formFields:
		return formField
	case formLinks:
		return formLink
	case formScenarios:
		return formScenario
	default:
		return formPlain
	}
}

// table gives the keys of a map of this form; nil where the author's keys are free.
func (f form) table(lenient bool) keys {
	switch f {
	case formStep:
		if lenient {
			return legacyNodeKeys
		}
		return stepKeys
	case formParam:
		if lenient {
			return legacyParameterKeys
		}
		return parameterKeys
	case formOutput:
		return outputKeys
	case formField:
		return fieldKeys
	case formLink:
		return linkKeys
	case formScenario:
		return scenarioKeys
	case formMetadata:
		return metadataKeys
	case formForeach:
		return foreachKeys
	case formLock:
		return lockKeys
	case formRetry:
		return retryKeys
	case formCheck, formWait:
		return checkKeys
	case formStop:
		return stopKeys
	case formUndo:
		return undoKeys
	case formDoubt:
		return doubtKeys
	case formApproval:
		return approvalKeys
	case formBody:
		return bodyKeys
	case formSelect:
		return selectKeys
	case formCooldown:
		return cooldownKeys
	case formEnvFrom:
		return envFromKeys
	case formParser:
		return parserKeys
	default:
		return nil
	}
}

// documentTable gives the keys of a document of a kind.
func documentTable(k DocKind) keys {
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
