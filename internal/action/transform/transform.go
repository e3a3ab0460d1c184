// Package transform turns data into other data by a jq query.
//
// A query sees its input and its arguments and nothing else: no environment, no files, no modules. It is bounded in time,
// in memory and in the size of its result; queries that run away are stopped, and leave nothing behind but a failure.
package transform

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"time"

	"github.com/itchyny/gojq"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/value"
)

const (
	maxQuery   = 64 << 10
	maxResult  = 16 << 20 // as JSON
	maxResults = 100_000
	// maxGrowth is how much the live heap may grow while a query runs, besides a multiple of its input. It is this small
	// because the deepest nesting that fits into it must not overflow the stack of what walks over it (a test checks).
	maxGrowth   = 32 << 20
	perInput    = 16 // bytes of heap for each byte of input
	sampleEvery = 10 * time.Millisecond
)

// Action is the action.
type Action struct{}

// New gives the action.
func New() Action { return Action{} }

// Spec implements action.Action.
func (Action) Spec() contract.Spec {
	return contract.Spec{
		Name:    "transform",
		Summary: "Turns data into other data by a jq query.",
		Doc: "`query` is a program in the language of jq, over `data` as its input; `args` are its variables (`$name`). The query " +
			"has no environment, no files and no modules. It must give exactly one result: to collect several write `[...]`, or " +
			"set `results: all`, which gives a list. A query that gives nothing has failed: no data is never success.\n\n" +
			"A query may take `timeout` and a bounded amount of memory (32 MiB and sixteen times its input).",
		Effect: contract.Read,
		Proven: true,
		Inputs: []contract.Field{
			{Name: "data", Type: contract.Any, Description: "The input, `.` in the query. Without it `null`."},
			{Name: "query", Type: contract.String, Required: true, Description: "The jq program."},
			{Name: "args", Type: contract.Map, Description: "Variables of the program, by name."},
			{Name: "results", Type: contract.String, Default: "one", Enum: []any{"one", "all"}, Description: "`one` result is the value; `all` results are a list."},
			{Name: "timeout", Type: contract.Duration, Default: "5s", Description: "How long the query may run, at most 1m."},
		},
		Outputs: []contract.Field{{Name: "value", Type: contract.Any, Description: "The result."}},
		Ends: []contract.End{
			{When: "the query gave a result", Outcome: "succeeded"},
			{When: "the query failed on this data", Outcome: "failed", Kind: fault.Expr},
			{When: "the query gave no result, or several where one is meant, or one that is no data (NaN)", Outcome: "failed", Kind: fault.Parse},
			{When: "the query needed too much memory, or gave too much", Outcome: "failed", Kind: fault.Limit},
			{When: "the query took too long", Outcome: "failed", Kind: fault.Timeout},
			{When: "the step was cancelled", Outcome: "failed", Kind: fault.Cancelled},
			{When: "the query is not jq, or an input is wrong", Outcome: "not-started", Kind: fault.Invalid},
			{When: "the step was cancelled before it began", Outcome: "not-started", Kind: fault.Cancelled},
			{When: "the time limit passed before it began", Outcome: "not-started", Kind: fault.Timeout},
		},
		Examples: []contract.Example{{
			Title: "The three largest queues",
			YAML:  "- id: top\n  uses: transform\n  with:\n    data: '{{ $.steps.queues.json }}'\n    query: 'sort_by(-.messages) | .[:$n] | map({name, messages})'\n    args: {n: 3}\n",
		}},
	}
}

type inputs struct {
	Data    any            `in:"data"`
	Query   string         `in:"query"`
	Args    map[string]any `in:"args"`
	Results string         `in:"results"`
	Timeout time.Duration  `in:"timeout"`
}

// Run implements action.Action.
func (Action) Run(ctx context.Context, req action.Request, _ action.Log) action.Result {
	if ctx.Err() != nil {
		k, why := action.Stopped(ctx)
		return action.Never(k, why+" before the query ran")
	}
	in := inputs{Results: "one", Timeout: 5 * time.Second}
	if err := action.Decode(req.Inputs, &in); err != nil {
		return action.Never(fault.Invalid, err.Error())
	}
	q, err := prepare(in)
	if err != nil {
		return action.Never(fault.Invalid, err.Error())
	}
	ctx, cancel := context.WithTimeoutCause(ctx, in.Timeout, fault.New(fault.Timeout, "the query took longer than %s", in.Timeout))
	defer cancel()
	results, err := q.run(ctx)
	if err != nil {
		return action.Fail(fault.KindOf(err), err.Error())
	}
	if in.Results == "all" {
		return action.Value(results)
	}
	switch len(results) {
	case 1:
		return action.Value(results[0])
	case 0:
		return action.Fail(fault.Parse, "the query gave no result")
	default:
		return action.Fail(fault.Parse, fmt.Sprintf("the query gave %d results where one is meant; collect them by [...] or set results: all", len(results)))
	}
}

