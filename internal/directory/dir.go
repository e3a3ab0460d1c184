// Package directory is the data directory as files: whether it is safe to use, the lock that makes one process its owner, who that
// is, and the socket on which the owner answers.
//
// Guarantees: a directory of another user, or one that others may write to, is refused. The lock ends with its process, however
// that ends. Whoever reads about the owner reads all of it or nothing.
package directory

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/tendhq/tend/internal/fault"
)

// The files of a data directory besides those of store, blobs and key.
const (
	LockFile  = "lock"
	ownerFile = "owner.json"
	sockFile  = "sock"
	LogFile   = "owner.log"
	BlobsDir  = "blobs"
)

// Ensure makes the data directory when it is not there (mode 0700), and refuses one that is not safe to use: of
// another user, or writable by others.
func Ensure(dir string) error {
	err := Check(dir)
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return CannotWrite(err, dir, "make the data directory")
	}
	return Check(dir)
}

// Check tells whether dir can be a data directory. One that is not there is fault.NotFound.
func Check(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault.New(fault.NotFound, "there is no data directory %s", dir).WithNext("`tend run` or `tend serve` makes it; --server (or TEND_SERVER) names a server elsewhere")
	case err != nil:
		return CannotWrite(err, dir, "look at the data directory")
	case !info.IsDir():
		return fault.New(fault.Invalid, "the data directory %s is a file", dir).WithNext("choose another one: --data-dir or TEND_DATA_DIR")
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && int(st.Uid) != os.Geteuid() {
		return fault.New(fault.Refused, "the data directory %s belongs to user %d, and you are %d", dir, st.Uid, os.Geteuid()).
			WithNext("become that user (sudo -u), or choose another directory: --data-dir or TEND_DATA_DIR")
	}
	if info.Mode().Perm()&0o022 != 0 {
		return fault.New(fault.Refused, "others may write to the data directory %s (mode %04o): they could make tend run anything", dir, info.Mode().Perm()).
			WithNext("chmod 700 '%s'", dir)
	}
	return nil
}

// Unusable makes sure that an error of opening a data directory names it, and says what to do when a disk is the cause.
func Unusable(err error, dir string) error {
	cause := errors.Is(err, syscall.EROFS) || errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOSPC)
	switch {
	case cause && fault.NextOf(err) == "":
		return CannotWrite(err, dir, "open the data directory")
	case !fault.Is(err, fault.Damaged):
		return err
	case !strings.Contains(err.Error(), dir):
		err = fmt.Errorf("open the data directory %s: %w", dir, err)
	}
	if fault.NextOf(err) != "" {
		return err
	}
	return &fault.Error{
		Kind: fault.Damaged, Err: err,
		Next: "restore a backup into another directory: tend restore; keep this one to find out what happened to its disk",
	}
}

// CannotWrite says why a data directory cannot be used, for the causes that people meet.
func CannotWrite(err error, dir, doing string) error {
	e := fault.Wrap(fault.Unavailable, err, "%s %s", doing, dir)
	var f *fault.Error
	if !errors.As(e, &f) {
		return e
	}
	switch {
	case errors.Is(err, syscall.EROFS):
		return f.WithNext("the file system is read-only: choose another directory with --data-dir or TEND_DATA_DIR, or mount it writable")
	case errors.Is(err, fs.ErrPermission):
		return f.WithNext("you may not write there: choose another directory with --data-dir or TEND_DATA_DIR")
	case errors.Is(err, syscall.ENOSPC):
		return f.WithNext("the disk is full: free space below %s", filepath.Dir(dir))
	}
	return f
}
