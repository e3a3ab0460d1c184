package kill_test

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/testenv/tend"
)

// victim is a tend process that may be killed.
type victim struct {
	cmd  *exec.Cmd
	over chan struct{} // closed when it has ended and all that it printed is read
	errs bytes.Buffer

	mu    sync.Mutex
	lines []string
	more  chan struct{} // closed and made anew with each line
}

// spawn starts a command and reads what it prints as it comes.
func spawn(t *testing.T, h *tend.House, args ...string) *victim {
	t.Helper()
	v := &victim{cmd: h.Command(args...), over: make(chan struct{}), more: make(chan struct{})}
	v.cmd.Stderr = &v.errs
	out, err := v.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := v.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(tend.Patience, func() { _ = v.cmd.Process.Signal(syscall.SIGABRT) })
	go func() {
		v.read(out)
		_ = v.cmd.Wait() // how it ended is in ProcessState
		late.Stop()
		close(v.over)
	}()
	return v
}

func (v *victim) read(out io.Reader) {
	for s := bufio.NewScanner(out); s.Scan(); {
		v.mu.Lock()
		v.lines = append(v.lines, s.Text())
		close(v.more)
		v.more = make(chan struct{})
		v.mu.Unlock()
	}
}

// printed counts the lines that match so far, and gives a channel that closes when there are more lines.
func (v *victim) printed(pattern *regexp.Regexp) (int, <-chan struct{}) {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := 0
	for _, l := range v.lines {
		if pattern.MatchString(l) {
			n++
		}
	}
	return n, v.more
}

// output is all that it printed.
func (v *victim) output() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return strings.Join(v.lines, "\n") + "\n"
}

// untilPrinted waits for the n-th line that matches; false when the process ends first.
func (v *victim) untilPrinted(pattern *regexp.Regexp, n int) bool {
	for {
		got, more := v.printed(pattern)
		if got >= n {
			return true
		}
		select {
		case <-more:
		case <-v.over:
			return false
		}
	}
}

// untilGrown waits until a file is larger than size; false when the process ends first.
func (v *victim) untilGrown(file string, size int64) bool {
	tick := time.NewTicker(500 * time.Microsecond)
	defer tick.Stop()
	for {
		if length(file) > size {
			return true
		}
		select {
		case <-tick.C:
		case <-v.over:
			return false
		}
	}
}

func length(file string) int64 {
	i, err := os.Stat(file)
	if err != nil {
		return 0
	}
	return i.Size()
}

// pause waits; false when the process ends first.
func (v *victim) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-v.over:
		return false
	}
}

// end waits for the end of the process and tells whether a SIGKILL made it.
func (v *victim) end() (killed bool) {
	<-v.over
	ws, ok := v.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && ws.Signaled() && ws.Signal() == syscall.SIGKILL
}

func (v *victim) kill() { _ = v.cmd.Process.Kill() }

func (v *victim) code() int { return v.cmd.ProcessState.ExitCode() }
