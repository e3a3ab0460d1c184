package process

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// awaitExit waits for the end of a child without reaping it, so that its id and its group's cannot be given to others
// while they are still being killed.
func awaitExit(pid int) {
	kq, err := unix.Kqueue()
	if err != nil {
		return // the group is then killed at once: loud, but never too late
	}
	defer func() { _ = unix.Close(kq) }()
	var ev unix.Kevent_t
	unix.SetKevent(&ev, pid, unix.EVFILT_PROC, unix.EV_ADD|unix.EV_ONESHOT)
	ev.Fflags = unix.NOTE_EXIT
	got := make([]unix.Kevent_t, 1)
	for {
		n, err := unix.Kevent(kq, []unix.Kevent_t{ev}, got, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n > 0 { // an error is ESRCH: it has ended already
			return
		}
	}
}

// groupAlive cannot be told without /proc: the group's children get no grace after their leader.
func groupAlive(int) bool { return false }

// killAll kills the group. Who left it cannot be found without /proc.
func killAll(group int, _ string) bool {
	signal(-group, unix.SIGKILL)
	return true
}
