package compiler_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/compiler"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/format"
	"github.com/tendhq/tend/internal/language"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/program"
)

// fixture is a file of testdata: a sentence, documents, and what is wanted of them.
type fixture struct {
	path string
	*txtar.Archive
}

func fixtures(t testing.TB, folder string) []fixture {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", folder, "*.txtar"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no fixtures in testdata/%s: %v", folder, err)
	}
	out := make([]fixture, 0, len(paths))
	for _, p := range paths {
		a, err := txtar.ParseFile(p)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fixture{p, a})
	}
	return out
}

func (f fixture) name() string { return strings.TrimSuffix(filepath.Base(f.path), ".txtar") }

// section gives a file of the fixture.
func (f fixture) section(name string) []byte {
	for _, s := range f.Files {
		if s.Name == name {
			return s.Data
		}
	}
	return nil
}

// sources are the documents of the fixture.
func (f fixture) sources() []document.File {
	var out []document.File
	for _, s := range f.Files {
		if strings.HasSuffix(s.Name, ".yaml") && !strings.HasPrefix(s.Name, "want") {
			out = append(out, document.File{Name: s.Name, Content: s.Data})
		}
	}
	return out
}

// want compares with a section, or writes it with -update.
func (f fixture) want(t *testing.T, section string, got []byte) {
	t.Helper()
	if *update {
		f.Files = slices.DeleteFunc(f.Files, func(s txtar.File) bool { return s.Name == section })
		f.Files = append(f.Files, txtar.File{Name: section, Data: got})
		if err := os.WriteFile(f.path, txtar.Format(f.Archive), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(f.section(section)), string(got)); diff != "" {
		t.Errorf("%s (-want +got; go test -update writes it):\n%s", f.path, diff)
	}
}

// compile reads and compiles the fixture's playbook.yaml.
func (f fixture) compile() (*program.Program, []document.Finding) {
	return compileFiles(f.sources())
}

// compileFiles compiles playbook.yaml, as far as its first document is something that compiles.
func compileFiles(files []document.File) (*program.Program, []document.Finding) {
	lib := document.NewLibrary(files)
	for _, s := range files {
		if s.Name != "playbook.yaml" {
			continue
		}
		docs, findings := language.Parse(s.Name, s.Content)
		if document.HasErrors(findings) || len(docs) == 0 {
			return nil, findings
		}
		doc, ok := docs[0].Content.(*playbook.Document)
		if !ok {
			return nil, findings
		}
		p, more := compiler.Compile(doc, newCatalog(), lib)
		return p, document.Sort(append(findings, more...))
	}
	return nil, nil
}

// show prints a program for people: its closure as YAML, with expressions on one line.
func show(t *testing.T, p *program.Program) []byte {
	t.Helper()
	closure, _, err := p.Closure()
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(closure, &v); err != nil {
		t.Fatal(err)
	}
	b, err := yaml.Dump(brief(v), yaml.WithLineWidth(-1))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func brief(v any) any {
	switch x := v.(type) {
	case []any:
		for i := range x {
			x[i] = brief(x[i])
		}
	case map[string]any:
		if s, ok := x["scalar"]; ok && len(x) == 1 {
			return brief(s)
		}
		switch kind := x["kind"]; kind {
		case "template", "cel", "path":
			return fmt.Sprintf("%s: %s", kind, x["source"])
		case "literal":
			return x["lit"]
		}
		for k := range x {
			x[k] = brief(x[k])
		}
	}
	return v
}

func TestCompile(t *testing.T) {
	t.Parallel()
	for _, f := range fixtures(t, "compile") {
		t.Run(f.name(), func(t *testing.T) {
			t.Parallel()
			p, findings := f.compile()
			if p == nil {
				t.Fatalf("does not compile: %v", findings)
			}
			var b bytes.Buffer
			for _, f := range findings {
				fmt.Fprintln(&b, f)
			}
			b.Write(show(t, p))
			f.want(t, "want", b.Bytes())
			roundTrip(t, p)
		})
	}
}

// TestFindings shows each mistake as people see it: all of a file at once, with place and remedy.
func TestFindings(t *testing.T) {
	t.Parallel()
	for _, f := range fixtures(t, "findings") {
		t.Run(f.name(), func(t *testing.T) {
			t.Parallel()
			_, findings := f.compile()
			var b strings.Builder
			for _, f := range findings {
				fmt.Fprintf(&b, "%s\n", f)
				if f.SourceLine != "" && f.Place.Column > 0 {
					end := max(f.Place.EndColumn, f.Place.Column+1)
					fmt.Fprintf(&b, "    %s\n    %s%s\n", f.SourceLine, strings.Repeat(" ", f.Place.Column-1), strings.Repeat("^", end-f.Place.Column))
				}
			}
			f.want(t, "want", []byte(b.String()))
		})
	}
}

// TestCanonicalForm formats the documents of every fixture: the program that they compile to stays the same, but for the
// lines.
func TestCanonicalForm(t *testing.T) {
	t.Parallel()
	for _, f := range fixtures(t, "compile") {
		t.Run(f.name(), func(t *testing.T) {
			t.Parallel()
			was, _ := f.compile()
			files := f.sources()
			for i := range files {
				out, findings := format.Source(files[i].Name, files[i].Content)
				if len(findings) > 0 {
					t.Fatal(findings)
				}
				files[i].Content = out
			}
			is, findings := compileFiles(files)
			if is == nil {
				t.Fatal(findings)
			}
			lines := regexp.MustCompile(`line: \d+`)
			if diff := cmp.Diff(lines.ReplaceAllString(string(show(t, was)), ""), lines.ReplaceAllString(string(show(t, is)), "")); diff != "" {
				t.Errorf("the canonical form means something else (-before +after):\n%s", diff)
			}
		})
	}
}

// The closure is what a run is pinned to: the same text gives the same bytes.
func TestClosure(t *testing.T) {
	t.Parallel()
	for _, f := range fixtures(t, "compile") {
		one, _ := f.compile()
		two, _ := f.compile()
		_, a, errA := one.Closure()
		_, b, errB := two.Closure()
		if errA != nil || errB != nil || a != b {
			t.Errorf("%s: closures differ: %v %v", f.path, errA, errB)
		}
	}
}
