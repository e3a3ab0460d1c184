// Package verb describes the language's own commands as data: wait, approve, ask, manual, playbook, assert and fail.
//
// A verb is a command of the run: the engine itself executes it, so that it needs no process, no thread and no runner
// while it waits. This package holds only what lint, schema and the reference need to know of them; it runs nothing.
package verb

import (
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/playbook"
)

// All lists the verbs.
func All() []playbook.Spec {
	return []playbook.Spec{wait(), approve(), ask(), manual(), call(), assert(), fail()}
}

// A verb has no effect of its own, whatever a document says.
func spec(name, summary, doc string) playbook.Spec {
	return playbook.Spec{Name: name, Summary: summary, Doc: doc, Effect: playbook.Read, Proven: true, Verb: true}
}

func wait() playbook.Spec {
	s := spec("wait", "Waits for a time, a condition or an event from outside.",
		"Exactly one of `duration`, `at`, `until` and `for` says what is waited for. A run that waits holds no thread and "+
			"survives a restart: a timer that was due meanwhile fires at once.\n\n"+
			"`until` is evaluated again and again over the run's data until it holds; no data counts as *not so*. `for` waits "+
			"for the named event with the same `key`; the event is the output. Both end with a failure of kind `timeout` "+
			"when `within` passes.")
	s.Inputs = []playbook.Field{
		{Name: "duration", Type: playbook.DurationT, Description: "How long to wait: `30s`, `5m`; a bare number is seconds."},
		{Name: "at", Type: playbook.String, Description: "A point in time to wait for, as RFC 3339. One that has passed does not wait."},
		{Name: "until", Type: playbook.Any, Description: "A condition (CEL) to wait for, or a step that finds out, with its own `until` over `result`."},
		{Name: "every", Type: playbook.DurationT, Default: "2s", Description: "With `until`: the pause between looks."},
		{Name: "for", Type: playbook.String, Description: "The name of an event from outside to wait for."},
		{Name: "key", Type: playbook.String, Description: "With `for`: the correlation key that the event must carry."},
		{Name: "within", Type: playbook.DurationT, Description: "With `until` and `for`: how long to wait at most."},
	}
	s.Outputs = []playbook.Field{
		{Name: "name", Type: playbook.String, Description: "With `for`: the name of the event that came."},
		{Name: "key", Type: playbook.String, Description: "With `for`: its correlation key."},
		{Name: "by", Type: playbook.String, Description: "With `for`: who sent it."},
		{Name: "payload", Type: playbook.Map, Description: "With `for`: its data."},
	}
	s.Ends = []playbook.End{
		{When: "what was waited for came about", Outcome: "succeeded"},
		{When: "`within` passed first", Outcome: "failed", Kind: fault.Timeout},
		{When: "`at` or `duration` cannot be read, or `until` cannot be evaluated", Outcome: "not-started", Kind: fault.Expr},
		{When: "the run was cancelled", Outcome: "not-started", Kind: fault.Cancelled},
	}
	s.Examples = []playbook.Example{
		{Title: "Give a service time to settle", YAML: "- uses: wait\n  with: {duration: 30s}\n"},
		{Title: "Wait for a person's system to call back", YAML: "- id: signed\n  uses: wait\n  with: {for: change-approved, key: '{{ $.params.change }}', within: 4h}\n"},
	}
	s.Aliases = []playbook.Alias{{Name: "utils/wait", Inputs: map[string]string{"SECONDS": "duration"}}}
	return s
}

func fieldsOfTask() []playbook.Field {
	return []playbook.Field{
		{Name: "from", Type: playbook.List, Items: &playbook.Field{Type: playbook.String}, Description: "Users and groups who may answer. Without it everybody who may approve."},
		{Name: "within", Type: playbook.DurationT, Default: "1h", Description: "How long to wait for an answer."},
	}
}

func endsOfTask(done string) []playbook.End {
	return []playbook.End{
		{When: done, Outcome: "succeeded"},
		{When: "a person said no, or nobody answered within the time", Outcome: "failed", Kind: fault.Rejected},
		{When: "the run was cancelled", Outcome: "not-started", Kind: fault.Cancelled},
	}
}

