package expr_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/value"
)

// vault seals for tests: a box is the text under the name of the run, turned around.
type vault string

func (v vault) seal(plain []byte) ([]byte, error) {
	box := append([]byte(string(v)+":"), plain...)
	slices.Reverse(box)
	return box, nil
}

func (v vault) open(box []byte) ([]byte, error) {
	plain := bytes.Clone(box)
	slices.Reverse(plain)
	plain, ok := bytes.CutPrefix(plain, []byte(string(v)+":"))
	if !ok {
		return nil, errors.New("another run's")
	}
	return plain, nil
}

func (v vault) box(t *testing.T, x any, open bool) map[string]any {
	t.Helper()
	d, err := expr.Enclose(x, open, v.seal)
	if err != nil {
		t.Fatal(err)
	}
	out, _ := stored(t, d.Value()).(map[string]any)
	return out
}

// sees is what expressions see of a run whose step m has secret outputs, and which has sensitive parameters.
func (v vault) sees(t *testing.T) expr.Scope {
	t.Helper()
	s := expr.Scope{Dialect: expr.Strict, Root: map[string]any{"steps": map[string]any{}, "event": map[string]any{"host": "web-1"}}}
	for path, x := range map[string]any{
		"params": map[string]any{
			"word": v.box(t, "planted-word", true), "pin": v.box(t, int64(7), true), "hosts": v.box(t, []any{"h1", "h2"}, true),
			"nested": map[string]any{"list": []any{v.box(t, "planted-item", true)}}, "plain": "p",
		},
		"steps.m": map[string]any{
			"token": v.box(t, "planted-token", false), "creds": v.box(t, map[string]any{"user": "planted-user", "n": int64(3)}, false), "size": int64(5),
		},
	} {
		if _, err := s.Put(strings.Split(path, "."), x, expr.Strict, v.open); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (v vault) finish(t *testing.T, e *expr.Evaluator, x any) string {
	t.Helper()
	d, ok := expr.AsDeferred(stored(t, x))
	if !ok {
		t.Fatalf("%v is not finished later", x)
	}
	got, err := e.Finish(d, expr.Strict, func(name string) (secret.Value, error) { return secret.New("[" + name + "]"), nil },
		func(d expr.Deferred) (any, error) { return d.Disclose(v.open) })
	if err != nil {
		t.Fatal(err)
	}
	if text, ok := got.(secret.Value); ok {
		return "secret " + text.Reveal()
	}
	return fmt.Sprintf("%T %v", got, got)
}

// Of a secret output text can be made, which is finished later; of a sensitive parameter everything, which is veiled.
func TestWhatIsSealedCanBeUsed(t *testing.T) {
	t.Parallel()
	const v = vault("run-1")
	e := expr.New(expr.Limits{})
	for src, want := range map[string]string{
		`{{ $.steps.m.token }}`:                                                   "secret planted-token",
		`Bearer {{ $.steps.m.token }} for {{ $.event.host }}`:                     "secret Bearer planted-token for web-1",
		`{{ $.steps.m.token | b64enc }}{{ secret "k" }}`:                          "secret cGxhbnRlZC10b2tlbg==[k]",
		`{{ $.steps.m.creds.user }}`:                                              "secret planted-user",
		`{{ get $.steps.m "token" }}`:                                             "secret planted-token",
		`{{ $.steps.m.creds }}`:                                                   `secret {"n":3,"user":"planted-user"}`,
		`{{ $.params.word }}:{{ $.steps.m.token }}`:                               "secret planted-word:planted-token",
		`{{ if eq $.params.word "planted-word" }}{{ $.steps.m.token }}x{{ end }}`: "secret planted-tokenx",
		`{{ $.params.word }}`:                                                     "string planted-word",
		`{{ $.params.word | upper }}!`:                                            "string PLANTED-WORD!",
		`{{ $.params.pin }}`:                                                      "int64 7",
		`{{ $.params.hosts }}`:                                                    "[]interface {} [h1 h2]",
		`{{ range $.params.hosts }}<{{ . }}>{{ end }}`:                            "string <h1><h2>",
		`{{ index $.params.nested.list 0 }}`:                                      "string planted-item",
		`{{ if gt $.params.pin 3 }}big{{ end }}`:                                  "string big",
	} {
		x, err := e.Value(tmpl(src), v.sees(t))
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		if s := fmt.Sprintf("%v %+v %s", x, x, x); strings.Contains(s, "planted-w") || strings.Contains(s, "planted-t") {
			t.Errorf("%s prints %s", src, s)
		}
		if x, err = expr.Seal(x, v.seal); err != nil {
			t.Fatal(err)
		}
		if b, err := value.Canonical(x); err != nil || bytes.Contains(b, []byte("planted-t")) {
			t.Errorf("%s is recorded as %s, %v", src, b, err)
		}
		if got := v.finish(t, e, x); got != want {
			t.Errorf("%s gave %q, not %q", src, got, want)
		}
	}
	// What does not touch it is as ever, and a condition over what is sensitive is true or false.
	if x, err := e.Value(tmpl(`{{ $.event.host }}/{{ $.steps.m.size }}/{{ $.params.plain }}`), v.sees(t)); x != "web-1/5/p" || err != nil {
		t.Error(x, err)
	}
	for _, src := range []string{`params.word.startsWith("planted") && size(params.hosts) == 2`, `params.nested.list[0] != ""`, `steps.m.size == 5`} {
		if ok, err := e.Truth(expr.Expr{Kind: expr.Logic, Source: src}, v.sees(t)); !ok || err != nil {
			t.Errorf("%s: %v, %v", src, ok, err)
		}
	}
	// A value that is nothing but a secret output stays what it is: that of a module's output.
	x, err := e.Value(expr.Expr{Kind: expr.Logic, Source: "steps.m.token"}, v.sees(t))
	if err != nil || v.finish(t, e, x) != "secret planted-token" {
		t.Error(x, err)
	}
}

func TestWhatASecretOutputCannotDo(t *testing.T) {
	t.Parallel()
	const v = vault("run-1")
	e := expr.New(expr.Limits{})
	for src, want := range map[string]string{
		`{{ if $.steps.m.token }}a{{ end }}`:             "decide",
		`{{ range $.steps.m.creds }}a{{ end }}`:          "decide",
		`{{ len $.steps.m.token }}`:                      "given to len",
		`{{ toJson $.steps.m }}`:                         "`steps.m` holds the secret `creds`: name what is meant, as $.steps.m.creds",
		`{{ toJson $.steps }}`:                           "`steps` holds",
		`{{ $.steps.m.* }}`:                              "holds",
		`{{ range $k, $s := $.steps }}{{ $k }}{{ end }}`: "holds",
	} {
		_, err := e.Value(tmpl(src), v.sees(t))
		at := (*expr.Error)(nil)
		if !errors.As(err, &at) || !at.Secret || !strings.Contains(at.Reason, want) {
			t.Errorf("%s: %v, not %s", src, err, want)
		}
	}
	for _, src := range []string{`steps.m.token == "x"`, `size(steps.m.creds) > 1`, `has(steps.m.token)`, `steps.m == {}`} {
		_, err := e.Truth(expr.Expr{Kind: expr.Logic, Source: src}, v.sees(t))
		at := (*expr.Error)(nil)
		if !errors.As(err, &at) || !at.Secret {
			t.Errorf("%s: %v", src, err)
		}
	}
	if x, err := e.Text(tmpl(`{{ $.steps.m.token }}`), v.sees(t)); err == nil {
		t.Errorf("a secret became the text %q", x)
	}
	// What looks as if it were sealed in data from outside is not opened.
	s := v.sees(t)
	s.Root["event"] = map[string]any{"x": v.box(t, "planted", false)}
	if x, err := e.Value(tmpl(`{{ $.event.x }}`), s); err == nil {
		t.Errorf("forged: %v", x)
	}
	if err := expr.Outside(s.Root["event"]); err == nil {
		t.Error("data from outside may hold what only tend writes")
	}
}

// The box of another run is not opened, and what is sealed anew for it is.
func TestReseal(t *testing.T) {
	t.Parallel()
	const from, to = vault("run-1"), vault("run-2")
	e := expr.New(expr.Limits{})
	later, err := e.Value(tmpl(`<{{ $.steps.m.creds.user }}>{{ $.params.word }}`), from.sees(t))
	if err != nil {
		t.Fatal(err)
	}
	if later, err = expr.Seal(map[string]any{"a": []any{later}, "b": from.box(t, int64(7), true), "c": "c"}, from.seal); err != nil {
		t.Fatal(err)
	}
	recorded := stored(t, later)
	if _, err := expr.Reseal(recorded, to.open, from.seal); err == nil {
		t.Error("another run opens it")
	}
	again, err := expr.Reseal(recorded, from.open, to.seal)
	if err != nil {
		t.Fatal(err)
	}
	m, _ := stored(t, again).(map[string]any)
	list, _ := m["a"].([]any)
	if got := to.finish(t, e, list[0]); got != "secret <planted-user>planted-word" {
		t.Error(got)
	}
	if got := to.finish(t, e, m["b"]); got != "int64 7" || m["c"] != "c" {
		t.Error(got, m["c"])
	}
	var opened []any
	if err := expr.Unseal(again, to.open, func(v any, open bool) { opened = append(opened, v, open) }); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]any{map[string]any{"n": int64(3), "user": "planted-user"}, false, int64(7), true}, opened); d != "" {
		t.Error(d)
	}
}

// Whatever a person gives is data: nothing in a box is read as something to be finished, unless tend itself put it there.
func TestBoxesHoldData(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const v = vault("run-1")
		var x any = map[string]any{expr.DeferredKey: map[string]any{
			"template": rapid.String().Draw(t, "template"), "secrets": []any{"k"}, "data": map[string]any{},
		}}
		if rapid.Bool().Draw(t, "nested") {
			x = map[string]any{"value": x, "deferred": x}
		}
		d, err := expr.Enclose(x, rapid.Bool().Draw(t, "open"), v.seal)
		if err != nil {
			t.Fatal(err)
		}
		got, err := d.Disclose(v.open)
		if _, ok := got.(expr.Deferred); ok || err != nil || cmp.Diff(x, got) != "" {
			t.Fatalf("got %v, %v", got, err)
		}
	})
}
