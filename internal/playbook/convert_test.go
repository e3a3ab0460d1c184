package playbook_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/secret"
)

func TestConvert(t *testing.T) {
	t.Parallel()
	text := &playbook.Field{Type: playbook.String}
	number := &playbook.Field{Type: playbook.Number}
	for _, c := range []struct {
		in   any
		f    playbook.Field
		want any    // the value, or
		err  string // a part of the error
	}{
		{"a", playbook.Field{Type: playbook.String}, "a", ""},
		{int64(5), playbook.Field{Type: playbook.String}, "5", ""},
		{1.5, playbook.Field{Type: playbook.Var}, "1.5", ""},
		{true, playbook.Field{Type: playbook.String}, "true", ""},
		{[]any{"a"}, playbook.Field{Type: playbook.String}, `["a"]`, ""},
		{nil, playbook.Field{Type: playbook.String}, nil, "must be a text, not nothing"},
		{"20", playbook.Field{Type: playbook.Number}, int64(20), ""},
		{" 2.50 ", playbook.Field{Type: playbook.Number}, 2.5, ""},
		{"1e3", playbook.Field{Type: playbook.Number}, int64(1000), ""},
		{"0x10", playbook.Field{Type: playbook.Number}, nil, "must be a number"},
		{"NaN", playbook.Field{Type: playbook.Number}, nil, "must be a number"},
		{"many", playbook.Field{Type: playbook.Number}, nil, `not the text "many"`},
		{true, playbook.Field{Type: playbook.Number}, nil, "not true"},
		{"9223372036854775808", playbook.Field{Type: playbook.Number}, 9.223372036854775808e18, ""},
		{"True", playbook.Field{Type: playbook.Boolean}, true, ""},
		{" no ", playbook.Field{Type: playbook.Boolean}, false, ""},
		{int64(1), playbook.Field{Type: playbook.Boolean}, true, ""},
		{int64(2), playbook.Field{Type: playbook.Boolean}, nil, "write true or false"},
		{"maybe", playbook.Field{Type: playbook.Boolean}, nil, "write true or false"},
		{`["a", 1]`, playbook.Field{Type: playbook.List}, []any{"a", int64(1)}, ""},
		{"a, b,,c", playbook.Field{Type: playbook.List}, []any{"a", "b", "c"}, ""},
		{"", playbook.Field{Type: playbook.List}, []any{}, ""},
		{"1,2", playbook.Field{Type: playbook.List, Items: number}, []any{int64(1), int64(2)}, ""},
		{[]any{"1", "x"}, playbook.Field{Type: playbook.List, Items: number}, nil, `[1]: must be a number, not the text "x"`},
		{"[1", playbook.Field{Type: playbook.List}, nil, "begins like JSON"},
		{int64(7), playbook.Field{Type: playbook.List, Items: text}, []any{"7"}, ""},
		{map[string]any{"a": "b"}, playbook.Field{Type: playbook.Map}, map[string]any{"a": "b"}, ""},
		{`{"a": 1}`, playbook.Field{Type: playbook.Map}, map[string]any{"a": int64(1)}, ""},
		{"a=b", playbook.Field{Type: playbook.Map}, nil, "write it as JSON"},
		{[]any{}, playbook.Field{Type: playbook.Map}, nil, "not a list"},
		{"90s", playbook.Field{Type: playbook.DurationT}, "1m30s", ""},
		{"1d", playbook.Field{Type: playbook.DurationT}, "24h0m0s", ""},
		{"20", playbook.Field{Type: playbook.DurationT}, "20s", ""},
		{int64(3), playbook.Field{Type: playbook.DurationT}, "3s", ""},
		{"soon", playbook.Field{Type: playbook.DurationT}, nil, "expected a duration"},
		{[]any{nil}, playbook.Field{Type: playbook.Any}, []any{nil}, ""},
		{"b", playbook.Field{Type: playbook.String, Enum: []any{"a", "b"}}, "b", ""},
		{"2", playbook.Field{Type: playbook.Number, Enum: []any{int64(1), int64(2)}}, int64(2), ""},
		{"c", playbook.Field{Type: playbook.String, Enum: []any{"a", "b"}}, nil, "must be one of a, b"},
		{"c", playbook.Field{Type: playbook.String, Sensitive: true, Enum: []any{"a"}}, nil, "not that text"},
		{"ab", playbook.Field{Type: playbook.String, Pattern: "a."}, "ab", ""},
		{"abc", playbook.Field{Type: playbook.String, Pattern: "a."}, nil, "must match a."},
		{"x", playbook.Field{Type: "unheard"}, nil, "no type"},
	} {
		got, err := playbook.Convert(c.in, c.f)
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
	fields := []playbook.Field{
		{Name: "url", Type: playbook.String, Required: true},
		{Name: "count", Type: playbook.Number, Default: int64(3)},
		{Name: "hosts", Type: playbook.List},
		{Name: "wait", Type: playbook.DurationT},
		{Name: "pin", Type: playbook.Number, Sensitive: true},
		{Name: "tls", Type: playbook.Map, Fields: []playbook.Field{
			{Name: "verify", Type: playbook.Boolean, Default: true}, {Name: "ca", Type: playbook.String},
		}},
		{Name: "body", Type: playbook.Any},
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
			got, err := playbook.Inputs(fields, c.given, c.dialect)
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
	fields := []playbook.Field{
		{Name: "d", Type: playbook.DurationT},
		{Name: "l", Type: playbook.List},
		{Name: "n", Type: playbook.Number},
		{Name: "b", Type: playbook.Boolean},
		{Name: "t", Type: playbook.String},
	}
	given := map[string]any{"d": "90", "l": "a,b", "n": "1.50", "b": "True", "t": int64(5)}
	once, err := playbook.Inputs(fields, given, expr.Lenient)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []expr.Dialect{expr.Strict, expr.Lenient} {
		twice, err := playbook.Inputs(fields, once, d)
		if err != nil || !cmp.Equal(once, twice) {
			t.Errorf("%s: %v\n%s", d, err, cmp.Diff(once, twice))
		}
	}
}

func TestParseDuration(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "1h30m": 90 * time.Minute, "2d": 48 * time.Hour, "1w2d3h": 219 * time.Hour, "0": 0, "0s": 0,
		"1.5h": 90 * time.Minute, " 5m ": 5 * time.Minute, "250ms": 250 * time.Millisecond,
	} {
		if got, err := playbook.ParseDuration(in); err != nil || got != want {
			t.Errorf("%q is %v, %v; want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "5", "-5s", "+5s", "soon", "5 minutes", "d", "1e9h", "999999999999999999999d", "99999999w", "1d1d1", "1h2d"} {
		if d, err := playbook.ParseDuration(in); err == nil {
			t.Errorf("%q is %v, and should be refused", in, d)
		}
	}
	for _, d := range []time.Duration{0, time.Nanosecond, 90 * time.Second, 26 * time.Hour} {
		if got, err := playbook.ParseDuration(d.String()); err != nil || got != d {
			t.Errorf("%s is %v, %v", d, got, err)
		}
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	known := []string{"timeout", "retry", "uses", "with", "when", "stopWhen", "kubernetes/rollout-restart"}
	for in, want := range map[string]string{
		"tiemout": "timeout", "time-out": "timeout", "Retry": "retry", "wiht": "with", "use": "uses", "stop_when": "stopWhen",
		"kubernetes/rollout-restrat": "kubernetes/rollout-restart", "nonsense": "", "": "", "x": "",
		strings.Repeat("y", 10_000): "",
	} {
		if got := playbook.Nearest(in, known); got != want {
			t.Errorf("Nearest(%.20q) = %q, want %q", in, got, want)
		}
	}
}

func ExampleConvert() {
	hosts, _ := playbook.Convert("web-1, web-2", playbook.Field{Type: playbook.List})
	_, err := playbook.Convert("soon", playbook.Field{Type: playbook.Number})
	fmt.Println(hosts, err)
	// Output: [web-1 web-2] must be a number, not the text "soon"
}
