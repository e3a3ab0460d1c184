// Package program is a playbook as it runs: compiled, with all names resolved and everything included that it calls. It
// is plain data that engines, plans and graphs read; package compiler makes it.
//
//	Program, Node          the tree of steps and blocks
//	Program.Closure, Load  canonical JSON and its hash: what a run is pinned to
//	Program.Bind           the parameters of a run
//
// Load refuses what is damaged or of a newer version of the language. A closure gives the same bytes on every machine.
package program

import (
	"time"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/value"
)

// Language is the version of the language's semantics that compiled programs carry. It enters the closure's hash.
const Language = 1

// MaxCalls is how many levels of playbooks and modules may stand in one another.
const MaxCalls = 16

// Program is a compiled playbook with all that it needs: sub-playbooks and modules are resolved and included, so that a
// run is pinned to one hash. It is plain data; Canonical JSON of it is the closure.
type Program struct {
	Language   int                  `json:"language"`
	Dialect    expr.Dialect         `json:"dialect"`
	Metadata   contract.Metadata    `json:"metadata"`
	Parameters []contract.Parameter `json:"parameters,omitempty"`
	Steps      []Node               `json:"steps"`
	Catch      []Node               `json:"catch,omitempty"`
	Finally    []Node               `json:"finally,omitempty"`
	Outputs    map[string]expr.Tree `json:"outputs,omitempty"`
	OutputDefs []contract.Field     `json:"outputDefs,omitempty"` // declared types of outputs, if any
	Artifacts  []string             `json:"artifacts,omitempty"`
	Timeout    value.Duration       `json:"timeout,omitempty"`
	Offer      *Offer               `json:"offer,omitempty"`
	Lenient    bool                 `json:"-"`
	// Calls holds the programs that `playbook` steps (and modules with nested steps) run, by the name used in Node.Call.
	Calls map[string]*Program `json:"calls,omitempty"`
	// Source is where the document stands, for messages only; it does not enter the closure.
	Source string `json:"-"`
}

// Offer says who may ask for a run.
type Offer struct {
	Title   string   `json:"title,omitempty"`
	To      []string `json:"to"`                // subjects, as package access names them
	Outputs []string `json:"outputs,omitempty"` // that whoever asked is shown
}

// Secret names the outputs of a step that its action, its module or the playbook that it calls declares as sensitive.
func (p *Program) Secret(n *Node) []string {
	names := n.Sealed
	if n.Call != nil && p.Calls[n.Call.Program] != nil {
		names = append(names[:len(names):len(names)], contract.Sealed(p.Calls[n.Call.Program].OutputDefs)...)
	}
	return names
}

// SecretOutputs names the outputs of the playbook that it declares as sensitive.
func (p *Program) SecretOutputs() []string { return contract.Sealed(p.OutputDefs) }

// Kind says what a node of the tree is.
type Kind string

// The kinds of nodes: an action, the verbs of the language, and the blocks.
const (
	KindAction   Kind = "action"
	KindWait     Kind = "wait"
	KindApprove  Kind = "approve"
	KindAsk      Kind = "ask"
	KindManual   Kind = "manual"
	KindCall     Kind = "playbook"
	KindAssert   Kind = "assert"
	KindFail     Kind = "fail"
	KindSteps    Kind = "steps"
	KindForeach  Kind = "foreach"
	KindParallel Kind = "parallel"
	KindLock     Kind = "lock"
)

