package sim

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/playbook"
)

func decode(b []byte, into any) error { return json.Unmarshal(b, into) }

func lit(v any) *expr.Expr { return &expr.Expr{Kind: expr.Literal, Lit: v} }

// Generate makes a playbook from a generator, the same one from the same seed: for properties of other packages. Its
// expressions are literals.
func Generate(r *rand.Rand) *playbook.Program { return generate(r) }

// generate makes a playbook: any shape of blocks and steps that the language knows, with literals for expressions.
func generate(r *rand.Rand) *playbook.Program {
	g := &generator{r: r}
	p := &playbook.Program{
		Language: playbook.Language, Dialect: expr.Strict, Metadata: playbook.Metadata{Name: fmt.Sprintf("generated-%d", r.IntN(1000))},
		Steps: g.nodes(1+r.IntN(4), 3),
	}
	if r.IntN(3) == 0 {
		p.Catch = g.nodes(1, 1)
	}
	if r.IntN(3) == 0 {
		p.Finally = g.nodes(1, 1)
	}
	if r.IntN(8) == 0 {
		p.Timeout = playbook.Duration(time.Duration(1+r.IntN(20)) * time.Second)
	}
	if g.calls {
		p.Calls = map[string]*playbook.Program{"child": {
			Language: playbook.Language, Dialect: expr.Strict, Metadata: playbook.Metadata{Name: "child"},
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

func (g *generator) nodes(n, depth int) []playbook.Node {
	out := make([]playbook.Node, n)
	for i := range out {
		out[i] = g.node(depth)
	}
	return out
}

func (g *generator) node(depth int) playbook.Node {
	var n playbook.Node
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

func (g *generator) block(depth int) playbook.Node {
	n := playbook.Node{Steps: g.nodes(1+g.r.IntN(3), depth)}
	switch g.r.IntN(5) {
	case 0:
		n.Kind = playbook.KindForeach
		n.Foreach = &playbook.Foreach{Key: "k", Value: "v", Parallel: g.r.IntN(3)}
		if g.r.IntN(2) == 0 {
			n.Foreach.Range = []expr.Expr{*lit(int64(0)), *lit(int64(g.r.IntN(4)))}
		} else {
			n.Foreach.In = &playbook.Tree{Map: map[string]playbook.Tree{"a": {Scalar: lit(int64(1))}, "b.\"]": {Scalar: lit("x")}}}
		}
		if g.r.IntN(4) == 0 {
			n.Foreach.When = lit(g.r.IntN(2) == 0)
		}
		if g.r.IntN(4) == 0 {
			n.Foreach.Break = lit(g.r.IntN(2) == 0)
		}
	case 1:
		n.Kind = playbook.KindParallel
	case 2:
		n.Kind, n.LockKey = playbook.KindLock, lit(fmt.Sprintf("lock-%d", g.r.IntN(2)))
	default:
		n.Kind = playbook.KindSteps
	}
	if g.r.IntN(3) == 0 {
		n.Catch = g.nodes(1, 0)
	}
	if g.r.IntN(3) == 0 {
		n.Finally = g.nodes(1, 0)
	}
	if g.r.IntN(6) == 0 {
		n.Timeout = playbook.Duration(time.Duration(1+g.r.IntN(8)) * time.Second)
	}
	if g.r.IntN(8) == 0 {
		n.StopWhen = &playbook.StopWhen{Check: playbook.Check{Until: lit(g.r.IntN(4) == 0), Every: playbook.Duration(20 * time.Second)}}
		if g.r.IntN(2) == 0 {
			probe := g.action(playbook.Read)
			n.StopWhen.Step = &probe
		}
	}
	if g.r.IntN(10) == 0 {
		n.Approval = g.approval()
	}
	return n
}

func (g *generator) approval() *playbook.Approval {
	return &playbook.Approval{Count: g.r.IntN(3), NotRequester: true, Within: playbook.Duration(time.Duration(1+g.r.IntN(10)) * time.Minute)}
}

func (g *generator) action(e playbook.Effect) playbook.Node {
	return playbook.Node{
		Kind: playbook.KindAction, Uses: "do", Effect: e, With: map[string]playbook.Tree{"n": {Scalar: lit(int64(g.r.IntN(9)))}},
		Target: []expr.Expr{*lit(fmt.Sprintf("host:%d", g.r.IntN(3)))},
	}
}

func (g *generator) check() *playbook.Check {
	s := g.action(playbook.Read)
	c := &playbook.Check{Step: &s, Until: lit(g.r.IntN(3) > 0), Every: playbook.Duration(time.Second)}
	if g.r.IntN(2) == 0 {
		c.Within = playbook.Duration(time.Duration(g.r.IntN(10)) * time.Second)
	}
	return c
}

func (g *generator) step() playbook.Node {
	switch g.r.IntN(16) {
	case 0:
		return playbook.Node{Kind: playbook.KindWait, Wait: &playbook.Wait{Duration: lit(fmt.Sprintf("%ds", g.r.IntN(60)))}}
	case 1:
		return playbook.Node{Kind: playbook.KindManual, Task: &playbook.Task{Approval: *g.approval()}}
	case 2:
		return playbook.Node{Kind: playbook.KindApprove, Task: &playbook.Task{Approval: *g.approval()}}
	case 3:
		return playbook.Node{Kind: playbook.KindAssert, Assert: &playbook.Assert{That: lit(g.r.IntN(5) > 0)}}
	case 4:
		return playbook.Node{Kind: playbook.KindWait, Wait: &playbook.Wait{Until: g.check(), Within: playbook.Duration(10 * time.Second)}}
	case 5:
		if !g.leaf {
			g.calls = true
			return playbook.Node{Kind: playbook.KindCall, Call: &playbook.Call{Program: "child"}}
		}
	case 6:
		if g.r.IntN(3) == 0 {
			return playbook.Node{Kind: playbook.KindFail, Message: lit("so")}
		}
	}
	n := g.action([]playbook.Effect{playbook.Read, playbook.Idempotent, playbook.Mutate, playbook.Mutate}[g.r.IntN(4)])
	if g.r.IntN(3) == 0 {
		n.Retry = &playbook.Retry{Attempts: 1 + g.r.IntN(3), Backoff: playbook.Duration(time.Second), Factor: 2, Jitter: 0.5, Cap: playbook.Duration(5 * time.Second)}
	}
	if g.r.IntN(4) == 0 {
		n.Verify = g.check()
	}
	switch g.r.IntN(5) {
	case 0:
		u := g.action(playbook.Idempotent)
		n.Undo = &playbook.Undo{Step: &u}
	case 1:
		n.Undo = &playbook.Undo{None: "nothing to restore"}
	}
	if g.r.IntN(8) == 0 {
		n.OnDoubt = []string{"retry", "ask", "fail"}[g.r.IntN(3)]
		if n.OnDoubt == "retry" {
			n.Effect = playbook.Idempotent // lint calls the other an error
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
func guards(r *rand.Rand) []playbook.GuardSpec {
	if r.IntN(3) > 0 {
		return nil
	}
	return []playbook.GuardSpec{{Name: "calm", Cooldown: &playbook.Cooldown{Every: playbook.Duration(time.Duration(r.IntN(120)) * time.Second)}}}
}
