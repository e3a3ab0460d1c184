package wire

import (
	"time"

	"github.com/tendhq/tend/internal/catalog"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/draft"
	"github.com/tendhq/tend/internal/edit"
	"github.com/tendhq/tend/internal/graph"
	"github.com/tendhq/tend/internal/plan"
)

// Actions are what a step can use, and what a step can say.
type Actions struct {
	Actions []Action `json:"actions" doc:"Actions and verbs by name, then the modules of the repositories that the asker may look at."`
	Block   []Key    `json:"block" doc:"The keys of a block, in their canonical order."`
	// Maps are for forms of fields that hold maps: retry, approval, check, undo, …
	Maps map[string][]Key `json:"maps" doc:"The keys of the maps that a key can hold, by the form of the key."`
	Step []Key            `json:"step" doc:"The keys of a step that uses something, in their canonical order."`
}

// Key is a key of a step.
type Key struct {
	Doc  string `json:"doc"`
	Form string `json:"form" doc:"What its value is: text, logic (CEL), template, duration, count, bool, map, step[], …"`
	Name string `json:"name"`
}

// Action is an action, a verb or a module: everything that a form for a step needs.
type Action struct {
	Depends  bool            `json:"depends,omitempty" doc:"The effect depends on the inputs: http GET is read."`
	Doc      string          `json:"doc,omitempty" doc:"Markdown."`
	Effect   string          `json:"effect,omitempty" doc:"Where the document says nothing: read, idempotent or mutate. A verb has none."`
	Ends     []ActionEnd     `json:"ends,omitempty" doc:"How it ends."`
	Env      bool            `json:"env,omitempty" doc:"The step's env is given to its process."`
	Examples []ActionExample `json:"examples,omitempty"`
	Inputs   []ActionField   `json:"inputs"`
	Module   *ActionModule   `json:"module,omitempty"`
	Name     string          `json:"name"`
	Outputs  []ActionField   `json:"outputs"`
	Proven   bool            `json:"proven,omitempty" doc:"No document can declare another effect."`
	Summary  string          `json:"summary"`
	Targets  []string        `json:"targets,omitempty" doc:"What its effect is on, as templates over the inputs."`
	Verb     bool            `json:"verb,omitempty" doc:"A command of the run."`
}

// ActionModule says where a module comes from.
type ActionModule struct {
	File    string `json:"file"`
	Project string `json:"project"`
	Version string `json:"version,omitempty"`
}

// ActionEnd is one way how an action ends.
type ActionEnd struct {
	Kind    string `json:"kind,omitempty" doc:"Of the fault."`
	Outcome string `json:"outcome" enum:"succeeded,failed,not-started,in-doubt"`
	When    string `json:"when"`
}

// ActionExample is a piece of a playbook.
type ActionExample struct {
	Title string `json:"title"`
	YAML  string `json:"yaml" doc:"Items of steps."`
}

// ActionField is an input or output of an action.
type ActionField struct {
	Default     any           `json:"default,omitempty"`
	Description string        `json:"description,omitempty"`
	Enum        []any         `json:"enum,omitempty"`
	Fields      []ActionField `json:"fields,omitempty" doc:"Of a map."`
	Items       *ActionField  `json:"items,omitempty" doc:"Of a list."`
	Name        string        `json:"name"`
	Pattern     string        `json:"pattern,omitempty" doc:"RE2, for the whole text."`
	Required    bool          `json:"required"`
	Sensitive   bool          `json:"sensitive,omitempty" doc:"Masked everywhere; a secret may be given here."`
	Type        string        `json:"type" doc:"string, number, boolean, list, map, secret, integration, duration or any."`
	Verbatim    bool          `json:"verbatim,omitempty" doc:"Never rendered: a script or other code."`
}

