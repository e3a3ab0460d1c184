package dispatch

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/incident"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/value"
)

// Limits bound a Machine. Zero fields mean the defaults.
type Limits struct {
	Runs    int // that go on at a time because of events, not counting those that wait for people; default 64
	Pending int // events that wait; more are refused, so that their sender keeps them; default 200,000
	Depth   int // of chains of events and runs; default 5
	Seen    int // events that are remembered without the store; default 200,000
}

// Machine decides what becomes of events. It does no I/O: Handle takes what happened and answers with what to do. It is
// for one goroutine.
type Machine struct {
	limits Limits
	gate   Gate
	rules  *Rules

	out     []Output
	tx      *tx
	sent    map[uint64]*tx
	order   []uint64 // of commits that are not answered
	batch   uint64
	line    *ledger.Line
	down    error // why nothing is decided now
	seen    map[string]*entry.EventDecided
	history []string // ids of seen, oldest first
	floor   time.Time
	future  time.Time         // the latest birth of an event that came before its time
	lengths map[string]uint64 // of event streams
	pending map[string]*Ticket
	active  map[string]*Ticket
	waking  map[string]*Ticket
	slots   map[string][]string            // runs that go on, by slot
	blocked map[string][]*Ticket           // tickets that wait for a slot, in order
	groups  map[string]map[string]struct{} // pending events by what they belong to
	ready   tickets
	moving  int // runs that go on and do not wait for people
	agenda  agenda
	asked   time.Time // when all that is held was asked again
	asking  bool      // that is due

	incidents map[string]*incident.State
	keys      map[string]string   // open incidents, by project and key
	recent    map[string]string   // resolved ones
	members   map[string][]string // incidents by the alerts that fire in them
	dirty     map[string]bool
	own       []Item // tend's own events that are to be decided
}

// tx is what one input writes.
type tx struct {
	facts   []ledger.Fact
	rows    map[store.Key]*store.Row // nil deletes
	keys    []store.Key
	replies []Reply
	after   []Output // when it is durable
}

// NewMachine makes a machine that remembers what mem says.
func NewMachine(l Limits, g Gate, r *Rules, mem *Memory, now time.Time) *Machine {
	l.Runs, l.Pending, l.Depth, l.Seen = cmp.Or(l.Runs, 64), cmp.Or(l.Pending, 200_000), cmp.Or(l.Depth, 5), cmp.Or(l.Seen, 200_000)
	if g == nil {
		g = open{}
	}
	m := &Machine{limits: l, gate: g, rules: r, sent: map[uint64]*tx{}}
	m.reset(mem, now)
	return m
}

func (m *Machine) reset(mem *Memory, now time.Time) {
	m.line, m.down = new(ledger.Line), nil
	m.seen, m.history, m.lengths = map[string]*entry.EventDecided{}, nil, map[string]uint64{}
	m.future = mem.Future
	m.floor = now
	if !m.future.Before(m.floor) {
		m.floor = m.future.Add(time.Millisecond)
	}
	m.pending, m.active, m.waking = map[string]*Ticket{}, map[string]*Ticket{}, map[string]*Ticket{}
	m.slots, m.blocked, m.groups = map[string][]string{}, map[string][]*Ticket{}, map[string]map[string]struct{}{}
	m.ready, m.agenda, m.moving = nil, nil, 0
	m.asked, m.asking = time.Time{}, false
	m.incidents, m.keys, m.recent, m.members = map[string]*incident.State{}, map[string]string{}, map[string]string{}, map[string][]string{}
	m.dirty, m.own, m.tx = map[string]bool{}, nil, nil
	m.recall(mem, now)
}

// Floor: an event that was born at this moment or later was not here before this machine was, unless it says so.
func (m *Machine) Floor() time.Time { return m.floor }

// Knows tells whether the machine knows how long the stream of a source is.
func (m *Machine) Knows(source string) bool { _, ok := m.lengths[source]; return ok }

// Holds gives the incident that the machine holds, or nil. It must not be changed, nor kept.
func (m *Machine) Holds(id string) *incident.State { return m.incidents[id] }

