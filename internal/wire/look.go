package wire

import (
	"time"

	"github.com/tendhq/tend/internal/history"
	"github.com/tendhq/tend/internal/panel"
	"github.com/tendhq/tend/internal/value"
)

// Glance is a run as a page shows it.
type Glance = panel.Run

// StepDetail is a step with all that it was given and gave, without the steps in it.
type StepDetail struct {
	Step  history.Step `json:"step"`
	Large value.Object `json:"large,omitempty" doc:"Its output, where that is too large to be inline."`
	// Cut tells that even that is not shown.
	Cut string `json:"cut,omitempty" doc:"Why its output is not shown."`
}

// LogLine is a line that an attempt printed.
type LogLine struct {
	At     time.Time `json:"at"`
	More   bool      `json:"more,omitempty" doc:"The next line of the same stream continues this one."`
	Stream string    `json:"stream" doc:"stdout, stderr, or tend: what tend says about the step."`
	Text   string    `json:"text"`
}

// The names of the events of the live stream, beside those of a run's stream.
const (
	EventHello   = "hello"   // who answers; the first event
	EventChanged = "changed" // something that is stored is another than before
	EventGlance  = "glance"  // the whole run
	EventDelta   = "delta"   // what changed in it
	EventLogs    = "logs"    // what attempts in flight printed, several pieces at once
	EventGone    = "gone"    // the reader may not listen any more
)

// Hello is the first event of a live stream.
type Hello struct {
	Index    uint64    `json:"index" doc:"Of the last commit."`
	Instance string    `json:"instance" doc:"Of the store: another one is another server."`
	Now      time.Time `json:"now" doc:"By the clock of the server."`
	Since    time.Time `json:"since" doc:"When its process began."`
}

// Changed tells that something was committed.
type Changed struct {
	Index uint64 `json:"index"`
}

// Found is what a search found, the best first.
type Found struct {
	Hits []Hit `json:"hits"`
	More bool  `json:"more" doc:"There may be more: not everything was looked at."`
}

// Hit is something that a search found.
type Hit struct {
	At      time.Time `json:"at,omitzero"`
	ID      string    `json:"id" doc:"Of a playbook its name."`
	Kind    string    `json:"kind" enum:"run,task,incident,event,playbook,trigger,guard,action,revision"`
	Of      string    `json:"of,omitempty" doc:"What it belongs to: of a trigger the playbook that it starts, of a task its run, of a guard, a module and a revision the repository."`
	Project string    `json:"project,omitempty"`
	Status  string    `json:"status,omitempty"`
	Text    string    `json:"text,omitempty" doc:"What else is worth knowing."`
	Title   string    `json:"title"`
}
