// Package process runs a program for a step, and ends it together with all that it started.
//
// What it does: the program leads a process group of its own. When ctx ends, the group gets SIGTERM, then, after a grace,
// SIGKILL. When the program ends, whatever of its group still lives is killed; so are the processes that left the group
// but carry the mark that every child inherits in its environment (where /proc shows it: Linux).
//
// When tend itself dies, even by kill -9, the program dies too: the kernel kills the program (Linux), and a watchdog, a
// tiny shell that holds one end of a pipe, kills the group, and those that left it.
//
// What it cannot do: find a process that left its group and cleared its environment, where nothing but a cgroup or a
// namespace could hold it. End.Escaped says so when such a process is noticed, by the output that it keeps open.
package process

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// MarkName is the environment variable that every process of a step inherits.
const MarkName = "TEND_MARK"

const (
	// DefaultGrace is the time between SIGTERM and SIGKILL.
	DefaultGrace = 5 * time.Second
	// drain is how long output is awaited after everything was killed.
	drain = 2 * time.Second
	// reapTime is how long the kernel gets to end what was killed.
	reapTime = 5 * time.Second
)

// Command is a program to run.
type Command struct {
	Path  string        // of the executable
	Args  []string      // argv, with the name
	Env   []string      // complete; only the mark is added
	Dir   string        // working directory
	Stdin []byte        // nil: /dev/null
	Files []*os.File    // given to the program as /dev/fd/3 and on; they stay the caller's
	Grace time.Duration // zero: DefaultGrace
	As    *User         // nil: the user of this process. Files are given to that user.
	// Output receives what the program prints, live: "stdout" or "stderr", one call at a time. p may be reused.
	Output func(stream string, p []byte)
}

// End is how a program ended.
type End struct {
	Code    int    // exit code; -1 when a signal ended it
	Signal  string // the name of that signal, or ""
	Stopped bool   // ctx ended before the program did
	Escaped bool   // something that it started may still act
}

// Run runs c until it and all that it started has ended. An error means that nothing was started.
func Run(ctx context.Context, c Command) (End, error) {
	if err := ctx.Err(); err != nil {
		return End{}, err
	}
	mark, err := newMark()
	if err != nil {
		return End{}, err
	}
	cmd := &exec.Cmd{Path: c.Path, Args: c.Args, Env: append(c.Env[:len(c.Env):len(c.Env)], mark), Dir: c.Dir, ExtraFiles: c.Files, SysProcAttr: attributes()}
	if err := c.become(cmd); err != nil {
		return End{}, err
	}
	p, err := connect(cmd, c)
	if err != nil {
		return End{}, err
	}
	w := watch(mark) // before the program, so that no moment is unwatched
	defer w.end()
	l := launch(cmd)
	if err := <-l.started; err != nil {
		p.abandon()
		return End{}, err
	}
	pid := cmd.Process.Pid
	w.guard(pid)
	readers := p.serve()

	var end End
	select {
	case <-l.exited:
	case <-ctx.Done():
		select {
		case <-l.exited:
		default:
			end.Stopped = true
			stop(pid, grace(c), l.exited)
		}
	}
	signal(-pid, unix.SIGKILL) // all at once; killAll then sees to it that they are gone
	if !killAll(pid, mark) {
		end.Escaped = true
	}
	select {
	case <-l.exited:
	case <-time.After(reapTime):
		end.Escaped = true // stuck in the kernel; it is reaped whenever it gets out
	}
	close(l.reap)
	if !p.finish(readers) {
		end.Escaped = true
	}
	if !end.Escaped {
		state := <-l.state
		end.Code, end.Signal = status(state)
		return end, nil
	}
	select {
	case state := <-l.state:
		end.Code, end.Signal = status(state)
	case <-time.After(drain):
		end.Code = -1
	}
	return end, nil
}

func grace(c Command) time.Duration {
	if c.Grace > 0 {
		return c.Grace
	}
	return DefaultGrace
}

// stop asks the group to end and, after the grace, makes it. It returns when the program and its group have ended or were
// sent SIGKILL.
func stop(pid int, grace time.Duration, exited <-chan struct{}) {
	signal(-pid, unix.SIGTERM)
	signal(-pid, unix.SIGCONT) // what was suspended must wake up to hear it
	over := time.NewTimer(grace)
	defer over.Stop()
	select {
	case <-exited:
	case <-over.C:
		return
	}
	// The leader obeyed; its children get the rest of the grace.
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for groupAlive(pid) {
		select {
		case <-poll.C:
		case <-over.C:
			return
		}
	}
}

func signal(pid int, s syscall.Signal) {
	for errors.Is(syscall.Kill(pid, s), syscall.EINTR) {
	}
}

func status(s *os.ProcessState) (int, string) {
	if s == nil {
		return -1, ""
	}
	if ws, ok := s.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		name := unix.SignalName(ws.Signal())
		if name == "" {
			name = "signal " + strconv.Itoa(int(ws.Signal()))
		}
		return -1, name
	}
	return s.ExitCode(), ""
}

func newMark() (string, error) {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", err
	}
	return MarkName + "=" + hex.EncodeToString(b[:]), nil
}

