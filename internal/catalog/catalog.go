// Package catalog is what is live of one revision of a repository: its playbooks compiled, its triggers in order, its guards
// and integrations, all of it checked, and nothing of it beyond what the repository may touch.
//
//	Build(files, binding, actions) → *Catalog, []document.Finding
//
// It is pure. It checks everything at once, and gives no catalog for files with an error: a revision is live as a whole or
// not at all. A Catalog is never changed, and is safe for concurrent use.
package catalog

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/compiler"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/environment"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/integration"
	"github.com/tendhq/tend/internal/lint"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/spelling"
	"github.com/tendhq/tend/internal/trigger"
	"github.com/tendhq/tend/internal/value"
)

// Binding says whose a repository is and what it may touch.
type Binding struct {
	Repository  string // how the server calls it
	Project     string // "" is default
	Environment string // "" is none
	Owner       string // the team, for playbooks that name none
	Ceiling     Ceiling
	Commit      string // of the revision; "" for a directory
	Author      string // of the commit
}

// DefaultProject is the project of what names none.
const DefaultProject = "default"

// Catalog is the checked content of one revision.
type Catalog struct {
	binding      Binding
	playbooks    []*Playbook // by name, then file
	triggers     []*trigger.Spec
	started      map[string]*Playbook      // by the trigger that starts it
	places       map[string]document.Place // by kind and name
	guards       []guard.Spec
	integrations []*integration.Spec
	modules      []Module // by name, then file
}

// Module is a reusable step that playbooks of the repository can use like an action.
type Module struct {
	contract.Spec

	Project string
	File    string
	Version string
}

// Playbook is one that can be run.
type Playbook struct {
	Name        string
	Description string
	Project     string
	Environment string
	Labels      map[string]string
	Owner       string
	File        string
	Source      string // commit:file, or the file of a directory
	Program     *program.Program
	Guards      []guard.Spec   // all of the repository, and the one that holds it within its ceiling
	Metadata    map[string]any // what templates see as metadata besides the playbook's own
	Mutates     bool           // it can change something
	Digest      string         // of what it does: the same as long as neither it nor what it calls does anything else
}

// Project is where the catalog belongs.
func (c *Catalog) Project() string { return c.binding.Project }

// Binding is what the catalog was made for.
func (c *Catalog) Binding() Binding { return c.binding }

// Playbooks lists the playbooks by name.
func (c *Catalog) Playbooks() []*Playbook { return c.playbooks }

// Triggers lists the triggers in the order in which they are asked: by file, and in it from above to below.
func (c *Catalog) Triggers() []*trigger.Spec { return c.triggers }

// Guards lists the guards that the repository declares.
func (c *Catalog) Guards() []guard.Spec { return c.guards }

// Integrations lists the connections by name.
func (c *Catalog) Integrations() []*integration.Spec { return c.integrations }

// Modules lists the reusable steps by name.
func (c *Catalog) Modules() []Module { return c.modules }

// Place tells where a document of a kind is declared: the place of its name.
func (c *Catalog) Place(kind document.Kind, name string) (document.Place, bool) {
	p, ok := c.places[placeKey(kind, name)]
	return p, ok
}

func placeKey(kind document.Kind, name string) string {
	return strings.ToLower(string(kind)) + " `" + spelling.Fold(name) + "`"
}

// Labels gives the labels of a playbook; nil when there is none of that name.
func (c *Catalog) Labels(name string) map[string]string {
	if p := c.named(name); p != nil {
		return p.Labels
	}
	return nil
}

// Playbook finds the playbook that a trigger of a project starts (by is its name) or, when there is no such trigger (any
// more), the one of a name. What is not there is fault.NotFound, with the name that was probably meant.
func (c *Catalog) Playbook(project, by, name string) (*Playbook, error) {
	if project == "" {
		project = DefaultProject
	}
	if project == c.binding.Project {
		if p := c.started[by]; p != nil && (name == "" || document.IsPath(name) || spelling.Same(p.Name, name)) {
			return p, nil
		}
		if p := c.named(name); p != nil {
			return p, nil
		}
	}
	e := fault.New(fault.NotFound, "no playbook is called %q in project %s", name, project)
	if project == c.binding.Project {
		if near := spelling.Nearest(name, c.names()); near != "" {
			return nil, e.WithNext("did you mean %q?", near)
		}
	}
	return nil, e.WithNext("`tend revisions list` shows what is live")
}

func (c *Catalog) named(name string) *Playbook {
	for _, p := range c.playbooks {
		if spelling.Same(p.Name, name) {
			return p
		}
	}
	return nil
}

func (c *Catalog) names() []string {
	out := make([]string, len(c.playbooks))
	for i, p := range c.playbooks {
		out[i] = p.Name
	}
	return out
}

// builder makes one catalog.
type builder struct {
	*Catalog

	files    map[string]document.File
	library  *document.Library
	actions  contract.Catalog
	results  map[string]lint.Result
	byDoc    map[*document.Document]*Playbook
	order    []*document.Document       // of the playbooks
	where    *environment.Spec          // nil: none
	grouped  map[int]*document.Document // guards that name a group
	findings []document.Finding
}

