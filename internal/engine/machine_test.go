package engine_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/id"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/memory"
	"github.com/tendhq/tend/internal/task"
	"github.com/tendhq/tend/internal/value"
)

const two = "steps: [{uses: probe, with: {say: a}}, {uses: probe, with: {say: b}}]"

// TestNothingBeforeItIsDurable: no effect and no answer comes before the commit that they follow from.
func TestNothingBeforeItIsDurable(t *testing.T) {
	t.Parallel()
	d := sits(t, new(memory.Disk))
	runID, req := d.begin(compile(t, d.set, two))
	if len(d.acts) > 0 || len(d.replies) > 0 {
		t.Fatalf("acted %q and answered %v before anything was durable", d.did(), d.replies)
	}
	if len(d.commits) != 1 {
		t.Fatalf("%d commits", len(d.commits))
	}
	d.answer(nil)
	d.want("acts", d.did(), "steps[0]#1")
	if r, ok := d.replies[req]; !ok || r.Err != nil || r.Value != runID {
		t.Fatal(r, ok)
	}
	d.acted(d.acts[0], entry.Succeeded)
	d.want("acts before the commit", d.did(), "steps[0]#1")
	d.answer(nil)
	d.want("acts", d.did(), "steps[0]#1 steps[1]#1")
	d.acted(d.acts[1], entry.Succeeded)
	d.write()
	d.want("status", d.status(runID), "succeeded")
	// Result and next intent share a commit, and the end is recorded outside of the stream.
	if got := len(d.kinds("run/" + runID)); got != 7 {
		t.Errorf("%d entries: %v", got, d.kinds("run/"+runID))
	}
	shard := fmt.Sprintf("audit/%03d", id.Shard(runID))
	d.want("audit", strings.Join(d.kinds(shard), " "), "run-sealed")
}

func TestHaltedMachineNeverActs(t *testing.T) {
	t.Parallel()
	disk := new(memory.Disk)
	first := sits(t, disk)
	runID := first.run("steps: [{uses: manual, with: {title: look}}, {uses: probe, with: {say: a}}]")
	d := sits(t, disk, func(c *engine.MachineConfig) { c.Halted = "restored" })
	_, req := d.begin(compile(t, d.set, two))
	if !fault.Is(d.replies[req].Err, fault.Refused) || len(d.commits) > 0 {
		t.Error("a halted machine began a run:", d.replies[req].Err)
	}
	d.command(engine.Resume, runID)
	d.write()
	if early := d.vote(runID, "done", "bob"); !fault.Is(d.replies[early].Err, fault.Refused) {
		t.Error("a halted machine took an answer:", d.replies[early].Err)
	}
	d.write()
	d.now = noon.Add(24 * time.Hour)
	d.tick()
	d.write()
	if len(d.acts) > 0 || d.count(runID, entry.KindTaskDecided) > 0 {
		t.Fatalf("a halted machine moved: %s", d.did())
	}
	d.now = noon
	d.feed(engine.Unhalted{})
	d.command(engine.Resume, runID)
	d.vote(runID, "done", "bob")
	d.write()
	d.want("acts", d.did(), "steps[1]#1")
}

func TestPausedRunBeginsNothing(t *testing.T) {
	t.Parallel()
	d := sits(t, new(memory.Disk))
	runID := d.run(two)
	d.command(engine.Pause, runID)
	d.write()
	d.acted(d.acts[0], entry.Succeeded)
	d.write()
	d.want("acts", d.did(), "steps[0]#1")
	d.want("status", d.status(runID), "paused")
	if n := d.count(runID, entry.KindStepResult); n != 1 {
		t.Errorf("%d results", n)
	}
	d.command(engine.Unpause, runID)
	d.write()
	d.want("acts", d.did(), "steps[0]#1 steps[1]#1")
}

// TestLease: nothing begins closer than the margin to the end of the lease.
func TestLease(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		left time.Duration
		acts string
	}{{time.Hour, "steps[0]#1"}, {5*time.Second + time.Millisecond, "steps[0]#1"}, {5 * time.Second, ""}, {time.Second, ""}, {0, ""}, {-time.Hour, ""}} {
		t.Run(c.left.String(), func(t *testing.T) {
			t.Parallel()
			d := sits(t, new(memory.Disk), func(m *engine.MachineConfig) { m.Margin, m.Lease.Until = 5*time.Second, noon.Add(c.left) })
			d.run(two)
			d.want("acts", d.did(), c.acts)
		})
	}
}

