package config

import (
	"cmp"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/value"
)

// Server is what `tend serve` can be told.
type Server struct {
	Config `yaml:",inline"`

	// Listen is the address that the server answers on, besides the socket in its data directory. Another one than of this
	// machine itself needs `signOn`, and `tls` or `behindProxy`.
	Listen string `yaml:"listen" env:"TEND_LISTEN"`
	// URL is where people and other services find the server: in links, and in what they send back. Its host is one that
	// the server answers for.
	URL string `yaml:"url" env:"TEND_URL"`
	// Hosts are further names that requests may be sent to.
	Hosts []string `yaml:"hosts" env:"TEND_HOSTS"`
	// TLS are the server's certificate and key.
	TLS TLS `yaml:"tls"`
	// BehindProxy says that a proxy in front of the server speaks TLS with the world.
	BehindProxy bool `yaml:"behindProxy" env:"TEND_BEHIND_PROXY"`
	// Proxies are the addresses (CIDR) of such proxies: what they say in X-Forwarded-For about who asks is believed.
	Proxies []string `yaml:"proxies" env:"TEND_PROXIES"`
	// Playbooks are directories with playbooks, each a repository.
	Playbooks []string `yaml:"playbooks" env:"TEND_PLAYBOOKS"`
	// Repositories are where playbooks come from, besides `playbooks`.
	Repositories []Repository `yaml:"repositories"`
	// SignOn says who can sign on.
	SignOn SignOn `yaml:"signOn"`
	// Access says who has which roles, besides what `tend bindings` adds. Deny wins, and what nobody allows is denied.
	Access []Binding `yaml:"access"`
	// Sources are where events come from.
	Sources []Source `yaml:"sources"`
	// Channels are where people are told what happens, by name.
	Channels map[string]Channel `yaml:"channels"`
	// OnCall are duties, by name.
	OnCall map[string]OnCall `yaml:"onCall"`
	// Mode says what becomes of mutations, until somebody sets another mode (tend mode): observe records what would have been
	// done, ask lets a person decide on each, auto does them.
	Mode string `yaml:"mode" env:"TEND_MODE"`
	// Runs bounds how many runs that events started go on at a time, not counting those that wait for people. What comes then
	// is queued, by priority.
	Runs int `yaml:"runs" env:"TEND_RUNS"`
	// Audit says where the audit trail is shipped to.
	Audit Audit `yaml:"audit"`
	// Heartbeat tells another service that the server lives and can work. Its silence raises the alarm there.
	Heartbeat Heartbeat `yaml:"heartbeat"`
	// Metrics says who can read /metrics.
	Metrics Metrics `yaml:"metrics"`
	// Retention says how long what is over is kept. Without it: for ever.
	Retention Retention `yaml:"retention"`
	// LocalSteps lets steps run on the server itself. Without it `shell`, and `container` on the runner local, are refused.
	LocalSteps *LocalSteps `yaml:"localSteps"`
	// Backups is the directory for backups that admins ask for over the network, each below a name of its own. Without it they
	// are made on the server only.
	Backups string `yaml:"backups" env:"TEND_BACKUPS" path:"true"`
	// Drain bounds the wait, at the end, for steps that act to finish. What acts longer is stopped.
	Drain Duration `yaml:"drain" env:"TEND_DRAIN"`
	// Log says what the server tells about itself, on standard error.
	Log Log `yaml:"log"`
}

// TLS names files with a certificate (with those between it and its root) and a key. They are read again when they change.
type TLS struct {
	// Cert is the file with the certificate, in PEM.
	Cert string `yaml:"cert" env:"TEND_TLS_CERT" path:"true"`
	// Key is the file with its private key, in PEM.
	Key string `yaml:"key" env:"TEND_TLS_KEY" path:"true"`
}

// Heartbeat is asked regularly, as long as the server can work.
type Heartbeat struct {
	// URL is asked with GET. It is not printed: it often has a key in it.
	URL Hidden `yaml:"url" env:"TEND_HEARTBEAT_URL"`
	// Every is how often.
	Every Duration `yaml:"every" env:"TEND_HEARTBEAT_EVERY"`
}

// Check implements Checker.
func (h *Heartbeat) Check(bad Bad) {
	if h.URL == "" {
		return
	}
	if u, err := url.Parse(string(h.URL)); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		bad("url", "write it as https://…", "heartbeat.url is not an address")
	}
	if time.Duration(h.Every) < time.Second {
		bad("every", "write it as 1m", "heartbeat.every is less than a second")
	}
}

