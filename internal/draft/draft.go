// Package draft looks at documents while they are written: it checks, draws, plans and writes them in their canonical form,
// with the repository that they will stand in around them.
//
// It is pure, and nothing of it is live: no step acts, no secret is looked up, and nothing is stored. What does not
// compile is drawn and described as far as it goes, because a text that is being written is broken most of the time.
package draft

import (
	"slices"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/compiler"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/edit"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/format"
	"github.com/tendhq/tend/internal/graph"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/lint"
	"github.com/tendhq/tend/internal/plan"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/program"
)

// Draft is a text that is being written. It is never changed.
type Draft struct {
	File    string // in the repository, as a slash path
	Text    []byte
	actions contract.Catalog
	library *document.Library
}

// New puts a text into the place of a file of a repository. The repository's files are not changed; nil: there is none.
func New(actions contract.Catalog, files []document.File, file string, text []byte) *Draft {
	all := make([]document.File, 0, len(files)+1)
	for _, f := range files {
		if f.Name != file && isDocument(f.Name) {
			all = append(all, f)
		}
	}
	all = append(all, document.File{Name: file, Content: text})
	return &Draft{File: file, Text: text, actions: actions, library: document.NewLibrary(all)}
}

func isDocument(name string) bool {
	return strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")
}

// Document is what one document of the text is.
type Document struct {
	Index int
	Kind  document.Kind
	Name  string
	Line  int
	// Of playbooks, and of modules that have steps.
	Parameters []contract.Parameter
	Drawing    *Drawing
}

// Drawing is a playbook as a picture, with the place of each of its boxes in the text.
type Drawing struct {
	Layout graph.Layout
	Parts  []edit.Part
	Whole  bool // false: something in it could not be resolved
}

// Check finds what is wrong with the text, as `tend lint` does.
func (d *Draft) Check() []document.Finding {
	return lint.New(d.actions, d.library).File(d.File, d.Text).Findings
}

// Look checks the text and draws what can be drawn of it.
func (d *Draft) Look() ([]Document, []document.Finding) {
	r := lint.New(d.actions, d.library).File(d.File, d.Text)
	resolver := compiler.NewResolver(d.actions, d.library)
	out := make([]Document, 0, len(r.Documents))
	for i, doc := range r.Documents {
		x := Document{Index: doc.Index, Kind: doc.Kind, Name: doc.Metadata.Name}
		if doc.Node != nil {
			x.Line = doc.Node.Line
		}
		if content, ok := doc.Content.(*playbook.Document); ok {
			p, whole := r.Programs[i], r.Programs[i] != nil
			if p == nil {
				p = drawable(resolver, content)
			}
			if p != nil {
				x.Parameters = p.Parameters
				x.Drawing = &Drawing{Layout: graph.New(p, nil), Whole: whole}
				x.Drawing.Parts, _ = edit.Outline(d.File, d.Text, doc.Index) // it was read a moment ago; without places it is drawn all the same
			}
		}
		out = append(out, x)
	}
	return out, r.Findings
}

// drawable compiles what there is.
func drawable(r *compiler.Resolver, d *playbook.Document) *program.Program {
	if d.Body != nil {
		one := *d
		one.Steps = []*playbook.Step{d.Body}
		d = &one
	}
	return r.Draft(d)
}

// Format writes the text in its canonical form: see package format.
func (d *Draft) Format() ([]byte, []document.Finding) { return format.Source(d.File, d.Text) }

// Request is what a plan is made with.
type Request struct {
	Name     string // of the playbook; "" is the first one of the text
	Params   map[string]any
	Event    map[string]any
	Metadata map[string]any
	Guards   []guard.Spec
	By       string
	Now      time.Time
}

// Plan says what a run of the text would do: see package plan. Errors in the text are one error.
func (d *Draft) Plan(q Request) (*plan.Plan, error) {
	r := lint.New(d.actions, d.library).File(d.File, d.Text)
	if err := document.Fault(r.Findings); err != nil {
		return nil, err
	}
	var names []string
	for i, p := range r.Programs {
		if p == nil {
			continue
		}
		name := r.Documents[i].Metadata.Name
		if q.Name != "" && q.Name != name {
			names = append(names, name)
			continue
		}
		eval := expr.New(expr.Limits{})
		bound, err := p.Bind(q.Params, q.Event, q.Metadata, eval)
		if err != nil {
			return nil, err
		}
		return plan.New(plan.Request{
			Program: p, Params: bound, Event: q.Event, Metadata: q.Metadata, By: q.By, Guards: q.Guards, Spec: d.actions.Spec, Eval: eval, Now: q.Now,
		}), nil
	}
	if len(names) > 0 {
		slices.Sort(names)
		return nil, fault.New(fault.NotFound, "the text has no playbook %q", q.Name).WithNext("it has %s", strings.Join(names, ", "))
	}
	return nil, fault.New(fault.Invalid, "the text holds no playbook").WithNext("a plan is of a document of `kind: Playbook`")
}
