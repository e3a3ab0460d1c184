package graph_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tendhq/tend/internal/cell"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/graph"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/value"
)

var update = flag.Bool("update", os.Getenv("TEND_UPDATE") != "", "write the golden files anew")

func logic(s string) *expr.Expr { return &expr.Expr{Kind: expr.Logic, Source: s} }

func tmpl(s string) *expr.Expr { return &expr.Expr{Kind: expr.Template, Source: s} }

func lit(v any) *expr.Expr { return &expr.Expr{Lit: v} }

func act(id, uses string, e contract.Effect) program.Node {
	return program.Node{Kind: program.KindAction, ID: id, Uses: uses, Effect: e}
}

// everything uses each construct of the language once.
func everything() *program.Program {
	clean := act("clean", "shell", contract.Mutate)
	clean.When = logic("steps.usage.value > params.limit")
	clean.Target = []expr.Expr{*tmpl("path:{{ $.params.path }}")}
	clean.Retry = &program.Retry{Attempts: 3}
	clean.Timeout = value.Duration(5 * time.Minute)
	clean.Irreversible = true
	verify, undo, probe := act("", "shell", contract.Read), act("", "shell", contract.Mutate), act("", "http", contract.Read)
	clean.Verify = &program.Check{Step: &verify, Until: logic("result.value < params.limit"), Within: value.Duration(time.Minute)}
	clean.Undo = &program.Undo{Step: &undo}
	clean.OnDoubt = "probe"
	clean.Probe = &program.Check{Step: &probe, Until: logic("result.status == 200")}
	each := act("restart", "kubernetes/rollout-restart", contract.Mutate)
	each.Undo = &program.Undo{None: "a restart leaves nothing behind"}
	return &program.Program{
		Metadata: contract.Metadata{Name: "everything", Description: "One of each.\nOn two lines."},
		Timeout:  value.Duration(90 * time.Minute),
		Steps: []program.Node{
			act("usage", "shell", contract.Read),
			clean,
			{Kind: program.KindForeach, ID: "pods", Foreach: &program.Foreach{
				In: &expr.Tree{Scalar: logic("steps.usage.pods")}, Key: "i", Value: "pod", Parallel: 4,
				When: logic("pod.restarts > 3"), Break: logic("steps.restart.left == 0"),
			}, Steps: []program.Node{each}},
			{Kind: program.KindParallel, Steps: []program.Node{
				{Kind: program.KindSteps, Steps: []program.Node{act("a", "log", contract.Read), act("b", "log", contract.Read)}},
				act("c", "http", contract.Read),
			}},
			{
				Kind: program.KindLock, LockKey: tmpl("cart/{{ $.params.env }}"), Steps: []program.Node{act("locked", "sql", contract.Idempotent)},
				Catch:    []program.Node{act("", "log", contract.Read)},
				Finally:  []program.Node{act("", "log", contract.Read)},
				StopWhen: &program.StopWhen{Check: program.Check{Until: logic("params.stop")}},
			},
			{Kind: program.KindWait, Wait: &program.Wait{Duration: lit("30s")}},
			{Kind: program.KindApprove, ID: "sure", Task: &program.Task{Approval: program.Approval{
				Message: lit("Restart the cart?"), From: []string{"ops"}, Count: 2, NotRequester: true,
			}}},
			{Kind: program.KindAsk, Task: &program.Task{}},
			{Kind: program.KindCall, Call: &program.Call{Program: "notify"}},
			{Kind: program.KindSteps, When: logic("params.last"), Steps: []program.Node{
				{Kind: program.KindAssert, Assert: &program.Assert{That: logic("steps.usage.value > 0")}},
				{Kind: program.KindFail, Message: lit("stop here")},
			}},
		},
		Catch:   []program.Node{act("tell", "slack/message", contract.Mutate)},
		Finally: []program.Node{act("bye", "log", contract.Read)},
	}
}

func progress(path string) graph.Mark {
	switch path {
	case "steps[0]":
		return graph.Mark{Status: "succeeded", Note: "0.2s"}
	case "steps[1]":
		return graph.Mark{Status: "in-doubt"}
	case "steps[2]":
		return graph.Mark{Status: "running", Note: "3 of 7"}
	case "steps[3].parallel[0]":
		return graph.Mark{Status: "skipped"}
	case "catch[0]":
		return graph.Mark{Status: "failed"}
	}
	return graph.Mark{}
}

