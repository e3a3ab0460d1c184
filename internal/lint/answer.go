package lint

import (
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/program"
)

// question is a step that asks a person and has an answer ready for when nobody comes.
type question struct {
	step   *playbook.Step
	answer *document.Scalar
	text   string
}

// answers finds default answers that lead to a mutation: one that runs only where the answer is compared with the
// default, or that is given the answer as data.
func (c *checker) answers(steps []*playbook.Step) {
	var asked []question
	var walk func(steps []*playbook.Step, conds []*document.Scalar)
	walk = func(steps []*playbook.Step, conds []*document.Scalar) {
		for _, s := range steps {
			here := conds
			if s.When != nil {
				here = append(conds[:len(conds):len(conds)], s.When)
			}
			if q, ok := c.question(s); ok {
				asked = append(asked, q)
			}
			if s.Kind == program.KindAction {
				if e, _ := c.effect(s); e == contract.Mutate || e == "" {
					asked = slices.DeleteFunc(asked, func(q question) bool { return c.leads(q, s, here) })
				}
			}
			for _, list := range [][]*playbook.Step{s.Steps, s.Catch, s.Finally} {
				walk(list, here)
			}
		}
	}
	walk(steps, nil)
}

// question recognises a question with a default answer.
func (c *checker) question(s *playbook.Step) (question, bool) {
	answer := defaultAnswer(s, c.callees[s].Spec.Name == string(program.KindAsk))
	if answer == nil || s.ID == "" {
		return question{}, false
	}
	text := answer.Source
	if lit, ok := answer.Lit.(string); ok {
		text = lit
	}
	if strings.TrimSpace(text) == "" {
		return question{}, false
	}
	return question{s, answer, text}, true
}

func defaultAnswer(s *playbook.Step, asks bool) *document.Scalar {
	if s.Task != nil {
		return s.Task.Default
	}
	if !s.Legacy || !asks && !strings.HasSuffix(s.Uses, "/interactive") {
		return nil
	}
	d, ok := s.Env.Entry("DEFAULT_RESPONSE")
	if !ok {
		return nil
	}
	return d.Scalar
}

// leads tells whether a mutation happens by the default answer, and reports it at the answer.
func (c *checker) leads(q question, s *playbook.Step, conds []*document.Scalar) bool {
	for _, w := range conds {
		if c.takes(w, q.step.ID) {
			if named := strings.Contains(w.Source, `"`+q.text+`"`) || strings.Contains(w.Source, "'"+q.text+"'"); !named || negated(w) {
				return false
			}
			c.report(q, s)
			return true
		}
	}
	for _, given := range [][]document.Entry{s.With.Map, s.Env.Map} {
		for i := range given {
			for e := range given[i].Data.Scalars() {
				if c.takes(e, q.step.ID) {
					c.report(q, s)
					return true
				}
			}
		}
	}
	return false
}

// negated tells a condition that asks for another answer.
func negated(w *document.Scalar) bool {
	return strings.Contains(w.Source, "!=") || strings.Contains(w.Source, "ne ") || strings.Contains(w.Source, "not ")
}

// takes tells whether an expression uses the output of a step.
func (c *checker) takes(e *document.Scalar, id string) bool {
	if e.Kind == expr.Literal {
		return false
	}
	u, err := c.evaluator.Uses(e.Expr, c.file.Dialect)
	return err == nil && slices.Contains(c.mentioned(u), id)
}

func (c *checker) report(q question, s *playbook.Step) {
	name := s.Uses[strings.LastIndexByte(strings.TrimSuffix(s.Uses, "/"), '/')+1:]
	c.find(ruleAnswer, c.at(q.answer.Node), "", "when nobody answers, the answer is %q, and that leads to the mutation in line %d (`%s`)", q.text, s.Node.Line, name)
}