// FromSpec gives the wire form of an action.
func FromSpec(s *contract.Spec) Action {
	a := Action{
		Depends: s.EffectOf != nil, Doc: s.Doc, Effect: string(s.Effect), Env: s.Env, Inputs: fromFields(s.Inputs), Name: s.Name, Outputs: fromFields(s.Outputs),
		Proven: s.Proven, Summary: s.Summary, Targets: s.Targets, Verb: s.Verb,
	}
	switch {
	case s.Verb:
		a.Effect = ""
	case a.Effect == "":
		a.Effect = string(contract.Mutate)
	}
	for _, e := range s.Ends {
		a.Ends = append(a.Ends, ActionEnd{Kind: string(e.Kind), Outcome: e.Outcome, When: e.When})
	}
	for _, e := range s.Examples {
		a.Examples = append(a.Examples, ActionExample{Title: e.Title, YAML: e.YAML})
	}
	return a
}

// FromModule gives the wire form of a module.
func FromModule(m *catalog.Module) Action {
	a := FromSpec(&m.Spec)
	a.Module = &ActionModule{File: m.File, Project: m.Project, Version: m.Version}
	return a
}

func fromFields(fs []contract.Field) []ActionField {
	out := make([]ActionField, len(fs))
	for i := range fs {
		out[i] = fromField(&fs[i])
	}
	return out
}

func fromField(f *contract.Field) ActionField {
	a := ActionField{
		Default: f.Default, Description: f.Description, Enum: f.Enum, Name: f.Name, Pattern: f.Pattern, Required: f.Required, Sensitive: f.Sensitive,
		Type: string(f.Type), Verbatim: f.Verbatim,
	}
	if len(f.Fields) > 0 {
		a.Fields = fromFields(f.Fields)
	}
	if f.Items != nil {
		items := fromField(f.Items)
		a.Items = &items
	}
	return a
}

// FromKeys gives the wire form of the keys of a map.
func FromKeys(t document.Table) []Key {
	out := make([]Key, len(t))
	for i := range t {
		out[i] = Key{Doc: t[i].Doc, Form: string(t[i].Form), Name: t[i].Name}
	}
	return out
}

// PlaybookSource is the text that a live playbook stands in.
type PlaybookSource struct {
	Document   int      `json:"document" doc:"Which document of the file it is, from 0."`
	File       string   `json:"file" doc:"From the folder of the repository that is read."`
	Live       bool     `json:"live" doc:"The revision is the live one."`
	Place      string   `json:"place" doc:"Address or directory of the repository."`
	Project    string   `json:"project"`
	Repository string   `json:"repository"`
	Revision   Revision `json:"revision"`
	Saves      string   `json:"saves" enum:"branch,patch" doc:"What becomes of a proposal of the asker."`
	Text       string   `json:"text"`
}

// PlaybookVersions are the revisions in which a playbook changed.
type PlaybookVersions struct {
	Versions []PlaybookVersion `json:"versions" doc:"The newest first."`
	Whole    bool              `json:"whole" doc:"There were none before. false: revisions that are not kept any more, or the commits before, may have had others."`
}

// PlaybookVersion is a playbook as it was.
type PlaybookVersion struct {
	Author    string    `json:"author,omitempty"`
	Committed time.Time `json:"committed,omitzero"`
	Does      bool      `json:"does" doc:"It did something else than the version before: where the text is the same, something that it uses changed."`
	File      string    `json:"file"`
	Live      bool      `json:"live"`
	LiveSince time.Time `json:"liveSince,omitzero"`
	Past      bool      `json:"past,omitempty" doc:"A commit from before the revisions that are kept: whether it was ever live is not known, and of what it did only the file."`
	Revision  string    `json:"revision"`
	Text      string    `json:"text"`
	Title     string    `json:"title,omitempty"`
}

