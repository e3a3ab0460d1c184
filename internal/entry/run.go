package entry

import (
	"time"

	"github.com/tendhq/tend/internal/value"
)

// The fields of every payload stand in the order of their JSON names: that makes their encoding canonical (a test checks
// it). A new field is optional for ever; a changed meaning is a new kind.

// Ref points to a blob (see package blob, which cannot be imported from here).
type Ref struct {
	ID   string `json:"id"`
	Salt Salt   `json:"salt"`
	Size int64  `json:"size"`
	Sum  Hash   `json:"sum"`
}

// Who is the person or machine behind an entry.
type Who struct {
	From string `json:"from,omitempty"` // address or channel
	ID   string `json:"id,omitempty"`   // user:alice@example.org, token:ci, os:root, tend; "" where only a name is known
	Name string `json:"name"`
	Via  string `json:"via,omitempty"` // terminal, inbox, api, page, slack, engine
}

// Fault is an error as it is recorded. Message never holds a secret.
type Fault struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
	Path    string `json:"path,omitempty"` // the step where it began
}

// Cause says why a run exists.
type Cause struct {
	Carry    string `json:"carry,omitempty"`    // run whose succeeded steps it continues (retry)
	Event    string `json:"event,omitempty"`    // event that started it
	For      string `json:"for,omitempty"`      // principal who asked for it, by an offer
	Incident string `json:"incident,omitempty"` // incident that it is for
	Key      string `json:"key,omitempty"`      // of the trigger: what belongs together
	Offer    string `json:"offer,omitempty"`    // playbook that was offered to whoever asked
	Parent   string `json:"parent,omitempty"`   // run that called it
	Path     string `json:"path,omitempty"`     // the calling step
	Root     string `json:"root,omitempty"`     // the outermost run; its own id for a root
	Trigger  string `json:"trigger,omitempty"`  // trigger that turned the event into it
	Undoes   string `json:"undoes,omitempty"`   // run that it rolls back
	Why      string `json:"why,omitempty"`      // the reason that a person gave for retry or rollback
}

// RunCreated is the first entry of every run.
type RunCreated struct {
	By          Who          `json:"by"`
	Cause       Cause        `json:"cause"`
	Closure     Hash         `json:"closure"`       // of the compiled program
	Dir         string       `json:"dir,omitempty"` // where relative paths start
	Environment string       `json:"environment,omitempty"`
	Event       value.Object `json:"event,omitempty"`
	Guards      value.Object `json:"guards,omitempty"` // {"specs": […]}: declared where the playbook comes from
	Labels      value.Object `json:"labels,omitempty"` // of the playbook, and of those that called it: what roles can be bound by
	Metadata    value.Object `json:"metadata,omitempty"`
	Name        string       `json:"name"`
	Params      value.Object `json:"params,omitempty"`
	Project     string       `json:"project"`
	Request     string       `json:"request,omitempty"` // idempotency key of the request
	Shown       *Shown       `json:"shown,omitempty"`   // what people approved around the call that made it
	Source      string       `json:"source,omitempty"`  // file or commit:path
	Stepping    bool         `json:"stepping,omitempty"`
	Trace       string       `json:"trace,omitempty"` // W3C traceparent of the request that led to it
}

// RunCarried follows RunCreated in a retried run: what the earlier run had reached. State is a part of run.State.
type RunCarried struct {
	From  string       `json:"from"`
	State value.Object `json:"state"`
}

// RunStarted makes a pending run running.
type RunStarted struct{}

// RunInterrupted: the process that drove the run is gone.
type RunInterrupted struct {
	Why string `json:"why"`
}

// RunResumed: a process drives the run again.
type RunResumed struct {
	By  Who    `json:"by"`
	Why string `json:"why,omitempty"`
}

// RunRestored: the store went back in time. What the run did after that moment is not known, so its next mutation is in
// doubt.
type RunRestored struct {
	By  Who    `json:"by"`
	Why string `json:"why"`
}

