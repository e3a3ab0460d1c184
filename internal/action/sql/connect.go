package sql

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
)

// The values of sslmode, as in libpq.
const (
	modeDisable    = "disable"
	modePrefer     = "prefer"
	modeRequire    = "require"
	modeVerifyCA   = "verify-ca"
	modeVerifyFull = "verify-full"
)

const (
	connectLimit = 20 * time.Second
	// cancelGrace is how long the server has to confirm that it cancelled a statement.
	cancelGrace = 5 * time.Second
)

// database says which database to use, and as whom. Its fields are the inputs that connectionFields describes.
type database struct {
	Host     string      `in:"host"`
	Port     int         `in:"port"`
	Database string      `in:"database"`
	User     action.Text `in:"user"`
	Password action.Text `in:"password"`
	SSLMode  string      `in:"sslmode"`
	CA       string      `in:"ca"`
	Cert     string      `in:"cert"`
	Key      action.Text `in:"key"`
	URL      action.Text `in:"url"`

	say words
}

// readInputs reads the inputs of the connection, and the others into the struct that into points to.
func readInputs(req action.Request, into any) (*database, error) {
	mine, others := map[string]any{}, map[string]any{}
	connection := connectionFields()
	for k, v := range req.Inputs {
		if slices.ContainsFunc(connection, func(f contract.Field) bool { return f.Name == k }) {
			mine[k] = v
		} else {
			others[k] = v
		}
	}
	d := &database{}
	err := action.Decode(mine, d)
	if err == nil {
		err = d.complete()
	}
	d.say = newWords(req, d)
	return d, fault.Wrap(fault.Invalid, errors.Join(err, action.Decode(others, into)), "")
}

// complete reads the URL and checks what is there. All problems are reported.
func (d *database) complete() error {
	var problems []error
	bad := func(format string, a ...any) { problems = append(problems, fault.New(fault.Invalid, format, a...)) }
	if !d.URL.Empty() {
		d.readURL(bad)
	}
	d.Port = orDefault(d.Port, 5432)
	d.Database = orDefault(d.Database, "postgres")
	if d.SSLMode == "" {
		d.SSLMode = modePrefer
		if d.CA != "" {
			d.SSLMode = modeVerifyFull
		}
	}
	if d.Host == "" {
		bad("input host: which server? Give host, or url")
	}
	if strings.ContainsAny(d.Host, ",") {
		bad("input host: one server, not a list")
	}
	if d.User.Empty() {
		bad("input user: as whom? Give user, or url")
	}
	if d.Port < 1 || d.Port > 65535 {
		bad("input port: %d is not a port", d.Port)
	}
	for name, text := range map[string]string{"host": d.Host, "database": d.Database, "user": d.User.Reveal(), "password": d.Password.Reveal()} {
		if strings.ContainsRune(text, 0) {
			bad("input %s: has a NUL byte", name)
		}
	}
	switch d.SSLMode {
	case modeDisable, modePrefer, modeRequire, modeVerifyCA, modeVerifyFull:
	default:
		bad("input sslmode: %.40q is none of disable, prefer, require, verify-ca, verify-full", d.SSLMode)
	}
	if (d.Cert == "") != d.Key.Empty() {
		bad("inputs cert and key: give both or none")
	}
	return fault.Wrap(fault.Invalid, errors.Join(problems...), "read the inputs")
}

// readURL fills what the URL says. Its text never shows: it holds the password, and a broken one may hold it anywhere.
func (d *database) readURL(bad func(string, ...any)) {
	u, err := url.Parse(d.URL.Reveal())
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || u.Opaque != "" {
		bad("input url: it is not of the form postgres://user:password@host:port/database")
		return
	}
	d.Host = u.Hostname()
	if p := u.Port(); p != "" {
		d.Port, _ = strconv.Atoi(p)
	}
	if name := strings.TrimPrefix(u.Path, "/"); name != "" {
		d.Database = name
	}
	if u.User != nil {
		d.User = action.PlainText(u.User.Username())
		if p, ok := u.User.Password(); ok {
			d.Password = hidden(p)
		}
	}
	for key, values := range u.Query() {
		switch key {
		case "host":
			d.Host = values[0]
		case "sslmode":
			d.SSLMode = values[0]
		default:
			bad("input url: %.40q is not supported there; sslmode and host are", key)
		}
	}
}

