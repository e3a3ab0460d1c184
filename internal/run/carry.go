package run

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/value"
)

// Carried is what a retried run takes over from the run that failed: where the blocks on the way to the failure stood,
// and what succeeded before it and was not undone.
type Carried struct {
	Cursor  int               `json:"cursor"`
	Merged  value.Object      `json:"merged,omitempty"`
	Nodes   map[string]*Node  `json:"nodes,omitempty"`
	Outputs map[string]Output `json:"outputs,omitempty"`
	// Recalled is what is kept of steps behind the place where it goes on, which is before them because something was
	// undone: whoever comes to such a step again knows that it is in doubt, or which run its call carries on.
	Recalled map[string]*Node `json:"recalled,omitempty"`
	Stats    map[string]Stat  `json:"stats,omitempty"`
	Undo     []UndoItem       `json:"undo,omitempty"`
}

// Carry gives what a retry of the ended run s takes over: it goes on at the step that failed. When steps were undone, the
// retry begins at the first of those instead. What is in doubt stays in doubt: a person is asked before it is done again.
// A call that failed is carried on like the run itself: what succeeded in the run that it called is not repeated.
func Carry(s *State) (*Carried, error) {
	if s.End == nil || (s.End.Status != string(Failed) && s.End.Status != string(Cancelled)) {
		return nil, fault.New(fault.Conflict, "run %s is %s: only one that failed or was cancelled can be retried", s.ID, s.Status())
	}
	c := &Carried{
		Cursor: s.Root.bodyCursor(), Outputs: maps.Clone(s.Outputs), Stats: s.Stats, Merged: s.Merged, Nodes: map[string]*Node{},
		Recalled: map[string]*Node{},
	}
	maps.Copy(c.Recalled, s.Recalled)
	for p, n := range s.Handled { // when something is undone before it, the retry comes to it again
		if s.onTheWay(p) {
			d := *n
			d.Probed = true
			c.Recalled[p] = &d
		}
	}
	for p, n := range s.Nodes {
		if s.onTheWay(p) {
			c.keep(s, n)
		}
	}
	for _, it := range s.Undo {
		if it.State == "" {
			c.Undo = append(c.Undo, it)
			continue
		}
		c.rewind(it.Path)
	}
	c.trim()
	return c, nil
}

// Calls lists the runs that are carried on with it, in order of their steps.
func (c *Carried) Calls() []string {
	var out []string
	all := maps.Clone(c.Recalled)
	maps.Copy(all, c.Nodes)
	for _, p := range slices.Sorted(maps.Keys(all)) {
		if from := all[p].Carry; from != "" {
			out = append(out, from)
		}
	}
	return out
}

// Move puts others in the place of the blobs that outputs and lists are in.
func (c *Carried) Move(to func(entry.Ref) (entry.Ref, error)) error {
	move := func(r **entry.Ref) error {
		if *r == nil {
			return nil
		}
		next, err := to(**r)
		*r = &next
		return err
	}
	outputs := func(m map[string]Output) error {
		for _, id := range slices.Sorted(maps.Keys(m)) {
			o := m[id]
			if err := move(&o.Ref); err != nil {
				return err
			}
			m[id] = o
		}
		return nil
	}
	if err := outputs(c.Outputs); err != nil {
		return err
	}
	for _, p := range slices.Sorted(maps.Keys(c.Nodes)) {
		n := c.Nodes[p]
		n.Local = maps.Clone(n.Local)
		if err := outputs(n.Local); err != nil {
			return err
		}
		if n.Loop != nil {
			if err := move(&n.Loop.Ref); err != nil {
				return err
			}
		}
	}
	return nil
}

// State is the content of entry.RunCarried.
func (c *Carried) State() (value.Object, error) {
	b, err := value.Canonical(c)
	if err != nil {
		return nil, err
	}
	var o value.Object
	return o, json.Unmarshal(b, &o)
}

func (n *Node) bodyCursor() int {
	if n.Section == sectionBody || n.Section == sectionUndo {
		return n.Cursor
	}
	return n.Body
}

// onTheWay tells whether path is in the body of the playbook and of all blocks around it. What handles failures begins
// anew.
func (s *State) onTheWay(path string) bool {
	segs, err := split(path)
	if err != nil || len(segs) == 0 || segs[0].name != "steps" {
		return false
	}
	for _, g := range segs {
		if g.name == "catch" || g.name == "finally" || g.helper() {
			return false
		}
	}
	return true
}

