package directory

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tendhq/tend/internal/fault"
)

// Owner tells about the process that owns a data directory.
type Owner struct {
	PID     int       `json:"pid"`
	Command string    `json:"command"`
	Since   time.Time `json:"since"`
	Socket  string    `json:"socket"`
	Address string    `json:"address,omitempty"` // of a server: where it answers over the network
	// Brief owners only look something up: whoever wants to run waits for them to go rather than to be served by them.
	Brief bool `json:"brief,omitempty"`
}

// Same tells whether both are the same process.
func (o Owner) Same(other Owner) bool { return o.PID == other.PID && o.Since.Equal(other.Since) }

// Lock is the right to write to a data directory: an flock that the kernel takes back when the process ends, however it
// ends.
type Lock struct{ f *os.File }

// ErrLocked: another process holds the lock.
var ErrLocked = errors.New("another process owns the data directory")

// Take takes the lock, or answers errLocked at once.
func Take(dir string) (*Lock, error) {
	name := filepath.Join(dir, LockFile)
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, CannotWrite(err, dir, "write to the data directory")
	}
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	switch {
	case err == nil:
		return &Lock{f}, nil
	case errors.Is(err, unix.EWOULDBLOCK):
		_ = f.Close()
		return nil, ErrLocked
	default:
		_ = f.Close()
		return nil, fault.Wrap(fault.Unavailable, err, "lock the data directory %s", dir)
	}
}

// Release gives it back.
func (l *Lock) Release() { _ = l.f.Close() }

// ReadOwner reads who owned the directory last. Whether that process still does, only the lock tells.
func ReadOwner(dir string) (Owner, error) {
	var o Owner
	b, err := os.ReadFile(filepath.Join(dir, ownerFile))
	if err != nil {
		return o, err
	}
	return o, json.Unmarshal(b, &o)
}

// WriteOwner replaces the file as a whole: a reader sees the old owner or the new one.
func WriteOwner(dir string, o Owner) error {
	b, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		return err
	}
	name := filepath.Join(dir, ownerFile)
	if err := os.WriteFile(name+".new", append(b, '\n'), 0o600); err != nil {
		return CannotWrite(err, dir, "write to the data directory")
	}
	if err := os.Rename(name+".new", name); err != nil {
		return CannotWrite(err, dir, "write to the data directory")
	}
	return nil
}
