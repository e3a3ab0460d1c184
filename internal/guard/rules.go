package guard

import (
	"fmt"
	"slices"
	"time"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/spelling"
)

// Rules are what is live: everything that may stop an effect or a run. They are never changed in place.
type Rules struct {
	Serial    uint64            // counts the states of the rules of a server: an older one never takes the place of a newer one
	Version   string            // names this state of the rules: it is recorded with what they decide
	Guards    map[string][]Spec // by project
	Overrides []Override
	Modes     []Setting
	Halts     []Halted
	World     World
}

// World is what is known of the world beyond the runs themselves.
type World struct {
	Blind   map[string]Silence // what should have been heard of and was not
	Changes []Planned          // approved changes
	Runs    *Counted           // what starts and ends of runs counted: breakers hold effects by it
}

// Silence is that something is not heard of.
type Silence struct {
	Project string // that is blind by it; "": all
	Since   time.Time
}

// Silent gives what is not heard of, since when.
func (w *World) Silent() map[string]time.Time {
	out := make(map[string]time.Time, len(w.Blind))
	for what, x := range w.Blind {
		out[what] = x.Since
	}
	return out
}

// Planned is an approved change: what it covers, and when.
type Planned struct {
	ID        string    `json:"id"` // as whoever approved it calls it
	By        string    `json:"by"`
	From      time.Time `json:"from"`
	To        time.Time `json:"to"`
	Playbooks []string  `json:"playbooks,omitempty"` // globs; empty: all
	Project   string    `json:"project"`
	Targets   []string  `json:"targets,omitempty"` // globs; empty: all
	Why       string    `json:"why,omitempty"`
}

func (c Planned) about(project, target, playbook string) bool {
	return c.Project == project && spelling.Globs(c.Targets, target) && spelling.Globs(c.Playbooks, playbook)
}

func (c Planned) open(now time.Time) bool {
	return !now.Before(c.From) && (c.To.IsZero() || now.Before(c.To))
}

// Override loosens a guard for a while. Who and why are recorded; it ends by itself.
type Override struct {
	ID       string    `json:"id"`
	By       string    `json:"by"`
	Guard    string    `json:"guard"`
	Playbook string    `json:"playbook,omitempty"` // glob; "": all
	Project  string    `json:"project"`
	Targets  []string  `json:"targets,omitempty"` // globs; empty: all
	Until    time.Time `json:"until"`
	Why      string    `json:"why"`
}

func overriding(all []Override, guard, project, playbook string, targets []string, now time.Time) *Override {
	for i := range all {
		o := &all[i]
		if o.Guard != guard || o.Project != project || !now.Before(o.Until) || o.Playbook != "" && !spelling.Glob(o.Playbook, playbook) {
			continue
		}
		// An override for some targets is none for an effect that touches others too, nor for one that does not say what it
		// touches.
		if len(o.Targets) > 0 && (len(targets) == 0 || slices.ContainsFunc(targets, func(t string) bool { return !spelling.Globs(o.Targets, t) })) {
			continue
		}
		return o
	}
	return nil
}

// Mode says what becomes of mutations.
type Mode string

// The modes.
const (
	ModeObserve Mode = "observe" // they are recorded as what would have been done
	ModeAsk     Mode = "ask"     // each asks a person
	ModeAuto    Mode = "auto"    // they are done
)

// Setting is a mode for a server (all fields empty), a project, an environment or a playbook (a glob). The narrowest one
// that is about an effect counts: playbook, then environment, then project, then server; of equal ones the strictest.
type Setting struct {
	Mode        Mode   `json:"mode"`
	Project     string `json:"project,omitempty"`
	Environment string `json:"environment,omitempty"`
	Playbook    string `json:"playbook,omitempty"`
}

func (s Setting) about(project, environment, playbook string) bool {
	return (s.Project == "" || s.Project == project) && (s.Environment == "" || s.Environment == environment) && (s.Playbook == "" || spelling.Glob(s.Playbook, playbook))
}

func (s Setting) narrow() int {
	n := 0
	for i, set := range []bool{s.Project != "", s.Environment != "", s.Playbook != ""} {
		if set {
			n += 1 << i
		}
	}
	return n
}

// strictness orders modes; what is not a mode is the strictest.
func (m Mode) strictness() int {
	switch m {
	case ModeAuto:
		return 0
	case ModeAsk:
		return 1
	case ModeObserve:
		return 2
	default:
		return 3
	}
}