// keep takes over the place of a block or an iteration that failed, and a step that is in doubt.
func (c *Carried) keep(s *State, n *Node) {
	if n.def != nil && n.Intent != nil && slices.Contains(s.Doubts, n.Path) {
		c.Nodes[n.Path] = n.inDoubt()
		return
	}
	if from := cmp.Or(n.On, n.Carry); n.def != nil && n.def.Kind == program.KindCall && from != "" && n.Outcome != outcomeSkipped {
		c.Nodes[n.Path] = &Node{Path: n.Path, Carry: from, Alike: n.Alike && n.On == ""}
		return
	}
	if n.def != nil {
		if n.Outcome != string(entry.Failed) {
			return
		}
		switch n.def.Kind {
		case program.KindSteps, program.KindForeach, program.KindParallel, program.KindLock:
		default:
			return // begins anew
		}
	}
	if n.def != nil && n.Begun.IsZero() {
		return // it was refused before it began
	}
	c.Nodes[n.Path] = s.restart(n)
}

// inDoubt gives what must be known of a step whose outcome nobody knows, to ask about it.
func (n *Node) inDoubt() *Node {
	return &Node{Path: n.Path, Phase: PhaseDoubt, Attempt: n.Attempt, Again: n.Again, Fault: n.Fault, Intent: n.Intent, Probed: n.Probed}
}

// restart gives the node as it stood in its body, without what failed below it.
func (s *State) restart(n *Node) *Node {
	c := &Node{
		Path: n.Path, Phase: PhaseOpen, Approved: n.Approved, Shown: n.Shown, Cursor: n.bodyCursor(), Index: n.Index,
		ItemKey: n.ItemKey, Local: n.Local, Merged: n.Merged,
	}
	for i := range n.Ended {
		if s.Nodes[child(n.Path, "parallel", i)] == nil { // what succeeded is forgotten, what failed is not
			if c.Ended == nil {
				c.Ended = map[int]bool{}
			}
			c.Ended[i] = true
		}
	}
	if loop, seg := parentOf(n.Path); seg.keyed && c.Cursor == 0 && s.Nodes[loop] != nil && s.Nodes[loop].def.Foreach.When != nil {
		c.Phase = PhaseNew // its condition is asked first
	}
	if n.Loop != nil {
		l := *n.Loop
		l.Failed, l.Live = 0, nil
		c.Loop = &l
	}
	return c
}

// rewind lets the blocks around the step at path go back to it: it was undone.
func (c *Carried) rewind(path string) {
	segs, err := split(path)
	if err != nil || len(segs) == 0 || segs[0].name != "steps" {
		return
	}
	if i := segs[0].index; i <= c.Cursor {
		c.Cursor = i
	}
	for at := path; at != ""; {
		parent, seg := parentOf(at)
		n := c.Nodes[parent]
		switch {
		case parent == "":
		case n == nil:
			// The block is over, and begins anew with what is around it.
		case seg.keyed && c.Nodes[at] == nil:
			delete(c.Nodes, parent) // an iteration that is over: the loop begins anew
		case seg.name == "parallel":
			delete(n.Ended, seg.index)
		case seg.name == "steps":
			n.Cursor = min(n.Cursor, seg.index)
		}
		at = parent
	}
}

// trim drops what is not below a place that is kept, or beside the one where its block goes on. Doubts and calls are
// recalled when it is their turn again.
func (c *Carried) trim() {
	for _, p := range slices.Sorted(maps.Keys(c.Nodes)) { // what is around comes before what is inside
		parent, seg := parentOf(p)
		owner, cursor := c.Nodes[parent], c.Cursor
		switch {
		case parent != "" && owner == nil:
			c.displace(p)
			continue
		case parent != "":
			cursor = owner.Cursor
		}
		if seg.name == "steps" && seg.index != cursor {
			c.displace(p)
		}
	}
	for p, n := range c.Nodes {
		if n.Loop != nil {
			for q, it := range c.Nodes {
				if parent, seg := parentOf(q); seg.keyed && parent == p {
					n.Loop.Live = append(n.Loop.Live, it.Index)
				}
			}
			slices.Sort(n.Loop.Live)
		}
	}
}

// displace takes away the place of a step that is not at the turn. A doubt is for a person then: what a probe would look
// at has moved. A loop that begins anew may have another list, so that a call in it must be the same to be carried on.
func (c *Carried) displace(path string) {
	n := c.Nodes[path]
	delete(c.Nodes, path)
	if n.Phase != PhaseDoubt && n.Carry == "" {
		return
	}
	n.Probed = n.Phase == PhaseDoubt
	n.Alike = n.Carry != "" && (n.Alike || strings.Contains(path, ".foreach["))
	c.Recalled[path] = n
}

