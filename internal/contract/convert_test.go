package contract_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
)

func TestConvert(t *testing.T) {
	t.Parallel()
	text := &contract.Field{Type: contract.String}
	number := &contract.Field{Type: contract.Number}
	for _, c := range []struct {
		in   any
		f    contract.Field
		want any    // the value, or
		err  string // a part of the error
	}{
		{"a", contract.Field{Type: contract.String}, "a", ""},
		{int64(5), contract.Field{Type: contract.String}, "5", ""},
		{1.5, contract.Field{Type: contract.Var}, "1.5", ""},
		{true, contract.Field{Type: contract.String}, "true", ""},
		{[]any{"a"}, contract.Field{Type: contract.String}, `["a"]`, ""},
		{nil, contract.Field{Type: contract.String}, nil, "must be a text, not nothing"},
		{"20", contract.Field{Type: contract.Number}, int64(20), ""},
		{" 2.50 ", contract.Field{Type: contract.Number}, 2.5, ""},
		{"1e3", contract.Field{Type: contract.Number}, int64(1000), ""},
		{"0x10", contract.Field{Type: contract.Number}, nil, "must be a number"},
		{"NaN", contract.Field{Type: contract.Number}, nil, "must be a number"},
		{"many", contract.Field{Type: contract.Number}, nil, `not the text "many"`},
		{true, contract.Field{Type: contract.Number}, nil, "not true"},
		{"9223372036854775808", contract.Field{Type: contract.Number}, 9.223372036854775808e18, ""},
		{"True", contract.Field{Type: contract.Boolean}, true, ""},
		{" no ", contract.Field{Type: contract.Boolean}, false, ""},
		{int64(1), contract.Field{Type: contract.Boolean}, true, ""},
		{int64(2), contract.Field{Type: contract.Boolean}, nil, "write true or false"},
		{"maybe", contract.Field{Type: contract.Boolean}, nil, "write true or false"},
		{`["a", 1]`, contract.Field{Type: contract.List}, []any{"a", int64(1)}, ""},
		{"a, b,,c", contract.Field{Type: contract.List}, []any{"a", "b", "c"}, ""},
		{"", contract.Field{Type: contract.List}, []any{}, ""},
		{"1,2", contract.Field{Type: contract.List, Items: number}, []any{int64(1), int64(2)}, ""},
		{[]any{"1", "x"}, contract.Field{Type: contract.List, Items: number}, nil, `[1]: must be a number, not the text "x"`},
		{"[1", contract.Field{Type: contract.List}, nil, "begins like JSON"},
		{int64(7), contract.Field{Type: contract.List, Items: text}, []any{"7"}, ""},
		{map[string]any{"a": "b"}, contract.Field{Type: contract.Map}, map[string]any{"a": "b"}, ""},
		{`{"a": 1}`, contract.Field{Type: contract.Map}, map[string]any{"a": int64(1)}, ""},
		{"a=b", contract.Field{Type: contract.Map}, nil, "write it as JSON"},
		{[]any{}, contract.Field{Type: contract.Map}, nil, "not a list"},
		{"90s", contract.Field{Type: contract.Duration}, "1m30s", ""},
		{"1d", contract.Field{Type: contract.Duration}, "24h0m0s", ""},
		{"20", contract.Field{Type: contract.Duration}, "20s", ""},
		{int64(3), contract.Field{Type: contract.Duration}, "3s", ""},
		{"soon", contract.Field{Type: contract.Duration}, nil, "expected a duration"},
		{[]any{nil}, contract.Field{Type: contract.Any}, []any{nil}, ""},
		{"b", contract.Field{Type: contract.String, Enum: []any{"a", "b"}}, "b", ""},
		{"2", contract.Field{Type: contract.Number, Enum: []any{int64(1), int64(2)}}, int64(2), ""},
		{"c", contract.Field{Type: contract.String, Enum: []any{"a", "b"}}, nil, "must be one of a, b"},
		{"c", contract.Field{Type: contract.String, Sensitive: true, Enum: []any{"a"}}, nil, "not that text"},
		{"ab", contract.Field{Type: contract.String, Pattern: "a."}, "ab", ""},
		{"abc", contract.Field{Type: contract.String, Pattern: "a."}, nil, "must match a."},
		{"x", contract.Field{Type: "unheard"}, nil, "no type"},
	} {
		got, err := contract.Convert(c.in, c.f)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("Convert(%v, %s) = %v, %v; want an error with %q", c.in, c.f.Type, got, err, c.err)
			}
			continue
		}
		if err != nil || !cmp.Equal(got, c.want) {
			t.Errorf("Convert(%v, %s) = %#v, %v; want %#v", c.in, c.f.Type, got, err, c.want)
		}
	}
}