// TestRefusedCommits: what a full disk refuses is offered again, unchanged, and nothing goes on before it is taken.
func TestRefusedCommits(t *testing.T) {
	t.Parallel()
	d := sits(t, new(memory.Disk))
	full := fault.New(fault.Unavailable, "the disk is full")
	_, req := d.begin(compile(t, d.set, two))
	d.answer(full)
	if !fault.Is(d.replies[req].Err, fault.Unavailable) || len(d.commits) > 0 {
		t.Fatal("who asked for a run was not told that the disk is full:", d.replies[req].Err)
	}
	runID := d.run(two)
	d.acted(d.acts[0], entry.Succeeded)
	before := d.commits[0]
	for range 3 {
		d.answer(full)
		if len(d.commits) != 1 || d.commits[0].ID != before.ID || !slices.EqualFunc(d.commits[0].Batch.Entries, before.Batch.Entries, func(a, b entry.Entry) bool { return a.Hash == b.Hash }) {
			t.Fatal("what was refused was not offered again as it was")
		}
		d.want("acts", d.did(), "steps[0]#1")
	}
	d.command(engine.Cancel, runID)
	d.answer(nil)
	d.write()
	d.want("status", d.status(runID), "cancelling")
	if d.broke != nil {
		t.Error(d.broke)
	}
}

// TestBroken: after a conflict or an unknown outcome nothing is decided any more.
func TestBroken(t *testing.T) {
	t.Parallel()
	for _, err := range []error{store.ErrConflict, store.ErrIndeterminate, store.ErrBroken, store.ErrStale} {
		t.Run(err.Error(), func(t *testing.T) {
			t.Parallel()
			d := sits(t, new(memory.Disk))
			runID := d.run(two)
			other := d.run(two)
			d.acted(d.acts[0], entry.Succeeded)
			d.answer(err)
			if d.broke == nil || d.m.Broken() == nil {
				t.Fatal("the machine goes on")
			}
			before := d.did()
			d.acted(d.acts[1], entry.Succeeded)
			cmd := d.command(engine.Cancel, other)
			_, start := d.begin(compile(t, d.set, two))
			d.now = d.now.Add(time.Hour)
			d.tick()
			if len(d.commits) > 0 || d.did() != before {
				t.Errorf("%s went on: %d commits, %s", runID, len(d.commits), d.did())
			}
			for _, req := range []uint64{cmd, start} {
				if d.replies[req].Err == nil {
					t.Errorf("request %d was not refused", req)
				}
			}
		})
	}
}

// TestLateAnswers: only the attempt that acts can be answered, once.
func TestLateAnswers(t *testing.T) {
	t.Parallel()
	d := sits(t, new(memory.Disk))
	runID := d.run("steps: [{uses: probe, with: {say: a}, retry: {attempts: 3}}, {uses: probe, with: {say: b}}]")
	d.acted(d.acts[0], entry.Failed)
	d.write()
	d.want("acts", d.did(), "steps[0]#1 steps[0]#2")
	for _, o := range []entry.Outcome{entry.Succeeded, entry.Failed, entry.InDoubt} {
		d.acted(d.acts[0], o)
	}
	d.feed(engine.Acted{Run: runID, Result: entry.StepResult{Path: "steps[7]", Attempt: 1, Outcome: entry.Succeeded}})
	if len(d.commits) > 0 {
		t.Fatal("a late answer was taken")
	}
	d.acted(d.acts[1], entry.Succeeded)
	d.acted(d.acts[1], entry.Succeeded)
	d.write()
	d.want("acts", d.did(), "steps[0]#1 steps[0]#2 steps[1]#1")
	if n := d.count(runID, entry.KindStepResult); n != 2 {
		t.Errorf("%d results", n)
	}
	d.acted(d.acts[2], entry.Succeeded)
	d.write()
	d.want("status", d.status(runID), "succeeded")
}

