package git

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/tendhq/tend/internal/fault"
)

// The bounds of what is asked of the program git.
const (
	fetchTime   = 5 * time.Minute
	localTime   = time.Minute
	maxMirror   = 1 << 30 // bytes of the history of one repository
	maxMessage  = 2 << 10 // of what git says when it fails
	maxListing  = 64 << 20
	graceOfKill = 2 * time.Second
)

// errTooMuch is why a program is ended that prints more than is read, or a mirror that grows beyond its bound.
var errTooMuch = errors.New("too much")

// program runs git, and nothing that git would run for others: no hooks, no filters, no pagers, no questions, no settings
// of the user or the machine, no submodules, no other ways to speak than https, ssh and files.
type program struct {
	path string // of git; "" looks for it in PATH
	dir  string // the mirror
	env  []string
}

// settings are given to each call.
func settings() []string {
	return []string{
		"-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "core.pager=cat", "-c", "core.askPass=", "-c", "credential.helper=",
		"-c", "protocol.allow=never", "-c", "protocol.https.allow=always", "-c", "protocol.ssh.allow=always", "-c", "protocol.file.allow=always",
		"-c", "http.followRedirects=false", "-c", "fetch.recurseSubmodules=no", "-c", "submodule.recurse=false", "-c", "gc.autoDetach=false",
		"-c", "maintenance.autoDetach=false", "-c", "log.showSignature=false", "-c", "i18n.logOutputEncoding=UTF-8", "-c", "core.quotePath=false",
	}
}

// inherited are the variables that git gets from the server: how to reach others, and where its ssh finds its keys.
func inherited() []string {
	return []string{
		"PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "SSH_AUTH_SOCK", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy",
		"SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", // which of them counts is up to the library that git is built with
	}
}

func environment(more []string) []string {
	env := []string{
		"GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_ATTR_NOSYSTEM=1", "GIT_ASKPASS=", "SSH_ASKPASS=",
		"GIT_ALLOW_PROTOCOL=https:ssh:file", "GIT_NO_REPLACE_OBJECTS=1", "GIT_OPTIONAL_LOCKS=0", "GIT_NO_LAZY_FETCH=1", "GIT_PAGER=cat", "LC_ALL=C",
	}
	for _, name := range inherited() {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return append(env, more...)
}

// run runs git on the mirror and gives what it prints, at most limit bytes. env is for this call alone.
func (p *program) run(ctx context.Context, within time.Duration, limit int, stdin io.Reader, env []string, args ...string) ([]byte, error) {
	name := p.path
	if name == "" {
		var err error
		if name, err = exec.LookPath("git"); err != nil {
			return nil, fault.New(fault.Missing, "the program git is not there: %v", err).WithNext("install git, or name a directory in place of a repository")
		}
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	out := &bounded{limit: limit, full: func() { stop(errTooMuch) }}
	said := &bounded{limit: maxMessage}
	cmd := exec.CommandContext(ctx, name, append(append([]string{"--git-dir=" + p.dir}, settings()...), args...)...) //nolint:gosec // the program is the operator's
	cmd.Dir, cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = filepath.Dir(p.dir), environment(append(env, p.env...)), stdin, out, said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) } // ssh and its like too
	cmd.WaitDelay = graceOfKill
	done := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		p.watch(done, func() { stop(errTooMuch) })
	}()
	err := cmd.Run()
	close(done)
	<-watched
	return out.Bytes(), p.failed(ctx, within, args, said.String(), err)
}

// failed words how git ended.
func (p *program) failed(ctx context.Context, within time.Duration, args []string, said string, err error) error {
	if err == nil {
		return nil
	}
	verb := args[0]
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errTooMuch):
		return fault.New(fault.Limit, "git %s: the repository is larger than the server reads (%d MiB of history)", verb, maxMirror>>20)
	case errors.Is(cause, context.DeadlineExceeded):
		return fault.New(fault.Timeout, "git %s took longer than %s", verb, within)
	case cause != nil && !errors.Is(err, fs.ErrNotExist):
		return fault.Wrap(fault.Cancelled, cause, "git %s", verb)
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && strings.TrimSpace(said) != "" {
		return &ended{fault.New(fault.Unavailable, "git %s: %s", verb, printable(said)), exit.ExitCode()}
	}
	return fault.Wrap(fault.Unavailable, err, "git %s", verb)
}

// watch ends a program under which the mirror grows beyond its bound.
func (p *program) watch(done <-chan struct{}, end func()) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-done:
			return
		case <-t.C:
			if size(p.dir) > maxMirror {
				end()
				return
			}
		}
	}
}

func size(dir string) int64 {
	var n int64
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error { // what goes meanwhile has no size
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				n += info.Size()
			}
		}
		return nil
	})
	return n
}

// ended is what git said when it failed, with its code.
type ended struct {
	why  *fault.Error
	code int
}

func (e *ended) Error() string { return e.why.Error() }

func (e *ended) Unwrap() error { return e.why }

// ExitCode tells with which code git ended; -1 when it did not end by itself.
func ExitCode(err error) int {
	var said *ended
	if errors.As(err, &said) {
		return said.code
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return -1
}

// bounded keeps the beginning of what is written.
type bounded struct {
	bytes.Buffer
	limit int
	full  func()
}

func (b *bounded) Write(p []byte) (int, error) {
	if over := b.Len() + len(p) - b.limit; over > 0 {
		b.Buffer.Write(p[:max(len(p)-over, 0)])
		if b.full != nil {
			b.full()
		}
		return len(p), nil
	}
	return b.Buffer.Write(p)
}

// printable makes one line of what a program or a commit says.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return ' '
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 400 {
		s = string(r[:400]) + "…"
	}
	return s
}
