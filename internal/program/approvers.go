package program

import (
	"maps"
	"slices"
)

// Anybody stands among approvers where a playbook names nobody: whoever may approve.
const Anybody = "*"

// Approvers are those who are asked to approve, by a step or before one, in the program and in what it calls: each once, in
// order.
func (p *Program) Approvers() []string {
	w := &asked{seen: map[*Program]bool{}}
	w.program(p)
	return w.list
}

type asked struct {
	list []string
	seen map[*Program]bool
}

func (w *asked) program(p *Program) {
	if w.seen[p] {
		return
	}
	w.seen[p] = true
	w.nodes(p.Steps)
	w.nodes(p.Catch)
	w.nodes(p.Finally)
	for _, name := range slices.Sorted(maps.Keys(p.Calls)) {
		w.program(p.Calls[name])
	}
}

func (w *asked) nodes(list []Node) {
	for i := range list {
		n := &list[i]
		if n.Approval != nil {
			w.add(n.Approval.From)
		}
		if n.Kind == KindApprove && n.Task != nil {
			w.add(n.Task.From)
		}
		w.nodes(n.Steps)
		w.nodes(n.Catch)
		w.nodes(n.Finally)
		if n.Undo != nil && n.Undo.Step != nil {
			w.nodes([]Node{*n.Undo.Step})
		}
	}
}

func (w *asked) add(from []string) {
	if len(from) == 0 {
		from = []string{Anybody}
	}
	for _, who := range from {
		if !slices.Contains(w.list, who) {
			w.list = append(w.list, who)
		}
	}
}
