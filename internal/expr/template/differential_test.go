package template_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	gotemplate "text/template"

	"github.com/Masterminds/sprig/v3"
	"pgregory.net/rapid"

	"github.com/tendhq/tend/internal/expr/function"
	"github.com/tendhq/tend/internal/expr/template"
	"github.com/tendhq/tend/internal/value"
)

// A generated template without our paths renders as Go's engine with sprig renders it.
func TestRendersAsGoDoes(t *testing.T) {
	t.Parallel()
	root := map[string]any{
		"s": "Text with <b> & \"quotes\"", "e": "", "n": int64(7), "z": int64(0), "t": true, "f": false,
		"l": []any{"a", "b", "c"}, "k": []any{}, "m": map[string]any{"x": "1", "y": "2"},
	}
	rapid.Check(t, func(t *rapid.T) {
		g := generator{t: t}
		src := g.nodes(3)
		var want bytes.Buffer
		theirs, err := gotemplate.New("").Funcs(sprig.TxtFuncMap()).Parse(src)
		if err != nil {
			t.Fatalf("the generator made %q: %v", src, err)
		}
		if err := theirs.Execute(&want, root); err != nil {
			t.Skip("an error there") // here it may be none: comparisons cross types
		}
		ours, err := template.Parse(src, function.Standard())
		if err != nil {
			t.Fatalf("%q: %v", src, err)
		}
		got, err := ours.Render(template.Input{Root: root, Lenient: true, Elements: 10_000, Output: 1 << 20})
		if err != nil {
			t.Fatalf("%q: %v", src, err)
		}
		if value.Text(got.Value) != want.String() {
			t.Fatalf("%q renders %q, Go's engine %q", src, value.Text(got.Value), want.String())
		}
	})
}

// generator writes templates whose texts, numbers, booleans and lists keep to their places, so that both engines can
// render them.
type generator struct {
	t    *rapid.T
	vars int
}

func (g *generator) pick(options ...string) string {
	return rapid.SampledFrom(options).Draw(g.t, "pick")
}

func (g *generator) nodes(depth int) string {
	var b strings.Builder
	for range rapid.IntRange(1, 4).Draw(g.t, "nodes") {
		b.WriteString(g.node(depth))
	}
	return b.String()
}

func (g *generator) node(depth int) string {
	open, shut := g.pick("{{", "{{ ", "{{- "), g.pick("}}", " }}", " -}}")
	if depth == 0 {
		return g.pick("text", " \n ", open+" "+g.text(1)+shut)
	}
	switch rapid.IntRange(0, 6).Draw(g.t, "kind") {
	case 0:
		return g.pick("a", " b ", "\n\tc\n", "}", "- ")
	case 1:
		return open + g.text(depth) + shut
	case 2:
		s := open + "if " + g.truth(depth) + shut + g.nodes(depth-1)
		if g.pick("y", "n") == "y" {
			s += open + "else if " + g.truth(depth) + shut + g.nodes(depth-1)
		}
		if g.pick("y", "n") == "y" {
			s += open + "else" + shut + g.nodes(depth-1)
		}
		return s + open + "end" + shut
	case 3:
		return open + "range " + g.list() + shut + open + " . " + shut + g.leave() + open + "else" + shut + "none" + open + "end" + shut
	case 4:
		g.vars++
		i, e := fmt.Sprintf("$i%d", g.vars), fmt.Sprintf("$e%d", g.vars)
		return open + "range " + i + "," + e + " := " + g.pick("$.l", "$.m", "$.k") + shut + open + " " + i + shut + ":" + open + " " + e + " | upper" + shut + open + "end" + shut
	case 5:
		g.vars++
		x := fmt.Sprintf("$x%d", g.vars)
		return open + x + " := " + g.text(depth-1) + shut + open + " " + x + shut + open + x + " = " + g.text(0) + shut + open + x + " | len" + shut
	default:
		return open + "with " + g.pick("$.s", "$.e", "$.n", "$.z") + shut + open + " . " + shut + open + "else" + shut + "-" + open + "end" + shut
	}
}

func (g *generator) leave() string {
	return g.pick("", `{{if eq . "b"}}{{break}}{{end}}`, `{{if eq . "b"}}{{continue}}{{end}}x`)
}

func (g *generator) list() string {
	return g.pick("$.l", "$.k", "(rest $.l)", "(list \"p\" \"q\")", "(reverse $.l)", "(splitList \",\" \"1,2\")")
}

func (g *generator) text(depth int) string {
	if depth <= 0 {
		return g.pick("$.s", "$.e", `"lit"`, "`raw \\`", `"\t\"q\""`)
	}
	inner := "(" + g.text(depth-1) + ")"
	return g.pick(
		"$.s", `"lit"`, "upper "+inner, "lower "+inner, "trim "+inner, "quote "+inner, "squote "+inner,
		"b64enc "+inner, "b64enc "+inner+" | b64dec", inner+" | trunc 4", "printf \"%s-%d\" "+inner+" "+g.number(depth-1),
		"default \"d\" "+inner, "join \"/\" "+g.list(), "ternary \"y\" \"n\" "+"("+g.truth(depth-1)+")",
		"replace \"t\" \"T\" "+inner, "indent 2 "+inner, "repeat 2 "+inner, "toJson "+inner, "html "+inner,
		"print "+inner, "cat "+inner+" "+inner, "urlquery "+inner, "sha256sum "+inner,
	)
}

func (g *generator) number(depth int) string {
	if depth <= 0 {
		return g.pick("$.n", "$.z", "3", "-2")
	}
	inner := "(" + g.number(depth-1) + ")"
	return "(" + g.pick("add "+inner+" 2", "sub "+inner+" 5", "mul 3 "+inner, "max "+inner+" 4", "min "+inner+" 1", "len $.l") + ")"
}

func (g *generator) truth(depth int) string {
	if depth <= 0 {
		return g.pick("$.t", "$.f", "$.s", "$.e", "$.n", "$.z", "$.l", "$.k")
	}
	return g.pick(
		"not "+g.truth(0), "and "+g.truth(0)+" "+g.truth(0), "or "+g.truth(0)+" "+g.truth(0),
		"eq "+g.number(0)+" "+g.number(0), "gt "+g.number(0)+" "+g.number(0), "le "+g.number(0)+" "+g.number(0),
		"ne $.s \"lit\"", "contains \"e\" $.s", "has \"b\" $.l", "empty "+g.truth(0), "hasKey $.m \"x\"",
	)
}
