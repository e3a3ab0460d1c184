package playbook

// The keys of every map of the language, in the canonical order.
var (
	documentKeys = Table{
		{"apiVersion", FormText, "The dialect: tend/v1, or stackpulse.io/v1."},
		{"kind", FormText, "What the document declares: Playbook, Step, Guard, Trigger or Integration."},
		{"metadata", FormMetadata, "Name, description and the like, for people."},
	}

	playbookKeys = join(documentKeys, Table{
		{"parameters", FormParams, "What a run of the playbook is given."},
		{"timeout", FormDuration, "The longest time that a run may take."},
		{"steps", FormSteps, "What is done, in order."},
		{"catch", FormSteps, "What is done when the steps failed and their undo is over."},
		{"finally", FormSteps, "What is done at the end, however the run ended."},
		{"outputs", FormOutputs, "What the run gives: name and value, or a list with declared types."},
		{"artifacts", FormTexts, "Globs of files below $TEND_WORK that are kept."},
	})

	moduleKeys = join(documentKeys, Table{
		{"inputs", FormParams, "What a caller gives in `with`."},
		{"effect", FormEffect, "What the module does to the world: read, idempotent or mutate."},
		{"irreversible", FormBool, "Its effect cannot be undone."},
		{"target", FormTemplates, "What its effect is on, over the inputs."},
		{"run", FormBody, "The one action that the module is."},
		{"timeout", FormDuration, "The longest time that a call may take."},
		{"steps", FormSteps, "The steps that the module is made of, in place of `run`."},
		{"catch", FormSteps, "What is done when the steps failed."},
		{"finally", FormSteps, "What is done at the end of the steps."},
		{"outputs", FormOutputs, "What the module gives."},
	})

	guardKeys = join(documentKeys, Table{
		{"select", FormSelect, "Which effects the guard is about."},
		{"cooldown", FormCooldown, "Leave a target alone for a time after an effect on it."},
		{"then", FormText, "hold: wait until it may (default). deny: fail the step."},
		{"spec", FormPlain, "The same keys one level deeper."},
	})
	guardSpecKeys = Table{
		{"select", FormSelect, "Which effects the guard is about."},
		{"cooldown", FormCooldown, "Leave a target alone for a time after an effect on it."},
		{"then", FormText, "hold: wait until it may (default). deny: fail the step."},
	}
	selectKeys = Table{
		{"playbooks", FormTexts, "Globs of the names of playbooks."},
		{"labels", FormLabels, "Labels that the playbook must have."},
		{"actions", FormTexts, "Globs of the names of actions."},
		{"effects", FormTexts, "Effects; without it mutate."},
		{"targets", FormTexts, "Globs of targets."},
	}
	cooldownKeys = Table{
		{"every", FormDuration, "How long a target is left alone."},
		{"per", FormText, "target"},
	}

	triggerKeys = join(documentKeys, Table{
		{"enabled", FormBool, "false: the trigger does nothing."},
		{"playbook", FormText, "The playbook to run; empty is the one in the same folder."},
		{"scenarios", FormScenarios, "When it fires."},
	})
	scenarioKeys = Table{
		{"name", FormText, "The name of the scenario."},
		{"enabled", FormBool, "false: the scenario does nothing."},
		{"integration", FormText, "Where the events come from."},
		{"when", FormLogic, "Which events fire, over the fields of the event."},
		{"parameters", FormMap, "The parameters of the run."},
	}

	integrationKeys = join(documentKeys, Table{
		{"type", FormText, "What it connects to."},
		{"config", FormPlain, "How; secrets by their names."},
	})

	metadataKeys = Table{
		{"name", FormText, "The name by which it is called."},
		{"description", FormText, "What it is for, in a sentence."},
		{"version", FormText, "Its version."},
		{"owner", FormText, "The team that answers for it."},
		{"labels", FormLabels, "Labels, for guards and lists."},
		{"links", FormLinks, "Addresses worth knowing: run books, dashboards."},
	}
	linkKeys = Table{
		{"title", FormText, "What is there."},
		{"url", FormText, "The address."},
	}

	parameterKeys = Table{
		{"name", FormText, "The name."},
		{"type", FormType, "string, number, boolean, list, map, secret or integration."},
		{"required", FormBool, "false: it may be left out without a default."},
		{"default", FormData, "The value when none is given; templates over event and metadata."},
		{"enum", FormPlain, "The only values that are allowed."},
		{"pattern", FormText, "A regular expression that the whole text must match."},
		{"options", FormPlain, "Hints for forms, such as integration_type."},
		{"sensitive", FormBool, "Masked everywhere and not exported."},
		{"description", FormText, "What it means."},
	}
	outputKeys = Table{
		{"name", FormText, "The name."},
		{"type", FormType, "The type."},
		{"value", FormLogic, "The value: CEL, or a template, or data."},
		{"sensitive", FormBool, "Masked everywhere and not exported."},
		{"description", FormText, "What it means."},
	}

	commonKeys = Table{
		{"id", FormName, "The name of its data: steps.<id>."},
		{"name", FormText, "A title for people."},
		{"description", FormText, "What it is for."},
		{"when", FormLogic, "It is skipped unless this holds."},
	}
	// actionKeys are those of a step that uses something.
	actionKeys = join(commonKeys, Table{
		{"uses", FormText, "The action, verb or module."},
		{"effect", FormEffect, "What it does to the world: read, idempotent or mutate."},
		{"irreversible", FormBool, "Its effect cannot be undone."},
		{"runner", FormTemplate, "Where it executes; empty or local is here."},
		{"integration", FormTemplate, "The named connection that it uses."},
		{"env", FormMap, "The environment of the process."},
		{"args", FormList, "The arguments of the program."},
		{"with", FormMap, "Its inputs."},
		{"target", FormTemplates, "What its effect is on, in place of what the action says."},
		{"approval", FormApproval, "Ask people before the effect."},
		{"retry", FormRetry, "Repeat attempts that failed or did not start."},
		{"timeout", FormDuration, "The longest time of an attempt."},
		{"onDoubt", FormDoubt, "What to do when nobody knows how it ended: retry, ask, fail or a probe."},
		{"verify", FormCheck, "Look whether the effect shows."},
		{"undo", FormUndo, "How to restore what it did."},
		{"ignoreFailure", FormBool, "Go on when it failed."},
		{"artifacts", FormTexts, "Globs of files below $TEND_WORK that are kept."},
	})
	blockKeys = join(commonKeys, Table{
		{"approval", FormApproval, "Ask people before the first effect."},
		{"timeout", FormDuration, "The longest time of the block."},
		{"stopWhen", FormStop, "Stop the block when this holds; unreadable is stop."},
		{"steps", FormSteps, "A group of steps."},
		{"foreach", FormForeach, "A loop."},
		{"parallel", FormSteps, "Branches that run at the same time."},
		{"lock", FormLock, "Steps that run only while a lock is held."},
		{"catch", FormSteps, "What is done when a step of the block failed."},
		{"finally", FormSteps, "What is done at the end of the block, however it ended."},
		{"ignoreFailure", FormBool, "Go on when it failed."},
	})
	stepKeys = join(actionKeys, blockKeys)

	// legacyKeys are those that only the older dialect has.
	legacyKeys = Table{
		{"envFrom", FormEnvFrom, "The integration that the step uses."},
		{"output_parser", FormParser, "How its output is read."},
	}
	// legacyStepKeys are in the order that documents of the older dialect have.
	legacyStepKeys = join(Table{
		{"name", FormText, "The step: a module, an alias, a program or an image; beside uses a title."},
		{"id", FormName, "The name of its data."},
		{"description", FormText, "What it is for."},
		{"when", FormLogic, "It is skipped unless this holds."},
		{"uses", FormText, "An action, verb or module of tend, in place of name."},
		{"runner", FormTemplate, "Where it executes."},
		{"args", FormList, "The arguments of the program."},
		{"env", FormMap, "Its inputs."},
	}, legacyKeys, actionKeys)
	legacyNodeKeys      = join(legacyStepKeys, blockKeys)
	legacyParameterKeys = join(Table{
		{"name", FormText, "The name."},
		{"type", FormType, "string, number, boolean, list, map, secret, integration, var or spd."},
		{"description", FormText, "What it means."},
	}, parameterKeys)
	envFromKeys = Table{{"integrationRef", FormTemplate, "The name of the integration."}}
	parserKeys  = Table{{"name", FormText, "The parser."}, {"env", FormPlain, "Its settings."}}

	retryKeys = Table{
		{"attempts", FormCount, "How often in all, the first included."},
		{"backoff", FormDuration, "The time before the second attempt."},
		{"factor", FormNumber, "How much longer each pause is than the one before."},
		{"exponential", FormBool, "A factor of 2."},
		{"cap", FormDuration, "The longest pause."},
		{"jitter", FormNumber, "The share of a pause that is spread, from 0 to 1."},
		{"on", FormTexts, "Only for these kinds of fault."},
	}
	foreachKeys = Table{
		{"in", FormLoop, "The list or map."},
		{"range", FormRange, "[from, to] with the end excluded, in place of `in`."},
		{"key", FormName, "The name of the key or index inside."},
		{"value", FormName, "The name of the value inside."},
		{"when", FormLogic, "Iterations are skipped unless this holds."},
		{"break", FormLogic, "Ends the loop when it holds after an iteration."},
		{"parallel", FormCount, "How many iterations at the same time."},
		{"steps", FormSteps, "What is done in each iteration."},
	}
	lockKeys = Table{
		{"key", FormTemplate, "What is locked."},
		{"steps", FormSteps, "What is done while the lock is held."},
	}
	// innerKeys are those of an action inside of verify, undo and the like.
	innerKeys = Table{
		{"name", FormText, "A title for people."},
		{"uses", FormText, "The action or module."},
		{"effect", FormEffect, "What it does to the world."},
		{"runner", FormTemplate, "Where it executes."},
		{"integration", FormTemplate, "The named connection that it uses."},
		{"env", FormMap, "The environment of the process."},
		{"args", FormList, "The arguments of the program."},
		{"with", FormMap, "Its inputs."},
		{"target", FormTemplates, "What its effect is on."},
		{"timeout", FormDuration, "The longest time of an attempt."},
	}
	checkKeys = join(innerKeys, Table{
		{"until", FormLogic, "What must hold, over `result` and the data of the run."},
		{"within", FormDuration, "How long to keep trying; without it once."},
		{"every", FormDuration, "The pause between tries."},
	})
	stopKeys = join(innerKeys, Table{
		{"if", FormLogic, "What stops the block, over `result` and the data of the run."},
		{"every", FormDuration, "The pause between looks."},
	})
	undoKeys = join(Table{{"none", FormText, "Why there is nothing to restore."}}, innerKeys, Table{
		{"irreversible", FormBool, "Its effect cannot be undone."},
		{"retry", FormRetry, "Repeat attempts that failed or did not start."},
		{"onDoubt", FormDoubt, "What to do when nobody knows how it ended."},
	})
	doubtKeys    = Table{{"probe", FormCheck, "A step that finds out; `until` holds when the effect is there."}}
	approvalKeys = Table{
		{"message", FormTemplate, "What is asked."},
		{"from", FormTexts, "Users or groups that may answer; without it anybody who may approve."},
		{"count", FormCount, "How many different people must agree."},
		{"notRequester", FormBool, "Whoever started the run does not count."},
		{"within", FormDuration, "How long to wait; no answer is no."},
	}
	bodyKeys = join(innerKeys, Table{
		{"irreversible", FormBool, "Its effect cannot be undone."},
		{"artifacts", FormTexts, "Globs of files below $TEND_WORK that are kept."},
	})

	// The verbs' `with`.
	waitKeys = Table{
		{"duration", FormTemplate, "How long."},
		{"at", FormTemplate, "Until this point in time, as RFC 3339."},
		{"until", FormWait, "Until this holds: a condition, or a step with `until`."},
		{"for", FormTemplate, "Until an event of this name comes in."},
		{"key", FormTemplate, "The correlation key of the event."},
		{"within", FormDuration, "The longest time to wait for `until` and `for`."},
		{"every", FormDuration, "The pause between looks at `until`."},
	}
	askKeys = Table{
		{"message", FormTemplate, "What is asked."},
		{"title", FormTemplate, "A line above it."},
		{"form", FormFields, "The fields of the answer."},
		{"choices", FormData, "A list to choose from, in place of a form."},
		{"selector", FormText, "single or multi: how many of the choices may be chosen."},
		{"default", FormTemplate, "The answer when nobody answers in time. Think twice."},
		{"from", FormTexts, "Users or groups that may answer."},
		{"within", FormDuration, "How long to wait."},
	}
	fieldKeys = Table{
		{"name", FormText, "The name of the field."},
		{"type", FormType, "Its type."},
		{"required", FormBool, "Must be filled in."},
		{"default", FormPlain, "What stands there at first."},
		{"enum", FormPlain, "The only values that are allowed."},
		{"sensitive", FormBool, "Masked everywhere and not exported."},
		{"description", FormText, "What it means."},
	}
	manualKeys = Table{
		{"title", FormTemplate, "What is to be done, in a line."},
		{"instructions", FormTemplate, "How."},
		{"from", FormTexts, "Users or groups that may say it is done."},
		{"within", FormDuration, "How long to wait."},
	}
	callKeys = Table{
		{"name", FormText, "The playbook's name."},
		{"path", FormText, "The playbook's file, relative to this one, in place of the name."},
		{"params", FormMap, "Its parameters."},
	}
	assertKeys = Table{
		{"that", FormLogic, "What must hold."},
		{"message", FormTemplate, "What to say when it does not."},
	}
	failKeys = Table{{"message", FormTemplate, "What to say."}}
)
