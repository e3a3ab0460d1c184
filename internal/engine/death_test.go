package engine_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/compiler"
	"github.com/tendhq/tend/internal/document"

	blobmemory "github.com/tendhq/tend/internal/blob/memory"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/memory"
)

var ada = entry.Who{Name: "ada", Via: "terminal"}

// shelf is a repository of one playbook.
type shelf map[string]string

func (s shelf) Find(kind document.Kind, name, _ string) (document.File, error) {
	src, ok := s[name]
	if kind != document.KindPlaybook || !ok {
		return document.File{}, fault.New(fault.NotFound, "no %s %q", kind, name)
	}
	return document.File{Name: name + ".yaml", Content: []byte(src)}, nil
}

func (shelf) Names(document.Kind) []string { return nil }

// family starts a playbook that calls another one, which has these steps.
func (b *bench) family(t *testing.T, steps string) string {
	t.Helper()
	docs, fs := playbook.Parse("parent.yaml", []byte(`
apiVersion: tend/v1
kind: Playbook
metadata: {name: parent}
steps:
  - {uses: playbook, with: {name: child}}
  - {uses: probe, with: {say: after}}
`))
	if len(docs) == 0 {
		t.Fatal(fs)
	}
	p, fs := compiler.Compile(docs[0], b.set, shelf{"child": "apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: child}\n" + steps})
	for _, f := range fs {
		if f.Severity == document.Error {
			t.Fatal(f)
		}
	}
	id, err := b.Start(t.Context(), engine.Start{Program: p, By: ada})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// dies starts something and gives a new engine over what the first one had made durable when step path began to act. The
// first engine never gets to write more there.
func dies(t *testing.T, path string, start func(*bench) string) (after *bench, id string) {
	t.Helper()
	disk := new(memory.Disk)
	acting, gone := make(chan struct{}), make(chan struct{})
	var once sync.Once
	b := setup(t, disk, &hands{reply: func(a engine.Attempt) entry.StepResult {
		if a.Path != path {
			return says(a)
		}
		once.Do(func() { close(acting) })
		<-gone
		return says(a)
	}})
	t.Cleanup(func() { close(gone) })
	id = start(b)
	<-acting
	return setup(t, disk.Clone(), &hands{reply: says}), id
}

func (b *bench) status(t *testing.T, id string) string {
	t.Helper()
	p, err := b.Rows(t.Context(), store.Filter{Kind: "run", ID: id, Limit: 1})
	if err != nil || len(p.Rows) != 1 {
		t.Fatal(len(p.Rows), err)
	}
	return p.Rows[0].Status
}

// child gives the run that a run called.
func (b *bench) child(t *testing.T, id string) string {
	t.Helper()
	p, err := b.Rows(t.Context(), store.Filter{Kind: "run", Parent: id, Limit: 2})
	if err != nil || len(p.Rows) != 1 {
		t.Fatal(len(p.Rows), err)
	}
	return p.Rows[0].ID
}

func (b *bench) do(t *testing.T, verb engine.Verb, id string) {
	t.Helper()
	if _, err := b.Do(t.Context(), engine.Command{Verb: verb, Run: id, By: ada}); err != nil {
		t.Fatal(err)
	}
}

func TestDeathInASubPlaybook(t *testing.T) {
	t.Parallel()
	after, id := dies(t, "steps[0]", func(b *bench) string {
		return b.family(t, "steps: [{uses: probe, with: {say: a}}, {uses: probe, with: {say: b}}]")
	})
	kid := after.child(t, id)
	for _, r := range []string{id, kid} {
		if got := after.status(t, r); got != string(run.Interrupted) {
			t.Errorf("%s is %s: its process died", r, got)
		}
	}
	after.do(t, engine.Resume, id)
	if got := after.until(t, kid); got != "in-doubt doubt" {
		t.Fatal(got)
	}
	// An answer of a process that does not drive the runs changes nothing of who drives them.
	if _, err := after.Answer(t.Context(), engine.Answer{Task: after.tasks(t, kid)[0].ID, Choice: "happened", By: ada}); err != nil {
		t.Fatal(err)
	}
	if got := after.until(t, id); got != "succeeded" {
		t.Fatal(got)
	}
	if got := after.hands.did(); got != "steps[1]#1 steps[1]#1" {
		t.Fatal(got)
	}
}

// keeping is a store that keeps what was on its disk after every commit: what a process leaves that dies there.
type keeping struct {
	*memory.Store
	disk *memory.Disk
	cuts []*memory.Disk // read only after the engine is closed
}

func (k *keeping) Commit(ctx context.Context, batches []store.Batch) []store.Answer {
	var out []store.Answer
	for i := range batches {
		out = append(out, k.Store.Commit(ctx, batches[i:i+1])...)
		k.cuts = append(k.cuts, k.disk.Clone())
	}
	return out
}

// TestDeathAfterEveryCommit: whichever commit was the last one of a process, the runs that it moved are interrupted, and
// go on when somebody resumes the first of them.
func TestDeathAfterEveryCommit(t *testing.T) {
	t.Parallel()
	disk := new(memory.Disk)
	k := &keeping{Store: memory.Open(disk), disk: disk}
	set, ev := catalog(), expr.New(expr.Limits{})
	e, err := engine.Open(t.Context(), engine.Config{
		Store: k, Blobs: blobmemory.New(), Hands: &hands{reply: says}, Bind: ev, Holder: "test", Env: run.Env{Eval: ev, Spec: set.Spec},
	})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{Engine: e, disk: disk, set: set}
	id := b.family(t, "steps: [{uses: probe, effect: idempotent, with: {say: a}}, {uses: wait, with: {duration: 1ms}}]")
	if got := b.until(t, id); got != "succeeded" {
		t.Fatal(got)
	}
	if err := e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, cut := range k.cuts[:len(k.cuts)-1] {
		after := setup(t, cut, &hands{reply: says})
		p, err := after.Rows(t.Context(), store.Filter{Kind: "run"})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Rows {
			if r.Status != string(run.Interrupted) && (r.Status != string(run.Succeeded) || r.ID == id) {
				t.Errorf("after commit %d of %d run %s is %s", i+1, len(k.cuts), r.Name, r.Status)
			}
		}
		after.do(t, engine.Resume, id)
		if got := after.until(t, id); got != "succeeded" && got != "in-doubt doubt" {
			t.Errorf("after commit %d it ended %s", i+1, got)
		}
	}
	if got := setup(t, k.cuts[len(k.cuts)-1], &hands{reply: says}).status(t, id); got != string(run.Succeeded) {
		t.Errorf("after the last commit it is %s", got)
	}
}

// TestAnswerBeforeResume: the answer comes first, from a process that does not drive the run; resuming its parent goes on.
func TestAnswerBeforeResume(t *testing.T) {
	t.Parallel()
	first, id := dies(t, "steps[0]", func(b *bench) string { return b.family(t, "steps: [{uses: probe, with: {say: a}}]") })
	first.do(t, engine.Resume, id)
	kid := first.child(t, id)
	if got := first.until(t, kid); got != "in-doubt doubt" {
		t.Fatal(got)
	}
	after := setup(t, first.disk.Clone(), &hands{reply: says})
	if _, err := after.Answer(t.Context(), engine.Answer{Task: after.tasks(t, kid)[0].ID, Choice: "happened", By: ada}); err != nil {
		t.Fatal(err)
	}
	after.do(t, engine.Resume, id)
	if got := after.until(t, id); got != "succeeded" {
		t.Fatal(got)
	}
}

// TestDeathWhileItWaitsForTime: nobody moves it any more, so it is interrupted.
func TestDeathWhileItWaitsForTime(t *testing.T) {
	t.Parallel()
	disk := new(memory.Disk)
	b := setup(t, disk, &hands{reply: says})
	id := b.start(t, "steps: [{uses: wait, with: {duration: 3s}}, {uses: probe, with: {say: x}}]")
	asks := b.start(t, "steps: [{uses: manual, with: {title: look, within: 1h}}]")
	b.rests(t, id, run.Waiting)
	b.rests(t, asks, run.Waiting)
	after := setup(t, disk.Clone(), &hands{reply: says})
	if got := after.status(t, id); got != string(run.Interrupted) {
		t.Error(got)
	}
	if got := after.status(t, asks); got != string(run.Waiting) {
		t.Error(got)
	}
	after.do(t, engine.Resume, id)
	if got := after.until(t, id); got != "succeeded" || after.hands.did() != "steps[1]#1" {
		t.Error(got, after.hands.did())
	}
}

// rests waits until a run has a status.
func (b *bench) rests(t *testing.T, id string, want run.Status) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if got, err := b.Wait(ctx, id); err != nil || got != string(want) {
		t.Fatal(got, err)
	}
}