// Build checks the files of a revision. Those that end in .yaml or .yml are documents; others may be named by them, such as
// calendars. Names are slash paths from the root of the repository. The catalog is nil when there is an error among the
// findings.
func Build(files []document.File, b Binding, actions contract.Catalog) (*Catalog, []document.Finding) {
	if b.Project == "" {
		b.Project = DefaultProject
	}
	x := &builder{
		Catalog: &Catalog{binding: b, started: map[string]*Playbook{}, places: map[string]document.Place{}}, files: map[string]document.File{}, actions: actions,
		results: map[string]lint.Result{}, byDoc: map[*document.Document]*Playbook{}, grouped: map[int]*document.Document{},
	}
	var docs []document.File
	for _, f := range files {
		x.files[f.Name] = f
		if Document(f.Name) {
			docs = append(docs, f)
		}
	}
	slices.SortFunc(docs, func(a, b document.File) int { return strings.Compare(a.Name, b.Name) })
	x.library = document.NewLibrary(docs)
	linter := lint.New(actions, x.library)
	for _, f := range docs {
		r := linter.File(f.Name, f.Content)
		x.results[f.Name] = r
		x.findings = append(x.findings, r.Findings...)
	}
	x.collect(docs)
	x.finish()
	findings := document.Sort(x.findings)
	if document.HasErrors(findings) {
		return nil, findings
	}
	return x.Catalog, findings
}

// Document tells by its name whether a file can hold documents.
func Document(name string) bool {
	ext := path.Ext(name)
	return ext == ".yaml" || ext == ".yml"
}

// collect takes what the documents declare.
func (x *builder) collect(docs []document.File) {
	type fired struct {
		doc  *document.Document
		spec *trigger.Spec
	}
	var triggers []fired
	var where []*document.Document
	for _, f := range docs {
		r := x.results[f.Name]
		for i, d := range r.Documents {
			switch content := d.Content.(type) {
			case *playbook.Document:
				if d.Kind == document.KindPlaybook {
					x.once(d)
					x.playbook(d, r.Programs[i])
				} else {
					x.modules = append(x.modules, Module{Spec: compiler.ModuleSpec(content), Project: x.binding.Project, File: d.File, Version: d.Metadata.Version})
				}
			case *trigger.Spec:
				x.once(d)
				triggers = append(triggers, fired{d, content})
			case *guard.Spec:
				x.once(d)
				x.guard(d, content)
			case *environment.Spec:
				x.once(d)
				where = append(where, d)
			case *integration.Spec:
				x.once(d)
				x.integrations = append(x.integrations, content)
			}
		}
	}
	x.environment(where)
	x.groups()
	for _, d := range x.order {
		p, doc := x.byDoc[d], d.Content.(*playbook.Document) //nolint:errcheck,forcetypeassert // it was one a moment ago
		if p.Program != nil {
			x.within(d, doc, p.Program)
		}
	}
	for _, t := range triggers { // every playbook is known now
		x.trigger(t.doc, t.spec)
	}
	slices.SortStableFunc(x.playbooks, func(a, b *Playbook) int { return strings.Compare(a.Name, b.Name) })
	slices.SortStableFunc(x.modules, func(a, b Module) int { return strings.Compare(a.Name, b.Name) })
	slices.SortStableFunc(x.integrations, func(a, b *integration.Spec) int { return strings.Compare(a.Name, b.Name) })
}

// once reports a name that a document of the same kind has already: people, triggers and guards know them by it.
func (x *builder) once(d *document.Document) {
	if d.Metadata.Name == "" {
		return
	}
	key := placeKey(d.Kind, d.Metadata.Name)
	first, twice := x.places[key]
	k, _ := d.MetadataKeys.Key("name")
	if !twice {
		x.places[key] = d.Place(k.Value)
		return
	}
	x.find(d, document.RuleTwice, k, "rename one of them", "there is a %s called `%s` already, at %s", strings.ToLower(string(d.Kind)), d.Metadata.Name, first)
}

// find adds an error at a key of a document.
func (x *builder) find(d *document.Document, rule string, k document.Key, remedy, format string, a ...any) {
	n := k.Value
	if n == nil {
		n = d.Node
	}
	f := d.Find(rule, document.Error, n, sprintf(format, a...), remedy)
	if !slices.ContainsFunc(x.findings, func(y document.Finding) bool { return y.Rule == rule && y.Severity == f.Severity && y.Place == f.Place }) { // the linter may know it
		x.findings = append(x.findings, f)
	}
}

func (x *builder) playbook(d *document.Document, prog *program.Program) {
	p := &Playbook{
		Name: d.Metadata.Name, Description: d.Metadata.Description, Project: x.binding.Project, Environment: x.binding.Environment, Labels: d.Metadata.Labels,
		Owner: d.Metadata.Owner, File: d.File, Source: d.File, Program: prog,
	}
	if p.Owner == "" {
		p.Owner = x.binding.Owner
	}
	if x.binding.Commit != "" {
		p.Source = x.binding.Commit + ":" + d.File
	}
	x.byDoc[d] = p
	x.order = append(x.order, d)
	x.playbooks = append(x.playbooks, p)
}