// Waiting tells how many events wait, and how many runs go on because of events.
func (m *Machine) Waiting() (pending, runs int) { return len(m.pending), len(m.active) }

// NextWake tells when a Tick is due; zero is never.
func (m *Machine) NextWake() time.Time {
	if m.down != nil {
		return time.Time{}
	}
	return m.agenda.next()
}

// Handle takes an input. The outputs are to be done in order.
func (m *Machine) Handle(in Input, now time.Time) []Output {
	now = now.UTC().Truncate(time.Microsecond)
	switch x := in.(type) {
	case Committed:
		m.committed(x)
	case Reloaded:
		m.reset(x.Memory, now)
	default:
		if m.down != nil {
			m.refuse(in)
			break
		}
		m.handle(in, now)
		m.settle(now)
		m.flush(now)
		m.evict()
	}
	out := m.out
	m.out = nil
	return out
}

func (m *Machine) handle(in Input, now time.Time) {
	switch x := in.(type) {
	case Accepted:
		m.accept(x, now)
	case Replayed:
		m.replay(x, now)
	case Began:
		m.began(x, now)
	case Delayed:
		m.delayed(x)
	case Ended:
		m.ended(x, now)
	case Parked:
		m.park(x, now)
	case Woken:
		m.woken(x)
	case Change:
		m.change(x, now)
	case OpenNew:
		m.openFor(x, now)
	case Merge:
		m.mergeFor(x, now)
	case Split:
		m.splitFor(x, now)
	case Govern:
		m.rules = x.Rules
		m.askSoon(now)
	case Tick:
		m.tick(now)
	}
}

// settle decides tend's own events, and lets begin what has room.
func (m *Machine) settle(now time.Time) {
	for i := 0; i < len(m.own); i++ { // deciding about one may bring about another
		it := m.own[i]
		it.Match, it.Notes = m.rules.Match(&it.Event)
		m.decide(&it, now)
	}
	m.own = nil
	m.pump(now)
}

func (m *Machine) emit(o Output) { m.out = append(m.out, o) }

func (m *Machine) open() *tx {
	if m.tx == nil {
		m.tx = &tx{rows: map[store.Key]*store.Row{}}
	}
	return m.tx
}

func (t *tx) fact(stream string, p entry.Payload) {
	t.facts = append(t.facts, ledger.Fact{Stream: stream, Payload: p})
}

func (t *tx) row(r store.Row) { t.put(r.Key, &r) }

func (t *tx) drop(k store.Key) { t.put(k, nil) }

func (t *tx) put(k store.Key, r *store.Row) {
	if _, ok := t.rows[k]; !ok {
		t.keys = append(t.keys, k)
	}
	t.rows[k] = r
}

// flush commits what was decided. Replies without facts wait for the commits before them: what they tell must be durable.
func (m *Machine) flush(now time.Time) {
	m.rowsOfIncidents()
	t := m.tx
	m.tx = nil
	if t == nil {
		return
	}
	if len(t.facts) == 0 && len(t.keys) == 0 {
		if n := len(m.order); n > 0 {
			last := m.sent[m.order[n-1]]
			last.replies, last.after = append(last.replies, t.replies...), append(last.after, t.after...)
			return
		}
		m.answer(t)
		return
	}
	b := ledger.Batch{At: now, Facts: t.facts, Line: m.line}
	for _, k := range t.keys {
		if r := t.rows[k]; r != nil {
			b.Rows = append(b.Rows, *r)
		} else {
			b.Delete = append(b.Delete, k)
		}
	}
	m.batch++
	m.sent[m.batch] = t
	m.order = append(m.order, m.batch)
	m.emit(Commit{ID: m.batch, Batch: b})
}

func (m *Machine) answer(t *tx) {
	for _, r := range t.replies {
		m.emit(r)
	}
	for _, o := range t.after {
		m.emit(o)
	}
}