// RunPaused and RunUnpaused are a person's.
type RunPaused struct {
	By  Who    `json:"by"`
	Why string `json:"why,omitempty"`
}

// RunUnpaused ends a pause.
type RunUnpaused struct {
	By  Who    `json:"by"`
	Why string `json:"why,omitempty"`
}

// CancelRequested begins an orderly end.
type CancelRequested struct {
	By  Who    `json:"by"`
	Why string `json:"why,omitempty"`
}

// ParamsChanged changes parameters for steps that have not succeeded yet.
type ParamsChanged struct {
	By     Who          `json:"by"`
	Params value.Object `json:"params"`
	Why    string       `json:"why,omitempty"`
}

// StepPermitted lets one step of a stepping run begin. All ends the stepping.
type StepPermitted struct {
	All  bool   `json:"all,omitempty"`
	By   Who    `json:"by"`
	Path string `json:"path"`
	Why  string `json:"why,omitempty"`
}

// SkipRequested: a person wants a step left out.
type SkipRequested struct {
	By   Who    `json:"by"`
	Path string `json:"path"`
	Why  string `json:"why,omitempty"`
}

// Condition is the recorded result of a logic expression: when, break, until, assert, stopWhen.
type Condition struct {
	Error *Fault `json:"error,omitempty"`
	Path  string `json:"path"`
	Text  string `json:"text,omitempty"` // rendered message of an assert
	Value bool   `json:"value"`
	What  string `json:"what"`
}

// LoopListed is the evaluated list of a loop. Small lists are inline in List; larger ones in Ref; ranges in From.
type LoopListed struct {
	Count int64        `json:"count"`
	Error *Fault       `json:"error,omitempty"`
	From  int64        `json:"from,omitempty"`
	List  value.Object `json:"list,omitempty"` // {"items": […]} or {"map": {…}}
	Path  string       `json:"path"`
	Range bool         `json:"range,omitempty"`
	Ref   *Ref         `json:"ref,omitempty"`
}

// IterationStarted begins an iteration.
type IterationStarted struct {
	Index int64  `json:"index"`
	Key   string `json:"key"`
	Path  string `json:"path"` // of the loop
}

// StepHeld: a guard asks to wait.
type StepHeld struct {
	For   string    `json:"for,omitempty"` // "" is a guard; "runner": the runner is not known here
	Guard string    `json:"guard"`
	Path  string    `json:"path"`
	Until time.Time `json:"until,omitzero"`
	Why   string    `json:"why"`
}

// StepRefused ends a step before its effect: it could not be rendered, a guard or a person said no, a secret is missing.
type StepRefused struct {
	Fault Fault  `json:"fault"`
	Path  string `json:"path"`
}

// StepSkipped: by its `when`, by a person, or because its block ended.
type StepSkipped struct {
	By    *Who   `json:"by,omitempty"`
	Path  string `json:"path"`
	Why   string `json:"why"`
	Would *Would `json:"would,omitempty"` // what it would have done: the mode is to observe
}

// Would is an effect that was rendered and not begun.
type Would struct {
	Action       string       `json:"action"`
	Effect       string       `json:"effect"`
	Inputs       value.Object `json:"inputs,omitempty"`
	Irreversible bool         `json:"irreversible,omitempty"`
	Runner       string       `json:"runner,omitempty"`
	Targets      []string     `json:"targets,omitempty"`
}

// StepIntent is durable before the effect starts.
type StepIntent struct {
	Action       string       `json:"action"`
	Attempt      int          `json:"attempt"`
	Deadline     time.Time    `json:"deadline,omitzero"`
	Effect       string       `json:"effect"`
	Guards       []string     `json:"guards,omitempty"` // names of the guards that allowed it
	Hash         Hash         `json:"hash"`             // of rendered inputs and targets: what an approval binds to
	Inputs       value.Object `json:"inputs"`           // {"args": […], "env": {…}, "with": {…}}; secrets deferred
	Irreversible bool         `json:"irreversible,omitempty"`
	Key          string       `json:"key"` // idempotency key
	Path         string       `json:"path"`
	Rules        string       `json:"rules,omitempty"` // names the guards, modes and halts that were live
	Runner       string       `json:"runner,omitempty"`
	Targets      []string     `json:"targets,omitempty"`
}

