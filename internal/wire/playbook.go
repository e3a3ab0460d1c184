package wire

import (
	"github.com/tendhq/tend/internal/contract"
)

// Playbook is a playbook that is live on a server.
type Playbook struct {
	Commit      string            `json:"commit,omitempty"`
	Description string            `json:"description,omitempty"`
	Digest      string            `json:"digest" doc:"The same as long as neither it nor what it calls does anything else."`
	Environment string            `json:"environment,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Mode        string            `json:"mode" doc:"What becomes of its mutations now: observe, ask or auto."`
	Mutates     bool              `json:"mutates" doc:"It can change something."`
	Name        string            `json:"name"`
	Owner       string            `json:"owner,omitempty"`
	Project     string            `json:"project"`
	Source      string            `json:"source"`

	Outputs    []Field `json:"outputs,omitempty"`
	Parameters []Field `json:"parameters,omitempty"`
}

// Field is a parameter or an output.
type Field struct {
	Default     any    `json:"default,omitempty"`
	Description string `json:"description,omitempty"`
	Enum        []any  `json:"enum,omitempty"`
	Name        string `json:"name"`
	Pattern     string `json:"pattern,omitempty"`
	Required    bool   `json:"required"`
	Sensitive   bool   `json:"sensitive,omitempty"`
	Type        string `json:"type"`
}

// Playbooks are several.
type Playbooks struct {
	Playbooks []Playbook `json:"playbooks"`
}

// StartPlaybook starts a live playbook.
type StartPlaybook struct {
	Params map[string]any `json:"params,omitempty"`
	Why    string         `json:"why,omitempty" maxLength:"2000"`
}

// FromParameter gives the wire form of a parameter. A default that is rendered at the start is not told.
func FromParameter(p *contract.Parameter) Field {
	f := Field{Description: p.Description, Enum: p.Enum, Name: p.Name, Pattern: p.Pattern, Required: p.Required, Sensitive: p.Sensitive, Type: string(p.Type)}
	if p.Default != nil && !p.Sensitive {
		f.Default = p.Default.Literal()
	}
	return f
}

// Schema is the JSON Schema of a field (2020-12, as OpenAPI 3.1 has it).
func (f *Field) Schema() map[string]any {
	s := map[string]any{}
	switch contract.Type(f.Type) {
	case contract.Number:
		s["type"] = "number"
	case contract.Boolean:
		s["type"] = "boolean"
	case contract.List:
		s["type"] = "array"
	case contract.Map:
		s["type"] = "object"
	default:
		s["type"] = "string"
	}
	if f.Description != "" {
		s["description"] = f.Description
	}
	if len(f.Enum) > 0 {
		s["enum"] = f.Enum
	}
	if f.Pattern != "" && s["type"] == "string" {
		s["pattern"] = "^(?:" + f.Pattern + ")$"
	}
	if f.Default != nil {
		s["default"] = f.Default
	}
	if f.Sensitive {
		s["format"] = "password"
	}
	return s
}
