package dispatch

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/id"
	"github.com/tendhq/tend/internal/incident"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/trigger"
	"github.com/tendhq/tend/internal/value"
)

// keepResolved is how long a resolved incident is held, so that an alert that comes back can reopen it.
const keepResolved = 24 * time.Hour

func memberKey(project, source, group string) string { return groupKey(project, source, group) }

func incidentKey(project, key string) string { return project + "\x00" + key }

// write folds facts into an incident and records them. They come from its transitions, so that they fit.
func (m *Machine) write(s *incident.State, list []entry.Payload, now time.Time) {
	for _, p := range list {
		relink := moves(p)
		if relink {
			m.unlink(s)
		}
		fired := false
		j, joins := p.(*entry.IncidentJoined)
		if joins {
			fired = s.Members[incident.MemberKey(j.Source, j.Group)].Firing()
		}
		if err := s.Evolve(now, p); err != nil {
			break // a transition of package incident never writes what cannot be: its properties prove it
		}
		switch {
		case relink:
			m.link(s)
		case joins:
			m.linkMember(s, j, fired)
		}
		m.open().fact("incident/"+s.ID, p)
		m.announce(s, p, now)
	}
	m.incidents[s.ID] = s
	m.dirty[s.ID] = true
}

// moves tells whether a fact changes which events find an incident, besides that of one alert.
func moves(p entry.Payload) bool {
	switch p.(type) {
	case *entry.IncidentOpened, *entry.IncidentMerged, *entry.IncidentSplit, *entry.IncidentResolved, *entry.IncidentReopened:
		return true
	default:
		return false
	}
}

func (m *Machine) linkMember(s *incident.State, j *entry.IncidentJoined, fired bool) {
	if s.Status.Over() {
		return
	}
	k := memberKey(s.Project, j.Source, j.Group)
	switch fires := s.Members[incident.MemberKey(j.Source, j.Group)].Firing(); {
	case fires && !fired:
		m.members[k] = append(m.members[k], s.ID)
	case fired && !fires:
		m.unlinkMember(s, k)
	}
}

func (m *Machine) unlinkMember(s *incident.State, k string) {
	m.members[k] = slices.DeleteFunc(m.members[k], func(x string) bool { return x == s.ID })
	if len(m.members[k]) == 0 {
		delete(m.members, k)
	}
}

// link lets events find an incident; unlink takes that back.
func (m *Machine) link(s *incident.State) {
	if s.Status == incident.Merged {
		return
	}
	table := m.keys
	if s.Status == incident.Resolved {
		table = m.recent
	}
	for _, k := range s.Keys {
		table[incidentKey(s.Project, k)] = s.ID
	}
	if s.Status.Over() {
		return
	}
	for _, j := range s.Members {
		if j.Firing() {
			k := memberKey(s.Project, j.Source, j.Group)
			m.members[k] = append(m.members[k], s.ID)
		}
	}
}

func (m *Machine) unlink(s *incident.State) {
	for _, k := range s.Keys {
		for _, table := range []map[string]string{m.keys, m.recent} {
			if table[incidentKey(s.Project, k)] == s.ID {
				delete(table, incidentKey(s.Project, k))
			}
		}
	}
	for _, j := range s.Members {
		if !j.Firing() {
			continue
		}
		m.unlinkMember(s, memberKey(s.Project, j.Source, j.Group))
	}
}

func joined(t *Ticket) entry.IncidentJoined {
	return entry.IncidentJoined{Event: t.Event, Group: t.Row.Group, Name: t.Name, Source: t.Row.Source, Status: string(t.Row.Status)}
}

// join lets an event belong to an incident, and says what that did.
func (m *Machine) join(name string, t *Ticket, now time.Time) string {
	s := m.incidents[name]
	if s == nil {
		return ""
	}
	list, err := s.Join(joined(t), self())
	if err != nil {
		return "joined " + name + ", which counts its alerts no more"
	}
	was := s.Status
	m.write(s, list, now)
	if s.Status == incident.Resolved && was != s.Status {
		return "resolved " + name
	}
	return "joined " + name
}

