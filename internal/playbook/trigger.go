package playbook

import "github.com/tendhq/tend/internal/expr"

// TriggerSpec is what a `kind: Trigger` declares. It is read and checked; nothing starts runs by it yet.
type TriggerSpec struct {
	Name      string     `json:"name"`
	Enabled   bool       `json:"enabled"`
	Playbook  string     `json:"playbook"` // "": the one in the same folder
	Scenarios []Scenario `json:"scenarios,omitempty"`
}

// Scenario is one way how a trigger fires.
type Scenario struct {
	Name        string          `json:"name,omitempty"`
	Enabled     bool            `json:"enabled"`
	Integration string          `json:"integration,omitempty"`
	When        *expr.Expr      `json:"when,omitempty"`
	Parameters  map[string]Tree `json:"parameters,omitempty"`
}

// IntegrationSpec is what a `kind: Integration` declares: a named connection. It is read and checked only.
type IntegrationSpec struct {
	Name   string         `json:"name"`
	Type   string         `json:"type"`
	Config map[string]any `json:"config,omitempty"` // names of secrets, never secrets
}
