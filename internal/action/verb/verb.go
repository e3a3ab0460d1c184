// Package verb describes the language's own commands as data: wait, approve, ask, manual, playbook, assert and fail.
//
// A verb is a command of the run: the engine itself executes it, so that it needs no process, no thread and no runner
// while it waits. This package holds only what lint, schema and the reference need to know of them; it runs nothing.
package verb

import (
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/fault"
)

// All lists the verbs.
func All() []contract.Spec {
	return []contract.Spec{wait(), approve(), ask(), manual(), call(), assert(), fail()}
}

// A verb has no effect of its own, whatever a document says.
func spec(name, summary, doc string) contract.Spec {
	return contract.Spec{Name: name, Summary: summary, Doc: doc, Effect: contract.Read, Proven: true, Verb: true}
}

func wait() contract.Spec {
	s := spec("wait", "Waits for a time, a condition or an event from outside.",
		"Exactly one of `duration`, `at`, `until` and `for` says what is waited for. A run that waits holds no thread and "+
			"survives a restart: a timer that was due meanwhile fires at once.\n\n"+
			"`until` is evaluated again and again over the run's data until it holds; no data counts as *not so*. `for` waits "+
			"for the named event with the same `key`; the event is the output. Both end with a failure of kind `timeout` "+
			"when `within` passes.")
	s.Inputs = []contract.Field{
		{Name: "duration", Type: contract.Duration, Description: "How long to wait: `30s`, `5m`; a bare number is seconds."},
		{Name: "at", Type: contract.String, Description: "A point in time to wait for, as RFC 3339. One that has passed does not wait."},
		{Name: "until", Type: contract.Any, Description: "A condition (CEL) to wait for, or a step that finds out, with its own `until` over `result`."},
		{Name: "every", Type: contract.Duration, Default: "2s", Description: "With `until`: the pause between looks."},
		{Name: "for", Type: contract.String, Description: "The name of an event from outside to wait for."},
		{Name: "key", Type: contract.String, Description: "With `for`: the correlation key that the event must carry."},
		{Name: "within", Type: contract.Duration, Description: "With `until` and `for`: how long to wait at most."},
	}
	s.Outputs = []contract.Field{
		{Name: "name", Type: contract.String, Description: "With `for`: the name of the event that came."},
		{Name: "key", Type: contract.String, Description: "With `for`: its correlation key."},
		{Name: "by", Type: contract.String, Description: "With `for`: who sent it."},
		{Name: "payload", Type: contract.Map, Description: "With `for`: its data."},
	}
	s.Ends = []contract.End{
		{When: "what was waited for came about", Outcome: "succeeded"},
		{When: "`within` passed first", Outcome: "failed", Kind: fault.Timeout},
		{When: "`at` or `duration` cannot be read, or `until` cannot be evaluated", Outcome: "not-started", Kind: fault.Expr},
		{When: "the run was cancelled", Outcome: "not-started", Kind: fault.Cancelled},
	}
	s.Examples = []contract.Example{
		{Title: "Give a service time to settle", YAML: "- uses: wait\n  with: {duration: 30s}\n"},
		{Title: "Wait for a person's system to call back", YAML: "- id: signed\n  uses: wait\n  with: {for: change-approved, key: '{{ $.params.change }}', within: 4h}\n"},
	}
	s.Aliases = []contract.Alias{{Name: "utils/wait", Inputs: map[string]string{"SECONDS": "duration"}}}
	return s
}

func fieldsOfTask() []contract.Field {
	return []contract.Field{
		{Name: "from", Type: contract.List, Items: &contract.Field{Type: contract.String}, Description: "Users and groups who may answer. Without it everybody who may approve."},
		{Name: "within", Type: contract.Duration, Default: "1h", Description: "How long to wait for an answer."},
		{
			Name: "escalate", Type: contract.List, Description: "Who is asked too when nobody decides in time.",
			Items: &contract.Field{Type: contract.Map, Fields: []contract.Field{
				{Name: "after", Type: contract.Duration, Required: true, Description: "How long nobody has decided then: shorter than `within`."},
				{Name: "to", Type: contract.List, Required: true, Items: &contract.Field{Type: contract.String}, Description: "Users and groups who may answer too, from then on."},
			}},
		},
	}
}

// besideTask are what stands beside a form and work.
func besideTask() []contract.Field {
	return append(fieldsOfTask(),
		contract.Field{Name: "assignee", Type: contract.String, Description: "Who is expected to see to it: a person or a group. Others may answer all the same; `tend inbox claim` and `assign` change it."},
		contract.Field{
			Name: "links", Type: contract.List, Description: "Pages that help.",
			Items: &contract.Field{Type: contract.Map, Fields: []contract.Field{
				{Name: "name", Type: contract.String, Description: "What it is called."},
				{Name: "url", Type: contract.String, Required: true, Description: "Its address, http or https."},
			}},
		},
	)
}

