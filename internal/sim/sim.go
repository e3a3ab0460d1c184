// Package sim runs the whole engine in one goroutine, under one seeded generator, with faults: generated playbooks, steps
// that fail, hang and leave doubt, people who answer or do not, a store that is full, fails, or forgets to say that it
// wrote, and processes that die at any moment.
//
// It drives engine.Machine, the same code that the real engine drives, and checks the invariants after every event:
//
//	I1  every run ends or stands parked with a reason, once the faults stop
//	I2  no effect without its intent durable before
//	I3  at most one result per run, step instance and attempt
//	I4  no write by a holder of an old epoch
//	I5  a mutate step never has two effects unless its policy or a person said so
//	I6  nothing happens before its time
//	I7  every hash chain is unbroken
//	I8  no effect after a cancel was acknowledged, none without the approval that it needs
//	I9  replaying the stream gives the state that the machine held, byte for byte
//	I10 a retry repeats nothing that succeeded before it, neither in the run nor in those that it called, and asks about
//	    what is in doubt
//	I11 no lock is held when every run is over
//	I12 nothing but reads begins while everything is halted, nor before a process knows whether it is
//
// The same seed and the same code give the same trace, byte for byte.
package sim

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"sort"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/archive"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/id"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/seal"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/faulty"
	"github.com/tendhq/tend/internal/store/memory"
	"github.com/tendhq/tend/internal/value"
)

// Options of a simulation. The zero value of a rate is never.
type Options struct {
	Seed      uint64
	Runs      int       // how many are started, default 8
	Crash     float64   // chance that the process dies at an event
	Full      float64   // chance that a commit finds the disk full
	Lost      float64   // chance that a commit fails with an unknown outcome
	Fail      float64   // chance that an attempt fails
	Doubt     float64   // chance that nobody knows
	Meddle    float64   // chance that a person cancels, pauses, skips or retries at an event
	Damage    float64   // chance that a bit of an open run has flipped when a process begins
	Govern    float64   // chance that everything is halted, or goes on, at an event
	Log       io.Writer // receives the trace in words
	MaxEvents int       // default 8,000
}

// Result of a simulation.
type Result struct {
	Trace   string // hash over all inputs and outputs
	Events  int
	Crashes int
	Effects int
	Retries int            // of runs
	Carried int            // calls that were carried on
	Turns   int            // how often everything was halted, or went on
	Freed   int            // locks of quarantined runs
	Ended   map[string]int // status → runs
}

// Run simulates. The error names the seed and the first invariant that did not hold.
func Run(o Options) (Result, error) {
	if o.Runs == 0 {
		o.Runs = 8
	}
	if o.MaxEvents == 0 {
		o.MaxEvents = 8_000
	}
	w := newWorld(o)
	err := w.live()
	if err == nil {
		err = w.rest()
	}
	res := Result{Trace: fmt.Sprintf("%016x", w.trace.Sum64()), Events: w.events, Crashes: w.crashes, Effects: w.effects, Retries: len(w.retried), Carried: w.carried, Freed: w.freed, Turns: w.turns, Ended: w.ended}
	if err != nil {
		err = fmt.Errorf("seed %d, event %d: %w", o.Seed, w.events, err)
	}
	return res, err
}

// world is everything outside of the machine.
type world struct {
	halted bool // everything is
	turns  int
	o      Options
	rng    *rand.Rand
	now    time.Time
	disk   *memory.Disk
	trace  interface {
		io.Writer
		Sum64() uint64
	}

	p        *process // nil: no process lives
	agenda   agenda
	serial   uint64
	acting   map[string]*act // run|path of what acts, also for dead processes
	done     map[string]int  // key → effects
	allowed  map[string]int  // key → how often an effect may happen by now
	results  map[string]bool // run|path|attempt
	runs     []string
	guards   map[string][]guard.Spec // of root runs
	retried  map[string]string       // run → its retry
	refused  map[string]bool         // runs that are not retried
	damaged  map[string]bool         // runs with a flipped bit
	released map[string]bool
	carried  int
	freed    int
	programs map[string]*program.Program
	events   int
	crashes  int
	effects  int
	quiet    bool // no more faults
	ended    map[string]int
	failure  error
}

