package kill_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/testenv"
)

// needProc skips the test where /proc does not tell in which system call a process is.
func needProc(t *testing.T) {
	t.Helper()
	_, err := os.ReadFile("/proc/self/syscall")
	testenv.Need(t, "procfs", err)
}

// writes are the system calls of a commit, by their number on this machine.
func writes() map[string]bool {
	switch runtime.GOARCH {
	case "amd64":
		return map[string]bool{"18": true, "74": true, "75": true} // pwrite64, fsync, fdatasync
	case "arm64":
		return map[string]bool{"68": true, "82": true, "83": true}
	}
	return nil
}

// committing tells whether a thread of the process is, right now, in a write to or a sync of the database's log.
func committing(pid int) bool {
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return false
	}
	calls := writes()
	for _, task := range tasks {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/syscall", pid, task.Name()))
		if err != nil {
			continue
		}
		f := strings.Fields(string(b)) // number, arguments, stack, place
		if len(f) < 2 || !calls[f[0]] {
			continue
		}
		fd, err := strconv.ParseUint(strings.TrimPrefix(f[1], "0x"), 16, 31)
		if err != nil {
			continue
		}
		file, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, fd))
		if err == nil && strings.HasSuffix(file, "tend.db-wal") {
			return true
		}
	}
	return false
}

// killInside waits until the process is inside a commit and kills it there. The process is held before: what is read then
// cannot change until it dies. It gives up, without a kill, when over is closed first.
func killInside(pid int, over <-chan struct{}) bool {
	for {
		select {
		case <-over:
			return false
		default:
		}
		if !committing(pid) {
			continue
		}
		_ = syscall.Kill(pid, syscall.SIGSTOP)
		if held(pid) && committing(pid) {
			return syscall.Kill(pid, syscall.SIGKILL) == nil
		}
		_ = syscall.Kill(pid, syscall.SIGCONT)
	}
}

// held waits until every thread of the process stands still.
func held(pid int) bool {
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
		tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		if err != nil || len(tasks) == 0 {
			return false
		}
		still := 0
		for _, name := range tasks {
			if b, err := os.ReadFile(name); err == nil && state(b) == 'T' {
				still++
			}
		}
		if still == len(tasks) {
			return true
		}
		runtime.Gosched()
	}
	return false
}

// state is the letter behind the name of a program, which may hold anything.
func state(stat []byte) byte {
	i := bytes.LastIndexByte(stat, ')')
	if i < 0 || i+2 >= len(stat) {
		return 0
	}
	return stat[i+2]
}

// survivors lists the living processes in whose environment a text stands.
func survivors(text string) []int {
	names, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		return nil
	}
	var pids []int
	for _, name := range names {
		env, err := os.ReadFile(name)
		if err != nil || !bytes.Contains(env, []byte(text)) {
			continue
		}
		dir := filepath.Dir(name)
		if stat, err := os.ReadFile(filepath.Join(dir, "stat")); err != nil || state(stat) == 'Z' || state(stat) == 'X' {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(dir)); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}
