package template_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tendhq/tend/internal/expr/function"
	"github.com/tendhq/tend/internal/expr/ref"
	"github.com/tendhq/tend/internal/expr/template"
)

func data() map[string]any {
	return map[string]any{
		"params": map[string]any{"path": "/var/log", "n": int64(5), "none": nil, "empty": "", "f": 2.5, "yes": true},
		"items": []any{
			map[string]any{"name": "a", "tags": []any{"x", "y"}},
			map[string]any{"name": "b", "tags": []any{}},
			map[string]any{"name": "c", "tags": []any{"z"}, "extra": int64(1)},
		},
		"redis-log": map[string]any{"output": "slow", "it's": "quoted"},
		"map":       map[string]any{"z": int64(26), "a": int64(1), "m": int64(13)},
		"größe":     int64(7),
		"list":      []any{int64(1), int64(2), int64(3), int64(4)},
	}
}

func render(t *testing.T, src string, lenient bool) (template.Result, error) {
	t.Helper()
	tmpl, err := template.Parse(src, function.Standard())
	if err != nil {
		return template.Result{}, err
	}
	return tmpl.Render(template.Input{Root: data(), Lenient: lenient, Elements: 1000, Output: 10_000})
}

func TestRender(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, src string
		want      any
	}{
		{"text", "no action", "no action"},
		{"empty", "", ""},
		{"path", "{{ $.params.path }}", "/var/log"},
		{"path from dot", "{{ .params.path }}", "/var/log"},
		{"typed integer", "{{ .params.n }}", int64(5)},
		{"typed float", "{{ .params.f }}", 2.5},
		{"typed bool", "{{ .params.yes }}", true},
		{"typed null", "{{ .params.none }}", nil},
		{"typed list", "{{ $.list[1:3] }}", []any{int64(2), int64(3)}},
		{"typed with trim markers", "{{- .params.n -}}", int64(5)},
		{"space around makes text", " {{ .params.n }}", " 5"},
		{"null in text", "<{{ .params.none }}>", "<>"},
		{"float in text", "<{{ .params.f }}>", "<2.5>"},
		{"list in text", "<{{ .list }}>", "<[1,2,3,4]>"},
		{"map in text", "<{{ .map }}>", `<{"a":1,"m":13,"z":26}>`},
		{"large integers print whole", "<{{ 12345678901234 }}>", "<12345678901234>"},
		{"integral float prints whole", "<{{ 1e6 }}>", "<1000000>"},

		{"index", "{{ $.items[0].name }}", "a"},
		{"index from the end", "{{ $.items[-1].name }}", "c"},
		{"index behind a dot", "{{ $.items.[1].name }}", "b"},
		{"index by name", "{{ $.items.1.name }}", "b"},
		{"all", "{{ $.items[:].name }}", []any{"a", "b", "c"}},
		{"all behind a dot", "{{ $.items.[:].name }}", []any{"a", "b", "c"}},
		{"all with a star", "{{ $.items[*].name }}", []any{"a", "b", "c"}},
		{"slice", "{{ $.items[1:3].name }}", []any{"b", "c"}},
		{"open slice", "{{ $.items[1:].name }}", []any{"b", "c"}},
		{"slice beyond the end", "{{ $.list[2:100] }}", []any{int64(3), int64(4)}},
		{"slice from the end", "{{ $.list[-2:] }}", []any{int64(3), int64(4)}},
		{"nested slices are flat", "{{ $.items[:].tags[:] }}", []any{"x", "y", "z"}},
		{"values of a map in key order", "{{ $.map.* }}", []any{int64(1), int64(13), int64(26)}},
		{"key with dash", "{{ $.'redis-log'.output }}", "slow"},
		{"key with dash from dot", "{{ .'redis-log'.output }}", "slow"},
		{"key in double quotes", `{{ $."redis-log".output }}`, "slow"},
		{"key in brackets", `{{ $["redis-log"]['output'] }}`, "slow"},
		{"key with a quote", `{{ $.'redis-log'.'it\'s' }}`, "quoted"},
		{"letters of other languages", "{{ $.größe }}", int64(7)},
		{"over line breaks", "{{\n  $.params.path\n}}", "/var/log"},
		{"arguments over line breaks", "{{ eq\n   $.params.path\n   \"/var/log\"}}", true},
		{"path behind parentheses", "{{ (index .items 1).name }}", "b"},
		{"index behind parentheses", `{{ (splitList "," "a,b")[1] }}`, "b"},
		{"root", "{{ len $ }}", int64(6)},
		{"dot", "{{ len . }}", int64(6)},

		{"comment", "a{{/* .nope }} */}}b", "ab"},
		{"comment with trim markers", "a {{- /* x */ -}} b", "ab"},
		{"trim left", "a \n{{- .params.n }} b", "a5 b"},
		{"trim right", "a {{ .params.n -}}\n b", "a 5b"},
		{"minus is a number", "{{-5}}", int64(-5)},
		{"text in double quotes", `{{ "a\"}}\n" }}`, "a\"}}\n"},
		{"text in back quotes", "{{ `a\"}}\\n` }}", `a"}}\n`},
		{"character", "{{ 'a' }}", int64(97)},
		{"hexadecimal", "{{ 0x1F }}", int64(31)},
		{"underscores", "{{ 1_000 }}", int64(1000)},
		{"nil", "{{ nil }}", nil},

		{"pipe", `{{ "abc" | upper | quote }}`, `"ABC"`},
		{"pipe puts last", `{{ "b" | printf "%s-%s" "a" }}`, "a-b"},
		{"nested calls", `{{ add 1 (mul 2 (sub 5 2)) }}`, int64(7)},
		{"function without arguments as an argument", `{{ len list }}`, int64(0)},
		{"function names may be keys", `{{ $.list.0 }}`, int64(1)},

		{"if", "{{ if .params.yes }}a{{ else }}b{{ end }}", "a"},
		{"else", "{{ if .params.empty }}a{{ else }}b{{ end }}", "b"},
		{"else if", "{{ if false }}a{{ else if eq 1 1 }}b{{ else }}c{{ end }}", "b"},
		{"if with a variable", "{{ if $x := .params.n }}{{ $x }}{{ end }}", "5"},
		{"with", "{{ with .params }}{{ .n }}{{ end }}", "5"},
		{"with sees the root", "{{ with .params }}{{ $.list[0] }}{{ end }}", "1"},
		{"with else with", "{{ with .params.empty }}a{{ else with .params.n }}{{ . }}{{ end }}", "5"},
		{"with a variable", "{{ with $p := .params }}{{ $p.n }}{{ .n }}{{ end }}", "55"},
		{"range", "{{ range .items }}{{ .name }},{{ end }}", "a,b,c,"},
		{"range with a variable", "{{ range $e := .list }}{{ $e }}{{ end }}", "1234"},
		{"range with two", "{{ range $i, $e := .items }}{{ $i }}{{ $e.name }}{{ end }}", "0a1b2c"},
		{"range over a map", "{{ range $k, $v := .map }}{{ $k }}{{ $v }} {{ end }}", "a1 m13 z26 "},
		{"range over an integer", "{{ range 3 }}{{ . }}{{ end }}", "012"},
		{"range else", "{{ range list }}a{{ else }}b{{ end }}", "b"},
		{"break", "{{ range .list }}{{ if eq . 3 }}{{ break }}{{ end }}{{ . }}{{ end }}", "12"},
		{"continue", "{{ range .list }}{{ if eq . 3 }}{{ continue }}{{ end }}{{ . }}{{ end }}", "124"},
		{"break leaves one range", "{{ range 2 }}{{ range 5 }}{{ if eq . 1 }}{{ break }}{{ end }}{{ . }}{{ end }};{{ end }}", "0;0;"},
		{"set and set again", "{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}", "2"},
		{"inner variable", "{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ end }}{{ $x }}", "1"},
		{"variable with a path", "{{ $x := .items }}{{ $x[2].name }}", "c"},

		{"and stops", "{{ and false (fail \"no\") }}", false},
		{"or stops", "{{ or 1 (fail \"no\") }}", int64(1)},
		{"and gives the last", "{{ and 1 2 }}", int64(2)},
		{"missing inside default", `{{ default "d" $.params.nope }}`, "d"},
		{"missing far up inside default", `{{ default "d" $.nope.x[3].y }}`, "d"},
		{"missing piped into default", `{{ $.nope.x | default "d" }}`, "d"},
		{"missing in parentheses inside default", `{{ default "d" ($.nope.x) }}`, "d"},
		{"missing by index inside default", `{{ default "d" (index $.params "nope") }}`, "d"},
		{"missing inside coalesce", `{{ coalesce $.nope .params.empty "c" }}`, "c"},
		{"missing inside get", `{{ get $.nope "a" "b" }}`, "b"},
		{"get alone", `{{ get $.nope }}`, nil},
		{"missing inside has", `{{ has 1 $.nope }}`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := render(t, c.src, false)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got.Value); diff != "" {
				t.Error(diff)
			}
			lenient, err := render(t, c.src, true)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, lenient.Value); diff != "" {
				t.Errorf("lenient differs: %s", diff)
			}
		})
	}
}