// StepResult ends an attempt: at most one per (path, attempt).
type StepResult struct {
	Again     bool         `json:"again,omitempty"` // it ended without an effect because its process did: another attempt follows
	Artifacts []Artifact   `json:"artifacts,omitempty"`
	Attempt   int          `json:"attempt"`
	Fault     *Fault       `json:"fault,omitempty"`
	Log       *Ref         `json:"log,omitempty"`
	NotBefore time.Time    `json:"notBefore,omitzero"` // the other side asked to wait
	Outcome   Outcome      `json:"outcome"`
	Output    value.Object `json:"output,omitempty"` // what is secret in it is sealed in its place
	Path      string       `json:"path"`
	Ref       *Ref         `json:"ref,omitempty"`      // of an output that is too large to be inline
	Sealed    []byte       `json:"sealed,omitempty"`   // not written any more: secret outputs, all in one box
	Versions  value.Object `json:"versions,omitempty"` // of the secrets that were used, by name
}

// Artifact is a file that a step left.
type Artifact struct {
	Name string `json:"name"`
	Ref  Ref    `json:"ref"`
}

// RetryScheduled: the next attempt is due At.
type RetryScheduled struct {
	At      time.Time `json:"at"`
	Attempt int       `json:"attempt"` // the next one
	Path    string    `json:"path"`
	Why     string    `json:"why,omitempty"`
}

// StepVerified ends the verification of a step.
type StepVerified struct {
	Fault *Fault `json:"fault,omitempty"`
	OK    bool   `json:"ok"`
	Path  string `json:"path"`
}

// ApprovalAsked: a step waits for people, who see exactly what Hash covers.
type ApprovalAsked struct {
	Expires time.Time `json:"expires,omitzero"`
	Hash    Hash      `json:"hash"`
	Path    string    `json:"path"`
	Shown   *Shown    `json:"shown,omitempty"` // of a block or a call: what is asked about with it
	Task    string    `json:"task"`
}

// Shown are the effects that people saw who were asked about something that stands around them. Others ask by themselves.
type Shown struct {
	Effects []Seen `json:"effects,omitempty"`
}

// Seen is one of them. The path is that in the run; one of a sub-playbook stands behind that of its call, with a > between.
type Seen struct {
	Hash Hash   `json:"hash"`
	Path string `json:"path"`
}

// ApprovalVoid: what was asked is not what would happen any more.
type ApprovalVoid struct {
	Path string `json:"path"`
	Task string `json:"task"`
	Why  string `json:"why"`
}

// DoubtAsked: a person must say what became of an attempt.
type DoubtAsked struct {
	Path string `json:"path"`
	Task string `json:"task"`
}

// DoubtDecided: what a person or a probe found out: happened, not-happened, again, fail, skip.
type DoubtDecided struct {
	Answer string       `json:"answer"`
	By     Who          `json:"by"`
	Output value.Object `json:"output,omitempty"`
	Path   string       `json:"path"`
	Why    string       `json:"why,omitempty"`
}

// TaskOpened: approve, ask or manual waits for a person.
type TaskOpened struct {
	Default value.Object `json:"default,omitempty"` // the declared output when nobody answers (older dialect)
	Expires time.Time    `json:"expires,omitzero"`
	Path    string       `json:"path"`
	Task    string       `json:"task"`
}

// TaskDecided: the answer reached the run.
type TaskDecided struct {
	By      []Who        `json:"by,omitempty"`
	Outcome string       `json:"outcome"` // approved, rejected, answered, done, expired, cancelled
	Output  value.Object `json:"output,omitempty"`
	Path    string       `json:"path"`
	Task    string       `json:"task"`
	Why     string       `json:"why,omitempty"`
}

