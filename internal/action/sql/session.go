package sql

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/fault"
)

const (
	// commitLimit bounds the wait for the answer to COMMIT, also after a cancel: what was sent must be answered or be in
	// doubt.
	commitLimit = 30 * time.Second
	// closeLimit bounds what is done for politeness at the end.
	closeLimit = 2 * time.Second
	// maxBytes bounds the rows that are kept.
	maxBytes = 16 << 20
)

// session is one connection in the hands of one attempt.
type session struct {
	conn     *pgconn.PgConn
	db       *database
	deadline time.Time
	log      action.Log
	limit    time.Duration // of the statement
}

// statement is what to execute.
type statement struct {
	query       string
	params      []any
	readOnly    bool
	transaction bool
	timeout     time.Duration
	maxRows     int
}

func open(ctx context.Context, d *database, req action.Request, log action.Log) (*session, error) {
	name := "tend"
	if req.Run != "" {
		name += " " + req.Run
	}
	s := &session{db: d, deadline: req.Deadline, log: log}
	conn, err := d.connect(ctx, req.Egress, req.Dir, name, func(line string) { log("stderr", []byte(line+"\n")) })
	if err != nil {
		return nil, err
	}
	s.conn = conn
	return s, nil
}

func (s *session) close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeLimit)
	defer cancel()
	_ = s.conn.Close(ctx)
	select {
	case <-s.conn.CleanupDone():
	case <-ctx.Done(): // the server does not even answer to a cancel request; its sending ends by itself
	}
}

func (s *session) say(format string, a ...any) { s.log("tend", fmt.Appendf(nil, format+"\n", a...)) }

// execute does the whole statement, COMMIT included. The result's Output is not set.
func (s *session) execute(ctx context.Context, st statement) (*table, action.Result) {
	if err := s.begin(ctx, st); err != nil {
		return nil, action.Never(s.kind(ctx, err), "begin a transaction: "+s.db.say.err(err))
	}
	desc, err := s.conn.Prepare(ctx, "", st.query, nil)
	if err != nil {
		var pg *pgconn.PgError
		if errors.As(err, &pg) {
			return nil, action.Fail(fault.Query, s.db.say.err(err)+place(st.query, pg))
		}
		return nil, action.Never(s.kind(ctx, err), "prepare the statement: "+s.db.say.err(err))
	}
	params, err := encode(st.params, desc.ParamOIDs)
	if err != nil {
		return nil, never(err)
	}
	t := newTable(desc.Fields, st.maxRows)
	rr := s.conn.ExecPrepared(ctx, "", params, nil, nil)
	for rr.NextRow() {
		t.add(rr.Values())
		if t.truncated && st.readOnly {
			// The rest is not wanted, and what is undone had no effect: ending the connection ends the statement.
			_ = s.conn.CancelRequest(ctx)
			t.command = "SELECT " + strconv.Itoa(len(t.rows))
			t.count = int64(len(t.rows))
			return t, action.Result{Outcome: action.Succeeded}
		}
	}
	tag, err := rr.Close()
	if err != nil {
		return nil, s.broken(ctx, st, err)
	}
	t.command, t.count = tag.String(), tag.RowsAffected()
	if !st.transaction {
		return t, action.Result{Outcome: action.Succeeded}
	}
	if ctx.Err() != nil {
		k, why := action.Stopped(ctx)
		if err := s.simple(context.WithoutCancel(ctx), closeLimit, "rollback"); err != nil && !st.readOnly && s.conn.TxStatus() != 'I' {
			// COMMIT was not sent: the server will undo it when it notices that the connection is gone.
			return nil, action.Doubt(k, why+"; the server did not confirm that it undid the statement")
		}
		return nil, action.Fail(k, why+" before the commit; the statement was undone")
	}
	return t, s.commit(ctx, st)
}

