package run

import (
	"encoding/json"
	"strings"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/playbook"
	"github.com/tendhq/tend/internal/value"
)

// carried is what a retried run takes over from the run that failed: where the blocks on the way to the failure stood,
// and what succeeded before it and was not undone.
type carried struct {
	Cursor  int               `json:"cursor"`
	Merged  value.Object      `json:"merged,omitempty"`
	Nodes   map[string]*Node  `json:"nodes,omitempty"`
	Outputs map[string]Output `json:"outputs,omitempty"`
	Stats   map[string]Stat   `json:"stats,omitempty"`
	Undo    []UndoItem        `json:"undo,omitempty"`
}

// Carry gives the content of entry.RunCarried for a retry of the ended run s: it goes on at the step that failed. When
// steps were undone, the retry begins at the first of those instead.
func Carry(s *State) (value.Object, error) {
	if s.End == nil || (s.End.Status != string(Failed) && s.End.Status != string(Cancelled)) {
		return nil, fault.New(fault.Conflict, "run %s is %s: only a failed or cancelled run can be retried", s.ID, s.Status())
	}
	c := carried{Cursor: s.Root.bodyCursor(), Outputs: s.Outputs, Stats: s.Stats, Merged: s.Merged, Nodes: map[string]*Node{}}
	for _, it := range s.Undo {
		if it.State == "" {
			c.Undo = append(c.Undo, it)
			continue
		}
		if g, err := split(it.Path); err == nil && g[0].name == "steps" {
			c.Cursor = min(c.Cursor, g[0].index)
		}
	}
	// Blocks on the way to the failure keep their place; the failed step itself and what handles failures begin anew.
	at := child("", "steps", c.Cursor)
	if c.Cursor == s.Root.bodyCursor() {
		for p, n := range s.Nodes {
			if (p == at || strings.HasPrefix(p, at+".")) && s.place(n) {
				c.Nodes[p] = n.restart()
			}
		}
	}
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

// place tells whether n is a block or an iteration whose place in its body is kept.
func (s *State) place(n *Node) bool {
	if n.Section != sectionBody || strings.Contains(n.Path, ".catch[") || strings.Contains(n.Path, ".finally[") {
		return false
	}
	_, seg := parentOf(n.Path)
	if seg.keyed {
		return true
	}
	if n.def == nil || seg.helper() {
		return false
	}
	switch n.def.Kind {
	case playbook.KindSteps, playbook.KindForeach, playbook.KindParallel:
		return n.Outcome == string(entry.Failed)
	default:
		return false
	}
}

func (n *Node) restart() *Node {
	c := *n
	c.Phase, c.Outcome, c.Fault, c.Stop, c.Catches, c.Pending = PhaseOpen, "", nil, nil, nil, nil
	if c.Loop != nil {
		l := *c.Loop
		l.Failed = 0
		c.Loop = &l
	}
	return &c
}

// adopt folds RunCarried.
func (s *State) adopt(x *entry.RunCarried) error {
	b, err := value.Canonical(x.State)
	if err != nil {
		return err
	}
	var c carried
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
	for p, n := range c.Nodes {
		def, err := locate(s.prog, p)
		if err != nil {
			return fault.Wrap(fault.Damaged, err, "run %s: read what it carries on from %s", s.ID, x.From)
		}
		n.def = def
		s.Nodes[p] = n
	}
	// An iteration that failed is live again.
	for p, n := range s.Nodes {
		if loop, seg := parentOf(p); seg.keyed {
			if l := s.Nodes[loop]; l != nil && l.Loop != nil {
				l.Loop.Live = append(l.Loop.Live, n.Index)
			}
		}
	}
	return nil
}

// Rollback builds the program of a run that undoes what the ended run s did, newest first, and lists what it cannot undo.
func Rollback(s *State) (*playbook.Program, []string, error) {
	if s.End == nil {
		return nil, nil, fault.New(fault.Conflict, "run %s is %s: it can be rolled back when it has ended", s.ID, s.Status()).
			WithNext("tend runs cancel %s", s.ID)
	}
	p := &playbook.Program{
		Language: s.prog.Language, Dialect: s.prog.Dialect,
		Metadata: playbook.Metadata{Name: "rollback-" + s.prog.Metadata.Name, Description: "Undoes run " + s.ID + ".", Owner: s.prog.Metadata.Owner},
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
		p.Steps = append(p.Steps, frozen(*def, it))
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
func frozen(def playbook.Node, it UndoItem) playbook.Node {
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

func literal(v any) playbook.Tree {
	return playbook.Tree{Scalar: &expr.Expr{Kind: expr.Literal, Lit: v}}
}

func literals(v any) map[string]playbook.Tree {
	m, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	out := make(map[string]playbook.Tree, len(m))
	for k, e := range m {
		out[k] = literal(e)
	}
	return out
}
