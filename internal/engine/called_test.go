package engine_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/memory"
)

// fragile lets what says X fail until it is mended, and notes what acts by what it says.
type fragile struct {
	mu     sync.Mutex
	mended bool
	said   []string
}

func (f *fragile) reply(a engine.Attempt) entry.StepResult {
	f.mu.Lock()
	defer f.mu.Unlock()
	with, _ := a.Intent.Inputs["with"].(map[string]any)
	say := fmt.Sprint(with["say"])
	f.said = append(f.said, say)
	switch {
	case f.mended:
	case strings.HasPrefix(say, "X"):
		return entry.StepResult{Outcome: entry.Failed, Fault: &entry.Fault{Kind: "exit", Message: "broken"}}
	case strings.HasPrefix(say, "D"):
		return entry.StepResult{Outcome: entry.InDoubt, Fault: &entry.Fault{Kind: "timeout", Message: "no answer"}}
	}
	return says(a)
}

// take gives what acted since it was asked last; from now on nothing fails.
func (f *fragile) take() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mended = true
	out := strings.Join(f.said, " ")
	f.said = nil
	return out
}

func (b *bench) begin(t *testing.T, p *program.Program) string {
	t.Helper()
	id, err := b.Start(t.Context(), engine.Start{Program: p, By: ada})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

const callsChild = "steps: [{uses: probe, with: {say: before}}, {uses: playbook, with: {name: child}}, {uses: probe, with: {say: after}}]"

// TestRetryCarriesOnWhatWasCalled: what the run did and what its retry did; the child is a run of its own again, linked to
// the one that it carries on.
func TestRetryCarriesOnWhatWasCalled(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, parent, child, first, again string }{
		{"in the middle", callsChild, "steps: [{uses: probe, with: {say: a}}, {uses: probe, with: {say: X}}, {uses: probe, with: {say: b}}]", "before a X", "X b after"},
		{"in a block of the child", callsChild, `
steps:
  - steps: [{uses: probe, with: {say: a}}, {uses: probe, with: {say: X}}]
    finally: [{uses: probe, with: {say: f}}]`, "before a X f", "X f after"},
		{
			"in a loop",
			"steps: [{foreach: {in: [1, 2, 3], value: v, steps: [{uses: playbook, with: {name: child, params: {n: '{{ $.v }}'}}}]}}]",
			`
parameters: [{name: n, type: number}]
steps: [{uses: probe, with: {say: 'a{{ $.params.n }}'}}, {uses: probe, when: params.n == 2, with: {say: X}}]`,
			"a1 a2 X", "X a3",
		},
		{
			"in parallel",
			"steps: [{parallel: [{uses: playbook, with: {name: child}}, {uses: wait, with: {duration: 1ms}}]}, {uses: probe, with: {say: after}}]",
			"steps: [{uses: probe, with: {say: a}}, {uses: probe, with: {say: X}}]", "a X", "X after",
		},
		{
			"behind what was undone",
			"steps: [{uses: probe, with: {say: a}, undo: {uses: probe, with: {say: un-a}}}, {uses: playbook, with: {name: child}}]",
			"steps: [{uses: probe, with: {say: b}}, {uses: probe, with: {say: X}}]", "a b X un-a", "a X",
		},
		{
			"behind what was undone in a loop",
			`
steps:
  - foreach:
      in: [1]
      value: v
      steps: [{uses: probe, with: {say: a}, undo: {uses: probe, with: {say: un-a}}}, {uses: playbook, with: {name: child}}]`,
			"steps: [{uses: probe, with: {say: b}}, {uses: probe, with: {say: X}}]", "a b X un-a", "a X",
		},
		{"the child undid what it had done", callsChild, `
steps:
  - {uses: probe, with: {say: a}}
  - {uses: probe, with: {say: b}, undo: {uses: probe, with: {say: un-b}}}
  - {uses: probe, with: {say: X}}`, "before a b X un-b", "b X after"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := &fragile{}
			b := setup(t, new(memory.Disk), &hands{reply: f.reply})
			id := b.begin(t, b.calls(t, c.parent, c.child))
			if got := b.until(t, id); got != "failed: broken" {
				t.Fatal(got)
			}
			if got := f.take(); got != c.first {
				t.Fatalf("at first it did %q, not %q", got, c.first)
			}
			d := b.order(t, engine.Command{Verb: engine.Retry, Run: id, Why: "mended"})
			if got := b.until(t, d.Run); got != "succeeded" {
				t.Fatal(got)
			}
			if got := f.take(); got != c.again {
				t.Errorf("the retry did %q, not %q", got, c.again)
			}
			carried := 0
			for _, kid := range b.called(t, d.Run) {
				switch cause := b.state(t, kid).Created.Cause; {
				case cause.Carry == "":
				case b.state(t, cause.Carry).Created.Cause.Parent != id || cause.Parent != d.Run || cause.Root != d.Run || cause.Why != "mended":
					t.Errorf("%+v", cause)
				default:
					carried++
				}
			}
			if carried != 1 {
				t.Errorf("%d children carry another run on", carried)
			}
		})
	}
}