// process is a life of the engine.
type process struct {
	m            *engine.Machine
	store        *faulty.Store
	archive      *archive.Archive
	epoch        uint64
	pending      []engine.Commit
	alive        bool
	stalled      time.Time // a refused commit is offered again then
	told, halted bool      // by what it knows of the rules
}

// act is an attempt in the world.
type act struct {
	x     engine.Act
	p     *process
	ended bool
}

// item of the agenda.
type item struct {
	at  time.Time
	n   uint64
	do  func() error
	why string
}

type agenda []item

func newWorld(o Options) *world {
	return &world{
		o: o, rng: rand.New(rand.NewPCG(o.Seed, 0x7e4d)), now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), disk: new(memory.Disk),
		trace: fnv.New64a(), acting: map[string]*act{}, done: map[string]int{}, allowed: map[string]int{}, results: map[string]bool{},
		programs: map[string]*program.Program{}, ended: map[string]int{}, guards: map[string][]guard.Spec{}, retried: map[string]string{},
		refused: map[string]bool{}, damaged: map[string]bool{}, released: map[string]bool{},
	}
}

func (w *world) note(format string, a ...any) {
	if w.o.Log != nil {
		fmt.Fprintf(w.o.Log, format+"\n", a...)
	}
	fmt.Fprintf(w.trace, format+"\n", a...)
}

func (w *world) chance(p float64) bool { return !w.quiet && w.rng.Float64() < p }

func (w *world) after(d time.Duration, why string, do func() error) {
	w.serial++
	w.agenda = append(w.agenda, item{w.now.Add(d), w.serial, do, why})
}

// live lets the world go on under faults until its agenda is empty or long enough, then without faults until it rests.
func (w *world) live() error {
	if err := w.boot(); err != nil {
		return err
	}
	for i := range w.o.Runs {
		w.after(time.Duration(w.rng.IntN(5000))*time.Millisecond, "start", func() error { return w.start(i) })
	}
	for w.events < w.o.MaxEvents/2 && len(w.agenda) > 0 {
		if err := w.next(); err != nil {
			return err
		}
	}
	w.quiet = true
	if w.halted {
		w.turn()
	}
	for w.events < w.o.MaxEvents && w.failure == nil {
		if len(w.agenda) == 0 {
			moved, err := w.people()
			if err != nil {
				return err
			}
			if !moved {
				return nil
			}
			continue
		}
		if w.events%50 == 0 { // a run that looks at something again and again leaves the agenda never empty
			if _, err := w.people(); err != nil {
				return err
			}
		}
		if err := w.next(); err != nil {
			return err
		}
	}
	return errors.Join(w.failure, w.stuck())
}

func (w *world) stuck() error {
	if w.events < w.o.MaxEvents {
		return nil
	}
	return errors.New("I1: it does not come to rest")
}

// next takes the earliest item of the agenda.
func (w *world) next() error {
	sort.Slice(w.agenda, func(i, j int) bool {
		a, b := w.agenda[i], w.agenda[j]
		return a.at.Before(b.at) || (a.at.Equal(b.at) && a.n < b.n)
	})
	it := w.agenda[0]
	w.agenda = w.agenda[1:]
	if it.at.After(w.now) {
		w.now = it.at
	}
	w.events++
	w.note("%d %s %s", w.events, w.now.Format(time.RFC3339Nano), it.why)
	if w.p != nil && w.chance(w.o.Crash) {
		w.crash("kill")
	}
	if err := it.do(); err != nil {
		return err
	}
	if w.p != nil && w.chance(w.o.Meddle) {
		w.meddle()
	}
	if w.o.Govern > 0 && w.chance(w.o.Govern) {
		w.turn()
	}
	return w.failure
}