// launched is a program on its way. The thread that forked it stays with it until it is reaped, because the kernel's
// "tell me when my parent dies" means the thread that forked, not the process.
type launched struct {
	started chan error
	exited  chan struct{}         // closed when it ended; its id is not free yet
	reap    chan struct{}         // close it to let the id go
	state   chan *os.ProcessState // buffered: nobody may be waiting any more
}

func launch(cmd *exec.Cmd) launched {
	l := launched{make(chan error, 1), make(chan struct{}), make(chan struct{}), make(chan *os.ProcessState, 1)}
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		l.started <- err
		if err != nil {
			return
		}
		awaitExit(cmd.Process.Pid)
		close(l.exited)
		<-l.reap
		_ = cmd.Wait() // how it ended is in the state
		l.state <- cmd.ProcessState
	}()
	return l
}

// pipes are the three ends that tend holds.
type pipes struct {
	command  Command
	in       *os.File // nil without stdin
	out, err *os.File
	child    []*os.File // the other ends, to be closed once the child has them
}

func connect(cmd *exec.Cmd, c Command) (*pipes, error) {
	p := &pipes{command: c}
	var theirs *os.File
	var err error
	if p.out, theirs, err = os.Pipe(); err != nil {
		return nil, err
	}
	p.child = append(p.child, theirs)
	cmd.Stdout = theirs
	if p.err, theirs, err = os.Pipe(); err != nil {
		p.abandon()
		return nil, err
	}
	p.child = append(p.child, theirs)
	cmd.Stderr = theirs
	if c.Stdin == nil {
		return p, nil
	}
	if theirs, p.in, err = os.Pipe(); err != nil {
		p.abandon()
		return nil, err
	}
	p.child = append(p.child, theirs)
	cmd.Stdin = theirs
	return p, nil
}

func (p *pipes) abandon() {
	for _, f := range append(p.child, p.in, p.out, p.err) {
		if f != nil {
			_ = f.Close()
		}
	}
}

// serve moves data until the pipes are closed and gives a channel that is closed when all output was read.
func (p *pipes) serve() <-chan struct{} {
	for _, f := range p.child {
		_ = f.Close()
	}
	if p.in != nil {
		go func() {
			_, _ = p.in.Write(p.command.Stdin) // a program that does not read is no fault
			_ = p.in.Close()
		}()
	}
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		done = make(chan struct{})
	)
	read := func(stream string, f *os.File) {
		defer wg.Done()
		buf := make([]byte, 32<<10)
		for {
			n, err := f.Read(buf)
			if n > 0 && p.command.Output != nil {
				mu.Lock()
				p.command.Output(stream, buf[:n])
				mu.Unlock()
			}
			if err != nil {
				return
			}
		}
	}
	wg.Add(2)
	go read("stdout", p.out)
	go read("stderr", p.err)
	go func() { wg.Wait(); close(done) }()
	return done
}

// finish waits for the readers and tells whether everybody had closed the output. Somebody who has not is alive.
func (p *pipes) finish(readers <-chan struct{}) bool {
	closed := true
	select {
	case <-readers:
	case <-time.After(drain):
		now := time.Now()
		for _, f := range []*os.File{p.out, p.err} {
			_ = f.SetReadDeadline(now)
		}
		<-readers
		closed = false
	}
	if p.in != nil {
		_ = p.in.Close() // also wakes a writer that nobody reads
	}
	_ = p.out.Close()
	_ = p.err.Close()
	return closed
}

// watchdog is a shell that waits for the end of its input, which comes when tend dies, and then kills the group whose
// number it was told and, where /proc shows them, all that carry the mark. It knows the mark before the program begins, so
// that it also finds one whose number nobody had time to tell. In the orderly case it is killed first.
type watchdog struct {
	cmd *exec.Cmd
	in  io.WriteCloser
}

// watch starts a watchdog. Without a shell there is none, and the kernel's own signal must do.
func watch(mark string) watchdog {
	cmd := exec.Command("/bin/sh", "-c", vigil)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C"}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err := cmd.StdinPipe()
	if err != nil {
		return watchdog{}
	}
	if err := cmd.Start(); err != nil {
		return watchdog{}
	}
	_, _ = io.WriteString(in, mark+"\n")
	return watchdog{cmd: cmd, in: in}
}

// vigil is what a watchdog does. It looks again until it finds nobody: what it killed may have started something.
const vigil = `read -r mark || exit 0
read -r group && read -r never
[ -z "$group" ] || kill -s KILL -- "-$group"
found=1
while [ -n "$found" ]; do
	found=
	for p in /proc/[0-9]*; do
		if grep -qsaF -e "$mark" "$p/environ"; then
			kill -s KILL "${p#/proc/}" && found=1
		fi
	done
done 2>/dev/null`

func (w watchdog) guard(pid int) {
	if w.in != nil {
		_, _ = io.WriteString(w.in, strconv.Itoa(pid)+"\n")
	}
}

func (w watchdog) end() {
	if w.cmd == nil {
		return
	}
	_ = w.cmd.Process.Kill() // before its input ends: the number of the group may be somebody else's by now
	_ = w.cmd.Wait()
	_ = w.in.Close()
}
