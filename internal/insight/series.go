package insight

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/run"
)

// Step is how long a part of a series is.
type Step string

// The steps: hours, days from midnight to midnight, weeks from Monday on, in a zone.
const (
	Hourly Step = "hour"
	Daily  Step = "day"
	Weekly Step = "week"
)

// MaxParts is how many parts a series may have.
const MaxParts = 1000

// Part is a part of a series.
type Part struct {
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	Sum   Team      `json:"sum"`
}

type part struct {
	*sums

	since, until time.Time
}

// next gives the beginning of the step after the one that t is in.
func (s Step) next(t time.Time, zone *time.Location) time.Time {
	t = t.In(zone)
	y, m, d := t.Date()
	switch s {
	case Daily:
		return time.Date(y, m, d+1, 0, 0, 0, 0, zone)
	case Weekly:
		return time.Date(y, m, d+7-(int(t.Weekday())+6)%7, 0, 0, 0, 0, zone)
	case Hourly:
	}
	// Hours of a zone may begin at half an hour of UTC. An hour that comes twice is two.
	into := time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second + time.Duration(t.Nanosecond())
	return t.Add(time.Hour - into)
}

// partsOf cuts the time of a query.
func partsOf(q *Query) ([]*part, error) {
	zone := q.Zone
	if zone == nil {
		zone = time.UTC
	}
	switch q.Every {
	case "":
		return nil, nil
	case Hourly, Daily, Weekly:
	default:
		return nil, fault.New(fault.Invalid, "there are no parts of a %q", q.Every).WithNext("one of: hour, day, week")
	}
	var out []*part
	for t := q.Since; t.Before(q.Until); {
		if len(out) == MaxParts {
			return nil, fault.New(fault.Invalid, "the time has more than %d parts of a %s", MaxParts, q.Every).WithNext("longer parts, or a shorter time")
		}
		end := q.Every.next(t, zone)
		if !end.After(t) || end.After(q.Until) {
			end = q.Until
		}
		out = append(out, &part{newSums(""), t, end})
		t = end
	}
	return out, nil
}

// part gives the part that a time is in; nil when there is none.
func (x *reader) part(t time.Time) *part {
	i, ok := slices.BinarySearchFunc(x.parts, t, func(p *part, t time.Time) int { return p.since.Compare(t) })
	if !ok {
		i-- // the one that began before
	}
	if i < 0 || i >= len(x.parts) || !t.Before(x.parts[i].until) {
		return nil
	}
	return x.parts[i]
}

// series puts into the report what is not of teams.
func (x *reader) series() {
	for _, p := range x.parts {
		x.out.Series = append(x.out.Series, Part{p.since.UTC(), p.until.UTC(), x.finish(p.sums)})
	}
	if x.Compare {
		b := x.finish(x.before)
		x.out.Before = &b
	}
	for _, b := range x.books {
		x.out.Playbooks = append(x.out.Playbooks, *b)
	}
	slices.SortFunc(x.out.Playbooks, func(a, b Fared) int {
		return cmp.Or(strings.Compare(a.Project, b.Project), strings.Compare(a.Name, b.Name))
	})
}

// Fared is how a playbook fared.
type Fared struct {
	Name       string  `json:"name"`
	Project    string  `json:"project"`
	Team       string  `json:"team"`
	Runs       int     `json:"runs"`
	Succeeded  int     `json:"succeeded"`
	Failed     int     `json:"failed"`
	Verified   int     `json:"verified"`
	Verifiable int     `json:"verifiable"`
	Saved      float64 `json:"savedMinutes"`
}

func (x *reader) book(project, name, team string) *Fared {
	key := [2]string{project, name}
	b := x.books[key]
	if b == nil {
		b = &Fared{Name: name, Project: project, Team: team}
		x.books[key] = b
	}
	return b
}

func (b *Fared) add(t *told, about contractOf) {
	b.Runs++
	switch t.status {
	case string(run.Succeeded):
		b.Succeeded++
	case string(run.Failed):
		b.Failed++
	}
	if t.verifiable(about.verifies) {
		b.Verifiable++
	}
	if t.proved() {
		b.Verified++
		b.Saved += about.saves.Minutes()
	}
}

// Noise is how often something of a name began, and what became of it in the end.
type Noise struct {
	Name      string `json:"name"`
	Source    string `json:"source"`
	Events    int    `json:"events"`
	Started   int    `json:"started"` // runs
	Held      int    `json:"held"`    // by a guard, or refused by one
	Unmatched int    `json:"unmatched"`
}

func (a *Noise) add(outcome string) {
	a.Events++
	for _, c := range []struct {
		outcome event.Outcome
		count   *int
	}{{event.Started, &a.Started}, {event.Held, &a.Held}, {event.Refused, &a.Held}, {event.Unmatched, &a.Unmatched}} {
		if outcome == string(c.outcome) {
			*c.count++
		}
	}
}

// noisiest gives those that came most often.
func noisiest(all map[[2]string]*Noise, most int) []Noise {
	out := make([]Noise, 0, len(all))
	for _, a := range slices.SortedFunc(maps.Values(all), func(a, b *Noise) int {
		return cmp.Or(b.Events-a.Events, strings.Compare(a.Name, b.Name), strings.Compare(a.Source, b.Source))
	}) {
		out = append(out, *a)
	}
	return out[:min(len(out), most)]
}

// Verifies tells whether a playbook proves anything of what it does. What it calls proves for itself.
func Verifies(p *program.Program) bool {
	var any func(list []program.Node) bool
	any = func(list []program.Node) bool {
		return slices.ContainsFunc(list, func(n program.Node) bool {
			return n.Verify != nil || any(n.Steps) || any(n.Catch) || any(n.Finally)
		})
	}
	return p != nil && (any(p.Steps) || any(p.Catch) || any(p.Finally))
}
