package compiler

import (
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/spelling"
)

// Resolver finds what the names in documents stand for, and remembers it. It is safe for concurrent use, so that one
// can serve the check of a whole repository; a file that changed needs a new one.
type Resolver struct {
	catalog contract.Catalog
	source  document.Source

	mu    sync.Mutex
	found map[string]*found  // by kind and name
	files map[string]*parsed // by file name
}

type parsed struct {
	docs     []*playbook.Document
	findings []document.Finding
}

type found struct {
	doc      *playbook.Document
	findings []document.Finding
	err      error
}

// NewResolver makes a resolver. A nil source knows no documents.
func NewResolver(c contract.Catalog, s document.Source) *Resolver {
	return &Resolver{catalog: c, source: s, found: map[string]*found{}, files: map[string]*parsed{}}
}

// Callee is what the `uses` of a step stands for.
type Callee struct {
	// Spec is the action's or verb's; of a module, what its interface makes (see ModuleSpec).
	Spec contract.Spec
	// Alias is set where a name of the older dialect stands for the action.
	Alias *contract.Alias
	// Module is the `kind: Step`, with what is wrong with its document.
	Module   *playbook.Document
	Findings []document.Finding
	// Program is set where a well-known image of the older dialect stands for a program, and Image for any other image.
	Program []string
	Image   string
}

// Callee finds what a step uses; from is the file of the step. The error is fault.NotFound when the name means nothing,
// with a suggestion, or why the document behind it could not be had.
func (r *Resolver) Callee(s *playbook.Step, from string) (Callee, error) {
	if s.Legacy {
		return r.legacy(s.Uses, from)
	}
	if document.IsPath(s.Uses) {
		return r.module(s.Uses, from)
	}
	if spec, ok := r.catalog.Spec(s.Uses); ok {
		return Callee{Spec: spec}, nil
	}
	c, err := r.module(s.Uses, from)
	if !fault.Is(err, fault.NotFound) {
		return c, err
	}
	e := fault.New(fault.NotFound, "there is no action, verb or module called `%s`", s.Uses)
	if _, _, ok := r.catalog.Alias(s.Uses); ok {
		spec, _, _ := r.catalog.Alias(s.Uses)
		return Callee{}, e.WithNext("that is a name of the older dialect: use `%s`", spec.Name)
	}
	if near := spelling.Nearest(s.Uses, append(r.catalog.Names(), r.names(document.KindModule)...)); near != "" {
		return Callee{}, e.WithNext("did you mean `%s`?", near)
	}
	return Callee{}, e.WithNext("`tend actions list` shows the actions; a module is a document of `kind: Step` in this repository")
}

// legacy resolves a name of the older dialect: a module, an alias, a program of a well-known image, else an image.
func (r *Resolver) legacy(name, from string) (Callee, error) {
	bare := strings.TrimPrefix(name, Registry)
	if i := strings.LastIndexByte(bare, ':'); i > strings.LastIndexByte(bare, '/') {
		bare = bare[:i]
	}
	for _, n := range slices.Compact([]string{name, bare}) {
		if c, err := r.module(n, from); !fault.Is(err, fault.NotFound) {
			return c, err
		}
	}
	if spec, alias, ok := r.catalog.Alias(name); ok {
		return Callee{Spec: spec, Alias: &alias}, nil
	}
	if program, ok := programs[strings.TrimPrefix(bare, "docker.io/")]; ok {
		if spec, ok := r.catalog.Spec("shell"); ok {
			return Callee{Spec: spec, Program: []string{program}}, nil
		}
	}
	spec, _ := r.catalog.Spec("container")
	return Callee{Spec: spec, Image: name}, nil
}

// Registry is where the steps of the older dialect were kept; their names work with and without it.
const Registry = "us-docker.pkg.dev/stackpulse/public/"

// programs are images whose entry point is one program: a step of the older dialect that names one runs the program on
// its runner, with the step's arguments.
var programs = map[string]string{
	"amazon/aws-cli":              "aws",
	"bitnami/kubectl":             "kubectl",
	"rancher/kubectl":             "kubectl",
	"hashicorp/terraform":         "terraform",
	"alpine/helm":                 "helm",
	"alpine/git":                  "git",
	"curlimages/curl":             "curl",
	"mikefarah/yq":                "yq",
	"mcr.microsoft.com/azure-cli": "az",
}

func (r *Resolver) module(name, from string) (Callee, error) {
	f := r.document(document.KindModule, name, from)
	if f.err != nil {
		return Callee{}, f.err
	}
	return Callee{Spec: ModuleSpec(f.doc), Module: f.doc, Findings: f.findings}, nil
}

