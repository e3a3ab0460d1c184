package edit_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/edit"
	"github.com/tendhq/tend/internal/fault"
)

const shop = `# What is done about a full volume.
apiVersion: tend/v1
kind: Playbook
metadata: {name: reclaim, description: Frees space.}
parameters:
  - {name: path, type: string, description: Where.} # below /var
steps:
  # First it looks.
  - id: usage
    uses: shell # as in the runbook
    effect: read
    with:
      parse: number
      script: |
        # not a comment
        du -sm "$DIR" | cut -f1

  # Then it repairs.
  - id: clean
    when: steps.usage.value > 800
    uses: shell
    with: {script: 'find "$DIR" -delete'}
    target: 'path:{{ $.params.path }}'
    # Why three: the first one warms the cache.
    retry: {attempts: 3}

  - parallel:
      - {uses: log, with: {message: 'was {{ $.steps.usage.value }}'}}
      - uses: log
        with: {message: steps.usage is a text}
  # The end.
outputs:
  removed: steps.usage.value
`

func apply(t testing.TB, text string, op edit.Operation) (string, string) {
	t.Helper()
	r, err := edit.Apply("p.yaml", []byte(text), op)
	if err != nil {
		t.Fatalf("%+v: %v", op, err)
	}
	return string(r.Text), r.Path
}