// adopt folds RunCarried.
func (s *State) adopt(x *entry.RunCarried, at time.Time) error {
	b, err := value.Canonical(x.State)
	if err != nil {
		return err
	}
	var c Carried
	if err := json.Unmarshal(b, &c); err != nil {
		return fault.Wrap(fault.Damaged, err, "run %s: read what it carries on from %s", s.ID, x.From)
	}
	s.Root.Cursor, s.Undo = c.Cursor, c.Undo
	if c.Outputs != nil {
		s.Outputs = c.Outputs
	}
	if c.Stats != nil {
		s.Stats = c.Stats
	}
	if c.Merged != nil {
		s.Merged = c.Merged
	}
	for p := range c.Recalled {
		if _, err := locate(s.prog, p); err != nil {
			return fault.Wrap(fault.Damaged, err, "run %s: read what it carries on from %s", s.ID, x.From)
		}
	}
	if len(c.Recalled) > 0 {
		s.Recalled = c.Recalled
	}
	s.recall()
	for p, n := range c.Nodes {
		for id, o := range n.Local {
			s.noted(&o)
			n.Local[id] = o
		}
		def, err := locate(s.prog, p)
		if err != nil {
			return fault.Wrap(fault.Damaged, err, "run %s: read what it carries on from %s", s.ID, x.From)
		}
		n.def = def
		n.Since = at
		if def != nil && n.Phase == PhaseOpen {
			n.Begun = at // time limits count from here
		}
		s.Nodes[p] = n
	}
	return nil
}

// recall notes what is sealed in the outputs that were taken over.
func (s *State) recall() {
	s.hides = s.hides || expr.Holds(s.Merged)
	for id, o := range s.Outputs {
		s.noted(&o)
		s.Outputs[id] = o
	}
}

// Rollback builds the program of a run that undoes what the ended run s did, newest first, and lists what it cannot undo.
func Rollback(s *State) (*program.Program, []string, error) {
	if s.End == nil {
		return nil, nil, fault.New(fault.Conflict, "run %s is %s: it can be rolled back when it has ended", s.ID, s.Status()).
			WithNext("tend runs cancel %s", s.ID)
	}
	p := &program.Program{
		// The parameters are of no use to the undos, which are rendered; but they say what must not be shown.
		Language: s.prog.Language, Dialect: s.prog.Dialect, Parameters: s.prog.Parameters,
		Metadata: contract.Metadata{Name: "rollback-" + s.prog.Metadata.Name, Description: "Undoes run " + s.ID + ".", Owner: s.prog.Metadata.Owner},
	}
	var left []string
	for i := len(s.Undo) - 1; i >= 0; i-- {
		it := s.Undo[i]
		switch {
		case it.State == "undone":
			continue
		case it.None != "":
			left = append(left, it.Path+": nothing to restore: "+it.None)
			continue
		case it.Fault != nil && it.State == "":
			left = append(left, it.Path+": "+it.Fault.Message)
			continue
		}
		def, err := s.def(it.Path + ".undo")
		if err != nil {
			return nil, nil, err
		}
		u := frozen(*def, it)
		// People know the step by its name; the path stays, as iterations share one.
		if of, err := s.def(it.Path); err == nil && of.Name != "" {
			u.Name = fmt.Sprintf("undo %s (%s)", of.Name, it.Path)
		}
		p.Steps = append(p.Steps, u)
	}
	for _, d := range s.Doubts {
		left = append(left, d+": nobody knows whether it took effect")
	}
	if len(p.Steps) == 0 {
		return nil, left, fault.New(fault.Conflict, "run %s has nothing that can be rolled back", s.ID)
	}
	return p, left, nil
}

// frozen is the undo step with the inputs that were prepared for it, as literals.
func frozen(def program.Node, it UndoItem) program.Node {
	def.ID, def.When, def.Module, def.Undo = "", nil, nil, nil
	def.Name = "undo " + it.Path
	def.With, def.Env, def.Args = literals(it.Inputs["with"]), literals(it.Inputs["env"]), nil
	if args, ok := it.Inputs["args"].([]any); ok {
		for _, a := range args {
			def.Args = append(def.Args, literal(a))
		}
	}
	def.Target = nil
	for _, t := range it.Targets {
		def.Target = append(def.Target, expr.Expr{Kind: expr.Literal, Lit: t})
	}
	def.Runner = nil
	if it.Runner != "" {
		def.Runner = &expr.Expr{Kind: expr.Literal, Lit: it.Runner}
	}
	return def
}

func literal(v any) expr.Tree {
	return expr.Tree{Scalar: &expr.Expr{Kind: expr.Literal, Lit: v}}
}

func literals(v any) map[string]expr.Tree {
	m, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	out := make(map[string]expr.Tree, len(m))
	for k, e := range m {
		out[k] = literal(e)
	}
	return out
}