// Missing data is an error with a hint in one dialect and empty in the other.
func TestMissing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		src, strict string
		lenient     any
	}{
		{"{{ $.params.pth }}", `params has no "pth"; did you mean "path"?`, nil},
		{"{{ $.map.b }}", `map has no "b"; it has a, m, z`, nil},
		{"{{ $.redis }}", `the data has no "redis"; it has`, nil},
		{"a{{ $.params.pth }}b", `params has no "pth"`, "ab"},
		{"{{ $.params.none.x }}", `params.none is null and has no "x"`, nil},
		{"{{ $.params.n.x }}", `params.n is a number and has no "x"`, nil},
		{"{{ $.list[9] }}", "list has no [9]: it has 4 elements", nil},
		{"{{ $.list.name }}", `list is a list and has no "name"; [0] is its first element`, nil},
		{"{{ $.params[0] }}", "params is a map and has no [0]", nil},
		{"{{ $.items[:].extra }}", `has no "extra"`, []any{int64(1)}},
		{"{{ $.nope[:].x }}", `the data has no "nope"`, nil},
		{"{{ len $.nope }}", `the data has no "nope"`, int64(0)},
		{"{{ len $.params.none }}", "len: argument 1 is null", int64(0)},
		{"{{ upper $.nope }}", `the data has no "nope"`, ""},
		{"{{ gt (len $.nope) 0 }}", `the data has no "nope"`, false},
		{"{{ gt $.nope 0 }}", `the data has no "nope"`, false},
		{"{{ lt $.params.none 5 }}", "null and a number have no order", false},
		{`{{ eq $.nope "" }}`, `the data has no "nope"`, true},
		{"{{ range $.nope }}a{{ end }}", `the data has no "nope"`, ""},
		{"{{ range $.params.none }}a{{ else }}b{{ end }}", "range over null", "b"},
		{"{{ if $.nope }}a{{ end }}", `the data has no "nope"`, ""},
		{"{{ with $.nope }}a{{ else }}b{{ end }}", `the data has no "nope"`, "b"},
		{"{{ first $.nope }}", `the data has no "nope"`, nil},
		{"{{ rest $.nope }}", `the data has no "nope"`, []any{}},
		{"{{ toJson $.nope }}", `the data has no "nope"`, "null"},
		{"{{ index $.map \"b\" }}", `index: the data has no "b"; it has a, m, z`, nil},
		{`{{ default "d" (upper $.nope) }}`, `the data has no "nope"`, "d"},
	} {
		t.Run(c.src, func(t *testing.T) {
			t.Parallel()
			_, err := render(t, c.src, false)
			if err == nil || !strings.Contains(err.Error(), c.strict) {
				t.Errorf("strict: %v, want %s", err, c.strict)
			}
			got, err := render(t, c.src, true)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.lenient, got.Value); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		src, want string
		offset    int
	}{
		{"{{ .a", "an action is not closed: }} is missing", 5},
		{"ab{{ nope 1 }}", "unknown function nope", 5},
		{"{{ uper .a }}", `unknown function uper; did you mean "upper"?`, 3},
		{"{{ now }}", "unknown function now: templates have no clock", 3},
		{`{{ env "HOME" }}`, "unknown function env: templates do not see the environment", 3},
		{"{{ trunc 5 }}", "trunc takes 2 arguments, not 1: trunc LENGTH TEXT", 3},
		{"{{ upper 1 2 }}", "upper takes 1 argument, not 2", 3},
		{"{{ default }}", "default takes at least 1 argument, not 0", 3},
		{"{{ $x }}", "unknown variable $x", 3},
		{"{{ $item := 1 }}{{ $itm }}", `unknown variable $itm; did you mean "$item"?`, 19},
		{"{{ if .a }}x", "{{ if }} is not closed: {{ end }} is missing", 3},
		{"{{ end }}", "unexpected {{ end }}: nothing is open", 3},
		{"{{ else }}", "unexpected {{ else }}: nothing is open", 3},
		{"{{ if 1 }}{{ else }}{{ else }}{{ end }}", "a second {{ else }}", 23},
		{"{{ break }}", "{{ break }} outside of {{ range }}", 3},
		{`{{ define "a" }}{{ end }}`, "{{ define }} is not part of the language", 3},
		{`{{ template "a" }}`, "{{ template }} is not part of the language", 3},
		{"{{ $.redis-log.output }}", "a key with a dash stands in quotes, .'redis-log'", 10},
		{"{{ .a. }}", "a path ends with a dot", 5},
		{"{{ .a[x] }}", "[x] in a path is no index", 5},
		{"{{ .a[1 }}", "a [ in a path is not closed", 5},
		{"{{ .a['x] }}", "a quoted key in a path is not closed", 6},
		{"{{ .a .b }}", "unexpected .b: what stands before it is a value and takes no arguments", 6},
		{`{{ 1 | "x" }}`, "behind | a function is expected", 7},
		{"{{ (1 }}", "( is not closed", 3},
		{"{{ 1) }}", "unexpected )", 4},
		{"{{ }}", "the action ends where a value is expected", 3},
		{"{{ | upper }}", "unexpected |", 3},
		{`{{ "abc }}`, "a text in quotes is not closed", 3},
		{`{{ 'ab' }}`, "is no character; texts stand in double quotes", 3},
		{"{{ 99999999999999999999999999999999 }}", "", 0},
		{"{{ 1e999 }}", "1e999 is no number", 3},
		{"{{ 12ab }}", "12ab is no number", 3},
		{"{{ .a ? 1 }}", "unexpected '?' in an action", 6},
		{`{{ "a"b }}`, `unexpected 'b' behind "a"`, 6},
		{"{{/* x }}", "a comment is not closed", 0},
		{"{{/* x */ .a }}", "}} is missing behind */", 0},
		{"{{ range $a, $b, $c := . }}{{ end }}", "a range declares its variables with :=", 15},
		{"{{ range $a, $b . }}{{ end }}", "a range declares its variables with :=", 16},
		{"\xff{{ 1 }}", "not UTF-8", 0},
		{`{{ "\xff" }}`, "is not UTF-8", 3},
	} {
		t.Run(c.src, func(t *testing.T) {
			t.Parallel()
			_, err := template.Parse(c.src, function.Standard())
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error is %v, want %s", err, c.want)
			}
			if at := (*ref.Error)(nil); !errors.As(err, &at) || at.Offset != c.offset {
				t.Errorf("offset is %d, want %d", at.Offset, c.offset)
			}
		})
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	t.Parallel()
	_, err := template.Parse("{{ nope 1 }}{{ trunc 1 }}{{ $x }}", function.Standard())
	for _, want := range []string{"nope", "trunc", "$x"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not speak of %s", err, want)
		}
	}
}

func TestRenderErrorsHaveAPlace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		src    string
		offset int
	}{
		{"ab {{ $.params.pth }}", 6},
		{"ab {{ upper .params.pth }}", 12},
		{`ab {{ atoi "x" }}`, 6},
		{"ab {{ range .params.n.x }}{{ end }}", 12},
	} {
		_, err := render(t, c.src, false)
		if at := (*ref.Error)(nil); !errors.As(err, &at) || at.Offset != c.offset {
			t.Errorf("%s: %#v, want offset %d", c.src, err, c.offset)
		}
	}
}
