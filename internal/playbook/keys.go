package playbook

import (
	"github.com/tendhq/tend/internal/document"
)

// The keys of every map of playbooks and modules, in the canonical order.
var (
	playbookKeys = document.Head.With(document.Table{
		document.Def("parameters", FormParams, "What a run of the playbook is given."),
		document.Def("offer", FormOffer, "Who may ask for a run of it, with the parameters as a form."),
		document.Def("timeout", document.FormDuration, "The longest time that a run may take."),
		document.Def("steps", FormSteps, "What is done, in order."),
		document.Def("catch", FormSteps, "What is done when the steps failed and their undo is over."),
		document.Def("finally", FormSteps, "What is done at the end, however the run ended."),
		document.Def("outputs", FormOutputs, "What the run gives: name and value, or a list with declared types."),
		document.Def("artifacts", document.FormTexts, "Globs of files below $TEND_WORK that are kept."),
	})

	moduleKeys = document.Head.With(document.Table{
		document.Def("inputs", FormParams, "What a caller gives in `with`."),
		document.Def("effect", document.FormEffect, "What the module does to the world: read, idempotent or mutate."),
		document.Def("irreversible", document.FormBool, "Its effect cannot be undone."),
		document.Def("target", document.FormTemplates, "What its effect is on, over the inputs."),
		document.Def("run", FormBody, "The one action that the module is."),
		document.Def("timeout", document.FormDuration, "The longest time that a call may take."),
		document.Def("steps", FormSteps, "The steps that the module is made of, in place of `run`."),
		document.Def("catch", FormSteps, "What is done when the steps failed."),
		document.Def("finally", FormSteps, "What is done at the end of the steps."),
		document.Def("outputs", FormOutputs, "What the module gives."),
	})

	parameterKeys = document.Table{
		document.Def("name", document.FormText, "The name."),
		document.Def("type", document.FormType, "string, number, boolean, list, map, secret or integration."),
		document.Def("required", document.FormBool, "false: it may be left out without a default."),
		document.Def("default", document.FormData, "The value when none is given; templates over event and metadata."),
		document.Def("enum", document.FormPlain, "The only values that are allowed."),
		document.Def("pattern", document.FormText, "A regular expression that the whole text must match."),
		document.Def("options", document.FormPlain, "Hints for forms, such as integration_type."),
		document.Def("sensitive", document.FormBool, "Sealed where it is recorded, and masked everywhere."),
		document.Def("description", document.FormText, "What it means."),
	}
	outputKeys = document.Table{
		document.Def("name", document.FormText, "The name."),
		document.Def("type", document.FormType, "The type."),
		document.Def("value", document.FormLogic, "The value: CEL, or a template, or data."),
		document.Def("sensitive", document.FormBool, "Sealed where it is recorded, and masked everywhere."),
		document.Def("description", document.FormText, "What it means."),
	}

	offerKeys = document.Table{
		document.Def("title", document.FormText, "What people are offered, in a few words. Default: the description."),
		document.Def("to", document.FormTexts, "Who may ask: group:developers, user:ann@example.org, user:*@example.org, token:…, or * for everybody who signed on."),
		document.Def("outputs", document.FormTexts, "The outputs that whoever asked is shown. Default: none."),
	}

	commonKeys = document.Table{
		document.Def("id", document.FormName, "The name of its data: steps.<id>."),
		document.Def("name", document.FormText, "A title for people."),
		document.Def("description", document.FormText, "What it is for."),
		document.Def("when", document.FormLogic, "It is skipped unless this holds."),
	}
	// actionKeys are those of a step that uses something.
	actionKeys = commonKeys.With(document.Table{
		document.Def("uses", document.FormText, "The action, verb or module."),
		document.Def("effect", document.FormEffect, "What it does to the world: read, idempotent or mutate."),
		document.Def("irreversible", document.FormBool, "Its effect cannot be undone."),
		document.Def("runner", document.FormTemplate, "Where it executes; empty or local is here."),
		document.Def("integration", document.FormTemplate, "The named connection that it uses."),
		document.Def("env", document.FormMap, "The environment of the process."),
		document.Def("args", document.FormList, "The arguments of the program."),
		document.Def("with", document.FormMap, "Its inputs."),
		document.Def("target", document.FormTemplates, "What its effect is on, in place of what the action says."),
		document.Def("approval", FormApproval, "Ask people before the effect."),
		document.Def("retry", FormRetry, "Repeat attempts that failed or did not start."),
		document.Def("timeout", document.FormDuration, "The longest time of an attempt."),
		document.Def("onDoubt", FormDoubt, "What to do when nobody knows how it ended: retry, ask, fail or a probe."),
		document.Def("verify", FormCheck, "Look whether the effect shows."),
		document.Def("undo", FormUndo, "How to restore what it did."),
		document.Def("ignoreFailure", document.FormBool, "Go on when it failed."),
		document.Def("artifacts", document.FormTexts, "Globs of files below $TEND_WORK that are kept."),
	})
	blockKeys = commonKeys.With(document.Table{
		document.Def("approval", FormApproval, "Ask people before the first effect."),
		document.Def("timeout", document.FormDuration, "The longest time of the block."),
		document.Def("stopWhen", FormStop, "Stop the block when this holds; unreadable is stop."),
		document.Def("steps", FormSteps, "A group of steps."),
		document.Def("foreach", FormForeach, "A loop."),
		document.Def("parallel", FormSteps, "Branches that run at the same time."),
		document.Def("lock", FormLock, "Steps that run only while a lock is held."),
		document.Def("catch", FormSteps, "What is done when a step of the block failed."),
		document.Def("finally", FormSteps, "What is done at the end of the block, however it ended."),
		document.Def("ignoreFailure", document.FormBool, "Go on when it failed."),
	})
	stepKeys = actionKeys.With(blockKeys)

	// legacyKeys are those that only the older dialect has.
	legacyKeys = document.Table{
		document.Def("envFrom", FormEnvFrom, "The integration that the step uses."),
		document.Def("output_parser", FormParser, "How its output is read."),
	}
	// legacyStepKeys are in the order that documents of the older dialect have.
	legacyStepKeys = document.Table{
		document.Def("name", document.FormText, "The step: a module, an alias, a program or an image; beside uses a title."),
		document.Def("id", document.FormName, "The name of its data."),
		document.Def("description", document.FormText, "What it is for."),
		document.Def("when", document.FormLogic, "It is skipped unless this holds."),
		document.Def("uses", document.FormText, "An action, verb or module of tend, in place of name."),
		document.Def("runner", document.FormTemplate, "Where it executes."),
		document.Def("args", document.FormList, "The arguments of the program."),
		document.Def("env", document.FormMap, "Its inputs."),
	}.With(legacyKeys, actionKeys)
	legacyNodeKeys      = legacyStepKeys.With(blockKeys)
	legacyParameterKeys = document.Table{
		document.Def("name", document.FormText, "The name."),
		document.Def("type", document.FormType, "string, number, boolean, list, map, secret, integration, var or spd."),
		document.Def("description", document.FormText, "What it means."),
	}.With(parameterKeys)
	envFromKeys = document.Table{document.Def("integrationRef", document.FormTemplate, "The name of the integration.")}
	parserKeys  = document.Table{document.Def("name", document.FormText, "The parser."), document.Def("env", document.FormPlain, "Its settings.")}

	retryKeys = document.Table{
		document.Def("attempts", document.FormCount, "How often in all, the first included."),
		document.Def("backoff", document.FormDuration, "The time before the second attempt."),
		document.Def("factor", document.FormNumber, "How much longer each pause is than the one before."),
		document.Def("exponential", document.FormBool, "A factor of 2."),
		document.Def("cap", document.FormDuration, "The longest pause."),
		document.Def("jitter", document.FormNumber, "The share of a pause that is spread, from 0 to 1."),
		document.Def("on", document.FormTexts, "Only for these kinds of fault."),
	}
	foreachKeys = document.Table{
		document.Def("in", FormLoop, "The list or map."),
		document.Def("range", FormRange, "[from, to] with the end excluded, in place of `in`."),
		document.Def("key", document.FormName, "The name of the key or index inside."),
		document.Def("value", document.FormName, "The name of the value inside."),
		document.Def("when", document.FormLogic, "Iterations are skipped unless this holds."),
		document.Def("break", document.FormLogic, "Ends the loop when it holds after an iteration."),
		document.Def("parallel", document.FormCount, "How many iterations at the same time."),
		document.Def("steps", FormSteps, "What is done in each iteration."),
	}
	lockKeys = document.Table{
		document.Def("key", document.FormTemplate, "What is locked."),
		document.Def("steps", FormSteps, "What is done while the lock is held."),
	}
	// innerKeys are those of an action inside of verify, undo and the like.
	innerKeys = document.Table{
		document.Def("name", document.FormText, "A title for people."),
		document.Def("uses", document.FormText, "The action or module."),
		document.Def("effect", document.FormEffect, "What it does to the world."),
		document.Def("runner", document.FormTemplate, "Where it executes."),
		document.Def("integration", document.FormTemplate, "The named connection that it uses."),
		document.Def("env", document.FormMap, "The environment of the process."),
		document.Def("args", document.FormList, "The arguments of the program."),
		document.Def("with", document.FormMap, "Its inputs."),
		document.Def("target", document.FormTemplates, "What its effect is on."),
		document.Def("timeout", document.FormDuration, "The longest time of an attempt."),
	}
	checkKeys = innerKeys.With(document.Table{
		document.Def("until", document.FormLogic, "What must hold, over `result` and the data of the run."),
		document.Def("within", document.FormDuration, "How long to keep trying; without it once."),
		document.Def("every", document.FormDuration, "The pause between tries."),
	})
	stopKeys = innerKeys.With(document.Table{
		document.Def("if", document.FormLogic, "What stops the block, over `result` and the data of the run."),
		document.Def("every", document.FormDuration, "The pause between looks."),
	})
	undoKeys = document.Table{document.Def("none", document.FormText, "Why there is nothing to restore.")}.With(innerKeys, document.Table{
		document.Def("irreversible", document.FormBool, "Its effect cannot be undone."),
		document.Def("retry", FormRetry, "Repeat attempts that failed or did not start."),
		document.Def("onDoubt", FormDoubt, "What to do when nobody knows how it ended."),
	})
	doubtKeys    = document.Table{document.Def("probe", FormCheck, "A step that finds out; `until` holds when the effect is there.")}
	approvalKeys = document.Table{
		document.Def("message", document.FormTemplate, "What is asked."),
		document.Def("from", document.FormTexts, "Users or groups that may answer; without it anybody who may approve."),
		document.Def("count", document.FormCount, "How many different people must agree."),
		document.Def("notRequester", document.FormBool, "Whoever started the run does not count."),
		document.Def("notAuthor", document.FormBool, "Whoever wrote the playbook's revision does not count."),
		document.Def("within", document.FormDuration, "How long to wait; no answer is no."),
		document.Def("escalate", FormEscalations, "Who is asked too when nobody decides."),
	}
	escalationKeys = document.Table{
		document.Def("after", document.FormDuration, "How long nobody has decided then."),
		document.Def("to", document.FormTexts, "Users or groups that may answer too, from then on."),
	}
	taskLinkKeys = document.Table{
		document.Def("name", document.FormText, "What it is called."),
		document.Def("url", document.FormTemplate, "The address of a page."),
	}
	bodyKeys = innerKeys.With(document.Table{
		document.Def("irreversible", document.FormBool, "Its effect cannot be undone."),
		document.Def("artifacts", document.FormTexts, "Globs of files below $TEND_WORK that are kept."),
	})

	// The verbs' `with`.
	waitKeys = document.Table{
		document.Def("duration", document.FormTemplate, "How long."),
		document.Def("at", document.FormTemplate, "Until this point in time, as RFC 3339."),
		document.Def("until", FormWait, "Until this holds: a condition, or a step with `until`."),
		document.Def("for", document.FormTemplate, "Until an event of this name comes in."),
		document.Def("key", document.FormTemplate, "The correlation key of the event."),
		document.Def("within", document.FormDuration, "The longest time to wait for `until` and `for`."),
		document.Def("every", document.FormDuration, "The pause between looks at `until`."),
	}
	askKeys = document.Table{
		document.Def("message", document.FormTemplate, "What is asked."),
		document.Def("title", document.FormTemplate, "A line above it."),
		document.Def("form", FormFields, "The fields of the answer."),
		document.Def("choices", document.FormData, "A list to choose from, in place of a form."),
		document.Def("selector", document.FormText, "single or multi: how many of the choices may be chosen."),
		document.Def("default", document.FormTemplate, "The answer when nobody answers in time. Think twice."),
		document.Def("from", document.FormTexts, "Users or groups that may answer."),
		document.Def("within", document.FormDuration, "How long to wait."),
		document.Def("escalate", FormEscalations, "Who is asked too when nobody answers."),
		document.Def("assignee", document.FormTemplate, "Who is expected to see to it: a person or a group."),
		document.Def("links", FormTaskLinks, "Pages that help."),
	}
	fieldKeys = document.Table{
		document.Def("name", document.FormText, "The name of the field."),
		document.Def("type", document.FormType, "Its type."),
		document.Def("required", document.FormBool, "Must be filled in."),
		document.Def("default", document.FormPlain, "What stands there at first."),
		document.Def("enum", document.FormPlain, "The only values that are allowed."),
		document.Def("sensitive", document.FormBool, "Sealed where it is recorded, and masked everywhere."),
		document.Def("description", document.FormText, "What it means."),
	}
	manualKeys = document.Table{
		document.Def("title", document.FormTemplate, "What is to be done, in a line."),
		document.Def("instructions", document.FormTemplate, "How."),
		document.Def("from", document.FormTexts, "Users or groups that may say it is done."),
		document.Def("within", document.FormDuration, "How long to wait."),
		document.Def("escalate", FormEscalations, "Who is asked too when nobody answers."),
		document.Def("assignee", document.FormTemplate, "Who is expected to see to it: a person or a group."),
		document.Def("links", FormTaskLinks, "Pages that help."),
	}
	callKeys = document.Table{
		document.Def("name", document.FormText, "The playbook's name."),
		document.Def("path", document.FormText, "The playbook's file, relative to this one, in place of the name."),
		document.Def("params", document.FormMap, "Its parameters."),
	}
	assertKeys = document.Table{
		document.Def("that", document.FormLogic, "What must hold."),
		document.Def("message", document.FormTemplate, "What to say when it does not."),
	}
	failKeys = document.Table{document.Def("message", document.FormTemplate, "What to say.")}
)
