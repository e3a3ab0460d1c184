package lint_test

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/graph"
	"github.com/tendhq/tend/internal/lint"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/testenv"
)

// fault is what is really wrong with a document of the corpus: the rule, and a part of the line.
type fault struct{ rule, line string }

// corpusFaults are the faults that a person finds when reading the documents. The linter has to find them, and no others
// besides those that say which actions are not there.
func corpusFaults() map[string][]fault {
	return map[string][]fault{
		"kubernetes/job-failed/playbook.yaml": {
			{document.RuleKey, "Description: Name of the specific job"},
			{"default-answer", "DEFAULT_RESPONSE: 'Delete'"},
			{"duplicate-id", "id: kubectl_delete"},
			{"duplicate-id", "id: slack_send_dynamic_message"},
		},
		"postgres/long-running-sessions/playbook.yaml": {
			{"unused-parameter", "name: waitTimeoutSeconds"},
			{"maybe-missing", "$.choose_sessions.selected_responses[0]"},
			{"other-runner", "psql/query/terminate"},
			{"undeclared-parameter", "waitUntilTerminateSeconds"},
			{document.RuleScript, "json.loads("},
			{"duplicate-id", "id: send_query_snippet"},
		},
	}
}

// TestCorpus checks the documents of the older dialect that TEND_CORPUS points to: real ones, which must run as they
// stand, with warnings at their real faults.
func TestCorpus(t *testing.T) {
	t.Parallel()
	root := testenv.Corpus(t)
	l := lint.New(newCatalog(t), nil)
	left := corpusFaults()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".yaml" {
			return err
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		r := l.File(name, src)
		for _, f := range r.Findings {
			if f.Severity == document.Error {
				t.Errorf("an error keeps %s from running: %s", name, f)
			}
			if f.Rule == document.RuleAction || f.Rule == document.RuleInput { // depend on which actions are there
				continue
			}
			i := slices.IndexFunc(left[name], func(w fault) bool { return w.rule == f.Rule && strings.Contains(f.SourceLine, w.line) })
			if i < 0 {
				t.Errorf("nothing is wrong there: %s\n%s", f, f.SourceLine)
				continue
			}
			left[name] = slices.Delete(left[name], i, i+1)
		}
		for i, p := range r.Programs {
			if p == nil {
				if r.Documents[i].Kind == document.KindPlaybook {
					t.Errorf("%s does not compile", name)
				}
				continue
			}
			for _, draw := range []func(io.Writer, *program.Program) error{
				func(w io.Writer, p *program.Program) error { return graph.Text(w, p, graph.TextOptions{}) },
				func(w io.Writer, p *program.Program) error { return graph.Mermaid(w, p, nil) },
				func(w io.Writer, p *program.Program) error { return graph.Dot(w, p, nil) },
				func(w io.Writer, p *program.Program) error { return graph.SVG(w, p, nil) },
			} {
				if err := draw(io.Discard, p); err != nil {
					t.Errorf("%s does not draw: %v", name, err)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, faults := range left {
		for _, f := range faults {
			t.Errorf("%s: %s is not found at %q", name, f.rule, f.line)
		}
	}
}
