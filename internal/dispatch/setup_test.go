package dispatch_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/verb"
	blobmemory "github.com/tendhq/tend/internal/blob/memory"
	"github.com/tendhq/tend/internal/compiler"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/dispatch"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/seal"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/memory"
	"github.com/tendhq/tend/internal/trigger"
)

// probe is an action whose ends the tests choose.
type probe struct{}

func (probe) Spec() action.Spec {
	return action.Spec{
		Name: "probe", Summary: "Does what the test says.", Effect: contract.Mutate,
		Inputs: []contract.Field{{Name: "say", Type: contract.Any}}, Outputs: []contract.Field{{Name: "value", Type: contract.Any}},
	}
}

func (probe) Run(context.Context, action.Request, action.Log) action.Result { return action.OK(nil) }

// server is an engine, a ledger and a dispatcher over one disk.
type server struct {
	*dispatch.Dispatch
	t      testing.TB
	engine *engine.Engine
	ledger *ledger.Ledger
	store  store.Store

	mu     sync.Mutex
	acts   []string // what effects said
	hold   chan struct{}
	absent bool // the catalog has nothing
	made   map[string]*program.Program
}

func (s *server) Act(ctx context.Context, a engine.Attempt) entry.StepResult {
	with, _ := a.Intent.Inputs["with"].(map[string]any)
	s.mu.Lock()
	s.acts = append(s.acts, fmt.Sprint(with["say"]))
	hold := s.hold
	s.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return entry.StepResult{Outcome: entry.InDoubt, Fault: &entry.Fault{Kind: "cancelled", Message: "cancelled"}}
		}
	}
	return entry.StepResult{Outcome: entry.Succeeded, Output: map[string]any{"value": with["say"]}}
}

func (s *server) did() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.acts...)
}

// Playbook is the catalog: one playbook that says its parameter, and one that waits for an event.
func (s *server) Playbook(_ context.Context, _, _, name string) (dispatch.Playbook, error) {
	s.mu.Lock()
	absent := s.absent
	s.mu.Unlock()
	src := map[string]string{
		"say":  "parameters: [{name: what, type: string, default: nothing}]\nsteps: [{id: a, uses: probe, with: {say: '{{ $.params.what }}'}}]",
		"wait": "parameters: [{name: what, type: string, default: nothing}]\nsteps: [{id: w, uses: wait, with: {for: go, key: k}}, {id: a, uses: probe, with: {say: went}}]",
	}[name]
	if src == "" || absent {
		return dispatch.Playbook{}, fault.New(fault.NotFound, "there is no playbook %s", name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.made[name] == nil {
		s.made[name] = compile(s.t, src)
	}
	return dispatch.Playbook{Program: s.made[name], Source: name + ".yaml"}, nil
}

func compile(t testing.TB, src string) *program.Program {
	t.Helper()
	set, err := action.NewSet([]action.Action{probe{}}, verb.All())
	if err != nil {
		t.Fatal(err)
	}
	docs, _ := playbook.Parse("p.yaml", []byte("apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: p}\n"+src))
	p, findings := compiler.Compile(docs[0], set, nil)
	if document.HasErrors(findings) {
		t.Fatal(findings)
	}
	return p
}

func rules(t testing.TB, texts ...string) *dispatch.Rules {
	t.Helper()
	r := &dispatch.Rules{Evaluator: expr.New(expr.Limits{}), Triggers: map[string][]*trigger.Spec{}}
	for i, text := range texts {
		docs, findings := document.Kinds{trigger.Definition()}.Parse("t.yaml", []byte(fmt.Sprintf("apiVersion: tend/v1\nkind: Trigger\nmetadata: {name: t%d}\n%s", i, text)))
		if document.HasErrors(findings) {
			t.Fatal(findings)
		}
		s, _ := docs[0].Content.(*trigger.Spec)
		r.Triggers["default"] = append(r.Triggers["default"], s)
	}
	return r
}

// options change how a server is opened.
type options struct {
	store  store.Store
	gate   dispatch.Gate
	limits dispatch.Limits
	absent bool
	hold   chan struct{}
}

func serve(t testing.TB, o options, r *dispatch.Rules) *server {
	t.Helper()
	s := &server{t: t, store: o.store, hold: o.hold, absent: o.absent, made: map[string]*program.Program{}}
	ev := expr.New(expr.Limits{})
	set, err := action.NewSet([]action.Action{probe{}}, verb.All())
	if err != nil {
		t.Fatal(err)
	}
	key, err := seal.New(strings.NewReader(strings.Repeat("k", seal.Size)))
	if err != nil {
		t.Fatal(err)
	}
	blobs := blobmemory.New()
	ctx := context.Background()
	var late func(string, engine.Idle, bool)
	var once sync.Mutex // the engine tells before there is somebody to hear
	once.Lock()
	if s.engine, err = engine.Open(ctx, engine.Config{
		Store: o.store, Blobs: blobs, Hands: s, Bind: ev, Holder: "test", Env: run.Env{Eval: ev, Spec: set.Spec}, Key: key, All: true,
		Idle: func(run string, i engine.Idle, ended bool) {
			if once.TryLock() {
				f := late
				once.Unlock()
				if f != nil {
					f(run, i, ended)
				}
			}
		},
	}); err != nil {
		t.Fatal(err)
	}
	s.ledger = ledger.Open(o.store, s.engine.Lease(), nil)
	if s.Dispatch, err = dispatch.Open(ctx, dispatch.Config{
		Ledger: s.ledger, Engine: s.engine, Catalog: s, Gate: o.gate, Rules: r, Bind: ev, Blobs: blobs, Limits: o.limits,
	}); err != nil {
		t.Fatal(err)
	}
	late = s.Idle
	once.Unlock()
	return s
}

func (s *server) close() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := errors.Join(s.Close(ctx), s.ledger.Close(ctx), s.engine.Close(ctx)); err != nil {
		s.t.Error(err)
	}
}

// settle waits until nothing moves.
func settle() {
	for range 20 {
		synctest.Wait()
		time.Sleep(50 * time.Millisecond) // of the bubble's clock
	}
}

func (s *server) accept(events ...event.Event) []dispatch.Receipt {
	s.t.Helper()
	r, err := s.Accept(context.Background(), events)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// outcomes lists what the rows of events say, by key.
func (s *server) row(id string) dispatch.Row {
	s.t.Helper()
	p, err := s.store.Rows(context.Background(), store.Filter{Kind: "event", ID: id})
	if err != nil || len(p.Rows) != 1 {
		s.t.Fatalf("event %s: %v, %v", id, p.Rows, err)
	}
	var r dispatch.Row
	if err := json.Unmarshal(p.Rows[0].Body, &r); err != nil {
		s.t.Fatal(err)
	}
	return r
}

func (s *server) count(kind string, status ...string) int {
	s.t.Helper()
	n := 0
	if err := ledger.Each(context.Background(), s.store, store.Filter{Kind: kind, Status: status}, func(store.Row) error { n++; return nil }); err != nil {
		s.t.Fatal(err)
	}
	return n
}

func firing(group string, at time.Time) event.Event {
	return event.Event{
		At: at, Source: "am", Project: "default", Kind: "alert", Group: group, Key: fmt.Sprintf("%s/%d/firing", group, at.Unix()), Status: event.Firing,
		Name: "Alert " + group, Labels: map[string]string{"severity": "critical"}, Data: map[string]any{"status": "firing", "labels": map[string]any{"host": group}},
	}
}

func ended(e event.Event) event.Event {
	e.Status, e.Key = event.Resolved, e.Key+"/resolved"
	return e
}

func disk() store.Store { return memory.New() }
