// Package postgres gives tests a real PostgreSQL server: a cluster of its own, started by scripts/postgres.
package postgres

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tendhq/tend/internal/testenv"
)

// Need is how the server is called in TEND_TEST_REQUIRE.
const Need = "postgresql"

// Server is a running server. User is its superuser and logs in with Password.
type Server struct {
	Host     string // a loopback address
	Port     int
	Socket   string // the directory of its Unix socket
	User     string
	Password string
	CA       string // file of the certificate that it shows; "" when it has no TLS
	Dir      string // its data, configuration and server.log
}

// Start starts a server with the given settings ("name=value"). It ends with the test. Without PostgreSQL on the machine
// the test is skipped.
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	facts := testenv.Serve(t, Need, "postgres", settings...)
	port, err := strconv.Atoi(testenv.Fact(t, facts, "port"))
	if err != nil {
		t.Fatal(err)
	}
	return &Server{
		Host: testenv.Fact(t, facts, "host"), Port: port, Socket: testenv.Fact(t, facts, "socket"), Dir: testenv.Fact(t, facts, "dir"),
		User: testenv.Fact(t, facts, "user"), Password: testenv.Fact(t, facts, "password"), CA: testenv.Fact(t, facts, "ca"),
	}
}

// URL gives the address of a database, with the password in it.
func (s *Server) URL(database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(s.User, s.Password),
		Host: fmt.Sprintf("%s:%d", s.Host, s.Port), Path: database, RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Database makes a new, empty database and gives its name.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := "t" + strconv.FormatInt(time.Now().UnixNano(), 36) + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(t.Name()))
	name = name[:min(len(name), 60)]
	s.Exec(t, "postgres", "create database "+pgx.Identifier{name}.Sanitize())
	return name
}

// Connect opens a connection that is closed with the test.
func (s *Server) Connect(t testing.TB, database string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), s.URL(database))
	if err != nil {
		t.Fatalf("connect to the test server: %v", err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

// Exec executes a statement on a connection of its own.
func (s *Server) Exec(t testing.TB, database, statement string, args ...any) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), s.URL(database))
	if err != nil {
		t.Fatalf("connect to the test server: %v", err)
	}
	defer func() { _ = c.Close(context.Background()) }()
	if _, err := c.Exec(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
