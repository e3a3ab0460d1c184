package dispatch_test

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/dispatch"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/incident"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/faulty"
	"github.com/tendhq/tend/internal/store/memory"
	"github.com/tendhq/tend/internal/trigger"
	"github.com/tendhq/tend/internal/value"
)

// The simulation drives the machine from one goroutine, under one seeded generator: senders that repeat what was not
// acknowledged, an engine that starts and ends runs, guards that hold, people who meddle with incidents, a store that is
// full or forgets to say that it wrote, and a process that dies at any moment. It checks:
//
//	I1  every acknowledged event has one current decision, the last one of its stream, and its run begins exactly once
//	I2  no run begins that was not decided on, and none after its event was too old
//	I3  no more runs go on for a slot than its limit says
//	I4  an event is received once, whatever is repeated
//	I5  once the faults stop, nothing waits, and what began has ended
//	I6  every chain is unbroken, every incident can be replayed, and there is one open incident for each key
//
// The same seed gives the same trace.
type world struct {
	rng    *rand.Rand
	now    time.Time
	disk   *memory.Disk
	agenda []item
	serial int
	p      *process
	quiet  bool
	trace  io.Writer
	sum    func() uint64

	sends   map[int][]event.Event // not acknowledged
	acked   map[string]time.Time  // events
	first   map[string]event.Outcome
	runs    map[string]*simRun
	req     uint64
	waiting map[uint64]func(dispatch.Reply)
	crashes int
	failure error
	notes   []string
}

type item struct {
	at time.Time
	n  int
	do func()
}

type process struct {
	m     *dispatch.Machine
	book  *ledger.Book
	store store.Store
	alive bool
	batch []dispatch.Commit
	busy  map[string]bool // runs that are being started, as the shell keeps them
}

type simRun struct {
	id, slot string
	limit    int
	status   string
}

func newWorld(seed uint64) *world {
	h := fnv.New64a()
	return &world{
		rng: rand.New(rand.NewPCG(seed, 7)), now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), disk: new(memory.Disk), trace: h, sum: h.Sum64,
		sends: map[int][]event.Event{}, acked: map[string]time.Time{}, first: map[string]event.Outcome{}, runs: map[string]*simRun{},
		waiting: map[uint64]func(dispatch.Reply){},
	}
}

func (w *world) chance(p float64) bool { return !w.quiet && w.rng.Float64() < p }

func (w *world) fail(format string, a ...any) {
	if w.failure == nil {
		w.failure = fmt.Errorf(format, a...)
	}
}

func (w *world) note(format string, a ...any) {
	s := fmt.Sprintf(format, a...)
	fmt.Fprintln(w.trace, s)
	w.notes = append(w.notes, w.now.Format("15:04:05.000 ")+s)
}

func (w *world) after(d time.Duration, do func()) {
	w.serial++
	w.agenda = append(w.agenda, item{w.now.Add(d), w.serial, do})
}

func (w *world) ms(n int) time.Duration { return time.Duration(w.rng.IntN(n)) * time.Millisecond }

func lit(s string) *expr.Expr { return &expr.Expr{Kind: expr.Literal, Lit: s} }

func simRules() *dispatch.Rules {
	within := value.Duration(10 * time.Minute)
	spec := func(name string, change func(*trigger.Spec)) *trigger.Spec {
		s := &trigger.Spec{
			Name: name, Dialect: expr.Strict, Enabled: true, Playbook: "p", StartWithin: &within,
			On: trigger.On{Labels: map[string]string{"kind": name}},
		}
		change(s)
		return s
	}
	return &dispatch.Rules{Evaluator: expr.New(expr.Limits{}), Triggers: map[string][]*trigger.Spec{"default": {
		spec("skip", func(*trigger.Spec) {}),
		spec("queue", func(s *trigger.Spec) {
			s.Concurrency = &trigger.Concurrency{Key: lit("one"), Limit: 2, Then: trigger.Queue}
			s.Incident = &trigger.Incident{Key: lit("q"), Title: lit("Queue"), Resolve: true}
		}),
		spec("replace", func(s *trigger.Spec) {
			s.Concurrency = &trigger.Concurrency{Key: lit("r"), Limit: 1, Then: trigger.Replace}
		}),
		spec("story", func(s *trigger.Spec) { s.Playbook, s.Incident = "", &trigger.Incident{Resolve: true} }),
		spec("both", func(s *trigger.Spec) { s.Incident = &trigger.Incident{Resolve: true} }),
		spec("wake", func(s *trigger.Spec) { s.Playbook, s.Wake = "", &trigger.Wake{Event: "go"} }),
		{Name: "told", Dialect: expr.Strict, Enabled: true, Playbook: "p", On: trigger.On{Source: []string{"tend"}, Kind: []string{"incident"}, Labels: map[string]string{"type": "created"}}},
	}}}
}

