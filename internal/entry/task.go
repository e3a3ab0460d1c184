package entry

import (
	"time"

	"github.com/tendhq/tend/internal/value"
)

// TaskCreated is the first entry of a task's stream.
type TaskCreated struct {
	Count        int          `json:"count,omitempty"`   // how many different people must approve
	Default      string       `json:"default,omitempty"` // the declared answer when nobody answers (older dialect)
	Expires      time.Time    `json:"expires,omitzero"`
	Form         value.Object `json:"form,omitempty"` // {"fields": […]} or {"choices": […], "selector": "single"}
	From         []string     `json:"from,omitempty"`
	Hash         Hash         `json:"hash,omitzero"`
	Message      string       `json:"message,omitempty"`
	NotRequester bool         `json:"notRequester,omitempty"`
	Path         string       `json:"path"`
	Requester    string       `json:"requester"`
	RequesterID  string       `json:"requesterID,omitempty"`
	Run          string       `json:"run"`
	Show         value.Object `json:"show,omitempty"` // what the person decides on: action, inputs, targets, effect
	Title        string       `json:"title"`
	Type         string       `json:"type"` // approve, ask, manual, doubt
}

// TaskVoted is one person's answer: approve, reject, answer, done, or one of the answers to a doubt.
type TaskVoted struct {
	Answer string       `json:"answer"`
	By     Who          `json:"by"`
	Output value.Object `json:"output,omitempty"`
	Why    string       `json:"why,omitempty"`
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
	What   string       `json:"what"` // halted, unhalted, damaged, released, restored, erased, redacted, exported, backup
	Why    string       `json:"why,omitempty"`
}

// RunSealed records the end of a run in the audit stream of its shard, so that a missing stream or tail is noticed.
type RunSealed struct {
	Head   Hash   `json:"head"`
	Length uint64 `json:"length"`
	Run    string `json:"run"`
	Status string `json:"status"`
}
