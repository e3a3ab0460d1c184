package lint

import (
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/playbook"
)

// declared is a step with an id, wherever it stands.
type declared struct {
	id       string
	step     *playbook.Step
	order    int      // in the order of the document
	branches []branch // the parallels that it stands in, outermost first
	loops    []*playbook.Step
	spec     contract.Spec // of its action, if known
	open     bool          // its outputs are not all known
}

// branch is one branch of a parallel.
type branch struct {
	parallel *playbook.Step
	index    int
}

// seen is a step that comes before a place, with the reasons why its output may not be there.
type seen struct {
	id    string
	step  *playbook.Step
	maybe []reason
}

// reason says why a step may not have run although it comes before. cond is the text of a condition; whoever stands
// under the same one is safe.
type reason struct {
	text string
	cond string
	rule string // what to report it as; empty: maybe-missing
}

// variable is a name that a loop gives.
type variable struct {
	name string
	loop *playbook.Step
}

// condition is one that holds where an expression is evaluated.
type condition struct {
	text string
	ids  []string // of the steps that it looks at
}

// scope is what an expression can see.
type scope struct {
	seen   []seen
	vars   []variable
	conds  []condition
	parent *playbook.Step   // the step that is being checked
	loops  []*playbook.Step // that it stands in
	lanes  []branch         // the branches that it stands in
	caught bool             // inside of a catch or finally: `error` is there
	ended  bool             // inside of a finally: `error` is null unless something failed
	result bool             // `result` is there: verify, until, a module's outputs
	params bool             // nothing but params (and result): the inside of a module
}

// find gives the newest step of an id that comes before.
func (s *scope) find(id string) (seen, bool) {
	for i := len(s.seen) - 1; i >= 0; i-- {
		if s.seen[i].id == id {
			return s.seen[i], true
		}
	}
	return seen{}, false
}

// holds tells whether a condition of the text is in force.
func (s *scope) holds(text string) bool {
	return text != "" && slices.ContainsFunc(s.conds, func(c condition) bool { return c.text == text })
}

// looksAt tells whether a condition in force asks about the step.
func (s *scope) looksAt(id string) bool {
	return slices.ContainsFunc(s.conds, func(c condition) bool { return slices.Contains(c.ids, id) })
}

// under runs f with one more condition in force.
func (s *scope) under(c condition, f func()) {
	if c.text == "" {
		f()
		return
	}
	n := len(s.conds)
	s.conds = append(s.conds, c)
	f()
	s.conds = s.conds[:n]
}

// doubt adds a reason to everything that was seen since mark.
func (s *scope) doubt(mark int, r reason) {
	for i := mark; i < len(s.seen); i++ {
		s.seen[i].maybe = append(s.seen[i].maybe[:len(s.seen[i].maybe):len(s.seen[i].maybe)], r)
	}
}

func (s *scope) variable(name string) bool {
	return slices.ContainsFunc(s.vars, func(v variable) bool { return v.name == name })
}

// squeeze makes texts of conditions comparable.
func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }
