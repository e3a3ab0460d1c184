package sim

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/value"
)

func decode(b []byte, into any) error { return json.Unmarshal(b, into) }

func lit(v any) *expr.Expr { return &expr.Expr{Kind: expr.Literal, Lit: v} }

// Generate makes a playbook from a generator, the same one from the same seed: for properties of other packages. Its
// expressions are literals.
func Generate(r *rand.Rand) *program.Program { return generate(r) }

// generate makes a playbook: any shape of blocks and steps that the language knows, with literals for expressions.
func generate(r *rand.Rand) *program.Program {
	g := &generator{r: r}
	p := &program.Program{
		Language: program.Language, Dialect: expr.Strict, Metadata: contract.Metadata{Name: fmt.Sprintf("generated-%d", r.IntN(1000))},
		Steps: g.nodes(1+r.IntN(4), 3),
	}
	if r.IntN(3) == 0 {
		p.Catch = g.nodes(1, 1)
	}
	if r.IntN(3) == 0 {
		p.Finally = g.nodes(1, 1)
	}
	if r.IntN(8) == 0 {
		p.Timeout = value.Duration(time.Duration(1+r.IntN(20)) * time.Second)
	}
	if g.calls {
		p.Calls = map[string]*program.Program{"child": {
			Language: program.Language, Dialect: expr.Strict, Metadata: contract.Metadata{Name: "child"},
			Steps: (&generator{r: r, leaf: true}).nodes(2, 1),
		}}
	}
	return p
}

type generator struct {
	r     *rand.Rand
	n     int
	calls bool
	leaf  bool // no sub-playbooks
}

func (g *generator) nodes(n, depth int) []program.Node {
	out := make([]program.Node, n)
	for i := range out {
		out[i] = g.node(depth)
	}
	return out
}

func (g *generator) node(depth int) program.Node {
	var n program.Node
	if depth > 0 && g.r.IntN(3) == 0 {
		n = g.block(depth - 1)
	} else {
		n = g.step()
	}
	g.n++
	if g.r.IntN(3) == 0 {
		n.ID = fmt.Sprintf("s%d", g.n)
	}
	if g.r.IntN(5) == 0 {
		n.When = lit(g.r.IntN(3) > 0)
	}
	n.IgnoreFailure = g.r.IntN(10) == 0
	return n
}

func (g *generator) block(depth int) program.Node {
	n := program.Node{Steps: g.nodes(1+g.r.IntN(3), depth)}
	switch g.r.IntN(5) {
	case 0:
		n.Kind = program.KindForeach
		n.Foreach = &program.Foreach{Key: "k", Value: "v", Parallel: g.r.IntN(3)}
		if g.r.IntN(2) == 0 {
			n.Foreach.Range = []expr.Expr{*lit(int64(0)), *lit(int64(g.r.IntN(4)))}
		} else {
			n.Foreach.In = &expr.Tree{Map: map[string]expr.Tree{"a": {Scalar: lit(int64(1))}, "b.\"]": {Scalar: lit("x")}}}
		}
		if g.r.IntN(4) == 0 {
			n.Foreach.When = lit(g.r.IntN(2) == 0)
		}
		if g.r.IntN(4) == 0 {
			n.Foreach.Break = lit(g.r.IntN(2) == 0)
		}
	case 1:
		n.Kind = program.KindParallel
	case 2:
		n.Kind, n.LockKey = program.KindLock, lit(fmt.Sprintf("lock-%d", g.r.IntN(2)))
	default:
		n.Kind = program.KindSteps
	}
	if g.r.IntN(3) == 0 {
		n.Catch = g.nodes(1, 0)
	}
	if g.r.IntN(3) == 0 {
		n.Finally = g.nodes(1, 0)
	}
	if g.r.IntN(6) == 0 {
		n.Timeout = value.Duration(time.Duration(1+g.r.IntN(8)) * time.Second)
	}
	if g.r.IntN(8) == 0 {
		n.StopWhen = &program.StopWhen{Check: program.Check{Until: lit(g.r.IntN(4) == 0), Every: value.Duration(20 * time.Second)}}
		if g.r.IntN(2) == 0 {
			probe := g.action(contract.Read)
			n.StopWhen.Step = &probe
		}
	}
	if g.r.IntN(10) == 0 {
		n.Approval = g.approval()
	}
	return n
}

