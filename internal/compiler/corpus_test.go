package compiler_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/tendhq/tend/internal/compiler"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/language"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/testenv"
)

// TestCorpus reads the documents of the older dialect that TEND_CORPUS points to: real ones, which must run as they
// stand.
func TestCorpus(t *testing.T) {
	t.Parallel()
	root := testenv.Corpus(t)
	read := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".yaml" {
			return err
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		read++
		docs, findings := language.Parse(path, src)
		if len(docs) != 1 {
			t.Errorf("%s: %d documents", path, len(docs))
		}
		for _, f := range findings {
			t.Log(f)
		}
		if document.HasErrors(findings) {
			t.Errorf("%s does not parse", path)
		}
		for _, d := range docs {
			book, ok := d.Content.(*playbook.Document)
			if !ok || d.Kind != document.KindPlaybook {
				continue
			}
			p, findings := compiler.Compile(book, newCatalog(), nil)
			for _, f := range findings {
				t.Log(f)
			}
			if p == nil {
				t.Errorf("%s does not compile", path)
				continue
			}
			roundTrip(t, p)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if read == 0 {
		t.Fatalf("no document below %s", root)
	}
}
