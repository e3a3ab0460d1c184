package guard

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Start is a run that would begin by an event.
type Start struct {
	Project     string
	Environment string
	Playbook    string
	Labels      map[string]string // of the playbook
	Run         string
	Key         string            // of the trigger
	Alarm       string            // what the event is called: the alert's name
	Group       string            // what the event is about: one alert over its life
	About       map[string]string // labels of the event
}

// StartVerdict is the answer to a Start.
type StartVerdict struct {
	Verdict
	Replace []string // runs that are to end so that this one can begin
	Skip    bool     // it does not begin, and does not wait
}

// Start asks everything that is about runs: halts, breakers, concurrency, standing down.
func (r *Rules) Start(counted *Counted, s Start, now time.Time) StartVerdict {
	out := StartVerdict{Verdict: Verdict{Kind: Allow}}
	for _, h := range r.Halts {
		if h.Target == "" && h.about(s.Project, s.Environment, s.Playbook, nil) { // one of some targets lets runs look
			out.Verdict = h.verdict()
			return out
		}
	}
	specs := r.Guards[s.Project]
	for i := range specs {
		g := &specs[i]
		if !g.Select.environment(s.Environment) || !g.Select.playbook(s.Playbook, s.Labels) {
			continue
		}
		q := question{g: g, counted: counted, world: r.World, r: &Request{Project: s.Project, Playbook: s.Playbook, Key: s.Key, Root: s.Run}, now: now}
		var no Verdict
		var reserve []Reservation
		switch {
		case g.Breaker != nil:
			reserve = q.again(s) // that it comes again is a fact, whatever becomes of this start
			no = q.breaker(s.Playbook, s.Key, reserve...)
		case g.StandDown != nil:
			no = q.standDown()
		case g.Concurrency != nil:
			var replace []string
			var skip bool
			no, reserve, replace, skip = q.concurrency(s)
			out.Replace = append(out.Replace, replace...)
			out.Skip = out.Skip || skip
		default:
			continue
		}
		if o := overriding(r.Overrides, g.Name, s.Project, s.Playbook, nil, now); o != nil {
			out.Loose = append(out.Loose, g.Name+" ("+o.By+": "+o.Why+")")
			no = Verdict{}
		}
		out.Allowed = append(out.Allowed, g.Name)
		out.Reserve = append(out.Reserve, reserve...)
		if no.Kind != "" {
			no.Guard = g.Name
			if no.Kind == Ask {
				no.Kind = Hold // nobody can be asked about a run that is not there
			}
			loose, allowed, res := out.Loose, out.Allowed, out.Reserve
			out.Verdict = stricter(out.Verdict, no)
			out.Loose, out.Allowed, out.Reserve = loose, allowed, res
		}
	}
	if out.Kind != Allow {
		// Alarms and failures count all the same; running does not.
		kept := out.Reserve[:0]
		for _, x := range out.Reserve {
			if x.Kind != running {
				kept = append(kept, x)
			}
		}
		out.Reserve, out.Replace = kept, nil
	}
	return out
}

// The kinds of reservations that are not effects. Those with names for others hold effects of runs that go on, too.
const (
	Failed  = "failed"
	Down    = "down"
	helped  = "helped"
	alarm   = "alarm"
	running = "running"
)

// forever is when a reservation of a running run is over, unless it ends before: a run whose end nobody heard of does not
// hold back others for ever.
const forever = 7 * 24 * time.Hour

func (q *question) concurrency(s Start) (no Verdict, reserve []Reservation, replace []string, skip bool) {
	c := q.g.Concurrency
	per := q.r.per(c.Per, PerPlaybook)
	live := q.counted.Live(q.g.Name, q.now, func(x Reservation) bool { return x.Per == per && x.Root != s.Run })
	mine := Reservation{Guard: q.g.Name, Kind: running, Per: per, Root: s.Run, Slot: "run " + s.Run, Until: q.until(forever)}
	if len(live) < c.Limit {
		return Verdict{}, []Reservation{mine}, nil, false
	}
	why := fmt.Sprintf("guard %s lets %d runs%s go on at once, and %s goes on", q.g.Name, c.Limit, of(per), live[len(live)-1].Root)
	switch c.Then {
	case "skip":
		return Verdict{Kind: Deny, Why: why}, nil, nil, true
	case "replace":
		return Verdict{}, []Reservation{mine}, []string{live[0].Root}, false
	default:
		return Verdict{Kind: Hold, Why: why}, nil, nil, false
	}
}

