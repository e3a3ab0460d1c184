// Package handover gives what a run made to one person, once: a new account's password, a token.
//
// The server that drives the run keeps it, encrypted, until that person takes it or its time is over; the run keeps nothing
// that could be read. Where no server drives the run, nothing begins.
package handover

import (
	"context"
	"time"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
)

// Request is what is handed over, and to whom.
type Request struct {
	Key   string // of the step: a repeat hands over the same
	Run   string
	Step  string
	To    string // principal
	Title string
	Value secret.Value
	For   time.Duration // how long it waits
}

// Desk is the server's.
type Desk interface {
	// HandOver lets something wait for somebody. Errors of kind Invalid are about the request, Unavailable says that nothing
	// was kept, others that nobody knows.
	HandOver(ctx context.Context, r Request) (name string, expires time.Time, err error)
}

// Action implements action.Action.
type Action struct{ desk func() Desk }

// New makes the action. desk gives the server's desk when a step runs; nil, or a nil answer: there is none.
func New(desk func() Desk) Action { return Action{desk} }

type inputs struct {
	To      string        `in:"to"`
	Value   action.Text   `in:"value"`
	Title   string        `in:"title"`
	Expires time.Duration `in:"expires"`
}

// Spec implements action.Action.
func (Action) Spec() contract.Spec {
	return contract.Spec{
		Name: "handover", Summary: "Hands a secret that the run made over to one person, once.",
		Doc: `The person takes it with ` + "`tend handovers take`" + ` (or the interface), signed on as themselves; nobody else can, whatever their role. Then
it is gone for good, as it is when its time is over. Who took it, from where and when is in the audit trail.

Until then the server keeps it encrypted under a key of its own, which is in no backup. When it is gone and the run has ended, what the run
had recorded of the value, sealed, is erased too: give the value as a step has it as a secret output, not as a part of a longer text.

It is a change of the server that drives the run; elsewhere the step does not start. A repeat of the step hands over the same.`,
		Effect: contract.Idempotent, Proven: true, Targets: []string{"person:{{ .to }}"},
		Inputs: []contract.Field{
			{Name: "to", Type: contract.String, Required: true, Description: "Whom it is for, as they sign on: user:ann@example.org, or token:NAME. `{{ $.run.for }}` is who asked for the run."},
			{Name: "value", Type: contract.String, Required: true, Sensitive: true, Description: "What is handed over, up to 16 KiB."},
			{Name: "title", Type: contract.String, Description: "What it is, for the person. It is shown and recorded."},
			{Name: "expires", Type: contract.String, Default: "24h", Description: "How long it waits: between 1m and 720h."},
		},
		Outputs: []contract.Field{
			{Name: "id", Type: contract.String, Description: "What the person takes it by."},
			{Name: "expires", Type: contract.String, Description: "When it is gone, as RFC 3339."},
		},
		Ends: []contract.End{
			{When: "it waits for the person", Outcome: "succeeded"},
			{When: "an input is wrong", Outcome: "not-started", Kind: fault.Invalid},
			{When: "no server drives the run, or it cannot write now", Outcome: "not-started", Kind: fault.Unavailable},
			{When: "the step was cancelled before it began", Outcome: "not-started", Kind: fault.Cancelled},
			{When: "the time limit passed before it began", Outcome: "not-started", Kind: fault.Timeout},
			{When: "the step was cancelled while it was being written", Outcome: "in-doubt", Kind: fault.Cancelled},
			{When: "the time limit passed while it was being written", Outcome: "in-doubt", Kind: fault.Timeout},
			{When: "the server cannot tell whether it was written", Outcome: "in-doubt", Kind: fault.Internal},
		},
		Examples: []contract.Example{{Title: "Hand a password over to who asked", YAML: `- uses: handover
  with:
    to: '{{ $.run.for }}'
    value: '{{ $.steps.account.password }}'
    title: Password of your account
    expires: 48h
`}},
	}
}

// Run implements action.Action.
func (a Action) Run(ctx context.Context, req action.Request, _ action.Log) action.Result {
	if ctx.Err() != nil {
		k, why := action.Stopped(ctx)
		return action.Never(k, why+" before anything was handed over")
	}
	in := inputs{Expires: 24 * time.Hour}
	if err := action.Decode(req.Inputs, &in); err != nil {
		return action.Never(fault.Invalid, err.Error())
	}
	var d Desk
	if a.desk != nil {
		d = a.desk()
	}
	if d == nil {
		return action.Never(fault.Unavailable, "no server drives this run: handing over is a server's (tend serve)")
	}
	name, expires, err := d.HandOver(ctx, Request{
		Key: req.Key, Run: req.Run, Step: req.Step, To: in.To, Title: in.Title, Value: secret.New(in.Value.Reveal()), For: in.Expires,
	})
	switch k := fault.KindOf(err); {
	case err == nil:
		return action.OK(map[string]any{"id": name, "expires": expires.UTC().Format(time.RFC3339)})
	case ctx.Err() != nil, k == fault.Cancelled:
		k, why := action.Stopped(ctx)
		return action.Doubt(k, why+" while it was being written")
	case k == fault.Invalid, k == fault.Unavailable:
		return action.Never(k, err.Error())
	default:
		return action.Doubt(fault.Internal, err.Error())
	}
}
