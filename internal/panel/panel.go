// Package panel is what a page shows of a run at a glance: how it stands and why, and each of its steps in a few words,
// small enough to be sent for a run of thousands of steps, and made so that two of them can be compared: while a run goes
// on only what changed travels (Since). What a step was given, gave and printed is asked for when somebody looks at it
// (Detail).
//
// It is pure. Texts are cut where a glance ends; nothing that package history masks comes back.
package panel

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	"github.com/tendhq/tend/internal/cell"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/graph"
	"github.com/tendhq/tend/internal/history"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/value"
)

// Bounds of a glance.
const (
	maxLabel = 120 // cells of a label
	maxText  = 400 // of a reason
)

// Run is a run at a glance.
type Run struct {
	Head    Head             `json:"head"`
	Steps   []Step           `json:"steps" doc:"In the order of the playbook, each after the block that it stands in."`
	Moments []history.Moment `json:"moments" doc:"What happened, oldest first."`
	Earlier int              `json:"earlier,omitempty" doc:"Moments that are not kept."`
	Params  value.Object     `json:"params,omitempty" doc:"Sensitive ones are masked."`
	Outputs value.Object     `json:"outputs,omitempty"`
}

// Head says how a run stands.
type Head struct {
	ID       string         `json:"id"`
	Name     string         `json:"name" doc:"Of the playbook."`
	Project  string         `json:"project"`
	Status   string         `json:"status"`
	Explain  string         `json:"explain" doc:"Why it is where it is, and what would move it, in a sentence or two, with the command to type."`
	Why      string         `json:"why" doc:"The same without commands."`
	By       entry.Who      `json:"by"`
	Cause    entry.Cause    `json:"cause,omitzero"`
	Source   string         `json:"source,omitempty" doc:"The file, or commit:path."`
	Commit   string         `json:"commit,omitempty" doc:"The revision that the playbook is from."`
	Author   string         `json:"author,omitempty" doc:"Of that revision."`
	Closure  string         `json:"closure" doc:"The hash of the compiled playbook with all that it calls."`
	Created  time.Time      `json:"created,omitzero"`
	Started  time.Time      `json:"started,omitzero"`
	Ended    time.Time      `json:"ended,omitzero"`
	Stepping bool           `json:"stepping,omitempty" doc:"Each step waits to be let go."`
	Undone   string         `json:"undone,omitempty" doc:"Fully or partly: what it had changed was undone."`
	Undoable bool           `json:"undoable,omitempty" doc:"Something that it changed can be undone."`
	TimedOut bool           `json:"timedOut,omitempty"`
	Fault    *entry.Fault   `json:"fault,omitempty"`
	Doubts   []string       `json:"doubts,omitempty" doc:"Paths of steps whose outcome nobody knows."`
	Waits    []history.Wait `json:"waits,omitempty"`
	Changed  []string       `json:"changed,omitempty" doc:"Targets that it changed; those that were undone are left out."`
	Remarks  []string       `json:"remarks,omitempty" doc:"Entries that could not be read."`
	Erased   int            `json:"erased,omitempty" doc:"Entries whose payload was erased."`
	Seq      uint64         `json:"seq" doc:"Of the last entry that is in this."`
}

