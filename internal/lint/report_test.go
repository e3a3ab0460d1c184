package lint_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/lint"
)

func TestCarets(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, line, want string
		column, end      int
	}{
		{"plain", "  uses: shel", "        ^~~~", 9, 13},
		{"after tabs", "\tx\ty", "        ^", 4, 0},
		{"after wide characters", "日本: x", "      ^", 5, 6},
		{"on wide characters", "a: 日本", "   ^~~~", 4, 6},
		{"after a combining mark", "e\u0301: x", "   ^", 5, 6},
		{"behind the end", "ab", "  ^", 3, 0},
		{"far right", strings.Repeat("x", 300) + "HERE" + strings.Repeat("y", 300), strings.Repeat(" ", 81) + "^~~~", 301, 305},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			f := document.Finding{Rule: "yaml", Severity: document.Error, Message: "m", SourceLine: c.line, Place: document.Place{File: "f", Line: 7, Column: c.column, EndColumn: c.end}}
			if err := lint.Text(&b, []document.Finding{f}, false); err != nil {
				t.Fatal(err)
			}
			rows := strings.Split(b.String(), "\n")
			if got, ok := strings.CutPrefix(rows[2], "      | "); !ok || got != c.want {
				t.Errorf("got\n%s\nwant\n%s", b.String(), c.want)
			}
		})
	}
}

func findings() []document.Finding {
	return []document.Finding{
		{Rule: document.RuleKey, Severity: document.Error, Place: document.Place{File: "a b/x,1.yaml", Line: 3, Column: 5, EndColumn: 9}, Message: "100% wrong\nreally", Remedy: "write it", SourceLine: "    uzes: shell"},
		{Rule: "no-verify", Severity: document.Advice, Place: document.Place{File: "/etc/y.yaml"}, Message: "m"},
	}
}

func TestGitHub(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := lint.GitHub(&b, findings()); err != nil {
		t.Fatal(err)
	}
	want := "::error file=a b/x%2C1.yaml,line=3,col=5,endColumn=9,title=tend lint%3A unknown-key::100%25 wrong%0Areally%0Awrite it\n" +
		"::notice file=/etc/y.yaml,title=tend lint%3A no-verify::m\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := lint.JSON(&b, nil); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Findings []document.Finding
		Errors   int
		Warnings int
		Advice   int
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil || got.Findings == nil {
		t.Errorf("no findings must be an empty list: %s, %v", b.String(), err)
	}
	b.Reset()
	if err := lint.JSON(&b, findings()); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil || got.Errors != 1 || got.Warnings != 0 || got.Advice != 1 || got.Findings[0].Place.Line != 3 {
		t.Errorf("%s, %v", b.String(), err)
	}
}

// TestSARIF checks what the SARIF 2.1.0 specification demands of the parts that are written.
func TestSARIF(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := lint.SARIF(&b, findings(), "1.2.3"); err != nil {
		t.Fatal(err)
	}
	var log struct {
		Schema  string `json:"$schema"`
		Version string
		Runs    []struct {
			ColumnKind string
			Tool       struct {
				Driver struct {
					Name, Version, InformationURI string
					Rules                         []struct {
						ID                   string
						ShortDescription     struct{ Text string }
						DefaultConfiguration struct{ Level string }
					}
				}
			}
			Results []struct {
				RuleID    string
				RuleIndex int
				Level     string
				Message   struct{ Text string }
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           *struct{ StartLine, StartColumn, EndColumn int }
					}
				}
			}
		}
	}
	d := json.NewDecoder(&b)
	if err := d.Decode(&log); err != nil {
		t.Fatal(err)
	}
	if log.Version != "2.1.0" || !strings.Contains(log.Schema, "sarif-2.1.0") || len(log.Runs) != 1 {
		t.Fatalf("head: %+v", log)
	}
	run := log.Runs[0]
	if run.Tool.Driver.Name != "tend" || run.Tool.Driver.Version != "1.2.3" || run.ColumnKind != "unicodeCodePoints" {
		t.Errorf("tool: %+v", run.Tool.Driver.Name)
	}
	levels := map[string]bool{"error": true, "warning": true, "note": true}
	for _, r := range run.Tool.Driver.Rules {
		if r.ID == "" || r.ShortDescription.Text == "" || !levels[r.DefaultConfiguration.Level] {
			t.Errorf("rule %+v", r)
		}
	}
	if len(run.Results) != 2 {
		t.Fatalf("%d results", len(run.Results))
	}
	for _, r := range run.Results {
		if run.Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID || !levels[r.Level] || r.Message.Text == "" || len(r.Locations) != 1 {
			t.Errorf("result %+v", r)
		}
	}
	first := run.Results[0].Locations[0].PhysicalLocation
	if first.ArtifactLocation.URI != "a%20b/x,1.yaml" || first.Region == nil || first.Region.StartLine != 3 || first.Region.EndColumn != 9 {
		t.Errorf("place %+v", first)
	}
	second := run.Results[1].Locations[0].PhysicalLocation
	if second.ArtifactLocation.URI != "file:///etc/y.yaml" || second.Region != nil {
		t.Errorf("place %+v", second)
	}
}

func ExampleLinter_File() {
	src := `apiVersion: tend/v1
kind: Playbook
metadata: {name: restart}
parameters:
  - {name: unit, type: string}
steps:
  - uses: shell
    effect: idempotent
    with: {argv: [systemctl, restart, '{{ $.params.unti }}']}
`
	r := lint.New(exampleCatalog(), nil).File("restart.yaml", []byte(src))
	_ = lint.Text(os.Stdout, r.Findings, false)
	fmt.Println(document.HasErrors(r.Findings))
	// Output:
	// restart.yaml:5:12: warning: nothing uses the parameter `unit` [unused-parameter]
	//     5 |   - {name: unit, type: string}
	//       |            ^~~~
	//       = remove it, or use it
	//
	// restart.yaml:9:43: error: the parameter `unti` is not declared [undeclared-parameter]
	//     9 |     with: {argv: [systemctl, restart, '{{ $.params.unti }}']}
	//       |                                           ^~~~~~~~~~~~~
	//       = did you mean `unit`? Else declare it below `parameters:`
	// true
}
