package guard

import (
	"fmt"
	"time"

	"github.com/tendhq/tend/internal/calendar"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/value"
)

// Spec is the content of a `kind: Guard` document: a selection of effects, or of runs, and one rule that can stop them.
type Spec struct {
	Name   string    `json:"name"`
	Select Selection `json:"select,omitzero"`
	Then   string    `json:"then,omitempty"` // hold (default): wait until it may; deny: fail the step; ask: a person decides

	Cooldown    *Cooldown    `json:"cooldown,omitempty"`
	Rate        *Rate        `json:"rate,omitempty"`
	Spread      *Spread      `json:"spread,omitempty"`
	Share       *Share       `json:"share,omitempty"`
	Freeze      *Freeze      `json:"freeze,omitempty"`
	Breaker     *Breaker     `json:"breaker,omitempty"`
	Approval    *Approval    `json:"approval,omitempty"`
	Change      *Change      `json:"change,omitempty"`
	Concurrency *Concurrency `json:"concurrency,omitempty"`
	StandDown   *StandDown   `json:"standDown,omitempty"`

	// Fence is what alone may be touched (globs). No document has it: it is made of what the server lets a repository do, and
	// no override loosens it.
	Fence []string `json:"fence,omitempty"`
}

// Selection says which effects a guard is about. An empty list selects everything of its kind; Effects empty means
// mutate. Patterns are globs with * and ?.
type Selection struct {
	Playbooks    []string          `json:"playbooks,omitempty"`
	Environments []string          `json:"environments,omitempty"` // that it holds in
	Outside      []string          `json:"outside,omitempty"`      // environments that it does not hold in: another guard of its name does
	Labels       map[string]string `json:"labels,omitempty"`       // of the playbook: all must match
	Actions      []string          `json:"actions,omitempty"`
	Effects      []contract.Effect `json:"effects,omitempty"`
	Except       []string          `json:"except,omitempty"` // actions
	Targets      []string          `json:"targets,omitempty"`
}

// Per says what a guard counts apart.
type Per string

// What can be counted apart. The zero Per is the default of its rule.
const (
	PerTarget   Per = "target"
	PerPlaybook Per = "playbook"
	PerAction   Per = "action"
	PerRun      Per = "run"   // the outermost one
	PerKey      Per = "key"   // of a trigger: one alert, one host
	PerGuard    Per = "guard" // nothing: everything together
)

// Cooldown leaves a target alone for a time after an effect on it.
type Cooldown struct {
	Every value.Duration `json:"every"`
	Per   Per            `json:"per,omitempty"` // target (default) or playbook
}

// Rate bounds how many effects there are within a time.
type Rate struct {
	Limit  int            `json:"limit"`
	Per    Per            `json:"per,omitempty"` // guard (default), target, playbook, action, run
	Within value.Duration `json:"within"`
}

// Spread bounds how many different targets are touched within a time.
type Spread struct {
	Limit  int            `json:"limit"`
	Per    Per            `json:"per,omitempty"` // playbook (default), run, guard
	Within value.Duration `json:"within"`
}

// Share bounds which part of a group is touched within a time. How many there are in the group is said as a number, by a list,
// or by the environment's; a group of which nobody says it has one.
type Share struct {
	Group   string         `json:"group,omitempty"`   // a name, of which the environment says who is in it
	Members []string       `json:"members,omitempty"` // targets: those that are in it, and no others, count
	Percent int            `json:"percent"`
	Size    int            `json:"size"`
	Within  value.Duration `json:"within"`
}

// Of is how many there are in the group.
func (s *Share) Of() int { return max(len(s.Members), s.Size) }

// Allows is how many targets of the group may be touched: at least one, so that a small group can be repaired at all.
func (s *Share) Allows() int { return max(s.Of()*s.Percent/100, 1) }

// Freeze is when nothing may change.
type Freeze struct {
	Calendar string   `json:"calendar,omitempty"` // a file beside the guard, in the format of RFC 5545
	Events   string   `json:"events,omitempty"`   // its content, filled in by whoever reads the file
	Windows  []Window `json:"windows,omitempty"`
	Zone     string   `json:"zone,omitempty"`
}

// Window is a stretch of time as it is written: see calendar.ParseWindow.
type Window struct {
	From string `json:"from"`
	To   string `json:"to"`
	Why  string `json:"why,omitempty"`
}

// Breaker opens when runs fail, or do not help: then nothing of the kind is tried for a time.
type Breaker struct {
	Again    value.Duration `json:"again,omitempty"` // the same key again so soon after a success: it did not help
	Failures int            `json:"failures"`
	Open     value.Duration `json:"open"`
	Per      Per            `json:"per,omitempty"` // playbook (default), key, guard
	Within   value.Duration `json:"within"`
}