func TestTwoAnswersAtOnce(t *testing.T) {
	t.Parallel()
	d := sits(t, new(memory.Disk))
	runID := d.run("steps: [{uses: approve, with: {message: really?, count: 2}}, {uses: probe, with: {say: a}}]")
	one := d.vote(runID, "approve", "bob")
	again := d.vote(runID, "approve", "bob")
	d.write()
	if !fault.Is(d.replies[again].Err, fault.Conflict) || d.replies[one].Err != nil || d.did() != "" {
		t.Fatal("one person counted twice:", d.replies, d.did())
	}
	yes, no := d.vote(runID, "approve", "eve"), d.vote(runID, "reject", "joe")
	if _, early := d.replies[yes]; early {
		t.Error("answered before it was durable")
	}
	d.write()
	if d.replies[yes].Err != nil || !fault.Is(d.replies[no].Err, fault.Conflict) {
		t.Error(d.replies[yes].Err, d.replies[no].Err)
	}
	d.want("acts", d.did(), "steps[1]#1")
}

func TestNoAnswerIsNo(t *testing.T) {
	t.Parallel()
	d := sits(t, new(memory.Disk))
	runID := d.run("steps: [{uses: probe, with: {say: a}, approval: {message: really?, within: 10m}}]")
	d.now = noon.Add(10*time.Minute - time.Millisecond)
	d.tick()
	d.write()
	d.want("status", d.status(runID), "waiting")
	d.now = noon.Add(10 * time.Minute)
	late := d.vote(runID, "approve", "bob")
	if !fault.Is(d.replies[late].Err, fault.Conflict) {
		t.Error("an answer was taken after its time:", d.replies[late].Err)
	}
	d.tick()
	d.write()
	d.want("status", d.status(runID), "failed")
	d.want("acts", d.did(), "")
}

func TestEventTwice(t *testing.T) {
	t.Parallel()
	d := sits(t, new(memory.Disk))
	runID := d.run(`
steps:
  - {uses: wait, with: {for: deployed, key: shop}}
  - {uses: wait, with: {for: deployed, key: shop}}
  - {uses: probe, with: {say: a}}
`)
	send := func(path string) uint64 {
		d.req++
		a := engine.Arrived{Run: runID, Path: path}
		a.Req = d.req
		d.feed(a)
		return d.req
	}
	one, two := send("steps[0]"), send("steps[0]")
	d.write()
	three := send("steps[0]")
	d.write()
	if d.replies[one].Err != nil || !fault.Is(d.replies[two].Err, fault.Conflict) || !fault.Is(d.replies[three].Err, fault.Conflict) {
		t.Error(d.replies[one].Err, d.replies[two].Err, d.replies[three].Err)
	}
	runID = d.run("steps: [{uses: wait, with: {duration: 1h}}, {uses: probe, with: {say: a}}]")
	if wrong := send("steps[0]"); !fault.Is(d.replies[wrong].Err, fault.Conflict) {
		t.Error("an event ended a wait for time")
	}
	if early := send("steps[1]"); !fault.Is(d.replies[early].Err, fault.Conflict) {
		t.Error("an event reached a step that has not begun")
	}
	d.write()
	d.want("status", d.status(runID), "waiting")
	d.want("acts", d.did(), "")
}

// TestACallbackIsGoodOnce: one callback wakes one wait for its event, whatever the key, and no second one.
func TestACallbackIsGoodOnce(t *testing.T) {
	t.Parallel()
	disk := new(memory.Disk)
	d := sits(t, disk)
	runID := d.run(`
steps:
  - {uses: wait, with: {for: other}}
  - {uses: wait, with: {for: answered, key: shop}}
  - {uses: wait, with: {for: answered}}
`)
	send := func(event string) error {
		d.req++
		a := engine.Arrived{Run: runID, Payload: map[string]any{"name": event}, Called: &entry.Who{Name: "callback"}, Event: event}
		a.Req = d.req
		d.feed(a)
		d.write()
		return d.replies[d.req].Err
	}
	for _, c := range []struct {
		name, event string
		err         error
	}{
		{"nobody waits yet", "answered", run.ErrEarly},
		{"another event", "other", nil},
		{"it is used up, and told so while the run goes on", "other", run.ErrCalled},
		{"what was early is not used up", "answered", nil},
		{"a second wait is not woken", "answered", run.ErrCalled},
		{"an event that nobody waits for", "never", run.ErrEarly},
	} {
		if err := send(c.event); !errors.Is(err, c.err) {
			t.Errorf("%s: %v, want %v", c.name, err, c.err)
		}
	}
	d.want("status", d.status(runID), "waiting")
	d.command(engine.Cancel, runID)
	d.write()
	if err := send("never"); !errors.Is(err, run.ErrOver) {
		t.Errorf("the run is over: %v", err)
	}
	if err := send("answered"); !errors.Is(err, run.ErrCalled) {
		t.Errorf("used, and over: %v", err)
	}
}

