package graph

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/program"
)

// Mermaid writes a Mermaid flowchart.
func Mermaid(w io.Writer, p *program.Program, s State) error {
	m := mermaid{state: s, ids: map[string]string{}}
	root := outline(p)
	m.printf(0, "flowchart TD")
	m.printf(1, `s0(["start"])`)
	ends := m.flow(1, []string{"s0"}, root.body)
	m.root(root, ends)
	for _, c := range tones() {
		if m.used[c.name] {
			m.printf(1, "classDef %s fill:%s,stroke:%s,color:#111", c.name, c.fill, c.line)
		}
	}
	for _, c := range m.classes {
		m.printf(1, "class %s %s", c[0], c[1])
	}
	_, err := io.WriteString(w, m.b.String())
	return err
}

// tone is how a class of nodes looks where a drawing carries its own colours.
type tone struct{ name, fill, line string }

func tones() []tone {
	return []tone{
		{"mutate", "#fde8c8", "#b45309"},
		{"good", "#d9f2df", "#15803d"},
		{"bad", "#fbd9d9", "#b91c1c"},
		{"doubt", "#fdf0b8", "#a16207"},
		{"off", "#ececec", "#888888"},
		{"live", "#dbe8fd", "#1d4ed8"},
	}
}

type mermaid struct {
	b       strings.Builder
	state   State
	ids     map[string]string
	used    map[string]bool
	classes [][2]string
}

func (m *mermaid) printf(depth int, format string, a ...any) {
	m.b.WriteString(strings.Repeat("  ", depth))
	fmt.Fprintf(&m.b, format, a...)
	m.b.WriteByte('\n')
}

// id gives every place a name that no label can break.
func (m *mermaid) id(path string) string {
	if id, ok := m.ids[path]; ok {
		return id
	}
	id := fmt.Sprintf("n%d", len(m.ids)+1)
	m.ids[path] = id
	return id
}

func (m *mermaid) class(id, name string) {
	if name == "" {
		return
	}
	if m.used == nil {
		m.used = map[string]bool{}
	}
	m.used[name] = true
	m.classes = append(m.classes, [2]string{id, name})
}

// label quotes text: Mermaid ends a label at a quote and reads some characters as markup, but knows numeric entities.
func label(lines ...string) string {
	r := strings.NewReplacer(`"`, "#quot;", "#", "#35;", "&", "#38;", "<", "#lt;", ">", "#gt;", "`", "#96;", "\\", "#92;", "%", "#37;", ";", "#59;",
		"{", "#123;", "}", "#125;", "[", "#91;", "]", "#93;", "|", "#124;", "*", "#42;", "_", "#95;")
	out := make([]string, 0, len(lines))
	for _, l := range lines {
		if l != "" {
			out = append(out, r.Replace(l))
		}
	}
	return `"` + strings.Join(out, "<br/>") + `"`
}

func (m *mermaid) flow(depth int, from []string, its []item) []string {
	for _, it := range its {
		var first, last []string
		first, last = m.item(depth, it)
		for _, f := range from {
			for _, t := range first {
				m.printf(depth, "%s --> %s", f, t)
			}
		}
		if len(last) > 0 {
			from = last
		}
	}
	return from
}

func (m *mermaid) root(root item, ends []string) {
	if root.final != nil {
		first, last := m.item(1, *root.final)
		for _, f := range ends {
			for _, t := range first {
				m.printf(1, "%s -.->|finally| %s", f, t)
			}
		}
		ends = last
	}
	m.printf(1, `e0(["end"])`)
	for _, f := range ends {
		m.printf(1, "%s --> e0", f)
	}
	if root.catch != nil {
		first, last := m.item(1, *root.catch)
		for _, t := range first {
			m.printf(1, "s0 -.->|catch| %s", t)
		}
		for _, f := range last {
			m.printf(1, "%s --> e0", f)
		}
	}
}

// item draws one item and tells where the flow enters and leaves it.
func (m *mermaid) item(depth int, it item) (first, last []string) {
	id := m.id(it.path)
	mk := m.state.at(it.path)
	if !it.box() {
		m.printf(depth, "%s%s", id, shape(it.kind, label(append([]string{titled(it)}, append(details(it, mk.Targets), mk.text())...)...)))
		if t := mk.tone(); t != "" {
			m.class(id, t)
		} else if it.effect == contract.Mutate && it.kind == Action {
			m.class(id, "mutate")
		}
		m.hang(depth, id, it)
		return []string{id}, []string{id}
	}
	m.printf(depth, "subgraph %s[%s]", id, label(append([]string{titled(it)}, append(details(it, mk.Targets), mk.text())...)...))
	m.printf(depth+1, "direction TB")
	if it.kind == Parallel {
		for _, lane := range it.body {
			f, l := m.item(depth+1, lane)
			first, last = append(first, f...), append(last, l...)
		}
	} else {
		last = m.flow(depth+1, nil, it.body)
		first = m.firstOf(it)
	}
	if len(it.body) == 0 {
		m.printf(depth+1, "%se[ ]", id)
		first, last = []string{id + "e"}, []string{id + "e"}
	}
	m.printf(depth, "end")
	m.class(id, mk.tone())
	m.hang(depth, id, it)
	return first, last
}

// firstOf finds where the flow enters a block whose body has been drawn.
func (m *mermaid) firstOf(it item) []string {
	if len(it.body) == 0 {
		return []string{m.id(it.path) + "e"}
	}
	if it.kind != Parallel {
		if !it.body[0].box() {
			return []string{m.id(it.body[0].path)}
		}
		return m.firstOf(it.body[0])
	}
	var out []string
	for _, b := range it.body {
		out = append(out, m.firstOf(b)...)
	}
	return out
}

func (m *mermaid) hang(depth int, id string, it item) {
	for _, s := range it.side {
		first, _ := m.item(depth, s)
		for _, t := range first {
			m.printf(depth, "%s -.->|%s| %s", id, s.role, t)
		}
	}
	for _, h := range slices.DeleteFunc([]*item{it.catch, it.final}, func(i *item) bool { return i == nil }) {
		first, _ := m.item(depth, *h)
		for _, t := range first {
			m.printf(depth, "%s -.->|%s| %s", id, h.kind, t)
		}
	}
}

func titled(it item) string {
	if it.role != "" {
		return string(it.role) + ": " + it.title
	}
	return it.title
}

func shape(k Kind, label string) string {
	switch k {
	case Wait:
		return "([" + label + "])"
	case Approve, Ask, Manual:
		return "{{" + label + "}}"
	case Call:
		return "[[" + label + "]]"
	case Assert:
		return "{" + label + "}"
	case Fail:
		return "(((" + label + ")))"
	default:
		return "[" + label + "]"
	}
}
