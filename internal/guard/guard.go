// Package guard is the kind Guard, a rule that can stop effects, and decides by such rules whether a run or an effect may
// begin now: allow, hold until later, deny, ask a person, or only observe; with the reason.
//
//	Rules.Effect   halts, the mode, then the guards: asked before the intent of an effect
//	Rules.Start    halts, then the guards that are about runs: asked before a run begins
//	Rules.Ended    what the end of a run counts: asked when one is over
//	Check          the guards alone
//
// It is pure: what was counted before comes as data, and what a verdict counts goes back as data, to be committed with
// the intent that it allowed. What cannot be read stops. Undoing is never held back by a guard; a halt stops everything.
package guard

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/spelling"
	"github.com/tendhq/tend/internal/tally"
)

// What guards counted.
type (
	Counted     = tally.Counted
	Reservation = tally.Reservation
)

// Request is an effect that is about to begin, rendered.
type Request struct {
	Project      string
	Environment  string
	Playbook     string
	Labels       map[string]string // of the playbook
	Action       string
	Effect       contract.Effect
	Irreversible bool
	Targets      []string
	Root         string // the outermost run: its own cooldowns do not hold it back
	Path         string
	Key          string // of the trigger that began the run; "" when a person did
	Approved     bool   // people have approved exactly this effect
	Undo         bool   // it restores what was
}

// Kind of a verdict.
type Kind string

// The verdicts, from the mildest to the strictest.
const (
	Allow   Kind = "allow"
	Ask     Kind = "ask"     // a person decides
	Hold    Kind = "hold"    // not now
	Deny    Kind = "deny"    // not at all
	Observe Kind = "observe" // it would be allowed, and is not done
)

// Verdict is the answer to a Request.
type Verdict struct {
	Kind    Kind
	Guard   string        // that asks, holds or denies
	Why     string        // a sentence
	Until   time.Time     // hold: when it may be asked again; zero: when somebody changes something
	Allowed []string      // names of the guards that had their say
	Loose   []string      // guards that an override kept silent: "name (who: why)"
	Reserve []Reservation // allow: what to count, in the commit of the intent
}

// Check asks all guards about an effect. The strictest answer wins: deny before hold before ask, the longest hold before
// shorter ones.
func Check(specs []Spec, counted *Counted, r Request, now time.Time) Verdict {
	return check(specs, nil, World{}, counted, r, now)
}

func check(specs []Spec, loose []Override, w World, counted *Counted, r Request, now time.Time) Verdict {
	v := Verdict{Kind: Allow}
	for i := range specs {
		g := &specs[i]
		if !g.aboutEffects() || !selects(&g.Select, &r) {
			continue
		}
		if o := overriding(loose, g.Name, r.Project, r.Playbook, r.Targets, now); o != nil && len(g.Fence) == 0 {
			v.Loose = append(v.Loose, g.Name+" ("+o.By+": "+o.Why+")")
			continue
		}
		v.Allowed = append(v.Allowed, g.Name)
		q := question{g: g, counted: counted, world: w, r: &r, now: now}
		no, reserve := q.ask()
		v.Reserve = append(v.Reserve, reserve...)
		if no.Kind != "" && !(no.Kind == Ask && r.Approved) {
			no.Guard = g.Name
			no.Loose = v.Loose
			v = stricter(v, no)
		}
	}
	if v.Kind != Allow {
		v.Reserve, v.Allowed = nil, nil
	}
	return v
}

// question is one guard that is asked about one effect.
type question struct {
	g       *Spec
	counted *Counted
	world   World
	r       *Request
	now     time.Time
}

// no is what the guard says when the effect does not pass: as `then` wants it. What can never pass is denied.
func (q *question) no(until time.Time, never bool, format string, a ...any) Verdict {
	v := Verdict{Kind: Hold, Until: until, Why: "guard " + q.g.Name + " " + fmt.Sprintf(format, a...)}
	switch {
	case q.g.Then == string(Ask):
		v.Kind, v.Until = Ask, time.Time{}
	case q.g.Then == string(Deny) || never:
		v.Kind, v.Until = Deny, time.Time{}
	}
	return v
}

