package expr_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/value"
)

// A module is given a template with a secret in it, and makes a text of it, which another module is given.
func TestSecretsGoThroughModules(t *testing.T) {
	t.Parallel()
	v := expr.New(expr.Limits{})
	render := func(src string, s expr.Scope) any {
		t.Helper()
		x, err := v.Value(tmpl(src), s)
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		return stored(t, x)
	}
	outer := expr.Scope{Dialect: expr.Lenient, Root: map[string]any{"params": map[string]any{"host": "db-1"}}}
	inputs := map[string]any{
		"auth": render(`ops:{{ secret "key" }}{{ .params.nothing }}`, outer), "database": "shop", "list": []any{render(`{{ secret "key" }}`, outer)},
	}
	body := given(t, expr.Strict, inputs, expr.Lenient)
	if known, _ := body.Root["params"].(map[string]any); len(known) != 1 || len(body.Later) != 2 || inputs["auth"] == nil {
		t.Fatalf("%v", body)
	}
	url := render(`pg://{{ $.params.auth }}@{{ .params.database | upper }}{{ secret "other" }}`, body)
	d, ok := expr.AsDeferred(url)
	if !ok || !cmp.Equal(d.Secrets, []string{"key", "other"}) {
		t.Fatalf("%v", url)
	}
	if strings.Contains(fmt.Sprint(d.Data), "ops") {
		t.Errorf("the data has what was handed on: %v", d.Data)
	}
	// Handed on again, to a module of the older dialect, and finished under a third.
	again := render(`<{{ $.params.url }}>{{ $.params.none }}`, given(t, expr.Lenient, expr.Carry(map[string]any{"url": url}, expr.Strict), expr.Lenient))
	d, ok = expr.AsDeferred(again)
	if !ok {
		t.Fatalf("%v", again)
	}
	text, err := finish(v, d, expr.Lenient, func(name string) (secret.Value, error) { return secret.New("[" + name + "]"), nil })
	if err != nil {
		t.Fatal(err)
	}
	if got, want := text.Reveal(), "<pg://ops:[key]@SHOP[other]>"; got != want {
		t.Errorf("finished %q, want %q", got, want)
	}
}

// given is what the body of a module sees, that was given inputs which were rendered in dialect.
func given(t *testing.T, own expr.Dialect, inputs map[string]any, dialect expr.Dialect) expr.Scope {
	t.Helper()
	s := expr.Scope{Dialect: own, Root: map[string]any{}}
	if _, err := s.Put([]string{"params"}, inputs, dialect, nil); err != nil {
		t.Fatal(err)
	}
	return s
}

// finish finishes a text in which nothing is sealed.
func finish(v *expr.Evaluator, d expr.Deferred, dialect expr.Dialect, get expr.Secrets) (secret.Value, error) {
	x, err := v.Finish(d, dialect, get, func(expr.Deferred) (any, error) { return nil, errors.New("nothing is sealed") })
	text, _ := x.(secret.Value)
	return text, err
}

func stored(t *testing.T, x any) any {
	t.Helper()
	b, err := value.Canonical(x)
	if err != nil {
		t.Fatal(err)
	}
	x, err = value.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestWhatASecretInputCannotDo(t *testing.T) {
	t.Parallel()
	v := expr.New(expr.Limits{})
	deferred, err := v.Value(tmpl(`{{ secret "key" }}`), scope(expr.Strict))
	if err != nil {
		t.Fatal(err)
	}
	s := given(t, expr.Strict, map[string]any{"auth": deferred, "host": "db-1", "nested": map[string]any{"list": []any{deferred}}}, expr.Strict)
	for _, e := range []expr.Expr{
		tmpl(`{{ if $.params.auth }}a{{ end }}`),
		tmpl(`{{ range $.params.auth }}a{{ end }}`),
		tmpl(`{{ $.params.auth.part }}`),
		tmpl(`{{ splitList ":" $.params.auth | first }}`),
		tmpl(`{{ toJson $.params }}`),
		tmpl(`{{ range $.params }}{{ . }}{{ end }}`),
		tmpl(`{{ $.params.* }}`),
		tmpl(`{{ index $.params.nested.list 0 }}`),
		{Kind: expr.Logic, Source: `params.auth == "x"`},
		{Kind: expr.Logic, Source: `has(params.auth)`},
		{Kind: expr.Logic, Source: `size(params) > 1`},
	} {
		if got, err := v.Value(e, s); err == nil {
			t.Errorf("%s gave %v", e.Source, got)
		}
	}
	// What does not touch it works as ever.
	if got, err := v.Value(tmpl(`{{ $.params.host }}`), s); err != nil || got != "db-1" {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := v.Truth(expr.Expr{Kind: expr.Logic, Source: `params.host == "db-1"`}, s); err != nil || !got {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := v.Text(tmpl(`{{ $.params.auth }}`), s); err == nil {
		t.Error("a secret became text")
	}
}

// An error while a text is finished quotes nothing of what was handed on.
func TestFinishOfAHandedOnSecretTellsNothing(t *testing.T) {
	t.Parallel()
	v := expr.New(expr.Limits{})
	handed := expr.Deferred{Template: `{{ secret "key" }}`, Secrets: []string{"key"}, Dialect: expr.Strict}
	for _, src := range []string{`{{ $.params.auth | b64dec }}`, `{{ printf "%d" $.params.auth }}`, `{{ $.params.auth | repeat 1000000 }}`} {
		d := expr.Deferred{Template: src, Secrets: []string{"key"}, Later: []expr.Later{{Path: []string{"params", "auth"}, Deferred: handed}}}
		_, err := finish(v, d, expr.Strict, func(string) (secret.Value, error) { return secret.New("correct-horse!"), nil })
		if err == nil || strings.Contains(err.Error(), "horse") {
			t.Errorf("%s: %v", src, err)
		}
	}
}