// TestCancelReachesChildren: what a run called ends with it, before it.
func TestCancelReachesChildren(t *testing.T) {
	t.Parallel()
	d := sits(t, new(memory.Disk))
	prog := programOf(t, d.set, two)
	runID, _ := d.begin(prog)
	d.write()
	if len(d.acts) != 1 || d.acts[0].Run == runID {
		t.Fatal(d.did())
	}
	kid := d.acts[0].Run
	d.command(engine.Cancel, runID)
	d.write()
	if len(d.stops) != 1 || d.stops[0].Run != kid {
		t.Fatalf("what the child does was not stopped: %v", d.stops)
	}
	d.want("status", d.status(runID), "cancelling")
	d.acted(d.acts[0], entry.Failed)
	d.write()
	d.want("child", d.status(kid), "cancelled")
	d.want("run", d.status(runID), "cancelled")
	d.want("acts", d.did(), "steps[0]#1")
}

// TestCancelWhileActing: the run is cancelled when nothing of it can act any more, and not before.
func TestCancelWhileActing(t *testing.T) {
	t.Parallel()
	d := sits(t, new(memory.Disk))
	runID := d.run(two)
	d.command(engine.Cancel, runID)
	d.write()
	d.want("status", d.status(runID), "cancelling")
	if len(d.stops) != 1 {
		t.Fatalf("%d stops", len(d.stops))
	}
	d.acted(d.acts[0], entry.InDoubt)
	d.write()
	d.want("status", d.status(runID), "cancelled")
	d.want("acts", d.did(), "steps[0]#1")
}

// TestApprovalAfterCancel: a cancel voids what was asked.
func TestApprovalAfterCancel(t *testing.T) {
	t.Parallel()
	d := sits(t, new(memory.Disk))
	runID := d.run("steps: [{uses: probe, with: {say: a}, approval: {message: really?}}]")
	d.command(engine.Cancel, runID)
	late := d.vote(runID, "approve", "bob") // before the cancel is durable
	d.write()
	if d.replies[late].Err == nil {
		t.Error("an approval was taken after a cancel")
	}
	d.want("status", d.status(runID), "cancelled")
	d.want("acts", d.did(), "")
	p, err := d.store.Rows(t.Context(), store.Filter{Kind: "task", Parent: runID, Status: []string{task.Open}})
	if err != nil || len(p.Rows) > 0 {
		t.Errorf("%d tasks are open: %v", len(p.Rows), err)
	}
	if !d.m.NextWake().IsZero() {
		t.Errorf("it wants to be woken at %s for a run that is over", d.m.NextWake())
	}
}