// simGate holds what comes in some minutes, and refuses some.
type simGate struct{}

func (simGate) Start(c dispatch.Candidate, now time.Time) dispatch.Verdict {
	switch {
	case c.Labels["guard"] == "hold" && now.Minute()%3 == 0:
		return dispatch.Verdict{Outcome: event.Held, Guard: "thirds", Why: "every third minute is quiet", Until: now.Truncate(time.Minute).Add(time.Minute)}
	case c.Labels["guard"] == "no":
		return dispatch.Verdict{Outcome: event.Refused, Guard: "never", Why: "never"}
	}
	return dispatch.Verdict{Outcome: event.Started}
}

func (simGate) Seen(dispatch.Candidate, time.Time) dispatch.Verdict { return dispatch.Verdict{} }

func (simGate) Ended(dispatch.Candidate, string, time.Time) dispatch.Verdict {
	return dispatch.Verdict{}
}

func simStatus(r store.Row) (string, string, bool) {
	return r.Status, "", r.Status == "succeeded" || r.Status == "failed" || r.Status == "cancelled"
}

// boot begins a life of the process.
func (w *world) boot() {
	s := faulty.New(memory.Open(w.disk), func(op faulty.Op) faulty.Fault {
		switch {
		case op.Name != "commit" || w.p == nil:
		case w.chance(0.01):
			return faulty.Fault{Mode: faulty.Full}
		case w.chance(0.005):
			return faulty.Fault{Mode: faulty.Lost}
		case w.chance(0.005):
			return faulty.Fault{Mode: faulty.Kept}
		}
		return faulty.Fault{}
	})
	ctx := context.Background()
	lease, err := s.Claim(ctx, "sim")
	if err != nil {
		w.fail("claim: %v", err)
		return
	}
	mem, err := dispatch.Remember(ctx, s, simStatus)
	if err != nil || len(mem.Damaged) > 0 {
		w.fail("remember: %v %v", err, mem)
		return
	}
	w.p = &process{book: ledger.NewBook(s, lease, constant{}), store: s, alive: true, busy: map[string]bool{}}
	w.p.m = dispatch.NewMachine(dispatch.Limits{Runs: 4, Seen: 40}, simGate{}, simRules(), mem, w.now)
	w.feed(dispatch.Tick{})
}

type constant struct{}

func (constant) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func (w *world) crash() {
	if w.p == nil {
		return
	}
	w.crashes++
	w.note("crash")
	w.p.alive = false
	w.p = nil
	for _, n := range slices.Sorted(maps.Keys(w.waiting)) {
		f := w.waiting[n]
		delete(w.waiting, n)
		f(dispatch.Reply{Err: fault.New(fault.Unavailable, "the connection is gone")})
	}
	w.after(w.ms(5000), w.boot)
}

// feed hands an input to the machine and does what it says, some of it later.
func (w *world) feed(in dispatch.Input) {
	p := w.p
	if p == nil {
		return
	}
	w.note("%T", in)
	for _, o := range p.m.Handle(in, w.now) {
		w.do(p, o)
		if w.chance(0.004) {
			w.crash()
		}
		if !p.alive {
			return
		}
	}
	if at := p.m.NextWake(); !at.IsZero() {
		w.after(max(at.Sub(w.now), 0)+time.Millisecond, func() {
			if p.alive && !p.m.NextWake().IsZero() && !w.now.Before(p.m.NextWake()) {
				w.feed(dispatch.Tick{})
			}
		})
	}
}

