package guard

import (
	"slices"
	"time"

	"github.com/tendhq/tend/internal/value"
)

// Defaults are the guards of a project that declares none of their names. A guard of the same name in a repository takes the
// place of one; an override loosens one for a while.
//
// They are meant to be met rarely by who does what they meant to do, and always by who does not: sixty targets typed for
// six, the same host restarted every two minutes, a repair that does not help and is tried all night.
func Defaults() []Spec {
	repairs := Selection{Except: []string{"slack/*", "email/*", "pagerduty/*", "webhook/*", "incident/*"}} // what tells people touches nothing
	return []Spec{
		{Name: "default-cooldown", Select: repairs, Then: string(Hold), Cooldown: &Cooldown{Every: value.Duration(5 * time.Minute)}},
		{Name: "default-spread", Select: repairs, Then: string(Hold), Spread: &Spread{Limit: 10, Per: PerPlaybook, Within: value.Duration(time.Hour)}},
		{Name: "default-rate", Select: repairs, Then: string(Hold), Rate: &Rate{Limit: 60, Per: PerPlaybook, Within: value.Duration(time.Hour)}},
		{Name: "default-irreversible", Then: string(Hold), Approval: &Approval{Irreversible: true}},
		{Name: "default-breaker", Then: string(Hold), Breaker: &Breaker{
			Failures: 3, Within: value.Duration(time.Hour), Open: value.Duration(time.Hour), Again: value.Duration(15 * time.Minute), Per: PerPlaybook,
		}},
		{Name: "default-concurrency", Then: string(Hold), Concurrency: &Concurrency{Limit: 1, Per: PerKey, Then: "queue"}},
		{Name: "default-stand-down", Then: string(Hold), StandDown: &StandDown{
			Alarms: 20, Within: value.Duration(5 * time.Minute), For: value.Duration(10 * time.Minute), Blind: value.Duration(5 * time.Minute),
		}},
	}
}

// WithDefaults gives the guards of a project: its own, and the default ones that it does not replace. One that is replaced in
// some environments holds in all others.
func WithDefaults(own []Spec) []Spec {
	out := slices.Clone(own)
	for _, d := range Defaults() {
		replaced := false
		for i := range own {
			switch g := &own[i]; {
			case g.Name != d.Name:
			case len(g.Select.Environments) == 0:
				replaced = true
			default:
				d.Select.Outside = append(d.Select.Outside, g.Select.Environments...)
			}
		}
		if !replaced {
			out = append(out, d)
		}
	}
	return out
}
