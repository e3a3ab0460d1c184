package web_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/testenv"
)

// TestTheMatrix: web/e2e/README.md says by which test each sentence about the page is proved. Every row names one, and every
// one that is named is there.
func TestTheMatrix(t *testing.T) {
	t.Parallel()
	house := filepath.Join(testenv.Root(t), "web", "e2e")
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(house, name))
		if err != nil {
			t.Error(err)
		}
		return string(b)
	}
	var (
		title = regexp.MustCompile("\\btest\\((?:'((?:[^'\\\\]|\\\\.)*)'|`([^`]*)`|\"([^\"]*)\")")
		hole  = regexp.MustCompile(`\$\{[^}]*\}`)
		proof = regexp.MustCompile("^`([a-z]+\\.test\\.mjs)`: (.+)$")
		tests = map[string][]string{} // by file
	)
	rows := 0
	for line := range strings.Lines(read("README.md")) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if !strings.HasPrefix(line, "|") || len(cells) != 2 || strings.Trim(cells[0], " -") == "" || strings.TrimSpace(cells[0]) == "what" {
			if strings.HasPrefix(line, "|") && len(cells) != 2 {
				t.Errorf("not two cells: %s", line)
			}
			continue
		}
		rows++
		what := strings.TrimSpace(cells[0])
		for part := range strings.SplitSeq(cells[1], "<br>") {
			part = strings.TrimSpace(part)
			m := proof.FindStringSubmatch(part)
			if m == nil {
				t.Errorf("%s: %q names no test", what, part)
				continue
			}
			file, name := m[1], m[2]
			if tests[file] == nil {
				tests[file] = []string{}
				for _, m := range title.FindAllStringSubmatch(read(file), -1) {
					tests[file] = append(tests[file], strings.ReplaceAll(hole.ReplaceAllString(m[1]+m[2]+m[3], "…"), `\'`, `'`))
				}
			}
			found := false
			for _, have := range tests[file] {
				found = found || have == name
			}
			if !found {
				t.Errorf("%s: there is no test %q in %s", what, name, file)
			}
		}
	}
	if rows < 60 {
		t.Errorf("the table has %d rows", rows)
	}
}
