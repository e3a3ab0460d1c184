// Package runner executes one attempt of one step on this machine.
//
// It finishes what was recorded unrendered because it needs a secret, brings the inputs into the form that the action's
// Spec declares, calls the action, and turns what comes back into facts: a normalised output without known secrets, a
// log, artifacts, sealed outputs. Whatever an Outcome refers to is durable when Run returns.
//
// Guarantees:
//   - Before the action is called nothing has an effect: each such end is not-started, and says what is wrong.
//   - Run answers. A panic, an action that ignores its deadline or an end without a classification become in doubt (failed
//     where the effect is read), never a success and never a retry of a mutation by itself.
//   - What the action reported is not changed for the better: an output that cannot be kept after an effect makes a
//     success doubtful, never the other way round.
//
// Not guaranteed: that an abandoned action has stopped. That is why it is in doubt.
package runner

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/blob"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/mask"
	"github.com/tendhq/tend/internal/seal"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/transcript"
)

const (
	// patience is how long an action may take to return after its context ended, before it is abandoned. It must stop what
	// it started by then.
	patience = 2 * time.Minute
	// finishing bounds the work after an attempt: storing its log and output.
	finishing = 2 * time.Minute
)

// Evaluator finishes what was recorded unrendered because it needs a secret. *expr.Evaluator is one.
type Evaluator interface {
	Finish(d expr.Deferred, dialect expr.Dialect, get expr.Secrets, open func(expr.Deferred) (any, error)) (any, error)
}

// Config of a Runner. Find, Secrets, Eval and Blobs are required.
type Config struct {
	Find     func(name string) (action.Action, bool) // by canonical name: what can be done here
	Secrets  secret.Provider
	Scopes   secret.Scopes // which runs may use which of them; none: every run every one
	Eval     Evaluator
	Blobs    blob.Store
	Key      seal.Key // for what is secret or sensitive; without it that can neither be kept nor used
	Egress   action.Egress
	Scratch  string        // where scratch directories and log spools are made; "" is the system's
	Work     string        // where scratch directories are made, if elsewhere than spools
	Live     *Live         // nil: nobody follows
	LogCap   int64         // bytes of log kept per attempt, default 10 MiB
	Patience time.Duration // for an action that does not stop, default 2 minutes
	Logger   *slog.Logger  // default: discards
	// Callback gives the address at which a service sends an event to a run of root; nil: there is none.
	Callback func(root, run, event string) (secret.Value, error)
	// Give hands a scratch directory to the user that programs of steps run as; nil: to nobody else.
	Give func(dir string) error
	// Runners are the other places where steps can execute, each with what can be done there: an action that reaches out
	// to it under the name, and with the Spec, of the one that it stands for.
	Runners map[string]func(name string) (action.Action, bool)
}

// Runner executes attempts. It is safe for concurrent use.
type Runner struct {
	c     Config
	known known
}

// New builds a Runner.
func New(c Config) *Runner {
	c.Patience = cmp.Or(c.Patience, patience)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Runner{c: c}
}

// Check tells whether a runner of this name is here. The error wraps ErrRunner.
func (r *Runner) Check(name string) error {
	_, err := r.place(name)
	return err
}

func (r *Runner) place(name string) (find func(string) (action.Action, bool), err error) {
	if name == "" || name == "local" {
		return r.c.Find, nil
	}
	if find, ok := r.c.Runners[name]; ok {
		return find, nil
	}
	return nil, fault.Wrap(fault.Missing, ErrRunner, "find runner %q", name)
}