func approve() playbook.Spec {
	s := spec("approve", "Asks people for their consent before the run goes on.",
		"No answer is *no*. One person counts once, however often they answer. To bind the consent to exactly what a step "+
			"would do, use `approval:` on that step instead: it asks after the inputs are rendered, and is void when they change.")
	s.Inputs = append([]playbook.Field{
		{Name: "message", Type: playbook.String, Required: true, Description: "What people are asked."},
		{Name: "count", Type: playbook.Number, Default: int64(1), Description: "How many different people must say yes."},
		{Name: "notRequester", Type: playbook.Boolean, Default: false, Description: "Whoever started the run does not count."},
	}, fieldsOfTask()...)
	s.Outputs = []playbook.Field{
		{Name: "by", Type: playbook.List, Items: &playbook.Field{Type: playbook.String}, Description: "Who said yes."},
		{Name: "why", Type: playbook.String, Description: "The reason that was given, if any."},
	}
	s.Ends = endsOfTask("enough people said yes")
	s.Examples = []playbook.Example{{
		Title: "Two people, neither of them the requester",
		YAML:  "- uses: approve\n  with:\n    message: 'Fail over {{ $.params.cluster }} to the other site?'\n    from: [dba]\n    count: 2\n    notRequester: true\n    within: 30m\n",
	}}
	return s
}

func ask() playbook.Spec {
	s := spec("ask", "Asks a person for data, by a typed form.",
		"The answers are the step's output, under the names of the form's fields. `choices` in place of a form offers a list "+
			"to choose from; the answer is then in `answer` and `answers`.\n\n"+
			"A declared `default` is an answer that nobody gave: it is recorded as such, and `tend lint` says so. Without it no "+
			"answer is a failure.")
	s.Inputs = append([]playbook.Field{
		{Name: "message", Type: playbook.String, Required: true, Description: "The question."},
		{Name: "title", Type: playbook.String, Description: "A line above it."},
		{
			Name: "form", Type: playbook.List, Description: "The fields of the form.",
			Items: &playbook.Field{Type: playbook.Map, Fields: []playbook.Field{
				{Name: "name", Type: playbook.String, Required: true, Description: "Name of the answer."},
				{Name: "type", Type: playbook.String, Default: "string", Description: "Type of the answer: any type of a parameter."},
				{Name: "description", Type: playbook.String, Description: "What to fill in."},
				{Name: "required", Type: playbook.Boolean, Default: false, Description: "Whether an empty answer is refused."},
				{Name: "default", Type: playbook.Any, Description: "What stands there at first."},
				{Name: "enum", Type: playbook.List, Description: "The only values that are accepted."},
				{Name: "sensitive", Type: playbook.Boolean, Default: false, Description: "Whether the answer is masked everywhere."},
			}},
		},
		{Name: "choices", Type: playbook.List, Description: "A list to choose from, in place of a form."},
		{Name: "selector", Type: playbook.String, Default: "single", Description: "`single` or `multi`: how many of `choices` may be chosen."},
		{Name: "default", Type: playbook.String, Description: "The answer when nobody answers in time."},
		{Name: "recipients", Type: playbook.Any, Description: "Whom the older dialect told. People meet the question in their inbox."},
	}, fieldsOfTask()...)
	s.Outputs = []playbook.Field{
		{Name: "answer", Type: playbook.String, Description: "With `choices`: what was chosen first."},
		{Name: "answers", Type: playbook.List, Description: "With `choices`: all that was chosen."},
		{Name: "by", Type: playbook.List, Items: &playbook.Field{Type: playbook.String}, Description: "Who answered; empty when nobody did."},
		{Name: "defaulted", Type: playbook.Boolean, Description: "Whether the answer is the default because nobody answered."},
	}
	s.Ends = append(endsOfTask("a person answered"), playbook.End{When: "nobody answered and a `default` is declared: recorded as \"default, nobody answered\"", Outcome: "succeeded"})
	s.Examples = []playbook.Example{{
		Title: "Ask which replica to promote",
		YAML:  "- id: choice\n  uses: ask\n  with:\n    message: Which replica becomes the primary?\n    form:\n      - {name: replica, type: string, required: true, enum: [db-2, db-3]}\n      - {name: reason, type: string}\n    within: 20m\n",
	}}
	s.Aliases = []playbook.Alias{{
		Name: "slack/message/interactive",
		Inputs: map[string]string{
			"QUESTION": "message", "HEADER_MESSAGE": "title", "RESPONSES": "choices", "SELECTOR_TYPE": "selector",
			"DEFAULT_RESPONSE": "default", "TIMEOUT": "within", "RECIPIENTS": "recipients",
		},
		Outputs: map[string]string{"slack_response": ".answer", "selected_responses": ".answers"},
	}}
	return s
}

