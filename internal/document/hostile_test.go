package document_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/language"
)

// one demands exactly one finding, of a rule and with a text, quickly.
func one(t *testing.T, src []byte, rule, text string) {
	t.Helper()
	begin := time.Now()
	docs, findings := language.Parse("hostile.yaml", src)
	if d := time.Since(begin); d > 5*time.Second {
		t.Errorf("took %s", d)
	}
	if len(findings) != 1 || findings[0].Rule != rule || !strings.Contains(findings[0].Message+" "+findings[0].Remedy, text) {
		t.Fatalf("got %d documents and %d findings, the first %v; want one of %s with %q", len(docs), len(findings), first(findings), rule, text)
	}
}

func first(fs []document.Finding) any {
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
		"50 MB":               {strings.Repeat("x", 50<<20), document.RuleSize, "4194304"},
		"alias bomb":          {bomb, document.RuleSize, "more than 200000 nodes"},
		"alias of itself":     {head + "x: &a [*a]\n", document.RuleSize, "deeper than"},
		"deep flow":           {"a: " + strings.Repeat("[", 100_000), document.RuleSize, ""},
		"deep flow, closed":   {"a: " + strings.Repeat("[", 3000) + strings.Repeat("]", 3000), document.RuleSize, "deeper than 60"},
		"deep block":          {deepBlock(2000), document.RuleSize, "deeper than 60"},
		"NUL":                 {head + "# a\x00b\n", document.RuleEncoding, "NUL"},
		"Latin-1":             {head + "# caf\xe9\n", document.RuleEncoding, `0xe9, is not UTF-8 (in Latin-1 it would be 'é')`},
		"UTF-16":              {"\xff\xfea\x00", document.RuleEncoding, "UTF-16"},
		"truncated UTF-8":     {head + "# \xe2\x82", document.RuleEncoding, "save it as UTF-8"},
		"nothing":             {"", document.RuleDocument, "no document"},
		"only comments":       {"# a\n---\n# b\n", document.RuleDocument, "no document"},
		"control character":   {head + "description: \"\x01\"\n", document.RuleYAML, "control"},
		"unknown anchor":      {head + "timeout: *nowhere\n", document.RuleYAML, "nowhere"},
		"binary tag":          {strings.Replace(head, "'true'", "!!binary aGk=", 1), document.RuleType, "!!binary"},
		"an own tag":          {strings.Replace(head, "'true'", "!ruby/object a", 1), document.RuleType, "!ruby/object"},
		"not a number":        {strings.Replace(head, "'true'", ".nan", 1), document.RuleType, ".nan"},
		"endless":             {strings.Replace(head, "'true'", ".inf", 1), document.RuleType, ".inf"},
		"key that is a list":  {head + "? [a, b]\n: c\n", document.RuleType, "a key must be a text"},
		"tab":                 {"apiVersion: tend/v1\n\tkind: Playbook\n", document.RuleTab, "tab"},
		"not closed":          {head + "description: 'never\n", document.RuleYAML, ""},
		"a billion repeats":   {head + "timeout: " + strings.Repeat("9", 100_000) + "d\n", document.RuleValue, ""},
		"backspaces as a key": {head + "? \"\\b\"\n: c\n", document.RuleKey, ""},
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
	_, findings := language.Parse("many.yaml", src)
	if len(findings) != document.MaxFindings+1 {
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
		if docs, findings := language.Parse(name, []byte(src)); len(docs) != 1 || len(findings) > 0 {
			t.Errorf("%s: %d documents, %v", name, len(docs), findings)
		}
	}
}
