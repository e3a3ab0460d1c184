// Package sql executes statements on PostgreSQL databases.
//
// Each attempt opens a connection, does its work in one transaction and closes it again: nothing is shared between
// steps. Values reach the server as parameters and never as text of a statement.
//
// How an attempt ends is told apart by what was sent. Before the statement was sent, nothing began. While it runs, a
// cancel or a passed deadline sends a cancel request, and the server's answer that it cancelled means that the
// transaction is undone: a known failure. When no answer comes, or the connection breaks under a statement that may
// change something or under COMMIT, nobody knows, and the outcome is in doubt. That is stricter than the protocol needs
// for a transaction whose COMMIT was not sent, because functions can act outside of it.
package sql

import (
	"context"
	"time"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/fault"
)

// Action is `sql`: one statement of the document's.
type Action struct{}

// New gives the action.
func New() Action { return Action{} }

type inputs struct {
	Query       string        `in:"query"`
	Params      []any         `in:"params"`
	ReadOnly    *bool         `in:"readOnly"`
	Transaction *bool         `in:"transaction"`
	Timeout     time.Duration `in:"timeout"`
	MaxRows     int           `in:"maxRows"`
}

// Run implements action.Action.
func (Action) Run(ctx context.Context, req action.Request, log action.Log) action.Result {
	var in inputs
	d, err := readInputs(req, &in)
	if err != nil {
		return never(err)
	}
	readOnly := req.Effect == contract.Read
	if in.ReadOnly != nil {
		readOnly = *in.ReadOnly
	}
	st := statement{
		query: in.Query, params: in.Params, readOnly: readOnly, transaction: in.Transaction == nil || *in.Transaction,
		timeout: orDefault(in.Timeout, 5*time.Minute), maxRows: orDefault(in.MaxRows, 1000),
	}
	if st.readOnly && !st.transaction {
		return never(fault.New(fault.Invalid, "inputs readOnly and transaction: only a transaction can be read only"))
	}
	if err := refuseCopy(st.query); err != nil {
		return never(err)
	}
	if st.maxRows < 0 || st.timeout < 0 {
		return never(fault.New(fault.Invalid, "inputs maxRows and timeout: they cannot be negative"))
	}
	s, err := open(ctx, d, req, log)
	if err != nil {
		return never(err)
	}
	defer s.close()
	out, res := s.execute(ctx, st)
	if res.Outcome != action.Succeeded {
		return res
	}
	if out.truncated {
		s.say("the result has more rows than the %d that are kept", len(out.rows))
	}
	return action.OK(out.output())
}

// never is an end before any effect.
func never(err error) action.Result {
	k := fault.KindOf(err)
	message := err.Error()
	if next := fault.NextOf(err); next != "" {
		message += ". Next: " + next
	}
	return action.Never(k, message)
}