// Run executes one attempt. ctx ends when the step is cancelled; its cause says why.
func (r *Runner) Run(ctx context.Context, a Attempt) Outcome {
	find, err := r.place(a.Runner)
	if err != nil {
		return Outcome{Err: err, Result: action.Never(fault.Missing, fmt.Sprintf("there is no runner %q here", a.Runner))}
	}
	act, ok := find(a.Action)
	if !ok {
		where := "in this tend"
		if a.Runner != "" {
			where = fmt.Sprintf("on runner %q", a.Runner)
		}
		return never(fault.Missing, fmt.Sprintf("there is no action %q %s", a.Action, where))
	}
	if !a.Deadline.IsZero() {
		var end context.CancelFunc
		ctx, end = context.WithDeadline(ctx, a.Deadline)
		defer end()
	}
	if ctx.Err() != nil {
		k, why := action.Stopped(ctx)
		return never(k, why+" before the step began")
	}
	spec := act.Spec()
	in := inputs{runner: r, ctx: ctx, attempt: &a}
	req, err := in.request(spec)
	out := Outcome{Versions: in.versions()}
	w := &work{runner: r, attempt: &a, spec: spec, request: req, derived: in.derived, veiled: in.veiled}
	w.learnMasks()
	if err != nil {
		out.Result = action.Never(fault.KindOf(err), w.shown.String(err.Error()))
		return out
	}
	w.run(ctx, act, &out)
	return out
}

// Learn has the texts of what is secret masked in whatever is printed from now on.
func (r *Runner) Learn(v any) {
	texts := mask.Texts(v)
	r.known.learn(texts[:min(len(texts), maxTexts)]...)
}

// maxTexts bounds how many texts of one secret are masked in what comes later.
const maxTexts = 64

func never(k fault.Kind, message string) Outcome { return Outcome{Result: action.Never(k, message)} }

// work is an attempt that is being made.
type work struct {
	runner  *Runner
	attempt *Attempt
	spec    contract.Spec
	request action.Request
	derived []secret.Value // see inputs
	veiled  []secret.Value // see inputs
	mask    *mask.Masker
	shown   *mask.Masker // mask, and what is sensitive: steps that follow need that in the output
	log     *transcript.Log
	after   context.Context //nolint:containedctx // of what is done when the action has ended
	until   time.Time       // the end of that
	tap     *tap            // what the older dialect's output protocol reads; nil in the newer
}

// learnMasks makes the maskers of all that is known by now.
func (w *work) learnMasks() {
	more := slices.Concat(w.derived, w.attempt.Known)
	w.mask = w.runner.known.masker(more...)
	w.shown = w.mask
	if w.veils() {
		w.shown = w.runner.known.masker(slices.Concat(more, w.veiled, w.attempt.Hide)...)
	}
}

// veils tells whether there is something sensitive that the output may hold.
func (w *work) veils() bool { return len(w.veiled)+len(w.attempt.Hide) > 0 }

func (w *work) run(ctx context.Context, act action.Action, out *Outcome) {
	a, c := w.attempt, &w.runner.c
	remove, err := w.scratch()
	if err != nil {
		out.Result = action.Never(fault.KindOf(err), err.Error())
		return
	}
	w.log = transcript.New(transcript.Config{Mask: w.shown, Cap: c.LogCap, Dir: c.Scratch, Print: func(l transcript.Line) {
		c.Live.print(Line{Run: a.Run, Path: a.Path, Attempt: a.Number, Stream: l.Stream, Text: l.Text, At: l.At, More: l.More})
	}})
	if a.Dialect == expr.Lenient && w.spec.Env {
		w.tap = &tap{}
	}
	if w.quiet() && w.spec.Env {
		w.log.Say("stdout is not logged: this step has secret outputs")
	}
	result, abandoned := w.call(ctx, act, remove)

	// What the step did is done: being cancelled must not lose the account of it.
	w.after, w.until = context.WithoutCancel(ctx), time.Now().Add(finishing)
	if w.tap != nil {
		result = w.tap.result(result, a.Parser)
	}
	w.conclude(result, out)
	if !abandoned {
		if out.Result.Outcome != action.NotStarted {
			out.Artifacts = w.artifacts()
		}
		remove()
	}
	out.Log = w.keepLog()
	c.Live.end(a.Run, a.Path, a.Number)
}

// put stores something that the attempt left. All of it together has the time that finishing gives.
func (w *work) put(r io.Reader) (blob.Ref, error) {
	ctx, end := context.WithDeadline(w.after, w.until)
	defer end()
	return w.runner.c.Blobs.Put(ctx, w.attempt.Root, r)
}

// call runs the action and waits for it, but not for ever: abandoned tells that it did not come back.
func (w *work) call(ctx context.Context, act action.Action, remove func()) (result action.Result, abandoned bool) {
	var (
		a    = w.attempt
		done = make(chan action.Result, 1) // one place: an abandoned action must be able to end
		mu   sync.Mutex
		gone bool
	)
	go func() {
		res := w.guarded(ctx, act)
		mu.Lock()
		defer mu.Unlock()
		if gone {
			w.runner.c.Logger.Warn("an abandoned action came back", "run", a.Run, "step", a.Path, "attempt", a.Number, "action", a.Action, "outcome", res.Outcome)
			remove()
		}
		done <- res
	}()
	select {
	case res := <-done:
		return res, false
	case <-ctx.Done():
	}
	late := time.NewTimer(w.runner.c.Patience)
	defer late.Stop()
	select {
	case res := <-done:
		return res, false
	case <-late.C:
	}
	mu.Lock()
	defer mu.Unlock()
	select {
	case res := <-done:
		return res, false
	default:
	}
	gone = true
	k, why := action.Stopped(ctx)
	return w.doubtful(k, why+fmt.Sprintf(", and action %s did not stop in %v", a.Action, w.runner.c.Patience)), true
}

// guarded runs the action and keeps its panics in.
func (w *work) guarded(ctx context.Context, act action.Action) (result action.Result) {
	a := w.attempt
	defer func() {
		if p := recover(); p != nil {
			// The value may hold data of the step, so that only its type and the place are told, to operators.
			w.runner.c.Logger.Error("an action panicked", "run", a.Run, "step", a.Path, "attempt", a.Number, "action", a.Action,
				"type", fmt.Sprintf("%T", p), "stack", stack())
			result = w.doubtful(fault.Internal, fmt.Sprintf("action %s crashed: this is a bug of tend", a.Action))
		}
	}()
	result = act.Run(ctx, w.request, w.print)
	switch result.Outcome {
	case action.Succeeded:
		result.Kind, result.Message = "", ""
	case action.Failed, action.NotStarted, action.InDoubt:
		result.Kind = cmp.Or(result.Kind, fault.Internal)
		result.Message = cmp.Or(result.Message, "action "+a.Action+" did not say why")
	default:
		return w.doubtful(fault.Internal, fmt.Sprintf("action %s ended without an outcome: this is a bug of tend", a.Action))
	}
	return result
}

// doubtful is the end of an attempt of which nobody knows how far it came. Reading has no effect that could be in doubt.
func (w *work) doubtful(k fault.Kind, message string) action.Result {
	if w.attempt.Effect == string(contract.Read) {
		return action.Fail(k, message)
	}
	return action.Doubt(k, message)
}

// print receives what the action prints.
func (w *work) print(stream string, p []byte) {
	if w.tap != nil && stream == transcript.Stdout {
		w.tap.write(p)
	}
	if stream == transcript.Stdout && w.quiet() {
		return
	}
	w.log.Write(stream, p)
}

// quiet tells that what the step prints on stdout is not logged: its secret outputs are made of it, and nobody knows them
// before it ends.
func (w *work) quiet() bool { return w.attempt.Quiet || len(w.attempt.Sealed) > 0 }

// keepLog stores the transcript. Losing it must not change what became of the step: it is said where operators look.
func (w *work) keepLog() *blob.Ref {
	w.log.Close()
	defer w.log.Discard()
	if w.log.Empty() {
		return nil
	}
	ref, err := w.put(w.log.Reader())
	if err != nil {
		w.runner.c.Logger.Error("the log of a step could not be stored", "run", w.attempt.Run, "step", w.attempt.Path,
			"attempt", w.attempt.Number, "error", err)
		return nil
	}
	return &ref
}
