// Package shell runs scripts and programs on the machine where the runner is.
//
// The step's data reaches the program through its environment, its arguments and its input, never through the text of
// the script: that is what ends injection. What the program started dies with the step (see package process).
package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/output"
	"github.com/tendhq/tend/internal/action/process"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/fault"
)

// longest is the largest script that is given as an argument; Linux takes 128 KiB. A longer one goes through a file.
const longest = 96 << 10

// Action is the action.
type Action struct {
	// As is the user that programs run as; nil: the one of this process.
	As *process.User
}

// New gives the action.
func New() Action { return Action{} }

// Spec implements action.Action.
func (Action) Spec() contract.Spec { return spec() }

type inputs struct {
	Script    action.Text   `in:"script"`
	Argv      []action.Text `in:"argv"`
	Shell     string        `in:"shell"`
	Stdin     *action.Text  `in:"stdin"`
	Cwd       string        `in:"cwd"`
	Parse     string        `in:"parse"`
	ExitCodes []int64       `in:"exitCodes"`
	Grace     time.Duration `in:"grace"`
}

// Run implements action.Action.
func (a Action) Run(ctx context.Context, req action.Request, log action.Log) action.Result {
	if ctx.Err() != nil {
		k, why := action.Stopped(ctx)
		return action.Never(k, why+" before the program was started")
	}
	in := inputs{Parse: "text", ExitCodes: []int64{0}}
	if err := action.Decode(req.Inputs, &in); err != nil {
		return action.Never(fault.Invalid, err.Error())
	}
	if err := in.check(); err != nil {
		return action.Never(fault.KindOf(err), err.Error())
	}
	cmd, remove, err := in.command(req, a.As)
	if err != nil {
		return action.Never(fault.KindOf(err), err.Error())
	}
	defer remove()

	out := &output.Capture{}
	cmd.Output = func(stream string, p []byte) {
		out.Write(stream, p)
		log(stream, p)
	}
	end, err := process.Run(ctx, cmd)
	if err != nil {
		if ctx.Err() != nil {
			k, why := action.Stopped(ctx)
			return action.Never(k, why+" before the program was started")
		}
		return startError(err, cmd, in)
	}
	return in.result(ctx, end, out)
}

func (in inputs) check() error {
	var problems []error
	bad := func(format string, a ...any) { problems = append(problems, fault.New(fault.Invalid, format, a...)) }
	switch {
	case in.Script.Empty() && len(in.Argv) == 0:
		bad("neither script nor argv is given")
	case !in.Script.Empty() && len(in.Argv) > 0:
		bad("both script and argv are given; only one can be run")
	case len(in.Argv) > 0 && in.Argv[0].Empty():
		bad("argv[0], the program, is empty")
	case len(in.Argv) > 0 && in.Shell != "":
		bad("shell is given, but argv runs without one")
	}
	if strings.ContainsRune(in.Script.Reveal(), 0) {
		bad("script contains a NUL byte")
	}
	for i, a := range in.Argv {
		if strings.ContainsRune(a.Reveal(), 0) {
			bad("argv[%d] contains a NUL byte", i)
		}
	}
	switch in.Shell {
	case "", "bash", "sh", "python3":
	default:
		bad("shell is %.40q; it can be bash, sh or python3", in.Shell)
	}
	if !slices.Contains([]string{"text", "json", "lines", "number", "auto"}, in.Parse) {
		bad("parse is %.40q; it can be text, json, lines, number or auto", in.Parse)
	}
	if len(in.ExitCodes) == 0 {
		bad("exitCodes is empty: no end would be a success")
	}
	return errors.Join(problems...)
}