// Node is a step or a block. Fields that do not apply to its kind are zero.
//
// A node's path is its place: `steps[1]`, `steps[1].foreach["7"].steps[0]`, `steps[2].parallel[0]`,
// `steps[0].catch[0]`, `finally[0]`. A plain block `steps:` or a `lock:` at steps[3] holds
// `steps[3].steps[0]`.
type Node struct {
	Kind Kind   `json:"kind"`
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"` // a title for people
	Line int    `json:"line,omitempty"`

	When          *expr.Expr     `json:"when,omitempty"`
	IgnoreFailure bool           `json:"ignoreFailure,omitempty"`
	Timeout       value.Duration `json:"timeout,omitempty"`
	Approval      *Approval      `json:"approval,omitempty"` // asks before the effect (step) or before the first one (block)

	// Action and calls.
	Uses         string               `json:"uses,omitempty"` // canonical name of the action, or of the module for display
	With         map[string]expr.Tree `json:"with,omitempty"`
	Env          map[string]expr.Tree `json:"env,omitempty"` // process environment (tend/v1); in the older dialect compile moves env into With
	Args         []expr.Tree          `json:"args,omitempty"`
	Runner       *expr.Expr           `json:"runner,omitempty"`
	Integration  *expr.Expr           `json:"integration,omitempty"`
	Target       []expr.Expr          `json:"target,omitempty"`
	Effect       contract.Effect      `json:"effect,omitempty"`
	Irreversible bool                 `json:"irreversible,omitempty"`
	Retry        *Retry               `json:"retry,omitempty"`
	OnDoubt      string               `json:"onDoubt,omitempty"` // "", retry, ask, fail, probe; "" is by effect
	Probe        *Check               `json:"probe,omitempty"`   // for onDoubt: probe
	Verify       *Check               `json:"verify,omitempty"`
	Undo         *Undo                `json:"undo,omitempty"`
	Artifacts    []string             `json:"artifacts,omitempty"` // globs
	Parser       string               `json:"parser,omitempty"`    // older dialect: json, raw or ""
	Sealed       []string             `json:"sealed,omitempty"`    // outputs that are secret
	// Outputs gives the output the names that a step of the older dialect had, over {result}. Empty: as it is.
	Outputs map[string]expr.Tree `json:"outputs,omitempty"`
	// Module is set where `uses` names a kind: Step with a single action as its body: With, Env … of this node are the
	// body's and see only {params: the module's inputs}; Inputs are the caller's.
	Module *Module `json:"module,omitempty"`

	// Verbs.
	Wait    *Wait      `json:"wait,omitempty"`
	Task    *Task      `json:"task,omitempty"` // approve, ask, manual
	Call    *Call      `json:"call,omitempty"`
	Assert  *Assert    `json:"assert,omitempty"`
	Message *expr.Expr `json:"message,omitempty"` // fail

	// Blocks.
	Steps    []Node     `json:"steps,omitempty"` // steps, foreach, lock; for parallel: the branches
	Foreach  *Foreach   `json:"foreach,omitempty"`
	LockKey  *expr.Expr `json:"lockKey,omitempty"`
	Catch    []Node     `json:"catch,omitempty"`
	Finally  []Node     `json:"finally,omitempty"`
	StopWhen *StopWhen  `json:"stopWhen,omitempty"`
}

// Module binds a call of a `kind: Step` whose body is one action.
type Module struct {
	Name       string               `json:"name"`
	Version    string               `json:"version,omitempty"`
	Inputs     map[string]expr.Tree `json:"inputs,omitempty"`  // as the caller gives them
	Fields     []contract.Field     `json:"fields,omitempty"`  // declared inputs, for conversion, defaults and required
	Outputs    map[string]expr.Tree `json:"outputs,omitempty"` // over {params, result}; empty: the body's output as it is
	OutputDefs []contract.Field     `json:"outputDefs,omitempty"`
	Dialect    expr.Dialect         `json:"dialect"` // the module's own
	// What the caller says in place of the body's Runner, Integration and Target, over the caller's data; not set: the
	// body's hold.
	Runner      *expr.Expr  `json:"runner,omitempty"`
	Integration *expr.Expr  `json:"integration,omitempty"`
	Target      []expr.Expr `json:"target,omitempty"`
}

// Retry repeats attempts that failed or did not start; it never acts on doubt.
type Retry struct {
	Attempts int            `json:"attempts"` // in all, the first included
	Backoff  value.Duration `json:"backoff,omitempty"`
	Factor   float64        `json:"factor,omitempty"` // 0 or 1 is constant, 2 doubles
	Cap      value.Duration `json:"cap,omitempty"`
	Jitter   float64        `json:"jitter,omitempty"` // 0 to 1: share of the delay that is spread
	On       []string       `json:"on,omitempty"`     // kinds of fault; empty is any
}