// begin starts the transaction, if there is one, and pins the settings that decide how values are written.
func (s *session) begin(ctx context.Context, st statement) error {
	s.limit = st.timeout
	if !s.deadline.IsZero() {
		s.limit = min(s.limit, time.Until(s.deadline).Round(time.Millisecond))
	}
	local := "set "
	script := ""
	if st.transaction {
		local = "set local "
		script = "begin isolation level read committed read write; "
		if st.readOnly {
			script = "begin isolation level read committed read only; "
		}
	}
	for _, setting := range []string{
		"statement_timeout = " + strconv.FormatInt(max(s.limit.Milliseconds(), 1), 10),
		"datestyle = 'ISO, YMD'", "intervalstyle = 'postgres'", "timezone = 'UTC'", "extra_float_digits = 1", "bytea_output = 'hex'",
		"standard_conforming_strings = on",
	} {
		script += local + setting + "; "
	}
	// The select takes the transaction's first snapshot, after which it cannot be made writable any more.
	return s.simple(ctx, 0, script+"select 1")
}

func (s *session) simple(ctx context.Context, limit time.Duration, script string) error {
	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	_, err := s.conn.Exec(ctx, script).ReadAll()
	return err
}

// broken judges the end of a statement that was sent and did not succeed.
func (s *session) broken(ctx context.Context, st statement, err error) action.Result {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch {
		case pg.Code == "57014" && ctx.Err() != nil:
			k, why := action.Stopped(ctx)
			return action.Fail(k, why+"; the server confirmed that it cancelled the statement")
		case pg.Code == "57014":
			return action.Fail(fault.Timeout, "the server ended the statement after "+s.limit.String()+": "+s.db.say.err(err))
		case fatal(pg) && !st.transaction && !st.readOnly:
			return action.Doubt(fault.Lost, s.db.say.err(err))
		case fatal(pg):
			return action.Fail(fault.Lost, "the server ended the connection and undid the statement: "+s.db.say.err(err))
		}
		return action.Fail(fault.Query, s.db.say.err(err)+place(st.query, pg))
	}
	k := s.kind(ctx, err)
	if pgconn.SafeToRetry(err) {
		return action.Never(k, "send the statement: "+s.db.say.err(err))
	}
	if st.readOnly {
		return action.Fail(k, "the connection was lost during the statement: "+s.db.say.err(err))
	}
	return action.Doubt(k, "the connection was lost during the statement: "+s.db.say.err(err))
}

// commit sends COMMIT and waits for the answer even if the step is cancelled meanwhile: it is too late to stop.
func (s *session) commit(ctx context.Context, st statement) action.Result {
	ctx = context.WithoutCancel(ctx)
	ctx, cancel := context.WithTimeout(ctx, commitLimit)
	defer cancel()
	results, err := s.conn.Exec(ctx, "commit").ReadAll()
	var pg *pgconn.PgError
	switch {
	case err == nil && len(results) == 1 && results[0].CommandTag.String() == "COMMIT":
		return action.Result{Outcome: action.Succeeded}
	case err == nil:
		return action.Fail(fault.Query, "the server rolled the transaction back at the commit")
	case st.readOnly:
		return action.Result{Outcome: action.Succeeded} // the rows are here, and there was nothing to keep
	case errors.As(err, &pg) && !fatal(pg):
		return action.Fail(fault.Query, "commit: "+s.db.say.err(err))
	}
	return action.Doubt(s.kind(ctx, err), "the connection was lost after COMMIT was sent: "+s.db.say.err(err))
}

// fatal tells that the server ends the connection with this error.
func fatal(pg *pgconn.PgError) bool {
	severity := orDefault(pg.SeverityUnlocalized, pg.Severity)
	return severity == "FATAL" || severity == "PANIC"
}

// kind is that of an error of the connection.
func (s *session) kind(ctx context.Context, err error) fault.Kind {
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &pg) && fatal(pg):
		return fault.Lost
	case errors.As(err, &pg):
		return fault.Query
	case ctx.Err() != nil:
		k, _ := action.Stopped(ctx)
		return k
	}
	return fault.Lost
}
