// Package engine drives runs: it feeds the pure machine (Handle), commits what it decides, and lets runners act.
//
// Only this package knows leases, timers and the order of things: an intent is durable before its effect, a result is
// recorded once, and nothing acts outside its lease. The rules are in Machine.Handle, which does no I/O; the goroutines
// around it (Engine) hold none.
package engine

import (
	"context"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/task"
)

// Service is what surfaces (the HTTP API, and through it the command line) can ask of an engine. *Engine implements it.
// Errors are of package fault: NotFound for unknown ids, Conflict for a command that the state of the run does not
// allow (with what would), Refused, Invalid, Unavailable (halted, disk full).
type Service interface {
	// Start makes a run durable and, unless the engine is halted, drives it. The id is returned after the commit.
	Start(ctx context.Context, s Start) (run string, err error)
	// Do applies a person's command to a run. It answers when the command is durable, not when its effect is over.
	Do(ctx context.Context, c Command) (Done, error)
	// Answer gives a person's answer to a task and returns what became of the task ("open": more people are needed).
	Answer(ctx context.Context, a Answer) (status string, err error)
	// Attend does with an open task what is no answer: claims, assigns or delegates it, comments on it, puts a link to it.
	Attend(ctx context.Context, task string, a task.Act) error
	// Send delivers an outside event to the runs that wait for it, by name and correlation key, and says which.
	Send(ctx context.Context, name, key string, payload map[string]any, by entry.Who) (runs []string, err error)
	// Entries reads a stream, verified.
	Entries(ctx context.Context, stream string, from uint64, limit int) ([]entry.Entry, error)
	// Rows lists runs ("run"), tasks ("task") and other rows; their bodies are RunRow, TaskRow in JSON.
	Rows(ctx context.Context, f store.Filter) (store.Page, error)
	// Follow sends the entries of a run from Seq from on, then what comes, with live log chunks and Idle marks, until ctx
	// ends or the run has ended (the channel is closed then). A slow reader loses log chunks (Update.Dropped), never entries.
	Follow(ctx context.Context, run string, from uint64) (<-chan Update, error)
	// Program gives the compiled program of a run.
	Program(ctx context.Context, run string) (*program.Program, error)
	// Blob reads a blob of a run's group.
	Blob(ctx context.Context, run string, ref entry.Ref) ([]byte, error)
	// Status tells about the engine itself.
	Status(ctx context.Context) (Status, error)
	// Unhalt lets a halted store move again. What was in flight before is in doubt and listed.
	Unhalt(ctx context.Context, by entry.Who, why string) (doubts []string, err error)
}

// Start asks for a run.
type Start struct {
	ID          string // of the run to be: one that is there already is given, and nothing begins; "" makes one
	Project     string // "" is default
	Environment string
	Program     *program.Program
	Params      map[string]any // bound: complete, typed, defaults rendered
	Event       map[string]any
	Metadata    map[string]any // what templates see as metadata besides the playbook's own
	Source      string         // file, or commit:path
	Dir         string
	By          entry.Who
	Stepping    bool
	Guards      []guard.Spec      // declared in the playbook's repository
	Labels      map[string]string // of callers: what roles can be bound by, besides the playbook's own
	Request     string            // idempotency key of the request: a repeat gives the same run; "" none
	Cause       entry.Cause
	Shown       *entry.Shown // what people approved around the call that makes it; nil: nobody was asked
	Trace       string       // W3C traceparent of the request that led to it; "" none
}

// Verb is what a person can do to a run.
type Verb string

// The verbs of Command.
const (
	Cancel   Verb = "cancel"
	Pause    Verb = "pause"
	Unpause  Verb = "unpause" // `tend runs resume` of a paused run
	Resume   Verb = "resume"  // an interrupted or parked run goes on, driven by this engine
	Permit   Verb = "permit"  // stepping: let Path begin; Path "" is whatever comes next; All ends the stepping
	Skip     Verb = "skip"    // leave Path out
	Retry    Verb = "retry"   // of an ended run: a new linked run that keeps what succeeded; of a step in doubt: do it again
	Rollback Verb = "rollback"
	Params   Verb = "params"  // change parameters for what has not succeeded yet
	Redact   Verb = "redact"  // erase Text from the run's stream and blobs
	Release  Verb = "release" // of a quarantined run: free what it holds
	Leave    Verb = "leave"   // stop driving now; the run stays interrupted (second Ctrl-C)

	retire    Verb = "retire"    // leave it when what acts has ended by itself
	interrupt Verb = "interrupt" // the process that drove it is gone
	restored  Verb = "restored"  // the store went back in time
)

