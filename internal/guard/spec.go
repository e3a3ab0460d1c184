package guard

import (
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/value"
)

// Spec is the content of a `kind: Guard` document: a rule that can stop an effect.
type Spec struct {
	Name     string    `json:"name"`
	Select   Selection `json:"select,omitzero"`
	Cooldown *Cooldown `json:"cooldown,omitempty"`
	Then     string    `json:"then,omitempty"` // hold (default): wait until it may; deny: fail the step
}

// Selection says which effects a guard is about. An empty list selects everything of its kind; Effects empty means
// mutate. Patterns are globs with * and ?.
type Selection struct {
	Playbooks []string          `json:"playbooks,omitempty"`
	Labels    map[string]string `json:"labels,omitempty"` // of the playbook: all must match
	Actions   []string          `json:"actions,omitempty"`
	Effects   []contract.Effect `json:"effects,omitempty"`
	Targets   []string          `json:"targets,omitempty"`
}

// Cooldown leaves a target alone for a time after an effect on it.
type Cooldown struct {
	Every value.Duration `json:"every"`
}
