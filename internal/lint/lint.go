// Package lint finds what is wrong with documents before they run: what reading and compiling refuse, and what both
// would let pass although it is surely not meant: data that is not there when it is used, secrets that get out, effects
// that nobody looks after.
//
// It reports everything at once, in the order of the file, each finding with its place, the line and what to do. It is
// pure: no I/O but what the Source does. It never prints a secret that it found. It never changes what a document means:
// only errors keep one from running, and the severity of a rule depends on the dialect, because documents of the older
// one ran in their day and must run again.
//
// A comment `# tend:allow RULE reason` silences one rule on its line, on the next one when it stands alone, or, at the
// head of a step, in the whole step.
package lint

import (
	"github.com/tendhq/tend/internal/compiler"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/language"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/trigger"
)

// Linter checks files. It is safe for concurrent use, so that one serves a whole repository.
type Linter struct {
	resolver  *compiler.Resolver
	source    document.Source // nil: nobody knows other documents
	evaluator *expr.Evaluator
	rules     map[string]Rule
}

// New makes a linter that knows the catalog's actions and the documents of the source, which may be nil.
func New(c contract.Catalog, s document.Source) *Linter {
	l := &Linter{resolver: compiler.NewResolver(c, s), source: s, evaluator: expr.New(expr.Limits{}), rules: map[string]Rule{}}
	for _, r := range Rules() {
		l.rules[r.Name] = r
	}
	return l
}

// Result is what a file holds.
type Result struct {
	Documents []*document.Document
	// Programs are the compiled playbooks, nil for other kinds of documents and for what does not compile; one for each
	// of Documents.
	Programs []*program.Program
	Findings []document.Finding
}

// File reads, compiles and checks a file. file is for places and for what the documents name relative to themselves.
func (l *Linter) File(file string, src []byte) Result {
	docs, findings := language.Parse(file, src)
	r := Result{Documents: docs, Programs: make([]*program.Program, len(docs))}
	var leaks []leak
	for i, d := range docs {
		c := &checker{Linter: l, file: d}
		switch content := d.Content.(type) {
		case *playbook.Document:
			compiled, more := l.compile(content)
			r.Programs[i] = compiled
			findings = append(findings, more...)
			c.doc = content
			c.document()
		case *trigger.Spec:
			c.trigger(content)
		}
		findings = append(findings, c.findings...)
		leaks = append(leaks, c.leaks...)
	}
	t := newText(file, src)
	more, shapes := l.shapes(t, docs)
	findings, leaks = append(findings, more...), append(leaks, shapes...)
	findings = l.settle(findings, docs)
	findings = l.allow(t, docs, findings)
	if len(docs) == 0 {
		findings = suspect(findings)
	}
	r.Findings = redact(document.Sort(findings), leaks)
	return r
}

// compile compiles a playbook. A module is checked as if it were one; its one action stands where steps would.
func (l *Linter) compile(d *playbook.Document) (*program.Program, []document.Finding) {
	if d.Kind == document.KindPlaybook {
		return l.resolver.Compile(d)
	}
	body := *d
	if d.Body != nil {
		body.Steps = []*playbook.Step{d.Body}
	}
	_, findings := l.resolver.Compile(&body)
	return nil, findings
}

// settle gives findings of the rules in the table their severity, and drops what another finding says better.
func (l *Linter) settle(fs []document.Finding, docs []*document.Document) []document.Finding {
	dialect := expr.Strict
	if len(docs) > 0 {
		dialect = docs[0].Dialect
	}
	broken := map[document.Place]bool{}
	for _, f := range fs {
		if f.Rule == ruleBreak {
			broken[document.Place{Line: f.Place.Line, Column: f.Place.Column}] = true
		}
	}
	out := fs[:0]
	for _, f := range fs {
		if f.Rule == document.RuleScript {
			f.Severity = l.rules[f.Rule].severity(dialect)
		}
		if f.Rule == document.RuleKey && broken[document.Place{Line: f.Place.Line, Column: f.Place.Column}] {
			continue
		}
		out = append(out, f)
	}
	return out
}
