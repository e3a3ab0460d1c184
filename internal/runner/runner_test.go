package runner_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/runner"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/value"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestNothingBeginsWhenSomethingIsWrong(t *testing.T) {
	t.Parallel()
	began := false
	act := test{
		spec: contract.Spec{Inputs: []contract.Field{
			{Name: "host", Type: contract.String, Required: true},
			{Name: "count", Type: contract.Number},
			{Name: "password", Type: contract.Secret},
		}},
		run: func(context.Context, action.Request, action.Log) action.Result {
			began = true
			return action.OK(nil)
		},
	}
	tests := []struct {
		name   string
		change func(*runner.Attempt)
		kind   fault.Kind
		says   []string
	}{
		{"unknown action", func(a *runner.Attempt) { a.Action = "nothing" }, fault.Missing, []string{`"nothing"`}},
		{"unknown runner", func(a *runner.Attempt) { a.Runner = "mars" }, fault.Missing, []string{`"mars"`}},
		{"deadline passed", func(a *runner.Attempt) { a.Deadline = time.Unix(1, 0) }, fault.Timeout, []string{"before the step began"}},
		{"required, not given", func(a *runner.Attempt) { a.Inputs = value.Object{} }, fault.Invalid, []string{"host", "required"}},
		{"required, empty", with("host", "  "), fault.Invalid, []string{"host", "empty"}},
		{"required, an empty secret", with("host", later(" ")), fault.Invalid, []string{"host", "empty"}},
		{"wrong type", with("count", "many"), fault.Invalid, []string{"count", "many"}},
		{"two problems", with("count", "many", "port", int64(1)), fault.Invalid, []string{"count", "port"}},
		{"missing secrets", with("host", []any{later("{a}{b}", "a", "b"), later("{c}", "c")}), fault.Missing, []string{`"a"`, `"b"`, `"c"`, "with.host[1]"}},
		{"locked secret", with("host", later("{locked}", "locked")), fault.Unavailable, []string{"locked", "with.host"}},
		{"missing secret by name", with("password", "nobody"), fault.Missing, []string{"password", `"nobody"`}},
		{"template that fails", with("host", later("!")), fault.Expr, []string{"with.host", "cannot be rendered"}},
		{"damaged template", with("host", map[string]any{expr.DeferredKey: "x"}), fault.Invalid, []string{"with.host"}},
		{"env is no map", func(a *runner.Attempt) { a.Inputs["env"] = "x" }, fault.Invalid, []string{"env"}},
		{"args are no list", func(a *runner.Attempt) { a.Inputs["args"] = "x" }, fault.Invalid, []string{"args"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := setup(t, act)
			a := attempt(map[string]any{"host": "web-1"})
			tt.change(&a)
			o := b.Run(t.Context(), a)
			if o.Result.Outcome != action.NotStarted || o.Result.Kind != tt.kind {
				t.Errorf("got %s, %s: %s", o.Result.Outcome, o.Result.Kind, o.Result.Message)
			}
			for _, s := range tt.says {
				if !strings.Contains(o.Result.Message, s) {
					t.Errorf("%q does not say %q", o.Result.Message, s)
				}
			}
			if errors.Is(o.Err, runner.ErrRunner) != (a.Runner != "") {
				t.Errorf("Err = %v", o.Err)
			}
		})
	}
	if began {
		t.Error("the action was called")
	}
}

func TestCancelledBeforeItBegan(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(fault.New(fault.Cancelled, "ana said so"))
	o := setup(t, answers(action.OK(nil))).Run(ctx, attempt(nil))
	if o.Result.Outcome != action.NotStarted || o.Result.Kind != fault.Cancelled || !strings.Contains(o.Result.Message, "ana said so") {
		t.Errorf("got %+v", o.Result)
	}
}

