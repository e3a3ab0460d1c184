// Package history tells the story of a run: it folds the run's entries, with the program that they are about, into what
// people look at.
//
// It is pure, and it never refuses a stream: an entry that it cannot read becomes a remark, because a person who looks at
// a damaged run needs the rest of it most. Memory is bounded: of a loop it keeps counts, the last iterations and the
// first failures; of a step the first and the last attempts; of the time line the newest moments.
//
// Secrets do not get in: what was recorded unrendered because it needs a secret shows as [secret], and so do the values of
// sensitive parameters, wherever they occur.
package history

import (
	"cmp"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/value"
)

// Status of a step, block or iteration.
type Status string

// The statuses.
const (
	Pending   Status = "pending"
	Running   Status = "running"
	Waiting   Status = "waiting" // for a person, a time, an event, a lock, a guard or another run
	Retrying  Status = "retrying"
	Verifying Status = "verifying"
	InDoubt   Status = "in-doubt"
	Succeeded Status = "succeeded"
	Failed    Status = "failed"
	Ignored   Status = "ignored" // failed, and the failure was ignored
	Skipped   Status = "skipped"
	Carried   Status = "carried" // succeeded in the run that this one continues
	Unreached Status = "not-reached"
)

// Over tells whether nothing more happens there.
func (s Status) Over() bool {
	switch s {
	case Succeeded, Failed, Ignored, Skipped, Carried, Unreached:
		return true
	case Pending, Running, Waiting, Retrying, Verifying, InDoubt:
		return false
	}
	return false
}

// View is a run as people see it.
type View struct {
	ID       string       `json:"id"`
	Name     string       `json:"name"`
	Status   string       `json:"status"`
	Source   string       `json:"source,omitempty"` // commit:file, or a file
	Author   string       `json:"author,omitempty"` // of the commit
	Env      string       `json:"environment,omitempty"`
	Dir      string       `json:"dir,omitempty"`
	By       entry.Who    `json:"by"`
	Cause    entry.Cause  `json:"cause,omitzero"`
	Closure  entry.Hash   `json:"closure"`
	Created  time.Time    `json:"created,omitzero"`
	Started  time.Time    `json:"started,omitzero"`
	Ended    time.Time    `json:"ended,omitzero"`
	Params   value.Object `json:"params,omitempty"`
	Event    value.Object `json:"event,omitempty"`
	Stepping bool         `json:"stepping,omitempty"`
	Steps    []*Step      `json:"steps"`
	Catch    []*Step      `json:"catch,omitempty"`
	Finally  []*Step      `json:"finally,omitempty"`
	Undone   string       `json:"undone,omitempty"`   // fully, partly
	TimedOut bool         `json:"timedOut,omitempty"` // the playbook's own time limit ended it
	Undid    []string     `json:"undid,omitempty"`    // paths
	Outputs  value.Object `json:"outputs,omitempty"`
	Ref      *entry.Ref   `json:"outputsRef,omitempty"` // of outputs that are too large to be inline
	Fault    *entry.Fault `json:"fault,omitempty"`
	Doubts   []string     `json:"doubts,omitempty"` // paths whose outcome nobody knows
	Waits    []Wait       `json:"waits,omitempty"`
	Moments  []Moment     `json:"moments,omitempty"`
	Earlier  int          `json:"earlierMoments,omitempty"` // moments that are not kept
	Remarks  []string     `json:"remarks,omitempty"`        // entries that could not be read
	Entries  uint64       `json:"entries"`
	Erased   int          `json:"erased,omitempty"` // entries whose payload was erased

	// Of a quarantined run: the locks that it holds, and who has freed what it held.
	Held     []string `json:"held,omitempty"`
	Released *Freed   `json:"released,omitempty"`

	interrupted string
	paused      *entry.RunPaused
	cancel      *entry.CancelRequested
}

// Freed tells who released a quarantined run.
type Freed struct {
	At  time.Time `json:"at"`
	By  entry.Who `json:"by"`
	Why string    `json:"why"`
}

