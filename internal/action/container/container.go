// Package container runs images with docker or podman, through their command.
//
// An attempt creates one container, whose name derives from the idempotency key, waits for it and removes it. How it ended
// is what the engine's inspection says, not the exit code of its program alone, which mixes the engine's own failures with
// those of what it ran. A container that was never started had no effect; one that was, and whose end is not known, is in
// doubt. On cancel the container is stopped and removed, and it is verified that it is gone.
//
// Values of variables go into the engine's program by its environment, and those whose names mean something to the
// program itself by a file that exists only as a pipe.
package container

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/output"
	"github.com/tendhq/tend/internal/action/process"
	"github.com/tendhq/tend/internal/fault"
)

// Action is `container`.
type Action struct {
	// Path is where the engines' programs are looked for; empty is the PATH of the process.
	Path string
	// As is the user that the engine's programs run as; nil: the one of this process. What that user's engine may do, a step
	// may do: one who may use the system's Docker is root by another name.
	As *process.User
}

// New gives the action.
func New() Action { return Action{} }

type mount struct {
	Source string `in:"source"`
	Target string `in:"target"`
}

type inputs struct {
	Image      string           `in:"image"`
	Args       []any            `in:"args"`
	Entrypoint string           `in:"entrypoint"`
	Stdin      *action.Text     `in:"stdin"`
	Workdir    string           `in:"workdir"`
	Mounts     []map[string]any `in:"mounts"`
	Work       string           `in:"work"`
	Network    string           `in:"network"`
	Pull       string           `in:"pull"`
	User       string           `in:"user"`
	CPUs       float64          `in:"cpus"`
	Memory     string           `in:"memory"`
	Parse      string           `in:"parse"`
	ExitCodes  []int64          `in:"exitCodes"`
	Grace      time.Duration    `in:"grace"`
	Engine     string           `in:"engine"`
}

// Run implements action.Action.
func (a Action) Run(ctx context.Context, req action.Request, log action.Log) action.Result {
	var in inputs
	if err := action.Decode(req.Inputs, &in); err != nil {
		return never(err)
	}
	if a.As != nil && req.Dir == "" && len(in.Mounts) > 0 {
		return action.Never(fault.Refused, "input mounts: the playbook has no directory on this server")
	}
	p, err := in.plan(req, a.As)
	if err != nil {
		return never(err)
	}
	search := a.Path
	if a.As != nil {
		search = orDefault(search, process.Path)
	}
	if p.engine, err = find(search, in.Engine); err != nil {
		return never(err)
	}
	p.engine.as = a.As
	if ctx.Err() != nil {
		return action.Never(action.Stopped(ctx))
	}
	if req.Attempt > 1 {
		if err := p.sweep(ctx); err != nil {
			return never(err)
		}
	}
	return p.run(ctx, log)
}

// plan is everything that an attempt needs, checked.
type plan struct {
	engine engine
	name   string
	step   string   // the label by which containers of the step are found
	args   []string // of `run`, up to the image and its own
	stdin  []byte   // nil: nothing
	env    environment
	parse  string
	codes  []int64
	grace  time.Duration
	say    action.Words
}

func (in inputs) plan(req action.Request, as *process.User) (*plan, error) {
	p := &plan{parse: in.Parse, codes: in.ExitCodes, grace: in.Grace, say: action.NewWords(req)}
	if p.codes == nil {
		p.codes = []int64{0}
	}
	if p.grace <= 0 {
		p.grace = 10 * time.Second
	}
	var problems []error
	note := func(err error) {
		if err != nil {
			problems = append(problems, err)
		}
	}
	note(in.check())
	p.step = short(req.Run + "\x00" + req.Step)
	p.name = fmt.Sprintf("tend-%s-%d", short(orDefault(req.Key, p.step)), max(req.Attempt, 1))
	p.args = []string{"--name=" + p.name, "--label=tend.step=" + p.step, "--label=tend.run=" + label(req.Run), "--pull=" + orDefault(in.Pull, "missing")}
	add := func(name, value string) {
		if value != "" {
			p.args = append(p.args, "--"+name+"="+value)
		}
	}
	add("network", in.Network)
	add("user", in.User)
	add("workdir", in.Workdir)
	add("entrypoint", in.Entrypoint)
	add("memory", in.Memory)
	if in.CPUs > 0 {
		add("cpus", fmt.Sprintf("%g", in.CPUs))
	}
	if in.Stdin != nil {
		p.args = append(p.args, "--interactive")
		p.stdin = []byte(in.Stdin.Reveal())
	}
	mounts, err := in.mounts(req)
	note(err)
	p.args = append(p.args, mounts...)
	p.env, err = readEnvironment(req, as)
	note(err)
	own, err := ownArguments(append(slices.Clip(in.Args), req.Args...))
	note(err)
	if len(problems) > 0 {
		return nil, fault.Wrap(worst(problems), errors.Join(problems...), "")
	}
	p.args = append(p.args, p.env.arguments()...)
	p.args = append(append(p.args, in.Image), own...)
	return p, nil
}

