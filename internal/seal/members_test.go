package seal_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/seal"
	"github.com/tendhq/tend/internal/value"
)

// opened gives an object with everything in it opened, and what people see of that.
func opened(t *testing.T, k seal.Key, root string, object map[string]any) (all, shown map[string]any) {
	t.Helper()
	_, open := k.For(root)
	all, shown = map[string]any{}, map[string]any{}
	for name, v := range object {
		d, ok := expr.AsDeferred(v)
		if all[name] = v; !ok {
			continue
		}
		x, err := d.Disclose(open)
		if err != nil || !d.Open {
			t.Fatalf("%s: %v, %v", name, d, err)
		}
		all[name], shown[name] = x, d.Shown
	}
	return all, shown
}

// What is declared as sensitive is sealed, and so is what has its text in it.
func TestParams(t *testing.T) {
	t.Parallel()
	k := newKey(t)
	p := &program.Program{Parameters: []contract.Parameter{
		{Name: "word", Type: contract.String, Sensitive: true},
		{Name: "n", Type: contract.Number, Sensitive: true},
		{Name: "none", Type: contract.String, Sensitive: true},
		{Name: "url", Type: contract.String},
		{Name: "plain", Type: contract.String},
		{Name: "given", Type: contract.String},
	}}
	given := map[string]any{"word": "planted-1", "n": int64(7), "url": "https://planted-1@example.org", "plain": "p", "given": expr.Veil("planted-2")}
	params, m, err := k.Params("run_1", p, given, "planted-3")
	if err != nil {
		t.Fatal(err)
	}
	if b, err := value.Canonical(params); err != nil || bytes.Contains(b, []byte("planted")) {
		t.Errorf("recorded as %s, %v", b, err)
	}
	all, shown := opened(t, k, "run_1", params)
	if d := cmp.Diff(map[string]any{"word": "planted-1", "n": int64(7), "url": "https://planted-1@example.org", "plain": "p", "given": "planted-2"}, all); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]any{"word": nil, "n": nil, "url": "https://[secret]@example.org", "given": nil}, shown); d != "" {
		t.Error(d)
	}
	if got := m.String("planted-1 planted-2 planted-3 p"); got != "[secret] [secret] [secret] p" {
		t.Error(got)
	}
	if given["word"] != "planted-1" {
		t.Error("what was given changed")
	}
	// Without anything sensitive nothing is sealed, and no key is needed.
	params, m, err = seal.Key{}.Params("run_1", &program.Program{}, map[string]any{"plain": "p"})
	if err != nil || m != nil || params["plain"] != "p" {
		t.Error(params, m, err)
	}
}

// A sub-playbook is given what can be opened as something that is veiled, and what is known later as it is.
func TestGiven(t *testing.T) {
	t.Parallel()
	k := newKey(t)
	sealer, _ := k.For("run_1")
	box := func(v any, open bool) any {
		d, err := expr.Enclose(v, open, sealer)
		if err != nil {
			t.Fatal(err)
		}
		return d.Value()
	}
	later := box("planted-1", false)
	params, event, _, found, err := k.Given("run_1", map[string]any{"a": box("planted-2", true), "b": later, "c": "c"},
		map[string]any{"token": box("planted-3", true)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := params["a"].(expr.Veiled); !ok || v.Reveal() != "planted-2" || params["c"] != "c" || cmp.Diff(later, params["b"]) != "" {
		t.Errorf("%v", params)
	}
	if event["token"] != "planted-3" || cmp.Diff([]any{"planted-2", "planted-3"}, found) != "" {
		t.Error(event, found)
	}
	if _, _, _, _, err := k.Given("run_2", map[string]any{"a": box("x", true)}, nil, nil); err == nil {
		t.Error("another run opens it")
	}
}
