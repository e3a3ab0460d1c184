package run

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/value"
)

// Who approves a block or a sub-playbook approves what they were shown of it, and nothing else. What is known beforehand is
// rendered and shown, with its targets; its hashes are recorded with the question. An effect below that was not shown, because
// what it depends on comes about only later, or because there was too much, asks again when it is known; so does one whose
// inputs or targets came out otherwise. That holds also in the runs that are called from there.

// shownEffects is how many effects of a block a person is shown who is asked about all of it; the others ask by themselves.
const shownEffects = 50

// shownSteps is how many steps that do nothing are listed beside them.
const shownSteps = 50

// maxCalls bounds how deep it is looked into sub-playbooks that call others.
const maxCalls = 8

// preview collects what would happen.
type preview struct {
	lines []any
	seen  []entry.Seen
	in    string // the calls that lead here, each with a > behind it
	plain int
	left  int // neither shown nor listed
}

// preview renders what nodes of a section below base would do, as far as it is known.
func (ev *evaluation) preview(p *preview, nodes []program.Node, base, section string, calls int) {
	for i := range nodes {
		ev.foresee(p, &nodes[i], child(base, section, i), calls)
	}
}

func (ev *evaluation) foresee(p *preview, def *program.Node, path string, calls int) {
	switch def.Kind {
	case program.KindSteps, program.KindLock:
		ev.preview(p, def.Steps, path, "steps", calls)
	case program.KindParallel:
		ev.preview(p, def.Steps, path, "parallel", calls)
	case program.KindForeach:
		ev.iterations(p, def, path, calls)
	case program.KindAction:
		ev.effect(p, def, path)
		return
	case program.KindCall:
		ev.called(p, def, path, calls)
		return
	default:
		p.list(def)
		return
	}
	ev.preview(p, def.Catch, path, "catch", calls)
	ev.preview(p, def.Finally, path, "finally", calls)
}

// list names a step of which nothing more is to be said.
func (p *preview) list(def *program.Node) {
	if p.plain++; p.plain > shownSteps {
		p.left++
		return
	}
	p.lines = append(p.lines, outline(def))
}

// later names a step of which it is not known yet what it does.
func (p *preview) later(def *program.Node) {
	if p.plain++; p.plain > shownSteps {
		p.left++
		return
	}
	p.lines = append(p.lines, outline(def)+": known only then, and asked about then")
}

// effect shows what an action would do.
func (ev *evaluation) effect(p *preview, def *program.Node, path string) {
	switch {
	case def.Effect == contract.Read:
		p.list(def)
		return
	case def.Approval != nil: // asks by itself, whatever happens around it
		p.later(def)
		return
	case len(p.seen) == shownEffects:
		p.left++
		return
	}
	out := Rendered{Render: Render{Path: path, What: RenderStep}}
	below := ev.at(path, def)
	err := below.action(&out, def)
	ev.opened = append(ev.opened, below.opened...)
	if err != nil || below.broken != nil {
		p.later(def)
		return
	}
	o := show(def, out)
	o["step"] = describe(def, path)
	p.lines = append(p.lines, map[string]any(o))
	p.seen = append(p.seen, entry.Seen{Hash: Digest(def, out), Path: p.in + path})
}

// at is the evaluation of another instance, over the same data.
func (ev *evaluation) at(path string, def *program.Node) *evaluation {
	return &evaluation{s: ev.s, env: ev.env, n: &Node{Path: path, def: def}}
}

// iterations shows a loop whose list is known.
func (ev *evaluation) iterations(p *preview, def *program.Node, path string, calls int) {
	if !effects(def.Steps) {
		p.list(def)
		return
	}
	var out Rendered
	head := ev.at(path, def)
	err := head.list(&out, def.Foreach)
	ev.opened = append(ev.opened, head.opened...)
	if err != nil || head.broken != nil {
		for i := range def.Steps {
			p.later(&def.Steps[i])
		}
		return
	}
	l := &Loop{Count: int64(len(out.List)), List: value.Object{"items": out.List}}
	if len(out.Keys) > 0 {
		l.List["keys"] = out.Keys
	}
	if out.IsRange {
		l = &Loop{Range: true, From: out.Range[0], Count: max(0, out.Range[1]-out.Range[0])}
	}
	for i := range l.Count {
		if len(p.seen) == shownEffects {
			p.left += int(min(l.Count-i, 1<<20))
			return
		}
		s := *ev.s // what follows looks as if the loop had begun
		s.Nodes = maps.Clone(ev.s.Nodes)
		at := iteration(path, l.key(i))
		s.Nodes[path] = &Node{Path: path, Phase: PhaseOpen, Loop: l, def: def}
		s.Nodes[at] = &Node{Path: at, Phase: PhaseOpen, Index: i}
		below := &evaluation{s: &s, env: ev.env, n: s.Nodes[at]}
		below.preview(p, def.Steps, at, "steps", calls)
		ev.opened = append(ev.opened, below.opened...)
	}
}

