package wire

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Rules are what is live of guards, modes, halts and overrides.
type Rules struct {
	Blind     map[string]time.Time `json:"blind,omitempty" doc:"What is expected and silent, since when."`
	Changes   []ApprovedChange     `json:"changes,omitempty" doc:"Approved ones that are not over."`
	Guards    []Guard              `json:"guards"`
	Halts     []Halt               `json:"halts"`
	Modes     []Mode               `json:"modes" doc:"The first one is the server's."`
	Overrides []Override           `json:"overrides"`
	Version   string               `json:"version" doc:"Names this state of the rules; intents record it."`
}

// Guard is a guard that is live.
type Guard struct {
	Name    string `json:"name"`
	Project string `json:"project"`
	Rule    string `json:"rule"`
	Says    string `json:"says" doc:"What it holds people to, in a sentence."`
	Then    string `json:"then,omitempty"`
}

// SortGuards orders guards by project and name.
func SortGuards(g []Guard) {
	slices.SortFunc(g, func(a, b Guard) int {
		return cmp.Or(strings.Compare(a.Project, b.Project), strings.Compare(a.Name, b.Name))
	})
}

// ApprovedChange is a change, which guards may want for what they are about.
type ApprovedChange struct {
	By        string    `json:"by"`
	From      time.Time `json:"from"`
	ID        string    `json:"id" doc:"As whoever approved it calls it."`
	Playbooks []string  `json:"playbooks,omitempty" doc:"Globs; none: all."`
	Project   string    `json:"project"`
	Targets   []string  `json:"targets,omitempty" doc:"Globs; none: all."`
	To        time.Time `json:"to"`
	Why       string    `json:"why,omitempty"`
}

// String tells of a change in a line.
func (c ApprovedChange) String() string {
	about := ""
	for _, x := range []struct {
		what string
		list []string
	}{{"playbooks", c.Playbooks}, {"targets", c.Targets}} {
		if len(x.list) > 0 {
			about += ", " + x.what + " " + strings.Join(x.list, " ")
		}
	}
	return fmt.Sprintf("%s of project %s, %s to %s%s, by %s", c.ID, c.Project, c.From.UTC().Format(time.RFC3339), c.To.UTC().Format(time.RFC3339), about, c.By)
}

// ChangeRequest approves a change.
type ChangeRequest struct {
	From      time.Time `json:"from,omitzero" doc:"Without it now."`
	ID        string    `json:"id" minLength:"1" maxLength:"200"`
	Minutes   int64     `json:"minutes" minimum:"1" maximum:"44640" doc:"How long it is open."`
	Playbooks []string  `json:"playbooks,omitempty" maxItems:"100"`
	Project   string    `json:"project,omitempty" maxLength:"200"`
	Targets   []string  `json:"targets,omitempty" maxItems:"100"`
	Why       string    `json:"why,omitempty" maxLength:"2000"`
}

// ChangeEnd ends a change before its time.
type ChangeEnd struct {
	ID      string `json:"id" maxLength:"200"`
	Project string `json:"project,omitempty" maxLength:"200"`
	Why     string `json:"why,omitempty" maxLength:"2000"`
}

// Mode is what becomes of mutations within a scope.
type Mode struct {
	Environment string `json:"environment,omitempty"`
	Mode        string `json:"mode"`
	Playbook    string `json:"playbook,omitempty"`
	Project     string `json:"project,omitempty"`
}

// Scope says what a mode is of.
func (m Mode) Scope() string {
	if s := (Halt{Project: m.Project, Environment: m.Environment, Playbook: m.Playbook}).Scope(); s != everything {
		return s
	}
	return "the server"
}

// ModeRequest sets a mode.
type ModeRequest struct {
	Environment string `json:"environment,omitempty" maxLength:"200"`
	Mode        string `json:"mode" enum:"observe,ask,auto"`
	Playbook    string `json:"playbook,omitempty" maxLength:"200" doc:"A glob."`
	Project     string `json:"project,omitempty" maxLength:"200"`
	Why         string `json:"why,omitempty" maxLength:"2000"`
}

// Halt stops everything within its scope.
type Halt struct {
	At          time.Time `json:"at"`
	By          string    `json:"by"`
	Environment string    `json:"environment,omitempty"`
	ID          string    `json:"id"`
	Playbook    string    `json:"playbook,omitempty"`
	Project     string    `json:"project,omitempty"`
	Target      string    `json:"target,omitempty"`
	Why         string    `json:"why,omitempty"`
}

const everything = "everything"

// Scope says what is halted.
func (h Halt) Scope() string {
	var parts []string
	for _, x := range [][2]string{{"project", h.Project}, {"environment", h.Environment}, {"playbook", h.Playbook}, {"target", h.Target}} {
		if x[1] != "" {
			parts = append(parts, x[0]+" "+x[1])
		}
	}
	if len(parts) == 0 {
		return everything
	}
	return strings.Join(parts, ", ")
}

// Halts are several.
type Halts struct {
	Halts []Halt `json:"halts"`
}

// HaltRequest asks for a halt; without a scope of everything.
type HaltRequest struct {
	Environment string `json:"environment,omitempty" maxLength:"200"`
	Playbook    string `json:"playbook,omitempty" maxLength:"200" doc:"A glob."`
	Project     string `json:"project,omitempty" maxLength:"200"`
	Target      string `json:"target,omitempty" maxLength:"500" doc:"A glob."`
	Why         string `json:"why,omitempty" maxLength:"2000"`
}

// End ends a halt or an override; without an id all halts.
type End struct {
	ID  string `json:"id,omitempty" maxLength:"64"`
	Why string `json:"why,omitempty" maxLength:"2000"`
}

// Override loosens a guard until a time.
type Override struct {
	By       string    `json:"by"`
	Guard    string    `json:"guard"`
	ID       string    `json:"id"`
	Playbook string    `json:"playbook,omitempty"`
	Project  string    `json:"project"`
	Targets  []string  `json:"targets,omitempty"`
	Until    time.Time `json:"until"`
	Why      string    `json:"why"`
}

// OverrideRequest asks for an override.
type OverrideRequest struct {
	Guard    string   `json:"guard" maxLength:"200"`
	Minutes  int64    `json:"minutes" minimum:"1" maximum:"10080" doc:"How long; a week at most."`
	Playbook string   `json:"playbook,omitempty" maxLength:"200" doc:"A glob."`
	Project  string   `json:"project,omitempty" maxLength:"200"`
	Targets  []string `json:"targets,omitempty" maxItems:"100" doc:"Globs; without them all."`
	Why      string   `json:"why" maxLength:"2000"`
}