func endsOfTask(done string) []contract.End {
	return []contract.End{
		{When: done, Outcome: "succeeded"},
		{When: "a person said no, or nobody answered within the time", Outcome: "failed", Kind: fault.Rejected},
		{When: "the run was cancelled", Outcome: "not-started", Kind: fault.Cancelled},
	}
}

func approve() contract.Spec {
	s := spec("approve", "Asks people for their consent before the run goes on.",
		"No answer is *no*. One person counts once, however often they answer. To bind the consent to exactly what a step "+
			"would do, use `approval:` on that step instead: it asks after the inputs are rendered, and is void when they change.")
	s.Inputs = append([]contract.Field{
		{Name: "message", Type: contract.String, Required: true, Description: "What people are asked."},
		{Name: "count", Type: contract.Number, Default: int64(1), Description: "How many different people must say yes."},
		{Name: "notRequester", Type: contract.Boolean, Default: false, Description: "Whoever started the run does not count."},
		{Name: "notAuthor", Type: contract.Boolean, Default: false, Description: "Whoever wrote the playbook's revision does not count."},
	}, fieldsOfTask()...)
	s.Outputs = []contract.Field{
		{Name: "by", Type: contract.List, Items: &contract.Field{Type: contract.String}, Description: "Who said yes."},
		{Name: "why", Type: contract.String, Description: "The reason that was given, if any."},
		{Name: "glass", Type: contract.String, Description: "`broken`, when one person approved alone in an emergency."},
	}
	s.Ends = endsOfTask("enough people said yes")
	s.Examples = []contract.Example{{
		Title: "Two people, neither of them the requester",
		YAML:  "- uses: approve\n  with:\n    message: 'Fail over {{ $.params.cluster }} to the other site?'\n    from: [dba]\n    count: 2\n    notRequester: true\n    within: 30m\n",
	}}
	return s
}

func ask() contract.Spec {
	s := spec("ask", "Asks a person for data, by a typed form.",
		"The answers are the step's output, under the names of the form's fields. `choices` in place of a form offers a list "+
			"to choose from; the answer is then in `answer` and `answers`.\n\n"+
			"A declared `default` is an answer that nobody gave: it is recorded as such, and `tend lint` says so. Without it no "+
			"answer is a failure.")
	s.Inputs = append([]contract.Field{
		{Name: "message", Type: contract.String, Required: true, Description: "The question."},
		{Name: "title", Type: contract.String, Description: "A line above it."},
		{
			Name: "form", Type: contract.List, Description: "The fields of the form.",
			Items: &contract.Field{Type: contract.Map, Fields: []contract.Field{
				{Name: "name", Type: contract.String, Required: true, Description: "Name of the answer."},
				{Name: "type", Type: contract.String, Default: "string", Description: "Type of the answer: any type of a parameter."},
				{Name: "description", Type: contract.String, Description: "What to fill in."},
				{Name: "required", Type: contract.Boolean, Default: false, Description: "Whether an empty answer is refused."},
				{Name: "default", Type: contract.Any, Description: "What stands there at first."},
				{Name: "enum", Type: contract.List, Description: "The only values that are accepted."},
				{Name: "sensitive", Type: contract.Boolean, Default: false, Description: "Whether the answer is masked everywhere."},
			}},
		},
		{Name: "choices", Type: contract.List, Description: "A list to choose from, in place of a form."},
		{Name: "selector", Type: contract.String, Default: "single", Description: "`single` or `multi`: how many of `choices` may be chosen."},
		{Name: "default", Type: contract.String, Description: "The answer when nobody answers in time."},
		{Name: "recipients", Type: contract.Any, Description: "Whom the older dialect told. People meet the question in their inbox."},
	}, besideTask()...)
	s.Outputs = []contract.Field{
		{Name: "answer", Type: contract.String, Description: "With `choices`: what was chosen first."},
		{Name: "answers", Type: contract.List, Description: "With `choices`: all that was chosen."},
		{Name: "by", Type: contract.List, Items: &contract.Field{Type: contract.String}, Description: "Who answered; empty when nobody did."},
		{Name: "defaulted", Type: contract.Boolean, Description: "Whether the answer is the default because nobody answered."},
	}
	s.Ends = append(endsOfTask("a person answered"), contract.End{When: "nobody answered and a `default` is declared: recorded as \"default, nobody answered\"", Outcome: "succeeded"})
	s.Examples = []contract.Example{{
		Title: "Ask which replica to promote",
		YAML:  "- id: choice\n  uses: ask\n  with:\n    message: Which replica becomes the primary?\n    form:\n      - {name: replica, type: string, required: true, enum: [db-2, db-3]}\n      - {name: reason, type: string}\n    within: 20m\n",
	}}
	s.Aliases = []contract.Alias{{
		Name: "slack/message/interactive",
		Inputs: map[string]string{
			"QUESTION": "message", "HEADER_MESSAGE": "title", "RESPONSES": "choices", "SELECTOR_TYPE": "selector",
			"DEFAULT_RESPONSE": "default", "TIMEOUT": "within", "RECIPIENTS": "recipients",
		},
		Outputs: map[string]string{"slack_response": ".answer", "selected_responses": ".answers"},
	}}
	return s
}

