package expr_test

import (
	"errors"
	"testing"

	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/value"
)

// exercise evaluates e in every way. Whatever the source, errors are *expr.Error with a place in it, values can be stored,
// and Uses agrees with Check.
func exercise(t *testing.T, e expr.Expr) {
	t.Helper()
	v := expr.New(expr.Limits{Output: 10_000, Elements: 1000, Cost: 10_000})
	for _, d := range []expr.Dialect{expr.Strict, expr.Lenient} {
		s := scope(d)
		checked := v.Check(e, d)
		uses, err := v.Uses(e, d)
		if (err == nil) != (checked == nil) {
			t.Fatalf("Check says %v, Uses %v", checked, err)
		}
		for _, p := range uses.Paths {
			if p.Offset < 0 || p.Length < 0 || p.Offset+p.Length > len(e.Source) {
				t.Fatalf("a path at %d, %d of %d bytes", p.Offset, p.Length, len(e.Source))
			}
		}
		x, err := v.Value(e, s)
		placed(t, e, err)
		if err == nil && checked != nil {
			t.Fatalf("a value of what does not compile: %v", checked)
		}
		if err == nil {
			if _, err := value.Canonical(x); err != nil {
				t.Fatalf("%#v cannot be stored: %v", x, err)
			}
		}
		if deferred, ok := expr.AsDeferred(x); ok {
			_, err := finish(v, deferred, d, func(string) (secret.Value, error) { return secret.New("planted"), nil })
			placed(t, e, err)
		}
		_, err = v.Truth(e, s)
		placed(t, e, err)
		if ok, err := v.Holds(e, s); ok && err != nil {
			t.Fatalf("holds with an error: %v", err)
		}
	}
}

func placed(t *testing.T, e expr.Expr, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range several.Unwrap() {
			placed(t, e, one)
		}
		return
	}
	var at *expr.Error
	if !errors.As(err, &at) || at.Source != e.Source || at.Offset < -1 || at.Offset > len(e.Source) || at.Reason == "" {
		t.Fatalf("%#v is no error with a place in %q", err, e.Source)
	}
}

func FuzzTemplate(f *testing.F) {
	for _, seed := range []string{
		"", "text", "{{ .params.host }}", "{{ $.steps.a.rows[:].n }}", "{{ $.'a-b'.c }}", `{{ secret "x" | b64enc }}`,
		"{{ range $i, $e := .steps.a.rows }}{{ $e.n }}{{ else }}x{{ end }}", "{{- if eq 1 2 -}} a {{- else if true }} b {{ end }}",
		"{{ with $x := .params }}{{ $x.n }}{{ end }}", `{{ printf "%5.2f %s" 1.5 .params | upper }}`, "{{/* c */}}", "{{ `raw` }}{{ 'a' }}{{ 0x1F }}",
		`{{ dict "a" (list 1 2.5) | toJson }}`, "{{ $x := 1 }}{{ range until 5 }}{{ $x = add $x . }}{{ end }}{{ $x }}",
		`{{ regexReplaceAll "(a)(b)" "ab" "$2$1" }}`, "{{ default 1 .a.b.c }}", "{{ break }}", "{{ (index .steps.a.rows 0).n }}", "\xff",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, src string) { exercise(t, tmpl(src)) })
}

func FuzzLogic(f *testing.F) {
	for _, seed := range []string{
		"", "true", "params.n > 2 && has(steps.a.x)", "steps.a.rows.exists(r, r.n == 'x')", `params["host"] + "x"`, "[1, 2].map(x, x * 2)",
		"{'a': 1}.a", "a ? b : c", "size(params)", `"%s".format([1])`, "params.none != 5", "!!true", "-1", "1 in [1, 2]", "[[1]].flatten()",
		`"a".matches("(a|b)*")`, "timestamp('2024-01-01T00:00:00Z')", "0.0 / 0.0", "lists.range(5).distinct()", "x.?y", "`a`", "a.b.c[0]['d']",
		"has(a[0])", "b'\\xff'", "sets.contains([1], [1])", "[3, 1].sortBy(x, -x)", "math.greatest(1, 2)", "\"ä\" + größe", "a.all(x, x.all(y, y > x))",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, src string) { exercise(t, logic(src)) })
}

func FuzzPath(f *testing.F) {
	for _, seed := range []string{"", "$", "a.b", "$.a[0].b", ".a.[:].b", "a.*", "a[1:3]", "a['b-c']", `a."x y"`, "a[-1]", "..", "[", "a[1", "ä.ö", "a.'"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, src string) { exercise(t, path(src)) })
}
