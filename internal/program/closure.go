package program

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/value"
)

// Closure is the program with all that it needs, as canonical JSON, and its SHA-256: what a run is pinned to. The same
// program gives the same bytes on every machine.
func (p *Program) Closure() ([]byte, [32]byte, error) {
	b, err := value.Canonical(p)
	if err != nil {
		return nil, [32]byte{}, fault.Wrap(fault.Internal, err, "encode the program of %s", p.Metadata.Name)
	}
	return b, sha256.Sum256(b), nil
}

// Load reads a closure. Load of a Closure gives the same Program, and its Closure the same bytes.
func Load(closure []byte) (*Program, error) {
	var head struct {
		Language int `json:"language"`
	}
	if err := json.Unmarshal(closure, &head); err != nil {
		return nil, fault.Wrap(fault.Damaged, err, "read a compiled playbook")
	}
	switch {
	case head.Language > Language:
		return nil, fault.New(fault.Newer, "the playbook was compiled for version %d of the language, and this is version %d", head.Language, Language).
			WithNext("use the newer tend that compiled it")
	case head.Language < 1:
		return nil, fault.New(fault.Damaged, "a compiled playbook has no version of the language")
	}
	d := json.NewDecoder(bytes.NewReader(closure))
	d.UseNumber()
	p := &Program{}
	if err := d.Decode(p); err != nil {
		return nil, fault.Wrap(fault.Damaged, err, "read a compiled playbook")
	}
	if d.More() {
		return nil, fault.New(fault.Damaged, "a compiled playbook has more after its end")
	}
	if err := p.settle(0); err != nil {
		return nil, fault.Wrap(fault.Damaged, err, "read a compiled playbook")
	}
	return p, nil
}

// settle restores what JSON does not carry: numbers as the language has them, and Lenient.
func (p *Program) settle(depth int) error {
	if depth > MaxCalls {
		return fault.New(fault.Damaged, "playbooks included over more than %d levels", MaxCalls)
	}
	p.Lenient = p.Dialect == expr.Lenient
	n := &normalizer{}
	for i := range p.Parameters {
		q := &p.Parameters[i]
		n.tree(q.Default)
		n.list(q.Enum)
		for k, v := range q.Options {
			n.any(&v)
			q.Options[k] = v
		}
	}
	n.nodes(p.Steps)
	n.nodes(p.Catch)
	n.nodes(p.Finally)
	n.trees(p.Outputs)
	n.fields(p.OutputDefs)
	if n.err != nil {
		return n.err
	}
	for _, c := range p.Calls {
		if c == nil {
			return fault.New(fault.Damaged, "an included playbook is missing")
		}
		if err := c.settle(depth + 1); err != nil {
			return err
		}
	}
	return nil
}

// normalizer turns the numbers of decoded JSON into int64 and float64, everywhere in a program.
type normalizer struct{ err error }

func (n *normalizer) any(v *any) {
	out, err := value.Normalize(*v)
	if err != nil && n.err == nil {
		n.err = err
	}
	*v = out
}

func (n *normalizer) list(vs []any) {
	for i := range vs {
		n.any(&vs[i])
	}
}

func (n *normalizer) expr(e *expr.Expr) {
	if e != nil {
		n.any(&e.Lit)
	}
}

func (n *normalizer) exprs(es []expr.Expr) {
	for i := range es {
		n.expr(&es[i])
	}
}

func (n *normalizer) tree(t *expr.Tree) {
	if t == nil {
		return
	}
	n.expr(t.Scalar)
	n.treeList(t.List)
	n.trees(t.Map)
}

func (n *normalizer) treeList(ts []expr.Tree) {
	for i := range ts {
		n.tree(&ts[i])
	}
}

func (n *normalizer) trees(ts map[string]expr.Tree) {
	for _, t := range ts {
		n.tree(&t) // its parts are behind pointers, slices and maps
	}
}

func (n *normalizer) fields(fs []contract.Field) {
	for i := range fs {
		f := &fs[i]
		n.any(&f.Default)
		n.list(f.Enum)
		n.fields(f.Fields)
		if f.Items != nil {
			one := []contract.Field{*f.Items}
			n.fields(one)
			*f.Items = one[0]
		}
	}
}

func (n *normalizer) nodes(ns []Node) {
	for i := range ns {
		n.node(&ns[i])
	}
}

func (n *normalizer) check(c *Check) {
	if c == nil {
		return
	}
	n.expr(c.Until)
	n.node(c.Step)
}

func (n *normalizer) node(x *Node) {
	if x == nil {
		return
	}
	n.expr(x.When)
	n.expr(x.Runner)
	n.expr(x.Integration)
	n.expr(x.Message)
	n.expr(x.LockKey)
	n.exprs(x.Target)
	n.trees(x.With)
	n.trees(x.Env)
	n.trees(x.Outputs)
	n.treeList(x.Args)
	n.check(x.Probe)
	n.check(x.Verify)
	if x.Undo != nil {
		n.node(x.Undo.Step)
	}
	if x.StopWhen != nil {
		n.check(&x.StopWhen.Check)
	}
	if x.Approval != nil {
		n.expr(x.Approval.Message)
	}
	if m := x.Module; m != nil {
		n.trees(m.Inputs)
		n.fields(m.Fields)
		n.trees(m.Outputs)
		n.fields(m.OutputDefs)
		n.expr(m.Runner)
		n.expr(m.Integration)
		n.exprs(m.Target)
	}
	if w := x.Wait; w != nil {
		n.expr(w.Duration)
		n.expr(w.At)
		n.check(w.Until)
		n.expr(w.Event)
		n.expr(w.Key)
	}
	if t := x.Task; t != nil {
		n.expr(t.Message)
		n.fields(t.Form)
		n.expr(t.Instructions)
		n.expr(t.Assignee)
		for i := range t.Links {
			n.expr(t.Links[i].URL)
		}
		n.tree(t.Choices)
		n.expr(t.Default)
		n.expr(t.WithinX)
	}
	if x.Call != nil {
		n.trees(x.Call.Params)
	}
	if x.Assert != nil {
		n.expr(x.Assert.That)
		n.expr(x.Assert.Message)
	}
	if f := x.Foreach; f != nil {
		n.tree(f.In)
		n.exprs(f.Range)
		n.expr(f.When)
		n.expr(f.Break)
	}
	n.nodes(x.Steps)
	n.nodes(x.Catch)
	n.nodes(x.Finally)
}