// effects tells whether anything in steps is more than a look.
func effects(steps []program.Node) bool {
	return slices.ContainsFunc(steps, func(n program.Node) bool {
		return n.Kind == program.KindCall || n.Kind == program.KindAction && n.Effect != contract.Read || effects(n.Steps) || effects(n.Catch) || effects(n.Finally)
	})
}

// called shows what a sub-playbook would do, with the parameters that it would get.
func (ev *evaluation) called(p *preview, def *program.Node, path string, calls int) {
	prog := ev.s.prog.Calls[def.Call.Program]
	if prog == nil || calls == maxCalls || def.Approval != nil && path != ev.n.Path {
		p.later(def)
		return
	}
	below := ev.at(path, def)
	given, err := below.trees(def.Call.Params, below.scope(treeSources(def.Call.Params)...))
	ev.opened = append(ev.opened, below.opened...)
	if err != nil || below.broken != nil || expr.Hides(map[string]any(given)) {
		p.later(def)
		return
	}
	c := *ev.s.Created
	params, err := prog.Bind(given, c.Event, c.Metadata, ev.env.Eval)
	if err != nil {
		p.later(def)
		return
	}
	c.Name, c.Params = prog.Metadata.Name, params
	s := New(ev.s.ID, prog)
	s.Created, s.Params = &c, params
	inside, outside := &evaluation{s: s, env: ev.env, n: &Node{}}, p.in
	p.in += path + ">"
	inside.preview(p, prog.Steps, "", "steps", calls+1)
	inside.preview(p, prog.Catch, "", "catch", calls+1)
	inside.preview(p, prog.Finally, "", "finally", calls+1)
	p.in = outside
	ev.opened = append(ev.opened, inside.opened...)
}

// all gives what is shown, and the hashes that it covers.
func (p *preview) all() ([]any, *entry.Shown) {
	if p.left > 0 {
		p.lines = append(p.lines, fmt.Sprintf("%d more, which ask when they are due", p.left))
	}
	return p.lines, &entry.Shown{Effects: p.seen}
}

// outline says in a line what a step is, as far as the document tells.
func outline(n *program.Node) string {
	what := n.Uses
	if what == "" {
		what = string(n.Kind)
	}
	if name := cmp.Or(n.Name, n.ID); name != "" && name != what {
		what = name + " (" + what + ")"
	}
	if n.Effect != "" {
		what += ", " + string(n.Effect)
	}
	for _, t := range n.Target {
		what += " on " + cmp.Or(t.Source, value.Text(t.Lit))
	}
	return what
}

// Covering gives what people approved who were asked about something around an instance; nil when nobody was.
func (s *State) Covering(path string) *entry.Shown {
	out := s.Created.Shown
	for at := path; at != ""; at, _ = parentOf(at) {
		n := s.Nodes[at]
		if n == nil || n.Shown == nil || n.Approved == (entry.Hash{}) {
			continue
		}
		if out == nil {
			out = n.Shown
		} else {
			out = &entry.Shown{Effects: append(slices.Clone(out.Effects), n.Shown.Effects...)}
		}
	}
	return out
}

// Within is what is covered in the run that an instance calls.
func (s *State) Within(path string) *entry.Shown {
	all := s.Covering(path)
	if all == nil {
		return nil
	}
	out := new(entry.Shown)
	for _, e := range all.Effects {
		if rest, ok := strings.CutPrefix(e.Path, path+">"); ok {
			out.Effects = append(out.Effects, entry.Seen{Hash: e.Hash, Path: rest})
		}
	}
	return out
}

// saw tells whether an effect is among what was shown.
func saw(shown *entry.Shown, path string, h entry.Hash) bool {
	return shown != nil && slices.Contains(shown.Effects, entry.Seen{Hash: h, Path: path})
}

// unshown tells whether an effect stands below an approval whose people were not shown it. What undoes is never asked about.
func (s *State) unshown(path, effect string, h entry.Hash) bool {
	if effect == string(contract.Read) || IsUndo(path) || s.Created.Cause.Undoes != "" {
		return false
	}
	shown := s.Covering(path)
	return shown != nil && !saw(shown, path, h)
}
