package runner

import (
	"bytes"
	"fmt"
	"maps"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/blob"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/seal"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/transcript"
	"github.com/tendhq/tend/internal/value"
)

// maxOutput bounds an output, as canonical JSON: what is larger belongs into an artifact.
const maxOutput = 16 << 20

// conclude turns what the action answered into facts: the output is data, holds no known secret, and is durable where it
// is not inline.
func (w *work) conclude(r action.Result, out *Outcome) {
	w.body(r)
	output := maps.Clone(r.Output)
	hidden := w.take(output)
	r.Message = w.shown.String(r.Message)
	r.Output = nil
	out.Result = r
	if len(output)+len(hidden) == 0 {
		return
	}
	v, err := value.Normalize(output) // a secret.Value that is not sealed becomes its mask here
	if err != nil {
		out.Result = w.spoiled(r, fault.Parse, fmt.Sprintf("the output is not data: %v", err))
		return
	}
	plain, ok := v.(map[string]any)
	if !ok {
		out.Result = w.spoiled(r, fault.Internal, "the output is not an object")
		return
	}
	plain = w.mask.Object(w.own(plain))
	kept, veiled, err := w.kept(plain, hidden)
	if err != nil {
		out.Result = w.spoiled(r, fault.KindOf(err), err.Error())
		return
	}
	b, err := value.Canonical(kept)
	switch {
	case err != nil:
		out.Result = w.spoiled(r, fault.Parse, fmt.Sprintf("the output is not data: %v", err))
		return
	case len(b) > maxOutput:
		out.Result = w.spoiled(r, fault.Limit, fmt.Sprintf("the output has %d bytes of JSON, more than the %d MiB that can be kept; leave large data in an artifact", len(b), maxOutput>>20))
		return
	case len(b) > blob.Inline && (len(hidden) > 0 || w.quiet()):
		// It is not stored as it is: a module may still take secrets out of it.
		out.Result = w.spoiled(r, fault.Limit, fmt.Sprintf("the output has %d bytes of JSON, more than the %d KiB that a step with secret outputs may have", len(b), blob.Inline>>10))
		return
	case len(b) > blob.Inline:
		if veiled {
			kept, b, err = w.whole(plain)
		}
		var ref blob.Ref
		if err == nil {
			ref, err = w.put(bytes.NewReader(b))
		}
		if err != nil {
			out.Result = w.unkept(r, fmt.Sprintf("the output could not be stored: %v", err))
			return
		}
		out.Ref = &ref
	}
	out.Result.Output = kept
}

// body hands out what the body of a module gave.
func (w *work) body(r action.Result) {
	if w.attempt.Body == nil || r.Outcome != action.Succeeded {
		return
	}
	v, err := value.Normalize(action.Reveal(r.Output))
	if err != nil {
		return // conclude says what is wrong with it
	}
	output, _ := without(v).(map[string]any)
	w.attempt.Body(output, func(outputs map[string]any) (map[string]any, error) {
		w.learnMasks()
		kept, _, err := w.kept(w.mask.Object(outputs), nil)
		return kept, err
	})
}

// take moves the outputs that are secret out of output, and has them masked from now on.
func (w *work) take(output map[string]any) map[string]any {
	hidden := map[string]any{}
	move := func(name string) {
		if v, ok := output[name]; ok {
			hidden[name] = action.Reveal(v)
			delete(output, name)
		}
	}
	for _, name := range w.attempt.Sealed {
		move(name)
	}
	for _, f := range w.spec.Outputs {
		if f.Sensitive {
			move(f.Name)
		}
	}
	if len(hidden) == 0 {
		return hidden
	}
	if v, err := value.Normalize(hidden); err == nil {
		w.runner.Learn(v)
		w.learnMasks()
	}
	if _, ok := output[transcript.Stdout]; ok && w.quiet() {
		output[transcript.Stdout] = secret.Mask // what was taken from it is in it
	}
	return hidden
}

// own leaves out what only tend itself may write into recorded data.
func (w *work) own(output map[string]any) map[string]any {
	if !expr.Holds(output) {
		return output
	}
	w.log.Say("left out of the output: keys " + expr.DeferredKey + ", which only tend itself may write")
	out, _ := without(output).(map[string]any)
	return out
}

func without(v any) any {
	switch x := v.(type) {
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = without(e)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, e := range x {
			if k != expr.DeferredKey {
				out[k] = without(e)
			}
		}
		return out
	default:
		return v
	}
}

// kept is an output as it is recorded: with what is secret sealed in its place, and what holds something sensitive too,
// which people see masked and steps that follow see as it is. veiled tells whether there is something of the second sort.
func (w *work) kept(output, hidden map[string]any) (kept map[string]any, veiled bool, err error) {
	sealer, _ := w.runner.c.Key.For(w.attempt.Root)
	if kept = output; w.veils() {
		if kept, veiled, err = seal.Members(output, w.shown, sealer); err != nil {
			return nil, false, err
		}
	}
	for k, v := range hidden {
		n, err := value.Normalize(v)
		if err != nil {
			return nil, false, fault.Wrap(fault.Parse, err, "read the secret outputs")
		}
		d, err := expr.Enclose(without(n), false, sealer)
		if err != nil {
			return nil, false, fmt.Errorf("seal the secret outputs: %w", err)
		}
		kept[k] = d.Value()
	}
	return kept, veiled, nil
}

// whole is an output that is too large for an entry, sealed as one thing.
func (w *work) whole(output map[string]any) (map[string]any, []byte, error) {
	sealer, _ := w.runner.c.Key.For(w.attempt.Root)
	d, err := expr.Enclose(output, true, sealer)
	if err != nil {
		return nil, nil, err
	}
	b, err := value.Canonical(d.Value())
	return d.Value(), b, err
}

// spoiled is the end of an attempt whose output cannot be used. A success becomes a known failure: the action's own words
// say that it did its work, and what it said about it is worthless. Every other end stays as it is.
func (w *work) spoiled(r action.Result, k fault.Kind, message string) action.Result {
	if r.Outcome != action.Succeeded {
		r.Message += "; " + w.shown.String(message)
		return r
	}
	return action.Fail(k, w.shown.String(message))
}

// unkept is the end of an attempt whose output was right and is lost by a fault of this machine. To call that failed
// would let a retry do the work twice.
func (w *work) unkept(r action.Result, message string) action.Result {
	if r.Outcome != action.Succeeded {
		return w.spoiled(r, fault.Unavailable, message)
	}
	return w.doubtful(fault.Unavailable, "the step took effect, but "+w.shown.String(message))
}
