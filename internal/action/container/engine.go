package container

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/output"
	"github.com/tendhq/tend/internal/action/process"
	"github.com/tendhq/tend/internal/fault"
)

const (
	// answerLimit bounds how long an engine may take to answer a question.
	answerLimit = 20 * time.Second
	// settle is how long a request that was on its way when its program was killed may take to show its effect.
	settle = 300 * time.Millisecond
)

// engine is docker or podman.
type engine struct {
	name string
	path string
	as   *process.User
}

// find finds the engine's program. Of the search path, relative directories are left out: whoever can write into the
// working directory must not choose the program.
func find(search, want string) (engine, error) {
	names := []string{want}
	switch want {
	case "", "auto":
		names = []string{"docker", "podman"}
	case "docker", "podman":
	default:
		return engine{}, fault.New(fault.Invalid, "input engine: %.40q is none of auto, docker, podman", want)
	}
	for _, name := range names {
		for _, dir := range filepath.SplitList(orDefault(search, os.Getenv("PATH"))) {
			if !filepath.IsAbs(dir) {
				continue
			}
			if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
				return engine{name: name, path: path}, nil
			}
		}
	}
	return engine{}, fault.New(fault.Missing, "%s is not installed here (not found in PATH)", strings.Join(names, " or ")).
		WithNext("install it, or run the step on a runner that has it")
}

// call asks the engine something. An error is what it printed.
func (e engine) call(ctx context.Context, args ...string) (string, error) {
	out := &output.Capture{}
	end, err := process.Run(ctx, process.Command{
		Path: e.path, Args: append([]string{e.path}, args...), Env: base(e.as), Output: out.Write, As: e.as,
	})
	text, _ := out.Parse("text")
	answer, _ := text.(string)
	switch {
	case err != nil:
		return "", err
	case end.Stopped:
		return "", errors.New(e.name + " does not answer")
	case end.Code != 0:
		return "", errors.New(orDefault(strings.TrimPrefix(out.Tail(), ": "), fmt.Sprintf("%s %s ended with exit code %d", e.name, args[0], end.Code)))
	}
	return answer, nil
}

// stop asks the container to end and makes it after the grace. Whether it ended is seen later.
func (e engine) stop(id string, grace time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), grace+answerLimit)
	defer cancel()
	_, _ = e.call(ctx, "stop", "-t", strconv.Itoa(max(int(grace.Seconds()), 1)), id)
}

// state is what an engine's inspection says of a container, in the words that both use.
type state struct {
	Status    string
	Running   bool
	OOMKilled bool
	ExitCode  int64
	Error     string
	StartedAt time.Time
}

func (s state) started() bool { return s.StartedAt.Year() > 1970 || s.Running }

// found is what became of a container.
type found struct {
	known bool  // the engine said it
	state state // of a container that was never created, nothing
	gone  bool  // it was seen that there is no such container any more
}

// find looks at the container, removes it, and looks again. Without an id it was, as far as the program knew, never
// created; if the program was killed its last request may still have come through, so that the name is looked at.
func (e engine) find(id, name string, killed bool) found {
	if id == "" && !killed {
		return found{known: true, gone: true}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*answerLimit)
	defer cancel()
	which := orDefault(id, name)
	if id == "" {
		pause(ctx, settle)
	}
	var f found
	var there bool
	f.state, there, f.known = e.inspect(ctx, which)
	for try := range 10 {
		if f.known && !there && try == 0 {
			f.gone = true
			return f
		}
		_, _ = e.call(ctx, "rm", "--force", "--volumes", which)
		if _, there, known := e.inspect(ctx, which); known && !there {
			f.gone = true
			return f
		}
		if ctx.Err() != nil {
			return f
		}
		pause(ctx, settle)
	}
	return f
}

// inspect tells the state of a container and whether there is one; known is false when the engine did not say.
func (e engine) inspect(ctx context.Context, which string) (s state, there, known bool) {
	text, err := e.call(ctx, "inspect", "--type=container", "--format={{json .State}}", which)
	if err != nil {
		lower := strings.ToLower(err.Error())
		return state{}, false, strings.Contains(lower, "no such container") || strings.Contains(lower, "no such object")
	}
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return state{}, true, false
	}
	return s, true, true
}