func TestRenderers(t *testing.T) {
	t.Parallel()
	for name, draw := range map[string]func(io.Writer, *program.Program) error{
		"tree.txt": func(w io.Writer, p *program.Program) error { return graph.Text(w, p, graph.TextOptions{}) },
		"ascii.txt": func(w io.Writer, p *program.Program) error {
			return graph.Text(w, p, graph.TextOptions{ASCII: true, Width: 60})
		},
		"run.txt": func(w io.Writer, p *program.Program) error {
			return graph.Text(w, p, graph.TextOptions{State: progress, Color: true})
		},
		"mermaid.mmd": func(w io.Writer, p *program.Program) error { return graph.Mermaid(w, p, progress) },
		"graph.dot":   func(w io.Writer, p *program.Program) error { return graph.Dot(w, p, nil) },
		"graph.svg":   func(w io.Writer, p *program.Program) error { return graph.SVG(w, p, progress) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			if err := draw(&b, everything()); err != nil {
				t.Fatal(err)
			}
			golden(t, name, b.Bytes())
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
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

func TestStatic(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"steps[1]":                       "steps[1]",
		`steps[1].foreach["7"].steps[0]`: "steps[1].foreach.steps[0]",
		`steps[1].foreach["a]\"["].steps[0].foreach[3].steps[1]`: "steps[1].foreach.steps[0].foreach.steps[1]",
		`steps[1].foreach["7`: "steps[1].foreach",
	} {
		if got := graph.Static(in); got != want {
			t.Errorf("Static(%q) = %q, want %q", in, got, want)
		}
	}
}

// hostile texts try to leave the quotes of every renderer.
var hostile = []string{
	"plain", `"]; evil["`, "</text><script>alert(1)</script>", "a\x1b[31mb", "\x00\x07", "日本語 🚀", "` ' \" \\ | { } <br/> --> end;", "%%{init}%%", "\xff\xfe", "]]>",
	strings.Repeat("long ", 60),
}

// programs generates programs of all shapes with hostile texts in them.
func programs() *rapid.Generator[*program.Program] {
	return rapid.Custom(func(t *rapid.T) *program.Program {
		p := &program.Program{Metadata: contract.Metadata{Name: word(t), Description: word(t)}, Steps: nodes(t, 2)}
		if rapid.Bool().Draw(t, "catch") {
			p.Catch = nodes(t, 1)
		}
		if rapid.Bool().Draw(t, "finally") {
			p.Finally = nodes(t, 1)
		}
		return p
	})
}

func word(t *rapid.T) string { return rapid.SampledFrom(hostile).Draw(t, "word") }

func nodes(t *rapid.T, depth int) []program.Node {
	out := make([]program.Node, rapid.IntRange(0, 3).Draw(t, "nodes"))
	for i := range out {
		out[i] = node(t, depth)
	}
	return out
}

func node(t *rapid.T, depth int) program.Node {
	n := program.Node{Name: word(t), When: tmpl(word(t)), Uses: word(t), Effect: contract.Mutate}
	kinds := []program.Kind{program.KindAction, program.KindWait, program.KindApprove, program.KindAssert, program.KindFail, program.KindCall}
	if depth > 0 {
		kinds = append(kinds, program.KindSteps, program.KindForeach, program.KindParallel, program.KindLock)
	}
	n.Kind = rapid.SampledFrom(kinds).Draw(t, "kind")
	if depth == 0 {
		return n
	}
	switch n.Kind {
	case program.KindSteps, program.KindForeach, program.KindParallel, program.KindLock:
		n.Steps = nodes(t, depth-1)
	case program.KindAction:
		v := node(t, 0)
		n.Verify = &program.Check{Step: &v, Until: logic(word(t))}
	default:
	}
	if rapid.Bool().Draw(t, "handlers") {
		n.Catch, n.Finally = nodes(t, 0), nodes(t, 0)
	}
	return n
}

func TestLayoutHoldsTogether(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := graph.New(programs().Draw(t, "program"), progress)
		boxes := map[string]graph.Box{}
		for _, b := range l.Boxes {
			if _, twice := boxes[b.Path]; twice {
				t.Fatalf("two boxes at %s", b.Path)
			}
			boxes[b.Path] = b
			if b.X < 0 || b.Y < 0 || b.X+b.W > l.W || b.Y+b.H > l.H {
				t.Fatalf("%s leaves the page: %+v in %d×%d", b.Path, b, l.W, l.H)
			}
			if p, ok := boxes[b.Parent]; b.Parent != "" && (!ok || b.X < p.X || b.Y < p.Y || b.X+b.W > p.X+p.W || b.Y+b.H > p.Y+p.H) {
				t.Fatalf("%s leaves its block %s", b.Path, b.Parent)
			}
		}
		for i, a := range l.Boxes {
			for _, b := range l.Boxes[i+1:] {
				if a.Parent == b.Parent && a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H {
					t.Fatalf("%s and %s overlap: %+v %+v", a.Path, b.Path, a, b)
				}
			}
		}
		for _, e := range l.Edges {
			if _, ok := boxes[e.From]; e.From != "" && !ok {
				t.Fatalf("an edge begins nowhere: %+v", e)
			}
			if _, ok := boxes[e.To]; e.To != "" && !ok {
				t.Fatalf("an edge ends nowhere: %+v", e)
			}
			for i := 1; i < len(e.Points); i++ {
				if e.Points[i].X != e.Points[i-1].X && e.Points[i].Y != e.Points[i-1].Y {
					t.Fatalf("a slanted edge: %+v", e)
				}
			}
		}
	})
}