// Seen gives what an alarm counts, whatever becomes of it: it may join a run that goes on, wait for room, or never begin one.
// It is asked once for each event that a trigger takes, before its start is.
func (r *Rules) Seen(counted *Counted, s Start, now time.Time) []Reservation {
	var out []Reservation
	specs := r.Guards[s.Project]
	for i := range specs {
		g := &specs[i]
		if g.StandDown == nil || !g.Select.environment(s.Environment) || !g.Select.playbook(s.Playbook, s.Labels) {
			continue
		}
		q := question{g: g, counted: counted, world: r.World, r: &Request{Project: s.Project, Playbook: s.Playbook, Key: s.Key, Root: s.Run}, now: now}
		out = append(out, q.alarms(s)...)
	}
	return out
}

// plenty is how many times what a guard bears is remembered of a storm: enough to know that it goes on.
const plenty = 4

// alarms counts different alarms of a name, and from when there are too many, how long to stand down.
func (q *question) alarms(s Start) (out []Reservation) {
	d := q.g.StandDown
	bears, within := d.Bears(), time.Duration(d.Within)
	about, lasts := d.about(s), time.Duration(cmp.Or(d.For, d.Within))
	if bears == 0 || about == "" {
		return nil
	}
	mine := Reservation{Guard: q.g.Name, Kind: alarm, Per: s.Alarm, Root: s.Run, Slot: alarm + "|" + s.Alarm + "|" + about, Until: q.until(within)}
	others := func(x Reservation) bool { return x.Kind == alarm && x.Per == s.Alarm && x.Slot != mine.Slot }
	if !q.counted.Reaches(plenty*bears, q.g.Name, q.now, others) && q.later(mine, within) {
		out = append(out, mine)
	}
	if q.counted.Reaches(bears, q.g.Name, q.now, others) {
		lies := Reservation{Guard: q.g.Name, Kind: Down, Per: "playbook " + s.Playbook, Root: s.Run, Target: s.Alarm, Slot: Down + "|" + s.Playbook + "|" + s.Alarm, Until: q.until(lasts)}
		if q.later(lies, lasts) {
			out = append(out, lies)
		}
	}
	return out
}

// later tells whether counting x anew makes a difference: in a storm the same is said very often.
func (q *question) later(x Reservation, lasts time.Duration) bool {
	old, ok := q.counted.Get(x.Guard, cmp.Or(x.Slot, x.Target))
	return !ok || x.Until.Sub(old.Until) > lasts/20
}

// about names what an alarm is about: the value of the label that tells alarms apart, else the key of the trigger. It is ""
// when the alarm is about nobody in the group.
func (d *StandDown) about(s Start) string {
	what := cmp.Or(s.Key, s.Group)
	if d.By != "" {
		what = s.About[d.By]
	}
	if d.Group == "" && len(d.Members) == 0 || what == "" {
		return what
	}
	for _, m := range d.Members {
		if same(m, what) {
			return m
		}
	}
	return ""
}

// same tells whether a label names a target: host:web-3 is called so, or web-3, or web-3:9100.
func same(target, label string) bool {
	_, short, ok := strings.Cut(target, ":")
	host, _, port := strings.Cut(label, ":")
	return target == label || ok && (short == label || port && short == host)
}

// many says how many alarms are too many.
func (d *StandDown) many(name string) string {
	if of := max(len(d.Members), d.Size); d.Percent > 0 && d.Bears() != d.Alarms {
		return fmt.Sprintf("alarms %q about more than %d%% of %d (%d)", name, d.Percent, of, d.Bears())
	}
	return fmt.Sprintf("more than %d alarms %q", d.Bears(), name)
}

// standDown holds while an alarm is about more than one repair, and while nobody can see.
func (q *question) standDown() Verdict {
	d := q.g.StandDown
	lies := q.counted.Live(q.g.Name, q.now, func(x Reservation) bool { return x.Kind == Down && x.Per == "playbook "+q.r.Playbook })
	if n := len(lies); n > 0 {
		x := lies[n-1]
		return q.no(x.Until, false, "stands down%s: %s within %s are more than one repair can be about", till(x.Until), d.many(x.Target), d.Within)
	}
	if d.Blind == 0 {
		return Verdict{}
	}
	for _, what := range slices.Sorted(maps.Keys(q.world.Blind)) {
		b := q.world.Blind[what]
		if q.now.Sub(b.Since) >= time.Duration(d.Blind) && (b.Project == "" || b.Project == q.r.Project) {
			return q.no(time.Time{}, false, "stands down until it is heard of again: %s is silent since %s, so nobody would see what happens", what, b.Since.UTC().Format(time.RFC3339))
		}
	}
	return Verdict{}
}

