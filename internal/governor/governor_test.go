package governor_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/dispatch"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/governor"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/faulty"
	"github.com/tendhq/tend/internal/store/memory"
	"github.com/tendhq/tend/internal/value"
)

var ann = entry.Who{ID: "user:ann", Name: "ann"}

type bench struct {
	*governor.Governor
	ledger *ledger.Ledger
}

func open(t *testing.T, s store.Store, c governor.Config) *bench {
	t.Helper()
	lease, err := s.Claim(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	c.Ledger = ledger.Open(s, lease, nil)
	g, err := governor.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return &bench{g, c.Ledger}
}

func (b *bench) close(t *testing.T) {
	t.Helper()
	if err := b.ledger.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
}

func effect(g *governor.Governor) guard.Verdict {
	return g.Rules().Effect(nil, guard.Request{Project: "default", Playbook: "restart", Effect: contract.Mutate, Targets: []string{"host:1"}, Root: "r"}, time.Now())
}

func TestWhatPeopleChange(t *testing.T) {
	t.Parallel()
	disk := new(memory.Disk)
	b := open(t, memory.Open(disk), governor.Config{})
	if v := effect(b.Governor); v.Kind != guard.Observe {
		t.Fatalf("a new server does things: %+v", v)
	}
	if err := b.SetMode(t.Context(), guard.Setting{Mode: guard.ModeAuto, Playbook: "restart"}, ann, "it is tested"); err != nil {
		t.Fatal(err)
	}
	before := b.Rules().Version
	if v := effect(b.Governor); v.Kind != guard.Allow {
		t.Fatalf("%+v", v)
	}
	h, err := b.Halt(t.Context(), guard.Halted{Project: "default"}, ann, "wrong disks")
	if err != nil {
		t.Fatal(err)
	}
	if b.Rules().Version == before {
		t.Error("the rules changed, and their name did not")
	}
	b.close(t)
	b = open(t, memory.Open(disk), governor.Config{}) // a restart
	if v := effect(b.Governor); v.Kind != guard.Hold || !strings.Contains(v.Why, "wrong disks") {
		t.Fatalf("a restart ended the halt: %+v", v)
	}
	for name, err := range map[string]error{
		"no reason":     second(b.Unhalt(t.Context(), h.ID, ann, " ")),
		"another halt":  second(b.Unhalt(t.Context(), "halt_x", ann, "x")),
		"no such mode":  b.SetMode(t.Context(), guard.Setting{Mode: "on"}, ann, "x"),
		"no such guard": second(b.Override(t.Context(), guard.Override{Guard: "x", Until: time.Now().Add(time.Hour), Why: "x"}, ann)),
		"for ever":      second(b.Override(t.Context(), guard.Override{Guard: "default-spread", Until: time.Now().Add(9999 * time.Hour), Why: "x"}, ann)),
		"without why":   second(b.Override(t.Context(), guard.Override{Guard: "default-spread", Until: time.Now().Add(time.Hour)}, ann)),
	} {
		if err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if gone, err := b.Unhalt(t.Context(), "", ann, "right disks"); err != nil || len(gone) != 1 {
		t.Fatalf("%v, %v", gone, err)
	}
	if v := effect(b.Governor); v.Kind != guard.Allow {
		t.Errorf("%+v", v)
	}
	if err := b.SetMode(t.Context(), guard.Setting{Mode: guard.ModeAsk}, ann, "careful"); err != nil { // the server's
		t.Fatal(err)
	}
	if m, _ := b.Rules().ModeOf("default", "", "other"); m != guard.ModeAsk {
		t.Errorf("the server is %s", m)
	}
	es, err := b.ledger.Read(t.Context(), ledger.AuditServer, 1, 100)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, e := range es {
		p, err := entry.Decode(e)
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, p.(*entry.Audited).What)
	}
	if got := strings.Join(told, " "); got != "mode-set halted unhalted mode-set" {
		t.Errorf("the audit says %s", got)
	}
	b.close(t)
}

func second[T any](_ T, err error) error { return err }

// TestHaltWithoutAStore: what cannot be written down stops all the same.
func TestHaltWithoutAStore(t *testing.T) {
	t.Parallel()
	var full atomic.Bool
	s := faulty.New(memory.New(), func(op faulty.Op) faulty.Fault {
		if full.Load() && op.Name == "commit" {
			return faulty.Fault{Mode: faulty.Full}
		}
		return faulty.Fault{}
	})
	b := open(t, s, governor.Config{Mode: guard.ModeAuto})
	full.Store(true)
	if _, err := b.Halt(t.Context(), guard.Halted{}, ann, "fire"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("nobody is told: %v", err)
	}
	if v := effect(b.Governor); v.Kind != guard.Hold {
		t.Errorf("%+v", v)
	}
}

type told struct {
	mu    sync.Mutex
	rules []*guard.Rules
}

func (x *told) Govern(_ context.Context, r *guard.Rules) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.rules = append(x.rules, r)
	return nil
}

