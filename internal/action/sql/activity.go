package sql

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/value"
)

// Sessions is `postgres/sessions`: who has been busy, or has held a transaction open, for too long.
type Sessions struct{}

// Terminate is `postgres/terminate`: end sessions by their process ids and see that they are gone.
type Terminate struct{}

// legacyConnection maps the inputs of the older dialect's psql steps.
func legacyConnection(more map[string]string) map[string]string {
	m := map[string]string{"HOST": "host", "PORT": "port", "DB": "database", "USER": "user", "PASSWORD": "password"}
	for k, v := range more {
		m[k] = v
	}
	return m
}

// Spec implements action.Action.
func (Sessions) Spec() contract.Spec {
	return contract.Spec{
		Name:    "postgres/sessions",
		Summary: "Lists the sessions of a PostgreSQL server whose statement or transaction runs too long.",
		Doc: `Client sessions of all databases that are not idle and whose current statement or transaction began at least
` + "`longerThan`" + ` ago, the longest first. Sessions that sit idle inside a transaction count: they hold locks and keep vacuum from
cleaning. Process ids are text, as in every list that people choose from.

The user needs the role pg_read_all_stats: without it the server hides the sessions of others, and the step fails rather
than show a list that would be too short.`,
		Effect: contract.Read,
		Proven: true,
		Inputs: append(connectionFields(),
			contract.Field{Name: "longerThan", Type: contract.Duration, Default: "5m", Description: "Shortest age of the sessions to list."},
			contract.Field{Name: "maxRows", Type: contract.Number, Default: int64(200), Description: "Sessions that are listed."},
		),
		Outputs: []contract.Field{
			{Name: "sessions", Type: contract.List, Description: "The sessions.", Items: &contract.Field{Type: contract.Map, Fields: []contract.Field{
				{Name: "pid", Type: contract.String, Description: "Process id of the session."},
				{Name: "age", Type: contract.String, Description: "How long ago its statement began."},
				{Name: "xact_age", Type: contract.String, Description: "How long ago its transaction began."},
				{Name: "seconds", Type: contract.Number, Description: "The longer of the two, in seconds."},
				{Name: "state", Type: contract.String, Description: "What it does: active, idle in transaction, and so on."},
				{Name: "datname", Type: contract.String, Description: "Its database."},
				{Name: "usename", Type: contract.String, Description: "Its user."},
				{Name: "application_name", Type: contract.String, Description: "What its client calls itself."},
				{Name: "client_addr", Type: contract.String, Description: "Address of its client; null for a Unix socket."},
				{Name: "client_port", Type: contract.Number, Description: "Port of its client."},
				{Name: "wait_event_type", Type: contract.String, Description: "What kind of thing it waits for."},
				{Name: "wait_event", Type: contract.String, Description: "What it waits for."},
				{Name: "blocked_by", Type: contract.List, Description: "Process ids of the sessions whose locks it waits for."},
				{Name: "query", Type: contract.String, Description: "Its statement, or the last one."},
			}}},
			{Name: "count", Type: contract.Number, Description: "How many there are in the list."},
		},
		Targets: []string{connectionTarget},
		Ends: append(connectionEnds(),
			contract.End{When: "the list was read, empty or not", Outcome: "succeeded"},
			contract.End{When: "the user may not see the sessions of others", Outcome: "failed", Kind: fault.Refused},
			contract.End{When: "the server refused the query", Outcome: "failed", Kind: fault.Query},
			contract.End{When: "the time limit passed", Outcome: "failed", Kind: fault.Timeout},
			contract.End{When: "the step was cancelled", Outcome: "failed", Kind: fault.Cancelled},
			contract.End{When: "the connection was lost", Outcome: "failed", Kind: fault.Lost},
		),
		Examples: []contract.Example{{Title: "Sessions that have been busy for ten minutes", YAML: `- id: long
  uses: postgres/sessions
  with:
    host: db-1.internal
    user: tend
    password: '{{ secret "db_password" }}'
    longerThan: 10m
`}},
		Aliases: []contract.Alias{{
			Name:    "psql/query/long-running-sessions",
			Inputs:  legacyConnection(map[string]string{"LONG_DURATION_SECONDS": "longerThan"}),
			Outputs: map[string]string{"data": ".sessions"},
		}},
	}
}

const sessionsQuery = `
select pid::text, date_trunc('milliseconds', now() - query_start) as age, date_trunc('milliseconds', now() - xact_start) as xact_age,
  round(extract(epoch from now() - least(query_start, xact_start)), 3) as seconds,
  state, datname, usename, application_name, client_addr, client_port, wait_event_type, wait_event, pg_blocking_pids(pid)::text[] as blocked_by, query
from pg_stat_activity
where backend_type = 'client backend' and state <> 'idle' and pid <> pg_backend_pid()
  and least(query_start, xact_start) <= now() - make_interval(secs => $1::float8)
order by seconds desc, pid`