// TestClockJumpsBack: a clock that goes back an hour lets nothing happen early, twice, or out of order.
func TestClockJumpsBack(t *testing.T) {
	t.Parallel()
	d := sits(t, new(memory.Disk))
	runID := d.run("steps: [{uses: wait, with: {duration: 10m}}, {uses: probe, with: {say: fail}, retry: {attempts: 2, backoff: 10m}}]")
	due := d.m.NextWake()
	if !due.Equal(noon.Add(10 * time.Minute)) {
		t.Fatal(due)
	}
	for _, at := range []time.Time{noon.Add(-time.Hour), noon, due.Add(-time.Microsecond)} {
		d.now = at
		d.tick()
		d.write()
		d.want("acts", d.did(), "")
	}
	d.now = due
	d.tick()
	d.write()
	d.want("acts", d.did(), "steps[1]#1")
	d.now = due.Add(-time.Hour) // between the attempt and its answer
	d.acted(d.acts[0], entry.Failed)
	d.write()
	retry := d.m.NextWake()
	if !retry.Equal(d.now.Add(10 * time.Minute)) {
		t.Fatal(retry)
	}
	d.now = retry
	d.tick()
	d.tick()
	d.write()
	d.tick()
	d.want("acts", d.did(), "steps[1]#1 steps[1]#2")
	d.now = noon.Add(-time.Hour)
	d.acted(d.acts[1], entry.Succeeded)
	d.write()
	d.want("status", d.status(runID), "succeeded")
	s, _, err := d.archive.Run(t.Context(), runID)
	if err != nil || s.Status() != run.Succeeded {
		t.Fatal(err)
	}
	if n := d.count(runID, entry.KindWaitEnded); n != 1 {
		t.Errorf("the wait ended %d times", n)
	}
}

// TestLostAttempts: a run that is loaded with something in flight was let act by somebody who is gone, paused or not.
func TestLostAttempts(t *testing.T) {
	t.Parallel()
	for _, paused := range []bool{false, true} {
		disk := new(memory.Disk)
		first := sits(t, disk)
		runID := first.run(two)
		if paused {
			first.command(engine.Pause, runID)
			first.write()
		}
		d := sits(t, disk)
		d.command(engine.Resume, runID)
		d.write()
		d.want(fmt.Sprint("paused ", paused), d.status(runID), "in-doubt")
		if d.did() != "" || d.count(runID, entry.KindStepIntent) != 1 {
			t.Errorf("a lost attempt was repeated: %s", d.did())
		}
		// The first process does not know that it was replaced: its epoch is over.
		first.acted(first.acts[0], entry.Succeeded)
		if a := first.store.Commit(t.Context(), []store.Batch{first.commits[0].Batch})[0]; a.Err == nil {
			t.Error("a stale server wrote")
		}
	}
}

// TestGuardCountsInTheCommit: what a guard counts is durable with the intent that it allowed.
func TestGuardCountsInTheCommit(t *testing.T) {
	t.Parallel()
	disk := new(memory.Disk)
	d := sits(t, disk)
	guards := []guard.Spec{{Name: "calm", Cooldown: &guard.Cooldown{Every: value.Duration(time.Hour)}}}
	prog := compile(t, d.set, "steps: [{uses: probe, with: {say: db}}, {uses: probe, with: {say: db}}]")
	with := func(b *engine.Begin) { b.Start.Guards = guards }
	d.begin(prog, with)
	found := map[string]bool{}
	for _, e := range d.commits[0].Batch.Entries {
		found[string(e.Kind)] = true
	}
	for _, r := range d.commits[0].Batch.Rows {
		found[r.Kind] = true
	}
	if !found["step-intent"] || !found["guard-reserved"] || !found["guard"] {
		t.Fatalf("the commit holds %v", found)
	}
	d.write()
	again := sits(t, disk) // another process remembers
	again.req = d.req
	heldID, _ := again.begin(prog, with)
	again.write()
	again.want("status", again.status(heldID), "waiting")
	again.want("acts", again.did(), "")
	// A run is not held back by itself.
	d2 := sits(t, new(memory.Disk))
	d2.begin(prog, with)
	d2.write()
	d2.acted(d2.acts[0], entry.Succeeded)
	d2.write()
	d2.want("acts", d2.did(), "steps[0]#1 steps[1]#1")
}

