package guard

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/contract"
)

// Sentence says what a guard holds people to, for people: its rule, then what it is about.
func (s *Spec) Sentence() string {
	rule := s.rule()
	if about := s.Select.about(); about != "" {
		rule += "; " + about
	}
	return rule
}

func (s *Spec) rule() string {
	switch {
	case len(s.Fence) > 0:
		return "nothing but " + strings.Join(s.Fence, ", ") + " is touched"
	case s.Cooldown != nil:
		return fmt.Sprintf("%s rests for %s after an effect", each(cmp.Or(s.Cooldown.Per, PerTarget)), s.Cooldown.Every)
	case s.Rate != nil:
		return fmt.Sprintf("at most %d effects within %s%s", s.Rate.Limit, s.Rate.Within, apart(s.Rate.Per))
	case s.Spread != nil:
		return fmt.Sprintf("at most %d different targets within %s%s", s.Spread.Limit, s.Spread.Within, apart(cmp.Or(s.Spread.Per, PerPlaybook)))
	case s.Share != nil:
		return fmt.Sprintf("at most %d %% of %s within %s", s.Share.Percent, group(s.Share.Group, s.Share.Of()), s.Share.Within)
	case s.Freeze != nil:
		return s.Freeze.sentence()
	case s.Breaker != nil:
		return fmt.Sprintf("after %d runs that failed or did not help within %s, none for %s%s", s.Breaker.Failures, s.Breaker.Within, s.Breaker.Open, apart(cmp.Or(s.Breaker.Per, PerPlaybook)))
	case s.Approval != nil:
		return s.Approval.sentence()
	case s.Change != nil:
		return "an approved change must cover it"
	case s.Concurrency != nil:
		then := map[string]string{"skip": "the next one is skipped", "replace": "the next one takes its place"}[s.Concurrency.Then]
		return fmt.Sprintf("at most %d at a time%s; %s", s.Concurrency.Limit, apart(cmp.Or(s.Concurrency.Per, PerPlaybook)), cmp.Or(then, "the next one waits its turn"))
	case s.StandDown != nil:
		return s.StandDown.sentence()
	}
	return s.Rule()
}

func (f *Freeze) sentence() string {
	var list []string
	for _, w := range f.Windows {
		text := w.From + " to " + w.To
		if w.Why != "" {
			text += " (" + w.Why + ")"
		}
		list = append(list, text)
	}
	if f.Calendar != "" {
		list = append(list, "what "+f.Calendar+" says")
	}
	out := "nothing changes " + strings.Join(list, ", ")
	if f.Zone != "" {
		out += ", " + f.Zone
	}
	return out
}

func (a *Approval) sentence() string {
	var when []string
	if a.Irreversible {
		when = append(when, "it cannot be undone")
	}
	if a.Above > 0 {
		when = append(when, fmt.Sprintf("it is about more than %d targets", a.Above))
	}
	if len(when) == 0 {
		return "a person agrees before"
	}
	return "a person agrees where " + strings.Join(when, " or ")
}

func (d *StandDown) sentence() string {
	var when []string
	if d.Alarms > 0 {
		when = append(when, fmt.Sprintf("more than %d alarms of a name come in within %s", d.Alarms, d.Within))
	}
	if d.Percent > 0 {
		when = append(when, fmt.Sprintf("an alarm is about more than %d %% of %s", d.Percent, group(d.Group, max(d.Size, len(d.Members)))))
	}
	if d.Blind > 0 {
		when = append(when, fmt.Sprintf("monitoring is silent for %s", d.Blind))
	}
	return "stands down where " + strings.Join(when, ", or ")
}

func group(name string, of int) string {
	if name != "" {
		return "group " + name
	}
	return fmt.Sprintf("%d", of)
}

func each(p Per) string { return "each " + string(p) }

func apart(p Per) string {
	if p == "" || p == "guard" {
		return ""
	}
	return " for " + each(p)
}

// about says which effects are meant, where it is not every change.
func (s *Selection) about() string {
	var out []string
	add := func(what string, list []string) {
		if len(list) > 0 {
			out = append(out, what+strings.Join(list, ", "))
		}
	}
	if len(s.Effects) > 0 && !slices.Equal(s.Effects, []contract.Effect{contract.Mutate}) {
		list := make([]string, len(s.Effects))
		for i, e := range s.Effects {
			list[i] = string(e)
		}
		add("effects ", list)
	}
	add("playbooks ", s.Playbooks)
	labels := make([]string, 0, len(s.Labels))
	for k, v := range s.Labels {
		labels = append(labels, k+"="+v)
	}
	slices.Sort(labels)
	add("labels ", labels)
	add("actions ", s.Actions)
	add("not ", s.Except)
	add("targets ", s.Targets)
	add("in ", s.Environments)
	add("outside of ", s.Outside)
	return strings.Join(out, "; ")
}