// Check is a step that finds out, repeated until a condition over its result holds: verify, probe, wait with a check,
// stopWhen with a check.
type Check struct {
	Step   *Node          `json:"step,omitempty"` // nil: Until alone, over the run's data
	Until  *expr.Expr     `json:"until,omitempty"`
	Within value.Duration `json:"within,omitempty"` // how long to keep trying; 0 is once
	Every  value.Duration `json:"every,omitempty"`  // default 2s
}

// Undo restores what a step did. Either Step, or None with the reason why there is nothing to restore.
type Undo struct {
	Step *Node  `json:"step,omitempty"`
	None string `json:"none,omitempty"`
}

// Foreach is the head of a loop.
type Foreach struct {
	In       *expr.Tree  `json:"in,omitempty"`    // a list or map
	Range    []expr.Expr `json:"range,omitempty"` // [from, to), in place of In
	Key      string      `json:"key,omitempty"`
	Value    string      `json:"value,omitempty"`
	When     *expr.Expr  `json:"when,omitempty"` // per iteration
	Break    *expr.Expr  `json:"break,omitempty"`
	Parallel int         `json:"parallel,omitempty"` // 0 and 1: serial
}

// StopWhen stops a block. Unreadable means stop.
type StopWhen struct {
	Check
}

// Wait is the verb wait: exactly one of the first four.
type Wait struct {
	Duration *expr.Expr     `json:"duration,omitempty"`
	At       *expr.Expr     `json:"at,omitempty"` // RFC 3339
	Until    *Check         `json:"until,omitempty"`
	Event    *expr.Expr     `json:"event,omitempty"`  // name of the outside event
	Key      *expr.Expr     `json:"key,omitempty"`    // its correlation key
	Within   value.Duration `json:"within,omitempty"` // for Until and Event; no answer in time is a failure of kind timeout
}

// UsualWithin is how long people have for an answer where nothing else is said.
const UsualWithin = time.Hour

// Approval asks people before an effect.
type Approval struct {
	Message      *expr.Expr     `json:"message,omitempty"`
	From         []string       `json:"from,omitempty"`  // user names or groups; empty: anybody who may approve
	Count        int            `json:"count,omitempty"` // how many different people, default 1
	NotRequester bool           `json:"notRequester,omitempty"`
	NotAuthor    bool           `json:"notAuthor,omitempty"`
	Within       value.Duration `json:"within,omitempty"` // default 1h; no answer is no
	Escalate     []Escalation   `json:"escalate,omitempty"`
}

// Escalation asks others too when nobody has decided After it was asked.
type Escalation struct {
	After value.Duration `json:"after"`
	To    []string       `json:"to"` // user names or groups
}

// TaskLink is a link beside what a person is asked.
type TaskLink struct {
	Name string     `json:"name,omitempty"`
	URL  *expr.Expr `json:"url"`
}

// Task is what a person is asked by approve, ask and manual.
type Task struct {
	Approval
	Form         []contract.Field `json:"form,omitempty"`         // ask
	Instructions *expr.Expr       `json:"instructions,omitempty"` // manual
	Assignee     *expr.Expr       `json:"assignee,omitempty"`     // who is expected to see to it
	Links        []TaskLink       `json:"links,omitempty"`
	// The older dialect's interactive message: Choices renders the list of answers, Default is the declared default answer
	// when nobody answers, and Selector single or multi.
	Choices  *expr.Tree `json:"choices,omitempty"`
	Selector string     `json:"selector,omitempty"`
	Default  *expr.Expr `json:"default,omitempty"`
	WithinX  *expr.Expr `json:"withinX,omitempty"` // rendered time limit, in place of Within
}

// Call runs another program as a run of its own.
type Call struct {
	Program string               `json:"program"` // key in Program.Calls
	Params  map[string]expr.Tree `json:"params,omitempty"`
}

// Assert is the verb assert.
type Assert struct {
	That    *expr.Expr `json:"that"`
	Message *expr.Expr `json:"message,omitempty"`
}