// worst is the kind of a list of problems: wrong inputs before everything else.
func worst(problems []error) fault.Kind {
	kind := fault.KindOf(problems[0])
	for _, p := range problems {
		if fault.Is(p, fault.Invalid) {
			kind = fault.Invalid
		}
	}
	return kind
}

// ownArguments are the arguments of the entry point. A secret cannot be one: arguments are seen by everybody on the machine.
func ownArguments(args []any) ([]string, error) {
	out := make([]string, len(args))
	var problems []error
	for i, a := range args {
		given, err := action.AsText(a)
		text := given.Reveal()
		switch {
		case err != nil:
			problems = append(problems, fmt.Errorf("input args: [%d]: %w", i, err))
		case given.Secret():
			problems = append(problems, fault.New(fault.Invalid, "input args: [%d] is a secret, and arguments can be seen by others on the machine; give it by env", i))
		case strings.ContainsRune(text, 0):
			problems = append(problems, fault.New(fault.Invalid, "input args: [%d] has a NUL byte", i))
		}
		out[i] = text
	}
	return out, errors.Join(problems...)
}

// mounts are the options that show files to the container.
func (in inputs) mounts(req action.Request) ([]string, error) {
	var out []string
	var problems []error
	add := func(source, target, more string) {
		if strings.ContainsAny(source+target, ",\"\n\r") {
			problems = append(problems, fault.New(fault.Invalid, "inputs mounts and work: %.200q has a comma, a quote or a line break, which the engines cannot take", source+":"+target))
			return
		}
		if !filepath.IsAbs(target) || strings.ContainsRune(target, 0) {
			problems = append(problems, fault.New(fault.Invalid, "inputs mounts and work: %.200q is not an absolute path inside the container", target))
			return
		}
		out = append(out, "--mount=type=bind,source="+source+",target="+target+more)
	}
	for i, raw := range in.Mounts {
		var m mount
		if err := action.Decode(raw, &m); err != nil {
			problems = append(problems, fault.New(fault.Invalid, "input mounts: [%d]: %s", i, err))
			continue
		}
		source, err := inside(req.Dir, m.Source)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		add(source, m.Target, ",readonly")
	}
	if in.Work != "" {
		if req.Work == "" {
			problems = append(problems, fault.New(fault.Invalid, "input work: this step has no scratch directory"))
		} else {
			add(req.Work, in.Work, "")
		}
	}
	return out, errors.Join(problems...)
}

// inside gives the real path of name, which must lie in dir, links followed.
func inside(dir, name string) (string, error) {
	if name == "" || strings.ContainsRune(name, 0) {
		return "", fault.New(fault.Invalid, "input mounts: %.200q is not a path", name)
	}
	root, err := filepath.EvalSymlinks(orDefault(dir, "."))
	if err == nil {
		root, err = filepath.Abs(root)
	}
	if err != nil {
		return "", fault.New(fault.Missing, "input mounts: the playbook's directory is not there")
	}
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(root, path)
	}
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", fault.New(fault.Missing, "input mounts: there is no %.200q", path)
	}
	if rel, err := filepath.Rel(root, resolved); err != nil || rel == ".." || strings.HasPrefix(rel, "../") {
		return "", fault.New(fault.Refused, "input mounts: %.200q lies outside of the playbook's directory %s", name, root).
			WithNext("copy what the container needs into the playbook's directory, or into the scratch directory (work)")
	}
	return resolved, nil
}

