package entry

import (
	"time"

	"github.com/tendhq/tend/internal/value"
)

// What a server writes besides its runs: events and what became of them, incidents, messages, schedules, and who was let
// do what. Package ledger appends these, never the engine.

// EventReceived: something came in from outside. It stands in event/SOURCE, with the decision that was made in the same
// commit; a later decision about the same event is an EventDecided.
type EventReceived struct {
	At       time.Time    `json:"at"`              // when it happened, by the source's clock
	Cause    string       `json:"cause,omitempty"` // the run that brought it about
	Data     value.Object `json:"data,omitempty"`
	Decision EventDecided `json:"decision"`
	Group    string       `json:"group,omitempty"`
	ID       string       `json:"id"`
	Key      string       `json:"key"`
	Labels   value.Object `json:"labels,omitempty"`
	Name     string       `json:"name,omitempty"`
	Priority int          `json:"priority,omitempty"`
	Project  string       `json:"project"`
	Ref      *Ref         `json:"ref,omitempty"` // of Data, when it is large; in the blob group of the event's id
	Source   string       `json:"source"`
	Status   string       `json:"status,omitempty"` // firing, resolved, vanished
	Trace    string       `json:"trace,omitempty"`  // W3C traceparent that it came with
	Type     string       `json:"type"`             // alert, push, tick, …
	Until    time.Time    `json:"until,omitzero"`
}

// EventDecided: what becomes of an event. The last one of an event counts.
type EventDecided struct {
	By       *Who      `json:"by,omitempty"`    // the person who replayed it
	Chain    []string  `json:"chain,omitempty"` // the triggers that led to it, oldest first: event → run → event
	Event    string    `json:"event,omitempty"` // left out inside of EventReceived
	Guard    string    `json:"guard,omitempty"` // the one that holds or refuses
	Incident string    `json:"incident,omitempty"`
	Outcome  string    `json:"outcome"`
	Playbook string    `json:"playbook,omitempty"`
	Run      string    `json:"run,omitempty"`
	Trigger  string    `json:"trigger,omitempty"`
	Until    time.Time `json:"until,omitzero"` // held: until when; queued: when it is too old
	Why      string    `json:"why"`
}

// Link is a named address.
type Link struct {
	Name string `json:"name,omitempty"`
	URL  string `json:"url"`
}

// IncidentOpened is the first entry of an incident's stream.
type IncidentOpened struct {
	By       Who          `json:"by"`
	Event    string       `json:"event,omitempty"` // what opened it
	ID       string       `json:"id"`
	Key      string       `json:"key,omitempty"` // events with the same key join it while it is open
	Labels   value.Object `json:"labels,omitempty"`
	Links    []Link       `json:"links,omitempty"`
	Project  string       `json:"project"`
	Resolves bool         `json:"resolves,omitempty"` // it resolves when all of its alerts have
	Severity string       `json:"severity"`
	Summary  string       `json:"summary,omitempty"`
	Title    string       `json:"title"`
	Trigger  string       `json:"trigger,omitempty"`
	Update   int64        `json:"update,omitempty"` // seconds after which an update is due; 0: by severity
}

// IncidentJoined: an event belongs to the incident.
type IncidentJoined struct {
	Event  string `json:"event"`
	Group  string `json:"group,omitempty"`
	Name   string `json:"name,omitempty"`
	Source string `json:"source"`
	Status string `json:"status,omitempty"` // firing, resolved
}

// IncidentUpdated changes what is there; what is left out stays. Empty lists and texts take away.
type IncidentUpdated struct {
	By           Who          `json:"by"`
	Commander    *string      `json:"commander,omitempty"`
	Labels       value.Object `json:"labels,omitempty"` // added to those that are there; null takes one away
	Links        *[]Link      `json:"links,omitempty"`
	Next         *string      `json:"next,omitempty"`   // the next step
	NextBy       *time.Time   `json:"nextBy,omitempty"` // when it is expected; zero: not said
	Responders   *[]string    `json:"responders,omitempty"`
	Severity     *string      `json:"severity,omitempty"`
	Stakeholders *[]string    `json:"stakeholders,omitempty"`
	Status       *string      `json:"status,omitempty"` // open, acknowledged, mitigated
	Summary      *string      `json:"summary,omitempty"`
	Title        *string      `json:"title,omitempty"`
	Why          string       `json:"why,omitempty"`
}

// IncidentCommented is a remark of a person or a playbook.
type IncidentCommented struct {
	By   Who    `json:"by"`
	Once string `json:"once,omitempty"` // a repeat of the same step
	Text string `json:"text"`
}

// IncidentPaged: somebody was called.
type IncidentPaged struct {
	By      Who      `json:"by"`
	Message string   `json:"message,omitempty"`
	Once    string   `json:"once,omitempty"` // a repeat of the same step
	Targets []string `json:"targets"`
}

// IncidentMerged stands in both streams: in the one that ended with Into, in the other with From and what it takes over.
type IncidentMerged struct {
	By      Who              `json:"by"`
	From    string           `json:"from,omitempty"`
	Into    string           `json:"into,omitempty"`
	Keys    []string         `json:"keys,omitempty"`
	Members []IncidentJoined `json:"members,omitempty"`
	Runs    []string         `json:"runs,omitempty"` // that go on
	Why     string           `json:"why,omitempty"`
}

// IncidentSplit stands in both streams: some alerts of one incident are a story of their own.
type IncidentSplit struct {
	By      Who              `json:"by"`
	From    string           `json:"from,omitempty"` // in the stream of the new one
	Into    string           `json:"into,omitempty"` // in the stream of the old one
	Members []IncidentJoined `json:"members"`        // what moves, as it stands: firing or resolved
	Why     string           `json:"why,omitempty"`
}