// called lists the runs that a run called.
func (b *bench) called(t *testing.T, id string) []string {
	t.Helper()
	p, err := b.Rows(t.Context(), store.Filter{Kind: "run", Parent: id, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range p.Rows {
		out = append(out, r.ID)
	}
	return out
}

// TestRetryAsksAboutADoubtInWhatWasCalled: and nothing else of it is repeated.
func TestRetryAsksAboutADoubtInWhatWasCalled(t *testing.T) {
	t.Parallel()
	f := &fragile{}
	b := setup(t, new(memory.Disk), &hands{reply: f.reply})
	id := b.begin(t, b.calls(t, callsChild, "steps: [{uses: probe, with: {say: a}}, {uses: probe, with: {say: D}, onDoubt: fail}]"))
	if got := b.until(t, id); got != "failed: no answer" {
		t.Fatal(got)
	}
	f.take()
	d := b.order(t, engine.Command{Verb: engine.Retry, Run: id})
	b.becomes(t, d.Run, run.Waiting)
	kid := b.child(t, d.Run)
	if got := b.until(t, kid); got != "in-doubt doubt" {
		t.Fatal(got)
	}
	b.answer(t, kid, "happened")
	if got := b.until(t, d.Run); got != "succeeded" || f.take() != "after" {
		t.Fatal(got, f.take())
	}
}

// TestRetryAsksAboutADoubtBehindWhatWasUndone: going back to what was undone does not forget it.
func TestRetryAsksAboutADoubtBehindWhatWasUndone(t *testing.T) {
	t.Parallel()
	f := &fragile{}
	b := setup(t, new(memory.Disk), &hands{reply: f.reply})
	id := b.start(t, `
steps:
  - {uses: probe, with: {say: a}, undo: {uses: probe, with: {say: un-a}}}
  - {uses: probe, with: {say: D}, onDoubt: fail}
`)
	if got := b.until(t, id); got != "failed: no answer" {
		t.Fatal(got)
	}
	f.take()
	d := b.order(t, engine.Command{Verb: engine.Retry, Run: id})
	if got := b.until(t, d.Run); got != "in-doubt doubt" || f.take() != "a" {
		t.Fatal(got)
	}
	// A retry of a retry that did not get there knows it, too.
	b.order(t, engine.Command{Verb: engine.Cancel, Run: d.Run})
	b.becomes(t, d.Run, run.Cancelled)
	d = b.order(t, engine.Command{Verb: engine.Retry, Run: d.Run})
	if got := b.until(t, d.Run); got != "in-doubt doubt" || f.take() != "" {
		t.Fatal(got)
	}
	b.answer(t, d.Run, "again")
	if got := b.until(t, d.Run); got != "succeeded" || f.take() != "D" {
		t.Fatal(got)
	}
}

// TestRetryCarriesOnThroughSeveralRuns: a retry of a retry, and calls of calls.
func TestRetryCarriesOnThroughSeveralRuns(t *testing.T) {
	t.Parallel()
	f := &fragile{}
	b := setup(t, new(memory.Disk), &hands{reply: f.reply})
	prog := b.calls(t, callsChild, "steps: [{uses: probe, with: {say: a}}, {uses: probe, with: {say: X}}]")
	grand := b.calls(t, "steps: [{uses: probe, with: {say: top}}, {uses: playbook, with: {name: child}}]", "steps: [{uses: probe, with: {say: x}}]")
	grand.Calls["child"] = prog
	id := b.begin(t, grand)
	if got := b.until(t, id); got != "failed: broken" || strings.Join(f.said, " ") != "top before a X" {
		t.Fatal(got, f.said)
	}
	f.said = nil
	d := b.order(t, engine.Command{Verb: engine.Retry, Run: id})
	if got := b.until(t, d.Run); got != "failed: broken" || f.take() != "X" {
		t.Fatal(got)
	}
	// The called runs are carried on by whoever called them.
	kid := b.child(t, b.child(t, d.Run))
	_, err := b.Do(t.Context(), engine.Command{Verb: engine.Retry, Run: kid, By: ada})
	if !fault.Is(err, fault.Conflict) || fault.NextOf(err) != "tend runs retry "+d.Run {
		t.Fatal(err, fault.NextOf(err))
	}
	d = b.order(t, engine.Command{Verb: engine.Retry, Run: d.Run})
	if got := b.until(t, d.Run); got != "succeeded" || f.take() != "X after" {
		t.Fatal(got)
	}
}

// TestRetryWithChangedParametersReachesWhatWasCalled: and what a person had changed there stays changed.
func TestRetryWithChangedParametersReachesWhatWasCalled(t *testing.T) {
	t.Parallel()
	f := &fragile{}
	b := setup(t, new(memory.Disk), &hands{reply: f.reply})
	prog := b.calls(t, `
parameters: [{name: p, type: string, default: one}]
steps: [{uses: playbook, with: {name: child, params: {p: '{{ $.params.p }}', q: '{{ $.params.p }}'}}}]`, `
parameters: [{name: p, type: string}, {name: q, type: string}, {name: r, type: string, default: three}]
steps:
  - {uses: approve, with: {message: so?}}
  - {uses: probe, with: {say: a}}
  - {uses: probe, with: {say: 'X-{{ $.params.p }}-{{ $.params.q }}-{{ $.params.r }}'}}`)
	id, err := b.Start(t.Context(), engine.Start{Program: prog, By: ada, Params: map[string]any{"p": "one"}})
	if err != nil {
		t.Fatal(err)
	}
	b.becomes(t, id, run.Waiting)
	kid := b.child(t, id)
	if got := b.until(t, kid); got != "waiting task" {
		t.Fatal(got)
	}
	b.order(t, engine.Command{Verb: engine.Params, Run: kid, Params: map[string]any{"p": "mine", "r": "ours"}})
	b.answer(t, kid, "approve")
	if got := b.until(t, id); got != "failed: broken" || f.take() != "a X-mine-one-ours" {
		t.Fatal(got)
	}
	d := b.order(t, engine.Command{Verb: engine.Retry, Run: id, Params: map[string]any{"p": "two"}})
	if got := b.until(t, d.Run); got != "succeeded" {
		t.Fatal(got)
	}
	if got := f.take(); got != "X-two-two-ours" {
		t.Fatal(got)
	}
}

// TestRetryRefusesWhatNobodyCanRead: what a damaged run did is not known, so that it cannot be carried on.
func TestRetryRefusesWhatNobodyCanRead(t *testing.T) {
	t.Parallel()
	f := &fragile{}
	b := setup(t, new(memory.Disk), &hands{reply: f.reply})
	id := b.begin(t, b.calls(t, callsChild, "steps: [{uses: probe, with: {say: a}}, {uses: probe, with: {say: X}}]"))
	if got := b.until(t, id); got != "failed: broken" {
		t.Fatal(got)
	}
	f.take()
	kid := b.child(t, id)
	b.disk.Tamper("run/"+kid, 3, func(e *entry.Entry) { e.Payload[0] ^= 1 })
	_, err := b.Do(t.Context(), engine.Command{Verb: engine.Retry, Run: id, By: ada})
	if !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "entry 3") || !strings.Contains(fault.NextOf(err), kid) {
		t.Fatal(err, fault.NextOf(err))
	}
	if got := f.take(); got != "" {
		t.Fatal(got)
	}
}

// TestARepeatedCallIsTheSameRun: the run that was called is known by its id when its caller has forgotten the call.
func TestARepeatedCallIsTheSameRun(t *testing.T) {
	t.Parallel()
	disk := new(memory.Disk)
	b := setup(t, disk, &hands{reply: says})
	id := b.begin(t, b.calls(t, "steps: [{uses: playbook, with: {name: child}}]", "steps: [{uses: probe, with: {say: a}}]"))
	if got := b.until(t, id); got != "succeeded" {
		t.Fatal(got)
	}
	kid := b.child(t, id)
	lost := disk.Clone()
	es := b.entries(t, id)
	for i, p := range es {
		if p.Kind() == entry.KindChildStarted {
			lost.Cut("run/"+id, len(es)-i)
		}
	}
	after := setup(t, lost, &hands{reply: says})
	after.do(t, engine.Resume, id)
	if got := after.until(t, id); got != "succeeded" {
		t.Fatal(got)
	}
	if got := after.child(t, id); got != kid || after.hands.did() != "" {
		t.Fatal(got, kid, after.hands.did())
	}
}

// TestARunIsRetriedOnce: its retry is what goes on; another one would repeat what that did.
func TestARunIsRetriedOnce(t *testing.T) {
	t.Parallel()
	f := &fragile{}
	b := setup(t, new(memory.Disk), &hands{reply: f.reply})
	id := b.start(t, "steps: [{uses: probe, with: {say: a}, undo: {uses: probe, with: {say: un-a}}}, {uses: probe, with: {say: X}, undo: {uses: probe, with: {say: un-X}}}]")
	if got := b.until(t, id); got != "failed: broken" {
		t.Fatal(got)
	}
	f.take()
	d := b.order(t, engine.Command{Verb: engine.Retry, Run: id})
	if got := b.until(t, d.Run); got != "succeeded" {
		t.Fatal(got)
	}
	_, err := b.Do(t.Context(), engine.Command{Verb: engine.Retry, Run: id, By: ada})
	if !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), d.Run) {
		t.Fatal(err)
	}
	other := b.start(t, "steps: [{uses: probe, with: {say: a}, undo: {uses: probe, with: {say: fail}}}, {uses: fail, with: {message: no}}]")
	if got := b.until(t, other); got != "failed: no" {
		t.Fatal(got)
	}
	back := b.order(t, engine.Command{Verb: engine.Rollback, Run: other})
	_, err = b.Do(t.Context(), engine.Command{Verb: engine.Retry, Run: other, By: ada})
	if !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), back.Run) {
		t.Fatal(err)
	}
}

