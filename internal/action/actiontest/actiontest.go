// Package actiontest is the conformance suite of actions: what every action owes the engine, whatever it does.
//
// Run checks that an action's Spec is complete; that any input, however strange, gives a Result and no panic; that every
// end is one that the Spec documents, with the outputs that it declares; that cancel and deadline are honoured promptly;
// that several steps can use it at once; and that planted secrets do not show in what the action itself composes.
package actiontest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/mask"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/value"
)

// Case is one attempt with the end that it must have.
type Case struct {
	Name    string
	Request func(t *testing.T) action.Request
	Want    action.Outcome
	Kind    fault.Kind // "" for success
	// Secrets were planted in the request and must not show in message, output or log, in any encoding.
	Secrets []string
	Check   func(t *testing.T, r action.Result, log string) // may be nil
}

// Suite is what Run needs to know of an action.
type Suite struct {
	// Cases should reach every row of the Spec's Ends that can be brought about in a test.
	Cases []Case
	// Hang gives a request that would not end by itself; nil where there is none.
	Hang func(t *testing.T) action.Request
	// Tame makes an arbitrary request harmless; nil where every request is.
	Tame func(req *action.Request)
	// Prompt is how long after cancel or deadline the action may take; zero: 3 seconds.
	Prompt time.Duration
}

// Run checks a against the suite.
func Run(t *testing.T, a action.Action, s Suite) {
	t.Helper()
	t.Run("spec", func(t *testing.T) {
		t.Parallel()
		Spec(t, a.Spec())
	})
	for _, c := range s.Cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			check(t, a, c)
		})
	}
	t.Run("arbitrary input", func(t *testing.T) {
		t.Parallel()
		arbitrary(t, a, s)
	})
	t.Run("cancelled before it began", func(t *testing.T) {
		t.Parallel()
		for _, c := range s.Cases {
			ctx, cancel := context.WithCancelCause(t.Context())
			cancel(errors.New("the run was cancelled"))
			r, _ := attempt(ctx, t, a, c.Request(t))
			if r.Outcome != action.NotStarted && r.Outcome != action.Failed && r.Outcome != action.Succeeded || r.Outcome == action.Succeeded && a.Spec().Effect != contract.Read {
				t.Errorf("%s: %s (%s) under a context that had ended before", c.Name, r.Outcome, r.Message)
			}
		}
	})
	t.Run("at once", func(t *testing.T) {
		t.Parallel()
		if len(s.Cases) == 0 {
			t.Fatal("a suite without cases proves nothing")
		}
		var wg sync.WaitGroup
		for range 4 {
			req := s.Cases[0].Request(t)
			wg.Go(func() {
				if r, _ := attempt(t.Context(), t, a, req); r.Outcome != s.Cases[0].Want {
					t.Errorf("%s: %s: %s", s.Cases[0].Name, r.Outcome, r.Message)
				}
			})
		}
		wg.Wait()
	})
	if s.Hang != nil {
		hang(t, a, s)
	}
}

func check(t *testing.T, a action.Action, c Case) {
	t.Helper()
	r, log := attempt(t.Context(), t, a, c.Request(t))
	if r.Outcome != c.Want || r.Kind != c.Kind {
		t.Fatalf("ended %s %q, not %s %q: %s", r.Outcome, r.Kind, c.Want, c.Kind, r.Message)
	}
	leaks(t, r, log, c.Secrets)
	if c.Check != nil {
		c.Check(t, r, log)
	}
}

// attempt runs one attempt and checks what every Result owes.
func attempt(ctx context.Context, t rapid.TB, a action.Action, req action.Request) (action.Result, string) {
	t.Helper()
	var (
		mu  sync.Mutex
		log strings.Builder
	)
	r := a.Run(ctx, req, func(stream string, p []byte) {
		mu.Lock()
		defer mu.Unlock()
		if !slices.Contains([]string{"stdout", "stderr", "tend"}, stream) {
			t.Errorf("a log line came on stream %q", stream)
		}
		if log.Len() < 1<<20 {
			log.Write(p)
		}
	})
	mu.Lock()
	defer mu.Unlock()
	if err := Legal(a.Spec(), r); err != nil {
		t.Errorf("%v\nresult: %s %q %s", err, r.Outcome, r.Kind, r.Message)
	}
	return r, log.String()
}

