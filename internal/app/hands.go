package app

import (
	"context"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/runner"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/trace"
	"github.com/tendhq/tend/internal/value"
)

// hands let a runner act for an engine.
type hands struct{ runner *runner.Runner }

var _ engine.Hands = hands{}

// Act implements engine.Hands.
func (h hands) Act(ctx context.Context, a engine.Attempt) entry.StepResult {
	at := runner.Attempt{
		Run: a.Run, Root: a.Root, Path: a.Path, Number: a.Number, Key: a.Intent.Key, Action: a.Intent.Action,
		Effect: a.Intent.Effect, Inputs: a.Intent.Inputs, Dialect: expr.Dialect(a.Dialect), Dir: a.Dir,
		Runner: a.Intent.Runner, Deadline: a.Intent.Deadline, Epoch: a.Epoch, Artifacts: a.Artifacts,
		Known: a.Known, Hide: a.Hide, For: secret.Use{Project: a.Project, Environment: a.Environment, Labels: a.Labels},
	}
	at.Trace = trace.Of(a.Root, a.Trace).At(trace.Attempt(a.Run, a.Path, a.Number)).String()
	if a.Def != nil {
		at.Parser, at.Quiet = a.Def.Parser, len(a.Def.Sealed) > 0
		if a.Def.Module == nil {
			at.Sealed = a.Def.Sealed // those of a module are made of the output of its body, and sealed then
		}
	}
	if a.Body != nil {
		at.Body = func(output map[string]any, keep func(map[string]any) (map[string]any, error)) {
			a.Body.Output, a.Body.Keep = output, keep
		}
	}
	o := h.runner.Run(ctx, at)
	r := entry.StepResult{Outcome: o.Result.Outcome, Ref: o.Ref, Log: o.Log, Artifacts: o.Artifacts}
	if o.Ref == nil {
		r.Output = o.Result.Output
	}
	if len(o.Versions) > 0 {
		r.Versions = make(value.Object, len(o.Versions))
		for name, v := range o.Versions {
			r.Versions[name] = v
		}
	}
	if o.Result.Outcome != action.Succeeded {
		kind := o.Result.Kind
		if kind == "" {
			kind = fault.Internal
		}
		r.Fault = &entry.Fault{Kind: string(kind), Message: o.Result.Message}
	}
	if o.Result.After > 0 {
		r.NotBefore = now().Add(o.Result.After)
	}
	return r
}

// Hands lets a runner act for an engine; an owner wires it by itself, benchmarks by this.
func Hands(r *runner.Runner) engine.Hands { return hands{r} }

// logs give an engine's followers what a runner's attempts print.
type logs struct{ live *runner.Live }

var _ engine.Logs = logs{}

// Follow implements engine.Logs.
func (l logs) Follow(run string) engine.Tail { return tail{l.live.Follow(run)} }

type tail struct{ *runner.Follower }

// Take implements engine.Tail.
func (t tail) Take() (chunks []engine.LogChunk, dropped int) {
	for _, line := range t.Follower.Take() {
		dropped += line.Dropped
		text := line.Text
		if !line.More {
			text += "\n"
		}
		chunks = append(chunks, engine.LogChunk{Path: line.Path, Attempt: line.Attempt, Stream: line.Stream, Text: text, At: line.At})
	}
	return chunks, dropped
}