// becomes waits until the row of a run shows a status.
func (b *bench) becomes(t *testing.T, id string, want run.Status) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for late := time.After(20 * time.Second); b.status(t, id) != string(want); {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("%s is %s, not %s", id, b.status(t, id), want)
		}
	}
}

// TestLeavingWhatWaits: leaving a run that time or its sub-playbook would move leaves it interrupted, and what it called.
func TestLeavingWhatWaits(t *testing.T) {
	t.Parallel()
	b := setup(t, new(memory.Disk), &hands{reply: says})
	id := b.family(t, "steps: [{uses: wait, with: {duration: 1h}}]")
	kid := b.child(t, id)
	b.rests(t, kid, run.Waiting)
	b.do(t, engine.Leave, id)
	b.becomes(t, id, run.Interrupted)
	b.becomes(t, kid, run.Interrupted)
	b.do(t, engine.Resume, id)
	b.becomes(t, kid, run.Waiting)
	b.do(t, engine.Cancel, id)
	if got := b.until(t, id); got != "cancelled: cancelled by ada" {
		t.Error(got)
	}
	if got := b.status(t, kid); got != string(run.Cancelled) {
		t.Error(got)
	}
}

// TestCancelAfterDeath: a cancel of what was interrupted reaches what it called, before anything there begins.
func TestCancelAfterDeath(t *testing.T) {
	t.Parallel()
	disk := new(memory.Disk)
	b := setup(t, disk, &hands{reply: says})
	id := b.family(t, "steps: [{uses: wait, with: {duration: 1ms}}, {uses: wait, with: {duration: 1h}}, {uses: probe, with: {say: never}}]")
	b.rests(t, b.child(t, id), run.Waiting)
	after := setup(t, disk.Clone(), &hands{reply: says})
	after.do(t, engine.Cancel, id)
	if got := after.until(t, id); got != "cancelled: cancelled by ada" {
		t.Error(got)
	}
	if got := after.status(t, after.child(t, id)); got != string(run.Cancelled) || after.hands.did() != "" {
		t.Error(got, after.hands.did())
	}
}

func TestACallerOfADamagedRunFails(t *testing.T) {
	t.Parallel()
	disk := new(memory.Disk)
	b := setup(t, disk, &hands{reply: says})
	id := b.family(t, "steps: [{uses: probe, with: {say: a}}, {uses: manual, with: {title: look}}]")
	for deadline := time.Now().Add(5 * time.Second); b.hands.did() == "" || len(b.tasks(t, b.child(t, id))) == 0; {
		if time.Now().After(deadline) {
			t.Fatal("the child did not ask")
		}
		<-time.After(time.Millisecond)
	}
	kid := b.child(t, id)
	bad := disk.Clone()
	bad.Tamper("run/"+kid, 3, func(e *entry.Entry) { e.Payload = []byte("{}") })
	after := setup(t, bad, &hands{reply: says})
	after.do(t, engine.Resume, id)
	if got := after.until(t, id); !strings.HasPrefix(got, "failed: the sub-playbook is quarantined: ") {
		t.Fatal(got)
	}
}
