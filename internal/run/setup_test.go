package run_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/value"
)

var (
	noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ada  = entry.Who{Name: "ada"}
	why  = entry.Fault{Kind: "exit", Message: "exit 1"}
	// What people were shown, and what else might happen.
	shown, other = entry.Hash{1}, entry.Hash{2}
)

func lit(v any) *expr.Expr { return &expr.Expr{Kind: expr.Literal, Lit: v} }

// act is an action step.
func act(e contract.Effect, more ...func(*program.Node)) program.Node {
	n := program.Node{Kind: program.KindAction, Uses: "do", Effect: e}
	for _, m := range more {
		m(&n)
	}
	return n
}

func named(id string) func(*program.Node) { return func(n *program.Node) { n.ID = id } }

func undone(n *program.Node) {
	u := act(contract.Idempotent)
	n.Undo = &program.Undo{Step: &u}
}

func retried(attempts int) func(*program.Node) {
	return func(n *program.Node) { n.Retry = &program.Retry{Attempts: attempts} }
}

func block(k program.Kind, steps ...program.Node) program.Node {
	return program.Node{Kind: k, Steps: steps}
}

func programOf(steps ...program.Node) *program.Program {
	return &program.Program{Language: program.Language, Dialect: expr.Strict, Metadata: contract.Metadata{Name: "test"}, Steps: steps}
}

// created gives the state of a run with its first entry.
func created(p *program.Program) *run.State {
	s := run.New("run-1", p)
	if err := s.Evolve(&entry.RunCreated{By: ada, Name: p.Metadata.Name, Project: "default"}, noon); err != nil {
		panic(err)
	}
	return s
}

// fold gives the state of a started run after the facts.
func fold(t testing.TB, p *program.Program, facts ...entry.Payload) *run.State {
	t.Helper()
	s := created(p)
	for _, f := range append([]entry.Payload{&entry.RunStarted{}}, facts...) {
		if err := s.Evolve(f, noon); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// The facts that tests write most, about path.
func intent(path string, n int) entry.Payload {
	return &entry.StepIntent{Action: "do", Path: path, Attempt: n, Effect: "mutate", Hash: shown, Key: "key", Inputs: value.Object{}}
}

func result(path string, n int, o entry.Outcome) entry.Payload {
	r := &entry.StepResult{Path: path, Attempt: n, Outcome: o}
	if o == entry.Succeeded {
		r.Output = value.Object{"value": path}
	} else {
		r.Fault = &entry.Fault{Kind: "exit", Message: fmt.Sprintf("attempt %d", n)}
	}
	return r
}

func did(path string) []entry.Payload {
	return []entry.Payload{intent(path, 1), result(path, 1, entry.Succeeded)}
}

func list(groups ...[]entry.Payload) []entry.Payload {
	var out []entry.Payload
	for _, g := range groups {
		out = append(out, g...)
	}
	return out
}