// A text of the drawing.
type label struct {
	X      int    `xml:"x,attr"`
	Y      int    `xml:"y,attr"`
	Anchor string `xml:"text-anchor,attr"`
	Role   string `xml:"tspan"`
	Text   string `xml:",chardata"`
}

// area is what a text covers at most: eight pixels for each cell, which is more than its fonts take.
func (l label) area() image.Rectangle {
	w := 8 * cell.Width(l.Role+l.Text)
	left := l.X
	switch l.Anchor {
	case "middle":
		left -= w / 2
	case "end":
		left -= w
	}
	return image.Rect(left, l.Y-10, left+w, l.Y+4)
}

// TestTextsAreReadable: whatever a playbook and its run say, no text covers another one, and no line runs through one.
func TestTextsAreReadable(t *testing.T) {
	t.Parallel()
	status := rapid.SampledFrom([]string{"", "succeeded", "failed", "in-doubt", "skipped", "running"})
	note := rapid.SampledFrom([]string{"", "27ms", "1m30.5s", "1200 of 34000"})
	rapid.Check(t, func(t *rapid.T) {
		p, marks := programs().Draw(t, "program"), map[string]graph.Mark{}
		state := func(path string) graph.Mark {
			if _, ok := marks[path]; !ok {
				marks[path] = graph.Mark{Status: status.Draw(t, "status"), Note: note.Draw(t, "note")}
			}
			return marks[path]
		}
		var b bytes.Buffer
		if err := graph.SVG(&b, p, state); err != nil {
			t.Fatal(err)
		}
		var svg struct {
			Texts []label `xml:"g>text"`
		}
		if err := xml.Unmarshal(b.Bytes(), &svg); err != nil {
			t.Fatal(err)
		}
		l, steps := graph.New(p, state), map[string]bool{}
		for _, x := range l.Boxes {
			steps[x.Path] = !x.Block
		}
		for i, x := range svg.Texts {
			for _, y := range svg.Texts[i+1:] {
				if x.area().Overlaps(y.area()) {
					t.Fatalf("%q and %q cover each other: %v %v", x.Text, y.Text, x.area(), y.area())
				}
			}
			for _, e := range l.Edges {
				if e.Kind == graph.OnFail && steps[e.From] {
					continue // the language has catch on blocks only
				}
				for i := 1; i < len(e.Points); i++ {
					from, to := e.Points[i-1], e.Points[i]
					line := image.Rect(8*from.X, 8*from.Y, 8*to.X, 8*to.Y)
					line.Max = line.Max.Add(image.Pt(1, 1))
					if x.area().Overlaps(line) {
						t.Fatalf("the line from %s to %s runs through %q: %v %v", e.From, e.To, x.Text, line, x.area())
					}
				}
			}
		}
	})
}

func TestOutputIsWellFormed(t *testing.T) {
	t.Parallel()
	node := regexp.MustCompile(`^\s*(n\d+e?|s0|e0)( |\[|\{|\(|$)|^\s*(subgraph n\d+\[".*"\]|end|direction TB|flowchart TD|classDef .*|class .*)$`)
	rapid.Check(t, func(t *rapid.T) {
		p := programs().Draw(t, "program")
		var svg, text, mermaid, dot bytes.Buffer
		if err := errors.Join(graph.SVG(&svg, p, progress), graph.Text(&text, p, graph.TextOptions{Width: 50}), graph.Mermaid(&mermaid, p, progress), graph.Dot(&dot, p, nil)); err != nil {
			t.Fatal(err)
		}
		for d := xml.NewDecoder(&svg); ; {
			tok, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if s, ok := tok.(xml.StartElement); ok && s.Name.Local == "script" {
				t.Fatal("a text became an element")
			}
		}
		for _, r := range text.String() {
			if unicode.IsControl(r) && r != '\n' {
				t.Fatalf("control character %q reaches the terminal", r)
			}
		}
		for line := range strings.Lines(mermaid.String()) {
			if line = strings.TrimRight(line, "\n"); !node.MatchString(line) || strings.Count(line, `"`)%2 != 0 {
				t.Fatalf("mermaid line %q", line)
			}
		}
		if n := strings.Count(strings.ReplaceAll(strings.ReplaceAll(dot.String(), `\\`, ""), `\"`, ""), `"`); n%2 != 0 {
			t.Fatal("dot has an open quote")
		}
	})
}

func ExampleText() {
	p := &program.Program{
		Metadata: contract.Metadata{Name: "restart"},
		Steps: []program.Node{
			{Kind: program.KindApprove, Task: &program.Task{Approval: program.Approval{Message: lit("Restart it?")}}},
			{Kind: program.KindAction, ID: "again", Uses: "shell", Effect: contract.Mutate},
		},
	}
	var b strings.Builder
	_ = graph.Text(&b, p, graph.TextOptions{ASCII: true})
	fmt.Print(b.String())
	// Output:
	// restart
	// |
	// +- ? approve Restart it?
	// |     approval by one person
	// `- * again  shell, mutate
}
