package program_test

import (
	"slices"
	"testing"

	"github.com/tendhq/tend/internal/program"
)

// TestApprovers: who is asked, by a step, before one, in blocks and in what is called, each once.
func TestApprovers(t *testing.T) {
	t.Parallel()
	asks := func(from ...string) program.Node {
		return program.Node{Kind: program.KindApprove, Task: &program.Task{Approval: program.Approval{From: from}}}
	}
	held := program.Node{Kind: program.KindAction, Approval: &program.Approval{}}
	other := &program.Program{Steps: []program.Node{asks("sre", "leads")}}
	p := &program.Program{
		Steps: []program.Node{asks("data", "sre"), {Kind: program.KindSteps, Steps: []program.Node{held}}},
		Catch: []program.Node{asks("data")},
		Calls: map[string]*program.Program{"other": other},
	}
	other.Calls = map[string]*program.Program{"back": p} // it ends all the same
	if got, want := p.Approvers(), []string{"data", "sre", program.Anybody, "leads"}; !slices.Equal(got, want) {
		t.Errorf("%q, not %q", got, want)
	}
	if got := (&program.Program{Steps: []program.Node{{Kind: program.KindAction}}}).Approvers(); got != nil {
		t.Errorf("%q, where nobody is asked", got)
	}
}