// Around is what belongs to a playbook in its repository.
type Around struct {
	Guards   []AroundGuard   `json:"guards" doc:"That can stop one of its effects."`
	Tests    []SourceFile    `json:"tests" doc:"The tests beside it."`
	Triggers []AroundTrigger `json:"triggers" doc:"That start it."`
	Uses     []string        `json:"uses" doc:"The actions, verbs and modules that it uses."`
	Calls    []string        `json:"calls" doc:"The playbooks that it runs."`
}

// AroundTrigger is a trigger that starts a playbook.
type AroundTrigger struct {
	Enabled bool           `json:"enabled"`
	File    string         `json:"file,omitempty"`
	Line    int            `json:"line,omitempty"`
	Name    string         `json:"name"`
	On      map[string]any `json:"on,omitempty" doc:"What it selects events by."`
	When    string         `json:"when,omitempty" doc:"Its condition."`
}

// AroundGuard is a guard that can stop an effect of a playbook.
type AroundGuard struct {
	File  string   `json:"file,omitempty"`
	Line  int      `json:"line,omitempty"`
	Name  string   `json:"name"`
	Says  string   `json:"says" doc:"What it holds people to, in a sentence."`
	Steps []string `json:"steps" doc:"Paths of the steps that it is asked about, as far as their targets are known."`
	Then  string   `json:"then" doc:"hold, deny or ask."`
	What  string   `json:"what" doc:"Its rule: cooldown, rate, freeze, …"`
}

// SourceFile is a file of a repository.
type SourceFile struct {
	File string `json:"file"`
	Size int    `json:"size"`
	Sum  string `json:"sum,omitempty" doc:"SHA-256 of its content, in hexadecimal: the same as long as nothing in it changes."`
	Text string `json:"text,omitempty"`
}

// SourceFiles are the files that are read of a repository.
type SourceFiles struct {
	Files    []SourceFile `json:"files"`
	Revision string       `json:"revision"`
}

// Draft is a text that is being written. It is never stored.
type Draft struct {
	File       string `json:"file" minLength:"1" maxLength:"1000" doc:"Where it stands, or will, from the folder of the repository that is read."`
	Repository string `json:"repository,omitempty" maxLength:"200" doc:"The repository around it: modules and playbooks that it names are looked for there."`
	Text       string `json:"text" maxLength:"4194304"`
}

// Looked is what was found in a text, and how it is drawn.
type Looked struct {
	Documents []LookedDocument `json:"documents"`
	Findings  []Finding        `json:"findings" doc:"As of tend lint. One with severity error keeps the text from being live."`
}

// LookedDocument is one document of a text.
type LookedDocument struct {
	Index      int           `json:"index" doc:"Of the file, from 0."`
	Kind       string        `json:"kind"`
	Layout     *graph.Layout `json:"layout,omitempty" doc:"Of a playbook or module, as tend graph draws it."`
	Line       int           `json:"line,omitempty"`
	Name       string        `json:"name,omitempty"`
	Parameters []Field       `json:"parameters,omitempty"`
	Parts      []LookedPart  `json:"parts,omitempty" doc:"Where the boxes of the layout stand in the text, by path."`
	Whole      bool          `json:"whole,omitempty" doc:"Everything that it names could be found. false: it is drawn as far as it goes."`
}

// LookedPart is a step, or a list of steps, with its place in the text.
type LookedPart struct {
	Column int           `json:"column"`
	End    int           `json:"end" doc:"Its last line."`
	Fields []LookedField `json:"fields,omitempty" doc:"Where the fields of a step stand, in the order of the text; of maps and lists as far as three levels down."`
	Line   int           `json:"line" doc:"Its first line, from 1."`
	List   bool          `json:"list,omitempty" doc:"A list, to which steps can be added: into."`
	Path   string        `json:"path" doc:"That of the box."`
	Says   any           `json:"says,omitempty" doc:"What the step says, as data; the steps in it are left out."`
}

// LookedField is a field of a step with its place in the text.
type LookedField struct {
	Column int    `json:"column"`
	Line   int    `json:"line"`
	Path   string `json:"path" doc:"As an edit names it: with.message, retry.attempts."`
}

