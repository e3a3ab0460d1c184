package sqlite_test

import "syscall"

func syscallMount(dir string) error {
	return syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=2m,mode=0700")
}
