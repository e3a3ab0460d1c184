package lint

import (
	"fmt"
	"strings"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/program"
)

// reach finds steps that can never run.
func (c *checker) reach(steps []*playbook.Step) {
	var ended *playbook.Step
	for _, s := range steps {
		switch {
		case ended != nil:
			c.find(ruleUnreachable, c.at(s.Node), fmt.Sprintf("remove it, or give the `fail` in line %d a `when`", ended.Node.Line),
				"nothing from here on can run: the step in line %d always ends the block", ended.Node.Line)
			return
		case never(s.When):
			c.find(ruleUnreachable, c.at(s.When.Node), "", "this step can never run: its condition is always false")
		case s.Kind == program.KindForeach && s.Foreach != nil:
			c.turns(s)
		}
		for _, list := range inside(s) {
			c.reach(list)
		}
		if e := ends(s); e != nil && (s.When == nil || always(s.When)) {
			ended = e
		}
	}
}

// inside gives the sequences that stand in a step: each branch of a parallel is one of its own.
func inside(s *playbook.Step) [][]*playbook.Step {
	out := [][]*playbook.Step{s.Catch, s.Finally}
	if s.Kind != program.KindParallel {
		return append(out, s.Steps)
	}
	for i := range s.Steps {
		out = append(out, s.Steps[i:i+1])
	}
	return out
}

// turns looks how often a loop can turn.
func (c *checker) turns(s *playbook.Step) {
	f := s.Foreach
	from, to, ok := bounds(f)
	empty := ok && from >= to || f.In.Given() && f.In.Scalar == nil && len(f.In.List)+len(f.In.Map) == 0
	switch {
	case empty:
		c.find(ruleUnreachable, c.key(s, "foreach"), "", "the steps of this loop can never run: there is nothing in its list")
	case never(f.When):
		c.find(ruleUnreachable, c.at(f.When.Node), "", "the steps of this loop can never run: its condition is always false")
	case f.Break != nil && always(f.Break):
		c.find(ruleUnreachable, c.at(f.Break.Node), "remove `break`, or the loop", "no second iteration can run: the loop always ends after the first")
	}
}

// ends gives the step that surely fails when s runs, or nil.
func ends(s *playbook.Step) *playbook.Step {
	if s.IgnoreFailure || s.When != nil && !always(s.When) {
		return nil
	}
	switch s.Kind {
	case program.KindFail:
		return s
	case program.KindAssert:
		if never(s.That) {
			return s
		}
	case program.KindSteps, program.KindLock, program.KindParallel:
		if len(s.Catch) > 0 {
			return nil
		}
		for _, k := range s.Steps {
			if e := ends(k); e != nil {
				return e
			}
		}
	default:
	}
	return nil
}

// never and always tell conditions that are written as constants.
func never(s *document.Scalar) bool { return constant(s) == "false" }

func always(s *document.Scalar) bool { return constant(s) == "true" }

func constant(s *document.Scalar) string {
	if s == nil {
		return ""
	}
	if b, ok := s.Lit.(bool); ok && s.Kind == expr.Literal {
		return fmt.Sprint(b)
	}
	text := strings.TrimSpace(s.Source)
	if in, ok := strings.CutPrefix(text, "{{"); ok {
		text = strings.TrimSpace(strings.TrimSuffix(in, "}}"))
	}
	return strings.ToLower(text)
}