func TestActionGetsWhatItsSpecDeclares(t *testing.T) {
	t.Parallel()
	var got action.Request
	act := test{
		spec: contract.Spec{Inputs: []contract.Field{
			{Name: "count", Type: contract.Number},
			{Name: "color", Type: contract.String, Default: "red"},
			{Name: "token", Type: contract.String},
			{Name: "body", Type: contract.Any},
			{Name: "login", Type: contract.Secret},
		}},
		run: func(_ context.Context, req action.Request, _ action.Log) action.Result {
			got = req
			return action.OK(nil)
		},
	}
	b := setup(t, act)
	a := attempt(map[string]any{
		"count": "20", "token": later("Bearer {api}", "api"), "login": "db",
		"body": map[string]any{"list": []any{later("{db}", "db"), int64(1)}},
	})
	a.Inputs["env"] = map[string]any{"A": "1", "B": later("{db}", "db")}
	a.Inputs["args"] = []any{"x", later("{db}", "db")}
	a.Epoch, a.Number, a.Dir, a.Runner = 7, 2, "/srv", "local"
	o := b.Run(t.Context(), a)
	if o.Result.Outcome != action.Succeeded {
		t.Fatal(o.Result)
	}
	plain := action.Reveal(got.Inputs)
	want := map[string]any{
		"count": int64(20), "color": "red", "token": "Bearer xoxb-123456-abc", "login": "correct-horse",
		"body": map[string]any{"list": []any{"correct-horse", int64(1)}},
	}
	if d := cmp.Diff(want, plain); d != "" {
		t.Error(d)
	}
	if _, ok := got.Inputs["token"].(secret.Value); !ok {
		t.Errorf("token came as %T", got.Inputs["token"])
	}
	if d := cmp.Diff(map[string]any{"A": "1", "B": "correct-horse"}, action.Reveal(got.Env)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]any{"x", "correct-horse"}, action.Reveal(got.Args)); d != "" {
		t.Error(d)
	}
	if got.Epoch != 7 || got.Attempt != 2 || got.Key != "key_1" || got.Step != "steps[0]" || got.Dir != "/srv" || got.Effect != contract.Mutate {
		t.Errorf("got %+v", got)
	}
	if d := cmp.Diff(map[string]string{"api": "v3", "db": "v2"}, o.Versions); d != "" {
		t.Error(d)
	}
}

func TestRunnersAreOtherPlaces(t *testing.T) {
	t.Parallel()
	r := runner.New(runner.Config{
		Find: func(string) (action.Action, bool) { return answers(action.Value("here")), true }, Secrets: secrets{}, Eval: finisher{}, Blobs: newShelf(),
		Runners: map[string]func(string) (action.Action, bool){
			"web-1": func(name string) (action.Action, bool) { return answers(action.Value("there")), name == "test" },
		},
	})
	for name, want := range map[string]string{"": "here", "local": "here", "web-1": "there"} {
		a := attempt(nil)
		a.Runner = name
		if got := r.Run(t.Context(), a).Result.Output["value"]; got != want {
			t.Errorf("on %q: %v", name, got)
		}
		if err := r.Check(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	a := attempt(nil)
	a.Runner, a.Action = "web-1", "http"
	if o := r.Run(t.Context(), a); o.Err != nil || o.Result.Outcome != action.NotStarted || !strings.Contains(o.Result.Message, `"http" on runner "web-1"`) {
		t.Errorf("got %+v", o)
	}
	if err := r.Check("mars"); !errors.Is(err, runner.ErrRunner) || !fault.Is(err, fault.Missing) {
		t.Errorf("got %v", err)
	}
}

// A panic, an end without an outcome: nobody knows how far it came, unless it only reads.
func TestBrokenActions(t *testing.T) {
	t.Parallel()
	crash := test{run: func(context.Context, action.Request, action.Log) action.Result { panic("with data: hunter22") }}
	tests := []struct {
		name    string
		act     action.Action
		effect  string
		outcome action.Outcome
	}{
		{"panic, mutate", crash, "mutate", action.InDoubt},
		{"panic, idempotent", crash, "idempotent", action.InDoubt},
		{"panic, read", crash, "read", action.Failed},
		{"no outcome", answers(action.Result{}), "mutate", action.InDoubt},
		{"unknown outcome", answers(action.Result{Outcome: "perhaps"}), "read", action.Failed},
		{"failure without a kind", answers(action.Result{Outcome: action.Failed}), "mutate", action.Failed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, tt.act)
			a := attempt(nil)
			a.Effect = tt.effect
			o := b.Run(t.Context(), a)
			if o.Result.Outcome != tt.outcome || o.Result.Kind != fault.Internal || o.Result.Message == "" {
				t.Errorf("got %+v", o.Result)
			}
			if strings.Contains(o.Result.Message+b.logged.String(), "hunter22") {
				t.Errorf("the value of the panic shows: %q, %s", o.Result.Message, b.logged)
			}
			if strings.HasPrefix(tt.name, "panic") && !strings.Contains(b.logged.String(), "runner_test.TestBrokenActions") {
				t.Errorf("operators do not see where: %s", b.logged)
			}
		})
	}
}

