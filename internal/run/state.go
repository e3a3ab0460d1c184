// Package run is the mind of tend: what a run is, how facts change it (Evolve), and what should happen next (Decide).
//
// It decides and does nothing: no clock, no randomness, no file, no secret. Evolve folds one entry into the state and
// evaluates no expression; Decide looks at the state and says which facts follow, what must be evaluated (Render), which
// effects are due and what the run waits for. Replaying the entries of a run gives the same state, byte for byte.
//
// The life of a step instance:
//
//	new ─when─► ready ─render─► asked ─approved─► ready      (approval binds to what was rendered)
//	              │ ▲             held ─guard opens─► ready
//	              │ └──────────── retrying ◄──── failed, not started
//	              ▼                                  ▲
//	            acting ──result──► acted ─verify─► verifying ─► done
//	              │                                  (failed verification: failed, retried only if idempotent)
//	              └──nobody knows─► doubt ─person or probe─► acted | ready | done
//
// Guarantees: an attempt has at most one result; a doubtful outcome is repeated only as far as the step's policy or a
// person says; nothing new starts in a run that is paused, cancelled, interrupted or ended.
package run

import (
	"sort"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/value"
)

// Status of a run, as people see it.
type Status string

// The statuses.
const (
	Pending     Status = "pending"
	Running     Status = "running"
	Waiting     Status = "waiting"
	Paused      Status = "paused"
	Cancelling  Status = "cancelling"
	Undoing     Status = "undoing"
	Interrupted Status = "interrupted"
	Succeeded   Status = "succeeded"
	Failed      Status = "failed"
	Cancelled   Status = "cancelled"
	InDoubt     Status = "in-doubt"
	Quarantined Status = "quarantined"
)

// Statuses lists all of them.
func Statuses() []Status {
	return []Status{Pending, Running, Waiting, Paused, Cancelling, Undoing, Interrupted, Succeeded, Failed, Cancelled, InDoubt, Quarantined}
}

// Ended tells whether s is final.
func (s Status) Ended() bool {
	switch s {
	case Succeeded, Failed, Cancelled, Quarantined:
		return true
	case Pending, Running, Waiting, Paused, Cancelling, Undoing, Interrupted, InDoubt:
		return false
	}
	return false
}

// Phase of a node instance.
type Phase string

// The phases. See the package comment.
const (
	PhaseNew       Phase = ""
	PhaseReady     Phase = "ready"
	PhaseAsked     Phase = "asked"
	PhaseHeld      Phase = "held"
	PhaseActing    Phase = "acting"
	PhaseActed     Phase = "acted"
	PhaseVerifying Phase = "verifying"
	PhaseFailed    Phase = "failed-attempt"
	PhaseRetrying  Phase = "retrying"
	PhaseDoubt     Phase = "doubt"
	PhaseDoubted   Phase = "doubt-asked"
	PhaseWaiting   Phase = "waiting"
	PhaseTask      Phase = "task"
	PhaseChild     Phase = "child"
	PhaseLock      Phase = "lock"
	PhaseOpen      Phase = "open" // a block whose children run
	PhaseDone      Phase = "done"
)

// Sections of a block and of the playbook.
const (
	sectionBody    = ""
	sectionUndo    = "undo"
	sectionCatch   = "catch"
	sectionFinally = "finally"
	sectionOver    = "over"
)

// Outcomes of nodes, besides entry.Succeeded and entry.Failed.
const (
	outcomeSkipped = "skipped"
	outcomeCaught  = "caught" // failed, and the failure was ignored
)

// State is what the entries of a run add up to. It is plain data: its canonical JSON is what replay must reproduce.
type State struct {
	ID          string                 `json:"id"`
	Length      uint64                 `json:"length"` // entries folded so far
	Created     *entry.RunCreated      `json:"created,omitempty"`
	CreatedAt   time.Time              `json:"createdAt,omitzero"`
	StartedAt   time.Time              `json:"startedAt,omitzero"`
	Params      value.Object           `json:"params,omitempty"`
	Interrupted string                 `json:"interrupted,omitempty"`
	Paused      *entry.RunPaused       `json:"paused,omitempty"`
	Cancel      *entry.CancelRequested `json:"cancel,omitempty"`
	Restored    string                 `json:"restored,omitempty"` // the store went back in time: the next mutation is in doubt
	Stepping    bool                   `json:"stepping,omitempty"`
	Permitted   string                 `json:"permitted,omitempty"` // path that may begin although the run is stepping
	Skips       map[string]entry.Who   `json:"skips,omitempty"`
	Root        *Node                  `json:"root"`
	Nodes       map[string]*Node       `json:"nodes,omitempty"`
	Recalled    map[string]*Node       `json:"recalled,omitempty"` // what instances take up that are to come: see Carry
	Outputs     map[string]Output      `json:"outputs,omitempty"`  // by step id
	Merged      value.Object           `json:"merged,omitempty"`   // older dialect: outputs' keys at the root
	Stats       map[string]Stat        `json:"stats,omitempty"`    // by step id
	Undo        []UndoItem             `json:"undo,omitempty"`
	Doubts      []string               `json:"doubts,omitempty"`
	Handled     map[string]*Node       `json:"handled,omitempty"`  // steps in doubt whose failure was handled or ignored
	Observed    int                    `json:"observed,omitempty"` // effects that would have begun
	Called      []string               `json:"called,omitempty"`   // events whose callback was used
	Undone      *entry.UndoEnded       `json:"undone,omitempty"`
	End         *entry.RunEnded        `json:"end,omitempty"`
	EndedAt     time.Time              `json:"endedAt,omitzero"`
	Quarantine  *entry.RunQuarantined  `json:"quarantine,omitempty"`

	prog   *program.Program
	defs   map[string]*program.Node
	hides  bool  // something in parameters or outputs is sealed
	coming *Node // see fresh
}

// Node is the live instance of a step, a block or an iteration. Instances of what is over are forgotten, except those on
// the way to a failure.
type Node struct {
	Path     string       `json:"path"`
	Phase    Phase        `json:"phase,omitempty"`
	Outcome  string       `json:"outcome,omitempty"`
	Fault    *entry.Fault `json:"fault,omitempty"`
	Attempt  int          `json:"attempt,omitempty"`
	Lost     bool         `json:"lost,omitempty"` // the process that acted is gone
	Since    time.Time    `json:"since,omitzero"` // when the phase began
	Due      time.Time    `json:"due,omitzero"`   // retry, hold, wait, next poll
	Deadline time.Time    `json:"deadline,omitzero"`
	Task     string       `json:"task,omitempty"`
	Level    int          `json:"level,omitempty"`   // how often its task was escalated
	Asked    entry.Hash   `json:"asked,omitzero"`    // hash that the open approval is about
	Approved entry.Hash   `json:"approved,omitzero"` // hash that people approved
	Shown    *entry.Shown `json:"shown,omitempty"`   // what was asked about with it
	Again    int          `json:"again,omitempty"`   // how often a person said "do it again"
	Probed   bool         `json:"probed,omitempty"`
	Prepared bool         `json:"prepared,omitempty"` // its undo is on the stack, or there is none
	Intent   *Intent      `json:"intent,omitempty"`   // of the attempt in flight
	Output   *Output      `json:"output,omitempty"`   // of helpers: verify, probe, checks
	On       string       `json:"on,omitempty"`       // guard, event, runner, lock key, called run
	Carry    string       `json:"carry,omitempty"`    // the run that the called one carries on
	Alike    bool         `json:"alike,omitempty"`    // only when it is called with the same parameters
	Key      string       `json:"key,omitempty"`      // correlation key
	Why      string       `json:"why,omitempty"`
	Default  value.Object `json:"default,omitempty"`
	// Blocks and iterations.
	Begun   time.Time         `json:"begun,omitzero"` // when the block was opened
	Section string            `json:"section,omitempty"`
	Cursor  int               `json:"cursor,omitempty"`
	Body    int               `json:"body,omitempty"`    // Cursor of the body when another section began
	Stop    *entry.Fault      `json:"stop,omitempty"`    // stopWhen or a time limit ended it
	Pending *entry.Fault      `json:"pending,omitempty"` // what `finally` runs after
	Catches *entry.Fault      `json:"catches,omitempty"`
	Checked time.Time         `json:"checked,omitzero"` // stopWhen was last evaluated
	Dirty   bool              `json:"dirty,omitempty"`  // something below ended since
	Loop    *Loop             `json:"loop,omitempty"`
	Ended   map[int]bool      `json:"ended,omitempty"` // parallel: branches that are over
	Index   int64             `json:"index,omitempty"` // iteration
	ItemKey string            `json:"itemKey,omitempty"`
	Local   map[string]Output `json:"local,omitempty"` // outputs inside an iteration of a parallel loop
	Merged  value.Object      `json:"merged,omitempty"`

	def *program.Node
}

// Intent is what an attempt in flight was started with.
type Intent struct {
	Action       string       `json:"action"`
	Deadline     time.Time    `json:"deadline,omitzero"`
	Effect       string       `json:"effect"`
	Inputs       value.Object `json:"inputs,omitempty"`
	Irreversible bool         `json:"irreversible,omitempty"`
	Key          string       `json:"key"`
	Runner       string       `json:"runner,omitempty"`
	Targets      []string     `json:"targets,omitempty"`
}

