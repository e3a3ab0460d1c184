// Package source finds the playbook that a person means, compiles it, and says what is wrong with it.
package source

import (
	"cmp"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/compiler"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/language"
	"github.com/tendhq/tend/internal/lint"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/repository"
	"github.com/tendhq/tend/internal/spelling"
)

// Compiled is a playbook that was found and compiled, with the repository around it.
type Compiled struct {
	Program *program.Program
	File    document.File
	Repo    *repository.Repo
	Catalog *action.Set
}

// Compile finds the playbook that a person means and compiles it. Errors in it come all at once.
func Compile(p *frame.Process, arg string) (*Compiled, error) {
	catalog, err := app.Actions()
	if err != nil {
		return nil, err
	}
	repo, err := repository.Open(startOf(arg))
	if err != nil {
		return nil, err
	}
	c := &Compiled{Repo: repo, Catalog: catalog}
	if arg == "-" {
		b, err := io.ReadAll(io.LimitReader(p.In, document.MaxSize+1))
		if err != nil {
			return nil, fault.Wrap(fault.Unavailable, err, "read standard input")
		}
		c.File = document.File{Name: "stdin", Content: b}
	} else if c.File, err = repo.Playbook(arg); err != nil {
		return nil, err
	}
	docs, findings := language.Parse(c.File.Name, c.File.Content)
	doc, err := onePlaybook(docs, c.File.Name, arg)
	if err != nil {
		return nil, cmp.Or(document.Fault(findings), err)
	}
	program, more := compiler.Compile(doc, catalog, repo)
	if err := document.Fault(document.Sort(append(findings, more...))); err != nil {
		return nil, err
	}
	program.Source = c.File.Name
	c.Program = program
	return c, nil
}

// Refuse gives the errors that `tend lint` finds in the playbook's file: what is known to be wrong is not run. Warnings
// and advice are not its business.
func (c *Compiled) Refuse() error {
	return document.Fault(lint.New(c.Catalog, c.Repo).File(c.File.Name, c.File.Content).Findings)
}

// startOf tells from where the repository of a playbook is looked for: from its file or folder, and, when it is meant by
// its name, from the working directory.
func startOf(arg string) string {
	info, err := os.Stat(arg)
	if err != nil {
		return "."
	}
	if info.IsDir() {
		if _, err := os.Stat(filepath.Join(arg, "playbook.yaml")); err != nil {
			return "."
		}
	}
	return arg
}

// onePlaybook gives the playbook of a file. A file with several must be told apart by name.
func onePlaybook(docs []*document.Document, file, arg string) (*playbook.Document, error) {
	var found []*playbook.Document
	var names []string
	for _, d := range docs {
		if p, ok := d.Content.(*playbook.Document); ok && d.Kind == document.KindPlaybook {
			found = append(found, p)
			names = append(names, d.Metadata.Name)
			if spelling.Same(d.Metadata.Name, arg) {
				return p, nil
			}
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return nil, fault.New(fault.Invalid, "%s holds no playbook", file).WithNext("begin it with `apiVersion: tend/v1` and `kind: Playbook`")
	default:
		return nil, fault.New(fault.Invalid, "%s holds %d playbooks", file, len(found)).WithNext("say which by name: %s", strings.Join(names, ", "))
	}
}