func (w *world) do(p *process, o dispatch.Output) {
	later := func(d time.Duration, do func()) {
		w.after(d, func() {
			if p.alive {
				do()
			}
		})
	}
	switch x := o.(type) {
	case dispatch.Commit:
		p.batch = append(p.batch, x)
		if len(p.batch) == 1 {
			later(w.ms(20), func() { w.commit(p) })
		}
	case dispatch.Reply:
		if f := w.waiting[x.Req]; f != nil {
			delete(w.waiting, x.Req)
			f(x)
		}
	case dispatch.StartRun:
		if !p.busy[x.Run] {
			p.busy[x.Run] = true
			later(w.ms(3000), func() { w.startRun(p, x) })
		}
	case dispatch.CancelRun:
		later(w.ms(500), func() { w.endRun(x.Run, "cancelled") })
	case dispatch.Wake:
		later(w.ms(500), func() { w.feed(dispatch.Woken{Event: x.Ticket.Event, Runs: []string{"run_x"}}) })
	case dispatch.Reload:
		later(w.ms(1000), func() {
			mem, err := dispatch.Remember(context.Background(), p.store, simStatus)
			if err != nil {
				w.crash() // it is broken: the server opens it again
				return
			}
			w.feed(dispatch.Reloaded{Memory: mem})
		})
	}
}

func (w *world) commit(p *process) {
	list := p.batch
	p.batch = nil
	batches := make([]ledger.Batch, len(list))
	for i := range list {
		batches[i] = list[i].Batch
	}
	for i, err := range p.book.Write(context.Background(), batches, w.now) {
		if w.chance(0.01) {
			w.crash() // written, perhaps, and nobody heard of it
		}
		if !p.alive {
			return
		}
		w.feed(dispatch.Committed{ID: list[i].ID, Err: err})
	}
}

// row writes what the engine says of a run. It is another writer of the same store.
func (w *world) row(r *simRun) {
	s := memory.Open(w.disk)
	a := s.Commit(context.Background(), []store.Batch{{Rows: []store.Row{{Key: store.Key{Kind: "run", ID: r.id}, Status: r.status, At: w.now, Body: []byte("{}")}}}})
	if a[0].Err != nil {
		w.fail("%v", a[0].Err)
	}
}

func (w *world) startRun(p *process, x dispatch.StartRun) {
	t := &x.Ticket
	delete(p.busy, x.Run)
	if w.runs[x.Run] != nil {
		w.feed(dispatch.Began{Run: x.Run}) // asked for again after a restart
		return
	}
	if w.chance(0.05) {
		w.feed(dispatch.Began{Run: x.Run, Err: fault.New(fault.Invalid, "the playbook is gone")})
		return
	}
	if w.chance(0.05) {
		w.feed(dispatch.Delayed{Run: x.Run, Why: "the disk is full"})
		p.busy[x.Run] = true
		w.after(time.Second, func() {
			if p.alive {
				w.startRun(p, x)
			}
		})
		return
	}
	if o := t.Outcome.StartWithin; o > 0 && w.now.After(t.Row.At.Add(o).Add(10*time.Second)) {
		w.fail("I2: run %s begins %s after its event", x.Run, w.now.Sub(t.Row.At))
	}
	page, err := memory.Open(w.disk).Rows(context.Background(), store.Filter{Kind: "event", ID: t.Event})
	if err != nil || len(page.Rows) != 1 || page.Rows[0].Parent != x.Run {
		w.fail("I2: run %s begins, and the row of event %s says %v, %v", x.Run, t.Event, page.Rows, err)
	}
	r := &simRun{id: x.Run, slot: t.Outcome.Trigger + "/" + t.Outcome.Slot, limit: t.Outcome.Limit, status: "running"}
	goes := 1
	for _, o := range w.runs {
		if o.slot == r.slot && o.status == "running" {
			goes++
		}
	}
	if goes > r.limit {
		w.fail("I3: %d runs go on for %s", goes, r.slot)
	}
	w.note("run %s %s", x.Run, r.slot)
	w.runs[x.Run] = r
	w.row(r)
	w.feed(dispatch.Began{Run: x.Run})
	if w.chance(0.2) {
		w.feed(dispatch.Parked{Run: x.Run, Why: "an approval"})
	}
	w.after(time.Duration(w.rng.IntN(180))*time.Second, func() {
		w.endRun(x.Run, []string{"succeeded", "failed"}[w.rng.IntN(2)])
	})
}

func (w *world) endRun(name, status string) {
	r := w.runs[name]
	if r == nil || r.status != "running" {
		return
	}
	r.status = status
	w.row(r)
	w.note("end %s %s", name, status)
	w.feed(dispatch.Ended{Run: name, Status: status})
}