// Legal tells what is wrong with a Result of an action with the given Spec, or nil.
func Legal(spec contract.Spec, r action.Result) error {
	var problems []error
	bad := func(format string, a ...any) { problems = append(problems, fmt.Errorf(format, a...)) }
	if !slices.Contains([]action.Outcome{action.Succeeded, action.Failed, action.NotStarted, action.InDoubt}, r.Outcome) {
		bad("outcome %q does not exist", r.Outcome)
	}
	if (r.Outcome == action.Succeeded) != (r.Kind == "") {
		bad("outcome %s has kind %q", r.Outcome, r.Kind)
	}
	if r.Outcome != action.Succeeded && strings.TrimSpace(r.Message) == "" {
		bad("an end without a word why")
	}
	if !slices.ContainsFunc(spec.Ends, func(e contract.End) bool { return e.Outcome == string(r.Outcome) && e.Kind == r.Kind }) {
		bad("the Spec's Ends do not document %s %q", r.Outcome, r.Kind)
	}
	if !utf8.ValidString(r.Message) {
		bad("the message is not UTF-8")
	}
	if i := strings.IndexFunc(r.Message, func(c rune) bool { return unicode.IsControl(c) && c != '\n' && c != '\t' }); i >= 0 {
		bad("the message has a control character: %q", r.Message)
	}
	if r.After < 0 {
		bad("After is negative")
	}
	norm, err := value.Normalize(r.Output)
	switch {
	case err != nil:
		bad("the output is no data: %w", err)
	case len(r.Output) > 0 && !reflect.DeepEqual(norm, any(r.Output)):
		bad("the output is not normalised")
	}
	for name, v := range r.Output {
		i := slices.IndexFunc(spec.Outputs, func(f contract.Field) bool { return f.Name == name })
		if i < 0 {
			bad("output %q is not declared", name)
			continue
		}
		if !fits(spec.Outputs[i].Type, v) {
			bad("output %q is declared %s and is a %T", name, spec.Outputs[i].Type, v)
		}
		if s, ok := v.(string); ok && !utf8.ValidString(s) {
			bad("output %q is not UTF-8", name)
		}
	}
	return errors.Join(problems...)
}

// fits tells whether a value has a type. Nothing fits every type: an output may be absent.
func fits(typ contract.Type, v any) bool {
	if v == nil {
		return true
	}
	ok := true
	switch typ {
	case contract.String, contract.Var, contract.SPD, contract.Duration, contract.Secret, contract.Integration:
		_, ok = v.(string)
	case contract.Number:
		_, i := v.(int64)
		_, f := v.(float64)
		ok = i || f
	case contract.Boolean:
		_, ok = v.(bool)
	case contract.List:
		_, ok = v.([]any)
	case contract.Map:
		_, ok = v.(map[string]any)
	case contract.Any:
	}
	return ok
}

func leaks(t testing.TB, r action.Result, log string, secrets []string) {
	t.Helper()
	var values []secret.Value
	for _, s := range secrets {
		values = append(values, secret.New(s))
	}
	m := mask.New(values...)
	out, err := value.Canonical(r.Output)
	if err != nil {
		t.Errorf("encode the output: %v", err)
	}
	for what, text := range map[string]string{"message": r.Message, "log": log, "output": string(out)} {
		if m.Found(text) {
			t.Errorf("the %s shows a planted secret: %.300q", what, text)
		}
	}
}

func hang(t *testing.T, a action.Action, s Suite) {
	t.Helper()
	prompt := s.Prompt
	if prompt == 0 {
		prompt = 3 * time.Second
	}
	// Long enough to be under way on a busy machine; too early is tested by "cancelled before it began".
	const after = 150 * time.Millisecond
	end := func(t *testing.T, ctx context.Context, want fault.Kind) {
		t.Helper()
		start := time.Now()
		r, _ := attempt(ctx, t, a, s.Hang(t))
		if took := time.Since(start) - after; took > prompt {
			t.Errorf("took %v to end", took)
		}
		if r.Outcome == action.Succeeded || r.Kind != want {
			t.Errorf("ended %s %q (%s), not with kind %q", r.Outcome, r.Kind, r.Message, want)
		}
	}
	t.Run("deadline", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithTimeout(t.Context(), after)
		defer cancel()
		end(t, ctx, fault.Timeout)
	})
	t.Run("cancel", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		timer := time.AfterFunc(after, func() { cancel(errors.New("a person cancelled the run")) })
		defer timer.Stop()
		end(t, ctx, fault.Cancelled)
	})
	t.Run("cancel with a kind", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		timer := time.AfterFunc(after, func() { cancel(fault.New(fault.Timeout, "the block's time limit passed")) })
		defer timer.Stop()
		end(t, ctx, fault.Timeout)
	})
}