// Wait is one thing that the run waits for. It mirrors what the engine says.
type Wait struct {
	Path   string    `json:"path"`
	For    string    `json:"for"` // task, doubt, event, time, retry, guard, lock, child, runner, permit, pause, resume
	On     string    `json:"on,omitempty"`
	Holder string    `json:"holder,omitempty"` // of a lock: the run that has it
	Until  time.Time `json:"until,omitzero"`
	Why    string    `json:"why,omitempty"`
}

// Step is a step, a block, an iteration, or a helper (verify, probe, undo, …) of a step.
type Step struct {
	Path         string             `json:"path"`
	Kind         string             `json:"kind"` // action, wait, …, foreach, iteration
	Section      string             `json:"section,omitempty"`
	ID           string             `json:"id,omitempty"`
	Title        string             `json:"title,omitempty"`
	Uses         string             `json:"uses,omitempty"`
	Line         int                `json:"line,omitempty"`
	Status       Status             `json:"status"`
	Started      time.Time          `json:"started,omitzero"`
	Ended        time.Time          `json:"ended,omitzero"`
	Effect       string             `json:"effect,omitempty"`
	Irreversible bool               `json:"irreversible,omitempty"`
	Targets      []string           `json:"targets,omitempty"`
	Runner       string             `json:"runner,omitempty"`
	Inputs       value.Object       `json:"inputs,omitempty"`
	Key          string             `json:"key,omitempty"` // idempotency key; of an iteration, its key
	Guards       []string           `json:"guards,omitempty"`
	Count        int                `json:"attempts,omitempty"` // of attempts in all
	Attempts     []Attempt          `json:"attempt,omitempty"`  // the first and the last ones
	Output       value.Object       `json:"output,omitempty"`
	Ref          *entry.Ref         `json:"outputRef,omitempty"`
	Sealed       bool               `json:"sealed,omitempty"` // it has outputs that are secret
	Artifacts    []entry.Artifact   `json:"artifacts,omitempty"`
	Fault        *entry.Fault       `json:"fault,omitempty"`
	Why          string             `json:"why,omitempty"` // why it was skipped, held, …
	Verified     string             `json:"verified,omitempty"`
	Tasks        []Task             `json:"tasks,omitempty"`
	Wait         *entry.WaitStarted `json:"wait,omitempty"`
	Due          time.Time          `json:"due,omitzero"` // of the next attempt
	Held         string             `json:"held,omitempty"`
	Lock         string             `json:"lock,omitempty"`
	Child        string             `json:"child,omitempty"` // the run of a sub-playbook
	Loop         *Loop              `json:"loop,omitempty"`
	Undo         *Undo              `json:"undo,omitempty"`
	Steps        []*Step            `json:"steps,omitempty"`   // of a block or iteration, and iterations of a loop
	Helpers      []*Step            `json:"helpers,omitempty"` // verify, probe, until, stopWhen, undo
	Catch        []*Step            `json:"catch,omitempty"`
	Finally      []*Step            `json:"finally,omitempty"`
	Conditions   []Condition        `json:"conditions,omitempty"`
	Would        *entry.Would       `json:"would,omitempty"` // what it would have done: the mode is to observe

	def    *program.Node
	parent *Step
	caught *entry.Fault
}

// Attempt is one attempt of a step.
type Attempt struct {
	Number  int           `json:"number"`
	Started time.Time     `json:"started"`
	Ended   time.Time     `json:"ended,omitzero"`
	Outcome entry.Outcome `json:"outcome,omitempty"` // "" while it acts
	Fault   *entry.Fault  `json:"fault,omitempty"`
	Log     *entry.Ref    `json:"log,omitempty"`
}

