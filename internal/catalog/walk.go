package catalog

import (
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/program"
)

// each calls do with every node of a program, those of checks and undoing among them, but not with what it calls.
func each(p *program.Program, do func(*program.Node)) {
	walk(p, func(n *program.Node, _ string) { do(n) })
}

// parts calls do with the data of a node itself, without the nodes in it. own tells what sees the inputs of the module that
// the node calls, where it calls one.
func parts(n *program.Node, do func(own bool, t *expr.Tree)) {
	one := func(own bool, list ...*expr.Expr) {
		for _, e := range list {
			if e != nil {
				do(own, &expr.Tree{Scalar: e})
			}
		}
	}
	trees := func(own bool, m map[string]expr.Tree) {
		for _, t := range m {
			do(own, &t)
		}
	}
	trees(true, n.With)
	trees(true, n.Env)
	for i := range n.Args {
		do(true, &n.Args[i])
	}
	one(true, n.Runner, n.Integration)
	for i := range n.Target {
		one(true, &n.Target[i])
	}
	trees(false, n.Outputs)
	one(false, n.When, n.Message, n.LockKey)
	approval := func(a *program.Approval) {
		if a != nil {
			one(false, a.Message)
		}
	}
	approval(n.Approval)
	until := func(c *program.Check) {
		if c != nil {
			one(false, c.Until)
		}
	}
	until(n.Probe)
	until(n.Verify)
	if m := n.Module; m != nil {
		trees(false, m.Inputs)
		trees(true, m.Outputs)
		one(false, m.Runner, m.Integration)
		for i := range m.Target {
			one(false, &m.Target[i])
		}
	}
	if w := n.Wait; w != nil {
		one(false, w.Duration, w.At, w.Event, w.Key)
		until(w.Until)
	}
	if t := n.Task; t != nil {
		approval(&t.Approval)
		one(false, t.Instructions, t.Default, t.WithinX)
		if t.Choices != nil {
			do(false, t.Choices)
		}
	}
	if n.Call != nil {
		trees(false, n.Call.Params)
	}
	if a := n.Assert; a != nil {
		one(false, a.That, a.Message)
	}
	if f := n.Foreach; f != nil {
		if f.In != nil {
			do(false, f.In)
		}
		for i := range f.Range {
			one(false, &f.Range[i])
		}
		one(false, f.When, f.Break)
	}
	if n.StopWhen != nil {
		until(&n.StopWhen.Check)
	}
}
