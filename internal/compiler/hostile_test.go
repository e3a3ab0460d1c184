package compiler_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/compiler"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/language"
	"github.com/tendhq/tend/internal/playbook"
)

const head = "apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: h}\nsteps:\n  - {uses: shell, with: {script: 'true'}}\n"

// Includes that double on each level would give an endless closure.
func TestCallBomb(t *testing.T) {
	t.Parallel()
	var files []document.File
	for i := range 15 {
		for _, side := range []string{"l", "r"} {
			name := fmt.Sprintf("%s%d.yaml", side, i)
			if name == "l0.yaml" {
				name = "playbook.yaml"
			}
			src := fmt.Sprintf("apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: %s%d}\nsteps:\n  - {uses: playbook, with: {name: l%d}}\n  - {uses: playbook, with: {name: r%d}}\n", side, i, i+1, i+1)
			if i == 14 {
				src = strings.Replace(head, "name: h", fmt.Sprintf("name: %s14", side), 1)
			}
			files = append(files, document.File{Name: name, Content: []byte(src)})
		}
	}
	_, findings := compileFiles(files)
	if len(findings) == 0 || findings[0].Rule != document.RuleSize {
		t.Errorf("doubling includes: %v", findings)
	}

	deep := []document.File{}
	for i := range 40 {
		name := fmt.Sprintf("d%d.yaml", i)
		if i == 0 {
			name = "playbook.yaml"
		}
		src := fmt.Sprintf("apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: d%d}\nsteps:\n  - {uses: playbook, with: {name: d%d}}\n", i, i+1)
		deep = append(deep, document.File{Name: name, Content: []byte(src)})
	}
	if _, findings := compileFiles(deep); len(findings) != 1 || findings[0].Rule != document.RuleRecursion {
		t.Errorf("deep includes: %v", findings)
	}
}

func FuzzParse(f *testing.F) {
	for _, folder := range []string{"compile", "findings"} {
		for _, fix := range fixtures(f, folder) {
			for _, s := range fix.sources() {
				f.Add(s.Content)
			}
		}
	}
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("{{{{"))
	c := newCatalog()
	f.Fuzz(func(t *testing.T, src []byte) {
		docs, findings := language.Parse("f.yaml", src)
		lines := bytes.Count(src, []byte{'\n'}) + 1
		for _, f := range findings {
			if f.Message == "" || f.Rule == "" || f.Place.Line > lines || f.Place.File == "" {
				t.Errorf("a poor finding: %+v", f)
			}
		}
		for _, d := range docs {
			book, ok := d.Content.(*playbook.Document)
			if !ok || d.Kind != document.KindPlaybook || document.HasErrors(findings) {
				continue
			}
			p, findings := compiler.Compile(book, c, document.NewLibrary([]document.File{{Name: "f.yaml", Content: src}}))
			if p == nil {
				if !document.HasErrors(findings) {
					t.Error("neither a program nor an error")
				}
				continue
			}
			roundTrip(t, p)
		}
	})
}
