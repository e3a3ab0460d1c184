// Package faulty wraps a store and makes it fail on purpose: before a write, after it (so that nobody knows), for want
// of room, or late.
//
// It serves tests and simulations, and works on any store. It decides nothing: a hook says what happens to each call,
// and the wrapper keeps the promises of the port about it: after an indeterminate answer every call is ErrBroken, and
// only a new store over the same data helps.
package faulty

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/store"
)

// Mode says how a call fails.
type Mode int

// The modes. Lost and Kept are both indeterminate for the caller: what differs is whether the data is there after
// reopening. For calls that do not write, they are Refuse.
const (
	None   Mode = iota // the call goes through
	Refuse             // the call is answered with Err, or Unavailable: nothing is done
	Full               // the disk is full: nothing is written
	Lost               // a write fails and is not there
	Kept               // a write fails and is there all the same
)

// Fault is what happens to one call. Delay comes first, and ends early with the context.
type Fault struct {
	Mode  Mode
	Delay time.Duration
	Err   error
}

// Op is a call that the hook judges.
type Op struct {
	Name    string        // "commit", "read", "rows", "claim", "identity"
	N       int           // how many calls of this name there were before
	Stream  string        // of a read
	Batches []store.Batch // of a commit
}

// Hook judges calls. It may be called by several goroutines at a time, and must not call the store.
type Hook func(Op) Fault

// Store is a store that fails as its hook says.
type Store struct {
	inner store.Store
	hook  Hook

	mu     sync.Mutex
	calls  map[string]int
	broken bool
}

// New wraps s.
func New(s store.Store, hook Hook) *Store {
	return &Store{inner: s, hook: hook, calls: map[string]int{}}
}

// judge counts the call and asks the hook. The error says that the call must not go through.
func (s *Store) judge(ctx context.Context, op Op) (Mode, error) {
	s.mu.Lock()
	op.N = s.calls[op.Name]
	s.calls[op.Name]++
	broken := s.broken
	s.mu.Unlock()
	if broken {
		return Refuse, store.ErrBroken
	}
	f := s.hook(op)
	if f.Delay > 0 {
		t := time.NewTimer(f.Delay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return Refuse, fault.Wrap(fault.Cancelled, context.Cause(ctx), "use the store")
		}
	}
	switch f.Mode {
	case None:
		return None, nil
	case Full:
		return Full, errors.Join(fault.New(fault.Unavailable, "the disk is full: nothing was written").
			WithNext("make room; the store goes on by itself"), f.Err)
	case Lost, Kept:
		if op.Name == "commit" || op.Name == "claim" {
			s.mu.Lock()
			s.broken = true
			s.mu.Unlock()
			return f.Mode, errors.Join(store.ErrIndeterminate, f.Err)
		}
	case Refuse:
	}
	if f.Err != nil {
		return Refuse, f.Err
	}
	return Refuse, fault.New(fault.Unavailable, "the store does not answer")
}

// Commit implements store.Store.
func (s *Store) Commit(ctx context.Context, batches []store.Batch) []store.Answer {
	mode, err := s.judge(ctx, Op{Name: "commit", Batches: batches})
	if mode == None {
		return s.inner.Commit(ctx, batches)
	}
	answers := make([]store.Answer, len(batches))
	for i := range answers {
		answers[i].Err = err
	}
	if mode == Kept {
		for i, a := range s.inner.Commit(ctx, batches) {
			if a.Err != nil {
				answers[i].Err = a.Err // it was refused before anything was written: that is known
			}
		}
	}
	return answers
}

// Read implements store.Store.
func (s *Store) Read(ctx context.Context, stream string, from uint64, limit int) ([]entry.Entry, error) {
	if _, err := s.judge(ctx, Op{Name: "read", Stream: stream}); err != nil {
		return nil, err
	}
	return s.inner.Read(ctx, stream, from, limit)
}

// Rows implements store.Store.
func (s *Store) Rows(ctx context.Context, f store.Filter) (store.Page, error) {
	if _, err := s.judge(ctx, Op{Name: "rows"}); err != nil {
		return store.Page{}, err
	}
	return s.inner.Rows(ctx, f)
}

// Claim implements store.Store.
func (s *Store) Claim(ctx context.Context, holder string) (store.Lease, error) {
	mode, err := s.judge(ctx, Op{Name: "claim"})
	if mode == Kept {
		_, _ = s.inner.Claim(ctx, holder) // what it says is lost on the way
	}
	if err != nil {
		return store.Lease{}, err
	}
	return s.inner.Claim(ctx, holder)
}

// Identity implements store.Store.
func (s *Store) Identity(ctx context.Context) (store.Identity, error) {
	if _, err := s.judge(ctx, Op{Name: "identity"}); err != nil {
		return store.Identity{}, err
	}
	return s.inner.Identity(ctx)
}

// Close implements store.Store. It never fails on purpose.
func (s *Store) Close() error { return s.inner.Close() }

// Head implements store.Store.
func (s *Store) Head(ctx context.Context, stream string) (store.Head, error) {
	if _, err := s.judge(ctx, Op{Name: "head", Stream: stream}); err != nil {
		return store.Head{}, err
	}
	return s.inner.Head(ctx, stream)
}