// Step is a step, a block, an iteration or a helper at a glance. Two are equal when a person would see no difference.
type Step struct {
	Path         string    `json:"path"`
	Parent       string    `json:"parent,omitempty"`
	After        string    `json:"after,omitempty" doc:"The step that stands before it in this list."`
	Place        string    `json:"place" doc:"Where it stands in the graph: its path without the keys of iterations."`
	Depth        int       `json:"depth"`
	Kind         string    `json:"kind" doc:"action, wait, …, foreach, iteration."`
	Section      string    `json:"section,omitempty" doc:"catch, finally, verify, probe, undo, …; empty in the main flow."`
	ID           string    `json:"id,omitempty"`
	Label        string    `json:"label"`
	Uses         string    `json:"uses,omitempty"`
	Line         int       `json:"line,omitempty"`
	Status       string    `json:"status"`
	Began        time.Time `json:"began,omitzero" doc:"When its first attempt began; before that it waited."`
	Started      time.Time `json:"started,omitzero"`
	Ended        time.Time `json:"ended,omitzero"`
	Effect       string    `json:"effect,omitempty"`
	Irreversible bool      `json:"irreversible,omitempty"`
	Runner       string    `json:"runner,omitempty"`
	Target       string    `json:"target,omitempty" doc:"The first one."`
	Targets      int       `json:"targets,omitempty" doc:"How many there are."`
	Attempts     int       `json:"attempts,omitempty"`
	Acts         time.Time `json:"acts,omitzero" doc:"Since when the attempt acts that is in flight."`
	Verified     string    `json:"verified,omitempty"`
	Why          string    `json:"why,omitempty"`
	Fault        string    `json:"fault,omitempty"`
	Held         string    `json:"held,omitempty" doc:"The guard that holds it."`
	Due          time.Time `json:"due,omitzero" doc:"Of the next attempt, or until when it is held."`
	Lock         string    `json:"lock,omitempty"`
	Child        string    `json:"child,omitempty" doc:"The run of a sub-playbook."`
	Task         string    `json:"task,omitempty" doc:"What a person is asked."`
	Would        bool      `json:"would,omitempty" doc:"It was only recorded what it would have done."`
	Undone       bool      `json:"undone,omitempty"`
	Log          bool      `json:"log,omitempty" doc:"Some attempt printed something that is kept."`
	Count        int64     `json:"count,omitempty" doc:"Of a loop: how many iterations there are."`
	Done         int64     `json:"done,omitempty" doc:"Of a loop: how many are over."`
	Failed       int64     `json:"failed,omitempty" doc:"Of a loop: how many failed."`
	Forgotten    int64     `json:"forgotten,omitempty" doc:"Of a loop: iterations that are not shown any more."`
}

// About is what a view does not say of its run.
type About struct {
	Project  string
	Metadata value.Object // as the run has it
	Outputs  value.Object // those that are too large to be inline, too
	Seq      uint64
}

// Of gives a run at a glance.
func Of(v *history.View, a About) Run {
	r := Run{
		Steps: []Step{}, Moments: slices.Clone(v.Moments), Earlier: v.Earlier, Params: v.Params, Outputs: a.Outputs,
		Head: Head{
			ID: v.ID, Name: cell.Cut(cell.Line(v.Name), maxLabel), Project: a.Project, Status: v.Status, Explain: cell.Cut(history.Explain(v), 4*maxText), Why: cell.Cut(history.Why(v), 4*maxText),
			By: v.By, Cause: v.Cause, Source: v.Source, Closure: v.Closure.String(),
			Created: v.Created, Started: v.Started, Ended: v.Ended, Stepping: v.Stepping, Undone: v.Undone, TimedOut: v.TimedOut,
			Fault: v.Fault, Doubts: slices.Clone(v.Doubts), Waits: slices.Clone(v.Waits), Changed: v.Changed(), Remarks: slices.Clone(v.Remarks), Erased: v.Erased, Seq: a.Seq,
		},
	}
	if r.Moments == nil {
		r.Moments = []history.Moment{}
	}
	r.Head.Commit, _ = a.Metadata["commit"].(string)
	r.Head.Author, _ = a.Metadata["author"].(string)
	after := ""
	v.Walk(func(s *history.Step, depth int) {
		r.Head.Undoable = r.Head.Undoable || s.Undo != nil && s.Undo.None == "" && s.Undo.Fault == nil && !s.Undo.Done
		r.Steps = append(r.Steps, glance(s, depth, after))
		after = s.Path
	})
	return r
}