func (d *database) local() bool { return strings.HasPrefix(d.Host, "/") }

// String names the database in messages.
func (d *database) String() string {
	if d.local() {
		return fmt.Sprintf("database %s at %s", d.Database, d.Host)
	}
	return fmt.Sprintf("database %s at %s", d.Database, net.JoinHostPort(d.Host, strconv.Itoa(d.Port)))
}

// connect opens a connection through the rules of egress. An error means that nothing was done yet. dir is where relative
// file names start.
func (d *database) connect(ctx context.Context, egress action.Egress, dir, name string, notice func(string)) (*pgconn.PgConn, error) {
	cfg, err := pgconn.ParseConfig("host=localhost port=5432 user=tend password=none dbname=postgres sslmode=disable passfile=/dev/null " +
		"target_session_attrs=any sslcertmode=allow channel_binding=prefer min_protocol_version=3.0 max_protocol_version=3.0")
	if err != nil {
		return nil, fault.New(fault.Invalid, "the environment variable PGSERVICE names a service that cannot be read").WithNext("unset PGSERVICE")
	}
	// Everything that libpq would take from the environment is replaced: a playbook means the same wherever it runs.
	cfg.Host, cfg.Port, cfg.Database = d.Host, uint16(d.Port), d.Database
	cfg.User, cfg.Password = d.User.Reveal(), d.Password.Reveal()
	cfg.RuntimeParams = map[string]string{"application_name": name, "client_encoding": "UTF8"}
	cfg.ValidateConnect, cfg.ConnectTimeout = nil, connectLimit
	cfg.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { notice(n.Severity + ": " + d.say.Of(n.Message)) }
	// The default closes on FATAL; a statement that is cancelled is answered with an ERROR and keeps the connection.
	cfg.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler {
		return &canceller{conn: c}
	}
	secure, err := d.tls(dir)
	if err != nil {
		return nil, err
	}
	cfg.TLSConfig, cfg.Fallbacks = secure, nil
	if d.SSLMode == modePrefer && secure != nil {
		cfg.Fallbacks = []*pgconn.FallbackConfig{{Host: d.Host, Port: uint16(d.Port)}}
	}
	if !d.local() && d.SSLMode != modeVerifyFull && d.SSLMode != modeVerifyCA && d.Host != "localhost" && !loopback(d.Host) {
		cfg.RequireAuth = "!password"
	}
	dial := &dialer{through: action.Dialer{Egress: egress, Timeout: connectLimit}, egress: egress}
	cfg.DialFunc = dial.DialContext
	// The name goes to the dialer as it is, which resolves it and judges both.
	cfg.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	ctx, cancel := context.WithTimeout(ctx, connectLimit)
	defer cancel()
	c, err := pgconn.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, d.connectFault(ctx, err)
	}
	return c, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// dialer connects through the rules of egress. A cancel request goes to the address of a connection that was allowed,
// where a rule that names the host would not know it again.
type dialer struct {
	through action.Dialer
	egress  action.Egress
	mu      sync.Mutex
	allowed map[string]bool
}

