package engine

import (
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/task"
)

// Input is something that happened. Urgent inputs are what a run itself asked for; all others wait while it is being
// committed or evaluated.
type Input interface{ urgent() bool }

// calm is embedded by inputs that wait, prompt by those that do not.
type (
	calm   struct{}
	prompt struct{}
)

func (calm) urgent() bool   { return false }
func (prompt) urgent() bool { return true }

type requester interface{ req() uint64 }

// request is embedded by inputs that somebody waits for.
type request struct{ Req uint64 }

func (r request) req() uint64 { return r.Req }

// Begin creates a run.
type Begin struct {
	calm
	request
	ID      string
	Start   Start
	Hash    entry.Hash // of the closure
	Closure []byte     // nil when it is stored already
	Carried *entry.RunCarried
	Changed *entry.ParamsChanged
	Heads   map[string]store.Head // of streams that the machine may not know: guards
}

// Loaded answers Load.
type Loaded struct {
	calm
	Run   string
	State *run.State
	Head  store.Head
	Tasks map[string]LoadedTask // open ones, by id
	Heads map[string]store.Head
	Err   error
}

// LoadedTask is the stream of an open task.
type LoadedTask struct {
	Task task.State
	Head store.Head
}

// Evaluated answers Evaluate.
type Evaluated struct {
	prompt
	Run      string
	Rendered run.Rendered
}

// Listed answers StoreList: the list is in a blob.
type Listed struct {
	prompt
	Run  string
	Fact entry.Payload
}

// Bound answers Bind: parameters of a sub-playbook.
type Bound struct {
	prompt
	Run     string
	Path    string
	Child   string
	Known   bool // the child is there already: this call was made before, and forgotten
	Hash    entry.Hash
	Body    []byte // the closure of the sub-playbook
	Prog    *program.Program
	Params  map[string]any
	Carried *entry.RunCarried    // what the child carries on
	Changed *entry.ParamsChanged // what a person had changed in that
	Fault   *entry.Fault
}

// Acted ends an attempt.
type Acted struct {
	calm
	Run    string
	Result entry.StepResult
	Body   *Body // of a module with secret outputs
}

// Committed answers Commit.
type Committed struct {
	calm
	Batch  uint64
	Answer store.Answer
}

// Tick says that time has passed.
type Tick struct{ calm }

// Unhalted says that a person let the store move again.
type Unhalted struct{ calm }

// Commanded is a person's command to a run.
type Commanded struct {
	calm
	request
	Command Command
	// Redact only: the erasures to commit, how the run and its rows are after them, and the audit record.
	Erase    []store.Erasure
	Redacted *Loaded
	Rows     []store.Row
	Audit    *entry.Audited
	places   int
}

// Answered is a person's answer to a task.
type Answered struct {
	calm
	request
	Run    string
	Task   string
	Answer task.Answer
	Own    *LoadedTask // of a task that its run does not wait for: a review
}

// Attended is what a person does with a task besides answering it.
type Attended struct {
	calm
	request
	Run  string
	Task string
	Act  task.Act
	Own  *LoadedTask // of a task that its run does not wait for
}

// Arrived is an outside event for a run that waits for it.
type Arrived struct {
	calm
	request
	Run     string
	Path    string
	Payload map[string]any
	// Called says who used the callback of Event, which is good once. Path is empty then: the run says which step waits.
	Called *entry.Who
	Event  string
}

// standing asks how a run stands.
type standing struct {
	calm
	request
	Run string
}

// stance answers standing. Neither field is set for a run that is not loaded: what is stored of it is all that there is.
type stance struct {
	Moves bool
	Idle  *Idle
}

// parkedAt tells of a run that waits, as its row says: it is loaded when it is due or somebody asks for it.
type parkedAt struct {
	calm
	Run string
	At  time.Time
}

// leaveAll asks every driven run to stop being driven; gently, when what acts may end by itself.
type leaveAll struct {
	calm
	By     entry.Who
	Gently bool
}

// lives asks whether a run is loaded and not quarantined.
type lives struct {
	calm
	request
	Run string
}

// settled asks whether everything is committed and nothing acts.
type settled struct {
	calm
	request
}

// audit writes a fact about the system itself, behind the beginnings of segments, and un-halts the store when Unhalt is
// set.
type audit struct {
	calm
	request
	Fact     *entry.Audited
	Segments []segment
	Unhalt   bool
}

// Output is something to do.
type Output interface{ output() }

// Load reads a run with its open tasks and answers Loaded.
type Load struct{ Run string }

// Evaluate runs State.Evaluate and answers Evaluated. State must not be used afterwards.
type Evaluate struct {
	Run    string
	State  *run.State
	Render run.Render
}

// StoreList puts a long list into a blob, fills in the Ref and answers Listed.
type StoreList struct {
	Run  string
	Root string
	Fact *entry.LoopListed
}

// Bind binds the parameters of a sub-playbook, looks whether its run is there already and what it carries on, and
// answers Bound.
type Bind struct {
	Run     string
	Path    string
	Child   string
	Carry   string // the run that the child carries on; "" none
	Alike   bool   // it must have had the same parameters
	Created *entry.RunCreated
	Prog    *program.Program
	Params  map[string]any
}

// Commit writes a batch and answers Committed. Commits are answered in the order they were asked for.
type Commit struct {
	ID    uint64
	Batch store.Batch
}

// Act lets an attempt begin and answers Acted.
type Act struct {
	Run     string
	Root    string
	Path    string
	Attempt int
	State   *run.State
	Intent  run.Intent
	Def     *program.Node
}

// StopAct ends an attempt; its Acted still comes.
type StopAct struct {
	Run     string
	Path    string
	Attempt int
	Fault   entry.Fault
}

// Reply answers a request.
type Reply struct {
	Req   uint64
	Value any
	Err   error
}

// Publish tells followers what was committed.
type Publish struct {
	Run     string
	Entries []entry.Entry
}

// Quiet tells followers that nothing of the run is in flight.
type Quiet struct {
	Run   string
	Idle  Idle
	Ended bool
}

// Offer offers a refused batch again, after a pause and before every younger one.
type Offer struct{ Commit }

// Broke says that the engine must be opened anew.
type Broke struct{ Err error }

func (Load) output()      {}
func (Confirm) output()   {}
func (Evaluate) output()  {}
func (StoreList) output() {}
func (Bind) output()      {}
func (Commit) output()    {}
func (Act) output()       {}
func (StopAct) output()   {}
func (Reply) output()     {}
func (Publish) output()   {}
func (Quiet) output()     {}
func (Offer) output()     {}
func (Broke) output()     {}