func manual() playbook.Spec {
	s := spec("manual", "Hands work to a person and waits until it is done.",
		"For what cannot be automated, or not yet: replace a disk, call the data centre. The person reads the instructions in "+
			"their inbox, does the work and says so, or says that it cannot be done.")
	s.Inputs = append([]playbook.Field{
		{Name: "title", Type: playbook.String, Description: "What is to be done, in a line."},
		{Name: "instructions", Type: playbook.String, Description: "How, in Markdown."},
	}, fieldsOfTask()...)
	s.Outputs = []playbook.Field{
		{Name: "by", Type: playbook.List, Items: &playbook.Field{Type: playbook.String}, Description: "Who did it."},
		{Name: "why", Type: playbook.String, Description: "The note that was left, if any."},
	}
	s.Ends = endsOfTask("a person said that it is done")
	s.Examples = []playbook.Example{{
		Title: "Swap a disk",
		YAML:  "- uses: manual\n  with:\n    title: 'Replace the disk {{ $.params.disk }} of {{ $.params.host }}'\n    instructions: |\n      1. Check that the red light is on.\n      2. Pull the disk, wait ten seconds, insert the new one.\n    from: [data-centre]\n    within: 8h\n",
	}}
	return s
}

func call() playbook.Spec {
	s := spec("playbook", "Runs another playbook as a run of its own.",
		"The called playbook is resolved when this one is compiled and enters its hash. The new run is linked to this one, and "+
			"cancelled with it. Its typed outputs are the step's output; its failure is the step's failure. A playbook that "+
			"includes itself is refused. While a step of the called run is in doubt, this run waits for it.\n\nThe effects are those of the called playbook's own steps.")
	s.Inputs = []playbook.Field{
		{Name: "name", Type: playbook.String, Description: "The playbook's name."},
		{Name: "path", Type: playbook.String, Description: "Its file, relative to this document, in place of the name."},
		{Name: "params", Type: playbook.Map, Description: "Its parameters."},
	}
	s.Ends = []playbook.End{
		{When: "the called run succeeded", Outcome: "succeeded"},
		{When: "the called run failed, with the kind of its failure", Outcome: "failed", Kind: fault.Fail},
		{When: "its parameters are wrong", Outcome: "not-started", Kind: fault.Invalid},
		{When: "the run was cancelled", Outcome: "not-started", Kind: fault.Cancelled},
	}
	s.Examples = []playbook.Example{{
		Title: "Use a playbook as a step",
		YAML:  "- id: drained\n  uses: playbook\n  with:\n    name: drain-host\n    params: {host: '{{ $.params.host }}'}\n",
	}}
	return s
}

func assert() playbook.Spec {
	s := spec("assert", "Fails the run when a condition does not hold.",
		"No data is never success: null, NaN, an empty answer or a skipped step count as *not so*.")
	s.Inputs = []playbook.Field{
		{Name: "that", Type: playbook.Any, Required: true, Description: "The condition (CEL)."},
		{Name: "message", Type: playbook.String, Description: "What to say when it does not hold."},
	}
	s.Ends = []playbook.End{
		{When: "the condition holds", Outcome: "succeeded"},
		{When: "the condition does not hold", Outcome: "failed", Kind: fault.Assert},
		{When: "the condition cannot be evaluated", Outcome: "failed", Kind: fault.Expr},
	}
	s.Examples = []playbook.Example{{
		Title: "Refuse to touch the last healthy replica",
		YAML:  "- uses: assert\n  with:\n    that: steps.replicas.value > 1\n    message: 'Only {{ $.steps.replicas.value }} replica is left.'\n",
	}}
	return s
}

func fail() playbook.Spec {
	s := spec("fail", "Ends the block with a failure.", "For the branch that must not be reached, or that cannot be repaired here.")
	s.Inputs = []playbook.Field{
		{Name: "message", Type: playbook.String, Required: true, Description: "Why."},
	}
	s.Ends = []playbook.End{{When: "always", Outcome: "failed", Kind: fault.Fail}}
	s.Examples = []playbook.Example{{
		Title: "Give up with a reason",
		YAML:  "- when: params.tier == 'gold'\n  uses: fail\n  with: {message: A gold tier database is never restarted by itself.}\n",
	}}
	return s
}
