package app

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/tendhq/tend/internal/directory"
	"github.com/tendhq/tend/internal/fault"
)

// How long a detached owner stays without anything to move: at first, until somebody gives it work, and after that.
const (
	firstPatience = 10 * time.Second
	lastPatience  = time.Second
)

// maxOwnerLog is when the log of detached owners is begun anew; the one before is kept.
const maxOwnerLog = 10 << 20

// errFree: nobody owns the data directory.
var errFree = errors.New("nobody owns the data directory")

// Detached gives a session with an owner that outlives this process: the one that is there, or one that is started for it
// by running this program with args.
func Detached(ctx context.Context, o Options, args []string) (*Session, error) {
	if o.Server != "" {
		return Open(ctx, o)
	}
	o.remote = true
	s, err := Open(ctx, o)
	if !errors.Is(err, errFree) {
		return s, err
	}
	ended, tell, err := spawn(o.Config.DataDir, args)
	if err != nil {
		return nil, err
	}
	for {
		s, err := Open(ctx, o)
		if !errors.Is(err, errFree) {
			return s, err
		}
		select {
		case <-ended:
			// Another process may have been faster.
			if s, err := Open(ctx, o); !errors.Is(err, errFree) {
				return s, err
			}
			return nil, fault.New(fault.Unavailable, "the process that should run in the background ended at once:\n%s", tell()).
				WithNext("see %s", filepath.Join(o.Config.DataDir, directory.LogFile))
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// spawn starts a process of its own session, without terminal, that writes to a log in the data directory.
func spawn(dir string, args []string) (ended <-chan struct{}, tell func() string, err error) {
	self, err := Program()
	if err != nil {
		return nil, nil, fault.Wrap(fault.Unavailable, err, "find this program")
	}
	name := filepath.Join(dir, directory.LogFile)
	if info, err := os.Stat(name); err == nil && info.Size() > maxOwnerLog {
		_ = os.Rename(name, name+".1")
	}
	log, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, nil, directory.CannotWrite(err, dir, "write to the data directory")
	}
	defer log.Close()
	from, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, nil, fault.Wrap(fault.Unavailable, err, "write to %s", name)
	}
	cmd := exec.Command(self, args...) //nolint:noctx // it outlives this process
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, nil, fault.Wrap(fault.Unavailable, err, "start %s in the background", self)
	}
	done := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(done)
	}()
	return done, func() string {
		f, err := os.Open(name)
		if err != nil {
			return ""
		}
		defer f.Close()
		b, _ := io.ReadAll(io.LimitReader(io.NewSectionReader(f, from, 1<<20), 8<<10))
		return string(bytes.TrimSpace(b))
	}, nil
}

// Program is the file of this program, by the name that it was called with where that is the same file.
func Program() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	called, err := exec.LookPath(os.Args[0])
	if err != nil {
		return self, nil //nolint:nilerr // the name it was called with is only the nicer one
	}
	if !same(self, called) {
		return self, nil
	}
	return filepath.Abs(called)
}

// same tells whether two names are one file; what cannot be looked at is another one.
func same(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// Stay keeps an owner alive until nothing that it was asked to move can move any more, or ctx ends. A run that waits for a
// person keeps it only while the question can expire.
func (s *Session) Stay(ctx context.Context) error {
	if s.own == nil {
		return nil
	}
	left := time.Now().Add(firstPatience)
	for {
		moving, err := s.own.api.moving(ctx, true)
		if err != nil {
			return err
		}
		if len(moving) > 0 {
			left = time.Now().Add(lastPatience)
		}
		if time.Now().After(left) {
			if done, err := s.own.api.retire(ctx, true); done || err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
