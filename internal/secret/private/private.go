// Package private reads files that only their owner may read: secrets, identities, keys.
//
// It refuses a file that others can read, with the command that mends it; one that is not a regular file, so that
// nothing waits on a pipe; and one that is too large to be a secret. Its checks are made on the file that it has opened,
// not on a name. Errors name the file and never quote from it.
package private

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/tendhq/tend/internal/fault"
)

// MaxSize bounds a private file, in bytes.
const MaxSize = 1 << 20

// Read gives the content of the file at path and its version. The version changes when the file is written or replaced
// and derives from when and where it was written, never from what it says. An absent file is fault.Missing.
func Read(path string) ([]byte, string, error) { return open(path, 0o077) }

// ReadSealed is Read for a file that is encrypted: others may read it, but not write it.
func ReadSealed(path string) ([]byte, string, error) { return open(path, 0o002) }

func open(path string, forbidden fs.FileMode) ([]byte, string, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, "", opening(err, path)
	}
	defer func() { _ = f.Close() }()
	return read(f, path, forbidden)
}

// ReadIn is Read for a name below dir. Nothing outside of dir is ever read, neither by the name nor through a link.
func ReadIn(dir, name string) ([]byte, string, error) {
	path := filepath.Join(dir, name)
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, "", fault.Wrap(fault.Unavailable, bare(err), "open the directory %s", dir)
	}
	defer func() { _ = root.Close() }()
	info, err := root.Stat(".")
	if err != nil {
		return nil, "", fault.Wrap(fault.Unavailable, bare(err), "look at the directory %s", dir)
	}
	if info.Mode().Perm()&0o022 != 0 {
		return nil, "", fault.New(fault.Refused, "others can write into %s (mode %#o)", dir, info.Mode().Perm()).
			WithNext("chmod go-w '%s'", dir)
	}
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, "", opening(err, path)
	}
	defer func() { _ = f.Close() }()
	return read(f, path, 0o077)
}

func opening(err error, path string) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return fault.New(fault.Missing, "there is no file %s", path)
	}
	return fault.Wrap(fault.Unavailable, bare(err), "open %s", path)
}

func read(f *os.File, path string, forbidden fs.FileMode) ([]byte, string, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, "", fault.Wrap(fault.Unavailable, bare(err), "look at %s", path)
	}
	switch {
	case info.IsDir():
		return nil, "", fault.New(fault.Missing, "%s is a directory and not a file", path)
	case !info.Mode().IsRegular():
		return nil, "", fault.New(fault.Refused, "%s is not a regular file", path)
	case info.Mode().Perm()&forbidden != 0:
		return nil, "", fault.New(fault.Refused, "others than its owner can use %s (mode %#o)", path, info.Mode().Perm()).
			WithNext("chmod %o '%s'", info.Mode().Perm()&^forbidden, path)
	case info.Size() > MaxSize:
		return nil, "", fault.New(fault.Limit, "%s has %d bytes, and at most %d are read", path, info.Size(), MaxSize)
	}
	b, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, "", fault.Wrap(fault.Unavailable, bare(err), "read %s", path)
	}
	if len(b) > MaxSize {
		return nil, "", fault.New(fault.Limit, "%s grew over %d bytes while it was read", path, MaxSize)
	}
	return b, version(info), nil
}

// version is the time of the last write, for people, and a sum that also covers the place on the disk, so that a file
// that was replaced by another one of the same time is a new version. The size stays out: it tells of the content.
func version(info fs.FileInfo) string {
	at := info.ModTime().UTC()
	var b [24]byte
	binary.BigEndian.PutUint64(b[:8], uint64(at.UnixNano()))
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		binary.BigEndian.PutUint64(b[8:16], uint64(s.Ino))
		binary.BigEndian.PutUint64(b[16:], uint64(s.Dev))
	}
	sum := sha256.Sum256(b[:])
	return at.Format("2006-01-02T15:04:05Z") + "-" + hex.EncodeToString(sum[:4])
}

// bare takes the path out of an error of package os: the messages here say it already.
func bare(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