func (x *told) Stop(ctx context.Context, r *guard.Rules) error { return (*told).Govern(x, ctx, r) }

func (x *told) last() *guard.Rules {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.rules[len(x.rules)-1]
}

// deaf takes halts, and cannot be told anything else for a while: its store does not answer.
type deaf struct {
	told

	tries int
}

func (x *deaf) Govern(ctx context.Context, r *guard.Rules) error {
	if x.tries++; x.tries < 3 {
		return fault.New(fault.Unavailable, "the store does not answer")
	}
	return x.told.Govern(ctx, r)
}

// TestHaltAnswers: when Halt answers, the engine has stopped; and an engine that could not be told the rules is told again.
func TestHaltAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := open(t, memory.New(), governor.Config{Mode: guard.ModeAuto})
		e := new(deaf)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- b.Run(ctx, e, nil) }()
		synctest.Wait()
		if _, err := b.Halt(ctx, guard.Halted{}, ann, "fire"); err != nil {
			t.Fatal(err)
		}
		if h := e.last().Halts; len(h) != 1 {
			t.Fatalf("it answered before the engine stopped: %+v", h)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if e.tries != 3 {
			t.Errorf("told %d times", e.tries)
		}
		stop()
		if err := <-done; err == nil {
			t.Error("it ended by itself")
		}
		b.close(t)
	})
}

// TestFileAndTime: the file halts within two seconds and lets go again; an override ends by itself.
func TestFileAndTime(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "halt")
	synctest.Test(t, func(t *testing.T) {
		b := open(t, memory.New(), governor.Config{Mode: guard.ModeAuto, File: file})
		engine := new(told)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- b.Run(ctx, engine, nil) }()
		synctest.Wait()
		if n := len(engine.last().Halts); n != 0 {
			t.Fatalf("%d halts", n)
		}
		if err := os.WriteFile(file, []byte("fire in the data centre\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if h := engine.last().Halts; len(h) != 1 || h[0].Why != "fire in the data centre" {
			t.Fatalf("%+v", h)
		}
		if _, err := b.Unhalt(ctx, "", ann, "x"); !fault.Is(err, fault.Conflict) || !strings.Contains(fault.NextOf(err), "remove the file") {
			t.Errorf("%v", err)
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if h := engine.last().Halts; len(h) != 0 {
			t.Fatalf("%+v", h)
		}
		if _, err := b.Override(ctx, guard.Override{Guard: "default-spread", Until: time.Now().Add(time.Hour), Why: "flood"}, ann); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if o := engine.last().Overrides; len(o) != 1 || o[0].By != "ann" {
			t.Fatalf("%+v", o)
		}
		time.Sleep(61 * time.Minute)
		synctest.Wait()
		if o := engine.last().Overrides; len(o) != 0 {
			t.Errorf("%+v", o)
		}
		stop()
		if err := <-done; err == nil {
			t.Error("it ended by itself")
		}
		b.close(t)
	})
}

