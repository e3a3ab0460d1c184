package sql_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/actiontest"
	"github.com/tendhq/tend/internal/action/sql"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/testenv/postgres"
)

const planted = "pl4nted-s3cret-value"

// here is what `tend run` may reach.
func here() action.Egress { return action.Egress{Loopback: true, Private: true, All: true} }

// server is a PostgreSQL server with a database of the test.
type server struct {
	*postgres.Server
	db string
}

func start(t *testing.T) server {
	t.Helper()
	pg := postgres.Start(t)
	s := server{Server: pg, db: pg.Database(t)}
	s.Exec(t, s.db, `create table item (id int primary key, name text not null, constraint short check (length(name) < 40))`)
	s.Exec(t, s.db, `insert into item select n, 'item ' || n from generate_series(1, 5) n`)
	return s
}

// request gives one that reaches the server; more are the other inputs.
func (s server) request(more map[string]any) action.Request {
	in := map[string]any{
		"host": s.Host, "port": int64(s.Port), "database": s.db, "user": s.User, "password": secret.New(s.Password), "sslmode": "disable",
	}
	for k, v := range more {
		if v == nil {
			delete(in, k)
			continue
		}
		in[k] = v
	}
	return action.Request{Run: "run_test", Step: "steps[0]", Attempt: 1, Key: "key", Action: "sql", Effect: contract.Mutate, Inputs: in, Egress: here()}
}

func (s server) reading(more map[string]any) action.Request {
	r := s.request(more)
	r.Effect = contract.Read
	return r
}

