package lint_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/tendhq/tend/internal/lint"
	"github.com/tendhq/tend/internal/playbook"
)

// TestCorpus checks the documents of the older dialect that TEND_CORPUS points to: real ones, which must run as they
// stand, with warnings at their real faults.
func TestCorpus(t *testing.T) {
	t.Parallel()
	root := os.Getenv("TEND_CORPUS")
	if root == "" {
		t.Skip("TEND_CORPUS is not set: no documents of the older dialect to check")
	}
	l := lint.New(newCatalog(t), nil)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".yaml" {
			return err
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		r := l.File(path, src)
		for _, f := range r.Findings {
			t.Log(f)
			if f.Severity == playbook.Error {
				t.Errorf("%s does not run", path)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
