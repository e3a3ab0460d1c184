// Package repository finds playbooks on disk: the file that a person names, and the documents that it names in turn.
//
// A repository is the directory with tend.yaml, looked for from the file (or the working directory) upwards. Its
// playbooks stand in `playbooks/` and `examples/`, or where tend.yaml says. A file without such a directory above it is
// its own repository: its folder and what is below.
//
// It reads and never writes. Files are read when they are needed, and only as far as a document may be large.
package repository

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/language"
	"github.com/tendhq/tend/internal/spelling"
)

// Marker is the file whose directory is a repository.
const Marker = "tend.yaml"

// Settings are the content of tend.yaml. The zero value means the defaults.
type Settings struct {
	// Playbooks are the folders that hold documents. Default: playbooks and examples.
	Playbooks []string `yaml:"playbooks"`
}

// The bounds of a walk: a repository is made of documents, not of a disk.
const (
	maxFiles = 20_000
	maxDepth = 20
)

// Repo is a repository. It implements document.Source and is safe for concurrent use.
type Repo struct {
	Root   string // absolute
	Marked bool   // there is a tend.yaml
	set    Settings
	base   string // names of files are relative to it: the working directory

	once    sync.Once
	library *document.Library
	files   []document.File
	err     error
}

// Open finds the repository around start, a file or directory.
func Open(start string) (*Repo, error) {
	abs, err := filepath.Abs(start)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "find the working directory")
	}
	base, err := os.Getwd()
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "find the working directory")
	}
	dir := abs
	if info, err := os.Stat(abs); err != nil || !info.IsDir() {
		dir = filepath.Dir(abs)
	}
	for d := dir; ; d = filepath.Dir(d) {
		name := filepath.Join(d, Marker)
		b, err := readFile(name)
		if err == nil {
			r := &Repo{Root: d, Marked: true, base: base}
			return r, r.settings(name, b)
		}
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
			return nil, fault.Wrap(fault.Unavailable, err, "read %s", name)
		}
		if d == filepath.Dir(d) {
			return &Repo{Root: dir, base: base}, nil
		}
	}
}

func (r *Repo) settings(name string, b []byte) error {
	if onlyComments(b) {
		return nil
	}
	err := yaml.Load(b, &r.set, yaml.WithV4Defaults(), yaml.WithKnownFields(true), yaml.WithUniqueKeys(true))
	return fault.Wrap(fault.Invalid, err, "read %s", r.name(name))
}

func onlyComments(b []byte) bool {
	for line := range strings.Lines(string(b)) {
		if l := strings.TrimSpace(line); l != "" && l != "---" && !strings.HasPrefix(l, "#") {
			return false
		}
	}
	return true
}

// folders are where documents are looked for, absolute.
func (r *Repo) folders() []string {
	if !r.Marked {
		return []string{r.Root}
	}
	names := r.set.Playbooks
	if len(names) == 0 {
		names = []string{"playbooks", "examples"}
	}
	var out []string
	for _, n := range names {
		out = append(out, filepath.Join(r.Root, filepath.FromSlash(n)))
	}
	return out
}

// Home is the folder that new playbooks go to: the first of those that hold documents.
func (r *Repo) Home() string { return r.folders()[0] }

// name is how messages call a file: relative to the working directory where that is shorter.
func (r *Repo) name(abs string) string {
	rel, err := filepath.Rel(r.base, abs)
	if err != nil || len(rel) > len(abs) {
		rel = abs
	}
	return filepath.ToSlash(rel)
}

// abs is the way back from a name.
func (r *Repo) abs(name string) string {
	p := filepath.FromSlash(name)
	if !filepath.IsAbs(p) {
		p = filepath.Join(r.base, p)
	}
	return p
}

// Read reads a file by the path that a person typed.
func (r *Repo) Read(name string) (document.File, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return document.File{}, fault.Wrap(fault.Unavailable, err, "find %s", name)
	}
	b, err := readFile(abs)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return document.File{}, Absent(name)
	case err != nil:
		return document.File{}, fault.Wrap(fault.Unavailable, err, "read %s", name)
	}
	return document.File{Name: r.name(abs), Content: b}, nil
}

// readFile reads not more than a document may be large, and a byte: whoever parses it says that it is too large.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, &fs.PathError{Op: "read", Path: name, Err: errors.New("it is a directory")}
	}
	return io.ReadAll(io.LimitReader(f, document.MaxSize+1))
}

// Playbook finds the playbook that a person means: a file, or the name of a playbook of the repository.
func (r *Repo) Playbook(arg string) (document.File, error) {
	if looksLikePath(arg) {
		if info, err := os.Stat(arg); err == nil && info.IsDir() {
			name := filepath.Join(arg, "playbook.yaml")
			if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
				return document.File{}, without(arg)
			}
			return r.Read(name)
		}
		return r.Read(arg)
	}
	f, err := r.Find(document.KindPlaybook, arg, r.name(filepath.Join(r.Root, Marker)))
	if !fault.Is(err, fault.NotFound) {
		return f, err
	}
	if f, err := r.byFile(arg); err == nil {
		return f, nil
	}
	if info, err := os.Stat(arg); err == nil && info.IsDir() {
		return document.File{}, without(arg)
	}
	names := r.Names(document.KindPlaybook)
	e := fault.New(fault.NotFound, "no playbook is called %q (looked in %s)", arg, strings.Join(r.places(), ", "))
	if near := spelling.Nearest(arg, names); near != "" {
		return document.File{}, e.WithNext("did you mean %q?", near)
	}
	if len(names) > 0 {
		return document.File{}, e.WithNext("there are: %s", strings.Join(names[:min(len(names), 10)], ", "))
	}
	return document.File{}, e.WithNext("give the file, or begin a repository with `tend init`")
}

