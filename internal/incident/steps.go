package incident

import (
	"fmt"
	"strings"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/entry"
)

// Steps tells what mattered in a run, from its entries in order: the steps that change something, and how they ended; what is held;
// what people were asked. It remembers which steps those are: path → action.
type Steps map[string]string

// Tell says an entry in a line; "" when it is not worth one.
func (s Steps) Tell(p entry.Payload) string {
	switch x := p.(type) {
	case *entry.StepIntent:
		if x.Effect != string(contract.Mutate) && x.Effect != string(contract.Idempotent) {
			return ""
		}
		s[x.Path] = x.Action
		if len(x.Targets) == 0 {
			return fmt.Sprintf("%s began (%s)", x.Action, x.Path)
		}
		return fmt.Sprintf("%s began on %s (%s)", x.Action, strings.Join(x.Targets, ", "), x.Path)
	case *entry.StepResult:
		action, ok := s[x.Path]
		if !ok {
			return ""
		}
		why := ""
		if x.Fault != nil {
			why = ": " + x.Fault.Message
		}
		return fmt.Sprintf("%s %s (%s)%s", action, x.Outcome, x.Path, why)
	case *entry.StepHeld:
		return fmt.Sprintf("%s is held: %s", x.Path, x.Why)
	case *entry.TaskOpened:
		return "asked people: " + x.Path
	case *entry.TaskDecided:
		return fmt.Sprintf("%s was %s", x.Path, x.Outcome)
	default:
		return ""
	}
}
