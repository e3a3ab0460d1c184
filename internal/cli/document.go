package cli

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/compiler"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/language"
	"github.com/tendhq/tend/internal/lint"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/repository"
	"github.com/tendhq/tend/internal/spelling"
	"github.com/tendhq/tend/internal/value"
)

// compiled is a playbook that was found and compiled, with the repository around it.
type compiled struct {
	program *program.Program
	file    document.File
	repo    *repository.Repo
	catalog *action.Set
}

// compile finds the playbook that a person means and compiles it. Errors in it come all at once.
func (p *process) compile(arg string) (*compiled, error) {
	catalog, err := app.Actions()
	if err != nil {
		return nil, err
	}
	repo, err := repository.Open(startOf(arg))
	if err != nil {
		return nil, err
	}
	c := &compiled{repo: repo, catalog: catalog}
	if arg == "-" {
		b, err := io.ReadAll(io.LimitReader(p.In, document.MaxSize+1))
		if err != nil {
			return nil, fault.Wrap(fault.Unavailable, err, "read standard input")
		}
		c.file = document.File{Name: "stdin", Content: b}
	} else if c.file, err = repo.Playbook(arg); err != nil {
		return nil, err
	}
	docs, findings := language.Parse(c.file.Name, c.file.Content)
	doc, err := onePlaybook(docs, c.file.Name, arg)
	if err != nil {
		return nil, cmp.Or(document.Fault(findings), err)
	}
	program, more := compiler.Compile(doc, catalog, repo)
	if err := document.Fault(document.Sort(append(findings, more...))); err != nil {
		return nil, err
	}
	program.Source = c.file.Name
	c.program = program
	return c, nil
}

// refuse gives the errors that `tend lint` finds in the playbook's file: what is known to be wrong is not run. Warnings
// and advice are not its business.
func (c *compiled) refuse() error {
	return document.Fault(lint.New(c.catalog, c.repo).File(c.file.Name, c.file.Content).Findings)
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

// readData reads a JSON or YAML document from a file, or from standard input when the name is -.
func (p *process) readData(name string) (any, error) {
	b, err := p.readFile(name, maxData)
	if err != nil {
		return nil, err
	}
	if err := readable(name, b); err != nil {
		return nil, err
	}
	if t := bytes.TrimSpace(b); len(t) > 0 && (t[0] == '{' || t[0] == '[') {
		// What begins like JSON may still be YAML in flow style.
		v, err := value.Parse(t)
		if err == nil {
			return v, nil
		}
		if strings.HasSuffix(name, ".json") {
			return nil, fault.Wrap(fault.Invalid, err, "read %s", name)
		}
	}
	var v any
	if err := yaml.Load(b, &v, yaml.WithV4Defaults(), yaml.WithUniqueKeys(true)); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "read %s", name)
	}
	n, err := value.Normalize(v)
	return n, fault.Wrap(fault.Invalid, err, "read %s", name)
}

// readable refuses what is no text, with the place: a reader that replaced such bytes would lose what they were.
func readable(name string, b []byte) error {
	if len(bytes.TrimSpace(b)) == 0 {
		return fault.New(fault.Invalid, "%s is empty", name).WithNext("an empty mapping is {}")
	}
	line := 1
	for at := 0; at < len(b); {
		r, size := utf8.DecodeRune(b[at:])
		switch {
		case r == utf8.RuneError && size == 1:
			return fault.New(fault.Invalid, "%s:%d: the byte 0x%02x is not UTF-8", name, line, b[at]).WithNext("save it as UTF-8")
		case r == 0:
			return fault.New(fault.Invalid, "%s:%d: there is a NUL byte", name, line)
		case r == '\n':
			line++
		}
		at += size
	}
	return nil
}

// readObject reads a JSON or YAML mapping. what says what it is for.
func (p *process) readObject(name, what string) (map[string]any, error) {
	if name == "" {
		return nil, nil
	}
	v, err := p.readData(name)
	if err != nil {
		return nil, err
	}
	switch m := v.(type) {
	case map[string]any:
		return m, nil
	case nil:
		return map[string]any{}, nil
	default:
		return nil, fault.New(fault.Invalid, "%s is no %s: it holds %s, not a mapping", name, what, kindOf(v))
	}
}

// maxData bounds events and parameters.
const maxData = 16 << 20

func (p *process) readFile(name string, most int64) ([]byte, error) {
	r := p.In
	if name != "-" {
		f, err := os.Open(name)
		if os.IsNotExist(err) {
			return nil, repository.Absent(name)
		}
		if err != nil {
			return nil, fault.Wrap(fault.Unavailable, err, "read %s", name)
		}
		defer f.Close()
		r = f
	}
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "read %s", name)
	}
	if int64(len(b)) > most {
		return nil, fault.New(fault.Invalid, "%s is larger than %d MiB", name, most>>20).
			WithNext("leave large data in a file, and give its path")
	}
	return b, nil
}

func kindOf(v any) string {
	switch v.(type) {
	case []any:
		return "a list"
	case string:
		return "a text"
	case bool:
		return "a boolean"
	default:
		return fmt.Sprintf("%v", v)
	}
}

// keyValues reads what was given with a flag as key=value. A value is text; the parameter's type says what becomes of it.
// key=@file takes the text of a file.
func (p *process) keyValues(flag string, pairs []string) (map[string]any, error) {
	out := make(map[string]any, len(pairs))
	for _, kv := range pairs {
		k, v, ok := strings.Cut(kv, "=")
		if !ok || k == "" {
			return nil, fault.New(fault.Invalid, "%s %q is not key=value", flag, kv).WithNext("write %s name=value, once for each", flag)
		}
		if _, twice := out[k]; twice {
			return nil, fault.New(fault.Invalid, "%s: %q is given twice", flag, k)
		}
		if name, ok := strings.CutPrefix(v, "@"); ok && name != "" {
			b, err := p.readFile(name, maxData)
			if err != nil {
				return nil, fault.Wrap(fault.KindOf(err), err, "%s %s", flag, kv)
			}
			v = strings.TrimSuffix(string(b), "\n")
		}
		out[k] = v
	}
	return out, nil
}

// params joins the parameters of a file with those of -p, which win.
func (p *process) params(file string, pairs []string) (map[string]any, error) {
	return p.values(file, "-p", pairs)
}

// values joins what a file holds with what was given with a flag, which wins.
func (p *process) values(file, flag string, pairs []string) (map[string]any, error) {
	out, err := p.readObject(file, "set of values")
	if err != nil {
		return nil, err
	}
	given, err := p.keyValues(flag, pairs)
	if err != nil {
		return nil, err
	}
	if out == nil {
		return given, nil
	}
	for k, v := range given {
		out[k] = v
	}
	return out, nil
}
