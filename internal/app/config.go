// Package app is the wiring: the one place that picks implementations and joins them into a program.
//
// It knows the configuration, the data directory with its lock and socket, and what an owner is made of. One process
// owns a data directory at a time: Open becomes the owner, or a client of the process that is. A process that owns
// drives only what was asked of it since it started, and what other processes ask through its socket; it leaves nothing
// half told when it ends: what it drove shows as interrupted.
package app

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/fault"
)

// Config is what can be set. Flags win over TEND_… variables, those over the file, and that over the defaults, which
// every field states.
type Config struct {
	// DataDir holds runs. TEND_DATA_DIR, --data-dir. Default: tend in the XDG state directory.
	DataDir string `yaml:"dataDir"`
	// OwnerWait bounds the wait for the process that owns the data directory. TEND_OWNER_WAIT. Default: 5s.
	OwnerWait Duration `yaml:"ownerWait"`
	// LogCap bounds what is kept of the log of one attempt; head and tail stay. TEND_LOG_CAP. Default: 10MiB.
	LogCap Size `yaml:"logCap"`
	// Egress says where steps may connect to, besides what `tend run` allows anyway.
	Egress Egress `yaml:"egress"`
	// Secrets says where secrets are found, besides the environment (TEND_SECRET_NAME).
	Secrets Secrets `yaml:"secrets"`
	// Runners are the places that `runner:` of a step can name.
	Runners map[string]Runner `yaml:"runners"`

	// File is where the configuration was read from; "" when there is none.
	File string `yaml:"-"`
}

// Egress limits network actions. The zero value allows everything but metadata addresses, which never are.
type Egress struct {
	// Only turns the allowance around: nothing but Allow can be reached. TEND_EGRESS_ONLY. Default: false.
	Only bool `yaml:"only"`
	// Allow lists hosts, host:port and CIDRs. TEND_EGRESS_ALLOW (with commas).
	Allow []string `yaml:"allow"`
}

// Secrets are looked for in the environment, then in Dir, then in the age file.
type Secrets struct {
	// Dir holds one file for each secret. TEND_SECRETS_DIR. Default: none.
	Dir string `yaml:"dir"`
	// Age is a file encrypted with age, and Identity the key file that opens it. TEND_SECRETS_AGE,
	// TEND_SECRETS_IDENTITY. Default: none.
	Age      string `yaml:"age"`
	Identity string `yaml:"identity"`
}

// Runner is a place where steps execute.
type Runner struct {
	SSH *SSH `yaml:"ssh"`
}

// SSH is a host that is reached by ssh. Its key must be in KnownHosts.
type SSH struct {
	Host       string `yaml:"host"`
	Port       int    `yaml:"port"`       // default 22
	User       string `yaml:"user"`       // default: the user who runs tend
	Identity   string `yaml:"identity"`   // private key file; default: the agent
	KnownHosts string `yaml:"knownHosts"` // default: ~/.ssh/known_hosts
	Jump       string `yaml:"jump"`       // [user@]host[:port]
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

// Flags are what the command line says over everything else.
type Flags struct {
	DataDir string
	Config  string
}

// Load reads the configuration. All problems are told at once.
func Load(f Flags, getenv func(string) string) (*Config, error) {
	c := &Config{}
	name, must := cmp.Or(f.Config, getenv("TEND_CONFIG")), true
	if name == "" {
		must = false
		dir, err := xdg(getenv, "XDG_CONFIG_HOME", ".config")
		if err == nil {
			name = filepath.Join(dir, "tend", "config.yaml")
		}
	}
	var problems []error
	if name != "" {
		problems = append(problems, c.read(name, must))
	}
	problems = append(problems, c.environment(getenv)...)
	c.DataDir = cmp.Or(f.DataDir, c.DataDir)
	if c.DataDir == "" {
		dir, err := xdg(getenv, "XDG_STATE_HOME", filepath.Join(".local", "state"))
		problems = append(problems, err)
		c.DataDir = filepath.Join(dir, "tend")
	}
	abs, err := filepath.Abs(c.DataDir)
	problems = append(problems, err)
	c.DataDir = abs
	c.OwnerWait = cmp.Or(c.OwnerWait, Duration(5*time.Second))
	c.LogCap = cmp.Or(c.LogCap, 10<<20)
	problems = append(problems, c.check()...)
	return c, errors.Join(problems...)
}

func (c *Config) read(name string, must bool) error {
	b, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !must:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return fault.New(fault.NotFound, "there is no configuration file %s", name).WithNext("leave --config and TEND_CONFIG away to do without")
	case err != nil:
		return fault.Wrap(fault.Unavailable, err, "read the configuration")
	}
	c.File = name
	if len(bytes.TrimSpace(b)) == 0 {
		return nil
	}
	err = yaml.Load(b, c, yaml.WithV4Defaults(), yaml.WithKnownFields(true), yaml.WithUniqueKeys(true))
	if err != nil {
		return fault.New(fault.Invalid, "read the configuration %s: %s", name, inWords(err)).WithNext("see docs/operations.md for what can be set")
	}
	base := filepath.Dir(name)
	for _, p := range []*string{&c.DataDir, &c.Secrets.Dir, &c.Secrets.Age, &c.Secrets.Identity} {
		*p = below(base, *p)
	}
	for _, r := range c.Runners {
		if r.SSH != nil {
			r.SSH.Identity, r.SSH.KnownHosts = below(base, r.SSH.Identity), below(base, r.SSH.KnownHosts)
		}
	}
	return nil
}

