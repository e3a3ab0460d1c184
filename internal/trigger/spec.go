package trigger

import (
	"time"

	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/value"
)

// Spec is what a `kind: Trigger` declares.
type Spec struct {
	Name        string               `json:"name"`
	Dialect     expr.Dialect         `json:"dialect,omitempty"`
	Enabled     bool                 `json:"enabled"`
	On          On                   `json:"on,omitzero"`
	When        *expr.Expr           `json:"when,omitempty"`
	Playbook    string               `json:"playbook,omitempty"` // "" without Incident and Wake: the one in the same folder
	Parameters  map[string]expr.Tree `json:"parameters,omitempty"`
	Key         *expr.Expr           `json:"key,omitempty"`
	Priority    *int                 `json:"priority,omitempty"`
	StartWithin *value.Duration      `json:"startWithin,omitempty"`
	Concurrency *Concurrency         `json:"concurrency,omitempty"`
	Incident    *Incident            `json:"incident,omitempty"`
	Wake        *Wake                `json:"wake,omitempty"`
	Scenarios   []Scenario           `json:"scenarios,omitempty"`
	Labels      map[string]string    `json:"labels,omitempty"` // of the trigger
	Owner       string               `json:"owner,omitempty"`
	Environment string               `json:"environment,omitempty"` // that it is live in
	Within      *On                  `json:"within,omitempty"`      // the events of the environment; nil: all
}

// On selects events by what is known of each, before any expression is evaluated. Texts are globs; empty selects all.
type On struct {
	Source []string          `json:"source,omitempty"`
	Kind   []string          `json:"kind,omitempty"`
	Status string            `json:"status,omitempty"` // firing (default), resolved, vanished, any
	Labels map[string]string `json:"labels,omitempty"`
}

// Concurrency bounds how many runs of the trigger go on at a time for each key.
type Concurrency struct {
	Key   *expr.Expr `json:"key,omitempty"`
	Limit int        `json:"limit"`
	Then  string     `json:"then"`
}

// What becomes of an event when as many runs go on as may.
const (
	Skip    = "skip"    // it belongs to the run that goes on
	Queue   = "queue"   // it waits its turn
	Replace = "replace" // the run that goes on is cancelled for it
)

// Incident says that events belong to an incident, which the first one opens.
type Incident struct {
	Key          *expr.Expr           `json:"key,omitempty"`
	Severity     *expr.Expr           `json:"severity,omitempty"`
	Title        *expr.Expr           `json:"title,omitempty"`
	Summary      *expr.Expr           `json:"summary,omitempty"`
	Labels       map[string]expr.Tree `json:"labels,omitempty"`
	Resolve      bool                 `json:"resolve,omitempty"`
	ReopenWithin *value.Duration      `json:"reopenWithin,omitempty"`
	Update       value.Duration       `json:"update,omitempty"`
}

// Wake hands the event to the runs that wait for it.
type Wake struct {
	Event string     `json:"event"`
	Key   *expr.Expr `json:"key,omitempty"`
}

// Scenario is one way how a trigger fires: the first one that does counts.
type Scenario struct {
	Name        string               `json:"name,omitempty"`
	Enabled     bool                 `json:"enabled"`
	Integration string               `json:"integration,omitempty"`
	When        *expr.Expr           `json:"when,omitempty"`
	Parameters  map[string]expr.Tree `json:"parameters,omitempty"` // over those of the trigger
}

// The defaults.
const (
	AlertStartWithin = 10 * time.Minute // of alerts; other events have no limit
	ReopenWithin     = 15 * time.Minute // an alert that comes back this soon reopens its incident
)

// Expressions gives every expression of the trigger, in no order.
func (s *Spec) Expressions() []*expr.Expr {
	var out []*expr.Expr
	add := func(list ...*expr.Expr) {
		for _, e := range list {
			if e != nil && e.Kind != expr.Literal && e.Kind != "" {
				out = append(out, e)
			}
		}
	}
	var tree func(t expr.Tree)
	tree = func(t expr.Tree) {
		add(t.Scalar)
		for i := range t.List {
			tree(t.List[i])
		}
		for _, x := range t.Map {
			tree(x)
		}
	}
	trees := func(m map[string]expr.Tree) {
		for _, t := range m {
			tree(t)
		}
	}
	add(s.When, s.Key)
	trees(s.Parameters)
	if s.Concurrency != nil {
		add(s.Concurrency.Key)
	}
	if i := s.Incident; i != nil {
		add(i.Key, i.Severity, i.Title, i.Summary)
		trees(i.Labels)
	}
	if s.Wake != nil {
		add(s.Wake.Key)
	}
	for i := range s.Scenarios {
		add(s.Scenarios[i].When)
		trees(s.Scenarios[i].Parameters)
	}
	return out
}
