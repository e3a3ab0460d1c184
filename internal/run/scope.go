package run

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/value"
)

// scope builds the data that an expression of the instance sees. Large outputs are loaded only when one of the sources
// mentions their step.
func (ev *evaluation) scope(sources ...string) expr.Scope {
	s := ev.s
	root := map[string]any{}
	chain := ev.chain()
	steps := ev.steps(chain, sources)
	if s.Lenient() {
		maps.Copy(root, s.Merged)
		for _, it := range chain {
			maps.Copy(root, it.Merged)
		}
		root["execution"] = map[string]any{"id": s.ID}
		maps.Copy(root, steps)
	}
	stats := make(map[string]any, len(s.Stats))
	for id, st := range s.Stats {
		stats[id] = map[string]any{"status": st.Status, "attempts": int64(st.Attempts)}
	}
	root["steps"] = steps
	root["params"] = plain(s.Params)
	root["event"] = plain(s.Created.Event)
	root["metadata"] = s.prog.Metadata.Data(plain(s.Created.Metadata))
	root["run"] = map[string]any{"id": s.ID, "name": s.Created.Name, "by": s.Created.By.Name, "for": cmp.Or(s.Created.Cause.For, s.Created.By.ID), "steps": stats}
	for _, it := range chain { // outermost first: inner names win
		ev.bind(root, it)
	}
	if f, known := ev.caught(); known {
		root["error"] = f
	}
	scope := expr.Scope{Root: root, Dialect: s.prog.Dialect}
	ev.unseal(&scope, chain)
	return scope
}

func plain(o value.Object) map[string]any {
	if o == nil {
		return map[string]any{}
	}
	return o
}

// chain lists the iterations around the instance, outermost first.
func (ev *evaluation) chain() []*Node {
	var out []*Node
	for p := ev.n.Path; p != ""; {
		parent, seg := parentOf(p)
		if seg.keyed {
			if it := ev.s.Nodes[p]; it != nil {
				out = append(out, it)
			}
		}
		p = parent
	}
	slices.Reverse(out)
	return out
}

// steps gives the outputs by id, those of the innermost parallel iteration first.
func (ev *evaluation) steps(chain []*Node, sources []string) map[string]any {
	out := make(map[string]any, len(ev.s.Outputs))
	add := func(outputs map[string]Output) {
		for id, o := range outputs {
			if o.Ref == nil {
				out[id] = plain(o.Value)
				continue
			}
			if mentioned(id, sources) {
				if v, err := ev.load(&o); err == nil {
					out[id] = v
				}
			}
		}
	}
	add(ev.s.Outputs)
	for _, it := range chain {
		add(it.Local)
	}
	return out
}

func mentioned(id string, sources []string) bool {
	for _, s := range sources {
		if strings.Contains(s, id) || allSteps(s) {
			return true
		}
	}
	return false
}

// allSteps tells whether an expression takes all steps at once, or one whose id it computes.
func allSteps(source string) bool {
	for {
		_, after, found := strings.Cut(source, "steps")
		if !found {
			return false
		}
		if !strings.HasPrefix(strings.TrimLeft(after, " \n\t"), ".") {
			return true
		}
		source = after
	}
}

func (ev *evaluation) load(o *Output) (any, error) {
	if o == nil {
		return nil, nil
	}
	if o.Ref == nil {
		return plain(o.Value), nil
	}
	if ev.env.Load == nil {
		return nil, fault.New(fault.Internal, "outputs in blobs cannot be read here")
	}
	return ev.env.Load(*o.Ref)
}

// bind adds the loop variables of an iteration.
func (ev *evaluation) bind(root map[string]any, it *Node) {
	path, _ := parentOf(it.Path)
	loop := ev.s.Nodes[path]
	if loop == nil || loop.Loop == nil {
		return
	}
	f, l := loop.def.Foreach, loop.Loop
	var key, item any = it.Index, nil
	switch {
	case l.Range:
		item = l.From + it.Index
	default:
		keys, items := ev.items(l)
		if int(it.Index) < len(items) {
			item = items[it.Index]
		}
		if int(it.Index) < len(keys) {
			key = keys[it.Index]
		}
	}
	if f.Key != "" {
		root[f.Key] = key
	}
	if f.Value != "" {
		root[f.Value] = item
	}
}