// TestOperations shows what each of them does to a text, as a difference.
func TestOperations(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		op   edit.Operation
		want string // lines that go (-) and come (+), in order
		path string
	}{
		"add after": {
			edit.Operation{Do: edit.Add, Step: "# say it\nuses: log\nwith: {message: hello}", Place: edit.Place{After: "steps[0]"}},
			"+  # say it|+  - uses: log|+    with: {message: hello}|+", "steps[1]",
		},
		"add data before the first": {
			edit.Operation{Do: edit.Add, Value: map[string]any{"with": map[string]any{"message": "a: b"}, "uses": "log"}, Place: edit.Place{Before: "steps[0]"}},
			"+  - uses: log|+    with:|+      message: 'a: b'|+", "steps[0]",
		},
		"add a catch": {
			edit.Operation{Do: edit.Add, Step: "uses: fail", Place: edit.Place{Into: "catch"}},
			"+catch:|+  - uses: fail", "catch[0]",
		},
		"add a lane": {
			edit.Operation{Do: edit.Add, Step: "- uses: fail", Place: edit.Place{Into: "steps[2].parallel"}},
			"+      - uses: fail", "steps[2].parallel[2]",
		},
		"move to the end": {
			edit.Operation{Do: edit.Move, Path: "steps[0]", Place: edit.Place{Into: "steps"}}, "", "steps[2]",
		},
		"move into a lane": {
			edit.Operation{Do: edit.Move, Path: "steps[0]", Place: edit.Place{After: "steps[2].parallel[0]"}}, "", "steps[1].parallel[1]",
		},
		"remove": {
			edit.Operation{Do: edit.Remove, Path: "steps[2].parallel[1]"}, "-      - uses: log|-        with: {message: steps.usage is a text}", "",
		},
		"remove with its comment": {
			edit.Operation{Do: edit.Remove, Path: "steps[1]"},
			"-  # Then it repairs.|-  - id: clean|-    when: steps.usage.value > 800|-    uses: shell|-    with: {script: 'find \"$DIR\" -delete'}|-    target: 'path:{{ $.params.path }}'|-    # Why three: the first one warms the cache.|-    retry: {attempts: 3}|-", "",
		},
		"duplicate": {
			edit.Operation{Do: edit.Duplicate, Path: "steps[2].parallel[0]"},
			"+      - {uses: log, with: {message: 'was {{ $.steps.usage.value }}'}}", "steps[2].parallel[1]",
		},
		"duplicate without its id": {
			edit.Operation{Do: edit.Duplicate, Path: "steps[1]"},
			"+  - when: steps.usage.value > 800|+    uses: shell|+    with: {script: 'find \"$DIR\" -delete'}|+    target: 'path:{{ $.params.path }}'|+    # Why three: the first one warms the cache.|+    retry: {attempts: 3}|+", "steps[2]",
		},
		"set a scalar": {
			edit.Operation{Do: edit.Set, Path: "steps[0]", Field: "uses", Value: "ssh"}, "-    uses: shell # as in the runbook|+    uses: ssh # as in the runbook", "steps[0]",
		},
		"set in brackets": {
			edit.Operation{Do: edit.Set, Path: "steps[1]", Field: "retry.backoff", Value: "2s"}, "-    retry: {attempts: 3}|+    retry: {attempts: 3, backoff: 2s}", "steps[1]",
		},
		"set where there is no map": {
			edit.Operation{Do: edit.Set, Path: "steps[0]", Field: "retry.attempts", Value: 3}, "+    retry:|+      attempts: 3", "steps[0]",
		},
		"set the first key": {
			edit.Operation{Do: edit.Set, Path: "steps[2].parallel[1]", Field: "id", Value: "said"}, "-      - uses: log|+      - id: said|+        uses: log", "steps[2].parallel[1]",
		},
		"set a script": {
			edit.Operation{Do: edit.Set, Path: "steps[0]", Field: "with.script", Value: "a\n  b\n"},
			"-        # not a comment|-        du -sm \"$DIR\" | cut -f1|+        a|+          b", "steps[0]",
		},
		"set of the document": {
			edit.Operation{Do: edit.Set, Field: "metadata.owner", Value: "sre"},
			"-metadata: {name: reclaim, description: Frees space.}|+metadata: {name: reclaim, description: Frees space., owner: sre}", "",
		},
		"unset the first key": {
			edit.Operation{Do: edit.Unset, Path: "steps[0]", Field: "id"}, "-  - id: usage|-    uses: shell # as in the runbook|+  - uses: shell # as in the runbook", "steps[0]",
		},
		"unset all of a map": {
			edit.Operation{Do: edit.Unset, Path: "steps[1]", Field: "retry.attempts"}, "-    retry: {attempts: 3}", "steps[1]",
		},
		"move to be a verify": {
			edit.Operation{Do: edit.Move, Path: "steps[2].parallel[1]", Place: edit.Place{Into: "steps[1].verify"}, Value: map[string]any{"until": "result.value == 1"}},
			"+    verify:|+      uses: log|+      with: {message: steps.usage is a text}|+      until: result.value == 1|-      - uses: log|-        with: {message: steps.usage is a text}", "steps[1].verify",
		},
		"move to be an undo": {
			edit.Operation{Do: edit.Move, Path: "steps[2].parallel[0]", Place: edit.Place{Into: "steps[1].undo"}},
			"+    undo: {uses: log, with: {message: 'was {{ $.steps.usage.value }}'}}|-      - {uses: log, with: {message: 'was {{ $.steps.usage.value }}'}}", "steps[1].undo",
		},
		"add an undo": {
			edit.Operation{Do: edit.Add, Step: "# back\nuses: log # so\nwith: {message: back}", Place: edit.Place{Into: "steps[2].parallel[1].undo"}},
			"+        undo:|+          # back|+          uses: log # so|+          with: {message: back}", "steps[2].parallel[1].undo",
		},
		"wrap": {
			edit.Operation{Do: edit.Wrap, Path: "steps[2].parallel[1]", Block: "lock", Value: map[string]any{"key": "host:{{ $.params.path }}"}},
			"-      - uses: log|-        with: {message: steps.usage is a text}|+      - lock:|+          key: 'host:{{ $.params.path }}'|+          steps:|+            - uses: log|+              with: {message: steps.usage is a text}", "steps[2].parallel[1]",
		},
		"rename": {
			edit.Operation{Do: edit.Rename, Path: "steps[0]", ID: "used"},
			"-  - id: usage|+  - id: used|-    when: steps.usage.value > 800|+    when: steps.used.value > 800|-      - {uses: log, with: {message: 'was {{ $.steps.usage.value }}'}}|+      - {uses: log, with: {message: 'was {{ $.steps.used.value }}'}}|-  removed: steps.usage.value|+  removed: steps.used.value", "steps[0]",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, path := apply(t, shop, c.op)
			if path != c.path {
				t.Errorf("path %q, not %q", path, c.path)
			}
			if d := difference(shop, got); c.want != "" && d != c.want {
				t.Errorf("%s\n got %s\nwant %s", got, d, c.want)
			}
			if c.want == "" && (!slices.Equal(words(shop), words(got)) || got == shop) {
				t.Errorf("other lines:\n%s", got)
			}
		})
	}
}

