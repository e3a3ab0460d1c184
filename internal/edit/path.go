package edit

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/language"
)

// token is a part of a path: a name, or a number in brackets.
type token struct {
	name  string
	index int // -1: it is a name
}

// parse reads a path: `steps[1].foreach.steps[0]`, `with["a.b"].c`.
func parse(path string) ([]token, error) {
	var out []token
	bad := func() ([]token, error) {
		return nil, fault.New(fault.Invalid, "%q is no path", path).WithNext("write it like `steps[1].foreach.steps[0]` or `with.message`")
	}
	rest := path
	for rest != "" {
		if rest[0] == '[' {
			rest = rest[1:]
			if q, err := strconv.QuotedPrefix(rest); err == nil && q[0] == '"' {
				s, err := strconv.Unquote(q)
				if rest = rest[len(q):]; err != nil || !strings.HasPrefix(rest, "]") {
					return bad()
				}
				out, rest = append(out, token{name: s, index: -1}), rest[1:]
				continue
			}
			num, after, ok := strings.Cut(rest, "]")
			n, err := strconv.Atoi(num)
			if !ok || err != nil || n < 0 || len(out) == 0 || num != strconv.Itoa(n) {
				return bad()
			}
			out, rest = append(out, token{index: n}), after
			continue
		}
		if len(out) > 0 {
			if rest[0] != '.' {
				return bad()
			}
			rest = rest[1:]
		}
		end := strings.IndexAny(rest, ".[")
		if end < 0 {
			end = len(rest)
		}
		if end == 0 {
			return bad()
		}
		out, rest = append(out, token{name: rest[:end], index: -1}), rest[end:]
	}
	return out, nil
}

// write is the inverse of parse.
func write(ts []token) string {
	var b strings.Builder
	for _, t := range ts {
		switch {
		case t.index >= 0:
			b.WriteString("[" + strconv.Itoa(t.index) + "]")
		case strings.ContainsAny(t.name, ".[\"") || t.name == "":
			b.WriteString("[" + quotedName(t.name) + "]")
		default:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(t.name)
		}
	}
	return b.String()
}

// real is the path of a node in the text; the paths of steps leave some of it out.
func real(n *node) []token {
	var out []token
	for ; n.up != nil; n = n.up {
		t := token{name: n.name, index: -1}
		if n.key == nil {
			t = token{index: n.index}
		}
		out = append([]token{t}, out...)
	}
	return out
}

// find follows a path of a step or list as far as it leads. It gives the node, and what is left when the next is not there.
func (p *page) find(ts []token) (at *node, left []token) {
	at = p.root
	for i, t := range ts {
		next := p.next(at, t)
		if next == nil {
			return at, ts[i:]
		}
		at = next
	}
	return at, nil
}

func (p *page) next(at *node, t token) *node {
	if at.y.Kind == yaml.AliasNode {
		return nil
	}
	if t.index >= 0 {
		if at.y.Kind != yaml.SequenceNode || t.index >= len(at.kids) {
			return nil
		}
		return at.kids[t.index]
	}
	if k := at.at(t.name); k != nil {
		return k
	}
	// What a path leaves out, because a drawing has no place for it.
	switch t.name {
	case "steps":
		return at.at("lock").at("steps")
	case "until":
		return at.at("with").at("until")
	case "probe":
		return at.at("onDoubt").at("probe")
	}
	return nil
}

// step finds the step at a path.
func (p *page) step(path string) (*node, error) {
	ts, err := parse(path)
	if err != nil {
		return nil, err
	}
	n, left := p.find(ts)
	switch {
	case len(left) > 0:
		if n.y.Kind == yaml.AliasNode {
			return nil, refused(n, "what stands at %s is an alias of another place", path).WithNext("change it in the text")
		}
		return nil, fault.New(fault.NotFound, "there is no step at %q", path).WithNext("look at the drawing of the same text: it has the paths")
	case n.y.Kind == yaml.AliasNode:
		return nil, refused(n, "what stands at %s is an alias of another place", path).WithNext("change it in the text")
	case n.y.Kind != yaml.MappingNode:
		return nil, fault.New(fault.Invalid, "what stands at %q is no step", path)
	}
	return n, nil
}

// inList is step, for one that stands in a list of steps.
func (p *page) inList(path string) (*node, error) {
	n, err := p.step(path)
	if err == nil && (n.up == nil || n.up.y.Kind != yaml.SequenceNode) {
		err = fault.New(fault.Invalid, "%q is no step of a list", path).WithNext("set or unset it as a field of its step")
	}
	return n, err
}

// formOf tells what the value of a key is, as the reference has it.
func (p *page) formOf(up *node, key string) document.Form {
	if table := p.table(up); table != nil {
		if i := table.Index(key); i >= 0 {
			return table[i].Form
		}
	}
	return document.FormPlain
}

// table gives the keys of a map in their canonical order; nil where they are free.
func (p *page) table(n *node) document.Table {
	if n.up == nil {
		return language.Keys(p.kind)
	}
	return language.Table(n.form, p.dialect)
}