// ask gives what stops the effect (the zero Verdict: nothing) and what is counted when it begins.
func (q *question) ask() (Verdict, []Reservation) {
	g := q.g
	switch {
	case g.Cooldown != nil:
		return q.cooldown()
	case g.Rate != nil:
		return q.rate()
	case g.Spread != nil:
		s := g.Spread
		return q.spread(s.Limit, time.Duration(s.Within), q.r.per(s.Per, PerPlaybook), fmt.Sprintf("lets %d different targets be touched within %s", s.Limit, s.Within))
	case g.Share != nil:
		s := g.Share
		return q.spread(s.Allows(), time.Duration(s.Within), "", fmt.Sprintf("lets %d%% of %d targets (%d) be touched within %s", s.Percent, s.Of(), s.Allows(), s.Within))
	case g.Freeze != nil:
		if until, why, yes := g.Freeze.frozen(q.now); yes {
			if why != "" {
				why = ": " + why
			}
			return q.no(until, false, "lets nothing change%s%s", till(until), why), nil
		}
	case g.Breaker != nil:
		if q.world.Runs != nil {
			q.counted = q.world.Runs
		}
		return q.breaker(q.r.Playbook, q.r.Key), nil
	case g.Approval != nil:
		return q.approval(), nil
	case g.Change != nil:
		return q.change(), nil
	case g.StandDown != nil:
		if q.world.Runs != nil {
			q.counted = q.world.Runs
		}
		return q.standDown(), nil
	case len(g.Fence) > 0:
		return q.fence(), nil
	}
	return Verdict{}, nil
}

// fence denies what is outside, and what does not say what it touches.
func (q *question) fence() Verdict {
	for _, t := range subjects(&q.g.Select, q.r) {
		if len(q.r.Targets) == 0 || !spelling.Globs(q.g.Fence, t) {
			return q.no(time.Time{}, true, "lets nothing but %s be touched, and this touches %s", strings.Join(q.g.Fence, ", "), name(t))
		}
	}
	return Verdict{}
}

func (q *question) cooldown() (no Verdict, reserve []Reservation) {
	c := q.g.Cooldown
	subjects := subjects(&q.g.Select, q.r)
	if c.Per == PerPlaybook {
		subjects = []string{"playbook " + q.r.Playbook}
	}
	for _, t := range subjects {
		last, ok := q.counted.Get(q.g.Name, t)
		if ok && last.Root != q.r.Root && q.now.Before(last.Until) {
			no = stricter(no, q.no(last.Until, false, "leaves %s alone%s, after an effect of run %s", name(t), till(last.Until), last.Root))
			continue
		}
		reserve = append(reserve, Reservation{Guard: q.g.Name, Root: q.r.Root, Target: t, Until: q.until(time.Duration(c.Every))})
	}
	return no, reserve
}

func (q *question) rate() (Verdict, []Reservation) {
	c := q.g.Rate
	pers := []string{q.r.per(c.Per, PerGuard)}
	if c.Per == PerTarget {
		pers = subjects(&q.g.Select, q.r)
	}
	var no Verdict
	var reserve []Reservation
	for _, per := range pers {
		live := q.counted.Live(q.g.Name, q.now, func(r Reservation) bool { return r.Per == per })
		if len(live) >= c.Limit {
			// Enough of the oldest must be over.
			until := live[len(live)-c.Limit].Until
			no = stricter(no, q.no(until, false, "lets %d effects%s happen within %s, and there were %d", c.Limit, of(per), c.Within, len(live)))
			continue
		}
		// Each effect counts, also the same one again in the same moment.
		slot := fmt.Sprintf("%s|%s|%s|%d", per, q.r.Root, q.r.Path, q.now.UnixMicro())
		for _, taken := q.counted.Get(q.g.Name, slot); taken; _, taken = q.counted.Get(q.g.Name, slot) {
			slot += "+"
		}
		reserve = append(reserve, Reservation{Guard: q.g.Name, Per: per, Root: q.r.Root, Slot: slot, Until: q.until(time.Duration(c.Within))})
	}
	return no, reserve
}

// spread bounds distinct targets: those that were touched and those that would be.
func (q *question) spread(limit int, within time.Duration, per, says string) (Verdict, []Reservation) {
	subjects := subjects(&q.g.Select, q.r)
	live := q.counted.Live(q.g.Name, q.now, func(r Reservation) bool { return r.Per == per })
	fresh := slices.DeleteFunc(slices.Clone(subjects), func(t string) bool {
		return slices.ContainsFunc(live, func(r Reservation) bool { return r.Target == t })
	})
	if over := len(live) + len(fresh) - limit; over > 0 && len(fresh) > 0 {
		if len(fresh) > limit {
			return q.no(time.Time{}, true, "%s, and these are %d at once: %s", says, len(fresh), few(fresh)), nil
		}
		return q.no(live[over-1].Until, false, "%s: there were %d already, and %s would be more", says, len(live), few(fresh)), nil
	}
	var reserve []Reservation
	for _, t := range subjects {
		reserve = append(reserve, Reservation{Guard: q.g.Name, Per: per, Root: q.r.Root, Slot: per + "|" + t, Target: t, Until: q.until(within)})
	}
	return Verdict{}, reserve
}