func TestActionThatDoesNotStopIsAbandoned(t *testing.T) {
	t.Parallel()
	for _, effect := range []string{"mutate", "read"} {
		synctest.Test(t, func(t *testing.T) {
			let := make(chan struct{})
			b := setup(t, test{run: func(_ context.Context, _ action.Request, log action.Log) action.Result {
				log("stdout", []byte("begun\n"))
				<-let
				log("stdout", []byte("too late\n"))
				return action.OK(nil)
			}})
			a := attempt(nil)
			a.Effect = effect
			a.Deadline = time.Now().Add(time.Hour)
			start := time.Now()
			o := b.Run(t.Context(), a)
			if took := time.Since(start); took != time.Hour+time.Minute {
				t.Errorf("took %v", took)
			}
			want := map[string]action.Outcome{"mutate": action.InDoubt, "read": action.Failed}[effect]
			if o.Result.Outcome != want || o.Result.Kind != fault.Timeout || !strings.Contains(o.Result.Message, "did not stop") {
				t.Errorf("got %+v", o.Result)
			}
			if d := cmp.Diff([]string{"stdout: begun"}, b.logOf(t, o)); d != "" {
				t.Error(d)
			}
			close(let)
			synctest.Wait()
			if !strings.Contains(b.logged.String(), "came back") {
				t.Errorf("operators see %q", b.logged)
			}
		})
	}
}

func TestDeadlineAndCancelReachTheAction(t *testing.T) {
	t.Parallel()
	act := test{run: func(ctx context.Context, _ action.Request, _ action.Log) action.Result {
		<-ctx.Done()
		k, why := action.Stopped(ctx)
		return action.Doubt(k, why)
	}}
	synctest.Test(t, func(t *testing.T) {
		a := attempt(nil)
		a.Deadline = time.Now().Add(time.Second)
		if o := setup(t, act).Run(t.Context(), a); o.Result.Kind != fault.Timeout || o.Result.Outcome != action.InDoubt {
			t.Errorf("got %+v", o.Result)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(fault.New(fault.Lost, "the lease is over")) })
		o := setup(t, act).Run(ctx, attempt(nil))
		if o.Result.Kind != fault.Lost || o.Result.Message != "the lease is over" {
			t.Errorf("got %+v", o.Result)
		}
	})
}

func TestSecretsAreMaskedEverywhere(t *testing.T) {
	t.Parallel()
	const plain = "correct-horse"
	encoded := base64.StdEncoding.EncodeToString([]byte("user:" + plain))
	act := test{
		spec: contract.Spec{Inputs: []contract.Field{{Name: "a", Type: contract.Any}}},
		run: func(_ context.Context, _ action.Request, log action.Log) action.Result {
			log("stdout", []byte("it is correct-"))
			log("stderr", []byte("basic "+encoded+"\n"))
			log("stdout", []byte("horse\nand CORRECT-HORSE\n"))
			r := action.Fail(fault.Exit, "cannot log in with "+plain)
			r.Output = map[string]any{plain: "x", "url": "http://u:" + plain + "@h/", "v": secret.New("never-heard-of"), "n": []any{encoded}}
			return r
		},
	}
	b := setup(t, act)
	o := b.Run(t.Context(), attempt(map[string]any{"a": []any{later("{db}", "db"), later("^db", "db")}}))
	if o.Result.Message != "cannot log in with [secret]" {
		t.Error(o.Result.Message)
	}
	want := map[string]any{"[secret]": "x", "url": "http://u:[secret]@h/", "v": "[secret]", "n": []any{"dXNlcjp[secret]"}}
	if d := cmp.Diff(want, o.Result.Output); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"stdout: it is [secret]", "stdout: and [secret]", "stderr: basic dXNlcjp[secret]"}, sorted(b.logOf(t, o))); d != "" {
		t.Error(d)
	}

	// A later step, which was not given the secret, does not show it either.
	later := prints("file: " + plain + "\n")
	later.spec.Name = "later"
	b2 := setup(t, act, later)
	b2.Run(t.Context(), attempt(map[string]any{"a": laterDB()}))
	a := attempt(nil)
	a.Action = "later"
	if d := cmp.Diff([]string{"stdout: file: [secret]"}, b2.logOf(t, b2.Run(t.Context(), a))); d != "" {
		t.Error(d)
	}
}