func (m *Machine) committed(x Committed) {
	t := m.sent[x.ID]
	if t == nil {
		return
	}
	delete(m.sent, x.ID)
	m.order = slices.DeleteFunc(m.order, func(n uint64) bool { return n == x.ID })
	if x.Err == nil {
		m.answer(t)
		return
	}
	for _, r := range t.replies {
		m.emit(Reply{Req: r.Req, Err: unavailable(x.Err)})
	}
	// Everything that was decided since stands on what is not there: it is forgotten, and what is stored is read again.
	if m.down == nil {
		m.down = x.Err
	}
	if len(m.order) == 0 {
		m.emit(Reload{Err: m.down})
	}
}

func unavailable(err error) error {
	var f *fault.Error
	if errors.As(err, &f) && f.Kind == fault.Unavailable {
		return err
	}
	return fault.Wrap(fault.Unavailable, err, "nothing was recorded")
}

// refuse answers while nothing can be decided. What comes from the engine is read again afterwards.
func (m *Machine) refuse(in Input) {
	var req uint64
	switch x := in.(type) {
	case Accepted:
		req = x.Req
	case Replayed:
		req = x.Req
	case Change:
		req = x.Req
	case OpenNew:
		req = x.Req
	case Merge:
		req = x.Req
	case Split:
		req = x.Req
	case Govern:
		m.rules = x.Rules
		return
	default:
		return
	}
	m.emit(Reply{Req: req, Err: unavailable(m.down)})
}

// body encodes a row's body. The types are ours: they can always be encoded.
func body(v any) []byte {
	b, err := value.Canonical(v)
	if err != nil {
		return []byte("{}")
	}
	return b
}

// tick does what is due.
func (m *Machine) tick(now time.Time) {
	for {
		w, ok := m.agenda.due(now)
		if !ok {
			return
		}
		switch w.what {
		case dueTicket:
			m.dueTicket(w.id, now)
		case dueIncident:
			m.dueIncident(w.id, now)
		case dueAsk:
			m.asking = false
			m.ask(now)
		}
	}
}

func (m *Machine) dueTicket(id string, now time.Time) {
	t := m.pending[id]
	if t == nil {
		return
	}
	if late := t.deadline(); !late.IsZero() && !now.Before(late) {
		m.stale(t, now)
		return
	}
	if t.where == held && !now.Before(t.notBefore) {
		m.retry(t, now)
		return
	}
	m.remind(t)
}

// askEvery is how often changed rules are asked about everything that is held: in a storm that is much, and they change.
const askEvery = 5 * time.Second

func (m *Machine) askSoon(now time.Time) {
	switch next := m.asked.Add(askEvery); {
	case m.asking:
	case now.Before(next):
		m.asking = true
		m.agenda.add(next, dueAsk, "")
	default:
		m.ask(now)
	}
}

// ask lets held tickets be judged by new rules.
func (m *Machine) ask(now time.Time) {
	m.asked = now
	var list []*Ticket
	for _, t := range m.pending {
		if t.where == held {
			list = append(list, t)
		}
	}
	slices.SortFunc(list, before)
	for _, t := range list {
		m.retry(t, now)
	}
}

// remember keeps what became of an event, for repeats.
func (m *Machine) remember(id string, d *entry.EventDecided) {
	if _, ok := m.seen[id]; !ok {
		m.history = append(m.history, id)
	}
	m.seen[id] = d
}

// evict forgets the oldest when there are too many, between inputs: the store is asked for them from then on.
func (m *Machine) evict() {
	if len(m.history) <= m.limits.Seen {
		return
	}
	old := m.history[:m.limits.Seen/4]
	for _, x := range old {
		delete(m.seen, x)
		if b := birth(x); !b.Before(m.floor) {
			m.floor = b.Add(time.Millisecond)
		}
	}
	m.history = append([]string(nil), m.history[len(old):]...)
}

// ReceiptOf tells a decision as its sender hears it.
func ReceiptOf(id string, d *entry.EventDecided) Receipt {
	return Receipt{
		Event: id, Outcome: event.Outcome(d.Outcome), Run: d.Run, Incident: d.Incident, Trigger: d.Trigger, Why: d.Why, Until: d.Until,
	}
}
