package dispatch

import (
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/incident"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/trigger"
)

// Receipt tells the sender of an event what became of it. For one that was here before it tells that, and what it was.
type Receipt struct {
	Event    string        `json:"event"`
	Outcome  event.Outcome `json:"outcome"`
	Was      event.Outcome `json:"was,omitempty"` // duplicate: what became of the first one
	Run      string        `json:"run,omitempty"`
	Incident string        `json:"incident,omitempty"`
	Trigger  string        `json:"trigger,omitempty"`
	Why      string        `json:"why,omitempty"`
	Until    time.Time     `json:"until,omitzero"`
}

// Row is the body of a row of kind "event": an event and the decision that counts. Its data is in the stream, at Seq.
type Row struct {
	At       time.Time          `json:"at"`
	Cause    string             `json:"cause,omitempty"`
	Decision entry.EventDecided `json:"decision"`
	Group    string             `json:"group,omitempty"`
	Key      string             `json:"key"`
	Kind     string             `json:"kind"`
	Labels   map[string]string  `json:"labels,omitempty"`
	Priority int                `json:"priority,omitempty"`
	Seq      uint64             `json:"seq"`
	Source   string             `json:"source"`
	Status   event.Status       `json:"status,omitempty"`
	Trace    string             `json:"trace,omitempty"` // W3C traceparent that the event came with
	Until    time.Time          `json:"until,omitzero"`
}

// Ticket is an event that a trigger took, while it waits or its run goes on. It is the body of rows of kinds "pending" (by
// event), "started" (by run) and "waking" (by event).
type Ticket struct {
	Event    string          `json:"event"`
	Name     string          `json:"name,omitempty"`
	Outcome  trigger.Outcome `json:"outcome"`
	Project  string          `json:"project"`
	Received time.Time       `json:"received"`
	Row      Row             `json:"row"`
	Run      string          `json:"run,omitempty"`

	where     place
	notBefore time.Time
	parked    bool           // its run waits for people: it takes no room
	delayed   bool           // the engine could not take it yet
	again     bool           // it was offered to runs before
	judged    bool           // the gate counted it
	asked     int            // how often a guard held it that did not say until when
	data      map[string]any // of the event, until its run was asked for
}

// place is where a ticket waits.
type place int

const (
	nowhere place = iota
	ready         // for room
	blocked       // for a run with the same slot
	held          // for a guard
)

func (t *Ticket) deadline() time.Time {
	if t.Outcome.StartWithin <= 0 {
		return time.Time{}
	}
	return t.Row.At.Add(t.Outcome.StartWithin)
}

func (t *Ticket) slot() string {
	return t.Project + "\x00" + t.Outcome.Trigger + "\x00" + t.Outcome.Slot
}

// Item is an event with everything that must be known to decide about it.
type Item struct {
	Event    event.Event
	Ref      *entry.Ref // of its data, when that is in a blob
	Match    *trigger.Outcome
	Notes    []string  // why triggers could not be evaluated
	Cause    string    // the run that brought it about
	Chain    []string  // the triggers that led to it, oldest first
	Known    *Row      // its row, when it was here before
	Looked   bool      // whether the store was asked for it
	Length   uint64    // of the stream of its source
	Counted  bool      // whether Length was looked up
	Received time.Time // replays: when it came
}

// Input is something that happened.
type Input interface{ input() }

// Accepted is a message that somebody waits to have acknowledged.
type Accepted struct {
	Req   uint64
	Items []Item
}

// Replayed decides about an event again, because a person asked.
type Replayed struct {
	Req    uint64
	Item   Item
	By     entry.Who
	Anyway bool // also when it is too old
}

// Committed answers Commit.
type Committed struct {
	ID  uint64
	Err error
}

// Began answers StartRun: the run is durable, or will never be.
type Began struct {
	Run string
	Err error
}

// Delayed says that a run cannot be started yet; it is tried on.
type Delayed struct {
	Run string
	Why string
}

// Ended says that a run is over.
type Ended struct {
	Run    string
	Status string
	Why    string
}

// Parked says that a run waits for people, or that it goes on.
type Parked struct {
	Run string
	Why string // what it waits for; "" is nothing
}

// Woken answers Wake.
type Woken struct {
	Event string
	Runs  []string
	Err   error
}

// Change is somebody's change of an incident.
type Change struct {
	Req     uint64
	ID      string
	State   *incident.State // when the machine may not hold it
	Version *uint64         // how many facts it had when somebody looked
	By      entry.Who
	What    string // for the audit: commented, resolved, …
	Why     string
	Apply   func(*incident.State, time.Time) ([]entry.Payload, error)
}

// OpenNew opens an incident for somebody.
type OpenNew struct {
	Req   uint64
	Start incident.Start
}

// Merge lets one incident tell the story of another.
type Merge struct {
	Req        uint64
	From, Into string
	States     map[string]*incident.State
	By         entry.Who
	Why        string
}

// Split makes an incident of some alerts of another one.
type Split struct {
	Req   uint64
	ID    string
	State *incident.State
	Start incident.Start
	Keys  []string
	Why   string
}

// Govern gives the rules that count from now on. What is held is asked again.
type Govern struct{ Rules *Rules }

// Tick says that time has passed.
type Tick struct{}

// Reloaded answers Reload.
type Reloaded struct{ Memory *Memory }

func (Accepted) input()  {}
func (Replayed) input()  {}
func (Committed) input() {}
func (Began) input()     {}
func (Delayed) input()   {}
func (Ended) input()     {}
func (Parked) input()    {}
func (Woken) input()     {}
func (Change) input()    {}
func (OpenNew) input()   {}
func (Merge) input()     {}
func (Split) input()     {}
func (Govern) input()    {}
func (Tick) input()      {}
func (Reloaded) input()  {}

// Output is something to do.
type Output interface{ output() }

// Commit writes a batch and answers Committed. Commits are answered in their order.
type Commit struct {
	ID    uint64
	Batch ledger.Batch
}

// StartRun starts a run and answers Began, however often it takes. The same run may be asked for again after a restart.
type StartRun struct {
	Run    string
	Ticket Ticket
	Data   map[string]any // of the event; nil: it must be read
}

// CancelRun ends a run for a newer event.
type CancelRun struct {
	Run string
	Why string
}

// Wake hands an event to the runs that wait for it, and answers Woken.
type Wake struct {
	Ticket Ticket
	Data   map[string]any
}

// Reply answers a request: Value is []Receipt, Receipt or *incident.State.
type Reply struct {
	Req   uint64
	Value any
	Err   error
}

// Reload reads everything anew, because a commit was refused, and answers Reloaded.
type Reload struct{ Err error }

func (Commit) output()    {}
func (StartRun) output()  {}
func (CancelRun) output() {}
func (Wake) output()      {}
func (Reply) output()     {}
func (Reload) output()    {}
