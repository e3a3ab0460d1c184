// Package graph draws a compiled playbook: as a tree for a terminal, as Mermaid, as Graphviz dot, and as a layout of
// boxes on a grid from which the SVG of an exported run and the web page are drawn.
//
// It is pure and shows what the program says, nothing else: secrets stay names, expressions stay unevaluated. A State
// lays the progress of a run over the drawing. Whatever the texts in a playbook hold, the output is well formed: every
// renderer escapes for its own language, and control characters never reach a terminal.
package graph

import (
	"strings"

	"github.com/tendhq/tend/internal/program"
)

// Kind says what a node of the drawing is.
type Kind string

// The kinds: those of a playbook's nodes, and what a drawing adds to them.
const (
	Action   = Kind(program.KindAction)
	Wait     = Kind(program.KindWait)
	Approve  = Kind(program.KindApprove)
	Ask      = Kind(program.KindAsk)
	Manual   = Kind(program.KindManual)
	Call     = Kind(program.KindCall)
	Assert   = Kind(program.KindAssert)
	Fail     = Kind(program.KindFail)
	Steps    = Kind(program.KindSteps)
	Foreach  = Kind(program.KindForeach)
	Parallel = Kind(program.KindParallel)
	Lock     = Kind(program.KindLock)

	Start   Kind = "start"
	End     Kind = "end"
	Lane    Kind = "lane"    // one branch of a parallel
	Catch   Kind = "catch"   // what runs when its block failed
	Finally Kind = "finally" // what runs in any case
)

// Role says what a node does for the step that it hangs on. It is empty for nodes in the main flow.
type Role string

// The roles.
const (
	Verify   Role = "verify"
	Undo     Role = "undo"
	Probe    Role = "probe"
	Until    Role = "until" // what a wait looks at
	StopWhen Role = "stopWhen"
)

// Mark is what a State says about a place.
type Mark struct {
	Status string // succeeded, failed, running, waiting, skipped, in-doubt, undone …; empty: not reached
	Note   string // "3 of 7", "2.1s"
	// Targets are those that it has or had, when the run knows them; else what the playbook writes is shown.
	Targets []string
}

// State tells the status of the node at a path, as Layout and the playbook's paths write it, without iteration keys:
// `steps[1].foreach.steps[0]`. A nil State draws the program alone.
type State func(path string) Mark

func (s State) at(path string) Mark {
	if s == nil {
		return Mark{}
	}
	return s(path)
}

// tone sorts statuses into the few that a drawing can tell apart.
func (m Mark) tone() string {
	switch m.Status {
	case "", "pending":
		return ""
	case "succeeded", "carried", "done", "approved":
		return "good"
	case "failed", "rejected", "refused", "denied", "quarantined":
		return "bad"
	case "in-doubt", "interrupted", "ignored":
		return "doubt"
	case "skipped", "not-reached", "cancelled", "undone", "stopped":
		return "off"
	default:
		return "live"
	}
}

func (m Mark) text() string {
	return strings.TrimSpace(m.Status + " " + m.Note)
}
