package sql

import (
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/fault"
)

// Spec implements action.Action.
func (Action) Spec() contract.Spec {
	return contract.Spec{
		Name:    "sql",
		Summary: "Executes a statement on a PostgreSQL database.",
		Doc: `One statement, in a transaction of its own. Values go into it as parameters ($1, $2, …) from the list
` + "`params`" + `, never as text of the statement; a list becomes an array, a map becomes JSON. Several statements in one query
are refused by the server, with parameters and without: use several steps, or one statement with CTEs.

With ` + "`effect: read`" + ` or ` + "`readOnly: true`" + ` the transaction is read only, so that the server itself refuses to change a table. It
does not refuse functions that act outside of the transaction, such as pg_terminate_backend or those of dblink.

` + "`transaction: false`" + ` executes the statement by itself, for those that refuse to stand in a transaction (VACUUM, CREATE INDEX
CONCURRENTLY). What such a statement did before it failed may stay.

The connection speaks UTC and ISO dates whatever the server's settings are. Values become: integers and numerics numbers
(text when a number would lose digits), timestamps with a zone RFC 3339 in UTC, timestamps without one the same without
the Z, dates and times ISO text, intervals as PostgreSQL writes them (1 day 02:03:04), json what it holds, arrays lists,
bytea base64, NULL null, NaN and infinity text, and everything else its text. A second column of one name gets _2.

The settings of the environment (PGHOST, PGPASSWORD, …), .pgpass and service files are not read. A password is never
sent in clear over a connection that could be another's: the server must be verified for that, or be local.`,
		Effect: contract.Mutate,
		EffectOf: func(with map[string]any) contract.Effect {
			if with["readOnly"] == true || with["readOnly"] == "true" {
				return contract.Read
			}
			return contract.Mutate
		},
		Inputs: append(connectionFields(),
			contract.Field{Name: "query", Type: contract.String, Required: true, Verbatim: true, Description: "One SQL statement."},
			contract.Field{Name: "params", Type: contract.List, Description: "Values of $1, $2, … in the statement.", Items: &contract.Field{Type: contract.Any, Sensitive: true}},
			contract.Field{Name: "readOnly", Type: contract.Boolean, Description: "Have the server refuse changes. Default: true when the step's effect is read."},
			contract.Field{Name: "transaction", Type: contract.Boolean, Default: true, Description: "Execute in a transaction."},
			contract.Field{Name: "timeout", Type: contract.Duration, Default: "5m", Description: "Longest time of the statement; the server ends it. The step's own time limit counts too."},
			contract.Field{Name: "maxRows", Type: contract.Number, Default: int64(1000), Description: "Rows that are kept; when there are more, truncated is true."},
		),
		Outputs: []contract.Field{
			{Name: "rows", Type: contract.List, Description: "A map from column to value for each row.", Items: &contract.Field{Type: contract.Map}},
			{Name: "count", Type: contract.Number, Description: "Number of rows that the statement gave or changed. Of a truncated read-only result, the number that was kept."},
			{Name: "columns", Type: contract.List, Description: "Names of the columns, in order.", Items: &contract.Field{Type: contract.String}},
			{Name: "command", Type: contract.String, Description: "What the server says that it did: SELECT 3, UPDATE 1."},
			{Name: "truncated", Type: contract.Boolean, Description: "There were more rows than rows holds."},
			{Name: "value", Type: contract.Any, Description: "The value, when there is one row of one column; else null."},
		},
		Targets: []string{connectionTarget},
		Ends: append(connectionEnds(),
			contract.End{When: "the server committed", Outcome: "succeeded"},
			contract.End{When: "the server refused the statement, a parameter or the commit", Outcome: "failed", Kind: fault.Query},
			contract.End{When: "the time limit passed, and the server confirmed that it cancelled the statement", Outcome: "failed", Kind: fault.Timeout},
			contract.End{When: "the step was cancelled, and the server confirmed that it cancelled the statement", Outcome: "failed", Kind: fault.Cancelled},
			contract.End{When: "the connection was lost during a read-only statement, or the server said that it ended and undid it", Outcome: "failed", Kind: fault.Lost},
			contract.End{When: "the connection was lost after a changing statement or COMMIT was sent", Outcome: "in-doubt", Kind: fault.Lost},
			contract.End{When: "the time limit passed, and the server did not confirm", Outcome: "in-doubt", Kind: fault.Timeout},
			contract.End{When: "the step was cancelled, and the server did not confirm", Outcome: "in-doubt", Kind: fault.Cancelled},
		),
		Examples: []contract.Example{
			{Title: "Which tables wait for a vacuum", YAML: `- id: bloat
  uses: sql
  effect: read
  with:
    host: db-1.internal
    database: shop
    user: tend
    password: '{{ secret "shop_db_password" }}'
    query: select relname, n_dead_tup from pg_stat_user_tables where n_dead_tup > $1 order by 2 desc
    params: [100000]
`},
			{Title: "Give the jobs of a dead host back to the queue", YAML: `- uses: sql
  with:
    host: db-1.internal
    database: shop
    user: tend
    password: '{{ secret "shop_db_password" }}'
    query: update jobs set owner = null, state = 'queued' where owner = $1 and state = 'running'
    params: ['{{ $.params.host }}']
  target: 'host:{{ $.params.host }}'
`},
		},
	}
}

