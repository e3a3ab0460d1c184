package run_test

import (
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/run"
)

// hostile are keys of maps that people loop over.
var hostile = []string{
	"", "a", "7", ".", "..", "a.b", "[", "]", `"`, `\`, `\"`, `"]`, `"].steps[0]`, `\\`, `a"b\c`, "new\nline", "\x00", "\xff\xfe", "ключ", "🔥",
	`foreach["x"]`, ".verify", `x"].verify`, strings.Repeat("k", 300),
}

// nested has every kind of place that a path can name.
func nested() *program.Program {
	check := act(contract.Read)
	leaf := act(contract.Mutate, undone, func(n *program.Node) {
		n.Verify, n.Probe = &program.Check{Step: &check}, &program.Check{Step: &check}
	})
	loop := func(steps ...program.Node) program.Node {
		return program.Node{Kind: program.KindForeach, Foreach: &program.Foreach{}, Steps: steps}
	}
	body := block(program.KindSteps, loop(loop(leaf)))
	body.Catch, body.Finally = []program.Node{leaf}, []program.Node{leaf}
	p := programOf(loop(loop(leaf)), block(program.KindParallel, body))
	p.Catch, p.Finally = []program.Node{leaf}, []program.Node{leaf}
	return p
}

// TestPaths: a path that was built is read back, whatever the keys are.
func TestPaths(t *testing.T) {
	t.Parallel()
	p := nested()
	for _, outer := range hostile {
		for _, inner := range hostile {
			first := run.IterationAt(run.At("", "steps", 0), outer)
			loop := run.At(first, "steps", 0)
			second := run.IterationAt(loop, inner)
			leaf := run.At(second, "steps", 0)
			for _, c := range []struct {
				path string
				want run.Place
			}{
				{first, run.Place{Parent: "steps[0]", Section: "foreach", Index: -1, Key: outer}},
				{loop, run.Place{Parent: first, Section: "steps", Index: 0}},
				{second, run.Place{Parent: loop, Section: "foreach", Index: -1, Key: inner}},
				{leaf, run.Place{Parent: second, Section: "steps", Index: 0}},
				{leaf + ".undo", run.Place{Parent: leaf, Section: "undo", Index: -1}},
				{leaf + ".verify", run.Place{Parent: leaf, Section: "verify", Index: -1}},
			} {
				got := run.PlaceOf(c.path)
				// Bytes that are no text come back as what JSON can hold.
				if got != c.want {
					t.Errorf("%q is read as %+v, not %+v", c.path, got, c.want)
				}
				if strings.HasSuffix(c.path, "]") && strings.Contains(got.Section, "foreach") != got.Iteration() && got.Key != "" {
					t.Errorf("%q: iteration %v", c.path, got.Iteration())
				}
				def, err := run.Locate(p, c.path)
				if err != nil || (def == nil) != got.Iteration() {
					t.Errorf("%q has no definition: %v", c.path, err)
				}
			}
		}
	}
}

func TestNoPath(t *testing.T) {
	t.Parallel()
	p := nested()
	for _, path := range []string{
		"steps", "steps[", "steps[]", "steps[x]", "steps[-1]", "steps[9]", "steps[0", "steps[0].", ".steps[0]", "steps[0]..steps[0]", "steps[0]steps[0]",
		"other[0]", "steps[0].catch[0]", "steps[0].verify", "steps[1].undo", "steps[0].foreach[0]", `steps[0].foreach["a`, `steps[0].foreach["a"]x`,
		`steps[1].foreach["a"]`, `foreach["a"]`, "verify", "undo", "steps[1].parallel[1]", "steps[99999999999999999999]", "catch[1]", "steps[0].stopWhen",
	} {
		if def, err := run.Locate(p, path); err == nil {
			t.Errorf("%q is %+v", path, def)
		}
	}
}

func TestIsUndo(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"steps[0].undo": true, "steps[0].undo.verify": true, "steps[0]": false, "steps[0].verify": false, "": false,
		`steps[0].foreach["a"].steps[0].undo`: true, `steps[0].foreach[".undo"]`: false, `steps[0].foreach["x.undo.y"].steps[0]`: false,
	} {
		if run.IsUndo(path) != want {
			t.Errorf("IsUndo(%q) is %v", path, !want)
		}
	}
}

// FuzzPath: any text is read without a panic, and what is read is written the same way.
func FuzzPath(f *testing.F) {
	for _, s := range append([]string{`steps[1].foreach["7"].steps[0].verify`, "steps[0].catch[1]", `steps[0].foreach["\"]`}, hostile...) {
		f.Add(s, s)
	}
	p := nested()
	f.Fuzz(func(t *testing.T, path, key string) {
		_, _ = run.Locate(p, path)
		_ = run.PlaceOf(path)
		_ = run.IsUndo(path)
		it := run.IterationAt("steps[0]", key)
		if got := run.PlaceOf(it); got.Key != key || got.Parent != "steps[0]" || !got.Iteration() {
			t.Errorf("%q is read as %+v", it, got)
		}
		if got := run.PlaceOf(run.At(it, "steps", 3)); got.Parent != it || got.Index != 3 {
			t.Errorf("%q is read as %+v", run.At(it, "steps", 3), got)
		}
	})
}

func TestFind(t *testing.T) {
	t.Parallel()
	inner := act(contract.Read, named("deep"))
	loop := program.Node{Kind: program.KindForeach, Foreach: &program.Foreach{}, Steps: []program.Node{act(contract.Read, named("each"))}}
	around := block(program.KindSteps, block(program.KindParallel, inner))
	around.Finally = []program.Node{act(contract.Read, named("clean"))}
	p := programOf(act(contract.Read, named("a")), around, loop)
	p.Catch = []program.Node{act(contract.Read, named("mend"))}
	s := fold(t, p)
	for name, want := range map[string]string{
		"a": "steps[0]", "deep": "steps[1].steps[0].parallel[0]", "clean": "steps[1].finally[0]", "mend": "catch[0]",
		"steps[0]": "steps[0]", "steps[1].steps[0]": "steps[1].steps[0]",
		"each": "", "nothing": "", "": "", "steps[7]": "", `steps[2].foreach["0"]`: "",
	} {
		if got, err := s.Find(name); got != want || (err == nil) != (want != "") {
			t.Errorf("%q is %q, not %q: %v", name, got, want, err)
		}
	}
}