func TestOutputs(t *testing.T) {
	t.Parallel()
	t.Run("small ones are inline", func(t *testing.T) {
		t.Parallel()
		o := setup(t, answers(action.Value([]int{1, 2}))).Run(t.Context(), attempt(nil))
		if d := cmp.Diff(map[string]any{"value": []any{int64(1), int64(2)}}, o.Result.Output); d != "" || !o.Inline() || o.Log != nil {
			t.Error(d, o.Ref, o.Log)
		}
	})
	t.Run("large ones are blobs", func(t *testing.T) {
		t.Parallel()
		b := setup(t, answers(action.Value(strings.Repeat("x", 64<<10))))
		o := b.Run(t.Context(), attempt(nil))
		if o.Inline() {
			t.Fatal("inline")
		}
		v, err := value.Parse(b.blob(t, *o.Ref))
		if d := cmp.Diff(o.Result.Output, v); d != "" || err != nil {
			t.Error(d, err)
		}
	})
	t.Run("too large ones fail", func(t *testing.T) {
		t.Parallel()
		o := setup(t, answers(action.Value(strings.Repeat("x", 17<<20)))).Run(t.Context(), attempt(nil))
		if o.Result.Outcome != action.Failed || o.Result.Kind != fault.Limit || o.Result.Output != nil {
			t.Errorf("got %s %s", o.Result.Outcome, o.Result.Message)
		}
	})
	t.Run("what is not data fails", func(t *testing.T) {
		t.Parallel()
		o := setup(t, answers(action.Value(math.NaN()))).Run(t.Context(), attempt(nil))
		if o.Result.Outcome != action.Failed || o.Result.Kind != fault.Parse {
			t.Errorf("got %+v", o.Result)
		}
	})
	t.Run("what cannot be stored leaves doubt", func(t *testing.T) {
		t.Parallel()
		b := setup(t, answers(action.Value(strings.Repeat("x", 64<<10))))
		b.blobs.full = true
		o := b.Run(t.Context(), attempt(nil))
		if o.Result.Outcome != action.InDoubt || o.Result.Kind != fault.Unavailable || !strings.Contains(o.Result.Message, "took effect") {
			t.Errorf("got %+v", o.Result)
		}
	})
	t.Run("a lost log changes nothing", func(t *testing.T) {
		t.Parallel()
		b := setup(t, prints("hello\n"))
		b.blobs.full = true
		o := b.Run(t.Context(), attempt(nil))
		if o.Result.Outcome != action.Succeeded || o.Log != nil || !strings.Contains(b.logged.String(), "could not be stored") {
			t.Errorf("got %+v, %s", o, b.logged)
		}
	})
	t.Run("failures keep theirs", func(t *testing.T) {
		t.Parallel()
		r := action.Fail(fault.Exit, "exit 3")
		r.Output = map[string]any{"exitCode": 3}
		r.After = time.Minute
		o := setup(t, answers(r)).Run(t.Context(), attempt(nil))
		if o.Result.Output["exitCode"] != int64(3) || o.Result.After != time.Minute {
			t.Errorf("got %+v", o.Result)
		}
	})
}

