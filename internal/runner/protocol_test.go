package runner_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/runner"
)

func TestProtocol(t *testing.T) {
	t.Parallel()
	obj := map[string]any{"a": int64(1)}
	out := func(v any) map[string]any { return map[string]any{"output": v} }
	tests := []struct {
		name   string
		stdout string
		parser string
		want   map[string]any // nil: a fault of kind parse
	}{
		{"marker", "talk\n<-- END -->\n{\"a\": 1}\n", "", obj},
		{"marker and JSON on one line", "talk\n<-- END -->{\"a\":1}", "", obj},
		{"marker at once", "<-- END -->{\"a\":1}", "", obj},
		{"marker after CRLF", "talk\r\n<-- END -->\r\n{\"a\":1}\r\n", "", obj},
		{"marker beats the raw parser", "<-- END -->{\"a\":1}", "raw", obj},
		{"marker and several lines", "<-- END -->\n{\n  \"a\": 1\n}\n", "json", obj},
		{"marker, list", "<-- END -->[1, \"x\"]", "", out([]any{int64(1), "x"})},
		{"marker, scalar", "<-- END -->42", "", out(int64(42))},
		{"marker, null", "<-- END -->null", "", out(nil)},
		{"marker, nothing after it", "talk\n<-- END -->\n", "", map[string]any{}},
		{"marker, broken JSON", "<-- END -->{\"a\": ", "", nil},
		{"marker, two documents", "<-- END -->{\"a\":1}{\"b\":2}", "", nil},
		{"marker, text", "<-- END -->done", "", nil},
		{"marker twice: the last one counts", "<-- END -->{\"b\":2}\n<-- END -->{\"a\":1}", "", obj},
		{"marker inside the result", "<-- END -->{\"a\": 1, \"log\": \"x <-- END --> y\"}", "", map[string]any{"a": int64(1), "log": "x <-- END --> y"}},
		{"marker in a log line before", "INFO wrote <-- END --> to stdout\n<-- END -->{\"a\":1}", "", obj},
		{"marker in a log line only", "INFO wrote <-- END --> to stdout", "", out("INFO wrote <-- END --> to stdout")},
		{"marker in a log line only, JSON parser", "INFO wrote <-- END --> to stdout", "json", nil},
		{"marker after a prompt without a line end", "progress... <-- END -->{\"a\":1}", "", obj},
		{"JSON parser, object", " {\"a\": 1}\n", "json", obj},
		{"JSON parser, list", "[1]", "json", out([]any{int64(1)})},
		{"JSON parser, scalar", "\"x\"", "json", out("x")},
		{"JSON parser, nothing", "\n", "json", nil},
		{"JSON parser, text", "hello", "json", nil},
		{"JSON parser, lines of JSON", "{\"a\":1}\n{\"a\":2}", "json", nil},
		{"raw parser", "{\"a\": 1}\n", "raw", out("{\"a\": 1}")},
		{"raw parser, nothing", "", "raw", out("")},
		{"raw parser, spaces stay", "  x  \n\n", "raw", out("  x  ")},
		{"no parser, object", "{\"a\": 1}\n", "", obj},
		{"no parser, list", "[]", "", out([]any{})},
		{"no parser, text", "hello\nworld\n", "", out("hello\nworld")},
		{"no parser, looks like a number", "007\n", "", out("007")},
		{"no parser, number stays text", "42\n", "", out("42")},
		{"no parser, broken JSON is text", "{\"a\": ", "", out("{\"a\": ")},
		{"no parser, nothing", "", "", out("")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := runner.Protocol(tt.stdout, tt.parser)
			if (err != nil) != (tt.want == nil) || err != nil && !fault.Is(err, fault.Parse) {
				t.Fatalf("got %v, %v", got, err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
			// Through a runner, however the output is cut.
			for _, size := range []int{1, 2, 7, 1 << 20} {
				o := setup(t, speaks(tt.stdout, size)).Run(t.Context(), older(tt.parser))
				if tt.want == nil {
					if o.Result.Outcome != action.Failed || o.Result.Kind != fault.Parse {
						t.Errorf("in writes of %d: %+v", size, o.Result)
					}
					continue
				}
				if d := cmp.Diff(tt.want, o.Result.Output); d != "" && len(tt.want) > 0 {
					t.Errorf("in writes of %d: %s", size, d)
				}
			}
		})
	}
}

func TestProtocolOverALongOutput(t *testing.T) {
	t.Parallel()
	noise := strings.Repeat("noise <-- END --> noise\n", 500_000) // 12 MB
	o := setup(t, speaks(noise+"<-- END -->{\"a\":1}", 1000)).Run(t.Context(), older(""))
	if d := cmp.Diff(map[string]any{"a": int64(1)}, o.Result.Output); d != "" {
		t.Error(d)
	}
	o = setup(t, speaks(noise, 1000)).Run(t.Context(), older(""))
	if text, _ := o.Result.Output["output"].(string); len(text) > 5<<20 || !strings.HasSuffix(text, " bytes left out …]") {
		t.Errorf("%d bytes", len(text))
	}
	for _, tt := range []struct{ stdout, parser string }{{noise, "json"}, {"<-- END -->" + noise, ""}} {
		o := setup(t, speaks(tt.stdout, 1000)).Run(t.Context(), older(tt.parser))
		if o.Result.Outcome != action.Failed || o.Result.Kind != fault.Limit {
			t.Errorf("got %s, %s", o.Result.Outcome, o.Result.Message)
		}
	}
}

func TestProtocolIsForProgramsOfTheOlderDialect(t *testing.T) {
	t.Parallel()
	keeps := map[string]any{"stdout": "<-- END -->{\"a\":1}"}
	for name, tt := range map[string]struct {
		act    test
		change func(*runner.Attempt)
	}{
		"tend/v1":       {speaks("<-- END -->{\"a\":1}", 100), func(a *runner.Attempt) { a.Dialect = expr.Strict }},
		"not a program": {answers(action.OK(keeps)), func(*runner.Attempt) {}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := older("")
			tt.change(&a)
			if d := cmp.Diff(keeps, setup(t, tt.act).Run(t.Context(), a).Result.Output); d != "" {
				t.Error(d)
			}
		})
	}
	failed := speaks("<-- END -->{\"a\":1}", 100)
	inner := failed.run
	failed.run = func(ctx context.Context, req action.Request, log action.Log) action.Result {
		r := inner(ctx, req, log)
		r.Outcome, r.Kind, r.Message = action.Failed, fault.Exit, "exit 1"
		return r
	}
	o := setup(t, failed).Run(t.Context(), older(""))
	if d := cmp.Diff(keeps, o.Result.Output); d != "" || o.Result.Outcome != action.Failed {
		t.Error(d)
	}
}

func older(parser string) runner.Attempt {
	a := attempt(nil)
	a.Dialect, a.Parser = expr.Lenient, parser
	return a
}

// speaks is a program that prints stdout in writes of a size.
func speaks(stdout string, size int) test {
	return test{spec: contract.Spec{Env: true}, run: func(_ context.Context, _ action.Request, log action.Log) action.Result {
		for rest := stdout; rest != ""; {
			n := min(size, len(rest))
			log("stdout", []byte(rest[:n]))
			rest = rest[n:]
		}
		return action.OK(map[string]any{"stdout": stdout[:min(len(stdout), 100)]})
	}}
}
