// Package event is what comes from outside: an alert, a webhook, a tick of a schedule, a button, a message. It says how an
// event is named, so that a repeat is recognised, and what can become of it.
//
// It decides nothing and reads nothing: sources decode (package trigger and its children), dispatch decides.
package event

import (
	"crypto/sha256"
	"time"

	"github.com/tendhq/tend/internal/id"
)

// Event is one thing that happened elsewhere, as its source told it.
type Event struct {
	At       time.Time         `json:"at"`                 // when it happened, by the source's clock
	Cause    string            `json:"cause,omitempty"`    // the run that brought it about, where its source can tell
	Data     map[string]any    `json:"data,omitempty"`     // what playbooks see as `event`
	Group    string            `json:"group,omitempty"`    // what belongs together: one alert over its life, one branch, one host
	ID       string            `json:"id"`                 // evt_…, derived: see ID
	Key      string            `json:"key"`                // the same key from the same source is the same event
	Kind     string            `json:"kind"`               // alert, push, pipeline, tick, absence, webhook, incident, run, person, …
	Labels   map[string]string `json:"labels,omitempty"`   // what triggers select by, beside Data
	Name     string            `json:"name,omitempty"`     // for people: the alert's name, the repository, the schedule
	Priority int               `json:"priority,omitempty"` // higher goes first when there is too much; 0 is usual
	Project  string            `json:"project"`
	Source   string            `json:"source"`           // the configured name of where it came from
	Status   Status            `json:"status,omitempty"` // of what can begin and end
	Trace    string            `json:"trace,omitempty"`  // W3C traceparent that it came with: what it leads to stands there
	Until    time.Time         `json:"until,omitzero"`   // when it ended, by the source's clock
}

// Status of an event that can begin and end. Others have none.
type Status string

// The statuses.
const (
	Firing   Status = "firing"
	Resolved Status = "resolved"
	Vanished Status = "vanished" // it ended because nothing is measured any more: that is no repair
)

// Over tells whether what has this status does not go on.
func (s Status) Over() bool { return s == Resolved || s == Vanished }

// ID names an event by its project, source and key: a repeat has the same id. The time of birth in the id is that of the
// event, so that ids sort by age.
func ID(project, source, key string, at time.Time) string {
	s := sha256.Sum256([]byte(project + "\x00" + source))
	return id.Derive("evt", string(s[:]), key, at)
}

// Outcome is what became of an event.
type Outcome string

// The outcomes. Every event that was accepted has one.
const (
	Started   Outcome = "started"   // a run began
	Joined    Outcome = "joined"    // it belongs to an open incident, or to a run that goes on already
	Held      Outcome = "held"      // a guard says: not now
	Queued    Outcome = "queued"    // it waits its turn
	Unmatched Outcome = "unmatched" // no trigger selects it
	Stale     Outcome = "stale"     // it is too old to act on
	Duplicate Outcome = "duplicate" // it was here before
	Refused   Outcome = "refused"   // a guard or a rule says no
	Woke      Outcome = "woke"      // a waiting run goes on by it
	Resolves  Outcome = "resolves"  // it ends what an earlier one began
)

// Waiting tells whether an event with this outcome may still start something.
func (o Outcome) Waiting() bool { return o == Held || o == Queued }