// tell lets an event open or join the incident that its trigger names. It gives the incident, and what was done.
func (m *Machine) tell(t *Ticket, now time.Time) (name, did string) {
	o := t.Outcome.Incident
	key := incidentKey(t.Project, o.Key)
	if list := m.members[memberKey(t.Project, t.Row.Source, t.Row.Group)]; len(list) > 0 && t.Row.Status != "" {
		return list[0], m.join(list[0], t, now) // where it fires already, also after a merge or a split
	}
	if name := m.keys[key]; name != "" {
		return name, m.join(name, t, now)
	}
	if t.Row.Status.Over() && !(t.Row.Status == event.Vanished && t.Outcome.Status == string(event.Vanished)) {
		if d := t.Row.Decision.Incident; d != "" {
			return d, "joined " + d
		}
		return "", "it ends nothing that is known here"
	}
	if s := m.incidents[m.recent[key]]; s != nil && now.Sub(s.Ended) < o.ReopenWithin && m.clash(s, s.ID) == nil {
		if list, err := s.Reopen(self(), t.Event, "it came back"); err == nil {
			m.write(s, list, now)
			m.join(s.ID, t, now)
			return s.ID, "reopened " + s.ID
		}
	}
	severity, _ := incident.ParseSeverity(o.Severity)
	list, err := incident.OpenNew(incident.Start{
		ID: id.Derive("inc", t.Event, t.Outcome.Trigger, now), Project: t.Project, Key: o.Key, Title: o.Title, Severity: severity,
		Summary: clip(o.Summary, incident.MaxText), Labels: few(o.Labels), Trigger: t.Outcome.Trigger, Event: t.Event, Resolves: o.Resolve,
		Every: o.Update, By: self(),
	})
	if err != nil {
		return "", "no incident could be opened: " + err.Error()
	}
	s := new(incident.State)
	m.write(s, list, now)
	m.join(s.ID, t, now)
	return s.ID, "opened " + s.ID
}

// clip and few keep what an alert says within what an incident takes: an alert is not refused for its texts.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}

func few(labels map[string]string) map[string]string {
	if len(labels) <= incident.MaxLabels {
		return labels
	}
	out := map[string]string{}
	for _, k := range slices.Sorted(maps.Keys(labels))[:incident.MaxLabels] {
		out[k] = labels[k]
	}
	return out
}

// ran tells the incident of a run.
func (m *Machine) ran(t *Ticket, status, why string, now time.Time) {
	s := m.incidents[t.Row.Decision.Incident]
	for n := 0; s != nil && s.Into != "" && n < 100; n++ { // where its story went
		s = m.incidents[s.Into]
	}
	if s == nil {
		return
	}
	if list := s.Ran(entry.IncidentRan{Event: t.Event, Playbook: t.Outcome.Playbook, Run: t.Run, Status: status, Why: why}); len(list) > 0 {
		m.write(s, list, now)
	}
}

// rowsOfIncidents writes the rows of the incidents that changed, each once.
func (m *Machine) rowsOfIncidents() {
	for _, name := range slices.Sorted(maps.Keys(m.dirty)) {
		s := m.incidents[name]
		at := s.Due()
		if s.Status == incident.Resolved {
			at = s.Ended.Add(keepResolved)
		}
		if !at.IsZero() {
			m.agenda.add(at, dueIncident, name)
		}
		m.open().row(incidentRow(s, at))
	}
	clear(m.dirty)
}

func incidentRow(s *incident.State, due time.Time) store.Row {
	d := s.Brief()
	key := ""
	if len(s.Keys) > 0 {
		key = s.Keys[0]
	}
	return store.Row{
		Key: store.Key{Kind: "incident", ID: s.ID}, Project: s.Project, Status: string(s.Status), Name: s.Title, Parent: s.Trigger, Tag: key,
		At: s.Opened, Due: due, Labels: maps.Clone(s.Labels), Body: body(d),
	}
}