// FromLook gives the wire form.
func FromLook(docs []draft.Document, findings []document.Finding) Looked {
	out := Looked{Documents: []LookedDocument{}, Findings: FromFindings(findings)}
	for i := range docs {
		d := &docs[i]
		x := LookedDocument{Index: d.Index, Kind: string(d.Kind), Line: d.Line, Name: d.Name}
		for j := range d.Parameters {
			x.Parameters = append(x.Parameters, FromParameter(&d.Parameters[j]))
		}
		if p := d.Drawing; p != nil {
			x.Layout, x.Whole = &p.Layout, p.Whole
			for _, part := range p.Parts {
				one := LookedPart{Column: part.Column, End: part.End, Line: part.Line, List: part.List, Path: part.Path, Says: part.Says}
				for _, f := range part.Fields {
					one.Fields = append(one.Fields, LookedField{Column: f.Column, Line: f.Line, Path: f.Path})
				}
				x.Parts = append(x.Parts, one)
			}
		}
		out.Documents = append(out.Documents, x)
	}
	return out
}

// FromFindings gives the wire form of findings.
func FromFindings(fs []document.Finding) []Finding {
	out := make([]Finding, len(fs))
	for i := range fs {
		out[i] = NewFinding(&fs[i])
	}
	return out
}

// Formatted is a text in its canonical form.
type Formatted struct {
	Changed  bool      `json:"changed"`
	Findings []Finding `json:"findings" doc:"Why it was left as it is."`
	Text     string    `json:"text"`
}

// DraftPlan asks what a run of a text would do.
type DraftPlan struct {
	Draft

	Event    map[string]any `json:"event,omitempty" doc:"What templates see as event."`
	Params   map[string]any `json:"params,omitempty"`
	Playbook string         `json:"playbook,omitempty" maxLength:"200" doc:"The name, where the text has several."`
}

// Plan is what a run would do: no step acts, no secret is looked up.
type Plan = plan.Plan

// DraftEdit changes a text as a person would.
type DraftEdit struct {
	Draft

	Edits []Edit `json:"edits" minItems:"1" maxItems:"100" doc:"Carried out in order, all or none. Paths of a later one are those after the one before it."`
}

// Edit is one change of a text. Comments, the order of keys and the way in which everything else is written stay.
type Edit struct {
	After    string    `json:"after,omitempty" maxLength:"4000" doc:"add, move: after the step at this path."`
	Before   string    `json:"before,omitempty" maxLength:"4000" doc:"add, move: before the step at this path."`
	Block    string    `json:"block,omitempty" enum:"steps,parallel,foreach,lock" doc:"wrap: in what."`
	Count    int       `json:"count,omitempty" minimum:"0" maximum:"1000" doc:"wrap: how many steps from path on; 0 is 1."`
	Do       edit.Verb `json:"do" enum:"add,move,remove,duplicate,set,unset,wrap,unwrap,rename"`
	Document int       `json:"document,omitempty" minimum:"0" doc:"Which document of the text, from 0."`
	Field    string    `json:"field,omitempty" maxLength:"1000" doc:"set, unset: when, with.message, retry.attempts, env[\"A.B\"], parameters[0].default"`
	ID       string    `json:"id,omitempty" maxLength:"200" doc:"rename: the new id. What refers to the old one follows."`
	Into     string    `json:"into,omitempty" maxLength:"4000" doc:"add, move: to the end of this list: steps, steps[1].catch, steps[2].parallel. It is made when it is not there. Or to where one step stands: steps[1].verify, steps[1].undo."`
	Path     string    `json:"path,omitempty" maxLength:"4000" doc:"The step, as the layout has it. set and unset: nothing is the document itself."`
	Step     string    `json:"step,omitempty" maxLength:"1048576" doc:"add: the YAML of a step, in place of value."`
	Value    any       `json:"value,omitempty" doc:"set: the value. add: the step as data. move into a verify: what it says besides (until). wrap: what foreach or lock says besides its steps."`
}

