package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/verb"
	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/blob/dir"
	"github.com/tendhq/tend/internal/compiler"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/runner"
	"github.com/tendhq/tend/internal/seal"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/sqlite"
)

// callers is how many runs move at a time.
const callers = 64

// noop does nothing, by the same way as shell: rendered inputs, an intent with effect mutate, dispatch by the runner, a
// result.
type noop struct{}

func (noop) Spec() action.Spec {
	return action.Spec{
		Name: "noop", Summary: "Does nothing.", Effect: contract.Mutate,
		Inputs:  []contract.Field{{Name: "script", Type: contract.String, Required: true}},
		Outputs: []contract.Field{{Name: "value", Type: contract.Any}},
	}
}

func (noop) Run(context.Context, action.Request, action.Log) action.Result {
	return action.Value("done")
}

// timed notes how long each attempt was under way, from its intent being handed out.
type timed struct {
	inner engine.Hands
	mu    sync.Mutex
	last  map[string]time.Time // run → end of its last attempt
	steps []time.Duration      // from the end of one attempt to the end of the next
	begun map[string]time.Time // script → when its attempt began; nil: not kept
}

func (t *timed) Act(ctx context.Context, a engine.Attempt) entry.StepResult {
	with, _ := a.Intent.Inputs["with"].(map[string]any)
	if script, ok := with["script"].(string); ok {
		t.mu.Lock()
		if t.begun != nil {
			t.begun[script] = time.Now()
		}
		t.mu.Unlock()
	}
	r := t.inner.Act(ctx, a)
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if last, ok := t.last[a.Run]; ok {
		t.steps = append(t.steps, now.Sub(last))
	}
	t.last[a.Run] = now
	return r
}

// wait until n scripts began.
func (t *timed) wait(ctx context.Context, n int) error {
	for start := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		t.mu.Lock()
		have := len(t.begun)
		t.mu.Unlock()
		switch {
		case have >= n:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case time.Since(start) > 20*time.Second:
			return fmt.Errorf("%d of %d attempts began", have, n)
		}
	}
}

// house is an engine over SQLite in a directory of its own.
type house struct {
	dir    string
	set    *action.Set
	store  *sqlite.Store
	engine *engine.Engine
	hands  *timed
	idle   atomic.Pointer[func(string, engine.Idle, bool)] // who wants to hear that a run rests or is over
}

func open(ctx context.Context, where string, all bool) (*house, error) {
	st, err := sqlite.Open(ctx, sqlite.Config{Dir: where})
	if err != nil {
		return nil, err
	}
	h, err := openOver(ctx, where, st, all)
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	h.store = st
	return h, nil
}

// openOver is open over a store of any kind.
func openOver(ctx context.Context, where string, st store.Store, all bool) (*house, error) {
	h := &house{dir: where}
	var err error
	if h.set, err = action.NewSet([]action.Action{noop{}}, verb.All()); err != nil {
		return nil, err
	}
	key, err := seal.Open(where)
	if err != nil {
		return nil, err
	}
	blobs, err := dir.Open(filepath.Join(where, "blobs"))
	if err != nil {
		return nil, err
	}
	ev := expr.New(expr.Limits{})
	r := runner.New(runner.Config{Find: h.set.Find, Secrets: secret.Chain{}, Eval: ev, Blobs: blobs, Key: key, Scratch: where})
	h.hands = &timed{inner: app.Hands(r), last: map[string]time.Time{}}
	h.engine, err = engine.Open(ctx, engine.Config{
		Store: st, Blobs: blobs, Hands: h.hands, Env: run.Env{Eval: ev, Spec: h.set.Spec}, Bind: ev, Holder: "bench", All: all,
		Idle: func(run string, i engine.Idle, ended bool) {
			if f := h.idle.Load(); f != nil {
				(*f)(run, i, ended)
			}
		},
	})
	return h, err
}

func (h *house) close(ctx context.Context) error {
	return errors.Join(h.engine.Close(ctx), h.store.Close())
}

func (h *house) compile(src string) (*program.Program, error) { return h.compileAs("bench", src) }

func (h *house) compileAs(name, src string) (*program.Program, error) {
	docs, fs := playbook.Parse("bench.yaml", []byte("apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: "+name+"}\n"+src))
	if len(docs) == 0 {
		return nil, fmt.Errorf("parse: %v", fs)
	}
	p, fs := compiler.Compile(docs[0], h.set, nil)
	for _, f := range fs {
		if f.Severity == document.Error {
			return nil, fmt.Errorf("compile: %v", f)
		}
	}
	return p, nil
}

func (h *house) start(ctx context.Context, p *program.Program) (string, error) {
	return h.engine.Start(ctx, engine.Start{Program: p, By: entry.Who{Name: "bench"}})
}

// temporary makes a directory on the disk of the working directory, not on a file system in memory.
func temporary() (string, func(), error) {
	d, err := os.MkdirTemp(os.Getenv("TEND_BENCH_DIR"), "tend-bench-")
	return d, func() { _ = os.RemoveAll(d) }, err
}
