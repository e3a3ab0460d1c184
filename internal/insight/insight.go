// Package insight adds up what playbooks were good for over a time, by team: from the recorded entries of runs and
// incidents, never from what somebody says about them, except for the time that a run saves, which a playbook declares.
package insight

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/incident"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store"
)

// Saves is the label of a playbook that declares how long a person would have needed for what a run does: 15m, 2h.
const Saves = "saves"

// Nobody is the team of playbooks that name no owner.
const Nobody = "(none)"

// Reader reads what is stored: an engine.
type Reader interface {
	Entries(ctx context.Context, stream string, from uint64, limit int) ([]entry.Entry, error)
	Rows(ctx context.Context, f store.Filter) (store.Page, error)
	Program(ctx context.Context, run string) (*program.Program, error)
}

// Query says what is added up: what began in this time, and the asker may see.
type Query struct {
	Since, Until time.Time
	Sight        *access.Sight // nil: everything
	Every        Step          // the parts of the time that are added up one by one; "": none
	Zone         *time.Location
	Compare      bool // also the time before it, of the same length
}

// Report is the answer.
type Report struct {
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	Teams []Team    `json:"teams"` // by name
	Total Team      `json:"total"`
	// Before is the total of the time before, of the same length, where it was asked for.
	Before *Team `json:"before,omitempty"`
	// Series are the parts of the time, in its order. They touch each other; the first and the last may be cut.
	Series []Part `json:"series,omitempty"`
	// Playbooks are those that ran, by project and name; Alerts the names of what began, the most frequent first, 50 at most.
	Playbooks []Fared `json:"playbooks"`
	Alerts    []Noise `json:"alerts"`
	// Unread are runs and incidents that could not be read: they are not in the numbers.
	Unread int `json:"unread"`
}

// Team is what the playbooks of one owner did. Runs that other runs called count with those.
type Team struct {
	Team      string `json:"team"`
	Runs      int    `json:"runs"`
	Succeeded int    `json:"succeeded"`
	Failed    int    `json:"failed"`
	Verified  int    `json:"verified"` // succeeded, and a verification held
	// Verifiable are runs that had something to prove: a verification was made, or they failed and their playbook has one.
	Verifiable int `json:"verifiable"`
	Observed   int `json:"observed"` // runs in which something would have been done, and was only recorded
	// Saved is the declared time of verified runs, in minutes; Undeclared are verified runs that declare none.
	Saved      float64 `json:"savedMinutes"`
	Undeclared int     `json:"undeclared"`
	// Avoided are pages that nobody got: verified runs that an event began, in which nobody was asked, of incidents for which
	// nobody was called.
	Avoided   int `json:"pagesAvoided"`
	Incidents int `json:"incidents"` // that runs of this team were for
	Taken     int `json:"taken"`     // of them: a person took them
	Resolved  int `json:"resolved"`
	// MTTA and MTTR are means in seconds, of the incidents that a person took and that were resolved.
	MTTA     float64 `json:"mttaSeconds"`
	MTTR     float64 `json:"mttrSeconds"`
	Versions int     `json:"versions"` // of playbooks that ran: different ones
	Changes  int     `json:"changes"`  // of them, beyond the first of each playbook
	// Live are changes of playbooks that commits brought, each playbook by itself; Lead is the mean time in seconds from the
	// commit until it was live.
	Live   int            `json:"changesLive"`
	Lead   float64        `json:"leadSeconds"`
	Held   int            `json:"held"`   // how often guards held a step
	Guards map[string]int `json:"guards"` // which ones
}

// sums is a Team in the making.
type sums struct {
	Team

	closures  map[string]map[entry.Hash]bool // by playbook
	incidents map[string]bool
	lead      time.Duration // of all that is counted in Live
}

func newSums(name string) *sums {
	return &sums{Team: Team{Team: name, Guards: map[string]int{}}, closures: map[string]map[entry.Hash]bool{}, incidents: map[string]bool{}}
}

// told is what counts of a run.
type told struct {
	created  *entry.RunCreated
	status   string
	verified bool
	refuted  bool
	asked    bool
	observed bool
	holds    []string
}

// proved tells whether a run succeeded, and what it did was verified.
func (t *told) proved() bool { return t.status == string(run.Succeeded) && t.verified && !t.refuted }

