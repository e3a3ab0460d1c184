package lint_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/lint"
)

var update = flag.Bool("update", os.Getenv("TEND_UPDATE") != "", "write the golden files anew")

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (write it with -update)", err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s differs (-want +got); look at it and write it with -update:\n%s", file, d)
	}
}

// documents gives the files of testdata, linted.
func documents(t *testing.T) map[string]lint.Result {
	t.Helper()
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no testdata", err)
	}
	out := map[string]lint.Result{}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		alone := document.NewLibrary([]document.File{{Name: filepath.Base(file), Content: src}})
		out[file] = lint.New(newCatalog(t), alone).File(filepath.Base(file), src)
	}
	return out
}

// TestFindings compares what is found in each document with the text beside it.
func TestFindings(t *testing.T) {
	t.Parallel()
	for file, r := range documents(t) {
		var b bytes.Buffer
		if err := lint.Text(&b, r.Findings, false); err != nil {
			t.Fatal(err)
		}
		golden(t, strings.TrimSuffix(file, ".yaml")+".txt", b.Bytes())
	}
}

// TestEveryRuleFindsSomething keeps the table of rules honest.
func TestEveryRuleFindsSomething(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, r := range documents(t) {
		for _, f := range r.Findings {
			seen[f.Rule] = true
			rule, ok := lint.RuleOf(f.Rule)
			if !ok {
				t.Errorf("%s is in no table: %s", f.Rule, f)
			}
			if f.Remedy == "" && rule.Remedy == "" {
				t.Errorf("no remedy: %s", f)
			}
		}
	}
	elsewhere := map[string]bool{
		// Tested where they are found.
		document.RuleEncoding: true, document.RuleSize: true, document.RuleYAML: true, document.RuleTab: true, document.RuleQuote: true,
		document.RuleDuplicate: true, document.RuleDocument: true, document.RuleKey: true, document.RuleMissing: true, document.RuleConflict: true,
		document.RuleType: true, document.RuleValue: true, document.RuleName: true, document.RuleTwice: true, document.RuleLegacy: true,
		document.RuleAction: true, document.RuleModule: true, document.RuleRecursion: true, document.RuleInput: true, document.RuleRequired: true,
		document.RuleInputType: true, document.RuleEnv: true, document.RuleEffect: true,
	}
	for _, r := range lint.Rules() {
		if !seen[r.Name] && !elsewhere[r.Name] {
			t.Errorf("no document in testdata breaks %s", r.Name)
		}
	}
}

// TestReference keeps docs/lint.md as the table of rules is.
func TestReference(t *testing.T) {
	t.Parallel()
	golden(t, "../../docs/lint.md", []byte(lint.Reference()))
}

func TestRulesAreWellFormed(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, r := range lint.Rules() {
		if seen[r.Name] {
			t.Errorf("%s is in the table twice", r.Name)
		}
		seen[r.Name] = true
		if strings.Trim(r.Name, "abcdefghijklmnopqrstuvwxyz-") != "" || r.Finds == "" || r.Remedy == "" || r.Strict == "" && r.Lenient == "" {
			t.Errorf("row %+v", r)
		}
	}
}
