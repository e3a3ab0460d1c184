package catalog

import (
	"maps"
	"slices"

	"github.com/tendhq/tend/internal/program"
)

// Anybody stands in Approvers where a playbook names nobody: whoever may approve.
const Anybody = "*"

// approvers adds who is asked to approve, by a step or before one, in p and in what it calls.
func approvers(p *program.Program, list []string, seen map[*program.Program]bool) []string {
	if seen[p] {
		return list
	}
	seen[p] = true
	add := func(a *program.Approval) {
		from := a.From
		if len(from) == 0 {
			from = []string{Anybody}
		}
		for _, who := range from {
			if !slices.Contains(list, who) {
				list = append(list, who)
			}
		}
	}
	each(p, func(n *program.Node) {
		if n.Approval != nil {
			add(n.Approval)
		}
		if n.Kind == program.KindApprove && n.Task != nil {
			add(&n.Task.Approval)
		}
	})
	for _, name := range slices.Sorted(maps.Keys(p.Calls)) {
		list = approvers(p.Calls[name], list, seen)
	}
	return list
}
