package tend

import "syscall"

// peak is the most memory that a process had, in bytes. A child begins with the peak of its parent, so that one below that says
// nothing of the child: it is 0 then.
func peak(u *syscall.Rusage) int64 {
	var own syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &own) == nil && u.Maxrss <= own.Maxrss {
		return 0
	}
	return u.Maxrss << 10
}