// breaker holds while there were too many failures.
func (q *question) breaker(playbook, key string, more ...Reservation) Verdict {
	b := q.g.Breaker
	per := (&Request{Playbook: playbook, Key: key}).per(b.Per, PerPlaybook)
	bad := q.counted.Live(q.g.Name, q.now, func(x Reservation) bool { return x.Kind == Failed && x.Per == per })
	for _, x := range more {
		if x.Per == per && !slices.ContainsFunc(bad, func(y Reservation) bool { return x.ID() == y.ID() }) {
			bad = append(bad, x)
		}
	}
	if len(bad) < b.Failures {
		return Verdict{}
	}
	// What is counted is kept for Within and Open together: it opens when so many lie within Within of each other.
	keep := time.Duration(b.Within) + time.Duration(b.Open)
	for i := len(bad) - 1; i >= b.Failures-1; i-- {
		last, first := bad[i].Until.Add(-keep), bad[i-b.Failures+1].Until.Add(-keep)
		if last.Sub(first) > time.Duration(b.Within) {
			continue
		}
		if until := last.Add(time.Duration(b.Open)); q.now.Before(until) {
			return q.no(until, false, "is open%s: %d runs%s failed or did not help within %s", till(until), b.Failures, of(per), b.Within)
		}
		break
	}
	return Verdict{}
}

// again counts a start for a key that was repaired a moment ago: the repair did not help.
func (q *question) again(s Start) []Reservation {
	b := q.g.Breaker
	if b.Again == 0 || s.Key == "" {
		return nil
	}
	last, ok := q.counted.Get(q.g.Name, helped+"|"+s.Playbook+"|"+s.Key)
	if !ok || !q.now.Before(last.Until) || last.Root == s.Run {
		return nil
	}
	per := q.r.per(b.Per, PerPlaybook)
	// Once for each run that did not help: what waits is asked about often, and must not count each time, nor tell each time
	// that something was counted.
	if known, ok := q.counted.Get(q.g.Name, Failed+"|"+last.Root); ok && q.now.Before(known.Until) {
		return nil
	}
	return []Reservation{{Guard: q.g.Name, Kind: Failed, Per: per, Root: last.Root, Slot: Failed + "|" + last.Root, Until: q.until(time.Duration(b.Within) + time.Duration(b.Open))}}
}

// End is a run that is over.
type End struct {
	Start
	Failed bool // or did not help: its verification did not hold
}

// Ended gives what the end of a run counts, and what it no longer does.
func (r *Rules) Ended(counted *Counted, e End, now time.Time) (reserve, drop []Reservation) {
	specs := r.Guards[e.Project]
	for i := range specs {
		g := &specs[i]
		if !g.Select.environment(e.Environment) || !g.Select.playbook(e.Playbook, e.Labels) {
			continue
		}
		q := question{g: g, counted: counted, r: &Request{Playbook: e.Playbook, Key: e.Key, Root: e.Run}, now: now}
		switch {
		case g.Concurrency != nil:
			if x, ok := counted.Get(g.Name, "run "+e.Run); ok {
				drop = append(drop, x)
			}
		case g.Breaker != nil && e.Failed:
			b := g.Breaker
			reserve = append(reserve, Reservation{
				Guard: g.Name, Kind: Failed, Per: q.r.per(b.Per, PerPlaybook), Root: e.Run, Slot: Failed + "|" + e.Run, Until: q.until(time.Duration(b.Within) + time.Duration(b.Open)),
			})
		case g.Breaker != nil && g.Breaker.Again > 0 && e.Key != "":
			reserve = append(reserve, Reservation{
				Guard: g.Name, Kind: helped, Root: e.Run, Slot: helped + "|" + e.Playbook + "|" + e.Key, Until: q.until(time.Duration(g.Breaker.Again)),
			})
		}
	}
	return reserve, drop
}
