package incident

import (
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/fault"
)

// which is the incident that a step is about.
func which() contract.Field {
	return contract.Field{Name: "incident", Type: contract.String, Description: "Id of the incident; without it the one that the run is for."}
}

func text(name, doc string) contract.Field {
	return contract.Field{Name: name, Type: contract.String, Description: doc}
}

func required(f contract.Field) contract.Field { f.Required = true; return f }

func severityField() contract.Field {
	return text("severity", "critical, major, minor or info; what alerts call them is understood.")
}

func labels() contract.Field {
	return contract.Field{Name: "labels", Type: contract.Map, Description: "Labels of the incident, texts."}
}

func people(name, doc string) contract.Field {
	return contract.Field{Name: name, Type: contract.List, Description: doc, Items: &contract.Field{Type: contract.String}}
}

// diary marks what only writes into tend's own records, as the action log does: it is done in every mode. Whether an
// incident is over, how bad it is and who is called follows from what was done, and is not said when nothing was.
func diary(s contract.Spec) contract.Spec {
	s.Effect = contract.Read
	return s
}

// spec gives what the specs of all of them share. Repeating a step with the same key changes nothing: idempotent.
func spec(name, summary, doc, example string, inputs ...contract.Field) contract.Spec {
	return contract.Spec{
		Name: name, Summary: summary, Effect: contract.Idempotent, Proven: true, Inputs: inputs,
		Doc: doc + " It is a change of the server that drives the run; elsewhere the step does not start. A repeat of the step changes nothing.",
		Outputs: []contract.Field{
			{Name: "id", Type: contract.String, Description: "Id of the incident."},
			{Name: "status", Type: contract.String, Description: "open, acknowledged, mitigated, resolved or merged."},
			{Name: "severity", Type: contract.String, Description: "critical, major, minor or info."},
			{Name: "title", Type: contract.String, Description: "Its title."},
			{Name: "firing", Type: contract.Number, Description: "How many of its alerts have not ended."},
		},
		Ends: []contract.End{
			{When: "the change is on disk", Outcome: "succeeded"},
			{When: "an input is wrong, and that was seen before the server was asked", Outcome: "not-started", Kind: fault.Invalid},
			{When: "no server drives the run, or it cannot write now", Outcome: "not-started", Kind: fault.Unavailable},
			{When: "the step was cancelled before it began", Outcome: "not-started", Kind: fault.Cancelled},
			{When: "the time limit passed before it began", Outcome: "not-started", Kind: fault.Timeout},
			{When: "an input is wrong, or the run is for no incident", Outcome: "failed", Kind: fault.Invalid},
			{When: "there is no such incident", Outcome: "failed", Kind: fault.NotFound},
			{When: "the state of the incident does not allow it: it is resolved or merged", Outcome: "failed", Kind: fault.Conflict},
			{When: "a bound of incidents was reached", Outcome: "failed", Kind: fault.Limit},
			{When: "the step was cancelled while the change was being written", Outcome: "in-doubt", Kind: fault.Cancelled},
			{When: "the time limit passed while the change was being written", Outcome: "in-doubt", Kind: fault.Timeout},
			{When: "the server cannot tell whether it was written", Outcome: "in-doubt", Kind: fault.Internal},
		},
		Examples: []contract.Example{{Title: summary[:len(summary)-1], YAML: example}},
	}
}

func kinds() []kind {
	return []kind{
		{diary(spec("incident/open", "Opens an incident.", "An open incident with the same key is given in its place. It is done in every mode, also where mutations are only observed.",
			"- uses: incident/open\n  with: {title: Payments fail, severity: major, key: payments}\n",
			required(text("title", "Its title.")), required(severityField()), text("summary", "What is known."),
			text("key", "Events with the same key join it."), labels())), openIt},
		{spec("incident/update", "Changes what an incident says of itself.", "What is not given, or empty, stays as it is.",
			"- uses: incident/update\n  with: {status: mitigated, next: Watch the error rate, within: 20m}\n",
			which(), text("title", "Its title."), severityField(), text("status", "open, acknowledged or mitigated."), text("summary", "What is known."),
			text("commander", "Who leads."), people("responders", "Who works on it: all of them."), people("stakeholders", "Who wants to know: all of them."),
			text("next", "The next step."), text("within", "When the next step is expected: in so long, as 20m."), labels(), text("why", "The reason, for those who read it later.")), updateIt},
		{diary(spec("incident/comment", "Adds a remark to an incident.", "It can be added afterwards too. It is done in every mode, also where mutations are only observed.",
			"- uses: incident/comment\n  with: {message: The rotated logs were removed.}\n",
			which(), required(text("message", "The remark, at most 64 kB.")))), commentOn},
		{spec("incident/page", "Calls people to an incident.",
			"They are called through the channels of the server with `pages: true`, whatever the severity of the incident: by a pager, in Slack each "+
				"by a direct message, by mail; they also hear that somebody has it, and that it is over. When nobody would be called, it does not begin.",
			"- uses: incident/page\n  with: {who: [oncall/storage], message: The disk could not be freed.}\n",
			which(), required(people("who", "Who is called: people by their address, duties (`oncall/NAME`), channels by their name.")), text("message", "What they are told.")), pageFor},
		{spec("incident/resolve", "Ends an incident.", "One that is over already is what was wanted.",
			"- uses: incident/resolve\n  with: {why: 'The alert is gone and the check holds.'}\n",
			which(), text("why", "The reason, for those who read it later.")), resolveIt},
	}
}
