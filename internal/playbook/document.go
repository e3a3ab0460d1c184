package playbook

import (
	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/expr"
)

// DocKind says what a document declares.
type DocKind string

// The kinds of documents.
const (
	DocPlaybook    DocKind = "Playbook"
	DocModule      DocKind = "Step" // a reusable step with an interface
	DocGuard       DocKind = "Guard"
	DocTrigger     DocKind = "Trigger"
	DocIntegration DocKind = "Integration"
)

// Document is one YAML document as it was read: everything with its place, nothing resolved.
type Document struct {
	Object
	File    string
	Index   int // which document of the file, from 0
	Dialect expr.Dialect
	Kind    DocKind

	Metadata     Metadata
	MetadataKeys Object

	// Playbooks and modules. Parameters are a module's inputs; Outputs of both may carry declared types.
	Parameters []ParameterDecl
	Steps      []*Step
	Catch      []*Step
	Finally    []*Step
	Outputs    []OutputDecl
	Artifacts  []string
	Timeout    Duration

	// Modules only. Body is `run:`; nil when the module has nested Steps.
	Body         *Step
	Effect       Effect
	Irreversible bool
	Target       []*Scalar

	Guard       *GuardSpec
	Trigger     *TriggerSpec
	Integration *IntegrationSpec

	lines *lines
}

// Object is a mapping with its keys in the order of the document, aliases and merges resolved.
type Object struct {
	Node *yaml.Node // nil: not written
	Keys []Key
}

// Key is one entry of an Object.
type Key struct {
	Name  string
	Node  *yaml.Node // of the key
	Value *yaml.Node // aliases resolved
}

// Key finds an entry by name.
func (o *Object) Key(name string) (Key, bool) {
	for _, k := range o.Keys {
		if k.Name == name {
			return k, true
		}
	}
	return Key{}, false
}

// Has tells whether the key is written.
func (o *Object) Has(name string) bool { _, ok := o.Key(name); return ok }

// Scalar is one scalar of a document, as an expression. Its Line and Column are those of the YAML node; see
// Document.PlaceIn for places inside of it.
type Scalar struct {
	expr.Expr
	Node *yaml.Node
}

// Data is a tree of values with places. Exactly one of Scalar, List and Map is set, by Node.Kind; the zero Data is what
// is not written.
type Data struct {
	Node   *yaml.Node
	Scalar *Scalar
	List   []Data
	Map    []Entry
}

// Entry is one entry of a map in Data.
type Entry struct {
	Key
	Data Data
}

// Given tells whether the data is written at all.
func (d *Data) Given() bool { return d.Node != nil }

// Entry finds an entry of a map by name.
func (d *Data) Entry(name string) (*Data, bool) {
	for i := range d.Map {
		if d.Map[i].Name == name {
			return &d.Map[i].Data, true
		}
	}
	return nil, false
}

// ParameterDecl declares a parameter of a playbook, or an input of a module.
type ParameterDecl struct {
	Object
	Name        string
	Type        Type
	Description string
	Default     Data
	Required    bool // no default and not `required: false`
	Enum        []any
	Pattern     string
	Options     map[string]any
	Sensitive   bool
}

// OutputDecl declares an output.
type OutputDecl struct {
	Object      // of the long form; its Node is nil in the short one, `name: value`
	Key         Key
	Name        string
	Type        Type // "" in the short form
	Description string
	Value       Data
	Sensitive   bool
}

// Step is a node of the tree: a step or a block.
type Step struct {
	Object
	// Kind is what the document alone tells: a verb of tend/v1 by its name, a block by its key, else KindAction. What
	// an action's name stands for, a Resolver tells.
	Kind        NodeKind
	Dialect     expr.Dialect
	ID          string
	Name        string // the title
	Description string

	When          *Scalar
	IgnoreFailure bool
	Timeout       Duration
	Approval      *ApprovalDecl

	// Uses is the name as written: `uses`, or `name` in the older dialect, where Legacy is set and Env is the input map.
	Uses         string
	UsesNode     *yaml.Node
	Legacy       bool
	With         Data
	Env          Data
	Args         []Data
	Runner       *Scalar
	Integration  *Scalar
	Parser       string // older dialect: json, raw or ""
	Target       []*Scalar
	Effect       Effect
	Irreversible bool
	Retry        *Retry
	OnDoubt      string
	Probe        *CheckDecl
	Verify       *CheckDecl
	Undo         *UndoDecl
	Artifacts    []string

	// Verbs: With as the verb understands it. With itself stands too.
	Wait    *WaitDecl
	Task    *TaskDecl
	Call    *CallDecl
	That    *Scalar // assert
	Message *Scalar // assert, fail

	// Blocks.
	Steps    []*Step // of steps, foreach and lock; the branches of parallel
	Foreach  *ForeachDecl
	LockKey  *Scalar
	Catch    []*Step
	Finally  []*Step
	StopWhen *CheckDecl
}

// CheckDecl is verify, a probe, wait's until or stopWhen.
type CheckDecl struct {
	Object
	Step   *Step // nil: a condition alone
	Until  *Scalar
	Within Duration
	Every  Duration
}

// UndoDecl is undo.
type UndoDecl struct {
	Object
	Step *Step
	None string
}

// ApprovalDecl is approval, and the part of approve that is alike. `approval: true` and a text are short forms.
type ApprovalDecl struct {
	Object
	Message      *Scalar
	From         []string
	Count        int
	NotRequester bool
	Within       Duration
}

// ForeachDecl is the head of a loop.
type ForeachDecl struct {
	Object
	In       Data
	Range    []*Scalar
	Key      string
	Value    string
	When     *Scalar // per iteration
	Break    *Scalar
	Parallel int
}

// WaitDecl is the verb wait.
type WaitDecl struct {
	Duration *Scalar
	At       *Scalar
	Until    *CheckDecl
	Event    *Scalar
	Key      *Scalar
	Within   Duration
}

// TaskDecl is approve, ask and manual.
type TaskDecl struct {
	ApprovalDecl
	Form         []Field
	Instructions *Scalar
	Choices      Data   // ask: a list to choose from, in place of a form
	Selector     string // single or multi
	Default      *Scalar
}

// CallDecl is the verb playbook.
type CallDecl struct {
	Playbook string
	Node     *yaml.Node // of the name
	Params   Data
}
