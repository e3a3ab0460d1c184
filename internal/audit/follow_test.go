package audit_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tendhq/tend/internal/audit"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/sink"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/memory"
)

// far is a sink whose other side can be down, or die after it took some of what it was given.
type far struct {
	mu   sync.Mutex
	got  []string
	down bool
	part int // it takes only that many of the next lines, and then says that it failed
}

func (f *far) Write(_ context.Context, lines []sink.Line) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		return fault.New(fault.Unavailable, "it is down")
	}
	for i, l := range lines {
		if f.part > 0 && i == f.part {
			f.part = 0
			return fault.New(fault.Unavailable, "it died")
		}
		f.got = append(f.got, l.Text)
	}
	return nil
}

func (*far) Close() error { return nil }

// places gives what arrived as "stream/seq", once each, and how many came again.
func (f *far) places(t *testing.T) (once []string, again int) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	seen := map[string]string{}
	for _, text := range f.got {
		var r audit.Record
		noError(t, json.Unmarshal([]byte(text), &r))
		at := fmt.Sprintf("%s/%d", r.Stream, r.Seq)
		if before, ok := seen[at]; ok {
			again++
			if before != text {
				t.Errorf("%s came twice, and differently", at)
			}
			continue
		}
		seen[at] = text
		once = append(once, at)
	}
	return once, again
}

func append1(t *testing.T, l *ledger.Ledger, n int) {
	t.Helper()
	for range n {
		noError(t, l.Append(t.Context(), ledger.Batch{Facts: []ledger.Fact{ledger.Audit(alice, "overridden", "g", "", nil)}}))
	}
}

func want(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("audit/server/%d", i+1))
	}
	return out
}

// TestNothingIsLostOverARestart: the process dies at any moment, the other side as well, and everything arrives.
func TestNothingIsLostOverARestart(t *testing.T) {
	t.Parallel()
	disk := new(memory.Disk)
	out := &far{}
	claim := func() (store.Store, *ledger.Ledger) {
		s := memory.Open(disk)
		lease, err := s.Claim(t.Context(), "test")
		noError(t, err)
		return s, ledger.Open(s, lease, nil)
	}
	total := 0
	for i := range 12 {
		s, l := claim()
		f := audit.Follower{Store: s, Ledger: l, Name: "far", Sink: out}
		append1(t, l, 3)
		total += 3
		switch i % 4 {
		case 0: // all is well
			noError(t, f.Once(t.Context()))
		case 1: // it took some of it, and the server dies before it tries again
			out.part = 2
			if f.Once(t.Context()) == nil {
				t.Error("no error")
			}
		case 2: // it took all, and the server dies before it could write that down
			broken, cancel := context.WithCancel(t.Context())
			noError(t, l.Close(broken))
			_ = f.Once(broken)
			cancel()
		case 3: // it is down
			out.down = true
			if f.Once(t.Context()) == nil {
				t.Error("no error")
			}
			out.down = false
		}
		_ = l.Close(t.Context())
	}
	s, l := claim()
	f := audit.Follower{Store: s, Ledger: l, Name: "far", Sink: out}
	noError(t, f.Once(t.Context()))
	got, again := out.places(t)
	if !slices.Equal(got, want(total)) {
		t.Errorf("%d of %d arrived: %q", len(got), total, got)
	}
	if again == 0 {
		t.Error("nothing came twice: the test did not test what it should")
	}
	before := len(out.got)
	noError(t, f.Once(t.Context()))
	if len(out.got) != before {
		t.Error("what arrived was given again")
	}
	// What arrived verifies by itself, repeats and all.
	noError(t, check(strings.NewReader(strings.Join(out.got, "\n"))))
	noError(t, l.Close(t.Context()))
}

// TestFollowersAreIndependent: one that is down does not keep another one waiting, and gets everything in the end.
func TestFollowersAreIndependent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := memory.New()
		lease, err := s.Claim(t.Context(), "test")
		noError(t, err)
		l := ledger.Open(s, lease, nil)
		a, b := &far{}, &far{down: true}
		append1(t, l, 5)
		ctx, stop := context.WithCancel(t.Context())
		var all sync.WaitGroup
		one, two := &audit.Follower{Store: s, Ledger: l, Name: "a", Sink: a}, &audit.Follower{Store: s, Ledger: l, Name: "b", Sink: b}
		for _, f := range []*audit.Follower{one, two} {
			all.Go(func() { noError(t, f.Run(ctx)) })
		}
		time.Sleep(time.Second) // of the bubble's clock
		synctest.Wait()
		if got, _ := a.places(t); !slices.Equal(got, want(5)) {
			t.Errorf("%q", got)
		}
		if !two.Shipped().IsZero() || two.Failures() == 0 || one.Failures() != 0 || time.Since(one.Shipped()) > time.Second {
			t.Errorf("shipped %v and %v, failures %d and %d", one.Shipped(), two.Shipped(), one.Failures(), two.Failures())
		}
		time.Sleep(time.Hour)
		if n := two.Failures(); n > 80 {
			t.Errorf("%d attempts in an hour", n)
		}
		b.mu.Lock()
		b.down = false
		b.mu.Unlock()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if got, _ := b.places(t); !slices.Equal(got, want(5)) {
			t.Errorf("%q", got)
		}
		stop()
		all.Wait()
		noError(t, l.Close(context.Background()))
	})
}

// TestWhatWasSeenMustStay: a trail that got shorter, or is another one, is told, and the others go on.
func TestWhatWasSeenMustStay(t *testing.T) {
	t.Parallel()
	dir := made(t)
	s := open(t, dir)
	watched(t, s)
	noError(t, s.Close())
	edit(t, dir, "DELETE FROM entry WHERE seq > 3 AND "+of(ledger.AuditServer))
	s = open(t, dir)
	lease, err := s.Claim(t.Context(), "test")
	noError(t, err)
	l := ledger.Open(s, lease, nil)
	noError(t, l.Append(t.Context(), ledger.Batch{Facts: []ledger.Fact{{Stream: ledger.AuditAccess, Payload: &entry.AccessDecided{Verb: "view"}}}}))
	out := &far{}
	log, text := logger()
	f := audit.Follower{Store: s, Ledger: l, Name: "seen", Sink: out, Log: log}
	noError(t, f.Once(t.Context()))
	if got, _ := out.places(t); !slices.Equal(got, []string{"audit/access/5"}) {
		t.Errorf("%q", got)
	}
	if !strings.Contains(text.String(), "audit/server entry 4 is missing") {
		t.Error(text)
	}
	noError(t, l.Close(t.Context()))
}

func logger() (*slog.Logger, *strings.Builder) {
	var b strings.Builder
	return slog.New(slog.NewTextHandler(&b, nil)), &b
}
