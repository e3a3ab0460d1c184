package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/mask"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/value"
)

// inputs makes the request of an attempt from its recorded inputs.
type inputs struct {
	runner  *Runner
	ctx     context.Context // of the one call of request
	attempt *Attempt
	found   map[string]secret.Found
	derived []secret.Value // rendered texts in which no secret can be recognised
	veiled  []secret.Value // what is sensitive
}

// request finishes what was deferred and converts it to the action's types. An error means that nothing began, and says
// all that is wrong, without a secret.
func (in *inputs) request(spec contract.Spec) (action.Request, error) {
	a := in.attempt
	var problems []error
	finish := func(name string) any {
		v, err := in.finish(a.Inputs[name], name, 0)
		problems = append(problems, err)
		return v
	}
	with, env, args := finish("with"), finish("env"), finish("args")
	if err := joined(problems); err != nil {
		return action.Request{}, err
	}
	req := action.Request{
		Run: a.Run, Step: a.Path, Attempt: a.Number, Key: a.Key, Action: a.Action, Effect: contract.Effect(a.Effect),
		Dir: a.Dir, Deadline: a.Deadline, Epoch: a.Epoch, Egress: in.runner.c.Egress, Trace: a.Trace, For: a.For,
	}
	given, err := object(with, "with")
	problems = append(problems, err)
	req.Inputs, err = contract.Inputs(spec.Inputs, given, a.Dialect)
	problems = append(problems, err)
	req.Env, err = object(env, "env")
	problems = append(problems, err)
	var ok bool
	if req.Args, ok = args.([]any); !ok && args != nil {
		problems = append(problems, fault.New(fault.Invalid, "args must be a list"))
	}
	if err := joined(problems); err != nil {
		return action.Request{}, err
	}
	return req, in.named(spec.Inputs, req.Inputs)
}

// named replaces the names of secrets, in inputs of the type secret, by the secrets.
func (in *inputs) named(fields []contract.Field, given map[string]any) error {
	var problems []error
	for _, f := range fields {
		name, ok := given[f.Name].(string)
		if f.Type != contract.Secret || !ok || name == "" {
			continue
		}
		v, err := in.get(name)
		if err != nil {
			problems = append(problems, fault.Wrap(fault.KindOf(err), err, "input %s", f.Name))
			continue
		}
		given[f.Name] = v
	}
	return joined(problems)
}

// finish gives v with every deferred template in it rendered.
func (in *inputs) finish(v any, place string, depth int) (any, error) {
	if depth > value.MaxDepth {
		return nil, fault.New(fault.Invalid, "%.100s… is nested deeper than %d levels", place, value.MaxDepth)
	}
	switch x := v.(type) {
	case map[string]any:
		if _, ok := x[expr.DeferredKey]; ok && len(x) == 1 {
			return in.render(x, place)
		}
		return in.finishMap(x, place, depth)
	case value.Object:
		return in.finish(map[string]any(x), place, depth)
	case []any:
		out := make([]any, len(x))
		var problems []error
		for i, e := range x {
			f, err := in.finish(e, fmt.Sprintf("%s[%d]", place, i), depth+1)
			problems = append(problems, err)
			out[i] = f
		}
		return out, joined(problems)
	default:
		return v, nil
	}
}

func (in *inputs) finishMap(m map[string]any, place string, depth int) (any, error) {
	out := make(map[string]any, len(m))
	var problems []error
	for _, k := range value.Keys(m) {
		v := m[k]
		switch v.(type) {
		case map[string]any, value.Object, []any:
			f, err := in.finish(v, place+"."+k, depth+1)
			if err != nil {
				problems = append(problems, err)
			}
			v = f
		}
		out[k] = v
	}
	return out, joined(problems)
}

