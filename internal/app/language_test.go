package app_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/language"
	"github.com/tendhq/tend/internal/lint"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/testenv"
	"github.com/tendhq/tend/internal/value"
)

// languagePage reads docs/language.md.
func languagePage(t *testing.T) (file, text string) {
	t.Helper()
	file = filepath.Join(testenv.Root(t), "docs", "language.md")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return file, string(b)
}

// table gives the keys that a marker of the page names.
func table(name string) document.Table {
	action, block := playbook.StepTables()
	switch name {
	case "step":
		return action
	case "block":
		return block
	case "Playbook", "Step", "Trigger", "Guard", "Environment":
		return language.Keys(document.Kind(name))
	default:
		return language.Table(document.Form(name), expr.Strict)
	}
}

// TestLanguageTablesAreCurrent compares the tables of docs/language.md with the parser's; TEND_UPDATE=1 writes them anew.
func TestLanguageTablesAreCurrent(t *testing.T) {
	t.Parallel()
	file, text := languagePage(t)
	marker := regexp.MustCompile(`(?s)<!-- (keys: \S+|functions) -->\n.*?<!-- end -->`)
	got := marker.ReplaceAllStringFunc(text, func(part string) string {
		head, _, _ := strings.Cut(part, "\n")
		var b strings.Builder
		b.WriteString(head + "\n")
		if name, ok := strings.CutPrefix(strings.TrimSuffix(head, " -->"), "<!-- keys: "); ok {
			keys := table(name)
			if len(keys) == 0 {
				t.Errorf("there are no keys called %q", name)
			}
			b.WriteString("\n| key | |\n|---|---|\n")
			for _, k := range keys {
				fmt.Fprintf(&b, "| `%s` | %s |\n", k.Name, k.Doc)
			}
			b.WriteString("\n")
		} else {
			functions(&b)
		}
		return b.String() + "<!-- end -->"
	})
	if got == text {
		return
	}
	if os.Getenv("TEND_UPDATE") == "" {
		t.Fatal("the tables of docs/language.md are not what the parser knows: run `make update`")
	}
	if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
		t.Fatal(err)
	}
}

func functions(b *strings.Builder) {
	group := ""
	for _, f := range expr.Functions() {
		if f.Group != group {
			group = f.Group
			fmt.Fprintf(b, "\n**%s**\n\n| | |\n|---|---|\n", strings.ToUpper(group[:1])+group[1:])
		}
		fmt.Fprintf(b, "| `%s` | %s |\n", f.Usage, strings.ReplaceAll(f.Doc, "|", `\|`))
	}
	b.WriteString("\n")
}

// modules finds the modules that the page itself declares.
type modules struct {
	others
	blocks []string
}

func (m modules) Find(kind document.Kind, name, from string) (document.File, error) {
	if kind != document.KindModule {
		return m.others.Find(kind, name, from)
	}
	for i, b := range m.blocks {
		if strings.Contains(b, "kind: Step\n") && strings.Contains(b, "name: "+name+"\n") {
			return document.File{Name: fmt.Sprintf("module-%d.yaml", i), Content: []byte(b)}, nil
		}
	}
	return document.File{}, fault.New(fault.NotFound, "no module %q", name)
}

// TestLanguageExamples lints every example of the page: documents as they stand, steps within a playbook. What people
// copy must not even be warned about.
func TestLanguageExamples(t *testing.T) {
	t.Parallel()
	_, text := languagePage(t)
	set := actions(t)
	var blocks []string
	for _, m := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(text, -1) {
		blocks = append(blocks, m[1])
	}
	linter := lint.New(set, modules{blocks: blocks})
	documents, fragments := 0, 0
	for _, b := range blocks {
		src := b
		switch {
		case strings.HasPrefix(b, "apiVersion:"):
			documents++
		case strings.HasPrefix(b, "- "):
			fragments++
			src = surround(b)
		default:
			continue // data
		}
		for _, f := range linter.File("language.md", []byte(src)).Findings {
			if f.Severity == document.Error || f.Severity == document.Warning && f.Rule != "unused-parameter" && !strings.Contains(src, "stackpulse.io") {
				t.Errorf("%s\n%s", f, b)
			}
		}
	}
	if documents < 6 || fragments < 6 {
		t.Errorf("only %d documents and %d fragments were found", documents, fragments)
	}
}

// TestLanguageExpressions evaluates the tables of expressions over the data of the page.
func TestLanguageExpressions(t *testing.T) {
	t.Parallel()
	_, text := languagePage(t)
	m := regexp.MustCompile("(?s)<!-- data -->\n```yaml\n(.*?)```").FindStringSubmatch(text)
	if m == nil {
		t.Fatal("the page has no data")
	}
	var raw any
	if err := yaml.Unmarshal([]byte(m[1]), &raw); err != nil {
		t.Fatal(err)
	}
	n, err := value.Normalize(raw)
	if err != nil {
		t.Fatal(err)
	}
	root := n.(map[string]any)
	ev := expr.New(expr.Limits{})
	row := regexp.MustCompile("^\\| `(.*)` \\| (?:`(.*)`|an error) \\|$")
	count := 0
	for _, part := range regexp.MustCompile(`(?s)<!-- eval: (\w+) -->\n(.*?)\n\n`).FindAllStringSubmatch(text+"\n", -1) {
		scope := expr.Scope{Root: root, Dialect: expr.Strict}
		kind := expr.Template
		switch part[1] {
		case "cel":
			kind = expr.Logic
		case "lenient":
			scope.Dialect = expr.Lenient
		}
		for _, line := range strings.Split(part[2], "\n")[2:] {
			m := row.FindStringSubmatch(line)
			if m == nil {
				t.Errorf("this row cannot be read: %s", line)
				continue
			}
			count++
			v, err := ev.Value(expr.Expr{Kind: kind, Source: strings.ReplaceAll(m[1], `\|`, "|")}, scope)
			if m[2] == "" {
				if err == nil {
					t.Errorf("%s gives %v, not an error", m[1], v)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", m[1], err)
				continue
			}
			if v, err = value.Normalize(v); err != nil {
				t.Errorf("%s: %v", m[1], err)
				continue
			}
			got, err := value.Canonical(v)
			if want := []byte(m[2]); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s gives %s (%v), not %s", m[1], got, err, want)
			}
		}
	}
	if count < 25 {
		t.Errorf("only %d expressions were found", count)
	}
}

// TestLanguageLinks follows the links of the page within the repository.
func TestLanguageLinks(t *testing.T) {
	t.Parallel()
	file, text := languagePage(t)
	var anchors []string
	for _, h := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		anchors = append(anchors, "#"+strings.ReplaceAll(strings.ToLower(strings.ReplaceAll(h[1], "`", "")), " ", "-"))
	}
	for _, l := range regexp.MustCompile(`\]\(([^)]+)\)`).FindAllStringSubmatch(text, -1) {
		switch to := l[1]; {
		case strings.HasPrefix(to, "https://"):
		case strings.HasPrefix(to, "#"):
			if !slices.Contains(anchors, to) {
				t.Errorf("there is no heading for %s", to)
			}
		default:
			if _, err := os.Stat(filepath.Join(filepath.Dir(file), to)); err != nil {
				t.Errorf("link to %s: %v", to, err)
			}
		}
	}
}
