package edit_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/edit"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/language"
)

// TestConnect: whatever step of whatever playbook is connected to whatever other one (beside it, as its verify, its undo, in
// its catch), the text is the playbook that was meant or the refusal says why: it reads without a new finding of the reader,
// every comment but those of an id that went is there, and the step is where the answer says.
func TestConnect(t *testing.T) {
	t.Parallel()
	all := corpus(t)
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	done := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(names).Draw(t, "playbook")
		text := all[name]
		paths := edit.Paths([]byte(text), 0)
		if len(paths) == 0 {
			t.Skip()
		}
		path, other := rapid.SampledFrom(paths).Draw(t, "path"), rapid.SampledFrom(paths).Draw(t, "other")
		what := rapid.SampledFrom([]string{"verify", "undo", "beside", "catch"}).Draw(t, "what")
		move := edit.Operation{Do: edit.Move, Path: path}
		now := text
		switch what {
		case "verify":
			move.Place.Into, move.Value = other+".verify", map[string]any{"until": "result.value == 1"}
		case "undo":
			move.Place.Into = other + ".undo"
		case "beside":
			if inside(path, other) || inside(other, path) {
				t.Skip()
			}
			r, err := edit.Apply(name, []byte(text), edit.Operation{Do: edit.Wrap, Path: other, Block: "parallel"})
			if err != nil {
				return
			}
			now, move.Place.After = string(r.Text), r.Path+".parallel[0]"
		case "catch":
			move.Place.Into = "catch"
		}
		r, err := edit.Apply(name, []byte(now), move)
		if err != nil {
			if fault.NextOf(err) == "" && !fault.Is(err, fault.Invalid) {
				t.Fatalf("%+v: %v", move, err)
			}
			done["refused "+what]++
			return
		}
		done[what]++
		id := edit.ID([]byte(text), 0, path)
		for _, c := range edit.Comments([]byte(text)) {
			ofID := id != "" && slices.ContainsFunc(strings.Split(text, "\n"), func(l string) bool { return strings.Contains(l, "id: "+id) && strings.Contains(l, c) })
			if strings.Count(string(r.Text), c) < strings.Count(text, c) && !ofID {
				t.Fatalf("%+v lost %q:\n%s", move, c, r.Text)
			}
		}
		parts, err := edit.Outline(name, r.Text, 0)
		if err != nil || !slices.ContainsFunc(parts, func(p edit.Part) bool { return p.Path == r.Path }) {
			t.Fatalf("%+v: nothing stands at %q (%v):\n%s", move, r.Path, err, r.Text)
		}
		if a, b := errors(name, text), errors(name, string(r.Text)); b > a && !empty(string(r.Text)) {
			_, findings := language.Parse(name, r.Text)
			t.Fatalf("%+v: %v\n%s", move, findings, r.Text)
		}
	})
	for _, what := range []string{"beside", "catch"} { // most steps cannot be a verify: the tables show those that can
		if done[what] < 3 {
			t.Errorf("%s was tried only %d times, and refused %d times", what, done[what], done["refused "+what])
		}
	}
}

func inside(inner, outer string) bool { return inner == outer || strings.HasPrefix(inner, outer+".") }

// empty tells a text with a list that lost its last step: that is an error, and one that a person asked for.
func empty(text string) bool { return strings.Contains(text, " []") || strings.Contains(text, ":[]") }

func errors(name, text string) int {
	n := 0
	_, findings := language.Parse(name, []byte(text))
	for _, f := range findings {
		if f.Severity == document.Error {
			n++
		}
	}
	return n
}

// TestLastOne: a block that loses its last step goes, and the path that is told is the one that holds then.
func TestLastOne(t *testing.T) {
	t.Parallel()
	const text = "apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: p}\nsteps:\n  - uses: log\n    with: {message: a}\n  - lock: # held\n      key: k\n      steps:\n        - parallel:\n            - uses: log\n              with: {message: b} # b\n  - uses: log\n    with: {message: c}\n"
	got, path := apply(t, text, edit.Operation{Do: edit.Move, Path: "steps[1].steps[0].parallel[0]", Place: edit.Place{Into: "steps"}})
	want := "apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: p}\nsteps:\n  - uses: log\n    with: {message: a}\n  - uses: log\n    with: {message: c}\n  - uses: log\n    with: {message: b} # b\n"
	if got != want || path != "steps[2]" {
		t.Errorf("at %s:\n%s", path, got)
	}
	got, _ = apply(t, text, edit.Operation{Do: edit.Remove, Path: "steps[1].steps[0].parallel[0]"})
	if strings.Contains(got, "lock") || !strings.Contains(got, "message: c") {
		t.Error(got)
	}
}

// TestOutlineFields: fields are found where they stand, and named as an edit names them.
func TestOutlineFields(t *testing.T) {
	t.Parallel()
	parts, err := edit.Outline("p.yaml", []byte(shop), 0)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(shop, "\n")
	seen := 0
	for _, p := range parts {
		for _, f := range p.Fields {
			seen++
			last := f.Path[strings.LastIndexAny(f.Path, ".")+1:]
			if !strings.HasPrefix(lines[f.Line-1][f.Column-1:], last) {
				t.Errorf("%s %s is not at %d:%d: %q", p.Path, f.Path, f.Line, f.Column, lines[f.Line-1])
			}
		}
	}
	if seen < 12 {
		t.Errorf("only %d fields", seen)
	}
}