func (g *generator) approval() *program.Approval {
	return &program.Approval{Count: g.r.IntN(3), NotRequester: true, Within: value.Duration(time.Duration(1+g.r.IntN(10)) * time.Minute)}
}

func (g *generator) action(e contract.Effect) program.Node {
	return program.Node{
		Kind: program.KindAction, Uses: "do", Effect: e, With: map[string]expr.Tree{"n": {Scalar: lit(int64(g.r.IntN(9)))}},
		Target: []expr.Expr{*lit(fmt.Sprintf("host:%d", g.r.IntN(3)))},
	}
}

func (g *generator) check() *program.Check {
	s := g.action(contract.Read)
	c := &program.Check{Step: &s, Until: lit(g.r.IntN(3) > 0), Every: value.Duration(time.Second)}
	if g.r.IntN(2) == 0 {
		c.Within = value.Duration(time.Duration(g.r.IntN(10)) * time.Second)
	}
	return c
}

func (g *generator) step() program.Node {
	switch g.r.IntN(16) {
	case 0:
		return program.Node{Kind: program.KindWait, Wait: &program.Wait{Duration: lit(fmt.Sprintf("%ds", g.r.IntN(60)))}}
	case 1:
		return program.Node{Kind: program.KindManual, Task: &program.Task{Approval: *g.approval()}}
	case 2:
		return program.Node{Kind: program.KindApprove, Task: &program.Task{Approval: *g.approval()}}
	case 3:
		return program.Node{Kind: program.KindAssert, Assert: &program.Assert{That: lit(g.r.IntN(5) > 0)}}
	case 4:
		return program.Node{Kind: program.KindWait, Wait: &program.Wait{Until: g.check(), Within: value.Duration(10 * time.Second)}}
	case 5:
		if !g.leaf {
			g.calls = true
			return program.Node{Kind: program.KindCall, Call: &program.Call{Program: "child"}}
		}
	case 6:
		if g.r.IntN(3) == 0 {
			return program.Node{Kind: program.KindFail, Message: lit("so")}
		}
	}
	n := g.action([]contract.Effect{contract.Read, contract.Idempotent, contract.Mutate, contract.Mutate}[g.r.IntN(4)])
	if g.r.IntN(3) == 0 {
		n.Retry = &program.Retry{Attempts: 1 + g.r.IntN(3), Backoff: value.Duration(time.Second), Factor: 2, Jitter: 0.5, Cap: value.Duration(5 * time.Second)}
	}
	if g.r.IntN(4) == 0 {
		n.Verify = g.check()
	}
	switch g.r.IntN(5) {
	case 0:
		u := g.action(contract.Idempotent)
		n.Undo = &program.Undo{Step: &u}
	case 1:
		n.Undo = &program.Undo{None: "nothing to restore"}
	}
	if g.r.IntN(8) == 0 {
		n.OnDoubt = []string{"retry", "ask", "fail"}[g.r.IntN(3)]
		if n.OnDoubt == "retry" {
			n.Effect = contract.Idempotent // lint calls the other an error
		}
	}
	if g.r.IntN(10) == 0 {
		n.OnDoubt, n.Probe = "probe", g.check()
	}
	if g.r.IntN(10) == 0 {
		n.Approval = g.approval()
	}
	return n
}

// guards are sometimes declared.
func guards(r *rand.Rand) []guard.Spec {
	if r.IntN(3) > 0 {
		return nil
	}
	return []guard.Spec{{Name: "calm", Cooldown: &guard.Cooldown{Every: value.Duration(time.Duration(r.IntN(120)) * time.Second)}}}
}