// command makes the command. remove lets go of what was written for it.
func (in inputs) command(req action.Request, as *process.User) (c process.Command, remove func(), err error) {
	remove = func() {}
	env, err := environment(req, as)
	if err != nil {
		return c, remove, err
	}
	c.Env, c.As = env, as
	c.Grace = in.Grace
	if in.Stdin != nil {
		c.Stdin = []byte(in.Stdin.Reveal())
	}
	if c.Dir, err = directory(in.Cwd, req); err != nil {
		return c, remove, err
	}
	if len(in.Argv) > 0 {
		for _, a := range in.Argv {
			c.Args = append(c.Args, a.Reveal())
		}
		c.Path, err = programOf(c.Args[0], c.Dir, env)
		if err != nil {
			err = fault.New(fault.Missing, "%s is not installed here (not found in PATH)", in.shown(c.Args[0]))
		}
		return c, remove, err
	}
	name, path, err := interpreter(in.Shell, as)
	if err != nil {
		return c, remove, err
	}
	c.Path = path
	if text := in.Script.Reveal(); len(text) <= longest && !in.Script.Secret() {
		c.Args = []string{name, "-c", text}
		return c, remove, nil
	}
	file, err := scriptFile(in.Script.Reveal())
	if err != nil {
		return c, remove, fault.Wrap(fault.Unavailable, err, "write the script to a file")
	}
	c.Files = []*os.File{file}
	c.Args = []string{name, "/dev/fd/3"}
	return c, func() { _ = file.Close() }, nil
}