// IncidentResolved ends an incident, until it is reopened.
type IncidentResolved struct {
	By    Who    `json:"by"`
	Event string `json:"event,omitempty"` // the last alert that resolved
	Why   string `json:"why,omitempty"`
}

// IncidentReopened: it was not over.
type IncidentReopened struct {
	By    Who    `json:"by"`
	Event string `json:"event,omitempty"`
	Why   string `json:"why,omitempty"`
}

// IncidentRan: a run for the incident began or ended.
type IncidentRan struct {
	Event    string `json:"event,omitempty"`
	Playbook string `json:"playbook"`
	Run      string `json:"run"`
	Status   string `json:"status"` // started, succeeded, failed, cancelled, not-started
	Why      string `json:"why,omitempty"`
}

// IncidentItem is something to do afterwards; the last entry with its id counts.
type IncidentItem struct {
	By    Who       `json:"by"`
	Done  bool      `json:"done,omitempty"`
	Due   time.Time `json:"due,omitzero"`
	ID    string    `json:"id"`
	Kept  string    `json:"kept,omitempty"` // why it is no issue of a repository, and stays here
	Owner string    `json:"owner,omitempty"`
	Text  string    `json:"text"`
	URL   string    `json:"url,omitempty"` // of the issue that was made of it
}

// IncidentReminded: an update was due and did not come.
type IncidentReminded struct {
	Due time.Time `json:"due"`
}

// MessageQueued: something is to be told. It is written in the same commit as what it tells about.
type MessageQueued struct {
	Body     value.Object `json:"body"`
	Channel  string       `json:"channel"` // the configured way: slack/ops, email/team
	Event    string       `json:"event,omitempty"`
	ID       string       `json:"id"`
	Incident string       `json:"incident,omitempty"`
	Once     string       `json:"once,omitempty"` // a message with the same mark is the same message
	Priority int          `json:"priority,omitempty"`
	Project  string       `json:"project"`
	Run      string       `json:"run,omitempty"`
	Thread   string       `json:"thread,omitempty"` // messages of one thread go out in order
	To       []string     `json:"to,omitempty"`
	Type     string       `json:"type"` // what kind of news
}

// MessageSent: the other side took it.
type MessageSent struct {
	Attempt int          `json:"attempt"`
	ID      string       `json:"id"`
	Remote  value.Object `json:"remote,omitempty"` // how the other side names it
}

// MessageFailed: an attempt did not get through. Final: there is no other.
type MessageFailed struct {
	Attempt   int       `json:"attempt"`
	Fault     Fault     `json:"fault"`
	Final     bool      `json:"final,omitempty"`
	ID        string    `json:"id"`
	NotBefore time.Time `json:"notBefore,omitzero"`
}

// MessageDropped: it is not sent, because another one says it too, or there was too much.
type MessageDropped struct {
	ID  string `json:"id"`
	Why string `json:"why"`
}

// ScheduleTicked: the time of a schedule came, or of one that watches for silence.
type ScheduleTicked struct {
	At     time.Time `json:"at"`              // the time that came
	Event  string    `json:"event,omitempty"` // what it brought about; "" when it was passed over
	Missed int64     `json:"missed,omitempty"`
	Name   string    `json:"name"`
	Why    string    `json:"why,omitempty"`
}

// AccessDecided: somebody was let do something, or was not.
type AccessDecided struct {
	Allowed bool   `json:"allowed"`
	By      Who    `json:"by"`
	Object  string `json:"object,omitempty"`
	Of      string `json:"of,omitempty"` // what kind of object: run, task, token, …
	Project string `json:"project,omitempty"`
	Verb    string `json:"verb"`
	Why     string `json:"why,omitempty"` // the rule that said so
}

// Kind implements Payload.
func (*EventReceived) Kind() Kind { return KindEventReceived }

// Kind implements Payload.
func (*EventDecided) Kind() Kind { return KindEventDecided }

// Kind implements Payload.
func (*IncidentOpened) Kind() Kind { return KindIncidentOpened }

// Kind implements Payload.
func (*IncidentJoined) Kind() Kind { return KindIncidentJoined }

// Kind implements Payload.
func (*IncidentUpdated) Kind() Kind { return KindIncidentUpdated }

// Kind implements Payload.
func (*IncidentCommented) Kind() Kind { return KindIncidentCommented }

// Kind implements Payload.
func (*IncidentPaged) Kind() Kind { return KindIncidentPaged }

// Kind implements Payload.
func (*IncidentMerged) Kind() Kind { return KindIncidentMerged }

// Kind implements Payload.
func (*IncidentSplit) Kind() Kind { return KindIncidentSplit }

// Kind implements Payload.
func (*IncidentResolved) Kind() Kind { return KindIncidentResolved }

// Kind implements Payload.
func (*IncidentReopened) Kind() Kind { return KindIncidentReopened }

// Kind implements Payload.
func (*IncidentRan) Kind() Kind { return KindIncidentRan }

// Kind implements Payload.
func (*IncidentItem) Kind() Kind { return KindIncidentItem }

// Kind implements Payload.
func (*IncidentReminded) Kind() Kind { return KindIncidentReminded }

// Kind implements Payload.
func (*MessageQueued) Kind() Kind { return KindMessageQueued }

// Kind implements Payload.
func (*MessageSent) Kind() Kind { return KindMessageSent }

// Kind implements Payload.
func (*MessageFailed) Kind() Kind { return KindMessageFailed }

// Kind implements Payload.
func (*MessageDropped) Kind() Kind { return KindMessageDropped }

// Kind implements Payload.
func (*ScheduleTicked) Kind() Kind { return KindScheduleTicked }

// Kind implements Payload.
func (*AccessDecided) Kind() Kind { return KindAccessDecided }
