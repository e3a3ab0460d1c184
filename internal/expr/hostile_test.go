package expr_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/expr"
)

// quick is how long the worst expression may take on a slow, busy machine.
const quick = 10 * time.Second

// harmless are those that may well have a value, if it comes soon.
var harmless = map[string]bool{"CEL not": true, "CEL minus": true, "CEL regex loop": true, "fromJson": true}

// Bombs end soon, with an error, and without much memory. They run one after the other: memory is the process's.
func TestBombs(t *testing.T) {
	doubled := func(n int) string { // a list of lists of lists, 2^n elements when written out
		return `{{ $a := list "x" }}` + strings.Repeat(`{{ $a = list $a $a }}`, n)
	}
	flat := func(n int) string { return `{{ $a := list "x" }}` + strings.Repeat(`{{ $a = concat $a $a }}`, n) }
	nest := func(n int) string { return strings.Repeat("[", n) + "1" + strings.Repeat("]", n) }
	maps := func(n int, inner string) string {
		return "[" + inner + "]" + strings.Repeat(".map(x, [x, x])", n)
	}
	for name, e := range map[string]expr.Expr{
		"range":                 tmpl("{{range 2000000000}}x{{end}}"),
		"range without output":  tmpl("{{range 2000000000}}{{end}}"),
		"nested ranges":         tmpl(strings.Repeat("{{range 1000}}", 10) + "x" + strings.Repeat("{{end}}", 10)),
		"range over until":      tmpl("{{range until 2000000000}}x{{end}}"),
		"untilStep":             tmpl("{{untilStep 0 9223372036854775807 1}}"),
		"untilStep down":        tmpl("{{untilStep 9223372036854775807 -9223372036854775808 -1}}"),
		"seq":                   tmpl("{{seq 1 2000000000}}"),
		"repeat":                tmpl(`{{repeat 2000000000 "x"}}`),
		"repeat repeat":         tmpl(`{{repeat 1000000 (repeat 1000000 "x")}}`),
		"repeat overflow":       tmpl(`{{repeat 9223372036854775807 "xyz"}}`),
		"indent":                tmpl(`{{indent 2000000000 "x"}}`),
		"indent lines":          tmpl(`{{indent 1000000 (repeat 1000000 "\n")}}`),
		"replace":               tmpl(`{{replace "" (repeat 100000 "x") (repeat 100000 "y")}}`),
		"printf width":          tmpl(`{{printf "%999999999d" 1}}`),
		"printf precision":      tmpl(`{{printf "%.999999999f" 1.5}}`),
		"printf many":           tmpl(`{{$s := repeat 900000 "x"}}{{printf "%s%s%s%s" $s $s $s $s}}`),
		"join":                  tmpl(`{{join (repeat 100000 "x") (until 90000)}}`),
		"lists of lists":        tmpl(doubled(60) + "{{ toJson $a }}"),
		"lists of lists, value": tmpl(doubled(60) + "{{ $a }}"),
		"lists of lists, equal": tmpl(doubled(60) + "{{ eq $a $a }}"),
		"lists of lists, has":   tmpl(doubled(60) + "{{ has $a (list $a) }}"),
		"lists of lists, uniq":  tmpl(doubled(60) + "{{ uniq (list $a $a) }}"),
		"lists of lists, merge": tmpl(`{{ $a := dict "k" 1 }}` + strings.Repeat(`{{ $a = dict "l" $a "r" $a }}`, 60) + `{{ merge $a $a }}`),
		"lists of lists, join":  tmpl(doubled(60) + `{{ join "," $a }}`),
		"lists of lists, sort":  tmpl(doubled(60) + `{{ sortAlpha $a }}`),
		"lists of lists, print": tmpl(doubled(60) + `{{ print $a }}`),
		"concat":                tmpl(flat(60) + "{{ len $a }}"),
		"deep lists":            tmpl(`{{ $a := list 1 }}{{ range 90000 }}{{ $a = list $a }}{{ end }}{{ toJson $a }}`),
		"append in a loop":      tmpl(`{{ $a := list }}{{ range 90000 }}{{ $a = append $a 1 }}{{ end }}{{ len $a }}`),
		"text grows":            tmpl(`{{ $a := "x" }}{{ range 1000 }}{{ $a = print $a $a }}{{ end }}{{ len $a }}`),
		"hash in a loop":        tmpl(`{{ $s := repeat 1000000 "x" }}{{ range 90000 }}{{ $x := sha256sum $s }}{{ end }}`),
		"text in a loop":        tmpl(`{{ $s := repeat 1000000 "x" }}{{ range 90000 }}{{ $x := upper $s }}{{ end }}`),
		"regex in a loop":       tmpl(`{{ $s := repeat 100000 "a" }}{{ range 90000 }}{{ $x := regexMatch "(a|aa)*b" $s }}{{ end }}`),
		"regex size":            tmpl(`{{ regexMatch "((((a{100}){100}){100}){100})" "a" }}`),
		"regex repeats":         tmpl(`{{ regexMatch "(x{1000}){1000}" "a" }}`),
		"regex over text":       tmpl(`{{ $s := repeat 1000000 "a" }}{{ regexFindAll "(a*)*(a{0,500})*b" $s -1 }}`),
		"regex matches":         tmpl(`{{ regexFindAll "" (repeat 1000000 "a") -1 }}`),
		"regex replacement":     tmpl(`{{ regexReplaceAll "(a*)" (repeat 100000 "a") (repeat 10000 "$1") }}`),
		"regex split":           tmpl(`{{ regexSplit "" (repeat 1000000 "a") -1 }}`),
		"split":                 tmpl(`{{ splitList "" (repeat 1000000 "a") }}`),
		"split map":             tmpl(`{{ split "" (repeat 1000000 "a") }}`),
		"quadratic uniq":        tmpl(`{{ uniq (until 90000) }}`),
		"fromJson":              tmpl(`{{ fromJson (repeat 1000000 "[") }}`),
		"parentheses":           tmpl("{{" + strings.Repeat("(", 100000) + "1" + strings.Repeat(")", 100000) + "}}"),
		"blocks":                tmpl(strings.Repeat("{{if true}}", 50000) + strings.Repeat("{{end}}", 50000)),
		"else if":               tmpl("{{if false}}" + strings.Repeat("{{else if false}}", 50000) + "{{end}}"),
		"open blocks":           tmpl(strings.Repeat("{{range .}}", 90000)),
		"10 MB of text":         tmpl(strings.Repeat("x", 10<<20)),
		"10 MB of actions":      tmpl(strings.Repeat("{{.a}}", 10<<20/6)),
		"long path":             tmpl("{{ $" + strings.Repeat(".a", 100000) + " }}"),
		"long call":             tmpl("{{ list " + strings.Repeat("1 ", 100000) + " }}"),
		"braces":                tmpl(strings.Repeat("{{", 400000)),
		"invalid UTF-8":         tmpl("{{ .a }}\xff\xfe"),
		"NUL":                   tmpl("{{ \x00 }}"),

		"CEL comprehension":     logic("lists.range(1000).all(a, lists.range(1000).all(b, lists.range(1000).all(c, a + b + c >= 0)))"),
		"CEL range":             logic("lists.range(2000000000).size() > 0"),
		"CEL range of ranges":   logic("lists.range(99999).map(x, lists.range(99999))"),
		"CEL lists of lists":    logic(maps(60, "1") + " == " + maps(60, "1")),
		"CEL lists as a value":  logic(maps(60, "1")),
		"CEL flatten":           logic(maps(60, "1") + ".flatten(100)"),
		"CEL distinct":          logic("[" + maps(60, "1") + "," + maps(60, "1") + "].distinct()"),
		"CEL in":                logic(maps(60, "1") + " in [" + maps(60, "1") + "]"),
		"CEL sets":              logic("sets.contains([" + maps(60, "1") + "], [" + maps(60, "1") + "])"),
		"CEL format":            logic(`"%s".format([` + maps(60, "1") + `])`),
		"CEL quadratic":         logic("lists.range(99999).distinct()"),
		"CEL quadratic sets":    logic("sets.equivalent(lists.range(99999), lists.range(99999))"),
		"CEL concat":            logic("[[1]]" + strings.Repeat(".map(x, x + x)", 60) + "[0].size() > 0"),
		"CEL text":              logic(`["x"]` + strings.Repeat(".map(x, x + x)", 60) + "[0].size() > 0"),
		"CEL replace":           logic(`["x"]` + strings.Repeat(".map(x, x + x)", 19) + `.map(x, x.replace("", x))[0].size() > 0`),
		"CEL join":              logic(`["x"]` + strings.Repeat(".map(x, x + x)", 19) + `.map(x, lists.range(90000).map(i, x).join(","))[0].size() > 0`),
		"CEL regex":             logic(`["a"]` + strings.Repeat(".map(x, x + x)", 19) + `.all(x, x.matches("(a*)*(a{0,500})*b"))`),
		"CEL regex size":        logic(`"a".matches("((((a{100}){100}){100}){100})")`),
		"CEL regex loop":        logic(`lists.range(90000).all(i, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".matches("(a|aa){50}") || true)`),
		"CEL nesting":           logic(nest(50000)),
		"CEL parentheses":       logic(strings.Repeat("(", 30000) + "1" + strings.Repeat(")", 30000)),
		"CEL operators":         logic("1" + strings.Repeat(" + 1", 30000)),
		"CEL not":               logic(strings.Repeat("!", 60000) + "true"),
		"CEL minus":             logic(strings.Repeat("-", 60000) + "1"),
		"CEL ternary":           logic(strings.Repeat("true ? ", 9000) + "1" + strings.Repeat(" : 2", 9000)),
		"CEL selects":           logic("a" + strings.Repeat(".b", 30000)),
		"CEL 10 MB":             logic(strings.Repeat("x", 10<<20)),
		"CEL 10 MB text":        logic(`"` + strings.Repeat("x", 10<<20) + `"`),
		"CEL invalid UTF-8":     logic("\xff"),
		"CEL NUL":               logic("a\x00b"),
		"CEL precision":         logic(`"%.999999999f".format([1.5])`),
		"long bare path":        path(strings.Repeat("a.", 5_000_000) + "a"),
		"bare path of brackets": path(strings.Repeat("[", 5_000_000)),
	} {
		t.Run(name, func(t *testing.T) {
			for _, d := range []expr.Dialect{expr.Strict, expr.Lenient} {
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				started := time.Now()
				v := expr.New(expr.Limits{})
				got, err := v.Value(e, scope(d))
				if err == nil && !harmless[name] {
					t.Errorf("%s: no error but %.100v", d, fmt.Sprint(got))
				}
				if err != nil && len(err.Error()) > 2000 {
					t.Errorf("%s: an error of %d bytes", d, len(err.Error()))
				}
				took := time.Since(started)
				runtime.ReadMemStats(&after)
				t.Logf("%s: %v, %d MiB: %v", d, took.Round(time.Millisecond), (after.TotalAlloc-before.TotalAlloc)>>20, err)
				if took > quick {
					t.Errorf("%s: took %v", d, took)
				}
				if most := uint64(3 << 30); after.TotalAlloc-before.TotalAlloc > most {
					t.Errorf("%s: allocated %d MiB", d, (after.TotalAlloc-before.TotalAlloc)>>20)
				}
			}
		})
	}
}