// Run implements action.Action.
func (Sessions) Run(ctx context.Context, req action.Request, log action.Log) action.Result {
	var in struct {
		LongerThan time.Duration `in:"longerThan"`
		MaxRows    int           `in:"maxRows"`
	}
	d, err := readInputs(req, &in)
	if err == nil && (in.LongerThan < 0 || in.MaxRows < 0) {
		err = fault.New(fault.Invalid, "inputs longerThan and maxRows: they cannot be negative")
	}
	if err != nil {
		return never(err)
	}
	s, err := open(ctx, d, req, log)
	if err != nil {
		return never(err)
	}
	defer s.close()
	t, result := s.execute(ctx, statement{query: hiddenQuery, readOnly: true, transaction: true, timeout: time.Minute, maxRows: 1})
	if result.Outcome != action.Succeeded {
		return result
	}
	if n := t.output()["value"]; n != int64(0) {
		return action.Fail(fault.Refused, fmt.Sprintf("%v sessions of other users are hidden from this user. Next: grant pg_read_all_stats to it", n))
	}
	t, result = s.execute(ctx, statement{
		query: sessionsQuery, params: []any{in.LongerThan.Seconds()}, readOnly: true, transaction: true,
		timeout: time.Minute, maxRows: orDefault(in.MaxRows, 200),
	})
	if result.Outcome != action.Succeeded {
		return result
	}
	return action.OK(map[string]any{"sessions": t.rows, "count": int64(len(t.rows))})
}

// Spec implements action.Action.
func (Terminate) Spec() contract.Spec {
	return contract.Spec{
		Name:    "postgres/terminate",
		Summary: "Ends sessions of a PostgreSQL server, by process id.",
		Doc: `Signals the client sessions with the given process ids to end, which undoes their transactions, and waits until
they are gone. Ids of no client session are left alone and listed as missing; so are background processes of the server
and this connection itself. The user needs the role pg_signal_backend, or to be the one whose sessions they are.`,
		Effect: contract.Mutate,
		Inputs: append(connectionFields(),
			contract.Field{Name: "pids", Type: contract.List, Required: true, Description: "Process ids of the sessions.", Items: &contract.Field{Type: contract.String}},
			contract.Field{Name: "within", Type: contract.Duration, Default: "10s", Description: "How long to wait until they are gone. 0 does not wait."},
		),
		Outputs: []contract.Field{
			{Name: "terminated", Type: contract.List, Description: "Process ids of sessions that are gone; with within 0, that were signalled.", Items: &contract.Field{Type: contract.String}},
			{Name: "remaining", Type: contract.List, Description: "Process ids of sessions that were signalled and are still there.", Items: &contract.Field{Type: contract.String}},
			{Name: "missing", Type: contract.List, Description: "Process ids of no client session.", Items: &contract.Field{Type: contract.String}},
			{Name: "count", Type: contract.Number, Description: "How many were terminated."},
		},
		Targets: []string{connectionTarget},
		Ends: append(connectionEnds(),
			contract.End{When: "the sessions are gone, or were not there", Outcome: "succeeded"},
			contract.End{When: "a session was still there after within", Outcome: "failed", Kind: fault.Verify},
			contract.End{When: "the server refused, for example for lack of the right", Outcome: "failed", Kind: fault.Query},
			contract.End{When: "the time limit passed before a signal was sent", Outcome: "failed", Kind: fault.Timeout},
			contract.End{When: "the step was cancelled before a signal was sent", Outcome: "failed", Kind: fault.Cancelled},
			contract.End{When: "the server ended the connection first", Outcome: "failed", Kind: fault.Lost},
			contract.End{When: "the connection was lost after the signals were sent", Outcome: "in-doubt", Kind: fault.Lost},
			contract.End{When: "the time limit passed after the signals were sent", Outcome: "in-doubt", Kind: fault.Timeout},
			contract.End{When: "the step was cancelled after the signals were sent", Outcome: "in-doubt", Kind: fault.Cancelled},
			contract.End{When: "the server refused to say whether the sessions are gone", Outcome: "in-doubt", Kind: fault.Query},
		),
		Examples: []contract.Example{{Title: "End the sessions that have been busy for an hour, when a person agrees", YAML: `- id: long
  uses: postgres/sessions
  with:
    host: db-1.internal
    user: tend
    password: '{{ secret "db_password" }}'
    longerThan: 1h
- when: steps.long.count > 0
  uses: postgres/terminate
  approval: {within: 15m}
  with:
    host: db-1.internal
    user: tend
    password: '{{ secret "db_password" }}'
    pids: '{{ $.steps.long.sessions[:].pid }}'
`}},
		Aliases: []contract.Alias{{
			Name:   "psql/query/terminate",
			Inputs: legacyConnection(map[string]string{"PIDS": "pids"}),
			// The older step signalled and did not look back: its documents wait and look themselves.
			With:    map[string]any{"within": "0s"},
			Outputs: map[string]string{"data": ".terminated"},
		}},
	}
}