func (d *dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if network == "unix" {
		if !d.egress.Loopback {
			return nil, fault.New(fault.Refused, "connections to this machine are not allowed")
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	d.mu.Lock()
	known := d.allowed[address]
	d.mu.Unlock()
	if known {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	c, err := d.through.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.allowed == nil {
		d.allowed = map[string]bool{}
	}
	d.allowed[c.RemoteAddr().String()] = true
	return c, nil
}

// connectFault says why there is no connection.
func (d *database) connectFault(ctx context.Context, err error) error {
	var pg *pgconn.PgError
	var f *fault.Error
	switch {
	case errors.As(err, &f):
		return fault.Wrap(f.Kind, f, "connect to %s", d)
	case errors.As(err, &pg):
		return fault.New(connectKind(pg.Code), "connect to %s: %s", d, d.say.server(pg))
	case strings.Contains(err.Error(), "require_auth"):
		return fault.New(fault.Auth, "connect to %s: the server asks for the password in clear, and it is not known to be the right one", d).
			WithNext("use sslmode verify-full with ca, or have the server use scram-sha-256")
	case strings.Contains(err.Error(), "server refused TLS connection"):
		return fault.New(fault.TLS, "connect to %s: the server does not encrypt", d).WithNext("turn ssl on at the server, or use sslmode prefer or disable")
	}
	return fault.New(action.NetKind(ctx, err), "connect to %s: %s", d, d.say.err(err))
}

// connectKind maps what a server says before there is a session.
func connectKind(code string) fault.Kind {
	switch {
	case strings.HasPrefix(code, "28"), code == "42501":
		return fault.Auth
	case code == "3D000":
		return fault.Missing
	default: // too many connections, starting up, shutting down
		return fault.Unavailable
	}
}

func (d *database) tls(dir string) (*tls.Config, error) {
	if d.SSLMode == modeDisable || d.local() {
		return nil, nil
	}
	//nolint:gosec // sslmode decides how much is verified, and VerifyConnection below does it
	cfg := &tls.Config{ServerName: d.Host, InsecureSkipVerify: true}
	var pool *x509.CertPool
	if d.CA != "" {
		b, err := pemOf("ca", d.CA, dir)
		if err != nil {
			return nil, err
		}
		pool = x509.NewCertPool()
		if !pool.AppendCertsFromPEM(b) {
			return nil, fault.New(fault.Invalid, "input ca: it holds no certificate in PEM form")
		}
	}
	if d.Cert != "" {
		c, err := pemOf("cert", d.Cert, dir)
		if err != nil {
			return nil, err
		}
		k, err := pemOf("key", d.Key.Reveal(), dir)
		if err != nil {
			return nil, err
		}
		pair, err := tls.X509KeyPair(c, k)
		if err != nil {
			return nil, fault.New(fault.Invalid, "inputs cert and key: they are not a certificate and its key in PEM form")
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	if d.SSLMode == modeVerifyFull || d.SSLMode == modeVerifyCA || pool != nil {
		full := d.SSLMode == modeVerifyFull
		cfg.VerifyConnection = func(s tls.ConnectionState) error { return verify(s, pool, full) }
	}
	return cfg, nil
}

// verify checks the server's certificates as crypto/tls would. Of verify-ca, the name is not a part.
func verify(s tls.ConnectionState, roots *x509.CertPool, full bool) error {
	if len(s.PeerCertificates) == 0 {
		return errors.New("the server showed no certificate")
	}
	o := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
	if full {
		o.DNSName = s.ServerName
	}
	for _, c := range s.PeerCertificates[1:] {
		o.Intermediates.AddCert(c)
	}
	if _, err := s.PeerCertificates[0].Verify(o); err != nil {
		return &tls.CertificateVerificationError{UnverifiedCertificates: s.PeerCertificates, Err: err}
	}
	return nil
}

// pemOf gives PEM text that stands in an input or in the file that it names.
func pemOf(input, text, dir string) ([]byte, error) {
	if strings.Contains(text, "-----BEGIN") {
		return []byte(text), nil
	}
	if strings.ContainsAny(text, "\n\x00") {
		return nil, fault.New(fault.Invalid, "input %s: it is neither PEM text nor the name of a file", input)
	}
	path := text
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.New(fault.Missing, "input %s: its file cannot be read", input).WithNext("ls -l '%s'", text)
	}
	return b, nil
}

func hidden(s string) action.Text { return action.SecretText(secret.New(s)) }

func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}