// environment finds the one that the catalog is for, and puts everything into it.
func (x *builder) environment(all []*document.Document) {
	want := x.binding.Environment
	if want == "" {
		return
	}
	var names []string
	for _, d := range all {
		e, _ := d.Content.(*environment.Spec)
		if e.Name == want {
			x.where = e
			x.place(d, e)
			return
		}
		names = append(names, e.Name)
	}
	if len(all) == 0 {
		x.where = &environment.Spec{Name: want} // it binds nothing
		return
	}
	k, _ := all[0].MetadataKeys.Key("name")
	x.find(all[0], RuleEnvironment, k, spelling.Suggest(want, names), "the repository is live in the environment `%s`, and declares only others", want)
}

// groups tells guards who is in their groups, which their environment knows.
func (x *builder) groups() {
	var known map[string][]string
	if x.where != nil {
		known = x.where.Groups
	}
	for i, d := range x.grouped {
		g, ok := x.guards[i].In(known)
		if x.guards[i] = g; ok {
			continue
		}
		k := inside(d, g.Rule(), "group")
		if x.binding.Environment == "" {
			x.find(d, RuleGroup, k, "say `environment:` of the repository in the server's configuration, or `members:` here", "nobody says who is in the group `%s`: its repository is live in no environment", g.Group())
			continue
		}
		remedy := spelling.Suggest(g.Group(), slices.Sorted(maps.Keys(known)))
		x.find(d, RuleGroup, k, cmp.Or(remedy, "add it below `groups:`"), "the environment `%s` does not say who is in the group `%s`", x.binding.Environment, g.Group())
	}
}

// guard takes a guard, with the calendar beside it.
func (x *builder) guard(d *document.Document, g *guard.Spec) {
	own := *g
	if env := x.binding.Environment; env != "" && len(own.Select.Environments) == 0 {
		own.Select.Environments = []string{env}
	}
	if f := own.Freeze; f != nil && f.Calendar != "" {
		freeze := *f
		name := path.Join(path.Dir(d.File), freeze.Calendar)
		file, ok := x.files[name]
		k := inside(d, "freeze", "calendar")
		switch {
		case !ok:
			x.find(d, RuleCalendar, k, "put the file beside the guard", "there is no calendar %s", name)
		default:
			if err := checkCalendar(file.Content, freeze.Zone); err != nil {
				x.find(d, RuleCalendar, k, "it must be an iCalendar file (RFC 5545)", "the calendar %s cannot be read: %v", name, err)
			}
			freeze.Events = string(file.Content)
		}
		own.Freeze = &freeze
	}
	if g.Group() != "" {
		x.grouped[len(x.guards)] = d
	}
	x.guards = append(x.guards, own)
}

// finish fills in what playbooks have in common, when all of it is known.
func (x *builder) finish() {
	b := x.binding
	guards := slices.Clone(x.guards)
	if f, ok := b.fence(); ok {
		guards = append(guards, f)
	}
	for _, p := range x.playbooks {
		p.Guards = guards
		p.Metadata = map[string]any{"file": p.File, "project": p.Project}
		for k, v := range map[string]string{"repository": b.Repository, "commit": b.Commit, "author": b.Author, "environment": p.Environment} {
			if v != "" {
				p.Metadata[k] = v
			}
		}
		if p.Program != nil {
			p.Mutates = mutates(p.Program, map[*program.Program]bool{})
			p.Digest = digest(p.Program)
		}
	}
}

// mutates tells whether anything in a program can change something.
func mutates(p *program.Program, seen map[*program.Program]bool) bool {
	if seen[p] {
		return false
	}
	seen[p] = true
	found := false
	each(p, func(n *program.Node) {
		found = found || n.Kind == program.KindAction && n.Effect != contract.Read
	})
	for _, called := range p.Calls {
		found = found || mutates(called, seen)
	}
	return found
}

// digest names what a program does: where its steps stand, and what is written about it, does not count.
func digest(p *program.Program) string {
	closure, _, err := p.Closure()
	if err != nil {
		return ""
	}
	v, err := value.Parse(closure)
	if err != nil {
		return ""
	}
	b, err := value.Canonical(bare(v))
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// bare drops from a closure what says nothing about what is done: the metadata but its name, who may ask for it, and lines.
func bare(v any) any {
	switch x := v.(type) {
	case map[string]any:
		out := maps.Clone(x)
		if _, node := x["kind"]; node {
			delete(out, "line")
		}
		if m, ok := x["metadata"].(map[string]any); ok {
			if _, program := x["language"]; program {
				out["metadata"] = m["name"]
				delete(out, "offer")
			}
		}
		for k, e := range out {
			out[k] = bare(e)
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = bare(x[i])
		}
		return out
	default:
		return v
	}
}
