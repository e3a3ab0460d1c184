package run

import (
	"github.com/tendhq/tend/internal/program"
)

// Place says where an instance stands: below which one, and as what.
type Place struct {
	Parent  string // path of the owner; "" is the playbook
	Section string // steps, parallel, catch, finally, foreach, or the name of a helper
	Index   int    // in its section; -1 for iterations and helpers
	Key     string // of an iteration
}

// Iteration tells whether it is an iteration of a loop.
func (p Place) Iteration() bool { return p.Section == "foreach" && p.Index < 0 }

// Helper tells whether it belongs to another step: verify, probe, until, stopWhen, undo.
func (p Place) Helper() bool { return p.Index < 0 && !p.Iteration() }

// PlaceOf reads a path.
func PlaceOf(path string) Place {
	parent, g := parentOf(path)
	return Place{Parent: parent, Section: g.name, Index: g.index, Key: g.key}
}

// Locate finds the definition of the instance at path. Iterations have none: nil without error.
func Locate(p *program.Program, path string) (*program.Node, error) { return locate(p, path) }

// At gives the path of the i-th node of a section below base ("" is the playbook).
func At(base, section string, i int) string { return child(base, section, i) }

// IterationAt gives the path of an iteration of a loop.
func IterationAt(loop, key string) string { return iteration(loop, key) }

// Retries tells whether another attempt may follow attempt n that failed with a fault of the given kind.
func Retries(r *program.Retry, n int, kind string) bool { return retries(r, n, kind) }

// AfterDoubt tells what follows an attempt whose outcome nobody knows: retry, fail, or ask (a probe, then a person).
func AfterDoubt(def *program.Node, effect string, attempt int) string {
	switch policy := doubtPolicy(&Node{def: def, Intent: &Intent{Effect: effect}}); policy {
	case "retry":
		if attempt < doubtAttempts(def) {
			return "retry"
		}
		return "fail"
	case "fail":
		return "fail"
	default:
		return "ask"
	}
}