func looksLikePath(arg string) bool {
	if strings.HasSuffix(arg, ".yaml") || strings.HasSuffix(arg, ".yml") || strings.HasPrefix(arg, ".") || filepath.IsAbs(arg) {
		return true
	}
	if !strings.ContainsRune(arg, filepath.Separator) {
		info, err := os.Stat(arg)
		return err == nil && info.Mode().IsRegular()
	}
	_, err := os.Stat(arg)
	return err == nil
}

func (r *Repo) places() []string {
	var out []string
	for _, f := range r.folders() {
		out = append(out, r.name(f))
	}
	return out
}

// byFile finds playbooks/NAME.yaml and playbooks/NAME/playbook.yaml, and NAME/playbook.yaml from here.
func (r *Repo) byFile(arg string) (document.File, error) {
	if f, err := r.Read(filepath.Join(arg, "playbook.yaml")); err == nil {
		return f, nil
	}
	for _, dir := range r.folders() {
		for _, tail := range []string{arg + ".yaml", arg + ".yml", filepath.Join(arg, "playbook.yaml")} {
			if f, err := r.Read(filepath.Join(dir, tail)); err == nil {
				return f, nil
			}
		}
	}
	return document.File{}, fs.ErrNotExist
}

// Find implements document.Source.
func (r *Repo) Find(kind document.Kind, name, from string) (document.File, error) {
	if strings.HasPrefix(name, "./") || strings.HasPrefix(name, "../") || strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml") {
		p := filepath.FromSlash(name)
		if !filepath.IsAbs(p) {
			p = filepath.Join(filepath.Dir(r.abs(from)), p)
		}
		return r.Read(p)
	}
	l, err := r.load()
	if err != nil {
		return document.File{}, err
	}
	return l.Find(kind, name, from)
}

// Names implements document.Source.
func (r *Repo) Names(kind document.Kind) []string {
	l, err := r.load()
	if err != nil {
		return nil
	}
	return l.Names(kind)
}

// Files lists the documents of the repository, by name.
func (r *Repo) Files() ([]document.File, error) {
	_, err := r.load()
	return r.files, err
}

func (r *Repo) load() (*document.Library, error) {
	r.once.Do(func() {
		for _, dir := range r.folders() {
			files, err := r.walk(dir)
			if err != nil {
				r.err = err
				return
			}
			r.files = append(r.files, files...)
		}
		r.library = document.NewLibrary(r.files)
	})
	return r.library, r.err
}

// Under reads the documents below a directory that a person named.
func (r *Repo) Under(dir string) ([]document.File, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "find %s", dir)
	}
	return r.walk(abs)
}

// walk reads the documents below dir: files that end in .yaml or .yml and have an apiVersion. Hidden folders are left
// out, and so are links: they could lead anywhere.
func (r *Repo) walk(dir string) ([]document.File, error) {
	var out []document.File
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
			return nil
		case err != nil:
			return err
		}
		rel, _ := filepath.Rel(dir, p)
		hidden := strings.HasPrefix(d.Name(), ".") && rel != "."
		if d.IsDir() {
			if hidden || d.Name() == "node_modules" || strings.Count(rel, string(filepath.Separator)) > maxDepth {
				return fs.SkipDir
			}
			return nil
		}
		ext := filepath.Ext(p)
		if hidden || !d.Type().IsRegular() || (ext != ".yaml" && ext != ".yml") || d.Name() == Marker {
			return nil
		}
		if len(out) >= maxFiles {
			return fault.New(fault.Limit, "more than %d documents below %s", maxFiles, r.name(dir)).WithNext("name the folders with playbooks in %s", Marker)
		}
		b, err := readFile(p)
		if err != nil {
			return fault.Wrap(fault.Unavailable, err, "read %s", r.name(p))
		}
		if strings.Contains(string(b), "apiVersion") || len(b) > document.MaxSize {
			out = append(out, document.File{Name: r.name(p), Content: b})
		}
		return nil
	})
	slices.SortFunc(out, func(a, b document.File) int { return strings.Compare(a.Name, b.Name) })
	return out, err
}

// Guards reads the guards that hold for the playbook of a file: those of its repository or, without a tend.yaml that would
// say what belongs together, those in its own folder. A guard that cannot be read is an error: a rule that silently
// does not hold is worse than a run that does not start.
func (r *Repo) Guards(from string) ([]guard.Spec, error) {
	files, err := r.Files()
	if err != nil {
		return nil, err
	}
	var out []guard.Spec
	var problems []error
	for _, f := range files {
		if !r.Marked && path.Dir(f.Name) != path.Dir(from) {
			continue
		}
		if !bytes.Contains(f.Content, []byte(document.KindGuard)) {
			continue
		}
		docs, findings := language.Parse(f.Name, f.Content)
		for _, d := range docs {
			g, ok := d.Content.(*guard.Spec)
			if !ok {
				continue
			}
			if err := document.Fault(findings); err != nil {
				problems = append(problems, err)
				break
			}
			out = append(out, *g)
		}
	}
	return out, errors.Join(problems...)
}
