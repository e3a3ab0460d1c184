package engine

import (
	"cmp"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/tendhq/tend/internal/archive"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/task"
	"github.com/tendhq/tend/internal/value"
)

// Machine is the engine without its hands: Handle takes what happened and says what to do. It does no I/O, reads no clock
// and starts no goroutine, so that a simulator can drive it from one goroutine with the same effect.
//
// What it guarantees:
//
//   - An attempt is handed out (Act) only when its intent is committed, and once per process.
//   - What a run decides is committed in order, one batch at a time; what happens meanwhile waits for the answer.
//   - A batch that the store refuses as Unavailable is offered again, unchanged and in order, until it is taken.
//   - After an indeterminate answer, or a conflict, nothing more is decided: the engine must be opened anew.
type Machine struct {
	cfg    MachineConfig
	lease  store.Lease
	halted string
	broken error

	runs       map[string]*session
	driven     map[string]bool
	leaves     bool // nothing new is driven: what is loaded from now on, because somebody asked before, does not go on
	all        bool // drive whatever is loaded (a server)
	heads      map[string]store.Head
	segments   map[string]string // streams that go on under another name, since they were damaged
	damaged    map[string]bool   // those that shall, when a person has said so; halted until then
	counts     *guard.Counted
	countLimit int          // of counts, before those that are over are forgotten
	rules      *guard.Rules // live ones; nil: only what runs bring themselves
	serial     uint64       // of the rules, or of newer ones of which only the halts are known yet
	locks      map[string]Holder
	wakes      wakes
	closed     map[string]bool   // hashes of closures that are stored
	reviews    map[string]uint64 // lengths of the streams of reviews that were written to: no session keeps them
	acting     int               // attempts that were handed out and have not come back
	batch      uint64
	sent       map[uint64]*tx // commits in flight, by batch
	out        []Output
}

// MachineConfig is what a Machine must know beforehand.
type MachineConfig struct {
	Entropy  io.Reader              // salts: crypto/rand outside simulations
	Runner   func(name string) bool // is a runner of that name configured here?
	Governed bool                   // whether nothing but reads begins before Governed said what the rules are
	Confirm  bool                   // whether runs that react to events ask if those are still so: Confirm is answered then
	Margin   time.Duration          // no effect begins closer than this to the end of the lease
	Counted  []guard.Reservation    // what guards counted before
	Locks    map[string]Holder      // who holds which lock
	Heads    map[string]store.Head  // of the audit and guard streams, by the name of their last segment
	// Segments are the names under which damaged streams go on; Damaged are those of which nobody has said yet that they
	// shall. Nothing moves then.
	Segments map[string]string
	Damaged  []archive.Damage
	Halted   string
	Lease    store.Lease
}

// session is a run that is loaded.
type session struct {
	id        string
	stream    string
	state     *run.State
	head      store.Head
	tasks     map[string]*taskStream // open ones
	guards    []guard.Spec
	confirmed time.Time // when what it reacts to was still so
	row       []byte    // body of the stored row, to write it only when it changed
	plain     plainRow
	due       time.Time

	tx         *tx
	owed       []Reply // told when what follows at once is durable, or nothing does
	committing bool
	evaluating int
	vain       int
	dispatched map[string]int // path → attempt that was handed out
	stopping   map[string]bool
	leaving    *Command
	queue      []Input
	last       run.Decision
	ending     map[string]bool // children that were told to end
}

func newSession(id string) *session { return &session{id: id, stream: "run/" + id} }

type taskStream struct {
	id   string
	head store.Head
	task task.State
}

// tx is what will be committed together.
type tx struct {
	session *session
	batch   *store.Batch
	birth   bool // it creates the session's run
	run     []entry.Payload
	other   []fact
	rows    []store.Row
	del     []store.Key
	erase   []store.Erasure
	replies []Reply
	born    []*session // children that begin with this commit
	free    []string   // locks that are free after it
	sealed  []entry.Entry
}

type fact struct {
	stream string
	p      entry.Payload
}

// NewMachine builds a Machine.
func NewMachine(c MachineConfig) *Machine {
	m := &Machine{
		cfg: c, lease: c.Lease, halted: c.Halted, runs: map[string]*session{}, driven: map[string]bool{},
		heads: map[string]store.Head{}, segments: map[string]string{}, damaged: map[string]bool{}, counts: new(guard.Counted), locks: map[string]Holder{},
		countLimit: minCounts, closed: map[string]bool{}, reviews: map[string]uint64{}, sent: map[uint64]*tx{},
	}
	maps.Copy(m.heads, c.Heads)
	maps.Copy(m.segments, c.Segments)
	for _, d := range c.Damaged {
		m.damaged[d.Stream] = true
	}
	for _, r := range c.Counted {
		m.counts.Add(r)
	}
	maps.Copy(m.locks, c.Locks)
	return m
}