// boot starts a process: it claims the store, marks what was interrupted, and drives everything again.
func (w *world) boot() error {
	ctx := context.Background()
	p := &process{alive: true}
	p.store = faulty.New(memory.Open(w.disk), func(op faulty.Op) faulty.Fault {
		if op.Name != "commit" {
			return faulty.Fault{}
		}
		switch {
		case w.chance(w.o.Full):
			return faulty.Fault{Mode: faulty.Full}
		case w.chance(w.o.Lost):
			if w.rng.IntN(2) == 0 {
				return faulty.Fault{Mode: faulty.Lost}
			}
			return faulty.Fault{Mode: faulty.Kept}
		}
		return faulty.Fault{}
	})
	if w.chance(w.o.Damage) {
		w.flip()
	}
	lease, err := p.store.Claim(ctx, fmt.Sprintf("process-%d", w.crashes))
	if err != nil {
		return err
	}
	p.archive, p.epoch = archive.New(p.store), lease.Epoch
	mc, err := engine.Remember(ctx, p.store, lease, w.now)
	if err != nil {
		return err
	}
	mc.Entropy = &entropy{w.rng}
	mc.Runner = func(string) bool { return true }
	mc.Governed = w.o.Govern > 0
	p.m = engine.NewMachine(mc)
	w.p = p
	w.learns(p)
	for _, r := range w.rows("run") {
		switch r.Status {
		case "running", "pending", "undoing", "cancelling":
			w.feed(engine.Interrupt(r.ID))
		}
	}
	for _, r := range w.rows("run") {
		if !run.Status(r.Status).Ended() && r.Parent == "" {
			w.feed(engine.Commanded{Command: engine.Command{Verb: engine.Resume, Run: r.ID, By: entry.Who{Name: "ops"}}})
		}
	}
	return nil
}

type entropy struct{ r *rand.Rand }

func (e *entropy) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(e.r.Uint32())
	}
	return len(b), nil
}

// crash kills the process; what acts goes on in the world, but nobody hears of it.
func (w *world) crash(why string) {
	w.note("crash: %s", why)
	w.crashes++
	w.p.alive = false
	w.p = nil
	w.after(time.Duration(1+w.rng.IntN(30_000))*time.Millisecond, "boot", func() error {
		if w.p != nil {
			return nil
		}
		return w.boot()
	})
}

func (w *world) rows(kind string) []store.Row {
	var out []store.Row
	for r, err := range store.All(context.Background(), memory.Open(w.disk), store.Filter{Kind: kind, Oldest: true}) {
		if err != nil {
			w.failure = errors.Join(w.failure, err)
			break
		}
		out = append(out, r)
	}
	return out
}

// start begins a generated playbook.
func (w *world) start(n int) error {
	if w.p == nil {
		w.after(time.Second, "start", func() error { return w.start(n) })
		return nil
	}
	prog := generate(w.rng)
	body, sum, err := prog.Closure()
	if err != nil {
		return err
	}
	prog, err = program.Load(body)
	if err != nil {
		return err
	}
	runID, err := id.New("run", w.now, &entropy{w.rng})
	if err != nil {
		return err
	}
	w.runs = append(w.runs, runID)
	w.p.archive.Keep(sum, prog)
	gs, heads := guards(w.rng), map[string]store.Head{}
	for _, g := range gs {
		if heads["guard/"+g.Name], err = w.p.store.Head(context.Background(), "guard/"+g.Name); err != nil {
			return err
		}
	}
	w.guards[runID] = gs
	w.feed(engine.Begin{ID: runID, Start: engine.Start{Program: prog, By: entry.Who{Name: "ada"}, Guards: gs}, Hash: sum, Closure: body, Heads: heads})
	return nil
}

// feed gives the machine an input and carries out what it says.
func (w *world) feed(in engine.Input) {
	p := w.p
	for todo := []engine.Input{in}; len(todo) > 0 && p.alive; todo = todo[1:] {
		w.note("in %T %s", todo[0], brief(todo[0]))
		for _, o := range p.m.Handle(todo[0], w.now) {
			w.note("  out %T %s", o, brief(o))
			if ev, ok := o.(engine.Evaluate); ok {
				todo = append(todo, engine.Evaluated{Run: ev.Run, Rendered: ev.State.Evaluate(ev.Render, w.env())})
				continue
			}
			w.carry(p, o)
		}
	}
	w.tick(p)
}

// tick arranges for the next time to wake.
func (w *world) tick(p *process) {
	if !p.alive || p.m.NextWake().IsZero() {
		return
	}
	at := p.m.NextWake()
	w.after(max(at.Sub(w.now), 0), "tick", func() error {
		if w.p == p {
			w.p.m.NextWake()
			w.quietTick(p)
		}
		return nil
	})
}