// TestRetriesAtTheSameTime: one of them is the retry.
func TestRetriesAtTheSameTime(t *testing.T) {
	t.Parallel()
	f := &fragile{}
	b := setup(t, new(memory.Disk), &hands{reply: f.reply})
	id := b.start(t, "steps: [{uses: probe, with: {say: X}}]")
	if got := b.until(t, id); got != "failed: broken" {
		t.Fatal(got)
	}
	f.take()
	var all sync.WaitGroup
	var mu sync.Mutex
	var started []string
	for range 8 {
		all.Go(func() {
			d, err := b.Do(t.Context(), engine.Command{Verb: engine.Retry, Run: id, By: ada})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				started = append(started, d.Run)
			} else if !fault.Is(err, fault.Conflict) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(started) != 1 {
		t.Fatal(started)
	}
	if got := b.until(t, started[0]); got != "succeeded" || f.take() != "X" {
		t.Fatal(got)
	}
}

// TestRetryTakesLargeOutputsAlong: they belong to the retry, whatever becomes of the run that failed.
func TestRetryTakesLargeOutputsAlong(t *testing.T) {
	t.Parallel()
	f := &fragile{}
	big := strings.Repeat("x", 100)
	h := &hands{}
	b := setup(t, new(memory.Disk), h)
	var ref entry.Ref
	h.reply = func(a engine.Attempt) entry.StepResult {
		if with, _ := a.Intent.Inputs["with"].(map[string]any); with["say"] == "big" {
			var err error
			if ref, err = b.blobs.Put(t.Context(), a.Root, strings.NewReader(`{"value":"`+big+`"}`)); err != nil {
				t.Error(err)
			}
			return entry.StepResult{Outcome: entry.Succeeded, Ref: &ref}
		}
		return f.reply(a)
	}
	id := b.start(t, "steps: [{id: a, uses: probe, with: {say: big}}, {uses: probe, with: {say: X}}, {uses: probe, with: {say: '{{ len $.steps.a.value }}'}}]")
	if got := b.until(t, id); got != "failed: broken" {
		t.Fatal(got)
	}
	f.take()
	d := b.order(t, engine.Command{Verb: engine.Retry, Run: id})
	if err := b.blobs.Delete(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if got := b.until(t, d.Run); got != "succeeded" || f.take() != "X 100" {
		t.Fatal(got, f.said)
	}
}

// TestRetryAsksAboutADoubtThatWasHandled: the failure was ignored; that nobody knows what the step did was not.
func TestRetryAsksAboutADoubtThatWasHandled(t *testing.T) {
	t.Parallel()
	for _, steps := range []string{
		"{uses: probe, with: {say: D}, onDoubt: fail, ignoreFailure: true}",
		"{steps: [{uses: probe, with: {say: D}, onDoubt: fail}], catch: [{uses: probe, with: {say: c}}]}",
	} {
		f := &fragile{}
		b := setup(t, new(memory.Disk), &hands{reply: f.reply})
		id := b.start(t, "steps: [{uses: probe, with: {say: a}, undo: {uses: probe, with: {say: un-a}}}, "+steps+", {uses: probe, with: {say: X}}]")
		if got := b.until(t, id); got != "failed: broken" {
			t.Fatal(got)
		}
		f.take()
		d := b.order(t, engine.Command{Verb: engine.Retry, Run: id})
		if got := b.until(t, d.Run); got != "in-doubt doubt" || f.take() != "a" {
			t.Fatal(got)
		}
		b.answer(t, d.Run, "happened")
		if got := b.until(t, d.Run); got != "succeeded" || f.take() != "X" {
			t.Fatal(got)
		}
	}
}