// Large data is no bomb: what people do with it works.
func TestLargeDataWorks(t *testing.T) {
	t.Parallel()
	rows := make([]any, 50_000)
	for i := range rows {
		rows[i] = map[string]any{"id": int64(i), "name": fmt.Sprintf("pod-%d", i), "ok": i%2 == 0}
	}
	s := expr.Scope{Dialect: expr.Strict, Root: map[string]any{"rows": rows, "text": strings.Repeat("line of a log\n", 50_000)}}
	v := expr.New(expr.Limits{})
	for _, e := range []expr.Expr{
		tmpl("{{ len .rows }}"),
		tmpl("{{ .rows }}"),
		tmpl("{{ toJson (slice .rows 0 10) }}"),
		tmpl("{{ range .rows }}{{ if .ok }}{{ .name }},{{ end }}{{ end }}"),
		tmpl("{{ .rows[:].name }}"),
		tmpl("{{ len (splitList \"\\n\" .text) }}"),
		tmpl("{{ join \",\" .rows[:].name }}"),
		tmpl("{{ regexFindAll \"l[a-z]+e\" .text 10 }}"),
		tmpl("{{ regexMatch \"nothing here$\" .text }}"),
		tmpl("{{ .text | trunc 100 | quote }}"),
		tmpl("{{ uniq .rows[:].ok }}"),
		tmpl("{{ sortAlpha .rows[:].name }}"),
		logic("rows.filter(r, r.ok).size() == 25000"),
		logic("rows.exists(r, r.name == \"pod-49999\")"),
		logic("text.contains(\"log\") && size(text) > 1000"),
		logic("text.matches(\"nothing here$\") == false"),
		path("rows[:].id"),
	} {
		if _, err := v.Value(e, s); err != nil {
			t.Errorf("%s: %v", e.Source, err)
		}
	}
}
