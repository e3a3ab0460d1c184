package entry

import (
	"time"

	"github.com/tendhq/tend/internal/value"
)

// TaskCreated is the first entry of a task's stream.
type TaskCreated struct {
	Assignee     string       `json:"assignee,omitempty"` // who is expected to do it; others may all the same
	Author       string       `json:"author,omitempty"`   // who wrote the playbook's revision: Ada <ada@example.org>
	Count        int          `json:"count,omitempty"`    // how many different people must approve
	Default      string       `json:"default,omitempty"`  // the declared answer when nobody answers (older dialect)
	Expires      time.Time    `json:"expires,omitzero"`
	Form         value.Object `json:"form,omitempty"` // {"fields": […]} or {"choices": […], "selector": "single"}
	From         []string     `json:"from,omitempty"`
	Hash         Hash         `json:"hash,omitzero"`
	Links        []Link       `json:"links,omitempty"`
	Message      string       `json:"message,omitempty"`
	NotAuthor    bool         `json:"notAuthor,omitempty"`
	NotRequester bool         `json:"notRequester,omitempty"`
	Path         string       `json:"path"`
	Requester    string       `json:"requester"`
	RequesterID  string       `json:"requesterID,omitempty"`
	Reviews      string       `json:"reviews,omitempty"` // the task that somebody approved alone; its run need not wait for this
	Run          string       `json:"run"`
	Show         value.Object `json:"show,omitempty"` // what the person decides on: action, inputs, targets, effect
	Title        string       `json:"title"`
	Type         string       `json:"type"` // approve, ask, manual, doubt, review
}

// TaskVoted is one person's answer: approve, reject, answer, done, break-glass, or one of the answers to a doubt.
type TaskVoted struct {
	Answer string       `json:"answer"`
	By     Who          `json:"by"`
	For    *Who         `json:"for,omitempty"` // who delegated it to them, where that is why they may
	Output value.Object `json:"output,omitempty"`
	Why    string       `json:"why,omitempty"`
}

// TaskAssigned says who is expected to see to a task; nobody, where To is empty. A claim is somebody's own.
type TaskAssigned struct {
	By  Who    `json:"by"`
	To  string `json:"to,omitempty"`
	Why string `json:"why,omitempty"`
}

// TaskDelegated lets others answer in somebody's place, once; without To it takes that back.
type TaskDelegated struct {
	By  Who      `json:"by"`
	To  []string `json:"to,omitempty"`
	Why string   `json:"why,omitempty"`
}

// TaskCommented is what somebody says about a task.
type TaskCommented struct {
	By   Who    `json:"by"`
	Text string `json:"text"`
}

// TaskLinked puts a link beside a task.
type TaskLinked struct {
	By   Who  `json:"by"`
	Link Link `json:"link"`
}

// TaskEscalated: nobody decided in time, so that others are asked too. It stands in the stream of the run, which knows the
// time, and in that of the task, which knows who may answer.
type TaskEscalated struct {
	Level int      `json:"level"` // the first is 1
	Path  string   `json:"path"`
	Task  string   `json:"task"`
	To    []string `json:"to,omitempty"`
}

// TaskClosed ends a task: approved, rejected, answered, done, expired, void, cancelled.
type TaskClosed struct {
	Outcome string `json:"outcome"`
	Why     string `json:"why,omitempty"`
}

// GuardReserved: a guard counts an effect, in the same commit as its intent.
type GuardReserved struct {
	Path   string    `json:"path"`
	Run    string    `json:"run"`
	Target string    `json:"target"`
	Until  time.Time `json:"until,omitzero"`
}

// Audited is a decision about the system, not about one run's steps.
type Audited struct {
	By     Who          `json:"by"`
	Detail value.Object `json:"detail,omitempty"`
	Object string       `json:"object"`
	What   string       `json:"what"` // halted, unhalted, damaged, released, restored, erased, redacted, exported, backup, glass-broken, glass-reviewed
	Why    string       `json:"why,omitempty"`
}

// RunSealed records the end of a run in the audit stream of its shard, so that a missing stream or tail is noticed.
type RunSealed struct {
	Head   Hash   `json:"head"`
	Length uint64 `json:"length"`
	Run    string `json:"run"`
	Status string `json:"status"`
}
