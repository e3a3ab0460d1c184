package httpapi_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/verb"
	"github.com/tendhq/tend/internal/blob"
	"github.com/tendhq/tend/internal/compiler"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/program"

	blobs "github.com/tendhq/tend/internal/blob/memory"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store/memory"
	"github.com/tendhq/tend/internal/value"
	"github.com/tendhq/tend/internal/wire"
)

// newEngine opens a real engine over stores in memory. Its one action is `speak`.
func newEngine(t testing.TB) *engine.Engine {
	t.Helper()
	kept := blobs.New()
	set, err := action.NewSet([]action.Action{speak{}}, verb.All())
	if err != nil {
		t.Fatal(err)
	}
	eval := expr.New(expr.Limits{})
	e, err := engine.Open(t.Context(), engine.Config{
		Store: memory.New(), Blobs: kept, Hands: hands{kept}, Logs: voices{}, Env: run.Env{Eval: eval, Spec: set.Spec}, Bind: eval,
		Holder: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return e
}

// compile compiles steps that may use `speak` and the verbs.
func compile(t testing.TB, steps string) *program.Program {
	t.Helper()
	set, err := action.NewSet([]action.Action{speak{}}, verb.All())
	if err != nil {
		t.Fatal(err)
	}
	docs, findings := playbook.Parse("p.yaml", []byte("apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: spoken}\nparameters: [{name: n, type: number, default: 1}]\nsteps:\n"+steps))
	if err := document.Fault(findings); err != nil {
		t.Fatal(err)
	}
	p, findings := compiler.Compile(docs[0], set, nil)
	if err := document.Fault(findings); err != nil {
		t.Fatal(err)
	}
	return p
}

// speak is an action that says a text, or as much of it as does not fit into an entry.
type speak struct{}

func (speak) Spec() contract.Spec {
	return contract.Spec{
		Name: "speak", Summary: "Says something.", Effect: contract.Read,
		Inputs:  []contract.Field{{Name: "text", Type: contract.String}, {Name: "wait", Type: contract.Boolean}},
		Outputs: []contract.Field{{Name: "value", Type: contract.String}},
	}
}

func (speak) Run(context.Context, action.Request, action.Log) action.Result { return action.OK(nil) }

// hands let speak act: a text of more than 20 characters goes into a blob; `wait` speaks until it is stopped.
type hands struct{ blobs blob.Store }

func (h hands) Act(ctx context.Context, a engine.Attempt) entry.StepResult {
	with, _ := a.Intent.Inputs["with"].(map[string]any)
	text, _ := with["text"].(string)
	if with["wait"] == true {
		<-ctx.Done()
		return entry.StepResult{Outcome: entry.Failed, Fault: &entry.Fault{Kind: string(fault.Cancelled), Message: "stopped"}}
	}
	out := value.Object{"value": text}
	if len(text) <= 20 {
		return entry.StepResult{Outcome: entry.Succeeded, Output: out}
	}
	b, err := value.Canonical(out)
	if err != nil {
		return entry.StepResult{Outcome: entry.Failed}
	}
	ref, err := h.blobs.Put(ctx, a.Root, bytes.NewReader(b))
	if err != nil {
		return entry.StepResult{Outcome: entry.Failed}
	}
	return entry.StepResult{Outcome: entry.Succeeded, Ref: &ref}
}

// voices are logs in which every run has said two lines and lost four.
type voices struct{}

func (voices) Follow(string) engine.Tail { return &tail{ready: make(chan struct{})} }

type tail struct {
	ready chan struct{}
	taken bool
}

func (t *tail) Ready() <-chan struct{} { return t.ready }

func (t *tail) Take() ([]engine.LogChunk, int) {
	if t.taken {
		return nil, 0
	}
	t.taken = true
	return []engine.LogChunk{{Path: "steps[0]", Attempt: 1, Stream: "stdout", Text: "a\nb: data: c\n"}}, 4
}

func (t *tail) Close() {}

// house is a data directory that cannot do much.
type house struct{}

func (house) Backup(_ context.Context, path string) (wire.BackedUp, error) {
	return wire.BackedUp{Path: path}, nil
}

func (house) Verify(context.Context) (wire.Verified, error) {
	return wire.Verified{Streams: 4, Damaged: []wire.Problem{wire.NewProblem(fault.New(fault.Damaged, "run/x entry 3"))}}, nil
}

func (house) MissingSecrets(_ context.Context, names []string) ([]wire.Problem, error) {
	return []wire.Problem{wire.NewProblem(fault.New(fault.Missing, "no %s", strings.Join(names, ", ")))}, nil
}
