package tend

import "syscall"

// peak gives bytes: Linux counts kilobytes.
func peak(u *syscall.Rusage) int64 { return u.Maxrss << 10 }