func (w *world) quietTick(p *process) {
	if at := p.m.NextWake(); at.IsZero() || at.After(w.now) {
		return
	}
	w.feed(engine.Tick{})
}

func (w *world) env() run.Env {
	return run.Env{Eval: literals{}, Spec: func(string) (contract.Spec, bool) { return contract.Spec{}, false }}
}

// carry carries an output out.
func (w *world) carry(p *process, o engine.Output) {
	ctx := context.Background()
	switch x := o.(type) {
	case engine.Commit:
		p.pending = append(p.pending, x)
		w.after(time.Duration(w.rng.IntN(3))*time.Millisecond, "commit", func() error { return w.commit(p) })
	case engine.Offer:
		p.pending = append(p.pending, x.Commit)
		sort.Slice(p.pending, func(i, j int) bool { return p.pending[i].ID < p.pending[j].ID })
		p.stalled = w.now.Add(time.Second)
		w.after(time.Second, "offer", func() error { return w.commit(p) })
	case engine.Load:
		w.after(time.Millisecond, "load", func() error {
			if w.p == p {
				w.load(p, x.Run)
			}
			return nil
		})
	case engine.Act:
		w.act(p, x)
	case engine.StopAct:
		if a := w.acting[x.Run+"|"+x.Path]; a != nil {
			w.after(time.Duration(w.rng.IntN(200))*time.Millisecond, "stopped", func() error {
				return w.finish(a, entry.InDoubt, &entry.Fault{Kind: x.Fault.Kind, Message: "stopped"})
			})
		}
	case engine.StoreList:
		w.failure = errors.Join(w.failure, errors.New("lists of simulated loops are small"))
	case engine.Bind:
		w.after(0, "bind", func() error {
			if w.p == p {
				w.feed(engine.Call(ctx, p.archive, x, literals{}, seal.Key{}, archive.Mover{}))
			}
			return nil
		})
	case engine.Broke:
		w.after(0, "broke", func() error {
			if w.p == p {
				w.crash("the engine broke: " + x.Err.Error())
			}
			return nil
		})
	case engine.Quiet:
		w.replayed(x)
	case engine.Reply, engine.Publish:
	}
}

// commit writes what is pending, as the writer goroutine does, or less of it.
func (w *world) commit(p *process) error {
	if w.p != p || len(p.pending) == 0 || w.now.Before(p.stalled) {
		return nil
	}
	if len(p.pending) > 1 {
		w.after(time.Millisecond, "commit", func() error { return w.commit(p) })
	}
	n := 1 + w.rng.IntN(len(p.pending))
	group := p.pending[:n]
	p.pending = append([]engine.Commit(nil), p.pending[n:]...)
	w.answer(p, group)
	return nil
}

func (w *world) answer(p *process, group []engine.Commit) {
	batches := make([]store.Batch, len(group))
	for i := range group {
		batches[i] = group[i].Batch
		if batches[i].Epoch != p.epoch {
			w.failure = errors.Join(w.failure, fmt.Errorf("I4: a batch of epoch %d under lease %d", batches[i].Epoch, p.epoch))
		}
	}
	answers := p.store.Commit(context.Background(), batches)
	if w.chance(w.o.Crash) {
		w.crash("after a commit") // between the commit and everybody who would hear of it
		return
	}
	for i, a := range answers {
		if errors.Is(a.Err, store.ErrConflict) {
			w.failure = errors.Join(w.failure, fmt.Errorf("the only process was refused: %w", a.Err))
		}
		if w.p == p {
			w.feed(engine.Committed{Batch: group[i].ID, Answer: a})
		}
	}
}