// render finishes one deferred template.
func (in *inputs) render(v any, place string) (any, error) {
	d, ok := expr.AsDeferred(v)
	if !ok {
		return nil, fault.New(fault.Invalid, "%s: what was recorded for dispatch cannot be read", place)
	}
	// Asked before rendering, so that all that are missing are named and not only the first.
	var problems []error
	for _, name := range d.Secrets {
		if _, err := in.get(name); err != nil {
			problems = append(problems, fault.Wrap(fault.KindOf(err), err, "%s", place))
		}
	}
	if err := joined(problems); err != nil {
		return nil, err
	}
	x, err := in.runner.c.Eval.Finish(d, in.attempt.Dialect, in.get, in.open)
	if err != nil {
		kind := fault.KindOf(err)
		var f *fault.Error
		if !errors.As(err, &f) {
			kind = fault.Expr
		}
		return nil, fault.Wrap(kind, err, "%s", place)
	}
	text, ok := x.(secret.Value)
	if !ok {
		return x, nil
	}
	if strings.TrimSpace(text.Reveal()) == "" {
		return "", nil // so that a required input is seen to be empty
	}
	if !in.runner.known.masker().Found(text.Reveal()) {
		in.derived = append(in.derived, text)
	}
	return text, nil
}

// open opens what is sealed, and has it masked from now on: what is sensitive in this attempt, what is secret for ever.
func (in *inputs) open(d expr.Deferred) (any, error) {
	_, opener := in.runner.c.Key.For(in.attempt.Root)
	x, err := d.Disclose(opener)
	if _, more := x.(expr.Deferred); err != nil || more {
		return x, err
	}
	if d.Open {
		in.veiled = append(in.veiled, mask.Texts(x)...)
	} else {
		in.runner.Learn(x)
	}
	return x, nil
}

// get finds a secret, once per attempt, and has it masked from now on.
func (in *inputs) get(name string) (secret.Value, error) {
	if f, ok := in.found[name]; ok {
		return f.Value, nil
	}
	if run, event, ok := expr.AsCallback(name); ok {
		return in.callback(run, event)
	}
	if err := in.runner.c.Scopes.Check(name, in.attempt.For); err != nil {
		return secret.Value{}, err
	}
	f, err := in.runner.c.Secrets.Find(in.ctx, name)
	if err != nil {
		return secret.Value{}, err
	}
	if in.found == nil {
		in.found = map[string]secret.Found{}
	}
	in.found[name] = f
	in.runner.known.learn(f.Value)
	return f.Value, nil
}

// callback makes the address for an event. The names that are recorded for it are looked for nowhere; one that was made up
// leads to runs of this one's root and to no other, because the address is signed with that.
func (in *inputs) callback(run, event string) (secret.Value, error) {
	address := in.runner.c.Callback
	if address == nil {
		return secret.Value{}, fault.New(fault.Missing, "there is no callback for %q here: only a server can be called back", event).
			WithNext("run it on a server: tend playbooks start, or tend run while `tend serve` owns the data directory")
	}
	v, err := address(in.attempt.Root, cmp.Or(run, in.attempt.Run), event)
	if err != nil {
		return secret.Value{}, err
	}
	// What comes back in part is masked too: who knows the end of the address can make it whole.
	in.runner.known.pass(v, secret.New(v.Reveal()[strings.LastIndexByte(v.Reveal(), '/')+1:]))
	return v, nil
}

func (in *inputs) versions() map[string]string {
	if len(in.found) == 0 {
		return nil
	}
	out := make(map[string]string, len(in.found))
	for name, f := range in.found {
		out[name] = f.Version
	}
	return out
}

func object(v any, name string) (map[string]any, error) {
	switch m := v.(type) {
	case nil:
		return nil, nil
	case map[string]any:
		return m, nil
	default:
		return nil, fault.New(fault.Invalid, "%s must be a map", name)
	}
}

// joined makes one error of several: the first one's kind, everybody's message, each once.
func joined(errs []error) error {
	var (
		texts []string
		first error
	)
	for _, err := range errs {
		if err == nil {
			continue
		}
		if first == nil {
			first = err
		}
		if t := err.Error(); !slices.Contains(texts, t) {
			texts = append(texts, t)
		}
	}
	if first == nil {
		return nil
	}
	e := fault.New(fault.KindOf(first), "%s", strings.Join(texts, "; "))
	if next := fault.NextOf(first); next != "" {
		return e.WithNext("%s", next)
	}
	return e
}
