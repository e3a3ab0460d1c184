package directory

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/tendhq/tend/internal/fault"
)

// maxSocket is the longest path of a socket that every system takes: macOS has 104 bytes with the final NUL, Linux 108.
const maxSocket = 103

// SocketPath is where an owner of dir listens: in the directory itself, or, when that path is too long for a socket, in a
// short directory of the user. The owner file tells which.
func SocketPath(dir string, getenv func(string) string) (string, error) {
	if p := filepath.Join(dir, sockFile); len(p) <= maxSocket {
		return p, nil
	}
	sum := sha256.Sum256([]byte(dir))
	name := hex.EncodeToString(sum[:6])
	for _, base := range []string{getenv("XDG_RUNTIME_DIR"), os.TempDir(), "/tmp"} {
		if !filepath.IsAbs(base) {
			continue
		}
		short := filepath.Join(base, "tend-"+strconv.Itoa(os.Geteuid()))
		if p := filepath.Join(short, name); len(p) <= maxSocket {
			if err := os.Mkdir(short, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
				continue
			}
			// Somebody else may have made it in a directory that all can write to.
			return p, Check(short)
		}
	}
	return "", fault.New(fault.Unavailable, "no place for a socket: the path of %s is longer than %d bytes", dir, maxSocket).
		WithNext("set XDG_RUNTIME_DIR to a short path, or choose a shorter --data-dir")
}

// Listen makes the socket. The caller holds the lock, so that one that is there is stale.
func Listen(path string) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, CannotWrite(err, filepath.Dir(path), "remove the socket of an earlier process in")
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "listen on %s", path)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fault.Wrap(fault.Unavailable, err, "protect %s", path), l.Close())
	}
	return l, nil
}

// Hung is the error about an owner that does not answer.
func Hung(dir string, o Owner, wait fmt.Stringer) error {
	who := "another process"
	next := "find it with `lsof '" + filepath.Join(dir, LockFile) + "'`"
	if o.PID > 0 {
		who = fmt.Sprintf("process %d (%s)", o.PID, cmp.Or(o.Command, "tend"))
		next = fmt.Sprintf("look at it with `ps -p %d`; if it hangs, `kill %d`, then `kill -9 %d`: nothing that was recorded is lost, and `tend runs resume --all` goes on", o.PID, o.PID, o.PID)
	}
	return fault.New(fault.Unavailable, "%s owns %s and does not answer within %s", who, dir, wait).WithNext("%s", next)
}