// Handle takes an input and gives what to do. now must not go back by more than the store tolerates; it is cut to
// microseconds.
func (m *Machine) Handle(in Input, now time.Time) []Output {
	now = now.UTC().Truncate(time.Microsecond)
	m.out = make([]Output, 0, 4)
	m.handle(in, now)
	return m.out
}

func (m *Machine) emit(o Output) { m.out = append(m.out, o) }

func (m *Machine) handle(in Input, now time.Time) {
	switch x := in.(type) {
	case Begin:
		m.begin(x, now)
	case Loaded:
		m.loaded(x, now)
	case Committed:
		m.committed(x, now)
	case Tick:
		m.tick(now)
	case Governed:
		m.governed(x, now)
	case Stopped:
		m.stop(x)
	case Reconsider:
		m.withSession(x.Run, in, now, func(s *session) { m.reconsider(s, now) })
	case Confirmed:
		m.withSession(x.Run, in, now, func(s *session) { m.confirmedBy(s, x, now) })
	case Unhalted:
		m.halted = ""
	case parkedAt:
		m.driven[x.Run] = true
		if !x.At.IsZero() {
			m.wakes.set(x.Run, x.At)
		}
	case audit:
		m.audit(x, now)
	case Released:
		m.released(x, now)
	case lives:
		m.emit(Reply{Req: x.Req, Value: m.alive(x.Run)})
	case leaveAll:
		m.leaveAll(x, now)
	case standing:
		m.emit(Reply{Req: x.Req, Value: m.stands(x.Run)})
	case settled:
		m.emit(Reply{Req: x.Req, Value: m.idleAll()})
	case Evaluated:
		m.withSession(x.Run, in, now, func(s *session) { m.evaluated(s, x, now) })
	case Listed:
		m.withSession(x.Run, in, now, func(s *session) { s.evaluating--; m.fact(s, x.Fact, now); m.advance(s, now) })
	case Bound:
		m.withSession(x.Run, in, now, func(s *session) { m.bound(s, x, now) })
	case Acted:
		m.withSession(x.Run, in, now, func(s *session) { m.acted(s, x, now) })
	case Commanded:
		m.withSession(x.Command.Run, in, now, func(s *session) { m.command(s, x, now) })
	case Answered:
		m.withSession(x.Run, in, now, func(s *session) { m.answer(s, x, now) })
	case Attended:
		m.withSession(x.Run, in, now, func(s *session) { m.attended(s, x, now) })
	case Arrived:
		m.withSession(x.Run, in, now, func(s *session) { m.arrived(s, x, now) })
	}
}

// withSession runs f on a loaded session that is not being committed, or queues the input until it is.
func (m *Machine) withSession(id string, in Input, now time.Time, f func(*session)) {
	if m.broken != nil {
		m.refuse(in, m.broken)
		return
	}
	s := m.runs[id]
	switch {
	case s == nil:
		m.runs[id] = newSession(id)
		m.runs[id].queue = []Input{in}
		m.emit(Load{Run: id})
	case s.state == nil, !in.urgent() && (s.committing || s.evaluating > 0):
		s.queue = append(s.queue, in)
	default:
		f(s)
		m.settle(s, now)
		m.drain(s, now)
	}
}

// settle commits what f left without advancing.
func (m *Machine) settle(s *session, now time.Time) {
	if s.tx != nil && !s.committing && s.evaluating == 0 {
		m.flush(s, now)
	}
}

// leaveAll ends the driving of every run, also of those that are being committed just now.
func (m *Machine) leaveAll(x leaveAll, now time.Time) {
	verb := Leave
	m.leaves = true
	if x.Gently {
		verb = retire
	}
	for _, id := range slices.Sorted(maps.Keys(m.driven)) {
		s := m.runs[id]
		if s == nil || s.state == nil {
			delete(m.driven, id)
			continue
		}
		m.handle(Commanded{Command: Command{Verb: verb, Run: id, By: x.By, Why: "its process was ended"}}, now)
	}
}