// dueIncident reminds people, or lets go of what was resolved long ago.
func (m *Machine) dueIncident(name string, now time.Time) {
	s := m.incidents[name]
	switch {
	case s == nil:
	case s.Status == incident.Resolved && !now.Before(s.Ended.Add(keepResolved)):
		for _, r := range s.Runs {
			if m.active[r.Run] != nil {
				m.agenda.add(now.Add(time.Hour), dueIncident, name)
				return
			}
		}
		m.unlink(s)
		delete(m.incidents, name)
		m.open().row(incidentRow(s, time.Time{}))
	case s.Status == incident.Merged:
	default:
		if list := s.Remind(now); len(list) > 0 {
			m.write(s, list, now)
		}
	}
}

// held gives the incident to change: the machine's own, or the one that was read for it.
func (m *Machine) held(name string, read *incident.State) *incident.State {
	if s := m.incidents[name]; s != nil {
		return s
	}
	if read != nil && read.Length > 0 {
		return read.Clone()
	}
	return new(incident.State)
}

// audit records that a person changed something.
func (m *Machine) audit(by entry.Who, what, object, why string) {
	t := m.open()
	t.facts = append(t.facts, ledger.Audit(by, what, object, why, nil))
}

func (m *Machine) reply(req uint64, v any, err error) {
	if err != nil {
		m.emit(Reply{Req: req, Err: err})
		return
	}
	t := m.open()
	t.replies = append(t.replies, Reply{Req: req, Value: v})
}

// change lets somebody change an incident.
func (m *Machine) change(x Change, now time.Time) {
	s := m.held(x.ID, x.State)
	if s.Length == 0 {
		m.reply(x.Req, nil, fault.New(fault.NotFound, "there is no incident %s", x.ID).WithNext("tend incidents list"))
		return
	}
	if x.Version != nil && *x.Version != s.Length {
		m.reply(x.Req, nil, fault.New(fault.Conflict, "incident %s changed meanwhile: it is at version %d, not %d", s.ID, s.Length, *x.Version).
			WithNext("look at it again"))
		return
	}
	list, err := x.Apply(s, now)
	if err != nil {
		m.reply(x.Req, nil, err)
		return
	}
	if slices.ContainsFunc(list, func(p entry.Payload) bool { return p.Kind() == entry.KindIncidentReopened }) {
		if err := m.clash(s, s.ID); err != nil {
			m.reply(x.Req, nil, err)
			return
		}
	}
	m.write(s, list, now)
	if incident.Person(x.By) {
		m.audit(x.By, "incident-"+x.What, s.ID, x.Why)
	}
	m.reply(x.Req, s.Clone(), nil)
}

// clash refuses a second open incident for a key: events would not know which one to join.
func (m *Machine) clash(s *incident.State, but string) error {
	for _, k := range s.Keys {
		if other := m.keys[incidentKey(s.Project, k)]; other != "" && other != s.ID && other != but {
			return fault.New(fault.Conflict, "incident %s is open for %q already", other, k).WithNext("merge them: tend incidents merge %s --into %s", s.ID, other)
		}
	}
	return nil
}

// openFor opens an incident for somebody. A key that an open incident has gives that one.
func (m *Machine) openFor(x OpenNew, now time.Time) {
	if x.Start.Key != "" {
		if s := m.incidents[m.keys[incidentKey(x.Start.Project, x.Start.Key)]]; s != nil {
			m.reply(x.Req, s.Clone(), nil)
			return
		}
	}
	if s := m.incidents[x.Start.ID]; s != nil {
		m.reply(x.Req, s.Clone(), nil)
		return
	}
	list, err := incident.OpenNew(x.Start)
	if err != nil {
		m.reply(x.Req, nil, err)
		return
	}
	s := new(incident.State)
	m.write(s, list, now)
	if incident.Person(x.Start.By) {
		m.audit(x.Start.By, "incident-opened", s.ID, "")
	}
	m.reply(x.Req, s.Clone(), nil)
}

func (m *Machine) mergeFor(x Merge, now time.Time) {
	from, into := m.held(x.From, x.States[x.From]), m.held(x.Into, x.States[x.Into])
	for _, c := range []struct {
		name string
		s    *incident.State
	}{{x.From, from}, {x.Into, into}} {
		if c.s.Length == 0 {
			m.reply(x.Req, nil, fault.New(fault.NotFound, "there is no incident %s", c.name).WithNext("tend incidents list"))
			return
		}
	}
	a, b, err := from.Merge(into, x.By, x.Why)
	if err == nil {
		err = m.clash(from, into.ID)
	}
	if err != nil {
		m.reply(x.Req, nil, err)
		return
	}
	m.write(from, a, now)
	m.write(into, b, now)
	m.audit(x.By, "incident-merged", from.ID, x.Why)
	m.reply(x.Req, into.Clone(), nil)
}

