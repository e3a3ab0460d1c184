package run

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tendhq/tend/internal/program"
)

// A path names an instance: `steps[1].foreach["7"].steps[0].verify`. Its segments are a name, an optional index, and an
// optional quoted key. Helpers of a step (verify, undo, probe, until, stopWhen) are segments without an index.

type segment struct {
	name  string
	index int    // -1: none
	key   string // of an iteration
	keyed bool
}

func (g segment) helper() bool { return g.index < 0 && !g.keyed }

func split(path string) ([]segment, error) {
	var out []segment
	for rest := path; rest != ""; {
		g, after, err := cut(rest, path)
		if err != nil {
			return nil, err
		}
		rest = after
		out = append(out, g)
		if rest != "" {
			if rest[0] != '.' || len(rest) == 1 {
				return nil, fmt.Errorf("path %q: expected a dot", path)
			}
			rest = rest[1:]
		}
	}
	return out, nil
}

// cut takes the first segment off the rest of a path.
func cut(rest, path string) (g segment, after string, err error) {
	i := 0
	for i < len(rest) && rest[i] != '.' && rest[i] != '[' {
		i++
	}
	g = segment{name: rest[:i], index: -1}
	rest = rest[i:]
	if strings.HasPrefix(rest, `["`) {
		q, err := strconv.QuotedPrefix(rest[1:])
		if err != nil {
			return g, "", fmt.Errorf("path %q: unfinished key", path)
		}
		g.key, _ = strconv.Unquote(q)
		g.keyed = true
		rest = strings.TrimPrefix(rest[1+len(q):], "]")
	} else if strings.HasPrefix(rest, "[") {
		j := strings.IndexByte(rest, ']')
		if j < 0 {
			return g, "", fmt.Errorf("path %q: unfinished index", path)
		}
		n, err := strconv.Atoi(rest[1:j])
		if err != nil || n < 0 {
			return g, "", fmt.Errorf("path %q: bad index", path)
		}
		g.index, rest = n, rest[j+1:]
	}
	if g.name == "" {
		return g, "", fmt.Errorf("path %q: empty segment", path)
	}
	return g, rest, nil
}

// parentOf gives the path of the node that owns the instance, and the last segment.
func parentOf(path string) (string, segment) {
	// The last dot outside of a quoted key separates the last segment.
	inside, dot := false, -1
	for i := 0; i < len(path); i++ {
		switch path[i] {
		case '\\':
			if inside {
				i++
			}
		case '"':
			inside = !inside
		case '.':
			if !inside {
				dot = i
			}
		}
	}
	last := path[dot+1:]
	g, after, err := cut(last, last)
	if err != nil || after != "" {
		return "", segment{name: last, index: -1}
	}
	return path[:max(dot, 0)], g
}

func child(base, section string, i int) string {
	if base != "" {
		base += "."
	}
	return base + section + "[" + strconv.Itoa(i) + "]"
}

func iteration(loop, key string) string { return loop + ".foreach[" + strconv.Quote(key) + "]" }

// locate finds the definition of the instance at path. Iterations have none (nil without error).
func locate(p *program.Program, path string) (*program.Node, error) {
	segs, err := split(path)
	if err != nil {
		return nil, err
	}
	var cur *program.Node
	for _, g := range segs {
		next, err := step(p, cur, g)
		if err != nil {
			return nil, fmt.Errorf("path %q: %w", path, err)
		}
		cur = next
	}
	if n := len(segs); n > 0 && segs[n-1].keyed {
		return nil, nil
	}
	return cur, nil
}

func step(p *program.Program, cur *program.Node, g segment) (*program.Node, error) {
	var list []program.Node
	switch {
	case g.keyed && g.name == "foreach" && cur != nil && cur.Kind == program.KindForeach:
		return cur, nil // its children follow
	case g.helper():
		if n := helperOf(cur, g.name); n != nil {
			return n, nil
		}
		return nil, fmt.Errorf("no %s here", g.name)
	case cur == nil:
		list = map[string][]program.Node{"steps": p.Steps, "catch": p.Catch, "finally": p.Finally}[g.name]
	case g.name == "steps" || g.name == "parallel":
		list = cur.Steps
	case g.name == "catch":
		list = cur.Catch
	case g.name == "finally":
		list = cur.Finally
	}
	if g.index < 0 || g.index >= len(list) {
		return nil, fmt.Errorf("no %s[%d] here", g.name, g.index)
	}
	return &list[g.index], nil
}

func helperOf(n *program.Node, name string) *program.Node {
	if n == nil {
		return nil
	}
	var c *program.Check
	switch name {
	case "verify":
		c = n.Verify
	case "probe":
		c = n.Probe
	case "until":
		if n.Wait != nil {
			c = n.Wait.Until
		}
	case "stopWhen":
		if n.StopWhen != nil {
			c = &n.StopWhen.Check
		}
	case "undo":
		if n.Undo != nil {
			return n.Undo.Step
		}
	}
	if c == nil {
		return nil
	}
	return c.Step
}

// def finds and remembers a definition.
func (s *State) def(path string) (*program.Node, error) {
	if d, ok := s.defs[path]; ok {
		return d, nil
	}
	d, err := locate(s.prog, path)
	if err != nil {
		return nil, err
	}
	if len(s.defs) > 4096 { // loops make ever new paths
		clear(s.defs)
	}
	s.defs[path] = d
	return d, nil
}

// ensure gives the live instance at path and makes it when it is not there.
func (s *State) ensure(path string) (*Node, error) {
	if path == "" {
		return s.Root, nil
	}
	if n := s.Nodes[path]; n != nil {
		return n, nil
	}
	d, err := s.def(path)
	if err != nil {
		return nil, err
	}
	if !s.turn(path) {
		return nil, fmt.Errorf("it is not the turn of %q", path)
	}
	n := s.fresh(path, d)
	delete(s.Recalled, path)
	s.coming, s.Nodes[path] = nil, n
	return n, nil
}

// fresh gives the instance at path as it will begin: new, or with what is recalled of it from the run that this one
// continues.
//
// It is asked for several times before the step begins, and nobody changes it before it is among the nodes (ensure).
func (s *State) fresh(path string, def *program.Node) *Node {
	if s.coming != nil && s.coming.Path == path && s.coming.def == def {
		return s.coming
	}
	n := &Node{Path: path}
	if r := s.Recalled[path]; r != nil {
		*n = *r
	}
	n.def = def
	s.coming = n
	return n
}

// forget drops the instance and its helpers.
func (s *State) forget(path string) {
	delete(s.Nodes, path)
	s.forgetHelpers(path)
}

func (s *State) forgetHelpers(path string) {
	for _, h := range [...]string{".verify", ".probe", ".until", ".stopWhen"} {
		if s.Nodes[path+h] != nil {
			s.forget(path + h)
		}
	}
}