func TestInputs(t *testing.T) {
	t.Parallel()
	fields := []contract.Field{
		{Name: "url", Type: contract.String, Required: true},
		{Name: "count", Type: contract.Number, Default: int64(3)},
		{Name: "hosts", Type: contract.List},
		{Name: "wait", Type: contract.Duration},
		{Name: "pin", Type: contract.Number, Sensitive: true},
		{Name: "tls", Type: contract.Map, Fields: []contract.Field{
			{Name: "verify", Type: contract.Boolean, Default: true}, {Name: "ca", Type: contract.String},
		}},
		{Name: "body", Type: contract.Any},
	}
	deferred := map[string]any{expr.DeferredKey: map[string]any{"template": "{{ secret \"x\" }}"}}
	hidden := secret.New("hunter22")
	for name, c := range map[string]struct {
		given   map[string]any
		dialect expr.Dialect
		want    map[string]any
		errs    []string
	}{
		"defaults": {
			map[string]any{"url": "u"},
			expr.Strict,
			map[string]any{"url": "u", "count": int64(3)},
			nil,
		},
		"nested defaults": {
			map[string]any{"url": "u", "tls": map[string]any{"ca": "c"}},
			expr.Strict,
			map[string]any{"url": "u", "count": int64(3), "tls": map[string]any{"ca": "c", "verify": true}},
			nil,
		},
		"all problems at once": {
			map[string]any{"count": "many", "hosts": "a,b", "tsl": 1, "wait": int64(5), "tls": map[string]any{"verfy": 1}},
			expr.Strict, nil,
			[]string{
				"input `url` is required and not given", "input `count` must be a number", "input `hosts` must be a list",
				"input `wait` must be a duration, not the number 5: write 30s", "there is no input `tsl`: did you mean `tls`?", "there is no input `verfy`: did you mean `verify`?",
			},
		},
		"required and empty": {map[string]any{"url": " "}, expr.Strict, nil, []string{"input `url` is required and empty"}},
		"nothing is not given": {
			map[string]any{"url": "u", "hosts": nil}, expr.Strict, map[string]any{"url": "u", "count": int64(3)}, nil,
		},
		"the older dialect": {
			map[string]any{"url": "u", "count": "", "hosts": "a,b", "wait": "20", "other": "x"},
			expr.Lenient,
			map[string]any{"url": "u", "count": int64(3), "hosts": []any{"a", "b"}, "wait": "20s"},
			nil,
		},
		"the older dialect, required": {map[string]any{"url": ""}, expr.Lenient, nil, []string{"input `url` is required and not given"}},
		"secrets pass as texts": {
			map[string]any{"url": deferred, "body": hidden},
			expr.Strict,
			map[string]any{"url": deferred, "body": hidden, "count": int64(3)},
			nil,
		},
		"secrets are no numbers": {
			map[string]any{"url": "u", "count": hidden, "hosts": deferred},
			expr.Strict, nil,
			[]string{"input `count` a secret cannot be a number", "input `hosts` a secret cannot be a list"},
		},
		"sensitive values are not shown": {
			map[string]any{"url": "u", "pin": "hunter22"}, expr.Strict, nil, []string{"input `pin` must be a number, not that text"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := contract.Inputs(fields, c.given, c.dialect)
			if len(c.errs) == 0 {
				if diff := cmp.Diff(c.want, got, cmp.Comparer(func(a, b secret.Value) bool { return a.Reveal() == b.Reveal() })); err != nil || diff != "" {
					t.Fatalf("%v\n%s", err, diff)
				}
				return
			}
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%v is not a fault of kind invalid", err)
			}
			for _, e := range c.errs {
				if !strings.Contains(err.Error(), e) {
					t.Errorf("%q\nlacks %q", err, e)
				}
			}
			if strings.Contains(err.Error(), "hunter22") {
				t.Errorf("%q shows a secret", err)
			}
		})
	}
}