// verifiable tells whether a run had something to prove; verifies: its playbook has a verification.
func (t *told) verifiable(verifies bool) bool {
	return t.verified || t.refuted || verifies && t.status == string(run.Failed)
}

type reader struct {
	Reader
	Query

	out      Report
	teams    map[string]*sums
	total    *sums
	before   *sums
	parts    []*part
	books    map[[2]string]*Fared // by project and name
	programs map[entry.Hash]contractOf
	cases    map[string]*incident.State // incidents of the time, by id
	earlier  []*incident.State          // of the time before
	paged    map[string]bool
	owners   map[string]string // of playbooks that ran, by name
}

// contractOf is what a playbook says of itself.
type contractOf struct {
	team     string
	saves    time.Duration
	verifies bool
}

// Read adds up. It reads every run that began in the time: some thousands a second.
func Read(ctx context.Context, r Reader, q Query) (Report, error) {
	if q.Until.IsZero() || !q.Since.Before(q.Until) {
		return Report{}, fault.New(fault.Invalid, "the time from %s to %s has no length", q.Since.Format(time.RFC3339), q.Until.Format(time.RFC3339))
	}
	parts, err := partsOf(&q)
	if err != nil {
		return Report{}, err
	}
	x := &reader{
		Reader: r, Query: q, out: Report{Since: q.Since, Until: q.Until, Teams: []Team{}, Playbooks: []Fared{}, Alerts: []Noise{}},
		teams: map[string]*sums{}, total: newSums("total"), before: newSums("before"), parts: parts, books: map[[2]string]*Fared{},
		programs: map[entry.Hash]contractOf{}, cases: map[string]*incident.State{}, paged: map[string]bool{}, owners: map[string]string{},
	}
	err = x.each(ctx, "incident", func(row store.Row) error { return x.incident(ctx, row) })
	if err == nil {
		err = x.each(ctx, "run", func(row store.Row) error { return x.run(ctx, row) })
	}
	if err == nil {
		err = x.changes(ctx)
	}
	if err == nil {
		err = x.holds(ctx)
	}
	for name := range x.cases {
		x.total.incidents[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(x.teams)) {
		x.out.Teams = append(x.out.Teams, x.finish(x.teams[name]))
	}
	x.out.Total = x.finish(x.total)
	x.series()
	return x.out, err
}

// from is when that begins which is read.
func (x *reader) from() time.Time {
	if x.Compare {
		return x.Since.Add(-x.Until.Sub(x.Since))
	}
	return x.Since
}

// of gives what counts something that began then, besides its team.
func (x *reader) of(at time.Time) []*sums {
	if at.Before(x.Since) {
		return []*sums{x.before}
	}
	if p := x.part(at); p != nil {
		return []*sums{x.total, p.sums}
	}
	return []*sums{x.total}
}

// all gives what counts something of a team that began then.
func (x *reader) all(at time.Time, team string) []*sums {
	if at.Before(x.Since) {
		return x.of(at)
	}
	return append(x.of(at), x.team(team))
}

// each gives do the rows of a kind that were born in the time, the newest first.
func (x *reader) each(ctx context.Context, kind string, do func(store.Row) error) error {
	for row, err := range store.All(ctx, x.Reader, store.Filter{Kind: kind, Sight: x.Sight, Since: x.from(), Until: x.Until}) {
		if err != nil {
			return err
		}
		err := do(row)
		if fault.Is(err, fault.Damaged) || fault.Is(err, fault.Newer) || fault.Is(err, fault.NotFound) {
			x.out.Unread++
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (x *reader) stream(ctx context.Context, name string, do func(*entry.Entry, entry.Payload) error) error {
	for from := uint64(1); ; {
		page, err := x.Entries(ctx, name, from, 1000)
		if err != nil {
			return err
		}
		for i := range page {
			p, err := entry.Decode(page[i])
			if err == nil {
				err = do(&page[i], p)
			}
			if err != nil {
				return err
			}
		}
		if len(page) < 1000 {
			return nil
		}
		from = page[len(page)-1].Seq + 1
	}
}

func (x *reader) incident(ctx context.Context, row store.Row) error {
	name := row.ID
	st := new(incident.State)
	err := x.stream(ctx, "incident/"+name, func(e *entry.Entry, p entry.Payload) error {
		if _, ok := p.(*entry.IncidentPaged); ok {
			x.paged[name] = true
		}
		return st.Evolve(e.At, p)
	})
	switch {
	case err != nil:
		return err
	case row.At.Before(x.Since):
		x.earlier = append(x.earlier, st)
		return nil
	}
	x.cases[name] = st
	if p := x.part(row.At); p != nil {
		p.incidents[name] = true
	}
	return nil
}

func (x *reader) run(ctx context.Context, row store.Row) error {
	if row.Parent != "" || !run.Status(row.Status).Ended() {
		return nil
	}
	var t told
	if err := x.stream(ctx, "run/"+row.ID, func(_ *entry.Entry, p entry.Payload) error { t.add(p); return nil }); err != nil {
		return err
	}
	if t.created == nil {
		return fault.New(fault.NotFound, "run/%s is empty", row.ID)
	}
	about, ok := x.programs[t.created.Closure]
	if !ok {
		prog, err := x.Program(ctx, row.ID)
		if err != nil {
			return err
		}
		about.team = cmp.Or(prog.Metadata.Owner, prog.Metadata.Labels["team"], Nobody)
		if d, err := time.ParseDuration(prog.Metadata.Labels[Saves]); err == nil && d > 0 {
			about.saves = d
		}
		about.verifies = Verifies(prog)
		x.programs[t.created.Closure] = about
	}
	x.owners[t.created.Name] = about.team
	for _, s := range x.all(row.At, about.team) {
		s.add(&t, about, x.paged[t.created.Cause.Incident])
	}
	if row.At.Before(x.Since) {
		return nil
	}
	if name := t.created.Cause.Incident; name != "" {
		x.team(about.team).incidents[name] = true
	}
	x.book(row.Project, t.created.Name, about.team).add(&t, about)
	return nil
}

func (x *reader) team(name string) *sums {
	s := x.teams[name]
	if s == nil {
		s = newSums(name)
		x.teams[name] = s
	}
	return s
}

func (t *told) add(p entry.Payload) {
	switch p := p.(type) {
	case *entry.RunCreated:
		t.created = p
	case *entry.RunEnded:
		t.status = p.Status
	case *entry.StepVerified:
		t.verified, t.refuted = t.verified || p.OK, !p.OK
	case *entry.StepHeld:
		if p.For == "" {
			t.holds = append(t.holds, p.Guard)
		}
	case *entry.StepSkipped:
		t.observed = t.observed || p.Would != nil
	case *entry.ApprovalAsked, *entry.TaskOpened, *entry.DoubtAsked:
		t.asked = true
	}
}

func (s *sums) add(t *told, about contractOf, paged bool) {
	s.Runs++
	switch t.status {
	case string(run.Succeeded):
		s.Succeeded++
	case string(run.Failed):
		s.Failed++
	}
	if t.observed {
		s.Observed++
	}
	if t.verifiable(about.verifies) {
		s.Verifiable++
	}
	if t.proved() {
		s.Verified++
		s.Saved += about.saves.Minutes()
		if about.saves == 0 {
			s.Undeclared++
		}
		if t.created.Cause.Event != "" && !t.asked && !paged {
			s.Avoided++
		}
	}
	for _, g := range t.holds {
		s.Held++
		s.Guards[g]++
	}
	all := s.closures[t.created.Name]
	if all == nil {
		all = map[entry.Hash]bool{}
		s.closures[t.created.Name] = all
	}
	all[t.created.Closure] = true
}

func (x *reader) finish(s *sums) Team {
	for _, all := range s.closures {
		s.Versions += len(all)
		s.Changes += len(all) - 1
	}
	if s.Live > 0 {
		s.Lead = (s.lead / time.Duration(s.Live)).Seconds()
	}
	var list []*incident.State
	for name := range s.incidents {
		if st := x.cases[name]; st != nil {
			list = append(list, st)
		}
	}
	if s == x.before {
		list = x.earlier
	}
	m := incident.Measure(list)
	s.Incidents, s.Taken, s.Resolved, s.MTTA, s.MTTR = m.Count, m.Taken, m.Resolved, m.MTTA.Seconds(), m.MTTR.Seconds()
	return s.Team
}