// Task is what a person was asked about a step.
type Task struct {
	ID      string      `json:"id"`
	Type    string      `json:"type"` // approval, task, doubt
	Asked   time.Time   `json:"asked"`
	Expires time.Time   `json:"expires,omitzero"`
	Also    []string    `json:"also,omitempty"` // who is asked too, since nobody decided in time
	Closed  time.Time   `json:"closed,omitzero"`
	Outcome string      `json:"outcome,omitempty"`
	By      []entry.Who `json:"by,omitempty"`
	Why     string      `json:"why,omitempty"`
}

// Condition is the result of a logic expression.
type Condition struct {
	What  string `json:"what"`
	Value bool   `json:"value"`
	Text  string `json:"text,omitempty"`
	Error string `json:"error,omitempty"`
}

// Loop counts iterations. Steps of the loop holds those that are kept.
type Loop struct {
	Count     int64 `json:"count"`
	Started   int64 `json:"started"`
	Succeeded int64 `json:"succeeded"`
	Failed    int64 `json:"failed"`
	Skipped   int64 `json:"skipped"`
	Broke     bool  `json:"broke,omitempty"`
	Forgotten int64 `json:"forgotten,omitempty"` // iterations that are not kept
}

// Undo is what would, or did, undo a step.
type Undo struct {
	None   string       `json:"none,omitempty"` // why there is nothing to restore
	Inputs value.Object `json:"inputs,omitempty"`
	Fault  *entry.Fault `json:"fault,omitempty"`
	Done   bool         `json:"done,omitempty"`
}

// Moment is a line of the time line.
type Moment struct {
	Seq  uint64    `json:"seq"`
	At   time.Time `json:"at"`
	Path string    `json:"path,omitempty"`
	Text string    `json:"text"`
}

// Label names a step in a sentence: its title or id and the iteration that it stands in, else its path, and what it uses.
func (s *Step) Label() string {
	name := cmp.Or(s.Title, s.ID)
	switch {
	case s.Kind == kindIteration:
		return cmp.Or(name, s.Path)
	case name != "":
		name = strings.TrimSpace(name + " " + s.parent.keys())
	case s.parent != nil && run.PlaceOf(s.Path).Helper():
		return s.Section + " of " + s.parent.Label()
	default:
		name = s.Path
	}
	if what := cmp.Or(s.Uses, s.Kind); what != name {
		return name + " (" + what + ")"
	}
	return name
}

// keys names the iterations of loops around, the outermost first: `[web-1][0]`.
func (s *Step) keys() string {
	if s == nil {
		return ""
	}
	if s.Kind != kindIteration {
		return s.parent.keys()
	}
	return s.parent.keys() + "[" + s.Key + "]"
}

// Duration tells how long it took, or zero while it is not over.
func (s *Step) Duration() time.Duration {
	if s.Started.IsZero() || s.Ended.IsZero() {
		return 0
	}
	return s.Ended.Sub(s.Started)
}

// Walk visits every step of the view in the order of the playbook, helpers after their step, with its depth.
func (v *View) Walk(visit func(s *Step, depth int)) {
	for _, list := range [][]*Step{v.Steps, v.Catch, v.Finally} {
		walk(list, 0, visit)
	}
}

func walk(list []*Step, depth int, visit func(*Step, int)) {
	for _, s := range list {
		visit(s, depth)
		walk(s.Helpers, depth+1, visit)
		walk(s.Steps, depth+1, visit)
		walk(s.Catch, depth+1, visit)
		walk(s.Finally, depth+1, visit)
	}
}

// Changed lists the targets of the steps that succeeded with another effect than read, each once, in order; undone ones
// are left out.
func (v *View) Changed() []string {
	var out []string
	seen := map[string]bool{}
	v.Walk(func(s *Step, _ int) {
		if s.Status != Succeeded && s.Status != Ignored || s.Effect == "" || s.Effect == string(contract.Read) || s.Section == "undo" {
			return
		}
		if s.Undo != nil && s.Undo.Done {
			return
		}
		for _, t := range s.Targets {
			if !seen[t] {
				seen[t] = true
				out = append(out, t)
			}
		}
	})
	return out
}