func (ev *evaluation) items(l *Loop) (keys, items []any) {
	list := map[string]any(l.List)
	if l.Ref != nil && ev.env.Load != nil {
		v, err := ev.env.Load(*l.Ref)
		if err != nil {
			return nil, nil
		}
		list, _ = v.(map[string]any)
	}
	keys, _ = list["keys"].([]any)
	items, _ = list["items"].([]any)
	return keys, items
}

// caught gives the failure that the nearest catch around the instance handles.
func (ev *evaluation) caught() (what any, known bool) {
	for p := ev.n.Path; ; {
		parent, seg := parentOf(p)
		if seg.name == "catch" || seg.name == "finally" {
			known = true
			if n := ev.s.Node(parent); n != nil {
				if f := cmp.Or(n.Catches, n.Pending); f != nil {
					return map[string]any{"kind": f.Kind, "message": f.Message, "step": f.Path, "name": ev.s.called(f.Path)}, true
				}
			}
		}
		if parent == "" || parent == p {
			return nil, known
		}
		p = parent
	}
}

// called is what people call the step at path: its title, its id, or the path itself.
func (s *State) called(path string) string {
	if n := s.Node(path); n != nil && n.def != nil {
		return cmp.Or(n.def.Name, n.def.ID, path)
	}
	return path
}

// tree evaluates data with expressions at its leaves.
func (ev *evaluation) tree(t expr.Tree, s expr.Scope) (any, error) {
	switch {
	case t.Scalar != nil:
		return ev.env.Eval.Value(*t.Scalar, s)
	case t.Map != nil:
		m, err := ev.trees(t.Map, s)
		return map[string]any(m), err
	case t.List != nil:
		out := make([]any, len(t.List))
		for i := range t.List {
			v, err := ev.tree(t.List[i], s)
			if err != nil {
				return nil, err
			}
			out[i] = v
		}
		return out, nil
	}
	return nil, nil
}

func (ev *evaluation) trees(m map[string]expr.Tree, s expr.Scope) (value.Object, error) {
	out := make(value.Object, len(m))
	for _, k := range value.Keys(m) {
		v, err := ev.tree(m[k], s)
		if err != nil {
			return nil, err
		}
		out[k] = v
	}
	return out, nil
}

// data is the scope of a step's own expressions. Most steps that change something are fixed texts: those look at nothing.
func (ev *evaluation) data(def *program.Node) expr.Scope {
	if def.Module == nil && fixed(def.With) && fixed(def.Env) && len(def.Args) == 0 && len(def.Target) == 0 && def.Runner == nil {
		return expr.Scope{Root: map[string]any{}, Dialect: ev.s.prog.Dialect}
	}
	return ev.scope(nodeSources(def)...)
}

func fixed(m map[string]expr.Tree) bool {
	for _, t := range m {
		switch {
		case t.Scalar != nil:
			if t.Scalar.Kind != expr.Literal {
				return false
			}
		case t.Map != nil:
			if !fixed(t.Map) {
				return false
			}
		case len(t.List) > 0:
			return false
		}
	}
	return true
}

// sources lists the texts of the expressions in a tree.
func sources(t expr.Tree) []string {
	switch {
	case t.Scalar != nil:
		return []string{t.Scalar.Source}
	case t.Map != nil:
		return treeSources(t.Map)
	}
	var out []string
	for i := range t.List {
		out = append(out, sources(t.List[i])...)
	}
	return out
}

func treeSources(m map[string]expr.Tree) []string {
	var out []string
	for _, t := range m {
		out = append(out, sources(t)...)
	}
	return out
}

func nodeSources(def *program.Node) []string {
	out := append(treeSources(def.With), treeSources(def.Env)...)
	for i := range def.Args {
		out = append(out, sources(def.Args[i])...)
	}
	for i := range def.Target {
		out = append(out, def.Target[i].Source)
	}
	if m := def.Module; m != nil {
		out = append(append(out, treeSources(m.Inputs)...), source(m.Runner), source(m.Integration))
		for i := range m.Target {
			out = append(out, m.Target[i].Source)
		}
	}
	return append(out, source(def.Runner))
}