// Playbook finds a playbook by name or path.
func (r *Resolver) Playbook(name, from string) (*playbook.Document, []document.Finding, error) {
	f := r.document(document.KindPlaybook, name, from)
	return f.doc, f.findings, f.err
}

func (r *Resolver) names(kind document.Kind) []string {
	if r.source == nil {
		return nil
	}
	return r.source.Names(kind)
}

func (r *Resolver) document(kind document.Kind, name, from string) *found {
	key := string(kind) + " " + spelling.Fold(name)
	if document.IsPath(name) {
		key = string(kind) + " " + path.Dir(from) + "\x00" + name
	}
	return remember(r, r.found, key, func() *found { return r.read(kind, name, from) })
}

// remember gives what is known under a key, or finds it out without holding the lock. Whoever was quicker counts, so
// that one document stays one pointer.
func remember[T any](r *Resolver, known map[string]*T, key string, find func() *T) *T {
	r.mu.Lock()
	v, ok := known[key]
	r.mu.Unlock()
	if ok {
		return v
	}
	v = find()
	r.mu.Lock()
	defer r.mu.Unlock()
	if first, ok := known[key]; ok {
		return first
	}
	known[key] = v
	return v
}

func (r *Resolver) read(kind document.Kind, name, from string) *found {
	what := "playbook"
	if kind == document.KindModule {
		what = "module"
	}
	none := fault.New(fault.NotFound, "there is no %s called `%s`", what, name)
	if document.IsPath(name) {
		none = fault.New(fault.NotFound, "there is no %s in the file %s", what, name)
	}
	if r.source == nil {
		return &found{err: none}
	}
	file, err := r.source.Find(kind, name, from)
	if err != nil {
		if !fault.Is(err, fault.NotFound) {
			return &found{err: fault.Wrap(fault.KindOf(err), err, "read the %s `%s`", what, name)}
		}
		if near := spelling.Nearest(name, r.names(kind)); near != "" && !document.IsPath(name) {
			none = none.WithNext("did you mean `%s`?", near)
		}
		return &found{err: none}
	}
	p := remember(r, r.files, file.Name, func() *parsed {
		docs, findings := playbook.Parse(file.Name, file.Content)
		return &parsed{docs, findings}
	})
	for _, d := range p.docs {
		if d.Kind == kind && (document.IsPath(name) || spelling.Same(d.Metadata.Name, name)) {
			return &found{doc: d, findings: p.findings}
		}
	}
	if document.HasErrors(p.findings) {
		return &found{err: fault.New(fault.Invalid, "%s cannot be read: %v", file.Name, document.Fault(p.findings))}
	}
	return &found{err: none}
}

// ModuleSpec describes a module as if it were a built-in action.
func ModuleSpec(d *playbook.Document) contract.Spec {
	s := contract.Spec{
		Name: d.Metadata.Name, Summary: firstSentence(d.Metadata.Description), Doc: d.Metadata.Description,
		Effect: d.Effect, Inputs: d.Inputs(), Outputs: d.OutputFields(),
	}
	for _, t := range d.Target {
		s.Targets = append(s.Targets, t.Node.Value)
	}
	return s
}

func firstSentence(s string) string {
	s = strings.TrimSpace(s)
	if i := strings.Index(s, ". "); i >= 0 {
		return s[:i+1]
	}
	first, _, _ := strings.Cut(s, "\n")
	return first
}

// InputName finds the input that an environment variable of the older dialect stands for: by the alias, else by its name
// without regard to case, - and _.
func InputName(env string, a *contract.Alias, fields []contract.Field) (string, bool) {
	if a != nil {
		if name, ok := a.Inputs[env]; ok {
			return name, true
		}
	}
	want := bare(env)
	for i := range fields {
		if bare(fields[i].Name) == want {
			return fields[i].Name, true
		}
	}
	return "", false
}

func bare(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '_' || r == '-':
			return -1
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		default:
			return r
		}
	}, s)
}

// EngineEnv tells the environment variables of the older dialect that were the engine's own, not inputs.
func EngineEnv(name string) bool { return name == "SP_FORMATTER" || name == "SP_REDIRECT_URL" }

// aliasOutput makes an expression over {result} of what an alias says about an output.
func aliasOutput(s string) expr.Expr {
	switch {
	case document.IsTemplate(s):
		return expr.Expr{Kind: expr.Template, Source: s}
	case s == "." || s == "":
		return expr.Expr{Kind: expr.Path, Source: "result"}
	default:
		return expr.Expr{Kind: expr.Path, Source: "result." + strings.TrimPrefix(s, ".")}
	}
}
