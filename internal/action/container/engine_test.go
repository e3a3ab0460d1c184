package container_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// This test binary is also the engine that the tests use: a program called docker or podman, which follows what the
// documentation of docker's command line says of run, stop, rm, inspect and ps. A container is a process of its own
// session that goes on when the program that started it dies, watched by a shim that writes down how it ended.

func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case "docker", "podman":
		os.Exit(fake{dir: filepath.Dir(os.Args[0])}.main(os.Args[1:]))
	case "shim":
		os.Exit(shim(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// fake is an engine whose state is in a directory. Files in it change what it does: `down` is why no daemon answers,
// `keep` has rm do nothing, `images` lists the images that there are, `slow` has create wait.
type fake struct {
	dir   string
	quiet bool
}

// box is a container.
type box struct {
	ID     string
	Name   string
	Labels map[string]string
	PID    int
	State  struct {
		Status    string
		Running   bool
		OOMKilled bool
		ExitCode  int
		Error     string
		StartedAt time.Time
	}
}

func (f fake) main(args []string) int {
	f.record(args)
	if why, err := os.ReadFile(filepath.Join(f.dir, "down")); err == nil {
		return say(125, "docker: "+strings.TrimSpace(string(why)))
	}
	if len(args) == 0 {
		return say(1, "Usage:  docker [OPTIONS] COMMAND")
	}
	switch args[0] {
	case "run":
		return f.run(args[1:])
	case "stop":
		return f.stop(args[1:])
	case "rm":
		return f.rm(args[1:])
	case "inspect":
		return f.inspect(args[1:])
	case "ps":
		return f.ps(args[1:])
	}
	return say(1, "docker: '"+args[0]+"' is not a docker command.")
}

func out(text string) { _, _ = io.WriteString(os.Stdout, text+"\n") }

func say(code int, text string) int {
	fmt.Fprintln(os.Stderr, text)
	return code
}

// record notes a call: the tests look for secrets in it.
func (f fake) record(args []string) {
	file, err := os.OpenFile(filepath.Join(f.dir, "calls"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		b, _ := json.Marshal(args)
		_, _ = file.Write(append(b, '\n'))
		_ = file.Close()
	}
}

func (f fake) file(id string) string { return filepath.Join(f.dir, "box-"+id) }

func (f fake) save(b *box) {
	text, _ := json.Marshal(b)
	tmp := f.file(b.ID) + ".tmp" + strconv.Itoa(os.Getpid())
	_ = os.WriteFile(tmp, text, 0o600)
	_ = os.Rename(tmp, f.file(b.ID))
}

func (f fake) boxes() []*box {
	names, _ := filepath.Glob(filepath.Join(f.dir, "box-*"))
	var out []*box
	for _, n := range names {
		text, err := os.ReadFile(n)
		b := &box{}
		if err == nil && !strings.Contains(n, ".tmp") && json.Unmarshal(text, b) == nil {
			out = append(out, b)
		}
	}
	return out
}

func (f fake) find(which string) *box {
	for _, b := range f.boxes() {
		if b.ID == which || b.Name == which {
			return b
		}
	}
	return nil
}

// run is `docker run [OPTIONS] IMAGE [COMMAND] [ARG...]`.
func (f fake) run(args []string) int {
	b := &box{Labels: map[string]string{}, ID: fmt.Sprintf("%064x", time.Now().UnixNano())}
	var env []string
	var interactive bool
	var cidfile, entrypoint, workdir, pull string
	mounts := map[string]string{}
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		name, v, _ := strings.Cut(args[0], "=")
		args = args[1:]
		switch name {
		case "--name":
			b.Name = v
		case "--cidfile":
			cidfile = v
		case "--label":
			k, val, _ := strings.Cut(v, "=")
			b.Labels[k] = val
		case "--env":
			// Without a value, that of the program's own environment; when there is none, the variable is not set.
			if text, ok := os.LookupEnv(v); ok && !strings.Contains(v, "=") {
				env = append(env, v+"="+text)
			}
		case "--env-file":
			file, err := os.Open(v)
			if err != nil {
				return say(125, "docker: open "+v+": no such file or directory.")
			}
			for lines := bufio.NewScanner(file); lines.Scan(); {
				env = append(env, lines.Text())
			}
		case "--entrypoint":
			entrypoint = v
		case "--workdir":
			workdir = v
		case "--interactive":
			interactive = true
		case "--pull":
			pull = v
		case "--mount":
			m := map[string]string{}
			for _, kv := range strings.Split(v, ",") {
				k, val, _ := strings.Cut(kv, "=")
				m[k] = val
			}
			mounts[m["target"]] = m["source"]
		case "--network", "--user", "--cpus", "--memory":
		default:
			return say(125, "unknown flag: "+name)
		}
	}
	if len(args) == 0 {
		return say(125, `docker: "docker run" requires at least 1 argument.`)
	}
	image, command := args[0], args[1:]
	if entrypoint != "" {
		command = append([]string{entrypoint}, command...)
	}
	if list, err := os.ReadFile(filepath.Join(f.dir, "images")); err == nil && !slices.Contains(strings.Fields(string(list)), image) {
		if pull == "never" {
			return say(125, "docker: Error response from daemon: No such image: "+image+".")
		}
		fmt.Fprintln(os.Stderr, "Unable to find image '"+image+"' locally")
		return say(125, "docker: Error response from daemon: pull access denied for "+image+", repository does not exist or may require 'docker login'.")
	}
	if _, err := os.Stat(filepath.Join(f.dir, "slow")); err == nil {
		// A pull that takes long, and that is given up when the program is told to end.
		ended := make(chan os.Signal, 1)
		signal.Notify(ended, syscall.SIGTERM)
		_ = os.WriteFile(filepath.Join(f.dir, "pulling"), nil, 0o600)
		select {
		case <-ended:
			return 130
		case <-time.After(time.Minute):
		}
	}
	if f.find(b.Name) != nil {
		return say(125, `docker: Error response from daemon: Conflict. The container name "/`+b.Name+`" is already in use by container "x". You have to remove (or rename) that container to be able to reuse that name.`)
	}
	if cidfile != "" {
		if err := os.WriteFile(cidfile, []byte(b.ID), 0o600); err != nil {
			return say(125, "docker: failed to create the container ID file")
		}
	}
	b.State.Status = "created"
	f.save(b)
	// For the test, a path below a mount is one below its source.
	for i := range command {
		for target, source := range mounts {
			command[i] = strings.ReplaceAll(command[i], target+"/", source+"/")
		}
	}
	if len(command) == 0 {
		command = []string{"true"}
	}
	if _, err := exec.LookPath(command[0]); err != nil {
		b.State.Error = `failed to create task for container: exec: "` + command[0] + `": executable file not found in $PATH`
		b.State.ExitCode = 127
		f.save(b)
		return say(127, "docker: Error response from daemon: "+b.State.Error)
	}
	return f.start(b, command, env, workdir, interactive)
}

// start has a shim run the container, and waits for it as an attached program does.
func (f fake) start(b *box, command, env []string, workdir string, interactive bool) int {
	self, err := os.Executable()
	if err != nil {
		return say(125, err.Error())
	}
	c := &exec.Cmd{
		Path: self, Args: append([]string{"shim", f.dir, b.ID, workdir}, command...), Env: append([]string{"PATH=" + os.Getenv("PATH")}, env...),
		Stdout: os.Stdout, Stderr: os.Stderr, SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	if interactive {
		c.Stdin = os.Stdin
	}
	// The program passes a signal on to its container.
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	if err := c.Start(); err != nil {
		return say(125, err.Error())
	}
	done := make(chan struct{})
	go func() { _ = c.Wait(); close(done) }()
	for {
		select {
		case s := <-signals:
			if now := f.find(b.ID); now != nil && now.PID > 0 {
				if sig, ok := s.(syscall.Signal); ok {
					_ = syscall.Kill(now.PID, sig)
				}
			}
		case <-done:
			if now := f.find(b.ID); now != nil {
				return now.State.ExitCode
			}
			return 137
		}
	}
}

// shim runs the process of a container and writes down how it ended.
func shim(args []string) int {
	f := fake{dir: args[0]}
	b := f.find(args[1])
	if b == nil {
		return 1
	}
	// Taken, and not ignored: what the shim starts would inherit that.
	signal.Notify(make(chan os.Signal, 8), syscall.SIGTERM, syscall.SIGHUP)
	path, err := exec.LookPath(args[3])
	if err != nil {
		return 127
	}
	c := &exec.Cmd{
		Path: path, Args: args[3:], Dir: args[2], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true},
	}
	if err := c.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	b.PID = c.Process.Pid
	b.State.Status, b.State.Running, b.State.StartedAt = "running", true, time.Now()
	f.save(b)
	_ = c.Wait()
	b.State.ExitCode = c.ProcessState.ExitCode()
	if ws, ok := c.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		b.State.ExitCode = 128 + int(ws.Signal())
	}
	_ = syscall.Kill(-b.PID, syscall.SIGKILL)
	_, oom := os.Stat(filepath.Join(f.dir, "oom"))
	b.State.OOMKilled = oom == nil
	b.State.Status, b.State.Running = "exited", false
	if f.find(b.ID) != nil {
		f.save(b)
	}
	return 0
}

func (f fake) stop(args []string) int {
	grace := 10
	if len(args) > 2 && args[0] == "-t" {
		grace, _ = strconv.Atoi(args[1])
		args = args[2:]
	}
	b := f.find(args[0])
	if b == nil {
		return say(1, "Error response from daemon: No such container: "+args[0])
	}
	_ = syscall.Kill(b.PID, syscall.SIGTERM)
	for end := time.Now().Add(time.Duration(grace) * time.Second); ; <-time.After(10 * time.Millisecond) {
		if now := f.find(b.ID); now == nil || !now.State.Running {
			break
		}
		if time.Now().After(end) {
			_ = syscall.Kill(-b.PID, syscall.SIGKILL)
		}
	}
	out(args[0])
	return 0
}

func (f fake) rm(args []string) int {
	code := 0
	for _, a := range args {
		if strings.HasPrefix(a, "--") {
			continue
		}
		b := f.find(a)
		if b == nil {
			code = say(1, "Error response from daemon: No such container: "+a)
			continue
		}
		if _, err := os.Stat(filepath.Join(f.dir, "keep")); err == nil {
			code = say(1, "Error response from daemon: cannot remove container: device or resource busy")
			continue
		}
		if b.State.Running {
			_ = syscall.Kill(-b.PID, syscall.SIGKILL)
			for end := time.Now().Add(5 * time.Second); time.Now().Before(end); <-time.After(10 * time.Millisecond) {
				if now := f.find(b.ID); now == nil || !now.State.Running {
					break
				}
			}
		}
		_ = os.Remove(f.file(b.ID))
		if !f.quiet {
			out(a)
		}
	}
	return code
}

func (f fake) inspect(args []string) int {
	if len(args) != 3 || args[0] != "--type=container" || args[1] != "--format={{json .State}}" {
		return say(1, "unexpected inspect")
	}
	b := f.find(args[2])
	if b == nil {
		out("")
		return say(1, "Error: No such container: "+args[2])
	}
	text, _ := json.Marshal(b.State)
	_, _ = io.WriteString(os.Stdout, string(text)+"\n")
	return 0
}

func (f fake) ps(args []string) int {
	var want string
	for _, a := range args {
		if v, ok := strings.CutPrefix(a, "--filter=label="); ok {
			want = v
		}
	}
	for _, b := range f.boxes() {
		if k, v, _ := strings.Cut(want, "="); b.Labels[k] == v {
			out(b.ID)
		}
	}
	return 0
}