// ask sends a request, and forgets it when the process dies.
func (w *world) ask(mk func(n uint64) dispatch.Input, heard func(dispatch.Reply)) {
	if w.p == nil {
		heard(dispatch.Reply{Err: fault.New(fault.Unavailable, "nobody is there")})
		return
	}
	w.req++
	n := w.req
	w.waiting[n] = heard
	w.feed(mk(n))
}

// send sends events until they are acknowledged, as Alertmanager does.
func (w *world) send(list []event.Event) {
	again := func() { w.after(2*time.Second+w.ms(3000), func() { w.send(list) }) }
	if w.p == nil {
		again()
		return
	}
	m := w.p.m
	s := memory.Open(w.disk)
	rules := simRules()
	items := make([]dispatch.Item, len(list))
	for i := range list {
		e := list[i]
		it := dispatch.Item{Event: e}
		if w.rng.IntN(3) == 0 || e.At.Before(m.Floor()) {
			it.Looked = true
			p, err := s.Rows(context.Background(), store.Filter{Kind: "event", ID: e.ID})
			if err != nil {
				w.fail("%v", err)
			}
			if len(p.Rows) > 0 {
				it.Known = new(dispatch.Row)
				if err := json.Unmarshal(p.Rows[0].Body, it.Known); err != nil {
					w.fail("%v", err)
				}
			}
		}
		if !m.Knows(e.Source) {
			h, err := s.Head(context.Background(), "event/"+e.Source)
			if err != nil {
				w.fail("%v", err)
			}
			it.Length, it.Counted = h.Length, true
		}
		it.Match, it.Notes = rules.Match(&e)
		items[i] = it
	}
	w.ask(func(n uint64) dispatch.Input { return dispatch.Accepted{Req: n, Items: items} }, func(r dispatch.Reply) {
		if r.Err != nil {
			again()
			return
		}
		receipts, _ := r.Value.([]dispatch.Receipt)
		if len(receipts) != len(list) {
			w.fail("%d receipts for %d events", len(receipts), len(list))
			return
		}
		for i, x := range receipts {
			w.note("%s %s", x.Event, x.Outcome)
			if x.Event != list[i].ID {
				w.fail("a receipt for %s, not %s", x.Event, list[i].ID)
			}
			if _, ok := w.acked[x.Event]; !ok {
				w.acked[x.Event] = w.now
			}
		}
		if w.chance(0.2) {
			w.after(w.ms(60_000), func() { w.send(list) }) // Alertmanager repeats itself
		}
	})
}

// meddle lets people change incidents.
func (w *world) meddle() {
	if w.p == nil {
		return
	}
	p, err := memory.Open(w.disk).Rows(context.Background(), store.Filter{Kind: "incident"})
	if err != nil || len(p.Rows) == 0 {
		return
	}
	name := p.Rows[w.rng.IntN(len(p.Rows))].ID
	other := p.Rows[w.rng.IntN(len(p.Rows))].ID
	read := func(n string) *incident.State {
		st, _, err := dispatch.ReadIncident(context.Background(), memory.Open(w.disk), n)
		if err != nil {
			w.fail("I6: %v", err)
		}
		return st
	}
	alice := entry.Who{ID: "user:alice", Name: "alice"}
	heard := func(r dispatch.Reply) {
		if r.Err != nil && !fault.Is(r.Err, fault.Conflict) && !fault.Is(r.Err, fault.Unavailable) && !fault.Is(r.Err, fault.Invalid) && !fault.Is(r.Err, fault.NotFound) {
			w.fail("meddle: %v", r.Err)
		}
	}
	switch w.rng.IntN(4) {
	case 0:
		w.ask(func(n uint64) dispatch.Input {
			return dispatch.Change{Req: n, ID: name, State: read(name), By: alice, What: "resolved", Apply: func(s *incident.State, _ time.Time) ([]entry.Payload, error) {
				return s.Resolve(alice, "", "")
			}}
		}, heard)
	case 1:
		w.ask(func(n uint64) dispatch.Input {
			return dispatch.Merge{Req: n, From: name, Into: other, By: alice, States: map[string]*incident.State{name: read(name), other: read(other)}}
		}, heard)
	case 2:
		st := read(name)
		for _, k := range slices.Sorted(maps.Keys(st.Members)) {
			w.ask(func(n uint64) dispatch.Input {
				return dispatch.Split{Req: n, ID: name, State: st, Keys: []string{k}, Start: incident.Start{ID: fmt.Sprintf("inc_split%d", n), Title: "Split", By: alice}}
			}, heard)
			break
		}
	case 3:
		w.ask(func(n uint64) dispatch.Input {
			return dispatch.Change{Req: n, ID: name, State: read(name), By: alice, What: "reopened", Apply: func(s *incident.State, _ time.Time) ([]entry.Payload, error) {
				return s.Reopen(alice, "", "")
			}}
		}, heard)
	}
}

