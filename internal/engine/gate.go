package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/value"
)

// What is asked before an effect begins, in this order: is its runner known; may it have been done already, in the time that
// a store lost; is what it reacts to still so (Confirm); halts, guards and the mode (guard.Rules). The answer is a fact.

// Governed gives the machine the rules that are live from now on. What they hold is asked anew.
type Governed struct {
	calm
	Rules *guard.Rules          // nil: only what runs bring themselves
	Heads map[string]store.Head // of the streams of guards that the machine may not know
}

// Stopped makes the halts of rules count at once, before the rules that they are part of: for these the store is asked, and
// stopping must work while it does not answer. The reply says that from now on nothing begins that they stop.
type Stopped struct {
	calm
	request
	Rules *guard.Rules
}

// Reconsider asks anew about what is held in a run that is not loaded.
type Reconsider struct {
	calm
	Run string
}

// Confirm asks whether what a run reacts to is still so, and is answered by Confirmed.
type Confirm struct {
	Run     string
	Created *entry.RunCreated
}

// Confirmed answers Confirm. Still is true also where nobody can say.
type Confirmed struct {
	prompt
	Run   string
	Still bool
	Why   string
}

// fresh is how long it counts that something was still so.
const fresh = 30 * time.Second

// governed takes rules.
func (m *Machine) governed(x Governed, now time.Time) {
	m.learn(x.Heads)
	if x.Rules != nil && x.Rules.Serial < m.serial {
		return // newer halts count already; the rules that they are part of are on their way
	}
	m.rules = x.Rules
	if x.Rules != nil {
		m.serial = x.Rules.Serial
	}
	for _, id := range slices.Sorted(maps.Keys(m.runs)) {
		if s := m.runs[id]; s != nil && s.state != nil {
			m.handle(Reconsider{Run: id}, now)
		}
	}
}

// stop takes the halts of rules. Before any rules are known, nothing begins anyway.
func (m *Machine) stop(x Stopped) {
	if m.rules != nil && x.Rules.Serial >= m.serial {
		r := *m.rules
		r.Halts = x.Rules.Halts
		m.rules, m.serial = &r, x.Rules.Serial
	}
	m.emit(Reply{Req: x.Req})
}

// reconsider lets what is held be asked about at once.
func (m *Machine) reconsider(s *session, now time.Time) {
	if !m.mayDrive(s) || s.state.Interrupted != "" {
		return
	}
	for _, path := range s.state.Held() {
		n := s.state.Node(path)
		if !n.Due.IsZero() && !now.Before(n.Due) {
			continue
		}
		m.fact(s, &entry.StepHeld{Path: path, Guard: n.On, Why: n.Why, Until: now}, now)
	}
	m.advance(s, now)
}

// guarded asks everything, and makes the intent a fact together with what guards count.
func (m *Machine) guarded(s *session, i *entry.StepIntent, now time.Time) {
	if i.Runner != "" && i.Runner != "local" && !m.cfg.Runner(i.Runner) {
		m.fact(s, &entry.StepHeld{Path: i.Path, For: "runner", Guard: i.Runner, Why: fmt.Sprintf("no runner named %q is configured here; configure it, then resume the run", i.Runner)}, now)
		return
	}
	if s.state.Restored != "" && i.Effect == string(contract.Mutate) {
		// Perhaps it was done already, in the time that the store lost.
		m.fact(s, i, now)
		m.fact(s, &entry.StepResult{Path: i.Path, Attempt: i.Attempt, Outcome: entry.InDoubt, Fault: &entry.Fault{
			Kind: string(fault.Lost), Message: "it may have been done already: " + s.state.Restored, Path: i.Path,
		}}, now)
		return
	}
	undo := run.IsUndo(i.Path) || s.state.Created.Cause.Undoes != ""
	if !undo && m.stale(s, i, now) {
		s.evaluating++
		m.emit(Confirm{Run: s.id, Created: s.state.Created})
		return
	}
	m.judged(s, i, m.verdict(s, i, undo, now), now)
}

// stale tells whether it must be confirmed first that what the run reacts to is still so. What cleans up does not react to
// it.
func (m *Machine) stale(s *session, i *entry.StepIntent, now time.Time) bool {
	return m.cfg.Confirm && s.state.Created.Cause.Event != "" && i.Effect == string(contract.Mutate) && s.state.Cancel == nil &&
		!(now.Sub(s.confirmed) < fresh && !now.Before(s.confirmed))
}

// confirmedBy takes the answer.
func (m *Machine) confirmedBy(s *session, x Confirmed, now time.Time) {
	s.evaluating--
	if x.Still {
		s.confirmed = now
	} else if s.state.Cancel == nil {
		m.fact(s, &entry.CancelRequested{By: entry.Who{ID: "tend", Name: "tend", Via: "engine"}, Why: x.Why}, now)
	}
	m.advance(s, now)
}

