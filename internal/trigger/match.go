package trigger

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/spelling"
	"github.com/tendhq/tend/internal/value"
)

// Evaluator evaluates expressions; *expr.Evaluator is one.
type Evaluator interface {
	Value(e expr.Expr, s expr.Scope) (any, error)
	Text(e expr.Expr, s expr.Scope) (string, error)
	Holds(e expr.Expr, s expr.Scope) (bool, error)
}

// Outcome is what a trigger makes of an event: everything is rendered. It is plain data that can be kept.
type Outcome struct {
	Trigger     string           `json:"trigger"`
	Environment string           `json:"environment,omitempty"`
	Scenario    string           `json:"scenario,omitempty"`
	Status      string           `json:"status,omitempty"` // that the trigger names, of events that begin and end
	Playbook    string           `json:"playbook,omitempty"`
	Parameters  map[string]any   `json:"parameters,omitempty"` // not yet bound to the playbook's declarations
	Key         string           `json:"key,omitempty"`
	Priority    int              `json:"priority,omitempty"`
	StartWithin time.Duration    `json:"startWithin,omitempty"` // 0: no limit
	Slot        string           `json:"slot"`                  // what Limit counts, within the trigger
	Limit       int              `json:"limit"`
	Then        string           `json:"then"`
	Incident    *OutcomeIncident `json:"incident,omitempty"`
	Wake        *OutcomeWake     `json:"wake,omitempty"`
}

// OutcomeIncident is the incident that an event belongs to.
type OutcomeIncident struct {
	Key          string            `json:"key"`
	Severity     string            `json:"severity,omitempty"` // as it was rendered: package incident reads it
	Title        string            `json:"title"`
	Summary      string            `json:"summary,omitempty"`
	Labels       map[string]string `json:"labels,omitempty"`
	Resolve      bool              `json:"resolve,omitempty"`
	ReopenWithin time.Duration     `json:"reopenWithin,omitempty"`
	Update       time.Duration     `json:"update,omitempty"`
}

// OutcomeWake is what runs wait for.
type OutcomeWake struct {
	Event string `json:"event"`
	Key   string `json:"key"`
}

// Match tells what s makes of e, or that it does not fire. An error means that it would have to be looked at: the trigger
// does not fire then.
func Match(s *Spec, e *event.Event, ev Evaluator) (*Outcome, bool, error) {
	if !s.Enabled || !s.On.selects(e) || s.Within != nil && !s.Within.selects(e) || e.Source == Own && !s.Own() {
		return nil, false, nil
	}
	m := matcher{s, e, ev, scope(s, e)}
	if ok, err := m.holds(s.When); err != nil || !ok {
		return nil, false, err
	}
	o := &Outcome{Trigger: s.Name, Environment: s.Environment, Playbook: s.Playbook, Status: s.On.Status, Priority: e.Priority, Limit: 1, Then: Skip}
	parameters := s.Parameters
	if len(s.Scenarios) > 0 {
		c, err := m.scenario()
		if err != nil || c == nil {
			return nil, false, err
		}
		o.Scenario = c.Name
		parameters = maps.Clone(c.Parameters)
		for k, v := range s.Parameters {
			if _, ok := parameters[k]; !ok {
				if parameters == nil {
					parameters = map[string]expr.Tree{}
				}
				parameters[k] = v
			}
		}
	}
	if err := m.fill(o, parameters); err != nil {
		return nil, false, err
	}
	return o, true, nil
}

type matcher struct {
	s     *Spec
	e     *event.Event
	ev    Evaluator
	scope expr.Scope
}

// scope is what expressions of a trigger see: the event's data as `event`, and in the older dialect its fields at the root.
func scope(s *Spec, e *event.Event) expr.Scope {
	data := e.Data
	if data == nil {
		data = map[string]any{}
	}
	root := map[string]any{}
	if s.Dialect == expr.Lenient {
		maps.Copy(root, data)
	}
	root["event"], root["metadata"] = data, map[string]any{"name": s.Name}
	return expr.Scope{Dialect: s.Dialect, Root: root}
}

func (m *matcher) holds(e *expr.Expr) (bool, error) {
	if e == nil {
		return true, nil
	}
	ok, err := m.ev.Holds(*e, m.scope)
	if err != nil {
		return false, fmt.Errorf("trigger %s: its condition: %w", m.s.Name, err)
	}
	return ok, nil
}

// scenario finds the first one that fires. One that cannot be evaluated does not hide the ones after it.
func (m *matcher) scenario() (*Scenario, error) {
	var failed error
	for i := range m.s.Scenarios {
		c := &m.s.Scenarios[i]
		if !c.Enabled || !m.from(c.Integration) {
			continue
		}
		ok, err := m.holds(c.When)
		if err != nil {
			failed = cmp.Or(failed, err)
			continue
		}
		if ok {
			return c, nil
		}
	}
	return nil, failed
}

// from tells whether the event comes from an integration of the older dialect: the name of its source, or of one of tend's
// own kinds with the old product's name before it ("StackPulse Incident").
func (m *matcher) from(integration string) bool {
	if integration == "" || strings.EqualFold(integration, m.e.Source) {
		return true
	}
	words := strings.Fields(strings.ToLower(integration))
	return m.e.Source == Own && len(words) == 2 && words[0] == "stackpulse" && words[1] == m.e.Kind
}

// Own is the source of tend's own events: of incidents and runs.
const Own = "tend"