// scriptFile holds what must not, or cannot, stand among the arguments, which every user of the host can read. It has no
// name any more when it is given away, so that nothing of it is left on the disk, however tend ends.
func scriptFile(text string) (*os.File, error) {
	f, err := os.CreateTemp("", "tend-script-*") // mode 0600
	if err != nil {
		return nil, err
	}
	err = os.Remove(f.Name())
	if err == nil {
		_, err = f.WriteString(text)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// interpreter finds the shell in tend's own PATH, or that of the user that the program runs as: the step's env is for the
// script.
func interpreter(shell string, as *process.User) (name, path string, err error) {
	candidates := []string{shell}
	if shell == "" {
		candidates = []string{"bash", "sh"}
	}
	for _, name := range candidates {
		if as != nil {
			if path, err := programOf(name, "/", []string{"PATH=" + process.Path}); err == nil {
				return name, path, nil
			}
			continue
		}
		if path, err := exec.LookPath(name); err == nil {
			return name, path, nil
		}
	}
	return "", "", fault.New(fault.Missing, "%s is not installed here (not found in PATH)", strings.Join(candidates, " or "))
}

// program finds argv[0]: with a slash from the working directory, else in the PATH that the program will see.
func programOf(name, dir string, env []string) (string, error) {
	if strings.Contains(name, "/") {
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		return name, nil
	}
	search := ""
	for _, kv := range env {
		if v, ok := strings.CutPrefix(kv, "PATH="); ok {
			search = v
		}
	}
	for _, d := range filepath.SplitList(search) {
		if !filepath.IsAbs(d) {
			continue // whoever can write into the working directory must not choose the program
		}
		p := filepath.Join(d, name)
		if st, err := os.Stat(p); err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0 {
			return p, nil
		}
	}
	return "", os.ErrNotExist
}

func directory(cwd string, req action.Request) (string, error) {
	if strings.ContainsRune(cwd, 0) {
		return "", fault.New(fault.Invalid, "cwd contains a NUL byte")
	}
	dir := req.Dir
	if dir == "" {
		dir = req.Work
	}
	if filepath.IsAbs(cwd) {
		dir = cwd
	} else if cwd != "" {
		dir = filepath.Join(dir, cwd)
	}
	if dir == "" {
		return "", nil
	}
	st, err := os.Stat(dir)
	switch {
	case errors.Is(err, os.ErrPermission):
		return "", fault.New(fault.Refused, "working directory %.200q: permission denied", dir)
	case err != nil:
		return "", fault.New(fault.Missing, "working directory %.200q is not there", dir)
	case !st.IsDir():
		return "", fault.New(fault.Missing, "working directory %.200q is not a directory", dir)
	}
	return dir, nil
}

// environment gives the process's environment: the base, tend's own variables, and over them the step's. The base of
// another user has nothing of this process.
func environment(req action.Request, as *process.User) ([]string, error) {
	env := map[string]string{}
	if as != nil {
		env = as.Env()
		env["TMPDIR"] = req.Work
	} else {
		for _, name := range []string{"PATH", "HOME", "USER", "LANG", "TMPDIR", "TZ"} {
			if v, ok := os.LookupEnv(name); ok {
				env[name] = v
			}
		}
	}
	for name, v := range map[string]string{"TEND_RUN": req.Run, "TEND_STEP": req.Step, "TEND_KEY": req.Key, "TEND_WORK": req.Work, "TRACEPARENT": req.Trace} {
		if v != "" && !strings.ContainsRune(v, 0) {
			env[name] = v
		}
	}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(req.Env)) {
		if name == "" || strings.ContainsAny(name, "=\x00") {
			problems = append(problems, fault.New(fault.Invalid, "env: %.60q cannot be the name of a variable", name))
			continue
		}
		if name == process.MarkName {
			problems = append(problems, fault.New(fault.Invalid, "env: %s belongs to tend", name))
			continue
		}
		text, err := action.AsText(req.Env[name])
		if err != nil {
			problems = append(problems, fmt.Errorf("env: %s: %w", name, err))
			continue
		}
		if strings.ContainsRune(text.Reveal(), 0) {
			problems = append(problems, fault.New(fault.Invalid, "env: %s contains a NUL byte", name))
			continue
		}
		env[name] = text.Reveal()
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	out := make([]string, 0, len(env)+1)
	for _, name := range slices.Sorted(maps.Keys(env)) {
		out = append(out, name+"="+env[name])
	}
	return out, nil
}

// shown names the program for a message.
func (in inputs) shown(path string) string {
	if len(in.Argv) > 0 && in.Argv[0].Secret() {
		return "the program"
	}
	return fmt.Sprintf("program %.100q", path)
}

// startError explains why nothing was started. The message never holds an argument: it may be a secret.
func startError(err error, cmd process.Command, in inputs) action.Result {
	what := in.shown(cmd.Path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return action.Never(fault.Missing, what+" is not there, or its interpreter is not")
	case errors.Is(err, os.ErrPermission) && cmd.As != nil:
		return action.Never(fault.Refused, fmt.Sprintf("user %s may not execute %s, or not enter the directory %s", cmd.As.Name, what, cmd.Dir))
	case errors.Is(err, os.ErrPermission):
		return action.Never(fault.Refused, what+" may not be executed: permission denied")
	case errors.Is(err, syscall.ENOEXEC), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EISDIR):
		return action.Never(fault.Invalid, what+" cannot be executed here")
	case errors.Is(err, syscall.E2BIG):
		return action.Never(fault.Limit, "arguments and environment are too long for the system; give the data by stdin")
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.ENOMEM), errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return action.Never(fault.Limit, "the system has no process, memory or file left to start "+what)
	case errors.Is(err, syscall.ENAMETOOLONG), errors.Is(err, syscall.ELOOP):
		return action.Never(fault.Invalid, "the name of the program cannot be used")
	default:
		var errno syscall.Errno
		if errors.As(err, &errno) {
			return action.Never(fault.Refused, what+" cannot be started: "+errno.Error())
		}
		return action.Never(fault.Refused, what+" cannot be started")
	}
}

// result classifies the end.
func (in inputs) result(ctx context.Context, end process.End, out *output.Capture) action.Result {
	outputs := out.Output()
	var r action.Result
	switch {
	case end.Stopped:
		k, why := action.Stopped(ctx)
		r = action.Doubt(k, why+": the program was ended, and nobody knows how far it came"+out.Tail())
	case end.Escaped:
		r = action.Doubt(fault.Lost, "something that the program started could not be ended: it still holds the output open")
	case end.Signal != "":
		r = action.Doubt(fault.Killed, "the program was ended by "+end.Signal+", which tend did not send"+out.Tail())
	default:
		outputs["exitCode"] = int64(end.Code)
		if !slices.Contains(in.ExitCodes, int64(end.Code)) {
			r = action.Fail(fault.Exit, fmt.Sprintf("the program ended with exit code %d%s", end.Code, out.Tail()))
			break
		}
		v, err := out.Parse(in.Parse)
		if err != nil {
			r = action.Fail(fault.KindOf(err), err.Error()+out.Tail())
			break
		}
		outputs["value"] = v
		r = action.OK(nil)
	}
	r.Output = outputs
	return r
}