func manual() contract.Spec {
	s := spec("manual", "Hands work to a person and waits until it is done.",
		"For what cannot be automated, or not yet: replace a disk, call the data centre. The person reads the instructions in "+
			"their inbox, does the work and says so, or says that it cannot be done.")
	s.Inputs = append([]contract.Field{
		{Name: "title", Type: contract.String, Description: "What is to be done, in a line."},
		{Name: "instructions", Type: contract.String, Description: "How, in Markdown."},
	}, besideTask()...)
	s.Outputs = []contract.Field{
		{Name: "by", Type: contract.List, Items: &contract.Field{Type: contract.String}, Description: "Who did it."},
		{Name: "why", Type: contract.String, Description: "The note that was left, if any."},
	}
	s.Ends = endsOfTask("a person said that it is done")
	s.Examples = []contract.Example{{
		Title: "Swap a disk",
		YAML:  "- uses: manual\n  with:\n    title: 'Replace the disk {{ $.params.disk }} of {{ $.params.host }}'\n    instructions: |\n      1. Check that the red light is on.\n      2. Pull the disk, wait ten seconds, insert the new one.\n    from: [data-centre]\n    within: 8h\n",
	}}
	return s
}

func call() contract.Spec {
	s := spec("playbook", "Runs another playbook as a run of its own.",
		"The called playbook is resolved when this one is compiled and enters its hash. The new run is linked to this one, and "+
			"cancelled with it. Its typed outputs are the step's output; its failure is the step's failure. A playbook that "+
			"includes itself is refused. While a step of the called run is in doubt, this run waits for it.\n\nThe effects are those of the called playbook's own steps.")
	s.Inputs = []contract.Field{
		{Name: "name", Type: contract.String, Description: "The playbook's name."},
		{Name: "path", Type: contract.String, Description: "Its file, relative to this document, in place of the name."},
		{Name: "params", Type: contract.Map, Description: "Its parameters."},
	}
	s.Ends = []contract.End{
		{When: "the called run succeeded", Outcome: "succeeded"},
		{When: "the called run failed, with the kind of its failure", Outcome: "failed", Kind: fault.Fail},
		{When: "its parameters are wrong", Outcome: "not-started", Kind: fault.Invalid},
		{When: "the run was cancelled", Outcome: "not-started", Kind: fault.Cancelled},
	}
	s.Examples = []contract.Example{{
		Title: "Use a playbook as a step",
		YAML:  "- id: drained\n  uses: playbook\n  with:\n    name: drain-host\n    params: {host: '{{ $.params.host }}'}\n",
	}}
	return s
}

func assert() contract.Spec {
	s := spec("assert", "Fails the run when a condition does not hold.",
		"No data is never success: null, NaN, an empty answer or a skipped step count as *not so*.")
	s.Inputs = []contract.Field{
		{Name: "that", Type: contract.Any, Required: true, Description: "The condition (CEL)."},
		{Name: "message", Type: contract.String, Description: "What to say when it does not hold."},
	}
	s.Ends = []contract.End{
		{When: "the condition holds", Outcome: "succeeded"},
		{When: "the condition does not hold", Outcome: "failed", Kind: fault.Assert},
		{When: "the condition cannot be evaluated", Outcome: "failed", Kind: fault.Expr},
	}
	s.Examples = []contract.Example{{
		Title: "Refuse to touch the last healthy replica",
		YAML:  "- uses: assert\n  with:\n    that: steps.replicas.value > 1\n    message: 'Only {{ $.steps.replicas.value }} replica is left.'\n",
	}}
	return s
}

func fail() contract.Spec {
	s := spec("fail", "Ends the block with a failure.", "For the branch that must not be reached, or that cannot be repaired here.")
	s.Inputs = []contract.Field{
		{Name: "message", Type: contract.String, Required: true, Description: "Why."},
	}
	s.Ends = []contract.End{{When: "always", Outcome: "failed", Kind: fault.Fail}}
	s.Examples = []contract.Example{{
		Title: "Give up with a reason",
		YAML:  "- when: params.tier == 'gold'\n  uses: fail\n  with: {message: A gold tier database is never restarted by itself.}\n",
	}}
	return s
}