// run runs the container and judges how it ended.
func (p *plan) run(ctx context.Context, log action.Log) action.Result {
	out := &output.Capture{}
	id, forget, err := newIDFile(p.engine.as)
	if err != nil {
		return never(err)
	}
	defer forget()
	files, closeFiles, err := p.env.files()
	if err != nil {
		return never(err)
	}
	defer closeFiles()
	// The program outlives ctx: it ends with its container.
	own, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	done := make(chan error, 1)
	go func() {
		_, err := process.Run(own, process.Command{
			Path: p.engine.path, Args: p.line(id), Env: p.env.process, Stdin: p.stdin, Files: files, Grace: 2 * time.Second, As: p.engine.as,
			Output: func(stream string, b []byte) {
				out.Write(stream, b)
				log(stream, b)
			},
		})
		done <- err
	}()
	select {
	case err = <-done:
	case <-ctx.Done():
		p.engine.stop(orDefault(id.read(), p.name), p.grace)
		end() // if the container did not end, its program is made to
		err = <-done
	}
	if err != nil {
		return action.Never(fault.Refused, p.engine.name+" cannot be started: "+p.say.Of(err.Error()))
	}
	c := p.engine.find(id.read(), p.name, ctx.Err() != nil)
	if !c.gone {
		log("tend", fmt.Appendf(nil, "the container %s could not be removed\n", p.name))
	}
	return p.judge(ctx, c, out)
}

// line is the whole command line.
func (p *plan) line(id idFile) []string {
	return append([]string{p.engine.path, "run", "--cidfile=" + string(id)}, p.args...)
}

// judge says how the attempt ended.
func (p *plan) judge(ctx context.Context, c found, out *output.Capture) action.Result {
	s := c.state
	fate := "the container was removed"
	if !c.gone {
		fate = "the container " + p.name + " may still be there"
	}
	r := action.Result{Output: out.Output()}
	as := func(o action.Outcome, k fault.Kind, message string) action.Result {
		r.Outcome, r.Kind, r.Message = o, k, p.say.Of(message)
		return r
	}
	switch {
	case c.known && !s.started() && c.gone && ctx.Err() != nil:
		k, why := action.Stopped(ctx)
		return action.Never(k, why+" before the container was started")
	case c.known && !s.started() && c.gone:
		why := strings.TrimSpace(s.Error)
		if why == "" {
			why = strings.TrimPrefix(out.Tail(), ": ")
		}
		return action.Never(refusal(why), p.say.Of("the container was not started: "+orDefault(why, p.engine.name+" does not say why")))
	case ctx.Err() != nil:
		k, why := action.Stopped(ctx)
		return as(action.InDoubt, k, why+"; "+fate)
	case !c.known || !s.started():
		return as(action.InDoubt, fault.Lost, "what became of the container is not known, and "+fate+out.Tail())
	case s.Running:
		return as(action.InDoubt, fault.Lost, p.engine.name+" ended while the container ran; "+fate+out.Tail())
	}
	if !slices.Contains(p.codes, s.ExitCode) {
		switch sig := signalOf(s.ExitCode); {
		case s.OOMKilled:
			return as(action.InDoubt, fault.Killed, "the container had no memory left and was killed"+out.Tail())
		case sig != "":
			return as(action.InDoubt, fault.Killed, "the container was ended by "+sig+", which tend did not send"+out.Tail())
		}
		r.Output["exitCode"] = s.ExitCode
		return as(action.Failed, fault.Exit, fmt.Sprintf("the container ended with exit code %d%s", s.ExitCode, out.Tail()))
	}
	r.Output["exitCode"] = s.ExitCode
	v, err := out.Parse(p.parse)
	if err != nil {
		return as(action.Failed, fault.KindOf(err), err.Error()+out.Tail())
	}
	r.Output["value"] = v
	r.Outcome = action.Succeeded
	return r
}

func short(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:10])
}

func never(err error) action.Result {
	message := err.Error()
	if next := fault.NextOf(err); next != "" {
		message += ". Next: " + next
	}
	return action.Never(fault.KindOf(err), action.Clean(message))
}

func orDefault(s, def string) string {
	if s == "" {
		return def
	}
	return s
}
