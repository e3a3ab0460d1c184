package wire

import (
	"time"

	"github.com/tendhq/tend/internal/dispatch"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/incident"
	"github.com/tendhq/tend/internal/value"
)

// Report is an event that somebody tells by hand.
type Report struct {
	Data     value.Object      `json:"data,omitempty" doc:"What playbooks see as event."`
	Group    string            `json:"group,omitempty" doc:"What belongs together; without it the key."`
	Key      string            `json:"key" minLength:"1" maxLength:"1024" doc:"The same key again is the same event."`
	Kind     string            `json:"kind" minLength:"1" maxLength:"64" doc:"alert, webhook, person, …"`
	Labels   map[string]string `json:"labels,omitempty" doc:"What triggers select by."`
	Name     string            `json:"name,omitempty" maxLength:"200" doc:"For people."`
	Priority int               `json:"priority,omitempty" minimum:"-1000" maximum:"1000" doc:"A greater one goes first when there is too much."`
	Status   string            `json:"status,omitempty" enum:"firing,resolved,vanished" doc:"Of what begins and ends."`
}

// Reports are events, in order.
type Reports struct {
	Events []Report `json:"events" minItems:"1" maxItems:"1000"`
}

// Receipts tell what became of events, in their order.
type Receipts struct {
	Receipts []Receipt `json:"receipts"`
}

// Receipt tells what became of an event.
type Receipt = dispatch.Receipt

// EventDetail is an event with the decision that counts.
type EventDetail struct {
	event.Event

	Chain    []string   `json:"chain,omitempty" doc:"The triggers that led to it, oldest first: event, run, event."`
	Decision Receipt    `json:"decision"`
	Guard    string     `json:"guard,omitempty" doc:"The one that holds or refuses."`
	Playbook string     `json:"playbook,omitempty" doc:"The one that the trigger is for."`
	Again    *entry.Who `json:"again,omitempty" doc:"Who asked for the decision, when somebody asked again."`
	Seq      uint64     `json:"seq" doc:"Where it stands in the stream of its source."`
}

// Replay asks to decide about an event again.
type Replay struct {
	Anyway bool `json:"anyway,omitempty" doc:"Also when it is too old for the trigger."`
}

// Incident is an incident, with its alerts and its timeline.
type Incident struct {
	incident.Document
}

// IncidentOpen asks for a new incident.
type IncidentOpen struct {
	Key      string            `json:"key,omitempty" maxLength:"1024" doc:"Events with the same key join it; an open one with the key is given in its place."`
	Labels   map[string]string `json:"labels,omitempty"`
	Links    []entry.Link      `json:"links,omitempty"`
	Project  string            `json:"project,omitempty" doc:"Without it default."`
	Severity string            `json:"severity" doc:"critical, major, minor or info."`
	Summary  string            `json:"summary,omitempty"`
	Title    string            `json:"title"`
}

// IncidentChange changes what is there; what is left out stays.
type IncidentChange struct {
	Commander    *string            `json:"commander,omitempty"`
	Labels       map[string]*string `json:"labels,omitempty" doc:"Added to those that are there; null takes one away."`
	Links        *[]entry.Link      `json:"links,omitempty"`
	Next         *string            `json:"next,omitempty" doc:"The next step."`
	NextBy       *time.Time         `json:"nextBy,omitempty" doc:"When it is expected."`
	Responders   *[]string          `json:"responders,omitempty"`
	Severity     *string            `json:"severity,omitempty" doc:"critical, major, minor or info."`
	Stakeholders *[]string          `json:"stakeholders,omitempty"`
	Status       *string            `json:"status,omitempty" doc:"open, acknowledged or mitigated."`
	Summary      *string            `json:"summary,omitempty"`
	Title        *string            `json:"title,omitempty"`
	Why          string             `json:"why,omitempty"`
}

// Comment is a remark.
type Comment struct {
	Text string `json:"text"`
}

// PageOut says who is called.
type PageOut struct {
	Message string   `json:"message,omitempty"`
	Targets []string `json:"targets" doc:"Who is called."`
}

// IncidentMerge names the incident that tells the story from now on.
type IncidentMerge struct {
	Into string `json:"into"`
	Why  string `json:"why,omitempty"`
}

// IncidentSplit names the alerts that become an incident of their own.
type IncidentSplit struct {
	Members  []IncidentMember `json:"members" minItems:"1"`
	Severity string           `json:"severity,omitempty" doc:"Without it that of the incident."`
	Title    string           `json:"title"`
	Why      string           `json:"why,omitempty"`
}

// IncidentMember names an alert within an incident.
type IncidentMember struct {
	Group  string `json:"group"`
	Source string `json:"source"`
}

// Reason says why.
type Reason struct {
	Why string `json:"why,omitempty"`
}

// ActionItem is something to do afterwards. Without an id it is a new one.
type ActionItem struct {
	Done  bool      `json:"done,omitempty"`
	Due   time.Time `json:"due,omitzero"`
	ID    string    `json:"id,omitempty" maxLength:"64"`
	Owner string    `json:"owner,omitempty"`
	Text  string    `json:"text,omitempty" doc:"Needed for a new one."`
	URL   string    `json:"url,omitempty" doc:"Of the issue that was made of it."`
}