func (w *world) generate(n int) {
	kinds := []string{"skip", "queue", "replace", "story", "both", "wake", "none"}
	for range n {
		at := w.ms(int(20 * time.Minute / time.Millisecond))
		w.after(at, func() {
			var list []event.Event
			for range 1 + w.rng.IntN(4) {
				g := fmt.Sprintf("g%d", w.rng.IntN(6))
				born := w.now.Add(-w.ms(60_000)).Truncate(time.Millisecond)
				if w.chance(0.1) {
					born = born.Add(-2 * time.Hour)
				}
				if w.chance(0.05) {
					born = w.now.Add(time.Minute) // a clock that is ahead
				}
				kind := kinds[w.rng.IntN(len(kinds))]
				e := event.Event{
					At: born, Source: []string{"am", "hook"}[w.rng.IntN(2)], Project: "default", Kind: "alert", Group: kind + g, Status: event.Firing, Name: "Alert",
					Labels: map[string]string{"kind": kind, "guard": []string{"", "", "hold", "no"}[w.rng.IntN(4)]}, Priority: w.rng.IntN(3),
				}
				e.Key = fmt.Sprintf("%s/%d/firing", e.Group, born.UnixMilli())
				e.ID = event.ID(e.Project, e.Source, e.Key, e.At)
				list = append(list, e)
				end := e
				end.Status, end.Key = event.Resolved, fmt.Sprintf("%s/%d/resolved", e.Group, born.UnixMilli())
				end.ID = event.ID(e.Project, e.Source, end.Key, e.At)
				w.after(w.ms(int(10*time.Minute/time.Millisecond)), func() { w.send([]event.Event{end}) })
			}
			w.send(list)
		})
	}
}

func (w *world) next() {
	i := 0
	for j := range w.agenda {
		if a, b := w.agenda[j], w.agenda[i]; a.at.Before(b.at) || a.at.Equal(b.at) && a.n < b.n {
			i = j
		}
	}
	x := w.agenda[i]
	w.agenda = slices.Delete(w.agenda, i, i+1)
	if x.at.After(w.now) {
		w.now = x.at
	}
	x.do()
}

func (w *world) live() error {
	w.boot()
	w.generate(60)
	for range 30 {
		w.after(w.ms(int(25*time.Minute/time.Millisecond)), w.meddle)
	}
	for w.failure == nil && len(w.agenda) > 0 && w.now.Before(time.Date(2026, 1, 1, 0, 30, 0, 0, time.UTC)) {
		w.next()
	}
	w.quiet = true
	for w.failure == nil && len(w.agenda) > 0 && w.now.Before(time.Date(2026, 1, 1, 2, 0, 0, 0, time.UTC)) {
		w.next()
	}
	if w.failure == nil {
		w.check()
	}
	return w.failure
}