// idleAll tells whether everything is committed and nothing acts.
func (m *Machine) idleAll() bool {
	if m.broken != nil {
		return true
	}
	if len(m.sent) > 0 || m.InFlight() > 0 {
		return false
	}
	for _, s := range m.runs {
		if s.tx != nil || s.evaluating > 0 || (s.state != nil && len(s.queue) > 0) {
			return false
		}
	}
	return true
}

func (m *Machine) refuse(in Input, err error) {
	if r, ok := in.(requester); ok {
		m.emit(Reply{Req: r.req(), Err: err})
	}
}

// NextWake tells when Tick is due; zero: never.
func (m *Machine) NextWake() time.Time { return m.wakes.next() }

// Driven tells how many runs the machine moves, and InFlight how many attempts act.
func (m *Machine) Driven() int { return len(m.driven) }

// Committing counts the commits that were asked for and are not answered.
func (m *Machine) Committing() int { return len(m.sent) }

// InFlight counts the attempts that were handed out and have not come back.
func (m *Machine) InFlight() int { return m.acting }

// Broken gives the error after which nothing is decided any more, or nil.
func (m *Machine) Broken() error { return m.broken }

// drop removes a row. What the same transaction would have written to it is dropped too: the last word counts.
func (t *tx) drop(k store.Key) {
	t.rows = slices.DeleteFunc(t.rows, func(r store.Row) bool { return r.Key == k })
	t.del = append(t.del, k)
}

// fullBatch is how many entries of a run wait for each other at most: a run whose steps need nothing from outside would
// otherwise be one transaction, that grows with the run, is lost as a whole, and keeps whoever wants to cancel it waiting.
const fullBatch = 256

// open gives the session's transaction.
func (s *session) open() *tx {
	if s.tx == nil {
		s.tx = &tx{session: s}
	}
	return s.tx
}

// fact folds a fact into the run and puts it into the transaction.
func (m *Machine) fact(s *session, p entry.Payload, now time.Time) {
	if s.state.Quarantine != nil {
		return
	}
	if err := s.state.Evolve(p, now); err != nil {
		m.quarantine(s, err, now)
		return
	}
	t := s.open()
	t.birth = t.birth || p.Kind() == entry.KindRunCreated
	t.run = append(t.run, p)
	switch x := p.(type) {
	case *entry.LockReleased:
		m.release(s, t, x)
	case *entry.LockTaken:
		m.take(s, t, x, now)
	case *entry.WaitStarted:
		if x.Event != "" {
			t.rows = append(t.rows, store.Row{Key: wakeKey(s.id, x.Path), Status: "waiting", Parent: s.id, Tag: eventTag(x.Event, x.Key), At: now, Body: []byte("{}")})
		}
	case *entry.WaitEnded:
		t.drop(wakeKey(s.id, x.Path))
	case *entry.StepSkipped:
		if def, err := run.Locate(s.state.Program(), x.Path); err == nil && def != nil && def.Wait != nil && def.Wait.Event != nil {
			t.drop(wakeKey(s.id, x.Path))
		}
	case *entry.TaskEscalated:
		m.escalated(s, t, x, now)
	case *entry.RunEnded:
		m.releaseAll(s, t)
	}
}

func wakeKey(run, path string) store.Key { return store.Key{Kind: "wake", ID: run + "|" + path} }

func eventTag(name, key string) string { return name + "\x1f" + key }

// quarantine takes a run out of the way whose stream does not make sense; the others go on.
func (m *Machine) quarantine(s *session, why error, now time.Time) {
	var replies []Reply
	if s.tx != nil {
		replies = s.tx.replies
	}
	s.tx = nil // what was decided on top of nonsense is dropped
	m.acting -= len(s.dispatched)
	s.dispatched, s.stopping = nil, nil
	m.deny(s, replies, fault.New(fault.Damaged, "run %s does not make sense and is quarantined: %s", s.id, why).WithNext("tend runs explain %s", s.id))
	q := &entry.RunQuarantined{Why: why.Error()}
	s.state.Length = s.head.Length
	if err := s.state.Evolve(q, now); err != nil {
		delete(m.runs, s.id)
		return
	}
	t := s.open()
	t.run = append(t.run, q)
	delete(m.driven, s.id)
}

