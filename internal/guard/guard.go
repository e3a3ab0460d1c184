// Package guard is the kind Guard, a rule that can stop effects, and decides by such rules whether an effect may begin
// now: allow, hold until later, or deny, with the reason.
//
// It is pure: what was counted before comes as data, and what a verdict counts goes back as data, to be committed with
// the intent that it allowed. Undoing is never held back.
package guard

import (
	"fmt"
	"slices"
	"time"

	"github.com/tendhq/tend/internal/contract"
)

// Request is an effect that is about to begin, rendered.
type Request struct {
	Playbook string
	Labels   map[string]string
	Action   string
	Effect   contract.Effect
	Targets  []string
	Root     string // the outermost run: its own reservations do not hold it back
	Path     string
}

// Reservation is an effect that a guard counted.
type Reservation struct {
	Guard  string    `json:"guard"`
	Root   string    `json:"root"`
	Target string    `json:"target"`
	Until  time.Time `json:"until"`
}

// Key names the counter of a guard for a target.
func Key(guard, target string) string { return guard + "|" + target }

// Kind of a verdict.
type Kind string

// The verdicts.
const (
	Allow Kind = "allow"
	Hold  Kind = "hold"
	Deny  Kind = "deny"
)

// Verdict is the answer to a Request.
type Verdict struct {
	Kind    Kind
	Guard   string        // that holds or denies
	Why     string        // a sentence
	Until   time.Time     // hold: when it may be asked again
	Allowed []string      // names of the guards that had their say
	Reserve []Reservation // allow: what to count, in the commit of the intent
}

// Check asks all guards. The strictest answer wins: deny before hold, the longest hold before shorter ones.
func Check(specs []Spec, counted map[string]Reservation, r Request, now time.Time) Verdict {
	v := Verdict{Kind: Allow}
	for i := range specs {
		g := &specs[i]
		if g.Cooldown == nil || !selects(&g.Select, &r) {
			continue
		}
		v.Allowed = append(v.Allowed, g.Name)
		for _, t := range subjects(&g.Select, &r) {
			last, ok := counted[Key(g.Name, t)]
			if ok && last.Root != r.Root && now.Before(last.Until) {
				held := Verdict{Kind: Hold, Guard: g.Name, Until: last.Until, Why: fmt.Sprintf(
					"guard %s leaves %s alone until %s, after an effect of run %s", g.Name, name(t), last.Until.UTC().Format(time.RFC3339), last.Root)}
				if g.Then == "deny" {
					held.Kind = Deny
				}
				v = stricter(v, held)
				continue
			}
			v.Reserve = append(v.Reserve, Reservation{
				Guard: g.Name, Root: r.Root, Target: t, Until: now.Add(time.Duration(g.Cooldown.Every)).UTC().Truncate(time.Microsecond),
			})
		}
	}
	if v.Kind != Allow {
		v.Reserve, v.Allowed = nil, nil
	}
	return v
}

func name(target string) string {
	if target == "" {
		return "effects without a target"
	}
	return target
}

func stricter(a, b Verdict) Verdict {
	rank := map[Kind]int{Allow: 0, Hold: 1, Deny: 2}
	if rank[b.Kind] > rank[a.Kind] || (a.Kind == Hold && b.Kind == Hold && b.Until.After(a.Until)) {
		return b
	}
	return a
}

// subjects are the targets that the guard counts. An effect that names none counts as one nameless target: a guard must
// not be avoided by saying less.
func subjects(s *Selection, r *Request) []string {
	if len(r.Targets) == 0 {
		return []string{""}
	}
	var out []string
	for _, t := range r.Targets {
		if matches(s.Targets, t) {
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
	if !slices.Contains(effects, r.Effect) || !matches(s.Playbooks, r.Playbook) || !matches(s.Actions, r.Action) {
		return false
	}
	for k, v := range s.Labels {
		if r.Labels[k] != v {
			return false
		}
	}
	return len(s.Targets) == 0 || len(r.Targets) == 0 || len(subjects(s, r)) > 0
}

func matches(patterns []string, s string) bool {
	if len(patterns) == 0 {
		return true
	}
	return slices.ContainsFunc(patterns, func(p string) bool { return Match(p, s) })
}

// Match is a glob with * (any text, also slashes) and ?.
func Match(pattern, s string) bool {
	for pattern != "" {
		switch pattern[0] {
		case '*':
			for i := 0; i <= len(s); i++ {
				if Match(pattern[1:], s[i:]) {
					return true
				}
			}
			return false
		case '?':
			if s == "" {
				return false
			}
		default:
			if s == "" || s[0] != pattern[0] {
				return false
			}
		}
		pattern, s = pattern[1:], s[1:]
	}
	return s == ""
}