// Approval asks a person when an effect has many targets, or cannot be undone.
type Approval struct {
	Above        int  `json:"above,omitempty"` // targets; 0: however many
	Irreversible bool `json:"irreversible,omitempty"`
}

// Change wants an approved change that covers the effect.
type Change struct {
	Required bool `json:"required"`
}

// Concurrency bounds how many runs go on at once. It is asked before a run begins.
type Concurrency struct {
	Limit int    `json:"limit"`
	Per   Per    `json:"per,omitempty"`  // playbook (default), key, guard
	Then  string `json:"then,omitempty"` // queue (default), skip, replace
}

// StandDown holds everything back when an alarm is about more than one repair, or when nobody can see. It is asked before a
// run begins, and before its effects.
type StandDown struct {
	Alarms  int            `json:"alarms,omitempty"`  // more than so many different ones of a name within Within
	Blind   value.Duration `json:"blind,omitempty"`   // what watches monitoring has been silent for so long
	By      string         `json:"by,omitempty"`      // the label that tells them apart; default: the key of the trigger
	For     value.Duration `json:"for,omitempty"`     // how long; default: Within
	Group   string         `json:"group,omitempty"`   // as of Share
	Members []string       `json:"members,omitempty"` // only alarms about these count
	Percent int            `json:"percent,omitempty"` // more than such a part of the group
	Size    int            `json:"size,omitempty"`    // of the group
	Within  value.Duration `json:"within,omitempty"`
}

// Bears is how many different alarms there may be; 0: however many.
func (d *StandDown) Bears() int {
	n := d.Alarms
	if d.Percent > 0 {
		if p := max(max(len(d.Members), d.Size)*d.Percent/100, 1); n == 0 || p < n {
			n = p
		}
	}
	return n
}

// In gives the guard with those who are in its group, when it names one that it does not list. all are the groups that are
// known; ok is false when the group is none of them.
func (s Spec) In(all map[string][]string) (out Spec, ok bool) {
	switch {
	case s.Share != nil && s.Share.Group != "":
		own := *s.Share
		own.Members, ok = all[own.Group]
		s.Share = &own
		if len(s.Select.Targets) == 0 {
			s.Select.Targets = own.Members
		}
	case s.StandDown != nil && s.StandDown.Group != "":
		own := *s.StandDown
		own.Members, ok = all[own.Group]
		s.StandDown = &own
	default:
		ok = true
	}
	return s, ok
}

// Group names the group that the guard asks its environment for; "" is none.
func (s *Spec) Group() string {
	switch {
	case s.Share != nil:
		return s.Share.Group
	case s.StandDown != nil:
		return s.StandDown.Group
	default:
		return ""
	}
}

// Rule names the rule of a guard.
func (s *Spec) Rule() string {
	switch {
	case s.Cooldown != nil:
		return "cooldown"
	case s.Rate != nil:
		return "rate"
	case s.Spread != nil:
		return "spread"
	case s.Share != nil:
		return "share"
	case s.Freeze != nil:
		return "freeze"
	case s.Breaker != nil:
		return "breaker"
	case s.Approval != nil:
		return "approval"
	case s.Change != nil:
		return "change"
	case s.Concurrency != nil:
		return "concurrency"
	case s.StandDown != nil:
		return "standDown"
	case len(s.Fence) > 0:
		return "fence"
	default:
		return ""
	}
}

// frozen tells whether now lies in a window of a freeze, until when, and what is written beside it. A calendar that cannot be
// read freezes: a guard that cannot look does not let pass.
func (f *Freeze) frozen(now time.Time) (until time.Time, why string, yes bool) {
	for _, w := range f.Windows {
		x, err := calendar.ParseWindow(w.From, w.To, f.Zone)
		if err != nil {
			return time.Time{}, fmt.Sprintf("its window %s to %s cannot be read", w.From, w.To), true
		}
		if end, in := x.Covers(now); in && end.After(until) {
			until, why, yes = end, w.Why, true
		}
	}
	if f.Calendar == "" {
		return until, why, yes
	}
	zone, err := time.LoadLocation(f.Zone)
	if err != nil {
		zone = time.UTC
	}
	c, err := calendar.ParseICS([]byte(f.Events), zone)
	if err != nil {
		return time.Time{}, fmt.Sprintf("its calendar %s cannot be read", f.Calendar), true
	}
	for _, s := range c.At(now) {
		if s.To.After(until) {
			until, why, yes = s.To, s.Title, true
		}
	}
	return until, why, yes
}