// Command is a person's command.
type Command struct {
	Verb   Verb           `json:"verb"`
	Run    string         `json:"run"`
	Path   string         `json:"path,omitempty"`
	All    bool           `json:"all,omitempty"`
	Params map[string]any `json:"params,omitempty"`
	Text   string         `json:"text,omitempty"` // redact: what to erase
	By     entry.Who      `json:"by"`
	Why    string         `json:"why,omitempty"`
}

// Done says what a command did.
type Done struct {
	Run   string `json:"run,omitempty"`   // the new run of retry and rollback
	Count int    `json:"count,omitempty"` // redact: places
	Note  string `json:"note,omitempty"`
}

// Answer is a person's answer to a task. Choice: approve, reject, break-glass (approve tasks); answer with Output (ask); done,
// reject (manual); done (review); happened, not-happened, again, fail, skip (doubt). Whether somebody may break the glass is
// for who lets them in to say.
type Answer struct {
	Task   string         `json:"task"`
	Choice string         `json:"choice"`
	Output map[string]any `json:"output,omitempty"`
	By     entry.Who      `json:"by"`
	Groups []string       `json:"groups,omitempty"` // of the person, as whoever let them in knows
	Why    string         `json:"why,omitempty"`
}

// Update is one item of Follow: exactly one field is set.
type Update struct {
	Entry   *entry.Entry
	Log     *LogChunk
	Idle    *Idle // nothing moves by itself, or only by time
	Dropped int   // log chunks that this reader lost
}

// LogChunk is a piece of a step's live log: clean UTF-8, masked, whole lines where possible.
type LogChunk struct {
	Path    string
	Attempt int
	Stream  string // stdout, stderr, tend
	Text    string
	At      time.Time
}

// Idle says that nothing is in flight and what would move the run.
type Idle struct {
	Status string `json:"status"`
	Waits  []Wait `json:"waits,omitempty"`
}

// Wait is one thing that a run waits for.
type Wait struct {
	Path   string    `json:"path"`
	For    string    `json:"for"`              // task, doubt, event, time, retry, guard, lock, child, runner, permit, pause, resume
	On     string    `json:"on,omitempty"`     // id of the task, name of the event, guard, lock key, child run, runner
	Holder string    `json:"holder,omitempty"` // of a lock: the run that has it
	Until  time.Time `json:"until,omitzero"`
	Why    string    `json:"why,omitempty"` // a sentence
}

// Moves tells whether time or another run ends the wait: somebody must drive the run then.
func (w Wait) Moves() bool {
	switch w.For {
	case "time", "retry", "lock", "child", "attempt":
		return true
	case "guard":
		return !w.Until.IsZero()
	default:
		return false
	}
}

// RunRow is the body of a row of kind "run".
type RunRow struct {
	By      entry.Who    `json:"by"`
	Cause   entry.Cause  `json:"cause"`
	Ended   time.Time    `json:"ended,omitzero"`
	Fault   *entry.Fault `json:"fault,omitempty"`
	Name    string       `json:"name"`
	Source  string       `json:"source,omitempty"`
	Started time.Time    `json:"started,omitzero"`
	Status  string       `json:"status"`
	Undone  string       `json:"undone,omitempty"`
	Waits   []Wait       `json:"waits,omitempty"`
	Acting  int          `json:"acting,omitempty"` // attempts in flight beside what it waits for
	// Observed counts effects that were only recorded: the mode is to observe.
	Observed int `json:"observed,omitempty"`
	// Released tells who freed what the run held, when it is quarantined and somebody did.
	Released *Freed `json:"released,omitempty"`
}

// RequestTag is the tag of the rows of runs that somebody asked for.
func RequestTag(principal string) string { return "for:" + principal }

// Freed says who released a quarantined run.
type Freed struct {
	At  time.Time `json:"at"`
	By  entry.Who `json:"by"`
	Why string    `json:"why"`
}

// TaskRow is the body of a row of kind "task". Assignee and links are those of now, not those that it was created with.
type TaskRow struct {
	entry.TaskCreated
	Comments  []task.Comment        `json:"comments,omitempty"`
	Delegated []entry.TaskDelegated `json:"delegated,omitempty"`
	Escalated []entry.TaskEscalated `json:"escalated,omitempty"`
	Votes     []entry.TaskVoted     `json:"votes,omitempty"`
}

// Expired tells whether the time for an answer is over; the run takes note of it when something moves it.
func (r TaskRow) Expired(now time.Time) bool { return !r.Expires.IsZero() && !now.Before(r.Expires) }

// Status of the engine.
type Status struct {
	Instance string    `json:"instance"`
	Index    uint64    `json:"index"`
	Epoch    uint64    `json:"epoch"`
	Halted   string    `json:"halted,omitempty"`
	Driven   int       `json:"driven"`   // runs that this engine moves
	InFlight int       `json:"inFlight"` // attempts that act now
	Since    time.Time `json:"since"`
}