func TestSealedOutputs(t *testing.T) {
	t.Parallel()
	act := test{
		spec: contract.Spec{Env: true, Outputs: []contract.Field{{Name: "cookie", Sensitive: true}}},
		run: func(_ context.Context, req action.Request, log action.Log) action.Result {
			log("stdout", []byte(`{"token":"made-just-now"}`))
			log("stderr", []byte("done\n"))
			return action.OK(map[string]any{
				"stdout": `{"token":"made-just-now"}`, "value": map[string]any{"token": "made-just-now"},
				"cookie": secret.New("crumbs-crumbs"), "who": "made-just-now by me",
			})
		},
	}
	tell := prints("made-just-now crumbs-crumbs\n")
	tell.spec.Name = "tell"
	b := setup(t, act, tell)
	a := attempt(nil)
	a.Sealed = []string{"value", "not there"}
	o := b.Run(t.Context(), a)
	got, boxes := b.opened(t, "run_1", o.Result.Output)
	if d := cmp.Diff(map[string]any{
		"stdout": "[secret]", "who": "[secret] by me", "cookie": "crumbs-crumbs", "value": map[string]any{"token": "made-just-now"},
	}, got); d != "" {
		t.Error(d)
	}
	if strings.Contains(fmt.Sprint(o.Result.Output), "just") || len(boxes) != 2 || boxes[0].Open {
		t.Errorf("it is not sealed: %v", o.Result.Output)
	}
	_, elsewhere := b.key.For("run_2")
	if _, err := boxes[0].Disclose(elsewhere); !fault.Is(err, fault.Damaged) {
		t.Errorf("another run opens it: %v", err)
	}
	if d := cmp.Diff([]string{"tend: stdout is not logged: this step has secret outputs", "stderr: done"}, b.logOf(t, o)); d != "" {
		t.Error(d)
	}
	a = attempt(nil)
	a.Action = "tell"
	if d := cmp.Diff([]string{"stdout: [secret] [secret]"}, b.logOf(t, b.Run(t.Context(), a))); d != "" {
		t.Error(d)
	}
}

func with(kv ...any) func(*runner.Attempt) {
	return func(a *runner.Attempt) {
		m := map[string]any{"host": "web-1"}
		for i := 0; i < len(kv); i += 2 {
			m[kv[i].(string)] = kv[i+1]
		}
		a.Inputs = value.Object{"with": m}
	}
}

// opened gives an output with everything in it opened, and what was sealed.
func (b bundle) opened(t *testing.T, root string, output map[string]any) (map[string]any, []expr.Deferred) {
	t.Helper()
	_, open := b.key.For(root)
	out, boxes := map[string]any{}, []expr.Deferred(nil)
	for k, v := range output {
		d, ok := expr.AsDeferred(v)
		if out[k] = v; ok {
			x, err := d.Disclose(open)
			if err != nil {
				t.Fatal(err)
			}
			out[k], boxes = x, append(boxes, d)
		}
	}
	return out, boxes
}