// check looks at everything that is stored, once the world rests.
func (w *world) check() {
	ctx, s := context.Background(), memory.Open(w.disk)
	rows := map[string]dispatch.Row{}
	err := dispatchEach(ctx, s, store.Filter{Kind: "event"}, func(r store.Row) {
		var b dispatch.Row
		if err := json.Unmarshal(r.Body, &b); err != nil {
			w.fail("%v", err)
		}
		if r.Status != b.Decision.Outcome || r.Parent != b.Decision.Run {
			w.fail("I1: the row of %s disagrees with itself", r.ID)
		}
		rows[r.ID] = b
	})
	if err != nil {
		w.fail("%v", err)
	}
	received, last := map[string]int{}, map[string]entry.EventDecided{}
	for _, source := range []string{"am", "hook", "tend"} {
		page, err := s.Read(ctx, "event/"+source, 1, 1_000_000)
		if err != nil {
			w.fail("I6: %v", err)
		}
		for _, e := range page {
			p, err := entry.Decode(e)
			if err != nil {
				w.fail("I6: %v", err)
			}
			switch x := p.(type) {
			case *entry.EventReceived:
				received[x.ID]++
				last[x.ID] = x.Decision
				if rows[x.ID].Seq != e.Seq {
					w.fail("I1: the row of %s says entry %d, not %d", x.ID, rows[x.ID].Seq, e.Seq)
				}
			case *entry.EventDecided:
				d := *x
				d.Event = ""
				last[x.Event] = d
			}
		}
	}
	for name := range w.acked {
		if received[name] != 1 {
			w.fail("I4: event %s was received %d times", name, received[name])
		}
	}
	runs := map[string]bool{}
	for name, d := range last {
		r, ok := rows[name]
		if !ok || !sameDecision(r.Decision, d) {
			w.fail("I1: event %s: the row says %+v, the stream %+v", name, r.Decision, d)
		}
		if d.Why == "" || event.Outcome(d.Outcome).Waiting() {
			w.fail("I5: event %s is %s still: %s", name, d.Outcome, d.Why)
		}
		if d.Outcome == string(event.Started) {
			runs[d.Run] = true
			if w.runs[d.Run] == nil {
				w.fail("I1: event %s started run %s, which never began", name, d.Run)
			}
		}
	}
	for name, r := range w.runs {
		if !runs[name] {
			w.fail("I2: run %s began, and no event says so", name)
		}
		if r.status == "running" {
			w.fail("I5: run %s goes on", name)
		}
	}
	if w.p != nil {
		if p, r := w.p.m.Waiting(); p+r > 0 {
			w.fail("I5: %d events wait and %d runs go on", p, r)
		}
	}
	open := map[string]string{}
	err = dispatchEach(ctx, s, store.Filter{Kind: "incident"}, func(r store.Row) {
		st, _, err := dispatch.ReadIncident(ctx, s, r.ID)
		if err != nil || string(st.Status) != r.Status {
			w.fail("I6: incident %s is %s in its row: %v", r.ID, r.Status, err)
			return
		}
		for _, x := range st.Runs {
			if x.Status == "started" && w.runs[x.Run] != nil && w.runs[x.Run].status != "running" && st.Status != incident.Merged {
				w.fail("I5: incident %s does not know that %s is over", r.ID, x.Run)
			}
		}
		if st.Status.Over() {
			return
		}
		for _, k := range st.Keys {
			if open[k] != "" {
				w.fail("I6: incidents %s and %s have the key %s", open[k], r.ID, k)
			}
			open[k] = r.ID
		}
	})
	if err != nil {
		w.fail("%v", err)
	}
}

func sameDecision(a, b entry.EventDecided) bool {
	return a.Outcome == b.Outcome && a.Run == b.Run && a.Why == b.Why && a.Incident == b.Incident && a.Trigger == b.Trigger
}

func dispatchEach(ctx context.Context, s store.Store, f store.Filter, do func(store.Row)) error {
	return ledger.Each(ctx, s, f, func(r store.Row) error { do(r); return nil })
}

// TestSimulation: SIM_SEEDS says how many seeds, SEED repeats one and prints its trace.
func TestSimulation(t *testing.T) {
	t.Parallel()
	seeds := 40
	if testing.Short() {
		seeds = 12
	}
	if n, err := strconv.Atoi(os.Getenv("SIM_SEEDS")); err == nil {
		seeds = n
	}
	if n, err := strconv.ParseUint(os.Getenv("SEED"), 10, 64); err == nil {
		w := newWorld(n)
		err := w.live()
		for _, s := range w.notes {
			t.Log(s)
		}
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	crashes, events, runs := 0, 0, 0
	for seed := range seeds {
		w := newWorld(uint64(seed))
		if err := w.live(); err != nil {
			t.Fatalf("seed %d at %s: %v", seed, w.now, err)
		}
		crashes, events, runs = crashes+w.crashes, events+len(w.acked), runs+len(w.runs)
	}
	t.Logf("%d crashes, %d events, %d runs", crashes, events, runs)
	if crashes < seeds || events < 100*seeds || runs < 10*seeds {
		t.Errorf("too little happened: %d crashes, %d events, %d runs", crashes, events, runs)
	}
}

// TestSimulationIsDeterministic: the same seed gives the same trace.
func TestSimulationIsDeterministic(t *testing.T) {
	t.Parallel()
	var sums [2]uint64
	for i := range sums {
		w := newWorld(4711)
		if err := w.live(); err != nil {
			t.Fatal(err)
		}
		sums[i] = w.sum()
	}
	if sums[0] != sums[1] {
		t.Errorf("%x and %x", sums[0], sums[1])
	}
}