// TestThereAndBack: a step that becomes the verify or undo of another one, and a step of its own again, keeps its comments and
// what it says.
func TestThereAndBack(t *testing.T) {
	t.Parallel()
	const text = `apiVersion: tend/v1
kind: Playbook
metadata: {name: p}
steps:
  # one
  - id: one # its id
    uses: log # the first
    # what it says
    with: {message: a}

  # two, which looks
  - uses: http # asks
    # where
    with:
      url: https://example.org
    timeout: 5s # not long
  - {uses: log, with: {message: b}} # three
`
	for name, c := range map[string]struct{ op, back edit.Operation }{
		"verify": {
			edit.Operation{Do: edit.Move, Path: "steps[1]", Place: edit.Place{Into: "steps[0].verify"}, Value: map[string]any{"until": "result.status == 200"}},
			edit.Operation{Do: edit.Move, Path: "steps[0].verify", Place: edit.Place{After: "steps[0]"}},
		},
		"undo, in brackets": {
			edit.Operation{Do: edit.Move, Path: "steps[2]", Place: edit.Place{Into: "steps[0].undo"}},
			edit.Operation{Do: edit.Move, Path: "steps[0].undo", Place: edit.Place{Into: "steps"}},
		},
		"of a later one": {
			edit.Operation{Do: edit.Move, Path: "steps[0]", Place: edit.Place{Into: "steps[1].undo"}},
			edit.Operation{Do: edit.Move, Path: "steps[0].undo", Place: edit.Place{Before: "steps[0]"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			there, path := apply(t, text, c.op)
			if path != c.back.Path {
				t.Errorf("it is at %q, not at %q:\n%s", path, c.back.Path, there)
			}
			back, _ := apply(t, there, c.back)
			for _, x := range edit.Comments([]byte(text)) {
				if !strings.Contains(back, x) && x != "# its id" {
					t.Errorf("%s is lost:\n%s\n%s", x, there, back)
				}
			}
			want := slices.DeleteFunc(words(text), func(s string) bool {
				return strings.HasPrefix(s, "- id: one") || strings.HasPrefix(s, "uses: log # the first")
			})
			for _, x := range want {
				if !slices.Contains(words(back), x) {
					t.Errorf("%q is lost:\n%s\n%s", x, there, back)
				}
			}
		})
	}
}

// words are the lines of a text without their indentation, sorted.
func words(s string) []string {
	var out []string
	for l := range strings.Lines(s) {
		if l = strings.TrimSpace(l); l != "" {
			out = append(out, l)
		}
	}
	slices.Sort(out)
	return out
}

// difference is the shortest list of lines that go and come.
func difference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	common := make([][]int, len(x)+1)
	for i := range common {
		common[i] = make([]int, len(y)+1)
	}
	for i := len(x) - 1; i >= 0; i-- {
		for j := len(y) - 1; j >= 0; j-- {
			if x[i] == y[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var out []string
	for i, j := 0, 0; i < len(x) || j < len(y); {
		switch {
		case i < len(x) && j < len(y) && x[i] == y[j]:
			i, j = i+1, j+1
		case j == len(y) || i < len(x) && common[i+1][j] >= common[i][j+1]:
			out = append(out, "-"+x[i])
			i++
		default:
			out = append(out, "+"+y[j])
			j++
		}
	}
	return strings.Join(out, "|")
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		op   edit.Operation
		kind fault.Kind
	}{
		"no such step":          {edit.Operation{Do: edit.Remove, Path: "steps[7]"}, fault.NotFound},
		"no path":               {edit.Operation{Do: edit.Remove, Path: "steps["}, fault.Invalid},
		"no such verb":          {edit.Operation{Do: "explode", Path: "steps[0]"}, fault.Invalid},
		"into itself":           {edit.Operation{Do: edit.Move, Path: "steps[2]", Place: edit.Place{Into: "steps[2].parallel"}}, fault.Invalid},
		"two places":            {edit.Operation{Do: edit.Move, Path: "steps[2]", Place: edit.Place{Into: "steps", Before: "steps[0]"}}, fault.Invalid},
		"no list":               {edit.Operation{Do: edit.Add, Step: "uses: a", Place: edit.Place{Into: "steps[0].with"}}, fault.Invalid},
		"a step that is none":   {edit.Operation{Do: edit.Add, Step: "- a\n- b", Place: edit.Place{Into: "steps"}}, fault.Invalid},
		"a step with an error":  {edit.Operation{Do: edit.Add, Step: "a: [", Place: edit.Place{Into: "steps"}}, fault.Invalid},
		"a taken id":            {edit.Operation{Do: edit.Rename, Path: "steps[0]", ID: "clean"}, fault.Conflict},
		"no id":                 {edit.Operation{Do: edit.Rename, Path: "steps[0]", ID: "A b"}, fault.Invalid},
		"the kind":              {edit.Operation{Do: edit.Set, Field: "kind", Value: "Guard"}, fault.Invalid},
		"below a text":          {edit.Operation{Do: edit.Set, Path: "steps[0]", Field: "uses.more", Value: 1}, fault.Conflict},
		"all of a step":         {edit.Operation{Do: edit.Unset, Path: "steps[2]", Field: "parallel"}, fault.Conflict},
		"what is not there":     {edit.Operation{Do: edit.Unset, Path: "steps[2]", Field: "when"}, fault.NotFound},
		"too many":              {edit.Operation{Do: edit.Wrap, Path: "steps[2]", Block: "steps", Count: 2}, fault.Invalid},
		"a verify with a when":  {edit.Operation{Do: edit.Move, Path: "steps[1]", Place: edit.Place{Into: "steps[2].parallel[1].verify"}}, fault.Conflict},
		"a verify that is used": {edit.Operation{Do: edit.Move, Path: "steps[0]", Place: edit.Place{Into: "steps[1].verify"}}, fault.Conflict},
		"a verify of a block":   {edit.Operation{Do: edit.Move, Path: "steps[0]", Place: edit.Place{Into: "steps[2].verify"}}, fault.Conflict},
		"a block as an undo":    {edit.Operation{Do: edit.Move, Path: "steps[2]", Place: edit.Place{Into: "steps[1].undo"}}, fault.Conflict},
		"its own undo":          {edit.Operation{Do: edit.Move, Path: "steps[1]", Place: edit.Place{Into: "steps[1].undo"}}, fault.Invalid},
		"an unknown block":      {edit.Operation{Do: edit.Wrap, Path: "steps[2]", Block: "while"}, fault.Invalid},
		"another document":      {edit.Operation{Do: edit.Remove, Path: "steps[0]", Document: 1}, fault.NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := edit.Apply("p.yaml", []byte(shop), c.op)
			if !fault.Is(err, c.kind) {
				t.Errorf("%v (%s), not %s:\n%s", err, fault.KindOf(err), c.kind, r.Text)
			}
		})
	}
}

// corpus are the playbooks of the examples: as people write them.
func corpus(t testing.TB) map[string]string {
	out := map[string]string{"shop": shop}
	for _, root := range []string{"../../examples", "../../playbooks"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".yaml" {
				return err
			}
			b, err := os.ReadFile(path)
			if docs, findings := document.Nodes(path, b); err == nil && len(findings) == 0 && len(docs) > 0 && strings.Contains(string(b), "\nsteps:") {
				out[path] = string(b)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(out) < 10 {
		t.Fatalf("only %d playbooks", len(out))
	}
	return out
}

// TestInverses: an operation and its inverse give the same text, byte for byte, and every comment survives in between.
func TestInverses(t *testing.T) {
	t.Parallel()
	all := corpus(t)
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	done := map[string]int{}
	exact, unfolded := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(names).Draw(t, "playbook")
		text := all[name]
		paths := edit.Paths([]byte(text), 0)
		if len(paths) == 0 {
			t.Skip()
		}
		path := rapid.SampledFrom(paths).Draw(t, "path")
		other := rapid.SampledFrom(paths).Draw(t, "other")
		var op edit.Operation
		var back func(r edit.Result) edit.Operation
		what := rapid.SampledFrom([]string{"add", "move", "duplicate", "set", "wrap", "rename"}).Draw(t, "what")
		switch what {
		case "add":
			place := rapid.SampledFrom([]edit.Place{{Before: path}, {After: path}, {Into: list(path)}}).Draw(t, "place")
			op = edit.Operation{Do: edit.Add, Step: "# new\nuses: log # x\nwith: {message: a}\n", Place: place}
			back = func(r edit.Result) edit.Operation { return edit.Operation{Do: edit.Remove, Path: r.Path} }
		case "move":
			if list(path) != list(other) {
				t.Skip()
			}
			op = edit.Operation{Do: edit.Move, Path: path, Place: edit.Place{Before: other}}
			back = func(r edit.Result) edit.Operation {
				at := number(path)
				if number(r.Path) >= at {
					return edit.Operation{Do: edit.Move, Path: r.Path, Place: edit.Place{Before: path}}
				}
				return edit.Operation{Do: edit.Move, Path: r.Path, Place: edit.Place{After: path}}
			}
		case "duplicate":
			op = edit.Operation{Do: edit.Duplicate, Path: path}
			back = func(r edit.Result) edit.Operation { return edit.Operation{Do: edit.Remove, Path: r.Path} }
		case "set":
			field := rapid.SampledFrom([]string{"name", "timeout", "with.zz", "env.A", "retry.on"}).Draw(t, "field")
			var v any = rapid.OneOf(rapid.Just("a: b"), rapid.Just("1"), rapid.Just("{{ $.x }}"), rapid.Just("two\nlines\n"), rapid.String()).Draw(t, "value")
			op = edit.Operation{Do: edit.Set, Path: path, Field: field, Value: v}
			back = func(edit.Result) edit.Operation { return edit.Operation{Do: edit.Unset, Path: path, Field: field} }
			if _, err := edit.Apply("p", []byte(text), edit.Operation{Do: edit.Unset, Path: path, Field: field}); err == nil {
				t.Skip() // it is there already
			}
		case "wrap":
			op = edit.Operation{Do: edit.Wrap, Path: path, Block: rapid.SampledFrom([]string{"steps", "parallel", "lock", "foreach"}).Draw(t, "block"), Count: rapid.IntRange(1, 2).Draw(t, "count")}
			back = func(r edit.Result) edit.Operation { return edit.Operation{Do: edit.Unwrap, Path: r.Path} }
		case "rename":
			old := edit.ID([]byte(text), 0, path)
			op = edit.Operation{Do: edit.Rename, Path: path, ID: "an_id_that_is_new"}
			back = func(r edit.Result) edit.Operation { return edit.Operation{Do: edit.Rename, Path: r.Path, ID: old} }
		}
		there, err := edit.Apply(name, []byte(text), op)
		if err != nil {
			if fault.NextOf(err) == "" && !fault.Is(err, fault.Invalid) {
				t.Fatalf("%+v: %v", op, err)
			}
			done["refused "+what]++
			return
		}
		for _, c := range edit.Comments([]byte(text)) {
			if what != "duplicate" && strings.Count(string(there.Text), c) < strings.Count(text, c) {
				t.Fatalf("%+v lost %q:\n%s", op, c, there.Text)
			}
		}
		here, err := edit.Apply(name, there.Text, back(there))
		if err != nil {
			t.Fatalf("%s: %+v, back by %+v: %v\n%s", name, op, back(there), err, there.Text)
		}
		done[what]++
		if string(here.Text) == text {
			exact++
			return
		}
		// A map in brackets that lines were put into is a block from then on: the second round must be exact.
		again, err := edit.Apply(name, here.Text, op)
		if err != nil {
			t.Fatalf("%s: %+v again: %v\n%s", name, op, err, here.Text)
		}
		back2, err := edit.Apply(name, again.Text, back(again))
		if err != nil || string(back2.Text) != string(here.Text) || len(here.Text) == len(text) || !edit.Unfolded([]byte(text), here.Text) {
			t.Fatalf("%s: %+v, back by %+v: %v\n%s\nbetween:\n%s", name, op, back(there), err, cmp.Diff(text, string(here.Text)), there.Text)
		}
		unfolded++
	})
	if exact < 10*unfolded {
		t.Errorf("%d times the text was the same, and %d times only its meaning", exact, unfolded)
	}
	for _, what := range []string{"add", "move", "duplicate", "set", "wrap", "rename"} {
		if done[what] < 3 {
			t.Errorf("%s was tried only %d times, and refused %d times", what, done[what], done["refused "+what])
		}
	}
}

func list(path string) string { return path[:strings.LastIndexByte(path, '[')] }

func number(path string) int {
	n := 0
	for _, c := range path[strings.LastIndexByte(path, '[')+1 : len(path)-1] {
		n = 10*n + int(c-'0')
	}
	return n
}