// Metrics says who can read what Prometheus scrapes.
type Metrics struct {
	// Public lets everybody read them who can reach the server. Otherwise it takes the right to view the server: a token of
	// a viewer.
	Public bool `yaml:"public" env:"TEND_METRICS_PUBLIC"`
}

// Retention says how long things are kept. The audit trail always is.
type Retention struct {
	// Runs is how long runs are kept after their end, with their tasks, logs and outputs.
	Runs Duration `yaml:"runs" env:"TEND_RETENTION_RUNS"`
	// Events is how long events are kept.
	Events Duration `yaml:"events" env:"TEND_RETENTION_EVENTS"`
	// Messages is how long messages to people are kept that were sent or given up.
	Messages Duration `yaml:"messages" env:"TEND_RETENTION_MESSAGES"`
}

// Check implements Checker.
func (r *Retention) Check(bad Bad) {
	for _, x := range []struct {
		key string
		is  Duration
	}{{"runs", r.Runs}, {"events", r.Events}, {"messages", r.Messages}} {
		if x.is != 0 && time.Duration(x.is) < 24*time.Hour {
			bad(x.key, "24h or more; 2160h are ninety days", "retention.%s: %s is too short to find out what happened", x.key, value.Duration(x.is))
		}
	}
}

// LocalSteps say as whom steps run on the server.
type LocalSteps struct {
	// User is the system's user that steps run as. It must be another one than the server's; the server must be root.
	User string `yaml:"user" env:"TEND_LOCAL_STEPS_USER"`
}

// Log says how the server logs.
type Log struct {
	// Level is debug, info, warn or error.
	Level string `yaml:"level" env:"TEND_LOG_LEVEL"`
	// Format is json or text.
	Format string `yaml:"format" env:"TEND_LOG_FORMAT"`
}

// ServerFlags are what the command line says over everything else.
type ServerFlags struct {
	Flags

	Listen    string
	Playbooks []string
	Repos     []string // URL[#branch]
}

// DefaultServer is what holds when nothing is said.
func DefaultServer() *Server {
	return &Server{
		Config: Config{OwnerWait: Duration(5 * time.Second), LogCap: 10 << 20},
		SignOn: SignOn{Session: Duration(12 * time.Hour), Longest: Duration(7 * 24 * time.Hour)},
		Listen: "127.0.0.1:8420", Mode: "observe", Runs: 64, Drain: Duration(30 * time.Second), Heartbeat: Heartbeat{Every: Duration(time.Minute)}, Log: Log{Level: "info", Format: "json"},
	}
}

// LoadServer reads the configuration of a server. All problems are told at once.
func LoadServer(f ServerFlags, getenv func(string) string) (*Server, error) {
	c, l := loadServer(f, getenv)
	return c, l.problems()
}

// CheckServer is LoadServer for somebody who wants to see each problem.
func CheckServer(f ServerFlags, getenv func(string) string) (*Server, []document.Finding, error) {
	c, l := loadServer(f, getenv)
	return c, document.Sort(l.findings), errors.Join(l.others...)
}

func loadServer(f ServerFlags, getenv func(string) string) (*Server, *loader) {
	c := DefaultServer()
	l := &loader{getenv: getenv}
	name, must := cmp.Or(f.Config, getenv("TEND_SERVER_CONFIG")), true
	if name == "" {
		name, must = found(getenv), false
	}
	c.File = l.file(name, must, "leave --config and TEND_SERVER_CONFIG away to do without", c)
	for i, p := range c.Playbooks {
		c.Playbooks[i] = below(l.base, p)
	}
	l.environment(c)
	l.localUser(c)
	l.dataDir(f.Flags, &c.Config)
	c.Listen = cmp.Or(f.Listen, c.Listen)
	if len(f.Playbooks) > 0 {
		c.Playbooks = f.Playbooks
	}
	if len(f.Repos) > 0 {
		c.Repositories = nil
		for _, r := range f.Repos {
			at, branch, _ := strings.Cut(r, "#")
			c.Repositories = append(c.Repositories, Repository{URL: at, Branch: branch})
		}
	}
	for i, p := range c.Playbooks {
		abs, err := filepath.Abs(p)
		l.fail(err)
		c.Playbooks[i] = abs
	}
	l.check(c)
	return c, l
}

