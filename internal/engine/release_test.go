package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/archive"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/id"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/memory"
	"github.com/tendhq/tend/internal/value"
)

func flip(e *entry.Entry) { e.Payload[len(e.Payload)/2] ^= 1 }

// holds starts a run that holds a lock and waits inside for a person and an event.
func (b *bench) holds(t *testing.T) string {
	t.Helper()
	id := b.start(t, `
steps:
  - lock:
      key: db
      steps:
        - parallel:
            - {uses: approve, with: {message: so?}}
            - {uses: wait, with: {for: signal, key: k}}
`)
	if got := b.until(t, id); got != "waiting task" {
		t.Fatal(got)
	}
	return id
}

func (b *bench) rowsOf(t *testing.T, f store.Filter) []store.Row {
	t.Helper()
	p, err := b.Rows(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return p.Rows
}

// TestReleaseOfAQuarantinedRun: a bit flips in the stream of a run that holds a lock. Nobody moves that run any more, and a
// person frees what it holds.
func TestReleaseOfAQuarantinedRun(t *testing.T) {
	t.Parallel()
	disk := new(memory.Disk)
	b := setup(t, disk, &hands{reply: says})
	holder := b.holds(t)
	waiter := b.start(t, "steps: [{lock: {key: db, steps: [{uses: probe, with: {say: mine}}]}}]")
	b.becomes(t, waiter, run.Waiting)
	cmd := engine.Command{Verb: engine.Release, Run: holder, By: ada, Why: "the pool was drained by hand"}
	if _, err := b.Do(t.Context(), cmd); !fault.Is(err, fault.Conflict) || fault.NextOf(err) != "tend runs cancel "+holder {
		t.Fatal("a run that is sound was released", err)
	}
	disk.Tamper("run/"+holder, 4, flip)
	if _, err := b.Do(t.Context(), engine.Command{Verb: engine.Release, Run: holder, By: ada}); !fault.Is(err, fault.Invalid) {
		t.Fatal("it was released for no reason", err)
	}
	if b.hands.did() != "" {
		t.Fatal(b.hands.did())
	}
	d, err := b.Do(t.Context(), cmd)
	if err != nil || d.Count != 1 || !strings.Contains(d.Note, `"db"`) {
		t.Fatal(d, err)
	}
	if got := b.until(t, waiter); got != "succeeded" || b.hands.did() != "steps[0].steps[0]#1" {
		t.Fatal(got, b.hands.did())
	}
	if got := b.status(t, holder); got != "quarantined" {
		t.Fatal(got)
	}
	if open := b.tasks(t, holder); len(open) > 0 {
		t.Errorf("its questions are open: %v", open)
	}
	if runs, err := b.Send(t.Context(), "signal", "k", nil, ada); err != nil || len(runs) > 0 {
		t.Errorf("it still waits for an event: %v %v", runs, err)
	}
	row := b.rowsOf(t, store.Filter{Kind: "run", ID: holder})[0]
	if body := string(row.Body); !strings.Contains(body, `"released":{`) || !strings.Contains(body, "the pool was drained by hand") || !strings.Contains(body, `"name":"ada"`) {
		t.Errorf("the row does not tell: %s", body)
	}
	var said bool
	es, err := b.Entries(t.Context(), id.AuditStream(id.Shard(holder)), 1, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range es {
		p, err := entry.Decode(e)
		if a, ok := p.(*entry.Audited); err == nil && ok && a.What == "released" {
			said = a.Object == holder && a.By == ada && a.Why == cmd.Why && fmt.Sprint(a.Detail["locks"]) == "[db]"
		}
	}
	if !said {
		t.Error("the audit stream does not tell")
	}
	if d, err := b.Do(t.Context(), cmd); err != nil || d.Count != 0 {
		t.Error("the second release found something", d, err)
	}
}

// TestReleaseAfterARestart: the lock is in the store, and so is who holds it.
func TestReleaseAfterARestart(t *testing.T) {
	t.Parallel()
	disk := new(memory.Disk)
	holder := setup(t, disk, &hands{reply: says}).holds(t)
	after := disk.Clone()
	after.Tamper("run/"+holder, 2, flip)
	b := setup(t, after, &hands{reply: says})
	waiter := b.start(t, "steps: [{lock: {key: db, steps: [{uses: probe, with: {say: mine}}]}}]")
	b.becomes(t, waiter, run.Waiting)
	b.order(t, engine.Command{Verb: engine.Release, Run: holder, Why: "looked"})
	if got := b.until(t, waiter); got != "succeeded" {
		t.Fatal(got)
	}
}

// TestReleaseOfAMissingStream: what is left of the run is its row.
func TestReleaseOfAMissingStream(t *testing.T) {
	t.Parallel()
	disk := new(memory.Disk)
	holder := setup(t, disk, &hands{reply: says}).holds(t)
	after := disk.Clone()
	after.Cut("run/"+holder, 1000)
	b := setup(t, after, &hands{reply: says})
	if d := b.order(t, engine.Command{Verb: engine.Release, Run: holder, Why: "looked"}); d.Count != 1 {
		t.Fatal(d)
	}
	if _, err := b.Do(t.Context(), engine.Command{Verb: engine.Release, Run: "run_00000000000000000000", By: ada, Why: "x"}); !fault.Is(err, fault.NotFound) {
		t.Fatal(err)
	}
}

// TestReleaseWaitsForWhatWasCalled: a sub-playbook may be at work under the lock.
func TestReleaseWaitsForWhatWasCalled(t *testing.T) {
	t.Parallel()
	disk := new(memory.Disk)
	b := setup(t, disk, &hands{reply: says})
	holder := b.begin(t, b.calls(t, "steps: [{lock: {key: db, steps: [{uses: playbook, with: {name: child}}]}}]", "steps: [{uses: approve, with: {message: so?}}]"))
	b.becomes(t, holder, run.Waiting)
	kid := b.child(t, holder)
	b.becomes(t, kid, run.Waiting)
	after := disk.Clone()
	after.Tamper("run/"+holder, 2, flip)
	c := setup(t, after, &hands{reply: says})
	cmd := engine.Command{Verb: engine.Release, Run: holder, By: ada, Why: "looked"}
	if _, err := c.Do(t.Context(), cmd); !fault.Is(err, fault.Conflict) || fault.NextOf(err) != "tend runs cancel "+kid {
		t.Fatal(err)
	}
	c.order(t, engine.Command{Verb: engine.Cancel, Run: kid})
	c.becomes(t, kid, run.Cancelled)
	if d, err := c.Do(t.Context(), cmd); err != nil || d.Count != 1 {
		t.Fatal(d, err)
	}
}

// TestDamagedAuditStream: the engine opens and nothing moves, until a person has said that they know. The record goes on
// in another stream, which tells of the damage; what was in flight is not in doubt.
func TestDamagedAuditStream(t *testing.T) {
	t.Parallel()
	disk := new(memory.Disk)
	b := setup(t, disk, &hands{reply: says})
	done := b.start(t, "steps: [{uses: probe, with: {say: a}}]")
	if got := b.until(t, done); got != "succeeded" {
		t.Fatal(got)
	}
	stream := id.AuditStream(id.Shard(done))
	open := b.start(t, "steps: [{uses: approve, with: {message: so?}}, {uses: probe, with: {say: b}}]")
	if got := b.until(t, open); got != "waiting task" {
		t.Fatal(got)
	}
	broken := disk.Clone()
	broken.Tamper(stream, 1, flip)

	c := setup(t, broken, &hands{reply: says})
	st, err := c.Status(t.Context())
	if err != nil || !strings.Contains(st.Halted, stream+" entry 1") {
		t.Fatal(st, err)
	}
	if _, err := c.Start(t.Context(), engine.Start{Program: compile(t, c.set, "steps: [{uses: probe, with: {say: c}}]"), By: ada}); !fault.Is(err, fault.Refused) {
		t.Fatal(err)
	}
	if got := c.status(t, done); got != "succeeded" {
		t.Fatal("what is there cannot be looked at", got)
	}
	if _, err := c.Unhalt(t.Context(), ada, " "); !fault.Is(err, fault.Invalid) {
		t.Fatal("it went on for no reason", err)
	}
	if doubts, err := c.Unhalt(t.Context(), ada, "a dying disk, replaced"); err != nil || len(doubts) > 0 {
		t.Fatal(doubts, err)
	}
	c.order(t, engine.Command{Verb: engine.Resume, Run: open})
	c.answer(t, open, "approve")
	if got := c.until(t, open); got != "succeeded" || c.hands.did() != "steps[1]#1" {
		t.Fatal("an open run is in doubt", got)
	}
	es, err := c.Entries(t.Context(), stream+".2", 1, 10)
	if err != nil || len(es) == 0 {
		t.Fatal(es, err)
	}
	p, err := entry.Decode(es[0])
	if a, ok := p.(*entry.Audited); err != nil || !ok || a.What != "damaged" || a.Object != stream || a.Why != "a dying disk, replaced" || a.Detail["entries"] != int64(0) {
		t.Fatal(p, err)
	}

	// It is known from now on, and what ends is recorded behind it.
	again := setup(t, broken.Clone(), &hands{reply: says})
	if st, err := again.Status(t.Context()); err != nil || st.Halted != "" {
		t.Fatal(st, err)
	}
	for range 300 { // some of them are in that shard
		next := again.start(t, "steps: [{uses: wait, with: {duration: 0s}}]")
		again.becomes(t, next, run.Succeeded)
		if id.AuditStream(id.Shard(next)) != stream {
			continue
		}
		es, err := again.Entries(t.Context(), stream+".2", 1, 100)
		if err != nil || es[len(es)-1].Kind != entry.KindRunSealed {
			t.Fatal(es, err)
		}
		break
	}
	damaged, err := archive.New(memory.Open(broken)).Sealed(t.Context())
	if err != nil || len(damaged) > 0 {
		t.Fatal(damaged, err)
	}
}

// TestDamageBehindDamage: a segment can be damaged too, and the row that names it can be lost.
func TestDamageBehindDamage(t *testing.T) {
	t.Parallel()
	disk := new(memory.Disk)
	b := setup(t, disk, &hands{reply: says})
	done := b.start(t, "steps: [{uses: probe, with: {say: a}}]")
	b.becomes(t, done, run.Succeeded)
	stream := id.AuditStream(id.Shard(done))
	for _, name := range []string{stream, stream + ".2"} {
		disk = disk.Clone()
		disk.Tamper(name, 1, flip)
		c := setup(t, disk, &hands{reply: says})
		if st, err := c.Status(t.Context()); err != nil || !strings.Contains(st.Halted, name+" entry 1") {
			t.Fatal(st, err)
		}
		if _, err := c.Unhalt(t.Context(), ada, "known"); err != nil {
			t.Fatal(err)
		}
	}
	disk = disk.Clone()
	memory.Open(disk).Commit(t.Context(), []store.Batch{{Delete: []store.Key{{Kind: "segment", ID: stream}}}})
	c := setup(t, disk, &hands{reply: says})
	if st, err := c.Status(t.Context()); err != nil || st.Halted != "" {
		t.Fatal(st, err)
	}
	if es, err := c.Entries(t.Context(), stream+".3", 1, 10); err != nil || len(es) == 0 {
		t.Fatal(es, err)
	}
}

// TestDamagedGuardStream: what a guard counts goes on too.
func TestDamagedGuardStream(t *testing.T) {
	t.Parallel()
	disk := new(memory.Disk)
	b := setup(t, disk, &hands{reply: says})
	start := func(b *bench) string {
		t.Helper()
		run, err := b.Start(t.Context(), engine.Start{
			Program: compile(t, b.set, "steps: [{uses: probe, with: {say: a}, target: 'host:1'}]"), By: ada, Guards: []guard.Spec{{Name: "calm", Cooldown: &guard.Cooldown{Every: value.Duration(time.Hour)}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return run
	}
	if got := b.until(t, start(b)); got != "succeeded" {
		t.Fatal(got)
	}
	broken := disk.Clone()
	broken.Tamper("guard/calm", 1, flip)
	c := setup(t, broken, &hands{reply: says})
	if st, err := c.Status(t.Context()); err != nil || !strings.Contains(st.Halted, "guard/calm entry 1") {
		t.Fatal(st, err)
	}
	if _, err := c.Unhalt(t.Context(), ada, "known"); err != nil {
		t.Fatal(err)
	}
	held := start(c)
	if got := c.until(t, held); got != "waiting guard" {
		t.Fatal("what was counted is forgotten", got)
	}
	c.order(t, engine.Command{Verb: engine.Cancel, Run: held})
	c.becomes(t, held, run.Cancelled)
}