// inWords takes the names of Go types out of what the YAML library says.
func inWords(err error) string {
	text := regexp.MustCompile(`field (\S+) not found in type \S+`).ReplaceAllString(err.Error(), "there is no setting `$1`")
	return strings.TrimPrefix(strings.TrimPrefix(text, "yaml: "), "construct errors: ")
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

// environment puts TEND_… variables over the file.
func (c *Config) environment(getenv func(string) string) (problems []error) {
	text := func(name string, into *string) {
		if v := getenv(name); v != "" {
			*into = v
		}
	}
	parsed := func(name string, into interface{ UnmarshalText(b []byte) error }) {
		if v := getenv(name); v != "" {
			if err := into.UnmarshalText([]byte(v)); err != nil {
				problems = append(problems, fault.New(fault.Invalid, "%s: %s", name, err))
			}
		}
	}
	text("TEND_DATA_DIR", &c.DataDir)
	parsed("TEND_OWNER_WAIT", &c.OwnerWait)
	parsed("TEND_LOG_CAP", &c.LogCap)
	text("TEND_SECRETS_DIR", &c.Secrets.Dir)
	text("TEND_SECRETS_AGE", &c.Secrets.Age)
	text("TEND_SECRETS_IDENTITY", &c.Secrets.Identity)
	if v := getenv("TEND_EGRESS_ALLOW"); v != "" {
		c.Egress.Allow = strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' })
	}
	if v := getenv("TEND_EGRESS_ONLY"); v != "" {
		only, err := strconv.ParseBool(v)
		if err != nil {
			problems = append(problems, fault.New(fault.Invalid, "TEND_EGRESS_ONLY: %q is neither true nor false", v))
		}
		c.Egress.Only = only
	}
	return problems
}

func (c *Config) check() (problems []error) {
	bad := func(format string, a ...any) {
		problems = append(problems, fault.New(fault.Invalid, format, a...))
	}
	if (c.Secrets.Age == "") != (c.Secrets.Identity == "") {
		bad("secrets.age and secrets.identity belong together: one of them is missing")
	}
	names := make([]string, 0, len(c.Runners))
	for n := range c.Runners {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		switch r := c.Runners[n]; {
		case n == "local":
			bad("runners.local: this name always means the process itself")
		case r.SSH == nil:
			bad("runners.%s: say how it is reached: ssh", n)
		case r.SSH.Host == "":
			bad("runners.%s.ssh: host is missing", n)
		case r.SSH.Port < 0 || r.SSH.Port > 65535:
			bad("runners.%s.ssh: port %d is not between 1 and 65535", n, r.SSH.Port)
		}
	}
	return problems
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
