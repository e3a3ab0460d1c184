// Package trigger is the kind Trigger: which events start runs of which playbook, with which parameters.
package trigger

import (
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/expr"
)

// Spec is what a `kind: Trigger` declares. It is read and checked; nothing starts runs by it yet.
type Spec struct {
	Name      string     `json:"name"`
	Enabled   bool       `json:"enabled"`
	Playbook  string     `json:"playbook"` // "": the one in the same folder
	Scenarios []Scenario `json:"scenarios,omitempty"`
}

// Scenario is one way how a trigger fires.
type Scenario struct {
	Name        string               `json:"name,omitempty"`
	Enabled     bool                 `json:"enabled"`
	Integration string               `json:"integration,omitempty"`
	When        *expr.Expr           `json:"when,omitempty"`
	Parameters  map[string]expr.Tree `json:"parameters,omitempty"`
}

// Definition is the kind Trigger, with a *Spec as its content.
func Definition() document.Definition {
	return document.Definition{Kind: document.KindTrigger, Keys: keys, Forms: forms, Read: read}
}

// FormScenario is the form of a scenario.
const (
	FormScenario  document.Form = "scenario"
	FormScenarios document.Form = "scenario[]"
)

func forms(f document.Form, _ expr.Dialect) document.Table {
	if f == FormScenario {
		return scenarioKeys
	}
	return nil
}

var (
	keys = document.Head.With(document.Table{
		document.Def("enabled", document.FormBool, "false: the trigger does nothing."),
		document.Def("playbook", document.FormText, "The playbook to run; empty is the one in the same folder."),
		document.Def("scenarios", FormScenarios, "When it fires."),
	})
	scenarioKeys = document.Table{
		document.Def("name", document.FormText, "The name of the scenario."),
		document.Def("enabled", document.FormBool, "false: the scenario does nothing."),
		document.Def("integration", document.FormText, "Where the events come from."),
		document.Def("when", document.FormLogic, "Which events fire, over the fields of the event."),
		document.Def("parameters", document.FormMap, "The parameters of the run."),
	}
)

func read(r *document.Reader, d *document.Document) any {
	t := &Spec{Enabled: true}
	r.Body(d, keys, "a trigger", func(k document.Key) {
		switch k.Name {
		case "enabled":
			t.Enabled = r.Bool(k)
		case "playbook":
			t.Playbook = r.Fixed(k)
		case "scenarios":
			t.Scenarios = scenarios(r, k)
		}
	})
	t.Name = d.Metadata.Name
	return t
}

func scenarios(r *document.Reader, k document.Key) []Scenario {
	items, _ := r.List(k.Value, "`scenarios`")
	out := make([]Scenario, 0, len(items))
	for _, n := range items {
		o, ok := r.Object(n, "a scenario")
		if !ok {
			continue
		}
		s := Scenario{Enabled: true}
		r.Each(&o, scenarioKeys, "a scenario", func(k document.Key) {
			switch k.Name {
			case "name":
				s.Name = r.Fixed(k)
			case "enabled":
				s.Enabled = r.Bool(k)
			case "integration":
				s.Integration = r.Fixed(k)
			case "when":
				if l := condition(r, k); l != nil {
					s.When = &l.Expr
				}
			case "parameters":
				d := r.Map(k)
				s.Parameters = make(map[string]expr.Tree, len(d.Map))
				for _, e := range d.Map {
					s.Parameters[e.Name] = e.Data.Tree()
				}
			}
		})
		out = append(out, s)
	}
	return out
}

// condition reads a condition that may be left empty.
func condition(r *document.Reader, k document.Key) *document.Scalar {
	if document.IsNull(k.Value) || k.Value.Kind == yaml.ScalarNode && strings.TrimSpace(k.Value.Value) == "" {
		return nil
	}
	return r.Scalar(k.Value, expr.Logic, "`"+k.Name+"`")
}
