// Package tell reaches people and other services through configured integrations: Slack, e-mail, PagerDuty, webhooks.
//
// A step names an integration (`integration: NAME`), and never an address with a token: those stand in the configuration.
// Where an earlier attempt may have arrived, it is looked for before it is repeated, if the service lets that be done.
package tell

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/exchange"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/message"
	"github.com/tendhq/tend/internal/slack"
)

// Dial connects, where egress allows.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Connections are the configured integrations. Name "" is the only one of its kind. Errors are of kind fault.Missing (there
// is none, or its secret is not there) or fault.Invalid (it is of another kind).
type Connections interface {
	// Slack gives a workspace, and the channel that it is used with when a step names none.
	Slack(ctx context.Context, name string, dial Dial) (c *slack.Client, channel string, err error)
	// Sender gives what tells by an integration of kind email, pagerduty or webhook.
	Sender(ctx context.Context, kind, name string, dial Dial) (message.Sender, error)
}

// All gives the actions. Without connections they can be described and do nothing.
func All(c Connections) []action.Action {
	if c == nil {
		c = none{}
	}
	var out []action.Action
	for _, k := range append(ofSlack(), ofOthers()...) {
		out = append(out, Action{k, c})
	}
	return out
}

type none struct{}

// Slack implements Connections.
func (none) Slack(context.Context, string, Dial) (*slack.Client, string, error) {
	return nil, "", missing()
}

// Sender implements Connections.
func (none) Sender(context.Context, string, string, Dial) (message.Sender, error) {
	return nil, missing()
}

func missing() error {
	return fault.New(fault.Missing, "no integration is configured").WithNext("add it to `integrations` of the configuration")
}

// kind is one of the actions.
type kind struct {
	spec contract.Spec
	run  func(ctx context.Context, c Connections, req action.Request, dial Dial) action.Result
}

// Action is one of the actions.
type Action struct {
	kind kind
	c    Connections
}

// Spec implements action.Action.
func (a Action) Spec() contract.Spec { return a.kind.spec }

// Run implements action.Action.
func (a Action) Run(ctx context.Context, req action.Request, log action.Log) action.Result {
	if ctx.Err() != nil {
		k, why := action.Stopped(ctx)
		return action.Never(k, why+" before anything was sent")
	}
	r := a.kind.run(ctx, a.c, req, action.Dialer{Egress: req.Egress}.DialContext)
	if r.Outcome == action.Succeeded {
		log("tend", []byte(a.kind.spec.Name+": done\n"))
	}
	return r
}

// result makes a Result of how something ended.
func result(e exchange.End, output map[string]any) action.Result {
	if e.OK() {
		return action.OK(output)
	}
	return action.Result{Outcome: e.Outcome, Output: output, Kind: e.Kind, Message: action.Clean(e.Why), After: e.After}
}

// some makes one Result for a step that did part of its work: it failed, or it is in doubt, and it did begin.
func some(e exchange.End, done int, output map[string]any) action.Result {
	r := result(e, output)
	if done > 0 && r.Outcome == action.NotStarted {
		r.Outcome = action.Failed
	}
	if done > 0 {
		r.Message = fmt.Sprintf("%s (%d before it were sent)", r.Message, done)
	}
	return r
}

// connection classifies why there is none.
func connection(err error) action.Result {
	k := fault.KindOf(err)
	if k != fault.Missing && k != fault.Invalid {
		k = fault.Missing
	}
	msg := err.Error()
	if next := fault.NextOf(err); next != "" {
		msg += ": " + next
	}
	return action.Never(k, msg)
}

// mark is the id of a message of a step: the same for all attempts.
func mark(req action.Request, part int) string {
	s := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", req.Key, part))
	return "msg_" + hex.EncodeToString(s[:16])
}

func integration(kind string) contract.Field {
	return contract.Field{
		Name: "integration", Type: contract.Integration,
		Description: "The configured connection, of kind " + kind + "; `integration:` of the step says the same. Without it the only one of that kind.",
	}
}

// ends are how a call ends that changes something.
func ends(service string, more ...contract.End) []contract.End {
	return append([]contract.End{
		{When: service + " took it", Outcome: "succeeded"},
		{When: service + " asks to wait (429); `Retry-After` is honoured", Outcome: "failed", Kind: fault.RateLimited},
		{When: service + " refuses the credentials, or the right to do this", Outcome: "failed", Kind: fault.Auth},
		{When: service + " does not know the place, the person or the thing", Outcome: "failed", Kind: fault.NotFound},
		{When: service + " does not take what was sent", Outcome: "failed", Kind: fault.Invalid},
		{When: service + " answers with another refusal", Outcome: "failed", Kind: fault.Status},
		{When: service + " says that it cannot now, and did not", Outcome: "failed", Kind: fault.Unavailable},
		{When: "the inputs are wrong, or the integration is of another kind", Outcome: "not-started", Kind: fault.Invalid},
		{When: "there is no such integration, or its secret is not there", Outcome: "not-started", Kind: fault.Missing},
		{When: "what is to be sent is too large", Outcome: "not-started", Kind: fault.Limit},
		{When: "egress does not allow the address", Outcome: "not-started", Kind: fault.Refused},
		{When: "the integration's key cannot be used", Outcome: "not-started", Kind: fault.Auth},
		{When: "no connection: the name, the address or the port", Outcome: "not-started", Kind: fault.Unreachable},
		{When: "no connection: the certificate or the handshake", Outcome: "not-started", Kind: fault.TLS},
		{When: "no connection in time", Outcome: "not-started", Kind: fault.Timeout},
		{When: "cancelled before there was a connection", Outcome: "not-started", Kind: fault.Cancelled},
		{When: "the connection broke while it was made", Outcome: "not-started", Kind: fault.Lost},
		{When: "no answer in time", Outcome: "in-doubt", Kind: fault.Timeout},
		{When: "cancelled while waiting for the answer", Outcome: "in-doubt", Kind: fault.Cancelled},
		{When: "the connection broke, or the answer broke off", Outcome: "in-doubt", Kind: fault.Lost},
		{When: service + " has a problem of its own (5xx)", Outcome: "in-doubt", Kind: fault.Unavailable},
		{When: "what came back cannot be read", Outcome: "in-doubt", Kind: fault.Parse},
		{When: "what came back is longer than 4 MiB", Outcome: "in-doubt", Kind: fault.Limit},
	}, more...)
}

// steps are the ends of what needs several calls: a part was done, or something was looked up before.
func steps() []contract.End {
	return []contract.End{
		{When: "no answer in time, to something that only looks", Outcome: "failed", Kind: fault.Timeout},
		{When: "cancelled after the first part, or while something was looked up", Outcome: "failed", Kind: fault.Cancelled},
		{When: "the connection broke while something was looked up, or after the first part", Outcome: "failed", Kind: fault.Lost},
		{When: "no connection, after the first part", Outcome: "failed", Kind: fault.Unreachable},
		{When: "no connection, after the first part: the certificate or the handshake", Outcome: "failed", Kind: fault.TLS},
		{When: "egress does not allow an address that Slack gave", Outcome: "failed", Kind: fault.Refused},
		{When: "the answer to something that only looks cannot be read", Outcome: "failed", Kind: fault.Parse},
		{When: "there is too much to look through", Outcome: "failed", Kind: fault.Limit},
	}
}