// ModeOf gives the mode for a playbook in an environment of a project, and the setting that says so. Without any setting it
// is observe: what nobody allowed is not done.
func (r *Rules) ModeOf(project, environment, playbook string) (Mode, Setting) {
	best := Setting{Mode: ModeObserve}
	found := false
	for _, s := range r.Modes {
		if !s.about(project, environment, playbook) {
			continue
		}
		if !found || s.narrow() > best.narrow() || s.narrow() == best.narrow() && s.Mode.strictness() > best.Mode.strictness() {
			best, found = s, true
		}
	}
	if best.Mode.strictness() == 3 {
		best.Mode = ModeObserve
	}
	return best.Mode, best
}

// Halted stops everything that is in its scope, until somebody lets it go on.
type Halted struct {
	ID          string    `json:"id"`
	At          time.Time `json:"at"`
	By          string    `json:"by"`
	Why         string    `json:"why,omitempty"`
	Project     string    `json:"project,omitempty"` // all fields of the scope empty: everything
	Environment string    `json:"environment,omitempty"`
	Playbook    string    `json:"playbook,omitempty"` // glob
	Target      string    `json:"target,omitempty"`   // glob
}

// Scope says what is halted.
func (h Halted) Scope() string {
	var s string
	for _, p := range [][2]string{{"project", h.Project}, {"environment", h.Environment}, {"playbook", h.Playbook}, {"target", h.Target}} {
		if p[1] != "" {
			s += ", " + p[0] + " " + p[1]
		}
	}
	if s == "" {
		return "everything"
	}
	return s[2:]
}

func (h Halted) about(project, environment, playbook string, targets []string) bool {
	if h.Project != "" && h.Project != project || h.Environment != "" && h.Environment != environment || h.Playbook != "" && !spelling.Glob(h.Playbook, playbook) {
		return false
	}
	// Of what does not say what it touches nobody knows that it does not touch this.
	return h.Target == "" || len(targets) == 0 || slices.ContainsFunc(targets, func(t string) bool { return spelling.Glob(h.Target, t) })
}

func (h Halted) verdict() Verdict {
	why := ""
	if h.Why != "" {
		why = ": " + h.Why
	}
	return Verdict{Kind: Hold, Guard: "halt", Why: fmt.Sprintf("%s is halted since %s by %s%s", h.Scope(), h.At.UTC().Format(time.RFC3339), h.By, why)}
}

// Halted tells whether a halt stops an effect, and which. Reads are never halted.
func (r *Rules) Halted(q Request) (Verdict, bool) {
	if q.Effect == contract.Read {
		return Verdict{}, false
	}
	for _, h := range r.Halts {
		if h.about(q.Project, q.Environment, q.Playbook, q.Targets) {
			return h.verdict(), true
		}
	}
	return Verdict{}, false
}

// Effect asks everything about an effect, in this order: halts, which stop also what undoes; then, for what is more than a
// read and does not undo: guards, then the mode. An effect that a guard stops is stopped in every mode, so that observing
// shows what would have happened.
func (r *Rules) Effect(counted *Counted, q Request, now time.Time) Verdict {
	if q.Effect == contract.Read {
		return check(r.Guards[q.Project], r.Overrides, r.World, counted, q, now)
	}
	if v, yes := r.Halted(q); yes {
		return v
	}
	if q.Undo {
		return Verdict{Kind: Allow}
	}
	v := check(r.Guards[q.Project], r.Overrides, r.World, counted, q, now)
	mode, by := r.ModeOf(q.Project, q.Environment, q.Playbook)
	switch {
	case mode == ModeObserve && (v.Kind == Allow || v.Kind == Ask):
		v.Kind, v.Guard, v.Why, v.Reserve = Observe, "mode", fmt.Sprintf("the mode of %s is observe: it is not done", by.scope()), nil
	case mode == ModeAsk && v.Kind == Allow && !q.Approved:
		v.Kind, v.Guard, v.Why, v.Reserve = Ask, "mode", fmt.Sprintf("the mode of %s is ask", by.scope()), nil
	}
	return v
}

func (s Setting) scope() string {
	switch {
	case s.Playbook != "":
		return "the playbook " + s.Playbook
	case s.Environment != "":
		return "the environment " + s.Environment
	case s.Project != "":
		return "the project " + s.Project
	default:
		return "this server"
	}
}