// Own tells whether the trigger could be about tend's own events: it names their source or one of their kinds, or is of
// the older dialect and names an integration like them.
func (s *Spec) Own() bool {
	if len(s.On.Source) > 0 {
		return spelling.Globs(s.On.Source, Own)
	}
	if len(s.On.Kind) > 0 {
		return spelling.Globs(s.On.Kind, "incident") || spelling.Globs(s.On.Kind, "run")
	}
	return slices.ContainsFunc(s.Scenarios, func(c Scenario) bool {
		return len(strings.Fields(c.Integration)) == 2 && strings.HasPrefix(strings.ToLower(c.Integration), "stackpulse ")
	})
}

func (m *matcher) fill(o *Outcome, parameters map[string]expr.Tree) (err error) {
	s, e := m.s, m.e
	if o.Parameters, err = m.data("parameter", parameters); err != nil {
		return err
	}
	if o.Key, err = m.text("key", s.Key, cmp.Or(e.Group, e.Key)); err != nil {
		return err
	}
	if s.Priority != nil {
		o.Priority = *s.Priority
	}
	switch {
	case s.StartWithin != nil:
		o.StartWithin = time.Duration(*s.StartWithin)
	case e.Kind == "alert":
		o.StartWithin = AlertStartWithin
	}
	o.Slot = o.Key
	if c := s.Concurrency; c != nil {
		o.Limit, o.Then = c.Limit, c.Then
		if o.Slot, err = m.text("concurrency key", c.Key, o.Key); err != nil {
			return err
		}
	}
	if s.Wake != nil {
		o.Wake = &OutcomeWake{Event: s.Wake.Event}
		if o.Wake.Key, err = m.text("wake key", s.Wake.Key, o.Key); err != nil {
			return err
		}
	}
	if s.Incident != nil {
		if o.Incident, err = m.incident(o.Key); err != nil {
			return err
		}
	}
	return nil
}

func (m *matcher) incident(key string) (o *OutcomeIncident, err error) {
	s, e := m.s.Incident, m.e
	o = &OutcomeIncident{Resolve: s.Resolve, ReopenWithin: ReopenWithin, Update: time.Duration(s.Update)}
	if s.ReopenWithin != nil {
		o.ReopenWithin = time.Duration(*s.ReopenWithin)
	}
	for _, f := range []struct {
		what  string
		to    *string
		e     *expr.Expr
		other string
	}{
		{"incident key", &o.Key, s.Key, key},
		{"severity", &o.Severity, s.Severity, e.Labels["severity"]},
		{"title", &o.Title, s.Title, cmp.Or(e.Name, m.s.Name)},
		{"summary", &o.Summary, s.Summary, ""},
	} {
		if *f.to, err = m.text(f.what, f.e, f.other); err != nil {
			return nil, err
		}
	}
	labels, err := m.data("incident label", s.Labels)
	if err != nil {
		return nil, err
	}
	for k, v := range labels {
		if o.Labels == nil {
			o.Labels = map[string]string{}
		}
		o.Labels[k] = value.Text(v)
	}
	return o, nil
}

// text renders a text; what is not there, or renders to nothing, is other.
func (m *matcher) text(what string, e *expr.Expr, other string) (string, error) {
	if e == nil {
		return other, nil
	}
	s, err := m.ev.Text(*e, m.scope)
	if err != nil {
		return "", fmt.Errorf("trigger %s: its %s: %w", m.s.Name, what, err)
	}
	return cmp.Or(strings.TrimSpace(s), other), nil
}

func (m *matcher) data(what string, list map[string]expr.Tree) (map[string]any, error) {
	if len(list) == 0 {
		return nil, nil
	}
	out := make(map[string]any, len(list))
	for _, name := range slices.Sorted(maps.Keys(list)) {
		v, err := m.tree(list[name])
		if err != nil {
			return nil, fmt.Errorf("trigger %s: its %s %s: %w", m.s.Name, what, name, err)
		}
		out[name] = v
	}
	return out, nil
}

func (m *matcher) tree(t expr.Tree) (any, error) {
	switch {
	case t.Scalar != nil:
		v, err := m.ev.Value(*t.Scalar, m.scope)
		if err != nil {
			return nil, err
		}
		if _, ok := expr.AsDeferred(v); ok && t.Scalar.Kind != expr.Literal {
			return nil, fmt.Errorf("a secret cannot be a parameter: give its name")
		}
		return v, nil
	case t.List != nil:
		out := make([]any, len(t.List))
		for i := range t.List {
			v, err := m.tree(t.List[i])
			if err != nil {
				return nil, fmt.Errorf("[%d]: %w", i, err)
			}
			out[i] = v
		}
		return out, nil
	case t.Map != nil:
		out := make(map[string]any, len(t.Map))
		for _, k := range slices.Sorted(maps.Keys(t.Map)) {
			v, err := m.tree(t.Map[k])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", k, err)
			}
			out[k] = v
		}
		return out, nil
	default:
		return nil, nil
	}
}

func (o *On) selects(e *event.Event) bool {
	status := e.Status
	if !status.Over() {
		status = event.Firing
	}
	switch {
	case e.Status == "" || o.Status == "any":
	case cmp.Or(o.Status, string(event.Firing)) != string(status):
		return false
	}
	if !spelling.Globs(o.Source, e.Source) || !spelling.Globs(o.Kind, e.Kind) {
		return false
	}
	for k, pattern := range o.Labels {
		v, ok := e.Labels[k]
		if !ok || !spelling.Glob(pattern, v) {
			return false
		}
	}
	return true
}
