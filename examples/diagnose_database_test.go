package examples_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tendhq/tend/internal/testenv/postgres"
)

// TestDiagnoseDatabase runs the scripts in diagnose-database/server against a PostgreSQL server of its own, on which an
// application called nightly-report executes one slow statement, and another called checkout many quick ones.
func TestDiagnoseDatabase(t *testing.T) {
	t.Parallel()
	pg := postgres.Start(t, "shared_preload_libraries=pg_stat_statements")
	db := pg.Database(t)
	for _, s := range []string{
		"create extension pg_stat_statements",
		"create role reporter login password 'reporter-password'",
		"create role monitor login password 'monitor-password' in role pg_monitor",
		"create table orders (id int primary key, paid boolean)",
		"insert into orders select n, n % 2 = 0 from generate_series(1, 1000) n",
		"grant select on orders to reporter",
	} {
		pg.Exec(t, db, s)
	}
	load(t, pg, db)
	dir, err := filepath.Abs("diagnose-database")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join(dir, "server"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			home := filepath.Join(e.WorkDir, "home")
			e.Setenv("HOME", home)
			e.Setenv("XDG_STATE_HOME", filepath.Join(home, "state"))
			e.Setenv("XDG_CONFIG_HOME", filepath.Join(home, "config"))
			e.Setenv("EXAMPLE", dir)
			e.Setenv("SERVER", fmt.Sprintf("%s:%d/%s", pg.Host, pg.Port, db))
			e.Setenv("TEND_SECRET_DATABASE_ACCESS_KEY", "monitor:monitor-password")
			return os.Mkdir(home, 0o700)
		},
	})
}

// load works on the server until the test ends.
func load(t *testing.T, pg *postgres.Server, db string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	work := func(application, user, password, statement string) {
		cfg, err := pgx.ParseConfig(pg.URL(db))
		if err != nil {
			t.Fatal(err)
		}
		cfg.RuntimeParams["application_name"] = application
		if user != "" {
			cfg.User, cfg.Password = user, password
		}
		c, err := pgx.ConnectConfig(ctx, cfg)
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			defer func() { _ = c.Close(context.WithoutCancel(ctx)) }()
			for ctx.Err() == nil {
				if _, err := c.Exec(ctx, statement); err != nil && ctx.Err() == nil {
					t.Errorf("%s: %v", statement, err)
					return
				}
			}
		})
	}
	// Slow because it sleeps at every row: what makes it slow does not matter to who looks for it.
	work("nightly-report", "reporter", "reporter-password", "select sum(id), count(pg_sleep(0.0005)) from orders where not paid")
	work("checkout", "", "", "select paid from orders where id = 7 /* quick */")
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
}
