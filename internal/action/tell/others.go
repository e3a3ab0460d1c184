package tell

import (
	"context"
	"time"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/message"
)

func ofOthers() []kind {
	return []kind{
		{mail(), runMail},
		{trigger(), runAlert(message.Opens)},
		{settle("acknowledge", "Says in PagerDuty that somebody has an alert."), runAlert(message.Takes)},
		{settle("resolve", "Says in PagerDuty that an alert is over."), runAlert(message.Ends)},
		{hook(), runHook},
	}
}

func mail() contract.Spec {
	return contract.Spec{
		Name: "email/send", Summary: "Sends an e-mail.",
		Doc: "One plain text for all recipients, through the integration's mail server. The Message-ID is the step's, the same for every " +
			"attempt: a mail of which nobody knows whether it was taken, and that is sent again, is the same mail for those who look.",
		Effect: contract.Mutate,
		Inputs: []contract.Field{
			integration("email"),
			{Name: "to", Type: contract.List, Items: &contract.Field{Type: contract.String}, Description: "Addresses. Without it the integration's."},
			{Name: "subject", Type: contract.String, Required: true, Description: "The subject."},
			{Name: "text", Type: contract.String, Required: true, Description: "The text."},
		},
		Outputs: []contract.Field{{Name: "messageId", Type: contract.String, Description: "The Message-ID, without its brackets."}},
		Targets: []string{"email:{{ .to }}"},
		Ends:    ends("the mail server", contract.End{When: "the conversation broke before the mail was sent", Outcome: "failed", Kind: fault.Lost}),
		Examples: []contract.Example{{
			Title: "Tell a team", YAML: "- uses: email/send\n  integration: post\n  with: {to: [team@example.org], subject: 'Backup of {{ $.params.host }} is old', text: 'Look at it today.'}\n",
		}},
	}
}

func runMail(ctx context.Context, cs Connections, req action.Request, dial Dial) action.Result {
	var in struct {
		Integration string   `in:"integration"`
		To          []string `in:"to"`
		Subject     string   `in:"subject"`
		Text        string   `in:"text"`
	}
	if err := action.Decode(req.Inputs, &in); err != nil {
		return action.Never(fault.Invalid, err.Error())
	}
	list, _ := places(in.To, "")
	return send(ctx, cs, "email", in.Integration, dial, message.Message{ID: mark(req, 0), Title: in.Subject, Text: in.Text, To: list}, req)
}

// send tells by a sender. An attempt after the first may be a repeat.
func send(ctx context.Context, cs Connections, kind, name string, dial Dial, m message.Message, req action.Request) action.Result {
	s, err := cs.Sender(ctx, kind, name, dial)
	if err != nil {
		return connection(err)
	}
	m.At, m.Again = time.Now(), req.Attempt > 1
	r := s.Send(ctx, m)
	return result(r.End, r.Remote)
}

const eventsAPI = "\n\nIt follows PagerDuty's Events API v2, and is tested against a stand-in of it."

func key() contract.Field {
	return contract.Field{Name: "key", Type: contract.String, Required: true, Description: "What the alert is called (`dedup_key`), at most 255 characters."}
}

func trigger() contract.Spec {
	f := key()
	f.Required, f.Description = false, "What the alert is called (`dedup_key`), at most 255 characters: while one is open, another of this name is not made. Without it the step's own."
	return contract.Spec{
		Name: "pagerduty/trigger", Summary: "Raises an alert in PagerDuty.",
		Doc: "A repeat with the same key changes nothing while the alert is open, so that an attempt after one in doubt calls nobody twice. " +
			"Which service is called follows from the integration's key." + eventsAPI,
		Effect: contract.Mutate,
		Inputs: []contract.Field{
			integration("pagerduty"), f,
			{Name: "summary", Type: contract.String, Required: true, Description: "What is wrong, in a line."},
			{Name: "severity", Type: contract.String, Default: "critical", Enum: []any{"critical", "major", "minor", "info"}, Description: "How bad it is; PagerDuty calls major error, and minor warning."},
			{Name: "source", Type: contract.String, Description: "What is affected: a host, a service."},
			{Name: "details", Type: contract.Map, Description: "More, as data."},
			{Name: "link", Type: contract.String, Description: "An address to look at."},
		},
		Outputs: []contract.Field{{Name: "key", Type: contract.String, Description: "The alert's key, for acknowledge and resolve."}},
		Targets: []string{"pagerduty:{{ .key }}"},
		Ends:    ends("PagerDuty"),
		Examples: []contract.Example{{
			Title: "Call somebody, and take it back",
			YAML:  "- id: call\n  uses: pagerduty/trigger\n  integration: duty\n  with: {summary: 'Failover of {{ $.params.host }} did not work', severity: critical, source: '{{ $.params.host }}'}\n- uses: pagerduty/resolve\n  integration: duty\n  with: {key: '{{ $.steps.call.key }}'}\n",
		}},
	}
}