// connectionTarget is the target of everything that is done to a database.
const connectionTarget = `{{ if .host }}postgres:{{ .host }}:{{ .port }}/{{ .database }}{{ end }}`

// connectionFields are the inputs that say which database, and as whom.
func connectionFields() []contract.Field {
	return []contract.Field{
		{Name: "host", Type: contract.String, Description: "Name or address of the server, or the directory of its Unix socket."},
		{Name: "port", Type: contract.Number, Default: int64(5432), Description: "Port of the server."},
		{Name: "database", Type: contract.String, Default: "postgres", Description: "Name of the database."},
		{Name: "user", Type: contract.String, Sensitive: true, Description: "User to log in as."},
		{Name: "password", Type: contract.String, Sensitive: true, Description: "Password of the user."},
		{Name: "sslmode", Type: contract.String, Enum: []any{modeDisable, modePrefer, modeRequire, modeVerifyCA, modeVerifyFull}, Description: "As in libpq. Default: verify-full when ca is given, else prefer, which encrypts when the server can and does not verify it."},
		{Name: "ca", Type: contract.String, Description: "Certificates of the authorities that the server's must come from: PEM text, or a file."},
		{Name: "cert", Type: contract.String, Description: "Client certificate: PEM text, or a file."},
		{Name: "key", Type: contract.String, Sensitive: true, Description: "Key of the client certificate: PEM text, or a file."},
		{Name: "url", Type: contract.String, Sensitive: true, Description: "postgres://user:password@host:port/database?sslmode=… in place of the inputs above."},
	}
}

func connectionEnds() []contract.End {
	return []contract.End{
		{When: "the inputs are wrong", Outcome: "not-started", Kind: fault.Invalid},
		{When: "no connection came about", Outcome: "not-started", Kind: fault.Unreachable},
		{When: "the network rules do not allow the connection", Outcome: "not-started", Kind: fault.Refused},
		{When: "the server refused the user or the password", Outcome: "not-started", Kind: fault.Auth},
		{When: "there is no such database, or a file of the inputs is not there", Outcome: "not-started", Kind: fault.Missing},
		{When: "encryption could not be agreed on, or the server's certificate is not trusted", Outcome: "not-started", Kind: fault.TLS},
		{When: "the server takes no connections now", Outcome: "not-started", Kind: fault.Unavailable},
		{When: "the server did not answer in time", Outcome: "not-started", Kind: fault.Timeout},
		{When: "the step was cancelled before the statement was sent", Outcome: "not-started", Kind: fault.Cancelled},
		{When: "the connection was lost before the statement was sent", Outcome: "not-started", Kind: fault.Lost},
		{When: "the server refused to begin a transaction", Outcome: "not-started", Kind: fault.Query},
	}
}
