package lint_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"github.com/tendhq/tend/internal/lint"
)

// TestNeverPanics changes documents at random and lints them. Whatever they become, there is an answer, and everything
// in it can be printed.
func TestNeverPanics(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob("testdata/*.yaml")
	var sources [][]byte
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, src)
	}
	l := lint.New(newCatalog(t), nil)
	rapid.Check(t, func(t *rapid.T) {
		lines := strings.SplitAfter(string(rapid.SampledFrom(sources).Draw(t, "document")), "\n")
		for range rapid.IntRange(1, 4).Draw(t, "changes") {
			i := rapid.IntRange(0, len(lines)-1).Draw(t, "line")
			line := lines[i]
			at := rapid.IntRange(0, len(line)).Draw(t, "column")
			switch rapid.SampledFrom([]string{"drop", "twice", "cut", "insert", "swap", "indent"}).Draw(t, "change") {
			case "drop":
				lines[i] = ""
			case "twice":
				lines[i] += line
			case "cut":
				lines[i] = line[:at]
			case "insert":
				what := rapid.SampledFrom([]string{
					"{{", "}}", "'", `"`, ":", "- ", "[", "{", "&a ", "*a", "<<: *a", "\x00", "\xff", "\t", "{{ range $i, $x := $ }}", "steps.a.b", "# tend:allow no-verify x",
					"when: ", "foreach: ", "null", "!!binary x", "|", "日本", "uses: wait", "-----BEGIN PRIVATE KEY-----",
				}).Draw(t, "text")
				lines[i] = line[:at] + what + line[at:]
			case "swap":
				j := rapid.IntRange(0, len(lines)-1).Draw(t, "other")
				lines[i], lines[j] = lines[j], lines[i]
			case "indent":
				lines[i] = "  " + line
			}
		}
		r := l.File("x.yaml", []byte(strings.Join(lines, "")))
		if len(r.Programs) != len(r.Documents) {
			t.Fatal("a document without a place for its program")
		}
		var text, sarif, github, json bytes.Buffer
		for _, err := range []error{
			lint.Text(&text, r.Findings, false), lint.SARIF(&sarif, r.Findings, "1"), lint.GitHub(&github, r.Findings), lint.JSON(&json, r.Findings),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range text.String() {
			if unicode.IsControl(c) && c != '\n' {
				t.Fatalf("control character %q reaches the terminal", c)
			}
		}
		if n := strings.Count(github.String(), "\n"); n != len(r.Findings) {
			t.Fatalf("%d lines for %d findings", n, len(r.Findings))
		}
	})
}

// TestSecretsAreNotPrinted looks for planted secrets in everything that is written about a document.
func TestSecretsAreNotPrinted(t *testing.T) {
	t.Parallel()
	planted := []string{"hunter22", "AKIAABCDEFGHIJKLMNOP", "pa55word", "s3cr3t-value", "9fK2mQ7xLw4TzB8vNc1RyH6sJd3GpE5u"}
	src, err := os.ReadFile("testdata/secrets.yaml")
	if err != nil {
		t.Fatal(err)
	}
	// A parse error beside a secret must not print the line either.
	for _, broken := range []string{string(src), strings.Replace(string(src), "effect: read", "efect: hunter22", 1), string(src) + "\n  : ["} {
		r := lint.New(newCatalog(t), nil).File("secrets.yaml", []byte(broken))
		var b bytes.Buffer
		for _, err := range []error{lint.Text(&b, r.Findings, true), lint.SARIF(&b, r.Findings, "1"), lint.GitHub(&b, r.Findings), lint.JSON(&b, r.Findings)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, p := range planted {
			if strings.Contains(b.String(), p) {
				t.Errorf("%q is printed:\n%s", p, b.String())
			}
		}
	}
}