// act lets an attempt begin in the world.
func (w *world) act(p *process, x engine.Act) {
	stored, err := w.intent(x)
	if err != nil {
		w.failure = errors.Join(w.failure, err)
		return
	}
	if err := w.begins(p, x); err != nil {
		w.failure = errors.Join(w.failure, err)
		return
	}
	a := &act{x: x, p: p}
	w.acting[x.Run+"|"+x.Path] = a
	w.allow(stored)
	outcome, f := entry.Succeeded, (*entry.Fault)(nil)
	switch {
	case w.chance(w.o.Doubt):
		outcome, f = entry.InDoubt, &entry.Fault{Kind: string(fault.Timeout), Message: "no answer"}
	case w.chance(w.o.Fail):
		outcome, f = entry.Failed, &entry.Fault{Kind: string(fault.Exit), Message: "exit 1"}
	}
	if outcome == entry.Succeeded || (outcome == entry.InDoubt && w.rng.IntN(2) == 0) {
		w.after(time.Duration(w.rng.IntN(1000))*time.Millisecond, "effect", func() error {
			if a.ended {
				return nil
			}
			return w.effect(a)
		})
	}
	w.after(time.Duration(1000+w.rng.IntN(2000))*time.Millisecond, "result", func() error { return w.finish(a, outcome, f) })
}

func (w *world) effect(a *act) error {
	w.effects++
	key := a.x.Intent.Key
	w.done[key]++
	if !w.damaged[a.x.Run] && w.done[key] > w.allowed[key] && w.done[key] > w.allowed[key]+w.excused(a) {
		return fmt.Errorf("I5: %s %s took effect %d times", a.x.Run, a.x.Path, w.done[key])
	}
	p, err := memory.Open(w.disk).Rows(context.Background(), store.Filter{Kind: "run", ID: a.x.Run})
	if err == nil && a.p.alive && len(p.Rows) == 1 && run.Status(p.Rows[0].Status).Ended() { // what a dead process left is in doubt
		return fmt.Errorf("I8: %s %s took effect after the end of its run", a.x.Run, a.x.Path)
	}
	return nil
}

func (w *world) finish(a *act, o entry.Outcome, f *entry.Fault) error {
	if a.ended {
		return nil
	}
	a.ended = true
	delete(w.acting, a.x.Run+"|"+a.x.Path)
	if w.p != a.p {
		return nil // the process that would have heard is gone
	}
	r := entry.StepResult{Path: a.x.Path, Attempt: a.x.Attempt, Outcome: o, Fault: f}
	if o == entry.Succeeded {
		r.Output = value.Object{"value": int64(a.x.Attempt)}
	}
	w.feed(engine.Acted{Run: a.x.Run, Result: r})
	return nil
}

// literals is an evaluator for generated playbooks, whose expressions are data.
type literals struct{}

func (literals) Value(e expr.Expr, _ expr.Scope) (any, error) { return e.Lit, nil }
func (literals) Text(e expr.Expr, _ expr.Scope) (string, error) {
	return value.Text(e.Lit), nil
}

func (l literals) Truth(e expr.Expr, _ expr.Scope) (bool, error) {
	if strings.HasPrefix(e.Source, "broken") {
		return false, errors.New("broken")
	}
	b, _ := e.Lit.(bool)
	return b, nil
}
func (l literals) Holds(e expr.Expr, s expr.Scope) (bool, error) { return l.Truth(e, s) }

// brief tells the little of an input or output that helps to follow a trace.
func brief(x any) string {
	switch x := x.(type) {
	case engine.Evaluated:
		return x.Run + " " + x.Rendered.Path + " " + string(x.Rendered.What)
	case engine.Acted:
		return x.Run + " " + x.Result.Path + " " + string(x.Result.Outcome)
	case engine.Commanded:
		return x.Command.Run + " " + string(x.Command.Verb)
	case engine.Loaded:
		return fmt.Sprint(x.Run, " ", x.Err)
	case engine.Committed:
		return fmt.Sprint(x.Batch, " ", x.Answer.Err)
	case engine.Commit:
		var b strings.Builder
		fmt.Fprint(&b, x.ID)
		for _, e := range x.Batch.Entries {
			fmt.Fprintf(&b, " %s#%d %s;", e.Stream, e.Seq, e.Kind)
			if e.Kind == entry.KindRunQuarantined {
				fmt.Fprintf(&b, " %s", e.Payload)
			}
		}
		return b.String()
	case engine.Act:
		return fmt.Sprintf("%s %s#%d", x.Run, x.Path, x.Attempt)
	case engine.Quiet:
		return fmt.Sprintf("%s %s %v", x.Run, x.Idle.Status, x.Idle.Waits)
	case engine.Reply:
		return fmt.Sprint(x.Err)
	case engine.Load:
		return x.Run
	}
	return ""
}
