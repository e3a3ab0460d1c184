package process

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// awaitExit waits for the end of a child without reaping it, so that its id and its group's cannot be given to others
// while they are still being killed.
func awaitExit(pid int) {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// groupAlive tells whether a group has a member that is neither dead nor its leader.
func groupAlive(group int) bool {
	alive := false
	processes(func(pid int) bool {
		state, g, ok := stat(pid)
		alive = ok && g == group && pid != group && state != 'Z' && state != 'X'
		return !alive
	})
	return alive
}

// unsurePasses is how often killAll looks again for the sake of processes that it could not tell.
const unsurePasses = 5

// killAll kills every living process of the group and every one whose environment holds the mark, again and again until a
// whole pass finds none. False means that some still live: stuck in the kernel, or another user's by now.
func killAll(group int, mark string) bool {
	want := append([]byte(mark), 0)
	deadline := time.Now().Add(reapTime)
	unsure := 0
	for wait := time.Millisecond; ; wait *= 2 {
		found, empty := false, false
		processes(func(pid int) bool {
			state, g, ok := stat(pid)
			if !ok || state == 'Z' || state == 'X' {
				return true
			}
			if g != group {
				env, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
				if err != nil || !holds(env, want) {
					// A process that just executes another program has no environment for a moment.
					empty = empty || err == nil && len(env) == 0 && pid > group && program(pid)
					return true
				}
			}
			found = true
			signal(pid, unix.SIGKILL)
			return true
		})
		if !found {
			if unsure++; !empty || unsure > unsurePasses {
				return true
			}
		}
		if time.Now().After(deadline) {
			return false
		}
		<-time.After(min(wait, 100*time.Millisecond))
	}
}

// program tells whether a process has a program: the kernel's own have none.
func program(pid int) bool {
	_, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/exe")
	return err == nil
}

// holds tells whether an environment block contains a variable as a whole.
func holds(env, variable []byte) bool {
	if bytes.HasPrefix(env, variable) {
		return true
	}
	return bytes.Contains(env, append([]byte{0}, variable...))
}

// processes calls f with every process id but our own until it says no.
func processes(f func(pid int) bool) {
	d, err := os.Open("/proc")
	if err != nil {
		return
	}
	defer func() { _ = d.Close() }()
	self := os.Getpid()
	for {
		names, err := d.Readdirnames(512)
		for _, n := range names {
			if pid, err := strconv.Atoi(n); err == nil && pid != self && !f(pid) {
				return
			}
		}
		if err != nil || len(names) == 0 {
			return
		}
	}
}

// stat reads the state and the group of a process.
func stat(pid int) (state byte, group int, ok bool) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, 0, false
	}
	i := bytes.LastIndexByte(b, ')') // the name before it may hold anything
	if i < 0 {
		return 0, 0, false
	}
	f := bytes.Fields(b[i+1:])
	if len(f) < 3 || len(f[0]) != 1 {
		return 0, 0, false
	}
	g, err := strconv.Atoi(string(f[2]))
	return f[0][0], g, err == nil
}
