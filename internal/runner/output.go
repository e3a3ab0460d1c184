package runner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/blob"
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
func (w *work) conclude(ctx context.Context, r action.Result, out *Outcome) {
	r.Message = w.mask.String(r.Message)
	output := maps.Clone(r.Output)
	r.Output = nil
	out.Result = r
	if len(output) == 0 {
		return
	}
	if err := w.seal(output, out); err != nil {
		out.Result = w.spoiled(r, fault.KindOf(err), err.Error())
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
	masked := w.mask.Object(plain)
	b, err := value.Canonical(masked)
	switch {
	case err != nil:
		out.Result = w.spoiled(r, fault.Parse, fmt.Sprintf("the output is not data: %v", err))
		return
	case len(b) > maxOutput:
		out.Result = w.spoiled(r, fault.Limit, fmt.Sprintf("the output has %d bytes of JSON, more than the %d MiB that can be kept; leave large data in an artifact", len(b), maxOutput>>20))
		return
	case len(b) > blob.Inline && len(w.attempt.Sealed) > 0:
		// It is not stored as it is: a module may still take secrets out of it.
		out.Result = w.spoiled(r, fault.Limit, fmt.Sprintf("the output has %d bytes of JSON, more than the %d KiB that a step with secret outputs may have", len(b), blob.Inline>>10))
		return
	case len(b) > blob.Inline:
		ref, err := w.runner.c.Blobs.Put(ctx, w.attempt.Root, bytes.NewReader(b))
		if err != nil {
			out.Result = w.unkept(r, fmt.Sprintf("the output could not be stored: %v", err))
			return
		}
		out.Ref = &ref
	}
	out.Result.Output = masked
}

// seal moves the outputs that are secret out of output into the sealed part, and has them masked from now on.
func (w *work) seal(output map[string]any, out *Outcome) error {
	hidden := map[string]any{}
	take := func(name string) {
		if v, ok := output[name]; ok {
			hidden[name] = action.Reveal(v)
			delete(output, name)
		}
	}
	for _, name := range w.attempt.Sealed {
		take(name)
	}
	for _, f := range w.spec.Outputs {
		if f.Sensitive {
			take(f.Name)
		}
	}
	if len(hidden) == 0 {
		return nil
	}
	var err error
	if out.Sealed, err = w.runner.Seal(w.attempt.Run, hidden); err != nil {
		return err
	}
	w.learnMasks()
	if _, ok := output[transcript.Stdout]; ok && w.quiet() {
		output[transcript.Stdout] = secret.Mask // what was taken from it is in it
	}
	return nil
}

// Seal encrypts secret outputs of a step of a run, and has their texts masked in whatever is printed from now on.
func (r *Runner) Seal(run string, hidden map[string]any) ([]byte, error) {
	v, err := value.Normalize(hidden)
	if err != nil {
		return nil, fault.Wrap(fault.Parse, err, "read the secret outputs")
	}
	b, err := value.Canonical(v)
	if err != nil {
		return nil, fault.Wrap(fault.Parse, err, "encode the secret outputs")
	}
	sealed, err := r.c.Key.Seal(run, b)
	if err != nil {
		return nil, fmt.Errorf("seal the secret outputs: %w", err)
	}
	var texts []secret.Value
	collect(v, &texts)
	r.known.learn(texts...)
	return sealed, nil
}

// maxTexts bounds how many texts of a secret output are masked in what comes later.
const maxTexts = 64

// collect lists the texts in v, keys in order.
func collect(v any, texts *[]secret.Value) {
	if len(*texts) == maxTexts {
		return
	}
	switch x := v.(type) {
	case string:
		*texts = append(*texts, secret.New(x))
	case []any:
		for _, e := range x {
			collect(e, texts)
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(x)) {
			collect(x[k], texts)
		}
	}
}

func unseal(k seal.Key, run string, sealed []byte) (map[string]any, error) {
	b, err := k.Open(run, sealed)
	if err != nil {
		return nil, err
	}
	v, err := value.Parse(b)
	m, ok := v.(map[string]any)
	if err != nil || !ok {
		return nil, errors.Join(fault.New(fault.Damaged, "the sealed outputs of %s cannot be read", run), err)
	}
	return m, nil
}

// spoiled is the end of an attempt whose output cannot be used. A success becomes a known failure: the action's own words
// say that it did its work, and what it said about it is worthless. Every other end stays as it is.
func (w *work) spoiled(r action.Result, k fault.Kind, message string) action.Result {
	if r.Outcome != action.Succeeded {
		r.Message += "; " + w.mask.String(message)
		return r
	}
	return action.Fail(k, w.mask.String(message))
}

// unkept is the end of an attempt whose output was right and is lost by a fault of this machine. To call that failed
// would let a retry do the work twice.
func (w *work) unkept(r action.Result, message string) action.Result {
	if r.Outcome != action.Succeeded {
		return w.spoiled(r, fault.Unavailable, message)
	}
	return w.doubtful(fault.Unavailable, "the step took effect, but "+w.mask.String(message))
}
