package tend

import "syscall"

// peak gives bytes, as macOS counts them.
func peak(u *syscall.Rusage) int64 { return u.Maxrss }
