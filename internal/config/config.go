// Package config is what can be set: for the commands of one machine (Config) and for `tend serve` (Server).
//
// Flags win over TEND_… variables, those over the file, and that over the defaults. Reading is strict: what is not known is
// an error with its place and the name that was probably meant, and all problems are told at once. It decides nothing but
// whether settings fit together. Secrets do not stand in it, only where they are found.
//
// A setting is a field with the tags `yaml` (its key), `env` (its variable) and, for a path that starts at the file, `path`.
// Its comment is its documentation: docs/server.md is generated from it. A section can check itself: see Checker.
package config

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/value"
)

// Config is what the commands of one machine can be told, and what `tend serve` can be told too.
type Config struct {
	// DataDir holds runs. It is made with mode 0700. Default: tend in the XDG state directory.
	DataDir string `yaml:"dataDir" env:"TEND_DATA_DIR" path:"true"`
	// OwnerWait bounds the wait for the process that owns the data directory.
	OwnerWait Duration `yaml:"ownerWait" env:"TEND_OWNER_WAIT"`
	// LogCap bounds what is kept of the log of one attempt; its head and its tail stay.
	LogCap Size `yaml:"logCap" env:"TEND_LOG_CAP"`
	// Egress says where steps may connect to. Metadata addresses of clouds are never reachable.
	Egress Egress `yaml:"egress"`
	// Secrets says where secrets are found, besides the environment (TEND_SECRET_NAME).
	Secrets Secrets `yaml:"secrets"`
	// Runners are the places that `runner:` of a step can name, besides local.
	Runners map[string]Runner `yaml:"runners"`
	// Integrations are connections to other services, by the names that `integration:` of a step can have.
	Integrations map[string]Integration `yaml:"integrations"`

	// File is where the configuration was read from; "" when there is none.
	File string `yaml:"-"`
}

// Egress limits network actions. The zero value allows everything but metadata addresses, which never are.
type Egress struct {
	// Only turns the allowance around: nothing but `allow` can be reached.
	Only bool `yaml:"only" env:"TEND_EGRESS_ONLY"`
	// Allow lists hosts, host:port and CIDRs.
	Allow []string `yaml:"allow" env:"TEND_EGRESS_ALLOW"`
}

// Runner is a place where steps execute.
type Runner struct {
	// SSH says how the host is reached.
	SSH *SSH `yaml:"ssh"`
}

// SSH is a host that is reached by ssh. Its key must be in KnownHosts.
type SSH struct {
	// Host is its name or address.
	Host string `yaml:"host"`
	// Port is 22 when it is not said.
	Port int `yaml:"port"`
	// User is the one who runs tend when it is not said.
	User string `yaml:"user"`
	// Identity is a private key file; without it the agent is asked.
	Identity string `yaml:"identity" path:"true"`
	// KnownHosts is ~/.ssh/known_hosts when it is not said.
	KnownHosts string `yaml:"knownHosts" path:"true"`
	// Jump is a host on the way: [user@]host[:port].
	Jump string `yaml:"jump"`
}

// Duration is written as 30s.
type Duration time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil || v <= 0 {
		return fmt.Errorf("%q is not a duration such as 30s", b)
	}
	*d = Duration(v)
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(value.Duration(d).String()), nil }

// Size is a number of bytes, written as 10MiB, 512KiB or 1000.
type Size int64

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Size) UnmarshalText(b []byte) error {
	text, unit := strings.TrimSpace(string(b)), int64(1)
	for suffix, n := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30} {
		if rest, ok := strings.CutSuffix(text, suffix); ok {
			text, unit = strings.TrimSpace(rest), n
		}
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n <= 0 {
		return fmt.Errorf("%q is not a size such as 10MiB", b)
	}
	*s = Size(n * unit)
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (s Size) MarshalText() ([]byte, error) {
	for _, u := range []struct {
		name string
		n    Size
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if s >= u.n && s%u.n == 0 {
			return []byte(strconv.FormatInt(int64(s/u.n), 10) + u.name), nil
		}
	}
	return []byte(strconv.FormatInt(int64(s), 10)), nil
}

// Flags are what the command line says over everything else.
type Flags struct {
	DataDir string
	Config  string
}

// Load reads the configuration of the commands. All problems are told at once.
func Load(f Flags, getenv func(string) string) (*Config, error) {
	c := &Config{OwnerWait: Duration(5 * time.Second), LogCap: 10 << 20}
	l := loader{getenv: getenv}
	name, must := cmp.Or(f.Config, getenv("TEND_CONFIG")), true
	if name == "" {
		must = false
		if dir, err := xdg(getenv, "XDG_CONFIG_HOME", ".config"); err == nil {
			name = filepath.Join(dir, "tend", "config.yaml")
		}
	}
	c.File = l.file(name, must, "leave --config and TEND_CONFIG away to do without", c)
	l.environment(c)
	l.dataDir(f, c)
	l.check(c)
	return c, l.problems()
}

// dataDir settles where runs are kept.
func (l *loader) dataDir(f Flags, c *Config) {
	c.DataDir = cmp.Or(f.DataDir, c.DataDir)
	if c.DataDir == "" {
		dir, err := xdg(l.getenv, "XDG_STATE_HOME", filepath.Join(".local", "state"))
		l.fail(err)
		c.DataDir = filepath.Join(dir, "tend")
	}
	abs, err := filepath.Abs(c.DataDir)
	l.fail(err)
	c.DataDir = abs
}

// Check implements Checker.
func (c *Config) Check(bad Bad) {
	c.checkIntegrations(bad)
	for _, n := range slices.Sorted(maps.Keys(c.Runners)) {
		at := "runners." + n
		switch r := c.Runners[n]; {
		case n == "local":
			bad(at, "choose another name", "runners.local: this name always means the process itself")
		case r.SSH == nil:
			bad(at, "", "runners.%s: say how it is reached: ssh", n)
		case r.SSH.Host == "":
			bad(at+".ssh", "", "runners.%s.ssh: host is missing", n)
		case r.SSH.Port < 0 || r.SSH.Port > 65535:
			bad(at+".ssh.port", "", "runners.%s.ssh: port %d is not between 1 and 65535", n, r.SSH.Port)
		}
	}
}

// below makes a path of the configuration file absolute: ~/ is the home directory, others start at the file.
func below(base, p string) string {
	switch {
	case p == "" || filepath.IsAbs(p):
		return p
	case strings.HasPrefix(p, "~/"):
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, p[2:])
		}
	}
	return filepath.Join(base, p)
}

// xdg gives a base directory: the variable when it is absolute, else the default below the home directory.
func xdg(getenv func(string) string, name, def string) (string, error) {
	if dir := getenv(name); filepath.IsAbs(dir) {
		return dir, nil
	}
	home := getenv("HOME")
	if home == "" {
		var err error
		if home, err = os.UserHomeDir(); err != nil {
			return "", fault.New(fault.Missing, "no home directory to keep state in").WithNext("set HOME, or give --data-dir")
		}
	}
	return filepath.Join(home, def), nil
}

// Dir is the directory of this user's configuration.
func Dir(getenv func(string) string) (string, error) {
	dir, err := xdg(getenv, "XDG_CONFIG_HOME", ".config")
	return filepath.Join(dir, "tend"), err
}