// sweep removes what earlier attempts of the step left: the engine goes on with a container when tend dies.
func (p *plan) sweep(ctx context.Context) error {
	list := func() ([]string, error) {
		text, err := p.engine.call(ctx, "ps", "--all", "--quiet", "--no-trunc", "--filter=label=tend.step="+p.step)
		if err != nil {
			if ctx.Err() != nil {
				k, why := action.Stopped(ctx)
				return nil, fault.New(k, "%s", why)
			}
			return nil, fault.New(refusal(err.Error()), "look for containers of earlier attempts: %s", p.say.Of(err.Error()))
		}
		return strings.Fields(text), nil
	}
	left, err := list()
	if err != nil || len(left) == 0 {
		return err
	}
	_, _ = p.engine.call(ctx, append([]string{"rm", "--force", "--volumes"}, left...)...)
	left, err = list()
	if err != nil || len(left) == 0 {
		return err
	}
	return fault.New(fault.Conflict, "the container %.12s of an earlier attempt cannot be removed", left[0]).WithNext("%s rm --force %.12s", p.engine.name, left[0])
}

// refusal tells from an engine's words why it did not start a container. Both engines say it in about the same ones.
func refusal(text string) fault.Kind {
	lower := strings.ToLower(text)
	for _, r := range []struct {
		kind  fault.Kind
		words []string
	}{
		{fault.Conflict, []string{"already in use"}},
		{fault.Refused, []string{"permission denied while trying to connect", "dial unix /var/run/docker.sock: connect: permission denied"}},
		{fault.Unavailable, []string{"cannot connect to the docker daemon", "is the docker daemon running", "unable to connect to podman", "connection refused", "tls handshake timeout", "no such host", "i/o timeout"}},
		{fault.Auth, []string{"pull access denied", "unauthorized", "authentication required", "denied:", "no basic auth credentials"}},
		{fault.Missing, []string{
			"no such image", "manifest unknown", "manifest for", "image not known", "unable to find image", "not found", "no such file or directory",
		}},
	} {
		for _, w := range r.words {
			if strings.Contains(lower, w) {
				return r.kind
			}
		}
	}
	return fault.Unavailable
}

// signalOf names the signal that an exit code stands for, for those that others send.
func signalOf(code int64) string {
	for _, s := range []unix.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGILL, unix.SIGABRT, unix.SIGBUS, unix.SIGKILL, unix.SIGSEGV, unix.SIGTERM} {
		if code == 128+int64(s) {
			return unix.SignalName(s)
		}
	}
	return ""
}

// idFile is the file into which the engine writes the id of the container that it created.
type idFile string

func newIDFile(as *process.User) (idFile, func(), error) {
	dir, err := os.MkdirTemp("", "tend-container")
	if err == nil && as != nil {
		err = as.Own(dir)
	}
	if err != nil {
		return "", nil, fault.Wrap(fault.Unavailable, err, "make a directory for the container's id")
	}
	return idFile(filepath.Join(dir, "id")), func() { _ = os.RemoveAll(dir) }, nil
}

// read gives the id, or nothing when no container was created. The file may be another user's: what is no id, or leads
// elsewhere, is nothing.
func (f idFile) read() string {
	file, err := os.OpenFile(string(f), os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return ""
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, 256))
	id := strings.TrimSpace(string(b))
	if err != nil || strings.Trim(id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_.-") != "" || strings.HasPrefix(id, "-") {
		return ""
	}
	return id
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// pipe gives a file that holds text and nothing on the disk, and what ends it.
func pipe(text string) (*os.File, func(), error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, fault.Wrap(fault.Unavailable, err, "make a pipe for the container's environment")
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		_, _ = w.WriteString(text) // the program may end without reading
		_ = w.Close()
	})
	return r, func() {
		_ = r.Close()
		_ = w.SetWriteDeadline(time.Now())
		wg.Wait()
	}, nil
}
