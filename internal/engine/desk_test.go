package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/archive"
	"github.com/tendhq/tend/internal/compiler"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/id"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/seal"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/memory"
	"github.com/tendhq/tend/internal/task"
)

// desk drives a Machine by hand: without goroutines, and with commits that are answered when the test says so.
type desk struct {
	t       *testing.T
	m       *engine.Machine
	disk    *memory.Disk
	store   store.Store
	archive *archive.Archive
	set     *action.Set
	env     run.Env
	ev      *expr.Evaluator
	now     time.Time

	commits []engine.Commit // asked for and not answered
	acts    []engine.Act
	stops   []engine.StopAct
	replies map[uint64]engine.Reply
	broke   error

	gone      bool // what runs react to is over
	confirmed int  // how often it was asked
	req       uint64
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// sits opens a machine over a disk.
func sits(t *testing.T, disk *memory.Disk, change ...func(*engine.MachineConfig)) *desk {
	t.Helper()
	d := &desk{t: t, disk: disk, store: memory.Open(disk), set: catalog(), ev: expr.New(expr.Limits{}), now: noon, replies: map[uint64]engine.Reply{}}
	d.env, d.archive = run.Env{Eval: d.ev, Spec: d.set.Spec}, archive.New(d.store)
	lease, err := d.store.Claim(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	mc, err := engine.Remember(t.Context(), d.store, lease, d.now)
	if err != nil {
		t.Fatal(err)
	}
	mc.Entropy, mc.Runner = zeros{}, func(string) bool { return true }
	for _, f := range change {
		f(&mc)
	}
	d.m = engine.NewMachine(mc)
	return d
}

// feed gives the machine an input and does what needs no answer of the store.
func (d *desk) feed(in engine.Input) {
	d.t.Helper()
	for todo := []engine.Input{in}; len(todo) > 0; todo = todo[1:] {
		for _, o := range d.m.Handle(todo[0], d.now) {
			switch x := o.(type) {
			case engine.Evaluate:
				todo = append(todo, engine.Evaluated{Run: x.Run, Rendered: x.State.Evaluate(x.Render, d.env)})
			case engine.Load:
				todo = append(todo, engine.Read(context.Background(), d.archive, x.Run))
			case engine.Bind:
				todo = append(todo, engine.Call(context.Background(), d.archive, x, expr.New(expr.Limits{}), seal.Key{}, archive.Mover{}))
			case engine.Confirm:
				d.confirmed++
				todo = append(todo, engine.Confirmed{Run: x.Run, Still: !d.gone, Why: "the alert is over"})
			case engine.Commit:
				d.commits = append(d.commits, x)
			case engine.Offer:
				d.commits = append([]engine.Commit{x.Commit}, d.commits...)
			case engine.Act:
				d.acts = append(d.acts, x)
			case engine.StopAct:
				d.stops = append(d.stops, x)
			case engine.Reply:
				d.replies[x.Req] = x
			case engine.Broke:
				d.broke = x.Err
			case engine.StoreList:
				d.t.Fatal("the lists of these tests are small")
			case engine.Publish, engine.Quiet:
			}
		}
	}
}

// answer answers the oldest commit with an error, or writes it.
func (d *desk) answer(err error) {
	d.t.Helper()
	if len(d.commits) == 0 {
		d.t.Fatal("no commit was asked for")
	}
	c := d.commits[0]
	d.commits = d.commits[1:]
	a := store.Answer{Err: err}
	if err == nil {
		if a = d.store.Commit(context.Background(), []store.Batch{c.Batch})[0]; a.Err != nil {
			d.t.Fatalf("commit %d: %v", c.ID, a.Err)
		}
	}
	d.feed(engine.Committed{Batch: c.ID, Answer: a})
}

// write answers all commits until there are none.
func (d *desk) write() {
	d.t.Helper()
	for n := 0; len(d.commits) > 0; n++ {
		if n > 1000 {
			d.t.Fatal("it commits for ever")
		}
		d.answer(nil)
	}
}

// begin asks for a run and gives its id and the number of the request.
func (d *desk) begin(p *program.Program, change ...func(*engine.Begin)) (string, uint64) {
	d.t.Helper()
	body, sum, err := p.Closure()
	if err != nil {
		d.t.Fatal(err)
	}
	d.archive.Keep(sum, p)
	d.req++
	runID := id.Derive("run", "test", fmt.Sprint(d.req), d.now)
	b := engine.Begin{ID: runID, Start: engine.Start{Program: p, By: ada}, Hash: sum, Closure: body, Heads: map[string]store.Head{}}
	b.Req = d.req
	for _, f := range change {
		f(&b)
	}
	d.feed(b)
	return runID, d.req
}

func (d *desk) run(src string) string {
	d.t.Helper()
	runID, _ := d.begin(compile(d.t, d.set, src))
	d.write()
	return runID
}

func (d *desk) command(v engine.Verb, runID string) uint64 {
	d.t.Helper()
	d.req++
	c := engine.Commanded{Command: engine.Command{Verb: v, Run: runID, By: ada}}
	c.Req = d.req
	d.feed(c)
	return d.req
}

func (d *desk) vote(runID, choice, by string) uint64 {
	d.t.Helper()
	p, err := d.store.Rows(d.t.Context(), store.Filter{Kind: "task", Parent: runID, Limit: 10})
	if err != nil || len(p.Rows) == 0 {
		d.t.Fatal("there is no task", err)
	}
	return d.voteOn(runID, p.Rows[0].ID, choice, by)
}

func (d *desk) voteOn(runID, taskID, choice, by string) uint64 {
	d.t.Helper()
	d.req++
	a := engine.Answered{Run: runID, Task: taskID, Answer: task.Answer{Choice: choice, By: entry.Who{Name: by}}}
	a.Req = d.req
	d.feed(a)
	return d.req
}

func (d *desk) acted(a engine.Act, o entry.Outcome) {
	d.t.Helper()
	r := entry.StepResult{Path: a.Path, Attempt: a.Attempt, Outcome: o}
	if o != entry.Succeeded {
		r.Fault = &entry.Fault{Kind: string(fault.Exit), Message: "exit 1"}
	}
	d.feed(engine.Acted{Run: a.Run, Result: r})
}

// did lists what was handed out.
func (d *desk) did() string {
	var out []string
	for _, a := range d.acts {
		out = append(out, fmt.Sprintf("%s#%d", a.Path, a.Attempt))
	}
	return strings.Join(out, " ")
}

// kinds lists the entries of a stream.
func (d *desk) kinds(stream string) []string {
	d.t.Helper()
	es, err := d.store.Read(d.t.Context(), stream, 1, 1000)
	if err != nil {
		d.t.Fatal(err)
	}
	var out []string
	for _, e := range es {
		out = append(out, string(e.Kind))
	}
	return out
}

func (d *desk) count(runID string, k entry.Kind) int {
	n := 0
	for _, x := range d.kinds("run/" + runID) {
		if x == string(k) {
			n++
		}
	}
	return n
}

func (d *desk) status(runID string) string {
	d.t.Helper()
	p, err := d.store.Rows(d.t.Context(), store.Filter{Kind: "run", ID: runID, Limit: 1})
	if err != nil || len(p.Rows) != 1 {
		d.t.Fatal(len(p.Rows), err)
	}
	return p.Rows[0].Status
}

func (d *desk) want(what, got, want string) {
	d.t.Helper()
	if got != want {
		d.t.Errorf("%s: %q, not %q", what, got, want)
	}
}

func (d *desk) tick() { d.feed(engine.Tick{}) }

// program compiles a playbook that calls another one with these steps.
func programOf(t *testing.T, set *action.Set, steps string) *program.Program {
	t.Helper()
	docs, fs := playbook.Parse("parent.yaml", []byte("apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: parent}\nsteps: [{uses: playbook, with: {name: child}}]\n"))
	if len(docs) == 0 {
		t.Fatal(fs)
	}
	p, fs := compiler.Compile(docs[0], set, shelf{"child": "apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: child}\n" + steps})
	for _, f := range fs {
		if f.Severity == document.Error {
			t.Fatal(f)
		}
	}
	return p
}