// TestGate: what dispatch asks is remembered over a restart.
func TestGate(t *testing.T) {
	t.Parallel()
	disk := new(memory.Disk)
	now := time.Now()
	fuse := map[string][]guard.Spec{"shop": {
		{Name: "fuse", Breaker: &guard.Breaker{Failures: 2, Within: value.Duration(time.Hour), Open: value.Duration(time.Hour)}},
		{Name: "default-concurrency", Concurrency: &guard.Concurrency{Limit: 9}},
	}}
	b := open(t, memory.Open(disk), governor.Config{})
	b.SetGuards(fuse)
	write := func(v dispatch.Verdict) {
		t.Helper()
		if err := b.ledger.Append(t.Context(), ledger.Batch{Rows: v.Rows, Facts: v.Facts}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 2 {
		c := dispatch.Candidate{Run: fmt.Sprint("run_", i), Project: "shop", Trigger: "t", Playbook: "p", Key: fmt.Sprint("k", i), Group: fmt.Sprint("g", i)}
		v := b.Start(c, now)
		if v.Outcome != event.Started {
			t.Fatalf("%+v", v)
		}
		write(v)
		write(b.Ended(c, "failed", now.Add(time.Minute)))
	}
	b.close(t)
	b = open(t, memory.Open(disk), governor.Config{})
	b.SetGuards(fuse)
	c := dispatch.Candidate{Run: "run_9", Project: "shop", Trigger: "t", Playbook: "p", Key: "k9", Group: "g9"}
	if v := b.Start(c, now.Add(2*time.Minute)); v.Outcome != event.Held || v.Guard != "fuse" || v.Until.IsZero() {
		t.Errorf("%+v", v)
	}
	q := guard.Request{Project: "shop", Playbook: "p", Effect: contract.Mutate, Root: "x"}
	if v := b.Rules().Effect(new(guard.Counted), q, now.Add(2*time.Minute)); v.Kind != guard.Hold || v.Guard != "fuse" {
		t.Errorf("effects go on: %+v", v)
	}
	b.close(t)
}

// TestSeen: alarms that start nothing are counted, also over a restart; effects are held then, and what is over is forgotten.
func TestSeen(t *testing.T) {
	t.Parallel()
	disk, now := new(memory.Disk), time.Now()
	down := map[string][]guard.Spec{"shop": {{Name: "down", StandDown: &guard.StandDown{Alarms: 3, Within: value.Duration(time.Hour), By: "instance"}}}}
	b := open(t, memory.Open(disk), governor.Config{Mode: guard.ModeAuto})
	b.SetGuards(down)
	seen := func(i int, at time.Time) {
		t.Helper()
		v := b.Seen(dispatch.Candidate{
			Run: "run_1", Project: "shop", Trigger: "t", Playbook: "p", Key: "k", Labels: map[string]string{"alertname": "Down", "instance": fmt.Sprint("web-", i)},
		}, at)
		if err := b.ledger.Append(t.Context(), ledger.Batch{Rows: v.Rows, Delete: v.Drop}); err != nil {
			t.Fatal(err)
		}
	}
	q := guard.Request{Project: "shop", Playbook: "p", Effect: contract.Mutate, Root: "x", Targets: []string{"host:x"}}
	for i := range 3 {
		seen(i, now)
	}
	if v := b.Rules().Effect(nil, q, now); v.Kind != guard.Allow {
		t.Errorf("%+v", v)
	}
	b.close(t)
	b = open(t, memory.Open(disk), governor.Config{Mode: guard.ModeAuto})
	b.SetGuards(down)
	for i := range 5000 { // a storm: more is not remembered than is needed
		seen(3+i, now.Add(time.Minute))
	}
	if v := b.Rules().Effect(nil, q, now.Add(time.Minute)); v.Kind != guard.Hold || v.Guard != "down" || !v.Until.Equal(now.Add(61*time.Minute).UTC().Truncate(time.Microsecond)) {
		t.Errorf("effects go on: %+v", v)
	}
	n := 0
	if err := b.ledger.Each(t.Context(), store.Filter{Kind: "start-count"}, func(store.Row) error { n++; return nil }); err != nil || n > 20 {
		t.Errorf("%d rows, %v", n, err)
	}
	b.close(t)
}

// TestChanges: an approved change counts until it is over or withdrawn, also after a restart; what makes no sense is refused.
func TestChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		disk := new(memory.Disk)
		want := map[string][]guard.Spec{"default": {{Name: "change", Change: &guard.Change{Required: true}}}}
		begin := func() *bench {
			b := open(t, memory.Open(disk), governor.Config{Mode: guard.ModeAuto})
			b.SetGuards(want)
			return b
		}
		b := begin()
		now := time.Now()
		good := guard.Planned{ID: "CHG-1", From: now, To: now.Add(time.Hour), Targets: []string{"host:*"}}
		for name, x := range map[string]func(*guard.Planned){
			"no end": func(c *guard.Planned) { c.To = time.Time{} }, "backwards": func(c *guard.Planned) { c.To = now.Add(-time.Minute) }, "over": func(c *guard.Planned) { c.From, c.To = now.Add(-2*time.Hour), now.Add(-time.Hour) },
			"too long": func(c *guard.Planned) { c.To = now.Add(32 * 24 * time.Hour) }, "no name": func(c *guard.Planned) { c.ID = "" },
			"far away": func(c *guard.Planned) { c.From, c.To = now.Add(400*24*time.Hour), now.Add(401*24*time.Hour) },
		} {
			c := good
			x(&c)
			if _, err := b.Approve(t.Context(), c, ann); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if v := effect(b.Governor); v.Kind != guard.Hold {
			t.Fatalf("%+v", v)
		}
		if _, err := b.Approve(t.Context(), good, ann); err != nil {
			t.Fatal(err)
		}
		version := b.Rules().Version
		if _, err := b.Approve(t.Context(), good, ann); err != nil || b.Rules().Version != version {
			t.Errorf("the same again: %v", err)
		}
		b.close(t)
		b = begin()
		if v := effect(b.Governor); v.Kind != guard.Allow {
			t.Errorf("after a restart: %+v", v)
		}
		if err := b.Withdraw(t.Context(), "", "CHG-2", ann, ""); !fault.Is(err, fault.NotFound) {
			t.Error(err)
		}
		if err := b.Withdraw(t.Context(), "", "CHG-1", ann, "cancelled"); err != nil || effect(b.Governor).Kind != guard.Hold {
			t.Errorf("%v", err)
		}
		if _, err := b.Approve(t.Context(), good, ann); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
		next := good
		next.ID, next.From, next.To = "CHG-3", time.Now(), time.Now().Add(time.Hour)
		if _, err := b.Approve(t.Context(), next, ann); err != nil {
			t.Fatal(err)
		}
		if c := b.Rules().World.Changes; len(c) != 1 || c[0].ID != "CHG-3" || c[0].By != "ann" {
			t.Errorf("%+v", c)
		}
		b.close(t)
	})
}