func (q *question) approval() Verdict {
	a := q.g.Approval
	n := len(subjects(&q.g.Select, q.r))
	switch {
	case q.r.Approved:
		return Verdict{}
	case a.Irreversible && q.r.Irreversible:
		return Verdict{Kind: Ask, Why: fmt.Sprintf("guard %s asks before what cannot be undone", q.g.Name)}
	case a.Above > 0 && n > a.Above:
		return Verdict{Kind: Ask, Why: fmt.Sprintf("guard %s asks before more than %d targets are touched at once, and these are %d", q.g.Name, a.Above, n)}
	case a.Above == 0 && !a.Irreversible:
		return Verdict{Kind: Ask, Why: fmt.Sprintf("guard %s asks before this", q.g.Name)}
	}
	return Verdict{}
}

func (q *question) change() Verdict {
	for _, t := range subjects(&q.g.Select, q.r) {
		var next Planned
		open := slices.ContainsFunc(q.world.Changes, func(c Planned) bool {
			if !c.about(q.r.Project, t, q.r.Playbook) {
				return false
			}
			if q.now.Before(c.From) && (next.ID == "" || c.From.Before(next.From)) {
				next = c
			}
			return c.open(q.now)
		})
		switch {
		case open:
		case next.ID != "":
			return q.no(next.From, false, "wants an approved change for %s: %s opens at %s", name(t), next.ID, next.From.UTC().Format(time.RFC3339))
		default:
			return q.no(time.Time{}, false, "wants an approved change for %s, and none is open", name(t))
		}
	}
	return Verdict{}
}

func (q *question) until(d time.Duration) time.Time {
	return q.now.Add(d).UTC().Truncate(time.Microsecond)
}

// per names what an effect is counted with.
func (r *Request) per(p, usual Per) string {
	if p == "" {
		p = usual
	}
	switch p {
	case PerPlaybook:
		return "playbook " + r.Playbook
	case PerAction:
		return "action " + r.Action
	case PerRun:
		return "run " + r.Root
	case PerKey:
		return "key " + r.Key
	case PerTarget, PerGuard:
	}
	return ""
}

func of(per string) string {
	if per == "" {
		return ""
	}
	return " of " + per
}

func till(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " until " + t.UTC().Format(time.RFC3339)
}

func few(targets []string) string {
	const most = 5
	names := make([]string, 0, most)
	for _, t := range targets[:min(len(targets), most)] {
		names = append(names, name(t))
	}
	if n := len(targets) - most; n > 0 {
		return fmt.Sprintf("%s and %d others", strings.Join(names, ", "), n)
	}
	return strings.Join(names, ", ")
}

func nameless(playbook string) string {
	if playbook == "" {
		return ""
	}
	return "(" + playbook + ")"
}

func name(target string) string {
	switch {
	case target == "":
		return "effects without a target"
	case target[0] == '(':
		return "effects of " + target[1:len(target)-1] + " that name no target"
	default:
		return target
	}
}

// stricter gives the stricter of two verdicts.
func stricter(a, b Verdict) Verdict {
	rank := map[Kind]int{"": 0, Allow: 0, Ask: 1, Hold: 2, Deny: 3}
	// A hold without an end is longer than any other.
	longer := a.Kind == Hold && b.Kind == Hold && !a.Until.IsZero() && (b.Until.IsZero() || b.Until.After(a.Until))
	if rank[b.Kind] > rank[a.Kind] || longer {
		return b
	}
	return a
}

// aboutEffects tells whether a guard is asked before effects; concurrency is about runs alone.
func (s *Spec) aboutEffects() bool { return s.Concurrency == nil }

// subjects are the targets that the guard counts. An effect that names none counts as one nameless target of its playbook:
// a guard must not be avoided by saying less.
func subjects(s *Selection, r *Request) []string {
	if len(r.Targets) == 0 {
		return []string{nameless(r.Playbook)}
	}
	var out []string
	for _, t := range r.Targets {
		if spelling.Globs(s.Targets, t) && !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}

func selects(s *Selection, r *Request) bool {
	effects := s.Effects
	if len(effects) == 0 {
		effects = []contract.Effect{contract.Mutate}
	}
	if !slices.Contains(effects, r.Effect) || !s.environment(r.Environment) || !s.playbook(r.Playbook, r.Labels) || !spelling.Globs(s.Actions, r.Action) || len(s.Except) > 0 && spelling.Globs(s.Except, r.Action) {
		return false
	}
	return len(s.Targets) == 0 || len(r.Targets) == 0 || len(subjects(s, r)) > 0
}

// environment tells whether the guard holds in an environment; "" is none.
func (s *Selection) environment(name string) bool {
	return spelling.Globs(s.Environments, name) && (len(s.Outside) == 0 || !spelling.Globs(s.Outside, name))
}

func (s *Selection) playbook(name string, labels map[string]string) bool {
	for k, v := range s.Labels {
		if labels[k] != v {
			return false
		}
	}
	return spelling.Globs(s.Playbooks, name)
}
