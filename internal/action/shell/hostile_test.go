package shell_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/actiontest"
	"github.com/tendhq/tend/internal/action/shell"
	"github.com/tendhq/tend/internal/fault"
)

// reader prints the count of its arguments, its arguments, the variables P0, P1, … and its input, each part closed by a
// group separator: what arrived, and that nothing more or less did.
const reader = `printf '%s\035' "$#"
for a do printf '%s\035' "$a"; done
i=0
while [ "$i" -lt "$#" ]; do eval "printf '%s\\035' \"\$P$i\""; i=$((i+1)); done
cat`

func TestHostileDataStaysData(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	side := filepath.Join(dir, "side")
	payloads := actiontest.Payloads(side)
	if len(payloads) < 2000 {
		t.Fatalf("only %d payloads", len(payloads))
	}
	t.Logf("%d payloads", len(payloads))
	nul := func(s string) bool { return strings.ContainsRune(s, 0) }
	clean := slices.DeleteFunc(slices.Clone(payloads), nul)
	files := func() int {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	for n, batch := range slices.Collect(slices.Chunk(clean, 60)) {
		argv := []any{"sh", "-c", reader, "sh"}
		env := map[string]any{}
		want := fmt.Sprintf("%d\x1d", len(batch))
		for i, p := range batch {
			argv = append(argv, p)
			env[fmt.Sprintf("P%d", i)] = p
		}
		all := strings.Join(batch, "\x1d") + "\x1d"
		want += all + all + strings.Join(batch, "\n") + "."
		req := with(map[string]any{"argv": argv, "stdin": strings.Join(batch, "\n") + "."})(t)
		req.Env, req.Dir, req.Work = env, dir, dir
		r := shell.New().Run(t.Context(), req, func(string, []byte) {})
		if r.Outcome != action.Succeeded {
			t.Fatalf("batch %d: %s: %s", n, r.Outcome, r.Message)
		}
		if got := r.Output["value"]; got != strings.ToValidUTF8(want, string(utf8.RuneError)) {
			t.Errorf("batch %d: what arrived is not what was sent:\n%q\n%q", n, got, want)
		}
		// The same for a script, which is read by bash where there is one.
		req = with(map[string]any{"script": "n=0; for v in ${!P@}; do n=$((n+1)); done; echo $n; : \"$P0\" \"$P1\"", "shell": "bash", "parse": "number"})(t)
		req.Env, req.Dir, req.Work = env, dir, dir
		if r = shell.New().Run(t.Context(), req, func(string, []byte) {}); r.Kind == fault.Missing {
			continue
		}
		if r.Outcome != action.Succeeded || r.Output["value"].(int64) < int64(len(batch)) {
			t.Errorf("batch %d in bash: %s %v: %s", n, r.Outcome, r.Output["value"], r.Message)
		}
		if files() != 0 {
			t.Fatalf("batch %d made a file", n)
		}
	}
	for _, p := range payloads {
		if !nul(p) {
			continue
		}
		req := with(map[string]any{"argv": []any{"true", p}})(t)
		if r := shell.New().Run(t.Context(), req, func(string, []byte) {}); r.Outcome != action.NotStarted || r.Kind != fault.Invalid {
			t.Errorf("NUL in an argument: %s %s", r.Outcome, r.Kind)
		}
		req = with(map[string]any{"argv": []any{"true"}})(t)
		req.Env = map[string]any{"P": p}
		if r := shell.New().Run(t.Context(), req, func(string, []byte) {}); r.Outcome != action.NotStarted || r.Kind != fault.Invalid {
			t.Errorf("NUL in the environment: %s %s", r.Outcome, r.Kind)
		}
	}
	if files() != 0 {
		t.Error("a payload made a file")
	}
}