// TestLocks: one holder at a time, and the next one when the release is durable.
func TestLocks(t *testing.T) {
	t.Parallel()
	d := sits(t, new(memory.Disk))
	const src = "steps: [{lock: {key: db, steps: [{uses: probe, with: {say: a}}]}}]"
	first, second := d.run(src), d.run(src)
	d.want("acts", d.did(), "steps[0].steps[0]#1")
	d.acted(d.acts[0], entry.Succeeded)
	for len(d.commits) > 0 {
		if released := slices.ContainsFunc(d.commits[0].Batch.Entries, func(e entry.Entry) bool { return e.Kind == entry.KindLockReleased }); released {
			break
		}
		d.answer(nil)
	}
	d.command(engine.Unpause, second) // whatever makes it look again
	d.want("acts before the release is durable", d.did(), "steps[0].steps[0]#1")
	d.write()
	d.want("first", d.status(first), "succeeded")
	d.want("acts", d.did(), "steps[0].steps[0]#1 steps[0].steps[0]#1")
	d.command(engine.Cancel, second)
	d.acted(d.acts[1], entry.Failed)
	d.write()
	d.want("second", d.status(second), "cancelled")
	rows, err := d.store.Rows(t.Context(), store.Filter{Kind: "lock", Limit: 10})
	if err != nil || len(rows.Rows) > 0 {
		t.Errorf("%d locks are held: %v", len(rows.Rows), err)
	}
}

// TestNonsenseQuarantinesOneRun: a fact that is not possible takes its run out of the way, and no other.
func TestNonsenseQuarantinesOneRun(t *testing.T) {
	t.Parallel()
	d := sits(t, new(memory.Disk))
	bad, good := d.run(two), d.run(two)
	d.feed(engine.Listed{Run: bad, Fact: &entry.UndoEnded{}})
	d.write()
	d.want("bad", d.status(bad), "quarantined")
	if d.broke != nil {
		t.Fatal(d.broke)
	}
	d.acted(d.acts[1], entry.Succeeded)
	d.write()
	d.acted(d.acts[2], entry.Succeeded)
	d.write()
	d.want("good", d.status(good), "succeeded")
	before := d.did()
	d.acted(d.acts[0], entry.Succeeded)
	d.write()
	d.want("acts", d.did(), before)
}

// TestRequestsAreRemembered: the key of a request is durable with the run that it began.
func TestRequestsAreRemembered(t *testing.T) {
	t.Parallel()
	b := setup(t, new(memory.Disk), &hands{reply: says})
	st := engine.Start{Program: compile(t, b.set, two), By: ada, Request: "req-1"}
	first, err := b.Start(t.Context(), st)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.until(t, first); got != "succeeded" {
		t.Fatal(got)
	}
	after := setup(t, b.disk.Clone(), &hands{reply: says})
	for range 2 {
		again, err := after.Start(t.Context(), st)
		if err != nil || again != first {
			t.Fatalf("%s, not %s: %v", again, first, err)
		}
	}
	if got := after.hands.did(); got != "" {
		t.Errorf("a repeated request acted: %s", got)
	}
	other := st
	other.Request = "req-2"
	if id, err := after.Start(t.Context(), other); err != nil || id == first {
		t.Fatal(id, err)
	}
}

// TestApprovalBindsOverAttempts: a retry with other parameters asks again.
func TestApprovalBindsOverAttempts(t *testing.T) {
	t.Parallel()
	d := sits(t, new(memory.Disk))
	prog := compile(t, d.set, `
parameters: [{name: who, type: string, default: web-1}]
steps: [{uses: probe, with: {say: '{{ $.params.who }}'}, approval: {message: really?}, retry: {attempts: 3, backoff: 1m}}]`)
	runID, _ := d.begin(prog, func(b *engine.Begin) { b.Start.Params = map[string]any{"who": "web-1"} })
	d.write()
	d.vote(runID, "approve", "bob")
	d.write()
	d.want("acts", d.did(), "steps[0]#1")
	d.acted(d.acts[0], entry.Failed)
	d.write()
	d.now = d.m.NextWake()
	d.tick()
	d.write()
	d.want("acts", d.did(), "steps[0]#1 steps[0]#2") // the same again needs no new approval
	d.acted(d.acts[1], entry.Failed)
	d.write()
	d.feed(engine.Commanded{Command: engine.Command{Verb: engine.Params, Run: runID, Params: map[string]any{"who": "web-2"}, By: ada}})
	d.write()
	d.now = d.now.Add(time.Hour)
	d.tick()
	d.write()
	d.want("acts", d.did(), "steps[0]#1 steps[0]#2")
	d.want("status", d.status(runID), "waiting")
	if n := d.count(runID, entry.KindApprovalAsked); n != 2 {
		t.Errorf("asked %d times", n)
	}
}
