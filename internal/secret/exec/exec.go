// Package exec finds secrets by asking a program: sops, a cloud's command line, a password manager.
//
// The program is started without a shell, in a directory of its own choosing, with an environment that the configuration
// lists, and must print the secret and nothing else; one line break at the end is not part of it. {name} in its arguments
// becomes the name of the secret, {path} the same as sops writes it (["prod"]["db"]), {key} its last part. Which of its ends
// mean that there is no such secret is declared: every other failure is a failure. What it prints on its error output is
// never repeated: programs print secrets there.
package exec

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
)

// Config of a provider.
type Config struct {
	Command []string      // program and arguments
	Dir     string        // default: that of this process
	Env     []string      // NAME=value; nothing is inherited but PATH and HOME, which the wiring puts here
	Missing []int         // exit codes that say that there is no such secret
	Timeout time.Duration // default: 10 s
}

// Provider implements secret.Provider.
type Provider struct{ cfg Config }

var _ secret.Provider = (*Provider)(nil)

// maxOutput bounds a secret.
const maxOutput = 1 << 20

// New checks the configuration.
func New(c Config) (*Provider, error) {
	switch {
	case len(c.Command) == 0 || c.Command[0] == "":
		return nil, fault.New(fault.Invalid, "the provider exec has no command")
	case !slices.ContainsFunc(c.Command[1:], func(a string) bool {
		return strings.Contains(a, "{name}") || strings.Contains(a, "{path}") || strings.Contains(a, "{key}")
	}):
		return nil, fault.New(fault.Invalid, "the command of the provider exec does not name the secret").WithNext("write {name}, {path} or {key} in its arguments")
	case slices.Contains(c.Missing, 0):
		return nil, fault.New(fault.Invalid, "the exit code 0 means that the secret was found")
	}
	if _, err := exec.LookPath(c.Command[0]); err != nil {
		return nil, fault.Wrap(fault.Missing, err, "find the program of the provider exec")
	}
	if c.Timeout <= 0 {
		c.Timeout = 10 * time.Second
	}
	return &Provider{cfg: c}, nil
}

// Name implements secret.Provider.
func (*Provider) Name() string { return "exec" }

// Find implements secret.Provider. The program does not tell a version.
func (p *Provider) Find(ctx context.Context, name string) (secret.Found, error) {
	if err := secret.CheckName(name); err != nil {
		return secret.Found{}, err
	}
	parts := strings.Split(name, "/")
	fill := strings.NewReplacer("{name}", name, "{path}", `["`+strings.Join(parts, `"]["`)+`"]`, "{key}", parts[len(parts)-1])
	args := make([]string, len(p.cfg.Command)-1)
	for i, a := range p.cfg.Command[1:] {
		args[i] = fill.Replace(a)
	}
	program := p.cfg.Command[0]
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = p.cfg.Dir, append([]string{}, p.cfg.Env...)
	var out limited
	cmd.Stdout = &out
	// Its children end with it: one that keeps the output open would hold us for ever.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return secret.Found{}, fault.New(fault.Timeout, "%s did not give the secret %s within %s", program, name, p.cfg.Timeout)
	case errors.As(err, &exit) && slices.Contains(p.cfg.Missing, exit.ExitCode()):
		return secret.Found{}, fault.New(fault.Missing, "%s has no secret %s", program, name)
	case err != nil:
		f := fault.New(fault.Exit, "%s did not give the secret %s: %v", program, name, err)
		return secret.Found{}, f.WithNext("run it by hand to see why; if this end means that there is no such secret, list its exit code as missing")
	case out.over:
		return secret.Found{}, fault.New(fault.Limit, "%s prints more than %d bytes as the secret %s", program, maxOutput, name)
	}
	b := bytes.TrimSuffix(out.kept.Bytes(), []byte("\n"))
	switch {
	case len(b) == 0:
		return secret.Found{}, fault.New(fault.Parse, "%s prints nothing as the secret %s", program, name)
	case !utf8.Valid(b) || bytes.IndexByte(b, 0) >= 0:
		return secret.Found{}, fault.New(fault.Parse, "what %s prints as the secret %s is not text", program, name).WithNext("store binary secrets in base64")
	}
	return secret.Found{Value: secret.New(string(b)), Version: "exec"}, nil
}

// limited keeps what fits and swallows the rest, so that the program is not stopped by a full pipe.
type limited struct {
	kept bytes.Buffer // not embedded: io.Copy would find its ReadFrom and pass by the limit
	over bool
}

func (l *limited) Write(b []byte) (int, error) {
	room := maxOutput - l.kept.Len()
	if len(b) > room {
		l.over = true
		l.kept.Write(b[:max(room, 0)])
		return len(b), nil
	}
	return l.kept.Write(b)
}