func glance(s *history.Step, depth int, after string) Step {
	g := Step{
		Path: s.Path, Parent: run.PlaceOf(s.Path).Parent, After: after, Place: graph.Static(s.Path), Depth: depth, Kind: s.Kind, Section: s.Section, ID: s.ID,
		Label: cell.Cut(cell.Line(s.Label()), maxLabel), Uses: s.Uses, Line: s.Line, Status: string(s.Status), Started: s.Started, Ended: s.Ended,
		Effect: s.Effect, Irreversible: s.Irreversible, Runner: s.Runner, Targets: len(s.Targets), Attempts: s.Count, Verified: s.Verified,
		Why: cell.Cut(cell.Line(s.Why), maxText), Held: s.Held, Due: s.Due, Lock: s.Lock, Child: s.Child, Would: s.Would != nil,
		Undone: s.Undo != nil && s.Undo.Done,
	}
	if len(s.Targets) > 0 {
		g.Target = cell.Cut(cell.Line(s.Targets[0]), maxLabel)
	}
	if s.Fault != nil {
		g.Fault = cell.Cut(cell.Line(s.Fault.Message), maxText)
	}
	for i := range s.Attempts {
		g.Log = g.Log || s.Attempts[i].Log != nil
	}
	if len(s.Attempts) > 0 {
		g.Began = s.Attempts[0].Started
	}
	if n := len(s.Attempts); n > 0 && s.Attempts[n-1].Ended.IsZero() && s.Status == history.Running {
		g.Acts = s.Attempts[n-1].Started
	}
	for _, t := range s.Tasks {
		if t.Closed.IsZero() {
			g.Task = t.ID
		}
	}
	if l := s.Loop; l != nil {
		g.Count, g.Done, g.Failed, g.Forgotten = l.Count, l.Succeeded+l.Failed+l.Skipped, l.Failed, l.Forgotten
	}
	return g
}

// Delta is what changed between two glances at a run.
type Delta struct {
	Head    *Head            `json:"head,omitempty"`
	Steps   []Step           `json:"steps,omitempty" doc:"Those that are new or changed, in their order."`
	Gone    []string         `json:"gone,omitempty" doc:"Paths of steps that are not shown any more: iterations of long loops."`
	Moments []history.Moment `json:"moments,omitempty" doc:"The newest."`
}

// Since tells what is in now and was not in before; nil when that is nothing.
func Since(before, now *Run) *Delta {
	var d Delta
	if !same(before.Head, now.Head) {
		d.Head = &now.Head
	}
	had := make(map[string]*Step, len(before.Steps))
	for i := range before.Steps {
		had[before.Steps[i].Path] = &before.Steps[i]
	}
	for i := range now.Steps {
		s := &now.Steps[i]
		old := had[s.Path]
		delete(had, s.Path)
		if old == nil {
			d.Steps = append(d.Steps, *s)
			continue
		}
		was := *old
		was.After = s.After // that another one came in between changes nothing here
		if was != *s {
			d.Steps = append(d.Steps, *s)
		}
	}
	for i := range before.Steps {
		if had[before.Steps[i].Path] != nil {
			d.Gone = append(d.Gone, before.Steps[i].Path)
		}
	}
	var last uint64
	if n := len(before.Moments); n > 0 {
		last = before.Moments[n-1].Seq
	}
	for _, m := range now.Moments {
		if m.Seq > last {
			d.Moments = append(d.Moments, m)
		}
	}
	if d.Head == nil && d.Steps == nil && d.Gone == nil && d.Moments == nil {
		return nil
	}
	return &d
}

// same compares what people see; the number of the last entry alone is nothing to see.
func same(a, b Head) bool {
	a.Seq = b.Seq
	x, err := json.Marshal(a)
	if err != nil {
		return false
	}
	y, err := json.Marshal(b)
	return err == nil && bytes.Equal(x, y)
}

// Detail gives a step as it stands now, with all that it was given and gave, without the steps in it.
func Detail(s *history.Step) history.Step {
	d := *s
	d.Steps, d.Helpers, d.Catch, d.Finally = nil, nil, nil, nil
	d.Attempts, d.Tasks, d.Conditions, d.Artifacts = slices.Clone(s.Attempts), slices.Clone(s.Tasks), slices.Clone(s.Conditions), slices.Clone(s.Artifacts)
	if s.Loop != nil {
		l := *s.Loop
		d.Loop = &l
	}
	if s.Undo != nil {
		u := *s.Undo
		d.Undo = &u
	}
	return d
}