func settle(verb, summary string) contract.Spec {
	return contract.Spec{
		Name: "pagerduty/" + verb, Summary: summary,
		Doc: "An alert that is not there is no failure: PagerDuty does not say. The effect is `idempotent`." + eventsAPI, Effect: contract.Idempotent,
		Inputs:  []contract.Field{integration("pagerduty"), key()},
		Outputs: []contract.Field{{Name: "key", Type: contract.String, Description: "The alert's key."}},
		Targets: []string{"pagerduty:{{ .key }}"},
		Ends:    ends("PagerDuty"),
		Examples: []contract.Example{{
			Title: "By the key of the alert", YAML: "- uses: pagerduty/" + verb + "\n  integration: duty\n  with: {key: 'failover-db-1'}\n",
		}},
	}
}

func runAlert(step message.Step) func(context.Context, Connections, action.Request, Dial) action.Result {
	return func(ctx context.Context, cs Connections, req action.Request, dial Dial) action.Result {
		var in struct {
			Integration string         `in:"integration"`
			Key         string         `in:"key"`
			Summary     string         `in:"summary"`
			Severity    string         `in:"severity"`
			Source      string         `in:"source"`
			Details     map[string]any `in:"details"`
			Link        string         `in:"link"`
		}
		if err := action.Decode(req.Inputs, &in); err != nil {
			return action.Never(fault.Invalid, err.Error())
		}
		m := message.Message{ID: mark(req, 0), Key: in.Key, Step: step, Title: in.Summary, Severity: in.Severity, Data: in.Details}
		if action.HasSecret(m.Data) {
			return action.Never(fault.Invalid, "input details: a secret cannot be given here")
		}
		if in.Source != "" {
			m.Facts = []message.Fact{{Name: "source", Value: in.Source}}
		}
		if in.Link != "" {
			m.Links = []entry.Link{{URL: in.Link}}
		}
		return send(ctx, cs, "pagerduty", in.Integration, dial, m, req)
	}
}

func hook() contract.Spec {
	return contract.Spec{
		Name: "webhook/send", Summary: "Sends a signed message to another program.",
		Doc: "By Standard Webhooks: JSON with `type`, `timestamp` and `data`; `webhook-id` is the step's, the same for every attempt, so that the " +
			"receiver can tell a repeat; `webhook-signature` proves who sent it. Address and key are the integration's.",
		Effect: contract.Mutate,
		Inputs: []contract.Field{
			integration("webhook"),
			{Name: "type", Type: contract.String, Required: true, Description: "What kind of news it is: `backup.missing`."},
			{Name: "text", Type: contract.String, Description: "For people."},
			{Name: "details", Type: contract.Map, Description: "For programs."},
		},
		Outputs: []contract.Field{{Name: "id", Type: contract.String, Description: "The id that the receiver knows it by."}},
		Targets: []string{"webhook:{{ .integration }}"},
		Ends:    ends("the receiver"),
		Examples: []contract.Example{{
			Title: "Tell the ticket system", YAML: "- uses: webhook/send\n  integration: tickets\n  with: {type: backup.missing, details: {host: '{{ $.params.host }}'}}\n",
		}},
	}
}

func runHook(ctx context.Context, cs Connections, req action.Request, dial Dial) action.Result {
	var in struct {
		Integration string         `in:"integration"`
		Type        string         `in:"type"`
		Text        string         `in:"text"`
		Details     map[string]any `in:"details"`
	}
	if err := action.Decode(req.Inputs, &in); err != nil {
		return action.Never(fault.Invalid, err.Error())
	}
	if action.HasSecret(in.Details) {
		return action.Never(fault.Invalid, "input details: a secret cannot be given here")
	}
	return send(ctx, cs, "webhook", in.Integration, dial, message.Message{ID: mark(req, 0), Type: in.Type, Text: in.Text, Data: in.Details}, req)
}