// Inputs that were converted are converted again where a step is dispatched: the same must come out.
func TestInputsTwice(t *testing.T) {
	t.Parallel()
	fields := []contract.Field{
		{Name: "d", Type: contract.Duration},
		{Name: "l", Type: contract.List},
		{Name: "n", Type: contract.Number},
		{Name: "b", Type: contract.Boolean},
		{Name: "t", Type: contract.String},
	}
	given := map[string]any{"d": "90", "l": "a,b", "n": "1.50", "b": "True", "t": int64(5)}
	once, err := contract.Inputs(fields, given, expr.Lenient)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []expr.Dialect{expr.Strict, expr.Lenient} {
		twice, err := contract.Inputs(fields, once, d)
		if err != nil || !cmp.Equal(once, twice) {
			t.Errorf("%s: %v\n%s", d, err, cmp.Diff(once, twice))
		}
	}
}

func ExampleConvert() {
	hosts, _ := contract.Convert("web-1, web-2", contract.Field{Type: contract.List})
	_, err := contract.Convert("soon", contract.Field{Type: contract.Number})
	fmt.Println(hosts, err)
	// Output: [web-1 web-2] must be a number, not the text "soon"
}

// Text from outside does not become something that tend finishes at dispatch, whatever is read from it.
func TestTextIsNotDeferred(t *testing.T) {
	t.Parallel()
	forged := `{"$deferred": {"template": "{{ secret \"x\" }}", "secrets": ["x"], "data": {}}}`
	for typ, text := range map[contract.Type]string{contract.Map: forged, contract.List: "[" + forged + "]"} {
		if v, err := contract.Convert(text, contract.Field{Type: typ}); err == nil {
			t.Errorf("%s: %v", typ, v)
		}
	}
	inside := contract.Field{Type: contract.Map, Fields: []contract.Field{{Name: "a", Type: contract.Map}}}
	if v, err := contract.Convert(`{"a": `+forged+`}`, inside); err == nil {
		t.Errorf("%v", v)
	}
}

// What is veiled is converted like everything else, stays veiled, and is in no message.
func TestVeiled(t *testing.T) {
	t.Parallel()
	fields := []contract.Field{
		{Name: "n", Type: contract.Number},
		{Name: "l", Type: contract.List, Items: &contract.Field{Type: contract.Number}},
		{Name: "s", Type: contract.String, Required: true, Enum: []any{"planted-1", "b"}},
	}
	out, err := contract.Inputs(fields, map[string]any{"n": expr.Veil("73519462"), "l": expr.Veil("[1, 2]"), "s": expr.Veil("planted-1")}, expr.Strict)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{}
	for k, v := range out {
		veiled, ok := v.(expr.Veiled)
		if !ok {
			t.Fatalf("%s is not veiled any more", k)
		}
		got[k] = veiled.Reveal()
	}
	if d := cmp.Diff(map[string]any{"n": int64(73519462), "l": []any{int64(1), int64(2)}, "s": "planted-1"}, got); d != "" {
		t.Error(d)
	}
	for name, v := range map[string]any{"n": "planted-2", "l": "{", "s": "planted-3"} {
		given := map[string]any{"s": "b", name: expr.Veil(v)}
		if _, err := contract.Inputs(fields, given, expr.Strict); err == nil || strings.Contains(err.Error(), fmt.Sprint(v)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, empty := range []any{"", nil} {
		if _, err := contract.Inputs(fields, map[string]any{"s": expr.Veil(empty)}, expr.Strict); err == nil {
			t.Errorf("%v is required and was taken", empty)
		}
	}
}
