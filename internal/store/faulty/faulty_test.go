package faulty_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/faulty"
	"github.com/tendhq/tend/internal/store/memory"
	"github.com/tendhq/tend/internal/store/storetest"
)

// TestConformance: without faults, the wrapper is a store like any other.
func TestConformance(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) storetest.Open {
		d := new(memory.Disk)
		return func() (store.Store, error) {
			return faulty.New(memory.Open(d), func(faulty.Op) faulty.Fault { return faulty.Fault{} }), nil
		}
	})
}

func TestBroken(t *testing.T) {
	t.Parallel()
	for _, mode := range []faulty.Mode{faulty.Lost, faulty.Kept} {
		d := new(memory.Disk)
		s := faulty.New(memory.Open(d), func(op faulty.Op) faulty.Fault {
			if op.Name == "claim" {
				return faulty.Fault{Mode: mode}
			}
			return faulty.Fault{}
		})
		if _, err := s.Claim(t.Context(), "x"); !errors.Is(err, store.ErrIndeterminate) {
			t.Errorf("claim: %v", err)
		}
		if _, err := s.Identity(t.Context()); !errors.Is(err, store.ErrBroken) {
			t.Errorf("identity: %v", err)
		}
		if _, err := s.Read(t.Context(), "run/a", 1, 1); !errors.Is(err, store.ErrBroken) {
			t.Errorf("read: %v", err)
		}
		if _, err := s.Head(t.Context(), "run/a"); !errors.Is(err, store.ErrBroken) {
			t.Errorf("head: %v", err)
		}
		if _, err := s.Rows(t.Context(), store.Filter{}); !errors.Is(err, store.ErrBroken) {
			t.Errorf("rows: %v", err)
		}
		if a := s.Commit(t.Context(), make([]store.Batch, 1)); !errors.Is(a[0].Err, store.ErrBroken) {
			t.Errorf("commit: %v", a[0].Err)
		}
		i, err := memory.Open(d).Identity(t.Context())
		if err != nil || (i.Index == 1) != (mode == faulty.Kept) {
			t.Errorf("reopened: %+v, %v", i, err)
		}
	}
}

func TestRefuse(t *testing.T) {
	t.Parallel()
	mine := errors.New("mine")
	s := faulty.New(memory.New(), func(op faulty.Op) faulty.Fault {
		switch op.N {
		case 0:
			return faulty.Fault{Mode: faulty.Lost} // of a read: refused, and the store is not broken
		case 1:
			return faulty.Fault{Mode: faulty.Full, Err: mine}
		case 2:
			return faulty.Fault{Mode: faulty.Refuse, Err: mine}
		}
		return faulty.Fault{}
	})
	for n, want := range []func(error) bool{
		func(err error) bool { return fault.Is(err, fault.Unavailable) },
		func(err error) bool { return fault.Is(err, fault.Unavailable) && errors.Is(err, mine) },
		func(err error) bool { return errors.Is(err, mine) },
		func(err error) bool { return err == nil },
	} {
		if _, err := s.Rows(t.Context(), store.Filter{Kind: "run"}); !want(err) {
			t.Errorf("call %d: %v", n, err)
		}
	}
}

func TestDelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := faulty.New(memory.New(), func(faulty.Op) faulty.Fault { return faulty.Fault{Delay: time.Hour} })
		begin := time.Now()
		if _, err := s.Identity(t.Context()); err != nil || time.Since(begin) != time.Hour {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begin = time.Now()
		a := s.Commit(ctx, make([]store.Batch, 2))
		if !fault.Is(a[1].Err, fault.Cancelled) || time.Since(begin) != time.Minute {
			t.Errorf("after %v: %v", time.Since(begin), a[1].Err)
		}
	})
}