// localUser reads the one variable below a section that need not be there.
func (l *loader) localUser(c *Server) {
	if u := l.getenv("TEND_LOCAL_STEPS_USER"); u != "" {
		c.LocalSteps = &LocalSteps{User: u}
	}
}

// found gives the first of the usual files that is there.
func found(getenv func(string) string) string {
	names := []string{"/etc/tend/server.yaml"}
	if dir, err := xdg(getenv, "XDG_CONFIG_HOME", ".config"); err == nil {
		names = slices.Insert(names, 0, filepath.Join(dir, "tend", "server.yaml"))
	}
	for _, n := range names {
		if _, err := os.Stat(n); !errors.Is(err, fs.ErrNotExist) {
			return n
		}
	}
	return ""
}

// Check implements Checker.
func (s *Server) Check(bad Bad) {
	s.checkListen(bad)
	s.checkRepositories(bad)
	s.checkChannels(bad)
	s.checkOnCall(bad)
	s.checkAccess(bad)
	s.checkSources(bad)
	if s.Runs < 1 || s.Runs > 10_000 {
		bad("runs", "1 to 10000", "runs: %d is not a number of runs", s.Runs)
	}
	if !slices.Contains([]string{"observe", "ask", "auto"}, s.Mode) {
		bad("mode", "observe, ask or auto", "there is no mode %q", s.Mode)
	}
	if s.URL != "" {
		u, err := url.Parse(s.URL)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || strings.Trim(u.Path, "/") != "" {
			bad("url", "write it as https://tend.example.org", "url %q is not the address of a server", s.URL)
		}
	}
	if (s.TLS.Cert == "") != (s.TLS.Key == "") {
		bad("tls", "give both", "tls.cert and tls.key belong together: one of them is missing")
	}
	if len(s.Proxies) > 0 && !s.BehindProxy {
		bad("proxies", "set behindProxy", "proxies are named, but the server is not behind one")
	}
	for _, p := range s.Proxies {
		if _, err := netip.ParsePrefix(p); err != nil {
			bad("proxies", "write it as 10.0.0.0/8", "proxies: %q is not a range of addresses", p)
		}
	}
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, s.Log.Level) {
		bad("log.level", "debug, info, warn or error", "log.level %q is not known", s.Log.Level)
	}
	if s.Log.Format != "json" && s.Log.Format != "text" {
		bad("log.format", "json or text", "log.format %q is not known", s.Log.Format)
	}
	if s.LocalSteps != nil && s.LocalSteps.User == "" {
		bad("localSteps", "name a user who may do nothing else, as in `localSteps: {user: tend-steps}`", "localSteps names no user to run steps as")
	}
}

func (s *Server) checkListen(bad Bad) {
	host, port, err := net.SplitHostPort(s.Listen)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	switch {
	case err != nil:
		bad("listen", "write it as 127.0.0.1:8420", "listen %q is not an address with a port", s.Listen)
	case Loopback(host):
	case !s.SignsOn() && !s.BehindProxy:
		bad("listen", "listen on 127.0.0.1:8420, or configure `signOn` and `tls`",
			"listen %q can be reached from elsewhere, and nobody can sign on", s.Listen)
	case s.TLS.Cert == "" && !s.BehindProxy:
		bad("listen", "name a certificate (`tls`), or set behindProxy when a proxy speaks TLS",
			"listen %q can be reached from elsewhere, and what is said can be overheard", s.Listen)
	}
}

// Loopback tells whether a host can be reached from this machine only.
func Loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

// Names are the hosts that the server answers for; none: any.
func (s *Server) Names() []string {
	names := slices.Clone(s.Hosts)
	if u, err := url.Parse(s.URL); err == nil && u.Host != "" {
		names = append(names, u.Hostname())
	}
	host, _, _ := net.SplitHostPort(s.Listen)
	switch {
	case Loopback(host):
		names = append(names, "localhost", "127.0.0.1", "[::1]", host)
	case len(names) == 0:
		return nil
	default:
		names = append(names, host)
	}
	return names
}

// Hidden is a value that nobody may read: it is printed as nothing but that it is there.
type Hidden string

// MarshalYAML implements yaml.Marshaler.
func (h Hidden) MarshalYAML() (any, error) {
	if h == "" {
		return "", nil
	}
	return "(hidden)", nil
}

func (h Hidden) String() string { return "(hidden)" }

// Print writes what holds, as the file that would say so. Nothing in it is a secret.
func Print(c *Server) ([]byte, error) { return yaml.Dump(c, yaml.WithV4Defaults()) }
