package playbook_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/playbook"
)

// one demands exactly one finding, of a rule and with a text, quickly.
func one(t *testing.T, src []byte, rule, text string) {
	t.Helper()
	begin := time.Now()
	docs, findings := playbook.Parse("hostile.yaml", src)
	if d := time.Since(begin); d > 5*time.Second {
		t.Errorf("took %s", d)
	}
	if len(findings) != 1 || findings[0].Rule != rule || !strings.Contains(findings[0].Message+" "+findings[0].Remedy, text) {
		t.Fatalf("got %d documents and %d findings, the first %v; want one of %s with %q", len(docs), len(findings), first(findings), rule, text)
	}
}

func first(fs []playbook.Finding) any {
	if len(fs) == 0 {
		return "nothing"
	}
	return fs[0]
}

const head = "apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: h}\nsteps:\n  - {uses: shell, with: {script: 'true'}}\n"

func TestHostile(t *testing.T) {
	t.Parallel()
	bomb := "apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: h}\na: &a [x, x, x, x, x, x, x, x, x]\n"
	for i := range 9 {
		prev, next := string(rune('a'+i)), string(rune('b'+i))
		bomb += fmt.Sprintf("%s: &%s [%s]\n", next, next, strings.TrimSuffix(strings.Repeat("*"+prev+", ", 9), ", "))
	}
	for name, c := range map[string]struct {
		src        string
		rule, text string
	}{
		"50 MB":               {strings.Repeat("x", 50<<20), playbook.RuleSize, "4194304"},
		"alias bomb":          {bomb, playbook.RuleSize, "more than 200000 nodes"},
		"alias of itself":     {head + "x: &a [*a]\n", playbook.RuleSize, "deeper than"},
		"deep flow":           {"a: " + strings.Repeat("[", 100_000), playbook.RuleSize, ""},
		"deep flow, closed":   {"a: " + strings.Repeat("[", 3000) + strings.Repeat("]", 3000), playbook.RuleSize, "deeper than 60"},
		"deep block":          {deepBlock(2000), playbook.RuleSize, "deeper than 60"},
		"NUL":                 {head + "# a\x00b\n", playbook.RuleEncoding, "NUL"},
		"Latin-1":             {head + "# caf\xe9\n", playbook.RuleEncoding, `0xe9, is not UTF-8 (in Latin-1 it would be 'é')`},
		"UTF-16":              {"\xff\xfea\x00", playbook.RuleEncoding, "UTF-16"},
		"truncated UTF-8":     {head + "# \xe2\x82", playbook.RuleEncoding, "save it as UTF-8"},
		"nothing":             {"", playbook.RuleDocument, "no document"},
		"only comments":       {"# a\n---\n# b\n", playbook.RuleDocument, "no document"},
		"control character":   {head + "description: \"\x01\"\n", playbook.RuleYAML, "control"},
		"unknown anchor":      {head + "timeout: *nowhere\n", playbook.RuleYAML, "nowhere"},
		"binary tag":          {strings.Replace(head, "'true'", "!!binary aGk=", 1), playbook.RuleType, "!!binary"},
		"an own tag":          {strings.Replace(head, "'true'", "!ruby/object a", 1), playbook.RuleType, "!ruby/object"},
		"not a number":        {strings.Replace(head, "'true'", ".nan", 1), playbook.RuleType, ".nan"},
		"endless":             {strings.Replace(head, "'true'", ".inf", 1), playbook.RuleType, ".inf"},
		"key that is a list":  {head + "? [a, b]\n: c\n", playbook.RuleType, "a key must be a text"},
		"tab":                 {"apiVersion: tend/v1\n\tkind: Playbook\n", playbook.RuleTab, "tab"},
		"not closed":          {head + "description: 'never\n", playbook.RuleYAML, ""},
		"a billion repeats":   {head + "timeout: " + strings.Repeat("9", 100_000) + "d\n", playbook.RuleValue, ""},
		"backspaces as a key": {head + "? \"\\b\"\n: c\n", playbook.RuleKey, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one(t, []byte(c.src), c.rule, c.text)
		})
	}
}

func deepBlock(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

// A file full of mistakes gives a bounded answer.
func TestManyFindings(t *testing.T) {
	t.Parallel()
	src := []byte(head + strings.Repeat("  - {}\n", 50_000))
	_, findings := playbook.Parse("many.yaml", src)
	if len(findings) != playbook.MaxFindings+1 {
		t.Errorf("%d findings", len(findings))
	}
}

// Windows line ends and a byte order mark are read as anything else.
func TestLineEnds(t *testing.T) {
	t.Parallel()
	for name, src := range map[string]string{
		"CRLF": strings.ReplaceAll(head, "\n", "\r\n"),
		"BOM":  "\ufeff" + head,
	} {
		if docs, findings := playbook.Parse(name, []byte(src)); len(docs) != 1 || len(findings) > 0 {
			t.Errorf("%s: %d documents, %v", name, len(docs), findings)
		}
	}
}

// Includes that double on each level would give an endless closure.
func TestCallBomb(t *testing.T) {
	t.Parallel()
	var files []playbook.File
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
			files = append(files, playbook.File{Name: name, Content: []byte(src)})
		}
	}
	_, findings := compileFiles(files)
	if len(findings) == 0 || findings[0].Rule != playbook.RuleSize {
		t.Errorf("doubling includes: %v", findings)
	}

	deep := []playbook.File{}
	for i := range 40 {
		name := fmt.Sprintf("d%d.yaml", i)
		if i == 0 {
			name = "playbook.yaml"
		}
		src := fmt.Sprintf("apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: d%d}\nsteps:\n  - {uses: playbook, with: {name: d%d}}\n", i, i+1)
		deep = append(deep, playbook.File{Name: name, Content: []byte(src)})
	}
	if _, findings := compileFiles(deep); len(findings) != 1 || findings[0].Rule != playbook.RuleRecursion {
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
		docs, findings := playbook.Parse("f.yaml", src)
		lines := bytes.Count(src, []byte{'\n'}) + 1
		for _, f := range findings {
			if f.Message == "" || f.Rule == "" || f.Place.Line > lines || f.Place.File == "" {
				t.Errorf("a poor finding: %+v", f)
			}
		}
		for _, d := range docs {
			if d.Kind != playbook.DocPlaybook || playbook.HasErrors(findings) {
				continue
			}
			p, findings := playbook.Compile(d, c, playbook.NewLibrary([]playbook.File{{Name: "f.yaml", Content: src}}))
			if p == nil {
				if !playbook.HasErrors(findings) {
					t.Error("neither a program nor an error")
				}
				continue
			}
			roundTrip(t, p)
		}
	})
}