// The server shows nothing of other users' sessions to a user without the right, so that this right must be there before
// an empty list can mean anything.
const hiddenQuery = `
select count(*) from pg_stat_activity where datid is not null and usesysid is not null and query = '<insufficient privilege>'`

const (
	// A type that is hidden from the user is left to the server to judge: it refuses to signal.
	terminateQuery = `
select pid::text, backend_start::text as born, pg_terminate_backend(pid) as signalled
from pg_stat_activity
where pid = any($1::int[]) and coalesce(backend_type, 'client backend') = 'client backend' and pid <> pg_backend_pid()`

	// A process id can belong to another session by now; with the time of its birth it is the same one.
	aliveQuery = `
select pid::text from pg_stat_activity, unnest($1::int[], $2::text[]) as asked(id, born)
where pid = id and backend_start = born::timestamptz`

	lookEvery = 200 * time.Millisecond
)

// Run implements action.Action.
func (Terminate) Run(ctx context.Context, req action.Request, log action.Log) action.Result {
	var in struct {
		PIDs   []string      `in:"pids"`
		Within time.Duration `in:"within"`
	}
	d, err := readInputs(req, &in)
	if err != nil {
		return never(err)
	}
	if in.Within < 0 {
		return never(fault.New(fault.Invalid, "input within: it cannot be negative"))
	}
	asked := make([]any, len(in.PIDs))
	for i, p := range in.PIDs {
		n, err := strconv.ParseInt(strings.TrimSpace(p), 10, 32)
		if err != nil || n < 1 {
			return never(fault.New(fault.Invalid, "input pids: %.40q is not a process id", p))
		}
		asked[i] = strconv.FormatInt(n, 10)
	}
	s, err := open(ctx, d, req, log)
	if err != nil {
		return never(err)
	}
	defer s.close()
	t, result := s.execute(ctx, statement{query: terminateQuery, params: []any{asked}, transaction: true, timeout: time.Minute, maxRows: len(asked) + 1})
	if result.Outcome != action.Succeeded {
		return result
	}
	k := kill{missing: map[string]bool{}}
	for _, p := range asked {
		k.missing[value.Text(p)] = true
	}
	for _, r := range t.rows {
		row, _ := r.(map[string]any)
		pid := value.Text(row["pid"])
		delete(k.missing, pid)
		k.pids, k.born = append(k.pids, pid), append(k.born, row["born"])
	}
	alive, result := s.waitGone(ctx, k, in.Within)
	if result.Outcome != action.Succeeded {
		return result
	}
	return k.result(alive, in.Within)
}

// kill is what was signalled.
type kill struct {
	missing map[string]bool
	pids    []any
	born    []any
}

func (s *session) waitGone(ctx context.Context, k kill, within time.Duration) (map[string]bool, action.Result) {
	end := time.Now().Add(within)
	done := action.Result{Outcome: action.Succeeded}
	if within == 0 || len(k.pids) == 0 {
		return nil, done
	}
	for {
		t, result := s.execute(ctx, statement{query: aliveQuery, params: []any{k.pids, k.born}, readOnly: true, transaction: true, timeout: time.Minute, maxRows: len(k.pids)})
		if result.Outcome != action.Succeeded {
			return nil, action.Doubt(result.Kind, fmt.Sprintf("%d sessions were signalled to end, but then: %s", len(k.pids), result.Message))
		}
		alive := map[string]bool{}
		for _, r := range t.rows {
			if row, ok := r.(map[string]any); ok {
				pid := value.Text(row["pid"])
				alive[pid] = true
			}
		}
		if len(alive) == 0 || !time.Now().Before(end) {
			return alive, done
		}
		select {
		case <-ctx.Done():
			kind, why := action.Stopped(ctx)
			return nil, action.Doubt(kind, fmt.Sprintf("%s while %d of %d sessions that were signalled to end were still there", why, len(alive), len(k.pids)))
		case <-time.After(min(lookEvery, time.Until(end))):
		}
	}
}

func (k kill) result(alive map[string]bool, within time.Duration) action.Result {
	terminated, remaining, missing := []any{}, []any{}, []any{}
	for _, p := range k.pids {
		if alive[value.Text(p)] {
			remaining = append(remaining, p)
		} else {
			terminated = append(terminated, p)
		}
	}
	for _, p := range slices.Sorted(maps.Keys(k.missing)) {
		missing = append(missing, p)
	}
	out := map[string]any{"terminated": terminated, "remaining": remaining, "missing": missing, "count": int64(len(terminated))}
	if len(remaining) > 0 {
		names := make([]string, len(remaining))
		for i, p := range remaining {
			names[i] = value.Text(p)
		}
		r := action.Fail(fault.Verify, fmt.Sprintf("sessions %s were signalled and are still there after %s", strings.Join(names, ", "), within))
		r.Output = out
		return r
	}
	return action.OK(out)
}