// TestSensitiveOutputs: what holds a text that is sensitive in its run is sealed, and steps that follow get it back.
func TestSensitiveOutputs(t *testing.T) {
	t.Parallel()
	said := map[string]any{"who": "it is planted-0001", "size": int64(3), "list": []any{"planted-0001", int64(1)}}
	act := test{
		spec: contract.Spec{Inputs: []contract.Field{{Name: "word", Type: contract.String}, {Name: "n", Type: contract.Number}}},
		run: func(_ context.Context, req action.Request, log action.Log) action.Result {
			if req.Inputs["word"] != "planted-0002" || req.Inputs["n"] != int64(7) {
				return action.Fail(fault.Exit, fmt.Sprint(req.Inputs))
			}
			log("stdout", []byte("planted-0001 planted-0002\n"))
			out := map[string]any{"given": "as planted-0002", "$deferred": map[string]any{"template": "x"}}
			for k, v := range said {
				out[k] = v
			}
			return action.OK(out)
		},
	}
	b := setup(t, act)
	seal, _ := b.key.For("run_1")
	box := func(v any) any {
		d, err := expr.Enclose(v, true, seal)
		if err != nil {
			t.Fatal(err)
		}
		return d.Value()
	}
	a := attempt(map[string]any{"word": box("planted-0002"), "n": box(int64(7))})
	a.Hide = []secret.Value{secret.New("planted-0001")}
	o := b.Run(t.Context(), a)
	if o.Result.Outcome != action.Succeeded || strings.Contains(fmt.Sprint(o.Result.Output), "planted") {
		t.Fatalf("got %+v", o.Result)
	}
	got, boxes := b.opened(t, "run_1", o.Result.Output)
	said["given"] = "as planted-0002"
	if d := cmp.Diff(said, got); d != "" || len(boxes) != 3 || !boxes[0].Open {
		t.Error(d, boxes)
	}
	if d, _ := expr.AsDeferred(o.Result.Output["who"]); d.Shown != "it is [secret]" {
		t.Errorf("people see %v", d.Shown)
	}
	if d := cmp.Diff([]string{"stdout: [secret] [secret]", "tend: left out of the output: keys $deferred, which only tend itself may write"}, b.logOf(t, o)); d != "" {
		t.Error(d)
	}
	// What a text is sealed with elsewhere, or what is altered, does not begin.
	a.Root = "run_2"
	if o := b.Run(t.Context(), a); o.Result.Outcome != action.NotStarted || o.Result.Kind != fault.Damaged {
		t.Errorf("got %+v", o.Result)
	}
	// A large output is sealed as a whole, in its blob.
	a.Root, a.Inputs = "run_1", value.Object{"with": map[string]any{"word": box("planted-0002"), "n": box(int64(7))}}
	said["who"] = strings.Repeat("planted-0001 ", 10_000)
	o = b.Run(t.Context(), a)
	if o.Result.Outcome != action.Succeeded || o.Ref == nil || bytes.Contains(b.blob(t, *o.Ref), []byte("planted")) {
		t.Fatalf("got %+v", o)
	}
	whole, err := value.Parse(b.blob(t, *o.Ref))
	if err != nil {
		t.Fatal(err)
	}
	got, _ = b.opened(t, "run_1", map[string]any{"all": whole})
	if d := cmp.Diff(said, got["all"]); d != "" {
		t.Error(d)
	}
}

// TestSecretOutputsAreUsed: a text that is made of a secret output is finished from what is sealed, and masked from then on.
func TestSecretOutputsAreUsed(t *testing.T) {
	t.Parallel()
	act := test{run: func(_ context.Context, req action.Request, log action.Log) action.Result {
		log("stdout", []byte(action.Reveal(req.Env["TOKEN"]).(string)))
		return action.OK(map[string]any{"said": action.Reveal(req.Env["TOKEN"])})
	}}
	b := setup(t, act)
	seal, _ := b.key.For("run_1")
	d, err := expr.Enclose("planted-0003", false, seal)
	if err != nil {
		t.Fatal(err)
	}
	a := attempt(nil)
	a.Run = "run_9" // it was made by another run of the same root
	a.Inputs = value.Object{"env": map[string]any{"TOKEN": expr.Deferred{
		Template: "Bearer <token>", Secrets: []string{}, Later: []expr.Later{{Path: []string{"token"}, Deferred: d}},
	}.Value()}}
	o := b.Run(t.Context(), a)
	if d := cmp.Diff(map[string]any{"said": "Bearer [secret]"}, o.Result.Output); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"stdout: Bearer [secret]"}, b.logOf(t, o)); d != "" {
		t.Error(d)
	}
}

func laterDB() map[string]any { return later("{db}", "db") }

// sorted puts stdout before stderr: between streams there is no order.
func sorted(lines []string) []string {
	var out, rest []string
	for _, l := range lines {
		if strings.HasPrefix(l, "stdout") {
			out = append(out, l)
		} else {
			rest = append(rest, l)
		}
	}
	return append(out, rest...)
}

func BenchmarkRun(b *testing.B) {
	act := answers(action.OK(nil))
	r := runner.New(runner.Config{
		Find: func(string) (action.Action, bool) { return act, true }, Secrets: secrets{}, Eval: finisher{}, Blobs: newShelf(), Live: &runner.Live{},
	})
	a := attempt(nil)
	a.Deadline = time.Now().Add(time.Hour)
	b.ReportAllocs()
	for b.Loop() {
		r.Run(b.Context(), a)
	}
}