// advance moves a run on as far as it goes without waiting, then commits.
func (m *Machine) advance(s *session, now time.Time) {
	if s.committing || s.evaluating > 0 || s.state == nil || m.broken != nil {
		return
	}
	if m.calledBack(s) {
		m.fact(s, &entry.RunResumed{By: entry.Who{Name: "tend", Via: "engine"}}, now)
	}
	if !m.mayDrive(s) {
		s.last = run.Decide(s.state, now) // it does not happen here, but people see what the run waits for
	}
	for m.mayDrive(s) {
		d := run.Decide(s.state, now)
		s.last = d
		progress := len(d.Facts) > 0
		for _, p := range d.Facts {
			m.fact(s, p, now)
		}
		for _, path := range value.Keys(d.Locks) {
			progress = m.tryLock(s, path, d.Locks[path], now) || progress
		}
		if s.tx != nil && len(s.tx.run) >= fullBatch {
			break // what the rest needs is asked for when this is durable
		}
		if progress {
			continue
		}
		for _, r := range d.Renders {
			s.evaluating++
			m.emit(Evaluate{Run: s.id, State: s.state, Render: r})
		}
		break
	}
	if s.evaluating > 0 {
		return
	}
	if s.tx != nil {
		m.flush(s, now)
		return
	}
	m.hands(s, now)
}

// calledBack tells whether an interrupted sub-playbook goes on because the run that called it does.
func (m *Machine) calledBack(s *session) bool {
	if s.state.Interrupted == "" || !m.mayDrive(s) {
		return false
	}
	p := m.runs[s.state.Created.Cause.Parent]
	return p != nil && p.state != nil && p.state.Interrupted == "" && m.mayDrive(p)
}

func (m *Machine) mayDrive(s *session) bool {
	return m.halted == "" && s.leaving == nil && (m.all && !m.leaves || m.driven[s.id]) && s.state.Quarantine == nil
}

// tell answers those who waited to hear what follows.
func (m *Machine) tell(s *session) {
	for _, r := range s.owed {
		m.emit(r)
	}
	s.owed = nil
}

// deny tells those who waited for a session why they wait in vain.
func (m *Machine) deny(s *session, replies []Reply, err error) {
	for _, r := range slices.Concat(replies, s.owed) {
		m.emit(Reply{Req: r.Req, Err: err})
	}
	s.owed = nil
}

// hands lets effects begin and end: everything decided is durable here.
func (m *Machine) hands(s *session, now time.Time) {
	m.tell(s)
	if !m.mayDrive(s) {
		m.idle(s)
		return
	}
	d := s.last
	kept := false
	for _, path := range d.Acts {
		n := s.state.Node(path)
		if s.dispatched[path] == n.Attempt || !m.leased(now) {
			continue
		}
		if f := m.late(s, n); f != nil {
			m.fact(s, &entry.StepResult{Path: path, Attempt: n.Attempt, Outcome: entry.NotStarted, Again: true, Fault: f}, now)
			kept = true
			continue
		}
		if s.dispatched == nil {
			s.dispatched, s.stopping = map[string]int{}, map[string]bool{}
		}
		s.dispatched[path] = n.Attempt
		m.acting++
		m.emit(Act{Run: s.id, Root: cmp.Or(s.state.Created.Cause.Root, s.id), Path: path, Attempt: n.Attempt, State: s.state, Intent: *n.Intent, Def: n.Def()})
	}
	if kept {
		m.advance(s, now)
		return
	}
	for _, st := range d.Stops {
		if _, acting := s.dispatched[st.Path]; acting && !s.stopping[st.Path] {
			s.stopping[st.Path] = true
			m.emit(StopAct{Run: s.id, Path: st.Path, Attempt: s.dispatched[st.Path], Fault: st.Fault})
		}
	}
	for _, kid := range d.Children {
		m.child(s, kid, now)
	}
	for _, kid := range d.EndChild {
		m.endChild(s, kid, now)
	}
	m.idle(s)
}

// leased tells whether the lease holds long enough for an effect to begin.
func (m *Machine) leased(now time.Time) bool {
	return m.lease.Until.IsZero() || now.Add(m.cfg.Margin).Before(m.lease.Until)
}

// idle notes when the run must be looked at again, and forgets it when only outside things can move it.
func (m *Machine) idle(s *session) {
	if s.committing || s.evaluating > 0 || s.tx != nil {
		return
	}
	// Time goes on while something acts: limits of blocks, a stopWhen that is due, the branch beside it.
	if m.mayDrive(s) && !s.last.Wake.IsZero() && s.state.End == nil {
		m.wakes.set(s.id, s.last.Wake)
	} else {
		m.wakes.drop(s.id)
	}
	if len(s.dispatched) > 0 || len(s.queue) > 0 {
		return
	}
	status := s.state.Status()
	m.emit(Quiet{Run: s.id, Idle: Idle{Status: string(status), Waits: m.holders(waits(s.last.Waits))}, Ended: status.Ended()})
	if status.Ended() {
		delete(m.driven, s.id)
		delete(m.runs, s.id)
		return
	}
	if !m.mayDrive(s) || status == run.Waiting && len(s.last.Children) == 0 && len(s.last.Locks) == 0 {
		delete(m.runs, s.id) // parked: an answer, an event, a command or the clock loads it again
	}
}

