package proof_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/testenv"
)

// TestEveryBadDayHasItsTests: what docs/hostile.md names is there, and every row names something.
func TestEveryBadDayHasItsTests(t *testing.T) {
	t.Parallel()
	root := testenv.Root(t)
	doc, err := os.ReadFile(filepath.Join(root, "docs", "hostile.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`([a-z/0-9]+) ((?:Test|Fuzz)[A-Za-z0-9]+|[a-z_/]+\\.txtar)`")
	sources := map[string]string{}
	source := func(pkg string) string {
		if text, ok := sources[pkg]; ok {
			return text
		}
		files, err := filepath.Glob(filepath.Join(root, "internal", filepath.FromSlash(pkg), "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		var all strings.Builder
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(b)
		}
		sources[pkg] = all.String()
		return sources[pkg]
	}
	rows := 0
	for line := range strings.Lines(string(doc)) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| what") {
			continue
		}
		rows++
		cells := strings.Split(line, "|")
		found := named.FindAllStringSubmatch(cells[2], -1)
		if want := strings.Count(cells[2], "`") / 2; len(found) == 0 || len(found) != want {
			t.Errorf("%s: %d names, and %d are tests", strings.TrimSpace(cells[1]), want, len(found))
		}
		for _, m := range found {
			if strings.HasSuffix(m[2], ".txtar") {
				dir := "script"
				if strings.Contains(m[2], "/") {
					dir = ""
				}
				if _, err := os.Stat(filepath.Join(root, "internal", m[1], "testdata", dir, filepath.FromSlash(m[2]))); err != nil {
					t.Errorf("%s: there is no script %s", strings.TrimSpace(cells[1]), m[2])
				}
			} else if !strings.Contains(source(m[1]), "func "+m[2]+"(") {
				t.Errorf("%s: there is no %s %s", strings.TrimSpace(cells[1]), m[1], m[2])
			}
		}
	}
	if rows < 25 {
		t.Errorf("only %d rows were read", rows)
	}
}