func (s server) count(t *testing.T, condition string) int {
	t.Helper()
	var n int
	if err := s.Connect(t, s.db).QueryRow(t.Context(), "select count(*) from item where "+condition).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func run(t *testing.T, a action.Action, req action.Request) action.Result {
	t.Helper()
	r := a.Run(t.Context(), req, func(string, []byte) {})
	if err := actiontest.Legal(a.Spec(), r); err != nil {
		t.Errorf("%v\n%s %s %s", err, r.Outcome, r.Kind, r.Message)
	}
	return r
}

func query(text string, params ...any) map[string]any {
	m := map[string]any{"query": text}
	if params != nil {
		m["params"] = params
	}
	return m
}

func merge(a, b map[string]any) map[string]any {
	out := map[string]any{}
	for _, m := range []map[string]any{a, b} {
		for k, v := range m {
			out[k] = v
		}
	}
	return out
}

func TestSpecs(t *testing.T) {
	t.Parallel()
	for _, a := range []action.Action{sql.New(), sql.Sessions{}, sql.Terminate{}} {
		actiontest.Spec(t, a.Spec())
	}
	of := sql.New().Spec().EffectOf
	if of(map[string]any{"readOnly": true}) != contract.Read || of(map[string]any{"readOnly": false}) != contract.Mutate || of(nil) != contract.Mutate {
		t.Error("readOnly does not decide the effect")
	}
}

func TestPostgreSQL(t *testing.T) {
	t.Parallel()
	s := start(t)
	want := func(outcome action.Outcome, kind fault.Kind, says string, req action.Request, secrets ...string) actiontest.Case {
		return actiontest.Case{
			Request: func(*testing.T) action.Request { return req }, Want: outcome, Kind: kind, Secrets: append(secrets, s.Password),
			Check: func(t *testing.T, r action.Result, _ string) {
				if !strings.Contains(r.Message, says) {
					t.Errorf("the message %q does not say %q", r.Message, says)
				}
			},
		}
	}
	cases := map[string]actiontest.Case{
		"reads":            want(action.Succeeded, "", "", s.reading(query("select 1"))),
		"syntax":           want(action.Failed, fault.Query, `syntax error at or near "selec" (SQLSTATE 42601), at line 2 of the query`, s.reading(query("\nselec 1"))),
		"no table":         want(action.Failed, fault.Query, `relation "nowhere" does not exist (SQLSTATE 42P01)`, s.reading(query("select * from nowhere"))),
		"check":            want(action.Failed, fault.Query, "short", s.request(query("insert into item values (100, repeat('x', 50))"))),
		"key twice":        want(action.Failed, fault.Query, "SQLSTATE 23505", s.request(query("insert into item values (1, $1)", secret.New(planted))), planted),
		"quoted secret":    want(action.Failed, fault.Query, "[secret]", s.reading(query("select $1::int", secret.New(planted))), planted),
		"raised secret":    want(action.Failed, fault.Query, "[secret]", s.reading(query("select current_setting($1)", secret.New(planted))), planted),
		"control":          want(action.Failed, fault.Query, "SQLSTATE 42704", s.reading(query("select current_setting($1)", "a\x1b[31m\rb"))),
		"two statements":   want(action.Failed, fault.Query, "cannot insert multiple commands", s.request(query("delete from item; select 1"))),
		"write in read":    want(action.Failed, fault.Query, "cannot execute DELETE in a read-only transaction", s.reading(query("delete from item"))),
		"write in with":    want(action.Failed, fault.Query, "read-only transaction", s.reading(query("with d as (delete from item returning 1) select * from d"))),
		"made writable":    want(action.Failed, fault.Query, "must be set before any query", s.reading(query("set transaction read write"))),
		"writable by func": want(action.Failed, fault.Query, "must be set before any query", s.reading(query("select set_config('transaction_read_only', 'off', true)"))),
		"read only asked":  want(action.Failed, fault.Query, "read-only transaction", s.request(merge(query("delete from item"), map[string]any{"readOnly": true}))),
		"too long":         want(action.Failed, fault.Timeout, "after 100ms", s.request(merge(query("select pg_sleep(30)"), map[string]any{"timeout": "100ms"}))),
		"copy in":          want(action.NotStarted, fault.Invalid, "COPY", s.request(query("copy item from stdin"))),
		"copy out":         want(action.NotStarted, fault.Invalid, "COPY", s.request(query("/* a /* b */ c */ -- d\n copy (select 1)\nTO STDOUT"))),
		"empty":            want(action.Succeeded, "", "", s.request(query("-- nothing"))),
		"too few params":   want(action.NotStarted, fault.Invalid, "has 2 parameters, and 1 were given", s.request(query("select $1::int + $2::int", int64(1)))),
		"too many params":  want(action.NotStarted, fault.Invalid, "has 0 parameters, and 1 were given", s.request(query("select 1", int64(1)))),
		"list for one":     want(action.NotStarted, fault.Invalid, "$1 is a list", s.request(query("select $1::int", []any{int64(1)}))),
		"map for text":     want(action.NotStarted, fault.Invalid, "$1 is a map", s.request(query("select $1::text", map[string]any{"a": int64(1)}))),
		"NUL":              want(action.NotStarted, fault.Invalid, "NUL", s.request(query("select $1::text", "a\x00b"))),
		"read without tx":  want(action.NotStarted, fault.Invalid, "only a transaction", s.reading(merge(query("select 1"), map[string]any{"transaction": false}))),
		"no host":          want(action.NotStarted, fault.Invalid, "input host", s.request(merge(query("select 1"), map[string]any{"host": nil}))),
		"no user":          want(action.NotStarted, fault.Invalid, "input user", s.request(merge(query("select 1"), map[string]any{"user": nil}))),
		"two problems":     want(action.NotStarted, fault.Invalid, "input nonsense", s.request(merge(query("select 1"), map[string]any{"sslmode": "odd", "nonsense": "x"}))),
		"wrong password":   want(action.NotStarted, fault.Auth, "password authentication failed", s.request(merge(query("select 1"), map[string]any{"password": secret.New(planted)})), planted),
		"no database":      want(action.NotStarted, fault.Missing, `database "nowhere" does not exist`, s.request(merge(query("select 1"), map[string]any{"database": "nowhere"}))),
		"nobody listens":   want(action.NotStarted, fault.Unreachable, "refused", s.request(merge(query("select 1"), map[string]any{"port": int64(1)}))),
		"no such host":     want(action.NotStarted, fault.Unreachable, "nowhere.invalid", s.request(merge(query("select 1"), map[string]any{"host": "nowhere.invalid"}))),
		"broken url":       want(action.NotStarted, fault.Invalid, "input url", s.request(merge(query("select 1"), map[string]any{"url": secret.New("postgres://u:" + planted + "@h:x/")})), planted),
		"url with options": want(action.NotStarted, fault.Invalid, `"servicefile" is not supported`, s.request(merge(query("select 1"), map[string]any{"url": "postgres://u@h/?servicefile=/etc/passwd"}))),
		"notice":           want(action.Succeeded, "", "", s.request(query("do $$ begin raise notice 'hello'; end $$"))),
	}
	suite := actiontest.Suite{
		Hang:   func(*testing.T) action.Request { return s.request(query("select pg_sleep(60)")) },
		Prompt: 5 * time.Second,
	}
	suite.Cases = append(suite.Cases, named("reads", cases["reads"]))
	for name, c := range cases {
		if name != "reads" {
			suite.Cases = append(suite.Cases, named(name, c))
		}
	}
	t.Run("conformance", func(t *testing.T) { actiontest.Run(t, sql.New(), suite) })
	t.Run("nothing was changed", func(t *testing.T) {
		if n := s.count(t, "true"); n != 5 {
			t.Errorf("there are %d items", n)
		}
	})
	t.Run("reads from nowhere", func(t *testing.T) {
		r := s.request(query("select 1"))
		r.Egress = action.Egress{}
		if got := run(t, sql.New(), r); got.Outcome != action.NotStarted || got.Kind != fault.Refused {
			t.Errorf("%s %s: %s", got.Outcome, got.Kind, got.Message)
		}
	})
	t.Run("changes", func(t *testing.T) { changes(t, s) })
	t.Run("tables", func(t *testing.T) { tables(t, s) })
	t.Run("values", func(t *testing.T) { values(t, s) })
	t.Run("parameters", func(t *testing.T) { parameters(t, s) })
	t.Run("connections", func(t *testing.T) { connections(t, s) })
	t.Run("cancel", func(t *testing.T) { cancels(t, s) })
	t.Run("cut", func(t *testing.T) { cuts(t, s) })
	t.Run("sessions", func(t *testing.T) { sessions(t, s) })
}

func named(name string, c actiontest.Case) actiontest.Case {
	c.Name = name
	return c
}

func changes(t *testing.T, s server) {
	r := run(t, sql.New(), s.request(query("insert into item select 200 + n, $1 from generate_series(1, 3) n returning id", "new")))
	if r.Outcome != action.Succeeded || r.Output["command"] != "INSERT 0 3" || r.Output["count"] != int64(3) {
		t.Errorf("%+v", r)
	}
	if n := s.count(t, "name = 'new'"); n != 3 {
		t.Errorf("%d rows came", n)
	}
	// All rows of a change are counted, and it is committed, although only some are shown.
	r = run(t, sql.New(), s.request(merge(query("delete from item where name = 'new' returning id"), map[string]any{"maxRows": int64(1)})))
	if r.Outcome != action.Succeeded || r.Output["count"] != int64(3) || r.Output["truncated"] != true {
		t.Errorf("%+v", r)
	}
	if n := s.count(t, "name = 'new'"); n != 0 {
		t.Errorf("%d rows stayed", n)
	}
	// A deferred constraint speaks at COMMIT.
	s.Exec(t, s.db, "create table child (item int references item deferrable initially deferred)")
	r = run(t, sql.New(), s.request(query("insert into child values (999)")))
	if r.Outcome != action.Failed || r.Kind != fault.Query || !strings.Contains(r.Message, "commit: ") {
		t.Errorf("%+v", r)
	}
	// What cannot stand in a transaction.
	if r := run(t, sql.New(), s.request(query("vacuum item"))); r.Kind != fault.Query {
		t.Errorf("%+v", r)
	}
	if r := run(t, sql.New(), s.request(merge(query("vacuum item"), map[string]any{"transaction": false}))); r.Outcome != action.Succeeded || r.Output["command"] != "VACUUM" {
		t.Errorf("%+v", r)
	}
}

func tables(t *testing.T, s server) {
	for name, c := range map[string]struct {
		in   map[string]any
		want map[string]any
	}{
		"one value": {query("select 41 + 1 as answer"), map[string]any{
			"rows": []any{map[string]any{"answer": int64(42)}}, "columns": []any{"answer"}, "count": int64(1), "command": "SELECT 1", "truncated": false, "value": int64(42),
		}},
		"no rows": {query("select 1 as a where false"), map[string]any{
			"rows": []any{}, "columns": []any{"a"}, "count": int64(0), "command": "SELECT 0", "truncated": false, "value": nil,
		}},
		"names twice": {query("select 1 as a, 2 as a, 3 as a_2, 4 as a"), map[string]any{
			"rows": []any{map[string]any{"a": int64(1), "a_2": int64(2), "a_2_2": int64(3), "a_3": int64(4)}}, "columns": []any{"a", "a_2", "a_2_2", "a_3"},
			"count": int64(1), "command": "SELECT 1", "truncated": false, "value": nil,
		}},
		"cut": {merge(query("select generate_series(1, 100000000) as n"), map[string]any{"maxRows": int64(2)}), map[string]any{
			"rows": []any{map[string]any{"n": int64(1)}, map[string]any{"n": int64(2)}}, "columns": []any{"n"},
			"count": int64(2), "command": "SELECT 2", "truncated": true, "value": nil,
		}},
	} {
		began := time.Now()
		r := run(t, sql.New(), s.reading(c.in))
		if r.Outcome != action.Succeeded {
			t.Fatalf("%s: %+v", name, r)
		}
		if d := cmp.Diff(c.want, r.Output); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
	wide := run(t, sql.New(), s.reading(merge(query("select repeat('x', 1000000) from generate_series(1, 40)"), map[string]any{"maxRows": int64(1000)})))
	if rows, _ := wide.Output["rows"].([]any); wide.Output["truncated"] != true || len(rows) != 16 {
		t.Errorf("%d rows of a megabyte, %v", len(rows), wide.Message)
	}
}

func values(t *testing.T, s server) {
	s.Exec(t, s.db, "create type mood as enum ('calm', 'busy')")
	s.Exec(t, s.db, "alter database "+s.db+" set datestyle = 'German, DMY'")
	s.Exec(t, s.db, "alter database "+s.db+" set timezone = 'Asia/Tokyo'")
	s.Exec(t, s.db, "alter database "+s.db+" set intervalstyle = 'iso_8601'")
	for expr, want := range map[string]any{
		"null::int": nil, "true": true, "1::int2": int64(1), "9223372036854775807": int64(9223372036854775807), "1.5::float4": 1.5, "2::float8": int64(2),
		"'NaN'::float8": "NaN", "'-Infinity'::float4": "-Infinity", "0.1::numeric": 0.1, "12345678901234567890::numeric": "12345678901234567890",
		"10.50::numeric(10,2)": 10.5, "7.00::numeric": int64(7), "0.12345678901234567890::numeric": "0.12345678901234567890", "1e400::numeric": "1" + strings.Repeat("0", 400),
		"'NaN'::numeric": "NaN", "-0.000001::numeric": -0.000001, "pi()": 3.141592653589793,
		"'text'": "text", "''": "", "'ünï'": "ünï", "'a'::char(3)": "a  ",
		"timestamptz '2026-03-01 12:00:00+09'": "2026-03-01T03:00:00Z", "timestamptz '2026-03-01 12:00:00.120+00'": "2026-03-01T12:00:00.12Z",
		"timestamp '2026-03-01 12:00:00.5'": "2026-03-01T12:00:00.5", "date '2026-03-01'": "2026-03-01", "time '12:00'": "12:00:00",
		"timestamptz 'infinity'": "infinity", "timestamptz '0044-03-15 12:00 BC'": "0044-03-15 12:00:00+00 BC",
		"interval '1 day 2:03:04.5'": "1 day 02:03:04.5", "interval '90 minutes'": "01:30:00",
		`'{"a": [1, 2.50, null, true], "b": 9007199254740993}'::jsonb`: map[string]any{"a": []any{int64(1), 2.5, nil, true}, "b": int64(9007199254740993)},
		`'"x"'::json`: "x", `'null'::jsonb`: nil, `('[' || repeat('[', 300) || repeat(']', 300) || ']')::json`: strings.Repeat("[", 301) + strings.Repeat("]", 301),
		`'\xdeadbeef'::bytea`: "3q2+7w==", "''::bytea": "",
		"array[1, null, 3]": []any{int64(1), nil, int64(3)}, "array[]::int[]": []any{}, "array[[1,2],[3,4]]": []any{[]any{int64(1), int64(2)}, []any{int64(3), int64(4)}},
		`array['a "quoted"', 'back\slash', '{brace}', ',', '', 'NULL', null]`: []any{`a "quoted"`, `back\slash`, "{brace}", ",", "", "NULL", nil},
		"'[0:1]={7,8}'::int[]": []any{int64(7), int64(8)}, "array[1.5, 'NaN']::numeric[]": []any{1.5, "NaN"}, `array['{"a":1}']::jsonb[]`: []any{map[string]any{"a": int64(1)}},
		"array[timestamptz '2026-03-01 12:00:00+00']": []any{"2026-03-01T12:00:00Z"}, "array[true, false]": []any{true, false},
		"'busy'::mood": "busy", "array['calm']::mood[]": "{calm}", "'10.0.0.1'::inet": "10.0.0.1", "int4range(1, 5)": "[1,5)", "row(1, 'x')": "(1,x)",
		"'6e7a6f4a-0000-4000-8000-000000000000'::uuid": "6e7a6f4a-0000-4000-8000-000000000000", "'(1,2)'::point": "(1,2)", "12.5::money": "$12.50",
		"current_setting('TimeZone')": "UTC", "current_setting('application_name')": "tend run_test",
	} {
		r := run(t, sql.New(), s.reading(query("select "+expr+" as v")))
		if r.Outcome != action.Succeeded {
			t.Errorf("%s: %+v", expr, r)
			continue
		}
		if d := cmp.Diff(want, r.Output["value"]); d != "" {
			t.Errorf("%s: %s", expr, d)
		}
	}
}

func parameters(t *testing.T, s server) {
	hostile := `'; drop table item; -- " \ $1 {{ .x }} ${HOME}` + "\n\t"
	for _, c := range []struct {
		query string
		param any
		want  any
	}{
		{"select $1::text", hostile, hostile},
		{"select $1::text", secret.New(planted), planted},
		{"select $1::text", nil, nil},
		{"select $1::int + 1", int64(41), int64(42)},
		{"select $1::int + 1", "41", int64(42)},
		{"select $1::text", int64(41), "41"},
		{"select $1::float8", 0.5, 0.5},
		{"select not $1::bool", true, false},
		{"select name from item where id = $1", int64(2), "item 2"},
		{"select count(*) from item where id = any($1)", []any{int64(1), "2", nil}, int64(2)},
		{"select $1::text[]", []any{hostile, "NULL", nil, `{`, `"`, ""}, []any{hostile, "NULL", nil, `{`, `"`, ""}},
		{"select $1::int[]", []any{[]any{int64(1)}, []any{int64(2)}}, []any{[]any{int64(1)}, []any{int64(2)}}},
		{"select $1::jsonb", map[string]any{"a": []any{hostile}}, map[string]any{"a": []any{hostile}}},
		{"select $1::jsonb", []any{int64(1), map[string]any{}}, []any{int64(1), map[string]any{}}},
		{"select $1::jsonb", `{"a": 1}`, map[string]any{"a": int64(1)}},
		{"select $1::jsonb", int64(3), int64(3)},
		{"select $1::jsonb[]", []any{map[string]any{"a": "\"\\"}}, []any{map[string]any{"a": "\"\\"}}},
		{"select $1::timestamptz", "2026-03-01T12:00:00+09:00", "2026-03-01T03:00:00Z"},
		{"select $1::interval", "90s", "00:01:30"},
		{"select $1::bytea", `\x00ff`, "AP8="},
	} {
		r := run(t, sql.New(), s.reading(query(c.query, c.param)))
		if r.Outcome != action.Succeeded {
			t.Errorf("%s with %v: %+v", c.query, c.param, r)
			continue
		}
		if d := cmp.Diff(c.want, r.Output["value"]); d != "" {
			t.Errorf("%s with %v: %s", c.query, c.param, d)
		}
	}
	if n := s.count(t, "true"); n < 5 {
		t.Errorf("%d items are left", n)
	}
}

func connections(t *testing.T, s server) {
	ok := func(name string, more map[string]any) {
		t.Helper()
		if r := run(t, sql.New(), s.reading(merge(query("select 1"), more))); r.Outcome != action.Succeeded {
			t.Errorf("%s: %+v", name, r)
		}
	}
	ok("socket", map[string]any{"host": s.Socket})
	bare := map[string]any{"host": nil, "port": nil, "user": nil, "password": nil, "database": nil, "sslmode": nil}
	ok("url", merge(bare, map[string]any{"url": secret.New(s.URL(s.db))}))
	ok("prefer", map[string]any{"sslmode": "prefer"})
	ok("default", map[string]any{"sslmode": nil})
	if s.CA == "" {
		t.Log("the test server has no TLS: openssl is not there to make a certificate")
		return
	}
	encrypted := func(more map[string]any) action.Result {
		return run(t, sql.New(), s.reading(merge(query("select ssl from pg_stat_ssl where pid = pg_backend_pid()"), more)))
	}
	for name, more := range map[string]map[string]any{
		"prefer": {"sslmode": "prefer"}, "require": {"sslmode": "require"}, "verify-ca": {"sslmode": "verify-ca", "ca": s.CA},
		"verify-full": {"sslmode": "verify-full", "ca": s.CA, "host": "localhost"}, "ca alone": {"sslmode": nil, "ca": s.CA},
	} {
		if r := encrypted(more); r.Output["value"] != true {
			t.Errorf("%s: %+v", name, r)
		}
	}
	for name, more := range map[string]map[string]any{
		"unknown authority": {"sslmode": "verify-full"}, "unknown authority, any name": {"sslmode": "verify-ca"},
	} {
		if r := encrypted(more); r.Outcome != action.NotStarted || r.Kind != fault.TLS {
			t.Errorf("%s: %+v", name, r)
		}
	}
	for name, more := range map[string]map[string]any{
		"no such file": {"sslmode": nil, "ca": "/nowhere/ca.pem"}, "no certificate": {"sslmode": "require", "ca": "-----BEGIN NONSENSE-----"}, "cert without key": {"sslmode": "require", "cert": s.CA},
	} {
		if r := encrypted(more); r.Outcome != action.NotStarted || r.Kind != fault.Missing && r.Kind != fault.Invalid {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func cancels(t *testing.T, s server) {
	ctx, cancel := context.WithCancelCause(t.Context())
	watch := s.Connect(t, s.db)
	done := make(chan action.Result, 1)
	go func() {
		done <- sql.New().Run(ctx, s.request(query("with x as (insert into item values (300, 'cancelled')) select pg_sleep(60)")), func(string, []byte) {})
	}()
	// A statement is active while it is parsed, too: nothing was done then.
	busy := "select count(*) from pg_stat_activity where query like '%(300, %' and pid <> pg_backend_pid() and wait_event = 'PgSleep'"
	await(t, func() bool {
		var n int
		return watch.QueryRow(t.Context(), busy).Scan(&n) == nil && n == 1
	})
	cancel(errors.New("a person did"))
	r := <-done
	if r.Outcome != action.Failed || r.Kind != fault.Cancelled || !strings.Contains(r.Message, "confirmed") {
		t.Errorf("%+v", r)
	}
	var n int
	if err := watch.QueryRow(t.Context(), busy).Scan(&n); err != nil || n != 0 {
		t.Errorf("it still runs: %d, %v", n, err)
	}
	if n := s.count(t, "id = 300"); n != 0 {
		t.Error("it left something")
	}
	// Whatever it was doing, nobody is left in doubt by a server that answers.
	var all sync.WaitGroup
	for i := range 48 {
		all.Go(func() {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer time.AfterFunc(time.Duration(i)*500*time.Microsecond, func() { cancel(errors.New("a person did")) }).Stop()
			r := sql.New().Run(ctx, s.request(query("with x as (insert into item values (300, 'cancelled')) select pg_sleep(60)")), func(string, []byte) {})
			if r.Outcome != action.Failed && r.Outcome != action.NotStarted || r.Kind != fault.Cancelled {
				t.Errorf("cancelled after %d half milliseconds: %+v", i, r)
			}
		})
		if i%8 == 7 {
			all.Wait() // a server takes so many connections
		}
	}
	if n := s.count(t, "id = 300"); n != 0 {
		t.Error("it left something")
	}
	// The engine's deadline reaches the server as its limit, so that it holds when tend is gone.
	req := s.request(query("select pg_sleep(60)"))
	req.Deadline = time.Now().Add(300 * time.Millisecond)
	if r := run(t, sql.New(), req); r.Outcome != action.Failed || r.Kind != fault.Timeout {
		t.Errorf("%+v", r)
	}
}

func await(t *testing.T, so func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !so(); {
		if time.Now().After(end) {
			t.Fatal("it did not become so")
		}
		select {
		case <-t.Context().Done():
			t.Fatal("the test was ended")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// cuts breaks the connection at chosen moments.
func cuts(t *testing.T, s server) {
	for name, c := range map[string]struct {
		mark string // in what the client sends
		how  cutting
		read bool
		want action.Outcome
		kind fault.Kind
		rows int // that the statement left, -1 for either
	}{
		"at the start":               {"tend run_test", cutBefore, false, action.NotStarted, fault.Lost, 0},
		"before begin":               {"begin isolation", cutBefore, false, action.NotStarted, fault.Lost, 0},
		"after begin":                {"begin isolation", cutAfter, false, action.NotStarted, fault.Lost, 0},
		"before the statement":       {"insert into", cutBefore, false, action.NotStarted, fault.Lost, 0},
		"under the statement":        {"\x00cut-mark", cutAfter, false, action.InDoubt, fault.Lost, 0},
		"under a reading statement":  {"\x00cut-mark", cutAfter, true, action.Failed, fault.Lost, 0},
		"before COMMIT":              {"commit\x00", cutBefore, false, action.InDoubt, fault.Lost, 0},
		"after COMMIT":               {"commit\x00", cutAfter, false, action.InDoubt, fault.Lost, 1},
		"after COMMIT of reading":    {"commit\x00", cutAfter, true, action.Succeeded, "", 0},
		"silence under a statement":  {"\x00cut-mark", cutSilent, false, action.InDoubt, fault.Timeout, 1},
		"silence under reading":      {"\x00cut-mark", cutSilent, true, action.Failed, fault.Timeout, 0},
		"silence before it is there": {"tend run_test", cutSilent, false, action.NotStarted, fault.Timeout, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			label := strings.ReplaceAll(name, " ", "-")
			req := s.request(query("insert into item select 1000 + (random() * 1e9)::int, $1 where $2 = 'cut-mark'", label, "cut-mark"))
			if c.read {
				req = s.reading(query("select $1::text where $2 = 'cut-mark'", label, "cut-mark"))
			}
			// A parameter is sent as its length and its text: the NUL in the mark is the end of that length.
			mark := c.mark
			if strings.HasPrefix(mark, "\x00") {
				mark = "\x00\x00\x00\x08cut-mark"
			}
			p := startProxy(t, net.JoinHostPort(s.Host, fmt.Sprint(s.Port)), mark, c.how)
			req.Inputs["port"] = int64(p.port())
			ctx := t.Context()
			if c.how == cutSilent {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, time.Second)
				defer cancel()
			}
			r := sql.New().Run(ctx, req, func(string, []byte) {})
			if r.Outcome != c.want || r.Kind != c.kind {
				t.Errorf("%s %s: %s", r.Outcome, r.Kind, r.Message)
			}
			if err := actiontest.Legal(sql.New().Spec(), r); err != nil {
				t.Error(err)
			}
			if c.how == cutSilent || c.read {
				return // what the server makes of it is its own affair; the outcome does not claim it
			}
			await(t, func() bool { return s.count(t, "name = '"+label+"'") == c.rows })
		})
	}
}

func sessions(t *testing.T, s server) {
	s.Exec(t, s.db, "create role watched login password 'watched-password'")
	busy := func(query string) <-chan error {
		c := s.Connect(t, s.db)
		if _, err := c.Exec(t.Context(), "set application_name = 'busy one'"); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() {
			_, err := c.Exec(context.WithoutCancel(t.Context()), query)
			done <- err
		}()
		return done
	}
	first := busy("select pg_sleep(61)")
	second := busy("select pg_sleep(62)")
	list := func(longer string) []any {
		t.Helper()
		r := run(t, sql.Sessions{}, s.reading(map[string]any{"longerThan": longer}))
		if r.Outcome != action.Succeeded {
			t.Fatalf("%+v", r)
		}
		rows, _ := r.Output["sessions"].([]any)
		var mine []any
		for _, row := range rows {
			if m, _ := row.(map[string]any); m["application_name"] == "busy one" {
				mine = append(mine, row)
			}
		}
		return mine
	}
	var found []any
	await(t, func() bool { found = list("0s"); return len(found) == 2 })
	row, _ := found[0].(map[string]any)
	if row["query"] != "select pg_sleep(61)" || row["state"] != "active" || row["usename"] != s.User || row["wait_event"] != "PgSleep" || row["datname"] != s.db {
		t.Errorf("%v", row)
	}
	if got := list("1h"); len(got) != 0 {
		t.Errorf("older than an hour: %v", got)
	}
	pid, _ := row["pid"].(string)
	// A session, an id of nobody, and one of the server's own processes.
	var checkpointer string
	if err := s.Connect(t, s.db).QueryRow(t.Context(), "select pid::text from pg_stat_activity where backend_type = 'checkpointer'").Scan(&checkpointer); err != nil {
		t.Fatal(err)
	}
	r := run(t, sql.Terminate{}, s.request(map[string]any{"pids": []any{pid, "2147483647", checkpointer}}))
	want := map[string]any{"terminated": []any{pid}, "remaining": []any{}, "missing": []any{"2147483647", checkpointer}, "count": int64(1)}
	if checkpointer > "2147483647" {
		want["missing"] = []any{checkpointer, "2147483647"}
	}
	for _, k := range []string{"terminated", "remaining", "count"} {
		if d := cmp.Diff(want[k], r.Output[k]); r.Outcome != action.Succeeded || d != "" {
			t.Errorf("%s: %+v %s", k, r, d)
		}
	}
	if missing, _ := r.Output["missing"].([]any); len(missing) != 2 {
		t.Errorf("missing: %v", missing)
	}
	if err := <-first; err == nil || !strings.Contains(err.Error(), "57P01") {
		t.Errorf("the session ended with %v", err)
	}
	if got := list("0s"); len(got) != 1 {
		t.Errorf("left: %v", got)
	}
	// Without the right to do it.
	left, _ := list("0s")[0].(map[string]any)
	r = run(t, sql.Terminate{}, s.request(map[string]any{"pids": []any{left["pid"]}, "user": "watched", "password": secret.New("watched-password")}))
	if r.Outcome != action.Failed || r.Kind != fault.Query || !strings.Contains(r.Message, "42501") {
		t.Errorf("%+v", r)
	}
	r = run(t, sql.Sessions{}, s.request(map[string]any{"user": "watched", "password": secret.New("watched-password")}))
	if r.Outcome != action.Failed || r.Kind != fault.Refused || !strings.Contains(r.Message, "pg_read_all_stats") {
		t.Errorf("%+v", r)
	}
	// The older step signals and does not look.
	r = run(t, sql.Terminate{}, s.request(map[string]any{"pids": []any{left["pid"]}, "within": "0s"}))
	if r.Outcome != action.Succeeded || r.Output["count"] != int64(1) {
		t.Errorf("%+v", r)
	}
	if err := <-second; err == nil {
		t.Error("the query ended as if nobody had signalled it")
	}
	for _, bad := range [][]any{{"0"}, {"-1"}, {"x"}, {"99999999999"}, {"1; drop table item"}} {
		if r := run(t, sql.Terminate{}, s.request(map[string]any{"pids": bad})); r.Outcome != action.NotStarted || r.Kind != fault.Invalid {
			t.Errorf("%v: %+v", bad, r)
		}
	}
}