// stands tells how a run stands as far as the machine knows.
func (m *Machine) stands(id string) stance {
	s := m.runs[id]
	switch {
	case s == nil:
		return stance{}
	case s.state == nil, s.tx != nil, s.committing, s.evaluating > 0, len(s.dispatched) > 0, len(s.queue) > 0:
		return stance{Moves: true}
	}
	return stance{Idle: &Idle{Status: string(s.state.Status()), Waits: m.holders(waits(s.last.Waits))}}
}

// holders says who has the locks that a run waits for. That changes without the run: rows do not tell.
func (m *Machine) holders(ws []Wait) []Wait {
	for i, w := range ws {
		if w.For == "lock" {
			ws[i].Holder = m.locks[w.On].Run
		}
	}
	return ws
}

func waits(ws []run.Wait) []Wait {
	out := make([]Wait, 0, len(ws))
	for _, w := range ws {
		out = append(out, Wait(w))
	}
	return out
}

// tick wakes what is due.
func (m *Machine) tick(now time.Time) {
	for _, id := range m.wakes.due(now) {
		s := m.runs[id]
		switch {
		case s == nil:
			m.runs[id] = newSession(id)
			m.emit(Load{Run: id})
		case s.state != nil:
			m.advance(s, now)
		}
	}
}

// child sees to a sub-playbook that the run waits for: whoever drives a run drives those below it.
func (m *Machine) child(s *session, kid string, now time.Time) {
	k, known := m.runs[kid], m.driven[kid]
	m.driven[kid] = true
	switch {
	case k == nil && known:
		// It was looked at before and is parked.
	case k == nil:
		m.runs[kid] = newSession(kid)
		m.emit(Load{Run: kid})
	case k.state == nil || k.committing || k.tx != nil:
	case k.state.End != nil, k.state.Quarantine != nil:
		m.childEnded(s, k, now)
	case !known || k.state.Interrupted != "":
		m.advance(k, now)
	}
}

func (m *Machine) childEnded(parent, k *session, now time.Time) {
	path := k.state.Created.Cause.Path
	n := parent.state.Node(path)
	if n == nil || n.Phase != run.PhaseChild || n.On != k.id || parent.committing || parent.evaluating > 0 {
		return
	}
	e := k.state.End
	if q := k.state.Quarantine; q != nil {
		e = &entry.RunEnded{Status: string(run.Quarantined), Fault: &entry.Fault{Kind: string(fault.Damaged), Message: "the sub-playbook is quarantined: " + q.Why, Path: path}}
	}
	m.fact(parent, &entry.ChildEnded{Path: path, Child: k.id, Status: e.Status, Outputs: e.Outputs, Fault: e.Fault}, now)
	m.advance(parent, now)
}

// endChild cancels a sub-playbook whose caller ends, once.
func (m *Machine) endChild(s *session, kid string, now time.Time) {
	if s.ending[kid] {
		return
	}
	if s.ending == nil {
		s.ending = map[string]bool{}
	}
	s.ending[kid] = true
	by := entry.Who{Name: "tend", Via: "engine"}
	if s.state.Cancel != nil {
		by = s.state.Cancel.By
	}
	m.handle(Commanded{Command: Command{Verb: Cancel, Run: kid, By: by, Why: "its parent run ends"}}, now)
}

// rowOf derives the stored row of a run.
func rowOf(s *session, status run.Status) RunRow {
	st := s.state
	r := RunRow{
		By: st.Created.By, Cause: st.Created.Cause, Name: st.Created.Name, Source: st.Created.Source, Started: st.StartedAt,
		Ended: st.EndedAt, Status: string(status), Observed: st.Observed,
	}
	if st.End != nil {
		r.Fault, r.Undone = st.End.Fault, st.End.Undone
	} else {
		r.Waits = waits(s.last.Waits)
	}
	if len(r.Waits) > 0 && st.Interrupted == "" {
		r.Acting = len(st.InFlight())
	}
	return r
}

func decodeGuards(o map[string]any) []guard.Spec {
	b, err := json.Marshal(o["specs"])
	if err != nil {
		return nil
	}
	var out []guard.Spec
	_ = json.Unmarshal(b, &out)
	return out
}