// WaitStarted parks a step.
type WaitStarted struct {
	Check    bool      `json:"check,omitempty"`   // until a condition holds
	Deadline time.Time `json:"deadline,omitzero"` // a failure when it passes
	Event    string    `json:"event,omitempty"`
	Key      string    `json:"key,omitempty"`
	Path     string    `json:"path"`
	Until    time.Time `json:"until,omitzero"` // a success when it passes
}

// WaitEnded moves it on. Called says who used the callback of its event: that address is good for nothing else then.
type WaitEnded struct {
	Called *Who         `json:"called,omitempty"`
	Event  value.Object `json:"event,omitempty"`
	Fault  *Fault       `json:"fault,omitempty"`
	Path   string       `json:"path"`
}

// ChildStarted: a sub-playbook runs as a run of its own.
type ChildStarted struct {
	Child string `json:"child"`
	Path  string `json:"path"`
}

// ChildEnded brings its result.
type ChildEnded struct {
	Child   string       `json:"child"`
	Fault   *Fault       `json:"fault,omitempty"`
	Outputs value.Object `json:"outputs,omitempty"`
	Path    string       `json:"path"`
	Status  string       `json:"status"`
}

// LockAsked, LockTaken and LockReleased are the life of a lock block.
type LockAsked struct {
	Key  string `json:"key"`
	Path string `json:"path"`
}

// LockTaken: the block holds the lock.
type LockTaken struct {
	Key  string `json:"key"`
	Path string `json:"path"`
}

// LockReleased: the block does not hold it any more.
type LockReleased struct {
	Key  string `json:"key"`
	Path string `json:"path"`
}

// BlockStarted opens a block.
type BlockStarted struct {
	Path string `json:"path"`
}

// CatchEntered: a block handles a failure.
type CatchEntered struct {
	Fault Fault  `json:"fault"`
	Path  string `json:"path"` // of the block; "" is the playbook
}

// FinallyEntered: a block or the playbook cleans up.
type FinallyEntered struct {
	Path string `json:"path"`
}

// BlockEnded ends a block.
type BlockEnded struct {
	Fault   *Fault `json:"fault,omitempty"`
	Outcome string `json:"outcome"` // succeeded, failed, skipped, cancelled
	Path    string `json:"path"`
}

// BlockStopped: stopWhen held, or a time limit passed; what still acts is cancelled.
type BlockStopped struct {
	Fault Fault  `json:"fault"`
	Path  string `json:"path"` // "" is the playbook
}

// UndoPrepared keeps what would undo a step that just succeeded, rendered with the data of that moment.
type UndoPrepared struct {
	Fault   *Fault       `json:"fault,omitempty"`
	Inputs  value.Object `json:"inputs,omitempty"` // as in StepIntent
	None    string       `json:"none,omitempty"`
	Path    string       `json:"path"`
	Runner  string       `json:"runner,omitempty"`
	Targets []string     `json:"targets,omitempty"`
}

// UndoStarted makes the run undoing.
type UndoStarted struct {
	Fault Fault `json:"fault"`
}

// UndoEnded: all that could be undone is, or not (Fault).
type UndoEnded struct {
	Fault  *Fault   `json:"fault,omitempty"`
	Undone []string `json:"undone,omitempty"`
}

// RunEnded is the last entry of a run.
type RunEnded struct {
	Doubts  []string     `json:"doubts,omitempty"` // steps whose outcome nobody knows
	Fault   *Fault       `json:"fault,omitempty"`
	Outputs value.Object `json:"outputs,omitempty"`
	Ref     *Ref         `json:"ref,omitempty"`
	Status  string       `json:"status"`           // succeeded, failed, cancelled
	Undone  string       `json:"undone,omitempty"` // "", fully, partly
}

// RunQuarantined: its stream is damaged or it crashed the engine; it is not touched any more.
type RunQuarantined struct {
	Why string `json:"why"`
}