// Output of a step: inline or in a blob. What of it is secret is sealed in its place (see expr.Deferred).
type Output struct {
	Ref   *entry.Ref   `json:"ref,omitempty"`
	Value value.Object `json:"value,omitempty"`

	hides bool // something in Value is sealed
}

// Stat is what expressions see under run.steps.<id>.
type Stat struct {
	Attempts int    `json:"attempts"`
	Status   string `json:"status"`
}

// Loop is the head of a running loop.
type Loop struct {
	Broke     bool         `json:"broke,omitempty"`
	Count     int64        `json:"count"`
	Failed    int64        `json:"failed,omitempty"`
	From      int64        `json:"from,omitempty"`
	List      value.Object `json:"list,omitempty"`
	Live      []int64      `json:"live,omitempty"` // indexes in flight, ascending
	Next      int64        `json:"next"`
	Range     bool         `json:"range,omitempty"`
	Ref       *entry.Ref   `json:"ref,omitempty"`
	Skipped   int64        `json:"skipped,omitempty"`
	Succeeded int64        `json:"succeeded,omitempty"`
}

// UndoItem is a succeeded step that can be undone, or says why not.
type UndoItem struct {
	Fault   *entry.Fault `json:"fault,omitempty"` // its undo could not be prepared
	Inputs  value.Object `json:"inputs,omitempty"`
	None    string       `json:"none,omitempty"`
	Path    string       `json:"path"`
	Runner  string       `json:"runner,omitempty"`
	State   string       `json:"state,omitempty"` // "", undone, failed
	Targets []string     `json:"targets,omitempty"`
}

// New gives the state of a run before its first entry.
func New(id string, prog *program.Program) *State {
	return &State{
		ID: id, prog: prog, Root: &Node{}, Nodes: map[string]*Node{}, Outputs: map[string]Output{},
		Merged: value.Object{}, Stats: map[string]Stat{}, Skips: map[string]entry.Who{}, defs: map[string]*program.Node{},
	}
}

// Program gives the compiled playbook that the run is pinned to.
func (s *State) Program() *program.Program { return s.prog }

// Lenient tells whether the run speaks the older dialect.
func (s *State) Lenient() bool { return s.prog.Dialect == expr.Lenient }

// Ended tells whether the run is over: Status().Ended(), without looking at its steps.
func (s *State) Ended() bool { return s.Quarantine != nil || s.End != nil }

// Status derives what people see.
func (s *State) Status() Status {
	switch {
	case s.Quarantine != nil:
		return Quarantined
	case s.End != nil:
		return Status(s.End.Status)
	case s.Created == nil, s.StartedAt.IsZero() && s.Interrupted == "" && s.Cancel == nil && s.Paused == nil:
		return Pending
	case s.Interrupted != "":
		return Interrupted
	case s.Cancel != nil:
		return Cancelling
	case s.Paused != nil:
		return Paused
	}
	live, doubt, parked := 0, 0, 0
	for _, n := range s.Nodes {
		switch n.Phase {
		case PhaseActing, PhaseVerifying, PhaseActed, PhaseFailed, PhaseDoubt, PhaseRetrying:
			live++
		case PhaseDoubted:
			doubt++
		case PhaseWaiting, PhaseTask, PhaseAsked, PhaseHeld, PhaseChild, PhaseLock:
			parked++
		case PhaseNew, PhaseReady, PhaseOpen, PhaseDone:
		}
	}
	switch {
	case doubt > 0 && live == 0:
		return InDoubt
	case parked > 0 && live == 0:
		return Waiting
	case s.Root.Section == sectionUndo:
		return Undoing
	}
	return Running
}

// InFlight lists the paths of the attempts that act now, in order.
func (s *State) InFlight() []string {
	var out []string
	for p, n := range s.Nodes {
		if n.Phase == PhaseActing {
			out = append(out, p)
		}
	}
	sort.Strings(out)
	return out
}

// OpenTasks lists the tasks that the run waits for, by path.
func (s *State) OpenTasks() map[string]string {
	out := map[string]string{}
	for p, n := range s.Nodes {
		if n.Task != "" {
			out[p] = n.Task
		}
	}
	return out
}

// Approvals lists the instances that wait for the approval of what they would do, or have it and have not begun, by path.
func (s *State) Approvals() []string {
	var out []string
	for p, n := range s.Nodes {
		if n.Phase == PhaseAsked || n.Phase == PhaseReady && n.Approved != (entry.Hash{}) {
			out = append(out, p)
		}
	}
	sort.Strings(out)
	return out
}

// Node gives the live instance at path, or nil.
func (s *State) Node(path string) *Node {
	if path == "" {
		return s.Root
	}
	return s.Nodes[path]
}

// Def gives the definition of the instance, or nil for iterations and the root.
func (n *Node) Def() *program.Node { return n.def }