// Operation gives the edit as package edit has it.
func (e *Edit) Operation() edit.Operation {
	return edit.Operation{
		Do: e.Do, Document: e.Document, Path: e.Path, Place: edit.Place{Before: e.Before, After: e.After, Into: e.Into}, Field: e.Field, Value: e.Value,
		Step: e.Step, Block: e.Block, Count: e.Count, ID: e.ID,
	}
}

// Edited is a text after it was changed.
type Edited struct {
	Looked

	Paths []string `json:"paths" doc:"For each edit the path of the step that it was about, as it was right after it. After remove it is empty."`
	Text  string   `json:"text"`
}

// Propose asks for a change of a file to be reviewed. What is live does not change.
type Propose struct {
	Anyway bool   `json:"anyway,omitempty" doc:"Also when the text has errors: nothing of it becomes live before they are mended."`
	Base   string `json:"base,omitempty" maxLength:"64" doc:"The revision that the text was made from. Empty for a new file."`
	Branch string `json:"branch,omitempty" maxLength:"100" doc:"The last part of the branch's name. Without it the title makes one."`
	File   string `json:"file" minLength:"1" maxLength:"1000"`
	Patch  bool   `json:"patch,omitempty" doc:"A patch, also where a branch could be pushed."`
	Text   string `json:"text" maxLength:"4194304"`
	Title  string `json:"title" minLength:"1" maxLength:"200" doc:"The first line of the commit's message."`
	Why    string `json:"why,omitempty" maxLength:"20000" doc:"The rest of it."`
}

// Proposed is what became of a proposal.
type Proposed struct {
	Address  string    `json:"address,omitempty" doc:"Where people look at the branch and ask for it to be merged."`
	Base     string    `json:"base" doc:"What it is made for."`
	Branch   string    `json:"branch,omitempty"`
	Commit   string    `json:"commit,omitempty"`
	File     string    `json:"file" doc:"From the root of the repository."`
	Findings []Finding `json:"findings" doc:"Of the file, and errors of the whole repository, with the change."`
	How      string    `json:"how" enum:"branch,patch"`
	Patch    string    `json:"patch,omitempty" doc:"For git apply or git am."`
}

// Sketch is the first draft of a playbook for an event.
type Sketch struct {
	File string `json:"file"`
	Name string `json:"name"`
	Text string `json:"text"`
}

// PlaybookRecords tell how playbooks fared lately.
type PlaybookRecords struct {
	Records []PlaybookRecord `json:"records" doc:"One for each playbook that the asker may look at, in the order of the playbooks' list."`
}

// PlaybookRecord tells how a playbook fared in its last runs.
type PlaybookRecord struct {
	Failed    int         `json:"failed"`
	Last      []RecordRun `json:"last" doc:"The newest first."`
	Name      string      `json:"name"`
	Project   string      `json:"project"`
	Runs      int         `json:"runs" doc:"How many were looked at."`
	Succeeded int         `json:"succeeded"`
	Team      string      `json:"team,omitempty" doc:"The owner, or the label team."`
	Verified  int         `json:"verified" doc:"Succeeded, and a verification held."`

	Triggers   []string `json:"triggers" doc:"That start it, by name; those that are off are left out."`
	Verifiable int      `json:"verifiable" doc:"Had something to prove: a verification was made, or it failed before it came to one."`
	Verifies   bool     `json:"verifies" doc:"The playbook has a verification."`
}

// RecordRun is a run of a record.
type RecordRun struct {
	Began    time.Time `json:"began"`
	By       string    `json:"by,omitempty"`
	Ended    time.Time `json:"ended,omitzero"`
	Run      string    `json:"run"`
	Status   string    `json:"status"`
	Verified bool      `json:"verified,omitempty"`
}
