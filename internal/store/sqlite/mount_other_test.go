//go:build !linux

package sqlite_test

import "errors"

func syscallMount(string) error { return errors.New("small file systems are made on Linux only") }