// query is a compiled query with its input.
type query struct {
	code  *gojq.Code
	input any
	args  []any
	size  int // of the input as JSON
}

func prepare(in inputs) (query, error) {
	var problems []error
	bad := func(format string, a ...any) { problems = append(problems, fault.New(fault.Invalid, format, a...)) }
	if strings.TrimSpace(in.Query) == "" {
		bad("query is empty")
	}
	if len(in.Query) > maxQuery {
		bad("query is longer than %d KiB", maxQuery>>10)
	}
	if in.Results != "one" && in.Results != "all" {
		bad("results is %.40q; it can be one or all", in.Results)
	}
	if in.Timeout <= 0 || in.Timeout > time.Minute {
		bad("timeout is %s; it can be up to 1m", in.Timeout)
	}
	if action.HasSecret(in.Data) || action.HasSecret(in.Args) {
		bad("a secret was given as data: the result would show it")
	}
	if err := errors.Join(problems...); err != nil {
		return query{}, err
	}
	var q query
	names := slices.Sorted(maps.Keys(in.Args))
	for i, n := range names {
		v, size, err := input(in.Args[n])
		if err != nil {
			bad("args: %.60q: %s", n, err)
			continue
		}
		q.args, q.size = append(q.args, v), q.size+size
		names[i] = "$" + n
	}
	v, size, err := input(in.Data)
	if err != nil {
		bad("data: %s", err)
	}
	q.input, q.size = v, q.size+size
	parsed, err := gojq.Parse(in.Query)
	if err != nil {
		bad("query: %s", err)
	}
	if err := errors.Join(problems...); err != nil {
		return query{}, err
	}
	if q.code, err = gojq.Compile(parsed, gojq.WithVariables(names)); err != nil {
		return query{}, fault.New(fault.Invalid, "query: %s", err)
	}
	return q, nil
}

// input makes a value that gojq understands and tells its size as JSON.
func input(v any) (any, int, error) {
	n, err := value.Normalize(v)
	if err != nil {
		return nil, 0, err
	}
	b, err := value.Canonical(n)
	return native(n), len(b), err
}

func native(v any) any {
	switch x := v.(type) {
	case int64:
		return int(x)
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = native(e)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, e := range x {
			out[k] = native(e)
		}
		return out
	default:
		return v
	}
}

// run collects the results. The query runs beside, because a single operation on huge numbers looks at no context: it is
// then left alone, to end at its next step.
func (q query) run(ctx context.Context) ([]any, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	type end struct {
		results []any
		err     error
	}
	done := make(chan end, 1) // nobody may be waiting any more
	heap := newHeap(maxGrowth + perInput*int64(q.size))
	go func() {
		r, err := q.collect(ctx)
		done <- end{r, err}
	}()
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		select {
		case e := <-done:
			if ctx.Err() != nil {
				return nil, stopped(ctx)
			}
			return e.results, e.err
		case <-ctx.Done():
			return nil, stopped(ctx)
		case <-tick.C:
			if heap.exceeded() {
				cancel(fault.New(fault.Limit, "the query needed more memory than it may have"))
			}
		}
	}
}

func stopped(ctx context.Context) error {
	k, why := action.Stopped(ctx)
	return fault.New(k, "%s", why)
}

func (q query) collect(ctx context.Context) (results []any, err error) {
	defer func() {
		if p := recover(); p != nil {
			results, err = nil, fault.New(fault.Expr, "the query cannot be evaluated on this data: %.200s", fmt.Sprint(p))
		}
	}()
	results = []any{}
	size := 0
	it := q.code.RunWithContext(ctx, q.input, q.args...)
	for {
		v, more := it.Next()
		if !more {
			return results, nil
		}
		if err, failed := v.(error); failed {
			return nil, fault.New(fault.Expr, "the query failed: %.500s", err)
		}
		n, err := value.Normalize(v)
		if err != nil {
			return nil, fault.New(fault.Parse, "the result is no data: %.200s", err)
		}
		b, err := value.Canonical(n)
		if err != nil {
			return nil, fault.New(fault.Parse, "the result is no data: %.200s", err)
		}
		if size += len(b); size > maxResult {
			return nil, fault.New(fault.Limit, "the result is larger than %d MiB", maxResult>>20)
		}
		if len(results) == maxResults {
			return nil, fault.New(fault.Limit, "the query gave more than %d results", maxResults)
		}
		results = append(results, n)
	}
}

// heap watches the growth of the live heap. Garbage, also that of others, only leads to a closer look.
type heap struct {
	limit  int64
	start  int64
	looked int64
}

func newHeap(limit int64) *heap {
	n := objects()
	return &heap{limit: limit, start: n, looked: n}
}

func (h *heap) exceeded() bool {
	if objects()-h.looked < h.limit {
		return false
	}
	runtime.GC()
	h.looked = objects()
	return h.looked-h.start > h.limit
}

func objects() int64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	if s[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return int64(s[0].Value.Uint64()) //nolint:gosec // a heap of 2^63 bytes there is not
}
