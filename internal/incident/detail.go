package incident

import (
	"cmp"
	"time"

	"github.com/tendhq/tend/internal/entry"
)

// Detail is what the text of a line is made of, for whoever tells it in other words or other times. What does not belong
// to the fact is left out.
type Detail struct {
	Action   string                 `json:"action,omitempty"`   // of a step
	Change   *entry.IncidentUpdated `json:"change,omitempty"`   // what an update set
	Count    int                    `json:"count,omitempty"`    // alerts that moved
	Name     string                 `json:"name,omitempty"`     // of the alert, the playbook, the guard that holds; the title of what was opened
	Path     string                 `json:"path,omitempty"`     // of the step within its run
	People   []string               `json:"people,omitempty"`   // who was paged, or who decided
	Severity string                 `json:"severity,omitempty"` // that it was opened with
	Source   string                 `json:"source,omitempty"`   // of the alert
	Status   string                 `json:"status,omitempty"`   // of the alert, the run, the step (began, held, or its outcome) or the answer (asked, or its outcome)
	Targets  []string               `json:"targets,omitempty"`  // of a step
	Task     string                 `json:"task,omitempty"`     // what people were asked
	Until    time.Time              `json:"until,omitzero"`     // how long a step is held
	Why      string                 `json:"why,omitempty"`      // as it was given; of a page what was said
}

// Detail takes a fact of an incident, or an entry of a run that Tell told, apart. nil when its text says all of it.
func (s Steps) Detail(p entry.Payload) *Detail {
	switch x := p.(type) {
	case *entry.IncidentOpened:
		return &Detail{Name: x.Title, Severity: x.Severity}
	case *entry.IncidentJoined:
		return &Detail{Name: cmp.Or(x.Name, x.Group), Source: x.Source, Status: x.Status}
	case *entry.IncidentUpdated:
		return &Detail{Change: x, Why: x.Why}
	case *entry.IncidentPaged:
		return &Detail{People: x.Targets, Why: x.Message}
	case *entry.IncidentMerged:
		return &Detail{Count: len(x.Members), Status: side(x.Into), Why: x.Why}
	case *entry.IncidentSplit:
		return &Detail{Count: len(x.Members), Status: side(x.Into), Why: x.Why}
	case *entry.IncidentResolved:
		return &Detail{Why: x.Why}
	case *entry.IncidentReopened:
		return &Detail{Why: x.Why}
	case *entry.IncidentRan:
		return &Detail{Name: x.Playbook, Status: x.Status, Why: x.Why}
	case *entry.IncidentItem:
		d := &Detail{Name: x.Text, Status: "planned"}
		if x.Done {
			d.Status = "done"
		}
		return d
	case *entry.StepIntent:
		return &Detail{Action: x.Action, Path: x.Path, Status: "began", Targets: x.Targets}
	case *entry.StepResult:
		d := &Detail{Action: s[x.Path], Path: x.Path, Status: string(x.Outcome)}
		if x.Fault != nil {
			d.Why = x.Fault.Message
		}
		return d
	case *entry.StepHeld:
		return &Detail{Name: x.Guard, Path: x.Path, Status: "held", Until: x.Until, Why: x.Why}
	case *entry.TaskOpened:
		return &Detail{Path: x.Path, Status: "asked", Task: x.Task}
	case *entry.TaskDecided:
		d := &Detail{Path: x.Path, Status: x.Outcome, Task: x.Task, Why: x.Why}
		for _, by := range x.By {
			d.People = append(d.People, name(by))
		}
		return d
	default:
		return nil
	}
}

// side tells which of the two incidents of a merge or a split a fact stands in.
func side(into string) string {
	if into == "" {
		return "came"
	}
	return "went"
}
