package runner_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/blob"
	"github.com/tendhq/tend/internal/blob/memory"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/runner"
	"github.com/tendhq/tend/internal/seal"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/transcript"
	"github.com/tendhq/tend/internal/value"
)

// bundle is a runner with what it works on.
type bundle struct {
	*runner.Runner
	live   *runner.Live
	blobs  *shelf
	key    seal.Key
	logged *lockedBuffer // what operators see
}

func setup(t *testing.T, actions ...action.Action) bundle {
	t.Helper()
	key, err := seal.New(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b := bundle{live: &runner.Live{}, blobs: newShelf(), key: key, logged: &lockedBuffer{}}
	b.Runner = runner.New(runner.Config{
		Find: func(name string) (action.Action, bool) {
			for _, a := range actions {
				if a.Spec().Name == name {
					return a, true
				}
			}
			return nil, false
		},
		Secrets:  secrets{"db": "correct-horse", "api": "xoxb-123456-abc"},
		Eval:     finisher{},
		Blobs:    b.blobs,
		Key:      key,
		Scratch:  t.TempDir(),
		Live:     b.live,
		Patience: time.Minute,
		Logger:   slog.New(slog.NewTextHandler(b.logged, nil)),
	})
	return b
}

// attempt is one of the action `test` with inputs.
func attempt(with map[string]any) runner.Attempt {
	return runner.Attempt{
		Run: "run_1", Root: "run_1", Path: "steps[0]", Number: 1, Key: "key_1", Action: "test", Effect: "mutate",
		Dialect: expr.Strict, Inputs: value.Object{"with": with},
	}
}

// test is an action made of a function.
type test struct {
	spec contract.Spec
	run  func(ctx context.Context, req action.Request, log action.Log) action.Result
}

func (a test) Spec() contract.Spec {
	s := a.spec
	if s.Name == "" {
		s.Name = "test"
	}
	return s
}

func (a test) Run(ctx context.Context, req action.Request, log action.Log) action.Result {
	return a.run(ctx, req, log)
}

// answers gives an action that does nothing but answer.
func answers(r action.Result, inputs ...contract.Field) test {
	return test{spec: contract.Spec{Inputs: inputs}, run: func(context.Context, action.Request, action.Log) action.Result { return r }}
}

// prints gives an action that prints and succeeds.
func prints(texts ...string) test {
	return test{run: func(_ context.Context, _ action.Request, log action.Log) action.Result {
		for _, s := range texts {
			log("stdout", []byte(s))
		}
		return action.OK(nil)
	}}
}

func (b bundle) logOf(t *testing.T, o runner.Outcome) []string {
	t.Helper()
	if o.Log == nil {
		return nil
	}
	var lines []string
	for l, err := range transcript.Read(bytes.NewReader(b.blob(t, *o.Log))) {
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l.Stream+": "+l.Text)
	}
	return lines
}

func (b bundle) blob(t *testing.T, ref entry.Ref) []byte {
	t.Helper()
	r, err := b.blobs.Get(t.Context(), "run_1", ref)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	all, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// secrets is a provider over a map. The version of a secret is the length of its name.
type secrets map[string]string

func (secrets) Name() string { return "map" }

func (s secrets) Find(_ context.Context, name string) (secret.Found, error) {
	if name == "locked" {
		return secret.Found{}, fault.New(fault.Unavailable, "the safe is locked")
	}
	text, ok := s[name]
	if !ok {
		return secret.Found{}, fault.New(fault.Missing, "no secret named %q", name).WithNext("set it")
	}
	return secret.Found{Value: secret.New(text), Version: fmt.Sprint("v", len(name))}, nil
}

// finisher finishes templates in which {name} stands for a secret and ^name for its text in capitals.
type finisher struct{}

func (finisher) Finish(d expr.Deferred, _ expr.Dialect, get expr.Secrets, open func(expr.Deferred) (any, error)) (any, error) {
	if d.Sealed != nil {
		return open(d)
	}
	text := d.Template
	for _, l := range d.Later {
		x, err := open(l.Deferred)
		if err != nil {
			return nil, err
		}
		text = strings.ReplaceAll(text, "<"+l.Path[0]+">", fmt.Sprint(x))
	}
	for _, name := range d.Secrets {
		v, err := get(name)
		if err != nil {
			return nil, err
		}
		text = strings.NewReplacer("{"+name+"}", v.Reveal(), "^"+name, strings.ToUpper(v.Reveal())).Replace(text)
	}
	if strings.Contains(text, "!") {
		return nil, &expr.Error{Source: d.Template, Offset: -1, Reason: "cannot be rendered"}
	}
	return secret.New(text), nil
}

func later(template string, names ...any) map[string]any {
	return map[string]any{expr.DeferredKey: map[string]any{"template": template, "secrets": names, "data": map[string]any{}}}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// shelf keeps blobs in memory, and refuses when it is full.
type shelf struct {
	blob.Store
	full bool
}

func newShelf() *shelf { return &shelf{Store: memory.New()} }

func (s *shelf) Put(ctx context.Context, group string, r io.Reader) (blob.Ref, error) {
	if s.full {
		return blob.Ref{}, fault.New(fault.Unavailable, "no space left on device")
	}
	return s.Store.Put(ctx, group, r)
}
