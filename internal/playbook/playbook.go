package playbook

import (
	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/value"
)

// Document is a playbook, or a module (a reusable step with an interface), as it was read: everything with its place,
// nothing resolved.
type Document struct {
	*document.Document

	// Parameters are a module's inputs; Outputs of both may carry declared types.
	Parameters []ParameterDecl
	Steps      []*Step
	Catch      []*Step
	Finally    []*Step
	Outputs    []OutputDecl
	Artifacts  []string
	Timeout    value.Duration
	Offer      *program.Offer

	// Modules only. Body is `run:`; nil when the module has nested Steps.
	Body         *Step
	Effect       contract.Effect
	Irreversible bool
	Target       []*document.Scalar
}

// Inputs are the parameters as fields: what a caller must give.
func (d *Document) Inputs() []contract.Field {
	out := make([]contract.Field, len(d.Parameters))
	for i := range d.Parameters {
		p := &d.Parameters[i]
		out[i] = contract.Field{
			Name: p.Name, Type: p.Type, Description: p.Description, Required: p.Required, Enum: p.Enum,
			Pattern: p.Pattern, Sensitive: p.Sensitive,
		}
		if p.Default.Given() && p.Default.Literal() {
			out[i].Default = p.Default.Value()
		}
	}
	return out
}

// OutputFields are the declared outputs; nil where none declares a type.
func (d *Document) OutputFields() []contract.Field {
	var out []contract.Field
	for _, o := range d.Outputs {
		if o.Type == "" {
			continue
		}
		out = append(out, contract.Field{Name: o.Name, Type: o.Type, Description: o.Description, Sensitive: o.Sensitive})
	}
	return out
}

// ParameterDecl declares a parameter of a playbook, or an input of a module.
type ParameterDecl struct {
	document.Object
	Name        string
	Type        contract.Type
	Description string
	Default     document.Data
	Required    bool // no default and not `required: false`
	Enum        []any
	Pattern     string
	Options     map[string]any
	Sensitive   bool
}

// OutputDecl declares an output.
type OutputDecl struct {
	document.Object // of the long form; its Node is nil in the short one, `name: value`
	Key             document.Key
	Name            string
	Type            contract.Type // "" in the short form
	Description     string
	Value           document.Data
	Sensitive       bool
}

// Step is a node of the tree: a step or a block.
type Step struct {
	document.Object
	// Kind is what the document alone tells: a verb of tend/v1 by its name, a block by its key, else KindAction. What
	// an action's name stands for, a Resolver tells.
	Kind        program.Kind
	Dialect     expr.Dialect
	ID          string
	Name        string // the title
	Description string

	When          *document.Scalar
	IgnoreFailure bool
	Timeout       value.Duration
	Approval      *ApprovalDecl

	// Uses is the name as written: `uses`, or `name` in the older dialect, where Legacy is set and Env is the input map.
	Uses         string
	UsesNode     *yaml.Node
	Legacy       bool
	With         document.Data
	Env          document.Data
	Args         []document.Data
	Runner       *document.Scalar
	Integration  *document.Scalar
	Parser       string // older dialect: json, raw or ""
	Target       []*document.Scalar
	Effect       contract.Effect
	Irreversible bool
	Retry        *program.Retry
	OnDoubt      string
	Probe        *CheckDecl
	Verify       *CheckDecl
	Undo         *UndoDecl
	Artifacts    []string

	// Verbs: With as the verb understands it. With itself stands too.
	Wait    *WaitDecl
	Task    *TaskDecl
	Call    *CallDecl
	That    *document.Scalar // assert
	Message *document.Scalar // assert, fail

	// Blocks.
	Steps    []*Step // of steps, foreach and lock; the branches of parallel
	Foreach  *ForeachDecl
	LockKey  *document.Scalar
	Catch    []*Step
	Finally  []*Step
	StopWhen *CheckDecl
}

// CheckDecl is verify, a probe, wait's until or stopWhen.
type CheckDecl struct {
	document.Object
	Step   *Step // nil: a condition alone
	Until  *document.Scalar
	Within value.Duration
	Every  value.Duration
}

// UndoDecl is undo.
type UndoDecl struct {
	document.Object
	Step *Step
	None string
}

// ApprovalDecl is approval, and the part of approve that is alike. `approval: true` and a text are short forms.
type ApprovalDecl struct {
	document.Object
	Message      *document.Scalar
	From         []string
	Count        int
	NotRequester bool
	NotAuthor    bool
	Within       value.Duration
	Escalate     []program.Escalation
}

// LinkDecl is a link beside what a person is asked.
type LinkDecl struct {
	Name string
	URL  *document.Scalar
}

// ForeachDecl is the head of a loop.
type ForeachDecl struct {
	document.Object
	In       document.Data
	Range    []*document.Scalar
	Key      string
	Value    string
	When     *document.Scalar // per iteration
	Break    *document.Scalar
	Parallel int
}

// WaitDecl is the verb wait.
type WaitDecl struct {
	Duration *document.Scalar
	At       *document.Scalar
	Until    *CheckDecl
	Event    *document.Scalar
	Key      *document.Scalar
	Within   value.Duration
}

// TaskDecl is approve, ask and manual.
type TaskDecl struct {
	ApprovalDecl
	Form         []contract.Field
	Instructions *document.Scalar
	Assignee     *document.Scalar
	Links        []LinkDecl
	Choices      document.Data // ask: a list to choose from, in place of a form
	Selector     string        // single or multi
	Default      *document.Scalar
}

// CallDecl is the verb playbook.
type CallDecl struct {
	Playbook string
	Node     *yaml.Node // of the name
	Params   document.Data
}
