package expr_test

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/value"
)

func tmpl(src string) expr.Expr  { return expr.Expr{Kind: expr.Template, Source: src} }
func logic(src string) expr.Expr { return expr.Expr{Kind: expr.Logic, Source: src} }
func path(src string) expr.Expr  { return expr.Expr{Kind: expr.Path, Source: src} }

func scope(d expr.Dialect) expr.Scope {
	return expr.Scope{Dialect: d, Root: map[string]any{
		"params": map[string]any{"host": "db-1", "none": nil, "key": "pg", "zero": int64(0), "list": []any{}, "n": int64(3)},
		"steps":  map[string]any{"a": map[string]any{"rows": []any{map[string]any{"n": "x"}}}},
		"event":  map[string]any{"big": strings.Repeat("x", 100)},
	}}
}

func TestValue(t *testing.T) {
	t.Parallel()
	v := expr.New(expr.Limits{})
	for _, c := range []struct {
		e    expr.Expr
		want any
	}{
		{expr.Expr{}, nil},
		{expr.Expr{Lit: int64(5)}, int64(5)},
		{expr.Expr{Kind: expr.Literal, Lit: []any{"{{ .x }}"}}, []any{"{{ .x }}"}},
		{tmpl("{{ .params.n }}"), int64(3)},
		{tmpl("n={{ .params.n }}"), "n=3"},
		{logic("params.n > 2"), true},
		{path("steps.a.rows[0].n"), "x"},
		{path("$.params.host"), "db-1"},
		{path(".params.host"), "db-1"},
		{path("steps.a.rows[:].n"), []any{"x"}},
		{path(" params.n "), int64(3)},
	} {
		got, err := v.Value(c.e, scope(expr.Strict))
		if err != nil {
			t.Errorf("%v: %v", c.e, err)
			continue
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%v: %s", c.e, diff)
		}
	}
	if got, err := v.Value(path("params.nope"), scope(expr.Lenient)); got != nil || err != nil {
		t.Errorf("a missing path is %v, %v", got, err)
	}
	var e *expr.Error
	if _, err := v.Value(path("params.hst"), scope(expr.Strict)); !errors.As(err, &e) || !strings.Contains(e.Reason, `did you mean "host"?`) {
		t.Errorf("a missing path: %v", err)
	}
	for _, bad := range []expr.Expr{path("a..b"), path("a["), path("a b"), {Kind: "other", Source: "x"}} {
		if err := v.Check(bad, expr.Strict); !errors.As(err, &e) || e.Source != bad.Source {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func TestTruth(t *testing.T) {
	t.Parallel()
	v := expr.New(expr.Limits{})
	const yes, no, bad = "true", "false", "false, error"
	for _, c := range []struct {
		e               expr.Expr
		strict, lenient string
	}{
		{expr.Expr{Lit: true}, yes, yes},
		{expr.Expr{Lit: nil}, bad, no},
		{expr.Expr{Lit: "true"}, yes, yes},
		{tmpl("{{ true }}"), yes, yes},
		{tmpl(" TRUE "), yes, yes},
		{tmpl("{{ eq .params.n 3 }}"), yes, yes},
		{tmpl("False"), no, no},
		{tmpl(""), no, no},
		{tmpl(" {{ .params.none }} "), no, no},
		{tmpl("yes"), bad, yes},
		{tmpl("0"), bad, yes},
		{tmpl("{{ .params.zero }}"), bad, no},
		{tmpl("{{ .params.n }}"), bad, yes},
		{tmpl("{{ .params.list }}"), bad, no},
		{tmpl("{{ .params.none }}"), bad, no},
		{tmpl("{{ .params.nope }}"), bad, no},
		{tmpl("{{ .nope.nope }}"), bad, no},
		{tmpl(`{{ secret "x" }}`), bad, bad},
		{logic("params.n == 3"), yes, yes},
		{logic("params.n"), bad, bad},
		{logic(`"true"`), bad, bad},
		{logic("params.none"), bad, no},
		{logic("params.nope"), bad, no},
		{logic("params.nope > 1"), bad, no},
		{logic("0.0 / 0.0"), bad, bad},
		{path("params.none"), bad, no},
		{path("params.host"), bad, yes},
		{tmpl("{{ nope }}"), bad, bad},
	} {
		for dialect, want := range map[expr.Dialect]string{expr.Strict: c.strict, expr.Lenient: c.lenient} {
			got, err := v.Truth(c.e, scope(dialect))
			s := value.Text(got)
			if err != nil {
				s += ", error"
			}
			if s != want {
				t.Errorf("%v %s: %s (%v), want %s", c.e, dialect, s, err, want)
			}
		}
	}
}

func TestHolds(t *testing.T) {
	t.Parallel()
	v := expr.New(expr.Limits{})
	for _, e := range []expr.Expr{
		logic("params.none != 5"), logic("params.none == 5"), logic("!(params.none == 5)"), logic("params.nope != 5"), logic("params.none"),
		tmpl("{{ ne .params.none 5 }}"), tmpl("{{ not (eq .params.none 5) }}"), tmpl("{{ ine .params.none \"x\" }}"), tmpl("{{ .params.none }}"),
		tmpl("{{ not (gt .params.none 5) }}"),
	} {
		for _, d := range []expr.Dialect{expr.Strict, expr.Lenient} {
			if got, err := v.Holds(e, scope(d)); got || err == nil {
				t.Errorf("%v %s holds: %v, %v", e, d, got, err)
			}
		}
	}
	for _, e := range []expr.Expr{logic("params.n == 3"), logic("params.none == null"), tmpl("{{ eq .params.n 3 }}"), tmpl("{{ ne .params.n nil }}"), tmpl("{{ eq .params.none nil }}")} {
		if got, err := v.Holds(e, scope(expr.Strict)); !got || err != nil {
			t.Errorf("%v does not hold: %v", e, err)
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	v := expr.New(expr.Limits{})
	for src, want := range map[string]string{"{{ .params.n }}": "3", "{{ .steps.a.rows }}": `[{"n":"x"}]`, "{{ .params.none }}": ""} {
		if got, err := v.Text(tmpl(src), scope(expr.Strict)); err != nil || got != want {
			t.Errorf("%s: %q, %v", src, got, err)
		}
	}
	if _, err := v.Text(tmpl(`{{ secret "x" }}`), scope(expr.Strict)); err == nil {
		t.Error("a secret became text")
	}
}

func TestDeferred(t *testing.T) {
	t.Parallel()
	v := expr.New(expr.Limits{})
	src := `{{ .params.host }}:{{ secret .params.key }}:{{ range .steps.a.rows }}{{ .n }}{{ secret "other" }}{{ end }}`
	got, err := v.Value(tmpl(src), scope(expr.Strict))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{expr.DeferredKey: map[string]any{
		"data": map[string]any{
			"params": map[string]any{"host": "db-1", "key": "pg"},
			"steps":  map[string]any{"a": map[string]any{"rows": []any{map[string]any{"n": "x"}}}},
		},
		"secrets":  []any{"other", "pg"},
		"template": src,
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
	// As it comes back from a stream.
	b, err := value.Canonical(got)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := value.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	d, ok := expr.AsDeferred(stored)
	if !ok {
		t.Fatalf("%s is no Deferred", b)
	}
	text, err := finish(v, d, expr.Strict, func(name string) (secret.Value, error) { return secret.New("<" + name + ">"), nil })
	if err != nil {
		t.Fatal(err)
	}
	if text.Reveal() != "db-1:<pg>:x<other>" {
		t.Errorf("finished %q", text.Reveal())
	}
	if plain, err := json.Marshal(text); err != nil || strings.Contains(string(plain), "pg") {
		t.Errorf("printed %s, %v", plain, err)
	}
}

func TestFinishRefusesOtherSecrets(t *testing.T) {
	t.Parallel()
	v := expr.New(expr.Limits{})
	d := expr.Deferred{Template: `{{ secret "other" }}`, Secrets: []string{"pg"}}
	_, err := finish(v, d, expr.Strict, func(string) (secret.Value, error) {
		t.Error("asked for")
		return secret.Value{}, nil
	})
	if err == nil || !strings.Contains(err.Error(), `"other" is not among those that were recorded`) {
		t.Errorf("error is %v", err)
	}
	d.Secrets = []string{"other"}
	missing := fault.New(fault.Missing, "no secret named %q", "other")
	_, err = finish(v, d, expr.Strict, func(string) (secret.Value, error) { return secret.Value{}, missing })
	if !fault.Is(err, fault.Missing) {
		t.Errorf("the kind of the error is lost: %v", err)
	}
}

// Data from outside that looks like a Deferred must not come through, or an alert could read secrets.
func TestForgedDeferredIsRefused(t *testing.T) {
	t.Parallel()
	v := expr.New(expr.Limits{})
	forged := map[string]any{expr.DeferredKey: map[string]any{"data": map[string]any{}, "secrets": []any{"prod"}, "template": `{{ secret "prod" }}`}}
	for _, event := range []any{forged, []any{forged}, map[string]any{"a": []any{int64(1), forged}}} {
		for _, d := range []expr.Dialect{expr.Strict, expr.Lenient} {
			s := expr.Scope{Dialect: d, Root: map[string]any{"event": event}}
			for _, e := range []expr.Expr{tmpl("{{ .event }}"), logic("event"), path("event"), tmpl("{{ list .event }}"), tmpl(`{{ .event | toJson }}{{ secret "a" }}`), tmpl(`{{ fromJson (toJson .event) }}`)} {
				if got, err := v.Value(e, s); err == nil || !strings.Contains(err.Error(), "only tend itself may write") {
					t.Errorf("%v: %v, %v", e, got, err)
				}
			}
		}
	}
}

func TestErrorsAreJoinedAndPlaced(t *testing.T) {
	t.Parallel()
	v := expr.New(expr.Limits{})
	err := v.Check(tmpl("{{ nope }} {{ nix 1 }}"), expr.Strict)
	several, ok := err.(interface{ Unwrap() []error })
	if !ok || len(several.Unwrap()) != 2 {
		t.Fatalf("%v", err)
	}
	for i, offset := range []int{3, 14} {
		var e *expr.Error
		if !errors.As(several.Unwrap()[i], &e) || e.Offset != offset || e.Source == "" {
			t.Errorf("%#v", e)
		}
	}
	_, uses := v.Uses(tmpl("{{ nope }}"), expr.Strict)
	if uses == nil {
		t.Error("uses of what does not compile")
	}
}

// The cache is bounded, and one Evaluator serves many goroutines.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	v := expr.New(expr.Limits{Cache: 8})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 300 {
				n := value.Text((g + i) % 40)
				got, err := v.Value(tmpl("{{ add .params.n "+n+" }}"), scope(expr.Strict))
				if err != nil || got != int64(3+(g+i)%40) {
					t.Errorf("%v, %v", got, err)
				}
				if ok, err := v.Truth(logic("params.n + "+n+" >= 3"), scope(expr.Strict)); err != nil || !ok {
					t.Errorf("%v, %v", ok, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestFunctionsAreListed(t *testing.T) {
	t.Parallel()
	all := expr.Functions()
	if len(all) < 100 || all[0].Group != "logic" {
		t.Errorf("%d functions, first %v", len(all), all[0])
	}
}