func (m *Machine) splitFor(x Split, now time.Time) {
	s := m.held(x.ID, x.State)
	if s.Length == 0 {
		m.reply(x.Req, nil, fault.New(fault.NotFound, "there is no incident %s", x.ID).WithNext("tend incidents list"))
		return
	}
	old, fresh, err := s.Split(x.Start, x.Keys, x.Why)
	if err != nil {
		m.reply(x.Req, nil, err)
		return
	}
	n := new(incident.State)
	m.write(s, old, now)
	m.write(n, fresh, now)
	m.audit(x.Start.By, "incident-split", s.ID, x.Why)
	m.reply(x.Req, n.Clone(), nil)
}

// announce makes an event of what happened to an incident, where a trigger could want it.
func (m *Machine) announce(s *incident.State, p entry.Payload, now time.Time) {
	var what string
	switch x := p.(type) {
	case *entry.IncidentOpened:
		what = "created"
	case *entry.IncidentUpdated:
		what = "updated"
		if x.Status != nil && *x.Status == string(incident.Acknowledged) {
			what = "acknowledged"
		}
	case *entry.IncidentResolved:
		what = "resolved"
	case *entry.IncidentReopened:
		what = "reopened"
	case *entry.IncidentMerged:
		what = "merged"
	default:
		return
	}
	var chain []string
	if s.Trigger != "" {
		chain = []string{s.Trigger}
		if o, ok := p.(*entry.IncidentOpened); ok && m.seen[o.Event] != nil {
			chain = append(slices.Clone(m.seen[o.Event].Chain), s.Trigger)
		}
	}
	m.tellOwn(event.Event{
		Kind: "incident", Key: fmt.Sprintf("%s/%d", s.ID, s.Length), Group: s.ID, Name: s.Title, Project: s.Project,
		Labels: map[string]string{"type": what, "severity": string(s.Severity), "status": string(s.Status)},
		Data: map[string]any{
			"type": what, "id": s.ID, "title": s.Title, "severity": string(s.Severity), "status": string(s.Status), "summary": s.Summary,
			"labels": value.TextMap(s.Labels), "Type": what, "ID": s.ID, "Title": s.Title, "Severity": string(s.Severity), "Status": string(s.Status),
		},
	}, chain, "", now)
}

// tellRun makes an event of the end of a run.
func (m *Machine) tellRun(t *Ticket, status, why string, now time.Time) {
	m.tellOwn(event.Event{
		Kind: "run", Key: t.Run + "/" + status, Group: t.Run, Name: t.Outcome.Playbook, Project: t.Project,
		Labels: map[string]string{"type": "ended", "status": status, "playbook": t.Outcome.Playbook},
		Data: map[string]any{
			"type": "ended", "run": t.Run, "status": status, "playbook": t.Outcome.Playbook, "why": why, "incident": t.Row.Decision.Incident,
			"event": t.Event, "trigger": t.Outcome.Trigger,
		},
	}, append(slices.Clone(t.Row.Decision.Chain), t.Outcome.Trigger), t.Run, now)
}

// tellOwn decides about one of tend's own events, if a trigger asks for such.
func (m *Machine) tellOwn(e event.Event, chain []string, cause string, now time.Time) {
	if !m.rules.own(e.Project) {
		return
	}
	e.Source, e.At = trigger.Own, now
	e.ID = event.ID(e.Project, e.Source, e.Key, now)
	m.own = append(m.own, Item{Event: e, Chain: chain, Cause: cause, Looked: true})
}

// own tells whether a trigger of a project could want tend's own events.
func (r *Rules) own(project string) bool {
	if r == nil {
		return false
	}
	return slices.ContainsFunc(r.Triggers[project], func(s *trigger.Spec) bool { return s.Enabled && s.Own() })
}
