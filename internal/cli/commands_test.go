package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/cli"
)

// TestEveryCommandHasAScript: what people can type is typed in a script.
func TestEveryCommandHasAScript(t *testing.T) {
	t.Parallel()
	var scripts bytes.Buffer
	names, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		scripts.Write(b)
	}
	n := 0
	var walk func(path []string)
	walk = func(path []string) {
		var out bytes.Buffer
		args := append(append([]string{}, path...), "--help")
		if code := cli.Run(t.Context(), args, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &out, Getenv: func(string) string { return "" }}); code != cli.ExitOK {
			t.Fatalf("tend %s: exit code %d: %s", strings.Join(args, " "), code, &out)
		}
		below := subcommands(out.String())
		if len(below) == 0 {
			n++
			typed := regexp.MustCompile(`(?m)\btend( --?\S+( [^\s-]\S*)?)*? ` + regexp.QuoteMeta(strings.Join(path, " ")) + `( |$|;|'|")`)
			if !typed.Match(scripts.Bytes()) {
				t.Errorf("no script runs tend %s", strings.Join(path, " "))
			}
		}
		for _, b := range below {
			walk(append(path[:len(path):len(path)], b))
		}
	}
	walk(nil)
	if n < 40 {
		t.Errorf("only %d commands were found", n)
	}
}

// TestWrongArguments: every command says in our words what it does not know, and does not end as if all were well.
func TestWrongArguments(t *testing.T) {
	t.Parallel()
	n := 0
	var walk func(path []string)
	walk = func(path []string) {
		run := func(args ...string) (int, string) {
			var out bytes.Buffer
			env := func(string) string { return "" }
			code := cli.Run(t.Context(), append(path[:len(path):len(path)], args...), cli.Streams{In: strings.NewReader(""), Out: &out, Err: &out, Getenv: env})
			return code, out.String()
		}
		_, help := run("--help")
		if below := subcommands(help); len(below) > 0 {
			n++
			if code, out := run("nonesuch"); code != cli.ExitUsage || !strings.Contains(out, "has no command") || !strings.Contains(out, "next: ") {
				t.Errorf("tend %s nonesuch: %d, %s", strings.Join(path, " "), code, out)
			}
			for _, b := range below {
				walk(append(path[:len(path):len(path)], b))
			}
		}
	}
	walk(nil)
	if n < 10 {
		t.Errorf("only %d groups of commands were found", n)
	}
}

// subcommands reads the names of commands from a help text: lines that are indented by two, before the flags.
func subcommands(help string) []string {
	var out []string
	_, list, found := strings.Cut(help, "[command]\n")
	if !found {
		return nil
	}
	list, _, _ = strings.Cut(list, "\nFlags:")
	for _, m := range regexp.MustCompile(`(?m)^  ([a-z][a-z-]*) {2,}\S`).FindAllStringSubmatch(list, -1) {
		out = append(out, m[1])
	}
	return out
}
