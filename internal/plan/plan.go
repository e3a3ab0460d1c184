// Package plan says beforehand what a run would do: every step that would run, with its inputs as far as parameters and
// event already tell them, its effect, its targets, and what cannot be known yet, because it depends on what an earlier
// step finds.
//
// It is pure and touches nothing: no step acts, no secret is looked up ([secret] stands in its place), and nothing is
// stored. What a condition decides from parameters and event alone is decided here; what depends on more stays open.
package plan

import (
	"time"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/value"
)

// Evaluator evaluates expressions and tells what they need; *expr.Evaluator is one.
type Evaluator interface {
	Value(e expr.Expr, s expr.Scope) (any, error)
	Truth(e expr.Expr, s expr.Scope) (bool, error)
	Uses(e expr.Expr, d expr.Dialect) (expr.Uses, error)
}

// Request is what a plan is made from.
type Request struct {
	Program  *program.Program
	Params   map[string]any // bound
	Event    map[string]any
	Metadata map[string]any
	By       string
	Guards   []guard.Spec
	Spec     func(name string) (contract.Spec, bool)
	Eval     Evaluator
	Now      time.Time
}

// Plan is what a run would do.
type Plan struct {
	Name     string         `json:"name"`
	Source   string         `json:"source,omitempty"`
	Params   map[string]any `json:"params,omitempty"`
	Steps    []Step         `json:"steps"`
	Catch    []Step         `json:"catch,omitempty"`
	Finally  []Step         `json:"finally,omitempty"`
	Outputs  map[string]any `json:"outputs,omitempty"`
	Problems []string       `json:"problems,omitempty"` // what would fail, as far as it is known now
}

// The answers of Step.When.
const (
	Yes     = "yes"
	No      = "no"
	Unknown = "unknown"
)

// Step is a step or block of a plan. Values that cannot be known yet are Open.
type Step struct {
	Path         string         `json:"path"`
	Kind         string         `json:"kind"` // action, wait, …, foreach, iteration
	ID           string         `json:"id,omitempty"`
	Name         string         `json:"name,omitempty"`
	Uses         string         `json:"uses,omitempty"`
	When         string         `json:"when,omitempty"` // yes, no, unknown; "" when it always runs
	Condition    string         `json:"condition,omitempty"`
	DependsOn    []string       `json:"dependsOn,omitempty"` // of the condition or the list
	Effect       string         `json:"effect,omitempty"`
	Irreversible bool           `json:"irreversible,omitempty"`
	Runner       any            `json:"runner,omitempty"`
	Inputs       map[string]any `json:"inputs,omitempty"`
	Targets      []any          `json:"targets,omitempty"`
	Guards       []string       `json:"guards,omitempty"`
	Approval     string         `json:"approval,omitempty"`
	Note         string         `json:"note,omitempty"` // what a verb would do
	Retry        string         `json:"retry,omitempty"`
	Timeout      string         `json:"timeout,omitempty"`
	OnDoubt      string         `json:"onDoubt,omitempty"`
	Verify       *Step          `json:"verify,omitempty"`
	Until        string         `json:"until,omitempty"` // of a verify
	Undo         *Step          `json:"undo,omitempty"`
	UndoNone     string         `json:"undoNone,omitempty"`
	Steps        []Step         `json:"steps,omitempty"`
	Catch        []Step         `json:"catch,omitempty"`
	Finally      []Step         `json:"finally,omitempty"`
	More         int            `json:"more,omitempty"` // iterations that are not listed
	Problems     []string       `json:"problems,omitempty"`
}

// Open is a value that cannot be known yet.
type Open struct {
	Source    string   `json:"unknown"`
	DependsOn []string `json:"dependsOn"`
}

// maxIterations is how many iterations of a loop are listed.
const maxIterations = 10

// New makes the plan.
func New(r Request) *Plan {
	b := &builder{Request: r, skipped: map[string]bool{}}
	p := r.Program
	for _, d := range p.Parameters {
		if text := value.Text(r.Params[d.Name]); d.Sensitive && len(text) >= secret.MinLength {
			b.hide = append(b.hide, text)
		}
	}
	s := scope{dialect: p.Dialect, root: map[string]any{
		"params": orEmpty(r.Params), "event": orEmpty(r.Event), "metadata": p.Metadata.Data(r.Metadata),
		"run": map[string]any{"name": p.Metadata.Name, "by": r.By}, "steps": map[string]any{},
	}}
	out := &Plan{Name: p.Metadata.Name, Source: p.Source, Params: b.params()}
	out.Steps = b.nodes(p.Steps, "", "steps", s)
	caught := s.with("error")
	out.Catch = b.nodes(p.Catch, "", "catch", caught)
	out.Finally = b.nodes(p.Finally, "", "finally", caught)
	if len(p.Outputs) > 0 {
		var problems []string
		out.Outputs, problems = b.trees(p.Outputs, s, "outputs")
		out.Problems = append(out.Problems, problems...)
	}
	return out
}

// params shows parameters without the sensitive ones.
func (b *builder) params() map[string]any {
	out := make(map[string]any, len(b.Params))
	for k, v := range b.Params {
		out[k] = v
	}
	for _, d := range b.Program.Parameters {
		if _, given := out[d.Name]; given && d.Sensitive {
			out[d.Name] = secret.Mask
		}
	}
	return out
}

func orEmpty(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

// guards names the guards that would be asked about an effect.
func (b *builder) guards(n *program.Node, s *Step) {
	targets := make([]string, 0, len(s.Targets))
	for _, t := range s.Targets {
		if text, ok := t.(string); ok {
			targets = append(targets, text)
		}
	}
	v := guard.Check(b.Guards, nil, guard.Request{
		Playbook: b.Program.Metadata.Name, Labels: b.Program.Metadata.Labels, Action: n.Uses, Effect: n.Effect,
		Targets: targets, Path: s.Path,
	}, b.Now)
	s.Guards = v.Allowed
}