func (m *Machine) verdict(s *session, i *entry.StepIntent, undo bool, now time.Time) guard.Verdict {
	c := s.state.Created
	md := s.state.Program().Metadata
	q := guard.Request{
		Project: c.Project, Environment: c.Environment, Playbook: md.Name, Labels: md.Labels, Action: i.Action, Effect: contract.Effect(i.Effect),
		Irreversible: i.Irreversible, Targets: i.Targets, Root: c.Cause.Root, Path: i.Path, Key: c.Cause.Key, Approved: s.state.Approves(i), Undo: undo,
	}
	if m.rules == nil && m.cfg.Governed && q.Effect != contract.Read {
		// A halt, a mode or a guard that was live before a restart must not be passed by in the moment before it is known.
		return guard.Verdict{Kind: guard.Hold, Guard: "rules", Why: "what is halted and guarded here is not known yet"}
	}
	if m.rules == nil {
		if undo {
			return guard.Verdict{Kind: guard.Allow} // undoing is never held back
		}
		return guard.Check(s.guards, m.counts, q, now)
	}
	i.Rules = m.rules.Version
	r := *m.rules
	if len(s.guards) > 0 {
		// What a run brought is asked too; of one name, what is live counts.
		own := slices.Clone(r.Guards[c.Project])
		for _, g := range s.guards {
			if !slices.ContainsFunc(own, func(x guard.Spec) bool { return x.Name == g.Name }) {
				own = append(own, g)
			}
		}
		r.Guards = map[string][]guard.Spec{c.Project: own}
	}
	return r.Effect(m.counts, q, now)
}

// late tells why an effect whose intent is durable must not begin any more: it was halted while that was written. Its intent
// is answered with not started, and it is asked about anew.
func (m *Machine) late(s *session, n *run.Node) *entry.Fault {
	if m.rules == nil || len(m.rules.Halts) == 0 {
		return nil
	}
	c := s.state.Created
	v, yes := m.rules.Halted(guard.Request{
		Project: c.Project, Environment: c.Environment, Playbook: s.state.Program().Metadata.Name, Effect: contract.Effect(n.Intent.Effect), Targets: n.Intent.Targets,
	})
	if !yes {
		return nil
	}
	return &entry.Fault{Kind: string(fault.Guarded), Message: v.Why, Path: n.Path}
}

// askWithin is how long people have who are asked by a guard or the mode. No answer is no.
const askWithin = time.Hour

// judged makes a verdict a fact.
func (m *Machine) judged(s *session, i *entry.StepIntent, v guard.Verdict, now time.Time) {
	switch v.Kind {
	case guard.Deny:
		m.fact(s, &entry.StepRefused{Path: i.Path, Fault: entry.Fault{Kind: string(fault.Guarded), Message: v.Why, Path: i.Path}}, now)
	case guard.Hold:
		m.fact(s, &entry.StepHeld{Path: i.Path, Guard: v.Guard, Why: v.Why, Until: v.Until}, now)
	case guard.Ask:
		a := s.state.Demand(i, v.Why, askWithin, now)
		for _, p := range a.Facts {
			m.fact(s, p, now)
		}
		if a.Task != nil {
			m.openTask(s, a.TaskID, a.Task, now)
		}
	case guard.Observe:
		m.fact(s, &entry.StepSkipped{Path: i.Path, Why: v.Why, Would: &entry.Would{
			Action: i.Action, Effect: i.Effect, Inputs: i.Inputs, Irreversible: i.Irreversible, Runner: i.Runner, Targets: i.Targets,
		}}, now)
	case guard.Allow:
		i.Guards = append(v.Allowed, v.Loose...)
		m.fact(s, i, now)
		t := s.open()
		for _, r := range v.Reserve {
			m.count(t, r, now)
			t.other = append(t.other, fact{"guard/" + r.Guard, &entry.GuardReserved{Path: i.Path, Run: s.id, Target: r.Target, Until: r.Until}})
			body, _ := value.Canonical(r)
			t.rows = append(t.rows, store.Row{Key: store.Key{Kind: "guard", ID: r.ID()}, Name: r.Guard, Tag: r.Target, Parent: r.Root, At: now, Due: r.Until, Body: body})
		}
	}
}

// count remembers what a guard counted, and forgets from time to time what no longer counts, with its rows.
func (m *Machine) count(t *tx, r guard.Reservation, now time.Time) {
	m.counts.Add(r)
	if m.counts.Len() < m.countLimit {
		return
	}
	for _, x := range m.counts.Forget(now) {
		t.drop(store.Key{Kind: "guard", ID: x.ID()})
	}
	m.countLimit = max(minCounts, 2*m.counts.Len())
}

// minCounts is how much of what guards counted is remembered without looking whether it still counts.
const minCounts = 1024

// Stop makes the halts of rules count, and answers when no effect begins any more that they stop. It asks nobody but the
// machine. Govern follows with the rules themselves.
func (e *Engine) Stop(ctx context.Context, r *guard.Rules) error {
	_, err := e.ask(ctx, func(q request) Input { return Stopped{request: q, Rules: r} })
	return err
}

// Govern makes rules live: what they hold or let go is asked about at once, in every run. On an error only their halts
// count; it is to be called again.
func (e *Engine) Govern(ctx context.Context, r *guard.Rules) error {
	heads := map[string]store.Head{}
	if r != nil {
		if len(r.Halts) > 0 {
			if err := e.Stop(ctx, r); err != nil {
				return err
			}
		}
		for _, specs := range r.Guards {
			for _, g := range specs {
				h, err := e.cfg.Store.Head(ctx, "guard/"+g.Name)
				if err != nil && !fault.Is(err, fault.Damaged) {
					return err
				}
				heads["guard/"+g.Name] = h
			}
		}
	}
	e.send(Governed{Rules: r, Heads: heads})
	// Runs that are parked are not loaded: the ones that wait for a guard are looked at.
	return e.eachRow(ctx, store.Filter{Kind: "run", Status: []string{string(run.Waiting), string(run.Running)}}, func(row store.Row) {
		var body RunRow
		if json.Unmarshal(row.Body, &body) == nil && slices.ContainsFunc(body.Waits, func(w Wait) bool { return w.For == "guard" }) {
			e.send(Reconsider{Run: row.ID})
		}
	})
}