// arbitrary feeds what no document would hold.
func arbitrary(t *testing.T, a action.Action, s Suite) {
	spec := a.Spec()
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		req := action.Request{
			Run: "run_x", Step: "steps[0]", Attempt: 1, Key: rapid.SampledFrom([]string{"", "key-1"}).Draw(rt, "key"),
			Action: spec.Name, Effect: rapid.SampledFrom([]contract.Effect{"", contract.Read, contract.Idempotent, contract.Mutate, "odd"}).Draw(rt, "effect"),
			Dir: dir, Work: dir, Inputs: map[string]any{},
		}
		for _, f := range spec.Inputs {
			if rapid.IntRange(0, 3).Draw(rt, "give "+f.Name) > 0 {
				req.Inputs[f.Name] = input(rt, f)
			}
		}
		if rapid.IntRange(0, 9).Draw(rt, "unknown") == 0 {
			req.Inputs["unknown"] = anything(rt, 2)
		}
		if rapid.Bool().Draw(rt, "env") {
			req.Env = map[string]any{hostile(rt): anything(rt, 1), "NAME": hostile(rt)}
		}
		if s.Tame != nil {
			s.Tame(&req)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		attempt(ctx, rt, a, req)
	})
}

// input draws a value for a field: mostly of its type, sometimes of another, sometimes a secret.
func input(t *rapid.T, f contract.Field) any {
	switch rapid.IntRange(0, 9).Draw(t, "sort") {
	case 0:
		return anything(t, 2)
	case 1:
		return secret.New("s3cret-" + hostile(t))
	}
	if len(f.Enum) > 0 && rapid.IntRange(0, 4).Draw(t, "enum") > 0 {
		return rapid.SampledFrom(f.Enum).Draw(t, f.Name)
	}
	switch f.Type {
	case contract.Number:
		if rapid.Bool().Draw(t, "float") {
			return rapid.Float64().Draw(t, f.Name)
		}
		return rapid.Int64().Draw(t, f.Name)
	case contract.Boolean:
		return rapid.Bool().Draw(t, f.Name)
	case contract.Duration:
		return rapid.SampledFrom([]any{"1s", "0", "-1s", "1h", int64(1), "9999999h", hostile(t)}).Draw(t, f.Name)
	case contract.List:
		n := rapid.IntRange(0, 4).Draw(t, "length")
		l := make([]any, n)
		for i := range l {
			if f.Items != nil {
				l[i] = input(t, *f.Items)
			} else {
				l[i] = anything(t, 1)
			}
		}
		return l
	case contract.Map:
		m := map[string]any{}
		for _, e := range f.Fields {
			if rapid.Bool().Draw(t, "give "+e.Name) {
				m[e.Name] = input(t, e)
			}
		}
		if len(f.Fields) == 0 {
			for range rapid.IntRange(0, 3).Draw(t, "size") {
				m[hostile(t)] = anything(t, 1)
			}
		}
		return m
	case contract.Any:
		return anything(t, 2)
	default:
		return hostile(t)
	}
}

func anything(t *rapid.T, depth int) any {
	n := rapid.IntRange(0, 8).Draw(t, "any")
	switch {
	case n == 0:
		return nil
	case n == 1:
		return rapid.Bool().Draw(t, "bool")
	case n == 2:
		return rapid.Int64().Draw(t, "int")
	case n == 3:
		return rapid.Float64().Draw(t, "float")
	case n == 4:
		return secret.New("s3cret-" + hostile(t))
	case n == 5 && depth > 0:
		return []any{anything(t, depth-1), anything(t, depth-1)}
	case n == 6 && depth > 0:
		return map[string]any{hostile(t): anything(t, depth-1), "k": anything(t, depth-1)}
	default:
		return hostile(t)
	}
}

// hostile draws a text that means something to somebody, or nothing to anybody.
func hostile(t *rapid.T) string {
	switch rapid.IntRange(0, 3).Draw(t, "text") {
	case 0:
		return rapid.String().Draw(t, "unicode")
	case 1:
		return string(rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "bytes"))
	default:
		return rapid.SampledFrom([]string{
			"", " ", "\x00", "\r\nX: y", "'; exit 1; '", "$(exit 3)", "`exit 3`", "{{ .x }}", "${jndi:ldap://x}", "-rf", "--", "../..", "/", "/dev/null",
			"http://127.0.0.1:1/", "http://169.254.169.254/", "https://[::1]:1/", "file:///etc/hosts", "GET", "POST", ".", ".[]", "[", "(", "(a+)+$",
			"null", "true", "[]", "{}", "[1,2]", `{"a":1}`, "1e999", "-1", "0x10", "٣", "\u202e", "\ufeff", "é", "日本語", "\xff\xfe",
			strings.Repeat("a", 5000), strings.Repeat("[", 500),
		}).Draw(t, "sample")
	}
}
