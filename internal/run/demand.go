package run

import (
	"slices"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
)

// Demand opens an approval for an effect whose step does not ask for one itself: a guard or the mode wants it. It binds to
// exactly what would happen, as every approval does; one that was given for something else is void.
func (s *State) Demand(i *entry.StepIntent, why string, within time.Duration, now time.Time) Accepted {
	n := s.Node(i.Path)
	if n == nil {
		def, err := s.def(i.Path)
		if err != nil {
			return facts(&entry.StepRefused{Path: i.Path, Fault: entry.Fault{Kind: string(fault.Internal), Message: err.Error(), Path: i.Path}})
		}
		n = s.fresh(i.Path, def)
	}
	a := Accepted{TaskID: s.taskID(n, now)}
	a.Task = &entry.TaskCreated{
		Count: 1, Expires: expiry(now, within), Hash: i.Hash, Message: why, Path: i.Path, Requester: s.Created.By.Name, RequesterID: s.Created.By.ID, Run: s.ID,
		Show: show(n.def, Rendered{Inputs: i.Inputs, Targets: i.Targets, Runner: i.Runner}), Title: "approve " + describe(n.def, i.Path), Type: "approve",
	}
	if n.Approved != (entry.Hash{}) {
		a.Facts = append(a.Facts, &entry.ApprovalVoid{Path: i.Path, Why: "what was approved is not what would happen now"})
	}
	a.Facts = append(a.Facts, &entry.ApprovalAsked{Path: i.Path, Task: a.TaskID, Hash: i.Hash, Expires: a.Task.Expires})
	return a
}

// Approves tells whether people approved exactly this effect: by itself, or shown to them with what stands around it.
func (s *State) Approves(i *entry.StepIntent) bool {
	n := s.Node(i.Path)
	if n != nil && n.Approved != (entry.Hash{}) && n.Approved == i.Hash {
		return true
	}
	return saw(s.Covering(i.Path), i.Path, i.Hash)
}

// Held lists the instances that a guard, a mode or a halt holds, by path. One that waits for a runner is not among them.
func (s *State) Held() []string {
	var out []string
	for path, n := range s.Nodes {
		if n.Phase == PhaseHeld && n.Key == "" {
			out = append(out, path)
		}
	}
	slices.Sort(out)
	return out
}
